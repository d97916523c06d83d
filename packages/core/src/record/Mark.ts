/**
 * What is ours alone on a line: the key `skein` of its envelope, beside `timestamp`, `type` and `payload`.
 *
 * Other readers pass over unknown keys of an envelope, so a mark changes nothing for them. It says one thing about the
 * line that it stands on; what has no line of the format to stand on rides on a token count that counts nothing (a
 * *carrier*), which every reader takes for what it is.
 */
import { isObject } from "../json/Json.js"
import type { StoredRecord } from "./Record.js"

/** The version of marks that is written and read here. A mark of another version says nothing to us. */
export const version = 1

/** What a mark says: of which kind it is, and what belongs to that kind. Further keys are those of a store. */
export interface Mark {
  readonly kind: string
  readonly data: unknown
}

/** The extras of an envelope with a mark on it. */
export interface Extras extends Readonly<Record<string, unknown>> {
  readonly skein: { readonly v: typeof version; readonly kind: string; readonly data?: unknown }
}

/** The extras that put a mark on a line. */
export const extras = (kind: string, data?: unknown): Extras => ({
  skein: data === undefined ? { v: version, kind } : { v: version, kind, data }
})

/** The mark of an event that only repeats a canonical item for older readers; views pass over it. */
export const fanout: Extras = extras("fanout")

/** The payload of a carrier: a token count without counts. */
export const carrier = { type: "token_count" as const, info: null, rate_limits: null }

/** The mark on a record's line, if it has one that we can read. Cost: constant. */
export const of = (record: Pick<StoredRecord, "extras">): Mark | undefined => {
  const { extras } = record
  if (extras === undefined) return undefined
  const { skein } = extras as { readonly skein?: unknown }
  if (!isObject(skein) || skein["v"] !== version || typeof skein["kind"] !== "string") return undefined
  return { kind: skein["kind"], data: skein["data"] }
}

/** The mark that a carrier carries; undefined for any other record, marked or not. Cost: constant. */
export const carried = (record: StoredRecord): Mark | undefined => {
  if (record.kind !== "event_msg" || record.extras === undefined) return undefined
  const { payload } = record
  if (payload.type !== "token_count") return undefined
  return (payload.info ?? payload.rate_limits ?? undefined) === undefined ? of(record) : undefined
}
