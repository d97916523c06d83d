/**
 * What a record changed in a view (thread-view §1.7), for those who keep a copy of it.
 *
 * Law: applying the change set of a stretch of records to the turns before it gives the turns behind it, as long as
 * turn ids are unique.
 */
import type { ThreadItem } from "./ThreadItem.js"
import type { Turn, TurnFacts } from "./Turn.js"

/** An item that is new or different. */
export interface ChangedItem {
  readonly turnId: string
  readonly item: ThreadItem
}

/** What changed, in the order in which each thing first changed. */
export interface ChangeSet {
  readonly changedItems: ReadonlyArray<ChangedItem>
  /** Turns that began, failed, or ended. That a turn takes no more items is no change. */
  readonly changedTurns: ReadonlyArray<TurnFacts>
  /** Turns that a rollback took away, in order. */
  readonly removedTurnIds: ReadonlyArray<string>
}

/** Nothing changed. */
export const empty: ChangeSet = { changedItems: [], changedTurns: [], removedTurnIds: [] }

/** Where a step notes what it changes. Mutable and single use. */
export interface Sink {
  readonly item: (turnId: string, item: ThreadItem) => void
  readonly turn: (turn: TurnFacts) => void
  readonly removed: (turnIds: ReadonlyArray<string>) => void
}

/**
 * Gathers the changes of one record or of a batch: each item and turn once, at the place of its first change and as it
 * is after the last; a removed turn takes its earlier changes with it. Cost: constant per change.
 */
export const collector = (): Sink & { readonly changes: () => ChangeSet } => {
  const items = new Map<string, Map<string, { readonly order: number; readonly item: ThreadItem }>>()
  const turns = new Map<string, TurnFacts>()
  const removed = new Set<string>()
  let order = 0
  return {
    item: (turnId, item) => {
      const ofTurn = items.get(turnId) ?? new Map()
      items.set(turnId, ofTurn)
      ofTurn.set(item.id, { order: ofTurn.get(item.id)?.order ?? order++, item })
    },
    turn: ({ completedAt, durationMs, error, id, rootTurnId, startedAt, status }) => {
      turns.set(id, { id, rootTurnId, status, error, startedAt, completedAt, durationMs })
    },
    removed: (turnIds) => {
      for (const id of turnIds) {
        items.delete(id)
        turns.delete(id)
        removed.add(id)
      }
    },
    changes: () => ({
      changedItems: [...items]
        .flatMap(([turnId, ofTurn]) => [...ofTurn.values()].map((entry) => ({ turnId, ...entry })))
        .sort((left, right) => left.order - right.order)
        .map(({ item, turnId }) => ({ turnId, item })),
      changedTurns: [...turns.values()],
      removedTurnIds: [...removed]
    })
  }
}

/**
 * The turns with a change set applied: removals first, then turns, then items; what is new goes to the end. An item of
 * a turn that is not there is left out. Cost: one pass over the turns, one over the items of each that changed.
 */
export const apply = (turns: ReadonlyArray<Turn>, changes: ChangeSet): ReadonlyArray<Turn> => {
  const removed = new Set(changes.removedTurnIds)
  const next = turns.filter(({ id }) => !removed.has(id))
  const indexes = new Map<string, number>()
  next.forEach(({ id }, i) => {
    if (!indexes.has(id)) indexes.set(id, i)
  })
  for (const facts of changes.changedTurns) {
    const at = indexes.get(facts.id)
    const known = at === undefined ? undefined : next[at]
    if (at !== undefined && known !== undefined) next[at] = { ...known, ...facts }
    else {
      indexes.set(facts.id, next.length)
      next.push({ ...facts, items: [], itemsView: "full" })
    }
  }
  const byTurn = new Map<string, Array<ThreadItem>>()
  for (const { item, turnId } of changes.changedItems) {
    const list = byTurn.get(turnId)
    if (list === undefined) byTurn.set(turnId, [item])
    else list.push(item)
  }
  for (const [turnId, items] of byTurn) {
    const at = indexes.get(turnId)
    const turn = at === undefined ? undefined : next[at]
    if (at !== undefined && turn !== undefined) next[at] = { ...turn, items: upsertAll(turn.items, items) }
  }
  return next
}

const upsertAll = (items: ReadonlyArray<ThreadItem>, changed: ReadonlyArray<ThreadItem>): ReadonlyArray<ThreadItem> => {
  const next = [...items]
  const indexes = new Map<string, number>()
  next.forEach(({ id }, i) => {
    if (!indexes.has(id)) indexes.set(id, i)
  })
  for (const item of changed) {
    const at = indexes.get(item.id)
    if (at === undefined) {
      indexes.set(item.id, next.length)
      next.push(item)
    } else next[at] = item
  }
  return next
}
