/**
 * One rollout file as bytes: plain ones read in chunks from either end, compressed ones frame by frame where they have
 * several, else decoded once.
 *
 * Nothing is ever written, and nothing but a regular file is opened: opening a FIFO would wait for its writer.
 */
import { isAscii } from "node:buffer"
import { FileSystem } from "@effect/platform"
import * as Jsonl from "@skein/core/record/Jsonl"
import type { LineSource, Range } from "@skein/store/LineSource"
import { Effect, Fiber, Option, type Scope } from "effect"
import * as FileError from "./FileError.js"
import { FileRefused } from "./FileError.js"
import * as ColdFile from "./internal/ColdFile.js"
import * as FrameWriter from "./internal/FrameWriter.js"
import * as ZstdThread from "./internal/ZstdThread.js"
import * as Zstd from "./Zstd.js"

/**
 * Bytes of a read. A file of up to `whole` bytes is read at once when it is opened: each read costs a tenth of a
 * millisecond whatever its size. In a larger one a reading that is likely to end early begins small and takes four
 * times as much each time; backward that is every reading, since little is wanted of most threads.
 */
const chunk = {
  whole: 1280 * 1024,
  first: 64 * 1024,
  firstBackward: 256 * 1024,
  backward: 1024 * 1024,
  passing: 1024 * 1024,
  forward: 2048 * 1024
}

/** Node's own way to the text of bytes that are all ASCII. */
const ascii: Jsonl.Ascii = {
  holds: isAscii,
  decode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")
}

/** An open rollout file. Offsets are those of the decoded content. */
export interface RolloutFile {
  readonly path: string
  readonly size: number
  /** Offset in a compressed file at which it stops making sense. */
  readonly damagedAt: number | undefined
  /** What is wrong with the table of a compressed file's frames, which were found without it; undefined: nothing. */
  readonly tableDamage?: string | undefined
  /** At least one byte from `offset` on, at most `length`; none at the end. They may lie in `into`, if it is given. */
  readonly read: (offset: number, length: number, into?: Uint8Array) => Effect.Effect<Uint8Array, FileRefused>
  /** The piece of content that an offset lies in, where a piece is decoded as a whole; undefined: any bytes can be read. */
  readonly pieceAt?: ((offset: number) => Piece) | undefined
}

/** Bytes of content that come together: those of a frame. */
export interface Piece {
  readonly from: number
  readonly to: number
}

/** How files are opened. */
export interface Options {
  /** Decoded bytes that a compressed file may come to. Default: 1 GiB. */
  readonly decodedLimit?: number | undefined
  /** Whether only its ends are wanted: then a small file is not read at once either. */
  readonly ends?: boolean | undefined
}

/** Opens a rollout for as long as the scope lasts. Fails for anything that is not a readable regular file. */
export const open = (
  path: string,
  options: Options = {}
): Effect.Effect<RolloutFile, FileRefused, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const info = yield* fs.stat(path).pipe(Effect.mapError(FileError.ofSystem(path)))
    if (info.type !== "File") return yield* Effect.fail(notAFile(path, info.type))
    if (path.endsWith(".zst")) {
      const limit = options.decodedLimit ?? Zstd.defaultLimit
      const opened = yield* ColdFile.open(path, Number(info.size), limit)
      if (opened._tag === "Frames") return ofFrames(path, opened)
      return yield* inflate(path, opened.compressed, limit, opened.tableDamage)
    }
    const handle = yield* fs.open(path, { flag: "r" }).pipe(Effect.mapError(FileError.ofSystem(path)))
    const file = ofHandle(path, handle, Number(info.size))
    return file.size > chunk.whole || options.ends === true
      ? file
      : inMemory(path, yield* readFully(file, 0, file.size), undefined)
  })

