/** Creating and appending on a real disk, and what programs that take no lease do beside it. */
import { execFileSync } from "node:child_process"
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"
import { compress } from "@mongodb-js/zstd"
import type { Driver } from "@skein/store/Driver"
import * as Positions from "@skein/store/Position"
import { Effect } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import * as Home from "./Home.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

const day = "sessions/2026/07/20"
const first = `${day}/${Home.name(1)}`
const one = Home.say("one")
const two = Home.say("two")
const content = Home.document(Home.legacyMeta(1), one)
const contentOf = (home: string, path = first): string => readFileSync(join(home, path), "utf8")

describe("making a thread", () => {
  it("5. its file has its name, its day and its lines, and nothing else is in the home but what is ours", () => {
    const home = join(Home.temporary(), "not/there/yet")
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const position = yield* driver.create(Stores.thread(1, [one]))
        expect(contentOf(home)).toBe(content)
        expect(position).toEqual(Positions.make(Home.id(1), content.length))
        expect((yield* driver.locate(Home.id(1))).head).toEqual(position)
        expect(readdirSync(join(home, day))).toEqual([Home.name(1)])
        expect(readdirSync(home).sort()).toEqual([".skein", "sessions"])
      })
    )
  })

  it("an id that is taken anywhere in the home is refused, and nothing is written", () => {
    const home = Home.home({
      [first]: content,
      [`archived_sessions/${Home.name(2)}`]: content,
      [`sessions/1999/01/01/${Home.name(3)}.zst`]: "x"
    })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        for (const n of [1, 2, 3]) {
          expect((yield* Stores.failure(driver.create(Stores.thread(n)))).toString()).toContain("exists already")
        }
        yield* driver.create(Stores.thread(4))
        const again = yield* Stores.failure(driver.create(Stores.thread(4)))
        expect(again).toMatchObject({ _tag: "ThreadAlreadyExists", threadId: Home.id(4) })
        expect(contentOf(home)).toBe(content)
      })
    )
  })

  it("a thread that another process made in a folder where nobody looks is found", () => {
    const home = Home.home({})
    return Stores.withDriver(home, (mine) =>
      Effect.gen(function* () {
        yield* mine.create(Stores.thread(1))
        const theirs = yield* Stores.open(home)
        yield* theirs.create(Stores.thread(2, [], { segment: { madeAt: new Date(2020, 1, 2).getTime() } }))
        expect((yield* Stores.failure(mine.create(Stores.thread(2))))._tag).toBe("ThreadAlreadyExists")
        expect((yield* mine.locate(Home.id(2))).threadId).toBe(Home.id(2))
      })
    )
  })

  it("archived at once, with what was said of it", () => {
    const home = Home.home({})
    const explicit = { name: "A name", memoryMode: "disabled", metadata: { tenant: "t" } }
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* driver.create(Stores.thread(1, [], { explicit, archivedAt: 1234 }))
        expect(existsSync(join(home, `archived_sessions/${Home.name(1)}`))).toBe(true)
        expect(yield* driver.row(Home.id(1))).toMatchObject({ explicit, archivedAt: 1234 })
        expect((yield* driver.locate(Home.id(1))).archivedAt).toBe(1234)
      })
    )
  })

  it("a copy may stand on what is not there; a fork may not, and leaves nothing", () => {
    const home = Home.home({})
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const segment = { base: Positions.make(Home.id(9), 10), nextOrdinal: 1 }
        const fork = Stores.thread(2, [], { historyMode: "paginated", forkOf: Home.id(9), segment })
        expect(yield* Stores.failure(driver.create(fork))).toMatchObject({
          _tag: "ThreadNotFound",
          threadId: Home.id(9)
        })
        expect(yield* Stores.failure(driver.locate(Home.id(2)))).toMatchObject({ _tag: "ThreadNotFound" })
        yield* driver.create({ ...fork, forkOf: undefined })
        expect((yield* driver.locate(Home.id(2))).historyMode).toBe("paginated")
      })
    )
  })

  it("a legacy thread that stands on another one has a copy of what it inherits", () => {
    const home = Home.home({ [first]: Home.document(Home.legacyMeta(1), one, two) })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const base = Positions.make(Home.id(1), content.length)
        const position = yield* driver.create(Stores.thread(2, [Home.say("own")], { segment: { base } }))
        const expected = Home.document(Home.legacyMeta(2), Home.legacyMeta(1), one, Home.say("own"))
        expect(contentOf(home, Home.file(2))).toBe(expected)
        expect(position.offset).toBe(expected.length)
        expect(yield* Stores.texts(driver, 2)).toEqual(["one", "own"])
        const nowhere = Stores.thread(3, [], { segment: { base: Positions.make(Home.id(9), 10) } })
        expect(yield* Stores.failure(driver.create(nowhere))).toMatchObject({ _tag: "InvalidRequest", field: "base" })
      })
    )
  })
})

