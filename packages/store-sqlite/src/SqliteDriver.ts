/**
 * The driver over one SQLite file: lines of segments, a row for each thread, leases. What each statement does is said in
 * `internal`; here is what an operation consists of, and which of it is one transaction.
 */
import { access } from "node:fs/promises"
import * as Derived from "@skein/store/Derived"
import type { AppendRequest, Driver, HeldLease, Lagging, LeaseRequest, NewSegment } from "@skein/store/Driver"
import * as Positions from "@skein/store/Position"
import {
  AppendConflict,
  type AppendError,
  InvalidRequest,
  LeaseHeld,
  StoreUnavailable,
  ThreadAlreadyExists
} from "@skein/store/StoreError"
import type { ThreadRow } from "@skein/store/Summary"
import * as Summary from "@skein/store/Summary"
import { Clock, Duration, Effect, Either, type Scope } from "effect"
import * as Database from "./internal/Database.js"
import * as Fault from "./internal/Fault.js"
import * as Lines from "./internal/Lines.js"
import * as Listing from "./internal/Listing.js"
import * as Migrator from "./internal/Migrator.js"
import * as Segments from "./internal/Segments.js"
import * as StoreSchema from "./internal/StoreSchema.js"
import * as Threads from "./internal/Threads.js"

/** How a store is opened. */
export interface Options {
  /** The database; made when it is not there. Beside it SQLite keeps two more files, `-wal` and `-shm`. */
  readonly filename: string
  /** How long what was acknowledged is safe: `os`: the process may die; `fsync`: the power may fail. Default `fsync`. */
  readonly durability?: "os" | "fsync" | undefined
  /** How long an operation waits for other processes before it fails with `StoreUnavailable`. Default 5 seconds. */
  readonly patience?: Duration.DurationInput | undefined
  /** Whether a database that is not there is made. Default true. */
  readonly create?: boolean | undefined
}

/**
 * Opens a store for as long as the scope lasts, and brings its schema up to date.
 *
 * Any number of processes may have one file open. A damaged database, one of another program, and one whose schema was
 * changed by hand are refused with `StoreUnavailable`.
 */
export const make = (options: Options): Effect.Effect<Driver, StoreUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const durability = options.durability ?? "fsync"
    const database = yield* Database.open({
      filename: options.filename,
      durability,
      patience: Duration.toMillis(options.patience ?? "5 seconds"),
      create: options.create ?? true
    })
    yield* Migrator.migrate(database, StoreSchema.store)
    // What was being removed, or came in and went no further, when a process ended.
    yield* Effect.forkScoped(Effect.ignore(Segments.sweep(database)))
    const states = Threads.states()
    return {
      name: "sqlite",
      supports: {
        sharedPrefixes: { legacy: true, paginated: true },
        multiProcess: true,
        follow: "machine",
        durability,
        sharedOnDelete: "keep",
        backup: true
      },
      marksBatches: false,
      ...writing(database, states),
      ...reading(database),
      ...rows(database, states),
      remove: (threadId, shared) =>
        database
          .write("remove", (sql) =>
            Effect.flatMap(Threads.place(sql, threadId), ({ pk }) => Segments.remove(sql, pk, threadId, shared))
          )
          // The thread is gone; lines that a failure leaves are swept away by the next opening.
          .pipe(Effect.zipLeft(Effect.ignore(Segments.sweep(database)))),
      lease: (request) => lease(database, request),
      views: {
        load: (threadId) =>
          Effect.map(
            database.read("views", (sql) => sql.first<StoredView>(loadView, [threadId])),
            (row) =>
              row === undefined ? undefined : { reached: Positions.make(row.segment_id, row.offset), view: row.view }
          ),
        save: (threadId, { reached, view }) =>
          database.write("views", (sql) => sql.run(saveView, [reached.segmentId, reached.offset, view, threadId]))
      },
      backup: (path) => backup(database, path)
    }
  })

interface StoredView {
  readonly segment_id: string
  readonly offset: number
  readonly view: string
}

const loadView =
  "SELECT v.segment_id, v.offset, v.view FROM views AS v JOIN threads AS t ON t.pk = v.thread WHERE t.id = ?"
const saveView =
  "INSERT OR REPLACE INTO views (thread, segment_id, offset, view) SELECT pk, ?, ?, ? FROM threads WHERE id = ?"

const conflict = (threadId: string, expected: Positions.Position, actual: Positions.Position): AppendConflict =>
  new AppendConflict({ threadId, reason: "position", expected, actual })

