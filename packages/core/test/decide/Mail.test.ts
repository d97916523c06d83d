/** Agents and their mail: replay-semantics §8, §10.38, §10.43, §10.45, §11.8. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as AgentPath from "../../src/decide/AgentPath.js"
import * as Agents from "../../src/decide/Agents.js"
import * as Mail from "../../src/decide/Mail.js"
import * as ModelItem from "../../src/decide/ModelItem.js"
import * as Sleep from "../../src/decide/Sleep.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as Fold from "../../src/fold/Fold.js"
import * as Mailbox from "../../src/fold/Mailbox.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"
import type { AgentStatus } from "../../src/record/SubAgent.js"
import * as s from "../fold/script.js"
import { commands, Driven } from "./Commands.js"
import { Host, kinds, payloadOf, reason, right } from "./Host.js"

const message = (id: string, more: Partial<Mail.Message> = {}): Mail.Message => ({
  id,
  author: "/root/worker",
  recipient: "/root",
  content: `words ${id}`,
  triggerTurn: false,
  ...more
})

const enqueue = (host: Host, one: Mail.Message) => host.do(Mail.enqueue(one, host.state, host.facts))
const drain = (host: Host) => host.do(Mail.drain(host.state, host.facts))

describe("agent paths (§8)", () => {
  it.each(["/root", "/root/a", "/root/a_1/b", "/morpheus"])("%s is one", (path) => {
    expect(right(AgentPath.parse(path))).toBe(path)
  })

  it.each(["", "/", "root", "/root/", "/root//a", "/root/A", "/root/root", "/root/..", "/root/.", "/morpheus/a", "/x"])(
    "%j is none",
    (path) => {
      expect(reason(AgentPath.parse(path))).toEqual(["InvalidRequest", "malformed", "path"])
    }
  )

  it.each<[string, string, string | undefined]>([
    ["/root/a", "b", "/root/a/b"],
    ["/root/a", "b/c", "/root/a/b/c"],
    ["/root/a", "/root", "/root"],
    ["/root/a", "/root/b", "/root/b"],
    ["/root/a", "..", undefined],
    ["/root/a", "../b", undefined],
    ["/root/a", "b/", undefined],
    ["/root/a", "", undefined],
    ["/root/a", "root", undefined],
    ["/root/a", "B", undefined],
    ["/morpheus", "a", undefined]
  ])("from %s, %j means %s", (from, reference, expected) => {
    const decision = AgentPath.resolve(from, reference)
    if (expected === undefined) expect(reason(decision)[1]).toBe("malformed")
    else expect(right(decision)).toBe(expected)
  })

  it("parents, depth and what lies below, by whole names", () => {
    expect(AgentPath.parent("/root/a/b")).toBe("/root/a")
    expect(AgentPath.parent("/root")).toBeUndefined()
    expect([AgentPath.depth("/root"), AgentPath.depth("/root/a/b")]).toEqual([0, 2])
    expect(AgentPath.isWithin("/root/ab", "/root/a")).toBe(false)
    expect([AgentPath.isWithin("/root/a/b", "/root/a"), AgentPath.isWithin("/root/a", "/root/a")]).toEqual([true, true])
  })

  it("§10.45: what is read prints as it was; what is resolved lies below; nothing leads out of the tree", () => {
    const name = fc.stringMatching(/^[a-z0-9_]{1,5}$/).filter((one) => one !== "root")
    const path = fc.array(name, { maxLength: 4 }).map((names) => ["/root", ...names].join("/"))
    fc.assert(
      fc.property(path, fc.array(name, { minLength: 1, maxLength: 3 }), fc.string(), (from, names, any) => {
        expect(right(AgentPath.parse(from))).toBe(from)
        const found = right(AgentPath.resolve(from, names.join("/")))
        expect(AgentPath.isWithin(found, from)).toBe(true)
        const decision = AgentPath.resolve(from, any)
        if (decision._tag === "Right") expect(AgentPath.isPath(decision.right)).toBe(true)
      })
    )
  })
})

describe("what agents do to each other (§8)", () => {
  const living: Agents.Living = new Map([
    ["/root", "r"],
    ["/root/a", "a"]
  ])

  it("a spawned agent's path is its parent's and its name; taken while that one lives", () => {
    expect(right(Agents.spawn("/root/a", "b", living))).toBe("/root/a/b")
    expect(reason(Agents.spawn("/root", "a", living))).toEqual(["Conflict", "path-taken", "taskName"])
    expect(right(Agents.spawn("/root", "a", new Map([["/root", "r"]])))).toBe("/root/a")
    for (const bad of ["", "A", "a/b", "root", ".."]) {
      expect(reason(Agents.spawn("/root", bad, living))).toEqual(["InvalidRequest", "malformed", "taskName"])
    }
    expect(reason(Agents.spawn("/morpheus", "a", living))[1]).toBe("malformed")
  })

  it.each<[Agents.Deed, string, string, string]>([
    ["message", "/root", "/root/a", "ok"],
    ["followup", "/root", "/root/a", "not-allowed"],
    ["followup", "/root/a", "/root", "ok"],
    ["interrupt", "/root", "/root/a", "not-allowed"],
    ["interrupt", "/root/a", "/root/a", "not-allowed"],
    ["interrupt", "a", "/root", "ok"],
    ["interrupt", "gone", "/root", "ok"],
    ["message", "gone", "/root", "agent"],
    ["followup", "gone", "/root", "agent"],
    ["message", "..", "/root", "malformed"]
  ])("%s to %s from %s: %s", (deed, to, from, expected) => {
    const decision = Agents.target(deed, to, from, living)
    expect(decision._tag === "Right" ? "ok" : reason(decision)[1]).toBe(expected)
  })

  it("an activity is shown under the id of its call, in either form", () => {
    for (const mode of ["legacy", "paginated"] as const) {
      const host = new Host(mode)
      host.begin("u")
      const activity = { callId: "c", kind: "started" as const, threadId: host.id(), path: "/root/a" }
      const drafts = host.do(Agents.activity(activity, host.state, host.facts))
      expect(kinds(drafts)).toEqual(
        mode === "legacy" ? ["item_completed", "sub_agent_activity (fanout)"] : ["item_completed"]
      )
      expect(ThreadView.turns(host.state.view)[0]?.items.at(-1)).toMatchObject({
        type: "subAgentActivity",
        id: "c",
        kind: "started",
        agentPath: "/root/a"
      })
    }
  })
})

describe("mail (§8)", () => {
  it("is addressed to an agent that lives, by path or by names below the author's", () => {
    const agents = new Map([["/root/a", "thread"]])
    const send = (to: string, more: Partial<Mail.Message> = {}) =>
      Mail.address(to, { ...message("1", { author: "/root" }), ...more }, agents)
    expect(right(send("a"))).toMatchObject({
      to: { path: "/root/a", threadId: "thread" },
      message: { recipient: "/root/a", author: "/root" }
    })
    expect(reason(send("b"))).toEqual(["NotFound", "agent", "to"])
    expect(reason(send("../a"))).toEqual(["InvalidRequest", "malformed", "to"])
    expect(reason(send("a", { content: "" }))).toEqual(["InvalidRequest", "empty", "content"])
  })

  it("is written on delivery: metadata and item together, the item with the turn's id and without routing", () => {
    const host = new Host()
    enqueue(host, message("1", { triggerTurn: true }))
    expect(host.context.history).toEqual([])
    const turnId = host.id()
    host.do(TurnLifecycle.start({ turnId }, host.state, host.facts))
    const drafts = drain(host)
    expect(kinds(drafts)).toEqual(["inter_agent_communication_metadata", "agent_message (delivered)"])
    expect(drafts.map(({ payload }) => payload)).toEqual([
      { trigger_turn: true },
      {
        type: "agent_message",
        author: "/root/worker",
        recipient: "/root",
        content: [{ type: "input_text", text: "words 1" }],
        internal_chat_message_metadata_passthrough: { turn_id: turnId }
      }
    ])
    expect(host.state.mailbox.mail).toEqual([])
  })

  it("that is encrypted is told behind a header that says of which kind it is", () => {
    const content = (triggerTurn: boolean) => {
      const host = new Host()
      host.begin("u")
      enqueue(host, message("1", { content: "", encrypted: "gAAA", triggerTurn }))
      return payloadOf<Extract<ResponseItem, { readonly type: "agent_message" }>>(drain(host), 1).content
    }
    const head = (kind: string) => `Message Type: ${kind}\nTask name: /root\nSender: /root/worker\nPayload:\n`
    expect(content(true)).toEqual([
      { type: "input_text", text: head("NEW_TASK") },
      { type: "encrypted_content", encrypted_content: "gAAA" }
    ])
    expect(content(false)[0]).toEqual({ type: "input_text", text: head("MESSAGE") })
  })

  it("comes after what was said into the turn, in the order in which it came in", () => {
    const host = new Host()
    host.begin("u")
    enqueue(host, message("1"))
    const steer = { content: [{ type: "text" as const, text: "and" }], id: host.id() }
    host.do(TurnLifecycle.steer(steer, host.state, host.facts))
    enqueue(host, message("2"))
    drain(host)
    expect(s.texts(host.context.history)).toEqual(["u", "and", "words 1", "words 2"])
  })

  it("that waits already is not taken in twice", () => {
    const host = new Host()
    enqueue(host, message("1"))
    expect(enqueue(host, message("1"))).toEqual([])
    expect(host.state.mailbox.mail).toHaveLength(1)
  })

  it.each<[string, Partial<Mail.Message>, string, string]>([
    ["from nowhere", { author: "x" }, "malformed", "author"],
    ["to nowhere", { recipient: "/root/" }, "malformed", "recipient"],
    ["without words", { content: "" }, "empty", "content"],
    ["both plain and encrypted", { encrypted: "g" }, "contradictory", "content"],
    ["without id", { id: "" }, "empty", "id"]
  ])("%s is refused", (_, more, why, field) => {
    const host = new Host()
    expect(reason(Mail.enqueue(message("1", more), host.state, host.facts))).toEqual(["InvalidRequest", why, field])
  })

  it("needs a turn to be told into, and a header to be taken in", () => {
    const host = new Host()
    expect(reason(Mail.drain(host.state, host.facts))[1]).toBe("no-active-turn")
    expect(reason(Mail.enqueue(message("1"), Host.of([]).state, host.facts))[1]).toBe("no-header")
  })

  it("starts a turn only where it says so and none runs", () => {
    const host = new Host()
    expect(Mail.startsTurn(host.state)).toBe(false)
    enqueue(host, message("1"))
    expect(Mail.startsTurn(host.state)).toBe(false)
    enqueue(host, message("2", { triggerTurn: true }))
    expect(Mail.startsTurn(host.state)).toBe(true)
    host.begin("u")
    expect(Mail.startsTurn(host.state)).toBe(false)
    host.complete()
    expect(Mail.startsTurn(host.state)).toBe(true)
  })

  it.each<[string, AgentStatus, string | undefined]>([
    ["completed", { completed: "done" }, "done"],
    ["errored", { errored: "no" }, "The agent failed: no"],
    ["shut down", "shutdown", "The agent was shut down."],
    ["not found", "not_found", "The agent was not found."],
    ["interrupted", "interrupted", undefined],
    ["running", "running", undefined],
    ["not begun", "pending_init", undefined]
  ])("a child that is %s tells its parent so, or nothing", (_, status, text) => {
    const told = Mail.completion({ id: "1", path: "/root/a/b", status })
    if (text === undefined) expect(told).toBeUndefined()
    else {
      expect(told).toMatchObject({ author: "/root/a/b", recipient: "/root/a", triggerTurn: false })
      expect(told?.content.endsWith(`\n${text}`)).toBe(true)
    }
    expect(Mail.completion({ id: "1", path: "/root", status: "shutdown" })).toBeUndefined()
  })
})

describe("delivery phase (§8)", () => {
  const say = (text: string, phase?: "commentary" | "final_answer"): ResponseItem => ({
    type: "message",
    role: "assistant",
    content: [{ type: "output_text", text }],
    phase
  })
  const record = (host: Host, ...items: ReadonlyArray<ResponseItem>) =>
    host.do(ModelItem.record({ items }, host.state, host.facts))
  const output: ResponseItem = { type: "function_call_output", call_id: "c", output: "o" }
  const hook: ResponseItem = {
    type: "message",
    role: "user",
    content: [{ type: "input_text", text: '<hook_prompt hook_run_id="r">go on</hook_prompt>' }]
  }
  const steer = (host: Host) =>
    host.do(TurnLifecycle.steer({ content: [{ type: "text", text: "and" }], id: host.id() }, host.state, host.facts))

  it.each<[string, (host: Host) => void, Mailbox.Phase]>([
    ["at the start", () => undefined, "current"],
    ["a final answer", (host) => record(host, say("a", "final_answer")), "next"],
    ["an untagged answer", (host) => record(host, say("a")), "next"],
    ["a comment", (host) => record(host, say("a", "commentary")), "current"],
    ["an empty answer", (host) => record(host, say("")), "current"],
    ["an answer, then a tool", (host) => record(host, say("a"), output), "current"],
    ["an answer, then a hook that goes on", (host) => record(host, say("a"), hook), "current"],
    [
      "an answer, then a steer",
      (host) => {
        record(host, say("a"))
        steer(host)
      },
      "current"
    ],
    [
      "an answer while input waits",
      (host) => {
        steer(host)
        record(host, say("a"))
      },
      "current"
    ],
    [
      "an answer while mail waits that is to be known only",
      (host) => {
        enqueue(host, message("1"))
        record(host, say("a"))
      },
      "next"
    ],
    [
      "an answer while work waits",
      (host) => {
        enqueue(host, message("1", { triggerTurn: true }))
        record(host, say("a"))
      },
      "current"
    ]
  ])("behind %s", (_, act, phase) => {
    const host = new Host()
    host.begin("u")
    act(host)
    expect(host.state.mailbox.phase).toBe(phase)
  })

  it("§10.43: in next nothing is told; the next turn tells it", () => {
    const host = new Host()
    host.begin("u")
    record(host, say("a"))
    enqueue(host, message("1"))
    expect(drain(host)).toEqual([])
    host.complete()
    host.begin("u2")
    expect(kinds(drain(host))).toHaveLength(2)
  })
})

describe("what waits survives (§11.8 [W]: the reference keeps it in memory)", () => {
  it("a new process tells mail and input that the old one took in, once", () => {
    const host = new Host()
    host.begin("u")
    enqueue(host, message("1"))
    host.do(TurnLifecycle.steer({ content: [{ type: "text", text: "and" }], id: "i" }, host.state, host.facts))
    const resumed = Host.of(host.log)
    expect([resumed.state.mailbox.mail.length, resumed.state.mailbox.inputs.length]).toEqual([1, 1])
    drain(resumed)
    expect(s.texts(Host.of(resumed.log).context.history)).toEqual(["u", "and", "words 1"])
    expect(Host.of(resumed.log).state.mailbox).toMatchObject({ mail: [], inputs: [] })
  })

  it("§10.43: each mail is told at most once and in the order in which it came in, whatever was done", () => {
    fc.assert(
      fc.property(commands(), (all) => {
        const driven = new Driven()
        for (const one of all) driven.do(one)
        const came: Array<string> = []
        const told: Array<string> = []
        for (const { extras, kind, payload } of driven.host.log) {
          const mark = (extras as { readonly skein?: { readonly kind: string; readonly data: unknown } } | undefined)
            ?.skein
          if (mark?.kind === "mail") came.push((mark.data as { readonly mail: Mailbox.Mail }).mail.id)
          if (mark?.kind === "delivered" && kind === "response_item" && payload.type === "agent_message") {
            told.push((mark.data as { readonly id: string }).id)
          }
        }
        const waiting = driven.host.state.mailbox.mail.map(({ id }) => id)
        expect([...told, ...waiting]).toEqual(came)
      }),
      { numRuns: 200 }
    )
  })

  it("a fork does not tell what waits for its source", () => {
    const host = new Host()
    enqueue(host, message("1"))
    const child = new Host("legacy", {}, 1000)
    const log = [...child.log, ...host.log]
    expect(Fold.run(Mailbox.fold(), log).mail).toEqual([])
  })

  it("marks that are none of ours, or broken, count for nothing", () => {
    const host = new Host()
    const carrier = (skein: unknown) => ({
      type: "event_msg",
      payload: { type: "token_count", info: null, rate_limits: null },
      skein
    })
    const thread = host.state.turn.thread?.id
    const marks: ReadonlyArray<unknown> = [
      null,
      7,
      { v: 2, kind: "mail", data: { thread, mail: message("1") } },
      { v: 1, kind: "mail" },
      { v: 1, kind: "mail", data: { thread, mail: { id: "1" } } },
      { v: 1, kind: "mail", data: { mail: message("1") } },
      { v: 1, kind: "input", data: { thread, input: [] } },
      { v: 1, kind: "waiting", data: { thread, mail: 1, inputs: [] } },
      { v: 1, kind: "delivered", data: { thread, id: 1 } }
    ]
    const log = s.log(marks.map((skein) => ({ ...carrier(skein), type: "event_msg" })))
    expect(Fold.run(Mailbox.fold(), log, host.state.mailbox)).toEqual(host.state.mailbox)
  })

  it("what was said into a turn that is rolled back is gone with it; mail is not", () => {
    const host = new Host()
    host.begin("u")
    host.do(TurnLifecycle.steer({ content: [{ type: "text", text: "and" }], id: "i" }, host.state, host.facts))
    enqueue(host, message("1"))
    const { mailbox } = Host.of([...host.log, ...s.log(s.rollback(1))]).state
    expect([mailbox.inputs.length, mailbox.mail.length]).toEqual([0, 1])
  })
})

describe("sleep (§9)", () => {
  const begin = (host: Host, durationMs: number) => Sleep.begin({ callId: "c", durationMs }, host.state)

  it.each([1, 1000, Sleep.maxMs])("%s ms", (durationMs) => {
    expect(right(begin(new Host(), durationMs))).toEqual({
      item: { type: "Extension", kind: "clock.sleep", id: "c", durationMs },
      interrupted: false
    })
  })

  it.each([0, -1, 1.5, Number.NaN, Sleep.maxMs + 1])("not %s ms", (durationMs) => {
    expect(reason(begin(new Host(), durationMs))).toEqual(["InvalidRequest", "out-of-range", "durationMs"])
  })

  it("ends at once where something waits already: any mail, any input", () => {
    const host = new Host()
    host.begin("u")
    enqueue(host, message("1"))
    expect(right(begin(host, 1)).interrupted).toBe(true)
    drain(host)
    expect(Sleep.isWoken(host.state.mailbox)).toBe(false)
    host.do(TurnLifecycle.steer({ content: [{ type: "text", text: "and" }], id: "i" }, host.state, host.facts))
    expect(Sleep.isWoken(host.state.mailbox)).toBe(true)
  })

  it("says for how long it was, and whether it was ended", () => {
    expect(Sleep.output(1500, false)).toBe("Slept for 1.500 seconds.")
    expect(Sleep.output(20, true)).toBe("Woken by new input after 0.020 seconds.")
  })
})
