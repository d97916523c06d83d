/** The questions that a doctor asks a database, each by itself, so that one that gets no answer hides no other. */
import type { SqlError } from "@effect/sql/SqlError"
import type { StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import type { Body, Database, Sql } from "./Database.js"
import * as Fault from "./Fault.js"
import * as Lines from "./Lines.js"
import * as Listing from "./Listing.js"

/**
 * What was found:
 * - `unreadable`: SQLite cannot read the file, or a part of it;
 * - `broken-reference`: a row names another one that is not there;
 * - `gap`: lines are missing where others follow, or at the end of a segment;
 * - `stray-lines`: lines of a segment that is not known;
 * - `missing-base`, `cyclic-base`, `base-too-short`, `base-inside-line`: what a thread stands on is not as it says;
 * - `unreadable-metadata`: a name or host metadata that cannot be read;
 * - `stale`: what lists show of a thread is not what its log says;
 * - `behind`: threads whose row is folded before the next list;
 * - `leftover`: lines of removed threads that are swept away at the next opening.
 */
export type Code =
  | "unreadable"
  | "broken-reference"
  | "gap"
  | "stray-lines"
  | "missing-base"
  | "cyclic-base"
  | "base-too-short"
  | "base-inside-line"
  | "unreadable-metadata"
  | "stale"
  | "behind"
  | "leftover"

/** One thing that was found. `error`: something is lost or wrong; `warning`: it can be made right; `info`: no fault. */
export interface Finding {
  readonly severity: "error" | "warning" | "info"
  readonly code: Code
  readonly threadId?: string | undefined
  readonly segmentId?: string | undefined
  /** Byte in the segment. */
  readonly offset?: number | undefined
  readonly message: string
}

const finding = (
  severity: Finding["severity"],
  code: Code,
  message: string,
  where: Partial<Pick<Finding, "threadId" | "segmentId" | "offset">> = {}
): Finding => ({ severity, code, message, ...where })

/** Asks a question; a part of the file that SQLite cannot read is a finding too. */
const ask = (
  database: Database,
  what: string,
  body: Body<ReadonlyArray<Finding>, SqlError>
): Effect.Effect<ReadonlyArray<Finding>, StoreUnavailable> =>
  database.snapshot("doctor", body).pipe(
    Effect.catchIf(
      ({ cause }) => Fault.kindOf(cause) === "corrupt",
      ({ cause }) => Effect.succeed([finding("error", "unreadable", `${what}: ${String((cause as Error).message)}`)])
    )
  )

/** Everything but what needs a look into lines. Cost: one pass over the file. */
export const all = (database: Database): Effect.Effect<ReadonlyArray<Finding>, StoreUnavailable> =>
  Effect.map(
    Effect.all([
      ask(database, "the file as such", integrity),
      ask(database, "references between rows", references),
      contiguous(database),
      ask(database, "what segments stand on", bases),
      ask(database, "rows of threads", rows),
      ask(database, "what is behind or left over", leftovers)
    ]),
    (found) => found.flat()
  )

const integrity = (sql: Sql) =>
  Effect.map(sql.all<{ readonly integrity_check: string }>("PRAGMA integrity_check(100)"), (found) =>
    found
      .filter(({ integrity_check }) => integrity_check !== "ok")
      .map(({ integrity_check }) => finding("error", "unreadable", integrity_check))
  )

interface Broken {
  readonly table: string
  readonly rowid: number | null
  readonly parent: string
}

const references = (sql: Sql) =>
  Effect.map(sql.all<Broken>("PRAGMA foreign_key_check"), (found) =>
    found.map(({ parent, rowid, table }) =>
      finding("error", "broken-reference", `row ${rowid ?? "?"} of ${table} names a row of ${parent} that is not there`)
    )
  )

interface Known {
  readonly pk: number
  readonly id: string | null
  readonly size: number
}

type Place = readonly [segment: number, offset: number, length: number]

const placesText = `SELECT key >> 36, ${Lines.offsetOf}, length(line) FROM content WHERE key > ? ORDER BY key LIMIT 5000`

/** Whether the lines of every segment follow each other without a gap up to its size. */
const contiguous = (database: Database): Effect.Effect<ReadonlyArray<Finding>, StoreUnavailable> =>
  Effect.gen(function* () {
    const found: Array<Finding> = []
    let last = -1n
    let at: Known | undefined
    let end = 0
    const missing = (from: number, to: number): void => {
      if (at?.id === null || at === undefined || from === to) return
      const segmentId = at.id
      found.push(
        from < to
          ? finding("error", "gap", `bytes ${from} to ${to} of segment ${segmentId} are missing`, {
              segmentId,
              offset: from
            })
          : finding("error", "gap", `segment ${segmentId} has lines up to ${from}, but should end at ${to}`, {
              segmentId,
              offset: to
            })
      )
    }
    const page = (sql: Sql) =>
      Effect.gen(function* () {
        const places = yield* sql.tuples<Place>(placesText, [last])
        const known = yield* sql.all<Known>("SELECT pk, id, size FROM segments WHERE pk BETWEEN ? AND ?", [
          places[0]?.[0] ?? 0,
          places.at(-1)?.[0] ?? 0
        ])
        return { places, known: new Map(known.map((one) => [one.pk, one])) }
      })
    const walk = Effect.gen(function* () {
      const seen = new Set<number>()
      for (;;) {
        const { known, places } = yield* database.snapshot("doctor", page)
        for (const [segment, offset, length] of places) {
          if (!seen.has(segment)) {
            if (at !== undefined) missing(end, at.size)
            seen.add(segment)
            at = known.get(segment)
            end = 0
            if (at === undefined) {
              found.push(finding("error", "stray-lines", `there are lines of a segment ${segment} that is not known`))
            }
          }
          if (offset !== end) missing(end, offset)
          end = offset + length + 1
          last = Lines.key(segment, offset)
        }
        if (places.length === 0) break
      }
      if (at !== undefined) missing(end, at.size)
      const empty = yield* database.read("doctor", (sql) =>
        sql.all<Known>("SELECT pk, id, size FROM segments WHERE size > 0 AND id IS NOT NULL")
      )
      for (const one of empty) {
        if (seen.has(one.pk)) continue
        at = one
        missing(0, one.size)
      }
      return found
    })
    return yield* walk.pipe(
      Effect.catchIf(
        ({ cause }) => Fault.kindOf(cause) === "corrupt",
        () => Effect.succeed([...found, finding("error", "unreadable", `lines behind those of key ${last}`)])
      )
    )
  })

interface Based {
  readonly id: string
  readonly base_id: string
  readonly base_offset: number
  readonly base_size: number | null
  readonly fits: number
}

const basesText = `SELECT s.id, s.base_id, s.base_offset, b.size AS base_size,
  s.base_offset = b.size OR EXISTS (SELECT 1 FROM content AS c WHERE c.key = (b.pk << 36) + s.base_offset) AS fits
FROM segments AS s LEFT JOIN segments AS b ON b.id = s.base_id WHERE s.id IS NOT NULL AND s.base_id IS NOT NULL`

const bases = (sql: Sql) =>
  Effect.map(sql.all<Based>(basesText), (all) => {
    const below = new Map(all.map(({ base_id, id }) => [id, base_id]))
    return all.flatMap(({ base_id, base_offset, base_size, fits, id }): ReadonlyArray<Finding> => {
      const where = { segmentId: id }
      const says = `segment ${id} continues ${base_id}:${base_offset}`
      if (base_size === null) return [finding("error", "missing-base", `${says}, which is not there`, where)]
      if (inCircle(id, below)) return [finding("error", "cyclic-base", `${says}, which continues it`, where)]
      if (base_offset > base_size) return [finding("error", "base-too-short", `${says}, but that ends earlier`, where)]
      return fits === 1 ? [] : [finding("warning", "base-inside-line", `${says}, inside a line`, where)]
    })
  })

const inCircle = (id: string, below: ReadonlyMap<string, string>): boolean => {
  const seen = new Set<string>()
  for (let at = below.get(id); at !== undefined && !seen.has(at); at = below.get(at)) {
    if (at === id) return true
    seen.add(at)
  }
  return false
}

/** The columns that lists are made with, and the JSON that they follow from. */
const rows = (sql: Sql) =>
  Effect.gen(function* () {
    const found: Array<Finding> = []
    let last = ""
    for (;;) {
      const page = yield* sql.all<Listing.Stored & Readonly<Record<string, unknown>>>(
        `SELECT ${Listing.selected}, ${Listing.columns.map((name) => `t.${name}`).join(", ")}
FROM threads AS t JOIN details AS d ON d.pk = t.pk WHERE t.id > ? ORDER BY t.id LIMIT 1000`,
        [last]
      )
      for (const row of page) {
        const threadId = row.id
        const { derived, explicit } = Listing.stateOf(row)
        if (explicit === undefined) {
          const says = `the name and metadata of thread ${threadId} cannot be read`
          found.push(finding("error", "unreadable-metadata", says, { threadId }))
        }
        const values = Listing.values(Listing.rowOf(row))
        if (derived === undefined || Listing.columns.some((name, i) => row[name] !== values[i])) {
          const says = `what lists have of thread ${threadId} does not hang together`
          found.push(finding("warning", "stale", says, { threadId }))
        }
      }
      const end = page.at(-1)
      if (end === undefined) return found
      last = end.id
    }
  })

const leftovers = (sql: Sql) =>
  Effect.gen(function* () {
    const counts = yield* sql.first<{ readonly behind: number; readonly leftover: number }>(
      `SELECT (SELECT count(*) FROM threads WHERE lags = 1) AS behind,
        (SELECT count(*) FROM segments WHERE id IS NULL) AS leftover`
    )
    const found: Array<Finding> = []
    if (counts === undefined) return found
    const { behind, leftover } = counts
    if (behind > 0) found.push(finding("info", "behind", `${behind} threads are folded before the next list`))
    if (leftover > 0) {
      found.push(
        finding("info", "leftover", `${leftover} segments are coming in, or are swept away at the next opening`)
      )
    }
    return found
  })
