/** Items of the model's history: the payloads of `response_item` (rollout-format §4). */
import * as Schema from "effect/Schema"
import { AgentContent, ContentItem, MessagePhase, ToolOutput } from "./Content.js"
import { Unsigned } from "./Primitive.js"
import * as Refined from "./Refined.js"
import * as Shape from "./Shape.js"
import { WebSearchAction } from "./WebSearchAction.js"

/** What the engine notes on an item for itself and its own provider (rollout-format §4.1). */
export const Passthrough = Shape.struct({
  turn_id: Shape.sparse(Schema.String),
  create_time: Shape.sparse(Shape.json),
  content_item_kinds: Shape.sparse(Shape.json),
  content_item_metadata: Shape.sparse(Shape.json)
})
export type Passthrough = Shape.TypeOf<typeof Passthrough>

const id = Shape.sparse(Schema.String)
const passthrough = Shape.sparse(Passthrough.schema)

/** Words of the user, the assistant or the developer (rollout-format §4.2). */
export const Message = Shape.struct({
  type: Schema.Literal("message"),
  id,
  role: Schema.String,
  content: Schema.Array(ContentItem),
  phase: Shape.sparse(MessagePhase),
  internal_chat_message_metadata_passthrough: passthrough
})
export type Message = Shape.TypeOf<typeof Message>

/** Words of one agent to another (rollout-format §4.2). */
export const AgentMessage = Shape.struct({
  type: Schema.Literal("agent_message"),
  id,
  author: Schema.String,
  recipient: Schema.String,
  content: Schema.Array(AgentContent),
  internal_chat_message_metadata_passthrough: passthrough
})
export type AgentMessage = Shape.TypeOf<typeof AgentMessage>

/** A part of what the model shows of its thinking (rollout-format §4.2). */
export const SummaryText = Shape.struct({ type: Schema.Literal("summary_text"), text: Schema.String })
export type SummaryText = Shape.TypeOf<typeof SummaryText>

/** A part of the model's thinking itself (rollout-format §4.2). */
export type ReasoningContent = Shape.TypeOf<typeof ReasoningText> | Shape.TypeOf<typeof PlainText>
const ReasoningText = Shape.struct({ type: Schema.Literal("reasoning_text"), text: Schema.String })
const PlainText = Shape.struct({ type: Schema.Literal("text"), text: Schema.String })
export const ReasoningContent: Schema.Schema<ReasoningContent> = Refined.union({
  reasoning_text: ReasoningText,
  text: PlainText
})

const reasoning = Shape.struct({
  type: Schema.Literal("reasoning"),
  id,
  summary: Schema.Array(SummaryText.schema),
  content: Shape.nullable(Schema.Array(ReasoningContent)),
  encrypted_content: Shape.nullable(Schema.String),
  internal_chat_message_metadata_passthrough: passthrough
})

/**
 * The model's thinking (rollout-format §4.2). Unset `content` is written as `null`; an array without any
 * `reasoning_text`, the empty one included, is left out.
 */
export const Reasoning: typeof reasoning = {
  ...reasoning,
  make: (input) => {
    const { content, ...rest } = reasoning.make(input)
    if (content === null || content === undefined || content.some((part) => part.type === "reasoning_text")) {
      return reasoning.make(input)
    }
    return rest
  }
}
export type Reasoning = Shape.TypeOf<typeof Reasoning>

/** What a local shell call runs (rollout-format §4.2). */
export const LocalShellAction = Shape.struct({
  type: Schema.Literal("exec"),
  command: Schema.Array(Schema.String),
  timeout_ms: Shape.nullable(Unsigned),
  working_directory: Shape.nullable(Schema.String),
  env: Shape.nullable(Schema.Record({ key: Schema.String, value: Schema.String })),
  user: Shape.nullable(Schema.String)
})
export type LocalShellAction = Shape.TypeOf<typeof LocalShellAction>

/** A call of the provider's own shell tool (rollout-format §4.2). */
export const LocalShellCall = Shape.struct({
  type: Schema.Literal("local_shell_call"),
  id,
  call_id: Shape.nullable(Schema.String),
  status: Schema.Literal("completed", "in_progress", "incomplete"),
  action: LocalShellAction.schema,
  internal_chat_message_metadata_passthrough: passthrough
})
export type LocalShellCall = Shape.TypeOf<typeof LocalShellCall>

/** A call of a tool with JSON arguments, which are a text (rollout-format §4.2). */
export const FunctionCall = Shape.struct({
  type: Schema.Literal("function_call"),
  id,
  name: Schema.String,
  namespace: Shape.sparse(Schema.String),
  arguments: Schema.String,
  call_id: Schema.String,
  internal_chat_message_metadata_passthrough: passthrough
})
export type FunctionCall = Shape.TypeOf<typeof FunctionCall>

/** What a called tool gave back; without a `call_id`, context under a name that nothing called (0.169.0). */
export const FunctionCallOutput = Shape.struct({
  type: Schema.Literal("function_call_output"),
  id,
  call_id: Shape.sparse(Schema.String),
  name: Shape.sparse(Schema.String),
  namespace: Shape.sparse(Schema.String),
  output: ToolOutput,
  internal_chat_message_metadata_passthrough: passthrough
})
export type FunctionCallOutput = Shape.TypeOf<typeof FunctionCallOutput>

