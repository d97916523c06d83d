/**
 * Which records a thread's log keeps (rollout-format §6). The same answer holds for live appends and for records that
 * are copied into a fork.
 *
 * The tables are total: a kind of record, item, event or turn item that they do not decide on does not compile. Where
 * 0.169.0 keeps what July 2026 dropped or did not know, the tables follow 0.169.0: `additional_tools`,
 * `token_usage_record`, `retained_context`, and `SubAgentActivity` of kind `completed` in legacy threads.
 */
import type { EventMsg, EventMsgType } from "../record/EventMsg.js"
import type { ExtensionKind } from "../record/ExtensionItem.js"
import type { Kind, Payloads } from "../record/Record.js"
import type { ResponseItemType } from "../record/ResponseItem.js"
import type { RetiredEventType } from "../record/RetiredEvent.js"
import type { HistoryMode } from "../record/SessionMeta.js"
import type { SubAgentActivityKind } from "../record/SubAgent.js"
import type { TurnItem, TurnItemType } from "../record/TurnItem.js"

/** Whether a record is kept in the log. */
export type Decision = "keep" | "drop"

/** What is decided for each history mode. */
export type ByMode = Readonly<Record<HistoryMode, Decision>>

const always: ByMode = { legacy: "keep", paginated: "keep" }
const never: ByMode = { legacy: "drop", paginated: "drop" }
const legacyOnly: ByMode = { legacy: "keep", paginated: "drop" }
const paginatedOnly: ByMode = { legacy: "drop", paginated: "keep" }

/** The decision for records that are neither items nor events (rollout-format §6). */
export const records = {
  session_meta: always,
  compacted: always,
  turn_context: always,
  world_state: always,
  inter_agent_communication: always,
  inter_agent_communication_metadata: always,
  token_usage_record: always,
  retained_context: always
} satisfies Record<Exclude<Kind, "response_item" | "event_msg">, ByMode>

/** The decision for items of the model's history (rollout-format §4.2 and §6). */
export const items = {
  message: always,
  agent_message: always,
  reasoning: always,
  local_shell_call: always,
  function_call: always,
  function_call_output: always,
  custom_tool_call: always,
  custom_tool_call_output: always,
  tool_search_call: always,
  tool_search_output: always,
  web_search_call: always,
  image_generation_call: always,
  compaction: always,
  context_compaction: always,
  additional_tools: always,
  compaction_trigger: never
} satisfies Record<ResponseItemType, ByMode>

/** The decision for events, save finished turn items, which {@link turnItems} decides on (rollout-format §5 and §6). */
export const events = {
  task_started: always,
  task_complete: always,
  turn_aborted: always,
  token_count: always,
  thread_rolled_back: always,
  thread_goal_updated: always,
  thread_settings_applied: always,
  user_message: legacyOnly,
  agent_message: legacyOnly,
  agent_reasoning: legacyOnly,
  agent_reasoning_raw_content: legacyOnly,
  entered_review_mode: legacyOnly,
  exited_review_mode: legacyOnly,
  patch_apply_end: legacyOnly,
  context_compacted: legacyOnly,
  mcp_tool_call_end: legacyOnly,
  web_search_end: legacyOnly,
  image_generation_end: legacyOnly,
  sub_agent_activity: legacyOnly,
  error: never,
  exec_command_end: never,
  view_image_tool_call: never,
  dynamic_tool_call_request: never,
  dynamic_tool_call_response: never,
  collab_agent_spawn_begin: never,
  collab_agent_spawn_end: never,
  collab_agent_interaction_begin: never,
  collab_agent_interaction_end: never,
  collab_waiting_begin: never,
  collab_waiting_end: never,
  collab_close_begin: never,
  collab_close_end: never,
  collab_resume_begin: never,
  collab_resume_end: never,
  guardian_assessment: never,
  item_started: never
} satisfies Record<Exclude<EventMsgType, "item_completed">, ByMode>

