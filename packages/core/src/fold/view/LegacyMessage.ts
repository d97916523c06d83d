/** Messages as legacy events tell of them (thread-view R11, R13). */
import type * as LegacyEvent from "../../record/LegacyEvent.js"
import { trimmed } from "../Fragment.js"
import * as Parts from "./ItemParts.js"
import type { AgentMessage, UserInput, UserMessage } from "./ThreadItem.js"
import { untimed } from "./ThreadItem.js"

/** What the user gave: text unless it is blank, images, local images, sound. Lists of details may be shorter. */
export const userMessage = (id: string, event: LegacyEvent.UserMessage): UserMessage => {
  // An array that is pushed onto keeps room for more, for as long as the view is kept.
  const content: Array<UserInput> =
    trimmed(event.message) === ""
      ? []
      : [{ type: "text", text: event.message, text_elements: Parts.textElements(event.text_elements) }]
  for (const [i, url] of (event.images ?? []).entries()) {
    content.push({ type: "image", url, detail: event.image_details?.[i] ?? null })
  }
  for (const [i, path] of (event.local_images ?? []).entries()) {
    content.push({ type: "localImage", path, detail: event.local_image_details?.[i] ?? null })
  }
  for (const url of texts(event.audio)) content.push({ type: "audio", url })
  for (const path of texts(event.local_audio)) content.push({ type: "localAudio", path })
  return { type: "userMessage", id, clientId: event.client_id ?? null, content, ...untimed }
}

/** The texts of a list; nothing when the value is none. */
const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : []

/** What the agent said. */
export const agentMessage = (id: string, event: LegacyEvent.AgentMessage): AgentMessage => ({
  type: "agentMessage",
  id,
  text: event.message,
  phase: event.phase ?? null,
  memoryCitation: Parts.citation(event.memory_citation),
  ...untimed
})
