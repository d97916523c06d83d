/** Legacy events of canonical items, whole: every field of them, and what stands for those that are missing (thread-view §1.9; C2 to C11). */
import { describe, expect, it } from "vitest"
import * as FanOut from "../../../src/fold/view/FanOut.js"
import type { TurnItem } from "../../../src/record/TurnItem.js"
import * as E from "./Events.js"

const facts = { turnId: "t", atMs: 5 }
const started = (item: object) => FanOut.onStarted(item as TurnItem, facts)
const completed = (item: object) => FanOut.onCompleted(item as TurnItem, facts)

const duration = { secs: 1, nanos: 2 }
const noTime = { secs: 0, nanos: 0 }

const command = {
  type: "CommandExecution",
  id: "c",
  process_id: "7",
  command: ["ls"],
  cwd: "file:///repo",
  parsed_cmd: [{ type: "unknown", cmd: "ls" }],
  source: "user_shell",
  interaction_input: "y",
  status: "failed",
  stdout: "o",
  stderr: "e",
  aggregated_output: "oe",
  formatted_output: "f",
  exit_code: 3,
  duration
}
const dynamic = {
  type: "DynamicToolCall",
  id: "d",
  namespace: "n",
  tool: "t",
  arguments: { a: 1 },
  status: "completed",
  content_items: [{ type: "inputText", text: "ok" }],
  success: true,
  error: "e",
  duration
}
const mcp = {
  type: "McpToolCall",
  id: "m",
  server: "s",
  tool: "t",
  arguments: { q: 1 },
  connectorId: "c",
  mcpAppResourceUri: "ui://x",
  linkId: "l",
  appName: "App",
  actionName: "act",
  pluginId: "p",
  status: "completed",
  result: { content: [1] },
  duration
}
const mcpFields = {
  call_id: "m",
  invocation: { server: "s", tool: "t", arguments: { q: 1 } },
  connector_id: "c",
  mcp_app_resource_uri: "ui://x",
  link_id: "l",
  app_name: "App",
  action_name: "act",
  plugin_id: "p"
}
const changes = { "/a": { type: "add", content: "x" } }
const target = { type: "uncommittedChanges" }
const review = {
  findings: [],
  overall_correctness: "",
  overall_explanation: "fine",
  overall_confidence_score: 1
}
const action = { type: "search", query: "q" }

const rows: ReadonlyArray<
  readonly [what: string, item: object, begins: ReadonlyArray<object>, ends: ReadonlyArray<object>]
