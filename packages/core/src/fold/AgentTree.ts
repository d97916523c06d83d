/**
 * Which agents belong together: who spawned whom, what each did last, and whether it still runs.
 *
 * Each thread's log is folded by itself into an {@link Agent}; {@link assemble} makes a forest of many. What a log
 * cannot tell of its own agent (that its parent closed it) the parent's log tells.
 */

import { touching } from "../internal/Touching.js"
import type { EventMsg } from "../record/EventMsg.js"
import * as Bare from "../record/legacy/Bare.js"
import { canonicalUuid } from "../record/Primitive.js"
import type { StoredRecord } from "../record/Record.js"
import * as SessionMeta from "../record/SessionMeta.js"
import type * as Sniff from "../record/Sniff.js"
import type { AgentStatus, SubAgentActivityKind } from "../record/SubAgent.js"
import * as Timestamp from "../record/Timestamp.js"
import type { CollabAgentToolCall, TurnItem } from "../record/TurnItem.js"
import type * as Fold from "./Fold.js"
import { spawnOf } from "./ThreadSummary.js"

/**
 * How an agent stands, in the words of rollout-format §5.3. `unknown`: its release recorded no turns. `running` means
 * that the log of the newest turn has no end, be it that its process is at work or that it was killed.
 */
export type Status =
  | "pending_init"
  | "running"
  | "completed"
  | "errored"
  | "interrupted"
  | "shutdown"
  | "not_found"
  | "unknown"

/** What one agent did to another, or heard of it. */
export type Activity = SubAgentActivityKind | "awaited" | "closed" | "resumed"

/** What the log of an agent says of another one. */
export interface Report {
  readonly id: string
  /** Whether this log says that it spawned the other: only that makes an edge. */
  readonly spawned: boolean
  readonly path: string | undefined
  readonly nickname: string | undefined
  readonly role: string | undefined
  readonly activity: Activity
  readonly status: Status | undefined
  /** When the report was written, in milliseconds since 1970. */
  readonly at: number | undefined
  /** When the first one was. */
  readonly since: number | undefined
}

/** The newest turn of an agent. */
export interface LastTurn {
  readonly id: string | undefined
  /** `unknown`: begun by a user message, in a log that records no turn starts and so may record no end. */
  readonly status: "running" | "completed" | "errored" | "interrupted" | "unknown"
  readonly startedAt: number | undefined
  /** Whether it started before the thread did: a fork does not go on with the turns that it inherits. */
  readonly inherited: boolean
}

/** What the log of one thread tells of its agent. Ids are in lower case with hyphens, times in milliseconds. */
export interface Agent {
  /** Undefined until the log said which thread it is. */
  readonly id: string | undefined
  readonly parentId: string | undefined
  /** What kind of sub-agent it is, such as `thread_spawn` or `review`; undefined for a thread of a user. */
  readonly kind: string | undefined
  readonly nickname: string | undefined
  readonly role: string | undefined
  readonly path: string | undefined
  readonly createdAt: number | undefined
  readonly lastActivityAt: number | undefined
  readonly turn: LastTurn | undefined
  /** The turn before it: its completion may come late and says nothing of the newest one. */
  readonly previousTurnId: string | undefined
  /** Whether anything was said, though no turn may be recorded. */
  readonly spoke: boolean
  /** Records below this ordinal were copied from the parent. */
  readonly ownFrom: number
  /** What the log says of other agents, by id, in the order in which they came up. */
  readonly reports: ReadonlyMap<string, Report>
}

const empty: Agent = {
  id: undefined,
  parentId: undefined,
  kind: undefined,
  nickname: undefined,
  role: undefined,
  path: undefined,
  createdAt: undefined,
  lastActivityAt: undefined,
  turn: undefined,
  previousTurnId: undefined,
  spoke: false,
  ownFrom: 0,
  reports: new Map()
}

/**
 * The fold over one thread's log: own header first, then what it inherits, then its own records.
 *
 * Cost: constant per record; for one about other agents, the number of agents that this one ever dealt with.
 */
export const fold: Fold.Fold<Agent> = touching(empty, (agent, record) => step(agent, record), touchAt)

/** Notes that a record was written, and nothing else of it: what a reader does with a line that it passes over. */
export const touch = (agent: Agent, timestamp: string): Agent => touchAt(agent, Timestamp.parse(timestamp))

