/**
 * What a parsed line must not hold whatever it says: halves of surrogate pairs, numbers beyond a 64-bit float, deep
 * nesting; and what it may hold but no view shows exactly, integers beyond 2^53 - 1 (rollout-format §2.1, §2.2).
 *
 * Walking a value for this costs a tenth of parsing it, and checking its shape as much again. So shapes look at what they
 * visit ({@link string}, {@link number}, {@link anything}) and only mark that there is something to examine: that happens
 * in hardly any line, which is then walked.
 */

/** The nesting beyond which a line is refused. */
export const maxDepth = 128

/** Why a value is refused. */
export type Fault = "too-deep" | "lone-surrogate" | "number-out-of-range"

// Flags for the whole module instead of a result object for every value that is visited: this runs on every value of
// every line.
let inexact = false
let doubtful = false

/** Walks a value: why it is refused, if it is. Behind it {@link wasInexact} tells of the numbers in it. */
export const faultOf = (value: unknown): Fault | undefined => {
  inexact = false
  return walk(value, 0)
}

/** Whether the value that was walked last holds an integer beyond 2^53 - 1. */
export const wasInexact = (): boolean => inexact

/** Begins to look at the parts of a value. */
export const begin = (): void => {
  doubtful = false
}

/** Whether one of the parts looked at since has to be examined. */
export const isDoubtful = (): boolean => doubtful

/** Looks at a string; always true. */
export const string = (value: string): true => {
  if (!value.isWellFormed()) doubtful = true
  return true
}

/** Looks at a number; always true. */
export const number = (value: number): true => {
  if (!Number.isSafeInteger(value) && (Number.isInteger(value) || !Number.isFinite(value))) doubtful = true
  return true
}

/** Looks at a part of any kind; always true. The shapes around it are never so deep as to leave less than half. */
export const anything = (value: unknown): true => {
  if (typeof value === "string") return string(value)
  if (typeof value === "object" && value !== null) {
    const before = inexact
    inexact = false
    if (walk(value, maxDepth / 2) !== undefined || inexact) doubtful = true
    inexact = before
    return true
  }
  return typeof value === "number" ? number(value) : true
}

const walk = (value: unknown, depth: number): Fault | undefined => {
  if (typeof value === "string") return value.isWellFormed() ? undefined : "lone-surrogate"
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) || !Number.isInteger(value)) {
      return Number.isFinite(value) ? undefined : "number-out-of-range"
    }
    inexact = true
    return undefined
  }
  if (typeof value !== "object" || value === null) return undefined
  if (depth >= maxDepth) return "too-deep"
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const fault = walk(value[i], depth + 1)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  const object = value as Record<string, unknown>
  for (const key in object) {
    if (!key.isWellFormed()) return "lone-surrogate"
    const fault = walk(object[key], depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}
