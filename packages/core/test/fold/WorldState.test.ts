import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as WorldState from "../../src/fold/WorldState.js"
import type { Json, JsonObject } from "../../src/json/Json.js"
import { frozen, hasPlainPrototypes, json, object, text, withoutNulls } from "../json/JsonArbitrary.js"

const runs = { numRuns: 1000 }

const K: WorldState.Entry = { kind: "compacted" }
const record = (payload: WorldState.Payload): WorldState.Entry => ({ kind: "world_state", payload })
const full = (state: unknown): WorldState.Entry => record({ full: true, state })
const patch = (state: unknown): WorldState.Entry => record({ full: false, state })

const replayed = (entries: Iterable<WorldState.Entry>) => {
  const warnings: Array<readonly [WorldState.Warning, number]> = []
  const baseline = WorldState.replay(entries, (warning, index) => warnings.push([warning, index]))
  return { baseline, warnings }
}

const entry: fc.Arbitrary<WorldState.Entry> = fc.oneof(
  fc.constant(K),
  fc.oneof({ arbitrary: object, weight: 5 }, { arbitrary: json, weight: 1 }).map(full),
  fc.oneof({ arbitrary: object, weight: 8 }, { arbitrary: json, weight: 1 }).map(patch)
)

const entries = fc.array(entry, { maxLength: 12 })

const inTurn: WorldState.Moment = { at: "turn", reference: true }
const firstTurn: WorldState.Moment = { at: "turn", reference: false }
const inStep: WorldState.Moment = { at: "step" }

const moment: fc.Arbitrary<WorldState.Moment> = fc.oneof(
  fc.constantFrom(inTurn, inTurn, inStep, inStep, firstTurn),
  fc.record({
    at: fc.constant("compaction" as const),
    phase: fc.constantFrom("pre_turn" as const, "mid_turn" as const, "standalone_turn" as const),
    tokenBudget: fc.boolean()
  })
)

describe("replay-semantics §2.5", () => {
  it.each<[string, WorldState.Baseline, WorldState.Entry, WorldState.Baseline, WorldState.Warning | undefined]>([
    ["a compaction", { a: 1 }, K, undefined, undefined],
    ["a compaction without a baseline", undefined, K, undefined, undefined],
    ["a full state", { a: 1 }, full({ b: 2 }), { b: 2 }, undefined],
    ["a full state without a baseline", undefined, full({ b: 2 }), { b: 2 }, undefined],
    ["an empty full state", { a: 1 }, full({}), {}, undefined],
    ["a full state that is a list", { a: 1 }, full([{}]), undefined, "not-an-object"],
    ["a full state that is null", { a: 1 }, full(null), undefined, "not-an-object"],
    ["a full state that is text", undefined, full("a"), undefined, "not-an-object"],
    ["a patch", { a: 1, b: { c: 1, d: 2 } }, patch({ b: { c: null } }), { a: 1, b: { d: 2 } }, undefined],
    ["a patch that deletes the last section", { a: 1 }, patch({ a: null }), {}, undefined],
    ["a patch that is a list", { a: 1 }, patch(["b"]), undefined, "result-not-object"],
    ["a patch that is null", { a: 1 }, patch(null), undefined, "result-not-object"],
    ["a patch without a baseline", undefined, patch({ a: 1 }), undefined, "patch-without-baseline"],
    ["a bad patch without a baseline", undefined, patch(3), undefined, "patch-without-baseline"]
  ])("%s", (_, before, entry, baseline, warning) => {
    expect(WorldState.step(frozen(before), frozen(entry))).toStrictEqual({ baseline, warning })
  })

  it("reports each warning with the index of its entry", () => {
    const { baseline, warnings } = replayed([patch({ a: 1 }), full({ a: 1 }), patch([]), patch({}), full(0), full({})])
    expect(baseline).toEqual({})
    expect(warnings).toEqual([
      ["patch-without-baseline", 0],
      ["result-not-object", 2],
      ["patch-without-baseline", 3],
      ["not-an-object", 4]
    ])
  })

  it("keeps sections that no host here knows", () => {
    const { baseline } = replayed([full({ "x.unheard-of": { v: [null] } }), patch({ realtime: { active: true } })])
    expect(baseline).toEqual({ "x.unheard-of": { v: [null] }, realtime: { active: true } })
  })

  it("takes a section named __proto__ for a section", () => {
    const hostile = JSON.parse(`{"__proto__":{"active":true},"environments":{"environments":{}}}`) as Json
    const remote = JSON.parse(`{"environments":{"environments":{"__proto__":{"cwd":"/r"}}}}`) as Json
    const { baseline } = replayed([full({}), patch(hostile), patch(remote)])
    expect(text(baseline)).toBe(
      `{"__proto__":{"active":true},"environments":{"environments":{"__proto__":{"cwd":"/r"}}}}`
    )
    expect(hasPlainPrototypes(baseline)).toBe(true)
  })

  it("folds step by step what it folds at once, and changes no entry", () => {
    fc.assert(
      fc.property(entries, fc.nat(12), (log, at) => {
        const cut = Math.min(at, log.length)
        let baseline = WorldState.replay(frozen(log).slice(0, cut))
        for (const next of log.slice(cut)) baseline = WorldState.step(baseline, next).baseline
        expect(text(baseline)).toBe(text(WorldState.replay(log)))
      }),
      runs
    )
  })
})

