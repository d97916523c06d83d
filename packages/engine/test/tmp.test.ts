import { readFileSync } from "node:fs"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import { Effect } from "effect"
import { expect, it } from "vitest"
import * as Host from "./Host.js"
import * as Play from "./Play.js"

const commands = JSON.parse(readFileSync("/tmp/engine-cx.json", "utf8"))
it("cx", async () => {
  await Effect.runPromise(
    Effect.flatMap(ThreadStore.ThreadStore, (store) =>
      Effect.gen(function* () {
        const play = yield* Play.begin(store)
        for (const command of commands) {
          const exit = yield* Effect.exit(play.give(command))
          if (exit._tag === "Failure") {
            const live = Host.seenWhole(yield* play.thread().state)
            const cold = Host.seenWhole(yield* Host.replay(play.thread().id))
            const records = yield* Host.stored(play.thread().id)
            for (const r of records) console.log(new TextDecoder().decode(r.line.bytes).slice(40, 340))
            console.log(JSON.stringify(command), String(exit.cause))
            expect(live).toEqual(cold)
            return yield* exit
          }
        }
      })
    ).pipe(Effect.provide(MemoryStore.layer))
  )
})
