/**
 * Which turn of a thread runs, if one does, and what a decision about it needs to know (replay-semantics §9).
 *
 * A turn runs from its start to its end, in the log: whether a process is at work on it, no log can tell. After a crash
 * the unfinished turn is still the active one, until its end is recorded.
 */
import * as Mark from "../record/Mark.js"
import { canonicalUuid } from "../record/Primitive.js"
import type { Of, StoredRecord } from "../record/Record.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import * as SessionMeta from "../record/SessionMeta.js"
import * as Timestamp from "../record/Timestamp.js"
import type { TurnContext } from "../record/TurnContext.js"
import * as Fold from "./Fold.js"

/**
 * What a turn is for: the user's or another agent's words, a review, a compaction, or to bring back what a rollback
 * would otherwise lose.
 */
export type TurnKind = "regular" | "review" | "compact" | "restore"

/** The turn that runs. */
export interface Active {
  readonly id: string
  /** The turn that it was started for, where its start says so. */
  readonly rootId: string | undefined
  readonly kind: TurnKind
  /** When it began: in seconds since 1970 as its start says, and in milliseconds as its line does. */
  readonly startedAt: number | undefined
  readonly startedAtMs: number | undefined
  /** The newest settings recorded for it. */
  readonly context: TurnContext | undefined
  /** What the agent said last in it. */
  readonly lastMessage: string | undefined
}

/** Who a thread is: of its first header, which is its own (rollout-format §2.1). */
export interface Identity {
  readonly id: string
  readonly sessionId: string
  readonly mode: SessionMeta.HistoryMode
}

/** The state of the fold. */
export interface ActiveTurn {
  /** Undefined while no header could be read. */
  readonly thread: Identity | undefined
  readonly active: Active | undefined
  /** The turn before it, whose end may come late and says nothing of the active one. */
  readonly previousId: string | undefined
}

/** The state before any record. */
export const empty: ActiveTurn = { thread: undefined, active: undefined, previousId: undefined }

/** The mark on the start of a turn that is none of the user's: its data is `{kind}`. */
export const mark = "turn"

/** The fold. Cost: constant per record, and the text of what the agent says. */
export const fold: Fold.Fold<ActiveTurn> = Fold.make(empty, (state, record) => step(state, record))

const step = (state: ActiveTurn, record: StoredRecord): ActiveTurn => {
  switch (record.kind) {
    case "session_meta":
      return state.thread === undefined ? { ...state, thread: identityOf(record.payload) } : state
    case "turn_context": {
      const { active } = state
      const id = record.payload.turn_id ?? undefined
      return active === undefined || (id !== undefined && id !== active.id)
        ? state
        : { ...state, active: { ...active, context: record.payload } }
    }
    case "response_item": {
      const lastMessage = state.active === undefined ? undefined : textOf(record.payload)
      return state.active === undefined || lastMessage === undefined
        ? state
        : { ...state, active: { ...state.active, lastMessage } }
    }
    case "event_msg":
      return takeEvent(state, record)
    default:
      return state
  }
}

const identityOf = (meta: SessionMeta.SessionMeta): Identity => ({
  id: canonicalUuid(meta.id),
  sessionId: canonicalUuid(meta.session_id),
  mode: SessionMeta.historyMode(meta)
})

/** What the agent says in an item; undefined for other items and for nothing. */
const textOf = (item: ResponseItem): string | undefined => {
  if (item.type !== "message" || item.role !== "assistant") return undefined
  let text = ""
  for (const part of item.content) if (part.type === "output_text") text += part.text
  return text === "" ? undefined : text
}

const takeEvent = (state: ActiveTurn, record: Of<"event_msg">): ActiveTurn => {
  const { payload } = record
  switch (payload.type) {
    case "task_started":
      return {
        ...state,
        previousId: state.active?.id ?? state.previousId,
        active: {
          id: payload.turn_id,
          rootId: payload.root_turn_id ?? undefined,
          kind: kindOf(record),
          startedAt: payload.started_at ?? undefined,
          startedAtMs: Timestamp.parse(record.timestamp),
          context: undefined,
          lastMessage: undefined
        }
      }
    case "task_complete":
      return ended(state, payload.turn_id)
    case "turn_aborted":
      return ended(state, payload.turn_id ?? undefined)
    case "thread_rolled_back":
      return state.active === undefined ? state : { ...state, active: undefined, previousId: state.active.id }
    default:
      return state
  }
}

const kinds: ReadonlySet<unknown> = new Set<TurnKind>(["review", "compact", "restore"])

/** What a turn is for, as the mark on its start says. */
export const kindOf = (start: Pick<StoredRecord, "extras">): TurnKind => {
  const found = Mark.of(start)
  if (found?.kind !== mark) return "regular"
  const kind = (found.data as { readonly kind?: unknown } | null | undefined)?.kind
  return kinds.has(kind) ? (kind as TurnKind) : "regular"
}

/** An end that fits no start ends the turn that runs, for a review ends under another id than it began with. */
const ended = (state: ActiveTurn, id: string | undefined): ActiveTurn => {
  const { active } = state
  if (active === undefined) return state
  if (id !== undefined && id !== active.id && id === state.previousId) return state
  return { ...state, active: undefined, previousId: active.id }
}
