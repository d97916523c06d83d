/** Short ways to write the records that a view is made of. Each goes through the codec, as a reader finds them. */
import type { StoredRecord } from "../../../src/record/Record.js"
import * as Record from "../../../src/record/Record.js"

/** The thread that everything here belongs to. */
export const threadId = "019c2b10-7a00-7c00-8000-0000000000a1"
/** Two of its sub-agents. */
export const agentA = "019c2b11-0000-7c00-8000-0000000000a2"
export const agentB = "019c2b11-0000-7c00-8000-0000000000a3"

/** A line that is not yet written. */
export interface Draft {
  readonly type: string
  readonly payload: object
  readonly ordinal?: number
  readonly skein?: unknown
}

/** A draft read back as a record; throws for one that is none. */
export const record = (draft: Draft): StoredRecord => {
  const bytes = new TextEncoder().encode(JSON.stringify({ timestamp: "2026-07-20T10:00:00.000Z", ...draft }))
  const decoded = Record.decode({ bytes, offset: 0, number: 1, terminated: true })
  if (decoded.kind === "damage") throw new Error(`${decoded.reason}: ${decoded.detail}`)
  if (decoded.kind === "blank") throw new Error("blank")
  return decoded
}

export const records = (drafts: ReadonlyArray<Draft>): ReadonlyArray<StoredRecord> => drafts.map(record)

/** The drafts with ordinals from `first` on, as in a paginated log. */
export const numbered = (drafts: ReadonlyArray<Draft>, first = 0): ReadonlyArray<Draft> =>
  drafts.map((draft, i) => ({ ...draft, ordinal: first + i }))

type Fields = Readonly<Record<string, unknown>>

export const event = (type: string, fields: Fields = {}): Draft => ({ type: "event_msg", payload: { type, ...fields } })

export const meta = (fields: Fields = {}): Draft => ({
  type: "session_meta",
  payload: {
    session_id: threadId,
    id: threadId,
    timestamp: "2026-07-20T10:00:00.000Z",
    cwd: "/repo",
    originator: "test",
    cli_version: "0.169.0",
    source: "cli",
    model_provider: "openai",
    ...fields
  }
})

export const paginated = (fields: Fields = {}): Draft => meta({ history_mode: "paginated", ...fields })

export const started = (turn_id: string, fields: Fields = {}): Draft => event("task_started", { turn_id, ...fields })
export const complete = (turn_id: string, fields: Fields = {}): Draft => event("task_complete", { turn_id, ...fields })
export const aborted = (turn_id?: string, fields: Fields = {}): Draft =>
  event("turn_aborted", { reason: "interrupted", ...(turn_id === undefined ? {} : { turn_id }), ...fields })
export const rolledBack = (num_turns: number): Draft => event("thread_rolled_back", { num_turns })
export const user = (message: string, fields: Fields = {}): Draft => event("user_message", { message, ...fields })
export const agent = (message: string, fields: Fields = {}): Draft => event("agent_message", { message, ...fields })
export const summary = (text: string): Draft => event("agent_reasoning", { text })
export const raw = (text: string): Draft => event("agent_reasoning_raw_content", { text })
export const compacted: Draft = { type: "compacted", payload: { message: "" } }
export const contextCompacted = event("context_compacted")
export const failed = (message: string, codex_error_info?: unknown): Draft =>
  event("error", { message, codex_error_info })

/** A message of the model's history. */
export const message = (role: string, texts: ReadonlyArray<string>, fields: Fields = {}): Draft => ({
  type: "response_item",
  payload: {
    type: "message",
    role,
    content: texts.map((text) => ({ type: role === "assistant" ? "output_text" : "input_text", text })),
    ...fields
  }
})

/** A canonical item that ended, in a turn. */
export const item = (turn_id: string, value: Fields, fields: Fields = {}): Draft =>
  event("item_completed", { thread_id: threadId, turn_id, item: value, completed_at_ms: 0, ...fields })

/** A canonical item that began, in a turn. */
export const itemStarted = (turn_id: string, value: Fields): Draft =>
  event("item_started", { thread_id: threadId, turn_id, item: value, started_at_ms: 1 })

export const said = (id: string, text: string): Fields => ({
  type: "UserMessage",
  id,
  content: [{ type: "text", text, text_elements: [] }]
})
export const answered = (id: string, text: string): Fields => ({
  type: "AgentMessage",
  id,
  content: [{ type: "Text", text }]
})

/** A canonical command. */
export const command = (id: string, fields: Fields = {}): Fields => ({
  type: "CommandExecution",
  id,
  command: ["ls", "-la"],
  cwd: "file:///repo",
  parsed_cmd: [{ type: "unknown", cmd: "ls -la" }],
  source: "agent",
  status: "completed",
  stdout: "a\n",
  stderr: "",
  aggregated_output: "a\n",
  formatted_output: "a\n",
  exit_code: 0,
  duration: { secs: 0, nanos: 12_000_000 },
  ...fields
})

/** The end of a command as a legacy event. */
export const commandEnd = (call_id: string, turn_id: string, fields: Fields = {}): Draft =>
  event("exec_command_end", {
    call_id,
    turn_id,
    command: ["echo", "hello world"],
    cwd: "file:///repo",
    parsed_cmd: [{ type: "unknown", cmd: "echo hello world" }],
    stdout: "",
    stderr: "",
    aggregated_output: "hello world\n",
    exit_code: 0,
    duration: { secs: 0, nanos: 12_000_000 },
    formatted_output: "",
    status: "completed",
    ...fields
  })
