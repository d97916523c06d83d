/**
 * Taking turns back, and the records in which that is written (replay-semantics §1.4.2, §11.1 to §11.3).
 *
 * A rollback goes to the start of a turn: the thread is then what it was before that turn began, in history, settings,
 * reference context, world state and window together. A paginated log is cut there and goes on in another segment. A
 * legacy log gets a `thread_rolled_back` with the number of turns that its view loses; where that number would mean
 * another cut to the replay, a turn of its own puts back what it was.
 */
import * as Either from "effect/Either"
import type { ActiveTurn } from "../fold/ActiveTurn.js"
import * as ActiveTurns from "../fold/ActiveTurn.js"
import * as Boundary from "../fold/Boundary.js"
import * as Fold from "../fold/Fold.js"
import type { Mailbox } from "../fold/Mailbox.js"
import * as Mailboxes from "../fold/Mailbox.js"
import type { ModelContext, Options } from "../fold/ModelContext.js"
import * as ModelContexts from "../fold/ModelContext.js"
import type { ModeSelection } from "../fold/ModeSelection.js"
import * as ModeSelections from "../fold/ModeSelection.js"
import type { ReplayLog } from "../fold/ReplayLog.js"
import type { PreviousTurnSettings } from "../fold/ReplayScan.js"
import type { TokenUsage } from "../fold/TokenUsage.js"
import type { TurnIndex } from "../fold/TurnIndex.js"
import * as TurnIndexFold from "../fold/TurnIndex.js"
import type { ThreadView } from "../fold/view/ThreadView.js"
import * as ThreadViews from "../fold/view/ThreadView.js"
import type { WindowState } from "../fold/WindowState.js"
import * as WindowStates from "../fold/WindowState.js"
import type { JsonObject } from "../json/Json.js"
import * as MergePatch from "../json/MergePatch.js"
import * as Compacted from "../record/Compacted.js"
import * as Events from "../record/EventMsg.js"
import * as LegacyEvent from "../record/LegacyEvent.js"
import * as Mark from "../record/Mark.js"
import * as Record from "../record/Record.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import type { TurnContext } from "../record/TurnContext.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as Item from "./Item.js"
import * as TokenCount from "./TokenCount.js"
import * as TokenStatus from "./TokenStatus.js"

/** How far back: so many turns of those that are shown, or a turn with everything behind it. */
export type To = { readonly count: number } | { readonly turnId: string }

/** What it looks at. */
export interface State {
  readonly turn: ActiveTurn
  readonly mailbox: Mailbox
  readonly selection: ModeSelection
  readonly window: WindowState
  readonly index: TurnIndex
  readonly usage: TokenUsage
  /** Has to reach back to the turn: see {@link ModelContexts.Options} for how much a fold keeps. */
  readonly context: ReplayLog
  readonly view: ThreadView
}

/** A moment, and ids that were never there before. */
export interface RollbackFacts extends Facts {
  /** The id of a turn that puts back what it was, should there have to be one; a new UUID. */
  readonly turnId: string
  /** The id of the window, where the log has none; a new UUIDv7. */
  readonly windowId: string
}

/** How a rollback is written. */
export type Rollback =
  /** As records at the end of the log. */
  | { readonly kind: "append"; readonly drafts: ReadonlyArray<Draft>; readonly turnIds: ReadonlyArray<string> }
  /**
   * As a segment that stands on the records up to, and without, a position, and begins with these. What belongs to no
   * turn is carried over in them; records of a host's own behind the position stay in the segment that was left.
   */
  | {
      readonly kind: "revert"
      readonly end: number
      readonly drafts: ReadonlyArray<Draft>
      readonly turnIds: ReadonlyArray<string>
    }

/**
 * How turns are taken back. `turnIds` are those that the view loses.
 *
 * Errors: `Conflict` while a turn runs, and when the folded log does not reach back far enough; `InvalidRequest` for a
 * count below 1 or of more turns than there are; `NotFound` for a turn that the view does not show or that has no
 * recorded start. Cost: two replays of the kept log.
 */
export const decide = (to: To, state: State, facts: RollbackFacts, options: Options = {}): Decision<Rollback> => {
  const { active, thread } = state.turn
  if (thread === undefined) return Item.noHeader
  if (active !== undefined) {
    const advice = "End it first"
    return Errors.conflict("turn", "turn-active", `turn ${active.id} still runs`, advice)
  }
  return Either.flatMap(firstTurn(to, state), ({ id, turnIds }): Decision<Rollback> => {
    const start = TurnIndexFold.startOf(state.index, id)
    if (start === undefined) {
      const advice = "Roll back to a turn whose start is recorded"
      return Errors.notFound("turn", "turn", `turn ${id} has no recorded start`, advice)
    }
    if (thread.mode === "paginated") {
      return Either.right({ kind: "revert", end: start.at, drafts: carried(state, thread.id, facts), turnIds })
    }
    return Either.map(appended(id, turnIds.length, state, facts, options), (drafts) => ({
      kind: "append",
      drafts,
      turnIds
    }))
  })
}

