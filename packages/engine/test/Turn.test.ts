import * as Truncation from "@skein/core/fold/Truncation"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Script from "@skein/testing/Script"
import { Effect, Exit } from "effect"
import { describe, expect, it } from "vitest"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

const settings = { model: "m" }

const live = Effect.gen(function* () {
  const threads = yield* Threads
  return { threads, thread: yield* threads.start({ settings }) }
})

/** What records say they are, marks included. */
const types = (id: string, from = 0) =>
  Effect.map(Host.stored(id), (records) =>
    records.slice(from).map(({ extras, kind, payload }) => {
      const type = kind === "event_msg" || kind === "response_item" ? (payload as { readonly type: string }).type : kind
      const mark = (extras as { readonly skein?: { readonly kind?: string } } | undefined)?.skein?.kind
      return mark === undefined ? type : `${type}:${mark}`
    })
  )

describe("the records of a turn", () => {
  it("stand in the write order of replay-semantics §9", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const turn = yield* thread.startTurn("Hello", {}, { world: { place: "here" } })
        yield* turn.world({ place: "there" })
        yield* turn.record([Host.says("Hi"), ...Host.calls("c")])
        yield* turn.usage({ input_tokens: 1 })
        yield* turn.complete()
        expect((yield* types(thread.id)).filter((type) => !type.endsWith(":fanout"))).toEqual([
          "session_meta",
          "task_started",
          "message",
          "world_state",
          "turn_context",
          "message",
          "item_completed",
          "message",
          "world_state",
          "item_completed",
          "message",
          "function_call",
          "function_call_output",
          "token_count",
          "task_complete"
        ])
      })
    ))

  it("of a compaction: history, world, settings, tokens, item, in one batch, and a checkpoint behind them", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const turn = yield* thread.startTurn("Hello")
        yield* turn.usage({ input_tokens: 1 })
        const before = (yield* Host.stored(thread.id)).length
        yield* turn.compact({ kind: "local", summary: "s" }, { phase: "mid_turn", world: { place: "here" } })
        expect(yield* types(thread.id, before)).toEqual([
          "compacted",
          "world_state",
          "turn_context",
          "token_count",
          "item_completed",
          "context_compacted:fanout",
          "token_count:checkpoint"
        ])
      })
    ))
})

describe("the world", () => {
  it("is told once: the same again comes to nothing (invariant 9)", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const turn = yield* thread.startTurn("Hello")
        const told = yield* turn.world({ place: "here", time: "noon" })
        expect(told).toHaveLength(1)
        const before = yield* Host.stored(thread.id)
        expect(yield* turn.world({ time: "noon", place: "here" })).toBeUndefined()
        expect(yield* Host.stored(thread.id)).toEqual(before)
        const [changed] = (yield* turn.world({ place: "there", time: "noon" })) ?? []
        expect(JSON.stringify(changed)).toContain("there")
        expect(JSON.stringify(changed)).not.toContain("noon")
        // What goes away is recorded and needs no words.
        expect(yield* turn.world({ place: "there" })).toBeUndefined()
        expect((yield* thread.context).worldState).toEqual({ place: "there" })
      })
    ))

  it("case 2: a turn that is resumed with the world unchanged is told nothing of it", () =>
    Host.run(
      Effect.gen(function* () {
        const { threads } = yield* live
        const world = { place: "here" }
        const id = yield* Effect.scoped(
          Effect.gen(function* () {
            const thread = yield* threads.start({ settings })
            const turn = yield* thread.startTurn("Hello", {}, { world })
            yield* turn.complete()
            return thread.id
          })
        )
        const thread = yield* threads.resume(id)
        const turn = yield* thread.startTurn("Again", {}, { world })
        expect(Script.texts((yield* turn.context()).input).filter((text) => text.includes("here"))).toHaveLength(1)
      })
    ))

  it("case 23: behind a compaction it is told in full, once", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const world = { place: "here" }
        yield* Effect.scoped(thread.startTurn("Hello", {}, { world }))
        yield* thread.compact({ kind: "local", summary: "s" })
        const turn = yield* thread.startTurn("Again", {}, { world })
        expect(yield* turn.world(world)).toBeUndefined()
        const texts = Script.texts((yield* turn.context()).input)
        expect(texts.filter((text) => text.includes("here"))).toHaveLength(1)
        // Case 29: what the user said, the summary, the context, the new words.
        expect(texts.map((text) => text.split("\n")[0]?.slice(0, 22))).toEqual([
          "Hello",
          "Another language model",
          "<environment_context>",
          "Again"
        ])
      })
    ))

  it("sections say themselves what a change reads like", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const turn = yield* thread.startTurn("Hello")
        const section = (value: string) => [
          {
            id: "mood",
            value,
            render: () => [{ role: "developer" as const, text: `The mood is ${value}` }]
          }
        ]
        expect(Script.texts((yield* turn.world(section("good"))) ?? [])).toEqual(["The mood is good"])
      })
    ))
})

