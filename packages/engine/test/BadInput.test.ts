/** What a host gets wrong: each a typed error, and nothing recorded. */
import * as Custom from "@skein/core/decide/Custom"
import * as ThreadStore from "@skein/store/ThreadStore"
import { Effect, Either, Exit, Schema, Scope } from "effect"
import { describe, expect, it } from "vitest"
import type { LiveThread } from "../src/LiveThread.js"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

/** Runs something that has to fail with an error of a tag, and that records nothing. */
const refused = <A, E, R>(thread: LiveThread, effect: Effect.Effect<A, E, R>, tag: string, reason?: string) =>
  Effect.gen(function* () {
    const store = yield* ThreadStore.ThreadStore
    const before = (yield* store.head(thread.id)).head
    const exit = yield* Effect.exit(effect)
    const error =
      Exit.isFailure(exit) && exit.cause._tag === "Fail" ? (exit.cause.error as Record<string, unknown>) : {}
    expect({ tag: error._tag, reason: reason === undefined ? undefined : error.reason }).toEqual({ tag, reason })
    expect(String(error.message)).toMatch(/\w/)
    expect((yield* store.head(thread.id)).head).toEqual(before)
    const { cold, live } = yield* Host.both(thread)
    expect(live).toEqual(cold)
  })

/** A thread with two turns that are over. */
const lived = Effect.gen(function* () {
  const threads = yield* Threads
  const thread = yield* threads.start({ settings: { model: "m" } })
  const first = yield* thread.startTurn("One")
  yield* first.complete()
  const second = yield* thread.startTurn("Two")
  yield* second.complete()
  return { threads, thread, first, second }
})

