/**
 * Where the lines of one segment come from: a file, rows of a table, an array. All that a reader of logs asks of a store.
 *
 * Positions are byte offsets in every store: that of a line is what the lines before it take with their line feeds.
 */
import { type Holds, noText, type RawLine, type TakeLine } from "@skein/core/record/Jsonl"
import { Effect } from "effect"

/** Where to read. */
export interface Range {
  /** First byte; must begin a line. Default 0. */
  readonly from?: number | undefined
  /** Byte behind the last one. Default: the size of the segment when it was opened. */
  readonly to?: number | undefined
  /** Whether the reading is likely to end early, so that it should begin with small reads. Backward always does. */
  readonly brief?: boolean | undefined
  /**
   * Whether most lines are let go of at once: the bytes of a line then last only until `take` returns, and whoever keeps
   * them copies them. Making memory for every chunk costs more than reading it. Only forward.
   */
  readonly passing?: boolean | undefined
  /** When given, a source may pass over what it says no to, but for a line now and then. Only forward. */
  readonly holds?: Holds | undefined
}

/** The lines of one segment, to be read from either end. Cost: in proportion to the bytes taken, not to the segment. */
export interface LineSource<E> {
  /** What diagnostics call it: the path of a file, or the id of a segment. */
  readonly path: string
  /** Bytes of content when it was opened. */
  readonly size: number
  /** Offset in a compressed file at which it stops making sense. */
  readonly damagedAt: number | undefined
  /** Hands on the lines in order until `take` wants no more. Gives whether it took them all. */
  readonly forward: (take: TakeLine, range?: Range) => Effect.Effect<boolean, E>
  /** Hands on the lines from the last to the first, otherwise as `forward`. Their numbers may be unknown. */
  readonly backward: (take: TakeLine, range?: Range) => Effect.Effect<boolean, E>
}

/** Lines that are kept in memory. The arrays may grow behind `size`. */
export interface Lines {
  readonly lines: ReadonlyArray<Uint8Array>
  /** The offset of each line. */
  readonly offsets: ReadonlyArray<number>
  readonly size: number
}

/** Lines in memory as a source. Cost: one pass over their lengths. */
export const ofLines = (lines: ReadonlyArray<Uint8Array>, path = "memory"): LineSource<never> => {
  const offsets: Array<number> = []
  let size = 0
  for (const bytes of lines) {
    offsets.push(size)
    size += bytes.length + 1
  }
  return ofArrays({ lines, offsets, size }, path)
}

/** Lines with known offsets as a source. Cost: constant. */
export const ofArrays = ({ lines, offsets, size }: Lines, path: string): LineSource<never> => {
  const line = (i: number): RawLine => ({
    bytes: lines[i] as Uint8Array,
    offset: offsets[i] as number,
    number: i + 1,
    terminated: true
  })
  return {
    path,
    size,
    damagedAt: undefined,
    forward: (take, range = {}) =>
      Effect.sync(() => {
        const to = Math.min(range.to ?? size, size)
        for (let i = indexFrom(offsets, range.from ?? 0); i < lines.length && (offsets[i] as number) < to; i++) {
          if (!take(line(i), noText)) return false
        }
        return true
      }),
    backward: (take, range = {}) =>
      Effect.sync(() => {
        const from = range.from ?? 0
        const to = Math.min(range.to ?? size, size)
        for (let i = indexFrom(offsets, to) - 1; i >= 0 && (offsets[i] as number) >= from; i--) {
          if (!take(line(i), noText)) return false
        }
        return true
      })
  }
}

/** Index of the first line at or behind an offset. */
const indexFrom = (offsets: ReadonlyArray<number>, offset: number): number => {
  let low = 0
  let high = offsets.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((offsets[middle] as number) < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** A source without what lies behind an offset, which has to be the end of a line. */
export const upTo = <E>(source: LineSource<E>, size: number): LineSource<E> => {
  const within = (range: Range = {}): Range => ({ ...range, to: Math.min(range.to ?? size, size) })
  return {
    ...source,
    size,
    forward: (take, range) => source.forward(take, within(range)),
    backward: (take, range) => source.backward(take, within(range))
  }
}

/**
 * Hands on the lines of a source in pieces, each to an effect that has to be done before the next piece is read: how a
 * store writes what another one reads. Memory: one piece and the longest line.
 */
export const inPieces = <E, E2, R>(
  source: LineSource<E>,
  write: (lines: ReadonlyArray<RawLine>) => Effect.Effect<void, E2, R>,
  options: {
    readonly bytes?: number | undefined
    readonly from?: number | undefined
    readonly to?: number | undefined
  } = {}
): Effect.Effect<void, E | E2, R> =>
  Effect.gen(function* () {
    const { bytes: most = 1024 * 1024, to = source.size } = options
    let from = options.from ?? 0
    for (;;) {
      const lines: Array<RawLine> = []
      let held = 0
      const all = yield* source.forward(
        (line) => {
          if (held >= most) return false
          lines.push(line)
          held += line.bytes.length + 1
          from = line.offset + line.bytes.length + 1
          return true
        },
        { from, to }
      )
      if (lines.length > 0) yield* write(lines)
      if (all) return
    }
  })
