/** Seekable compressed files: written, read from any place, and damaged. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { compress, decompress } from "@mongodb-js/zstd"
import * as Record from "@skein/core/record/Record"
import { Effect, Layer } from "effect"
import * as fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Xxh64 from "../src/internal/Xxh64.js"
import * as ZstdThread from "../src/internal/ZstdThread.js"
import * as RolloutFile from "../src/RolloutFile.js"
import * as RolloutLog from "../src/RolloutLog.js"
import * as SeekTable from "../src/SeekTable.js"
import * as Cold from "./Cold.js"
import * as Home from "./Home.js"

let folder = ""
let files = 0
beforeAll(async () => {
  checksum = await Xxh64.load()
  await ZstdThread.start()
  folder = Home.temporary()
})
afterAll(Home.removeAll)

const at = (content: Uint8Array, name = `file-${files++}.jsonl.zst`): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

let checksum: SeekTable.Checksum = () => 0

const tableOf = (file: Uint8Array): ReadonlyArray<SeekTable.Entry> => {
  const found = SeekTable.parse(file, file.length, checksum)
  return found._tag === "Table" ? found.entries : []
}

/** Every line that is handed on, forward and backward, between two places. */
const lines = (path: string, range: { readonly from?: number; readonly to?: number } = {}) =>
  Home.run(
    Effect.gen(function* () {
      const file = yield* RolloutFile.open(path)
      const ahead: Array<string> = []
      const back: Array<string> = []
      const passing: Array<string> = []
      const textOf = ({ bytes, offset }: { readonly bytes: Uint8Array; readonly offset: number }) =>
        `${offset} ${Buffer.from(bytes).toString("latin1")}`
      yield* RolloutFile.forward(file, (line) => ahead.push(textOf(line)) > 0, range)
      yield* RolloutFile.forward(file, (line) => passing.push(textOf(line)) > 0, { ...range, passing: true })
      yield* RolloutFile.backward(file, (line) => back.push(textOf(line)) > 0, range)
      return { size: file.size, damage: file.tableDamage, ahead, passing, back: back.reverse() }
    })
  )

/** Content as lines of any bytes, the last of which may lack its line feed. */
const content = fc
  .tuple(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 40 }), fc.boolean())
  .map(([all, ended]) => {
    const text = all.map((line) => Buffer.from(line.map((byte) => (byte === 10 ? 11 : byte))))
    const joined = Buffer.concat(text.flatMap((line) => [line, Buffer.from("\n")]))
    return ended ? joined : joined.subarray(0, Math.max(0, joined.length - 1))
  })

describe("written", () => {
  it("any content comes out of any zstd decoder, in frames that end with lines, each told by the table", () =>
    fc.assert(
      fc.asyncProperty(content, fc.integer({ min: 1, max: 200 }), async (bytes, target) => {
        const file = await Cold.packed(bytes, target)
        const table = tableOf(file)
        expect(table.reduce((sum, { decoded }) => sum + decoded, 0)).toBe(bytes.length)
        // One decoder that walks all frames, and one frame by itself.
        expect(Buffer.compare(await decompress(file), bytes)).toBe(0)
        let [from, offset] = [0, 0]
        for (const [i, { compressed, decoded }] of table.entries()) {
          const frame = await decompress(file.subarray(offset, offset + compressed))
          expect(Buffer.compare(frame, bytes.subarray(from, from + decoded))).toBe(0)
          const line = bytes.subarray(0, from + decoded - 1).lastIndexOf(10) + 1
          // As long as asked for, and no line longer than that.
          if (i < table.length - 1) {
            expect(decoded).toBeGreaterThanOrEqual(target)
            expect(frame.at(-1)).toBe(10)
          }
          expect(Math.max(from, line) - from).toBeLessThan(Math.max(target, 1))
          from += decoded
          offset += compressed
        }
      }),
      { numRuns: 100 }
    ))

  it("the end of a long file is in smaller frames", async () => {
    const line = `${"x".repeat(1023)}\n`
    const mebibytes = tableOf(await Cold.packed(line.repeat(33 * 1024))).map(({ decoded }) => decoded / 1024 / 1024)
    expect(mebibytes).toEqual([4, 4, 4, 4, 4, 4, 4, 1, 1, 1, 1, 1])
  })

  it("a line without end is cut, and is one line to readers", async () => {
    const text = `${"a".repeat(1000)}\n${"b".repeat(10)}\n`
    const file = await Cold.packed(text, 50, 100)
    expect(tableOf(file).every(({ decoded }) => decoded <= 100)).toBe(true)
    expect((await lines(at(file))).ahead).toEqual([`0 ${"a".repeat(1000)}`, `1001 ${"b".repeat(10)}`])
  })

  it("frames of 4 MiB unless asked otherwise", async () => {
    const line = `${"x".repeat(1023)}\n`
    expect(tableOf(await Cold.packed(line.repeat(10 * 1024))).map(({ decoded }) => decoded)).toEqual([
      4 * 1024 * 1024,
      4 * 1024 * 1024,
      2 * 1024 * 1024
    ])
  })

  it("checksums are the low half of XXH64", async () => {
    // The published value for no bytes and seed 0: ef46db3751d8e999.
    expect(tableOf(await Cold.packed("")).map(({ checksum }) => checksum)).toEqual([0x51d8e999])
  })
})