function touchAt(agent: Agent, at: number | undefined): Agent {
  const lastActivityAt = Timestamp.later(agent.lastActivityAt, at)
  return lastActivityAt === agent.lastActivityAt ? agent : { ...agent, lastActivityAt }
}

const events: ReadonlySet<string | undefined> = new Set([
  undefined,
  "task_started",
  "turn_started",
  "task_complete",
  "turn_complete",
  "turn_aborted",
  "sub_agent_activity",
  "collab_agent_spawn_end",
  "collab_agent_interaction_end",
  "collab_waiting_end",
  "collab_close_end",
  "collab_resume_end"
])

const items: ReadonlySet<string | undefined> = new Set([undefined, "SubAgentActivity", "CollabAgentToolCall"])

/**
 * Whether a line with this head can say more of an agent than that it was active; the others only need
 * {@link touch}. Cost: constant.
 */
export const wants = (head: Sniff.Head, so: Agent = empty): boolean => {
  if (head.type === "session_meta") return true
  if (head.type === "turn_context") return !so.spoke
  if (head.type !== "event_msg") return false
  if (head.inner === "item_completed") return items.has(head.item)
  return events.has(head.inner) || (head.inner === "user_message" && so.turn?.status !== "running")
}

const step = (agent: Agent, record: StoredRecord): Agent => {
  switch (record.kind) {
    case "session_meta":
      return agent.id === undefined ? opened(agent, record.payload) : agent
    case "turn_context":
      return agent.spoke ? agent : { ...agent, spoke: true }
    case "response_item":
      return agent.spoke || record.upcast?.split(", ").includes(Bare.name) !== true ? agent : { ...agent, spoke: true }
    case "event_msg":
      return withEvent(agent, record.payload, record)
    default:
      return agent
  }
}

const opened = (agent: Agent, meta: SessionMeta.SessionMeta): Agent => {
  const source = SessionMeta.source(meta)
  const spawn = spawnOf(source)
  const parent = meta.parent_thread_id ?? spawn?.parent_thread_id
  return {
    ...agent,
    id: canonicalUuid(meta.id),
    parentId: parent === undefined ? undefined : canonicalUuid(parent),
    kind: kindOf(source),
    nickname: meta.agent_nickname ?? spawn?.agent_nickname ?? undefined,
    role: SessionMeta.agentRole(meta) ?? (spawn === undefined ? undefined : SessionMeta.agentRole(spawn)),
    path: meta.agent_path ?? spawn?.agent_path ?? undefined,
    createdAt: Timestamp.parse(meta.timestamp),
    ownFrom: meta.subagent_history_start_ordinal ?? 0
  }
}

const kindOf = (source: SessionMeta.SessionSource): string | undefined => {
  if (typeof source === "string" || !("subagent" in source)) return undefined
  if (typeof source.subagent === "string") return source.subagent
  return "other" in source.subagent ? source.subagent.other : "thread_spawn"
}

const withEvent = (agent: Agent, event: EventMsg, record: StoredRecord): Agent => {
  switch (event.type) {
    case "task_started": {
      const at = Timestamp.parse(record.timestamp)
      const started = event.started_at ?? undefined
      return {
        ...agent,
        turn: {
          id: event.turn_id,
          status: "running",
          startedAt: at,
          inherited: precedes(agent, started === undefined ? at : started * 1000, started === undefined ? 1 : 1000)
        },
        previousTurnId: agent.turn?.id
      }
    }
    case "task_complete":
      return ended(agent, event.turn_id, event.error === undefined || event.error === null ? "completed" : "errored")
    case "turn_aborted":
      return ended(agent, event.turn_id ?? undefined, "interrupted")
    case "user_message":
      return agent.turn?.status === "running" ? agent : spokenTo(agent, Timestamp.parse(record.timestamp))
    default:
      // Asked of every line: most tell of no other agent.
      if (!events.has(event.type) && event.type !== "item_completed") return agent
      return (record.ordinal ?? Number.POSITIVE_INFINITY) < agent.ownFrom ? agent : heard(agent, event, record)
  }
}

/** Outside of a turn with a recorded start, a user message begins one. */
const spokenTo = (agent: Agent, at: number | undefined): Agent => ({
  ...agent,
  spoke: true,
  turn: { id: undefined, status: "unknown", startedAt: at, inherited: false },
  previousTurnId: agent.turn?.id
})

