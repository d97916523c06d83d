/** A place of a thread's log, and what the thread was there: time travel. */

import type { DecisionError } from "@skein/core/decide/DecisionError"
import * as Errors from "@skein/core/decide/DecisionError"
import type * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import type { ThreadState } from "@skein/core/fold/ThreadState"
import * as ThreadStates from "@skein/core/fold/ThreadState"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import type { Turn } from "@skein/core/fold/view/Turn"
import type { StoredRecord } from "@skein/core/record/Record"
import * as Timestamp from "@skein/core/record/Timestamp"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import { Effect } from "effect"

/** A place of a log. */
export type At =
  /** Its end. */
  | "end"
  /** Behind a record. */
  | { readonly position: Position }
  /** Behind everything of a turn, or in front of it. */
  | { readonly turnId: string; readonly edge?: "before" | "after" | undefined }
  /** Behind everything that was recorded up to this moment, in milliseconds since 1970. */
  | { readonly time: number }

/** What a fold came to at a place. */
export interface Folded<S> {
  readonly state: S
  /** The place, for another fold, a fork or a follower. */
  readonly position: Position
  /** How many records lie in front of it. */
  readonly records: number
}

/** What a thread was at a place. */
export interface Moment extends Folded<ThreadState> {
  readonly context: ModelContext.ModelContext
  readonly turns: ReadonlyArray<Turn>
}

/**
 * The state of a fold at a place of a log. Cost: the log up to there.
 *
 * Errors: `NotFound` for a turn without recorded start, `InvalidRequest` for a position that the log does not have.
 */
export const fold = <S, E>(
  log: EffectiveLog.EffectiveLog<E>,
  folding: Fold.Fold<S>,
  at: At = "end"
): Effect.Effect<Folded<S>, E | DecisionError> =>
  Effect.gen(function* () {
    const part = yield* upTo(log, at)
    const stops = stopping(at)
    let state = folding.initial
    let records = 0
    const [first] = part.pieces
    let position = Positions.make(first?.segmentId ?? "", first?.from ?? 0)
    yield* EffectiveLog.forward(part, (decoded, piece) => {
      if (!EffectiveLog.isRecord(decoded)) return true
      if (stops.at(decoded)) return false
      state = folding.step(state, decoded)
      records++
      const segmentId = part.pieces[piece]?.segmentId
      // A header that is handed on first stands further on in the log.
      if (segmentId !== undefined && (piece === 0 || decoded !== part.meta)) {
        position = Positions.behind(segmentId, decoded.line)
      }
      return true
    })
    if (!stops.found()) {
      const turnId = typeof at === "object" && "turnId" in at ? at.turnId : ""
      const detail = `turn ${JSON.stringify(turnId)} has no recorded start`
      return yield* Errors.notFound("at.turnId", "turn", detail, "Name a turn that this thread has started")
    }
    return { state, position, records }
  })

const upTo = <E>(log: EffectiveLog.EffectiveLog<E>, at: At): Effect.Effect<typeof log, DecisionError> => {
  if (typeof at !== "object" || !("position" in at)) return Effect.succeed(log)
  const { offset, segmentId } = at.position
  const piece = log.pieces.findIndex((one) => one.segmentId === segmentId)
  if (piece >= 0 && offset <= (log.pieces[piece]?.to ?? 0)) return Effect.succeed(EffectiveLog.cut(log, piece, offset))
  const detail = `${Positions.format(at.position)} is no place of this log`
  const advice = "Use a position that records of this thread were read or appended with"
  return Errors.invalid("at.position", "out-of-range", detail, advice)
}

/** Tells the record in front of which a fold ends. */
const stopping = (at: At): { readonly at: (record: StoredRecord) => boolean; readonly found: () => boolean } => {
  if (typeof at === "object" && "time" in at) {
    // A fork's own header is younger than what it inherits.
    const isLater = (record: StoredRecord): boolean =>
      record.kind !== "session_meta" && (Timestamp.parse(record.timestamp) ?? 0) > at.time
    return { at: isLater, found: () => true }
  }
  if (typeof at === "object" && "turnId" in at) {
    let isMet = false
    return {
      at: (record) => {
        if (record.kind !== "event_msg" || record.payload.type !== "task_started") return false
        const isHere = record.payload.turn_id === at.turnId
        const stops = isMet || (isHere && at.edge === "before")
        isMet ||= isHere
        return stops
      },
      found: () => isMet
    }
  }
  return { at: () => false, found: () => true }
}

/** What a thread was at a place of its log. Errors and cost: as {@link fold}. */
export const of = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  at: At,
  options: ThreadStates.Options = {}
): Effect.Effect<Moment, E | DecisionError> =>
  Effect.map(fold(log, ThreadStates.fold(options), at), (folded) => ({
    ...folded,
    context: ModelContext.read(folded.state.context, options),
    turns: ThreadView.turns(folded.state.view)
  }))