describe("appending", () => {
  it("7, 15. lines stand in order, batches have their ends, an empty batch is nothing", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const { head } = yield* driver.locate(Home.id(1))
        const batches = [Stores.batch(two), Stores.batch(), Stores.batch(one, one)]
        const ends = yield* driver.append(Stores.request(1, batches, { expected: head }))
        expect(contentOf(home)).toBe(content + Home.document(two, one, one))
        const behind = content.length + Home.document(two).length
        expect(ends.map(({ offset }) => offset)).toEqual([behind, behind, contentOf(home).length])
        const mtime = statSync(join(home, first)).mtimeMs
        expect(yield* Stores.append(driver, 1, [Stores.batch()])).toEqual(ends.at(-1))
        expect(statSync(join(home, first)).mtimeMs).toBe(mtime)
      })
    )
  })

  it("7. many callers at once: each batch whole, none lost", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const numbers = Array.from({ length: 50 }, (_, i) => i)
        const batchOf = (i: number) => Stores.batch(Home.say(`${i} a`), Home.say(`${i} b`))
        yield* Effect.forEach(numbers, (i) => Stores.append(driver, 1, [batchOf(i)]), { concurrency: "unbounded" })
        const texts = (yield* Stores.texts(driver, 1)).slice(1)
        expect(texts).toHaveLength(100)
        for (let i = 0; i < 100; i += 2) expect(texts[i + 1]).toBe(texts[i]?.replace("a", "b"))
      })
    )
  })

  it("an end that is not the expected one is a conflict that says where it is", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const { head } = yield* driver.locate(Home.id(1))
        const now = yield* Stores.append(driver, 1, [Stores.batch(two)], { expected: head })
        const error = yield* Stores.failure(Stores.append(driver, 1, [Stores.batch(two)], { expected: head }))
        expect(error).toMatchObject({ _tag: "AppendConflict", reason: "position", expected: head, actual: now })
        expect(contentOf(home)).toBe(content + Home.document(two))
      })
    )
  })

  it("12. a thread that is not there, and one that was never written to", () => {
    const home = Home.home({ [first]: "" })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        for (const n of [1, 9]) {
          expect((yield* Stores.failure(Stores.append(driver, n, [Stores.batch(two)])))._tag).toBe("ThreadNotFound")
          expect((yield* Stores.failure(driver.locate(Home.id(n))))._tag).toBe("ThreadNotFound")
        }
      })
    )
  })

  it("a file that does not say whose it is, or says it is another thread's, is not added to", () => {
    const home = Home.home({ [first]: Home.document(one), [Home.file(2)]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        for (const n of [1, 2]) {
          expect((yield* Stores.failure(Stores.append(driver, n, [Stores.batch(two)])))._tag).toBe("CorruptThread")
        }
        expect(contentOf(home)).toBe(Home.document(one))
      })
    )
  })

  it("85. the next ordinal follows the newest readable record, however long the thread", () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => Home.say(`line ${i}`, i + 1))
    const home = Home.home({ [first]: `${Home.document(Home.meta(1), ...lines)}not JSON\n` })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect((yield* driver.locate(Home.id(1))).nextOrdinal).toBe(20_001)
        const seen: Array<number | undefined> = []
        const watching = (at: { readonly nextOrdinal: number | undefined }) => {
          seen.push(at.nextOrdinal)
          return Stores.batch(one, two)(at as never)
        }
        yield* Stores.append(driver, 1, [watching, watching])
        yield* Stores.append(driver, 1, [watching])
        expect(seen).toEqual([20_001, 20_003, 20_005])
      })
    )
  })

  it("a line of 100 MB", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const long = Home.say("x".repeat(100 * 1024 * 1024))
        yield* Stores.append(driver, 1, [Stores.batch(long)])
        yield* Stores.append(driver, 1, [Stores.batch(two)])
        const texts = yield* Stores.texts(driver, 1)
        expect(texts.map(({ length }) => length)).toEqual([3, 100 * 1024 * 1024, 3])
      })
    )
  })
})