/** Whether a moment, known to `unit` milliseconds, lies before the thread was made. */
const precedes = (agent: Agent, at: number | undefined, unit: number): boolean =>
  at !== undefined && agent.createdAt !== undefined && at < Math.floor(agent.createdAt / unit) * unit

/**
 * The end of a turn. The first end of a turn is final; that of the turn before may come late. An end that fits no
 * start ends the newest turn: a review's turn ends under another id than it started with.
 */
const ended = (agent: Agent, id: string | undefined, status: LastTurn["status"]): Agent => {
  const { turn } = agent
  if (turn === undefined) {
    return { ...agent, turn: { id, status, startedAt: undefined, inherited: false } }
  }
  const isOpen = turn.status === "running" || turn.status === "unknown"
  if (!isOpen || (id !== undefined && id !== turn.id && id === agent.previousTurnId)) return agent
  return { ...agent, turn: { ...turn, status } }
}

/** One thing that a log says of another agent. */
interface Said {
  readonly id: string
  readonly activity: Activity
  readonly spawned?: boolean
  readonly path?: string | undefined
  readonly nickname?: string | undefined
  readonly role?: string | undefined
  readonly status?: Status | undefined
}

const heard = (agent: Agent, event: EventMsg, record: StoredRecord): Agent => {
  const said = saidBy(agent, event, record)
  if (said.length === 0) return agent
  const at = Timestamp.parse(record.timestamp)
  const reports = new Map(agent.reports)
  for (const one of said) {
    const id = canonicalUuid(one.id)
    const before = reports.get(id)
    reports.set(id, {
      id,
      spawned: one.spawned === true || before?.spawned === true,
      path: one.path ?? before?.path,
      nickname: one.nickname ?? before?.nickname,
      role: one.role ?? before?.role,
      activity: one.activity,
      status: one.status ?? before?.status,
      at: at ?? before?.at,
      since: before === undefined ? at : before.since
    })
  }
  return { ...agent, reports }
}

const saidBy = (agent: Agent, event: EventMsg, record: StoredRecord): ReadonlyArray<Said> => {
  const isOwn = (sender: string): boolean => agent.id === undefined || canonicalUuid(sender) === agent.id
  switch (event.type) {
    case "item_completed":
      return isOwn(event.thread_id) ? saidByItem(event.item, isOwn) : []
    case "sub_agent_activity": {
      // A copied event does not say whose it was, but it happened before the copy was made.
      const at = (event.occurred_at_ms ?? 0) > 0 ? event.occurred_at_ms : Timestamp.parse(record.timestamp)
      return precedes(agent, at, 1) ? [] : [activityOf(event.agent_thread_id, event.agent_path, event.kind)]
    }
    case "collab_agent_spawn_end":
      return isOwn(event.sender_thread_id) && event.new_thread_id !== undefined && event.new_thread_id !== null
        ? [
            {
              id: event.new_thread_id,
              activity: "started",
              spawned: true,
              nickname: event.new_agent_nickname ?? undefined,
              role: event.new_agent_role ?? undefined,
              status: statusOf(event.status)
            }
          ]
        : []
    case "collab_agent_interaction_end":
    case "collab_close_end":
    case "collab_resume_end": {
      if (!isOwn(event.sender_thread_id)) return []
      const activity = retired[event.type]
      return [
        {
          id: event.receiver_thread_id,
          activity,
          nickname: event.receiver_agent_nickname ?? undefined,
          role: event.receiver_agent_role ?? undefined,
          status: activity === "closed" ? "shutdown" : statusOf(event.status)
        }
      ]
    }
    case "collab_waiting_end":
      return isOwn(event.sender_thread_id)
        ? Object.entries(event.statuses).map(([id, status]) => ({ id, activity: "awaited", status: statusOf(status) }))
        : []
    default:
      return []
  }
}

const retired = {
  collab_agent_interaction_end: "interacted",
  collab_close_end: "closed",
  collab_resume_end: "resumed"
} as const

const saidByItem = (item: TurnItem, isOwn: (sender: string) => boolean): ReadonlyArray<Said> => {
  if (item.type === "SubAgentActivity") return [activityOf(item.agent_thread_id, item.agent_path, item.kind)]
  return item.type === "CollabAgentToolCall" && isOwn(item.sender_thread_id) ? saidByCall(item) : []
}

