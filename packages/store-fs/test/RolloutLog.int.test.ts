import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { compress } from "@mongodb-js/zstd"
import type { Decoded } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"
import type { Diagnostic } from "@skein/store/Diagnostic"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import { Effect } from "effect"
import * as fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import { corpus, needsCorpus, rolloutsBelow, samples } from "../../core/test/corpus.js"
import * as RolloutFile from "../src/RolloutFile.js"
import * as RolloutLog from "../src/RolloutLog.js"
import * as Home from "./Home.js"

afterAll(Home.removeAll)

const textOf = (decoded: Decoded): ReadonlyArray<string> =>
  decoded.kind === "response_item" && decoded.payload.type === "message"
    ? decoded.payload.content.map((part) => ("text" in part ? part.text : part.type))
    : []

interface Seen {
  readonly texts: ReadonlyArray<string>
  readonly whole: boolean
  readonly threadId: string | undefined
  readonly codes: ReadonlyArray<string>
  readonly diagnostics: ReadonlyArray<Diagnostic>
  readonly files: ReadonlyArray<string>
}

/** A line by where it stands and what it came to. */
const place = (decoded: Decoded, piece: number): string => `${piece}:${decoded.line.offset}:${decoded.kind}`

const collect = (log: RolloutLog.RolloutLog) =>
  Effect.gen(function* () {
    const ahead: Array<{ readonly decoded: Decoded; readonly piece: number }> = []
    const back: Array<{ readonly decoded: Decoded; readonly piece: number }> = []
    yield* EffectiveLog.forward(log, (decoded, piece) => ahead.push({ decoded, piece }) > 0)
    yield* EffectiveLog.backward(log, (decoded, piece) => back.push({ decoded, piece }) > 0)
    return { ahead, back: back.reverse() }
  })

/** What a file's log holds; reading it backward, and its raw lines, must say the same. */
const seen = (path: string, options: RolloutFile.Options = {}): Promise<Seen> =>
  Home.run(
    Effect.gen(function* () {
      const log = yield* RolloutLog.open(path, options)
      const { ahead, back } = yield* collect(log)
      const texts = ahead.flatMap(({ decoded }) => textOf(decoded))
      expect(back.flatMap(({ decoded }) => textOf(decoded))).toEqual(texts)
      expect(back.map(({ decoded, piece }) => place(decoded, piece)).sort()).toEqual(
        ahead.map(({ decoded, piece }) => place(decoded, piece)).sort()
      )
      const raw: Array<string> = []
      yield* EffectiveLog.lines(log, (line, piece) => raw.push(`${piece}:${line.offset}`) > 0)
      expect(raw).toEqual(
        ahead
          .map(({ decoded, piece }) => [piece, decoded.line.offset] as const)
          .sort(([p, a], [q, b]) => p - q || a - b)
          .map(([piece, offset]) => `${piece}:${offset}`)
      )
      return {
        texts,
        whole: log.whole,
        threadId: log.meta?.payload.id,
        codes: log.diagnostics.map(({ code }) => code),
        diagnostics: log.diagnostics,
        files: log.pieces.map(({ source }) => source.path)
      }
    })
  )

/** A thread of three messages, ordinals 1 to 3. */
const first = Home.document(Home.meta(1), Home.say("a1", 1), Home.say("a2", 2), Home.say("a3", 3))
const third = Home.offsetOf(first, "a3")

/** A fork of it in front of a3. */
const fork = (more: object = {}, base: Partial<Home.Base> = {}): string =>
  Home.document(Home.meta(2, 3, { thread: 1, ordinal: 3, offset: third, ...base }, more), Home.say("b1", 4))

const good = { whole: true, codes: [] }

