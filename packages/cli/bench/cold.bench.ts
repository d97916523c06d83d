/**
 * `npm run bench -- cold`: what compressed threads cost beside bare zstd over the same bytes, as ratios in one run. Options:
 * `--only compress,resume,search,size` (default all), `--rounds 3`, `--threads 10` (of 100 MB, for the search).
 */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { compress, decompress } from "@mongodb-js/zstd"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as ColdWorker from "@skein/store-fs/ColdWorker"
import * as FsStore from "@skein/store-fs/FsStore"
import * as NodeFiles from "@skein/store-fs/NodeFiles"
import * as RolloutLog from "@skein/store-fs/RolloutLog"
import { Effect, Layer } from "effect"
import { compare, conclude, inFolder, limit, measure, median, megabyte, run } from "./measure.js"
import { writeThread } from "./synthetic.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", default: "compress,resume,search,size" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "10" },
    // What the benchmark calls itself with, for a process to itself.
    task: { type: "string" }
  }
})

const size = 100 * megabyte
const day = "sessions/2026/10/01"
const nameOf = (n: number): string =>
  `rollout-2026-10-01T00-00-00-01a0f67a-3800-7000-8000-${n.toString(16).padStart(12, "0")}.jsonl`

/** The median time of something that has to be prepared anew each time, which is not measured. */
const prepared = async (prepare: () => unknown, task: () => unknown): Promise<number> => {
  const times: Array<number> = []
  for (let i = 0; i < 6; i++) {
    await prepare()
    const begun = performance.now()
    await task()
    times.push(performance.now() - begun)
  }
  return median(times.slice(1))
}

/** Answers what the model must see next from the end of a file, as a resume does. */
const resume = (path: string) =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(path)
        const scan = ModelContext.backward()
        yield* EffectiveLog.backward(
          log,
          (decoded) => {
            if (EffectiveLog.isRecord(decoded)) scan.add(decoded)
            return !scan.settled()
          },
          scan.wants
        )
        if (!scan.settled()) throw new Error("the thread has no bounded resume")
      })
    )
  )

/** Reads a thread from its beginning to its end. */
const whole = (path: string) =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(path)
        yield* EffectiveLog.forward(log, () => true, { passing: true })
      })
    )
  )

const coldFiles = (home: string): ReadonlyArray<string> =>
  readdirSync(join(home, day))
    .filter((name) => name.endsWith(".zst"))
    .map((name) => join(home, day, name))

const words = "words that nobody ever said to anybody"

