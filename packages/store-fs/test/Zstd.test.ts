import { readFileSync } from "node:fs"
import { relative } from "node:path"
import { compress, decompress } from "@mongodb-js/zstd"
import * as fc from "fast-check"
import { beforeAll, describe, expect, it } from "vitest"
import { rolloutsBelow, samples } from "../../core/test/corpus.js"
import * as Zstd from "../src/Zstd.js"
import { bomb, frame, raw, rle, skippable } from "./Frames.js"

const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (decoded: Zstd.Decoded): string => Buffer.from(decoded.bytes).toString()
const mebibyte = 1024 * 1024

/** A text that does not quite repeat itself: some blocks of content in a few kilobytes. */
const prose = (length: number): Buffer => {
  const words = ["model", "turn", "window", "prompt", "thread", "record", "fold", "line"]
  let out = ""
  for (let i = 0; out.length < length; i++) out += `${words[(i * i) % 7]} ${i % 5 === 0 ? i : words[i % 8]}\n`
  return Buffer.from(out.slice(0, length))
}

describe("whole files", () => {
  it("one frame, as the binding writes it, without a content size", async () => {
    for (const content of [prose(500_000), prose(10), Buffer.alloc(0)]) {
      const decoded = await Zstd.decode(await compress(content))
      expect(decoded.damagedAt).toBeUndefined()
      expect(content.equals(decoded.bytes)).toBe(true)
    }
  })

  it.each([
    ["without content size", {}],
    ["with content size", { contentSize: 12 }],
    ["of a single segment", { contentSize: 12, single: true }]
  ])("raw and run-length blocks, %s", async (_, header) => {
    const decoded = await Zstd.decode(frame([raw(bytes("one\n")), rle(0x78, 4), raw(bytes("two\n"))], header))
    expect(text(decoded)).toBe("one\nxxxxtwo\n")
    expect(decoded.damagedAt).toBeUndefined()
  })

  it("many frames with skippable ones before, between and behind: one stream", async () => {
    const file = Buffer.concat([
      skippable(bytes("note"), 15),
      await compress(bytes("first\n") as Buffer),
      skippable(new Uint8Array(0)),
      frame([raw(bytes("second\n"))]),
      await compress(Buffer.alloc(0)),
      await compress(prose(300_000)),
      skippable(bytes("end"))
    ])
    const decoded = await Zstd.decode(file)
    expect(decoded.damagedAt).toBeUndefined()
    expect(text(decoded)).toBe(`first\nsecond\n${prose(300_000).toString()}`)
  })

  it("a text that is no zstd at all is refused", async () => {
    for (const file of ["plain text", "{", "\u0028\u00b5\u002f\u00fe\u0000\u0000"]) {
      await expect(Zstd.decode(Buffer.from(file, "latin1"))).rejects.toBeInstanceOf(Zstd.NotZstd)
    }
  })

  it.each(rolloutsBelow(samples).filter((path) => path.endsWith(".zst")))("a real file: %#", async (path) => {
    const decoded = await Zstd.decode(readFileSync(path))
    expect(decoded.damagedAt, relative(samples, path)).toBeUndefined()
    expect((await decompress(readFileSync(path))).equals(decoded.bytes)).toBe(true)
  })
})

