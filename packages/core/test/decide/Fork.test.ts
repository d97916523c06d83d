/** Where forks cut and what agents are started with: replay-semantics §5.1, §5.2, §10.35 to §10.39, §11.5. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Fork from "../../src/decide/Fork.js"
import * as NewThread from "../../src/decide/NewThread.js"
import * as Rollback from "../../src/decide/Rollback.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as Fold from "../../src/fold/Fold.js"
import type { ModelContext } from "../../src/fold/ModelContext.js"
import * as ModelContexts from "../../src/fold/ModelContext.js"
import type { ThreadState } from "../../src/fold/ThreadState.js"
import * as TurnIndex from "../../src/fold/TurnIndex.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import type { StoredRecord } from "../../src/record/Record.js"
import * as Record from "../../src/record/Record.js"
import * as s from "../fold/script.js"
import { commands, Driven } from "./Commands.js"
import { context, fold, Host, kinds, reason, right, uuid } from "./Host.js"

const met = ({ history, previousTurnSettings, referenceContext, window, worldState }: ModelContext) => ({
  history,
  previousTurnSettings,
  referenceContext,
  window,
  worldState
})

/** The child's log: its own header, what it stands on, and what it begins with (§5.1). */
const child = (host: Host, at: Fork.At, windowId?: string): ReadonlyArray<StoredRecord> => {
  const cut = right(Fork.user(at, host.state, host.facts))
  const source = host.state.context.head.meta
  if (source === undefined) throw new Error("no header")
  const facts = {
    ...host.facts,
    threadId: host.id(),
    windowId: windowId ?? source.context_window?.window_id ?? host.id()
  }
  const header = right(NewThread.header({ opening: { kind: "fork", source } }, facts))
  return [Record.reread(header), ...host.log.slice(0, cut.end), ...cut.drafts.map(Record.reread)]
}

const inherited = (command: Fork.Spawn, log: ReadonlyArray<StoredRecord>) =>
  Fork.spawn(command, log, new Host().facts).records

const folded = (log: ReadonlyArray<StoredRecord>): ThreadState => Fold.run(fold, log)