const activityOf = (id: string, path: string, kind: SubAgentActivityKind): Said => ({
  id,
  path,
  activity: kind,
  spawned: kind === "started",
  status: kind === "completed" || kind === "interrupted" ? kind : "running"
})

const tools = {
  spawn_agent: "started",
  send_input: "interacted",
  resume_agent: "resumed",
  wait: "awaited",
  close_agent: "closed"
} as const

const saidByCall = (call: CollabAgentToolCall): ReadonlyArray<Said> => {
  const states = new Map(Object.entries(call.agents_states ?? {}).map(([id, state]) => [canonicalUuid(id), state]))
  const named = new Map((call.receiver_agents ?? []).map((agent) => [canonicalUuid(agent.thread_id), agent]))
  const ids = new Set([...(call.receiver_thread_ids ?? []).map(canonicalUuid), ...named.keys(), ...states.keys()])
  const done = call.status === "completed"
  return [...ids].map((id) => {
    const agent = named.get(id)
    const state = states.get(id)
    return {
      id,
      activity: tools[call.tool],
      spawned: call.tool === "spawn_agent",
      nickname: agent?.agent_nickname ?? undefined,
      role: agent === undefined ? undefined : SessionMeta.agentRole(agent),
      status: done && call.tool === "close_agent" ? "shutdown" : state === undefined ? undefined : statusOf(state)
    }
  })
}

const statusOf = (status: AgentStatus): Status => {
  if (typeof status === "string") return status
  return "completed" in status ? "completed" : "errored"
}

/**
 * How an agent stands. Its own log counts. What its parent reports counts where the log tells nothing or stopped in
 * the middle of a turn before the report, and for a closing, which no log of the closed agent holds.
 *
 * @param report What the parent's log says of it.
 */
export const liveness = (agent: Agent, report?: Report | undefined): Status => {
  const { turn } = agent
  const reported = report?.status
  if (turn === undefined || turn.status === "unknown") return reported ?? (agent.spoke ? "unknown" : "pending_init")
  if (reported === "shutdown" && isSince(report?.at, turn.startedAt)) return "shutdown"
  if (turn.status !== "running") return turn.status
  if (turn.inherited) return "interrupted"
  const isFinal = reported !== undefined && reported !== "running" && reported !== "pending_init"
  return isFinal && isSince(report?.at, agent.lastActivityAt) ? reported : "running"
}

const isSince = (at: number | undefined, earlier: number | undefined): boolean =>
  at !== undefined && (earlier === undefined || at >= earlier)

/**
 * Why an agent stands where it stands: its parent has no log here, it has none itself, or its ancestors form a circle,
 * which was cut at this agent.
 */
export type Note = "missing-parent" | "no-log" | "cycle"

/** An agent in its place. */
export interface Node {
  readonly id: string
  /** The parent that its log or another one names, whether it is here or not. */
  readonly parentId: string | undefined
  /** 0 for a root. */
  readonly depth: number
  readonly status: Status
  /** The latest time that its log or its parent's report names. */
  readonly lastActivityAt: number | undefined
  readonly kind: string | undefined
  readonly nickname: string | undefined
  readonly role: string | undefined
  readonly path: string | undefined
  /** Ids of its children, in order. */
  readonly children: ReadonlyArray<string>
  /** What the parent's log says of it. */
  readonly report: Report | undefined
  readonly note: Note | undefined
}

interface Place {
  readonly id: string
  readonly agent: Agent | undefined
  readonly parentId: string | undefined
  readonly report: Report | undefined
  readonly at: number
}

/**
 * The forest of these agents: parents in front of their children, brothers in the order in which they were made, and
 * then by id. An agent stands under the parent that its own header names, else under the first one whose log says that
 * it spawned it. Agents without id are left out; of several with one id the last one counts.
 *
 * Total for any input: circles are cut at their oldest member. Cost: a sort.
 */
