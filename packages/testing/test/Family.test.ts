/** What the drawn families are: files that tell one story, of either kind of agents, and small once they have shrunk. */
import type { StoredRecord } from "@skein/core/record/Record"
import * as Family from "@skein/testing/Family"
import * as Thread from "@skein/testing/Thread"
import * as ThreadModel from "@skein/testing/ThreadModel"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const runs = { numRuns: 60 }
const forms = Family.forms.map((form) => ({ form }))

const metasOf = (log: ReadonlyArray<StoredRecord>) =>
  log.flatMap((record) => (record.kind === "session_meta" ? [record.payload] : []))

/** Ids of the turns that a log says to have started. */
const started = (log: ReadonlyArray<StoredRecord>): ReadonlyArray<string> =>
  log.flatMap(({ kind, payload }) =>
    kind === "event_msg" && payload.type === "task_started" && "turn_id" in payload ? [payload.turn_id] : []
  )

describe.each(forms)("families of the form $form", ({ form }) => {
  it("have lines that read as known records, and the same bytes each time", () => {
    fc.assert(
      fc.property(Family.family({ form }), (family) => {
        for (const { log } of family.members) {
          for (const record of log) {
            expect(record.kind).not.toBe("unknown")
            expect(record.inexact).toBe(false)
            expect(record.ordinal !== undefined).toBe(form === "paginated")
          }
        }
        expect(ThreadModel.settle(family.model)).toEqual(family.model)
        const filesOf = ({ members }: Family.Family) => JSON.stringify(members.map(({ files }) => files))
        expect(filesOf(Family.of(family.model))).toBe(filesOf(family))
        // The first thread is what a reader of its files alone has.
        expect(Thread.of(family.model).files).toEqual(family.members[0]?.files)
      }),
      runs
    )
  })

  it("each member names its parent, and all the session of the first (§10.38)", () => {
    let generations = 0
    fc.assert(
      fc.property(Family.family({ form }), ({ members }) => {
        const [first, ...agents] = members
        const ids = members.map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
        expect([first?.parentId, first?.agent]).toEqual([undefined, undefined])
        for (const { agent, files, id, log, parentId } of agents) {
          const [meta] = metasOf(log)
          expect(ids.indexOf(parentId ?? "")).toBeLessThan(ids.indexOf(id))
          expect(meta?.id).toBe(id)
          expect(files.map(({ name }) => name.includes(id))).toEqual([true])
          expect(agent).toBeDefined()
          if (form === "0.98.0") continue
          expect([meta?.parent_thread_id, meta?.session_id]).toEqual([parentId, first?.id])
          if (parentId !== first?.id) {
            generations++
            expect(meta?.session_id).not.toBe(parentId)
          }
        }
      }),
      runs
    )
    if (form !== "0.98.0") expect(generations).toBeGreaterThan(0)
  })

  it("an agent has a turn for each of its tasks", () => {
    fc.assert(
      fc.property(Family.family({ form, without: ["inherited history"] }), ({ members }) => {
        for (const { agent, log } of members.slice(1)) {
          const tasks = 1 + (agent?.tasks?.length ?? 0)
          if (form !== "0.98.0") expect(started(log).length).toBe(tasks)
        }
      }),
      runs
    )
  })
})

