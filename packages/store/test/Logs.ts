/** Effective logs at random: segments that stand on one another, with damage and ordinals that repeat. */
import * as Jsonl from "@skein/core/record/Jsonl"
import type { Decoded } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"
import * as Script from "@skein/testing/Script"
import { Effect } from "effect"
import * as fc from "fast-check"
import * as EffectiveLog from "../src/EffectiveLog.js"
import * as LineSource from "../src/LineSource.js"
import type { Position } from "../src/Position.js"
import * as Positions from "../src/Position.js"

/** A line: a record with or without an ordinal, or none. */
type Line =
  | { readonly says: "header" | "user" | "event" | "unknown"; readonly ordinal?: number | undefined }
  | { readonly bytes: string }

/** A segment, and behind how many of its lines the next one begins. */
interface Segment {
  readonly lines: ReadonlyArray<Line>
  readonly end: number
}

const encoder = new TextEncoder()
const ordinal = fc.option(fc.nat(3), { nil: undefined })

const line: fc.Arbitrary<Line> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ says: fc.constantFrom("user" as const, "event" as const), ordinal }) },
  { weight: 1, arbitrary: fc.record({ says: fc.constantFrom("header" as const, "unknown" as const), ordinal }) },
  { weight: 1, arbitrary: fc.constantFrom("", "  ", "{", '{"timestamp":"x"}', "[1]").map((bytes) => ({ bytes })) }
)

const segment = fc
  .array(line, { maxLength: 7 })
  .chain((lines) => fc.record({ lines: fc.constant(lines), end: fc.nat(lines.length) }))

const bytesOf = (one: Line): Uint8Array => {
  if ("bytes" in one) return encoder.encode(one.bytes)
  const { payload, type } = {
    header: Script.header(),
    user: Script.user("u"),
    event: Script.tokens(1),
    unknown: { type: "of_tomorrow", payload: {} }
  }[one.says]
  // The spelling of writers, which can be sniffed.
  return encoder.encode(JSON.stringify({ timestamp: "2026-07-20T10:00:00.000Z", ordinal: one.ordinal, type, payload }))
}

type Log = EffectiveLog.EffectiveLog<never>

const make = (segments: ReadonlyArray<Segment>): Log => {
  const pieces = segments.map(({ end, lines }, i): EffectiveLog.Piece<never> => {
    const bytes = lines.map(bytesOf)
    const source = LineSource.ofLines(bytes, `s${i}`)
    const to =
      i === segments.length - 1 ? source.size : bytes.slice(0, end).reduce((sum, one) => sum + one.length + 1, 0)
    return { segmentId: `s${i}`, source, meta: headerOf(source), to, below: undefined }
  })
  return { pieces, meta: pieces.at(-1)?.meta, whole: true, diagnostics: [] }
}

const headerOf = (source: LineSource.LineSource<never>): Record.Of<"session_meta"> | undefined => {
  let meta: Record.Of<"session_meta"> | undefined
  Effect.runSync(
    source.forward((one) => {
      const decoded = Record.decode(one, "bare")
      if (decoded.kind === "session_meta") meta = decoded
      return meta === undefined
    })
  )
  return meta
}

/** Logs of one to three segments. */
export const log: fc.Arbitrary<Log> = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => {
  const made = make(segments)
  Object.defineProperty(made, fc.toStringMethod, { value: () => fc.stringify(segments), enumerable: false })
  return made
})

/** A line as it was handed on: what it came to, and the position behind it. */
export interface Read {
  readonly what: string
  readonly position: Position
}

/** What a line that was handed on came to. */
export const read = (from: Log, decoded: Decoded, piece: number): Read => {
  const { offset } = decoded.line
  const what = `${decoded.kind === "damage" ? decoded.reason : decoded.kind}@${from.pieces[piece]?.segmentId ?? "-"}:${offset}`
  // The own header of a log that inherits comes first, and lies in front of what follows.
  const isInFront = piece !== 0 && decoded === from.meta
  const [first] = from.pieces
  return {
    what,
    position: isInFront
      ? Positions.make(first?.segmentId ?? "", first?.from ?? 0)
      : Positions.behind(from.pieces[piece]?.segmentId ?? "", decoded.line)
  }
}

/** All that a log hands on. */
export const forward = (from: Log, wants?: EffectiveLog.Wants, holds?: Jsonl.Holds): ReadonlyArray<Read> => {
  const all: Array<Read> = []
  Effect.runSync(
    EffectiveLog.forward(from, (decoded, piece) => all.push(read(from, decoded, piece)) > 0, { wants, holds })
  )
  return all
}

/** The same log read as files are: in chunks of so many bytes, which are passed over where they hold nothing wanted. */
export const inChunks = (from: Log, length: number): Log => ({
  ...from,
  pieces: from.pieces.map((piece) => ({
    ...piece,
    source: {
      ...piece.source,
      forward: (take, { from: start = 0, holds, to = piece.source.size } = {}) =>
        Effect.map(bytesFrom(piece.source), (bytes) => {
          const splitter = Jsonl.forward({ offset: start, number: 1, holds })
          for (let at = start; at < to; at += length) {
            if (!splitter.push(bytes.subarray(at, Math.min(at + length, to)), take)) return false
          }
          return splitter.end(take)
        })
    }
  }))
})

const bytesFrom = (source: LineSource.LineSource<never>): Effect.Effect<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  return Effect.as(
    source.forward((one) => lines.push(Record.encode(one)) > 0),
    lines
  ).pipe(Effect.map((all) => new Uint8Array(Buffer.concat(all))))
}
