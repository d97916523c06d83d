/**
 * The projection of canonical snapshots (thread-view §1.1 S, §1.8): what the records of a paginated log say about
 * turns and items, each for itself.
 *
 * A record comes to a {@link Change} without any state; a table of turns takes changes in. So the view of a paginated
 * thread can go on from what was stored of it, with nothing but the records since (thread-view §1.10).
 */
import * as KeyedList from "../../internal/KeyedList.js"
import type { Of, StoredRecord } from "../../record/Record.js"
import type { Sink } from "./ChangeSet.js"
import type { Options } from "./ItemParts.js"
import * as SnapshotItem from "./SnapshotItem.js"
import type { ThreadItem, Times } from "./ThreadItem.js"
import type { TurnFacts } from "./Turn.js"
import { errorOf } from "./Turn.js"
import type { TurnState, ViewState } from "./ViewState.js"
import * as State from "./ViewState.js"

/** A record that needs no other to be understood: an event of a paginated log, with its ordinal. */
export type Snapshot = Of<"event_msg"> & { readonly ordinal: number }

/** What a snapshot says. */
export type Change =
  | { readonly kind: "started"; readonly turn: TurnFacts }
  /** The first of these is the last word about its turn. */
  | { readonly kind: "ended"; readonly turn: TurnFacts }
  | {
      readonly kind: "item"
      readonly turnId: string
      readonly item: ThreadItem
      /** Whether legacy events would tell of it as well, without its id. */
      readonly isRepeated: boolean
    }

/** The record as a snapshot. A line without ordinal makes no turn and no item (since-july). */
export const snapshotOf = (record: StoredRecord): Snapshot | undefined =>
  record.kind === "event_msg" && record.ordinal !== undefined ? (record as Snapshot) : undefined

/** What a snapshot says about a turn or an item; undefined when it says nothing. Stateless. */
export const project = ({ payload }: Pick<Snapshot, "payload">, options: Options = {}): Change | undefined => {
  switch (payload.type) {
    case "task_started":
      return {
        kind: "started",
        turn: {
          id: payload.turn_id,
          rootTurnId: payload.root_turn_id ?? null,
          status: "inProgress",
          error: null,
          startedAt: payload.started_at ?? null,
          completedAt: null,
          durationMs: null
        }
      }
    case "task_complete": {
      const error = payload.error === undefined || payload.error === null ? null : errorOf(payload.error)
      return { kind: "ended", turn: ended(payload.turn_id, payload, error === null ? "completed" : "failed", error) }
    }
    case "turn_aborted": {
      const id = payload.turn_id ?? undefined
      return id === undefined ? undefined : { kind: "ended", turn: ended(id, payload, "interrupted", null) }
    }
    case "item_completed":
      return {
        kind: "item",
        turnId: payload.turn_id,
        item: SnapshotItem.toView(payload.item, timesOf(payload), options),
        isRepeated: repeated.has(payload.item.type)
      }
    default:
      return undefined
  }
}

/** Kinds of canonical items that legacy events tell of as well; the fold of those events leaves them out (R14). */
export const repeated: ReadonlySet<string> = new Set([
  "UserMessage",
  "AgentMessage",
  "Reasoning",
  "WebSearch",
  "ImageView",
  "ImageGeneration",
  "FileChange",
  "McpToolCall",
  "ContextCompaction"
])

type Terminal = Extract<Snapshot["payload"], { readonly type: "task_complete" | "turn_aborted" }>

const ended = (id: string, record: Terminal, status: TurnFacts["status"], error: TurnFacts["error"]): TurnFacts => ({
  id,
  rootTurnId: record.root_turn_id ?? null,
  status,
  error,
  startedAt: record.started_at ?? null,
  completedAt: record.completed_at ?? null,
  durationMs: record.duration_ms ?? null
})

/** When an item began and ended, as far as its record tells. */
export const timesOf = (record: {
  readonly started_at_ms?: number | null | undefined
  readonly completed_at_ms?: number | undefined
}): Times => ({ startedAtMs: record.started_at_ms ?? null, completedAtMs: record.completed_at_ms ?? null })

/**
 * The state with a change taken in. A turn stands where its first turn record does; items of a turn without one wait
 * for it. The first end of a turn is final. Cost: constant, whatever the number of turns.
 */
export const apply = (state: ViewState, change: Change, sink?: Sink): ViewState =>
  change.kind === "item" ? applyItem(state, change, sink) : applyTurn(state, change, sink)

const applyItem = (state: ViewState, change: Extract<Change, { kind: "item" }>, sink?: Sink): ViewState => {
  const { isRepeated, item, turnId } = change
  const at = KeyedList.indexOf(state.turns, turnId)
  if (at >= 0) return State.upsert(state, at, item, sink, isRepeated)
  const waitingAt = KeyedList.indexOf(state.waiting, turnId)
  const turn = State.withItem(KeyedList.get(state.waiting, waitingAt) ?? State.newTurn(turnId), item)
  const marked = isRepeated ? { ...turn, isSnapshot: true } : turn
  return {
    ...state,
    waiting: waitingAt < 0 ? KeyedList.push(state.waiting, marked) : KeyedList.set(state.waiting, waitingAt, marked)
  }
}

const applyTurn = (
  state: ViewState,
  { kind, turn: facts }: Exclude<Change, { kind: "item" }>,
  sink?: Sink
): ViewState => {
  const at = KeyedList.indexOf(state.turns, facts.id)
  const known = KeyedList.get(state.turns, at)
  if (known !== undefined && isEnded(known)) return state
  const next = known === undefined ? place(state, facts, sink) : State.setTurn(state, at, withFacts(known, facts), sink)
  const index = known === undefined ? KeyedList.length(next.turns) - 1 : at
  if (kind === "started") return { ...next, openAt: index }
  return next.openAt === index ? { ...next, openAt: -1 } : next
}

/** A turn's own record starts it as `inProgress`, so any other status is its end. */
const isEnded = (turn: TurnState): boolean => turn.isExplicit && turn.status !== "inProgress"

const withFacts = (turn: TurnState, facts: TurnFacts): TurnState => ({
  ...turn,
  ...facts,
  rootTurnId: facts.rootTurnId ?? turn.rootTurnId,
  isExplicit: true
})

/** The state with a turn in its place, and with the items that waited for it. */
const place = (state: ViewState, facts: TurnFacts, sink?: Sink): ViewState => {
  const waited = KeyedList.get(state.waiting, KeyedList.indexOf(state.waiting, facts.id))
  const turn = withFacts(waited ?? State.newTurn(facts.id), facts)
  sink?.turn(turn)
  if (sink !== undefined) for (const item of KeyedList.toArray(turn.items)) sink.item(turn.id, item)
  return {
    ...state,
    turns: KeyedList.push(state.turns, turn),
    itemCount: state.itemCount + KeyedList.length(turn.items)
  }
}
