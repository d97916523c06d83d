/** Logs for tests, in the shorthand of replay-semantics §0. Every record goes through the codec, as one read would. */
import * as Jsonl from "../../src/record/Jsonl.js"
import type { StoredRecord } from "../../src/record/Record.js"
import * as Record from "../../src/record/Record.js"

/** A line that is not yet a record. */
export interface Line {
  readonly type: string
  readonly payload: unknown
}

export const threadId = "019c2b10-7a00-7c00-8000-0000000000a1"

const event = (payload: unknown): Line => ({ type: "event_msg", payload })
const item = (payload: unknown): Line => ({ type: "response_item", payload })
const message = (role: string, text: string, part = "input_text"): Line =>
  item({ type: "message", role, content: [{ type: part, text }] })

export const S = (turn_id: string): Line => event({ type: "task_started", turn_id })
export const C = (turn_id: string): Line => event({ type: "task_complete", turn_id, last_agent_message: null })
export const A = (turn_id?: string): Line =>
  event({ type: "turn_aborted", reason: "interrupted", ...(turn_id === undefined ? {} : { turn_id }) })
export const U = (text = "hi"): Line => event({ type: "user_message", message: text })
export const B = (num_turns: number): Line => event({ type: "thread_rolled_back", num_turns })
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
export const user = (text: string): Line => message("user", text)
export const assistant = (text: string): Line => message("assistant", text, "output_text")
export const developer = (text: string): Line => message("developer", text)
export const context = (text = "x"): Line => user(`<environment_context>${text}</environment_context>`)
export const permissions = (text = "x"): Line =>
  developer(`<permissions instructions>${text}</permissions instructions>`)
export const envelope = (content: string, trigger_turn: boolean): Line =>
  assistant(JSON.stringify({ author: "/root", recipient: "/root/w", other_recipients: [], content, trigger_turn }))
export const mail = (text: string): Line =>
  item({ type: "agent_message", author: "/root", recipient: "/root/w", content: [{ type: "input_text", text }] })
export const M = (trigger_turn: boolean): Line => ({
  type: "inter_agent_communication_metadata",
  payload: { trigger_turn }
})
export const I = (trigger_turn: boolean, content = "mail"): Line => ({
  type: "inter_agent_communication",
  payload: { author: "/root", recipient: "/root/w", other_recipients: [], content, trigger_turn }
})
export const X = (turn_id?: string, model = "m", extra: Readonly<Record<string, unknown>> = {}): Line => ({
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
export const full = (state: unknown): Line => ({ type: "world_state", payload: { full: true, state } })
export const patch = (state: unknown): Line => ({ type: "world_state", payload: { full: false, state } })
export const K = (
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
export const Meta = (more: Readonly<Record<string, unknown>> = {}): Line => ({
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

/** A user turn: `S U X W? R:u … C`, with the user's text and what follows it. */
export const turn = (id: string, text: string, ...rest: ReadonlyArray<Line>): ReadonlyArray<Line> => [
  S(id),
  X(id, `model-${id}`),
  user(text),
  U(text),
  ...rest,
  C(id)
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
    const { content, type } = one as { readonly type: string; readonly content?: ReadonlyArray<{ text?: string }> }
    return content === undefined ? type : content.map((part) => part.text ?? "").join("|")
  })
