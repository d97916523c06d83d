/** What every benchmark measures with: the bare counterpart, processes of their own, limits. */
import { execFileSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeContext } from "@effect/platform-node"
import * as NodeFiles from "@skein/store-fs/NodeFiles"
import { type Effect, Layer, ManagedRuntime } from "effect"

export const megabyte = 1024 * 1024
const chunk = megabyte

/** Reads the bytes of a file from an offset and parses every line: what any reader has to do. */
export const bare = (path: string, from = 0): number => {
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

const runtime = ManagedRuntime.make(Layer.merge(NodeContext.layer, NodeFiles.layer))

export const run = <A, E>(effect: Effect.Effect<A, E, NodeContext.NodeContext>): Promise<A> =>
  runtime.runPromise(effect)

const time = async (task: () => unknown): Promise<number> => {
  const start = performance.now()
  await task()
  return performance.now() - start
}

export const median = (times: ReadonlyArray<number>): number =>
  [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN

/** The shortest and the longest. */
export const spread = (times: ReadonlyArray<number>): readonly [number, number] => [
  Math.min(...times),
  Math.max(...times)
]

/** How long a task is run before it is measured, and how long at least while it is, in milliseconds. */
const warmUp = 1500
const measured = 1500

/** The median time of a task that has a process to itself: what is compared is the work, not what another task left. */
export const measure = async (task: () => unknown): Promise<number> => {
  const start = performance.now()
  do await task()
  while (performance.now() - start < warmUp)
  const times: Array<number> = []
  const begun = performance.now()
  do times.push(await time(task))
  while (performance.now() - begun < measured)
  return median(times)
}

/** What this benchmark prints when it calls itself with those options, in a process of its own. */
export const answer = (...options: ReadonlyArray<string>): string =>
  execFileSync(process.execPath, [process.argv[1] ?? "", ...options], { encoding: "utf8" }).trim()

export const child = (...options: ReadonlyArray<string>): number => Number(answer(...options))

/** Runs each task in a process of its own, in turn, as often as asked; gives the medians. */
export const compare = (rounds: number, all: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<number> => {
  const times: Array<Array<number>> = all.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [k, options] of all.entries()) times[k]?.push(child("--task", ...options))
  }
  return times.map(median)
}

const verdicts: Array<{ readonly text: string; readonly holds: boolean }> = []
export const limit = (what: string, value: number, bound: number, unit = "×"): string => {
  const text = `${what}: ${value.toFixed(unit === "×" ? 2 : 1)} ${unit} (limit ${bound} ${unit})`
  verdicts.push({ text, holds: value <= bound })
  return value <= bound ? "ok" : "OVER"
}

/** The same for what has to be large. */
export const atLeast = (what: string, value: number, bound: number, unit = "×"): string => {
  const text = `${what}: ${value.toFixed(value < 10 ? 2 : 0)} ${unit} (at least ${bound} ${unit})`
  verdicts.push({ text, holds: value >= bound })
  return value >= bound ? "ok" : "OVER"
}

/** Prints every figure with its limit; the exit code is 1 when one is over. */
export const conclude = (): void => {
  console.log("")
  for (const { holds, text } of verdicts) console.log(`${holds ? "ok  " : "OVER"}  ${text}`)
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1
}

/** Runs a task with a temporary folder, which is gone afterwards. */
export const inFolder = async (task: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "skein-bench-"))
  try {
    await task(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The name of a synthetic thread's file. */
export const nameOf = (folder: string, size: number): string =>
  join(folder, `rollout-2026-10-01T00-00-00-01a0f67a-3800-7000-8000-${String(size).padStart(12, "0")}.jsonl`)
