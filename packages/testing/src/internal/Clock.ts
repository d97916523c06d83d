/** The times and ids of what is written: they come from a counter, so that the same model gives the same bytes. */

/** 2026-07-20T10:00:00.000Z, the moment at which all threads begin. */
const epoch = 1_784_541_600_000

/** A clock that moves on when it is asked. Mutable: threads that know of each other share one. */
export interface Clock {
  /** Moves the time on and gives it, in milliseconds since 1970. */
  readonly tick: () => number
  /** Moves the time on and gives an id that begins with it (a UUIDv7). */
  readonly uuid: () => string
  /** The present time in seconds since 1970. */
  readonly seconds: () => number
  /** How often it was moved on. */
  readonly count: () => number
}

/** A clock at the beginning. */
export const make = (): Clock => {
  let count = 0
  const now = () => epoch + count * 40
  const tick = () => {
    count++
    return now()
  }
  return {
    tick,
    uuid: () => {
      const time = tick().toString(16).padStart(12, "0")
      return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${count.toString(16).padStart(12, "0")}`
    },
    seconds: () => Math.floor(now() / 1000),
    count: () => count
  }
}
