/**
 * Bad input through the verbs that show threads: `show`, `diff` and `tree`. Each row is a file that stands in a home
 * beside a good one; it is refused by all three, or answered by all three, and never costs the other thread anything.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { compress } from "@mongodb-js/zstd"
import type { Reason } from "@skein/store-fs/FileError"
import { Effect } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import { bomb } from "../../store-fs/test/Frames.js"
import * as Home from "../../store-fs/test/Home.js"
import type * as Agents from "../src/verb/Agents.js"
import * as Diff from "../src/verb/Diff.js"
import * as Show from "../src/verb/Show.js"
import * as Tree from "../src/verb/Tree.js"
import * as Verify from "../src/verb/Verify.js"
import { documents, skein } from "./command.js"

afterAll(Home.removeAll)

const started = (turn_id: string) => Home.event({ type: "task_started", turn_id })
const ended = (turn_id: string) => Home.event({ type: "task_complete", turn_id })
const user = (message: string) => Home.event({ type: "user_message", message })
const agent = (message: string) => Home.event({ type: "agent_message", message })

const good = Home.document(Home.legacyMeta(1), started("t"), user("good"), ended("t"))

/** Puts something in place of a file. */
type Make = (path: string) => Promise<void> | void

const content =
  (bytes: string | Uint8Array): Make =>
  (path) =>
    writeFileSync(path, bytes)

const homeWith = async (make: Make, suffix = ""): Promise<{ readonly home: string; readonly path: string }> => {
  const home = Home.home({ [Home.file(1)]: good })
  const path = join(home, `${Home.file(2)}${suffix}`)
  mkdirSync(dirname(path), { recursive: true })
  await make(path)
  return { home, path }
}

const treeOf = async (home: string) => {
  const answer = await skein("tree", "--json", home)
  const [document] = documents(answer) as unknown as ReadonlyArray<Agents.TreeDocument>
  if (document === undefined) throw new Error("no document")
  expect(document.agents.find(({ id }) => id === Home.id(1))).toMatchObject({ preview: "good", status: "completed" })
  return { code: answer.code, document, bad: document.agents.find(({ id }) => id === Home.id(2)) }
}

const cutEarly = (await compress(Buffer.from(good))).subarray(0, 9)

const inMode = (history_mode: unknown) => Home.document(Home.legacyMeta(2, { history_mode }))

