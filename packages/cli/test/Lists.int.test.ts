/**
 * Lists and searches of whole homes, held against what real Codex answered for them. The differences that there are have
 * their reasons in docs/decisions/0011-lists-and-the-reference.md; here each is named, and nothing else may differ.
 */
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { corpus, needsCorpus, rolloutsBelow, versions } from "../../core/test/corpus.js"
import * as Home from "../../store-fs/test/Home.js"
import { documents, skein } from "./command.js"

beforeAll(() => {
  vi.stubEnv("XDG_CACHE_HOME", Home.temporary())
})

afterAll(() => {
  vi.unstubAllEnvs()
  Home.removeAll()
})

type Row = Readonly<Record<string, unknown>> & { readonly id: string }

/** A list is given with its rows, or by ids alone. */
type List = ReadonlyArray<Row | string>

interface Lists {
  readonly default: List
  readonly allSources: List
  readonly archived: List
  readonly search?: Readonly<
    Record<
      string,
      ReadonlyArray<Hit> | { readonly data: ReadonlyArray<{ readonly thread: Row; readonly snippet: string }> }
    >
  >
}

interface Hit {
  readonly threadId: string
  readonly snippet: string
}

interface Expected {
  /** Answers of the version that wrote the home, in it; null for those that give none. */
  readonly own: Lists | null
  /** Answers of 0.169.0 in a home with nothing but the files. */
  readonly cold: Lists
}

/** Who starts the threads that a host lists unless it says otherwise (thread-store §4). */
const interactive = ["cli", "vscode", "custom:atlas", "custom:chatgpt"].flatMap((source) => ["--source", source])

const questions = { default: interactive, allSources: [], archived: ["--archived"] } as const

type Question = keyof typeof questions

/** Where the threads that a list has are others than ours, and which. */
const memberships: Readonly<Record<string, Readonly<Partial<Record<"own" | "cold", ReadonlyArray<Question>>>>>> = {
  // Not listed, read or resumed by 0.169.0; read by us (decision 4).
  "0.20.0": { cold: ["allSources"] },
  // Knows neither other sources nor an archive: each of its lists is the default one.
  "0.63.0": { own: ["allSources", "archived"] },
  // A byte that is not UTF-8 makes a thread unreadable there; here it costs its line (decision 4).
  damaged: { cold: ["allSources"] }
}

/** What is told of a row by nobody, or in another way, and not by a log. */
const passing = new Set(["status", "turns", "ephemeral", "path"])

/** Fields without null, as older versions write them. */
const bare = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(
          Object.entries(inner)
            .filter(([, field]) => field !== null)
            .sort()
        )
      : inner
  )

/** Seconds, as Codex tells them. */
const shown = (key: string, value: unknown): unknown =>
  /At$/.test(key) && typeof value === "number" ? Math.floor(value / 1000) : value

/** What nobody can know from the files, or what was read otherwise on purpose. */
const isExplained = (version: string, key: string, expected: unknown, ours: unknown, row: Row): boolean => {
  // Without a database the time of a file stands for both: it is never earlier than the newest record.
  if (key === "updatedAt" || key === "recencyAt") return Number(expected) >= Number(ours)
  // Before headers named a parent, the source did (thread-store §3: it makes the edge that lists of children follow).
  if (key === "parentThreadId") return expected === null && bare(row["source"]).includes(`"parent_thread_id":"${ours}"`)
  // 0.42.0 named no provider: that of whoever asks is shown.
  if (key === "modelProvider") return version === "0.42.0" && ours === null
  // Its turn contexts are refused by 0.169.0 (decision 4).
  if (key === "model") return version === "0.42.0" && expected === null
  // The header is lost: an editor is taken for the source there.
  if (key === "source") return version === "damaged" && ours === "unknown" && row["originator"] === ""
  return key === "originator" && version === "damaged" && expected === null && ours === ""
}

const idsOf = (list: List): ReadonlyArray<string> => [
  // A list from files has a row for each file of a reverted thread (since-july).
  ...new Set(list.map((row) => (typeof row === "string" ? row : row.id)))
]

/** A list from files goes by the second in their names, then by id (thread-store §4). */
const bySecond = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const key = ({ createdAt, id }: Row) => `${shown("createdAt", createdAt)} ${id}`
  return [...rows].sort((left, right) => (key(left) < key(right) ? 1 : -1)).map(({ id }) => id)
}

const isRow = (row: Row | string): row is Row => typeof row !== "string"

