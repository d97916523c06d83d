/**
 * Which multi-agent runtime a thread has, which mode of delegation holds in a turn, and when the model is told of it
 * (replay-semantics §4).
 */
import { canonicalUuid } from "../record/Primitive.js"

/** The runtime of a thread. */
export type Version = "disabled" | "v1" | "v2"

/** How far the model may delegate without being asked; `custom` is the host's own text. */
export type Mode = "explicitRequestOnly" | "proactive" | { readonly custom: string }

/** A mode as a `turn_context` holds it; `none` is an old spelling. */
export type PersistedMode = Mode | "none"

/** Where a thread came from, as `session_meta.source` has it (rollout-format §3.1). */
export type Source =
  | string
  | { readonly custom: string }
  | { readonly internal: string }
  | { readonly subagent: string | { readonly other: string } | { readonly thread_spawn: unknown } }

/** The version that features impose on every thread, if any (replay-semantics §4.1). */
export const override = (features: {
  readonly multiAgentV2: boolean
  readonly agentsDisabled: boolean
}): Version | undefined => (features.multiAgentV2 ? "v2" : features.agentsDisabled ? "disabled" : undefined)

/**
 * The version that a log has, if any: that of the newest `session_meta` with one, else that of the newest
 * `turn_context` with one. `metas` and `contexts` are in the order of the log; of a resumed thread only the metas with
 * its own id count, as the others were copied from elsewhere (replay-semantics §4.1). Cost: linear, from the newest.
 */
export const versionFromHistory = (
  metas: ReadonlyArray<{ readonly id: string } & Versioned>,
  contexts: ReadonlyArray<Versioned>,
  threadId: string,
  kind: "resumed" | "forked"
): Version | undefined => {
  const own = canonicalUuid(threadId)
  const meta = metas.findLast((meta) => hasVersion(meta) && (kind === "forked" || canonicalUuid(meta.id) === own))
  return (meta ?? contexts.findLast(hasVersion))?.multi_agent_version ?? undefined
}

/** A record that may name a version. */
export interface Versioned {
  readonly multi_agent_version?: Version | null | undefined
}

/** How a thread came to be opened, with the version its log has ({@link versionFromHistory}). */
export type Origin =
  | { readonly kind: "new" }
  | { readonly kind: "resumed" | "forked"; readonly version: Version | undefined }

/** Versions of the live threads that a thread may inherit from; those that are not live, or have none, are left out. */
export interface Ancestors {
  readonly spawnParent?: Version | undefined
  readonly sameThread?: Version | undefined
  readonly forkSource?: Version | undefined
  readonly parent?: Version | undefined
}

/** The inherited version of a thread opened in this way, if any (replay-semantics §4.1). */
export const inherited = (kind: Origin["kind"], live: Ancestors): Version | undefined => {
  if (live.spawnParent !== undefined) return live.spawnParent
  switch (kind) {
    case "resumed":
      return live.sameThread
    case "forked":
      return live.forkSource ?? live.parent
    case "new":
      return live.parent
  }
}

/**
 * The version of a thread as it is opened, without override; `undefined` leaves it to the first turn. A thread below a
 * disabled one is disabled, whatever its log says (replay-semantics §4.1).
 */
export const resolve = (origin: Origin, inherited: Version | undefined): Version | undefined => {
  if (inherited === "disabled") return "disabled"
  return origin.kind === "new" ? inherited : (origin.version ?? inherited ?? "v1")
}

/** The version stored when a thread is opened, which its `session_meta` names (replay-semantics §4.1). */
export const initial = (
  override: Version | undefined,
  origin: Origin,
  inherited: Version | undefined
): Version | undefined => override ?? resolve(origin, inherited)

/** What decides the version at a turn, beside the stored one. */
export interface TurnFacts {
  readonly override: Version | undefined
  /** The version that the turn's model declares. */
  readonly declared: Version | undefined
  /** Whether the collaboration feature is on. */
  readonly collab: boolean
}

/**
 * The version that a turn uses, and the one that is stored from then on. The first turn fixes a version that is still
 * open; no later one changes it. A prewarm takes `version` and does not store (replay-semantics §4.1).
 */
