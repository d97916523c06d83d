/** What a review looks at and what it finds (rollout-format §5.2). */
import * as Schema from "effect/Schema"
import { Integer32, Unsigned32 } from "./Integer.js"
import { Path } from "./Primitive.js"
import * as Shape from "./Shape.js"

/** What a review looks at (rollout-format §5.2). */
export const ReviewTarget = Schema.Union(
  Schema.Struct({ type: Schema.Literal("uncommittedChanges") }),
  Schema.Struct({ type: Schema.Literal("baseBranch"), branch: Schema.String }),
  Schema.Struct({ type: Schema.Literal("commit"), sha: Schema.String, title: Shape.nullable(Schema.String) }),
  Schema.Struct({ type: Schema.Literal("custom"), instructions: Schema.String })
)
export type ReviewTarget = typeof ReviewTarget.Type

/** One thing that a review found (rollout-format §5.2). */
export const ReviewFinding = Shape.struct({
  title: Schema.String,
  body: Schema.String,
  confidence_score: Schema.Number,
  priority: Integer32,
  code_location: Shape.struct({
    absolute_file_path: Path,
    line_range: Shape.struct({ start: Unsigned32, end: Unsigned32 }).schema
  }).schema
})
export type ReviewFinding = Shape.TypeOf<typeof ReviewFinding>

/** What a review found (rollout-format §5.2). */
export const ReviewOutput = Shape.struct({
  findings: Schema.Array(ReviewFinding.schema),
  overall_correctness: Schema.String,
  overall_explanation: Schema.String,
  overall_confidence_score: Schema.Number
})
export type ReviewOutput = Shape.TypeOf<typeof ReviewOutput>
