/** Rollouts of growing size, read and resumed by real Codex and by the engine, in turn. */
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Threads from "@skein/engine/Threads"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as NodeStore from "@skein/store-fs/NodeStore"
import { Effect, Layer, ManagedRuntime } from "effect"
import { answer, atLeast, median, megabyte, nameOf, spread } from "../../cli/bench/measure.js"
import { threadId, writeThread } from "../../cli/bench/synthetic.js"
import * as Chart from "../src/Chart.js"
import * as Codex from "../src/Codex.js"
import * as Peers from "../src/Peers.js"
import { WrongContent } from "../src/Subject.js"
import type { Charts } from "./conversation.js"

/** What is asked for. */
export interface Options {
  readonly folder: string
  readonly version: string
  readonly sizes: ReadonlyArray<number>
  readonly forms: ReadonlyArray<"legacy" | "paginated">
  /** How often the fast questions are asked; those that take seconds, three times. */
  readonly runs: number
}

/** The time of a question, and what the answer came to. */
interface Told {
  readonly ms: number
  readonly content: string
}

/** Texts of the last message, by which a resumed context is known. */
const lastText = (items: ReadonlyArray<object>): string =>
  items.flatMap((item) => ("content" in item && Array.isArray(item.content) ? [item.content.at(-1)?.text] : [])).at(-1)

/** One question to the engine, the first of its process. Counted: opening the home, and the answer. */
export const codexTask = async ([question = "", home = ""]: ReadonlyArray<string>): Promise<Told> => {
  const start = performance.now()
  const store = Layer.orDie(NodeStore.layer({ home, durability: "os" }))
  const runtime = ManagedRuntime.make(Layer.provideMerge(Threads.layer(), store))
  if (question === "resume") {
    const { ms, text } = await runtime.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const threads = yield* Threads.Threads
          const thread = yield* threads.resume(threadId)
          const { input } = yield* thread.prompt()
          return { ms: performance.now() - start, text: lastText(input) }
        })
      )
    )
    return { ms, content: text }
  }
  const turns = await runtime.runPromise(
    Effect.gen(function* () {
      const { turns } = yield* ThreadStore.ThreadStore
      const all = []
      let cursor: string | undefined
      do {
        const page = yield* turns(threadId, { direction: "asc", pageSize: 1000, cursor })
        all.push(...page.items)
        cursor = page.nextCursor
      } while (cursor !== undefined)
      return all
    })
  )
  const ms = performance.now() - start
  return { ms, content: Codex.digest(turns) }
}

const ours = (question: string, home: string): Told =>
  JSON.parse(answer("--task", "codex", question, home).split("\n").at(-1) ?? "") as Told

interface Shown {
  readonly thread: { readonly turns: ReadonlyArray<Codex.ShownTurn> }
}

const lastAnswer = (turns: ReadonlyArray<Codex.ShownTurn>): string | undefined =>
  turns.flatMap(({ items }) => items.filter(({ type }) => type === "agentMessage").map(({ text }) => text)).at(-1)

const same = (what: string, found: string | undefined, expected: string | undefined): void => {
  if (found !== expected) throw new WrongContent(`${what}: ${found?.slice(0, 60)} instead of ${expected?.slice(0, 60)}`)
}

const names = {
  coldRead: "Codex, cold thread/read",
  coldResume: "Codex, cold thread/resume",
  best: "Codex, database kept, no turns",
  view: "Skein, all turns, new process",
  resume: "Skein, resume, new process"
} as const
type Name = keyof typeof names

const one = async (binary: string, home: string, form: string, runs: number): Promise<Map<Name, Array<number>>> => {
  const times = new Map<Name, Array<number>>()
  const add = (name: Name, ms: number) => times.set(name, [...(times.get(name) ?? []), ms])
  const resume = (excludeTurns: boolean) =>
    Codex.ask<Shown>(binary, home, "thread/resume", { threadId, ...(excludeTurns ? { excludeTurns } : {}) })
  let shown: ReadonlyArray<Codex.ShownTurn> = []
  for (let run = 0; run < Math.min(3, runs); run++) {
    // Codex shows the turns of a paginated thread from its database only: a home that it never saw shows none.
    if (form === "legacy") {
      Codex.forget(home)
      const read = await Codex.ask<Shown>(binary, home, "thread/read", { threadId, includeTurns: true })
      add("coldRead", read.ms)
      same("the turns that Codex reads", Codex.digest(read.result.thread.turns), ours("view", home).content)
    }
    Codex.forget(home)
    const { ms, result } = await resume(false)
    add("coldResume", ms)
    shown = result.thread.turns
  }
  const turns = Codex.digest(shown)
  for (let run = 0; run < runs; run++) {
    add("best", (await resume(true)).ms)
    const resumed = ours("resume", home)
    same("the end of what the model sees", resumed.content, lastAnswer(shown))
    add("resume", resumed.ms)
    const view = ours("view", home)
    same("the turns", view.content, turns)
    add("view", view.ms)
  }
  return times
}

/** Runs it all; says so and goes on when Codex cannot be had. */
export const codex = async ({ folder, forms, runs, sizes, version }: Options, charts: Charts): Promise<void> => {
  let binary: string
  try {
    console.log(`\nCodex ${version}: fetching it if it is not there ...`)
    binary = Peers.codex(version)
  } catch (error) {
    console.log(`  left out, it cannot be had here: ${String(error).split("\n").slice(0, 4).join("\n  ")}`)
    return
  }
  const largest = Math.max(...sizes)
  for (const form of forms) {
    const bars: Array<Chart.Bar> = []
    for (const size of sizes) {
      const home = join(folder, `home-${form}-${size}`)
      const day = join(home, "sessions", "2026", "10", "01")
      mkdirSync(day, { recursive: true })
      const path = nameOf(day, 0)
      await writeThread({ path, bytes: size * megabyte, window: 2 * megabyte, tail: megabyte, mode: form })
      const times = await one(binary, home, form, size === largest ? runs : Math.min(3, runs))
      rmSync(home, { recursive: true, force: true })
      console.log(`\n${form}, ${size} MB, ms: median, spread`)
      for (const [name, all] of times) {
        const [low, high] = spread(all)
        const label = names[name]
        console.log(
          `  ${label.padEnd(34)} ${Chart.figure(median(all)).padStart(10)}   ${Chart.figure(low)} – ${Chart.figure(high)}   of ${all.length}`
        )
        const group = name === "view" || name === "resume" ? "Skein" : `Codex ${version}`
        bars.push({ label: `${size} MB  ${label}`, value: median(all), low, high, group })
      }
      if (size !== largest) continue
      const of = (name: Name) => median(times.get(name) ?? [])
      atLeast(`resume of ${size} MB, ${form}, beside Codex's cold one`, of("coldResume") / of("resume"), 100)
      atLeast(`resume of ${size} MB, ${form}, beside Codex's best`, of("best") / of("resume"), 5)
      if (form === "legacy") {
        atLeast(`all turns of ${size} MB, ${form}, beside Codex's cold read`, of("coldRead") / of("view"), 1)
      }
    }
    charts.set(
      `codex-${form}`,
      Chart.bars(
        {
          title: `A ${form} rollout, read and resumed beside Codex ${version}`,
          note: "From the question to the last byte of the answer; the start of the program is not counted. Lower is better.",
          unit: "ms"
        },
        bars
      )
    )
  }
}
