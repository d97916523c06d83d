/** A fiber that is interrupted leaves no half turn, no held lock, and memory as the log is. */
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import { Effect, Fiber, Scope } from "effect"
import { describe, expect, it } from "vitest"
import type { LiveThread } from "../src/LiveThread.js"
import * as ThreadsModule from "../src/Threads.js"
import type { Turn } from "../src/Turn.js"
import * as Host from "./Host.js"

const settings = { model: "m" }

/** A store that takes its time: others get their turn in front of each operation and behind it. */
const slow = (base: ThreadStore.ThreadStoreService): ThreadStore.ThreadStoreService => {
  const pause = Effect.repeatN(Effect.yieldNow(), 3)
  const slowly = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.zipRight(pause, Effect.zipLeft(effect, pause))
  return {
    ...base,
    append: (...args) => slowly(base.append(...args)),
    create: (...args) => slowly(base.create(...args)),
    fork: (...args) => slowly(base.fork(...args)),
    revert: (...args) => slowly(base.revert(...args)),
    open: (...args) => slowly(base.open(...args)),
    lease: (...args) => slowly(base.lease(...args)),
    summary: (...args) => slowly(base.summary(...args))
  }
}

interface Scene {
  readonly threads: ThreadsModule.ThreadsService
  readonly thread: LiveThread
  readonly turn: Turn
}

type Command = (scene: Scene) => Effect.Effect<unknown, unknown, Scope.Scope>

const inTurn: ReadonlyArray<readonly [string, Command]> = [
  ["steer", ({ turn }) => turn.steer("More")],
  ["record", ({ turn }) => turn.record([Host.says("Answer")])],
  ["context", ({ turn }) => turn.context()],
  ["world", ({ turn }) => turn.world({ place: "there" })],
  ["compact", ({ turn }) => turn.compact({ kind: "local", summary: "s" }, { phase: "mid_turn" })],
  ["complete", ({ turn }) => turn.complete()],
  ["abort", ({ turn }) => turn.abort()],
  ["sleep", ({ turn }) => turn.sleep("1 hour")],
  ["fork", ({ thread, threads }) => threads.fork(thread.id)],
  ["spawn", ({ thread, threads }) => threads.spawn(thread, { taskName: "child", message: "Go" })],
  ["replace", ({ thread }) => thread.startTurn("Other", {}, { onActive: "replace", turnId: "interrupted-turn" })]
]

const between: ReadonlyArray<readonly [string, Command]> = [
  ["startTurn", ({ thread }) => thread.startTurn("Hello", {}, { turnId: "interrupted-turn" })],
  [
    "startTurnAfter",
    ({ thread }) => thread.startTurnAfter(() => Effect.void, "Hello", {}, { turnId: "interrupted-turn" })
  ],
  ["compact", ({ thread }) => thread.compact({ kind: "local", summary: "s" })],
  ["rollback", ({ thread }) => thread.rollback({ count: 1 })],
  ["receive", ({ thread }) => thread.receive({ id: "1", author: "/root/a", content: "c", triggerTurn: true })]
]

/** Interrupts a command after so many turns of everybody else. Gives whether it was still under way. */
const interrupted = (command: Command, isInTurn: boolean, after: number, historyMode: "legacy" | "paginated") =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const base = yield* ThreadStore.ThreadStore
        const threads = yield* ThreadsModule.make().pipe(Effect.provideService(ThreadStore.ThreadStore, slow(base)))
        const thread = yield* threads.start({ settings, historyMode })
        yield* Effect.scoped(thread.startTurn("First"))
        const turn = isInTurn
          ? yield* thread.startTurn("Second", {}, { world: { place: "here" } })
          : yield* Effect.scoped(thread.startTurn("Second"))
        const scope = yield* Scope.make()
        const fiber = yield* Effect.fork(command({ threads, thread, turn }).pipe(Scope.extend(scope)))
        yield* Effect.repeatN(Effect.yieldNow(), after)
        const exit = yield* Fiber.interrupt(fiber)
        // Nothing is in doubt: memory is what the log says without another look.
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
        if (exit._tag === "Failure") expect(live.turn.active?.id).not.toBe("interrupted-turn")
        // Nobody holds the lock, and the next command is taken.
        yield* Effect.scoped(thread.startTurn("Third", {}, { onActive: "replace" }))
        expect((yield* Host.both(thread)).live).toEqual((yield* Host.both(thread)).cold)
        return exit._tag === "Failure"
      })
    ).pipe(Effect.provide(MemoryStore.layer))
  )

describe.each(["legacy", "paginated"] as const)("in a %s thread", (historyMode) => {
  it.each([
    ...inTurn.map(([name, command]) => [`${name} in a turn`, command, true] as const),
    ...between.map(([name, command]) => [name, command, false] as const)
  ])("%s can be interrupted at any time", async (_, command, isInTurn) => {
    for (let after = 0; ; after++) {
      const wasUnderWay = await interrupted(command, isInTurn, after, historyMode)
      // A sleep is never done by itself.
      if (!wasUnderWay || after > 120) break
    }
  })
})
