/**
 * Which rollouts a home has, by thread and by segment, from the names of its files alone.
 *
 * All folders are listed once; later only those in which a new file is likely to be, and those only when they changed.
 * Whoever finds that a file is gone, or does not find a thread, asks for everything to be listed again.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { StoreUnavailable } from "@skein/store/StoreError"
import { type Clock, Effect } from "effect"
import * as CodexHome from "../CodexHome.js"
import * as Disk from "./Disk.js"

/** A rollout of a home. */
export interface Rollout extends CodexHome.Found {
  readonly folder: string
  readonly isArchived: boolean
}

/** The files of a thread. */
export interface ThreadFiles {
  readonly threadId: string
  /** The files that count, one for each segment, in the order of their making. */
  readonly segments: ReadonlyArray<Rollout>
  /** The newest of them: it stands for the thread (since-july). */
  readonly head: Rollout
  /** Files that say they are a segment which another file is taken for. */
  readonly duplicates: ReadonlyArray<Rollout>
  /** Every file, compressed ones beside plain ones of the same name included. */
  readonly all: ReadonlyArray<Rollout>
}

/** The id of the segment in a file: a thread's first file has the thread's. */
export const segmentId = (file: CodexHome.RolloutName): string => file.segmentId ?? file.threadId

/** What there is in a home. */
export interface Catalog {
  /** Lists every folder. Cost: one listing a folder. */
  readonly walk: Effect.Effect<void, StoreUnavailable>
  /** {@link walk}, unless it was done before. */
  readonly begin: Effect.Effect<void, StoreUnavailable>
  /** Lists folders again if they changed. Gives whether one did. Cost: a stat for each. */
  readonly refresh: (folders: ReadonlyArray<string>) => Effect.Effect<boolean, StoreUnavailable>
  readonly thread: (threadId: string) => ThreadFiles | undefined
  readonly threads: () => Iterable<ThreadFiles>
  /** The file that an id names as a base (since-july); one of the thread that asks comes first. */
  readonly base: (id: string, of: string) => Rollout | undefined
  /** Files without a name of their own yet: what they are called as long as they are being made. */
  readonly temporaries: () => Iterable<string>
  /** Takes note of a file that was made or is gone. */
  readonly add: (path: string) => void
  readonly drop: (path: string) => void
  /** Takes note that something that is named as a rollout is none: a directory, a pipe. */
  readonly pass: (path: string) => void
  /** Grows whenever a file comes to be known, or is known no longer. */
  readonly revision: () => number
  /** Why a folder could not be listed, if one could not. */
  readonly problem: () => StoreUnavailable | undefined
  /** The same of every folder that could not be. */
  readonly problems: () => Iterable<StoreUnavailable>
}

interface Folder {
  readonly inode: number
  readonly mtimeMs: number
  /** Whether any change since it was listed shows in its time. */
  readonly isSettled: boolean
  readonly names: Set<string>
}

/** How deep rollouts lie below their roots at most. */
const depth = 5
/** Folders that are listed at once. */
const width = 8

