/**
 * What a resumed thread has to add before anything else: reading it writes nothing, so this is the head of its first
 * append (replay-semantics §9, §11.6, §11.8, §11.9).
 *
 * It is told from the folded log alone. Once it is appended there is nothing left to repair, and when the log grew in the
 * meantime it is told anew.
 */
import * as Either from "effect/Either"
import type { ActiveTurn } from "../fold/ActiveTurn.js"
import type { Mailbox } from "../fold/Mailbox.js"
import type { State as ContextState } from "../fold/ModelContext.js"
import type { WindowState } from "../fold/WindowState.js"
import * as WindowStates from "../fold/WindowState.js"
import * as Mark from "../record/Mark.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as Item from "./Item.js"
import * as Mail from "./Mail.js"
import * as TurnLifecycle from "./TurnLifecycle.js"

/** What it looks at. */
export interface State {
  readonly turn: ActiveTurn
  readonly mailbox: Mailbox
  readonly window: WindowState
  readonly context: Pick<ContextState, "window" | "complete">
}

/** A moment, and an id that was never there before. */
export interface RepairFacts extends Facts {
  /** The id of the open window, where the log has none; a new UUIDv7. */
  readonly windowId: string
}

/** What a resumed thread has to add, and what it has to do then. */
export interface Repair {
  /**
   * The end of the turn that its process did not live to see, with what still waited to be told in it; and the identity
   * of a window that has none, so that it keeps one. None for a thread that was closed in peace.
   */
  readonly drafts: ReadonlyArray<Draft>
  /** The turn that ends by it. */
  readonly turnId: string | undefined
  /** How much mail waits: the next turn tells it. */
  readonly mail: number
  /** Whether that next turn is to be started by the mail itself. */
  readonly startsTurn: boolean
}

/** The mark on an abort that nobody asked for: the process was gone. */
export const mark = Mark.extras("repair")

/**
 * What a resumed thread has to add. Law: with it appended, nothing is left to add.
 *
 * @param marker As whom the model is told of the interruption ({@link TurnLifecycle.Abort}).
 *
 * Errors: `Conflict` without a header.
 */
export const decide = (state: State, facts: RepairFacts, marker?: TurnLifecycle.Abort["marker"]): Decision<Repair> => {
  const { active, thread } = state.turn
  if (thread === undefined) return Item.noHeader
  const ended =
    active === undefined ? Either.right([]) : TurnLifecycle.abort({ reason: "interrupted", marker, mark }, state, facts)
  return Either.map(ended, (drafts) => ({
    drafts: [...drafts, ...identified(state, facts)],
    turnId: active?.id,
    mail: state.mailbox.mail.length,
    startsTurn: Mail.startsTurn({ ...state, turn: { ...state.turn, active: undefined } })
  }))
}

/** The identity of a window that the log does not name: a random one at each resume would be another each time. */
const identified = ({ context, window }: State, facts: RepairFacts): ReadonlyArray<Draft> => {
  const { complete, window: lineage } = context
  if (!complete.window || WindowStates.named(window, lineage).id !== undefined) return []
  const note: WindowStates.Note = { note: "identity", number: lineage.number, id: facts.windowId }
  return [Drafts.own(facts, WindowStates.kind, note)]
}
