/** Opens the store in a file (by default a new one), writes a thread and lists what there is. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Drafts from "@skein/testing/Drafts"
import { Effect } from "effect"
import * as JsonDriver from "./JsonDriver.js"

const path = process.argv[2] ?? join(mkdtempSync(join(tmpdir(), "skein-own-store-")), "threads.json")

const program = Effect.gen(function* () {
  const store = yield* ThreadStore.ThreadStore
  yield* store.create(Drafts.header(), Drafts.turn({ id: "t1", user: "Fix the login", agent: "Done." }))
  yield* store.updateSummary(Drafts.id(1), { name: "the login" })
  const fork = yield* store.fork(Drafts.id(1), {
    header: Drafts.header({ n: 2, at: 1, more: { forked_from_id: Drafts.id(1) } })
  })
  yield* store.append(Drafts.id(2), Drafts.turn({ id: "t2", user: "Try again", at: 2 }), { expected: fork.position })
  const { items } = yield* store.summaries({ sortDirection: "asc" })
  for (const { id, name, preview } of items) {
    const turns = yield* store.turns(id)
    console.log(`${id.slice(-4)} ${name ?? "-"}: ${preview} (${turns.items.length} turns)`)
  }
})

await Effect.runPromise(Effect.provide(program, ThreadStore.layer(JsonDriver.make(path))))
