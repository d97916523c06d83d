/**
 * The state behind every view: turns, and what the next record needs to know to find its place (thread-view §1.10).
 *
 * Both projections work on it, so a file may change from one form to the other. Old states stay valid, and putting a
 * turn or an item behind many others costs what it costs behind few.
 */
import * as KeyedList from "../../internal/KeyedList.js"
import type { HistoryMode } from "../../record/SessionMeta.js"
import type { Sink } from "./ChangeSet.js"
import type { ThreadItem } from "./ThreadItem.js"
import type { Turn, TurnFacts } from "./Turn.js"

/** A turn with what only the projections know of it. */
export interface TurnState extends TurnFacts {
  readonly items: KeyedList.KeyedList<ThreadItem>
  /** Whether a record started it; the others were opened by something that happened outside of a turn. */
  readonly isExplicit: boolean
  /** Whether a compaction happened in it. */
  readonly hasCompaction: boolean
  /** Whether it holds canonical items of kinds that legacy events repeat; such events then are not told twice. */
  readonly isSnapshot: boolean
  /** Whether it counts only once something happens in it: a start without ordinal in a paginated log. */
  readonly isTentative: boolean
}

/** The state of a view. */
export interface ViewState {
  /** How the thread is kept, as its first `session_meta` says. */
  readonly mode: HistoryMode | undefined
  /** Whether a `session_meta` was met, so that the mode is not just inferred. */
  readonly isHeaded: boolean
  /** Whether a paginated log holds turns that another program wrote in legacy form. */
  readonly isMixed: boolean
  /** Records with a lower ordinal count for nothing. */
  readonly from: number
  readonly turns: KeyedList.KeyedList<TurnState>
  /** Index of the turn that takes what names no turn, or -1. */
  readonly openAt: number
  /** Turns of which there are items but no turn record yet (thread-view §1.8). */
  readonly waiting: KeyedList.KeyedList<TurnState>
  /** The number in the next synthesised item id. */
  readonly nextItem: number
  /** How many records a legacy reader has met. */
  readonly nextRecord: number
  /** How many items the turns hold. */
  readonly itemCount: number
}

/** The state before any record. */
export const initial: ViewState = {
  mode: undefined,
  isHeaded: false,
  isMixed: false,
  from: 0,
  turns: KeyedList.empty,
  openAt: -1,
  waiting: KeyedList.empty,
  nextItem: 1,
  nextRecord: 0,
  itemCount: 0
}

// What is made for nearly every line is spelt out below: copying keys costs more.

/** The state behind so many records. */
export const counted = (state: ViewState, nextRecord: number): ViewState => ({
  mode: state.mode,
  isHeaded: state.isHeaded,
  isMixed: state.isMixed,
  from: state.from,
  turns: state.turns,
  openAt: state.openAt,
  waiting: state.waiting,
  nextItem: state.nextItem,
  nextRecord,
  itemCount: state.itemCount
})

/** The state with other turns, and what changes with them. */
const withTurns = (
  state: ViewState,
  turns: ViewState["turns"],
  openAt: number,
  nextItem: number,
  itemCount: number
): ViewState => ({
  mode: state.mode,
  isHeaded: state.isHeaded,
  isMixed: state.isMixed,
  from: state.from,
  turns,
  openAt,
  waiting: state.waiting,
  nextItem,
  nextRecord: state.nextRecord,
  itemCount
})

/** The turn with other items. */
const withItems = (turn: TurnState, items: TurnState["items"], isSnapshot: boolean): TurnState => ({
  id: turn.id,
  rootTurnId: turn.rootTurnId,
  status: turn.status,
  error: turn.error,
  startedAt: turn.startedAt,
  completedAt: turn.completedAt,
  durationMs: turn.durationMs,
  items,
  isExplicit: turn.isExplicit,
  hasCompaction: turn.hasCompaction,
  isSnapshot,
  isTentative: turn.isTentative
})

/** A turn in which nothing has happened. */
export const newTurn = (id: string, facts: Partial<TurnState> = {}): TurnState => ({
  id,
  rootTurnId: null,
  status: "completed",
  error: null,
  startedAt: null,
  completedAt: null,
  durationMs: null,
  items: KeyedList.empty,
  isExplicit: false,
  hasCompaction: false,
  isSnapshot: false,
  isTentative: false,
  ...facts
})

/** The open turn, if there is one. */
export const openTurn = (state: ViewState): TurnState | undefined => KeyedList.get(state.turns, state.openAt)

