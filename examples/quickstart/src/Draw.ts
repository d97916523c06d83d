/** Threads for a terminal. Colours only where somebody looks, and not with NO_COLOR. */
import * as Fold from "@skein/core/fold/Fold"
import type { ThreadItem } from "@skein/core/fold/view/ThreadItem"
import type { Turn } from "@skein/core/fold/view/Turn"
import type { StoredRecord } from "@skein/core/record/Record"
import type { Summary } from "@skein/store/Summary"
import type { Skein } from "skein"

type Mark = (text: string) => string

/** Marks in a text. */
export type Style = Readonly<Record<"strong" | "dim" | "good" | "warn" | "bad", Mark>>

/** The marks for a stream. */
export const styleOf = (stream: { readonly isTTY?: boolean }): Style => {
  const coloured = stream.isTTY === true && (process.env.NO_COLOR ?? "") === ""
  const mark =
    (code: number): Mark =>
    (text) =>
      coloured ? `\u001b[${code}m${text}\u001b[0m` : text
  return { strong: mark(1), dim: mark(2), good: mark(32), warn: mark(33), bad: mark(31) }
}

/** A thread turn by turn. */
export const timeline = (thread: Summary, turns: ReadonlyArray<Turn>, style: Style): ReadonlyArray<string> => [
  `${style.good("●")} ${style.strong(thread.name ?? thread.agentPath ?? thread.preview)} ${style.dim(thread.id)}${
    thread.forkedFromId === undefined ? "" : style.dim(" (a fork)")
  }`,
  ...turns.flatMap((turn, i) => [
    `  ├ turn ${i + 1} ${turn.status === "completed" ? style.good(turn.status) : style.warn(turn.status)}`,
    ...turn.items.map((item) => `  │   ${style.dim(nameOf(item).padEnd(11))}${textOf(item)}`)
  ])
]

const names: Partial<Record<ThreadItem["type"], string>> = {
  userMessage: "user",
  agentMessage: "agent",
  contextCompaction: "compaction",
  subAgentActivity: "sub-agent"
}

const nameOf = ({ type }: ThreadItem): string => names[type] ?? type

const textOf = (item: ThreadItem): string => {
  switch (item.type) {
    case "userMessage":
      return item.content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join(" ")
    case "agentMessage":
      return item.text
    case "subAgentActivity":
      return `${item.kind} ${item.agentPath}`
    case "contextCompaction":
      return "a new context window"
    default:
      return ""
  }
}

/** Its context windows, as a fold of one's own over its records. */
export const windows = async (
  skein: Skein.Skein,
  id: string,
  current: number,
  style: Style
): Promise<ReadonlyArray<string>> => {
  const sizes = Fold.make([0], (counts: ReadonlyArray<number>, record: StoredRecord) => {
    if (record.kind === "compacted") return [...counts, 0]
    const isItem = record.kind === "response_item"
    return isItem ? [...counts.slice(0, -1), (counts.at(-1) ?? 0) + 1] : counts
  })
  const { state } = await skein.fold(id, sizes)
  const drawn = state.map((items, number) => `window ${number} ▕${"█".repeat(items)}▏ ${items} items recorded`)
  return [
    ...drawn.map((line, number) => `  ${number < state.length - 1 ? "├" : "└"} ${style.dim(line)}`),
    `    the model is in window ${current}`
  ]
}

/** The agents below each other. */
export const agents = (threads: ReadonlyArray<Summary>, style: Style): ReadonlyArray<string> => {
  const below = (parent: string | undefined, indent: string): ReadonlyArray<string> => {
    const children = threads.filter(({ parentThreadId }) => parentThreadId === parent)
    return children.flatMap((one, i) => {
      const isLast = i === children.length - 1
      const branch = parent === undefined ? "  " : `${indent}${isLast ? "└─ " : "├─ "}`
      const name = one.agentPath ?? one.name ?? one.preview
      return [
        `${branch}${name}${one.agentNickname === undefined ? "" : ` (${one.agentNickname})`} ${style.dim(one.id)}`,
        ...below(one.id, parent === undefined ? "  " : `${indent}${isLast ? "   " : "│  "}`)
      ]
    })
  }
  return below(undefined, "")
}
