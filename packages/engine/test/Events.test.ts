/** What clients are told, and in which order (thread-view §2.4, §2.5). */
import * as Custom from "@skein/core/decide/Custom"
import type { Turn as Shown } from "@skein/core/fold/view/Turn"
import * as ThreadStore from "@skein/store/ThreadStore"
import { Effect, Either, Queue, Schema, Stream } from "effect"
import { describe, expect, it } from "vitest"
import type { Notification } from "../src/Notification.js"
import * as Notifications from "../src/Notification.js"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

const settings = { model: "m" }

/** What a queue holds, each by its type and, for those that have one, what it says in a word. */
const heard = (queue: Queue.Dequeue<Notification>) =>
  Effect.map(Queue.takeAll(queue), (all) =>
    [...all].map((one) => {
      switch (one.type) {
        case "thread/status/changed":
          return `status ${one.status.type}${one.status.type === "active" ? one.status.activeFlags.map((flag) => `+${flag}`).join("") : ""}`
        case "turn/started":
        case "turn/completed":
          return `${one.type} ${one.turn.status}`
        case "item/started":
        case "item/completed":
          return `${one.type} ${one.item.type}`
        default:
          return one.type
      }
    })
  )

const started = Effect.gen(function* () {
  const threads = yield* Threads
  const thread = yield* threads.start({ settings })
  const queue = yield* thread.subscribe
  return { threads, thread, queue }
})

describe("the order of what is told", () => {
  it("§2.5.1: a start tells the thread; a fork tells usage, then the thread; a resume tells usage", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const queue = yield* threads.subscribe
        const id = yield* Effect.scoped(
          Effect.gen(function* () {
            const thread = yield* threads.start({ settings })
            expect(yield* heard(queue)).toEqual(["thread/started"])
            const turn = yield* thread.startTurn("Hello")
            yield* turn.usage({ input_tokens: 3, output_tokens: 4 })
            yield* turn.complete()
            yield* Queue.takeAll(queue)
            const fork = yield* threads.fork(thread.id)
            expect(yield* heard(queue)).toEqual(["thread/tokenUsage/updated", "thread/started"])
            expect(fork.ephemeral).toBe(false)
            return thread.id
          })
        )
        expect(yield* heard(queue)).toEqual(["thread/closed", "thread/closed"])
        yield* threads.resume(id)
        const [usage] = [...(yield* Queue.takeAll(queue))]
        expect(usage).toMatchObject({
          type: "thread/tokenUsage/updated",
          threadId: id,
          tokenUsage: { total: { totalTokens: 7, inputTokens: 3 } }
        })
      })
    ))

  it("§2.5.2: status, start, items, status, end", () =>
    Host.run(
      Effect.gen(function* () {
        const { queue, thread } = yield* started
        const turn = yield* thread.startTurn("Hello")
        yield* turn.itemStarted({ type: "AgentMessage", id: "msg_1", content: [] })
        yield* turn.announce({ type: "item/agentMessage/delta", itemId: "msg_1", delta: "Hi" })
        yield* turn.record([{ ...Host.says("Hi"), id: "msg_1" } as never])
        yield* turn.usage({ input_tokens: 1 })
        yield* turn.complete()
        expect(yield* heard(queue)).toEqual([
          "status active",
          "turn/started inProgress",
          "item/completed userMessage",
          "item/started agentMessage",
          "item/agentMessage/delta",
          "item/completed agentMessage",
          "thread/tokenUsage/updated",
          "status idle",
          "turn/completed completed"
        ])
      })
    ))

  it("§2.5.3: what was announced as started is not announced twice", () =>
    Host.run(
      Effect.gen(function* () {
        const { queue, thread } = yield* started
        const turn = yield* thread.startTurn("Hello")
        yield* Queue.takeAll(queue)
        const command = {
          type: "CommandExecution",
          id: "c1",
          command: ["ls"],
          cwd: "file:///",
          parsed_cmd: [],
          source: "agent",
          status: "in_progress"
        } as const
        yield* turn.itemStarted(command)
        yield* turn.itemStarted(command)
        yield* turn.itemCompleted({ ...command, status: "declined" })
        expect(yield* heard(queue)).toEqual(["item/started commandExecution", "item/completed commandExecution"])
      })
    ))

  it("§2.5.4: a turn that fails tells its error before its end, and leaves the thread in error until the next", () =>
    Host.run(
      Effect.gen(function* () {
        const { queue, thread } = yield* started
        const turn = yield* thread.startTurn("Hello")
        yield* Queue.takeAll(queue)
        yield* turn.complete({ error: { message: "It broke", codex_error_info: "server_overloaded" } })
        expect(yield* heard(queue)).toEqual(["error", "status systemError", "turn/completed failed"])
        expect(yield* thread.status).toEqual({ type: "systemError" })
        yield* thread.startTurn("Again")
        expect((yield* heard(queue)).slice(0, 2)).toEqual(["status active", "turn/started inProgress"])
      })
    ))

  it("§2.5.5: who subscribes while a turn runs misses nothing and hears nothing twice", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* started
        const turn = yield* thread.startTurn("Hello")
        const queue = yield* thread.subscribe
        let turns: ReadonlyArray<Shown> = yield* thread.turns
        yield* turn.record([Host.says("One")])
        yield* turn.complete()
        for (const one of yield* Queue.takeAll(queue)) turns = Notifications.apply(turns, one)
        expect(turns.map(bare)).toEqual((yield* thread.turns).map(bare))
      })
    ))

  it("the first turn after a crash: what ends the old one is no news of the thread's state", () =>
    Host.run(
      Effect.gen(function* () {
        const store = yield* ThreadStore.ThreadStore
        const { thread, threads } = yield* started
        const turn = yield* thread.startTurn("Hello")
        const { fence } = yield* leaseOf
        // The log as a process leaves it that is gone in the middle of a turn.
        const fork = yield* threads.fork(thread.id, { at: { at: "user-message", n: 9 } })
        const start = (yield* Host.stored(thread.id)).find(({ payload }) => "turn_id" in payload)
        yield* store.append(
          fork.id,
          [{ timestamp: "2026-11-20T12:00:00.000Z", type: "event_msg", payload: start?.payload as never }],
          { fence }
        )
        yield* turn.complete()
        yield* threads.archive(fork.id)
        yield* threads.unarchive(fork.id)
        const again = yield* threads.resume(fork.id, { settings })
        expect(yield* again.status).toEqual({ type: "idle" })
        expect((yield* again.turns).map(({ status }) => status)).toEqual(["interrupted"])
        expect((yield* again.pending).turnId).toBe(turn.id)
        const queue = yield* again.subscribe
        yield* again.startTurn("Hello again")
        expect(yield* heard(queue)).toEqual([
          "turn/completed interrupted",
          "status active",
          "turn/started inProgress",
          "item/completed userMessage"
        ])
      })
    ))
})

