/**
 * The seek table of a compressed rollout: which frame holds which bytes of the content (the published zstd seekable
 * format, version 0.1.0).
 *
 * It is a skippable frame at the end of the file, so every zstd decoder passes over it. An entry for each frame says what
 * it takes compressed and decoded, and, if the table says so, the low 32 bits of the XXH64 of its content.
 *
 * Nothing in that format tells whether the table itself is right, and one wrong size would move every line behind it. So
 * Skein puts another skippable frame in front, with an entry like any frame: the letters `SKST` and the checksum of all
 * entries before its own. Others pass over it, and tables without it are read too.
 */

/** The low 32 bits of the XXH64 of some bytes, seed 0. */
export type Checksum = (bytes: Uint8Array) => number

/** A frame as the table tells of it. */
export interface Entry {
  /** Bytes in the file. */
  readonly compressed: number
  /** Bytes of content. */
  readonly decoded: number
  /** The low 32 bits of the XXH64 of the content, seed 0; undefined in tables without. */
  readonly checksum: number | undefined
}

/** What the end of a file says of its frames. */
export type Found =
  /** There is no table: the file was written by a program that makes none. */
  | { readonly _tag: "None" }
  /** The table is longer than what was given of the end of the file. */
  | { readonly _tag: "Longer"; readonly length: number }
  /** There is something that was a table. */
  | { readonly _tag: "Damaged"; readonly detail: string }
  /** `isVouched`: Skein wrote it, and it is as it was written. */
  | { readonly _tag: "Table"; readonly entries: ReadonlyArray<Entry>; readonly isVouched: boolean }

/** The most that a frame may decode to. */
export const largestFrame = 1024 * 1024 * 1024

const skippable = 0x184d2a5e
const seekable = 0x8f92eab1
const header = 8
const footer = 9
/** The bit of the descriptor which says that there are checksums; those which have to be 0. */
const checksums = 0x80
const reserved = 0x7c

/** The frame that vouches for the table: its kind, its length, and the letters that it begins with. */
const guard = { magic: 0x184d2a50, length: 16, letters: 0x54534b53 } as const

/** Bytes of a table of so many frames, as {@link encode} makes it, with the frame that vouches for it. */
export const sizeOf = (frames: number): number => guard.length + header + 12 * (frames + 1) + footer

/** Whether the end of a file behind so many frames, with checksums or without, can be a table of them by its length. */
export const isSizeOf = (bytes: number, frames: number): boolean =>
  frames > 0 && [sizeOf(frames), header + 12 * frames + footer, header + 8 * frames + footer].includes(bytes)

/** What stands at the end of a file of these frames. */
export const encode = (entries: ReadonlyArray<Entry>, checksum: Checksum): Uint8Array => {
  const bytes = new Uint8Array(sizeOf(entries.length))
  const view = new DataView(bytes.buffer)
  const vouching: Entry = { compressed: guard.length, decoded: 0, checksum: checksum(new Uint8Array(0)) }
  let at = guard.length + header
  for (const one of [...entries, vouching]) {
    view.setUint32(at, one.compressed, true)
    view.setUint32(at + 4, one.decoded, true)
    view.setUint32(at + 8, one.checksum ?? 0, true)
    at += 12
  }
  view.setUint32(at, entries.length + 1, true)
  view.setUint8(at + 4, checksums)
  view.setUint32(at + 5, seekable, true)
  view.setUint32(guard.length, skippable, true)
  view.setUint32(guard.length + 4, bytes.length - guard.length - header, true)
  view.setUint32(0, guard.magic, true)
  view.setUint32(4, guard.length - header, true)
  view.setUint32(8, guard.letters, true)
  view.setUint32(12, checksum(bytes.subarray(guard.length + header, at - 12)), true)
  return bytes
}

/**
 * What the last bytes of a file of `size` bytes say. A table counts only if all of it fits the file: frames that do not
 * come to what is in front of it are none. Cost: linear in the table.
 */
export const parse = (end: Uint8Array, size: number, checksum: Checksum): Found => {
  if (end.length < footer) return { _tag: "None" }
  const view = new DataView(end.buffer, end.byteOffset, end.byteLength)
  if (view.getUint32(end.length - 4, true) !== seekable) return { _tag: "None" }
  const count = view.getUint32(end.length - footer, true)
  const descriptor = view.getUint8(end.length - 5)
  if ((descriptor & reserved) !== 0) return damaged("its descriptor has bits that mean nothing")
  const entry = (descriptor & checksums) === 0 ? 8 : 12
  const length = header + entry * count + footer
  if (length > size) return damaged(`it tells of ${count} frames, for which the file is too short`)
  // With what may vouch for it.
  const needed = Math.min(size, length + guard.length)
  if (needed > end.length) return { _tag: "Longer", length: needed }
  const from = end.length - length
  if (view.getUint32(from, true) !== skippable || view.getUint32(from + 4, true) !== length - header) {
    return damaged("no skippable frame of its length begins where it should")
  }
  const entries: Array<Entry> = []
  let compressed = 0
  for (let at = from + header; at < end.length - footer; at += entry) {
    const one: Entry = {
      compressed: view.getUint32(at, true),
      decoded: view.getUint32(at + 4, true),
      checksum: entry === 12 ? view.getUint32(at + 8, true) : undefined
    }
    if (one.decoded > largestFrame) return damaged(`frame ${entries.length} is said to come to ${one.decoded} bytes`)
    compressed += one.compressed
    entries.push(one)
  }
  if (compressed !== size - length) {
    return damaged(`its frames come to ${compressed} bytes, but ${size - length} are in front of it`)
  }
  // Either of the two says that the other one should be there.
  const vouching = entries.at(-1)
  const isTold = vouching?.compressed === guard.length && vouching.decoded === 0 && entry === 12
  const at = from - guard.length
  const isThere =
    at >= 0 &&
    view.getUint32(at, true) === guard.magic &&
    view.getUint32(at + 4, true) === guard.length - header &&
    view.getUint32(at + 8, true) === guard.letters
  if (isTold || isThere) {
    const isWhole = isTold && isThere && vouching.checksum === checksum(new Uint8Array(0))
    const said = view.getUint32(Math.max(0, at) + 12, true)
    if (!isWhole || said !== checksum(end.subarray(from + header, end.length - footer - 12))) {
      return damaged("it is not what its own checksum says")
    }
    entries.pop()
  }
  return { _tag: "Table", entries, isVouched: isTold && isThere }
}

const damaged = (detail: string): Found => ({ _tag: "Damaged", detail })