describe("reading a chain (since-july)", () => {
  it("a thread that stands on nothing", async () => {
    const home = Home.home({ [Home.file(1)]: first })
    const log = await seen(join(home, Home.file(1)))
    expect(log).toMatchObject({ ...good, texts: ["a1", "a2", "a3"], threadId: Home.id(1) })
  })

  it("a fork inherits the records of its base below `end_ordinal_exclusive`; then its own", async () => {
    const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork() })
    const log = await seen(join(home, Home.file(2)))
    expect(log).toMatchObject({ ...good, texts: ["a1", "a2", "b1"], threadId: Home.id(2) })
    expect(log.files).toEqual([join(home, Home.file(1)), join(home, Home.file(2))])
  })

  it("its own header comes first and once, that of the base in its place", async () => {
    const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork() })
    const kinds = await Home.run(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(join(home, Home.file(2)))
        const { ahead } = yield* collect(log)
        return ahead.map(({ decoded }) => (decoded.kind === "session_meta" ? decoded.payload.id : textOf(decoded)[0]))
      })
    )
    expect(kinds).toEqual([Home.id(2), Home.id(1), "a1", "a2", "b1"])
  })

  it("a reverted thread: a further file of the same thread, which stands on the first one", async () => {
    const segment = Home.document(
      Home.meta(1, 2, { thread: 1, ordinal: 2, offset: Home.offsetOf(first, "a2") }),
      Home.say("s1", 3)
    )
    const home = Home.home({ [Home.file(1)]: first, [Home.file(1, 7)]: segment })
    expect(await seen(join(home, Home.file(1, 7)))).toMatchObject({
      ...good,
      texts: ["a1", "s1"],
      threadId: Home.id(1)
    })
    expect(await seen(join(home, Home.file(1)))).toMatchObject({ ...good, texts: ["a1", "a2", "a3"] })
  })

  it("the base id is looked up among segment ids first; chains of three", async () => {
    const segment = Home.document(
      Home.meta(1, 2, { thread: 1, ordinal: 2, offset: Home.offsetOf(first, "a2") }),
      Home.say("s1", 3),
      Home.say("s2", 4)
    )
    const onSegment = Home.document(
      Home.meta(3, 4, { thread: 7, ordinal: 4, offset: Home.offsetOf(segment, "s2") }),
      Home.say("c1", 5)
    )
    const home = Home.home({ [Home.file(1)]: first, [Home.file(1, 7)]: segment, [Home.file(3)]: onSegment })
    const log = await seen(join(home, Home.file(3)))
    expect(log).toMatchObject({ ...good, texts: ["a1", "s1", "c1"], threadId: Home.id(3) })
    expect(log.files.map((path) => relative(home, path))).toEqual([Home.file(1), Home.file(1, 7), Home.file(3)])
  })

  it("the base may be archived, the file that stands on it too", async () => {
    const archived = `archived_sessions/${Home.name(1)}`
    const home = Home.home({ [archived]: first, [Home.file(2)]: fork(), [`archived_sessions/${Home.name(3)}`]: fork() })
    expect(await seen(join(home, Home.file(2)))).toMatchObject({ ...good, texts: ["a1", "a2", "b1"] })
    expect(await seen(join(home, `archived_sessions/${Home.name(3)}`))).toMatchObject({
      ...good,
      texts: ["a1", "a2", "b1"]
    })
  })

  it("the base may be `.zst`; its offset counts uncompressed bytes", async () => {
    const home = Home.home({
      [`${Home.file(1)}.zst`]: await compress(Buffer.from(first)),
      [`${Home.file(2)}.zst`]: await compress(Buffer.from(fork()))
    })
    expect(await seen(join(home, `${Home.file(2)}.zst`))).toMatchObject({ ...good, texts: ["a1", "a2", "b1"] })
  })

  it("a byte that is not UTF-8 in a base costs that line only", async () => {
    const base = Buffer.from(first)
    base[base.indexOf("a1")] = 0xff
    const home = Home.home({ [Home.file(1)]: base, [Home.file(2)]: fork() })
    expect(await seen(join(home, Home.file(2)))).toMatchObject({ ...good, texts: ["a2", "b1"] })
  })

  it("a fork of a whole base: the offset is its length", async () => {
    const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork({}, { ordinal: 4, offset: first.length }) })
    expect(await seen(join(home, Home.file(2)))).toMatchObject({ ...good, texts: ["a1", "a2", "a3", "b1"] })
  })

  it("a fork of nothing: ordinal 0, offset 0", async () => {
    const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork({}, { ordinal: 0, offset: 0 }) })
    expect(await seen(join(home, Home.file(2)))).toMatchObject({ ...good, texts: ["b1"] })
  })

  it("a relative path reads as an absolute one does", async () => {
    const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork() })
    const path = relative(process.cwd(), join(home, Home.file(2)))
    expect(await seen(path)).toMatchObject({ ...good, texts: ["a1", "a2", "b1"] })
  })
})

