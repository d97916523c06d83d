import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as fc from "fast-check"
import { openSkein } from "skein"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import * as Loop from "../src/Loop.js"
import * as Sse from "../src/Sse.js"
import * as Tools from "../src/Tools.js"
import * as Mock from "./Mock.js"

const folder = dirname(dirname(fileURLToPath(import.meta.url)))
const work = mkdtempSync(join(tmpdir(), "skein-responses-host-"))
writeFileSync(join(work, "menu.txt"), "Soup, bread, apples")
symlinkSync("/etc/hostname", join(work, "elsewhere"))
afterAll(() => rmSync(work, { recursive: true, force: true }))

let mock: Awaited<ReturnType<typeof Mock.start>>
beforeEach(async () => {
  mock = await Mock.start()
})
afterEach(() => mock.close())

const hostOf = (): Loop.Host => ({
  endpoint: { url: mock.url, key: "secret", model: "mock-model" },
  tools: Tools.specs,
  runTool: (name, args) => Tools.run(work, name, args),
  backoffMs: 1
})

/** Runs turns in memory, and gives how they ended and what there is to see. */
const talk = async (answers: ReadonlyArray<Mock.Answer>, ...words: ReadonlyArray<string>) => {
  mock.answers.push(...answers)
  await using skein = await openSkein({ store: "memory:" })
  await using thread = await skein.start({ instructions: "Be brief." })
  const told: Array<string> = []
  const events = thread.events()
  const ended: Array<string> = []
  for (const one of words) ended.push(await Loop.run(hostOf(), thread, one, new AbortController().signal))
  const turns = await thread.turns()
  const { history, tokenInfo, window } = await thread.context()
  await thread.close()
  for await (const event of events) {
    if (event.type === "item/agentMessage/delta") told.push(event.delta)
    if (event.type === "error") told.push(`error: ${event.error.message}`)
  }
  return { ended, told, turns, history, window, tokenInfo }
}

describe("a turn", () => {
  it("asks with what the thread holds, streams, records", async () => {
    const { ended, told, tokenInfo, turns } = await talk([Mock.says("Good day to you.")], "Hello")
    expect(ended).toEqual(["completed"])
    expect(told).toEqual(["Good ", "day ", "to ", "you."])
    expect(turns[0]?.items.map((item) => (item.type === "agentMessage" ? item.text : item.type))).toEqual([
      "userMessage",
      "Good day to you."
    ])
    expect(tokenInfo?.last_token_usage).toMatchObject({ input_tokens: 100, cached_input_tokens: 20, total_tokens: 107 })
    const [asked] = mock.asked
    expect(asked).toMatchObject({
      path: "/v1/responses",
      authorization: "Bearer secret",
      model: "mock-model",
      instructions: "Be brief.",
      stream: true,
      store: false
    })
    expect(asked && Mock.wordsOf(asked)).toEqual(["Hello"])
    expect(asked?.tools.map(({ name }) => name)).toEqual(["list_files", "read_file"])
    expect(JSON.stringify(asked)).not.toContain("passthrough")
  })

  it("runs the tools that the model calls, until it calls none", async () => {
    const answers = [
      Mock.calls("list_files", { path: "." }),
      Mock.calls("read_file", { path: "menu.txt" }),
      Mock.says("There is soup.")
    ]
    const { ended } = await talk(answers, "What is there to eat?")
    expect(ended).toEqual(["completed"])
    const last = mock.asked[2]
    expect(last?.input.map(({ type }) => type)).toEqual([
      "message",
      "function_call",
      "function_call_output",
      "function_call",
      "function_call_output"
    ])
    expect(last?.input[2]).toMatchObject({ output: "elsewhere\nmenu.txt" })
    expect(last?.input[4]).toMatchObject({ output: "Soup, bread, apples" })
  })

  it("a tool that cannot do it says so to the model", async () => {
    expect(await Tools.run(work, "read_file", '{"path":"../../etc/passwd"}')).toMatch(
      /^error: .* outside of the folder/
    )
    expect(await Tools.run(work, "read_file", '{"path":"elsewhere"}')).toMatch(/^error: .* outside of the folder/)
    expect(await Tools.run(work, "read_file", "no json")).toMatch(/^error: /)
    expect(await Tools.run(work, "no_such_tool", '{"path":"."}')).toBe("error: there is no tool no_such_tool")
  })
})

