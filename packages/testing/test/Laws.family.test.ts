/** Laws over families of threads: the forest of agents, what each of them shows, and what it knows when it begins. */
import * as AgentTree from "@skein/core/fold/AgentTree"
import * as Boundary from "@skein/core/fold/Boundary"
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import type { StoredRecord } from "@skein/core/record/Record"
import * as Family from "@skein/testing/Family"
import * as ThreadModel from "@skein/testing/ThreadModel"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const runs = { numRuns: 150 }

const replay = (log: ReadonlyArray<StoredRecord>) => ModelContext.read(Fold.run(ModelContext.fold(), log))

/** Which tools for agents a family has. */
const toolsOf = ({ agents, form }: ThreadModel.Model): "v1" | "v2" => (form === "0.98.0" ? "v1" : (agents ?? "v2"))

interface Expected {
  readonly depth: number
  readonly status: AgentTree.Status
  readonly note: AgentTree.Note | undefined
  readonly path: string | undefined
}

/** How an agent stands when all is written, as far as logs of its kind can tell. */
const statusOf = ({ closed, end, tasks = [] }: ThreadModel.Agent, model: ThreadModel.Model): AgentTree.Status => {
  const last = (tasks.at(-1) ?? { end }).end
  if (closed === true && (model.form === "enriched" || model.form === "paginated")) return "shutdown"
  if (last === "interrupted") return "interrupted"
  if (model.form === "0.98.0") return "unknown"
  if (last === "unfinished") return "running"
  return last === "failed" && model.release !== "0.142.4" ? "errored" : "completed"
}

/** The agents below a thread, by what its model says, each in front of its own. */
const below = (
  steps: ReadonlyArray<ThreadModel.Step>,
  path: string,
  depth: number,
  model: ThreadModel.Model,
  count = { of: 0 }
): ReadonlyArray<Expected> =>
  steps.flatMap((step): ReadonlyArray<Expected> => {
    if (!("spawn" in step)) return []
    const name = count.of++ === 0 ? "worker" : `worker_${count.of}`
    const isV2 = toolsOf(model) === "v2"
    const its = `${path}/${name}`
    const shown = { depth, path: isV2 ? its : undefined }
    const { agent } = step
    if (agent === undefined) {
      // Legacy threads keep nothing of the older tools but the calls.
      if (!isV2 && model.form !== "enriched" && model.form !== "paginated") return []
      return [{ ...shown, status: isV2 ? "running" : "pending_init", note: "no-log" }]
    }
    const all = [...(agent.steps ?? []), ...(agent.tasks ?? []).flatMap((task) => task.steps ?? [])]
    return [{ ...shown, status: statusOf(agent, model), note: undefined }, ...below(all, its, depth + 1, model)]
  })

describe("the forest of agents", () => {
  it("is that of the model: parents, order, depth, paths, and how each stands", () => {
    let agents = 0
    fc.assert(
      fc.property(Family.family({ without: ["revert"] }), ({ members, model }) => {
        const forest = AgentTree.assemble(members.map(({ log }) => Fold.run(AgentTree.fold, log)))
        const steps = model.entries.flatMap((entry) => (ThreadModel.isTurn(entry) ? (entry.steps ?? []) : []))
        const [root, ...others] = forest
        expect([root?.id, root?.depth, root?.note]).toEqual([members[0]?.id, 0, undefined])
        expect(others.map(({ depth, note, path, status }) => ({ depth, note, path, status }))).toEqual(
          below(steps, "/root", 1, model)
        )
        const logged = forest.filter(({ note }) => note === undefined)
        expect(logged.map(({ id, parentId }) => [id, parentId])).toEqual(
          members.map(({ id, parentId }) => [id, parentId])
        )
        for (const [i, { lastActivityAt }] of logged.entries()) {
          const own = Date.parse(members[i]?.log.at(-1)?.timestamp ?? "")
          expect(lastActivityAt).toBeGreaterThanOrEqual(own)
        }
        agents += others.length
      }),
      runs
    )
    expect(agents).toBeGreaterThan(0)
  })

  it("is the same in whatever order the files are found, and an agent whose file is lost is still known of", () => {
    const family = Family.family({ without: ["revert"], maxDepth: 1 }).filter(({ members }) => members.length > 1)
    fc.assert(
      fc.property(family, fc.nat(9), ({ members, model }, at) => {
        const agents = members.map(({ log }) => Fold.run(AgentTree.fold, log))
        const forest = AgentTree.assemble(agents)
        expect(AgentTree.assemble(agents.toReversed())).toEqual(forest)
        const lost = members[1 + (at % (members.length - 1))]
        const left = AgentTree.assemble(agents.filter(({ id }) => id !== lost?.id))
        const found = left.find(({ id }) => id === lost?.id)
        const isTold = toolsOf(model) === "v2" || model.form === "enriched" || model.form === "paginated"
        expect(found?.note).toBe(isTold ? "no-log" : undefined)
        // Of those that only the lost log told of nobody knows any more.
        const known = forest.filter(({ note, parentId }) => note === undefined || parentId !== lost?.id)
        if (isTold) expect(left.map(({ id }) => id)).toEqual(known.map(({ id }) => id))
      }),
      { numRuns: 80 }
    )
  })
})

const wordsOf = (log: ReadonlyArray<StoredRecord>): ReadonlyArray<string> =>
  ThreadView.turns(Fold.run(ThreadView.fold(), log)).flatMap(({ items }) =>
    items.flatMap((item) =>
      item.type === "userMessage"
        ? item.content.map((part) => ("text" in part ? part.text : ""))
        : item.type === "agentMessage"
          ? [item.text]
          : []
    )
  )

