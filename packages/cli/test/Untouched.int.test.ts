import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it, vi } from "vitest"
import { samples } from "../../core/test/corpus.js"
import * as Home from "../../store-fs/test/Home.js"
import { documents, skein } from "./command.js"
import * as Stores from "./Stores.js"

afterEach(() => {
  vi.unstubAllEnvs()
  Home.removeAll()
})

/** What there is in a folder: names, times, sizes and contents. */
const everything = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => {
      const facts = statSync(path)
      return `${path} ${facts.ino} ${facts.mtimeMs} ${facts.isFile() ? readFileSync(path, "latin1") : ""}`
    })
    .sort()

/** Every verb that only reads, with an id where it takes one. */
const reading = (id: string): ReadonlyArray<ReadonlyArray<string>> => [
  ...["show", "diff", "context", "world", "windows", "verify", "demo"].map((verb) => [verb, id]),
  ["verify"],
  ["tree"],
  ["demo"],
  ["ls", "--all"],
  ["ls", "--tree"],
  ["ls", "--descendants-of", id],
  ["search", "the"],
  ["backup", "--to", "/dev/null/x"],
  ["doctor"]
]

describe("a home is never changed by a verb that reads", () => {
  const check = async (home: string, id: string) => {
    const before = everything(home)
    for (const [verb = "", ...words] of reading(id)) {
      await skein(verb, "--store", `fs:${home}`, ...words)
      await skein(verb, ...(verb === "demo" ? [] : ["--json"]), "--store", `fs:${home}`, ...words)
      expect(everything(home), `${verb} ${words.join(" ")}`).toEqual(before)
    }
    const { code } = await skein("copy", "--yes", "--from", `fs:${home}`, "--to", "memory:")
    expect([code, everything(home)]).toEqual([0, before])
  }

  it.each(["0.142.4", "0.145.0"])("one of Codex %s", async (version) => {
    vi.stubEnv("XDG_CACHE_HOME", Home.temporary())
    const home = join(Home.temporary(), "home")
    cpSync(join(samples, version), home, { recursive: true })
    const [document] = documents(await skein("ls", "--json", "--store", `fs:${home}`))
    const [first] = (document?.["items"] ?? []) as ReadonlyArray<{ readonly id: string }>
    await check(home, first?.id ?? "")
  })

  it("one of Skein's own, in which something was begun and not finished", async () => {
    vi.stubEnv("XDG_CACHE_HOME", Home.temporary())
    const home = Stores.pathOf(await Stores.family("fs"))
    const intents = join(home, ".skein/intents")
    mkdirSync(intents, { recursive: true })
    const intent = { kind: "archive", threadId: Stores.id(7), at: 1_795_000_000_000 }
    writeFileSync(join(intents, `archive.${Stores.id(7)}.json`), JSON.stringify(intent))
    await check(home, Stores.id(1))
    // A verb that changes something finishes it.
    expect((await skein("rename", "--store", `fs:${home}`, Stores.id(1), "Other")).code).toBe(0)
    expect(readdirSync(intents)).toEqual([])
  })
})

describe("what is remembered of a home", () => {
  it("lies in the cache folder, one file for each home, and is made anew when it is damaged", async () => {
    const cache = Home.temporary()
    vi.stubEnv("XDG_CACHE_HOME", cache)
    const address = await Stores.family("fs")
    const list = () => skein("ls", "--json", "--all", "--store", address)
    const before = await list()
    expect(before.code).toBe(0)
    const [name = ""] = readdirSync(join(cache, "skein")).filter((one) => one.endsWith(".db"))
    expect(name).toMatch(/^home-[0-9a-f]{24}\.db$/)
    expect(await list()).toEqual(before)
    writeFileSync(join(cache, "skein", name), "This is no database. ".repeat(500))
    const after = await list()
    expect([after.code, after.out]).toEqual([0, before.out])
    expect(after.err).toMatch(/was damaged; it was moved to .* and is made again\.\n$/)
    expect(await list()).toEqual(before)
  })

  it("is found out anew each time where the cache cannot be written", async () => {
    const address = await Stores.family("fs")
    for (const folder of ["/dev/null/cache", join(Home.home({ file: "" }), "file")]) {
      vi.stubEnv("XDG_CACHE_HOME", folder)
      const { code, err, out } = await skein("ls", "--store", address)
      expect([code, err, out.split("\n").length]).toEqual([0, "", 7])
    }
  })
})
