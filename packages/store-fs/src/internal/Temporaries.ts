/** Temporary files beside rollouts that somebody left who died. */
import { Effect } from "effect"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Meter from "./Meter.js"

/** How deep rollouts lie below their roots at most. */
const depth = 5

/**
 * Removes files named `*.tmp` below the roots of rollouts that were last changed before a moment; gives how many. One that
 * cannot be removed, or looked for, is counted and left.
 */
export const clean = (home: Home, before: number): Effect.Effect<number> =>
  Effect.gen(function* () {
    const { disk } = home
    let removed = 0
    const below = (folder: string, left: number): Effect.Effect<void> =>
      Effect.gen(function* () {
        for (const name of yield* Effect.orElseSucceed(Disk.list(disk, folder), () => [])) {
          const path = disk.paths.join(folder, name)
          if (name.endsWith(".tmp")) removed += yield* removeOld(disk, path, before)
          else if (left > 0 && !/\.(jsonl|zst|json)$/.test(name) && (yield* isFolder(disk, path))) {
            yield* below(path, left - 1)
          }
        }
      })
    yield* below(Homes.archiveFolder(home), depth)
    yield* below(disk.paths.join(home.root, "sessions"), depth)
    return removed
  })

const isFolder = (disk: Disk.Disk, path: string): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const facts = yield* Disk.look(disk, path)
    return facts?.type === "Directory" && !(yield* Effect.isSuccess(disk.fs.readLink(path)))
  }).pipe(Effect.orElseSucceed(() => false))

const removeOld = (disk: Disk.Disk, path: string, before: number): Effect.Effect<number> =>
  Effect.gen(function* () {
    const facts = yield* Disk.look(disk, path)
    if (facts?.type !== "File" || facts.mtimeMs >= before) return 0
    yield* Disk.remove(disk, path)
    yield* Meter.temporary("removed")
    return 1
  }).pipe(Effect.catchAll(() => Effect.as(Meter.temporary("failed"), 0)))
