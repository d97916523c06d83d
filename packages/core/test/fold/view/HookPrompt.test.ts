/** Hook prompts, as messages of the history hold them (thread-view §1.4; replay-semantics §0). */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Fragment from "../../../src/fold/Fragment.js"
import * as HookPrompt from "../../../src/fold/view/HookPrompt.js"
import type { ResponseItem } from "../../../src/record/ResponseItem.js"

const message = (role: string, ...texts: ReadonlyArray<string>): ResponseItem => ({
  type: "message",
  role,
  content: texts.map((text) => ({ type: "input_text", text }))
})
const prompt = (text: string, id = "run-1") => `<hook_prompt hook_run_id="${id}">${text}</hook_prompt>`
const fragmentOf = (text: string) => HookPrompt.fragmentsOf(message("user", text))?.[0]

describe("a hook prompt", () => {
  it.each([
    ["a &amp; &lt;b&gt; &quot;c&quot; &apos;d&apos;", `a & <b> "c" 'd'`],
    ["&#65;&#x42;&#x1F600;&#10;", "AB😀\n"],
    ["&#1;&#xD7FF;&#xE000;&#x10FFFF;", "\u0001\ud7ff\ue000\u{10ffff}"],
    ["a<!-- not said -->b<![CDATA[ <c> & ]]>d<?e f?>", "ab <c> & d"],
    ["  kept \n as it is ", "  kept \n as it is "],
    ["", ""]
  ])("%s", (written, said) => {
    expect(fragmentOf(prompt(written))).toEqual({ text: said, hookRunId: "run-1" })
  })

  it("is known by its id, in either kind of quotes, whatever else it has, and with white space around", () => {
    expect(fragmentOf(`<hook_prompt hook_run_id='a "b"'>x</hook_prompt>`)).toEqual({ text: "x", hookRunId: 'a "b"' })
    expect(fragmentOf(`<hook_prompt\n a="1" hook_run_id = "&#49;"\tb='2' >x</hook_prompt >`)).toEqual({
      text: "x",
      hookRunId: "1"
    })
    expect(fragmentOf(`\u0085\n ${prompt("x")}\u3000`)).toEqual({ text: "x", hookRunId: "run-1" })
    expect(fragmentOf(`<hook_prompt hook_run_id="r"/>`)).toEqual({ text: "", hookRunId: "r" })
  })

  it.each([
    ["no id", "<hook_prompt>x</hook_prompt>"],
    ["a blank id", prompt("x", " &#32;")],
    ["something behind it", `${prompt("x")} y`],
    ["something in front of it", `y ${prompt("x")}`],
    ["an element inside", prompt("<b>x</b>")],
    ["an ampersand", prompt("a & b")],
    ["a reference that is none", prompt("&nope;")],
    ["a reference without end", prompt("&amp")],
    ["a character that is none", prompt("&#0;")],
    ["half of a pair", prompt("&#xD800;")],
    ["the other half", prompt("&#xDFFF;")],
    ["more than there are characters", prompt("&#x110000;")],
    ["no digits", prompt("&#x;")],
    ["another name", `<hook_prompts hook_run_id="r">x</hook_prompts>`]
  ])("is none with %s", (_, text) => {
    expect(fragmentOf(text)).toBeUndefined()
    expect(Fragment.isContextualUser(text)).toBe(false)
  })

  it("a message is prompts when every part of it is one, and a user's", () => {
    expect(HookPrompt.fragmentsOf(message("user", prompt("a"), prompt("b", "r2")))).toEqual([
      { text: "a", hookRunId: "run-1" },
      { text: "b", hookRunId: "r2" }
    ])
    expect(HookPrompt.fragmentsOf(message("user", prompt("a"), "words"))).toBeUndefined()
    expect(HookPrompt.fragmentsOf(message("developer", prompt("a")))).toBeUndefined()
    expect(HookPrompt.fragmentsOf(message("user"))).toBeUndefined()
    expect(
      HookPrompt.fragmentsOf({ type: "message", role: "user", content: [{ type: "output_text", text: prompt("a") }] })
    ).toBeUndefined()
    expect(HookPrompt.fragmentsOf({ type: "compaction", encrypted_content: prompt("a") })).toBeUndefined()
  })

  it("what it says comes back, and the model's context knows it for one", () => {
    const escaped = (text: string) =>
      text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`).replaceAll("\r", "&#xD;")
    const said = fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => text.replaceAll("\0", ""))
    fc.assert(
      fc.property(said, said, (text, id) => {
        const written = prompt(escaped(text), escaped(`r${id}`))
        expect(fragmentOf(written)).toEqual({ text, hookRunId: `r${id}` })
        expect(Fragment.isContextualUser(written)).toBe(true)
      }),
      { numRuns: 500 }
    )
  })
})
