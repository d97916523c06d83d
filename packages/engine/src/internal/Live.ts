/**
 * The one path of a live thread: decide, append durably, fold what was appended, tell it, answer (design §1.3).
 *
 * Commands of a thread are done one after the other. Memory changes by folding records that the store gave back, and by
 * nothing else; a command that fails leaves it as it was. When another program wrote to the log, or it is not known what
 * became of an append, the log is read on before anything else is decided.
 */
import type { DecisionError } from "@skein/core/decide/DecisionError"
import type { Decision, Draft } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import * as Mail from "@skein/core/decide/Mail"
import * as Repair from "@skein/core/decide/Repair"
import * as TurnLifecycle from "@skein/core/decide/TurnLifecycle"
import * as Checkpoint from "@skein/core/fold/Checkpoint"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as Record from "@skein/core/record/Record"
import type { ReadError } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Either } from "effect"
import { type CommandError, ThreadClosed } from "../EngineError.js"
import type { Flag, Notification, Status } from "../Notification.js"
import type { Options } from "../Options.js"
import type { TurnSettings } from "../Turn.js"
import type { Facts } from "./Facts.js"
import * as Moments from "./Facts.js"
import type { Hub } from "./Hub.js"
import * as Lines from "./Line.js"
import type { Memory } from "./Memory.js"
import * as Memories from "./Memory.js"
import type { Meter } from "./Meter.js"
import * as Meters from "./Meter.js"
import type { Plan } from "./Plan.js"
import * as Plans from "./Plan.js"
import type { Folds, State } from "./State.js"
import * as States from "./State.js"
import type { Right } from "./Writer.js"
import * as Writers from "./Writer.js"

/** What decides a command. */
export type Decide<A> = (state: State, facts: Facts) => Decision<Plan<A>>

/** How a command is run. */
export interface RunOptions {
  /** Whether it is decided anew when another program wrote meanwhile, for it hangs on nothing that the host saw. */
  readonly retry?: boolean | undefined
  /** Whether it may ask for turns of any age: what the open window does not hold is then read. */
  readonly deep?: boolean | undefined
}

