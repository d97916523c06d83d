/**
 * The fold of legacy events (thread-view §1.1 F, rules R1 to R15 with what since-july changed).
 *
 * Events of a legacy log tell of fragments: which turn they belong to, what they are called and what they continue
 * follows from the records before. So a suffix can only be folded onto the whole state (thread-view §1.10).
 */

import * as PersistencePolicy from "../../decide/PersistencePolicy.js"
import * as KeyedList from "../../internal/KeyedList.js"
import type { EventMsg } from "../../record/EventMsg.js"
import { sandboxMode } from "../../record/legacy/SandboxMode.js"
import type { StoredRecord } from "../../record/Record.js"
import * as BareItem from "./BareItem.js"
import type { Sink } from "./ChangeSet.js"
import * as EventItem from "./EventItem.js"
import * as HookPrompt from "./HookPrompt.js"
import type { Options as ItemOptions } from "./ItemParts.js"
import * as LegacyMessage from "./LegacyMessage.js"
import * as LiveEvent from "./LiveEvent.js"
import * as ReviewText from "./ReviewText.js"
import * as SnapshotItem from "./SnapshotItem.js"
import * as SnapshotView from "./SnapshotView.js"
import type { Reasoning, ReviewMode, ThreadItem } from "./ThreadItem.js"
import { untimed } from "./ThreadItem.js"
import * as Turn from "./Turn.js"
import type { TurnState, ViewState } from "./ViewState.js"
import * as State from "./ViewState.js"

/** What the fold can be told. */
export interface Options extends ItemOptions {
  /**
   * What to make of canonical items that legacy events repeat: `ignore` them, as the reference does (R14), or `prefer`
   * them and leave out the repetitions. Default `ignore`.
   */
  readonly snapshots?: "ignore" | "prefer" | undefined
}

/**
 * Whether a record counts for the ids of turns that nobody started: it is one that legacy threads keep and that later
 * readers can parse (thread-view §1.1). They cannot parse the turn contexts of 0.42.0.
 */
export const isCounted = (record: StoredRecord): boolean =>
  record.kind !== "unknown" &&
  record.upcast?.split(", ").includes(sandboxMode.name) !== true &&
  PersistencePolicy.decide(record, "legacy") === "keep"

/** The state after one more record; `sink` is told what changed. Cost: constant, whatever the number of turns. */
export const step = (state: ViewState, record: StoredRecord, options: Options = {}, sink?: Sink): ViewState => {
  const number = isCounted(record) ? state.nextRecord : undefined
  const next = take(state, record, number, options, sink)
  return number === undefined ? next : State.counted(next, number + 1)
}

interface Context {
  readonly options: Options
  readonly sink: Sink | undefined
  /** The number of the record among those that count; undefined when it is none of them. */
  readonly number: number | undefined
}

/** The id of a turn that a record opens without naming one: after the record, or after the turn's place. */
const implicitId = (state: ViewState, { number }: Context): string =>
  number === undefined ? `implicit-${KeyedList.length(state.turns)}` : `rollout-${number}`

/**
 * As {@link step}, but the record is not counted: what `nextRecord` of the state says neither matters nor changes.
 *
 * @param number The number of the record among those that count; undefined when it is none of them.
 */
export const take = (
  state: ViewState,
  record: StoredRecord,
  number: number | undefined,
  options: Options,
  sink: Sink | undefined
): ViewState => {
  switch (record.kind) {
    case "event_msg":
    case "compacted":
    case "unknown":
      break
    case "response_item":
      if (record.payload.type === "message" || record.upcast !== undefined) break
      return state
    default:
      return state
  }
  return takeRecord(state, record, { options, sink, number })
}

