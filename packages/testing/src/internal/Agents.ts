/** Agents that a turn starts: the parent's records of them, and the files that they write themselves. */
import type { Agent, End, Step } from "../ThreadModel.js"
import * as Context from "./Context.js"
import { isOld } from "./Facts.js"
import type { Line, Payload, Pen } from "./Pen.js"
import * as Pens from "./Pen.js"
import { agentsOf, canonical, event, message, releaseOf, shown } from "./Pen.js"
import * as Steps from "./Steps.js"

/** A turn of an agent, as its parent begins it. */
export interface Doing {
  readonly opening: (pen: Pen) => void
  readonly steps?: ReadonlyArray<Step> | undefined
  readonly end?: End | undefined
}

/** Writes a turn; gives what the model said last in it. */
export type Perform = (pen: Pen, doing: Doing) => string | null

const nicknames = ["Ada", "Euler", "Gauss", "Noether", "Hypatia", "Turing"]

/** Writes that an agent is started, and all that it does until its parent goes on. */
export const spawn = (pen: Pen, { agent, spawn: task }: Spawn, perform: Perform): void => {
  const number = pen.spawned++
  const nickname = nicknames[number % nicknames.length] ?? ""
  const name = number === 0 ? "worker" : `worker_${number + 1}`
  const path = `${pen.path}/${name}`
  const isV1 = agentsOf(pen) === "v1"
  const child = isV1
    ? startV1(pen, task, nickname, () => open(pen, agent, path, nickname))
    : startV2(pen, task, name, agent?.history, () => open(pen, agent, path, nickname))
  // Of an agent without a log nothing more is known.
  if (agent === undefined) return
  const tasks = [{ task, steps: agent.steps, end: agent.end }, ...(agent.tasks ?? [])]
  for (const [i, { end, steps, task }] of tasks.entries()) {
    const work: Work = (opening) => ({ end: end ?? "completed", last: perform(child, { opening, steps, end }) })
    const serve = isV1 ? serveV1 : serveV2
    serve(pen, child, { task, isFirst: i === 0 }, work)
  }
  if (agent.closed === true) closeV1(pen, child)
  pen.agents.push(Pens.written(child, agent))
}

type Spawn = Extract<Step, { readonly spawn: unknown }>

/** A task, and whether it is the one that the agent was started for. */
interface Task {
  readonly task: string
  readonly isFirst: boolean
}

interface Outcome {
  readonly end: End | "completed"
  readonly last: string | null
}

/** Has the agent do a task, which it is told by `opening`. */
type Work = (opening: (pen: Pen) => void) => Outcome

const startV2 = (pen: Pen, task: string, name: string, history: Agent["history"], start: () => Pen): Pen => {
  const args = { task_name: name, message: task, fork_turns: String(history ?? "none") }
  return Steps.call(pen, "spawn_agent", args, (id) => {
    const child = start()
    Steps.activity(pen, id, child, "started")
    return [JSON.stringify({ task_name: child.path }), child]
  })
}

const serveV2 = (pen: Pen, agent: Pen, { isFirst, task }: Task, work: Work): void => {
  const { path } = agent
  if (!isFirst) {
    Steps.call(pen, "followup_task", { target: path, message: task }, (id) => {
      Steps.activity(pen, id, agent, "interacted")
      return [""]
    })
  }
  const { end, last } = work((child) =>
    Steps.mail(child, { author: pen.path, recipient: path, text: task, kind: "NEW_TASK", triggers: true })
  )
  if (end === "unfinished") return
  if (end === "interrupted") {
    Steps.call(pen, "interrupt_agent", { target: path }, (id) => {
      Steps.activity(pen, id, agent, "interrupted")
      return ['{"previous_status":"running"}']
    })
    return
  }
  Steps.call(pen, "wait_agent", { timeout_ms: 10_000 }, (id) => {
    if (releaseOf(pen) === "0.169.0" && end === "completed") {
      const named = { agent_thread_id: agent.threadId, agent_path: path }
      canonical(pen, "SubAgentActivity", { id: `subagent-completed-${agent.turnId}`, kind: "completed", ...named })
    }
    collab(pen, id, "wait", [])
    return ['{"message":"Wait completed.","timed_out":false}']
  })
  const text = last ?? ""
  Steps.mail(pen, { author: path, recipient: pen.path, text, kind: "FINAL_ANSWER", triggers: false })
}

/** Writes what the user is shown of a tool for agents; legacy threads keep nothing of it. */
const collab = (pen: Pen, id: string, tool: string, agents: ReadonlyArray<readonly [Pen, unknown]>, more = {}) =>
  shown(
    pen,
    "CollabAgentToolCall",
    {
      id,
      tool,
      status: "completed",
      sender_thread_id: pen.threadId,
      receiver_thread_ids: agents.map(([{ threadId }]) => threadId),
      receiver_agents: agents.map(([{ threadId }]) => ({ thread_id: threadId })),
      agents_states: Object.fromEntries(agents.map(([{ threadId }, status]) => [threadId, status])),
      ...more
    },
    []
  )

const startV1 = (pen: Pen, task: string, nickname: string, start: () => Pen): Pen =>
  Steps.call(pen, "spawn_agent", { message: task }, (id) => {
    const child = start()
    const settings = { prompt: task, model: "gpt-5.5", reasoning_effort: "medium" }
    collab(pen, id, "spawn_agent", [[child, "pending_init"]], settings)
    return [JSON.stringify({ agent_id: child.threadId, ...(isOld(pen.form) ? {} : { nickname }) }), child]
  })

