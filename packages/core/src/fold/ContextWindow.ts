/**
 * The lineage of a thread's context windows, and the state of the window that is open (replay-semantics §3).
 *
 * A window ends with a compaction or when a new one is asked for. Its number says how many went before, its id (a
 * UUIDv7) says which one it is: after a rollback a number may be used again, an id never is.
 */
import { canonicalUuid, isUuidV7 } from "../record/Primitive.js"

/** What a log says of a window. Old logs have numbers without ids. */
export interface Lineage {
  readonly number: number
  /** Id of window 0. */
  readonly firstId?: string | undefined
  readonly previousId?: string | undefined
  readonly id?: string | undefined
}

/**
 * How many tokens the window held when it was opened: not known, estimated from its items, or as the first response in
 * it counted them.
 */
export type Prefill =
  | { readonly _tag: "None" }
  | { readonly _tag: "Estimated"; readonly tokens: number }
  | { readonly _tag: "Observed"; readonly tokens: number }

/** The open window of a live thread. */
export interface Live extends Lineage {
  readonly firstId: string
  readonly previousId: string | undefined
  readonly id: string
  /** Whether a new window was asked for and not begun yet. */
  readonly newContextRequested: boolean
  readonly prefill: Prefill
  /** Whether the reminder of this window was given. */
  readonly reminderDelivered: boolean
  /** Whether the fallback of this window was given. */
  readonly fallbackDelivered: boolean
}

/** The first window of a new thread; `id` is a new UUIDv7. */
export const create = (id: string): Live => ({
  number: 0,
  firstId: id,
  previousId: undefined,
  id,
  newContextRequested: false,
  prefill: none,
  reminderDelivered: false,
  fallbackDelivered: false
})

/**
 * The window with the number and ids of `lineage`, and everything else as it is. Without a recorded id the window keeps
 * its own; without a recorded first id it is its own first (replay-semantics §1.6).
 */
export const restore = (live: Live, lineage: Lineage): Live => {
  const id = lineage.id ?? live.id
  return { ...live, number: lineage.number, firstId: lineage.firstId ?? id, previousId: lineage.previousId, id }
}

/**
 * The window that follows; `id` is a new UUIDv7. The number stops at 2^53 - 1. Requests and one-shot flags are those of
 * a fresh window; the prefill stays until history is replaced.
 */
export const advance = (live: Live, id: string): Live => ({
  ...live,
  number: clamp(live.number + 1),
  previousId: live.id,
  id,
  newContextRequested: false,
  reminderDelivered: false,
  fallbackDelivered: false
})

/** The window that follows, begun with nothing in it: {@link advance} without the prefill. */
export const startNew = (live: Live, id: string): Live => historyReplaced(advance(live, id))

/** The window after its history was replaced, for whatever reason: the prefill is not known any more. */
export const historyReplaced = (live: Live): Live => ({ ...live, prefill: none })

/** The window with a request for a new one. */
export const requestNew = (live: Live): Live => ({ ...live, newContextRequested: true })

/** Whether a new window was asked for, and the window without that request. */
export const takeRequest = (live: Live): readonly [requested: boolean, live: Live] => [
  live.newContextRequested,
  { ...live, newContextRequested: false }
]

/** Whether the reminder may be given now, which is so once in a window, and the window that remembers it. */
export const claimReminder = (live: Live): readonly [granted: boolean, live: Live] => [
  !live.reminderDelivered,
  { ...live, reminderDelivered: true }
]

/** Whether the fallback may be given now, which is so once in a window, and the window that remembers it. */
export const claimFallback = (live: Live): readonly [granted: boolean, live: Live] => [
  !live.fallbackDelivered,
  { ...live, fallbackDelivered: true }
]

/**
 * The window after a response that counted `inputTokens`. Only the first one sets the prefill, so its own output counts
 * as growth.
 */
export const observeUsage = (live: Live, inputTokens: number): Live =>
  live.prefill._tag === "Observed" ? live : { ...live, prefill: { _tag: "Observed", tokens: Math.max(0, inputTokens) } }

/** The window with an estimated prefill; an observed one stands. */
export const estimate = (live: Live, tokens: number): Live =>
  live.prefill._tag === "Observed" ? live : { ...live, prefill: { _tag: "Estimated", tokens: Math.max(0, tokens) } }

