/** Folds that also note when the last record was written. */
import * as Fold from "../fold/Fold.js"
import type { StoredRecord } from "../record/Record.js"
import * as Timestamp from "../record/Timestamp.js"

/**
 * The fold that takes in what a record says by `step`, and its time by `touch`. Most records say nothing but their
 * time, so a cursor notes the latest one beside the state and puts it in when it is asked: neither `step` nor `touch`
 * may take a time back.
 */
export const touching = <S>(
  initial: S,
  step: (state: S, record: StoredRecord) => S,
  touch: (state: S, at: number | undefined) => S
): Fold.Fold<S> =>
  Fold.make(
    initial,
    (state, record) => touch(step(state, record), Timestamp.parse(record.timestamp)),
    (from) => {
      let state = from
      // In an array of numbers, since a variable would be a new object for each record.
      const latest = Float64Array.of(Number.NEGATIVE_INFINITY)
      return {
        add: (record) => {
          const next = step(state, record)
          if (next !== state) state = next
          const at = Timestamp.parse(record.timestamp)
          if (at !== undefined && at > (latest[0] as number)) latest[0] = at
        },
        state: () => {
          const [at = Number.NEGATIVE_INFINITY] = latest
          if (at > Number.NEGATIVE_INFINITY) state = touch(state, at)
          return state
        }
      }
    }
  )
