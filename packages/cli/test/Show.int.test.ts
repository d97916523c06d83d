/** `skein show`: the documents, the transcript, and where threads lie in several files. */
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import { coloured, plain } from "../src/Text.js"
import * as Transcript from "../src/Transcript.js"
import type { ItemsDocument, ShowDocument } from "../src/verb/Show.js"
import { documents, skein } from "./command.js"

afterAll(Home.removeAll)

const started = (turn_id: string, ordinal?: number) =>
  Home.event({ type: "task_started", turn_id, started_at: 1 }, ordinal)
const ended = (turn_id: string, ordinal?: number) =>
  Home.event({ type: "task_complete", turn_id, started_at: 1, completed_at: 3, duration_ms: 2000 }, ordinal)
const user = (message: string) => Home.event({ type: "user_message", message })
const agent = (message: string) => Home.event({ type: "agent_message", message })
const said = (turn_id: string, text: string, ordinal: number) =>
  Home.event(
    {
      type: "item_completed",
      thread_id: Home.id(1),
      turn_id,
      item: { type: "UserMessage", id: `u-${text}`, content: [{ type: "text", text, text_elements: [] }] },
      completed_at_ms: 5
    },
    ordinal
  )

const show = async (...words: ReadonlyArray<string>): Promise<ShowDocument> => {
  const [document] = documents(await skein("show", "--json", ...words))
  return document as unknown as ShowDocument
}

const texts = ({ turns }: ShowDocument) =>
  turns.map(({ id, items, status }) => `${id} ${status}: ${items.map((item) => item.id).join(" ")}`)

const legacy = Home.document(
  Home.legacyMeta(1),
  started("t1"),
  user("hello"),
  agent("hi"),
  ended("t1"),
  started("t2"),
  user("go on")
)

const lying = (content: string, more: Readonly<Record<string, string>> = {}) => {
  const home = Home.home({ [Home.file(1)]: content, ...more })
  return join(home, Home.file(1))
}

describe("skein show: the document", () => {
  it("exactly the keys that are promised; a turn that never ended is interrupted", async () => {
    const file = lying(legacy)
    const document = await show(file)
    expect(Object.keys(document)).toEqual(["file", "thread", "turns", "diagnostics"])
    expect(document).toMatchObject({
      file,
      thread: { id: Home.id(1), preview: "hello", name: null, historyMode: "legacy", cwd: "/repo", source: "cli" },
      turns: [
        {
          id: "t1",
          status: "completed",
          error: null,
          startedAt: 1,
          completedAt: 3,
          durationMs: 2000,
          itemsView: "full"
        },
        { id: "t2", status: "interrupted", completedAt: null }
      ],
      diagnostics: []
    })
    expect(Object.keys(document.turns[0]?.items[1] ?? {})).toEqual([
      "type",
      "id",
      "text",
      "phase",
      "memoryCitation",
      "startedAtMs",
      "completedAtMs"
    ])
  })

  it("the name that the home has for the thread: the last one given, none once it was cleared", async () => {
    const named = (...names: ReadonlyArray<string>) =>
      lying(legacy, {
        "session_index.jsonl": Home.document(
          ...names.map((thread_name) => JSON.stringify({ id: Home.id(1), thread_name, updated_at: "unknown" })),
          "not JSON",
          JSON.stringify({ id: Home.id(2), thread_name: "another", updated_at: "unknown" })
        )
      })
    expect((await show(named("old", "new"))).thread.name).toBe("new")
    expect((await show(named("old", ""))).thread.name).toBeNull()
  })

  it("an index that is no file is no reason to wait or to fail", async () => {
    const file = lying(legacy)
    execFileSync("mkfifo", [join(file, "../../../../../session_index.jsonl")])
    expect((await show(file)).thread.name).toBeNull()
  })

  it("--items: the items alone, each with its turn", async () => {
    const [document] = documents(await skein("show", "--json", "--items", lying(legacy)))
    const { items, ...rest } = document as unknown as ItemsDocument
    expect(items.map(({ item, turnId }) => [turnId, item.id])).toEqual([
      ["t1", "item-1"],
      ["t1", "item-2"],
      ["t2", "item-3"]
    ])
    expect(Object.keys(rest)).toEqual(["file", "thread", "diagnostics"])
  })

  it("--turn: one turn, or a refusal that names the last one", async () => {
    const file = lying(legacy)
    expect(texts(await show("--turn", "t1", file))).toEqual(["t1 completed: item-1 item-2"])
    const answer = await skein("show", "--json", "--turn", "zzz", file)
    expect(answer.code).toBe(1)
    expect(documents(answer)).toMatchObject([{ error: { tag: "InvalidRequest", field: "--turn" } }])
  })

  it("--at: how it stood at a line or a turn", async () => {
    const file = lying(legacy)
    expect(texts(await show("--at", "3", file))).toEqual(["t1 interrupted: item-1"])
    expect(texts(await show("--at", "t1", file))).toEqual(["t1 completed: item-1 item-2"])
  })

  it("damage is told, and costs the line alone", async () => {
    const lines = legacy.split("\n")
    const document = await show(lying([...lines.slice(0, 3), "{torn", ...lines.slice(4)].join("\n")))
    expect(texts(document)).toEqual(["t1 completed: item-1", "t2 interrupted: item-2"])
    expect(document.diagnostics).toMatchObject([{ severity: "error", code: "invalid-json", line: 4 }])
  })

  it("a reverted thread shows what it kept of its first file, then its own turns", async () => {
    const first = Home.document(
      Home.meta(1),
      started("t1", 1),
      said("t1", "a", 2),
      ended("t1", 3),
      started("t2", 4),
      said("t2", "b", 5),
      ended("t2", 6)
    )
    const offset = Home.offsetOf(first, '"t2"')
    const second = Home.document(
      Home.meta(1, 4, { thread: 1, ordinal: 4, offset }),
      started("t3", 5),
      said("t3", "c", 6),
      ended("t3", 7)
    )
    const home = Home.home({ [Home.file(1)]: first, [Home.file(1, 7)]: second })
    expect(texts(await show(join(home, Home.file(1, 7))))).toEqual(["t1 completed: u-a", "t3 completed: u-c"])
  })
})

