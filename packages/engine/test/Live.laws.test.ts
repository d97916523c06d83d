import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import { Effect } from "effect"
import * as fc from "fast-check"
import { describe, it } from "vitest"
import * as Play from "./Play.js"

const played = <A>(play: (store: ThreadStore.ThreadStoreService) => Effect.Effect<A>): Promise<A> =>
  Effect.runPromise(Effect.flatMap(ThreadStore.ThreadStore, play).pipe(Effect.provide(MemoryStore.layer)))

describe("whatever a host does", () => {
  it("the live state is that of a cold replay and that of the model, after every command (invariants 6, 18, 19)", () =>
    fc.assert(
      fc.asyncProperty(fc.array(Play.command, { minLength: 1, maxLength: 30 }), (commands) =>
        played((store) =>
          Effect.gen(function* () {
            const play = yield* Play.begin(store)
            for (const command of commands) yield* play.give(command)
            yield* play.end
          })
        )
      ),
      { numRuns: 300 }
    ), 120_000)
})
