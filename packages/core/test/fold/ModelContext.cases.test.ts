/** replay-semantics §1.7: the numbered cases, in the shorthand of its §0. */
import { describe, expect, it } from "vitest"
import * as Fold from "../../src/fold/Fold.js"
import * as ModelContext from "../../src/fold/ModelContext.js"
import * as s from "./script.js"

const answer = (...lines: ReadonlyArray<s.Lines>): ModelContext.ModelContext =>
  ModelContext.read(Fold.run(ModelContext.fold(), s.log(...lines)))

const texts = (context: ModelContext.ModelContext) => s.texts(context.history)
const model = (context: ModelContext.ModelContext) => context.previousTurnSettings?.model
const reference = (context: ModelContext.ModelContext) => context.referenceContext?.model

const { A, B, C, I, K, M, Meta, S, U, X } = s
const v7 = (n: number) => `019c2b48-0000-7c00-8000-00000000000${n}`
const ids = (n: number) => ({
  window_number: n,
  first_window_id: v7(0),
  previous_window_id: v7(n - 1),
  window_id: v7(n)
})

describe("replay-semantics §1.7", () => {
  it("1: an old communication is an agent message", () => {
    expect(answer(I(false)).history).toEqual([
      { type: "agent_message", author: "/root", recipient: "/root/w", content: [{ type: "input_text", text: "mail" }] }
    ])
  })

  it("2: a recorded world state is there again, so an unchanged one has nothing to add", () => {
    expect(answer(S("1"), s.full({ a: 1 }), X("1"), s.user("u"), C("1")).worldState).toEqual({ a: 1 })
  })

  it("3: a turn context alone gives nothing: no user was there", () => {
    const context = answer(X("t"))
    expect([model(context), reference(context), context.worldState]).toEqual([undefined, undefined, undefined])
  })

  it("4: a context without id is compatible with its turn", () => {
    const context = answer(S("t"), U(), X(undefined, "m", { comp_hash: "h" }), C("t"))
    expect(context.previousTurnSettings).toEqual({ model: "m", comp_hash: "h", realtime_active: undefined })
  })

  const first = [S("1"), U("u1"), X("1", "m1"), s.full({ a: 1 }), s.user("u1"), s.assistant("a1"), C("1")]

  it("5: a rollback takes history, settings, reference and baseline back together", () => {
    const context = answer(
      first,
      [S("2"), U("u2"), X("2", "m2"), s.patch({ a: 2 }), s.user("u2"), s.assistant("a2"), C("2")],
      B(1)
    )
    expect(texts(context)).toEqual(["u1", "a1"])
    expect([model(context), reference(context), context.worldState]).toEqual(["m1", "m1", { a: 1 }])
  })

  it("6: the same with an unfinished second turn", () => {
    const context = answer(first, [S("2"), U("u2"), s.patch({ a: 2 }), s.user("u2"), s.assistant("a2")], B(1))
    expect(texts(context)).toEqual(["u1", "a1"])
    expect([model(context), reference(context), context.worldState]).toEqual(["m1", "m1", { a: 1 }])
  })

  it("7: a standalone turn behind the one rolled back goes with it", () => {
    const context = answer(s.turn("1", "u1"), s.turn("2", "u2"), S("3"), s.assistant("x"), C("3"), B(1))
    expect(texts(context)).toEqual(["u1"])
    expect(model(context)).toBe("model-1")
  })

  it("8: a turn that mail started counts as a user turn", () => {
    const context = answer(s.turn("1", "u1"), S("2"), X("2"), s.envelope("e", true), s.assistant("a"), C("2"), B(1))
    expect(texts(context)).toEqual(["u1"])
    expect(model(context)).toBe("model-1")
  })

  it("9: a rollback of more turns than there are leaves nothing", () => {
    const context = answer(s.turn("1", "u1"), B(99))
    expect([texts(context), model(context), reference(context)]).toEqual([[], undefined, undefined])
  })

  it("10: a turn without content does not use up the rollback", () => {
    const context = answer(S("1"), U(), X("1"), C("1"), S("2"), C("2"), B(1))
    expect([model(context), reference(context)]).toEqual([undefined, undefined])
  })

  it("11: a compaction that was rolled back clears nothing", () => {
    const context = answer(s.turn("1", "u1"), S("2"), U(), K([]), B(1))
    expect([model(context), reference(context)]).toEqual(["model-1", "model-1"])
  })

  it("12: a context and a compaction without a turn give nothing", () => {
    const context = answer(X("1"), K([]))
    expect([model(context), reference(context)]).toEqual([undefined, undefined])
  })

  it("13: a context behind the compaction is the new reference", () => {
    const context = answer(s.turn("1", "u1"), S("2"), U(), K([]), X("2", "m2"), C("2"))
    expect([model(context), reference(context)]).toEqual(["m2", "m2"])
  })

  it("14: an aborted turn with a compaction leaves the settings and clears the reference", () => {
    const context = answer(s.turn("1", "u1"), S("2"), U(), A(), K([]))
    expect([model(context), reference(context)]).toEqual(["model-1", undefined])
  })

  it("15: the abort of another turn is ignored", () => {
    const context = answer(s.turn("1", "u1"), S("2"), U(), A("other"), X("2", "m2"), C("2"))
    expect([model(context), reference(context)]).toEqual(["m2", "m2"])
  })

  it("16: an unfinished turn with a compaction leaves the settings and clears the reference", () => {
    const context = answer(s.turn("1", "u1"), S("2"), U(), K([]))
    expect([model(context), reference(context)]).toEqual(["model-1", undefined])
  })

  it("17: a crash does not lose the reference", () => {
    const context = answer(S("1"), U(), X("1", "m1"))
    expect([model(context), reference(context)]).toEqual(["m1", "m1"])
  })

  it("18: a turn that only started is ignored", () => {
    const context = answer(s.turn("1", "u1"), S("2"), U(), K([]), S("3"))
    expect([model(context), reference(context)]).toEqual(["model-1", undefined])
  })

  it("19: a compaction without replacement keeps the user's texts and injects nothing", () => {
    const context = answer(s.user("p"), s.assistant("a"), K(undefined))
    expect([texts(context), reference(context)]).toEqual([["p", "summary"], undefined])
  })

  it("20: such a compaction leaves no reference even with a later context", () => {
    const context = answer(s.user("p"), K(undefined), s.turn("1", "u1"))
    expect(texts(context)).toEqual(["p", "summary", "u1"])
    expect([model(context), reference(context)]).toEqual(["model-1", undefined])
  })

  it("21: two of them rebuild in turn, and their count is the window", () => {
    const context = answer(
      s.user("u1"),
      s.assistant("a"),
      K(undefined, {}, "s1"),
      s.user("u2"),
      K(undefined, {}, "s2"),
      s.user("u3")
    )
    // Summaries of 0.42.0 read as ordinary texts, so the first one is kept by the second.
    expect(texts(context)).toEqual(["u1", "s1", "u2", "s2", "u3"])
    expect(context.window.number).toBe(2)
  })

  it("22: a replacement is taken verbatim, with its window", () => {
    const replacement = [s.developer("stale"), s.user("u"), s.assistant("x")]
    const context = answer(s.user("gone"), K(replacement, ids(5)))
    expect(context.history).toEqual(replacement.map((line) => line.payload))
    expect(context.window).toEqual({ number: 5, firstId: v7(0), previousId: v7(4), id: v7(5) })
  })

  it("23: behind a replacement there is no reference, and after one context there is", () => {
    expect(reference(answer(s.turn("1", "u1"), K([s.user("u1")], ids(1))))).toBeUndefined()
    expect(reference(answer(s.turn("1", "u1"), K([s.user("u1")], ids(1)), s.turn("2", "u2")))).toBe("model-2")
  })

  it("24: the newest token count that says something counts", () => {
    const context = answer(s.tokens(1), s.tokens(null), s.tokens(2), s.tokens(null))
    expect(context.tokenInfo?.total_token_usage.total_tokens).toBe(2)
  })

  it("25: a fork's copied records seed settings and reference as a resume does", () => {
    const own = Meta({ id: "019c2b11-0000-7c00-8000-0000000000b2", forked_from_id: s.threadId })
    const parent = [Meta(), ...s.turn("1", "u1", s.full({ a: 1 }))]
    const { multiAgentVersion: _, ...child } = answer(own, parent)
    const { multiAgentVersion: __, ...resumed } = answer(parent)
    expect(child).toEqual(resumed)
  })

  it("26: without turn records everything is one turn, and a rollback leaves no settings", () => {
    const context = answer(s.user("u1"), s.assistant("a1"), s.user("u2"), s.assistant("a2"), B(1))
    expect(texts(context)).toEqual(["u1", "a1"])
    expect([model(context), reference(context)]).toEqual([undefined, undefined])
  })

  it("27: a rollback to behind a compaction gives its window", () => {
    const context = answer(s.turn("1", "u1"), S("2"), K([s.user("h")], ids(7)), C("2"), s.turn("3", "u3"), B(1))
    expect([texts(context), reference(context)]).toEqual([["h"], undefined])
    expect(context.window).toEqual({ number: 7, firstId: v7(0), previousId: v7(6), id: v7(7) })
  })

  it("28: two rollbacks of one turn leave the first of three", () => {
    const context = answer(s.turn("1", "u1"), s.turn("2", "u2"), s.turn("3", "u3"), B(1), B(1))
    expect([texts(context), model(context)]).toEqual([["u1"], "model-1"])
  })

  it("29: an edited turn behind a manual compaction", () => {
    const context = answer(
      s.turn("1", "u1", s.assistant("a1")),
      [S("k"), K([s.user("u1"), s.user("sum")], ids(1)), C("k")],
      [S("2"), s.permissions(), s.context(), s.full({}), X("2"), s.user("first try"), U(), s.assistant("a"), C("2")],
      B(1),
      [S("3"), s.permissions("new"), s.context("new"), s.full({}), X("3"), s.user("second try"), U()]
    )
    expect(texts(context)).toEqual([
      "u1",
      "sum",
      "<permissions instructions>new</permissions instructions>",
      "<environment_context>new</environment_context>",
      "second try"
    ])
  })

  it("30: a compaction in a turn that was rolled back is void, and what stood before it is back (§1.4.2)", () => {
    const context = answer(
      [S("1"), s.user("u1"), s.assistant("a1"), C("1")],
      [S("2"), s.user("u2"), K([s.user("h")]), s.assistant("z"), C("2")],
      B(1)
    )
    expect(texts(context)).toEqual(["u1", "a1"])
  })

  it("31: the header names window 0", () => {
    const { window } = answer(Meta({ context_window: { window_id: v7(1) } }))
    expect(window).toEqual({ number: 0, firstId: v7(1), previousId: undefined, id: v7(1) })
  })

  it("32: a compaction's ids win over the header's", () => {
    const { window } = answer(Meta({ context_window: { window_id: v7(9) } }), K([], ids(2)))
    expect(window).toEqual({ number: 2, firstId: v7(0), previousId: v7(1), id: v7(2) })
  })

  it("33: with a compaction that has no number the count is the number and the header's id is not used", () => {
    const { window } = answer(Meta({ context_window: { window_id: v7(9) } }), K(undefined))
    expect(window).toEqual({ number: 1, firstId: undefined, previousId: undefined, id: undefined })
  })

  it("34: a compaction ends the baseline, and patches build on the full state behind it", () => {
    const context = answer(s.turn("1", "u1", s.full({ old: true })), [
      S("2"),
      K([s.user("u1")], ids(1)),
      U(),
      s.full({ status: "starting", cwd: "/repo" }),
      s.patch({ status: "ready" })
    ])
    expect(context.worldState).toEqual({ status: "ready", cwd: "/repo" })
  })
})

