/** `skein tree`: the threads of a home as a forest of agents. */
import { FileSystem, Path } from "@effect/platform"
import * as AgentTree from "@skein/core/fold/AgentTree"
import * as ThreadSummary from "@skein/core/fold/ThreadSummary"
import * as Timestamp from "@skein/core/record/Timestamp"
import * as CodexHome from "@skein/store-fs/CodexHome"
import type { Diagnostic } from "@skein/store-fs/Diagnostic"
import * as EffectiveLog from "@skein/store-fs/EffectiveLog"
import { FileRefused } from "@skein/store-fs/FileError"
import * as SessionIndex from "@skein/store-fs/SessionIndex"
import { Effect } from "effect"
import * as Output from "../Output.js"
import * as Text from "../Text.js"
import * as Verify from "./Verify.js"

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
  /** The file that stands for the thread, the newest of several; null when there is none. */
  readonly file: string | null
  readonly children: ReadonlyArray<string>
  /** Why it stands where it stands, when its parent does not say. */
  readonly note: AgentTree.Note | "unreadable" | null
}

/** What `skein tree --json` prints for a home. */
export interface TreeDocument {
  readonly home: string
  readonly agents: ReadonlyArray<TreeAgent>
  /** Threads that are known by the name of their file alone. */
  readonly unreadable: ReadonlyArray<ReturnType<typeof Output.refusal>>
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

interface Thread {
  readonly id: string
  readonly found: CodexHome.Found
  readonly agent: AgentTree.Agent
  readonly summary: ThreadSummary.ThreadSummary
  readonly refused: FileRefused | undefined
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/**
 * The forest of a home's agents.
 *
 * Cost: one pass over the newest file of each thread and what it continues, in which few lines are decoded. Memory: a
 * summary for each thread.
 */
export const tree = (home: string) =>
  Effect.gen(function* () {
    const among = yield* rolloutsOf(home)
    const names = yield* SessionIndex.read(home)
    const threads = new Map<string, Thread>()
    for (const found of newestOf(among)) {
      const thread = yield* read(found, among)
      threads.set(thread.id, thread)
    }
    const all = [...threads.values()]
    const document: TreeDocument = {
      home,
      agents: AgentTree.assemble(all.map(({ agent }) => agent)).map((node) =>
        agentOf(node, threads.get(node.id), SessionIndex.nameOf(names, node.id))
      ),
      unreadable: all.flatMap(({ found, refused }) =>
        refused === undefined ? [] : [Output.refusal(found.path, refused)]
      ),
      diagnostics: all.flatMap(({ diagnostics }) => diagnostics)
    }
    return document
  })

/** The rollouts of a home, or those below any other folder. */
const rolloutsOf = (
  home: string
): Effect.Effect<ReadonlyArray<CodexHome.Found>, FileRefused, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const type = yield* fs.stat(home).pipe(
      Effect.map((info) => info.type),
      Effect.orElseSucceed(() => undefined)
    )
    if (type !== "Directory") {
      return yield* Effect.fail(
        new FileRefused({
          path: home,
          reason: type === undefined ? "missing" : "not-a-folder",
          detail: type === undefined ? "there is no such folder" : "it is no folder",
          advice: "Name a Codex home: a folder with sessions/ in it, such as ~/.codex."
        })
      )
    }
    const inHome = yield* CodexHome.rollouts(home)
    if (inHome.length > 0) return inHome
    return (yield* Verify.files(home)).flatMap((path) => {
      const name = CodexHome.parseName(paths.basename(path))
      return name === undefined ? [] : [{ ...name, path }]
    })
  })

/** The file that stands for each thread: of several the newest one, by time and then by segment (since-july). */
export const newestOf = (among: ReadonlyArray<CodexHome.Found>): ReadonlyArray<CodexHome.Found> => {
  const newest = new Map<string, CodexHome.Found>()
  for (const found of among) {
    const known = newest.get(found.threadId)
    if (known === undefined || keyOf(found) > keyOf(known)) newest.set(found.threadId, found)
  }
  return [...newest.values()]
}

const keyOf = ({ compressed, segmentId, time }: CodexHome.Found): string =>
  `${time} ${segmentId ?? ""} ${compressed ? 0 : 1}`

const read = (
  found: CodexHome.Found,
  among: ReadonlyArray<CodexHome.Found>
): Effect.Effect<Thread, never, FileSystem.FileSystem | Path.Path> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* EffectiveLog.open(found.path, { among })
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
      const id = agent.id ?? found.threadId
      return {
        id,
        found,
        agent: { ...agent, id, createdAt: agent.createdAt ?? Timestamp.parse(found.time) },
        summary,
        refused: undefined,
        diagnostics: log.diagnostics
      }
    })
  ).pipe(
    Effect.catchAll((refused) =>
      Effect.succeed({
        id: found.threadId,
        found,
        agent: { ...AgentTree.fold.initial, id: found.threadId, spoke: true, createdAt: Timestamp.parse(found.time) },
        summary: ThreadSummary.fold.initial,
        refused,
        diagnostics: []
      })
    )
  )

const agentOf = (node: AgentTree.Node, thread: Thread | undefined, named: string | undefined): TreeAgent => {
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
    name: ThreadSummary.name(summary, named) ?? null,
    model: summary.model ?? null,
    archived: thread !== undefined && /[\\/]archived_sessions[\\/]/.test(thread.found.path),
    file: thread?.found.path ?? null,
    children: node.children,
    note: thread?.refused === undefined ? (node.note ?? null) : "unreadable"
  }
}

/** The document for a person. */
export const render = ({ agents, diagnostics, home, unreadable }: TreeDocument, style: Text.Style): string =>
  Text.lines([
    `${style.strong(home)}: ${Text.plural(agents.length, "agent")}`,
    ...branches(agents, style),
    ...unreadable.map(({ error, file }) => `  ${style.bad("error")} ${file}: ${"detail" in error ? error.detail : ""}`),
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
const branchesOf = (agents: ReadonlyArray<TreeAgent>): ReadonlyArray<string> => {
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
