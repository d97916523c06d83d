/** A home that a store has open, and how a thread is found in it. */
import type { FileSystem, Path } from "@effect/platform"
import type { Knowledge } from "@skein/store/Machine"
import { InvalidRequest, type StoreUnavailable, ThreadNotFound } from "@skein/store/StoreError"
import type { Context } from "effect"
import { type Clock, Effect } from "effect"
import * as CodexHome from "../CodexHome.js"
import type { Catalog, Rollout, ThreadFiles } from "./Catalog.js"
import * as Disk from "./Disk.js"
import type { Leases } from "./Lease.js"
import type { TrialService } from "./Trial.js"

/** What every part of a store works with. */
export interface Home {
  /** The folder of `sessions`, links resolved. */
  readonly root: string
  readonly disk: Disk.Disk
  readonly clock: Clock.Clock
  readonly machine: Knowledge
  readonly leases: Leases
  readonly catalog: Catalog
  /** Names this store among those of its process; part of the names of its temporary files. */
  readonly instance: string
  readonly decodedLimit: number | undefined
  /** What a test has to say. */
  readonly trial: TrialService
  readonly context: Context.Context<FileSystem.FileSystem | Path.Path>
  /** Threads whose deletion has begun: they are gone, whatever is still there of them. */
  readonly deleting: Set<string>
  /** Threads of which a part that they inherit could not be read: what was derived of them is to be derived again. */
  readonly incomplete: Set<string>
  /** When the folders of new files were looked at last. */
  refreshedAt: number
}

/** A path in the folder that holds what has no place in a rollout. */
export const own = ({ disk, root }: Home, ...parts: ReadonlyArray<string>): string =>
  disk.paths.join(root, ".skein", ...parts)

/** The folder of rollouts with a time in their names. */
export const sessionsFolder = ({ disk, root }: Home, time: string): string =>
  disk.paths.join(root, "sessions", CodexHome.dayOf(time))

export const archiveFolder = ({ disk, root }: Home): string => disk.paths.join(root, "archived_sessions")

const day = 24 * 60 * 60 * 1000
const hour = 60 * 60 * 1000

/**
 * The folders in which new files of a thread are made: that of its newest file, and those of the days since they were
 * looked at last, by the local clock and by UTC.
 */
const likely = (home: Home, head: Rollout | undefined): ReadonlyArray<string> => {
  const now = home.clock.unsafeCurrentTimeMillis()
  const folders = new Set(head === undefined ? [] : [head.folder])
  const from = Math.max(now - 31 * day, Math.min(now, home.refreshedAt) - hour)
  for (let moment = from; ; moment = Math.min(now, moment + day)) {
    folders.add(sessionsFolder(home, CodexHome.timeOf(moment)))
    folders.add(sessionsFolder(home, new Date(moment).toISOString()))
    if (moment >= now) break
  }
  home.refreshedAt = now
  return [...folders]
}

/** Takes note of new files where they are likely to be. Gives whether there were any changes. Cost: a few stats. */
export const refresh = (home: Home, head: Rollout | undefined): Effect.Effect<boolean, StoreUnavailable> =>
  Effect.suspend(() => home.catalog.refresh(likely(home, head)))

/** A thread's files, and what the system says of the newest one. */
export interface Sighted {
  readonly files: ThreadFiles
  readonly facts: Disk.Facts
}

const tries = 4

/**
 * Finds a thread by its id. What is named as a rollout and is no file is passed over. A thread that is not where it was,
 * or that nobody knew of, is looked for in all folders before it counts as missing.
 */
export const find = (
  home: Home,
  threadId: string
): Effect.Effect<Sighted, ThreadNotFound | InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const { catalog, disk } = home
    yield* catalog.begin
    let odd: { readonly path: string; readonly type: string } | undefined
    for (let left = tries; left > 0 && !home.deleting.has(threadId); left--) {
      const known = catalog.thread(threadId)
      if (known !== undefined && left === tries) yield* refresh(home, known.head)
      // Also a thread of which that look found the newest file no more: it is being moved, or gone.
      const isThere = catalog.thread(threadId)?.all.some(({ path }) => path === known?.head.path) === true
      if (!isThere && odd === undefined) yield* catalog.walk
      const files = catalog.thread(threadId)
      if (files === undefined) break
      const { path } = files.head
      const facts = yield* Disk.look(disk, path).pipe(Effect.mapError(Disk.unavailable("finding a thread", path)))
      // A file without a byte says nothing; one that an opening left behind stands for nothing beside others.
      const isBare = facts?.type === "File" && facts.size === 0 && files.all.length > 1
      if (facts?.type === "File" && !(isBare && left > 1)) return { files, facts }
      if (facts === undefined) yield* catalog.walk
      else if (isBare) catalog.pass(path)
      else {
        odd = { path, type: facts.type }
        catalog.pass(path)
      }
    }
    if (odd !== undefined) return yield* Effect.fail(notAFile(odd.path, odd.type))
    const problem = catalog.problem()
    return yield* Effect.fail(problem ?? new ThreadNotFound({ threadId }))
  })

/** What is named as a rollout and is none. */
export const notAFile = (path: string, type: string): InvalidRequest =>
  new InvalidRequest({
    field: "threadId",
    reason: type === "Directory" ? `path is a directory: ${path}` : `path is not a file but a ${type}: ${path}`,
    advice: "Move it out of the way."
  })
