/** The worker: what it takes and in which order, one run at a time, what it cleans up and counts. */
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { NodeContext } from "@effect/platform-node"
import { compress } from "@mongodb-js/zstd"
import { Effect, Layer, Metric, type MetricState } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import * as ColdWorker from "../src/ColdWorker.js"
import * as Compressing from "./Compressing.js"
import * as Home from "./Home.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

const day = 24 * 60 * 60 * 1000
const document = (n: number) => Home.document(Home.legacyMeta(n), Home.say(`text ${n}`))

/** A home with threads of these ages in days, the archived ones by their numbers from 10 on. */
const aged = (ages: Readonly<Record<number, number>>): string => {
  const pathOf = (n: number) => (n >= 10 ? `archived_sessions/${Home.name(n)}` : Home.file(n))
  const home = Home.home(Object.fromEntries(Object.keys(ages).map((n) => [pathOf(Number(n)), document(Number(n))])))
  for (const [n, age] of Object.entries(ages)) {
    const time = (Date.now() - age * day) / 1000
    utimesSync(join(home, pathOf(Number(n))), time, time)
  }
  return home
}

const run = <A, E>(effect: Effect.Effect<A, E, NodeContext.NodeContext>): Promise<A> =>
  Stores.run(Effect.provide(effect, NodeContext.layer))

const compressed = ({ files }: ColdWorker.Report): ReadonlyArray<string> =>
  files.filter(({ result }) => result === "compressed").map(({ threadId }) => threadId)

const numbers = (...all: ReadonlyArray<number>) => all.map(Home.id)

describe("71. what is compressed", () => {
  it("files that have not changed for seven days, archived ones first", async () => {
    const home = aged({ 1: 8, 2: 6.9, 3: 30, 10: 7.1, 11: 1 })
    const report = await run(ColdWorker.compress({ home, jobs: 1 }))
    expect(compressed(report)).toEqual(numbers(10, 1, 3))
    expect(report.files.filter(({ result }) => result === "skipped_not_cold").length).toBe(2)
    expect(report.isCut).toBe(false)
  })

  it("of any age when asked for; candidates tell the same and change nothing", async () => {
    const home = aged({ 1: 0, 10: 0 })
    const options = { home, olderThan: 0 }
    const wanted = await run(ColdWorker.candidates(options))
    expect(wanted.map(({ result }) => result)).toEqual(["compressed", "compressed"])
    expect(existsSync(join(home, ".skein"))).toBe(false)
    expect(compressed(await run(ColdWorker.compress({ ...options, jobs: 1 })))).toEqual(numbers(10, 1))
  })

  it("not after the time for it is over", async () => {
    const home = aged({ 1: 8, 2: 8 })
    expect(await run(ColdWorker.compress({ home, budget: 0 }))).toMatchObject({ files: [], isCut: true })
  })

  it("two at a time at most; one that fails holds up no other", async () => {
    const home = aged({ 1: 8, 2: 8, 3: 8, 4: 8, 5: 8 })
    let now = 0
    let most = 0
    const between = (step: string) =>
      step === "encoded"
        ? Effect.gen(function* () {
            most = Math.max(most, ++now)
            yield* Effect.sleep("5 millis")
            now--
          })
        : Effect.void
    const report = await run(Compressing.tried({ between }, ColdWorker.compress({ home })))
    expect([compressed(report).length, most]).toEqual([5, 2])
  })

  it("a folder that cannot be listed is passed over; a home without any is no fault", async () => {
    const home = aged({ 1: 8 })
    writeFileSync(join(home, "archived_sessions"), "no folder")
    expect(
      compressed(await run(ColdWorker.compress({ home })).catch(() => ({ files: [] }) as never)).length
    ).toBeLessThan(2)
    expect((await run(ColdWorker.compress({ home: Home.temporary() }))).files).toEqual([])
  })

  it("a compressed file that was left beside its plain form goes", async () => {
    const home = aged({ 1: 8 })
    writeFileSync(join(home, `${Home.file(1)}.zst`), await compress(Buffer.from(document(1))))
    const report = await run(ColdWorker.compress({ home }))
    expect(report.files.map(({ result }) => result)).toEqual(["skipped_already_compressed"])
    expect(existsSync(join(home, `${Home.file(1)}.zst`))).toBe(false)
    expect(compressed(await run(ColdWorker.compress({ home })))).toEqual(numbers(1))
  })
})

