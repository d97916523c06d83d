import { isAscii } from "node:buffer"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Jsonl from "../../src/record/Jsonl.js"

const encoder = new TextEncoder()

/** The line that a text is, as if it stood alone at the start of a file. */
const lineOf = (content: string | Uint8Array, terminated = true): Jsonl.RawLine => ({
  bytes: typeof content === "string" ? encoder.encode(content) : content,
  offset: 0,
  number: 1,
  terminated
})

/** A document cut at the given places. */
const chunksOf = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return places.slice(1).map((place, i) => bytes.subarray(places[i], place))
}

const splitForward = (chunks: ReadonlyArray<Uint8Array>, start?: Jsonl.Start): ReadonlyArray<Jsonl.RawLine> => {
  const lines: Array<Jsonl.RawLine> = []
  const take = (line: Jsonl.RawLine): boolean => lines.push(line) > 0
  const splitter = Jsonl.forward(start)
  for (const chunk of chunks) splitter.push(chunk, take)
  splitter.end(take)
  return lines
}

const splitBackward = (chunks: ReadonlyArray<Uint8Array>, from = 0): ReadonlyArray<Jsonl.RawLine> => {
  const lines: Array<Jsonl.RawLine> = []
  const take = (line: Jsonl.RawLine): boolean => lines.push(line) > 0
  const splitter = Jsonl.backward(from + chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  for (const chunk of [...chunks].reverse()) splitter.push(chunk, take)
  splitter.end(take)
  return lines
}

/** The bytes that lines come from. */
const joined = (lines: ReadonlyArray<Jsonl.RawLine>): Buffer =>
  Buffer.concat(lines.flatMap(({ bytes, terminated }) => (terminated ? [bytes, Buffer.from("\n")] : [bytes])))

const documents = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\n",
        "\r\n",
        "\n\n",
        "\r",
        " ",
        "\t\n",
        "{}",
        '{"a":"é"}',
        "😀",
        "\u2028",
        "\u2029",
        "\u0085",
        ""
      ),
      fc.string({ unit: "grapheme", maxLength: 6 }),
      fc.uint8Array({ maxLength: 4 })
    ),
    { maxLength: 24 }
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)))))

const cutsOf = fc.array(fc.nat(400), { maxLength: 12 })

