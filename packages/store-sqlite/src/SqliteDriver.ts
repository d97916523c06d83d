/**
 * The driver over one SQLite file: lines of segments, a row for each thread, leases. What each statement does is said in
 * `internal`; here is what an operation consists of, and which of it is one transaction.
 */
import { access } from "node:fs/promises"
import type { Driver, HeldLease, LeaseRequest } from "@skein/store/Driver"
import * as Machine from "@skein/store/Machine"
import * as Positions from "@skein/store/Position"
import { InvalidRequest, LeaseHeld, type StoreUnavailable } from "@skein/store/StoreError"
import { Clock, Duration, Effect, type Scope } from "effect"
import * as Database from "./internal/Database.js"
import * as Logs from "./internal/Logs.js"
import * as Migrator from "./internal/Migrator.js"
import * as Rows from "./internal/Rows.js"
import * as Schemas from "./internal/Schemas.js"
import * as Segments from "./internal/Segments.js"
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
      create: options.create ?? true,
      applicationId: Schemas.store.applicationId
    })
    yield* Migrator.migrate(database, Schemas.store)
    // What was being removed, or came in and went no further, when a process ended.
    yield* Effect.forkScoped(Effect.ignore(Segments.sweep(database)))
    const states = Threads.states()
    const machine = yield* Machine.Machine
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
      ...Logs.writing(database, states, machine),
      ...Logs.reading(database),
      ...Rows.rows(database, states),
      remove: (threadId, shared) =>
        database
          .write("remove", (sql) =>
            Effect.flatMap(Threads.place(sql, threadId), ({ pk }) => Segments.remove(sql, pk, threadId, shared))
          )
          // The thread is gone; lines that a failure leaves are swept away by the next opening.
          .pipe(Effect.zipLeft(Effect.ignore(Segments.sweep(database)))),
      lease: (request) => lease(database, machine, request),
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

type Held = Pick<Threads.Place, "fence" | "holder" | "expires_at">

/** Takes a lease. Fences count up over all threads, so that no thread ever sees one twice. */
const lease = (database: Database.Database, machine: Machine.Knowledge, { name, threadId, time }: LeaseRequest) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const expiresAt = now + time
    const { fence, pk } = yield* database.write("lease", (sql) =>
      Effect.gen(function* () {
        const at = yield* Threads.place(sql, threadId)
        yield* Threads.permit(machine, threadId, at, undefined)
        const made = yield* sql.first<{ readonly fence: number }>(
          "INSERT OR REPLACE INTO leases (thread, name, expires_at, process) VALUES (?, ?, ?, ?) RETURNING fence",
          [at.pk, name, expiresAt, JSON.stringify(machine.self)]
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