describe("a base that is not what it should be is reported", () => {
  it("no base file at all", async () => {
    const home = Home.home({ [Home.file(2)]: fork() })
    const log = await seen(join(home, Home.file(2)))
    expect(log).toMatchObject({ texts: ["b1"], whole: false, codes: ["missing-base"] })
    expect(log.diagnostics[0]).toMatchObject({ severity: "error", path: join(home, Home.file(2)) })
    expect(log.diagnostics[0]?.message).toContain(Home.id(1))
  })

  it("the base of a base is missing: the log begins where it can", async () => {
    const second = Home.document(Home.meta(2, 5, { thread: 9, ordinal: 5, offset: 99 }), Home.say("b1", 6))
    const last = Home.document(Home.meta(3, 7, { thread: 2, ordinal: 7, offset: second.length }), Home.say("c1", 8))
    const home = Home.home({ [Home.file(2)]: second, [Home.file(3)]: last })
    const log = await seen(join(home, Home.file(3)))
    expect(log).toMatchObject({ texts: ["b1", "c1"], whole: false, codes: ["missing-base"] })
    expect(log.diagnostics[0]).toMatchObject({ path: join(home, Home.file(2)) })
  })

  const circle = (): string => {
    const of = (thread: number, base: number) =>
      Home.document(Home.meta(thread, 1, { thread: base, ordinal: 9, offset: 0 }), Home.say(`t${thread}`, 2))
    const at = (thread: number, base: number) =>
      of(thread, base).replace('"end_byte_offset":0', `"end_byte_offset":${of(base, thread).length + 2}`)
    return Home.home({ [Home.file(1)]: at(1, 2), [Home.file(2)]: at(2, 1), [Home.file(3)]: of(3, 3) })
  }

  it.each([
    ["by an absolute path", (path: string) => path],
    ["by a relative path", (path: string) => relative(process.cwd(), path)],
    ["by a path with dots in it", (path: string) => `${dirname(path)}/../20/${path.split("/").at(-1)}`]
  ])("a circle of two, named %s: each file once", async (_, named) => {
    const home = circle()
    const log = await seen(named(join(home, Home.file(1))))
    expect(log).toMatchObject({ texts: ["t2", "t1"], whole: false })
    expect(log.codes).toContain("cyclic-base")
  })

  it("a file that stands on itself", async () => {
    const home = circle()
    for (const path of [join(home, Home.file(3)), relative(process.cwd(), join(home, Home.file(3)))]) {
      expect(await seen(path)).toMatchObject({ texts: ["t3"], whole: false, codes: ["cyclic-base"] })
    }
  })

  it("an offset inside a line: its ordinal counts instead", async () => {
    for (const offset of [third - 1, third + 1, third + 40, first.length - 1]) {
      const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork({}, { offset }) })
      const log = await seen(join(home, Home.file(2)))
      expect(log).toMatchObject({ texts: ["a1", "a2", "b1"], whole: true, codes: ["base-offset-inside-line"] })
      expect(log.diagnostics[0]).toMatchObject({ severity: "warning", offset, path: join(home, Home.file(1)) })
    }
  })

  it("an offset behind the end of the file: what there is below the ordinal counts", async () => {
    const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork({}, { offset: first.length + 1 }) })
    const log = await seen(join(home, Home.file(2)))
    expect(log).toMatchObject({ texts: ["a1", "a2", "b1"], codes: ["base-too-short"] })
    expect(log.diagnostics[0]).toMatchObject({
      severity: "error",
      offset: first.length,
      path: join(home, Home.file(1))
    })
  })

  it("where the two disagree, the offset wins if it is a line end", async () => {
    for (const ordinal of [1, 4, 90]) {
      const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork({}, { ordinal }) })
      const log = await seen(join(home, Home.file(2)))
      expect(log).toMatchObject({ texts: ["a1", "a2", "b1"], whole: true, codes: ["base-offset-mismatch"] })
      expect(log.diagnostics[0]).toMatchObject({ severity: "warning", offset: third })
    }
  })

  it("the offset wins, and the file's own header is no repetition of the base's last record", async () => {
    // The base goes on to ordinal 3, which is also that of the fork's header.
    const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork({}, { offset: first.length }) })
    const log = await seen(join(home, Home.file(2)))
    expect(log).toMatchObject({ texts: ["a1", "a2", "a3", "b1"], codes: ["base-offset-mismatch"] })
    const again = Home.document(Home.meta(2, 2, { thread: 1, ordinal: 2, offset: first.length }), Home.say("b1", 3))
    writeFileSync(join(home, Home.file(2)), again)
    expect(await seen(join(home, Home.file(2)))).toMatchObject({ texts: ["a1", "a2", "a3", "b1"] })
  })

  it("a file outside of a home has no bases to look for", async () => {
    const folder = Home.temporary()
    const path = join(folder, Home.name(2))
    writeFileSync(path, fork())
    const log = await seen(path)
    expect(log).toMatchObject({ texts: ["b1"], whole: false, codes: ["base-outside-home"] })
    writeFileSync(path, first)
    expect(await seen(path)).toMatchObject({ ...good, texts: ["a1", "a2", "a3"] })
  })

  it("a base in another home is none", async () => {
    const home = Home.home({ [Home.file(2)]: fork() })
    const other = join(home, "other")
    mkdirSync(dirname(join(other, Home.file(1))), { recursive: true })
    writeFileSync(join(other, Home.file(1)), first)
    expect(await seen(join(home, Home.file(2)))).toMatchObject({ codes: ["missing-base"] })
  })

  it("a base that is cut short in its `.zst`", async () => {
    const many = Home.document(Home.meta(1), ...Array.from({ length: 4000 }, (_, i) => Home.say(`a${i + 1}`, i + 1)))
    const packed = await compress(Buffer.from(many))
    const home = Home.home({
      [`${Home.file(1)}.zst`]: packed.subarray(0, packed.length - 10),
      [Home.file(2)]: fork({}, { ordinal: 4001, offset: many.length })
    })
    const log = await seen(join(home, Home.file(2)))
    expect(log.codes).toEqual(["zstd-damaged", "base-too-short"])
    expect(log.texts.length).toBeGreaterThan(100)
    expect(log.texts.at(-1)).toBe("b1")
  })
})

