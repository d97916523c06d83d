import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { compress } from "@mongodb-js/zstd"
import { afterAll, describe, expect, it } from "vitest"
import { corpus, needsCorpus, rolloutsBelow, samples, versions } from "../../core/test/corpus.js"
import * as Home from "../../store-fs/test/Home.js"
import { coloured } from "../src/Text.js"
import type { TreeAgent, TreeDocument } from "../src/verb/Agents.js"
import * as Agents from "../src/verb/Agents.js"
import { documents, ensureBundle, skein, spawned } from "./command.js"

afterAll(Home.removeAll)

const tree = async (home: string): Promise<TreeDocument> => {
  const [document] = documents(await skein("tree", "--json", home))
  return document as unknown as TreeDocument
}

/** The forest as text, with what is told of each agent. */
const shape = ({ agents }: TreeDocument, ...keys: ReadonlyArray<keyof TreeAgent>): ReadonlyArray<string> =>
  agents.map((agent) =>
    [
      `${" ".repeat(agent.depth)}${Number.parseInt(agent.id.slice(-12), 16)}`,
      ...keys.map((key) => `${agent[key]}`)
    ].join(" ")
  )

const spawnedBy = (parent: number, more: object = {}): object => ({
  history_mode: "legacy",
  parent_thread_id: Home.id(parent),
  source: { subagent: { thread_spawn: { parent_thread_id: Home.id(parent), depth: 1 } } },
  ...more
})

const child = (thread: number, parent: number, more: object = {}): string =>
  Home.legacyMeta(thread, spawnedBy(parent, more))

const turn = (id: string) => Home.event({ type: "task_started", turn_id: id, model_context_window: null })
const ended = (id: string) => Home.event({ type: "task_complete", turn_id: id, last_agent_message: null })
const user = (message: string) => Home.event({ type: "user_message", message })
const activity = (agent: number, kind: string) =>
  Home.event({
    type: "sub_agent_activity",
    event_id: "e",
    agent_thread_id: Home.id(agent),
    agent_path: "/root/a",
    kind
  })

describe("skein tree: the document", () => {
  it("exactly the keys that are promised", async () => {
    const home = Home.home({ [Home.file(1)]: Home.document(Home.legacyMeta(1), turn("a"), user("do it"), ended("a")) })
    const document = await tree(home)
    expect(Object.keys(document)).toEqual(["home", "agents", "unreadable", "diagnostics"])
    expect(document).toEqual({
      home,
      agents: [
        {
          id: Home.id(1),
          parentThreadId: null,
          depth: 0,
          status: "completed",
          lastActivityAtMs: Date.parse("2026-07-20T10:00:00.000Z"),
          activity: null,
          createdAt: 1784541600,
          kind: null,
          agentNickname: null,
          agentRole: null,
          agentPath: null,
          forkedFromId: null,
          preview: "do it",
          name: null,
          model: null,
          archived: false,
          file: join(home, Home.file(1)),
          children: [],
          note: null
        }
      ],
      unreadable: [],
      diagnostics: []
    })
  })

  it("agents by parent, whichever log tells of it", async () => {
    const home = Home.home({
      [Home.file(1)]: Home.document(Home.legacyMeta(1), turn("a"), activity(2, "started"), activity(9, "started")),
      [Home.file(2)]: Home.document(child(2, 1), turn("b"), ended("b")),
      [Home.file(3)]: Home.document(child(3, 2)),
      [Home.file(4)]: Home.document(child(4, 77))
    })
    const document = await tree(home)
    expect(shape(document, "status", "note")).toEqual([
      "1 running null",
      " 2 completed null",
      "  3 pending_init null",
      " 9 running no-log",
      "4 pending_init missing-parent"
    ])
    expect(document.agents.map(({ children }) => children)).toEqual([
      [Home.id(2), Home.id(9)],
      [Home.id(3)],
      [],
      [],
      []
    ])
  })

  it("several files of one thread are one agent: the newest counts, with what it inherits", async () => {
    const first = Home.document(
      Home.meta(1),
      Home.event({ type: "task_started", turn_id: "a", model_context_window: null }, 1),
      Home.event({ type: "user_message", message: "first" }, 2),
      Home.event({ type: "task_complete", turn_id: "a", last_agent_message: null }, 3),
      Home.event({ type: "task_started", turn_id: "gone", model_context_window: null }, 4)
    )
    const base = { thread: 1, ordinal: 4, offset: Home.offsetOf(first, "gone") }
    const segment = (ordinal: number, lines: ReadonlyArray<string>) =>
      Home.document(Home.meta(1, ordinal, base, { cwd: `/segment${ordinal}` }), ...lines)
    const home = Home.home({
      [Home.file(1)]: first,
      [Home.file(1, 7)]: segment(4, []),
      [Home.file(1, 5)]: segment(4, [
        Home.event({ type: "task_started", turn_id: "old", model_context_window: null }, 5)
      ])
    })
    const { agents } = await tree(home)
    expect(agents).toMatchObject([{ preview: "first", status: "completed", file: join(home, Home.file(1, 7)) }])
  })

  it("archived threads, compressed ones, and the plain one of two", async () => {
    const one = Home.document(Home.legacyMeta(1), user("one"))
    const home = Home.home({
      [`archived_sessions/${Home.name(1)}`]: one,
      [`${Home.file(2)}.zst`]: await compress(Buffer.from(Home.document(Home.legacyMeta(2), user("two")))),
      [Home.file(3)]: Home.document(Home.legacyMeta(3), user("plain")),
      [`${Home.file(3)}.zst`]: "not even zstd"
    })
    const document = await tree(home)
    expect(shape(document, "preview", "archived")).toEqual(["1 one true", "2 two false", "3 plain false"])
    expect(document.unreadable).toEqual([])
  })

  it("last activity is the last line, decoded or passed over", async () => {
    const late = Home.say("much later").replace("10:00:00.000Z", "10:59:59.250Z")
    const home = Home.home({ [Home.file(1)]: Home.document(Home.legacyMeta(1), user("a"), late) })
    expect((await tree(home)).agents[0]?.lastActivityAtMs).toBe(Date.parse("2026-07-20T10:59:59.250Z"))
  })

  it("names come from the home's index", async () => {
    const entry = (n: number, thread_name: string) =>
      `${JSON.stringify({ id: Home.id(n), thread_name, updated_at: "" })}\n`
    const home = Home.home({
      [Home.file(1)]: Home.document(Home.legacyMeta(1), user("a")),
      [Home.file(2)]: Home.document(Home.legacyMeta(2), user("b")),
      "session_index.jsonl": `${entry(1, "old")}${entry(2, "gone")}${entry(1, "new")}${entry(2, "")}`
    })
    expect(shape(await tree(home), "name")).toEqual(["1 new", "2 null"])
    expect((await skein("tree", home)).out).toContain("  new\n")
  })

  it("a circle ends", async () => {
    const home = Home.home({
      [Home.file(1)]: Home.document(child(1, 3)),
      [Home.file(2)]: Home.document(child(2, 1)),
      [Home.file(3)]: Home.document(child(3, 2)),
      [Home.file(4)]: Home.document(child(4, 4))
    })
    expect(shape(await tree(home), "note")).toEqual(["1 cycle", " 2 null", "  3 null", "4 cycle"])
  })
})

