import { anyLog } from "@skein/testing/AnyLog"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Fold from "../../src/fold/Fold.js"
import * as ModelContext from "../../src/fold/ModelContext.js"
import * as ReplayLog from "../../src/fold/ReplayLog.js"
import type { StoredRecord } from "../../src/record/Record.js"
import { replay } from "./oracle.js"
import * as s from "./script.js"

/** Small enough that kept user texts are cut and dropped. */
const budget = fc.constantFrom(5, 12, 40, 20_000)

/** From the first line on, in the middle of the log, never. */
const parsedBytes = fc.constantFrom(0, 1500, undefined)

/** The parts that the oracle knows; the window's number only where it does. */
const visible = (answer: ModelContext.ModelContext, expected: ReturnType<typeof replay>) => ({
  history: answer.history,
  model: answer.previousTurnSettings?.model,
  reference: answer.referenceContext,
  world: answer.worldState,
  windowNumber: expected.windowNumber === undefined ? undefined : answer.window.number
})

/** Reads from the end until everything is settled, or the history alone. */
const readBackward = (
  records: ReadonlyArray<StoredRecord>,
  rebuildTokens: number,
  until: "settled" | "historySettled" = "settled"
) => {
  const scan = ModelContext.backward({ rebuildTokens })
  let left = records.length
  while (left > 0 && !scan[until]()) scan.add(records[--left] as StoredRecord)
  const head = Fold.run({ initial: ReplayLog.emptyHead, step: ReplayLog.noteHead }, records)
  return { answer: scan.finish(left === 0, head), left }
}

describe("replay-semantics §1: the answer of any log", () => {
  it("is that of a scan over the whole log followed by a fold over the whole log (§10.13)", () => {
    fc.assert(
      fc.property(anyLog, budget, (records, rebuildTokens) => {
        const { answer } = readBackward(records, rebuildTokens)
        const expected = replay(records, rebuildTokens)
        expect(visible(answer, expected)).toEqual(expected)
        expect(Object.values(answer.complete).every(Boolean)).toBe(true)
      }),
      { numRuns: 4000 }
    )
  })

  it("has its history when the history alone is settled", () => {
    fc.assert(
      fc.property(anyLog, budget, (records, rebuildTokens) => {
        const { answer } = readBackward(records, rebuildTokens, "historySettled")
        expect(answer.history).toEqual(replay(records, rebuildTokens).history)
        expect(answer.complete.history).toBe(true)
      }),
      { numRuns: 4000 }
    )
  })

  it("comes out of the fold as it comes out of the file's end (§10.12, §10.19)", () => {
    fc.assert(
      fc.property(anyLog, budget, parsedBytes, (records, rebuildTokens, parsedBytes) => {
        const options = { rebuildTokens, keep: "all", parsedBytes } as const
        const folded = ModelContext.read(Fold.run(ModelContext.fold(options), records), options)
        const expected = replay(records, rebuildTokens)
        expect(visible(folded, expected)).toEqual(expected)
      }),
      { numRuns: 2000 }
    )
  })

  it("is right, or says that it is not certain, when the fold kept two windows only", () => {
    fc.assert(
      fc.property(anyLog, budget, parsedBytes, (records, rebuildTokens, parsedBytes) => {
        const options = { rebuildTokens, parsedBytes }
        const folded = ModelContext.read(Fold.run(ModelContext.fold(options), records), options)
        const whole = replay(records, rebuildTokens)
        if (folded.complete.history) expect(folded.history).toEqual(whole.history)
        if (folded.complete.previousTurnSettings) expect(folded.previousTurnSettings?.model).toEqual(whole.model)
        if (folded.complete.referenceContext) expect(folded.referenceContext).toEqual(whole.reference)
        if (folded.complete.worldState) expect(folded.worldState).toEqual(whole.world)
        if (folded.complete.window && whole.windowNumber !== undefined) {
          expect(folded.window.number).toEqual(whole.windowNumber)
        }
      }),
      { numRuns: 4000 }
    )
  })

  it("is the same whether the log is folded at once or in two parts (§10.14)", () => {
    fc.assert(
      fc.property(anyLog, fc.nat(40), (records, at) => {
        const fold = ModelContext.fold()
        const before = Fold.run(fold, records.slice(0, at))
        const resumed = Fold.run(fold, records.slice(at), before)
        // The state before is shared with, and must not be changed by, the one that came out of it.
        expect(ModelContext.read(before)).toEqual(ModelContext.read(Fold.run(fold, records.slice(0, at))))
        expect(ModelContext.read(resumed)).toEqual(ModelContext.read(Fold.run(fold, records)))
      })
    )
  })

  it("does not change when two continuations of one state are folded in turn (§10.11)", () => {
    fc.assert(
      fc.property(anyLog, anyLog, anyLog, (prefix, left, right) => {
        const fold = ModelContext.fold()
        const before = Fold.run(fold, prefix)
        const first = Fold.run(fold, left, before)
        const answer = ModelContext.read(first)
        Fold.run(fold, right, before)
        expect(ModelContext.read(first)).toEqual(answer)
        expect(answer).toEqual(ModelContext.read(Fold.run(fold, [...prefix, ...left])))
      })
    )
  })
})

