/** Canonical items as the view shows them, every kind of them (thread-view §1.8; C1, B1). */
import { describe, expect, it } from "vitest"
import * as NativePath from "../../../src/fold/view/NativePath.js"
import * as ReviewText from "../../../src/fold/view/ReviewText.js"
import * as SnapshotItem from "../../../src/fold/view/SnapshotItem.js"
import type { TurnItem } from "../../../src/record/TurnItem.js"
import * as E from "./Events.js"

const view = (item: object) => SnapshotItem.toView(item as TurnItem)
const times = { startedAtMs: null, completedAtMs: null }

describe("C1: each kind of canonical item", () => {
  it("UserMessage keeps the order and every kind of input", () => {
    expect(
      view({
        type: "UserMessage",
        id: "u",
        client_id: "c",
        content: [
          { type: "image", image_url: "data:1", detail: "low" },
          { type: "text", text: "é", text_elements: [{ byte_range: { start: 0, end: 2 }, placeholder: null }] },
          { type: "local_image", path: "/a.png" },
          { type: "audio", audio_url: "data:2" },
          { type: "local_audio", path: "/a.wav" },
          { type: "skill", name: "s", path: "/s" },
          { type: "mention", name: "m", path: "/m" }
        ]
      })
    ).toEqual({
      type: "userMessage",
      id: "u",
      clientId: "c",
      content: [
        { type: "image", url: "data:1", detail: "low" },
        { type: "text", text: "é", text_elements: [{ byteRange: { start: 0, end: 2 }, placeholder: null }] },
        { type: "localImage", path: "/a.png", detail: null },
        { type: "audio", url: "data:2" },
        { type: "localAudio", path: "/a.wav" },
        { type: "skill", name: "s", path: "/s" },
        { type: "mention", name: "m", path: "/m" }
      ],
      ...times
    })
  })

  it("AgentMessage puts its parts together; rollout ids are thread ids", () => {
    const entries = [{ path: "/m", lineStart: 1, lineEnd: 2, note: "n" }]
    expect(
      view({
        type: "AgentMessage",
        id: "a",
        content: [
          { type: "Text", text: "1" },
          { type: "Text", text: "2" }
        ],
        phase: "commentary",
        memory_citation: { entries, rolloutIds: ["r"] }
      })
    ).toEqual({
      type: "agentMessage",
      id: "a",
      text: "12",
      phase: "commentary",
      memoryCitation: { entries, threadIds: ["r"] },
      ...times
    })
  })

  it("HookPrompt, Plan, Reasoning, ContextCompaction", () => {
    const fragments = [{ text: "t", hookRunId: "r" }]
    expect(view({ type: "HookPrompt", id: "h", fragments })).toEqual({
      type: "hookPrompt",
      id: "h",
      fragments,
      ...times
    })
    expect(view({ type: "Plan", id: "p", text: "1." })).toEqual({ type: "plan", id: "p", text: "1.", ...times })
    expect(view({ type: "Reasoning", id: "r", summary_text: ["s"] })).toEqual({
      type: "reasoning",
      id: "r",
      summary: ["s"],
      content: [],
      ...times
    })
    expect(view({ type: "ContextCompaction", id: "x" })).toEqual({ type: "contextCompaction", id: "x", ...times })
  })

  it("CommandExecution, and B1: what is read on a host of another kind is left out", () => {
    const parsed_cmd = [
      { type: "read", cmd: "cat ../x", name: "x", path: "../x" },
      { type: "list_files", cmd: "ls", path: null },
      { type: "search", cmd: "rg q", query: "q", path: "src" },
      { type: "unknown", cmd: "true" }
    ]
    const others = [
      { type: "listFiles", command: "ls", path: null },
      { type: "search", command: "rg q", query: "q", path: "src" },
      { type: "unknown", command: "true" }
    ]
    expect(
      view(E.command("c", { cwd: "file:///a%20b/c", parsed_cmd, interaction_input: "y", process_id: "7" }))
    ).toEqual({
      type: "commandExecution",
      id: "c",
      command: "ls -la",
      cwd: "/a b/c",
      processId: "7",
      source: "agent",
      status: "completed",
      commandActions: [{ type: "read", command: "cat ../x", name: "x", path: "/a b/x" }, ...others],
      aggregatedOutput: "a\n",
      exitCode: 0,
      durationMs: 12,
      ...times
    })
    expect(view(E.command("c", { cwd: "file:///C:/work", parsed_cmd }))).toMatchObject({
      cwd: "C:\\work",
      commandActions: others
    })
    expect(
      view(E.command("c", { status: "in_progress", aggregated_output: "", exit_code: undefined, duration: undefined }))
    ).toMatchObject({ status: "inProgress", aggregatedOutput: null, exitCode: null, durationMs: null })
  })

  it("DynamicToolCall drops its error", () => {
    expect(
      view({ type: "DynamicToolCall", id: "d", tool: "t", arguments: null, status: "in_progress", error: "no" })
    ).toEqual({
      type: "dynamicToolCall",
      id: "d",
      namespace: null,
      tool: "t",
      arguments: null,
      status: "inProgress",
      contentItems: null,
      success: null,
      durationMs: null,
      ...times
    })
  })

  it("CollabAgentToolCall and SubAgentActivity", () => {
    expect(
      view({
        type: "CollabAgentToolCall",
        id: "k",
        tool: "spawn_agent",
        status: "completed",
        sender_thread_id: E.threadId,
        receiver_thread_ids: [E.agentA],
        receiver_agents: [{ thread_id: E.agentA, agent_nickname: "Ann" }],
        agents_states: { [E.agentA]: "pending_init", [E.agentB]: { errored: "no" } }
      })
    ).toEqual({
      type: "collabAgentToolCall",
      id: "k",
      tool: "spawnAgent",
      status: "completed",
      senderThreadId: E.threadId,
      receiverThreadIds: [E.agentA],
      prompt: null,
      model: null,
      reasoningEffort: null,
      agentsStates: {
        [E.agentA]: { status: "pendingInit", message: null },
        [E.agentB]: { status: "errored", message: "no" }
      },
      ...times
    })
    expect(
      view({ type: "SubAgentActivity", id: "s", kind: "completed", agent_thread_id: E.agentA, agent_path: "/root/a" })
    ).toEqual({
      type: "subAgentActivity",
      id: "s",
      kind: "completed",
      agentThreadId: E.agentA,
      agentPath: "/root/a",
      model: null,
      reasoningEffort: null,
      ...times
    })
  })

  it("WebSearch, ImageView, ImageGeneration, Extension", () => {
    expect(view({ type: "WebSearch", id: "w", query: "q", action: { type: "open_page" } })).toMatchObject({
      action: { type: "openPage", url: null },
      results: null
    })
    expect(
      view({ type: "WebSearch", id: "w", query: "q", action: { type: "find_in_page", url: "u", pattern: "p" } })
    ).toMatchObject({ action: { type: "findInPage", url: "u", pattern: "p" } })
    expect(view({ type: "ImageView", id: "v", path: "file:///i.png" })).toMatchObject({ path: "/i.png" })
    const image = view({ type: "ImageGeneration", id: "g", status: "completed", result: "iVBO" })
    expect(image).toEqual({
      type: "imageGeneration",
      id: "g",
      status: "completed",
      revisedPrompt: null,
      result: "iVBO",
      ...times
    })
    expect(
      view({ type: "Extension", kind: "web.search", id: "w", query: "q", action: null, results: [1] })
    ).toMatchObject({ type: "webSearch", action: null, results: [1] })
    expect(view({ type: "Extension", kind: "clock.sleep", id: "s", durationMs: 5 })).toMatchObject({
      type: "sleep",
      durationMs: 5
    })
  })

  it("FileChange: sorted by path, a renamed file says so, no status is in progress", () => {
    expect(
      view({
        type: "FileChange",
        id: "f",
        changes: {
          "\u{1f600}": { type: "delete", content: "d" },
          "\uff01": { type: "add", content: "a" },
          "b/c": { type: "update", unified_diff: "@@", move_path: "z" },
          "b.c": { type: "update", unified_diff: "@@", move_path: null }
        }
      })
    ).toEqual({
      type: "fileChange",
      id: "f",
      changes: [
        { path: "b.c", kind: { type: "update", move_path: null }, diff: "@@" },
        { path: "b/c", kind: { type: "update", move_path: "z" }, diff: "@@\n\nMoved to: z" },
        { path: "\uff01", kind: { type: "add" }, diff: "a" },
        { path: "\u{1f600}", kind: { type: "delete" }, diff: "d" }
      ],
      status: "inProgress",
      ...times
    })
  })

  it("McpToolCall: its status as given, of a result only three keys", () => {
    expect(
      view({
        type: "McpToolCall",
        id: "m",
        server: "s",
        tool: "t",
        arguments: null,
        readOnlyHint: true,
        status: "completed",
        result: { content: [1], isError: true, extra: 1 },
        duration: { secs: 3, nanos: 999_999 }
      })
    ).toEqual({
      type: "mcpToolCall",
      id: "m",
      server: "s",
      tool: "t",
      status: "completed",
      arguments: null,
      appContext: null,
      pluginId: null,
      readOnlyHint: true,
      result: { content: [1], structuredContent: null, _meta: null },
      error: null,
      durationMs: 3000,
      ...times
    })
  })

  it("reviews", () => {
    const target = { type: "uncommittedChanges" }
    expect(view({ type: "EnteredReviewMode", id: "e", target, user_facing_hint: "" })).toMatchObject({ review: "" })
    expect(view({ type: "ExitedReviewMode", id: "x", review_output: null })).toMatchObject({
      type: "exitedReviewMode",
      review: "Reviewer failed to output a response."
    })
  })
})

