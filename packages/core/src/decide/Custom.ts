/**
 * Records that a host defines itself: a kind, a version, and data of a shape that the host says.
 *
 * They ride on carriers ({@link Mark}), so every other reader takes them for token counts that count nothing, and they
 * are copied, forked and compressed like any record. They are no part of history, turns or world; a host folds them.
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Mark from "../record/Mark.js"
import type { StoredRecord } from "../record/Record.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"

/** The kind of the mark on their carriers; its data is {@link Stored}. */
export const mark = "custom"

/** How events of a kind are read. */
export interface Reader {
  readonly kind: string
  /** The version that is written, and up to which older data is brought. */
  readonly version: number
  /** For each older version, what its data is in the version after it. */
  readonly upcasts: { readonly [version: number]: (data: unknown) => unknown }
  /** The event that data of the present version is, or why it is none. */
  readonly decode: (data: unknown) => Either.Either<unknown, string>
}

/** A kind of record that a host defines. */
export interface Definition<A> extends Reader {
  readonly decode: (data: unknown) => Either.Either<A, string>
  /** The data of an event, or why it has none. */
  readonly encode: (value: A) => Either.Either<unknown, string>
}

/**
 * A kind of record by its schema.
 *
 * @param definition `kind` is `[a-z0-9]` and then `[a-z0-9._-]`, at most 100 characters, and unique among the kinds of a
 * host; `version` counts from 1; `schema` is pure and without services; `upcasts` bring older data up to date.
 *
 * Errors: `InvalidRequest` for a kind or version that cannot be written.
 */
export const define = <A, I>(definition: {
  readonly kind: string
  readonly version: number
  readonly schema: Schema.Schema<A, I>
  readonly upcasts?: Reader["upcasts"] | undefined
}): Decision<Definition<A>> => {
  const { kind, schema, upcasts = {}, version } = definition
  if (!isKind(kind)) {
    const detail = `${JSON.stringify(kind)} is no kind`
    const advice = "Use a-z, 0-9, points, dashes and underscores, a letter or digit first, at most 100"
    return Errors.invalid("kind", "malformed", detail, advice)
  }
  if (!isVersion(version)) {
    return Errors.invalid("version", "out-of-range", `${version} is no version`, "Count versions from 1")
  }
  return Either.right({
    kind,
    version,
    upcasts,
    decode: (data) => attempt(() => Schema.decodeUnknownEither(schema)(data)),
    encode: (value) => attempt(() => Schema.encodeUnknownEither(schema)(value))
  })
}

const isKind = (kind: string): boolean => /^[a-z0-9][a-z0-9._-]{0,99}$/.test(kind)

const isVersion = (version: unknown): version is number =>
  typeof version === "number" && Number.isSafeInteger(version) && version >= 1

/** How they are stored. */
export interface Stored {
  readonly kind: string
  readonly version: number
  readonly data: unknown
}

/**
 * The record of a host's own event. Errors: `InvalidRequest` for a value that the schema does not take, or that comes to
 * no JSON.
 */
export const record = <A>(definition: Definition<A>, value: A, facts: Facts): Decision => {
  const { kind, version } = definition
  const encoded = definition.encode(value)
  if (Either.isLeft(encoded)) {
    return Errors.invalid(`custom.${kind}`, "malformed", encoded.left, "Give a value that the schema takes")
  }
  const stored: Stored = { kind, version, data: encoded.right ?? null }
  return Drafts.check([Drafts.own(facts, mark, stored)], `custom.${kind}`)
}

/** What a host does with events of a kind that it does not define, or of a version newer than it knows. */
export type Policy = "warn" | "ignore" | "fail"

/** The kinds that a host defines, by their name. */
export type Registry = ReadonlyMap<string, Reader>

/** The registry of some definitions. Errors: `InvalidRequest` for two of one kind. */
export const registry = (definitions: Iterable<Reader>): Decision<Registry> => {
  const known = new Map<string, Reader>()
  for (const definition of definitions) {
    const { kind } = definition
    if (known.has(kind)) {
      return Errors.invalid("kind", "duplicate", `${kind} is defined twice`, "Define each kind once")
    }
    known.set(kind, definition)
  }
  return Either.right(known)
}

/** What a record is to a host. */
export type Read =
  /** One of its own. */
  | { readonly _tag: "Event"; readonly kind: string; readonly version: number; readonly value: unknown }
  /** One that it cannot read, and why; the record stays in the log as it is. */
  | { readonly _tag: "Unread"; readonly stored: Stored; readonly reason: Unread; readonly detail: string }
  /** None of these: a record of the format, another mark, or one that the policy ignores. */
  | { readonly _tag: "None" }

/** Why an event cannot be read. */
export type Unread = "unknown-kind" | "newer-version" | "no-upcast" | "bad-data"

const none: Read = { _tag: "None" }

/**
 * The host's event that a record is. Data that does not fit is never an error of reading: it is told as such, whatever
 * the policy.
 *
 * Errors: with policy `fail`, `InvalidRequest` for an unknown kind or a newer version.
 */
export const read = (known: Registry, record: StoredRecord, policy: Policy = "warn"): Decision<Read> => {
  const found = Mark.carried(record)
  if (found?.kind !== mark) return Either.right(none)
  const stored = storedOf(found.data)
  if (stored === undefined) return Either.right(none)
  const { kind, version } = stored
  const definition = known.get(kind)
  const reason: Unread | undefined =
    definition === undefined ? "unknown-kind" : version > definition.version ? "newer-version" : undefined
  if (definition === undefined || reason !== undefined) {
    const detail =
      reason === "newer-version"
        ? `${kind} has version ${version}, newer than ${definition?.version}`
        : `${JSON.stringify(kind)} is no kind of this host`
    if (policy === "ignore") return Either.right(none)
    return policy === "fail"
      ? Errors.invalid(`custom.${kind}`, "unsupported", detail, "Define it, or read with another policy")
      : Either.right({ _tag: "Unread", stored, reason: reason ?? "unknown-kind", detail })
  }
  return Either.right(decoded(definition, stored))
}

const decoded = (definition: Reader, stored: Stored): Read => {
  let { data } = stored
  for (let from = stored.version; from < definition.version; from++) {
    const upcast = definition.upcasts[from]
    if (upcast === undefined) {
      const detail = `${stored.kind} of version ${from} has no upcast`
      return { _tag: "Unread", stored, reason: "no-upcast", detail }
    }
    const lifted = attempt(() => Either.right(upcast(data)))
    if (Either.isLeft(lifted)) return { _tag: "Unread", stored, reason: "bad-data", detail: lifted.left }
    data = lifted.right
  }
  const value = definition.decode(data)
  return Either.isLeft(value)
    ? { _tag: "Unread", stored, reason: "bad-data", detail: value.left }
    : { _tag: "Event", kind: stored.kind, version: stored.version, value: value.right }
}

const storedOf = (data: unknown): Stored | undefined => {
  if (typeof data !== "object" || data === null) return undefined
  const { data: inner, kind, version } = data as Partial<Stored>
  return typeof kind === "string" && isVersion(version) ? { kind, version, data: inner } : undefined
}

/** Runs what a host has written: what it throws is what is wrong. */
const attempt = <A>(run: () => Either.Either<A, ParseResult.ParseError>): Either.Either<A, string> => {
  try {
    return Either.mapLeft(run(), (error) => ParseResult.TreeFormatter.formatErrorSync(error))
  } catch (cause) {
    return Either.left(String(cause))
  }
}
