import { afterAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import * as Row from "../src/Row.js"
import * as Text from "../src/Text.js"
import { type Answer, documents, skein } from "./command.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

const numbers = (items: ReadonlyArray<{ readonly id: string }>) =>
  items.map(({ id }) => Number.parseInt(id.slice(-12), 16))

interface Listed {
  readonly items: ReadonlyArray<Readonly<Record<string, unknown>> & { readonly id: string }>
  readonly nextCursor: string | null
  readonly backwardsCursor: string | null
}

const listed = (answer: Answer): Listed => documents(answer)[0] as unknown as Listed

describe.each(Stores.kinds)("skein ls of %s", (kind) => {
  const address = Stores.family(kind)
  const ls = async (...words: ReadonlyArray<string>) => skein("ls", "--json", "--store", await address, ...words)
  const found = async (...words: ReadonlyArray<string>) => numbers(listed(await ls(...words)).items)

  it("one document with exactly the keys that are promised, times in milliseconds", async () => {
    const answer = await ls("--term", "Parcels")
    expect(answer).toMatchObject({ code: 0, err: "" })
    const document = listed(answer)
    expect(Object.keys(document)).toEqual(["items", "nextCursor", "backwardsCursor"])
    expect(document.nextCursor).toBe(null)
    expect(document.items).toEqual([
      {
        id: Stores.id(1),
        sessionId: Stores.id(1),
        forkedFromId: null,
        parentThreadId: null,
        preview: "count the parcels",
        name: "Parcels",
        firstUserMessage: "count the parcels",
        modelProvider: "openai",
        model: "model-turn 1 count the parcels",
        reasoningEffort: null,
        approvalPolicy: "never",
        permissions: { type: "danger-full-access" },
        createdAt: Date.parse("2026-11-20T12:01:00.000Z"),
        updatedAt: Date.parse("2026-11-20T12:01:01.000Z"),
        recencyAt: Date.parse("2026-11-20T12:01:01.000Z"),
        archivedAt: null,
        cwd: "/repo",
        cliVersion: "0.1.0",
        originator: "test",
        source: "cli",
        threadSource: null,
        historyMode: "legacy",
        agentNickname: null,
        agentRole: null,
        agentPath: null,
        gitInfo: null,
        memoryMode: "enabled",
        tokensUsed: null,
        metadata: {},
        path: kind === "fs" ? expect.stringMatching(/^.*\/sessions\/2026\/11\/20\/rollout-.*\.jsonl$/) : null
      }
    ])
  })

  it("the newest first; archived ones and those with nothing to show only when asked for", async () => {
    expect(await found()).toEqual([7, 6, 3, 2, 1])
    expect(await found("--reverse")).toEqual([1, 2, 3, 6, 7])
    expect(await found("--archived")).toEqual([4])
    expect(await found("--all")).toEqual([7, 6, 5, 4, 3, 2, 1])
    for (const sort of ["created", "updated", "recency"]) expect(await found("--sort", sort)).toEqual([7, 6, 3, 2, 1])
  })

  it("every filter", async () => {
    expect(await found("--source", "exec")).toEqual([7])
    expect(await found("--source", "exec", "--source", "cli")).toEqual([7, 6, 1])
    expect(await found("--source", "subAgent:thread_spawn")).toEqual([3, 2])
    expect(await found("--provider", "other")).toEqual([7])
    expect(await found("--provider", "none", "--default-provider", "none")).toEqual([])
    expect(await found("--cwd", "/repo/./")).toEqual([6, 3, 2, 1])
    expect(await found("--cwd", "/nowhere")).toEqual([])
    expect(await found("--term", "parcels")).toEqual([6, 2, 1])
    expect(await found("--children-of", Stores.id(1))).toEqual([2])
    expect(await found("--descendants-of", Stores.id(1).toUpperCase())).toEqual([3, 2])
    expect(await found("--meta", "tenant=acme")).toEqual([6])
    expect(await found("--meta", "tenant=acme", "--meta", "user=nobody")).toEqual([])
  })

  it("pages follow each other without loss or repeat, and lead back", async () => {
    const seen: Array<number> = []
    let cursor: string | null = null
    let pages = 0
    do {
      const page = listed(await ls("--limit", "2", ...(cursor === null ? [] : ["--cursor", cursor])))
      seen.push(...numbers(page.items))
      cursor = page.nextCursor
      pages++
    } while (cursor !== null)
    expect([seen, pages]).toEqual([[7, 6, 3, 2, 1], 3])
    const { nextCursor } = listed(await ls("--limit", "2"))
    const { backwardsCursor } = listed(await ls("--limit", "2", "--cursor", nextCursor ?? ""))
    expect(await found("--reverse", "--cursor", backwardsCursor ?? "")).toEqual([6, 7])
  })

  it("a tree has all that pass, each below the one that spawned it", async () => {
    const document = listed(await ls("--tree"))
    expect(document.items.map(({ children, depth, id }) => [...numbers([{ id }]), depth, children])).toEqual([
      [7, 0, []],
      [6, 0, []],
      [1, 0, [Stores.id(2)]],
      [2, 1, [Stores.id(3)]],
      [3, 2, []]
    ])
    expect(document).toMatchObject({ nextCursor: null, backwardsCursor: null })
    expect(numbers(listed(await ls("--tree", "--descendants-of", Stores.id(1))).items)).toEqual([2, 3])
  })

  it("a table for people: how long ago, what it is, its id, where it works", async () => {
    const { code, out } = await skein("ls", "--store", await address, "--all", "--reverse", "--limit", "6")
    expect(code).toBe(0)
    const lines = out.split("\n")
    expect(lines[0]).toMatch(/^ {2}.{10} {2}Parcels +019c2b10-7a00-7c00-8000-000000000001 {2}\/repo$/)
    expect(lines[3]).toMatch(/move the pallets .*\(archived\)$/)
    expect(lines[6]).toMatch(
      /^ {2}6 threads; the next page: --cursor c[0-9a-z]+\.019c2b10-7a00-7c00-8000-000000000006$/
    )
    expect(new Set(lines.slice(0, 6).map((line) => line.indexOf("019c2b10"))).size).toBe(1)
    const tree = (await skein("ls", "--store", await address, "--tree")).out
    expect(tree).toMatch(/Parcels .*\n.*└─ weigh the parcels .*\n.* {3}└─ label the crates /)
    expect((await skein("ls", "--store", await address, "--term", "nothing")).out).toBe("  no threads\n")
  })

  it("requests that make no sense are refused with 2, with --json too, and nothing is listed", async () => {
    const bad: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
      [["--limit", "0"], /pageSize/],
      [["--limit", "-3"], /pageSize/],
      [["--cursor", "nonsense"], /cursor/],
      [["--cursor", "u0.019c2b10-7a00-7c00-8000-000000000001"], /cursor/],
      [["--children-of", "nonsense"], /childrenOf/],
      [["--children-of", Stores.id(1), "--descendants-of", Stores.id(1)], /descendantsOf/]
    ]
    for (const [words, what] of bad) {
      const answer = await ls(...words)
      expect([words, answer.code]).toEqual([words, 2])
      expect(documents(answer)[0]).toMatchObject({
        error: { tag: "InvalidRequest", field: expect.stringMatching(what) }
      })
      const plain = await skein("ls", "--store", await address, ...words)
      expect(plain).toMatchObject({ code: 2, out: "", err: expect.stringMatching(what) })
    }
    for (const words of [
      ["--limit", "many"],
      ["--sort", "size"],
      ["--meta", "nothing"],
      ["--tree", "--limit", "3"],
      ["x"]
    ]) {
      expect([words, (await ls(...words)).code]).toEqual([words, 2])
    }
  })
})