/** A call of a tool with free text as input (rollout-format §4.2). */
export const CustomToolCall = Shape.struct({
  type: Schema.Literal("custom_tool_call"),
  id,
  status: Shape.sparse(Schema.String),
  call_id: Schema.String,
  name: Schema.String,
  namespace: Shape.sparse(Schema.String),
  input: Schema.String,
  internal_chat_message_metadata_passthrough: passthrough
})
export type CustomToolCall = Shape.TypeOf<typeof CustomToolCall>

/** What a tool with free text as input gave back (rollout-format §4.2). */
export const CustomToolCallOutput = Shape.struct({
  type: Schema.Literal("custom_tool_call_output"),
  id,
  call_id: Schema.String,
  name: Shape.sparse(Schema.String),
  output: ToolOutput,
  internal_chat_message_metadata_passthrough: passthrough
})
export type CustomToolCallOutput = Shape.TypeOf<typeof CustomToolCallOutput>

/** A search for tools that are not loaded yet (rollout-format §4.2). */
export const ToolSearchCall = Shape.struct({
  type: Schema.Literal("tool_search_call"),
  id,
  call_id: Shape.nullable(Schema.String),
  status: Shape.sparse(Schema.String),
  execution: Schema.String,
  arguments: Shape.json,
  internal_chat_message_metadata_passthrough: passthrough
})
export type ToolSearchCall = Shape.TypeOf<typeof ToolSearchCall>

/** The tools that a search found (rollout-format §4.2). */
export const ToolSearchOutput = Shape.struct({
  type: Schema.Literal("tool_search_output"),
  id,
  call_id: Shape.nullable(Schema.String),
  status: Schema.String,
  execution: Schema.String,
  tools: Schema.Array(Shape.json),
  internal_chat_message_metadata_passthrough: passthrough
})
export type ToolSearchOutput = Shape.TypeOf<typeof ToolSearchOutput>

/** A search on the web by the provider (rollout-format §4.2). */
export const WebSearchCall = Shape.struct({
  type: Schema.Literal("web_search_call"),
  id,
  status: Shape.sparse(Schema.String),
  action: Shape.sparse(WebSearchAction),
  internal_chat_message_metadata_passthrough: passthrough
})
export type WebSearchCall = Shape.TypeOf<typeof WebSearchCall>

/** An image made by the provider, in base64 (rollout-format §4.2). */
export const ImageGenerationCall = Shape.struct({
  type: Schema.Literal("image_generation_call"),
  id,
  status: Schema.String,
  revised_prompt: Shape.sparse(Schema.String),
  result: Schema.String,
  internal_chat_message_metadata_passthrough: passthrough
})
export type ImageGenerationCall = Shape.TypeOf<typeof ImageGenerationCall>

/** The provider's own summary of what came before (rollout-format §4.2). */
export const Compaction = Shape.struct({
  type: Schema.Literal("compaction"),
  id,
  encrypted_content: Schema.String,
  internal_chat_message_metadata_passthrough: passthrough
})
export type Compaction = Shape.TypeOf<typeof Compaction>

/** The provider's mark that it compacted the context within a response (rollout-format §4.2). */
export const ContextCompaction = Shape.struct({
  type: Schema.Literal("context_compaction"),
  id,
  encrypted_content: Shape.sparse(Schema.String),
  internal_chat_message_metadata_passthrough: passthrough
})
export type ContextCompaction = Shape.TypeOf<typeof ContextCompaction>

/** Tools made known within the history; kept by 0.169.0, not before (rollout-format §4.2). */
export const AdditionalTools = Shape.struct({
  type: Schema.Literal("additional_tools"),
  id,
  role: Schema.String,
  tools: Schema.Array(Shape.json)
})
export type AdditionalTools = Shape.TypeOf<typeof AdditionalTools>

/** A request to compact, never kept (rollout-format §4.2). */
export const CompactionTrigger = Shape.struct({ type: Schema.Literal("compaction_trigger") })
export type CompactionTrigger = Shape.TypeOf<typeof CompactionTrigger>

/** The shape of each item by its `type`. */
export const variants = {
  message: Message,
  agent_message: AgentMessage,
  reasoning: Reasoning,
  local_shell_call: LocalShellCall,
  function_call: FunctionCall,
  function_call_output: FunctionCallOutput,
  custom_tool_call: CustomToolCall,
  custom_tool_call_output: CustomToolCallOutput,
  tool_search_call: ToolSearchCall,
  tool_search_output: ToolSearchOutput,
  web_search_call: WebSearchCall,
  image_generation_call: ImageGenerationCall,
  compaction: Compaction,
  context_compaction: ContextCompaction,
  additional_tools: AdditionalTools,
  compaction_trigger: CompactionTrigger
}

/** The `type` of an item that this version knows. */
export type ResponseItemType = keyof typeof variants

/** An item of the model's history (rollout-format §4). */
export type ResponseItem =
  | Message
  | AgentMessage
  | Reasoning
  | LocalShellCall
  | FunctionCall
  | FunctionCallOutput
  | CustomToolCall
  | CustomToolCallOutput
  | ToolSearchCall
  | ToolSearchOutput
  | WebSearchCall
  | ImageGenerationCall
  | Compaction
  | ContextCompaction
  | AdditionalTools
  | CompactionTrigger

/** The schema of any item that this version knows. */
export const schema: Schema.Schema<ResponseItem> = Refined.union(variants)

/** Whether this version knows items of this `type`. */
export const isKnown = (tag: string): tag is ResponseItemType => Object.hasOwn(variants, tag)
