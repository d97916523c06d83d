/** Waiting for something to happen in a thread, without missing it. */
import { Deferred, Effect } from "effect"
import type { Live } from "./Live.js"
import type { State } from "./State.js"

/**
 * Waits until a state passes. The watch is set up before the state is looked at, so nothing that comes between goes
 * unseen.
 */
export const until = (live: Live, passes: (state: State) => boolean): Effect.Effect<void> =>
  Effect.scoped(
    Effect.gen(function* () {
      const passed = yield* Deferred.make<void>()
      yield* Effect.acquireRelease(
        Effect.sync(() =>
          live.watch(() => {
            if (passes(live.state())) Deferred.unsafeDone(passed, Effect.void)
          })
        ),
        (unwatch) => Effect.sync(unwatch)
      )
      if (passes(live.state())) return
      yield* Deferred.await(passed)
    })
  )
