import { shapeFor } from "@skein/testing/AnyRecord"
import { assert, describe, it } from "vitest"
import * as Content from "../../src/record/Content.js"
import * as ErrorInfo from "../../src/record/ErrorInfo.js"
import * as EventMsg from "../../src/record/EventMsg.js"
import * as LegacyEvent from "../../src/record/LegacyEvent.js"
import * as Permission from "../../src/record/Permission.js"
import * as ResponseItem from "../../src/record/ResponseItem.js"
import * as SessionMeta from "../../src/record/SessionMeta.js"
import * as Shape from "../../src/record/Shape.js"
import * as TurnContext from "../../src/record/TurnContext.js"
import * as TurnItem from "../../src/record/TurnItem.js"
import * as Examples from "./Examples.js"

type Json = Readonly<Record<string, unknown>>

const id = "019c2b10-7a00-7c00-8000-0000000000a1"

const meta: Json = {
  session_id: id,
  id,
  timestamp: "2026-07-20T09:59:59.500Z",
  cwd: "/repo",
  originator: "",
  cli_version: "0.1.0"
}

const payloadOf = (type: string): Json => {
  for (const text of Examples.records) {
    const line = JSON.parse(text) as { readonly type: string; readonly payload: Json }
    if (line.type === type) return line.payload
  }
  throw new Error(`no example of ${type}`)
}

const item = (tag: string): Json => {
  for (const text of [...Examples.items, ...Examples.events, ...Examples.turnItems]) {
    const value = JSON.parse(text) as Json
    if (value.type === tag) return value
  }
  throw new Error(`no example of ${tag}`)
}

describe("codes of fields (rollout-format §0)", () => {
  const { is, make } = SessionMeta.SessionMeta

  it("required: absent or null is refused", () => {
    const { cwd: _, ...without } = meta
    assert.isTrue(is(meta))
    assert.isFalse(is(without))
    assert.isFalse(is({ ...meta, cwd: null }))
  })

  it("defaulted and elided: absent is accepted, null refused", () => {
    for (const key of ["source", "history_mode", "selected_capability_roots"]) {
      assert.isFalse(is({ ...meta, [key]: null }), key)
    }
    assert.isTrue(is({ ...meta, source: "x", history_mode: "legacy", selected_capability_roots: [] }))
  })

  it("nullable and sparse: absent and null are both unset", () => {
    for (const key of ["model_provider", "forked_from_id", "memory_mode", "git"]) {
      assert.isTrue(is({ ...meta, [key]: null }), key)
    }
  })

  it("writing fills in N and D, and leaves out S and E", () => {
    assert.strictEqual(
      JSON.stringify(
        make({ id, session_id: id, timestamp: "t", cwd: "/r", originator: "", cli_version: "1", git: null })
      ),
      `{"session_id":"${id}","id":"${id}","timestamp":"t","cwd":"/r","originator":"","cli_version":"1",` +
        `"source":"vscode","model_provider":null,"base_instructions":null,"history_mode":"legacy"}`
    )
  })

  it("an elided value is written once it differs", () => {
    const off = Permission.ReadOnly.make({ type: "read-only", network_access: false })
    const on = Permission.ReadOnly.make({ type: "read-only", network_access: true })
    assert.deepStrictEqual([off, on], [{ type: "read-only" }, { type: "read-only", network_access: true }])
  })

  it("required JSON may be null, but its key may not be absent", () => {
    const { state: _, ...without } = payloadOf("world_state")
    const shape = shapeFor("world_state", {})
    assert.isFalse(shape?.is(without))
    assert.isTrue(shape?.is({ ...without, state: null }))
  })
})

