/** Records as a reader finds them, with the time at which each was written. Each goes through the codec. */
import type { StoredRecord } from "../../src/record/Record.js"
import * as Record from "../../src/record/Record.js"

/** A line that is not yet written. */
export interface Draft {
  readonly type: string
  readonly payload: unknown
  readonly ordinal?: number
}

/** A thread id; small numbers come first. */
export const id = (n: number): string => `019c2b10-7a00-7c00-8000-${n.toString(16).padStart(12, "0")}`

/** Milliseconds since 1970 of the second `n` of the tests' hour. */
export const time = (n: number): number => Date.parse("2026-07-20T10:00:00.000Z") + n * 1000

/** The same as text. */
export const stamp = (n: number): string => new Date(time(n)).toISOString()

/** The bytes of a line. */
export const bytes = (at: string, { ordinal, payload, type }: Draft): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({ timestamp: at, ...(ordinal === undefined ? {} : { ordinal }), type, payload })
  )

/** A line, read back; throws for one that is no record. */
export const record = (at: string, draft: Draft): StoredRecord => {
  const line = { bytes: bytes(at, draft), offset: 0, number: 1, terminated: true }
  const decoded = Record.decode(line)
  if (decoded.kind === "damage") throw new Error(`${decoded.reason}: ${decoded.detail}`)
  if (decoded.kind === "blank") throw new Error("blank")
  return decoded
}

/** Lines written a second apart. */
export const log = (...drafts: ReadonlyArray<Draft>): ReadonlyArray<StoredRecord> =>
  drafts.map((draft, i) => record(stamp(i), draft))

/** A header. */
export const meta = (n: number, more: Readonly<Record<string, unknown>> = {}): Draft => ({
  type: "session_meta",
  payload: {
    session_id: id(n),
    id: id(n),
    timestamp: stamp(0),
    cwd: "/repo",
    originator: "test",
    cli_version: "0.145.0",
    source: "cli",
    model_provider: "openai",
    ...more
  }
})

/** An event. */
export const event = (type: string, more: Readonly<Record<string, unknown>> = {}): Draft => ({
  type: "event_msg",
  payload: { type, ...more }
})

export const started = (turn_id: string, more: Readonly<Record<string, unknown>> = {}): Draft =>
  event("task_started", { turn_id, ...more })
export const complete = (turn_id: string, more: Readonly<Record<string, unknown>> = {}): Draft =>
  event("task_complete", { turn_id, last_agent_message: null, ...more })
export const aborted = (turn_id?: string): Draft => event("turn_aborted", { reason: "interrupted", turn_id })
export const said = (message: string, more: Readonly<Record<string, unknown>> = {}): Draft =>
  event("user_message", { message, ...more })

/** A finished item of a turn of the thread `n`. */
export const item = (n: number, value: Readonly<Record<string, unknown>>): Draft =>
  event("item_completed", {
    thread_id: id(n),
    turn_id: "t",
    item: { type: value.type, id: "i", ...value },
    completed_at_ms: 0
  })

export const turnContext = (model: string, more: Readonly<Record<string, unknown>> = {}): Draft => ({
  type: "turn_context",
  payload: {
    cwd: "/turn",
    approval_policy: "never",
    sandbox_policy: { type: "danger-full-access" },
    model,
    summary: "auto",
    ...more
  }
})

/** The settings of a thread changed. */
export const settings = (model: string, more: Readonly<Record<string, unknown>> = {}, thread_id?: string): Draft =>
  event("thread_settings_applied", {
    thread_id,
    thread_settings: {
      model,
      model_provider_id: "other",
      approval_policy: "never",
      approvals_reviewer: "user",
      permission_profile: { type: "disabled" },
      cwd: "/settings",
      collaboration_mode: {
        mode: "default",
        settings: { model, reasoning_effort: null, developer_instructions: null }
      },
      ...more
    }
  })

export const goal = (objective: string): Draft =>
  event("thread_goal_updated", {
    threadId: id(1),
    goal: {
      threadId: id(1),
      objective,
      status: "active",
      tokensUsed: 0,
      timeUsedSeconds: 0,
      createdAt: 0,
      updatedAt: 0
    }
  })

/** Tokens of a thread so far, and of its newest response. */
export const tokens = (total: number, last: number): Draft =>
  event("token_count", {
    info: { total_token_usage: usage(total), last_token_usage: usage(last), model_context_window: 1000 },
    rate_limits: null
  })

export const usage = (n: number) => ({
  input_tokens: n - Math.floor(n / 3),
  cached_input_tokens: 0,
  cache_write_input_tokens: 0,
  output_tokens: Math.floor(n / 3),
  reasoning_output_tokens: 0,
  total_tokens: n
})