describe("21. what stands at the end of a file", () => {
  it("a foreign torn line is never cut: a line feed is added, and it is reported", () => {
    const home = Home.home({ [first]: `${content}{"timestamp":"2026` })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect((yield* driver.locate(Home.id(1))).head.offset).toBe(content.length)
        expect(yield* Stores.codes(driver, 1)).toEqual(["torn"])
        const end = yield* Stores.append(driver, 1, [Stores.batch(two)], {
          expected: Positions.make(Home.id(1), content.length)
        })
        expect(contentOf(home)).toBe(`${content}{"timestamp":"2026\n${Home.document(two)}`)
        expect(end.offset).toBe(contentOf(home).length)
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "two"])
      })
    )
  })

  it("a whole line without a line feed counts, and gets one", () => {
    const home = Home.home({ [first]: content.slice(0, -1) })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const { head } = yield* driver.locate(Home.id(1))
        expect(head.offset).toBe(content.length - 1)
        expect(yield* Stores.texts(driver, 1)).toEqual(["one"])
        yield* Stores.append(driver, 1, [Stores.batch(two)], { expected: head })
        expect(contentOf(home)).toBe(content + Home.document(two))
      })
    )
  })

  it("a batch of ours that was not finished is hidden from readers and cut by the next append", () => {
    const part = Stores.mark(Home.say("lost"), "b", 0, 2)
    const home = Home.home({ [first]: `${content}${part}\n{"timest` })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect(yield* Stores.texts(driver, 1)).toEqual(["one"])
        expect(yield* Stores.codes(driver, 1)).toEqual(["unfinished-batch"])
        expect(contentOf(home)).toContain("lost")
        yield* Stores.append(driver, 1, [Stores.batch(two)], {
          expected: Positions.make(Home.id(1), content.length)
        })
        expect(contentOf(home)).toBe(content + Home.document(two))
      })
    )
  })

  it("followed by foreign lines it counts as written", () => {
    const part = Stores.mark(Home.say("kept"), "b", 0, 2)
    const home = Home.home({ [first]: content + Home.document(part, two) })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* Stores.append(driver, 1, [Stores.batch(one)])
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "kept", "two", "one"])
      })
    )
  })
})

