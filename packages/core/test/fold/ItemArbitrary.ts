/** History items for tests: short constructors, and random histories that hit every case of the folds over items. */
import fc from "fast-check"
import { summaryLine } from "../../src/fold/Boundary.js"
import type { ContentItem } from "../../src/record/Content.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"

export const inputText = (text: string): ContentItem => ({ type: "input_text", text })

export const image: ContentItem = { type: "input_image", image_url: "data:image/png;base64,AA==" }

export const message = (role: string, ...content: ReadonlyArray<ContentItem>): ResponseItem => ({
  type: "message",
  role,
  content
})

export const user = (...texts: ReadonlyArray<string>): ResponseItem => message("user", ...texts.map(inputText))

export const developer = (...texts: ReadonlyArray<string>): ResponseItem =>
  message("developer", ...texts.map(inputText))

export const assistant = (text: string): ResponseItem => message("assistant", { type: "output_text", text })

export const summary = (text: string): ResponseItem => user(`${summaryLine}\n${text}`)

export const context: ResponseItem = user("<environment_context>\n<cwd>/tmp</cwd>\n</environment_context>")

export const mixed: ResponseItem = user("<skill>x</skill>", "and words")

export const permissions: ResponseItem = developer("<permissions instructions>all</permissions instructions>")

export const instructions: ResponseItem = developer("Be useful.")

export const agentMessage: ResponseItem = {
  type: "agent_message",
  author: "/root",
  recipient: "/root/worker",
  content: [{ type: "input_text", text: "check tests" }]
}

export const envelope: ResponseItem = assistant(
  `{"author":"/root","recipient":"/root/worker","content":"check tests","trigger_turn":true}`
)

/** Any item that a boundary or a rollback treats in its own way. */
export const item: fc.Arbitrary<ResponseItem> = fc.oneof(
  fc.constantFrom(
    context,
    mixed,
    permissions,
    instructions,
    agentMessage,
    envelope,
    summary("so far"),
    message("user", image),
    assistant("done")
  ),
  fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => user(text))
)

export const history: fc.Arbitrary<ReadonlyArray<ResponseItem>> = fc.array(item, { maxLength: 14 })

/** Text of every width in UTF-8. */
export const text = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom("a", "b", "ß", "ה", "世", "…", "😀", "🏳️‍🌈", "\n"), { maxLength })
    .map((characters) => characters.join(""))
