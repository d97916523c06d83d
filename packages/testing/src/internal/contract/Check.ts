/** What cases of the contract say must be true. Thrown and not given back, so that none of it can be forgotten. */
import { Cause, Effect, Exit } from "effect"
import * as fc from "fast-check"

/** Something that a store promised is not so. Test runners show the difference between the two values. */
export class Broken extends Error {
  override readonly name = "Broken"
  readonly showDiff: boolean
  constructor(
    message: string,
    readonly actual?: unknown,
    readonly expected?: unknown
  ) {
    super(message)
    this.showDiff = expected !== undefined
  }
}

/** Whether two plain values are one; a key that is undefined is as good as none. */
export const same = (left: unknown, right: unknown): boolean => differsAt(left, right, "") === undefined

const isPlain = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null

/** Where two values differ first. */
const differsAt = (left: unknown, right: unknown, path: string): string | undefined => {
  if (Object.is(left, right)) return undefined
  if (!isPlain(left) || !isPlain(right) || Array.isArray(left) !== Array.isArray(right)) return path
  if (Array.isArray(left) && Array.isArray(right) && left.length !== right.length) return `${path}.length`
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const found = differsAt(left[key], right[key], path === "" ? key : `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** Says that a value is what it should be. `what` completes "expected …". */
export const equal = (actual: unknown, expected: unknown, what: string): void => {
  const at = differsAt(actual, expected, "")
  if (at === undefined) return
  const place = at === "" ? "" : ` (at ${at})`
  throw new Broken(`expected ${what}${place}: ${shown(expected)}, but it is ${shown(actual)}`, actual, expected)
}

/** Says that something holds. */
export const holds = (condition: boolean, what: string, seen?: unknown): void => {
  if (!condition) throw new Broken(`expected ${what}${seen === undefined ? "" : `; seen: ${shown(seen)}`}`)
}

/** The value, which has to be there. */
export const some = <A>(value: A | undefined, what: string): A => {
  if (value === undefined) throw new Broken(`expected ${what}`)
  return value
}

/** The error that an effect has to fail with, by its tag. A defect or another error is no such failure. */
export const fails = <A, E extends { readonly _tag: string }, R, T extends E["_tag"]>(
  effect: Effect.Effect<A, E, R>,
  tag: T,
  what: string
): Effect.Effect<Extract<E, { readonly _tag: T }>, never, R> =>
  Effect.map(Effect.exit(effect), (exit) => {
    if (Exit.isSuccess(exit)) throw new Broken(`expected ${what} to fail with ${tag}, but it gave ${shown(exit.value)}`)
    const failure = Cause.failureOption(exit.cause)
    if (failure._tag === "Some" && failure.value._tag === tag) {
      return failure.value as Extract<E, { readonly _tag: T }>
    }
    throw new Broken(`expected ${what} to fail with ${tag}, but it failed with ${Cause.pretty(exit.cause)}`)
  })

const shown = (value: unknown): string => {
  const text = fc.stringify(value)
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text
}
