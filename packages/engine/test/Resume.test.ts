/** Opening a thread from its end: what it costs, and that nothing is missed (design §4, replay-semantics §1.8, §1.9). */
import type { Draft } from "@skein/core/decide/Draft"
import * as Checkpoint from "@skein/core/fold/Checkpoint"
import type { StoredRecord } from "@skein/core/record/Record"
import type * as EffectiveLog from "@skein/store/EffectiveLog"
import * as LineSource from "@skein/store/LineSource"
import type { ReadError } from "@skein/store/StoreError"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Script from "@skein/testing/Script"
import * as Thread from "@skein/testing/Thread"
import { Effect } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Loading from "../src/internal/Loading.js"
import * as ThreadsModule from "../src/Threads.js"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"
import * as Play from "./Play.js"

const settings = { model: "m" }

/** Records as a log that can be read from both ends. */
const logOf = (records: ReadonlyArray<StoredRecord>): EffectiveLog.EffectiveLog<never> => {
  const source = LineSource.ofLines(records.map(({ line }) => line.bytes))
  const meta = records.find((record) => record.kind === "session_meta")
  return {
    pieces: [{ segmentId: "s", source, meta, to: source.size, below: undefined }],
    meta,
    whole: true,
    diagnostics: []
  }
}

/** A store that counts the lines that are read of it. */
const counting = (base: ThreadStore.ThreadStoreService) => {
  let lines = 0
  const counted =
    (read: LineSource.LineSource<ReadError>["forward"]): typeof read =>
    (take, range) =>
      read((...line) => {
        lines++
        return take(...line)
      }, range)
  const store: ThreadStore.ThreadStoreService = {
    ...base,
    open: (...args) =>
      Effect.map(base.open(...args), (log) => ({
        ...log,
        pieces: log.pieces.map((piece) => ({
          ...piece,
          source: {
            ...piece.source,
            forward: counted(piece.source.forward),
            backward: counted(piece.source.backward)
          }
        }))
      }))
  }
  return {
    store,
    take: () => {
      const found = lines
      lines = 0
      return found
    }
  }
}

const openOver = (store: ThreadStore.ThreadStoreService) =>
  ThreadsModule.make().pipe(Effect.provideService(ThreadStore.ThreadStore, store))

/** A compaction as another program writes it, and two turns in front of it. */
const foreignTurns = (n: number): ReadonlyArray<Draft> =>
  [1, 2]
    .flatMap((i) => {
      const id = `019c2b10-7a00-7c00-8000-0000000${String(n * 10 + i).padStart(5, "0")}`
      const window = { window_number: n, window_id: "019c2b10-7a00-7c00-8000-00000000000f" }
      const compacted = Script.compacted([Script.user(`kept ${n}`)], window)
      return Script.turn(id, `foreign ${n}.${i}`, ...(i === 2 ? [compacted, Script.turnContext(id)] : []))
    })
    .map(({ payload, type }) => ({ timestamp: "2026-11-20T12:00:00.000Z", type, payload }) as unknown as Draft)

describe("reading from the end", () => {
  it("of any well-formed thread gives history, settings, world and window as reading it whole (invariant 13)", () =>
    fc.assert(
      fc.asyncProperty(Thread.thread(), async ({ log }) => {
        const whole = await Effect.runPromise(Loading.load(logOf(log), {}, "whole"))
        const part = await Effect.runPromise(Loading.load(logOf(log), {}, "window"))
        const [left, right] = [Host.seen(part.state), Host.seen(whole.state)]
        expect(part.position).toEqual(whole.position)
        expect(left.certain.history).toBe(true)
        const known = (context: typeof left.context) => ({
          history: context.history,
          settings: context.previousTurnSettings,
          reference: context.referenceContext,
          world: context.worldState,
          mode: context.multiAgentMode,
          ...(left.certain.window ? { window: context.window } : {})
        })
        expect(known(left.context)).toEqual(known(right.context))
        expect(left.turn.active).toEqual(right.turn.active)
      }),
      { numRuns: 300 }
    ))

  it("once it is settled, nothing of any age is missing", () =>
    fc.assert(
      fc.asyncProperty(Thread.thread(), async ({ log }) => {
        const whole = await Effect.runPromise(Loading.load(logOf(log), {}, "whole"))
        const part = await Effect.runPromise(Loading.load(logOf(log), {}, "settled"))
        expect(part.settled).toBe(true)
        const [left, right] = [Host.seen(part.state), Host.seen(whole.state)]
        expect(left.context.window).toEqual(right.context.window)
        expect(left.context.tokenInfo).toEqual(right.context.tokenInfo)
        expect(left.mailbox).toEqual(right.mailbox)
        expect(left.selection).toEqual(right.selection)
        expect(left.usage.counted).toEqual(right.usage.counted)
        expect(left.usage.contextWindow).toEqual(right.usage.contextWindow)
      }),
      { numRuns: 300 }
    ))
})

