/**
 * Compressed files made plain again: what the first append to a cold thread does (thread-store §8), and `decompress`.
 *
 * Which of two forms of a file counts is told by their names alone: the plain one, if it is there. It gets its name when
 * it is whole and durable, so in that step it becomes the one that counts; then the other one goes.
 */
import { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { CorruptThread, StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import * as CodexHome from "../CodexHome.js"
import * as FileError from "../FileError.js"
import { FileRefused } from "../FileError.js"
import * as Zstd from "../Zstd.js"
import type { Rollout } from "./Catalog.js"
import * as ColdFile from "./ColdFile.js"
import * as Disk from "./Disk.js"
import * as Fence from "./Fence.js"
import type { Home } from "./Home.js"
import type { Held } from "./Lease.js"
import * as Meter from "./Meter.js"

const failed = (path: string) => Disk.unavailable("making a compressed thread plain", path)

/** How it is done. */
export interface Options {
  /** Whether the time of the file stays what it was. Default: it becomes now, since an append follows. */
  readonly keepTime?: boolean | undefined
}

/**
 * Puts the plain form of a file in its place; gives its path. A damaged file is left alone: what can still be read of it is
 * all there is. Memory: a frame; of a file of one frame, its content.
 */
export const materialise = (
  home: Home,
  file: Rollout,
  held: Held,
  { keepTime = false }: Options = {}
): Effect.Effect<string, CorruptThread | StoreUnavailable> =>
  Fence.use(home, held, (fence) =>
    Effect.gen(function* () {
      const { catalog } = home
      const disk = Fence.durable(home)
      const plain = CodexHome.logical(file.path)
      const facts = yield* Disk.look(disk, file.path)
      yield* home.trial.between("decode")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const made = yield* disk.fs.open(fence.making(plain), {
            flag: "w+",
            ...(facts === undefined ? {} : { mode: facts.mode })
          })
          yield* decodeTo(home, file.path, (bytes) => (bytes.length > 0 ? made.writeAll(bytes) : Effect.void))
          if (facts !== undefined) yield* disk.fs.chmod(fence.making(plain), facts.mode)
          if (facts !== undefined && keepTime) yield* setTime(disk, fence.making(plain), facts.mtimeMs)
          yield* made.sync
        })
      )
      yield* home.trial.between("name plain")
      // Taken: a program that takes no lease was faster. What it made is looked at by whoever opens it.
      const isNamed = yield* fence.name(plain)
      catalog.add(plain)
      yield* Meter.materialized(isNamed ? "decompressed" : "plain_exists")
      yield* home.trial.between("take compressed")
      if (isNamed) yield* takeCompressed(home, fence, file.path)
      return plain
    })
  ).pipe(
    Effect.tapError((error) => Meter.materialized(isMissing(error) ? "missing" : "failed")),
    Effect.mapError((error) => ofError(file, error))
  )

const isMissing = (error: FileRefused | PlatformError | StoreUnavailable): boolean =>
  error._tag === "FileRefused" && error.reason === "missing"

const ofError = (
  { path, threadId }: Rollout,
  error: FileRefused | PlatformError | StoreUnavailable
): CorruptThread | StoreUnavailable => {
  switch (error._tag) {
    case "StoreUnavailable":
      return error
    case "FileRefused":
      return error.reason === "zstd-damaged" || error.reason === "zstd-too-large"
        ? new CorruptThread({
            threadId,
            position: undefined,
            reason: `${path}: ${error.detail}, so it is neither made plain nor appended to`
          })
        : new StoreUnavailable({
            operation: "making a compressed thread plain",
            reason: error.detail,
            advice: error.advice,
            retryable: true,
            paths: [path],
            cause: error
          })
    default:
      return failed(path)(error)
  }
}

const takeCompressed = (home: Home, fence: Fence.Fence, path: string): Effect.Effect<void, PlatformError> =>
  Effect.map(fence.take(path), () => home.catalog.drop(path)).pipe(
    Effect.catchIf(Disk.isMissing, () => Effect.sync(() => home.catalog.drop(path)))
  )

