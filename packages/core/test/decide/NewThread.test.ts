/** Headers: who a thread is and what it has from others; replay-semantics §5.3, §5.4, §10.38; rollout-format §3.1. */
import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as NewThread from "../../src/decide/NewThread.js"
import * as Originator from "../../src/decide/Originator.js"
import * as SessionIdentity from "../../src/decide/SessionIdentity.js"
import type { CapabilityRoot, SessionMeta } from "../../src/record/SessionMeta.js"
import { needsCorpus, rollouts } from "../corpus.js"
import * as s from "../fold/script.js"
import { epoch, reason, right, uuid } from "./Host.js"

const facts = {
  now: epoch,
  fresh: uuid(9),
  threadId: uuid(1),
  windowId: uuid(2)
}
const header = (command: NewThread.Command = {}, more: Partial<NewThread.NewFacts> = {}): SessionMeta =>
  right(NewThread.header(command, { ...facts, ...more })).payload as SessionMeta

const root: CapabilityRoot = { id: "r", location: { type: "environment", environmentId: "e", path: "file:///r" } }
const other: CapabilityRoot = { ...root, id: "o" }

const meta = (id: string, more: Partial<SessionMeta> = {}): SessionMeta =>
  ({ ...(s.header().payload as SessionMeta), id, session_id: id, ...more }) as SessionMeta

describe("a new thread", () => {
  it("a support bot says nothing, and every field that the format asks for is there", () => {
    expect(header()).toEqual({
      session_id: uuid(1),
      id: uuid(1),
      timestamp: "2026-11-20T12:00:00.000Z",
      cwd: "/",
      originator: "skein",
      cli_version: "0.1.0",
      source: "unknown",
      model_provider: null,
      base_instructions: null,
      history_mode: "legacy",
      context_window: { window_id: uuid(2) }
    })
  })

  it("what a host says is written", () => {
    const said: NewThread.Command = {
      cwd: "/repo",
      originator: "o",
      version: "1.2.3",
      source: "cli",
      threadSource: "user",
      modelProvider: "p",
      baseInstructions: { text: "Be brief." },
      dynamicTools: [{ type: "function", name: "f", description: "d", inputSchema: {} }],
      memoryMode: "disabled",
      multiAgentVersion: "v2",
      git: { commit_hash: "c", branch: "b" },
      historyMode: "paginated",
      capabilityRoots: [root]
    }
    expect(header(said)).toMatchObject({
      cwd: "/repo",
      originator: "o",
      cli_version: "1.2.3",
      source: "cli",
      thread_source: "user",
      model_provider: "p",
      base_instructions: { text: "Be brief." },
      dynamic_tools: [{ name: "f" }],
      selected_capability_roots: [root],
      memory_mode: "disabled",
      multi_agent_version: "v2",
      git: { commit_hash: "c", branch: "b" },
      history_mode: "paginated"
    })
  })

  it.each<[string, NewThread.Command, Partial<NewThread.NewFacts>, string, string]>([
    ["an id that is none", {}, { threadId: "x" }, "malformed", "threadId"],
    ["a window that is no UUIDv7", {}, { windowId: "9f1c2d00-0000-4000-8000-000000000000" }, "malformed", "windowId"],
    ["an agent that nobody started", { agent: { path: "/root/a" } }, {}, "contradictory", "agent"],
    [
      "a start without agent",
      { opening: { kind: "spawn", parent: meta(uuid(5)), inherits: true } },
      {},
      "contradictory",
      "agent"
    ],
    [
      "an agent that stands nowhere",
      { opening: { kind: "spawn", parent: meta(uuid(5)), inherits: true }, agent: { path: "x" } },
      {},
      "malformed",
      "thread"
    ],
    ["tools of no shape", { dynamicTools: [{ type: "smell" } as never] }, {}, "malformed", "thread"]
  ])("refuses %s", (_, command, more, why, field) => {
    expect(reason(NewThread.header(command, { ...facts, ...more }))).toEqual(["InvalidRequest", why, field])
  })

  it(`has its keys in the order of real headers${needsCorpus}`, () => {
    const real = rollouts
      .filter((path) => path.endsWith(".jsonl") && !path.includes("damaged"))
      .map((path) => readFileSync(path, "utf8").split("\n")[0] ?? "")
      .filter((line) => line.includes('"history_mode"'))
      .map((line) => Object.keys((JSON.parse(line) as { readonly payload: object }).payload))
    expect(real.length).toBeGreaterThan(0)
    const ours = Object.keys(header({ multiAgentVersion: "v2", opening: { kind: "fork", source: meta(uuid(5)) } }))
    for (const keys of real) {
      const shared = keys.filter((key) => ours.includes(key))
      expect(ours.filter((key) => keys.includes(key))).toEqual(shared)
    }
  })
})

