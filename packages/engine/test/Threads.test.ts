import * as Fold from "@skein/core/fold/Fold"
import type { StoredRecord } from "@skein/core/record/Record"
import { LeaseHeld } from "@skein/store/StoreError"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import * as Script from "@skein/testing/Script"
import { Deferred, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { describe, expect, it } from "vitest"
import type { ThreadsService } from "../src/Threads.js"
import * as ThreadsModule from "../src/Threads.js"
import { Threads } from "../src/Threads.js"
import * as Faults from "./Faults.js"
import * as Host from "./Host.js"

const settings = { model: "m" }

/** Runs in a scope of its own. */
const within = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.scoped(effect)

/** A thread with a turn that is over; gives its id. */
const lived = within(
  Effect.gen(function* () {
    const threads = yield* Threads
    const thread = yield* threads.start({ settings })
    const turn = yield* thread.startTurn("Hello")
    yield* turn.record([Host.says("Hi there")])
    yield* turn.complete()
    return thread.id
  })
)

/** Another process over the same store. */
const otherProcess = Effect.flatMap(ThreadStore.ThreadStore, (store) =>
  ThreadsModule.make().pipe(Effect.provideService(ThreadStore.ThreadStore, store))
)

describe("a thread lives", () => {
  it("start, turn, record, complete; what it holds is what a cold replay gives", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const thread = yield* threads.start({ settings, instructions: "Be kind." })
        const turn = yield* thread.startTurn("Hello")
        const prompt = yield* turn.context()
        expect(Script.texts(prompt.input)).toEqual(["Hello"])
        expect(prompt.instructions).toBe("Be kind.")
        yield* turn.record([Host.says("Hi there"), ...Host.calls("c1")])
        yield* turn.usage({ input_tokens: 10, output_tokens: 5 })
        yield* turn.complete()
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
        const turns = yield* thread.turns
        expect(turns.map(({ items, status }) => [status, items.map(({ type }) => type)])).toEqual([
          ["completed", ["userMessage", "agentMessage"]]
        ])
        expect((yield* (yield* ThreadStore.ThreadStore).turns(thread.id)).items).toEqual(turns)
      })
    ))

  it("a support bot names its model and nothing else", () =>
    Host.run(
      Effect.gen(function* () {
        const thread = yield* (yield* Threads).start()
        const turn = yield* thread.startTurn("My order is late", { model: "small" })
        yield* turn.complete()
        const summary = yield* (yield* ThreadStore.ThreadStore).summary(thread.id)
        expect(summary).toMatchObject({ preview: "My order is late", model: "small", cwd: "/", originator: "skein" })
      })
    ))

  it("a closed thread is resumed where it was, and the next turn runs with the settings of the last", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* within(
          Effect.gen(function* () {
            const thread = yield* threads.start({ settings: { model: "m", effort: "high" } })
            const turn = yield* thread.startTurn("Hello")
            yield* turn.complete()
            return thread.id
          })
        )
        const before = yield* Host.stored(id)
        const thread = yield* threads.resume(id)
        expect(yield* Host.stored(id)).toEqual(before)
        yield* thread.startTurn("And again")
        expect((yield* thread.state).turn.active?.context).toMatchObject({ model: "m", effort: "high" })
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
      })
    ))

  it("what a thread is resumed with goes before what was recorded, for its first turn", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* lived
        const thread = yield* threads.resume(id, { settings: { model: "other" } })
        const model = Effect.map(thread.state, ({ turn }) => turn.active?.context?.model)
        yield* within(thread.startTurn("One").pipe(Effect.zipRight(model))).pipe(
          Effect.map((found) => expect(found).toBe("other"))
        )
        yield* within(thread.startTurn("Two", { model: "third" }))
        yield* thread.startTurn("Three")
        expect(yield* model).toBe("third")
      })
    ))
})