/** Memory counts the fences of each thread from 1. */
const leaseOf = Effect.succeed({ fence: 1 })

const bare = ({ itemsView: _, ...turn }: Shown) => turn

describe("what is told and kept nowhere", () => {
  it("is not in the log, and tells safety once (capability rows 17, 39)", () =>
    Host.run(
      Effect.gen(function* () {
        const { queue, thread } = yield* started
        const turn = yield* thread.startTurn("Hello")
        yield* Queue.takeAll(queue)
        const before = yield* Host.stored(thread.id)
        const safety = {
          type: "model/safetyBuffering/updated",
          model: "m",
          useCases: ["a"],
          reasons: ["b"],
          showBufferingUi: true
        } as const
        yield* turn.announce(safety)
        yield* turn.announce({ ...safety })
        yield* turn.announce({ ...safety, reasons: ["c"] })
        yield* turn.announce(safety)
        yield* turn.announce({ type: "turn/moderationMetadata", metadata: { opaque: [1] } })
        yield* turn.announce({ type: "turn/plan/updated", explanation: undefined, plan: [] })
        expect(yield* heard(queue)).toEqual([
          "model/safetyBuffering/updated",
          "model/safetyBuffering/updated",
          "model/safetyBuffering/updated",
          "turn/moderationMetadata",
          "turn/plan/updated"
        ])
        expect(yield* Host.stored(thread.id)).toEqual(before)
      })
    ))

  it("a thread that waits for somebody says so while it does", () =>
    Host.run(
      Effect.gen(function* () {
        const { queue, thread } = yield* started
        const turn = yield* thread.startTurn("Hello")
        yield* Queue.takeAll(queue)
        const inside = yield* turn.waitingFor("waitingOnApproval", thread.status)
        expect(inside).toEqual({ type: "active", activeFlags: ["waitingOnApproval"] })
        expect(yield* heard(queue)).toEqual(["status active+waitingOnApproval", "status active"])
      })
    ))
})

describe("subscribers", () => {
  it("one that is too slow is told how much it missed, and goes on", () =>
    Host.run(
      Effect.gen(function* () {
        const { queue, thread } = yield* started
        for (let i = 0; i < 4; i++) yield* Effect.scoped(thread.startTurn("Hello"))
        const [first, ...rest] = [...(yield* Queue.takeAll(queue))]
        expect(first).toMatchObject({ type: "events/missed", threadId: thread.id })
        expect(rest.length).toBeLessThan(8)
        yield* thread.startTurn("Hello")
        expect(yield* heard(queue)).toContain("turn/started inProgress")
      }),
      { capacity: 8 }
    ))

  it("the stream of a thread ends when it is closed here; that of all goes on", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread, threads } = yield* started
        const all = yield* threads.subscribe
        const events = yield* Effect.fork(Stream.runCollect(thread.events))
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        yield* threads.archive(thread.id)
        const told = [...(yield* events)].map(({ type }) => type)
        expect(told.at(-1)).toBe("thread/closed")
        expect([...(yield* Stream.runCollect(thread.events))]).toEqual([])
        expect(yield* heard(all)).toEqual(["thread/closed", "thread/archived"])
      })
    ))
})

