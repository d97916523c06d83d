import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as MultiAgent from "../../src/fold/MultiAgent.js"
import { frozen } from "../json/JsonArbitrary.js"

const runs = { numRuns: 1000 }

const thread = "019c2b11-0000-7c00-8000-0000000000a2"
const other = "019c2b10-7a00-7c00-8000-0000000000a1"

const anyVersion = fc.constantFrom<MultiAgent.Version>("disabled", "v1", "v2")
const maybeVersion = fc.option(anyVersion, { nil: undefined })

const eligible: ReadonlyArray<MultiAgent.Source | undefined> = [
  undefined,
  "cli",
  "vscode",
  "exec",
  "mcp",
  "unknown",
  "a name of the future",
  { custom: "atlas" },
  { subagent: { thread_spawn: { parent_thread_id: other, depth: 1 } } }
]

const ineligible: ReadonlyArray<MultiAgent.Source> = [
  { internal: "memory_consolidation" },
  { subagent: "review" },
  { subagent: "compact" },
  { subagent: "memory_consolidation" },
  { subagent: { other: "guardian" } },
  { subagent: { other: "thread_spawn" } },
  { subagent: "thread_spawn" }
]

const anySource = fc.constantFrom(...eligible, ...ineligible)

describe("replay-semantics §4.1, runtime version", () => {
  it.each<[boolean, boolean, MultiAgent.Version | undefined]>([
    [true, true, "v2"],
    [true, false, "v2"],
    [false, true, "disabled"],
    [false, false, undefined]
  ])("override with multi_agent_v2 %s and agents disabled %s is %s", (multiAgentV2, agentsDisabled, expected) => {
    expect(MultiAgent.override({ multiAgentV2, agentsDisabled })).toBe(expected)
  })

  const without = undefined

  it.each<[string, MultiAgent.Origin, MultiAgent.Version | undefined, MultiAgent.Version | undefined]>([
    ["new", { kind: "new" }, without, undefined],
    ["resumed, no version", { kind: "resumed", version: without }, without, "v1"],
    ["forked, no version", { kind: "forked", version: without }, without, "v1"],
    ["resumed, no version", { kind: "resumed", version: without }, "v2", "v2"],
    ["resumed, disabled", { kind: "resumed", version: "disabled" }, "v2", "disabled"],
    ["forked, v2", { kind: "forked", version: "v2" }, "disabled", "disabled"],
    ["new", { kind: "new" }, "v2", "v2"],
    ["new", { kind: "new" }, "v1", "v1"],
    ["new", { kind: "new" }, "disabled", "disabled"],
    ["forked, v1", { kind: "forked", version: "v1" }, "v2", "v1"],
    ["resumed, v2", { kind: "resumed", version: "v2" }, without, "v2"]
  ])("%s: %o inheriting %s resolves to %s", (_, origin, inherited, expected) => {
    expect(MultiAgent.resolve(origin, inherited)).toBe(expected)
  })

  it.each<[MultiAgent.Version | undefined, MultiAgent.Version | undefined]>([
    ["v2", "v2"],
    ["disabled", "disabled"],
    [undefined, "v1"]
  ])("an override of %s at the opening of a thread gives %s", (override, expected) => {
    expect(MultiAgent.initial(override, { kind: "resumed", version: "v1" }, "v2")).toBe(expected)
  })

  it("leaves the version of a new thread open without override and inheritance", () => {
    expect(MultiAgent.initial(undefined, { kind: "new" }, undefined)).toBe(undefined)
  })

  const all = { spawnParent: "v1", sameThread: "v2", forkSource: "disabled", parent: "v1" } as const

  it.each<[MultiAgent.Origin["kind"], MultiAgent.Ancestors, MultiAgent.Version | undefined]>([
    ["new", all, "v1"],
    ["resumed", all, "v1"],
    ["forked", { spawnParent: "v2", forkSource: "v1" }, "v2"],
    ["resumed", { sameThread: "v2", forkSource: "disabled", parent: "v1" }, "v2"],
    ["resumed", { forkSource: "disabled", parent: "v1" }, undefined],
    ["forked", { sameThread: "v2", forkSource: "disabled", parent: "v1" }, "disabled"],
    ["forked", { sameThread: "v2", parent: "v1" }, "v1"],
    ["forked", { sameThread: "v2" }, undefined],
    ["new", { sameThread: "v2", forkSource: "disabled", parent: "v1" }, "v1"],
    ["new", { sameThread: "v2", forkSource: "disabled" }, undefined]
  ])("a %s thread among %o inherits %s", (kind, live, expected) => {
    expect(MultiAgent.inherited(kind, live)).toBe(expected)
  })

  const meta = (id: string, multi_agent_version?: MultiAgent.Version | null) => ({ id, multi_agent_version })
  const context = (multi_agent_version?: MultiAgent.Version | null) => ({ multi_agent_version })

  it.each<
    [
      string,
      ReadonlyArray<ReturnType<typeof meta>>,
      ReadonlyArray<ReturnType<typeof context>>,
      MultiAgent.Version | undefined,
      MultiAgent.Version | undefined
    ]
  >([
    ["nothing", [], [], undefined, undefined],
    ["the newest own meta", [meta(thread, "v1"), meta(thread, "v2")], [], "v2", "v2"],
    ["the newest meta with a version", [meta(thread, "v1"), meta(thread)], [], "v1", "v1"],
    ["a null counts as none", [meta(thread, "v1"), meta(thread, null)], [], "v1", "v1"],
    ["a copied meta counts for a fork only", [meta(thread, "v1"), meta(other, "v2")], [], "v1", "v2"],
    ["a copied meta alone", [meta(thread), meta(other, "v2")], [], undefined, "v2"],
    ["a meta goes before any context", [meta(thread, "v1")], [context("v2")], "v1", "v1"],
    ["the newest context with a version", [meta(thread)], [context("v1"), context("v2"), context(null)], "v2", "v2"],
    ["a copied meta or a context", [meta(other, "v2")], [context("disabled")], "disabled", "v2"],
    ["an id in another spelling", [meta(thread.toUpperCase(), "v2")], [context("v1")], "v2", "v2"]
  ])("versionFromHistory: %s", (_, metas, contexts, resumed, forked) => {
    const of = (kind: "resumed" | "forked") =>
      MultiAgent.versionFromHistory(frozen(metas), frozen(contexts), thread, kind)
    expect(of("resumed")).toBe(resumed)
    expect(of("forked")).toBe(forked)
  })

  it.each<
    [string, MultiAgent.Version | undefined, MultiAgent.TurnFacts, readonly [MultiAgent.Version, MultiAgent.Version]]
  >([
    ["open: override first", undefined, { override: "v2", declared: "v1", collab: true }, ["v2", "v2"]],
    ["open: then the model's", undefined, { override: undefined, declared: "v2", collab: false }, ["v2", "v2"]],
    ["open: then collaboration", undefined, { override: undefined, declared: undefined, collab: true }, ["v1", "v1"]],
    [
      "open: else disabled",
      undefined,
      { override: undefined, declared: undefined, collab: false },
      ["disabled", "disabled"]
    ],
    ["stored", "v1", { override: undefined, declared: "v2", collab: true }, ["v1", "v1"]],
    ["stored, with override", "v1", { override: "v2", declared: undefined, collab: true }, ["v2", "v1"]],
    ["stored disabled", "disabled", { override: undefined, declared: "v2", collab: true }, ["disabled", "disabled"]]
  ])("a turn, %s", (_, stored, facts, [version, next]) => {
    expect(MultiAgent.atTurn(stored, facts)).toEqual({ version, stored: next })
  })
})

