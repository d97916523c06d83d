import { mkdirSync, symlinkSync } from "node:fs"
import { join, relative } from "node:path"
import { Effect } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import * as CodexHome from "../src/CodexHome.js"
import * as Home from "./Home.js"

afterAll(Home.removeAll)

const found = async (home: string): Promise<ReadonlyArray<string>> =>
  (await Home.run(CodexHome.rollouts(home))).map(({ path }) => relative(home, path))

describe("every rollout of a home", () => {
  it("active and archived ones, in order of path, whatever else lies there", async () => {
    const home = Home.home({
      [Home.file(2)]: "",
      [Home.file(1)]: "",
      [`archived_sessions/${Home.name(3)}`]: "",
      "sessions/2026/07/20/notes.txt": "",
      "sessions/2026/07/20/rollout-compress-x.tmp": "",
      "session_index.jsonl": "",
      [`elsewhere/${Home.name(4)}`]: ""
    })
    expect(await found(home)).toEqual([`archived_sessions/${Home.name(3)}`, Home.file(1), Home.file(2)])
  })

  it("plain and `.zst` both present: plain wins", async () => {
    const home = Home.home({ [Home.file(1)]: "", [`${Home.file(1)}.zst`]: "", [`${Home.file(2)}.zst`]: "" })
    expect(await found(home)).toEqual([Home.file(1), `${Home.file(2)}.zst`])
  })

  it("an empty home, and one that does not exist, have none", async () => {
    expect(await found(Home.temporary())).toEqual([])
    expect(await found(join(Home.temporary(), "missing"))).toEqual([])
  })

  it("links to folders are not followed", async () => {
    const home = Home.home({ [Home.file(1)]: "" })
    const elsewhere = Home.home({ [Home.file(2)]: "" })
    symlinkSync(join(elsewhere, "sessions"), join(home, "sessions/2026/08"))
    symlinkSync(join(home, "sessions"), join(home, "sessions/2026/07/20/again"))
    expect(await found(home)).toEqual([Home.file(1)])
  })
})

describe("the home that a file lies in is found above it", () => {
  it.each([
    ["/a/home/sessions/2026/07/20/x.jsonl", "/a/home"],
    ["/a/home/archived_sessions/x.jsonl", "/a/home"],
    ["/a/sessions/home/sessions/2026/x.jsonl", "/a/sessions/home"],
    ["/sessions/x.jsonl", "/"],
    ["/a/home/x.jsonl", undefined],
    ["/a/home/sessions", undefined]
  ])("%s", async (path, expected) => {
    expect(await Home.run(CodexHome.containing(path))).toBe(expected)
  })

  it("a relative path is one from the working directory", async () => {
    const home = Home.home({ [Home.file(1)]: "" })
    mkdirSync(join(home, "sessions/other"))
    const path = relative(process.cwd(), join(home, Home.file(1)))
    expect(await Home.run(Effect.map(CodexHome.containing(path), (above) => above ?? ""))).toBe(home)
  })
})
