/** Moving threads into the archive and out of it (thread-store §7): all files of a thread, none of its children's. */
import type { PlatformError } from "@effect/platform/Error"
import { InvalidRequest, type StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import type { Rollout } from "./Catalog.js"
import type { AllColumns } from "./Columns.js"
import * as Disk from "./Disk.js"
import * as Fence from "./Fence.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Intents from "./Intents.js"

const failed = (home: Home, threadId: string) =>
  Disk.unavailable("archiving a thread", home.catalog.thread(threadId)?.head.path ?? Homes.archiveFolder(home))

/**
 * Does what an intent says, from its beginning or from wherever it was left. A file whose name is taken where it should go
 * stays: nothing is ever overwritten.
 */
export const run = (
  home: Home,
  columns: AllColumns,
  intent: Exclude<Intents.Intent, { readonly kind: "delete" }>
): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    const { catalog, disk } = home
    const { kind, threadId } = intent
    // Nobody gives a file of the thread its old name any more who began to before this was said.
    yield* Fence.revoke(home, threadId)
    yield* catalog.walk
    const moved = new Set<string>()
    for (const file of toMove(home, threadId, kind)) {
      const to = destination(home, kind, file)
      yield* Disk.makeFolder(disk, disk.paths.dirname(to))
      if (!(yield* Disk.move(disk, file.path, to))) continue
      catalog.drop(file.path)
      catalog.add(to)
      moved.add(to)
      if (kind === "unarchive") {
        const now = new Date(home.clock.unsafeCurrentTimeMillis())
        yield* disk.fs.utimes(to, now, now)
      }
    }
    yield* settleNames(
      home,
      (catalog.thread(threadId)?.all ?? []).filter(({ path }) => !moved.has(path))
    )
    const archivedAt = intent.kind === "archive" ? intent.at : undefined
    yield* columns.change(threadId, ({ archivedAt: _, ...rest }) =>
      archivedAt === undefined ? rest : { ...rest, archivedAt }
    )
    yield* Intents.settle(home, intent)
  }).pipe(Effect.mapError((error) => (isPlatform(error) ? failed(home, intent.threadId)(error) : error)))

/** Makes names durable that files got and lost by somebody who may have died before seeing to that. */
const settleNames = (home: Home, files: ReadonlyArray<Rollout>): Effect.Effect<void, PlatformError> =>
  Effect.forEach(
    new Set(files.flatMap(({ time }) => [Homes.archiveFolder(home), Homes.sessionsFolder(home, time)])),
    (folder) => Effect.catchIf(Disk.syncFolder(home.disk, folder), Disk.isMissing, () => Effect.void),
    { discard: true }
  )

const isPlatform = (error: PlatformError | StoreUnavailable): error is PlatformError =>
  error._tag !== "StoreUnavailable"

/** Archives a thread or takes it out of the archive. Fails, with nothing moved, when a name is taken where it should go. */
export const begin = (
  home: Home,
  columns: AllColumns,
  intent: Exclude<Intents.Intent, { readonly kind: "delete" }>
): Effect.Effect<void, InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const { disk } = home
    const { kind, threadId } = intent
    for (const file of toMove(home, threadId, kind)) {
      const to = destination(home, kind, file)
      const [from, there] = yield* Effect.all([Disk.look(disk, file.path), Disk.look(disk, to)]).pipe(
        Effect.mapError(failed(home, threadId))
      )
      if (there === undefined || (from !== undefined && from.inode === there.inode && from.inode !== 0)) continue
      return yield* Effect.fail(
        new InvalidRequest({
          field: "threadId",
          reason: `there is another file at ${to}`,
          advice: "Nothing was moved. Look what that file is and move it away."
        })
      )
    }
    yield* Intents.declare(home, intent).pipe(Effect.mapError(failed(home, threadId)))
    yield* run(home, columns, intent)
  })

const toMove = (home: Home, threadId: string, kind: "archive" | "unarchive"): ReadonlyArray<Rollout> =>
  (home.catalog.thread(threadId)?.all ?? []).filter(({ isArchived }) => isArchived === (kind === "unarchive"))

const destination = (home: Home, kind: "archive" | "unarchive", file: Rollout): string => {
  const { paths } = home.disk
  const folder = kind === "archive" ? Homes.archiveFolder(home) : Homes.sessionsFolder(home, file.time)
  return paths.join(folder, paths.basename(file.path))
}
