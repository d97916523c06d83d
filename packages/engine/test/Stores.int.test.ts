/** The laws of living threads over real files and a real database. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as NodeStore from "@skein/store-fs/NodeStore"
import * as SqliteStore from "@skein/store-sqlite/SqliteStore"
import { Effect, Exit, Layer, Scope } from "effect"
import * as fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import type { StartOptions } from "../src/Threads.js"
import type { Fault } from "./Faults.js"
import * as Play from "./Play.js"

const folder = mkdtempSync(join(tmpdir(), "skein-engine-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const stores = [
  ["sqlite", SqliteStore.layer({ filename: join(folder, "threads.db"), durability: "os" })],
  ["files", NodeStore.layer({ home: join(folder, "home"), durability: "os" })]
] as const

const forms: ReadonlyArray<readonly [string, StartOptions]> = [
  ["legacy", {}],
  ["paginated", { historyMode: "paginated" }]
]

const commands = fc.array(Play.command, { minLength: 1, maxLength: 25 })
const fault = fc.constantFrom<Fault>("before", "behind", "interrupted", "interruptedBehind")
const runs = (n: number) => Number(process.env.RUNS ?? n)

describe.each(stores)("over %s", (_, layer) => {
  const scope = Effect.runSync(Scope.make())
  const opened = Effect.runPromise(Layer.buildWithScope(layer, scope).pipe(Effect.orDie))
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const played = <A>(play: (store: ThreadStore.ThreadStoreService) => Effect.Effect<A>): Promise<A> =>
    opened.then((context) =>
      Effect.runPromise(Effect.flatMap(ThreadStore.ThreadStore, play).pipe(Effect.provide(context)))
    )

  it.each(forms)(
    "%s threads are what a cold replay and the model say, after every command",
    (_, options) =>
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
        { numRuns: runs(25) }
      ),
    300_000
  )

  it.each(forms)(
    "%s threads stay so when the store fails between two operations",
    (_, options) =>
      fc.assert(
        fc.asyncProperty(
          commands,
          fc.array(fc.tuple(Play.command, fc.integer({ min: 1, max: 4 }), fault), { minLength: 1, maxLength: 4 }),
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
                yield* play.dare({ do: "custom", valid: true })
                yield* play.agree
                expect((yield* Effect.orDie(play.thread().pending)).drafts).toEqual([])
                yield* play.end
              })
            )
        ),
        { numRuns: runs(15) }
      ),
    300_000
  )
})
