import { execFileSync } from "node:child_process"
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { dirname, join } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import Sqlite from "better-sqlite3"
import { Effect, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import * as Database from "../src/internal/Database.js"
import * as SqliteDriver from "../src/SqliteDriver.js"
import { append, bare, batch, filename, folder, id, line, run, texts, thread } from "./Support.js"

const options = (path: string, more: Partial<Database.Options> = {}): Database.Options => ({
  filename: path,
  durability: "fsync",
  patience: 5000,
  create: true,
  applicationId: 77,
  ...more
})

const pragma = (database: Database.Database, name: string) =>
  database.read("test", (sql) => Effect.map(sql.tuples<readonly [unknown]>(`PRAGMA ${name}`), ([row]) => row?.[0]))

/** Overwrites bytes of a file behind everybody's back. */
const overwrite = (path: string, at: number, length: number, byte = 0xa5) => {
  const file = openSync(path, "r+")
  writeSync(file, Buffer.alloc(length, byte), 0, length, at)
  closeSync(file)
}

describe("opening", () => {
  it("sets what a connection has to be told, on the first and on every later one", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        for (const durability of ["fsync", "os", "fsync"] as const) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const database = yield* Database.open(options(path, { durability }))
              expect(yield* pragma(database, "journal_mode")).toBe("wal")
              expect(yield* pragma(database, "synchronous")).toBe(durability === "fsync" ? 2 : 1)
              expect(yield* pragma(database, "foreign_keys")).toBe(1)
              expect(yield* pragma(database, "auto_vacuum")).toBe(2)
              expect(yield* pragma(database, "busy_timeout")).toBeLessThan(50)
              yield* database.write("test", (sql) =>
                Effect.zipRight(sql.run("PRAGMA application_id = 77"), sql.run("CREATE TABLE IF NOT EXISTS t (a)"))
              )
            })
          )
        }
      })
    ))

  it("refuses what is no database of ours, says why, and changes none of it", () =>
    run(
      Effect.gen(function* () {
        const place = yield* folder
        const at = (name: string) => join(place, name)
        mkdirSync(at("folder"))
        execFileSync("mkfifo", [at("fifo")])
        writeFileSync(at("text"), "This is no database, but it is long enough to be taken for one.".repeat(100))
        bare(at("other"), (db) => db.exec("CREATE TABLE theirs (a)"))
        bare(at("marked"), (db) => db.exec("PRAGMA application_id = 7; CREATE TABLE migrations (a)"))
        const before = readFileSync(at("other"))
        const opened = (name: string, create = true) =>
          Effect.scoped(Effect.flip(SqliteDriver.make({ filename: at(name), create, patience: 20 })))
        expect(yield* opened("folder")).toMatchObject({ retryable: false, reason: "the path is a directory" })
        expect(yield* opened("fifo")).toMatchObject({ retryable: false, reason: "the path is no regular file" })
        expect(yield* opened("text")).toMatchObject({ retryable: false, reason: "the database is damaged" })
        expect(yield* opened("other")).toMatchObject({ retryable: false })
        expect(yield* opened("marked")).toMatchObject({ retryable: false })
        expect(yield* opened("missing/threads.db")).toMatchObject({ retryable: false })
        expect(yield* opened("missing.db", false)).toMatchObject({ reason: "there is no such file" })
        expect(readFileSync(at("other"))).toEqual(before)
      })
    ))

  it("follows a link", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        yield* Effect.scoped(
          Effect.flatMap(SqliteDriver.make({ filename: path }), (store) => store.create(thread(id(1), [line("a")])))
        )
        symlinkSync(path, `${path}.link`)
        const store = yield* SqliteDriver.make({ filename: `${path}.link` })
        expect(yield* texts(store, id(1))).toEqual([["a"]])
      })
    ))

  it.skipIf(process.getuid?.() === 0)("says that a file may not be written to", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        yield* Effect.scoped(SqliteDriver.make({ filename: path }))
        chmodSync(path, 0o444)
        chmodSync(dirname(path), 0o555)
        const error = yield* Effect.flip(
          Effect.scoped(
            Effect.flatMap(SqliteDriver.make({ filename: path }), (store) => store.create(thread(id(1), [line("a")])))
          )
        )
        chmodSync(dirname(path), 0o755)
        expect(error).toMatchObject({ _tag: "StoreUnavailable", retryable: false })
      })
    )
  )

  it("a host that wants big numbers for its own statements gets ordinary ones from the store", () =>
    run(
      Effect.gen(function* () {
        const store = yield* SqliteDriver.make({ filename: yield* filename })
        yield* store.create(thread(id(1), [line("a")]))
        expect((yield* store.locate(id(1))).head.offset).toBe(2)
      }).pipe(Effect.provideService(SqlClient.SafeIntegers, true))
    ))
})