> = [
  [
    "C10: a command",
    command,
    [
      {
        type: "exec_command_begin",
        call_id: "c",
        process_id: "7",
        turn_id: "t",
        started_at_ms: 5,
        command: ["ls"],
        cwd: "file:///repo",
        parsed_cmd: [{ type: "unknown", cmd: "ls" }],
        source: "user_shell",
        interaction_input: "y"
      }
    ],
    [
      {
        type: "exec_command_end",
        call_id: "c",
        process_id: "7",
        turn_id: "t",
        completed_at_ms: 5,
        command: ["ls"],
        cwd: "file:///repo",
        parsed_cmd: [{ type: "unknown", cmd: "ls" }],
        source: "user_shell",
        interaction_input: "y",
        stdout: "o",
        stderr: "e",
        aggregated_output: "oe",
        exit_code: 3,
        duration,
        formatted_output: "f",
        status: "failed"
      }
    ]
  ],
  [
    "C10: a tool of the client",
    dynamic,
    [
      {
        type: "dynamic_tool_call_request",
        callId: "d",
        turnId: "t",
        startedAtMs: 5,
        namespace: "n",
        tool: "t",
        arguments: { a: 1 }
      }
    ],
    [
      {
        type: "dynamic_tool_call_response",
        call_id: "d",
        turn_id: "t",
        completed_at_ms: 5,
        namespace: "n",
        tool: "t",
        arguments: { a: 1 },
        content_items: [{ type: "inputText", text: "ok" }],
        success: true,
        error: "e",
        duration
      }
    ]
  ],
  [
    "C10: a tool of the client of which nothing is said",
    { type: "DynamicToolCall", id: "d", tool: "t", arguments: null, status: "failed" },
    [
      {
        type: "dynamic_tool_call_request",
        callId: "d",
        turnId: "t",
        startedAtMs: 5,
        namespace: null,
        tool: "t",
        arguments: null
      }
    ],
    [
      {
        type: "dynamic_tool_call_response",
        call_id: "d",
        turn_id: "t",
        completed_at_ms: 5,
        namespace: null,
        tool: "t",
        arguments: null,
        content_items: [],
        success: false,
        error: null,
        duration: noTime
      }
    ]
  ],
  [
    "C5, C9: a call of an mcp tool",
    mcp,
    [{ type: "mcp_tool_call_begin", ...mcpFields }],
    [{ type: "mcp_tool_call_end", ...mcpFields, duration, result: { Ok: { content: [1] } } }]
  ],
  [
    "C2: a search on the web",
    { type: "WebSearch", id: "w", query: "q", action, results: [1] },
    [{ type: "web_search_begin", call_id: "w" }],
    [{ type: "web_search_end", call_id: "w", query: "q", action, results: [1] }]
  ],
  [
    "C3, C7: an image",
    { type: "ImageGeneration", id: "g", status: "completed", revised_prompt: "r", result: "iVBO", saved_path: "/i" },
    [{ type: "image_generation_begin", call_id: "g" }],
    [
      {
        type: "image_generation_end",
        call_id: "g",
        status: "completed",
        revised_prompt: "r",
        result: "iVBO",
        saved_path: "/i"
      }
    ]
  ],
  [
    "C6: an image that is looked at",
    { type: "ImageView", id: "v", path: "file:///i.png" },
    [],
    [{ type: "view_image_tool_call", call_id: "v", path: "file:///i.png" }]
  ],
  [
    "C4, C8: a patch",
    { type: "FileChange", id: "f", changes, status: "completed", auto_approved: true, stdout: "o", stderr: "e" },
    [{ type: "patch_apply_begin", call_id: "f", turn_id: "t", auto_approved: true, changes }],
    [
      {
        type: "patch_apply_end",
        call_id: "f",
        turn_id: "t",
        stdout: "o",
        stderr: "e",
        success: true,
        changes,
        status: "completed"
      }
    ]
  ],
  [
    "C8: a patch that was declined",
    { type: "FileChange", id: "f", changes, status: "declined" },
    [{ type: "patch_apply_begin", call_id: "f", turn_id: "t", auto_approved: false, changes }],
    [
      {
        type: "patch_apply_end",
        call_id: "f",
        turn_id: "t",
        stdout: "",
        stderr: "",
        success: false,
        changes,
        status: "declined"
      }
    ]
  ],
  [
    "what happened to an agent",
    {
      type: "SubAgentActivity",
      id: "s",
      kind: "started",
      agent_thread_id: E.agentA,
      agent_path: "/root/a",
      model: "m",
      reasoning_effort: "low"
    },
    [],
    [
      {
        type: "sub_agent_activity",
        model: "m",
        reasoning_effort: "low",
        event_id: "s",
        occurred_at_ms: 5,
        agent_thread_id: E.agentA,
        agent_path: "/root/a",
        kind: "started"
      }
    ]
  ],
  [
    "a message of the agent",
    {
      type: "AgentMessage",
      id: "a",
      content: [{ type: "Text", text: "x" }],
      phase: "final_answer",
      memory_citation: { entries: [], rolloutIds: ["r"] }
    },
    [],
    [
      {
        type: "agent_message",
        message: "x",
        phase: "final_answer",
        memory_citation: { entries: [], rolloutIds: ["r"] }
      }
    ]
  ],
  [
    "a review that begins",
    { type: "EnteredReviewMode", id: "e", target, user_facing_hint: "look" },
    [],
    [{ type: "entered_review_mode", target, user_facing_hint: "look", turn_id: "t", item_id: "e" }]
  ],
  [
    "C11: a review that is done",
    { type: "ExitedReviewMode", id: "x", review_output: review },
    [],
    [{ type: "exited_review_mode", turn_id: "t", item_id: "x", review_output: review }]
  ]
]

describe("events, whole", () => {
  it.each(rows)("%s", (_, item, begins, ends) => {
    expect(started(item)).toEqual(begins)
    expect(completed(item)).toEqual(ends)
  })
})