describe("§5.1: a user's fork", () => {
  const three = () => {
    const host = new Host()
    const ids = [host.turn("u1"), host.turn("u2"), host.turn("u3")] as const
    return { host, ids }
  }
  const words = (host: Host, at: Fork.At) => s.texts(context(folded(child(host, at))).history)

  it.each<[string, (ids: ReadonlyArray<string>) => Fork.At, number]>([
    ["in front of the first thing that was said", () => ({ at: "user-message", n: 0 }), 0],
    ["of the second", () => ({ at: "user-message", n: 1 }), 1],
    ["of one that there is not: everything", () => ({ at: "user-message", n: 9 }), 3],
    ["in front of a turn", (ids) => ({ at: "before-turn", turnId: ids[1] ?? "" }), 1],
    ["behind a turn", (ids) => ({ at: "after-turn", turnId: ids[1] ?? "" }), 2],
    ["behind the last turn", (ids) => ({ at: "after-turn", turnId: ids[2] ?? "" }), 3],
    ["now", () => ({ at: "now" }), 3]
  ])("%s", (_, at, turns) => {
    const { host, ids } = three()
    expect(words(host, at(ids))).toEqual(
      ["u1", "answer to u1", "u2", "answer to u2", "u3", "answer to u3"].slice(0, turns * 2)
    )
  })

  it("rollbacks are applied: what was taken back is not counted and not forked at", () => {
    const { host, ids } = three()
    host.append(right(Rollback.decide({ count: 2 }, host.state, host.facts)).drafts)
    host.turn("u4")
    expect(words(host, { at: "user-message", n: 1 })).toEqual(["u1", "answer to u1"])
    expect(words(host, { at: "user-message", n: 2 })).toEqual(["u1", "answer to u1", "u4", "answer to u4"])
    for (const at of ["before-turn", "after-turn"] as const) {
      const decision = Fork.user({ at, turnId: ids[1] }, host.state, host.facts)
      expect(reason(decision)).toEqual(["NotFound", "turn", "turnId"])
    }
    expect(words(host, { at: "after-turn", turnId: ids[0] })).toEqual(["u1", "answer to u1"])
  })

  it("as if interrupted now: with what waited, the marker and the end; the source goes on as it was (§10.39)", () => {
    const { host } = three()
    const id = host.begin("u4")
    const steer = { content: [{ type: "text" as const, text: "and" }], id: host.id() }
    host.do(TurnLifecycle.steer(steer, host.state, host.facts))
    const { log, state } = host
    const cut = right(Fork.user({ at: "now" }, host.state, host.facts))
    expect(cut.end).toBe(log.length)
    expect(kinds(cut.drafts)).toEqual([
      "message (taken)",
      "item_completed",
      "user_message (fanout)",
      "message",
      "turn_aborted"
    ])
    expect(cut.drafts.at(-1)?.payload).toMatchObject({ turn_id: id, reason: "interrupted" })
    const forked = folded(child(host, { at: "now" }))
    expect(forked.turn.active).toBeUndefined()
    expect(ThreadView.turns(forked.view).at(-1)?.status).toBe("interrupted")
    expect([host.log, host.state]).toEqual([log, state])
  })

  it("a turn that runs: in front of it yes, behind it no; past the last message it is cut off", () => {
    const { host } = three()
    const turnId = host.begin("u4")
    expect(reason(Fork.user({ at: "after-turn", turnId }, host.state, host.facts))).toEqual([
      "Conflict",
      "turn-active",
      "turnId"
    ])
    expect(words(host, { at: "before-turn", turnId })).toHaveLength(6)
    expect(words(host, { at: "user-message", n: 9 })).toHaveLength(6)
    expect(words(host, { at: "user-message", n: 3 })).toHaveLength(6)
  })

  it("of nothing in front of the first turn there is a new thread with nothing in it", () => {
    const { host, ids } = three()
    const cut = right(Fork.user({ at: "before-turn", turnId: ids[0] }, host.state, host.facts))
    expect(host.log.slice(0, cut.end).map(({ kind }) => kind)).toEqual(["session_meta"])
  })

  it("a cut within a turn ends it there, without a word to the model", () => {
    const { host } = three()
    const second = host.begin("u4")
    const { drafts } = right(Fork.user({ at: "user-message", n: 3 }, host.state, host.facts))
    expect(kinds(drafts)).toEqual(["turn_aborted (forked)"])
    expect(drafts[0]?.payload).toMatchObject({ turn_id: second, reason: "interrupted" })
    expect(right(Fork.user({ at: "user-message", n: 9 }, host.state, host.facts)).drafts).toEqual([])
  })

  it("in front of a turn that began though the one before had no end, that one ends", () => {
    const host = Host.of(s.log(s.header(), s.started("1"), s.user("u1"), s.userEvent("u1"), s.turn("2", "u2")))
    for (const at of [{ at: "before-turn", turnId: "2" } as const, { at: "after-turn", turnId: "1" } as const]) {
      const { drafts, end } = right(Fork.user(at, host.state, host.facts))
      expect(end).toBe(4)
      expect(drafts.map(({ payload }) => payload)).toMatchObject([{ turn_id: "1" }])
    }
  })

  it("is refused at a turn that nobody started, and for a number that counts nothing", () => {
    const host = Host.of(s.log(s.header(), s.user("u"), s.userEvent("u")))
    const [turn] = ThreadView.turns(host.state.view)
    const at = (at: Fork.At) => reason(Fork.user(at, host.state, host.facts))
    expect(at({ at: "before-turn", turnId: turn?.id ?? "" })).toEqual(["NotFound", "turn", "turnId"])
    expect(at({ at: "user-message", n: -1 })).toEqual(["InvalidRequest", "out-of-range", "n"])
    expect(at({ at: "user-message", n: 0.5 })[1]).toBe("out-of-range")
  })

  it("§10.35, §11.6: decided and folded it is the fold of the source cut there, window and all", () => {
    fc.assert(
      fc.property(
        commands(),
        fc.nat(),
        fc.constantFrom("before-turn", "after-turn", "now", "user-message"),
        (all, n, at) => {
          const driven = new Driven()
          for (const one of all) driven.do(one)
          const { host } = driven
          const turns = driven.turns.filter(({ id }) => driven.before.has(id))
          const turn = turns[n % Math.max(1, turns.length)]
          if (turn === undefined) return
          const where: Fork.At =
            at === "now"
              ? { at }
              : at === "user-message"
                ? { at, n: n % 4 }
                : { at: at as "before-turn", turnId: turn.id }
          const { end } = right(Fork.user(where, host.state, host.facts))
          const source = folded(host.log.slice(0, end))
          const forked = folded(child(host, where))
          expect(met(context(forked))).toEqual(met(context(source)))
          if (at === "before-turn") expect(end).toBe(driven.before.get(turn.id)?.length)
          expect(ThreadView.turns(forked.view).map(({ items }) => items)).toEqual(
            ThreadView.turns(source.view).map(({ items }) => items)
          )
        }
      ),
      { numRuns: 200 }
    )
  })

  it("§10.35, §1.7.25: as if interrupted now it is the source with that turn interrupted", () => {
    const { host } = three()
    host.begin("u4", "m4")
    const forked = folded(child(host, { at: "now" }))
    host.do(TurnLifecycle.abort({ reason: "interrupted" }, host.state, host.facts))
    expect(met(context(forked))).toEqual(met(host.context))
  })
})

