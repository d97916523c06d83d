/** Random JSON with hostile keys, and ways to look at JSON that share nothing with the code under test. */
import fc from "fast-check"
import type { Json, JsonObject } from "../../src/json/Json.js"

/** Few keys, so that two random objects often share some. */
export const key: fc.Arbitrary<string> = fc.constantFrom("a", "b", "c", "7", "", "__proto__", "constructor", "toString")

const scalar: fc.Arbitrary<Json> = fc.constantFrom(null, true, false, 0, 1, -1.5, "", "x", "y")

const record = (value: fc.Arbitrary<Json>): fc.Arbitrary<JsonObject> =>
  fc.array(fc.tuple(key, value), { maxLength: 5 }).map((entries) => Object.fromEntries(entries))

const tree = fc.letrec<{ value: Json; object: JsonObject; array: ReadonlyArray<Json> }>((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("object"), tie("array")),
  object: record(tie("value")),
  array: fc.array(tie("value"), { maxLength: 3 })
}))

/** Any JSON, with `null` anywhere. */
export const json: fc.Arbitrary<Json> = tree.value

/** Any JSON object, with `null` anywhere. */
export const object: fc.Arbitrary<JsonObject> = tree.object

/** The JSON without `null` members of objects, by way of its text; arrays stay as they are. */
export const withoutNulls = <A extends Json>(value: A): A => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  const kept = Object.entries(value as JsonObject).filter(([, member]) => member !== null)
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutNulls(member)])) as unknown as A
}

/** A text that two values share exactly when they are the same JSON. */
export const text = (value: Json | undefined): string => {
  if (value === undefined) return "nothing"
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(text).join()}]`
  const members = Object.entries(value as JsonObject).map(([name, member]) => `${JSON.stringify(name)}:${text(member)}`)
  return `{${members.sort().join()}}`
}

/** The value with everything in it frozen: whoever writes to it throws. */
export const frozen = <A>(value: A): A => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) frozen(member)
  }
  return value
}

/** Whether every object in the value has the prototype that an object literal has. */
export const hasPlainPrototypes = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return true
  const expected = Array.isArray(value) ? Array.prototype : Object.prototype
  return Object.getPrototypeOf(value) === expected && Object.values(value).every(hasPlainPrototypes)
}
