/**
 * Reading `.jsonl.zst` (RFC 8878): within a stated decoded size, and as far as a damaged file goes.
 *
 * The zstd binding decodes whole buffers only and does not say how large the result will be. So the frames and blocks
 * are walked first, which costs a few bytes for every 128 KiB of content: the block sizes bound what a frame can come
 * to, a bomb is refused before it is decoded, and of a frame that is cut short the whole blocks are still read.
 */
import type { Transform } from "node:stream"
import * as zlib from "node:zlib"
import { decompress } from "@mongodb-js/zstd"

/** Bytes that a file may come to when decoded, unless the reader says otherwise. */
export const defaultLimit = 1024 * 1024 * 1024

/** A decoded file. */
export interface Decoded {
  readonly bytes: Uint8Array
  /** Offset in the compressed file at which it stops making sense; undefined when all of it was read. */
  readonly damagedAt: number | undefined
}

/** The decoded size went beyond the limit. */
export class TooLarge extends Error {
  override readonly name = "TooLarge"
}

/** The bytes are no zstd at all. */
export class NotZstd extends Error {
  override readonly name = "NotZstd"
}

interface Block {
  /** Offset of the block header. */
  readonly offset: number
  /** Offset behind the block. */
  readonly end: number
  /** The most that it can decode to. */
  readonly most: number
  /** What it decodes to at least: raw and run-length blocks say it exactly, compressed ones not at all. */
  readonly least: number
}

interface Frame {
  readonly offset: number
  readonly end: number
  /** Offset of the first block header. */
  readonly body: number
  readonly windowDescriptor: number
  /** Size of the content as the header declares it. */
  readonly declared: number | undefined
  readonly blocks: ReadonlyArray<Block>
  /** Whether the frame is all there. */
  readonly whole: boolean
  readonly skippable: boolean
}

const magic = 0xfd2fb528
const largestBlock = 128 * 1024

/**
 * Decodes a zstd file of one or many frames; skippable frames are skipped.
 *
 * Rejects with {@link TooLarge} when the content is larger than `limit` bytes, and with {@link NotZstd} when nothing
 * of it is zstd. Memory: the compressed bytes and the decoded ones.
 */
export const decode = async (input: Uint8Array, limit: number = defaultLimit): Promise<Decoded> => {
  const parts: Array<Uint8Array> = []
  let size = 0
  let at = 0
  while (at < input.length) {
    const frame = frameAt(input, at, limit - size)
    if (frame === undefined) {
      if (at === 0) throw new NotZstd("the file does not begin with a zstd frame")
      return { bytes: Buffer.concat(parts, size), damagedAt: at }
    }
    if (!frame.skippable) {
      const part = await decodeFrame(input, frame, limit - size)
      parts.push(part.bytes)
      size += part.bytes.length
      if (part.damagedAt !== undefined) return { bytes: Buffer.concat(parts, size), damagedAt: part.damagedAt }
    }
    if (!frame.whole) return { bytes: Buffer.concat(parts, size), damagedAt: input.length }
    at = frame.end
  }
  return { bytes: parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, size), damagedAt: undefined }
}

/** A frame with content, as its header tells of it. */
export interface Part {
  readonly offset: number
  /** Offset behind it. */
  readonly end: number
  /** Bytes of content that it declares. */
  readonly decoded: number
}

/**
 * The frames of a file one by one, without what is to be skipped; undefined unless every one of them is all there and
 * declares its size, so that each can be decoded by itself. Cost: a few bytes for every block.
 *
 * @param isEnd Whether so many bytes behind so many frames are no frame but the end of the file, whatever they are.
 */
export const parts = (
  input: Uint8Array,
  isEnd: (bytes: number, frames: number) => boolean = () => false
): ReadonlyArray<Part> | undefined => {
  const found: Array<Part> = []
  for (let at = 0; at < input.length && !isEnd(input.length - at, found.length); ) {
    const frame = frameAt(input, at, Number.POSITIVE_INFINITY)
    if (frame === undefined) return undefined
    const { declared, end, offset, skippable, whole } = frame
    // What is to be skipped holds no content, so it may be cut short.
    if (skippable) {
      at = end
      continue
    }
    if (!whole || declared === undefined) return undefined
    found.push({ offset, end, decoded: declared })
    at = end
  }
  return found
}

