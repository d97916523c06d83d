/** The agents of a tree, and how they are drawn. */
import * as AgentTree from "@skein/core/fold/AgentTree"
import * as ThreadSummary from "@skein/core/fold/ThreadSummary"
import type { Diagnostic } from "@skein/store/Diagnostic"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import { Effect } from "effect"
import * as Output from "../Output.js"
import * as Text from "../Text.js"

/** One agent, behind its parent and in front of its children. */
export interface TreeAgent {
  readonly id: string
  readonly parentThreadId: string | null
  /** 0 for a root. */
  readonly depth: number
  readonly status: AgentTree.Status
  /** Unix milliseconds of the latest record that is known of it. */
  readonly lastActivityAtMs: number | null
  /** What its parent's log says that happened to it last. */
  readonly activity: AgentTree.Activity | null
  /** Unix seconds. */
  readonly createdAt: number | null
  /** What kind of sub-agent it is; null for a thread of a user. */
  readonly kind: string | null
  readonly agentNickname: string | null
  readonly agentRole: string | null
  readonly agentPath: string | null
  readonly forkedFromId: string | null
  readonly preview: string
  readonly name: string | null
  readonly model: string | null
  readonly archived: boolean
  /** The file that stands for the thread, the newest of several, or its path in a store; null when there is none. */
  readonly file: string | null
  readonly children: ReadonlyArray<string>
  /** Why it stands where it stands, when its parent does not say. */
  readonly note: AgentTree.Note | "unreadable" | null
}

