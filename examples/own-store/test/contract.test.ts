import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import * as Faults from "@skein/testing/Faults"
import * as ThreadStoreContract from "@skein/testing/ThreadStoreContract"
import { Context, Effect, Layer } from "effect"
import * as JsonDriver from "../src/JsonDriver.js"

/** The file that a store keeps its threads in. */
class Path extends Context.Tag("Path")<Path, string>() {}

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "skein-own-store-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

ThreadStoreContract.suite({
  name: "a JSON file",
  storage: Layer.scoped(
    Path,
    Effect.map(temporary, (folder) => join(folder, "threads.json"))
  ),
  layer: ThreadStore.layer(Faults.inject(Effect.flatMap(Path, JsonDriver.make))),
  model: MemoryStore.layer,
  skip: {
    second: "the file belongs to one process",
    files: "all threads lie in one file",
    backup: "it makes none"
  }
})