/** Whether all of the bytes are one frame, whose blocks come to no more than `limit` and one block. Cost: as {@link parts}. */
export const isWithin = (input: Uint8Array, limit: number): boolean => {
  const frame = frameAt(input, 0, limit)
  if (frame === undefined || frame.skippable || !frame.whole || frame.end !== input.length) return false
  return mostOf(frame) <= limit + largestBlock
}

/**
 * The first bytes of a frame's content, at least `least` of them if there are as many; undefined when they cannot be
 * decoded. Nothing tells whether they are right: a checksum is of all of it. Cost: the blocks that they lie in.
 */
export const head = async (input: Uint8Array, least: number): Promise<Uint8Array | undefined> => {
  const frame = frameAt(input, 0, Number.POSITIVE_INFINITY)
  if (frame === undefined || frame.skippable) return undefined
  const { blocks } = frame
  for (let count = Math.ceil(least / largestBlock) || 1; ; count *= 2) {
    const all = Math.min(count, blocks.length)
    if (all === 0) return undefined
    const bytes = await inflate(prefix(input, frame, all)).catch(() => undefined)
    if (bytes === undefined || bytes.length >= least || all === blocks.length) return bytes
  }
}

/** The most that a frame can come to. */
const mostOf = ({ blocks }: Frame): number => blocks.reduce((sum, block) => sum + block.most, 0)

const decodeFrame = async (input: Uint8Array, frame: Frame, limit: number): Promise<Decoded> => {
  const { blocks, declared } = frame
  const most = mostOf(frame)
  const least = blocks.reduce((sum, block) => sum + block.least, 0)
  // A declared size that the blocks cannot come to is damage; one that they can is what they would come to.
  if (least > limit || (declared !== undefined && declared > limit && declared <= most)) throw tooLarge(limit)
  if (streamed !== undefined && frame.whole && (declared === undefined || most > limit)) {
    const bytes = await stream(streamed(), input.subarray(frame.offset, frame.end), limit)
    if (bytes !== undefined) return { bytes, damagedAt: undefined }
  }
  if (most > limit) return decodeWithin(input, frame, limit)
  if (!frame.whole) return { bytes: await salvage(input, frame, blocks.length), damagedAt: input.length }
  try {
    return { bytes: await inflate(input.subarray(frame.offset, frame.end)), damagedAt: undefined }
  } catch {
    return { bytes: await salvage(input, frame, blocks.length), damagedAt: frame.offset }
  }
}

/** Node's own decoder, which gives content as it comes (22.15 and 24). */
const streamed = (zlib as { readonly createZstdDecompress?: () => Transform }).createZstdDecompress

/** Decodes a frame until it comes to more than the limit, which throws; undefined when it cannot be decoded. */
const stream = async (decoder: Transform, frame: Uint8Array, limit: number): Promise<Uint8Array | undefined> => {
  const parts: Array<Uint8Array> = []
  let size = 0
  decoder.end(frame)
  try {
    for await (const part of decoder as AsyncIterable<Uint8Array>) {
      size += part.length
      if (size > limit) throw tooLarge(limit)
      parts.push(part)
    }
  } catch (error) {
    if (error instanceof TooLarge) throw error
    return undefined
  }
  return Buffer.concat(parts, size)
}

/** Decodes ever longer prefixes of a frame whose blocks could come to more than the limit, until it is done or does. */
const decodeWithin = async (input: Uint8Array, frame: Frame, limit: number): Promise<Decoded> => {
  // The last blocks within the limit may come to less than they could: some more are decoded to know.
  const reach = limit + Math.max(largestBlock, limit / 16)
  let blocks = 0
  let size = 0
  for (;;) {
    let most = size
    let next = blocks
    while (next < frame.blocks.length && most + (frame.blocks[next] as Block).most <= reach) {
      most += (frame.blocks[next] as Block).most
      next++
    }
    if (next === blocks) throw tooLarge(limit)
    const all = frame.whole && next === frame.blocks.length
    const part = all ? input.subarray(frame.offset, frame.end) : prefix(input, frame, next)
    const whole = await inflate(part).catch(() => undefined)
    const bytes = whole ?? (await salvage(input, frame, next))
    if (bytes.length > limit) throw tooLarge(limit)
    if (whole === undefined) return { bytes, damagedAt: frame.offset }
    if (next === frame.blocks.length) return { bytes, damagedAt: all ? undefined : input.length }
    blocks = next
    size = bytes.length
  }
}

