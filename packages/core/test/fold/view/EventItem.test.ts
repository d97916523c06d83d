/** Items that legacy events tell of, whole: what begins and what it comes to (thread-view §1.4, §1.6). */
import { describe, expect, it } from "vitest"
import * as Fold from "../../../src/fold/Fold.js"
import * as LegacyView from "../../../src/fold/view/LegacyView.js"
import * as State from "../../../src/fold/view/ViewState.js"
import type { Draft } from "./Events.js"
import * as E from "./Events.js"

const fold = Fold.make(State.initial, (state, record) => LegacyView.step(state, record))
const itemsOf = (...drafts: ReadonlyArray<Draft>) =>
  State.turns(Fold.run(fold, E.records([E.started("a"), ...drafts]))).flatMap(({ items }) => items)

const untimed = { startedAtMs: null, completedAtMs: null }
const upper = (id: string) => id.toUpperCase()

const command = {
  type: "commandExecution",
  id: "c",
  command: "ls 'a b'",
  cwd: "/repo",
  processId: "7",
  source: "userShell",
  commandActions: [{ type: "listFiles", command: "ls", path: null }],
  ...untimed
}
const commandFields = {
  call_id: "c",
  turn_id: "a",
  process_id: "7",
  command: ["ls", "a b"],
  cwd: "file:///repo",
  parsed_cmd: [{ type: "list_files", cmd: "ls", path: null }],
  source: "user_shell"
}
const changes = { "/b": { type: "delete", content: "x" } }
const fileChange = {
  type: "fileChange",
  id: "p",
  changes: [{ path: "/b", kind: { type: "delete" }, diff: "x" }],
  ...untimed
}
const mcp = { type: "mcpToolCall", id: "m", server: "s", tool: "t", readOnlyHint: null, ...untimed }
const mcpFields = { call_id: "m", invocation: { server: "s", tool: "t", arguments: { q: 1 } } }
const app = {
  connector_id: "c",
  mcp_app_resource_uri: "ui://x",
  link_id: "l",
  app_name: "App",
  action_name: "act",
  plugin_id: "p"
}
const appContext = { connectorId: "c", linkId: "l", resourceUri: "ui://x", appName: "App", actionName: "act" }
const dynamic = { type: "dynamicToolCall", id: "d", namespace: "n", tool: "t", arguments: { a: 1 }, ...untimed }
const seconds = (secs: number) => ({ secs, nanos: 0 })
const call = { type: "collabAgentToolCall", id: "k", senderThreadId: E.threadId, ...untimed }
const calling = { call_id: "k", sender_thread_id: upper(E.threadId) }
const nothing = { prompt: null, model: null, reasoningEffort: null }
const asked = { prompt: "go", model: "m", reasoning_effort: "high" }
const asks = { prompt: "go", model: "m", reasoningEffort: "high" }

