/**
 * Events that only threads of history mode `legacy` keep (rollout-format §5.2); the keys `audio` and `local_audio`, and
 * `model` and `reasoning_effort` of sub-agents, are of 0.145.0 and 0.169.0.
 */
import * as Schema from "effect/Schema"
import { ImageDetail, MessagePhase } from "./Content.js"
import { CallOutcome } from "./McpResult.js"
import { MemoryCitation } from "./Memory.js"
import { FileChanges, PatchStatus } from "./Patch.js"
import { AbsolutePath, AgentPath, Duration, Integer, Path, Uuid } from "./Primitive.js"
import * as Refined from "./Refined.js"
import { ReviewOutput, ReviewTarget } from "./Review.js"
import * as Shape from "./Shape.js"
import { SubAgentActivityKind } from "./SubAgent.js"
import { TextElement } from "./UserInput.js"
import { WebSearchAction } from "./WebSearchAction.js"

const text = Shape.sparse(Schema.String)
const details = Shape.elided(Schema.Array(Schema.NullOr(ImageDetail)), [])

/** What the user gave to the turn (rollout-format §5.2). */
export const UserMessage = Shape.struct({
  type: Schema.Literal("user_message"),
  client_id: text,
  message: Schema.String,
  images: Shape.sparse(Schema.Array(Schema.String)),
  image_details: details,
  local_images: Shape.defaulted(Schema.Array(Path), []),
  local_image_details: details,
  audio: Shape.sparse(Shape.json),
  local_audio: Shape.sparse(Shape.json),
  text_elements: Shape.defaulted(Schema.Array(TextElement.schema), [])
})
export type UserMessage = Shape.TypeOf<typeof UserMessage>

/** What the agent said (rollout-format §5.2). */
export const AgentMessage = Shape.struct({
  type: Schema.Literal("agent_message"),
  message: Schema.String,
  phase: Shape.nullable(MessagePhase),
  memory_citation: Shape.nullable(MemoryCitation.schema)
})
export type AgentMessage = Shape.TypeOf<typeof AgentMessage>

/** A summary of the agent's thinking (rollout-format §5.2). */
export const AgentReasoning = Shape.struct({ type: Schema.Literal("agent_reasoning"), text: Schema.String })
export type AgentReasoning = Shape.TypeOf<typeof AgentReasoning>

/** The agent's thinking itself (rollout-format §5.2). */
export const AgentReasoningRawContent = Shape.struct({
  type: Schema.Literal("agent_reasoning_raw_content"),
  text: Schema.String
})
export type AgentReasoningRawContent = Shape.TypeOf<typeof AgentReasoningRawContent>

/** A review began (rollout-format §5.2). */
export const EnteredReviewMode = Shape.struct({
  type: Schema.Literal("entered_review_mode"),
  target: ReviewTarget,
  user_facing_hint: text,
  turn_id: text,
  item_id: text
})
export type EnteredReviewMode = Shape.TypeOf<typeof EnteredReviewMode>

/** A review ended (rollout-format §5.2). */
export const ExitedReviewMode = Shape.struct({
  type: Schema.Literal("exited_review_mode"),
  turn_id: text,
  item_id: text,
  review_output: Shape.nullable(ReviewOutput.schema)
})
export type ExitedReviewMode = Shape.TypeOf<typeof ExitedReviewMode>

/** A patch was applied, or was not (rollout-format §5.2). */
export const PatchApplyEnd = Shape.struct({
  type: Schema.Literal("patch_apply_end"),
  call_id: Schema.String,
  turn_id: Shape.defaulted(Schema.String, ""),
  stdout: Schema.String,
  stderr: Schema.String,
  success: Schema.Boolean,
  changes: Shape.defaulted(FileChanges, {}),
  status: PatchStatus
})
export type PatchApplyEnd = Shape.TypeOf<typeof PatchApplyEnd>

/** The history was compacted; a further key rejects the line (rollout-format §5.2). */
export const ContextCompacted = Refined.exact(Shape.struct({ type: Schema.Literal("context_compacted") }))
export type ContextCompacted = Shape.TypeOf<typeof ContextCompacted>

/** A tool of an MCP server answered (rollout-format §5.2). */
export const McpToolCallEnd = Shape.struct({
  type: Schema.Literal("mcp_tool_call_end"),
  call_id: Schema.String,
  invocation: Shape.struct({
    server: Schema.String,
    tool: Schema.String,
    arguments: Shape.nullable(Shape.json)
  }).schema,
  connector_id: text,
  mcp_app_resource_uri: text,
  link_id: text,
  app_name: text,
  action_name: text,
  plugin_id: text,
  duration: Duration,
  result: CallOutcome
})
export type McpToolCallEnd = Shape.TypeOf<typeof McpToolCallEnd>

/** A search on the web ended (rollout-format §5.2). */
export const WebSearchEnd = Shape.struct({
  type: Schema.Literal("web_search_end"),
  call_id: Schema.String,
  query: Schema.String,
  action: WebSearchAction,
  results: Shape.sparse(Schema.Array(Shape.json))
})
export type WebSearchEnd = Shape.TypeOf<typeof WebSearchEnd>

/** An image was made (rollout-format §5.2). */
export const ImageGenerationEnd = Shape.struct({
  type: Schema.Literal("image_generation_end"),
  call_id: Schema.String,
  status: Schema.String,
  revised_prompt: text,
  result: Schema.String,
  saved_path: Shape.sparse(AbsolutePath)
})
export type ImageGenerationEnd = Shape.TypeOf<typeof ImageGenerationEnd>

/** What happened to a sub-agent (rollout-format §5.2). */
export const SubAgentActivity = Shape.struct({
  type: Schema.Literal("sub_agent_activity"),
  model: text,
  reasoning_effort: text,
  event_id: Schema.String,
  occurred_at_ms: Shape.defaulted(Integer, 0),
  agent_thread_id: Uuid,
  agent_path: AgentPath,
  kind: SubAgentActivityKind
})
export type SubAgentActivity = Shape.TypeOf<typeof SubAgentActivity>

/** The shape of each of these events by its `type`. */
export const variants = {
  user_message: UserMessage,
  agent_message: AgentMessage,
  agent_reasoning: AgentReasoning,
  agent_reasoning_raw_content: AgentReasoningRawContent,
  entered_review_mode: EnteredReviewMode,
  exited_review_mode: ExitedReviewMode,
  patch_apply_end: PatchApplyEnd,
  context_compacted: ContextCompacted,
  mcp_tool_call_end: McpToolCallEnd,
  web_search_end: WebSearchEnd,
  image_generation_end: ImageGenerationEnd,
  sub_agent_activity: SubAgentActivity
}

/** The `type` of an event that only legacy threads keep. */
export type LegacyEventType = keyof typeof variants

/** An event that only legacy threads keep. */
export type LegacyEvent =
  | UserMessage
  | AgentMessage
  | AgentReasoning
  | AgentReasoningRawContent
  | EnteredReviewMode
  | ExitedReviewMode
  | PatchApplyEnd
  | ContextCompacted
  | McpToolCallEnd
  | WebSearchEnd
  | ImageGenerationEnd
  | SubAgentActivity
