/** Moments as the log writes them (rollout-format §2 and §3.1). */

const instant = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/
const inFileName = /^(\d{4}-\d{2}-\d{2}T\d{2})-(\d{2})-(\d{2})$/

/**
 * Milliseconds since 1970 of a text that is RFC 3339, or `YYYY-MM-DDThh-mm-ss` as file names have it, read as UTC.
 * Undefined for any other text. Cost: constant; a few additions for the form that lines are written in, since folds ask
 * it of every record.
 */
export const parse = (text: string): number | undefined => {
  if (text === lastText) return lastTime[0]
  const time = asWritten(text) ?? asAny(text)
  if (time === undefined) return undefined
  lastText = text
  lastTime[0] = time
  return time
}

// The text before this one: several folds ask it of each record. In an array of numbers, since a variable would be a new
// object for each time.
let lastText = ""
const lastTime = new Float64Array(1)

/** The later of two times, of which either may be unknown; the first one when they are the same. */
export const later = (time: number | undefined, other: number | undefined): number | undefined =>
  other === undefined || (time !== undefined && other <= time) ? time : other

// The day before this one, as YYYYMMDD in digits: nearly all records of a log are of one day.
let lastDay = -1
let lastMidnight = 0

/** The time of `YYYY-MM-DDThh:mm:ss.mmmZ`; undefined for any other form and for a day that there is not. */
const asWritten = (text: string): number | undefined => {
  if (text.length !== 24 || text.charCodeAt(10) !== 0x54 || text.charCodeAt(23) !== 0x5a) return undefined
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return undefined
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a || text.charCodeAt(19) !== 0x2e) return undefined
  const century = two(text.charCodeAt(0), text.charCodeAt(1))
  const year = two(text.charCodeAt(2), text.charCodeAt(3))
  const month = two(text.charCodeAt(5), text.charCodeAt(6))
  const date = two(text.charCodeAt(8), text.charCodeAt(9))
  const hour = two(text.charCodeAt(11), text.charCodeAt(12))
  const minute = two(text.charCodeAt(14), text.charCodeAt(15))
  const second = two(text.charCodeAt(17), text.charCodeAt(18))
  const fraction = two(text.charCodeAt(20), text.charCodeAt(21))
  const last = two(0x30, text.charCodeAt(22))
  // Negative when any of them is no number.
  if ((century | year | month | date | hour | minute | second | fraction | last) < 0) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const day = ((century * 100 + year) * 100 + month) * 100 + date
  if (day !== lastDay) {
    const midnight = asAny(`${text.slice(0, 10)}T00:00:00Z`)
    if (midnight === undefined) return undefined
    lastDay = day
    lastMidnight = midnight
  }
  return lastMidnight + ((hour * 60 + minute) * 60 + second) * 1000 + fraction * 10 + last
}

/** The number of two decimal digits, given as codes; negative when one of them is none. */
const two = (tens: number, ones: number): number =>
  tens >= 0x30 && tens <= 0x39 && ones >= 0x30 && ones <= 0x39 ? (tens - 0x30) * 10 + ones - 0x30 : -1

const asAny = (text: string): number | undefined => {
  const [, hour, minute, second] = inFileName.exec(text) ?? []
  const moment = hour === undefined ? text : `${hour}:${minute}:${second}Z`
  if (!instant.test(moment)) return undefined
  const time = Date.parse(moment)
  return Number.isNaN(time) ? undefined : time
}
