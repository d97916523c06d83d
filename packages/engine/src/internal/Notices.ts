/** From records that were just stored to what clients are told of them (thread-view §2.4, §2.5). */
import * as Custom from "@skein/core/decide/Custom"
import * as Mailboxes from "@skein/core/fold/Mailbox"
import type { TurnFacts } from "@skein/core/fold/view/Turn"
import * as Mark from "@skein/core/record/Mark"
import type { Of, StoredRecord } from "@skein/core/record/Record"
import * as Timestamp from "@skein/core/record/Timestamp"
import type { TokenUsage, TokenUsageInfo } from "@skein/core/record/Usage"
import { Either } from "effect"
import type { Notification, Status, Tokens } from "../Notification.js"
import type { Options } from "../Options.js"
import type { State, Step } from "./State.js"

/** What notices are made from beside a record. */
export interface Frame {
  readonly threadId: string
  readonly options: Options
  /** How the thread stands in a state. */
  readonly status: (state: State) => Status
}

/** What clients are told of one record, in order. `before` is the state in front of it. */
export const of = (
  record: StoredRecord,
  before: State,
  { changes, state }: Step,
  frame: Frame
): ReadonlyArray<Notification> => {
  const { threadId } = frame
  const told: Array<Notification> = []
  if (changes.removedTurnIds.length > 0) {
    told.push({ type: "turns/removed", threadId, turnIds: changes.removedTurnIds })
  }
  const ended = changes.changedTurns.filter((turn) => turn.status !== "inProgress")
  for (const turn of ended) {
    if (turn.status === "failed" && turn.error !== null) {
      told.push({ type: "error", threadId, turnId: turn.id, error: turn.error, willRetry: false })
    }
  }
  const status = statusOf(before, state, frame)
  if (status !== undefined) told.push({ type: "thread/status/changed", threadId, status })
  for (const turn of changes.changedTurns) {
    const type = turn.status === "inProgress" ? "turn/started" : "turn/completed"
    told.push({ type, threadId, turn: bare(turn) })
  }
  for (const { item, turnId } of changes.changedItems) {
    const completedAtMs = item.completedAtMs ?? Timestamp.parse(record.timestamp) ?? 0
    told.push({ type: "item/completed", threadId, turnId, item, completedAtMs })
  }
  if (record.kind === "event_msg") told.push(...ofEvent(record, before, state, frame))
  return told
}

/** The turn as it is told at its start and its end: its items are told by themselves. */
const bare = ({ completedAt, durationMs, error, id, rootTurnId, startedAt, status }: TurnFacts) => ({
  id,
  rootTurnId,
  status,
  error,
  startedAt,
  completedAt,
  durationMs,
  items: [],
  itemsView: "notLoaded" as const
})

const statusOf = (before: State, after: State, { status }: Frame): Status | undefined => {
  if (before.turn.active?.id === after.turn.active?.id && before.failed === after.failed) return undefined
  const [was, is] = [status(before), status(after)]
  return was.type === is.type ? undefined : is
}

const ofEvent = (
  record: Of<"event_msg">,
  before: State,
  state: State,
  { options, threadId }: Frame
): ReadonlyArray<Notification> => {
  const { payload } = record
  if (payload.type !== "token_count") return []
  const info = payload.info ?? undefined
  if (info !== undefined) return [usage(threadId, state.turn.active?.id, info)]
  const mark = Mark.carried(record)
  switch (mark?.kind) {
    case Mailboxes.kinds.mail: {
      const mail = state.mailbox.mail.at(-1)
      if (mail === undefined || state.mailbox.mail.length === before.mailbox.mail.length) return []
      const startsTurn = mail.triggerTurn && state.turn.active === undefined
      return [{ type: "mail/received", threadId, mailId: mail.id, author: mail.author, startsTurn }]
    }
    case Mailboxes.kinds.input: {
      const input = state.mailbox.inputs.at(-1)
      if (input === undefined || state.mailbox.inputs.length === before.mailbox.inputs.length) return []
      return [{ type: "turn/steered", threadId, turnId: input.turnId, inputId: input.id }]
    }
    case Custom.mark:
      return ofCustom(record, state, options, threadId)
    default:
      return []
  }
}

const ofCustom = (
  record: StoredRecord,
  state: State,
  { customs = new Map(), unknown }: Options,
  threadId: string
): ReadonlyArray<Notification> => {
  const turnId = state.turn.active?.id ?? state.turn.previousId ?? ""
  const found = Custom.read(customs, record, unknown)
  // What the policy makes an error of is one for whoever reads it; here it is told.
  if (Either.isLeft(found)) return [{ type: "warning", threadId, turnId, message: found.left.message }]
  switch (found.right._tag) {
    case "Event": {
      const { kind, value, version } = found.right
      return [{ type: "custom", threadId, kind, version, value }]
    }
    case "Unread":
      return [{ type: "warning", threadId, turnId, message: found.right.detail }]
    case "None":
      return []
  }
}

/** The notification of a thread's token usage. */
export const usage = (threadId: string, turnId: string | undefined, info: TokenUsageInfo): Notification => ({
  type: "thread/tokenUsage/updated",
  threadId,
  turnId,
  tokenUsage: {
    total: tokens(info.total_token_usage),
    last: tokens(info.last_token_usage),
    modelContextWindow: info.model_context_window ?? undefined
  }
})

const tokens = (counts: TokenUsage): Tokens => ({
  totalTokens: counts.total_tokens,
  inputTokens: counts.input_tokens,
  cachedInputTokens: counts.cached_input_tokens,
  cacheWriteInputTokens: counts.cache_write_input_tokens ?? 0,
  outputTokens: counts.output_tokens,
  reasoningOutputTokens: counts.reasoning_output_tokens
})