describe("replay-semantics §1.7", () => {
  it("§1.7.34: a compaction forgets, patches add to the full state behind it", () => {
    const { baseline, warnings } = replayed([
      full({ environments: { old: true } }),
      K,
      full({ environments: { status: "starting", cwd: "/w" } }),
      patch({ environments: { status: "ready" } })
    ])
    expect(baseline).toEqual({ environments: { status: "ready", cwd: "/w" } })
    expect(warnings).toEqual([])
  })
})

describe("replay-semantics §2.2", () => {
  it("drops a section that is null as a whole and says so", () => {
    const { snapshot, dropped } = WorldState.capture([
      ["a", null],
      ["b", { c: null, d: [null, { e: null }] }],
      ["permissions", "f0"]
    ])
    expect(text(snapshot)).toBe(text({ b: { d: [null, { e: null }] }, permissions: "f0" }))
    expect(dropped).toEqual(["a"])
  })

  it("§2.1: refuses two sections with one id, a dropped one included", () => {
    for (const first of [1, null]) {
      const twice = [["a", first] as const, ["a", 2] as const]
      expect(() => WorldState.capture(twice)).toThrow(`"a"`)
    }
  })

  it("captures a section named __proto__", () => {
    const { snapshot } = WorldState.capture([["__proto__", { a: 1 }]])
    expect(text(snapshot)).toBe(`{"__proto__":{"a":1}}`)
    expect(hasPlainPrototypes(snapshot)).toBe(true)
  })
})

