import * as Script from "@skein/testing/Script"
import { Effect } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as LineSource from "../src/LineSource.js"
import * as Position from "../src/Position.js"
import * as SegmentChain from "../src/SegmentChain.js"
import * as Logs from "./Logs.js"

const bytes = (...lines: ReadonlyArray<Script.Line>) => Script.log(...lines).map(({ line }) => line.bytes)

const link = (
  segmentId: string,
  lines: ReadonlyArray<Uint8Array>,
  base?: Position.Position
): SegmentChain.Link<never> => ({ segmentId, base, source: LineSource.ofLines(lines, segmentId) })

const open = (head: SegmentChain.Link<never>, ...others: ReadonlyArray<SegmentChain.Link<never>>) =>
  Effect.runSync(
    SegmentChain.open(head, (id) => Effect.succeed([head, ...others].find(({ segmentId }) => segmentId === id)))
  )

describe("the log of a chain of segments", () => {
  it("is what each stands on, up to there, and then its own lines", () => {
    const a = link("a", bytes(Script.header(), Script.user("1"), Script.user("2")))
    const [, two] = Logs.forward(open(a))
    const b = link("b", bytes(Script.header(), Script.user("3")), two?.position)
    const c = link("c", bytes(Script.header()), Logs.forward(open(b, a)).at(-1)?.position)
    const log = open(c, b, a)
    expect(log).toMatchObject({ whole: true, diagnostics: [] })
    expect(log.pieces.map(({ segmentId }) => segmentId)).toEqual(["a", "b", "c"])
    expect(Logs.forward(log).map(({ what }) => what.split(":")[0])).toEqual([
      "session_meta@c",
      "session_meta@a",
      "response_item@a",
      "session_meta@b",
      "response_item@b"
    ])
  })

  it("says what is missing, too short or circular, and begins where it can", () => {
    const head = (base: Position.Position) => link("h", bytes(Script.header()), base)
    const codes = (...[first, ...others]: Parameters<typeof open>) => {
      const { diagnostics, pieces, whole } = open(first, ...others)
      return { whole, codes: diagnostics.map(({ code }) => code), pieces: pieces.map(({ segmentId }) => segmentId) }
    }
    expect(codes(head(Position.make("a", 5)))).toEqual({ whole: false, codes: ["missing-base"], pieces: ["h"] })
    expect(codes(head(Position.make("h", 5)))).toEqual({ whole: false, codes: ["cyclic-base"], pieces: ["h"] })
    const a = link("a", bytes(Script.user("1")))
    expect(codes(head(Position.make("a", 5_000)), a)).toEqual({
      whole: false,
      codes: ["base-too-short"],
      pieces: ["a", "h"]
    })
    const circle = link("a", bytes(Script.user("1")), Position.make("h", 0))
    expect(codes(head(Position.make("a", 0)), circle)).toEqual({
      whole: false,
      codes: ["cyclic-base"],
      pieces: ["a", "h"]
    })
  })

  it("its header is the first readable one of the segment that was asked for, wherever it stands", () => {
    const text = (line: string) => new TextEncoder().encode(line)
    const lines = [text(""), text("{"), ...bytes(Script.user("x"), Script.header({ cwd: "/a" }), Script.header())]
    expect(open(link("a", lines)).meta?.payload.cwd).toBe("/a")
    const without = open(link("b", bytes(Script.user("x")), Position.make("a", 0)), link("a", bytes(Script.header())))
    expect(without.meta).toBeUndefined()
  })
})

describe("positions", () => {
  it("behind a line is where the next one begins, or where the segment ends", () => {
    const line = (terminated: boolean) => ({ bytes: new Uint8Array(5), offset: 10, number: 1, terminated })
    expect(Position.behind("a", line(true))).toEqual({ segmentId: "a", offset: 16 })
    expect(Position.behind("a", line(false))).toEqual({ segmentId: "a", offset: 15 })
    expect(Position.format(Position.make("a", 16))).toBe("a:16")
  })

  it("are one when segment and offset are", () => {
    const position = fc.record({ segmentId: fc.constantFrom("a", "b"), offset: fc.nat(2) })
    fc.assert(
      fc.property(position, position, (left, right) => {
        expect(Position.equals(left, right)).toBe(Position.format(left) === Position.format(right))
      })
    )
  })
})
