/** The store in files is held to the contract. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { NodeContext } from "@effect/platform-node"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import * as Faults from "@skein/testing/Faults"
import * as Hooks from "@skein/testing/Hooks"
import * as ThreadStoreContract from "@skein/testing/ThreadStoreContract"
import { Context, Effect, Layer } from "effect"
import * as FsDriver from "../src/FsDriver.js"
import * as NodeFiles from "../src/NodeFiles.js"

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

const storage = Layer.scopedContext(
  Effect.gen(function* () {
    const home = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "skein-contract-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    return Context.make(Home, home).pipe(Context.add(Hooks.Files, files(home)))
  })
)

const driver = Effect.flatMap(Home, (home) => FsDriver.make({ home, durability: "os" }))

for (const [name, system] of [
  ["fs", NodeContext.layer],
  ["fs over NodeFiles", NodeFiles.layer]
] as const) {
  ThreadStoreContract.suite({
    name,
    storage,
    layer: ThreadStore.layer(Faults.inject(driver)).pipe(Layer.provide(system)),
    model: MemoryStore.layer,
    skip: { backup: "files are copied by any program that copies files" }
  })
}