describe("what is no rollout is refused, with a reason and a way out", () => {
  const rows: ReadonlyArray<readonly [what: string, make: Make, reason: Reason, suffix: string]> = [
    ["a directory", (path) => void mkdirSync(path), "directory", ""],
    ["a FIFO", (path) => void execFileSync("mkfifo", [path]), "not-a-file", ""],
    ["an empty file", content(""), "empty", ""],
    ["a file of blank lines", content("\n \n\t\r\n"), "empty", ""],
    ["a .zst that is none", content("no zstd"), "zstd-damaged", ".zst"],
    ["a .zst cut within its first block", content(cutEarly), "zstd-damaged", ".zst"],
    ["a .zst bomb", content(bomb(16 * 1024)), "zstd-too-large", ".zst"],
    ["an unknown history mode", content(inMode("galactic")), "unknown-history-mode", ""],
    ["no history mode but null", content(inMode(null)), "unknown-history-mode", ""]
  ]

  it.each(rows)("%s", async (_, make, reason, suffix) => {
    const { home, path } = await homeWith(make, suffix)
    for (const verb of ["show", "diff"]) {
      const answer = await skein(verb, "--json", path)
      expect(answer).toMatchObject({ code: 1, err: "" })
      expect(documents(answer)).toEqual([
        {
          file: path,
          error: { tag: "FileRefused", path, reason, detail: expect.any(String), advice: expect.any(String) }
        }
      ])
      const text = await skein(verb, path)
      expect(text).toMatchObject({ code: 1, out: "" })
      expect(text.err.trimEnd().split("\n")).toEqual([expect.stringContaining(path)])
    }
    const { bad, code, document } = await treeOf(home)
    expect(code).toBe(1)
    expect(document.unreadable).toMatchObject([{ file: path, error: { tag: "FileRefused", reason } }])
    expect(bad).toMatchObject({ note: "unreadable", status: "unknown", file: path })
    expect((await skein("tree", home)).out).toContain(`error ${path}`)
  })

  it("a file without read permission", async () => {
    const { home, path } = await homeWith(content(good.replaceAll(Home.id(1), Home.id(2))))
    const refused = { _tag: "FileRefused", path, reason: "no-permission" }
    expect(await Home.runDenied(path, Effect.flip(Show.show(path)))).toMatchObject(refused)
    expect(await Home.runDenied(path, Effect.flip(Diff.diff(path)))).toMatchObject(refused)
    const { agents, unreadable } = await Home.runDenied(path, Tree.tree(home))
    expect(unreadable).toMatchObject([{ file: path, error: { reason: "no-permission" } }])
    expect(agents.map(({ note }) => note)).toEqual([null, "unreadable"])
  })

  it("a folder that cannot be listed is not taken for an empty one", async () => {
    const { home } = await homeWith(content(good.replaceAll(Home.id(1), Home.id(2))))
    for (const folder of [join(home, "sessions/2026/07"), join(home, "archived_sessions")]) {
      mkdirSync(folder, { recursive: true })
      const { agents, unreadable } = await Home.runDenied(folder, Tree.tree(home))
      expect(unreadable).toMatchObject([{ file: folder, error: { tag: "FileRefused", reason: "no-permission" } }])
      expect(agents.length).toBe(folder.endsWith("07") ? 0 : 2)
      const { files, unlisted } = await Home.runDenied(folder, Verify.files(home))
      expect(unlisted).toMatchObject([{ path: folder, reason: "no-permission" }])
      expect(files.length).toBe(agents.length)
    }
    const fork = Home.home({ [Home.file(3)]: Home.document(Home.meta(3, 1, { thread: 9, ordinal: 1, offset: 10 })) })
    const archived = join(fork, "archived_sessions")
    mkdirSync(archived)
    const { diagnostics } = await Home.runDenied(archived, Show.show(join(fork, Home.file(3))))
    expect(diagnostics).toMatchObject([{ code: "missing-base", message: expect.stringContaining(archived) }])
  })

  it("a home that is a FIFO, a file, or nothing", async () => {
    const home = Home.temporary()
    execFileSync("mkfifo", [join(home, "fifo")])
    writeFileSync(join(home, "file"), good)
    for (const [name, reason] of [
      ["fifo", "not-a-folder"],
      ["file", "not-a-folder"],
      ["missing", "missing"]
    ]) {
      const answer = await skein("tree", "--json", join(home, name ?? ""))
      expect(answer.code).toBe(1)
      expect(documents(answer)).toMatchObject([{ error: { tag: "FileRefused", reason } }])
    }
  })
})

