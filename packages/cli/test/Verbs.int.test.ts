import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import * as Jsonl from "@skein/core/record/Jsonl"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as RolloutLog from "@skein/store-fs/RolloutLog"
import { Effect } from "effect"
import type { Operation } from "fast-json-patch"
import jsonPatch from "fast-json-patch"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { corpus, needsCorpus, repository, rolloutsBelow, samples, versions } from "../../core/test/corpus.js"
import { bomb } from "../../store-fs/test/Frames.js"
import * as Home from "../../store-fs/test/Home.js"
import * as Position from "../src/Position.js"
import * as Context from "../src/verb/Context.js"
import * as Verify from "../src/verb/Verify.js"
import * as Windows from "../src/verb/Windows.js"
import * as World from "../src/verb/World.js"
import { documents, ensureBundle, skein, spawned } from "./command.js"

afterAll(Home.removeAll)

const verbs = ["show", "diff", "context", "world", "windows", "verify"] as const

const world = (state: unknown, full: boolean, ordinal: number): string =>
  Home.record("world_state", { full, state }, ordinal)
const rolledBack = (ordinal: number): string => Home.event({ type: "thread_rolled_back", num_turns: 1 }, ordinal)

const contextOf = {
  cwd: "/repo",
  approval_policy: "never",
  sandbox_policy: { type: "danger-full-access" },
  model: "m",
  summary: "auto"
}

let home = ""
let good = ""
beforeAll(() => {
  home = Home.home({
    [Home.file(1)]: Home.document(Home.meta(1), Home.say("a1", 1), Home.say("a2", 2)),
    [Home.file(2)]: Home.document(Home.meta(2, 1, { thread: 9, ordinal: 1, offset: 10 }), Home.say("b1", 2)),
    "empty.jsonl": "",
    "binary.jsonl": Uint8Array.from({ length: 4000 }, (_, i) => (i * 7919 + (i >> 3)) % 256),
    "text.jsonl.zst": "no zstd",
    "bomb.jsonl.zst": bomb(16 * 1024),
    "future.jsonl": Home.document(Home.meta(1, 0, undefined, { history_mode: "galactic" }))
  })
  mkdirSync(join(home, "folder.jsonl"))
  execFileSync("mkfifo", [join(home, "fifo.jsonl")])
  good = join(home, Home.file(1))
})

