/**
 * What a list of threads shows of one: the part of a thread's metadata that its log tells (thread-store §2.1).
 *
 * Explicit metadata (name, archive state, edits that a paginated thread keeps in its database) is none of it. Fold the
 * thread's own header first, then what it inherits, then its own records: the preview of a fork is the first message
 * of the whole chain (since-july).
 */
import type { MultiAgentVersion } from "../record/Collaboration.js"
import type { ThreadSettings } from "../record/EventMsg.js"
import type { UserMessage as UserMessageEvent } from "../record/LegacyEvent.js"
import * as Bare from "../record/legacy/Bare.js"
import type { ApprovalPolicy, PermissionProfile, SandboxPolicy } from "../record/Permission.js"
import { canonicalUuid } from "../record/Primitive.js"
import type { StoredRecord } from "../record/Record.js"
import * as SessionMeta from "../record/SessionMeta.js"
import type * as Sniff from "../record/Sniff.js"
import * as Timestamp from "../record/Timestamp.js"
import type { TurnContext } from "../record/TurnContext.js"
import type { UserInput } from "../record/UserInput.js"
import * as Boundary from "./Boundary.js"
import * as Fold from "./Fold.js"
import { trimmed } from "./Fragment.js"

/** What kind of sub-agent a thread is, as hosts see it: the stored shape, with nulls written (thread-view §2.2). */
export type SubAgent =
  | "review"
  | "compact"
  | "memory_consolidation"
  | { readonly other: string }
  | {
      readonly thread_spawn: {
        readonly parent_thread_id: string
        readonly depth: number
        readonly agent_path: string | null
        readonly agent_nickname: string | null
        readonly agent_role: string | null
      }
    }

/** Who started a thread, as hosts see it (thread-view §2.2). */
export type Source =
  | "cli"
  | "vscode"
  | "exec"
  | "appServer"
  | "unknown"
  | { readonly custom: string }
  | { readonly subAgent: SubAgent }

/** State of the repository that a thread works in, as hosts see it (thread-view §2.2). */
export interface GitInfo {
  readonly sha: string | null
  readonly branch: string | null
  readonly originUrl: string | null
}

/** The metadata of a thread that its log tells. Ids are in lower case with hyphens. */
export interface ThreadSummary {
  /** Undefined until the log said which thread it is. */
  readonly id: string | undefined
  /** The root session of the tree of agents; the own id where the log names none. */
  readonly sessionId: string | undefined
  readonly forkedFromId: string | undefined
  /** Whether the fork is attached: its view has its own turns only (since-july). */
  readonly attached: boolean
  readonly parentThreadId: string | undefined
  /** The first user message, or the goal when that came first; empty when there was neither. */
  readonly preview: string
  /** The first user message that says something; `[Image]` for images alone. */
  readonly firstUserMessage: string | undefined
  /** The first text of a user: as the first message, but never `[Image]`. */
  readonly title: string | undefined
  readonly historyMode: SessionMeta.HistoryMode
  /** Undefined where the log names none: the reader's default counts. */
  readonly modelProvider: string | undefined
  readonly model: string | undefined
  readonly reasoningEffort: string | undefined
  readonly approvalPolicy: ApprovalPolicy | undefined
  /** What the agent may touch: the newest profile, in older logs the sandbox policy. */
  readonly permissions: PermissionProfile | SandboxPolicy | undefined
  readonly cwd: string
  readonly cliVersion: string
  readonly originator: string
  readonly source: Source
  readonly threadSource: string | undefined
  readonly agentNickname: string | undefined
  readonly agentRole: string | undefined
  readonly agentPath: string | undefined
  readonly multiAgentVersion: MultiAgentVersion | undefined
  /** Seconds since 1970, rounded down; undefined where the log does not tell (the file's name may). */
  readonly createdAt: number | undefined
  readonly gitInfo: GitInfo | undefined
  /** `enabled` unless a header says otherwise. */
  readonly memoryMode: string
}

