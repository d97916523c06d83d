/**
 * Literal, case-insensitive search in what users and agents said (thread-store §6, §9.3), and the snippets that show it.
 */
import type { StoredRecord } from "@skein/core/record/Record"
import type * as Sniff from "@skein/core/record/Sniff"

/**
 * Characters of context in a snippet, in front of a match and behind it. The reference is said to show 48 in front; its
 * answers have 49 (docs/decisions, on lists and the reference).
 */
const before = 49
const behind = 96

/** A term, prepared. */
export interface Term {
  readonly text: string
  readonly folded: string
  /** The longest run of ASCII letters and digits: every line that holds the term holds it too. */
  readonly probe: string
  /** The same in either case; it is found at half the cost of text that is made lower case first. */
  readonly probed: RegExp
}

/** Prepares a term: white space is one blank in it, as in the text that it is looked for in; half pairs match nothing. */
export const term = (text: string): Term => {
  const flat = collapse(text.toWellFormed())
  const folded = lower(flat)
  const probe = (folded.match(/[a-z0-9]+/g) ?? []).reduce(
    (longest, run) => (run.length > longest.length ? run : longest),
    ""
  )
  return { text: flat, folded, probe, probed: new RegExp(probe, "i") }
}

const collapse = (text: string): string => text.replace(/\s+/g, " ").trim()

/** In lower case; which of the two small sigmas it is depends on what follows, and does not matter here. */
const lower = (text: string): string => text.toLowerCase().replaceAll("ς", "σ")

const decoder = new TextDecoder("latin1")

/** Escapes of JSON that may stand for a letter or a digit of ASCII, or for U+0130 or U+212A. */
const escaped = /\\u(?:00(?:3\d|[4-7])|0130|212a)/i

/**
 * Those two byte by byte: their lower case is in ASCII. Decoders do not agree on what the byte in the middle of the second
 * comes to.
 */
const dotted = "Ä°"
const kelvin = /â.ª/

/** Whether letters of ASCII may be spelt otherwise in a text. */
const isDisguised = (text: string): boolean =>
  (text.includes("\\u") && escaped.test(text)) || text.includes(dotted) || (text.includes("â") && kelvin.test(text))

/**
 * Whether a line can hold the term, or any of many: passes over most lines without parsing them. Cost: one pass over the
 * bytes.
 *
 * Of a term with letters outside of ASCII or with escapes only its longest plain run is looked for.
 */
export const mayHold = (bytes: Uint8Array, { probe, probed }: Term): boolean => {
  if (probe === "") return true
  const plain = decoder.decode(bytes)
  return probed.test(plain) || isDisguised(plain)
}

/** Whether a line with this head can be something that a user or an agent said. */
export const wants = ({ inner, item, type }: Sniff.Head): boolean =>
  type === "response_item"
    ? inner === undefined || inner === "message"
    : type === "event_msg" &&
      (inner === undefined ||
        inner === "user_message" ||
        inner === "agent_message" ||
        (inner === "item_completed" && (item === undefined || item === "UserMessage" || item === "AgentMessage")))

/** What a record has a user or an agent say; undefined for any other record (thread-store §6). */
export const textOf = (record: StoredRecord): string | undefined => {
  if (record.kind === "response_item") {
    const { payload } = record
    if (payload.type !== "message" || (payload.role !== "user" && payload.role !== "assistant")) return undefined
    return payload.content.flatMap((part) => ("text" in part ? [part.text] : [])).join(" ")
  }
  if (record.kind !== "event_msg") return undefined
  const { payload } = record
  if (payload.type === "user_message" || payload.type === "agent_message") return payload.message
  if (payload.type !== "item_completed") return undefined
  const { item } = payload
  if (item.type !== "UserMessage" && item.type !== "AgentMessage") return undefined
  return (item.content as ReadonlyArray<object>)
    .flatMap((part) => ("text" in part && typeof part.text === "string" ? [part.text] : []))
    .join(" ")
}

/** Where a term stands in a text, in UTF-16 units of the text with its white space made one blank each. */
export interface Match {
  readonly snippet: string
  /** Range of the match in the snippet, in UTF-16 units. */
  readonly range: { readonly start: number; readonly end: number }
}

/** The first match of a term in a text. Cost: one pass over the text. */
export const find = (text: string, wanted: Term): Match | undefined => all(text, wanted, 1)[0]

/** The matches of a term in a text, in order and without overlap, `most` at most. */
export const all = (text: string, wanted: Term, most = Number.POSITIVE_INFINITY): ReadonlyArray<Match> => {
  const flat = collapse(text)
  const { endOf, folded, startOf } = fold(flat)
  const matches: Array<Match> = []
  let from = 0
  while (matches.length < most && wanted.folded !== "") {
    const found = folded.indexOf(wanted.folded, from)
    if (found < 0) break
    from = found + wanted.folded.length
    matches.push(snippet(flat, startOf(found), endOf(from - 1)))
  }
  return matches
}

/** A text in lower case, and where the letter begins and ends that a unit of it came from: a few change their length. */
interface Folded {
  readonly folded: string
  readonly startOf: (index: number) => number
  readonly endOf: (index: number) => number
}

const fold = (text: string): Folded => {
  const folded = lower(text)
  if (folded.length === text.length) return { folded, startOf: (index) => index, endOf: (index) => index + 1 }
  const starts: Array<number> = []
  const ends: Array<number> = []
  let made = ""
  let start = 0
  for (const letter of text) {
    const small = lower(letter)
    const end = start + letter.length
    for (let k = 0; k < small.length; k++) {
      // A letter of two units that stays one of two units is cut where it was.
      starts.push(small.length === letter.length ? start + k : start)
      ends.push(small.length === letter.length ? start + k + 1 : end)
    }
    made += small
    start = end
  }
  const last = text.length
  return { folded: made, startOf: (index) => starts[index] ?? last, endOf: (index) => ends[index] ?? last }
}

const snippet = (text: string, start: number, end: number): Match => {
  const from = backed(text, start, before)
  const to = advanced(text, end, behind)
  const head = from > 0 ? "... " : ""
  const tail = to < text.length ? " ..." : ""
  // A blank at an end is no context.
  const first = from < start && text[from] === " " ? from + 1 : from
  const last = to > end && text[to - 1] === " " ? to - 1 : to
  const shift = head.length - first
  return {
    snippet: `${head}${text.slice(first, last)}${tail}`,
    range: { start: start + shift, end: end + shift }
  }
}

const isPair = (text: string, index: number): boolean => (text.codePointAt(index) ?? 0) > 0xffff

/** The index so many characters in front of another one; surrogate pairs are one. */
const backed = (text: string, index: number, count: number): number => {
  let at = index
  for (let left = count; left > 0 && at > 0; left--) at -= at > 1 && isPair(text, at - 2) ? 2 : 1
  return at
}

/** The index so many characters behind another one. */
const advanced = (text: string, index: number, count: number): number => {
  let at = index
  for (let left = count; left > 0 && at < text.length; left--) at += isPair(text, at) ? 2 : 1
  return at
}