describe("the documents of the verbs", () => {
  it("context: exactly the keys that are promised", async () => {
    const [document] = documents(await skein("context", "--json", good))
    expect(Object.keys(document ?? {})).toEqual([
      "file",
      "threadId",
      "prompt",
      "window",
      "worldState",
      "referenceContext",
      "previousTurnSettings",
      "multiAgentVersion",
      "multiAgentMode",
      "tokenInfo",
      "complete",
      "recordsRead",
      "recordsTotal",
      "diagnostics"
    ])
    expect(document).toMatchObject({
      file: good,
      threadId: Home.id(1),
      prompt: [
        { type: "message", role: "user", content: [{ type: "input_text", text: "a1" }] },
        { type: "message", role: "user", content: [{ type: "input_text", text: "a2" }] }
      ],
      window: { number: 0 },
      worldState: null,
      recordsRead: 3,
      recordsTotal: 3,
      diagnostics: []
    })
    expect(Object.keys(document?.window ?? {})).toEqual(["number", "id", "firstId", "previousId"])
  })

  it("show, show --items: exactly the keys that are promised", async () => {
    const [document] = documents(await skein("show", "--json", good))
    expect(Object.keys(document ?? {})).toEqual(["file", "thread", "turns", "diagnostics"])
    const [items] = documents(await skein("show", "--json", "--items", good))
    expect(Object.keys(items ?? {})).toEqual(["file", "thread", "items", "diagnostics"])
  })

  it("world, world --changes, windows, verify: their keys", async () => {
    const keys = async (...words: ReadonlyArray<string>) =>
      Object.keys(documents(await skein(...words, "--json", good))[0] ?? {})
    const state = ["file", "threadId", "state", "complete", "diagnostics"]
    expect(await keys("world")).toEqual(state)
    expect((await keys("world", "--changes")).sort()).toEqual([...state, "changes"].sort())
    expect(await keys("windows")).toEqual(["file", "threadId", "current", "windows", "diagnostics"])
    expect(await keys("verify")).toEqual(["file", "threadId", "bytes", "lines", "records", "problems"])
  })

  it("--at takes a line, and says when there is none", async () => {
    const [document] = documents(await skein("context", "--json", "--at", "2", good))
    expect(document).toMatchObject({ prompt: [{ content: [{ text: "a1" }] }], recordsTotal: 2 })
    for (const verb of ["show", "context", "world", "windows"]) {
      const answer = await skein(verb, "--json", "--at", "77", good)
      expect(answer.code).toBe(1)
      expect(documents(answer)).toEqual([
        {
          file: good,
          error: { tag: "InvalidRequest", field: "--at", reason: expect.any(String), advice: expect.any(String) }
        }
      ])
    }
  })

  it.each(rolloutsBelow(samples).map((path) => relative(samples, path)))(
    "samples/%s: every verb answers",
    async (name) => {
      const path = join(samples, name)
      for (const verb of verbs) {
        const answer = await skein(verb, "--json", path)
        const empty = readFileSync(path).length === 0
        expect(documents(answer).length).toBe(1)
        expect("error" in (documents(answer)[0] ?? {})).toBe(empty)
        const text = await skein(verb, path)
        expect(text.err).toBe("")
        expect(text.out).toContain(path)
        expect(text.out.endsWith("\n")).toBe(true)
      }
    }
  )
})

describe("help", () => {
  it.each([...verbs, "tree", "demo"])("%s: the usage begins as it has to be typed", async (verb) => {
    const { code, out } = await skein(verb, "--help")
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`\\n\\$ skein ${verb} `))
  })

  it("without a verb, or with one that there is not, all verbs are named", async () => {
    for (const words of [[], ["--help"], ["constructor"]]) {
      const { err, out } = await skein(...words)
      for (const verb of verbs) expect(out + err).toContain(verb)
    }
  })
})

describe("the count of records", () => {
  const counted = async (path: string, at?: string) => {
    const lines = Effect.flatMap(RolloutLog.open(path), (log) =>
      Effect.gen(function* () {
        const cut = at === undefined ? log : yield* Position.before(log, at)
        let count = 0
        yield* EffectiveLog.lines(cut, (line) => {
          if (!Jsonl.isBlank(line)) count++
          return true
        })
        return count
      })
    )
    const { recordsRead, recordsTotal } = await Home.run(Context.context(path, at))
    expect(recordsTotal, path).toBe(await Home.run(lines))
    expect(recordsRead, path).toBeLessThanOrEqual(recordsTotal)
    return recordsRead < recordsTotal
  }

  it("is that of the lines of the whole log, however few of them were decoded", { timeout: 60_000 }, async () => {
    let early = 0
    for (const path of rolloutsBelow(corpus ?? samples)) {
      if (statSync(path).size === 0) continue
      if (await counted(path)) early++
      await counted(path, "1")
    }
    expect(early).toBeGreaterThan(10)
  })

  it("where a reading from the end stops, nothing counts twice", async () => {
    const turn = (id: string, ordinal: number) => Home.event({ type: "task_started", turn_id: id }, ordinal)
    const lines = [
      Home.meta(1),
      "not JSON",
      turn("a", 1),
      "",
      Home.record("compacted", { message: "", replacement_history: [], window_number: 1 }, 2),
      "not JSON either",
      turn("b", 3),
      "{",
      Home.record("turn_context", { ...contextOf, turn_id: "b" }, 4),
      Home.say("x", 5),
      Home.event({ type: "user_message", message: "x" }, 6),
      "[]"
    ]
    const path = join(Home.home({ [Home.file(1)]: Home.document(...lines) }), Home.file(1))
    for (let at = 0; at <= lines.length; at++) await counted(path, String(at))
    const { diagnostics, recordsRead, recordsTotal } = await Home.run(Context.context(path, undefined))
    // The start of the turn of the compaction is the last record that is needed: what stands in front of it is not seen.
    expect([recordsRead, recordsTotal]).toEqual([9, 11])
    expect(diagnostics.map(({ code, line }) => [code, line])).toEqual([
      ["invalid-json", 6],
      ["invalid-json", 8],
      ["not-an-object", 12]
    ])
  })
})