describe("read", () => {
  it("59. forward, backward and between any two lines: the same as the plain file", () =>
    fc.assert(
      fc.asyncProperty(
        content,
        fc.integer({ min: 1, max: 200 }),
        fc.nat(),
        fc.nat(),
        async (bytes, target, first, second) => {
          const starts = [0, ...[...bytes].flatMap((byte, i) => (byte === 10 ? [i + 1] : [])), bytes.length]
          const [from = 0, to = 0] = [first, second]
            .map((n) => starts[n % starts.length] as number)
            .sort((a, b) => a - b)
          const plain = at(bytes, `plain-${files++}.jsonl`)
          const cold = at(await Cold.packed(bytes, target))
          for (const range of [{}, { from }, { to }, { from, to }]) {
            const expected = await lines(plain, range)
            const found = await lines(cold, range)
            expect({ ...found, damage: undefined }).toEqual({ ...expected, damage: undefined })
            expect(found.damage).toBeUndefined()
            expect(found.back).toEqual(found.ahead)
          }
        }
      ),
      { numRuns: 60 }
    ))

  it("only the frames that are needed are read, and each once", async () => {
    const text = Array.from({ length: 400 }, (_, i) => `${i} ${Buffer.alloc(200, i).toString("base64")}\n`).join("")
    const file = await Cold.packed(text, 4096)
    const table = tableOf(file)
    const path = at(file)
    const longest = Math.max(...table.map(({ compressed }) => compressed))
    let read = 0
    const counting = Layer.effect(
      FileSystem.FileSystem,
      Effect.map(
        FileSystem.FileSystem,
        (fs): FileSystem.FileSystem => ({
          ...fs,
          open: (...args) =>
            Effect.map(fs.open(...args), (handle) => {
              const inner = handle.read.bind(handle)
              return Object.assign(handle, {
                read: (buffer: Uint8Array) =>
                  Effect.tap(inner(buffer), (count) => {
                    read += Number(count)
                  })
              })
            })
        })
      )
    ).pipe(Layer.provide(NodeContext.layer))
    const cost = (use: (file: RolloutFile.RolloutFile) => Effect.Effect<unknown, unknown>) =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const opened = yield* RolloutFile.open(path)
            read = 0
            yield* use(opened)
            return read
          })
        ).pipe(Effect.provide(counting))
      )
    const all = file.length - SeekTable.sizeOf(table.length)
    expect(await cost((opened) => RolloutFile.forward(opened, () => true))).toBe(all)
    expect(await cost((opened) => RolloutFile.backward(opened, () => true))).toBe(all)
    expect(await cost((opened) => RolloutFile.backward(opened, () => false))).toBe(table.at(-1)?.compressed)
    expect(await cost((opened) => RolloutFile.forward(opened, () => false))).toBe(table[0]?.compressed)
    const middle = text.indexOf("\n", text.length / 2) + 1
    expect(await cost((opened) => RolloutFile.forward(opened, () => false, { from: middle }))).toBeLessThanOrEqual(
      longest
    )
  })

  it("files that other programs wrote, of one frame or of many without a table", async () => {
    const text = "one\ntwo\nthree\n"
    const [one, two] = [await compress(Buffer.from("one\ntwo\n")), await compress(Buffer.from("three\n"))]
    for (const file of [await compress(Buffer.from(text)), Buffer.concat([one, two])]) {
      const found = await lines(at(file))
      expect([found.ahead, found.damage]).toEqual([["0 one", "4 two", "8 three"], undefined])
      expect(found.back).toEqual(found.ahead)
    }
  })
})

describe("read by a thread", () => {
  const size = 5000
  const five = Buffer.concat(Array.from({ length: 5 }, (_, i) => Buffer.from(`${`${i}`.repeat(size - 1)}\n`)))

  it("frame by frame: the same lines, in memory that is shared and used again", async () => {
    const path = at(await Cold.packed(five, size))
    const memories = new Set<ArrayBufferLike>()
    await Home.run(
      Effect.gen(function* () {
        const file = yield* RolloutFile.open(path)
        let count = 0
        yield* Effect.promise(ZstdThread.start)
        yield* RolloutFile.forward(
          file,
          ({ bytes, offset }) => {
            memories.add(bytes.buffer)
            expect(Buffer.from(bytes).toString()).toBe(`${count}`.repeat(size - 1))
            expect(offset).toBe(size * count++)
            return true
          },
          { passing: true }
        )
        expect(count).toBe(5)
      })
    )
    expect([...memories].every((memory) => memory instanceof SharedArrayBuffer)).toBe(true)
    expect(memories.size).toBe(3)
  })
})