/** What adds to logs. */
const writing = (
  database: Database.Database,
  states: Threads.States
): Pick<Driver, "create" | "append" | "branch"> => ({
  create: (thread) =>
    Effect.gen(function* () {
      const { archivedAt, derived, explicit, historyMode, segment, threadId } = thread
      const exists = new ThreadAlreadyExists({ threadId })
      const known = yield* database.read("create", (sql) => sql.first("SELECT 1 FROM threads WHERE id = ?", [threadId]))
      if (known !== undefined) return yield* Effect.fail(exists)
      const row: ThreadRow = {
        threadId,
        historyMode,
        archivedAt,
        explicit,
        derived: derived ?? Derived.empty,
        madeAt: segment.madeAt
      }
      return yield* Segments.take(database, segment.content, (incoming) =>
        database.write("create", (sql) =>
          Effect.gen(function* () {
            const known = yield* sql.first("SELECT 1 FROM threads WHERE id = ?", [threadId])
            // What others stand on of a deleted thread keeps its id taken.
            const made = known === undefined ? yield* Segments.adopt(database, sql, segment, incoming) : undefined
            if (made === undefined) return yield* Effect.fail(exists)
            const { nextOrdinal } = segment
            const pk = yield* Threads.insert(sql, row, { segment: made.pk, nextOrdinal, lags: derived === undefined })
            yield* sql.run("UPDATE segments SET thread = ? WHERE pk = ?", [pk, made.pk])
            return Positions.make(segment.segmentId, made.size)
          })
        )
      )
    }),

  append: (request) =>
    Effect.gen(function* () {
      const { ends, next } = yield* database.write("append", (sql) => append(sql, states, request))
      if (next !== undefined) states.set(next.pk, next.state)
      return ends
    }),

  branch: (threadId, segment, { expected, fence }) =>
    Segments.take(database, segment.content, (incoming) =>
      database.write("branch", (sql) =>
        Effect.gen(function* () {
          const at = yield* Threads.place(sql, threadId)
          yield* Threads.permit(threadId, at, fence)
          const head = Positions.make(at.segment_id, at.size)
          if (!Positions.equals(expected, head)) return yield* Effect.fail(conflict(threadId, expected, head))
          const made = yield* Segments.adopt(database, sql, segment, incoming)
          if (made === undefined) return yield* Effect.fail(taken(segment))
          const row = Threads.rowOf(threadId, at, yield* states.get(sql, at))
          yield* Threads.moved(sql, at, row, { segment: made.pk, nextOrdinal: segment.nextOrdinal })
          yield* sql.run("UPDATE segments SET thread = ? WHERE pk = ?", [at.pk, made.pk])
          return Positions.make(segment.segmentId, made.size)
        })
      )
    )
})

const taken = ({ segmentId }: NewSegment): InvalidRequest =>
  new InvalidRequest({
    field: "segmentId",
    reason: `there is a segment ${segmentId} already`,
    advice: "Give the new segment an id of its own."
  })

/** One append: the lines, the end of the log, and what is derived of it. */
const append = (sql: Database.Sql, states: Threads.States, { batches, expected, fence, threadId }: AppendRequest) =>
  Effect.gen(function* () {
    const at = yield* Threads.place(sql, threadId)
    yield* Threads.permit(threadId, at, fence)
    const head = Positions.make(at.segment_id, at.size)
    if (expected !== "any" && !Positions.equals(expected, head)) {
      return yield* Effect.fail<AppendError>(conflict(threadId, expected, head))
    }
    const before = at.lags === 1 ? undefined : yield* states.get(sql, at)
    let derived = before?.derived
    let located = Threads.located(threadId, at)
    let lines: Array<Uint8Array> = []
    const ends: Array<Positions.Position> = []
    for (const batch of batches) {
      const asked = batch(located)
      if (Either.isLeft(asked)) return yield* Effect.fail<AppendError>(asked.left)
      const write = asked.right
      if (write.lines.length > 0) {
        lines = lines.length === 0 ? [...write.lines] : lines.concat(write.lines)
        if (derived !== undefined) derived = write.derive(derived)
        const { nextOrdinal } = located
        located = {
          ...located,
          head: Positions.make(at.segment_id, located.head.offset + Lines.lengthOf(write.lines)),
          nextOrdinal: nextOrdinal === undefined ? undefined : nextOrdinal + write.lines.length
        }
      }
      ends.push(located.head)
    }
    if (lines.length === 0) return { ends, next: undefined }
    yield* Segments.grow(sql, at.segment, at.size, lines)
    yield* Threads.grown(sql, threadId, at, located.nextOrdinal ?? null, before, derived)
    const state = before === undefined ? undefined : { version: at.version + 1, derived, explicit: before.explicit }
    return { ends, next: state === undefined ? undefined : { pk: at.pk, state } }
  })

