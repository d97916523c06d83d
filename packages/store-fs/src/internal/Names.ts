/** The names in a home's `session_index.jsonl` (rollout-format §1.2), kept up to date and added to. */
import type { PlatformError } from "@effect/platform/Error"
import { Effect } from "effect"
import * as SessionIndex from "../SessionIndex.js"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"

/** The names of a home. */
export interface Names {
  /** What the index says now. Cost: a stat; a read of the file when it changed. */
  readonly entries: Effect.Effect<ReadonlyMap<string, SessionIndex.Entry>, PlatformError>
  /** Adds a line; durable when it returns. */
  readonly add: (threadId: string, entry: SessionIndex.Entry) => Effect.Effect<void, PlatformError>
  /** Takes the lines of a thread away. */
  readonly remove: (threadId: string) => Effect.Effect<void, PlatformError>
  readonly path: string
}

const none: ReadonlyMap<string, SessionIndex.Entry> = new Map()

export const make = (home: Home): Names => {
  const { disk } = home
  const path = disk.paths.join(home.root, "session_index.jsonl")
  let known: { readonly facts: Disk.Facts; readonly entries: ReadonlyMap<string, SessionIndex.Entry> } | undefined

  const entries = Effect.gen(function* () {
    const facts = yield* Disk.look(disk, path)
    // Opening anything but a file, such as a FIFO, could wait for ever.
    if (facts === undefined || facts.type !== "File") return none
    if (known !== undefined && Disk.isSame(known.facts, facts)) return known.entries
    const content = yield* disk.fs.readFile(path)
    known = { facts, entries: SessionIndex.entries(new TextDecoder().decode(content)) }
    return known.entries
  })

  const append = (text: string): Effect.Effect<void, PlatformError> =>
    Effect.gen(function* () {
      const isNew = (yield* Disk.look(disk, path)) === undefined
      if (isNew) yield* Disk.makeFolder(disk, home.root)
      const isThere = yield* Effect.scoped(
        Effect.gen(function* () {
          const file = yield* disk.fs.open(path, { flag: "a+" })
          const { inode, size } = Disk.factsOf(yield* file.stat)
          let isEnded = true
          if (size > 0) {
            const last = new Uint8Array(1)
            yield* file.seek(size - 1, "start")
            yield* file.read(last)
            isEnded = last[0] === 0x0a
          }
          yield* file.writeAll(new TextEncoder().encode(`${isEnded ? "" : "\n"}${text}`))
          yield* Disk.sync(disk, file)
          return (yield* Disk.look(disk, path))?.inode === inode
        })
      )
      if (isNew) yield* Disk.syncFolder(disk, home.root)
      // Somebody put another file in its place meanwhile: what was added went with the old one.
      if (!isThere) yield* append(text)
    })

  return {
    path,
    entries,
    add: (threadId, entry) => append(SessionIndex.lineOf(threadId, entry)),
    remove: (threadId) =>
      Effect.gen(function* () {
        if (!(yield* entries).has(threadId)) return
        const gained = yield* Effect.scoped(
          Effect.gen(function* () {
            const old = yield* disk.fs.open(path, { flag: "r" })
            const content = yield* disk.fs.readFile(path)
            const rest = SessionIndex.without(new TextDecoder().decode(content), threadId)
            yield* Disk.replace(disk, path, new TextEncoder().encode(rest), home.instance)
            // What another program added to the old file since it was read.
            const { size } = Disk.factsOf(yield* old.stat)
            if (size <= content.length) return ""
            const more = new Uint8Array(size - content.length)
            yield* old.seek(content.length, "start")
            const count = Number(yield* old.read(more))
            return new TextDecoder().decode(more.subarray(0, count))
          })
        )
        if (gained !== "") yield* append(SessionIndex.without(gained, threadId))
      })
  }
}
