import * as Positions from "@skein/store/Position"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import * as SqliteDriver from "../src/SqliteDriver.js"
import { append, bare, derived, driver, filename, id, line, run, texts, there, thread } from "./Support.js"

describe("rows", () => {
  it("what is derived is kept when it is further, and passed over when it is not", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        yield* store.create(thread(id(1), [line("a"), line("b")]))
        const at = (offset: number) => Positions.make(id(1), offset)
        expect(yield* store.lagging(id(1))).toEqual([{ threadId: id(1), from: undefined }])
        yield* store.putDerived(id(1), derived({ title: "half" }), at(2))
        expect(yield* store.lagging()).toMatchObject([
          { from: { reached: at(2), derived: { summary: { title: "half" } } } }
        ])
        yield* store.putDerived(id(1), derived({ title: "less" }), at(0))
        yield* store.putDerived(id(1), derived({ title: "other" }), Positions.make(id(2), 4))
        yield* store.putDerived(id(1), derived({ title: "beyond" }), at(40))
        yield* store.putDerived(id(2), derived(), at(4))
        expect((yield* store.row(id(1))).derived.summary.title).toBe("half")
        yield* store.putDerived(id(1), derived({ title: "all" }), at(4))
        expect(yield* store.lagging()).toEqual([])
        yield* store.putDerived(id(1), derived({ title: "late" }), at(2))
        expect((yield* store.row(id(1))).derived.summary.title).toBe("all")
      })
    ))

  it("what was said explicitly outlasts everything, and is in the list by its name and metadata", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const store = yield* SqliteDriver.make({ filename: path, durability: "os" })
        yield* store.create(thread(id(1), [line("a")], { derived: derived() }))
        yield* store.updateExplicit(id(1), () => ({ name: "Called so", metadata: { tenant: "a", user: "b" } }))
        yield* append(store, id(1), line("b"))
        yield* store.branch(
          id(1),
          { ...thread("", [line("d")]).segment, segmentId: id(11) },
          { expected: (yield* store.locate(id(1))).head, fence: undefined }
        )
        yield* store.setArchived(id(1), 5)
        yield* store.setArchived(id(1), 6)
        const row = yield* store.row(id(1))
        expect(row.explicit).toEqual({ name: "Called so", metadata: { tenant: "a", user: "b" } })
        expect(row.archivedAt).toBe(5)
        expect(bare(path, (db) => db.prepare("SELECT key, value FROM metadata ORDER BY key").raw().all())).toEqual([
          ["tenant", "a"],
          ["user", "b"]
        ])
        yield* store.updateExplicit(id(1), ({ name }) => ({ name: `${name}!`, metadata: { user: "c" } }))
        expect((yield* store.row(id(1))).explicit).toEqual({ name: "Called so!", metadata: { user: "c" } })
        yield* store.setArchived(id(1), undefined)
        expect((yield* store.locate(id(1))).archivedAt).toBeUndefined()
        expect((yield* Effect.flip(store.updateExplicit(id(2), (same) => same)))._tag).toBe("ThreadNotFound")
      })
    ))

  it("a row whose texts the disk changed fails no list, is folded anew, and loses no name", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const store = yield* SqliteDriver.make({ filename: path, durability: "os" })
        const one = thread(id(1), [line("a")], { derived: derived(), explicit: { name: "Kept" } })
        yield* store.create(one)
        yield* store.create(thread(id(2), [line("a")], { derived: derived() }))
        bare(path, (db) => {
          db.pragma("ignore_check_constraints = ON")
          db.exec(
            `UPDATE details SET summary = '{"previ', explicit = '{"na' WHERE pk = 1; UPDATE threads SET version = 90 WHERE pk = 1`
          )
        })
        expect((yield* store.row(id(1))).derived.summary.preview).toBe("")
        const refused = yield* Effect.flip(store.updateExplicit(id(1), () => ({ name: "New" })))
        expect(refused).toMatchObject({ _tag: "StoreUnavailable", retryable: false })
        yield* append(store, id(1), line("b"))
        expect(yield* store.lagging()).toEqual([{ threadId: id(1), from: undefined }])
        expect(bare(path, (db) => db.prepare("SELECT explicit FROM details WHERE pk = 1").pluck().get())).toBe('{"na')
      })
    ))

  it("views are kept with the place that they reached, and go with their thread", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        yield* store.create(thread(id(1), [line("a")]))
        const row = { reached: Positions.make(id(1), 2), view: '{"turns":[]}' }
        const views = there(store.views)
        expect(yield* views.load(id(1))).toBeUndefined()
        yield* views.save(id(1), row)
        yield* views.save(id(2), row)
        expect(yield* views.load(id(1))).toEqual(row)
        expect(yield* views.load(id(2))).toBeUndefined()
        yield* store.remove(id(1), "keep")
        yield* store.create(thread(id(1), [line("a")]))
        expect(yield* views.load(id(1))).toBeUndefined()
      })
    ))
})

describe("backups", () => {
  it("are whole while the store is used, and never written over anything", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const store = yield* SqliteDriver.make({ filename: path, durability: "os" })
        yield* store.create(thread(id(1), [line("a")]))
        for (let i = 0; i < 300; i++) yield* append(store, id(1), new Uint8Array(5000).fill(i))
        const backup = there(store.backup)
        const copy = backup(`${path}.copy`)
        const writing = Effect.forEach(Array.from({ length: 100 }), () =>
          Effect.zipLeft(
            append(store, id(1), line("later")),
            Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
          )
        )
        yield* Effect.all([copy, writing], { concurrency: 2 })
        const lines = yield* Effect.scoped(
          Effect.flatMap(SqliteDriver.make({ filename: `${path}.copy` }), (other) =>
            Effect.map(texts(other, id(1)), ([first]) => first?.length ?? 0)
          )
        )
        expect(lines).toBeGreaterThanOrEqual(301)
        expect((yield* Effect.flip(backup(`${path}.copy`)))._tag).toBe("InvalidRequest")
        expect((yield* Effect.flip(backup("/nowhere/at/all")))._tag).toBe("StoreUnavailable")
        expect((yield* texts(store, id(1)))[0]).toHaveLength(401)
      })
    ))
})
