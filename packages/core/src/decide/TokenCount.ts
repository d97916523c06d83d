/**
 * How a response's tokens are recorded: the sums of the thread so far beside those of the response (rollout-format §5.1).
 */
import type { TokenUsage } from "../fold/TokenUsage.js"
import * as TokenUsageFold from "../fold/TokenUsage.js"
import type { TokenUsage as Counts, RateLimits } from "../record/Usage.js"
import * as Usages from "../record/Usage.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"

/** Tokens of a response, and what belongs to it. */
export interface Command {
  readonly usage: Counts
  /** Tokens that the model's context holds. Default: as the log says. */
  readonly contextWindow?: number | undefined
  readonly rateLimits?: RateLimits | undefined
}

/**
 * The record of a response's tokens.
 *
 * Errors: `InvalidRequest` for counts that are no whole numbers from 0.
 */
export const counted = (command: Command, state: { readonly usage: TokenUsage }, facts: Facts): Decision => {
  const { contextWindow, rateLimits, usage } = command
  for (const [key, value] of Object.entries(usage)) {
    if (value === undefined || (Number.isInteger(value) && value >= 0)) continue
    const detail = `${String(value)} is no number of tokens`
    return Errors.invalid(`usage.${key}`, "out-of-range", detail, "Give whole numbers from 0")
  }
  const last = Usages.TokenUsage.make(usage)
  const total = state.usage.counted === undefined ? last : TokenUsageFold.add(state.usage.counted, last)
  const draft = count(total, last, contextWindow ?? state.usage.contextWindow, rateLimits, facts)
  return Drafts.check([draft], "usage")
}

/**
 * The record that the context now holds about so many tokens, as after a compaction: a total without parts, which adds
 * nothing to the sums. Undefined while nothing was counted, for then there are no sums to repeat.
 */
export const estimated = (tokens: number, state: { readonly usage: TokenUsage }, facts: Facts): Draft | undefined => {
  const { contextWindow, counted: total } = state.usage
  if (total === undefined) return undefined
  return count(total, { ...TokenUsageFold.zero, total_tokens: tokens }, contextWindow, undefined, facts)
}

const count = (
  total: Counts,
  last: Counts,
  contextWindow: number | undefined,
  rateLimits: RateLimits | undefined,
  facts: Facts
): Draft =>
  Drafts.event(facts, {
    type: "token_count",
    info: Usages.TokenUsageInfo.make({
      total_token_usage: total,
      last_token_usage: last,
      model_context_window: contextWindow
    }),
    rate_limits: rateLimits ?? null
  })
