/** What stands around the turns: the header of a thread, and what the model is told before it is asked. */
import { isOld } from "./Facts.js"
import type { Payload, Pen } from "./Pen.js"
import { agentsOf, append, event, message, put, releaseOf, rootTurnOf } from "./Pen.js"

/** What a header says beside what all headers say. */
export interface Lineage {
  readonly forked_from_id?: string
  readonly forked_from_ordinal_exclusive?: number
  readonly history_base?: Payload
  readonly subagent_history_start_ordinal?: number
}

const versionOf = (pen: Pen) => ({ multi_agent_version: agentsOf(pen) })

/** What the header of an agent says of its parent. */
const parentage = (pen: Pen): Payload => {
  const { parent, path } = pen
  if (parent === undefined) return { source: "cli" }
  const spawn = { parent_thread_id: parent.pen.threadId, depth: parent.depth }
  if (isOld(pen.form)) return { source: { subagent: { thread_spawn: spawn } } }
  const agent_path = agentsOf(pen) === "v1" ? null : path
  const named = { agent_path, agent_nickname: parent.nickname, agent_role: null }
  return {
    parent_thread_id: parent.pen.threadId,
    source: { subagent: { thread_spawn: { ...spawn, ...named } } },
    thread_source: "subagent",
    agent_nickname: parent.nickname,
    ...(agent_path === null ? {} : { agent_path })
  }
}

/** Writes the header of the thread. */
export const header = (pen: Pen, lineage: Lineage = {}) => {
  const { form, isPaginated, threadId } = pen
  const release = releaseOf(pen)
  const timestamp = new Date(pen.clock.tick()).toISOString()
  if (form === "0.20.0") return append(pen, { id: threadId, timestamp, instructions: null })
  const common = {
    id: threadId,
    ...lineage,
    timestamp,
    cwd: "/repo",
    originator: "codex_cli_rs",
    cli_version: isOld(form) ? form : release
  }
  const provider = { ...parentage(pen), model_provider: "openai" }
  if (form === "0.42.0") return put(pen, "session_meta", { ...common, instructions: null })
  if (form === "0.63.0") return put(pen, "session_meta", { ...common, instructions: null, ...provider })
  const named = { ...common, ...provider, base_instructions: { text: "You are Codex." } }
  if (form === "0.98.0") return put(pen, "session_meta", named)
  // Which runtime it has was noted of a root only when it was set beforehand, and then not by 0.142.4.
  const isNoted = pen.parent !== undefined || (agentsOf(pen) === "v2" && release !== "0.142.4")
  put(pen, "session_meta", {
    session_id: pen.session,
    ...named,
    ...(release === "0.142.4" ? {} : { history_mode: isPaginated ? "paginated" : "legacy" }),
    ...(isNoted ? versionOf(pen) : {}),
    ...(release === "0.142.4" ? {} : { context_window: { window_id: pen.firstWindowId } })
  })
}

/** Writes the settings of a turn. */
export const turnContext = (pen: Pen): void => {
  if (pen.form === "0.20.0") return
  const policy = pen.form === "0.42.0" ? { mode: "danger-full-access" } : { type: "danger-full-access" }
  put(pen, "turn_context", {
    ...(isOld(pen.form) ? {} : { turn_id: pen.turnId }),
    cwd: "/repo",
    approval_policy: "never",
    sandbox_policy: policy,
    model: "gpt-5.5",
    ...(isOld(pen.form) ? {} : versionOf(pen)),
    summary: "auto"
  })
}

/** What the model is told of the world. */
export const environment = ({ state }: Pen): string =>
  `<environment_context>\n  <cwd>/repo</cwd>\n  <note>${state.note ?? ""}</note>\n</environment_context>`

/** What the model is told of what it may do. */
export const permissions = "<permissions instructions>\nAnything goes.\n</permissions instructions>"

/** Writes what the model has to be told before it is asked: context items and the world. */
export const context = (pen: Pen): void => {
  if (!pen.state.hasContext) {
    if (pen.form === "0.98.0" || !isOld(pen.form)) message(pen, "developer", permissions)
    if (pen.form !== "0.20.0") message(pen, "user", environment(pen))
  }
  tellWorld(pen)
  pen.state = { ...pen.state, hasContext: true }
}

/** Writes the world as far as the model does not know of it. */
export const tellWorld = (pen: Pen): void => {
  const { hasContext, note, told } = pen.state
  if (isOld(pen.form) || releaseOf(pen) === "0.142.4" || told?.note === note) return
  const full = told === undefined
  // A change of the world is said to the model before it is recorded as said (§10.10).
  if (!full || hasContext) message(pen, "user", environment(pen))
  const world = full
    ? { permissions: "full", environment: { cwd: "/repo", ...(note === null ? {} : { note }) } }
    : { environment: { note } }
  put(pen, "world_state", { full, state: world })
  pen.state = { ...pen.state, told: { note } }
}

const usage = (total: number) => ({
  input_tokens: total,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
  total_tokens: total
})

/** Writes the accounting behind a response. */
export const tokens = (pen: Pen): void => {
  if (pen.form === "0.20.0") return
  pen.spent += 100
  pen.spentHere += 100
  if (!isOld(pen.form) && releaseOf(pen) === "0.169.0") {
    put(pen, "token_usage_record", {
      thread_id: pen.threadId,
      turn_id: pen.turnId,
      session_id: pen.session,
      root_turn_id: rootTurnOf(pen),
      response_id: `resp_${pen.clock.count()}`,
      usage: usage(100),
      turn_token_usage: usage(pen.spentHere),
      thread_token_usage: usage(pen.spent)
    })
  }
  const info = { total_token_usage: usage(pen.spent), last_token_usage: usage(100), model_context_window: 258_400 }
  event(pen, "token_count", { info, rate_limits: null })
}
