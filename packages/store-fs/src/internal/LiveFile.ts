/**
 * The newest file of a thread, open for appending: where it ends, whether it is still what we left, and one write to it.
 *
 * What another program does to the file is found out, not prevented (design §7). A look before a write tells what changed
 * since; one behind it tells what happened in between, and only then a write counts.
 */
import type { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import {
  type ConflictReason,
  CorruptThread,
  type InvalidRequest,
  StoreUnavailable,
  ThreadNotFound
} from "@skein/store/StoreError"
import { Effect, Exit, Scope } from "effect"
import type { FileRefused } from "../FileError.js"
import * as RolloutFile from "../RolloutFile.js"
import type { Rollout, ThreadFiles } from "./Catalog.js"
import * as Catalog from "./Catalog.js"
import * as Cold from "./Cold.js"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import type { Held } from "./Lease.js"
import type { Standings } from "./Standing.js"
import * as Standing from "./Standing.js"
import type * as Tail from "./Tail.js"

/** An open file, and what we left it as. */
export interface LiveFile {
  readonly threadId: string
  readonly path: string
  readonly files: ThreadFiles
  readonly historyMode: string
  readonly file: FileSystem.File
  readonly inode: number
  readonly close: Effect.Effect<void>
  /** Offset behind the last line that counts. */
  end: number
  size: number
  /** Whether the last byte is a line feed. */
  isEnded: boolean
  nextOrdinal: number | undefined
  /** When it was last seen to be what we left, as `Machine.elapsed` has it. */
  checkedAt: number
}

/** Bytes of ours that a failed write left behind and that could not be taken back. */
export interface Debris {
  readonly inode: number
  readonly offset: number
  readonly bytes: Uint8Array
}

/** What is known of what stands at the end of the file, and the lease that it is opened under. */
export interface Evidence {
  readonly held: Held
  readonly debris: Debris | undefined
  /** A holder that is gone wrote to it until then, in milliseconds since 1970. */
  readonly goneAt: number | undefined
}

export const position = ({ end, files }: LiveFile): Position => Positions.make(Catalog.segmentId(files.head), end)

const failed = (path: string) => Disk.unavailable("appending to a thread", path)

export type OpenError = ThreadNotFound | InvalidRequest | CorruptThread | StoreUnavailable

/**
 * Opens the newest file of a thread for appending, compressed ones made plain first. A batch of ours that was not
 * finished is cut off; what somebody else did not finish stays and is reported.
 *
 * Cost: the first and the last lines; a compressed file is decoded.
 */
export const open = (
  home: Home,
  standings: Standings,
  threadId: string,
  evidence: Evidence
): Effect.Effect<LiveFile, OpenError> =>
  Effect.gen(function* () {
    const { catalog, disk } = home
    const { facts: seen, files: found } = yield* Homes.find(home, threadId)
    const path = found.head.compressed ? yield* Cold.materialise(home, found.head, evidence.held) : found.head.path
    const files = catalog.thread(threadId) ?? found
    const scope = yield* Scope.make()
    const opened = Effect.gen(function* () {
      const file = yield* disk.fs.open(path, { flag: "a+" })
      const facts = Disk.factsOf(yield* file.stat)
      const opening = yield* standings
        .opening(path, facts)
        .pipe(Effect.mapError((error) => narrowed(threadId, Standing.readError(threadId, error))))
      if (opening.isEmpty) {
        // Opening made it, since the thread's file went away meanwhile: left there, it would stand for the thread.
        const isMade = facts.size === 0 && facts.inode !== seen.inode
        const now = isMade ? yield* Disk.look(disk, path) : undefined
        if (now?.inode === facts.inode && now.size === 0) {
          yield* Disk.remove(disk, path)
          yield* Disk.syncFolder(disk, disk.paths.dirname(path))
        }
        return yield* Effect.fail(new ThreadNotFound({ threadId }))
      }
      yield* check(threadId, path, opening)
      const beside = files.all.find((other) => other.compressed && other.path === `${path}.zst`)
      if (beside !== undefined) yield* Cold.dropRemnant(home, beside.path, file, evidence.held)
      const tail = yield* ending(
        { home, standings, path, head: files.head, file, evidence },
        opening.historyMode === "paginated"
      ).pipe(
        Effect.mapError((error) =>
          error._tag === "FileRefused"
            ? refusedAt(threadId, error)
            : error._tag === "StoreUnavailable"
              ? error
              : failed(path)(error)
        )
      )
      // What its holder did not live to make durable must not be lost from under what is written behind it.
      if (evidence.goneAt !== undefined) yield* Disk.sync(disk, file)
      if (tail.state === "torn") {
        yield* Effect.logWarning(
          `${path} ends inside a line, which is left as it is; what is appended begins a new one`
        )
      }
      const live: LiveFile = {
        threadId,
        path,
        files,
        historyMode: opening.historyMode,
        file,
        inode: facts.inode,
        close: Scope.close(scope, Exit.void),
        end: tail.end,
        size: tail.size,
        isEnded: tail.state === "ended",
        nextOrdinal: opening.historyMode === "paginated" ? (tail.nextOrdinal ?? 0) : undefined,
        checkedAt: home.machine.elapsed()
      }
      return live
    }).pipe(
      Scope.extend(scope),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
    return yield* Effect.mapError(opened, (error) =>
      error._tag === "SystemError" || error._tag === "BadArgument" ? failed(path)(error) : error
    )
  })

/** The errors of a reader that can come of a file by itself. */
const narrowed = (threadId: string, error: ReturnType<typeof Standing.readError>): OpenError =>
  error._tag === "UnsupportedHistoryMode"
    ? new CorruptThread({ threadId, position: undefined, reason: error.historyMode })
    : error

const refusedAt = (threadId: string, error: Parameters<typeof Standing.readError>[1]): OpenError =>
  narrowed(threadId, Standing.readError(threadId, error))

/** Refuses to append to a file that does not say whose it is. */
const check = (threadId: string, path: string, opening: Standing.Opening): Effect.Effect<void, CorruptThread> => {
  const reason =
    opening.threadId === undefined && opening.historyMode === "legacy"
      ? "no line says which thread it is (session_meta)"
      : opening.threadId !== undefined && opening.threadId !== threadId
        ? `it says that it is thread ${opening.threadId}`
        : undefined
  return reason === undefined
    ? Effect.void
    : Effect.fail(new CorruptThread({ threadId, position: undefined, reason: `${path}: ${reason}` }))
}

/** An open file of which the end is wanted. */
interface Ending {
  readonly home: Home
  readonly standings: Standings
  readonly path: string
  readonly head: Rollout
  readonly file: FileSystem.File
  readonly evidence: Evidence
}

/** The end of a file once what is ours and unfinished is cut off. */
const ending = (
  parts: Ending,
  ordinals: boolean
): Effect.Effect<Tail.Tail & { readonly size: number }, PlatformError | FileRefused | StoreUnavailable> =>
  Effect.gen(function* () {
    const { evidence, file, head, home, path, standings } = parts
    const { debris } = evidence
    const before = Disk.factsOf(yield* file.stat)
    if (debris !== undefined && debris.inode === before.inode) yield* takeBack(home, file, debris.offset, debris.bytes)
    const facts = Disk.factsOf(yield* file.stat)
    const source = RolloutFile.source(RolloutFile.ofHandle(path, file, facts.size))
    const tail = yield* standings.tail(head, source, ordinals)
    const isOurs = tail.state === "torn" && evidence.goneAt !== undefined && facts.mtimeMs <= evidence.goneAt
    if (tail.state !== "unfinished" && !isOurs) return { ...tail, size: facts.size }
    // Only under our lease, and only if nobody else wrote since.
    if (Disk.factsOf(yield* file.stat).size !== facts.size) return yield* ending(parts, ordinals)
    yield* file.truncate(tail.end)
    yield* Disk.sync(home.disk, file)
    return { ...tail, state: "ended", size: tail.end }
  })

/**
 * What became of a file since it was left. Undefined: nothing. Cost: a stat of the file and of the folders in which a
 * newer segment would be.
 */
export const changed = (home: Home, live: LiveFile): Effect.Effect<ConflictReason | undefined, StoreUnavailable> =>
  Effect.gen(function* () {
    const facts = yield* Disk.look(home.disk, live.path).pipe(Effect.mapError(failed(live.path)))
    if (facts === undefined) return yield* whereabouts(home, live)
    const newer = yield* newerThan(home, live)
    if (newer !== undefined) return becameOf(live, newer)
    if (facts.inode !== live.inode || facts.size !== live.size) return "grown"
    live.checkedAt = home.machine.elapsed()
    return undefined
  })

/** The file that stands for the thread now, if that is another one. */
const newerThan = (home: Home, live: LiveFile): Effect.Effect<Rollout | undefined, StoreUnavailable> =>
  Effect.map(Homes.refresh(home, live.files.head), () => {
    const head = home.catalog.thread(live.threadId)?.head
    return head === undefined || head.path === live.path ? undefined : head
  })

/** What became of a file that is no longer at its path. */
export const whereabouts = (home: Home, live: LiveFile): Effect.Effect<ConflictReason, StoreUnavailable> =>
  Effect.map(home.catalog.walk, () => {
    const head = home.deleting.has(live.threadId) ? undefined : home.catalog.thread(live.threadId)?.head
    return head === undefined ? "deleted" : becameOf(live, head)
  })

const becameOf = (live: LiveFile, head: Rollout): ConflictReason => {
  if (Catalog.segmentId(head) !== Catalog.segmentId(live.files.head)) return "superseded"
  return head.folder === live.files.head.folder && head.compressed ? "compressed" : "moved"
}

/** What became of a write. `shifted`: it is there, but somebody else wrote in front of it. */
export type Outcome =
  | { readonly _tag: "Written"; readonly shift: number; readonly isAlone: boolean }
  | { readonly _tag: "TakenBack"; readonly reason: ConflictReason }
  | { readonly _tag: "TakenOver" }

/** What a write is done with. */
export interface WriteOptions {
  readonly bytes: Uint8Array
  /** Whether nobody looked in front of it whether the thread goes on elsewhere. */
  readonly isUnseen: boolean
  /** Whether the lease has been ours all the time, as far as the clock tells. */
  readonly isInTime: () => boolean
  /** Whether it still is, as the lease files tell. */
  readonly isOurs: Effect.Effect<boolean, StoreUnavailable>
  /** Told of bytes that a failed write left and that could not be taken back. */
  readonly leave: (debris: Debris) => void
}

/**
 * Appends bytes, durably, and looks whether they are where they should be: under the file's name, behind what we left, and
 * with nobody taking the file over. A write that fails is taken back. Cost: the write, the sync, and a stat.
 */
export const write = (home: Home, live: LiveFile, options: WriteOptions): Effect.Effect<Outcome, StoreUnavailable> => {
  const { bytes } = options
  const size = live.size + bytes.length
  const { between, without } = home.trial
  const done = Effect.zipRight(
    between("write"),
    Effect.zipRight(Disk.append(home.disk, live.file, bytes), between("look"))
  )
  if (without.has("look")) return Effect.mapBoth(done, { onFailure: failed(live.path), onSuccess: () => alone })
  return Effect.matchEffect(Effect.zipRight(done, Disk.look(home.disk, live.path)), {
    onFailure: (error) => Effect.zipRight(undo(home, live, options), Effect.fail(failed(live.path)(error))),
    onSuccess: (facts) =>
      facts !== undefined &&
      facts.inode === live.inode &&
      facts.size === size &&
      facts.links === 1 &&
      options.isInTime()
        ? options.isUnseen
          ? unlessSuperseded(home, live, options)
          : Effect.succeed(alone)
        : Effect.tapError(settle(home, live, options, facts), () => undo(home, live, options))
  })
}

const alone: Outcome = { _tag: "Written", shift: 0, isAlone: true }

/** Takes a write back that went to a file which no longer stands for the thread. */
const unlessSuperseded = (
  home: Home,
  live: LiveFile,
  options: WriteOptions
): Effect.Effect<Outcome, StoreUnavailable> =>
  Effect.matchEffect(newerThan(home, live), {
    onFailure: (error) => Effect.zipRight(undo(home, live, options), Effect.fail(error)),
    onSuccess: (newer): Effect.Effect<Outcome, StoreUnavailable> =>
      newer === undefined
        ? Effect.succeed(alone)
        : Effect.as(takenBack(home, live, options), { _tag: "TakenBack", reason: becameOf(live, newer) })
  })

/** Finds out what happened to a write that is not as it should be. */
const settle = (
  home: Home,
  live: LiveFile,
  options: WriteOptions,
  facts: Disk.Facts | undefined
): Effect.Effect<Outcome, StoreUnavailable> =>
  Effect.gen(function* () {
    if (!(yield* options.isOurs)) return { _tag: "TakenOver" }
    if (facts === undefined || facts.inode !== live.inode) {
      const reason = facts === undefined ? yield* whereabouts(home, live) : "moved"
      yield* takenBack(home, live, options)
      return { _tag: "TakenBack", reason }
    }
    if (facts.size === live.size + options.bytes.length) return alone
    return yield* Effect.mapError(between(home, live, options), failed(live.path))
  })

/** What to do when somebody else wrote at the same time. */
const between = (home: Home, live: LiveFile, { bytes }: WriteOptions): Effect.Effect<Outcome, PlatformError> =>
  Effect.gen(function* () {
    const { size } = Disk.factsOf(yield* live.file.stat)
    // In front of where we left it only if somebody made it shorter.
    const from = Math.max(0, Math.min(live.size, size - bytes.length))
    const gained = Buffer.from(yield* readAt(live.file, from, size - from))
    const found = gained.indexOf(bytes)
    const at = from + found
    if (found < 0) return { _tag: "TakenBack", reason: "moved" }
    if (at === live.size) return { _tag: "Written", shift: 0, isAlone: false }
    if (at + bytes.length < size) return { _tag: "Written", shift: at - live.size, isAlone: false }
    // Ours is the last: it goes, and whoever wanted it decides again on what is there now.
    yield* live.file.truncate(at)
    yield* Disk.sync(home.disk, live.file)
    return { _tag: "TakenBack", reason: "grown" }
  })

/** Takes a write back, or says that it could not be: whoever is told of a conflict may take it that nothing was written. */
const takenBack = (home: Home, live: LiveFile, options: WriteOptions): Effect.Effect<void, StoreUnavailable> =>
  Effect.flatMap(undo(home, live, options), (isGone) =>
    isGone
      ? Effect.void
      : Effect.fail(
          new StoreUnavailable({
            operation: "appending to a thread",
            reason: "its file went away while it was written to, and others wrote behind it",
            advice: "Read the thread: all of the batch is there, or nothing of it.",
            retryable: false,
            paths: [live.path]
          })
        )
  )

/** Takes a write back as far as that is possible now; gives whether it is known to be gone. */
const undo = (home: Home, live: LiveFile, { bytes, leave }: WriteOptions): Effect.Effect<boolean> =>
  takeBack(home, live.file, live.size, bytes).pipe(
    Effect.catchAll(() =>
      Effect.sync(() => {
        leave({ inode: live.inode, offset: live.size, bytes })
        return false
      })
    )
  )

/** Cuts off what a write left behind an offset, if that is all there is behind it. Gives whether nothing of it is there. */
const takeBack = (
  home: Home,
  file: FileSystem.File,
  offset: number,
  bytes: Uint8Array
): Effect.Effect<boolean, PlatformError> =>
  Effect.gen(function* () {
    const { size } = Disk.factsOf(yield* file.stat)
    if (size <= offset) return true
    if (size > offset + bytes.length) return false
    const gained = yield* readAt(file, offset, size - offset)
    if (Buffer.compare(gained, bytes.subarray(0, gained.length)) !== 0) return true
    yield* file.truncate(offset)
    yield* Disk.sync(home.disk, file)
    return true
  })

const readAt = (file: FileSystem.File, offset: number, length: number): Effect.Effect<Uint8Array, PlatformError> =>
  Effect.suspend(() => {
    const all = new Uint8Array(length)
    return Effect.map(Disk.fill(file, offset, all), (held) => all.subarray(0, held))
  })
