/** Agents, their mail and their sleep (replay-semantics §8, §9). */
import * as ContentSearch from "@skein/store/ContentSearch"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Script from "@skein/testing/Script"
import { Effect, Exit, Fiber, Option, Scope, TestClock, TestContext } from "effect"
import { describe, expect, it } from "vitest"
import * as ThreadsModule from "../src/Threads.js"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

const settings = { model: "m" }

const family = Effect.gen(function* () {
  const threads = yield* Threads
  const root = yield* threads.start({ settings, instructions: "You are the root." })
  const first = yield* root.startTurn("Hello", {}, { world: { place: "here" } })
  yield* first.record([Host.says("Thinking", "commentary"), Host.says("Done", "final_answer")])
  yield* first.complete()
  const turn = yield* root.startTurn("Start an agent")
  return { threads, root, turn }
})

const kinds = (thread: {
  readonly turns: Effect.Effect<ReadonlyArray<{ readonly items: ReadonlyArray<object> }>, unknown>
}) =>
  Effect.map(thread.turns, (turns) =>
    turns.flatMap(({ items }) =>
      items.map((item) => ("kind" in item ? `${item.kind}` : "type" in item ? `${item.type}` : ""))
    )
  ).pipe(Effect.orDie)

describe("agents", () => {
  it("an agent stands below its parent, in its session, with the parent's activity noted (invariant 38)", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads } = yield* family
        const child = yield* threads.spawn(root, { taskName: "a", turns: "none", nickname: "Ada" })
        const grandchild = yield* threads.spawn(child, { taskName: "b", turns: "none" })
        expect([root.path, child.path, grandchild.path]).toEqual(["/root", "/root/a", "/root/a/b"])
        const shown = yield* threads.read(grandchild.id)
        expect(shown.thread).toMatchObject({ sessionId: root.id, parentThreadId: child.id, agentPath: "/root/a/b" })
        expect((yield* threads.list({ descendantsOf: root.id })).items.map(({ id }) => id).sort()).toEqual(
          [child.id, grandchild.id].sort()
        )
        expect(yield* kinds(root)).toEqual(["userMessage", "agentMessage", "agentMessage", "userMessage", "started"])
      })
    ))

  it("with the whole history: what was said and its settings, not the work; the turn that spawned it is cut off", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads } = yield* family
        const child = yield* threads.spawn(root, { taskName: "a" })
        const { history, referenceContext, worldState } = yield* child.context
        expect(Script.texts(history).filter((text) => !text.startsWith("<"))).toEqual([
          "Hello",
          "Done",
          "Start an agent"
        ])
        expect(worldState).toEqual({ place: "here" })
        expect(referenceContext?.model).toBe("m")
        expect(yield* child.status).toEqual({ type: "idle" })
        const { cold, live } = yield* Host.both(child)
        expect(live).toEqual(cold)
      })
    ))

  it("with its last turn (§5.2): neither settings nor world come along (invariant 36)", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads } = yield* family
        const child = yield* threads.spawn(root, { taskName: "a", turns: 1, role: "helper" })
        const { history, referenceContext, worldState } = yield* child.context
        expect(Script.texts(history)).toEqual(["Start an agent"])
        expect({ referenceContext, worldState }).toEqual({ referenceContext: undefined, worldState: undefined })
      })
    ))

  it("with its last turns, and nothing that a compaction within them brought along (§5.2 [W])", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads, turn } = yield* family
        yield* turn.compact({ kind: "local", summary: "s" }, { phase: "pre_turn" })
        const child = yield* threads.spawn(root, { taskName: "a", turns: 1 })
        const { history, window } = yield* child.context
        expect(Script.texts(history).filter((text) => !text.startsWith("<"))).toEqual(["Start an agent"])
        expect(window.number).toBe(0)
        const { cold, live } = yield* Host.both(child)
        expect(live).toEqual(cold)
      })
    ))

  it("two agents that are started at once do not get one path, and a path that is free again can be had again", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads } = yield* family
        const scope = yield* Scope.make()
        const spawn = threads.spawn(root, { taskName: "a", turns: "none" }).pipe(Scope.extend(scope))
        const both = yield* Effect.all([Effect.exit(spawn), Effect.exit(spawn)], { concurrency: 2 })
        expect(both.filter(Exit.isSuccess)).toHaveLength(1)
        yield* Scope.close(scope, Exit.void)
        expect((yield* threads.spawn(root, { taskName: "a", turns: "none" })).path).toBe("/root/a")
      })
    ))
})

