/**
 * `npm run bench -- replay`: what a replay costs beside bare reading and `JSON.parse`, as the thread grows.
 *
 * Every figure stands beside its bare counterpart, measured in the same run and in turn with it. Options: `--sizes
 * 1,16,128,1024` (megabytes), `--runs 5`.
 */
import { execFileSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { NodeContext } from "@effect/platform-node"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as ReplayLog from "@skein/core/fold/ReplayLog"
import * as EffectiveLog from "@skein/store-fs/EffectiveLog"
import { Effect, ManagedRuntime } from "effect"
import { verify } from "../src/verb/Verify.js"
import { writeThread } from "./synthetic.js"

const megabyte = 1024 * 1024
const chunk = megabyte

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1,16,128,1024" },
    runs: { type: "string", default: "5" },
    peak: { type: "string" },
    empty: { type: "boolean" }
  }
})

/** Reads the bytes of a file from an offset and parses every line: what any reader has to do. */
const bare = (path: string, from = 0): number => {
  const file = openSync(path, "r")
  let lines = 0
  let held = Buffer.alloc(0)
  let at = from
  for (;;) {
    const buffer = Buffer.allocUnsafe(chunk)
    const count = readSync(file, buffer, 0, chunk, at)
    if (count === 0) break
    at += count
    const bytes = held.length === 0 ? buffer.subarray(0, count) : Buffer.concat([held, buffer.subarray(0, count)])
    let start = 0
    for (;;) {
      const end = bytes.indexOf(10, start)
      if (end < 0) break
      JSON.parse(bytes.toString("utf8", start, end))
      lines++
      start = end + 1
    }
    held = bytes.subarray(start)
  }
  closeSync(file)
  return lines
}

const runtime = ManagedRuntime.make(NodeContext.layer)

const run = <A, E>(effect: Effect.Effect<A, E, NodeContext.NodeContext>): Promise<A> => runtime.runPromise(effect)

/** Folds a whole file: history, settings, world state and window, every line checked for damage. */
const foldWhole = (path: string) =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* EffectiveLog.open(path)
        const fold = ModelContext.fold()
        let state = fold.initial
        let damaged = 0
        yield* EffectiveLog.forward(log, (decoded) => {
          if (EffectiveLog.isRecord(decoded)) state = fold.step(state, decoded)
          else if (decoded.kind === "damage") damaged++
          return true
        })
        return { context: ModelContext.read(state), damaged }
      })
    )
  )

/** Answers from the end of a file. Gives the offset at which it stopped. */
const answerBackward = (path: string) =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* EffectiveLog.open(path)
        const scan = ModelContext.backward()
        const rest = yield* EffectiveLog.backward(log, (decoded) => {
          if (EffectiveLog.isRecord(decoded)) scan.add(decoded)
          return !scan.settled()
        })
        const context = scan.finish(rest === undefined, { ...ReplayLog.emptyHead, whole: false, compactions: undefined })
        return { context, from: rest?.pieces.at(-1)?.to ?? 0 }
      })
    )
  )

const time = async (task: () => unknown): Promise<number> => {
  const start = performance.now()
  await task()
  return performance.now() - start
}

const median = (times: ReadonlyArray<number>): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN

/** Medians of tasks that are run in turn, so that a slow moment of the machine meets all of them. */
const compare = async (runs: number, tasks: ReadonlyArray<() => unknown>): Promise<ReadonlyArray<number>> => {
  const times: Array<Array<number>> = tasks.map(() => [])
  for (const task of tasks) await task()
  for (let i = 0; i < runs; i++) {
    for (const [k, task] of tasks.entries()) times[k]?.push(await time(task))
  }
  return times.map(median)
}

const peakOf = (...options: ReadonlyArray<string>): number =>
  Number(execFileSync(process.execPath, [process.argv[1] ?? "", ...options], { encoding: "utf8" }).trim())

const verdicts: Array<{ readonly text: string; readonly holds: boolean }> = []
const limit = (what: string, value: number, bound: number, unit = "×"): string => {
  const text = `${what}: ${value.toFixed(unit === "×" ? 2 : 1)} ${unit} (limit ${bound} ${unit})`
  verdicts.push({ text, holds: value <= bound })
  return value <= bound ? "ok" : "OVER"
}

if (values.empty === true) {
  console.log(process.resourceUsage().maxRSS / 1024)
} else if (values.peak !== undefined) {
  await foldWhole(values.peak)
  console.log(process.resourceUsage().maxRSS / 1024)
} else {
  const folder = mkdtempSync(join(tmpdir(), "skein-bench-"))
  const runs = Number(values.runs)
  try {
    const backwardTimes: Array<readonly [number, number]> = []
    for (const size of values.sizes.split(",").map(Number)) {
      const path = join(folder, `rollout-2026-10-01T00-00-00-01a0f67a-3800-7000-8000-${String(size).padStart(12, "0")}.jsonl`)
      await writeThread({ path, bytes: size * megabyte, window: 2 * megabyte })
      const { from } = await answerBackward(path)
      const [end, backward] = await compare(Math.max(runs, 9), [() => bare(path, from), () => answerBackward(path)])
      const [parse, fold, check] = await compare(size > 500 ? 1 : runs, [
        () => bare(path),
        () => foldWhole(path),
        () => run(verify(path))
      ])
      if (end === undefined || backward === undefined || parse === undefined || fold === undefined || check === undefined) continue
      backwardTimes.push([size, backward])
      console.log(`${size} MB`)
      console.log(`  bare read + JSON.parse of every line  ${parse.toFixed(1)} ms`)
      console.log(`  fold of the whole file                ${fold.toFixed(1)} ms  ${limit(`fold at ${size} MB`, fold / parse, 1.8)}`)
      console.log(`  verify                                ${check.toFixed(1)} ms  ${limit(`verify at ${size} MB`, check / parse, 1.6)}`)
      console.log(`  bare read + parse of the needed end   ${end.toFixed(2)} ms`)
      console.log(`  answer from the end                   ${backward.toFixed(2)} ms  ${limit(`answer at ${size} MB beside its bytes`, backward / end, 2.5)}`)
      if (size === 128) limit("answer at 128 MB beside the full parse", (100 * backward) / parse, 5, "%")
      if (size === 1024) {
        const empty = peakOf("--empty")
        const peak = peakOf("--peak", path)
        console.log(`  peak memory                           ${peak.toFixed(0)} MB, empty process ${empty.toFixed(0)} MB`)
        limit("peak memory of a fold over 1 GB above an empty process", peak - empty, 250, "MB")
      }
      rmSync(path)
    }
    const times = backwardTimes.map(([, ms]) => ms)
    if (times.length > 1) limit("answer, largest beside smallest thread", Math.max(...times) / (times[0] ?? 1), 1.5)
    console.log("")
    for (const { holds, text } of verdicts) console.log(`${holds ? "ok  " : "OVER"}  ${text}`)
    if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
