/** Node's file system without the pool of threads does what Node's file system does. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Effect, type Layer, Option } from "effect"
import fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import * as NodeFiles from "../src/NodeFiles.js"

const folder = mkdtempSync(join(tmpdir(), "skein-node-files-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const both: ReadonlyArray<readonly [string, Layer.Layer<FileSystem.FileSystem>]> = [
  ["Node's", NodeContext.layer],
  ["ours", NodeFiles.layer]
]

const run = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem>, layer: Layer.Layer<FileSystem.FileSystem>) =>
  Effect.runPromise(Effect.either(Effect.provide(effect, layer)))

/** The same of both; what an error says beside its message is compared too. */
const same = async <A, E>(effect: (fs: FileSystem.FileSystem) => Effect.Effect<A, E>) => {
  const [theirs, ours] = [
    await run(Effect.flatMap(FileSystem.FileSystem, effect), NodeContext.layer),
    await run(Effect.flatMap(FileSystem.FileSystem, effect), NodeFiles.layer)
  ]
  expect(ours).toEqual(theirs)
  return ours
}

const content = Uint8Array.from({ length: 2 * 1024 * 1024 }, (_, i) => (i * 7919) % 251)
const large = join(folder, "large")
writeFileSync(large, content)

interface Step {
  readonly seek: number
  readonly from: FileSystem.SeekMode
  readonly length: number
  readonly alloc: boolean
}

describe("reading", () => {
  it("any seeks and reads, short and long, behind the end too", async () => {
    const step: fc.Arbitrary<Step> = fc.record({
      seek: fc.integer({ min: 0, max: content.length + 10 }),
      from: fc.constantFrom("start", "current"),
      length: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: content.length })),
      alloc: fc.boolean()
    })
    const read = (steps: ReadonlyArray<Step>) => (fs: FileSystem.FileSystem) =>
      Effect.scoped(
        Effect.gen(function* () {
          const file = yield* fs.open(large, { flag: "r" })
          const found: Array<unknown> = []
          for (const { alloc, from, length, seek } of steps) {
            yield* file.seek(seek, from)
            if (alloc && length > 0) {
              found.push(Option.map(yield* file.readAlloc(length), (bytes) => Buffer.from(bytes).toString("base64")))
            } else {
              const buffer = new Uint8Array(length)
              const count = Number(yield* file.read(buffer))
              found.push(Buffer.from(buffer.subarray(0, count)).toString("base64"))
            }
          }
          return found
        })
      )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 5 }), async (steps) => {
        await same(read(steps))
      }),
      { numRuns: 50 }
    )
  })

  it("looks at files, folders and what is not there", async () => {
    for (const path of [large, folder, join(folder, "none"), join(large, "below")]) {
      const found = await same((fs) =>
        Effect.mapError(fs.stat(path), (error) => ({
          tag: error._tag,
          reason: (error as { reason?: unknown }).reason,
          code: (error.cause as { code?: unknown }).code
        }))
      )
      expect(found._tag).toBe(path === large || path === folder ? "Right" : "Left")
    }
    const open = await same((fs) => Effect.scoped(Effect.flatMap(fs.open(large), (file) => file.stat)))
    expect(open._tag).toBe("Right")
  })

  it("a file that is not there is not found", async () => {
    await same((fs) =>
      Effect.scoped(Effect.mapError(fs.open(join(folder, "none")), (error) => (error as { reason?: unknown }).reason))
    )
  })

  it("syncs a folder", async () => {
    const synced = await same((fs) => Effect.scoped(Effect.flatMap(fs.open(folder), (handle) => handle.sync)))
    expect(synced._tag).toBe("Right")
  })

  it("a FIFO that nobody writes to holds up nobody", async () => {
    const path = join(folder, "fifo")
    execFileSync("mkfifo", [path])
    const read = Effect.flatMap(FileSystem.FileSystem, (fs) =>
      Effect.scoped(Effect.flatMap(fs.open(path), (file) => file.readAlloc(10)))
    )
    expect((await run(read, NodeFiles.layer))._tag).toBe("Left")
    const append = Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.scoped(fs.open(path, { flag: "a" })))
    expect((await run(append, NodeFiles.layer))._tag).toBe("Left")
  })
})

describe("appending", () => {
  for (const [name, layer] of both) {
    it(`any batches, cut off in between: ${name}`, async () => {
      let n = 0
      const batch = fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.constant(content))
      const steps = fc.array(fc.record({ batch, cut: fc.option(fc.nat(50), { nil: undefined }) }), { maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const path = join(folder, `${name}-${n++}`)
          let expected: Buffer = Buffer.alloc(0)
          const write = Effect.scoped(
            Effect.gen(function* () {
              const fs = yield* FileSystem.FileSystem
              const file = yield* fs.open(path, { flag: "a+" })
              for (const { batch, cut } of all) {
                if (batch.length > 0) yield* file.writeAll(batch)
                expected = Buffer.concat([expected, batch])
                if (cut !== undefined && cut > 0 && cut <= expected.length) {
                  yield* file.truncate(cut)
                  expected = expected.subarray(0, cut)
                }
                yield* file.sync
              }
              yield* file.seek(0, "start")
              const again = yield* file.readAlloc(10)
              expect(Buffer.from(Option.getOrElse(again, () => new Uint8Array(0)))).toEqual(expected.subarray(0, 10))
              return Number((yield* file.stat).size)
            })
          )
          expect(await run(write, layer)).toMatchObject({ _tag: "Right", right: expected.length })
          expect(readFileSync(path).equals(expected)).toBe(true)
        }),
        { numRuns: 20 }
      )
    })
  }

  it("a file that is only read takes no bytes", async () => {
    const refused = await run(
      Effect.flatMap(FileSystem.FileSystem, (fs) =>
        Effect.scoped(Effect.flatMap(fs.open(large), (file) => file.writeAll(new Uint8Array(1))))
      ),
      NodeFiles.layer
    )
    expect(refused).toMatchObject({ _tag: "Left", left: { _tag: "SystemError", cause: { code: "EBADF" } } })
  })
})