describe("whole files (rollout-format §2.1)", () => {
  const reason = async (content: string | Uint8Array, name = Home.file(1)): Promise<unknown> => {
    const home = Home.home({ [name]: content })
    return (await Home.refused(RolloutLog.open(join(home, name)))).reason
  }

  it.each(["", "\n", "\r\n \n\t\n"])('no non-blank line (%j): error "empty"', async (content) => {
    expect(await reason(content)).toBe("empty")
    expect(await reason(await compress(Buffer.from(content)), `${Home.file(1)}.zst`)).toBe("empty")
  })

  it("a `.zst` of which nothing can be read is damaged, not empty", async () => {
    const packed = await compress(Buffer.from(first))
    for (const cut of [4, 5, 8, packed.length - 1]) {
      expect(await reason(packed.subarray(0, cut), `${Home.file(1)}.zst`)).toBe("zstd-damaged")
    }
  })

  const unknown = Home.meta(1, 0, undefined, { history_mode: "galactic" })
  const none = Home.meta(1, 0, undefined, { history_mode: null })

  it.each([
    ["as the first line", [unknown]],
    ["null", [none]],
    ["behind other records", [Home.say("x", 0), "not json", unknown, Home.meta(1), Home.say("y", 1)]],
    ["in front of a good one", [unknown, Home.meta(1), Home.say("x", 1)]]
  ])(
    "`session_meta` with unknown (or null) `history_mode` before the first good one: whole file refused (%s)",
    async (_, lines) => {
      expect(await reason(Home.document(...lines))).toBe("unknown-history-mode")
    }
  )

  it("same, after the first good one: only that line lost", async () => {
    const home = Home.home({
      [Home.file(1)]: Home.document(Home.meta(1), Home.say("x", 1), unknown, none, Home.say("y", 2))
    })
    const log = await seen(join(home, Home.file(1)))
    expect(log).toMatchObject({ ...good, texts: ["x", "y"], threadId: Home.id(1) })
  })

  it("a base that is kept in an unknown mode refuses what stands on it", async () => {
    const home = Home.home({ [Home.file(1)]: first.replace('"paginated"', '"galactic"'), [Home.file(2)]: fork() })
    const refused = await Home.refused(RolloutLog.open(join(home, Home.file(2))))
    expect(refused).toMatchObject({ reason: "unknown-history-mode", path: join(home, Home.file(1)) })
  })

  it("no parseable `session_meta`: its records are read, and it is said", async () => {
    const home = Home.home({ [Home.file(1)]: Home.document(Home.say("x"), "not json", Home.say("y")) })
    expect(await seen(join(home, Home.file(1)))).toMatchObject({
      texts: ["x", "y"],
      threadId: undefined,
      codes: ["no-session-meta"]
    })
  })

  it("a binary file has no records, and it is said", async () => {
    const bytes = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7919 + (i >> 3)) % 256)
    const home = Home.home({ [Home.file(1)]: bytes })
    expect(await seen(join(home, Home.file(1)))).toMatchObject({ texts: [], codes: ["no-session-meta"] })
  })

  it("the first parsed `session_meta` is canonical for id", async () => {
    const home = Home.home({
      [Home.file(1)]: Home.document("{", Home.legacyMeta(1), Home.legacyMeta(2), Home.say("x"), Home.legacyMeta(3))
    })
    expect(await seen(join(home, Home.file(1)))).toMatchObject({ ...good, threadId: Home.id(1) })
  })

  it("a duplicate ordinal: the first wins, forward and backward", async () => {
    const home = Home.home({
      [Home.file(1)]: Home.document(
        Home.meta(1),
        Home.say("x", 1),
        Home.say("again", 1),
        "{",
        Home.say("and again", 1),
        Home.say("y", 2)
      )
    })
    expect(await seen(join(home, Home.file(1)))).toMatchObject({ ...good, texts: ["x", "y"] })
  })
})