describe("replay-semantics §1.9: the scan stops", () => {
  const turns = (from: number, count: number): ReadonlyArray<s.Line> =>
    Array.from({ length: count }, (_, i) => s.turn(`t${from + i}`, `u${from + i}`, s.assistant("a"))).flat()
  const standalone = (id: string, number: number) => [
    s.S(id),
    s.K([s.user("kept")], { window_number: number }),
    s.C(id)
  ]

  it("behind the newest compaction and one user turn, however long the log in front of it", () => {
    for (const before of [3, 300]) {
      const records = s.log(turns(0, before), standalone("k", 1), turns(before, 2))
      const { left } = readBackward(records, 20_000)
      expect(left).toBe(s.log(turns(0, before)).length)
    }
  })

  it("behind the compaction before the ones that a rollback has undone", () => {
    const records = s.log(turns(0, 50), standalone("k1", 1), turns(50, 2), standalone("k2", 2), turns(52, 1), s.B(3))
    const { answer, left } = readBackward(records, 20_000)
    // The settings come from the turn in front of the compaction that is left.
    expect(left).toBe(s.log(turns(0, 49)).length)
    expect(s.texts(answer.history)).toEqual(["kept"])
    expect(answer.window.number).toBe(1)
  })

  it("at the user text that fills the budget of a compaction without replacement", () => {
    const long = (i: number) => s.turn(`t${i}`, "x".repeat(400))
    const records = s.log(
      Array.from({ length: 100 }, (_, i) => long(i)).flat(),
      s.S("k"),
      s.K(undefined),
      s.C("k"),
      s.turn("n", "new")
    )
    const { answer, left } = readBackward(records, 300)
    expect(left).toBeGreaterThan(s.log(Array.from({ length: 95 }, (_, i) => long(i)).flat()).length)
    const expected = replay(records, 300)
    expect(visible(answer, expected)).toEqual(expected)
  })
})

describe("replay-semantics §1.9: what keeps a compaction without replacement from ending the scan", () => {
  const same = (rebuildTokens: number, ...lines: ReadonlyArray<s.Lines>) => {
    const records = s.log(lines)
    const expected = replay(records, rebuildTokens)
    const { answer } = readBackward(records, rebuildTokens)
    expect(visible(answer, expected)).toEqual(expected)
    return s.texts(readBackward(records, rebuildTokens, "historySettled").answer.history)
  }
  const rebuilt = [s.S("k"), s.K(undefined), s.C("k")]

  it("a rollback behind it: texts that were dropped before it do not fill its budget", () => {
    const texts = same(50, s.turn("0", "first"), s.turn("1", "second"), s.turn("2", "x".repeat(400)), s.B(1), rebuilt)
    expect(texts).toEqual(["first", "second", "summary"])
  })

  it("a compaction with replacement in the span that is still open: a rollback in front of it would void it", () => {
    const texts = same(
      5,
      s.turn("0", "first"),
      [s.S("1"), s.user("dropped"), s.B(1), s.user("words ".repeat(20)), s.K([s.user("void")]), s.C("1")],
      rebuilt
    )
    expect(texts.join("")).not.toContain("void")
  })
})

