/** Counts how many characters of strings a function looks at, so that a test can bound work instead of time. */

/**
 * The number of characters that `run` touches by way of the string methods that our scanners use. Searching counts the
 * characters up to the hit, slicing the characters of the slice.
 */
export const charactersTouched = (run: () => void): number => {
  const prototype = String.prototype
  const { charCodeAt, charAt, startsWith, endsWith, indexOf, includes, slice } = prototype
  let touched = 0
  prototype.charCodeAt = function (this: string, at) {
    touched++
    return charCodeAt.call(this, at)
  }
  prototype.charAt = function (this: string, at) {
    touched++
    return charAt.call(this, at)
  }
  prototype.startsWith = function (this: string, search, at) {
    touched += search.length
    return startsWith.call(this, search, at)
  }
  prototype.endsWith = function (this: string, search, at) {
    touched += search.length
    return endsWith.call(this, search, at)
  }
  prototype.indexOf = function (this: string, search, from = 0) {
    const found = indexOf.call(this, search, from)
    touched += (found < 0 ? this.length : found) - from + 1
    return found
  }
  prototype.includes = function (this: string, search, from = 0) {
    touched += this.length - from
    return includes.call(this, search, from)
  }
  prototype.slice = function (this: string, from, to) {
    const piece = slice.call(this, from, to)
    touched += piece.length
    return piece
  }
  try {
    run()
  } finally {
    Object.assign(prototype, { charCodeAt, charAt, startsWith, endsWith, indexOf, includes, slice })
  }
  return touched
}