const takeRecord = (state: ViewState, record: StoredRecord, context: Context): ViewState => {
  switch (record.kind) {
    case "event_msg":
      return takeEvent(state, record.payload, context)
    case "compacted":
      return takeCompaction(state, context)
    case "response_item": {
      if (record.upcast !== undefined && BareItem.isBare(record)) {
        return BareItem.toEvents(record.payload).reduce((next, event) => takeEvent(next, event, context), state)
      }
      const fragments = HookPrompt.fragmentsOf(record.payload)
      if (fragments === undefined) return state
      const id = ("id" in record.payload ? record.payload.id : undefined) ?? `hook-${implicitId(state, context)}`
      return takeHookPrompt(state, { type: "hookPrompt", id, fragments, ...untimed }, context)
    }
    case "unknown": {
      const event = LiveEvent.of(record.payload)
      return event === undefined ? state : takeItemEvent(state, event, context)
    }
    default:
      return state
  }
}

const takeEvent = (state: ViewState, event: EventMsg, context: Context): ViewState => {
  switch (event.type) {
    case "task_started":
      return start(state, event, context)
    case "task_complete":
      return complete(state, event, context)
    case "turn_aborted":
      return abort(state, event, context)
    case "thread_rolled_back":
      return rollBack(state, event.num_turns, context)
    case "error":
      return fail(state, event, context)
    case "user_message":
      return takeUserMessage(state, event, context)
    case "agent_message":
      return event.message === "" ? state : appendNew(state, (id) => LegacyMessage.agentMessage(id, event), context)
    case "agent_reasoning":
      return takeReasoning(state, "summary", event.text, context)
    case "agent_reasoning_raw_content":
      return takeReasoning(state, "content", event.text, context)
    case "context_compacted":
      return appendNew(state, (id) => ({ type: "contextCompaction", id, ...untimed }), context)
    case "entered_review_mode":
      return takeReview(state, event, "enteredReviewMode", event.user_facing_hint ?? ReviewText.missingHint, context)
    case "exited_review_mode":
      return takeReview(state, event, "exitedReviewMode", ReviewText.render(event.review_output), context)
    case "item_completed":
    case "item_started":
      return takeCanonical(state, event, context)
    default:
      return takeItemEvent(state, event, context)
  }
}

type Of<K extends EventMsg["type"]> = Extract<EventMsg, { readonly type: K }>

/** R1: a start opens a turn, whether there is one of that id or not. */
const start = (state: ViewState, event: Of<"task_started">, { sink }: Context): ViewState =>
  State.open(
    state,
    State.newTurn(event.turn_id, {
      rootTurnId: event.root_turn_id ?? null,
      status: "inProgress",
      startedAt: event.started_at ?? null,
      isExplicit: true
    }),
    sink
  )

/** The index of the turn that an end is about: the open one, else the first of that id, else the open one (R6, R7). */
const endOf = (state: ViewState, id: string | undefined): number => {
  if (id === undefined || State.openTurn(state)?.id === id) return state.openAt
  const at = KeyedList.indexOf(state.turns, id)
  return at < 0 ? state.openAt : at
}

const end = (
  state: ViewState,
  at: number,
  event: Of<"task_complete"> | Of<"turn_aborted">,
  change: (turn: TurnState) => Partial<TurnState>,
  { sink }: Context
): ViewState => {
  const turn = KeyedList.get(state.turns, at)
  if (turn === undefined) return state
  const next: TurnState = {
    ...turn,
    rootTurnId: event.root_turn_id ?? turn.rootTurnId,
    completedAt: event.completed_at ?? null,
    durationMs: event.duration_ms ?? null,
    ...change(turn)
  }
  const changed = State.setTurn(state, at, next, sink)
  return at === state.openAt ? State.close(changed) : changed
}

/** R6, and the error that 0.169.0 reads: what was interrupted or has failed stays so. */
const complete = (state: ViewState, event: Of<"task_complete">, context: Context): ViewState =>
  end(
    state,
    endOf(state, event.turn_id),
    event,
    ({ status }) => {
      if (status === "interrupted" || status === "failed") return {}
      return event.error === undefined || event.error === null
        ? { status: "completed" }
        : { status: "failed", error: Turn.errorOf(event.error) }
    },
    context
  )

