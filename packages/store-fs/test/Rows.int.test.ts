/** Lists: rows of files, kept in an index or not, whatever became of the files meanwhile. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { NodeContext } from "@effect/platform-node"
import { compress } from "@mongodb-js/zstd"
import { StoreUnavailable } from "@skein/store/StoreError"
import * as Summary from "@skein/store/Summary"
import * as ThreadIndex from "@skein/store/ThreadIndex"
import { Effect } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import * as FsDriver from "../src/FsDriver.js"
import * as Home from "./Home.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

const message = (text: string): string => Home.event({ type: "user_message", message: text })
const thread = (n: number, ...lines: ReadonlyArray<string>): string => Home.document(Home.legacyMeta(n), ...lines)
const nameLine = (n: number, name: string, at = "2026-07-20T10:11:12.123456789Z"): string =>
  `${JSON.stringify({ id: Home.id(n), thread_name: name, updated_at: at })}\n`

/** Previews by thread, once all rows are caught up with. */
const previews = (driver: Parameters<typeof Stores.rows>[0]) =>
  Effect.map(Stores.rows(driver), (rows) =>
    Object.fromEntries(rows.map((row) => [Number.parseInt(row.threadId.slice(-2), 16), row.derived.summary.preview]))
  )

describe("a list", () => {
  it("shows every thread once, active, archived and compressed ones, and what was said of them", async () => {
    const home = Home.home({
      [Home.file(1)]: thread(1, message("first")),
      [`archived_sessions/${Home.name(2)}`]: thread(2, message("second")),
      [`${Home.file(3)}.zst`]: await compress(Buffer.from(thread(3, message("third")))),
      [Home.file(4)]: Home.document(Home.meta(4)),
      [Home.file(4, 7)]: Home.document(Home.meta(4, 1, { thread: 4, ordinal: 1, offset: 0 }), message("fourth")),
      "session_index.jsonl": nameLine(1, "Named") + nameLine(2, "x") + nameLine(2, "")
    })
    utimesSync(join(home, `archived_sessions/${Home.name(2)}`), 1000, 2000)
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const rows = yield* Stores.rows(driver)
        expect(
          rows
            .map((row) => Summary.of(row))
            .map(({ archivedAt, name, path, preview }) => [preview, name, archivedAt, path])
        ).toEqual([
          ["first", "Named", undefined, join(home, Home.file(1))],
          ["second", undefined, 2_000_000, join(home, `archived_sessions/${Home.name(2)}`)],
          ["third", undefined, undefined, join(home, Home.file(3))],
          ["fourth", undefined, undefined, join(home, Home.file(4, 7))]
        ])
        expect(rows.map(({ historyMode }) => historyMode)).toEqual(["legacy", "legacy", "legacy", "paginated"])
        expect(yield* Stores.catchUp(driver)).toBe(0)
      })
    )
  })

  it("53, 63. a file that cannot be read fails nothing; one that says nothing is no thread", async () => {
    const home = Home.home({
      [Home.file(1)]: thread(1, message("good")),
      [Home.file(2)]: "",
      [Home.file(3)]: "\n\n",
      [`${Home.file(4)}.zst`]: "no zstd",
      [Home.file(5)]: "not JSON\n",
      [Home.file(6)]: Home.document(Home.legacyMeta(6, { history_mode: "shuffled" }), message("unknown mode")),
      [Home.file(7)]: message("no header")
    })
    mkdirSync(join(home, Home.file(8)))
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect(yield* previews(driver)).toEqual({ 1: "good", 4: "", 5: "", 6: "", 7: "no header" })
        const rows = yield* Stores.rows(driver)
        expect(rows.find(({ threadId }) => threadId === Home.id(6))?.historyMode).toBe("shuffled")
        expect(yield* Stores.catchUp(driver)).toBe(0)
      })
    )
  })

  it("19. a thread of an unknown history mode is listed with it, archived and deleted, and nothing else", () => {
    const home = Home.home({ [Home.file(6)]: Home.document(Home.legacyMeta(6, { history_mode: "shuffled" })) })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect((yield* driver.locate(Home.id(6))).historyMode).toBe("shuffled")
        const error = yield* Stores.failure(Effect.scoped(driver.open(Home.id(6))))
        expect(error).toMatchObject({ _tag: "UnsupportedHistoryMode", historyMode: "shuffled" })
        yield* driver.setArchived(Home.id(6), 1)
        expect((yield* driver.row(Home.id(6))).archivedAt).toBe(1)
        yield* driver.remove(Home.id(6), "materialise")
        expect(yield* Stores.rows(driver)).toEqual([])
      })
    )
  })

  it("55. no number of files hides the old ones", () => {
    const files: Record<string, string> = {}
    for (let n = 0; n < 1500; n++) {
      const day = String(1 + (n % 28)).padStart(2, "0")
      const name = `rollout-2020-01-${day}T10-00-00-${Home.id(n)}.jsonl`
      files[`sessions/2020/01/${day}/${name}`] = thread(n, message(`m${n}`))
    }
    const home = Home.home(files)
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* Stores.catchUp(driver)
        const rows = yield* driver.rows({ ...Stores.everything, limit: 5000 })
        expect(rows).toHaveLength(1500)
        expect(new Set(rows.map(({ derived }) => derived.summary.preview)).size).toBe(1500)
      })
    )
  })

  it("what changed is folded from where it was left: appended, reverted, compressed, archived", async () => {
    const home = Home.home({ [Home.file(1)]: thread(1), [Home.file(2)]: thread(2, message("two")) })
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect(yield* previews(driver)).toEqual({ 1: "", 2: "two" })
        yield* Stores.append(driver, 1, [Stores.batch(message("one"))])
        const [behind] = yield* driver.lagging()
        expect(behind).toMatchObject({
          threadId: Home.id(1),
          from: { reached: { segmentId: Home.id(1), offset: thread(1).length } }
        })
        expect(yield* previews(driver)).toEqual({ 1: "one", 2: "two" })
        mkdirSync(join(home, "archived_sessions"))
        renameSync(join(home, Home.file(1)), join(home, "archived_sessions", Home.name(1)))
        const cold = yield* Effect.promise(() => compress(readFileSync(join(home, Home.file(2)))))
        writeFileSync(join(home, `${Home.file(2)}.zst`), cold)
        rmSync(join(home, Home.file(2)))
        expect(yield* driver.lagging()).toHaveLength(2)
        expect(yield* previews(driver)).toEqual({ 1: "one", 2: "two" })
        const rows = yield* Stores.rows(driver)
        expect(rows.map(({ archivedAt }) => archivedAt !== undefined)).toEqual([true, false])
      })
    )
  })

  it("54. an absent file deletes nothing: what was said of its thread is there when it comes back", () => {
    const home = Home.home({ [Home.file(1)]: thread(1, message("one")) })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* driver.updateExplicit(Home.id(1), () => ({ name: "Name", metadata: { tenant: "t" } }))
        yield* Stores.rows(driver)
        renameSync(join(home, "sessions"), join(home, "away"))
        expect(yield* Stores.rows(driver)).toEqual([])
        renameSync(join(home, "away"), join(home, "sessions"))
        const [row] = yield* Stores.rows(driver)
        expect(row).toMatchObject({ explicit: { name: "Name", metadata: { tenant: "t" } } })
        expect(row?.derived.summary.preview).toBe("one")
      })
    )
  })

  it("narrowed to one thread", () => {
    const home = Home.home({ [Home.file(1)]: thread(1), [Home.file(2)]: thread(2) })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect((yield* driver.lagging(Home.id(1))).map(({ threadId }) => threadId)).toEqual([Home.id(1)])
        expect(yield* driver.lagging(Home.id(9))).toEqual([])
        expect((yield* driver.row(Home.id(1))).derived.summary.id).toBeUndefined()
        expect((yield* Stores.failure(driver.row(Home.id(9))))._tag).toBe("ThreadNotFound")
        yield* Stores.catchUp(driver)
        expect(yield* driver.lagging(Home.id(1))).toEqual([])
        appendFileSync(join(home, Home.file(1)), `${message("more")}\n`)
        expect(yield* driver.lagging(Home.id(1))).toHaveLength(1)
      })
    )
  })
})

