/**
 * Brings the schema of a database up to date, in numbered steps that are never changed once they were applied.
 *
 * Every step is remembered with a checksum of its text. One that was applied with another text is refused, since nobody
 * knows what the schema is then; steps that a newer version applied are left alone. A step that once was released under
 * another number is put right before anything else is done (thread-store §2.2).
 */
import { createHash } from "node:crypto"
import { StoreUnavailable } from "@skein/store/StoreError"
import { Clock, Effect } from "effect"
import * as Database from "./Database.js"

/** One step. */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly statements: ReadonlyArray<string>
}

/** A step that was released under a number that another one has now. */
export interface Renumbered {
  readonly was: number
  readonly is: number
}

/** What makes up a database of one kind. */
export interface Schema {
  /** What its files say they are. */
  readonly applicationId: number
  /** In ascending order. */
  readonly migrations: ReadonlyArray<Migration>
  readonly renumbered?: ReadonlyArray<Renumbered> | undefined
}

interface Applied {
  readonly version: number
  readonly name: string
  readonly checksum: string
}

/** What a step is recognised by. */
export const checksum = ({ statements }: Migration): string =>
  createHash("sha256").update(statements.join(";\n")).digest("hex")

const table = `CREATE TABLE migrations (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at INTEGER NOT NULL
)`

/** Applies what is missing. A database that is up to date is only read, without a lock. */
export const migrate = (database: Database.Database, schema: Schema): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    const applied = yield* database.snapshot("open", look)
    const { missing, moved } = yield* plan(database.path, schema, applied)
    if (missing.length === 0 && moved.length === 0) return
    const now = yield* Clock.currentTimeMillis
    yield* database.write("migrate", (sql) =>
      Effect.gen(function* () {
        // Another process may have done it in the meantime.
        const applied = yield* look(sql)
        const { missing, moved } = yield* plan(database.path, schema, applied)
        if (applied === undefined) {
          yield* sql.run(`PRAGMA application_id = ${schema.applicationId}`)
          yield* sql.run(table)
        }
        for (const { is, was } of moved) {
          yield* sql.run("UPDATE migrations SET version = ? WHERE version = ?", [is, was])
        }
        for (const migration of missing) {
          for (const statement of migration.statements) yield* sql.run(statement)
          yield* sql.run("INSERT INTO migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)", [
            migration.version,
            migration.name,
            checksum(migration),
            now
          ])
        }
      })
    )
  })

/** Fails for a database that is empty. */
export const identify = (database: Database.Database): Effect.Effect<void, StoreUnavailable> =>
  Effect.flatMap(database.snapshot("open", look), (applied) =>
    applied === undefined ? Effect.fail(Database.refused(database.path, "it is an empty database")) : Effect.void
  )

/** What was applied so far; undefined in a new file. */
const look = (sql: Database.Sql) =>
  Effect.gen(function* () {
    const tables = yield* sql.all<{ readonly name: string }>("SELECT name FROM sqlite_schema")
    if (!tables.some(({ name }) => name === "migrations")) return undefined
    return yield* sql.all<Applied>("SELECT version, name, checksum FROM migrations ORDER BY version")
  })

interface Plan {
  readonly moved: ReadonlyArray<Renumbered>
  readonly missing: ReadonlyArray<Migration>
}

const plan = (
  path: string,
  { migrations, renumbered = [] }: Schema,
  applied: ReadonlyArray<Applied> = []
): Effect.Effect<Plan, StoreUnavailable> =>
  Effect.gen(function* () {
    const known = new Map(migrations.map((migration) => [migration.version, migration]))
    const sums = new Map(applied.map(({ checksum, version }) => [version, checksum]))
    const moved = renumbered.filter(({ is, was }) => {
      const target = known.get(is)
      return target !== undefined && !sums.has(is) && sums.get(was) === checksum(target)
    })
    for (const { is, was } of moved) {
      sums.set(is, sums.get(was) as string)
      sums.delete(was)
    }
    const changed = migrations.find((one) => sums.has(one.version) && sums.get(one.version) !== checksum(one))
    if (changed !== undefined) {
      return yield* Effect.fail(
        new StoreUnavailable({
          operation: "open",
          reason: `step ${changed.version} (${changed.name}) of its schema was applied with another text than this version knows`,
          advice: "Open it with the version of Skein that made it, and copy its threads into a new store.",
          retryable: false,
          paths: [path]
        })
      )
    }
    return { moved, missing: migrations.filter(({ version }) => !sums.has(version)) }
  })
