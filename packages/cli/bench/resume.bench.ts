/**
 * `npm run bench -- resume`: what it costs to come back to a thread, as it grows; and what a turn of a live thread costs
 * beside the bare appends that it makes. Options: `--only cold,warm` (default both), `--stores
 * memory,sqlite,fs`, `--sizes 1,16,128,1024` (megabytes), `--memory 128` (the largest that is held in memory), `--rounds
 * 5`, `--turns 20`.
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { NodeContext } from "@effect/platform-node"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import type { LiveThread } from "@skein/engine/LiveThread"
import * as Threads from "@skein/engine/Threads"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as FsStore from "@skein/store-fs/FsStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import * as SqliteStore from "@skein/store-sqlite/SqliteStore"
import { Effect, Layer, ManagedRuntime } from "effect"
import { child, conclude, inFolder, limit, median, megabyte, nameOf } from "./measure.js"
import { writeThread } from "./synthetic.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", default: "cold,warm" },
    sizes: { type: "string", default: "1,16,128,1024" },
    memory: { type: "string", default: "128" },
    stores: { type: "string", default: "memory,sqlite,fs" },
    rounds: { type: "string", default: "5" },
    turns: { type: "string", default: "20" },
    // What the benchmark calls itself with, for a process to itself.
    task: { type: "string" }
  }
})

type Durability = "os" | "fsync"
type Kind = "memory" | "sqlite" | "fs"
const kinds = values.stores.split(",") as ReadonlyArray<Kind>

const layerOf = (kind: Kind, path: string, durability: Durability): Layer.Layer<ThreadStore.ThreadStore> => {
  switch (kind) {
    case "memory":
      return MemoryStore.layer
    case "sqlite":
      return Layer.orDie(SqliteStore.layer({ filename: `${path}.db`, durability }))
    case "fs":
      return Layer.orDie(FsStore.layer({ home: path, durability }).pipe(Layer.provide(NodeContext.layer)))
  }
}

/** Threads over a store, for as long as the process lives. */
const hosted = (store: ThreadStore.ThreadStoreService): Promise<Threads.ThreadsService> =>
  ManagedRuntime.make(Threads.layer().pipe(Layer.provide(Layer.succeed(ThreadStore.ThreadStore, store)))).runPromise(
    Threads.Threads
  )

/** A store for as long as the process lives. */
const opened = async (kind: Kind, path: string, durability: Durability = "os") => {
  const runtime = ManagedRuntime.make(layerOf(kind, path, durability))
  const store = await runtime.runPromise(ThreadStore.ThreadStore)
  return { store, run: <A, E>(effect: Effect.Effect<A, E>) => runtime.runPromise(effect) }
}

/** The id that {@link nameOf} gives a thread. */
const idOf = (size: number): string => `01a0f67a-3800-7000-8000-${String(size).padStart(12, "0")}`

/** A folder that is a home with one thread of so many megabytes. */
const written = async (folder: string, size: number): Promise<string> => {
  const home = join(folder, `home-${size}`)
  const day = join(home, "sessions", "2026", "10", "01")
  if (existsSync(home)) return home
  mkdirSync(day, { recursive: true })
  // The smallest one holds a whole window too, and what stands in front of it: all of them are asked for the same.
  await writeThread({ path: nameOf(day, size), bytes: size * megabyte, window: 2 * megabyte, tail: megabyte / 2 })
  return home
}

/** The same thread in another store. */
const copied = async (kind: Kind, home: string, size: number, path: string) => {
  const target = await opened(kind, path)
  const source = await opened("fs", home)
  await target.run(
    Effect.scoped(Effect.flatMap(source.store.exported(idOf(size)), (thread) => target.store.imported(thread)))
  )
  return target
}

const resuming = async (kind: Kind, home: string, size: number) => {
  const path = kind === "fs" ? home : `${home}.${kind}`
  const { run, store } = kind === "memory" ? await copied(kind, home, size, path) : await opened(kind, path)
  const threads = await hosted(store)
  return () => run(Effect.scoped(Effect.flatMap(threads.resume(idOf(size)), (thread) => thread.prompt())))
}

/** CPU and wall time of something, in milliseconds. */
interface Spent {
  readonly cpu: number
  readonly wall: number
}

