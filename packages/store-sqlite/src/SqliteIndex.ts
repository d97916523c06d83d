/**
 * An index of files in a SQLite database of its own: a cache, which is made again when it is damaged.
 *
 * A damaged database is moved into a folder beside it together with its side files, and an empty one takes its place;
 * whoever uses the index then finds nothing in it and fills it from the files. One that is merely locked is never moved:
 * that is an error, and the same call may do later.
 */
import { rename, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { SqlError } from "@effect/sql/SqlError"
import * as Positions from "@skein/store/Position"
import { StoreUnavailable } from "@skein/store/StoreError"
import type { ThreadRow } from "@skein/store/Summary"
import { type Change, type FileFacts, type Index, type IndexedRow, ThreadIndex } from "@skein/store/ThreadIndex"
import { Clock, Duration, Effect, Exit, Layer, Scope } from "effect"
import * as Database from "./internal/Database.js"
import * as Fault from "./internal/Fault.js"
import * as Files from "./internal/Files.js"
import * as Listing from "./internal/Listing.js"
import * as Migrator from "./internal/Migrator.js"
import * as Schemas from "./internal/Schemas.js"

/** A damaged index that was put aside. */
export interface Replaced {
  /** Where the index lies, the new one now. */
  readonly path: string
  /** The folder that the damaged one was moved to, with its side files. */
  readonly backup: string
}

/** How an index is opened. */
export interface Options {
  /** The database; made when it is not there. */
  readonly filename: string
  /** How long an operation waits for other processes. Default 5 seconds. */
  readonly patience?: Duration.DurationInput | undefined
  /** Told when a damaged index was put aside, at the opening or later. Default: a warning in the log. */
  readonly onReplaced?: ((replaced: Replaced) => Effect.Effect<void>) | undefined
}

/** What is open, and which file that is. */
interface Opened {
  readonly database: Database.Database
  readonly scope: Scope.CloseableScope
  readonly inode: number | undefined
}

/** Opens an index for as long as the scope lasts. Fails when a new one is damaged as well: then it is the disk. */
export const make = (options: Options): Effect.Effect<Index, StoreUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const path = options.filename
    const tell = options.onReplaced ?? warn
    const turn = yield* Effect.makeSemaphore(1)
    let opened = yield* open(options).pipe(
      Effect.catchIf(isDamage, () => Effect.zipRight(Effect.flatMap(putAside(path), tell), open(options)))
    )
    yield* Effect.addFinalizer(() => Effect.suspend(() => Scope.close(opened.scope, Exit.void)))

    /** Puts a damaged database aside, unless somebody else did so already: then the file is another one. */
    const renew = (damaged: Opened): Effect.Effect<void, StoreUnavailable> =>
      turn.withPermits(1)(
        Effect.uninterruptible(
          Effect.gen(function* () {
            if (opened !== damaged) return
            yield* Scope.close(damaged.scope, Exit.void)
            if ((yield* inodeOf(path)) === damaged.inode) yield* Effect.flatMap(putAside(path), tell)
            opened = yield* open(options)
          })
        )
      )

    const doing = <A>(
      kind: "read" | "snapshot" | "write",
      operation: string,
      body: Database.Body<A, SqlError>
    ): Effect.Effect<A, StoreUnavailable> =>
      Effect.suspend(() => {
        const at = opened
        return at.database[kind](operation, body).pipe(
          Effect.catchIf(isDamage, () =>
            Effect.zipRight(
              renew(at),
              Effect.suspend(() => opened.database[kind](operation, body))
            )
          )
        )
      })

    const index: Index = {
      files: Effect.map(
        doing("read", "index.files", (sql) => sql.tuples<File>(`${fileText} ORDER BY path`)),
        (all) => all.map(factsOf)
      ),
      filesOf: (threadId) =>
        Effect.map(
          doing("read", "index.filesOf", (sql) => sql.tuples<File>(`${fileText} WHERE thread_id = ?`, [threadId])),
          (all) => all.map(factsOf)
        ),
      row: (threadId) =>
        Effect.map(
          doing("read", "index.row", (sql) => sql.first<Row>(rowText, [threadId])),
          (row) => (row === undefined ? undefined : indexed(row))
        ),
      rows: (query) => doing("snapshot", "index.rows", (sql) => Listing.page(sql, query, ", t.path")),
      change: (change) => doing("write", "index.change", (sql) => apply(sql, change))
    }
    return index
  })

/** {@link make} as a layer. */
export const layer = (options: Options): Layer.Layer<ThreadIndex, StoreUnavailable> =>
  Layer.scoped(ThreadIndex, make(options))

const warn = ({ backup, path }: Replaced): Effect.Effect<void> =>
  Effect.logWarning(`The index ${path} was damaged. It was moved to ${backup} and is made again.`)

const isDamage = ({ cause }: StoreUnavailable): boolean => Fault.kindOf(cause) === "corrupt"

