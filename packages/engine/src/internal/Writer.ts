/**
 * From a plan to the log, and from what was stored into memory: the second half of the one path of a live thread.
 *
 * An append that has begun comes to its end, whoever is interrupted meanwhile. When it is not known what became of it,
 * memory is told to doubt, and reads the log on before anything else is decided.
 */
import type { Draft } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import type { Position } from "@skein/store/Position"
import type { AppendError, ReadError } from "@skein/store/StoreError"
import { CorruptThread } from "@skein/store/StoreError"
import type { Appended, Lease, ThreadStoreService } from "@skein/store/ThreadStore"
import { Cause, Effect, Either, Option } from "effect"
import type { CommandError } from "../EngineError.js"
import type { Notification } from "../Notification.js"
import type { Options } from "../Options.js"
import * as Redaction from "../Redaction.js"
import type { Facts } from "./Facts.js"
import * as Loading from "./Loading.js"
import type { Memory } from "./Memory.js"
import type { Meter } from "./Meter.js"
import type { Plan } from "./Plan.js"
import type { State } from "./State.js"

/** The right to append. */
export interface Right {
  readonly lease: () => Lease
  /** Takes it again: it ran out, and nobody else has it. */
  readonly retake: Effect.Effect<void, AppendError>
}

/** Writes the plans of a thread, one after the other. */
export interface Writer {
  /** Whether nothing was written yet: what is written first begins with what has to be repaired. */
  readonly isFirst: () => boolean
  /** Writes a plan behind what goes in front of it, folds what was stored, and answers. One append at most. */
  readonly write: <A>(plan: Plan<A>, head: ReadonlyArray<Draft>, at: Facts) => Effect.Effect<A, CommandError>
}

/** What it writes with. */
export interface Parts {
  readonly id: string
  readonly store: ThreadStoreService
  readonly options: Options
  readonly memory: Memory
  readonly right: Right
  readonly meter: Meter
  readonly tell: (notifications: ReadonlyArray<Notification>) => Effect.Effect<void>
  /** Run behind each append, with the state behind it. */
  readonly behind: (state: State) => void
}

/** A writer that has written nothing. */
export const make = ({ behind, id, memory, meter, options, right, store, tell }: Parts): Writer => {
  let first = true

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
        const error = Option.getOrUndefined(Cause.failureOption(cause))
        if (error?._tag !== "LeaseHeld" || error.holder.fence !== fence) return doubted(cause)
        return right.retake.pipe(
          Effect.zipRight(Effect.suspend(() => write(right.lease().fence))),
          Effect.matchCauseEffect({ onSuccess: then, onFailure: doubted })
        )
      }
    })
  }

  const write: Writer["write"] = <A>(plan: Plan<A>, head: ReadonlyArray<Draft>, at: Facts) => {
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
        first &&= records.length === 0
        const taken = memory.take(records, position)
        const measured = meter.isSampled ? Effect.zipRight(taken, meter.appended(drafts, records)) : taken
        return Effect.map(measured, () => {
          const state = memory.state()
          behind(state)
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
          first = false
          return memory.reload.pipe(
            Effect.zipRight(tell([{ type: "turns/removed", threadId: id, turnIds }])),
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

  return { isFirst: () => first, write }
}