describe("waiting for others", () => {
  const held = Effect.gen(function* () {
    const path = yield* filename
    const store = yield* SqliteDriver.make({ filename: path, durability: "os", patience: 400 })
    yield* store.create(thread(id(1), [line("a")]))
    const other = yield* Effect.acquireRelease(
      Effect.sync(() => new Sqlite(path)),
      (db) => Effect.sync(() => db.close())
    )
    return { path, store, other }
  })

  it("a write waits until the lock is given back, and others can work meanwhile (84)", () =>
    run(
      Effect.gen(function* () {
        const { other, store } = yield* held
        other.exec("BEGIN IMMEDIATE")
        const writing = yield* Effect.fork(append(store, id(1), line("b")))
        let turns = 0
        while (turns < 20) {
          yield* Effect.sleep(2)
          turns++
          expect((yield* store.locate(id(1))).head.offset).toBe(2)
        }
        other.exec("COMMIT")
        yield* Fiber.join(writing)
        expect(yield* texts(store, id(1))).toEqual([["a", "b"]])
      })
    ))

  it("one that has waited long enough fails, can be tried again, and has written nothing (84)", () =>
    run(
      Effect.gen(function* () {
        const { other, path, store } = yield* held
        other.exec("BEGIN IMMEDIATE")
        const error = yield* Effect.flip(append(store, id(1), line("b")))
        expect(error).toMatchObject({ _tag: "StoreUnavailable", operation: "append", retryable: true })
        expect(error._tag === "StoreUnavailable" && error.paths).toContain(path)
        other.exec("ROLLBACK")
        yield* append(store, id(1), line("c"))
        expect(yield* texts(store, id(1))).toEqual([["a", "c"]])
      })
    ))

  it("a transaction that writes has the lock before it reads: nobody comes in between", () =>
    run(
      Effect.gen(function* () {
        const { other, store } = yield* held
        other.pragma("busy_timeout = 0")
        let said = ""
        yield* store.append({
          threadId: id(1),
          expected: "any",
          fence: undefined,
          batches: [
            (at) => {
              try {
                other.exec("BEGIN IMMEDIATE; ROLLBACK")
              } catch (error) {
                said = (error as { readonly code: string }).code
              }
              return batch(line("b"))(at)
            }
          ]
        })
        expect(said).toBe("SQLITE_BUSY")
      })
    ))

  it("who waits can be interrupted", () =>
    run(
      Effect.gen(function* () {
        const { other, store } = yield* held
        other.exec("BEGIN IMMEDIATE")
        const writing = yield* Effect.fork(append(store, id(1), line("b")))
        yield* Effect.sleep(5)
        yield* Fiber.interrupt(writing)
        other.exec("ROLLBACK")
        expect(yield* texts(store, id(1))).toEqual([["a"]])
      })
    ))

  it("a reader outlasts a time in which nobody else gets in, at the opening and later", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        yield* Effect.scoped(
          Effect.flatMap(SqliteDriver.make({ filename: path }), (store) => store.create(thread(id(1), [line("a")])))
        )
        const other = new Sqlite(path)
        other.pragma("locking_mode = EXCLUSIVE")
        other.exec("BEGIN IMMEDIATE; COMMIT")
        const error = yield* Effect.flip(Effect.scoped(SqliteDriver.make({ filename: path, patience: 30 })))
        expect(error).toMatchObject({ retryable: true })
        const opening = yield* Effect.fork(
          Effect.scoped(Effect.flatMap(SqliteDriver.make({ filename: path }), (store) => texts(store, id(1))))
        )
        yield* Effect.sleep(30)
        other.close()
        expect(yield* Fiber.join(opening)).toEqual([["a"]])
      })
    ))

  it("two instances append side by side: nothing is lost, nothing is mixed (7)", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const stores = [
          yield* SqliteDriver.make({ filename: path, durability: "os" }),
          yield* SqliteDriver.make({ filename: path, durability: "os" })
        ]
        yield* Effect.forEach(stores.slice(0, 1), (store) => store.create(thread(id(1), [line("start")])))
        yield* Effect.forEach(
          stores,
          (store, s) =>
            Effect.forEach(Array.from({ length: 200 }), (_, n) =>
              Effect.zipRight(
                append(store, id(1), line(`${s} ${n} a`), line(`${s} ${n} b`)),
                Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
              )
            ),
          { concurrency: 2 }
        )
        for (const store of stores) {
          const [lines = []] = yield* texts(store, id(1))
          expect(lines).toHaveLength(801)
          for (const s of [0, 1]) {
            const own = lines.filter((one) => one.startsWith(`${s} `))
            expect(own).toEqual(Array.from({ length: 200 }, (_, n) => [`${s} ${n} a`, `${s} ${n} b`]).flat())
          }
          for (let i = 1; i < 801; i += 2) expect(lines[i]?.replace("a", "b")).toBe(lines[i + 1])
        }
      })
    ))
})

