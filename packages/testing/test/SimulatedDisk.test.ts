import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { NodeFileSystem } from "@effect/platform-node"
import { Cause, Effect, Exit, Option } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as SimulatedDisk from "../src/SimulatedDisk.js"

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (data: Uint8Array) => new TextDecoder().decode(data)

const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect)

/** What a test does to a file system, on few names, so that operations meet. */
type Step =
  | {
      readonly do: "write"
      readonly path: string
      readonly flag: FileSystem.OpenFlag
      readonly data: string
      readonly seek: number
    }
  | { readonly do: "rename" | "link"; readonly path: string; readonly to: string }
  | { readonly do: "remove" | "folder" | "read" | "list" | "stat"; readonly path: string; readonly deep: boolean }
  | { readonly do: "truncate"; readonly path: string; readonly size: number }

const name = fc.constantFrom("a", "b", "f", "f/a", "f/b", "f/g", "f/g/a", "missing/a")
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("write" as const),
    path: name,
    flag: fc.constantFrom<FileSystem.OpenFlag>("w", "wx", "a", "ax", "r+", "w+", "a+"),
    data: fc.string({ maxLength: 6 }),
    seek: fc.nat(9)
  }),
  fc.record({ do: fc.constantFrom("rename" as const, "link" as const), path: name, to: name }),
  fc.record({
    do: fc.constantFrom("remove" as const, "folder" as const, "read" as const, "list" as const, "stat" as const),
    path: name,
    deep: fc.boolean()
  }),
  fc.record({ do: fc.constant("truncate" as const), path: name, size: fc.nat(9) })
)

/** What a step came to, in words that two file systems can be compared by. */
const perform = (fs: FileSystem.FileSystem, root: string, one: Step): Effect.Effect<unknown> => {
  const at = join(root, one.path)
  const act = (): Effect.Effect<unknown, unknown> => {
    switch (one.do) {
      case "write":
        return Effect.scoped(
          Effect.gen(function* () {
            const file = yield* fs.open(at, { flag: one.flag })
            if (one.flag === "r+" || one.flag === "w+") yield* file.seek(one.seek, "start")
            yield* file.writeAll(bytes(one.data))
            return Number((yield* file.stat).size)
          })
        )
      case "rename":
        return fs.rename(at, join(root, one.to))
      case "link":
        return fs.link(at, join(root, one.to))
      case "remove":
        return fs.remove(at, { recursive: one.deep })
      case "folder":
        return Effect.asVoid(fs.makeDirectory(at, { recursive: one.deep }))
      case "read":
        return Effect.map(fs.readFile(at), text)
      case "list":
        return Effect.map(fs.readDirectory(at, { recursive: one.deep }), (names) => [...names].sort())
      case "stat":
        return Effect.map(fs.stat(at), ({ size, type }) => (type === "File" ? { size, type } : { type }))
      case "truncate":
        return fs.truncate(at, one.size)
    }
  }
  return Effect.map(Effect.either(act()), (result) => (result._tag === "Left" ? "refused" : (result.right ?? "done")))
}

describe("without crashes it is a file system like the real one", () => {
  it("random operations come to the same, and leave the same behind", async () => {
    const real = await run(Effect.provide(FileSystem.FileSystem, NodeFileSystem.layer))
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const root = mkdtempSync(join(tmpdir(), "skein-disk-"))
        try {
          const disk = await run(SimulatedDisk.make())
          const { fileSystem } = disk.process()
          await run(fileSystem.makeDirectory("/root"))
          for (const one of [...steps, { do: "list", path: "", deep: true } as const]) {
            // Node removes a folder only when told to do so deeply, an empty one too; here that is enough.
            if (one.do === "remove" && !one.deep) continue
            const ours = await run(perform(fileSystem, "/root", one))
            expect(ours, JSON.stringify(one)).toEqual(await run(perform(real, root, one)))
          }
        } finally {
          rmSync(root, { recursive: true, force: true })
        }
      }),
      { numRuns: 150 }
    )
  })
})

/** Writes a file in pieces, syncing behind some of them; gives what was safe and what was written. */
const writing = (fs: FileSystem.FileSystem, pieces: ReadonlyArray<{ readonly data: string; readonly sync: boolean }>) =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* fs.makeDirectory("/d")
      const file = yield* fs.open("/d/log", { flag: "a" })
      yield* (yield* fs.open("/d")).sync
      yield* (yield* fs.open("/")).sync
      let safe = ""
      let all = ""
      for (const { data, sync } of pieces) {
        yield* file.writeAll(bytes(data))
        all += data
        if (!sync) continue
        yield* file.sync
        safe = all
      }
      return { all, safe }
    })
  )