describe("a thread of our own", () => {
  it(
    "is settled to the same with its checkpoints and without them",
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(Play.command, { minLength: 5, maxLength: 40 }), (commands) =>
          Host.run(
            Effect.gen(function* () {
              const store = yield* ThreadStore.ThreadStore
              const play = yield* Play.begin(store)
              for (const command of commands) yield* play.give(command)
              yield* play.end
              const records = yield* Host.stored(play.thread().id)
              const bare = records.filter((record) => Checkpoint.read(record) === undefined)
              const whole = Host.seen((yield* Loading.load(logOf(records), {}, "whole")).state)
              const known = ({ usage, ...rest }: typeof whole) => ({
                ...rest,
                turn: rest.turn.active,
                usage: usage.counted
              })
              for (const log of [logOf(records), logOf(bare)]) {
                expect(known(Host.seen((yield* Loading.load(log, {}, "settled")).state))).toEqual(known(whole))
              }
              const checked = Host.seen((yield* Loading.load(logOf(records), {}, "window")).state)
              expect(checked).toEqual(whole)
            })
          )
        ),
        { numRuns: 100 }
      ),
    60_000
  )
})

describe("the cost of opening a thread", () => {
  /** Lines that are read to open a thread with so many windows behind it, and to begin a turn in it. */
  const cost = (windows: number) =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* Effect.scoped(
          Effect.gen(function* () {
            const thread = yield* threads.start({ settings })
            for (let i = 0; i < windows; i++) {
              const turn = yield* thread.startTurn(`Words ${i}`, {}, { world: { place: `${i}` } })
              for (let j = 0; j < 10; j++) yield* turn.record([Host.says(`Answer ${i}.${j}`, "commentary")])
              yield* turn.complete()
              yield* thread.compact({ kind: "item", item: { type: "compaction", encrypted_content: "gAAA" } })
            }
            yield* Effect.scoped(thread.startTurn("The last"))
            return thread.id
          })
        )
        const { store, take } = counting(yield* ThreadStore.ThreadStore)
        const other = yield* openOver(store)
        const thread = yield* other.resume(id)
        const opened = take()
        yield* thread.startTurn("Go on")
        const begun = take()
        const records = (yield* Host.stored(id)).length
        return { opened, begun, records }
      })
    )

  it("is that of its open window, whatever lies in front of it; a turn then reads nothing", async () => {
    const short = await cost(3)
    const long = await cost(40)
    expect(long.records).toBeGreaterThan(short.records * 8)
    expect(long.opened).toBe(short.opened)
    expect(long.begun).toBe(0)
    expect(short.begun).toBe(0)
  })

  it("a turn of an old thread is shown once it is asked for", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* Effect.scoped(
          Effect.gen(function* () {
            const thread = yield* threads.start({ settings })
            for (const words of ["One", "Two", "Three"]) {
              yield* Effect.scoped(thread.startTurn(words))
              yield* thread.compact({ kind: "local", summary: words })
            }
            return thread.id
          })
        )
        const store = yield* ThreadStore.ThreadStore
        const thread = yield* threads.resume(id)
        const all = yield* store.turns(id, { direction: "asc" })
        expect(yield* thread.turns).toEqual(all.items)
        // Rolling back goes beyond what was read.
        expect(yield* thread.rollback({ count: 5 })).toHaveLength(5)
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
        expect((yield* thread.turns).filter(({ items }) => items.length > 0)).toHaveLength(1)
      })
    ))
})

