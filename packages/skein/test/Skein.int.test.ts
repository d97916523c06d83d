import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Fold from "@skein/core/fold/Fold"
import type { LiveThread } from "@skein/engine/LiveThread"
import type { ThreadsService } from "@skein/engine/Threads"
import type * as Engine from "@skein/engine/Turn"
import { afterAll, describe, expect, expectTypeOf, it } from "vitest"
import { DecisionError, EngineError, openSkein, Skein, StoreError, type Thread, type Turn } from "../src/index.js"

const folder = mkdtempSync(join(tmpdir(), "skein-promises-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
const fresh = (): string => join(folder, `store-${++made}`)

const settings = { model: "any-model" }
const says = (text: string) =>
  ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] }) as const

/** What a promise rejects with. */
const failure = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error("it did not reject")
}

const all = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const found: Array<A> = []
  for await (const item of items) found.push(item)
  return found
}

it("offers everything that the engine does", () => {
  expectTypeOf<Exclude<keyof ThreadsService, keyof Skein.Skein>>().toEqualTypeOf<"subscribe">()
  expectTypeOf<Exclude<keyof LiveThread, keyof Thread.Thread>>().toEqualTypeOf<"subscribe">()
  expectTypeOf<Exclude<keyof Engine.Turn, keyof Turn.Turn>>().toEqualTypeOf<never>()
  expectTypeOf<ReturnType<Thread.Thread["context"]>>().resolves.toHaveProperty("history")
})

describe.each([
  ["memory:", () => "memory:"],
  ["sqlite:", () => `sqlite:${fresh()}`],
  ["fs:", () => `fs:${fresh()}`]
])("over %s", (kind, address) => {
  it("a turn, lists, searches, records, folds", async () => {
    await using skein = await openSkein({ store: address() })
    const thread = await skein.start({ settings, name: "the parcel" })
    const turn = await thread.startTurn("Where is my parcel?", {}, { world: { order: { status: "sent" } } })
    expect((await turn.context()).input.length).toBe(2)
    await turn.record([says("On its way.")])
    expect(await turn.complete()).toEqual({ startsTurn: false })
    const others = [await skein.start({ settings }), await skein.start({ settings })]
    await (await others[0]?.startTurn("Another parcel"))?.complete()
    await (await others[1]?.startTurn("Nothing"))?.complete()

    const query = { pageSize: 1 }
    const listed = await all(skein.list(query))
    expect(listed.map(({ id }) => id).sort()).toEqual([thread.id, ...others.map(({ id }) => id)].sort())
    const page = await skein.listPage(query)
    expect(page.items.length).toBe(1)
    expect((await all(skein.list({ ...query, cursor: page.nextCursor }))).length).toBe(2)
    expect((await all(skein.search("parcel", query))).map((found) => found.thread.id).sort()).toEqual(
      [thread.id, others[0]?.id].sort()
    )

    const rows = await all(skein.records(thread.id))
    expect(rows[0]?.decoded.kind).toBe("session_meta")
    expect(rows.length).toBeGreaterThan(5)
    const count = await skein.fold(
      thread.id,
      Fold.make(0, (n) => n + 1)
    )
    expect(count.records).toBe(rows.length)
    expect((await skein.read(thread.id, { turns: true })).turns?.map(({ status }) => status)).toEqual(["completed"])
    const fork = await skein.fork(thread.id, { at: { at: "before-turn", turnId: turn.id } })
    expect(await fork.turns()).toEqual([])
  })

  it.skipIf(kind === "memory:")("closing ends the turn that runs and gives the right to write back", async () => {
    const store = address()
    const first = await openSkein({ store })
    const thread = await first.start({ settings })
    const turn = await thread.startTurn("Wait for me")
    const second = await openSkein({ store })
    const held = await failure(second.resume(thread.id))
    expect(held).toBeInstanceOf(StoreError.LeaseHeld)
    const stop = new AbortController()
    const stopped = second.resume(thread.id, { patience: 60_000, signal: stop.signal })
    stop.abort("enough")
    expect(await failure(stopped)).toBe("enough")
    const patient = second.resume(thread.id, { patience: 60_000 })
    await Promise.all([first.close(), first.close()])
    const again = await patient
    expect((await again.turns()).map(({ id, status }) => [id, status])).toEqual([[turn.id, "interrupted"]])
    expect((await again.pending()).drafts).toEqual([])
    await second.close()
  })
})

