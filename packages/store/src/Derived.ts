/**
 * What a store keeps of a thread beside its lines, all of it folded from them: for lists, never for truth.
 *
 * Fold the thread's own header first, then what it inherits, then its own records. A store may keep it behind the log,
 * with the position that it reached; it never is ahead.
 */
import * as Fold from "@skein/core/fold/Fold"
import * as Recency from "@skein/core/fold/Recency"
import * as ThreadSummary from "@skein/core/fold/ThreadSummary"
import type { StoredRecord } from "@skein/core/record/Record"
import type * as SessionMeta from "@skein/core/record/SessionMeta"
import type * as Sniff from "@skein/core/record/Sniff"
import * as Timestamp from "@skein/core/record/Timestamp"

/** The derived state of a thread. Plain JSON, but for keys that are undefined. */
export interface Derived {
  readonly summary: ThreadSummary.ThreadSummary
  readonly recency: Recency.Recency
  /** When the header says that the thread was made, in milliseconds since 1970. */
  readonly createdAt: number | undefined
  /** The newest token count, never below 0; undefined before the first. */
  readonly tokensUsed: number | undefined
}

/** The state of an empty log. */
export const empty: Derived = {
  summary: ThreadSummary.empty,
  recency: Recency.fold.initial,
  createdAt: undefined,
  tokensUsed: undefined
}

/** The fold. Cost: constant per record. */
export const fold: Fold.Fold<Derived> = Fold.make(empty, (state, record) => {
  const summary = ThreadSummary.fold.step(state.summary, record)
  const recency = Recency.fold.step(state.recency, record)
  const createdAt = state.createdAt ?? creation(record)
  const tokensUsed = tokens(record) ?? state.tokensUsed
  return summary === state.summary &&
    recency === state.recency &&
    createdAt === state.createdAt &&
    tokensUsed === state.tokensUsed
    ? state
    : { summary, recency, createdAt, tokensUsed }
})

/** Whether a line with this head can change more than the time of the last change. Cost: constant. */
export const wants = (head: Sniff.Head, so: Derived): boolean =>
  ThreadSummary.wants(head, so.summary) ||
  Recency.wants(head) ||
  (head.type === "event_msg" && head.inner === "token_count")

/** Notes that a line was written, and nothing else of it: what a reader does with a line that it passes over. */
export const touch = (state: Derived, timestamp: string): Derived => {
  const recency = Recency.touch(state.recency, timestamp)
  return recency === state.recency ? state : { ...state, recency }
}

const creation = (record: StoredRecord): number | undefined =>
  record.kind === "session_meta"
    ? (Timestamp.parse(record.payload.timestamp) ?? Timestamp.parse(record.timestamp))
    : undefined

const tokens = (record: StoredRecord): number | undefined => {
  if (record.kind !== "event_msg" || record.payload.type !== "token_count") return undefined
  const total = record.payload.info?.total_token_usage.total_tokens
  return total === undefined ? undefined : Math.max(0, total)
}

/** The parent of a thread, for relation filters: the agent that spawned it. */
export const parentOf = ({ summary }: Derived): string | undefined => {
  if (summary.parentThreadId !== undefined) return summary.parentThreadId
  const { source } = summary
  if (typeof source !== "object" || !("subAgent" in source)) return undefined
  const { subAgent } = source
  return typeof subAgent === "object" && "thread_spawn" in subAgent ? subAgent.thread_spawn.parent_thread_id : undefined
}

/** Who started a thread, as a filter names it: `cli`, `exec`, `custom:atlas`, `subAgent:review`, `subAgent:thread_spawn`. */
export const sourceKey = (source: ThreadSummary.Source): string => {
  if (typeof source === "string") return source
  if ("custom" in source) return `custom:${source.custom}`
  const { subAgent } = source
  if (typeof subAgent === "string") return `subAgent:${subAgent}`
  return "other" in subAgent ? `subAgent:${subAgent.other}` : "subAgent:thread_spawn"
}

/** The history mode of a header, as it stands there: what this version does not know is a text too. */
export const historyModeOf = (payload: unknown): string => {
  const mode = (payload as { readonly history_mode?: unknown } | null)?.history_mode
  return mode === undefined || mode === null ? "legacy" : typeof mode === "string" ? mode : JSON.stringify(mode)
}

/** The mode as this version knows it; undefined for one that it does not know. */
export const knownMode = (mode: string): SessionMeta.HistoryMode | undefined =>
  mode === "legacy" || mode === "paginated" ? mode : undefined