/** The decision for finished turn items that their type settles (rollout-format §6). */
export const turnItems = {
  UserMessage: paginatedOnly,
  HookPrompt: paginatedOnly,
  AgentMessage: paginatedOnly,
  Plan: always,
  Reasoning: paginatedOnly,
  CommandExecution: paginatedOnly,
  DynamicToolCall: paginatedOnly,
  CollabAgentToolCall: paginatedOnly,
  WebSearch: paginatedOnly,
  ImageView: paginatedOnly,
  ImageGeneration: paginatedOnly,
  EnteredReviewMode: paginatedOnly,
  ExitedReviewMode: paginatedOnly,
  FileChange: paginatedOnly,
  McpToolCall: paginatedOnly,
  ContextCompaction: paginatedOnly
} satisfies Record<Exclude<TurnItemType, "Extension" | "SubAgentActivity">, ByMode>

/** The decision for finished extension items (rollout-format §6). */
export const extensions = {
  "clock.sleep": always,
  "image_gen.generation": paginatedOnly,
  "web.search": paginatedOnly
} satisfies Record<ExtensionKind, ByMode>

/** The decision for what happened to sub-agents, as finished turn items (rollout-format §6 and 0.169.0). */
export const subAgentActivities = {
  started: paginatedOnly,
  interacted: paginatedOnly,
  interrupted: paginatedOnly,
  completed: always
} satisfies Record<SubAgentActivityKind, ByMode>

/** Events of the running engine that no log ever held, by name (rollout-format §5.5). */
export const liveEvents = [
  "exec_command_begin",
  "patch_apply_begin",
  "mcp_tool_call_begin",
  "web_search_begin",
  "image_generation_begin",
  "warning",
  "guardian_warning",
  "realtime_conversation_started",
  "realtime_conversation_sdp",
  "realtime_conversation_realtime",
  "realtime_conversation_closed",
  "realtime_conversation_list_voices_response",
  "safety_buffering",
  "model_reroute",
  "model_verification",
  "turn_moderation_metadata",
  "agent_reasoning_section_break",
  "raw_response_item",
  "raw_response_completed",
  "session_configured",
  "environment_connected",
  "environment_disconnected",
  "terminal_interaction",
  "exec_command_output_delta",
  "exec_approval_request",
  "request_permissions",
  "request_user_input",
  "elicitation_request",
  "apply_patch_approval_request",
  "stream_error",
  "patch_apply_updated",
  "turn_diff",
  "mcp_startup_update",
  "mcp_startup_complete",
  "plan_update",
  "shutdown_complete",
  "deprecation_notice",
  "item_started",
  "hook_started",
  "hook_completed",
  "agent_message_content_delta",
  "plan_delta",
  "reasoning_content_delta",
  "reasoning_raw_content_delta"
] as const

/** The name of an event of the running engine that no log ever held (rollout-format §5.5). */
export type LiveEventType = (typeof liveEvents)[number]

/** The name of any event that is never kept: live ones and those that only older builds kept (rollout-format §5.5). */
export type NeverPersisted = LiveEventType | RetiredEventType

/** A record before it is written: what it is and what it says. */
export type Entry = { readonly [K in Kind]: { readonly kind: K; readonly payload: Payloads[K] } }[Kind]

/** Whether a thread of this history mode keeps the record (rollout-format §6). Cost: constant. */
export const decide = (entry: Entry, mode: HistoryMode): Decision => {
  switch (entry.kind) {
    case "response_item":
      return (itemsByType.get(entry.payload.type) as ByMode)[mode]
    case "event_msg":
      return ofEvent(entry.payload)[mode]
    default:
      return records[entry.kind][mode]
  }
}

const ofEvent = (event: EventMsg): ByMode =>
  event.type === "item_completed" ? ofTurnItem(event.item) : (eventsByType.get(event.type) as ByMode)

// The same tables as maps: they are asked about every line, by texts that are new each time.
const itemsByType: ReadonlyMap<string, ByMode> = new Map(Object.entries(items))
const eventsByType: ReadonlyMap<string, ByMode> = new Map(Object.entries(events))

const ofTurnItem = (item: TurnItem): ByMode => {
  switch (item.type) {
    case "Extension":
      return extensions[item.kind]
    case "SubAgentActivity":
      return subAgentActivities[item.kind]
    default:
      return turnItems[item.type]
  }
}
