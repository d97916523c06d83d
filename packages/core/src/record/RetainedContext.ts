/** What a thread keeps across compactions: the payload of `retained_context`, which 0.169.0 brought. */
import * as Schema from "effect/Schema"
import * as Shape from "./Shape.js"

/** One thing to keep; `verified_answer`, the only kind seen, holds answers that the user gave to a tool's questions. */
export const RetainedContext = Shape.struct({
  type: Schema.String,
  turn_id: Shape.sparse(Schema.String),
  call_id: Shape.sparse(Schema.String),
  questions: Shape.sparse(Shape.json),
  acceptance_order: Shape.sparse(Shape.json)
})
export type RetainedContext = Shape.TypeOf<typeof RetainedContext>
