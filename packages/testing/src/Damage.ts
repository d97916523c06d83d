/**
 * Damage as it happens to files: torn ends, bytes that are no text, lines that no writer wrote.
 *
 * Each damage has a name that says what was done and where, and is a pure function of the bytes, so that a failing
 * property names what broke and can be repeated by hand ({@link apply}).
 */
import * as fc from "fast-check"

/** What can be done to a file. */
export type Kind =
  | "torn tail"
  | "NUL tail"
  | "CRLF"
  | "bad UTF-8"
  | "line twice"
  | "line missing"
  | "lines swapped"
  | "byte flip"
  | "unknown record"
  | "unknown event"
  | "not JSON"
  | "blank line"
  | "lone surrogate"
  | "deep nesting"

/** Every kind. */
export const kinds: ReadonlyArray<Kind> = [
  "torn tail",
  "NUL tail",
  "CRLF",
  "bad UTF-8",
  "line twice",
  "line missing",
  "lines swapped",
  "byte flip",
  "unknown record",
  "unknown event",
  "not JSON",
  "blank line",
  "lone surrogate",
  "deep nesting"
]

/** One damage: what, at which line (from 0), and how far into it or how much, in bytes. */
export interface Damage {
  readonly kind: Kind
  readonly line: number
  readonly amount: number
}

/** A damaged file. */
export interface Damaged {
  readonly bytes: Uint8Array
  /** In words, such as `byte flip: byte 7 of line 3`. */
  readonly what: string
  readonly damages: ReadonlyArray<Damage>
  /** Which lines of the file, from 0, came through with the bytes that they had. */
  readonly intact: ReadonlyArray<number>
}

/** How files are damaged. */
export interface Options {
  /** Which kinds. Default: all of them. */
  readonly kinds?: ReadonlyArray<Kind> | undefined
  /** How many damages a file takes at most. Default: 3. */
  readonly max?: number | undefined
}

/**
 * The file with one or more damages. A file without lines comes back as it is, with nothing done.
 *
 * Shrinks to one damage, of a kind that comes early in {@link kinds}, near the first line and small.
 */
export const damaged = (bytes: Uint8Array, options: Options = {}): fc.Arbitrary<Damaged> => {
  const lines = split(bytes).length
  if (lines === 0) return fc.constant(finish(bytes, []))
  const one = fc.record({
    kind: fc.constantFrom(...(options.kinds ?? kinds)),
    line: fc.nat(lines - 1),
    amount: fc.nat(60)
  })
  return fc
    .array(one, { minLength: 1, maxLength: Math.max(1, options.max ?? 3) })
    .map((damages) => finish(bytes, damages))
}

/** The file with these damages, done in their order to the lines that the file had at first. Cost: the file. */
export const apply = (bytes: Uint8Array, damages: ReadonlyArray<Damage>): Uint8Array => finish(bytes, damages).bytes

/** A line in the making. */
interface Part {
  /** Its number in the file; undefined for one that was put in or is no longer what it was. */
  readonly from: number | undefined
  readonly at: number
  readonly bytes: Uint8Array
}

interface Parts {
  readonly parts: ReadonlyArray<Part>
  readonly terminated: boolean
}

const finish = (bytes: Uint8Array, damages: ReadonlyArray<Damage>): Damaged => {
  const lines = split(bytes)
  let state: Parts = {
    parts: lines.map((line, i) => ({ from: i, at: i, bytes: line })),
    terminated: bytes.length === 0 || bytes[bytes.length - 1] === lineFeed
  }
  const words: Array<string> = []
  // What is done to the end comes last, whatever its place, or it would no longer be the end.
  const atEnd = ({ kind }: Damage) => kind === "torn tail" || kind === "NUL tail"
  for (const damage of [...damages.filter((one) => !atEnd(one)), ...damages.filter(atEnd)]) {
    const target = state.parts.findIndex((part) => part.at === damage.line)
    const last = state.parts.length - 1
    const index = atEnd(damage) ? last : target
    const part = state.parts[index]
    if (part === undefined) continue
    words.push(`${damage.kind}: ${wordsOf(damage, part)}`)
    state = effects[damage.kind](state, index, part, damage.amount)
  }
  const damaged: Damaged = {
    bytes: join(state),
    what: words.length === 0 ? "nothing" : words.join("; "),
    damages,
    intact: state.parts.flatMap(({ from }) => (from === undefined ? [] : [from]))
  }
  // What was done says more than the bytes that came of it.
  Object.defineProperty(damaged, fc.toStringMethod, { value: () => damaged.what, enumerable: false })
  return damaged
}

