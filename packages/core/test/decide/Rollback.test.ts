/** Taking turns back: replay-semantics §10.21 to §10.26, §11.1 to §11.3, and the form in which it is written. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Compaction from "../../src/decide/Compaction.js"
import * as ModelItem from "../../src/decide/ModelItem.js"
import * as Rollback from "../../src/decide/Rollback.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as Fold from "../../src/fold/Fold.js"
import type { ModelContext } from "../../src/fold/ModelContext.js"
import * as ThreadStates from "../../src/fold/ThreadState.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import * as s from "../fold/script.js"
import { commands, Driven } from "./Commands.js"
import { context, Host, kinds, reason, right, uuid } from "./Host.js"

/** What the model meets; for which turn settings were recorded is nothing to it. */
const met = ({ history, previousTurnSettings, referenceContext, window, worldState }: ModelContext) => ({
  history,
  previousTurnSettings,
  reference: referenceContext === undefined ? undefined : { ...referenceContext, turn_id: null, root_turn_id: null },
  window,
  worldState
})

const roll = (host: Host, to: Rollback.To) => {
  const rollback = right(Rollback.decide(to, host.state, host.facts))
  if (rollback.kind === "append") host.append(rollback.drafts)
  else host.revert(rollback.end, rollback.drafts)
  return rollback
}

const standalone = (host: Host): string => {
  const turnId = host.id()
  host.do(TurnLifecycle.start({ turnId, kind: "compact" }, host.state, host.facts))
  const variant = { kind: "local" as const, summary: "s" }
  host.do(Compaction.compact({ variant, phase: "standalone_turn", itemId: host.id() }, host.read, host.facts))
  host.complete()
  return turnId
}

const also = (host: Host, text: string) =>
  host.do(TurnLifecycle.input({ content: [{ type: "text", text }], id: host.id() }, host.state, host.facts))

const restoring = [
  "thread_rolled_back (rollback)",
  "task_started (turn)",
  "compacted",
  "turn_context",
  "message",
  "message",
  "task_complete"
]

describe("a rollback decided and folded is the fold of the log cut there", () => {
  it("legacy: history, settings, reference, world and window, whatever was done (§10.22)", () => {
    fc.assert(
      fc.property(commands(), (all) => {
        const driven = new Driven()
        driven.onRollback = ({ drafts, turnIds }, was) => {
          const { state } = driven.before.get(turnIds[0] ?? "") ?? {}
          if (state === undefined) throw new Error("no such turn")
          expect(met(driven.host.context)).toEqual(met(context(state)))
          const shown = ThreadView.turns(was.view).filter(({ id }) => !turnIds.includes(id))
          const isRestored = drafts.some(({ type }) => type === "compacted")
          // Where the history had to be put back there is a turn without items, in every reader's view.
          expect(driven.turns.slice(0, shown.length)).toEqual(shown)
          expect(driven.turns.slice(shown.length).map(({ items }) => items)).toEqual(isRestored ? [[]] : [])
          // What belongs to no turn stays.
          expect(driven.host.state.mailbox.mail).toEqual(was.mailbox.mail)
          expect(driven.host.state.selection).toEqual(was.selection)
        }
        for (const one of all) driven.do(one)
      }),
      { numRuns: 300 }
    )
  })

  it("paginated: another segment on the records in front of the turn; what belongs to no turn is carried over", () => {
    fc.assert(
      fc.property(commands(), (all) => {
        const driven = new Driven("paginated")
        driven.onRollback = (rollback, was) => {
          const before = driven.before.get(rollback.turnIds[0] ?? "")
          if (before === undefined) throw new Error("no such turn")
          expect(rollback).toMatchObject({ kind: "revert", end: before.length })
          expect(met(driven.host.context)).toEqual(met(context(before.state)))
          expect(driven.turns).toEqual(ThreadView.turns(before.state.view))
          expect(driven.host.state.mailbox.mail).toEqual(was.mailbox.mail)
          expect(driven.host.state.selection.selection).toEqual(was.selection.selection)
        }
        for (const one of all) driven.do(one)
      }),
      { numRuns: 150 }
    )
  })
})

