/** The lines of segments as rows: how they are found, written, and read from either end. */
import type { SqlError } from "@effect/sql/SqlError"
import { noText, type RawLine, type TakeLine } from "@skein/core/record/Jsonl"
import type { LineSource, Range } from "@skein/store/LineSource"
import { type ReadError, ThreadNotFound } from "@skein/store/StoreError"
import { Effect } from "effect"
import type { Database, Sql, Value } from "./Database.js"

/** A segment's number is above these bits of a key, the offset in it below. */
const offsetBits = 36n

/** The bytes that a segment can have: 64 GiB. */
export const largestSegment = 2 ** Number(offsetBits)

/** The key of the line at an offset of a segment. */
export const key = (segment: number, offset: number): bigint => (BigInt(segment) << offsetBits) | BigInt(offset)

/** The offset in a key, as an expression. */
export const offsetOf = "key & 68719476735"

/** Rows of one statement at most: each number of rows is a text that is prepared. */
const most = 32

const inserts = Array.from(
  { length: most + 1 },
  (_, rows) => `INSERT INTO content (key, line) VALUES ${Array(rows).fill("(?, ?)").join(", ")}`
)

/** Writes lines from an offset of a segment on. */
export const insert = (
  sql: Sql,
  segment: number,
  offset: number,
  lines: ReadonlyArray<Uint8Array>
): Effect.Effect<void, SqlError> => {
  let next = key(segment, offset)
  let written = 0
  const group = Effect.suspend(() => {
    const values: Array<Value> = []
    const end = Math.min(lines.length, written + most)
    const text = inserts[end - written] as string
    for (; written < end; written++) {
      const line = lines[written] as Uint8Array
      values.push(next, line)
      next += BigInt(line.length + 1)
    }
    return sql.run(text, values)
  })
  if (lines.length > 0 && lines.length <= most) return group
  return Effect.whileLoop({ while: () => written < lines.length, body: () => group, step: () => {} })
}

/** What lines take with their line feeds. */
export const lengthOf = (lines: ReadonlyArray<Uint8Array>): number => {
  let length = 0
  for (const line of lines) length += line.length + 1
  return length
}

/** Bytes that a page of lines spans. Readings that are likely to end early begin small and take four times as much. */
const page = { first: 8 * 1024, most: 1024 * 1024 }

const ascending = `SELECT ${offsetOf}, line FROM content WHERE key >= ? AND key < ? ORDER BY key`
const descending = `SELECT ${offsetOf}, line FROM content WHERE key >= ? AND key < ? ORDER BY key DESC`
const oneAscending = `${ascending} LIMIT 1`
const oneDescending = `${descending} LIMIT 1`

type Row = readonly [offset: number, line: Uint8Array]

/** A segment that is read. */
export interface Readable {
  readonly pk: number
  readonly id: string
  /** Bytes of it that there were when it was looked at. */
  readonly size: number
}

/**
 * The lines of a segment up to the size that it had. Lines that are not where they have to be are handed on as one that
 * says so, and reads as damage; when the segment itself is gone, the reading fails with `ThreadNotFound`.
 *
 * @param threadId The thread on whose behalf it is read.
 */
