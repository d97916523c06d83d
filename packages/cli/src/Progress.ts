/** How far a long task is, in words: the part that is done, how fast it goes, and how long it may still take. */
import * as Text from "./Text.js"

/** A task on its way. */
export interface State {
  /** How much of the whole is done, in whatever it is counted in. */
  readonly done: number
  readonly total: number
  /** Milliseconds since it began. */
  readonly elapsed: number
}

/** A rate says nothing before this many milliseconds, nor before some of the task is done. */
const settled = 1000

/**
 * A task as one line: `label: 42 %, 120 MB/s, 8 s left`. The rate is that of the whole time so far, and what is left is
 * taken to go as fast; both are left out as long as they would be guesses.
 *
 * @param amount How an amount is told, such as {@link bytes}.
 */
export const tell = (label: string, { done, elapsed, total }: State, amount: (count: number) => string): string => {
  const part = total <= 0 ? 0 : Math.min(100, Math.max(0, Math.floor((100 * done) / total)))
  const head = `${label}: ${part} %`
  if (!(elapsed >= settled) || !(done > 0)) return head
  const perSecond = (1000 * done) / elapsed
  const left = (Math.max(0, total - done) * elapsed) / (1000 * done)
  return `${head}, ${amount(perSecond)}/s, ${seconds(left)} left`
}

/** A span of time as precise as a guess can be: `8 s`, `3 min`, `2 h`, `days`. */
export const seconds = (span: number): string => {
  const whole = Math.ceil(span)
  if (whole < 100) return `${whole} s`
  const minutes = Math.round(whole / 60)
  if (minutes < 100) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 100 ? `${hours} h` : "days"
}

/** A count of things, to one place as long as they are few: `3.5 threads`. */
export const counted =
  (noun: string) =>
  (count: number): string =>
    `${count < 10 ? count.toFixed(1) : Math.round(count)} ${noun}s`

/** Bytes, as {@link Text.bytes} tells whole ones. */
export const bytes = (count: number): string => Text.bytes(Math.round(count))
