/** What a host holds of a live thread. */
import * as Compaction from "@skein/core/decide/Compaction"
import * as Custom from "@skein/core/decide/Custom"
import type { Decision } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import * as Mail from "@skein/core/decide/Mail"
import * as ModelItem from "@skein/core/decide/ModelItem"
import * as Rollback from "@skein/core/decide/Rollback"
import * as TurnLifecycle from "@skein/core/decide/TurnLifecycle"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import * as ViewTurns from "@skein/core/fold/view/Turn"
import { Effect, Either, Exit, type Scope, Stream } from "effect"
import type { CommandError } from "../EngineError.js"
import type { LiveThread } from "../LiveThread.js"
import * as Moments from "../Moment.js"
import * as Patches from "../Patches.js"
import type { Ended, StartOptions, Turn, TurnSettings, Words } from "../Turn.js"
import * as Compacting from "./Compacting.js"
import * as Facts from "./Facts.js"
import type { Family } from "./Family.js"
import * as Families from "./Family.js"
import * as Following from "./Following.js"
import type { Hub } from "./Hub.js"
import type { Live } from "./Live.js"
import * as Lives from "./Live.js"
import * as Opening from "./Opening.js"
import type { Plan, Step } from "./Plan.js"

import * as Plans from "./Plan.js"
import * as Prompts from "./Prompts.js"
import type { State } from "./State.js"
import * as TurnHandle from "./TurnHandle.js"
import * as Waiting from "./Waiting.js"

/** What else a handle is made of. */
export interface Parts {
  readonly hub: Hub
  readonly family: Family
  readonly ephemeral: boolean
}

/** The handle of a live thread. */
export const make = (live: Live, { ephemeral, family, hub }: Parts): LiveThread => {
  const { id, options } = live
  /** What can be of any age is known between two commands. */
  const settled = <A>(get: (state: State) => A): Effect.Effect<A, CommandError> =>
    live.within("state", () => Effect.sync(() => get(live.state())))

  /** A turn that was started, until the scope closes. */
  const held = (turnId: string) =>
    Effect.as(
      Effect.addFinalizer(() => Effect.ignore(abandon(live, turnId))),
      TurnHandle.make(live, family, turnId)
    )

  /** Starts a turn whose handle is given, or that is ended again when what starts it fails. */
  const begun = (
    startOptions: StartOptions,
    more: (state: State, at: Facts.Facts) => Decision<ReadonlyArray<Step>>
  ): Effect.Effect<Turn, CommandError, Scope.Scope> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const turnId = startOptions.turnId ?? (yield* Facts.now).turnId
        yield* restore(
          live.run("startTurn", (state, at) =>
            Either.flatMap(more(state, at), (rest) =>
              sequence(live, state, [Opening.begin(turnId, startOptions, at), ...rest])
            )
          )
        ).pipe(
          // It can be in the log though the caller is not told: interrupted, or not acknowledged.
          Effect.onExit((exit) => (isSettled(exit) ? Effect.void : Effect.ignore(abandon(live, turnId))))
        )
        return yield* held(turnId)
      })
    )

  const startTurn: LiveThread["startTurn"] = (words, settings = {}, startOptions = {}) =>
    Effect.tap(
      begun(startOptions, (state, at) =>
        Opening.steps(openingOf(live, words, settings, startOptions), options, live.glance, state, at)
      ),
      () => live.spend()
    )

  const startTurnAfter: LiveThread["startTurnAfter"] = (first, words, settings = {}, startOptions = {}) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const turn = yield* begun(startOptions, () => Either.right([]))
        const opening = openingOf(live, words, settings, startOptions)
        yield* restore(Effect.zipRight(first(turn), open(live, turn.id, opening))).pipe(
          Effect.onExit((exit) => (Exit.isFailure(exit) ? Effect.ignore(turn.abort()) : Effect.void))
        )
        live.spend()
        return turn
      })
    )

  return {
    id,
    path: Families.pathOf(live),
    ephemeral,
    startTurn,
    startTurnAfter,
    compact: (variant, compactOptions = {}) =>
      alone(live, "compact", { ...compactOptions, variant, phase: Compaction.requested.phase }),
    newContextWindow: (windowOptions = {}) =>
      alone(live, "newContextWindow", {
        ...windowOptions,
        world: windowOptions.world,
        variant: { kind: "token_budget" },
        phase: "standalone_turn"
      }),
    rollback: (to) => live.run("rollback", (state, at) => rollback(live, to, state, at), { deep: true }),
    custom: (definition, value) =>
      live.run("custom", (_, at) => Either.map(Custom.record(definition, value, at), Plans.drafts), { retry: true }),
    injectItems: (items) =>
      live.run("injectItems", (state, at) => Either.map(ModelItem.record({ items }, state, at), Plans.drafts)),
    receive: (message) => Families.receive(live, { ...message, recipient: Families.pathOf(live) }),
    awaitWork: live
      .within("awaitWork", () => Effect.void)
      .pipe(
        Effect.zipRight(Waiting.until(live, (state) => live.isClosed() || isAsked(live, state))),
        Effect.zipRight(live.within("awaitWork", () => Effect.void))
      ),
    interrupt: Families.interrupt(live),
    state: settled((state) => state),
    context: Effect.sync(() => live.context()),
    prompt: (promptOptions) => Effect.sync(() => Prompts.of(live.context().history, live.state(), promptOptions)),
    turns: shownTurns(live),
    tokenUsage: settled((state) => state.usage),
    status: Effect.sync(live.status),
    stateAt: (at) =>
      Effect.scoped(
        Effect.flatMap(live.store.open(id, { includeArchived: true }), (log) => Moments.of(log, at, options))
      ),
    pending: live.pending,
    refresh: live.within("refresh", (memory) => memory.catchUp("asked")),
    events: Stream.unwrapScoped(
      Effect.map(hub.subscribe(id), (queue) =>
        // Who comes too late to hear of the end hears nothing.
        live.isClosed()
          ? Stream.empty
          : Stream.fromQueue(queue).pipe(Stream.takeUntil(({ type }) => type === "thread/closed"))
      )
    ),
    subscribe: hub.subscribe(id),
    worldChanges: Following.changes(
      live,
      Effect.sync(() => live.context().worldState),
      Patches.ofValue,
      live.isClosed
    ),
    turnChanges: Following.changes(live, shownTurns(live), Patches.ofList, live.isClosed)
  }
}

