/**
 * Where in a log its turns begin and where somebody said something: what a fork and a rollback cut by.
 *
 * Positions count the records of the effective log from 0, in the order in which folds are given them. What a rollback
 * took back has no position any more, but the starts of its turns are still known.
 */
import * as PersistentList from "../internal/PersistentList.js"
import { parseEnvelope } from "../record/InterAgentCommunication.js"
import * as Mark from "../record/Mark.js"
import type { StoredRecord } from "../record/Record.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import type { TurnKind } from "./ActiveTurn.js"
import * as ActiveTurn from "./ActiveTurn.js"
import * as Boundary from "./Boundary.js"
import * as Fold from "./Fold.js"
import * as Fragment from "./Fragment.js"

/** A turn that has begun and not ended. */
export type Open = Pick<ActiveTurn.Active, "id" | "rootId" | "startedAt">

/** The recorded start of a turn. */
export interface Start {
  readonly turnId: string
  readonly at: number
  readonly kind: TurnKind
  /** The turn in front of it, if that never ended. */
  readonly over: Open | undefined
}

/** Where a user said something, and the turn into which. */
export interface Said {
  readonly at: number
  readonly turn: Open | undefined
}

/** The state of the fold. Older states stay valid. */
export interface TurnIndex {
  /** How many records the log has. */
  readonly length: number
  /** Every recorded start, of turns that were rolled back too. */
  readonly starts: PersistentList.PersistentList<Start>
  /** Where a user said something (replay-semantics §5.1). */
  readonly messages: PersistentList.PersistentList<Said>
  /** Where a turn begins to a fork that takes the last turns: as above, and mail that starts a turn (§5.2). */
  readonly forkTurns: PersistentList.PersistentList<number>
  /** What a rollback counts: whatever anybody said (§5.2). */
  readonly instructions: PersistentList.PersistentList<number>
  /** Whether the record before was the metadata of mail: then the mail itself is no position of its own. */
  readonly afterMetadata: boolean
  /** Which turn runs. */
  readonly turn: ActiveTurn.ActiveTurn
}

/** The state before any record. */
export const empty: TurnIndex = {
  length: 0,
  starts: PersistentList.empty,
  messages: PersistentList.empty,
  forkTurns: PersistentList.empty,
  instructions: PersistentList.empty,
  afterMetadata: false,
  turn: ActiveTurn.empty
}

/** The mark on a rollback of ours: its data is `{turn}`, the first turn that it takes back. */
export const mark = "rollback"

/** The fold. Cost: constant per record; a rollback costs what it takes back. */
export const fold = (registry: Fragment.Registry = Fragment.newest): Fold.Fold<TurnIndex> =>
  Fold.make(empty, (index, record) => {
    const next = step(index, record, registry)
    return {
      length: index.length + 1,
      starts: next.starts,
      messages: next.messages,
      forkTurns: next.forkTurns,
      instructions: next.instructions,
      afterMetadata: record.kind === "inter_agent_communication_metadata",
      turn: ActiveTurn.fold.step(index.turn, record)
    }
  })

/** The turn that runs, as far as its end goes. */
const openOf = ({ turn }: TurnIndex): Open | undefined => {
  if (turn.active === undefined) return undefined
  const { id, rootId, startedAt } = turn.active
  return { id, rootId, startedAt }
}

const step = (index: TurnIndex, record: StoredRecord, registry: Fragment.Registry): TurnIndex => {
  switch (record.kind) {
    case "event_msg": {
      const { payload } = record
      if (payload.type === "task_started") {
        const start: Start = {
          turnId: payload.turn_id,
          at: index.length,
          kind: ActiveTurn.kindOf(record),
          over: openOf(index)
        }
        return { ...index, starts: PersistentList.push(index.starts, start) }
      }
      return payload.type === "thread_rolled_back" ? rolledBack(index, payload.num_turns, record) : index
    }
    case "response_item":
      return index.turn.active?.kind === "restore" ? index : said(index, record.payload, registry)
    case "inter_agent_communication":
      return instructed(index, record.payload.trigger_turn)
    case "inter_agent_communication_metadata":
      return instructed(index, record.payload.trigger_turn)
    default:
      return index
  }
}

