/** What a host holds of a turn that runs. */

import * as Agents from "@skein/core/decide/Agents"
import * as Compaction from "@skein/core/decide/Compaction"
import type { Decision, Draft } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import * as Item from "@skein/core/decide/Item"
import * as Mail from "@skein/core/decide/Mail"
import * as ModelItem from "@skein/core/decide/ModelItem"
import * as Sleep from "@skein/core/decide/Sleep"
import * as TokenCount from "@skein/core/decide/TokenCount"
import * as TokenStatus from "@skein/core/decide/TokenStatus"
import * as TurnLifecycle from "@skein/core/decide/TurnLifecycle"
import * as World from "@skein/core/decide/World"
import * as SnapshotItem from "@skein/core/fold/view/SnapshotItem"
import type { TokenUsage } from "@skein/core/record/Usage"
import { Clock, Duration, Effect, Either, Option } from "effect"
import type { CommandError } from "../EngineError.js"
import type { Notification } from "../Notification.js"
import type { Ended, Turn } from "../Turn.js"
import * as Compacting from "./Compacting.js"
import * as Facts from "./Facts.js"
import type { Family } from "./Family.js"
import * as Families from "./Family.js"
import type { Live } from "./Live.js"
import * as Lives from "./Live.js"
import * as Opening from "./Opening.js"
import type { Plan } from "./Plan.js"

import * as Plans from "./Plan.js"
import * as Prompts from "./Prompts.js"
import type { State } from "./State.js"
import * as Waiting from "./Waiting.js"