/** What a turn begins with, and what it runs with where nothing is said. */
const openingOf = (
  { given, isSpent }: Live,
  words: Words | undefined,
  settings: TurnSettings,
  options: StartOptions
): Opening.Opening => ({
  words,
  settings: isSpent() ? settings : { ...given, ...Opening.said(settings) },
  base: given,
  options
})

/** Whether mail asks for a turn, and none runs. */
const isAsked = (live: Live, { mailbox }: State): boolean =>
  !live.isActive() && mailbox.mail.some(({ triggerTurn }) => triggerTurn)

/** What clients are shown: the whole thread, and no turn as running that nobody runs (thread-view §2.2). */
const shownTurns = (live: Live): Effect.Effect<ReadonlyArray<ViewTurns.Turn>, CommandError> =>
  live.within("turns", (memory) =>
    Effect.map(memory.isWhole() ? Effect.void : Effect.asVoid(memory.whole), () => {
      const turns = ThreadView.turns(live.state().view)
      return live.status().type === "active" ? turns : turns.map(ViewTurns.whenIdle)
    })
  )

/** Several steps as one append. */
const sequence = (live: Live, state: State, steps: ReadonlyArray<Step>): Decision<Plan<void>> =>
  Either.map(Drafts.sequence(live.folds.near, state, steps), Plans.drafts)

/** Records what a turn begins with behind its start. */
const open = (live: Live, turnId: string, opening: Opening.Opening): Effect.Effect<void, CommandError> =>
  live.run("openTurn", (state, at) =>
    Either.flatMap(TurnLifecycle.running(state, turnId), () =>
      Either.flatMap(Opening.steps(opening, live.options, live.glance, state, at), (steps) =>
        sequence(live, state, steps)
      )
    )
  )

/** Whether a command came to its end, or was refused before anything was written. */
const isSettled = (exit: Exit.Exit<unknown, CommandError>): boolean => {
  if (Exit.isSuccess(exit)) return true
  const { cause } = exit
  return cause._tag === "Fail" && cause.error._tag === "Conflict"
}

/** Ends a turn that its scope left running. */
const abandon = (live: Live, turnId: string): Effect.Effect<void, CommandError> =>
  live.run("abandon", (state, at) => {
    if (state.turn.active?.id !== turnId) return Either.right(Plans.drafts([]))
    const marker = Lives.markerOf(state)
    return Either.map(TurnLifecycle.abort({ reason: "interrupted", marker }, state, at), Plans.drafts)
  })

/** What takes turns back; a compaction that puts back what they replaced has a checkpoint behind it like any other. */
const rollback = (
  live: Live,
  to: Rollback.To,
  state: State,
  at: Facts.Facts
): Decision<Plan<ReadonlyArray<string>>> => {
  const facts = { ...at, windowId: at.oldWindowId }
  return Either.flatMap(
    Rollback.decide(to, state, facts, live.options),
    (decided): Decision<Plan<ReadonlyArray<string>>> => {
      const { drafts, turnIds } = decided
      const answer = () => turnIds
      const [turnId = ""] = turnIds
      if (decided.kind === "revert") return Either.right({ drafts, answer, revertTo: { turnId, turnIds } })
      const restores = drafts.some(({ type }) => type === "compacted")
      const steps = [() => Either.right(drafts), ...(restores ? [Compacting.checkpoint(at)] : [])]
      return Either.map(Drafts.sequence(live.folds.near, state, steps), (all) => ({ drafts: all, answer }))
    }
  )
}

/** A compaction as a turn of its own. */
const alone = (
  live: Live,
  operation: string,
  command: Parameters<typeof Compacting.alone>[1]
): Effect.Effect<Ended, CommandError> =>
  live.run(operation, (state, at) =>
    Either.map(Drafts.sequence(live.folds.near, state, Compacting.alone(live, command, at)), (drafts) => ({
      drafts,
      answer: (after: State) => ({ startsTurn: Mail.startsTurn(after) })
    }))
  )
