/**
 * Canonical items as the view shows them (thread-view §1.8): field for field, under the same id.
 *
 * Total over every kind of item: one that this table does not name does not compile.
 */
import type { ExtensionItem } from "../../record/ExtensionItem.js"
import { canonicalUuid } from "../../record/Primitive.js"
import type * as Canonical from "../../record/TurnItem.js"
import type * as UserInput from "../../record/UserInput.js"
import * as CommandLine from "./CommandLine.js"
import type { Options } from "./ItemParts.js"
import * as Parts from "./ItemParts.js"
import * as NativePath from "./NativePath.js"
import * as ReviewText from "./ReviewText.js"
import type * as View from "./ThreadItem.js"
import { untimed } from "./ThreadItem.js"

/** The view of a canonical item. Cost: one visit of its fields; of its content nothing is copied. */
export const toView = (
  item: Canonical.TurnItem,
  times: View.Times = untimed,
  options: Options = {}
): View.ThreadItem => {
  switch (item.type) {
    case "UserMessage":
      return {
        type: "userMessage",
        id: item.id,
        clientId: item.client_id ?? null,
        content: item.content.map(userInput),
        ...times
      }
    case "HookPrompt":
      return {
        type: "hookPrompt",
        id: item.id,
        fragments: item.fragments.map(({ hookRunId, text }) => ({ text, hookRunId })),
        ...times
      }
    case "AgentMessage":
      return {
        type: "agentMessage",
        id: item.id,
        text: item.content.map(({ text }) => text).join(""),
        phase: item.phase ?? null,
        memoryCitation: Parts.citation(item.memory_citation),
        ...times
      }
    case "Plan":
      return { type: "plan", id: item.id, text: item.text, ...times }
    case "Reasoning":
      return {
        type: "reasoning",
        id: item.id,
        summary: item.summary_text,
        content: item.raw_content ?? [],
        ...times
      }
    case "CommandExecution":
      return command(item, times, options)
    case "DynamicToolCall":
      return {
        type: "dynamicToolCall",
        id: item.id,
        namespace: item.namespace ?? null,
        tool: item.tool,
        arguments: item.arguments,
        status: Parts.status(item.status),
        contentItems: item.content_items ?? null,
        success: item.success ?? null,
        durationMs: Parts.milliseconds(item.duration),
        ...times
      }
    case "CollabAgentToolCall":
      return {
        type: "collabAgentToolCall",
        id: item.id,
        tool: collabTools[item.tool],
        status: Parts.status(item.status),
        senderThreadId: canonicalUuid(item.sender_thread_id),
        receiverThreadIds: (item.receiver_thread_ids ?? []).map(canonicalUuid),
        prompt: item.prompt ?? null,
        model: item.model ?? null,
        reasoningEffort: item.reasoning_effort ?? null,
        agentsStates: Parts.agentStates(item.agents_states),
        ...times
      }
    case "SubAgentActivity":
      return {
        type: "subAgentActivity",
        id: item.id,
        kind: item.kind,
        agentThreadId: canonicalUuid(item.agent_thread_id),
        agentPath: item.agent_path,
        model: item.model ?? null,
        reasoningEffort: item.reasoning_effort ?? null,
        ...times
      }
    case "WebSearch":
      return {
        type: "webSearch",
        id: item.id,
        query: item.query,
        action: Parts.searchAction(item.action),
        results: item.results ?? null,
        ...times
      }
    case "ImageView":
      return { type: "imageView", id: item.id, path: NativePath.fromUrl(item.path).path, ...times }
    case "Extension":
      return extension(item, times)
    case "ImageGeneration":
      return {
        ...imageGeneration(item.id, item.status, item.revised_prompt, item.result, item.saved_path),
        ...times
      }
    case "EnteredReviewMode":
      return { type: "enteredReviewMode", id: item.id, review: item.user_facing_hint, ...times }
    case "ExitedReviewMode":
      return { type: "exitedReviewMode", id: item.id, review: ReviewText.render(item.review_output), ...times }
    case "FileChange":
      return {
        type: "fileChange",
        id: item.id,
        changes: Parts.fileUpdates(item.changes),
        status: item.status ?? "inProgress",
        ...times
      }
    case "McpToolCall":
      return mcp(item, times)
    case "ContextCompaction":
      return { type: "contextCompaction", id: item.id, ...times }
  }
}

/** The tools that work with other agents, by their canonical name. */
export const collabTools = {
  spawn_agent: "spawnAgent",
  send_input: "sendInput",
  resume_agent: "resumeAgent",
  wait: "wait",
  close_agent: "closeAgent"
} as const

const userInput = (input: UserInput.UserInput): View.UserInput => {
  switch (input.type) {
    case "text":
      return { type: "text", text: input.text, text_elements: Parts.textElements(input.text_elements) }
    case "image":
      return { type: "image", url: input.image_url, detail: input.detail ?? null }
    case "local_image":
      return { type: "localImage", path: input.path, detail: input.detail ?? null }
    case "audio":
      return { type: "audio", url: input.audio_url }
    case "local_audio":
      return { type: "localAudio", path: input.path }
    case "skill":
    case "mention":
      return { type: input.type, name: input.name, path: input.path }
  }
}

const command = (item: Canonical.CommandExecution, times: View.Times, options: Options): View.CommandExecution => {
  const cwd = NativePath.fromUrl(item.cwd)
  return {
    type: "commandExecution",
    id: item.id,
    command: CommandLine.join(item.command),
    cwd: cwd.path,
    processId: item.process_id ?? null,
    source: Parts.commandSource(item.source),
    status: Parts.status(item.status),
    commandActions: Parts.commandActions(item.parsed_cmd, cwd, options),
    aggregatedOutput: item.aggregated_output || null,
    exitCode: item.exit_code ?? null,
    durationMs: Parts.milliseconds(item.duration),
    ...times
  }
}

const mcp = (item: Canonical.McpToolCall, times: View.Times): View.McpToolCall => ({
  type: "mcpToolCall",
  id: item.id,
  server: item.server,
  tool: item.tool,
  status: item.status,
  arguments: item.arguments,
  ...Parts.app({
    connector: item.connectorId,
    resource: item.mcpAppResourceUri,
    link: item.linkId,
    app: item.appName,
    action: item.actionName
  }),
  pluginId: item.pluginId ?? null,
  readOnlyHint: item.readOnlyHint ?? null,
  result: item.result === undefined || item.result === null ? null : Parts.callResult(item.result),
  error: item.error === undefined || item.error === null ? null : { message: item.error.message },
  durationMs: Parts.milliseconds(item.duration),
  ...times
})

/** An image that was made, without its times. */
export const imageGeneration = (
  id: string,
  status: string,
  revisedPrompt: string | null | undefined,
  result: string,
  savedPath: string | null | undefined
): Omit<View.ImageGeneration, keyof View.Times> => ({
  type: "imageGeneration",
  id,
  status,
  revisedPrompt: revisedPrompt ?? null,
  result,
  ...(savedPath === null || savedPath === undefined ? {} : { savedPath })
})

const extension = (item: ExtensionItem, times: View.Times): View.ThreadItem => {
  switch (item.kind) {
    case "clock.sleep":
      return { type: "sleep", id: item.id, durationMs: item.durationMs, ...times }
    case "image_gen.generation":
      return {
        ...imageGeneration(item.id, item.status, item.revisedPrompt, item.result, item.savedPath),
        ...times
      }
    case "web.search":
      return {
        type: "webSearch",
        id: item.id,
        query: item.query,
        action: item.action ?? null,
        results: item.results ?? null,
        ...times
      }
  }
}