describe("an index that outlives the store", () => {
  const files = { [Home.file(1)]: thread(1, message("one")), [Home.file(2)]: thread(2, message("two")) }
  const withIndex = async (
    change: (home: string) => void,
    check: (driver: Parameters<typeof Stores.rows>[0]) => Effect.Effect<unknown, unknown>
  ) => {
    const home = Home.home(files)
    const index = Effect.runSync(ThreadIndex.memory)
    await Stores.withDriver(
      home,
      (driver) =>
        Effect.zipRight(
          driver.updateExplicit(Home.id(1), () => ({ name: "A", memoryMode: "disabled" })),
          Stores.rows(driver)
        ),
      { index }
    )
    change(home)
    await Stores.withDriver(home, check, { index })
  }

  it("nothing is read again that did not change", () =>
    withIndex(
      () => undefined,
      (driver) =>
        Effect.gen(function* () {
          expect(yield* driver.lagging()).toEqual([])
          const rows = yield* driver.rows(Stores.everything)
          expect(rows.map(({ derived, explicit }) => [derived.summary.preview, explicit])).toEqual([
            ["one", { name: "A", memoryMode: "disabled" }],
            ["two", {}]
          ])
        })
    ))

  it("56. what is not as it remembers is looked at: grown, replaced, gone, new", () =>
    withIndex(
      (home) => {
        appendFileSync(join(home, Home.file(1)), `${message("more")}\n`)
        rmSync(join(home, Home.file(2)))
        writeFileSync(join(home, Home.file(3)), thread(3, message("three")))
      },
      (driver) =>
        Effect.gen(function* () {
          const behind = yield* driver.lagging()
          expect(behind.map(({ from, threadId }) => [threadId, from === undefined])).toEqual([
            [Home.id(1), false],
            [Home.id(3), true]
          ])
          expect(yield* previews(driver)).toEqual({ 1: "one", 3: "three" })
        })
    ))

  it.each([
    ["at another time", 5000],
    ["at the same time, in another file", undefined]
  ])("a file of the same size, written %s", (_, time) =>
    withIndex(
      (home) => {
        const path = join(home, Home.file(2))
        const { atimeMs, mtimeMs } = statSync(path)
        if (time === undefined) {
          writeFileSync(`${path}.new`, thread(2, message("owt")))
          renameSync(`${path}.new`, path)
        } else writeFileSync(path, thread(2, message("owt")))
        utimesSync(path, atimeMs / 1000, time ?? mtimeMs / 1000)
      },
      (driver) =>
        Effect.gen(function* () {
          expect((yield* driver.lagging()).map(({ threadId }) => threadId)).toEqual([Home.id(2)])
        })
    )
  )

  it("names and columns that others changed meanwhile", () =>
    withIndex(
      (home) => {
        appendFileSync(join(home, "session_index.jsonl"), nameLine(1, "B", "2030-01-01T00:00:00Z") + nameLine(2, "C"))
        writeFileSync(
          join(home, `.skein/threads/${Home.id(2)}.json`),
          JSON.stringify({ v: 1, metadata: { tenant: "t" } })
        )
        rmSync(join(home, `.skein/threads/${Home.id(1)}.json`))
      },
      (driver) =>
        Effect.gen(function* () {
          expect(yield* driver.lagging()).toEqual([])
          const rows = yield* driver.rows(Stores.everything)
          expect(rows.map(({ explicit }) => explicit)).toEqual([
            { name: "B" },
            { name: "C", metadata: { tenant: "t" } }
          ])
        })
    ))

  it("the name of one and the columns of another one", () =>
    withIndex(
      (home) => {
        appendFileSync(join(home, "session_index.jsonl"), nameLine(1, "B", "2030-01-01T00:00:00Z"))
        writeFileSync(join(home, `.skein/threads/${Home.id(2)}.json`), JSON.stringify({ v: 1, memoryMode: "disabled" }))
      },
      (driver) =>
        Effect.gen(function* () {
          yield* driver.lagging()
          const rows = yield* driver.rows(Stores.everything)
          expect(rows[0]?.explicit.name).toBe("B")
          expect(rows[1]?.explicit.memoryMode).toBe("disabled")
        })
    ))

  it("52. one that does not answer is an error, never an empty list", () => {
    const home = Home.home(files)
    const broken = Effect.fail(
      new StoreUnavailable({ operation: "index", reason: "x", advice: "", retryable: true, paths: [] })
    )
    const index: ThreadIndex.Index = {
      files: broken,
      filesOf: () => broken,
      row: () => broken,
      rows: () => broken,
      change: () => broken
    }
    return Stores.withDriver(
      home,
      (driver) =>
        Effect.gen(function* () {
          expect((yield* Stores.failure(Stores.rows(driver)))._tag).toBe("StoreUnavailable")
          // What needs no index goes on.
          expect((yield* driver.locate(Home.id(1))).threadId).toBe(Home.id(1))
          yield* Stores.append(driver, 1, [Stores.batch(message("more"))])
          yield* driver.create(Stores.thread(5))
        }),
      { index }
    )
  })

  it("what it was not told yet is told when the store is closed", async () => {
    const home = Home.home(files)
    const index = Effect.runSync(ThreadIndex.memory)
    await Stores.withDriver(home, Stores.catchUp, { index })
    expect(Effect.runSync(index.rows(Stores.everything))).toHaveLength(2)
  })
})