/** A catalog of a home; nothing is listed yet. */
export const make = (disk: Disk.Disk, clock: Clock.Clock, home: string): Catalog => {
  const { fs, paths } = disk
  const roots = [paths.join(home, "sessions"), paths.join(home, "archived_sessions")] as const
  const folders = new Map<string, Folder>()
  const files = new Map<string, Rollout>()
  const byThread = new Map<string, Set<Rollout>>()
  const bySegment = new Map<string, Set<Rollout>>()
  const arranged = new Map<string, ThreadFiles>()
  const passed = new Set<string>()
  const problems = new Map<string, StoreUnavailable>()
  /** Counts what is found out of folders, and when that of each began to be; of changes of ours, when they were made. */
  let moment = 0
  const changedAt = new Map<string, number>()
  let isWalked = false
  let revision = 0

  const put = (folder: string, path: string, name: CodexHome.RolloutName): void => {
    if (files.has(path)) return
    const isArchived = folder === roots[1] || folder.startsWith(`${roots[1]}${paths.sep}`)
    const file: Rollout = { ...name, path, folder, isArchived }
    revision++
    files.set(path, file)
    into(byThread, file.threadId, file)
    into(bySegment, segmentId(file), file)
    arranged.delete(file.threadId)
  }

  const add = (path: string): void => {
    const name = paths.basename(path)
    const rollout = CodexHome.parseName(name)
    if (rollout === undefined) return
    const folder = paths.dirname(path)
    put(folder, path, rollout)
    changedAt.set(folder, ++moment)
    const known = folders.get(folder)
    // A folder that was never listed is to be, and then tells whether the file is still there.
    if (known === undefined) folders.set(folder, { inode: 0, mtimeMs: 0, isSettled: false, names: new Set([name]) })
    else known.names.add(name)
  }

  const drop = (path: string): void => {
    const file = files.get(path)
    if (file === undefined) return
    revision++
    files.delete(path)
    passed.delete(path)
    outOf(byThread, file.threadId, file)
    outOf(bySegment, segmentId(file), file)
    arranged.delete(file.threadId)
    folders.get(file.folder)?.names.delete(paths.basename(path))
  }

  /** {@link drop} of a file that we took away. */
  const gone = (path: string): void => {
    changedAt.set(paths.dirname(path), ++moment)
    drop(path)
  }

  /** Lists one folder; gives the folders in it. A folder that cannot be listed keeps what was known of it. */
  const listFolder = (folder: string, left = 8): Effect.Effect<ReadonlyArray<string>, PlatformError> =>
    Effect.gen(function* () {
      const begun = ++moment
      const facts = yield* Disk.look(disk, folder)
      const isSettled = facts !== undefined && Disk.isSettled(clock, facts.mtimeMs)
      const names = new Set(facts === undefined ? [] : yield* Disk.list(disk, folder))
      // Something newer is known by now: by another listing, or of a file that we made or moved.
      if (left > 0 && (changedAt.get(folder) ?? 0) > begun) return yield* listFolder(folder, left - 1)
      changedAt.set(folder, begun)
      for (const name of folders.get(folder)?.names ?? []) if (!names.has(name)) drop(paths.join(folder, name))
      if (facts === undefined) folders.delete(folder)
      else folders.set(folder, { inode: facts.inode, mtimeMs: facts.mtimeMs, isSettled, names })
      const others: Array<string> = []
      for (const name of names) {
        const path = `${folder}${paths.sep}${name}`
        const rollout = CodexHome.parseName(name)
        if (rollout === undefined) others.push(path)
        else put(folder, path, rollout)
      }
      problems.delete(folder)
      return others
    })

  /** What cannot be looked into hides no other thread; but what failed once need not fail again. */
  const again = { times: 1 }

  const isFolder = (path: string): Effect.Effect<boolean> =>
    Effect.gen(function* () {
      if (folders.has(path)) return true
      if (path.endsWith(".tmp") || path.endsWith(".json")) return false
      const facts = yield* Effect.retry(Disk.look(disk, path), again)
      return facts?.type === "Directory" && !(yield* Effect.isSuccess(fs.readLink(path)))
    }).pipe(
      Effect.catchAll((error) =>
        Effect.sync(() => {
          // Nobody knows what it is: what lies in it may be missed, and that is not to pass for absence.
          if (!Disk.isMissing(error)) problems.set(path, Disk.unavailable("listing a folder", path)(error))
          return false
        })
      )
    )

  const walkBelow = (folder: string, left: number, seen: Set<string>): Effect.Effect<void> =>
    Effect.gen(function* () {
      seen.add(folder)
      const others = yield* listFolder(folder).pipe(
        Effect.retry(again),
        Effect.catchAll((error) => {
          problems.set(folder, Disk.unavailable("listing a folder", folder)(error))
          return Effect.succeed<ReadonlyArray<string>>([])
        })
      )
      const below = left === 0 ? [] : yield* Effect.filter(others, isFolder, { concurrency: width })
      yield* Effect.forEach(below, (one) => walkBelow(one, left - 1, seen), { concurrency: width, discard: true })
    })

  // One at a time: what one could not list is no longer known once another one has begun.
  const lock = Effect.unsafeMakeSemaphore(1)

  const walkOnce = Effect.gen(function* () {
    const seen = new Set<string>()
    problems.clear()
    // What was no file may have become one.
    for (const path of passed) {
      const file = files.get(path)
      if (file !== undefined) arranged.delete(file.threadId)
    }
    passed.clear()
    // A thread that is moved meanwhile is missed in neither place: in the archive it is seen before it leaves it, or, once
    // the other place was listed, after it came there.
    yield* walkBelow(roots[1], depth, seen)
    yield* walkBelow(roots[0], depth, seen)
    yield* Effect.ignore(refreshOne(roots[1], new Set()))
    for (const folder of folders.keys()) {
      const isHidden = [...problems.keys()].some((above) => folder.startsWith(`${above}${paths.sep}`))
      if (!seen.has(folder) && !isHidden) forget(folder)
    }
    isWalked = true
    const problem = roots.map((root) => problems.get(root)).find((one) => one !== undefined)
    if (problem !== undefined) return yield* Effect.fail(problem)
  })
  const walk = lock.withPermits(1)(walkOnce)

  const forget = (folder: string): void => {
    for (const name of folders.get(folder)?.names ?? []) drop(paths.join(folder, name))
    folders.delete(folder)
  }

  /** A folder that nobody knows of is looked for in what its parent lists, if that changed. */
  const refreshOne = (folder: string, seen: Set<string>): Effect.Effect<boolean, PlatformError> =>
    Effect.gen(function* () {
      if (seen.has(folder)) return false
      seen.add(folder)
      const known = folders.get(folder)
      if (known === undefined && folder !== roots[0] && folder !== roots[1]) {
        yield* refreshOne(paths.dirname(folder), seen)
        const isNew = folders.get(paths.dirname(folder))?.names.has(paths.basename(folder)) === true
        if (!isNew || !(yield* isFolder(folder))) return false
        yield* listFolder(folder)
        return true
      }
      const facts = yield* Disk.look(disk, folder)
      if (facts === undefined && known === undefined) return false
      const isUnchanged =
        facts !== undefined &&
        known !== undefined &&
        facts.inode === known.inode &&
        facts.mtimeMs === known.mtimeMs &&
        known.isSettled
      if (isUnchanged) return false
      yield* listFolder(folder)
      return true
    })

  const thread = (threadId: string): ThreadFiles | undefined => {
    const known = arranged.get(threadId)
    if (known !== undefined) return known
    const all = [...(byThread.get(threadId) ?? [])].filter(({ path }) => !passed.has(path))
    const made = arrange(threadId, all)
    if (made !== undefined) arranged.set(threadId, made)
    return made
  }

  return {
    walk,
    begin: Effect.suspend(() => (isWalked ? Effect.void : walk)),
    refresh: (some) =>
      Effect.gen(function* () {
        let isChanged = false
        const seen = new Set<string>()
        for (const folder of some) isChanged = (yield* refreshOne(folder, seen)) || isChanged
        return isChanged
      }).pipe(Effect.mapError((error) => Disk.unavailable("listing a folder", ...some)(error))),
    thread,
    threads: function* () {
      for (const threadId of byThread.keys()) {
        const one = thread(threadId)
        if (one !== undefined) yield one
      }
    },
    base: (id, of) => {
      const wanted = id.toLowerCase()
      const all = [...(bySegment.get(wanted) ?? [])].filter(({ path }) => !passed.has(path))
      const own = all.filter(({ threadId }) => threadId === of)
      const further = (own.length > 0 ? own : all).filter((file) => file.segmentId !== undefined)
      return [...(further.length > 0 ? further : all)].sort(preferred).at(0)
    },
    temporaries: function* () {
      for (const [folder, { names }] of folders) {
        for (const name of names) if (name.endsWith(".tmp")) yield paths.join(folder, name)
      }
    },
    add,
    drop: gone,
    pass: (path) => {
      passed.add(path)
      const file = files.get(path)
      if (file !== undefined) arranged.delete(file.threadId)
    },
    revision: () => revision,
    problem: () => problems.values().next().value,
    problems: () => problems.values()
  }
}

