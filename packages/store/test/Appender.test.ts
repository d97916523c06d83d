import { Deferred, Effect, Either, Exit, Fiber } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { AppendRequest, Batch, Driver, Located } from "../src/Driver.js"
import * as Appender from "../src/internal/Appender.js"
import * as Position from "../src/Position.js"
import { type AppendError, InvalidRequest, LeaseHeld, StoreUnavailable } from "../src/StoreError.js"

const located = (offset: number): Located => ({
  threadId: "t",
  historyMode: "legacy",
  archivedAt: undefined,
  head: Position.make("t", offset),
  nextOrdinal: undefined
})

/** A batch of one line, a byte that names it; -1 is one that cannot be written. */
const batch =
  (name: number): Batch =>
  () =>
    name < 0
      ? Either.left(new InvalidRequest({ field: "records[0]", reason: "bad", advice: "" }))
      : Either.right({ lines: [new Uint8Array([name])], derive: (before) => before })

const unavailable = new StoreUnavailable({ operation: "append", reason: "", advice: "", retryable: true, paths: [] })

interface Desk {
  readonly driver: Driver
  /** The names of what was written, in order. */
  readonly written: Array<number>
  /** The sizes of the commits that were tried. */
  readonly groups: Array<number>
  /** Keeps commits from coming to their end while it is closed. */
  gate: Deferred.Deferred<void> | undefined
  /** What a commit of so many batches fails with, before or after it has written. */
  fails: (size: number) => { readonly error: AppendError; readonly written: boolean } | undefined
  /** Whether every commit that is tried shows itself. */
  readonly begun: Array<AppendRequest>
}

const desk = (): Desk => {
  const written: Array<number> = []
  const groups: Array<number> = []
  const begun: Array<AppendRequest> = []
  const one: Desk = {
    written,
    groups,
    begun,
    gate: undefined,
    fails: () => undefined,
    driver: undefined as unknown as Driver
  }
  const append = (request: AppendRequest): Effect.Effect<ReadonlyArray<Position.Position>, AppendError> =>
    Effect.gen(function* () {
      groups.push(request.batches.length)
      begun.push(request)
      if (one.gate !== undefined) yield* Deferred.await(one.gate)
      const fails = one.fails(request.batches.length)
      if (fails?.written === false) return yield* Effect.fail(fails.error)
      const lines: Array<number> = []
      const ends: Array<Position.Position> = []
      for (const ask of request.batches) {
        const asked = ask(located(written.length + lines.length))
        if (Either.isLeft(asked)) return yield* Effect.fail(asked.left)
        lines.push(...asked.right.lines.map((line) => line[0] ?? 0))
        ends.push(Position.make("t", written.length + lines.length))
      }
      written.push(...lines)
      return fails === undefined ? ends : yield* Effect.fail(fails.error)
    })
  return Object.assign(one, { driver: { append } as unknown as Driver })
}

const run = <A>(program: Effect.Effect<A, AppendError>): Promise<A> => Effect.runPromise(program)

/** Lets every fiber that can go on do so. */
const settle = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow(), { discard: true })

const setup = () => {
  const at = desk()
  const appender = Appender.make(at.driver, () => Effect.void)
  const any = (name: number) => appender.append("t", batch(name), "any", undefined)
  return { at, appender, any }
}

describe("order", () => {
  it("§11.7: callers at once are written in the order in which they came, each told where it stands", () =>
    run(
      Effect.gen(function* () {
        const { any, at } = setup()
        at.gate = yield* Deferred.make<void>()
        const names = Array.from({ length: 40 }, (_, i) => i)
        const fibers = []
        for (const name of names) {
          fibers.push(yield* Effect.fork(any(name)))
          yield* Effect.yieldNow()
        }
        yield* settle
        yield* Deferred.succeed(at.gate, undefined)
        const ends = yield* Effect.forEach(fibers, Fiber.join)
        expect(at.written).toEqual(names)
        expect(ends.map(({ offset }) => offset)).toEqual(names.map((name) => name + 1))
        // The first went alone; all that had come by then went with the second.
        expect(at.groups).toEqual([1, 39])
      })
    ))

  it("no commit takes more than it can chew", () =>
    run(
      Effect.gen(function* () {
        const { any, at } = setup()
        at.gate = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(
          Effect.forEach(
            Array.from({ length: 700 }, (_, i) => i % 256),
            any,
            { concurrency: "unbounded" }
          )
        )
        yield* settle
        yield* Deferred.succeed(at.gate, undefined)
        yield* Fiber.join(fiber)
        expect(at.written).toHaveLength(700)
        expect(Math.max(...at.groups)).toBeLessThanOrEqual(256)
      })
    ))

  it("an append that expects a place, or holds another fence, goes alone and keeps its turn", () =>
    run(
      Effect.gen(function* () {
        const { appender, any, at } = setup()
        at.gate = yield* Deferred.make<void>()
        const appends = [
          any(0),
          any(1),
          appender.append("t", batch(2), Position.make("t", 2), undefined),
          any(3),
          appender.append("t", batch(4), "any", 7),
          appender.append("t", batch(5), "any", 7),
          any(6)
        ]
        const fiber = yield* Effect.fork(Effect.all(appends, { concurrency: "unbounded" }))
        yield* settle
        yield* Deferred.succeed(at.gate, undefined)
        yield* Fiber.join(fiber)
        expect(at.written).toEqual([0, 1, 2, 3, 4, 5, 6])
        expect(at.begun.map(({ batches, fence }) => [batches.length, fence])).toEqual([
          [2, undefined],
          [1, undefined],
          [1, undefined],
          [2, 7],
          [1, undefined]
        ])
      })
    ))

  it("threads do not wait for each other", () =>
    run(
      Effect.gen(function* () {
        const { appender, at } = setup()
        at.gate = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(
          Effect.all(
            [appender.append("a", batch(1), "any", undefined), appender.append("b", batch(2), "any", undefined)],
            {
              concurrency: "unbounded"
            }
          )
        )
        yield* settle
        expect(at.begun.map(({ threadId }) => threadId)).toEqual(["a", "b"])
        yield* Deferred.succeed(at.gate, undefined)
        yield* Fiber.join(fiber)
      })
    ))
})

