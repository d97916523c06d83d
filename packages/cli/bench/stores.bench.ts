/**
 * `npm run bench -- stores`: what the stores cost beside bare statements and bare writes, as ratios in one run. Options:
 * `--only sqlite,fs,fork,list,flat,home,lines` (default all), `--rounds 3`, `--records 1000000`, `--threads 100000`,
 * `--files 10000`.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as ModelContext from "@skein/core/fold/ModelContext"
import type { Draft } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as NodeStore from "@skein/store-fs/NodeStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import * as SqliteIndex from "@skein/store-sqlite/SqliteIndex"
import * as SqliteStore from "@skein/store-sqlite/SqliteStore"
import * as Script from "@skein/testing/Script"
import { Effect, Layer, ManagedRuntime } from "effect"
import { compare, conclude, inFolder, limit, measure } from "./measure.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", default: "sqlite,fs,fork,list,flat,home,lines" },
    rounds: { type: "string", default: "3" },
    records: { type: "string", default: "1000000" },
    threads: { type: "string", default: "100000" },
    files: { type: "string", default: "10000" },
    // What the benchmark calls itself with, for a process to itself.
    task: { type: "string" }
  }
})

type Durability = "os" | "fsync"
type Service = ThreadStore.ThreadStoreService

const timestamp = "2026-11-20T12:00:00.000Z"
const draft = ({ payload, type }: Script.Line): Draft => ({ timestamp, type, payload }) as unknown as Draft
const idOf = (n: number): string => `019c2b10-7a00-7c00-8000-${n.toString(16).padStart(12, "0")}`
const header = (id: string): Draft<"session_meta"> => {
  const { payload, type } = Script.header()
  return {
    timestamp,
    type,
    payload: { ...(payload as object), id, session_id: id }
  } as unknown as Draft<"session_meta">
}

/** A record of about half a kilobyte, as most are. */
const message = (n: number): Draft => draft(Script.assistant(`${n} ${"word ".repeat(75)}`))
const batchOf = (size: number): ReadonlyArray<Draft> => Array.from({ length: size }, (_, i) => message(i))

const layers = {
  memory: () => MemoryStore.layer,
  sqlite: (path: string, durability: Durability) => SqliteStore.layer({ filename: `${path}.db`, durability }),
  fs: (path: string, durability: Durability) => NodeStore.layer({ home: path, durability })
}
type Kind = keyof typeof layers

/** A store for as long as the process lives. */
const opened = async (kind: Kind, path: string, durability: Durability = "os") => {
  const layer = Layer.orDie(layers[kind](path, durability) as Layer.Layer<ThreadStore.ThreadStore, unknown>)
  const runtime = ManagedRuntime.make(layer)
  const store = await runtime.runPromise(ThreadStore.ThreadStore)
  return { store, run: <A, E>(effect: Effect.Effect<A, E>) => runtime.runPromise(effect) }
}

const repeats = 25

/** Appends batches one after the other. */
const appending = async (kind: Kind, path: string, durability: Durability, size: number) => {
  const { run, store } = await opened(kind, path, durability)
  await run(Effect.ignore(store.create(header(idOf(1)))))
  const batch = batchOf(size)
  const all = Effect.gen(function* () {
    for (let i = 0; i < repeats; i++) yield* store.append(idOf(1), batch)
  })
  return () => run(all)
}

/** As many batches from as many callers at once. */
const appendingTogether = async (path: string, callers: number) => {
  const { run, store } = await opened("fs", path, "fsync")
  await run(Effect.ignore(store.create(header(idOf(1)))))
  const one = store.append(idOf(1), batchOf(1))
  const all = Effect.forEach(
    Array.from({ length: repeats * 16 }, () => one),
    (append) => append,
    { concurrency: callers, discard: true }
  )
  return () => run(all)
}

interface Database {
  readonly exec: (sql: string) => void
  readonly pragma: (sql: string) => void
  readonly prepare: (sql: string) => {
    readonly run: (...values: ReadonlyArray<unknown>) => void
    readonly all: (...values: ReadonlyArray<unknown>) => ReadonlyArray<unknown>
  }
}

const database = (path: string): Database =>
  new (createRequire(import.meta.url)("better-sqlite3") as new (path: string) => Database)(path)

/**
 * The same rows by bare statements: the lines, written as JSON from the same records, and the row of their thread with as
 * many indexes.
 */