describe("events of a host", () => {
  const note = (version: number) =>
    Custom.define({
      kind: "test.note",
      version,
      schema: Schema.Struct({ text: Schema.String }),
      upcasts: { 1: (data) => ({ text: (data as { readonly words: string }).words }) }
    })

  it("are told as what the host defines", () =>
    Effect.gen(function* () {
      const definition = yield* note(2)
      const customs = yield* Custom.registry([definition])
      yield* Effect.promise(() =>
        Host.run(
          Effect.gen(function* () {
            const { queue, thread } = yield* started
            yield* thread.custom(definition, { text: "remember" })
            expect([...(yield* Queue.takeAll(queue))]).toEqual([
              {
                type: "custom",
                threadId: thread.id,
                kind: "test.note",
                version: 2,
                value: { text: "remember" }
              }
            ])
          }),
          { customs }
        )
      )
    }).pipe(Effect.runPromise))

  it("are read back in order, older versions brought up to date, the unknown as the policy says", () =>
    Effect.gen(function* () {
      const [old, now] = [yield* note(1), yield* note(2)]
      const other = yield* Custom.define({ kind: "test.other", version: 1, schema: Schema.Number })
      const customs = yield* Custom.registry([now])
      yield* Effect.promise(() =>
        Host.run(
          Effect.gen(function* () {
            const { thread, threads } = yield* started
            // As version 1 wrote it.
            yield* thread.custom({ ...old, encode: () => Either.right({ words: "before" }) }, { text: "before" })
            yield* thread.custom(now, { text: "after" })
            yield* thread.custom(other, 7)
            const values = (all: ReadonlyArray<Custom.Read>) =>
              all.map((one) => (one._tag === "Event" ? one.value : one._tag === "Unread" ? one.reason : undefined))
            const texts = [{ text: "before" }, { text: "after" }]
            expect(values(yield* threads.customs(thread.id))).toEqual([...texts, "unknown-kind"])
            expect(values(yield* threads.customs(thread.id, { unknown: "ignore" }))).toEqual(texts)
            const error = yield* Effect.flip(threads.customs(thread.id, { unknown: "fail" }))
            expect(error).toMatchObject({ _tag: "InvalidRequest", reason: "unsupported" })
          }),
          { customs }
        )
      )
    }).pipe(Effect.runPromise))

  it("of an unknown kind are warned of, or not", () =>
    Effect.gen(function* () {
      const definition = yield* note(1)
      for (const [unknown, told] of [
        [undefined, ["warning"]],
        ["warn", ["warning"]],
        ["ignore", []],
        ["fail", ["warning"]]
      ] as const) {
        yield* Effect.promise(() =>
          Host.run(
            Effect.gen(function* () {
              const { queue, thread } = yield* started
              yield* thread.custom(definition, { text: "remember" })
              expect(yield* heard(queue)).toEqual(told)
            }),
            { unknown }
          )
        )
      }
    }).pipe(Effect.runPromise))
})

describe("other writers", () => {
  it("what they appended is told as if it were our own, and the command is refused (design §7)", () =>
    Host.run(
      Effect.gen(function* () {
        const store = yield* ThreadStore.ThreadStore
        const { queue, thread } = yield* started
        const { fence } = yield* leaseOf
        yield* store.append(
          thread.id,
          [
            {
              timestamp: "2026-11-20T12:00:00.000Z",
              type: "event_msg",
              payload: {
                type: "task_started",
                turn_id: "019c2b10-7a00-7c00-8000-00000000000e",
                model_context_window: null,
                collaboration_mode_kind: "default"
              }
            }
          ],
          { fence }
        )
        const error = yield* Effect.flip(thread.startTurn("Hello"))
        expect(error._tag).toBe("AppendConflict")
        expect(yield* heard(queue)).toEqual(["status active", "turn/started inProgress", "thread/reloaded"])
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
        expect((yield* Effect.flip(thread.startTurn("Hello")))._tag).toBe("Conflict")
        yield* thread.startTurn("Hello", {}, { onActive: "replace" })
      })
    ))

  it("a log that goes on elsewhere is read anew", () =>
    Host.run(
      Effect.gen(function* () {
        const store = yield* ThreadStore.ThreadStore
        const { thread } = yield* started
        const { fence } = yield* leaseOf
        const { head } = yield* store.head(thread.id)
        for (const words of ["One", "Two"]) yield* Effect.scoped(thread.startTurn(words))
        const queue = yield* thread.subscribe
        yield* store.revert(thread.id, { to: head, timestamp: "2026-11-20T12:00:00.000Z", fence })
        expect((yield* Effect.flip(thread.startTurn("Three")))._tag).toBe("AppendConflict")
        const [told] = [...(yield* Queue.takeAll(queue))]
        expect(told).toMatchObject({ type: "thread/reloaded", records: undefined, reason: "position" })
        expect(yield* thread.turns).toEqual([])
        yield* thread.startTurn("Three", settings)
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
      })
    ))
})
