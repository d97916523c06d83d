/**
 * The header that a thread begins with (rollout-format §3.1).
 *
 * Everything that the format asks for has a neutral default, so a host that is no coding agent need not know of it: a
 * support bot names nothing here, and its model with the first turn.
 */
import * as Either from "effect/Either"
import type { MultiAgentVersion } from "../record/Collaboration.js"
import type { DynamicToolSpec } from "../record/DynamicTool.js"
import * as Primitive from "../record/Primitive.js"
import { isUuidV7 } from "../record/Primitive.js"
import type { BaseInstructions, Git, SessionMeta, SessionSource, ThreadSpawn } from "../record/SessionMeta.js"
import * as SessionMetas from "../record/SessionMeta.js"
import * as Shape from "../record/Shape.js"
import * as AgentPath from "./AgentPath.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as SessionIdentity from "./SessionIdentity.js"

/** What a host says of a new thread. */
export interface Command extends SessionIdentity.Options {
  /** Default: a new thread of nobody. */
  readonly opening?: SessionIdentity.Opening | undefined
  /** Default `/`. */
  readonly cwd?: string | undefined
  /** What {@link Originator.resolve} gives. Default `skein`. */
  readonly originator?: string | undefined
  /** The version of the writing program. Default {@link defaults}. */
  readonly version?: string | undefined
  /** Default `unknown`, or `thread_spawn` for an agent that another one starts. */
  readonly source?: SessionSource | undefined
  /** A label for statistics. */
  readonly threadSource?: string | undefined
  /** Default: none, so that a reader takes its own. A fork has its source's. */
  readonly modelProvider?: string | undefined
  readonly baseInstructions?: BaseInstructions | undefined
  readonly dynamicTools?: ReadonlyArray<DynamicToolSpec> | undefined
  readonly memoryMode?: string | undefined
  readonly multiAgentVersion?: MultiAgentVersion | undefined
  readonly git?: Git | undefined
  /** Of an agent that another one starts: its name below that one, and what it is called and for. */
  readonly agent?: Agent | undefined
}

/** An agent that another one starts. */
export interface Agent {
  /** Its own path ({@link Agents.spawn}). */
  readonly path: string
  readonly nickname?: string | undefined
  readonly role?: string | undefined
}

/** Ids that were never there before. */
export interface NewFacts extends Facts {
  /** The id of the thread; a new UUIDv7. */
  readonly threadId: string
  /**
   * The id of window 0; a new UUIDv7. A fork that goes on in its source's window 0 is given that one's id, so that the
   * window has the same identity live and after a cold resume (§11.6).
   */
  readonly windowId: string
}

/** What is written where a host says nothing. */
export const defaults = { cwd: "/", originator: "skein", version: "0.1.0", source: "unknown" } as const

/**
 * The header of a new thread, of a fork, or of an agent that another one starts.
 *
 * Errors: `InvalidRequest` for ids that are no UUIDs (version 7 for windows), values of no known shape, a spawn without
 * agent or an agent without spawn.
 */
export const header = (command: Command, facts: NewFacts): Decision<Draft> => {
  const { agent, opening = { kind: "new" } } = command
  const { threadId, windowId } = facts
  if (!Shape.matches(Primitive.Uuid, threadId)) {
    return Errors.invalid("threadId", "malformed", `${JSON.stringify(threadId)} is no UUID`, "Give a new UUIDv7")
  }
  if (!isUuidV7(windowId)) {
    const detail = `${JSON.stringify(windowId)} is no UUIDv7`
    return Errors.invalid("windowId", "malformed", detail, "Give a new UUIDv7; readers pass over any other")
  }
  if ((opening.kind === "spawn") !== (agent !== undefined)) {
    const detail = agent === undefined ? "a spawned thread needs an agent" : "only a spawned thread has an agent"
    return Errors.invalid("agent", "contradictory", detail, "Give opening and agent together")
  }
  const meta = SessionMetas.SessionMeta.make(metaOf(command, opening, facts))
  const draft = Drafts.record(facts, "session_meta", meta)
  return Either.map(Drafts.check([draft], "thread"), () => draft)
}

const metaOf = (command: Command, opening: SessionIdentity.Opening, facts: NewFacts): SessionMeta => {
  const { agent, capabilityRoots, historyMode } = command
  const identity = SessionIdentity.of(facts.threadId, opening, { capabilityRoots, historyMode })
  // What a fork or a child does not say itself it has from the header that it comes from (§5.3).
  const from = opening.kind === "fork" ? opening.source : opening.kind === "spawn" ? opening.parent : undefined
  const tools = command.dynamicTools ?? from?.dynamic_tools ?? undefined
  const roots = identity.selected_capability_roots
  return {
    session_id: identity.session_id,
    id: Primitive.canonicalUuid(facts.threadId),
    forked_from_id: identity.forked_from_id,
    parent_thread_id: identity.parent_thread_id,
    timestamp: Drafts.timestamp(facts.now),
    cwd: command.cwd ?? from?.cwd ?? defaults.cwd,
    originator: command.originator ?? defaults.originator,
    cli_version: command.version ?? defaults.version,
    source: command.source ?? sourceOf(opening, agent),
    thread_source: command.threadSource ?? (opening.kind === "spawn" ? "subagent" : undefined),
    agent_nickname: agent?.nickname,
    agent_role: agent?.role,
    agent_path: agent?.path,
    model_provider: command.modelProvider ?? from?.model_provider ?? null,
    base_instructions: command.baseInstructions ?? from?.base_instructions ?? null,
    ...(tools === undefined || tools.length === 0 ? {} : { dynamic_tools: tools }),
    ...(roots.length === 0 ? {} : { selected_capability_roots: roots }),
    memory_mode: command.memoryMode,
    history_mode: identity.history_mode,
    multi_agent_version: command.multiAgentVersion,
    context_window: { window_id: Primitive.canonicalUuid(facts.windowId) },
    git: command.git
  }
}

const sourceOf = (opening: SessionIdentity.Opening, agent: Agent | undefined): SessionSource => {
  if (opening.kind === "fork") return SessionMetas.source(opening.source)
  if (opening.kind !== "spawn" || agent === undefined) return defaults.source
  const { nickname, path, role } = agent
  const thread_spawn: ThreadSpawn = {
    parent_thread_id: Primitive.canonicalUuid(opening.parent.id),
    depth: AgentPath.depth(path),
    agent_path: path,
    agent_nickname: nickname ?? null,
    agent_role: role ?? null
  }
  return { subagent: { thread_spawn } }
}
