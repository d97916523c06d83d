import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as AgentTree from "../../src/fold/AgentTree.js"
import * as Fold from "../../src/fold/Fold.js"
import * as Sniff from "../../src/record/Sniff.js"
import * as w from "./Written.js"

const agent = (...drafts: ReadonlyArray<w.Draft>): AgentTree.Agent => Fold.run(AgentTree.fold, w.log(...drafts))

/** The header of a sub-agent. */
const child = (n: number, parent: number, more: Readonly<Record<string, unknown>> = {}): w.Draft =>
  w.meta(n, {
    parent_thread_id: w.id(parent),
    source: { subagent: { thread_spawn: { parent_thread_id: w.id(parent), depth: 1 } } },
    ...more
  })

const activity = (n: number, kind: string, more: Readonly<Record<string, unknown>> = {}): w.Draft =>
  w.event("sub_agent_activity", {
    event_id: "e",
    agent_thread_id: w.id(n),
    agent_path: "/root/worker",
    kind,
    ...more
  })

const call = (sender: number, tool: string, states: Readonly<Record<string, unknown>>, status = "completed"): w.Draft =>
  w.item(sender, {
    type: "CollabAgentToolCall",
    tool,
    status,
    sender_thread_id: w.id(sender),
    receiver_thread_ids: Object.keys(states),
    agents_states: states
  })

/** A log that goes on at a second. */
const from = (second: number, so: AgentTree.Agent, ...drafts: ReadonlyArray<w.Draft>): AgentTree.Agent =>
  Fold.run(
    AgentTree.fold,
    drafts.map((draft, i) => w.record(w.stamp(second + i), draft)),
    so
  )

const nodes = (...agents: ReadonlyArray<AgentTree.Agent>) => AgentTree.assemble(agents)

/** The forest as text: `1>2` is 2 below 1. */
const shape = (forest: ReadonlyArray<AgentTree.Node>): ReadonlyArray<string> =>
  forest.map(
    ({ depth, id, note }) =>
      `${" ".repeat(depth)}${Number.parseInt(id.slice(-12), 16)}${note === undefined ? "" : ` ${note}`}`
  )

describe("spawn edges", () => {
  it("of the own header: parent_thread_id, in older logs the source", () => {
    expect(agent(child(2, 1))).toMatchObject({ id: w.id(2), parentId: w.id(1), kind: "thread_spawn" })
    expect(agent(child(2, 1, { parent_thread_id: undefined })).parentId).toBe(w.id(1))
    expect(agent(w.meta(1)).parentId).toBeUndefined()
    expect(agent(w.meta(3, { source: { subagent: "review" }, parent_thread_id: w.id(1) }))).toMatchObject({
      parentId: w.id(1),
      kind: "review"
    })
  })

  it.each<[string, w.Draft]>([
    ["an event", activity(2, "started")],
    [
      "an item",
      w.item(1, { type: "SubAgentActivity", kind: "started", agent_thread_id: w.id(2), agent_path: "/root/a" })
    ],
    ["a tool call", call(1, "spawn_agent", { [w.id(2)]: "pending_init" })],
    [
      "a retired event",
      w.event("collab_agent_spawn_end", {
        call_id: "c",
        sender_thread_id: w.id(1),
        new_thread_id: w.id(2),
        prompt: "",
        model: "m",
        reasoning_effort: "low",
        status: "pending_init"
      })
    ]
  ])("of the parent's log: %s", (_, draft) => {
    expect(shape(nodes(agent(w.meta(1), draft)))).toEqual(["1", " 2 no-log"])
    expect(shape(nodes(agent(w.meta(1), draft), agent(w.meta(2))))).toEqual(["1", " 2"])
  })

  it("none from mail to somebody else's agent", () => {
    expect(
      shape(nodes(agent(w.meta(1), activity(2, "interacted"), call(1, "wait", { [w.id(3)]: "running" }))))
    ).toEqual(["1"])
  })

  it("the own header wins over what others say", () => {
    expect(shape(nodes(agent(w.meta(1), activity(3, "started")), agent(w.meta(2)), agent(child(3, 2))))).toEqual([
      "1",
      "2",
      " 3"
    ])
  })

  it("of several that say so the first one counts", () => {
    const late = from(9, agent(w.meta(1)), activity(3, "started"))
    const early = from(5, agent(w.meta(2)), activity(3, "started"))
    expect(shape(nodes(late, early))).toEqual(["1", "2", " 3 no-log"])
  })

  it("what a fork copied from its source says nothing of the fork", () => {
    const foreign = w.item(1, {
      type: "SubAgentActivity",
      kind: "started",
      agent_thread_id: w.id(3),
      agent_path: "/root/a"
    })
    const older = activity(4, "started", { occurred_at_ms: w.time(-60) })
    expect(
      agent(w.meta(2), w.meta(1), foreign, older, call(1, "spawn_agent", { [w.id(5)]: "running" })).reports.size
    ).toBe(0)
  })

  it("nor what a sub-agent got along from its parent", () => {
    const header = child(2, 1, { history_mode: "paginated", subagent_history_start_ordinal: 3 })
    expect(
      agent(
        { ...header, ordinal: 0 },
        { ...activity(3, "started"), ordinal: 2 },
        { ...activity(4, "started"), ordinal: 3 }
      ).reports
    ).toEqual(new Map([[w.id(4), expect.objectContaining({ spawned: true })]]))
  })
})

