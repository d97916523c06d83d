/**
 * What happens in a thread, as plain data: the models that {@link module:Thread} draws and writes out.
 *
 * A model says what was done and by whom, and leaves out everything that a writer adds: ids, times, context, token
 * counts. What is as usual is not said either, so that a small thread prints as a few words.
 */

import * as Settling from "./internal/Settling.js"

/**
 * A form in which threads were written: `legacy` (events, 0.142.4 to 0.169.0), `paginated` (canonical items and
 * ordinals, 0.169.0), `enriched` (canonical items in a legacy file, each followed by the marked event that repeats it),
 * and the older releases by their number.
 */
export type Form = "legacy" | "paginated" | "enriched" | "0.98.0" | "0.63.0" | "0.42.0" | "0.20.0"

/** A release that wrote legacy threads; 0.142.4 knew no world state, and another record for mail. */
export type Release = "0.142.4" | "0.145.0" | "0.169.0"

/** A compaction: whether it recorded the new history or left it to be rebuilt from what the user said. */
export type Compaction = "replaced" | "rebuilt"

/** Something done in a turn. */
export type Step =
  /** The model says something. */
  | { readonly say: string }
  /** The model thinks, in a summary. */
  | { readonly think: string }
  /** A command; without an answer when the thread ends or the turn is cut off before it comes. */
  | { readonly run: string; readonly unanswered?: true }
  /** A file is written with `apply_patch`. */
  | { readonly patch: string }
  /** A tool of an MCP server is called with this argument. */
  | { readonly mcp: string }
  /** A web search. */
  | { readonly search: string }
  /** The user says something while the turn runs. */
  | { readonly steer: string }
  /** Another agent's message comes in. */
  | { readonly mail: string }
  /** An agent is started with this task; without `agent`, one that has no log. */
  | { readonly spawn: string; readonly agent?: Agent }
  /** The history is compacted in the middle of the turn. */
  | { readonly compact: Compaction }
  /** The world changes: a note in it reads otherwise, or is gone. */
  | { readonly world: string | null }

/** How a turn ended, when it did not simply complete. */
export type End = "failed" | "interrupted" | "unfinished"

/** A turn of an agent. */
export interface Task {
  readonly task: string
  readonly steps?: ReadonlyArray<Step>
  readonly end?: End
}

/**
 * What an agent does: a thread of its own, which {@link module:Family} writes out. Its parent waits for it, and goes on
 * when it is done.
 */
export interface Agent {
  /** What it gets along of its parent's history: all, or its last turns. Default: nothing, as ever for `v1`. */
  readonly history?: "all" | number
  /** What it does with the task that it was started for. */
  readonly steps?: ReadonlyArray<Step>
  /** How the turn of that task ends; `interrupted` is done by the parent. */
  readonly end?: End
  /** Further tasks, each a turn. */
  readonly tasks?: ReadonlyArray<Task>
  /** Its parent closes it when all is done: `v1` only. */
  readonly closed?: true
}

/** A turn, begun by what the user said or by another agent's mail. */
export interface Turn {
  readonly user?: string
  readonly mail?: string
  /** Who wrote it, in a thread of several writers. Default: the form before it. */
  readonly by?: Form
  /** A compaction at its start. */
  readonly compact?: Compaction
  /** What the note in the world reads since the turn before. */
  readonly world?: string | null
  readonly steps?: ReadonlyArray<Step>
  readonly end?: End
}

/** Something that happens in a thread, in the order of its entries. */
export type Entry =
  | Turn
  /** A compaction as a turn of its own. */
  | { readonly standalone: Compaction }
  /** The last turns are taken back, in place: legacy threads. */
  | { readonly rollback: number }
  /** The last turns are taken back by going on in a new file of the thread: paginated threads. */
  | { readonly revert: number }
  /** A new thread goes on without the last turns of this one: it stands on it, or where that is not paginated, copies it. */
  | { readonly fork: number }

/**
 * A thread. One of several writers (`mixed`) is as its first writer keeps it: what an older release began goes on in the
 * legacy form, what began with ordinals is continued by 0.142.4, which knows none, and by those that do.
 */
export interface Model {
  readonly form: Form | "mixed"
  /** Of a legacy thread. Default: 0.169.0. */
  readonly release?: Release
  /** The older ones of the tools for agents, which 0.98.0 always has. Default: those since, `v2`. */
  readonly agents?: "v1"
  readonly entries: ReadonlyArray<Entry>
}

/** What a model can have, and {@link module:Thread.thread} can be told to leave out. */
export type Feature =
  | "reasoning"
  | "command"
  | "unanswered"
  | "patch"
  | "mcp"
  | "search"
  | "steer"
  | "mail"
  | "spawn"
  | "agent"
  | "inherited history"
  | "closed"
  | "failed"
  | "interrupted"
  | "unfinished"
  | "pre-turn compaction"
  | "mid-turn compaction"
  | "standalone compaction"
  | "replaced"
  | "rebuilt"
  | "world"
  | "rollback"
  | "revert"
  | "fork"

export { features, firstForm, isOld, isTurn, ofStep } from "./internal/Facts.js"

/**
 * The model with everything taken out that its writers could not have done, or that would make its log no well-formed
 * one (replay-semantics §1.5): a rollback reaches no further back than the newest compaction and no further than there
 * are turns, a call goes without an answer only where the turn goes on no longer, the older releases come first in a
 * thread of several writers. A model that is right already comes back with nothing changed.
 */
export const settle = (model: Model, without: ReadonlySet<Feature> = new Set()): Model =>
  Settling.settle(model, without)
