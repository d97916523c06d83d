/** What a model may say: what no writer could have done is taken out of it. */
import type { Agent, Compaction, End, Entry, Feature, Form, Model, Release, Step, Task, Turn } from "../ThreadModel.js"
import { firstForm, isOld, isTurn, ofStep } from "./Facts.js"

/** Who writes, and into what. */
interface Writer {
  readonly form: Form
  readonly release: Release
  readonly agents: "v1" | "v2"
  /** Whether the thread is kept with ordinals. */
  readonly isPaginated: boolean
  /** Whether several programs write it. */
  readonly isMixed: boolean
}

type Allowed = (feature: Feature) => boolean

/** Whether such a writer recorded such a thing at all. */
const canHave = (feature: Feature, { agents, form, isMixed, isPaginated, release }: Writer): boolean => {
  switch (feature) {
    case "mail":
    case "mcp":
    case "pre-turn compaction":
    case "standalone compaction":
    case "replaced":
      return !isOld(form)
    case "spawn":
      return !isOld(form) || form === "0.98.0"
    case "agent":
      return (!isOld(form) || form === "0.98.0") && !isMixed
    case "inherited history":
      return agents === "v2"
    case "closed":
      return agents === "v1"
    case "search":
      return !isOld(form) || form === "0.98.0"
    case "rollback":
      return (!isOld(form) || form === "0.98.0") && !isPaginated
    case "mid-turn compaction":
    case "rebuilt":
      return form !== "0.20.0"
    case "world":
      return !isOld(form) && release !== "0.142.4"
    case "revert":
      return form === "paginated" && !isMixed
    case "fork":
      return isPaginated ? !isMixed : !isOld(form) || form === "0.98.0"
    default:
      return true
  }
}

/** The older releases that can follow each other in one file, in their order; the newer ones come behind them. */
const oldest: ReadonlyArray<Form> = ["0.42.0", "0.63.0", "0.98.0"]

/** Whether a program of one form goes on with what another wrote: nobody went back to an older release. */
const canFollow = (by: Form, before: Form, isPaginated: boolean): boolean => {
  if (isPaginated) return by === "paginated" || by === "legacy"
  if (!isOld(by)) return by !== "paginated"
  return isOld(before) && oldest.includes(by) && oldest.indexOf(by) >= oldest.indexOf(before)
}

/** See {@link module:ThreadModel.settle}. */
export const settle = (model: Model, without: ReadonlySet<Feature>): Model => {
  const entries: Array<Entry> = []
  const isMixed = model.form === "mixed"
  const first = firstForm(model)
  const isPaginated = first === "paginated"
  let form = isMixed && !isPaginated && isOld(first) && !oldest.includes(first) ? "legacy" : first
  /** Turns that a rollback may take back, and turns that a revert or a fork may. */
  let takeable = 0
  let turns = 0
  const allowed: Allowed = (feature) => {
    const release = isPaginated && form === "legacy" ? "0.142.4" : (model.release ?? "0.169.0")
    const agents = isOld(form) ? "v1" : (model.agents ?? "v2")
    return !without.has(feature) && canHave(feature, { form, release, agents, isPaginated, isMixed })
  }
  for (const entry of model.entries) {
    if (isTurn(entry)) {
      const by = entry.by ?? form
      if (isMixed && canFollow(by, form, isPaginated)) {
        if (isOld(form) && !isOld(by)) takeable = 0
        form = by
      }
      const turn = settleTurn(entry, allowed)
      entries.push(isMixed ? { ...turn, by: form } : turn)
      const compacts = turn.compact !== undefined || (turn.steps ?? []).some((step) => "compact" in step)
      takeable = compacts ? 0 : takeable + 1
      turns++
    } else if ("standalone" in entry) {
      const standalone = recorded(entry.standalone, allowed)
      if (!allowed("standalone compaction") || !allowed(standalone)) continue
      entries.push({ standalone })
      takeable = 0
      turns++
    } else if ("rollback" in entry) {
      const rollback = Math.min(entry.rollback, takeable)
      if (!allowed("rollback") || rollback < 1) continue
      entries.push({ rollback })
      takeable -= rollback
      turns -= rollback
    } else {
      const kind = "revert" in entry ? "revert" : "fork"
      const count = Math.max(0, Math.min("revert" in entry ? entry.revert : entry.fork, turns))
      if (!allowed(kind) || (kind === "revert" && count === 0)) continue
      entries.push(kind === "revert" ? { revert: count } : { fork: count })
      takeable = count > takeable ? 0 : takeable - count
      turns -= count
    }
  }
  return {
    form: model.form,
    ...(model.release === undefined || model.form !== "legacy" ? {} : { release: model.release }),
    ...(model.agents === undefined || (!isMixed && isOld(form)) ? {} : { agents: model.agents }),
    entries
  }
}