describe("replay-semantics §2.4, when what is written", () => {
  const told: WorldState.Snapshot = { a: 1, b: { c: 2 } }
  const now: WorldState.Snapshot = { a: 1, b: { c: 3 }, d: true }
  const change = { full: false, state: { b: { c: 3 }, d: true } }
  const whole = { full: true, state: now }
  const compaction = (phase: "pre_turn" | "mid_turn" | "standalone_turn", tokenBudget: boolean) =>
    ({ at: "compaction", phase, tokenBudget }) as const

  it.each<[string, WorldState.Moment, WorldState.Baseline, WorldState.Plan["_tag"], unknown]>([
    ["first context", firstTurn, undefined, "Full", whole],
    ["reference missing, baseline present", firstTurn, told, "Full", whole],
    ["turn with reference and baseline", inTurn, told, "Change", change],
    ["turn with reference and baseline, nothing new", inTurn, now, "Change", undefined],
    ["turn with reference, baseline missing", inTurn, undefined, "Inspect", whole],
    ["later step", inStep, told, "Change", change],
    ["later step, nothing new", inStep, now, "Change", undefined],
    ["later step, baseline missing", inStep, undefined, "Inspect", whole],
    ["mid-turn compaction", compaction("mid_turn", false), undefined, "Full", whole],
    ["mid-turn compaction, baseline present", compaction("mid_turn", false), told, "Full", whole],
    ["token-budget compaction, mid-turn", compaction("mid_turn", true), told, "Full", whole],
    ["token-budget compaction, before a turn", compaction("pre_turn", true), told, "Full", whole],
    ["token-budget compaction, manual", compaction("standalone_turn", true), told, "Full", whole],
    ["compaction before a turn", compaction("pre_turn", false), told, "Nothing", undefined],
    ["manual compaction", compaction("standalone_turn", false), told, "Nothing", undefined]
  ])("%s", (_, moment, baseline, tag, written) => {
    const plan = WorldState.plan(moment, baseline)
    expect(plan._tag).toBe(tag)
    expect(WorldState.update(plan, frozen(now))).toEqual(written)
  })

  it("deletes a section that is no longer produced", () => {
    expect(WorldState.update(WorldState.plan(inTurn, told), { a: 1 })).toEqual({ full: false, state: { b: null } })
  })

  it("writes an empty full state where a full one is due", () => {
    expect(WorldState.update(WorldState.plan(firstTurn, undefined), {})).toEqual({ full: true, state: {} })
  })

  it("never writes a null for a value", () => {
    const state = { a: { b: null, c: [{ d: null }] }, e: null }
    const stripped = { a: { c: [{ d: null }] } }
    expect(WorldState.update(WorldState.plan(firstTurn, undefined), state)).toEqual({ full: true, state: stripped })
    expect(WorldState.update(WorldState.plan(inTurn, {}), state)).toEqual({ full: false, state: stripped })
  })
})

describe("replay-semantics §2.4, previous value of a section", () => {
  const known = { _tag: "Known", value: { active: true } }
  const absent = { _tag: "Absent" }
  const unknown = { _tag: "Unknown" }
  const baseline: WorldState.Snapshot = { realtime: { active: true } }
  const plain: WorldState.Section = { id: "realtime" }
  const matched: WorldState.Section = { id: "realtime", retained: true }
  const decoding: WorldState.Section = { id: "realtime", decodes: (value) => text(value) === `{"active":true}` }
  const broken: WorldState.Section = { id: "realtime", decodes: () => false }
  const brokenMatched: WorldState.Section = { ...broken, retained: true }
  const other: WorldState.Section = { id: "agents_md" }

  it.each<[string, WorldState.Moment, WorldState.Baseline, WorldState.Section, boolean, unknown]>([
    ["first context, text in history or not", firstTurn, baseline, plain, true, absent],
    ["mid-turn compaction", { at: "compaction", phase: "mid_turn", tokenBudget: false }, baseline, plain, true, absent],
    ["baseline missing, text in history", inTurn, undefined, plain, true, unknown],
    ["baseline missing, no text in history", inTurn, undefined, plain, false, absent],
    ["baseline missing, retained matcher, text in history", inTurn, undefined, matched, true, unknown],
    ["turn, no retained matcher, text in history", inTurn, baseline, plain, true, known],
    ["turn, no retained matcher, text gone", inTurn, baseline, plain, false, known],
    ["turn, retained matcher, text in history", inTurn, baseline, matched, true, known],
    ["turn, retained matcher, text gone", inTurn, baseline, matched, false, absent],
    ["step, retained matcher, text gone", inStep, baseline, matched, false, known],
    ["turn, section not in the baseline", inTurn, baseline, other, true, absent],
    ["turn, value that decodes", inTurn, baseline, decoding, true, known],
    ["turn, value that does not decode", inTurn, baseline, broken, true, unknown],
    ["step, value that does not decode", inStep, baseline, broken, false, unknown],
    ["turn, value that does not decode, text in history", inTurn, baseline, brokenMatched, true, unknown],
    ["turn, value that does not decode, text gone", inTurn, baseline, brokenMatched, false, absent],
    ["turn, id that every object inherits", inTurn, {}, { id: "constructor" }, true, absent]
  ])("%s", (_, moment, baseline, section, inHistory, previous) => {
    const plan = WorldState.plan(moment, baseline)
    if (plan._tag === "Nothing") throw new Error("expected a plan under which sections are rendered")
    expect(WorldState.previous(plan, section, inHistory)).toStrictEqual(previous)
  })

  it("finds a section named __proto__", () => {
    const hostile = JSON.parse(`{"__proto__":7}`) as JsonObject
    const change = { _tag: "Change", baseline: hostile, recheck: false } as const
    expect(WorldState.previous(change, { id: "__proto__" }, false)).toEqual({ _tag: "Known", value: 7 })
  })
})

