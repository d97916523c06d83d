/**
 * A place in a thread's log: a segment, and how many bytes of it lie in front of the place.
 *
 * Byte offsets, not counts of records: they are the same in a file, a database and memory, the format of rollouts
 * already speaks in them (`history_base.end_byte_offset`), and no store has to count lines to name its end.
 */
import type { RawLine } from "@skein/core/record/Jsonl"

/** Behind which record something happens. `offset` is that behind a record's line feed; 0 is the start of a segment. */
export interface Position {
  readonly segmentId: string
  readonly offset: number
}

/** A position. */
export const make = (segmentId: string, offset: number): Position => ({ segmentId, offset })

/** The position behind a line of a segment. */
export const behind = (segmentId: string, { bytes, offset, terminated }: RawLine): Position =>
  make(segmentId, offset + bytes.length + (terminated ? 1 : 0))

/** Whether two positions are one. */
export const equals = (left: Position, right: Position): boolean =>
  left.segmentId === right.segmentId && left.offset === right.offset

/** `segment:offset`, as messages show it. */
export const format = ({ offset, segmentId }: Position): string => `${segmentId}:${offset}`