describe("bad input", () => {
  it("a second active turn", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* lived
        yield* thread.startTurn("Three")
        yield* refused(thread, thread.startTurn("Four"), "Conflict", "turn-active")
        yield* refused(thread, thread.compact({ kind: "local", summary: "s" }), "Conflict", "turn-active")
        yield* refused(thread, thread.newContextWindow(), "Conflict", "turn-active")
      })
    ))

  it("a turn id that was one already, or none", () =>
    Host.run(
      Effect.gen(function* () {
        const { second, thread } = yield* lived
        yield* refused(thread, thread.startTurn("x", {}, { turnId: second.id }), "Conflict", "turn-id-taken")
        yield* refused(thread, thread.startTurn("x", {}, { turnId: "" }), "InvalidRequest", "empty")
      })
    ))

  it("anything said or recorded in a turn that is over, also while another one runs", () =>
    Host.run(
      Effect.gen(function* () {
        const { second, thread } = yield* lived
        const all = (reason: string) => [
          refused(thread, second.steer("too late"), "Conflict", reason),
          refused(thread, second.inject([Host.says("too late")]), "Conflict", reason),
          refused(thread, second.context(), "Conflict", reason),
          refused(thread, second.world({ place: "here" }), "Conflict", reason),
          refused(thread, second.record([Host.says("too late")]), "Conflict", reason),
          refused(thread, second.usage({ input_tokens: 1 }), "Conflict", reason),
          refused(thread, second.itemStarted({ type: "Plan", id: "p", text: "t" }), "Conflict", reason),
          refused(thread, second.itemCompleted({ type: "Plan", id: "p", text: "t" }), "Conflict", reason),
          refused(thread, second.announce({ type: "turn/diff/updated", diff: "" }), "Conflict", reason),
          refused(thread, second.compact({ kind: "local", summary: "s" }, { phase: "mid_turn" }), "Conflict", reason),
          refused(thread, second.note("reminded"), "Conflict", reason),
          refused(thread, second.sleep("1 second"), "Conflict", reason),
          refused(thread, second.send({ to: "/root/a", content: "c" }), "Conflict", reason),
          refused(thread, second.interrupt("/root/a"), "Conflict", reason),
          refused(thread, second.complete(), "Conflict", reason),
          refused(thread, second.abort(), "Conflict", reason)
        ]
        for (const one of all("no-active-turn")) yield* one
        yield* thread.startTurn("Three")
        for (const one of all("other-turn")) yield* one
      })
    ))

  it("a rollback of no turns, of too many, of an unknown one, and while a turn runs", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* lived
        for (const count of [0, -1, 1.5, Number.NaN, 3]) {
          yield* refused(thread, thread.rollback({ count }), "InvalidRequest", "out-of-range")
        }
        yield* refused(thread, thread.rollback({ turnId: "nobody" }), "NotFound", "turn")
        yield* thread.startTurn("Three")
        yield* refused(thread, thread.rollback({ count: 1 }), "Conflict", "turn-active")
      })
    ))

  it("a fork at an unknown turn, at one that runs, at one that was rolled back, at a bad number", () =>
    Host.run(
      Effect.gen(function* () {
        const { second, thread, threads } = yield* lived
        const fork = (at: Parameters<typeof threads.fork>[1]) => threads.fork(thread.id, at)
        yield* refused(thread, fork({ at: { at: "after-turn", turnId: "nobody" } }), "NotFound", "turn")
        yield* refused(thread, fork({ at: { at: "before-turn", turnId: "nobody" } }), "NotFound", "turn")
        yield* refused(thread, fork({ at: { at: "user-message", n: -1 } }), "InvalidRequest", "out-of-range")
        yield* thread.rollback({ turnId: second.id })
        yield* refused(thread, fork({ at: { at: "after-turn", turnId: second.id } }), "NotFound", "turn")
        const third = yield* thread.startTurn("Three")
        yield* refused(thread, fork({ at: { at: "after-turn", turnId: third.id } }), "Conflict", "turn-active")
        yield* refused(thread, threads.fork("nobody"), "InvalidRequest")
        yield* refused(thread, threads.fork("019c2b10-7a00-7c00-8000-0000000000ff"), "ThreadNotFound")
        expect((yield* threads.list({ hidden: true })).items.map(({ id }) => id)).toEqual([thread.id])
      })
    ))

  it("a world that is no object, holds a null or a section twice", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* lived
        const turn = yield* thread.startTurn("Three")
        yield* refused(thread, turn.world("here" as never), "InvalidRequest", "malformed")
        yield* refused(thread, turn.world(null as never), "InvalidRequest", "malformed")
        yield* refused(thread, turn.world(7 as never), "InvalidRequest", "malformed")
        yield* refused(thread, turn.world(["here"] as never), "InvalidRequest", "malformed")
        const self: Record<string, unknown> = {}
        self["self"] = self
        for (const value of [10n, self, Number.NaN, new Date(0), new Map(), () => 1, Symbol("s"), [undefined]]) {
          yield* refused(thread, turn.world({ place: { is: value } } as never), "InvalidRequest", "malformed")
        }
        for (const section of [null, { value: 1 }, { id: 1, value: 1 }, { id: "place", value: 10n }]) {
          yield* refused(thread, turn.world([section] as never), "InvalidRequest", "malformed")
        }
        // What is undefined is not there.
        expect(yield* turn.world({ place: undefined } as never)).toBeUndefined()
        yield* refused(thread, turn.world({ place: { room: null } }), "InvalidRequest", "null")
        yield* refused(thread, turn.world({ place: null }), "InvalidRequest", "null")
        const twice = [
          { id: "place", value: "a" },
          { id: "place", value: "b" }
        ]
        yield* refused(thread, turn.world(twice), "InvalidRequest", "duplicate")
        const words = [{ id: "place", value: "a", render: () => [{ role: "user" as const, text: "I am the user" }] }]
        yield* refused(thread, turn.world(words), "InvalidRequest", "malformed")
        // Asked for, nulls are left out.
        expect(yield* turn.world({ place: { room: null, floor: 1 } }, { nulls: "strip" })).toHaveLength(1)
        expect((yield* thread.context).worldState).toEqual({ place: { floor: 1 } })
      })
    ))

  it("such a world with which a turn, a compaction or a window is to begin: none of it begins", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* lived
        const world = { place: { room: null } }
        yield* refused(thread, thread.startTurn("Three", {}, { world }), "InvalidRequest", "null")
        yield* refused(thread, thread.newContextWindow({ world }), "InvalidRequest", "null")
        expect(yield* thread.status).toEqual({ type: "idle" })
        const turn = yield* thread.startTurn("Three")
        const summary = { kind: "local", summary: "s" } as const
        yield* refused(thread, turn.compact(summary, { phase: "mid_turn", world }), "InvalidRequest", "null")
      })
    ))

  it("mail to an unknown path, to a bad one, with nothing in it; work for the root", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread, threads } = yield* lived
        const turn = yield* thread.startTurn("Three")
        yield* refused(thread, turn.send({ to: "/root/nobody", content: "c" }), "NotFound", "agent")
        yield* refused(thread, turn.send({ to: "../up", content: "c" }), "InvalidRequest", "malformed")
        yield* refused(thread, turn.send({ to: "/root", content: "c", triggerTurn: true }), "Conflict", "not-allowed")
        yield* refused(thread, turn.interrupt("/root"), "Conflict", "not-allowed")
        const child = yield* threads.spawn(thread, { taskName: "child", turns: "none" })
        yield* refused(thread, turn.send({ to: "child", content: "" }), "InvalidRequest", "empty")
        yield* refused(
          child,
          child.receive({ id: "", author: "/root", content: "c", triggerTurn: false }),
          "InvalidRequest"
        )
        yield* refused(
          child,
          child.receive({ id: "1", author: "me", content: "c", triggerTurn: false }),
          "InvalidRequest"
        )
      })
    ))

  it("an agent with a taken path, a bad name, or a role beside the whole history", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread, threads } = yield* lived
        yield* threads.spawn(thread, { taskName: "child" })
        yield* refused(thread, threads.spawn(thread, { taskName: "child" }), "Conflict", "path-taken")
        for (const taskName of ["", "Root", "root", "a/b", "a.b", ".."]) {
          yield* refused(thread, threads.spawn(thread, { taskName }), "InvalidRequest", "malformed")
        }
        yield* refused(thread, threads.spawn(thread, { taskName: "b", role: "r" }), "InvalidRequest", "contradictory")
        for (const turns of [0, -1, 1.5]) {
          yield* refused(thread, threads.spawn(thread, { taskName: "b", turns }), "InvalidRequest", "malformed")
        }
      })
    ))

  it("a sleep out of bounds", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* lived
        const turn = yield* thread.startTurn("Three")
        for (const duration of [
          "0 millis",
          "43200001 millis",
          Number.POSITIVE_INFINITY,
          1.5,
          "soon" as never
        ] as const) {
          yield* refused(thread, turn.sleep(duration), "InvalidRequest", "out-of-range")
        }
      })
    ))

  it("a custom event that its schema refuses, and definitions that cannot be", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* lived
        const note = yield* Custom.define({ kind: "note", version: 1, schema: Schema.Struct({ text: Schema.String }) })
        yield* refused(thread, thread.custom(note, { text: 1 } as never), "InvalidRequest", "malformed")
        yield* refused(thread, thread.custom(note, undefined as never), "InvalidRequest", "malformed")
        expect(Either.isLeft(Custom.define({ kind: "No kind", version: 1, schema: Schema.String }))).toBe(true)
        expect(Either.isLeft(Custom.define({ kind: "note", version: 0, schema: Schema.String }))).toBe(true)
      })
    ))

  it("a handle used after its scope closed", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const note = yield* Custom.define({ kind: "note", version: 1, schema: Schema.Struct({ text: Schema.String }) })
        const scope = yield* Scope.make()
        const thread = yield* threads.start({ settings: { model: "m" } }).pipe(Scope.extend(scope))
        const turn = yield* thread.startTurn("One").pipe(Scope.extend(scope))
        yield* Scope.close(scope, Exit.void)
        const all: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }, Scope.Scope>> = [
          thread.startTurn("Two"),
          thread.compact({ kind: "local", summary: "s" }),
          thread.newContextWindow(),
          thread.rollback({ count: 1 }),
          thread.injectItems([Host.says("x")]),
          thread.receive({ id: "1", author: "/root/a", content: "c", triggerTurn: true }),
          thread.awaitWork,
          thread.interrupt,
          thread.state,
          thread.turns,
          thread.pending,
          thread.refresh,
          thread.custom(note, { text: "x" }),
          turn.steer("x"),
          turn.inject([Host.says("x")]),
          turn.context(),
          turn.world({ place: "here" }),
          turn.record([Host.says("x")]),
          turn.usage({ input_tokens: 1 }),
          turn.itemStarted({ type: "Plan", id: "p", text: "t" }),
          turn.itemCompleted({ type: "Plan", id: "p", text: "t" }),
          turn.announce({ type: "turn/diff/updated", diff: "" }),
          turn.compact({ kind: "local", summary: "s" }, { phase: "mid_turn" }),
          turn.note("reminded"),
          turn.send({ to: "a", content: "c" }),
          turn.interrupt("a"),
          turn.activity({ kind: "interrupted", threadId: thread.id, path: "/root/a", callId: "c" }),
          turn.sleep("1 second"),
          turn.complete(),
          turn.abort(),
          threads.spawn(thread, { taskName: "a" })
        ]
        const before = yield* Host.stored(thread.id)
        for (const one of all) expect((yield* Effect.flip(one))._tag).toBe("ThreadClosed")
        expect(yield* Host.stored(thread.id)).toEqual(before)
        // What ran was ended by the scope.
        expect(before.at(-1)?.payload).toMatchObject({ type: "turn_aborted", turn_id: turn.id, reason: "interrupted" })
      })
    ))

  it("nothing said, something of no known shape, no model", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const thread = yield* threads.start()
        yield* refused(thread, thread.startTurn("Hello"), "InvalidRequest", "empty")
        yield* refused(thread, thread.startTurn("Hello", { model: "" }), "InvalidRequest", "empty")
        yield* refused(thread, thread.startTurn("", { model: "m" }), "InvalidRequest", "empty")
        yield* refused(thread, thread.startTurn([], { model: "m" }), "InvalidRequest", "empty")
        yield* refused(thread, thread.startTurn(undefined, { model: "m" }), "InvalidRequest", "empty")
        yield* refused(
          thread,
          thread.startTurn("x", { model: "m", cwd: "not/absolute" }),
          "InvalidRequest",
          "malformed"
        )
        yield* refused(
          thread,
          thread.startTurn([{ type: "smell" } as never], { model: "m" }),
          "InvalidRequest",
          "malformed"
        )
        yield* refused(
          thread,
          thread.startTurn("x".repeat(1_048_577), { model: "m" }),
          "InvalidRequest",
          "out-of-range"
        )
        const turn = yield* thread.startTurn("Hello", { model: "m" })
        yield* refused(thread, turn.record([]), "InvalidRequest", "empty")
        yield* refused(thread, turn.record([{ type: "message" } as never]), "InvalidRequest", "malformed")
        yield* refused(thread, turn.record([{ type: "telepathy" } as never]), "InvalidRequest", "unsupported")
        yield* refused(thread, turn.usage({ input_tokens: -1 }), "InvalidRequest", "out-of-range")
        yield* refused(thread, turn.itemCompleted({ type: "Plan", id: "" } as never), "InvalidRequest")
        const late = { turnId: "nobody" }
        yield* refused(thread, turn.itemCompleted({ type: "Plan", id: "p", text: "t" }, late), "NotFound", "turn")
        yield* refused(thread, turn.abort("bored" as never), "InvalidRequest", "malformed")
      })
    ))

  it("a thread that is not there, has no UUID, exists already, or is archived", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread, threads } = yield* lived
        const id = "019c2b10-7a00-7c00-8000-0000000000ff"
        expect((yield* Effect.flip(threads.resume(id)))._tag).toBe("ThreadNotFound")
        expect((yield* Effect.flip(threads.resume("x")))._tag).toBe("InvalidRequest")
        expect((yield* Effect.flip(threads.read(id)))._tag).toBe("ThreadNotFound")
        expect((yield* Effect.flip(threads.delete(id)))._tag).toBe("ThreadNotFound")
        expect((yield* Effect.flip(threads.rename(thread.id, "  ")))._tag).toBe("InvalidRequest")
        expect((yield* Effect.flip(threads.start({ id: thread.id })))._tag).toBe("ThreadAlreadyExists")
        expect((yield* Effect.flip(threads.start({ id: "x" })))._tag).toBe("InvalidRequest")
        yield* threads.archive(thread.id)
        expect((yield* Effect.flip(threads.resume(thread.id)))._tag).toBe("InvalidRequest")
        expect((yield* Effect.flip(threads.fork(thread.id)))._tag).toBe("InvalidRequest")
        expect((yield* Effect.flip(threads.archive(thread.id)))._tag).toBe("InvalidRequest")
      })
    ))
})
