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

/** How files are cut and compressed. */
export const layout = {
  /** Bytes of content from which on a frame ends with its line. */
  target: 4 * 1024 * 1024,
  /** Bytes at which it ends in any case. */
  most: 64 * 1024 * 1024,
  /** Level of zstd, the reference's. */
  level: 3
} as const

/** What a writer can be told to do otherwise, for tests. */
export type Layout = { readonly [K in keyof typeof layout]: number }

/** Compresses a frame's content. */
export type Encode = (content: Buffer, level: number) => Promise<Uint8Array>

/** A piece of the file, and the content that it holds; undefined of the table. */
export interface Written {
  readonly bytes: Uint8Array
  readonly content: Uint8Array | undefined
}

/** Takes content and gives the file, piece by piece. Single use. */
export interface FrameWriter {
  /** Takes the next bytes of content; gives the frames that are complete, in order, to be written behind each other. */
  readonly push: (bytes: Uint8Array) => Promise<ReadonlyArray<Written>>
  /** What is left, and the table. */
  readonly end: () => Promise<ReadonlyArray<Written>>
}

const lineFeed = 0x0a

/** A writer. Memory: a frame, and what it comes to compressed. */
export const make = ({ level, most, target }: Layout = layout, encode: Encode = compress): FrameWriter => {
  const entries: Array<SeekTable.Entry> = []
  let parts: Array<Uint8Array> = []
  let held = 0

  const frame = async (): Promise<Written> => {
    const content = Buffer.concat(parts, held)
    parts = []
    held = 0
    const [checksum, made] = await Promise.all([Xxh64.load().then((of) => of(content)), encode(content, level)])
    const compressed = declaring(made, content.length)
    entries.push({ compressed: compressed.length, decoded: content.length, checksum })
    return { bytes: compressed, content }
  }

  /** How many of the next bytes belong to the present frame, and whether it ends with them. */
  const share = (bytes: Uint8Array): { readonly length: number; readonly ends: boolean } => {
    const from = Math.max(0, target - held - 1)
    const end = from >= bytes.length ? -1 : bytes.indexOf(lineFeed, from)
    const length = Math.min(end < 0 ? bytes.length : end + 1, most - held)
    return { length, ends: held + length === most || (end >= 0 && length === end + 1) }
  }

  return {
    push: async (bytes) => {
      const frames: Array<Written> = []
      for (let rest = bytes; rest.length > 0; ) {
        const { ends, length } = share(rest)
        // The caller may use its memory again.
        parts.push(new Uint8Array(rest.subarray(0, length)))
        held += length
        rest = rest.subarray(length)
        if (ends) frames.push(await frame())
      }
      return frames
    },
    end: async () => {
      const frames = held > 0 || entries.length === 0 ? [await frame()] : []
      return [...frames, { bytes: SeekTable.encode(entries, await Xxh64.load()), content: undefined }]
    }
  }
}

/**
 * A frame whose header says how much it holds (RFC 8878 §3.1.1), which that of the binding does not: so frames can be told
 * apart without their table and without decoding them, and decoders know how much room they need.
 */
const declaring = (frame: Uint8Array, size: number): Uint8Array => {
  // Only a header of a window and nothing else is known to have room where it goes.
  if (frame[4] !== 0) return frame
  const declared = new Uint8Array(frame.length + 4)
  declared.set(frame.subarray(0, 6))
  declared[4] = 0x80
  new DataView(declared.buffer).setUint32(6, size, true)
  declared.set(frame.subarray(6), 10)
  return declared
}
