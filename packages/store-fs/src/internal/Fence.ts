/**
 * Taking files of a thread away, and putting others in their place, only as long as its lease is ours.
 *
 * No system call asks for a lease, so whoever is stopped between a look and a step may do the step long after somebody
 * else took the thread over. What makes that harmless is a folder of its own: a file that gets a rollout's name comes out
 * of it, and one that loses its name goes into it, each in one step. Whoever takes the thread over renames the folder
 * first. From then on the steps of the one before fail: there is nothing to be named, and nowhere to go.
 *
 * The order at the beginning makes that certain: the folder is made, and only then its maker looks whether the lease is
 * still the newest. If it is, whoever takes over comes later, and finds the folder.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { StoreUnavailable } from "@skein/store/StoreError"
import { Effect, Exit } from "effect"
import * as CodexHome from "../CodexHome.js"
import * as RolloutFile from "../RolloutFile.js"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Lease from "./Lease.js"

/** The folder of a lease, and the steps that go through it. Paths are those of rollouts. */
export interface Fence {
  /** Where a file is written, or moved, that is to get the name of a rollout. */
  readonly making: (path: string) => string
  /** Gives what was made its name, durably; false, with nothing changed, when the name is taken. */
  readonly name: (path: string) => Effect.Effect<boolean, PlatformError>
  /** Takes a rollout away, durably; gives where it lies then. */
  readonly take: (path: string) => Effect.Effect<string, PlatformError>
  /** Gives a rollout that was taken away its name again; false, with nothing changed, when the name is taken. */
  readonly giveBack: (path: string) => Effect.Effect<boolean, PlatformError>
}

const folderOf = (home: Home): string => Homes.own(home, "cold")
const made = ".new"
const taken = ".old"
const void_ = ".void"

/** Whatever the level of the store: what stands in for a durable file is durable before that one goes. */
export const durable = (home: Home): Disk.Disk => ({ ...home.disk, isDurable: true })

/** Uses the fence of a lease. Fails with `StoreUnavailable` when the lease is ours no longer. */
export const use = <A, E>(
  home: Home,
  held: Lease.Held,
  effect: (fence: Fence) => Effect.Effect<A, E>
): Effect.Effect<A, E | PlatformError | StoreUnavailable> =>
  Effect.gen(function* () {
    const disk = durable(home)
    const { fs, paths } = disk
    yield* Disk.makeFolder(home.disk, folderOf(home))
    const folder = paths.join(folderOf(home), `${held.key}.${held.fence}.${home.instance}`)
    yield* fs.makeDirectory(folder).pipe(Effect.catchIf(Disk.isTaken, () => Effect.void))
    // It is what tells whoever comes after a loss of power that there is something to be cleared up.
    yield* Disk.syncFolder(disk, folderOf(home))
    const inside = (path: string, end: string): string => paths.join(folder, `${paths.basename(path)}${end}`)
    const fence: Fence = {
      making: (path) => inside(path, made),
      name: (path) => Disk.install(disk, inside(path, made), path),
      take: (path) => {
        const to = inside(path, taken)
        return Effect.as(Effect.zipRight(fs.rename(path, to), Disk.syncFolder(disk, paths.dirname(path))), to)
      },
      giveBack: (path) => Disk.install(disk, inside(path, taken), path)
    }
    const work = Effect.gen(function* () {
      const isOurs =
        !home.machine.isShared || home.trial.without.has("lease") || (yield* Lease.isNewest(home.leases, held))
      if (!isOurs) return yield* Effect.fail(passed(folder))
      return yield* effect(fence)
    })
    return yield* Effect.onExit(work, (exit) =>
      Effect.ignore(
        // What failed may have left two forms of a file: the empty folder says so.
        Exit.isSuccess(exit) ? fs.remove(folder, { recursive: true, force: true }) : empty(disk, folder)
      )
    )
  })

const empty = (disk: Disk.Disk, folder: string): Effect.Effect<void, PlatformError> =>
  Effect.flatMap(Disk.list(disk, folder), (names) =>
    Effect.forEach(names, (name) => Disk.remove(disk, disk.paths.join(folder, name)), { discard: true })
  )

const passed = (path: string): StoreUnavailable =>
  Disk.disturbed("changing the form of a thread's file", "another process took the thread over", path)

/** Threads with folders that were not removed: their owners died, are late, or are at work. */
export const left = (home: Home): Effect.Effect<ReadonlySet<string>, PlatformError> =>
  Effect.map(Disk.list(home.disk, folderOf(home)), (names) => new Set(names.map((name) => name.split(".")[0] ?? "")))

/**
 * Makes the fences of those who had a thread before worthless, and clears them away. To be called with its lease, or with
 * one that was just taken from somebody late.
 */
export const revoke = (home: Home, threadId: string): Effect.Effect<void, PlatformError | StoreUnavailable> =>
  Effect.gen(function* () {
    const { disk } = home
    const root = folderOf(home)
    const all = (yield* Disk.list(disk, root)).filter((name) => name.startsWith(`${threadId}.`))
    if (all.length === 0) return
    yield* home.catalog.walk
    for (const name of all) {
      const folder = disk.paths.join(root, name.endsWith(void_) ? name : `${name}${void_}`)
      // Its owner may have removed it meanwhile.
      if (!name.endsWith(void_)) {
        yield* disk.fs
          .rename(disk.paths.join(root, name), folder)
          .pipe(Effect.catchIf(Disk.isMissing, () => Effect.void))
      }
      for (const entry of yield* Disk.list(disk, folder)) {
        if (entry.endsWith(`.jsonl${taken}`)) yield* settle(home, threadId, disk.paths.join(folder, entry))
      }
      yield* disk.fs.remove(folder, { recursive: true, force: true })
    }
    yield* home.catalog.walk
  })

/**
 * Decides about a plain file that was taken away when its compressed form had its name. That form has all of it, unless a
 * program that takes no lease wrote to it in that very moment: then the plain file comes back.
 */
const settle = (home: Home, threadId: string, old: string): Effect.Effect<void, PlatformError | StoreUnavailable> =>
  Effect.gen(function* () {
    const disk = durable(home)
    const name = disk.paths.basename(old).slice(0, -taken.length)
    const files = home.catalog.thread(threadId)?.all ?? []
    const cold = files.find((file) => disk.paths.basename(file.path) === `${name}.zst`)
    if (cold === undefined || files.some((file) => disk.paths.basename(file.path) === name)) return
    const facts = yield* Disk.look(disk, old)
    const size = yield* Effect.scoped(RolloutFile.open(cold.path, { decodedLimit: home.decodedLimit })).pipe(
      Effect.map((file) => file.size),
      Effect.provide(home.context),
      Effect.orElseSucceed(() => 0)
    )
    if (facts !== undefined && facts.size > size) yield* Disk.install(disk, old, CodexHome.logical(cold.path))
  })
