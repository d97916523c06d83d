/**
 * How many tokens a thread used, in total and turn by turn (rollout-format §5.1; `token_usage_record` is of 0.169.0).
 *
 * What was spent is spent: turns that were rolled back count like all others. A thread that was copied from another one
 * lists the turns of that one too; its total is what its own log says.
 */
import type { StoredRecord } from "../record/Record.js"
import type * as Sniff from "../record/Sniff.js"
import type { TokenUsageRecord } from "../record/TokenUsageRecord.js"
import type { TokenUsage as Counts, TokenUsageInfo } from "../record/Usage.js"
import * as Fold from "./Fold.js"

/** Tokens of one turn. */
export interface TurnUsage {
  /** Undefined for a turn of a release that recorded no turn starts. */
  readonly turnId: string | undefined
  readonly usage: Counts
}

/** Tokens of a thread. Immutable: `list` is shared between states and only ever grows. */
export interface TokenUsage {
  /** Of the whole thread: it never falls. Undefined until the log says something. */
  readonly total: Counts | undefined
  /** The total of the newest `token_count`. Those of 0.169.0 leave out what compactions used. */
  readonly counted: Counts | undefined
  /** Whether a `token_usage_record` told the sums of the newest turn, so that counts add nothing to it. */
  readonly recorded: boolean
  /** Of the newest response: what the model's context then held. */
  readonly last: Counts | undefined
  /** How much the model's context holds, where the log says. */
  readonly contextWindow: number | undefined
  /** The first `length` of these are the finished turns of this state. */
  readonly list: ReadonlyArray<TurnUsage>
  readonly length: number
  /** The turn that tokens now go to. */
  readonly turn: TurnUsage | undefined
  /** Whether it has a recorded start and no end yet. */
  readonly open: boolean
}

/** No tokens. */
export const zero: Counts = {
  input_tokens: 0,
  cached_input_tokens: 0,
  cache_write_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
  total_tokens: 0
}

const empty: TokenUsage = {
  total: undefined,
  counted: undefined,
  recorded: false,
  last: undefined,
  contextWindow: undefined,
  list: [],
  length: 0,
  turn: undefined,
  open: false
}

/**
 * The fold. Cost: constant per record.
 *
 * A turn gets what the thread's total rose by while it was the newest one. A `token_count` that repeats a total (for
 * new limits, or an estimate after a compaction) adds nothing, nor does an estimate of a full context; one whose total
 * fell adds its newest response. A `token_usage_record` says both sums itself, compactions included, and counts in its
 * turn then add nothing.
 */
export const fold: Fold.Fold<TokenUsage> = Fold.make(empty, (state, record) => step(state, record))

/** The turns that used tokens, oldest first. Cost: linear in their number. */
export const turns = (state: TokenUsage): ReadonlyArray<TurnUsage> => {
  const all = state.list.slice(0, state.length)
  return state.turn !== undefined && isUsed(state.turn) ? [...all, state.turn] : all
}

/** Counts added up. */
export const add = (left: Counts, right: Counts): Counts => ({
  input_tokens: left.input_tokens + right.input_tokens,
  cached_input_tokens: left.cached_input_tokens + right.cached_input_tokens,
  cache_write_input_tokens: (left.cache_write_input_tokens ?? 0) + (right.cache_write_input_tokens ?? 0),
  output_tokens: left.output_tokens + right.output_tokens,
  reasoning_output_tokens: left.reasoning_output_tokens + right.reasoning_output_tokens,
  total_tokens: left.total_tokens + right.total_tokens
})

/** What the first counts are more than the others. */
const difference = (left: Counts, right: Counts): Counts => ({
  input_tokens: left.input_tokens - right.input_tokens,
  cached_input_tokens: left.cached_input_tokens - right.cached_input_tokens,
  cache_write_input_tokens: (left.cache_write_input_tokens ?? 0) - (right.cache_write_input_tokens ?? 0),
  output_tokens: left.output_tokens - right.output_tokens,
  reasoning_output_tokens: left.reasoning_output_tokens - right.reasoning_output_tokens,
  total_tokens: left.total_tokens - right.total_tokens
})

/** Counts with nothing left out: older releases write no cache writes, and sums always have them. */
const filled = (counts: Counts): Counts => (counts.cache_write_input_tokens === undefined ? add(counts, zero) : counts)

const isSame = (left: Counts | undefined, right: Counts | undefined): boolean =>
  left === right ||
  (left !== undefined &&
    right !== undefined &&
    left.total_tokens === right.total_tokens &&
    left.input_tokens === right.input_tokens &&
    left.output_tokens === right.output_tokens &&
    left.cached_input_tokens === right.cached_input_tokens &&
    left.reasoning_output_tokens === right.reasoning_output_tokens &&
    (left.cache_write_input_tokens ?? 0) === (right.cache_write_input_tokens ?? 0))

