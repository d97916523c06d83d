/** Turns and items as a person reads them. */
import type { ThreadItem, UserInput } from "@skein/core/fold/view/ThreadItem"
import type { Turn, TurnFacts } from "@skein/core/fold/view/Turn"
import * as Text from "./Text.js"

/** Lines of output, of a diff or of thinking that are shown; the rest is counted. */
const shownLines = 8

/** How wide the names of items are set. */
export const margin = 12

/** A turn: a heading, then a block for each item. */
export const turn = (one: Turn, number: number, style: Text.Style): ReadonlyArray<string> => [
  `  ${heading(one, number, style)}${one.items.length === 0 ? " · nothing to show" : ""}`,
  ...one.items.flatMap((item) => block(item, style)),
  ...(one.error === null ? [] : entry("error", linesOf(one.error.message), style.bad))
]

/** What a turn comes to, on one line. */
export const heading = (one: TurnFacts, number: number, style: Text.Style): string => {
  const facts = [
    statusOf(one, style),
    one.startedAt === null ? undefined : time(one.startedAt),
    one.durationMs === null ? undefined : duration(one.durationMs)
  ].filter((fact) => fact !== undefined)
  return `${style.strong(`turn ${number}`)} ${style.dim(Text.brief(one.id, 64))} · ${facts.join(" · ")}`
}

const statusOf = ({ status }: TurnFacts, style: Text.Style): string => {
  if (status === "completed") return style.good(status)
  return status === "failed" ? style.bad(status) : style.warn(status)
}

/** A moment to the second, in UTC. */
const time = (seconds: number): string => {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime())
    ? `at ${seconds} s`
    : date
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, "")
}