/** R7, and since 0.169.0 the open turn is closed by it. */
const abort = (state: ViewState, event: Of<"turn_aborted">, context: Context): ViewState =>
  end(state, endOf(state, event.turn_id ?? undefined), event, () => ({ status: "interrupted" }), context)

/** R8. */
const rollBack = (state: ViewState, count: number, { sink }: Context): ViewState => {
  const closed = State.close(state)
  const length = KeyedList.length(closed.turns)
  const left = Math.max(0, length - count)
  const removed: Array<string> = []
  let { itemCount } = closed
  for (let i = left; i < length; i++) {
    const turn = KeyedList.get(closed.turns, i)
    if (turn === undefined) continue
    removed.push(turn.id)
    itemCount -= KeyedList.length(turn.items)
  }
  sink?.removed(removed)
  return { ...closed, turns: KeyedList.truncate(closed.turns, left), itemCount, nextItem: itemCount + 1 }
}

/** R10. */
const fail = (state: ViewState, event: Of<"error">, { sink }: Context): ViewState => {
  const turn = State.openTurn(state)
  if (turn === undefined || !Turn.affectsStatus(event)) return state
  return State.setTurn(state, state.openAt, { ...turn, status: "failed", error: Turn.errorOf(event) }, sink)
}

/** An item-producing record with no open turn opens one (R3). */
const ensureOpen = (state: ViewState, context: Context): ViewState =>
  State.openTurn(state) === undefined
    ? State.open(state, State.newTurn(implicitId(state, context)), context.sink)
    : state

/** R9: a compaction record marks its turn. */
const takeCompaction = (state: ViewState, context: Context): ViewState => {
  const next = ensureOpen(state, context)
  const turn = State.openTurn(next)
  return turn === undefined || turn.hasCompaction
    ? next
    : State.setTurn(next, next.openAt, { ...turn, hasCompaction: true })
}

/** R3 and R13. */
const takeUserMessage = (state: ViewState, event: Of<"user_message">, context: Context): ViewState => {
  if (isRepetition(state)) return state
  const turn = State.openTurn(state)
  const joins = turn === undefined || turn.isExplicit || (turn.hasCompaction && KeyedList.length(turn.items) === 0)
  const next = joins ? state : State.close(state)
  return appendNew(next, (id) => LegacyMessage.userMessage(id, event), context)
}

/** Whether an event that names no item only repeats what a canonical item of the open turn says. */
const isRepetition = (state: ViewState): boolean => State.openTurn(state)?.isSnapshot === true

/** A new item under the next synthesised id (R4). */
const appendNew = (state: ViewState, make: (id: string) => ThreadItem, context: Context): ViewState => {
  if (isRepetition(state)) return state
  const next = ensureOpen(state, context)
  const item = make(`item-${next.nextItem}`)
  return State.append(next, next.openAt, item, context.sink, next.nextItem + 1)
}

/** R12: fragments of thinking that stand side by side are one item. */
const takeReasoning = (state: ViewState, part: "summary" | "content", text: string, context: Context): ViewState => {
  if (text === "" || isRepetition(state)) return state
  const turn = State.openTurn(state)
  const last = turn === undefined ? undefined : KeyedList.last(turn.items)
  if (turn !== undefined && last?.type === "reasoning") {
    return State.upsert(state, state.openAt, withThought(last, part, text), context.sink)
  }
  return appendNew(
    state,
    (id) => withThought({ type: "reasoning", id, summary: none, content: none, ...untimed }, part, text),
    context
  )
}

const withThought = (item: Reasoning, part: "summary" | "content", text: string): Reasoning => ({
  type: "reasoning",
  id: item.id,
  summary: part === "summary" ? [...item.summary, text] : item.summary,
  content: part === "content" ? [...item.content, text] : item.content,
  startedAtMs: item.startedAtMs,
  completedAtMs: item.completedAtMs
})

