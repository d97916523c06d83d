/** New files: the first one of a thread, and those in which a thread goes on from an earlier place. */
import type { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import type { RawLine } from "@skein/core/record/Jsonl"
import type { NewSegment, NewThread } from "@skein/store/Driver"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as LineSource from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import {
  type AppendError,
  InvalidRequest,
  LeaseHeld,
  type ReadError,
  StoreUnavailable,
  ThreadAlreadyExists,
  ThreadNotFound
} from "@skein/store/StoreError"
import { Effect, type Scope } from "effect"
import * as CodexHome from "../CodexHome.js"
import * as RolloutFile from "../RolloutFile.js"
import type * as Catalog from "./Catalog.js"
import type { AllColumns } from "./Columns.js"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Intents from "./Intents.js"
import type { Lane, Tools } from "./Lane.js"
import * as Lanes from "./Lane.js"
import * as Lease from "./Lease.js"
import * as Logs from "./Logs.js"
import type { Standings } from "./Standing.js"
import * as Tail from "./Tail.js"

const failed = (path: string) => Disk.unavailable("writing a new file of a thread", path)

/** The file of a new thread, durable and under its name at once; see `Driver.create`. */
export const create = (
  tools: Tools,
  lane: Lane,
  columns: AllColumns,
  thread: NewThread
): Effect.Effect<Position, ThreadAlreadyExists | ReadError> =>
  Effect.gen(function* () {
    const { catalog, machine } = tools.home
    const { archivedAt, explicit, segment, threadId } = thread
    yield* catalog.begin
    const isFirst = machine.isShared ? yield* isUntouched(tools, lane) : true
    // A thread of that id may be in a folder where nobody expects a new file.
    if (!isFirst && catalog.thread(threadId) === undefined) yield* catalog.walk
    if (catalog.thread(threadId) !== undefined) return yield* Effect.fail(new ThreadAlreadyExists({ threadId }))
    const { base } = segment
    const source = base === undefined ? undefined : catalog.base(base.segmentId, threadId)
    const time = CodexHome.timeOf(segment.madeAt)
    const name = CodexHome.fileName(time, threadId, segment.segmentId === threadId ? undefined : segment.segmentId)
    const isPlain = archivedAt === undefined && Object.values(explicit).every((value) => value === undefined)
    if (!isPlain) {
      yield* columns.change(threadId, () => ({ ...explicit, ...(archivedAt === undefined ? {} : { archivedAt }) }))
    }
    const folder = archivedAt === undefined ? Homes.sessionsFolder(tools.home, time) : Homes.archiveFolder(tools.home)
    const size = yield* install(tools, { folder, name, threadId, historyMode: thread.historyMode, segment })
    if (size === undefined) return yield* Effect.fail(new ThreadAlreadyExists({ threadId }))
    if (source !== undefined && thread.historyMode === "paginated") {
      const path = tools.home.disk.paths.join(folder, name)
      yield* unlessDeleted(tools.home, source, threadId).pipe(
        Effect.tapError(() => {
          catalog.drop(path)
          return Effect.ignore(Disk.remove(tools.home.disk, path))
        })
      )
    }
    return Positions.make(segment.segmentId, size)
  })

/**
 * Fails when what a new thread stands on is being deleted: a deletion that began before the thread was there may not have
 * seen that it stands on it. One that begins later sees it, and gives it its own copy.
 */
const unlessDeleted = (
  home: Home,
  source: Catalog.Rollout,
  threadId: string
): Effect.Effect<void, ThreadNotFound | StoreUnavailable> =>
  Effect.gen(function* () {
    if (source.threadId === threadId) return
    const missing = Effect.fail(new ThreadNotFound({ threadId: source.threadId }))
    const intents = yield* Effect.mapError(Intents.pending(home), failed(source.path))
    if (intents.some((one) => one.kind === "delete" && one.threadId === source.threadId)) return yield* missing
    if ((yield* Effect.mapError(Disk.look(home.disk, source.path), failed(source.path))) !== undefined) return
    yield* home.catalog.walk
    const { segmentId = source.threadId } = source
    if (home.catalog.base(segmentId, threadId) === undefined) return yield* missing
  })

/** Takes the lease of an id that nobody has a thread under. Gives whether nobody ever had one. */
const isUntouched = (tools: Tools, lane: Lane): Effect.Effect<boolean, StoreUnavailable> =>
  Effect.gen(function* () {
    if (lane.lastFence > 0) return false
    const held = yield* Lanes.acquire(tools, lane, "brief", "making the thread", 3000)
    return held.fence === 1
  }).pipe(
    Effect.catchTag("LeaseHeld", (error) =>
      Effect.fail(
        new StoreUnavailable({
          operation: "making a thread",
          reason: error.message,
          advice: "Another process makes a thread of that id; look whether it is there.",
          retryable: true,
          paths: []
        })
      )
    )
  )

/** Lets a thread go on in a new file; see `Driver.branch`. */
export const branch = (
  tools: Tools,
  lane: Lane,
  segment: NewSegment,
  options: { readonly expected: Position; readonly fence: number | undefined }
): Effect.Effect<Position, AppendError> =>
  Effect.gen(function* () {
    const { home } = tools
    const { catalog, disk, leases, machine } = home
    const { threadId } = lane
    const { segmentId } = segment
    const held = yield* Lanes.permit(tools, lane, options.fence)
    const live = yield* Lanes.current(tools, lane, options.expected)
    yield* Lanes.expect(tools, lane, live, options.expected)
    lane.isSole = true
    const other = catalog.base(segmentId, threadId)
    if (other !== undefined) {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "segmentId",
          reason: `thread ${other.threadId} has a segment ${segmentId} already`,
          advice: "Give a new id."
        })
      )
    }
    const { head } = live.files
    const time = timeBehind(head, segmentId, CodexHome.timeOf(segment.madeAt))
    const folder = head.isArchived ? Homes.archiveFolder(home) : Homes.sessionsFolder(home, time)
    const name = CodexHome.fileName(time, threadId, segmentId)
    const isOurs = machine.isShared ? Lease.isNewest(leases, held) : Effect.succeed(true)
    const lost = Effect.flatMap(Lease.holder(leases, threadId), (holder) =>
      Effect.fail(new LeaseHeld({ threadId, holder }))
    )
    const size = yield* install(tools, {
      folder,
      name,
      threadId,
      historyMode: live.historyMode,
      segment,
      before: Effect.flatMap(
        isOurs,
        (ours): Effect.Effect<void, StoreUnavailable | LeaseHeld> =>
          // Words for others, who may not look where it will be; they do no harm should it not come to that.
          ours ? (machine.isShared ? Lease.note(leases, threadId, name) : Effect.void) : lost
      )
    })
    const path = disk.paths.join(folder, name)
    if (size === undefined) return yield* Effect.fail(taken(path))
    yield* Lanes.close(lane)
    // Whoever took the thread over meanwhile goes on where it was.
    const isKept = yield* Effect.either(isOurs)
    if (isKept._tag === "Right" && isKept.right) return Positions.make(segmentId, size)
    yield* Effect.ignore(Disk.remove(disk, path))
    catalog.drop(path)
    return yield* isKept._tag === "Left" ? Effect.fail(isKept.left) : lost
  })