const said = (index: TurnIndex, item: ResponseItem, registry: Fragment.Registry): TurnIndex => {
  if (item.type === "agent_message") return index.afterMetadata ? index : instructed(index, false)
  if (Boundary.isRealUserMessage(item, registry)) {
    const said: Said = { at: index.length, turn: openOf(index) }
    return { ...instructed(index, true), messages: PersistentList.push(index.messages, said) }
  }
  if (Boundary.isEnvelope(item)) return instructed(index, triggers(item))
  return Boundary.isBoundary(item, registry) ? instructed(index, false) : index
}

const triggers = (item: ResponseItem): boolean => {
  const part = item.type === "message" ? item.content[0] : undefined
  return part !== undefined && "text" in part && parseEnvelope(part.text)?.trigger_turn === true
}

/** A position at the present record, of a turn to fork by or not. */
const instructed = (index: TurnIndex, isForkTurn: boolean): TurnIndex => ({
  ...index,
  instructions: PersistentList.push(index.instructions, index.length),
  forkTurns: isForkTurn ? PersistentList.push(index.forkTurns, index.length) : index.forkTurns
})

/**
 * A rollback of ours names the turn that it cuts at; any other one takes the last positions, as many as it says
 * (replay-semantics §5.1, §5.2).
 */
const rolledBack = (index: TurnIndex, count: number, record: StoredRecord): TurnIndex => {
  const cut = ownCut(index, record)
  if (cut !== undefined) {
    return {
      ...index,
      messages: before(index.messages, cut, ({ at }) => at),
      forkTurns: before(index.forkTurns, cut, itself),
      instructions: before(index.instructions, cut, itself)
    }
  }
  if (count === 0) return index
  const left = Math.max(0, index.instructions.length - count)
  const first = PersistentList.get(index.instructions, left)
  return {
    ...index,
    messages: PersistentList.truncate(index.messages, Math.max(0, index.messages.length - count)),
    forkTurns: first === undefined ? index.forkTurns : before(index.forkTurns, first, itself),
    instructions: PersistentList.truncate(index.instructions, left)
  }
}

const ownCut = (index: TurnIndex, record: StoredRecord): number | undefined => {
  const found = record.extras === undefined ? undefined : Mark.of(record)
  if (found?.kind !== mark) return undefined
  const turn = (found.data as { readonly turn?: unknown } | null | undefined)?.turn
  return typeof turn === "string" ? startOf(index, turn)?.at : undefined
}

/** What stands in front of a position. */
const before = <A>(
  list: PersistentList.PersistentList<A>,
  at: number,
  positionOf: (element: A) => number
): PersistentList.PersistentList<A> => {
  let { length } = list
  while (length > 0 && positionOf(PersistentList.get(list, length - 1) as A) >= at) length--
  return PersistentList.truncate(list, length)
}

const itself = (position: number): number => position

/** The newest recorded start of the turn with this id. Cost: the turns since. */
export const startOf = (index: TurnIndex, turnId: string): Start | undefined => {
  for (let i = index.starts.length - 1; i >= 0; i--) {
    const start = PersistentList.get(index.starts, i)
    if (start?.turnId === turnId) return start
  }
  return undefined
}

/** The first recorded start behind a position. Cost: the turns since. */
export const startAfter = (index: TurnIndex, at: number): Start | undefined => {
  let found: Start | undefined
  for (let i = index.starts.length - 1; i >= 0; i--) {
    const start = PersistentList.get(index.starts, i)
    if (start === undefined || start.at <= at) break
    found = start
  }
  return found
}

/** Where turns begin to a fork that takes the last turns, in order. Cost: their number. */
export const forkTurns = (index: TurnIndex): ReadonlyArray<number> => PersistentList.toArray(index.forkTurns)

/** The `n`-th thing that a user said, counted from 0. */
export const message = (index: TurnIndex, n: number): Said | undefined => PersistentList.get(index.messages, n)

/** Everything that users said, in order. Cost: their number. */
export const messages = (index: TurnIndex): ReadonlyArray<Said> => PersistentList.toArray(index.messages)

/** The turn that runs behind the last record. */
export const open = (index: TurnIndex): Open | undefined => openOf(index)
