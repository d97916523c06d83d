import { describe, expect, it } from "vitest"
import * as Boundary from "../../src/fold/Boundary.js"
import * as Fragment from "../../src/fold/Fragment.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"
import * as Items from "./ItemArbitrary.js"

const { assistant, developer, image, inputText, message, user } = Items

const mail = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ author: "/root", recipient: "/root/worker", content: "x", trigger_turn: false, ...fields })

describe("replay-semantics §0, instruction boundary", () => {
  it.each<[string, ResponseItem]>([
    ["an agent message", Items.agentMessage],
    ["a user message of words", user("hello")],
    ["a user message without parts", message("user")],
    ["a user message of an image", message("user", image)],
    ["a user message that shows a fragment in passing", user("what is <skill>x</skill> for?")],
    [
      "a user message whose fragment is not input text",
      message("user", { type: "output_text", text: "<skill></skill>" })
    ],
    ["an assistant message that is an envelope", Items.envelope]
  ])("%s is one", (_, item) => {
    expect(Boundary.isBoundary(item)).toBe(true)
    expect(Boundary.isBoundary(item, Fragment.july)).toBe(true)
  })

  it.each<[string, ResponseItem]>([
    ["a contextual user message", Items.context],
    ["a user message with one contextual part", Items.mixed],
    ["a user message with one contextual part behind words", user("words", "<turn_aborted>x</turn_aborted>")],
    ["a developer message", developer("hello")],
    ["a system message", message("system", inputText("hello"))],
    ["an assistant message", assistant("hello")],
    ["an assistant message without parts", message("assistant")],
    ["an output without call", { type: "function_call_output", name: "goal", namespace: "agent", output: "x" }],
    ["a compaction item", { type: "compaction", encrypted_content: "x" }]
  ])("%s is none", (_, item) => {
    expect(Boundary.isBoundary(item)).toBe(false)
    expect(Boundary.isBoundary(item, Fragment.july)).toBe(false)
  })

  it("a compaction summary is none, but was one in July", () => {
    for (const item of [
      Items.summary("so far"),
      Items.summary(""),
      user(Boundary.summaryLine, "\nso far"),
      user(Boundary.summaryLine.slice(0, 100), Boundary.summaryLine.slice(100), "\n"),
      message("user", inputText("<image>"), image, inputText(`${Boundary.summaryLine}\nso far`))
    ]) {
      expect(Boundary.isBoundary(item)).toBe(false)
      expect(Boundary.isRealUserMessage(item)).toBe(false)
      expect(Boundary.isBoundary(item, Fragment.july)).toBe(true)
    }
  })

  it("a user message with words in front of a summary is one", () => {
    for (const item of [user("no", `${Boundary.summaryLine}\nso far`), user(Boundary.summaryLine), user("", "x")]) {
      expect(Boundary.isBoundary(item)).toBe(true)
      expect(Boundary.isRealUserMessage(item)).toBe(true)
    }
  })
})

describe("replay-semantics §0, compaction summary", () => {
  it("has a first line of 399 characters", () => {
    expect(Boundary.summaryLine.length).toBe(399)
    expect(Boundary.summaryLine).not.toMatch(/[\r\n]/)
  })

  it("is known by that line and a line feed", () => {
    expect(Boundary.isSummary(`${Boundary.summaryLine}\n`)).toBe(true)
    expect(Boundary.isSummary(`${Boundary.summaryLine}\nx`)).toBe(true)
    expect(Boundary.isSummary(Boundary.summaryLine)).toBe(false)
    expect(Boundary.isSummary(`${Boundary.summaryLine} \n`)).toBe(false)
    expect(Boundary.isSummary(`\n${Boundary.summaryLine}\nx`)).toBe(false)
    expect(Boundary.isSummary(`${Boundary.summaryLine.toLowerCase()}\nx`)).toBe(false)
    expect(Boundary.isSummary("SUMMARY: as 0.42.0 wrote it")).toBe(false)
  })
})

describe("rollout-format §3.2, inter-agent envelope", () => {
  it.each([
    mail({}),
    ` \n${mail({})}\t`,
    mail({ trigger_turn: true, other_recipients: ["/root", "/morpheus"] }),
    mail({ id: null, encrypted_content: null, internal_chat_message_metadata_passthrough: null }),
    mail({ id: "m-1", encrypted_content: "gAAA", internal_chat_message_metadata_passthrough: { turn_id: "t" } }),
    mail({ a_key_of_the_future: [] })
  ])("is %s", (text) => {
    for (const item of [assistant(text), message("assistant", inputText(text))]) {
      expect(Boundary.isEnvelope(item)).toBe(true)
      expect(Boundary.isBoundary(item)).toBe(true)
    }
  })

  it.each([
    "",
    "{",
    "[]",
    "null",
    "check tests",
    `[${mail({})}]`,
    JSON.stringify(mail({})),
    mail({ author: undefined }),
    mail({ author: "root" }),
    mail({ recipient: "/root/root" }),
    mail({ recipient: null }),
    mail({ content: undefined }),
    mail({ content: null }),
    mail({ trigger_turn: undefined }),
    mail({ trigger_turn: "yes" }),
    mail({ other_recipients: null }),
    mail({ other_recipients: ["someone"] }),
    mail({ id: 1 }),
    mail({ encrypted_content: 1 }),
    `${mail({})} and words`
  ])("is not %s", (text) => {
    expect(Boundary.isEnvelope(assistant(text))).toBe(false)
    expect(Boundary.isBoundary(assistant(text))).toBe(false)
  })

  it("is a message of one part", () => {
    const part = inputText(mail({}))
    expect(Boundary.isBoundary(message("assistant", part, part))).toBe(false)
    expect(Boundary.isBoundary(message("assistant", part, image))).toBe(false)
    expect(Boundary.isBoundary(message("developer", part))).toBe(false)
    expect(Boundary.isEnvelope(message("user", part))).toBe(false)
    expect(Boundary.isEnvelope(message("assistant"))).toBe(false)
  })
})

describe("replay-semantics §1.4, the text of a user message", () => {
  const texts = (...content: Parameters<typeof message> extends [string, ...infer C] ? C : never) => {
    const item = message("user", ...content)
    return item.type === "message" ? Boundary.userTexts(item) : []
  }

  it("is its input_text parts without the labels of images", () => {
    expect(texts(inputText("a"), image, inputText(""), inputText("b"))).toEqual(["a", "", "b"])
    expect(texts(inputText("<image>"), image, inputText("</image>"), inputText("b"))).toEqual(["b"])
    expect(texts(inputText(`<image name=[Image #2] path="/a>b">`), image, inputText("</image>"))).toEqual([])
    expect(texts({ type: "output_text", text: "a" }, { type: "input_audio", audio_url: "data:" })).toEqual([])
  })

  it("keeps a label that has no image beside it, or is none", () => {
    expect(texts(inputText("<image>"))).toEqual(["<image>"])
    expect(texts(inputText("</image>"), image)).toEqual(["</image>"])
    expect(texts(image, inputText("<image>"))).toEqual(["<image>"])
    expect(texts(inputText("<image>"), inputText("a"), image)).toEqual(["<image>", "a"])
    expect(texts(image, inputText("a"), inputText("</image>"))).toEqual(["a", "</image>"])
    expect(texts(inputText("<imagery>"), image, inputText("</image> "))).toEqual(["<imagery>", "</image> "])
  })
})
