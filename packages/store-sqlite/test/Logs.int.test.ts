import * as LineSource from "@skein/store/LineSource"
import * as Positions from "@skein/store/Position"
import * as StoreError from "@skein/store/StoreError"
import { Effect, Either } from "effect"
import { describe, expect, it } from "vitest"
import * as SqliteDriver from "../src/SqliteDriver.js"
import {
  append,
  bare,
  batch,
  derived,
  driver,
  filename,
  header,
  id,
  line,
  linesOf,
  run,
  said,
  texts,
  there,
  thread
} from "./Support.js"

describe("creating and appending", () => {
  it("a thread has its lines, its place and its row", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        const head = yield* store.create(thread(id(1), [header(id(1)), said("one")], { derived: derived() }))
        expect(yield* texts(store, id(1))).toEqual([
          [header(id(1)), said("one")].map((one) => new TextDecoder().decode(one))
        ])
        expect(yield* store.locate(id(1))).toEqual({
          threadId: id(1),
          historyMode: "legacy",
          archivedAt: undefined,
          head,
          nextOrdinal: undefined
        })
        const row = yield* store.row(id(1))
        expect(row.derived).toEqual(derived())
        expect(row.madeAt).toBe(1_700_000_000_000)
        expect(yield* store.lagging()).toEqual([])
      })
    ))

  it("a second thread of the same id is refused and leaves nothing, however long its content", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const store = yield* SqliteDriver.make({ filename: path, durability: "os" })
        yield* store.create(thread(id(1), [line("a")]))
        const long = Array.from({ length: 40 }, () => new Uint8Array(100_000))
        const other = thread(id(2), long)
        for (const one of [thread(id(1), [line("b")]), { ...other, segment: { ...other.segment, segmentId: id(1) } }]) {
          const error = yield* Effect.flip(store.create(one))
          expect(error._tag).toBe("ThreadAlreadyExists")
        }
        expect(yield* texts(store, id(1))).toEqual([["a"]])
        expect(bare(path, (db) => db.prepare("SELECT count(*) AS n FROM content").get())).toEqual({ n: 1 })
        expect(bare(path, (db) => db.prepare("SELECT count(*) AS n FROM segments").get())).toEqual({ n: 1 })
      })
    ))

  it("batches are told where they stand, are written together, and give the position behind each", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        const start = thread(id(1), [line("abc")])
        yield* store.create({ ...start, segment: { ...start.segment, nextOrdinal: 1 } })
        const asked: Array<unknown> = []
        const ends = yield* store.append({
          threadId: id(1),
          expected: Positions.make(id(1), 4),
          fence: undefined,
          batches: [[line("d"), line("")], [], [line("ef")]].map((lines) => (at) => {
            asked.push([at.head.offset, at.nextOrdinal])
            return Either.right({ lines, derive: (before) => before })
          })
        })
        expect(asked).toEqual([
          [4, 1],
          [7, 3],
          [7, 3]
        ])
        expect(ends.map(({ offset }) => offset)).toEqual([7, 7, 10])
        expect((yield* store.locate(id(1))).nextOrdinal).toBe(4)
        expect(yield* texts(store, id(1))).toEqual([["abc", "d", "", "ef"]])
      })
    ))

  it("nothing is written when one batch refuses, when the log ends elsewhere, or when there is no thread", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        const head = yield* store.create(thread(id(1), [line("a")]))
        const request = { threadId: id(1), expected: "any" as const, fence: undefined }
        const refusal = new StoreError.ThreadNotFound({ threadId: "x" })
        const refused = yield* Effect.flip(
          store.append({ ...request, batches: [batch(line("b")), () => Either.left(refusal)] })
        )
        expect(refused).toBe(refusal)
        const elsewhere = Positions.make(id(1), 1)
        const conflict = yield* Effect.flip(
          store.append({ ...request, expected: elsewhere, batches: [batch(line("b"))] })
        )
        expect(conflict).toMatchObject({
          _tag: "AppendConflict",
          reason: "position",
          expected: elsewhere,
          actual: head
        })
        expect((yield* Effect.flip(append(store, id(2), line("b"))))._tag).toBe("ThreadNotFound")
        expect(yield* texts(store, id(1))).toEqual([["a"]])
      })
    ))

  it("a batch that throws is undone, and the next one finds the store as it was", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        yield* store.create(thread(id(1), [line("a")], { derived: derived() }))
        const broken = store.append({
          threadId: id(1),
          expected: "any",
          fence: undefined,
          batches: [
            () =>
              Either.right({
                lines: [line("b")],
                derive: () => {
                  throw new Error("no fold")
                }
              })
          ]
        })
        expect((yield* Effect.exit(broken))._tag).toBe("Failure")
        yield* append(store, id(1), line("c"))
        expect(yield* texts(store, id(1))).toEqual([["a", "c"]])
      })
    ))

  it("what is derived is written with the lines, and read again by another instance", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const one = yield* SqliteDriver.make({ filename: path, durability: "os" })
        const two = yield* SqliteDriver.make({ filename: path, durability: "os" })
        yield* one.create(thread(id(1), [line("a")], { derived: derived() }))
        const grow = (store: typeof one, add: string) =>
          store.append({
            threadId: id(1),
            expected: "any",
            fence: undefined,
            batches: [
              () =>
                Either.right({
                  lines: [line(add)],
                  derive: (before) => ({
                    ...before,
                    tokensUsed: (before.tokensUsed ?? 0) + 1,
                    recency: { ...before.recency, updatedAt: 1_700_000_000_000 + (before.tokensUsed ?? 0) },
                    summary: add === "t" ? { ...before.summary, title: "Other" } : before.summary
                  })
                })
            ]
          })
        for (const [i, store] of [one, two, one, one, two, two, one].entries()) yield* grow(store, i === 4 ? "t" : "x")
        for (const store of [one, two]) {
          const row = yield* store.row(id(1))
          expect(row.derived.tokensUsed).toBe(7)
          expect(row.derived.recency.updatedAt).toBe(1_700_000_000_006)
          expect(row.derived.summary.title).toBe("Other")
        }
      })
    ))

  it("content that is longer than a transaction is all there or not at all, also when its source fails", () =>
    run(
      Effect.gen(function* () {
        const path = yield* filename
        const store = yield* SqliteDriver.make({ filename: path, durability: "os" })
        const lines = Array.from({ length: 50 }, (_, i) => new Uint8Array(100_000).fill(i))
        yield* store.create(thread(id(1), lines))
        const log = yield* store.open(id(1))
        const back = yield* linesOf(there(log.pieces[0]).source)
        expect(back.every(({ bytes }, i) => Buffer.compare(bytes, lines[i] ?? line("")) === 0)).toBe(true)
        expect(back).toHaveLength(lines.length)
        const source = LineSource.ofLines(lines)
        const failing: typeof source = {
          ...source,
          forward: (take, range) =>
            Effect.flatMap(source.forward(take, range), (all) =>
              all
                ? Effect.fail(
                    new StoreError.CorruptThread({ threadId: "x", position: undefined, reason: "over" }) as never
                  )
                : Effect.succeed(all)
            )
        }
        const other = thread(id(2), [])
        const error = yield* Effect.flip(store.create({ ...other, segment: { ...other.segment, content: failing } }))
        expect(error._tag).toBe("CorruptThread")
        expect((yield* Effect.flip(store.locate(id(2))))._tag).toBe("ThreadNotFound")
        expect(bare(path, (db) => db.prepare("SELECT count(*) AS n FROM content").get())).toEqual({ n: 50 })
      })
    ))

  it("a thread is created from one of the same store, of any length", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        const lines = Array.from({ length: 30 }, (_, i) => new Uint8Array(100_000).fill(i))
        yield* store.create(thread(id(1), lines))
        const [segment] = yield* store.segments(id(1))
        const copy = thread(id(2), [])
        yield* store.create({ ...copy, segment: { ...copy.segment, content: there(segment).source } })
        expect((yield* store.locate(id(2))).head.offset).toBe((yield* store.locate(id(1))).head.offset)
      })
    ))
})

