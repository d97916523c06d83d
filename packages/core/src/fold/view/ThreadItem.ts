/**
 * A thing that a thread shows: the items of a turn as clients see them (thread-view §1.3).
 *
 * Field names are camelCase except where the format's own are kept (`text_elements`, `move_path`, `_meta`). What is not
 * known is `null` and written; only `savedPath` and `mcpAppResourceUri` are left out.
 */
import type { DynamicOutput } from "../../record/DynamicTool.js"
import type { SearchAction } from "../../record/ExtensionItem.js"

/** What every item has: its id within the thread, and when it began and ended where its record tells (milliseconds). */
interface Common {
  readonly id: string
  readonly startedAtMs: number | null
  readonly completedAtMs: number | null
}

/** A stretch of a text that stands for something else; the range counts UTF-8 bytes. */
export interface TextElement {
  readonly byteRange: { readonly start: number; readonly end: number }
  readonly placeholder: string | null
}

/** How closely a model is to look at an image. */
export type ImageDetail = "auto" | "low" | "high" | "original"

/** A part of what the user gave. */
export type UserInput =
  | { readonly type: "text"; readonly text: string; readonly text_elements: ReadonlyArray<TextElement> }
  | { readonly type: "image"; readonly url: string; readonly detail: ImageDetail | null }
  | { readonly type: "localImage"; readonly path: string; readonly detail: ImageDetail | null }
  | { readonly type: "audio"; readonly url: string }
  | { readonly type: "localAudio"; readonly path: string }
  | { readonly type: "skill"; readonly name: string; readonly path: string }
  | { readonly type: "mention"; readonly name: string; readonly path: string }

/** What the user gave to the turn. */
export interface UserMessage extends Common {
  readonly type: "userMessage"
  readonly clientId: string | null
  readonly content: ReadonlyArray<UserInput>
}

/** What hooks told the model. */
export interface HookPrompt extends Common {
  readonly type: "hookPrompt"
  readonly fragments: ReadonlyArray<{ readonly text: string; readonly hookRunId: string }>
}

/** The lines of memory that an answer cites. */
export interface MemoryCitation {
  readonly entries: ReadonlyArray<{
    readonly path: string
    readonly lineStart: number
    readonly lineEnd: number
    readonly note: string
  }>
  readonly threadIds: ReadonlyArray<string>
}

/** What the agent said. */
export interface AgentMessage extends Common {
  readonly type: "agentMessage"
  readonly text: string
  readonly phase: "commentary" | "final_answer" | null
  readonly memoryCitation: MemoryCitation | null
}

/** The plan that the agent proposes. */
export interface Plan extends Common {
  readonly type: "plan"
  readonly text: string
}

/** The agent's thinking. */
export interface Reasoning extends Common {
  readonly type: "reasoning"
  readonly summary: ReadonlyArray<string>
  readonly content: ReadonlyArray<string>
}

/** What a command does, as far as its text tells. */
export type CommandAction =
  | { readonly type: "read"; readonly command: string; readonly name: string; readonly path: string }
  | { readonly type: "listFiles"; readonly command: string; readonly path: string | null }
  | {
      readonly type: "search"
      readonly command: string
      readonly query: string | null
      readonly path: string | null
    }
  | { readonly type: "unknown"; readonly command: string }

/** How a command or a change of files stands. */
export type CommandStatus = "inProgress" | "completed" | "failed" | "declined"

/** How a call of a tool stands. */
export type CallStatus = "inProgress" | "completed" | "failed"

/** Who ran a command. */
export type CommandSource = "agent" | "userShell" | "unifiedExecStartup" | "unifiedExecInteraction"

/** A command that ran, or was not allowed to. */
export interface CommandExecution extends Common {
  readonly type: "commandExecution"
  /** The words of the command as one line for a shell. */
  readonly command: string
  readonly cwd: string
  readonly processId: string | null
  readonly source: CommandSource
  readonly status: CommandStatus
  readonly commandActions: ReadonlyArray<CommandAction>
  readonly aggregatedOutput: string | null
  readonly exitCode: number | null
  readonly durationMs: number | null
}

/** What became of one file. */
export interface FileUpdate {
  readonly path: string
  readonly kind:
    | { readonly type: "add" }
    | { readonly type: "delete" }
    | { readonly type: "update"; readonly move_path: string | null }
  readonly diff: string
}