/** An event that begins something, the item that it comes to, the event that ends it, and the item that this is then. */
const rows: ReadonlyArray<readonly [what: string, begin: Draft, begun: object, end: Draft, ended: object]> = [
  [
    "a command",
    E.event("exec_command_begin", commandFields),
    { ...command, status: "inProgress", aggregatedOutput: null, exitCode: null, durationMs: null },
    E.event("exec_command_end", {
      ...commandFields,
      stdout: "o",
      stderr: "e",
      aggregated_output: "oe",
      exit_code: 3,
      duration: { secs: 1, nanos: 5_000_000 },
      formatted_output: "f",
      status: "failed"
    }),
    { ...command, status: "failed", aggregatedOutput: "oe", exitCode: 3, durationMs: 1005 }
  ],
  [
    "a patch",
    E.event("patch_apply_begin", { call_id: "p", turn_id: "a", auto_approved: true, changes }),
    { ...fileChange, status: "inProgress" },
    E.event("patch_apply_end", {
      call_id: "p",
      turn_id: "a",
      stdout: "",
      stderr: "",
      success: false,
      changes,
      status: "failed"
    }),
    { ...fileChange, status: "failed" }
  ],
  [
    "a patch that waits for approval, of no turn",
    E.event("apply_patch_approval_request", { call_id: "p", turn_id: "", changes }),
    { ...fileChange, status: "inProgress" },
    E.event("patch_apply_end", { call_id: "p", stdout: "", stderr: "", success: true, status: "completed" }),
    { ...fileChange, changes: [], status: "completed" }
  ],
  [
    "a call of an mcp tool",
    E.event("mcp_tool_call_begin", { ...mcpFields, ...app }),
    {
      ...mcp,
      status: "inProgress",
      arguments: { q: 1 },
      appContext,
      mcpAppResourceUri: "ui://x",
      pluginId: "p",
      result: null,
      error: null,
      durationMs: null
    },
    E.event("mcp_tool_call_end", {
      ...mcpFields,
      ...app,
      duration: seconds(2),
      result: { Ok: { content: [1], structuredContent: { b: 2 }, isError: true, _meta: { c: 3 } } }
    }),
    {
      ...mcp,
      status: "failed",
      arguments: { q: 1 },
      appContext,
      mcpAppResourceUri: "ui://x",
      pluginId: "p",
      result: { content: [1], structuredContent: { b: 2 }, _meta: { c: 3 } },
      error: null,
      durationMs: 2000
    }
  ],
  [
    "a call of an mcp tool that fails, without arguments or app",
    E.event("mcp_tool_call_begin", { call_id: "m", invocation: { server: "s", tool: "t" } }),
    {
      ...mcp,
      status: "inProgress",
      arguments: null,
      appContext: null,
      pluginId: null,
      result: null,
      error: null,
      durationMs: null
    },
    E.event("mcp_tool_call_end", {
      call_id: "m",
      invocation: { server: "s", tool: "t", arguments: null },
      duration: seconds(0),
      result: { Err: "no" }
    }),
    {
      ...mcp,
      status: "failed",
      arguments: null,
      appContext: null,
      pluginId: null,
      result: null,
      error: { message: "no" },
      durationMs: 0
    }
  ],
  [
    "a search on the web",
    E.event("web_search_begin", { call_id: "w" }),
    { type: "webSearch", id: "w", query: "", action: null, results: null, ...untimed },
    E.event("web_search_end", {
      call_id: "w",
      query: "q",
      action: { type: "search", query: "q", queries: ["q", "r"] },
      results: [{ url: "u" }]
    }),
    {
      type: "webSearch",
      id: "w",
      query: "q",
      action: { type: "search", query: "q", queries: ["q", "r"] },
      results: [{ url: "u" }],
      ...untimed
    }
  ],
  [
    "an image",
    E.event("image_generation_begin", { call_id: "g" }),
    { type: "imageGeneration", id: "g", status: "", revisedPrompt: null, result: "", ...untimed },
    E.event("image_generation_end", {
      call_id: "g",
      status: "completed",
      revised_prompt: "a cat",
      result: "iVBO",
      saved_path: "/i.png"
    }),
    {
      type: "imageGeneration",
      id: "g",
      status: "completed",
      revisedPrompt: "a cat",
      result: "iVBO",
      savedPath: "/i.png",
      ...untimed
    }
  ],
  [
    "a tool of the client",
    E.event("dynamic_tool_call_request", {
      callId: "d",
      turnId: "a",
      namespace: "n",
      tool: "t",
      arguments: { a: 1 }
    }),
    { ...dynamic, status: "inProgress", contentItems: null, success: null, durationMs: null },
    E.event("dynamic_tool_call_response", {
      call_id: "d",
      turn_id: "a",
      namespace: "n",
      tool: "t",
      arguments: { a: 1 },
      content_items: [],
      success: false,
      error: "not shown",
      duration: seconds(1)
    }),
    { ...dynamic, status: "failed", contentItems: [], success: false, durationMs: 1000 }
  ],
  [
    "an agent that is started",
    E.event("collab_agent_spawn_begin", { ...calling, ...asked }),
    { ...call, tool: "spawnAgent", status: "inProgress", receiverThreadIds: [], ...asks, agentsStates: {} },
    E.event("collab_agent_spawn_end", {
      ...calling,
      ...asked,
      new_thread_id: upper(E.agentA),
      status: "pending_init"
    }),
    {
      ...call,
      tool: "spawnAgent",
      status: "completed",
      receiverThreadIds: [E.agentA],
      ...asks,
      agentsStates: { [E.agentA]: { status: "pendingInit", message: null } }
    }
  ],
  [
    "what an agent is sent",
    E.event("collab_agent_interaction_begin", { ...calling, receiver_thread_id: upper(E.agentA), prompt: "go" }),
    {
      ...call,
      tool: "sendInput",
      status: "inProgress",
      receiverThreadIds: [E.agentA],
      ...nothing,
      prompt: "go",
      agentsStates: {}
    },
    E.event("collab_agent_interaction_end", {
      ...calling,
      receiver_thread_id: upper(E.agentA),
      prompt: "go",
      status: "shutdown"
    }),
    {
      ...call,
      tool: "sendInput",
      status: "completed",
      receiverThreadIds: [E.agentA],
      ...nothing,
      prompt: "go",
      agentsStates: { [E.agentA]: { status: "shutdown", message: null } }
    }
  ],
  [
    "waiting for agents",
    E.event("collab_waiting_begin", { ...calling, receiver_thread_ids: [upper(E.agentB), E.agentA] }),
    {
      ...call,
      tool: "wait",
      status: "inProgress",
      receiverThreadIds: [E.agentB, E.agentA],
      ...nothing,
      agentsStates: {}
    },
    E.event("collab_waiting_end", {
      ...calling,
      statuses: { [E.agentB]: { completed: "ok" }, [E.agentA]: "not_found" }
    }),
    {
      ...call,
      tool: "wait",
      status: "failed",
      receiverThreadIds: [E.agentA, E.agentB],
      ...nothing,
      agentsStates: {
        [E.agentA]: { status: "notFound", message: null },
        [E.agentB]: { status: "completed", message: "ok" }
      }
    }
  ],
  [
    "an agent that is closed",
    E.event("collab_close_begin", { ...calling, receiver_thread_id: upper(E.agentA) }),
    {
      ...call,
      tool: "closeAgent",
      status: "inProgress",
      receiverThreadIds: [E.agentA],
      ...nothing,
      agentsStates: {}
    },
    E.event("collab_close_end", { ...calling, receiver_thread_id: E.agentA, status: { completed: null } }),
    {
      ...call,
      tool: "closeAgent",
      status: "completed",
      receiverThreadIds: [E.agentA],
      ...nothing,
      agentsStates: { [E.agentA]: { status: "completed", message: null } }
    }
  ],
  [
    "an agent that is resumed",
    E.event("collab_resume_begin", { ...calling, receiver_thread_id: upper(E.agentA) }),
    {
      ...call,
      tool: "resumeAgent",
      status: "inProgress",
      receiverThreadIds: [E.agentA],
      ...nothing,
      agentsStates: {}
    },
    E.event("collab_resume_end", { ...calling, receiver_thread_id: E.agentA, status: { errored: "no" } }),
    {
      ...call,
      tool: "resumeAgent",
      status: "failed",
      receiverThreadIds: [E.agentA],
      ...nothing,
      agentsStates: { [E.agentA]: { status: "errored", message: "no" } }
    }
  ]
]