describe("replay-semantics §10, baseline", () => {
  /** A host that looks at its world at each moment, and what it appends. */
  const live = (looks: ReadonlyArray<readonly [WorldState.Moment, WorldState.Snapshot]>) => {
    const log: Array<WorldState.Entry> = []
    const seen: Array<{ readonly baseline: Baseline; readonly length: number; readonly snapshot: Baseline }> = []
    let baseline: Baseline
    const append = (entry: WorldState.Entry) => {
      log.push(entry)
      baseline = WorldState.step(baseline, entry).baseline
    }
    for (const [moment, snapshot] of looks) {
      if (moment.at === "compaction") append(K)
      const plan = WorldState.plan(moment, baseline)
      const written = WorldState.update(plan, snapshot)
      if (written !== undefined) append(JSON.parse(JSON.stringify(record(written))) as WorldState.Entry)
      seen.push({ baseline, length: log.length, snapshot: plan._tag === "Nothing" ? undefined : snapshot })
    }
    return { log, seen }
  }
  type Baseline = WorldState.Baseline

  it("§10.6: the live baseline is the replayed one and is what the world looked like, after every look", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(moment, object), { maxLength: 8 }), (looks) => {
        const { log, seen } = live(looks)
        for (const { baseline, length, snapshot } of seen) {
          const again = replayed(log.slice(0, length))
          expect(again.warnings).toEqual([])
          expect(text(again.baseline)).toBe(text(baseline))
          expect(text(baseline)).toBe(text(snapshot === undefined ? undefined : withoutNulls(snapshot)))
        }
      }),
      runs
    )
  })

  it("§10.7: behind a compaction nothing in front of it matters", () => {
    fc.assert(
      fc.property(entries, entries, entries, (one, other, rest) => {
        const after = (prefix: ReadonlyArray<WorldState.Entry>) => text(WorldState.replay([...prefix, K, ...rest]))
        expect(after(one)).toBe(after(other))
      }),
      runs
    )
  })

  it("§10.8: a patch in front of the first full state of its window may go", () => {
    const removable = (log: ReadonlyArray<WorldState.Entry>): ReadonlyArray<number> => {
      const found: Array<number> = []
      let fullSeen = false
      log.forEach((entry, index) => {
        if (entry.kind === "compacted") fullSeen = false
        else if (entry.payload.full) fullSeen = true
        else if (!fullSeen) found.push(index)
      })
      return found
    }
    let removed = 0
    fc.assert(
      fc.property(entries, (log) => {
        for (const index of removable(log)) {
          removed++
          expect(text(WorldState.replay(log.toSpliced(index, 1)))).toBe(text(WorldState.replay(log)))
        }
      }),
      runs
    )
    expect(removed).toBeGreaterThan(100)
  })

  it("§10.8: a patch behind the full state may not", () => {
    const log = [full({ a: 1 }), patch({ a: 2 })]
    expect(WorldState.replay(log)).toEqual({ a: 2 })
    expect(WorldState.replay(log.toSpliced(1, 1))).toEqual({ a: 1 })
  })

  it("§10.9: looking again at an equal world writes nothing", () => {
    const again = fc.constantFrom<WorldState.Moment>(inTurn, inStep)
    fc.assert(
      fc.property(entries, moment, again, object, (log, first, second, world) => {
        const before = WorldState.replay(log)
        const plan = WorldState.plan(first, before)
        fc.pre(plan._tag !== "Nothing")
        const written = WorldState.update(plan, world)
        const baseline = written === undefined ? before : WorldState.step(before, record(written)).baseline
        expect(WorldState.update(WorldState.plan(second, baseline), world)).toBe(undefined)
      }),
      runs
    )
  })
})