describe("lines end at a line feed and at nothing else", () => {
  it("joining the lines gives the bytes again, for any chunks", () => {
    fc.assert(
      fc.property(documents, cutsOf, (bytes, cuts) => {
        expect(joined(splitForward(chunksOf(bytes, cuts))).equals(bytes)).toBe(true)
      }),
      { numRuns: 500 }
    )
  })

  it("forward is a split at 0x0a: offsets, numbers from 1, only the last line unterminated", () => {
    fc.assert(
      fc.property(documents, cutsOf, (bytes, cuts) => {
        const expected: Array<{ bytes: ReadonlyArray<number>; offset: number; number: number; terminated: boolean }> =
          []
        let from = 0
        for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, from)) {
          const number = expected.length + 1
          expected.push({ bytes: [...bytes.subarray(from, at)], offset: from, number, terminated: true })
          from = at + 1
        }
        if (from < bytes.length) {
          const number = expected.length + 1
          expected.push({ bytes: [...bytes.subarray(from)], offset: from, number, terminated: false })
        }
        const lines = splitForward(chunksOf(bytes, cuts)).map((line) => ({ ...line, bytes: [...line.bytes] }))
        expect(lines).toEqual(expected)
      }),
      { numRuns: 500 }
    )
  })

  it("backward is the reverse of forward with the same offsets, and without numbers", () => {
    fc.assert(
      fc.property(documents, cutsOf, cutsOf, (bytes, cuts, others) => {
        const ahead = splitForward(chunksOf(bytes, cuts)).map((line) => ({
          ...line,
          bytes: [...line.bytes],
          number: undefined
        }))
        const back = splitBackward(chunksOf(bytes, others)).map((line) => ({ ...line, bytes: [...line.bytes] }))
        expect(back.reverse()).toEqual(ahead)
      }),
      { numRuns: 500 }
    )
  })

  it("of what holds nothing wanted only the last whole line is handed on, and nothing wanted is passed over", () => {
    fc.assert(
      fc.property(documents, cutsOf, fc.constantFrom(0x7b, 0x22, 0x0d, 0xff), (bytes, cuts, wanted) => {
        const chunks = chunksOf(bytes, cuts)
        const asked: Array<boolean> = []
        const holds: Jsonl.Holds = (some) => asked[asked.push(some.includes(wanted)) - 1] === true
        const all = splitForward(chunks)
        const some = splitForward(chunks, { offset: 0, number: 1, holds })
        const plain = ({ bytes: line, offset, terminated }: Jsonl.RawLine) => ({ line: [...line], offset, terminated })
        const places = new Set(some.map(({ offset }) => offset))
        expect(some.map(plain)).toEqual(all.filter(({ offset }) => places.has(offset)).map(plain))
        for (const line of all) if (line.bytes.includes(wanted)) expect(places).toContain(line.offset)
        for (const line of some) {
          expect([undefined, all.find(({ offset }) => offset === line.offset)?.number]).toContain(line.number)
        }
        // The line that a chunk ends, the last one that ends in it, and what is left.
        const most = chunks.filter((chunk) => chunk.length > 0).length * 2 + 1
        if (asked.every((held) => !held)) expect(some.length).toBeLessThanOrEqual(most)
        expect(some.at(-1)?.offset).toBe(all.at(-1)?.offset)
      }),
      { numRuns: 500 }
    )
  })

  it("a large chunk is asked about in parts", () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `${i === 20_000 ? "wanted" : "line"} ${i}\n`)
    const asked: Array<number> = []
    const holds: Jsonl.Holds = (bytes) => {
      asked.push(bytes.length)
      return Buffer.from(bytes).includes("wanted")
    }
    const some = splitForward([encoder.encode(lines.join(""))], { offset: 0, number: 1, holds })
    expect(Math.max(...asked)).toBeLessThan(100_000)
    expect(some.some(({ bytes }) => Buffer.from(bytes).toString() === "wanted 20000")).toBe(true)
    expect(some.length).toBeLessThan(10_000)
  })

  it("reading may begin behind a line feed: offsets and numbers go on from there", () => {
    fc.assert(
      fc.property(documents, cutsOf, (bytes, cuts) => {
        const start = { offset: 1000, number: 7 }
        const shifted = splitForward([bytes]).map((line) => ({
          ...line,
          offset: line.offset + 1000,
          number: (line.number ?? 0) + 6
        }))
        expect(splitForward(chunksOf(bytes, cuts), start)).toEqual(shifted)
        const offsets = splitBackward(chunksOf(bytes, cuts), 1000).map(({ offset }) => offset)
        expect(offsets.reverse()).toEqual(shifted.map(({ offset }) => offset))
      }),
      { numRuns: 200 }
    )
  })

  it.each([
    ["an empty file has no lines", "", []],
    ["a line feed alone is one blank line", "\n", [""]],
    ["the last line need not be terminated", "a\nb", ["a", "b"]],
    ["CRLF: the carriage return stays with the line", "a\r\nb\r\n", ["a\r", "b\r"]],
    ["a carriage return alone is text", "a\rb\n", ["a\rb"]],
    ["blank lines count", "\n\na\n\n", ["", "", "a", ""]],
    ["U+2028, U+2029 and U+0085 are text", "a\u2028b\u2029c\u0085d\n", ["a\u2028b\u2029c\u0085d"]]
  ])("%s", (_, text, expected) => {
    const bytes = encoder.encode(text)
    for (const chunks of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]) {
      expect(splitForward(chunks).map((line) => Buffer.from(line.bytes).toString())).toEqual(expected)
      expect(splitBackward(chunks).map((line) => Buffer.from(line.bytes).toString())).toEqual([...expected].reverse())
    }
  })

  it("a chunk border inside a character does not harm it", () => {
    const bytes = encoder.encode('"é😀"\n')
    for (let cut = 0; cut <= bytes.length; cut++) {
      const [line] = splitForward([bytes.subarray(0, cut), bytes.subarray(cut)])
      expect(line && Jsonl.parse(line)).toMatchObject({ kind: "value", value: "é😀" })
      const [last] = splitBackward([bytes.subarray(0, cut), bytes.subarray(cut)])
      expect(last && Jsonl.parse(last)).toMatchObject({ kind: "value", value: "é😀" })
    }
  })
})

