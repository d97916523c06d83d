/** What can be told of a model at a glance. */
import type { Agent, Entry, Feature, Form, Model, Step, Turn } from "../ThreadModel.js"

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
  if ("spawn" in step) return ["spawn", ...(step.agent === undefined ? [] : ofAgent(step.agent))]
  if ("compact" in step) return ["mid-turn compaction", step.compact]
  if ("world" in step) return ["world"]
  return []
}

const ofAgent = ({ closed, end, history, steps = [], tasks = [] }: Agent): ReadonlyArray<Feature> => [
  "agent",
  ...(history === undefined ? [] : (["inherited history"] as const)),
  ...(closed === true ? (["closed"] as const) : []),
  ...[{ end, steps }, ...tasks].flatMap((task) => [
    ...(task.end === undefined ? [] : [task.end]),
    ...(task.steps ?? []).flatMap(ofStep)
  ])
]

/** The older releases, which wrote neither starts nor ends of turns, from the newest to the oldest. */
export const isOld = (form: Form): boolean => form.startsWith("0.")

/** The form of a thread's first line. */
export const firstForm = (model: Model): Form => {
  if (model.form !== "mixed") return model.form
  return model.entries.find(isTurn)?.by ?? "legacy"
}
