import { execFileSync } from "node:child_process"
import { appendFileSync, chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { FileSystem } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { NodeContext } from "@effect/platform-node"
import { compress } from "@mongodb-js/zstd"
import type { RawLine } from "@skein/core/record/Jsonl"
import type { Range } from "@skein/store/LineSource"
import { Effect, Layer, Option } from "effect"
import * as fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { FileRefused } from "../src/FileError.js"
import * as RolloutFile from "../src/RolloutFile.js"
import { bomb } from "./Frames.js"
import * as Home from "./Home.js"

let folder = ""
beforeAll(() => {
  folder = Home.temporary()
})
afterAll(Home.removeAll)

const at = (name: string, content?: string | Uint8Array): string => {
  const path = join(folder, name)
  if (content !== undefined) writeFileSync(path, content)
  return path
}

const refusal = (path: string, options: RolloutFile.Options = {}): Promise<FileRefused> =>
  Home.refused(RolloutFile.open(path, options))

const texts = (lines: ReadonlyArray<RawLine>): ReadonlyArray<string> =>
  lines.map(({ bytes }) => Buffer.from(bytes).toString())

const read = (path: string, range?: Range) =>
  Home.run(
    Effect.gen(function* () {
      const file = yield* RolloutFile.open(path)
      const ahead: Array<RawLine> = []
      const back: Array<RawLine> = []
      yield* RolloutFile.forward(file, (line) => ahead.push(line) > 0, range)
      yield* RolloutFile.backward(file, (line) => back.push(line) > 0, range)
      return { file, ahead, back }
    })
  )

describe("what is no readable regular file is refused, and never opened", () => {
  it("a directory", async () => {
    mkdirSync(join(folder, "directory.jsonl"))
    expect(await refusal(at("directory.jsonl"))).toMatchObject({ reason: "directory", path: at("directory.jsonl") })
    mkdirSync(join(folder, "directory.jsonl.zst"))
    expect(await refusal(at("directory.jsonl.zst"))).toMatchObject({ reason: "directory" })
  })

  it("a missing file, and a file used as a folder", async () => {
    expect(await refusal(at("missing.jsonl"))).toMatchObject({ reason: "missing" })
    expect(await refusal(`${at("file.jsonl", "x")}/x.jsonl`)).toBeInstanceOf(FileRefused)
    expect(await refusal("")).toBeInstanceOf(FileRefused)
    expect(await refusal("a\0b")).toBeInstanceOf(FileRefused)
  })

  it.each(["fifo.jsonl", "fifo.jsonl.zst"])("a FIFO (%s): it does not wait for a writer", async (name) => {
    execFileSync("mkfifo", [join(folder, name)])
    expect(await refusal(at(name))).toMatchObject({ reason: "not-a-file", detail: expect.stringContaining("FIFO") })
  })

  it("a device", async () => {
    expect(await refusal("/dev/null")).toMatchObject({ reason: "not-a-file" })
  })

  it("a link that goes nowhere, or round in a circle", async () => {
    symlinkSync(join(folder, "nowhere"), join(folder, "dangling.jsonl"))
    expect(await refusal(at("dangling.jsonl"))).toMatchObject({ reason: "missing" })
    symlinkSync(join(folder, "circle.jsonl"), join(folder, "circle.jsonl"))
    expect(await refusal(at("circle.jsonl"))).toBeInstanceOf(FileRefused)
  })

  it("a link to a file is that file", async () => {
    symlinkSync(at("target.jsonl", "a\nb\n"), join(folder, "link.jsonl"))
    expect(texts((await read(at("link.jsonl"))).ahead)).toEqual(["a", "b"])
  })

  const isRoot = process.getuid?.() === 0
  it.skipIf(isRoot)("a file without read permission (skipped for root, who may read everything)", async () => {
    const path = at("secret.jsonl", "{}\n")
    chmodSync(path, 0)
    expect(await refusal(path)).toMatchObject({ reason: "no-permission" })
    chmodSync(path, 0o600)
  })

  it.each(["plain.jsonl", "packed.jsonl.zst"])(
    "a file without read permission, by a file system that says so: %s",
    async (name) => {
      const denied = (method: string) =>
        Effect.fail(
          new SystemError({ reason: "PermissionDenied", module: "FileSystem", method, pathOrDescriptor: name })
        )
      const layer = Layer.effect(
        FileSystem.FileSystem,
        Effect.map(FileSystem.FileSystem, (fs) => ({
          ...fs,
          open: () => denied("open"),
          readFile: () => denied("readFile")
        }))
      ).pipe(Layer.provide(NodeContext.layer))
      const refused = await Effect.runPromise(
        Effect.flip(Effect.scoped(RolloutFile.open(at(name, "{}\n")))).pipe(Effect.provide(layer))
      )
      expect(refused).toMatchObject({ reason: "no-permission", path: at(name) })
      expect(refused.message).toContain("permission")
    }
  )

  it("what is no zstd, and a zstd bomb", async () => {
    expect(await refusal(at("text.jsonl.zst", "plain text\n"))).toMatchObject({ reason: "zstd-damaged" })
    const path = at("bomb.jsonl.zst", bomb(16 * 1024))
    expect(await refusal(path)).toMatchObject({
      reason: "zstd-too-large",
      detail: expect.stringContaining("1073741824")
    })
    const small = at("small.jsonl.zst", await compress(Buffer.from("a\nb\n")))
    expect(await refusal(small, { decodedLimit: 3 })).toMatchObject({ reason: "zstd-too-large" })
    expect(texts((await read(small)).ahead)).toEqual(["a", "b"])
  })

  it("every refusal names the file, the place and the way out", async () => {
    for (const path of [at("directory.jsonl"), at("missing.jsonl"), at("fifo.jsonl"), at("text.jsonl.zst")]) {
      const { message, advice, detail } = await refusal(path)
      expect(message).toContain(path)
      expect(message).toContain(detail)
      expect(advice.length).toBeGreaterThan(10)
    }
  })
})

describe("reading", () => {
  it("an empty file has no lines", async () => {
    const { file, ahead, back } = await read(at("empty.jsonl", ""))
    expect([file.size, ahead, back]).toEqual([0, [], []])
  })

  it("a binary file has lines like any other", async () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)
    const { ahead, back } = await read(at("binary.jsonl", bytes))
    expect(
      Buffer.concat(ahead.flatMap((line) => [line.bytes, Buffer.from("\n")]))
        .subarray(0, 5000)
        .equals(bytes)
    ).toBe(true)
    expect([...texts(back)].reverse()).toEqual(texts(ahead))
  })

  it("files larger than the chunks, lines longer than them: forward, backward and compressed agree", async () => {
    const lengths = [10, 70_000, 3, 0, 2_500_000, 64 * 1024 - 1, 64 * 1024, 1, 1024 * 1024, 900_000, 5]
    const content = Buffer.from(lengths.map((length, i) => `${String.fromCharCode(97 + i).repeat(length)}\n`).join(""))
    const plain = await read(at("large.jsonl", content))
    expect(plain.ahead.map(({ bytes }) => bytes.length)).toEqual(lengths)
    expect(plain.ahead.map(({ number }) => number)).toEqual(lengths.map((_, i) => i + 1))
    const packed = await read(at("large.jsonl.zst", await compress(content)))
    for (const { ahead, back } of [plain, packed]) {
      expect(ahead.map(({ offset }) => offset)).toEqual(plain.ahead.map(({ offset }) => offset))
      expect(back.map(({ offset }) => offset).reverse()).toEqual(plain.ahead.map(({ offset }) => offset))
      for (const [i, line] of [...back].reverse().entries()) {
        expect(Buffer.compare(line.bytes, ahead[i]?.bytes ?? new Uint8Array())).toBe(0)
      }
    }
  })

  it("any file and any range that begins and ends at a line: forward and backward agree", async () => {
    const piece = fc.oneof(
      fc.constantFrom("", "a", "{}", "é\u2028", "\r"),
      fc.nat(70_000).map((n) => "x".repeat(n))
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 12 }),
        fc.boolean(),
        fc.nat(),
        fc.nat(),
        async (all, ends, a, b) => {
          const content = Buffer.from(all.join("\n") + (ends ? "\n" : ""))
          const borders = [0, content.length, ...[...content].flatMap((byte, i) => (byte === 0x0a ? [i + 1] : []))]
          const [from = 0, to = 0] = [borders[a % borders.length] ?? 0, borders[b % borders.length] ?? 0].sort(
            (x, y) => x - y
          )
          const { ahead, back } = await read(at("range.jsonl", content), { from, to })
          const expected = content.subarray(from, to).toString()
          expect(ahead.map((line) => `${Buffer.from(line.bytes)}${line.terminated ? "\n" : ""}`).join("")).toBe(
            expected
          )
          expect(back.map(({ offset }) => offset).reverse()).toEqual(ahead.map(({ offset }) => offset))
          expect([...texts(back)].reverse()).toEqual(texts(ahead))
        }
      ),
      { numRuns: 60 }
    )
  })

  it("reading ends where the taker has enough", async () => {
    const path = at("enough.jsonl", "a\nb\nc\nd\n")
    await Home.run(
      Effect.gen(function* () {
        const file = yield* RolloutFile.open(path)
        for (const direction of [RolloutFile.forward, RolloutFile.backward]) {
          const seen: Array<RawLine> = []
          expect(yield* direction(file, (line) => seen.push(line) < 2)).toBe(false)
          expect(seen.length).toBe(2)
          expect(yield* direction(file, () => true)).toBe(true)
        }
      })
    )
  })

  it("a file that grows is read as it was when it was opened; one that shrinks is refused, in both directions", async () => {
    const path = at("moving.jsonl", `${"x".repeat(99)}\n`.repeat(20_000))
    await Home.run(
      Effect.gen(function* () {
        const file = yield* RolloutFile.open(path)
        appendFileSync(path, "more\n")
        let seen = 0
        const count = () => {
          seen++
          return true
        }
        yield* RolloutFile.forward(file, count)
        yield* RolloutFile.backward(file, count)
        expect(seen).toBe(40_000)
        truncateSync(path, 500)
        for (const read of [RolloutFile.forward, RolloutFile.backward]) {
          const failed = yield* Effect.option(Effect.flip(read(file, count)))
          expect(Option.getOrUndefined(failed)).toMatchObject({
            reason: "io",
            detail: expect.stringContaining("shorter")
          })
        }
      })
    )
  })

  it("a compressed file that is cut short says where", async () => {
    const whole = await compress(Buffer.from("line\n".repeat(100_000)))
    const { file, ahead } = await read(at("cut.jsonl.zst", whole.subarray(0, whole.length - 3)))
    expect(file.damagedAt).toBe(whole.length - 3)
    expect(file.size).toBe(
      texts(ahead).reduce((sum, text) => sum + text.length, 0) + ahead.filter((one) => one.terminated).length
    )
  })
})