describe("what is said of a thread explicitly", () => {
  it("33, 34, 35. lives outside of its rollout, survives an index, and can be taken back", () => {
    const home = Home.home({ [Home.file(1)]: thread(1, message("one")) })
    const content = readFileSync(join(home, Home.file(1)))
    const explicit = {
      name: "A name",
      memoryMode: "disabled",
      git: { sha: null, branch: "main" },
      metadata: { tenant: "t", user: "u" }
    }
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* driver.updateExplicit(Home.id(1), () => explicit)
        expect((yield* driver.row(Home.id(1))).explicit).toEqual(explicit)
        const fresh = yield* Stores.open(home)
        expect((yield* fresh.row(Home.id(1))).explicit).toEqual(explicit)
        expect((yield* Stores.rows(fresh)).map((row) => row.explicit)).toEqual([explicit])
        expect(readFileSync(join(home, "session_index.jsonl"), "utf8")).toMatch(
          new RegExp(`^\\{"id":"${Home.id(1)}","thread_name":"A name","updated_at":"[^"]+Z"\\}\\n$`)
        )
        yield* fresh.updateExplicit(Home.id(1), ({ memoryMode }) => ({ memoryMode }))
        expect((yield* Stores.rows(driver)).map((row) => row.explicit)).toEqual([{ memoryMode: "disabled" }])
        expect(readFileSync(join(home, Home.file(1)))).toEqual(content)
        expect((yield* Stores.failure(driver.updateExplicit(Home.id(2), () => ({}))))._tag).toBe("ThreadNotFound")
      })
    )
  })

  it("a name that another program gives later counts, one that it gave earlier does not", () => {
    const home = Home.home({ [Home.file(1)]: thread(1), "session_index.jsonl": nameLine(1, "early").slice(0, -1) })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* driver.updateExplicit(Home.id(1), () => ({ name: "ours", metadata: { a: "b" } }))
        expect((yield* driver.row(Home.id(1))).explicit.name).toBe("ours")
        const at = new Date(Date.now() + 1000).toISOString()
        appendFileSync(join(home, "session_index.jsonl"), nameLine(1, "theirs", at))
        expect((yield* driver.row(Home.id(1))).explicit.name).toBe("theirs")
        yield* driver.updateExplicit(Home.id(1), (explicit) => ({ ...explicit, name: "ours again" }))
        expect((yield* driver.row(Home.id(1))).explicit).toEqual({ name: "ours again", metadata: { a: "b" } })
      })
    )
  })

  it("many changes at once, by two stores: none is lost", () => {
    const home = Home.home({ [Home.file(1)]: thread(1) })
    return Stores.withDriver(home, (a) =>
      Effect.gen(function* () {
        const b = yield* Stores.open(home)
        const add = (driver: typeof a, key: string) =>
          driver.updateExplicit(Home.id(1), (explicit) => ({
            ...explicit,
            metadata: { ...explicit.metadata, [key]: "x" }
          }))
        const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
        yield* Effect.forEach(keys, (key, i) => add(i % 2 === 0 ? a : b, key), { concurrency: "unbounded" })
        expect(Object.keys((yield* a.row(Home.id(1))).explicit.metadata ?? {})).toHaveLength(20)
      })
    )
  })

  it("a file that makes no sense is neither believed nor overwritten", () => {
    const home = Home.home({ [Home.file(1)]: thread(1), [`.skein/threads/${Home.id(1)}.json`]: "{" })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect((yield* driver.row(Home.id(1))).explicit).toEqual({})
        const error = yield* Stores.failure(driver.updateExplicit(Home.id(1), () => ({ memoryMode: "x" })))
        expect(error).toMatchObject({ _tag: "StoreUnavailable", retryable: false })
        expect(readFileSync(join(home, `.skein/threads/${Home.id(1)}.json`), "utf8")).toBe("{")
      })
    )
  })
})