describe("the prompt", () => {
  it("has an output for every call and a call for every output (invariant 41), and is stored nowhere", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const turn = yield* thread.startTurn("Hello")
        yield* turn.record([{ type: "function_call", name: "f", arguments: "{}", call_id: "c1", id: "fc_1" } as never])
        yield* turn.record([{ type: "function_call_output", call_id: "gone", output: "x" } as never])
        const before = yield* Host.stored(thread.id)
        const first = yield* turn.context()
        expect(first.input.map(({ type }) => type)).toEqual(["message", "function_call", "function_call_output"])
        expect((yield* turn.context()).input).toEqual(first.input)
        expect(yield* Host.stored(thread.id)).toEqual(before)
      })
    ))

  it("cuts outputs only in the copy that is sent (§11.12), and leaves out what a provider does not know", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const turn = yield* thread.startTurn("Hello")
        yield* turn.record(Host.calls("c", "x".repeat(100_000)))
        const cut = JSON.stringify((yield* turn.context({ truncation: Truncation.catalogue })).input)
        expect(cut.length).toBeLessThan(60_000)
        expect(cut).toContain("tokens truncated")
        expect(JSON.stringify(yield* turn.context()).length).toBeGreaterThan(100_000)
        expect(JSON.stringify(yield* turn.context({ openAi: false }))).not.toContain("passthrough")
      })
    ))
})

describe("compaction", () => {
  it("is due when the way of compacting changed, once per change (capability row 32)", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const limits = { scope: "total" as const }
        yield* Effect.scoped(thread.startTurn("One", { comp_hash: "a" }))
        const due: Array<string | undefined> = []
        for (const compHash of ["a", "b", "b", undefined]) {
          yield* Effect.scoped(
            thread.startTurnAfter(
              (turn) =>
                Effect.gen(function* () {
                  const trigger = yield* turn.dueBefore({ model: "m", compHash, limits })
                  due.push(trigger?.reason)
                  if (trigger === undefined) return
                  yield* turn.compact({ kind: "local", summary: "s" }, { phase: "pre_turn" })
                }),
              "Next",
              { comp_hash: compHash }
            )
          )
        }
        expect(due).toEqual([undefined, "comp_hash_changed", undefined, undefined])
      })
    ))

  it("is due at a limit, and between steps when a new window was asked for", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const turn = yield* thread.startTurn("Hello", {}, { contextWindow: 1000 })
        const limits = { scope: "total" as const, window: { tokens: 1000, effectivePercent: 100 } }
        expect(yield* turn.dueAfter({ continues: true, limits })).toBeUndefined()
        yield* turn.note("new_window")
        expect(yield* turn.dueAfter({ continues: true, limits })).toMatchObject({ phase: "mid_turn" })
        expect(yield* turn.dueAfter({ continues: false, limits })).toBeUndefined()
        yield* turn.compact({ kind: "local", summary: "s" }, { phase: "mid_turn" })
        expect(yield* turn.dueAfter({ continues: true, limits })).toBeUndefined()
        yield* turn.record([Host.says("a")])
        yield* turn.usage({ input_tokens: 990, output_tokens: 20 })
        expect((yield* turn.window(limits)).limitReached).toBe(true)
        expect(yield* turn.dueAfter({ continues: true, limits })).toMatchObject({ reason: "context_limit" })
      })
    ))

  it("that fails ends the turn without what was to be said, and the settings stay those of before (§6)", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        yield* Effect.scoped(thread.startTurn("One", { comp_hash: "a" }))
        const exit = yield* Effect.exit(
          thread.startTurnAfter(() => Effect.fail("the model is away"), "Two", { comp_hash: "b" })
        )
        expect(Exit.isFailure(exit)).toBe(true)
        const { history, previousTurnSettings } = yield* thread.context
        expect(Script.texts(history)).not.toContain("Two")
        expect(previousTurnSettings?.comp_hash).toBe("a")
        expect((yield* thread.turns).map(({ status }) => status)).toEqual(["interrupted", "interrupted"])
        yield* thread.startTurn("Three")
      })
    ))

  it("windows count up and know each other (invariants 27, 28)", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const windows = [(yield* thread.context).window]
        for (let i = 0; i < 3; i++) {
          yield* Effect.scoped(thread.startTurn("Hello"))
          yield* i === 1 ? thread.newContextWindow() : thread.compact({ kind: "local", summary: "s" })
          windows.push((yield* thread.context).window)
        }
        expect(windows.map(({ number }) => number)).toEqual([0, 1, 2, 3])
        for (const [i, { firstId, previousId }] of windows.entries()) {
          expect(firstId).toBe(windows[0]?.id)
          expect(previousId).toBe(i === 0 ? undefined : windows[i - 1]?.id)
        }
        // A rollback behind a compaction gives the earlier window back; the next one gets an id of its own.
        yield* thread.rollback({ count: 1 })
        expect((yield* thread.context).window).toEqual(windows[2])
        yield* thread.compact({ kind: "local", summary: "s" })
        const again = (yield* thread.context).window
        expect(again.number).toBe(3)
        expect(again.id).not.toBe(windows[3]?.id)
      })
    ))
})

