/**
 * Makes a store again of the rows that were saved from a damaged one, and says what was lost.
 *
 * Lost lines become one that says so, so that what follows keeps its place and readers see the damage; lost rows of
 * segments and threads are made from what their headers say; what is derived of threads with losses is folded anew.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { canonicalUuid } from "@skein/core/record/Primitive"
import * as Record from "@skein/core/record/Record"
import * as Timestamp from "@skein/core/record/Timestamp"
import * as Derived from "@skein/store/Derived"
import { IdGenerator } from "@skein/store/IdGenerator"
import type { StoreUnavailable } from "@skein/store/StoreError"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import { Effect, Either } from "effect"
import type { Database, Sql } from "./Database.js"
import * as Lines from "./Lines.js"
import * as Listing from "./Listing.js"
import * as Threads from "./Threads.js"

/** What could not be saved, or not as it was. */
export interface Loss {
  readonly what: "lines" | "segment" | "thread" | "metadata"
  readonly threadId?: string | undefined
  readonly segmentId?: string | undefined
  /** Bytes of the segment that are gone. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly message: string
}

interface Segment {
  readonly pk: number
  readonly id: string | null
  readonly thread: number | null
  readonly size: number
}

/** Puts everything together. The rows themselves are not touched where they fit. */
export const mend = (database: Database): Effect.Effect<ReadonlyArray<Loss>, StoreUnavailable> =>
  Effect.gen(function* () {
    const losses: Array<Loss> = []
    yield* database.write("salvage", unknownSegments(losses))
    yield* lines(database, losses)
    yield* database.write("salvage", (sql) =>
      Effect.gen(function* () {
        // What was on its way in or out when the damage was found.
        yield* sql.run("UPDATE segments SET kept_until = 0 WHERE id IS NULL")
        yield* homeless(sql, losses)
        yield* headless(sql, losses)
        yield* details(sql, losses)
        const damaged = losses.flatMap(({ segmentId }) => (segmentId === undefined ? [] : [segmentId]))
        yield* sql.run(
          `UPDATE threads SET lags = 1, reached = NULL WHERE head IN (
  WITH RECURSIVE hit (id) AS (
    SELECT value FROM json_each(?) UNION SELECT s.id FROM segments AS s JOIN hit AS h ON s.base_id = h.id
  )
  SELECT s.pk FROM segments AS s JOIN hit AS h ON s.id = h.id
)`,
          [JSON.stringify(damaged)]
        )
      })
    )
    return losses
  })

/** Lines whose segment's row is lost get a new one. */
const unknownSegments =
  (losses: Array<Loss>) =>
  (sql: Sql): Effect.Effect<void, SqlError> =>
    Effect.gen(function* () {
      const ids = yield* IdGenerator
      let next = 0n
      for (;;) {
        const line = yield* sql.first<{ readonly segment: number }>(
          "SELECT key >> 36 AS segment FROM content WHERE key >= ? ORDER BY key LIMIT 1",
          [next]
        )
        if (line === undefined) return
        const { segment } = line
        next = Lines.key(segment + 1, 0)
        const known = yield* sql.first("SELECT 1 FROM segments WHERE pk = ?", [segment])
        if (known !== undefined) continue
        const segmentId = yield* ids.next
        yield* sql.run("INSERT INTO segments (pk, id, size, made_at) VALUES (?, ?, 0, 0)", [segment, segmentId])
        losses.push({
          what: "segment",
          segmentId,
          message: `what was known of a segment but its lines is lost; it is ${segmentId} now, and stands on what its header says`
        })
      }
    })

/** Lines follow each other again: lost ones are stood for, and what overlaps is none. */
const lines = (database: Database, losses: Array<Loss>): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    const all = yield* database.read("salvage", (sql) =>
      sql.all<Segment>("SELECT pk, id, thread, size FROM segments WHERE id IS NOT NULL ORDER BY pk")
    )
    for (const { id, pk, size } of all) {
      let end = 0
      const fill = (to: number) =>
        database.write("salvage", (sql) =>
          Effect.gen(function* () {
            losses.push({
              what: "lines",
              segmentId: id ?? "",
              from: end,
              to,
              message: `bytes ${end} to ${to} of segment ${id} are lost; a line that says so is in their place`
            })
            // Where others stand on it, a line has to end.
            const ends = yield* sql.all<{ readonly at: number }>(
              `SELECT DISTINCT base_offset AS at FROM segments
WHERE base_id = ? AND base_offset > ? AND base_offset < ? ORDER BY base_offset`,
              [id, end, to]
            )
            let from = end
            for (const { at } of [...ends, { at: to }]) {
              for (const { bytes, offset } of Lines.gaps(from, at)) {
                yield* sql.run("INSERT INTO content (key, line) VALUES (?, ?)", [Lines.key(pk, offset), bytes])
              }
              from = at
            }
          })
        )
      for (;;) {
        const places = yield* database.read("salvage", (sql) =>
          sql.tuples<readonly [offset: number, length: number]>(
            `SELECT ${Lines.offsetOf}, length(line) FROM content WHERE key >= ? AND key < ? ORDER BY key LIMIT 5000`,
            [Lines.key(pk, end), Lines.key(pk + 1, 0)]
          )
        )
        if (places.length === 0) break
        for (const [offset, length] of places) {
          if (offset < end) {
            yield* database.write("salvage", (sql) =>
              sql.run("DELETE FROM content WHERE key = ?", [Lines.key(pk, offset)])
            )
            continue
          }
          if (offset > end) yield* fill(offset)
          end = offset + length + 1
        }
      }
      if (end < size) yield* fill(size)
      if (end > size) {
        yield* database.write("salvage", (sql) => sql.run("UPDATE segments SET size = ? WHERE pk = ?", [end, pk]))
      }
    }
  })

