/**
 * The line codec: bytes to lines, forward and backward, and lines to JSON values.
 *
 * Lines end at a line feed and at nothing else; U+2028 and a bare carriage return are text. Nothing here throws on bad
 * input and nothing is dropped: a line that cannot be read comes back as {@link Damage}, with its place and reason.
 */

import * as Examine from "../internal/Examine.js"
import * as LineText from "../internal/LineText.js"

/** One line as it lies in the file. Joining the bytes of all lines with line feeds gives the file again. */
export interface RawLine {
  /** The bytes without the line feed; a carriage return in front of it is kept. A view of the chunk where it can be. */
  readonly bytes: Uint8Array
  /** Offset in bytes of the first byte, in the decoded file. */
  readonly offset: number
  /** Number of the line, from 1; unknown when the file was read backward, or not all of what is in front of it was. */
  readonly number: number | undefined
  /** Whether a line feed ends it. Only the last line of a file can lack it. */
  readonly terminated: boolean
}

/** Why a line cannot be read as a record. */
export type DamageReason =
  | "torn"
  | "invalid-utf8"
  | "invalid-json"
  | "too-deep"
  | "too-long"
  | "lone-surrogate"
  | "number-out-of-range"
  | "not-an-object"
  | "bad-envelope"
  | "bad-payload"
  | "unknown-history-mode"
  | "repeated-ordinal"

/** A line that cannot be read, as a value: where it is, why, and in words. */
export interface Damage {
  readonly kind: "damage"
  readonly line: RawLine
  readonly reason: DamageReason
  readonly detail: string
}

/** A line of white space only. Readers skip it; it is no damage (rollout-format §2.1). */
export interface Blank {
  readonly kind: "blank"
  readonly line: RawLine
}

/** The nesting beyond which a line is refused (rollout-format §2.1). */
export const maxDepth = Examine.maxDepth

const lineFeed = 0x0a

/** Where a forward reading begins: the offset in bytes of its first chunk and the number of its first line. */
export interface Start {
  readonly offset: number
  readonly number: number
  /** Whether chunks share their memory: what is held of one is then copied, and its lines last until the next one. */
  readonly reused?: boolean | undefined
  /** What the runtime has for bytes that are all ASCII. */
  readonly ascii?: Ascii | undefined
  /** When given, what it says no to is passed over. */
  readonly holds?: Holds | undefined
}

/**
 * Whether bytes can hold a line that is wanted. They are many lines at once; those at their ends may be cut. Of bytes that
 * hold none only their last whole line is handed on, since readers compare a line with the one in front of it.
 */
export type Holds = (bytes: Uint8Array) => boolean

/** Bytes that are asked about at once. */
const askedBytes = 64 * 1024

/**
 * A runtime's own way to the text of bytes that are all ASCII, which most lines are. It is quicker than a decoder, and
 * the more so for many lines at once.
 */
export interface Ascii {
  readonly holds: (bytes: Uint8Array) => boolean
  /** The text of bytes of which each is a character, whether it is ASCII or not. */
  readonly decode: (bytes: Uint8Array) => string
}

/**
 * The text of the line that is handed on, where it comes cheaper than by {@link parse}; asked while the line is taken.
 * Undefined: decode its bytes.
 */
export type TextOf = () => string | undefined

/** Takes a line; false when no more are wanted. */
export type TakeLine = (line: RawLine, text: TextOf) => boolean

/**
 * Takes the chunks of a file and hands on the lines that are complete. Single use; holds at most one unfinished line.
 * Lines are handed on one by one, so that a line which its taker lets go of is gone before the next one is made.
 */
export interface Splitter {
  /** Gives false when the taker wants no more lines. */
  readonly push: (chunk: Uint8Array, take: TakeLine) => boolean
  /** Hands on what is left when there are no more chunks: the unterminated last line, or backward the first line. */
  readonly end: (take: TakeLine) => boolean
}

/**
 * Splits chunks that come in file order.
 *
 * Cost: one search for line feeds over the bytes; a line inside one chunk is not copied. Memory: the unfinished line.
 * A chunk must not be changed while lines of it are in use, and not before the next one unless it is `reused`.
 */
