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
import type { Position } from "@skein/store/Position"
import type { AppendError, ReadError } from "@skein/store/StoreError"
import { CorruptThread } from "@skein/store/StoreError"
import type { Appended, Lease, ThreadStoreService } from "@skein/store/ThreadStore"
import { type Cause, Effect, Either } from "effect"
import { type CommandError, ThreadClosed } from "../EngineError.js"
import type { Flag, Notification, Status } from "../Notification.js"
import type { Options } from "../Options.js"
import * as Redaction from "../Redaction.js"
import type { TurnSettings } from "../Turn.js"
import type { Facts } from "./Facts.js"
import * as Moments from "./Facts.js"
import type { Hub } from "./Hub.js"
import * as Lines from "./Line.js"
import * as Loading from "./Loading.js"
import type { Memory } from "./Memory.js"
import * as Memories from "./Memory.js"
import type { Meter } from "./Meter.js"
import * as Meters from "./Meter.js"
import type { Plan } from "./Plan.js"
import * as Plans from "./Plan.js"
import type { Folds, State } from "./State.js"
import * as States from "./State.js"

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

/** The right to append. */
export interface Right {
  readonly lease: () => Lease
  /** Takes it again: it ran out, and nobody else has it. */
  readonly retake: Effect.Effect<void, AppendError>
}

/** How often a command that hangs on nothing is decided anew. */
const tries = 5

/** Loads a thread and makes it live. */
export const make = ({ hub, id, meter, options, right, settings, store }: Parts): Effect.Effect<Live, ReadError> =>
  Effect.gen(function* () {
    const folds = States.folds(options)
    const { alone } = Lines.make()
    const flags = new Set<Flag>()
    /** Whether nothing was appended yet: the next append begins with what has to be repaired. */
    let repairing = true
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
      const repair = repairing ? repairOf(of, at) : undefined
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

    /**
     * An append or a revert, and what follows from it; of both every step counts, for this is what a command costs. A
     * right that ran out while this process could not prolong it is taken again: nobody wrote meanwhile if the log ends
     * where it is expected to.
     */
    const attempt = <A>(
      write: (fence: number) => Effect.Effect<Appended, AppendError>,
      then: (appended: Appended) => Effect.Effect<A, CommandError>
    ): Effect.Effect<A, CommandError> => {
      const doubted = (cause: Cause.Cause<AppendError>): Effect.Effect<never, AppendError> => {
        memory.doubt()
        return Effect.failCause(cause)
      }
      const { fence } = right.lease()
      return Effect.matchCauseEffect(write(fence), {
        onSuccess: then,
        onFailure: (cause) => {
          const isOver = cause._tag === "Fail" && cause.error._tag === "LeaseHeld" && cause.error.holder.fence === fence
          if (!isOver) return doubted(cause)
          return right.retake.pipe(
            Effect.zipRight(Effect.suspend(() => write(right.lease().fence))),
            Effect.matchCauseEffect({ onSuccess: then, onFailure: doubted })
          )
        }
      })
    }

    const write = <A>(plan: Plan<A>, head: ReadonlyArray<Draft>, at: Facts): Effect.Effect<A, CommandError> => {
      const { answer, revertTo } = plan
      if (revertTo !== undefined) return revert(plan, revertTo, at)
      if (plan.drafts.length === 0) return Effect.sync(() => answer(memory.state()))
      const redacted = Redaction.apply(options.redact, head.length === 0 ? plan.drafts : [...head, ...plan.drafts])
      if (Either.isLeft(redacted)) return Effect.fail(redacted.left)
      const drafts = redacted.right
      const expected = memory.position()
      const append = attempt(
        (fence) => store.append(id, drafts, { expected, fence }),
        ({ position, records }) => {
          repairing &&= records.length === 0
          const taken = memory.take(records, position)
          const measured = meter.isSampled ? Effect.zipRight(taken, meter.appended(drafts, records)) : taken
          return Effect.map(measured, () => {
            const state = memory.state()
            if (state.turn.active === undefined) flags.clear()
            return answer(state)
          })
        }
      )
      return Effect.uninterruptible(append)
    }

    const revert = <A>(
      { answer, drafts }: Plan<A>,
      { turnId, turnIds }: NonNullable<Plan<A>["revertTo"]>,
      at: Facts
    ): Effect.Effect<A, CommandError> =>
      Effect.gen(function* () {
        const expected = memory.position()
        const records = yield* Redaction.apply(options.redact, drafts)
        const to = yield* startOf(turnId)
        const timestamp = Drafts.timestamp(at.now)
        const done = attempt(
          (fence) => store.revert(id, { to, timestamp, records, expected, fence }),
          () => {
            repairing = false
            return memory.reload.pipe(
              Effect.zipRight(hub.publish([{ type: "turns/removed", threadId: id, turnIds }])),
              Effect.map(() => answer(memory.state()))
            )
          }
        )
        return yield* Effect.uninterruptible(done)
      })

    const startOf = (turnId: string): Effect.Effect<Position, ReadError> =>
      Effect.gen(function* () {
        const found = yield* Effect.scoped(Effect.flatMap(store.open(id), (log) => Loading.startOf(log, turnId)))
        if (found !== undefined) return found
        const reason = `the start of turn ${turnId} is not where it was`
        return yield* Effect.fail(new CorruptThread({ threadId: id, position: undefined, reason }))
      })

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
          if (repairing && !isActive(state)) return repairOf(state, at)
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
