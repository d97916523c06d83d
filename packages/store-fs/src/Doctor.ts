/**
 * What is wrong with a home beside what its rollouts say of themselves, and doing what is safe about it.
 *
 * Rollouts are only ever looked at: which of two files counts, and what a lost base was, is for people to decide. What is
 * taken away is what Skein itself left, and it is moved into a folder, not removed.
 */
import { FileSystem, Path } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { Machine } from "@skein/store/Machine"
import type { InvalidRequest, StoreUnavailable } from "@skein/store/StoreError"
import { Clock, Effect } from "effect"
import * as FsDriver from "./FsDriver.js"
import * as Catalog from "./internal/Catalog.js"
import * as Checks from "./internal/Checks.js"
import * as Disk from "./internal/Disk.js"

/** One thing that was found. */
export type Finding = Checks.Finding

/** What a repair did. */
export interface Repaired {
  /** What was wrong before. */
  readonly findings: ReadonlyArray<Finding>
  /** The folder that what was in the way was moved to; undefined when nothing was. */
  readonly backup: string | undefined
  /** What was moved, by its path in the home. */
  readonly moved: ReadonlyArray<string>
  /** Begun changes that were finished, in words. */
  readonly finished: ReadonlyArray<string>
}

type Environment = FileSystem.FileSystem | Path.Path

/**
 * Looks for what is wrong; changes nothing. Cost: a listing of every folder, the beginning of every rollout, and all of
 * those that are there twice.
 */
export const check = (home: string): Effect.Effect<ReadonlyArray<Finding>, StoreUnavailable, Environment> =>
  Effect.map(examine(home), ({ findings }) => findings)

const examine = (given: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const machine = yield* Machine
    const failed = Disk.unavailable("looking at a home", given)
    const root = yield* Effect.mapError(fs.realPath(given), failed)
    const disk = Disk.make(fs, paths, { isDurable: true })
    const catalog = Catalog.make(disk, yield* Effect.clock, root)
    // A folder that cannot be listed is a finding.
    yield* Effect.ignore(catalog.walk)
    const now = yield* Clock.currentTimeMillis
    const subject: Checks.Subject = { disk, root, catalog, machine, now }
    return { subject, findings: yield* Checks.all(subject) }
  })

/**
 * Finishes what was begun with whole threads, and moves what is left over of Skein's own files into
 * `.skein/backup-<seconds>/`, each under the path that it had in the home. Everything else stays as it is.
 */
export const repair = (home: string): Effect.Effect<Repaired, StoreUnavailable | InvalidRequest, Environment> =>
  Effect.gen(function* () {
    const { findings, subject } = yield* examine(home)
    const { disk, now, root } = subject
    const stray = findings.flatMap(({ isStray, path }) => (isStray === true && path !== undefined ? [path] : []))
    const backup = disk.paths.join(root, ".skein", `backup-${Math.floor(now / 1000)}`)
    const moved: Array<string> = []
    for (const path of stray) {
      const name = disk.paths.relative(root, path)
      const to = disk.paths.join(backup, name)
      yield* moveAway(disk, path, to).pipe(Effect.mapError(Disk.unavailable("moving away what is left over", path)))
      moved.push(name)
    }
    const begun = findings.filter(({ code }) => code === "unfinished-change")
    // Whoever opens a home finishes what was begun in it.
    if (begun.length > 0) yield* Effect.scoped(FsDriver.make({ home }))
    return {
      findings,
      backup: moved.length === 0 ? undefined : backup,
      moved,
      finished: begun.map(({ message }) => message)
    }
  })

const moveAway = (disk: Disk.Disk, from: string, to: string): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    yield* Disk.makeFolder(disk, disk.paths.dirname(to))
    yield* disk.fs.rename(from, to).pipe(Effect.catchIf(Disk.isMissing, () => Effect.void))
    yield* Disk.syncFolder(disk, disk.paths.dirname(to))
    yield* Disk.syncFolder(disk, disk.paths.dirname(from))
  })
