/** Multi-agent version and mode at a turn: replay-semantics §4, §10.32 to §10.34. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Delegation from "../../src/decide/Delegation.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import type { Mode, PersistedMode, Version } from "../../src/fold/MultiAgent.js"
import * as s from "../fold/script.js"
import { Host, kinds, reason, right } from "./Host.js"

const facts: Delegation.Command = { override: undefined, declared: undefined, collab: false, source: "cli" }

const decide = (host: Host, more: Partial<Delegation.Command> = {}) =>
  Delegation.atTurn({ ...facts, ...more }, { ...host.state, context: host.context }, host.facts)

/** A thread whose newest turn ran with these. */
const ran = (version?: Version, mode?: PersistedMode) => {
  const more = {
    ...(version === undefined ? {} : { multi_agent_version: version }),
    ...(mode === undefined ? {} : { multi_agent_mode: mode })
  }
  return Host.of(s.log(s.header(), s.started("1"), s.turnContext("1", "m", more), s.user("u"), s.completed("1")))
}

describe("§4.1: the version is fixed at the first turn", () => {
  it.each<[string, Version | undefined, Partial<Delegation.Command>, Version, Version]>([
    ["nothing known", undefined, {}, "disabled", "disabled"],
    ["the collaboration feature", undefined, { collab: true }, "v1", "v1"],
    ["what the model declares", undefined, { declared: "v2", collab: true }, "v2", "v2"],
    ["an override", undefined, { override: "v2", declared: "v1" }, "v2", "v2"],
    ["what is stored", "v1", { declared: "v2" }, "v1", "v1"],
    ["an override over what is stored, for this turn", "v1", { override: "v2" }, "v2", "v1"]
  ])("%s", (_, stored, more, version, left) => {
    expect(right(decide(ran(stored), more))).toMatchObject({ version, stored: left })
  })
})

const v2 = { declared: "v2" as const }
const gate = (open: boolean): Delegation.Rule => ({ rule: "selection", gate: open })

describe("§4.2: the mode by selection, which is the default", () => {
  it.each<[string, Partial<Delegation.Command>, Mode | undefined]>([
    ["disabled", { rule: gate(true), select: "proactive" }, undefined],
    ["v1", { declared: "v1", rule: gate(true), select: "proactive" }, undefined],
    ["v2, not eligible", { ...v2, source: { subagent: "review" }, rule: gate(true), select: "proactive" }, undefined],
    ["v2, gate closed, as it is where nobody says", { ...v2, select: "proactive" }, "explicitRequestOnly"],
    ["v2, gate closed, nothing selected", v2, "explicitRequestOnly"],
    ["v2, gate open, nothing selected", { ...v2, rule: gate(true) }, "explicitRequestOnly"],
    ["v2, gate open, explicit", { ...v2, rule: gate(true), select: "explicitRequestOnly" }, "explicitRequestOnly"],
    ["v2, gate open, proactive", { ...v2, rule: gate(true), select: "proactive" }, "proactive"]
  ])("%s", (_, more, mode) => {
    expect(right(decide(new Host(), more)).mode).toEqual(mode)
  })

  it("a selection holds until another is made, over turns and processes; it is recorded once", () => {
    const host = new Host()
    const open = { ...v2, rule: gate(true) }
    const first = right(decide(host, { ...open, select: "proactive" }))
    expect(kinds(first.drafts)).toEqual(["token_count (mode)"])
    host.append(first.drafts)
    expect(right(decide(host, open))).toMatchObject({ mode: "proactive", drafts: [] })
    expect(right(decide(host, { ...open, select: "proactive" })).drafts).toEqual([])
    expect(right(decide(Host.of(host.log), open)).mode).toBe("proactive")
    host.append(right(decide(host, { ...open, select: null })).drafts)
    expect(right(decide(Host.of(host.log), open)).mode).toBe("explicitRequestOnly")
  })

  it("§4.4: of a log without a recorded selection the newest turn context tells, even that there is none", () => {
    expect(right(decide(ran("v2", "proactive"), { rule: gate(true) })).mode).toBe("proactive")
    const older = Host.of([...ran("v2", "proactive").log, ...s.log(s.turn("2", "u"))])
    expect(right(decide(older, { ...v2, rule: gate(true) })).mode).toBe("explicitRequestOnly")
  })

  it("is refused when there is no such thing", () => {
    expect(reason(decide(new Host(), { select: "wild" as never }))).toEqual(["InvalidRequest", "malformed", "select"])
  })
})

