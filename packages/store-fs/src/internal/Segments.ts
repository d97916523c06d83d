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
import * as Fence from "./Fence.js"
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
    const time = CodexHome.timeOf(segment.madeAt)
    const name = CodexHome.fileName(time, threadId, segment.segmentId === threadId ? undefined : segment.segmentId)
    const isPlain = archivedAt === undefined && Object.values(explicit).every((value) => value === undefined)
    if (!isPlain) {
      yield* columns.change(threadId, () => ({ ...explicit, ...(archivedAt === undefined ? {} : { archivedAt }) }))
    }
    const folder = archivedAt === undefined ? Homes.sessionsFolder(tools.home, time) : Homes.archiveFolder(tools.home)
    const firm = standsFirm(tools.home, thread)
    const path = tools.home.disk.paths.join(folder, name)
    const named = (made: Disk.Temporary) =>
      Effect.zipRight(firm, Effect.mapError(Disk.install(tools.home.disk, made.path, path), failed(path))).pipe(
        // A deletion that saw it coming took it away before it had its name.
        Effect.tapErrorTag("StoreUnavailable", () => firm)
      )
    const size = yield* install(tools, {
      folder,
      name,
      threadId,
      historyMode: thread.historyMode,
      segment,
      named
    })
    if (size === undefined) return yield* Effect.fail(new ThreadAlreadyExists({ threadId }))
    return Positions.make(segment.segmentId, size)
  })

/** How often what a fork stands on is looked for while others move it. */
const looks = 4

/**
 * Fails when what a fork stands on is gone, or is about to be. The fork's file is whole by now and has no name yet; only
 * then this looks whether a deletion was begun. A deletion says that it begins, and only then takes away the files without
 * a name that would stand on the thread, and gives those that have one what they need. So a deletion that does not see the
 * fork is seen here: by what it says, or, once it is through, by the file that is gone. One that sees it leaves nothing
 * that could get a name. Nothing has to be taken back, which a process that dies could not do.
 */
const standsFirm = (
  home: Home,
  { forkOf, historyMode, segment: { base }, threadId }: NewThread
): Effect.Effect<void, ThreadNotFound | StoreUnavailable> =>
  Effect.gen(function* () {
    if (base === undefined || forkOf === undefined || historyMode !== "paginated") return
    const missing = new ThreadNotFound({ threadId: forkOf })
    for (let left = looks; left > 0; left--) {
      const going = yield* Effect.mapError(Intents.threads(home, "delete"), failed(home.root))
      if (going.has(forkOf)) return yield* Effect.fail(missing)
      if (home.catalog.base(base.segmentId, threadId) === undefined) yield* home.catalog.walk
      const found = home.catalog.base(base.segmentId, threadId)
      if (found === undefined) return yield* Effect.fail(missing)
      if (going.has(found.threadId)) return yield* Effect.fail(unsettled(found.path))
      if ((yield* Effect.mapError(Disk.look(home.disk, found.path), failed(found.path))) !== undefined) return
      yield* home.catalog.walk
    }
    return yield* Effect.fail(unsettled(home.root))
  })

const unsettled = (path: string): StoreUnavailable =>
  Disk.disturbed("forking a thread", "a thread that it inherits from is being deleted or moved", path)

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
    const path = disk.paths.join(folder, name)
    let isGone = false
    // Inside of the fence: whoever archives or deletes the thread, or takes it over, is seen here, or prevents the name.
    const named = (made: Disk.Temporary): Effect.Effect<boolean, AppendError> =>
      Fence.use(home, held, (fence) =>
        Effect.gen(function* () {
          if (yield* Intents.isPending(home, threadId)) return yield* Effect.fail(moving(lane, live.path))
          const facts = yield* Disk.look(disk, live.path)
          isGone = facts?.inode !== live.inode
          if (isGone) return yield* Effect.fail(passed(live.path))
          // Words for others, who may not look where it will be; they do no harm should it not come to that.
          if (machine.isShared) yield* Lease.note(leases, threadId, name)
          yield* disk.fs.rename(made.path, fence.making(path))
          made.renamed()
          return yield* fence
            .name(path)
            .pipe(Effect.mapError((error) => (Disk.isMissing(error) ? moving(lane, path) : error)))
        })
      ).pipe(
        Effect.catchAll((error) =>
          Effect.gen(function* () {
            if (isGone) return yield* Lanes.conflict(tools, lane, "moved", options.expected)
            const isOurs = !machine.isShared || (yield* Lease.isNewest(leases, held))
            if (!isOurs) return yield* Lanes.takenOver(tools, lane)
            return yield* Effect.fail(isPlatform(error) ? failed(path)(error) : error)
          })
        )
      )
    const made = { folder, name, threadId, historyMode: live.historyMode, segment, named }
    const size = yield* Effect.onError(install(tools, made), () => Lanes.close(lane))
    if (size === undefined) return yield* Effect.fail(taken(path))
    yield* Lanes.close(lane)
    return Positions.make(segmentId, size)
  })

const isPlatform = (error: PlatformError | StoreUnavailable): error is PlatformError =>
  error._tag !== "StoreUnavailable"

/** Says that the thread is being archived or deleted, or was just now. */
const moving = (lane: Lane, path: string): StoreUnavailable => {
  lane.isMoving = true
  return passed(path)
}

const passed = (path: string): StoreUnavailable =>
  Disk.disturbed("writing a new file of a thread", "the thread is being archived, deleted, or taken over", path)

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
  /** Gives the file its name, durably; false when the name is taken. If it fails, there is no file. */
  readonly named: (made: Disk.Temporary) => Effect.Effect<boolean, E>
}

/**
 * Writes a segment to a file that has no name until it is whole and durable. Gives its size; undefined when there is a
 * file of that name. In legacy threads what it stands on is copied in front of its own lines, behind its header: no
 * program before 0.169.0 follows a base.
 */
const install = <E = never>(
  { home, standings }: Tools,
  { folder, historyMode, name, named, segment, threadId }: Made<E>
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
      if (!(yield* named(made))) return undefined
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
  { offset, segmentId }: Position,
  left = looks
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
    const opened = yield* Effect.either(Logs.ofFile(home, found))
    if (opened._tag === "Left" && opened.left._tag === "ThreadNotFound" && left > 0) {
      // It was moved since it was listed, or is gone.
      yield* home.catalog.walk
      return yield* logUpTo(home, threadId, { offset, segmentId }, left - 1)
    }
    const log = yield* opened
    const to = log.pieces.at(-1)?.to ?? 0
    return EffectiveLog.cut(log, log.pieces.length - 1, Math.min(offset, to))
  })
