/**
 * How full the open context window is (replay-semantics §3, token status).
 *
 * What a window holds is what the provider counted last, and an estimate of what has come since.
 */
import * as ContextWindow from "../fold/ContextWindow.js"
import * as Truncation from "../fold/Truncation.js"
import * as WindowState from "../fold/WindowState.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import type { TokenUsageInfo } from "../record/Usage.js"
import type { Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"

/** What is held against the window. */
export interface Limits {
  /** What the limit counts: everything, or what came after the prefill. */
  readonly scope: ContextWindow.Usage["scope"]
  /** The configured limit for automatic compaction. */
  readonly configured?: number | undefined
  /** The context window of the model, and how many percent of it may be used. Default: that of the newest count. */
  readonly window?: ContextWindow.Usage["window"]
  /** Tokens allowed beyond the limit, so that a fallback can be given first. */
  readonly fallbackBuffer?: number | undefined
  /** Whether the provider's total leaves out the reasoning of earlier responses. Default no. */
  readonly reasoningLeftOut?: boolean | undefined
}

/** What the status is told from. */
export interface State {
  readonly history: ReadonlyArray<ResponseItem>
  readonly tokenInfo: TokenUsageInfo | undefined
  readonly prefill: ContextWindow.Prefill
}

/** Percent of a model's context that may be used where nobody says. */
export const defaultPercent = 95

/** The status of the window. Cost: the items since the last response, or all of them where nothing was counted. */
export const of = (state: State, limits: Limits): ContextWindow.Status => {
  const { configured, fallbackBuffer, scope } = limits
  const known = state.tokenInfo?.model_context_window ?? undefined
  const window =
    limits.window ?? (known === undefined ? undefined : { tokens: known, effectivePercent: defaultPercent })
  return ContextWindow.status({
    scope,
    active: active(state, limits.reasoningLeftOut === true),
    prefill: state.prefill,
    configured,
    window,
    fallbackBuffer
  })
}

/**
 * Tokens in the window now: those of the last response, and an estimate of the items behind the model's last one. Where
 * the provider's total leaves out earlier reasoning, that is estimated too.
 */
export const active = (
  { history, tokenInfo }: Pick<State, "history" | "tokenInfo">,
  reasoningLeftOut = false
): number => {
  const counted = tokenInfo?.last_token_usage.total_tokens ?? 0
  if (counted === 0) return estimate(history)
  const last = history.findLastIndex(isOfModel)
  const since = estimate(history.slice(last + 1))
  if (!reasoningLeftOut) return counted + since
  return counted + since + estimate(earlierReasoning(history))
}

/** The reasoning in front of the last thing that anybody else said: the last response has its own in its total. */
const earlierReasoning = (history: ReadonlyArray<ResponseItem>): ReadonlyArray<ResponseItem> => {
  const last = history.findLastIndex((item) => !isOfModel(item) && !isOutput(item))
  return history.slice(0, Math.max(0, last)).filter(({ type }) => type === "reasoning")
}

const isOutput = ({ type }: ResponseItem): boolean =>
  type === "function_call_output" || type === "custom_tool_call_output" || type === "tool_search_output"

/** Whether the model made an item, so that a response counted it. */
const isOfModel = (item: ResponseItem): boolean => {
  switch (item.type) {
    case "message":
      return item.role === "assistant"
    case "reasoning":
    case "local_shell_call":
    case "function_call":
    case "custom_tool_call":
    case "tool_search_call":
    case "web_search_call":
    case "image_generation_call":
    case "compaction":
    case "context_compaction":
      return true
    default:
      return false
  }
}

/** Approximate tokens of items: four bytes each, of what a request says of them. Cost: their texts. */
export const estimate = (items: ReadonlyArray<ResponseItem>): number =>
  items.reduce((sum, item) => sum + Truncation.tokensOf(JSON.stringify(item)), 0)

/** Whether the model is to be reminded now: so little remains, and it was not reminded in this window. */
export const reminds = (
  status: ContextWindow.Status,
  threshold: number,
  window: Pick<ContextWindow.Live, "reminderDelivered">
): boolean => !window.reminderDelivered && ContextWindow.isReminderDue(status, threshold)

/** The record that the model was reminded in this window, or given its fallback: once in a window each. */
export const delivered = (what: "reminded" | "fallback", facts: Facts): Draft => {
  const note: WindowState.Note = { note: what }
  return Drafts.own(facts, WindowState.kind, note)
}

/** The record that a new window is asked for; it begins with the next compaction. */
export const requested = (facts: Facts): Draft => {
  const note: WindowState.Note = { note: "requested" }
  return Drafts.own(facts, WindowState.kind, note)
}
