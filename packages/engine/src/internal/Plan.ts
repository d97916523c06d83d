/** What a command comes to before it is written. */
import type { Decision, Draft } from "@skein/core/decide/Draft"
import type { State } from "./State.js"

/** Records to be appended all or none, and what the caller is told once they are. */
export interface Plan<A> {
  readonly drafts: ReadonlyArray<Draft>
  /** Told from the state behind them. Default: nothing. */
  readonly answer: (state: State) => A
  /** The records begin a segment that stands on the log in front of this turn, instead of its end. */
  readonly revertTo?: { readonly turnId: string; readonly turnIds: ReadonlyArray<string> } | undefined
}

/** A plan of records without an answer. */
export const drafts = (all: ReadonlyArray<Draft>): Plan<void> => ({ drafts: all, answer: () => undefined })

/** A step of several that are decided one after the other, each from the state behind those before it. */
export type Step = (state: State) => Decision
