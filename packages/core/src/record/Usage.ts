/** Counts of tokens and what is left of an account's limits (rollout-format §5.1). */
import * as Schema from "effect/Schema"
import { Integer32 } from "./Integer.js"
import { Integer } from "./Primitive.js"
import * as Shape from "./Shape.js"

/** Tokens of one response or of many (rollout-format §5.1). */
export const TokenUsage = Shape.struct({
  input_tokens: Integer,
  cached_input_tokens: Integer,
  cache_write_input_tokens: Shape.defaulted(Integer, 0),
  output_tokens: Integer,
  reasoning_output_tokens: Integer,
  total_tokens: Integer
})
export type TokenUsage = Shape.TypeOf<typeof TokenUsage>

/** Tokens of a thread so far, and of its newest response (rollout-format §5.1). */
export const TokenUsageInfo = Shape.struct({
  total_token_usage: TokenUsage.schema,
  last_token_usage: TokenUsage.schema,
  last_usage_includes_reasoning: Shape.sparse(Shape.json),
  model_context_window: Shape.nullable(Integer)
})
export type TokenUsageInfo = Shape.TypeOf<typeof TokenUsageInfo>

/** How much of a limit is used up. */
export const RateLimitWindow = Shape.struct({
  used_percent: Schema.Number,
  window_minutes: Shape.nullable(Integer),
  resets_at: Shape.nullable(Integer)
})
export type RateLimitWindow = Shape.TypeOf<typeof RateLimitWindow>

/** Bought credits of an account. */
export const Credits = Shape.struct({
  has_credits: Schema.Boolean,
  unlimited: Schema.Boolean,
  balance: Shape.nullable(Schema.String)
})
export type Credits = Shape.TypeOf<typeof Credits>

/** A limit of one person within a workspace. */
export const IndividualLimit = Shape.struct({
  limit: Schema.String,
  used: Schema.String,
  remaining_percent: Integer32,
  resets_at: Integer
})
export type IndividualLimit = Shape.TypeOf<typeof IndividualLimit>

/** Limits of an account as the provider told them; any `plan_type` may occur (rollout-format §5.1). */
export const RateLimits = Shape.struct({
  limit_id: Shape.nullable(Schema.String),
  limit_name: Shape.nullable(Schema.String),
  primary: Shape.nullable(RateLimitWindow.schema),
  secondary: Shape.nullable(RateLimitWindow.schema),
  credits: Shape.nullable(Credits.schema),
  individual_limit: Shape.nullable(IndividualLimit.schema),
  spend_control_reached: Shape.nullable(Schema.Boolean),
  plan_type: Shape.nullable(Schema.String),
  rate_limit_reached_type: Shape.nullable(
    Schema.Literal(
      "rate_limit_reached",
      "workspace_owner_credits_depleted",
      "workspace_member_credits_depleted",
      "workspace_owner_usage_limit_reached",
      "workspace_member_usage_limit_reached"
    )
  )
})
export type RateLimits = Shape.TypeOf<typeof RateLimits>
