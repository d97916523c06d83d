/** How an agent works with its user and with other agents (rollout-format §7.1). */
import * as Schema from "effect/Schema"
import * as Shape from "./Shape.js"

/** Whether the agent plans or acts; the older names `code`, `pair_programming`, `execute`, `custom` mean `default`. */
export const ModeKind = Schema.Literal("plan", "default")
export type ModeKind = typeof ModeKind.Type

/** How hard a model is to think: any text but the empty one (rollout-format §7.1). */
export const ReasoningEffort = Shape.refine(Schema.String, "a non-empty string", (text) => text !== "")
export type ReasoningEffort = typeof ReasoningEffort.Type

/** How much of its thinking a model is to show (rollout-format §7.1). */
export const ReasoningSummary = Schema.Literal("auto", "concise", "detailed", "none")
export type ReasoningSummary = typeof ReasoningSummary.Type

/** The tone of the agent (rollout-format §7.1). */
export const Personality = Schema.Literal("none", "friendly", "pragmatic")
export type Personality = typeof Personality.Type

/** A mode with what belongs to it (rollout-format §7.1). */
export const CollaborationMode = Shape.struct({
  mode: ModeKind,
  settings: Shape.struct({
    model: Schema.String,
    reasoning_effort: Shape.nullable(ReasoningEffort),
    developer_instructions: Shape.nullable(Schema.String)
  }).schema
})
export type CollaborationMode = Shape.TypeOf<typeof CollaborationMode>

/** Which form of working with sub-agents a thread has (rollout-format §3.1). */
export const MultiAgentVersion = Schema.Literal("disabled", "v1", "v2")
export type MultiAgentVersion = typeof MultiAgentVersion.Type

/** When the agent may start others (rollout-format §7.1). */
export const MultiAgentMode = Schema.Union(
  Schema.Literal("explicitRequestOnly", "proactive"),
  Schema.Struct({ custom: Schema.String })
)
export type MultiAgentMode = typeof MultiAgentMode.Type
