/**
 * How items of the model's history are recorded: with the turn that they belong to, and with what a client is shown of
 * them (rollout-format §4.1 and §5.3).
 *
 * What a message, a thought or a search of the provider comes to in the view follows from the item itself, so whoever
 * records it need not say it twice. Calls of tools and their outputs are shown as what they did, which only the host
 * knows: it tells by {@link Item.completed}.
 */
import * as Either from "effect/Either"
import type { ActiveTurn, Identity } from "../fold/ActiveTurn.js"
import type * as Mark from "../record/Mark.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import * as Items from "../record/ResponseItem.js"
import type { TurnItem } from "../record/TurnItem.js"
import type { WebSearchAction } from "../record/WebSearchAction.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as Item from "./Item.js"
import * as PersistencePolicy from "./PersistencePolicy.js"

/** Items to record, in the order in which the model is to see them. */
export interface Command {
  readonly items: ReadonlyArray<ResponseItem>
  /** Whether older readers are told of the model's thinking itself and not only of its summary. Default no. */
  readonly rawReasoning?: boolean | undefined
}

/**
 * The records of items: each with the id of the turn that runs, behind the snapshot of what it shows. Items that no log
 * keeps (a `compaction_trigger`) are left out. Cost: their fields, and {@link Drafts.check}.
 *
 * Without a running turn the items are recorded as they are and shown nowhere, as injected ones.
 *
 * Errors: `InvalidRequest` for no items and for one of no known shape, `Conflict` without a header.
 */
export const record = (command: Command, state: { readonly turn: ActiveTurn }, facts: Facts): Decision => {
  const { active, thread } = state.turn
  if (thread === undefined) return Item.noHeader
  if (command.items.length === 0) {
    return Errors.invalid("items", "empty", "there are no items", "Record at least one item")
  }
  const drafts: Array<Draft> = []
  for (const [i, item] of command.items.entries()) {
    const checked = Drafts.check([Drafts.item(facts, item)], `items.${i}`)
    if (Either.isLeft(checked)) return checked
    if (PersistencePolicy.items[item.type][thread.mode] === "drop") continue
    const name = `item ${i}`
    if (active === undefined) drafts.push(Drafts.item(facts, identified(item, thread, facts, name)))
    else drafts.push(...ofTurn(item, active.id, thread, facts, { name, rawReasoning: command.rawReasoning }))
  }
  return Either.right(drafts)
}

/** What else the records of an item say. */
export interface Options {
  /** What the decision calls the item, should it need an id; unlike any other in it. */
  readonly name: string
  readonly rawReasoning?: boolean | undefined
  /** A mark on the item itself. */
  readonly mark?: Mark.Extras | undefined
}

/** The records of an item of a turn: what it shows, then the item. Cost: its fields. */
export const ofTurn = (
  item: ResponseItem,
  turnId: string,
  thread: Identity,
  facts: Facts,
  options: Options
): ReadonlyArray<Draft> => {
  const known = identified(item, thread, facts, options.name)
  const shown = shownAs(known)
  const drafts =
    shown === undefined
      ? []
      : Item.snapshot(
          { item: shown, turnId, threadId: thread.id, mode: thread.mode, rawReasoning: options.rawReasoning },
          facts
        )
  return [...drafts, Drafts.item(facts, stamped(known, turnId), options.mark)]
}

/**
 * The item with the id of its turn, as the provider is told it; a turn that it names already stays (rollout-format
 * §4.1). Kinds that have no place for it stay as they are.
 */
export const stamped = (item: ResponseItem, turnId: string): ResponseItem => {
  if (item.type === "additional_tools" || item.type === "compaction_trigger") return written(item)
  const passthrough = item.internal_chat_message_metadata_passthrough ?? undefined
  const known = passthrough?.turn_id ?? ""
  return written(
    known === "" ? { ...item, internal_chat_message_metadata_passthrough: { ...passthrough, turn_id: turnId } } : item
  )
}

const prefixes: Readonly<Partial<Record<ResponseItem["type"], string>>> = {
  message: "msg",
  agent_message: "amsg",
  reasoning: "rs",
  local_shell_call: "lsh",
  function_call: "fc",
  function_call_output: "fco",
  custom_tool_call: "ctc",
  custom_tool_call_output: "ctco",
  tool_search_call: "tsc",
  tool_search_output: "tso",
  web_search_call: "ws",
  image_generation_call: "ig",
  compaction: "cmp",
  context_compaction: "cmp"
}

/**
 * The item with an id where it needs one and has none: in a paginated log each item does, in a legacy log those that
 * clients are shown (rollout-format §4.1 and §4.2).
 */
export const identified = (item: ResponseItem, thread: Identity, facts: Facts, name: string): ResponseItem => {
  const prefix = prefixes[item.type]
  if (prefix === undefined || (thread.mode === "legacy" && shownAs(item) === undefined)) return item
  const known = "id" in item ? (item.id ?? "") : ""
  return known === "" ? ({ ...item, id: `${prefix}_${Drafts.freshId(facts, name)}` } as ResponseItem) : item
}

/** The item as it is written: keys in order, what is unset left out or null as the format has it. */
export const written = (item: ResponseItem): ResponseItem =>
  (Items.variants[item.type].make as (input: ResponseItem) => ResponseItem)(item)

/** What a client is shown of an item; undefined for items that show nothing by themselves. */
export const shownAs = (item: ResponseItem): TurnItem | undefined => {
  switch (item.type) {
    case "message": {
      if (item.role !== "assistant") return undefined
      const content: Array<{ readonly type: "Text"; readonly text: string }> = []
      for (const part of item.content) {
        if (part.type === "output_text") content.push({ type: "Text", text: part.text })
      }
      if (content.every(({ text }) => text === "")) return undefined
      return { type: "AgentMessage", id: item.id ?? "", content, phase: item.phase }
    }
    case "reasoning":
      return {
        type: "Reasoning",
        id: item.id ?? "",
        summary_text: item.summary.map(({ text }) => text),
        raw_content: (item.content ?? []).map(({ text }) => text)
      }
    case "web_search_call": {
      const action = item.action ?? { type: "other" }
      return { type: "WebSearch", id: item.id ?? "", query: queryOf(action), action }
    }
    case "image_generation_call": {
      const { id, result, revised_prompt, status } = item
      return { type: "ImageGeneration", id: id ?? "", status, revised_prompt, result }
    }
    default:
      return undefined
  }
}

/** What a search looked for, in one line. */
const queryOf = (action: WebSearchAction): string => {
  switch (action.type) {
    case "search":
      return action.query ?? action.queries?.[0] ?? ""
    case "open_page":
      return action.url ?? ""
    case "find_in_page": {
      const { pattern, url } = action
      if (pattern === undefined || pattern === null) return url ?? ""
      return url === undefined || url === null ? `'${pattern}'` : `'${pattern}' in ${url}`
    }
    case "other":
      return ""
  }
}
