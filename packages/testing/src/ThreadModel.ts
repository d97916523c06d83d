/**
 * What happens in a thread, as plain data: the models that {@link module:Thread} draws and writes out.
 *
 * A model says what was done and by whom, and leaves out everything that a writer adds: ids, times, context, token
 * counts. What is as usual is not said either, so that a small thread prints as a few words.
 */

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
  /** An agent of this name is started. */
  | { readonly spawn: string }
  /** The history is compacted in the middle of the turn. */
  | { readonly compact: Compaction }
  /** The world changes: a note in it reads otherwise, or is gone. */
  | { readonly world: string | null }

/** How a turn ended, when it did not simply complete. */
export type End = "failed" | "interrupted" | "unfinished"

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
  /** A new thread stands on this one without its last turns: paginated threads. */
  | { readonly fork: number }

/** A thread. */
export interface Model {
  readonly form: Form | "mixed"
  /** Of a legacy thread. Default: 0.169.0. */
  readonly release?: Release
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

/** Whether an entry is a turn and not something done between turns. */
export const isTurn = (entry: Entry): entry is Turn => "user" in entry || "mail" in entry

/** The features that a model has. Cost: one pass over it. */
export const features = (model: Model): ReadonlySet<Feature> => {
  const found = new Set<Feature>()
  for (const entry of model.entries) for (const feature of ofEntry(entry)) found.add(feature)
  return found
}

const ofEntry = (entry: Entry): ReadonlyArray<Feature> => {
  if ("standalone" in entry) return ["standalone compaction", entry.standalone]
  if ("rollback" in entry) return ["rollback"]
  if ("revert" in entry) return ["revert"]
  if ("fork" in entry) return ["fork"]
  return [
    ...(entry.mail === undefined ? [] : (["mail"] as const)),
    ...(entry.compact === undefined ? [] : (["pre-turn compaction", entry.compact] as const)),
    ...(entry.world === undefined ? [] : (["world"] as const)),
    ...(entry.end === undefined ? [] : [entry.end]),
    ...(entry.steps ?? []).flatMap(ofStep)
  ]
}

/** The features of a step. */
export const ofStep = (step: Step): ReadonlyArray<Feature> => {
  if ("think" in step) return ["reasoning"]
  if ("run" in step) return step.unanswered === true ? ["command", "unanswered"] : ["command"]
  if ("patch" in step) return ["patch"]
  if ("mcp" in step) return ["mcp"]
  if ("search" in step) return ["search"]
  if ("steer" in step) return ["steer"]
  if ("mail" in step) return ["mail"]
  if ("spawn" in step) return ["spawn"]
  if ("compact" in step) return ["mid-turn compaction", step.compact]
  if ("world" in step) return ["world"]
  return []
}

/** The older releases, which wrote neither starts nor ends of turns, from the newest to the oldest. */
export const isOld = (form: Form): boolean => form.startsWith("0.")

/** Whether writers of this form recorded such a thing at all. */
const canHave = (feature: Feature, form: Form, release: Release): boolean => {
  switch (feature) {
    case "mail":
    case "spawn":
    case "mcp":
    case "pre-turn compaction":
    case "standalone compaction":
    case "replaced":
      return !isOld(form)
    case "search":
    case "rollback":
      return form === "0.98.0" || form === "legacy" || form === "enriched"
        ? true
        : feature === "search" && form === "paginated"
    case "mid-turn compaction":
    case "rebuilt":
      return form !== "0.20.0"
    case "world":
      return !isOld(form) && release !== "0.142.4"
    case "revert":
    case "fork":
      return form === "paginated"
    default:
      return true
  }
}

/**
 * The model with everything taken out that its writers could not have done, or that would make its log no well-formed
 * one (replay-semantics §1.5): a rollback reaches no further back than the newest compaction and no further than there
 * are turns, a call goes without an answer only where the turn goes on no longer, the older releases come first in a
 * thread of several writers. A model that is right already comes back with nothing changed.
 */
export const settle = (model: Model, without: ReadonlySet<Feature> = new Set()): Model => {
  const release = model.release ?? "0.169.0"
  const entries: Array<Entry> = []
  let form = firstForm(model)
  /** Turns that a rollback may take back, and turns that a revert may. */
  let takeable = 0
  let turns: ReadonlyArray<boolean> = []
  const allowed = (feature: Feature) => !without.has(feature) && canHave(feature, form, release)
  for (const entry of model.entries) {
    if (isTurn(entry)) {
      // Nobody went back to an older release, so a thread of several writers turns from old to new once.
      const by = entry.by ?? form
      if (model.form === "mixed" && age(by) >= age(form)) {
        if (isOld(form) && !isOld(by)) takeable = 0
        form = by
      }
      const turn = settleTurn(entry, form, allowed, model.form === "mixed")
      entries.push(turn)
      const compacts = turn.compact !== undefined || (turn.steps ?? []).some((step) => "compact" in step)
      takeable = compacts ? 0 : takeable + 1
      turns = [...turns, true]
    } else if ("standalone" in entry) {
      const standalone = allowed(entry.standalone) ? entry.standalone : "rebuilt"
      if (!allowed("standalone compaction") || !allowed(standalone)) continue
      entries.push({ standalone })
      takeable = 0
      turns = [...turns, true]
    } else if ("rollback" in entry) {
      const rollback = Math.min(entry.rollback, takeable)
      if (!allowed("rollback") || rollback === 0) continue
      entries.push({ rollback })
      takeable -= rollback
    } else {
      const kind = "revert" in entry ? "revert" : "fork"
      const count = Math.min("revert" in entry ? entry.revert : entry.fork, turns.length)
      if (!allowed(kind) || (kind === "revert" && count === 0)) continue
      entries.push(kind === "revert" ? { revert: count } : { fork: count })
      turns = turns.slice(0, turns.length - count)
    }
  }
  return {
    form: model.form,
    ...(model.release === undefined || model.form !== "legacy" ? {} : { release: model.release }),
    entries
  }
}

/** The form of a thread's first line. */
export const firstForm = (model: Model): Form => {
  if (model.form !== "mixed") return model.form
  const by = model.entries.find(isTurn)?.by
  return by === undefined || age(by) < 0 ? "legacy" : by
}

/** The order in which programs can follow each other in one file; negative for those that share theirs with none. */
const age = (form: Form): number => ["0.42.0", "0.63.0", "0.98.0"].indexOf(form) + (isOld(form) ? 0 : sharing(form))

const sharing = (form: Form): number => (form === "paginated" ? 0 : 4)

const settleTurn = (turn: Turn, form: Form, allowed: (feature: Feature) => boolean, mixed: boolean): Turn => {
  const end = turn.end !== undefined && allowed(turn.end) ? turn.end : undefined
  const steps = (turn.steps ?? [])
    .map((step): Step => ("compact" in step && !allowed(step.compact) ? { compact: "rebuilt" } : step))
    .filter((step) => ofStep(step).every((feature) => feature === "unanswered" || allowed(feature)))
    .map((step, i, all): Step => {
      if (!("run" in step) || step.unanswered !== true) return step
      const isLast = i === all.length - 1 && (end === "unfinished" || end === "interrupted")
      return isLast && allowed("unanswered") ? step : { run: step.run }
    })
  const compact = turn.compact === undefined || allowed(turn.compact) ? turn.compact : "rebuilt"
  const byMail = turn.user === undefined && turn.mail !== undefined && allowed("mail")
  return {
    ...(byMail ? { mail: turn.mail } : { user: turn.user ?? turn.mail ?? "" }),
    ...(mixed ? { by: form } : {}),
    ...(compact !== undefined && allowed("pre-turn compaction") && allowed(compact) ? { compact } : {}),
    ...(turn.world !== undefined && allowed("world") ? { world: turn.world } : {}),
    ...(steps.length === 0 ? {} : { steps }),
    ...(end === undefined ? {} : { end })
  }
}