describe("session_meta (rollout-format §3.1)", () => {
  const { is } = SessionMeta.SessionMeta

  it("refuses an unknown history mode", () => {
    assert.isFalse(is({ ...meta, history_mode: "segmented" }))
  })

  it("refuses the two names of the role together, at each place that has them", () => {
    assert.isFalse(is({ ...meta, agent_role: "a", agent_type: "a" }))
    assert.isFalse(is({ ...meta, agent_role: null, agent_type: "a" }))
    assert.isTrue(is({ ...meta, agent_type: "a" }))
    const spawn = { parent_thread_id: id, depth: 1 }
    const of = (more: Json) => ({ ...meta, source: { subagent: { thread_spawn: { ...spawn, ...more } } } })
    assert.isTrue(is(of({ agent_type: "a" })))
    assert.isFalse(is(of({ agent_type: "a", agent_role: "b" })))
    const wait = item("CollabAgentToolCall")
    const ref = { thread_id: id, agent_type: "a" }
    assert.isTrue(TurnItem.CollabAgentToolCall.is({ ...wait, receiver_agents: [ref] }))
    assert.isFalse(TurnItem.CollabAgentToolCall.is({ ...wait, receiver_agents: [{ ...ref, agent_role: "a" }] }))
  })

  it("gives the role under either name", () => {
    assert.strictEqual(SessionMeta.agentRole({ agent_role: "a" }), "a")
    assert.strictEqual(SessionMeta.agentRole({ agent_role: null, agent_type: "b" }), "b")
    assert.isUndefined(SessionMeta.agentRole({}))
  })

  it.each([
    ["cli", true],
    ["of the future", true],
    [{ custom: "atlas" }, true],
    [{ internal: "memory_consolidation" }, true],
    [{ subagent: "review" }, true],
    [{ subagent: { other: "x" } }, true],
    [{ subagent: "unheard of" }, false],
    [{ subagent: { thread_spawn: { parent_thread_id: id, depth: 1, agent_path: "/root/root" } } }, false],
    [{ unheard_of: "x" }, false]
  ])("source %j: %s", (source, accepted) => {
    assert.strictEqual(is({ ...meta, source }), accepted)
  })

  it.each(["/repo", "file:///repo", "C:\\repo"])("a capability root may be at %s", (path) => {
    const root = { id: "r", location: { type: "environment", environmentId: "local", path } }
    assert.isTrue(is({ ...meta, selected_capability_roots: [root] }))
  })

  it("a capability root may not be at a relative path", () => {
    const root = { id: "r", location: { type: "environment", environmentId: "local", path: "repo" } }
    assert.isFalse(is({ ...meta, selected_capability_roots: [root] }))
  })

  it("refuses a mix of tagged and flat tools", () => {
    const flat = { name: "b", description: "", inputSchema: {} }
    assert.isTrue(is({ ...meta, dynamic_tools: [{ type: "function", ...flat }] }))
    assert.isFalse(is({ ...meta, dynamic_tools: [{ type: "function", ...flat }, flat] }))
    assert.isFalse(is({ ...meta, dynamic_tools: [{ type: "function", ...flat, namespace: "n" }] }))
  })
})

describe("items (rollout-format §4)", () => {
  it("refuse an unknown phase, an unknown part and an output that is an object", () => {
    const message = item("message")
    assert.isFalse(ResponseItem.Message.is({ ...message, phase: "prelude" }))
    assert.isFalse(ResponseItem.Message.is({ ...message, content: [{ type: "output_video", text: "" }] }))
    const output = item("function_call_output")
    for (const bad of [{}, null, [{ type: "output_text", text: "" }]]) {
      assert.isFalse(ResponseItem.FunctionCallOutput.is({ ...output, output: bad }))
    }
  })

  it("accept an output without a call, as 0.169.0 writes it", () => {
    const output = { type: "function_call_output", name: "goal_objective", namespace: "agent", output: "x" } as const
    assert.isTrue(ResponseItem.FunctionCallOutput.is(output))
    assert.deepStrictEqual(ResponseItem.FunctionCallOutput.make(output), output)
  })

  it("reasoning writes unset content as null, and no array without reasoning_text", () => {
    const write = (content: ReadonlyArray<ResponseItem.ReasoningContent> | null | undefined) =>
      JSON.stringify(ResponseItem.Reasoning.make({ type: "reasoning", summary: [], content, encrypted_content: "g" }))
    const rest = `"encrypted_content":"g"}`
    assert.strictEqual(write(undefined), `{"type":"reasoning","summary":[],"content":null,${rest}`)
    assert.strictEqual(write([]), `{"type":"reasoning","summary":[],${rest}`)
    assert.strictEqual(write([{ type: "text", text: "a" }]), `{"type":"reasoning","summary":[],${rest}`)
    const both = [
      { type: "text", text: "a" },
      { type: "reasoning_text", text: "b" }
    ] as const
    assert.strictEqual(write(both), `{"type":"reasoning","summary":[],"content":${JSON.stringify(both)},${rest}`)
  })

  it("know neither `other` nor ghost snapshots nor names of Object", () => {
    for (const tag of ["other", "ghost_snapshot", "toString", "__proto__"]) assert.isFalse(ResponseItem.isKnown(tag))
  })

  it("take the four details of an image only", () => {
    const image = { type: "input_image", image_url: "data:," }
    const accepted = ["auto", "low", "high", "original", null].map((detail) =>
      Content.InputImage.is({ ...image, detail })
    )
    assert.deepStrictEqual(accepted, [true, true, true, true, true])
    assert.isFalse(Content.InputImage.is({ ...image, detail: "medium" }))
  })
})