describe("§5.3: what carries over", () => {
  const source = meta(uuid(5), {
    session_id: uuid(4),
    cwd: "/src",
    source: "cli",
    model_provider: "p",
    base_instructions: { text: "b" },
    selected_capability_roots: [root],
    history_mode: "paginated",
    dynamic_tools: [{ type: "function", name: "f", description: "d", inputSchema: {} }]
  })
  const agent = { path: "/root/a/b", nickname: "Ada", role: "scout" }
  const fork = { opening: { kind: "fork", source } } as const
  const forked = { opening: { kind: "spawn", parent: source, inherits: true }, agent } as const
  const fresh = { opening: { kind: "spawn", parent: source, inherits: false }, agent } as const

  it.each<[string, NewThread.Command, Partial<SessionMeta>]>([
    ["user fork", fork, { session_id: uuid(1), forked_from_id: uuid(5), history_mode: "paginated", source: "cli" }],
    [
      "spawn, forked",
      forked,
      { session_id: uuid(4), forked_from_id: uuid(5), parent_thread_id: uuid(5), history_mode: "paginated" }
    ],
    ["spawn, fresh", fresh, { session_id: uuid(4), parent_thread_id: uuid(5), history_mode: "paginated" }]
  ])("%s: thread, session, source, parent, mode", (_, command, expected) => {
    const found = header(command)
    expect(found).toMatchObject({ id: uuid(1), ...expected })
    expect(found.forked_from_id).toBe(expected.forked_from_id)
    expect(found.parent_thread_id).toBe(expected.parent_thread_id)
  })

  it.each<[string, NewThread.Command, ReadonlyArray<CapabilityRoot> | undefined]>([
    ["user fork", fork, [root]],
    ["spawn, forked", forked, [root]],
    ["spawn, fresh", fresh, undefined],
    ["user fork, with a host's own", { ...fork, capabilityRoots: [other] }, [other]],
    ["spawn, forked, with none of a host's own", { ...forked, capabilityRoots: [] }, undefined]
  ])("%s: capability roots", (_, command, roots) => {
    expect(header(command).selected_capability_roots).toEqual(roots)
  })

  it("instructions, tools, provider and folder are the source's where a host does not say", () => {
    for (const command of [fork, forked, fresh]) {
      expect(header(command)).toMatchObject({
        base_instructions: { text: "b" },
        dynamic_tools: [{ name: "f" }],
        model_provider: "p",
        cwd: "/src"
      })
    }
    expect(header({ ...fork, baseInstructions: { text: "x" }, cwd: "/y" })).toMatchObject({
      base_instructions: { text: "x" },
      cwd: "/y"
    })
  })

  it("a started agent says who started it, where it stands and what it is called, in both places", () => {
    expect(header(forked)).toMatchObject({
      source: {
        subagent: {
          thread_spawn: {
            parent_thread_id: uuid(5),
            depth: 2,
            agent_path: "/root/a/b",
            agent_nickname: "Ada",
            agent_role: "scout"
          }
        }
      },
      thread_source: "subagent",
      agent_nickname: "Ada",
      agent_role: "scout",
      agent_path: "/root/a/b"
    })
  })

  it("resume: the first header's session; old headers of sub-agents take that of their tree", () => {
    const tree = uuid(7)
    const session = (one: Partial<SessionMeta>, known: string | undefined = tree) =>
      SessionIdentity.resumedSession(meta(uuid(5), one), known)
    expect(session({})).toBe(uuid(5))
    expect(session({ session_id: uuid(4) })).toBe(uuid(4))
    expect(session({ parent_thread_id: uuid(6) })).toBe(tree)
    expect(session({ parent_thread_id: uuid(6), session_id: uuid(4) })).toBe(uuid(4))
    expect(SessionIdentity.resumedSession(meta(uuid(5), { parent_thread_id: uuid(6) }), undefined)).toBe(uuid(5))
    const spawned = { subagent: { thread_spawn: { parent_thread_id: uuid(6), depth: 1 } } } as SessionMeta["source"]
    expect(session({ source: spawned })).toBe(tree)
    expect(session({ source: { subagent: "review" } })).toBe(uuid(5))
  })

  it("§10.38: every agent of a tree has the root's session, and at depth 2 and more no parent is the session", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }), (inherits) => {
        const top = header()
        let parent = top
        inherits.forEach((one, i) => {
          const path = `/root${"/a".repeat(i + 1)}`
          const opening = { kind: "spawn" as const, parent, inherits: one }
          const child = header({ opening, agent: { path } }, { threadId: uuid(100 + i) })
          expect(child.session_id).toBe(top.id)
          if (i > 0) expect(child.parent_thread_id).not.toBe(child.session_id)
          expect(SessionIdentity.parentOf(child)).toBe(parent.id)
          expect(SessionIdentity.resumedSession(child, undefined)).toBe(top.id)
          parent = child
        })
      })
    )
  })
})