/** Segments whose thread is not known find it, or make it, by their headers. */
const homeless = (sql: Sql, losses: Array<Loss>): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const recovered = losses.flatMap(({ segmentId, what }) => (what === "segment" ? [segmentId] : []))
    const found = yield* sql.all<Segment>(
      `SELECT pk, id, thread, size FROM segments WHERE id IS NOT NULL
AND (thread NOT IN (SELECT pk FROM threads) OR id IN (SELECT value FROM json_each(?))) ORDER BY pk`,
      [JSON.stringify(recovered)]
    )
    for (const segment of found) {
      const segmentId = segment.id ?? ""
      const meta = yield* headerOf(sql, segment)
      const id =
        meta === undefined ? undefined : Either.getOrUndefined(SummaryQuery.threadId(canonicalUuid(meta.payload.id)))
      if (meta === undefined || id === undefined) {
        yield* sql.run("UPDATE segments SET thread = NULL WHERE pk = ?", [segment.pk])
        losses.push({
          what: "thread",
          segmentId,
          message: `no header says which thread segment ${segmentId} is part of; its lines are kept, but no list shows them`
        })
        continue
      }
      const base = meta.payload.history_base
      if (base !== undefined && base !== null && recovered.includes(segmentId)) {
        yield* sql.run("UPDATE segments SET base_id = ?, base_offset = ? WHERE pk = ?", [
          base.thread_id,
          base.end_byte_offset,
          segment.pk
        ])
      }
      const known = yield* sql.first<{ readonly pk: number }>("SELECT pk FROM threads WHERE id = ?", [id])
      if (known !== undefined) {
        yield* sql.run("UPDATE segments SET thread = ? WHERE pk = ?", [known.pk, segment.pk])
        yield* sql.run("UPDATE threads SET head = max(head, ?), lags = 1, reached = NULL WHERE pk = ?", [
          segment.pk,
          known.pk
        ])
        continue
      }
      const row = {
        threadId: id,
        historyMode: Derived.historyModeOf(meta.payload),
        archivedAt: undefined,
        explicit: {},
        derived: Derived.empty,
        madeAt: Timestamp.parse(meta.timestamp) ?? 0
      }
      const nextOrdinal = row.historyMode === "paginated" ? yield* ordinalBehind(sql, segment) : undefined
      const pk = yield* Threads.insert(sql, row, { segment: segment.pk, nextOrdinal, lags: true })
      yield* sql.run("UPDATE segments SET thread = ? WHERE pk = ?", [pk, segment.pk])
      losses.push({
        what: "metadata",
        threadId: id,
        message: `the row of thread ${id} is lost: its name, host metadata and whether it was archived; its log is kept`
      })
    }
  })

