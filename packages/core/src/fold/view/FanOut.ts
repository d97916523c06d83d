/**
 * The legacy events that tell of a canonical item again, for readers that do not know it (thread-view §1.9).
 *
 * They stand behind the canonical record, in this order and in the same turn. Total over every kind of item; kinds that
 * have no legacy form give none.
 */
import * as LegacyEvent from "../../record/LegacyEvent.js"
import type { Duration } from "../../record/Primitive.js"
import * as RetiredEvent from "../../record/RetiredEvent.js"
import type * as Canonical from "../../record/TurnItem.js"
import * as CollabFanOut from "./CollabFanOut.js"
import * as LiveEvent from "./LiveEvent.js"
import * as UserFanOut from "./UserFanOut.js"

/** What an item does not say itself. */
export interface Facts {
  readonly turnId: string
  /** When the item began or ended, in milliseconds since 1970. */
  readonly atMs: number
  /** Whether the agent's thinking itself is shown, and not only its summary. Default no. */
  readonly rawReasoning?: boolean | undefined
}

/** The events that announce an item. Cost: its fields. */
export const onStarted = (item: Canonical.TurnItem, facts: Facts): ReadonlyArray<LiveEvent.AnyEvent> => {
  switch (item.type) {
    case "CommandExecution":
      return [
        LiveEvent.ExecCommandBegin.make({
          type: "exec_command_begin",
          call_id: item.id,
          process_id: item.process_id,
          turn_id: facts.turnId,
          started_at_ms: facts.atMs,
          command: item.command,
          cwd: item.cwd,
          parsed_cmd: item.parsed_cmd,
          source: item.source,
          interaction_input: item.interaction_input
        })
      ]
    case "DynamicToolCall":
      return [
        RetiredEvent.DynamicToolCallRequest.make({
          type: "dynamic_tool_call_request",
          callId: item.id,
          turnId: facts.turnId,
          startedAtMs: facts.atMs,
          namespace: item.namespace,
          tool: item.tool,
          arguments: item.arguments
        })
      ]
    case "CollabAgentToolCall":
      return CollabFanOut.begin(item, facts.atMs)
    case "WebSearch":
      return [{ type: "web_search_begin", call_id: item.id }]
    case "ImageGeneration":
      return [{ type: "image_generation_begin", call_id: item.id }]
    case "FileChange":
      return [
        LiveEvent.PatchApplyBegin.make({
          type: "patch_apply_begin",
          call_id: item.id,
          turn_id: facts.turnId,
          auto_approved: item.auto_approved ?? false,
          changes: item.changes
        })
      ]
    case "McpToolCall":
      return [LiveEvent.McpToolCallBegin.make({ type: "mcp_tool_call_begin", ...mcpCall(item) })]
    case "UserMessage":
    case "HookPrompt":
    case "AgentMessage":
    case "Plan":
    case "Reasoning":
    case "SubAgentActivity":
    case "ImageView":
    case "Extension":
    case "EnteredReviewMode":
    case "ExitedReviewMode":
    case "ContextCompaction":
      return []
  }
}

/** The events that tell what an item came to. Cost: its fields. */
export const onCompleted = (item: Canonical.TurnItem, facts: Facts): ReadonlyArray<LiveEvent.AnyEvent> => {
  switch (item.type) {
    case "UserMessage":
      return [UserFanOut.message(item)]
    case "AgentMessage":
      return item.content.map(({ text }) =>
        LegacyEvent.AgentMessage.make({
          type: "agent_message",
          message: text,
          phase: item.phase,
          memory_citation: item.memory_citation
        })
      )
    case "Reasoning":
      return [
        ...item.summary_text.map((text) => ({ type: "agent_reasoning" as const, text })),
        ...(facts.rawReasoning === true ? (item.raw_content ?? []) : []).map((text) => ({
          type: "agent_reasoning_raw_content" as const,
          text
        }))
      ]
    case "CommandExecution":
      return item.status === "in_progress" ? [] : [commandEnd(item, item.status, facts)]
    case "DynamicToolCall":
      return item.status === "in_progress" ? [] : [dynamicEnd(item, facts)]
    case "CollabAgentToolCall":
      return item.status === "in_progress" ? [] : CollabFanOut.end(item, facts.atMs)
    case "SubAgentActivity":
      return [
        LegacyEvent.SubAgentActivity.make({
          type: "sub_agent_activity",
          model: item.model,
          reasoning_effort: item.reasoning_effort,
          event_id: item.id,
          occurred_at_ms: facts.atMs,
          agent_thread_id: item.agent_thread_id,
          agent_path: item.agent_path,
          kind: item.kind
        })
      ]
    case "WebSearch":
      return [
        LegacyEvent.WebSearchEnd.make({
          type: "web_search_end",
          call_id: item.id,
          query: item.query,
          action: item.action,
          results: item.results
        })
      ]
    case "ImageView":
      return [{ type: "view_image_tool_call", call_id: item.id, path: item.path }]
    case "ImageGeneration":
      return [
        LegacyEvent.ImageGenerationEnd.make({
          type: "image_generation_end",
          call_id: item.id,
          status: item.status,
          revised_prompt: item.revised_prompt,
          result: item.result,
          saved_path: item.saved_path
        })
      ]
    case "FileChange":
      return patchEnd(item, facts)
    case "McpToolCall":
      return mcpEnd(item)
    case "EnteredReviewMode":
      return [
        LegacyEvent.EnteredReviewMode.make({
          type: "entered_review_mode",
          target: item.target,
          user_facing_hint: item.user_facing_hint,
          turn_id: facts.turnId,
          item_id: item.id
        })
      ]
    case "ExitedReviewMode":
      return [
        LegacyEvent.ExitedReviewMode.make({
          type: "exited_review_mode",
          turn_id: facts.turnId,
          item_id: item.id,
          review_output: item.review_output
        })
      ]
    case "ContextCompaction":
      return [{ type: "context_compacted" }]
    case "HookPrompt":
    case "Plan":
    case "Extension":
      return []
  }
}

