/**
 * Node's own file system with what its service lacks: looks, short reads and short appends that need no other thread, and
 * a sync of the content alone.
 *
 * Each call of the asynchronous functions of Node goes through a pool of threads, which takes some tens of microseconds;
 * the call itself takes a few. An append has to write and to look, so it costs a third of what it does over
 * `NodeFileSystem` (decision 24). What may take long stays asynchronous: long reads and writes, every sync.
 */
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  ftruncate,
  openSync,
  read,
  readSync,
  type Stats,
  statSync,
  write,
  writeSync
} from "node:fs"
import { FileSystem, type Path } from "@effect/platform"
import { type PlatformError, SystemError, type SystemErrorReason } from "@effect/platform/Error"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer, Option } from "effect"

/** Bytes up to which a read or an append is made at once: half a millisecond where the system has them in memory. */
const short = 1536 * 1024

const reasons: Readonly<Record<string, SystemErrorReason>> = {
  ENOENT: "NotFound",
  EACCES: "PermissionDenied",
  EEXIST: "AlreadyExists",
  EISDIR: "BadResource",
  ENOTDIR: "BadResource",
  ELOOP: "BadResource",
  EBUSY: "Busy"
}

const failure = (method: string, at: string | number, cause: unknown): PlatformError => {
  const { code = "", message, syscall } = cause as NodeJS.ErrnoException
  return new SystemError({
    module: "FileSystem",
    method,
    reason: reasons[code] ?? "Unknown",
    description: message,
    pathOrDescriptor: at,
    syscall,
    cause
  })
}

/** Does a call at once. */
const now = <A>(method: string, at: string | number, call: () => A): Effect.Effect<A, PlatformError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(call())
    } catch (error) {
      return Effect.fail(failure(method, at, error))
    }
  })

const typeOf = (stats: Stats): FileSystem.File.Type => {
  if (stats.isFile()) return "File"
  if (stats.isDirectory()) return "Directory"
  if (stats.isSymbolicLink()) return "SymbolicLink"
  if (stats.isFIFO()) return "FIFO"
  if (stats.isSocket()) return "Socket"
  if (stats.isBlockDevice()) return "BlockDevice"
  return stats.isCharacterDevice() ? "CharacterDevice" : "Unknown"
}

const infoOf = (stats: Stats): FileSystem.File.Info => ({
  type: typeOf(stats),
  mtime: Option.some(stats.mtime),
  atime: Option.some(stats.atime),
  birthtime: Option.some(stats.birthtime),
  dev: stats.dev,
  rdev: Option.some(stats.rdev),
  ino: Option.some(stats.ino),
  mode: stats.mode,
  nlink: Option.some(stats.nlink),
  uid: Option.some(stats.uid),
  gid: Option.some(stats.gid),
  size: FileSystem.Size(stats.size),
  blksize: Option.some(FileSystem.Size(stats.blksize)),
  blocks: Option.some(stats.blocks)
})

/** Asks for a call that may take long. */
const later = <A>(
  method: string,
  at: string | number,
  call: (done: (error: NodeJS.ErrnoException | null, value?: A) => void) => void
): Effect.Effect<A, PlatformError> =>
  Effect.async((resume) => {
    call((error, value) => {
      resume(error === null ? Effect.succeed(value as A) : Effect.fail(failure(method, at, error)))
    })
  })

/** Writes all of some bytes, however few the system takes at a time. */
const writeFully = (descriptor: number, bytes: Uint8Array): void => {
  for (let from = 0; from < bytes.length; ) from += taken(writeSync(descriptor, bytes, from, bytes.length - from))
}

const taken = (count: number): number => {
  if (count > 0) return count
  throw Object.assign(new Error("the system takes no more bytes"), { code: "EIO", syscall: "write" })
}

const writeLater = (descriptor: number, bytes: Uint8Array): Effect.Effect<number, PlatformError> =>
  later("write", descriptor, (done) => write(descriptor, bytes, 0, bytes.length, null, done))