describe("events and turn items (rollout-format §5)", () => {
  it("context_compacted refuses any further key", () => {
    assert.isTrue(LegacyEvent.ContextCompacted.is({ type: "context_compacted" }))
    assert.isFalse(LegacyEvent.ContextCompacted.is({ type: "context_compacted", turn_id: "t" }))
  })

  it("a plain path is no file: URL", () => {
    assert.isFalse(TurnItem.CommandExecution.is({ ...item("CommandExecution"), cwd: "/repo" }))
    assert.isFalse(TurnItem.ImageView.is({ ...item("ImageView"), path: "/repo/i.png" }))
    assert.isFalse(EventMsg.variants.exec_command_end.is({ ...item("exec_command_end"), cwd: "/repo" }))
  })

  it("item_completed may lack its time, item_started may not", () => {
    const { completed_at_ms: _, ...completed } = item("item_completed")
    assert.isTrue(EventMsg.ItemCompleted.is(completed))
    assert.isFalse(EventMsg.ItemStarted.is({ ...completed, type: "item_started" }))
    assert.isTrue(EventMsg.ItemStarted.is({ ...completed, type: "item_started", started_at_ms: 1 }))
  })

  it("an extension of an unknown kind is refused", () => {
    assert.isFalse(TurnItem.Extension.is({ ...item("Extension"), kind: "clock.alarm" }))
  })

  it("states of agents go by UUID", () => {
    const wait = item("CollabAgentToolCall")
    assert.isFalse(TurnItem.CollabAgentToolCall.is({ ...wait, agents_states: { worker: "running" } }))
  })

  it("an unknown error reads as `other`, none as none", () => {
    const body = item("error")
    assert.isTrue(EventMsg.variants.error.is({ ...body, codex_error_info: { quota: 1 } }))
    assert.strictEqual(ErrorInfo.of({ codex_error_info: { quota: 1 } }), "other")
    assert.strictEqual(ErrorInfo.of({ codex_error_info: "unauthorized" }), "unauthorized")
    const lost = { response_stream_disconnected: { http_status_code: 502 } }
    assert.deepStrictEqual(ErrorInfo.of({ codex_error_info: lost }), lost)
    assert.isUndefined(ErrorInfo.of({ codex_error_info: null }))
  })

  it("integers are whole and of their width", () => {
    const rolledBack = (num_turns: number) => EventMsg.ThreadRolledBack.is({ type: "thread_rolled_back", num_turns })
    assert.deepStrictEqual([0, 4_294_967_295].map(rolledBack), [true, true])
    assert.deepStrictEqual([-1, 1.5, 4_294_967_296].map(rolledBack), [false, false, false])
  })
})

describe("turn_context (rollout-format §7.1)", () => {
  const context = payloadOf("turn_context")
  const { is } = TurnContext.TurnContext

  it.each([
    [{ cwd: "repo" }, false],
    [{ approval_policy: "on-failure" }, false],
    [{ approval_policy: { granular: { sandbox_approval: true, rules: true, mcp_elicitations: false } } }, true],
    [{ approval_policy: { granular: { sandbox_approval: true, rules: true } } }, false],
    [{ sandbox_policy: { mode: "read-only" } }, false],
    [{ permission_profile: { network: null } }, false],
    [{ file_system_sandbox_policy: { kind: "restricted", glob_scan_max_depth: 0 } }, false],
    [{ file_system_sandbox_policy: { kind: "restricted", glob_scan_max_depth: 1 } }, true],
    [{ multi_agent_mode: "none" }, false],
    [{ multi_agent_mode: { custom: "" } }, true],
    [{ effort: "" }, false],
    [{ effort: "of the future" }, true],
    [{ summary: null }, false]
  ])("with %j: %s", (more, accepted) => {
    assert.isTrue(is(context))
    assert.strictEqual(is({ ...context, ...more }), accepted)
  })
})

it("explains a mismatch by its place", () => {
  const { path } = Shape.explain(ResponseItem.Message.schema, { ...item("message"), role: 1 })
  assert.deepStrictEqual(path, ["role"])
})
