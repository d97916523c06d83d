/** Legacy events of canonical items (thread-view §1.9; C12 to C16). */
import { describe, expect, it } from "vitest"
import * as FanOut from "../../../src/fold/view/FanOut.js"
import type { TurnItem } from "../../../src/record/TurnItem.js"
import * as TurnItems from "../../../src/record/TurnItem.js"
import * as E from "./Events.js"
import { sample } from "./Items.js"

const facts = { turnId: "t", atMs: 5 }
const started = (item: object) => FanOut.onStarted(item as TurnItem, facts)
const completed = (item: object, more: object = {}) => FanOut.onCompleted(item as TurnItem, { ...facts, ...more })
const types = (events: ReadonlyArray<{ readonly type: string }>) => events.map(({ type }) => type)

describe("fan-out", () => {
  it("is total: each kind of item gives what the table says", () => {
    const table = Object.keys(TurnItems.variants).map((type) => {
      const item = sample(type)
      return [type, types(started(item)), types(completed(item, { rawReasoning: true }))]
    })
    expect(table).toEqual([
      ["UserMessage", [], ["user_message"]],
      ["HookPrompt", [], []],
      ["AgentMessage", [], ["agent_message"]],
      ["Plan", [], []],
      ["Reasoning", [], ["agent_reasoning", "agent_reasoning_raw_content"]],
      ["CommandExecution", ["exec_command_begin"], ["exec_command_end"]],
      ["DynamicToolCall", ["dynamic_tool_call_request"], ["dynamic_tool_call_response"]],
      ["CollabAgentToolCall", ["collab_waiting_begin"], ["collab_waiting_end"]],
      ["SubAgentActivity", [], ["sub_agent_activity"]],
      ["WebSearch", ["web_search_begin"], ["web_search_end"]],
      ["ImageView", [], ["view_image_tool_call"]],
      ["Extension", [], []],
      ["ImageGeneration", ["image_generation_begin"], ["image_generation_end"]],
      ["EnteredReviewMode", [], ["entered_review_mode"]],
      ["ExitedReviewMode", [], ["exited_review_mode"]],
      ["FileChange", ["patch_apply_begin"], ["patch_apply_end"]],
      ["McpToolCall", ["mcp_tool_call_begin"], ["mcp_tool_call_end"]],
      ["ContextCompaction", [], ["context_compacted"]]
    ])
  })

  it("every event of it can be read back", () => {
    for (const type of Object.keys(TurnItems.variants)) {
      for (const event of [...started(sample(type)), ...completed(sample(type), { rawReasoning: true })]) {
        expect(E.record({ type: "event_msg", payload: event })).toBeDefined()
      }
    }
  })

  it("C16: a user message keeps image details and client id; texts are joined, their elements moved along", () => {
    const [event] = completed({
      type: "UserMessage",
      id: "u",
      client_id: "c",
      content: [
        { type: "text", text: "é", text_elements: [] },
        { type: "image", image_url: "data:1", detail: "low" },
        { type: "image", image_url: "data:2" },
        { type: "skill", name: "s", path: "/s" },
        { type: "text", text: "b", text_elements: [{ byte_range: { start: 0, end: 1 }, placeholder: "p" }] },
        { type: "local_image", path: "/a.png" }
      ]
    })
    expect(event).toEqual({
      type: "user_message",
      client_id: "c",
      message: "éb",
      images: ["data:1", "data:2"],
      image_details: ["low"],
      local_images: ["/a.png"],
      text_elements: [{ byte_range: { start: 2, end: 3 }, placeholder: "p" }]
    })
  })

  it("one event for each part of a message, and raw thinking only when it is shown", () => {
    const parts = [
      { type: "Text", text: "1" },
      { type: "Text", text: "2" }
    ]
    expect(completed({ type: "AgentMessage", id: "a", content: parts, phase: "commentary" })).toMatchObject([
      { message: "1", phase: "commentary" },
      { message: "2", phase: "commentary" }
    ])
    const thinking = { type: "Reasoning", id: "r", summary_text: ["a", "b"], raw_content: ["c"] }
    expect(types(completed(thinking))).toEqual(["agent_reasoning", "agent_reasoning"])
  })

  it("nothing ends that is in progress; what is missing becomes nothing", () => {
    const bare = { exit_code: undefined, duration: undefined, aggregated_output: undefined, stdout: undefined }
    expect(completed(E.command("c", { ...bare, status: "in_progress" }))).toEqual([])
    expect(completed(E.command("c", bare))).toMatchObject([
      { exit_code: 0, duration: { secs: 0, nanos: 0 }, aggregated_output: "", stdout: "" }
    ])
    const dynamic = { type: "DynamicToolCall", id: "d", tool: "t", arguments: {} }
    expect(completed({ ...dynamic, status: "in_progress" })).toEqual([])
    expect(completed({ ...dynamic, status: "failed" })).toMatchObject([{ success: false, content_items: [] }])
    expect(completed({ type: "FileChange", id: "f", changes: {} })).toEqual([])
  })

  it("calls of other agents", () => {
    const call = (tool: string, fields: object = {}) => ({
      type: "CollabAgentToolCall",
      id: "k",
      tool,
      status: "completed",
      sender_thread_id: E.threadId,
      ...fields
    })
    for (const tool of ["send_input", "resume_agent", "close_agent"]) {
      expect(started(call(tool))).toEqual([])
      expect(completed(call(tool))).toEqual([])
      expect(completed(call(tool, { receiver_thread_ids: [E.agentA, E.agentB] }))).toMatchObject([
        { receiver_thread_id: E.agentA, status: "not_found" }
      ])
    }
    expect(completed(call("spawn_agent", { status: "in_progress" }))).toEqual([])
    expect(completed(call("spawn_agent"))).toMatchObject([
      { new_thread_id: null, prompt: "", model: "", reasoning_effort: "medium", status: "not_found" }
    ])
  })

  it("an mcp call ends with a duration and an answer; a result wins over an error", () => {
    const call = { type: "McpToolCall", id: "m", server: "s", tool: "t", arguments: null, status: "failed" }
    const duration = { secs: 1, nanos: 0 }
    const [begin] = started(call)
    expect(begin).toEqual({ type: "mcp_tool_call_begin", call_id: "m", invocation: { server: "s", tool: "t" } })
    expect(completed({ ...call, error: { message: "no" } })).toEqual([])
    expect(completed({ ...call, duration })).toEqual([])
    expect(completed({ ...call, duration, error: { message: "no" } })).toMatchObject([{ result: { Err: "no" } }])
    expect(completed({ ...call, duration, error: { message: "no" }, result: { content: [] } })).toMatchObject([
      { result: { Ok: { content: [] } } }
    ])
  })
})

describe("reading records", () => {
  const item = E.said("u", "hi")
  const thread_id = E.threadId

  it("C12: a start of an item needs its time", () => {
    expect(() => E.record(E.event("item_started", { thread_id, turn_id: "t", item }))).toThrow("bad-payload")
  })

  it("C13, C14, C15: what may be missing", () => {
    expect(E.record(E.event("item_completed", { thread_id, turn_id: "t", item })).kind).toBe("event_msg")
    expect(E.record(E.event("exited_review_mode", { review_output: null })).kind).toBe("event_msg")
    expect(E.record(E.event("turn_aborted", { reason: "interrupted" })).kind).toBe("event_msg")
  })
})