const writeAllLater = (descriptor: number, bytes: Uint8Array): Effect.Effect<void, PlatformError> =>
  Effect.flatMap(writeLater(descriptor, bytes), (count) =>
    count < bytes.length
      ? Effect.zipRight(
          now("writeAll", descriptor, () => taken(count)),
          writeAllLater(descriptor, bytes.subarray(count))
        )
      : Effect.void
  )

/**
 * An open file that is read, or only ever appended to: its place then is that of reads alone.
 *
 * @param appends Whether it was opened for appending. A folder, which never is, has no content but its names.
 */
const fileOf = (descriptor: number, appends: boolean): FileSystem.File => {
  let place = 0
  const readInto = (buffer: Uint8Array): Effect.Effect<number, PlatformError> =>
    Effect.suspend(() => {
      const { length } = buffer
      const count =
        length <= short
          ? now("read", descriptor, () => readSync(descriptor, buffer, 0, length, place))
          : later<number>("read", descriptor, (done) => read(descriptor, buffer, 0, length, place, done))
      return Effect.map(count, (bytes) => {
        place += bytes
        return bytes
      })
    })
  return {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    fd: FileSystem.FileDescriptor(descriptor),
    stat: now("stat", descriptor, () => infoOf(fstatSync(descriptor))),
    seek: (offset, from) =>
      Effect.sync(() => {
        place = from === "start" ? Number(offset) : place + Number(offset)
        return FileSystem.Size(place)
      }),
    sync: later<void>("sync", descriptor, (done) => (appends ? fdatasync(descriptor, done) : fsync(descriptor, done))),
    read: (buffer) => Effect.map(readInto(buffer), FileSystem.Size),
    readAlloc: (size) =>
      Effect.suspend(() => {
        const buffer = Buffer.allocUnsafeSlow(Number(size))
        return Effect.map(readInto(buffer), (count) =>
          count === 0 ? Option.none() : Option.some(buffer.subarray(0, count))
        )
      }),
    truncate: (length) =>
      later<void>("truncate", descriptor, (done) => ftruncate(descriptor, Number(length ?? 0), done)),
    write: (bytes) => Effect.map(writeLater(descriptor, bytes), FileSystem.Size),
    writeAll: (bytes) =>
      bytes.length <= short
        ? now("writeAll", descriptor, () => writeFully(descriptor, bytes))
        : writeAllLater(descriptor, bytes)
  }
}

/** Nobody is waited for behind a FIFO; Windows has none, and no such flag. */
const unblocked: number = constants.O_NONBLOCK ?? 0

/** What a flag of the service says, where it only reads or only appends. */
const flags: Readonly<Record<string, number>> = {
  r: constants.O_RDONLY | unblocked,
  a: constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | unblocked,
  "a+": constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | unblocked
}

/**
 * The same for a file system that is Node's own: its descriptors have to be those of this process.
 *
 * Files opened to be written anywhere but at their end are handed on as they are.
 */
export const over = (fs: FileSystem.FileSystem): FileSystem.FileSystem => ({
  ...fs,
  stat: (path) => now("stat", path, () => infoOf(statSync(path))),
  open: (path, options) => {
    const flag = options?.flag ?? "r"
    const bits = flags[flag]
    if (bits === undefined) return fs.open(path, options)
    return Effect.map(
      Effect.acquireRelease(
        now("open", path, () => openSync(path, bits, options?.mode)),
        (descriptor) => Effect.ignore(now("close", path, () => closeSync(descriptor)))
      ),
      (descriptor) => fileOf(descriptor, flag !== "r")
    )
  }
})

/** Node's file system and paths. */
export const layer: Layer.Layer<FileSystem.FileSystem | Path.Path> = Layer.merge(
  Layer.effect(FileSystem.FileSystem, Effect.map(FileSystem.FileSystem, over)).pipe(
    Layer.provide(NodeFileSystem.layer)
  ),
  NodePath.layer
)
