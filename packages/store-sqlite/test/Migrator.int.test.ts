import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import * as Database from "../src/internal/Database.js"
import * as Migrator from "../src/internal/Migrator.js"
import * as Schemas from "../src/internal/Schemas.js"
import * as SqliteDriver from "../src/SqliteDriver.js"
import { bare, derived, filename, id, line, run, texts, thread } from "./Support.js"

const open = (path: string, applicationId = 77) =>
  Database.open({ filename: path, durability: "os", patience: 1000, create: true, applicationId })

const step = (version: number, name: string, ...statements: ReadonlyArray<string>): Migrator.Migration => ({
  version,
  name,
  statements
})

const applied = (path: string) =>
  bare(path, (db) => db.prepare("SELECT version, name FROM migrations ORDER BY version").raw().all())

const schemaOf = (path: string) =>
  bare(path, (db) =>
    db.prepare("SELECT type, name, sql FROM sqlite_schema WHERE name <> 'migrations' ORDER BY type, name").all()
  )

const table = step(1, "table", "CREATE TABLE t (a INTEGER)")
const index = step(2, "index", "CREATE INDEX t_a ON t (a)")
const schema = (migrations: ReadonlyArray<Migrator.Migration>, renumbered?: ReadonlyArray<Migrator.Renumbered>) => ({
  applicationId: 77,
  migrations,
  renumbered
})

describe("migrations (80)", () => {
  it("are applied in order, once, and remembered", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const database = yield* open(path)
        yield* Migrator.migrate(database, schema([table]))
        expect(applied(path)).toEqual([[1, "table"]])
        for (let i = 0; i < 2; i++) yield* Migrator.migrate(database, schema([table, index]))
        expect(applied(path)).toEqual([
          [1, "table"],
          [2, "index"]
        ])
      })
    ))

  it("one that fails leaves the schema as it was", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const database = yield* open(path)
        yield* Migrator.migrate(database, schema([table]))
        const broken = step(2, "broken", "CREATE TABLE u (b)", "CREATE TABLE nonsense")
        expect(yield* Effect.flip(Migrator.migrate(database, schema([table, broken])))).toMatchObject({
          operation: "migrate"
        })
        expect(applied(path)).toEqual([[1, "table"]])
        expect(schemaOf(path)).toHaveLength(1)
      })
    ))

  it("one that was changed after it was applied is refused, and that is no damage", () =>
    run(
      Effect.gen(function* () {
        const database = yield* open(yield* filename)
        yield* Migrator.migrate(database, schema([table]))
        const changed = step(1, "table", "CREATE TABLE t (a TEXT)")
        const error = yield* Effect.flip(Migrator.migrate(database, schema([changed])))
        expect(error).toMatchObject({ _tag: "StoreUnavailable", retryable: false })
        expect(error.reason).toContain("step 1 (table)")
        expect(error.reason).not.toContain("damaged")
      })
    ))

  it("those that a newer version applied are left alone", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const database = yield* open(path)
        yield* Migrator.migrate(database, schema([table, index, step(9, "newer", "CREATE TABLE v (c)")]))
        yield* Migrator.migrate(database, schema([table, index]))
        expect(applied(path)).toHaveLength(3)
      })
    ))

  it("two that open a new file at once apply them once", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const databases = [yield* open(path), yield* open(path)]
        yield* Effect.forEach(databases, (one) => Migrator.migrate(one, schema([table, index])), { concurrency: 2 })
        expect(applied(path)).toHaveLength(2)
      })
    ))

  describe("one that was first released under another number (thread-store 2.2)", () => {
    // As it was in the reference: recency came out as 38, and is 39 since 38 became something else.
    const earlier = step(37, "threads", "CREATE TABLE threads (id TEXT, updated_at INTEGER)")
    const other = step(38, "archive", "ALTER TABLE threads ADD COLUMN archived INTEGER")
    const recency = (version: number) =>
      step(
        version,
        "recency",
        "ALTER TABLE threads ADD COLUMN recency_at INTEGER",
        "UPDATE threads SET recency_at = updated_at"
      )
    const now = schema([earlier, other, recency(39)], [{ was: 38, is: 39 }])

    it("gets its number, and the step that has the old one now is applied", () =>
      run(
        Effect.gen(function* () {
          const path = yield* filename
          const database = yield* open(path)
          yield* Migrator.migrate(database, schema([earlier, recency(38)]))
          bare(path, (db) => db.exec("INSERT INTO threads VALUES ('a', 5, 6)"))
          yield* Migrator.migrate(database, now)
          expect(applied(path)).toEqual([
            [37, "threads"],
            [38, "archive"],
            [39, "recency"]
          ])
          expect(bare(path, (db) => db.prepare("SELECT * FROM threads").get())).toEqual({
            id: "a",
            updated_at: 5,
            recency_at: 6,
            archived: null
          })
        })
      ))

    it("a database that had both numbers right is left alone, and one with another text is refused", () =>
      run(
        Effect.gen(function* () {
          const right = yield* open(yield* filename)
          yield* Migrator.migrate(right, now)
          yield* Migrator.migrate(right, now)
          const wrong = yield* open(yield* filename)
          yield* Migrator.migrate(wrong, schema([earlier, step(38, "other", "CREATE TABLE o (a)")]))
          expect((yield* Effect.flip(Migrator.migrate(wrong, now))).reason).toContain("step 38")
        })
      ))

    it("nothing takes a lock to look whether that is needed", () =>
      run(
        Effect.gen(function* () {
          const path = yield* filename
          const database = yield* open(path)
          yield* Migrator.migrate(database, now)
          const other = yield* Effect.acquireRelease(open(path), () => Effect.void)
          yield* other.read("test", (sql) => sql.run("BEGIN IMMEDIATE"))
          yield* Migrator.migrate(database, now)
          yield* other.read("test", (sql) => sql.run("ROLLBACK"))
        })
      ))
  })
})