describe("items", () => {
  it("what was told live is what is stored (thread-view §3, I11)", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const queue = yield* thread.subscribe
        const turn = yield* thread.startTurn("Hello")
        yield* turn.record([{ ...Host.says("Hi"), id: "msg_1" } as never])
        yield* turn.itemCompleted({
          type: "CommandExecution",
          id: "c1",
          command: ["echo", "a b"],
          cwd: "file:///tmp",
          parsed_cmd: [],
          source: "agent",
          status: "completed",
          exit_code: 0,
          aggregated_output: "a b\n",
          duration: { secs: 0, nanos: 12_000_000 }
        } as never)
        yield* turn.complete()
        const told = [...(yield* queue.takeAll)].flatMap((one) => (one.type === "item/completed" ? [one.item] : []))
        const { items } = yield* (yield* ThreadStore.ThreadStore).items(thread.id)
        expect(told).toEqual(items.map(({ item }) => item))
      })
    ))

  it("what comes late for an earlier turn is put there, also when that turn was not read yet", () =>
    Host.run(
      Effect.gen(function* () {
        const { threads } = yield* live
        const { id, first } = yield* Effect.scoped(
          Effect.gen(function* () {
            const thread = yield* threads.start({ settings })
            const turn = yield* thread.startTurn("One")
            yield* turn.complete()
            yield* thread.compact({ kind: "local", summary: "s" })
            yield* Effect.scoped(thread.startTurn("Two"))
            yield* thread.compact({ kind: "local", summary: "s" })
            yield* Effect.scoped(thread.startTurn("Three"))
            return { id: thread.id, first: turn.id }
          })
        )
        const thread = yield* threads.resume(id)
        const turn = yield* thread.startTurn("Four")
        yield* turn.itemCompleted({ type: "Plan", id: "late", text: "Better late" }, { turnId: first })
        expect((yield* thread.turns)[0]?.items.at(-1)).toMatchObject({ id: "late" })
        const { cold, live: now } = yield* Host.both(thread)
        expect(now).toEqual(cold)
      })
    ))
})

describe("a scope that closes", () => {
  it("ends the turn that it held, also when what was done in it fails", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const working = Effect.scoped(Effect.zipRight(thread.startTurn("Hello"), Effect.fail("broke")))
        expect(yield* Effect.flip(working)).toBe("broke")
        expect((yield* thread.turns).map(({ status }) => status)).toEqual(["interrupted"])
        expect((yield* thread.state).turn.active).toBeUndefined()
      })
    ))

  it("leaves a turn alone that is over, and the one that came after it", () =>
    Host.run(
      Effect.gen(function* () {
        const { thread } = yield* live
        const next = yield* Effect.scoped(
          Effect.gen(function* () {
            const turn = yield* thread.startTurn("Hello")
            yield* turn.complete()
            return turn
          })
        )
        const running = yield* thread.startTurn("Again")
        expect(running.id).not.toBe(next.id)
        expect((yield* thread.turns).map(({ status }) => status)).toEqual(["completed", "inProgress"])
      })
    ))
})