describe("what an agent gets along (§5.2, §10.36)", () => {
  const inherited = (members: ReadonlyArray<Family.Member>, of: Family.Member) => {
    const parent = members.find(({ id }) => id === of.parentId)
    const theirs = new Set(started(parent?.log ?? []))
    const own = of.log.findIndex(
      ({ kind, payload }) =>
        kind === "event_msg" && payload.type === "task_started" && "turn_id" in payload && !theirs.has(payload.turn_id)
    )
    return { parent, records: of.log.slice(1, own) }
  }

  it("all: its parent's header, settings and world; the last turns: none of these, and no more turns than asked for", () => {
    // A compaction on its own is a turn, but none of a user, and is not counted among those that were asked for.
    const seen = { all: 0, some: 0 }
    fc.assert(
      fc.property(Family.family({ without: ["rollback", "revert", "standalone compaction"] }), ({ members }) => {
        for (const one of members) {
          const history = one.agent?.history
          const { parent, records } = inherited(members, one)
          if (history === undefined) continue
          const kinds = records.map(({ kind }) => kind)
          if (history === "all") {
            seen.all++
            expect(metasOf(records)[0]?.id).toBe(parent?.id)
            expect(kinds).toContain("turn_context")
            continue
          }
          seen.some++
          expect(kinds).not.toContain("turn_context")
          expect(kinds).not.toContain("world_state")
          const starts = records.filter(({ kind, payload }) => kind === "event_msg" && payload.type === "task_started")
          expect(starts.length).toBeLessThan(history)
        }
      }),
      { numRuns: 200 }
    )
    expect(seen.all).toBeGreaterThan(0)
    expect(seen.some).toBeGreaterThan(0)
  })

  it("in a paginated thread the header says where its own records begin", () => {
    let found = 0
    fc.assert(
      fc.property(Family.family({ form: "paginated", without: ["revert"] }), ({ members }) => {
        for (const one of members) {
          const start = metasOf(one.log)[0]?.subagent_history_start_ordinal ?? undefined
          expect(start !== undefined).toBe(one.agent?.history !== undefined)
          if (start === undefined) continue
          found++
          expect(inherited(members, one).records.length + 1).toBe(start)
          expect(one.log.map(({ ordinal }) => ordinal)).toEqual(one.log.map((_, i) => i))
        }
      }),
      { numRuns: 150 }
    )
    expect(found).toBeGreaterThan(0)
  })

  it("up to 0.145.0 nothing of what the model did", () => {
    const family = Family.family({ form: "legacy" }).filter(({ model }) => model.release !== undefined)
    fc.assert(
      fc.property(family, ({ members }) => {
        for (const one of members) {
          if (one.agent?.history === undefined) continue
          for (const { kind, payload } of inherited(members, one).records) {
            if (kind === "response_item") expect("role" in payload && payload.role).toMatch(/^(user|developer)$/)
            expect(kind).not.toBe("inter_agent_communication")
          }
        }
      }),
      runs
    )
  })
})

describe("statistics", () => {
  it.each(forms)("agents of every kind are drawn: $form", ({ form }) => {
    const families = fc.sample(Family.family({ form }), { numRuns: 300, seed: 4 })
    const counts = new Map<string, number>()
    const note = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const { members, model } of families) {
      for (const feature of ThreadModel.features(model)) note(feature)
      note(`agents ${model.agents ?? "v2"}`)
      if (members.length > 2) note("several")
      if (members.some(({ parentId }) => parentId !== undefined && parentId !== members[0]?.id)) note("grandchildren")
    }
    const old = form === "0.98.0"
    const wanted = ["agent", "spawn", "closed", "several", "grandchildren", "interrupted", "unfinished", "failed"]
    const newer = ["inherited history", "agents v1", "agents v2", "mail", "world", "mid-turn compaction"]
    for (const name of [...wanted, ...(old ? [] : newer)]) {
      expect([name, (counts.get(name) ?? 0) >= 15]).toEqual([name, true])
    }
  })
})

describe("shrinking", () => {
  const smallest = (fails: (family: Family.Family) => boolean, options: Family.Options = {}) =>
    fc.check(
      fc.property(Family.family(options), (family) => !fails(family)),
      { seed: 7, numRuns: 500 }
    ).counterexample?.[0]

  it("an agent is left alone, and a family prints as its model", () => {
    const found = smallest(({ members }) => members.length > 1)
    expect(fc.stringify(found)).toBe('{"form":"legacy","entries":[{"user":"a","steps":[{"spawn":"a","agent":{}}]}]}')
  })

  it("an agent of an agent, two brothers, a history, a further task", () => {
    const agent = (more: object) => ({ form: "legacy", entries: [{ user: "a", steps: [{ spawn: "a", agent: more }] }] })
    const grandchild = smallest(
      ({ members }) => members.length > 1 && members.some(({ parentId }) => parentId === members[1]?.id)
    )
    expect(grandchild?.model).toEqual(agent({ steps: [{ spawn: "a", agent: {} }] }))
    const brothers = smallest(({ members }) => members.filter(({ parentId }) => parentId === members[0]?.id).length > 1)
    expect(JSON.stringify(brothers?.model).length).toBeLessThan(130)
    const young = { form: "legacy", maxDepth: 1 } as const
    const history = smallest(({ members }) => members.some((one) => one.agent?.history !== undefined), young)
    expect(history?.model).toEqual(agent({ history: "all" }))
    const tasks = smallest(({ members }) => members.some((one) => one.agent?.tasks !== undefined), young)
    expect(tasks?.model).toEqual(agent({ tasks: [{ task: "a" }] }))
  })
})
