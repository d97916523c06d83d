/** The view of logs of every form, and of those that change it (thread-view §1; since-july). */
import { describe, expect, it } from "vitest"
import * as Fold from "../../../src/fold/Fold.js"
import * as ThreadView from "../../../src/fold/view/ThreadView.js"
import * as Turn from "../../../src/fold/view/Turn.js"
import * as Record from "../../../src/record/Record.js"
import type { Draft } from "./Events.js"
import * as E from "./Events.js"

const viewOf = (drafts: ReadonlyArray<Draft>, options: ThreadView.Options = {}) =>
  Fold.run(ThreadView.fold(options), E.records(drafts))
const shapeOf = (drafts: ReadonlyArray<Draft>, options: ThreadView.Options = {}) =>
  ThreadView.turns(viewOf(drafts, options)).map(
    ({ id, items, status }) => `${id} ${status}: ${items.map((item) => item.id).join(" ")}`
  )
const repeated = (draft: Draft): Draft => ({ ...draft, skein: { v: 1, kind: "fanout" } })

/** A turn in enriched form: each canonical item, then the marked event that repeats it. */
const enriched = (id: string, mark: (draft: Draft) => Draft = repeated): ReadonlyArray<Draft> => [
  E.started(id),
  E.item(id, E.said(`${id}-u`, "hi")),
  mark(E.user("hi")),
  E.item(id, E.command(`${id}-c`)),
  E.item(id, { type: "Reasoning", id: `${id}-r`, summary_text: ["s"] }),
  mark(E.summary("s")),
  E.item(id, E.answered(`${id}-m`, "done")),
  mark(E.agent("done")),
  E.complete(id)
]

const legacy = (id: string): ReadonlyArray<Draft> => [E.started(id), E.user("hi"), E.agent("done"), E.complete(id)]

describe("canonical items in a legacy log", () => {
  it("are shown under their ids, and what only repeats them is not", () => {
    const shown = ["a completed: a-u a-c a-r a-m"]
    expect(shapeOf([E.meta(), ...enriched("a")])).toEqual(shown)
    expect(shapeOf([E.meta(), ...enriched("a", (draft) => ({ ...draft, skein: { fanout: true } }))])).toEqual(shown)
  })

  it("are not doubled by repetitions that lack the mark", () => {
    expect(shapeOf([E.meta(), ...enriched("a", (draft) => draft)])).toEqual(["a completed: a-u a-c a-r a-m"])
  })

  it("the form is chosen turn by turn, in either order", () => {
    expect(shapeOf([E.meta(), ...enriched("a"), ...legacy("b"), ...enriched("c"), ...legacy("d")])).toEqual([
      "a completed: a-u a-c a-r a-m",
      "b completed: item-1 item-2",
      "c completed: c-u c-c c-r c-m",
      "d completed: item-3 item-4"
    ])
  })

  it("an event that names its item does not replace the canonical one, which says more", () => {
    const call = {
      type: "McpToolCall",
      id: "m",
      server: "s",
      tool: "t",
      arguments: null,
      readOnlyHint: true,
      status: "completed",
      result: { content: [] },
      duration: { secs: 1, nanos: 0 }
    }
    const end = E.event("mcp_tool_call_end", {
      call_id: "m",
      invocation: { server: "s", tool: "t" },
      duration: { secs: 1, nanos: 0 },
      result: { Ok: { content: [] } }
    })
    const [turn] = ThreadView.turns(viewOf([E.meta(), E.started("a"), E.item("a", call), end]))
    expect(turn?.items).toMatchObject([{ id: "m", readOnlyHint: true, completedAtMs: 0 }])
  })

  it("a turn whose start was lost still shows its items", () => {
    expect(shapeOf([E.meta(), ...enriched("a").slice(1)])).toEqual(["a completed: a-u a-c a-r a-m"])
  })

  it("rollback takes turns of both forms", () => {
    expect(
      shapeOf([E.meta(), ...enriched("a"), ...legacy("b"), ...enriched("c"), E.rolledBack(2), ...legacy("d")])
    ).toEqual(["a completed: a-u a-c a-r a-m", "d completed: item-5 item-6"])
  })
})