describe("a loss of power", () => {
  const pieces = fc.array(
    fc.record({ data: fc.string({ minLength: 1, maxLength: 9, unit: "grapheme-ascii" }), sync: fc.boolean() }),
    {
      maxLength: 12
    }
  )

  it("keeps what was synced, and of the rest no more than was written", () =>
    fc.assert(
      fc.asyncProperty(pieces, fc.nat(), async (all, seed) => {
        const disk = await run(SimulatedDisk.make({ seed }))
        const written = await run(writing(disk.process().fileSystem, all))
        await run(disk.losePower)
        const left = await run(disk.process().fileSystem.readFile("/d/log"))
        expect(text(left.slice(0, written.safe.length))).toBe(written.safe)
        expect(left.length).toBeLessThanOrEqual(written.all.length)
        // A byte is what was written there, or a zero in front of a later write that was kept.
        for (const [i, byte] of left.entries()) expect([0, written.all.charCodeAt(i)]).toContain(byte)
      })
    ))

  it("loses, keeps and tears what was not synced, as the seed will have it", async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const disk = await run(SimulatedDisk.make({ seed }))
      await run(
        writing(disk.process().fileSystem, [
          { data: "safe|", sync: true },
          { data: "one|", sync: false },
          { data: "two|", sync: false }
        ])
      )
      await run(disk.losePower)
      seen.add(text(await run(disk.process().fileSystem.readFile("/d/log"))).replace(/\0/g, "0"))
    }
    expect([...seen]).toEqual(expect.arrayContaining(["safe|", "safe|one|", "safe|one|two|", "safe|0000two|"]))
    expect([...seen].some((one) => /^safe\|(o|on|one)$/.test(one))).toBe(true)
  })

  it("a name that its folder was not synced for may be lost, a rename is whole or not at all", async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      const disk = await run(SimulatedDisk.make({ seed }))
      const { fileSystem: fs } = disk.process()
      await run(
        Effect.scoped(
          Effect.gen(function* () {
            yield* fs.writeFile("/old", bytes("old"))
            for (const path of ["/old", "/"]) yield* (yield* fs.open(path)).sync
            yield* fs.writeFile("/new", bytes("new"))
            yield* (yield* fs.open("/new")).sync
            yield* fs.rename("/new", "/old")
          })
        )
      )
      await run(disk.losePower)
      const files = await run(disk.files)
      seen.add([...files].map(([path, data]) => `${path}=${text(data)}`).join(" "))
    }
    expect(seen).toEqual(new Set(["/old=old", "/old=new", "/old=old /new=new"]))
  })

  it("the same seed and the same operations leave the same", () =>
    fc.assert(
      fc.asyncProperty(pieces, fc.nat(), async (all, seed) => {
        const left = async () => {
          const disk = await run(SimulatedDisk.make({ seed }))
          await run(writing(disk.process().fileSystem, all))
          await run(disk.losePower)
          return [...(await run(disk.files))].map(([path, data]) => [path, text(data)])
        }
        expect(await left()).toEqual(await left())
      }),
      { numRuns: 50 }
    ))
})

describe("processes", () => {
  it("one that is killed leaves what it wrote, and nothing that it tries still happens", async () => {
    const disk = await run(SimulatedDisk.make())
    const one = disk.process("one")
    const other = disk.process("other")
    const file = await run(Effect.scoped(one.fileSystem.open("/a", { flag: "w" })))
    await run(file.writeAll(bytes("here")))
    await run(one.kill)
    const exit = await Effect.runPromiseExit(file.writeAll(bytes("gone")))
    expect(Exit.isFailure(exit) && Cause.dieOption(exit.cause)).toMatchObject(Option.some({ name: "Dead" }))
    expect(text(await run(other.fileSystem.readFile("/a")))).toBe("here")
  })

  it("a file that was removed or replaced is still there for who has it open", async () => {
    const disk = await run(SimulatedDisk.make())
    const { fileSystem: fs } = disk.process()
    await run(fs.writeFile("/a", bytes("first")))
    const file = await run(Effect.scoped(fs.open("/a")))
    await run(fs.writeFile("/b", bytes("second")))
    await run(fs.rename("/b", "/a"))
    expect(text(Option.getOrThrow(await run(file.readAlloc(99))))).toBe("first")
    const { ino } = await run(file.stat)
    expect((await run(fs.stat("/a"))).ino).not.toEqual(ino)
  })
})

