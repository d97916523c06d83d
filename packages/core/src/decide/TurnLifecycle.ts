/**
 * The life of a turn: start, input, steering, completion, abort (replay-semantics §9).
 *
 * At most one turn of a thread runs. What is said into it waits until its next step and is told then; what still waits
 * when it ends is told before its end is recorded, so nothing that a user said is lost (§11.8).
 */
import * as Either from "effect/Either"
import type { Active, ActiveTurn, Identity, TurnKind } from "../fold/ActiveTurn.js"
import * as ActiveTurnFold from "../fold/ActiveTurn.js"
import type { Mailbox } from "../fold/Mailbox.js"
import * as MailboxFold from "../fold/Mailbox.js"
import type { ModeKind } from "../record/Collaboration.js"
import type { ErrorBody } from "../record/ErrorInfo.js"
import * as Events from "../record/EventMsg.js"
import * as Mark from "../record/Mark.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as Input from "./Input.js"
import * as Item from "./Item.js"
import * as ModelItem from "./ModelItem.js"
import * as TurnSettings from "./TurnSettings.js"

/** What these decisions look at. */
export interface State {
  readonly turn: ActiveTurn
  readonly mailbox: Mailbox
}

/** How a turn is started. */
export interface Start {
  /** A new UUID. */
  readonly turnId: string
  /** What it is for. Default `regular`. */
  readonly kind?: Exclude<TurnKind, "restore"> | undefined
  /** What to do when another turn runs: say so, or end that one as `replaced`. Default `refuse`. */
  readonly onActive?: "refuse" | "replace" | undefined
  /** Tokens that the model's context holds. */
  readonly contextWindow?: number | undefined
  readonly mode?: ModeKind | undefined
  /** The turn that it was started for. Default: itself. */
  readonly rootTurnId?: string | undefined
}

/**
 * The records of a turn's start; with `replace`, those that end the running turn come first.
 *
 * Errors: `Conflict` when another turn runs or had this id just before, `InvalidRequest` for an empty id.
 */
export const start = (command: Start, state: State, facts: Facts): Decision => {
  const { active, previousId, thread } = state.turn
  const { contextWindow, kind, mode, rootTurnId, turnId } = command
  if (thread === undefined) return Item.noHeader
  if (turnId === "") return Errors.invalid("turnId", "empty", "the turn has no id", "Give each turn a new UUID")
  if (turnId === active?.id || turnId === previousId) {
    return Errors.conflict("turnId", "turn-id-taken", `${turnId} was a turn already`, "Give each turn a new UUID")
  }
  if (active !== undefined && command.onActive !== "replace") {
    const advice = "End it first, steer it, or start with onActive: replace"
    return Errors.conflict("turn", "turn-active", `turn ${active.id} still runs`, advice)
  }
  const started = Drafts.event(
    facts,
    Events.TaskStarted.make({
      type: "task_started",
      turn_id: turnId,
      root_turn_id: rootTurnId ?? turnId,
      started_at: Drafts.seconds(facts.now),
      model_context_window: contextWindow,
      collaboration_mode_kind: mode ?? "default"
    }),
    kind === undefined || kind === "regular" ? undefined : Mark.extras(ActiveTurnFold.mark, { kind })
  )
  const replaced = active === undefined ? [] : ending(active, thread, state, { reason: "replaced" }, facts)
  return Drafts.check([...replaced, started], "turn")
}

/** The record of a turn's settings, to be written before what the user says. Errors: as {@link TurnSettings.of}. */
export const settings = (command: TurnSettings.Settings, state: State, facts: Facts): Decision =>
  Either.flatMap(running(state), ({ active }) =>
    Either.flatMap(TurnSettings.of(command, active), (context) =>
      Drafts.check([Drafts.record(facts, "turn_context", context)], "settings")
    )
  )

/** The records of what a user gives to the turn that runs, told at once. Errors: as {@link Input.checked}. */
export const input = (command: Input.Command, state: State, facts: Facts): Decision =>
  Either.flatMap(running(state), ({ active, thread }) =>
    Either.map(Input.checked(command), (checked) => Input.drafts(checked, active.id, thread, facts))
  )

/** What is said while a turn runs. */
export interface Steer extends Input.Command {
  /** The turn that it is meant for; another one is not steered. */
  readonly expectedTurnId?: string | undefined
}

/**
 * The record that something waits to be told: the next step of the turn tells it ({@link Mail.drain}).
 *
 * Errors: `Conflict` when no turn runs, another one runs than expected, or one that takes no input (a review, a
 * compaction); `InvalidRequest` as {@link Input.checked}.
 */
export const steer = (command: Steer, state: State, facts: Facts): Decision =>
  Either.flatMap(steerable(command.expectedTurnId, state), ({ active, thread }) =>
    Either.flatMap(Input.checked(command), ({ clientId, content, id, message }) =>
      queued({ id, turnId: active.id, clientId, content, message }, thread, state, facts)
    )
  )

/** Items that a host puts into a running turn, as the model is to see them. */
export interface Inject {
  readonly items: ReadonlyArray<ResponseItem>
  /** A new UUID. */
  readonly id: string
  readonly expectedTurnId?: string | undefined
}

/** The record that items wait to be told. Errors: as {@link steer}, and `InvalidRequest` for items of no known shape. */
export const inject = (command: Inject, state: State, facts: Facts): Decision =>
  Either.flatMap(steerable(command.expectedTurnId, state), ({ active, thread }) => {
    const { id, items } = command
    if (items.length === 0) return Errors.invalid("items", "empty", "there are no items", "Give at least one item")
    const drafts = items.map((item) => Drafts.item(facts, item))
    return Either.flatMap(Drafts.check(drafts, "items"), () =>
      queued({ id, turnId: active.id, items: items.map(ModelItem.written) }, thread, state, facts)
    )
  })