/**
 * The time in the name of a further file: its own, unless the file would then not be the newest of its thread, as when a
 * clock was set back.
 */
const timeBehind = (head: Catalog.Rollout, segmentId: string, time: string): string => {
  const isNewest = (at: string): boolean => CodexHome.compare(head, { time: at, segmentId }) < 0
  if (isNewest(time)) return time
  return isNewest(head.time) ? head.time : CodexHome.later(head.time)
}

const taken = (path: string): StoreUnavailable =>
  new StoreUnavailable({
    operation: "writing a new file of a thread",
    reason: "there is a file of that name",
    advice: "Try again with another segment id.",
    retryable: false,
    paths: [path]
  })

/** A file that is to be made. */
interface Made<E> {
  readonly folder: string
  readonly name: string
  readonly threadId: string
  readonly historyMode: string
  readonly segment: NewSegment
  /** Done right before the file takes its name; if it fails, there is no file. */
  readonly before?: Effect.Effect<void, E> | undefined
}

/**
 * Writes a segment to a file that has no name until it is whole and durable. Gives its size; undefined when there is a
 * file of that name. In legacy threads what it stands on is copied in front of its own lines, behind its header: no
 * program before 0.169.0 follows a base.
 */
const install = <E = never>(
  { home, standings }: Tools,
  { before = Effect.void, folder, historyMode, name, segment, threadId }: Made<E>
): Effect.Effect<number | undefined, ReadError | E> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { catalog, disk } = home
      const path = disk.paths.join(folder, name)
      yield* Effect.mapError(Disk.makeFolder(disk, folder), failed(path))
      const made = yield* Effect.mapError(Disk.temporary(disk, path, home.instance), failed(path))
      const writer = writing(made.file, path)
      const inherited =
        segment.base !== undefined && historyMode !== "paginated"
          ? yield* logUpTo(home, threadId, segment.base)
          : undefined
      yield* content(segment.content, inherited, writer.write)
      const end = Positions.make(segment.segmentId, writer.size())
      yield* seal(standings, { threadId, path, file: made.file, end })
      yield* Effect.mapError(Disk.sync(disk, made.file), failed(path))
      yield* before
      if (!(yield* Effect.mapError(Disk.install(disk, made.path, path), failed(path)))) return undefined
      catalog.add(path)
      return writer.size()
    })
  )