describe("reading backward until there is enough", () => {
  const sketch = fc.array(fc.constantFrom("say", "again", "damage", "blank", "none"), { minLength: 1, maxLength: 9 })
  const linesOf = (kinds: ReadonlyArray<string>, from: number): ReadonlyArray<string> => {
    let ordinal = from
    return kinds.map((kind, i) => {
      if (kind === "damage") return "{"
      if (kind === "blank") return ""
      if (kind === "none") return Home.say(`n${from}-${i}`)
      return Home.say(`s${from}-${i}`, kind === "again" ? ordinal : ++ordinal)
    })
  }

  it("what was taken and what is left are the whole log, wherever it stops", { timeout: 60_000 }, async () => {
    const home = Home.home({ [Home.file(1)]: "", [Home.file(2)]: "" })
    await fc.assert(
      fc.asyncProperty(sketch, sketch, fc.nat(20), async (ours, theirs, enough) => {
        const base = Home.document(Home.meta(1), ...linesOf(theirs, 0))
        writeFileSync(join(home, Home.file(1)), base)
        const own = Home.document(
          Home.meta(2, 50, { thread: 1, ordinal: 50, offset: base.length }),
          ...linesOf(ours, 50)
        )
        writeFileSync(join(home, Home.file(2)), own)
        await Home.run(
          Effect.gen(function* () {
            const log = yield* RolloutLog.open(join(home, Home.file(2)))
            const { ahead } = yield* collect(log)
            const records = (all: typeof ahead) =>
              all
                .filter(({ decoded }) => EffectiveLog.isRecord(decoded))
                .map(({ decoded, piece }) => place(decoded, piece))
                .sort()
            const taken: typeof ahead = []
            let count = 0
            const rest = yield* EffectiveLog.backward(log, (decoded, piece) => {
              taken.push({ decoded, piece })
              return !EffectiveLog.isRecord(decoded) || ++count <= enough
            })
            if (rest === undefined) return expect(records(taken)).toEqual(records(ahead))
            const left: typeof ahead = []
            yield* EffectiveLog.forward(rest, (decoded, piece) => left.push({ decoded, piece }) > 0)
            const own = log.meta
            // The thread's own header opens every reading forward, also when it was taken already.
            const others = left.filter(({ decoded }) => own === undefined || decoded !== own)
            const header = taken.some(
              ({ decoded }) => decoded.kind === "session_meta" && decoded.payload.id === Home.id(2)
            )
            expect(records([...taken, ...(header ? others : left)])).toEqual(records(ahead))
          })
        )
      }),
      { numRuns: 150 }
    )
  })
})

