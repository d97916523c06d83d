/**
 * The driver answers every sequence of operations as the one in memory does (design §8, promise 4; 93). The contract of
 * the port is tested elsewhere; here two instances on one file take turns, and what they know of each other counts.
 */
import type { Driver, HeldLease } from "@skein/store/Driver"
import * as LineSource from "@skein/store/LineSource"
import * as Positions from "@skein/store/Position"
import * as MemoryDriver from "@skein/store-memory/MemoryDriver"
import { Effect, Either, TestClock, TestContext } from "effect"
import fc from "fast-check"
import { expect, it } from "vitest"
import * as Doctor from "../src/Doctor.js"
import * as SqliteDriver from "../src/SqliteDriver.js"
import { batch, derived, filename, id, line, linesOf } from "./Support.js"

const threads = 4

type Operation =
  | { readonly kind: "create"; readonly on?: number; readonly at: number; readonly derived: boolean }
  | {
      readonly kind: "append"
      readonly expected: "any" | "head" | "stale"
      readonly lines: ReadonlyArray<number>
      readonly fence: boolean
    }
  | { readonly kind: "branch"; readonly at: number; readonly stale: boolean }
  | { readonly kind: "remove"; readonly shared: "keep" | "refuse" }
  | { readonly kind: "explicit"; readonly name: string }
  | { readonly kind: "archive"; readonly at: number | undefined }
  | { readonly kind: "derive" }
  | { readonly kind: "lease" }
  | { readonly kind: "renew" }
  | { readonly kind: "release" }
  | { readonly kind: "wait"; readonly time: number }

const n = fc.nat(threads - 1)

const operation: fc.Arbitrary<readonly [thread: number, operation: Operation]> = fc.tuple(
  n,
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record(
        { kind: fc.constant("create" as const), on: n, at: fc.nat(12), derived: fc.boolean() },
        { requiredKeys: ["kind", "at", "derived"] }
      )
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("append" as const),
        expected: fc.constantFrom("any" as const, "any" as const, "head" as const, "stale" as const),
        lines: fc.array(fc.nat(5), { maxLength: 3 }),
        fence: fc.boolean()
      })
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("branch" as const), at: fc.nat(12), stale: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("remove" as const),
        shared: fc.constantFrom("keep" as const, "refuse" as const)
      })
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("explicit" as const), name: fc.constantFrom("A", "B") }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("archive" as const), at: fc.constantFrom(undefined, 5) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom("derive" as const, "lease" as const, "renew" as const, "release" as const)
      })
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), time: fc.constantFrom(10, 60) }) }
  )
)

/** A driver, and what its test holds of it. */
interface Side {
  readonly driver: () => Driver
  readonly leases: Map<number, HeldLease>
}

const tagged = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>) =>
  Effect.map(
    Effect.either(effect),
    Either.mapLeft(({ _tag }) => _tag)
  )

const perform = (side: Side, at: number, operation: Operation, step: number): Effect.Effect<unknown> =>
  Effect.gen(function* () {
    const driver = side.driver()
    const threadId = id(at)
    const held = side.leases.get(at)
    const head = Effect.map(Effect.option(driver.locate(threadId)), (found) =>
      found._tag === "Some" ? found.value.head : Positions.make("", 0)
    )
    const segment = (segmentId: string, base?: Positions.Position) => ({
      segmentId,
      base,
      content: LineSource.ofLines([line(`head ${step}`)]),
      nextOrdinal: step % 2 === 0 ? step : undefined,
      madeAt: 1000 + step
    })
    switch (operation.kind) {
      case "create":
        return yield* tagged(
          driver.create({
            threadId,
            historyMode: "legacy",
            segment: segment(
              threadId,
              operation.on === undefined ? undefined : Positions.make(id(operation.on), operation.at)
            ),
            derived: operation.derived ? derived({ title: String(step) }) : undefined,
            explicit: {},
            archivedAt: undefined
          })
        )
      case "append": {
        const now = yield* head
        const expected =
          operation.expected === "any"
            ? "any"
            : operation.expected === "head"
              ? now
              : Positions.make(now.segmentId, now.offset + 1)
        const lines = operation.lines.map((length) => new Uint8Array(length).fill(0x61))
        return yield* tagged(
          driver.append({
            threadId,
            expected,
            fence: operation.fence ? held?.fence : undefined,
            batches: [
              batch(...lines),
              ({ head }) =>
                Either.right({
                  lines: [line(`${step}`)],
                  derive: (before) => ({
                    ...before,
                    tokensUsed: head.offset + (before.tokensUsed ?? 0),
                    recency: {
                      open: false,
                      updatedAt: step,
                      recencyAt: step % 2 === 0 ? step : before.recency.recencyAt
                    },
                    summary: step % 3 === 0 ? { ...before.summary, title: `title ${step}` } : before.summary
                  })
                })
            ]
          })
        )
      }
      case "branch": {
        const now = yield* head
        const expected = operation.stale ? Positions.make(now.segmentId, now.offset + 1) : now
        return yield* tagged(
          driver.branch(threadId, segment(id(100 + step), Positions.make(now.segmentId, operation.at)), {
            expected,
            fence: held?.fence
          })
        )
      }
      case "remove":
        return yield* tagged(driver.remove(threadId, operation.shared))
      case "explicit":
        return yield* tagged(
          driver.updateExplicit(threadId, (before) => ({ ...before, name: `${before.name ?? ""}${operation.name}` }))
        )
      case "archive":
        return yield* tagged(driver.setArchived(threadId, operation.at))
      case "derive":
        return yield* tagged(driver.putDerived(threadId, derived({ title: `derived ${step}` }), yield* head))
      case "lease": {
        const got = yield* tagged(driver.lease({ threadId, name: `step ${step}`, time: 50 }))
        if (Either.isLeft(got)) return got
        side.leases.set(at, got.right)
        return got.right.expiresAt
      }
      case "renew":
        return held === undefined ? undefined : yield* tagged(held.renew)
      case "release":
        return held === undefined ? undefined : yield* tagged(held.release)
      case "wait":
        return undefined
    }
  })