/** A file that was written and has no name yet. */
interface Written {
  readonly threadId: string
  readonly path: string
  readonly file: FileSystem.File
  readonly end: Position
}

/**
 * Sees to it that a file which ends inside of a batch, since that is where it was asked to end, is not taken for one that a
 * crash cut off there.
 */
const seal = (standings: Standings, { end, file, path, threadId }: Written): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    const source = RolloutFile.source(RolloutFile.ofHandle(path, file, end.offset))
    const { state } = yield* Tail.inspect(source, { ordinals: false }).pipe(
      Effect.mapError(
        ({ advice, detail }) =>
          new StoreUnavailable({
            operation: "writing a new file of a thread",
            reason: detail,
            advice,
            retryable: true,
            paths: [path]
          })
      )
    )
    if (state === "unfinished") yield* standings.seal(threadId, end)
  })

/** Hands on the lines of a segment: its header, what it inherits by copy, the rest. */
const content = (
  own: LineSource.LineSource<ReadError>,
  inherited: EffectiveLog.EffectiveLog<ReadError> | undefined,
  write: (lines: ReadonlyArray<RawLine>) => Effect.Effect<void, StoreUnavailable>
): Effect.Effect<void, ReadError> =>
  Effect.gen(function* () {
    if (inherited === undefined) return yield* LineSource.inPieces(own, write)
    let header: RawLine | undefined
    yield* own.forward(
      (line) => {
        header = { ...line, bytes: new Uint8Array(line.bytes) }
        return false
      },
      { brief: true }
    )
    if (header === undefined) return
    yield* write([header])
    for (const { from, source, to } of inherited.pieces) yield* LineSource.inPieces(source, write, { from, to })
    yield* LineSource.inPieces(own, write, { from: header.offset + header.bytes.length + 1 })
  })

/** Writes lines, each with a line feed, and counts. */
const writing = (file: FileSystem.File, path: string) => {
  let size = 0
  return {
    size: (): number => size,
    write: (lines: ReadonlyArray<RawLine>): Effect.Effect<void, StoreUnavailable> =>
      Effect.suspend(() => {
        let length = 0
        for (const { bytes } of lines) length += bytes.length + 1
        const all = new Uint8Array(length)
        let at = 0
        for (const { bytes } of lines) {
          all.set(bytes, at)
          at += bytes.length
          all[at++] = 0x0a
        }
        size += length
        return length === 0
          ? Effect.void
          : Effect.mapError(file.writeAll(all), (error: PlatformError) => failed(path)(error))
      })
  }
}

/** The log of a segment up to a position, for a copy. */
const logUpTo = (
  home: Home,
  threadId: string,
  { offset, segmentId }: Position
): Effect.Effect<EffectiveLog.EffectiveLog<ReadError>, ReadError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* home.catalog.begin
    const found = home.catalog.base(segmentId, threadId)
    if (found === undefined) {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "base",
          reason: `there is no segment ${segmentId}`,
          advice: "Copy the thread that it is part of first."
        })
      )
    }
    const log = yield* Logs.ofFile(home, found)
    const to = log.pieces.at(-1)?.to ?? 0
    return EffectiveLog.cut(log, log.pieces.length - 1, Math.min(offset, to))
  })
