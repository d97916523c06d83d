/** What a tool of an MCP server gave back (rollout-format §5.2). */
import * as Schema from "effect/Schema"
import * as Shape from "./Shape.js"

/** The result as the server gave it (rollout-format §5.2). */
export const CallToolResult = Shape.struct({
  content: Schema.Array(Shape.json),
  structuredContent: Shape.sparse(Shape.json),
  isError: Shape.sparse(Schema.Boolean),
  _meta: Shape.sparse(Shape.json)
})
export type CallToolResult = Shape.TypeOf<typeof CallToolResult>

/** The result, or why there is none (rollout-format §5.2). */
export const CallOutcome = Schema.Union(
  Schema.Struct({ Ok: CallToolResult.schema }),
  Schema.Struct({ Err: Schema.String })
)
export type CallOutcome = typeof CallOutcome.Type