export const source = (database: Database, segment: Readable, threadId: string): LineSource<ReadError> => {
  const { id, pk, size } = segment

  const rows = (text: string, from: number, to: number) =>
    database.read("read", (sql) => sql.tuples<Row>(text, [key(pk, from), key(pk, to)]))

  /** Lines are missing: because of damage, or because the segment was deleted meanwhile. */
  const checkThere = Effect.flatMap(
    database.read("read", (sql) => sql.first("SELECT 1 FROM segments WHERE pk = ? AND id = ?", [pk, id])),
    (found) => (found === undefined ? Effect.fail(new ThreadNotFound({ threadId })) : Effect.void)
  )

  /** The end of the line that an offset lies inside of; the offset itself where it lies in none. */
  const outside = (offset: number) =>
    Effect.map(rows(oneDescending, 0, offset), ([before]) =>
      before === undefined ? offset : Math.max(offset, before[0] + before[1].length + 1)
    )

  /** An offset as lines have them: whole, and within the segment. */
  const within = (offset: number | undefined, otherwise: number): number =>
    offset === undefined || Number.isNaN(offset) ? otherwise : Math.ceil(Math.min(Math.max(offset, 0), size))

  const forward = (take: TakeLine, range: Range = {}): Effect.Effect<boolean, ReadError> =>
    Effect.gen(function* () {
      const to = within(range.to, size)
      let at = within(range.from, 0)
      let number = at === 0 ? 1 : undefined
      let span = range.brief === true ? page.first : page.most
      const hand = (bytes: Uint8Array, offset: number): boolean => {
        const line: RawLine = { bytes, offset, number, terminated: true }
        at = offset + bytes.length + 1
        if (number !== undefined) number++
        return take(line, noText)
      }
      while (at < to) {
        let found = yield* rows(ascending, at, Math.min(at + span, to))
        if (found.length === 0) found = yield* rows(oneAscending, at, to)
        if (found[0]?.[0] !== at) {
          yield* checkThere
          at = yield* outside(at)
        }
        for (const [offset, bytes] of found) {
          while (at < offset) if (!hand(lost(offset - at), at)) return false
          if (!hand(plain(bytes), offset)) return false
        }
        if (found.length === 0) while (at < to) if (!hand(lost(to - at), at)) return false
        span = Math.min(span * 4, page.most)
      }
      return true
    })

  const backward = (take: TakeLine, range: Range = {}): Effect.Effect<boolean, ReadError> =>
    Effect.gen(function* () {
      const from = within(range.from, 0)
      /** Where the next line has to end. A range may end inside of a line, which then counts whole. */
      let at = within(range.to, size)
      let span = page.first
      const hand = (bytes: Uint8Array, offset: number): boolean => {
        at = offset
        return take({ bytes, offset, number: undefined, terminated: true }, noText)
      }
      while (at > from) {
        let found = yield* rows(descending, Math.max(from, at - span), at)
        if (found.length === 0) found = yield* rows(oneDescending, from, at)
        const [newest] = found
        if (newest === undefined || newest[0] + newest[1].length + 1 < at) yield* checkThere
        for (const [offset, bytes] of found) {
          for (const gap of gaps(offset + bytes.length + 1, at)) if (!hand(gap.bytes, gap.offset)) return false
          if (!hand(plain(bytes), offset)) return false
        }
        if (found.length === 0) {
          for (const gap of gaps(yield* outside(from), at)) if (!hand(gap.bytes, gap.offset)) return false
          return true
        }
        span = Math.min(span * 4, page.most)
      }
      return true
    })

  return { path: id, size, damagedAt: undefined, forward, backward }
}

/** The same bytes, as an array of no special kind. */
const plain = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array => new Uint8Array(buffer, byteOffset, length)

/** What is missing between two offsets, as lines, from the last to the first. */
export const gaps = (
  from: number,
  to: number
): ReadonlyArray<{ readonly offset: number; readonly bytes: Uint8Array }> => {
  const all: Array<{ readonly offset: number; readonly bytes: Uint8Array }> = []
  for (let offset = from; offset < to; ) {
    const bytes = lost(to - offset)
    all.push({ offset, bytes })
    offset += bytes.length + 1
  }
  return all.reverse()
}

/** The longest line that stands for lost ones, its line feed counted. */
const longestLost = 1024 * 1024

const encoder = new TextEncoder()

/**
 * The line that stands for so many lost bytes, the line feed counted; of many the first part. It is no JSON, so readers
 * report it as damage, and what follows keeps its offsets.
 */
export const lost = (length: number): Uint8Array => {
  const bytes = new Uint8Array(Math.min(length, longestLost) - 1).fill(0x21)
  bytes.set(encoder.encode(`!lost: ${length} bytes`).subarray(0, bytes.length))
  return bytes
}