describe.skipIf(corpus === undefined).each(versions)(`lists of %s${needsCorpus}`, (version) => {
  const home = join(corpus ?? "", version)
  const file = join(home, "lists.expected.json")
  const hasLists = existsSync(file)
  const expected = (): Expected => JSON.parse(readFileSync(file, "utf8")) as Expected

  const ls = async (question: Question): Promise<ReadonlyArray<Row>> => {
    const answer = await skein("ls", "--json", "--limit", "1000", "--store", `fs:${home}`, ...questions[question])
    expect([answer.code, answer.err]).toEqual([0, ""])
    return documents(answer)[0]?.["items"] as ReadonlyArray<Row>
  }

  it.skipIf(!hasLists)("the same threads in the same order", async () => {
    const { cold, own } = expected()
    for (const question of Object.keys(questions) as ReadonlyArray<Question>) {
      const rows = await ls(question)
      const ours = rows.map(({ id }) => id)
      for (const [who, lists] of [["own", own] as const, ["cold", cold] as const]) {
        if (lists === null) continue
        const theirs = idsOf(lists[question])
        const isListed = memberships[version]?.[who]?.includes(question) === true
        if (isListed) expect(ours, `${who} ${question}: the difference is gone`).not.toEqual(theirs)
        else expect([ours, bySecond(rows)], `${who} ${question}`).toContainEqual(theirs)
      }
    }
    // What there is more of than in 0.169.0 stands where it belongs.
    const more = await ls("allSources")
    const theirs = new Set(idsOf(cold.allSources))
    expect(more.filter(({ id }) => theirs.has(id)).map(({ id }) => id)).toEqual(idsOf(cold.allSources))
  })

  it.skipIf(!hasLists)("every field of a row as a list or a read of it told", async () => {
    const { cold, own } = expected()
    const reads = new Map(rolloutsBelow(home).map((path) => [path, sidecarOf(path)]))
    const readsOf = (id: string) => [...reads.values()].filter((sidecar) => sidecar.threadId === id).flatMap(threadsIn)
    for (const question of ["allSources", "archived"] as const) {
      const ours = new Map((await ls(question)).map((row) => [row.id, row]))
      const rows = [own, cold].flatMap((lists) => (lists === null ? [] : lists[question].filter(isRow)))
      for (const theirs of rows) {
        const row = ours.get(theirs.id)
        if (row === undefined) continue
        const all = [...rows.filter(({ id }) => id === theirs.id), ...readsOf(theirs.id)]
        for (const [key, value] of Object.entries(theirs)) {
          if (passing.has(key)) continue
          if (!(key in row)) {
            expect([theirs.id, key, value]).toEqual([theirs.id, key, null])
            continue
          }
          const mine = shown(key, row[key])
          const isTold = all.some((one) => key in one && bare(one[key]) === bare(mine))
          if (!isTold && !isExplained(version, key, value, mine, row)) {
            expect.fail(`${theirs.id}: ${key} is ${JSON.stringify(mine)}, and never told so: ${JSON.stringify(value)}`)
          }
        }
        const path = String(theirs["path"]).replace("/workspace/.codex", realpathSync(home))
        if (theirs["path"] !== undefined && theirs["path"] !== null) expect(row["path"]).toBe(path)
      }
    }
  })

  it.skipIf(!hasLists)("the same threads found, with the same snippets", { timeout: 60_000 }, async () => {
    for (const [term, answer] of Object.entries(expected().cold.search ?? {})) {
      const theirs: ReadonlyArray<Hit> =
        "data" in answer ? answer.data.map(({ snippet, thread }) => ({ threadId: thread.id, snippet })) : answer
      const found = await skein("search", term, "--json", "--limit", "1000", "--store", `fs:${home}`, ...interactive)
      expect(found.code).toBe(0)
      const ours = (
        (documents(found)[0]?.["items"] ?? []) as ReadonlyArray<{ readonly thread: Row; readonly snippet: string }>
      ).map(({ snippet, thread }): Hit => ({ threadId: thread.id, snippet }))
      if (version !== "0.169.0") {
        expect(ours, term).toEqual(theirs)
        continue
      }
      // It searches the files of forks and reverted threads by themselves, and gives 50 rows at most: what a thread
      // inherits is not found in it, and its own words come first.
      const ids = ours.map(({ threadId }) => threadId)
      expect(ids).toEqual(expect.arrayContaining(theirs.map(({ threadId }) => threadId)))
      for (const hit of ours) {
        const same = theirs.filter(({ threadId }) => threadId === hit.threadId)
        if (same.length > 0 && !inherits(home, hit.threadId)) expect(same).toContainEqual(hit)
      }
    }
  })
})

interface Sidecar {
  readonly threadId: string
  readonly own: Answers | null
  readonly cold: Answers | null
}

interface Answers {
  readonly threadRead?: { readonly thread?: Row } | Row
  readonly resume?: { readonly thread?: Row }
}

const sidecarOf = (path: string): Sidecar =>
  JSON.parse(readFileSync(path.replace(/\.jsonl(\.zst)?$/, ".expected.json"), "utf8")) as Sidecar

/** The threads as reads of them were answered. */
const threadsIn = ({ cold, own }: Sidecar): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  [own, cold].flatMap((answers) =>
    [answers?.threadRead, answers?.resume?.thread].flatMap((read) => {
      if (read === undefined || read === null) return []
      return "thread" in read && typeof read.thread === "object" && read.thread !== null
        ? [read.thread as Readonly<Record<string, unknown>>]
        : [read as Readonly<Record<string, unknown>>]
    })
  )

/** Whether a file of a thread stands on another one. */
const inherits = (home: string, id: string): boolean =>
  rolloutsBelow(home)
    .filter((path) => path.includes(id))
    .some((path) => path.endsWith(".zst") || readFileSync(path, "utf8").slice(0, 100_000).includes('"history_base"'))