describe("damaged", () => {
  const text = [Home.legacyMeta(1), ...Array.from({ length: 30 }, (_, i) => Home.say(`m${i}`))]
  const document = Home.document(...text)

  /** What a log says of a file: its records, damage by offset, and what was noticed. */
  const log = (file: Uint8Array) => {
    const name = `${files++}/${Home.file(1)}.zst`
    const path = join(folder, name)
    mkdirSync(join(path, ".."), { recursive: true })
    writeFileSync(path, file)
    return Home.run(
      Effect.gen(function* () {
        const opened = yield* RolloutLog.open(path)
        const records = new Map<number, string>()
        const ahead: Array<string> = []
        const passing: Array<string> = []
        const damages: Array<{ readonly offset: number; readonly text: string }> = []
        for (const { source } of opened.pieces) {
          yield* source.forward((line) => {
            const decoded = Record.decode(line)
            ahead.push(`${line.offset} ${Buffer.from(line.bytes).toString()}`)
            if (decoded.kind === "damage") {
              damages.push({ offset: line.offset, text: Buffer.from(line.bytes).toString().trim() })
            } else records.set(line.offset, Buffer.from(line.bytes).toString())
            return true
          })
          // The same by a thread, in memory that is used again.
          yield* Effect.promise(ZstdThread.start)
          const take = (line: { readonly bytes: Uint8Array; readonly offset: number }): boolean =>
            passing.push(`${line.offset} ${Buffer.from(line.bytes).toString()}`) > 0
          yield* source.forward(take, { passing: true })
        }
        expect(passing).toEqual(ahead)
        return { records, damages, codes: opened.diagnostics.map(({ code }) => code), size: opened.pieces[0]?.to }
      })
    )
  }

  it("a seek table that makes no sense: the frames are found without it, and it is said", async () => {
    const file = await Cold.packed(document, 400)
    const whole = await log(file)
    expect([whole.codes, whole.damages]).toEqual([[], []])
    const size = SeekTable.sizeOf(tableOf(file).length)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: size - 6 }),
        fc.integer({ min: 1, max: 255 }),
        async (place, change) => {
          const bytes = Buffer.from(file)
          const i = bytes.length - size + place
          bytes[i] = (bytes[i] as number) ^ change
          const found = await log(bytes)
          expect(found.size).toBe(document.length)
          expect([found.codes, found.damages]).toEqual([["seek-table-damaged"], []])
          expect(found.records).toEqual(whole.records)
        }
      ),
      { numRuns: 100 }
    )
  })

  it("a table that was cut off: what is in front of it is read", async () => {
    const file = await Cold.packed(document, 400)
    const size = SeekTable.sizeOf(tableOf(file).length)
    for (const cut of [1, 5, 9, size - 1]) {
      const found = await log(file.subarray(0, file.length - cut))
      expect([found.records.size, found.damages]).toEqual([text.length, []])
    }
  })

  it("a frame whose content is not what its checksum says is a value with its place; all else is read", async () => {
    const file = await Cold.packed(document, 400)
    const whole = await log(file)
    const table = tableOf(file)
    // The same length and form, another content.
    const other = await compress(Buffer.from(document.slice(0, 400).replaceAll("m", "n")), 3)
    expect(other.length).toBeGreaterThan(0)
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - SeekTable.sizeOf(table.length) - 1), fc.nat(7), async (place, bit) => {
        const bytes = Buffer.from(file)
        bytes[place] = (bytes[place] as number) ^ (1 << bit)
        let [frame, end] = [0, 0]
        while (place >= end + (table[frame]?.compressed ?? 0)) end += table[frame++]?.compressed ?? 0
        const from = table.slice(0, frame).reduce((sum, { decoded }) => sum + decoded, 0)
        const to = from + (table[frame]?.decoded ?? 0)
        const found = await log(bytes).catch((error: unknown) => error as Error)
        // Of a thread without its header it is not known whose it is; it is read all the same.
        if (found instanceof Error) throw found
        for (const [offset, line] of found.records) expect(whole.records.get(offset)).toBe(line)
        for (const [offset] of whole.records) {
          if (offset < from || offset >= to) expect(found.records.has(offset)).toBe(true)
        }
        for (const damage of found.damages) {
          expect(damage.text).toContain(`frame ${frame} at byte ${end} of the compressed file`)
          expect(damage.offset).toBeGreaterThanOrEqual(from)
          expect(damage.offset).toBeLessThan(to)
        }
        const missing = [...whole.records.keys()].filter((offset) => !found.records.has(offset))
        expect(missing.length === 0 || found.damages.length > 0).toBe(true)
      }),
      { numRuns: 200 }
    )
  })

  it("a frame that comes to more than it may is refused, and one that lies about its size is not believed", async () => {
    const file = await Cold.packed(document, 400)
    expect(await Home.refused(RolloutFile.open(at(file), { decodedLimit: 300 }))).toMatchObject({
      reason: "zstd-too-large"
    })
    const entries = tableOf(file).map((entry, i) => (i === 1 ? { ...entry, decoded: entry.decoded - 100 } : entry))
    const size = SeekTable.sizeOf(entries.length)
    const table = SeekTable.encode(entries, checksum)
    const found = await log(Buffer.concat([file.subarray(0, file.length - size), table]))
    expect(found.damages).toMatchObject([{ text: expect.stringContaining("it comes to more than") }])
    expect(found.records.size).toBeLessThan(text.length)
  })
})
