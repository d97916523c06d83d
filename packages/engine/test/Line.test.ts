/** Who comes first goes first, one at a time, and nobody who went away holds up the others. */
import { Deferred, Effect, Exit, Fiber } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Line from "../src/internal/Line.js"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)

/** Lets all others come to where they wait. */
const settle = Effect.repeatN(Effect.yieldNow(), 20)

describe("a line", () => {
  it("is in the order of arrival; a fiber that comes again and again goes behind those who wait", () =>
    run(
      Effect.gen(function* () {
        const { alone } = Line.make()
        const said: Array<string> = []
        const say = (word: string) =>
          alone(
            Effect.zipRight(
              Effect.yieldNow(),
              Effect.sync(() => said.push(word))
            )
          )
        const gate = yield* Deferred.make<void>()
        const eager = yield* Effect.fork(Effect.zipRight(alone(Deferred.await(gate)), Effect.repeatN(say("a"), 2)))
        yield* settle
        const others: Array<Fiber.RuntimeFiber<unknown>> = []
        for (const word of ["b", "c"]) {
          others.push(yield* Effect.fork(say(word)))
          yield* settle
        }
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(eager)
        yield* Fiber.joinAll(others)
        expect(said).toEqual(["b", "c", "a", "a", "a"])
      })
    ))

  it("nobody is in it twice, whoever fails, dies or goes away, and it goes on", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("done", "failed", "died", "interrupted", "waits"), { minLength: 1, maxLength: 12 }),
        (ways) =>
          run(
            Effect.gen(function* () {
              const { alone } = Line.make()
              const gate = yield* Deferred.make<void>()
              const order: Array<number> = []
              let inside = 0
              const first = yield* Effect.fork(alone(Deferred.await(gate)))
              yield* settle
              const fibers: Array<readonly [string, Fiber.RuntimeFiber<unknown, unknown>]> = []
              for (const [i, way] of ways.entries()) {
                const one = Effect.gen(function* () {
                  expect(++inside).toBe(1)
                  order.push(i)
                  yield* Effect.yieldNow()
                  if (way === "failed") return yield* Effect.fail("no")
                  if (way === "died") return yield* Effect.die("no")
                  if (way === "interrupted") return yield* Effect.interrupt
                  return undefined
                }).pipe(Effect.ensuring(Effect.sync(() => inside--)))
                fibers.push([way, yield* Effect.fork(alone(one))])
                yield* settle
              }
              for (const [way, fiber] of fibers) if (way === "waits") yield* Fiber.interrupt(fiber)
              yield* Deferred.succeed(gate, undefined)
              yield* Fiber.join(first)
              for (const [, fiber] of fibers) yield* Fiber.await(fiber)
              expect(order).toEqual(ways.flatMap((way, i) => (way === "waits" ? [] : [i])))
              expect(yield* alone(Effect.succeed("free"))).toBe("free")
            })
          )
      ),
      { numRuns: 60 }
    ))

  it("who is let in and interrupted in the same moment lets the next one in", () =>
    run(
      Effect.gen(function* () {
        const { alone } = Line.make()
        const gate = yield* Deferred.make<void>()
        const first = yield* Effect.fork(alone(Deferred.await(gate)))
        yield* settle
        const second = yield* Effect.fork(alone(Effect.never))
        yield* settle
        const third = yield* Effect.fork(alone(Effect.succeed("in")))
        yield* settle
        yield* Effect.all([Deferred.succeed(gate, undefined), Fiber.interruptFork(second)], { discard: true })
        expect(yield* Fiber.join(third)).toBe("in")
        expect(Exit.isInterrupted(yield* Fiber.await(second))).toBe(true)
        yield* Fiber.join(first)
      })
    ))
})

it("mail for a thread whose host never rests is taken in after the command that runs", () =>
  Host.run(
    Effect.gen(function* () {
      const thread = yield* (yield* Threads).start({ settings: { model: "m" } })
      const turn = yield* thread.startTurn("Hello")
      const mail = { id: "1", author: "/root/a", content: "c", triggerTurn: false }
      let commands = 0
      const busy = Effect.zipRight(
        turn.record([Host.says("x")]),
        Effect.sync(() => ++commands)
      )
      const host = yield* Effect.fork(Effect.repeatN(busy, 199))
      yield* settle
      yield* thread.receive(mail)
      expect(commands).toBeLessThan(100)
      yield* Fiber.interrupt(host)
    })
  ))
