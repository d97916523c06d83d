/**
 * The settings that a turn is recorded with: a whole `turn_context` from what a host cares to say (rollout-format §7.1).
 *
 * The format asks for things that only a coding agent has. A host that has none of them names its model; the rest is as
 * little as can be: no approvals to ask for, nothing that may be written, the root folder.
 */

import * as Either from "effect/Either"
import type { Active } from "../fold/ActiveTurn.js"
import * as Shape from "../record/Shape.js"
import type { TurnContext } from "../record/TurnContext.js"
import * as TurnContexts from "../record/TurnContext.js"
import * as Errors from "./DecisionError.js"
import type { Decision } from "./Draft.js"

/** What a host says of a turn, in the words of the record. Only the model is needed. */
export type Settings = { readonly model: string } & {
  readonly [K in Exclude<keyof TurnContext, "model" | "turn_id" | "root_turn_id">]?: TurnContext[K] | undefined
}

/** What is recorded where a host says nothing. */
export const defaults = {
  cwd: "/",
  approval_policy: "never",
  sandbox_policy: { type: "read-only" },
  summary: "auto"
} as const satisfies Partial<TurnContext>

/**
 * The record of a turn's settings. Errors: `InvalidRequest` for an empty model or a value of no known shape, with the
 * key in question.
 */
export const of = (settings: Settings, turn: Pick<Active, "id" | "rootId">): Decision<TurnContext> => {
  if (settings.model === "") {
    return Errors.invalid("settings.model", "empty", "the model has no name", "Name the model that runs the turn")
  }
  const said = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  const context = TurnContexts.TurnContext.make({
    ...defaults,
    ...said,
    model: settings.model,
    turn_id: turn.id,
    root_turn_id: turn.rootId
  })
  if (TurnContexts.TurnContext.is(context)) return Either.right(context)
  const { message, path } = Shape.explain(TurnContexts.TurnContext.schema, context)
  const field = ["settings", ...path.map(String)].join(".")
  return Errors.invalid(field, "malformed", message, "Give values as rollout-format §7.1 has them")
}
