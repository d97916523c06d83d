import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync
} from "node:fs"
import * as Positions from "@skein/store/Position"
import type { ThreadRow } from "@skein/store/Summary"
import * as ThreadIndex from "@skein/store/ThreadIndex"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import * as SqliteIndex from "../src/SqliteIndex.js"
import { bare, derived, filename, id, run } from "./Support.js"

const facts = (n: number, more: Partial<ThreadIndex.FileFacts> = {}): ThreadIndex.FileFacts => ({
  path: `/home/sessions/${n}.jsonl`,
  size: n,
  mtimeMs: 1_700_000_000_000.125 + n,
  inode: 2 ** 40 + n,
  threadId: id(n),
  segmentId: id(n),
  historyMode: "legacy",
  base: undefined,
  ...more
})

const row = (n: number, more: Partial<ThreadRow> = {}): ThreadRow => ({
  threadId: id(n),
  historyMode: "legacy",
  archivedAt: undefined,
  explicit: {},
  derived: derived(),
  madeAt: n,
  path: `/home/sessions/${n}.jsonl`,
  ...more
})

const everything = {
  limit: 100,
  sortKey: "createdAt" as const,
  direction: "asc" as const,
  after: undefined,
  sources: undefined,
  modelProviders: undefined,
  unnamedProvider: false,
  cwds: undefined,
  archived: "any" as const,
  searchTerm: undefined,
  relation: undefined,
  metadata: {},
  hidden: true
}

const sqlite = Effect.flatMap(filename, (path) => SqliteIndex.make({ filename: path }))

describe.each([
  ["in memory", ThreadIndex.memory],
  ["in SQLite", sqlite]
] as const)("an index %s", (_, make) => {
  it("remembers files and rows until they are forgotten", () =>
    run(
      Effect.gen(function* () {
        const index = yield* make
        const fork = facts(2, { threadId: id(1), base: Positions.make(id(1), 40) })
        yield* index.change({
          files: [facts(1), fork, facts(3)],
          rows: [{ row: row(1), reached: Positions.make(id(1), 1) }]
        })
        expect(new Set(yield* index.files)).toEqual(new Set([facts(1), fork, facts(3)]))
        expect(yield* index.filesOf(id(1))).toEqual([facts(1), fork])
        expect(yield* index.filesOf(id(9))).toEqual([])
        expect(yield* index.row(id(1))).toEqual({ row: row(1), reached: Positions.make(id(1), 1) })
        expect(yield* index.row(id(3))).toBeUndefined()
        yield* index.change({
          files: [facts(1, { threadId: id(7) })],
          rows: [{ row: row(1, { archivedAt: 5 }), reached: undefined }]
        })
        expect((yield* index.filesOf(id(1))).map(({ path }) => path)).toEqual([fork.path])
        expect(yield* index.row(id(1))).toEqual({ row: row(1, { archivedAt: 5 }), reached: undefined })
        yield* index.change({ forgetFiles: [fork.path, "/nowhere"], forgetRows: [id(1), id(9)], files: [facts(4)] })
        expect((yield* index.files).map(({ size }) => size).sort()).toEqual([1, 3, 4])
        expect(yield* index.row(id(1))).toBeUndefined()
        expect(yield* index.rows(everything)).toEqual([])
      })
    ))

  it("a file that is forgotten and named again in one change is known", () =>
    run(
      Effect.gen(function* () {
        const index = yield* make
        yield* index.change({ files: [facts(1)] })
        yield* index.change({ forgetFiles: [facts(1).path], files: [facts(1, { size: 9 })] })
        expect((yield* index.files).map(({ size }) => size)).toEqual([9])
      })
    ))

  it("gives pages of its rows, with their paths", () =>
    run(
      Effect.gen(function* () {
        const index = yield* make
        const rows = [row(2), row(1, { explicit: { metadata: { tenant: "a" } } }), row(3, { archivedAt: 1 })]
        yield* index.change({ rows: rows.map((one) => ({ row: one, reached: undefined })) })
        expect((yield* index.rows(everything)).map(({ path }) => path)).toEqual(
          [1, 2, 3].map((n) => `/home/sessions/${n}.jsonl`)
        )
        expect(yield* index.rows({ ...everything, archived: true })).toEqual([rows[2]])
        expect(yield* index.rows({ ...everything, metadata: { tenant: "a" } })).toEqual([rows[1]])
      })
    ))
})