/** Searches a home for what is not there, once its lists are made. Gives the bytes that were read of compressed files. */
const searched = async (home: string, times: (ms: number) => void): Promise<number> => {
  let read = 0
  const counting = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(
      FileSystem.FileSystem,
      (fs): FileSystem.FileSystem => ({
        ...fs,
        open: (path, options) =>
          Effect.map(fs.open(path, options), (handle) => {
            if (!path.endsWith(".zst")) return handle
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
  ).pipe(Layer.provideMerge(Layer.merge(NodeContext.layer, NodeFiles.layer)))
  await Effect.runPromise(
    Effect.gen(function* () {
      const store = yield* ThreadStore.ThreadStore
      yield* store.summaries({ hidden: true })
      for (let i = 0; i < 3; i++) {
        read = 0
        const begun = performance.now()
        const found = yield* store.search(words)
        times(performance.now() - begun)
        if (found.items.length > 0) throw new Error("it was said after all")
      }
    }).pipe(Effect.provide(FsStore.layer({ home }).pipe(Layer.provide(counting))))
  )
  return read
}

const tasks: Readonly<Record<string, (path: string) => Promise<number>>> = {
  bareCompress: (path) => {
    const bytes = readFileSync(path)
    return prepared(
      () => undefined,
      () => compress(bytes, 3)
    )
  },
  compress: (path) => {
    const home = join(path, "..", "home")
    const plain = join(home, day, nameOf(0))
    return prepared(
      () => {
        rmSync(home, { recursive: true, force: true })
        mkdirSync(join(home, day), { recursive: true })
        copyFileSync(path, plain)
        const hourAgo = new Date(Date.now() - 3_600_000)
        utimesSync(plain, hourAgo, hourAgo)
      },
      async () => {
        const { files } = await run(ColdWorker.compress({ home, olderThan: 0 }))
        if (files[0]?.result !== "compressed") throw new Error(`it was not compressed: ${files[0]?.result}`)
      }
    )
  },
  decode: (path) => measure(() => decompress(readFileSync(path))),
  whole: (path) => measure(() => whole(path)),
  resume: (path) => measure(() => resume(path)),
  bareSearch: async (home) => {
    const all = coldFiles(home)
    return prepared(
      () => undefined,
      async () => {
        for (const file of all) await decompress(readFileSync(file))
      }
    )
  },
  search: async (home) => {
    const times: Array<number> = []
    await searched(home, (ms) => times.push(ms))
    return median(times)
  },
  reads: (home) => searched(home, () => undefined)
}

const main = async (): Promise<void> => {
  const rounds = Number(values.rounds)
  const only = new Set(values.only.split(","))
  await inFolder(async (folder) => {
    const path = join(folder, nameOf(0))
    await writeThread({ path, bytes: size, window: 2 * megabyte, tail: megabyte })
    if (only.has("compress")) {
      const [bare = 0, ours = 0] = compare(rounds, [
        ["bareCompress", path],
        ["compress", path]
      ])
      console.log(`100 MB\n  bare zstd, level 3            ${bare.toFixed(0)} ms`)
      console.log(
        `  encoded, verified, exchanged  ${ours.toFixed(0)} ms  ${limit("compressing beside bare zstd", ours / bare, 1 / 0.7)}`
      )
    }
    const home = join(folder, "homes", "cold")
    mkdirSync(join(home, day), { recursive: true })
    copyFileSync(path, join(home, day, nameOf(0)))
    await run(ColdWorker.compress({ home, olderThan: 0 }))
    const [cold = ""] = coldFiles(home)
    const single = join(folder, "single.zst")
    writeFileSync(single, await compress(readFileSync(path), 3))
    if (only.has("size")) {
      const [ours, one] = [statSync(cold).size, statSync(single).size]
      console.log(`size: ${ours} bytes, of one frame ${one}`)
      limit("size beside one frame", ours / one, 1.03)
    }
    if (only.has("resume")) {
      const [plain = 0, ours = 0, decode = 0, all = 0] = compare(rounds, [
        ["resume", path],
        ["resume", cold],
        ["decode", single],
        ["whole", cold]
      ])
      console.log(`bounded resume: plain ${plain.toFixed(2)} ms, cold ${ours.toFixed(2)} ms`)
      console.log(`decoding 100 MB: bare ${decode.toFixed(1)} ms, as records ${all.toFixed(1)} ms`)
      limit("bounded resume, cold beside plain", ours / plain, 3)
      console.log(`a bounded resume is ${((100 * ours) / decode).toFixed(1)} % of the bare decoding`)
      limit("bounded resume beside decoding it whole, as records", (100 * ours) / all, 5, "%")
    }
    if (only.has("search")) {
      for (let n = 1; n < Number(values.threads); n++) copyFileSync(path, join(home, day, nameOf(n)))
      rmSync(path)
      await run(ColdWorker.compress({ home, olderThan: 0 }))
      const [bare = 0, ours = 0] = compare(rounds, [
        ["bareSearch", home],
        ["search", home]
      ])
      const [read = 0] = compare(1, [["reads", home]])
      const bytes = coldFiles(home).reduce((sum, file) => sum + statSync(file).size, 0)
      console.log(
        `search over ${values.threads} × 100 MB: bare decode ${bare.toFixed(0)} ms, search ${ours.toFixed(0)} ms`
      )
      limit("search beside the bare decode", ours / bare, 1.5)
      limit("bytes read in a search beside those there are", read / bytes, 1.02)
    }
    conclude()
  })
}

const [path = ""] = positionals
if (values.task !== undefined) console.log(await tasks[values.task]?.(path))
else await main()
