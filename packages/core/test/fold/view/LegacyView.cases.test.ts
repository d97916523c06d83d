/** The cases of the fold, under their numbers (thread-view §1.11 T1 to T38). */
import { describe, expect, it } from "vitest"
import * as Fold from "../../../src/fold/Fold.js"
import * as LegacyView from "../../../src/fold/view/LegacyView.js"
import * as State from "../../../src/fold/view/ViewState.js"
import type { Draft } from "./Events.js"
import * as E from "./Events.js"

const fold = Fold.make(State.initial, (state, record) => LegacyView.step(state, record))
const turnsOf = (...drafts: ReadonlyArray<Draft>) => State.turns(Fold.run(fold, E.records(drafts)))
const shape = (...drafts: ReadonlyArray<Draft>) =>
  turnsOf(...drafts).map(({ id, items, status }) => `${id} ${status}: ${items.map((item) => item.id).join(" ")}`)
const itemsOf = (...drafts: ReadonlyArray<Draft>) => turnsOf(...drafts).flatMap(({ items }) => items)

const changes = { "b.txt": { type: "add", content: "x" } }
const end = { completed_at_ms: 0, sender_thread_id: E.threadId, call_id: "k" }

describe("cases of the fold", () => {
  it("T1: messages and thinking outside of turns (ids are deterministic here)", () => {
    const turns = turnsOf(
      E.user("hi", { images: ["data:1"] }),
      E.agent("a"),
      E.summary("s"),
      E.raw("r"),
      E.user("again"),
      E.agent("b")
    )
    expect(turns.map(({ id, items }) => [id, items.map((item) => item.id)])).toEqual([
      ["rollout-0", ["item-1", "item-2", "item-3"]],
      ["rollout-4", ["item-4", "item-5"]]
    ])
    expect(turns[0]?.items[2]).toMatchObject({ type: "reasoning", summary: ["s"], content: ["r"] })
  })

  it("T2, T3: review events with ids and no start, as events and as canonical completions", () => {
    const target = { type: "custom", instructions: "look" }
    const events = turnsOf(
      E.event("entered_review_mode", { target, user_facing_hint: "look", turn_id: "turn-1", item_id: "e" }),
      E.event("exited_review_mode", { turn_id: "turn-1", item_id: "x", review_output: null })
    )
    const canonical = turnsOf(
      E.item("turn-1", { type: "EnteredReviewMode", id: "e", target, user_facing_hint: "look" }),
      E.item("turn-1", { type: "ExitedReviewMode", id: "x", review_output: null })
    )
    for (const turns of [events, canonical]) {
      expect(turns).toMatchObject([
        {
          id: "turn-1",
          items: [
            { type: "enteredReviewMode", id: "e", review: "look" },
            { type: "exitedReviewMode", id: "x", review: "Reviewer failed to output a response." }
          ]
        }
      ])
    }
  })

  it("T4: image details", () => {
    expect(
      itemsOf(
        E.user("look", {
          images: ["data:1"],
          image_details: ["high"],
          local_images: ["/a.png"],
          local_image_details: ["original"]
        })
      )
    ).toMatchObject([
      {
        content: [
          { type: "text", text: "look", text_elements: [] },
          { type: "image", url: "data:1", detail: "high" },
          { type: "localImage", path: "/a.png", detail: "original" }
        ]
      }
    ])
  })

  it("T5, T9: a canonical start beside the legacy message is ignored; its client id is the event's", () => {
    const items = itemsOf(E.started("a"), E.itemStarted("a", E.said("u", "hi")), E.user("hi", { client_id: "c" }))
    expect(items).toMatchObject([{ id: "item-1", clientId: "c" }])
    expect(items).toHaveLength(1)
  })

  it("T6, T7: extension items", () => {
    expect(
      itemsOf(
        E.started("a"),
        E.item("a", { type: "Extension", kind: "clock.sleep", id: "s", durationMs: 1000 }),
        E.item("a", {
          type: "Extension",
          kind: "image_gen.generation",
          id: "g",
          status: "completed",
          revisedPrompt: null,
          result: "iVBO",
          savedPath: "/i.png"
        })
      )
    ).toEqual([
      { type: "sleep", id: "s", durationMs: 1000, startedAtMs: null, completedAtMs: 0 },
      {
        type: "imageGeneration",
        id: "g",
        status: "completed",
        revisedPrompt: null,
        result: "iVBO",
        savedPath: "/i.png",
        startedAtMs: null,
        completedAtMs: 0
      }
    ])
  })

  it("T8: a command", () => {
    expect(itemsOf(E.started("a"), E.commandEnd("c", "a"))).toEqual([
      {
        type: "commandExecution",
        id: "c",
        command: "echo 'hello world'",
        cwd: "/repo",
        processId: null,
        source: "agent",
        status: "completed",
        commandActions: [{ type: "unknown", command: "echo hello world" }],
        aggregatedOutput: "hello world\n",
        exitCode: 0,
        durationMs: 12,
        startedAtMs: null,
        completedAtMs: null
      }
    ])
  })

  it("T10, T11: the phase of a message; an image in an explicit turn", () => {
    expect(itemsOf(E.agent("x", { phase: "final_answer" }))).toMatchObject([{ phase: "final_answer" }])
    const image = E.event("image_generation_end", { call_id: "g", status: "completed", result: "iVBO" })
    const [turn] = turnsOf(E.started("a"), E.user("draw"), image, E.complete("a"))
    expect(turn).toMatchObject({
      status: "completed",
      items: [{ type: "userMessage" }, { type: "imageGeneration", id: "g" }]
    })
    expect(turn?.items[1]).not.toHaveProperty("savedPath")
  })

  it("T12: thinking on both sides of a message", () => {
    expect(shape(E.user("1"), E.summary("s"), E.agent("2"), E.summary("t"))).toEqual([
      "rollout-0 completed: item-1 item-2 item-3 item-4"
    ])
  })

  it("T13: an abort that names an unknown turn interrupts the open one", () => {
    expect(shape(E.user("1"), E.agent("2"), E.aborted("zzz"), E.user("3"), E.agent("4"))).toEqual([
      "rollout-0 interrupted: item-1 item-2",
      "rollout-3 completed: item-3 item-4"
    ])
  })

  it("T14, T15: rollback of one turn and of more than there are", () => {
    const two = [E.user("1"), E.agent("2"), E.user("3"), E.agent("4")]
    expect(shape(...two, E.rolledBack(1), E.user("5"), E.agent("6"))).toEqual([
      "rollout-0 completed: item-1 item-2",
      "rollout-5 completed: item-3 item-4"
    ])
    expect(shape(...two, E.rolledBack(99))).toEqual([])
  })

  it("T16: two user messages in one explicit turn", () => {
    expect(shape(E.started("a"), E.user("1"), E.user("2"))).toEqual(["a inProgress: item-1 item-2"])
  })

  it("T17: a search, a command and an mcp error", () => {
    expect(
      itemsOf(
        E.started("a"),
        E.event("web_search_end", { call_id: "w", query: "q", action: { type: "search", query: "q" } }),
        E.commandEnd("c", "a"),
        E.event("mcp_tool_call_end", {
          call_id: "m",
          invocation: { server: "s", tool: "t" },
          duration: { secs: 1, nanos: 999_999 },
          result: { Err: "timeout" }
        })
      )
    ).toMatchObject([
      { type: "webSearch", action: { type: "search", query: "q", queries: null } },
      { type: "commandExecution", status: "completed" },
      {
        type: "mcpToolCall",
        status: "failed",
        arguments: null,
        result: null,
        error: { message: "timeout" },
        durationMs: 1000
      }
    ])
  })

  it("T18: an mcp result with what belongs to its app", () => {
    const call = (result: object, more: object = {}) =>
      itemsOf(
        E.event("mcp_tool_call_end", {
          call_id: "m",
          invocation: { server: "s", tool: "t", arguments: { q: 1 } },
          duration: { secs: 0, nanos: 0 },
          result: { Ok: result },
          ...more
        })
      )[0]
    expect(
      call(
        { content: [1], isError: false, _meta: { a: 1 } },
        { connector_id: "c", mcp_app_resource_uri: "ui://x", app_name: "App" }
      )
    ).toMatchObject({
      status: "completed",
      arguments: { q: 1 },
      appContext: { connectorId: "c", linkId: null, resourceUri: "ui://x", appName: "App", actionName: null },
      mcpAppResourceUri: "ui://x",
      result: { content: [1], structuredContent: null, _meta: { a: 1 } },
      error: null
    })
    const without = call({ content: [], isError: true }, { mcp_app_resource_uri: "ui://x" })
    expect(without).toMatchObject({ status: "failed", appContext: null, mcpAppResourceUri: "ui://x", error: null })
    expect(call({ content: [] })).not.toHaveProperty("mcpAppResourceUri")
  })

  it("T19: a dynamic tool", () => {
    const content = [
      { type: "inputText", text: "a" },
      { type: "inputImage", imageUrl: "data:1" },
      { type: "inputAudio", audioUrl: "data:2" }
    ]
    expect(
      itemsOf(
        E.started("a"),
        E.event("dynamic_tool_call_request", { callId: "d", turnId: "a", tool: "look", arguments: { id: 9 } }),
        E.event("dynamic_tool_call_response", {
          call_id: "d",
          turn_id: "a",
          tool: "look",
          arguments: { id: 9 },
          content_items: content,
          success: true,
          duration: { secs: 1, nanos: 0 }
        })
      )
    ).toMatchObject([{ id: "d", status: "completed", contentItems: content, success: true, durationMs: 1000 }])
  })

  it("T20: a command and a patch that were declined", () => {
    const duration = { secs: 0, nanos: 0 }
    expect(
      itemsOf(
        E.started("a"),
        E.commandEnd("c", "a", { status: "declined", exit_code: -1, duration, aggregated_output: "" }),
        E.event("patch_apply_end", {
          call_id: "p",
          stdout: "",
          stderr: "",
          success: false,
          status: "declined",
          changes
        })
      )
    ).toMatchObject([
      { status: "declined", exitCode: -1, durationMs: 0, aggregatedOutput: null },
      { status: "declined", changes: [{ path: "b.txt", kind: { type: "add" }, diff: "x" }] }
    ])
  })

  it("T21, T22: a reviewer's judgement stands for the command that it keeps from running", () => {
    const judged = (status: string, action: object) =>
      E.event("guardian_assessment", { id: "g", target_item_id: "c", turn_id: "a", status, action })
    const shell = { type: "command", command: "rm -rf /", cwd: "/repo" }
    expect(itemsOf(E.started("a"), judged("in_progress", shell), judged("denied", shell))).toMatchObject([
      {
        id: "c",
        command: "rm -rf /",
        status: "declined",
        source: "agent",
        commandActions: [{ type: "unknown", command: "rm -rf /" }]
      }
    ])
    const execve = { type: "execve", program: "/bin/rm", argv: ["rm", "-rf", "a b"], cwd: "/repo" }
    expect(itemsOf(E.started("a"), judged("in_progress", execve))).toMatchObject([
      { command: "/bin/rm -rf 'a b'", status: "inProgress" }
    ])
    expect(itemsOf(E.started("a"), judged("timed_out", shell))).toMatchObject([{ status: "failed" }])
    expect(itemsOf(E.started("a"), judged("approved", shell))).toEqual([])
    expect(itemsOf(E.started("a"), judged("denied", { type: "network", cwd: "/" }))).toEqual([])
  })

  it("T23, T24: a late end goes to its turn, or nowhere", () => {
    const two = [E.started("a"), E.user("1"), E.complete("a"), E.started("b"), E.user("2")]
    expect(shape(...two, E.commandEnd("c", "a"))).toEqual(["a completed: item-1 c", "b inProgress: item-2"])
    expect(shape(...two, E.commandEnd("c", "zzz"))).toEqual(["a completed: item-1", "b inProgress: item-2"])
  })

  it("T25, T26: a patch that begins, or waits for approval, is in progress", () => {
    for (const type of ["patch_apply_begin", "apply_patch_approval_request"]) {
      expect(itemsOf(E.started("a"), E.event(type, { call_id: "p", turn_id: "a", changes }))).toMatchObject([
        { type: "fileChange", status: "inProgress" }
      ])
    }
  })

  it("T27, T28: a late completion or abort of one turn leaves the open one open", () => {
    const two = [E.started("a"), E.user("1"), E.started("b"), E.user("2")]
    expect(shape(...two, E.complete("a"), E.agent("3"))).toEqual(["a completed: item-1", "b inProgress: item-2 item-3"])
    expect(shape(...two, E.aborted("a"), E.agent("3"))).toEqual([
      "a interrupted: item-1",
      "b inProgress: item-2 item-3"
    ])
  })

  it("T29: an explicit turn with nothing but a compaction", () => {
    expect(shape(E.started("a"), E.compacted)).toEqual(["a inProgress: "])
    expect(shape(E.started("a"), E.compacted, E.complete("a"), E.started("b"))).toEqual([
      "a completed: ",
      "b inProgress: "
    ])
  })

  it("T30, T31, T32: calls of other agents", () => {
    const call = (type: string, fields: object) => itemsOf(E.started("a"), E.event(type, { ...end, ...fields }))[0]
    expect(call("collab_resume_end", { receiver_thread_id: E.agentA, status: { completed: "ok" } })).toMatchObject({
      tool: "resumeAgent",
      status: "completed",
      receiverThreadIds: [E.agentA],
      agentsStates: { [E.agentA]: { status: "completed", message: "ok" } }
    })
    const spawn = { new_thread_id: E.agentA, prompt: "go", model: "m", reasoning_effort: "high", status: "running" }
    expect(call("collab_agent_spawn_end", spawn)).toMatchObject({
      tool: "spawnAgent",
      status: "completed",
      prompt: "go",
      model: "m",
      reasoningEffort: "high",
      agentsStates: { [E.agentA]: { status: "running", message: null } }
    })
    expect(call("collab_agent_spawn_end", { ...spawn, new_thread_id: null })).toMatchObject({
      status: "failed",
      receiverThreadIds: []
    })
    const send = { receiver_thread_id: E.agentA, prompt: "stop" }
    expect(call("collab_agent_interaction_begin", send)).toMatchObject({ status: "inProgress", agentsStates: {} })
    expect(call("collab_agent_interaction_end", { ...send, status: "interrupted" })).toMatchObject({
      tool: "sendInput",
      status: "completed",
      prompt: "stop"
    })
    expect(
      call("collab_waiting_end", { statuses: { [E.agentB]: { errored: "no" }, [E.agentA]: "running" } })
    ).toMatchObject({ tool: "wait", status: "failed", receiverThreadIds: [E.agentA, E.agentB] })
    expect(call("collab_close_end", { receiver_thread_id: E.agentA, status: "not_found" })).toMatchObject({
      tool: "closeAgent",
      status: "failed"
    })
  })

  it("T33, T34, T35: errors", () => {
    expect(shape(E.user("1"), E.failed("no", "thread_rollback_failed"))).toEqual(["rollout-0 completed: item-1"])
    expect(shape(E.started("a"), E.complete("a"), E.failed("late"))).toEqual(["a completed: "])
    const [turn] = turnsOf(E.started("a"), E.failed("no", "usage_limit_exceeded"), E.complete("a"))
    expect(turn).toMatchObject({ status: "failed", error: { message: "no", codexErrorInfo: "usageLimitExceeded" } })
  })

  it("T36, T37, T38: hook prompts", () => {
    const prompt = (text: string) => `<hook_prompt hook_run_id="run-1">${text}</hook_prompt>`
    expect(itemsOf(E.message("user", [` ${prompt("a &amp; &#60;b&#x3e;")}\n`, prompt("c")], { id: "h" }))).toEqual([
      {
        type: "hookPrompt",
        id: "h",
        fragments: [
          { text: "a & <b>", hookRunId: "run-1" },
          { text: "c", hookRunId: "run-1" }
        ],
        startedAtMs: null,
        completedAtMs: null
      }
    ])
    const fragments = [{ text: "retry", hookRunId: "run-1" }]
    expect(itemsOf(E.started("a"), E.item("a", { type: "HookPrompt", id: "h", fragments }))).toMatchObject([
      { id: "h", fragments }
    ])
    for (const texts of [
      ["hello"],
      [prompt("a"), "hello"],
      [`<hook_prompt hook_run_id=" ">a</hook_prompt>`],
      [prompt("a < b")],
      [prompt("&nope;")]
    ]) {
      expect(itemsOf(E.message("user", texts))).toEqual([])
    }
    expect(itemsOf(E.message("assistant", ["x"]), E.message("developer", [prompt("a")]))).toEqual([])
  })
})