describe("replay-semantics §10.34", () => {
  interface Life {
    readonly id: string
    readonly metas: ReadonlyArray<{ readonly id: string; readonly multi_agent_version: MultiAgent.Version | undefined }>
    readonly contexts: ReadonlyArray<{ readonly multi_agent_version: MultiAgent.Version }>
    readonly stored: MultiAgent.Version | undefined
  }
  type Event = "turn" | "resume live" | "resume cold" | "spawn" | "spawn fork" | "user fork"

  const event = fc.record({
    event: fc.constantFrom<Event>("turn", "turn", "resume live", "resume cold", "spawn", "spawn fork", "user fork"),
    declared: maybeVersion,
    collab: fc.boolean()
  })

  const open = (id: string, stored: MultiAgent.Version | undefined, copied: Life | undefined): Life => ({
    id,
    metas: [{ id, multi_agent_version: stored }, ...(copied?.metas ?? [])],
    contexts: copied?.contexts ?? [],
    stored
  })

  /** What becomes of a thread, or of the child that takes its place. */
  const live = (life: Life, event: Event, facts: MultiAgent.TurnFacts, childId: string): Life => {
    const fork = (ancestors: MultiAgent.Ancestors): Life => {
      const version = MultiAgent.versionFromHistory(life.metas, life.contexts, childId, "forked")
      const inherited = MultiAgent.inherited("forked", ancestors)
      return open(childId, MultiAgent.initial(undefined, { kind: "forked", version }, inherited), life)
    }
    const resume = (ancestors: MultiAgent.Ancestors): Life => {
      const version = MultiAgent.versionFromHistory(life.metas, life.contexts, life.id, "resumed")
      const inherited = MultiAgent.inherited("resumed", ancestors)
      return { ...life, stored: MultiAgent.initial(undefined, { kind: "resumed", version }, inherited) }
    }
    switch (event) {
      case "turn": {
        const { stored, version } = MultiAgent.atTurn(life.stored, facts)
        return { ...life, stored, contexts: [...life.contexts, { multi_agent_version: version }] }
      }
      case "resume live":
        return resume({ sameThread: life.stored })
      case "resume cold":
        return resume({})
      case "spawn": {
        const inherited = MultiAgent.inherited("new", { spawnParent: life.stored })
        return open(childId, MultiAgent.initial(undefined, { kind: "new" }, inherited), undefined)
      }
      case "spawn fork":
        return fork({ spawnParent: life.stored })
      case "user fork":
        return fork({ forkSource: life.stored })
    }
  }

  it("§10.34: a stored version stays, and below a disabled thread all are disabled", () => {
    let disabled = 0
    fc.assert(
      fc.property(maybeVersion, fc.array(event, { maxLength: 12 }), (start, events) => {
        let life = open("019c2b11-0000-7c00-8000-000000000000", start, undefined)
        events.forEach(({ collab, declared, event }, index) => {
          const id = `019c2b11-0000-7c00-8000-${(index + 1).toString().padStart(12, "0")}`
          const next = live(life, event, { override: undefined, declared, collab }, id)
          if (life.stored !== undefined && (next.id === life.id || life.stored === "disabled")) {
            expect(next.stored).toBe(life.stored)
            if (next.id !== life.id) disabled++
          }
          life = next
        })
      }),
      runs
    )
    expect(disabled).toBeGreaterThan(100)
  })

  it("§10.34: an override holds for the turn and does not change what is stored", () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, maybeVersion, fc.boolean(), (stored, override, declared, collab) => {
        expect(MultiAgent.atTurn(stored, { override, declared, collab })).toEqual({ version: override, stored })
      })
    )
  })
})