/** The summary of an empty log. */
export const empty: ThreadSummary = {
  id: undefined,
  sessionId: undefined,
  forkedFromId: undefined,
  attached: false,
  parentThreadId: undefined,
  preview: "",
  firstUserMessage: undefined,
  title: undefined,
  historyMode: "legacy",
  modelProvider: undefined,
  model: undefined,
  reasoningEffort: undefined,
  approvalPolicy: undefined,
  permissions: undefined,
  cwd: "",
  cliVersion: "",
  originator: "",
  source: "unknown",
  threadSource: undefined,
  agentNickname: undefined,
  agentRole: undefined,
  agentPath: undefined,
  multiAgentVersion: undefined,
  createdAt: undefined,
  gitInfo: undefined,
  memoryMode: "enabled"
}

/** The fold (thread-store §2.1). Cost: constant per record, and linear in the texts of the first messages. */
export const fold: Fold.Fold<ThreadSummary> = Fold.make(empty, (summary, record) => {
  switch (record.kind) {
    case "session_meta":
      return summary.id === undefined ? opened(summary, record.payload) : updated(summary, record.payload)
    case "turn_context":
      return withTurn(summary, record.payload)
    case "event_msg": {
      const { payload } = record
      switch (payload.type) {
        case "user_message":
          return withMessage(summary, payload.message, hasImages(payload))
        case "item_completed":
          return payload.item.type === "UserMessage" && wantsMessage(summary)
            ? withMessage(summary, textOf(payload.item.content), payload.item.content.some(isImage))
            : summary
        case "thread_goal_updated":
          return summary.preview === "" ? changed(summary, { preview: trimmed(payload.goal.objective) }) : summary
        case "thread_settings_applied":
          return withSettings(summary, payload.thread_settings, payload.thread_id ?? undefined)
        default:
          return summary
      }
    }
    case "response_item":
      return isBare(record) ? withBareItem(summary, record) : summary
    default:
      return summary
  }
})

/**
 * Whether a line with this head can change a summary: a reader may pass over the others unparsed. Lines without a head
 * have to be decoded. Cost: constant.
 *
 * @param so The summary so far. Once the first message is known, further ones are passed over too.
 */
export const wants = (head: Sniff.Head, so: ThreadSummary = empty): boolean => {
  if (head.type === "session_meta" || head.type === "turn_context") return true
  if (head.type !== "event_msg") return false
  switch (head.inner) {
    case undefined:
    case "thread_settings_applied":
      return true
    case "user_message":
      return wantsMessage(so)
    case "item_completed":
      return (head.item === undefined || head.item === "UserMessage") && wantsMessage(so)
    case "thread_goal_updated":
      return so.preview === ""
    default:
      return false
  }
}

/** Whether a name says no more than the message that is shown anyway. */
const hides = (name: string, behind: string | undefined): boolean => trimmed(name) === trimmed(behind ?? "")

/**
 * The name that a thread shows (thread-store §2.1, thread-view §2.2).
 *
 * @param indexed The name that was given to it explicitly: of a home, the newest entry of `session_index.jsonl`. It
 * counts in both modes. A legacy thread shows none that equals its preview; without an explicit one it shows its
 * title where that differs from the first message, as when the thread opens with an image alone.
 */
export const name = (summary: ThreadSummary, indexed?: string | undefined): string | undefined => {
  const explicit = indexed === undefined || trimmed(indexed) === "" ? undefined : indexed
  if (summary.historyMode === "paginated") return explicit
  const { firstUserMessage, preview, title } = summary
  if (explicit !== undefined) return hides(explicit, preview) ? undefined : explicit
  return title === undefined || hides(title, firstUserMessage) ? undefined : title
}

/** What precedes the user's own words when an editor sent its context along. */
const requestMarker = "## My request for Codex:"

/** A message as previews show it: without what an editor put in front, and trimmed (thread-store §2.1). */
const stripped = (text: string): string => {
  const at = text.indexOf(requestMarker)
  return trimmed(at < 0 ? text : text.slice(at + requestMarker.length))
}

const wantsMessage = ({ firstUserMessage, title }: ThreadSummary): boolean =>
  firstUserMessage === undefined || title === undefined

const hasImages = ({ images, local_images }: UserMessageEvent): boolean =>
  (images?.length ?? 0) > 0 || (local_images?.length ?? 0) > 0

const isImage = ({ type }: UserInput): boolean => type === "image" || type === "local_image"

const textOf = (content: ReadonlyArray<UserInput>): string =>
  content.map((part) => (part.type === "text" ? part.text : "")).join("")