it("every change of the names in a folder shows in its time", async () => {
  const clock = { now: 1000 }
  const ticking = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
    run(
      Effect.flatMap(Effect.clock, (before) =>
        Effect.withClock(effect, {
          ...before,
          unsafeCurrentTimeMillis: () => clock.now,
          currentTimeMillis: Effect.sync(() => clock.now)
        })
      )
    )
  const disk = await run(SimulatedDisk.make())
  const { fileSystem: fs } = disk.process()
  await ticking(Effect.zipRight(fs.makeDirectory("/f"), fs.writeFile("/a", bytes("a"))))
  const changes: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
    fs.link("/a", "/f/link"),
    fs.symlink("/a", "/f/symlink"),
    fs.writeFile("/f/new", bytes("b")),
    fs.makeDirectory("/f/g"),
    fs.rename("/f/new", "/f/other"),
    fs.remove("/f/other")
  ]
  for (const change of changes) {
    clock.now += 10
    await ticking(change)
    const { mtime } = await ticking(fs.stat("/f"))
    expect(mtime).toEqual(Option.some(new Date(clock.now)))
  }
})

it("what is removed by force may be missing, and so may the folder that it would be in", async () => {
  const disk = await run(SimulatedDisk.make())
  const { fileSystem: fs } = disk.process()
  await run(fs.remove("/missing", { force: true }))
  await run(fs.remove("/missing/too", { force: true, recursive: true }))
  expect(Exit.isFailure(await Effect.runPromiseExit(fs.remove("/missing/too", { recursive: true })))).toBe(true)
})

describe("faults", () => {
  it.each([
    ["fail", { kind: "fail", reason: "io" }, "refused", ""],
    ["short", { kind: "short", bytes: 2 }, "refused", "ab"],
    ["late", { kind: "late" }, "refused", "abcd"]
  ] as const)("%s: the operation is refused, and what it did is there", async (_, fault, outcome, left) => {
    const disk = await run(SimulatedDisk.make())
    const { fileSystem: fs } = disk.process()
    const file = await run(Effect.scoped(fs.open("/a", { flag: "w" })))
    await run(disk.setFaults(SimulatedDisk.atOperation(1, fault)))
    const result = await run(Effect.either(file.write(bytes("abcd"))))
    expect(result._tag === "Left" ? "refused" : "done").toBe(outcome)
    expect(text(await run(fs.readFile("/a")))).toBe(left)
  })

  it.each(["kill", "power"] as const)("%s: the operation is done, and nobody hears of it", async (kind) => {
    const disk = await run(SimulatedDisk.make())
    const { fileSystem: fs } = disk.process()
    await run(disk.setFaults(({ method }) => (method === "writeFile" || method === "write" ? { kind } : undefined)))
    const exit = await Effect.runPromiseExit(fs.writeFile("/a", bytes("x")))
    expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
    expect(Exit.isFailure(await Effect.runPromiseExit(fs.readFile("/a")))).toBe(true)
    const files = await run(disk.files)
    if (kind === "kill") expect(text(files.get("/a") ?? new Uint8Array(0))).toBe("x")
  })

  it.each(["kill", "power"] as const)("%s: in an operation that comes to nothing as well", async (kind) => {
    const disk = await run(SimulatedDisk.make())
    const { fileSystem: fs } = disk.process()
    await run(disk.setFaults(SimulatedDisk.atOperation(1, { kind })))
    const exit = await Effect.runPromiseExit(fs.stat("/missing"))
    expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
    expect(Exit.isFailure(await Effect.runPromiseExit(fs.exists("/")))).toBe(true)
  })

  it("a disk runs full in the middle of a write", async () => {
    const disk = await run(SimulatedDisk.make({ capacity: 6 }))
    const { fileSystem: fs } = disk.process()
    await run(fs.writeFile("/a", bytes("1234")))
    const refused = await run(
      Effect.flip(Effect.scoped(Effect.flatMap(fs.open("/a", { flag: "a" }), (file) => file.writeAll(bytes("5678")))))
    )
    expect(refused.message).toContain("ENOSPC")
    expect(text(await run(fs.readFile("/a")))).toBe("123456")
  })
})
