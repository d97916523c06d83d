/** Copies of stores with histories drawn at random, from each kind of store to each other. */
import { NodeContext } from "@effect/platform-node"
import * as Copy from "@skein/store/Copy"
import * as Every from "@skein/store/Every"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Either } from "effect"
import fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import { content, memory, play, step } from "../../store-memory/test/Histories.js"
import * as Store from "../src/Store.js"
import { documents, skein } from "./command.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll, 60_000)

const fresh = (kind: Stores.Kind) => Store.open(Either.getOrThrow(Store.parse(Stores.fresh(kind))), { create: true })

const copied = (from: ThreadStoreService, to: ThreadStoreService) =>
  Effect.flatMap(Copy.plan(from, to), (plan) => Copy.run(from, to, plan))

/** What is told of each thread, whichever way its segments are cut. */
const told = (store: ThreadStoreService) =>
  Effect.gen(function* () {
    const all = yield* Every.summaries(store)
    const rows = yield* Effect.forEach(all, (row) =>
      Effect.gen(function* () {
        const { items } = yield* store.turns(row.id, { includeArchived: true, pageSize: 1000 })
        const { archivedAt, id, metadata, name, preview } = row
        return { id, name, preview, metadata, isArchived: archivedAt !== undefined, turns: items }
      })
    )
    return rows.sort((left, right) => (left.id < right.id ? -1 : 1))
  })

describe("a copy of any store is that store (thread-store case 94)", () => {
  it("memory → sqlite → memory: segment by segment", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) =>
        Effect.gen(function* () {
          const from = yield* play(steps)
          const [there, back] = [yield* fresh("sqlite"), yield* memory]
          expect(Copy.isWhole(yield* copied(from, there))).toBe(true)
          expect(Copy.isWhole(yield* copied(there, back))).toBe(true)
          expect(yield* content(back)).toEqual(yield* content(from))
          expect((yield* copied(from, there)).filter((one) => one._tag !== "Same")).toEqual([])
        }).pipe(Effect.scoped, Effect.provide(NodeContext.layer), Effect.runPromise)
      ),
      { numRuns: 25 }
    )
  )

  it("memory → fs → memory: turn by turn, legacy threads whole", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 16 }), (steps) =>
        Effect.gen(function* () {
          const from = yield* play(steps)
          const [there, back] = [yield* fresh("fs"), yield* memory]
          const outcomes = yield* copied(from, there)
          expect(outcomes.filter((one) => one._tag !== "Copied")).toEqual([])
          expect(yield* told(there)).toEqual(yield* told(from))
          expect((yield* copied(from, there)).filter((one) => one._tag !== "Same")).toEqual([])
          expect((yield* copied(there, back)).filter((one) => one._tag !== "Copied")).toEqual([])
          expect(yield* told(back)).toEqual(yield* told(from))
        }).pipe(Effect.scoped, Effect.provide(NodeContext.layer), Effect.runPromise)
      ),
      { numRuns: 25 }
    )
  )
})

describe("what stands in the way of a copy is told, and the rest is copied", () => {
  it("folders and pipes in the place of rollouts, unknown modes, files that are there twice", async () => {
    const home = Home.home({
      [Home.file(1)]: Home.document(Home.legacyMeta(1), Home.say("hello")),
      [Home.file(2)]: Home.document(Home.meta(2, 0, undefined, { history_mode: "from_the_future" }), Home.say("what")),
      [Home.file(3)]: Home.document(Home.legacyMeta(3), Home.say("one")),
      [Home.file(3).replace("sessions/2026/07/20", "archived_sessions")]: Home.document(
        Home.legacyMeta(3),
        Home.say("other")
      ),
      [`${Home.file(4)}/file`]: "x"
    })
    const database = Stores.fresh("sqlite")
    const answer = await skein("copy", "--yes", "--json", "--from", `fs:${home}`, "--to", database)
    const [document] = documents(answer)
    const threads = (document?.["threads"] ?? []) as ReadonlyArray<{ readonly _tag: string; readonly threadId: string }>
    expect(
      threads
        .filter(({ _tag }) => _tag === "Copied")
        .map(({ threadId }) => threadId)
        .sort()
    ).toEqual([Home.id(1), Home.id(2), Home.id(3)])
    // What a newer version wrote is copied and listed, and not read.
    const listed = documents(await skein("ls", "--json", "--store", database))[0]
    expect(listed?.["items"]).toContainEqual(
      expect.objectContaining({ id: Home.id(2), historyMode: "from_the_future" })
    )
    const shown = documents(await skein("show", "--json", "--store", database, Home.id(2)))[0]
    expect(shown).toMatchObject({ error: { tag: "UnsupportedHistoryMode", threadId: Home.id(2) } })
    const back = Stores.fresh("fs")
    expect((await skein("copy", "--yes", "--from", database, "--to", back)).code).toBe(0)
  })
})