describe("damage costs a line and no more (rollout-format §2.1)", () => {
  /** The lines of a whole turn; each row puts something in front of, or in place of, one of them. */
  const whole = [Home.legacyMeta(2), started("t"), user("hello"), agent("hi"), ended("t")]
  const at = (index: number, ...lines: ReadonlyArray<string>) => Home.document(...whole.toSpliced(index, 0, ...lines))
  const instead = (index: number, line: string) => Home.document(...whole.with(index, line))

  interface Expected {
    readonly preview: string
    readonly items: ReadonlyArray<string>
    readonly status?: string
    readonly codes?: ReadonlyArray<string>
    /** Those of the file as a whole, which `tree` tells as well. */
    readonly ofFile?: ReadonlyArray<string>
  }
  const same: Expected = { preview: "hello", items: ["userMessage", "agentMessage"] }
  const told = (...codes: ReadonlyArray<string>): Expected => ({ ...same, codes })
  const bytes = (...parts: ReadonlyArray<string | Uint8Array>) => Buffer.concat(parts.map((part) => Buffer.from(part)))

  const rows: ReadonlyArray<readonly [what: string, content: string | Uint8Array, expected: Expected]> = [
    ["nothing", Home.document(...whole), same],
    ["blank lines", at(2, "", " \t", "\r"), same],
    ["carriage returns in front of line feeds", Home.document(...whole.map((line) => `${line}\r`)), same],
    ["not JSON", at(2, "not JSON"), told("invalid-json")],
    ["no object", at(2, "[]"), told("not-an-object")],
    ["an unknown record", at(2, Home.record("tomorrow", { a: 1 })), same],
    ["an unknown event", at(2, Home.event({ type: "tomorrow" })), same],
    ["an unknown item of the history", at(2, Home.record("response_item", { type: "hologram" })), same],
    ["a ghost snapshot", at(2, Home.record("response_item", { type: "ghost_snapshot", ghost_commit: {} })), same],
    ["a missing payload", at(2, '{"timestamp":"2026-07-20T10:00:00.000Z","type":"event_msg"}'), told("bad-envelope")],
    ["a bad field", at(2, Home.event({ type: "thread_rolled_back", num_turns: "1" })), told("bad-payload")],
    ["nesting deeper than 128", at(2, `${"[".repeat(129)}${"]".repeat(129)}`), told("too-deep")],
    ["half of a surrogate pair", at(2, String.raw`{"a":"\ud800"}`), told("lone-surrogate")],
    ["bytes that are not UTF-8", bytes(at(5), Uint8Array.of(0xff, 0xfe, 0x0a)), told("invalid-utf8")],
    [
      "an unknown history mode behind the header",
      at(2, Home.legacyMeta(2, { history_mode: "x" })),
      told("unknown-history-mode")
    ],
    ["a header of another thread", at(2, Home.legacyMeta(7)), same],
    ["a line that was lost", instead(2, "{"), { preview: "", items: ["agentMessage"], codes: ["invalid-json"] }],
    ["a torn last line", Home.document(...whole).slice(0, -9), { ...told("torn"), status: "interrupted" }],
    ["a last line without line feed", Home.document(...whole).slice(0, -1), same],
    ["NUL at the end", bytes(Home.document(...whole), new Uint8Array(8)), told("torn")],
    ["no header", Home.document(...whole.slice(1)), { ...told("no-session-meta"), ofFile: ["no-session-meta"] }],
    [
      "lines that are bare",
      instead(3, JSON.stringify({ type: "message", role: "user", content: [] })),
      {
        ...told("bad-envelope"),
        items: ["userMessage"]
      }
    ],
    [
      "binary",
      Uint8Array.from({ length: 4000 }, (_, i) => (i * 7919 + (i >> 3)) % 256),
      {
        preview: "",
        items: [],
        codes: ["no-session-meta"],
        ofFile: ["no-session-meta"]
      }
    ]
  ]

  const answers = async (home: string, path: string, expected: Expected) => {
    const { codes = [], items, ofFile = [], preview, status = "completed" } = expected
    const shown = await skein("show", "--json", path)
    expect(shown.code).toBe(0)
    const [show] = documents(shown) as unknown as ReadonlyArray<Show.ShowDocument>
    expect(show?.thread.preview).toBe(preview)
    expect(show?.turns.flatMap((turn) => turn.items.map(({ type }) => type))).toEqual(items)
    expect(show?.turns.map((turn) => turn.status)).toEqual(items.length === 0 ? [] : [status])
    const found = show?.diagnostics.map(({ code }) => code) ?? []
    expect([...new Set(found)]).toEqual(expect.arrayContaining([...codes]))
    if (codes.length === 0) expect(found).toEqual([])
    const asked = await skein("diff", "--json", path)
    expect(asked.code).toBe(0)
    const [diff] = documents(asked) as unknown as ReadonlyArray<Diff.DiffDocument>
    expect(diff?.items.added.map(({ item }) => item.type)).toEqual(items)
    expect(diff?.turns.added.map((turn) => turn.status)).toEqual(items.length === 0 ? [] : [status])
    expect(diff?.diagnostics).toEqual(show?.diagnostics)
    for (const verb of ["show", "diff"]) expect(await skein(verb, path)).toMatchObject({ code: 0, err: "" })
    const { bad, code, document } = await treeOf(home)
    expect(code).toBe(0)
    expect(bad).toMatchObject({ preview, file: path })
    expect(document.unreadable).toEqual([])
    expect(document.diagnostics.map((one) => one.code)).toEqual(ofFile)
    return bad
  }

  it.each(rows)("%s", async (_, written, expected) => {
    const { home, path } = await homeWith(content(written))
    await answers(home, path, expected)
    expect((await skein("tree", home)).code).toBe(0)
  })

  it("a .zst that was cut: what is in front of the cut", async () => {
    const long = Home.document(
      ...whole.slice(0, 4),
      ...Array.from({ length: 4000 }, (_, i) => Home.say(`${i} ${Math.sin(i)}`)),
      ended("t")
    )
    const { home, path } = await homeWith(async (path) => {
      writeFileSync(path, (await compress(Buffer.from(long))).subarray(0, -200))
    }, ".zst")
    const bad = await answers(home, path, { ...told("zstd-damaged"), status: "interrupted", ofFile: ["zstd-damaged"] })
    expect(bad?.status).toBe("running")
  })

  it("an ordinal that stands twice: the first counts, the second is told of", async () => {
    const said = (id: string, text: string, ordinal: number) =>
      Home.event(
        {
          type: "item_completed",
          thread_id: Home.id(2),
          turn_id: "t",
          item: { type: "UserMessage", id, content: [{ type: "text", text, text_elements: [] }] },
          completed_at_ms: 1
        },
        ordinal
      )
    const paginated = Home.document(
      Home.meta(2),
      Home.event({ type: "task_started", turn_id: "t" }, 1),
      said("u1", "hello", 2),
      said("u2", "again", 2),
      Home.event({ type: "task_complete", turn_id: "t" }, 3)
    )
    const { home, path } = await homeWith(content(paginated))
    await answers(home, path, { preview: "hello", items: ["userMessage"], codes: ["repeated-ordinal"] })
    const first = await homeWith(content(paginated.replace(said("u1", "hello", 2), said("u0", "first", 2))))
    await answers(first.home, first.path, { preview: "first", items: ["userMessage"], codes: ["repeated-ordinal"] })
  })
})