describe("who holds a thread", () => {
  it("a thread that is opened twice is one, and is closed when the last scope closes", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* lived
        const [first, second] = [yield* Scope.make(), yield* Scope.make()]
        const one = yield* threads.resume(id).pipe(Scope.extend(first))
        const two = yield* threads.resume(id.toUpperCase()).pipe(Scope.extend(second))
        expect(two).toBe(one)
        yield* Scope.close(first, Exit.void)
        yield* within(two.startTurn("Still here"))
        expect((yield* threads.loaded).map((thread) => thread.id)).toEqual([id])
        yield* Scope.close(second, Exit.void)
        expect(yield* threads.loaded).toEqual([])
        expect((yield* Effect.flip(one.startTurn("Gone")))._tag).toBe("ThreadClosed")
      })
    ))

  it("many who open it at once get one, and one that is on its way out is waited for", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* lived
        const use = within(Effect.zipLeft(threads.resume(id), Effect.yieldNow()))
        const found = yield* Effect.all(
          Array.from({ length: 50 }, () => use),
          { concurrency: "unbounded" }
        )
        expect(found).toHaveLength(50)
        expect(yield* threads.loaded).toEqual([])
      })
    ))

  it("another process is told who holds it, and gets it when the scope closes", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* lived
        const other = yield* otherProcess
        const scope = yield* Scope.make()
        yield* threads.resume(id).pipe(Scope.extend(scope))
        expect((yield* Effect.flip(other.resume(id)))._tag).toBe("LeaseHeld")
        yield* Scope.close(scope, Exit.void)
        expect((yield* other.resume(id)).id).toBe(id)
      })
    ))

  it("a failure to open is not remembered", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* lived
        const other = yield* otherProcess
        const scope = yield* Scope.make()
        yield* other.resume(id).pipe(Scope.extend(scope))
        const holding = yield* Scope.make()
        expect((yield* Effect.flip(threads.resume(id).pipe(Scope.extend(holding))))._tag).toBe("LeaseHeld")
        yield* Scope.close(scope, Exit.void)
        expect((yield* threads.resume(id)).id).toBe(id)
      })
    ))

  it("who is interrupted while it opens a thread holds nothing", () =>
    Host.run(
      Effect.gen(function* () {
        const store = yield* ThreadStore.ThreadStore
        const id = yield* lived
        const reached = yield* Deferred.make<void>()
        const slow: ThreadStore.ThreadStoreService = {
          ...store,
          open: () => Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
        }
        const threads = yield* ThreadsModule.make().pipe(Effect.provideService(ThreadStore.ThreadStore, slow))
        const fiber = yield* Effect.fork(within(threads.resume(id)))
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        expect(yield* threads.loaded).toEqual([])
        expect((yield* (yield* Threads).resume(id)).id).toBe(id)
      })
    ))

  it("a lease that ran out while nobody else wanted it is taken again", () =>
    Host.run(
      Effect.gen(function* () {
        const store = yield* ThreadStore.ThreadStore
        const id = yield* lived
        let runsOut = true
        const taken: Array<number> = []
        const starved: ThreadStore.ThreadStoreService = {
          ...store,
          lease: (...args) => {
            const [first] = taken
            // The store here still knows the first one: the second is told apart by its number alone.
            const lease =
              first === undefined
                ? store.lease(...args)
                : Effect.succeed({ threadId: id, fence: first + 1, lost: Effect.never })
            return Effect.tap(lease, ({ fence }) => Effect.sync(() => taken.push(fence)))
          },
          append: (threadId, records, options = {}) => {
            const { fence = 0 } = options
            const holder = { name: "a host", fence, expiresAt: 0 }
            if (runsOut) {
              runsOut = false
              return Effect.fail(new LeaseHeld({ threadId, holder }))
            }
            return store.append(threadId, records, { ...options, fence: fence - 1 })
          }
        }
        const threads = yield* ThreadsModule.make().pipe(Effect.provideService(ThreadStore.ThreadStore, starved))
        const thread = yield* threads.resume(id)
        yield* within(thread.startTurn("Still mine"))
        expect(taken).toHaveLength(2)
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
      })
    ))

  it("a lease that is lost is told, and commands fail from then on", () =>
    Host.run(
      Effect.gen(function* () {
        const store = yield* ThreadStore.ThreadStore
        const id = yield* lived
        const gone = yield* Deferred.make<never, never>()
        const losing: ThreadStore.ThreadStoreService = {
          ...store,
          lease: (...args) =>
            Effect.map(store.lease(...args), (lease) => ({
              ...lease,
              fence: lease.fence + 1,
              lost: Effect.flatMap(Deferred.poll(gone), () => Effect.succeed({ message: "gone" } as never))
            }))
        }
        const threads = yield* ThreadsModule.make().pipe(Effect.provideService(ThreadStore.ThreadStore, losing))
        const queue = yield* threads.subscribe
        const thread = yield* threads.resume(id, { settings })
        const told = yield* Stream.fromQueue(queue).pipe(
          Stream.filter(({ type }) => type === "thread/leaseLost"),
          Stream.runHead
        )
        expect(told._tag).toBe("Some")
        expect((yield* Effect.flip(thread.startTurn("Hello")))._tag).toBe("LeaseHeld")
      })
    ))
})