/** Everything that can be seen of a thread. */
const seen = (driver: Driver, at: number) =>
  Effect.gen(function* () {
    const threadId = id(at)
    const located = yield* tagged(driver.locate(threadId))
    if (Either.isLeft(located)) return located.left
    const row = yield* driver.row(threadId)
    const { pieces, whole, diagnostics } = yield* driver.open(threadId)
    const lines: Array<unknown> = []
    for (const { source, to, segmentId } of pieces) {
      const forward = yield* linesOf(source, "forward", { to })
      const backward = yield* linesOf(source, "backward", { to })
      expect(backward.map(({ offset }) => offset).reverse()).toEqual(forward.map(({ offset }) => offset))
      lines.push([segmentId, to, forward.map(({ bytes, offset }) => [offset, new TextDecoder().decode(bytes)])])
    }
    const segments = (yield* driver.segments(threadId)).map(({ base, madeAt, segmentId, source }) => [
      segmentId,
      base,
      madeAt,
      source.size
    ])
    const lagging = yield* driver.lagging(threadId)
    return {
      located: located.right,
      row,
      lines,
      whole,
      codes: diagnostics.map(({ code }) => code),
      segments,
      lagging: lagging.map(({ from }) => from)
    }
  }).pipe(Effect.orDie)

it("two instances on one file answer as the model does, whatever is asked", async () => {
  const turns = fc.infiniteStream(fc.boolean())
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40 }), turns, (operations, turns) =>
      Effect.gen(function* () {
        const path = yield* filename
        const stores = [
          yield* SqliteDriver.make({ filename: path, durability: "os" }),
          yield* SqliteDriver.make({ filename: path, durability: "os" })
        ] as const
        const memory = yield* MemoryDriver.make
        const model: Side = { driver: () => memory, leases: new Map() }
        const ours: Side = { driver: () => stores[turns.next().value === true ? 0 : 1], leases: new Map() }
        for (const [step, [at, one]] of operations.entries()) {
          const wanted = yield* perform(model, at, one, step)
          expect(yield* perform(ours, at, one, step), `${step}: ${JSON.stringify(one)} on ${at}`).toEqual(wanted)
          if (one.kind === "wait") yield* TestClock.adjust(one.time)
          for (let other = 0; other < threads; other++) {
            expect(yield* seen(ours.driver(), other), `${other} after step ${step}`).toEqual(yield* seen(memory, other))
          }
        }
        // Nothing but what the operations themselves broke, and columns that are what their rows say.
        const findings = yield* Doctor.check({ filename: path })
        const codes = new Set(findings.map(({ code }) => code))
        for (const code of ["behind", "missing-base", "cyclic-base", "base-too-short", "base-inside-line"] as const) {
          codes.delete(code)
        }
        expect([...codes]).toEqual([])
      }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext), Effect.runPromise)
    ),
    { numRuns: Number(process.env["SKEIN_MODEL_RUNS"] ?? 60) }
  )
}, 120_000)