const spent = async (task: () => Promise<unknown>): Promise<Spent> => {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await task()
  const wall = performance.now() - start
  const { system, user } = process.cpuUsage(cpu)
  return { cpu: (user + system) / 1000, wall }
}

const repeats = 10

/** What the first resume of a process costs, and what one costs when many were before it. */
const resumes = async (kind: Kind, home: string, size: number): Promise<{ readonly [K in Moment]: Spent }> => {
  const resume = await resuming(kind, home, size)
  const first = await spent(resume)
  for (const begun = performance.now(); performance.now() - begun < 1500; ) await resume()
  const all = await spent(async () => {
    for (let i = 0; i < repeats; i++) await resume()
  })
  return { first, warm: { cpu: all.cpu / repeats, wall: all.wall / repeats } }
}

const moments = ["first", "warm"] as const
type Moment = (typeof moments)[number]

const cold = async (folder: string, rounds: number): Promise<void> => {
  const sizes = values.sizes.split(",").map(Number)
  const held = (kind: Kind) => sizes.filter((size) => kind !== "memory" || size <= Number(values.memory))
  for (const size of sizes) {
    const home = await written(folder, size)
    if (kinds.includes("sqlite")) child("--task", "copy", "sqlite", home, String(size))
  }
  const found = new Map<string, Array<Spent>>()
  // All sizes in each round: what else the machine does meets them alike.
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) {
      for (const size of held(kind)) {
        const home = await written(folder, size)
        const words = ["--task", "resume", kind, home, String(size)]
        const output = execFileSync(process.execPath, [process.argv[1] ?? "", ...words], { encoding: "utf8" })
        const said = JSON.parse(output) as { readonly [K in Moment]: Spent }
        for (const moment of moments) {
          const key = `${kind} ${moment} ${size}`
          found.set(key, [...(found.get(key) ?? []), said[moment]])
        }
      }
    }
  }
  for (const kind of kinds) {
    // A store in memory ends with its process.
    for (const moment of kind === "memory" ? (["warm"] as const) : moments) {
      const all = held(kind).map((size) => {
        const times = found.get(`${kind} ${moment} ${size}`) ?? []
        // Of times the least: what else the machine does only ever adds to it.
        return { size, cpu: median(times.map(({ cpu }) => cpu)), wall: Math.min(...times.map(({ wall }) => wall)) }
      })
      const when = moment === "first" ? "first in a process" : "once warm"
      const most = (of: keyof Spent) => Math.max(...all.map((one) => one[of])) / (all[0]?.[of] ?? 1)
      const what = `cold resume, ${kind}, ${when}, the costliest beside the smallest`
      console.log(
        `cold resume, ${kind.padEnd(6)} ${when.padEnd(18)}  ` +
          all.map(({ cpu, size, wall }) => `${size} MB ${wall.toFixed(1)} ms (CPU ${cpu.toFixed(1)})`).join("  ") +
          `  CPU ${limit(`${what}, CPU`, most("cpu"), 1.5)}  time ${limit(`${what}, time`, most("wall"), 1.5)}`
      )
    }
  }
}

const says = (text: string): ResponseItem => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }]
})

/** What a turn records, an append each: calls of tools with what they gave, and words. */
const items: ReadonlyArray<ResponseItem> = Array.from({ length: 20 }, (_, i) => {
  const call_id = `call_${i >> 1}`
  if (i >= 18) return says("word ".repeat(60))
  return i % 2 === 0
    ? { type: "function_call", name: "exec_command", arguments: JSON.stringify({ cmd: `cat src/${i}.ts` }), call_id }
    : { type: "function_call_output", call_id, output: "line of output\n".repeat(40) }
})

const world = (place: string) => ({ agents_md: { directory: "/repo", text: "Use tabs." }, place })

/** A start, 20 items, a change of the world, an end. */
const turn = (thread: LiveThread, n: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const one = yield* thread.startTurn(`Question ${n}`, {}, { world: world("here") })
      for (const item of items) yield* one.record([item])
      yield* one.world(world(`there ${n}`))
      yield* one.complete()
    })
  )

type Append = Parameters<ThreadStore.ThreadStoreService["append"]>