interface First {
  readonly id: string
  readonly turnIds: ReadonlyArray<string>
}

/** The first turn to be taken back. Turns that only put something back go with the one before them. */
const firstTurn = (to: To, { index, view }: State): Decision<First> => {
  const turns = ThreadViews.turns(view)
  const isCounted = (id: string): boolean => TurnIndexFold.startOf(index, id)?.kind !== "restore"
  const from = (at: number, id: string): First => ({ id, turnIds: turns.slice(at).map((turn) => turn.id) })
  if ("turnId" in to) {
    const at = turns.findLastIndex(({ id }) => id === to.turnId)
    return at >= 0 && isCounted(to.turnId)
      ? Either.right(from(at, to.turnId))
      : Errors.notFound(
          "turnId",
          "turn",
          `there is no turn ${JSON.stringify(to.turnId)}`,
          "Name a turn that the view shows"
        )
  }
  const { count } = to
  if (!Number.isInteger(count) || count < 1) {
    return Errors.invalid("count", "out-of-range", `${count} turns cannot be taken back`, "Give a whole number from 1")
  }
  let left = count
  for (let at = turns.length - 1; at >= 0; at--) {
    const id = turns[at]?.id ?? ""
    if (isCounted(id) && --left === 0) return Either.right(from(at, id))
  }
  const detail = `there are ${count - left} turns, and ${count} were to be taken back`
  return Errors.invalid("count", "out-of-range", detail, "Give at most as many turns as there are")
}

/** What is no part of any turn and would be lost with the records behind a cut. */
const carried = ({ mailbox, selection, window }: State, thread: string, facts: Facts): ReadonlyArray<Draft> => {
  const drafts: Array<Draft> = []
  if (mailbox.used) {
    drafts.push(Drafts.own(facts, Mailboxes.kinds.waiting, { thread, mail: mailbox.mail, inputs: [] }))
  }
  if (selection.recorded) {
    drafts.push(Drafts.own(facts, ModeSelections.kind, { selection: selection.selection ?? null }))
  }
  if (window.identity !== undefined) {
    const note: WindowStates.Note = { note: "identity", ...window.identity }
    drafts.push(Drafts.own(facts, WindowStates.kind, note))
  }
  return drafts
}

const appended = (turnId: string, count: number, state: State, facts: RollbackFacts, options: Options): Decision => {
  const before = upTo(state.context, turnId)
  const target = before === undefined ? undefined : ModelContexts.read(before, options)
  if (target === undefined || !isCertain(target)) {
    return Errors.conflict(
      "turn",
      "not-loaded",
      `the folded log does not reach back to what stood before turn ${turnId}`,
      "Fold the log from its start, keeping all of it, and decide again"
    )
  }
  const rolledBack = Drafts.event(
    facts,
    Events.ThreadRolledBack.make({ type: "thread_rolled_back", num_turns: count }),
    Mark.extras(TurnIndexFold.mark, { turn: turnId })
  )
  const isEnough = isSame(replayed(state.context, [rolledBack], options), target)
  const restored = isEnough ? [] : restoring(target, before as ReplayLog, state, facts, options)
  const tokens = TokenCount.estimated(TokenStatus.estimate(target.history), state, facts)
  return Drafts.check([rolledBack, ...restored, ...(tokens === undefined ? [] : [tokens])], "turn")
}

/** The log in front of the newest start of a turn; undefined when that is not among the records it keeps. */
const upTo = (log: ReplayLog, turnId: string): ReplayLog | undefined => {
  for (let at = log.length - 1; at >= 0; at--) {
    const entry = log.records[at]
    if (entry?.kind !== "event_msg" || entry.payload.type !== "task_started") continue
    if (entry.payload.turn_id === turnId) return { ...log, length: at }
  }
  return undefined
}

const isCertain = ({ complete }: ModelContext): boolean =>
  complete.history &&
  complete.previousTurnSettings &&
  complete.referenceContext &&
  complete.worldState &&
  complete.window

