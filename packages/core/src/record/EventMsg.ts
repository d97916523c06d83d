/**
 * What happened in a thread: the payloads of `event_msg` (rollout-format §5). Here are the events that both history
 * modes keep; `LegacyEvent.ts` and `RetiredEvent.ts` hold the others that can be read.
 */
import * as Schema from "effect/Schema"
import { CollaborationMode, ModeKind, Personality, ReasoningEffort, ReasoningSummary } from "./Collaboration.js"
import { ErrorBody } from "./ErrorInfo.js"
import { Unsigned32 } from "./Integer.js"
import * as LegacyEvent from "./LegacyEvent.js"
import { ApprovalPolicy, ApprovalsReviewer, PermissionProfile } from "./Permission.js"
import { AbsolutePath, Integer, Uuid } from "./Primitive.js"
import * as Refined from "./Refined.js"
import * as RetiredEvent from "./RetiredEvent.js"
import * as Shape from "./Shape.js"
import * as TurnItem from "./TurnItem.js"
import { RateLimits, TokenUsageInfo } from "./Usage.js"

const time = Shape.sparse(Integer)
const text = Shape.sparse(Schema.String)

/** A turn began (rollout-format §5.1); `turn_attribution` and `root_turn_id` are of 0.169.0. */
export const TaskStarted = Shape.struct({
  type: Schema.Literal("task_started"),
  turn_attribution: Shape.sparse(Shape.json),
  turn_id: Schema.String,
  root_turn_id: text,
  trace_id: text,
  started_at: time,
  model_context_window: Shape.nullable(Integer),
  collaboration_mode_kind: Shape.defaulted<ModeKind>(ModeKind, "default")
})
export type TaskStarted = Shape.TypeOf<typeof TaskStarted>

/** A turn ended by itself, well or with an error (rollout-format §5.1); `root_turn_id` is of 0.169.0. */
export const TaskComplete = Shape.struct({
  type: Schema.Literal("task_complete"),
  root_turn_id: text,
  turn_id: Schema.String,
  last_agent_message: Shape.nullable(Schema.String),
  error: Shape.sparse(ErrorBody.schema),
  started_at: time,
  completed_at: time,
  duration_ms: time,
  time_to_first_token_ms: time
})
export type TaskComplete = Shape.TypeOf<typeof TaskComplete>

/** A turn was stopped (rollout-format §5.1); `root_turn_id` is of 0.169.0. */
export const TurnAborted = Shape.struct({
  type: Schema.Literal("turn_aborted"),
  root_turn_id: text,
  turn_id: Shape.nullable(Schema.String),
  reason: Schema.Literal("interrupted", "replaced", "review_ended", "budget_limited"),
  started_at: time,
  completed_at: time,
  duration_ms: time
})
export type TurnAborted = Shape.TypeOf<typeof TurnAborted>

/** Counts of tokens and what is left of the limits (rollout-format §5.1). */
export const TokenCount = Shape.struct({
  type: Schema.Literal("token_count"),
  info: Shape.nullable(TokenUsageInfo.schema),
  rate_limits: Shape.nullable(RateLimits.schema)
})
export type TokenCount = Shape.TypeOf<typeof TokenCount>

/** The newest user turns before this line are void (rollout-format §5.1). */
export const ThreadRolledBack = Shape.struct({ type: Schema.Literal("thread_rolled_back"), num_turns: Unsigned32 })
export type ThreadRolledBack = Shape.TypeOf<typeof ThreadRolledBack>

/** What a thread works towards; camelCase (rollout-format §5.1). */
export const ThreadGoal = Shape.struct({
  threadId: Uuid,
  objective: Schema.String,
  status: Schema.Literal("active", "paused", "blocked", "usageLimited", "budgetLimited", "complete"),
  tokenBudget: Shape.sparse(Integer),
  tokensUsed: Integer,
  timeUsedSeconds: Integer,
  createdAt: Integer,
  updatedAt: Integer
})
export type ThreadGoal = Shape.TypeOf<typeof ThreadGoal>