describe("failure", () => {
  /** Callers at once, the first of them alone. */
  const together = (at: Desk, appends: ReadonlyArray<Effect.Effect<Position.Position, AppendError>>) =>
    Effect.gen(function* () {
      at.gate = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(Effect.forEach(appends, Effect.either, { concurrency: "unbounded" }))
      yield* settle
      yield* Deferred.succeed(at.gate, undefined)
      return yield* Fiber.join(fiber)
    })

  it("a batch that cannot be written fails alone", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }), (good) =>
        run(
          Effect.gen(function* () {
            const { any, at } = setup()
            const names = good.map((fine, i) => (fine ? i : -1))
            const outcomes = yield* together(at, names.map(any))
            expect(at.written).toEqual(names.filter((name) => name >= 0))
            expect(outcomes.map(Either.isRight)).toEqual(good)
          })
        )
      )
    )
  })

  it("a store that does not answer fails all that went together, and nothing is written twice", () =>
    run(
      Effect.gen(function* () {
        const { any, at } = setup()
        at.gate = yield* Deferred.make<void>()
        const first = yield* Effect.fork(any(1))
        yield* settle
        at.fails = (size) => (size > 1 ? { error: unavailable, written: true } : undefined)
        const rest = yield* Effect.fork(
          Effect.forEach([any(2), any(3), any(4)], Effect.either, { concurrency: "unbounded" })
        )
        yield* settle
        yield* Deferred.succeed(at.gate, undefined)
        yield* Fiber.join(first)
        expect((yield* Fiber.join(rest)).map(Either.isLeft)).toEqual([true, true, true])
        expect(at.written).toEqual([1, 2, 3, 4])
        expect(at.groups).toEqual([1, 3])
      })
    ))

  it("§11.3: whom the lease is not for fails; who comes later is asked for again", () =>
    run(
      Effect.gen(function* () {
        const { any, at } = setup()
        const holder = { name: "x", fence: 1, expiresAt: 0 }
        at.fails = () => ({ error: new LeaseHeld({ threadId: "t", holder }), written: false })
        expect(yield* Effect.either(any(1))).toMatchObject({ _tag: "Left", left: { _tag: "LeaseHeld" } })
        at.fails = () => undefined
        yield* any(2)
        expect(at.written).toEqual([2])
      })
    ))

  it("a commit that dies is the end of nobody but its own callers", () =>
    run(
      Effect.gen(function* () {
        const { any, at } = setup()
        const { append } = at.driver
        let dies = true
        Object.assign(at.driver, { append: (request: AppendRequest) => (dies ? Effect.die("gone") : append(request)) })
        const exit = yield* Effect.exit(any(1))
        expect(Exit.isFailure(exit)).toBe(true)
        dies = false
        yield* any(2)
        expect(at.written).toEqual([2])
      })
    ))
})

describe("interruption", () => {
  it("a caller that goes away while it waits appends nothing", () =>
    run(
      Effect.gen(function* () {
        const { any, at } = setup()
        at.gate = yield* Deferred.make<void>()
        const first = yield* Effect.fork(any(1))
        yield* settle
        const waiting = yield* Effect.fork(any(2))
        const last = yield* Effect.fork(any(3))
        yield* settle
        yield* Fiber.interrupt(waiting)
        yield* Deferred.succeed(at.gate, undefined)
        yield* Fiber.join(first)
        yield* Fiber.join(last)
        expect(at.written).toEqual([1, 3])
      })
    ))

  it("a caller that goes away while its commit is under way hears of its end first", () =>
    run(
      Effect.gen(function* () {
        const { any, at } = setup()
        at.gate = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(any(1))
        yield* settle
        const gone = yield* Effect.fork(Fiber.interrupt(fiber))
        yield* settle
        expect(gone.unsafePoll()).toBeNull()
        expect(at.written).toEqual([])
        yield* Deferred.succeed(at.gate, undefined)
        yield* Fiber.join(gone)
        expect(at.written).toEqual([1])
      })
    ))

  it("when all who waited are gone, the next one is served", () =>
    run(
      Effect.gen(function* () {
        const { any, at } = setup()
        at.gate = yield* Deferred.make<void>()
        const first = yield* Effect.fork(any(1))
        yield* settle
        const waiting = yield* Effect.fork(any(2))
        yield* settle
        yield* Fiber.interrupt(waiting)
        yield* Deferred.succeed(at.gate, undefined)
        yield* Fiber.join(first)
        yield* any(3)
        expect(at.written).toEqual([1, 3])
      })
    ))
})

it("a commit is told of before its callers are", () =>
  run(
    Effect.gen(function* () {
      const at = desk()
      const told: Array<string> = []
      const appender = Appender.make(at.driver, (threadId) => Effect.sync(() => void told.push(`commit ${threadId}`)))
      yield* appender.append("t", batch(1), "any", undefined)
      told.push("caller")
      expect(told).toEqual(["commit t", "caller"])
    })
  ))
