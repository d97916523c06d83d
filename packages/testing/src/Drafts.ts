/**
 * Records that are yet to be appended, for tests of stores: those of {@link module:Script}, with times and ids of their
 * own.
 */
import type { Draft, StoredRecord } from "@skein/core/record/Record"
import type { HistoryMode } from "@skein/core/record/SessionMeta"
import * as Script from "./Script.js"

type Fields = { readonly [key: string]: unknown }

/** 2026-11-20T12:00:00.000Z in milliseconds since 1970: the moment from which {@link stamp} counts. */
export const epoch = Date.UTC(2026, 10, 20, 12)

/** The moment so many milliseconds after {@link epoch}, as records write it. */
export const stamp = (ms = 0): string => new Date(epoch + ms).toISOString()

/** The id of the nth thread (or segment) of a test, from 0. */
export const id = (n: number): string => `019c2b10-7a00-7c00-8000-${n.toString(16).padStart(12, "0")}`

/** A line as a draft. Throws when it is no record: then the test itself is wrong. */
export const of = (line: Script.Line, ms = 0, extras?: Fields): Draft => {
  const [record] = Script.log(line)
  if (record === undefined || record.kind === "unknown") throw new Error(`not a known record: ${line.type}`)
  return { timestamp: stamp(ms), type: record.kind, payload: record.payload, extras } as Draft
}

/** Lines as drafts of one moment. */
export const all = (lines: Script.Lines, ms = 0): ReadonlyArray<Draft> =>
  "type" in lines ? [of(lines as Script.Line, ms)] : lines.flatMap((line) => all(line, ms))

/** A draft of a record that was read, to be appended elsewhere; undefined for one of an unknown kind. */
export const again = (record: StoredRecord): Draft | undefined =>
  record.kind === "unknown"
    ? undefined
    : ({ timestamp: record.timestamp, type: record.kind, payload: record.payload, extras: record.extras } as Draft)

/** What a header says beside the usual. */
export interface Header {
  /** The thread's number. Default 1. */
  readonly n?: number | undefined
  readonly mode?: HistoryMode | undefined
  /** When the thread was made, in milliseconds after {@link epoch}. Default 0. */
  readonly at?: number | undefined
  /** Further fields of the payload. */
  readonly more?: Fields | undefined
}

/** The header of a thread. */
export const header = ({ at = 0, mode = "legacy", more = {}, n = 1 }: Header = {}): Draft<"session_meta"> => {
  const line = Script.header({ id: id(n), session_id: id(n), timestamp: stamp(at), history_mode: mode, ...more })
  return of(line, at) as Draft<"session_meta">
}

/** A canonical item (`item_completed`). */
export const item = (turnId: string, body: Fields, n = 1): Script.Line => ({
  type: "event_msg",
  payload: {
    type: "item_completed",
    thread_id: id(n),
    turn_id: turnId,
    item: body,
    started_at_ms: epoch,
    completed_at_ms: epoch
  }
})

/** What is said in a turn. */
export interface Turn {
  readonly id: string
  readonly user: string
  /** What the agent answers. Default: nothing. */
  readonly agent?: string | undefined
  readonly mode?: HistoryMode | undefined
  readonly at?: number | undefined
  readonly model?: string | undefined
}

/** A turn, as a thread of its mode tells it: with events, or with canonical items. All of its records are kept. */
export const turn = ({ agent, at = 0, id: turnId, mode = "legacy", model = "m", user }: Turn): ReadonlyArray<Draft> => {
  const said = mode === "legacy" ? Script.userEvent(user) : item(turnId, userItem(`${turnId}-u`, user))
  const answer =
    mode === "legacy"
      ? { type: "event_msg", payload: { type: "agent_message", message: agent, phase: null, memory_citation: null } }
      : item(turnId, agentItem(`${turnId}-a`, agent ?? ""))
  return all(
    [
      Script.started(turnId),
      Script.turnContext(turnId, model),
      Script.user(user),
      said,
      ...(agent === undefined ? [] : [answer, Script.assistant(agent)]),
      Script.completed(turnId)
    ],
    at
  )
}

/** A user message as a canonical item. */
export const userItem = (itemId: string, text: string): Fields => ({
  type: "UserMessage",
  id: itemId,
  content: [{ type: "text", text, text_elements: [] }]
})

/** A message of the agent as a canonical item; `final_answer` or `commentary`, or neither. */
export const agentItem = (itemId: string, text: string, phase?: "final_answer" | "commentary"): Fields => ({
  type: "AgentMessage",
  id: itemId,
  content: [{ type: "Text", text }],
  ...(phase === undefined ? {} : { phase })
})