describe("forks", () => {
  const threeTurns = Effect.gen(function* () {
    const threads = yield* Threads
    const thread = yield* threads.start({ settings, name: "The source" })
    const ids: Array<string> = []
    for (const words of ["One", "Two", "Three"]) {
      const turn = yield* thread.startTurn(words)
      yield* turn.record([Host.says(`${words} it is`)])
      yield* turn.complete()
      ids.push(turn.id)
    }
    return { threads, thread, ids }
  })
  const words = (thread: { readonly id: string }, threads: ThreadsService) =>
    Effect.map(threads.read(thread.id, { turns: true }), ({ turns = [] }) =>
      turns.map(({ items }) => items.map((item) => ("text" in item ? item.text : item.type)).join())
    )

  it("a fork begins as its source is, goes its own way, and leaves the source alone (invariants 35, 39)", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread, threads } = yield* threeTurns
        const before = yield* Host.stored(thread.id)
        const fork = yield* threads.fork(thread.id)
        expect((yield* Host.both(fork)).live).toEqual((yield* Host.both(fork)).cold)
        const [theirs, ours] = [yield* thread.context, yield* fork.context]
        for (const key of ["history", "previousTurnSettings", "referenceContext", "worldState", "window"] as const) {
          expect(ours[key]).toEqual(theirs[key])
        }
        yield* within(fork.startTurn("Elsewhere"))
        expect(yield* Host.stored(thread.id)).toEqual(before)
        expect((yield* threads.read(fork.id)).thread).toMatchObject({ forkedFromId: thread.id, sessionId: fork.id })
      })
    ))

  it("before a message, before a turn, behind a turn", () =>
    Host.run(
      Effect.gen(function* () {
        const { ids, thread, threads } = yield* threeTurns
        const at = (where: Parameters<ThreadsService["fork"]>[1]) =>
          Effect.flatMap(threads.fork(thread.id, where), (fork) => words(fork, threads))
        const all = ["userMessage,One it is", "userMessage,Two it is", "userMessage,Three it is"]
        expect(yield* at({ at: { at: "user-message", n: 1 } })).toEqual(["userMessage,One it is", ""])
        expect(yield* at({ at: { at: "user-message", n: 9 } })).toEqual(all)
        expect(yield* at({ at: { at: "before-turn", turnId: ids[2] ?? "" } })).toEqual(all.slice(0, 2))
        expect(yield* at({ at: { at: "after-turn", turnId: ids[0] ?? "" } })).toEqual(all.slice(0, 1))
        expect(yield* at({ at: { at: "after-turn", turnId: ids[2] ?? "" } })).toEqual(all)
        expect(yield* at({ at: { at: "before-turn", turnId: ids[0] ?? "" } })).toEqual([])
      })
    ))

  it("a fork of a turn that runs sees it interrupted; the source goes on", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread, threads } = yield* threeTurns
        const turn = yield* thread.startTurn("Four")
        const fork = yield* threads.fork(thread.id)
        expect((yield* fork.turns).at(-1)?.status).toBe("interrupted")
        expect(Script.texts((yield* fork.prompt()).input).at(-1)).toMatch(/^<turn_aborted>/)
        yield* turn.complete()
        expect((yield* thread.turns).at(-1)?.status).toBe("completed")
      })
    ))

  it("a fork keeps window 0 as it was called, also when it is resumed cold (replay-semantics §11.6)", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread, threads } = yield* threeTurns
        const id = yield* within(Effect.map(threads.fork(thread.id), (fork) => fork.id))
        const fork = yield* threads.resume(id)
        expect((yield* fork.context).window).toEqual((yield* thread.context).window)
      })
    ))

  it("the mode of a thread is that of its forks and agents, and both agree with their replay", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const thread = yield* threads.start({ settings, historyMode: "paginated" })
        yield* within(thread.startTurn("One"))
        const fork = yield* threads.fork(thread.id)
        const child = yield* threads.spawn(thread, { taskName: "child" })
        for (const one of [fork, child]) {
          yield* within(one.startTurn("Two", settings))
          const { cold, live } = yield* Host.both(one)
          expect(live).toEqual(cold)
          expect((yield* threads.read(one.id)).thread.historyMode).toBe("paginated")
        }
        // What a child inherits is no part of what it shows (M8).
        expect(yield* child.turns).toHaveLength(1)
      })
    ))
})

