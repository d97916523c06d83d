/** Hook prompts that the model's history holds as messages (thread-view §1.4, `response_item`). */
import * as XmlElement from "../../internal/XmlElement.js"
import type { ResponseItem } from "../../record/ResponseItem.js"
import * as Fragments from "../Fragment.js"
import type { HookPrompt } from "./ThreadItem.js"

type Fragment = HookPrompt["fragments"][number]

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
  const trimmed = Fragments.trimmed(text)
  const element = XmlElement.parse(trimmed, "hook_prompt", 0, trimmed.length)
  const hookRunId = element?.attributes.get("hook_run_id")
  if (element === undefined || hookRunId === undefined || Fragments.trimmed(hookRunId) === "") return undefined
  return { text: element.text, hookRunId }
}