const bareSqlite = (path: string, durability: Durability, size: number) => {
  const db = database(`${path}.bare.db`)
  db.pragma("journal_mode = WAL")
  db.pragma(`synchronous = ${durability === "fsync" ? "FULL" : "NORMAL"}`)
  db.exec(`DROP TABLE IF EXISTS lines; DROP TABLE IF EXISTS threads;
    CREATE TABLE lines (segment INTEGER, at INTEGER, bytes BLOB, PRIMARY KEY (segment, at)) WITHOUT ROWID;
    CREATE TABLE threads (id TEXT PRIMARY KEY, head INTEGER, created INTEGER, updated INTEGER, recency INTEGER, archived INTEGER, cwd TEXT, provider TEXT, derived TEXT);
    CREATE INDEX a ON threads (created DESC, id); CREATE INDEX b ON threads (updated DESC, id); CREATE INDEX c ON threads (recency DESC, id);
    CREATE INDEX d ON threads (archived, created DESC, id); CREATE INDEX e ON threads (cwd); CREATE INDEX f ON threads (provider);
    INSERT INTO threads VALUES ('x', 0, 0, 0, 0, 0, '/', 'p', '{}');`)
  const insert = db.prepare("INSERT INTO lines VALUES (1, ?, ?)")
  const update = db.prepare("UPDATE threads SET head = ?, updated = ?, derived = ? WHERE id = 'x'")
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  const batch = batchOf(size)
  const derived = JSON.stringify({ preview: "word ".repeat(100) })
  let at = 0
  let now = 0
  return () => {
    for (let i = 0; i < repeats; i++) {
      begin.run()
      for (const one of batch) {
        const line = Buffer.from(JSON.stringify(one))
        insert.run(at, line)
        at += line.length + 1
      }
      update.run(at, now++, derived)
      commit.run()
    }
  }
}

/** The same records by bare writes of their JSON to a file. */
const bareFile = async (path: string, durability: Durability, size: number) => {
  const file = await open(`${path}.bare.jsonl`, "a")
  const batch = batchOf(size)
  return async () => {
    for (let i = 0; i < repeats; i++) {
      await file.write(Buffer.from(batch.map((one) => `${JSON.stringify(one)}\n`).join("")))
      if (durability === "fsync") await file.datasync()
    }
  }
}

/** A thread of so many records. */
const filled = async (kind: Kind, path: string, records: number) => {
  const { run, store } = await opened(kind, path)
  const id = idOf(records)
  const fill = Effect.gen(function* () {
    if ((yield* Effect.either(store.create(header(id))))._tag === "Left") return
    yield* store.append(id, Script.turn("t1", "Hello", Script.assistant("Hi")).map(draft))
    const batch = batchOf(1000)
    for (let left = records; left > 0; left -= 1000) yield* store.append(id, batch.slice(0, left))
    yield* store.append(id, Script.turn("t2", "Hello again", Script.assistant("Hi again")).map(draft))
  })
  await run(fill)
  return { id, run, store }
}

let forks = 0
const fork = (store: Service, id: string) => {
  forks++
  const own = idOf(process.pid * 2 ** 20 + 2 ** 43 + forks)
  const { payload, ...line } = header(own)
  return store.fork(id, { header: { ...line, payload: { ...payload, forked_from_id: id } } })
}

const forking = async (kind: Kind, path: string, records: number) => {
  const { id, run, store } = await filled(kind, path, records)
  return () =>
    run(
      Effect.repeatN(
        Effect.suspend(() => fork(store, id)),
        9
      )
    )
}

const reverting = async (kind: Kind, path: string, records: number) => {
  const { id, run, store } = await filled(kind, path, records)
  const place = (await run(store.head(id))).head
  const { position } = await run(store.append(id, batchOf(1)))
  let expected = position
  const one = Effect.gen(function* () {
    expected = (yield* store.revert(id, { to: place, timestamp, expected })).position
  })
  return () => run(Effect.repeatN(one, 9))
}

const lengthened = async (kind: Kind, path: string, records: number) => {
  const { id, run, store } = await filled(kind, path, records)
  const batch = batchOf(20)
  return () => run(Effect.repeatN(store.append(id, batch), 9))
}

/** What a resume reads: the end of the log, as far back as the model's context goes. */
const resuming = async (kind: Kind, path: string, records: number) => {
  const { id, run, store } = await filled(kind, path, records)
  const history = Script.compacted([], { window_number: 1 })
  await run(store.append(id, [history, ...Script.turn("t3", "Go on", Script.assistant("Yes"))].map(draft)))
  const one = Effect.scoped(
    Effect.gen(function* () {
      const log = yield* store.open(id)
      const scan = ModelContext.backward()
      yield* EffectiveLog.backward(log, (decoded) => {
        if (EffectiveLog.isRecord(decoded)) scan.add(decoded)
        return !scan.settled()
      })
    })
  )
  return () => run(Effect.repeatN(one, 9))
}