/** Ratios of a live turn to the appends that it made: CPU, wall; and the wall times of both in milliseconds. */
const warm = async (kind: Kind, path: string, durability: Durability) => {
  const { run, store } = await opened(kind, path, durability)
  const turns = Number(values.turns)
  let made: Array<Append> = []
  const watched: ThreadStore.ThreadStoreService = {
    ...store,
    append: (...args) => {
      made.push(args)
      return store.append(...args)
    }
  }
  const threads = await hosted(watched)

  /** Turns of a thread that has had some already, then the appends of those turns to another one. */
  const round = async () => {
    let live = { cpu: 0, wall: 0 }
    const ids: Array<string> = []
    await run(
      Effect.scoped(
        Effect.gen(function* () {
          const thread = yield* threads.start({ settings: { model: "m" } })
          ids.push(thread.id)
          yield* turn(thread, 0)
          made = []
          live = yield* Effect.promise(() =>
            spent(() =>
              run(
                Effect.forEach(
                  Array.from({ length: turns }, (_, n) => n + 1),
                  (n) => turn(thread, n),
                  { discard: true }
                )
              )
            )
          )
        })
      )
    )
    const appends = made
    let bare = { cpu: 0, wall: 0 }
    await run(
      Effect.scoped(
        Effect.gen(function* () {
          const id = yield* Effect.scoped(
            Effect.gen(function* () {
              const thread = yield* threads.start({ settings: { model: "m" } })
              yield* turn(thread, 0)
              return thread.id
            })
          )
          ids.push(id)
          const { fence } = yield* store.lease(id)
          let expected = (yield* store.head(id)).head
          const all = Effect.gen(function* () {
            for (const [, drafts] of appends) {
              expected = (yield* store.append(id, drafts, { expected, fence })).position
            }
          })
          bare = yield* Effect.promise(() => spent(() => run(all)))
        })
      )
    )
    // Gone before the next round, so that the collector has as little to do in the last one as in the first.
    await run(Effect.forEach(ids, (id) => store.delete(id), { discard: true }))
    return { live, bare, appends: appends.length }
  }

  for (let i = 0; i < 4; i++) await round()
  const rounds = []
  for (let i = 0; i < Number(values.rounds) * 3; i++) rounds.push(await round())
  return {
    cpu: median(rounds.map(({ bare, live }) => live.cpu / bare.cpu)),
    wall: median(rounds.map(({ bare, live }) => live.wall / bare.wall)),
    live: median(rounds.map(({ live }) => live.wall / turns)),
    bare: median(rounds.map(({ bare }) => bare.wall / turns)),
    appends: (rounds[0]?.appends ?? 0) / turns
  }
}

const warmTurns = async (folder: string): Promise<void> => {
  for (const [kind, durability] of [
    ["memory", "os"],
    ["sqlite", "os"],
    ["fs", "os"],
    ["sqlite", "fsync"],
    ["fs", "fsync"]
  ] as const) {
    if (!kinds.includes(kind)) continue
    const { appends, bare, cpu, live, wall } = await warm(kind, join(folder, `${kind}-${durability}`), durability)
    const name = `${kind.padEnd(6)} ${durability.padEnd(5)}`
    console.log(
      `warm turn, ${name}  ${appends.toFixed(0)} appends  bare ${bare.toFixed(2)} ms  live ${live.toFixed(2)} ms  ` +
        `CPU ${limit(`warm turn, ${kind}, ${durability}, CPU beside its bare appends`, cpu, 3)}  ` +
        `time ${limit(`warm turn, ${kind}, ${durability}, time beside its bare appends`, wall, 3)}  ${cpu.toFixed(2)} / ${wall.toFixed(2)} ×`
    )
  }
}

const [kind = "fs", path = "", size = "1"] = positionals
if (values.task === "copy") {
  await copied(kind as Kind, path, Number(size), `${path}.${kind}`)
  console.log(0)
  process.exit(0)
} else if (values.task === "resume") {
  console.log(JSON.stringify(await resumes(kind as Kind, path, Number(size))))
  process.exit(0)
} else {
  const wanted = new Set(values.only.split(","))
  await inFolder(async (folder) => {
    if (wanted.has("cold")) await cold(folder, Number(values.rounds))
    if (wanted.has("warm")) await warmTurns(folder)
    conclude()
  })
}