describe("§4.3: the later rule, as an option", () => {
  it.each<[string, Omit<Extract<Delegation.Rule, { readonly rule: "effort" }>, "rule">, Mode]>([
    ["a text of the host", { hint: "h", effort: "ultra" }, { custom: "h" }],
    ["an empty one", { hint: "" }, { custom: "" }],
    ["the turn's effort", { effort: "ultra", defaultEffort: "low" }, "proactive"],
    ["the turn's effort over the model's", { effort: "low", defaultEffort: "ultra" }, "explicitRequestOnly"],
    ["the model's effort", { defaultEffort: "ultra" }, "proactive"],
    ["nothing", {}, "explicitRequestOnly"]
  ])("%s; a selection is ignored", (_, rule, mode) => {
    const found = right(decide(new Host(), { ...v2, rule: { rule: "effort", ...rule }, select: "proactive" }))
    expect(found.mode).toEqual(mode)
  })
})

describe("§4.4: what is told", () => {
  const told = (host: Host, more: Partial<Delegation.Command>) => right(decide(host, { ...v2, ...more })).tell
  const custom = (hint: string): Partial<Delegation.Command> => ({ rule: { rule: "effort", hint } })

  it.each<[string, Host, Partial<Delegation.Command>, Mode | undefined]>([
    ["initially the mode", new Host(), {}, "explicitRequestOnly"],
    ["initially nothing, of none", new Host(), { declared: "v1" }, undefined],
    ["initially nothing, of an empty text", new Host(), custom(""), undefined],
    ["nothing, of the same", ran("v2", "explicitRequestOnly"), {}, undefined],
    ["the new one", ran("v2", "proactive"), { select: null, rule: gate(true) }, "explicitRequestOnly"],
    ["the call back, of none behind proactive", ran("v1", "proactive"), {}, "explicitRequestOnly"],
    ["nothing, of none behind anything else", ran("v1", "explicitRequestOnly"), {}, undefined],
    ["another text", ran("v2", { custom: "a" }), custom("b"), { custom: "b" }],
    ["nothing, of an old none and an empty text", ran("v2", "none"), custom(""), undefined]
  ])("%s", (_, host, more, mode) => {
    expect(told(host, more)).toEqual(mode)
  })

  it("is a message of the developer that a rollback takes along", () => {
    expect(Delegation.message("proactive")).toMatchObject({ role: "developer", content: [{ type: "input_text" }] })
    const [part] = Delegation.message({ custom: "mine" }).content
    expect(part).toEqual({ type: "input_text", text: "<multi_agent_mode>mine</multi_agent_mode>" })
  })
})

describe("laws", () => {
  const rule: fc.Arbitrary<Delegation.Rule> = fc.oneof(
    fc.boolean().map(gate),
    fc
      .record({
        hint: fc.option(fc.constantFrom("h", "i"), { nil: undefined }),
        effort: fc.constantFrom("ultra", "low", undefined)
      })
      .map((more) => ({ rule: "effort" as const, ...more }))
  )
  const command = fc.record({
    rule,
    select: fc.constantFrom("proactive" as const, "explicitRequestOnly" as const, null, undefined),
    override: fc.constantFrom<Version | undefined>(undefined, undefined, "v1", "v2", "disabled")
  })

  it("§10.32, §10.34: none exactly outside of v2; what is stored stays", () => {
    fc.assert(
      fc.property(fc.constantFrom<Version>("v1", "v2", "disabled"), command, (stored, more) => {
        const found = right(decide(ran(stored), more))
        expect(found.mode === undefined).toBe(found.version !== "v2")
        expect([found.stored, found.version]).toEqual([stored, more.override ?? stored])
      })
    )
  })

  it("§10.33: what the model was told is the mode of every turn, where there is one", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 6 }), (turns) => {
        const host = new Host()
        let known: Mode | undefined
        for (const more of turns) {
          host.do(TurnLifecycle.start({ turnId: host.id() }, host.state, host.facts))
          const found = right(decide(host, { ...v2, ...more }))
          host.append(found.drafts)
          if (found.tell !== undefined) known = found.tell
          if (found.mode !== undefined) expect(known).toEqual(found.mode)
          const settings = { model: "m", multi_agent_mode: found.mode, multi_agent_version: found.stored }
          host.do(TurnLifecycle.settings(settings, host.state, host.facts))
          host.do(
            TurnLifecycle.input({ content: [{ type: "text", text: "u" }], id: host.id() }, host.state, host.facts)
          )
          host.complete()
        }
      }),
      { numRuns: 200 }
    )
  })
})