const listed = async (path: string, threads: number) => {
  const { run, store } = await opened("sqlite", path)
  const fill = Effect.gen(function* () {
    if ((yield* Effect.either(store.summary(idOf(1))))._tag === "Right") return
    for (let n = 1; n <= threads; n++) {
      yield* store.create(header(idOf(n)), Script.turn("t1", `Hello ${n}`, Script.assistant("Hi")).map(draft))
    }
  })
  await run(fill)
  return { run, store }
}

const tasks = {
  append: (kind: string, path: string, durability: string, size: string) =>
    appending(kind as Kind, path, durability as Durability, Number(size)),
  together: (path: string, callers: string) => appendingTogether(path, Number(callers)),
  "bare-sqlite": async (path: string, durability: string, size: string) =>
    bareSqlite(path, durability as Durability, Number(size)),
  "bare-file": (path: string, durability: string, size: string) =>
    bareFile(path, durability as Durability, Number(size)),
  fork: (kind: string, path: string, records: string) => forking(kind as Kind, path, Number(records)),
  revert: (kind: string, path: string, records: string) => reverting(kind as Kind, path, Number(records)),
  lengthen: (kind: string, path: string, records: string) => lengthened(kind as Kind, path, Number(records)),
  resume: (kind: string, path: string, records: string) => resuming(kind as Kind, path, Number(records)),
  list: async (path: string, threads: string) => {
    const { run, store } = await listed(path, Number(threads))
    return () => run(Effect.repeatN(store.summaries(), 9))
  },
  "bare-list": async (path: string, threads: string) => {
    await listed(path, Number(threads))
    const db = database(`${path}.db`)
    const query = db.prepare(
      `SELECT t.*, d.* FROM threads AS t JOIN details AS d ON d.pk = t.pk
WHERE t.shelf = 0 ORDER BY t.created_at DESC, t.id DESC LIMIT 26`
    )
    return () => {
      for (let i = 0; i < 10; i++) query.all()
    }
  }
}

const rounds = Number(values.rounds)
const wanted = new Set(values.only.split(","))

const micro = (ms: number, per = repeats) => `${((ms * 1000) / per).toFixed(1).padStart(9)} µs`

/** How fast ours is beside the bare counterpart: at least `least` times as fast. */
const speed = (what: string, bare: number, ours: number, least: number): string => {
  const share = bare / ours
  // The limits of a benchmark are upper ones: of how many times as long it may take.
  return `${share.toFixed(2)} × as fast  ${limit(what, ours / bare, 1 / least)}`
}

const main = () =>
  inFolder(async (folder) => {
    const at = (name: string) => join(folder, name)
    if (wanted.has("sqlite")) {
      for (const durability of ["fsync", "os"]) {
        for (const size of ["20", "1"]) {
          const path = at(`s-${durability}-${size}`)
          const [bare = 0, ours = 0] = compare(rounds, [
            ["bare-sqlite", path, durability, size],
            ["append", "sqlite", path, durability, size]
          ])
          const verdict =
            size === "20"
              ? speed(`SQLite, ${durability}, batches of 20`, bare, ours, 0.6)
              : `${(bare / ours).toFixed(2)} × as fast`
          console.log(
            `SQLite ${durability.padEnd(5)} batches of ${size.padStart(2)}  bare ${micro(bare)}  ours ${micro(ours)}  ${verdict}`
          )
        }
      }
    }
    if (wanted.has("fs")) {
      for (const [durability, least] of [
        ["os", 0.5],
        ["fsync", 0.8]
      ] as const) {
        const path = at(`f-${durability}`)
        const [bare = 0, ours = 0] = compare(rounds, [
          ["bare-file", path, durability, "20"],
          ["append", "fs", path, durability, "20"]
        ])
        console.log(
          `files  ${durability.padEnd(5)} batches of 20  bare ${micro(bare)}  ours ${micro(ours)}  ${speed(`files, ${durability}, batches of 20`, bare, ours, least)}`
        )
      }
      const [one = 0, many = 0] = compare(rounds, [
        ["together", at("together-1"), "1"],
        ["together", at("together-16"), "16"]
      ])
      console.log(
        `files  fsync one caller ${micro(one, repeats * 16)}  16 callers ${micro(many, repeats * 16)}  ${speed("16 callers at once", one, many, 4)}`
      )
    }
    if (wanted.has("fork")) {
      for (const kind of ["memory", "sqlite"]) {
        for (const task of ["fork", "revert"]) {
          const [few = 0, many = 0] = compare(rounds, [
            [task, kind, at(`${task}-few`), "10"],
            [task, kind, at(`${task}-many`), values.records]
          ])
          console.log(
            `${task} in ${kind.padEnd(6)} at 10 records ${micro(few, 10)}  at ${values.records} ${micro(many, 10)}  ${limit(`${task} in ${kind}, many records beside few`, many / few, 1.5)}`
          )
        }
      }
    }
    if (wanted.has("flat")) {
      for (const kind of ["memory", "sqlite", "fs"]) {
        for (const task of ["lengthen", "resume"]) {
          const [few = 0, many = 0] = compare(rounds, [
            [task, kind, at(`${task}-few`), "100"],
            [task, kind, at(`${task}-many`), values.records]
          ])
          const name = task === "lengthen" ? "append" : "resume"
          console.log(
            `${name} in ${kind.padEnd(6)} at 100 records ${micro(few, 10)}  at ${values.records} ${micro(many, 10)}  ${limit(`${name} in ${kind}, many records beside few`, many / few, 1.5)}`
          )
        }
      }
    }
    if (wanted.has("list")) {
      const path = at("list")
      const [bare = 0, ours = 0] = compare(rounds, [
        ["bare-list", path, values.threads],
        ["list", path, values.threads]
      ])
      console.log(
        `first page of ${values.threads} threads  bare ${micro(bare, 10)}  ours ${micro(ours, 10)}  ${limit("first page of summaries", ours / bare, 2)}`
      )
    }
    if (wanted.has("home")) await home(at("home"), Number(values.files))
    if (wanted.has("lines")) adapters()
    conclude()
  })