/** A live thread as the handles of hosts use it. */
export interface Live extends Pick<Memory, "state" | "context" | "glance" | "epoch" | "watch"> {
  readonly id: string
  readonly options: Options
  readonly folds: Folds
  readonly store: ThreadStoreService
  /** Runs a command: decides it, and writes what it comes to. */
  readonly run: <A>(operation: string, decide: Decide<A>, options?: RunOptions) => Effect.Effect<A, CommandError>
  /** Runs an effect between two commands of an open thread. */
  readonly within: <A, E>(
    operation: string,
    effect: (memory: Memory) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | CommandError>
  /** What the next append begins with. */
  readonly pending: Effect.Effect<Repair.Repair, CommandError>
  readonly tell: (notifications: ReadonlyArray<Notification>) => Effect.Effect<void>
  readonly status: () => Status
  /** Whether a turn runs, and not just in the log. */
  readonly isActive: () => boolean
  /** What the active thread waits for. */
  readonly flags: Set<Flag>
  readonly isClosed: () => boolean
  /** Settings that the thread was opened with. */
  readonly given: TurnSettings
  /** Whether a turn has started since; then its settings go before those. */
  readonly isSpent: () => boolean
  readonly spend: () => void
  /** Closes it: the turn that runs is ended as interrupted. Later commands fail. Never fails. */
  readonly close: Effect.Effect<void>
}

/** What a live thread is made of. */
export interface Parts {
  readonly id: string
  readonly store: ThreadStoreService
  readonly options: Options
  readonly hub: Hub
  readonly right: Right
  readonly meter: Meter
  readonly settings: TurnSettings | undefined
}

/** How often a command that hangs on nothing is decided anew. */
const tries = 5

/** Loads a thread and makes it live. */
export const make = ({ hub, id, meter, options, right, settings, store }: Parts): Effect.Effect<Live, ReadError> =>
  Effect.gen(function* () {
    const folds = States.folds(options)
    const { alone } = Lines.make()
    const flags = new Set<Flag>()
    /** A turn that runs in the log and in no process any more. */
    let leftover: string | undefined
    let closed = false
    let spent = false

    const observed = <A, E, R>(operation: string, effect: Effect.Effect<A, E, R>) =>
      Meters.observed(`LiveThread.${operation}`, id, effect)
    /** Runs something between two commands of an open thread, whose memory is then what the log says. */
    const open = <A, E>(
      operation: string,
      use: () => Effect.Effect<A, E | CommandError>
    ): Effect.Effect<A, E | CommandError> =>
      observed(
        operation,
        alone(
          Effect.suspend(() => {
            const before = ready(operation)
            return before === undefined ? use() : Effect.zipRight(before, Effect.suspend(use))
          })
        )
      )
    const isActive = ({ turn: { active } }: State): boolean => active !== undefined && active.id !== leftover
    const statusOf = (of: State): Status =>
      isActive(of) ? { type: "active", activeFlags: [...flags] } : { type: of.failed ? "systemError" : "idle" }
    const memory = yield* Memories.make({
      id,
      store,
      options,
      folds,
      frame: { threadId: id, options, status: statusOf },
      tell: hub.publish
    })
    leftover = memory.state().turn.active?.id
    const { isFirst, write } = Writers.make({
      id,
      store,
      options,
      memory,
      right,
      meter,
      tell: hub.publish,
      behind: (state) => {
        if (state.turn.active === undefined) flags.clear()
      }
    })

    /** What has to be repaired. A turn that another program began meanwhile is that program's. */
    const repairOf = (of: State, at: Facts): Decision<Repair.Repair> =>
      Repair.decide(
        {
          turn: isActive(of) ? { ...of.turn, active: undefined } : of.turn,
          mailbox: of.mailbox,
          window: of.window,
          context: ModelContext.readState(of.context, options)
        },
        { ...at, windowId: at.oldWindowId },
        markerOf(of)
      )

    /** What comes first in the next append, and the state behind it. */
    const headOf = (of: State, at: Facts): { readonly drafts: ReadonlyArray<Draft>; readonly state: State } => {
      const head: Array<Draft> = []
      let next = of
      const repair = isFirst() ? repairOf(of, at) : undefined
      if (repair !== undefined && Either.isRight(repair)) {
        for (const draft of repair.right.drafts) {
          next = folds.step(next, Record.reread(draft)).state
          head.push(draft)
        }
      }
      const checkpoint = memory.lookedFar() ? Checkpoint.of(next) : undefined
      if (checkpoint !== undefined) head.push(Drafts.own(at, Checkpoint.kind, checkpoint))
      return { drafts: head, state: next }
    }

    /** What has to be done before a command; undefined where that is nothing, as a rule. */
    const ready = (operation: string): Effect.Effect<void, CommandError> | undefined => {
      if (closed) return Effect.fail(new ThreadClosed({ threadId: id, operation }))
      if (memory.isDoubtful()) return Effect.zipRight(memory.catchUp("unacknowledged"), memory.settle)
      return memory.isSettled() ? undefined : memory.settle
    }

    const once = <A>(operation: string, decide: Decide<A>, deep: boolean): Effect.Effect<A, CommandError> =>
      Effect.suspend(() => {
        const written = Effect.flatMap(Moments.now, (at): Effect.Effect<A, CommandError> => {
          const head = headOf(memory.state(), at)
          const plan = decide(head.state, at)
          if (Either.isRight(plan)) return write(plan.right, head.drafts, at)
          if (!deep || !wantsMore(plan.left, memory.isWhole())) return Effect.fail(plan.left)
          return Effect.flatMap(memory.whole, (whole) =>
            Effect.flatMap(decide(headOf(whole, at).state, at), (found) => write(found, head.drafts, at))
          )
        })
        const before = ready(operation)
        return before === undefined ? written : Effect.zipRight(before, written)
      })

    /** Memory is what the log says also behind a command that failed. */
    const afterFailure = (error: CommandError): Effect.Effect<never, CommandError> => {
      if (!memory.isDoubtful()) return Effect.fail(error)
      const reason = error._tag === "AppendConflict" ? error.reason : "unacknowledged"
      return Effect.zipRight(Effect.ignore(memory.catchUp(reason)), Effect.fail(error))
    }

    /** Runs a command that has its turn. */
    const attempts = <A>(
      operation: string,
      decide: Decide<A>,
      { deep = false, retry = false }: RunOptions,
      left = tries
    ): Effect.Effect<A, CommandError> =>
      Effect.catchAll(once(operation, decide, deep), (failed) =>
        Effect.catchAll(afterFailure(failed), (error) =>
          retry && left > 1 && error._tag === "AppendConflict"
            ? attempts(operation, decide, { deep, retry }, left - 1)
            : Effect.fail(error)
        )
      )

    /** Ends the turn that runs; one of a process that is gone is left for the next one to repair. */
    const abandon = Effect.suspend(() =>
      !isActive(memory.state())
        ? Effect.void
        : attempts(
            "close",
            (state, at) =>
              !isActive(state)
                ? Either.right(Plans.drafts([]))
                : Either.map(
                    TurnLifecycle.abort({ reason: "interrupted", marker: markerOf(state) }, state, at),
                    Plans.drafts
                  ),
            { retry: true }
          )
    )

    return {
      id,
      options,
      folds,
      store,
      state: memory.state,
      context: memory.context,
      glance: memory.glance,
      epoch: memory.epoch,
      watch: memory.watch,
      run: (operation, decide, runOptions = {}) => observed(operation, alone(attempts(operation, decide, runOptions))),
      within: (operation, effect) => open(operation, () => effect(memory)),
      pending: open("pending", () =>
        Effect.flatMap(Moments.now, (at) => {
          const state = memory.state()
          if (isFirst() && !isActive(state)) return repairOf(state, at)
          const mail = state.mailbox.mail.length
          return Effect.succeed({ drafts: [], turnId: undefined, mail, startsTurn: Mail.startsTurn(state) })
        })
      ),
      tell: hub.publish,
      status: () => statusOf(memory.state()),
      isActive: () => isActive(memory.state()),
      flags,
      isClosed: () => closed,
      given: settings ?? {},
      isSpent: () => spent,
      spend: () => {
        spent = true
      },
      close: alone(
        Effect.suspend(() => {
          if (closed) return Effect.void
          return abandon.pipe(
            Effect.exit,
            Effect.zipRight(
              Effect.sync(() => {
                closed = true
              })
            ),
            Effect.zipRight(memory.wake),
            Effect.zipRight(meter.closed(memory.position().offset)),
            Effect.zipRight(hub.publish([{ type: "thread/closed", threadId: id }]))
          )
        })
      ).pipe(Effect.uninterruptible)
    }
  })

/** As whom the model is told that its turn was stopped (replay-semantics §5.1). */
export const markerOf = ({ turn }: State): "developer" | "user" =>
  turn.active?.context?.multi_agent_version === "v2" ? "developer" : "user"

/** Whether a decision may come to something else when it sees the whole thread. */
const wantsMore = (error: DecisionError, isWhole: boolean): boolean =>
  (error._tag === "Conflict" && error.reason === "not-loaded") ||
  (!isWhole && (error._tag === "NotFound" || (error._tag === "InvalidRequest" && error.reason === "out-of-range")))