describe("the form in which it is written", () => {
  it("§10.22, §10.25: one record, where its count means the same to everyone", () => {
    const host = new Host()
    host.turn("u1", "m1")
    const before = host.context
    const id = host.turn("u2", "m2")
    const rollback = roll(host, { count: 1 })
    expect(rollback.turnIds).toEqual([id])
    expect(kinds(rollback.drafts)).toEqual(["thread_rolled_back (rollback)"])
    expect(rollback.drafts[0]?.payload).toEqual({ type: "thread_rolled_back", num_turns: 1 })
    expect(met(host.context)).toEqual(met(before))
  })

  it("§1.7.5, §1.7.6: by turn id, an unfinished turn too", () => {
    const host = new Host()
    host.turn("u1", "m1")
    const before = host.context
    const id = host.begin("u2", "m2")
    host.do(TurnLifecycle.abort({ reason: "interrupted" }, host.state, host.facts))
    host.turn("u3")
    roll(host, { turnId: id })
    expect(met(host.context)).toEqual(met(before))
  })

  it("§1.7.30, §11.1 [W]: behind a compaction the reference loses the history; ours is there again", () => {
    const host = new Host()
    host.turn("u1", "m1")
    const before = host.context
    const second = host.turn("u2", "m2")
    standalone(host)
    host.turn("u3")
    const rollback = roll(host, { turnId: second })
    expect(rollback.turnIds).toHaveLength(3)
    expect(kinds(rollback.drafts)).toEqual(restoring)
    expect(met(host.context)).toEqual(met(before))
  })

  it("§1.7.7 [W]: a compaction alone is taken back alone; the reference takes the user's turn before it too", () => {
    const host = new Host()
    host.turn("u1", "m1")
    const before = host.context
    standalone(host)
    roll(host, { count: 1 })
    expect(met(host.context)).toEqual(met(before))
  })

  it("§11.2, §10.26 [W]: a steered turn goes as a whole; the reference leaves what was said first", () => {
    const host = new Host()
    host.turn("u1", "m1")
    const before = host.context
    host.begin("u2", "m2")
    also(host, "and")
    host.complete()
    const rollback = roll(host, { count: 1 })
    expect(kinds(rollback.drafts)).toEqual(restoring)
    expect(met(host.context)).toEqual(met(before))
  })

  it("§10.24: everything taken back leaves no settings and no reference", () => {
    const host = new Host()
    host.turn("u1")
    host.turn("u2")
    roll(host, { count: 2 })
    expect(met(host.context)).toMatchObject({ history: [], previousTurnSettings: undefined, reference: undefined })
  })

  it("§10.27: the window is that of the cut, with its number and its id", () => {
    const host = new Host()
    host.turn("u1")
    const { window } = host.context
    standalone(host)
    host.turn("u2")
    expect(host.context.window.number).toBe(1)
    roll(host, { count: 2 })
    expect(host.context.window).toEqual(window)
  })

  it("a turn that puts something back is not counted, and goes with the one before it", () => {
    const host = new Host()
    host.turn("u1")
    const before = host.context
    const second = host.turn("u2")
    standalone(host)
    roll(host, { count: 1 })
    expect(ThreadView.turns(host.state.view)).toHaveLength(3)
    const rollback = roll(host, { count: 1 })
    expect(rollback.turnIds[0]).toBe(second)
    expect(met(host.context)).toEqual(met(before))
    expect(ThreadView.turns(host.state.view).filter(({ items }) => items.length > 0)).toHaveLength(1)
  })

  it("§1.7.28: two rollbacks one after the other", () => {
    const host = new Host()
    host.turn("u1")
    const before = host.context
    host.turn("u2")
    host.turn("u3")
    roll(host, { count: 1 })
    roll(host, { count: 1 })
    expect(met(host.context)).toEqual(met(before))
    expect(
      host.log.filter((one) => one.kind === "event_msg" && one.payload.type === "thread_rolled_back")
    ).toHaveLength(2)
  })

  it("a history in which nobody's words look like words is put back with its settings", () => {
    const host = new Host()
    host.turn("<environment_context>mine</environment_context>", "m1")
    const before = host.context
    const second = host.turn("u2")
    standalone(host)
    const rollback = roll(host, { turnId: second })
    expect(kinds(rollback.drafts)).toContain("user_message (fanout)")
    expect(met(host.context)).toEqual(met(before))
  })

  it("settings are put back as they were where a turn recorded them twice", () => {
    const host = new Host()
    host.begin("u1", "m1")
    host.do(TurnLifecycle.settings({ model: "m2" }, host.state, host.facts))
    host.complete()
    const before = host.context
    expect([before.previousTurnSettings?.model, before.referenceContext?.model]).toEqual(["m1", "m2"])
    standalone(host)
    roll(host, { count: 1 })
    expect(met(host.context)).toEqual(met(before))
  })

  it("the tokens of what is left are estimated behind it", () => {
    const host = new Host()
    host.turn("u1")
    host.turn("u2")
    const usage = {
      input_tokens: 9,
      cached_input_tokens: 0,
      output_tokens: 1,
      reasoning_output_tokens: 0,
      total_tokens: 10
    }
    const info = { total_token_usage: usage, last_token_usage: usage, model_context_window: 100 }
    host.append([
      {
        timestamp: "2026-11-20T12:00:00.000Z",
        type: "event_msg",
        payload: { type: "token_count", info, rate_limits: null }
      }
    ])
    const { drafts } = roll(host, { count: 1 })
    expect(kinds(drafts)).toEqual(["thread_rolled_back (rollback)", "token_count"])
    expect(host.state.window.prefill._tag).toBe("Estimated")
    expect(host.state.usage.total).toEqual(expect.objectContaining({ total_tokens: 10 }))
  })
})