describe("liveness, from the log of the agent", () => {
  const status = (...drafts: ReadonlyArray<w.Draft>) => AgentTree.liveness(agent(w.meta(1), ...drafts))
  const failure = { message: "x", codex_error_info: "other" }

  it.each<[string, ReadonlyArray<w.Draft>, AgentTree.Status]>([
    ["nothing happened", [], "pending_init"],
    ["a turn runs", [w.started("a")], "running"],
    ["it ended", [w.started("a"), w.complete("a")], "completed"],
    ["it failed", [w.started("a"), w.complete("a", { error: failure })], "errored"],
    ["it was stopped", [w.started("a"), w.aborted("a")], "interrupted"],
    ["a further one runs", [w.started("a"), w.complete("a"), w.started("b")], "running"],
    ["a late end of the turn before", [w.started("a"), w.started("b"), w.complete("a")], "running"],
    ["an end under another id: a review", [w.started("a"), w.complete("z")], "completed"],
    ["the first end is final", [w.started("a"), w.aborted("a"), w.complete("a")], "interrupted"],
    ["an end without a start", [w.complete("a")], "completed"],
    ["a log that records no turns", [w.turnContext("m"), w.said("x")], "unknown"],
    ["which was stopped", [w.said("x"), w.aborted()], "interrupted"],
    ["and went on", [w.said("x"), w.aborted(), w.said("y")], "unknown"],
    ["a turn that the fork inherited", [w.started("a", { started_at: w.time(-5) / 1000 })], "interrupted"]
  ])("%s", (_, drafts, expected) => {
    expect(status(...drafts)).toBe(expected)
  })
})

describe("liveness, from the log of the parent", () => {
  const parent = (second: number, ...drafts: ReadonlyArray<w.Draft>) =>
    from(second, agent(w.meta(1), activity(2, "started")), ...drafts)
  const running = agent(child(2, 1), w.started("a"))
  const done = agent(child(2, 1), w.started("a"), w.complete("a"))
  const status = (log: AgentTree.Agent, own?: AgentTree.Agent) =>
    nodes(log, ...(own === undefined ? [] : [own])).find(({ id }) => id === w.id(2))?.status

  it("counts where there is no log", () => {
    expect(status(parent(5))).toBe("running")
    expect(status(parent(5, activity(2, "completed")))).toBe("completed")
    expect(status(parent(5, activity(2, "completed"), activity(2, "interacted")))).toBe("running")
    expect(status(parent(5, activity(2, "interrupted")))).toBe("interrupted")
    expect(status(parent(5, call(1, "wait", { [w.id(2)]: { errored: "x" } })))).toBe("errored")
    expect(status(parent(5, call(1, "wait", { [w.id(2)]: "not_found" })))).toBe("not_found")
  })

  it("counts where the log stopped in the middle of a turn before it", () => {
    expect(status(parent(5, activity(2, "interrupted")), running)).toBe("interrupted")
    expect(status(parent(5, activity(2, "interrupted")), from(9, running, w.turnContext("m")))).toBe("running")
  })

  it("does not count against an end in the log itself", () => {
    expect(status(parent(5, activity(2, "interrupted")), done)).toBe("completed")
    expect(status(parent(5, activity(2, "interacted")), done)).toBe("completed")
  })

  it("a closing counts until the agent starts a further turn", () => {
    const closing = parent(5, call(1, "close_agent", { [w.id(2)]: { completed: null } }))
    expect(status(closing, done)).toBe("shutdown")
    expect(status(closing, from(9, done, w.started("b")))).toBe("running")
    expect(status(parent(5, call(1, "close_agent", { [w.id(2)]: "running" }, "failed")), done)).toBe("completed")
    expect(status(from(7, closing, call(1, "resume_agent", { [w.id(2)]: "running" })), done)).toBe("completed")
  })

  it("last activity is the latest of both logs", () => {
    const [, node] = nodes(parent(5, activity(2, "completed")), done)
    expect(node).toMatchObject({ lastActivityAt: w.time(5), report: { activity: "completed" } })
    expect(nodes(agent(w.meta(1)), from(8, done, w.tokens(1, 1)))[1]?.lastActivityAt).toBe(w.time(8))
  })
})

