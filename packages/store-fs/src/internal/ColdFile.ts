/**
 * A compressed rollout of many frames, of which only those are decoded that somebody reads: by the seek table at its end,
 * or, where that is damaged or missing, by walking from frame to frame.
 *
 * A frame is checked as a whole, against its size and checksum, before any of it is handed on. What fails is a value: the
 * lines of the other frames are where they were.
 */
import { FileSystem } from "@effect/platform"
import { Effect, type Scope } from "effect"
import * as FileError from "../FileError.js"
import { FileRefused } from "../FileError.js"
import * as SeekTable from "../SeekTable.js"
import * as Zstd from "../Zstd.js"
import * as Disk from "./Disk.js"
import * as Xxh64 from "./Xxh64.js"
import * as ZstdThread from "./ZstdThread.js"

/** A piece of content. */
export interface Bytes {
  /** Offset of the first byte in the content. */
  readonly from: number
  readonly bytes: Uint8Array
}

/** A frame, decoded. */
export interface Decoded extends Bytes {
  /** What is wrong with it; undefined: all of it is what was compressed, as far as that can be told. */
  readonly damage: string | undefined
}

/** The frames of a file. */
export interface FrameReader {
  /** Bytes of content. */
  readonly size: number
  readonly count: number
  /** The frame of an index, decoded and checked, with what it holds for certain. */
  readonly frame: (index: number) => Effect.Effect<Decoded, FileRefused>
  /**
   * A piece of content that holds an offset and what follows it: a frame, or only the beginning of one, not yet checked, if
   * little of it is wanted. Cost: what is decoded; the frames that were read last are still there.
   *
   * @param into Shared memory that a whole frame may be decoded into, by a thread of its own; it is not kept then.
   */
  readonly bytes: (offset: number, length: number, into?: Uint8Array) => Effect.Effect<Bytes, FileRefused>
  /** Where the frame of an offset begins and ends. */
  readonly pieceAt: (offset: number) => { readonly from: number; readonly to: number }
}

/** A file of many frames. */
export interface Frames {
  readonly _tag: "Frames"
  readonly frames: FrameReader
  /** Whether Skein wrote it. */
  readonly isOwn: boolean
  readonly tableDamage: string | undefined
}

/** A file that can only be decoded from its beginning. */
export interface Whole {
  readonly _tag: "Whole"
  readonly compressed: Uint8Array
  readonly tableDamage: string | undefined
}

/** Bytes of a file's end that are read first: the table of 20 GiB of content. */
const glance = 64 * 1024
/** Bytes of a frame that are read first to decode its beginning. */
const glimpse = 32 * 1024
/** Bytes of content up to which the beginning of a frame is decoded by itself. */
const little = 512 * 1024
/** Decoded frames that are kept. */
const kept = 2

/**
 * Opens a compressed file for as long as the scope lasts. Fails for a frame that comes to more than `limit` bytes.
 * Cost: a read of its end; of one without a table, a read of all of it.
 */
export const open = (
  path: string,
  size: number,
  limit: number
): Effect.Effect<Frames | Whole, FileRefused, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const failed = Effect.mapError(FileError.ofSystem(path))
    const handle = yield* failed(fs.open(path, { flag: "r" }))
    const readAt = readerOf(path, handle)
    const found = yield* table(readAt, size, glance)
    if (found._tag === "Table") {
      yield* within(path, found.entries, limit)
      return { _tag: "Frames", frames: reader(found.entries, readAt), isOwn: found.isVouched, tableDamage: undefined }
    }
    const tableDamage = found._tag === "Damaged" ? found.detail : undefined
    const compressed = yield* failed(fs.readFile(path))
    const parts = Zstd.parts(compressed, tableDamage === undefined ? undefined : SeekTable.isSizeOf)
    if (parts === undefined || parts.length < 2) return { _tag: "Whole", compressed, tableDamage }
    const entries = parts.map(({ decoded, end, offset }) => ({
      compressed: end - offset,
      decoded,
      checksum: undefined
    }))
    yield* within(path, entries, limit)
    // Something to be skipped may lie between two frames.
    const inMemory = (offset: number, length: number) => Effect.succeed(compressed.subarray(offset, offset + length))
    const places = parts.map(({ offset }) => offset)
    return { _tag: "Frames", frames: reader(entries, inMemory, places), isOwn: false, tableDamage }
  })