/** A compaction as the writer can record it. */
const recorded = (compaction: Compaction, allowed: Allowed): Compaction =>
  allowed(compaction) ? compaction : "rebuilt"

const settleTurn = (turn: Turn, allowed: Allowed): Turn => {
  const compact = turn.compact === undefined ? undefined : recorded(turn.compact, allowed)
  const byMail = turn.user === undefined && turn.mail !== undefined && allowed("mail")
  return {
    ...(byMail ? { mail: turn.mail } : { user: turn.user ?? turn.mail ?? "" }),
    ...(compact !== undefined && allowed("pre-turn compaction") && allowed(compact) ? { compact } : {}),
    ...(turn.world !== undefined && allowed("world") ? { world: turn.world } : {}),
    ...settleDoing(turn, allowed)
  }
}

interface Doing {
  readonly steps?: ReadonlyArray<Step>
  readonly end?: End
}

const settleDoing = (doing: Doing, allowed: Allowed): Doing => {
  const end = doing.end !== undefined && allowed(doing.end) ? doing.end : undefined
  const steps = (doing.steps ?? [])
    .map((step) => settleStep(step, allowed))
    .filter((step) => ofStep(step).every((feature) => feature === "unanswered" || allowed(feature)))
    .map((step, i, all): Step => {
      if (!("run" in step) || step.unanswered !== true) return step
      const isLast = i === all.length - 1 && (end === "unfinished" || end === "interrupted")
      return isLast && allowed("unanswered") ? step : { run: step.run }
    })
  return { ...(steps.length === 0 ? {} : { steps }), ...(end === undefined ? {} : { end }) }
}

const settleStep = (step: Step, allowed: Allowed): Step => {
  if ("compact" in step) return { compact: recorded(step.compact, allowed) }
  if (!("spawn" in step) || step.agent === undefined) return step
  return { spawn: step.spawn, ...(allowed("agent") ? { agent: settleAgent(step.agent, allowed) } : {}) }
}

/** What an agent can do is what its parent can, but that no user speaks to it; before `v2` nobody else does either. */
const settleAgent = (agent: Agent, allowed: Allowed): Agent => {
  const its: Allowed = (feature) =>
    feature !== "steer" && (feature !== "mail" || allowed("inherited history")) && allowed(feature)
  const { closed, history } = agent
  const first = settleDoing(agent, its)
  const tasks: Array<Task> = []
  for (const task of agent.tasks ?? []) {
    // Of a turn that goes on nobody knows how it ends, so nothing comes behind it.
    if ((tasks.at(-1) ?? first).end === "unfinished") break
    tasks.push({ task: task.task, ...settleDoing(task, its) })
  }
  return {
    ...(history !== undefined && (history === "all" || history >= 1) && allowed("inherited history")
      ? { history }
      : {}),
    ...first,
    ...(tasks.length === 0 ? {} : { tasks }),
    ...(closed === true && allowed("closed") ? { closed } : {})
  }
}
