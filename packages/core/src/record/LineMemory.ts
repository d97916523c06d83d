/**
 * Lines that are kept while the memory they were read into is used again: copied, many into one block.
 *
 * Memory of its own for each line would cost more than reading it.
 */

const blockBytes = 64 * 1024
const lineFeed = 0x0a

/** Where lines are copied to, each with a line feed. Mutable. */
export interface LineMemory {
  /** The block that the line which was copied last lies in. */
  readonly block: () => Uint8Array
  /** Copies the bytes of a line; gives their offset in the block. */
  readonly add: (bytes: Uint8Array) => number
  /**
   * Says that nobody holds a line that was copied before those of `block`, or any if there is none: their memory may be
   * used for others.
   */
  readonly release: (block: Uint8Array | undefined) => void
  /** Says that others may hold what was copied so far: it stays as it is for ever. */
  readonly share: () => void
}

/** A new memory. Cost: a copy of each line. */
export const make = (): LineMemory => {
  let block = new Uint8Array(0)
  let used = 0
  /** Blocks in use that nobody else holds, oldest first, and those that are free again. */
  let owned: Array<Uint8Array<ArrayBuffer>> = []
  const free: Array<Uint8Array<ArrayBuffer>> = []
  return {
    block: () => block,
    add: (bytes) => {
      const { length } = bytes
      if (used + length >= block.length) {
        block = (length < blockBytes ? free.pop() : undefined) ?? new Uint8Array(Math.max(blockBytes, length + 1))
        owned.push(block)
        used = 0
      }
      const from = used
      block.set(bytes, from)
      block[from + length] = lineFeed
      used = from + length + 1
      return from
    },
    release: (first) => {
      // The newest block goes on being filled.
      const newest = owned.length - 1
      const at = first === undefined ? newest : Math.min(newest, owned.indexOf(first as Uint8Array<ArrayBuffer>))
      for (const one of owned.splice(0, Math.max(0, at))) if (one.length === blockBytes) free.push(one)
    },
    share: () => {
      // What is left of the newest block is still nobody's.
      owned = []
    }
  }
}

/** The bytes of a line that was copied: a view of its block. */
export const bytesAt = (block: Uint8Array, from: number, length: number): Uint8Array =>
  new Uint8Array(block.buffer, from, length)