describe("replay-semantics §4.2, eligible sources", () => {
  it.each(eligible.map((source) => [source]))("%o is eligible", (source) => {
    expect(MultiAgent.isEligible(source)).toBe(true)
  })

  it.each(ineligible.map((source) => [source]))("%o is not", (source) => {
    expect(MultiAgent.isEligible(source)).toBe(false)
  })
})

describe("replay-semantics §4.2, mode in the form of the document", () => {
  const selections = [undefined, "explicitRequestOnly", "proactive"] as const
  const internal: MultiAgent.Source = { internal: "memory_consolidation" }

  it.each<
    [
      MultiAgent.Version,
      MultiAgent.Source,
      ReadonlyArray<boolean>,
      ReadonlyArray<(typeof selections)[number]>,
      MultiAgent.Mode | undefined
    ]
  >([
    ["disabled", "cli", [true, false], selections, undefined],
    ["v1", "cli", [true, false], selections, undefined],
    ["disabled", internal, [true, false], selections, undefined],
    ["v1", internal, [true, false], selections, undefined],
    ["v2", internal, [true, false], selections, undefined],
    ["v2", "cli", [false], selections, "explicitRequestOnly"],
    ["v2", "cli", [true], [undefined], "explicitRequestOnly"],
    ["v2", "cli", [true], ["explicitRequestOnly"], "explicitRequestOnly"],
    ["v2", "cli", [true], ["proactive"], "proactive"]
  ])("%s from %o, gate %o, selection %o: %s", (version, source, gates, selections, expected) => {
    for (const gate of gates) {
      for (const selection of selections) {
        expect(MultiAgent.modeBySelection({ version, source, gate, selection })).toEqual(expected)
      }
    }
  })
})

