/** What is told of the world: replay-semantics §2, §10.6 to §10.10. */
import { describe, expect, it } from "vitest"
import * as Compaction from "../../src/decide/Compaction.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as World from "../../src/decide/World.js"
import type { ModelContext } from "../../src/fold/ModelContext.js"
import type { Json } from "../../src/json/Json.js"
import * as s from "../fold/script.js"
import { Host, kinds, reason, right } from "./Host.js"

const sections = (snapshot: unknown) => right(World.sectionsOf(snapshot))

type Context = World.State["context"]
const none: Context = { history: [], referenceContext: undefined, worldState: undefined }
const reference = { model: "m" } as ModelContext["referenceContext"]

const look = (snapshot: unknown, at: World.Command["at"], context: Context) =>
  right(World.look({ sections: sections(snapshot), at }, { context }))

const text = (id: string, value: Json) =>
  `<environment_context>\n${JSON.stringify({ [id]: value })}\n</environment_context>`

const texts = ({ items }: World.Told) =>
  items.flatMap(({ content }) => content.map((part) => ("text" in part ? part.text : "")))

describe("§2.4: when what is told and written", () => {
  const compaction = (phase: "pre_turn" | "mid_turn" | "standalone_turn", tokenBudget = false) => ({
    at: "compaction" as const,
    phase,
    tokenBudget
  })
  const known: Context = { ...none, referenceContext: reference, worldState: { a: 1, b: 2 } }
  const lost: Context = { ...none, referenceContext: reference }
  const seen: Context = {
    ...lost,
    history: [{ type: "message", role: "user", content: [{ type: "input_text", text: text("a", 0) }] }]
  }

  it.each<[string, World.Command["at"], Context, ReadonlyArray<string>, unknown]>([
    ["first context", "turn", none, [text("a", 1), text("b", 3)], { full: true, state: { a: 1, b: 3 } }],
    [
      "reference missing, baseline there",
      "turn",
      { ...known, referenceContext: undefined },
      [text("a", 1), text("b", 3)],
      { full: true, state: { a: 1, b: 3 } }
    ],
    ["new turn", "turn", known, [text("b", 3)], { full: false, state: { b: 3 } }],
    ["new turn, baseline missing", "turn", lost, [text("a", 1), text("b", 3)], { full: true, state: { a: 1, b: 3 } }],
    [
      "new turn, baseline missing, text in history",
      "turn",
      seen,
      [text("a", 1), text("b", 3)],
      { full: true, state: { a: 1, b: 3 } }
    ],
    ["later step", "step", known, [text("b", 3)], { full: false, state: { b: 3 } }],
    [
      "mid-turn compaction",
      compaction("mid_turn"),
      known,
      [text("a", 1), text("b", 3)],
      { full: true, state: { a: 1, b: 3 } }
    ],
    [
      "token budget",
      compaction("pre_turn", true),
      known,
      [text("a", 1), text("b", 3)],
      { full: true, state: { a: 1, b: 3 } }
    ],
    ["pre-turn compaction", compaction("pre_turn"), known, [], undefined],
    ["manual compaction", compaction("standalone_turn"), known, [], undefined]
  ])("%s", (_, at, context, told, update) => {
    const found = look({ a: 1, b: 3 }, at, context)
    expect(texts(found)).toEqual(told)
    expect(found.update).toEqual(update)
  })

  it("§10.9: an equal snapshot tells and writes nothing", () => {
    expect(look({ a: 1, b: 2 }, "turn", known)).toEqual({ items: [], update: undefined })
    expect(look({ b: 2, a: 1 }, "step", known)).toEqual({ items: [], update: undefined })
  })

  it("§2.5: a section that is there no more is deleted without words", () => {
    expect(look({ a: 1 }, "turn", known)).toEqual({ items: [], update: { full: false, state: { b: null } } })
  })

  it("what a section reads like is told what was told before: a value, nothing, or something not known", () => {
    const asked = (context: Context, more: Partial<World.Section> = {}) => {
      let found: unknown
      const section: World.Section = {
        id: "a",
        value: 9,
        render: (previous) => {
          found = previous
          return []
        },
        ...more
      }
      right(World.look({ sections: [section], at: "turn" }, { context }))
      return found
    }
    expect(asked(none)).toEqual({ _tag: "Absent" })
    expect(asked(known)).toEqual({ _tag: "Known", value: 1 })
    expect(asked(known, { decodes: () => false })).toEqual({ _tag: "Unknown" })
    expect(asked(seen)).toEqual({ _tag: "Unknown" })
    expect(asked(lost)).toEqual({ _tag: "Absent" })
    expect(asked(seen, { matches: (one) => one.includes("nothing of this") })).toEqual({ _tag: "Absent" })
  })

  it("§2.4: a section that looks for its text tells it again once history has lost it; the others do not look", () => {
    const told = (retained: boolean, context: Context) =>
      texts(right(World.look({ sections: [{ id: "a", value: 1, retained }], at: "turn" }, { context })))
    expect(told(true, known)).toEqual([text("a", 1)])
    expect(told(true, { ...known, history: seen.history })).toEqual([])
    expect(told(false, known)).toEqual([])
    const step = right(
      World.look({ sections: [{ id: "a", value: 1, retained: true }], at: "step" }, { context: known })
    )
    expect(texts(step)).toEqual([])
  })

  it("§2.1: neighbours of one role are one message with several parts", () => {
    const say = (id: string, role: "user" | "developer"): World.Section => ({
      id,
      value: 1,
      render: () => [{ role, text: role === "user" ? text(id, 1) : id }]
    })
    const all = [say("a", "developer"), say("b", "developer"), say("c", "user"), say("d", "developer")]
    const { items } = right(World.look({ sections: all, at: "turn" }, { context: none }))
    expect(items.map(({ content, role }) => [role, content.length])).toEqual([
      ["developer", 2],
      ["user", 1],
      ["developer", 1]
    ])
  })
})

