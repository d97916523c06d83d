import { closeSync, openSync, readdirSync, readFileSync, truncateSync, writeSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Derived from "@skein/store/Derived"
import * as Positions from "@skein/store/Position"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import * as Doctor from "../src/Doctor.js"
import * as SqliteDriver from "../src/SqliteDriver.js"
import { append, bare, derived, filename, header, id, line, run, said, texts, there, thread } from "./Support.js"

const pageSize = 4096

/** The pages of a table or index. */
const pagesOf = (path: string, name: string, type: "leaf" | "internal") =>
  bare(path, (db) =>
    db.prepare("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path").pluck().all(name, type)
  ) as ReadonlyArray<number>

const ruin = (path: string, pages: ReadonlyArray<number>) => {
  const file = openSync(path, "r+")
  for (const page of pages) writeSync(file, Buffer.alloc(pageSize, 0xa5), 0, pageSize, (page - 1) * pageSize)
  closeSync(file)
}

const threads = 30
const lines = 60

/** Thirty threads that are spoken to, every third one a fork of the one before. */
const filled = Effect.gen(function* () {
  const path = yield* filename
  yield* Effect.scoped(
    Effect.gen(function* () {
      const store = yield* SqliteDriver.make({ filename: path, durability: "os" })
      for (let n = 1; n <= threads; n++) {
        const first = [header(id(n)), said(`thread ${n}`)]
        const made = thread(id(n), first, { explicit: { name: `Name ${n}`, metadata: { tenant: `t${n % 3}` } } })
        const base = n % 3 === 0 ? Positions.make(id(n - 1), first[0]?.length ?? 0 + 1) : undefined
        yield* store.create({
          ...made,
          segment: { ...made.segment, base: base && { ...base, offset: base.offset + 1 } }
        })
      }
      for (let i = 0; i < lines; i++) {
        for (let n = 1; n <= threads; n++)
          yield* append(store, id(n), line(`{"n":${n},"i":${i},"pad":"${"x".repeat(300)}"}`))
      }
    })
  )
  return path
})

const codes = (findings: ReadonlyArray<Doctor.Finding>, severity?: Doctor.Finding["severity"]) => [
  ...new Set(findings.filter((one) => severity === undefined || one.severity === severity).map(({ code }) => code))
]

const using = <A, E>(
  path: string,
  use: (store: Effect.Effect.Success<ReturnType<typeof SqliteDriver.make>>) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(SqliteDriver.make({ filename: path }), use))

const all = (path: string) =>
  using(path, (store) =>
    Effect.forEach(
      Array.from({ length: threads }, (_, n) => n + 1),
      (n) => texts(store, id(n))
    )
  )

describe("check", () => {
  it("finds nothing wrong with a store that is well, also while it is used", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        yield* SqliteDriver.make({ filename: path })
        const findings = yield* Doctor.check({ filename: path, thorough: true })
        expect(codes(findings)).toEqual(["behind"])
      })
    ))

  it("finds lines that are missing or belong to nobody, and what stands on nothing", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        bare(path, (db) => {
          db.pragma("foreign_keys = OFF")
          db.exec("DELETE FROM content WHERE key = (SELECT key FROM content WHERE key >> 36 = 4 LIMIT 1 OFFSET 5)")
          db.exec("DELETE FROM content WHERE key = (SELECT max(key) FROM content WHERE key >> 36 = 5)")
          db.exec("DELETE FROM content WHERE key >> 36 = 7")
          db.exec("INSERT INTO content VALUES ((999 << 36) + 3, x'61')")
          db.exec(`UPDATE segments SET base_id = '${id(999)}' WHERE pk = 6`)
          db.exec("UPDATE segments SET base_offset = 99999999 WHERE pk = 9")
          db.exec("UPDATE segments SET base_offset = 5 WHERE pk = 12")
          db.exec(`UPDATE segments SET base_id = '${id(15)}', base_offset = 0 WHERE pk = 14`)
          db.exec("UPDATE threads SET head = 5000 WHERE pk = 20")
          db.pragma("ignore_check_constraints = ON")
          db.exec("UPDATE details SET explicit = '{' WHERE pk = 21")
          db.exec("UPDATE threads SET shelf = 2 WHERE pk = 22")
        })
        const findings = yield* Doctor.check({ filename: path })
        expect(findings.filter(({ code }) => code === "gap").map(({ segmentId }) => segmentId)).toEqual([
          id(4),
          id(5),
          id(7)
        ])
        expect(codes(findings, "error").sort()).toEqual([
          "base-too-short",
          "broken-reference",
          "cyclic-base",
          "gap",
          "missing-base",
          "stray-lines",
          "unreadable",
          "unreadable-metadata"
        ])
        expect(codes(findings, "warning").sort()).toEqual(["base-inside-line", "stale"])
      })
    ))

  it("finds rows of lists that are not what the log says, when asked to read all of it", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        yield* using(path, (store) =>
          store.create(thread(id(1), [header(id(1)), said("Hello")], { derived: derived({ title: "Wrong" }) }))
        )
        expect(yield* Doctor.check({ filename: path })).toEqual([])
        expect(yield* Doctor.check({ filename: path, thorough: true })).toMatchObject([
          { code: "stale", threadId: id(1) }
        ])
        const repaired = yield* Doctor.repair({ filename: path, thorough: true })
        expect(repaired.losses).toEqual([])
        expect(readdirSync(there(repaired.backup))).toEqual(["threads.db"])
        expect((yield* using(path, (store) => store.lagging())).map(({ threadId }) => threadId)).toEqual([id(1)])
      })
    ))

  it("refuses what is no store", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        expect((yield* Effect.flip(Doctor.check({ filename: path }))).reason).toContain("no such file")
        bare(path, (db) => db.exec("CREATE TABLE theirs (a)"))
        expect((yield* Effect.flip(Doctor.repair({ filename: path }))).reason).toContain("another program")
      })
    ))
})

