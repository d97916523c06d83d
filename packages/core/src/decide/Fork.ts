/**
 * Where a fork cuts the log of its source, and what it begins with (replay-semantics §5.1, §5.2).
 *
 * A user's fork stands on the log as it is, up to a position: rollbacks in front of it count as they did. An agent that
 * another one starts takes a part of the log along; what that part is, is told from what rollbacks have left.
 */
import * as Either from "effect/Either"
import type { ActiveTurn } from "../fold/ActiveTurn.js"
import * as EffectiveLog from "../fold/EffectiveLog.js"
import * as Fold from "../fold/Fold.js"
import type { Registry } from "../fold/Fragment.js"
import type { Mailbox } from "../fold/Mailbox.js"
import * as ReplayScan from "../fold/ReplayScan.js"
import type { TurnIndex } from "../fold/TurnIndex.js"
import * as TurnIndexFold from "../fold/TurnIndex.js"
import type { ThreadView } from "../fold/view/ThreadView.js"
import * as ThreadViewFold from "../fold/view/ThreadView.js"
import * as Events from "../record/EventMsg.js"
import * as Mark from "../record/Mark.js"
import type { StoredRecord } from "../record/Record.js"
import * as Record from "../record/Record.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import type { HistoryMode } from "../record/SessionMeta.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as TurnLifecycle from "./TurnLifecycle.js"

/** Where a user's fork cuts. */
export type At =
  /** Everything, as if the turn that runs were interrupted now. Default. */
  | { readonly at: "now"; readonly marker?: TurnLifecycle.Abort["marker"] }
  /** In front of the `n`-th thing that a user said, counted from 0; everything when there are fewer. */
  | { readonly at: "user-message"; readonly n: number }
  /** Behind a turn, which is over, or in front of one. */
  | { readonly at: "after-turn"; readonly turnId: string }
  | { readonly at: "before-turn"; readonly turnId: string }

/** What it looks at: the source. */
export interface State {
  readonly turn: ActiveTurn
  readonly mailbox: Mailbox
  readonly index: TurnIndex
  readonly view: ThreadView
}

/** What a fork stands on. */
export interface Cut {
  /** The records of the source up to, and without, this position; 0 is a new thread with nothing in it. */
  readonly end: number
  /** What the fork begins with behind them: the end of a turn that the cut leaves open. */
  readonly drafts: ReadonlyArray<Draft>
}

/**
 * What a user's fork stands on. The source's log stays as it is.
 *
 * Errors: `NotFound` for a turn that the source does not show or that has no recorded start, `Conflict` behind one that
 * still runs, `InvalidRequest` for a number that counts nothing.
 */
export const user = (at: At, state: State, facts: Facts): Decision<Cut> => {
  switch (at.at) {
    case "now":
      return now(at.marker, state, facts)
    case "user-message":
      return beforeMessage(at.n, state, facts)
    case "after-turn":
      return Either.flatMap(startOf(at.turnId, state), (start) => {
        if (state.turn.active?.id === at.turnId) {
          const advice = "Fork in front of it, or as if it were interrupted now"
          return Errors.conflict("turnId", "turn-active", `turn ${at.turnId} still runs`, advice)
        }
        const next = TurnIndexFold.startAfter(state.index, start.at)
        return Either.right(
          next === undefined ? { end: state.index.length, drafts: [] } : cut(next.at, next.over, facts)
        )
      })
    case "before-turn":
      return Either.map(startOf(at.turnId, state), (start) => cut(start.at, start.over, facts))
  }
}

/** A cut in a turn ends that turn there, for the fork; the model is told nothing, for it was asked nothing. */
const cut = (end: number, turn: TurnIndexFold.Open | undefined, facts: Facts): Cut => ({
  end,
  drafts: turn === undefined ? [] : [cutOff(turn, facts)]
})

/** The mark on the end of a turn that a fork does not go on with. */
export const mark = Mark.extras("forked")

