/**
 * Two processes append to the same store while they are killed, or stopped past their lease and continued: every
 * acknowledged batch is there once, whole and in order, and nothing is there in part (design §8, promises 1 and 2).
 *
 * `SKEIN_CRASH_RUNS` sets how many runs there are in all; `SKEIN_CRASH_BATCHES` how many batches each process appends.
 */
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Draft } from "@skein/core/record/Record"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Script from "@skein/testing/Script"
import { Effect, Stream } from "effect"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { aliasPlugin, natives, requireBanner, root } from "../../../scripts/workspace.mjs"
import { layerOf } from "./processes/stores.js"
import { threadOf } from "./processes/threads.js"

const runs = Number(process.env["SKEIN_CRASH_RUNS"] ?? 10)
const batches = Number(process.env["SKEIN_CRASH_BATCHES"] ?? 5000)

let folder: string
let worker: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skein-processes-"))
  // Inside the repository, so that the native modules left outside of the bundle are found above it.
  mkdirSync(join(root, ".tsbuild"), { recursive: true })
  worker = join(mkdtempSync(join(root, ".tsbuild/processes-")), "worker.mjs")
  await build({
    entryPoints: [join(root, "packages/cli/test/processes/worker.ts")],
    outfile: worker,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: natives,
    plugins: [aliasPlugin],
    banner: { js: requireBanner },
    logLevel: "silent"
  })
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  rmSync(join(worker, ".."), { recursive: true, force: true })
})

/** Numbers from a seed, so that a run that failed can be repeated. */
const random = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

interface Outcome {
  readonly acknowledged: ReadonlySet<number>
  readonly kills: number
}

/**
 * Lets a worker append so many batches; kills it at random moments and starts another one in its place, behind what it
 * was told to append last. Gives what was acknowledged.
 */
const work = async (options: {
  readonly store: string
  readonly name: string
  readonly threads: number
  readonly count: number
  readonly next: () => number
  readonly disturb: "kill" | "stop"
}): Promise<Outcome> => {
  const acknowledged = new Set<number>()
  let kills = 0
  let from = 0
  while (from < options.count) {
    const child = spawn(
      process.execPath,
      [worker, options.store, options.name, String(from), String(options.count - from), String(options.threads)],
      { stdio: ["ignore", "pipe", "pipe"] }
    )
    let said = ""
    let errors = ""
    child.stdout.on("data", (data) => (said += data))
    child.stderr.on("data", (data) => (errors += data))
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
    const timer = setTimeout(
      () => {
        if (options.disturb === "kill") child.kill("SIGKILL")
        else {
          child.kill("SIGSTOP")
          setTimeout(() => child.kill("SIGCONT"), 1500)
        }
      },
      400 + options.next() * 600
    )
    const code = await ended
    clearTimeout(timer)
    for (const line of said.split("\n").slice(0, -1)) acknowledged.add(Number(line))
    if (code === 0) break
    if (code === 1) throw new Error(`${options.name}: ${errors}`)
    kills++
    // Batches that were under way are neither acknowledged nor tried again: they may be there or not, but not in part.
    from = Math.max(from - 1, ...acknowledged) + 1 + options.threads
  }
  return { acknowledged, kills }
}

const prepare = (store: string, threads: number) =>
  Effect.gen(function* () {
    const service = yield* ThreadStore.ThreadStore
    for (let k = 0; k < threads; k++) {
      const { payload, type } = Script.header()
      const id = threadOf(k)
      yield* service.create({
        timestamp: "2026-11-20T12:00:00.000Z",
        type,
        payload: { ...(payload as object), id, session_id: id }
      } as unknown as Draft<"session_meta">)
    }
  }).pipe(Effect.provide(layerOf(store)), Effect.runPromise)

/** What each worker's batches came to, by thread: `[name, number, part, parts]` in the order of the log. */
const stored = (store: string, threads: number) =>
  Effect.gen(function* () {
    const service = yield* ThreadStore.ThreadStore
    const logs: Array<Array<readonly [string, number, number, number]>> = []
    for (let k = 0; k < threads; k++) {
      const log: Array<readonly [string, number, number, number]> = []
      yield* Stream.runForEach(service.read(threadOf(k)), ({ decoded }) =>
        Effect.sync(() => {
          expect(decoded.kind).not.toBe("damage")
          if (decoded.kind !== "response_item" || decoded.payload.type !== "message") return
          const [part] = decoded.payload.content
          if (part !== undefined && "text" in part) log.push(JSON.parse(part.text))
        })
      )
      logs.push(log)
    }
    return logs
  }).pipe(Effect.provide(layerOf(store)), Effect.runPromise)

const check = (
  logs: ReadonlyArray<ReadonlyArray<readonly [string, number, number, number]>>,
  outcomes: Readonly<Record<string, Outcome>>
) => {
  const seen = new Map<string, Set<number>>()
  for (const log of logs) {
    const last = new Map<string, number>()
    for (let at = 0; at < log.length; ) {
      const [name, n, , parts] = log[at] as readonly [string, number, number, number]
      // Whole, and no other batch in between.
      expect(log.slice(at, at + parts)).toEqual(Array.from({ length: parts }, (_, i) => [name, n, i, parts]))
      at += parts
      // In order, and so once.
      expect(n).toBeGreaterThan(last.get(name) ?? -1)
      last.set(name, n)
      seen.set(name, (seen.get(name) ?? new Set()).add(n))
    }
  }
  for (const [name, { acknowledged }] of Object.entries(outcomes)) {
    const missing = [...acknowledged].filter((n) => seen.get(name)?.has(n) !== true)
    expect(missing, `batches of ${name} that were acknowledged and are gone`).toEqual([])
  }
}

const stores = ["sqlite", "fs"] as const

describe.each(stores)("two processes on one %s store", (kind) => {
  it.each([
    [1, "kill"],
    [50, "kill"],
    [1, "stop"]
  ] as const)(
    "appending to %d threads, disturbed by %s: nothing acknowledged is lost, nothing is there in part",
    async (threads, disturb) => {
      const times = Math.ceil(runs / (disturb === "stop" ? 10 : 5))
      for (let run = 0; run < times; run++) {
        const next = random(run * 7919 + threads)
        const path = join(folder, `${kind}-${threads}-${disturb}-${run}`)
        const store = kind === "sqlite" ? `sqlite:${path}.db` : `fs:${path}`
        await prepare(store, threads)
        const share = { store, threads, count: batches, next, disturb }
        const [a, b] = await Promise.all([work({ ...share, name: "a" }), work({ ...share, name: "b" })])
        check(await stored(store, threads), { a, b })
        expect(a.acknowledged.size).toBeGreaterThan(0)
        expect(b.acknowledged.size).toBeGreaterThan(0)
        rmSync(path, { recursive: true, force: true })
      }
    },
    600_000
  )
})
