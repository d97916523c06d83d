/** From a model to the lines that its writers write, in the order of replay-semantics §9. */
import * as Boundary from "@skein/core/fold/Boundary"
import type { Compaction, Entry, Form, Model, Step, Turn } from "./ThreadModel.js"
import { firstForm, isOld, isTurn } from "./ThreadModel.js"

/** A file of a thread: its name without folders, and its lines without line feeds. */
export interface File {
  readonly name: string
  readonly lines: ReadonlyArray<string>
}

/** A line of the effective log and where it stands. */
export interface Place {
  readonly file: number
  readonly line: number
}

/** The files of a thread, oldest first, and the lines that the newest of them stands for. */
export interface Written {
  readonly files: ReadonlyArray<File>
  readonly log: ReadonlyArray<Place>
}

/** What a writer has in memory and gets back by a replay. Replaced, never changed, so that turns can be taken back. */
interface State {
  /** Whether the model has its context in the present window. */
  readonly hasContext: boolean
  /** The note in the world as the model was told; unset when it was told of no world. */
  readonly told: { readonly note: string | null } | undefined
  readonly note: string | null
  readonly window: { readonly number: number; readonly first: string; readonly previous?: string; readonly id: string }
  /** What the user said in the present window. */
  readonly texts: ReadonlyArray<string>
}

interface OpenFile {
  readonly name: string
  /** What other files call it. */
  readonly id: string
  readonly lines: Array<string>
  /** Bytes of the lines so far, with their line feeds. */
  bytes: number
}

interface Placed extends Place {
  readonly ordinal: number
  readonly offset: number
}

type Payload = Readonly<Record<string, unknown>>

const utf8 = new TextEncoder()

/** 2026-07-20T10:00:00.000Z, the moment at which all threads begin. */
const epoch = 1_784_541_600_000