describe("reading backward and passing over lines by their heads", () => {
  const tokens = (ordinal: number) => Home.event({ type: "token_count", info: null, rate_limits: null }, ordinal)

  const wanted = (...lines: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
    const home = Home.home({ [Home.file(1)]: Home.document(...lines) })
    return Home.run(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(join(home, Home.file(1)))
        const texts: Array<string> = []
        const take = (decoded: Decoded): boolean => {
          expect(decoded.kind).not.toBe("event_msg")
          texts.unshift(...textOf(decoded))
          return true
        }
        yield* EffectiveLog.backward(log, take, ({ type }) => type !== "event_msg")
        return texts
      })
    )
  }

  it("lines that are not wanted are not handed on", async () => {
    expect(
      await wanted(Home.meta(1), tokens(1), Home.say("x", 2), tokens(3), tokens(4), Home.say("y", 5), tokens(6))
    ).toEqual(["x", "y"])
  })

  it("their ordinals count all the same: the first one wins", async () => {
    expect(await wanted(Home.meta(1), tokens(1), Home.say("x", 1), tokens(2), tokens(3), Home.say("y", 3))).toEqual([])
    expect(await wanted(Home.meta(1), Home.say("x", 1), tokens(1), Home.say("y", 2))).toEqual(["x", "y"])
  })

  it("but not that of a torn one, whose ordinal the next writer takes again", async () => {
    expect(await wanted(Home.meta(1), Home.say("x", 1), tokens(2).slice(0, -9), Home.say("y", 2))).toEqual(["x", "y"])
  })
})