const wordsOf = ({ amount, kind }: Damage, { at, bytes }: Part): string => {
  const where = `line ${at + 1}`
  switch (kind) {
    case "torn tail":
      return `the last ${tornBytes(bytes, amount)} bytes and the line feed`
    case "NUL tail":
      return `${amount + 1} bytes`
    case "bad UTF-8":
    case "byte flip":
      return `byte ${placeIn(bytes, amount)} of ${where}`
    case "lines swapped":
      return `${where} and the next`
    case "unknown record":
    case "unknown event":
    case "not JSON":
    case "blank line":
    case "lone surrogate":
    case "deep nesting":
      return `in front of ${where}`
    default:
      return where
  }
}

type Effect = (state: Parts, index: number, part: Part, amount: number) => Parts

const utf8 = new TextEncoder()

const changing =
  (change: (bytes: Uint8Array, amount: number) => Uint8Array): Effect =>
  (state, index, part, amount) => ({
    ...state,
    parts: state.parts.with(index, { from: undefined, at: part.at, bytes: change(part.bytes, amount) })
  })

const inserting =
  (text: string): Effect =>
  (state, index) => ({
    ...state,
    parts: state.parts.toSpliced(index, 0, { from: undefined, at: -1, bytes: utf8.encode(text) })
  })

const enveloped = (rest: string) => `{"timestamp":"2026-07-20T10:00:00.000Z",${rest}}`
const nested = `${"[".repeat(200)}${"]".repeat(200)}`

const effects: Readonly<Record<Kind, Effect>> = {
  "torn tail": (state, index, part, amount) => ({
    ...changing((bytes) => bytes.slice(0, bytes.length - tornBytes(bytes, amount)))(state, index, part, amount),
    terminated: false
  }),
  "NUL tail": (state, _, __, amount) => ({
    parts: [...state.parts, { from: undefined, at: -1, bytes: new Uint8Array(amount + 1) }],
    terminated: false
  }),
  // A carriage return in front of the line feed is white space to every reader: the line is still what it was.
  CRLF: (state, index, part) => ({
    ...state,
    parts: state.parts.with(index, { ...part, bytes: concat([part.bytes, utf8.encode("\r")]) })
  }),
  "bad UTF-8": changing((bytes, amount) => replaced(bytes, placeIn(bytes, amount), 0xff)),
  "line twice": (state, index, part) => ({
    ...state,
    parts: state.parts.toSpliced(index, 0, { from: undefined, at: -1, bytes: part.bytes })
  }),
  "line missing": (state, index) => ({ ...state, parts: state.parts.toSpliced(index, 1) }),
  "lines swapped": (state, index, part) => {
    const next = state.parts[index + 1]
    return next === undefined ? state : { ...state, parts: state.parts.with(index, next).with(index + 1, part) }
  },
  "byte flip": changing((bytes, amount) => {
    const at = placeIn(bytes, amount)
    const flipped = (bytes[at] ?? 0) ^ (1 << (amount % 7))
    // A line feed would make two lines of one, which is another damage.
    return replaced(bytes, at, flipped === lineFeed ? 0x20 : flipped)
  }),
  "unknown record": inserting(enveloped('"type":"of_another_time","payload":{"any":1}')),
  "unknown event": inserting(enveloped('"type":"event_msg","payload":{"type":"of_another_time","any":1}')),
  "not JSON": inserting("Segmentation fault (core dumped)"),
  "blank line": inserting(" \t"),
  "lone surrogate": inserting(
    enveloped('"type":"event_msg","payload":{"type":"agent_reasoning","text":"half \\ud83d of it"}')
  ),
  "deep nesting": inserting(enveloped(`"type":"world_state","payload":{"full":true,"state":{"deep":${nested}}}`))
}

const lineFeed = 0x0a

const tornBytes = (bytes: Uint8Array, amount: number): number => Math.min(bytes.length, amount + 1)
const placeIn = (bytes: Uint8Array, amount: number): number => Math.max(0, Math.min(bytes.length - 1, amount))

const replaced = (bytes: Uint8Array, at: number, byte: number): Uint8Array => {
  const copy = bytes.length === 0 ? new Uint8Array(1) : bytes.slice()
  copy[at] = byte
  return copy
}

/** The lines without their line feeds; what follows the last line feed is a line if there is any. */
const split = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  let from = 0
  for (;;) {
    const at = bytes.indexOf(lineFeed, from)
    if (at < 0) break
    lines.push(bytes.slice(from, at))
    from = at + 1
  }
  return from < bytes.length ? [...lines, bytes.slice(from)] : lines
}

const join = ({ parts, terminated }: Parts): Uint8Array => {
  const feed = new Uint8Array([lineFeed])
  const last = parts.length - 1
  return concat(parts.flatMap(({ bytes }, i) => (i === last && !terminated ? [bytes] : [bytes, feed])))
}

const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