describe("an index in SQLite", () => {
  const filled = Effect.gen(function* () {
    const path = yield* filename
    yield* Effect.scoped(
      Effect.flatMap(SqliteIndex.make({ filename: path }), (index) =>
        index.change({
          files: Array.from({ length: 500 }, (_, n) => facts(n)),
          rows: Array.from({ length: 500 }, (_, n) => ({ row: row(n), reached: undefined }))
        })
      )
    )
    return path
  })

  const replaced: Array<SqliteIndex.Replaced> = []
  const open = (path: string) => {
    replaced.length = 0
    return SqliteIndex.make({
      filename: path,
      patience: 50,
      onReplaced: (one) => Effect.sync(() => void replaced.push(one))
    })
  }

  it("outlasts its process", () =>
    run(
      Effect.gen(function* () {
        const index = yield* open(yield* filled)
        expect(yield* index.files).toHaveLength(500)
        expect((yield* index.rows(everything)).length).toBe(100)
        expect(replaced).toEqual([])
      })
    ))

  it.each([
    ["no database any more", (path: string) => writeFileSync(path, "nonsense".repeat(1000))],
    ["cut off", (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 5000))]
  ])(
    "damaged at the opening (%s), it is moved away with its side files and begins anew; both paths are told (83)",
    (_, damage) =>
      run(
        Effect.gen(function* () {
          const path = yield* filled
          damage(path)
          writeFileSync(`${path}-wal`, "old")
          writeFileSync(`${path}-shm`, "old")
          const index = yield* open(path)
          expect(yield* index.files).toEqual([])
          expect(replaced.map((one) => one.path)).toEqual([path])
          const [one] = replaced
          expect(readdirSync(one?.backup ?? "").length).toBeGreaterThan(0)
          expect(existsSync(one?.backup ?? "")).toBe(true)
          yield* index.change({ files: [facts(1)] })
          expect(yield* index.files).toHaveLength(1)
        })
      )
  )

  it("damaged while it is used, the same happens, and the call is answered from the new one (84)", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        const pages = bare(path, (db) => db.prepare("SELECT pageno FROM dbstat WHERE name = 'files'").pluck().all())
        const index = yield* open(path)
        const file = openSync(path, "r+")
        for (const page of pages as ReadonlyArray<number>)
          writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, (page - 1) * 4096)
        closeSync(file)
        expect(yield* index.files).toEqual([])
        expect(replaced).toHaveLength(1)
        yield* index.change({ files: [facts(1)] })
        expect(yield* index.files).toHaveLength(1)
      })
    ))

  it("that somebody else has put in its place already is not moved again", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        const pages = bare(path, (db) => db.prepare("SELECT pageno FROM dbstat WHERE name = 'files'").pluck().all())
        const index = yield* open(path)
        const file = openSync(path, "r+")
        for (const page of pages as ReadonlyArray<number>)
          writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, (page - 1) * 4096)
        closeSync(file)
        for (const end of ["", "-wal", "-shm"]) if (existsSync(path + end)) renameSync(path + end, `${path}.gone${end}`)
        yield* Effect.scoped(
          Effect.flatMap(SqliteIndex.make({ filename: path }), (other) => other.change({ files: [facts(7)] }))
        )
        expect((yield* index.files).map(({ size }) => size)).toEqual([7])
        expect(replaced).toEqual([])
      })
    ))

  it("locked by somebody, it is never moved: that is an error, and passes (83)", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        const index = yield* open(path)
        const other = new Sqlite(path)
        other.exec("BEGIN IMMEDIATE")
        expect(yield* Effect.flip(index.change({ files: [facts(1)] }))).toMatchObject({ retryable: true })
        other.exec("ROLLBACK")
        other.close()
        yield* index.change({ files: [facts(1)] })
        expect(replaced).toEqual([])
        expect(yield* index.files).toHaveLength(500)
      })
    ))

  it("a store is no index, and an index no store: neither is moved", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        const SqliteDriver = yield* Effect.promise(() => import("../src/SqliteDriver.js"))
        expect(yield* Effect.flip(Effect.scoped(SqliteDriver.make({ filename: path })))).toMatchObject({
          retryable: false
        })
        const store = yield* filename
        yield* Effect.scoped(SqliteDriver.make({ filename: store }))
        expect(yield* Effect.flip(Effect.scoped(open(store)))).toMatchObject({ retryable: false })
        expect(replaced).toEqual([])
        expect(existsSync(store)).toBe(true)
      })
    ))
})
