/** What is done in a turn, as the records that it leaves. */
import type { Step } from "../ThreadModel.js"
import * as Compacting from "./Compacting.js"
import * as Context from "./Context.js"
import { isOld } from "./Facts.js"
import type { Event, Pen } from "./Pen.js"
import { agentsOf, event, item, message, put, releaseOf, shown } from "./Pen.js"

/** Whether the model is asked for such a step, and the answer costs. */
export const isResponse = (step: Step): boolean =>
  !("steer" in step || "mail" in step || "world" in step || "compact" in step) &&
  !("run" in step && step.unanswered === true)

/** Writes what the user says. */
export const userText = (pen: Pen, text: string): void => {
  const { clock, form } = pen
  pen.asked.push(pen.log.length)
  pen.state = { ...pen.state, texts: [...pen.state.texts, text] }
  message(pen, "user", text, `msg_${clock.uuid()}`)
  if (form === "0.20.0") return
  const parts = [{ type: "text", text, text_elements: [] }]
  const more =
    form === "0.42.0"
      ? { kind: "plain" }
      : form === "0.63.0"
        ? { images: [] }
        : { images: [], local_images: [], text_elements: [] }
  shown(pen, "UserMessage", { id: clock.uuid(), content: parts }, [["user_message", { message: text, ...more }]])
}

/** A message from one agent to another. But for answers they are kept as nobody but the model can read them. */
export interface Mail {
  readonly author: string
  readonly recipient: string
  readonly text: string
  readonly kind: "MESSAGE" | "NEW_TASK" | "FINAL_ANSWER"
  readonly triggers: boolean
}

/** Writes the delivery of a message. */
export const mail = (pen: Pen, { author, kind, recipient, text, triggers }: Mail): void => {
  if (triggers) pen.asked.push(pen.log.length)
  const people = { author, recipient }
  const head = `Message Type: ${kind}\nTask name: ${recipient}\nSender: ${author}\nPayload:\n`
  const isSecret = kind !== "FINAL_ANSWER"
  if (releaseOf(pen) === "0.142.4") {
    const content = isSecret ? { content: "", encrypted_content: text } : { content: `${head}${text}` }
    put(pen, "inter_agent_communication", { ...people, other_recipients: [], ...content, trigger_turn: triggers })
    return
  }
  put(pen, "inter_agent_communication_metadata", { trigger_turn: triggers })
  item(pen, "agent_message", {
    ...people,
    content: isSecret
      ? [
          { type: "input_text", text: head },
          { type: "encrypted_content", encrypted_content: text }
        ]
      : [{ type: "input_text", text: `${head}${text}` }]
  })
}

/** Writes a message that comes in: from the parent, or else from an agent that nobody knows more of. */
export const incoming = (pen: Pen, text: string): void => {
  const { parent, path } = pen
  if (parent === undefined) {
    mail(pen, { author: `${path}/worker`, recipient: path, text, kind: "FINAL_ANSWER", triggers: true })
    return
  }
  call(parent.pen, "send_message", { target: path, message: text }, (id) => {
    activity(parent.pen, id, pen, "interacted")
    return [""]
  })
  mail(pen, { author: parent.pen.path, recipient: path, text, kind: "MESSAGE", triggers: false })
}

/**
 * Writes a call of one of the tools for agents: the call, what `answer` writes, and the output that it gives. Gives what
 * `answer` gives beside that.
 */
export const call = <A = void>(
  pen: Pen,
  name: string,
  args: object,
  answer: (callId: string) => readonly [output: string, value: A] | readonly [output: string]
): A => {
  const call_id = callId(pen)
  const namespace = agentsOf(pen) === "v1" ? "multi_agent_v1" : "collaboration"
  const isNamed = !isOld(pen.form) && releaseOf(pen) !== "0.142.4"
  item(pen, "function_call", { name, ...(isNamed ? { namespace } : {}), arguments: JSON.stringify(args), call_id })
  const [output, value] = answer(call_id)
  item(pen, "function_call_output", { call_id, output })
  return value as A
}

/** Writes what happened to an agent (v2). */
export const activity = (pen: Pen, id: string, { path, threadId }: Pen, kind: string): void => {
  const agent = { agent_thread_id: threadId, agent_path: path }
  const event = { event_id: id, occurred_at_ms: pen.clock.tick(), ...agent, kind }
  shown(pen, "SubAgentActivity", { id, kind, ...agent }, [["sub_agent_activity", event]])
}

/** What 0.20.0 shows its user is in no record. */
const saidOnce = ({ form }: Pen, events: ReadonlyArray<Event>): ReadonlyArray<Event> =>
  form === "0.20.0" ? [] : events

const say = (pen: Pen, text: string): void => {
  const id = `msg_${pen.clock.uuid()}`
  const more = isOld(pen.form) ? {} : { phase: null, memory_citation: null }
  const events = saidOnce(pen, [["agent_message", { message: text, ...more }]])
  shown(pen, "AgentMessage", { id, content: [{ type: "Text", text }] }, events)
  message(pen, "assistant", text, id)
}

