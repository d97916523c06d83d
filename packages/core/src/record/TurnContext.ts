/** Under which settings a turn ran: the payload of `turn_context` (rollout-format §7.1). */
import * as Schema from "effect/Schema"
import {
  CollaborationMode,
  MultiAgentMode,
  MultiAgentVersion,
  Personality,
  ReasoningEffort,
  ReasoningSummary
} from "./Collaboration.js"
import {
  ApprovalPolicy,
  ApprovalsReviewer,
  FileSystemPolicy,
  NetworkDomains,
  PermissionProfile,
  SandboxPolicy
} from "./Permission.js"
import { AbsolutePath } from "./Primitive.js"
import * as Shape from "./Shape.js"

/** The settings of a turn, written once per real user turn and again after a compaction within one (§7.1). */
export const TurnContext = Shape.struct({
  turn_id: Shape.sparse(Schema.String),
  root_turn_id: Shape.sparse(Schema.String),
  disabled_plugin_ids: Shape.sparse(Shape.json),
  cwd: AbsolutePath,
  workspace_roots: Shape.sparse(Schema.Array(AbsolutePath)),
  current_date: Shape.sparse(Schema.String),
  timezone: Shape.sparse(Schema.String),
  approval_policy: ApprovalPolicy,
  approvals_reviewer: Shape.sparse(ApprovalsReviewer),
  sandbox_policy: SandboxPolicy,
  permission_profile: Shape.sparse(PermissionProfile),
  network: Shape.sparse(NetworkDomains.schema),
  file_system_sandbox_policy: Shape.sparse(FileSystemPolicy.schema),
  model: Schema.String,
  comp_hash: Shape.sparse(Schema.String),
  personality: Shape.sparse(Personality),
  collaboration_mode: Shape.sparse(CollaborationMode.schema),
  multi_agent_version: Shape.sparse(MultiAgentVersion),
  multi_agent_mode: Shape.sparse(MultiAgentMode),
  realtime_active: Shape.sparse(Schema.Boolean),
  effort: Shape.sparse(ReasoningEffort),
  summary: ReasoningSummary
})
export type TurnContext = Shape.TypeOf<typeof TurnContext>
