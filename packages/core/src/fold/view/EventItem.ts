/** Items that legacy events tell of, each under the id of its call (thread-view §1.4, §1.6). */
import { canonicalUuid } from "../../record/Primitive.js"
import type { GuardianAssessment } from "../../record/RetiredEvent.js"
import * as CollabItem from "./CollabItem.js"
import * as CommandLine from "./CommandLine.js"
import type { Options } from "./ItemParts.js"
import * as Parts from "./ItemParts.js"
import type { AnyEvent } from "./LiveEvent.js"
import * as NativePath from "./NativePath.js"
import { imageGeneration } from "./SnapshotItem.js"
import type * as View from "./ThreadItem.js"
import { untimed } from "./ThreadItem.js"

/** An item to put into a turn, in place of the one with its id if there is one (thread-view R5). */
export interface Upsert {
  readonly item: View.ThreadItem
  /** The turn that the event names; without one the item goes to the open turn. */
  readonly turnId: string | undefined
}

/** The item that an event tells of; undefined for events that tell of none or need the fold's state for it. */
export const toUpsert = (event: AnyEvent, options: Options = {}): Upsert | undefined => {
  switch (event.type) {
    case "exec_command_begin":
    case "exec_command_end":
      return { item: command(event, options), turnId: event.turn_id }
    case "patch_apply_begin":
    case "apply_patch_approval_request":
      return { item: fileChange(event.call_id, event.changes, "inProgress"), turnId: event.turn_id || undefined }
    case "patch_apply_end":
      return { item: fileChange(event.call_id, event.changes, event.status), turnId: event.turn_id || undefined }
    case "mcp_tool_call_begin":
    case "mcp_tool_call_end":
      return { item: mcp(event), turnId: undefined }
    case "web_search_begin":
      return {
        item: { type: "webSearch", id: event.call_id, query: "", action: null, results: null, ...untimed },
        turnId: undefined
      }
    case "web_search_end":
      return {
        item: {
          type: "webSearch",
          id: event.call_id,
          query: event.query,
          action: Parts.searchAction(event.action),
          results: event.results ?? null,
          ...untimed
        },
        turnId: undefined
      }
    case "image_generation_begin":
      return { item: { ...imageGeneration(event.call_id, "", null, "", null), ...untimed }, turnId: undefined }
    case "image_generation_end":
      return {
        item: {
          ...imageGeneration(event.call_id, event.status, event.revised_prompt, event.result, event.saved_path),
          ...untimed
        },
        turnId: undefined
      }
    case "view_image_tool_call":
      return {
        item: { type: "imageView", id: event.call_id, path: NativePath.fromUrl(event.path).path, ...untimed },
        turnId: undefined
      }
    case "dynamic_tool_call_request":
    case "dynamic_tool_call_response":
      return dynamic(event)
    case "sub_agent_activity":
      return {
        item: {
          type: "subAgentActivity",
          id: event.event_id,
          kind: event.kind,
          agentThreadId: canonicalUuid(event.agent_thread_id),
          agentPath: event.agent_path,
          model: event.model ?? null,
          reasoningEffort: event.reasoning_effort ?? null,
          startedAtMs: null,
          completedAtMs: event.occurred_at_ms ?? null
        },
        turnId: undefined
      }
    case "guardian_assessment":
      return guardian(event)
    default: {
      const item = CollabItem.ofEvent(event)
      return item === undefined ? undefined : { item, turnId: undefined }
    }
  }
}

type Of<K extends AnyEvent["type"]> = Extract<AnyEvent, { readonly type: K }>

const command = (event: Of<"exec_command_begin"> | Of<"exec_command_end">, options: Options): View.CommandExecution => {
  const cwd = NativePath.fromUrl(event.cwd)
  const ended = event.type === "exec_command_end" ? event : undefined
  return {
    type: "commandExecution",
    id: event.call_id,
    command: CommandLine.join(event.command),
    cwd: cwd.path,
    processId: event.process_id ?? null,
    source: Parts.commandSource(event.source ?? "agent"),
    status: ended?.status ?? "inProgress",
    commandActions: Parts.commandActions(event.parsed_cmd, cwd, options),
    aggregatedOutput: ended?.aggregated_output || null,
    exitCode: ended?.exit_code ?? null,
    durationMs: Parts.milliseconds(ended?.duration),
    ...untimed
  }
}

