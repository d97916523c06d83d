import { afterAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import { type Answer, documents, skein } from "./command.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

const ids = async (address: string, ...words: ReadonlyArray<string>) =>
  (
    documents(await skein("ls", "--json", "--reverse", "--store", address, ...words))[0] as unknown as {
      readonly items: ReadonlyArray<{ readonly id: string }>
    }
  ).items.map(({ id }) => Number.parseInt(id.slice(-12), 16))

const missing = Stores.id(99)
const missingDocument = { file: missing, error: { tag: "ThreadNotFound", threadId: missing } }

describe.each(Stores.kinds)("skein rename in %s", (kind) => {
  it("gives a thread a name, and takes it away; both are told", async () => {
    const address = await Stores.family(kind)
    const rename = (...words: ReadonlyArray<string>) => skein("rename", "--store", address, ...words)
    expect(await rename(Stores.id(2), "  Scales 📦 ")).toEqual({
      code: 0,
      out: `${Stores.id(2)} is Scales 📦\n`,
      err: ""
    })
    expect(documents(await rename("--json", Stores.id(2), "-Scales"))).toMatchObject([
      { id: Stores.id(2), name: "-Scales" }
    ])
    expect((await rename(Stores.id(2), "")).out).toBe(`${Stores.id(2)} shows no name; it is about weigh the parcels\n`)
    expect(documents(await rename("--json", Stores.id(4), "Archived ones too"))[0]).toMatchObject({
      name: "Archived ones too"
    })
  })

  it("a thread that is not there is told, one without sense refused with 2", async () => {
    const address = await Stores.family(kind)
    const answer = await skein("rename", "--json", "--store", address, missing, "x")
    expect([answer.code, documents(answer)]).toMatchObject([1, [missingDocument]])
    for (const words of [["nonsense", "x"], [Stores.id(1)], []]) {
      expect([words, (await skein("rename", "--store", address, ...words)).code]).toEqual([words, 2])
    }
  })
})

describe.each(Stores.kinds)("skein archive and unarchive in %s", (kind) => {
  it("move threads there and back; children stay, and one that cannot be moved keeps none back", async () => {
    const address = await Stores.family(kind)
    const answer = await skein(
      "archive",
      "--json",
      "--store",
      address,
      Stores.id(1),
      Stores.id(4),
      missing,
      Stores.id(7)
    )
    expect(answer.code).toBe(1)
    expect(documents(answer)).toMatchObject([
      { id: Stores.id(1), archived: true },
      { file: Stores.id(4), error: { tag: "InvalidRequest" } },
      missingDocument,
      { id: Stores.id(7), archived: true }
    ])
    expect(await ids(address)).toEqual([2, 3, 6])
    expect(await ids(address, "--archived")).toEqual([1, 4, 7])
    expect(await skein("unarchive", "--store", address, Stores.id(1), Stores.id(4))).toEqual({
      code: 0,
      out: `${Stores.id(1)} is active again\n${Stores.id(4)} is active again\n`,
      err: ""
    })
    expect(await ids(address)).toEqual([1, 2, 3, 4, 6])
    expect((await skein("unarchive", "--store", address, Stores.id(1))).code).toBe(1)
    expect((await skein("archive", "--store", address)).code).toBe(2)
  })
})

describe.each(Stores.kinds)("skein rm in %s", (kind) => {
  it("refuses where nobody can be asked, after it said what would go", async () => {
    const address = await Stores.family(kind)
    const { code, err, out } = await skein("rm", "--store", address, Stores.id(1))
    expect([code, out]).toEqual([2, ""])
    expect(err).toBe(
      [
        `${Stores.id(1)}  Parcels`,
        `  and below it ${Stores.id(3)}  label the crates`,
        `  and below it ${Stores.id(2)}  weigh the parcels`,
        "Nothing was deleted: nobody can be asked here. Say --yes.",
        ""
      ].join("\n")
    )
    expect(await ids(address)).toEqual([1, 2, 3, 6, 7])
  })

  it("with --yes deletes what is below first, and says what stays for others", async () => {
    const address = await Stores.family(kind)
    const answer = await skein("rm", "--yes", "--json", "--store", address, Stores.id(1), Stores.id(2), missing)
    expect(answer.code).toBe(1)
    expect(documents(answer)).toMatchObject([
      missingDocument,
      { id: Stores.id(1), deleted: [Stores.id(3), Stores.id(2), Stores.id(1)] },
      { id: Stores.id(2), deleted: [], kept: [] }
    ])
    expect(await ids(address, "--all")).toEqual([4, 5, 6, 7])
    const fork = documents(await skein("show", "--json", "--store", address, Stores.id(6)))[0]
    expect(fork?.["turns"]).toHaveLength(2)
    expect((await skein("rm", "--yes", "--store", address, Stores.id(1))).code).toBe(1)
  })

  it("--only leaves what is below", async () => {
    const address = await Stores.family(kind)
    const answer: Answer = await skein("rm", "--yes", "--only", "--store", address, Stores.id(2))
    expect(answer).toMatchObject({ code: 0, out: `${Stores.id(2)} is deleted\n` })
    expect(await ids(address, "--all")).toEqual([1, 3, 4, 5, 6, 7])
  })
})