describe("what begins and ends", () => {
  it.each(rows)("%s: in progress, and its end in its place", (_, begin, begun, end, ended) => {
    expect(itemsOf(begin)).toEqual([begun])
    expect(itemsOf(begin, E.agent("between"), end)).toMatchObject([ended, { type: "agentMessage" }])
    expect(itemsOf(begin, end)).toEqual([ended])
    expect(itemsOf(end)).toEqual([ended])
  })

  it("an image that is looked at, and what happened to an agent: there is no beginning", () => {
    expect(itemsOf(E.event("view_image_tool_call", { call_id: "v", path: "file:///a%20b.png" }))).toEqual([
      { type: "imageView", id: "v", path: "/a b.png", ...untimed }
    ])
    const activity = { event_id: "s", agent_thread_id: upper(E.agentA), agent_path: "/root/a", kind: "interacted" }
    const item = {
      type: "subAgentActivity",
      id: "s",
      kind: "interacted",
      agentThreadId: E.agentA,
      agentPath: "/root/a"
    }
    expect(itemsOf(E.event("sub_agent_activity", { ...activity, occurred_at_ms: 9 }))).toEqual([
      { ...item, model: null, reasoningEffort: null, startedAtMs: null, completedAtMs: 9 }
    ])
    expect(itemsOf(E.event("sub_agent_activity", { ...activity, model: "m", reasoning_effort: "low" }))).toEqual([
      { ...item, model: "m", reasoningEffort: "low", ...untimed }
    ])
  })

  it("those that name a turn go there, or nowhere; the others into the open one (R5)", () => {
    for (const [what, begin, , end] of rows) {
      for (const draft of [begin, end]) {
        const { payload } = draft as { readonly payload: Readonly<Record<string, unknown>> }
        const key = ["turn_id", "turnId"].find((name) => name in payload && payload[name] !== "")
        const elsewhere = key === undefined ? draft : { ...draft, payload: { ...payload, [key]: "nobody" } }
        expect([what, itemsOf(elsewhere as Draft).length]).toEqual([what, key === undefined ? 1 : 0])
      }
    }
  })

  it("a shape that is not as it should be tells of nothing", () => {
    for (const broken of [
      E.event("exec_command_begin", { ...commandFields, cwd: "/no/url" }),
      E.event("mcp_tool_call_begin", { call_id: "m" }),
      E.event("web_search_begin", {}),
      E.event("constructor", { call_id: "m" })
    ]) {
      expect(itemsOf(broken)).toEqual([])
    }
  })

  it("a command that says nothing of its source is the agent's", () => {
    const { process_id: _, source: __, ...rest } = commandFields
    expect(itemsOf(E.event("exec_command_begin", rest))).toMatchObject([{ source: "agent", processId: null }])
  })
})