describe("a file that is cut short", () => {
  const cutEverywhere = async (file: Uint8Array, content: Uint8Array): Promise<ReadonlyArray<number>> => {
    const lengths: Array<number> = []
    for (let cut = 5; cut < file.length; cut++) {
      const { bytes, damagedAt } = await Zstd.decode(file.subarray(0, cut))
      expect(damagedAt, `cut at ${cut}`).toBeTypeOf("number")
      expect(damagedAt).toBeLessThanOrEqual(cut)
      expect(Buffer.compare(bytes, content.subarray(0, bytes.length)), `cut at ${cut}`).toBe(0)
      expect(bytes.length).toBeGreaterThanOrEqual(lengths.at(-1) ?? 0)
      lengths.push(bytes.length)
    }
    return lengths
  }

  it("at every byte: never throws, gives a prefix of the content, says where it ends", {
    timeout: 60_000
  }, async () => {
    const content = prose(500_000)
    const file = await compress(content, 19)
    expect(file.length).toBeLessThan(40_000)
    const step = Math.ceil(file.length / 1500)
    const lengths: Array<number> = []
    for (let cut = 5; cut < file.length; cut += step) {
      const { bytes, damagedAt } = await Zstd.decode(file.subarray(0, cut))
      expect(damagedAt).toBe(cut)
      expect(Buffer.compare(bytes, content.subarray(0, bytes.length)), `cut at ${cut}`).toBe(0)
      lengths.push(bytes.length)
    }
    expect(lengths[0]).toBe(0)
    expect(lengths.at(-1)).toBeGreaterThan(200_000)
    expect(new Set(lengths).size).toBeGreaterThanOrEqual(3)
  })

  it("at every byte of many frames, a skippable one among them", async () => {
    const parts = [
      frame([raw(bytes("one\n")), rle(0x78, 4)], { contentSize: 8 }),
      skippable(bytes("note")),
      frame([raw(bytes("two\n"))], { contentSize: 4, single: true }),
      await compress(prose(2000))
    ]
    const file = Buffer.concat(parts)
    const content = Buffer.concat([bytes("one\nxxxxtwo\n"), prose(2000)])
    // Between two frames a shorter file is a whole one.
    const borders = parts.map((_, i) => parts.slice(0, i + 1).reduce((sum, part) => sum + part.length, 0))
    for (let cut = 5; cut < file.length; cut++) {
      const { bytes: got, damagedAt } = await Zstd.decode(file.subarray(0, cut))
      expect(content.subarray(0, got.length).equals(got), `cut at ${cut}`).toBe(true)
      if (damagedAt === undefined) expect(borders).toContain(cut)
      else expect(damagedAt).toBeLessThanOrEqual(cut)
    }
  })

  it.each(rolloutsBelow(samples).filter((path) => path.endsWith(".zst")))(
    "at every byte of a real file: %#",
    async (path) => {
      const file = readFileSync(path)
      await cutEverywhere(file, (await Zstd.decode(file)).bytes)
    }
  )

  it("before its fifth byte it is no zstd yet", async () => {
    const file = await compress(prose(100))
    for (let cut = 1; cut < 5; cut++) {
      await expect(Zstd.decode(file.subarray(0, cut))).rejects.toBeInstanceOf(Zstd.NotZstd)
    }
  })

  it("what follows the last frame and is none: the content before it, and where", async () => {
    const whole = frame([raw(bytes("one\n"))])
    for (const rest of ["x", "garbage", "\0\0\0\0\0\0"]) {
      const decoded = await Zstd.decode(Buffer.concat([whole, bytes(rest)]))
      expect(text(decoded)).toBe("one\n")
      expect(decoded.damagedAt).toBe(whole.length)
    }
  })

  it("a block of the reserved type ends what can be read", async () => {
    const file = frame([raw(bytes("one\n")), { type: "reserved", size: 1, body: bytes("x") }])
    const decoded = await Zstd.decode(file)
    expect(text(decoded)).toBe("one\n")
    expect(decoded.damagedAt).toBeTypeOf("number")
  })
})

