/** The store in a SQLite file is held to the contract. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import * as Faults from "@skein/testing/Faults"
import * as Hooks from "@skein/testing/Hooks"
import * as ThreadStoreContract from "@skein/testing/ThreadStoreContract"
import { Context, Effect, Layer } from "effect"
import * as SqliteDriver from "../src/SqliteDriver.js"

/** The path of a database that outlasts the stores over it. */
class Filename extends Context.Tag("Filename")<Filename, string>() {}

const driver = (filename: string) => SqliteDriver.make({ filename, durability: "os" })

const storage = Layer.scopedContext(
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "skein-contract-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    let copies = 0
    const backups: Hooks.BackupsService = {
      path: Effect.sync(() => join(folder, `backup-${++copies}.db`)),
      open: (path) => Effect.flatMap(driver(path), ThreadStore.make)
    }
    return Context.make(Filename, join(folder, "threads.db")).pipe(Context.add(Hooks.Backups, backups))
  })
)

ThreadStoreContract.suite({
  name: "sqlite",
  storage,
  layer: ThreadStore.layer(Faults.inject(Effect.flatMap(Filename, driver))),
  model: MemoryStore.layer,
  skip: { files: "all threads lie in one file" }
})
