/**
 * JSON out of values that came from code, where anything can be in them: what JSON cannot say is told with its place,
 * and never written as something else.
 */
import * as Either from "effect/Either"
import * as Examine from "../internal/Examine.js"
import type { Json } from "./Json.js"

/** What is no JSON, and where: the keys down to it. */
export interface Problem {
  readonly keys: ReadonlyArray<string>
  readonly detail: string
}

/** How deep a value may go, so that it fits into a line; deeper ones, and those that hold themselves, are no JSON. */
export const deepest = Examine.maxDepth - 8

/**
 * The value as JSON. Members that are undefined are left out, as if they were not there; a value without such members
 * is given back as it is. Cost: one visit.
 *
 * Everything else that JSON has no word for is a problem: functions, symbols, big integers, numbers that are none,
 * undefined in arrays and by itself, and objects of a class, which would be read back as something else.
 */
export const of = (value: unknown): Either.Either<Json, Problem> => {
  let problem: { readonly keys: Array<string>; readonly detail: string } | undefined

  const fail = (detail: string): undefined => {
    problem = { keys: [], detail }
    return undefined
  }

  /** The value, or undefined when there is a problem, whose keys are told on the way back. */
  const visit = (at: unknown, depth: number): unknown => {
    switch (typeof at) {
      case "boolean":
      case "string":
        return at
      case "number":
        return Number.isFinite(at) ? at : fail(`${at} is no number of JSON`)
      case "object":
        break
      default:
        return fail(`a value of type ${typeof at} is no JSON`)
    }
    if (at === null) return at
    if (depth >= deepest) return fail(`it goes deeper than ${deepest} levels, or holds itself`)
    return Array.isArray(at) ? visitArray(at, depth + 1) : visitObject(at, depth + 1)
  }

  const visitArray = (all: ReadonlyArray<unknown>, depth: number): unknown => {
    let out: Array<unknown> | undefined
    for (let i = 0; i < all.length; i++) {
      const kept = visit(all[i], depth)
      if (problem !== undefined) {
        problem.keys.unshift(`${i}`)
        return undefined
      }
      if (kept === all[i]) continue
      out ??= [...all]
      out[i] = kept
    }
    return out ?? all
  }

  const visitObject = (object: object, depth: number): unknown => {
    const prototype = Object.getPrototypeOf(object) as object | null
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return fail("an object of a class is no JSON")
    let kept: Array<readonly [string, unknown]> | undefined
    const members = Object.entries(object)
    for (const [i, [key, member]] of members.entries()) {
      const next = member === undefined ? undefined : visit(member, depth)
      if (problem !== undefined) {
        problem.keys.unshift(key)
        return undefined
      }
      if (next !== member || next === undefined) kept ??= members.slice(0, i)
      if (next !== undefined) kept?.push([key, next])
    }
    return kept === undefined ? object : Object.fromEntries(kept)
  }

  const json = visit(value, 0)
  return problem === undefined ? Either.right(json as Json) : Either.left(problem)
}
