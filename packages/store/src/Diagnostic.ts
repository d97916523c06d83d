/** What a reader noticed about a log: a place, a meaning, and how much it matters. */
import type { Damage, DamageReason } from "@skein/core/record/Jsonl"

/** What was noticed. */
export type Code =
  | DamageReason
  | "zstd-damaged"
  | "seek-table-damaged"
  | "missing-base"
  | "cyclic-base"
  | "base-outside-home"
  | "base-too-short"
  | "base-offset-mismatch"
  | "base-offset-inside-line"
  | "no-session-meta"
  | "no-final-newline"
  | "unfinished-batch"
  | "duplicate-file"
  | "unknown-kind"
  | "inexact-number"
  | "ordinal-gap"
  | "ordinal-missing"
  | "ordinal-unexpected"

/** One thing that a reader noticed. `error`: something is lost; `warning`: odd, but all is there. */
export interface Diagnostic {
  readonly severity: "error" | "warning"
  readonly code: Code
  readonly path: string
  /** Number of the line, from 1. */
  readonly line: number | undefined
  /** Offset in bytes, in the decoded file. */
  readonly offset: number | undefined
  readonly message: string
}

/** What a damaged line means to a reader. */
export const ofDamage = (path: string, damage: Damage): Diagnostic => ({
  severity: damage.reason === "repeated-ordinal" ? "warning" : "error",
  code: damage.reason,
  path,
  line: damage.line.number,
  offset: damage.line.offset,
  message: `${meaning[damage.reason]}: ${damage.detail}`
})

const meaning: Readonly<Record<DamageReason, string>> = {
  torn: "the last line was cut off while it was written; it is left out",
  "invalid-utf8": "the line is not text; it is left out",
  "invalid-json": "the line is not JSON; it is left out",
  "too-deep": "the line is nested too deeply; it is left out",
  "too-long": "the line is too long to read; it is left out",
  "lone-surrogate": "the line holds text that is not Unicode; it is left out",
  "number-out-of-range": "the line holds a number that cannot be kept; it is left out",
  "not-an-object": "the line is no record; it is left out",
  "bad-envelope": "the line is no record; it is left out",
  "bad-payload": "the record does not have the form of its kind; it is left out",
  "unknown-history-mode": "the thread is kept in a way that this version does not know",
  "repeated-ordinal": "the line has the ordinal of the line before it; the first one counts"
}
