/**
 * One SQLite file over one connection: its settings, its transactions, and waiting for other processes.
 *
 * SQLite works on the thread of the event loop, so a connection does one thing at a time; whoever needs several
 * statements has the connection to itself until they are done. Effect SQL would begin its transactions deferred, and one
 * that reads first then fails as soon as another process has written; here writes begin with the lock.
 */
import { stat } from "node:fs/promises"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { StoreUnavailable } from "@skein/store/StoreError"
import { Clock, Effect, Random, type Scope } from "effect"
import * as Fault from "./Fault.js"

/** What a parameter can be. Integers beyond 32 bits that are compared with keys are given as bigint. */
export type Value = string | number | bigint | null | Uint8Array

/** The statements of one transaction. Their texts are prepared once each. */
export interface Sql {
  readonly all: <Row>(text: string, values?: ReadonlyArray<Value>) => Effect.Effect<ReadonlyArray<Row>, SqlError>
  readonly first: <Row>(text: string, values?: ReadonlyArray<Value>) => Effect.Effect<Row | undefined, SqlError>
  /** Rows as arrays: cheaper where there are many. */
  readonly tuples: <Row>(text: string, values?: ReadonlyArray<Value>) => Effect.Effect<ReadonlyArray<Row>, SqlError>
  readonly run: (text: string, values?: ReadonlyArray<Value>) => Effect.Effect<void, SqlError>
}

/** Does its statements and nothing else, so that it never waits; may be asked again. */
export type Body<A, E> = (sql: Sql) => Effect.Effect<A, E>

/** Does a body with the connection to itself, once other processes let it. */
export type Doing = <A, E>(
  operation: string,
  body: Body<A, E>
) => Effect.Effect<A, Exclude<E, SqlError> | StoreUnavailable>

/** An open database. */
export interface Database {
  readonly path: string
  /** Statements on their own. */
  readonly read: Doing
  /** Statements that all see one state. */
  readonly snapshot: Doing
  /** A transaction that holds the write lock from its start. Durable when it returns, undone when it fails. */
  readonly write: Doing
  /** Copies the database to a new file while it is used. */
  readonly copy: (to: string) => Effect.Effect<void, StoreUnavailable>
}

/** How a database is opened. */
export interface Options {
  readonly filename: string
  readonly durability: "os" | "fsync"
  /** How long other processes are waited for, in milliseconds. */
  readonly patience: number
  /** Whether it is made when it is not there. */
  readonly create: boolean
  /** What the file says it is (`PRAGMA application_id`), so that nobody else's is taken for ours and changed. */
  readonly applicationId: number
  /** Whether everybody else is kept out while it is open. */
  readonly exclusive?: boolean | undefined
}

/** How long SQLite itself waits, in milliseconds. It blocks the event loop meanwhile. */
const blocking = 5

/** The longest pause between two tries, in milliseconds. */
const longestPause = 50

/**
 * Opens a database for as long as the scope lasts. Changes nothing in one that is there, and not even its journal in one
 * of another program.
 */
export const open = (options: Options): Effect.Effect<Database, StoreUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const path = options.filename
    yield* checkFile(path, options.create)
    const client = yield* SqliteClient.make({
      filename: path,
      // Set below, once the connection does not block for long.
      disableWAL: true,
      prepareCacheTTL: "365 days"
    }).pipe(
      Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make),
      // The constructor of the connection throws.
      Effect.catchAllDefect((error) => Effect.fail(Fault.unavailable("open", path, error)))
    )
    const connection = yield* Effect.orDie(client.reserve)
    const turn = yield* Effect.makeSemaphore(1)

    // A statement that could not be prepared is remembered as such by the client; another text is another statement.
    let mark = ""
    let marks = 0
    const text = (sql: string): string => (mark === "" ? sql : sql + mark)
    const sql: Sql = {
      all: <Row>(query: string, values: ReadonlyArray<Value> = []) =>
        connection.execute(text(query), values, undefined) as Effect.Effect<ReadonlyArray<Row>, SqlError>,
      first: <Row>(query: string, values: ReadonlyArray<Value> = []) =>
        Effect.map(connection.execute(text(query), values, undefined), (rows) => rows[0] as Row | undefined),
      tuples: <Row>(query: string, values: ReadonlyArray<Value> = []) =>
        Effect.map(
          connection.executeValues(text(query), values),
          (rows) => rows as ReadonlyArray<unknown> as ReadonlyArray<Row>
        ),
      run: (query, values = []) => Effect.asVoid(connection.executeRaw(text(query), values))
    }

    /** Set once the file was found to be damaged: nothing is written from then on. */
    let damage: SqlError | undefined

    const unavailable = (operation: string, error: SqlError): StoreUnavailable => {
      if (Fault.kindOf(error) === "corrupt") damage ??= error
      return Fault.unavailable(operation, path, error)
    }

    /**
     * Tries until it is done, fails otherwise, or other processes were waited for long enough.
     *
     * @param isHeld Whether the write lock is taken first: preparing a statement then never has to wait.
     */
    const patiently = <A, E>(operation: string, once: Effect.Effect<A, E>, isHeld = false) =>
      Effect.suspend(() => {
        let end: number | undefined
        const attempt = (tries: number): Effect.Effect<A, Exclude<E, SqlError> | StoreUnavailable> =>
          Effect.catchAll(once, (error) => {
            if (!(error instanceof SqlError)) return Effect.fail(error as Exclude<E, SqlError>)
            if (Fault.kindOf(error) !== "busy") return Effect.fail(unavailable(operation, error))
            if (!isHeld) mark = ` -- ${++marks}`
            return Effect.gen(function* () {
              const now = yield* Clock.currentTimeMillis
              end ??= now + options.patience
              if (now >= end) return yield* Effect.fail(unavailable(operation, error))
              const pause = Math.min(longestPause, 2 ** Math.min(tries, 8)) * (0.5 + (yield* Random.next))
              yield* Effect.sleep(Math.min(pause, end - now))
              return yield* attempt(tries + 1)
            })
          })
        return attempt(0)
      })

    const alone = <A, E>(once: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      turn.withPermits(1)(Effect.uninterruptible(once))

    /** What a host has set for statements of its own must not change the numbers that come out of ours. */
    const plainly = <A, E>(once: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.flatMap(SqlClient.SafeIntegers, (isSet) =>
        isSet ? Effect.provideService(once, SqlClient.SafeIntegers, false) : once
      )

    const within = <A, E>(begin: string, body: Body<A, E>): Effect.Effect<A, E | SqlError> =>
      Effect.zipRight(
        sql.run(begin),
        Effect.tap(
          Effect.suspend(() => body(sql)),
          () => sql.run("COMMIT")
        ).pipe(
          // SQLite has undone it itself after some errors, and then knows of no transaction.
          Effect.onError(() => Effect.ignore(sql.run("ROLLBACK")))
        )
      )

    const database: Database = {
      path,
      read: (operation, body) => patiently(operation, alone(plainly(Effect.suspend(() => body(sql))))),
      snapshot: (operation, body) => patiently(operation, alone(plainly(within("BEGIN", body)))),
      write: (operation, body) =>
        Effect.suspend(() =>
          damage === undefined
            ? patiently(operation, alone(plainly(within("BEGIN IMMEDIATE", body))), true)
            : Effect.fail(Fault.unavailable(operation, path, damage))
        ),
      copy: (to) => copy(options, to)
    }
    yield* database.read("open", configure(options))
    return database
  })

