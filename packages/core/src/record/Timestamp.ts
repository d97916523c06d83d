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

/** The later of two times, of which either may be unknown; the first one when they are the same. */
export const later = (time: number | undefined, other: number | undefined): number | undefined =>
  other === undefined || (time !== undefined && other <= time) ? time : other

// The answer before this one: folds that run side by side ask for the time of a record one after the other.
let lastText = ""
let lastTime: number | undefined

// The minute before this one, as `YYYY-MM-DDThh:mm:`: records of a log follow close upon each other.
let lastMinute = " "
let lastMinuteAt = 0

/** The time of `YYYY-MM-DDThh:mm:ss.mmmZ`; undefined for any other form and for a minute that there is not. */
const asWritten = (text: string): number | undefined => {
  if (text.length !== 24 || text[19] !== "." || text[23] !== "Z") return undefined
  const second = digits(text, 17, 19)
  const fraction = digits(text, 20, 23)
  if (!(second < 60 && fraction < 1000)) return undefined
  if (!text.startsWith(lastMinute)) {
    const minute = text.slice(0, 17)
    const at = minute[10] === "T" && digits(text, 11, 13) < 24 ? asAny(`${minute}00Z`) : undefined
    if (at === undefined) return undefined
    lastMinute = minute
    lastMinuteAt = at
  }
  return lastMinuteAt + second * 1000 + fraction
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