/** A span of time as a person says it. */
export const duration = (milliseconds: number): string => {
  if (milliseconds < 1000) return `${milliseconds} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`
  const minutes = Math.floor(milliseconds / 60_000)
  const seconds = Math.floor((milliseconds % 60_000) / 1000)
  return minutes < 60 ? `${minutes} min ${seconds} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const none = (text: string): string => text

/** A name in the margin with lines of text beside it. */
const entry = (
  name: string,
  texts: ReadonlyArray<string>,
  mark: (text: string) => string = none
): ReadonlyArray<string> => texts.map((text, i) => `  ${mark((i === 0 ? name : "").padEnd(margin))}${text}`.trimEnd())

/** The lines of a text without the control characters that must not reach a terminal. */
const linesOf = (text: string): ReadonlyArray<string> =>
  text
    .replace(/\s+$/, "")
    .split(/\r?\n/)
    .map((line) => line.replaceAll("\t", "    ").replace(/[\p{Cc}\u2028\u2029]/gu, "·"))

const clipped = (text: string, style: Text.Style): ReadonlyArray<string> => {
  const lines = linesOf(text)
  const head = lines.slice(0, shownLines).map((line) => style.dim(line.length > 200 ? `${line.slice(0, 199)}…` : line))
  const more = lines.length - shownLines
  return more > 0 ? [...head, style.dim(`… ${Text.plural(more, "more line")}`)] : head
}

/** An item as a block: its name in the margin, what it says beside it. */
export const block = (item: ThreadItem, style: Text.Style): ReadonlyArray<string> => {
  switch (item.type) {
    case "userMessage":
      return entry("user", linesOf(item.content.map(input).join("\n")), style.strong)
    case "agentMessage":
      return entry("agent", linesOf(item.text), style.good)
    case "plan":
      return entry("plan", linesOf(item.text), style.good)
    case "reasoning":
      return entry("thinking", clipped(thoughts(item), style), style.dim)
    case "commandExecution":
      return entry("command", [title(item, style), ...output(item.aggregatedOutput, style)], style.dim)
    case "fileChange":
      return entry(
        "files",
        [
          title(item, style),
          ...item.changes.map(({ kind, path }) => `${sign(kind.type)} ${Text.brief(path)}${movedTo(kind)}`)
        ],
        style.dim
      )
    case "enteredReviewMode":
    case "exitedReviewMode":
      return entry("review", linesOf(item.review), style.strong)
    case "hookPrompt":
      return entry("hook", linesOf(item.fragments.map(({ text }) => text).join("\n")), style.dim)
    default:
      return entry(nameOf(item), [title(item, style)], style.dim)
  }
}

/** An item on one line. */
export const line = (item: ThreadItem, style: Text.Style): string =>
  `${style.dim(nameOf(item).padEnd(margin))}${title(item, style)}`

const sign = (kind: "add" | "delete" | "update"): string => ({ add: "+", delete: "-", update: "~" })[kind]

const movedTo = (kind: { readonly type: string; readonly move_path?: string | null }): string =>
  kind.move_path === null || kind.move_path === undefined ? "" : ` → ${Text.brief(kind.move_path)}`

const output = (text: string | null, style: Text.Style): ReadonlyArray<string> =>
  text === null ? [] : clipped(text, style)

const thoughts = ({ content, summary }: Extract<ThreadItem, { readonly type: "reasoning" }>): string =>
  [...summary, ...content].join("\n")

const input = (part: UserInput): string => {
  switch (part.type) {
    case "text":
      return part.text
    case "image":
    case "audio":
      return `[${part.type}${part.url.startsWith("data:") ? "" : ` ${part.url}`}]`
    case "localImage":
    case "localAudio":
      return `[${part.type === "localImage" ? "image" : "audio"} ${part.path}]`
    case "skill":
    case "mention":
      return `[${part.type} ${part.name}]`
  }
}

/** What each kind of item is called. */
export const names: Readonly<Record<ThreadItem["type"], string>> = {
  userMessage: "user",
  hookPrompt: "hook",
  agentMessage: "agent",
  plan: "plan",
  reasoning: "thinking",
  commandExecution: "command",
  fileChange: "files",
  mcpToolCall: "tool",
  dynamicToolCall: "tool",
  collabAgentToolCall: "agents",
  subAgentActivity: "sub-agent",
  webSearch: "search",
  imageView: "image",
  sleep: "sleep",
  imageGeneration: "image",
  enteredReviewMode: "review",
  exitedReviewMode: "review",
  contextCompaction: "compaction"
}

const nameOf = (item: ThreadItem): string => names[item.type]

/** What an item comes to, on one line. */
const title = (item: ThreadItem, style: Text.Style): string => {
  switch (item.type) {
    case "userMessage":
      return Text.brief(item.content.map(input).join(" "))
    case "agentMessage":
    case "plan":
      return Text.brief(item.text)
    case "hookPrompt":
      return Text.brief(item.fragments.map(({ text }) => text).join(" "))
    case "reasoning":
      return Text.brief(thoughts(item))
    case "commandExecution":
      return `$ ${Text.brief(item.command)}${outcome(item, item.exitCode, style)}`
    case "fileChange":
      return `${Text.plural(item.changes.length, "file")}${outcome({ ...item, durationMs: null }, null, style)}`
    case "mcpToolCall":
      return `${Text.brief(`${item.server}.${item.tool} ${JSON.stringify(item.arguments)}`)}${outcome(item, null, style)}`
    case "dynamicToolCall":
      return `${Text.brief(`${item.tool} ${JSON.stringify(item.arguments)}`)}${outcome(item, null, style)}`
    case "collabAgentToolCall":
      return Text.brief(`${item.tool} ${item.receiverThreadIds.join(", ")} ${item.prompt ?? ""}`)
    case "subAgentActivity":
      return Text.brief(`${item.kind} ${item.agentPath}`)
    case "webSearch":
      return Text.brief(item.query === "" ? (item.action?.type ?? "") : item.query)
    case "imageView":
      return Text.brief(item.path)
    case "sleep":
      return duration(item.durationMs)
    case "imageGeneration":
      return Text.brief(item.savedPath ?? item.revisedPrompt ?? item.status)
    case "enteredReviewMode":
    case "exitedReviewMode":
      return Text.brief(item.review)
    case "contextCompaction":
      return style.dim("the history was compacted")
  }
}

const outcome = (
  item: { readonly status: string; readonly durationMs: number | null },
  exitCode: number | null,
  style: Text.Style
): string => {
  const facts = [
    item.status === "completed" ? undefined : item.status === "inProgress" ? "in progress" : item.status,
    exitCode === null || exitCode === 0 ? undefined : `exit ${exitCode}`,
    item.durationMs === null || item.durationMs < 100 ? undefined : duration(item.durationMs)
  ].filter((fact) => fact !== undefined)
  if (facts.length === 0) return ""
  const text = ` (${facts.join(", ")})`
  return item.status === "failed" || item.status === "declined" ? style.bad(text) : style.dim(text)
}