/** What reads logs. */
const reading = (database: Database.Database): Pick<Driver, "locate" | "open" | "segments"> => ({
  locate: (threadId) =>
    Effect.map(
      database.read("locate", (sql) => Threads.place(sql, threadId)),
      (at) => Threads.located(threadId, at)
    ),

  open: (threadId) =>
    Effect.gen(function* () {
      const { diagnostics, links } = yield* database.snapshot("open", (sql) =>
        Effect.flatMap(Threads.place(sql, threadId), (at) => Segments.chain(sql, at.segment))
      )
      const pieces = yield* Effect.forEach(links, (link, i) =>
        Segments.pieceOf(database, link, links[i - 1]?.base_offset ?? link.size, threadId)
      )
      return { pieces: pieces.reverse(), meta: pieces.at(-1)?.meta, whole: diagnostics.length === 0, diagnostics }
    }),

  segments: (threadId) =>
    Effect.map(
      database.snapshot("segments", (sql) =>
        Effect.flatMap(Threads.place(sql, threadId), ({ pk, segment }) => Segments.ofThread(sql, pk, segment))
      ),
      (all) =>
        all.map((one) => ({
          segmentId: one.id,
          base: Segments.baseOf(one),
          source: Lines.source(database, one, threadId),
          madeAt: one.made_at
        }))
    )
})

const oneRow = `SELECT ${Listing.selected} FROM threads AS t JOIN details AS d ON d.pk = t.pk WHERE t.id = ?`

interface Behind extends Listing.Stored {
  readonly reached: number | null
  readonly segment_id: string
}

const behind = `SELECT ${Listing.selected}, t.reached, s.id AS segment_id
FROM threads AS t JOIN details AS d ON d.pk = t.pk JOIN segments AS s ON s.pk = t.head WHERE t.lags = 1`

/** What lists have of threads. */
const rows = (
  database: Database.Database,
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

type Held = Pick<Threads.Place, "fence" | "holder" | "expires_at">

/** Takes a lease. Fences count up over all threads, so that no thread ever sees one twice. */
const lease = (database: Database.Database, { name, threadId, time }: LeaseRequest) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const expiresAt = now + time
    const { fence, pk } = yield* database.write("lease", (sql) =>
      Effect.gen(function* () {
        const at = yield* Threads.place(sql, threadId)
        yield* Threads.permit(threadId, at, undefined)
        const made = yield* sql.first<{ readonly fence: number }>(
          "INSERT OR REPLACE INTO leases (thread, name, expires_at) VALUES (?, ?, ?) RETURNING fence",
          [at.pk, name, expiresAt]
        )
        return { fence: made?.fence ?? 0, pk: at.pk }
      })
    )
    const renew = Effect.gen(function* () {
      const until = (yield* Clock.currentTimeMillis) + time
      return yield* database.write("lease", (sql) =>
        Effect.gen(function* () {
          const kept = yield* sql.first("UPDATE leases SET expires_at = ? WHERE fence = ? RETURNING 1", [until, fence])
          if (kept !== undefined) return until
          const other = yield* sql.first<Held>(
            "SELECT fence, name AS holder, expires_at FROM leases WHERE thread = ?",
            [pk]
          )
          const holder = Threads.holderOf(other ?? nobody, { fence, expiresAt: until - time })
          return yield* Effect.fail(new LeaseHeld({ threadId, holder }))
        })
      )
    })
    const release = database.write("lease", (sql) => sql.run("DELETE FROM leases WHERE fence = ?", [fence]))
    const held: HeldLease = { fence, expiresAt, renew, release }
    return held
  })

const nobody: Held = { fence: null, holder: null, expires_at: null }

const backup = (database: Database.Database, path: string): Effect.Effect<void, InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const isThere = yield* Effect.promise(() =>
      access(path).then(
        () => true,
        () => false
      )
    )
    if (isThere) {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "path",
          reason: `${path} is there already`,
          advice: "Give the path of a new file: a backup writes over nothing."
        })
      )
    }
    yield* database.copy(path)
  })
