import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import { Effect } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { StartOptions } from "../src/Threads.js"
import type { Fault } from "./Faults.js"
import * as Play from "./Play.js"

const played = <A>(play: (store: ThreadStore.ThreadStoreService) => Effect.Effect<A>): Promise<A> =>
  Effect.runPromise(
    // Everything here is done at once: others get their turn between two plays.
    Effect.zipRight(Effect.yieldNow(), Effect.flatMap(ThreadStore.ThreadStore, play)).pipe(
      Effect.provide(MemoryStore.layer),
      Effect.zipLeft(Effect.promise(() => new Promise((resolve) => setImmediate(resolve))))
    )
  )

const runs = (n: number) => Number(process.env.RUNS ?? n)
const commands = fc.array(Play.command, { minLength: 1, maxLength: 40 })

const forms: ReadonlyArray<readonly [string, StartOptions]> = [
  ["a legacy thread", {}],
  ["a paginated thread", { historyMode: "paginated" }],
  ["a thread that is stored nowhere", { ephemeral: true }]
]

describe.each(forms)("whatever a host does with %s", (_, options) => {
  it(
    "the live state is that of a cold replay and that of the model, after every command (invariants 6, 18, 19)",
    () =>
      fc.assert(
        fc.asyncProperty(commands, (all) =>
          played((store) =>
            Effect.gen(function* () {
              const play = yield* Play.begin(store, options)
              for (const command of all) yield* play.give(command)
              yield* play.end
            })
          )
        ),
        { numRuns: runs(100) }
      ),
    600_000
  )
})

const fault = fc.constantFrom<Fault>("before", "behind", "interrupted", "interruptedBehind")

describe.each(forms.slice(0, 2))("whatever goes wrong between two operations of the store, of %s", (_, options) => {
  it(
    "the live state stays that of a cold replay, and the next process goes on from there",
    () =>
      fc.assert(
        fc.asyncProperty(
          commands,
          fc.array(fc.tuple(Play.command, fc.integer({ min: 1, max: 4 }), fault), { minLength: 1, maxLength: 6 }),
          (before, faults) =>
            played((store) =>
              Effect.gen(function* () {
                const play = yield* Play.begin(store, options)
                for (const command of before) yield* play.give(command)
                for (const [command, n, kind] of faults) {
                  play.faulty().arm(n, kind)
                  yield* play.dare(command)
                  play.faulty().disarm()
                  yield* Effect.orDie(play.thread().refresh)
                  yield* play.agree
                }
                yield* play.crash
                yield* play.agree
                const pending = yield* Effect.orDie(play.thread().pending)
                yield* play.dare({ do: "custom", valid: true })
                yield* play.agree
                const after = yield* Effect.orDie(play.thread().pending)
                expect(after.drafts).toEqual([])
                expect(after.mail).toBe(pending.mail)
                yield* play.end
              })
            )
        ),
        { numRuns: runs(100) }
      ),
    600_000
  )
})
