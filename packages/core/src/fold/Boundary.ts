/**
 * Where a turn of the user begins, told from the items of a history alone (replay-semantics §0).
 */
import { parseEnvelope } from "../record/InterAgentCommunication.js"
import type { Message, ResponseItem } from "../record/ResponseItem.js"
import * as Fragment from "./Fragment.js"

/** The first line of every compaction summary that the reference has written since 0.63.0. */
export const summaryLine =
  "Another language model started to solve this problem and produced a summary of its thinking process. You also have access to the state of the tools that were used by that language model. Use this to build on the work that has already been done and avoid duplicating work. Here is the summary produced by the other language model, use the information in this summary to assist with your own analysis:"

const summaryHead = `${summaryLine}\n`

/**
 * Whether a user text is a compaction summary: it starts with {@link summaryLine} and a line feed (replay-semantics
 * §0). Summaries of 0.42.0 lack that line and read as ordinary texts. Cost: the length of that line at most.
 */
export const isSummary = (text: string): boolean => text.startsWith(summaryHead)

/**
 * Whether an item is an instruction boundary (replay-semantics §0): an agent message, a user message without
 * contextual part, or an assistant message that is an {@link isEnvelope inter-agent envelope}. Whether a compaction
 * summary is one, the registry says. Cost: constant, but linear for an envelope and for a contextual look-alike.
 */
export const isBoundary = (item: ResponseItem, registry: Fragment.Registry = Fragment.newest): boolean => {
  if (item.type === "agent_message") return true
  if (item.type !== "message") return false
  if (item.role === "user") {
    return registry.summaryIsBoundary ? !hasContextualUser(item, registry) : isRealUserMessage(item, registry)
  }
  return isEnvelope(item)
}

/** Whether an item is a user message with a contextual part, whatever else it holds. Cost: as {@link isBoundary}. */
export const isContextualUserMessage = (item: ResponseItem, registry: Fragment.Registry = Fragment.newest): boolean =>
  item.type === "message" && item.role === "user" && hasContextualUser(item, registry)

/** Whether an item is a developer message with a contextual part, whatever else it holds. Cost: constant per part. */
export const isContextualDeveloperMessage = (
  item: ResponseItem,
  registry: Fragment.Registry = Fragment.newest
): boolean => {
  if (item.type !== "message" || item.role !== "developer") return false
  for (const part of item.content) {
    if (part.type === "input_text" && Fragment.isContextualDeveloper(part.text, registry)) return true
  }
  return false
}

/**
 * Whether an item is what a user said: a user message that has no contextual part and is no compaction summary
 * (replay-semantics §1.4). Cost: as {@link isBoundary}.
 */
export const isRealUserMessage = (
  item: ResponseItem,
  registry: Fragment.Registry = Fragment.newest
): item is Message => {
  if (item.type !== "message" || item.role !== "user" || hasContextualUser(item, registry)) return false
  const { content } = item
  if (content.length === 1) {
    const [only] = content
    return only?.type !== "input_text" || !isSummary(only.text)
  }
  let head = ""
  for (const text of userTexts(item)) {
    head += text
    if (head.length >= summaryHead.length) break
  }
  return !isSummary(head)
}

/**
 * The texts of a user message: its `input_text` parts in order, without the labels beside an image part
 * (replay-semantics §1.4). Joined without separator they are the text of the message. Cost: constant per part.
 */
export const userTexts = (message: Message): ReadonlyArray<string> => {
  const { content } = message
  const texts: Array<string> = []
  for (let i = 0; i < content.length; i++) {
    const part = content[i]
    if (part?.type !== "input_text") continue
    const label =
      (isImageOpening(part.text) && content[i + 1]?.type === "input_image") ||
      (part.text === "</image>" && content[i - 1]?.type === "input_image")
    if (!label) texts.push(part.text)
  }
  return texts
}

const isImageOpening = (text: string): boolean =>
  text === "<image>" || (text.startsWith("<image name=") && text.endsWith(">"))

const hasContextualUser = (message: Message, registry: Fragment.Registry): boolean => {
  for (const part of message.content) {
    if (part.type === "input_text" && Fragment.isContextualUser(part.text, registry)) return true
  }
  return false
}

/**
 * Whether an item is mail in its oldest form: an assistant message whose only part is the JSON text of an inter-agent
 * communication (rollout-format §3.2). Cost: constant for a text that does not start like a JSON object, else a parse.
 */
export const isEnvelope = (item: ResponseItem): boolean => {
  if (item.type !== "message" || item.role !== "assistant" || item.content.length !== 1) return false
  const [part] = item.content
  return (part?.type === "output_text" || part?.type === "input_text") && parseEnvelope(part.text) !== undefined
}
