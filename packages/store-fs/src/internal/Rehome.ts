/**
 * Takes a file away from a holder that is late with it but may be alive: stopped, or hanging in a write (design §7).
 *
 * The file's name goes to a copy of it. Whoever has the old file open still writes to it, sees that the name is no longer
 * its own, and tells nobody that it is written. The order of the steps is what makes that safe:
 *
 * 1. the new lease is there, so that nobody else takes the file;
 * 2. the old file gets a second name: from now on its holder's check after a write fails, so everything it ever
 *    acknowledged is in the file by now;
 * 3. the file is copied, made durable, and the copy takes its name, unless the file is being archived or deleted, or was:
 *    whoever does that needs no lease, says what it is about to do, and then makes every fence worthless that was there
 *    before (`Fence`). So either this one sees what was said, or it can name nothing;
 * 4. what the old file gained since the copy is added to the new one: nobody was told of it, but a program that takes no
 *    lease may have written it.
 */
import type { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import type { StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import * as Disk from "./Disk.js"
import * as Fence from "./Fence.js"
import type { Home } from "./Home.js"
import * as Intents from "./Intents.js"
import type { Held } from "./Lease.js"

const failed = (path: string) => Disk.unavailable("taking a thread over from a holder that is late", path)

/** What became of it. `gone`: the file has another name now, or none. `moving`: it is about to. */
export type Outcome = "taken" | "gone" | "moving"

/**
 * Gives a file's name to a copy of it. Repeatable after a crash at any step. Cost: linear in the file.
 *
 * @param held The lease that was just taken: once it is taken over in turn, the copy gets no name any more.
 */
export const take = (home: Home, path: string, mark: string, held: Held): Effect.Effect<Outcome, StoreUnavailable> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { disk } = home
      const { fs, paths } = disk
      const facts = yield* Disk.look(disk, path)
      if (facts === undefined) return "gone"
      yield* Disk.remove(disk, mark)
      yield* fs.link(path, mark)
      yield* Effect.addFinalizer(() => Effect.ignore(Disk.remove(disk, mark)))
      const old = yield* fs.open(mark, { flag: "r" })
      const { inode } = Disk.factsOf(yield* old.stat)
      const made = yield* Disk.temporary(disk, path, `${home.instance}.taken`, facts.mode)
      const size = yield* copy(old, 0, made.file)
      yield* Disk.sync(disk, made.file)
      // By its place, not by its name, which may be somebody else's when something is added.
      const now = yield* fs.open(made.path, { flag: "a" })
      const outcome = yield* Fence.use(home, held, (fence) =>
        Effect.gen(function* () {
          if (yield* Intents.isPending(home, held.key)) return "moving"
          if ((yield* Disk.look(disk, path))?.inode !== inode) return "gone"
          yield* fs.rename(made.path, fence.making(path))
          made.renamed()
          yield* fs.rename(fence.making(path), path)
          yield* Disk.syncFolder(disk, paths.dirname(path))
          return "taken"
        })
      )
      if (outcome !== "taken") return outcome
      const gained = yield* copy(old, size, now)
      if (gained > 0) yield* Disk.sync(disk, now)
      return "taken" as const
    })
  ).pipe(Effect.mapError((error) => (error._tag === "StoreUnavailable" ? error : failed(path)(error))))

/** Appends what a file has behind an offset to another one; gives how much that was. */
const copy = (from: FileSystem.File, offset: number, to: FileSystem.File): Effect.Effect<number, PlatformError> =>
  Effect.gen(function* () {
    const chunk = new Uint8Array(1024 * 1024)
    yield* from.seek(offset, "start")
    let copied = 0
    for (;;) {
      const count = Number(yield* from.read(chunk))
      if (count === 0) return copied
      yield* to.writeAll(chunk.subarray(0, count))
      copied += count
    }
  })