/** Writes a model out. Pure: the same model gives the same bytes, for its ids and times come from a counter. */
export const write = (model: Model): Written => {
  const release = model.release ?? "0.169.0"
  const first = firstForm(model)
  const paginated = first === "paginated"
  let counter = 0
  /** Moves the time on and gives it in milliseconds. */
  const tick = () => epoch + ++counter * 40
  const uuid = () => {
    const time = tick().toString(16).padStart(12, "0")
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${counter.toString(16).padStart(12, "0")}`
  }
  const seconds = () => Math.floor((epoch + counter * 40) / 1000)

  let form: Form = first
  let threadId = uuid()
  let session = threadId
  let spent = 0
  let spentHere = 0
  const files: Array<OpenFile> = []
  let log: Array<Placed> = []
  let starts: Array<{ readonly at: number; readonly state: State; readonly counts: boolean }> = []
  let state: State = {
    hasContext: false,
    told: undefined,
    note: null,
    window: fresh(uuid()),
    texts: []
  }

  const openFile = (id: string) => {
    const time = new Date(tick()).toISOString().slice(0, 19).replaceAll(":", "-")
    const segment = id === threadId ? "" : `_${id}`
    const file: OpenFile = { name: `rollout-${time}-${threadId}${segment}.jsonl`, id, lines: [], bytes: 0 }
    files.push(file)
  }
  const append = (value: unknown, ordinal: number) => {
    const file = files.at(-1)
    if (file === undefined) throw new Error("no file is open")
    const text = JSON.stringify(value)
    log.push({ file: files.length - 1, line: file.lines.length, ordinal, offset: file.bytes })
    file.lines.push(text)
    file.bytes += utf8.encode(text).length + 1
  }
  const put = (type: string, payload: Payload, extras: Payload = {}) => {
    const ordinal = (log.at(-1)?.ordinal ?? -1) + 1
    const timestamp = new Date(tick()).toISOString()
    if (form !== "0.20.0") append({ timestamp, ...(paginated ? { ordinal } : {}), type, payload, ...extras }, ordinal)
    else if (type === "response_item") append(payload, ordinal)
  }
  const event = (type: string, payload: Payload = {}, extras: Payload = {}) =>
    put("event_msg", { type, ...payload }, extras)
  const canonical = () => form === "paginated" || form === "enriched"

  let turnId = ""
  /** A response item; the releases from 0.142.4 on say which turn it belongs to. */
  const item = (type: string, payload: Payload) =>
    put("response_item", {
      type,
      ...payload,
      ...(isOld(form) ? {} : { internal_chat_message_metadata_passthrough: { turn_id: turnId } })
    })
  const message = (role: string, text: string, id?: string) =>
    item("message", { ...(id === undefined || isOld(form) ? {} : { id }), ...messageOf(role, text) })
  /** What the user is shown: a canonical item where the form has them, an event where it has those. */
  const shown = (type: string, body: Payload, events: ReadonlyArray<readonly [type: string, payload: Payload]>) => {
    if (canonical()) {
      const at = tick()
      const times = { started_at_ms: at, completed_at_ms: at }
      event("item_completed", { thread_id: threadId, turn_id: turnId, item: { type, ...body }, ...times })
    }
    if (form === "paginated") return
    const extras = form === "enriched" ? { skein: { v: 1, kind: "fanout" } } : {}
    for (const [name, payload] of events) event(name, payload, extras)
  }

  const header = (base?: Payload) => {
    const timestamp = new Date(tick()).toISOString()
    const id = form === "0.20.0" ? { id: threadId, timestamp } : { id: threadId, ...(base ?? {}), timestamp }
    if (form === "0.20.0") return append({ ...id, instructions: null }, 0)
    const common = { ...id, cwd: "/repo", originator: "codex_cli_rs", cli_version: isOld(form) ? form : release }
    if (form === "0.42.0") return put("session_meta", { ...common, instructions: null })
    if (form === "0.63.0") {
      return put("session_meta", { ...common, instructions: null, source: "cli", model_provider: "openai" })
    }
    const named = { ...common, source: "cli", model_provider: "openai", base_instructions: { text: "You are Codex." } }
    if (form === "0.98.0") return put("session_meta", named)
    return put("session_meta", {
      session_id: session,
      ...named,
      ...(release === "0.142.4" ? {} : { history_mode: paginated ? "paginated" : "legacy" }),
      ...(base === undefined ? {} : { history_base: base.history_base }),
      ...(release === "0.142.4" ? {} : { context_window: { window_id: state.window.id } })
    })
  }

  const turnContext = () => {
    if (form === "0.20.0") return
    const policy = form === "0.42.0" ? { mode: "danger-full-access" } : { type: "danger-full-access" }
    put("turn_context", {
      ...(isOld(form) ? {} : { turn_id: turnId }),
      cwd: "/repo",
      approval_policy: "never",
      sandbox_policy: policy,
      model: "gpt-5.5",
      summary: "auto"
    })
  }
  const knowsWorld = () => !isOld(form) && release !== "0.142.4"
  const environment = () =>
    `<environment_context>\n  <cwd>/repo</cwd>\n  <note>${state.note ?? ""}</note>\n</environment_context>`
  const permissions = "<permissions instructions>\nAnything goes.\n</permissions instructions>"
  /** Context items, the world and the settings: what the model has to be told before it is asked. */
  const context = () => {
    if (!state.hasContext) {
      if (form === "0.98.0" || !isOld(form)) message("developer", permissions)
      if (form !== "0.20.0") message("user", environment())
    }
    tellWorld()
    state = { ...state, hasContext: true }
  }
  const tellWorld = () => {
    const { note, told } = state
    if (!knowsWorld() || told?.note === note) return
    const full = told === undefined
    // A change of the world is said to the model before it is recorded as said (§10.10).
    if (!full || state.hasContext) message("user", environment())
    const world = full
      ? { permissions: "full", environment: { cwd: "/repo", ...(note === null ? {} : { note }) } }
      : { environment: { note } }
    put("world_state", { full, state: world })
    state = { ...state, told: { note } }
  }

  const usage = (total: number) => ({
    input_tokens: total,
    cached_input_tokens: 0,
    output_tokens: 0,
    reasoning_output_tokens: 0,
    total_tokens: total
  })
  /** The accounting behind a response. */
  const tokens = () => {
    if (form === "0.20.0") return
    spent += 100
    spentHere += 100
    if (!isOld(form) && release === "0.169.0") {
      put("token_usage_record", {
        thread_id: threadId,
        turn_id: turnId,
        session_id: session,
        root_turn_id: turnId,
        response_id: `resp_${counter}`,
        usage: usage(100),
        turn_token_usage: usage(spentHere),
        thread_token_usage: usage(spent)
      })
    }
    const info = { total_token_usage: usage(spent), last_token_usage: usage(100), model_context_window: 258_400 }
    event("token_count", { info, rate_limits: null })
  }

  const userText = (text: string) => {
    message("user", text, `msg_${uuid()}`)
    if (form === "0.20.0") return
    const parts = [{ type: "text", text, text_elements: [] }]
    const more =
      form === "0.42.0"
        ? { kind: "plain" }
        : form === "0.63.0"
          ? { images: [] }
          : { images: [], local_images: [], text_elements: [] }
    shown("UserMessage", { id: uuid(), content: parts }, [["user_message", { message: text, ...more }]])
    state = { ...state, texts: [...state.texts, text] }
  }
  const mail = (text: string) => {
    const people = { author: "/root/worker", recipient: "/root" }
    if (release === "0.142.4") {
      put("inter_agent_communication", { ...people, other_recipients: [], content: text, trigger_turn: true })
    } else {
      put("inter_agent_communication_metadata", { trigger_turn: true })
      item("agent_message", { ...people, content: [{ type: "input_text", text }] })
    }
  }

  /** The summary and, where it is recorded, the history in front of which the context stands when a turn goes on. */
  const compact = (compaction: Compaction, withContext: boolean) => {
    const summary = form === "0.42.0" ? "What was done." : `${Boundary.summaryLine}\nWhat was done.`
    const { window } = state
    const next = { number: window.number + 1, first: window.first, previous: window.id, id: uuid() }
    const kept = [...state.texts, summary].map((text) => messageOf("user", text))
    const front = withContext ? [messageOf("developer", permissions), messageOf("user", environment())] : []
    put("compacted", {
      message: summary,
      ...(compaction === "rebuilt"
        ? {}
        : {
            replacement_history: [...front, ...kept].map((one) => ({ type: "message", ...one })),
            window_number: next.number,
            first_window_id: next.first,
            previous_window_id: next.previous,
            window_id: next.id
          })
    })
    const hasContext = withContext && compaction === "replaced"
    state = { ...state, window: next, told: undefined, hasContext }
  }
  const compacted = () =>
    form === "0.63.0" || form === "0.42.0"
      ? event("agent_message", { message: "Compact task completed" })
      : shown("ContextCompaction", { id: uuid() }, [["context_compacted", {}]])

  const say = (text: string) => {
    const id = `msg_${uuid()}`
    const more = isOld(form) ? {} : { phase: null, memory_citation: null }
    shown(
      "AgentMessage",
      { id, content: [{ type: "Text", text }] },
      saidOnce([["agent_message", { message: text, ...more }]])
    )
    message("assistant", text, id)
  }
  const saidOnce = (events: ReadonlyArray<readonly [string, Payload]>) => (form === "0.20.0" ? [] : events)
  const duration = { secs: 0, nanos: 1_000_000 }
  const step = (one: Step) => {
    const call_id = `call_${counter}`
    if ("say" in one) return say(one.say)
    if ("steer" in one) return userText(one.steer)
    if ("mail" in one) return mail(one.mail)
    if ("world" in one) {
      state = { ...state, note: one.world }
      return tellWorld()
    }
    if ("compact" in one) {
      compact(one.compact, true)
      if (isOld(form)) {
        // The older releases tell the context anew with the next turn, and their settings with every request.
        turnContext()
      } else {
        context()
        turnContext()
      }
      return compacted()
    }
    if ("think" in one) {
      const id = `rs_${counter}`
      const summary = [{ type: "summary_text", text: one.think }]
      const events = saidOnce([["agent_reasoning", { text: one.think }]])
      shown("Reasoning", { id, summary_text: [one.think], raw_content: [] }, events)
      return item("reasoning", {
        ...(isOld(form) ? {} : { id }),
        summary,
        content: null,
        encrypted_content: "c2VjcmV0"
      })
    }
    if ("search" in one) {
      const action = { type: "search", query: one.search }
      const id = `ws_${counter}`
      const events = isOld(form) ? [] : [["web_search_end", { call_id: id, query: one.search, action }] as const]
      shown("WebSearch", { id, query: one.search, action }, events)
      return item("web_search_call", { ...(isOld(form) ? {} : { id }), status: "completed", action })
    }
    if ("patch" in one) {
      const input = `*** Begin Patch\n*** Add File: a.txt\n+${one.patch}\n*** End Patch`
      const status = isOld(form) || release !== "0.169.0" ? { status: "completed" } : {}
      item("custom_tool_call", { ...status, call_id, name: "apply_patch", input })
      const changes = { "/repo/a.txt": { type: "add", content: `${one.patch}\n` } }
      const done = { stdout: "Success.", stderr: "" }
      const body = { id: call_id, changes, status: "completed", ...done }
      const end = { call_id, turn_id: turnId, ...done, success: true, changes, status: "completed" }
      shown("FileChange", body, isOld(form) ? [] : [["patch_apply_end", end]])
      return item("custom_tool_call_output", { call_id, output: "Success." })
    }
    if ("mcp" in one) {
      const args = { q: one.mcp }
      item("function_call", { name: "mcp__demo__find", arguments: JSON.stringify(args), call_id })
      const result = { content: [{ type: "text", text: "found" }], isError: false }
      const called = { server: "demo", tool: "find", arguments: args }
      const events = [["mcp_tool_call_end", { call_id, invocation: called, duration, result: { Ok: result } }] as const]
      shown("McpToolCall", { id: call_id, ...called, status: "completed", result, duration }, events)
      return item("function_call_output", { call_id, output: "found" })
    }
    if ("spawn" in one) {
      const agent = { agent_thread_id: uuid(), agent_path: "/root/worker" }
      const args = JSON.stringify({ task_name: "worker", message: one.spawn })
      item("function_call", { name: "spawn_agent", namespace: "collaboration", arguments: args, call_id })
      const activity = { event_id: call_id, occurred_at_ms: tick(), ...agent, kind: "started" }
      shown("SubAgentActivity", { id: call_id, kind: "started", ...agent }, [["sub_agent_activity", activity]])
      return item("function_call_output", { call_id, output: '{"task_name":"/root/worker"}' })
    }
    const [name, args] =
      form === "0.42.0" || form === "0.20.0"
        ? ["shell", { command: ["bash", "-lc", one.run] }]
        : form === "0.63.0"
          ? ["shell_command", { command: one.run }]
          : ["exec_command", { cmd: one.run }]
    item("function_call", { name, arguments: JSON.stringify(args), call_id })
    if (one.unanswered === true) return
    shown(
      "CommandExecution",
      {
        id: call_id,
        command: ["/bin/bash", "-lc", one.run],
        cwd: "file:///repo",
        parsed_cmd: [{ type: "unknown", cmd: one.run }],
        source: "agent",
        status: "completed",
        aggregated_output: "done\n",
        exit_code: 0,
        duration
      },
      []
    )
    item("function_call_output", { call_id, output: "done\n" })
  }

  const start = () => {
    turnId = uuid()
    spentHere = 0
    // What 0.20.0 put between its items says nothing, but it stands there.
    if (form === "0.20.0") return append({ record_type: "state" }, 0)
    if (isOld(form)) return undefined
    event("task_started", {
      turn_id: turnId,
      ...(release === "0.169.0" ? { root_turn_id: turnId } : {}),
      started_at: seconds(),
      model_context_window: 258_400,
      collaboration_mode_kind: "default"
    })
  }
  const complete = (last: string | null, error?: Payload) => {
    if (isOld(form)) return
    const ended = { completed_at: seconds(), duration_ms: 40 }
    event("task_complete", {
      turn_id: turnId,
      last_agent_message: last,
      ...(error === undefined ? {} : { error }),
      ...ended
    })
  }
  const failure = { message: "The server is overloaded.", codex_error_info: "server_overloaded" }

  const turn = (one: Turn) => {
    form = one.by ?? form
    starts.push({ at: log.length, state, counts: true })
    start()
    if (one.compact !== undefined) {
      compact(one.compact, false)
      compacted()
    }
    if (one.world !== undefined) state = { ...state, note: one.world }
    context()
    if (!isOld(form)) turnContext()
    if (one.user !== undefined) userText(one.user)
    else mail(one.mail ?? "")
    if (isOld(form)) turnContext()
    let last: string | null = null
    for (const each of one.steps ?? []) {
      step(each)
      if ("say" in each) last = each.say
      if (isResponse(each)) tokens()
    }
    if (one.end === "unfinished") return
    if (one.end === "interrupted") {
      const marker = "<turn_aborted>\nThe user interrupted the previous turn on purpose.\n</turn_aborted>"
      if (form === "0.98.0" || !isOld(form)) message("user", marker)
      const ended = isOld(form) ? {} : { turn_id: turnId, completed_at: seconds(), duration_ms: 40 }
      if (form !== "0.20.0") event("turn_aborted", { ...ended, reason: "interrupted" })
    } else if (one.end === "failed") complete(null, release === "0.142.4" ? undefined : failure)
    else complete(last)
  }

  /** Goes on in another file that stands on this log up to, and without, one of its lines. */
  const branch = (turns: number, kind: "revert" | "fork") => {
    const from = turns === 0 ? undefined : starts[starts.length - turns]
    const at = from?.at ?? log.length
    const cut = log[at]
    // The base is the file in which that line stands, so that its offset there is the end of what is inherited.
    const file = cut === undefined ? files.length - 1 : cut.file
    const base = {
      thread_id: files[file]?.id,
      end_ordinal_exclusive: cut?.ordinal ?? (log.at(-1)?.ordinal ?? -1) + 1,
      end_byte_offset: cut?.offset ?? files[file]?.bytes
    }
    log = log.slice(0, at)
    starts = from === undefined ? starts : starts.slice(0, starts.length - turns)
    state = from?.state ?? state
    const source = threadId
    if (kind === "fork") {
      threadId = uuid()
      session = threadId
      // A fork opens a window of its own, unless it goes on in one that a compaction opened.
      if (state.window.number === 0) state = { ...state, window: fresh(uuid()) }
    }
    openFile(kind === "fork" ? threadId : uuid())
    const lineage =
      kind === "fork" ? { forked_from_id: source, forked_from_ordinal_exclusive: base.end_ordinal_exclusive } : {}
    header({ ...lineage, history_base: base })
  }

  const entry = (one: Entry) => {
    if (isTurn(one)) return turn(one)
    if ("standalone" in one) {
      starts.push({ at: log.length, state, counts: false })
      start()
      compact(one.standalone, false)
      compacted()
      return complete(null)
    }
    if ("rollback" in one) {
      event("thread_rolled_back", { num_turns: one.rollback })
      const from = starts[starts.length - one.rollback]
      state = from?.state ?? state
      starts = starts.slice(0, starts.length - one.rollback)
      return undefined
    }
    return "revert" in one ? branch(one.revert, "revert") : branch(one.fork, "fork")
  }

  openFile(threadId)
  header()
  for (const one of model.entries) entry(one)
  return {
    files: files.map(({ lines, name }) => ({ name, lines })),
    log: log.map(({ file, line }) => ({ file, line }))
  }
}

/** Whether the model is asked for such a step, and the answer costs. */
const isResponse = (step: Step): boolean =>
  !("steer" in step || "mail" in step || "world" in step || "compact" in step) &&
  !("run" in step && step.unanswered === true)

const fresh = (id: string) => ({ number: 0, first: id, id })

const messageOf = (role: string, text: string) => ({
  role,
  content: [{ type: role === "assistant" ? "output_text" : "input_text", text }]
})
