/** The folds that decisions are made from: their common law, and what each makes of foreign logs. */
import { anyLog } from "@skein/testing/AnyLog"
import { anyRecord } from "@skein/testing/AnyRecord"
import * as Thread from "@skein/testing/Thread"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as ActiveTurn from "../../src/fold/ActiveTurn.js"
import * as EffectiveLog from "../../src/fold/EffectiveLog.js"
import type { Fold } from "../../src/fold/Fold.js"
import * as Folds from "../../src/fold/Fold.js"
import * as Mailbox from "../../src/fold/Mailbox.js"
import * as ModelContext from "../../src/fold/ModelContext.js"
import * as ModeSelection from "../../src/fold/ModeSelection.js"
import * as TurnIndex from "../../src/fold/TurnIndex.js"
import * as WindowState from "../../src/fold/WindowState.js"
import * as Mark from "../../src/record/Mark.js"
import type { StoredRecord } from "../../src/record/Record.js"
import { commands, Driven } from "../decide/Commands.js"
import * as s from "./script.js"

const driven: fc.Arbitrary<ReadonlyArray<StoredRecord>> = commands(6).map((all) => {
  const one = new Driven()
  for (const command of all) one.do(command)
  return one.host.log
})

const logs = fc.oneof(
  anyLog,
  driven,
  Thread.thread({ maxEntries: 4 }).map(({ log }) => log),
  fc.array(anyRecord, { maxLength: 15 }).map((all) => all.map(({ record }) => record))
)

const index = (state: TurnIndex.TurnIndex) => ({
  ...state,
  starts: state.starts.length,
  messages: TurnIndex.messages(state),
  forkTurns: TurnIndex.forkTurns(state),
  instructions: state.instructions.length
})

const folds: ReadonlyArray<readonly [name: string, fold: Fold<never>, plain: (state: never) => unknown]> = [
  ["ActiveTurn", ActiveTurn.fold, (state: ActiveTurn.ActiveTurn) => state],
  ["Mailbox", Mailbox.fold(), (state: Mailbox.Mailbox) => state],
  ["ModeSelection", ModeSelection.fold, (state: ModeSelection.ModeSelection) => state],
  ["TurnIndex", TurnIndex.fold(), index],
  ["WindowState", WindowState.fold, (state: WindowState.WindowState) => state]
] as never

describe.each(folds)("%s", (_, fold, plain) => {
  it("run(all) = resume(run(prefix), suffix), and old states stay what they were", () => {
    fc.assert(
      fc.property(logs, fc.nat(), logs, (log, at, other) => {
        const cut = at % (log.length + 1)
        const whole = plain(Folds.run(fold, log))
        const first = Folds.run(fold, log.slice(0, cut))
        const before = JSON.stringify(plain(first))
        Folds.run(fold, other, first)
        expect(plain(Folds.run(fold, log.slice(cut), first))).toEqual(whole)
        expect(JSON.stringify(plain(first))).toBe(before)
      }),
      { numRuns: 200 }
    )
  })
})

describe("ActiveTurn", () => {
  const active = (...lines: ReadonlyArray<s.Lines>) => Folds.run(ActiveTurn.fold, s.log(...lines)).active?.id

  it.each<[string, ReadonlyArray<s.Line>, string | undefined]>([
    ["a start", [s.started("1")], "1"],
    ["its completion", [s.started("1"), s.completed("1")], undefined],
    ["its abort", [s.started("1"), s.aborted("1")], undefined],
    ["an abort without id", [s.started("1"), s.aborted()], undefined],
    ["the next start, where the first has no end", [s.started("1"), s.started("2")], "2"],
    ["the late end of the turn before", [s.started("1"), s.started("2"), s.completed("1")], "2"],
    ["an end under another id, as a review has", [s.started("1"), s.completed("x")], undefined],
    ["a rollback", [s.started("1"), s.rollback(1)], undefined],
    ["nothing but an end", [s.completed("1")], undefined]
  ])("behind %s", (_, lines, expected) => {
    expect(active(lines)).toBe(expected)
  })

  it("keeps the newest settings of its own turn, and what the agent said last", () => {
    const { active } = Folds.run(
      ActiveTurn.fold,
      s.log(
        s.started("1"),
        s.turnContext("1", "m1"),
        s.turnContext("2", "m2"),
        s.assistant("first"),
        s.assistant("last"),
        s.user("u")
      )
    )
    expect(active).toMatchObject({ context: { model: "m1" }, lastMessage: "last", kind: "regular" })
  })

  it("is told of its thread by the first header alone", () => {
    const { thread } = Folds.run(
      ActiveTurn.fold,
      s.log(s.header({ history_mode: "paginated" }), s.header({ id: "019c2b10-7a00-7c00-8000-0000000000b2" }))
    )
    expect(thread).toEqual({ id: s.threadId, sessionId: s.threadId, mode: "paginated" })
  })

  it("takes a mark that it does not know for none", () => {
    const kind = (skein: unknown) => {
      const line = { ...s.started("1"), skein }
      return Folds.run(ActiveTurn.fold, s.log(line)).active?.kind
    }
    expect(kind({ v: 1, kind: "turn", data: { kind: "compact" } })).toBe("compact")
    for (const other of [null, "x", { v: 2, kind: "turn", data: { kind: "compact" } }, { v: 1, kind: "turn" }]) {
      expect(kind(other)).toBe("regular")
    }
    expect(kind({ v: 1, kind: "turn", data: { kind: "nap" } })).toBe("regular")
  })
})