export const forward = (start: Start = { offset: 0, number: 1 }): Splitter => {
  let pieces: Array<Uint8Array> = []
  let held = 0
  let { offset } = start
  let number: number | undefined = start.number
  const texts = start.ascii === undefined ? undefined : LineText.make(start.ascii)
  const textOf = texts?.text ?? noText
  const finish = (last: Uint8Array, terminated: boolean): RawLine => {
    const bytes = held === 0 ? last : joined(last)
    const line: RawLine = { bytes, offset, number, terminated }
    offset += bytes.length + 1
    if (number !== undefined) number++
    return line
  }
  /** The line that was held, with its end. */
  const joined = (last: Uint8Array): Uint8Array => {
    const bytes = concat([...pieces, last], held + last.length)
    pieces = []
    held = 0
    return bytes
  }
  /** Hands on the lines that end in a chunk from a place on, and holds what is left. */
  const push = (chunk: Uint8Array, take: TakeLine, first = 0): boolean => {
    let from = first
    for (;;) {
      const at = chunk.indexOf(lineFeed, from)
      if (at < 0) break
      if (held === 0) texts?.line(from, at)
      const line = finish(part(chunk, from, at), true)
      from = at + 1
      if (!take(line, textOf)) return false
    }
    if (from < chunk.length) {
      const rest = part(chunk, from)
      pieces.push(start.reused === true ? new Uint8Array(rest) : rest)
      held += rest.length
    }
    return true
  }
  /** The same without the lines that lie in the chunk whole, but for the last one. */
  const pass = (chunk: Uint8Array, take: TakeLine): boolean => {
    let from = 0
    if (held > 0) {
      const at = chunk.indexOf(lineFeed)
      if (at >= 0 && !take(finish(part(chunk, 0, at), true), textOf)) return false
      from = at + 1
    }
    const end = chunk.lastIndexOf(lineFeed)
    const last = end > from ? chunk.lastIndexOf(lineFeed, end - 1) + 1 : from
    if (last > from) {
      offset += last - from
      number = undefined
    }
    return push(chunk, take, Math.max(last, from))
  }
  const { holds } = start
  return {
    push: (chunk, take) => {
      if (holds === undefined) {
        texts?.begin(chunk)
        return push(chunk, take)
      }
      for (let from = 0; from < chunk.length; from += askedBytes) {
        const bytes = part(chunk, from, Math.min(from + askedBytes, chunk.length))
        texts?.begin(bytes)
        if (!(holds(bytes) ? push(bytes, take) : pass(bytes, take))) return false
      }
      return true
    },
    end: (take) => held === 0 || take(finish(new Uint8Array(0), false), noText)
  }
}

/** Of a source that has the bytes of its lines only. */
export const noText: TextOf = () => undefined

/**
 * Splits chunks that come in reverse file order, each itself in file order; hands the lines on last to first.
 *
 * @param end Offset in bytes behind the last byte that will be read.
 * @param ascii What the runtime has for bytes that are all ASCII.
 */
export const backward = (end: number, ascii?: Ascii | undefined): Splitter => {
  const texts = ascii === undefined ? undefined : LineText.make(ascii)
  const textOf = texts?.text ?? noText
  let pieces: Array<Uint8Array> = []
  let held = 0
  let offset = end
  let first = true
  /** Undefined for what stands behind the last line feed of the file when that is nothing. */
  const finish = (head: Uint8Array): RawLine | undefined => {
    const bytes = held === 0 ? head : concat([head, ...pieces.reverse()], held + head.length)
    const terminated = !first
    const line: RawLine | undefined =
      first && bytes.length === 0 ? undefined : { bytes, offset: offset - bytes.length, number: undefined, terminated }
    offset -= bytes.length + 1
    first = false
    pieces = []
    held = 0
    return line
  }
  return {
    push: (chunk, take) => {
      let to = chunk.length
      texts?.begin(chunk)
      while (to > 0) {
        const at = chunk.lastIndexOf(lineFeed, to - 1)
        if (at < 0) break
        if (held === 0) texts?.line(at + 1, to)
        const line = finish(part(chunk, at + 1, to))
        to = at
        if (line !== undefined && !take(line, textOf)) return false
      }
      if (to > 0) {
        pieces.push(part(chunk, 0, to))
        held += to
      }
      return true
    },
    end: (take) => {
      if (held === 0 && (first || offset < 0)) return true
      const line = finish(new Uint8Array(0))
      return line === undefined || take(line, noText)
    }
  }
}

/** A view of a part of a chunk. Made by hand: `subarray` of a Node buffer makes another buffer, at ten times the price. */
const part = (chunk: Uint8Array, from: number, to: number = chunk.length): Uint8Array =>
  new Uint8Array(chunk.buffer, chunk.byteOffset + from, to - from)

const concat = (pieces: ReadonlyArray<Uint8Array>, length: number): Uint8Array => {
  const all = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true })
const encoder = new TextEncoder()

/** What a line holds: a JSON value, nothing, or damage. */
export type Parsed = { readonly kind: "value"; readonly value: unknown; readonly inexact: boolean } | Blank | Damage

