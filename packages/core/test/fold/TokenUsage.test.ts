import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Fold from "../../src/fold/Fold.js"
import * as TokenUsage from "../../src/fold/TokenUsage.js"
import * as Record from "../../src/record/Record.js"
import * as Sniff from "../../src/record/Sniff.js"
import { corpus, needsCorpus, rolloutsBelow } from "../corpus.js"
import * as w from "./Written.js"

const record = (turn: string, last: number, sum: number, total: number): w.Draft => ({
  type: "token_usage_record",
  payload: {
    turn_id: turn,
    response_id: "r",
    usage: w.usage(last),
    turn_token_usage: w.usage(sum),
    thread_token_usage: w.usage(total)
  }
})

const answer = (state: TokenUsage.TokenUsage) => ({
  total: state.total?.total_tokens,
  last: state.last?.total_tokens,
  turns: TokenUsage.turns(state).map(({ turnId, usage }) => [turnId, usage.total_tokens])
})

const used = (...drafts: ReadonlyArray<w.Draft>) => answer(Fold.run(TokenUsage.fold, w.log(...drafts)))

describe("rollout-format §5.1, token_count", () => {
  it("a turn gets what the total rose by", () => {
    expect(
      used(w.started("a"), w.tokens(100, 100), w.tokens(250, 150), w.complete("a"), w.started("b"), w.tokens(300, 50))
    ).toEqual({
      total: 300,
      last: 50,
      turns: [
        ["a", 250],
        ["b", 50]
      ]
    })
  })

  it("a count that repeats its total adds nothing: new limits, an estimate behind a compaction", () => {
    expect(used(w.started("a"), w.tokens(100, 100), w.tokens(100, 100), w.tokens(100, 7))).toEqual({
      total: 100,
      last: 7,
      turns: [["a", 100]]
    })
  })

  it("a count whose total fell adds its newest response, and the total goes on", () => {
    const first = [w.started("a"), w.tokens(100, 100), w.complete("a")]
    expect(used(...first, w.started("b"), w.tokens(40, 40), w.tokens(70, 30))).toEqual({
      total: 170,
      last: 30,
      turns: [
        ["a", 100],
        ["b", 70]
      ]
    })
  })

  it("a context that overflowed is told as a total without parts, which nobody used", () => {
    const size = (input_tokens: number, total_tokens: number) => ({ ...w.usage(0), input_tokens, total_tokens })
    const overflow = (input: number, total: number, last: number) =>
      w.event("token_count", {
        info: {
          total_token_usage: size(input, total),
          last_token_usage: size(input, last),
          model_context_window: null
        },
        rate_limits: null
      })
    expect(used(w.started("a"), w.tokens(60, 60), overflow(0, 9000, 8940), overflow(20, 9020, 20))).toEqual({
      total: 80,
      last: 20,
      turns: [["a", 80]]
    })
  })

  it("the first count of a log that begins late adds its newest response", () => {
    expect(used(w.started("z"), w.tokens(5000, 20)).turns).toEqual([["z", 20]])
  })

  it("without info it says nothing; a turn without tokens is not told", () => {
    const limits = w.event("token_count", { info: null, rate_limits: null })
    expect(used(w.started("a"), limits, w.complete("a"))).toEqual({ total: undefined, last: undefined, turns: [] })
  })

  it("where no starts are recorded, each user message begins a turn", () => {
    expect(used(w.said("x"), w.tokens(10, 10), w.said("y"), w.tokens(30, 20)).turns).toEqual([
      [undefined, 10],
      [undefined, 20]
    ])
  })

  it("a user message within a turn belongs to it; turns that were rolled back were paid for", () => {
    const rollback = w.event("thread_rolled_back", { num_turns: 1 })
    expect(used(w.started("a"), w.said("x"), w.tokens(10, 10), w.complete("a"), rollback).turns).toEqual([["a", 10]])
  })
})

