import { shapeFor } from "@skein/testing/AnyRecord"
import { assert, describe, it } from "vitest"
import * as InterAgentCommunication from "../../src/record/InterAgentCommunication.js"
import * as Bare from "../../src/record/legacy/Bare.js"
import * as Upcasts from "../../src/record/legacy/Upcasts.js"
import * as Examples from "./Examples.js"

type Json = Readonly<Record<string, unknown>>

const id = "019c2b10-7a00-7c00-8000-0000000000a1"

interface Lifted {
  readonly payload: unknown
  readonly names: ReadonlyArray<string>
}

/** The payload once it matches, with the names of what brought it there; `undefined` when nothing does. */
const lift = (kind: string, payload: unknown): Lifted | undefined => {
  const before = JSON.stringify(payload)
  const matches = (value: unknown) => shapeFor(kind, value)?.is(value) === true
  assert.isFalse(matches(payload), "the older shape is the current one")
  let current = payload
  const names: Array<string> = []
  for (const older of Upcasts.forKind(kind)) {
    const lifted = older.upcast(current)
    if (lifted === undefined) continue
    assert.notStrictEqual(lifted, current)
    names.push(older.name)
    current = lifted
    if (matches(current)) break
  }
  assert.strictEqual(JSON.stringify(payload), before, "an upcast changed its input")
  return matches(current) ? { payload: current, names } : undefined
}

const lifted = (kind: string, payload: unknown): Json => {
  const result = lift(kind, payload)
  if (result === undefined) assert.fail(`nothing lifts ${JSON.stringify(payload)}`)
  return result.payload as Json
}

const lineOf = (type: string): Json => {
  for (const text of Examples.records) {
    const line = JSON.parse(text) as { readonly type: string; readonly payload: Json }
    if (line.type === type) return line.payload
  }
  throw new Error(`no example of ${type}`)
}

const meta: Json = { session_id: id, id, timestamp: "t", cwd: "/repo", originator: "", cli_version: "0.1.0" }
const context = lineOf("turn_context")
const compacted = lineOf("compacted")
const message = { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }

it("leave current payloads alone", () => {
  for (const text of Examples.records) {
    const line = JSON.parse(text) as { readonly type: string; readonly payload: unknown }
    for (const older of Upcasts.forKind(line.type)) assert.isUndefined(older.upcast(line.payload), older.name)
  }
  for (const [kind, examples] of [
    ["response_item", Examples.items],
    ["event_msg", Examples.events]
  ] as const) {
    for (const json of examples) {
      for (const older of Upcasts.forKind(kind)) assert.isUndefined(older.upcast(JSON.parse(json)), older.name)
    }
  }
})

it("take any value", () => {
  for (const older of Upcasts.all) {
    for (const value of [null, 1, "x", [], {}, { type: 1 }, { replacement_history: [1] }]) {
      assert.isUndefined(older.upcast(value), older.name)
    }
  }
})

describe("bare lines of 0.20.0 (rollout-format §2.1)", () => {
  it("the first line becomes session_meta", () => {
    const git = { commit_hash: "9f1c2d", branch: "main" }
    const line = { id, timestamp: "2025-08-20T10:00:00.000Z", instructions: "Be kind.", git }
    const bare = Bare.bareLine(line)
    if (bare === undefined || bare === "state") return assert.fail("not read")
    assert.strictEqual(bare.type, "session_meta")
    assert.strictEqual(bare.timestamp, line.timestamp)
    assert.deepInclude(bare.payload, { session_id: id, id, cwd: "", source: "unknown", history_mode: "legacy", git })
    assert.isTrue(shapeFor("session_meta", bare.payload)?.is(bare.payload))
  })

  it("an item with a null id becomes response_item", () => {
    const bare = Bare.bareLine({ ...message, id: null })
    if (bare === undefined || bare === "state") return assert.fail("not read")
    assert.deepStrictEqual(bare, { type: "response_item", timestamp: "", payload: { ...message, id: null } })
    assert.isTrue(shapeFor("response_item", bare.payload)?.is(bare.payload))
  })

  it("a state line means nothing", () => {
    assert.strictEqual(Bare.bareLine({ record_type: "state" }), "state")
  })

  it.each([
    [null],
    [[]],
    [{}],
    [{ type: "session_meta", payload: {} }],
    [{ type: "compacted" }],
    [{ timestamp: "t", type: "message" }],
    [{ id, timestamp: "t" }]
  ])("%j is none", (value) => {
    assert.isUndefined(Bare.bareLine(value))
  })
})

