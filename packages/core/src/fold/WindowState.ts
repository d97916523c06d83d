/**
 * What happened in the open context window: how full it was at first, whether a new one was asked for, and what the
 * model was reminded of (replay-semantics §3).
 *
 * Number and ids of a window come out of the replay ({@link ModelContext}); this is the rest of it, which the reference
 * keeps in memory. Together they are a live window ({@link live}).
 */
import * as Mark from "../record/Mark.js"
import { isUuidV7 } from "../record/Primitive.js"
import type { StoredRecord } from "../record/Record.js"
import type { TokenUsageInfo } from "../record/Usage.js"
import * as ContextWindow from "./ContextWindow.js"
import * as Fold from "./Fold.js"

/** The state of the fold. */
export interface WindowState {
  readonly newContextRequested: boolean
  readonly prefill: ContextWindow.Prefill
  readonly reminderDelivered: boolean
  readonly fallbackDelivered: boolean
  /** The identity that was recorded for a window of an old log, which has none of its own. */
  readonly identity: { readonly number: number; readonly id: string } | undefined
}

/** The state before any record. */
export const empty: WindowState = {
  newContextRequested: false,
  prefill: { _tag: "None" },
  reminderDelivered: false,
  fallbackDelivered: false,
  identity: undefined
}

/** The kind of our carriers about windows; their data is one of {@link Note}. */
export const kind = "window"

/** What a carrier says of the open window. */
export type Note =
  /** A new window was asked for; it begins with the next compaction. */
  | { readonly note: "requested" }
  | { readonly note: "reminded" }
  | { readonly note: "fallback" }
  /** The window with this number, which has no id in the log, is called so from now on. */
  | { readonly note: "identity"; readonly number: number; readonly id: string }

/** The fold. Cost: constant per record. */
export const fold: Fold.Fold<WindowState> = Fold.make(empty, (state, record) => step(state, record))

const step = (state: WindowState, record: StoredRecord): WindowState => {
  if (record.kind === "compacted") return { ...empty, identity: state.identity }
  if (record.kind !== "event_msg") return state
  const { payload } = record
  // History is another one, so what it held is not known (§3).
  if (payload.type === "thread_rolled_back") return withPrefill(state, { _tag: "None" })
  if (payload.type !== "token_count") return state
  if (payload.info !== null && payload.info !== undefined) return counted(state, payload.info)
  const mark = Mark.carried(record)
  return mark?.kind === kind ? noted(state, mark.data as Note | null | undefined) : state
}

/**
 * A count whose newest response has a total and no parts is an estimate; a full context is recorded as one as well. The
 * first response that is counted sets the prefill: what it put out itself counts as growth.
 */
const counted = (state: WindowState, { last_token_usage: last }: TokenUsageInfo): WindowState => {
  const { input_tokens: input, output_tokens: output, total_tokens: total } = last
  if (input === 0 && output === 0) {
    return total === 0 || state.prefill._tag === "Observed"
      ? state
      : withPrefill(state, { _tag: "Estimated", tokens: Math.max(0, total) })
  }
  return state.prefill._tag === "Observed"
    ? state
    : withPrefill(state, { _tag: "Observed", tokens: Math.max(0, input) })
}

const withPrefill = (state: WindowState, prefill: ContextWindow.Prefill): WindowState =>
  prefill._tag === "None" && state.prefill._tag === "None" ? state : { ...state, prefill }

const noted = (state: WindowState, note: Note | null | undefined): WindowState => {
  switch (note?.note) {
    case "requested":
      return { ...state, newContextRequested: true }
    case "reminded":
      return { ...state, reminderDelivered: true }
    case "fallback":
      return { ...state, fallbackDelivered: true }
    case "identity": {
      const { id, number } = note
      return typeof id === "string" && isUuidV7(id) && typeof number === "number"
        ? { ...state, identity: { number, id } }
        : state
    }
    default:
      return state
  }
}

/** The lineage with the id that was recorded for it where the log has none. */
export const named = (state: WindowState, lineage: ContextWindow.Lineage): ContextWindow.Lineage => {
  const { identity } = state
  return lineage.id === undefined && identity?.number === lineage.number ? { ...lineage, id: identity.id } : lineage
}

/**
 * The open window.
 *
 * @param lineage Its number and ids, as the replay has them.
 * @param id What it is called where neither the log nor a carrier says; a new UUIDv7.
 */
export const live = (state: WindowState, lineage: ContextWindow.Lineage, id: string): ContextWindow.Live => {
  const { fallbackDelivered, newContextRequested, prefill, reminderDelivered } = state
  const window: ContextWindow.Live = {
    ...ContextWindow.create(id),
    newContextRequested,
    prefill,
    reminderDelivered,
    fallbackDelivered
  }
  return ContextWindow.restore(window, named(state, lineage))
}