describe("damage", () => {
  const filled = Effect.gen(function* () {
    const path = yield* filename
    yield* Effect.scoped(
      Effect.gen(function* () {
        const store = yield* SqliteDriver.make({ filename: path, durability: "os" })
        yield* store.create(thread(id(1), [line("a")]))
        for (let i = 0; i < 50; i++) yield* append(store, id(1), new Uint8Array(2000).fill(0x61))
      })
    )
    return path
  })

  it("at the opening is no lock, and says what to do (83)", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        overwrite(path, 0, 16)
        const error = yield* Effect.flip(SqliteDriver.make({ filename: path, patience: 10_000 }))
        expect(error).toMatchObject({ _tag: "StoreUnavailable", retryable: false, reason: "the database is damaged" })
        expect(error.advice).toContain("skein doctor --repair")
        expect(error.paths).toEqual([path, `${path}-wal`, `${path}-shm`])
      })
    ))

  it("of a file that was cut off is found when it is read", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        truncateSync(path, 16 * 1024)
        const store = yield* Effect.either(SqliteDriver.make({ filename: path }))
        const error = yield* store._tag === "Left" ? Effect.succeed(store.left) : Effect.flip(texts(store.right, id(1)))
        expect(error).toMatchObject({ _tag: "StoreUnavailable", retryable: false })
      })
    ))

  it("while it is used: nothing is written from then on, what is whole can still be read (84)", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        const pages = bare(path, (db) =>
          db
            .prepare("SELECT pageno FROM dbstat WHERE name = 'content' AND pagetype = 'leaf' ORDER BY pageno")
            .pluck()
            .all()
        ) as ReadonlyArray<number>
        const store = yield* SqliteDriver.make({ filename: path })
        overwrite(path, ((pages.at(-1) ?? 0) - 1) * 4096, 4096)
        const error = yield* Effect.flip(texts(store, id(1)))
        expect(error).toMatchObject({ _tag: "StoreUnavailable", operation: "read", retryable: false })
        const refused = { _tag: "StoreUnavailable", retryable: false }
        expect(yield* Effect.flip(append(store, id(1), line("b")))).toMatchObject(refused)
        expect(yield* Effect.flip(store.create(thread(id(2), [line("b")])))).toMatchObject(refused)
        expect(yield* Effect.flip(store.setArchived(id(1), 5))).toMatchObject(refused)
        expect((yield* store.locate(id(1))).head.offset).toBe(2 + 50 * 2001)
      })
    ))
})