describe("repair", () => {
  it("does nothing to a store that is well", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filled
        const before = readFileSync(path)
        const { backup, losses } = yield* Doctor.repair({ filename: path })
        expect([backup, losses]).toEqual([undefined, []])
        expect(Buffer.compare(readFileSync(path), before)).toBe(0)
      })
    ))

  it(
    "saves every line but those of bad pages, says what is lost, and keeps the file as it was",
    () =>
      run(
        Effect.gen(function* () {
          const path = yield* filled
          const before = yield* all(path)
          const leaves = pagesOf(path, "content", "leaf")
          ruin(path, [leaves[3], leaves[40], leaves[41], leaves.at(-1)].map(there))
          const damaged = readFileSync(path)
          const { backup, findings, losses } = yield* Doctor.repair({ filename: path })
          expect(codes(findings, "error")).toContain("unreadable")
          expect(losses.length).toBeGreaterThanOrEqual(3)
          expect(losses.length).toBeLessThan(10)
          expect(Buffer.compare(readFileSync(join(there(backup), "threads.db")), damaged)).toBe(0)
          expect(codes(yield* Doctor.check({ filename: path }), "error")).toEqual([])
          const after = yield* all(path)
          let lost = 0
          for (const [n, pieces] of after.entries()) {
            for (const [p, now] of pieces.entries()) {
              const was = before[n]?.[p] ?? []
              const kept = now.filter((one) => !one.startsWith("!lost"))
              expect(was.filter((one) => kept.includes(one))).toEqual(kept)
              expect(now.join("\n")).toHaveLength(was.join("\n").length)
              lost += was.length - kept.length
            }
          }
          expect(lost).toBeGreaterThan(0)
          // Each page holds about eleven lines, and forks show some of them twice.
          expect(lost).toBeLessThan(4 * 14 * 2)
          yield* using(path, (store) =>
            Effect.gen(function* () {
              expect((yield* store.row(id(7))).explicit).toEqual({ name: "Name 7", metadata: { tenant: "t1" } })
              yield* append(store, id(7), line("after"))
            })
          )
          expect(readdirSync(dirname(path)).filter((name) => name.includes("repairing"))).toEqual([])
        })
      ),
    60_000
  )

  it(
    "makes threads again of which only lines are left, and segments",
    () =>
      run(
        Effect.gen(function* () {
          const path = yield* filled
          const before = yield* all(path)
          ruin(path, [...pagesOf(path, "threads", "leaf"), ...pagesOf(path, "details", "leaf")])
          const { losses } = yield* Doctor.repair({ filename: path })
          expect(losses.filter(({ what }) => what === "metadata").length).toBeGreaterThan(0)
          expect(yield* all(path)).toEqual(before)
          const other = yield* filled
          ruin(other, pagesOf(other, "segments", "leaf"))
          const again = yield* Doctor.repair({ filename: other })
          expect(again.losses.filter(({ what }) => what === "segment")).toHaveLength(threads)
          yield* using(other, (store) =>
            Effect.gen(function* () {
              for (let n = 1; n <= threads; n++)
                expect((yield* texts(store, id(n))).at(-1)).toEqual(before[n - 1]?.at(-1))
              expect((yield* store.row(id(4))).explicit.name).toBe("Name 4")
            })
          )
        })
      ),
    60_000
  )

  it.each([
    [
      "whose first bytes are gone",
      (path: string) => {
        const file = openSync(path, "r+")
        writeSync(file, Buffer.alloc(100), 0, 100, 0)
        closeSync(file)
      },
      1
    ],
    [
      "that was cut in half",
      (path: string) => truncateSync(path, Math.floor(readFileSync(path).length / 2 / pageSize) * pageSize),
      0.2
    ]
  ])(
    "saves what there is of a file %s",
    (_, damage, least) =>
      run(
        Effect.gen(function* () {
          const path = yield* filled
          const before = (yield* all(path)).flat(2)
          damage(path)
          const error = yield* Effect.flip(
            Effect.scoped(
              Effect.flatMap(SqliteDriver.make({ filename: path }), (store) =>
                Effect.zipRight(store.locate(id(1)), Effect.flip(Effect.succeed(1)))
              )
            )
          )
          expect(error).toBeDefined()
          const { backup } = yield* Doctor.repair({ filename: path })
          expect(readdirSync(there(backup))).toEqual(["threads.db"])
          const kept = yield* using(path, (store) =>
            Effect.gen(function* () {
              let kept = 0
              for (let n = 1; n <= threads; n++) {
                const found = yield* Effect.either(texts(store, id(n)))
                if (found._tag === "Right") kept += found.right.flat().filter((one) => !one.startsWith("!lost")).length
              }
              return kept
            })
          )
          expect(kept / before.length).toBeGreaterThanOrEqual(least)
          expect(
            codes(yield* Doctor.check({ filename: path }), "error").filter((code) => code !== "missing-base")
          ).toEqual([])
        })
      ),
    60_000
  )

  it(
    "puts right what does not fit together in a file that can be read",
    () =>
      run(
        Effect.gen(function* () {
          const path = yield* filled
          bare(path, (db) => {
            db.pragma("foreign_keys = OFF")
            db.pragma("ignore_check_constraints = ON")
            db.exec("DELETE FROM content WHERE key = (SELECT key FROM content WHERE key >> 36 = 4 LIMIT 1 OFFSET 5)")
            db.exec("UPDATE threads SET head = 5000 WHERE pk = 20")
            db.exec("DELETE FROM threads WHERE pk = 22")
            db.exec('UPDATE details SET explicit = \'{"name":"Half\' WHERE pk = 21')
            db.exec("DELETE FROM details WHERE pk = 23")
          })
          const { losses } = yield* Doctor.repair({ filename: path })
          expect(losses.map(({ segmentId, threadId, what }) => [what, threadId ?? segmentId])).toEqual([
            ["lines", id(4)],
            ["metadata", id(22)],
            ["thread", id(20)],
            ["metadata", id(21)],
            ["metadata", id(23)]
          ])
          expect(losses.find(({ threadId }) => threadId === id(21))?.message).toContain("Half")
          expect(codes(yield* Doctor.check({ filename: path }), "error")).toEqual([])
        })
      ),
    60_000
  )

  it(
    "waits for others, and gives up when they do not go; nothing is changed",
    () =>
      run(
        Effect.gen(function* () {
          const path = yield* filled
          ruin(path, [there(pagesOf(path, "content", "leaf")[3])])
          const other = new Sqlite(path)
          other.prepare("SELECT count(*) FROM threads").get()
          const error = yield* Effect.flip(Doctor.repair({ filename: path, patience: 50 }))
          expect(error).toMatchObject({ _tag: "StoreUnavailable", retryable: true })
          other.close()
          const { losses } = yield* Doctor.repair({ filename: path })
          expect(losses.length).toBeGreaterThan(0)
        })
      ),
    60_000
  )

  it(
    "lets no fence of the old file be given out again",
    () =>
      run(
        Effect.gen(function* () {
          const path = yield* filled
          const lease = (store: Effect.Effect.Success<ReturnType<typeof SqliteDriver.make>>) =>
            store.lease({ threadId: id(1), name: "x", time: 1 })
          const before = yield* using(path, (store) =>
            Effect.zipRight(Effect.ignore(lease(store)), Effect.zipLeft(Effect.succeed(1), Effect.sleep(5))).pipe(
              Effect.zipRight(lease(store))
            )
          )
          ruin(path, [there(pagesOf(path, "content", "leaf")[3])])
          yield* Doctor.repair({ filename: path })
          expect((yield* using(path, lease)).fence).toBeGreaterThan(before.fence)
          expect(Derived.empty).toBeDefined()
        })
      ),
    60_000
  )
})
