/**
 * One row of a list of threads: what its log tells, what was said of it explicitly, and where it stands (thread-store
 * §2.1).
 */
import type { GitInfo, Source } from "@skein/core/fold/ThreadSummary"
import * as ThreadSummary from "@skein/core/fold/ThreadSummary"
import type { ApprovalPolicy, PermissionProfile, SandboxPolicy } from "@skein/core/record/Permission"
import { Either } from "effect"
import type { Derived } from "./Derived.js"
import * as Deriveds from "./Derived.js"
import { InvalidRequest } from "./StoreError.js"

/** Parts of the repository's state that were set by hand; null clears what the log says. */
export interface GitOverride {
  readonly sha?: string | null | undefined
  readonly branch?: string | null | undefined
  readonly originUrl?: string | null | undefined
}

/** What was said of a thread explicitly. No log tells it, so a store keeps it where nothing is rebuilt. Plain JSON. */
export interface Explicit {
  /** The name that it was given; absent when it never had one or lost it. */
  readonly name?: string | undefined
  readonly memoryMode?: string | undefined
  readonly git?: GitOverride | undefined
  /** What the host keeps with it, such as tenant, user and project. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/** A thread as a driver keeps it, without its lines. */
export interface ThreadRow {
  readonly threadId: string
  /** As its first header says; may be one that this version does not know. */
  readonly historyMode: string
  /** Milliseconds since 1970. */
  readonly archivedAt: number | undefined
  readonly explicit: Explicit
  readonly derived: Derived
  /** When the store thinks that the thread was made, for one whose log does not tell; milliseconds. */
  readonly madeAt: number
  /** The logical path of its rollout (without `.zst`), where the store has one. */
  readonly path?: string | undefined
}

/** A thread in a list. Times in milliseconds since 1970, ids in lower case. */
export interface Summary {
  readonly id: string
  readonly sessionId: string
  readonly forkedFromId: string | undefined
  readonly parentThreadId: string | undefined
  readonly preview: string
  readonly name: string | undefined
  readonly firstUserMessage: string | undefined
  readonly modelProvider: string | undefined
  readonly model: string | undefined
  readonly reasoningEffort: string | undefined
  readonly approvalPolicy: ApprovalPolicy | undefined
  readonly permissions: PermissionProfile | SandboxPolicy | undefined
  readonly createdAt: number
  readonly updatedAt: number
  readonly recencyAt: number
  readonly archivedAt: number | undefined
  readonly cwd: string
  readonly cliVersion: string
  readonly originator: string
  readonly source: Source
  readonly threadSource: string | undefined
  /** `legacy`, `paginated`, or a mode that this version does not know and therefore does not read. */
  readonly historyMode: string
  readonly agentNickname: string | undefined
  readonly agentRole: string | undefined
  readonly agentPath: string | undefined
  readonly gitInfo: GitInfo | undefined
  readonly memoryMode: string
  readonly tokensUsed: number | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly path: string | undefined
}

/** The times that lists are sorted by. */
export const times = (
  row: ThreadRow
): { readonly createdAt: number; readonly updatedAt: number; readonly recencyAt: number } => {
  const createdAt = row.derived.createdAt ?? row.madeAt
  return {
    createdAt,
    updatedAt: row.derived.recency.updatedAt ?? createdAt,
    recencyAt: row.derived.recency.recencyAt ?? createdAt
  }
}

/** What hosts are shown of a row. Cost: constant. */
export const of = (row: ThreadRow): Summary => {
  const { derived, explicit } = row
  const { summary } = derived
  return {
    id: row.threadId,
    sessionId: summary.sessionId ?? row.threadId,
    forkedFromId: summary.forkedFromId,
    parentThreadId: Deriveds.parentOf(derived),
    preview: summary.preview,
    name: ThreadSummary.name(summary, explicit.name),
    firstUserMessage: summary.firstUserMessage,
    modelProvider: summary.modelProvider,
    model: summary.model,
    reasoningEffort: summary.reasoningEffort,
    approvalPolicy: summary.approvalPolicy,
    permissions: summary.permissions,
    ...times(row),
    archivedAt: row.archivedAt,
    cwd: summary.cwd,
    cliVersion: summary.cliVersion,
    originator: summary.originator,
    source: summary.source,
    threadSource: summary.threadSource,
    historyMode: row.historyMode,
    agentNickname: summary.agentNickname,
    agentRole: summary.agentRole,
    agentPath: summary.agentPath,
    gitInfo: withGit(summary.gitInfo, explicit.git),
    memoryMode: explicit.memoryMode ?? summary.memoryMode,
    tokensUsed: derived.tokensUsed,
    metadata: explicit.metadata ?? {},
    path: row.path
  }
}

const withGit = (info: GitInfo | undefined, override: GitOverride | undefined): GitInfo | undefined => {
  if (override === undefined) return info
  const sha = override.sha === undefined ? (info?.sha ?? null) : override.sha
  const branch = override.branch === undefined ? (info?.branch ?? null) : override.branch
  const originUrl = override.originUrl === undefined ? (info?.originUrl ?? null) : override.originUrl
  return sha === null && branch === null && originUrl === null ? undefined : { sha, branch, originUrl }
}

/**
 * A change of explicit metadata (thread-store §2.3): an absent field keeps what is there, null clears it; git and host
 * metadata part by part. What the log tells is changed by appending to the log, not here.
 */
export interface Patch {
  readonly name?: string | null | undefined
  readonly memoryMode?: string | null | undefined
  readonly gitInfo?: GitOverride | null | undefined
  /** A null value takes a key away. */
  readonly metadata?: Readonly<Record<string, string | null>> | null | undefined
}

const textOrNull = (value: unknown): boolean => value === undefined || value === null || typeof value === "string"

const texts = (value: unknown, keys?: ReadonlyArray<string>): string | undefined => {
  if (value === undefined || value === null) return undefined
  if (typeof value !== "object" || Array.isArray(value)) return "it is no table of texts"
  const odd = Object.entries(value).find(
    ([key, inner]) => !textOrNull(inner) || (keys !== undefined && !keys.includes(key))
  )
  return odd === undefined ? undefined : `${JSON.stringify(odd[0])} is no text that can be set there`
}

/** What is wrong with the value of each field, which may come from code without types. */
const problems: Readonly<Record<keyof Patch, (value: unknown) => string | undefined>> = {
  name: (value) => (textOrNull(value) ? undefined : "it is no text"),
  memoryMode: (value) => (textOrNull(value) ? undefined : "it is no text"),
  gitInfo: (value) => texts(value, ["sha", "branch", "originUrl"]),
  metadata: (value) => texts(value)
}

/** Refuses a patch of what only the log tells, and values that are no texts. Cost: linear in the patch. */
export const check = (patch: Patch): Either.Either<Patch, InvalidRequest> => {
  if (typeof patch !== "object" || patch === null) {
    const advice = "Give an object with the fields that are to change."
    return Either.left(new InvalidRequest({ field: "patch", reason: "it is no patch", advice }))
  }
  for (const [field, value] of Object.entries(patch)) {
    const reason = Object.hasOwn(problems, field)
      ? problems[field as keyof Patch](value)
      : "it is nothing that can be set"
    const advice = `Set ${Object.keys(problems).join(", ")} to texts, or to null; everything else follows from the log.`
    if (reason !== undefined) return Either.left(new InvalidRequest({ field, reason, advice }))
  }
  return Either.right(patch)
}

/** Whether a patch changes nothing. */
export const isEmpty = (patch: Patch): boolean =>
  patch.name === undefined &&
  patch.memoryMode === undefined &&
  patch.gitInfo === undefined &&
  patch.metadata === undefined

/**
 * Explicit metadata with a patch applied. An empty name is none; halves of surrogate pairs become U+FFFD, since not every
 * store can keep them. Law: applying a patch twice is applying it once.
 */
export const apply = (explicit: Explicit, patch: Patch): Explicit => {
  const next: { -readonly [K in keyof Explicit]: Explicit[K] } = { ...explicit }
  if (patch.name !== undefined) set(next, "name", patch.name === "" ? null : patch.name)
  if (patch.memoryMode !== undefined) set(next, "memoryMode", patch.memoryMode)
  if (patch.gitInfo === null) next.git = { sha: null, branch: null, originUrl: null }
  else if (patch.gitInfo !== undefined) next.git = { ...explicit.git, ...defined(patch.gitInfo) }
  if (patch.metadata === null) delete next.metadata
  else if (patch.metadata !== undefined) {
    const metadata = new Map(Object.entries(explicit.metadata ?? {}))
    for (const [key, value] of Object.entries(patch.metadata)) {
      if (value === null) metadata.delete(key.toWellFormed())
      else metadata.set(key.toWellFormed(), value.toWellFormed())
    }
    if (metadata.size === 0) delete next.metadata
    else next.metadata = Object.fromEntries(metadata)
  }
  return next
}

/** What is said of a thread when it is made, as a patch of nothing. */
export const patchOf = ({ git, memoryMode, metadata, name }: Explicit): Patch => ({
  name,
  memoryMode,
  gitInfo: git,
  metadata
})

const set = <K extends "name" | "memoryMode">(
  next: { -readonly [P in keyof Explicit]: Explicit[P] },
  key: K,
  value: string | null
): void => {
  if (value === null) delete next[key]
  else next[key] = value.toWellFormed()
}

const defined = (git: GitOverride): GitOverride =>
  Object.fromEntries(
    Object.entries(git).flatMap(([part, value]) => (value === undefined ? [] : [[part, value?.toWellFormed() ?? null]]))
  )