describe("an endpoint in trouble", () => {
  it("is asked again while it is busy, also when a stream broke off; nothing is recorded twice", async () => {
    const answers = [
      Mock.refuses(500, { message: "oops" }),
      Mock.breaks("Half of", "now"),
      Mock.fails({ code: "server_error", message: "again" }),
      Mock.says("Here.")
    ]
    const { ended, history, told } = await talk(answers, "Are you there?")
    expect(ended).toEqual(["completed"])
    expect(history.length).toBe(2)
    expect(told[0]).toBe("error: oops")
    expect(told.filter((one) => one.startsWith("error: ")).length).toBe(3)
    expect(told.at(-1)).toBe("Here.")
  })

  it("that stays busy, or refuses, fails the turn with its words; the thread goes on", async () => {
    const busy = Mock.refuses(503, { message: "overloaded" })
    const answers = [busy, busy, busy, busy, Mock.refuses(401, { code: "invalid_api_key", message: "wrong key" })]
    const { ended, turns } = await talk([...answers, Mock.says("Now.")], "One", "Two", "Three")
    expect(ended).toEqual(["failed", "failed", "completed"])
    expect(turns.map(({ error }) => error?.message)).toEqual([
      "HTTP 503 overloaded",
      "HTTP 401 invalid_api_key wrong key",
      undefined
    ])
  })

  it("whose context is too small gets a compacted history, made of as much as fits", async () => {
    const tooLong = Mock.refuses(400, { code: "context_length_exceeded", message: "too long" })
    const answers = [
      Mock.says("One."),
      Mock.says("Two."),
      tooLong,
      tooLong,
      Mock.says("They counted to two."),
      Mock.says("Three.")
    ]
    const { ended, turns, window } = await talk(answers, "Say one", "Say two", "Say three")
    expect(ended).toEqual(["completed", "completed", "completed"])
    expect(window.number).toBe(1)
    expect(turns[2]?.items.map(({ type }) => type)).toEqual(["userMessage", "contextCompaction", "agentMessage"])
    const [, , , whole, shorter, after] = mock.asked
    expect(whole && Mock.wordsOf(whole).length).toBe(6)
    expect(shorter && Mock.wordsOf(shorter).length).toBe(4)
    const words = after === undefined ? [] : Mock.wordsOf(after)
    expect(words.slice(0, 3)).toEqual(["Say one", "Say two", "Say three"])
    expect(words.at(-1)).toContain("They counted to two.")
    expect(words.join()).not.toContain("One.")
  })

  it("whose context is too small for anything fails the turn", async () => {
    const tooLong = Mock.fails({ code: "context_length_exceeded", message: "too long" })
    const { ended, turns } = await talk([tooLong, tooLong, tooLong], "Hello")
    expect(ended).toEqual(["failed"])
    expect(turns[0]?.error?.codexErrorInfo).toBe("contextWindowExceeded")
  })
})

describe("the command", () => {
  beforeAll(() => {
    execFileSync(process.execPath, [join(folder, "../../node_modules/typescript/bin/tsc"), "-b", folder])
  }, 60_000)

  const run = (words: string) => {
    const args = ["--url", mock.url, "--store", "sqlite:threads.db", "--model", "m", words]
    const child = spawn(process.execPath, [join(folder, "dist/main.js"), ...args], { cwd: work })
    let out = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      out += text
    })
    const says = (words: string) =>
      new Promise<void>((resolve) => child.stdout.on("data", () => (out.includes(words) ? resolve() : undefined)))
    return { child, says, ended: once(child, "close").then(([code]) => ({ code: code as number, out })) }
  }

  it("prints what comes in; Ctrl-C leaves an interrupted turn, and the next run goes on", async () => {
    mock.answers.push(
      Mock.calls("read_file", { path: "menu.txt" }),
      Mock.says("Soup and more."),
      Mock.breaks("Well, ", "never"),
      Mock.says("As I was saying.")
    )
    const first = await run("What is there?").ended
    expect(first).toEqual({ code: 0, out: '· read_file {"path":"menu.txt"}\nSoup and more.\n· completed\n' })

    const second = run("Tell me everything")
    await second.says("Well, ")
    second.child.kill("SIGINT")
    expect(await second.ended).toMatchObject({ code: 130, out: expect.stringContaining("· interrupted") })

    const third = await run("Go on").ended
    expect(third.out).toBe("As I was saying.\n· completed\n")
    const last = mock.asked.at(-1)
    const words = last === undefined ? [] : Mock.wordsOf(last)
    expect(words.filter((one) => one.startsWith("<turn_aborted>")).length).toBe(1)
    expect(words.at(-1)).toBe("Go on")

    await using skein = await openSkein({ store: `sqlite:${join(work, "threads.db")}` })
    const [thread] = (await skein.listPage()).items
    const { turns } = await skein.read(thread?.id ?? "", { turns: true })
    expect(turns?.map(({ status }) => status)).toEqual(["completed", "interrupted", "completed"])
  }, 60_000)

  it("says what is wrong with an endpoint that refuses", async () => {
    mock.answers.push(Mock.refuses(404, { message: "no such model" }))
    expect(await run("Hello").ended).toEqual({ code: 1, out: "· failed: HTTP 404 no such model\n" })
  }, 60_000)
})

it("events are the same however they are cut into chunks", async () => {
  const text = 'event: a\r\ndata: {"n":1}\r\n\r\n: ping\n\ndata:one\ndata: two\n\ndata: ü€😀\r\rdata: not ended'
  const bytes = new TextEncoder().encode(text)
  const cuts = fc
    .array(fc.nat(bytes.length), { maxLength: 12 })
    .map((all) => [...all, bytes.length].sort((a, b) => a - b))
  await fc.assert(
    fc.asyncProperty(cuts, async (ends) => {
      async function* chunks() {
        for (const [i, end] of ends.entries()) yield bytes.slice(ends[i - 1] ?? 0, end)
      }
      const found: Array<string> = []
      for await (const one of Sse.data(chunks())) found.push(one)
      expect(found).toEqual(['{"n":1}', "one\ntwo", "ü€😀"])
    })
  )
})
