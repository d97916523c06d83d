/**
 * How long an agent waits when it asks to, and what ends it early (replay-semantics §9).
 *
 * A host subscribes to activity first and then asks {@link begin}, so that nothing which comes in between goes unseen.
 */
import * as Either from "effect/Either"
import type { Mailbox } from "../fold/Mailbox.js"
import type { ClockSleep } from "../record/ExtensionItem.js"
import * as Errors from "./DecisionError.js"
import type { Decision } from "./Draft.js"

/** The longest wait, in milliseconds: twelve hours. */
export const maxMs = 43_200_000

/** What the call comes to. */
export interface Sleep {
  /** What clients are shown, at its start and at its end. */
  readonly item: ClockSleep
  /** Whether there is something to be told already, so that it ends at once. */
  readonly interrupted: boolean
}

/** Whether anything waits that ends a sleep: whatever was said into the turn, and any mail. */
export const isWoken = ({ inputs, mail }: Mailbox): boolean => inputs.length > 0 || mail.length > 0

/** The beginning of a wait. Errors: `InvalidRequest` unless the time is a whole number from 1 to {@link maxMs}. */
export const begin = (
  command: { readonly callId: string; readonly durationMs: number },
  state: { readonly mailbox: Mailbox }
): Decision<Sleep> => {
  const { callId, durationMs } = command
  if (!Number.isInteger(durationMs) || durationMs < 1 || durationMs > maxMs) {
    const detail = `${durationMs} is not within 1 and ${maxMs}`
    return Errors.invalid("durationMs", "out-of-range", detail, "Give whole milliseconds, at most twelve hours")
  }
  return Either.right({
    item: { type: "Extension", kind: "clock.sleep", id: callId, durationMs },
    interrupted: isWoken(state.mailbox)
  })
}

/** What the model is told at the end of a wait: for how long it was, and whether something ended it early. */
export const output = (elapsedMs: number, interrupted: boolean): string => {
  const time = `${(Math.max(0, elapsedMs) / 1000).toFixed(3)} seconds`
  return interrupted ? `Woken by new input after ${time}.` : `Slept for ${time}.`
}