describe("segments", () => {
  const branched = Effect.gen(function* () {
    const store = yield* driver
    yield* store.create(thread(id(1), [line("a"), line("b"), line("c")], { derived: derived() }))
    const head = Positions.make(id(1), 6)
    yield* store.branch(
      id(1),
      { ...thread("", [line("d")]).segment, segmentId: id(11), base: Positions.make(id(1), 4) },
      { expected: head, fence: undefined }
    )
    return store
  })

  it("a thread that goes on in a new segment has what is in front of its base, and is folded anew", () =>
    run(
      Effect.gen(function* () {
        const store = yield* branched
        expect(yield* texts(store, id(1))).toEqual([["a", "b"], ["d"]])
        expect(yield* store.lagging()).toEqual([{ threadId: id(1), from: undefined }])
        expect((yield* store.row(id(1))).derived.summary.preview).toBe("")
        expect((yield* store.segments(id(1))).map(({ base, segmentId }) => [segmentId, base?.offset])).toEqual([
          [id(1), undefined],
          [id(11), 4]
        ])
        yield* append(store, id(1), line("e"))
        expect(yield* texts(store, id(1))).toEqual([
          ["a", "b"],
          ["d", "e"]
        ])
      })
    ))

  it("is refused where the log ends elsewhere, and where the segment's id is taken", () =>
    run(
      Effect.gen(function* () {
        const store = yield* branched
        const segment = { ...thread("", [line("x")]).segment, segmentId: id(12), base: undefined }
        const stale = { expected: Positions.make(id(1), 6), fence: undefined }
        expect((yield* Effect.flip(store.branch(id(1), segment, stale)))._tag).toBe("AppendConflict")
        const now = { expected: (yield* store.locate(id(1))).head, fence: undefined }
        const taken = yield* Effect.flip(store.branch(id(1), { ...segment, segmentId: id(1) }, now))
        expect(taken).toMatchObject({ _tag: "InvalidRequest", field: "segmentId" })
      })
    ))

  it("a reader keeps what it opened: later appends and a new head are no part of it", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        yield* store.create(thread(id(1), [line("a"), line("b")]))
        const log = yield* store.open(id(1))
        yield* append(store, id(1), line("c"))
        const [piece] = log.pieces
        const lines = yield* linesOf(there(piece).source)
        expect(lines.map(({ offset }) => offset)).toEqual([0, 2])
      })
    ))

  it("missing, short and circular bases are said in diagnostics, and the rest is read (10.1)", () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        const on = (n: number, base: Positions.Position) => ({
          ...thread(id(n), [line(`own ${n}`)]),
          segment: { ...thread(id(n), [line(`own ${n}`)]).segment, base }
        })
        yield* store.create(on(1, Positions.make(id(9), 5)))
        yield* store.create(on(2, Positions.make(id(1), 500)))
        yield* store.create(on(3, Positions.make(id(4), 6)))
        yield* store.create(on(4, Positions.make(id(3), 6)))
        const codes = (n: number) =>
          Effect.map(store.open(id(n)), ({ diagnostics, pieces, whole }) => [
            whole,
            diagnostics.map(({ code }) => code),
            pieces.map(({ segmentId }) => segmentId)
          ])
        expect(yield* codes(1)).toEqual([false, ["missing-base"], [id(1)]])
        expect(yield* codes(2)).toEqual([false, ["base-too-short", "missing-base"], [id(1), id(2)]])
        expect(yield* codes(3)).toEqual([false, ["cyclic-base"], [id(4), id(3)]])
      })
    ))
})