describe("the schema of a store (80)", () => {
  const { migrations } = Schemas.store

  it("is the same, whichever version a database began with, and its threads are there", () =>
    run(
      Effect.gen(function* () {
        const whole = yield* filename
        yield* Effect.scoped(SqliteDriver.make({ filename: whole }))
        for (const [i, { name }] of migrations.entries()) {
          const path = yield* filename
          yield* Effect.scoped(
            Effect.flatMap(open(path, Schemas.store.applicationId), (database) =>
              Migrator.migrate(database, { ...Schemas.store, migrations: migrations.slice(0, i + 1) })
            )
          )
          bare(path, (db) => {
            db.exec(`INSERT INTO segments (pk, id, size, made_at) VALUES (1, '${id(1)}', 2, 0)`)
            db.exec("INSERT INTO content VALUES ((1 << 36), x'61')")
            db.exec(`INSERT INTO threads (pk, id, history_mode, made_at, head, version, lags, progress, shelf,
              created_at, updated_at, recency_at, source, cwd)
              VALUES (1, '${id(1)}', 'legacy', 0, 1, 1, 1, '{}', 0, 0, 0, 0, 'cli', '')`)
            db.exec("INSERT INTO details (pk, summary, explicit, preview) VALUES (1, '{}', '{\"name\":\"Old\"}', '')")
            db.exec("UPDATE segments SET thread = 1")
          })
          const store = yield* SqliteDriver.make({ filename: path })
          expect(schemaOf(path), name).toEqual(schemaOf(whole))
          expect(yield* texts(store, id(1))).toEqual([["a"]])
          expect((yield* store.row(id(1))).explicit.name).toBe("Old")
          yield* store.create(thread(id(2), [line("b")], { derived: derived() }))
        }
      })
    ))

  it("its released steps have the texts that they were released with", () => {
    // A change here means that databases which are out there are refused: add a step instead.
    const sums = [...Schemas.store.migrations, ...Schemas.index.migrations].map((one) => [
      one.version,
      one.name,
      Migrator.checksum(one).slice(0, 16)
    ])
    expect(sums).toMatchInlineSnapshot(`
      [
        [
          1,
          "threads",
          "81f38c0b40898d10",
        ],
        [
          2,
          "lists",
          "b474185b26e63f17",
        ],
        [
          3,
          "holders",
          "6ff68377fb4970ef",
        ],
        [
          1,
          "index",
          "527da341ae594a47",
        ],
      ]
    `)
  })

  it("numbers its steps from 1 on, without a gap", () => {
    for (const { migrations } of [Schemas.store, Schemas.index]) {
      expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, i) => i + 1))
    }
  })
})