/**
 * Reads one line as JSON.
 *
 * Refused as the reference refuses (rollout-format §2.1, §2.2): bytes that are not UTF-8, text that is not JSON,
 * nesting over {@link maxDepth}, a lone surrogate. `inexact` says that a number is an integer beyond 2^53 - 1, which
 * the parsed value rounds; the raw line keeps it. Cost: decoding, `JSON.parse` and one walk over the value.
 *
 * @param known The text of the line where its reader has it already ({@link TextOf}).
 */
export const parse = (line: RawLine, known?: string | undefined): Parsed => {
  const read = parseOnly(line, known)
  return read.kind === "value" ? examined(line, read.value) : read
}

/** What a line holds that nobody has looked at yet. */
export type Unexamined = { readonly kind: "value"; readonly value: unknown } | Blank | Damage

/** {@link parse} without the walk; {@link examined} makes up for it, or whoever looks at the value all the same. */
export const parseOnly = (line: RawLine, known?: string | undefined): Unexamined => {
  const { bytes } = line
  if (isBlank(line)) return { kind: "blank", line }
  let text = known
  if (text === undefined) {
    try {
      text = decoder.decode(bytes)
    } catch (error) {
      const at = invalidUtf8At(bytes)
      return at === undefined
        ? damage(line, "too-long", `${bytes.length} bytes are more than one string can hold (${String(error)})`)
        : damage(line, "invalid-utf8", `byte ${at} of the line is not UTF-8`)
    }
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return damage(line, line.terminated ? "invalid-json" : "torn", brief(detail))
  }
  return { kind: "value", value }
}

/** The value of a line, refused where the reference refuses it. Cost: one walk over it. */
export const examined = (line: RawLine, value: unknown): Parsed => {
  const fault = Examine.faultOf(value)
  if (fault !== undefined) return damage(line, fault, faultDetail[fault])
  return { kind: "value", value, inexact: Examine.wasInexact() }
}

/** A damage value. */
export const damage = (line: RawLine, reason: DamageReason, detail: string): Damage => ({
  kind: "damage",
  line,
  reason,
  detail
})

const faultDetail: Readonly<Record<Examine.Fault, string>> = {
  "too-deep": `nested deeper than ${maxDepth} levels`,
  "lone-surrogate": "a string holds half of a surrogate pair",
  "number-out-of-range": "a number is beyond the range of a 64-bit float"
}

/** Whether a line is white space only. Cost: constant for a line that begins with an object. */
export const isBlank = ({ bytes }: RawLine): boolean => {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0b && byte !== 0x0c) return false
  }
  return true
}

/** Index of the first byte that is not part of a UTF-8 sequence; undefined when all are. */
const invalidUtf8At = (bytes: Uint8Array): number | undefined => {
  let text: string
  try {
    text = lenientDecoder.decode(bytes)
  } catch {
    return undefined
  }
  let from = 0
  let at = 0
  for (;;) {
    const next = text.indexOf("\ufffd", from)
    if (next < 0) return undefined
    at += encoder.encode(text.slice(from, next)).length
    const written = bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd
    if (!written) return at
    at += 3
    from = next + 1
  }
}

/** A text shortened for a message, on one line. */
const brief = (text: string): string => {
  const flat = text.replace(/\s+/g, " ")
  return flat.length > 160 ? `${flat.slice(0, 160)}…` : flat
}

/**
 * The line that stands for a JSON value: compact JSON and a line feed, in UTF-8. Halves of surrogate pairs become
 * U+FFFD, since readers refuse them (rollout-format §2.2).
 */
export const encode = (value: unknown): Uint8Array => encoder.encode(`${stringify(value)}\n`)

/**
 * The bytes of lines whose texts are known, without their line feeds: views of one piece of memory, since memory of its
 * own for each line costs more than its text. The texts hold no line feeds, as those of {@link stringify}.
 */
export const encodeAll = (texts: ReadonlyArray<string>): ReadonlyArray<Uint8Array> => {
  const bytes = encoder.encode(`${texts.join("\n")}\n`)
  let from = 0
  return texts.map(() => {
    const to = bytes.indexOf(lineFeed, from)
    const line = part(bytes, from, to)
    from = to + 1
    return line
  })
}

/** The text of a line: compact JSON. Halves of surrogate pairs become U+FFFD, as {@link encode} says. */
export const stringify = (value: unknown): string => {
  const text = JSON.stringify(value)
  // `JSON.stringify` escapes every half pair, in keys too, and nothing else as `\ud…`. A text without such an escape
  // holds none: the rule, and then free.
  return text.includes("\\ud")
    ? text.replace(anyEscape, (escaped) => (escaped.startsWith("\\ud") ? "\ufffd" : escaped))
    : text
}

// An escaped backslash is taken whole, so that a `ud` behind it is not seen as an escape.
const anyEscape = /\\(?:u....|.)/g