describe("beside a program that takes no lease", () => {
  const files = (path: string, change: (path: string) => void) => Effect.sync(() => change(path))

  /** What becomes of two appends, one that expects what was left and one that goes anywhere, after a change. */
  const after = async (
    change: (home: string) => Promise<void> | void,
    start: Readonly<Record<string, string>> = { [first]: content }
  ) => {
    const run = (expecting: boolean, looks: "always" | "never") => {
      const home = Home.home(start)
      const use = (driver: Driver) =>
        Effect.gen(function* () {
          const left = yield* Stores.append(driver, 1, [Stores.batch(two)])
          yield* Effect.promise(async () => change(home))
          const result = yield* Effect.either(
            Stores.append(driver, 1, [Stores.batch(Home.say("three"))], expecting ? { expected: left } : {})
          )
          const told = result._tag === "Left" && "reason" in result.left ? result.left.reason : "written"
          const again = yield* Effect.either(Stores.append(driver, 1, [Stores.batch(Home.say("four"))]))
          const texts = yield* Effect.orElseSucceed(Stores.texts(driver, 1), () => ["gone"])
          return { told, again: again._tag === "Right" ? "written" : again.left._tag, texts }
        })
      return Stores.withDriver(home, use, { looks })
    }
    // Found by the look in front of a write, or by the one behind it.
    const both = async (expecting: boolean) => {
      const seen = await run(expecting, "always")
      expect(await run(expecting, "never")).toEqual(seen)
      return seen
    }
    return { expecting: await both(true), any: await both(false) }
  }

  it("that appends", async () => {
    const { any, expecting } = await after((home) =>
      appendFileSync(join(home, first), Home.document(Home.say("foreign")))
    )
    expect(expecting).toEqual({ told: "grown", again: "written", texts: ["one", "two", "foreign", "four"] })
    expect(any).toEqual({ told: "written", again: "written", texts: ["one", "two", "foreign", "three", "four"] })
  })

  it("that leaves a part of a line", async () => {
    const { any } = await after((home) => appendFileSync(join(home, first), '{"timestamp":"20'))
    expect(any).toEqual({ told: "written", again: "written", texts: ["one", "two", "three", "four"] })
  })

  it("that reverts: the thread goes on in a newer file", async () => {
    const paginated = Home.document(Home.meta(1), Home.say("one", 1))
    const revert = Home.document(
      Home.meta(1, 2, { thread: 1, ordinal: 2, offset: paginated.length }),
      Home.say("reverted", 3)
    )
    const { any, expecting } = await after((home) => writeFileSync(join(home, day, Home.name(1, 7)), revert), {
      [first]: paginated
    })
    expect(expecting).toEqual({ told: "superseded", again: "written", texts: ["one", "reverted", "four"] })
    expect(any).toEqual({ told: "written", again: "written", texts: ["one", "reverted", "three", "four"] })
  })

  it("that archives: nobody appends to what was put away", async () => {
    const { any, expecting } = await after((home) => {
      mkdirSync(join(home, "archived_sessions"))
      renameSync(join(home, first), join(home, "archived_sessions", Home.name(1)))
    })
    expect(expecting).toMatchObject({ told: "moved", texts: ["one", "two", "four"] })
    expect(any).toMatchObject({ told: "moved", texts: ["one", "two", "four"] })
  })

  it("that compresses", async () => {
    const { any, expecting } = await after(async (home) => {
      writeFileSync(join(home, `${first}.zst`), await compress(readFileSync(join(home, first))))
      rmSync(join(home, first))
    })
    expect(expecting).toEqual({ told: "compressed", again: "written", texts: ["one", "two", "four"] })
    expect(any).toEqual({ told: "written", again: "written", texts: ["one", "two", "three", "four"] })
  })

  it("68. that deletes: the file is not made again", async () => {
    const { any, expecting } = await after((home) => rmSync(join(home, first)))
    expect(expecting).toEqual({ told: "deleted", again: "ThreadNotFound", texts: ["gone"] })
    expect(any).toEqual({ told: "deleted", again: "ThreadNotFound", texts: ["gone"] })
  })

  it("that cuts the file short, which nobody does", async () => {
    const { any } = await after((home) => truncateSync(join(home, first), content.length))
    expect(any).toEqual({ told: "written", again: "written", texts: ["one", "three", "four"] })
  })

  it("that links the file elsewhere, as backups do", async () => {
    const { any, expecting } = await after((home) => linkSync(join(home, first), join(home, "backup")))
    expect(expecting.told).toBe("written")
    expect(any.texts).toEqual(["one", "two", "three", "four"])
  })

  it("between our look and our write: what was written at the wrong place is taken back", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const left = yield* Stores.append(driver, 1, [Stores.batch(two)])
        const meddling = () => {
          appendFileSync(join(home, first), Home.document(Home.say("foreign")))
          return Stores.batch(Home.say("three"))(undefined as never)
        }
        const error = yield* Stores.failure(Stores.append(driver, 1, [meddling], { expected: left }))
        expect(error).toMatchObject({ _tag: "AppendConflict", reason: "grown" })
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "two", "foreign"])
        let meddled = 0
        const once = () => {
          if (meddled++ === 0) appendFileSync(join(home, first), `${Home.document(Home.say("more"))}{"torn`)
          return Stores.batch(Home.say("four"))(undefined as never)
        }
        const end = yield* Stores.append(driver, 1, [once])
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "two", "foreign", "more", "four"])
        expect(end.offset).toBe(statSync(join(home, first)).size)
        expect(meddled).toBe(2)
      })
    )
  })

  it("that puts another file in its place between our look and our write, of the very size", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* Stores.append(driver, 1, [Stores.batch(two)])
        const other = contentOf(home) + Home.document(Home.say("other"))
        const replacing = () => {
          writeFileSync(join(home, "other"), other)
          renameSync(join(home, "other"), join(home, first))
          return Stores.batch(Home.say("three"))(undefined as never)
        }
        const error = yield* Stores.failure(Stores.append(driver, 1, [replacing]))
        expect(error).toMatchObject({ _tag: "AppendConflict", reason: "moved" })
        expect(contentOf(home)).toBe(other)
      })
    )
  })

  it("a home that a running Codex uses is only added to where it is written to", () => {
    const home = Home.home({ [first]: content, "session_index.jsonl": "", "config.toml": "x" })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* driver.locate(Home.id(1))
        yield* Stores.rows(driver)
        yield* Stores.texts(driver, 1)
        yield* files(home, () =>
          expect(readdirSync(home).sort()).toEqual(["config.toml", "session_index.jsonl", "sessions"])
        )
      })
    )
  })
})

