/** Events that builds with the extended history mode, gone since 2026-06-01, may have kept (rollout-format §5.4). */
import * as Schema from "effect/Schema"
import { ReasoningEffort } from "./Collaboration.js"
import { ExecSource, ParsedCommand } from "./Command.js"
import { DynamicOutput } from "./DynamicTool.js"
import { ErrorBody } from "./ErrorInfo.js"
import { Integer32 } from "./Integer.js"
import { Duration, Integer, PathUri, Uuid } from "./Primitive.js"
import * as Refined from "./Refined.js"
import * as Shape from "./Shape.js"
import { AgentRef, AgentStatus, AgentStatuses } from "./SubAgent.js"

const text = Shape.sparse(Schema.String)
const started_at_ms = Shape.defaulted(Integer, 0)
const completed_at_ms = Shape.defaulted(Integer, 0)

/** Something failed (rollout-format §5.4). */
export const ErrorEvent = Shape.struct({ type: Schema.Literal("error"), ...ErrorBody.fields })
export type ErrorEvent = Shape.TypeOf<typeof ErrorEvent>

/** A command ended; a plain path as `cwd` rejects the line (rollout-format §5.4). */
export const ExecCommandEnd = Shape.struct({
  type: Schema.Literal("exec_command_end"),
  call_id: Schema.String,
  process_id: text,
  turn_id: Schema.String,
  completed_at_ms,
  command: Schema.Array(Schema.String),
  cwd: PathUri,
  parsed_cmd: Schema.Array(ParsedCommand),
  source: Shape.defaulted<ExecSource>(ExecSource, "agent"),
  interaction_input: text,
  stdout: Schema.String,
  stderr: Schema.String,
  aggregated_output: Shape.defaulted(Schema.String, ""),
  exit_code: Integer32,
  duration: Duration,
  formatted_output: Schema.String,
  status: Schema.Literal("completed", "failed", "declined")
})
export type ExecCommandEnd = Shape.TypeOf<typeof ExecCommandEnd>

/** The agent looked at an image (rollout-format §5.4). */
export const ViewImageToolCall = Shape.struct({
  type: Schema.Literal("view_image_tool_call"),
  call_id: Schema.String,
  path: PathUri
})
export type ViewImageToolCall = Shape.TypeOf<typeof ViewImageToolCall>

/** One of the client's tools was called; camelCase (rollout-format §5.4). */
export const DynamicToolCallRequest = Shape.struct({
  type: Schema.Literal("dynamic_tool_call_request"),
  callId: Schema.String,
  turnId: Schema.String,
  startedAtMs: Shape.defaulted(Integer, 0),
  namespace: Shape.nullable(Schema.String),
  tool: Schema.String,
  arguments: Shape.json
})
export type DynamicToolCallRequest = Shape.TypeOf<typeof DynamicToolCallRequest>

/** One of the client's tools answered; snake_case (rollout-format §5.4). */
export const DynamicToolCallResponse = Shape.struct({
  type: Schema.Literal("dynamic_tool_call_response"),
  call_id: Schema.String,
  turn_id: Schema.String,
  completed_at_ms,
  namespace: Shape.nullable(Schema.String),
  tool: Schema.String,
  arguments: Shape.json,
  content_items: Schema.Array(DynamicOutput),
  success: Schema.Boolean,
  error: Shape.nullable(Schema.String),
  duration: Duration
})
export type DynamicToolCallResponse = Shape.TypeOf<typeof DynamicToolCallResponse>

const sender = { call_id: Schema.String, sender_thread_id: Uuid }
const pair = { ...sender, receiver_thread_id: Uuid }
const receiver = { receiver_agent_nickname: text, receiver_agent_role: text }

/** A sub-agent is being started (rollout-format §5.4). */
export const CollabAgentSpawnBegin = Shape.struct({
  type: Schema.Literal("collab_agent_spawn_begin"),
  ...sender,
  started_at_ms,
  prompt: Schema.String,
  model: Schema.String,
  reasoning_effort: ReasoningEffort
})
export type CollabAgentSpawnBegin = Shape.TypeOf<typeof CollabAgentSpawnBegin>

/** A sub-agent was started, or could not be (rollout-format §5.4). */
export const CollabAgentSpawnEnd = Shape.struct({
  type: Schema.Literal("collab_agent_spawn_end"),
  ...sender,
  completed_at_ms,
  new_thread_id: Shape.nullable(Uuid),
  new_agent_nickname: text,
  new_agent_role: text,
  prompt: Schema.String,
  model: Schema.String,
  reasoning_effort: ReasoningEffort,
  status: AgentStatus
})
export type CollabAgentSpawnEnd = Shape.TypeOf<typeof CollabAgentSpawnEnd>

/** A sub-agent is being given further input (rollout-format §5.4). */
export const CollabAgentInteractionBegin = Shape.struct({
  type: Schema.Literal("collab_agent_interaction_begin"),
  ...pair,
  started_at_ms,
  prompt: Schema.String
})
export type CollabAgentInteractionBegin = Shape.TypeOf<typeof CollabAgentInteractionBegin>