describe("skein tree: what cannot be answered for", () => {
  it("a thread that cannot be read stays in the tree, the others are answered, and the exit code is 1", async () => {
    const home = Home.home({
      [Home.file(1)]: Home.document(Home.legacyMeta(1), user("good")),
      [Home.file(2)]: "",
      [Home.file(3)]: Home.document(Home.meta(3, 0, undefined, { history_mode: "galactic" })),
      [`${Home.file(4)}.zst`]: "no zstd",
      "sessions/2026/07/20/rollout-nonsense.jsonl": "x"
    })
    const answer = await skein("tree", "--json", home)
    expect(answer.code).toBe(1)
    const document = documents(answer)[0] as unknown as TreeDocument
    expect(shape(document, "status", "note")).toEqual([
      "1 unknown null",
      "2 unknown unreadable",
      "3 unknown unreadable",
      "4 unknown unreadable"
    ])
    expect(document.unreadable.map(({ error }) => error)).toMatchObject([
      { tag: "FileRefused", reason: "empty" },
      { reason: "unknown-history-mode" },
      { reason: "zstd-damaged" }
    ])
    const { out } = await skein("tree", home)
    for (const n of [2, 3]) expect(out).toContain(`error ${join(home, Home.file(n))}`)
  })

  it("damaged lines cost no agent", async () => {
    const torn = `${Home.document(Home.legacyMeta(1), "no JSON", user("good"), turn("a"))}{"timestamp":"2026-0`
    const home = Home.home({ [Home.file(1)]: torn, [Home.file(2)]: Home.document(user("no header")) })
    const document = await tree(home)
    expect(shape(document, "preview", "status")).toEqual(["1 good running", "2 no header unknown"])
    expect(document.diagnostics).toMatchObject([{ code: "no-session-meta", path: join(home, Home.file(2)) }])
  })

  it("no such folder, a file, an empty folder, a link that leads back", async () => {
    const home = Home.temporary()
    writeFileSync(join(home, "file"), "")
    for (const [name, reason] of [
      ["missing", "missing"],
      ["file", "not-a-folder"]
    ] as const) {
      const answer = await skein("tree", "--json", join(home, name))
      expect(answer.code).toBe(1)
      expect(documents(answer)).toMatchObject([{ file: join(home, name), error: { tag: "FileRefused", reason } }])
      const text = await skein("tree", join(home, name))
      expect(text).toMatchObject({ code: 1, out: "" })
      expect(text.err).toContain(join(home, name))
    }
    expect(await tree(home)).toMatchObject({ agents: [], unreadable: [] })
    mkdirSync(join(home, "sessions"))
    symlinkSync(home, join(home, "sessions/loop"))
    expect((await skein("tree", "--json", home)).code).toBe(0)
  })

  it("2: no home, no such option", async () => {
    expect((await skein("tree")).code).toBe(2)
    expect((await skein("tree", "--at", "1", samples)).code).toBe(2)
  })
})

