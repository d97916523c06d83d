/** Commands as data, drawn at random, and the one who gives them to a thread and to its model. */
import * as Custom from "@skein/core/decide/Custom"
import type { Draft } from "@skein/core/decide/Draft"
import type { Turn as Shown } from "@skein/core/fold/view/Turn"
import * as Mark from "@skein/core/record/Mark"
import type { AppendError } from "@skein/store/StoreError"
import * as ThreadStore from "@skein/store/ThreadStore"
import { Effect, Either, Exit, Queue, Schema, Scope } from "effect"
import * as fc from "fast-check"
import { expect } from "vitest"
import type { CommandError } from "../src/EngineError.js"
import type { LiveThread } from "../src/LiveThread.js"
import type { Notification } from "../src/Notification.js"
import * as Notifications from "../src/Notification.js"
import * as Threads from "../src/Threads.js"
import type { Turn } from "../src/Turn.js"
import type { Faulty } from "./Faults.js"
import * as Faults from "./Faults.js"
import * as Host from "./Host.js"
import { Model, type Outcome } from "./Model.js"

type World = Readonly<Record<string, string>>

/** Something that is done to a thread. */
export type Command =
  | {
      readonly do: "start"
      readonly words: boolean
      readonly world?: World | undefined
      readonly replace?: boolean | undefined
      readonly select?: "proactive" | "explicitRequestOnly" | undefined
    }
  | { readonly do: "answer"; readonly final: boolean }
  | { readonly do: "look"; readonly world: World }
  | { readonly do: "mail"; readonly triggers: boolean }
  | { readonly do: "custom"; readonly valid: boolean }
  | { readonly do: "finish"; readonly how: "completed" | "failed" | "interrupted" }
  | { readonly do: "compactWithin" | "newWindow"; readonly world?: World | undefined }
  | { readonly do: "rollback"; readonly count: number }
  | { readonly do: "call" | "steer" | "context" | "usage" | "compact" | "turns" | "reopen" | "crash" | "foreign" }

const world = fc.dictionary(fc.constantFrom("place", "time", "mood"), fc.constantFrom("a", "b", "c"), { maxKeys: 3 })
const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

/** Any command. Those of an ordinary life come more often. */
export const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("start" as const),
      words: fc.boolean().map((one) => one),
      world: maybe(world),
      replace: maybe(fc.boolean()),
      select: maybe(fc.constantFrom("proactive" as const, "explicitRequestOnly" as const))
    })
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("answer" as const), final: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("look" as const), world }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mail" as const), triggers: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("custom" as const), valid: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("finish" as const),
      how: fc.constantFrom("completed" as const, "completed" as const, "failed" as const, "interrupted" as const)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("compactWithin" as const, "newWindow" as const), world: maybe(world) })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rollback" as const), count: fc.integer({ min: 0, max: 4 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "call" as const,
        "steer" as const,
        "context" as const,
        "context" as const,
        "usage" as const,
        "compact" as const,
        "turns" as const,
        "reopen" as const,
        "crash" as const,
        "foreign" as const
      )
    })
  }
)

const note = Either.getOrThrow(
  Custom.define({ kind: "test.note", version: 1, schema: Schema.Struct({ text: Schema.String }) })
)

/** What a host's process holds. */
interface Process {
  readonly scope: Scope.CloseableScope
  readonly faulty: Faulty
  readonly threads: Threads.ThreadsService
}

const process = (base: ThreadStore.ThreadStoreService): Effect.Effect<Process> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const faulty = Faults.make(base)
    const threads = yield* Threads.make().pipe(
      Effect.provideService(ThreadStore.ThreadStore, faulty.store),
      Scope.extend(scope)
    )
    return { scope, faulty, threads }
  })

