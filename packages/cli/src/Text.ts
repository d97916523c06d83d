/** How the command speaks to a person: one style for a terminal, one for a pipe. */
import type { Diagnostic } from "@skein/store/Diagnostic"

/** Marks in a text. In a pipe, or with NO_COLOR set, each leaves the text as it is. */
export interface Style {
  readonly strong: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly warn: (text: string) => string
  readonly bad: (text: string) => string
}

const mark = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`
const none = (text: string): string => text

/** Without marks. */
export const plain: Style = { strong: none, dim: none, good: none, warn: none, bad: none }

/** With colours. */
export const coloured: Style = { strong: mark(1), dim: mark(2), good: mark(32), warn: mark(33), bad: mark(31) }

/** Lines as a text that ends with a line feed; nothing for no lines. */
export const lines = (all: ReadonlyArray<string>): string => (all.length === 0 ? "" : `${all.join("\n")}\n`)

/** A text on one line of at most `width` characters, without control characters. */
export const brief = (text: string, width = 96): string => {
  const head = text.length > width * 8 ? text.slice(0, width * 8) : text
  // Control characters of a log must not reach the terminal that shows it.
  const flat = head
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim()
  return flat.length > width || head !== text ? `${[...flat].slice(0, width - 1).join("")}…` : flat
}

/** A number of bytes for a person. */
export const bytes = (count: number): string => {
  if (count < 1000) return `${count} B`
  const units = ["kB", "MB", "GB", "TB"]
  let value = count / 1000
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** `1 line`, `2 lines`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** A line for each thing that a reader noticed: where, and what it means. */
export const diagnostics = (all: ReadonlyArray<Diagnostic>, style: Style): ReadonlyArray<string> =>
  all.map((one) => {
    const place = [
      one.line === undefined ? undefined : `line ${one.line}`,
      one.offset === undefined ? undefined : `byte ${one.offset}`
    ].filter((part) => part !== undefined)
    const severity = one.severity === "error" ? style.bad("error") : style.warn("warning")
    return `  ${severity} ${place.length === 0 ? one.path : `${one.path}, ${place.join(", ")}`}: ${one.message} [${one.code}]`
  })

/** The columns that a text takes on a terminal: two for the wide letters of East Asia and for emoji. */
export const width = (text: string): number => {
  let columns = 0
  for (const character of text) columns += /\p{M}|\u200d|\ufe0f/u.test(character) ? 0 : wide.test(character) ? 2 : 1
  return columns
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** How long ago a moment was, in milliseconds since 1970: `5 min ago`, `3 h ago`, `2 d ago`; else its date. */
export const ago = (time: number, now: number): string => {
  const past = now - time
  if (past >= 0 && past < minute) return "just now"
  if (past >= 0 && past < hour) return `${Math.floor(past / minute)} min ago`
  if (past >= 0 && past < 2 * day) return `${Math.floor(past / hour)} h ago`
  if (past >= 0 && past < 14 * day) return `${Math.floor(past / day)} d ago`
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? "?" : date.toISOString().slice(0, 10)
}