describe("what is no rollback", () => {
  const host = () => {
    const host = new Host()
    host.turn("u1")
    return host
  }
  const decide = (to: Rollback.To, { facts, state }: Host) => Rollback.decide(to, state, facts)

  it.each([0, -1, 1.5, Number.NaN, 2])("§10.21: %s turns of one", (count) => {
    expect(reason(decide({ count }, host()))).toEqual(["InvalidRequest", "out-of-range", "count"])
  })

  it("a turn that there is not, or no more", () => {
    const one = host()
    expect(reason(decide({ turnId: "x" }, one))).toEqual(["NotFound", "turn", "turnId"])
    const gone = one.turn("u2")
    roll(one, { count: 1 })
    expect(reason(decide({ turnId: gone }, one))).toEqual(["NotFound", "turn", "turnId"])
  })

  it("a turn that only puts something back", () => {
    const one = host()
    standalone(one)
    roll(one, { count: 1 })
    const restore = ThreadView.turns(one.state.view).at(-1)?.id ?? ""
    expect(reason(decide({ turnId: restore }, one))).toEqual(["NotFound", "turn", "turnId"])
  })

  it("while a turn runs", () => {
    const one = host()
    one.begin("u2")
    expect(reason(decide({ count: 1 }, one))).toEqual(["Conflict", "turn-active", "turn"])
  })

  it("a thread without header", () => {
    const one = Host.of(s.log(s.turn("1", "u")))
    expect(reason(decide({ count: 1 }, one))).toEqual(["Conflict", "no-header", "thread"])
  })

  it("a turn whose start is not recorded", () => {
    const one = Host.of(s.log(s.header(), s.user("u"), s.userEvent("u")))
    expect(reason(decide({ count: 1 }, one))).toEqual(["NotFound", "turn", "turn"])
  })

  it("a cut that the folded log does not reach back to; the same log folded whole does", () => {
    const one = new Host()
    const ids = Array.from({ length: 6 }, (_, i) => {
      const id = one.turn(`u${i}`)
      standalone(one)
      return id
    })
    const short = Fold.run(ThreadStates.fold(), one.log)
    expect(short.context.trimmed).toBe(true)
    const to = { turnId: ids[1] ?? "" }
    expect(reason(Rollback.decide(to, short, one.facts))).toEqual(["Conflict", "not-loaded", "turn"])
    expect(right(Rollback.decide(to, one.state, one.facts)).kind).toBe("append")
  })
})

it("leaves the folded state alone, so that what is decided can be thrown away", () => {
  const host = new Host()
  host.turn("u1")
  host.turn("u2")
  standalone(host)
  const { context, index } = host.state
  const before = JSON.stringify([context.length, context.records.length, index.length])
  right(Rollback.decide({ count: 2 }, host.state, host.facts))
  expect(JSON.stringify([context.length, context.records.length, index.length])).toBe(before)
})

it("of an old log, whose windows have no ids, the one that is put back gets one", () => {
  const log = s.log(
    s.header({ id: uuid(1), session_id: uuid(1) }),
    s.turn("1", "u1", s.assistant("a1")),
    s.turn("2", "u2", s.user("and"), s.userEvent("and"))
  )
  const host = Host.of(log)
  expect(host.context.window).toEqual({ number: 0 })
  host.append(right(Rollback.decide({ turnId: "2" }, host.state, { ...host.facts, windowId: uuid(77) })).drafts)
  expect(s.texts(host.context.history)).toEqual(["u1", "a1"])
  expect(host.context.window).toMatchObject({ number: 0, id: uuid(77) })
})

it("injected items in front of a turn stay", () => {
  const host = new Host()
  host.turn("u1")
  const items = [{ type: "message" as const, role: "developer", content: [{ type: "input_text" as const, text: "x" }] }]
  host.do(ModelItem.record({ items }, host.state, host.facts))
  const before = host.context
  host.turn("u2")
  roll(host, { count: 1 })
  expect(met(host.context)).toEqual(met(before))
})
