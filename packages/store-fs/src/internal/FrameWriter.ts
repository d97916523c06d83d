/**
 * Content as a seekable zstd file: independent frames of about 4 MiB, each of whole lines, and a table of them at the end
 * (design §7).
 *
 * A frame ends behind the first line that reaches `target`, so it is that long and at most one line longer. A line that
 * goes on and on is cut at `most`: readers join what frames give, and nothing of 64 MiB is ever needed at once.
 */
import { compress } from "@mongodb-js/zstd"
import * as SeekTable from "../SeekTable.js"
import * as Xxh64 from "./Xxh64.js"
import * as ZstdThread from "./ZstdThread.js"

/** How files are cut and compressed. */
export const layout = {
  /** Bytes of content from which on a frame ends with its line. */
  target: 4 * 1024 * 1024,
  /** The same where little is left of a long file: most readers want its end and nothing else. */
  last: 1024 * 1024,
  /** Content from which on a file is long. Small frames cost a tenth, of a part of it that does not matter then. */
  long: 32 * 1024 * 1024,
  /** Bytes at which a frame ends in any case. */
  most: 64 * 1024 * 1024
} as const

/** What a test wants otherwise. */
export type Layout = { readonly [K in keyof typeof layout]: number }

/** The level of zstd, the reference's. */
const level = 3

/** Compresses a frame's content. */
export type Encode = (content: Buffer, level: number) => Promise<Uint8Array>

const lineFeed = 0x0a

/** Bytes that are read beyond where a frame may end: most lines end within them. */
export const slack = 64 * 1024

/** Bytes from which on a frame at this place ends with its line. */
const wanted = ({ last, long, target }: Layout, from: number, total: number): number =>
  total >= long && total - from <= target + last ? last : target

/**
 * How many bytes are to be read to know where a frame ends that begins at a place.
 *
 * @param held Bytes that were read of it in vain, since no line ends behind where it should.
 */
export const reach = (from: number, total: number, held = 0, how: Layout = layout): number =>
  Math.min(Math.max(wanted(how, from, total) + slack, 2 * held), how.most, total - from)

/** Where a frame ends among the bytes that were read of it; undefined: more have to be. */
export const cut = (bytes: Uint8Array, from: number, total: number, how: Layout = layout): number | undefined => {
  const end = bytes.indexOf(lineFeed, Math.max(0, wanted(how, from, total) - 1))
  if (end >= 0) return end + 1
  return bytes.length === total - from || bytes.length >= how.most ? bytes.length : undefined
}

/** A frame as it stands in the file, its content, and how the table tells of it. */
export interface Frame {
  readonly bytes: Uint8Array
  readonly content: Buffer
  readonly entry: SeekTable.Entry
}

/** Bytes that the header of a frame grows by when it says how much the frame holds. */
const declaration = 4

/** How much memory a frame of so much content takes at most (the bound of zstd, and what {@link declaring} adds). */
export const bound = (content: number): number => content + (content >> 8) + 64 + declaration

/**
 * Encodes the content of a frame: by a thread of its own where it is given shared memory for the frame ({@link bound}) and
 * has its content in such, else by `encode`.
 */
export const encodeFrame = async (content: Buffer, encode?: Encode, into?: Uint8Array): Promise<Frame> => {
  const isShared = encode === undefined && into !== undefined
  const length = isShared ? ZstdThread.encode(content, level, into.subarray(declaration)) : undefined
  const encoded = isShared ? undefined : (encode ?? compress)(content, level)
  const checksum = (await Xxh64.load())(content)
  const made = await length
  const bytes =
    into !== undefined && made !== undefined
      ? declareIn(into.subarray(0, declaration + made), content.length)
      : declaring((await encoded) ?? (await compress(content, level)), content.length)
  return { bytes, content, entry: { compressed: bytes.length, decoded: content.length, checksum } }
}

/** What stands behind the frames of a file. */
export const table = async (entries: ReadonlyArray<SeekTable.Entry>): Promise<Uint8Array> =>
  SeekTable.encode(entries, await Xxh64.load())

/**
 * A frame whose header says how much it holds (RFC 8878 §3.1.1), which that of the binding does not: so frames can be told
 * apart without their table and without decoding them, and decoders know how much room they need.
 */
const declaring = (frame: Uint8Array, size: number): Uint8Array => {
  const room = new Uint8Array(frame.length + declaration)
  room.set(frame, declaration)
  return declareIn(room, size)
}

/** The same of a frame that has room in front of it. */
const declareIn = (room: Uint8Array, size: number): Uint8Array => {
  const frame = room.subarray(declaration)
  // Only a header of a window and nothing else is known to have room where it goes.
  if (frame[4] !== 0) return frame
  room.copyWithin(0, declaration, declaration + 6)
  room[4] = 0x80
  new DataView(room.buffer, room.byteOffset).setUint32(6, size, true)
  return room
}