describe("token_usage_record of 0.169.0", () => {
  it("says the sums of turn and thread itself; the count behind it repeats them", () => {
    expect(
      used(
        w.started("a"),
        record("a", 100, 100, 100),
        w.tokens(100, 100),
        record("a", 50, 150, 150),
        w.tokens(150, 50),
        w.complete("a"),
        w.started("b"),
        record("b", 5, 5, 155),
        w.tokens(155, 5)
      )
    ).toEqual({
      total: 155,
      last: 5,
      turns: [
        ["a", 150],
        ["b", 5]
      ]
    })
  })

  it("its sums hold what compactions used, which counts leave out", () => {
    const compacting = [w.started("b"), record("b", 10, 10, 110), w.tokens(100, 4), w.complete("b")]
    const first = [w.started("a"), record("a", 100, 100, 100), w.tokens(100, 100), w.complete("a")]
    expect(used(...first, ...compacting, w.started("c"), record("c", 7, 7, 117), w.tokens(107, 7))).toEqual({
      total: 117,
      last: 7,
      turns: [
        ["a", 100],
        ["b", 10],
        ["c", 7]
      ]
    })
  })

  it("counts of an older writer that went on add to them", () => {
    const first = [w.started("a"), record("a", 110, 110, 110), w.tokens(100, 100), w.complete("a")]
    expect(used(...first, w.started("b"), w.tokens(120, 20))).toMatchObject({
      total: 130,
      turns: [
        ["a", 110],
        ["b", 20]
      ]
    })
  })

  it("names its turn, also where no start does", () => {
    expect(used(record("a", 9, 9, 9), record("b", 3, 3, 12)).turns).toEqual([
      ["a", 9],
      ["b", 3]
    ])
  })

  it("without sums its response is added", () => {
    const bare: w.Draft = { type: "token_usage_record", payload: { turn_id: "a", usage: w.usage(9) } }
    expect(used(w.started("a"), bare, bare)).toEqual({ total: 18, last: 9, turns: [["a", 18]] })
  })
})

const anyDraft = fc.oneof(
  fc.constantFrom(w.started("a"), w.started("b"), w.complete("a"), w.aborted(), w.said("x"), w.turnContext("m")),
  fc.tuple(fc.nat(50), fc.nat(20)).map(([total, last]) => w.tokens(total, last)),
  fc
    .tuple(fc.constantFrom("a", "b"), fc.nat(9), fc.nat(20), fc.nat(50))
    .map(([turn, last, sum, total]) => record(turn, last, sum, total))
)
const anyLog = fc.array(anyDraft, { maxLength: 30 }).map((drafts) => w.log(...drafts))

describe("laws", () => {
  it("a suffix folded onto the state of its prefix gives the whole, whatever else was folded onto it", () => {
    fc.assert(
      fc.property(anyLog, anyLog, fc.nat(30), (records, others, cut) => {
        const prefix = Fold.run(TokenUsage.fold, records.slice(0, cut))
        const before = answer(prefix)
        const whole = Fold.run(TokenUsage.fold, records.slice(cut), prefix)
        const expected = answer(Fold.run(TokenUsage.fold, records))
        const other = answer(Fold.run(TokenUsage.fold, others, prefix))
        expect(answer(whole)).toEqual(expected)
        expect(other).toEqual(answer(Fold.run(TokenUsage.fold, [...records.slice(0, cut), ...others])))
        expect(answer(prefix)).toEqual(before)
      }),
      { numRuns: 1000 }
    )
  })

  it("with counts as a writer makes them the turns add up to the total", () => {
    const turn = fc.array(fc.integer({ min: 3, max: 99 }), { maxLength: 4 })
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 6 }), (turns) => {
        let total = 0
        const drafts = turns.flatMap((responses, i) => [
          w.started(`${i}`),
          ...responses.map((last) => {
            total += last
            return w.tokens(total, last)
          }),
          w.complete(`${i}`)
        ])
        const { turns: told, total: said } = used(...drafts)
        expect(said ?? 0).toBe(total)
        expect(told.map(([, sum]) => sum)).toEqual(
          turns.map((one) => one.reduce((sum, last) => sum + last, 0)).filter((sum) => sum > 0)
        )
      })
    )
  })

  it("lines whose head is not wanted change nothing", () => {
    fc.assert(
      fc.property(anyLog, anyDraft, (records, next) => {
        const so = Fold.run(TokenUsage.fold, records)
        const head = Sniff.head(w.bytes(w.stamp(0), next))
        if (head === undefined || TokenUsage.wants(head)) return
        expect(TokenUsage.fold.step(so, w.record(w.stamp(0), next))).toBe(so)
      })
    )
  })
})

describe.skipIf(corpus === undefined)(`real rollouts${needsCorpus}`, () => {
  it("the turns of every thread that is no fork add up to its total", () => {
    let threads = 0
    for (const path of rolloutsBelow(corpus ?? "").filter((one) => one.endsWith(".jsonl") && !/damaged/.test(one))) {
      const records = readFileSync(path, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => Record.decode({ bytes: new TextEncoder().encode(line), offset: 0, number: 1, terminated: true }))
        .filter((one) => one.kind !== "damage" && one.kind !== "blank")
      const [first] = records
      if (first?.kind === "session_meta" && (first.payload.history_base ?? undefined) !== undefined) continue
      if (records.filter(({ kind }) => kind === "session_meta").length > 1) continue
      const state = Fold.run(TokenUsage.fold, records)
      if (state.total === undefined) continue
      const sum = TokenUsage.turns(state).reduce((all, { usage }) => TokenUsage.add(all, usage), TokenUsage.zero)
      expect([path, sum.total_tokens]).toEqual([path, state.total.total_tokens])
      threads++
    }
    expect(threads).toBeGreaterThan(100)
  })
})
