/**
 * JSON Merge Patch (RFC 7386): the patch between two values, and what it makes of one (replay-semantics §2.2, §2.3).
 *
 * A patch says `null` for "delete this key", so a value that is to be patched to may hold no `null` in an object,
 * except inside arrays, which are replaced whole; {@link stripNulls} makes such a value. Keys are data: an own
 * `__proto__`, as `JSON.parse` makes it, is a key like any other. Nothing here changes its arguments, and what comes
 * out shares every unchanged part with what went in. Recursion goes as deep as the values, which the line codec bounds.
 */

import type { Json, JsonObject } from "./Json.js"
import { isObject } from "./Json.js"

/**
 * The patch that takes `prev` to `cur`, or `undefined` if they are equal; `prev` is `undefined` where there was
 * nothing (replay-semantics §2.3). Two different objects never give `{}`. Cost: one visit of both; parts that are the
 * same object on both sides cost nothing.
 */
export const diff = (prev: Json | undefined, cur: Json): Json | undefined => {
  if (prev === cur) return undefined
  if (!isObject(cur)) return prev !== undefined && deepEqual(prev, cur) ? undefined : cur
  if (!isObject(prev)) return cur
  const patch: Record<string, Json> = {}
  let changed = false
  for (const key of Object.keys(prev)) {
    if (Object.hasOwn(cur, key)) continue
    set(patch, key, null)
    changed = true
  }
  for (const [key, value] of Object.entries(cur)) {
    const change = Object.hasOwn(prev, key) ? diff(prev[key], value) : value
    if (change === undefined) continue
    set(patch, key, change)
    changed = true
  }
  return changed ? patch : undefined
}

/**
 * The value that `patch` makes of `target` (RFC 7386 §2); `target` is `undefined` where there was nothing. A patch
 * that changes nothing gives `target` itself back. Cost: one visit of the patch, and a shallow copy of each object that
 * it changes.
 */
export const apply = (target: Json | undefined, patch: Json): Json => {
  if (!isObject(patch)) return target !== undefined && deepEqual(target, patch) ? target : patch
  if (!isObject(target)) return stripNulls(patch)
  let out: Record<string, Json> | undefined
  for (const [key, change] of Object.entries(patch)) {
    const before = Object.hasOwn(target, key) ? target[key] : undefined
    const after = change === null ? undefined : apply(before, change)
    if (after === before) continue
    out ??= { ...target }
    if (after === undefined) delete out[key]
    else set(out, key, after)
  }
  return out ?? target
}

/**
 * The value without the object members that are `null`, at any depth but not inside arrays; a value that is itself
 * `null` stays (replay-semantics §2.2). A value without such members is given back as it is. Cost: one visit of its
 * objects.
 */
export function stripNulls(value: JsonObject): JsonObject
export function stripNulls(value: Json): Json
export function stripNulls(value: Json): Json {
  if (!isObject(value)) return value
  let out: Record<string, Json> | undefined
  for (const [key, member] of Object.entries(value)) {
    const kept = member === null ? undefined : stripNulls(member)
    if (kept === member) continue
    out ??= { ...value }
    if (kept === undefined) delete out[key]
    else set(out, key, kept)
  }
  return out ?? value
}

/**
 * Whether two values are the same JSON; the order of keys does not matter, and `-0` is `0`. Cost: up to the first
 * difference; parts that are the same object on both sides cost nothing.
 */
export const deepEqual = (left: Json, right: Json): boolean => {
  if (left === right) return true
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((element: Json, index) => deepEqual(element, right[index]))
    )
  }
  if (!isObject(left) || !isObject(right)) return false
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && deepEqual(left[key] as Json, right[key] as Json))
  )
}

/** Assigning `__proto__` would run the setter that every object inherits and replace the prototype. */
const set = (object: Record<string, Json>, key: string, value: Json): void => {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true })
  } else object[key] = value
}