describe("session_meta (rollout-format §3.1)", () => {
  it("without a session id takes the thread's own; null stays refused", () => {
    const { session_id: _, ...older } = meta
    assert.deepStrictEqual(lift("session_meta", older)?.payload, meta)
    assert.isUndefined(lift("session_meta", { ...older, session_id: null }))
  })

  const tool = (name: string, more: Json = {}) => ({ name, description: name, inputSchema: {}, ...more })

  it("groups flat tools by namespace, at the place of the first", () => {
    const older = {
      ...meta,
      dynamic_tools: [
        tool("a", { namespace: "n" }),
        tool("b", { exposeToContext: false }),
        tool("c", { namespace: "n", exposeToContext: true }),
        tool("d", { deferLoading: false, exposeToContext: false }),
        tool("e", { type: "function", namespace: "m" })
      ]
    }
    const tagged = (name: string) => ({ type: "function", ...tool(name) })
    assert.deepStrictEqual(lifted("session_meta", older).dynamic_tools, [
      { type: "namespace", name: "n", description: "", tools: [tagged("a"), tagged("c")] },
      { ...tagged("b"), deferLoading: true },
      tagged("d"),
      { type: "namespace", name: "m", description: "", tools: [tagged("e")] }
    ])
  })

  it("refuses a mix of forms, and a flat tool without its schema", () => {
    const mix = [{ type: "function", ...tool("a") }, tool("b")]
    assert.isUndefined(lift("session_meta", { ...meta, dynamic_tools: mix }))
    assert.isUndefined(lift("session_meta", { ...meta, dynamic_tools: [{ name: "a", description: "" }] }))
  })

  it("takes both upcasts at once", () => {
    const { session_id: _, ...older } = meta
    const names = lift("session_meta", { ...older, dynamic_tools: [tool("a")] })?.names
    assert.deepStrictEqual(names, ["session-without-session-id", "flat-dynamic-tools"])
  })
})

describe("items and events", () => {
  it("compaction_summary is compaction (rollout-format §4.2)", () => {
    const older = { type: "compaction_summary", encrypted_content: "gAAC" }
    assert.deepStrictEqual(lift("response_item", older)?.payload, { ...older, type: "compaction" })
  })

  it.each([
    ["turn_started", "task_started"],
    ["turn_complete", "task_complete"]
  ])("%s is %s (rollout-format §5.1)", (alias, type) => {
    assert.deepStrictEqual(lift("event_msg", { type: alias, turn_id: "t-1" })?.payload, { type, turn_id: "t-1" })
  })

  it("a turn start under its alias may have an older mode", () => {
    const older = { type: "turn_started", turn_id: "t-1", collaboration_mode_kind: "pair_programming" }
    assert.deepStrictEqual(lift("event_msg", older), {
      payload: { type: "task_started", turn_id: "t-1", collaboration_mode_kind: "default" },
      names: ["event-alias", "setting-alias"]
    })
  })

  it("thread settings take the upcasts of turn contexts", () => {
    const example = Examples.events.find((json) => json.includes("thread_settings_applied")) ?? "{}"
    const event = JSON.parse(example) as { readonly thread_settings: Json }
    const settings = { approval_policy: "on-failure", approvals_reviewer: "guardian_subagent", permission_profile: {} }
    const older = { ...event, thread_settings: { ...event.thread_settings, ...settings } }
    assert.deepInclude(lifted("event_msg", older).thread_settings, {
      approval_policy: "on-request",
      approvals_reviewer: "auto_review",
      permission_profile: {
        type: "managed",
        file_system: { type: "restricted", entries: [] },
        network: "restricted"
      }
    })
  })

  it("an unknown search action reads as other (rollout-format §4.2)", () => {
    const call = { type: "web_search_call", action: { type: "scroll", by: 3 } }
    assert.deepStrictEqual(lift("response_item", call)?.payload, { ...call, action: { type: "other" } })
    const end = { type: "web_search_end", call_id: "c", query: "q", action: { type: "scroll" } }
    assert.deepStrictEqual(lift("event_msg", end)?.payload, { ...end, action: { type: "other" } })
    const completed = { type: "item_completed", thread_id: id, turn_id: "t", completed_at_ms: 1 }
    const item = { type: "WebSearch", id: "w", query: "q", action: { type: "scroll" } }
    assert.deepStrictEqual(lift("event_msg", { ...completed, item })?.payload, {
      ...completed,
      item: { ...item, action: { type: "other" } }
    })
    const extension = { type: "Extension", kind: "web.search", id: "w", query: "q", action: { type: "scroll" } }
    assert.deepStrictEqual(lift("event_msg", { ...completed, item: extension })?.payload, {
      ...completed,
      item: { ...extension, action: { type: "other" } }
    })
    const bad = { type: "web_search_call", action: { type: "search", query: 5 } }
    assert.isUndefined(lift("response_item", bad))
  })
})

