import { readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Fold from "../../src/fold/Fold.js"
import * as Recency from "../../src/fold/Recency.js"
import * as Record from "../../src/record/Record.js"
import * as Sniff from "../../src/record/Sniff.js"
import { corpus, needsCorpus, rolloutsBelow } from "../corpus.js"
import * as w from "./Written.js"

const at = (...drafts: ReadonlyArray<readonly [second: number, draft: w.Draft]>): Recency.Recency =>
  Fold.run(
    Recency.fold,
    drafts.map(([second, draft]) => w.record(w.stamp(second), draft))
  )

describe("thread-store §2.2", () => {
  it("creation sets both", () => {
    expect(at([2, w.meta(1)])).toMatchObject({ updatedAt: w.time(2), recencyAt: w.time(0) })
  })

  it("an append moves updatedAt alone, a turn start both", () => {
    expect(at([0, w.meta(1)], [5, w.tokens(1, 1)])).toMatchObject({ updatedAt: w.time(5), recencyAt: w.time(0) })
    expect(at([0, w.meta(1)], [5, w.started("t")])).toMatchObject({ updatedAt: w.time(5), recencyAt: w.time(5) })
    expect(at([0, w.meta(1)], [5, w.started("t")], [8, w.complete("t")])).toMatchObject({
      updatedAt: w.time(8),
      recencyAt: w.time(5)
    })
  })

  it("recencyAt is max(turn start, previous + 1 ms)", () => {
    expect(at([0, w.meta(1)], [5, w.started("a")], [5, w.started("b")]).recencyAt).toBe(w.time(5) + 1)
    expect(at([0, w.meta(1)], [9, w.started("a")], [3, w.started("b")]).recencyAt).toBe(w.time(9) + 1)
  })

  it("updatedAt is never before recencyAt", () => {
    const { recencyAt, updatedAt } = at([0, w.meta(1)], [5, w.started("a")], [5, w.started("b")])
    expect(updatedAt).toBe(recencyAt)
  })

  it("where no starts are recorded, each user message begins a turn", () => {
    expect(at([0, w.meta(1)], [5, w.said("a")]).recencyAt).toBe(w.time(5))
    expect(at([0, w.meta(1)], [5, w.started("t")], [6, w.said("a")]).recencyAt).toBe(w.time(5))
    expect(at([0, w.meta(1)], [5, w.started("t")], [6, w.aborted("t")], [7, w.said("a")]).recencyAt).toBe(w.time(7))
  })

  it("only the first header is creation", () => {
    expect(at([0, w.meta(1)], [1, w.meta(2, { timestamp: w.stamp(-90) })]).recencyAt).toBe(w.time(0))
  })

  it("a text that is no time moves nothing but what has to move", () => {
    const start = w.record("noon", w.started("t"))
    expect(Fold.run(Recency.fold, [w.record(w.stamp(0), w.meta(1)), start]).recencyAt).toBe(w.time(0) + 1)
    expect(Fold.run(Recency.fold, [start])).toMatchObject({ updatedAt: undefined, recencyAt: undefined })
    expect(Recency.touch(Recency.fold.initial, "noon")).toBe(Recency.fold.initial)
  })
})

const anyEntry = fc.tuple(
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(
    w.meta(1),
    w.meta(2),
    w.started("a"),
    w.started("b"),
    w.complete("a"),
    w.aborted(),
    w.said("x"),
    w.tokens(1, 1),
    w.turnContext("m")
  )
)
const anyLog = fc
  .array(anyEntry, { maxLength: 30 })
  .map((entries) => entries.map(([second, draft]) => w.record(w.stamp(second), draft)))

describe("laws", () => {
  it("updatedAt never goes back; recencyAt rises at every turn start and stands still otherwise", () => {
    fc.assert(
      fc.property(anyLog, (records) => {
        let last = Recency.fold.initial
        for (const record of records) {
          const next = Recency.fold.step(last, record)
          if (last.updatedAt !== undefined) expect(next.updatedAt).toBeGreaterThanOrEqual(last.updatedAt)
          const starts = record.kind === "event_msg" && record.payload.type === "task_started"
          const implicit = record.kind === "event_msg" && record.payload.type === "user_message" && !last.open
          if (last.recencyAt !== undefined) {
            if (starts || implicit) expect(next.recencyAt).toBeGreaterThan(last.recencyAt)
            else expect(next.recencyAt).toBe(last.recencyAt)
          }
          last = next
        }
      }),
      { numRuns: 500 }
    )
  })

  it("a suffix folded onto the state of its prefix gives the state of the whole", () => {
    fc.assert(
      fc.property(anyLog, fc.nat(30), (records, cut) => {
        const prefix = Fold.run(Recency.fold, records.slice(0, cut))
        expect(Fold.run(Recency.fold, records.slice(cut), prefix)).toEqual(Fold.run(Recency.fold, records))
      })
    )
  })

  it("of lines whose head is not wanted only the time counts", () => {
    fc.assert(
      fc.property(anyLog, anyEntry, (records, [second, draft]) => {
        const so = Fold.run(Recency.fold, records)
        const head = Sniff.head(w.bytes(w.stamp(second), draft))
        if (head === undefined || Recency.wants(head)) return
        const next = Recency.fold.step(so, w.record(w.stamp(second), draft))
        expect(Recency.touch(so, w.stamp(second))).toEqual(next)
      })
    )
  })
})

describe.skipIf(corpus === undefined)(`real rollouts${needsCorpus}`, () => {
  it("of 0.169.0: updatedAt is the time of the last line, recencyAt that of the last start", () => {
    for (const path of rolloutsBelow(join(corpus ?? "", "0.169.0")).filter((one) => one.endsWith(".jsonl"))) {
      const records = readFileSync(path, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => Record.decode({ bytes: new TextEncoder().encode(line), offset: 0, number: 1, terminated: true }))
        .filter((one) => one.kind !== "damage" && one.kind !== "blank")
      const { recencyAt, updatedAt } = Fold.run(Recency.fold, records)
      expect(updatedAt).toBe(Math.max(...records.map(({ timestamp }) => Date.parse(timestamp))))
      const starts = records.filter((one) => one.kind === "event_msg" && one.payload.type === "task_started")
      const last = starts.at(-1)
      if (last !== undefined) expect((recencyAt ?? 0) - Date.parse(last.timestamp)).toBeLessThan(starts.length)
    }
  })
})
