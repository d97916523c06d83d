/**
 * The effective log of a thread: what its head segment inherits from its bases, and then its own lines (design: segments).
 *
 * A segment may stand on another one (`history_base` of rollout-format §3.1 and since-july), and that one on a third. A
 * base that is missing or part of a circle is reported, and the log then begins where it can.
 */
import type { Holds, RawLine, TakeLine, TextOf } from "@skein/core/record/Jsonl"
import * as LineMemory from "@skein/core/record/LineMemory"
import * as Ordinal from "@skein/core/record/Ordinal"
import type { Decoded, StoredRecord } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"
import * as Sniff from "@skein/core/record/Sniff"
import { Effect } from "effect"
import type { Diagnostic } from "./Diagnostic.js"
import type { LineSource } from "./LineSource.js"
import type { Position } from "./Position.js"
import * as Positions from "./Position.js"

/** One segment's part of an effective log. */
export interface Piece<E> {
  readonly segmentId: string
  readonly source: LineSource<E>
  /** Offset of the first line that counts; default 0. */
  readonly from?: number | undefined
  /** The first readable header of the segment. */
  readonly meta: Record.Of<"session_meta"> | undefined
  /** Offset behind the last line that counts. */
  readonly to: number
  /** Set when the end is an ordinal and not an offset: records from this ordinal on do not count. */
  readonly below: number | undefined
}

