/** Hook prompts that the model's history holds as messages (thread-view §1.4, `response_item`). */
import type { ResponseItem } from "../../record/ResponseItem.js"
import type { HookPrompt } from "./ThreadItem.js"

type Fragment = HookPrompt["fragments"][number]

const element = /^\s*<hook_prompt\s+hook_run_id\s*=\s*(?:"([^"<]*)"|'([^'<]*)')\s*>([^<]*)<\/hook_prompt\s*>\s*$/

/** The prompts that a message consists of; undefined when it is of another role, or any part of it is something else. */
export const fragmentsOf = (item: ResponseItem): ReadonlyArray<Fragment> | undefined => {
  if (item.type !== "message" || item.role !== "user" || item.content.length === 0) return undefined
  const fragments: Array<Fragment> = []
  for (const part of item.content) {
    const fragment = part.type === "input_text" ? parse(part.text) : undefined
    if (fragment === undefined) return undefined
    fragments.push(fragment)
  }
  return fragments
}

const parse = (text: string): Fragment | undefined => {
  // Most messages are none, and some are long.
  if (!text.trimStart().startsWith("<hook_prompt")) return undefined
  const match = element.exec(text)
  if (match === null) return undefined
  const hookRunId = decoded(match[1] ?? match[2] ?? "")
  const inner = decoded(match[3] ?? "")
  if (hookRunId === undefined || inner === undefined || hookRunId.trim() === "") return undefined
  return { text: inner, hookRunId }
}

const named: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"]
])

/** The text with its XML entities decoded; undefined when one of them means nothing. */
const decoded = (text: string): string | undefined => {
  let bad = false
  const plain = text.replace(/&([^;&]*;?)/g, (_, body: string) => {
    const name = body.endsWith(";") ? body.slice(0, -1) : ""
    const character = named.get(name) ?? numeric(name)
    bad ||= character === undefined
    return character ?? ""
  })
  return bad ? undefined : plain
}

const numeric = (name: string): string | undefined => {
  const match = /^#(?:x([0-9a-f]+)|([0-9]+))$/i.exec(name)
  if (match === null) return undefined
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16)
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
  return isCharacter ? String.fromCodePoint(code) : undefined
}