const firstLines = "SELECT line FROM content WHERE key >= ? AND key < ? ORDER BY key LIMIT 20"
const lastLines = "SELECT line FROM content WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 200"

const decoded = (sql: Sql, text: string, { pk }: Segment) =>
  Effect.map(sql.all<{ readonly line: Uint8Array }>(text, [Lines.key(pk, 0), Lines.key(pk + 1, 0)]), (found) =>
    found.map(({ line }) => Record.decode({ bytes: line, offset: 0, number: undefined, terminated: true }, "bare"))
  )

const headerOf = (sql: Sql, segment: Segment) =>
  Effect.map(decoded(sql, firstLines, segment), (found) => found.find((one) => one.kind === "session_meta"))

const ordinalBehind = (sql: Sql, segment: Segment) =>
  Effect.map(decoded(sql, lastLines, segment), (found) => {
    for (const one of found) {
      if (one.kind !== "damage" && one.kind !== "blank" && one.ordinal !== undefined) return one.ordinal + 1
    }
    return 0
  })

/** Threads whose head is lost go on from the newest segment that they have; those that have none are lost. */
const headless = (sql: Sql, losses: Array<Loss>): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const found = yield* sql.all<{ readonly pk: number; readonly id: string; readonly newest: number | null }>(
      `SELECT t.pk, t.id, (SELECT max(s.pk) FROM segments AS s WHERE s.thread = t.pk AND s.id IS NOT NULL) AS newest
FROM threads AS t WHERE NOT EXISTS (SELECT 1 FROM segments AS s WHERE s.pk = t.head AND s.id IS NOT NULL)`
    )
    for (const { id, newest, pk } of found) {
      const isLost = newest === null
      if (isLost) {
        yield* sql.run("DELETE FROM details WHERE pk = ?", [pk])
        yield* sql.run("DELETE FROM threads WHERE pk = ?", [pk])
      } else {
        yield* sql.run("UPDATE threads SET head = ?, lags = 1, reached = NULL WHERE pk = ?", [newest, pk])
      }
      losses.push({
        what: "thread",
        threadId: id,
        message: isLost
          ? `nothing of thread ${id} is left but that there was one`
          : `the newest segment of thread ${id} is lost; it goes on from the one before`
      })
    }
  })

/** What lists have of each thread hangs together again. */
const details = (sql: Sql, losses: Array<Loss>): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const stray = "SELECT pk FROM details WHERE pk NOT IN (SELECT pk FROM threads)"
    yield* sql.run(`DELETE FROM details WHERE pk IN (${stray})`)
    const all = yield* sql.all<Partial<Listing.Kept> & { readonly pk: number; readonly id: string }>(
      "SELECT t.pk, t.id, t.progress, d.summary, d.explicit FROM threads AS t LEFT JOIN details AS d ON d.pk = t.pk"
    )
    for (const { explicit, id, pk, progress, summary } of all) {
      const { derived, explicit: said } = Listing.stateOf({
        progress: progress ?? "",
        summary: summary ?? "",
        explicit: explicit ?? ""
      })
      if (said === undefined) {
        const text = explicit ?? ""
        losses.push({
          what: "metadata",
          threadId: id,
          message: `name and host metadata of thread ${id} are lost${text === "" ? "" : `; there was ${JSON.stringify(text.slice(0, 1000))}`}`
        })
      }
      const at = yield* sql.first<Pick<Threads.Place, "history_mode" | "archived_at" | "made_at" | "version">>(
        "SELECT * FROM threads WHERE pk = ?",
        [pk]
      )
      if (at === undefined) continue
      yield* sql.run(
        `INSERT INTO details (pk, summary, explicit, preview) VALUES (?, '{}', ?, '')
ON CONFLICT (pk) DO UPDATE SET explicit = excluded.explicit`,
        [pk, JSON.stringify(said ?? {})]
      )
      if (derived === undefined) yield* sql.run("UPDATE threads SET lags = 1, reached = NULL WHERE pk = ?", [pk])
      yield* Threads.put(sql, pk, at.version + 1, Threads.rowOf(id, at, { derived, explicit: said }))
      yield* Listing.putMetadata(sql, pk, said?.metadata)
    }
  })