export const assemble = (agents: Iterable<Agent>): ReadonlyArray<Node> => {
  const known = new Map<string, Agent>()
  for (const agent of agents) if (agent.id !== undefined) known.set(agent.id, agent)
  const places = new Map<string, Place>()
  const claims = claimsOf(known)
  for (const id of new Set([...known.keys(), ...claims.keys()])) {
    const agent = known.get(id)
    const claim = claims.get(id)
    const parentId = agent?.parentId ?? claim?.by
    const report = parentId === undefined ? undefined : known.get(parentId)?.reports.get(id)
    const at = agent?.createdAt ?? report?.since ?? Number.POSITIVE_INFINITY
    places.set(id, { id, agent, parentId, report, at })
  }
  const ordered = [...places.values()].sort(byAge)
  const children = new Map<string, Array<Place>>()
  for (const place of ordered) {
    if (place.parentId === undefined || !places.has(place.parentId)) continue
    const brothers = children.get(place.parentId)
    if (brothers === undefined) children.set(place.parentId, [place])
    else brothers.push(place)
  }
  const nodes: Array<Node> = []
  const plant = (root: Place, note: Note | undefined): void => {
    const waiting: Array<{ readonly place: Place; readonly depth: number }> = [{ place: root, depth: 0 }]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { depth, place } = next
      const below = (children.get(place.id) ?? []).filter((child) => child !== root)
      nodes.push(nodeOf(place, depth, below, place === root ? note : undefined))
      for (let i = below.length - 1; i >= 0; i--) waiting.push({ place: below[i] as Place, depth: depth + 1 })
    }
  }
  const roots: Array<readonly [place: Place, note: Note | undefined]> = []
  const reached = new Set<string>()
  const reach = (root: Place): void => {
    const waiting = [root]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (reached.has(next.id)) continue
      reached.add(next.id)
      for (const child of children.get(next.id) ?? []) waiting.push(child)
    }
  }
  for (const place of ordered) {
    if (place.parentId !== undefined && places.has(place.parentId)) continue
    roots.push([place, place.parentId === undefined ? undefined : "missing-parent"])
    reach(place)
  }
  // What no root reaches hangs below a circle.
  for (const place of ordered) {
    if (reached.has(place.id)) continue
    const oldest = oldestOfCircle(place, places)
    roots.push([oldest, "cycle"])
    reach(oldest)
  }
  for (const [root, note] of roots.sort(([left], [right]) => byAge(left, right))) plant(root, note)
  return nodes
}

const byAge = (left: Place, right: Place): number =>
  left.at === right.at ? (left.id < right.id ? -1 : left.id > right.id ? 1 : 0) : left.at < right.at ? -1 : 1

/** Who says first that it spawned an agent; of two at one time the smaller id. */
const claimsOf = (known: ReadonlyMap<string, Agent>): ReadonlyMap<string, { by: string; at: number }> => {
  const claims = new Map<string, { by: string; at: number }>()
  for (const [by, agent] of known) {
    for (const { id, since, spawned } of agent.reports.values()) {
      if (!spawned || id === by) continue
      const at = since ?? Number.POSITIVE_INFINITY
      const claim = claims.get(id)
      if (claim === undefined || at < claim.at || (at === claim.at && by < claim.by)) claims.set(id, { by, at })
    }
  }
  return claims
}

/** The oldest of the circle that the ancestors of a place run into. */
const oldestOfCircle = (from: Place, places: ReadonlyMap<string, Place>): Place => {
  const parentOf = (place: Place): Place => places.get(place.parentId ?? "") ?? place
  const seen = new Set<Place>()
  let at = from
  while (!seen.has(at)) {
    seen.add(at)
    at = parentOf(at)
  }
  let oldest = at
  for (let member = parentOf(at); member !== at; member = parentOf(member)) {
    if (byAge(member, oldest) < 0) oldest = member
  }
  return oldest
}

const nodeOf = (place: Place, depth: number, below: ReadonlyArray<Place>, note: Note | undefined): Node => {
  const { agent, id, parentId, report } = place
  const times = [agent?.lastActivityAt, report?.at].filter((at) => at !== undefined)
  return {
    id,
    parentId,
    depth,
    status: liveness(agent ?? empty, report),
    lastActivityAt: times.length === 0 ? undefined : Math.max(...times),
    kind: agent === undefined ? "thread_spawn" : agent.kind,
    nickname: agent?.nickname ?? report?.nickname,
    role: agent?.role ?? report?.role,
    path: agent?.path ?? report?.path,
    children: below.map((child) => child.id),
    report,
    note: note ?? (agent === undefined ? "no-log" : undefined)
  }
}
