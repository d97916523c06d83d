/**
 * Changes of files that a crash cannot leave half done: content goes to a temporary file, is made durable, and takes its
 * name in one step.
 *
 * Nothing but `FileSystem` of `@effect/platform` is used, so that a test can fail any step or stand another file system
 * under it. At level `os` nothing is synced: what the system was handed survives the process, not the loss of power.
 */
import type { FileSystem, Path } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { StoreUnavailable } from "@skein/store/StoreError"
import { type Clock, Effect, Option, type Scope } from "effect"

/** A file system and how durable changes of it are to be. */
export interface Disk {
  readonly fs: FileSystem.FileSystem
  readonly paths: Path.Path
  /** Whether changes survive the loss of power. */
  readonly isDurable: boolean
  /** Folders whose names are durable. */
  readonly safe: Set<string>
}

/** What the system says of a file. */
export interface Facts {
  readonly type: FileSystem.File.Type
  readonly size: number
  /** Milliseconds since 1970. */
  readonly mtimeMs: number
  readonly inode: number
  /** Names that it has; 0 when the system does not tell. */
  readonly links: number
  readonly mode: number
}

/** What a stat says. */
export const factsOf = (info: FileSystem.File.Info): Facts => ({
  type: info.type,
  size: Number(info.size),
  mtimeMs: Option.match(info.mtime, { onNone: () => 0, onSome: (time) => time.getTime() }),
  inode: Option.getOrElse(info.ino, () => 0),
  links: Option.getOrElse(info.nlink, () => 0),
  mode: info.mode & 0o7777
})

/** Whether two looks at a file saw the same content, as far as the system tells. */
export const isSame = (
  left: Pick<Facts, "size" | "mtimeMs" | "inode">,
  right: Pick<Facts, "size" | "mtimeMs" | "inode">
): boolean => left.size === right.size && left.mtimeMs === right.mtimeMs && left.inode === right.inode

/** Milliseconds in which two changes of a folder may leave the same time. */
const tick = 20

/**
 * Whether a change that comes now would give a folder another time than it has. By the clock of the system, which files
 * get their times from, and by that of the store, which a simulated disk may go by.
 */
export const isSettled = (clock: Clock.Clock, mtimeMs: number): boolean =>
  Math.abs(Date.now() - mtimeMs) > tick && Math.abs(clock.unsafeCurrentTimeMillis() - mtimeMs) > tick

/** Whether an error says that there is no such file. */
export const isMissing = (error: PlatformError): boolean => error._tag === "SystemError" && error.reason === "NotFound"

/** Whether an error says that something is not allowed. */
const isForbidden = (error: PlatformError): boolean =>
  error._tag === "SystemError" && error.reason === "PermissionDenied"

/** Whether an error says that there is such a file already. */
export const isTaken = (error: PlatformError): boolean =>
  error._tag === "SystemError" && error.reason === "AlreadyExists"

/** What is at a path; undefined when nothing is. Links are followed. */
export const look = ({ fs }: Pick<Disk, "fs">, path: string): Effect.Effect<Facts | undefined, PlatformError> =>
  Effect.matchEffect(fs.stat(path), {
    onFailure: (error) => (isMissing(error) ? Effect.succeed(undefined) : Effect.fail(error)),
    onSuccess: (info) => Effect.succeed(factsOf(info))
  })

const fibers = 16

/**
 * What is at each of many paths; undefined for what cannot be looked at. A few fibers walk through long lists: a fiber
 * for each path would cost more than the look.
 */
