/**
 * What a line says of itself in its first bytes, without parsing it.
 *
 * Takes the one spelling that writers use: compact JSON, `timestamp`, `ordinal`, `type`, `payload` in this order
 * (rollout-format §2). Any other line gives undefined and has to be decoded. A sniffed line may still be damaged
 * further on: use this to pass over lines, not to believe them.
 */

/** The head of a line. */
export interface Head {
  readonly ordinal: number | undefined
  readonly type: string
  /** The inner `type` of the payload, when it comes first. */
  readonly inner: string | undefined
  /** Of `item_completed` and `item_started`: the `type` of the item, when `thread_id` and `turn_id` come before it. */
  readonly item?: string | undefined
}

const opening = codes('{"timestamp":"')
const ordinalKey = codes('"ordinal":')
const typeKey = codes('"type":"')
const payloadKey = codes(',"payload":{"type":"')
const threadKey = codes(',"thread_id":"')
const turnKey = codes(',"turn_id":"')
const itemKey = codes(',"item":{"type":"')
const quote = 0x22
const comma = 0x2c
const backslash = 0x5c

/** The head of a line, or undefined when its first bytes are not in the usual spelling. Cost: about 200 bytes. */
export const head = (bytes: Uint8Array): Head | undefined => {
  if (!startsWith(bytes, 0, opening)) return undefined
  const timeEnd = endOfText(bytes, opening.length)
  if (timeEnd < 0 || bytes[timeEnd + 1] !== comma) return undefined
  let at = timeEnd + 2
  let ordinal: number | undefined
  if (startsWith(bytes, at, ordinalKey)) {
    at += ordinalKey.length
    const start = at
    ordinal = 0
    while (isDigit(bytes[at])) ordinal = ordinal * 10 + (bytes[at++] as number) - 0x30
    if (bytes[at] !== comma || at === start || !Number.isSafeInteger(ordinal)) return undefined
    at++
  }
  if (!startsWith(bytes, at, typeKey)) return undefined
  const typeStart = at + typeKey.length
  const typeEnd = endOfText(bytes, typeStart)
  if (typeEnd < 0) return undefined
  const type = name(bytes, typeStart, typeEnd)
  if (!startsWith(bytes, typeEnd + 1, payloadKey)) return { ordinal, type, inner: undefined, item: undefined }
  const innerStart = typeEnd + 1 + payloadKey.length
  const innerEnd = endOfText(bytes, innerStart)
  if (innerEnd < 0) return { ordinal, type, inner: undefined, item: undefined }
  const inner = name(bytes, innerStart, innerEnd)
  const holdsItem = inner === "item_completed" || inner === "item_started"
  return { ordinal, type, inner, item: holdsItem ? itemType(bytes, innerEnd + 1) : undefined }
}

/** The type of the item whose keys begin at `from`. */
const itemType = (bytes: Uint8Array, from: number): string | undefined => {
  let at = from
  for (const key of [threadKey, turnKey]) {
    if (!startsWith(bytes, at, key)) return undefined
    const end = endOfText(bytes, at + key.length)
    if (end < 0) return undefined
    at = end + 1
  }
  if (!startsWith(bytes, at, itemKey)) return undefined
  const end = endOfText(bytes, at + itemKey.length)
  return end < 0 ? undefined : name(bytes, at + itemKey.length, end)
}

/** The `timestamp` of a line in the usual spelling. */
export const timestamp = (bytes: Uint8Array): string | undefined => {
  if (!startsWith(bytes, 0, opening)) return undefined
  const end = endOfText(bytes, opening.length)
  return end < 0 ? undefined : text(bytes, opening.length, end)
}

/** Names and times are short; a longer text, or one with an escape, is not in the usual spelling. */
const longest = 64

const endOfText = (bytes: Uint8Array, from: number): number => {
  for (let i = from; i < from + longest; i++) {
    const byte = bytes[i]
    if (byte === quote) return i
    if (byte === undefined || byte === backslash || byte < 0x20 || byte > 0x7e) return -1
  }
  return -1
}

/**
 * The names met so far, by a hash of their bytes. There are few of them, and making a string anew costs more than all
 * the rest of a head. What does not fit in is made each time, so a hostile file cannot fill this.
 */
const names = new Map<number, string>()
const mostNames = 512

const name = (bytes: Uint8Array, from: number, to: number): string => {
  let hash = to - from
  for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0
  const known = names.get(hash)
  if (known !== undefined && isText(bytes, from, to, known)) return known
  const made = text(bytes, from, to)
  if (known === undefined && names.size < mostNames) names.set(hash, made)
  return made
}

const isText = (bytes: Uint8Array, from: number, to: number, expected: string): boolean => {
  if (expected.length !== to - from) return false
  for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected.charCodeAt(i)) return false
  return true
}

const startsWith = (bytes: Uint8Array, at: number, expected: ReadonlyArray<number>): boolean => {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false
  return true
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

const text = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to))

function codes(ascii: string): ReadonlyArray<number> {
  return Array.from(ascii, (character) => character.charCodeAt(0))
}
