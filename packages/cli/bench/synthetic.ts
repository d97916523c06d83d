/** Synthetic threads for measuring: turns with tools as a coding agent writes them, a compaction every few megabytes. */
import { once } from "node:events"
import { closeSync, createWriteStream, fsyncSync, openSync } from "node:fs"

/** What a synthetic thread is made of. */
export interface Recipe {
  readonly path: string
  /** Size to reach, in bytes. */
  readonly bytes: number
  /** Bytes between two compactions. */
  readonly window: number
  /** Bytes behind the last one, the same in threads of all sizes. */
  readonly tail: number
  /** As Codex 0.169.0 writes a thread of that mode. Default `legacy`. */
  readonly mode?: "legacy" | "paginated" | undefined
}

const words =
  "thread record fold window state view lease store segment host turn agent item event patch merge plan read write test build query index page cache line byte path tree node graph list".split(
    " "
  )

/** The same numbers on every run (Park and Miller's generator). */
const generator = (seed: number) => {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

const id = (n: number): string =>
  `01a0f67a-3800-7${String(n % 1000).padStart(3, "0")}-8000-${n.toString(16).padStart(12, "0")}`

/** The id of the thread that {@link writeThread} writes. */
export const threadId = id(0)

/** Writes a thread of about that size; gives the exact size. */
export const writeThread = async ({ bytes, mode = "legacy", path, tail, window }: Recipe): Promise<number> => {
  const random = generator(42)
  const out = createWriteStream(path, { highWaterMark: 1 << 22 })
  let written = 0
  let time = Date.UTC(2026, 9, 1)
  let number = 0
  let call = 0
  let ordinal = 0
  let nextCompaction = (bytes - tail) % window
  const prose = (length: number): string => {
    let text = ""
    while (text.length < length) text += `${words[Math.floor(random() * words.length)]}${random() < 0.05 ? ".\n" : " "}`
    return text
  }
  const put = async (type: string, payload: unknown): Promise<void> => {
    time += 7
    const timestamp = new Date(time).toISOString()
    const place = mode === "paginated" ? { ordinal: ordinal++ } : {}
    const line = `${JSON.stringify({ timestamp, ...place, type, payload })}\n`
    written += Buffer.byteLength(line)
    if (!out.write(line)) await once(out, "drain")
  }
  const event = (payload: unknown) => put("event_msg", payload)
  /** What clients are shown: an event of its own in legacy threads, a snapshot in paginated ones. */
  const shown = (turn: string, legacy: object, snapshot: object) =>
    event(
      mode === "legacy"
        ? legacy
        : {
            type: "item_completed",
            thread_id: threadId,
            turn_id: turn,
            item: snapshot,
            started_at_ms: time,
            completed_at_ms: time + 2
          }
    )
  const item = (turn: string, payload: object) =>
    put("response_item", { ...payload, internal_chat_message_metadata_passthrough: { turn_id: turn } })
  const message = (role: string, text: string) => ({
    type: "message",
    role,
    content: [{ type: role === "assistant" ? "output_text" : "input_text", text }]
  })
  const usage = (total: number) => ({
    input_tokens: total,
    cached_input_tokens: 0,
    output_tokens: 90,
    reasoning_output_tokens: 0,
    total_tokens: total + 90
  })
  const world = () =>
    put("world_state", {
      full: true,
      state: {
        agents_md: { directory: "/repo", text: "Use tabs." },
        environments: { environments: { local: { cwd: "/repo", status: "available" } } }
      }
    })
  const turnContext = (turn: string) =>
    put("turn_context", {
      turn_id: turn,
      cwd: "/repo",
      approval_policy: "never",
      sandbox_policy: { type: "danger-full-access" },
      permission_profile: { type: "disabled" },
      model: "m-1",
      collaboration_mode: {
        mode: "default",
        settings: { model: "m-1", reasoning_effort: null, developer_instructions: null }
      },
      summary: "auto"
    })
  await put("session_meta", {
    session_id: id(0),
    id: id(0),
    timestamp: new Date(time).toISOString(),
    cwd: "/repo",
    originator: "bench",
    cli_version: "0.1.0",
    source: "cli",
    model_provider: "openai",
    base_instructions: { text: "Be brief." },
    history_mode: mode,
    context_window: { window_id: id(1) }
  })
  let compactions = 0
  while (written < bytes) {
    number++
    const turn = id(number + 1)
    await event({
      type: "task_started",
      turn_id: turn,
      started_at: Math.floor(time / 1000),
      model_context_window: 272000,
      collaboration_mode_kind: "default"
    })
    if (written >= nextCompaction) {
      compactions++
      nextCompaction += window
      const ids = {
        window_number: compactions,
        first_window_id: id(1),
        previous_window_id: id(compactions),
        window_id: id(compactions + 1)
      }
      const summary = prose(1500)
      await put("compacted", {
        message: summary,
        replacement_history: [message("user", prose(200)), message("user", summary)],
        ...ids
      })
      await world()
      await shown(turn, { type: "context_compacted" }, { type: "ContextCompaction", id: `compaction_${compactions}` })
      await event({ type: "task_complete", turn_id: turn, last_agent_message: null })
      continue
    }
    if (number === 1) await world()
    await turnContext(turn)
    const question = prose(200)
    await item(turn, message("user", question))
    await shown(
      turn,
      { type: "user_message", message: question, images: [], local_images: [], text_elements: [] },
      { type: "UserMessage", id: `user_${number}`, content: [{ type: "text", text: question, text_elements: [] }] }
    )
    for (let step = 0; step < 4; step++) {
      const callId = `call_${++call}`
      const thought = prose(120)
      await shown(
        turn,
        { type: "agent_reasoning", text: thought },
        { type: "Reasoning", id: `reasoning_${call}`, summary_text: [thought], raw_content: [] }
      )
      await item(turn, {
        type: "reasoning",
        summary: [{ type: "summary_text", text: thought }],
        content: null,
        encrypted_content: Buffer.from(prose(150)).toString("base64")
      })
      await item(turn, {
        type: "function_call",
        name: "exec_command",
        arguments: JSON.stringify({ cmd: `cat src/${call}.ts` }),
        call_id: callId
      })
      await item(turn, { type: "function_call_output", call_id: callId, output: prose(300 + 4000 * random()) })
      await event({
        type: "token_count",
        info: { total_token_usage: usage(call * 3000), last_token_usage: usage(3000), model_context_window: 272000 },
        rate_limits: null
      })
    }
    const answer = prose(1500)
    await shown(
      turn,
      { type: "agent_message", message: answer, phase: null, memory_citation: null },
      { type: "AgentMessage", id: `answer_${number}`, content: [{ type: "Text", text: answer }] }
    )
    await item(turn, message("assistant", answer))
    await event({
      type: "task_complete",
      turn_id: turn,
      last_agent_message: answer,
      completed_at: Math.floor(time / 1000),
      duration_ms: 1000
    })
  }
  out.end()
  await once(out, "finish")
  // Written out before anything is measured: the system's own writing would run beside the first tasks.
  const file = openSync(path, "r+")
  fsyncSync(file)
  closeSync(file)
  return written
}