describe("what another program compacted", () => {
  const mixed = Effect.gen(function* () {
    const threads = yield* Threads
    const store = yield* ThreadStore.ThreadStore
    const id = yield* Effect.scoped(
      Effect.gen(function* () {
        const thread = yield* threads.start({ settings })
        const turn = yield* thread.startTurn("Hello", {}, { select: "proactive" })
        yield* turn.usage({ input_tokens: 100, output_tokens: 10 })
        yield* turn.complete()
        yield* thread.receive({ id: "m1", author: "/root/a", content: "Do not lose me", triggerTurn: true })
        return thread.id
      })
    )
    for (const n of [1, 2, 3]) yield* store.append(id, foreignTurns(n))
    return { threads, store, id }
  })

  it("hides no mail, no mode and no sums; what was found is written down for the next", () =>
    Host.run(
      Effect.gen(function* () {
        const { id, store, threads } = yield* mixed
        const before = yield* Host.stored(id)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const thread = yield* threads.resume(id)
            expect(yield* thread.pending).toMatchObject({ mail: 1, startsTurn: true, drafts: [] })
            const { cold, live } = yield* Host.both(thread)
            expect({ ...live, usage: live.usage.counted }).toEqual({ ...cold, usage: cold.usage.counted })
            expect(yield* Host.stored(id)).toEqual(before)
            const turn = yield* thread.startTurn(undefined)
            yield* turn.usage({ input_tokens: 1 })
            yield* turn.complete()
            expect((yield* thread.tokenUsage).counted?.total_tokens).toBe(111)
            expect((yield* thread.state).selection).toEqual({ selection: "proactive", recorded: true })
          })
        )
        const { store: counted, take } = counting(store)
        const other = yield* openOver(counted)
        const thread = yield* other.resume(id)
        const opened = take()
        expect(opened).toBeLessThan((yield* Host.stored(id)).length)
        expect((yield* thread.pending).mail).toBe(0)
        expect(take()).toBe(0)
      })
    ))
})

describe("what a process leaves behind that is gone", () => {
  it("is repaired at the head of the first append, once", () =>
    Host.run(
      Effect.gen(function* () {
        const store = yield* ThreadStore.ThreadStore
        const threads = yield* Threads
        const thread = yield* threads.start({ settings })
        const turn = yield* thread.startTurn("Hello")
        yield* turn.steer("And also this")
        const left = yield* Host.stored(thread.id)
        yield* threads.archive(thread.id)
        yield* threads.unarchive(thread.id)
        // The log as it was in the middle of the turn.
        const { position } = yield* threads.fold(thread.id, { initial: 0, step: (n) => n + 1 }, {})
        const cut = yield* Effect.scoped(
          Effect.map(store.open(thread.id), (log) => {
            const last = left.at(-1)
            return {
              segmentId: log.pieces[0]?.segmentId ?? "",
              offset: (last?.line.offset ?? 0) + (last?.line.bytes.length ?? 0) + 1
            }
          })
        )
        expect(cut.offset).toBeLessThan(position.offset)
        yield* store.revert(thread.id, { to: cut, timestamp: "2026-11-20T12:00:00.000Z" })
        const before = yield* Host.stored(thread.id)
        const again = yield* threads.resume(thread.id)
        const pending = yield* again.pending
        expect(pending.turnId).toBe(turn.id)
        expect(yield* Host.stored(thread.id)).toEqual(before)
        const next = yield* again.startTurn("Go on")
        const added = (yield* Host.stored(thread.id)).slice(before.length)
        const types = added.map(({ payload }) => (payload as { readonly type?: string }).type)
        expect(types.filter((type) => type === "turn_aborted")).toHaveLength(1)
        expect(types.indexOf("turn_aborted")).toBeLessThan(types.indexOf("task_started"))
        expect(added.find(({ payload }) => "reason" in payload)?.extras).toMatchObject({ skein: { kind: "repair" } })
        const texts = Script.texts((yield* next.context()).input)
        expect(texts.map((text) => text.split("\n")[0])).toEqual(["Hello", "And also this", "<turn_aborted>", "Go on"])
        expect((yield* again.pending).drafts).toEqual([])
        const { cold, live } = yield* Host.both(again)
        expect(live).toEqual(cold)
      })
    ))
})
