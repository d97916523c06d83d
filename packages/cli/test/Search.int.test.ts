import { afterAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import { documents, skein } from "./command.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

describe.each(Stores.kinds)("skein search of %s", (kind) => {
  const address = Stores.family(kind)
  const search = async (...words: ReadonlyArray<string>) =>
    skein("search", "--json", "--store", await address, ...words)

  it("one document: each thread in which a user or an agent said it, with a snippet", async () => {
    const answer = await search("THE PARCELS", "--reverse")
    expect(answer).toMatchObject({ code: 0, err: "" })
    const [document] = documents(answer)
    expect(Object.keys(document ?? {})).toEqual(["items", "nextCursor", "backwardsCursor", "failures"])
    expect(document).toMatchObject({
      items: [
        { thread: { id: Stores.id(1), name: "Parcels" }, snippet: "count the parcels" },
        { thread: { id: Stores.id(2) }, snippet: "weigh the parcels" },
        { thread: { id: Stores.id(6) }, snippet: "count the parcels" }
      ],
      nextCursor: null,
      failures: []
    })
  })

  it("filters and pages are those of ls", async () => {
    const ids = async (...words: ReadonlyArray<string>) => {
      const { items, nextCursor } = documents(await search(...words))[0] as unknown as {
        readonly items: ReadonlyArray<{ readonly thread: { readonly id: string } }>
        readonly nextCursor: string | null
      }
      return [items.map(({ thread }) => Number.parseInt(thread.id.slice(-12), 16)), nextCursor] as const
    }
    expect((await ids("pallets"))[0]).toEqual([])
    expect((await ids("pallets", "--archived"))[0]).toEqual([4])
    const [first, cursor] = await ids("count", "--limit", "1")
    expect(first).toEqual([6])
    expect(await ids("count", "--limit", "1", "--cursor", cursor ?? "")).toEqual([[1], null])
    expect((await ids("labels", "--source", "exec"))[0]).toEqual([7])
  })

  it("for people: the row of ls and what was said", async () => {
    const { code, out } = await skein("search", "weigh", "--store", await address)
    expect(code).toBe(0)
    expect(out).toMatch(/^ {2}.*weigh the parcels .*\n {14}weigh the parcels\n {2}found in 1 thread\n$/)
    const nothing = await skein("search", "--store", await address, "no such thing")
    expect(nothing).toMatchObject({ code: 0, out: "  found nowhere\n" })
  })

  it("an empty term and cursors that make no sense are refused with 2", async () => {
    for (const words of [[""], ["  "], ["count", "--cursor", "x"], ["count", "--limit", "0"], []]) {
      expect([words, (await search(...words)).code]).toEqual([words, 2])
    }
  })
})