/** A sub-agent was given further input (rollout-format §5.4). */
export const CollabAgentInteractionEnd = Shape.struct({
  type: Schema.Literal("collab_agent_interaction_end"),
  ...pair,
  completed_at_ms,
  ...receiver,
  prompt: Schema.String,
  status: AgentStatus
})
export type CollabAgentInteractionEnd = Shape.TypeOf<typeof CollabAgentInteractionEnd>

/** The agent waits for others (rollout-format §5.4). */
export const CollabWaitingBegin = Shape.struct({
  type: Schema.Literal("collab_waiting_begin"),
  sender_thread_id: Uuid,
  receiver_thread_ids: Schema.Array(Uuid),
  receiver_agents: Shape.elided(Schema.Array(AgentRef.schema), []),
  call_id: Schema.String,
  started_at_ms
})
export type CollabWaitingBegin = Shape.TypeOf<typeof CollabWaitingBegin>

/** A sub-agent with how it stands; `agent_type` is an alias of `agent_role` (rollout-format §5.4). */
export const AgentStatusEntry = Refined.aliased(
  Shape.struct({ ...AgentRef.fields, status: AgentStatus }),
  "agent_role",
  "agent_type"
)
export type AgentStatusEntry = Shape.TypeOf<typeof AgentStatusEntry>

/** The agent waited for others (rollout-format §5.4). */
export const CollabWaitingEnd = Shape.struct({
  type: Schema.Literal("collab_waiting_end"),
  sender_thread_id: Uuid,
  call_id: Schema.String,
  completed_at_ms,
  agent_statuses: Shape.elided(Schema.Array(AgentStatusEntry.schema), []),
  statuses: AgentStatuses
})
export type CollabWaitingEnd = Shape.TypeOf<typeof CollabWaitingEnd>

/** A sub-agent is being closed (rollout-format §5.4). */
export const CollabCloseBegin = Shape.struct({ type: Schema.Literal("collab_close_begin"), ...pair, started_at_ms })
export type CollabCloseBegin = Shape.TypeOf<typeof CollabCloseBegin>

/** A sub-agent was closed (rollout-format §5.4). */
export const CollabCloseEnd = Shape.struct({
  type: Schema.Literal("collab_close_end"),
  ...pair,
  completed_at_ms,
  ...receiver,
  status: AgentStatus
})
export type CollabCloseEnd = Shape.TypeOf<typeof CollabCloseEnd>

/** A closed sub-agent is being resumed (rollout-format §5.4). */
export const CollabResumeBegin = Shape.struct({
  type: Schema.Literal("collab_resume_begin"),
  ...pair,
  started_at_ms,
  ...receiver
})
export type CollabResumeBegin = Shape.TypeOf<typeof CollabResumeBegin>

/** A closed sub-agent was resumed (rollout-format §5.4). */
export const CollabResumeEnd = Shape.struct({
  type: Schema.Literal("collab_resume_end"),
  ...pair,
  completed_at_ms,
  ...receiver,
  status: AgentStatus
})
export type CollabResumeEnd = Shape.TypeOf<typeof CollabResumeEnd>

/** An automatic reviewer judged an action; the forms of action are not specified (rollout-format §5.4). */
export const GuardianAssessment = Shape.struct({
  type: Schema.Literal("guardian_assessment"),
  id: Schema.String,
  target_item_id: text,
  turn_id: Shape.defaulted(Schema.String, ""),
  started_at_ms,
  completed_at_ms: Shape.sparse(Integer),
  status: Schema.Literal("in_progress", "approved", "denied", "timed_out", "aborted"),
  risk_level: text,
  user_authorization: text,
  rationale: text,
  decision_source: text,
  action: Schema.Struct({ type: Schema.String })
})
export type GuardianAssessment = Shape.TypeOf<typeof GuardianAssessment>

/** The shape of each of these events by its `type`. */
export const variants = {
  error: ErrorEvent,
  exec_command_end: ExecCommandEnd,
  view_image_tool_call: ViewImageToolCall,
  dynamic_tool_call_request: DynamicToolCallRequest,
  dynamic_tool_call_response: DynamicToolCallResponse,
  collab_agent_spawn_begin: CollabAgentSpawnBegin,
  collab_agent_spawn_end: CollabAgentSpawnEnd,
  collab_agent_interaction_begin: CollabAgentInteractionBegin,
  collab_agent_interaction_end: CollabAgentInteractionEnd,
  collab_waiting_begin: CollabWaitingBegin,
  collab_waiting_end: CollabWaitingEnd,
  collab_close_begin: CollabCloseBegin,
  collab_close_end: CollabCloseEnd,
  collab_resume_begin: CollabResumeBegin,
  collab_resume_end: CollabResumeEnd,
  guardian_assessment: GuardianAssessment
}

/** The `type` of an event that only builds before June 2026 may have kept. */
export type RetiredEventType = keyof typeof variants

/** An event that only builds before June 2026 may have kept. */
export type RetiredEvent = { readonly [K in RetiredEventType]: Shape.TypeOf<(typeof variants)[K]> }[RetiredEventType]
