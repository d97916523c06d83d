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
  const known = recall(bytes, at) ?? learn(bytes, at)
  if (known === undefined) return undefined
  const { head, holdsItem, spelling } = known
  if (ordinal === undefined && !holdsItem) return head
  const item = holdsItem ? itemType(bytes, at + spelling.length) : undefined
  return { ordinal, type: head.type, inner: head.inner, item }
}

/** A spelling of the two types that was met, and what it says. */
interface Known {
  /** The bytes from the first type on that tell what it says. */
  readonly spelling: Uint8Array
  readonly head: Head
  /** Whether an item follows. */
  readonly holdsItem: boolean
}

/**
 * The spellings met so far, by some of their bytes. There are few of them, and comparing a line with the right one costs
 * half of taking it apart. What does not fit in is taken apart each time, so a hostile file cannot fill this.
 */
const spellings: Array<Array<Known>> = Array.from({ length: 256 }, () => [])
const mostAlike = 8

const alike = (bytes: Uint8Array, from: number): Array<Known> => {
  const key = (bytes[from + 8] ?? 0) + 31 * (bytes[from + 41] ?? 0) + 7 * (bytes[from + 46] ?? 0)
  return spellings[key & 255] as Array<Known>
}

const recall = (bytes: Uint8Array, from: number): Known | undefined => {
  const known = alike(bytes, from)
  for (let i = 0; i < known.length; i++) {
    const one = known[i] as Known
    if (startsWith(bytes, from, one.spelling)) return one
  }
  return undefined
}

/** Takes apart what is spelt from `from` on. */
const learn = (bytes: Uint8Array, from: number): Known | undefined => {
  if (!startsWith(bytes, from, typeKey)) return undefined
  const typeStart = from + typeKey.length
  const typeEnd = endOfText(bytes, typeStart)
  if (typeEnd < 0) return undefined
  const type = text(bytes, typeStart, typeEnd)
  const keyEnd = typeEnd + 1 + alikeUntil(bytes, typeEnd + 1, payloadKey)
  const innerStart = typeEnd + 1 + payloadKey.length
  const innerEnd = keyEnd === innerStart ? endOfText(bytes, innerStart) : -1
  const inner = innerEnd < 0 ? undefined : text(bytes, innerStart, innerEnd)
  const holdsItem = inner === "item_completed" || inner === "item_started"
  const made: Known = {
    spelling: bytes.slice(from, innerEnd < 0 ? keyEnd + 1 : innerEnd + 1),
    head: { ordinal: undefined, type, inner, item: undefined },
    holdsItem
  }
  // Where the inner type is one that has no end in sight, the bytes in front of it do not tell that.
  const known = alike(bytes, from)
  if ((innerEnd >= 0 || keyEnd < innerStart) && keyEnd < bytes.length && known.length < mostAlike) known.push(made)
  return made
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

/** The bytes that stand for themselves in a text: printable ASCII but the quote and the backslash. */
const isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== quote && byte !== 0x5c ? 1 : 0
)

const endOfText = (bytes: Uint8Array, from: number): number => {
  const last = Math.min(bytes.length, from + longest)
  let at = from
  while (at < last && isPlain[bytes[at] as number] === 1) at++
  return at < last && bytes[at] === quote ? at : -1
}

const startsWith = (bytes: Uint8Array, at: number, expected: Uint8Array): boolean => {
  if (at + expected.length > bytes.length) return false
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false
  return true
}

/** How many of the expected bytes stand at `at`, up to the first that does not. */
const alikeUntil = (bytes: Uint8Array, at: number, expected: Uint8Array): number => {
  let i = 0
  while (i < expected.length && bytes[at + i] === expected[i]) i++
  return i
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

/** The names of items met so far, by a hash of their bytes: making a string anew costs more than all the rest of a head. */
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

const text = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to))

function codes(ascii: string): Uint8Array {
  return Uint8Array.from(ascii, (character) => character.charCodeAt(0))
}
