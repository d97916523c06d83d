/** Moments as the log writes them (rollout-format §2 and §3.1). */

const instant = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/
const inFileName = /^(\d{4}-\d{2}-\d{2}T\d{2})-(\d{2})-(\d{2})$/

/**
 * Milliseconds since 1970 of a text that is RFC 3339, or `YYYY-MM-DDThh-mm-ss` as file names have it, read as UTC.
 * Undefined for any other text. Cost: constant; a few additions for the form that lines are written in, since several
 * folds ask it of every record.
 */
export const parse = (text: string): number | undefined => {
  if (text !== lastText) {
    lastTime = asWritten(text) ?? asAny(text)
    lastText = text
  }
  return lastTime
}

/** The later of a time and that of a text; the time itself when the text is no moment. Cost: as {@link parse}. */
export const latest = (time: number | undefined, text: string): number | undefined => {
  const at = parse(text)
  return at === undefined || (time !== undefined && at <= time) ? time : at
}

// The answer before this one: folds that run side by side ask for the time of a record one after the other.
let lastText = ""
let lastTime: number | undefined

// The day before this one: nearly all records of a log are of one day.
let lastDay = ""
let lastMidnight = 0

/** The time of `YYYY-MM-DDThh:mm:ss.mmmZ`; undefined for any other form and for a day that there is not. */
const asWritten = (text: string): number | undefined => {
  if (text.length !== 24 || text[10] !== "T" || text[13] !== ":" || text[16] !== ":") return undefined
  if (text[19] !== "." || text[23] !== "Z") return undefined
  const hour = digits(text, 11, 13)
  const minute = digits(text, 14, 16)
  const second = digits(text, 17, 19)
  const fraction = digits(text, 20, 23)
  if (!(hour < 24 && minute < 60 && second < 60 && fraction < 1000)) return undefined
  const day = text.slice(0, 10)
  if (day !== lastDay) {
    const midnight = asAny(`${day}T00:00:00Z`)
    if (midnight === undefined) return undefined
    lastDay = day
    lastMidnight = midnight
  }
  return lastMidnight + ((hour * 60 + minute) * 60 + second) * 1000 + fraction
}

/** A number of decimal digits, or NaN when one of them is none. */
const digits = (text: string, from: number, to: number): number => {
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

const asAny = (text: string): number | undefined => {
  const [, hour, minute, second] = inFileName.exec(text) ?? []
  const moment = hour === undefined ? text : `${hour}:${minute}:${second}Z`
  if (!instant.test(moment)) return undefined
  const time = Date.parse(moment)
  return Number.isNaN(time) ? undefined : time
}