/** What the log comes to with these records behind it. The folded log itself is left alone. */
const replayed = (log: ReplayLog, drafts: ReadonlyArray<Draft>, options: Options): ModelContext => {
  const copy: ReplayLog = { ...log, records: log.records.slice(0, log.length) }
  const fold = ModelContexts.fold({ ...options, keep: "all" })
  return ModelContexts.read(Fold.run(fold, drafts.map(Record.reread), copy), options)
}

/** Whether two replays give the same thread to the model. */
const isSame = (left: ModelContext, right: ModelContext): boolean =>
  isSameSettings(left.previousTurnSettings, right.previousTurnSettings) &&
  left.window.number === right.window.number &&
  left.window.id === right.window.id &&
  isEqual(left.worldState, right.worldState) &&
  isEqual(left.referenceContext, right.referenceContext) &&
  isEqual(left.history, right.history)

const isEqual = (left: unknown, right: unknown): boolean =>
  left === right ||
  (left !== undefined && right !== undefined && MergePatch.deepEqual(left as JsonObject, right as JsonObject))

const isSameSettings = (left: PreviousTurnSettings | undefined, right: PreviousTurnSettings | undefined): boolean =>
  left?.model === right?.model &&
  left?.comp_hash === right?.comp_hash &&
  left?.realtime_active === right?.realtime_active

/**
 * A turn that makes the thread what it was: a numbered compaction with the history, the world behind it, and the settings.
 *
 * It has to be a turn of its own, or the rollback would take it back too; and where there are settings to bring back it
 * has to be a user's, so what was said last stands behind the compaction instead of in it. Where all that was said reads
 * like context, an event without words has to stand for it. Views show the turn, empty, as they would show the compaction.
 */
const restoring = (
  target: ModelContext,
  log: ReplayLog,
  { window }: State,
  facts: RollbackFacts,
  { registry }: Options
): ReadonlyArray<Draft> => {
  const { history, previousTurnSettings: settings, referenceContext: reference, worldState } = target
  const { turnId } = facts
  const hasSettings = settings !== undefined || reference !== undefined
  const last = hasSettings ? history.findLastIndex((item) => Boundary.isBoundary(item, registry)) : -1
  const front = last < 0 ? history : history.slice(0, last)
  const live = WindowStates.live(window, target.window, facts.windowId)
  // The oldest settings of a turn are those that the next one compares itself with (§1.2).
  const first =
    settings !== undefined && !(reference !== undefined && isSameSettings(settingsOf(reference), settings))
      ? contextWith(settings, log)
      : undefined
  return [
    Drafts.event(
      facts,
      Events.TaskStarted.make({ type: "task_started", turn_id: turnId, started_at: Drafts.seconds(facts.now) }),
      Mark.extras(ActiveTurns.mark, { kind: "restore" })
    ),
    ...(first === undefined ? [] : [contextOf(first, turnId, facts)]),
    Drafts.record(
      facts,
      "compacted",
      Compacted.Compacted.make({
        message: "",
        replacement_history: front,
        window_number: live.number,
        first_window_id: live.firstId,
        previous_window_id: live.previousId,
        window_id: live.id
      })
    ),
    ...(worldState === undefined ? [] : [Drafts.record(facts, "world_state", { full: true, state: worldState })]),
    ...(reference === undefined ? [] : [contextOf(reference, turnId, facts)]),
    ...(last < 0 ? [] : history.slice(last).map((item: ResponseItem) => Drafts.item(facts, item))),
    ...(hasSettings && last < 0 ? [Drafts.event(facts, nothingSaid, Mark.fanout)] : []),
    Drafts.event(
      facts,
      Events.TaskComplete.make({
        type: "task_complete",
        turn_id: turnId,
        started_at: Drafts.seconds(facts.now),
        completed_at: Drafts.seconds(facts.now),
        duration_ms: 0
      })
    )
  ]
}

const nothingSaid = LegacyEvent.UserMessage.make({ type: "user_message", message: "" })

/** Settings count for the turn that they name. */
const contextOf = ({ root_turn_id: _, ...context }: TurnContext, turnId: string, facts: Facts): Draft =>
  Drafts.record(facts, "turn_context", { ...context, turn_id: turnId })

const settingsOf = (context: TurnContext): PreviousTurnSettings => ({
  model: context.model,
  comp_hash: context.comp_hash ?? undefined,
  realtime_active: context.realtime_active ?? undefined
})

/** The newest recorded settings that say the same. */
const contextWith = (settings: PreviousTurnSettings, log: ReplayLog): TurnContext | undefined => {
  for (let at = log.length - 1; at >= 0; at--) {
    const entry = log.records[at]
    if (entry?.kind === "turn_context" && isSameSettings(settingsOf(entry.payload), settings)) return entry.payload
  }
  return undefined
}