const cutOff = ({ id, rootId, startedAt }: TurnIndexFold.Open, facts: Facts): Draft =>
  Drafts.event(
    facts,
    Events.TurnAborted.make({
      type: "turn_aborted",
      turn_id: id,
      root_turn_id: rootId,
      reason: "interrupted",
      started_at: startedAt
    }),
    mark
  )

const now = (marker: TurnLifecycle.Abort["marker"], state: State, facts: Facts): Decision<Cut> => {
  const { length: end } = state.index
  if (state.turn.active === undefined) return Either.right({ end, drafts: [] })
  return Either.map(TurnLifecycle.abort({ reason: "interrupted", marker }, state, facts), (drafts) => ({
    end,
    drafts
  }))
}

const beforeMessage = (n: number, { index, turn }: State, facts: Facts): Decision<Cut> => {
  if (!Number.isInteger(n) || n < 0) {
    return Errors.invalid("n", "out-of-range", `${n} counts nothing`, "Give a whole number from 0")
  }
  const message = TurnIndexFold.message(index, n)
  if (message !== undefined) return Either.right(cut(message.at, message.turn, facts))
  // Out of range is everything, but not a turn that is under way.
  const active = turn.active === undefined ? undefined : TurnIndexFold.startOf(index, turn.active.id)
  return Either.right(active === undefined ? { end: index.length, drafts: [] } : cut(active.at, active.over, facts))
}

/** The recorded start of a turn. */
const startOf = (turnId: string, { index, view }: State): Decision<TurnIndexFold.Start> => {
  if (ThreadViewFold.turn(view, turnId) === undefined) {
    const detail = `there is no turn ${JSON.stringify(turnId)}`
    return Errors.notFound("turnId", "turn", detail, "Name a turn that the view shows; rolled back ones are gone")
  }
  const start = TurnIndexFold.startOf(index, turnId)
  return start === undefined
    ? Errors.notFound(
        "turnId",
        "turn",
        `turn ${turnId} has no recorded start`,
        "Fork at another turn, or in front of one of the user's messages"
      )
    : Either.right(start)
}

/** How much of its parent's history an agent that it starts is given. */
export type Turns = "none" | "all" | number

/**
 * What `fork_turns` says. Errors: `InvalidRequest` unless it is `none`, `all`, nothing, or a whole number from 1; also for
 * a role of its own beside the whole history.
 */
export const turnsOf = (text: string | undefined, role?: string | undefined): Decision<Turns> => {
  if (text === "none") return Either.right("none")
  if (text === undefined || text === "all") {
    if (role === undefined) return Either.right("all")
    const detail = "an agent with the whole history has its parent's role"
    return Errors.invalid("role", "contradictory", detail, "Leave the role out, or give it less of the history")
  }
  const count = /^[1-9][0-9]*$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(count)
    ? Either.right(count)
    : Errors.invalid("fork_turns", "malformed", `${JSON.stringify(text)} is no count`, "Write none, all or 1, 2, 3, …")
}

/** An agent that is started with a part of its parent's history. */
export interface Spawn {
  readonly turns: Turns
  /** How the child's log is kept. Default: as its parent's. */
  readonly mode?: HistoryMode | undefined
  /** Messages that told the parent who it is; the child is not told them. */
  readonly hints?: ReadonlyArray<string> | undefined
  /**
   * What the child is told of who it is. It stands behind the whole history; an agent with less of it is told with the
   * context of its first turn.
   */
  readonly ownHint?: string | undefined
  readonly registry?: Registry | undefined
}

/** What a started agent begins with. */
export interface Inherited {
  /** The records of its parent, as it takes them along; the parent's header among them where it is kept. */
  readonly records: ReadonlyArray<StoredRecord>
  /** What stands behind them and is inherited too: the end of the turn that the parent is in, and who the child is. */
  readonly drafts: ReadonlyArray<Draft>
}

