/** The store in files is held to the contract. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { NodeContext } from "@effect/platform-node"
import type { Driver } from "@skein/store/Driver"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import * as Faults from "@skein/testing/Faults"
import * as Hooks from "@skein/testing/Hooks"
import * as ThreadStoreContract from "@skein/testing/ThreadStoreContract"
import { Context, Effect, Layer, Logger, LogLevel } from "effect"
import * as FsDriver from "../src/FsDriver.js"
import * as NodeFiles from "../src/NodeFiles.js"
import * as Compressing from "./Compressing.js"

/** A home that outlasts the stores over it. */
class Home extends Context.Tag("Home")<Home, string>() {}

/** The rollouts of a home, by path inside it. */
const rollouts = (home: string): ReadonlyArray<string> =>
  ["sessions", "archived_sessions"].flatMap((root) => {
    try {
      return readdirSync(join(home, root), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    } catch {
      return []
    }
  })

const files = (home: string): Hooks.FilesService => ({
  list: Effect.sync(() =>
    Object.fromEntries(
      rollouts(home).map((path) => {
        const { ino, mtimeMs, size } = statSync(path)
        return [path, `${ino} ${size} ${mtimeMs}`]
      })
    )
  ),
  hide: (threadId) =>
    Effect.sync(() => {
      const moved = rollouts(home)
        .filter((path) => path.includes(threadId))
        .map((path) => [path, join(home, "hidden", path.slice(home.length))] as const)
      for (const [path, away] of moved) {
        mkdirSync(dirname(away), { recursive: true })
        renameSync(path, away)
      }
      return Effect.sync(() => {
        for (const [path, away] of moved) {
          mkdirSync(dirname(path), { recursive: true })
          renameSync(away, path)
        }
      })
    })
})

const storageIn = (folder: string, seen: (home: string) => Hooks.FilesService) =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const home = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(folder, "skein-contract-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      return Context.make(Home, home).pipe(Context.add(Hooks.Files, seen(home)))
    })
  )

const driver = Effect.flatMap(Home, (home) => FsDriver.make({ home, durability: "os" }))

for (const [name, system] of [
  ["fs", NodeContext.layer],
  ["fs over NodeFiles", NodeFiles.layer]
] as const) {
  ThreadStoreContract.suite({
    name,
    storage: storageIn(tmpdir(), files),
    layer: ThreadStore.layer(Faults.inject(driver)).pipe(Layer.provide(system)),
    model: MemoryStore.layer,
    skip: { backup: "files are copied by any program that copies files" }
  })
}

/** Compresses all threads of a home that nobody keeps. */
type CompressAll = Effect.Effect<void>

const quietly = (compressor: Compressing.Compressor): CompressAll =>
  Effect.unsafeMakeSemaphore(1)
    .withPermits(1)(compressor.run())
    .pipe(Effect.ignore, Logger.withMinimumLogLevel(LogLevel.None))

const colder = (driver: Driver, compressAll: CompressAll): Driver => {
  const first = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> => Effect.zipRight(compressAll, effect)
  return {
    ...driver,
    create: (...args) => first(driver.create(...args)),
    locate: (...args) => first(driver.locate(...args)),
    append: (...args) => first(driver.append(...args)),
    branch: (...args) => first(driver.branch(...args)),
    open: (...args) => Effect.zipRight(compressAll, driver.open(...args)),
    segments: (...args) => Effect.zipRight(compressAll, driver.segments(...args)),
    row: (...args) => first(driver.row(...args)),
    rows: (...args) => first(driver.rows(...args)),
    lagging: (...args) => first(driver.lagging(...args)),
    updateExplicit: (...args) => first(driver.updateExplicit(...args)),
    setArchived: (...args) => first(driver.setArchived(...args)),
    remove: (...args) => first(driver.remove(...args)),
    lease: (...args) => first(driver.lease(...args))
  }
}

/** Files by the names that they have when they are plain, once all are compressed. */
const coldFiles = (home: string): Hooks.FilesService => {
  const service = files(home)
  const compressAll = Effect.scoped(Effect.flatMap(Effect.orDie(Compressing.open(home)), quietly))
  return { ...service, list: Effect.zipRight(compressAll, service.list) }
}

const coldDriver = Effect.flatMap(Home, (home) =>
  Effect.map(
    Effect.all([FsDriver.make({ home, durability: "os" }), Effect.orDie(Compressing.open(home))]),
    ([driver, compressor]) => colder(driver, quietly(compressor))
  )
)

/** Files in memory, where there are such: everything is compressed and made plain again all the time. */
const quick = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()

ThreadStoreContract.suite({
  name: "fs, compressed between all operations",
  storage: storageIn(quick, coldFiles),
  layer: ThreadStore.layer(Faults.inject(coldDriver)).pipe(Layer.provide(NodeContext.layer)),
  model: MemoryStore.layer,
  runs: 6,
  timeout: 120_000,
  patience: 30_000,
  except: {
    "63.fault": "the fault meets the look at what was compressed since the last list, before it meets the search"
  },
  skip: { backup: "files are copied by any program that copies files" }
})
