import * as Positions from "@skein/store/Position"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import * as SqliteDriver from "../src/SqliteDriver.js"
import { bare, driver, filename, id, line, linesOf, run, texts, there, thread } from "./Support.js"

describe("removing", () => {
  /** Thread 2 stands on 1, 3 on 2. */
  const chain = Effect.gen(function* () {
    const path = yield* filename
    const store = yield* SqliteDriver.make({ filename: path, durability: "os" })
    yield* store.create(thread(id(1), [line("a"), line("b")]))
    for (const n of [2, 3]) {
      const made = thread(id(n), [line(String(n))])
      yield* store.create({ ...made, segment: { ...made.segment, base: Positions.make(id(n - 1), 2) } })
    }
    return { path, store }
  })
  const count = (path: string) =>
    bare(path, (db) => ({
      segments: db.prepare("SELECT count(*) AS n FROM segments").pluck().get(),
      lines: db.prepare("SELECT count(*) AS n FROM content").pluck().get()
    }))

  it("keep: what others stand on stays, says for whom, and goes with the last of them", () =>
    run(
      Effect.gen(function* () {
        const { path, store } = yield* chain
        expect(yield* store.remove(id(1), "keep")).toEqual({ kept: [{ segmentId: id(1), for: [id(2)] }] })
        expect((yield* Effect.flip(store.locate(id(1))))._tag).toBe("ThreadNotFound")
        expect(yield* texts(store, id(3))).toEqual([["a"], ["2"], ["3"]])
        expect((yield* Effect.flip(store.create(thread(id(1), [line("x")]))))._tag).toBe("ThreadAlreadyExists")
        expect(yield* store.remove(id(2), "keep")).toEqual({ kept: [{ segmentId: id(2), for: [id(3)] }] })
        expect(count(path)).toEqual({ segments: 3, lines: 4 })
        expect(yield* store.remove(id(3), "keep")).toEqual({ kept: [] })
        expect(count(path)).toEqual({ segments: 0, lines: 0 })
        yield* store.create(thread(id(1), [line("x")]))
      })
    ))

  it("a fork of a thread that was deleted since it was read is refused, and nothing of it is left", () =>
    run(
      Effect.gen(function* () {
        const { path, store } = yield* chain
        const made = thread(id(4), [line("4")])
        const base = Positions.make(id(3), 2)
        const fork = { ...made, forkOf: id(3), segment: { ...made.segment, base } }
        yield* store.remove(id(3), "refuse")
        expect(yield* Effect.flip(store.create(fork))).toMatchObject({ _tag: "ThreadNotFound", threadId: id(3) })
        expect(count(path)).toEqual({ segments: 2, lines: 3 })
        // Where nobody says that it is a fork, it is a thread of a home that was damaged before.
        yield* store.create({ ...fork, forkOf: undefined })
      })
    ))

  it("refuse: names those that stand on it, and changes nothing", () =>
    run(
      Effect.gen(function* () {
        const { store } = yield* chain
        const error = yield* Effect.flip(store.remove(id(1), "refuse"))
        expect(error).toMatchObject({ _tag: "InvalidRequest", field: "shared" })
        expect(error.message).toContain(id(2))
        expect(yield* texts(store, id(1))).toEqual([["a", "b"]])
        expect(yield* store.remove(id(3), "refuse")).toEqual({ kept: [] })
      })
    ))

  it("materialise: those that stand on it get lines of their own, and their own offsets stay", () =>
    run(
      Effect.gen(function* () {
        const { path, store } = yield* chain
        const before = yield* store.locate(id(2))
        expect(yield* store.remove(id(1), "materialise")).toEqual({ kept: [] })
        expect(yield* store.locate(id(2))).toEqual(before)
        expect(yield* texts(store, id(2))).toEqual([["a"], ["2"]])
        expect(yield* texts(store, id(3))).toEqual([["a"], ["2"], ["3"]])
        expect(count(path)).toEqual({ segments: 3, lines: 3 })
        yield* store.create(thread(id(1), [line("x")]))
      })
    ))

  it("all segments of the thread go, those that its log no longer counts too", () =>
    run(
      Effect.gen(function* () {
        const { path, store } = yield* chain
        yield* store.branch(
          id(3),
          { ...thread("", [line("new")]).segment, segmentId: id(33), base: Positions.make(id(2), 2) },
          { expected: (yield* store.locate(id(3))).head, fence: undefined }
        )
        yield* store.remove(id(3), "keep")
        expect(count(path)).toEqual({ segments: 2, lines: 3 })
      })
    ))

  it("gives the room back", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const store = yield* SqliteDriver.make({ filename: path, durability: "os" })
        const size = () => bare(path, (db) => db.pragma("page_count", { simple: true }) as number)
        yield* store.create(thread(id(1), [line("a")]))
        const before = size()
        yield* store.create(
          thread(
            id(2),
            Array.from({ length: 3000 }, () => new Uint8Array(3000))
          )
        )
        expect(size()).toBeGreaterThan(before + 2000)
        yield* store.remove(id(2), "keep")
        expect(size()).toBeLessThan(before + 20)
        expect(yield* texts(store, id(1))).toEqual([["a"]])
      })
    ))

  it("while it is read: the reader is told that the thread is gone", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        yield* store.create(
          thread(
            id(1),
            Array.from({ length: 3000 }, () => new Uint8Array(1000))
          )
        )
        const log = yield* store.open(id(1))
        yield* store.remove(id(1), "keep")
        const source = there(log.pieces[0]).source
        for (const direction of ["forward", "backward"] as const) {
          expect(yield* Effect.flip(linesOf(source, direction))).toMatchObject({
            _tag: "ThreadNotFound",
            threadId: id(1)
          })
        }
      })
    ))

  it("what a crash left between the row and its lines is swept away by the next opening", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        yield* Effect.scoped(
          Effect.flatMap(SqliteDriver.make({ filename: path }), (store) => store.create(thread(id(1), [line("a")])))
        )
        bare(path, (db) => {
          db.pragma("foreign_keys = ON")
          db.exec("DELETE FROM threads; UPDATE segments SET id = NULL, kept_until = 0")
        })
        const store = yield* SqliteDriver.make({ filename: path })
        yield* Effect.repeat(Effect.yieldNow(), { times: 100 })
        yield* store.create(thread(id(1), [line("b")]))
        expect(count(path)).toEqual({ segments: 1, lines: 1 })
      })
    ))
})
