/** Damaged files: nothing throws, what was not touched is read as before, and a failure names one damage. */
import * as Jsonl from "@skein/core/record/Jsonl"
import * as Record from "@skein/core/record/Record"
import * as Damage from "@skein/testing/Damage"
import * as Thread from "@skein/testing/Thread"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const linesOf = (bytes: Uint8Array): ReadonlyArray<Jsonl.RawLine> => {
  const lines: Array<Jsonl.RawLine> = []
  const take = (line: Jsonl.RawLine) => lines.push(line) > 0
  const splitter = Jsonl.forward()
  splitter.push(bytes, take)
  splitter.end(take)
  return lines
}

/** What a line says, without carriage returns at its end. */
const said = ({ bytes }: Jsonl.RawLine): string => new TextDecoder().decode(bytes).replace(/\r+$/, "")

const file = Thread.thread({ maxEntries: 3 }).map(({ files }) => Thread.bytesOf(files[0] ?? { name: "", lines: [] }))
const broken = (options?: Damage.Options) =>
  file.chain((bytes) => fc.tuple(fc.constant(bytes), Damage.damaged(bytes, options)))

describe("damage", () => {
  it.each(Damage.kinds.map((kind) => ({ kind })))(
    "$kind: decoding never throws, and other lines are read as before",
    ({ kind }) => {
      let changed = 0
      fc.assert(
        fc.property(broken({ kinds: [kind] }), ([before, { bytes, intact, what }]) => {
          expect(what).toContain(kind)
          const form = said(linesOf(before)[0] as Jsonl.RawLine).includes('"session_meta"') ? "enveloped" : "bare"
          const left = linesOf(bytes).map((line) => ({ said: said(line), decoded: Record.decode(line, form) }))
          if (bytes.length !== before.length || bytes.some((byte, i) => byte !== before[i])) changed++
          const originals = linesOf(before)
          for (const index of intact) {
            const line = originals[index] as Jsonl.RawLine
            const found = left.find((one) => one.said === said(line))
            expect([index, found?.decoded.kind]).toEqual([index, Record.decode(line, form).kind])
          }
          // No more is damaged than was touched.
          expect(originals.length - intact.length).toBeLessThanOrEqual(3)
        }),
        { numRuns: 60 }
      )
      expect(changed).toBeGreaterThan(20)
    }
  )

  it("shrinks to one small damage", () => {
    const run = fc.check(
      fc.property(broken(), ([, { bytes }]) => linesOf(bytes).every((line) => Record.decode(line).kind !== "damage")),
      { seed: 5, numRuns: 500 }
    )
    const [before, found] = run.counterexample?.[0] ?? []
    expect(found?.damages.length).toBe(1)
    expect(linesOf(before ?? new Uint8Array()).length).toBeLessThanOrEqual(2)
    expect(fc.stringify(found)).toMatch(/^[a-zA-Z8 -]+: [^;]+$/)
  })

  it("is the same again when its damages are done by hand", () => {
    fc.assert(
      fc.property(broken(), ([before, { bytes, damages }]) => {
        expect(Damage.apply(before, damages)).toEqual(bytes)
      }),
      { numRuns: 100 }
    )
  })

  it("every kind is drawn", () => {
    const drawn = fc
      .sample(broken(), { seed: 1, numRuns: 300 })
      .flatMap(([, one]) => one.damages.map(({ kind }) => kind))
    for (const kind of Damage.kinds) expect(drawn.filter((one) => one === kind).length).toBeGreaterThan(10)
  })
})