export const lookAll = ({ fs }: Disk, paths: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Facts | undefined>> =>
  Effect.suspend(() => {
    const found = new Array<Facts | undefined>(paths.length)
    const from = (i: number): Effect.Effect<void> => {
      const path = paths[i]
      if (path === undefined) return Effect.void
      return Effect.matchEffect(fs.stat(path), {
        onFailure: () => from(i + fibers),
        onSuccess: (info) => {
          found[i] = factsOf(info)
          return from(i + fibers)
        }
      })
    }
    const lanes = Array.from({ length: fibers }, (_, i) => from(i))
    return Effect.as(Effect.all(lanes, { concurrency: fibers, discard: true }), found)
  })

/** The names in a folder; none when there is no such folder. */
export const list = ({ fs }: Disk, folder: string): Effect.Effect<ReadonlyArray<string>, PlatformError> =>
  fs.readDirectory(folder).pipe(Effect.catchIf(isMissing, () => Effect.succeed([])))

/**
 * Makes a folder and those above it where they are missing; all of them are durable when it returns, also those that a
 * process made which died before it could see to that. Cost: a stat; a sync of each of them the first time.
 */
export const makeFolder = (disk: Disk, folder: string): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    const { fs, paths, safe } = disk
    const isThere = (yield* look(disk, folder)) !== undefined
    const above = paths.dirname(folder)
    if (above === folder || (isThere && safe.has(folder))) return
    yield* makeFolder(disk, above)
    if (!isThere) yield* fs.makeDirectory(folder).pipe(Effect.catchIf(isTaken, () => Effect.void))
    // Of folders above the home that others made and may not be read, it is theirs to see to that.
    yield* syncFolder(disk, above).pipe(
      Effect.catchIf(isForbidden, (error) => (isThere ? Effect.void : Effect.fail(error)))
    )
    safe.add(folder)
  })

/** A disk of which nobody knows yet which folders are durable. */
export const make = (
  fs: FileSystem.FileSystem,
  paths: Path.Path,
  { isDurable }: { readonly isDurable: boolean }
): Disk => ({ fs, paths, isDurable, safe: new Set() })

/** Makes the names in a folder durable. */
export const syncFolder = ({ fs, isDurable }: Disk, folder: string): Effect.Effect<void, PlatformError> =>
  isDurable ? Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (handle) => handle.sync)) : Effect.void

/** Reads from a place of an open file until memory is full or the file ends; gives how many bytes that were. */
export const fill = (file: FileSystem.File, offset: number, memory: Uint8Array): Effect.Effect<number, PlatformError> =>
  Effect.gen(function* () {
    yield* file.seek(offset, "start")
    let held = 0
    while (held < memory.length) {
      const count = Number(yield* file.read(memory.subarray(held)))
      if (count === 0) break
      held += count
    }
    return held
  })

/** Makes the content of an open file durable. */
export const sync = ({ isDurable }: Disk, file: FileSystem.File): Effect.Effect<void, PlatformError> =>
  isDurable ? file.sync : Effect.void

/** Appends bytes to an open file and makes them durable. */
export const append = (disk: Disk, file: FileSystem.File, bytes: Uint8Array): Effect.Effect<void, PlatformError> =>
  disk.isDurable ? Effect.zipRight(file.writeAll(bytes), file.sync) : file.writeAll(bytes)

/** Removes a file; nothing happens when it is gone. */
export const remove = ({ fs }: Disk, path: string): Effect.Effect<void, PlatformError> =>
  fs.remove(path).pipe(Effect.catchIf(isMissing, () => Effect.void))

/** A file that has no name of its own yet. */
export interface Temporary {
  readonly path: string
  readonly file: FileSystem.File
  /** Says that it was renamed, so that nothing is left to be removed. */
  readonly renamed: () => void
}

/**
 * A new file beside a path, for as long as the scope lasts. Its name is one that readers of rollouts pass over, and that
 * Codex removes when it is old.
 *
 * @param word Sets it apart from the temporary files of others.
 */
export const temporary = (
  disk: Disk,
  beside: string,
  word: string,
  mode?: number
): Effect.Effect<Temporary, PlatformError, Scope.Scope> =>
  Effect.gen(function* () {
    const path = `${beside}.${word}.tmp`
    let isThere = true
    yield* Effect.addFinalizer(() => (isThere ? Effect.ignore(remove(disk, path)) : Effect.void))
    const file = yield* disk.fs.open(path, { flag: "w+", ...(mode === undefined ? {} : { mode }) })
    return {
      path,
      file,
      renamed: () => {
        isThere = false
      }
    }
  })

/** Puts content in the place of a file, or makes it: the old content or the new, never a part. */
export const replace = (
  disk: Disk,
  path: string,
  content: Uint8Array,
  word: string
): Effect.Effect<void, PlatformError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const made = yield* temporary(disk, path, word)
      if (content.length > 0) yield* made.file.writeAll(content)
      yield* sync(disk, made.file)
      yield* disk.fs.rename(made.path, path)
      made.renamed()
      yield* syncFolder(disk, disk.paths.dirname(path))
    })
  )

