/**
 * From a history to the input of a request (replay-semantics §9, "prompt normalisation").
 *
 * Nothing here is ever stored: each request makes its input anew, and equal histories give equal inputs.
 */
import * as Sha1 from "../internal/Sha1.js"
import type { InputText } from "../record/Content.js"
import * as ResponseItem from "../record/ResponseItem.js"

type Item = ResponseItem.ResponseItem

/** What the model that reads the prompt can take. Both are taken unless said otherwise. */
export interface Options {
  readonly images?: boolean | undefined
  readonly audio?: boolean | undefined
}

/** Stands for an image that the model cannot take. */
export const imageOmitted = "image content omitted because you do not support image input"

/** Stands for audio that the model cannot take. */
export const audioOmitted = "audio content omitted because you do not support audio input"

/** The output that is inserted for a call that has none. */
export const aborted = "aborted"

/**
 * The namespace of the ids of inserted outputs: the reference's own, so that both make the same request of one thread
 * and a prompt cache serves either.
 */
export const outputNamespace = "90d38d3e-6a5b-4d52-bfe2-2f1e634bfac4"

/**
 * A history as a request's input: an output for every call, a call for every output, and no media that the model
 * cannot take.
 *
 * Idempotent; existing items keep their order; inserted outputs have the same id each time. The same reference when
 * nothing changes. Cost: two passes over the items.
 */
export const normalise = (history: ReadonlyArray<Item>, options: Options = {}): ReadonlyArray<Item> => {
  const ids = collectIds(history)
  const prompt: Array<Item> = []
  let changed = false
  for (const item of history) {
    if (isOrphan(item, ids)) {
      changed = true
      continue
    }
    const readable = withoutMedia(item, options)
    prompt.push(readable)
    const inserted = missingOutput(item, ids)
    if (inserted !== undefined) prompt.push(inserted)
    changed ||= readable !== item || inserted !== undefined
  }
  return changed ? prompt : history
}

/**
 * Whether an item is part of the history that a model sees: neither a message of role system, nor a
 * `compaction_trigger`, nor of a type that is not known. `additional_tools` items are (replay-semantics §1.4). Cost:
 * constant.
 */
export const isModelVisible = (item: { readonly type: string; readonly role?: unknown }): boolean =>
  ResponseItem.isKnown(item.type) &&
  item.type !== "compaction_trigger" &&
  !(item.type === "message" && item.role === "system")

/**
 * The input for a provider: one that is not OpenAI is not sent the metadata passthrough of items (rollout-format
 * §4.1). The same reference when nothing changes. Cost: one copy of each item that has it.
 */
export const stripForProvider = (
  items: ReadonlyArray<Item>,
  provider: { readonly openAi: boolean }
): ReadonlyArray<Item> => {
  if (provider.openAi || !items.some((item) => passthrough in item)) return items
  return items.map((item) => {
    if (!(passthrough in item)) return item
    const { [passthrough]: _, ...rest } = item
    return rest
  })
}

const passthrough = "internal_chat_message_metadata_passthrough"

/** Call ids by what they belong to. An output of a function call may answer a local shell call too. */
interface Ids {
  readonly functionCalls: Set<string>
  readonly functionOutputs: Set<string>
  readonly customCalls: Set<string>
  readonly customOutputs: Set<string>
  readonly searchCalls: Set<string>
  readonly searchOutputs: Set<string>
}

const collectIds = (items: ReadonlyArray<Item>): Ids => {
  const ids: Ids = {
    functionCalls: new Set(),
    functionOutputs: new Set(),
    customCalls: new Set(),
    customOutputs: new Set(),
    searchCalls: new Set(),
    searchOutputs: new Set()
  }
  for (const item of items) {
    const set = setOf(item, ids)
    if (set !== undefined && "call_id" in item && typeof item.call_id === "string") set.add(item.call_id)
  }
  return ids
}

const setOf = (item: Item, ids: Ids): Set<string> | undefined => {
  switch (item.type) {
    case "function_call":
    case "local_shell_call":
      return ids.functionCalls
    case "function_call_output":
      return ids.functionOutputs
    case "custom_tool_call":
      return ids.customCalls
    case "custom_tool_call_output":
      return ids.customOutputs
    case "tool_search_call":
      return ids.searchCalls
    case "tool_search_output":
      return ids.searchOutputs
    default:
      return undefined
  }
}

/** Whether an item is an output whose call is missing. One without `call_id` belongs to no call and always stays. */
const isOrphan = (item: Item, ids: Ids): boolean => {
  switch (item.type) {
    case "function_call_output":
      return typeof item.call_id === "string" && !ids.functionCalls.has(item.call_id)
    case "custom_tool_call_output":
      return !ids.customCalls.has(item.call_id)
    case "tool_search_output":
      return item.execution !== "server" && typeof item.call_id === "string" && !ids.searchCalls.has(item.call_id)
    default:
      return false
  }
}

/** The output to insert behind an item, when it is a call that has none anywhere. */
const missingOutput = (item: Item, ids: Ids): Item | undefined => {
  switch (item.type) {
    case "function_call":
    case "local_shell_call":
      return typeof item.call_id === "string" && !ids.functionOutputs.has(item.call_id)
        ? { type: "function_call_output", ...outputId("fco", item), call_id: item.call_id, output: aborted }
        : undefined
    case "custom_tool_call":
      return ids.customOutputs.has(item.call_id)
        ? undefined
        : { type: "custom_tool_call_output", ...outputId("ctco", item), call_id: item.call_id, output: aborted }
    case "tool_search_call":
      return typeof item.call_id === "string" && !ids.searchOutputs.has(item.call_id)
        ? {
            type: "tool_search_output",
            ...outputId("tso", item),
            call_id: item.call_id,
            status: "completed",
            execution: "client",
            tools: []
          }
        : undefined
    default:
      return undefined
  }
}

const outputId = (prefix: string, call: { readonly id?: string | null | undefined }): { readonly id?: string } =>
  call.id === undefined || call.id === null || call.id === ""
    ? {}
    : { id: `${prefix}_${Sha1.uuidV5(outputNamespace, `${prefix}:${call.id}`)}` }

const withoutMedia = (item: Item, options: Options): Item => {
  if (options.images !== false && options.audio !== false) return item
  switch (item.type) {
    case "message": {
      const content = partsWithoutMedia(item.content, options)
      return content === item.content ? item : { ...item, content }
    }
    case "function_call_output":
    case "custom_tool_call_output": {
      if (typeof item.output === "string") return item
      const output = partsWithoutMedia(item.output, options)
      return output === item.output ? item : { ...item, output }
    }
    case "image_generation_call":
      return options.images === false && item.result !== "" ? { ...item, result: "" } : item
    default:
      return item
  }
}

const partsWithoutMedia = <P extends { readonly type: string }>(
  parts: ReadonlyArray<P>,
  options: Options
): ReadonlyArray<P | InputText> => {
  let changed = false
  const kept = parts.map((part): P | InputText => {
    const omitted =
      part.type === "input_image" && options.images === false
        ? imageOmitted
        : part.type === "input_audio" && options.audio === false
          ? audioOmitted
          : undefined
    if (omitted === undefined) return part
    changed = true
    return { type: "input_text", text: omitted }
  })
  return changed ? kept : parts
}