describe("73. making plain", () => {
  it("of some threads or all, with time and mode; a damaged file stays and is told", async () => {
    const home = aged({ 1: 8, 2: 8, 10: 9 })
    const { mtimeMs } = statSync(join(home, Home.file(1)))
    await run(ColdWorker.compress({ home }))
    const some = await run(ColdWorker.decompress({ home, threadIds: numbers(1) }))
    expect(some.map(({ result, threadId }) => [result, threadId])).toEqual([["decompressed", Home.id(1)]])
    // Times are set as doubles of seconds.
    expect(Math.abs(statSync(join(home, Home.file(1))).mtimeMs - mtimeMs)).toBeLessThan(2)
    expect(readFileSync(join(home, Home.file(1)), "utf8")).toBe(document(1))
    const path = join(home, `${Home.file(2)}.zst`)
    const bytes = readFileSync(path)
    bytes[14] = (bytes[14] as number) ^ 255
    writeFileSync(path, bytes)
    const rest = await run(ColdWorker.decompress({ home }))
    expect(rest.map(({ result, threadId }) => [result, threadId])).toEqual([
      ["decompressed", Home.id(10)],
      ["failed", Home.id(2)]
    ])
    expect(readFileSync(path)).toEqual(bytes)
    expect(await run(ColdWorker.missing(home, numbers(1, 7)))).toEqual(numbers(7))
  })

  it("concurrent appends from several stores make it plain once", async () => {
    const home = aged({ 1: 8 })
    await run(ColdWorker.compress({ home }))
    await Stores.run(
      Effect.scoped(
        Effect.gen(function* () {
          const drivers = yield* Effect.all([Stores.open(home), Stores.open(home), Stores.open(home)])
          yield* Effect.forEach(
            drivers.flatMap((driver, i) => [0, 1].map((k) => [driver, `${i}${k}`] as const)),
            ([driver, text]) => Stores.append(driver, 1, [Stores.batch(Home.say(text))]),
            { concurrency: "unbounded" }
          )
          const [driver] = drivers
          const texts = yield* Stores.texts(driver, 1)
          expect([...texts].sort()).toEqual(["00", "01", "10", "11", "20", "21", "text 1"])
        })
      )
    )
    expect(readdirSync(join(home, "sessions/2026/07/20"))).toEqual([Home.name(1)])
  })
})

describe("77. one run at a time", () => {
  const marker = ".tmp/rollout-compression.lock"
  const status = (home: string, more: Partial<ColdWorker.WorkerOptions> = {}) =>
    Effect.map(ColdWorker.run({ home, ...more }), (report) => report.status)

  it("a fresh mark keeps others from running, also that of another program; an old one does not", async () => {
    const home = aged({ 1: 8 })
    expect(await run(status(home))).toBe("completed")
    expect(await run(status(home))).toBe("skipped_already_running")
    const old = (Date.now() - 6.1 * 60 * 60 * 1000) / 1000
    utimesSync(join(home, marker), old, old)
    expect(await run(status(home))).toBe("completed")
    const foreign = Home.home({ [marker]: "12345" })
    expect(await run(status(foreign))).toBe("skipped_already_running")
  })

  it("77. of many that claim a run over an old mark, one gets it", async () => {
    for (let i = 0; i < 10; i++) {
      const home = Home.home({ [marker]: "old", [Home.file(1)]: document(1) })
      const old = (Date.now() - 7 * 60 * 60 * 1000) / 1000
      utimesSync(join(home, marker), old, old)
      const all = await run(
        Effect.all(
          Array.from({ length: 5 }, () => status(home)),
          { concurrency: "unbounded" }
        )
      )
      expect(all.filter((one) => one === "completed").length).toBe(1)
    }
  })

  it("a run that fails leaves none", async () => {
    const home = aged({ 1: 8 })
    const onFile = () => {
      throw new Error("a host's own fault")
    }
    const ended = await run(Effect.exit(ColdWorker.run({ home, onFile })))
    expect(ended._tag).toBe("Failure")
    expect(existsSync(join(home, marker))).toBe(false)
  })

  it("as a layer it runs by itself, and nothing does without it", async () => {
    const home = aged({ 1: 8 })
    await Stores.withDriver(home, (driver) => Stores.texts(driver, 1))
    expect(readdirSync(join(home, "sessions/2026/07/20"))).toEqual([Home.name(1)])
    const isCold = () => existsSync(join(home, `${Home.file(1)}.zst`)) && !existsSync(join(home, Home.file(1)))
    const waited = Effect.repeat(Effect.sleep("5 millis"), { until: () => isCold(), times: 1000 })
    const worker = ColdWorker.layer({ home }).pipe(Layer.provide(NodeContext.layer))
    await Stores.run(Effect.provide(waited, worker))
    expect(isCold()).toBe(true)
  })
})

