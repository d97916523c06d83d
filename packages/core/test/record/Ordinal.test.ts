import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { RawLine } from "../../src/record/Jsonl.js"
import * as Ordinal from "../../src/record/Ordinal.js"
import * as Record from "../../src/record/Record.js"

type Sketch = number | "none" | "blank" | "damage"

/** Lines by their ordinals. */
const lines = (sketches: ReadonlyArray<Sketch>): ReadonlyArray<Record.Decoded> =>
  sketches.map((sketch, i) => {
    const ordinal = typeof sketch === "number" ? { ordinal: sketch } : {}
    const record = JSON.stringify({ timestamp: "", ...ordinal, type: "from_the_future", payload: {} })
    const text = sketch === "blank" ? " " : sketch === "damage" ? "{" : record
    const line: RawLine = { bytes: new TextEncoder().encode(text), offset: i * 100, number: i + 1, terminated: true }
    return Record.decode(line)
  })

/** The numbers of the lines that were reported as repeated. */
const repeated = (decoded: ReadonlyArray<Record.Decoded>): ReadonlyArray<number | undefined> =>
  decoded.flatMap((one) => (one.kind === "damage" && one.reason === "repeated-ordinal" ? [one.line.number] : []))

const forward = (decoded: ReadonlyArray<Record.Decoded>): ReadonlyArray<Record.Decoded> => {
  const pass = Ordinal.forward()
  return decoded.map((one) => pass(one))
}

const backward = (decoded: ReadonlyArray<Record.Decoded>): ReadonlyArray<Record.Decoded> => {
  const pass = Ordinal.backward()
  return [...[...decoded].reverse().flatMap((one) => pass(one)), ...pass(undefined)]
}

describe("a duplicate ordinal: the first one wins, the other is reported", () => {
  it.each<[string, ReadonlyArray<Sketch>, ReadonlyArray<number>]>([
    ["neighbours", [1, 2, 2, 3], [3]],
    ["three in a row", [1, 2, 2, 2, 3], [3, 4]],
    ["at both ends", [0, 0, 1, 1], [2, 4]],
    ["across a blank and a damaged line", [1, "blank", 1, "damage", 1], [3, 5]],
    ["ordinal 0", [0, 0], [2]],
    ["since-july: skipped or falling ordinals do no harm", [5, 9, 3, 4, 3], []],
    ["since-july: a line without an ordinal counts", ["none", "none", 1, "none", 1], []],
    ["an empty log", [], []]
  ])("%s", (_, sketches, expected) => {
    const decoded = lines(sketches)
    expect(repeated(forward(decoded))).toEqual(expected)
    expect([...repeated(backward(decoded))].reverse()).toEqual(expected)
  })

  it("forward and backward keep the same lines and drop the same, and pass on every line once", () => {
    const sketch = fc.oneof(
      { arbitrary: fc.nat(3), weight: 6 },
      { arbitrary: fc.constantFrom<Sketch>("none", "blank", "damage"), weight: 2 }
    )
    fc.assert(
      fc.property(fc.array(sketch, { maxLength: 20 }), (sketches) => {
        const decoded = lines(sketches)
        const fate = (all: ReadonlyArray<Record.Decoded>) =>
          all.map((one) => [one.line.number ?? 0, one.kind] as const).sort(([a], [b]) => a - b)
        expect(fate(forward(decoded)).map(([number]) => number)).toEqual(sketches.map((_, i) => i + 1))
        expect(fate(backward(decoded))).toEqual(fate(forward(decoded)))
      }),
      { numRuns: 1000 }
    )
  })

  it("a naive model: a record is dropped if the record before it has its ordinal", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(2), { nil: "none" as const }), { maxLength: 12 }), (sketches) => {
        const expected = sketches.flatMap((one, i) =>
          i > 0 && one !== "none" && one === sketches[i - 1] ? [i + 1] : []
        )
        expect(repeated(forward(lines(sketches)))).toEqual(expected)
      })
    )
  })

  it("a line that is skipped counts as the one in front of the next", () => {
    const [record] = lines([2])
    if (record === undefined) throw new Error("no line")
    const behind = (ordinal: number | undefined): ReadonlyArray<Record.Decoded> => {
      const pass = Ordinal.backward()
      return [...pass(record), ...pass({ kind: "skipped", ordinal }), ...pass(undefined)]
    }
    expect(behind(2)).toMatchObject([{ kind: "damage", reason: "repeated-ordinal" }])
    expect(behind(1)).toEqual([record])
    expect(behind(undefined)).toEqual([record])
  })

  it("backward passes lines on from last to first", () => {
    const order = (sketches: ReadonlyArray<Sketch>) => backward(lines(sketches)).map((one) => one.line.number)
    expect(order([1, 2, "none", 2, 3, 3])).toEqual([6, 5, 4, 3, 2, 1])
    expect(order([1, "blank", "damage", 2, "blank"])).toEqual([5, 4, 3, 2, 1])
    expect(order(["blank", "none", "blank"])).toEqual([3, 2, 1])
  })
})