describe("replay-semantics §4.3, mode in the later form", () => {
  const facts = (rest: Partial<MultiAgent.EffortFacts>): MultiAgent.EffortFacts => ({
    version: "v2",
    source: "cli",
    hint: undefined,
    effort: undefined,
    defaultEffort: undefined,
    ...rest
  })

  it.each<[string, MultiAgent.EffortFacts, MultiAgent.Mode | undefined]>([
    ["v1", facts({ version: "v1", hint: "h", effort: "ultra" }), undefined],
    ["disabled", facts({ version: "disabled", hint: "h", effort: "ultra" }), undefined],
    ["ineligible source", facts({ source: { subagent: "review" }, hint: "h", effort: "ultra" }), undefined],
    ["hint", facts({ hint: "be bold" }), { custom: "be bold" }],
    ["empty hint", facts({ hint: "" }), { custom: "" }],
    ["hint before effort", facts({ hint: "h", effort: "ultra" }), { custom: "h" }],
    ["effort ultra", facts({ effort: "ultra" }), "proactive"],
    ["default effort ultra", facts({ defaultEffort: "ultra" }), "proactive"],
    ["effort of the turn before the default", facts({ effort: "high", defaultEffort: "ultra" }), "explicitRequestOnly"],
    ["other effort", facts({ effort: "max" }), "explicitRequestOnly"],
    ["no effort", facts({}), "explicitRequestOnly"]
  ])("%s", (_, facts, expected) => {
    expect(MultiAgent.modeByEffort(facts)).toEqual(expected)
  })
})

describe("replay-semantics §4.3 and §4.4, persisted mode", () => {
  it.each<[MultiAgent.Moded, MultiAgent.Mode | undefined]>([
    [{}, undefined],
    [{ multi_agent_mode: null }, undefined],
    [{ multi_agent_mode: "none" }, { custom: "" }],
    [{ multi_agent_mode: "proactive" }, "proactive"],
    [{ multi_agent_mode: "explicitRequestOnly" }, "explicitRequestOnly"],
    [{ multi_agent_mode: { custom: "x" } }, { custom: "x" }]
  ])("%o reads as %o", (context, expected) => {
    expect(MultiAgent.modeOf(context)).toEqual(expected)
    expect(MultiAgent.modeFromHistory([{ multi_agent_mode: { custom: "old" } }, context])).toEqual(expected)
  })

  it("has no mode without any turn_context", () => {
    expect(MultiAgent.modeFromHistory([])).toBe(undefined)
  })
})

