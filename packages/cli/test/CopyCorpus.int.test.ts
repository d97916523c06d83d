/** Whole homes copied to a database and back, and through memory: the same files, line for line. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { NodeContext } from "@effect/platform-node"
import { decompress } from "@mongodb-js/zstd"
import * as Copy from "@skein/store/Copy"
import * as SessionIndex from "@skein/store-fs/SessionIndex"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { corpus, needsCorpus, rolloutsBelow, samples } from "../../core/test/corpus.js"
import * as Home from "../../store-fs/test/Home.js"
import * as Store from "../src/Store.js"
import { documents, skein } from "./command.js"

beforeAll(() => {
  vi.stubEnv("XDG_CACHE_HOME", Home.temporary())
})

afterAll(() => {
  vi.unstubAllEnvs()
  Home.removeAll()
})

/** The lines of each rollout that are not blank, by its path in the home without `.zst`; files without any left out. */
const linesOf = async (home: string): Promise<Readonly<Record<string, ReadonlyArray<string>>>> => {
  const found: Record<string, ReadonlyArray<string>> = {}
  for (const path of rolloutsBelow(home)) {
    const raw = readFileSync(path)
    const content = path.endsWith(".zst") ? await decompress(raw) : raw
    // One letter a byte, so that what is no text is compared as well.
    const lines = content.toString("latin1").split("\n")
    const kept = lines.filter((line) => !/^[ \t\r]*$/.test(line))
    if (kept.length > 0) found[relative(home, path).replace(/\.zst$/, "")] = kept
  }
  return found
}

const namesIn = (home: string): Promise<ReadonlyArray<readonly [string, string]>> =>
  Home.run(Effect.map(SessionIndex.read(home), (names) => [...names].filter(([, name]) => name !== "").sort()))

interface Copied {
  readonly threads: ReadonlyArray<{
    readonly _tag: string
    readonly threadId: string
    readonly segments: ReadonlyArray<{ readonly sha256: string }>
  }>
}

const copy = async (from: string, to: string): Promise<Copied> => {
  const answer = await skein("copy", "--yes", "--json", "--from", from, "--to", to)
  expect([answer.code, answer.err]).toEqual([0, ""])
  return documents(answer)[0] as unknown as Copied
}

const folder = corpus ?? samples
const homes = readdirSync(folder).map((name) => join(folder, name))

describe.each(homes.filter((home) => existsSync(join(home, "sessions"))))(`a copy of %s${needsCorpus}`, (home) => {
  it("fs → sqlite → fs: the same files, names, segments and archive", { timeout: 120_000 }, async () => {
    const folder = Home.temporary()
    const [database, back] = [`sqlite:${join(folder, "threads.db")}`, join(folder, "home")]
    mkdirSync(back)
    const there = await copy(`fs:${home}`, database)
    const here = await copy(database, `fs:${back}`)
    expect(new Set([...there.threads, ...here.threads].map(({ _tag }) => _tag))).toEqual(new Set(["Copied"]))
    const hashes = ({ threads }: Copied) =>
      threads.map(({ segments, threadId }) => [threadId, segments.map(({ sha256 }) => sha256)]).sort()
    expect(hashes(here)).toEqual(hashes(there))
    expect(await linesOf(back)).toEqual(await linesOf(home))
    expect(await namesIn(back)).toEqual(await namesIn(home))
  })

  it("fs → memory → fs: the same", { timeout: 120_000 }, async () => {
    const back = join(Home.temporary(), "home")
    mkdirSync(back)
    const outcomes = await Effect.gen(function* () {
      const from = yield* Store.open({ kind: "fs", path: home })
      const memory = yield* Store.open({ kind: "memory", path: "" })
      const to = yield* Store.open({ kind: "fs", path: back }, { create: true })
      const there = yield* Copy.run(from, memory, yield* Copy.plan(from, memory))
      return [...there, ...(yield* Copy.run(memory, to, yield* Copy.plan(memory, to)))]
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer), Effect.runPromise)
    expect(Copy.isWhole(outcomes)).toBe(true)
    expect(await linesOf(back)).toEqual(await linesOf(home))
    expect(await namesIn(back)).toEqual(await namesIn(home))
  })
})
