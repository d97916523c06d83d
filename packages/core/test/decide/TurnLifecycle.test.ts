/** The life of a turn: replay-semantics §9, §10.44, §11.8; the order of what is written. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Decision } from "../../src/decide/Draft.js"
import * as Drafts from "../../src/decide/Draft.js"
import * as Input from "../../src/decide/Input.js"
import * as Mail from "../../src/decide/Mail.js"
import * as ModelItem from "../../src/decide/ModelItem.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as TurnSettings from "../../src/decide/TurnSettings.js"
import * as World from "../../src/decide/World.js"
import * as Fold from "../../src/fold/Fold.js"
import * as ModelContexts from "../../src/fold/ModelContext.js"
import * as Recency from "../../src/fold/Recency.js"
import type { ThreadState } from "../../src/fold/ThreadState.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import type { UserInput } from "../../src/record/UserInput.js"
import * as s from "../fold/script.js"
import { commands, Driven } from "./Commands.js"
import { epoch, fold as foldAll, Host, kinds, left, reason, right } from "./Host.js"

const said = (text: string): ReadonlyArray<UserInput> => [{ type: "text", text }]
const texts = (host: Host) => s.texts(host.context.history)

describe("start", () => {
  it("§9: opens the turn, with its time in seconds", () => {
    const host = new Host()
    const facts = { ...host.facts, now: epoch + 1999 }
    const drafts = right(TurnLifecycle.start({ turnId: "t", contextWindow: 100 }, host.state, facts))
    expect(drafts).toEqual([
      {
        timestamp: "2026-11-20T12:00:01.999Z",
        type: "event_msg",
        payload: {
          type: "task_started",
          turn_id: "t",
          root_turn_id: "t",
          started_at: epoch / 1000 + 1,
          model_context_window: 100,
          collaboration_mode_kind: "default"
        }
      }
    ])
    host.append(drafts)
    expect(host.state.turn.active).toMatchObject({ id: "t", kind: "regular", startedAt: epoch / 1000 + 1 })
  })

  it("§10.44: refuses a second active turn, and records nothing", () => {
    const host = new Host()
    host.begin("u")
    const { state } = host
    expect(reason(TurnLifecycle.start({ turnId: host.id() }, state, host.facts))).toEqual([
      "Conflict",
      "turn-active",
      "turn"
    ])
    expect(left(TurnLifecycle.start({ turnId: host.id() }, state, host.facts)).message).toMatch(/^turn: .*\. End it/)
    expect(host.state).toBe(state)
  })

  it("§9: with replace, ends the running one as replaced, without a marker", () => {
    const host = new Host()
    const first = host.begin("u")
    const second = host.id()
    const drafts = host.do(TurnLifecycle.start({ turnId: second, onActive: "replace" }, host.state, host.facts))
    expect(kinds(drafts)).toEqual(["turn_aborted", "task_started"])
    expect(drafts[0]?.payload).toMatchObject({ turn_id: first, reason: "replaced" })
    expect(host.state.turn.active?.id).toBe(second)
    expect(texts(host)).toEqual(["u"])
  })

  it("refuses an id that was a turn just before, and none at all", () => {
    const host = new Host()
    const id = host.turn("u")
    const start = (turnId: string) => TurnLifecycle.start({ turnId }, host.state, host.facts)
    expect(reason(start(id))).toEqual(["Conflict", "turn-id-taken", "turnId"])
    expect(reason(start(""))).toEqual(["InvalidRequest", "empty", "turnId"])
  })

  it("needs a header", () => {
    const host = Host.of(s.log(s.user("u")))
    expect(reason(TurnLifecycle.start({ turnId: "t" }, host.state, host.facts))).toEqual([
      "Conflict",
      "no-header",
      "thread"
    ])
  })

  it("keeps what the turn is for in the log", () => {
    const host = new Host()
    host.do(TurnLifecycle.start({ turnId: "t", kind: "review" }, host.state, host.facts))
    expect(Host.of(host.log).state.turn.active?.kind).toBe("review")
  })
})

describe("settings", () => {
  it("a support bot names its model, and the rest is as little as can be", () => {
    expect(right(TurnSettings.of({ model: "m" }, { id: "t", rootId: undefined }))).toEqual({
      turn_id: "t",
      cwd: "/",
      approval_policy: "never",
      sandbox_policy: { type: "read-only" },
      model: "m",
      summary: "auto"
    })
  })

  it("become the next turn's previous settings and reference", () => {
    const host = new Host()
    const id = host.begin("u", "m1")
    host.do(
      TurnLifecycle.settings({ model: "m2", comp_hash: "h", cwd: "/repo", effort: undefined }, host.state, host.facts)
    )
    expect(host.context.previousTurnSettings).toMatchObject({ model: "m1" })
    expect(host.context.referenceContext).toMatchObject({ model: "m2", comp_hash: "h", cwd: "/repo", turn_id: id })
  })

  it.each<[string, object, string, string]>([
    ["an empty model", { model: "" }, "empty", "settings.model"],
    ["a relative folder", { model: "m", cwd: "repo" }, "malformed", "settings.cwd"],
    ["no policy there is", { model: "m", approval_policy: "maybe" }, "malformed", "settings.approval_policy"]
  ])("refuses %s", (_, settings, why, field) => {
    const found = reason(TurnSettings.of(settings as TurnSettings.Settings, { id: "t", rootId: undefined }))
    expect(found.slice(0, 2)).toEqual(["InvalidRequest", why])
    expect(found[2].startsWith(field)).toBe(true)
  })

  it("need a turn", () => {
    const host = new Host()
    expect(reason(TurnLifecycle.settings({ model: "m" }, host.state, host.facts))[1]).toBe("no-active-turn")
  })
})

describe("input", () => {
  it("§9, 6 and 7: the message, then what clients are shown, under the id that it was given", () => {
    const host = new Host()
    const turnId = host.id()
    host.do(TurnLifecycle.start({ turnId }, host.state, host.facts))
    const drafts = host.do(TurnLifecycle.input({ content: said("u"), id: "i", clientId: "c" }, host.state, host.facts))
    expect(kinds(drafts)).toEqual(["message", "item_completed", "user_message (fanout)"])
    expect(drafts[0]?.payload).toEqual({
      type: "message",
      role: "user",
      content: [{ type: "input_text", text: "u" }],
      internal_chat_message_metadata_passthrough: { turn_id: turnId }
    })
    expect(ThreadView.turns(host.state.view)[0]?.items).toMatchObject([{ type: "userMessage", id: "i", clientId: "c" }])
  })

  it("images are read by the model, skills and mentions are not; files as the host has read them", () => {
    const content: ReadonlyArray<UserInput> = [
      { type: "text", text: "look" },
      { type: "image", image_url: "data:1", detail: "low" },
      { type: "skill", name: "s", path: "/s" },
      { type: "audio", audio_url: "data:2" }
    ]
    expect(Input.messageOf({ content, id: "i" }).content).toEqual([
      { type: "input_text", text: "look" },
      { type: "input_image", image_url: "data:1", detail: "low" },
      { type: "input_audio", audio_url: "data:2" }
    ])
    const message = [{ type: "input_image" as const, image_url: "data:3" }]
    const file: ReadonlyArray<UserInput> = [{ type: "local_image", path: "/a.png" }]
    expect(reason(Input.checked({ content: file, id: "i" }))).toEqual(["InvalidRequest", "unsupported", "content.0"])
    expect(Input.messageOf(right(Input.checked({ content: file, id: "i", message }))).content).toEqual(message)
  })

  it.each<[string, unknown, string, string]>([
    ["nothing", [], "empty", "content"],
    ["no text", said(""), "empty", "content"],
    ["no list", "u", "empty", "content"],
    ["a part of no shape", [{ type: "smell" }], "malformed", "content.0"],
    ["too much", said("x".repeat(Input.maxCharacters + 1)), "out-of-range", "content"]
  ])("refuses %s", (_, content, why, field) => {
    expect(reason(Input.checked({ content: content as never, id: "i" }))).toEqual(["InvalidRequest", why, field])
  })

  it("takes what is just not too much", () => {
    expect(right(Input.checked({ content: said("x".repeat(Input.maxCharacters)), id: "i" })).id).toBe("i")
  })
})

describe("steer (§9)", () => {
  const steer = (host: Host, more: Partial<TurnLifecycle.Steer> = {}) =>
    TurnLifecycle.steer({ content: said("and"), id: host.id(), ...more }, host.state, host.facts)

  it("waits for the next step, and is told then", () => {
    const host = new Host()
    host.begin("u")
    expect(kinds(host.do(steer(host)))).toEqual(["token_count (input)"])
    host.say("a")
    expect(texts(host)).toEqual(["u", "a"])
    const drafts = host.do(Mail.drain(host.state, host.facts))
    expect(kinds(drafts)).toEqual(["message (taken)", "item_completed", "user_message (fanout)"])
    expect(texts(host)).toEqual(["u", "a", "and"])
    expect(host.state.mailbox.inputs).toEqual([])
    expect(right(Mail.drain(host.state, host.facts))).toEqual([])
  })

  it.each<[string, (host: Host) => void, Partial<TurnLifecycle.Steer>, string, string]>([
    ["when no turn runs", () => undefined, {}, "Conflict", "no-active-turn"],
    ["behind the end", (host) => host.turn("u"), {}, "Conflict", "no-active-turn"],
    ["when another turn runs", (host) => host.begin("u"), { expectedTurnId: "x" }, "Conflict", "other-turn"],
    ["with nothing", (host) => host.begin("u"), { content: [] }, "InvalidRequest", "empty"]
  ])("is refused %s", (_, before, more, tag, why) => {
    const host = new Host()
    before(host)
    expect(reason(steer(host, more)).slice(0, 2)).toEqual([tag, why])
  })

  it.each(["review", "compact"] as const)("is refused in a %s", (kind) => {
    const host = new Host()
    host.do(TurnLifecycle.start({ turnId: "t", kind }, host.state, host.facts))
    expect(reason(steer(host))).toEqual(["Conflict", "not-steerable", "turn"])
  })

  it("is refused twice under one id", () => {
    const host = new Host()
    host.begin("u")
    host.do(steer(host, { id: "i" }))
    expect(reason(steer(host, { id: "i" }))).toEqual(["InvalidRequest", "duplicate", "id"])
  })

  it("items of a host wait as well, in the order in which they came in", () => {
    const host = new Host()
    host.begin("u")
    host.do(steer(host))
    const items = [
      { type: "message" as const, role: "developer", content: [{ type: "input_text" as const, text: "mind" }] }
    ]
    host.do(TurnLifecycle.inject({ items, id: host.id() }, host.state, host.facts))
    host.do(Mail.drain(host.state, host.facts))
    expect(texts(host)).toEqual(["u", "and", "mind"])
    expect(reason(TurnLifecycle.inject({ items: [], id: "i" }, host.state, host.facts))[1]).toBe("empty")
    const bad = [{ type: "smell" }] as never
    expect(reason(TurnLifecycle.inject({ items: bad, id: "i" }, host.state, host.facts))[1]).toBe("unsupported")
  })
})

describe("the end", () => {
  it("§9: completion says what the agent said last, and how long it took", () => {
    const host = new Host()
    const id = host.begin("u")
    host.say("first")
    host.say("last")
    const { startedAtMs = 0 } = host.state.turn.active ?? {}
    const facts = { ...host.facts, now: startedAtMs + 1500 }
    const [draft] = right(TurnLifecycle.complete({ timeToFirstTokenMs: 3 }, host.state, facts))
    expect(draft?.payload).toEqual({
      type: "task_complete",
      root_turn_id: id,
      turn_id: id,
      last_agent_message: "last",
      started_at: Math.floor(startedAtMs / 1000),
      completed_at: Math.floor((startedAtMs + 1500) / 1000),
      duration_ms: 1500,
      time_to_first_token_ms: 3
    })
  })

  it("a failure is shown as one", () => {
    const host = new Host()
    host.begin("u")
    const error = { message: "no", codex_error_info: "server_overloaded" }
    host.do(TurnLifecycle.complete({ error }, host.state, host.facts))
    expect(ThreadView.turns(host.state.view)[0]).toMatchObject({ status: "failed", error: { message: "no" } })
  })

  it("§9: left-over input is recorded in front of the completion", () => {
    const host = new Host()
    host.begin("u")
    host.do(TurnLifecycle.steer({ content: said("late"), id: host.id() }, host.state, host.facts))
    const drafts = host.do(TurnLifecycle.complete({}, host.state, host.facts))
    expect(kinds(drafts)).toEqual(["message (taken)", "item_completed", "user_message (fanout)", "task_complete"])
  })

  it("§11.8 [W]: what waits when a turn is aborted is told too; the reference forgets it", () => {
    const host = new Host()
    host.begin("u")
    host.do(TurnLifecycle.steer({ content: said("late"), id: host.id() }, host.state, host.facts))
    host.do(TurnLifecycle.abort({ reason: "interrupted" }, host.state, host.facts))
    expect(texts(host)).toEqual(["u", "late", TurnLifecycle.interruption])
    expect(host.state.mailbox.inputs).toEqual([])
  })

  it.each<[TurnLifecycle.AbortReason, ReadonlyArray<string>]>([
    ["interrupted", ["message", "turn_aborted"]],
    ["replaced", ["turn_aborted"]],
    ["review_ended", ["turn_aborted"]],
    ["budget_limited", ["turn_aborted"]]
  ])("§9: %s; only an interruption is told to the model", (why, expected) => {
    const host = new Host()
    host.begin("u")
    expect(kinds(host.do(TurnLifecycle.abort({ reason: why }, host.state, host.facts)))).toEqual(expected)
    expect(ThreadView.turns(host.state.view)[0]?.status).toBe("interrupted")
  })

  it("§5.1: as whom an interruption is told is the host's to say; it is context and no word of the user", () => {
    const host = new Host()
    host.begin("u")
    const roles = (["user", "developer", "none"] as const).map((marker) => {
      const drafts = right(TurnLifecycle.abort({ reason: "interrupted", marker }, host.state, host.facts))
      return drafts.map(({ payload }) => ("role" in payload ? payload.role : "-"))
    })
    expect(roles).toEqual([["user", "-"], ["developer", "-"], ["-"]])
    host.do(TurnLifecycle.abort({ reason: "interrupted" }, host.state, host.facts))
    host.turn("u2")
    expect(host.state.index.messages.length).toBe(2)
  })

  it("is refused without a turn, for another turn, and for no reason there is", () => {
    const host = new Host()
    const abort = (more: Partial<TurnLifecycle.Abort>) =>
      reason(TurnLifecycle.abort({ reason: "interrupted", ...more }, host.state, host.facts))
    expect(abort({})[1]).toBe("no-active-turn")
    expect(reason(TurnLifecycle.complete({}, host.state, host.facts))[1]).toBe("no-active-turn")
    host.begin("u")
    expect(abort({ expectedTurnId: "x" })[1]).toBe("other-turn")
    expect(abort({ reason: "bored" as never })).toEqual(["InvalidRequest", "malformed", "reason"])
  })
})

it("§9: the write order of a turn", () => {
  const host = new Host()
  const before = host.log.length
  host.do(TurnLifecycle.start({ turnId: host.id() }, host.state, host.facts))
  const told = right(World.look({ sections: right(World.sectionsOf({ env: { cwd: "/" } })), at: "turn" }, host.read))
  host.append(World.drafts(told, right(TurnLifecycle.running(host.state)), host.facts))
  host.do(TurnLifecycle.settings({ model: "m" }, host.state, host.facts))
  host.do(TurnLifecycle.input({ content: said("u"), id: host.id() }, host.state, host.facts))
  const call = { type: "function_call" as const, name: "f", arguments: "{}", call_id: "c" }
  const output = { type: "function_call_output" as const, call_id: "c", output: "ok" }
  host.do(ModelItem.record({ items: [call, output] }, host.state, host.facts))
  host.say("a")
  host.complete()
  const written = host.log.slice(before).map((one) => ("type" in one.payload ? one.payload.type : one.kind))
  expect(written).toEqual([
    "task_started",
    "message",
    "world_state",
    "turn_context",
    "message",
    "item_completed",
    "user_message",
    "function_call",
    "function_call_output",
    "item_completed",
    "agent_message",
    "message",
    "task_complete"
  ])
})

describe("one batch (§11.10)", () => {
  it("of several decisions is what they come to one after the other; the state that was given stays", () => {
    const [one, other] = [new Host(), new Host()]
    const facts = one.facts
    expect(other.facts).toEqual(facts)
    const { state } = one
    const before = plain(state)
    const decisions: ReadonlyArray<(state: ThreadState) => Decision> = [
      (state) => TurnLifecycle.start({ turnId: "t" }, state, facts),
      (state) => TurnLifecycle.settings({ model: "m" }, state, facts),
      (state) => TurnLifecycle.input({ content: said("u"), id: "i" }, state, facts)
    ]
    const drafts = right(Drafts.sequence(foldAll, state, decisions))
    expect(plain(state)).toEqual(before)
    for (const decide of decisions) other.do(decide(other.state))
    one.append(drafts)
    expect(plain(one.state)).toEqual(plain(other.state))
    expect(drafts).toHaveLength(one.log.length - 1)
  })

  it("is none when one of them fails", () => {
    const host = new Host()
    const decision = Drafts.sequence(foldAll, host.state, [
      (state) => TurnLifecycle.start({ turnId: "t" }, state, host.facts),
      (state) => TurnLifecycle.settings({ model: "" }, state, host.facts)
    ])
    expect(reason(decision)).toEqual(["InvalidRequest", "empty", "settings.model"])
  })
})

describe("laws", () => {
  it("§10.44: at most one turn runs, each ends at most once, and recency rises with each start", () => {
    fc.assert(
      fc.property(commands(), (all) => {
        const driven = new Driven()
        for (const one of all) driven.do(one)
        const open = new Set<string>()
        const ended = new Set<string>()
        let recency = Recency.fold.initial
        for (const record of driven.host.log) {
          const before = recency.recencyAt ?? 0
          recency = Recency.fold.step(recency, record)
          if (record.kind !== "event_msg") continue
          const { payload } = record
          if (payload.type === "task_started") {
            expect(open.size).toBe(0)
            open.add(payload.turn_id)
            expect(recency.recencyAt).toBeGreaterThan(before)
          } else if (payload.type === "task_complete" || payload.type === "turn_aborted") {
            const id = payload.turn_id ?? ""
            expect([open.delete(id), ended.has(id)]).toEqual([true, false])
            ended.add(id)
          }
        }
        expect(driven.host.state.turn.active).toBeUndefined()
      }),
      { numRuns: 200 }
    )
  })

  it("§10.18, §10.19: what a live thread holds is the fold of its log, at every point", () => {
    fc.assert(
      fc.property(commands(6), fc.nat(), (all, at) => {
        const driven = new Driven()
        for (const one of all) driven.do(one)
        const { log, state } = driven.host
        const cut = at % (log.length + 1)
        const first = Fold.run(foldAll, log.slice(0, cut))
        const resumed = Fold.run(foldAll, log.slice(cut), first)
        for (const found of [Host.of(log).state, resumed]) {
          expect(plain(found)).toEqual(plain(state))
        }
      }),
      { numRuns: 100 }
    )
  })
})

/** What a state says, without what it shares with others. */
const plain = (state: ThreadState) => ({
  turn: state.turn,
  mailbox: state.mailbox,
  selection: state.selection,
  window: state.window,
  length: state.index.length,
  total: state.usage.total,
  context: ModelContexts.read(state.context),
  turns: ThreadView.turns(state.view)
})
