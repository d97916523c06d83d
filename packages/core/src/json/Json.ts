/** JSON values as types (RFC 8259). */

/** Any JSON value. Readonly throughout: a parsed line is shared by everything that is folded from it. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonObject

/**
 * A JSON object. Its keys are data in any spelling, `__proto__` and `constructor` among them, so whether one is there
 * is asked with `Object.hasOwn`, never by reading it.
 */
export interface JsonObject {
  readonly [key: string]: Json
}

/** Whether a parsed value is a JSON object: neither `null` nor an array. Its members are taken as JSON on trust. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