describe("threads that are stored nowhere", () => {
  it("live like others, are in no list and no store, and are gone when they are closed", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const store = yield* ThreadStore.ThreadStore
        const id = yield* within(
          Effect.gen(function* () {
            const thread = yield* threads.start({ settings, ephemeral: true })
            const turn = yield* thread.startTurn("Psst")
            yield* turn.record([Host.says("I say nothing")])
            yield* turn.complete()
            expect(Script.texts((yield* thread.prompt()).input)).toEqual(["Psst", "I say nothing"])
            expect((yield* threads.list({ hidden: true })).items).toEqual([])
            expect((yield* threads.search("Psst")).items).toEqual([])
            expect((yield* Effect.flip(store.head(thread.id)))._tag).toBe("ThreadNotFound")
            expect((yield* threads.read(thread.id, { turns: true })).turns).toHaveLength(1)
            expect((yield* Effect.flip(threads.archive(thread.id)))._tag).toBe("InvalidRequest")
            expect((yield* Effect.flip(threads.delete(thread.id)))._tag).toBe("InvalidRequest")
            const fork = yield* threads.fork(thread.id)
            expect(fork.ephemeral).toBe(true)
            yield* within(fork.startTurn("More"))
            expect((yield* Effect.flip(threads.fork(thread.id, { ephemeral: false })))._tag).toBe("InvalidRequest")
            return thread.id
          })
        )
        expect((yield* Effect.flip(threads.resume(id)))._tag).toBe("ThreadNotFound")
      })
    ))

  it("never stand in the place of a stored thread, and leave nothing behind that could not be made", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* lived
        const taken = yield* Effect.flip(threads.start({ id, ephemeral: true }))
        expect(taken._tag).toBe("ThreadAlreadyExists")
        expect((yield* Effect.flip(threads.fork(id, { id, ephemeral: true })))._tag).toBe("ThreadAlreadyExists")
        const thread = yield* threads.resume(id)
        expect(thread.ephemeral).toBe(false)
        expect(yield* thread.turns).toHaveLength(1)
        const own = yield* threads.start({ ephemeral: true })
        expect((yield* Effect.flip(threads.start({ id: own.id })))._tag).toBe("ThreadAlreadyExists")
        expect((yield* Effect.flip(threads.start({ id: own.id, ephemeral: true })))._tag).toBe("ThreadAlreadyExists")
        yield* within(own.startTurn("Still here", settings))
      })
    ))

  it("a stored thread can be forked into one, in either mode", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        for (const historyMode of ["legacy", "paginated"] as const) {
          const thread = yield* threads.start({ settings, historyMode })
          for (const words of ["One", "Two"]) yield* within(thread.startTurn(words))
          yield* thread.rollback({ count: 1 })
          const fork = yield* threads.fork(thread.id, { ephemeral: true })
          expect((yield* fork.context).history).toEqual((yield* thread.context).history)
          yield* within(fork.startTurn("Three"))
          expect((yield* fork.turns).filter(({ items }) => items.length > 0)).toHaveLength(2)
          expect((yield* threads.list()).items.map(({ id }) => id)).not.toContain(fork.id)
        }
      })
    ))
})

describe("putting away", () => {
  const family = Effect.gen(function* () {
    const threads = yield* Threads
    const root = yield* threads.start({ settings })
    yield* within(root.startTurn("Hello"))
    const child = yield* threads.spawn(root, { taskName: "child", turns: "none" })
    const grandchild = yield* threads.spawn(child, { taskName: "deeper", turns: "none" })
    const other = yield* threads.spawn(root, { taskName: "other", turns: "none" })
    return { threads, root, child, grandchild, other }
  })

  it("archives a tree, root first and then deepest first, and closes what was open", () =>
    Host.run(
      Effect.gen(function* () {
        const { child, grandchild, other, root, threads } = yield* family
        const queue = yield* threads.subscribe
        const { archived, failures } = yield* threads.archive(root.id)
        expect(failures).toEqual([])
        expect(archived.slice(0, 2)).toEqual([root.id, grandchild.id])
        expect([...archived].sort()).toEqual([root.id, grandchild.id, child.id, other.id].sort())
        expect(yield* threads.loaded).toEqual([])
        expect((yield* Effect.flip(child.startTurn("x")))._tag).toBe("ThreadClosed")
        const told = [...(yield* queue.takeAll)].filter(({ type }) => type === "thread/archived")
        expect(told.map(({ threadId }) => threadId)).toEqual(archived)
        expect((yield* threads.list({ hidden: true })).items).toEqual([])
        expect((yield* threads.read(root.id, { turns: true })).turns).toHaveLength(1)
        yield* threads.unarchive(root.id)
        expect((yield* threads.list()).items.map(({ id }) => id)).toEqual([root.id])
        expect((yield* threads.resume(root.id)).id).toBe(root.id)
      })
    ))

  it("deletes a tree, each told once and the root last (I23)", () =>
    Host.run(
      Effect.gen(function* () {
        const { child, grandchild, other, root, threads } = yield* family
        const queue = yield* threads.subscribe
        const { deleted } = yield* threads.delete(root.id)
        expect(deleted.at(-1)).toBe(root.id)
        expect([...deleted].sort()).toEqual([root.id, grandchild.id, child.id, other.id].sort())
        const told = [...(yield* queue.takeAll)].filter(({ type }) => type === "thread/deleted")
        expect(told.map(({ threadId }) => threadId)).toEqual(deleted)
        for (const id of deleted) expect((yield* Effect.flip(threads.resume(id)))._tag).toBe("ThreadNotFound")
      })
    ))

  it("renames, annotates, lists and finds", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* lived
        const queue = yield* threads.subscribe
        yield* threads.rename(id, "Greetings")
        yield* threads.annotate(id, { metadata: { tenant: "a" } })
        expect([...(yield* queue.takeAll)]).toEqual([
          { type: "thread/name/updated", threadId: id, threadName: "Greetings" }
        ])
        const { items } = yield* threads.list({ metadata: { tenant: "a" } })
        expect(items.map(({ name }) => name)).toEqual(["Greetings"])
        expect((yield* threads.search("hi THERE")).items.map(({ thread }) => thread.id)).toEqual([id])
      })
    ))
})

