import { readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Fold from "../../src/fold/Fold.js"
import * as ThreadSummary from "../../src/fold/ThreadSummary.js"
import type { StoredRecord } from "../../src/record/Record.js"
import * as Record from "../../src/record/Record.js"
import * as Sniff from "../../src/record/Sniff.js"
import { corpus, needsCorpus, rolloutsBelow } from "../corpus.js"
import * as w from "./Written.js"

const summary = (...drafts: ReadonlyArray<w.Draft>): ThreadSummary.ThreadSummary =>
  Fold.run(ThreadSummary.fold, w.log(...drafts))

const userItem = (...content: ReadonlyArray<unknown>): w.Draft => w.item(1, { type: "UserMessage", content })
const text = (value: string) => ({ type: "text", text: value })
const image = { type: "image", image_url: "data:image/png;base64,AA==" }

describe("thread-store §2.1, preview", () => {
  it.each<[string, ReadonlyArray<w.Draft>, string]>([
    ["no message", [], ""],
    ["the first message, trimmed", [w.said("  do it \n"), w.said("more")], "do it"],
    ["white space as the reference knows it", [w.said("\u0085\u3000do\u00a0it\u2028")], "do\u00a0it"],
    ["a byte order mark is text", [w.said("\ufeffx")], "\ufeffx"],
    ["a message of white space is none", [w.said(" \n "), w.said("second")], "second"],
    ["never shortened", [w.said("x".repeat(100_000))], "x".repeat(100_000)],
    [
      "cut through the marker of an editor",
      [w.said("# Context\nfile.ts\n\n## My request for Codex:\n  fix it \n")],
      "fix it"
    ],
    [
      "through the first marker only",
      [w.said("## My request for Codex: a ## My request for Codex: b")],
      "a ## My request for Codex: b"
    ],
    ["nothing behind the marker is no message", [w.said("x ## My request for Codex: \n"), w.said("y")], "y"],
    ["images alone", [w.said("", { images: ["https://example.com/a.png"] })], "[Image]"],
    ["local images alone", [w.said(" ", { local_images: ["/a.png"] })], "[Image]"],
    ["an empty list of images is none", [w.said("", { images: [], local_images: [] })], ""],
    ["text beside images", [w.said("look", { images: ["https://example.com/a.png"] })], "look"],
    ["of an item, its texts without separator", [userItem(text("a"), image, text("b "), text("c"))], "ab c"],
    ["an item of images alone", [userItem(image, { type: "local_image", path: "/a.png" })], "[Image]"],
    ["an item of neither", [userItem({ type: "skill", name: "s", path: "/s" })], ""],
    ["an event in front of an item", [w.said("event"), userItem(text("item"))], "event"],
    ["an item in front of an event", [userItem(text("item")), w.said("event")], "item"],
    ["a goal that came first", [w.goal("  win \n"), w.said("do it")], "win"],
    ["a goal that came later", [w.said("do it"), w.goal("win")], "do it"],
    ["an empty goal", [w.goal("  "), w.said("do it")], "do it"],
    ["an image in front of a goal", [w.said("", { images: ["x"] }), w.goal("win")], "[Image]"],
    [
      "no response item, whatever it says",
      [{ type: "response_item", payload: { type: "message", role: "user", content: [] } }],
      ""
    ]
  ])("%s", (_, drafts, expected) => {
    expect(summary(w.meta(1), ...drafts).preview).toBe(expected)
  })
})

describe("thread-store §2.1, first message and title", () => {
  it("an image alone is the first message, but no title", () => {
    const { firstUserMessage, title } = summary(w.said("", { images: ["x"] }), w.said("then this"), w.said("and that"))
    expect({ firstUserMessage, title }).toEqual({ firstUserMessage: "[Image]", title: "then this" })
  })

  it("a goal is neither", () => {
    const { firstUserMessage, title } = summary(w.goal("win"), w.said("do it"))
    expect({ firstUserMessage, title }).toEqual({ firstUserMessage: "do it", title: "do it" })
  })
})

describe("thread-store §2.1, displayed name", () => {
  const named = (mode: string, indexed: string | undefined, ...drafts: ReadonlyArray<w.Draft>) =>
    ThreadSummary.name(summary(w.meta(1, { history_mode: mode }), ...drafts), indexed)

  it.each<[string, string, string | undefined, ReadonlyArray<w.Draft>, string | undefined]>([
    ["legacy, none given", "legacy", undefined, [w.said("a")], undefined],
    ["legacy, given", "legacy", "N", [w.said("a")], "N"],
    ["legacy, equal to the preview", "legacy", " a ", [w.said("a")], undefined],
    ["legacy, cleared", "legacy", "", [w.said("a")], undefined],
    ["legacy, an image first", "legacy", undefined, [w.said("", { images: ["x"] }), w.said("b")], "b"],
    ["legacy, an image first, and given", "legacy", "N", [w.said("", { images: ["x"] }), w.said("b")], "N"],
    ["legacy, no message, given", "legacy", "N", [], "N"],
    ["paginated, none given", "paginated", undefined, [w.said("", { images: ["x"] }), w.said("b")], undefined],
    ["paginated, given: the index counts for both modes", "paginated", "N", [w.said("a")], "N"],
    ["paginated, equal to the preview", "paginated", "a", [w.said("a")], "a"],
    ["paginated, cleared", "paginated", " ", [w.said("a")], undefined]
  ])("%s", (_, mode, indexed, drafts, expected) => {
    expect(named(mode, indexed, ...drafts)).toBe(expected)
  })
})

describe("rollout-format §3.1, the first header is canonical", () => {
  const own = w.meta(1, {
    session_id: w.id(7),
    forked_from_id: w.id(8),
    parent_thread_id: w.id(9),
    attached_thread: true,
    history_mode: "legacy",
    memory_mode: "disabled",
    git: { commit_hash: "a", branch: "main", repository_url: "https://example.com" }
  })

  it("ids, times and what it says of the thread", () => {
    expect(summary(own)).toMatchObject({
      id: w.id(1),
      sessionId: w.id(7),
      forkedFromId: w.id(8),
      parentThreadId: w.id(9),
      attached: true,
      historyMode: "legacy",
      createdAt: w.time(0) / 1000,
      modelProvider: "openai",
      cwd: "/repo",
      cliVersion: "0.145.0",
      originator: "test",
      source: "cli",
      memoryMode: "disabled",
      gitInfo: { sha: "a", branch: "main", originUrl: "https://example.com" }
    })
  })

  it("ids in any spelling become lower case with hyphens", () => {
    const odd = w.meta(1, {
      id: `urn:uuid:{${w.id(1)}}`.replace(/[{}]/g, "").toUpperCase().replace("URN:UUID", "urn:uuid")
    })
    expect(summary(odd).id).toBe(w.id(1))
  })

  it("one with another id was copied from a fork source", () => {
    const copied = w.meta(2, { cwd: "/other", memory_mode: "polluted", git: { branch: "x" }, timestamp: w.stamp(-9) })
    expect(summary(own, copied)).toEqual(summary(own))
  })

  it("a later one of the same id updates memory mode and git; all three git values at once", () => {
    const { gitInfo, memoryMode } = summary(own, w.meta(1, { git: { branch: "next" }, memory_mode: "enabled" }))
    expect({ gitInfo, memoryMode }).toEqual({
      gitInfo: { sha: null, branch: "next", originUrl: null },
      memoryMode: "enabled"
    })
  })

  it("what a later one leaves out stays; an empty git block clears", () => {
    expect(summary(own, w.meta(1))).toMatchObject({ memoryMode: "disabled", gitInfo: { sha: "a" } })
    expect(summary(own, w.meta(1, { git: {} })).gitInfo).toBeUndefined()
  })

  it("but never ids, mode and creation", () => {
    const later = w.meta(1, { session_id: w.id(5), timestamp: w.stamp(9), forked_from_id: w.id(4) })
    const { createdAt, forkedFromId, sessionId } = summary(own, later)
    expect({ createdAt, forkedFromId, sessionId }).toEqual({
      createdAt: w.time(0) / 1000,
      forkedFromId: w.id(8),
      sessionId: w.id(7)
    })
  })

  it("in a paginated chain the header of an older segment is no update", () => {
    const newest = w.meta(1, { history_mode: "paginated", git: { branch: "new" } })
    const older = w.meta(1, { history_mode: "paginated", git: { branch: "old" }, agent_nickname: "Ada" })
    expect(summary(newest, older)).toEqual(summary(newest))
  })

  it("without session_id the own id counts; memory mode is enabled where none is given", () => {
    expect(summary(w.meta(3, { session_id: undefined }))).toMatchObject({ sessionId: w.id(3), memoryMode: "enabled" })
  })

  it.each<[string, number | undefined]>([
    ["2026-07-20T10:00:00.999Z", 1784541600],
    ["2026-07-20T10:00:00.999999999Z", 1784541600],
    ["2026-07-20T12:00:00+02:00", 1784541600],
    ["2026-07-20T10-00-00", 1784541600],
    ["1969-12-31T23:59:59.500Z", -1],
    ["2026-07-20", undefined],
    ["2026-13-40T10:00:00Z", undefined],
    ["yesterday", undefined],
    ["", undefined]
  ])("thread-view §2.2, createdAt: %s rounded down", (timestamp, expected) => {
    expect(summary(w.meta(1, { timestamp })).createdAt).toBe(expected)
  })
})

describe("since-july, a chain: own header, inherited records, own records", () => {
  const fork = w.meta(2, { history_mode: "paginated", forked_from_id: w.id(1) })
  const base = w.meta(1, { history_mode: "paginated", cwd: "/base" })

  it("the preview is the first message of the whole chain, all else the fork's", () => {
    expect(summary(fork, base, w.said("inherited"), w.said("own"))).toMatchObject({
      id: w.id(2),
      preview: "inherited",
      cwd: "/repo"
    })
  })

  it("inherited settings say how turns ran, not where the fork lies", () => {
    const inherited = w.settings("m2", {}, w.id(1))
    expect(summary(fork, base, inherited)).toMatchObject({ model: "m2", cwd: "/repo", modelProvider: "openai" })
    expect(summary(fork, base, inherited, w.settings("m3", {}, w.id(2)))).toMatchObject({
      model: "m3",
      cwd: "/settings",
      modelProvider: "other"
    })
  })
})

describe("thread-store §2.1, last of turn context and settings", () => {
  it("model and effort; an absent effort clears", () => {
    const first = [w.meta(1), w.turnContext("m1", { effort: "high" })]
    expect(summary(...first)).toMatchObject({ model: "m1", reasoningEffort: "high", approvalPolicy: "never" })
    expect(summary(...first, w.turnContext("m2"))).toMatchObject({ model: "m2", reasoningEffort: undefined })
    expect(summary(...first, w.settings("m3", { reasoning_effort: "low" }))).toMatchObject({
      model: "m3",
      reasoningEffort: "low",
      permissions: { type: "disabled" }
    })
  })

  it("the cwd of a turn counts only while none is set, that of settings always", () => {
    expect(summary(w.meta(1), w.turnContext("m")).cwd).toBe("/repo")
    expect(summary(w.meta(1, { cwd: "" }), w.turnContext("m")).cwd).toBe("/turn")
    expect(summary(w.meta(1), w.settings("m")).cwd).toBe("/settings")
  })
})

describe("thread-view §2.2, source", () => {
  const spawn = { parent_thread_id: w.id(9).toUpperCase(), depth: 1 }

  it.each<[unknown, ThreadSummary.Source]>([
    ["cli", "cli"],
    ["vscode", "vscode"],
    [undefined, "vscode"],
    ["exec", "exec"],
    ["mcp", "appServer"],
    ["unknown", "unknown"],
    ["a host of the future", "unknown"],
    [{ custom: "atlas" }, { custom: "atlas" }],
    [{ internal: "memory_consolidation" }, "unknown"],
    [{ subagent: "review" }, { subAgent: "review" }],
    [{ subagent: { other: "guardian" } }, { subAgent: { other: "guardian" } }],
    [
      { subagent: { thread_spawn: { ...spawn, agent_type: "explorer" } } },
      {
        subAgent: {
          thread_spawn: {
            parent_thread_id: w.id(9),
            depth: 1,
            agent_path: null,
            agent_nickname: null,
            agent_role: "explorer"
          }
        }
      }
    ]
  ])("%j", (source, expected) => {
    expect(summary(w.meta(1, { source })).source).toEqual(expected)
  })

  it("an agent is named by its header, else by its source", () => {
    const source = {
      subagent: { thread_spawn: { ...spawn, agent_nickname: "Ada", agent_role: "r", agent_path: "/root/a" } }
    }
    expect(summary(w.meta(1, { source }))).toMatchObject({ agentNickname: "Ada", agentRole: "r", agentPath: "/root/a" })
    expect(summary(w.meta(1, { source, agent_nickname: "Bob" })).agentNickname).toBe("Bob")
  })

  it("the fields of a thread: nulls are written", () => {
    expect(ThreadSummary.fields(summary(w.meta(1), w.said("a")), "N")).toEqual({
      id: w.id(1),
      sessionId: w.id(1),
      forkedFromId: null,
      attachedToThreadId: null,
      parentThreadId: null,
      preview: "a",
      name: "N",
      historyMode: "legacy",
      modelProvider: "openai",
      model: null,
      reasoningEffort: null,
      createdAt: w.time(0) / 1000,
      cwd: "/repo",
      cliVersion: "0.145.0",
      source: "cli",
      threadSource: null,
      agentNickname: null,
      agentRole: null,
      gitInfo: null
    })
  })
})

describe("files of 0.20.0 have items and no events", () => {
  const bare = (value: unknown): StoredRecord => {
    const line = { bytes: new TextEncoder().encode(JSON.stringify(value)), offset: 0, number: 1, terminated: true }
    const decoded = Record.decode(line, "bare")
    if (decoded.kind === "damage" || decoded.kind === "blank") throw new Error(decoded.kind)
    return decoded
  }
  const message = (role: string, text: string) =>
    bare({ type: "message", id: null, role, content: [{ type: "input_text", text }] })

  it("the first message that is the user's own counts", () => {
    const records = [
      bare({ id: w.id(1), timestamp: "2025-08-20T10:00:00.500Z", instructions: null, git: { branch: "main" } }),
      message("user", "<user_instructions>\n\nbe brief\n\n</user_instructions>"),
      message("user", "<environment_context>\n</environment_context>"),
      message("assistant", "no"),
      message("user", " do it "),
      message("user", "more")
    ]
    expect(Fold.run(ThreadSummary.fold, records)).toMatchObject({
      id: w.id(1),
      preview: "do it",
      title: "do it",
      createdAt: 1755684000,
      gitInfo: { sha: null, branch: "main", originUrl: null }
    })
  })
})

const anyDraft: fc.Arbitrary<w.Draft> = fc.oneof(
  fc.constantFrom(w.meta(1), w.meta(2), w.meta(1, { git: { branch: "b" }, memory_mode: "disabled" })),
  fc.constantFrom("", "a", " b ", "x ## My request for Codex: y", "## My request for Codex:").map((one) => w.said(one)),
  fc.constantFrom(w.said("", { images: ["x"] }), w.goal("g"), w.goal(""), userItem(text("i")), userItem(image)),
  fc.constantFrom(w.item(1, { type: "Plan", text: "p" }), w.started("t"), w.complete("t"), w.tokens(3, 3)),
  fc.constantFrom(
    w.turnContext("m1"),
    w.turnContext("m2", { effort: "low" }),
    w.settings("m3"),
    w.settings("m4", {}, w.id(1))
  )
)
const anyLog = fc.array(anyDraft, { maxLength: 25 })

describe("laws", () => {
  it("a suffix folded onto the summary of its prefix gives the summary of the whole", () => {
    fc.assert(
      fc.property(anyLog, fc.nat(25), (drafts, cut) => {
        const records = w.log(...drafts)
        const prefix = Fold.run(ThreadSummary.fold, records.slice(0, cut))
        const before = JSON.stringify(prefix)
        expect(Fold.run(ThreadSummary.fold, records.slice(cut), prefix)).toEqual(Fold.run(ThreadSummary.fold, records))
        expect(JSON.stringify(prefix)).toBe(before)
      })
    )
  })

  it("lines whose head is not wanted change nothing, from whatever summary", () => {
    fc.assert(
      fc.property(anyLog, anyDraft, (drafts, next) => {
        const so = summary(...drafts)
        const head = Sniff.head(w.bytes(w.stamp(0), next))
        if (head === undefined || ThreadSummary.wants(head, so)) return
        expect(ThreadSummary.fold.step(so, w.record(w.stamp(0), next))).toBe(so)
      }),
      { numRuns: 1000 }
    )
  })

  it("preview, first message and title never change once they are set", () => {
    fc.assert(
      fc.property(anyLog, (drafts) => {
        let last = ThreadSummary.empty
        for (const state of Fold.scan(ThreadSummary.fold, w.log(...drafts))) {
          if (last.preview !== "") expect(state.preview).toBe(last.preview)
          if (last.firstUserMessage !== undefined) expect(state.firstUserMessage).toBe(last.firstUserMessage)
          if (last.title !== undefined) expect(state.title).toBe(last.title)
          last = state
        }
      })
    )
  })
})

describe("what most lines cost: nothing", () => {
  it.each<[string, w.Draft, boolean]>([
    ["a header", w.meta(1), true],
    ["a turn's settings", w.turnContext("m"), true],
    ["a user message", w.said("x"), true],
    ["an item of the user", userItem(text("x")), true],
    ["another item", w.item(1, { type: "Plan", text: "p" }), false],
    ["a response item", { type: "response_item", payload: { type: "message", role: "user", content: [] } }, false],
    ["tokens", w.tokens(1, 1), false],
    ["a compaction", { type: "compacted", payload: { message: "" } }, false]
  ])("%s is wanted: %j", (_, draft, expected) => {
    const head = Sniff.head(w.bytes(w.stamp(0), draft))
    expect(head === undefined || ThreadSummary.wants(head)).toBe(expected)
  })

  it("behind the first message further ones, with whatever images, are passed over", () => {
    const so = summary(w.meta(1), w.said("first"))
    for (const draft of [w.said("more"), userItem(image), w.goal("g")]) {
      const head = Sniff.head(w.bytes(w.stamp(0), draft))
      expect(head === undefined || ThreadSummary.wants(head, so)).toBe(false)
    }
  })
})

describe.skipIf(corpus === undefined)(`real rollouts${needsCorpus}`, () => {
  it("passing over lines by their heads changes no summary, and nearly all are passed over", () => {
    let lines = 0
    let taken = 0
    for (const path of rolloutsBelow(join(corpus ?? "", "0.169.0")).filter((one) => one.endsWith(".jsonl"))) {
      let all = ThreadSummary.fold.initial
      let some = ThreadSummary.fold.initial
      for (const one of readFileSync(path, "utf8").trimEnd().split("\n")) {
        const bytes = new TextEncoder().encode(one)
        const decoded = Record.decode({ bytes, offset: 0, number: 1, terminated: true })
        if (decoded.kind === "damage" || decoded.kind === "blank") continue
        lines++
        all = ThreadSummary.fold.step(all, decoded)
        const head = Sniff.head(bytes)
        if (head !== undefined && !ThreadSummary.wants(head, some)) continue
        taken++
        some = ThreadSummary.fold.step(some, decoded)
      }
      expect(some).toEqual(all)
    }
    expect(lines).toBeGreaterThan(1000)
    expect(taken).toBeLessThan(lines * 0.2)
  })
})