describe("skein tree: the human form", () => {
  it("a pipe gets lines without marks, a terminal the same with colours", async () => {
    const home = Home.home({
      [Home.file(1)]: Home.document(Home.legacyMeta(1), turn("a"), user("do \u001b[31mit\nnow"), ended("a")),
      [Home.file(2)]: Home.document(child(2, 1, { agent_nickname: "Ada" }), turn("b")),
      [Home.file(3)]: Home.document(child(3, 2)),
      [Home.file(4)]: Home.document(child(4, 1, { agent_nickname: "Bob", agent_role: "worker" })),
      [Home.file(5)]: Home.document(child(5, 88))
    })
    const at = "2026-07-20T10:00:00Z"
    const expected = [
      `${home}: 5 agents`,
      `  ${Home.id(1)}        completed     ${at}  do [31mit now`,
      `  ├─ ${Home.id(2)}     running       ${at}  Ada`,
      `  │  └─ ${Home.id(3)}  pending init  ${at}`,
      `  └─ ${Home.id(4)}     pending init  ${at}  Bob worker`,
      `  ${Home.id(5)}        pending init  ${at}  (its parent ${Home.id(88)} has no log here)`,
      ""
    ]
    const { out } = await skein("tree", home)
    expect(out.split("\n")).toEqual(expected)
    const colours = Agents.render(await tree(home), coloured)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the marks are control characters
    expect(colours.replace(/\u001b\[\d+m/g, "")).toBe(out)
    expect(colours).not.toBe(out)
  })
})

describe("skein tree: samples", () => {
  it("0.145.0 and 0.169.0: the tree of a spawning thread", async () => {
    const known: Readonly<Record<string, ReadonlyArray<readonly [string, string]>>> = {
      "0.145.0": [
        ["Ohm", "completed"],
        ["Huygens", "completed"]
      ],
      "0.169.0": [
        ["Hooke", "completed"],
        ["Maxwell", "interrupted"]
      ]
    }
    for (const [version, agents] of Object.entries(known)) {
      const document = await tree(join(samples, version))
      const below = document.agents.filter(({ depth }) => depth === 1)
      expect(below.map(({ agentNickname, status }) => [agentNickname, status])).toEqual(agents)
      const [parent] = document.agents.filter(({ children }) => children.length > 0)
      expect(parent?.children).toEqual(below.map(({ id }) => id))
      expect(below.every(({ activity }) => activity !== null)).toBe(true)
    }
  })

  it("all of them at once, as a process of its own", () => {
    ensureBundle()
    const { status, stderr, stdout } = spawned("tree", "--json", samples)
    const [document] = documents({ code: 0, err: "", out: stdout }) as unknown as ReadonlyArray<TreeDocument>
    const threads = new Set(rolloutsBelow(samples).map((path) => /[0-9a-f-]{36}(?=[_.])/.exec(path)?.[0]))
    expect(document?.agents.filter(({ file }) => file !== null).length).toBe(threads.size)
    expect(stderr).toBe("")
    expect(status).toBe(document?.unreadable.length === 0 ? 0 : 1)
  })
})

interface Sidecar {
  readonly threadId?: string
  readonly case?: string
  readonly own?: { readonly threadRead?: { readonly id?: string; readonly parentThreadId?: string | null } } | null
}

/** Folders of the corpus that are homes of one release. */
const homes = versions.filter((version) => /^\d+\.\d+\.\d+$/.test(version))

describe.skipIf(corpus === undefined)(`real rollouts${needsCorpus}`, () => {
  it.each(homes)(
    "%s: every thread once, below the parent that the release itself names",
    { timeout: 60_000 },
    async (version) => {
      const home = join(corpus ?? "", version)
      const { agents, diagnostics, unreadable } = await tree(home)
      expect({ diagnostics, unreadable }).toEqual({ diagnostics: [], unreadable: [] })
      const ids = agents.map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
      expect(agents.filter(({ note }) => note !== null)).toEqual([])
      for (const path of rolloutsBelow(home)) {
        const sidecar = JSON.parse(readFileSync(path.replace(/\.jsonl(\.zst)?$/, ".expected.json"), "utf8")) as Sidecar
        const agent = agents.find(({ id }) => id === sidecar.threadId)
        expect([relative(home, path), agent?.id]).toEqual([relative(home, path), sidecar.threadId])
        const thread = sidecar.own?.threadRead
        // 0.98.0 knows the parent of no thread, though the header names it.
        if (thread?.id === undefined || thread.parentThreadId === undefined) continue
        expect([relative(home, path), agent?.parentThreadId]).toEqual([relative(home, path), thread.parentThreadId])
      }
    }
  )
})
