/** The value types of rollout-format §0, as schemas. */
import * as Schema from "effect/Schema"
import { refine } from "./Shape.js"

const uuidText = /^(?:urn:uuid:|\{)?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$/i

/** A UUID in any spelling: upper case, without hyphens, in braces or as `urn:uuid:`. */
export const Uuid = refine(Schema.String, "a UUID", (text) => uuidText.test(text))

/** A UUID as it is written: lower case with hyphens. Cost: constant. */
export const canonicalUuid = (text: string): string => {
  const digits = text
    .toLowerCase()
    .replace(/^urn:uuid:/, "")
    .replace(/[{}-]/g, "")
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`
}

/** Whether a text is a UUID of version 7 (RFC 9562 §5.7). */
export const isUuidV7 = (text: string): boolean => uuidText.test(text) && canonicalUuid(text)[14] === "7"

/** A path, absolute or relative. */
export const Path = Schema.String

/** A path that is absolute for its host: `/…`, `~…`, `C:\…` or `\\server\…`. */
export const AbsolutePath = refine(Schema.String, "an absolute path", (text) => /^(?:[/~\\]|[a-z]:[\\/])/i.test(text))

/** A `file:` URL; a plain path is none. */
export const PathUri = refine(Schema.String, "a file: URL", (text) => text.startsWith("file:"))

/** A whole number. Above 2^53 - 1 the parsed value is rounded, which the line codec reports. */
export const Integer = refine(Schema.Number, "an integer", (value) => Number.isInteger(value))

/** A whole number from 0. */
export const Unsigned = refine(Schema.Number, "an integer from 0", (value) => Number.isInteger(value) && value >= 0)

/** A span of time in whole seconds and nanoseconds. */
export const Duration = Schema.Struct({ secs: Unsigned, nanos: Unsigned })
export type Duration = typeof Duration.Type

/** `/root`, `/root/<name>/…` or `/morpheus`; a name is `[a-z0-9_]+` and not `root`. */
export const AgentPath = refine(Schema.String, "an agent path", (text) =>
  /^(?:\/morpheus|\/root(?:\/(?!root(?:\/|$))[a-z0-9_]+)*)$/.test(text)
)