describe("turn_context (rollout-format §7.1)", () => {
  const liftedWith = (more: Json) => lift("turn_context", { ...context, ...more })?.payload

  it.each([
    [{ sandbox_policy: { mode: "danger-full-access" } }, { sandbox_policy: { type: "danger-full-access" } }],
    [
      { sandbox_policy: { mode: "workspace-write", network_access: true } },
      { sandbox_policy: { type: "workspace-write", network_access: true } }
    ],
    [{ approval_policy: "on-failure" }, { approval_policy: "on-request" }],
    [{ approvals_reviewer: "guardian_subagent" }, { approvals_reviewer: "auto_review" }],
    [{ multi_agent_mode: "none" }, { multi_agent_mode: { custom: "" } }],
    ...["code", "pair_programming", "execute", "custom"].map((mode) => [
      { collaboration_mode: { mode, settings: { model: "m" } } },
      { collaboration_mode: { mode: "default", settings: { model: "m" } } }
    ])
  ] as ReadonlyArray<readonly [Json, Json]>)("%j becomes %j", (older, current) => {
    assert.deepStrictEqual(liftedWith(older), { ...context, ...current })
  })

  it("access none is deny, and current_working_directory is project_roots, in both places", () => {
    const entries = (kind: string, access: string) => [{ path: { type: "special", value: { kind } }, access }]
    const settings = (kind: string, access: string) => ({
      permission_profile: {
        type: "managed",
        file_system: { type: "restricted", entries: entries(kind, access) },
        network: "enabled"
      },
      file_system_sandbox_policy: { kind: "restricted", entries: entries(kind, access) }
    })
    const older = settings("current_working_directory", "none")
    assert.deepStrictEqual(liftedWith(older), { ...context, ...settings("project_roots", "deny") })
  })

  const profile = (older: unknown) => {
    const payload = liftedWith({ permission_profile: older })
    return payload === undefined ? undefined : (payload as Json).permission_profile
  }
  const managed = (network: string, file_system: Json = {}) => ({
    type: "managed",
    file_system: { type: "restricted", entries: [], ...file_system },
    network
  })

  it("a profile without type is a managed one", () => {
    assert.deepStrictEqual(profile({}), managed("restricted"))
    assert.deepStrictEqual(profile({ network: { enabled: true }, file_system: null }), managed("enabled"))
    assert.deepStrictEqual(profile({ network: { enabled: null } }), managed("restricted"))
    assert.deepStrictEqual(
      profile({ file_system: { read: ["/a"], write: ["/b"] } }),
      managed("restricted", {
        entries: [
          { path: { type: "path", path: "/a" }, access: "read" },
          { path: { type: "path", path: "/b" }, access: "write" }
        ]
      })
    )
    const entry = { path: { type: "path", path: "/a" }, access: "none" }
    assert.deepStrictEqual(
      profile({ file_system: { entries: [entry], glob_scan_max_depth: 3 } }),
      managed("restricted", { entries: [{ ...entry, access: "deny" }], glob_scan_max_depth: 3 })
    )
  })

  it.each([
    [{ more: 1 }],
    [{ network: { enabled: true, more: 1 } }],
    [{ network: { enabled: "yes" } }],
    [{ file_system: { entries: [], read: [] } }],
    [{ file_system: { entries: null } }],
    [{ file_system: { read: ["relative"] } }]
  ])("a profile of %j stays refused", (older) => {
    assert.isUndefined(profile(older))
  })
})