describe("§5.4: originator", () => {
  const all: Originator.Candidates = {
    environment: "env",
    serviceName: "Codex_Work_Web",
    persisted: "stored",
    inherited: "live",
    processDefault: "default"
  }
  const services = new Map([["CODEX_WORK_WEB", "mapped"]])
  const document: Originator.Rule = { rule: "document", services }
  const later: Originator.Rule = { rule: "later" }
  const without = (...keys: ReadonlyArray<keyof Originator.Candidates>) => ({
    ...all,
    ...Object.fromEntries(keys.map((key) => [key, undefined]))
  })

  it.each<[string, Originator.Candidates, Originator.Opening, string, string]>([
    ["all there is", all, "fork", "env", "codex_work_web"],
    ["no environment", without("environment"), "fork", "mapped", "codex_work_web"],
    ["no service", without("serviceName"), "fork", "env", "stored"],
    ["neither", without("environment", "serviceName"), "fork", "stored", "stored"],
    ["nor a stored one", without("environment", "serviceName", "persisted"), "fork", "live", "live"],
    ["environment and inherited", without("serviceName", "persisted"), "fork", "env", "live"],
    ["nothing", without("environment", "serviceName", "persisted", "inherited"), "fork", "default", "default"],
    ["inherited beside a stored one", without("environment", "serviceName"), "resume", "stored", "stored"],
    ["inherited alone, resumed", without("environment", "serviceName", "persisted"), "resume", "default", "default"],
    ["a new thread has nothing stored", without("environment", "serviceName"), "new", "live", "live"],
    ["an empty stored one", { ...without("environment", "serviceName"), persisted: "" }, "fork", "live", "live"]
  ])("%s", (_, candidates, opening, expected, expectedLater) => {
    expect(Originator.resolve(candidates, opening, document)).toBe(expected)
    expect(Originator.resolve(candidates, opening, later)).toBe(expectedLater)
  })

  it("a service name is trimmed and its ASCII case is nothing; any other maps to nothing", () => {
    const names = new Map(Originator.services.map((name) => [name, name]))
    expect(Originator.mapped("  CODEX_WORK_CCA\n", names)).toBe("codex_work_cca")
    expect(Originator.mapped("codex_work", names)).toBeUndefined()
    expect(Originator.mapped("", names)).toBeUndefined()
    expect(Originator.mapped("codex_wor\u212a_cca", names)).toBeUndefined()
    expect(Originator.services).toHaveLength(5)
  })

  it("by default it is the document's rule, whose service names map to nothing that it says", () => {
    expect(Originator.resolve(without("environment"), "fork")).toBe("stored")
  })
})