describe("text of lines, by what the runtime has for ASCII", () => {
  const ascii: Jsonl.Ascii = { holds: isAscii, decode: (bytes) => Buffer.from(bytes).toString("latin1") }

  /** Lines of any length; few of them hold what is not ASCII. */
  const lines = fc.array(
    fc.tuple(
      fc.oneof(fc.nat(30), fc.nat(30_000), fc.constantFrom(65_535, 65_536, 65_537)),
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom("x", "\\") }, fc.constantFrom("é", "\u2028", "😀", "\0"))
    ),
    { maxLength: 30 }
  )

  it.each(["forward", "backward"] as const)("%s: it is that of the line, whichever are asked for", (direction) => {
    fc.assert(
      fc.property(lines, cutsOf, fc.boolean(), fc.infiniteStream(fc.nat(3)), (all, cuts, ends, skips) => {
        const texts = all.map(([length, unit], i) => `${i}${unit}${"y".repeat(length)}`)
        const bytes = encoder.encode(texts.join("\n") + (ends ? "\n" : ""))
        // All at once, or in chunks that cut lines.
        const chunks = chunksOf(bytes, cuts.length % 2 === 0 ? [] : cuts.map((cut) => cut * 997))
        const splitter =
          direction === "forward" ? Jsonl.forward({ offset: 0, number: 1, ascii }) : Jsonl.backward(bytes.length, ascii)
        const take: Jsonl.TakeLine = (line, text) => {
          const known = skips.next().value === 0 ? undefined : text()
          if (known !== undefined) expect(known).toBe(Buffer.from(line.bytes).toString())
          return true
        }
        for (const chunk of direction === "forward" ? chunks : [...chunks].reverse()) splitter.push(chunk, take)
        splitter.end(take)
      }),
      { numRuns: 300 }
    )
  })

  it("lines that are all ASCII have one, the others do not, also side by side", () => {
    const bytes = encoder.encode("first\nsecond\nthé third\nfourth\nfifth\n")
    const seen: Array<string | undefined> = []
    const take: Jsonl.TakeLine = (_, text) => seen.push(text()) > 0
    Jsonl.forward({ offset: 0, number: 1, ascii }).push(bytes, take)
    expect(seen).toEqual(["first", "second", undefined, "fourth", "fifth"])
    Jsonl.backward(bytes.length, ascii).push(bytes, take)
    // What stands in front of the first line feed may go on in another chunk.
    expect(seen.slice(5)).toEqual(["fifth", "fourth", undefined, "second"])
  })

  it.each(["forward", "backward"] as const)(
    "%s: neighbours are made text of together, a line among others that nobody asks for by itself",
    (direction) => {
      let made: Array<number> = []
      const counting: Jsonl.Ascii = {
        holds: isAscii,
        decode: (bytes) => {
          made.push(bytes.length)
          return ascii.decode(bytes)
        }
      }
      const bytes = encoder.encode("0123456789\n".repeat(10_000))
      const read = (wanted: (number: number) => boolean) => {
        made = []
        const splitter =
          direction === "forward"
            ? Jsonl.forward({ offset: 0, number: 1, ascii: counting })
            : Jsonl.backward(bytes.length, counting)
        splitter.push(bytes, (line, text) => !wanted(line.offset / 11) || text() === "0123456789")
        return made
      }
      expect(read(() => true).length).toBeLessThan(5)
      expect(read((number) => number % 100 === 50)).toEqual(Array.from({ length: 100 }, () => 10))
    }
  )
})

