import type { Driver } from "@skein/store/Driver"
import * as Machine from "@skein/store/Machine"
import { Effect, Either, type Scope, TestClock, TestContext } from "effect"
import { describe, expect, it } from "vitest"
import * as SqliteDriver from "../src/SqliteDriver.js"
import { batch, driver, filename, id, line, thread } from "./Support.js"

describe("leases", () => {
  const timed = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
    Effect.runPromise(Effect.scoped(effect).pipe(Effect.provide(TestContext.TestContext)))
  const request = { threadId: id(1), name: "one", time: 1000 }
  const fenced = (store: Driver, fence: number | undefined) =>
    Effect.either(store.append({ threadId: id(1), expected: "any", fence, batches: [batch(line("x"))] }))

  it("keep others out until they end or are given back (14)", () =>
    timed(
      Effect.gen(function* () {
        const path = yield* filename
        const one = yield* SqliteDriver.make({ filename: path, durability: "os" })
        const two = yield* SqliteDriver.make({ filename: path, durability: "os" })
        yield* one.create(thread(id(1), [line("a")]))
        const held = yield* one.lease(request)
        expect(yield* Effect.flip(two.lease({ ...request, name: "two" }))).toMatchObject({
          _tag: "LeaseHeld",
          holder: { name: "one", fence: held.fence, expiresAt: 1000 }
        })
        expect(Either.isLeft(yield* fenced(two, undefined))).toBe(true)
        expect(Either.isRight(yield* fenced(one, held.fence))).toBe(true)
        yield* TestClock.adjust(600)
        expect(yield* held.renew).toBe(1600)
        yield* TestClock.adjust(900)
        expect(Either.isLeft(yield* fenced(two, undefined))).toBe(true)
        yield* TestClock.adjust(100)
        const next = yield* two.lease({ ...request, name: "two" })
        expect(next.fence).toBeGreaterThan(held.fence)
        expect(Either.isLeft(yield* fenced(one, held.fence))).toBe(true)
        expect(yield* Effect.flip(held.renew)).toMatchObject({ _tag: "LeaseHeld", holder: { name: "two" } })
        yield* held.release
        expect(Either.isRight(yield* fenced(two, next.fence))).toBe(true)
        yield* next.release
        expect(Either.isRight(yield* fenced(one, undefined))).toBe(true)
        expect(Either.isLeft(yield* fenced(two, next.fence))).toBe(true)
      })
    ))

  it("a holder that is dead is succeeded at once, and comes back to nothing", () =>
    timed(
      Effect.gen(function* () {
        const path = yield* filename
        const knowledge = Machine.node()
        const dead = { ...knowledge.self, pid: knowledge.self.pid + 1, start: "another" }
        const one = yield* SqliteDriver.make({ filename: path, durability: "os" }).pipe(
          Effect.provideService(Machine.Machine, { ...knowledge, self: dead })
        )
        const isGone = (other: Machine.Process) => Machine.isSame(other, dead)
        const two = yield* SqliteDriver.make({ filename: path, durability: "os" }).pipe(
          Effect.provideService(Machine.Machine, { ...knowledge, isGone })
        )
        yield* one.create(thread(id(1), [line("a")]))
        const held = yield* one.lease(request)
        expect(Either.isRight(yield* fenced(two, undefined))).toBe(true)
        const next = yield* two.lease({ ...request, name: "two" })
        expect(next.fence).toBeGreaterThan(held.fence)
        expect(Either.isLeft(yield* fenced(one, held.fence))).toBe(true)
        expect(yield* Effect.flip(held.renew)).toMatchObject({ holder: { name: "two" } })
      })
    ))

  it("one that ran out allows nothing, though nobody took over", () =>
    timed(
      Effect.gen(function* () {
        const store = yield* driver
        yield* store.create(thread(id(1), [line("a")]))
        const held = yield* store.lease(request)
        yield* TestClock.adjust(1000)
        expect(Either.isLeft(yield* fenced(store, held.fence))).toBe(true)
        expect(Either.isRight(yield* fenced(store, undefined))).toBe(true)
      })
    ))

  it("no thread ever sees a fence twice, not even one that was deleted and made again", () =>
    timed(
      Effect.gen(function* () {
        const store = yield* driver
        yield* store.create(thread(id(1), [line("a")]))
        const held = yield* store.lease(request)
        yield* store.remove(id(1), "keep")
        expect(yield* Effect.flip(held.renew)).toMatchObject({ holder: { name: "nobody any more" } })
        yield* store.create(thread(id(1), [line("a")]))
        const next = yield* store.lease(request)
        expect(next.fence).toBeGreaterThan(held.fence)
      })
    ))
})