/** A FIFO would keep its reader waiting for ever, and a folder's error would tell nobody anything. */
const checkFile = (path: string, create: boolean): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    if (path === ":memory:") return
    const found = yield* Effect.tryPromise({
      try: () => stat(path),
      catch: (error) => error as NodeJS.ErrnoException
    }).pipe(
      Effect.catchAll((error) =>
        error.code === "ENOENT" && create
          ? Effect.succeed(undefined)
          : Effect.fail(refused(path, error.code === "ENOENT" ? "there is no such file" : error.message))
      )
    )
    if (found?.isDirectory() === true) return yield* Effect.fail(refused(path, "the path is a directory"))
    if (found !== undefined && !found.isFile()) return yield* Effect.fail(refused(path, "the path is no regular file"))
  })

/** Why a path is opened by nobody. */
export const refused = (path: string, reason: string): StoreUnavailable =>
  new StoreUnavailable({
    operation: "open",
    reason,
    advice: "Give the path of a database that Skein made, or of a new one in a folder that exists.",
    retryable: false,
    paths: [path]
  })

/**
 * What a connection has to be told every time. A new file takes two settings for good: the one for its free pages comes
 * first, since the journal's writes the file's first page.
 */
const configure =
  ({ applicationId, durability, exclusive, filename }: Options): Body<void, SqlError | StoreUnavailable> =>
  (sql) =>
    Effect.gen(function* () {
      yield* sql.all(`PRAGMA busy_timeout = ${blocking}`)
      if (exclusive === true) yield* sql.all("PRAGMA locking_mode = EXCLUSIVE")
      // The first look at the file: whether it is a database, and whose.
      const tables = yield* sql.first<{ readonly n: number }>("SELECT count(*) AS n FROM sqlite_schema")
      const identity = yield* sql.first<{ readonly application_id: number }>("PRAGMA application_id")
      if (tables?.n !== 0 && identity?.application_id !== applicationId) {
        return yield* Effect.fail(refused(filename, "it is a database of another program, or of another kind"))
      }
      // Of a file that has its tables this setting is a write.
      if (tables?.n === 0) yield* sql.run("PRAGMA auto_vacuum = INCREMENTAL")
      yield* sql.all("PRAGMA journal_mode = WAL")
      yield* sql.run(`PRAGMA synchronous = ${durability === "fsync" ? "FULL" : "NORMAL"}`)
      // Only macOS has a flush that does not reach the disk.
      yield* sql.run(`PRAGMA fullfsync = ${durability === "fsync" ? 1 : 0}`)
      yield* sql.run("PRAGMA foreign_keys = ON")
      yield* sql.run("PRAGMA cell_size_check = ON")
      yield* sql.run("PRAGMA trusted_schema = OFF")
    })

/**
 * Page by page, between the work of others. A connection of its own keeps what it sees as it is meanwhile, so that
 * writers neither wait nor make the copy begin anew.
 */
const copy = (options: Options, to: string): Effect.Effect<void, StoreUnavailable> =>
  Effect.scoped(
    Effect.gen(function* () {
      const failed = (error: unknown) => Fault.unavailable("backup", options.filename, error)
      const client = yield* SqliteClient.make({ filename: options.filename, readonly: true, disableWAL: true }).pipe(
        Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make),
        Effect.catchAllDefect((error) => Effect.fail(failed(error)))
      )
      yield* Effect.gen(function* () {
        yield* client.unsafe(`PRAGMA busy_timeout = ${blocking}`)
        yield* client.unsafe("BEGIN")
        yield* client.unsafe("SELECT count(*) FROM sqlite_schema")
        yield* client.backup(to)
        yield* client.unsafe("COMMIT")
      }).pipe(Effect.mapError(failed))
    })
  )