const withMessage = (summary: ThreadSummary, message: string, images: boolean): ThreadSummary => {
  if (!wantsMessage(summary)) return summary
  const text = stripped(message)
  const shown = text === "" && images ? "[Image]" : text
  if (shown === "") return summary
  return changed(summary, {
    preview: summary.preview === "" ? shown : summary.preview,
    firstUserMessage: summary.firstUserMessage ?? shown,
    title: summary.title ?? (text === "" ? undefined : text)
  })
}

/** Files of 0.20.0 have items and no events: there the first real user message stands for the event. */
const isBare = (record: StoredRecord): boolean => record.upcast?.split(", ").includes(Bare.name) === true

const withBareItem = (
  summary: ThreadSummary,
  { payload }: Extract<StoredRecord, { readonly kind: "response_item" }>
): ThreadSummary => {
  if (!wantsMessage(summary) || !Boundary.isRealUserMessage(payload)) return summary
  const text = Boundary.userTexts(payload).join("")
  // 0.20.0 sent the user's standing instructions as a message too; later versions no longer know the tag.
  if (text.startsWith("<user_instructions>")) return summary
  return withMessage(
    summary,
    text,
    payload.content.some(({ type }) => type === "input_image")
  )
}

/** The first header: it fixes who the thread is and where it came from (rollout-format §2.1). */
const opened = (summary: ThreadSummary, meta: SessionMeta.SessionMeta): ThreadSummary => {
  const created = Timestamp.parse(meta.timestamp)
  return described(
    {
      ...summary,
      id: canonicalUuid(meta.id),
      sessionId: canonicalUuid(meta.session_id),
      forkedFromId: uuid(meta.forked_from_id),
      attached: meta.attached_thread ?? false,
      parentThreadId: uuid(meta.parent_thread_id),
      historyMode: SessionMeta.historyMode(meta),
      originator: meta.originator,
      createdAt: created === undefined ? undefined : Math.floor(created / 1000)
    },
    meta
  )
}

/**
 * A later header. One with another id was copied from the source of a fork, and one of a paginated thread is that of
 * an older segment: neither says anything of this thread (rollout-format §3.1).
 */
const updated = (summary: ThreadSummary, meta: SessionMeta.SessionMeta): ThreadSummary =>
  summary.historyMode === "legacy" && canonicalUuid(meta.id) === summary.id ? described(summary, meta) : summary

const described = (summary: ThreadSummary, meta: SessionMeta.SessionMeta): ThreadSummary => {
  const source = SessionMeta.source(meta)
  const spawn = spawnOf(source)
  return {
    ...summary,
    modelProvider: meta.model_provider ?? summary.modelProvider,
    cwd: meta.cwd === "" ? summary.cwd : meta.cwd,
    cliVersion: meta.cli_version === "" ? summary.cliVersion : meta.cli_version,
    source: viewOf(source),
    threadSource: meta.thread_source ?? undefined,
    agentNickname: meta.agent_nickname ?? spawn?.agent_nickname ?? undefined,
    agentRole: SessionMeta.agentRole(meta) ?? (spawn === undefined ? undefined : SessionMeta.agentRole(spawn)),
    agentPath: meta.agent_path ?? spawn?.agent_path ?? undefined,
    multiAgentVersion: meta.multi_agent_version ?? summary.multiAgentVersion,
    gitInfo: meta.git === undefined || meta.git === null ? summary.gitInfo : gitOf(meta.git),
    memoryMode: meta.memory_mode ?? summary.memoryMode
  }
}

const uuid = (text: string | null | undefined): string | undefined =>
  text === null || text === undefined ? undefined : canonicalUuid(text)

/** A header with a `git` block replaces all three values (rollout-format §3.1); an empty block clears them. */
const gitOf = (git: SessionMeta.Git): GitInfo | undefined => {
  const sha = git.commit_hash ?? null
  const branch = git.branch ?? null
  const originUrl = git.repository_url ?? null
  return sha === null && branch === null && originUrl === null ? undefined : { sha, branch, originUrl }
}

/** How a sub-agent that another agent started came about; undefined for any other thread. */
export const spawnOf = (source: SessionMeta.SessionSource): SessionMeta.ThreadSpawn | undefined =>
  typeof source === "object" &&
  "subagent" in source &&
  typeof source.subagent === "object" &&
  "thread_spawn" in source.subagent
    ? source.subagent.thread_spawn
    : undefined