/**
 * What a started agent begins with.
 *
 * Rollbacks are applied first, so that dropping an item never changes what a rollback took (§11.5). A turn counts from
 * something that a user said, or mail that started it.
 *
 * @param records The whole effective log of the parent, as it is stored. Cost: that log, a few times.
 */
export const spawn = (command: Spawn, records: ReadonlyArray<StoredRecord>, facts: Facts): Inherited => {
  const { hints, mode, ownHint, registry, turns } = command
  if (turns === "none") return { records: [], drafts: [] }
  const effective = EffectiveLog.of(records, { registry })
  const taken = turns === "all" ? effective : lastTurns(effective, turns, registry)
  const first = records.find((record) => record.kind === "session_meta")
  const own = first?.payload.history_mode ?? "legacy"
  const rule = { isFull: turns === "all", paginated: (mode ?? own) === "paginated", hints: new Set(hints) }
  const kept = taken.flatMap((record) => filtered(record, rule) ?? [])
  const running = TurnIndexFold.open(Fold.run(TurnIndexFold.fold(registry), kept))
  return {
    records: kept,
    drafts: [
      ...(running === undefined ? [] : [cutOff(running, facts)]),
      ...(ownHint === undefined || turns !== "all" ? [] : [hint(ownHint, facts)])
    ]
  }
}

const hint = (text: string, facts: Facts): Draft =>
  Drafts.item(facts, { type: "message", role: "developer", content: [{ type: "input_text", text }] })

/** The log from its n-th turn from the end, or from its first one; what stands in front of that always goes. */
const lastTurns = (
  records: ReadonlyArray<StoredRecord>,
  n: number,
  registry: Registry | undefined
): ReadonlyArray<StoredRecord> => {
  const index = Fold.run(TurnIndexFold.fold(registry), records)
  const at = TurnIndexFold.forkTurns(index)
  const from = at[Math.max(0, at.length - n)]
  return n === 0 || from === undefined ? [] : records.slice(from)
}

interface Rule {
  readonly isFull: boolean
  readonly paginated: boolean
  readonly hints: ReadonlySet<string>
}

/** The record as a child takes it along; undefined when it does not (the table of replay-semantics §5.2). */
const filtered = (record: StoredRecord, rule: Rule): StoredRecord | undefined => {
  switch (record.kind) {
    case "response_item":
      return isKept(record.payload, rule) ? record : undefined
    case "inter_agent_communication":
    case "inter_agent_communication_metadata":
      return undefined
    case "turn_context":
    case "world_state":
      return rule.isFull ? record : undefined
    case "compacted":
      // It would bring back what stands in front of the last turns (§5.2 [W]).
      return rule.isFull ? withoutHints(record, rule) : undefined
    case "event_msg": {
      const dropped = rule.paginated && notInPaginated.has(record.payload.type)
      return dropped ? undefined : record
    }
    default:
      return record
  }
}

const notInPaginated: ReadonlySet<string> = new Set([
  "item_completed",
  "token_count",
  "thread_goal_updated",
  "thread_settings_applied"
])

const isKept = (item: ResponseItem, { hints }: Rule): boolean => {
  if (item.type !== "message") return false
  if (item.role === "assistant") return item.phase === "final_answer"
  return !isHint(item, hints)
}

const isHint = (item: ResponseItem, hints: ReadonlySet<string>): boolean => {
  if (item.type !== "message" || item.role !== "developer" || item.content.length !== 1) return false
  const [part] = item.content
  return part?.type === "input_text" && hints.has(part.text)
}

/** The compaction without what told the parent who it is. */
const withoutHints = (record: Record.Of<"compacted">, { hints }: Rule): StoredRecord => {
  const { extras, ordinal, payload, timestamp } = record
  if (!ReplayScan.hasReplacement(payload) || !payload.replacement_history.some((item) => isHint(item, hints))) {
    return record
  }
  const replacement_history = payload.replacement_history.filter((item) => !isHint(item, hints))
  return Record.reread({ timestamp, ordinal, type: "compacted", payload: { ...payload, replacement_history }, extras })
}