/**
 * Gives a file a name that nothing has yet, durably. Gives false, and changes nothing, when the name is taken. The old name
 * stays. When it fails, the file does not have the new name, as far as that is in our power.
 */
export const install = (disk: Disk, from: string, to: string): Effect.Effect<boolean, PlatformError> =>
  Effect.gen(function* () {
    const linked = yield* Effect.either(disk.fs.link(from, to))
    if (linked._tag === "Left") {
      if (isTaken(linked.left)) return false
      // Some file systems have no second names: there a look and a rename have to do.
      if (!isUnsupported(linked.left)) return yield* Effect.fail(linked.left)
      if ((yield* look(disk, to)) !== undefined) return false
      yield* disk.fs.rename(from, to)
    }
    yield* syncFolder(disk, disk.paths.dirname(to))
    return true
  }).pipe(Effect.tapError(() => Effect.ignore(uninstall(disk, from, to))))

const uninstall = (disk: Disk, from: string, to: string): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    const [source, target] = [yield* look(disk, from), yield* look(disk, to)]
    if (source !== undefined && source.inode === target?.inode && source.inode !== 0) yield* remove(disk, to)
  })

const unsupported: ReadonlySet<unknown> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"])

const codeOf = (error: PlatformError): unknown =>
  typeof error.cause === "object" && error.cause !== null
    ? (error.cause as { readonly code?: unknown }).code
    : undefined

const isUnsupported = (error: PlatformError): boolean => unsupported.has(codeOf(error))

/**
 * Moves a file to a name that nothing has; repeatable after a crash at any step. Gives false, and changes nothing, when
 * another file has that name.
 */
export const move = (disk: Disk, from: string, to: string): Effect.Effect<boolean, PlatformError> =>
  Effect.gen(function* () {
    const source = yield* look(disk, from)
    if (source === undefined) return (yield* look(disk, to)) !== undefined
    if (!(yield* install(disk, from, to))) {
      const taken = yield* look(disk, to)
      if (taken === undefined || taken.inode !== source.inode || source.inode === 0) return false
      // Whoever gave it that name may have died before it was durable, and the other one is about to go.
      yield* syncFolder(disk, disk.paths.dirname(to))
    }
    yield* remove(disk, from)
    yield* syncFolder(disk, disk.paths.dirname(from))
    return true
  })

/** What a failed step of a store means to its caller. */
export const unavailable =
  (operation: string, ...paths: ReadonlyArray<string>) =>
  (error: PlatformError): StoreUnavailable => {
    const { advice, reason, retryable } = meaningOf(error)
    return new StoreUnavailable({ operation, reason, advice, retryable, paths, cause: error })
  }

/** What it means that another process was in the way: to be tried again. */
export const disturbed = (operation: string, reason: string, ...paths: ReadonlyArray<string>): StoreUnavailable =>
  new StoreUnavailable({ operation, reason, advice: "Try again.", retryable: true, paths })

interface Meaning {
  readonly reason: string
  readonly advice: string
  readonly retryable: boolean
}

const meaningOf = (error: PlatformError): Meaning => {
  const code = codeOf(error)
  if (code === "ENOSPC" || code === "EDQUOT") {
    return { reason: "there is no room left on the disk", advice: "Make room and try again.", retryable: true }
  }
  if (code === "EROFS") {
    return { reason: "the file system is read-only", advice: "Use a home that can be written to.", retryable: false }
  }
  if (code === "EMFILE" || code === "ENFILE") {
    return { reason: "too many files are open", advice: "Close some, or raise the limit.", retryable: true }
  }
  const reason = error._tag === "SystemError" ? error.reason : undefined
  if (reason === "PermissionDenied" || code === "EPERM") {
    return {
      reason: "it is not permitted",
      advice: "Check the permissions of the files and of their folders.",
      retryable: false
    }
  }
  if (reason === "NotFound") {
    return { reason: "a file or folder is gone", advice: "Check that the home is there.", retryable: true }
  }
  return { reason: error.message, advice: "Check the path and the disk, then try again.", retryable: true }
}