describe("57, 73. compressed threads", () => {
  it("are made plain by the first append, with their mode, and only then", async () => {
    const home = Home.home({ [`${first}.zst`]: await compress(Buffer.from(content)) })
    chmodSync(join(home, `${first}.zst`), 0o600)
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const { head } = yield* driver.locate(Home.id(1))
        expect(head).toEqual(Positions.make(Home.id(1), content.length))
        expect(yield* Stores.texts(driver, 1)).toEqual(["one"])
        expect(readdirSync(join(home, day))).toEqual([`${Home.name(1)}.zst`])
        yield* Stores.append(driver, 1, [Stores.batch(two)], { expected: head })
        expect(readdirSync(join(home, day))).toEqual([Home.name(1)])
        expect(contentOf(home)).toBe(content + Home.document(two))
        expect(statSync(join(home, first)).mode & 0o777).toBe(0o600)
      })
    )
  })

  it("a damaged one is read as far as it goes, and not added to", async () => {
    const whole = await compress(Buffer.from(content.repeat(2000)))
    const home = Home.home({ [`${first}.zst`]: whole.subarray(0, whole.length - 20) })
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const error = yield* Stores.failure(Stores.append(driver, 1, [Stores.batch(two)]))
        expect(error._tag).toBe("CorruptThread")
        expect(readdirSync(join(home, day))).toEqual([`${Home.name(1)}.zst`])
      })
    )
  })

  it("both forms present: the plain one counts; the other one goes if nothing of it would be lost", async () => {
    const cold = await compress(Buffer.from(content))
    for (const [plain, left] of [
      [content + Home.document(two), [Home.name(1)]],
      [Home.document(Home.legacyMeta(1), two), [Home.name(1), `${Home.name(1)}.zst`]]
    ] as const) {
      const home = Home.home({ [`${first}.zst`]: cold, [first]: plain })
      await Stores.withDriver(home, (driver) =>
        Effect.gen(function* () {
          expect((yield* driver.locate(Home.id(1))).head.offset).toBe(plain.length)
          yield* Stores.append(driver, 1, [Stores.batch(two)])
          expect(readdirSync(join(home, day)).sort()).toEqual(left)
          expect(contentOf(home)).toBe(plain + Home.document(two))
        })
      )
    }
  })
})

