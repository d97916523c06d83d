import { anyLog } from "@skein/testing/AnyLog"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Fold from "../../src/fold/Fold.js"
import type { StoredRecord } from "../../src/record/Record.js"

const count = Fold.make(0, (n, _record: StoredRecord) => n + 1)
const offsets = Fold.make<ReadonlyArray<number>>([], (all, record) => [...all, record.line.offset])
const items = Fold.make(0, (n, record) => (record.kind === "response_item" ? n + 1 : n))

describe("Fold", () => {
  it("run: folding in two parts is folding at once", () => {
    fc.assert(
      fc.property(anyLog, fc.nat(40), (log, at) => {
        const before = Fold.run(offsets, log.slice(0, at))
        expect(Fold.run(offsets, log.slice(at), before)).toEqual(Fold.run(offsets, log))
      })
    )
  })

  it("struct: each state is what its fold gives alone", () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const all = Fold.run(Fold.struct({ count, items, offsets }), log)
        expect(all).toEqual({ count: log.length, items: Fold.run(items, log), offsets: Fold.run(offsets, log) })
      })
    )
  })

  it("struct: leaves earlier states as they were, and keeps one that nothing changed", () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const fold = Fold.struct({ items })
        const states = [...Fold.scan(fold, log)]
        let before = 0
        states.forEach((state, i) => {
          const changed = i > 0 && log[i - 1]?.kind === "response_item"
          expect(state.items).toBe(before + (changed ? 1 : 0))
          if (i > 0 && !changed) expect(state).toBe(states[i - 1])
          before = state.items
        })
      })
    )
  })

  it("scan: gives the first state and the state after each record, and folds no further than is asked", () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        expect([...Fold.scan(offsets, log)]).toEqual(
          log.map((_, i) => offsetsOf(log.slice(0, i))).concat([offsetsOf(log)])
        )
      })
    )
    let steps = 0
    const counting = Fold.make(0, (n) => {
      steps++
      return n
    })
    const [log = []] = fc.sample(
      anyLog.filter((one) => one.length > 3),
      1
    )
    const states = Fold.scan(counting, log)
    states.next()
    states.next()
    expect(steps).toBe(1)
  })

  it("filter: passes over what it is not to see", () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const filtered = Fold.filter(count, (record) => record.kind === "response_item")
        expect(Fold.run(filtered, log)).toBe(Fold.run(items, log))
      })
    )
  })
})

const offsetsOf = (log: ReadonlyArray<StoredRecord>): ReadonlyArray<number> => log.map((record) => record.line.offset)