describe("a row for people", () => {
  const row = {
    id: Stores.id(1),
    name: null,
    preview: "count the parcels and the crates and the pallets and whatever else there is to be counted in here",
    cwd: "/a/rather/long/path/to/a/folder/that/nobody/can/read/at/once",
    createdAt: 0,
    archivedAt: 1,
    historyMode: "from_the_future"
  } as unknown as Row.RowDocument
  const line = (width: number, branch = "") =>
    Row.line(row, { time: "createdAt", now: 60_000, width, style: Text.plain }, branch)

  it("fits into its width, and tells of archive and unknown modes behind it", () => {
    for (const width of [80, 100, 132, 200]) {
      const [head = "", notes] = line(width).split(" (")
      expect([width, head.length <= width, notes]).toEqual([width, true, "archived, of a newer version)"])
      expect(line(width, "└─ ").indexOf(row.id)).toBe(line(width).indexOf(row.id))
    }
    expect(line(20)).toContain(row.id)
    expect(line(80)).not.toContain("/a/rather")
    expect(line(132)).toContain("/a/rather")
  })

  it("holds no control characters, whatever a thread says", () => {
    const bad = { ...row, name: "a\u001b[31mb\nc\u0000d", cwd: "/x\u001b]0;y\u0007" }
    expect(Row.line(bad, { time: "createdAt", now: 0, width: 132, style: Text.plain })).not.toMatch(/\p{Cc}/u)
  })
})

describe("how long ago something was", () => {
  it("in words up to two weeks, else its date", () => {
    const now = Date.parse("2026-11-24T12:00:00Z")
    const cases: ReadonlyArray<readonly [number, string]> = [
      [0, "just now"],
      [59_999, "just now"],
      [60_000, "1 min ago"],
      [3_599_999, "59 min ago"],
      [3_600_000, "1 h ago"],
      [47 * 3_600_000, "47 h ago"],
      [48 * 3_600_000, "2 d ago"],
      [14 * 86_400_000, "2026-11-10"],
      [-1, "2026-11-24"]
    ]
    for (const [past, text] of cases) expect(Text.ago(now - past, now)).toBe(text)
    expect(Text.ago(Number.MAX_VALUE, now)).toBe("?")
  })

  it("wide letters and marks take their room", () => {
    expect([..."aü".normalize("NFD"), "漢", "한", "📦", "👩‍💻"].map(Text.width)).toEqual([1, 1, 0, 2, 2, 2, 4])
  })
})