/** A thread at play, with its model. */
export interface Play {
  readonly model: () => Model
  readonly thread: () => LiveThread
  readonly faulty: () => Faulty
  /** Gives a command to both and compares what came of it. */
  readonly give: (command: Command) => Effect.Effect<void>
  /** Gives a command to the thread alone, and how it went. */
  readonly dare: (command: Command) => Effect.Effect<Exit.Exit<unknown, CommandError>>
  /** Compares the thread with a cold replay of its log. */
  readonly agree: Effect.Effect<void>
  /** Compares it with the model. */
  readonly compare: (after: unknown) => Effect.Effect<void>
  /** The process goes away, and another one opens the thread. */
  readonly crash: Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

/** Begins a thread over a store. */
export const begin = (base: ThreadStore.ThreadStoreService, options: Threads.StartOptions = {}): Effect.Effect<Play> =>
  Effect.gen(function* () {
    let host = yield* process(base)
    let model = new Model()
    let thread = yield* host.threads
      .start({ settings: { model: "m" }, ...options })
      .pipe(Scope.extend(host.scope), Effect.orDie)
    const { ephemeral, id } = thread
    let queue: Queue.Dequeue<Notification> = yield* thread.subscribe.pipe(Scope.extend(host.scope))
    let told: ReadonlyArray<Shown> = []
    let turn: Turn | undefined
    let said = 0
    let isStale = false

    const shown = ephemeral
      ? Effect.orDie(thread.turns)
      : base.turns(id, { direction: "asc", pageSize: 1000 }).pipe(
          Effect.map(({ items }) => items),
          Effect.orDie
        )

    const resume = Effect.gen(function* () {
      host = yield* process(base)
      told = yield* shown
      thread = yield* host.threads.resume(id, { settings: { model: "m" } }).pipe(Scope.extend(host.scope), Effect.orDie)
      queue = yield* thread.subscribe.pipe(Scope.extend(host.scope))
      turn = undefined
    })

    const hear = Effect.gen(function* () {
      for (const one of yield* Queue.takeAll(queue)) {
        told =
          one.type === "thread/reloaded" && one.records === undefined ? yield* shown : Notifications.apply(told, one)
      }
    })

    const text = (): string => `w${++said}`

    const noTurn = Effect.fail("no turn" as const)
    const inTurn = (
      use: (turn: Turn) => Effect.Effect<unknown, CommandError>
    ): Effect.Effect<unknown, CommandError | "no turn"> => (turn === undefined ? noTurn : use(turn))

    /** What a command comes to here, and in a model. */
    const both = (
      command: Command
    ): {
      readonly live: Effect.Effect<unknown, CommandError | "no turn">
      readonly meant: (model: Model) => Outcome
    } => {
      switch (command.do) {
        case "start": {
          const words = command.words ? text() : undefined
          const turnId = `00000000-0000-7000-8000-${String(++said).padStart(12, "0")}`
          const { replace, select, world } = command
          return {
            live: thread
              .startTurn(words, {}, { turnId, world, select, onActive: replace === true ? "replace" : "refuse" })
              .pipe(
                Scope.extend(host.scope),
                Effect.tap((started) =>
                  Effect.sync(() => {
                    turn = started
                  })
                )
              ),
            meant: (to) => to.start(turnId, words, world, replace === true, select)
          }
        }
        case "answer": {
          const answer = text()
          return {
            live: inTurn((one) => one.record([Host.says(answer, command.final ? undefined : "commentary")])),
            meant: (to) => to.answer(answer, command.final)
          }
        }
        case "call": {
          const call = text()
          return { live: inTurn((one) => one.record(Host.calls(call))), meant: (to) => to.call() }
        }
        case "look":
          return { live: inTurn((one) => one.world(command.world)), meant: (to) => to.look(command.world) }
        case "mail": {
          const content = text()
          const message = { id: text(), author: "/root/other", content, triggerTurn: command.triggers }
          return { live: thread.receive(message), meant: (to) => to.receive(content, command.triggers) }
        }
        case "custom":
          return {
            live: thread.custom(note, command.valid ? { text: text() } : ({ text: 1 } as never)),
            meant: (to) => (command.valid ? to.custom() : "refused")
          }
        case "steer": {
          const words = text()
          return { live: inTurn((one) => one.steer(words)), meant: (to) => to.steer(words) }
        }
        case "context":
          return { live: inTurn((one) => one.context()), meant: (to) => to.context() }
        case "usage":
          return {
            live: inTurn((one) => one.usage({ input_tokens: 10 + said, output_tokens: 5 })),
            meant: (to) => (to.running ? "done" : "refused")
          }
        case "finish": {
          const { how } = command
          return {
            live: inTurn((one) =>
              how === "interrupted"
                ? one.abort()
                : one.complete(how === "failed" ? { error: { message: "It broke", codex_error_info: "other" } } : {})
            ),
            meant: (to) => to.finish(how)
          }
        }
        case "compact": {
          const summary = text()
          return { live: thread.compact({ kind: "local", summary }), meant: (to) => to.compact(id, summary, undefined) }
        }
        case "newWindow":
          return {
            live: thread.newContextWindow({ world: command.world }),
            meant: (to) => to.compact(id, undefined, command.world)
          }
        case "compactWithin": {
          const summary = text()
          const { world } = command
          return {
            live: inTurn((one) => one.compact({ kind: "local", summary }, { phase: "mid_turn", world })),
            meant: (to) => to.compactWithin(summary, world)
          }
        }
        case "rollback":
          return { live: thread.rollback({ count: command.count }), meant: (to) => to.rollback(command.count) }
        case "turns":
          return { live: thread.turns, meant: () => "nothing" }
        default:
          return { live: Effect.void, meant: () => "nothing" }
      }
    }

    const compare = (after: unknown) =>
      Effect.gen(function* () {
        const about = JSON.stringify(after)
        const { context, mailbox, selection, turn: active } = Host.seen(yield* Effect.orDie(thread.state))
        const now = {
          history: context.history.map(labelOf),
          world: context.worldState,
          window: context.window.number,
          mail: mailbox.mail.map(({ content }) => content),
          inputs: mailbox.inputs.length,
          selection: selection.selection,
          active: active.active?.id
        }
        expect(now, about).toEqual({
          history: model.past.history.map(({ kind, text }) =>
            kind === "call" || kind === "output" ? kind : `${kind}:${text}`
          ),
          world: model.past.world,
          window: model.past.window,
          mail: model.mail.map((one) => one.text),
          inputs: model.inputs.length,
          selection: model.selection,
          active: model.active?.id
        })
        const turns = yield* shown
        const visible = turns
          .filter(({ items }) => items.length > 0)
          .map(({ items, status }) => ({ items: items.map(({ type }) => type), status }))
        const wanted = model.shown.map(({ items, status }) => ({
          items,
          status: status === "inProgress" && ephemeral && model.broken ? "interrupted" : status
        }))
        expect(visible, about).toEqual(wanted)
      })

    const agree = Effect.gen(function* () {
      const live = Host.seen(yield* Effect.orDie(thread.state))
      if (!ephemeral) {
        const cold = Host.seen(yield* Host.replay(id).pipe(Effect.provideService(ThreadStore.ThreadStore, base)))
        expect(live).toEqual(cold)
      }
      yield* hear
      expect(told.map(bare)).toEqual((yield* shown).map(bare))
    })

    const foreign: Effect.Effect<void, AppendError> = Effect.gen(function* () {
      const inert = {
        timestamp: "2026-07-20T10:00:00.000Z",
        type: "event_msg",
        payload: Mark.carrier
      } as unknown as Draft
      yield* base.append(id, [inert], { fence: host.faulty.lease()?.fence })
      isStale = true
    })

    const crash = Effect.gen(function* () {
      host.faulty.kill()
      yield* Scope.close(host.scope, Exit.void)
      yield* resume
    })

    const give = (command: Command): Effect.Effect<void> =>
      Effect.gen(function* () {
        switch (command.do) {
          case "foreign":
            if (!ephemeral) yield* Effect.orDie(foreign)
            break
          case "reopen":
            if (ephemeral) break
            yield* Scope.close(host.scope, Exit.void)
            model.finish("interrupted")
            isStale = false
            yield* resume
            break
          case "crash":
            if (ephemeral) break
            model.crash()
            isStale = false
            yield* crash
            break
          default: {
            const { live, meant } = both(command)
            const next = model.copy()
            const outcome = meant(next)
            const exit = yield* Effect.exit(live)
            const retries = command.do === "mail" || command.do === "custom"
            const conflicts = outcome === "done" && isStale && !retries
            const about = `${JSON.stringify(command)} ${Exit.isFailure(exit) ? String(exit.cause) : ""}`
            expect(Exit.isSuccess(exit), about).toBe(outcome !== "refused" && !conflicts)
            if (outcome === "done") isStale = false
            if (outcome !== "refused" && !conflicts) model = next
            if (conflicts) expect(failureOf(exit), about).toBe("AppendConflict")
            // A rollback may have read on before it was refused, and may not have: whoever opens it anew knows.
            if (command.do === "rollback" && outcome === "refused" && isStale) yield* give({ do: "reopen" })
          }
        }
        yield* agree
        yield* compare(command)
      })

    return {
      model: () => model,
      thread: () => thread,
      faulty: () => host.faulty,
      give,
      dare: (command) => Effect.exit(both(command).live as Effect.Effect<unknown, CommandError>),
      agree,
      compare,
      crash,
      end: Scope.close(host.scope, Exit.void)
    }
  })

/** The tag of the error that a command failed with. */
export const failureOf = (exit: Exit.Exit<unknown, unknown>): string | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const { cause } = exit
  return cause._tag === "Fail" ? ((cause.error as { readonly _tag?: string })._tag ?? String(cause.error)) : cause._tag
}

const bare = ({ itemsView: _, ...turn }: Shown) => turn

/** What an entry of a history is, as the model has it. */
const labelOf = (item: unknown): string => {
  const {
    content = [],
    role,
    type
  } = item as {
    readonly type: string
    readonly role?: string
    readonly content?: ReadonlyArray<{ readonly text?: string }>
  }
  const text = content.map((part) => part.text ?? "").join("|")
  if (type === "agent_message") return `mail:${text}`
  if (type === "function_call") return "call"
  if (type === "function_call_output") return "output"
  if (role === "assistant") return `assistant:${text}`
  if (text.startsWith("<turn_aborted>")) return "marker:"
  if (text.startsWith("<environment_context>")) return `context:${text}`
  return text.startsWith("Another language model") ? `summary:${text}` : `user:${text}`
}