const queued = (input: MailboxFold.Input, thread: Identity, state: State, facts: Facts): Decision => {
  if (input.id === "") return Errors.invalid("id", "empty", "the input has no id", "Give each input a new UUID")
  if (state.mailbox.inputs.some(({ id }) => id === input.id)) {
    return Errors.invalid("id", "duplicate", `${input.id} waits already`, "Give each input a new UUID")
  }
  const data = { thread: thread.id, input: MailboxFold.Input.make(input) }
  return Drafts.check([Drafts.own(facts, MailboxFold.kinds.input, data)], "input")
}

/** How a turn ends by itself. */
export interface Complete {
  /** Why it failed, if it did. */
  readonly error?: ErrorBody | undefined
  /** Default: what the agent said last in it. */
  readonly lastMessage?: string | undefined
  readonly timeToFirstTokenMs?: number | undefined
  readonly expectedTurnId?: string | undefined
}

/** The records that end the turn; what still waits comes before its end. Errors: `Conflict`, `InvalidRequest`. */
export const complete = (command: Complete, state: State, facts: Facts): Decision =>
  Either.flatMap(running(state, command.expectedTurnId), ({ active, thread }) => {
    const completed = Events.TaskComplete.make({
      type: "task_complete",
      turn_id: active.id,
      root_turn_id: active.rootId,
      last_agent_message: command.lastMessage ?? active.lastMessage,
      error: command.error,
      ...times(active, facts),
      time_to_first_token_ms: command.timeToFirstTokenMs
    })
    const left = Input.waiting(state.mailbox.inputs, active.id, thread, facts)
    return Drafts.check([...left, Drafts.event(facts, completed)], "turn")
  })

/** Why a turn is stopped (rollout-format §5.1). */
export type AbortReason = Events.TurnAborted["reason"]

/** The reasons there are. */
export const abortReasons: ReadonlyArray<AbortReason> = ["interrupted", "replaced", "review_ended", "budget_limited"]

/** How a turn is stopped. */
export interface Abort {
  readonly reason: AbortReason
  /**
   * As whom the model is told of an interruption; the reference says it as the developer under multi-agent version v2,
   * else as the user. `none` tells it nothing. Default `user`. Other reasons tell it nothing.
   */
  readonly marker?: "user" | "developer" | "none" | undefined
  readonly expectedTurnId?: string | undefined
  /** A mark on the record of the abort. */
  readonly mark?: Mark.Extras | undefined
}

/** What the model reads of an interruption. */
export const interruption =
  "<turn_aborted>\nThe turn was stopped before it was done. Commands that ran may have done part of their work, and may still be running.\n</turn_aborted>"

/** The records that stop the turn; what still waits comes before its end. Errors: `Conflict`, `InvalidRequest`. */
export const abort = (command: Abort, state: State, facts: Facts): Decision => {
  if (!abortReasons.includes(command.reason)) {
    const detail = `${JSON.stringify(command.reason)} is no reason`
    return Errors.invalid("reason", "malformed", detail, `Give one of ${abortReasons.join(", ")}`)
  }
  return Either.map(running(state, command.expectedTurnId), ({ active, thread }) =>
    ending(active, thread, state, command, facts)
  )
}

const ending = (
  active: Active,
  thread: Identity,
  state: State,
  { marker = "user", mark, reason }: Abort,
  facts: Facts
): ReadonlyArray<Draft> => {
  const told: Array<Draft> = []
  if (reason === "interrupted" && marker !== "none") {
    const content = [{ type: "input_text" as const, text: interruption }]
    const item = { type: "message" as const, role: marker, content }
    told.push(...ModelItem.ofTurn(item, active.id, thread, facts, { name: "interruption" }))
  }
  const aborted = Events.TurnAborted.make({
    type: "turn_aborted",
    turn_id: active.id,
    root_turn_id: active.rootId,
    reason,
    ...times(active, facts)
  })
  const left = Input.waiting(state.mailbox.inputs, active.id, thread, facts)
  return [...left, ...told, Drafts.event(facts, aborted, mark)]
}

const times = (active: Active, facts: Facts) => ({
  started_at: active.startedAt,
  completed_at: Drafts.seconds(facts.now),
  duration_ms: active.startedAtMs === undefined ? undefined : Math.max(0, Math.floor(facts.now) - active.startedAtMs)
})

/** A turn that runs, and whose it is. */
export interface Running {
  readonly active: Active
  readonly thread: Identity
}

/** The turn that runs. Errors: `Conflict` when none does, or another one than expected. */
export const running = (state: Pick<State, "turn">, expectedTurnId?: string | undefined): Decision<Running> => {
  const { active, thread } = state.turn
  if (thread === undefined) return Item.noHeader
  if (active === undefined) {
    return Errors.conflict("turn", "no-active-turn", "no turn runs", "Start a turn first")
  }
  if (expectedTurnId !== undefined && expectedTurnId !== active.id) {
    const detail = `turn ${active.id} runs, not ${expectedTurnId}`
    return Errors.conflict("turn", "other-turn", detail, "Look at the thread again before you go on")
  }
  return Either.right({ active, thread })
}

const steerable = (expectedTurnId: string | undefined, state: State): Decision<Running> =>
  Either.flatMap(running(state, expectedTurnId), (found) =>
    found.active.kind === "regular"
      ? Either.right(found)
      : Errors.conflict(
          "turn",
          "not-steerable",
          `turn ${found.active.id} is a ${found.active.kind} and takes no input`,
          "Wait for its end"
        )
  )
