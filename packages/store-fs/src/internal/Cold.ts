/** Compressed files made plain again: what the first append to a cold thread does (thread-store §8). */
import type { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { CorruptThread, type StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import * as CodexHome from "../CodexHome.js"
import * as Zstd from "../Zstd.js"
import type { Rollout } from "./Catalog.js"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"

const failed = (path: string) => Disk.unavailable("making a compressed thread plain", path)

/**
 * Puts the plain form of a file in its place; gives its path. The compressed one goes when the plain one is durable, so a
 * crash in between leaves both, and the plain one counts. A damaged file is left alone: what can still be read of it is
 * all there is. Memory: the content.
 */
export const materialise = (home: Home, file: Rollout): Effect.Effect<string, CorruptThread | StoreUnavailable> =>
  Effect.gen(function* () {
    const { catalog, disk } = home
    const plain = CodexHome.logical(file.path)
    const facts = yield* Disk.look(disk, file.path)
    const compressed = yield* disk.fs.readFile(file.path)
    const content = yield* decode(home, file, compressed)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const made = yield* Disk.temporary(disk, `${plain}.decompress`, home.instance, facts?.mode)
        if (content.length > 0) yield* made.file.writeAll(content)
        yield* Disk.sync(disk, made.file)
        // Taken: another process was faster with the same content.
        yield* Disk.install(disk, made.path, plain)
      })
    )
    catalog.add(plain)
    yield* removeCompressed(home, file.path)
    return plain
  }).pipe(Effect.mapError((error) => (isPlatform(error) ? failed(file.path)(error) : error)))

const isPlatform = (error: CorruptThread | PlatformError): error is PlatformError => error._tag !== "CorruptThread"

const decode = (
  home: Home,
  { path, threadId }: Rollout,
  compressed: Uint8Array
): Effect.Effect<Uint8Array, CorruptThread> =>
  Effect.tryPromise({
    try: () => Zstd.decode(compressed, home.decodedLimit),
    catch: (cause) => new CorruptThread({ threadId, position: undefined, reason: `${path}: ${String(cause)}` })
  }).pipe(
    Effect.flatMap(({ bytes, damagedAt }) =>
      damagedAt === undefined
        ? Effect.succeed(bytes)
        : Effect.fail(
            new CorruptThread({
              threadId,
              position: undefined,
              reason: `${path} makes no sense from its byte ${damagedAt} on, so nothing is appended to it`
            })
          )
    )
  )

const removeCompressed = (home: Home, path: string): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    yield* Disk.remove(home.disk, path)
    yield* Disk.syncFolder(home.disk, home.disk.paths.dirname(path))
    home.catalog.drop(path)
  })

/**
 * Removes a compressed file that a crash left beside its plain form, if all of it is in that one; else it is left where it
 * is. Cost: its content is decoded and compared.
 */
export const dropRemnant = (home: Home, compressed: string, plain: FileSystem.File): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { disk } = home
    const cold = yield* disk.fs.readFile(compressed)
    const { bytes, damagedAt } = yield* Effect.tryPromise(() => Zstd.decode(cold, home.decodedLimit))
    if (damagedAt !== undefined) return
    yield* plain.seek(0, "start")
    const chunk = new Uint8Array(1024 * 1024)
    for (let at = 0; at < bytes.length; ) {
      const count = Number(yield* plain.read(chunk.subarray(0, Math.min(chunk.length, bytes.length - at))))
      if (count === 0 || Buffer.compare(chunk.subarray(0, count), bytes.subarray(at, at + count)) !== 0) return
      at += count
    }
    yield* removeCompressed(home, compressed)
  }).pipe(Effect.ignore)
