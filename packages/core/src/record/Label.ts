/**
 * What the metrics of persistence call a record: the tag `rollout_item_type` (rollout-format §8). The tables are total:
 * a kind without a label does not compile. `token_usage_record` and `retained_context`, which the table of July does
 * not have, go by their own names.
 */
import type { Entry, LiveEventType } from "../decide/PersistencePolicy.js"
import type { EventMsgType } from "./EventMsg.js"
import type { Kind } from "./Record.js"
import type { ResponseItemType } from "./ResponseItem.js"
import type { TurnItemType } from "./TurnItem.js"

/** The labels of records that are neither items nor events (rollout-format §8). */
export const records = {
  session_meta: "session_meta",
  inter_agent_communication: "inter_agent_communication",
  inter_agent_communication_metadata: "inter_agent_communication_metadata",
  compacted: "compacted",
  turn_context: "turn_context",
  world_state: "world_state",
  token_usage_record: "token_usage_record",
  retained_context: "retained_context"
} satisfies Record<Exclude<Kind, "response_item" | "event_msg">, string>

/** The last part of the label of a finished turn item (rollout-format §8). */
export const turnItems = {
  UserMessage: "user_message",
  HookPrompt: "hook_prompt",
  AgentMessage: "agent_message",
  Plan: "plan",
  Reasoning: "reasoning",
  CommandExecution: "command_execution",
  DynamicToolCall: "dynamic_tool_call",
  CollabAgentToolCall: "collab_agent_tool_call",
  SubAgentActivity: "sub_agent_activity",
  WebSearch: "web_search",
  ImageView: "image_view",
  Extension: "extension",
  ImageGeneration: "image_generation",
  EnteredReviewMode: "entered_review_mode",
  ExitedReviewMode: "exited_review_mode",
  FileChange: "file_change",
  McpToolCall: "mcp_tool_call",
  ContextCompaction: "context_compaction"
} satisfies Record<TurnItemType, string>

/** The `type` of an event whose type alone settles its label: any, also one that is never kept, but `item_completed`. */
export type EventName = Exclude<EventMsgType, "item_completed"> | LiveEventType

/** The label of an item, `other` for one of an unknown type (rollout-format §8). */
export const ofItem = (type: ResponseItemType | "other"): `response.${ResponseItemType | "other"}` => `response.${type}`

/** The label of an event (rollout-format §8): its type, save the two whose wire names differ from their own. */
export const ofEvent = (type: EventName): string => {
  switch (type) {
    case "task_started":
      return "event.turn_started"
    case "task_complete":
      return "event.turn_complete"
    default:
      return `event.${type}`
  }
}

/** The label of a finished turn item (rollout-format §8). */
export const ofTurnItem = (type: TurnItemType): string => `event.item_completed.${turnItems[type]}`

/** The label of a record (rollout-format §8). Cost: constant. */
export const of = (entry: Entry): string => {
  switch (entry.kind) {
    case "response_item":
      return ofItem(entry.payload.type)
    case "event_msg":
      return entry.payload.type === "item_completed" ? ofTurnItem(entry.payload.item.type) : ofEvent(entry.payload.type)
    default:
      return records[entry.kind]
  }
}