describe("memory: the unfinished line", () => {
  const chunk = encoder.encode("first\nsecond\nthird\n")

  it("a line inside one chunk is a view of it, forward and backward", () => {
    for (const line of splitForward([chunk])) expect(line.bytes.buffer).toBe(chunk.buffer)
    // The first line of a file has no line feed in front of it: it may go on in a chunk that is yet to come.
    for (const line of splitBackward([chunk]).slice(0, -1)) expect(line.bytes.buffer).toBe(chunk.buffer)
  })

  it("only a line that crosses a border is copied, once", () => {
    const lines = splitForward([chunk.subarray(0, 8), chunk.subarray(8)])
    expect(lines.map((line) => line.bytes.buffer === chunk.buffer)).toEqual([true, false, true])
  })

  it("lines are handed on one by one, and none after the taker has enough", () => {
    const seen: Array<string> = []
    const take = (line: Jsonl.RawLine): boolean => {
      seen.push(Buffer.from(line.bytes).toString())
      return seen.length < 2
    }
    expect(Jsonl.forward().push(chunk, take)).toBe(false)
    expect(seen).toEqual(["first", "second"])
    seen.length = 0
    expect(Jsonl.backward(chunk.length).push(chunk, take)).toBe(false)
    expect(seen).toEqual(["third", "second"])
  })
})