describe("reading forward and passing over lines by their heads", () => {
  const tokens = (ordinal: number) => Home.event({ type: "token_count", info: null, rate_limits: null }, ordinal)

  /** The records of a file that are no events, read with and without passing over events. */
  const wanted = (...lines: ReadonlyArray<string>) => {
    const home = Home.home({ [Home.file(1)]: Home.document(...lines) })
    return Home.run(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(join(home, Home.file(1)))
        const all: Array<string> = []
        const some: Array<string> = []
        let events = 0
        yield* EffectiveLog.forward(log, (decoded, piece) => {
          if (decoded.kind === "response_item") all.push(`${textOf(decoded)} ${place(decoded, piece)}`)
          return true
        })
        const take: EffectiveLog.Take = (decoded, piece) => {
          if (decoded.kind === "event_msg") events++
          if (decoded.kind === "response_item") some.push(`${textOf(decoded)} ${place(decoded, piece)}`)
          return true
        }
        yield* EffectiveLog.forward(log, take, { wants: ({ type }) => type !== "event_msg" })
        return { all, some, events }
      })
    )
  }

  it("lines that are not wanted are not handed on", async () => {
    const { all, events, some } = await wanted(Home.meta(1), tokens(1), Home.say("x", 2), tokens(3), Home.say("y", 4))
    expect(some).toEqual(all)
    expect([some.length, events]).toEqual([2, 0])
  })

  it("the order of a chain is kept: own header, what it inherits, own lines", async () => {
    const home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork() })
    const kinds = await Home.run(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(join(home, Home.file(2)))
        const seen: Array<string> = []
        const take = (decoded: Decoded, piece: number) => seen.push(`${piece} ${decoded.kind}`) > 0
        yield* EffectiveLog.forward(log, take, { wants: ({ type }) => type === "session_meta" })
        return seen
      })
    )
    expect(kinds).toEqual(["1 session_meta", "0 session_meta"])
  })

  it("what is taken outlasts the reading, lines that cross chunks and all", async () => {
    // Chunks are of one megabyte and share their memory: longer lines, and lines at every offset of a chunk.
    const long = "x".repeat(2_500_000)
    const texts = Array.from({ length: 900 }, (_, i) => (i % 300 === 299 ? `${i}${long}` : `${i}${"y".repeat(i * 7)}`))
    const lines = texts.flatMap((text, i) => [Home.say(text, 2 * i + 1), tokens(2 * i + 2)])
    const home = Home.home({ [Home.file(1)]: Home.document(Home.meta(1), ...lines) })
    const taken = await Home.run(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(join(home, Home.file(1)))
        const all: Array<Decoded> = []
        yield* EffectiveLog.forward(log, (decoded) => all.push(decoded) > 0, {
          wants: ({ type }) => type !== "event_msg"
        })
        return all
      })
    )
    expect(taken.slice(1).flatMap(textOf)).toEqual(texts)
    for (const { line } of taken) {
      const again = Record.decode(line)
      expect(again.kind).not.toBe("damage")
    }
    expect(taken.slice(1).map(({ line }) => textOf(Record.decode(line))[0])).toEqual(texts)
  })

  it("ordinals of lines that are passed over count: the first readable line of an ordinal wins", async () => {
    const step = fc.record({
      ahead: fc.nat({ max: 1 }),
      kind: fc.constantFrom("say", "tokens", "torn tokens")
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        let ordinal = 0
        const lines = steps.map(({ ahead, kind }, i) => {
          ordinal += ahead
          if (kind === "say") return Home.say(`${i}`, ordinal)
          return kind === "tokens" ? tokens(ordinal) : tokens(ordinal).slice(0, -9)
        })
        const { all, some } = await wanted(Home.meta(1), ...lines)
        expect(some).toEqual(all)
      }),
      { numRuns: 60 }
    )
  })
})

describe("files as writers leave them", () => {
  const readable = (paths: ReadonlyArray<string>) => paths.filter((path) => readFileSync(path).length > 0)

  it.each(readable(rolloutsBelow(samples)).map((path) => relative(samples, path)))(
    "samples/%s: forward and backward agree",
    async (path) => {
      const log = await seen(join(samples, path))
      expect(log.whole).toBe(true)
    }
  )

  it.skipIf(corpus === undefined)(`every chain of 0.169.0 is whole${needsCorpus}`, { timeout: 60_000 }, async () => {
    let chains = 0
    for (const path of rolloutsBelow(join(corpus ?? "", "0.169.0"))) {
      const log = await seen(path)
      expect(log, path).toMatchObject(good)
      if (log.files.length > 1) chains++
    }
    expect(chains).toBeGreaterThan(10)
  })

  it.skipIf(corpus === undefined)(
    `raw fidelity of the compressed files${needsCorpus}`,
    { timeout: 60_000 },
    async () => {
      const packed = rolloutsBelow(corpus ?? "").filter((path) => path.endsWith(".zst"))
      expect(packed.length).toBeGreaterThan(3)
      for (const path of packed) {
        await Home.run(
          Effect.gen(function* () {
            const file = yield* RolloutFile.open(path)
            const parts: Array<Uint8Array> = []
            yield* RolloutFile.forward(file, (line) => {
              parts.push(line.bytes)
              if (line.terminated) parts.push(Uint8Array.of(0x0a))
              return true
            })
            const content = yield* file.read(0, file.size)
            expect(Buffer.concat(parts).equals(content)).toBe(true)
            expect(file.damagedAt).toBeUndefined()
          })
        )
      }
    }
  )
})