describe("assemble", () => {
  /** An agent made at a second, below another one or none. */
  const made = (n: number, second: number, parent?: number): AgentTree.Agent => ({
    ...agent(parent === undefined ? w.meta(n) : child(n, parent)),
    createdAt: w.time(second)
  })

  it("parents in front of children, brothers by age and then by id", () => {
    expect(shape(nodes(made(4, 9, 1), made(3, 2, 1), made(5, 2, 1), made(6, 3, 3), made(1, 1), made(2, 0)))).toEqual([
      "2",
      "1",
      " 3",
      "  6",
      " 5",
      " 4"
    ])
  })

  it("an agent without its parent is a root with a note", () => {
    const forest = nodes(made(3, 1, 2), made(4, 2, 3))
    expect(shape(forest)).toEqual(["3 missing-parent", " 4"])
    expect(forest[0]?.parentId).toBe(w.id(2))
  })

  it("a circle is cut at its oldest member", () => {
    expect(shape(nodes(made(1, 9, 3), made(2, 1, 1), made(3, 5, 2), made(4, 0, 3)))).toEqual([
      "2 cycle",
      " 3",
      "  4",
      "  1"
    ])
    expect(shape(nodes(made(1, 1, 1)))).toEqual(["1 cycle"])
  })

  it("of several with one id the last counts; those without id are left out", () => {
    expect(shape(nodes(made(1, 1), AgentTree.fold.initial, made(2, 1), made(2, 1, 1)))).toEqual(["1", " 2"])
  })

  it("deep chains and wide families cost no stack", () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => made(i + 1, i, i === 0 ? undefined : i))
    expect(AgentTree.assemble(chain).at(-1)?.depth).toBe(19_999)
    const circle = Array.from({ length: 20_000 }, (_, i) => made(i + 1, i, i === 0 ? 20_000 : i))
    expect(AgentTree.assemble(circle).length).toBe(20_000)
    const family = Array.from({ length: 150_000 }, (_, i) => ({ ...made(2, 2, 1), id: w.id(i + 2) }))
    expect(AgentTree.assemble([made(1, 0), ...family]).length).toBe(150_001)
  }, 30_000)

  const anyAgents = fc
    .array(
      fc.tuple(
        fc.integer({ min: 1, max: 12 }),
        fc.nat(5),
        fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined })
      ),
      {
        maxLength: 14
      }
    )
    .map((all) => new Map(all.map(([n, second, parent]) => [n, made(n, second, parent)])))

  it("the forest is the transitive closure of the edges, but for circles that were cut", () => {
    fc.assert(
      fc.property(anyAgents, (agents) => {
        const forest = AgentTree.assemble(agents.values())
        expect(forest.map(({ id }) => id).sort()).toEqual([...agents.values()].map(({ id }) => id).sort())
        const cut = new Set(forest.filter(({ note }) => note === "cycle").map(({ id }) => id))
        /** Ancestors by the edges themselves, as far as they lead. */
        const ancestors = (start: string): ReadonlyArray<string> => {
          const found: Array<string> = []
          let at = [...agents.values()].find(({ id }) => id === start)
          while (at?.parentId !== undefined && !cut.has(at.id ?? "")) {
            const { parentId } = at
            at = [...agents.values()].find(({ id }) => id === parentId)
            if (at !== undefined) found.push(parentId)
          }
          return found
        }
        const path: Array<string> = []
        for (const { depth, id } of forest) {
          path.length = depth
          expect([...path].reverse()).toEqual(ancestors(id))
          path.push(id)
        }
        for (const { children, id } of forest) {
          expect(children).toEqual(forest.filter((one) => one.parentId === id && !cut.has(one.id)).map((one) => one.id))
        }
      }),
      { numRuns: 500 }
    )
  })

  it("each circle is cut once, and what is no circle is not cut", () => {
    fc.assert(
      fc.property(anyAgents, (agents) => {
        const forest = AgentTree.assemble(agents.values())
        const parentOf = new Map([...agents.values()].map(({ id, parentId }) => [id, parentId]))
        for (const { id, note } of forest) {
          const onCircle = new Set<string>()
          let at = parentOf.get(id)
          while (at !== undefined && !onCircle.has(at)) {
            onCircle.add(at)
            at = parentOf.get(at)
          }
          if (note === "cycle") expect(onCircle.has(id)).toBe(true)
        }
        const circles = forest.filter(({ note }) => note === "cycle").length
        const loose = forest.filter(({ depth, note }) => depth === 0 && note !== "cycle")
        for (const { parentId } of loose) expect(parentId === undefined || !parentOf.has(parentId)).toBe(true)
        if (circles === 0) expect(loose.length > 0 || forest.length === 0).toBe(true)
      }),
      { numRuns: 500 }
    )
  })

  it("the order in which agents are given does not matter", () => {
    fc.assert(
      fc.property(
        anyAgents.chain((agents) =>
          fc.tuple(
            fc.constant([...agents.values()]),
            fc.shuffledSubarray([...agents.values()], { minLength: agents.size })
          )
        ),
        ([agents, shuffled]) => {
          expect(AgentTree.assemble(shuffled)).toEqual(AgentTree.assemble(agents))
        }
      )
    )
  })
})

