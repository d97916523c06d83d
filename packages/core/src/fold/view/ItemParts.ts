/** What canonical items and legacy events say alike, and how the view spells it (thread-view §1.6). */
import type { ParsedCommand } from "../../record/Command.js"
import type { CallToolResult } from "../../record/McpResult.js"
import type { MemoryCitation } from "../../record/Memory.js"
import type { FileChanges } from "../../record/Patch.js"
import { canonicalUuid, type Duration } from "../../record/Primitive.js"
import type { AgentStatus, AgentStatuses } from "../../record/SubAgent.js"
import type * as UserInput from "../../record/UserInput.js"
import type { WebSearchAction } from "../../record/WebSearchAction.js"
import type { Convention, NativePath } from "./NativePath.js"
import * as NativePathOps from "./NativePath.js"
import type * as View from "./ThreadItem.js"

/** What a conversion can be told. */
export interface Options {
  /** How the host spells its paths; what commands read elsewhere cannot be named (thread-view §1.6). Default `posix`. */
  readonly paths?: Convention | undefined
}

/** A span of time in whole milliseconds. */
export const milliseconds = (duration: Duration | null | undefined): number | null =>
  duration === null || duration === undefined ? null : duration.secs * 1000 + Math.floor(duration.nanos / 1_000_000)

/** The stretches of a text that stand for something else. */
export const textElements = (all: ReadonlyArray<UserInput.TextElement> | undefined): ReadonlyArray<View.TextElement> =>
  all === undefined || all.length === 0
    ? none
    : all.map(({ byte_range: { end, start }, placeholder }) => ({
        byteRange: { start, end },
        placeholder: placeholder ?? null
      }))

/** Shared: most texts have none, and each has its list for as long as the view is kept. */
const none: ReadonlyArray<View.TextElement> = []

/** The memory that an answer cites; its rollout ids are thread ids. */
export const citation = (from: MemoryCitation | null | undefined): View.MemoryCitation | null =>
  from === null || from === undefined
    ? null
    : {
        entries: from.entries.map(({ lineEnd, lineStart, note, path }) => ({ path, lineStart, lineEnd, note })),
        threadIds: from.rolloutIds
      }

/** What a command does. Reads of a host with another convention have no path here and are left out. */
export const commandActions = (
  parsed: ReadonlyArray<ParsedCommand>,
  cwd: NativePath,
  options: Options
): ReadonlyArray<View.CommandAction> => {
  const isNative = cwd.convention === (options.paths ?? "posix")
  return parsed.filter(({ type }) => isNative || type !== "read").map((one) => commandAction(one, cwd))
}

const commandAction = (parsed: ParsedCommand, cwd: NativePath): View.CommandAction => {
  switch (parsed.type) {
    case "read": {
      const path = NativePathOps.resolve(cwd, parsed.path)
      return { type: "read", command: parsed.cmd, name: parsed.name, path }
    }
    case "list_files":
      return { type: "listFiles", command: parsed.cmd, path: parsed.path ?? null }
    case "search":
      return { type: "search", command: parsed.cmd, query: parsed.query ?? null, path: parsed.path ?? null }
    case "unknown":
      return { type: "unknown", command: parsed.cmd }
  }
}

const sources = {
  agent: "agent",
  user_shell: "userShell",
  unified_exec_startup: "unifiedExecStartup",
  unified_exec_interaction: "unifiedExecInteraction"
} as const

/** Who ran a command. */
export const commandSource = (source: keyof typeof sources): View.CommandSource => sources[source]

/** A status under its camelCase name. */
export const status = <S extends "completed" | "failed" | "declined">(from: "in_progress" | S): "inProgress" | S =>
  from === "in_progress" ? "inProgress" : (from as S)

/** Changes of files, sorted by path. */
export const fileUpdates = (changes: FileChanges): ReadonlyArray<View.FileUpdate> =>
  Object.keys(changes)
    .sort(byCodePoint)
    .map((path): View.FileUpdate => {
      const change = changes[path] as FileChanges[string]
      if (change.type !== "update") return { path, kind: { type: change.type }, diff: change.content }
      const to = change.move_path ?? null
      return {
        path,
        kind: { type: "update", move_path: to },
        diff: to === null ? change.unified_diff : `${change.unified_diff}\n\nMoved to: ${to}`
      }
    })

/** The order of UTF-8 bytes, which is not that of UTF-16 units. */
export const byCodePoint = (left: string, right: string): number => {
  const end = Math.min(left.length, right.length)
  let at = 0
  while (at < end && left.charCodeAt(at) === right.charCodeAt(at)) at++
  if (at === end) return left.length - right.length
  const one = left.charCodeAt(at)
  const other = right.charCodeAt(at)
  const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff
  return isSurrogate(one) === isSurrogate(other) ? one - other : isSurrogate(one) ? 1 : -1
}

/** Of a result only what clients are shown. */
export const callResult = (from: CallToolResult): NonNullable<View.McpToolCall["result"]> => ({
  content: from.content,
  structuredContent: from.structuredContent ?? null,
  _meta: from._meta ?? null
})

interface AppFields {
  readonly connector?: string | null | undefined
  readonly resource?: string | null | undefined
  readonly link?: string | null | undefined
  readonly app?: string | null | undefined
  readonly action?: string | null | undefined
}

/** The app that a tool belongs to; there is one exactly when there is a connector. */
export const app = (from: AppFields): Pick<View.McpToolCall, "appContext" | "mcpAppResourceUri"> => {
  const resourceUri = from.resource ?? null
  return {
    appContext:
      from.connector === null || from.connector === undefined
        ? null
        : {
            connectorId: from.connector,
            linkId: from.link ?? null,
            resourceUri,
            appName: from.app ?? null,
            actionName: from.action ?? null
          },
    ...(resourceUri === null ? {} : { mcpAppResourceUri: resourceUri })
  }
}

/** What a search did, in camelCase. */
export const searchAction = (action: WebSearchAction): NonNullable<View.WebSearch["action"]> => {
  switch (action.type) {
    case "search":
      return { type: "search", query: action.query ?? null, queries: action.queries ?? null }
    case "open_page":
      return { type: "openPage", url: action.url ?? null }
    case "find_in_page":
      return { type: "findInPage", url: action.url ?? null, pattern: action.pattern ?? null }
    case "other":
      return { type: "other" }
  }
}

const agentStatuses = {
  pending_init: "pendingInit",
  running: "running",
  interrupted: "interrupted",
  shutdown: "shutdown",
  not_found: "notFound"
} as const

/** How an agent stands. */
export const agentState = (from: AgentStatus): View.AgentState => {
  if (typeof from === "string") return { status: agentStatuses[from], message: null }
  return "completed" in from
    ? { status: "completed", message: from.completed }
    : { status: "errored", message: from.errored }
}

/** How several agents stand, by thread id. */
export const agentStates = (from: AgentStatuses | undefined): Readonly<Record<string, View.AgentState>> =>
  Object.fromEntries(Object.entries(from ?? {}).map(([id, one]) => [canonicalUuid(id), agentState(one)]))

/** Whether an agent that stands so makes the call that met it a failed one. */
export const isFailure = (from: AgentStatus): boolean =>
  from === "not_found" || (typeof from === "object" && "errored" in from)