const think = (pen: Pen, text: string): void => {
  const id = `rs_${pen.clock.count()}`
  const events = saidOnce(pen, [["agent_reasoning", { text }]])
  shown(pen, "Reasoning", { id, summary_text: [text], raw_content: [] }, events)
  item(pen, "reasoning", {
    ...(isOld(pen.form) ? {} : { id }),
    summary: [{ type: "summary_text", text }],
    content: null,
    encrypted_content: "c2VjcmV0"
  })
}

const search = (pen: Pen, query: string): void => {
  const action = { type: "search", query }
  const id = `ws_${pen.clock.count()}`
  const events: ReadonlyArray<Event> = isOld(pen.form) ? [] : [["web_search_end", { call_id: id, query, action }]]
  shown(pen, "WebSearch", { id, query, action }, events)
  item(pen, "web_search_call", { ...(isOld(pen.form) ? {} : { id }), status: "completed", action })
}

const patch = (pen: Pen, text: string): void => {
  const call_id = callId(pen)
  const input = `*** Begin Patch\n*** Add File: a.txt\n+${text}\n*** End Patch`
  const status = isOld(pen.form) || releaseOf(pen) !== "0.169.0" ? { status: "completed" } : {}
  item(pen, "custom_tool_call", { ...status, call_id, name: "apply_patch", input })
  const changes = { "/repo/a.txt": { type: "add", content: `${text}\n` } }
  const done = { stdout: "Success.", stderr: "" }
  const end = { call_id, turn_id: pen.turnId, ...done, success: true, changes, status: "completed" }
  const body = { id: call_id, changes, status: "completed", ...done }
  shown(pen, "FileChange", body, isOld(pen.form) ? [] : [["patch_apply_end", end]])
  item(pen, "custom_tool_call_output", { call_id, output: "Success." })
}

const duration = { secs: 0, nanos: 1_000_000 }

const mcp = (pen: Pen, text: string): void => {
  const call_id = callId(pen)
  const args = { q: text }
  item(pen, "function_call", { name: "mcp__demo__find", arguments: JSON.stringify(args), call_id })
  const result = { content: [{ type: "text", text: "found" }], isError: false }
  const called = { server: "demo", tool: "find", arguments: args }
  shown(pen, "McpToolCall", { id: call_id, ...called, status: "completed", result, duration }, [
    ["mcp_tool_call_end", { call_id, invocation: called, duration, result: { Ok: result } }]
  ])
  item(pen, "function_call_output", { call_id, output: "found" })
}

const run = (pen: Pen, command: string, isAnswered: boolean): void => {
  const call_id = callId(pen)
  const [name, args] =
    pen.form === "0.42.0" || pen.form === "0.20.0"
      ? ["shell", { command: ["bash", "-lc", command] }]
      : pen.form === "0.63.0"
        ? ["shell_command", { command }]
        : ["exec_command", { cmd: command }]
  item(pen, "function_call", { name, arguments: JSON.stringify(args), call_id })
  if (!isAnswered) return
  const body = {
    id: call_id,
    command: ["/bin/bash", "-lc", command],
    cwd: "file:///repo",
    parsed_cmd: [{ type: "unknown", cmd: command }],
    source: "agent",
    status: "completed",
    aggregated_output: "done\n",
    exit_code: 0,
    duration
  }
  shown(pen, "CommandExecution", body, [])
  item(pen, "function_call_output", { call_id, output: "done\n" })
}

/** The id of the call that is written next. */
export const callId = ({ clock }: Pen): string => `call_${clock.count()}`

const compact = (pen: Pen, step: Extract<Step, { readonly compact: unknown }>): void => {
  Compacting.compact(pen, step.compact, true)
  // The older releases tell the context anew with the next turn, and their settings with every request.
  if (!isOld(pen.form)) Context.context(pen)
  Context.turnContext(pen)
  Compacting.compacted(pen)
}

/** A step that writes into no thread but its own. */
export type LoneStep = Exclude<Step, { readonly spawn: unknown }>

/** Writes a step. */
export const step = (pen: Pen, one: LoneStep) => {
  if ("say" in one) return say(pen, one.say)
  if ("think" in one) return think(pen, one.think)
  if ("steer" in one) return userText(pen, one.steer)
  if ("mail" in one) return incoming(pen, one.mail)
  if ("compact" in one) return compact(pen, one)
  if ("search" in one) return search(pen, one.search)
  if ("patch" in one) return patch(pen, one.patch)
  if ("mcp" in one) return mcp(pen, one.mcp)
  if ("run" in one) return run(pen, one.run, one.unanswered !== true)
  pen.state = { ...pen.state, note: one.world }
  Context.tellWorld(pen)
}

/** Writes that an interruption was told to the model, and that the turn ended by it. */
export const interrupted = (pen: Pen, times: object) => {
  const marker = "<turn_aborted>\nThe user interrupted the previous turn on purpose.\n</turn_aborted>"
  const role = agentsOf(pen) === "v1" ? "user" : "developer"
  if (pen.form === "0.98.0" || !isOld(pen.form)) message(pen, role, marker)
  pen.isOpen = false
  if (pen.form === "0.20.0") return
  event(pen, "turn_aborted", {
    ...(isOld(pen.form) ? {} : { turn_id: pen.turnId, ...times }),
    reason: "interrupted"
  })
}