describe("events of calls of other agents, whole", () => {
  const refs = [
    { thread_id: E.agentB, agent_nickname: "Bob", agent_role: "reviewer" },
    { thread_id: E.agentA, agent_nickname: "Ada", agent_type: "worker" }
  ]
  const call = {
    type: "CollabAgentToolCall",
    id: "k",
    status: "completed",
    sender_thread_id: E.threadId,
    receiver_thread_ids: [E.agentA, E.agentB],
    receiver_agents: refs,
    prompt: "go",
    model: "m",
    reasoning_effort: "high",
    agents_states: { [E.agentA]: "running", [E.agentB]: { errored: "no" } }
  }
  const begun = { call_id: "k", started_at_ms: 5, sender_thread_id: E.threadId }
  const ended = { call_id: "k", completed_at_ms: 5, sender_thread_id: E.threadId }
  const asked = { prompt: "go", model: "m", reasoning_effort: "high" }
  const named = { receiver_agent_nickname: "Ada", receiver_agent_role: "worker" }
  const answer = { ...ended, receiver_thread_id: E.agentA, ...named, status: "running" }

  const rows: ReadonlyArray<readonly [tool: string, begin: object, end: object]> = [
    [
      "spawn_agent",
      { type: "collab_agent_spawn_begin", ...begun, ...asked },
      {
        type: "collab_agent_spawn_end",
        ...ended,
        ...asked,
        new_thread_id: E.agentA,
        new_agent_nickname: "Ada",
        new_agent_role: "worker",
        status: "running"
      }
    ],
    [
      "send_input",
      { type: "collab_agent_interaction_begin", ...begun, receiver_thread_id: E.agentA, prompt: "go" },
      { type: "collab_agent_interaction_end", ...answer, prompt: "go" }
    ],
    [
      "wait",
      {
        type: "collab_waiting_begin",
        ...begun,
        receiver_thread_ids: [E.agentA, E.agentB],
        receiver_agents: [refs[0], { thread_id: E.agentA, agent_nickname: "Ada", agent_role: "worker" }]
      },
      {
        type: "collab_waiting_end",
        ...ended,
        agent_statuses: [
          { ...refs[0], status: { errored: "no" } },
          { thread_id: E.agentA, agent_nickname: "Ada", agent_role: "worker", status: "running" }
        ],
        statuses: call.agents_states
      }
    ],
    [
      "close_agent",
      { type: "collab_close_begin", ...begun, receiver_thread_id: E.agentA },
      { type: "collab_close_end", ...answer }
    ],
    [
      "resume_agent",
      { type: "collab_resume_begin", ...begun, receiver_thread_id: E.agentA, ...named },
      { type: "collab_resume_end", ...answer }
    ]
  ]

  it.each(rows)("%s", (tool, begin, end) => {
    // As they are written, where an alias has its own name and what is unset has none.
    const written = (events: ReadonlyArray<unknown>) =>
      JSON.parse(JSON.stringify(events).replaceAll("agent_type", "agent_role"))
    expect(written(started({ ...call, tool }))).toEqual([begin])
    expect(written(completed({ ...call, tool }))).toEqual([end])
  })

  it("of agents whose names are not recorded nothing is said; without any there is nobody to wait for", () => {
    const { receiver_agents: _, ...nameless } = call
    expect(JSON.stringify(started({ ...nameless, tool: "resume_agent" }))).not.toContain("nickname")
    expect(JSON.stringify(completed({ ...nameless, tool: "close_agent" }))).not.toContain("role")
    const bare = {
      type: "CollabAgentToolCall",
      id: "k",
      tool: "wait",
      status: "completed",
      sender_thread_id: E.threadId
    }
    expect(started(bare)).toEqual([{ type: "collab_waiting_begin", ...begun, receiver_thread_ids: [] }])
    expect(completed(bare)).toMatchObject([{ type: "collab_waiting_end", ...ended, statuses: {} }])
    expect(started({ ...call, tool: "send_input", prompt: undefined })).toMatchObject([{ prompt: "" }])
    expect(completed({ ...call, tool: "send_input", prompt: undefined })).toMatchObject([{ prompt: "" }])
  })
})