describe("a paginated log", () => {
  const canonical = (id: string) => [E.started(id), E.item(id, E.said(`${id}-u`, "hi")), E.complete(id)]

  it("ignores repetitions, marked or not, and rollbacks", () => {
    const turn = enriched("a", (draft) => draft)
    expect(shapeOf(E.numbered([E.paginated(), ...turn, E.rolledBack(1)]))).toEqual(["a completed: a-u a-c a-r a-m"])
  })

  it("a line without ordinal makes no turn and no item", () => {
    const numbered = E.numbered([E.paginated(), ...canonical("a")])
    const without = (n: number) =>
      numbered.map((draft, i) => (i === n ? { ...draft, ordinal: undefined } : draft) as Draft)
    expect(shapeOf(without(1))).toEqual(["a completed: a-u"])
    expect(shapeOf(without(2))).toEqual(["a completed: "])
    expect(shapeOf(without(3))).toEqual(["a inProgress: a-u"])
    expect(shapeOf([...numbered, ...canonical("b")])).toEqual(["a completed: a-u"])
  })

  it("shows turns that a program without ordinals went on with, in legacy form", () => {
    const before = E.numbered([E.paginated(), ...canonical("a")])
    const after = E.numbered(canonical("c"), 4)
    expect(shapeOf([...before, ...legacy("b"), ...after])).toEqual([
      "a completed: a-u",
      "b completed: item-1 item-2",
      "c completed: c-u"
    ])
    const inLegacyForm = E.numbered([E.paginated(), ...canonical("a"), ...legacy("b"), ...canonical("c")])
    expect(shapeOf(inLegacyForm)).toEqual(["a completed: a-u", "b completed: item-1 item-2", "c completed: c-u"])
  })

  it("leaves out what a sub-agent copied", () => {
    const copied = [E.started("old"), E.complete("old")]
    const drafts = E.numbered([E.paginated({ subagent_history_start_ordinal: 3 }), ...copied, ...canonical("a")])
    expect(shapeOf(drafts)).toEqual(["a completed: a-u"])
  })

  it("a header inside of what was copied says nothing", () => {
    const copy = E.paginated({ subagent_history_start_ordinal: 100 })
    const drafts = E.numbered([E.paginated({ subagent_history_start_ordinal: 2 }), copy, ...canonical("a")])
    expect(shapeOf(drafts)).toEqual(["a completed: a-u"])
  })

  it("shows inherited turns, then own ones; of an attached fork its own only", () => {
    const base = E.numbered([E.paginated(), ...canonical("a")])
    const own = (fields: object) => ({
      ...E.paginated({
        history_base: { thread_id: E.agentA, end_ordinal_exclusive: 4, end_byte_offset: 9 },
        forked_from_ordinal_exclusive: 4,
        ...fields
      }),
      ordinal: 4
    })
    const fork = (fields: object) => [own(fields), ...base, ...E.numbered(canonical("b"), 5)]
    expect(shapeOf(fork({}))).toEqual(["a completed: a-u", "b completed: b-u"])
    expect(shapeOf(fork({ attached_thread: true }))).toEqual(["b completed: b-u"])
    expect(shapeOf(fork({ attached_thread: true }), { attached: "inherited" })).toEqual([
      "a completed: a-u",
      "b completed: b-u"
    ])
  })

  it("of an attached fork that was reverted, all that is its own", () => {
    const own = (end: number) => ({
      history_base: { thread_id: E.agentA, end_ordinal_exclusive: end, end_byte_offset: 9 },
      forked_from_ordinal_exclusive: 4,
      attached_thread: true
    })
    const source = E.numbered([E.paginated(), ...canonical("a")])
    const fork = [{ ...E.paginated(own(4)), ordinal: 4 }, ...E.numbered(canonical("b"), 5)]
    const reverted = E.numbered(canonical("c"), 9)
    expect(shapeOf([{ ...E.paginated(own(8)), ordinal: 8 }, ...source, ...fork, ...reverted])).toEqual([
      "b completed: b-u",
      "c completed: c-u"
    ])
  })

  it("a log without a readable header is taken for what it looks like", () => {
    expect(shapeOf(E.numbered(canonical("a")))).toEqual(["a completed: a-u"])
    expect(shapeOf(legacy("a"))).toEqual(["a completed: item-1 item-2"])
  })
})