describe("replay-semantics §4.4, emission", () => {
  const explicit = "explicitRequestOnly"
  const empty = { custom: "" }

  it.each<[MultiAgent.Mode | undefined, MultiAgent.Mode | undefined]>([
    [undefined, undefined],
    [empty, undefined],
    [{ custom: "x" }, { custom: "x" }],
    [explicit, explicit],
    ["proactive", "proactive"]
  ])("an initial context with mode %o tells %o", (effective, told) => {
    expect(MultiAgent.emitInitially(effective)).toEqual(told)
  })

  it.each<[MultiAgent.PersistedMode | null | undefined, MultiAgent.Mode | undefined, MultiAgent.Mode | undefined]>([
    [explicit, explicit, undefined],
    ["proactive", "proactive", undefined],
    [{ custom: "x" }, { custom: "x" }, undefined],
    ["none", empty, undefined],
    [undefined, undefined, undefined],
    [explicit, "proactive", "proactive"],
    ["proactive", explicit, explicit],
    [undefined, explicit, explicit],
    [null, "proactive", "proactive"],
    ["none", explicit, explicit],
    [explicit, { custom: "x" }, { custom: "x" }],
    [{ custom: "x" }, { custom: "y" }, { custom: "y" }],
    [{ custom: "x" }, explicit, explicit],
    [explicit, empty, empty],
    ["proactive", undefined, explicit],
    [explicit, undefined, undefined],
    [{ custom: "x" }, undefined, undefined],
    ["none", undefined, undefined]
  ])("a turn after %o with mode %o tells %o", (multi_agent_mode, effective, told) => {
    expect(MultiAgent.emitChange({ multi_agent_mode }, effective)).toEqual(told)
  })
})

describe("replay-semantics §10, mode", () => {
  const selection = fc.constantFrom("explicitRequestOnly" as const, "proactive" as const, undefined)
  const effort = fc.constantFrom("low", "ultra", undefined)
  const hint = fc.constantFrom("", "h", undefined)

  it("§10.32: there is no mode exactly where the version is not v2 or the source not eligible", () => {
    fc.assert(
      fc.property(anyVersion, anySource, fc.boolean(), selection, (version, source, gate, selection) => {
        const none = version !== "v2" || (source !== undefined && ineligible.includes(source))
        expect(MultiAgent.modeBySelection({ version, source, gate, selection }) === undefined).toBe(none)
      }),
      runs
    )
    fc.assert(
      fc.property(anyVersion, anySource, hint, effort, effort, (version, source, hint, effort, defaultEffort) => {
        const none = version !== "v2" || (source !== undefined && ineligible.includes(source))
        expect(MultiAgent.modeByEffort({ version, source, hint, effort, defaultEffort }) === undefined).toBe(none)
      }),
      runs
    )
  })

  it("§10.33: what the model was told is the mode of every turn", () => {
    const mode = fc.constantFrom<MultiAgent.Mode | undefined>(
      undefined,
      "explicitRequestOnly",
      "proactive",
      { custom: "" },
      { custom: "x" }
    )
    const turn = fc.record({ mode, fresh: fc.integer({ min: 0, max: 4 }).map((n) => n === 0) })
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 12 }), (turns) => {
        let reference: MultiAgent.Moded | undefined
        let told: MultiAgent.Mode | undefined
        for (const { fresh, mode } of turns) {
          if (reference === undefined || fresh) told = MultiAgent.emitInitially(mode)
          else told = MultiAgent.emitChange(reference, mode) ?? told
          reference = mode === undefined ? {} : { multi_agent_mode: mode }
          if (mode === undefined) expect(told).not.toBe("proactive")
          else if (JSON.stringify(mode) !== `{"custom":""}`) expect(told).toEqual(mode)
        }
      }),
      runs
    )
  })
})
