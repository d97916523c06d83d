/** That the history was replaced by a shorter one: the payload of `compacted` (rollout-format §7.2). */
import * as Schema from "effect/Schema"
import { Unsigned } from "./Primitive.js"
import * as ResponseItem from "./ResponseItem.js"
import * as Shape from "./Shape.js"

/**
 * A compaction: a summary and, where known, the whole new history (rollout-format §7.2). The keys from
 * `replacement_history_metadata` to `retained_context` and from `compaction_response_id` on are of 0.169.0.
 */
export const Compacted = Shape.struct({
  message: Schema.String,
  replacement_history: Shape.sparse(Schema.Array(ResponseItem.schema)),
  replacement_history_metadata: Shape.sparse(Shape.json),
  retained_context: Shape.sparse(Shape.json),
  window_number: Shape.sparse(Unsigned),
  first_window_id: Shape.sparse(Schema.String),
  previous_window_id: Shape.sparse(Schema.String),
  window_id: Shape.sparse(Schema.String),
  compaction_response_id: Shape.sparse(Shape.json),
  latest_token_usage_record: Shape.sparse(Shape.json),
  resume_metadata: Shape.sparse(Shape.json)
})
export type Compacted = Shape.TypeOf<typeof Compacted>