describe("further segments of a thread", () => {
  const paginated = Home.document(Home.meta(1), Home.say("one", 1), Home.say("two", 2))
  const end = Positions.make(Home.id(1), paginated.length)
  const base = Positions.make(Home.id(1), Home.offsetOf(paginated, "two"))
  const revert = (id: number, more: object = {}) =>
    Stores.segment(id, [Home.meta(1, 2, { thread: 1, ordinal: 2, offset: base.offset }), Home.say("three", 3)], {
      base,
      nextOrdinal: 4,
      ...more
    })

  it("a revert is a new file that stands on the old one, which stays as it is", () => {
    const home = Home.home({ [first]: paginated })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const position = yield* driver.branch(Home.id(1), revert(7), { expected: end, fence: undefined })
        expect(position.segmentId).toBe(Home.id(7))
        expect(contentOf(home)).toBe(paginated)
        expect(yield* driver.locate(Home.id(1))).toMatchObject({ head: position, nextOrdinal: 4 })
        yield* Stores.append(driver, 1, [Stores.batch(Home.say("four", 4))], { expected: position })
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "three", "four"])
        const segments = yield* Effect.scoped(driver.segments(Home.id(1)))
        expect(segments.map(({ segmentId }) => segmentId)).toEqual([Home.id(1), Home.id(7)])
        expect(segments[1]?.base).toEqual(base)
      })
    )
  })

  it("another end than the expected one, a segment that is there already, a thread that is not", () => {
    const home = Home.home({ [first]: paginated })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const how = { expected: end, fence: undefined }
        const elsewhere = yield* Stores.failure(driver.branch(Home.id(1), revert(7), { ...how, expected: base }))
        expect(elsewhere).toMatchObject({ _tag: "AppendConflict", reason: "position", actual: end })
        const taken = yield* Stores.failure(driver.branch(Home.id(1), revert(1), how))
        expect(taken).toMatchObject({ _tag: "InvalidRequest", field: "segmentId" })
        expect((yield* Stores.failure(driver.branch(Home.id(2), revert(7), how)))._tag).toBe("ThreadNotFound")
        expect(readdirSync(join(home, day))).toEqual([Home.name(1)])
      })
    )
  })

  it("clock going backwards: the newest file has the newest name all the same", () => {
    const home = Home.home({ [first]: paginated })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        let expected = end
        const past = Stores.madeAt - 3_600_000
        for (const id of [9, 8, 7]) {
          expected = yield* driver.branch(Home.id(1), revert(id, { madeAt: past }), { expected, fence: undefined })
          expect((yield* driver.locate(Home.id(1))).head).toEqual(expected)
        }
        const fresh = yield* Stores.open(home)
        expect((yield* fresh.locate(Home.id(1))).head).toEqual(expected)
        const segments = yield* Effect.scoped(fresh.segments(Home.id(1)))
        expect(segments.map(({ segmentId }) => segmentId)).toEqual([1, 9, 8, 7].map(Home.id))
      })
    )
  })

  it("of a legacy thread: a file that holds everything", () => {
    const home = Home.home({ [first]: Home.document(Home.legacyMeta(1), one, two) })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const segment = Stores.segment(7, [Home.legacyMeta(1), Home.say("three")], {
          base: Positions.make(Home.id(1), content.length)
        })
        const { head } = yield* driver.locate(Home.id(1))
        const position = yield* driver.branch(Home.id(1), segment, { expected: head, fence: undefined })
        const expected = Home.document(Home.legacyMeta(1), Home.legacyMeta(1), one, Home.say("three"))
        const name = readdirSync(join(home, day)).find((one) => one.includes("_"))
        expect(contentOf(home, `${day}/${name}`)).toBe(expected)
        expect(position.offset).toBe(expected.length)
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "three"])
      })
    )
  })

  it("that another instance made is found, wherever its name puts it", () => {
    const home = Home.home({ [first]: paginated })
    return Stores.withDriver(home, (mine) =>
      Effect.gen(function* () {
        yield* mine.locate(Home.id(1))
        const theirs = yield* Stores.open(home)
        const later = revert(7, { madeAt: Stores.madeAt + 40 * 86_400_000 })
        const position = yield* theirs.branch(Home.id(1), later, { expected: end, fence: undefined })
        yield* Stores.append(mine, 1, [Stores.batch(Home.say("four", 4))])
        expect((yield* mine.locate(Home.id(1))).head.segmentId).toBe(position.segmentId)
        expect(yield* Stores.texts(mine, 1)).toEqual(["one", "three", "four"])
      })
    )
  })
})

