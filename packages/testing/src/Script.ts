/**
 * Logs for tests, written by hand: a function for each kind of line, and {@link log}, which makes records of them.
 *
 * Every line goes through the codec as one that is read from a file does, so a log that this module makes is one that
 * a store could hold.
 */
import * as Jsonl from "@skein/core/record/Jsonl"
import type { StoredRecord } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"

/** A line that is not yet a record. */
export interface Line {
  readonly type: string
  readonly payload: unknown
}

/** The thread of {@link header}. */
export const threadId = "019c2b10-7a00-7c00-8000-0000000000a1"

const event = (payload: unknown): Line => ({ type: "event_msg", payload })
const item = (payload: unknown): Line => ({ type: "response_item", payload })
const message = (role: string, text: string, part = "input_text"): Line =>
  item({ type: "message", role, content: [{ type: part, text }] })

/** The start of a turn (`task_started`). */
export const started = (turn_id: string): Line => event({ type: "task_started", turn_id })
/** The end of a turn (`task_complete`). */
export const completed = (turn_id: string): Line => event({ type: "task_complete", turn_id, last_agent_message: null })
/** The interruption of a turn (`turn_aborted`), of the open one when it has no id. */
export const aborted = (turn_id?: string): Line =>
  event({ type: "turn_aborted", reason: "interrupted", ...(turn_id === undefined ? {} : { turn_id }) })
/** The event beside a user message of a legacy log (`user_message`). */
export const userEvent = (text = "hi"): Line => event({ type: "user_message", message: text })
/** A rollback of so many turns (`thread_rolled_back`). */
export const rollback = (num_turns: number): Line => event({ type: "thread_rolled_back", num_turns })
/** A token count; null is one that says nothing. */
export const tokens = (total: number | null): Line => {
  const usage = (n: number) => ({
    input_tokens: n,
    cached_input_tokens: 0,
    output_tokens: 0,
    reasoning_output_tokens: 0,
    total_tokens: n
  })
  const info =
    total === null
      ? null
      : { total_token_usage: usage(total), last_token_usage: usage(total), model_context_window: null }
  return event({ type: "token_count", info, rate_limits: null })
}
/** A message of the user, or what stands for one. */
export const user = (text: string): Line => message("user", text)
/** A message of the model. */
export const assistant = (text: string): Line => message("assistant", text, "output_text")
/** A message of the host. */
export const developer = (text: string): Line => message("developer", text)
/** A user message that is context and nobody’s words. */
export const context = (text = "x"): Line => user(`<environment_context>${text}</environment_context>`)
/** A developer message that is context. */
export const permissions = (text = "x"): Line =>
  developer(`<permissions instructions>${text}</permissions instructions>`)
/** Mail as an assistant message, the oldest form. */
export const envelope = (content: string, trigger_turn: boolean): Line =>
  assistant(JSON.stringify({ author: "/root", recipient: "/root/w", other_recipients: [], content, trigger_turn }))
/** A delivered message of another agent (`agent_message`). */
export const mail = (text: string): Line =>
  item({ type: "agent_message", author: "/root", recipient: "/root/w", content: [{ type: "input_text", text }] })
/** What stands in front of a delivered {@link mail} (`inter_agent_communication_metadata`). */
export const delivery = (trigger_turn: boolean): Line => ({
  type: "inter_agent_communication_metadata",
  payload: { trigger_turn }
})
/** Mail as it was recorded before 0.143.0 (`inter_agent_communication`). */
export const communication = (trigger_turn: boolean, content = "mail"): Line => ({
  type: "inter_agent_communication",
  payload: { author: "/root", recipient: "/root/w", other_recipients: [], content, trigger_turn }
})
/** The settings of a turn (`turn_context`). */
export const turnContext = (turn_id?: string, model = "m", extra: Readonly<Record<string, unknown>> = {}): Line => ({
  type: "turn_context",
  payload: {
    ...(turn_id === undefined ? {} : { turn_id }),
    cwd: "/repo",
    approval_policy: "never",
    sandbox_policy: { type: "danger-full-access" },
    model,
    summary: "auto",
    ...extra
  }
})
/** The whole world state. */
export const full = (state: unknown): Line => ({ type: "world_state", payload: { full: true, state } })
/** A change of the world state (RFC 7386). */
export const patch = (state: unknown): Line => ({ type: "world_state", payload: { full: false, state } })
/** A compaction, with the new history or, when it is undefined, without. */
export const compacted = (
  replacement: ReadonlyArray<Line> | undefined,
  more: Readonly<Record<string, unknown>> = {},
  text = "summary"
): Line => ({
  type: "compacted",
  payload: {
    message: text,
    ...(replacement === undefined ? {} : { replacement_history: replacement.map((line) => line.payload) }),
    ...more
  }
})
/** The header of a thread (`session_meta`). */
export const header = (more: Readonly<Record<string, unknown>> = {}): Line => ({
  type: "session_meta",
  payload: {
    session_id: threadId,
    id: threadId,
    timestamp: "2026-07-20T09:59:59.500Z",
    cwd: "/repo",
    originator: "test",
    cli_version: "0.1.0",
    source: "cli",
    model_provider: "openai",
    base_instructions: null,
    history_mode: "legacy",
    ...more
  }
})

/** Lines, in groups that read well. */
export type Lines = Line | ReadonlyArray<Lines>

const flatten = (lines: Lines): ReadonlyArray<Line> => ("type" in lines ? [lines] : lines.flatMap(flatten))

/** A turn of the user: its start, its settings (model `model-<id>`), the user's text, what follows it, and its end. */
export const turn = (id: string, text: string, ...rest: ReadonlyArray<Line>): ReadonlyArray<Line> => [
  started(id),
  turnContext(id, `model-${id}`),
  user(text),
  userEvent(text),
  ...rest,
  completed(id)
]

/** The records of a log. Throws when a line is no record: then the test itself is wrong. */
export const log = (...lines: ReadonlyArray<Lines>): ReadonlyArray<StoredRecord> => {
  let offset = 0
  return flatten(lines).map((line, i) => {
    const bytes = Jsonl.encode({ timestamp: "2026-07-20T10:00:00.000Z", ...line }).slice(0, -1)
    const raw: Jsonl.RawLine = { bytes, offset, number: i + 1, terminated: true }
    offset += bytes.length + 1
    const decoded = Record.decode(raw)
    if (decoded.kind === "damage" || decoded.kind === "blank") {
      throw new Error(`not a record: ${decoded.kind === "damage" ? decoded.detail : "blank"}: ${JSON.stringify(line)}`)
    }
    return decoded
  })
}

/** The texts of a history, one for each item: what tests compare. */
export const texts = (history: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  history.map((one) => {
    const { content, type } = one as {
      readonly type: string
      readonly content?: ReadonlyArray<{ text?: string }> | null
    }
    return content === undefined || content === null ? type : content.map((part) => part.text ?? "").join("|")
  })
