/** Rollouts of growing size, read and resumed by real Codex and by the engine, in turn. */
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Threads from "@skein/engine/Threads"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as NodeStore from "@skein/store-fs/NodeStore"
import { Effect, Exit, Layer, ManagedRuntime, Scope } from "effect"
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
  /** Of how many runs a figure is the median; what takes Codex seconds is run three times. */
  readonly runs: number
}

/** The times of a question, in order, and what every answer came to. */
interface Told {
  readonly ms: ReadonlyArray<number>
  readonly content: string
}

/** The text of the last message, by which a resumed context is known. */
const lastText = (items: ReadonlyArray<object>): string =>
  items.flatMap((item) => ("content" in item && Array.isArray(item.content) ? [item.content.at(-1)?.text] : [])).at(-1)

const allTurns = Effect.gen(function* () {
  const { turns } = yield* ThreadStore.ThreadStore
  const all: Array<Codex.ShownTurn> = []
  let cursor: string | undefined
  do {
    const page = yield* turns(threadId, { direction: "asc", pageSize: 1000, cursor })
    all.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return all
})

const prompt = Effect.gen(function* () {
  const threads = yield* Threads.Threads
  const thread = yield* threads.resume(threadId)
  return (yield* thread.prompt()).input
})

/** A question to the engine, so often, each time over a home that was opened anew. Counted: opening it, and the answer. */
export const codexTask = async ([question = "", home = "", runs = "1"]: ReadonlyArray<string>): Promise<Told> => {
  const ms: Array<number> = []
  const contents = new Set<string>()
  for (let run = 0; run < Number(runs); run++) {
    const start = performance.now()
    const store = Layer.orDie(NodeStore.layer({ home, durability: "os" }))
    const runtime = ManagedRuntime.make(Layer.provideMerge(Threads.layer(), store))
    if (question === "resume") {
      const scope = await runtime.runPromise(Scope.make())
      const input = await runtime.runPromise(Scope.extend(prompt, scope))
      ms.push(performance.now() - start)
      contents.add(lastText(input))
      await runtime.runPromise(Scope.close(scope, Exit.void))
    } else {
      const turns = await runtime.runPromise(allTurns)
      ms.push(performance.now() - start)
      contents.add(Codex.digest(turns))
    }
    await runtime.dispose()
  }
  return { ms, content: [...contents].join(" and ") }
}

const ours = (question: string, home: string, runs: number): Told =>
  JSON.parse(answer("--task", "codex", question, home, String(runs)).split("\n").at(-1) ?? "") as Told

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
  viewFirst: "Skein, all turns, first of a process",
  view: "Skein, all turns",
  resumeFirst: "Skein, resume, first of a process",
  resume: "Skein, resume"
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
      same("the turns that Codex reads", Codex.digest(read.result.thread.turns), ours("view", home, 1).content)
    }
    Codex.forget(home)
    const { ms, result } = await resume(false)
    add("coldResume", ms)
    shown = result.thread.turns
  }
  const turns = Codex.digest(shown)
  const told = (name: "resume" | "view", expected: string | undefined) => {
    const { content, ms } = ours(name, home, runs)
    same(name === "view" ? "the turns" : "the end of what the model sees", content, expected)
    const [first = Number.NaN] = ms
    add(`${name}First`, first)
    add(name, median(ms))
  }
  // In turn, so that what else the machine does meets all of them.
  for (let round = 0; round < 3; round++) {
    for (let run = 0; run < runs / 3; run++) add("best", (await resume(true)).ms)
    told("resume", lastAnswer(shown))
    told("view", turns)
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
        const group = /^(view|resume)/.test(name) ? "Skein" : `Codex ${version}`
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