describe("errors", () => {
  it("are instances of the tagged classes, with words for people", async () => {
    await using skein = await openSkein({ store: "memory:" })
    const missing = await failure(skein.resume("00000000-0000-7000-8000-000000000001"))
    expect(missing).toBeInstanceOf(StoreError.ThreadNotFound)
    expect(missing).toBeInstanceOf(Error)
    expect(missing).toMatchObject({ _tag: "ThreadNotFound", message: expect.stringContaining("There is no thread") })
    await using thread = await skein.start()
    const noModel = await failure(thread.startTurn("Hello"))
    expect(noModel).toBeInstanceOf(DecisionError.InvalidRequest)
    await thread.startTurn("Hello", settings)
    expect(await failure(thread.startTurn("Again"))).toBeInstanceOf(DecisionError.Conflict)
    expect(await failure(all(skein.list({ pageSize: 0 })))).toBeInstanceOf(StoreError.InvalidRequest)
    expect(await failure(all(skein.records("nonsense")))).toBeInstanceOf(StoreError.InvalidRequest)
  })

  it("a store that cannot be opened", async () => {
    const file = fresh()
    writeFileSync(file, "no database, for sure it is none")
    for (const store of ["threads.db", "sqlite:", "memory:x", "", undefined as unknown as string]) {
      expect(await failure(openSkein({ store }))).toMatchObject({ _tag: "InvalidRequest", field: "store" })
    }
    expect(await failure(openSkein({ store: `fs:${file}` }))).toMatchObject({ _tag: "InvalidRequest", field: "home" })
    for (const store of [`sqlite:${folder}`, `sqlite:${file}`, `sqlite:${fresh()}/nowhere/threads.db`]) {
      expect(await failure(openSkein({ store })), store).toBeInstanceOf(StoreError.StoreUnavailable)
    }
  })

  it("what the host's own work rejects with comes through as it is", async () => {
    await using skein = await openSkein({ store: "memory:" })
    await using thread = await skein.start({ settings })
    const mine = new RangeError("mine")
    const reject = () => Promise.reject(mine)
    expect(await failure(thread.startTurnAfter(reject, "Hello"))).toBe(mine)
    expect((await thread.turns()).map(({ status }) => status)).toEqual(["interrupted"])
    const turn = await thread.startTurnAfter((begun) => begun.note("reminded"), "Hello")
    expect(await failure(turn.waitingFor("waitingOnApproval", reject))).toBe(mine)
    const seen = await turn.waitingFor("waitingOnApproval", () => thread.status())
    expect(seen).toEqual({ type: "active", activeFlags: ["waitingOnApproval"] })
  })

  it("a parent that is no thread of this package", async () => {
    await using skein = await openSkein({ store: "memory:" })
    const parent = {} as Thread.Thread
    expect(await failure(skein.spawn(parent, { taskName: "a" }))).toBeInstanceOf(StoreError.InvalidRequest)
  })
})

describe("handles of the past", () => {
  it("a turn that is over refuses with Conflict, a closed thread with ThreadClosed, a closed Skein with SkeinClosed", async () => {
    const skein = await openSkein({ store: "memory:" })
    const thread = await skein.start({ settings })
    const over = await thread.startTurn("One")
    await over.complete()
    expect(await failure(over.record([]))).toBeInstanceOf(DecisionError.Conflict)
    const running = await thread.startTurn("Two")
    await thread.close()
    for (const answer of [
      thread.startTurn("Three"),
      thread.context(),
      thread.turns(),
      thread.awaitWork(),
      all(thread.events()),
      all(thread.turnChanges()),
      running.context(),
      running.complete(),
      running.sleep(1)
    ]) {
      const error = await failure(answer)
      expect(error).toBeInstanceOf(EngineError.ThreadClosed)
      expect(error).toMatchObject({ threadId: thread.id })
    }
    const again = await skein.resume(thread.id)
    await skein.close()
    for (const answer of [skein.start(), skein.list()[Symbol.asyncIterator]().next(), skein.read(thread.id)]) {
      expect(await failure(answer)).toBeInstanceOf(Skein.SkeinClosed)
    }
    expect(await failure(again.turns())).toBeInstanceOf(EngineError.ThreadClosed)
  })

  it("a thread that is opened twice is one, and open until both handles are closed", async () => {
    await using skein = await openSkein({ store: "memory:" })
    const one = await skein.start({ settings })
    const other = await skein.resume(one.id)
    const turn = await one.startTurn("Hello")
    expect(await failure(other.startTurn("Me too"))).toBeInstanceOf(DecisionError.Conflict)
    await turn.complete()
    await one.close()
    await (await other.startTurn("Now me"))[Symbol.asyncDispose]()
    expect((await other.turns()).map(({ status }) => status)).toEqual(["completed", "interrupted"])
    expect((await skein.loaded()).map(({ id }) => id)).toEqual([one.id])
    await other.close()
    expect(await skein.loaded()).toEqual([])
  })

  it("a command that has begun comes to its end, and closing waits for it", async () => {
    const store = `sqlite:${fresh()}`
    const skein = await openSkein({ store })
    const thread = await skein.start({ settings })
    const turn = await thread.startTurn("Hello")
    const done: Array<string> = []
    const commands = ["One.", "Two.", "Three."].map((text) => turn.record([says(text)]).then(() => done.push(text)))
    await skein.close()
    await Promise.all(commands)
    expect(done).toEqual(["One.", "Two.", "Three."])
    await using again = await openSkein({ store })
    const { turns } = await again.read(thread.id, { turns: true })
    expect(turns?.[0]?.status).toBe("interrupted")
    expect(turns?.[0]?.items.flatMap((item) => (item.type === "agentMessage" ? [item.text] : []))).toEqual(done)
  })

  it("work of the host that has not come to its end is not waited for", async () => {
    const skein = await openSkein({ store: "memory:" })
    const thread = await skein.start({ settings })
    const never = () => new Promise<never>(() => {})
    const begun = thread.startTurnAfter(never, "Hello")
    const other = await skein.start({ settings })
    const waiting = (await other.startTurn("Hello")).waitingFor("waitingOnApproval", never)
    const closing = thread.startTurnAfter(() => skein.close(), "Hello", {}, { onActive: "replace" })
    for (const answer of [begun, waiting, closing])
      expect(await failure(answer)).toBeInstanceOf(EngineError.ThreadClosed)
  })

  it("a thread that is archived is closed for all who have it open", async () => {
    await using skein = await openSkein({ store: "memory:" })
    const thread = await skein.start({ settings })
    const turn = await thread.startTurn("Hello")
    const events = all(thread.events())
    const work = failure(thread.awaitWork())
    expect((await skein.archive(thread.id)).archived).toEqual([thread.id])
    expect((await events).at(-1)).toEqual({ type: "thread/closed", threadId: thread.id })
    expect(await work).toBeInstanceOf(EngineError.ThreadClosed)
    for (const answer of [thread.startTurn("More"), turn.record([says("Too late")]), thread.turns()]) {
      expect(await failure(answer)).toBeInstanceOf(EngineError.ThreadClosed)
    }
    expect(await failure(skein.resume(thread.id))).toBeInstanceOf(StoreError.InvalidRequest)
    await thread.close()
  })

  it("a turn that is disposed of when it is over stays as it is", async () => {
    await using skein = await openSkein({ store: "memory:" })
    await using thread = await skein.start({ settings })
    {
      await using turn = await thread.startTurn("Hello")
      await turn.complete()
    }
    await expect(
      (async () => {
        await using _ = await thread.startTurn("Hello again")
        throw new Error("the model is away")
      })()
    ).rejects.toThrow("the model is away")
    expect((await thread.turns()).map(({ status }) => status)).toEqual(["completed", "interrupted"])
  })
})

