/** One turn of a thread, as a host with promises holds it. */
import type { Flag } from "@skein/engine/Notification"
import type * as Engine from "@skein/engine/Turn"
import { type Duration, Effect } from "effect"
import type { Runner } from "./internal/Runner.js"
import * as Runners from "./internal/Runner.js"
import type { Promised, Waiting } from "./Promised.js"

/**
 * A turn that runs: what `@skein/engine/Turn` offers, as promises. Disposed of before it is over, it is ended as
 * interrupted; so it is when its thread is closed.
 */
export interface Turn extends Promised<Omit<Engine.Turn, "sleep" | "waitingFor">>, AsyncDisposable {
  /**
   * Waits, up to twelve hours; steered input and any mail end it early. Errors: `InvalidRequest` outside of 1 ms and
   * twelve hours, `Conflict` when the turn ends meanwhile, the reason of the signal.
   */
  readonly sleep: (
    duration: Duration.DurationInput,
    options?: Waiting & { readonly callId?: string | undefined }
  ) => Promise<Engine.Slept>

  /** Does some work while the thread is shown as waiting for somebody. Rejects with what the work rejects with. */
  readonly waitingFor: <A>(flag: Flag, work: () => Promise<A>) => Promise<A>
}

/** The handle of a turn; closing its runner ends the turn. */
export const make = (turn: Engine.Turn, runner: Runner): Turn => {
  const derived = Runners.promised(turn, runner)
  const ended = async (answer: Promise<Engine.Ended>): Promise<Engine.Ended> => {
    const value = await answer
    await runner.close()
    return value
  }
  return {
    ...derived,
    complete: (options) => ended(derived.complete(options)),
    abort: (reason) => ended(derived.abort(reason)),
    sleep: (duration, { signal, ...options } = {}) =>
      runner.run("sleep", turn.sleep(duration, options), { signal, waits: true }),
    waitingFor: (flag, work) =>
      runner.run("waitingFor", turn.waitingFor(flag, Effect.tryPromise({ try: work, catch: (thrown) => thrown })), {
        waits: true
      }),
    [Symbol.asyncDispose]: runner.close
  }
}
