/**
 * What agents may do to each other, and how it is recorded (replay-semantics §8).
 */
import * as Either from "effect/Either"
import type { ActiveTurn } from "../fold/ActiveTurn.js"
import type { SubAgentActivityKind } from "../record/SubAgent.js"
import * as AgentPath from "./AgentPath.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Facts } from "./Draft.js"
import * as Item from "./Item.js"

/** The agents of a tree that live: their paths, and the threads that they are. */
export type Living = ReadonlyMap<string, string>

/**
 * The path of an agent that another one starts. A path is unique among the agents that live; the path of one that is gone
 * can be had again.
 *
 * Errors: `InvalidRequest` for a bad name, `Conflict` for a path that is taken.
 */
export const spawn = (parent: string, taskName: string, living: Living): Decision<string> =>
  Either.flatMap(AgentPath.child(parent, taskName, "taskName"), (path) =>
    living.has(path)
      ? Errors.conflict("taskName", "path-taken", `an agent lives at ${path}`, "Choose another name, or send it mail")
      : Either.right(path)
  )

/** What one agent can do to another. */
export type Deed = "message" | "followup" | "interrupt"

/**
 * The agent that something is done to. Work is not given to the root, and neither the root nor oneself is interrupted. An
 * interruption of an agent that is gone already is none of anybody's fault: it comes to a path without a thread.
 *
 * Errors: `InvalidRequest` for a bad path, `Conflict` for the root or oneself, `NotFound` for one that does not live.
 */
export const target = (
  deed: Deed,
  to: string,
  from: string,
  living: Living
): Decision<{ readonly path: string; readonly threadId: string | undefined }> =>
  Either.flatMap(AgentPath.resolve(from, to, "to"), (path) => {
    if (deed !== "message" && path === AgentPath.root) {
      const detail = deed === "interrupt" ? "the root is not interrupted" : "the root takes no work from others"
      return Errors.conflict("to", "not-allowed", detail, "Send it a message instead")
    }
    if (deed === "interrupt" && path === from) {
      return Errors.conflict("to", "not-allowed", "an agent does not interrupt itself", "End the turn instead")
    }
    const threadId = living.get(path)
    return threadId === undefined && deed !== "interrupt"
      ? Errors.notFound("to", "agent", `no agent lives at ${path}`, "Look at the agents of this tree first")
      : Either.right({ path, threadId })
  })

/** Something that came of an agent's call, or that it heard of another. */
export interface Activity {
  /** The id of the call. */
  readonly callId: string
  readonly kind: SubAgentActivityKind
  readonly threadId: string
  readonly path: string
  readonly model?: string | undefined
  readonly reasoningEffort?: string | undefined
}

/** The records of it, once it succeeded. Errors: as {@link Item.completed}. */
export const activity = (
  { callId, kind, model, path, reasoningEffort, threadId }: Activity,
  state: { readonly turn: ActiveTurn },
  facts: Facts
): Decision =>
  Item.completed(
    {
      item: {
        type: "SubAgentActivity",
        model,
        reasoning_effort: reasoningEffort,
        id: callId,
        kind,
        agent_thread_id: threadId,
        agent_path: path
      }
    },
    state,
    facts
  )
