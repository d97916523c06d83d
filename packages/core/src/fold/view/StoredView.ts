/**
 * A view as a host may store it, and how to go on from there with nothing but the records since (thread-view §1.10).
 *
 * What a log's suffix needs beside it is in the types. Canonical snapshots need turns and items alone, which a host has
 * anyway: {@link SnapshotStored}. Legacy events need what the fold keeps to itself as well: {@link FoldedStored}. There
 * is no way to restore the one from the other, and so none to fold a legacy suffix onto turns alone.
 *
 * Law: `run(fold, suffix, restore(store(run(fold, prefix))))` shows the turns of `run(fold, [...prefix, ...suffix])`.
 * Of turns and items alone ({@link SnapshotStored} without `hidden`) it holds for suffixes of canonical records.
 */
import * as KeyedList from "../../internal/KeyedList.js"
import type { HistoryMode } from "../../record/SessionMeta.js"
import type { ThreadItem } from "./ThreadItem.js"
import type { ThreadView } from "./ThreadView.js"
import type { Turn, TurnFacts } from "./Turn.js"
import type { TurnState } from "./ViewState.js"
import * as State from "./ViewState.js"

/** Items of a turn that no record has named yet. */
export interface WaitingItems {
  readonly turnId: string
  readonly items: ReadonlyArray<ThreadItem>
  /** Whether legacy events would tell of some of them as well. Default: yes. */
  readonly isSnapshot?: boolean | undefined
}

/** The view of a thread whose records are canonical snapshots: what is shown, and what waits to be. Plain JSON. */
export interface SnapshotStored {
  readonly kind: "snapshots"
  /** Records with a lower ordinal count for nothing. */
  readonly from: number
  readonly turns: ReadonlyArray<Turn>
  readonly waiting: ReadonlyArray<WaitingItems>
  /**
   * What only the records of another program need, should one go on with the thread in the legacy form. Who has no more
   * than turns and items leaves it out: canonical records then go on as ever, and what the other program writes is
   * shown under other ids.
   */
  readonly hidden?: HiddenState | undefined
}

/** What is not shown of a view of snapshots. */
export interface HiddenState {
  /** Index of the open turn, or -1. */
  readonly openAt: number
  readonly nextRecord: number
  /** Ids of the turns of which legacy events would tell nothing new. */
  readonly repeated: ReadonlyArray<string>
}

/** What the fold of legacy events knows of a turn beside what is shown. */
export interface FoldedTurn extends TurnFacts {
  readonly items: ReadonlyArray<ThreadItem>
  readonly isExplicit: boolean
  readonly hasCompaction: boolean
  readonly isSnapshot: boolean
  readonly isTentative: boolean
}

/** The view of a thread whose records need what came before them. Plain JSON. */
export interface FoldedStored {
  readonly kind: "folded"
  readonly mode: HistoryMode | null
  readonly isHeaded: boolean
  readonly isMixed: boolean
  readonly from: number
  readonly turns: ReadonlyArray<FoldedTurn>
  /** Index of the open turn, or -1. */
  readonly openAt: number
  readonly waiting: ReadonlyArray<WaitingItems>
  readonly nextItem: number
  readonly nextRecord: number
}

/** A view as it is stored. */
export type StoredView = SnapshotStored | FoldedStored

/** The view to store. Cost: one pass over its turns. */
export const store = (view: ThreadView): StoredView => {
  const waiting = KeyedList.toArray(view.waiting)
    .filter(({ id }) => KeyedList.indexOf(view.turns, id) < 0)
    .map(({ id, isSnapshot, items }) => ({ turnId: id, items: KeyedList.toArray(items), isSnapshot }))
  const { from, isHeaded, isMixed, nextItem, nextRecord, openAt } = view
  if (view.mode === "paginated" && isHeaded && !isMixed) {
    const repeated = KeyedList.toArray(view.turns).flatMap(({ id, isSnapshot }) => (isSnapshot ? [id] : []))
    const hidden = { openAt, nextRecord, repeated }
    return { kind: "snapshots", from, turns: State.turns(view), waiting, hidden }
  }
  const turns = KeyedList.toArray(view.turns).map((turn) => ({ ...turn, items: KeyedList.toArray(turn.items) }))
  return {
    kind: "folded",
    mode: view.mode ?? null,
    isHeaded,
    isMixed,
    from,
    turns,
    openAt,
    waiting,
    nextItem,
    nextRecord
  }
}

/** The view that was stored, ready for the records since. Cost: one pass over its items. */
export const restore = (stored: StoredView): ThreadView => {
  const turns =
    stored.kind === "folded"
      ? stored.turns.map((turn) => State.newTurn(turn.id, { ...turn, items: keyed(turn.items) }))
      : stored.turns.map(snapshotTurn(stored.hidden))
  const view: ThreadView = {
    ...State.initial,
    turns: keyed(turns),
    waiting: keyed(
      stored.waiting.map(({ isSnapshot = true, items, turnId }) =>
        State.newTurn(turnId, { items: keyed(items), isSnapshot })
      )
    ),
    itemCount: turns.reduce((sum, { items }) => sum + KeyedList.length(items), 0),
    from: stored.from
  }
  if (stored.kind === "snapshots") {
    const { nextRecord = 0, openAt = -1 } = stored.hidden ?? {}
    return { ...view, mode: "paginated", isHeaded: true, nextRecord, openAt }
  }
  const { isHeaded, isMixed, nextItem, nextRecord, openAt } = stored
  return { ...view, mode: stored.mode ?? undefined, isHeaded, isMixed, nextItem, nextRecord, openAt }
}

const snapshotTurn = (hidden: HiddenState | undefined) => {
  const repeated = hidden === undefined ? undefined : new Set(hidden.repeated)
  return ({ items, itemsView: _, ...facts }: Turn): TurnState => {
    const isSnapshot = repeated === undefined ? items.length > 0 : repeated.has(facts.id)
    return State.newTurn(facts.id, { ...facts, items: keyed(items), isExplicit: true, isSnapshot })
  }
}

const keyed = <A extends { readonly id: string }>(all: ReadonlyArray<A>): KeyedList.KeyedList<A> => {
  let list: KeyedList.KeyedList<A> = KeyedList.empty
  for (const one of all) list = KeyedList.push(list, one)
  return list
}