const anyDraft: fc.Arbitrary<w.Draft> = fc.oneof(
  fc.constantFrom(
    w.meta(1),
    child(2, 1),
    w.started("a"),
    w.started("b"),
    w.complete("a"),
    w.complete("z"),
    w.aborted()
  ),
  fc.constantFrom(w.said("x"), w.turnContext("m"), w.tokens(1, 1), w.item(1, { type: "Plan", text: "p" })),
  fc
    .tuple(fc.nat(4), fc.constantFrom("started", "interacted", "interrupted", "completed"))
    .map(([n, kind]) => activity(n, kind)),
  fc
    .tuple(fc.nat(4), fc.constantFrom("spawn_agent", "send_input", "wait", "close_agent", "resume_agent"))
    .map(([n, tool]) => call(1, tool, { [w.id(n)]: "running" }))
)
const anyLog = fc.array(anyDraft, { maxLength: 25 })

describe("laws", () => {
  it("a suffix folded onto the state of its prefix gives the whole, and leaves that state as it was", () => {
    fc.assert(
      fc.property(anyLog, fc.nat(25), (drafts, cut) => {
        const records = w.log(...drafts)
        const prefix = Fold.run(AgentTree.fold, records.slice(0, cut))
        const before = structuredClone(prefix)
        expect(Fold.run(AgentTree.fold, records.slice(cut), prefix)).toEqual(Fold.run(AgentTree.fold, records))
        expect(prefix).toEqual(before)
      })
    )
  })

  it("of lines whose head is not wanted only the time counts", () => {
    fc.assert(
      fc.property(anyLog, anyDraft, (drafts, next) => {
        const so = agent(...drafts)
        const head = Sniff.head(w.bytes(w.stamp(99), next))
        if (head === undefined || AgentTree.wants(head, so)) return
        expect(AgentTree.touch(so, w.stamp(99))).toEqual(AgentTree.fold.step(so, w.record(w.stamp(99), next)))
      }),
      { numRuns: 1000 }
    )
  })

  it("last activity never goes back", () => {
    fc.assert(
      fc.property(
        anyLog,
        fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 25, maxLength: 25 }),
        (drafts, times) => {
          let last = AgentTree.fold.initial
          for (const [i, draft] of drafts.entries()) {
            const next = AgentTree.fold.step(last, w.record(w.stamp(times[i] ?? 0), draft))
            expect(next.lastActivityAt).toBeGreaterThanOrEqual(last.lastActivityAt ?? Number.NEGATIVE_INFINITY)
            last = next
          }
        }
      )
    )
  })
})
