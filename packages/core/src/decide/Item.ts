/**
 * Which records a thing of a turn becomes, in either form of log (rollout-format §5.3 and §6, thread-view §1.9).
 *
 * A paginated log keeps the canonical snapshot. A legacy log is written in an *enriched* form: the snapshot as well, and
 * behind it the events that tell older readers of the same thing, each with the mark `fanout`, which our own views pass
 * over. Items whose snapshot older readers take from a legacy log anyway have no such events.
 */

import * as Either from "effect/Either"
import type { ActiveTurn } from "../fold/ActiveTurn.js"
import * as FanOut from "../fold/view/FanOut.js"
import type { LiveEvent } from "../fold/view/LiveEvent.js"
import type { ThreadView } from "../fold/view/ThreadView.js"
import * as ThreadViewFold from "../fold/view/ThreadView.js"
import type { EventMsg, ItemStarted } from "../record/EventMsg.js"
import * as Events from "../record/EventMsg.js"
import * as ExtensionItem from "../record/ExtensionItem.js"
import * as Mark from "../record/Mark.js"
import type { HistoryMode } from "../record/SessionMeta.js"
import * as Shape from "../record/Shape.js"
import type { TurnItem } from "../record/TurnItem.js"
import * as TurnItems from "../record/TurnItem.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as PersistencePolicy from "./PersistencePolicy.js"

/** A thing of a turn, as it is now. */
export interface Command {
  readonly item: TurnItem
  /** Default: the turn that runs. An earlier one takes what comes late for it. */
  readonly turnId?: string | undefined
  /** When it began, in milliseconds since 1970. Default: now. */
  readonly startedAtMs?: number | undefined
  /** Whether older readers are told of the model's thinking itself and not only of its summary. Default no. */
  readonly rawReasoning?: boolean | undefined
}

/** What these decisions look at. */
export interface State {
  readonly turn: ActiveTurn
  /** Needed for things that come late. */
  readonly view?: ThreadView | undefined
}

/** What to tell of an item that begins; no log keeps it (rollout-format §5.5). */
export interface Started {
  readonly event: ItemStarted
  /** The same for those who know the older events only (thread-view §1.9). */
  readonly events: ReadonlyArray<EventMsg | LiveEvent>
}

/** What a thing that begins comes to: events for whoever watches, and no records. Errors: as {@link completed}. */
export const started = (command: Command, state: State, facts: Facts): Decision<Started> =>
  Either.map(placed(command, state), ({ item, threadId, turnId }): Started => {
    const startedAtMs = command.startedAtMs ?? facts.now
    return {
      event: Events.ItemStarted.make({
        type: "item_started",
        thread_id: threadId,
        turn_id: turnId,
        item,
        started_at_ms: startedAtMs
      }),
      events: FanOut.onStarted(item, { turnId, atMs: startedAtMs })
    }
  })

/**
 * The records of a thing that is finished, or of its newest state. A further record of the same id replaces what the
 * view shows of it. Cost: its fields, and {@link Drafts.check}.
 *
 * Errors: `Conflict` without a turn or header, `NotFound` for a turn that the view does not have, `InvalidRequest` for
 * an item of no known shape or with an empty id.
 */
export const completed = (command: Command, state: State, facts: Facts): Decision =>
  Either.flatMap(placed(command, state), ({ item, mode, threadId, turnId }) => {
    const { rawReasoning, startedAtMs } = command
    return Drafts.check(snapshot({ item, turnId, threadId, mode, startedAtMs, rawReasoning }, facts), "item")
  })

/** A finished item with everything that its records say. */
export interface Finished {
  readonly item: TurnItem
  readonly turnId: string
  readonly threadId: string
  readonly mode: HistoryMode
  readonly startedAtMs?: number | undefined
  readonly rawReasoning?: boolean | undefined
}

/** The records of a finished item whose place is known; {@link completed} without its questions. Cost: its fields. */
export const snapshot = (finished: Finished, facts: Facts): ReadonlyArray<Draft> => {
  const { item, mode, rawReasoning, startedAtMs, threadId, turnId } = finished
  const atMs = Math.floor(facts.now)
  const completed = Events.ItemCompleted.make({
    type: "item_completed",
    thread_id: threadId,
    turn_id: turnId,
    item: written(item),
    started_at_ms: startedAtMs ?? atMs,
    completed_at_ms: atMs
  })
  const drafts = [Drafts.event(facts, completed)]
  if (mode === "paginated" || isKept("legacy", completed)) return drafts
  for (const event of FanOut.onCompleted(item, { turnId, atMs, rawReasoning })) {
    if (isEvent(event) && isKept("legacy", event)) drafts.push(Drafts.event(facts, event, Mark.fanout))
  }
  return drafts
}

const isKept = (mode: HistoryMode, payload: EventMsg): boolean =>
  PersistencePolicy.decide({ kind: "event_msg", payload }, mode) === "keep"

const isEvent = (event: EventMsg | LiveEvent): event is EventMsg => Events.isKnown(event.type)

/** The item as it is written: keys in order, what is unset left out or null as the format has it. */
export const written = (item: TurnItem): TurnItem => {
  const make = (
    item.type === "Extension" ? ExtensionItem.variants[item.kind].make : TurnItems.variants[item.type].make
  ) as (input: TurnItem) => TurnItem
  return make(item)
}

/** Checks an item, and finds the turn that it goes to. */
const placed = (command: Command, state: State): Decision<Finished> => {
  const { thread } = state.turn
  if (thread === undefined) return noHeader
  const item: unknown = command.item
  if (!Shape.matches(TurnItems.schema, item)) {
    const { message, path } = Shape.explain(TurnItems.schema, item)
    const field = ["item", ...path.map(String)].join(".")
    return Errors.invalid(field, "malformed", message, "Give an item of a shape of record/TurnItem")
  }
  if (command.item.id === "") {
    return Errors.invalid("item.id", "empty", "the item has no id", "Give each item an id of its own")
  }
  return Either.map(turnOf(command.turnId, state), (turnId) => ({
    item: command.item,
    turnId,
    threadId: thread.id,
    mode: thread.mode
  }))
}

/** The decision about a thread of which no header was read. */
export const noHeader = Errors.conflict(
  "thread",
  "no-header",
  "the log has no readable session_meta",
  "Start a new thread, or bring the header back"
)

/**
 * The turn that a command is for: the active one, or the one that it names, which may be over. Errors: `Conflict` when
 * no turn runs and none is named, `NotFound` when the view does not show the named one.
 */
export const turnOf = (named: string | undefined, { turn, view }: State): Decision<string> => {
  const active = turn.active?.id
  if (named === undefined) {
    return active === undefined
      ? Errors.conflict("turn", "no-active-turn", "no turn runs", "Start a turn first")
      : Either.right(active)
  }
  const isThere = named === active || (view !== undefined && ThreadViewFold.turn(view, named) !== undefined)
  return isThere
    ? Either.right(named)
    : Errors.notFound("turn", "turn", `there is no turn ${JSON.stringify(named)}`, "Name a turn that the view shows")
}
