/**
 * Where a log in a file ends: behind the last line that counts. A crash may leave a part of a batch behind it, or a part
 * of a line (design §7).
 */
import type { RawLine } from "@skein/core/record/Jsonl"
import * as Jsonl from "@skein/core/record/Jsonl"
import * as Record from "@skein/core/record/Record"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import type { LineSource } from "@skein/store/LineSource"
import { Effect } from "effect"

/**
 * How a file ends. `ended`: with a line feed. `unended`: with a whole line that lacks one. `torn`: with a part of a line
 * that somebody else may have written. `unfinished`: with a part of a batch of ours; nobody ever was told that it is there.
 */
export type State = "ended" | "unended" | "torn" | "unfinished"

/** The end of a file. */
export interface Tail {
  /** Offset behind the last line that counts. */
  readonly end: number
  readonly state: State
  /** The ordinal behind the newest readable record that has one. */
  readonly nextOrdinal: number | undefined
}

/** What a line says of the batch that it is part of: `skein.b` in its envelope. */
type Mark = readonly [id: string, index: number, count: number]

const markKey = Buffer.from('"skein"')

/** The mark of a line. Cost: a search over its bytes; lines that have the key are parsed. */
export const markOf = (line: RawLine): Mark | undefined => {
  const { bytes } = line
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(markKey) < 0) return undefined
  const parsed = Jsonl.parse(line)
  if (parsed.kind !== "value" || typeof parsed.value !== "object" || parsed.value === null) return undefined
  const { skein } = parsed.value as { readonly skein?: { readonly b?: unknown } | null }
  const mark: unknown = typeof skein === "object" ? skein?.b : undefined
  if (!Array.isArray(mark) || mark.length !== 3) return undefined
  const [id, index, count] = mark as ReadonlyArray<unknown>
  return typeof id === "string" && typeof index === "number" && typeof count === "number"
    ? [id, index, count]
    : undefined
}

/** What is asked of an end. */
export interface Options {
  /** Whether the next ordinal is wanted. */
  readonly ordinals: boolean
  /** Up to where all is known to be written: a batch that is not all there was asked for like that. Default 0. */
  readonly committed?: number | undefined
}

/**
 * The end of a file. A part of a batch counts as unfinished only when nothing but that batch stands behind its first line:
 * what somebody else wrote behind it makes it count as written.
 *
 * Cost: its last lines; with `ordinals`, back to the newest readable record that has one.
 */
export const inspect = <E>(source: LineSource<E>, options: Options): Effect.Effect<Tail, E> =>
  Effect.gen(function* () {
    const { tail, take } = looking(source.size, options)
    yield* source.backward(take)
    return tail()
  })

/** What is known while lines are looked at from the last one back. `take` gives false when that is enough. */
const looking = (size: number, { committed = 0, ordinals }: Options) => {
  let known: Tail = { end: size, state: "ended", nextOrdinal: undefined }
  /** A part of a batch, what was known before it, and the index of its line that was seen last. */
  let part: { readonly id: string; readonly before: Tail; readonly index: number } | undefined
  let step: (line: RawLine) => boolean

  const last = (line: RawLine): boolean => {
    if (line.terminated) return whole(line)
    if (Jsonl.isBlank(line) || EffectiveLog.isRecord(Record.decode(line, "bare"))) {
      known = { ...known, state: "unended" }
      return whole(line)
    }
    known = { ...known, state: "torn", end: line.offset }
    step = whole
    return true
  }

  /** The last line that is whole. */
  const whole = (line: RawLine): boolean => {
    const mark = line.offset < committed ? undefined : markOf(line)
    const isDone = ordinal(line)
    if (mark === undefined || mark[1] >= mark[2] - 1) return isDone
    const [id, index] = mark
    part = { id, before: known, index }
    return cutAt(line, index)
  }

  /** A line in front of one of a batch that is not all there. */
  const earlier = (line: RawLine): boolean => {
    const mark = markOf(line)
    if (part !== undefined && mark?.[0] === part.id && mark[1] === part.index - 1) return cutAt(line, mark[1])
    if (part !== undefined) known = part.before
    part = undefined
    step = ordinal
    return known.nextOrdinal === undefined && ordinal(line)
  }

  const cutAt = (line: RawLine, index: number): boolean => {
    known = { end: line.offset, state: "unfinished", nextOrdinal: undefined }
    part = part === undefined || index === 0 ? undefined : { ...part, index }
    step = part === undefined ? ordinal : earlier
    return part !== undefined || ordinals
  }

  const ordinal = (line: RawLine): boolean => {
    if (!ordinals) return false
    step = ordinal
    const decoded = Record.decode(line)
    if (!EffectiveLog.isRecord(decoded) || decoded.ordinal === undefined) return true
    known = { ...known, nextOrdinal: decoded.ordinal + 1 }
    return false
  }

  step = last
  return {
    take: (line: RawLine): boolean => step(line),
    // A batch whose beginning is not there was not cut off: nothing of it is hidden.
    tail: (): Tail => part?.before ?? known
  }
}