describe("reading a view", () => {
  it("a turn by its id, and the same object as long as it does not change", () => {
    const view = viewOf([E.meta(), ...legacy("a"), ...legacy("b")])
    const next = Fold.run(ThreadView.fold(), E.records(legacy("c")), view)
    expect(ThreadView.turn(next, "a")).toBe(ThreadView.turns(view)[0])
    expect(ThreadView.turns(next)[1]).toBe(ThreadView.turns(view)[1])
    expect(ThreadView.turn(next, "zzz")).toBeUndefined()
  })

  it("a turn that never ended is shown as interrupted while nobody runs it", () => {
    const [turn] = ThreadView.turns(viewOf([E.meta(), E.started("a")]))
    expect(turn?.status).toBe("inProgress")
    expect(turn && Turn.whenIdle(turn).status).toBe("interrupted")
  })

  it("summary and notLoaded (§2.6, I20)", () => {
    const [turn] = ThreadView.turns(viewOf([E.meta(), E.started("a"), E.user("1"), E.agent("2"), E.agent("3")]))
    if (turn === undefined) throw new Error("no turn")
    expect(Turn.viewedAs(turn, "summary")).toMatchObject({
      itemsView: "summary",
      items: [{ id: "item-1" }, { id: "item-3" }]
    })
    expect(Turn.viewedAs(turn, "notLoaded")).toMatchObject({ itemsView: "notLoaded", items: [] })
    expect(Turn.viewedAs(turn, "full")).toBe(turn)
  })
})

describe("work", () => {
  it("one more turn costs the same behind 10 000 turns as behind 10", () => {
    const turn = (n: number) => legacy(`t${n}`)
    const grown = (count: number) => viewOf([E.meta(), ...Array.from({ length: count }, (_, n) => turn(n)).flat()])
    const more = E.records(Array.from({ length: 400 }, (_, n) => turn(1_000_000 + n)).flat())
    const fold = ThreadView.fold()
    const cost = (view: ThreadView.ThreadView): number => {
      const times = Array.from({ length: 7 }, () => {
        const from = process.hrtime.bigint()
        Fold.run(fold, more, view)
        return Number(process.hrtime.bigint() - from)
      })
      return Math.min(...times)
    }
    const small = grown(10)
    const large = grown(10_000)
    cost(small)
    expect(cost(large) / cost(small)).toBeLessThan(4)
  })
})

describe("a log of 0.20.0", () => {
  it("shows messages and thinking from the items of the history, and not what the client told the model", () => {
    const lines = [
      { id: E.threadId, timestamp: "2025-08-01T10:00:00.000Z", instructions: null },
      { record_type: "state" },
      bare("user", "<environment_context>\n  <cwd>/repo</cwd>\n</environment_context>"),
      bare("user", "hi"),
      { type: "reasoning", id: "r", summary: [{ type: "summary_text", text: "s" }], content: null },
      bare("assistant", "done"),
      bare("user", "more")
    ]
    const records = lines.map((line) => {
      const bytes = new TextEncoder().encode(JSON.stringify(line))
      const decoded = Record.decode({ bytes, offset: 0, number: 1, terminated: true }, "bare")
      if (decoded.kind === "damage" || decoded.kind === "blank") throw new Error(decoded.kind)
      return decoded
    })
    const turns = ThreadView.turns(Fold.run(ThreadView.fold(), records))
    expect(turns.map(({ items }) => items.map(({ id, type }) => `${id} ${type}`))).toEqual([
      ["item-1 userMessage", "item-2 reasoning", "item-3 agentMessage"],
      ["item-4 userMessage"]
    ])
  })
})

const bare = (role: string, text: string) => ({
  type: "message",
  id: null,
  role,
  content: [{ type: role === "assistant" ? "output_text" : "input_text", text }]
})