describe("requests that cannot be carried out", () => {
  const refusedBy = async (words: ReadonlyArray<string>, field: string, reason: RegExp) => {
    const { path } = await homeWith(content(good.replaceAll(Home.id(1), Home.id(2))))
    const answer = await skein(...words, "--json", path)
    expect(answer).toMatchObject({ code: 1, err: "" })
    expect(documents(answer)).toEqual([
      {
        file: path,
        error: { tag: "InvalidRequest", field, reason: expect.stringMatching(reason), advice: expect.any(String) }
      }
    ])
    const text = await skein(...words, path)
    expect(text).toMatchObject({ code: 1, out: "" })
    expect(text.err).toMatch(new RegExp(`^${field}: `))
  }

  it.each<[words: ReadonlyArray<string>, field: string, reason: RegExp]>([
    [["show", "--at", "5"], "--at", /4 lines, not 5/],
    [["show", "--at", "99999999999999999999"], "--at", /4 lines/],
    [["show", "--at", "nobody"], "--at", /no turn .* nobody/],
    [["show", "--at", ""], "--at", /no turn/],
    [["show", "--at", "2026-13-45T00:00:00Z"], "--at", /no turn/],
    [["show", "--items", "--at", "5"], "--at", /4 lines/],
    [["show", "--turn", "nobody"], "--turn", /no turn nobody/],
    [["show", "--turn", "t", "--at", "1"], "--turn", /no turn t/],
    [["show", "--items", "--turn", "nobody"], "--turn", /no turn nobody/],
    [["diff", "--from", "5"], "--from", /4 lines, not 5/],
    [["diff", "--to", "5"], "--to", /4 lines, not 5/],
    [["diff", "--from", "nobody"], "--from", /no turn .* nobody/],
    [["diff", "--to", "nobody"], "--to", /no turn .* nobody/],
    [["diff", "--from", "9", "--to", "9"], "--from", /4 lines, not 9/],
    [["diff", "--from", "3", "--to", "2"], "--from", /behind --to 2/],
    [["diff", "--from", "t", "--to", "2020-01-01"], "--from", /behind --to 2020-01-01/]
  ])("%j", async (words, field, reason) => {
    await refusedBy(words, field, reason)
  })

  it("options that a verb does not have, or without their value, are wrong words: exit code 2", async () => {
    const { home, path } = await homeWith(content(good))
    for (const words of [
      ["show", "--from", "1", path],
      ["show", path, "--turn"],
      ["show", path, "--at"],
      ["diff", "--at", "1", path],
      ["diff", "--turn", "t", path],
      ["diff", path, "--from"],
      ["tree", "--at", "1", home],
      ["tree", "--turn", "t", home],
      ["show"],
      ["diff"],
      ["tree"]
    ]) {
      expect([words, (await skein(...words)).code]).toEqual([words, 2])
    }
  })
})