/** An open handle of a plain file as a rollout, up to a size. Its reads move the handle's place in the file. */
export const ofHandle = (path: string, handle: FileSystem.File, size: number): RolloutFile => ({
  path,
  size,
  damagedAt: undefined,
  read: (offset, length, into) =>
    handle.seek(offset, "start").pipe(
      Effect.zipRight(
        into === undefined
          ? Effect.map(
              handle.readAlloc(length),
              Option.getOrElse(() => new Uint8Array(0))
            )
          : Effect.map(handle.read(into.subarray(0, length)), (count) => into.subarray(0, Number(count)))
      ),
      Effect.mapError(FileError.ofSystem(path))
    )
})

/**
 * A compressed file that is decoded frame by frame. A frame that cannot be, or that is not what its checksum says, gives
 * a line of the same length that is no record and says so, behind those of its lines that are certainly its own.
 */
const ofFrames = (path: string, { frames, tableDamage }: ColdFile.Frames): RolloutFile => ({
  path,
  size: frames.size,
  damagedAt: undefined,
  tableDamage,
  pieceAt: frames.pieceAt,
  read: (offset, length, into) =>
    offset >= frames.size
      ? Effect.succeed(new Uint8Array(0))
      : Effect.map(frames.bytes(offset, length, into), ({ bytes, from }) =>
          bytes.subarray(offset - from, offset - from + length)
        )
})

/** A file of which all content is there. */
const inMemory = (
  path: string,
  bytes: Uint8Array,
  damagedAt: number | undefined,
  tableDamage?: string | undefined
): RolloutFile => ({
  path,
  size: bytes.length,
  damagedAt,
  tableDamage,
  read: (offset, length) => Effect.succeed(bytes.subarray(offset, offset + length))
})

/**
 * Hands on the lines of a file in order until `take` wants no more. Gives whether it took them all. The next chunk is
 * read while the lines of the present one are taken. Memory: two chunks, or three frames, and the longest line.
 */
export const forward = (
  file: RolloutFile,
  take: Jsonl.TakeLine,
  range: Range = {}
): Effect.Effect<boolean, FileRefused> =>
  Effect.gen(function* () {
    const to = Math.min(range.to ?? file.size, file.size)
    let offset = range.from ?? 0
    const passing = range.passing === true
    const { pieceAt } = file
    const splitter = Jsonl.forward({ offset, number: 1, reused: passing, ascii, holds: range.holds })
    const largest = passing ? chunk.passing : chunk.forward
    let size = range.brief === true ? chunk.first : largest
    // One is read into while the lines of the other are taken.
    const buffers = passing ? memoriesFor(file, offset, Math.min(largest, to - offset)) : []
    let reads = 0
    // A piece is decoded as a whole, so it is taken as a whole; only its beginning may be had for less.
    const reach = (from: number) =>
      pieceAt === undefined || size === chunk.first ? Math.min(size, to - from) : Math.min(pieceAt(from).to, to) - from
    const next = (from: number) => readFully(file, from, reach(from), buffers[reads++ % buffers.length])
    const ahead: Array<Fiber.Fiber<Uint8Array, FileRefused>> = []
    // How far the reading has begun.
    let begun = offset
    while (offset < to) {
      const reading = ahead.shift()
      const bytes = yield* reading === undefined ? next(offset) : Fiber.join(reading)
      offset += bytes.length
      begun = Math.max(begun, offset)
      while (size === largest && begun < to && ahead.length < Math.max(1, buffers.length - 1)) {
        const from = begun
        begun += reach(from)
        ahead.push(yield* Effect.fork(next(from)))
        // A forked fiber starts when this one pauses; without that the read would wait for the lines.
        yield* Effect.yieldNow()
      }
      if (!splitter.push(bytes, take)) {
        yield* Fiber.interruptAll(ahead)
        return false
      }
      size = Math.min(size * 4, largest)
    }
    return splitter.end(take)
  })

/** Frames behind which it pays to have a thread decode the next ones. */
const fewFrames = 3

