import { NodeContext } from "@effect/platform-node"
import type { Draft } from "@skein/core/record/Record"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Script from "@skein/testing/Script"
import { Effect, Layer, Stream } from "effect"
import { afterAll, expect, it } from "vitest"
import * as FsStore from "../src/FsStore.js"
import * as Home from "./Home.js"

afterAll(Home.removeAll)

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
    yield* store.delete(Script.threadId)
    expect((yield* store.turns(id)).items).toHaveLength(1)
  }).pipe(
    Effect.provide(FsStore.layer({ home: Home.temporary() }).pipe(Layer.provide(NodeContext.layer))),
    Effect.runPromise
  ))

it("who holds a thread can append to it, however many others are held", () =>
  Effect.gen(function* () {
    const store = yield* ThreadStore.ThreadStore
    const idOf = (n: number): string => `019c2b10-7a00-7c00-8000-${String(n).padStart(12, "0")}`
    const create = (id: string) => {
      const header = draft(Script.header()) as Draft<"session_meta">
      return store.create({ ...header, payload: { ...header.payload, id, session_id: id } })
    }
    // More than there are files open at once; none of these can be closed.
    for (let n = 1; n <= 140; n++) {
      yield* create(idOf(n))
      yield* store.lease(idOf(n))
    }
    yield* create(Script.threadId)
    yield* store.append(Script.threadId, [draft(Script.assistant("free"))])
    const { fence } = yield* store.lease(Script.threadId)
    for (let n = 0; n < 2; n++) yield* store.append(Script.threadId, [draft(Script.assistant(`${n}`))], { fence })
    expect(yield* Stream.runCount(store.read(Script.threadId))).toBe(4)
  }).pipe(
    Effect.scoped,
    Effect.provide(FsStore.layer({ home: Home.temporary() }).pipe(Layer.provide(NodeContext.layer))),
    Effect.runPromise
  ))
