/**
 * The state of a live thread in memory, and how it is kept what the log says: by folding what was stored, and by reading
 * the log again where that is not enough.
 *
 * Nothing here is safe by itself against two callers at once: commands come one after the other.
 */
import * as ModelContext from "@skein/core/fold/ModelContext"
import type { ReplayLog } from "@skein/core/fold/ReplayLog"
import type { StoredRecord } from "@skein/core/record/Record"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import type { ReadError } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import type { Notification, ThreadNotification } from "../Notification.js"
import type { Options } from "../Options.js"
import type { Loaded } from "./Loading.js"
import * as Loading from "./Loading.js"
import * as Notices from "./Notices.js"
import type { Folds, State } from "./State.js"

/** Why a log was read again. */
export type Reason = Extract<ThreadNotification, { readonly type: "thread/reloaded" }>["reason"]

/** The memory of a live thread. */
export interface Memory {
  readonly state: () => State
  readonly position: () => Position
  /** Whether turns, index and view are those of the whole thread. */
  readonly isWhole: () => boolean
  /** Whether what can be of any age was looked for far back, so that it is worth writing down. */
  readonly lookedFar: () => boolean
  readonly context: (of?: State) => ModelContext.ModelContext
  /** The same with a history that is built when it is asked for. Cost: one look at the records of the open window. */
  readonly glance: (of: State) => ModelContext.ModelContext
  /** Grows when history, world or view are not what they were with something added. */
  readonly epoch: () => number
  /** Folds records that stand in front of a position now, and tells them. Not to be interrupted. */
  readonly take: (records: ReadonlyArray<StoredRecord>, end: Position) => Effect.Effect<void, ReadError>
  /** It is open what became of an append. */
  readonly doubt: () => void
  readonly isDoubtful: () => boolean
  /** Reads on what is new, or everything when the log goes on elsewhere. */
  readonly catchUp: (reason: Reason) => Effect.Effect<void, ReadError>
  /** Forgets everything and loads the thread anew. */
  readonly reload: Effect.Effect<void, ReadError>
  /** Whether it is known what waits, so that {@link settle} has nothing to do. */
  readonly isSettled: () => boolean
  /** Finds out what waits, however old it is. Cost: nothing as a rule; else a look at each line, once. */
  readonly settle: Effect.Effect<void, ReadError>
  /**
   * Completes turns, index and view. Gives the state of the whole thread, whose context reaches back to its start as
   * well; that is not kept. Cost: the thread.
   */
  readonly whole: Effect.Effect<State, ReadError>
  /** Runs `changed` behind every change, until it is taken back. */
  readonly watch: (changed: () => void) => () => void
  /** Runs what watches, though nothing changed. */
  readonly wake: Effect.Effect<void>
}

/** What it is made of. */
export interface Parts {
  readonly id: string
  readonly store: ThreadStoreService
  readonly options: Options
  readonly folds: Folds
  readonly frame: Notices.Frame
  readonly tell: (notifications: ReadonlyArray<Notification>) => Effect.Effect<void>
}

/** How often a log that others write to is read again before it is left at that. */
const tries = 5

