import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as LineMemory from "../../src/record/LineMemory.js"

/** A line that was copied, and what it must read as for as long as it is held. */
interface Held {
  readonly block: Uint8Array
  readonly from: number
  readonly length: number
  readonly byte: number
}

const lengths = fc.oneof(fc.nat(200), fc.nat(40_000), fc.constantFrom(0, 65_534, 65_535, 65_536, 65_537, 200_000))
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: lengths.map((length) => ({ add: length })) },
    { weight: 1, arbitrary: fc.nat(9).map((keep) => ({ keep })) },
    { weight: 1, arbitrary: fc.constant("share" as const) }
  ),
  { maxLength: 60 }
)

describe("lines that are kept", () => {
  it("stay as they are until they are released, and for ever when they are shared", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const memory = LineMemory.make()
        const shared: Array<Held> = []
        let held: Array<Held> = []
        all.forEach((step, i) => {
          if (step === "share") {
            memory.share()
            shared.push(...held)
          } else if ("keep" in step) {
            held = step.keep === 0 ? [] : held.slice(-step.keep)
            memory.release(held[0]?.block)
          } else {
            const bytes = new Uint8Array(step.add).fill(i + 1)
            const from = memory.add(bytes)
            held.push({ block: memory.block(), from, length: step.add, byte: i + 1 })
          }
        })
        for (const { block, byte, from, length } of [...shared, ...held]) {
          expect(LineMemory.bytesAt(block, from, length).every((one) => one === byte)).toBe(true)
          expect(block[from + length]).toBe(0x0a)
        }
      }),
      { numRuns: 500 }
    )
  })

  it("use the memory of released ones", () => {
    const memory = LineMemory.make()
    const blocks = new Set<Uint8Array>()
    for (let i = 0; i < 1000; i++) {
      memory.add(new Uint8Array(30_000))
      blocks.add(memory.block())
      memory.release(memory.block())
    }
    expect(blocks.size).toBe(2)
  })
})