describe("replay-semantics §10.10: the order in which a turn is written", () => {
  it("a log that ends anywhere has no baseline that the model was not told of", () => {
    const section = fc.record({ id: fc.constantFrom("a", "b", "c"), value: fc.nat(9) })
    fc.assert(
      fc.property(
        fc.array(fc.array(section, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 }),
        fc.nat(60),
        (turns, end) => {
          const told = ({ id, value }: { readonly id: string; readonly value: number }) => `${id} is ${value}`
          const lines = turns.flatMap((sections, i) => {
            const state = Object.fromEntries(sections.map(({ id, value }) => [id, value]))
            const said = Object.entries(state).map(([id, value]) => told({ id, value }))
            return [
              s.S(`${i}`),
              s.context(said.join("; ")),
              i === 0 ? s.full(state) : s.patch(state),
              s.X(`${i}`),
              s.user(`u${i}`),
              s.C(`${i}`)
            ]
          })
          const context = ModelContext.read(Fold.run(ModelContext.fold(), s.log(lines).slice(0, end)))
          const texts = s.texts(context.history).join("\n")
          for (const [id, value] of Object.entries(context.worldState ?? {})) {
            expect(texts).toContain(told({ id, value: Number(value) }))
          }
        }
      )
    )
  })
})

describe("replay-semantics §1.8: a bounded state", () => {
  const spelt = (letter: string) => (letter === "t" ? "turn" : letter === "k" ? "compaction" : "rollback")

  it("is right, or says that it is not certain, whatever rollbacks undo of several compactions", () => {
    const steps = fc.array(fc.constantFrom("turn", "turn", "compaction", "rollback"), { maxLength: 30 })
    fc.assert(
      fc.property(steps, parsedBytes, (all, parsedBytes) => {
        const fold = ModelContext.fold({ parsedBytes })
        const records = s.log(
          all.map((step, i) => {
            if (step === "turn") return s.turn(`t${i}`, `u${i}`, s.assistant("a"))
            if (step === "rollback") return s.rollback(1)
            return [s.started(`k${i}`), s.K([s.user(`kept${i}`)], { window_number: i }), s.completed(`k${i}`)]
          })
        )
        for (const [i, state] of [...Fold.scan(fold, records)].entries()) {
          const answer = ModelContext.read(state)
          if (answer.complete.history) expect(answer.history).toEqual(replay(records.slice(0, i), 20_000).history)
        }
      }),
      // Here the scan of a later window goes further back than that of an earlier one.
      { numRuns: 1000, examples: [["kttktkrrtktkrtrt".split("").map(spelt), 0]] }
    )
  })

  it("does not count compactions while an older one may give the number", () => {
    // The end of a turn that was never started joins all that is kept to one span, so the scan settles nothing.
    const records = s.log(
      s.X("a"),
      s.S("a"),
      s.X("a"),
      s.user("u"),
      s.K([s.user("kept")]),
      s.S("a"),
      s.K([s.user("kept")], { window_number: 7 }),
      s.S("a"),
      s.C("b")
    )
    const { complete, window } = ModelContext.read(Fold.run(ModelContext.fold(), records))
    expect(complete.window).toBe(false)
    expect(window.number).not.toBe(7)
    expect(readBackward(records, 20_000).answer.window.number).toBe(7)
  })

  it("keeps two windows of a thread, however many it had", () => {
    const window = (n: number) => [
      ...s.turn(`t${n}`, `u${n}`, s.assistant("a")),
      s.S(`k${n}`),
      s.K([s.user(`kept${n}`)], { window_number: n }),
      s.C(`k${n}`)
    ]
    const fold = ModelContext.fold()
    const kept = [4, 40, 400].map((count) => {
      const state = Fold.run(fold, s.log(Array.from({ length: count }, (_, i) => window(i + 1)).flat()))
      expect(ModelContext.read(state).window.number).toBe(count)
      return state.length
    })
    expect(kept[1]).toBe(kept[0])
    expect(kept[2]).toBe(kept[0])
  })
})
