/** What one response cost: the payload of `token_usage_record`, which 0.169.0 brought. */
import * as Schema from "effect/Schema"
import * as Shape from "./Shape.js"
import { TokenUsage } from "./Usage.js"

/** Tokens of one response, and of its turn and its thread so far. */
export const TokenUsageRecord = Shape.struct({
  thread_id: Shape.sparse(Schema.String),
  turn_id: Shape.sparse(Schema.String),
  session_id: Shape.sparse(Schema.String),
  root_turn_id: Shape.sparse(Schema.String),
  response_id: Shape.sparse(Schema.String),
  usage: Shape.sparse(TokenUsage.schema),
  turn_token_usage: Shape.sparse(TokenUsage.schema),
  thread_token_usage: Shape.sparse(TokenUsage.schema)
})
export type TokenUsageRecord = Shape.TypeOf<typeof TokenUsageRecord>