/** Files were changed, or were not allowed to be. */
export interface FileChange extends Common {
  readonly type: "fileChange"
  readonly changes: ReadonlyArray<FileUpdate>
  readonly status: CommandStatus
}

/** A call of a tool of an MCP server. */
export interface McpToolCall extends Common {
  readonly type: "mcpToolCall"
  readonly server: string
  readonly tool: string
  readonly status: CallStatus
  readonly arguments: unknown
  readonly appContext: {
    readonly connectorId: string
    readonly linkId: string | null
    readonly resourceUri: string | null
    readonly appName: string | null
    readonly actionName: string | null
  } | null
  /** Deprecated copy of the app's resource; there without a connector too. */
  readonly mcpAppResourceUri?: string
  readonly pluginId: string | null
  readonly readOnlyHint: boolean | null
  readonly result: {
    readonly content: ReadonlyArray<unknown>
    readonly structuredContent: unknown
    readonly _meta: unknown
  } | null
  readonly error: { readonly message: string } | null
  readonly durationMs: number | null
}

/** A call of one of the client's tools. */
export interface DynamicToolCall extends Common {
  readonly type: "dynamicToolCall"
  readonly namespace: string | null
  readonly tool: string
  readonly arguments: unknown
  readonly status: CallStatus
  readonly contentItems: ReadonlyArray<DynamicOutput> | null
  readonly success: boolean | null
  readonly durationMs: number | null
}

/** How an agent stands. */
export interface AgentState {
  readonly status: "pendingInit" | "running" | "interrupted" | "completed" | "errored" | "shutdown" | "notFound"
  readonly message: string | null
}

/** A call of a tool that works with other agents. */
export interface CollabAgentToolCall extends Common {
  readonly type: "collabAgentToolCall"
  readonly tool: "spawnAgent" | "sendInput" | "resumeAgent" | "wait" | "closeAgent"
  readonly status: CallStatus
  readonly senderThreadId: string
  readonly receiverThreadIds: ReadonlyArray<string>
  readonly prompt: string | null
  readonly model: string | null
  readonly reasoningEffort: string | null
  readonly agentsStates: Readonly<Record<string, AgentState>>
}

/** What happened to a sub-agent. */
export interface SubAgentActivity extends Common {
  readonly type: "subAgentActivity"
  readonly kind: "started" | "interacted" | "interrupted" | "completed"
  readonly agentThreadId: string
  readonly agentPath: string
  readonly model: string | null
  readonly reasoningEffort: string | null
}

/** A search on the web. */
export interface WebSearch extends Common {
  readonly type: "webSearch"
  readonly query: string
  readonly action: SearchAction | null
  readonly results: ReadonlyArray<unknown> | null
}

/** An image that the agent looked at. */
export interface ImageView extends Common {
  readonly type: "imageView"
  readonly path: string
}

/** The agent waited. */
export interface Sleep extends Common {
  readonly type: "sleep"
  readonly durationMs: number
}

/** An image was made. */
export interface ImageGeneration extends Common {
  readonly type: "imageGeneration"
  readonly status: string
  readonly revisedPrompt: string | null
  readonly result: string
  readonly savedPath?: string
}

/** A review began or ended. */
export interface ReviewMode extends Common {
  readonly type: "enteredReviewMode" | "exitedReviewMode"
  readonly review: string
}

/** The history was compacted. */
export interface ContextCompaction extends Common {
  readonly type: "contextCompaction"
}

/** A thing that a thread shows. */
export type ThreadItem =
  | UserMessage
  | HookPrompt
  | AgentMessage
  | Plan
  | Reasoning
  | CommandExecution
  | FileChange
  | McpToolCall
  | DynamicToolCall
  | CollabAgentToolCall
  | SubAgentActivity
  | WebSearch
  | ImageView
  | Sleep
  | ImageGeneration
  | ReviewMode
  | ContextCompaction

/** What kind of thing it is. */
export type ThreadItemType = ThreadItem["type"]

/** When an item began and ended, as its record tells. */
export interface Times {
  readonly startedAtMs: number | null
  readonly completedAtMs: number | null
}

/** The times of an item whose record tells none: what is folded from legacy events. */
export const untimed: Times = { startedAtMs: null, completedAtMs: null }