const viewOf = (source: SessionMeta.SessionSource): Source => {
  if (typeof source === "string") {
    switch (source) {
      case "cli":
      case "vscode":
      case "exec":
        return source
      case "mcp":
        return "appServer"
      default:
        return "unknown"
    }
  }
  if ("custom" in source) return { custom: source.custom }
  if ("internal" in source) return "unknown"
  const { subagent } = source
  if (typeof subagent === "string" || "other" in subagent) return { subAgent: subagent }
  const { thread_spawn: spawn } = subagent
  return {
    subAgent: {
      thread_spawn: {
        parent_thread_id: canonicalUuid(spawn.parent_thread_id),
        depth: spawn.depth,
        agent_path: spawn.agent_path ?? null,
        agent_nickname: spawn.agent_nickname ?? null,
        agent_role: SessionMeta.agentRole(spawn) ?? null
      }
    }
  }
}

const withTurn = (summary: ThreadSummary, turn: TurnContext): ThreadSummary =>
  changed(summary, {
    model: turn.model,
    reasoningEffort: turn.effort ?? undefined,
    approvalPolicy: turn.approval_policy,
    permissions: turn.permission_profile ?? turn.sandbox_policy,
    cwd: summary.cwd === "" ? turn.cwd : summary.cwd
  })

/** Settings that a fork inherits with a foreign id say how turns ran, not where the fork itself lies. */
const withSettings = (
  summary: ThreadSummary,
  settings: ThreadSettings,
  threadId: string | undefined
): ThreadSummary => {
  const own = threadId === undefined || summary.id === undefined || uuidText(threadId) === summary.id
  return changed(summary, {
    model: settings.model,
    reasoningEffort: settings.reasoning_effort ?? undefined,
    approvalPolicy: settings.approval_policy,
    permissions: settings.permission_profile,
    ...(own ? { modelProvider: settings.model_provider_id, cwd: settings.cwd } : {})
  })
}

const uuidText = (text: string): string => (text.length >= 32 ? canonicalUuid(text) : text)

/** The summary with these values; the same object when it has them already. */
const changed = (summary: ThreadSummary, values: Partial<ThreadSummary>): ThreadSummary => {
  for (const key of Object.keys(values) as ReadonlyArray<keyof ThreadSummary>) {
    if (values[key] !== summary[key]) return { ...summary, ...values }
  }
  return summary
}

/** A thread as hosts show it without its turns, with nulls written (thread-view §2.2). */
export interface ThreadFields {
  readonly id: string | null
  readonly sessionId: string | null
  readonly forkedFromId: string | null
  readonly attachedToThreadId: string | null
  readonly parentThreadId: string | null
  readonly preview: string
  readonly name: string | null
  readonly historyMode: SessionMeta.HistoryMode
  readonly modelProvider: string | null
  readonly model: string | null
  readonly reasoningEffort: string | null
  readonly createdAt: number | null
  readonly cwd: string
  readonly cliVersion: string
  readonly source: Source
  readonly threadSource: string | null
  readonly agentNickname: string | null
  readonly agentRole: string | null
  readonly gitInfo: GitInfo | null
}

/** The fields of a thread that its summary and its explicit name tell (thread-view §2.2). Cost: constant. */
export const fields = (summary: ThreadSummary, indexed?: string | undefined): ThreadFields => ({
  id: summary.id ?? null,
  sessionId: summary.sessionId ?? null,
  forkedFromId: summary.forkedFromId ?? null,
  attachedToThreadId: summary.attached ? (summary.forkedFromId ?? null) : null,
  parentThreadId: summary.parentThreadId ?? null,
  preview: summary.preview,
  name: name(summary, indexed) ?? null,
  historyMode: summary.historyMode,
  modelProvider: summary.modelProvider ?? null,
  model: summary.model ?? null,
  reasoningEffort: summary.reasoningEffort ?? null,
  createdAt: summary.createdAt ?? null,
  cwd: summary.cwd,
  cliVersion: summary.cliVersion,
  source: summary.source,
  threadSource: summary.threadSource ?? null,
  agentNickname: summary.agentNickname ?? null,
  agentRole: summary.agentRole ?? null,
  gitInfo: summary.gitInfo ?? null
})