describe("57, 58. what has the name of a rollout", () => {
  it("a directory is refused, and never opened", () => {
    const home = Home.home({ "sessions/x": "" })
    mkdirSync(join(home, first), { recursive: true })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        for (const effect of [
          driver.locate(Home.id(1)),
          Stores.append(driver, 1, [Stores.batch(one)]),
          driver.row(Home.id(1))
        ]) {
          const error = yield* Stores.failure(
            effect as Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>
          )
          expect(error._tag).toBe("InvalidRequest")
          expect(error.message).toContain("path is a directory")
        }
        expect(yield* Stores.rows(driver)).toEqual([])
      })
    )
  })

  it("a pipe is refused, and nobody waits for what comes out of it", () => {
    const home = Home.home({ [Home.file(2)]: content.replaceAll(Home.id(1), Home.id(2)) })
    execFileSync("mkfifo", [join(home, first)])
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const error = yield* Stores.failure(driver.locate(Home.id(1)))
        expect(error).toMatchObject({ _tag: "InvalidRequest" })
        expect((yield* Stores.failure(Stores.append(driver, 1, [Stores.batch(one)])))._tag).toBe("InvalidRequest")
        expect((yield* Stores.rows(driver)).map(({ threadId }) => threadId)).toEqual([Home.id(2)])
      })
    )
  })

  it("a directory beside the file of a thread does not hide it", () => {
    const home = Home.home({ [`archived_sessions/${Home.name(1)}`]: content })
    mkdirSync(join(home, first), { recursive: true })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect(yield* Stores.texts(driver, 1)).toEqual(["one"])
        expect((yield* Stores.rows(driver)).map(({ archivedAt }) => archivedAt !== undefined)).toEqual([true])
      })
    )
  })

  it("names that are malformed are nobody's", () => {
    const home = Home.home({
      [`${day}/rollout-2026-07-20-${Home.id(1)}.jsonl`]: content,
      [`${day}/${Home.name(1)}.bak`]: content,
      [`${day}/${Home.name(1)}.x.tmp`]: content,
      [`${day}/rollout-2026-07-20T10-00-00-nonsense.jsonl`]: content
    })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect(yield* Stores.rows(driver)).toEqual([])
        expect((yield* Stores.failure(driver.locate(Home.id(1))))._tag).toBe("ThreadNotFound")
      })
    )
  })

  it("two unsegmented files that claim one id: one is chosen by its name, the other one reported", () => {
    const other = `sessions/2026/07/21/rollout-2026-07-21T10-00-00-${Home.id(1)}.jsonl`
    const archived = `archived_sessions/rollout-2026-07-22T10-00-00-${Home.id(1)}.jsonl`
    const home = Home.home({ [first]: content, [other]: content + Home.document(two), [archived]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "two"])
        expect(yield* Stores.codes(driver, 1)).toEqual(["duplicate-file", "duplicate-file"])
        expect(yield* Stores.rows(driver)).toHaveLength(1)
      })
    )
  })
})