describe("archiving and deleting", () => {
  it("64, 65. every file of a thread moves, none of its children's; back to the day of its name", async () => {
    const base = Home.document(Home.meta(1), Home.say("one", 1))
    const segment = (n: number) => Home.document(Home.meta(n, 2, { thread: 1, ordinal: 2, offset: base.length }))
    const home = Home.home({
      [Home.file(1)]: base,
      [`${Home.file(1)}.zst`]: await compress(Buffer.from(base)),
      [Home.file(1, 7)]: segment(1),
      [Home.file(2)]: segment(2)
    })
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* driver.setArchived(Home.id(1), 5000)
        const names = [Home.name(1), `${Home.name(1)}.zst`, Home.name(1, 7)].sort()
        expect(readdirSync(join(home, "archived_sessions")).sort()).toEqual(names)
        expect(existsSync(join(home, Home.file(2)))).toBe(true)
        expect(yield* Stores.texts(driver, 2)).toEqual(["one"])
        expect((yield* driver.locate(Home.id(1))).archivedAt).toBe(5000)
        yield* driver.setArchived(Home.id(1), 6000)
        expect((yield* driver.locate(Home.id(1))).archivedAt).toBe(5000)
        const before = Date.now() - 2000
        utimesSync(join(home, "archived_sessions", Home.name(1)), 1, 1)
        yield* driver.setArchived(Home.id(1), undefined)
        expect(readdirSync(join(home, "archived_sessions"))).toEqual([])
        expect(statSync(join(home, Home.file(1))).mtimeMs).toBeGreaterThan(before)
        expect((yield* driver.locate(Home.id(1))).archivedAt).toBeUndefined()
        expect(readdirSync(join(home, ".skein/intents"))).toEqual([])
      })
    )
  })

  it("66. a file that is there already is never overwritten, and nothing moves", () => {
    const home = Home.home({ [Home.file(1)]: thread(1), [`archived_sessions/${Home.name(1)}`]: thread(1, "x") })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const error = yield* Stores.failure(driver.setArchived(Home.id(1), 1))
        expect(error._tag).toBe("InvalidRequest")
        expect(readFileSync(join(home, Home.file(1)), "utf8")).toBe(thread(1))
        expect(readFileSync(join(home, `archived_sessions/${Home.name(1)}`), "utf8")).toBe(thread(1, "x"))
      })
    )
  })

  it("67. everything of a thread goes, and nothing of others", async () => {
    const home = Home.home({
      [Home.file(1)]: thread(1, message("one")),
      [`archived_sessions/${Home.name(1)}.zst`]: await compress(Buffer.from(thread(1))),
      [Home.file(2)]: thread(2),
      "session_index.jsonl": `${nameLine(1, "a")}not JSON\n${nameLine(2, "b")}${nameLine(1, "c")}`
    })
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* driver.updateExplicit(Home.id(1), () => ({ name: "d", metadata: { tenant: "t" } }))
        yield* Stores.append(driver, 1, [Stores.batch(message("more"))])
        yield* Stores.rows(driver)
        expect(yield* driver.remove(Home.id(1), "materialise")).toEqual({ kept: [] })
        expect(readFileSync(join(home, "session_index.jsonl"), "utf8")).toBe(`not JSON\n${nameLine(2, "b")}`)
        expect(readdirSync(join(home, "sessions/2026/07/20"))).toEqual([Home.name(2)])
        for (const folder of ["archived_sessions", ".skein/threads", ".skein/leases", ".skein/intents"]) {
          expect(readdirSync(join(home, folder))).toEqual([])
        }
        expect(yield* previews(driver)).toEqual({ 2: "" })
        expect((yield* Stores.failure(driver.remove(Home.id(1), "materialise")))._tag).toBe("ThreadNotFound")
        yield* driver.create(Stores.thread(1))
        expect((yield* driver.row(Home.id(1))).explicit).toEqual({})
      })
    )
  })

  describe("what others stand on", () => {
    const first = Home.document(Home.meta(1), Home.say("one", 1), Home.say("two", 2), Home.say("secret", 3))
    const second = Home.offsetOf(first, "secret")
    const segment = Home.document(
      Home.meta(1, 3, { thread: 1, ordinal: 3, offset: second }),
      Home.say("three", 4),
      Home.say("gone", 5)
    )
    const gone = Home.offsetOf(segment, "gone")
    const files = {
      [Home.file(1)]: first,
      [Home.file(1, 7)]: segment,
      // A fork of the reverted thread, one of its first file, and one of a fork.
      [Home.file(2)]: Home.document(Home.meta(2, 5, { thread: 7, ordinal: 5, offset: gone }), Home.say("b", 6)),
      [`archived_sessions/${Home.name(3)}`]: Home.document(
        Home.meta(3, 2, { thread: 1, ordinal: 2, offset: Home.offsetOf(first, "two") }),
        Home.say("c", 3)
      ),
      [Home.file(4)]: Home.document(Home.meta(4, 6, { thread: 2, ordinal: 6, offset: 0 }), Home.say("d", 7))
    }
    const texts = { 2: ["one", "two", "three", "b"], 3: ["one", "c"], 4: ["one", "two", "three", "d"] }

    it("goes to those who do: they say what they said, and what they did not inherit is gone", () => {
      const home = Home.home(files)
      return Stores.withDriver(home, (driver) =>
        Effect.gen(function* () {
          yield* driver.remove(Home.id(1), "materialise")
          const fresh = yield* Stores.open(home)
          for (const one of [driver, fresh]) {
            for (const [n, expected] of Object.entries(texts)) {
              if (n === "4") continue
              expect(yield* Stores.texts(one, Number(n))).toEqual(expected)
              expect(yield* Stores.codes(one, Number(n))).toEqual([])
            }
            expect((yield* Stores.rows(one)).map(({ threadId }) => threadId)).toEqual([2, 3, 4].map(Home.id))
            expect((yield* Stores.failure(one.locate(Home.id(1))))._tag).toBe("ThreadNotFound")
          }
          const all = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
          const contents = all.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")).join("")
          expect(contents).not.toContain("secret")
          expect(contents).not.toContain("gone")
          expect(contents).not.toContain(`"id":"${Home.id(1)}"`)
          // They go on, and their own heirs get what they have.
          yield* Stores.append(driver, 2, [Stores.batch(Home.say("more", 7))])
          yield* driver.remove(Home.id(2), "materialise")
          expect(yield* Stores.texts(fresh, 3)).toEqual(["one", "c"])
        })
      )
    })

    it("goes on to those behind them where they go at the same time, in whatever order", async () => {
      const middle = Home.document(Home.meta(2, 5, { thread: 7, ordinal: 5, offset: gone }), Home.say("b", 6))
      const intent = (n: number) => ({
        [`.skein/intents/delete.${Home.id(n)}.json`]: JSON.stringify({ kind: "delete", threadId: Home.id(n) })
      })
      const above = {
        [Home.file(1)]: first,
        [Home.file(1, 7)]: segment,
        [Home.file(2)]: middle,
        [Home.file(4)]: Home.document(
          Home.meta(4, 7, { thread: 2, ordinal: 7, offset: Buffer.byteLength(middle) }),
          Home.say("d", 8)
        )
      }
      const homes = [
        // Both were begun by somebody who died.
        { files: { ...above, ...intent(1), ...intent(2) }, remove: [] },
        // The other was begun by somebody who is at it.
        { files: above, begin: intent(2), remove: [1, 2] },
        { files: above, begin: intent(1), remove: [2, 1] }
      ]
      for (const { begin = {}, files, remove } of homes) {
        const home = Home.home(files)
        await Stores.withDriver(home, (driver) =>
          Effect.gen(function* () {
            mkdirSync(join(home, ".skein/intents"), { recursive: true })
            for (const [name, text] of Object.entries(begin)) writeFileSync(join(home, name), text)
            for (const n of remove) yield* driver.remove(Home.id(n), "materialise")
            expect(yield* Stores.texts(driver, 4)).toEqual(["one", "two", "three", "b", "d"])
            expect(yield* Stores.codes(driver, 4)).toEqual([])
            expect((yield* Stores.rows(driver)).map(({ threadId }) => threadId)).toEqual([Home.id(4)])
          })
        )
      }
    })

    it("nothing but the place in front of everything", () => {
      const none = { thread: 1, ordinal: 0, offset: 0 }
      const home = Home.home({
        [Home.file(1)]: first,
        [Home.file(2)]: Home.document(Home.meta(2, 0, none), Home.say("b", 1))
      })
      return Stores.withDriver(home, (driver) =>
        Effect.gen(function* () {
          yield* driver.remove(Home.id(1), "materialise")
          expect(yield* Stores.texts(driver, 2)).toEqual(["b"])
          expect(yield* Stores.codes(driver, 2)).toEqual([])
        })
      )
    })

    it("or is refused", () => {
      const home = Home.home(files)
      return Stores.withDriver(home, (driver) =>
        Effect.gen(function* () {
          for (const shared of ["refuse", "keep"] as const) {
            const error = yield* Stores.failure(driver.remove(Home.id(1), shared))
            expect(error).toMatchObject({ _tag: "InvalidRequest", field: "shared" })
          }
          expect(yield* Stores.texts(driver, 1)).toEqual(["one", "two", "three", "gone"])
          yield* driver.remove(Home.id(4), "keep")
          yield* driver.remove(Home.id(3), "refuse")
        })
      )
    })
  })

  it("70. what a crash left half done is finished by the next store that opens the home, or hidden", () => {
    const home = Home.home({
      [Home.file(1)]: thread(1, message("one")),
      [Home.file(2)]: thread(2, message("two")),
      [`.skein/intents/delete.${Home.id(1)}.json`]: JSON.stringify({ kind: "delete", threadId: Home.id(1) }),
      [`.skein/intents/archive.${Home.id(2)}.json`]: JSON.stringify({ kind: "archive", threadId: Home.id(2), at: 7 })
    })
    const files = () => readdirSync(home, { recursive: true }).filter((name) => String(name).endsWith(".jsonl"))
    const before = files()
    const reading = FsDriver.make({ home, finish: false }).pipe(Effect.provide(NodeContext.layer))
    return Stores.run(
      Effect.scoped(
        Effect.gen(function* () {
          const reader = yield* reading
          expect((yield* Stores.failure(reader.locate(Home.id(1))))._tag).toBe("ThreadNotFound")
          expect(yield* previews(reader)).toEqual({ 2: "two" })
          expect(files()).toEqual(before)
          const driver = yield* Stores.open(home)
          expect(files()).toEqual([`archived_sessions/${Home.name(2)}`])
          expect((yield* driver.locate(Home.id(2))).archivedAt).toBe(7)
          expect(readdirSync(join(home, ".skein/intents"))).toEqual([])
        })
      )
    )
  })
})
