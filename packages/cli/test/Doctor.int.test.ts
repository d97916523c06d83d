import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { compress } from "@mongodb-js/zstd"
import { afterAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import type { DoctorDocument } from "../src/verb/Doctor.js"
import { documents, skein } from "./command.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

const doctor = async (address: string, ...words: ReadonlyArray<string>) => {
  const answer = await skein("doctor", "--json", "--store", address, ...words)
  expect(answer.err).toBe("")
  return { code: answer.code, ...(documents(answer)[0] as unknown as DoctorDocument) }
}

const codes = (findings: DoctorDocument["findings"] | null) =>
  findings?.map(({ code, severity }) => `${severity} ${code}`).sort()

/** What lies in a folder, by path, with time and content. */
const everything = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${statSync(path).mtimeMs} ${readFileSync(path, "latin1")}`)
    .sort()

describe.each(Stores.kinds)("skein doctor of %s", (kind) => {
  it("finds nothing wrong with a good store, and repairs nothing", async () => {
    const address = await Stores.family(kind)
    const found = await doctor(address)
    expect(found).toMatchObject({ code: 0, store: address, repair: null, remaining: null })
    expect(codes(found.findings)?.filter((code) => !code.startsWith("info"))).toEqual([])
    const before = kind === "fs" ? everything(Stores.pathOf(address)) : []
    const repaired = await doctor(address, "--repair")
    expect(repaired).toMatchObject({ code: 0, repair: { backup: null, done: [], losses: [] } })
    if (kind === "fs") expect(everything(Stores.pathOf(address))).toEqual(before)
    const { code, out } = await skein("doctor", "--store", address)
    expect([code, out.split("\n")[0]]).toEqual([0, `${address}: nothing is wrong`])
  })

  it("a store that is not there is told, and nothing made", async () => {
    const address = `${kind}:${join(Home.temporary(), "none")}`
    const answer = await skein("doctor", "--json", "--repair", "--store", address)
    expect([answer.code, documents(answer)[0]]).toMatchObject([
      1,
      { file: address, error: { tag: "StoreUnavailable" } }
    ])
    expect(existsSync(Stores.pathOf(address))).toBe(false)
  })
})

describe("skein doctor of a home", () => {
  const say = (text: string) => Home.say(text)
  const thread = (n: number, ...lines: ReadonlyArray<string>) =>
    Home.document(Home.legacyMeta(n), say("hello"), ...lines)

  it("damage in lines, lost and circular bases, each with its place and a way out", async () => {
    const home = Home.home({
      [Home.file(1)]: `${thread(1)}{"broken\n${say("more")}\n`,
      [Home.file(2)]: Home.document(Home.meta(2, 3, { thread: 99, ordinal: 3, offset: 100 })),
      [Home.file(3)]: Home.document(Home.meta(3, 3, { thread: 4, ordinal: 3, offset: 10 })),
      [Home.file(4)]: Home.document(Home.meta(4, 3, { thread: 3, ordinal: 3, offset: 10 })),
      [Home.file(5)]: `${thread(5)}{"timestamp":"2026`
    })
    const { code, findings } = await doctor(`fs:${home}`)
    expect(code).toBe(1)
    const at = (n: number) => findings.filter(({ threadId }) => threadId === Home.id(n))
    expect(at(1)).toMatchObject([
      { severity: "error", code: "invalid-json", path: join(home, Home.file(1)), line: 3, advice: expect.any(String) }
    ])
    expect(codes(at(2))).toEqual(["error missing-base"])
    expect(codes(at(3))).toContain("error cyclic-base")
    expect(codes(at(4))).toContain("error cyclic-base")
    expect(codes(at(5))).toEqual(["error torn", "info no-final-newline"])
  })

  it("files that claim to be one part of a thread, in two forms, of nobody, or no files at all", async () => {
    const archived = (n: number) => `archived_sessions/${basename(Home.file(n))}`
    const home = Home.home({
      [Home.file(1)]: thread(1),
      [archived(1)]: thread(1, say("another end")),
      [Home.file(2)]: thread(2),
      [archived(2)]: thread(2),
      [Home.file(3)]: thread(3),
      [`${Home.file(3)}.zst`]: await compress(Buffer.from(thread(3))),
      [Home.file(4)]: "\n\n",
      [Home.file(5)]: thread(6),
      "session_index.jsonl": `${JSON.stringify({ id: Home.id(77), thread_name: "gone", updated_at: "" })}\nnonsense\n`
    })
    mkdirSync(join(home, Home.file(7)))
    const { code, findings } = await doctor(`fs:${home}`)
    const before = everything(home)
    expect(code).toBe(1)
    expect(codes(findings)).toEqual([
      "error duplicate-file",
      "info empty-file",
      "info stray-name",
      "warning duplicate-file",
      "warning foreign-header",
      "warning no-file",
      "warning two-forms",
      "warning unreadable-name"
    ])
    // Which file is right is for people to say.
    const { remaining, repair } = await doctor(`fs:${home}`, "--repair")
    expect([repair, codes(remaining)]).toEqual([{ backup: null, done: [], losses: [] }, codes(findings)])
    expect(everything(home)).toEqual(before)
  })

  it("what a crash left is finished or moved away, and kept", async () => {
    const address = await Stores.family("fs")
    const home = Stores.pathOf(address)
    const own = (...parts: ReadonlyArray<string>) => join(home, ".skein", ...parts)
    const write = (path: string, content: string, isOld = false): void => {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      if (isOld) utimesSync(path, 1_700_000_000, 1_700_000_000)
    }
    const instance = "019c2b10-7a00-7c00-8000-00000000abcd"
    const day = join(home, "sessions/2026/11/20")
    const intent = { kind: "archive", threadId: Stores.id(2), at: 1_795_000_000_000 }
    write(own("intents", `archive.${Stores.id(2)}.json`), JSON.stringify(intent))
    write(own("threads", `${Stores.id(88)}.json`), '{"v":1,"memoryMode":"disabled"}')
    write(own("threads", `${Stores.id(3)}.json`), "nonsense")
    write(own("leases", Stores.id(88), "4"), "cut off")
    write(join(day, `rollout-x.jsonl.${instance}.tmp`), "half", true)
    write(join(day, `rollout-y.jsonl.${instance}.tmp`), "being written")
    write(join(day, "somebody-elses.tmp"), "theirs", true)
    const { findings } = await doctor(address)
    expect(codes(findings)?.filter((code) => !code.startsWith("info"))).toEqual([
      "error unreadable-metadata",
      "warning left-temporary",
      "warning stray-lease",
      "warning stray-metadata",
      "warning unfinished-change"
    ])
    const { code, remaining, repair } = await doctor(address, "--repair")
    expect(code).toBe(0)
    expect(remaining?.filter(({ severity }) => severity !== "info")).toEqual([])
    const backup = repair?.backup ?? ""
    expect(backup.startsWith(own("backup-"))).toBe(true)
    expect(readFileSync(join(backup, `sessions/2026/11/20/rollout-x.jsonl.${instance}.tmp`), "utf8")).toBe("half")
    expect(readFileSync(join(backup, `.skein/threads/${Stores.id(3)}.json`), "utf8")).toBe("nonsense")
    expect(existsSync(join(backup, `.skein/leases/${Stores.id(88)}/4`))).toBe(true)
    expect(existsSync(join(day, `rollout-y.jsonl.${instance}.tmp`))).toBe(true)
    expect(existsSync(join(day, "somebody-elses.tmp"))).toBe(true)
    const archived = documents(await skein("ls", "--json", "--archived", "--reverse", "--store", address))[0]
    expect(((archived?.["items"] ?? []) as ReadonlyArray<{ readonly id: string }>).map(({ id }) => id)).toEqual([
      Stores.id(2),
      Stores.id(4)
    ])
  })

  it("rows in the cache that are not what the files say are made anew", async () => {
    const address = await Stores.family("fs")
    const list = async () => documents(await skein("ls", "--json", "--all", "--store", address))[0]
    const before = await list()
    const cache = join(process.env["XDG_CACHE_HOME"] ?? "", "skein")
    const { default: Sqlite } = await import("better-sqlite3")
    const names = readdirSync(cache).filter((one) => one.endsWith(".db"))
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) {
      const database = new Sqlite(join(cache, name))
      const summary = "UPDATE details SET summary = replace(summary, 'count', 'mount'), preview = 'mount the parcels'"
      database.prepare(`${summary} WHERE pk IN (SELECT pk FROM threads WHERE id = ?)`).run(Stores.id(1))
      database.close()
    }
    const { code, findings } = await doctor(address)
    expect([code, codes(findings)]).toMatchObject([1, expect.arrayContaining(["warning stale"])])
    const repaired = await doctor(address, "--repair")
    expect(repaired).toMatchObject({
      code: 0,
      repair: { backup: null, done: ["what was remembered of the home in the cache was forgotten"] }
    })
    expect(await list()).toEqual(before)
  })
})

