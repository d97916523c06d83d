/** `skein compress` and `skein decompress`, over homes and over what is none. */
import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import { documents, skein } from "./command.js"

afterAll(Home.removeAll)

const day = "sessions/2026/07/20"
const document = (n: number): string =>
  Home.document(Home.legacyMeta(n), ...Array.from({ length: 50 }, (_, i) => Home.say(`text ${n} ${i}`)))

/** A home with an old thread and a new one. */
const home = (): string => {
  const folder = Home.home({ [Home.file(1)]: document(1), [Home.file(2)]: document(2) })
  utimesSync(join(folder, Home.file(1)), 1_700_000_000, 1_700_000_000)
  return folder
}

const names = (folder: string): ReadonlyArray<string> => readdirSync(join(folder, day)).sort()
const all = [Home.name(1), Home.name(2)]

describe("skein compress", () => {
  it("compresses what is old, says what it saves, and the verbs go on reading it", async () => {
    const folder = home()
    const before = await skein("show", join(folder, Home.file(1)))
    const { code, out } = await skein("compress", "--store", `fs:${folder}`, "--yes")
    expect([code, out]).toEqual([0, expect.stringContaining("1 file compressed")])
    expect(out).toContain("saved")
    expect(out).toContain("1 file not old enough")
    expect(names(folder)).toEqual([`${Home.name(1)}.zst`, Home.name(2)])
    const after = await skein("show", join(folder, `${Home.file(1)}.zst`))
    expect(after.out).toBe(before.out.replaceAll(Home.name(1), `${Home.name(1)}.zst`))
    const [verified] = documents(await skein("verify", "--json", join(folder, `${Home.file(1)}.zst`)))
    expect(verified?.["problems"]).toEqual([])
  })

  it("--older-than takes what is as old as that; 0s takes all", async () => {
    const folder = home()
    const [one] = documents(await skein("compress", "--store", `fs:${folder}`, "--yes", "--json", "--older-than", "1d"))
    expect(one).toMatchObject({ dryRun: false, files: { compressed: 1, skipped_not_cold: 1 }, failed: [] })
    const [rest] = documents(
      await skein("compress", "--store", `fs:${folder}`, "--yes", "--json", "--older-than", "0s")
    )
    expect(rest).toMatchObject({ files: { compressed: 1 }, sourceBytes: document(2).length })
    expect(names(folder)).toEqual(all.map((name) => `${name}.zst`))
  })

  it("--dry-run changes nothing", async () => {
    const folder = home()
    const words = ["compress", "--store", `fs:${folder}`, "--dry-run"]
    const [plan] = documents(await skein(...words, "--json"))
    expect(plan).toEqual({
      store: `fs:${folder}`,
      dryRun: true,
      files: { compressed: 1, skipped_not_cold: 1 },
      sourceBytes: document(1).length,
      compressedBytes: null,
      failed: []
    })
    expect((await skein(...words)).out).toContain("would be compressed")
    expect(readdirSync(folder)).toEqual(["sessions"])
    expect(names(folder)).toEqual(all)
  })

  it("without --yes and without anybody to ask nothing is done", async () => {
    const folder = home()
    const { code, err } = await skein("compress", "--store", `fs:${folder}`)
    expect([code, err]).toEqual([2, expect.stringContaining("Say --yes")])
    expect(names(folder)).toEqual(all)
  })

  it.each([
    [["--store", "memory:"], 2, "no files"],
    [["--store", "sqlite:/tmp/none.db"], 2, "no files"],
    [["--store", "fs:/nowhere/at/all"], 1, "no such folder"],
    [["--store", "fs:/etc/passwd"], 1, "no regular folder|is no folder"],
    [["--store", "fs:/tmp", "--older-than", "soon"], 2, "no length of time"],
    [["--store", "fs:/tmp", "--older-than", "-1d"], 2, ""],
    [[], 2, ""]
  ])("bad words: %j", async (words, expected, text) => {
    for (const verb of ["compress", "decompress"]) {
      if (verb === "decompress" && words.includes("--older-than")) continue
      const { code, err, out } = await skein(verb, ...words, ...(verb === "compress" ? ["--yes"] : []))
      expect(code).toBe(expected)
      expect(`${err}${out}`).toMatch(new RegExp(text))
    }
  })
})

describe("skein decompress", () => {
  it("makes some threads plain, or all", async () => {
    const folder = home()
    await skein("compress", "--store", `fs:${folder}`, "--yes", "--older-than", "0s")
    const one = await skein("decompress", "--store", `fs:${folder}`, Home.id(1))
    expect([one.code, one.out]).toEqual([0, expect.stringContaining("1 file of")])
    expect(names(folder)).toEqual([Home.name(1), `${Home.name(2)}.zst`])
    const [rest] = documents(await skein("decompress", "--store", `fs:${folder}`, "--json"))
    expect(rest).toMatchObject({ decompressed: 1, bytes: document(2).length, left: [] })
    expect(names(folder)).toEqual(all)
    expect(readFileSync(join(folder, Home.file(1)), "utf8")).toBe(document(1))
    expect((await skein("decompress", "--store", `fs:${folder}`)).out).toContain("nothing was decompressed")
  })

  it("tells what there is not, and what is damaged, with exit code 1", async () => {
    const folder = home()
    expect((await skein("decompress", "--store", `fs:${folder}`, Home.id(9))).code).toBe(1)
    await skein("compress", "--store", `fs:${folder}`, "--yes")
    const path = join(folder, `${Home.file(1)}.zst`)
    const bytes = readFileSync(path)
    bytes[20] = (bytes[20] as number) ^ 255
    writeFileSync(path, bytes)
    const { code, out } = await skein("decompress", "--store", `fs:${folder}`)
    expect([code, out]).toEqual([1, expect.stringContaining("left")])
    expect(readFileSync(path)).toEqual(bytes)
  })
})