describe("files that cannot be answered for", () => {
  const refused: ReadonlyArray<readonly [string, string]> = [
    ["missing.jsonl", "missing"],
    ["fifo.jsonl", "not-a-file"],
    ["empty.jsonl", "empty"],
    ["text.jsonl.zst", "zstd-damaged"],
    ["bomb.jsonl.zst", "zstd-too-large"],
    ["future.jsonl", "unknown-history-mode"]
  ]

  it.each(refused)("%s: one JSON line, and exit code 1", async (name, reason) => {
    const path = join(home, name)
    for (const verb of verbs) {
      const answer = await skein(verb, "--json", path)
      expect(answer.code).toBe(1)
      expect(answer.err).toBe("")
      expect(documents(answer)).toEqual([
        {
          file: path,
          error: { tag: "FileRefused", path, reason, detail: expect.any(String), advice: expect.any(String) }
        }
      ])
    }
  })

  it.each(refused)("%s: without --json a line on standard error names the file and the way out", async (name) => {
    const path = join(home, name)
    for (const verb of ["show", "diff", "context"]) {
      const answer = await skein(verb, path)
      expect(answer).toMatchObject({ code: 1, out: "" })
      expect(answer.err).toContain(path)
      expect(answer.err.trimEnd().split("\n").length).toBe(1)
    }
  })

  it("a directory is refused by all but verify, which looks into it", async () => {
    for (const verb of verbs) {
      if (verb === "verify") continue
      expect(documents(await skein(verb, "--json", home))).toMatchObject([{ error: { reason: "directory" } }])
    }
    const answer = await skein("verify", "--json", home)
    expect(documents(answer).map(({ file }) => relative(home, String(file)))).toEqual([Home.file(1), Home.file(2)])
    expect(answer.code).toBe(1)
  })

  it("verify does not follow links to folders", async () => {
    const other = Home.home({ [Home.file(1)]: Home.document(Home.meta(1)) })
    symlinkSync(other, join(other, "sessions/loop"))
    expect(documents(await skein("verify", "--json", other)).length).toBe(1)
  })

  it("a binary file has a context too: nothing, and why", async () => {
    const answer = await skein("context", "--json", join(home, "binary.jsonl"))
    expect(answer.code).toBe(0)
    const [document] = documents(answer)
    expect(document).toMatchObject({ prompt: [], threadId: null })
    expect(JSON.stringify(document?.diagnostics)).toContain("no-session-meta")
  })

  it("nor does show or diff refuse a binary file: nothing to show, and why", async () => {
    const path = join(home, "binary.jsonl")
    for (const [verb, nothing] of [
      ["show", { thread: { id: null }, turns: [] }],
      ["diff", { threadId: null, turns: { added: [], changed: [], removed: [] }, window: null }]
    ] as const) {
      const answer = await skein(verb, "--json", path)
      expect(answer.code).toBe(0)
      expect(documents(answer)[0]).toMatchObject(nothing)
      expect(JSON.stringify(documents(answer)[0]?.diagnostics)).toContain("no-session-meta")
      expect((await skein(verb, path)).out).toContain(verb === "show" ? "no turns" : "nothing changed")
    }
  })

  it.skipIf(process.getuid?.() === 0)("a file that may not be read (skipped for root, who may)", async () => {
    const other = Home.home({ [Home.file(1)]: Home.document(Home.meta(1)) })
    const path = join(other, Home.file(1))
    chmodSync(path, 0)
    for (const verb of verbs) {
      const answer = await skein(verb, "--json", path)
      expect(answer.code).toBe(1)
      expect(documents(answer)).toMatchObject([{ file: path, error: { tag: "FileRefused", reason: "no-permission" } }])
    }
  })

  it("several paths give one JSON document a line, in order; a refused one does not keep the others back", async () => {
    const paths = [good, join(home, "missing.jsonl"), join(home, Home.file(2)), join(home, "empty.jsonl"), good]
    for (const verb of verbs) {
      const answer = await skein(verb, "--json", ...paths)
      expect(documents(answer).map(({ file }) => file)).toEqual(paths)
      expect(documents(answer).map((document) => "error" in document)).toEqual([false, true, false, true, false])
      expect(answer.code).toBe(1)
    }
  })
})

