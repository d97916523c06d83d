/**
 * Which mode of delegation a client has selected for a thread (replay-semantics §4.2, §4.4).
 *
 * A selection holds until another one is made. It is recorded when it is made, so that it outlives the process; of a log
 * without such a record the newest turn context tells, even if it has no mode and an older one does.
 */
import * as Mark from "../record/Mark.js"
import type { StoredRecord } from "../record/Record.js"
import * as Fold from "./Fold.js"
import * as MultiAgent from "./MultiAgent.js"

/** What a client can select. */
export type Selection = "explicitRequestOnly" | "proactive"

/** The state of the fold. */
export interface ModeSelection {
  readonly selection: Selection | undefined
  /** Whether a record of ours says so, and not just how turns ran. */
  readonly recorded: boolean
}

/** The state before any record. */
export const empty: ModeSelection = { selection: undefined, recorded: false }

/** The kind of the carrier that records a selection; its data is `{selection}`, null for none. */
export const kind = "mode"

/** The fold. Cost: constant per record. */
export const fold: Fold.Fold<ModeSelection> = Fold.make(empty, (state, record) => step(state, record))

const step = (state: ModeSelection, record: StoredRecord): ModeSelection => {
  if (record.kind === "turn_context") {
    if (state.recorded) return state
    const mode = MultiAgent.modeOf(record.payload)
    return withSelection(state, typeof mode === "string" ? mode : undefined, false)
  }
  const mark = Mark.carried(record)
  if (mark?.kind !== kind) return state
  const selection = (mark.data as { readonly selection?: unknown } | null | undefined)?.selection
  if (selection === null) return withSelection(state, undefined, true)
  return isSelection(selection) ? withSelection(state, selection, true) : state
}

/** Whether a value is something that can be selected. */
export const isSelection = (value: unknown): value is Selection =>
  value === "explicitRequestOnly" || value === "proactive"

const withSelection = (state: ModeSelection, selection: Selection | undefined, recorded: boolean): ModeSelection =>
  state.selection === selection && state.recorded === recorded ? state : { selection, recorded }