describe("mail", () => {
  it("is taken in as a record, told in the next step, once and in order (invariant 43)", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads, turn } = yield* family
        const child = yield* threads.spawn(root, { taskName: "a", turns: "none" })
        expect(yield* turn.send({ to: "a", content: "First" })).toEqual({ path: "/root/a", threadId: child.id })
        yield* turn.send({ to: "/root/a", content: "Second", triggerTurn: true })
        yield* child.awaitWork
        const work = yield* child.startTurn(undefined, settings)
        expect(Script.texts((yield* work.context()).input)).toEqual(["First", "Second"])
        expect(Script.texts((yield* work.context()).input)).toEqual(["First", "Second"])
        expect(yield* kinds(root)).toEqual([
          "userMessage",
          "agentMessage",
          "agentMessage",
          "userMessage",
          "started",
          "interacted",
          "interacted"
        ])
        const { cold, live } = yield* Host.both(child)
        expect(live).toEqual(cold)
      })
    ))

  it("is for the next turn once the answer is given, unless it asks for work", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads } = yield* family
        const child = yield* threads.spawn(root, { taskName: "a", turns: "none" })
        const work = yield* child.startTurn("Go", settings)
        yield* work.record([Host.says("Done", "final_answer")])
        yield* child.receive({ id: "1", author: "/root", content: "By the way", triggerTurn: false })
        expect(Script.texts((yield* work.context()).input)).toEqual(["Go", "Done"])
        expect(yield* work.complete()).toEqual({ startsTurn: false })
        yield* child.receive({ id: "2", author: "/root", content: "Do more", triggerTurn: true })
        const next = yield* child.startTurn(undefined)
        expect(Script.texts((yield* next.context()).input)).toEqual(["Go", "Done", "By the way", "Do more"])
      })
    ))

  it("that waits already is not taken in twice", () =>
    Host.run(
      Effect.gen(function* () {
        const { root } = yield* family
        const message = { id: "1", author: "/root/a", content: "Once", triggerTurn: false }
        yield* root.receive(message)
        const before = yield* Host.stored(root.id)
        yield* root.receive(message)
        expect(yield* Host.stored(root.id)).toEqual(before)
      })
    ))

  it("survives the process, and is told once by the next (§11.8)", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* Effect.scoped(
          Effect.gen(function* () {
            const thread = yield* threads.start({ settings })
            yield* Effect.scoped(thread.startTurn("Hello"))
            yield* thread.receive({ id: "1", author: "/root/a", content: "Wake up", triggerTurn: true })
            return thread.id
          })
        )
        const thread = yield* threads.resume(id)
        expect(yield* thread.pending).toMatchObject({ drafts: [], mail: 1, startsTurn: true })
        yield* thread.awaitWork
        const turn = yield* thread.startTurn(undefined)
        const told = Script.texts((yield* turn.context()).input)
        expect(told.filter((text) => text === "Wake up")).toHaveLength(1)
        expect((yield* thread.pending).mail).toBe(0)
      })
    ))

  it("that is encrypted stays as it is, and is in no preview and no search (capability row 40)", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads, turn } = yield* family
        const child = yield* threads.spawn(root, { taskName: "a", turns: "none" })
        yield* turn.send({ to: "a", content: "", encrypted: "gAAAsecret", triggerTurn: true })
        const work = yield* child.startTurn(undefined, settings)
        const { input } = yield* work.context()
        expect(JSON.stringify(input)).toContain("gAAAsecret")
        yield* child.compact({ kind: "local", summary: "s" }, { onActive: "replace" })
        const fork = yield* threads.fork(child.id)
        for (const one of [child, fork]) {
          expect(JSON.stringify(yield* Host.stored(one.id))).toContain("gAAAsecret")
          expect((yield* threads.read(one.id)).thread.preview).not.toContain("gAAA")
        }
        expect((yield* threads.search("gAAAsecret", { hidden: true })).items).toEqual([])
        expect(ContentSearch.term("gAAAsecret").folded).not.toBe("")
      })
    ))

  it("an agent that is done says so to its parent, if that lives: to be known only", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads, turn } = yield* family
        const child = yield* threads.spawn(root, { taskName: "a", turns: "none" })
        const work = yield* child.startTurn("Go", settings)
        yield* work.record([Host.says("The answer is 42", "final_answer")])
        yield* work.complete()
        const [mail] = (yield* root.state).mailbox.mail
        expect(mail).toMatchObject({ author: "/root/a", recipient: "/root", triggerTurn: false })
        expect(mail?.content).toContain("The answer is 42")
        yield* Effect.scoped(child.startTurn("More", settings))
        const failing = yield* child.startTurn("Fail", settings)
        yield* failing.complete({ error: { message: "It broke", codex_error_info: null } })
        const texts = Script.texts((yield* turn.context()).input)
        // An interruption is no news.
        expect(texts.filter((text) => text.includes("FINAL_ANSWER"))).toHaveLength(2)
        expect(texts.at(-1)).toContain("It broke")
      })
    ))

  it("an agent is interrupted by another; one that is idle or gone is none of anybody's fault", () =>
    Host.run(
      Effect.gen(function* () {
        const { root, threads, turn } = yield* family
        const scope = yield* Scope.make()
        const child = yield* threads.spawn(root, { taskName: "a", turns: "none" }).pipe(Scope.extend(scope))
        const work = yield* child.startTurn("Go", settings).pipe(Scope.extend(scope))
        yield* turn.interrupt("a")
        expect((yield* Effect.flip(work.context()))._tag).toBe("Conflict")
        expect((yield* child.turns).at(-1)?.status).toBe("interrupted")
        yield* turn.interrupt("a")
        yield* Scope.close(scope, Exit.void)
        yield* turn.interrupt("a")
        expect((yield* kinds(root)).filter((kind) => kind === "interrupted")).toHaveLength(2)
      })
    ))
})