/** Loads a thread. Cost: its open context window. */
export const make = ({ folds, frame, id, options, store, tell }: Parts): Effect.Effect<Memory, ReadError> =>
  Effect.gen(function* () {
    const load = (depth: Loading.Depth): Effect.Effect<Loaded, ReadError> =>
      Effect.scoped(Effect.flatMap(store.open(id), (log) => Loading.load(log, options, depth)))

    let { position, settled, state, whole } = yield* load("window")
    let doubtful = false
    let stale = false
    let lookedFar = false
    let epoch = 0
    let answered: { readonly log: ReplayLog; readonly context: ModelContext.ModelContext } | undefined
    const watchers = new Set<() => void>()

    const changed = Effect.sync(() => {
      for (const watcher of watchers) watcher()
    })

    const reload = Effect.suspend(() => {
      stale = true
      return Effect.flatMap(load("window"), (loaded) => {
        ;({ position, settled, state, whole } = loaded)
        stale = false
        doubtful = false
        epoch++
        return changed
      })
    })

    const take: Memory["take"] = (records, end) =>
      Effect.suspend(() => {
        const told: Array<Notification> = []
        let rolledBack = false
        for (const record of records) {
          const before = state
          const step = folds.step(before, record)
          state = step.state
          if (isTurning(record)) epoch++
          rolledBack ||= isRollback(record)
          for (const notice of Notices.of(record, before, step, frame)) told.push(notice)
        }
        position = end
        return Effect.flatMap(tell(told), () => {
          for (const watcher of watchers) watcher()
          // A rollback can reach behind what is kept; then the log is asked again.
          return rolledBack && !isCertain() ? reload : Effect.void
        })
      })

    /** Whether everything that the model is told follows from what is kept. */
    const isCertain = (): boolean => {
      const { complete } = ModelContext.readState(state.context, options)
      const { history, previousTurnSettings, referenceContext, window, worldState } = complete
      return history && previousTurnSettings && referenceContext && window && worldState
    }

    const catchUp: Memory["catchUp"] = (reason) =>
      Effect.gen(function* () {
        const found = yield* Effect.scoped(
          Effect.gen(function* () {
            const log = yield* store.open(id)
            const rest = stale ? undefined : EffectiveLog.after(log, position)
            const end = EffectiveLog.end(log)
            if (rest === undefined || end.segmentId !== position.segmentId) return undefined
            return { end, records: yield* Loading.records(rest) }
          })
        )
        if (found === undefined) {
          yield* reload
          return yield* tell([{ type: "thread/reloaded", threadId: id, reason, records: undefined }])
        }
        const { end, records } = found
        doubtful = false
        yield* Effect.uninterruptible(take(records, end))
        if (records.length > 0) {
          yield* tell([{ type: "thread/reloaded", threadId: id, reason, records: records.length }])
        }
      })

    /** What a reading of the log comes to that was appended to by nobody else meanwhile. */
    const current = (depth: Loading.Depth): Effect.Effect<Loaded, ReadError> =>
      Effect.gen(function* () {
        let loaded = yield* load(depth)
        for (let left = tries; !Positions.equals(loaded.position, position) && left > 0; left--) {
          yield* catchUp("grown")
          loaded = yield* load(depth)
        }
        return loaded
      })

    const context: Memory["context"] = (of = state) => {
      if (answered?.log === of.context) return answered.context
      const found = ModelContext.read(of.context, options)
      if (of.context === state.context) answered = { log: of.context, context: found }
      return found
    }

    return {
      state: () => state,
      position: () => position,
      isWhole: () => whole,
      lookedFar: () => lookedFar,
      context,
      glance: (of) =>
        answered?.log === of.context
          ? answered.context
          : (Object.defineProperty(ModelContext.readState(of.context, options), "history", {
              get: () => context(of).history
            }) as ModelContext.ModelContext),
      epoch: () => epoch,
      take: (records, end) => {
        if (records.length > 0) lookedFar = false
        return take(records, end)
      },
      doubt: () => {
        doubtful = true
      },
      isDoubtful: () => doubtful || stale,
      catchUp,
      reload,
      isSettled: () => settled,
      settle: Effect.suspend(() =>
        settled
          ? Effect.void
          : Effect.map(current("settled"), (loaded) => {
              state = { ...loaded.state, index: state.index, view: state.view }
              settled = true
              lookedFar = true
            })
      ),
      whole: Effect.map(
        Effect.suspend(() => current("whole")),
        (loaded) => {
          if (!whole) {
            state = { ...state, index: loaded.state.index, view: loaded.state.view }
            whole = true
            epoch++
          }
          return loaded.state
        }
      ),
      watch: (watcher) => {
        watchers.add(watcher)
        return () => watchers.delete(watcher)
      },
      wake: changed
    }
  })

const isRollback = (record: StoredRecord): boolean =>
  record.kind === "event_msg" && record.payload.type === "thread_rolled_back"

/** Whether a record replaces what was there instead of adding to it. */
const isTurning = (record: StoredRecord): boolean => record.kind === "compacted" || isRollback(record)
