/**
 * Repeated ordinals of a paginated log: when a line has the ordinal of the record in front of it, the first one counts.
 *
 * Only neighbours are compared, so the rule is the same forward and backward and needs no memory; ordinals that skip or
 * fall do no harm and records count in the order of their lines (since-july).
 */
import * as Jsonl from "./Jsonl.js"
import type { Decoded, StoredRecord } from "./Record.js"

/** A line that nobody decodes, but whose ordinal still counts as the one in front of the next line. */
export interface Skipped {
  readonly kind: "skipped"
  readonly ordinal: number | undefined
}

const repeats = (earlier: StoredRecord | Skipped | undefined, later: StoredRecord): boolean =>
  later.ordinal !== undefined && earlier?.ordinal === later.ordinal

const repeated = (record: StoredRecord): Jsonl.Damage =>
  Jsonl.damage(record.line, "repeated-ordinal", `ordinal ${record.ordinal} stands twice`)

const isRecord = (decoded: Decoded): decoded is StoredRecord => decoded.kind !== "damage" && decoded.kind !== "blank"

/**
 * Passes decoded lines on in file order, a repetition as damage. Single use. Of a line that was skipped only the
 * ordinal counts, and it comes back as it is.
 */
export const forward = (): (<Line extends Decoded | Skipped>(line: Line) => Line | Jsonl.Damage) => {
  let last: number | undefined
  return (line) => {
    if (line.kind === "skipped") {
      last = line.ordinal
      return line
    }
    if (!isRecord(line)) return line
    const { ordinal } = line
    if (ordinal !== undefined && ordinal === last) return repeated(line)
    last = ordinal
    return line
  }
}

/**
 * Passes decoded lines on from last to first. Whether a record repeats the one in front of it shows only then, so a
 * record with an ordinal is held until the next older record is there, and with it the unreadable lines in between;
 * call with undefined at the start of the log. Memory: those lines.
 */
export const backward = (): ((decoded: Decoded | Skipped | undefined) => ReadonlyArray<Decoded>) => {
  let held: StoredRecord | undefined
  let between: Array<Decoded> = []
  return (decoded) => {
    if (decoded !== undefined && decoded.kind !== "skipped" && !isRecord(decoded)) {
      if (held === undefined) return [decoded]
      between.push(decoded)
      return []
    }
    const later = held
    const told = later === undefined ? [] : [repeats(decoded, later) ? repeated(later) : later, ...between]
    held = undefined
    between = []
    if (decoded === undefined || decoded.kind === "skipped") return told
    if (decoded.ordinal === undefined) return [...told, decoded]
    held = decoded
    return told
  }
}