const isHidden = (turn: TurnState): boolean => turn.isTentative && KeyedList.length(turn.items) === 0

/** The state without an open turn. A turn that nobody started and in which nothing happened goes (R2). */
export const close = (state: ViewState): ViewState => {
  const turn = openTurn(state)
  if (turn === undefined) return state
  const isEmpty = KeyedList.length(turn.items) === 0 && !turn.hasCompaction && (!turn.isExplicit || turn.isTentative)
  const isLast = state.openAt === KeyedList.length(state.turns) - 1
  const turns = isEmpty && isLast ? KeyedList.truncate(state.turns, state.openAt) : state.turns
  return withTurns(state, turns, -1, state.nextItem, state.itemCount)
}

/** The state with a further turn, which is now the open one. The turn that was open is closed. */
export const open = (state: ViewState, turn: TurnState, sink: Sink | undefined): ViewState => {
  const closed = close(state)
  if (!turn.isTentative) sink?.turn(turn)
  const turns = KeyedList.push(closed.turns, turn)
  return withTurns(closed, turns, KeyedList.length(closed.turns), closed.nextItem, closed.itemCount)
}

/** The state with another turn at an index; `sink` is told if it is given. */
export const setTurn = (state: ViewState, at: number, turn: TurnState, sink?: Sink): ViewState => {
  if (!isHidden(turn)) sink?.turn(turn)
  return withTurns(state, KeyedList.set(state.turns, at, turn), state.openAt, state.nextItem, state.itemCount)
}

/** The turn with an item in place of the first one with its id, or behind the others. */
export const withItem = (turn: TurnState, item: ThreadItem): TurnState => {
  const at = KeyedList.indexOf(turn.items, item.id)
  const items = at < 0 ? KeyedList.push(turn.items, item) : KeyedList.set(turn.items, at, item)
  return withItems(turn, items, turn.isSnapshot)
}

/** The state with an item put into the turn at an index (R5). */
export const upsert = (
  state: ViewState,
  at: number,
  item: ThreadItem,
  sink: Sink | undefined,
  isSnapshot = false
): ViewState => {
  const turn = KeyedList.get(state.turns, at)
  return turn === undefined ? state : replaceItems(state, at, withItem(turn, item), item, sink, isSnapshot)
}

/**
 * The state with an item behind the others of the turn at an index, whatever their ids.
 *
 * @param nextItem The number in the next synthesised item id.
 */
export const append = (
  state: ViewState,
  at: number,
  item: ThreadItem,
  sink: Sink | undefined,
  nextItem: number = state.nextItem
): ViewState => {
  const turn = KeyedList.get(state.turns, at)
  if (turn === undefined) return state
  const next = withItems(turn, KeyedList.push(turn.items, item), turn.isSnapshot)
  return replaceItems(state, at, next, item, sink, false, nextItem)
}

const replaceItems = (
  state: ViewState,
  at: number,
  next: TurnState,
  item: ThreadItem,
  sink: Sink | undefined,
  isSnapshot: boolean,
  nextItem: number = state.nextItem
): ViewState => {
  const before = KeyedList.get(state.turns, at)
  const added = KeyedList.length(next.items) - (before === undefined ? 0 : KeyedList.length(before.items))
  if (before !== undefined && isHidden(before)) sink?.turn(next)
  sink?.item(next.id, item)
  const turn = isSnapshot && !next.isSnapshot ? withItems(next, next.items, true) : next
  return withTurns(state, KeyedList.set(state.turns, at, turn), state.openAt, nextItem, state.itemCount + added)
}

const shown = new WeakMap<TurnState, Turn>()

/** A turn as clients see it. The same state gives the same object, so an unchanged turn can be told by identity. */
export const toTurn = (state: TurnState): Turn => {
  const known = shown.get(state)
  if (known !== undefined) return known
  const { completedAt, durationMs, error, id, items, rootTurnId, startedAt, status } = state
  const turn: Turn = {
    id,
    rootTurnId,
    items: KeyedList.toArray(items),
    itemsView: "full",
    status,
    error,
    startedAt,
    completedAt,
    durationMs
  }
  shown.set(state, turn)
  return turn
}

/** The turns that are shown, in order. Cost: one pass over the turns, and over the items of those not seen before. */
export const turns = (state: ViewState): ReadonlyArray<Turn> =>
  KeyedList.toArray(state.turns).flatMap((turn) => (isHidden(turn) ? [] : [toTurn(turn)]))
