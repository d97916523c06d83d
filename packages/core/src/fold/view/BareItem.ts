/**
 * What logs of 0.20.0 tell of a thread. They hold the items of the model's history and no events, and no later reader
 * takes them; here the items that a user saw are read as the events that later releases wrote beside them.
 */
import type { EventMsg } from "../../record/EventMsg.js"
import * as Bare from "../../record/legacy/Bare.js"
import type { StoredRecord } from "../../record/Record.js"
import type { ResponseItem } from "../../record/ResponseItem.js"
import * as Boundary from "../Boundary.js"

/** Whether a record is a line of 0.20.0. */
export const isBare = (record: StoredRecord): boolean => record.upcast?.split(", ").includes(Bare.name) === true

/** The events that an item stands for: messages and thinking. What the client told the model is none of them. */
export const toEvents = (item: ResponseItem): ReadonlyArray<EventMsg> => {
  if (item.type === "reasoning") {
    return [
      ...item.summary.map(({ text }) => ({ type: "agent_reasoning" as const, text })),
      ...(item.content ?? []).map(({ text }) => ({ type: "agent_reasoning_raw_content" as const, text }))
    ]
  }
  if (item.type !== "message") return []
  if (item.role === "assistant") {
    return item.content.flatMap((part) =>
      part.type === "output_text" ? [{ type: "agent_message" as const, message: part.text }] : []
    )
  }
  if (!Boundary.isRealUserMessage(item)) return []
  const images = item.content.flatMap((part) => (part.type === "input_image" ? [part.image_url] : []))
  return [{ type: "user_message", message: Boundary.userTexts(item).join(""), images }]
}