describe("what waits", () => {
  it("is stopped by a signal, which leaves nothing behind", async () => {
    await using skein = await openSkein({ store: "memory:" })
    await using thread = await skein.start({ settings })
    const stop = new AbortController()
    const { signal } = stop
    const reason = new Error("stopped")
    const events = all(thread.events({ signal }))
    const work = thread.awaitWork({ signal })
    const turn = await thread.startTurn("Sleep")
    const sleep = turn.sleep("1 hour", { signal })
    const followed = all(skein.follow(thread.id, undefined, { signal }))
    stop.abort(reason)
    for (const answer of [events, work, sleep, followed]) expect(await failure(answer)).toBe(reason)
    expect(await failure(turn.sleep("1 hour", { signal }))).toBe(reason)
    expect(await turn.complete()).toEqual({ startsTurn: false })
  })

  it("is stopped when its handle is closed, though the thread stays open", async () => {
    await using skein = await openSkein({ store: "memory:" })
    const one = await skein.start({ settings })
    await using _ = await skein.resume(one.id)
    const work = one.awaitWork()
    const changes = all(one.turnChanges())
    const events = all(one.events())
    const next = one.turnChanges()[Symbol.asyncIterator]()
    expect((await next.next()).value).toEqual({ _tag: "Snapshot", value: [] })
    await one.close()
    expect(await failure(work)).toBeInstanceOf(EngineError.ThreadClosed)
    expect((await next.next()).done).toBe(true)
    expect((await changes).length).toBeLessThanOrEqual(1)
    expect(await events).toEqual([])
  })

  it("mail ends a wait for work", async () => {
    await using skein = await openSkein({ store: "memory:" })
    await using thread = await skein.start({ settings })
    const work = thread.awaitWork()
    await thread.receive({ id: "m1", author: "/root/clerk", content: "Do it", triggerTurn: true })
    await work
    const turn = await thread.startTurn(undefined)
    expect(JSON.stringify((await turn.context()).input)).toContain("Do it")
  })
})

describe("events", () => {
  it("are those from the call on, whenever they are iterated, and end with the thread", async () => {
    await using skein = await openSkein({ store: "memory:" })
    const everywhere = skein.events()
    const thread = await skein.start({ settings })
    const events = thread.events()
    await (await thread.startTurn("Hello")).complete()
    await thread.close()
    const types = (await all(events)).map(({ type }) => type)
    expect(types).toContain("turn/started")
    expect(types).toContain("turn/completed")
    expect(types.at(-1)).toBe("thread/closed")
    await skein.close()
    expect((await all(everywhere)).map(({ type }) => type)).toEqual(["thread/started", ...types])
  })

  it("of a client that leaves are not kept for it", async () => {
    await using skein = await openSkein({ store: "memory:" })
    await using thread = await skein.start({ settings })
    const events = thread.events()
    await thread.startTurn("Hello")
    for await (const event of events) {
      expect(event.type).toBe("thread/status/changed")
      break
    }
  })
})