const fileChange = (
  id: string,
  changes: Of<"patch_apply_end">["changes"],
  status: View.FileChange["status"]
): View.FileChange => ({ type: "fileChange", id, changes: Parts.fileUpdates(changes ?? {}), status, ...untimed })

const mcp = (event: Of<"mcp_tool_call_begin"> | Of<"mcp_tool_call_end">): View.McpToolCall => {
  const { invocation } = event
  const ended = event.type === "mcp_tool_call_end" ? event : undefined
  const answer = ended !== undefined && "Ok" in ended.result ? ended.result.Ok : undefined
  const failure = ended !== undefined && "Err" in ended.result ? ended.result.Err : undefined
  const isGood = answer !== undefined && answer.isError !== true
  return {
    type: "mcpToolCall",
    id: event.call_id,
    server: invocation.server,
    tool: invocation.tool,
    status: ended === undefined ? "inProgress" : isGood ? "completed" : "failed",
    arguments: invocation.arguments ?? null,
    ...Parts.app({
      connector: event.connector_id,
      resource: event.mcp_app_resource_uri,
      link: event.link_id,
      app: event.app_name,
      action: event.action_name
    }),
    pluginId: event.plugin_id ?? null,
    readOnlyHint: null,
    result: answer === undefined ? null : Parts.callResult(answer),
    error: failure === undefined ? null : { message: failure },
    durationMs: Parts.milliseconds(ended?.duration),
    ...untimed
  }
}

const dynamic = (event: Of<"dynamic_tool_call_request"> | Of<"dynamic_tool_call_response">): Upsert => {
  const isAnswer = event.type === "dynamic_tool_call_response"
  return {
    item: {
      type: "dynamicToolCall",
      id: isAnswer ? event.call_id : event.callId,
      namespace: event.namespace ?? null,
      tool: event.tool,
      arguments: event.arguments,
      status: isAnswer ? (event.success ? "completed" : "failed") : "inProgress",
      contentItems: isAnswer ? event.content_items : null,
      success: isAnswer ? event.success : null,
      durationMs: isAnswer ? Parts.milliseconds(event.duration) : null,
      ...untimed
    },
    turnId: (isAnswer ? event.turn_id : event.turnId) || undefined
  }
}

const verdicts = { in_progress: "inProgress", denied: "declined", aborted: "declined", timed_out: "failed" } as const

/** A reviewer stands between a command and its beginning: what it declines would else never show. */
const guardian = (event: GuardianAssessment): Upsert | undefined => {
  const id = event.target_item_id ?? undefined
  if (event.status === "approved" || id === undefined) return undefined
  const reviewed = reviewedCommand(event.action)
  if (reviewed === undefined) return undefined
  return {
    item: {
      type: "commandExecution",
      id,
      ...reviewed,
      processId: null,
      source: "agent",
      status: verdicts[event.status],
      commandActions: [{ type: "unknown", command: reviewed.command }],
      aggregatedOutput: null,
      exitCode: null,
      durationMs: null,
      ...untimed
    },
    turnId: event.turn_id || undefined
  }
}

const reviewedCommand = (action: {
  readonly type: string
}): { readonly command: string; readonly cwd: string } | undefined => {
  const { argv, command, cwd, program } = action as Readonly<Record<string, unknown>>
  if (typeof cwd !== "string") return undefined
  const folder = cwd.startsWith("file:") ? NativePath.fromUrl(cwd).path : cwd
  if (action.type === "command" && typeof command === "string") return { command, cwd: folder }
  if (action.type !== "execve" || typeof program !== "string" || !Array.isArray(argv)) return undefined
  const words = argv.slice(1).filter((word) => typeof word === "string")
  return { command: CommandLine.join([program, ...words]), cwd: folder }
}