describe("§5.2: what an agent is started with", () => {
  it.each<[string | undefined, Fork.Turns]>([
    [undefined, "all"],
    ["all", "all"],
    ["none", "none"],
    ["1", 1],
    ["20", 20]
  ])("fork_turns %s", (text, turns) => {
    expect(right(Fork.turnsOf(text))).toBe(turns)
  })

  it.each(["0", "-1", "1.5", "01", "", "some", "1 ", "99999999999999999999"])("not fork_turns %j", (text) => {
    expect(reason(Fork.turnsOf(text))).toEqual(["InvalidRequest", "malformed", "fork_turns"])
  })

  it("the whole history goes with the parent's role, a part of it with another", () => {
    expect(reason(Fork.turnsOf("all", "scout"))).toEqual(["InvalidRequest", "contradictory", "role"])
    expect(reason(Fork.turnsOf(undefined, "scout"))[1]).toBe("contradictory")
    expect([right(Fork.turnsOf("none", "scout")), right(Fork.turnsOf("2", "scout"))]).toEqual(["none", 2])
  })

  const u = s.user("u")
  const a = s.assistant("a")
  const G = s.mail("m")
  const env = (trigger: boolean) => s.envelope("e", trigger)
  const { I, M, B } = s
  const positions = (...lines: ReadonlyArray<s.Line>) => {
    const index = Fold.run(TurnIndex.fold(), s.log(lines))
    return TurnIndex.forkTurns(index)
  }

  it("case 1", () => expect(positions(u, I(false), a, I(true), a, u)).toEqual([0, 3, 5]))
  it("case 2", () => expect(positions(u, M(false), G, a, M(true), G, a, u)).toEqual([0, 4, 7]))
  it("case 3", () => expect(positions(u, M(false), G, a, M(true), G, a, B(1), u)).toEqual([0, 8]))
  it("case 4", () => expect(positions(u, env(true), B(0), u)).toEqual([0, 1, 3]))

  const phased = (text: string) => ({
    type: "response_item",
    payload: { ...(s.assistant(text).payload as object), phase: "final_answer" }
  })
  /** The texts that a child gets of the last turns; answers are all final, so that they stay. */
  const last = (n: number, ...lines: ReadonlyArray<s.Line>) => {
    const log = s.log(lines.map((line) => (line === a ? phased("a") : line)))
    const kept = inherited({ turns: n }, log)
    return s.texts(kept.flatMap((one) => (one.kind === "response_item" ? [one.payload] : [])))
  }
  const at = (n: number, ...lines: ReadonlyArray<s.Line>) => {
    const index = Fold.run(TurnIndex.fold(), s.log(lines))
    const all = TurnIndex.forkTurns(index)
    return all[Math.max(0, all.length - n)]
  }

  it("case 5", () => expect(at(2, u, a, env(false), a, env(true), a, u, a)).toBe(4))
  it("case 6", () => expect(last(2, s.developer("d"), u, a)).toEqual(["u", "a"]))
  it("case 7", () => expect(at(2, u, a, env(true), a, B(1), u, a)).toBe(0))
  it("case 8", () => expect(at(2, u, u, env(true), a, B(1), u, a)).toBe(1))
  it("case 9", () => expect(at(1, u, a, env(true), a, B(1), env(true), a)).toBe(5))
  it("case 10", () => expect(last(9, s.developer("d"), u, a, u)).toEqual(["u", "a", "u"]))

  it("no position, or none of them: nothing", () => {
    expect(last(1, s.developer("d"), a)).toEqual([])
    expect(inherited({ turns: 0 }, s.log(u))).toEqual([])
    expect(inherited({ turns: "none" }, s.log(u))).toEqual([])
  })

  const event = (type: string, more: object = {}): s.Line => ({ type: "event_msg", payload: { type, ...more } })
  const everything: ReadonlyArray<readonly [name: string, line: s.Line]> = [
    ["header", s.header()],
    ["user message", u],
    ["developer message", s.developer("d")],
    ["system message", { type: "response_item", payload: { type: "message", role: "system", content: [] } }],
    ["final answer", phased("a")],
    ["comment", { type: "response_item", payload: { ...(a.payload as object), phase: "commentary" } }],
    ["answer without phase", a],
    ["agent message", G],
    ["reasoning", { type: "response_item", payload: { type: "reasoning", summary: [] } }],
    ["call", { type: "response_item", payload: { type: "function_call", name: "f", arguments: "", call_id: "c" } }],
    ["output", { type: "response_item", payload: { type: "function_call_output", call_id: "c", output: "" } }],
    ["compaction item", { type: "response_item", payload: { type: "compaction", encrypted_content: "e" } }],
    ["old communication", I(true)],
    ["mail metadata", M(false)],
    ["turn context", s.turnContext("t")],
    ["world state", s.full({ a: 1 })],
    ["compacted", s.compacted([s.user("kept")], { window_number: 1 })],
    ["turn start", s.started("t")],
    ["user event", s.userEvent()],
    ["token count", s.tokens(1)],
    [
      "finished item",
      event("item_completed", {
        thread_id: s.threadId,
        turn_id: "t",
        item: { type: "Plan", id: "p", text: "1." },
        completed_at_ms: 0
      })
    ]
  ]
  const kept = (command: Fork.Spawn) => {
    const log = s.log(everything.map(([, line]) => line))
    const left = new Set(inherited(command, log).map(({ line }) => line.number))
    return everything.filter((_, i) => left.has(i + 1)).map(([name]) => name)
  }
  const both = ["user message", "developer message", "system message", "final answer"]
  const events = ["compacted", "turn start", "user event"]

  it("the table of records, of the whole history", () => {
    expect(kept({ turns: "all" })).toEqual([
      "header",
      ...both,
      "turn context",
      "world state",
      ...events,
      "token count",
      "finished item"
    ])
  })

  it("of the last turns", () => {
    // The header stands in front of the first of them, as does the developer's start.
    expect(kept({ turns: 9 })).toEqual([...both, ...events.slice(1), "token count", "finished item"])
  })

  it("into a paginated log", () => {
    expect(kept({ turns: 9, mode: "paginated" })).toEqual([...both, ...events.slice(1)])
    expect(kept({ turns: "all", mode: "paginated" })).toEqual([
      "header",
      ...both,
      "turn context",
      "world state",
      ...events
    ])
  })

  it("a copied line is the line it was, byte for byte", () => {
    const log = s.log(everything.map(([, line]) => line))
    for (const record of inherited({ turns: "all" }, log)) {
      expect(log.find(({ line }) => line.number === record.line.number)?.line.bytes).toBe(record.line.bytes)
    }
  })

  it("what told the parent who it is goes, out of a compaction too", () => {
    const hint = "You are the root."
    const log = s.log(
      s.developer(hint),
      u,
      s.compacted([s.developer(hint), s.user("kept"), s.developer("stays")], { window_number: 1 })
    )
    const { history } = ModelContexts.read(
      Fold.run(ModelContexts.fold(), inherited({ turns: "all", hints: [hint] }, log))
    )
    expect(s.texts(history)).toEqual(["kept", "stays"])
    expect(s.texts(inherited({ turns: "all", hints: [hint] }, log.slice(0, 2)).map(({ payload }) => payload))).toEqual([
      "u"
    ])
  })

  it("the turn that the parent is in ends for the child, and behind the whole history it is told who it is", () => {
    const host = new Host()
    host.turn("u1")
    const running = host.begin("u2")
    const { drafts, records } = Fork.spawn({ turns: "all", ownHint: "You are a child." }, host.log, host.facts)
    expect(kinds(drafts)).toEqual(["turn_aborted (forked)", "message"])
    expect(drafts[0]?.payload).toMatchObject({ turn_id: running, reason: "interrupted" })
    const child = folded([...records, ...drafts.map(Record.reread)])
    expect(child.turn.active).toBeUndefined()
    expect(s.texts(context(child).history)).toEqual(["u1", "u2", "You are a child."])
    const part = Fork.spawn({ turns: 1, ownHint: "You are a child." }, host.log, host.facts)
    expect(part.drafts).toEqual([])
  })

  it("§5.2 [W]: a compaction within the last turns brings back nothing from in front of them, as the reference's does", () => {
    const compaction = s.compacted([s.user("old"), s.user("summary")], { window_number: 1 })
    const log = s.log(s.header(), s.turn("1", "old"), s.turn("2", "u2", phased("a2"), compaction), s.turn("3", "u3"))
    const read = (turns: Fork.Turns) => ModelContexts.read(Fold.run(ModelContexts.fold(), inherited({ turns }, log)))
    expect(s.texts(read(2).history)).toEqual(["u2", "a2", "u3"])
    expect(read(2).window.number).toBe(0)
    expect(s.texts(read("all").history)).toEqual(["old", "summary", "u3"])
  })

  it("§5.2 [W]: of turns that mail began a child has the world, and no reference; it is told its settings anew", () => {
    const log = s.log(s.header(), [s.S("1"), M(true), G, s.full({ a: 1 }), s.X("1"), phased("done"), s.C("1")])
    expect(ModelContexts.read(Fold.run(ModelContexts.fold(), log)).referenceContext).toBeDefined()
    const { history, referenceContext, worldState } = ModelContexts.read(
      Fold.run(ModelContexts.fold(), inherited({ turns: "all" }, log))
    )
    expect([s.texts(history), referenceContext, worldState]).toEqual([["done"], undefined, { a: 1 }])
  })

  it("§11.5 [W]: rollbacks are applied first; the reference loses u1 here", () => {
    const log = s.log(s.user("u1"), phased("a1"), M(true), G, s.assistant("a2"), B(1))
    const { history } = ModelContexts.read(Fold.run(ModelContexts.fold(), inherited({ turns: "all" }, log)))
    expect(s.texts(history)).toEqual(["u1", "a1"])
  })

  it("§10.36: the last turns are a suffix, with no settings and no world; as many as there are", () => {
    fc.assert(
      fc.property(commands(), fc.integer({ min: 1, max: 4 }), (all, n) => {
        const driven = new Driven()
        for (const one of all) driven.do(one)
        const { log } = driven.host
        const left = inherited({ turns: n }, log)
        const numbers = left.flatMap(({ line }) => {
          const at = log.findIndex((one) => one.line === line)
          return at < 0 ? [] : [at]
        })
        expect(numbers).toEqual(numbers.toSorted((x, y) => x - y))
        const { referenceContext, worldState } = ModelContexts.read(Fold.run(ModelContexts.fold(), left))
        expect([referenceContext, worldState]).toEqual([undefined, undefined])
        expect(left.some(({ kind }) => kind === "turn_context" || kind === "world_state")).toBe(false)
        expect(left.some((one) => one.kind === "event_msg" && one.payload.type === "thread_rolled_back")).toBe(false)
        // Counted by starts of turns, for what began them may be mail, which a child is not given.
        const turnsOf = (records: ReadonlyArray<StoredRecord>) =>
          TurnIndex.forkTurns(Fold.run(TurnIndex.fold(), records)).length
        expect(turnsOf(left)).toBeLessThanOrEqual(n)
        const { history } = ModelContexts.read(Fold.run(ModelContexts.fold(), left))
        const own = new Set<unknown>(left.flatMap((one) => (one.kind === "response_item" ? [one.payload] : [])))
        expect(history.every((item) => own.has(item))).toBe(true)
      }),
      { numRuns: 150 }
    )
  })

  it("the whole history, decided and folded, is the source's without what the table drops", () => {
    fc.assert(
      fc.property(commands(8), (all) => {
        const driven = new Driven()
        for (const one of all) driven.do(one)
        const { log, context: source } = { log: driven.host.log, context: driven.host.context }
        const forked = ModelContexts.read(
          Fold.run(ModelContexts.fold({ keep: "all" }), inherited({ turns: "all" }, log))
        )
        const dropped = (item: unknown) => {
          const { phase, role, type } = item as {
            readonly type: string
            readonly role?: string
            readonly phase?: string
          }
          return type !== "message" || (role === "assistant" && phase !== "final_answer")
        }
        // What a compaction put in place stays as it is.
        const base = new Set<unknown>(
          log.flatMap((one) => (one.kind === "compacted" ? (one.payload.replacement_history ?? []) : []))
        )
        const expected = source.history.filter((item) => base.has(item) || !dropped(item))
        expect(forked.history).toEqual(expected)
        expect(forked.worldState).toEqual(source.worldState)
      }),
      { numRuns: 150 }
    )
  })
})

