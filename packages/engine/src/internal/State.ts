/** What a live thread holds in memory: the state that decisions are made from, and little besides. One fold makes it. */
import * as Fold from "@skein/core/fold/Fold"
import type { ThreadState } from "@skein/core/fold/ThreadState"
import * as ThreadStates from "@skein/core/fold/ThreadState"
import type { ChangeSet } from "@skein/core/fold/view/ChangeSet"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import type { StoredRecord } from "@skein/core/record/Record"
import type { TurnContext } from "@skein/core/record/TurnContext"

/** The state of a live thread. */
export interface State extends ThreadState {
  /** The newest recorded settings, of whatever turn: what the next turn runs with unless it says otherwise. */
  readonly settings: TurnContext | undefined
  /** Whether the newest turn that ended has failed. */
  readonly failed: boolean
}

/** A state and what the last record changed of what is shown. */
export interface Step {
  readonly state: State
  readonly changes: ChangeSet
}

const settings = Fold.make<TurnContext | undefined>(undefined, (before, record) =>
  record.kind === "turn_context" ? record.payload : before
)

const failed = Fold.make(false, (before, record) => {
  if (record.kind !== "event_msg") return before
  const { payload } = record
  switch (payload.type) {
    case "task_started":
      return false
    case "task_complete":
      return (payload.error ?? undefined) !== undefined
    default:
      return before
  }
})

/** The folds behind a live thread. */
export interface Folds {
  readonly initial: State
  /** One more record. Cost: constant, as its folds say. */
  readonly step: (state: State, record: StoredRecord) => Step
  /** The same for many records of which only the last state is asked for, and no changes: a third of the cost. */
  readonly fold: Fold.Fold<State>
  /**
   * The same for steps of one append (`Drafts.sequence`): of what a later step looks at, turn, mailbox, selection, window
   * and usage. History, view and index stay those in front of all of them.
   */
  readonly near: Fold.Fold<State>
}

/**
 * The folds of threads that are read in this way. A live thread is asked for its history at every step, so its items stay
 * parsed; what is read once and whole keeps lines (`ReplayLog`).
 */
export const folds = (options: ThreadStates.Options = {}): Folds => {
  const parsedBytes = options.keep === "all" ? undefined : Number.POSITIVE_INFINITY
  const parts = ThreadStates.folds({ parsedBytes, ...options })
  const { view: _, ...others } = parts
  const all = Fold.struct<Omit<State, "view">>({ ...others, settings, failed })
  const { mailbox, selection, turn, usage, window } = parts
  const near = Fold.struct<Pick<State, "turn" | "mailbox" | "selection" | "window" | "usage">>({
    turn,
    mailbox,
    selection,
    window,
    usage
  })
  const initial: State = { ...all.initial, view: ThreadView.initial }
  const step = (state: State, record: StoredRecord): Step => {
    const { changes, view } = ThreadView.step(state.view, record, options.view)
    return { state: { ...all.step(state, record), view }, changes }
  }
  const begin = (from: State): Fold.Cursor<State> => {
    const others = Fold.cursor(all, from)
    const shown = ThreadView.cursor(options.view, from.view)
    return {
      add: (record) => {
        others.add(record)
        shown.add(record)
      },
      state: () => ({ ...others.state(), view: shown.state() })
    }
  }
  return {
    initial,
    step,
    fold: Fold.make(initial, (state, record) => step(state, record).state, begin),
    near: Fold.make(initial, (state, record) => ({ ...state, ...near.step(state, record) }))
  }
}