describe("the text of a review", () => {
  const finding = (title: string, body: string) => ({
    title,
    body,
    confidence_score: 1,
    priority: 0,
    code_location: { absolute_file_path: "/m.js", line_range: { start: 1, end: 2 } }
  })
  const output = (overall_explanation: string, ...findings: ReadonlyArray<ReturnType<typeof finding>>) =>
    ReviewText.render({ findings, overall_correctness: "", overall_explanation, overall_confidence_score: 1 })

  it("has the explanation, the findings, or both", () => {
    expect(output(" fine \n")).toBe("fine")
    expect(output("", finding("A", "b\n"))).toBe("Review comment:\n\n- A — /m.js:1-2\n  b")
    expect(output("fine", finding("A", "b\n\nc"), finding("B", ""))).toBe(
      "fine\n\nFull review comments:\n\n- A — /m.js:1-2\n  b\n  \n  c\n\n- B — /m.js:1-2"
    )
    expect(output(" ")).toBe("Reviewer failed to output a response.")
  })
})

describe("paths of file: URLs", () => {
  it.each([
    ["file:///a/b", "/a/b", "posix"],
    ["file://localhost/a", "/a", "posix"],
    ["file:///a%20b/%E2%82%AC", "/a b/€", "posix"],
    ["file:///100%", "/100%", "posix"],
    ["file:///C:/a/b", "C:\\a\\b", "windows"],
    ["file://server/share/a", "\\\\server\\share\\a", "windows"],
    ["file:/a", "/a", "posix"]
  ])("%s", (url, path, convention) => {
    expect(NativePath.fromUrl(url)).toEqual({ path, convention })
  })

  it("resolve against a folder", () => {
    const posix = { path: "/a/b", convention: "posix" as const }
    expect(["c", "../c", "/x/./y", "../../../z", "."].map((path) => NativePath.resolve(posix, path))).toEqual([
      "/a/b/c",
      "/a/c",
      "/x/y",
      "/z",
      "/a/b"
    ])
    const windows = { path: "C:\\a", convention: "windows" as const }
    expect(["b/c", "..\\d", "D:\\x"].map((path) => NativePath.resolve(windows, path))).toEqual([
      "C:\\a\\b\\c",
      "C:\\d",
      "D:\\x"
    ])
  })
})