describe("§10.37: positions", () => {
  it("rise, name what rollbacks have left, and are not added to by mail to be known only", () => {
    fc.assert(
      fc.property(commands(), (all) => {
        const driven = new Driven()
        for (const one of all) driven.do(one)
        const { log, state } = driven.host
        const said = TurnIndex.messages(state.index).map(({ at }) => at)
        for (const list of [said, TurnIndex.forkTurns(state.index)]) {
          list.reduce((last, at) => {
            expect(at).toBeGreaterThan(last)
            expect(log[at]).toBeDefined()
            return at
          }, -1)
        }
        for (const at of said) {
          const record = log[at]
          expect(record?.kind === "response_item" && record.payload.type === "message").toBe(true)
        }
        const more = [...log, ...s.log(s.delivery(false), s.mail("m"))]
        expect(TurnIndex.forkTurns(Fold.run(TurnIndex.fold(), more))).toEqual(TurnIndex.forkTurns(state.index))
      }),
      { numRuns: 150 }
    )
  })

  it("of a thread whose windows are known by its own id alone keep it in the fork (§11.6 [W])", () => {
    const host = new Host()
    host.turn("u")
    expect(context(folded(child(host, { at: "now" }))).window.id).toBe(host.context.window.id)
    expect(context(folded(child(host, { at: "now" }, uuid(99)))).window.id).toBe(uuid(99))
  })
})
