/** How an older shape of a payload is brought up to date. */

/**
 * One older shape. Upcasts run only on a payload that did not match the current shape of its record, one after the
 * other on what the one before returned; each returns a new object and leaves the old one as it is.
 */
export interface Upcast {
  readonly name: string
  /** The record type that it applies to. */
  readonly kind: string
  /** The payload brought up to date; `undefined` when it does not have this older shape. */
  readonly upcast: (payload: unknown) => unknown
}

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a parsed value is an object. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The object with the value of one of its keys replaced; the value itself when that changes nothing. */
export const at = (value: unknown, key: string, replace: (inner: unknown) => unknown): unknown => {
  if (!isObject(value) || !Object.hasOwn(value, key)) return value
  const inner = value[key]
  const next = replace(inner)
  return next === inner ? value : { ...value, [key]: next }
}

/** The array with each element replaced; the value itself when that changes nothing. */
export const each = (value: unknown, replace: (element: unknown) => unknown): unknown => {
  if (!Array.isArray(value)) return value
  const list: ReadonlyArray<unknown> = value
  const next = list.map(replace)
  return next.every((element, i) => element === list[i]) ? value : next
}

/** An upcast that is a replacement: it applies when the replacement changes something. */
export const replacing = (name: string, kind: string, replace: (payload: unknown) => unknown): Upcast => ({
  name,
  kind,
  upcast: (payload) => {
    const next = replace(payload)
    return next === payload ? undefined : next
  }
})