const serveV1 = (pen: Pen, agent: Pen, { isFirst, task }: Task, work: Work): void => {
  const isOldest = isOld(pen.form)
  if (!isFirst) {
    Steps.call(pen, "send_input", { ...targetOf(agent), message: task }, (id) => {
      collab(pen, id, "send_input", [[agent, "running"]], { prompt: task })
      return [JSON.stringify({ submission_id: pen.clock.uuid() })]
    })
  }
  const { end, last } = work((child) => Steps.userText(child, task))
  if (end === "unfinished" || end === "interrupted") return
  const status = end === "failed" ? { errored: "The server is overloaded." } : { completed: last }
  const targets = { [isOldest ? "ids" : "targets"]: [agent.threadId], timeout_ms: 10_000 }
  Steps.call(pen, isOldest ? "wait" : "wait_agent", targets, (id) => {
    collab(pen, id, "wait", [[agent, status]])
    return [JSON.stringify({ status: { [agent.threadId]: status }, timed_out: false })]
  })
  if (isOldest) return
  const notice = JSON.stringify({ agent_path: agent.threadId, status })
  message(pen, "user", `<subagent_notification>\n${notice}\n</subagent_notification>`)
}

const closeV1 = (pen: Pen, agent: Pen): void =>
  Steps.call(pen, "close_agent", targetOf(agent), (id) => {
    collab(pen, id, "close_agent", [[agent, { completed: null }]])
    return ['{"previous_status":{"completed":null}}']
  })

const targetOf = ({ form, threadId }: Pen) => (isOld(form) ? { id: threadId } : { target: threadId })

/**
 * An agent that begins: with the header of its file and what it gets along of its parent's history (replay-semantics
 * §5.2), or without a file.
 */
const open = (pen: Pen, agent: Agent | undefined, path: string, nickname: string): Pen => {
  const depth = (pen.parent?.depth ?? 0) + 1
  const child = Pens.make(pen.model, pen.clock, { pen, depth, nickname, path })
  if (agent === undefined) return child
  Pens.openFile(child, child.threadId)
  if (agent.history === undefined) {
    Context.header(child)
    return child
  }
  const { history } = agent
  const isWhole = history === "all"
  const from = isWhole ? 0 : (pen.asked.at(-history) ?? pen.asked[0] ?? pen.log.length)
  const lines = [...pen.log.entries()].slice(from).filter(([, line]) => isInherited(pen, line, isWhole))
  const hints = isWhole ? (releaseOf(pen) === "0.169.0" ? [newborn, usageHint] : [usageHint]) : []
  const end = releaseOf(pen) === "0.169.0" ? 1 : 0
  const own = 1 + lines.length + end + hints.length
  child.state = stateOf(
    pen,
    child,
    isWhole,
    lines.map(([, line]) => line)
  )
  Context.header(child, {
    forked_from_id: pen.threadId,
    ...(pen.isPaginated ? { subagent_history_start_ordinal: own } : {})
  })
  for (const [index, line] of lines) {
    if (pen.asked.includes(index)) child.asked.push(child.log.length)
    Pens.copy(child, line)
  }
  child.turnId = pen.turnId
  if (end > 0) event(child, "turn_aborted", { turn_id: pen.turnId, reason: "interrupted" })
  for (const hint of hints) message(child, "developer", hint)
  return child
}

const newborn = "You are now a newly spawned child agent. The preceding conversation is that of your parent."
const usageHint = "You are an agent in a team of agents collaborating to complete a task."

/** What an agent has in memory when it begins with its parent's history. */
const stateOf = (pen: Pen, child: Pen, isWhole: boolean, lines: ReadonlyArray<Line>): Pens.State => {
  const { state } = pen
  const isCompacted = lines.some(({ value }) => value.type === "compacted")
  const window = state.window.number > 0 && isCompacted ? state.window : child.state.window
  if (isWhole) return { ...state, window }
  const asked = lines.filter(({ value }) => isMessageOf(value, "user")).length
  const texts = isCompacted ? state.texts : state.texts.slice(Math.max(0, state.texts.length - asked))
  return { ...state, hasContext: false, told: undefined, window, texts }
}

const payloadOf = (value: Payload): Payload => value.payload as Payload

const isMessageOf = (value: Payload, role: string): boolean =>
  value.type === "response_item" && payloadOf(value).type === "message" && payloadOf(value).role === role

/** Events of which a paginated agent gets none along. */
const live: ReadonlySet<unknown> = new Set(["item_completed", "token_count"])

/**
 * Whether an agent gets a record of its parent along. Up to 0.145.0 it gets nothing that the model did but its final
 * answers; 0.169.0 keeps the items, and leaves out only what is told of the parent's turns and costs.
 */
const isInherited = (pen: Pen, { value }: Line, isWhole: boolean): boolean => {
  const isNew = releaseOf(pen) === "0.169.0"
  switch (value.type) {
    case "response_item":
      return isNew || ["system", "developer", "user"].some((role) => isMessageOf(value, role))
    case "inter_agent_communication":
    case "inter_agent_communication_metadata":
      return isNew
    case "turn_context":
    case "world_state":
      return isWhole
    case "token_usage_record":
      return false
    case "event_msg":
      return !(pen.isPaginated && live.has(payloadOf(value).type))
    default:
      return true
  }
}
