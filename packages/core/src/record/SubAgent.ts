/** Agents that another agent started, and how they stand (rollout-format §5.3). */
import * as Schema from "effect/Schema"
import { Uuid } from "./Primitive.js"
import * as Refined from "./Refined.js"
import * as Shape from "./Shape.js"

/** A sub-agent by name; `agent_type` is an alias of `agent_role` (rollout-format §5.3). */
export const AgentRef = Refined.aliased(
  Shape.struct({
    thread_id: Uuid,
    agent_nickname: Shape.sparse(Schema.String),
    agent_role: Shape.sparse(Schema.String),
    agent_type: Shape.sparse(Schema.String)
  }),
  "agent_role",
  "agent_type"
)
export type AgentRef = Shape.TypeOf<typeof AgentRef>

/** How an agent stands (rollout-format §5.3). */
export const AgentStatus = Schema.Union(
  Schema.Literal("pending_init", "running", "interrupted", "shutdown", "not_found"),
  Schema.Struct({ completed: Schema.NullOr(Schema.String) }),
  Schema.Struct({ errored: Schema.String })
)
export type AgentStatus = typeof AgentStatus.Type

/** How several agents stand, by thread id (rollout-format §5.3). */
export const AgentStatuses = Refined.byUuid(AgentStatus, (text) => Shape.matches(Uuid, text))
export type AgentStatuses = typeof AgentStatuses.Type

/** What happened to a sub-agent; `completed` is of 0.169.0 (rollout-format §5.2). */
export const SubAgentActivityKind = Schema.Literal("started", "interacted", "interrupted", "completed")
export type SubAgentActivityKind = typeof SubAgentActivityKind.Type