describe("a line that cannot be read is a value with its reason", () => {
  const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`
  const objects = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`

  it.each<[string, string, Jsonl.DamageReason]>([
    ["not JSON", "not json", "invalid-json"],
    ["two values", "{}{}", "invalid-json"],
    ["a byte order mark", "\ufeff{}", "invalid-json"],
    ["a raw control character inside a string", '{"a":"\u0001"}', "invalid-json"],
    ["NaN", '{"a":NaN}', "invalid-json"],
    ["a NUL tail", "\0\0\0\0", "invalid-json"],
    ["a record with a NUL tail", '{"a":1}\0\0', "invalid-json"],
    ["nesting deeper than 128, lists", nested(129), "too-deep"],
    ["nesting deeper than 128, objects", objects(129), "too-deep"],
    ["nesting of 100 000 levels", nested(100_000), "too-deep"],
    ["nesting of 100 000 objects", objects(100_000), "too-deep"],
    ["half a surrogate pair in a value", String.raw`{"a":"\ud800"}`, "lone-surrogate"],
    ["the other half", String.raw`{"a":["\udc00x"]}`, "lone-surrogate"],
    ["halves in the wrong order", String.raw`"\udc00\ud800"`, "lone-surrogate"],
    ["half a surrogate pair in a key", String.raw`{"\ud83d":1}`, "lone-surrogate"],
    ["half a surrogate pair in a nested key", String.raw`{"a":[{"b\udfff":1}]}`, "lone-surrogate"],
    ["a number beyond a 64-bit float", '{"a":1e999}', "number-out-of-range"],
    ["a negative number beyond a 64-bit float", '{"a":[-1e999]}', "number-out-of-range"],
    ["an integer of 400 digits", `{"a":${"9".repeat(400)}}`, "number-out-of-range"]
  ])("%s", (_, text, reason) => {
    const line = lineOf(text)
    const parsed = Jsonl.parse(line)
    expect(parsed.kind === "damage" && parsed.reason).toBe(reason)
    expect(parsed.kind === "damage" && parsed.line).toBe(line)
  })

  it.each<[string, string, unknown]>([
    ["nesting of exactly 128, lists", nested(128), JSON.parse(nested(128))],
    ["nesting of exactly 128, objects", objects(128), JSON.parse(objects(128))],
    ["a value at the bottom of 128 levels", `${"[".repeat(128)}1${"]".repeat(128)}`, expect.anything()],
    ["a whole pair, escaped", String.raw`"\ud83d\ude00"`, "😀"],
    ["a trailing carriage return", '{"a":1}\r', { a: 1 }],
    ["white space around it", ' \t{"a":1} ', { a: 1 }],
    ["U+2028 inside a string", '"a\u2028b"', "a\u2028b"],
    ["U+FFFD as it was written", '"\ufffd"', "\ufffd"],
    ["an escaped NUL", String.raw`"\u0000"`, "\0"],
    ["a key named __proto__", '{"__proto__":{"a":1}}', JSON.parse('{"__proto__":{"a":1}}')]
  ])("stands: %s", (_, text, value) => {
    expect(Jsonl.parse(lineOf(text))).toEqual({ kind: "value", value, inexact: false })
  })

  it("a torn last line: what is cut anywhere and has no line feed is torn, with one it is not JSON", () => {
    const whole = encoder.encode('{"timestamp":"2026-07-20T10:00:00.123Z","a":"éx"}')
    for (let cut = 1; cut < whole.length; cut++) {
      const part = whole.subarray(0, cut)
      const insideCharacter = ((whole[cut] ?? 0) & 0xc0) === 0x80
      const torn = Jsonl.parse(lineOf(part, false))
      expect(torn).toMatchObject({ kind: "damage", reason: insideCharacter ? "invalid-utf8" : "torn" })
      const inTheMiddle = Jsonl.parse(lineOf(part))
      expect(inTheMiddle).toMatchObject({ kind: "damage", reason: insideCharacter ? "invalid-utf8" : "invalid-json" })
    }
    expect(Jsonl.parse(lineOf(whole, false))).toMatchObject({ kind: "value" })
  })

  it.each<[string, ReadonlyArray<number>, number]>([
    ["a byte that never occurs", [0x22, 0x61, 0xff, 0x22], 2],
    ["a continuation without a start", [0x22, 0x80, 0x22], 1],
    ["a sequence that breaks off", [0x22, 0xc3, 0xa9, 0xe2, 0x82, 0x22], 3],
    ["an overlong form", [0x22, 0xc0, 0xaf, 0x22], 1],
    ["a surrogate in UTF-8", [0x22, 0x61, 0x61, 0xed, 0xa0, 0x80, 0x22], 3],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80], 0],
    ["the half of a written U+FFFD", [0x22, 0xef, 0xbf, 0x22], 1],
    ["behind a written U+FFFD", [0x22, 0xef, 0xbf, 0xbd, 0xef, 0xbf, 0xbd, 0xff, 0x22], 7],
    ["behind a byte order mark", [0xef, 0xbb, 0xbf, 0x22, 0xfe], 4]
  ])("invalid UTF-8, and which byte: %s", (_, bytes, at) => {
    const parsed = Jsonl.parse(lineOf(Uint8Array.from(bytes)))
    expect(parsed).toMatchObject({
      kind: "damage",
      reason: "invalid-utf8",
      detail: `byte ${at} of the line is not UTF-8`
    })
  })

  it.each<[string, boolean]>([
    ["9007199254740991", false],
    ["9007199254740992", true],
    ["9007199254740993", true],
    ["-9007199254740993", true],
    ["18446744073709551615", true],
    ["0.1", false],
    ["-0", false],
    ["1e-999", false]
  ])("an integer beyond 2^53 - 1 is inexact, not damage: %s", (number, inexact) => {
    expect(Jsonl.parse(lineOf(`{"a":[{"b":${number}}]}`))).toMatchObject({ kind: "value", inexact })
    expect(Jsonl.parse(lineOf('{"a":1}'))).toMatchObject({ kind: "value", inexact: false })
  })

  it.each(["", " ", "\r", "\t \r", "\u000b\u000c"])("blank / whitespace line: %j is no damage", (text) => {
    const line = lineOf(text)
    expect(Jsonl.parse(line)).toEqual({ kind: "blank", line })
    expect(Jsonl.isBlank(line)).toBe(true)
  })

  it("parsing never throws and agrees with JSON.parse where that can read it", () => {
    const texts = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary" }),
      fc.json().map((json) => json.slice(0, -1))
    )
    const lines = fc.oneof(
      texts.map((text) => encoder.encode(text)),
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(texts, fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
        const bytes = encoder.encode(text)
        if (bytes.length > 0) bytes[at % bytes.length] = byte
        return bytes
      })
    )
    fc.assert(
      fc.property(lines, fc.boolean(), (bytes, terminated) => {
        const parsed = Jsonl.parse(lineOf(bytes, terminated))
        if (parsed.kind === "value") expect(parsed.value).toEqual(JSON.parse(Buffer.from(bytes).toString()))
        if (parsed.kind === "damage") expect(parsed.detail).not.toMatch(/[\n\r]/)
      }),
      { numRuns: 2000 }
    )
  })

  it("what is wrong is told in a short text on one line", () => {
    const parsed = Jsonl.parse(lineOf(`{"a":\t\t${"x".repeat(5000)}`))
    expect(parsed.kind === "damage" && parsed.detail.length).toBeLessThan(200)
  })
})

