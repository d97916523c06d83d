/**
 * Actions of web searches with a tag that this version does not know, as a newer version may write them. The reference
 * reads them as `other` (rollout-format §4.2), and so do the views; the line keeps what it says.
 */
import * as WebSearchAction from "../WebSearchAction.js"
import { at, isObject, replacing } from "./Upcast.js"

const other = { type: "other" } as const

const action = (value: unknown): unknown =>
  isObject(value) && typeof value.type === "string" && !WebSearchAction.isKnown(value.type) ? other : value

const extensionTags = new Set(["search", "openPage", "findInPage", "other"])

const extensionAction = (value: unknown): unknown =>
  isObject(value) && typeof value.type === "string" && !extensionTags.has(value.type) ? other : value

const ofItem = (item: unknown): unknown => {
  if (!isObject(item)) return item
  if (item.type === "WebSearch") return at(item, "action", action)
  return item.type === "Extension" && item.kind === "web.search" ? at(item, "action", extensionAction) : item
}

/** Reads an unknown action of a `web_search_call` as `other`. */
export const unrecognizedCallAction = replacing("unrecognized-action", "response_item", (payload) =>
  isObject(payload) && payload.type === "web_search_call" ? at(payload, "action", action) : payload
)

/** Reads an unknown action of a search event or search item as `other`. */
export const unrecognizedEventAction = replacing("unrecognized-action", "event_msg", (payload) => {
  if (!isObject(payload)) return payload
  return payload.type === "web_search_end" ? at(payload, "action", action) : at(payload, "item", ofItem)
})