describe("marks", () => {
  it("are read from any line, carriers from empty token counts alone", () => {
    const [carrier, counted, marked] = s.log(
      { ...s.tokens(null), ...Mark.extras("k", 7) },
      { ...s.tokens(1), ...Mark.extras("k", 7) },
      { ...s.user("u"), ...Mark.extras("k") }
    )
    if (carrier === undefined || counted === undefined || marked === undefined) throw new Error("no records")
    expect(Mark.of(carrier)).toEqual({ kind: "k", data: 7 })
    expect(Mark.carried(carrier)).toEqual({ kind: "k", data: 7 })
    expect([Mark.carried(counted), Mark.carried(marked)]).toEqual([undefined, undefined])
    expect(Mark.of(marked)).toEqual({ kind: "k", data: undefined })
  })
})

describe("EffectiveLog", () => {
  const read = (log: ReadonlyArray<StoredRecord>) => {
    const context = ModelContext.read(Folds.run(ModelContext.fold({ keep: "all" }), log))
    const { history, previousTurnSettings, referenceContext, worldState } = context
    return { history, previousTurnSettings, referenceContext, worldState }
  }
  const hasRollback = (log: ReadonlyArray<StoredRecord>) =>
    log.some((one) => one.kind === "event_msg" && one.payload.type === "thread_rolled_back")

  it("replays as the log, without a rollback in it: threads of every form", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          Thread.thread().map(({ log }) => log),
          driven
        ),
        (log) => {
          const left = EffectiveLog.of(log)
          expect(hasRollback(left)).toBe(false)
          expect(read(left)).toEqual(read(log))
        }
      ),
      { numRuns: 400 }
    )
  })

  it("has the history of the log, whatever was written", () => {
    const isUnrecorded = (one: StoredRecord) =>
      one.kind === "compacted" && (one.payload.replacement_history ?? undefined) === undefined
    fc.assert(
      fc.property(
        anyLog.map((log) => log.filter((one) => !isUnrecorded(one))),
        (log) => {
          const left = read(EffectiveLog.of(log))
          const { history, worldState } = read(log)
          expect([left.history, left.worldState]).toEqual([history, worldState])
        }
      ),
      { numRuns: 1000 }
    )
  })

  it("is what it was once rollbacks are out of it", () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const left = EffectiveLog.of(log)
        expect(EffectiveLog.of(left)).toEqual(left)
      }),
      { numRuns: 300 }
    )
  })

  it("takes mail and its metadata together", () => {
    const log = s.log(s.user("u"), s.delivery(true), s.mail("m"), s.rollback(1), s.user("v"))
    expect(EffectiveLog.of(log).map(({ line }) => line.number)).toEqual([1, 5])
  })

  it("rewrites a compaction of whose new history a rollback took the end", () => {
    const log = s.log(
      s.turn("1", "u1"),
      [s.started("2"), s.compacted([s.user("k1"), s.user("k2")], { window_number: 1 }), s.completed("2")],
      s.rollback(1)
    )
    const [compacted] = EffectiveLog.of(log).filter(({ kind }) => kind === "compacted")
    expect(compacted).toBeUndefined()
    const inTurn = s.log(s.compacted([s.user("k1"), s.user("k2")]), s.started("1"), s.userEvent(), s.rollback(1))
    expect(s.texts(read(EffectiveLog.of(inTurn)).history)).toEqual(s.texts(read(inTurn).history))
  })
})
