/** When a history is compacted and what is left of it: replay-semantics §3, §6, §10.27, §10.28, §10.40. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Compaction from "../../src/decide/Compaction.js"
import * as TokenCount from "../../src/decide/TokenCount.js"
import * as TokenStatus from "../../src/decide/TokenStatus.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as World from "../../src/decide/World.js"
import type * as ContextWindow from "../../src/fold/ContextWindow.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import * as WindowState from "../../src/fold/WindowState.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"
import * as s from "../fold/script.js"
import { commands, Driven } from "./Commands.js"
import { Host, kinds, reason, right, uuid } from "./Host.js"

const items = (...lines: ReadonlyArray<s.Line>) => lines.map(({ payload }) => payload as ResponseItem)
const texts = (history: ReadonlyArray<ResponseItem>) => s.texts(history)
const summary = Compaction.summaryText("s")

const status = (limitReached: boolean): ContextWindow.Status => ({
  used: 0,
  limit: undefined,
  fullWindow: undefined,
  remaining: undefined,
  limitReached
})

describe("§6: triggers", () => {
  it.each<[string | undefined, string | undefined, boolean]>([
    [undefined, undefined, false],
    [undefined, "a", false],
    ["a", undefined, false],
    ["a", "a", false],
    ["a", "b", true]
  ])("comp_hash %s, then %s: %s", (previous, current, expected) => {
    expect(Compaction.hashChanged(previous, current)).toBe(expected)
  })

  it("§10.40: the same either way round, and no where one is missing", () => {
    const hash = fc.option(fc.constantFrom("a", "b", ""), { nil: undefined })
    fc.assert(
      fc.property(hash, hash, (a, b) => {
        expect(Compaction.hashChanged(a, b)).toBe(Compaction.hashChanged(b, a))
        if (a === undefined || b === undefined) expect(Compaction.hashChanged(a, b)).toBe(false)
      })
    )
  })

  type Down = Parameters<typeof Compaction.isDownshift>[0]
  const down: Down = {
    previous: { model: "big" },
    previousWindow: 200,
    model: "small",
    window: 100,
    scope: "total",
    active: 95,
    autoLimit: 90
  }

  it.each<[string, Partial<Down>, boolean]>([
    ["to one that holds less, and more is there than its limit", {}, true],
    ["at its limit", { active: 90 }, false],
    ["below its limit", { active: 80 }, false],
    ["no limit is known, below the window", { autoLimit: undefined }, false],
    ["no limit is known, at the window", { autoLimit: undefined, active: 100 }, true],
    ["the same model", { model: "big" }, false],
    ["to one that holds as much", { window: 200, active: 300 }, false],
    ["to one that holds more", { window: 300, active: 400 }, false],
    ["no turn before", { previous: undefined }, false],
    ["a window that is not known", { previousWindow: undefined }, false],
    ["another window that is not known", { window: undefined }, false],
    ["body after prefix, over the limit but below the window", { scope: "body_after_prefix" }, false],
    ["body after prefix, at the window", { scope: "body_after_prefix", active: 100 }, true]
  ])("model_downshift: %s", (_, more, expected) => {
    expect(Compaction.isDownshift({ ...down, ...more })).toBe(expected)
  })

  const before = (more: Partial<Compaction.BeforeSampling>): Compaction.Trigger | undefined =>
    Compaction.beforeSampling({ ...down, active: 0, compHash: undefined, status: status(false), ...more })
  const hashes = { previous: { model: "big", comp_hash: "a" }, compHash: "b" }

  it("before sampling: the hash first, then the downshift, both by the previous model; then the limit", () => {
    expect(before({ ...hashes, active: 95, status: status(true) })).toEqual({
      reason: "comp_hash_changed",
      phase: "pre_turn",
      model: "previous"
    })
    expect(before({ active: 95, status: status(true) })).toEqual({
      reason: "model_downshift",
      phase: "pre_turn",
      model: "previous"
    })
    expect(before({ status: status(true) })).toEqual({ reason: "context_limit", phase: "pre_turn", model: "current" })
    expect(before({})).toBeUndefined()
  })

  it.each<[boolean, boolean, boolean, boolean]>([
    [true, false, true, true],
    [true, true, false, true],
    [true, false, false, false],
    [false, true, true, false]
  ])(
    "after sampling: goes on %s, new context asked for %s, limit reached %s: %s",
    (continues, asked, limit, expected) => {
      const found = Compaction.afterSampling({ continues, newContextRequested: asked, status: status(limit) })
      expect(found).toEqual(expected ? { reason: "context_limit", phase: "mid_turn", model: "current" } : undefined)
    }
  )

  it("a user's is a turn of its own", () => {
    expect(Compaction.requested).toEqual({ reason: "user_requested", phase: "standalone_turn", model: "current" })
  })
})

describe("§6: what is left", () => {
  const history = items(
    s.developer("d"),
    s.context(),
    s.user("u1"),
    s.assistant("a1"),
    s.mail("m"),
    s.user('<hook_prompt hook_run_id="r">go on</hook_prompt>'),
    s.user("u2")
  )

  it("local: what users said, then the summary behind the line by which it is known", () => {
    expect(texts(Compaction.replacement({ kind: "local", summary: "s" }, history))).toEqual(["u1", "u2", summary])
  })

  it("remote: no developer, no context, no calls, outputs or reasoning", () => {
    const output = [
      ...history,
      ...items(s.assistant("kept")),
      { type: "compaction" as const, encrypted_content: "e" },
      { type: "reasoning" as const, summary: [] },
      { type: "function_call" as const, name: "f", arguments: "", call_id: "c" },
      { type: "function_call_output" as const, call_id: "c", output: "" }
    ]
    expect(texts(Compaction.replacement({ kind: "remote", output }, history))).toEqual([
      "u1",
      "a1",
      "m",
      '<hook_prompt hook_run_id="r">go on</hook_prompt>',
      "u2",
      "kept",
      "compaction"
    ])
  })

  it("as one item: what users and hooks said within 64 000 tokens, newest first, each costing 1 at least", () => {
    const item: ResponseItem = { type: "compaction", encrypted_content: "e" }
    const left = (all: ReadonlyArray<ResponseItem>) => texts(Compaction.replacement({ kind: "item", item }, all))
    expect(left(history)).toEqual(["u1", '<hook_prompt hook_run_id="r">go on</hook_prompt>', "u2", "compaction"])
    const long = "x".repeat(4 * (Compaction.itemTokens - 1))
    expect(left(items(s.user("lost"), s.user("a"), s.user(long)))).toEqual(["a", long, "compaction"])
  })

  it("token budget: nothing", () => {
    expect(Compaction.replacement({ kind: "token_budget" }, history)).toEqual([])
  })

  const fresh = items(s.developer("fresh"))
  it.each<[string, ReadonlyArray<ResponseItem>, ReadonlyArray<string>]>([
    [
      "in front of the last thing a user said",
      items(s.user("u"), s.user("v"), s.user(summary)),
      ["u", "fresh", "v", summary]
    ],
    ["else of the last summary", items(s.assistant("a"), s.user(summary)), ["a", "fresh", summary]],
    [
      "else of the last compaction item",
      [...items(s.assistant("a")), { type: "compaction", encrypted_content: "e" }],
      ["a", "fresh", "compaction"]
    ],
    ["else at the end", items(s.assistant("a")), ["a", "fresh"]]
  ])("fresh context stands %s", (_, replaced, expected) => {
    expect(texts(Compaction.withContext(replaced, fresh))).toEqual(expected)
  })
})

describe("§3, §6: records", () => {
  const local = { kind: "local" as const, summary: "s" }
  const usage = {
    input_tokens: 100,
    cached_input_tokens: 0,
    output_tokens: 10,
    reasoning_output_tokens: 0,
    total_tokens: 110
  }
  const counted = (host: Host) => host.do(TokenCount.counted({ usage, contextWindow: 1000 }, host.state, host.facts))
  const compact = (host: Host, command: Partial<Compaction.Command> = {}) =>
    Compaction.compact({ variant: local, phase: "pre_turn", itemId: "c", ...command }, host.read, host.facts)
  const fresh = (host: Host): Compaction.FreshContext => {
    const at = { at: "compaction" as const, phase: "mid_turn" as const, tokenBudget: false }
    const told = right(World.look({ sections: right(World.sectionsOf({ a: 1 })), at }, host.read))
    return { items: told.items, world: told.update }
  }

  it("before a turn: the new history in its window, the tokens it comes to, the item", () => {
    const host = new Host()
    host.begin("u")
    counted(host)
    const { window } = host.context
    const drafts = host.do(compact(host))
    expect(kinds(drafts)).toEqual(["compacted", "token_count", "item_completed", "context_compacted (fanout)"])
    expect(texts(host.context.history)).toEqual(["u", summary])
    expect(host.context).toMatchObject({ referenceContext: undefined, worldState: undefined })
    expect(host.context.previousTurnSettings?.model).toBe("m")
    expect(host.context.window).toMatchObject({ number: 1, previousId: window.id, firstId: window.firstId })
    const estimate = TokenStatus.estimate(host.context.history)
    expect(host.context.tokenInfo?.last_token_usage).toMatchObject({ input_tokens: 0, total_tokens: estimate })
    expect(host.context.tokenInfo?.total_token_usage.total_tokens).toBe(110)
  })

  it("in the middle of a turn: then the world, whole, and the settings of the turn again", () => {
    const host = new Host()
    host.begin("u")
    host.say("a")
    const before = host.context
    const drafts = host.do(compact(host, { phase: "mid_turn", context: fresh(host) }))
    expect(kinds(drafts)).toEqual([
      "compacted",
      "world_state",
      "turn_context",
      "item_completed",
      "context_compacted (fanout)"
    ])
    expect(host.context.referenceContext).toEqual(before.referenceContext)
    expect(host.context.worldState).toEqual({ a: 1 })
    expect(texts(host.context.history)).toEqual([
      '<environment_context>\n{"a":1}\n</environment_context>',
      "u",
      summary
    ])
  })

  it("token budget: fresh context alone", () => {
    const host = new Host()
    host.begin("u")
    host.do(compact(host, { variant: { kind: "token_budget" }, context: fresh(host) }))
    expect(texts(host.context.history)).toEqual(['<environment_context>\n{"a":1}\n</environment_context>'])
    expect(host.log.find(({ kind }) => kind === "compacted")?.payload).toMatchObject({ message: "" })
  })

  it("is refused without a turn, without context where the turn goes on, and with one where it does not", () => {
    const host = new Host()
    expect(reason(compact(host))[1]).toBe("no-active-turn")
    host.begin("u")
    const contradictory = ["InvalidRequest", "contradictory", "context"]
    expect(reason(compact(host, { phase: "mid_turn" }))).toEqual(contradictory)
    expect(reason(compact(host, { variant: { kind: "token_budget" } }))).toEqual(contradictory)
    expect(reason(compact(host, { context: { items: [] } }))).toEqual(contradictory)
    const output = [{ type: "smell" }] as never
    expect(reason(compact(host, { variant: { kind: "item", item: output[0] } }))[1]).toBe("unsupported")
  })

  it("of an old log, whose window has no id: the new window names it all the same", () => {
    const host = Host.of(s.log(s.header(), s.started("t"), s.user("u")))
    const facts = { ...host.facts, oldWindowId: uuid(91), windowId: uuid(92) }
    host.append(right(Compaction.compact({ variant: local, phase: "pre_turn", itemId: "c" }, host.read, facts)))
    expect(host.context.window).toEqual({ number: 1, firstId: uuid(91), previousId: uuid(91), id: uuid(92) })
  })

  it("§10.27, §10.28: windows count up and name each other, whatever was done, until a rollback", () => {
    fc.assert(
      fc.property(commands(), (all) => {
        const driven = new Driven()
        for (const one of all) if (one.command !== "rollback") driven.do(one)
        const windows = driven.host.log.flatMap((one) => (one.kind === "compacted" ? [one.payload] : []))
        const first = driven.host.state.context.head.windowId
        let previous = first
        windows.forEach((window, i) => {
          expect(window).toMatchObject({ window_number: i + 1, first_window_id: first, previous_window_id: previous })
          previous = window.window_id ?? undefined
        })
        expect(new Set(windows.map(({ window_id }) => window_id)).size).toBe(windows.length)
      }),
      { numRuns: 100 }
    )
  })

  it("clients are shown one item under the id that it was given", () => {
    const host = new Host()
    host.do(TurnLifecycle.start({ turnId: "t", kind: "compact" }, host.state, host.facts))
    host.do(compact(host, { phase: "standalone_turn" }))
    expect(ThreadView.turns(host.state.view)[0]?.items).toMatchObject([{ type: "contextCompaction", id: "c" }])
  })
})

describe("§3: the window in the log", () => {
  const state = (...lines: ReadonlyArray<s.Lines>) => Host.of(s.log(s.header(), ...lines)).state.window
  const count = (input: number, total: number): s.Line => {
    const usage = {
      input_tokens: input,
      cached_input_tokens: 0,
      output_tokens: 0,
      reasoning_output_tokens: 0,
      total_tokens: total
    }
    const info = { total_token_usage: usage, last_token_usage: usage, model_context_window: null }
    return { type: "event_msg", payload: { type: "token_count", info, rate_limits: null } }
  }

  it.each<[string, ReadonlyArray<s.Line>, ContextWindow.Prefill]>([
    ["nothing counted", [], { _tag: "None" }],
    ["the first response counts what was put in", [count(10, 15), count(30, 40)], { _tag: "Observed", tokens: 10 }],
    ["an estimate", [count(0, 7)], { _tag: "Estimated", tokens: 7 }],
    ["an estimate, then a response", [count(0, 7), count(10, 15)], { _tag: "Observed", tokens: 10 }],
    ["a response, then an estimate", [count(10, 15), count(0, 7)], { _tag: "Observed", tokens: 10 }],
    ["a compaction forgets it", [count(10, 15), s.compacted([], { window_number: 1 })], { _tag: "None" }],
    ["a rollback forgets it", [count(10, 15), s.rollback(1)], { _tag: "None" }]
  ])("§10.31 prefill: %s", (_, lines, expected) => {
    expect(state(lines).prefill).toEqual(expected)
  })

  it("requests and reminders hold until the next window", () => {
    const host = new Host()
    host.append([TokenStatus.requested(host.facts), TokenStatus.delivered("reminded", host.facts)])
    host.append([TokenStatus.delivered("fallback", host.facts)])
    const all = { newContextRequested: true, reminderDelivered: true, fallbackDelivered: true }
    expect(host.state.window).toMatchObject(all)
    expect(Host.of(host.log).state.window).toMatchObject(all)
    host.begin("u")
    const variant = { kind: "local" as const, summary: "s" }
    host.do(Compaction.compact({ variant, phase: "pre_turn", itemId: "c" }, host.read, host.facts))
    expect(host.state.window).toMatchObject({
      newContextRequested: false,
      reminderDelivered: false,
      fallbackDelivered: false
    })
  })

  it("an identity is taken for the window with that number alone, and only a UUIDv7", () => {
    const named = (note: unknown, number = 0) => {
      const payload = { type: "token_count", info: null, rate_limits: null }
      const line = { type: "event_msg", payload, skein: { v: 1, kind: "window", data: note } }
      return WindowState.named(state([line]), { number }).id
    }
    expect(named({ note: "identity", number: 0, id: uuid(5) })).toBe(uuid(5))
    expect(named({ note: "identity", number: 0, id: uuid(5) }, 1)).toBeUndefined()
    expect(named({ note: "identity", number: 0, id: "x" })).toBeUndefined()
    expect(named(null)).toBeUndefined()
    expect(named({ note: "other" })).toBeUndefined()
  })
})