/** A log as its readers see it. */
export interface EffectiveLog<E> {
  /** Oldest first; the last one is the segment that was asked for. */
  readonly pieces: ReadonlyArray<Piece<E>>
  /** The thread's own header: the first readable `session_meta` of the segment that was asked for. */
  readonly meta: Record.Of<"session_meta"> | undefined
  /** Whether the header was handed on before the lines that this log begins with; see {@link after}. */
  readonly isBegun?: boolean | undefined
  /** Whether every base was found and reaches as far as the segment that stands on it says. */
  readonly whole: boolean
  /** What was noticed about the segments as such. */
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** The log up to an offset of one of its pieces. */
export const cut = <E>(log: EffectiveLog<E>, piece: number, to: number): EffectiveLog<E> => ({
  ...log,
  pieces: log.pieces.slice(0, piece + 1).map((one, i) => (i === piece ? { ...one, to: Math.min(to, one.to) } : one))
})

/** The position behind the last line of a log. */
export const end = <E>(log: EffectiveLog<E>): Position => {
  const last = log.pieces.at(-1)
  return Positions.make(last?.segmentId ?? "", last?.to ?? 0)
}

/**
 * What a log has behind a position: what a reader who got there has still to read. Undefined when the log never was
 * there, since it went on in another segment from an earlier place.
 *
 * A position at the very start of a log that inherits is one behind its header, which is handed on first.
 */
export const after = <E>(log: EffectiveLog<E>, position: Position): EffectiveLog<E> | undefined => {
  const at = log.pieces.findIndex(({ segmentId }) => segmentId === position.segmentId)
  const piece = log.pieces[at]
  if (piece === undefined || position.offset > piece.to) return undefined
  const isBegun = log.isBegun === true || ownPiece(log) !== 0
  return { ...log, isBegun, pieces: [{ ...piece, from: position.offset }, ...log.pieces.slice(at + 1)] }
}

const ownPiece = <E>(log: EffectiveLog<E>): number =>
  log.pieces.findIndex(({ meta }) => meta !== undefined && meta === log.meta)

/**
 * Hands on the raw lines of a log in order, with the index of their piece, until `take` wants no more. Gives whether it
 * took them all. Lines of a base that lie behind its end are not among them. The bytes of a line last only until `take`
 * returns: their memory is used again.
 *
 * @param holds When given, a source may pass over what it says no to, but for a line now and then.
 */
export const lines = <E>(
  log: EffectiveLog<E>,
  take: (line: RawLine, piece: number, text: TextOf) => boolean,
  holds?: Holds | undefined
): Effect.Effect<boolean, E> =>
  Effect.gen(function* () {
    for (const [piece, { below, from, source, to }] of log.pieces.entries()) {
      const hand: TakeLine = (line, text) =>
        (below !== undefined && isFrom(Record.decode(line), below)) || take(line, piece, text)
      if (!(yield* source.forward(hand, { from, to, passing: true, holds }))) return false
    }
    return true
  })

/** Takes a decoded line and the index of the piece that it stands in; false ends the reading. */
export type Take = (decoded: Decoded, piece: number) => boolean

/** Whether a line with this head, and these bytes, is to be decoded. Lines without a head always are. */
export type Wants = (head: Sniff.Head, bytes: Uint8Array) => boolean

/** How a log is read forward. */
export interface Reading {
  /** When given, lines with a head that it does not want are passed over and not decoded. */
  readonly wants?: Wants | undefined
  /**
   * When given, what it says no to may be passed over many lines at once, which is much quicker than one by one. Nothing
   * that it says yes to is. An ordinal that stands twice need not be noticed behind a line that cannot be read.
   */
  readonly holds?: Holds | undefined
  /**
   * Whether records are let go of at once, as when they are folded: the bytes of a line then last only until `take`
   * returns. Otherwise they are copied, which costs about a tenth of parsing them.
   */
  readonly passing?: boolean | undefined
}

/**
 * Hands on the decoded lines of a log in order: the thread's own header first, as in a fork that was copied whole, then
 * what it inherits, then its own lines. Gives whether `take` took them all. The header of a log that was cut in front
 * of it stands in no piece: its index is -1.
 */
export const forward = <E>(log: EffectiveLog<E>, take: Take, reading: Reading = {}): Effect.Effect<boolean, E> =>
  Effect.suspend(() => {
    const { holds, passing = false, wants } = reading
    const own = ownPiece(log)
    const isBegun = log.isBegun === true
    const first = own === 0 && !isBegun ? undefined : log.meta
    if (first !== undefined && !isBegun && !take(first, own)) return Effect.succeed(false)
    const forms = log.pieces.map(({ meta }) => Record.formOf(meta))
    // Ordinals repeat within a file; where files meet, offsets say what counts.
    const passes = log.pieces.map(() => passingOver())
    const memory = LineMemory.make()
    // Where the next line of a piece begins, unless some are passed over.
    const ends = log.pieces.map(({ from = 0 }) => from)
    const each = (line: RawLine, piece: number, text: TextOf): boolean => {
      const form = forms[piece]
      const pass = passes[piece] as ReturnType<typeof passingOver>
      if (holds !== undefined) {
        if (line.offset !== ends[piece]) pass.gap(form)
        ends[piece] = line.offset + line.bytes.length + 1
      }
      if (piece === own && first !== undefined && line.offset === first.line.offset) {
        pass.decoded(first, form)
        return true
      }
      const head = wants === undefined || !line.terminated ? undefined : Sniff.head(line.bytes)
      if (head !== undefined && wants?.(head, line.bytes) === false) {
        pass.over(line, head.ordinal, form)
        return true
      }
      // Its bytes would not outlast this call, but whoever takes a record may keep it.
      const kept = passing ? line : outlasting(line, memory)
      return take(pass.decoded(Record.decode(kept, form, text()), form), piece)
    }
    const [begin] = log.pieces
    return begin?.from === undefined || begin.from === 0
      ? lines(log, each, holds)
      : Effect.zipRight(
          lastBefore(begin, (record) => passes[0]?.decoded(record, forms[0])),
          lines(log, each, holds)
        )
  })

/** A copy of a line. */
const outlasting = (line: RawLine, memory: LineMemory.LineMemory): RawLine => {
  const from = memory.add(line.bytes)
  return { ...line, bytes: LineMemory.bytesAt(memory.block(), from, line.bytes.length) }
}

/** Tells of the newest readable record in front of a piece, whose ordinal the piece may repeat. */
const lastBefore = <E>(piece: Piece<E>, tell: (record: StoredRecord) => void): Effect.Effect<boolean, E> =>
  piece.source.backward(
    (line) => {
      const decoded = Record.decode(line, Record.formOf(piece.meta))
      if (!isRecord(decoded)) return true
      tell(decoded)
      return false
    },
    { to: piece.from }
  )

const unnumbered: Ordinal.Skipped = { kind: "skipped", ordinal: undefined }

/**
 * Holds a line that was passed over until the next one shows whether it has to be decoded after all: where two lines
 * have one ordinal, the first *readable* one counts.
 */
const passingOver = () => {
  const pass = Ordinal.forward()
  let held: { readonly line: RawLine; readonly ordinal: number } | undefined
  let memory = new Uint8Array(4096)
  /** A copy of a line, in memory that the next one takes again. */
  const copy = (line: RawLine): RawLine => {
    const { length } = line.bytes
    if (memory.length < length) memory = new Uint8Array(length * 2)
    memory.set(line.bytes)
    return { ...line, bytes: memory.subarray(0, length) }
  }
  /** Lets go of the line that is held, in front of one with this ordinal. */
  const settle = (next: number | undefined, form: Record.Form | undefined): void => {
    if (held === undefined) return
    const { line, ordinal } = held
    held = undefined
    const before = next === ordinal ? pass(Record.decode(line, form)) : pass({ kind: "skipped", ordinal })
    // Of a record that is kept only the ordinal will be asked for, not its bytes.
    if (before.kind !== "skipped" && isRecord(before)) pass({ kind: "skipped", ordinal })
  }
  return {
    /** Lines were passed over of which nothing is known: what follows repeats none of them. */
    gap: (form: Record.Form | undefined): void => {
      settle(undefined, form)
      pass(unnumbered)
    },
    over: (line: RawLine, ordinal: number | undefined, form: Record.Form | undefined): void => {
      settle(ordinal, form)
      if (ordinal === undefined) pass(unnumbered)
      else held = { line: copy(line), ordinal }
    },
    decoded: (decoded: Decoded, form: Record.Form | undefined): Decoded => {
      if (isRecord(decoded)) settle(decoded.ordinal, form)
      return pass(decoded)
    }
  }
}

/**
 * Hands on the decoded lines of a log from the last to the first until `take` has enough. Gives the part of the log
 * that was not handed on, or undefined when all was.
 *
 * @param wants When given, lines with a head that it does not want are passed over and not decoded.
 */
export const backward = <E>(
  log: EffectiveLog<E>,
  take: Take,
  wants?: Wants
): Effect.Effect<EffectiveLog<E> | undefined, E> =>
  Effect.gen(function* () {
    for (let piece = log.pieces.length - 1; piece >= 0; piece--) {
      const { below, from, source, meta, to } = log.pieces[piece] as Piece<E>
      const form = Record.formOf(meta)
      const pass = Ordinal.backward()
      // Everything from here on was handed on or passed over.
      let unread = to
      const hand = (all: ReadonlyArray<Decoded>): boolean =>
        all.every((decoded) => {
          unread = decoded.line.offset
          return take(decoded, piece)
        })
      // A record with an ordinal waits for the one in front of it.
      let held: number | undefined
      const step: TakeLine = (line, text) => {
        const head = wants === undefined || !line.terminated ? undefined : Sniff.head(line.bytes)
        const unwanted = head !== undefined && wants?.(head, line.bytes) === false
        // With the ordinal of the record behind it, it is decoded all the same: only a readable line comes first.
        const repeated = head?.ordinal !== undefined && head.ordinal === held
        const older = unwanted && !repeated ? undefined : Record.decode(line, form, text())
        if (older === undefined || (unwanted && isRecord(older))) {
          held = undefined
          if (!hand(pass({ kind: "skipped", ordinal: head?.ordinal }))) return false
          unread = line.offset
          return true
        }
        if (below !== undefined && isFrom(older, below)) return true
        if (isRecord(older)) held = older.ordinal
        return hand(pass(older))
      }
      const isRead = (yield* source.backward(step, { from, to })) && hand(pass(undefined))
      if (isRead) continue
      if (unread > (from ?? 0)) return cut(log, piece, unread)
      return piece === 0 ? undefined : cut(log, piece - 1, log.pieces[piece - 1]?.to ?? 0)
    }
    return undefined
  })

/** Whether a record lies at or behind an ordinal. */
const isFrom = (decoded: Decoded, ordinal: number): boolean =>
  decoded.kind !== "damage" && decoded.kind !== "blank" && decoded.ordinal !== undefined && decoded.ordinal >= ordinal

/** Whether a line came to a record. */
export const isRecord = (decoded: Decoded): decoded is StoredRecord =>
  decoded.kind !== "damage" && decoded.kind !== "blank"