describe("78. what is cleaned up and counted", () => {
  it("temporary files that are older than six hours go, at any depth; others stay", async () => {
    const home = Home.home({
      "sessions/2026/07/20/a.jsonl.1.tmp": "x",
      "sessions/2026/07/20/b.tmp": "x",
      "archived_sessions/c.tmp": "x",
      "elsewhere.tmp": "x"
    })
    const old = (Date.now() - 7 * 60 * 60 * 1000) / 1000
    for (const name of ["sessions/2026/07/20/a.jsonl.1.tmp", "archived_sessions/c.tmp", "elsewhere.tmp"]) {
      utimesSync(join(home, name), old, old)
    }
    expect((await run(ColdWorker.compress({ home }))).temporaries).toBe(2)
    expect(readdirSync(join(home, "sessions/2026/07/20"))).toEqual(["b.tmp"])
    expect(existsSync(join(home, "elsewhere.tmp"))).toBe(true)
  })

  it("every counter and histogram of thread-store §8, with its tags", async () => {
    const home = aged({ 1: 8, 2: 1, 3: 8 })
    writeFileSync(join(home, `${Home.file(3)}.zst`), "x")
    writeFileSync(join(home, "sessions/old.tmp"), "x")
    utimesSync(join(home, "sessions/old.tmp"), 1, 1)
    const found = await run(
      Effect.gen(function* () {
        const before = values(yield* Metric.snapshot)
        yield* ColdWorker.run({ home })
        yield* ColdWorker.run({ home })
        yield* ColdWorker.decompress({ home, threadIds: numbers(1) })
        const after = values(yield* Metric.snapshot)
        return Object.fromEntries(
          Object.entries(after).flatMap(([key, value]) => {
            const more = value - (before[key] ?? 0)
            return more === 0 ? [] : [[key, more]]
          })
        )
      })
    )
    expect(found).toEqual({
      "run status=started": 1,
      "run status=completed": 1,
      "run status=skipped_already_running": 1,
      "run.duration_ms status=completed": 1,
      "file outcome=scanned": 3,
      "file outcome=compressed": 1,
      "file outcome=skipped_not_cold": 1,
      "file outcome=skipped_already_compressed": 1,
      "file.duration_ms outcome=compressed": 1,
      "file.duration_ms outcome=skipped_not_cold": 1,
      "file.duration_ms outcome=skipped_already_compressed": 1,
      "file.source_bytes outcome=compressed": 1,
      "file.source_bytes outcome=skipped_not_cold": 1,
      "file.source_bytes outcome=skipped_already_compressed": 1,
      "file.compressed_bytes outcome=compressed": 1,
      "file.compression_ratio outcome=compressed": 1,
      "temp_cleanup outcome=removed": 1,
      "materialize outcome=decompressed": 1
    })
  })
})

/** How often each metric of compression was updated. */
const values = (snapshot: ReadonlyArray<{ readonly metricKey: unknown; readonly metricState: unknown }>) => {
  const found: Record<string, number> = {}
  for (const { metricKey, metricState } of snapshot) {
    const { name, tags } = metricKey as {
      readonly name: string
      readonly tags: ReadonlyArray<{ readonly key: string; readonly value: string }>
    }
    if (!name.startsWith("codex.rollout_compression.")) continue
    const key = `${name.slice("codex.rollout_compression.".length)} ${tags.map((tag) => `${tag.key}=${tag.value}`).join()}`
    found[key] = Number((metricState as MetricState.MetricState.Counter<number>).count)
  }
  return found
}