describe("skein doctor of a database", () => {
  /** Writes over some of a file. */
  const spoil = (path: string, from: number, length: number): void => {
    const file = openSync(path, "r+")
    writeSync(file, Buffer.alloc(length, 0x5a), 0, length, from)
    closeSync(file)
  }

  it("damage is found, what can be read is saved, and the old file kept", async () => {
    const address = await Stores.family("sqlite")
    const path = Stores.pathOf(address)
    spoil(path, Math.floor(statSync(path).size / 2 / 4096) * 4096, 4096)
    // SQLite counts openings in the head of a file.
    const content = (file: string) => readFileSync(file).subarray(100)
    const broken = content(path)
    const { code, findings } = await doctor(address)
    expect([code, findings.some(({ severity }) => severity === "error")]).toEqual([1, true])
    expect(findings.find(({ severity }) => severity === "error")?.advice).toMatch(/--repair/)
    expect(content(path).equals(broken)).toBe(true)
    const { repair } = await doctor(address, "--repair")
    expect(content(join(repair?.backup ?? "", basename(path))).equals(broken)).toBe(true)
    expect((await skein("ls", "--all", "--store", address)).code).toBe(0)
    const again = await doctor(address)
    expect(codes(again.findings)?.filter((one) => one === "error unreadable")).toEqual([])
  })

  it("what is no database at all is not touched", async () => {
    const path = join(Home.temporary(), "x.db")
    appendFileSync(path, "This was never a database. ".repeat(1000))
    const before = readFileSync(path)
    const { code } = await skein("doctor", "--repair", "--store", `sqlite:${path}`)
    expect(code).toBe(1)
    expect(readFileSync(path).equals(before)).toBe(true)
    rmSync(path)
  })
})
