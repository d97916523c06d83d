import type { Json } from "@skein/core/json/Json"
import { Chunk, Effect, Fiber, Queue, Stream } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Patches from "../src/Patches.js"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

const settings = { model: "m" }
const plain = <A>(value: A): A => JSON.parse(JSON.stringify(value)) as A

const json = fc.jsonValue() as fc.Arbitrary<Json>
const object = fc.dictionary(fc.string({ maxLength: 4 }), json, { maxKeys: 5 })

describe("patches", () => {
  it("a client that follows has what is there", () =>
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 6 }), (states) => {
        let had: unknown = states[0]
        let before: Readonly<Record<string, unknown>> = states[0] ?? {}
        for (const after of states.slice(1)) {
          const change = Patches.ofValue<Readonly<Record<string, unknown>>>(before, after)
          if (change !== undefined) had = Patches.follow(plain(had), plain(change))
          before = after
          expect(plain(had)).toEqual(plain(after))
        }
      })
    ))

  it("a client that follows a list has what is there, and unchanged elements are not told", () =>
    fc.assert(
      fc.property(
        fc.array(object, { maxLength: 5 }),
        fc.array(fc.tuple(fc.nat(6), object), { maxLength: 5 }),
        (start, edits) => {
          let before: ReadonlyArray<object> = start
          let had = plain(start) as ReadonlyArray<object>
          for (const [at, value] of edits) {
            const after = at < before.length ? before.map((one, i) => (i === at ? value : one)) : [...before, value]
            const change = Patches.ofList(before, after)
            if (change !== undefined) {
              if (change._tag === "Patch") {
                const touched = new Set(change.patch.map(({ path }) => path.split("/")[1]))
                expect(touched.size).toBeLessThanOrEqual(1)
              }
              had = Patches.follow(had, plain(change)) ?? []
            }
            before = after
            expect(had).toEqual(plain(before))
          }
        }
      )
    ))

  it("what does not fit, or reaches for a prototype, is no state", () => {
    expect(Patches.applied({ a: 1 }, [{ op: "remove", path: "/b" }])).toBeUndefined()
    expect(Patches.applied({}, [{ op: "add", path: "/__proto__/polluted", value: 1 }])).toBeUndefined()
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    expect(Patches.ofValue<unknown>([1], { a: 1 })).toEqual({ _tag: "Snapshot", value: { a: 1 } })
    expect(Patches.ofList([1, 2], [1])).toEqual({ _tag: "Snapshot", value: [1] })
  })
})

/** Follows a stream of changes as a remote client would: by its patches alone. */
const client = <A, E>(changes: Stream.Stream<Patches.Change<A>, E>) =>
  Effect.gen(function* () {
    const seen = yield* Queue.unbounded<{ readonly tag: string; readonly had: unknown; readonly is: unknown }>()
    let had: unknown
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(changes, (change) => {
        had = Patches.follow(had, plain(change) as Patches.Change<unknown>)
        return Queue.offer(seen, { tag: change._tag, had: plain(had ?? null), is: plain(change.value ?? null) })
      })
    )
    const next = Effect.map(Queue.take(seen), ({ had, is, tag }) => {
      expect(had).toEqual(is)
      return tag
    })
    return { next, fiber }
  })

describe("what a thread offers to follow", () => {
  it("the world: a snapshot, patches, and a snapshot behind a compaction and a rollback", () =>
    Host.run(
      Effect.gen(function* () {
        const thread = yield* (yield* Threads).start({ settings })
        const { next } = yield* client(thread.worldChanges)
        expect(yield* next).toBe("Snapshot")
        const turn = yield* thread.startTurn("Hello", {}, { world: { place: "a" } })
        expect(yield* next).toBe("Snapshot")
        yield* turn.world({ place: "b", time: "noon" })
        expect(yield* next).toBe("Patch")
        yield* turn.compact({ kind: "local", summary: "s" }, { phase: "mid_turn", world: { place: "b" } })
        expect(yield* next).toBe("Snapshot")
        yield* turn.complete()
        yield* thread.rollback({ count: 1 })
        expect(yield* next).toBe("Snapshot")
      })
    ))

  it("the turns: as they are, each change, anew behind a rollback, to the end", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const thread = yield* threads.start({ settings })
        const { fiber, next } = yield* client(thread.turnChanges)
        expect(yield* next).toBe("Snapshot")
        const turn = yield* thread.startTurn("Hello")
        expect(yield* next).toBe("Patch")
        yield* turn.record([Host.says("Hi")])
        expect(yield* next).toBe("Patch")
        yield* turn.complete()
        expect(yield* next).toBe("Patch")
        yield* thread.rollback({ count: 1 })
        expect(yield* next).toBe("Snapshot")
        yield* threads.archive(thread.id)
        yield* Fiber.join(fiber)
      })
    ))

  it("a client that does not ask for a while is told one change for all of them", () =>
    Host.run(
      Effect.gen(function* () {
        const thread = yield* (yield* Threads).start({ settings })
        const pull = yield* Stream.toPull(thread.turnChanges)
        yield* pull
        for (const words of ["One", "Two", "Three"]) yield* Effect.scoped(thread.startTurn(words))
        const [change] = Chunk.toReadonlyArray(yield* pull)
        expect(change?.value).toEqual(yield* thread.turns)
      })
    ))
})
