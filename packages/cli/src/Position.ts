/** Where in a log a question is asked: `--at` takes a line number, a turn id or a time. */
import type { RawLine } from "@skein/core/record/Jsonl"
import * as Record from "@skein/core/record/Record"
import * as Sniff from "@skein/core/record/Sniff"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import { InvalidRequest } from "@skein/store/StoreError"
import { Effect } from "effect"

/**
 * The log as it stood at a position.
 *
 * A whole number is a line of the file that was named, from 1: the log ends behind that line, and 0 leaves only what
 * the file inherits. A time (RFC 3339) ends the log in front of the first record written later. Anything else is the
 * id of a turn: the log ends with the last record before the next turn starts. Cost: one pass over the heads of the
 * lines up to the position.
 *
 * @param field The option that the position was given with, for those whose position there is not.
 */
export const before = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  at: string,
  field = "--at"
): Effect.Effect<EffectiveLog.EffectiveLog<E>, E | InvalidRequest> => {
  if (/^\d+$/.test(at)) return atLine(log, Number(at), field)
  const time = parseTime(at)
  return time === undefined ? atTurn(log, at, field) : atTime(log, time)
}

const timePattern = /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2})?)?$/

const parseTime = (text: string): number | undefined => {
  if (!timePattern.test(text)) return undefined
  // A time without a zone is UTC, as the times in the files are.
  const zoned = /[Zz]$|[+-]\d{2}:\d{2}$/.test(text) || !/[Tt ]/.test(text) ? text : `${text}Z`
  const time = Date.parse(zoned.replace(" ", "T"))
  return Number.isNaN(time) ? undefined : time
}

/** The first place for which `stop` holds, as a cut in front of it; undefined when it never does. */
const cutWhere = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  stop: (line: RawLine, piece: number) => boolean
): Effect.Effect<EffectiveLog.EffectiveLog<E> | undefined, E> =>
  Effect.gen(function* () {
    let found: EffectiveLog.EffectiveLog<E> | undefined
    yield* EffectiveLog.lines(log, (line, piece) => {
      if (!stop(line, piece)) return true
      found = EffectiveLog.cut(log, piece, line.offset)
      return false
    })
    return found
  })

const atLine = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  number: number,
  field: string
): Effect.Effect<EffectiveLog.EffectiveLog<E>, E | InvalidRequest> =>
  Effect.gen(function* () {
    const own = log.pieces.length - 1
    let last = 0
    const cut = yield* cutWhere(log, (line, piece) => {
      if (piece !== own) return false
      if (line.number === number + 1) return true
      last = line.number ?? last
      return false
    })
    if (cut !== undefined) return cut
    if (number <= last) return log
    return yield* Effect.fail(
      new InvalidRequest({
        field,
        reason: `the file has ${last} lines, not ${number}`,
        advice: "Name a line from 0 to that."
      })
    )
  })

const atTime = <E>(log: EffectiveLog.EffectiveLog<E>, time: number): Effect.Effect<EffectiveLog.EffectiveLog<E>, E> =>
  Effect.map(
    cutWhere(log, (line) => {
      const written = writtenAt(line)
      return written !== undefined && written > time
    }),
    (cut) => cut ?? log
  )

const writtenAt = (line: RawLine): number | undefined => {
  let timestamp = Sniff.timestamp(line.bytes)
  if (timestamp === undefined) {
    const decoded = Record.decode(line)
    if (EffectiveLog.isRecord(decoded)) timestamp = decoded.timestamp
  }
  const time = timestamp === undefined ? Number.NaN : Date.parse(timestamp)
  return Number.isNaN(time) ? undefined : time
}

const atTurn = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  turn: string,
  field: string
): Effect.Effect<EffectiveLog.EffectiveLog<E>, E | InvalidRequest> =>
  Effect.gen(function* () {
    let inside = false
    let known = 0
    const cut = yield* cutWhere(log, (line) => {
      const started = startedTurn(line)
      if (started === undefined) return false
      known++
      if (started === turn) inside = true
      else if (inside) return true
      return false
    })
    if (cut !== undefined) return cut
    if (inside) return log
    return yield* Effect.fail(
      new InvalidRequest({
        field,
        reason: `no turn of this thread has the id ${turn}`,
        advice:
          known === 0
            ? "Its turns have no recorded ids; use a line number or a time."
            : "Use the id of a turn that starts in it, a line number, or a time such as 2026-11-20T12:00:00Z."
      })
    )
  })

/** The id of the turn that a line starts. */
const startedTurn = (line: RawLine): string | undefined => {
  const head = Sniff.head(line.bytes)
  if (head !== undefined && (head.type !== "event_msg" || (head.inner !== undefined && !starts.has(head.inner)))) {
    return undefined
  }
  const decoded = Record.decode(line)
  return decoded.kind === "event_msg" && decoded.payload.type === "task_started" ? decoded.payload.turn_id : undefined
}

const starts: ReadonlySet<string> = new Set(["task_started", "turn_started"])