describe("the view of an agent", () => {
  it("ends with its tasks and what it said; without its parent's history, and in a paginated thread, that is all", () => {
    const seen = { whole: 0, inherited: 0 }
    fc.assert(
      fc.property(Family.family(), ({ members, model }) => {
        for (const { agent, log } of members.slice(1)) {
          const tasks = [{ task: "", ...agent }, ...(agent?.tasks ?? [])]
          const said = tasks.flatMap(({ steps = [] }) => steps.flatMap((step) => ("say" in step ? [step.say] : [])))
          const words = wordsOf(log)
          const own = words.filter((_, i) => i >= words.length - said.length)
          // Tasks of the newer tools are in no item; those of the older ones are messages, the first of them unknown here.
          if (toolsOf(model) === "v2") expect(own).toEqual(said)
          else expect(words).toEqual(expect.arrayContaining([...said, ...(agent?.tasks ?? []).map(({ task }) => task)]))
          if (agent?.history !== undefined && model.form !== "paginated") {
            seen.inherited++
            continue
          }
          seen.whole++
          expect(words.length).toBe(said.length + (toolsOf(model) === "v2" ? 0 : tasks.length))
        }
      }),
      runs
    )
    expect(Math.min(seen.whole, seen.inherited)).toBeGreaterThan(0)
  })

  it("shows a turn for each task, ended as it ended", () => {
    const without = ["inherited history"] as const
    const families = fc.oneof(
      ...(["legacy", "enriched", "paginated"] as const).map((form) => Family.family({ form, without }))
    )
    fc.assert(
      fc.property(families, ({ members, model }) => {
        for (const { agent, log } of members.slice(1)) {
          const turns = ThreadView.turns(Fold.run(ThreadView.fold(), log))
          const ends = [{ end: agent?.end }, ...(agent?.tasks ?? [])].map(({ end }) => end ?? "completed")
          expect(turns.map(({ status }) => status)).toEqual(
            ends.map((end) =>
              end === "unfinished" ? "inProgress" : end === "failed" && model.release === "0.142.4" ? "completed" : end
            )
          )
        }
      }),
      runs
    )
  })
})

/** The log of an agent's parent as it was when the agent began, and what the agent got along of it. */
const beginning = (members: ReadonlyArray<Family.Member>, one: Family.Member) => {
  const parent = members.find(({ id }) => id === one.parentId)
  const [header] = one.log
  const before = (parent?.log ?? []).filter(({ timestamp }) => timestamp < (header?.timestamp ?? ""))
  const startOf = ({ kind, payload }: StoredRecord) =>
    kind === "event_msg" && payload.type === "task_started" && "turn_id" in payload ? payload.turn_id : undefined
  const theirs = new Set(before.map(startOf))
  const own = one.log.findIndex((record) => !theirs.has(startOf(record)) && startOf(record) !== undefined)
  return { parent, before, along: one.log.slice(0, own) }
}

/** The places at which a fork of the last turns may begin (§5.2), in a log without rollbacks. */
const forkTurns = (log: ReadonlyArray<StoredRecord>): number =>
  log.filter(
    (record) =>
      (record.kind === "response_item" && Boundary.isRealUserMessage(record.payload)) ||
      (record.kind === "inter_agent_communication_metadata" && record.payload.trigger_turn) ||
      (record.kind === "inter_agent_communication" && record.payload.trigger_turn)
  ).length

describe("what an agent knows when it begins (§5.2)", () => {
  it("with all of its parent's history: the settings, the reference and the world that its parent had", () => {
    let found = 0
    // Before 0.169.0 the messages of agents are left out, and with them boundaries (§5.2 [W]).
    const without = ["mail", "rollback", "revert"] as const
    fc.assert(
      fc.property(Family.family({ without }), ({ members, model }) => {
        const isNew = (model.release ?? "0.169.0") === "0.169.0"
        for (const one of members) {
          if (one.agent?.history !== "all" || (!isNew && one.parentId !== members[0]?.id)) continue
          found++
          const { along, before } = beginning(members, one)
          const [theirs, its] = [replay(before), replay(along)]
          expect(its.referenceContext).toEqual(theirs.referenceContext)
          expect(its.previousTurnSettings).toEqual(theirs.previousTurnSettings)
          expect(its.worldState).toEqual(theirs.worldState)
          expect(its.window.number).toBe(theirs.window.number)
          if (theirs.window.number > 0) expect(its.window).toEqual(theirs.window)
        }
      }),
      runs
    )
    expect(found).toBeGreaterThan(0)
  })

  it("§10.36: with its last turns: as many as there are, and neither reference nor world", () => {
    let found = 0
    fc.assert(
      fc.property(Family.family({ without: ["mail", "rollback", "revert"] }), ({ members }) => {
        for (const one of members) {
          const history = one.agent?.history
          // Tasks, with which the turns of agents begin, are left out before 0.169.0.
          if (typeof history !== "number" || one.parentId !== members[0]?.id) continue
          found++
          const { along, before } = beginning(members, one)
          expect(forkTurns(along)).toBe(Math.min(history, forkTurns(before)))
          const { referenceContext, worldState } = replay(along)
          expect([referenceContext, worldState]).toEqual([undefined, undefined])
        }
      }),
      runs
    )
    expect(found).toBeGreaterThan(0)
  })

  it("which tools it has for agents", () => {
    fc.assert(
      fc.property(Family.family(), ({ members, model }) => {
        if (model.form === "0.98.0") return
        for (const { log } of members.slice(1)) expect(replay(log).multiAgentVersion).toBe(toolsOf(model))
      }),
      { numRuns: 60 }
    )
  })
})