describe("long lines", () => {
  it("a line of 100 MB, in chunks of 1 MB", { timeout: 60_000 }, () => {
    const head = encoder.encode('{"a":"')
    const tail = encoder.encode('"}\n{"b":1}\n')
    const body = Buffer.alloc(1024 * 1024, "x")
    const chunks = [head, ...Array.from({ length: 100 }, () => body), tail]
    const lines = splitForward(chunks)
    expect(lines.map(({ bytes }) => bytes.length)).toEqual([100 * 1024 * 1024 + 8, 7])
    const values = lines.map((line) => Jsonl.parse(line))
    expect(values.map(({ kind }) => kind)).toEqual(["value", "value"])
    const back = splitBackward(chunks)
    expect(back.map(({ offset }) => offset)).toEqual([100 * 1024 * 1024 + 9, 0])
    expect(Buffer.compare(back[1]?.bytes ?? head, lines[0]?.bytes ?? tail)).toBe(0)
  })

  it("a line longer than a string can be is damage: too-long", { timeout: 60_000 }, () => {
    const parsed = Jsonl.parse(lineOf(new Uint8Array(2 ** 29 + 2 ** 20).fill(0x61)))
    expect(parsed).toMatchObject({ kind: "damage", reason: "too-long" })
  })
})

describe("writing: make strings well-formed first (rollout-format §2.2)", () => {
  const decoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

  it("compact JSON and a line feed, in UTF-8", () => {
    expect(decoded(Jsonl.encode({ b: [1, null, "é\n\u2028"], a: {} }))).toBe('{"b":[1,null,"é\\n\u2028"],"a":{}}\n')
  })

  it.each<[string, unknown, string]>([
    ["a half in a value", { a: "x\ud800y" }, '{"a":"x\ufffdy"}\n'],
    ["a half in a key", { "x\udc00": 1 }, '{"x\ufffd":1}\n'],
    ["a half in a nested key and value", [{ "\ud83d": ["\udfff"] }], '[{"\ufffd":["\ufffd"]}]\n'],
    ["a half at the end of a text, before a quote", "\ud83d", '"\ufffd"\n'],
    ["a half behind a backslash", "\\\ud83d", '"\\\\\ufffd"\n'],
    ["whole pairs stay", { "😀": "😀" }, '{"😀":"😀"}\n'],
    ["the text of an escape stays a text", { a: String.raw`\ud800` }, '{"a":"\\\\ud800"}\n']
  ])("%s", (_, value, expected) => {
    expect(decoded(Jsonl.encode(value))).toBe(expected)
  })

  it("whatever is written can be read, and is the value but for halves of pairs", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary", maxDepth: 6 }), (value) => {
        const [line, ...more] = splitForward([Jsonl.encode(value)])
        expect(more).toEqual([])
        expect(line && Jsonl.parse(line)).toEqual({
          kind: "value",
          value: JSON.parse(JSON.stringify(value)),
          inexact: expect.any(Boolean)
        })
      }),
      { numRuns: 500 }
    )
    const unit = fc.constantFrom("\ud800", "\udc00", "😀", "\\", '"', "a", "u", "d", "\n")
    fc.assert(
      fc.property(fc.string({ unit }), fc.string({ unit }), (key, text) => {
        const [line] = splitForward([Jsonl.encode({ [key]: text })])
        expect(line && Jsonl.parse(line)).toMatchObject({ value: { [key.toWellFormed()]: text.toWellFormed() } })
      }),
      { numRuns: 500 }
    )
  })
})