/** The error of content beyond the limit. */
export const tooLarge = (path: string, limit: number, cause?: unknown): FileRefused =>
  new FileRefused({
    path,
    reason: "zstd-too-large",
    detail: `its decoded content is larger than ${limit} bytes`,
    advice: "Raise the limit if you trust the file.",
    cause
  })

type ReadAt = (offset: number, length: number) => Effect.Effect<Uint8Array, FileRefused>

/** Pieces of memory that are read into in turn: as many frames as may be on their way. */
const inHand = 3

/** All of `length` bytes at an offset, or what there is of them. They last until three more were read. */
const readerOf = (path: string, handle: FileSystem.File): ReadAt => {
  const memories: Array<Uint8Array> = []
  let reads = 0
  return (offset, length) =>
    Effect.suspend(() => {
      const turn = reads++ % inHand
      const memory = ZstdThread.roomFor(length, memories[turn])
      memories[turn] = memory
      const all = memory.subarray(0, length)
      return Effect.map(Disk.fill(handle, offset, all), (held) => all.subarray(0, held))
    }).pipe(Effect.mapError(FileError.ofSystem(path)))
}

const table = (readAt: ReadAt, size: number, length: number): Effect.Effect<SeekTable.Found, FileRefused> =>
  Effect.gen(function* () {
    const from = Math.max(0, size - length)
    const checksum = yield* Effect.promise(Xxh64.load)
    const found = SeekTable.parse(yield* readAt(from, size - from), size, checksum)
    return found._tag === "Longer" ? yield* table(readAt, size, found.length) : found
  })

const within = (
  path: string,
  entries: ReadonlyArray<SeekTable.Entry>,
  limit: number
): Effect.Effect<void, FileRefused> =>
  entries.some(({ decoded }) => decoded > limit) ? Effect.fail(tooLarge(path, limit)) : Effect.void

/** Reads frames. `places` are their offsets in the file where they do not lie one behind the other. */
const reader = (
  entries: ReadonlyArray<SeekTable.Entry>,
  readAt: ReadAt,
  places?: ReadonlyArray<number>
): FrameReader => {
  const froms: Array<number> = []
  const offsets: Array<number> = []
  let size = 0
  let end = 0
  for (const { compressed, decoded } of entries) {
    froms.push(size)
    offsets.push(end)
    size += decoded
    end += compressed
  }
  const placeOf = (index: number): number => (places ?? offsets)[index] as number
  const entryOf = (index: number): SeekTable.Entry => entries[index] as SeekTable.Entry
  const fromOf = (index: number): number => froms[index] as number

  /** The last frame that begins at or in front of an offset; those before it with the same beginning are empty. */
  const indexAt = (offset: number): number => {
    let low = 0
    let high = entries.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (fromOf(middle) <= offset) low = middle
      else high = middle
    }
    return low
  }

  // Two readers of one file share what is decoded, and a handle reads one place at a time.
  const lock = Effect.unsafeMakeSemaphore(1)
  const decoded = new Map<number, Decoded>()
  const heads = new Map<number, Bytes>()

  const load = (index: number): Effect.Effect<Decoded, FileRefused> =>
    Effect.gen(function* () {
      const known = decoded.get(index)
      if (known !== undefined) return known
      const entry = entryOf(index)
      const compressed = yield* readAt(placeOf(index), entry.compressed)
      const { bytes, damage } = yield* Effect.promise(() => decode(compressed, entry))
      const from = fromOf(index)
      const place = `frame ${index} at byte ${placeOf(index)} of the compressed file`
      const made: Decoded =
        damage === undefined
          ? { from, bytes, damage }
          : { from, bytes: substitute(bytes, entry.decoded, `${place}: ${damage}`), damage: `${place}: ${damage}` }
      for (const other of decoded.keys()) if (decoded.size >= kept) decoded.delete(other)
      decoded.set(index, made)
      return made
    })

  /** The same in memory of the one who asks; undefined where that cannot be done. The next one may be read meanwhile. */
  const loadInto = (index: number, into: Uint8Array): Effect.Effect<Bytes | undefined, FileRefused> =>
    Effect.gen(function* () {
      const entry = entryOf(index)
      const content = into.subarray(0, entry.decoded)
      if (entry.checksum === undefined || into.length < entry.decoded || !ZstdThread.isThere()) return undefined
      const compressed = yield* lock.withPermits(1)(readAt(placeOf(index), entry.compressed))
      const isSound = yield* Effect.promise(() => decodeInto(compressed, entry, content))
      return isSound ? { from: fromOf(index), bytes: content } : undefined
    })

  /** The beginning of a frame; undefined where it cannot be had without the rest. */
  const begin = (index: number, length: number): Effect.Effect<Bytes | undefined, FileRefused> =>
    Effect.gen(function* () {
      const known = heads.get(index)
      if (known !== undefined && known.bytes.length >= length) return known
      const entry = entryOf(index)
      // Most content lies in far fewer bytes than it comes to.
      let bytes: Uint8Array | undefined
      for (const some of [glimpse, length + 2 * largestBlock]) {
        const compressed = yield* readAt(placeOf(index), Math.min(entry.compressed, some))
        bytes = yield* Effect.promise(() => Zstd.head(compressed, length))
        if (bytes !== undefined && bytes.length >= length) break
      }
      if (bytes === undefined || bytes.length < length || bytes.length > entry.decoded) return undefined
      const made: Bytes = { from: fromOf(index), bytes }
      heads.clear()
      heads.set(index, made)
      return made
    })

  return {
    size,
    count: entries.length,
    frame: (index) => lock.withPermits(1)(load(index)),
    bytes: (offset, length, into) =>
      Effect.suspend(() => {
        const index = indexAt(offset)
        const reach = offset + length - fromOf(index)
        const isLittle = reach <= little && entryOf(index).decoded >= 2 * reach
        const known = Effect.sync((): Bytes | undefined => decoded.get(index))
        const alone = lock.withPermits(1)(
          Effect.flatMap(known, (bytes) => {
            if (bytes !== undefined) return Effect.succeed(bytes)
            if (!isLittle) return load(index)
            return Effect.flatMap(begin(index, reach), (head) =>
              head === undefined ? load(index) : Effect.succeed(head)
            )
          })
        )
        if (into === undefined || isLittle || decoded.has(index)) return alone
        return Effect.flatMap(loadInto(index, into), (bytes) => (bytes === undefined ? alone : Effect.succeed(bytes)))
      }),
    pieceAt: (offset) => {
      const index = indexAt(offset)
      return { from: fromOf(index), to: fromOf(index) + entryOf(index).decoded }
    }
  }
}

