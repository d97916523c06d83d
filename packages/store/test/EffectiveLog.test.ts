import { Effect } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as EffectiveLog from "../src/EffectiveLog.js"
import * as Position from "../src/Position.js"
import * as Logs from "./Logs.js"

const words = (all: ReadonlyArray<Logs.Read>) => all.map(({ what }) => what)

/** Without the thread's own header, which is handed on first and stands elsewhere. */
const withoutOwn = (log: EffectiveLog.EffectiveLog<never>, all: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { meta } = log
  const own = log.pieces.find((piece) => meta !== undefined && piece.meta === meta)
  return own === undefined || meta === undefined
    ? all
    : all.filter((what) => !what.endsWith(`@${own.segmentId}:${meta.line.offset}`))
}

describe("a log read in parts", () => {
  it("up to any of its lines and on from there is the whole log", () => {
    fc.assert(
      fc.property(Logs.log, (log) => {
        const whole = Logs.forward(log)
        for (const [i, { position }] of whole.entries()) {
          const rest = EffectiveLog.after(log, position)
          expect(rest, Position.format(position)).toBeDefined()
          if (rest === undefined) continue
          expect(words(Logs.forward(rest)), Position.format(position)).toEqual(words(whole.slice(i + 1)))
        }
      }),
      { numRuns: 500 }
    )
  })

  it("in two steps is on from the second", () => {
    fc.assert(
      fc.property(Logs.log, fc.nat(20), fc.nat(20), (log, a, b) => {
        const whole = Logs.forward(log)
        const early = whole[Math.min(a, b)]
        const late = whole[Math.max(a, b)]
        if (early === undefined || late === undefined) return
        const rest = EffectiveLog.after(log, early.position)
        const further = rest === undefined ? undefined : EffectiveLog.after(rest, late.position)
        expect(further).toBeDefined()
        if (further !== undefined) expect(words(Logs.forward(further))).toEqual(words(whole.slice(Math.max(a, b) + 1)))
      }),
      { numRuns: 300 }
    )
  })

  it("has no place that it never came by", () => {
    fc.assert(
      fc.property(Logs.log, (log) => {
        const [first] = log.pieces
        expect(EffectiveLog.after(log, Position.make("elsewhere", 0))).toBeUndefined()
        if (first !== undefined)
          expect(EffectiveLog.after(log, Position.make(first.segmentId, first.to + 1))).toBeUndefined()
      })
    )
  })

  it("its end is the position of its last line", () => {
    fc.assert(
      fc.property(Logs.log, (log) => {
        const rest = EffectiveLog.after(log, EffectiveLog.end(log))
        expect(rest === undefined ? undefined : Logs.forward(rest)).toEqual([])
      })
    )
  })
})

describe("a log read from its end", () => {
  const backward = (log: EffectiveLog.EffectiveLog<never>, most = Number.POSITIVE_INFINITY) => {
    const all: Array<string> = []
    const rest = Effect.runSync(
      EffectiveLog.backward(log, (decoded, piece) => {
        all.push(Logs.read(log, decoded, piece).what)
        return all.length < most
      })
    )
    return { all, rest }
  }

  it("is the log the other way round, its own header where it stands", () => {
    fc.assert(
      fc.property(Logs.log, (log) => {
        const { all, rest } = backward(log)
        expect(rest).toBeUndefined()
        expect(withoutOwn(log, all)).toEqual(withoutOwn(log, words(Logs.forward(log))).toReversed())
        expect(all).toHaveLength(Logs.forward(log).length)
      }),
      { numRuns: 500 }
    )
  })

  it("in parts of any size is the whole of it", () => {
    fc.assert(
      fc.property(Logs.log, fc.integer({ min: 1, max: 4 }), (log, most) => {
        const parts: Array<string> = []
        let left: EffectiveLog.EffectiveLog<never> | undefined = log
        for (let turns = 0; left !== undefined && turns < 100; turns++) {
          const { all, rest }: ReturnType<typeof backward> = backward(left, most)
          parts.push(...all)
          left = rest
        }
        expect(parts).toEqual(backward(log).all)
      }),
      { numRuns: 500 }
    )
  })
})

const placeOf = (what: string): string => what.slice(what.indexOf("@"))

describe("a log of which not all is decoded", () => {
  const kinds = ["session_meta", "response_item", "event_msg", "of_tomorrow"]

  it("hands on what was wanted, as a whole reading does", () => {
    fc.assert(
      fc.property(Logs.log, fc.subarray(kinds), (log, wanted) => {
        const isWanted = (what: string) =>
          wanted.some((kind) => what.startsWith(kind === "of_tomorrow" ? "unknown" : kind))
        const isRecord = (what: string) => kinds.some((kind) => what.startsWith(kind)) || what.startsWith("unknown")
        const own = log.pieces.findIndex((piece) => log.meta !== undefined && piece.meta === log.meta)
        const part = words(Logs.forward(log, ({ type }) => wanted.includes(type))).filter(isRecord)
        // The own header is handed on in any case.
        const whole = words(Logs.forward(log)).filter((what, i) => isWanted(what) || (i === 0 && own > 0))
        expect(part).toEqual(whole)
      }),
      { numRuns: 500 }
    )
  })

  it("hands on what was wanted where a source passes over many lines at once", () => {
    fc.assert(
      fc.property(Logs.log, fc.subarray(kinds), fc.integer({ min: 1, max: 600 }), (log, wanted, length) => {
        const isWanted = (bytes: Uint8Array) =>
          wanted.some((kind) => Buffer.from(bytes).includes(`"type":"${kind}"`)) ||
          Buffer.from(bytes).includes('"session_meta"')
        const whole = words(Logs.forward(log, (_, bytes) => isWanted(bytes)))
        const part = words(Logs.forward(Logs.inChunks(log, length), (_, bytes) => isWanted(bytes), isWanted))
        const isRecord = (what: string) => kinds.some((kind) => what.startsWith(kind)) || what.startsWith("unknown")
        // Behind a line that cannot be read, an ordinal that stands twice need not be noticed.
        const repeated = new Set(whole.filter((what) => what.startsWith("repeated-ordinal")).map(placeOf))
        const isCertain = (what: string) => isRecord(what) && !repeated.has(placeOf(what))
        expect(part.filter(isCertain)).toEqual(whole.filter(isRecord))
      }),
      { numRuns: 1000 }
    )
  })
})

describe("a log without one of its bases", () => {
  it("is cut behind a line", () => {
    fc.assert(
      fc.property(Logs.log, (log) => {
        const last = log.pieces.length - 1
        const cut = EffectiveLog.cut(log, last, 0)
        expect(EffectiveLog.end(cut)).toEqual(Position.make(`s${last}`, 0))
      })
    )
  })
})
