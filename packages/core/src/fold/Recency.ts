/**
 * When a thread was last changed and last worked with, as folds over the times of its records (thread-store §2.2).
 *
 * The reference takes these from clocks and file times, so they are lost with its database; a fold gives the same
 * answer from any copy of the log. Reading and resuming write nothing, so they change neither.
 */

import { touching } from "../internal/Touching.js"
import type { StoredRecord } from "../record/Record.js"
import type * as Sniff from "../record/Sniff.js"
import * as Timestamp from "../record/Timestamp.js"
import type * as Fold from "./Fold.js"

/** The two times of a thread, in milliseconds since 1970. */
export interface Recency {
  /** The latest time that any record names; it never goes back. */
  readonly updatedAt: number | undefined
  /** Creation, then each turn start: the time of the start, but at least a millisecond after what it was. */
  readonly recencyAt: number | undefined
  /** Whether a turn with an explicit start is open. */
  readonly open: boolean
}

const empty: Recency = { updatedAt: undefined, recencyAt: undefined, open: false }

/**
 * The fold (thread-store §2.2). A user message outside of a turn with a recorded start begins one: releases up to
 * 0.98.0 record no starts. Cost: constant per record.
 *
 * Every start counts, also one that a fork inherits: it moves the time on by a millisecond at least.
 */
export const fold: Fold.Fold<Recency> = touching(empty, (state, record) => step(state, record), touchAt)

const step = (state: Recency, record: StoredRecord): Recency => {
  if (record.kind === "session_meta") {
    const created = Timestamp.parse(record.payload.timestamp) ?? Timestamp.parse(record.timestamp)
    if (created === undefined || state.recencyAt !== undefined) return state
    return { ...state, recencyAt: created, updatedAt: latest(state.updatedAt, created) }
  }
  if (record.kind !== "event_msg") return state
  switch (record.payload.type) {
    case "task_started":
      return started({ ...state, open: true }, record.timestamp)
    case "task_complete":
    case "turn_aborted":
      return state.open ? { ...state, open: false } : state
    case "user_message":
      return state.open ? state : started(state, record.timestamp)
    default:
      return state
  }
}

const started = (state: Recency, timestamp: string): Recency => {
  const at = Timestamp.parse(timestamp)
  const next = state.recencyAt === undefined ? undefined : state.recencyAt + 1
  const recencyAt = at === undefined ? next : latest(next, at)
  return recencyAt === undefined ? state : { ...state, recencyAt, updatedAt: latest(state.updatedAt, recencyAt) }
}

const latest = (left: number | undefined, right: number): number => (left === undefined || right > left ? right : left)

/**
 * Notes the time of a record and nothing else of it: what a reader does with a line that it passes over. The time of
 * the last line is enough where clocks do not go back. Cost: constant.
 */
export const touch = (state: Recency, timestamp: string): Recency => touchAt(state, Timestamp.parse(timestamp))

function touchAt(state: Recency, at: number | undefined): Recency {
  const updatedAt = Timestamp.later(state.updatedAt, at)
  return updatedAt === state.updatedAt ? state : { ...state, updatedAt }
}

const events: ReadonlySet<string | undefined> = new Set([
  undefined,
  "task_started",
  "turn_started",
  "task_complete",
  "turn_complete",
  "turn_aborted",
  "user_message"
])

/** Whether a line with this head can say more than its time; the others only need {@link touch}. Cost: constant. */
export const wants = (head: Sniff.Head): boolean =>
  head.type === "session_meta" || (head.type === "event_msg" && events.has(head.inner))