const largestBlock = 128 * 1024

/** Decodes a frame into shared memory that is as long as it; false when it is not certainly what was compressed. */
const decodeInto = async (frame: Uint8Array, entry: SeekTable.Entry, into: Uint8Array): Promise<boolean> =>
  frame.length === entry.compressed &&
  Zstd.isWithin(frame, entry.decoded) &&
  (await ZstdThread.decode(frame, into)) &&
  (await Xxh64.load())(into) === entry.checksum

/** What a frame holds, and what is wrong with it. */
const decode = async (
  compressed: Uint8Array,
  entry: SeekTable.Entry
): Promise<{ readonly bytes: Uint8Array; readonly damage: string | undefined }> => {
  const nothing = new Uint8Array(0)
  if (compressed.length < entry.compressed) return { bytes: nothing, damage: "the file became shorter" }
  try {
    const { bytes, damagedAt } = await Zstd.decode(compressed, entry.decoded)
    if (damagedAt !== undefined) {
      // Where the damage shows is not where it is: what comes in front of it may be wrong as well.
      const trusted = entry.checksum === undefined ? bytes : nothing
      return { bytes: trusted, damage: `it makes no sense from its byte ${damagedAt} on` }
    }
    if (bytes.length !== entry.decoded) {
      return { bytes: nothing, damage: `it comes to ${bytes.length} bytes instead of ${entry.decoded}` }
    }
    if (entry.checksum !== undefined && (await Xxh64.load())(bytes) !== entry.checksum) {
      return { bytes: nothing, damage: "its content is not what its checksum says" }
    }
    return { bytes, damage: undefined }
  } catch (error) {
    const detail = error instanceof Zstd.TooLarge ? `it comes to more than ${entry.decoded} bytes` : "it is no zstd"
    return { bytes: nothing, damage: detail }
  }
}

/**
 * As many bytes as a frame should have: the whole lines that are there, and a last line of words that is no record. Every
 * other line keeps its offset.
 */
const substitute = (there: Uint8Array, length: number, words: string): Uint8Array => {
  const lines = there.lastIndexOf(0x0a) + 1
  const bytes = new Uint8Array(length).fill(0x20)
  bytes.set(there.subarray(0, lines))
  bytes.set(new TextEncoder().encode(words).subarray(0, length - lines), lines)
  if (length - lines > 1) bytes[length - 1] = 0x0a
  return bytes
}