it("who waits for work hears that the thread is closed", () =>
  Host.run(
    Effect.gen(function* () {
      const { root, threads } = yield* family
      const fiber = yield* Effect.fork(root.awaitWork)
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      yield* threads.archive(root.id)
      expect((yield* Effect.flip(Fiber.join(fiber)))._tag).toBe("ThreadClosed")
    })
  ))

describe("sleep", () => {
  const asleep = <A, E>(test: Effect.Effect<A, E, Threads | ThreadStore.ThreadStore | Scope.Scope>): Promise<A> =>
    Effect.runPromise(Effect.scoped(test).pipe(Effect.provide(Host.layer()), Effect.provide(TestContext.TestContext)))

  const sleeper = Effect.gen(function* () {
    const thread = yield* (yield* Threads).start({ settings })
    const turn = yield* thread.startTurn("Wait for it")
    const fiber = yield* Effect.fork(turn.sleep("1 minute", { callId: "sleep_1" }))
    // It is asleep once it has told so.
    yield* Effect.yieldNow().pipe(Effect.repeatN(50))
    return { thread, turn, fiber }
  })

  it("lasts as long as it was asked for, and is shown (capability row 27)", () =>
    asleep(
      Effect.gen(function* () {
        const { fiber, thread } = yield* sleeper
        yield* TestClock.adjust("59 seconds")
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toEqual({
          elapsedMs: 60_000,
          interrupted: false,
          output: "Slept for 60.000 seconds."
        })
        const item = (yield* thread.turns)[0]?.items.at(-1)
        expect(item).toMatchObject({ type: "sleep", id: "sleep_1", durationMs: 60_000 })
      })
    ))

  it("is ended early by what is said into the turn", () =>
    asleep(
      Effect.gen(function* () {
        const { fiber, turn } = yield* sleeper
        yield* TestClock.adjust("2 seconds")
        yield* turn.steer("Never mind")
        expect(yield* Fiber.join(fiber)).toMatchObject({ elapsedMs: 2000, interrupted: true })
      })
    ))

  it("is ended early by any mail, and does not begin while some waits", () =>
    asleep(
      Effect.gen(function* () {
        const { fiber, thread, turn } = yield* sleeper
        yield* TestClock.adjust("3 seconds")
        yield* thread.receive({ id: "1", author: "/root/a", content: "Psst", triggerTurn: false })
        expect(yield* Fiber.join(fiber)).toMatchObject({ elapsedMs: 3000, interrupted: true })
        expect(yield* turn.sleep("1 hour")).toMatchObject({ elapsedMs: 0, interrupted: true })
      })
    ))

  it("ends with its turn, as an error", () =>
    asleep(
      Effect.gen(function* () {
        const { fiber, turn } = yield* sleeper
        yield* turn.abort()
        const exit = yield* Fiber.await(fiber)
        expect(Exit.isFailure(exit)).toBe(true)
        expect((yield* Effect.flip(Fiber.join(fiber)))._tag).toBe("Conflict")
      })
    ))
})

/** Everything of this file is in one process; another one sees none of its agents. */
it("agents of another process are not living here", () =>
  Host.run(
    Effect.gen(function* () {
      const { root, threads, turn } = yield* family
      const store = yield* ThreadStore.ThreadStore
      const other = yield* ThreadsModule.make().pipe(Effect.provideService(ThreadStore.ThreadStore, store))
      const id = yield* Effect.scoped(
        Effect.map(threads.spawn(root, { taskName: "a", turns: "none" }), (child) => child.id)
      )
      yield* other.resume(id)
      expect((yield* Effect.flip(turn.send({ to: "a", content: "c" })))._tag).toBe("NotFound")
    })
  ))
