/**
 * A plain file of a thread made cold, without ever losing an append (docs/decisions, on compressing without a race).
 *
 * All that takes time is done without a lease, on a file that may change meanwhile: it is encoded, written beside, read
 * back and compared. Then, with the lease, the file is looked at again, and if it is what was encoded, its compressed form
 * gets its name and it loses its own. Losing it is the one step in which the compressed form becomes the one that counts.
 */
import type { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { decompress } from "@mongodb-js/zstd"
import { StoreUnavailable } from "@skein/store/StoreError"
import { Effect, Fiber } from "effect"
import type * as SeekTable from "../SeekTable.js"
import type { Rollout } from "./Catalog.js"
import * as Cold from "./Cold.js"
import * as Disk from "./Disk.js"
import * as Fence from "./Fence.js"
import * as FrameWriter from "./FrameWriter.js"
import type { Home } from "./Home.js"
import type { Lane, Tools } from "./Lane.js"
import * as Lanes from "./Lane.js"
import * as Lease from "./Lease.js"
import * as ZstdThread from "./ZstdThread.js"

/** What became of a file (thread-store §8); `skipped_in_use`, which the reference lacks: somebody holds the thread. */
export type Result =
  | "compressed"
  | "skipped_not_cold"
  | "skipped_changed"
  | "skipped_already_compressed"
  | "skipped_in_use"
  | "failed"

/** A file that was looked at. */
export interface Outcome {
  readonly result: Result
  /** Bytes of the plain file, as far as it was looked at. */
  readonly sourceBytes: number | undefined
  /** Bytes of the compressed one; undefined unless there is one now. */
  readonly compressedBytes: number | undefined
}

/** What is asked of it. */
export interface Options {
  /** A file that changed since is not cold. Milliseconds since 1970. */
  readonly changedBefore: number
  /** Encodes content; another one than zstd's for tests. */
  readonly encode?: FrameWriter.Encode | undefined
  /** Does something to a thread while nothing else of this process does. */
  readonly alone: <A, E>(threadId: string, effect: (lane: Lane) => Effect.Effect<A, E>) => Effect.Effect<A, E>
}

const failed = (path: string) => Disk.unavailable("compressing a thread", path)

/**
 * Compresses a file if it is cold, whole and nobody's. Cost: encoding, decoding and comparing it once; the lease is held
 * for a dozen steps. Memory: four frames.
 */
export const compress = (tools: Tools, file: Rollout, options: Options): Effect.Effect<Outcome, StoreUnavailable> =>
  Effect.gen(function* () {
    const { home } = tools
    const { facts, result: reason } = yield* examine(home, file, options.changedBefore)
    if (reason !== undefined || facts === undefined) return looked(reason ?? "skipped_changed", facts?.size)
    return yield* Effect.scoped(
      Effect.gen(function* () {
        const isSettled = Disk.isSettled(home.clock, facts.mtimeMs)
        const encoded = yield* encode(home, file, facts, options.encode)
        if (encoded === undefined) return looked("skipped_changed", facts.size)
        yield* home.trial.between("encoded")
        const result = yield* options.alone(file.threadId, (lane) =>
          commit(tools, lane, { file, facts, encoded: encoded.path, isSettled })
        )
        return result === "compressed"
          ? { result, sourceBytes: facts.size, compressedBytes: encoded.size }
          : looked(result, facts.size)
      })
    )
  }).pipe(
    // Moved, deleted or compressed by somebody else between two steps.
    Effect.catchIf(isGone, () => Effect.succeed(looked("skipped_changed", undefined))),
    Effect.mapError((error) => (error._tag === "StoreUnavailable" ? error : failed(file.path)(error)))
  )

const isGone = (error: PlatformError | StoreUnavailable): boolean =>
  error._tag === "SystemError" && Disk.isMissing(error)

const looked = (result: Result, sourceBytes: number | undefined): Outcome => ({
  result,
  sourceBytes,
  compressedBytes: undefined
})

/** Whether a file is to be compressed, as far as a look at it tells; `result` says why it is not. */
export const examine = (
  home: Home,
  file: Rollout,
  changedBefore: number
): Effect.Effect<{ readonly facts: Disk.Facts | undefined; readonly result: Result | undefined }, StoreUnavailable> =>
  Effect.gen(function* () {
    const { disk } = home
    const facts = yield* Disk.look(disk, file.path)
    if (facts === undefined) return { facts, result: "skipped_changed" as const }
    const isLink = yield* Effect.isSuccess(disk.fs.readLink(file.path))
    if (facts.type !== "File" || isLink || facts.mtimeMs >= changedBefore) {
      return { facts, result: "skipped_not_cold" as const }
    }
    // A second name: it is being taken over, or somebody has it elsewhere too.
    if (facts.links > 1) return { facts, result: "skipped_in_use" as const }
    if ((yield* Disk.look(disk, cold(file))) !== undefined) {
      return { facts, result: "skipped_already_compressed" as const }
    }
    return { facts, result: (yield* isInUse(home, file)) ? ("skipped_in_use" as const) : undefined }
  }).pipe(Effect.mapError((error) => (error._tag === "StoreUnavailable" ? error : failed(file.path)(error))))

/** The path of a file's compressed form. */
const cold = ({ path }: Rollout): string => `${path}.zst`

const isInUse = (home: Home, { threadId }: Rollout): Effect.Effect<boolean, StoreUnavailable> =>
  home.machine.isShared && !home.trial.without.has("lease")
    ? Lease.isKept(home.leases, threadId)
    : Effect.succeed(false)

interface Encoded {
  readonly path: string
  readonly size: number
}

/** Encodings of this process: two of one file at once do not get into each other's way. */
let encodings = 0

/** Frames that are encoded at once. */
const atOnce = 3
/** Frames whose content is needed at once: one is read, some are encoded, one is compared. */
const inHand = atOnce + 2

/**
 * Writes the compressed form of what a file is now beside it, durable, with its mode and time; undefined when the file is
 * not what it was. What was written is read back, decoded and compared, while the next frame is encoded.
 */
const encode = (home: Home, { path }: Rollout, facts: Disk.Facts, own: FrameWriter.Encode | undefined) =>
  Effect.gen(function* () {
    const disk = Fence.durable(home)
    const source = yield* disk.fs.open(path, { flag: "r" })
    const opened = Disk.factsOf(yield* source.stat)
    if (!Disk.isSame(opened, facts)) return undefined
    const made = yield* Disk.temporary(disk, path, `compress${++encodings}.${home.instance}`, facts.mode)
    const reread = yield* disk.fs.open(made.path, { flag: "r" })
    const entries: Array<SeekTable.Entry> = []
    const memory = Array.from({ length: inHand }, () => Buffer.alloc(0))
    const rooms: Array<Uint8Array> = Array.from({ length: atOnce }, () => new Uint8Array(0))
    const check = verifier(path, reread)
    let size = 0
    const frames: Array<Fiber.Fiber<FrameWriter.Frame>> = []
    let checking: Fiber.Fiber<void, PlatformError | StoreUnavailable> | undefined

    /** Writes the oldest of the frames that are being encoded, and begins to check it once the one before is. */
    const write = Effect.gen(function* () {
      const oldest = frames.shift()
      if (oldest === undefined) return
      const { bytes, content, entry } = yield* Fiber.join(oldest)
      yield* made.file.writeAll(bytes)
      if (checking !== undefined) yield* Fiber.join(checking)
      checking = yield* Effect.fork(check(size, bytes.length, content))
      entries.push(entry)
      size += bytes.length
    })
    const add = (content: Buffer) =>
      Effect.gen(function* () {
        const room = ZstdThread.roomFor(FrameWriter.bound(content.length), rooms.shift())
        rooms.push(room)
        frames.push(yield* Effect.fork(Effect.promise(() => FrameWriter.encodeFrame(content, own, room))))
        // A forked fiber starts when this one pauses.
        yield* Effect.yieldNow()
        if (frames.length === atOnce) yield* write
      })

    let from = 0
    do {
      const content = yield* frameAt(source, from, facts.size, memory)
      if (content === undefined) return undefined
      memory.push(memory.shift() ?? Buffer.alloc(0))
      from += content.length
      yield* add(content)
    } while (from < facts.size)
    while (frames.length > 0) yield* write
    if (checking !== undefined) yield* Fiber.join(checking)
    const table = yield* Effect.promise(() => FrameWriter.table(entries))
    yield* made.file.writeAll(table)
    yield* disk.fs.chmod(made.path, facts.mode)
    yield* Cold.setTime(disk, made.path, facts.mtimeMs)
    yield* made.file.sync
    const encoded: Encoded = { path: made.path, size: size + table.length }
    return encoded
  })

/**
 * The content of the frame that begins at a place of a file, in the first of the memories, which grows where it has to;
 * undefined when the file became shorter.
 */
const frameAt = (
  source: FileSystem.File,
  from: number,
  total: number,
  memory: Array<Buffer>
): Effect.Effect<Buffer | undefined, PlatformError> =>
  Effect.gen(function* () {
    let held = 0
    for (;;) {
      const length = FrameWriter.reach(from, total, held)
      const buffer = Buffer.from(ZstdThread.roomFor(length, memory[0]).buffer)
      memory[0] = buffer
      held = yield* Disk.fill(source, from, buffer.subarray(0, length))
      if (held < length) return undefined
      const end = FrameWriter.cut(buffer.subarray(0, length), from, total)
      if (end !== undefined) return buffer.subarray(0, end)
    }
  })

const decodesTo = (frame: Buffer, content: Uint8Array): Promise<boolean> =>
  decompress(frame).then(
    (decoded) => Buffer.compare(decoded, content) === 0,
    () => false
  )

/**
 * Makes sure that frames as they lie in a file decode to what they were made of, in length and content; one at a time.
 */
const verifier = (path: string, file: FileSystem.File) => {
  let room: Uint8Array | undefined
  return (offset: number, length: number, content: Uint8Array): Effect.Effect<void, PlatformError | StoreUnavailable> =>
    Effect.gen(function* () {
      room = ZstdThread.roomFor(length, room)
      const bytes = Buffer.from(room.buffer, 0, length)
      const held = yield* Disk.fill(file, offset, bytes)
      const isSame = yield* Effect.promise(
        async () => held === length && ((await ZstdThread.isOf(bytes, content)) || decodesTo(bytes, content))
      )
      if (!isSame) {
        return yield* Effect.fail(
          new StoreUnavailable({
            operation: "compressing a thread",
            reason: `what was written does not decode to what was to be compressed (byte ${offset})`,
            advice: "The thread stays as it is. Check the memory and the disk of this machine.",
            retryable: false,
            paths: [path]
          })
        )
      }
    })
}

/** A file that was encoded. */
interface Subject {
  readonly file: Rollout
  /** What it was when that began. */
  readonly facts: Disk.Facts
  /** Whether every change since shows in its time. */
  readonly isSettled: boolean
  /** Where its compressed form lies. */
  readonly encoded: string
}

/** Lets the compressed form take the place of the plain one, if that is still what was encoded and nobody has the thread. */
const commit = (tools: Tools, lane: Lane, subject: Subject): Effect.Effect<Result, PlatformError | StoreUnavailable> =>
  Effect.gen(function* () {
    const { home } = tools
    const held = yield* Lanes.acquireFree(tools, lane, "compressing the thread")
    if (held === undefined) return "skipped_in_use"
    yield* Lanes.close(lane)
    return yield* Fence.use(home, held, (fence) => exchange(home, fence, held, subject))
  }).pipe(Effect.ensuring(Lanes.giveBack(tools, lane)))

/** Whether a plain file has what is in a compressed one, which is as long. */
const holdsAll = (home: Home, path: string, encoded: string): Effect.Effect<boolean, PlatformError> =>
  Effect.scoped(
    Effect.flatMap(home.disk.fs.open(path, { flag: "r" }), (plain) => Cold.isPrefix(home, encoded, plain))
  ).pipe(Effect.catchTag("FileRefused", () => Effect.succeed(false)))

const exchange = (
  home: Home,
  fence: Fence.Fence,
  held: Lease.Held,
  { encoded, facts, file, isSettled }: Subject
): Effect.Effect<Result, PlatformError | StoreUnavailable> =>
  Effect.gen(function* () {
    const { catalog, clock, disk } = home
    const { between } = home.trial
    const { path } = file
    /** Whether it is what was encoded, and the lease certainly ours. */
    const isSame = Effect.map(Disk.look(disk, path), (now) => {
      const isTime = clock.unsafeCurrentTimeMillis() < held.expiresAt
      return isTime && now !== undefined && Disk.isSame(now, facts) && now.links <= 1
    })
    if (!(yield* isSame)) return "skipped_changed"
    if (!isSettled && !(yield* holdsAll(home, path, encoded))) return "skipped_changed"
    yield* between("name compressed")
    yield* disk.fs.rename(encoded, fence.making(cold(file)))
    if (!(yield* fence.name(cold(file)))) return "skipped_already_compressed"
    catalog.add(cold(file))
    yield* between("look again")
    if (!(yield* isSame)) {
      yield* fence.take(cold(file))
      catalog.drop(cold(file))
      return "skipped_changed"
    }
    yield* between("take plain")
    const old = yield* fence.take(path)
    yield* between("taken")
    const gone = yield* Disk.look(disk, old)
    if (gone !== undefined && !Disk.isSame(gone, facts) && !home.trial.without.has("lease")) {
      // A program that takes no lease wrote to it in that moment: it stays what it was.
      yield* fence.giveBack(path)
      yield* fence.take(cold(file))
      catalog.drop(cold(file))
      return "skipped_changed"
    }
    catalog.drop(path)
    return "compressed"
  })