describe("flipped bytes", () => {
  let file: Buffer
  const content = prose(400_000)
  beforeAll(async () => {
    file = Buffer.concat([await compress(content), skippable(bytes("x")), frame([raw(bytes("end\n"))])])
  })

  it.each([
    ["a generous limit", Zstd.defaultLimit],
    ["the size of the content as limit", content.length + 4]
  ])("never throws anything but that it is no zstd or too large (%s)", async (_, limit) => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(flips, async (all) => {
        const damaged = Buffer.from(file)
        for (const [at, mask] of all) damaged[at % damaged.length] = (damaged[at % damaged.length] ?? 0) ^ mask
        try {
          const { bytes, damagedAt } = await Zstd.decode(damaged, limit)
          expect(bytes.length).toBeLessThanOrEqual(limit)
          if (damagedAt !== undefined) expect(damagedAt).toBeLessThanOrEqual(damaged.length)
        } catch (error) {
          expect(error instanceof Zstd.NotZstd || error instanceof Zstd.TooLarge, String(error)).toBe(true)
        }
      }),
      { numRuns: 400 }
    )
  })

  it("the blocks before the damage are read, also when the file could come to more than the limit", async () => {
    const blocks = 4
    const whole = await compress(prose(128 * 1024 * blocks))
    const damaged = Buffer.from(whole)
    damaged.fill(0xff, damaged.length - 8)
    for (const limit of [Zstd.defaultLimit, 128 * 1024 * blocks - 1]) {
      const { bytes, damagedAt } = await Zstd.decode(damaged, limit)
      expect(damagedAt).toBeTypeOf("number")
      expect(bytes.length).toBeGreaterThanOrEqual(128 * 1024)
      expect(
        prose(128 * 1024 * blocks)
          .subarray(0, bytes.length)
          .equals(bytes)
      ).toBe(true)
    }
  })
})

describe("a bomb", () => {
  /** Most memory that the process ever had, in bytes. */
  const peak = (): number => process.resourceUsage().maxRSS * 1024

  it.each([
    ["2 GiB in 64 KiB", bomb(16 * 1024), Zstd.defaultLimit],
    ["2 GiB that says so", bomb(16 * 1024, { contentSize: 2 ** 31 }), Zstd.defaultLimit],
    ["2 GiB that says it is small", bomb(16 * 1024, { contentSize: 100 }), Zstd.defaultLimit],
    ["that says it is of one segment", bomb(16 * 1024, { contentSize: 2 ** 31, single: true }), Zstd.defaultLimit],
    ["2 TiB in 64 MiB", bomb(16 * 1024 * 1024), Zstd.defaultLimit],
    ["2 GiB in many frames", Buffer.concat(Array.from({ length: 256 }, () => bomb(64))), 100 * mebibyte]
  ])("refused beyond the limit without decoding it: %s", async (_, file, limit) => {
    const before = peak()
    await expect(Zstd.decode(file, limit)).rejects.toBeInstanceOf(Zstd.TooLarge)
    expect(peak() - before).toBeLessThan(limit === Zstd.defaultLimit ? 64 * mebibyte : limit * 3)
  })

  it("a declared size that the blocks cannot come to is damage", async () => {
    const decoded = await Zstd.decode(frame([raw(bytes("one\n"))], { contentSize: 2 ** 62 }))
    expect(text(decoded)).toBe("one\n")
    expect(decoded.damagedAt).toBe(0)
  })

  it("of compressed blocks, which do not say what they come to: refused without going beyond the limit", async () => {
    const file = await compress(Buffer.alloc(200 * mebibyte))
    const before = peak()
    await expect(Zstd.decode(file, 20 * mebibyte)).rejects.toBeInstanceOf(Zstd.TooLarge)
    expect(peak() - before).toBeLessThan(150 * mebibyte)
  })

  it("the limit itself is allowed, a byte more is not", async () => {
    for (const file of [
      await compress(prose(300_000)),
      frame([rle(0x61, 100_000), rle(0x62, 100_000), rle(0x63, 100_000)])
    ]) {
      const decoded = await Zstd.decode(file, 300_000)
      expect(decoded.bytes.length).toBe(300_000)
      expect(decoded.damagedAt).toBeUndefined()
      await expect(Zstd.decode(file, 299_999)).rejects.toBeInstanceOf(Zstd.TooLarge)
    }
  })

  it("the limit holds for all frames together", async () => {
    const file = Buffer.concat([frame([rle(0x61, 60)]), frame([rle(0x62, 40)])])
    expect((await Zstd.decode(file, 100)).bytes.length).toBe(100)
    await expect(Zstd.decode(file, 99)).rejects.toBeInstanceOf(Zstd.TooLarge)
  })
})