describe("what is no world", () => {
  it.each([null, [], 7, "x", undefined])("%j", (snapshot) => {
    expect(reason(World.sectionsOf(snapshot))).toEqual(["InvalidRequest", "malformed", "world"])
  })

  const bad = (all: ReadonlyArray<World.Section>, nulls?: World.Command["nulls"]) =>
    World.look({ sections: all, at: "turn", nulls }, { context: none })

  it.each<[string, Json, string]>([
    ["a section that is null", null, "world.a"],
    ["a null within", { b: { c: null } }, "world.a.b.c"]
  ])("%s", (_, value, field) => {
    expect(reason(bad([{ id: "a", value }]))).toEqual(["InvalidRequest", "null", field])
  })

  it("nulls in arrays are kept, for an array is replaced whole (§2.2)", () => {
    expect(right(bad([{ id: "a", value: [null, { b: null }] }])).update?.state).toEqual({ a: [null, { b: null }] })
  })

  it("§2.2: where they are to be left out, they are", () => {
    const all = [
      { id: "a", value: { b: null, c: 1 } },
      { id: "d", value: null }
    ]
    expect(right(bad(all, "strip")).update?.state).toEqual({ a: { c: 1 } })
  })

  it("§2.1: two sections of one id", () => {
    expect(
      reason(
        bad([
          { id: "a", value: 1 },
          { id: "a", value: 2 }
        ])
      )
    ).toEqual(["InvalidRequest", "duplicate", "world.a"])
  })

  it("words said as the user that would count as the user's own", () => {
    const section: World.Section = { id: "a", value: 1, render: () => [{ role: "user", text: "hello" }] }
    expect(reason(bad([section]))).toEqual(["InvalidRequest", "malformed", "sections"])
  })
})

describe("records", () => {
  const tell = (host: Host, snapshot: unknown, at: World.Command["at"] = "turn") => {
    const told = right(World.look({ sections: sections(snapshot), at }, host.read))
    return host.append(World.drafts(told, right(TurnLifecycle.running(host.state)), host.facts))
  }
  const started = () => {
    const host = new Host()
    host.do(TurnLifecycle.start({ turnId: host.id() }, host.state, host.facts))
    return host
  }

  it("§2.4, §10.10: words first, then the state; no word of the user among them", () => {
    const host = started()
    expect(kinds(tell(host, { a: 1 }))).toEqual(["message", "world_state"])
    expect(host.context.worldState).toEqual({ a: 1 })
    expect(host.state.index.messages.length).toBe(0)
    expect(tell(host, { a: 1 }, "step")).toEqual([])
    expect(kinds(tell(host, { a: 2 }, "step"))).toEqual(["message", "world_state"])
  })

  it("§1.7.2, §1.7.23: resumed unchanged, a world tells nothing; after a crash in between it is told again", () => {
    const host = started()
    tell(host, { a: 1 })
    host.do(TurnLifecycle.settings({ model: "m" }, host.state, host.facts))
    host.do(TurnLifecycle.input({ content: [{ type: "text", text: "u" }], id: "i" }, host.state, host.facts))
    host.complete()
    const resumed = Host.of(host.log)
    resumed.do(TurnLifecycle.start({ turnId: resumed.id() }, resumed.state, resumed.facts))
    expect(tell(resumed, { a: 1 })).toEqual([])
    const drafts = tell(resumed, { a: 2 })
    const crashed = Host.of([...host.log, ...resumed.log.slice(host.log.length, host.log.length + 2)])
    expect(kinds(drafts)).toEqual(["message", "world_state"])
    expect(kinds(tell(crashed, { a: 2 }))).toEqual(["message", "world_state"])
  })

  it("§1.7.34, §10.7: behind a compaction everything is told anew", () => {
    const host = started()
    tell(host, { a: 1 })
    const variant = { kind: "local" as const, summary: "s" }
    host.do(Compaction.compact({ variant, phase: "pre_turn", itemId: "c" }, host.read, host.facts))
    expect(host.context.worldState).toBeUndefined()
    expect(kinds(tell(host, { a: 1 }))).toEqual(["message", "world_state"])
    expect(host.context.worldState).toEqual({ a: 1 })
  })

  it("of a log whose baseline is lost, sees what history holds and writes a full state", () => {
    const host = Host.of(
      s.log(s.header(), s.started("1"), s.turnContext("1"), s.user("u"), s.userEvent("u"), s.completed("1"))
    )
    host.do(TurnLifecycle.start({ turnId: host.id() }, host.state, host.facts))
    expect(tell(host, { a: 1 }).at(-1)?.payload).toEqual({ full: true, state: { a: 1 } })
  })
})