describe("skein show: the transcript", () => {
  it("has the turns and their items", async () => {
    const { code, out } = await skein("show", lying(legacy))
    expect(code).toBe(0)
    expect(out.split("\n").slice(1)).toEqual([
      "  hello",
      `  thread ${Home.id(1)} · Codex 0.169.0 · openai · /repo`,
      "",
      "  turn 1 t1 · completed · 1970-01-01 00:00:01 · 2.0 s",
      "  user        hello",
      "  agent       hi",
      "",
      "  turn 2 t2 · interrupted · 1970-01-01 00:00:01",
      "  user        go on",
      ""
    ])
  })

  it("--items: a line each", async () => {
    const { out } = await skein("show", "--items", lying(legacy))
    expect(out.split("\n").slice(3, 6)).toEqual(["  user        hello", "  agent       hi", "  user        go on"])
  })

  it("lets nothing of a log reach the terminal that could steer it", async () => {
    const evil = `\u001b[2J\u001b]0;title\u0007\u009b31m\u2028x`
    const content = Home.document(
      Home.legacyMeta(1, { cwd: `/${evil}` }),
      started(evil),
      user(evil),
      agent(`${evil}\n${evil}`),
      Home.event({
        type: "patch_apply_end",
        call_id: evil,
        stdout: "",
        stderr: "",
        success: true,
        status: "failed",
        changes: { [evil]: { type: "add", content: evil } }
      }),
      Home.event({ type: "task_complete", turn_id: evil, error: { message: evil, codex_error_info: null } })
    )
    const { out } = await skein("show", lying(content))
    expect(out).toContain("turn 1")
    expect([...out].filter((character) => /[\p{Cc}\u2028]/u.test(character) && character !== "\n")).toEqual([])
  })

  it("long output is cut and counted; marks only where they are wanted", () => {
    const output = Array.from({ length: 30 }, (_, i) => `line ${i}`).join("\n")
    const command = {
      type: "commandExecution" as const,
      id: "c",
      command: "seq",
      cwd: "/",
      processId: null,
      source: "agent" as const,
      status: "failed" as const,
      commandActions: [],
      aggregatedOutput: output,
      exitCode: 3,
      durationMs: 61_000,
      startedAtMs: null,
      completedAtMs: null
    }
    const lines = Transcript.block(command, plain)
    expect(lines[0]).toBe("  command     $ seq (failed, exit 3, 1 min 1 s)")
    expect(lines.at(-1)).toBe("              … 22 more lines")
    expect(Transcript.block(command, coloured).join("")).toContain("\u001b[31m")
  })

  it("spans of time", () => {
    expect([5, 1500, 59_999, 60_000, 3_600_000].map(Transcript.duration)).toEqual([
      "5 ms",
      "1.5 s",
      "60.0 s",
      "1 min 0 s",
      "1 h 0 min"
    ])
  })
})

describe("files that cannot be shown", () => {
  it("an empty one, and one of a mode that nobody knows", async () => {
    const home = Home.home({
      [Home.file(1)]: "",
      [Home.file(2)]: Home.document(Home.meta(2, 0, undefined, { history_mode: "x" }))
    })
    writeFileSync(join(home, "text.jsonl"), "hello\n")
    const answer = await skein(
      "show",
      "--json",
      join(home, Home.file(1)),
      join(home, Home.file(2)),
      join(home, "text.jsonl")
    )
    expect(answer.code).toBe(1)
    const [empty, unknown, text] = documents(answer)
    expect(empty).toMatchObject({ error: { reason: "empty" } })
    expect(unknown).toMatchObject({ error: { reason: "unknown-history-mode" } })
    expect(text).toMatchObject({ thread: { id: null }, turns: [], diagnostics: [{ code: "no-session-meta" }, {}] })
  })
})
