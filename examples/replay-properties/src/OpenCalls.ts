/** A state of one's own over the records of a thread: which calls of tools have no output yet. */
import * as Fold from "@skein/core/fold/Fold"
import type { StoredRecord } from "@skein/core/record/Record"

export interface OpenCalls {
  /** Ids of calls without output, in the order in which they were made. */
  readonly open: ReadonlyArray<string>
  /** How many calls have one. */
  readonly answered: number
}

const initial: OpenCalls = { open: [], answered: 0 }

export const fold: Fold.Fold<OpenCalls> = Fold.make(initial, (state, record: StoredRecord) => {
  if (record.kind !== "response_item") return state
  const { payload } = record
  switch (payload.type) {
    case "function_call":
      // Some programs write a call again when its output is there.
      return state.open.includes(payload.call_id) ? state : { ...state, open: [...state.open, payload.call_id] }
    case "function_call_output": {
      const open = state.open.filter((id) => id !== payload.call_id)
      return open.length === state.open.length ? state : { open, answered: state.answered + 1 }
    }
    default:
      return state
  }
})
