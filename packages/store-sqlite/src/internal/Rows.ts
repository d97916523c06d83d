/** Rows as a driver has them: what lists show, what is derived, and what is said of threads explicitly. */
import type { Driver, Lagging } from "@skein/store/Driver"
import * as Positions from "@skein/store/Position"
import { StoreUnavailable } from "@skein/store/StoreError"
import * as Summary from "@skein/store/Summary"
import { Effect } from "effect"
import type { Database } from "./Database.js"
import * as Fault from "./Fault.js"
import * as Listing from "./Listing.js"
import * as Threads from "./Threads.js"

const oneRow = `SELECT ${Listing.selected} FROM threads AS t JOIN details AS d ON d.pk = t.pk WHERE t.id = ?`

interface Behind extends Listing.Stored {
  readonly reached: number | null
  readonly segment_id: string
}

const behind = `SELECT ${Listing.selected}, t.reached, s.id AS segment_id
FROM threads AS t JOIN details AS d ON d.pk = t.pk JOIN segments AS s ON s.pk = t.head WHERE t.lags = 1`

/** What lists have of threads. */
export const rows = (
  database: Database,
  states: Threads.States
): Pick<Driver, "row" | "rows" | "lagging" | "putDerived" | "updateExplicit" | "setArchived"> => ({
  row: (threadId) =>
    database.read("row", (sql) =>
      Effect.flatMap(sql.first<Listing.Stored>(oneRow, [threadId]), (stored) =>
        stored === undefined ? Threads.missing(threadId) : Effect.succeed(Listing.rowOf(stored))
      )
    ),

  rows: (query) => database.read("rows", (sql) => Listing.page(sql, query)),

  lagging: (threadId) =>
    Effect.map(
      database.read("lagging", (sql) =>
        threadId === undefined ? sql.all<Behind>(behind) : sql.all<Behind>(`${behind} AND t.id = ?`, [threadId])
      ),
      (all) =>
        all.map((row): Lagging => {
          const { derived } = Listing.stateOf(row)
          const from =
            row.reached === null || derived === undefined
              ? undefined
              : { derived, reached: Positions.make(row.segment_id, row.reached) }
          return { threadId: row.id, from }
        })
    ),

  putDerived: (threadId, derived, reached) =>
    database
      .write("putDerived", (sql) =>
        Effect.gen(function* () {
          const at = yield* Threads.place(sql, threadId)
          const isEnd = reached.offset === at.size
          const isFurther = at.lags === 1 && reached.offset < at.size && reached.offset > (at.reached ?? -1)
          if (reached.segmentId !== at.segment_id || !(isEnd || isFurther)) return
          const { explicit } = yield* states.get(sql, at)
          yield* Threads.put(sql, at.pk, at.version + 1, Threads.rowOf(threadId, at, { derived, explicit }))
          yield* sql.run("UPDATE threads SET lags = ?, reached = ? WHERE pk = ?", [
            isEnd ? 0 : 1,
            isEnd ? null : reached.offset,
            at.pk
          ])
        })
      )
      .pipe(Effect.catchTag("ThreadNotFound", () => Effect.void)),

  updateExplicit: (threadId, change) =>
    database.write("updateSummary", (sql) =>
      Effect.gen(function* () {
        const at = yield* Threads.place(sql, threadId)
        const { derived, explicit } = yield* states.get(sql, at)
        // Nothing that was said is written over before somebody has seen to it.
        if (explicit === undefined) return yield* Effect.fail(unreadable(database.path, threadId))
        const changed = change(explicit)
        const { name } = Summary.of(Threads.rowOf(threadId, at, { derived, explicit: changed }))
        yield* sql.run("UPDATE threads SET version = version + 1 WHERE pk = ?", [at.pk])
        yield* sql.run("UPDATE details SET explicit = ?, name = ? WHERE pk = ?", [
          JSON.stringify(changed),
          name ?? null,
          at.pk
        ])
        yield* Listing.putMetadata(sql, at.pk, changed.metadata)
      })
    ),

  setArchived: (threadId, time) =>
    database.write("archive", (sql) =>
      Effect.gen(function* () {
        const at = yield* Threads.place(sql, threadId)
        if ((at.archived_at === null) === (time === undefined)) return
        yield* sql.run(
          "UPDATE threads SET version = version + 1, archived_at = ?, shelf = (shelf & 1) + ? WHERE pk = ?",
          [time ?? null, time === undefined ? 0 : 2, at.pk]
        )
      })
    )
})

const unreadable = (path: string, threadId: string): StoreUnavailable =>
  new StoreUnavailable({
    operation: "updateSummary",
    reason: `the name and metadata of thread ${threadId} are damaged`,
    advice: 'Run "skein doctor --repair", which keeps a copy of them.',
    retryable: false,
    paths: Fault.filesOf(path)
  })
