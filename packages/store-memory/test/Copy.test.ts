import * as Copy from "@skein/store/Copy"
import * as LineSource from "@skein/store/LineSource"
import { StoreUnavailable } from "@skein/store/StoreError"
import type { Exported, ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { content, header, idOf, memory, play, run, said, step } from "./Histories.js"

const copied = (from: ThreadStoreService, to: ThreadStoreService, selection?: Copy.Selection) =>
  Effect.flatMap(Copy.plan(from, to, selection), (plan) => Copy.run(from, to, plan))

const tags = (outcomes: ReadonlyArray<Copy.Outcome>) => outcomes.map(({ _tag, threadId }) => `${_tag} ${threadId}`)

/** Three threads: a fork of a fork, whose base was reverted and then archived, all named. */
const family = Effect.gen(function* () {
  const store = yield* memory
  yield* store.create(header(1), said("one"))
  const { position } = yield* store.append(idOf(1), said("two"))
  yield* store.append(idOf(1), said("three"))
  yield* store.fork(idOf(1), { at: position, header: header(2), records: said("four") })
  yield* store.revert(idOf(1), { to: position, timestamp: "2026-11-20T13:00:00.000Z", records: said("five") })
  yield* store.fork(idOf(1), { header: header(3), records: said("six") })
  yield* store.updateSummary(idOf(2), { name: "The second", metadata: { tenant: "a" } })
  yield* store.archive(idOf(1))
  return store
})

describe("a copy of a store (thread-store case 94)", () => {
  it("has the same segments, line for line, names, host metadata and archive; a second one finds nothing to do", () =>
    run(
      Effect.gen(function* () {
        const from = yield* family
        const to = yield* memory
        const outcomes = yield* copied(from, to)
        expect(tags(outcomes)).toEqual([1, 2, 3].map((n) => `Copied ${idOf(n)}`))
        expect(Copy.isWhole(outcomes)).toBe(true)
        expect(yield* content(to)).toEqual(yield* content(from))
        expect(tags(yield* copied(from, to))).toEqual([1, 2, 3].map((n) => `Same ${idOf(n)}`))
      })
    ))

  it("of one thread takes what it stands on along, in front of it, and says for whose sake", () =>
    run(
      Effect.gen(function* () {
        const from = yield* family
        const to = yield* memory
        const { bytes, threads } = yield* Copy.plan(from, to, { ids: [idOf(3).toUpperCase()] })
        expect(threads).toMatchObject([
          { threadId: idOf(1), neededBy: idOf(3), segments: 2, isThere: false },
          { threadId: idOf(3), neededBy: undefined, segments: 1 }
        ])
        expect(threads.reduce((sum, one) => sum + one.bytes, 0)).toBe(bytes)
        yield* copied(from, to, { ids: [idOf(3)] })
        expect((yield* content(to)).map(({ id }) => id).sort()).toEqual([idOf(1), idOf(3)])
      })
    ))

  it("of a query takes the threads that pass", () =>
    run(
      Effect.gen(function* () {
        const from = yield* family
        const { threads } = yield* Copy.plan(from, yield* memory, {
          query: { metadata: { tenant: "a" }, hidden: true }
        })
        expect(threads.map(({ threadId, title }) => [threadId, title])).toEqual([
          [idOf(1), ""],
          [idOf(2), "The second"]
        ])
      })
    ))

  it("leaves what is there and is not the same, and says what differs", () =>
    run(
      Effect.gen(function* () {
        const from = yield* family
        const to = yield* memory
        yield* copied(from, to)
        yield* to.append(idOf(2), said("elsewhere"))
        yield* to.updateSummary(idOf(3), { name: "Other" })
        yield* to.unarchive(idOf(1))
        const before = yield* content(to)
        const outcomes = yield* copied(from, to)
        expect(tags(outcomes)).toEqual([1, 2, 3].map((n) => `Differs ${idOf(n)}`))
        expect(outcomes).toMatchObject([
          { differences: ["it is active there, archived here"] },
          { differences: [expect.stringMatching(/^segment .* has other lines/)] },
          { differences: ['its name is "Other" there, not set here'] }
        ])
        expect(Copy.isWhole(outcomes)).toBe(false)
        expect(yield* content(to)).toEqual(before)
      })
    ))

  it("goes on with a thread of which only some segments had come", () =>
    run(
      Effect.gen(function* () {
        const from = yield* family
        const to = yield* memory
        const thread = yield* from.exported(idOf(1))
        yield* to.imported({ ...thread, segments: thread.segments.slice(0, 1) })
        expect(tags(yield* copied(from, to))).toEqual([1, 2, 3].map((n) => `Copied ${idOf(n)}`))
        expect(yield* content(to)).toEqual(yield* content(from))
      })
    ))

  it("of threads whose base was deleted brings the segments that were left to them, and no thread of them", () =>
    run(
      Effect.gen(function* () {
        const from = yield* family
        yield* from.delete(idOf(1))
        const to = yield* memory
        const { threads } = yield* Copy.plan(from, to)
        expect(threads.filter(({ isRemnant }) => isRemnant)).toHaveLength(2)
        const outcomes = yield* copied(from, to)
        expect(Copy.isWhole(outcomes)).toBe(true)
        expect(yield* content(to)).toEqual(yield* content(from))
        const turns = (store: ThreadStoreService) => Effect.map(store.turns(idOf(3)), ({ items }) => items)
        expect(yield* turns(to)).toEqual(yield* turns(from))
        expect(tags(yield* copied(from, to))).toEqual([2, 3].map((n) => `Same ${idOf(n)}`))
        expect(yield* content(to)).toEqual(yield* content(from))
      })
    ))

  it("of a thread whose base is nowhere is the same thread", () =>
    run(
      Effect.gen(function* () {
        const from = yield* memory
        const { row, segments } = yield* (yield* family).exported(idOf(2))
        yield* from.imported({ row, segments })
        const to = yield* memory
        expect(tags(yield* copied(from, to))).toEqual([`Copied ${idOf(2)}`])
        expect(yield* content(to)).toEqual(yield* content(from))
      })
    ))

  it("of threads that stand on each other in a circle ends", () =>
    run(
      Effect.gen(function* () {
        const from = yield* memory
        const source = LineSource.ofLines([])
        for (const [n, other] of [
          [1, 2],
          [2, 1]
        ] as const) {
          const { row } = yield* (yield* family).exported(idOf(n))
          const segment = { segmentId: idOf(n), base: { segmentId: idOf(other), offset: 0 }, source, madeAt: 0 }
          yield* from.imported({ row, segments: [segment] })
        }
        const to = yield* memory
        expect(tags(yield* copied(from, to)).sort()).toEqual([`Copied ${idOf(1)}`, `Copied ${idOf(2)}`])
        expect(yield* content(to)).toEqual(yield* content(from))
      })
    ))

  it("tells threads that cannot be read, and copies the others", () =>
    run(
      Effect.gen(function* () {
        const from = yield* family
        const unavailable = new StoreUnavailable({
          operation: "exported",
          reason: "the disk is broken",
          advice: "Mend it.",
          retryable: false,
          paths: []
        })
        const broken: ThreadStoreService = {
          ...from,
          exported: (id) => (id === idOf(2) ? Effect.fail(unavailable) : from.exported(id))
        }
        const outcomes = yield* copied(broken, yield* memory)
        expect(tags(outcomes)).toEqual([`Failed ${idOf(2)}`, `Copied ${idOf(1)}`, `Copied ${idOf(3)}`])
        expect(outcomes[0]).toMatchObject({ error: unavailable })
        const missing = yield* copied(from, yield* memory, { ids: [idOf(9)] })
        expect(missing).toMatchObject([{ _tag: "Failed", error: { _tag: "ThreadNotFound", threadId: idOf(9) } }])
        const nonsense = yield* Effect.flip(copied(from, yield* memory, { ids: ["nonsense"] }))
        expect(nonsense._tag).toBe("InvalidRequest")
      })
    ))

  it("is not said to be one when the other store loses, changes or reorders a line", () => {
    type Change = (lines: ReadonlyArray<Uint8Array>) => ReadonlyArray<Uint8Array>
    const changes: ReadonlyArray<Change> = [
      (lines) => lines.slice(0, -1),
      (lines) => [...lines].reverse(),
      (lines) => lines.map((line, i) => (i === 1 ? line.slice(1) : line)),
      (lines) => [...lines, ...lines.slice(-1)]
    ]
    const breaking = (to: ThreadStoreService, change: Change): ThreadStoreService => ({
      ...to,
      imported: (thread: Exported, options) =>
        Effect.gen(function* () {
          const segments = []
          for (const segment of thread.segments) {
            const lines: Array<Uint8Array> = []
            yield* segment.source.forward((line) => lines.push(line.bytes) > 0)
            segments.push({ ...segment, source: LineSource.ofLines(change(lines)) })
          }
          yield* to.imported({ ...thread, segments }, options)
        })
    })
    return run(
      Effect.gen(function* () {
        for (const change of changes) {
          const from = yield* family
          const outcomes = yield* copied(from, breaking(yield* memory, change))
          expect(outcomes.every(({ _tag }) => _tag === "Failed")).toBe(true)
          expect(outcomes[0]).toMatchObject({ error: { _tag: "CorruptThread", threadId: idOf(1) } })
        }
      })
    )
  })

  it("tells how far it is, and never more than all", () =>
    run(
      Effect.gen(function* () {
        const from = yield* family
        const to = yield* memory
        const told: Array<Copy.Progress> = []
        const plan = yield* Copy.plan(from, to)
        yield* Copy.run(from, to, plan, { progress: (progress) => told.push(progress) })
        const bytes = told.map((progress) => progress.bytes)
        expect(bytes).toEqual([...bytes].sort((left, right) => left - right))
        expect(told.at(-1)).toMatchObject({ done: 3, threads: 3, bytes: plan.bytes * 3, total: plan.bytes * 3 })
      })
    ))
})

it("a copy of any store is that store, in one go or thread by thread", { timeout: 60_000 }, () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) =>
      run(
        Effect.gen(function* () {
          const from = yield* play(steps)
          const to = yield* memory
          expect(Copy.isWhole(yield* copied(from, to))).toBe(true)
          expect(yield* content(to)).toEqual(yield* content(from))
          const single = yield* memory
          for (const { id } of yield* content(from)) {
            const outcomes = yield* copied(from, single, { ids: [id] })
            expect(outcomes.find(({ threadId }) => threadId === id)?._tag).toMatch(/Copied|Same/)
          }
          expect(yield* content(single)).toEqual(yield* content(from))
        })
      )
    ),
    { numRuns: 60 }
  )
)
