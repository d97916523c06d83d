import { Effect } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import { corpus, rolloutsBelow, samples } from "../../core/test/corpus.js"
import * as Home from "../../store-fs/test/Home.js"
import { documents, skein } from "./command.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

/** The verbs that answer about one thread, each with words of its own. */
const asking: ReadonlyArray<ReadonlyArray<string>> = [
  ["show"],
  ["show", "--items"],
  ["show", "--at", "3"],
  ["diff"],
  ["diff", "--from", "4"],
  ["context"],
  ["world"],
  ["world", "--changes"],
  ["windows"],
  ["verify"]
]

describe.each(Stores.kinds)("reading verbs in %s", (kind) => {
  const address = Stores.family(kind)
  const ask = async ([verb = "", ...words]: ReadonlyArray<string>, ...ids: ReadonlyArray<string>) =>
    skein(verb, "--json", "--store", await address, ...words, ...ids)

  it("take ids, of archived threads too, and answer a document each", async () => {
    for (const words of asking) {
      const answer = await ask(words, Stores.id(1), Stores.id(6), Stores.id(4).toUpperCase())
      expect([words, answer.code, answer.err]).toEqual([words, 0, ""])
      const files = documents(answer).map(({ file }) => file)
      expect(files).toEqual([Stores.id(1), Stores.id(6), Stores.id(4).toUpperCase()])
    }
    const [shown] = documents(await ask(["show"], Stores.id(6)))
    expect(shown).toMatchObject({ thread: { id: Stores.id(6), forkedFromId: Stores.id(1) }, turns: { length: 2 } })
    const [named] = documents(await ask(["show"], Stores.id(1)))
    expect(named).toMatchObject({ thread: { name: "Parcels" } })
  })

  it("a thread that is not there, and a word that is no id, keep none back", async () => {
    for (const words of asking) {
      const answer = await ask(words, Stores.id(99), "nonsense", Stores.id(2))
      expect([words, answer.code, documents(answer)]).toMatchObject([
        words,
        1,
        [
          { file: Stores.id(99), error: { tag: "ThreadNotFound" } },
          { file: "nonsense", error: { tag: "InvalidRequest", field: "threadId" } },
          { file: Stores.id(2) }
        ]
      ])
    }
  })

  it("verify and demo without ids read every thread, tree is of all of them", async () => {
    const verified = await ask(["verify"])
    expect([verified.code, documents(verified).length]).toEqual([0, 7])
    const [tree] = documents(await ask(["tree"]))
    expect(tree?.["home"]).toBe(await address)
    const agents = tree?.["agents"] as ReadonlyArray<{
      readonly id: string
      readonly depth: number
      readonly archived: boolean
    }>
    expect(agents.map(({ depth, id }) => `${" ".repeat(depth)}${Number.parseInt(id.slice(-12), 16)}`)).toEqual([
      "1",
      " 2",
      "  3",
      "4",
      "5",
      "6",
      "7"
    ])
    expect(agents.filter(({ archived }) => archived).map(({ id }) => id)).toEqual([Stores.id(4)])
    const demo = await skein("demo", "--store", await address)
    expect(demo).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/7 threads replayed\.\n$/) })
    const one = await skein("demo", "--store", await address, Stores.id(2))
    expect(one.out).toMatch(/1 thread replayed\.\n$/)
  })

  it("a line number counts the lines of the thread's newest segment, and a turn is found by its id", async () => {
    const at = async (position: string) => {
      const [document] = documents(await ask(["show", "--at", position], Stores.id(1)))
      return ((document?.["turns"] ?? []) as ReadonlyArray<object>).length
    }
    expect(await at("1")).toBe(0)
    expect(await at("turn 1 count the parcels")).toBe(1)
    const beyond = await ask(["show", "--at", "100"], Stores.id(1))
    expect([beyond.code, documents(beyond)[0]]).toMatchObject([1, { error: { field: "--at" } }])
  })
})

describe("stores that cannot be opened", () => {
  it("nonsense in the place of a store is refused with 2", async () => {
    for (const store of [
      "",
      "nonsense",
      "fs",
      "fs:",
      "sqlite:",
      "http://x",
      "memory:x",
      "FS:/tmp",
      "/tmp",
      "fs:a\0b"
    ]) {
      for (const verb of [["ls"], ["show", Stores.id(1)], ["doctor"]]) {
        const answer = await skein(...verb, "--store", store)
        expect([store, verb, answer.code, answer.out]).toEqual([store, verb, 2, ""])
        expect(answer.err).toMatch(/--store: /)
      }
    }
    expect((await skein("ls", "--store", "/tmp")).err).toMatch(/Did you mean fs:\/tmp\?/)
    expect((await skein("ls")).code).toBe(2)
  })

  it("one that is not there, or is the other of file and folder, is told with the way out, and nothing is made", async () => {
    const folder = Home.home({ file: "x" })
    const cases: ReadonlyArray<readonly [string, RegExp]> = [
      [`sqlite:${folder}/none.db`, /there is no such file.*Check the path/],
      [`sqlite:${folder}`, /it is a folder, not a database.*fs:/],
      [`fs:${folder}/none`, /there is no such folder/],
      [`fs:${folder}/file`, /it is no folder/],
      [`sqlite:${folder}/file/x.db`, /\/file\/x\.db/]
    ]
    for (const [store, message] of cases) {
      for (const verb of [["ls"], ["show", Stores.id(1)], ["tree"], ["rename", Stores.id(1), "x"]]) {
        const answer = await skein(...verb, "--store", store)
        expect([store, verb, answer.code, answer.out]).toEqual([store, verb, 1, ""])
        expect(answer.err).toMatch(message)
        const [document] = documents(await skein(...verb, "--json", "--store", store))
        expect(document).toMatchObject({ file: store, error: { tag: "StoreUnavailable", paths: expect.any(Array) } })
      }
    }
  })

  it("a file that is no database is refused, and left as it is", async () => {
    const file = `${Home.home({ "x.db": "This is no database. ".repeat(100) })}/x.db`
    const answer = await skein("ls", "--store", `sqlite:${file}`)
    expect([answer.code, answer.out]).toEqual([1, ""])
    expect(answer.err).toContain(file)
  })

  it("verbs without a store still need a path", async () => {
    for (const words of [["verify"], ["tree"], ["tree", "--store", "memory:", "x"]]) {
      expect([words, (await skein(...words)).code]).toEqual([words, 2])
    }
  })
})

/** A document without what names the place that it was read from. */
const placeless = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, inner) => (key === "file" || key === "path" ? undefined : inner)))

describe("a thread in a store answers as its file does", () => {
  it("every sample, by every verb", { timeout: 60_000 }, async () => {
    const folder = corpus === undefined ? samples : `${corpus}/0.145.0`
    const files = rolloutsBelow(folder).slice(0, 12)
    const store = Stores.fresh("sqlite")
    const { imported } = await import("./imports.js")
    const ids = await Stores.inside(store, (opened) => Effect.forEach(files, (file) => imported(opened, file)))
    for (const [verb = "", ...words] of asking) {
      const fromFiles = documents(await skein(verb, "--json", ...words, ...files))
      const fromStore = documents(await skein(verb, "--json", "--store", store, ...words, ...ids))
      expect(fromStore.map(placeless)).toEqual(fromFiles.map(placeless))
    }
  })
})