const tooLarge = (limit: number): TooLarge => new TooLarge(`the content is larger than ${limit} bytes`)

/** The longest prefix of whole blocks among the first `count` that can be decoded, by halving. */
const salvage = async (input: Uint8Array, frame: Frame, count: number): Promise<Uint8Array> => {
  let good = new Uint8Array(0)
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high + 1) >> 1
    try {
      good = new Uint8Array(await inflate(prefix(input, frame, middle)))
      low = middle
    } catch {
      high = middle - 1
    }
  }
  return good
}

const inflate = (bytes: Uint8Array): Promise<Uint8Array> =>
  decompress(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))

/** A frame of its own made of the first `count` blocks, without checksum and content size. */
const prefix = (input: Uint8Array, frame: Frame, count: number): Uint8Array => {
  const last = frame.blocks[count - 1] as Block
  const out = new Uint8Array(6 + last.end - frame.body)
  out.set([0x28, 0xb5, 0x2f, 0xfd, 0x00, frame.windowDescriptor])
  out.set(input.subarray(frame.body, last.end), 6)
  const header = 6 + last.offset - frame.body
  out[header] = (out[header] as number) | 1
  return out
}

const uint = (input: Uint8Array, at: number, size: number): number => {
  let value = 0
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (input[at + i] ?? 0)
  return value
}

/** The frame that begins at an offset; undefined when none does. Its blocks are walked until they exceed the limit. */
const frameAt = (input: Uint8Array, offset: number, limit: number): Frame | undefined => {
  if (input.length - offset < 5) return undefined
  const id = uint(input, offset, 4)
  if (id >= 0x184d2a50 && id <= 0x184d2a5f) {
    const end = offset + 8 + uint(input, offset + 4, 4)
    const whole = end <= input.length
    return { offset, end, body: end, windowDescriptor: 0, declared: undefined, blocks: [], whole, skippable: true }
  }
  if (id !== magic) return undefined
  const descriptor = input[offset + 4] as number
  const single = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
  let at = offset + 5
  const window = single ? undefined : (input[at++] ?? 0)
  at += dictionaryBytes
  const contentSize = uint(input, at, sizeBytes) + (sizeFlag === 1 ? 256 : 0)
  at += sizeBytes
  const windowSize = window === undefined ? contentSize : windowOf(window)
  return {
    ...walkBlocks(input, at, Math.min(windowSize, largestBlock), (descriptor & 4) !== 0, limit),
    offset,
    body: at,
    windowDescriptor: window ?? descriptorFor(contentSize),
    declared: sizeBytes === 0 ? undefined : contentSize,
    skippable: false
  }
}

const walkBlocks = (
  input: Uint8Array,
  body: number,
  blockMaximum: number,
  checksum: boolean,
  limit: number
): Pick<Frame, "blocks" | "end" | "whole"> => {
  const blocks: Array<Block> = []
  let at = body
  let least = 0
  for (;;) {
    if (least > limit || at + 3 > input.length) return { blocks, end: input.length, whole: false }
    const header = uint(input, at, 3)
    const type = (header >> 1) & 3
    const size = header >> 3
    const end = at + 3 + (type === 1 ? 1 : size)
    if (type === 3 || end > input.length) return { blocks, end: input.length, whole: false }
    blocks.push({ offset: at, end, most: type === 2 ? blockMaximum : size, least: type === 2 ? 0 : size })
    if (type !== 2) least += size
    at = end
    if ((header & 1) === 0) continue
    const frameEnd = at + (checksum ? 4 : 0)
    return { blocks, end: Math.min(frameEnd, input.length), whole: frameEnd <= input.length }
  }
}

/** Window size that a descriptor byte stands for (RFC 8878 §3.1.1.1.2). */
const windowOf = (descriptor: number): number => {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** The smallest descriptor whose window holds `size` bytes, up to the 128 MiB that decoders take unasked. */
const descriptorFor = (size: number): number => {
  let exponent = 0
  while (exponent < 17 && 2 ** (10 + exponent) < size) exponent++
  return exponent << 3
}
