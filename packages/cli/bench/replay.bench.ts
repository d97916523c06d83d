/**
 * `npm run bench -- replay`: what a replay costs beside bare reading and `JSON.parse`, as the thread grows.
 *
 * Every figure stands beside its bare counterpart, measured in the same run and in turn with it. Options: `--sizes
 * 1,16,128,1024` (megabytes), `--rounds 3`.
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

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: "string", default: "1,16,128,1024" },
    rounds: { type: "string", default: "3" },
    // What the benchmark calls itself with, for a process to itself.
    task: { type: "string" },
    peak: { type: "boolean" },
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
        const rest = yield* EffectiveLog.backward(
          log,
          (decoded) => {
            if (EffectiveLog.isRecord(decoded)) scan.add(decoded)
            return !scan.settled()
          },
          scan.wants
        )
        const context = scan.finish(rest === undefined, {
          ...ReplayLog.emptyHead,
          whole: false,
          compactions: undefined
        })
        return { context, from: rest?.pieces.at(-1)?.to ?? 0 }
      })
    )
  )

const time = async (task: () => unknown): Promise<number> => {
  const start = performance.now()
  await task()
  return performance.now() - start
}

const median = (times: ReadonlyArray<number>): number =>
  [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN

/** How long a task is run before it is measured, and how long at least while it is, in milliseconds. */
const warmUp = 1500
const measured = 1500

/** The median time of a task that has a process to itself: what is compared is the work, not what another task left. */
const measure = async (task: () => unknown): Promise<number> => {
  const start = performance.now()
  do await task()
  while (performance.now() - start < warmUp)
  const times: Array<number> = []
  const begun = performance.now()
  do times.push(await time(task))
  while (performance.now() - begun < measured)
  return median(times)
}

const tasks = {
  bare: (path: string, from: number) => bare(path, from),
  fold: (path: string) => foldWhole(path),
  verify: (path: string) => run(verify(path)),
  answer: (path: string) => answerBackward(path)
}

const child = (...options: ReadonlyArray<string>): number =>
  Number(execFileSync(process.execPath, [process.argv[1] ?? "", ...options], { encoding: "utf8" }).trim())

/** Runs each task in a process of its own, in turn, as often as asked; gives the medians. */
const compare = (rounds: number, all: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<number> => {
  const times: Array<Array<number>> = all.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [k, options] of all.entries()) times[k]?.push(child("--task", ...options))
  }
  return times.map(median)
}

const verdicts: Array<{ readonly text: string; readonly holds: boolean }> = []
const limit = (what: string, value: number, bound: number, unit = "×"): string => {
  const text = `${what}: ${value.toFixed(unit === "×" ? 2 : 1)} ${unit} (limit ${bound} ${unit})`
  verdicts.push({ text, holds: value <= bound })
  return value <= bound ? "ok" : "OVER"
}

const peakMemory = (): void => console.log(process.resourceUsage().maxRSS / 1024)

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "skein-bench-"))
  const rounds = Number(values.rounds)
  try {
    const answers: Array<number> = []
    for (const size of values.sizes.split(",").map(Number)) {
      const path = join(
        folder,
        `rollout-2026-10-01T00-00-00-01a0f67a-3800-7000-8000-${String(size).padStart(12, "0")}.jsonl`
      )
      await writeThread({ path, bytes: size * megabyte, window: 2 * megabyte, tail: megabyte })
      const { from } = await answerBackward(path)
      const [end = 0, answer = 0] = compare(rounds, [
        ["bare", path, String(from)],
        ["answer", path]
      ])
      const [parse = 0, fold = 0, check = 0] = compare(rounds, [
        ["bare", path, "0"],
        ["fold", path],
        ["verify", path]
      ])
      answers.push(answer)
      console.log(`${size} MB`)
      console.log(`  bare read + JSON.parse of every line  ${parse.toFixed(1)} ms`)
      console.log(
        `  fold of the whole file                ${fold.toFixed(1)} ms  ${limit(`fold at ${size} MB`, fold / parse, 1.8)}`
      )
      console.log(
        `  verify                                ${check.toFixed(1)} ms  ${limit(`verify at ${size} MB`, check / parse, 1.6)}`
      )
      console.log(`  bare read + parse of the needed end   ${end.toFixed(2)} ms`)
      console.log(
        `  answer from the end                   ${answer.toFixed(2)} ms  ${limit(`answer at ${size} MB beside its bytes`, answer / end, 2.5)}`
      )
      if (size === 128) limit("answer at 128 MB beside the full parse", (100 * answer) / parse, 5, "%")
      if (size === 1024) {
        const empty = child("--empty")
        const peak = child("--peak", path)
        console.log(
          `  peak memory of a fold                 ${peak.toFixed(0)} MB, empty process ${empty.toFixed(0)} MB`
        )
        limit("peak memory of a fold over 1 GB above an empty process", peak - empty, 250, "MB")
      }
      rmSync(path)
    }
    if (answers.length > 1)
      limit("answer, slowest thread beside the smallest", Math.max(...answers) / (answers[0] ?? 1), 1.5)
    console.log("")
    for (const { holds, text } of verdicts) console.log(`${holds ? "ok  " : "OVER"}  ${text}`)
    if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const [path = "", from = "0"] = positionals
if (values.empty === true) peakMemory()
else if (values.peak === true) {
  await foldWhole(path)
  peakMemory()
} else if (values.task !== undefined) {
  const task = tasks[values.task as keyof typeof tasks]
  console.log(await measure(() => task(path, Number(from))))
} else await main()
