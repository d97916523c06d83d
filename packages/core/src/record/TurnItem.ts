/** Finished things of a turn as a client shows them: the `item` of `item_completed` (rollout-format §5.3). */
import * as Schema from "effect/Schema"
import { ReasoningEffort } from "./Collaboration.js"
import { CommandStatus, ExecSource, ParsedCommand } from "./Command.js"
import { MessagePhase } from "./Content.js"
import { DynamicOutput } from "./DynamicTool.js"
import * as ExtensionItem from "./ExtensionItem.js"
import { Integer32 } from "./Integer.js"
import { CallToolResult } from "./McpResult.js"
import { MemoryCitation } from "./Memory.js"
import { FileChanges, PatchStatus } from "./Patch.js"
import { AbsolutePath, AgentPath, Duration, PathUri, Uuid } from "./Primitive.js"
import * as Refined from "./Refined.js"
import { ReviewOutput, ReviewTarget } from "./Review.js"
import * as Shape from "./Shape.js"
import { AgentRef, AgentStatuses, SubAgentActivityKind } from "./SubAgent.js"
import * as UserInput from "./UserInput.js"
import { WebSearchAction } from "./WebSearchAction.js"

const id = Schema.String
const text = Shape.sparse(Schema.String)

/** What the user gave to the turn (rollout-format §5.3). */
export const UserMessage = Shape.struct({
  type: Schema.Literal("UserMessage"),
  id,
  client_id: text,
  content: Schema.Array(UserInput.UserInput)
})
export type UserMessage = Shape.TypeOf<typeof UserMessage>

/** What hooks told the model (rollout-format §5.3). */
export const HookPrompt = Shape.struct({
  type: Schema.Literal("HookPrompt"),
  id,
  fragments: Schema.Array(Shape.struct({ text: Schema.String, hookRunId: Schema.String }).schema)
})
export type HookPrompt = Shape.TypeOf<typeof HookPrompt>

/** What the agent said (rollout-format §5.3). */
export const AgentMessage = Shape.struct({
  type: Schema.Literal("AgentMessage"),
  id,
  content: Schema.Array(Shape.struct({ type: Schema.Literal("Text"), text: Schema.String }).schema),
  phase: Shape.sparse(MessagePhase),
  memory_citation: Shape.sparse(MemoryCitation.schema)
})
export type AgentMessage = Shape.TypeOf<typeof AgentMessage>

/** The plan that the agent proposes (rollout-format §5.3). */
export const Plan = Shape.struct({ type: Schema.Literal("Plan"), id, text: Schema.String })
export type Plan = Shape.TypeOf<typeof Plan>

/** The agent's thinking (rollout-format §5.3). */
export const Reasoning = Shape.struct({
  type: Schema.Literal("Reasoning"),
  id,
  summary_text: Schema.Array(Schema.String),
  raw_content: Shape.defaulted(Schema.Array(Schema.String), [])
})
export type Reasoning = Shape.TypeOf<typeof Reasoning>

/** A command that ran (rollout-format §5.3). */
export const CommandExecution = Shape.struct({
  type: Schema.Literal("CommandExecution"),
  id,
  process_id: text,
  command: Schema.Array(Schema.String),
  cwd: PathUri,
  parsed_cmd: Schema.Array(ParsedCommand),
  source: ExecSource,
  interaction_input: text,
  status: CommandStatus,
  stdout: text,
  stderr: text,
  aggregated_output: text,
  exit_code: Shape.sparse(Integer32),
  duration: Shape.sparse(Duration),
  formatted_output: text
})
export type CommandExecution = Shape.TypeOf<typeof CommandExecution>

/** A call of one of the client's tools (rollout-format §5.3). */
export const DynamicToolCall = Shape.struct({
  type: Schema.Literal("DynamicToolCall"),
  id,
  namespace: text,
  tool: Schema.String,
  arguments: Shape.json,
  status: Schema.Literal("in_progress", "completed", "failed"),
  content_items: Shape.sparse(Schema.Array(DynamicOutput)),
  success: Shape.sparse(Schema.Boolean),
  error: text,
  duration: Shape.sparse(Duration)
})
export type DynamicToolCall = Shape.TypeOf<typeof DynamicToolCall>

/** A call of a tool that works with other agents (rollout-format §5.3). */
export const CollabAgentToolCall = Shape.struct({
  type: Schema.Literal("CollabAgentToolCall"),
  id,
  tool: Schema.Literal("spawn_agent", "send_input", "resume_agent", "wait", "close_agent"),
  status: Schema.Literal("in_progress", "completed", "failed"),
  sender_thread_id: Uuid,
  receiver_thread_ids: Shape.defaulted(Schema.Array(Uuid), []),
  receiver_agents: Shape.defaulted(Schema.Array(AgentRef.schema), []),
  prompt: text,
  model: text,
  reasoning_effort: Shape.sparse(ReasoningEffort),
  agents_states: Shape.defaulted(AgentStatuses, {})
})
export type CollabAgentToolCall = Shape.TypeOf<typeof CollabAgentToolCall>