describe("replay-semantics §10: replay and rollback", () => {
  const meta = (n: number) => Meta({ context_window: { window_id: v7(n) } })
  const turns = [s.turn("1", "u1", s.full({ a: 1 })), s.turn("2", "u2", s.patch({ a: 2 })), s.turn("3", "u3")]
  const same = (left: ModelContext.ModelContext, right: ModelContext.ModelContext) => {
    const { tokenInfo: _, ...rest } = left
    const { tokenInfo: __, ...expected } = right
    expect(rest).toEqual(expected)
  }

  it("15: inert records change nothing, wherever they stand", () => {
    const lines = [meta(1), ...turns.flat(), B(1)]
    const inert = [
      M(true),
      s.tokens(3),
      Meta({ memory_mode: "disabled" }),
      { type: "event_msg", payload: { type: "context_compacted" } }
    ]
    for (let at = 1; at <= lines.length; at++) {
      for (const one of inert) same(answer([...lines.slice(0, at), one, ...lines.slice(at)]), answer(lines))
    }
  })

  it("20: no system message and no compaction trigger is in the history, but for a verbatim replacement", () => {
    const system = { type: "response_item", payload: { type: "message", role: "system", content: [] } }
    const trigger = { type: "response_item", payload: { type: "compaction_trigger" } }
    expect(answer(s.user("u"), system, trigger).history).toHaveLength(1)
    expect(answer(K([system], ids(1))).history).toHaveLength(1)
  })

  it("21: rolling back nothing changes nothing; rolling back a and then b is rolling back both", () => {
    same(answer(turns, B(0)), answer(turns))
    same(answer(turns, B(1), B(1)), answer(turns, B(2)))
    same(answer(turns, B(2), B(1)), answer(turns, B(3)))
  })

  it("22: rolling back turns gives what was there before them, the window too", () => {
    const before = [
      meta(1),
      ...s.turn("0", "u0", s.full({ a: 0 })),
      ...s.turn("k", "uk"),
      S("c"),
      K([s.user("x")], ids(1)),
      C("c")
    ]
    const base = [...before, ...s.turn("p", "up", s.full({ p: 1 }))]
    for (let count = 1; count <= turns.length; count++) {
      same(answer(base, turns.slice(0, count), B(count)), answer(base))
    }
  })

  it("23: context in front of the first user message survives every rollback", () => {
    const context = answer([S("1"), s.permissions(), s.context(), X("1"), s.user("u1"), U(), C("1")], B(99))
    expect(context.history).toHaveLength(2)
  })

  it("24: rolling back more turns than there are leaves no settings, reference or baseline", () => {
    const context = answer(turns, B(4))
    expect([model(context), reference(context), context.worldState]).toEqual([undefined, undefined, undefined])
  })

  it("25: a rollback is one record more and none less", () => {
    const state = Fold.run(ModelContext.fold({ keep: "all" }), s.log(turns, B(2)))
    expect(state.length).toBe(turns.flat().length + 1)
  })

  it("26: with one instruction a turn, rolling back one removes its items and the context in front of it", () => {
    const second = [S("2"), s.context("new"), X("2"), s.user("u2"), U(), s.assistant("a2"), C("2")]
    expect(texts(answer(turns[0] ?? [], second, B(1)))).toEqual(["u1"])
  })

  it("18: folding the answer's own records again changes nothing", () => {
    const context = answer(meta(1), turns, K([s.user("kept")], ids(1)), s.turn("4", "u4", s.full({ b: 1 })))
    const again = answer(
      meta(1),
      K(
        context.history.map((payload) => ({ type: "response_item", payload })),
        ids(1)
      ),
      S("r"),
      U(),
      s.full(context.worldState),
      { type: "turn_context", payload: context.referenceContext },
      C("4")
    )
    expect([again.history, again.window, again.worldState, reference(again), model(again)]).toEqual([
      context.history,
      context.window,
      context.worldState,
      reference(context),
      model(context)
    ])
  })

  it("13: the end of a log is enough (no rollback, every compaction with replacement and number)", () => {
    const lines = [
      meta(1),
      ...turns.flat(),
      S("c"),
      K([s.user("kept")], ids(1)),
      C("c"),
      ...s.turn("4", "u4", s.full({}))
    ]
    const records = s.log(lines)
    const scan = ModelContext.backward()
    let left = records.length
    while (!scan.settled()) scan.add(records[--left] as (typeof records)[number])
    expect(left).toBeGreaterThan(turns.flat().length)
  })
})
