import type { RawLine } from "@skein/core/record/Jsonl"
import { Effect } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as LineSource from "../src/LineSource.js"

const line = fc.uint8Array({ maxLength: 6 }).map((bytes) => bytes.filter((byte) => byte !== 0x0a))
const lines = fc.array(line, { maxLength: 12 })

type Read = (source: LineSource.LineSource<never>, range?: LineSource.Range, most?: number) => ReadonlyArray<RawLine>

const reader =
  (direction: "forward" | "backward"): Read =>
  (source, range, most = Number.POSITIVE_INFINITY) => {
    const read: Array<RawLine> = []
    const all = Effect.runSync(
      source[direction]((one) => {
        read.push(one)
        return read.length < most
      }, range)
    )
    expect(all).toBe(read.length < most)
    return read
  }

const forward = reader("forward")
const backward = reader("backward")

/** Offsets of the places between lines. */
const boundaries = (all: ReadonlyArray<Uint8Array>): ReadonlyArray<number> => {
  let at = 0
  return [0, ...all.map(({ length }) => (at += length + 1))]
}

describe("lines in memory", () => {
  it("are handed on with their offsets: each begins where the one before it ended", () => {
    fc.assert(
      fc.property(lines, (all) => {
        const source = LineSource.ofLines(all)
        const read = forward(source)
        expect(read.map(({ bytes }) => bytes)).toEqual(all)
        expect([...read.map(({ offset }) => offset), source.size]).toEqual(boundaries(all))
        expect(read.map(({ number }) => number)).toEqual(all.map((_, i) => i + 1))
      })
    )
  })

  it("a range is read from either end, line by line the same", () => {
    fc.assert(
      fc.property(lines, fc.nat(12), fc.nat(12), (all, a, b) => {
        const places = boundaries(all)
        const from = places[Math.min(a, b, all.length)] ?? 0
        const to = places[Math.min(Math.max(a, b), all.length)] ?? 0
        const source = LineSource.ofLines(all)
        const there = forward(source, { from, to })
        expect(there).toEqual(forward(source).filter(({ offset }) => offset >= from && offset < to))
        expect(backward(source, { from, to })).toEqual(there.toReversed())
      })
    )
  })

  it("reading ends when no more are wanted, and says so", () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 12 }), (all, most) => {
        const source = LineSource.ofLines(all)
        expect(forward(source, {}, most)).toEqual(forward(source).slice(0, most))
        expect(backward(source, {}, most)).toEqual(backward(source).slice(0, most))
      })
    )
  })

  it("what is added later is not read", () => {
    const held = [new Uint8Array([1]), new Uint8Array([2])]
    const arrays = { lines: held, offsets: [0, 2], size: 4 }
    const source = LineSource.ofArrays(arrays, "x")
    held.push(new Uint8Array([3]))
    arrays.offsets.push(4)
    expect(forward(source)).toHaveLength(2)
    expect(backward(source)).toHaveLength(2)
  })
})

describe("pieces", () => {
  const pieces = (
    all: ReadonlyArray<Uint8Array>,
    options: Parameters<typeof LineSource.inPieces>[2] = {}
  ): ReadonlyArray<ReadonlyArray<RawLine>> => {
    const written: Array<ReadonlyArray<RawLine>> = []
    const write = (piece: ReadonlyArray<RawLine>) => Effect.sync(() => void written.push(piece))
    Effect.runSync(LineSource.inPieces(LineSource.ofLines(all), write, options))
    return written
  }

  it("put together are the lines, each once; none is empty and none larger than a line more than it may be", () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 20 }), (all, bytes) => {
        const written = pieces(all, { bytes })
        expect(written.flat()).toEqual(forward(LineSource.ofLines(all)))
        for (const piece of written) {
          expect(piece).not.toHaveLength(0)
          const size = piece.slice(0, -1).reduce((sum, one) => sum + one.bytes.length + 1, 0)
          expect(size).toBeLessThan(bytes)
        }
      })
    )
  })

  it("of a part hold that part", () => {
    fc.assert(
      fc.property(lines, fc.nat(12), fc.nat(12), (all, a, b) => {
        const places = boundaries(all)
        const from = places[Math.min(a, b, all.length)] ?? 0
        const to = places[Math.min(Math.max(a, b), all.length)] ?? 0
        const written = pieces(all, { bytes: 4, from, to })
        expect(written.flat()).toEqual(forward(LineSource.ofLines(all), { from, to }))
      })
    )
  })

  it("what a writer fails with ends the reading", () => {
    const all = [new Uint8Array(3), new Uint8Array(3), new Uint8Array(3)]
    let written = 0
    const outcome = Effect.runSync(
      Effect.either(
        LineSource.inPieces(LineSource.ofLines(all), () => (++written < 2 ? Effect.void : Effect.fail("full")), {
          bytes: 1
        })
      )
    )
    expect(outcome).toMatchObject({ _tag: "Left", left: "full" })
    expect(written).toBe(2)
  })
})
