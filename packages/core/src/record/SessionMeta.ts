/** What a thread is and where it came from: the payload of `session_meta` (rollout-format §3.1). */
import * as Schema from "effect/Schema"
import { MultiAgentVersion } from "./Collaboration.js"
import { DynamicToolSpec } from "./DynamicTool.js"
import { Integer32 } from "./Integer.js"
import { AbsolutePath, AgentPath, Path, PathUri, Unsigned, Uuid } from "./Primitive.js"
import * as Refined from "./Refined.js"
import * as Shape from "./Shape.js"

/** How a sub-agent that another agent started came about; `agent_type` is an alias of `agent_role`. */
export const ThreadSpawn = Refined.aliased(
  Shape.struct({
    parent_thread_id: Uuid,
    depth: Integer32,
    agent_path: Shape.nullable(AgentPath),
    agent_nickname: Shape.nullable(Schema.String),
    agent_role: Shape.nullable(Schema.String),
    agent_type: Shape.sparse(Schema.String)
  }),
  "agent_role",
  "agent_type"
)
export type ThreadSpawn = Shape.TypeOf<typeof ThreadSpawn>

/** What kind of sub-agent a thread is (rollout-format §3.1). */
export const SubAgentSource = Schema.Union(
  Schema.Literal("review", "compact", "memory_consolidation"),
  Schema.Struct({ thread_spawn: ThreadSpawn.schema }),
  Schema.Struct({ other: Schema.String })
)
export type SubAgentSource = typeof SubAgentSource.Type

/** Who started a thread; a text other than `cli`, `vscode`, `exec`, `mcp` means `unknown` (rollout-format §3.1). */
export const SessionSource = Schema.Union(
  Schema.String,
  Schema.Struct({ custom: Schema.String }),
  Schema.Struct({ internal: Schema.Literal("memory_consolidation") }),
  Schema.Struct({ subagent: SubAgentSource })
)
export type SessionSource = typeof SessionSource.Type

const HostPath = Shape.refine(
  Schema.String,
  "a file: URL or an absolute path",
  (text) => Shape.matches(PathUri, text) || Shape.matches(AbsolutePath, text)
)

/** A place from which a thread takes skills and the like; its path is written as a `file:` URL (rollout-format §3.1). */
export const CapabilityRoot = Shape.struct({
  id: Schema.String,
  location: Shape.struct({
    type: Schema.Literal("environment"),
    environmentId: Schema.String,
    path: HostPath
  }).schema
})
export type CapabilityRoot = Shape.TypeOf<typeof CapabilityRoot>

/** What a thread inherits from another file: the records below an ordinal (rollout-format §3.1). */
export const HistoryBase = Shape.struct({
  thread_id: Uuid,
  end_ordinal_exclusive: Unsigned,
  end_byte_offset: Unsigned
})
export type HistoryBase = Shape.TypeOf<typeof HistoryBase>

/** State of the repository that a thread works in (rollout-format §3.1). */
export const Git = Shape.struct({
  commit_hash: Shape.sparse(Schema.String),
  branch: Shape.sparse(Schema.String),
  repository_url: Shape.sparse(Schema.String)
})
export type Git = Shape.TypeOf<typeof Git>

/** The instructions that a thread starts with; `provenance` is of 0.169.0 (rollout-format §3.1). */
export const BaseInstructions = Shape.struct({ text: Schema.String, provenance: Shape.sparse(Shape.json) })
export type BaseInstructions = Shape.TypeOf<typeof BaseInstructions>

/** How a thread's history is kept; an unknown mode is refused, for a reader of the wrong mode corrupts (§2.1). */
export const HistoryMode = Schema.Literal("legacy", "paginated")
export type HistoryMode = typeof HistoryMode.Type

/** What a thread is and where it came from; `agent_type` is an alias of `agent_role` (rollout-format §3.1). */
export const SessionMeta = Refined.aliased(
  Shape.struct({
    account_scoped: Shape.sparse(Shape.json),
    session_id: Uuid,
    id: Uuid,
    forked_from_id: Shape.sparse(Uuid),
    parent_thread_id: Shape.sparse(Uuid),
    attached_thread: Shape.sparse(Schema.Boolean),
    forked_from_ordinal_exclusive: Shape.sparse(Unsigned),
    timestamp: Schema.String,
    cwd: Path,
    runtime_workspace_roots: Shape.sparse(Shape.json),
    originator: Schema.String,
    cli_version: Schema.String,
    source: Shape.defaulted<SessionSource>(SessionSource, "vscode"),
    thread_source: Shape.sparse(Schema.String),
    agent_nickname: Shape.sparse(Schema.String),
    agent_role: Shape.sparse(Schema.String),
    agent_type: Shape.sparse(Schema.String),
    agent_path: Shape.sparse(Schema.String),
    model_provider: Shape.nullable(Schema.String),
    base_instructions: Shape.nullable(BaseInstructions.schema),
    dynamic_tools: Shape.sparse(Schema.Array(DynamicToolSpec)),
    selected_capability_roots: Shape.elided(Schema.Array(CapabilityRoot.schema), []),
    memory_mode: Shape.sparse(Schema.String),
    history_mode: Shape.defaulted<HistoryMode>(HistoryMode, "legacy"),
    history_base: Shape.sparse(HistoryBase.schema),
    subagent_history_start_ordinal: Shape.sparse(Unsigned),
    multi_agent_version: Shape.sparse(MultiAgentVersion),
    context_window: Shape.sparse(Shape.struct({ window_id: Schema.String }).schema),
    git: Shape.sparse(Git.schema)
  }),
  "agent_role",
  "agent_type"
)
export type SessionMeta = Shape.TypeOf<typeof SessionMeta>

/** The role of a sub-agent, under its name or its alias (rollout-format §3.1 and §5.3). */
export const agentRole = (value: {
  readonly agent_role?: string | null | undefined
  readonly agent_type?: string | null | undefined
}): string | undefined => value.agent_role ?? value.agent_type ?? undefined

/** How a thread's history is kept; absent means `legacy` (rollout-format §3.1). */
export const historyMode = (meta: SessionMeta): HistoryMode => meta.history_mode ?? "legacy"

/** Who started a thread; absent means `vscode` (rollout-format §3.1). */
export const source = (meta: SessionMeta): SessionSource => meta.source ?? "vscode"