const none: ReadonlyArray<string> = []

const takeHookPrompt = (
  state: ViewState,
  item: Extract<ThreadItem, { readonly type: "hookPrompt" }>,
  context: Context
): ViewState => {
  const next = ensureOpen(state, context)
  const turn = State.openTurn(next)
  if (turn !== undefined && KeyedList.indexOf(turn.items, item.id) >= 0) return state
  return State.append(next, next.openAt, item, context.sink)
}

/** R15: a review may name a turn that nobody started. */
const takeReview = (
  state: ViewState,
  event: { readonly turn_id?: string | null | undefined; readonly item_id?: string | null | undefined },
  type: ReviewMode["type"],
  review: string,
  context: Context
): ViewState => {
  const turnId = event.turn_id || undefined
  const id = event.item_id ?? undefined
  const { at, state: next } = turnId === undefined ? inOpen(state, context) : inNamed(state, turnId, context)
  const turn = KeyedList.get(next.turns, at)
  if (turn?.isSnapshot === true && (id === undefined || KeyedList.indexOf(turn.items, id) >= 0)) return state
  if (id !== undefined) return State.upsert(next, at, { type, id, review, ...untimed }, context.sink)
  const item: ReviewMode = { type, id: `item-${next.nextItem}`, review, ...untimed }
  return State.append(next, at, item, context.sink, next.nextItem + 1)
}

interface Place {
  readonly state: ViewState
  readonly at: number
}

const inOpen = (state: ViewState, context: Context): Place => {
  const next = ensureOpen(state, context)
  return { state: next, at: next.openAt }
}

/** The turn with this id; an unknown one is opened. */
const inNamed = (state: ViewState, id: string, { sink }: Context): Place => {
  const at = indexOfTurn(state, id)
  if (at >= 0) return { state, at }
  const next = State.open(state, State.newTurn(id), sink)
  return { state: next, at: next.openAt }
}

/** The open turn if it has this id, else the first one that does (R5). */
const indexOfTurn = (state: ViewState, id: string): number =>
  State.openTurn(state)?.id === id ? state.openAt : KeyedList.indexOf(state.turns, id)

/** R5: what an event tells of goes to the turn that it names; into an unknown one it does not go at all. */
const takeItemEvent = (state: ViewState, event: LiveEvent.AnyEvent, context: Context): ViewState => {
  const found = EventItem.toUpsert(event, context.options)
  if (found === undefined) return state
  const { item, turnId } = found
  const { at, state: next } = turnId === undefined ? inOpen(state, context) : { state, at: indexOfTurn(state, turnId) }
  const turn = KeyedList.get(next.turns, at)
  if (turn === undefined) return state
  // A canonical item says more than the event that repeats it.
  if (turn.isSnapshot && KeyedList.indexOf(turn.items, item.id) >= 0) return state
  return State.upsert(next, at, item, context.sink)
}

/** R14 and R15. */
const takeCanonical = (
  state: ViewState,
  event: Of<"item_completed"> | Of<"item_started">,
  context: Context
): ViewState => {
  const { item, turn_id } = event
  const isRepeated = SnapshotView.repeated.has(item.type)
  if (isRepeated && (context.options.snapshots !== "prefer" || event.type === "item_started")) return state
  if (item.type === "Plan" && item.text === "") return state
  const isReview = item.type === "EnteredReviewMode" || item.type === "ExitedReviewMode"
  const { at, state: next } =
    isReview || isRepeated ? inNamed(state, turn_id, context) : { state, at: indexOfTurn(state, turn_id) }
  if (at < 0) return state
  const view = SnapshotItem.toView(item, SnapshotView.timesOf(event), context.options)
  return State.upsert(next, at, view, context.sink, isRepeated)
}
