import * as Fold from "@skein/core/fold/Fold"
import type { StoredRecord } from "@skein/core/record/Record"
import * as Sniff from "@skein/core/record/Sniff"
import { anyLine, anyLog } from "@skein/testing/AnyLog"
import * as Drafts from "@skein/testing/Drafts"
import * as Script from "@skein/testing/Script"
import * as Thread from "@skein/testing/Thread"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Derived from "../src/Derived.js"

/** What a reader that passes over most lines by their heads comes to. */
const passing = (log: ReadonlyArray<StoredRecord>): Derived.Derived => {
  let state = Derived.empty
  for (const record of log) {
    const { bytes } = record.line
    const head = Sniff.head(bytes)
    const timestamp = Sniff.timestamp(bytes)
    if (head === undefined || Derived.wants(head, state)) state = Derived.fold.step(state, record)
    else if (timestamp !== undefined) state = Derived.touch(state, timestamp)
  }
  return state
}

const folded = (log: ReadonlyArray<StoredRecord>) => Fold.run(Derived.fold, log)

describe("what is derived of a thread", () => {
  it("is the same for a reader that passes over most lines, in well-formed threads of any form", () => {
    fc.assert(
      fc.property(Thread.thread(), ({ log }) => {
        expect(passing(log)).toEqual(folded(log))
      })
    )
  })

  it("is the same in any log, whatever its lines and their order", () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        expect(passing(log)).toEqual(folded(log))
      }),
      { numRuns: 300 }
    )
  })

  it("is the same however the log is cut in two: a store may keep it and go on", () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 20 }), fc.nat(20), (lines, at) => {
        const log = Script.log(lines)
        const kept = folded(log.slice(0, at))
        expect(Fold.run(Derived.fold, log.slice(at), kept)).toEqual(folded(log))
      })
    )
  })

  it("survives JSON, so that it can be kept anywhere", () => {
    fc.assert(
      fc.property(Thread.thread({ maxEntries: 4 }), fc.nat(40), ({ log }, at) => {
        const kept = JSON.parse(JSON.stringify(folded(log.slice(0, at)))) as Derived.Derived
        expect(Fold.run(Derived.fold, log.slice(at), kept)).toEqual(folded(log))
      })
    )
  })

  it("creation is what the first header says, else when it was written; tokens are the last count", () => {
    expect(folded(Script.log(Script.tokens(3), Script.tokens(null), Script.tokens(-1)))).toMatchObject({
      createdAt: undefined,
      tokensUsed: 0
    })
    const header = (timestamp: string) => Script.header({ timestamp })
    expect(folded(Script.log(header(Drafts.stamp(5)), header(Drafts.stamp(9)))).createdAt).toBe(Drafts.epoch + 5)
    expect(folded(Script.log(header("soon"))).createdAt).toBe(Date.parse("2026-07-20T10:00:00.000Z"))
  })
})

describe("names of sources and modes", () => {
  it.each([
    ["cli", "cli"],
    [{ custom: "atlas" }, "custom:atlas"],
    [{ subAgent: "review" }, "subAgent:review"],
    [{ subAgent: { other: "x" } }, "subAgent:x"]
  ] as const)("%j is %s", (source, key) => {
    expect(Derived.sourceKey(source)).toBe(key)
  })

  it.each([
    [{}, "legacy"],
    [{ history_mode: null }, "legacy"],
    [{ history_mode: "paginated" }, "paginated"],
    [{ history_mode: "quantum" }, "quantum"],
    [{ history_mode: { a: 1 } }, '{"a":1}'],
    [null, "legacy"]
  ])("the mode of %j is %s", (payload, mode) => {
    expect(Derived.historyModeOf(payload)).toBe(mode)
  })

  it("a mode that nobody knows here is none", () => {
    expect(["legacy", "paginated", "quantum", ""].map(Derived.knownMode)).toEqual([
      "legacy",
      "paginated",
      undefined,
      undefined
    ])
  })
})