/** The window ids of a `compacted` record. In old logs `window_id` is a number and means `window_number`. */
export interface CompactedFields {
  readonly window_number?: number | null | undefined
  readonly first_window_id?: string | null | undefined
  readonly previous_window_id?: string | null | undefined
  readonly window_id?: string | number | null | undefined
}

/**
 * Window 0, from `session_meta.context_window.window_id`; `undefined` unless that is a UUIDv7 (replay-semantics §1.2).
 */
export const fromMeta = (windowId: string | null | undefined): Lineage | undefined => {
  const id = uuidV7(windowId)
  return id === undefined ? undefined : { number: 0, firstId: id, previousId: undefined, id }
}

/**
 * The window that a `compacted` record opened, or `undefined` if the record has no number. Each id counts only if it is
 * a UUIDv7, and is given in the canonical spelling; without a first id the window is its own first (rollout-format
 * §7.2).
 */
export const fromCompacted = (payload: CompactedFields): Lineage | undefined => {
  const { window_id } = payload
  const number = payload.window_number ?? (typeof window_id === "number" ? window_id : undefined)
  if (number === undefined) return undefined
  const id = typeof window_id === "string" ? uuidV7(window_id) : undefined
  return {
    number: clamp(number),
    firstId: uuidV7(payload.first_window_id) ?? id,
    previousId: uuidV7(payload.previous_window_id),
    id
  }
}

/** The fields of a `compacted` record that opens `live`; {@link fromCompacted} reads them. */
export const toCompacted = (live: Live) => ({
  window_number: live.number,
  first_window_id: live.firstId,
  ...(live.previousId === undefined ? {} : { previous_window_id: live.previousId }),
  window_id: live.id
})

/** What the tokens of a window are held against. Unknown limits are left out. */
export interface Usage {
  /** What the limit counts: all tokens, or only those that came after the prefill. */
  readonly scope: "total" | "body_after_prefix"
  /** Tokens in the window now: those of the last response and an estimate of what came after it. */
  readonly active: number
  readonly prefill: Prefill
  /** The configured limit for automatic compaction. */
  readonly configured?: number | undefined
  /** The context window of the model, and how many percent of it may be used. */
  readonly window?: { readonly tokens: number; readonly effectivePercent: number } | undefined
  /** Tokens allowed beyond the limit, so that a fallback can be given first. */
  readonly fallbackBuffer?: number | undefined
}

/** How full a window is. */
export interface Status {
  /** Tokens that count against `limit`; below zero while the window holds less than its prefill. */
  readonly used: number
  readonly limit: number | undefined
  /** The usable part of the model's context window. */
  readonly fullWindow: number | undefined
  /** Tokens up to the nearest known limit, from 0; `undefined` if none is known. */
  readonly remaining: number | undefined
  readonly limitReached: boolean
}

/** How full a window is (replay-semantics §3, token status). Limits are whole tokens, rounded down. */
export const status = (usage: Usage): Status => {
  const { active, configured, window } = usage
  const total = usage.scope === "total"
  const automatic = window === undefined ? undefined : Math.floor((window.tokens * 9) / 10)
  const fullWindow = window === undefined ? undefined : Math.floor((window.tokens * window.effectivePercent) / 100)
  const limit = total ? least(configured, automatic) : (configured ?? automatic)
  const used = total ? active : active - (usage.prefill._tag === "None" ? active : usage.prefill.tokens)
  return {
    used,
    limit,
    fullWindow,
    remaining: least(left(limit, used), left(fullWindow, active)),
    limitReached:
      (limit !== undefined && used >= limit + (usage.fallbackBuffer ?? 0)) ||
      (fullWindow !== undefined && active >= fullWindow)
  }
}

/** Whether so little remains that the model is reminded of it; {@link claimReminder} keeps it to once in a window. */
export const isReminderDue = (status: Status, threshold: number): boolean =>
  status.remaining !== undefined && status.remaining <= threshold

const none: Prefill = { _tag: "None" }

/** A number above 2^53 - 1 is rounded when parsed, and one near 2^64 would be written as a number no reader takes. */
const clamp = (number: number): number => Math.min(number, Number.MAX_SAFE_INTEGER)

const uuidV7 = (text: string | null | undefined): string | undefined =>
  typeof text === "string" && isUuidV7(text) ? canonicalUuid(text) : undefined

const least = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined ? right : right === undefined ? left : Math.min(left, right)

const left = (limit: number | undefined, used: number): number | undefined =>
  limit === undefined ? undefined : Math.max(0, limit - used)