describe("a reviewer's judgement", () => {
  const judged = (fields: object) => itemsOf(E.event("guardian_assessment", { id: "g", status: "denied", ...fields }))
  const shell = { type: "command", command: "rm", cwd: "file:///a%20b" }
  const item = {
    type: "commandExecution",
    id: "c",
    command: "rm",
    cwd: "/a b",
    processId: null,
    source: "agent",
    status: "declined",
    commandActions: [{ type: "unknown", command: "rm" }],
    aggregatedOutput: null,
    exitCode: null,
    durationMs: null,
    ...untimed
  }

  it("stands for the command, whole", () => {
    expect(judged({ target_item_id: "c", action: shell })).toEqual([item])
    expect(judged({ target_item_id: "c", action: { ...shell, cwd: "/plain" } })).toEqual([{ ...item, cwd: "/plain" }])
    expect(judged({ target_item_id: "c", turn_id: "a", status: "aborted", action: shell })).toEqual([item])
    expect(judged({ target_item_id: "c", turn_id: "nobody", action: shell })).toEqual([])
  })

  it("of nothing that is named, of another kind, or without what it takes, tells of nothing", () => {
    expect(judged({ action: shell })).toEqual([])
    for (const action of [
      { type: "command", command: 7, cwd: "/" },
      { type: "command", command: "rm" },
      { type: "execve", program: "/rm", cwd: "/" },
      { type: "execve", argv: ["rm"], cwd: "/" },
      { type: "apply_patch", command: "rm", cwd: "/" }
    ]) {
      expect([action, judged({ target_item_id: "c", action })]).toEqual([action, []])
    }
    expect(
      judged({ target_item_id: "c", action: { type: "execve", program: "/rm", argv: ["rm", 7, "x"], cwd: "/" } })
    ).toMatchObject([{ command: "/rm x" }])
  })
})