/** A thread's goal changed; camelCase (rollout-format §5.1). */
export const ThreadGoalUpdated = Shape.struct({
  type: Schema.Literal("thread_goal_updated"),
  threadId: Uuid,
  turnId: text,
  goal: ThreadGoal.schema
})
export type ThreadGoalUpdated = Shape.TypeOf<typeof ThreadGoalUpdated>

/** The settings of a thread (rollout-format §5.1). */
export const ThreadSettings = Shape.struct({
  model: Schema.String,
  model_provider_id: Schema.String,
  service_tier: text,
  approval_policy: ApprovalPolicy,
  approvals_reviewer: ApprovalsReviewer,
  requested_approvals_reviewer: Shape.sparse(Shape.json),
  permission_profile: PermissionProfile,
  active_permission_profile: Shape.sparse(Shape.struct({ id: Schema.String, extends: text }).schema),
  cwd: AbsolutePath,
  runtime_workspace_roots: Shape.sparse(Shape.json),
  reasoning_effort: Shape.sparse(ReasoningEffort),
  reasoning_summary: Shape.sparse(ReasoningSummary),
  personality: Shape.sparse(Personality),
  collaboration_mode: CollaborationMode.schema,
  disabled_plugin_ids: Shape.sparse(Shape.json)
})
export type ThreadSettings = Shape.TypeOf<typeof ThreadSettings>

/** The settings of a thread changed (rollout-format §5.1); `thread_id` is of 0.169.0. */
export const ThreadSettingsApplied = Shape.struct({
  type: Schema.Literal("thread_settings_applied"),
  thread_id: text,
  thread_settings: ThreadSettings.schema
})
export type ThreadSettingsApplied = Shape.TypeOf<typeof ThreadSettingsApplied>

/** A thing of a turn is finished (rollout-format §5.3); `started_at_ms` is of 0.169.0. */
export const ItemCompleted = Shape.struct({
  type: Schema.Literal("item_completed"),
  thread_id: Uuid,
  turn_id: Schema.String,
  item: TurnItem.schema,
  started_at_ms: time,
  completed_at_ms: Shape.defaulted(Integer, 0)
})
export type ItemCompleted = Shape.TypeOf<typeof ItemCompleted>

/** A thing of a turn began; never kept (rollout-format §5.3). */
export const ItemStarted = Shape.struct({
  type: Schema.Literal("item_started"),
  thread_id: Uuid,
  turn_id: Schema.String,
  item: TurnItem.schema,
  started_at_ms: Integer
})
export type ItemStarted = Shape.TypeOf<typeof ItemStarted>

/** The shape of each event that both history modes keep, by its `type` (rollout-format §5.1). */
export const sharedVariants = {
  task_started: TaskStarted,
  task_complete: TaskComplete,
  turn_aborted: TurnAborted,
  token_count: TokenCount,
  thread_rolled_back: ThreadRolledBack,
  thread_goal_updated: ThreadGoalUpdated,
  thread_settings_applied: ThreadSettingsApplied
}

/** The shape of each event that can be read, by its `type`. */
export const variants = {
  ...sharedVariants,
  ...LegacyEvent.variants,
  ...RetiredEvent.variants,
  item_completed: ItemCompleted,
  item_started: ItemStarted
}

/** The `type` of an event that this version can read. */
export type EventMsgType = keyof typeof variants

/** What happened in a thread (rollout-format §5). */
export type EventMsg =
  | TaskStarted
  | TaskComplete
  | TurnAborted
  | TokenCount
  | ThreadRolledBack
  | ThreadGoalUpdated
  | ThreadSettingsApplied
  | ItemCompleted
  | ItemStarted
  | LegacyEvent.LegacyEvent
  | RetiredEvent.RetiredEvent

/** The schema of any event that this version can read. */
export const schema: Schema.Schema<EventMsg> = Refined.union(variants)

/** Whether this version can read events of this `type`. */
export const isKnown = (tag: string): tag is EventMsgType => Object.hasOwn(variants, tag)