/** What `skein tree --json` prints for a home. */
export interface TreeDocument {
  readonly home: string
  readonly agents: ReadonlyArray<TreeAgent>
  /** Threads that are known by the name of their file alone, and folders that cannot be listed. */
  readonly unreadable: ReadonlyArray<ReturnType<typeof Output.refusal>>
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** What is known of a thread before it has its place. */
export interface Thread {
  readonly id: string
  /** See {@link TreeAgent.file}. */
  readonly file: string | null
  /** The name that it was given explicitly. */
  readonly name: string | undefined
  readonly archived: boolean
  readonly agent: AgentTree.Agent
  readonly summary: ThreadSummary.ThreadSummary
  readonly refused: Output.Refused | undefined
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** What a log tells of its agent, few lines of it decoded. Cost: one pass over the log. */
export const read = <E>(log: EffectiveLog.EffectiveLog<E>): Effect.Effect<Pick<Thread, "agent" | "summary">, E> =>
  Effect.gen(function* () {
    let agent = AgentTree.fold.initial
    let summary = ThreadSummary.fold.initial
    yield* EffectiveLog.forward(
      log,
      (decoded) => {
        if (!EffectiveLog.isRecord(decoded)) return true
        agent = AgentTree.fold.step(agent, decoded)
        summary = ThreadSummary.fold.step(summary, decoded)
        return true
      },
      { wants: (head) => ThreadSummary.wants(head, summary) || AgentTree.wants(head, agent), passing: true }
    )
    // The lines that were passed over were activity as well; the last one tells when.
    yield* EffectiveLog.backward(log, (decoded) => {
      if (!EffectiveLog.isRecord(decoded)) return true
      agent = AgentTree.touch(agent, decoded.timestamp)
      return false
    })
    return { agent, summary }
  })

/** What is left of a thread that cannot be read. */
export const unread = (
  id: string,
  createdAt: number | undefined
): Pick<Thread, "agent" | "summary" | "diagnostics"> => ({
  agent: { ...AgentTree.fold.initial, id, spoke: true, createdAt },
  summary: ThreadSummary.fold.initial,
  diagnostics: []
})

/** The threads as a forest. */
export const documentOf = (
  home: string,
  all: ReadonlyArray<Thread>,
  unlisted: TreeDocument["unreadable"]
): TreeDocument => {
  const threads = new Map(all.map((thread) => [thread.id, thread]))
  const known = [...threads.values()]
  return {
    home,
    agents: AgentTree.assemble(known.map(({ agent }) => agent)).map((node) => agentOf(node, threads.get(node.id))),
    unreadable: [
      ...known.flatMap(({ file, id, refused }) => (refused === undefined ? [] : [Output.refusal(file ?? id, refused)])),
      ...unlisted
    ],
    diagnostics: known.flatMap(({ diagnostics }) => diagnostics)
  }
}

const agentOf = (node: AgentTree.Node, thread: Thread | undefined): TreeAgent => {
  const summary = thread?.summary ?? ThreadSummary.empty
  const createdAt = thread?.agent.createdAt
  return {
    id: node.id,
    parentThreadId: node.parentId ?? null,
    depth: node.depth,
    status: node.status,
    lastActivityAtMs: node.lastActivityAt ?? null,
    activity: node.report?.activity ?? null,
    createdAt: createdAt === undefined ? null : Math.floor(createdAt / 1000),
    kind: node.kind ?? null,
    agentNickname: node.nickname ?? null,
    agentRole: node.role ?? null,
    agentPath: node.path ?? null,
    forkedFromId: summary.forkedFromId ?? null,
    preview: summary.preview,
    name: ThreadSummary.name(summary, thread?.name) ?? null,
    model: summary.model ?? null,
    archived: thread?.archived === true,
    file: thread?.file ?? null,
    children: node.children,
    note: thread?.refused === undefined ? (node.note ?? null) : "unreadable"
  }
}

/** The document for a person. */
export const render = ({ agents, diagnostics, home, unreadable }: TreeDocument, style: Text.Style): string =>
  Text.lines([
    `${style.strong(home)}: ${Text.plural(agents.length, "agent")}`,
    ...branches(agents, style),
    ...unreadable.map(
      ({ error, file }) => `  ${style.bad("error")} ${file}: ${error["detail"] ?? error["message"] ?? error["reason"]}`
    ),
    ...Text.diagnostics(diagnostics, style)
  ])

/** A line for each agent, with what leads to it from its parent. */
export const branches = (agents: ReadonlyArray<TreeAgent>, style: Text.Style): ReadonlyArray<string> => {
  const leading = branchesOf(agents)
  const width = Math.max(0, ...leading.slice(0, 10_000).map((branch) => branch.length)) + idWidth
  return agents.map((agent, i) => {
    const branch = leading[i] ?? ""
    const gap = " ".repeat(Math.max(0, width - branch.length - agent.id.length))
    const head = `${style.dim(branch)}${agent.id}${gap}`
    const time = style.dim(timeOf(agent).padEnd(20))
    return `  ${head}  ${statusText(agent.status, style)}  ${time}  ${labelOf(agent)}`.trimEnd()
  })
}

const idWidth = 36

const timeOf = ({ lastActivityAtMs }: TreeAgent): string =>
  lastActivityAtMs === null ? "-" : new Date(lastActivityAtMs).toISOString().replace(/\.\d+Z$/, "Z")

/** The lines that lead from each agent's parents to it; deep ones are cut short in front. */
export const branchesOf = (
  agents: ReadonlyArray<{ readonly depth: number; readonly children: ReadonlyArray<string> }>
): ReadonlyArray<string> => {
  // For each level above: how many children are still to come.
  const left: Array<number> = []
  return agents.map(({ children, depth }) => {
    left.length = depth + 1
    left[depth] = children.length
    if (depth === 0) return ""
    const later = (left[depth - 1] ?? 1) - 1
    left[depth - 1] = later
    const above = left.slice(Math.max(0, depth - 40), depth - 1).map((count) => (count > 0 ? "│  " : "   "))
    return `${above.join("")}${later === 0 ? "└─ " : "├─ "}`
  })
}

const statusWidth = 12

const statusText = (status: AgentTree.Status, style: Text.Style): string => {
  const text = status.replace("_", " ").padEnd(statusWidth)
  switch (status) {
    case "running":
      return style.strong(text)
    case "completed":
      return style.good(text)
    case "errored":
    case "not_found":
      return style.bad(text)
    case "interrupted":
      return style.warn(text)
    default:
      return style.dim(text)
  }
}

const labelOf = (agent: TreeAgent): string => {
  const who = [agent.agentNickname, agent.agentRole, agent.agentPath, agent.agentPath === null ? agent.kind : null]
    .filter((part) => part !== null && part !== "thread_spawn")
    .map((part) => Text.brief(part ?? "", 40))
  const said = agent.name ?? agent.preview
  const notes = [
    agent.archived ? "archived" : undefined,
    agent.forkedFromId === null || agent.forkedFromId === agent.parentThreadId
      ? undefined
      : `fork of ${agent.forkedFromId}`,
    agent.note === null ? undefined : noteText(agent)
  ].filter((part) => part !== undefined)
  return [who.join(" "), said === "" ? "" : Text.brief(said, 60), notes.length === 0 ? "" : `(${notes.join("; ")})`]
    .filter((part) => part !== "")
    .join("  ")
}

const noteText = ({ note, parentThreadId }: TreeAgent): string => {
  switch (note) {
    case "missing-parent":
      return `its parent ${parentThreadId} has no log here`
    case "no-log":
      return "known from its parent alone: it has no log here"
    case "cycle":
      return `its ancestors form a circle, cut here: its parent is ${parentThreadId}`
    default:
      return "cannot be read"
  }
}