export const atTurn = (
  stored: Version | undefined,
  facts: TurnFacts
): { readonly version: Version; readonly stored: Version } => {
  const fixed = stored ?? facts.override ?? facts.declared ?? (facts.collab ? "v1" : "disabled")
  return { version: facts.override ?? fixed, stored: fixed }
}

/**
 * Whether threads of this source have a mode: all but internal ones, and of the sub-agents only spawned threads. A
 * source that is missing reads as `vscode`, an unknown name as `unknown`; both have one (replay-semantics §4.2).
 */
export const isEligible = (source: Source | undefined): boolean => {
  if (source === undefined || typeof source === "string") return true
  if ("subagent" in source) return typeof source.subagent === "object" && "thread_spawn" in source.subagent
  return "custom" in source
}

/** What decides the mode in the form of the requirement document (replay-semantics §4.2). */
export interface SelectionFacts {
  readonly version: Version
  readonly source: Source | undefined
  /** Whether the feature that lets a client select a mode is on. */
  readonly gate: boolean
  readonly selection: "explicitRequestOnly" | "proactive" | undefined
}

/** The mode of a turn by the client's selection, or `undefined` for none (replay-semantics §4.2). */
export const modeBySelection = (facts: SelectionFacts): Mode | undefined => {
  if (facts.version !== "v2" || !isEligible(facts.source)) return undefined
  return facts.gate && facts.selection === "proactive" ? "proactive" : "explicitRequestOnly"
}

/** What decides the mode in the later form (replay-semantics §4.3). */
export interface EffortFacts {
  readonly version: Version
  readonly source: Source | undefined
  /** The configured text, which may be empty. */
  readonly hint: string | undefined
  /** The reasoning effort of the turn. */
  readonly effort: string | undefined
  /** The reasoning effort that the model has by default. */
  readonly defaultEffort: string | undefined
}

/** The mode of a turn by configuration and reasoning effort, or `undefined` for none (replay-semantics §4.3). */
export const modeByEffort = (facts: EffortFacts): Mode | undefined => {
  if (facts.version !== "v2" || !isEligible(facts.source)) return undefined
  if (facts.hint !== undefined) return { custom: facts.hint }
  return (facts.effort ?? facts.defaultEffort) === "ultra" ? "proactive" : "explicitRequestOnly"
}

/** A `turn_context` as far as its mode goes. */
export interface Moded {
  readonly multi_agent_mode?: PersistedMode | null | undefined
}

/** The mode that a `turn_context` holds, or `undefined` for none (replay-semantics §4.3). */
export const modeOf = (context: Moded): Mode | undefined => {
  const mode = context.multi_agent_mode ?? undefined
  return mode === "none" ? { custom: "" } : mode
}

/**
 * The mode that a resumed thread starts from: that of the newest `turn_context`, even if it has none and an older one
 * does. `contexts` are in the order of the log (replay-semantics §4.4).
 */
export const modeFromHistory = (contexts: ReadonlyArray<Moded>): Mode | undefined => {
  const newest = contexts.at(-1)
  return newest === undefined ? undefined : modeOf(newest)
}

/** The mode to tell in an initial context, or `undefined` for nothing, as for an empty text (replay-semantics §4.4). */
export const emitInitially = (effective: Mode | undefined): Mode | undefined =>
  typeof effective === "object" && effective.custom === "" ? undefined : effective

/**
 * The mode to tell at a later turn, or `undefined` for nothing, given the reference context: what differs from it is
 * told, and a model that was told to be proactive is called back when the mode ends (replay-semantics §4.4). Without a
 * reference there is an initial context instead.
 */
export const emitChange = (reference: Moded, effective: Mode | undefined): Mode | undefined => {
  const told = modeOf(reference)
  if (effective === undefined) return told === "proactive" ? "explicitRequestOnly" : undefined
  return sameMode(told, effective) ? undefined : effective
}

const sameMode = (left: Mode | undefined, right: Mode): boolean =>
  typeof left === "object" && typeof right === "object" ? left.custom === right.custom : left === right

const hasVersion = (record: Versioned): boolean => (record.multi_agent_version ?? undefined) !== undefined
