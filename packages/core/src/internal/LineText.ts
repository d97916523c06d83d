/** Makes text of the lines of a chunk, many at a time: a call for each costs more than its text. */
import type { Ascii } from "../record/Jsonl.js"

/** Bytes that are made text of at once: a string of this size still lies with the short-lived ones. */
const blockBytes = 64 * 1024

/** The lines of one chunk after the other. Mutable. */
export interface LineText {
  /** Goes on to another chunk. No line is handed on yet. */
  readonly begin: (chunk: Uint8Array) => void
  /** Says which bytes of the chunk are the line that is handed on now. */
  readonly line: (from: number, to: number) => void
  /** The text of that line; undefined when it is not all ASCII, not all in the chunk, or very long. */
  readonly text: () => string | undefined
}

/**
 * New, before the first chunk. Whoever asks for one line and then for its neighbour will ask for more of them: from then
 * on whole blocks are made text of. A line that stands alone among others that nobody asks for is taken by itself.
 */
export const make = (ascii: Ascii): LineText => {
  let chunk: Uint8Array = nothing
  let from = -1
  let to = -1
  // The block that was made text of, and whether all of it is ASCII.
  let blockFrom = 0
  let blockTo = 0
  let block = ""
  let isPure = false
  // The line that was asked for last.
  let lastFrom = nowhere
  let lastTo = nowhere
  const part = (start: number, end: number): Uint8Array =>
    new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start)
  const open = (): void => {
    blockFrom = to + 1 === lastFrom ? Math.max(0, to - blockBytes) : from
    blockTo = from === lastTo + 1 ? Math.min(chunk.length, from + blockBytes) : to
    const bytes = part(blockFrom, blockTo)
    isPure = ascii.holds(bytes)
    block = ascii.decode(bytes)
  }
  return {
    begin: (bytes) => {
      chunk = bytes
      from = -1
      blockTo = 0
      lastFrom = nowhere
      lastTo = nowhere
    },
    line: (start, end) => {
      from = start
      to = end
    },
    text: () => {
      if (from < 0 || to - from > blockBytes) return undefined
      if (from < blockFrom || to > blockTo) open()
      lastFrom = from
      lastTo = to
      return isPure || ascii.holds(part(from, to)) ? block.slice(from - blockFrom, to - blockFrom) : undefined
    }
  }
}

const nothing = new Uint8Array(0)
const nowhere = -2
