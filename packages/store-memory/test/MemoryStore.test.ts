import type { Draft } from "@skein/core/record/Record"
import type { NewThread } from "@skein/store/Driver"
import * as LineSource from "@skein/store/LineSource"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Script from "@skein/testing/Script"
import { Effect, Stream } from "effect"
import { expect, it } from "vitest"
import * as MemoryDriver from "../src/MemoryDriver.js"
import * as MemoryStore from "../src/MemoryStore.js"

const draft = ({ payload, type }: Script.Line): Draft =>
  ({ timestamp: "2026-11-20T12:00:00.000Z", type, payload }) as unknown as Draft

it("a thread is created, appended to, read from both ends, listed, paged, forked and deleted", () =>
  Effect.gen(function* () {
    const store = yield* ThreadStore.ThreadStore
    const header = draft(Script.header()) as Draft<"session_meta">
    yield* store.create(header)
    const records = Script.turn("t1", "Hello world", Script.assistant("Hi")).map(draft)
    const { position } = yield* store.append(Script.threadId, records)
    expect((yield* store.head(Script.threadId)).head).toEqual(position)
    const rows = yield* Stream.runCollect(store.read(Script.threadId))
    const back = yield* Stream.runCollect(store.read(Script.threadId, { direction: "backward" }))
    expect([...rows].map((row) => row.position)).toEqual([...back].reverse().map((row) => row.position))
    const page = yield* store.summaries()
    expect(page.items.map(({ preview }) => preview)).toEqual(["Hello world"])
    expect((yield* store.turns(Script.threadId)).items).toHaveLength(1)
    expect((yield* store.search("WORLD")).items.map(({ snippet }) => snippet)).toEqual(["Hello world"])
    const fork = draft(Script.header()) as Draft<"session_meta">
    const id = "019c2b10-7a00-7c00-8000-0000000000b1"
    yield* store.fork(Script.threadId, {
      header: { ...fork, payload: { ...fork.payload, id, session_id: id, forked_from_id: Script.threadId } }
    })
    expect((yield* store.summaries()).items.map((one) => one.id).sort()).toEqual([Script.threadId, id])
    const deleted = yield* store.delete(Script.threadId)
    expect(deleted.kept).toEqual([{ segmentId: Script.threadId, for: [id] }])
    expect((yield* store.turns(id)).items).toHaveLength(1)
  }).pipe(Effect.provide(MemoryStore.layer), Effect.runPromise))

it("a fork of a paginated thread says where it begins as 0.169.0 does; one of a legacy thread says nothing of it", () =>
  Effect.gen(function* () {
    const store = yield* ThreadStore.ThreadStore
    const metaOf = (number: number, history_mode: "legacy" | "paginated") =>
      Effect.gen(function* () {
        const [id, forkId] = [number, number + 1].map((n) => `019c2b10-7a00-7c00-8000-0000000000${n}`) as [
          string,
          string
        ]
        const of = (more: object) => draft(Script.header({ history_mode, ...more })) as Draft<"session_meta">
        yield* store.create(of({ id, session_id: id }), [draft(Script.user("Hello"))])
        const header = of({ id: forkId, session_id: forkId, forked_from_id: id })
        const [first] = (yield* store.fork(id, { header })).records
        return first?.payload as { readonly history_base?: object; readonly forked_from_ordinal_exclusive?: number }
      })
    const paginated = yield* metaOf(10, "paginated")
    expect(paginated).toMatchObject({ history_base: { end_ordinal_exclusive: 2 }, forked_from_ordinal_exclusive: 2 })
    const legacy = yield* metaOf(20, "legacy")
    expect([legacy.history_base, legacy.forked_from_ordinal_exclusive]).toEqual([undefined, undefined])
  }).pipe(Effect.provide(MemoryStore.layer), Effect.runPromise))

it("a fork of a thread that was deleted since it was read is refused", () =>
  Effect.gen(function* () {
    const driver = yield* MemoryDriver.make
    const content = LineSource.ofLines([new TextEncoder().encode("{}")])
    const thread = (threadId: string): NewThread => ({
      threadId,
      historyMode: "legacy",
      segment: { segmentId: threadId, base: undefined, content, nextOrdinal: undefined, madeAt: 0 },
      derived: undefined,
      explicit: {},
      archivedAt: undefined
    })
    const base = yield* driver.create(thread("source"))
    const fork = { ...thread("fork"), segment: { ...thread("fork").segment, base } }
    yield* driver.remove("source", "refuse")
    const error = yield* Effect.flip(driver.create({ ...fork, forkOf: "source" }))
    expect(error).toMatchObject({ _tag: "ThreadNotFound", threadId: "source" })
    // Where nobody says that it is a fork, it is a thread of a store that was damaged before.
    yield* driver.create(fork)
  }).pipe(Effect.runPromise))