describe("exit codes", () => {
  it.each<[string, ReadonlyArray<string>, number]>([
    ["0: everything was answered", ["context", "--json", "GOOD"], 0],
    ["0: verify found nothing", ["verify", "GOOD"], 0],
    ["0: a question about a thread with problems is answered", ["context", "BASELESS"], 0],
    ["1: verify found a problem", ["verify", "BASELESS"], 1],
    ["1: a file could not be answered for", ["context", "GOOD", "MISSING"], 1],
    ["1: no such position", ["world", "--at", "nobody", "GOOD"], 1],
    ["0: what changed", ["diff", "--from", "1", "GOOD"], 0],
    ["1: from behind to", ["diff", "--from", "2", "--to", "1", "GOOD"], 1],
    ["1: no such turn to show", ["show", "--turn", "nobody", "GOOD"], 1],
    ["2: no file", ["context"], 2],
    ["2: no such verb", ["context-of", "GOOD"], 2],
    ["2: no such option", ["context", "--jsno", "GOOD"], 2],
    ["2: an option of another verb", ["context", "--changes", "GOOD"], 2],
    ["2: an option without its value", ["context", "GOOD", "--at"], 2],
    ["0: help", ["--help"], 0],
    ["0: version", ["--version"], 0]
  ])("%s", { timeout: 60_000 }, async (_, words, expected) => {
    const places: Readonly<Record<string, string>> = {
      GOOD: good,
      BASELESS: join(home, Home.file(2)),
      MISSING: join(home, "missing.jsonl")
    }
    const real = words.map((word) => places[word] ?? word)
    expect((await skein(...real)).code).toBe(expected)
    ensureBundle()
    const { status, stderr } = spawned(...real)
    expect(status).toBe(expected)
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})

describe("world --changes", () => {
  const check = async (path: string, at?: string) => {
    const document = await Home.run(World.changes(path, at))
    // Through JSON, as a reader of the command gets them.
    const { changes, state } = JSON.parse(JSON.stringify(document)) as World.ChangesDocument
    const apply = (from: unknown, operations: ReadonlyArray<Operation>): unknown =>
      jsonPatch.applyPatch(from, operations, true, false).newDocument
    const replayed = changes.reduce<unknown>((now, change) => apply(now, change.operations), null)
    expect(replayed, path).toEqual(state)
    const now = await Home.run(World.world(path, at))
    expect(state, path).toEqual(JSON.parse(JSON.stringify(now.state)))
    expect(document.complete, path).toBe(now.complete)
    for (const { operations } of changes) expect(operations.length).toBeGreaterThan(0)
    return document
  }

  it("applying all operations in order to null gives each state in turn, and then what `world` says", async () => {
    const states = Home.document(
      Home.meta(1),
      world({ a: 1, "b/c": { "~d": [1, 2] } }, true, 1),
      world({ a: null, e: { f: true } }, false, 2),
      world({ e: { f: null, g: "x" } }, false, 3),
      world({ e: { g: "x" } }, false, 4),
      world(["a", "list"], true, 5),
      world({ "0": "an object" }, true, 6),
      world({ a: 2 }, true, 7)
    )
    const path = join(Home.home({ [Home.file(1)]: states }), Home.file(1))
    const { changes } = await check(path)
    expect(changes.map(({ line, cause }) => [line, cause])).toEqual([
      [2, "full"],
      [3, "patch"],
      [4, "patch"],
      [6, "full"],
      [7, "full"],
      [8, "full"]
    ])
    expect(changes[0]).toMatchObject({ file: path, offset: Home.offsetOf(states, "world_state") })
    for (const line of ["1", "2", "3", "4", "6", "7"]) await check(path, line)
  })

  it("a compaction and a rollback take the state away or bring it back", async () => {
    const turn = (id: string, ordinal: number) => [
      Home.event({ type: "task_started", turn_id: id, model_context_window: null }, ordinal),
      Home.say(id, ordinal + 1),
      Home.event({ type: "user_message", message: id }, ordinal + 2)
    ]
    const lines = [
      Home.legacyMeta(1),
      ...turn("one", 1),
      world({ a: 1 }, true, 4),
      ...turn("two", 5),
      world({ b: 2 }, false, 8),
      Home.record("compacted", { message: "", replacement_history: [] }, 9),
      ...turn("three", 10),
      world({ c: 3 }, true, 13),
      rolledBack(14)
    ].map((line) => line.replace(/"ordinal":\d+,/, ""))
    const path = join(Home.home({ [Home.file(1)]: Home.document(...lines) }), Home.file(1))
    for (let line = 0; line <= lines.length; line++) await check(path, String(line))
    const { changes } = await check(path)
    expect(changes.map(({ cause }) => cause)).toEqual(["full", "patch", "compacted", "full", "rollback"])
  })

  it.each(
    rolloutsBelow(samples)
      .filter((path) => statSync(path).size > 0)
      .map((path) => relative(samples, path))
  )("samples/%s", async (path) => {
    await check(join(samples, path))
  })

  describe.skipIf(corpus === undefined)(`real rollouts${needsCorpus}`, () => {
    it.each(versions)("%s", { timeout: 60_000 }, async (version) => {
      for (const path of rolloutsBelow(join(corpus ?? "", version))) {
        if (statSync(path).size > 0) await check(path)
      }
    })
  })
})

describe("windows", () => {
  it("the first one, then one for each compaction, also those that were rolled back", async () => {
    const compacted = (n: number, more: object) => Home.record("compacted", { message: `${n}`, ...more }, n)
    const lines = [
      Home.legacyMeta(1),
      Home.event({ type: "task_started", turn_id: "one", model_context_window: null }),
      Home.say("one"),
      Home.event({ type: "user_message", message: "one" }),
      compacted(1, { replacement_history: [], window_number: 1, window_id: Home.id(20) }),
      Home.event({ type: "task_started", turn_id: "two", model_context_window: null }),
      Home.say("two"),
      Home.event({ type: "user_message", message: "two" }),
      compacted(2, { replacement_history: [], window_number: 2, window_id: Home.id(21) }),
      rolledBack(0)
    ].map((line) => line.replace(/"ordinal":\d+,/, ""))
    const path = join(Home.home({ [Home.file(1)]: Home.document(...lines) }), Home.file(1))
    const { windows, current } = await Home.run(Windows.windows(path, undefined))
    expect(windows.map(({ number, openedBy, rolledBack }) => [number, openedBy, rolledBack])).toEqual([
      [0, "session_meta", false],
      [1, "replacement", false],
      [2, "replacement", true]
    ])
    expect(current).toEqual({ number: 1, id: Home.id(20) })
  })

  it("each is told with the file that it stands in", async () => {
    const compacted = Home.record("compacted", { message: "", replacement_history: [], window_number: 1 }, 1)
    const base = Home.document(Home.meta(1), compacted)
    const fork = Home.document(Home.meta(2, 2, { thread: 1, ordinal: 2, offset: base.length }), Home.say("x", 3))
    const chain = Home.home({ [Home.file(1)]: base, [Home.file(2)]: fork })
    const { windows } = await Home.run(Windows.windows(join(chain, Home.file(2)), undefined))
    expect(windows.map(({ file, offset }) => [relative(chain, file), offset])).toEqual([
      [Home.file(2), 0],
      [Home.file(1), Home.offsetOf(base, '"compacted"')]
    ])
  })

  it.skipIf(corpus === undefined)(
    `the last window that stands is the one of the context${needsCorpus}`,
    { timeout: 60_000 },
    async () => {
      for (const path of rolloutsBelow(corpus ?? "")) {
        if (statSync(path).size === 0) continue
        const { windows, current } = await Home.run(Windows.windows(path, undefined))
        const { window } = await Home.run(Context.context(path, undefined))
        expect(current, path).toEqual({ number: window.number, id: window.id })
        const last = windows.filter(({ rolledBack }) => !rolledBack).at(-1)
        // Where none that has a number stands, the number is the count of all (replay-semantics §1.9).
        if (last !== undefined && last.number !== null && last.openedBy !== "session_meta")
          expect(last.number, path).toBe(window.number)
      }
    }
  )
})

describe("verify: every problem with line, byte offset and meaning", () => {
  const problems = async (content: string | Uint8Array, name = Home.file(1)) => {
    const { problems: found } = await Home.run(Verify.verify(join(Home.home({ [name]: content }), name)))
    return found.map(({ code, line, offset, severity }) => [code, line, offset, severity])
  }

  it("a good file has none", async () => {
    expect(await problems(Home.document(Home.meta(1), Home.say("x", 1), "", Home.say("y", 2)))).toEqual([])
    expect(await problems(Home.document(Home.legacyMeta(1), Home.say("x"), Home.say("x")))).toEqual([])
  })

  it("each kind of problem, where it stands", async () => {
    const meta = Home.meta(1)
    const file = (...lines: ReadonlyArray<string>) => Home.document(meta, ...lines)
    const second = meta.length + 1
    const x = Home.say("x", 1)
    const third = second + x.length + 1
    expect(await problems(file("not json"))).toEqual([["invalid-json", 2, second, "error"]])
    expect(await problems(file("[]"))).toEqual([["not-an-object", 2, second, "error"]])
    expect(await problems(file("{}"))).toEqual([["bad-envelope", 2, second, "error"]])
    expect(await problems(file(Home.event({ type: "thread_rolled_back" }, 1)))).toEqual([
      ["bad-payload", 2, second, "error"]
    ])
    expect(await problems(file(String.raw`{"a":"\ud800"}`))).toEqual([["lone-surrogate", 2, second, "error"]])
    expect(await problems(file('{"a":1e999}'))).toEqual([["number-out-of-range", 2, second, "error"]])
    expect(await problems(file(`${"[".repeat(200)}${"]".repeat(200)}`))).toEqual([["too-deep", 2, second, "error"]])
    expect(await problems(Buffer.concat([Buffer.from(file()), Uint8Array.of(0xff, 0x0a)]))).toEqual([
      ["invalid-utf8", 2, second, "error"]
    ])
    expect(await problems(file(Home.meta(1, 1, undefined, { history_mode: "galactic" })))).toEqual([
      ["unknown-history-mode", 2, second, "error"]
    ])
    expect(await problems(file(x, Home.say("y", 1)))).toEqual([["repeated-ordinal", 3, third, "warning"]])
    expect(await problems(file(x, Home.say("y", 3)))).toEqual([["ordinal-gap", 3, third, "warning"]])
    expect(await problems(file(x, Home.say("y", 0)))).toEqual([["ordinal-gap", 3, third, "warning"]])
    expect(await problems(file(Home.say("x")))).toEqual([["ordinal-missing", 2, second, "warning"]])
    expect(await problems(file(Home.record("tomorrow", {}, 1)))).toEqual([["unknown-kind", 2, second, "warning"]])
    expect(await problems(file(Home.record("tomorrow", { n: 2 ** 60 }, 1)))).toEqual([
      ["unknown-kind", 2, second, "warning"],
      ["inexact-number", 2, second, "warning"]
    ])
    expect(await problems(file(x).slice(0, -1))).toEqual([["no-final-newline", 2, second, "warning"]])
    expect(await problems(file(x).slice(0, -2))).toEqual([
      ["no-final-newline", 2, second, "warning"],
      ["torn", 2, second, "error"]
    ])
    expect(await problems(Home.document(Home.legacyMeta(1), x))).toEqual([
      ["ordinal-unexpected", 2, Home.legacyMeta(1).length + 1, "warning"]
    ])
  })

  it("of the file as a whole: no header, no base", async () => {
    expect(await problems(Home.document(Home.say("x", 1), Home.say("y", 2)))).toEqual([
      ["no-session-meta", undefined, undefined, "error"]
    ])
    const baseless = Home.document(Home.meta(2, 1, { thread: 9, ordinal: 1, offset: 10 }))
    expect(await problems(baseless)).toEqual([["missing-base", undefined, undefined, "error"]])
  })

  it("a duplicate ordinal: first wins, reported", async () => {
    const content = Home.document(Home.meta(1), Home.say("first", 1), Home.say("second", 1))
    const path = join(Home.home({ [Home.file(1)]: content }), Home.file(1))
    const { prompt, diagnostics } = await Home.run(Context.context(path, undefined))
    expect(JSON.stringify(prompt)).toContain("first")
    expect(JSON.stringify(prompt)).not.toContain("second")
    expect(diagnostics).toMatchObject([{ code: "repeated-ordinal", line: 3, offset: Home.offsetOf(content, "second") }])
  })

  it("diagnostics of a chain name the file, the line and the offset", async () => {
    const base = Home.document(Home.meta(1), "not json", Home.say("x", 1), Home.say("again", 1))
    const fork = Home.document(Home.meta(2, 2, { thread: 1, ordinal: 2, offset: base.length }), "[]", Home.say("y", 3))
    const chain = Home.home({ [Home.file(1)]: base, [Home.file(2)]: fork })
    const { diagnostics } = await Home.run(Context.context(join(chain, Home.file(2)), undefined))
    expect(diagnostics.map(({ path, code, line, offset }) => [relative(chain, path), code, line, offset])).toEqual([
      [Home.file(1), "invalid-json", 2, Home.offsetOf(base, "not json")],
      [Home.file(1), "repeated-ordinal", 4, Home.offsetOf(base, "again")],
      [Home.file(2), "not-an-object", 2, Home.offsetOf(fork, "[]")]
    ])
  })

  describe.skipIf(corpus === undefined)(`real rollouts${needsCorpus}`, () => {
    it.each(versions.filter((version) => version !== "damaged"))(
      "every file of %s has no problems",
      { timeout: 60_000 },
      async (version) => {
        for (const path of rolloutsBelow(join(corpus ?? "", version))) {
          expect((await Home.run(Verify.verify(path))).problems, path).toEqual([])
        }
      }
    )

    type Codes = ReadonlyArray<readonly [code: string, line: number | undefined]>
    /** What a damage must come to, by its name; lines by how far they are from the one that was damaged. */
    const expected: Readonly<Record<string, (at: { middle: number; last: number; paginated: boolean }) => Codes>> = {
      "as-is": () => [],
      crlf: () => [],
      "empty-line": () => [],
      "unknown-keys": () => [],
      "only-first-line": () => [],
      "first-line-missing": () => [["no-session-meta", undefined]],
      "line-missing": ({ middle, paginated }) => (paginated ? [["ordinal-gap", middle]] : []),
      "line-twice": ({ middle, paginated }) => (paginated ? [["repeated-ordinal", middle + 1]] : []),
      "bad-utf8": ({ middle, paginated }) => [
        ["invalid-utf8", middle],
        ...(paginated ? [["ordinal-gap", middle + 1] as const] : [])
      ],
      "not-json": ({ middle }) => [["invalid-json", middle]],
      "unknown-record": ({ middle, paginated }) => [
        ["unknown-kind", middle],
        ...(paginated ? [["ordinal-missing", middle] as const] : [])
      ],
      "unknown-event": ({ middle, paginated }) => [
        ["unknown-kind", middle],
        ...(paginated ? [["ordinal-missing", middle] as const] : [])
      ],
      "no-final-newline": ({ last }) => [["no-final-newline", last]],
      "nul-tail": ({ last }) => [
        ["no-final-newline", last],
        ["torn", last]
      ],
      "torn-last-line": ({ last }) => [
        ["no-final-newline", last],
        ["torn", last]
      ],
      "torn-three-lines": ({ last }) => [
        ["no-final-newline", last],
        ["torn", last]
      ],
      "torn-last-line-newline": ({ last }) => [["invalid-json", last]]
    }

    const damaged = corpus === undefined ? [] : rolloutsBelow(join(corpus, "damaged"))
    it.each(damaged.map((path) => relative(corpus ?? "", path)))("%s", async (name) => {
      const path = join(corpus ?? "", name)
      const sidecar = JSON.parse(readFileSync(path.replace(/\.jsonl$/, ".expected.json"), "utf8")) as {
        readonly case: string
        readonly damage: string
      }
      if (sidecar.damage === "empty") {
        expect(await Home.refused(Verify.verify(path))).toMatchObject({ reason: "empty" })
        return
      }
      const bytes = readFileSync(path)
      const starts = [0, ...[...bytes].flatMap((byte, i) => (byte === 0x0a && i + 1 < bytes.length ? [i + 1] : []))]
      const paginated = sidecar.case === "steer"
      // The middle line of the two good files that these are copies of.
      const codes = expected[sidecar.damage]?.({ middle: paginated ? 11 : 35, last: starts.length, paginated })
      const { problems: found } = await Home.run(Verify.verify(path))
      expect(
        found.map(({ code, line }) => [code, line]),
        sidecar.damage
      ).toEqual(codes)
      for (const { line, offset } of found) expect(offset).toBe(line === undefined ? undefined : starts[line - 1])
    })
  })
})

describe("nothing is ever written to the files read", () => {
  const snapshot = (folder: string): ReadonlyArray<string> =>
    readdirSync(folder, { withFileTypes: true, recursive: true })
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        const { mtimeMs, size, mode } = statSync(path)
        const hash = entry.isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : ""
        return `${path} ${mtimeMs} ${size} ${mode} ${hash}`
      })
      .sort()

  it("bytes, times and names of a home stay as they were, whatever is asked", async () => {
    const copy = Home.temporary()
    execFileSync("cp", ["-rp", samples, copy])
    writeFileSync(join(copy, "torn.jsonl"), Home.document(Home.meta(1), Home.say("x", 1)).slice(0, -9))
    const before = snapshot(copy)
    const paths = [...rolloutsBelow(join(copy, "samples")), join(copy, "torn.jsonl")]
    for (const verb of verbs) {
      await skein(verb, "--json", ...paths)
      await skein(verb, ...paths)
    }
    await skein("world", "--changes", "--json", ...paths)
    await skein("show", "--items", ...paths)
    await skein("tree", join(copy, "samples"))
    await skein("verify", copy)
    await skein("demo", copy)
    expect(snapshot(copy)).toEqual(before)
  })

  it("nor anywhere else: the working directory stays as it was", () => {
    ensureBundle()
    const folder = Home.temporary()
    const before = readdirSync(folder)
    const script = join(repository, "packages/cli/bin/skein.js")
    execFileSync("node", [script, "context", "--json", good], { cwd: folder })
    expect(readdirSync(folder)).toEqual(before)
  })
})
