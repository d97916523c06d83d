/** A home on a disk that is full for a while: what was acknowledged stays, what was refused is not there. */
import { StoreUnavailable } from "@skein/store/StoreError"
import * as SimulatedDisk from "@skein/testing/SimulatedDisk"
import { Effect, Either } from "effect"
import { expect, it } from "vitest"
import * as Home from "./Home.js"
import * as Stores from "./Stores.js"

it.each([1, 2, 3, 4, 5, 6])("70. filling up and with room again (%i)", (seed) =>
  Stores.run(
    Effect.gen(function* () {
      const disk = yield* SimulatedDisk.make({ seed })
      const alive = new Set([1])
      const kept: Array<string> = []
      yield* Effect.scoped(
        Effect.gen(function* () {
          const driver = yield* Stores.openOn(disk.process("p1"), 1, alive)
          yield* driver.create(Stores.thread(1))
          const used = [...(yield* disk.files).values()].reduce((sum, { length }) => sum + length, 0)
          yield* disk.setCapacity(used + 1500 + seed * 37)
          let refused = 0
          for (let i = 0; i < 30; i++) {
            // Room again in the middle, and then none any more.
            if (i === 18) yield* disk.setCapacity(used + 6000)
            const texts = [`${i}a`, `${i}b`]
            const done = yield* Effect.either(Stores.append(driver, 1, [Stores.marked(`b${i}`, ...texts)]))
            if (Either.isRight(done)) kept.push(...texts)
            else {
              refused++
              expect(done.left).toBeInstanceOf(StoreUnavailable)
              expect(done.left.message).toContain("no room left")
            }
            expect(yield* Stores.texts(driver, 1)).toEqual(kept)
          }
          expect(refused).toBeGreaterThan(0)
          expect(kept.length).toBeGreaterThan(0)
          const other = yield* Effect.either(driver.create(Stores.thread(2)))
          expect(Either.isLeft(other) && other.left._tag).toBe("StoreUnavailable")
        })
      )
      alive.clear()
      yield* disk.losePower
      yield* disk.setCapacity(Number.POSITIVE_INFINITY)
      alive.add(2)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const driver = yield* Stores.openOn(disk.process("p2"), 2, alive)
          expect(yield* Stores.texts(driver, 1)).toEqual(kept)
          yield* Stores.append(driver, 1, [Stores.marked("last", "last")])
          expect(yield* Stores.texts(driver, 1)).toEqual([...kept, "last"])
          expect((yield* Stores.rows(driver)).map(({ threadId }) => threadId)).toEqual([Home.id(1)])
        })
      )
    })
  )
)

it("an index that answers nothing, or fails, hides no thread", () =>
  Stores.run(
    Effect.gen(function* () {
      const disk = yield* SimulatedDisk.make({})
      const failed = new StoreUnavailable({
        operation: "index",
        reason: "it is broken",
        advice: "Throw it away.",
        retryable: false,
        paths: []
      })
      const broken = Effect.fail(failed)
      const index = {
        files: broken,
        filesOf: () => broken,
        row: () => broken,
        rows: () => broken,
        change: () => broken
      }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const driver = yield* Stores.openOn(disk.process("p1"), 1, new Set([1]), { index })
          yield* driver.create(Stores.thread(1, [Home.say("a")]))
          yield* Stores.append(driver, 1, [Stores.marked("b", "b")])
          yield* driver.updateExplicit(Home.id(1), () => ({ name: "Named" }))
          expect(yield* Stores.texts(driver, 1)).toEqual(["a", "b"])
          // A list that cannot be made says so, and is no empty one.
          expect(yield* Stores.failure(Stores.rows(driver))).toBe(failed)
        })
      )
    })
  ))
