/** What logs of 0.20.0 show: the items of their history, as the events that later releases wrote beside such items. */
import { describe, expect, it } from "vitest"
import * as BareItem from "../../../src/fold/view/BareItem.js"
import * as Record from "../../../src/record/Record.js"

/** The events that a bare line stands for. */
const eventsOf = (line: object) => {
  const bytes = new TextEncoder().encode(JSON.stringify(line))
  const record = Record.decode({ bytes, offset: 0, number: 2, terminated: true }, "bare")
  if (record.kind !== "response_item") throw new Error(record.kind)
  expect(BareItem.isBare(record)).toBe(true)
  return BareItem.toEvents(record.payload)
}

const message = (role: string, ...content: ReadonlyArray<object>) => ({ type: "message", id: null, role, content })
const input = (text: string) => ({ type: "input_text", text })

describe("a line of 0.20.0", () => {
  it("messages of the user, with their images; several texts are one", () => {
    expect(eventsOf(message("user", input("a"), { type: "input_image", image_url: "data:1" }, input("b")))).toEqual([
      { type: "user_message", message: "ab", images: ["data:1"] }
    ])
    expect(eventsOf(message("user", input("a")))).toEqual([{ type: "user_message", message: "a", images: [] }])
  })

  it("messages of the agent, one for each text", () => {
    const said = (text: string) => ({ type: "output_text", text })
    expect(eventsOf(message("assistant", said("a"), input("not said"), said("b")))).toEqual([
      { type: "agent_message", message: "a" },
      { type: "agent_message", message: "b" }
    ])
  })

  it("thinking: summaries, then what was thought", () => {
    expect(
      eventsOf({
        type: "reasoning",
        id: "r",
        summary: [
          { type: "summary_text", text: "a" },
          { type: "summary_text", text: "b" }
        ],
        content: [{ type: "reasoning_text", text: "c" }]
      })
    ).toEqual([
      { type: "agent_reasoning", text: "a" },
      { type: "agent_reasoning", text: "b" },
      { type: "agent_reasoning_raw_content", text: "c" }
    ])
  })

  it("nothing of what the client told the model, and nothing of calls", () => {
    expect(eventsOf(message("user", input("<environment_context>\n</environment_context>")))).toEqual([])
    expect(eventsOf(message("developer", input("be useful")))).toEqual([])
    expect(eventsOf({ type: "function_call", id: null, name: "shell", arguments: "{}", call_id: "c" })).toEqual([])
    expect(eventsOf({ type: "function_call_output", call_id: "c", output: "x" })).toEqual([])
  })

  it("a line in an envelope is none", () => {
    const line = { timestamp: "2026-07-20T10:00:00.000Z", type: "response_item", payload: message("user", input("a")) }
    const bytes = new TextEncoder().encode(JSON.stringify(line))
    const record = Record.decode({ bytes, offset: 0, number: 2, terminated: true })
    expect(record.kind === "response_item" && BareItem.isBare(record)).toBe(false)
  })
})