/**
 * Memory for reading so many bytes at once, while what was read before is taken, and two pieces for a thread that goes on
 * with the next frame; none where what is read has memory of its own.
 */
const memoriesFor = ({ pieceAt, size }: RolloutFile, offset: number, length: number): ReadonlyArray<Uint8Array> => {
  if (pieceAt === undefined) return [0, 1].map(() => Buffer.allocUnsafeSlow(length))
  const { from, to } = pieceAt(offset)
  if (size - offset <= fewFrames * (to - from)) return []
  // Most frames are a little longer than they should be.
  const most = Math.min(FrameWriter.layout.target + FrameWriter.slack, size - offset)
  return [0, 1, 2].map(() => ZstdThread.memory(most))
}

/**
 * Hands on the lines of a file from the last to the first until `take` wants no more; otherwise as {@link forward}.
 */
export const backward = (
  file: RolloutFile,
  take: Jsonl.TakeLine,
  range: Range = {}
): Effect.Effect<boolean, FileRefused> =>
  Effect.gen(function* () {
    const from = range.from ?? 0
    let offset = Math.max(from, Math.min(range.to ?? file.size, file.size))
    const splitter = Jsonl.backward(offset, ascii)
    let size = chunk.firstBackward
    const { pieceAt } = file
    while (offset > from) {
      const start = Math.max(from, pieceAt === undefined ? offset - size : pieceAt(offset - 1).from)
      const bytes = yield* readFully(file, start, offset - start)
      if (!splitter.push(bytes, take)) return false
      offset = start
      size = Math.min(size * 4, chunk.backward)
    }
    return splitter.end(take)
  })

/** The file as a source of lines. */
export const source = (file: RolloutFile): LineSource<FileRefused> => ({
  path: file.path,
  size: file.size,
  damagedAt: file.damagedAt,
  forward: (take, range) => forward(file, take, range),
  backward: (take, range) => backward(file, take, range)
})

const readFully = (
  file: RolloutFile,
  offset: number,
  length: number,
  into?: Uint8Array
): Effect.Effect<Uint8Array, FileRefused> =>
  Effect.gen(function* () {
    const first = yield* file.read(offset, length, into)
    if (first.length === length) return first
    const all = new Uint8Array(length)
    let held = 0
    let part = first
    while (part.length > 0 && held < length) {
      all.set(part, held)
      held += part.length
      part = held < length ? yield* file.read(offset + held, length - held) : new Uint8Array(0)
    }
    if (held < length) {
      return yield* Effect.fail(
        new FileRefused({
          path: file.path,
          reason: "io",
          detail: `the file became shorter while it was read (byte ${offset + held} is gone)`,
          advice: "Something else is rewriting it; try again when that has ended."
        })
      )
    }
    return all
  })

const inflate = (
  path: string,
  compressed: Uint8Array,
  limit: number,
  tableDamage: string | undefined
): Effect.Effect<RolloutFile, FileRefused> =>
  Effect.tryPromise({
    try: () => Zstd.decode(compressed, limit),
    catch: (cause) =>
      cause instanceof Zstd.TooLarge
        ? ColdFile.tooLarge(path, limit, cause)
        : new FileRefused({
            path,
            reason: "zstd-damaged",
            detail: "it is not a zstd file",
            advice: "Check that the file is complete and really compressed with zstd.",
            cause
          })
  }).pipe(Effect.map(({ bytes, damagedAt }) => inMemory(path, bytes, damagedAt, tableDamage)))

const notAFile = (path: string, type: string): FileRefused =>
  type === "Directory"
    ? new FileRefused({
        path,
        reason: "directory",
        detail: "path is a directory",
        advice: "Name a rollout file, such as sessions/2026/11/20/rollout-….jsonl."
      })
    : new FileRefused({
        path,
        reason: "not-a-file",
        detail: `path is no regular file but a ${type === "FIFO" ? "FIFO" : type.toLowerCase()}`,
        advice: "Copy its content to a file first."
      })
