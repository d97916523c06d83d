/** What a user gave, as one legacy event (thread-view §1.9). Sound, skills, mentions and the order of parts are lost. */
import * as LegacyEvent from "../../record/LegacyEvent.js"
import type { UserMessage } from "../../record/TurnItem.js"
import type { TextElement, UserInput } from "../../record/UserInput.js"
import { utf8Length } from "../Truncation.js"

/** The event: texts put together, images split out, details cut behind the last one that says something. */
export const message = (item: UserMessage): LegacyEvent.UserMessage => {
  const images = item.content.filter((part) => part.type === "image")
  const localImages = item.content.filter((part) => part.type === "local_image")
  const { elements, text } = joined(item.content)
  return LegacyEvent.UserMessage.make({
    type: "user_message",
    client_id: item.client_id,
    message: text,
    images: images.map(({ image_url }) => image_url),
    image_details: details(images),
    local_images: localImages.map(({ path }) => path),
    local_image_details: details(localImages),
    text_elements: elements
  })
}

type Detail = Extract<UserInput, { readonly type: "image" }>["detail"]

const details = (parts: ReadonlyArray<{ readonly detail?: Detail }>) => {
  const all = parts.map(({ detail }) => detail ?? null)
  const last = all.findLastIndex((detail) => detail !== null)
  return all.slice(0, last + 1)
}

const joined = (content: ReadonlyArray<UserInput>) => {
  const elements: Array<TextElement> = []
  let text = ""
  let bytes = 0
  for (const part of content) {
    if (part.type !== "text") continue
    for (const element of part.text_elements ?? []) {
      const { end, start } = element.byte_range
      elements.push({ ...element, byte_range: { start: start + bytes, end: end + bytes } })
    }
    text += part.text
    bytes += utf8Length(part.text)
  }
  return { text, elements }
}
