import { existsSync } from "node:fs"
import { Effect } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import { documents, skein } from "./command.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

interface Copied {
  readonly plan: { readonly threads: ReadonlyArray<{ readonly threadId: string }>; readonly bytes: number }
  readonly threads: ReadonlyArray<{ readonly _tag: string; readonly threadId: string }> | null
}

const tags = ({ threads }: Copied) =>
  threads?.map(({ _tag, threadId }) => `${Number.parseInt(threadId.slice(-12), 16)} ${_tag}`)

describe.each(Stores.kinds.flatMap((from) => Stores.kinds.map((to) => [from, to] as const)))(
  "skein copy from %s to %s",
  (from, to) => {
    const source = Stores.family(from)
    const copy = async (target: string, ...words: ReadonlyArray<string>) =>
      skein("copy", "--from", await source, "--to", target, ...words)
    const copied = async (target: string, ...words: ReadonlyArray<string>) => {
      const answer = await copy(target, "--json", "--yes", ...words)
      return { ...(documents(answer)[0] as unknown as Copied), code: answer.code }
    }

    it("shows its plan, and copies nothing where nobody can be asked", async () => {
      const target = Stores.fresh(to)
      const answer = await copy(target)
      expect(answer).toMatchObject({ code: 2, err: "Nothing was copied: nobody can be asked here. Say --yes.\n" })
      expect(answer.out).toMatch(/^7 threads \(\S+ [kM]?B\) from \S+ to \S+\n$/)
      const [document] = documents(await copy(target, "--json"))
      expect(document).toMatchObject({ threads: null, plan: { threads: { length: 7 } } })
      if (to === "sqlite") expect(existsSync(Stores.pathOf(target))).toBe(false)
    })

    it("copies all, names and archive too, and finds nothing to do the next time", async () => {
      const target = Stores.fresh(to)
      const first = await copied(target)
      expect(first.code).toBe(0)
      expect(tags(first)?.sort()).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `${n} Copied`))
      const ls = async (address: string) => {
        const [{ items } = {}] = documents(await skein("ls", "--json", "--all", "--store", address))
        return (items as ReadonlyArray<object>).map((item) => ({ ...item, path: null, archivedAt: null }))
      }
      expect(await ls(target)).toEqual(await ls(await source))
      const again = await copied(target)
      expect([again.code, new Set(again.threads?.map(({ _tag }) => _tag))]).toEqual([0, new Set(["Same"])])
      const { out } = await copy(target, "--yes")
      expect(out).toMatch(
        /7 of them there already: compared, not written\n7 there already, each with the same SHA-256\n$/
      )
    })

    it("some, with what they stand on; one that is not there is told", async () => {
      const target = Stores.fresh(to)
      const missing = Stores.id(99)
      const some = await copied(target, Stores.id(7), missing)
      expect([some.code, tags(some)]).toEqual([1, ["99 Failed", "7 Copied"]])
      expect(some.threads?.[0]).toMatchObject({ error: { tag: "ThreadNotFound", threadId: missing } })
      const fork = await copied(target, Stores.id(6))
      expect([fork.code, tags(fork)?.at(-1)]).toEqual([0, "6 Copied"])
      const shown = async (address: string) => {
        const [{ turns } = {}] = documents(await skein("show", "--json", "--store", address, Stores.id(6)))
        return turns
      }
      expect(await shown(target)).toEqual(await shown(await source))
    })

    it("leaves what differs, says what it is, and copies the rest", async () => {
      const target = Stores.fresh(to)
      await copied(target, Stores.id(1), Stores.id(2))
      await Stores.inside(target, (store) =>
        Effect.zipRight(
          store.append(Stores.id(2), Stores.said(9, "elsewhere")),
          store.updateSummary(Stores.id(1), { name: "Other" })
        )
      )
      const answer = await copy(target, "--yes")
      expect(answer.code).toBe(1)
      expect(answer.out).toMatch(/left as it is .*1: its name is "Other" there, "Parcels" here\. /)
      expect(answer.out).toMatch(/left as it is .*2: segment .* has other lines: SHA-256 /)
      expect(answer.out).toMatch(/5 copied and read back.*; 2 there and different\n$/)
      const shown = documents(await skein("show", "--json", "--store", target, Stores.id(2)))
      expect(shown[0]?.["turns"]).toHaveLength(2)
    })
  }
)

describe("skein copy: words that make no sense", () => {
  it("are refused with 2, and stores that are not there with 1", async () => {
    const address = await Stores.family("sqlite")
    const target = Stores.fresh("sqlite")
    for (const words of [
      ["--from", address],
      ["--to", address],
      ["--from", "nonsense", "--to", target],
      ["--from", address, "--to", "nonsense"],
      ["--from", address, "--to", address],
      ["--from", address, "--to", target, "nonsense"]
    ]) {
      expect([words, (await skein("copy", "--yes", ...words)).code]).toEqual([words, 2])
    }
    const nowhere = await skein("copy", "--yes", "--from", "sqlite:/nowhere/at.db", "--to", target)
    expect(nowhere).toMatchObject({ code: 1, err: expect.stringMatching(/there is no such file/) })
    expect(existsSync(Stores.pathOf(target))).toBe(false)
    const into = await skein("copy", "--yes", "--json", "--from", address, "--to", "fs:/dev/null")
    expect([into.code, documents(into)]).toMatchObject([
      1,
      [{ file: "fs:/dev/null", error: { tag: "StoreUnavailable", paths: ["/dev/null"] } }]
    ])
  })

  it("into memory is a rehearsal", async () => {
    const answer = await skein("copy", "--yes", "--from", await Stores.family("sqlite"), "--to", "memory:")
    expect(answer).toMatchObject({ code: 0, out: expect.stringMatching(/\n7 copied and read back/) })
  })
})