describe("homes", () => {
  it("a symlinked home is the one that it leads to", () => {
    const home = Home.home({ [first]: content })
    const link = join(Home.temporary(), "link")
    symlinkSync(home, link)
    return Stores.withDriver(link, (driver) =>
      Effect.gen(function* () {
        yield* Stores.append(driver, 1, [Stores.batch(two)])
        yield* driver.create(Stores.thread(2))
        expect(contentOf(home)).toBe(content + Home.document(two))
        expect(yield* Stores.rows(driver)).toHaveLength(2)
      })
    )
  })

  it.skipIf(!existsSync("/proc/self/fd"))("files that were read are closed again", () => {
    const home = Home.home({ [first]: content, [Home.file(2)]: Home.document(Home.meta(2)) })
    const open = () => readdirSync("/proc/self/fd").length
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* Stores.append(driver, 1, [Stores.batch(two)])
        const before = open()
        for (let i = 0; i < 20; i++) {
          yield* Stores.texts(driver, 1)
          yield* Effect.scoped(driver.segments(Home.id(1)))
          yield* driver.locate(Home.id(2))
          yield* Stores.append(driver, 1, [Stores.batch(two)])
          yield* Stores.rows(driver)
        }
        expect(open()).toBeLessThan(before + 5)
      })
    )
  })

  it("a file is no home", () => {
    const home = Home.home({ x: "" })
    return Effect.runPromise(
      Effect.gen(function* () {
        const error = yield* Stores.failure(Effect.scoped(Stores.open(join(home, "x"))))
        expect(error).toMatchObject({ _tag: "InvalidRequest", field: "home" })
      })
    )
  })

  it.skipIf(process.getuid?.() === 0)("a read-only folder: reading works, writing says why it does not", () => {
    const home = Home.home({ [first]: content })
    for (const path of [join(home, first), dirname(join(home, first)), home]) chmodSync(path, 0o555)
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        expect(yield* Stores.texts(driver, 1)).toEqual(["one"])
        for (const effect of [Stores.append(driver, 1, [Stores.batch(two)]), driver.create(Stores.thread(2))]) {
          const error = yield* Stores.failure(effect as Effect.Effect<unknown, { readonly _tag: string }>)
          expect(error).toMatchObject({ _tag: "StoreUnavailable", retryable: false })
        }
      })
    ).finally(() => chmodSync(home, 0o755))
  })
})

describe("a file that was made to end inside of a batch", () => {
  const start = Home.document(Home.legacyMeta(1), Home.say("one"))
  const lines = [0, 1, 2].map((i) => Stores.mark(Home.say(`b${i}`), "b", i, 3))
  const source = Home.document(Home.legacyMeta(1), one, ...lines)
  const base = Positions.make(Home.id(1), start.length + Home.document(lines[0] ?? "").length)

  it("has all of it, whatever comes behind", () => {
    const home = Home.home({ [first]: source })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* driver.create(Stores.thread(2, [], { segment: { base } }))
        const path = join(home, Home.file(2))
        for (const store of [driver, yield* Stores.open(home)]) {
          expect(yield* Stores.texts(store, 2)).toEqual(["one", "b0"])
          expect(yield* Stores.codes(store, 2)).toEqual([])
        }
        appendFileSync(path, '{"torn')
        expect(yield* Stores.texts(driver, 2)).toEqual(["one", "b0"])
        expect(yield* Stores.codes(driver, 2)).toEqual(["torn"])
        yield* driver.updateExplicit(Home.id(2), () => ({ memoryMode: "disabled" }))
        yield* Stores.append(driver, 2, [Stores.marked("c", "c0", "c1")])
        expect(yield* Stores.texts(driver, 2)).toEqual(["one", "b0", "c0", "c1"])
        // What is cut off behind it is still cut off.
        appendFileSync(path, `${Stores.mark(Home.say("lost"), "d", 0, 2)}\n`)
        expect(yield* Stores.texts(driver, 2)).toEqual(["one", "b0", "c0", "c1"])
        expect(yield* Stores.codes(driver, 2)).toEqual(["unfinished-batch"])
      })
    )
  })
})