/** What happened to a sub-agent; `model` and `reasoning_effort` are of 0.169.0 (rollout-format §5.3). */
export const SubAgentActivity = Shape.struct({
  type: Schema.Literal("SubAgentActivity"),
  model: text,
  reasoning_effort: text,
  id,
  kind: SubAgentActivityKind,
  agent_thread_id: Uuid,
  agent_path: AgentPath
})
export type SubAgentActivity = Shape.TypeOf<typeof SubAgentActivity>

/** A search on the web (rollout-format §5.3). */
export const WebSearch = Shape.struct({
  type: Schema.Literal("WebSearch"),
  id,
  query: Schema.String,
  action: WebSearchAction,
  results: Shape.sparse(Schema.Array(Shape.json))
})
export type WebSearch = Shape.TypeOf<typeof WebSearch>

/** An image that the agent looked at (rollout-format §5.3). */
export const ImageView = Shape.struct({ type: Schema.Literal("ImageView"), id, path: PathUri })
export type ImageView = Shape.TypeOf<typeof ImageView>

/** Something that an extension did; `kind` tells which (rollout-format §5.3). */
export const Extension = { schema: ExtensionItem.schema, is: ExtensionItem.is }
export type Extension = ExtensionItem.ExtensionItem

/** An image that was made (rollout-format §5.3). */
export const ImageGeneration = Shape.struct({
  type: Schema.Literal("ImageGeneration"),
  id,
  status: Schema.String,
  revised_prompt: text,
  result: Schema.String,
  saved_path: Shape.sparse(AbsolutePath)
})
export type ImageGeneration = Shape.TypeOf<typeof ImageGeneration>

/** A review began (rollout-format §5.3). */
export const EnteredReviewMode = Shape.struct({
  type: Schema.Literal("EnteredReviewMode"),
  id,
  target: ReviewTarget,
  user_facing_hint: Schema.String
})
export type EnteredReviewMode = Shape.TypeOf<typeof EnteredReviewMode>

/** A review ended (rollout-format §5.3). */
export const ExitedReviewMode = Shape.struct({
  type: Schema.Literal("ExitedReviewMode"),
  id,
  review_output: Shape.nullable(ReviewOutput.schema)
})
export type ExitedReviewMode = Shape.TypeOf<typeof ExitedReviewMode>

/** Files were changed (rollout-format §5.3). */
export const FileChange = Shape.struct({
  type: Schema.Literal("FileChange"),
  id,
  changes: FileChanges,
  status: Shape.sparse(PatchStatus),
  auto_approved: Shape.sparse(Schema.Boolean),
  stdout: text,
  stderr: text
})
export type FileChange = Shape.TypeOf<typeof FileChange>

/** A call of a tool of an MCP server; `readOnlyHint` is of 0.169.0 (rollout-format §5.3). */
export const McpToolCall = Shape.struct({
  type: Schema.Literal("McpToolCall"),
  id,
  server: Schema.String,
  tool: Schema.String,
  arguments: Shape.json,
  connectorId: text,
  mcpAppResourceUri: text,
  linkId: text,
  appName: text,
  actionName: text,
  pluginId: text,
  readOnlyHint: Shape.sparse(Schema.Boolean),
  status: Schema.Literal("inProgress", "completed", "failed"),
  result: Shape.sparse(CallToolResult.schema),
  error: Shape.sparse(Shape.struct({ message: Schema.String }).schema),
  duration: Shape.sparse(Duration)
})
export type McpToolCall = Shape.TypeOf<typeof McpToolCall>

/** The history was compacted (rollout-format §5.3). */
export const ContextCompaction = Shape.struct({ type: Schema.Literal("ContextCompaction"), id })
export type ContextCompaction = Shape.TypeOf<typeof ContextCompaction>

/** The shape of each turn item by its `type`. */
export const variants = {
  UserMessage,
  HookPrompt,
  AgentMessage,
  Plan,
  Reasoning,
  CommandExecution,
  DynamicToolCall,
  CollabAgentToolCall,
  SubAgentActivity,
  WebSearch,
  ImageView,
  Extension,
  ImageGeneration,
  EnteredReviewMode,
  ExitedReviewMode,
  FileChange,
  McpToolCall,
  ContextCompaction
}

/** The `type` of a turn item that this version knows. */
export type TurnItemType = keyof typeof variants

/** A finished thing of a turn (rollout-format §5.3). */
export type TurnItem =
  | UserMessage
  | HookPrompt
  | AgentMessage
  | Plan
  | Reasoning
  | CommandExecution
  | DynamicToolCall
  | CollabAgentToolCall
  | SubAgentActivity
  | WebSearch
  | ImageView
  | Extension
  | ImageGeneration
  | EnteredReviewMode
  | ExitedReviewMode
  | FileChange
  | McpToolCall
  | ContextCompaction

/** The schema of any turn item that this version knows. */
export const schema: Schema.Schema<TurnItem> = Refined.union(variants)

/** Whether this version knows turn items of this `type`. */
export const isKnown = (tag: string): tag is TurnItemType => Object.hasOwn(variants, tag)