describe("compacted (rollout-format §7.2)", () => {
  const { window_id: _, window_number: __, ...rest } = compacted

  it("a number as window id counts the windows, unless they are counted", () => {
    const of = (more: Json) => lift("compacted", { ...rest, ...more })?.payload
    assert.deepStrictEqual(of({ window_id: 3 }), { ...rest, window_number: 3 })
    assert.deepStrictEqual(of({ window_id: 3, window_number: 5 }), { ...rest, window_number: 5 })
    assert.isUndefined(of({ window_id: 1.5 }))
    assert.isUndefined(of({ window_id: -1 }))
  })

  it("ghost snapshots and unknown items leave the history, with their metadata", () => {
    const ghost = { type: "ghost_snapshot", ghost_commit: {} }
    const older = {
      message: "",
      replacement_history: [
        ghost,
        message,
        { type: "of_the_future", x: 1 },
        { type: "compaction_summary", encrypted_content: "g" }
      ],
      replacement_history_metadata: [0, 1, 2, 3]
    }
    assert.deepStrictEqual(lift("compacted", older)?.payload, {
      message: "",
      replacement_history: [message, { type: "compaction", encrypted_content: "g" }],
      replacement_history_metadata: [1, 3]
    })
  })

  it("one bad element of a known type refuses the record, whatever else is taken out", () => {
    const bad = { ...message, content: null }
    assert.isUndefined(lift("compacted", { message: "", replacement_history: [{ type: "ghost_snapshot" }, bad] }))
    assert.isUndefined(lift("compacted", { message: "", replacement_history: [message, {}] }))
  })
})

describe("inter-agent communication (rollout-format §3.2)", () => {
  const comm = { author: "/root", recipient: "/root/worker", content: "check tests", trigger_turn: true }

  it("is read by the model as an agent message", () => {
    const metadata = { turn_id: "t" }
    const plain = { ...comm, id: "amsg_1", internal_chat_message_metadata_passthrough: metadata }
    assert.deepStrictEqual(InterAgentCommunication.toAgentMessage(plain), {
      type: "agent_message",
      id: "amsg_1",
      author: "/root",
      recipient: "/root/worker",
      content: [{ type: "input_text", text: "check tests" }],
      internal_chat_message_metadata_passthrough: metadata
    })
  })

  it.each([
    [true, "NEW_TASK"],
    [false, "MESSAGE"]
  ])("opens with a head when it is encrypted (trigger_turn %s)", (trigger_turn, type) => {
    const encrypted = { ...comm, content: "", encrypted_content: "gAAA", trigger_turn }
    assert.deepStrictEqual(InterAgentCommunication.toAgentMessage(encrypted).content, [
      {
        type: "input_text",
        text: `Message Type: ${type}\nTask name: /root/worker\nSender: /root\nPayload:\n`
      },
      { type: "encrypted_content", encrypted_content: "gAAA" }
    ])
  })

  it("is found in the text of an older assistant message", () => {
    assert.deepStrictEqual(InterAgentCommunication.parseEnvelope(JSON.stringify(comm)), comm)
    for (const text of ["", "check tests", "{", "{}", "[]", JSON.stringify({ ...comm, author: "root" })]) {
      assert.isUndefined(InterAgentCommunication.parseEnvelope(text), text)
    }
  })
})