/** How many lines each adapter has. */
const adapters = (): void => {
  for (const name of ["store-memory", "store-sqlite", "store-fs"]) {
    const folder = join(process.cwd(), "packages", name, "src")
    const files = (readdirSync(folder, { recursive: true, encoding: "utf8" }) as ReadonlyArray<string>).filter((file) =>
      file.endsWith(".ts")
    )
    const counts = files.map((file) => [file, readFileSync(join(folder, file), "utf8").split("\n").length - 1] as const)
    const total = counts.reduce((sum, [, count]) => sum + count, 0)
    console.log(`${name}: ${total} lines (${counts.map(([file, count]) => `${file} ${count}`).join(", ")})`)
  }
}

/** Opens a home of many files with an index that knows them. */
const home = async (path: string, files: number): Promise<void> => {
  for (let n = 0; n < files; n++) {
    const day = join(path, "sessions/2026/11", String(1 + (n % 28)).padStart(2, "0"))
    if (n < 28) mkdirSync(day, { recursive: true })
    const name = `rollout-2026-11-${String(1 + (n % 28)).padStart(2, "0")}T12-00-00-${idOf(n)}.jsonl`
    const lines = [header(idOf(n)), ...Script.turn("t1", `Hello ${n}`, Script.assistant("Hi")).map(draft)]
    writeFileSync(join(day, name), Buffer.concat(lines.map(Record.write)))
  }
  const index = `${path}.index.db`
  const list = (): Promise<number> => {
    const layer = Layer.unwrapScoped(
      Effect.map(SqliteIndex.make({ filename: index }), (known) => NodeStore.layer({ home: path, index: known }))
    )
    const runtime = ManagedRuntime.make(Layer.orDie(layer as Layer.Layer<ThreadStore.ThreadStore, unknown>))
    const start = performance.now()
    return runtime
      .runPromise(Effect.flatMap(ThreadStore.ThreadStore, (store) => store.summaries({ pageSize: 25 })))
      .then(() => performance.now() - start)
      .finally(() => runtime.dispose())
  }
  const cold = await list()
  const warm = await list()
  const start = performance.now()
  const names = readdirSync(join(path, "sessions"), { recursive: true }) as ReadonlyArray<string>
  const listing = performance.now() - start
  for (const name of names) statSync(join(path, "sessions", name))
  const checked = performance.now() - start
  console.log(
    `home of ${files} files: cold list ${cold.toFixed(0)} ms, with its index ${warm.toFixed(0)} ms; bare names ${listing.toFixed(0)} ms, names and stat ${checked.toFixed(0)} ms  ${limit("home with a warm index", warm, 200, "ms")}`
  )
}

if (values.task === undefined) await main()
else {
  const task = tasks[values.task as keyof typeof tasks] as (...options: ReadonlyArray<string>) => Promise<() => unknown>
  console.log(await measure(await task(...positionals)))
  process.exit(0)
}