const noTime: Duration = { secs: 0, nanos: 0 }

/** What a command does not say becomes nothing: 0, no time, empty. */
const commandEnd = (
  item: Canonical.CommandExecution,
  status: "completed" | "failed" | "declined",
  facts: Facts
): RetiredEvent.ExecCommandEnd =>
  RetiredEvent.ExecCommandEnd.make({
    type: "exec_command_end",
    call_id: item.id,
    process_id: item.process_id,
    turn_id: facts.turnId,
    completed_at_ms: facts.atMs,
    command: item.command,
    cwd: item.cwd,
    parsed_cmd: item.parsed_cmd,
    source: item.source,
    interaction_input: item.interaction_input,
    stdout: item.stdout ?? "",
    stderr: item.stderr ?? "",
    aggregated_output: item.aggregated_output ?? "",
    exit_code: item.exit_code ?? 0,
    duration: item.duration ?? noTime,
    formatted_output: item.formatted_output ?? "",
    status
  })

const dynamicEnd = (item: Canonical.DynamicToolCall, facts: Facts): RetiredEvent.DynamicToolCallResponse =>
  RetiredEvent.DynamicToolCallResponse.make({
    type: "dynamic_tool_call_response",
    call_id: item.id,
    turn_id: facts.turnId,
    completed_at_ms: facts.atMs,
    namespace: item.namespace,
    tool: item.tool,
    arguments: item.arguments,
    content_items: item.content_items ?? [],
    success: item.success ?? false,
    error: item.error,
    duration: item.duration ?? noTime
  })

const patchEnd = (item: Canonical.FileChange, facts: Facts): ReadonlyArray<LegacyEvent.PatchApplyEnd> =>
  item.status === undefined || item.status === null
    ? []
    : [
        LegacyEvent.PatchApplyEnd.make({
          type: "patch_apply_end",
          call_id: item.id,
          turn_id: facts.turnId,
          stdout: item.stdout ?? "",
          stderr: item.stderr ?? "",
          success: item.status === "completed",
          changes: item.changes,
          status: item.status
        })
      ]

const mcpCall = (item: Canonical.McpToolCall) => ({
  call_id: item.id,
  invocation: {
    server: item.server,
    tool: item.tool,
    ...(item.arguments === null ? {} : { arguments: item.arguments })
  },
  connector_id: item.connectorId,
  mcp_app_resource_uri: item.mcpAppResourceUri,
  link_id: item.linkId,
  app_name: item.appName,
  action_name: item.actionName,
  plugin_id: item.pluginId
})

/** A call has an end once it took some time and there is an answer; a result wins over an error. */
const mcpEnd = (item: Canonical.McpToolCall): ReadonlyArray<LegacyEvent.McpToolCallEnd> => {
  const duration = item.duration ?? undefined
  const answer = item.result ?? undefined
  const failure = item.error ?? undefined
  const result = answer !== undefined ? { Ok: answer } : failure !== undefined ? { Err: failure.message } : undefined
  return duration === undefined || result === undefined
    ? []
    : [LegacyEvent.McpToolCallEnd.make({ type: "mcp_tool_call_end", ...mcpCall(item), duration, result })]
}