/** The handle of a turn of a live thread. */
export const make = (live: Live, family: Family, turnId: string): Turn => {
  const threadId = live.id
  /** Items whose beginning was told. */
  const started = new Set<string>()
  let toldSafety: string | undefined

  /** A command of this turn: refused once another one runs or none. */
  const run = <A>(
    operation: string,
    decide: (state: State, at: Facts.Facts) => Decision<Plan<A>>,
    options?: Parameters<Live["run"]>[2]
  ): Effect.Effect<A, CommandError> =>
    live.run(
      operation,
      (state, at) => Either.flatMap(TurnLifecycle.running(state, turnId), () => decide(state, at)),
      options
    )
  const record = (
    operation: string,
    decide: (state: State, at: Facts.Facts) => Decision<ReadonlyArray<Draft>>,
    options?: Parameters<Live["run"]>[2]
  ): Effect.Effect<void, CommandError> =>
    run(operation, (state, at) => Either.map(decide(state, at), Plans.drafts), options)

  /** Tells something that no log keeps, while the turn runs. */
  const tell = (operation: string, notifications: ReadonlyArray<Notification>): Effect.Effect<void, CommandError> =>
    live.within(operation, () =>
      Effect.flatMap(TurnLifecycle.running(live.state(), turnId), () => live.tell(notifications))
    )

  const statusOf = (limits: TokenStatus.Limits) => {
    const state = live.state()
    const { history, tokenInfo } = live.context(state)
    return {
      state,
      history,
      tokenInfo,
      status: TokenStatus.of({ history, tokenInfo, prefill: state.window.prefill }, limits)
    }
  }

  const itemStarted: Turn["itemStarted"] = (item, options) =>
    live.within("itemStarted", () =>
      Effect.gen(function* () {
        const at = yield* Facts.now
        yield* TurnLifecycle.running(live.state(), turnId)
        const { event } = yield* Item.started({ item, turnId, startedAtMs: options?.startedAtMs }, live.state(), at)
        if (started.has(item.id)) return
        started.add(item.id)
        const startedAtMs = event.started_at_ms ?? at.now
        const shown = SnapshotItem.toView(item, { startedAtMs, completedAtMs: null })
        yield* live.tell([{ type: "item/started", threadId, turnId, item: shown, startedAtMs }])
      })
    )

  const itemCompleted: Turn["itemCompleted"] = (item, options) =>
    record("itemCompleted", (state, at) => Item.completed({ turnId, ...options, item }, state, at), {
      deep: options?.turnId !== undefined
    })

  const ended = (state: State): Ended => ({ startsTurn: Mail.startsTurn(state) })

  return {
    id: turnId,
    threadId,
    steer: (words, options = {}) =>
      record("steer", (state, at) =>
        TurnLifecycle.steer(
          {
            content: Opening.contentOf(words),
            id: options.id ?? Drafts.freshId(at, "input"),
            clientId: options.clientId,
            message: options.message,
            expectedTurnId: turnId
          },
          state,
          at
        )
      ),
    inject: (items, options = {}) =>
      record("inject", (state, at) =>
        TurnLifecycle.inject(
          { items, id: options.id ?? Drafts.freshId(at, "input"), expectedTurnId: turnId },
          state,
          at
        )
      ),
    context: (options) =>
      run("context", (state, at) =>
        Either.map(Mail.drain(state, at), (drafts) => ({
          drafts,
          answer: (after: State) => Prompts.of(live.context(after).history, after, options)
        }))
      ),
    world: (world, options) =>
      run("world", (state, at) =>
        Either.gen(function* () {
          const running = yield* TurnLifecycle.running(state)
          const sections = yield* Opening.sectionsOf(world)
          const { registry } = live.options
          const told = yield* World.look(
            { sections, at: "step", nulls: options?.nulls },
            { context: live.glance(state), registry }
          )
          const items = told.items.length === 0 ? undefined : told.items
          return { drafts: World.drafts(told, running, at), answer: () => items }
        })
      ),
    record: (items, options) =>
      record("record", (state, at) => ModelItem.record({ items, rawReasoning: options?.rawReasoning }, state, at)),
    usage: (counts, options) =>
      record("usage", (state, at) => TokenCount.counted({ ...options, usage: filled(counts) }, state, at)),
    itemStarted,
    itemCompleted,
    announce: (what) =>
      Effect.suspend(() => {
        const notification = { ...what, threadId, turnId } as Notification
        if (what.type !== "model/safetyBuffering/updated") return tell("announce", [notification])
        const text = JSON.stringify(notification)
        if (text === toldSafety) return tell("announce", [])
        toldSafety = text
        return tell("announce", [notification])
      }),
    waitingFor: (flag, effect) =>
      Effect.acquireUseRelease(
        flagged(live, () => live.flags.add(flag)),
        () => effect,
        () => flagged(live, () => live.flags.delete(flag))
      ),
    window: (limits) => Effect.sync(() => statusOf(limits).status),
    dueBefore: ({ limits, ...facts }) =>
      Effect.sync(() => {
        const { history, status, tokenInfo } = statusOf(limits)
        return Compaction.beforeSampling({
          ...facts,
          previous: live.context().previousTurnSettings,
          previousWindow: facts.previousWindow,
          compHash: facts.compHash,
          window: facts.window,
          autoLimit: facts.autoLimit,
          status,
          scope: limits.scope,
          active: TokenStatus.active({ history, tokenInfo }, limits.reasoningLeftOut)
        })
      }),
    dueAfter: ({ continues, limits }) =>
      Effect.sync(() => {
        const { state, status } = statusOf(limits)
        const { newContextRequested } = state.window
        return Compaction.afterSampling({ continues, status, newContextRequested })
      }),
    compact: (variant, options) =>
      record("compact", (state, at) =>
        Drafts.sequence(live.folds.near, state, Compacting.steps(live, { ...options, variant }, at))
      ),
    note: (what) =>
      record("note", (_, at) =>
        Either.right([what === "new_window" ? TokenStatus.requested(at) : TokenStatus.delivered(what, at)])
      ),
    send: (mail) => Families.send(family, live, turnId, mail),
    interrupt: (to, options) => Families.stop(family, live, turnId, to, options?.callId),
    activity: (activity) => record("activity", (state, at) => Agents.activity(activity, state, at)),
    sleep: (duration, options) =>
      Effect.gen(function* () {
        const { fresh } = yield* Facts.now
        // What is no duration is none that can be slept.
        const durationMs = Option.match(Duration.decodeUnknown(duration), {
          onNone: () => Number.NaN,
          onSome: Duration.toMillis
        })
        const begun = yield* live.within("sleep", () =>
          Effect.flatMap(TurnLifecycle.running(live.state(), turnId), () =>
            Sleep.begin({ callId: options?.callId ?? fresh, durationMs }, live.state())
          )
        )
        const startedAtMs = yield* Clock.currentTimeMillis
        yield* itemStarted(begun.item, { startedAtMs })
        const isOver = (state: State) => Sleep.isWoken(state.mailbox) || state.turn.active?.id !== turnId
        const interrupted = yield* Effect.race(
          Effect.as(Waiting.until(live, isOver), true),
          Effect.as(Effect.sleep(durationMs), false)
        )
        const elapsedMs = (yield* Clock.currentTimeMillis) - startedAtMs
        yield* itemCompleted(begun.item, { startedAtMs })
        return { elapsedMs, interrupted, output: Sleep.output(elapsedMs, interrupted) }
      }),
    complete: (options = {}) =>
      Effect.gen(function* () {
        const { lastMessage, outcome } = yield* run("complete", (state, at) =>
          Either.map(TurnLifecycle.complete({ ...options, expectedTurnId: turnId }, state, at), (drafts) => ({
            drafts,
            answer: (after: State) => ({
              outcome: ended(after),
              lastMessage: options.lastMessage ?? state.turn.active?.lastMessage
            })
          }))
        )
        const { error } = options
        yield* Families.report(
          family,
          live,
          error === undefined ? { completed: lastMessage ?? null } : { errored: error.message }
        )
        return outcome
      }),
    abort: (reason = "interrupted") =>
      run("abort", (state, at) =>
        Either.map(
          TurnLifecycle.abort({ reason, marker: Lives.markerOf(state), expectedTurnId: turnId }, state, at),
          (drafts) => ({ drafts, answer: ended })
        )
      )
  }
}

/** Changes what a thread waits for, and tells it. */
const flagged = (live: Live, change: () => unknown): Effect.Effect<void> =>
  Effect.suspend(() => {
    change()
    const status = live.status()
    return status.type === "active"
      ? live.tell([{ type: "thread/status/changed", threadId: live.id, status }])
      : Effect.void
  })

/** Counts with nothing left out. */
const filled = (counts: Partial<TokenUsage>): TokenUsage => {
  const { input_tokens = 0, output_tokens = 0, total_tokens = input_tokens + output_tokens } = counts
  return {
    input_tokens,
    cached_input_tokens: counts.cached_input_tokens ?? 0,
    cache_write_input_tokens: counts.cache_write_input_tokens ?? 0,
    output_tokens,
    reasoning_output_tokens: counts.reasoning_output_tokens ?? 0,
    total_tokens
  }
}