describe("folds of a host", () => {
  it("a fold of one's own sees every record, up to any place", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const thread = yield* threads.start({ settings })
        const ids: Array<string> = []
        for (const words of ["One", "Two"]) {
          const turn = yield* thread.startTurn(words)
          yield* turn.complete()
          ids.push(turn.id)
        }
        const starts = Fold.make(0, (count, record: StoredRecord) =>
          record.kind === "event_msg" && record.payload.type === "task_started" ? count + 1 : count
        )
        const count = (at?: Parameters<ThreadsService["stateAt"]>[1]) =>
          Effect.map(threads.fold(thread.id, starts, { at }), ({ state }) => state)
        const [first = "", second = ""] = ids
        expect(yield* count()).toBe(2)
        expect(yield* count({ turnId: first })).toBe(1)
        expect(yield* count({ turnId: first, edge: "before" })).toBe(0)
        expect(yield* count({ turnId: second, edge: "before" })).toBe(1)
        expect(yield* count({ time: 0 })).toBe(0)
        const { position } = yield* threads.fold(thread.id, starts, { at: { turnId: first } })
        expect(yield* count({ position })).toBe(1)
        const moment = yield* thread.stateAt({ position })
        expect(moment.turns.map(({ id }) => id)).toEqual([first])
        expect(Script.texts(moment.context.history)).toEqual(["One"])
        // The place is one for a fork as well: the store takes it.
        expect((yield* Effect.flip(threads.stateAt(thread.id, { turnId: "nobody" })))._tag).toBe("NotFound")
        const nowhere = { position: { segmentId: "x", offset: 1 } }
        expect((yield* Effect.flip(threads.stateAt(thread.id, nowhere)))._tag).toBe("InvalidRequest")
      })
    ))

  it("stateAt at every place is the replay of the records up to there", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const thread = yield* threads.start({ settings })
        const turn = yield* thread.startTurn("One", {}, { world: { place: "a" } })
        yield* turn.record(Host.calls("c"))
        yield* turn.complete()
        yield* thread.compact({ kind: "local", summary: "s" })
        yield* thread.rollback({ count: 1 })
        const records = yield* Host.stored(thread.id)
        const store = yield* ThreadStore.ThreadStore
        const rows = [...(yield* Stream.runCollect(store.read(thread.id)))]
        for (const [i, { position }] of rows.entries()) {
          const moment = yield* thread.stateAt({ position })
          expect(moment.records).toBe(i + 1)
          const cold = Host.seenWhole(Fold.run(Host.fold, records.slice(0, i + 1)))
          expect(Host.seenWhole(moment.state)).toEqual(cold)
        }
      })
    ))
})

describe("what the store fails with", () => {
  it("a start that fails makes nothing, and is not loaded", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const faulty = Faults.make(yield* ThreadStore.ThreadStore)
          const threads = yield* ThreadsModule.make().pipe(Effect.provideService(ThreadStore.ThreadStore, faulty.store))
          faulty.arm(1, "before")
          expect((yield* Effect.flip(threads.start()))._tag).toBe("StoreUnavailable")
          expect(yield* threads.loaded).toEqual([])
          expect((yield* threads.list({ hidden: true })).items).toEqual([])
          expect((yield* threads.start()).ephemeral).toBe(false)
        })
      ).pipe(Effect.provide(Layer.fresh(MemoryStore.layer)))
    ))
})