const step = (state: TokenUsage, record: StoredRecord): TokenUsage => {
  if (record.kind === "token_usage_record") return recorded(state, record.payload)
  if (record.kind !== "event_msg") return state
  const { payload } = record
  switch (payload.type) {
    case "task_started":
      return { ...begun(state, payload.turn_id), open: true }
    case "task_complete":
    case "turn_aborted":
      return state.open ? { ...state, open: false } : state
    case "user_message":
      return state.open ? state : begun(state, undefined)
    case "token_count":
      return payload.info === null || payload.info === undefined ? state : counted(state, payload.info)
    default:
      return state
  }
}

/** The next turn; one that used nothing is forgotten. A start that is repeated goes on. */
const begun = (state: TokenUsage, turnId: string | undefined): TokenUsage => {
  const { turn } = state
  if (turn !== undefined && turnId !== undefined && turn.turnId === turnId) return state
  const next = { ...state, turn: { turnId, usage: zero }, open: false, recorded: false }
  return turn === undefined || !isUsed(turn) ? next : { ...next, list: push(state, turn), length: state.length + 1 }
}

const counted = (state: TokenUsage, info: TokenUsageInfo): TokenUsage => {
  const { last_token_usage: last, total_token_usage: counted } = info
  const contextWindow = info.model_context_window ?? state.contextWindow
  if (state.recorded || isEstimate(counted)) return { ...state, counted, last, contextWindow }
  const before = state.counted
  // A process that went on with a thread of 0.42.0 counted anew.
  const isAnew = before !== undefined && counted.total_tokens < before.total_tokens
  const spent = before === undefined || isAnew ? last : difference(counted, before)
  // As long as all is in the newest count, that is the total; then it goes on from where it was. Told by what they say:
  // states that were written down and read again hold no objects in common.
  const isCounted = !isAnew && isSame(state.total, before)
  // Made for every response, so it is spelt out: copying keys costs more.
  return {
    total: isCounted ? filled(counted) : add(state.total ?? zero, spent),
    counted,
    recorded: false,
    last,
    contextWindow,
    list: state.list,
    length: state.length,
    turn: withMore(state.turn, spent),
    open: state.open
  }
}

const recorded = (state: TokenUsage, record: TokenUsageRecord): TokenUsage => {
  const { thread_token_usage: total, turn_token_usage: sum, usage } = record
  const turnId = record.turn_id ?? undefined
  const at =
    turnId === undefined || turnId === state.turn?.turnId ? state : { ...begun(state, turnId), open: state.open }
  const turn =
    sum === undefined || sum === null
      ? withMore(at.turn, usage ?? zero)
      : { turnId: turnId ?? at.turn?.turnId, usage: sum }
  return {
    ...at,
    total: total ?? (usage === undefined || usage === null ? at.total : add(at.total ?? zero, usage)),
    last: usage ?? at.last,
    recorded: true,
    turn
  }
}

const withMore = (turn: TurnUsage | undefined, more: Counts): TurnUsage =>
  turn === undefined ? { turnId: undefined, usage: more } : { turnId: turn.turnId, usage: add(turn.usage, more) }

const isUsed = ({ usage }: TurnUsage): boolean => usage.total_tokens !== 0 || usage.input_tokens !== 0

/** A total without parts is none: the context overflowed, and the writer set its size to that of the window. */
const isEstimate = ({ input_tokens, output_tokens, total_tokens }: Counts): boolean =>
  total_tokens > 0 && input_tokens === 0 && output_tokens === 0

/** Pushing onto the newest state of a shared array is free; onto an older state it copies, so that both stay valid. */
const push = (state: TokenUsage, turn: TurnUsage): ReadonlyArray<TurnUsage> => {
  const shared = state.list as Array<TurnUsage>
  const list = state.length > 0 && shared.length === state.length ? shared : shared.slice(0, state.length)
  list.push(turn)
  return list
}

const events: ReadonlySet<string | undefined> = new Set([
  undefined,
  "task_started",
  "turn_started",
  "task_complete",
  "turn_complete",
  "turn_aborted",
  "user_message",
  "token_count"
])

/** Whether a line with this head can matter here; a reader may pass over the others unparsed. Cost: constant. */
export const wants = (head: Sniff.Head): boolean =>
  head.type === "token_usage_record" || (head.type === "event_msg" && events.has(head.inner))