/** Opens the database in a scope of its own, which is closed before the file is moved. */
const open = (options: Options): Effect.Effect<Opened, StoreUnavailable> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const patience = Duration.toMillis(options.patience ?? "5 seconds")
    return yield* Effect.gen(function* () {
      const { filename } = options
      // What a cache loses with the power is made again.
      const { applicationId } = Schemas.index
      const database = yield* Database.open({ filename, durability: "os", patience, create: true, applicationId })
      yield* Migrator.migrate(database, Schemas.index)
      return { database, scope, inode: yield* inodeOf(filename) }
    }).pipe(
      Scope.extend(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  })

const inodeOf = (path: string): Effect.Effect<number | undefined> =>
  Effect.promise(() =>
    stat(path).then(
      ({ ino }) => ino,
      () => undefined
    )
  )

/** Moves a database and its side files into a new folder beside it. */
const putAside = (path: string): Effect.Effect<Replaced, StoreUnavailable> =>
  Effect.gen(function* () {
    const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const parent = join(dirname(path), "damaged")
    return yield* Effect.tryPromise({
      try: async () => {
        const backup = await Files.freshFolder(parent, `sqlite-${seconds}`)
        for (const file of Fault.filesOf(path)) {
          await rename(file, join(backup, file.slice(dirname(path).length + 1))).catch(
            (error: NodeJS.ErrnoException) => {
              if (error.code !== "ENOENT") throw error
            }
          )
        }
        return { path, backup }
      },
      catch: (cause) =>
        new StoreUnavailable({
          operation: "index",
          reason: "the index is damaged, and could not be moved away",
          advice: "Delete it: it is made again from the files.",
          retryable: false,
          paths: Fault.filesOf(path),
          cause
        })
    })
  })

const fileColumns = [
  "path",
  "size",
  "mtime_ms",
  "inode",
  "thread_id",
  "segment_id",
  "history_mode",
  "base_id",
  "base_offset"
]

const fileText = `SELECT ${fileColumns.join(", ")} FROM files`

type File = readonly [
  path: string,
  size: number,
  mtimeMs: number,
  inode: number,
  threadId: string,
  segmentId: string,
  historyMode: string,
  baseId: string | null,
  baseOffset: number | null
]

const factsOf = ([path, size, mtimeMs, inode, threadId, segmentId, historyMode, id, offset]: File): FileFacts => ({
  path,
  size,
  mtimeMs,
  inode,
  threadId,
  segmentId,
  historyMode,
  base: id === null || offset === null ? undefined : Positions.make(id, offset)
})

interface Row extends Listing.Stored {
  readonly reached_id: string | null
  readonly reached_offset: number | null
}

const rowText = `SELECT ${Listing.selected}, t.path, t.reached_id, t.reached_offset
FROM threads AS t JOIN details AS d ON d.pk = t.pk WHERE t.id = ?`

const indexed = (row: Row): IndexedRow => ({
  row: Listing.rowOf(row),
  reached:
    row.reached_id === null || row.reached_offset === null || Listing.stateOf(row).derived === undefined
      ? undefined
      : Positions.make(row.reached_id, row.reached_offset)
})

const putFile = `INSERT OR REPLACE INTO files (${fileColumns.join(", ")}) VALUES (${fileColumns.map(() => "?").join(", ")})`

const rowColumns = [
  "id",
  "history_mode",
  "made_at",
  "archived_at",
  "path",
  "reached_id",
  "reached_offset",
  ...Listing.columns
]

const putRow = `INSERT INTO threads (${rowColumns.join(", ")}) VALUES (${rowColumns.map(() => "?").join(", ")})
ON CONFLICT (id) DO UPDATE SET ${rowColumns
  .slice(1)
  .map((name) => `${name} = excluded.${name}`)
  .join(", ")} RETURNING pk`

const putDetails =
  "INSERT OR REPLACE INTO details (summary, name, title, preview, pk, explicit) VALUES (?, ?, ?, ?, ?, ?)"

const apply = (sql: Database.Sql, change: Change): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    for (const path of change.forgetFiles ?? []) yield* sql.run("DELETE FROM files WHERE path = ?", [path])
    for (const id of change.forgetRows ?? []) yield* sql.run("DELETE FROM threads WHERE id = ?", [id])
    for (const { base, historyMode, inode, mtimeMs, path, segmentId, size, threadId } of change.files ?? []) {
      const facts = [path, size, mtimeMs, inode, threadId, segmentId, historyMode]
      yield* sql.run(putFile, [...facts, base?.segmentId ?? null, base?.offset ?? null])
    }
    for (const one of change.rows ?? []) yield* putIndexed(sql, one.row, one.reached)
  })

const putIndexed = (sql: Database.Sql, row: ThreadRow, reached: IndexedRow["reached"]): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const { archivedAt, historyMode, madeAt, path, threadId } = row
    const own = [threadId, historyMode, madeAt, archivedAt ?? null, path ?? null]
    const stored = yield* sql.first<{ readonly pk: number }>(putRow, [
      ...own,
      reached?.segmentId ?? null,
      reached?.offset ?? null,
      ...Listing.values(row)
    ])
    const pk = stored?.pk ?? 0
    yield* sql.run(putDetails, [...Listing.detailValues(row), pk, JSON.stringify(row.explicit)])
    yield* Listing.putMetadata(sql, pk, row.explicit.metadata)
  })