const into = (map: Map<string, Set<Rollout>>, key: string, file: Rollout): void => {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([file]))
  else known.add(file)
}

const outOf = (map: Map<string, Set<Rollout>>, key: string, file: Rollout): void => {
  const known = map.get(key)
  known?.delete(file)
  if (known?.size === 0) map.delete(key)
}

/** Of several files for one segment: active before archived, newer before older, plain before compressed. */
const preferred = (left: Rollout, right: Rollout): number => {
  if (left.isArchived !== right.isArchived) return left.isArchived ? 1 : -1
  if (left.time !== right.time) return left.time < right.time ? 1 : -1
  if (left.compressed !== right.compressed) return left.compressed ? 1 : -1
  return left.path < right.path ? -1 : 1
}

/** The files of a thread in order. Which file stands for a segment depends on nothing but their names. */
const arrange = (threadId: string, all: ReadonlyArray<Rollout>): ThreadFiles | undefined => {
  const [only] = all
  if (only !== undefined && all.length === 1) return { threadId, segments: all, head: only, duplicates: [], all }
  const best = new Map<string, Rollout>()
  const duplicates: Array<Rollout> = []
  for (const file of [...all].sort(preferred)) {
    const id = segmentId(file)
    const chosen = best.get(id)
    if (chosen === undefined) best.set(id, file)
    // The other form of a file is no second claim.
    else if (CodexHome.logical(chosen.path) !== CodexHome.logical(file.path)) duplicates.push(file)
  }
  const segments = [...best.values()].sort(CodexHome.compare)
  const head = segments.at(-1)
  return head === undefined ? undefined : { threadId, segments, head, duplicates, all }
}