/** Sets the time of last change, in milliseconds since 1970, without touching what it is otherwise. */
export const setTime = (disk: Disk.Disk, path: string, mtimeMs: number): Effect.Effect<void, PlatformError> =>
  disk.fs.utimes(path, new Date(mtimeMs), new Date(mtimeMs))

/**
 * Whether Skein made a file cold: then its content is what it was, and positions in it hold. Cost: a read of its end.
 */
export const isOwn = (home: Home, path: string): Effect.Effect<boolean> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { size } = yield* home.disk.fs.stat(path)
      const opened = yield* ColdFile.open(path, Number(size), home.decodedLimit ?? Zstd.defaultLimit)
      return opened._tag === "Frames" && opened.isOwn
    })
  ).pipe(
    Effect.provideService(FileSystem.FileSystem, home.disk.fs),
    Effect.orElseSucceed(() => false)
  )

/**
 * Hands on all of a compressed file's content in order, or fails: with `zstd-damaged` for a frame that is not what it
 * should be. Memory: two frames.
 */
export const decodeTo = <E>(
  home: Home,
  path: string,
  take: (bytes: Uint8Array) => Effect.Effect<void, E>
): Effect.Effect<void, FileRefused | E> =>
  Effect.scoped(
    Effect.gen(function* () {
      const info = yield* home.disk.fs.stat(path).pipe(Effect.mapError(FileError.ofSystem(path)))
      const limit = home.decodedLimit ?? Zstd.defaultLimit
      const opened = yield* ColdFile.open(path, Number(info.size), limit).pipe(
        Effect.provideService(FileSystem.FileSystem, home.disk.fs)
      )
      if (opened._tag === "Whole") {
        const { bytes, damagedAt } = yield* Effect.tryPromise({
          try: () => Zstd.decode(opened.compressed, limit),
          catch: (cause) =>
            cause instanceof Zstd.TooLarge ? ColdFile.tooLarge(path, limit, cause) : damaged(path, String(cause))
        })
        if (damagedAt !== undefined) {
          return yield* Effect.fail(damaged(path, `it makes no sense from its byte ${damagedAt} on`))
        }
        return yield* take(bytes)
      }
      const { frames } = opened
      for (let i = 0; i < frames.count; i++) {
        const { bytes, damage } = yield* frames.frame(i)
        if (damage !== undefined) return yield* Effect.fail(damaged(path, damage))
        yield* take(bytes)
      }
    })
  )

const damaged = (path: string, detail: string): FileRefused =>
  new FileRefused({
    path,
    reason: "zstd-damaged",
    detail,
    advice: "Bring it back from a backup; what can be read of it is read."
  })

/**
 * Removes a compressed file that a crash left beside its plain form, if all of it is in that one; else it is left where it
 * is. Cost: its content is decoded and compared.
 */
export const dropRemnant = (home: Home, compressed: string, plain: FileSystem.File, held: Held): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (!(yield* isPrefix(home, compressed, plain))) return
    yield* Fence.use(home, held, (fence) => takeCompressed(home, fence, compressed))
  }).pipe(Effect.ignore)

/** Whether a plain file begins with all that is in a compressed one. Cost: that is decoded and compared. */
export const isPrefix = (
  home: Home,
  compressed: string,
  plain: FileSystem.File
): Effect.Effect<boolean, FileRefused | PlatformError> =>
  Effect.gen(function* () {
    let isSame = true
    const chunk = new Uint8Array(1024 * 1024)
    yield* plain.seek(0, "start")
    yield* decodeTo(home, compressed, (bytes) =>
      Effect.gen(function* () {
        for (let at = 0; isSame && at < bytes.length; ) {
          const count = Number(yield* plain.read(chunk.subarray(0, Math.min(chunk.length, bytes.length - at))))
          const isEqual = Buffer.compare(chunk.subarray(0, count), bytes.subarray(at, at + count)) === 0
          if (count === 0 || !isEqual) isSame = false
          at += count
        }
      })
    )
    return isSame
  })
