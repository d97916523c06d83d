/**
 * A record of the log: one line, read as what it says (rollout-format §2 and §3).
 *
 * A stored record *is* its raw line; everything here is a view of it. The payload is the object that the parser made,
 * checked against its shape and never copied, unless the line has an older shape, which `legacy/` brings up to date.
 */
import type * as Schema from "effect/Schema"
import * as Examine from "../internal/Examine.js"
import * as Json from "../json/Json.js"
import * as Compacted from "./Compacted.js"
import * as EventMsg from "./EventMsg.js"
import * as InterAgentCommunication from "./InterAgentCommunication.js"
import type { Blank, Damage, RawLine } from "./Jsonl.js"
import * as Jsonl from "./Jsonl.js"
import * as Bare from "./legacy/Bare.js"
import * as Upcasts from "./legacy/Upcasts.js"
import * as ResponseItem from "./ResponseItem.js"
import * as RetainedContext from "./RetainedContext.js"
import * as SessionMeta from "./SessionMeta.js"
import * as Shape from "./Shape.js"
import * as TokenUsageRecord from "./TokenUsageRecord.js"
import * as TurnContext from "./TurnContext.js"
import * as TurnItem from "./TurnItem.js"
import * as WorldStateRecord from "./WorldStateRecord.js"

/** The payload of each kind of record, by the `type` of its line. */
export interface Payloads {
  readonly session_meta: SessionMeta.SessionMeta
  readonly response_item: ResponseItem.ResponseItem
  readonly inter_agent_communication: InterAgentCommunication.InterAgentCommunication
  readonly inter_agent_communication_metadata: InterAgentCommunication.InterAgentCommunicationMetadata
  readonly compacted: Compacted.Compacted
  readonly turn_context: TurnContext.TurnContext
  readonly world_state: WorldStateRecord.WorldStateRecord
  readonly event_msg: EventMsg.EventMsg
  readonly token_usage_record: TokenUsageRecord.TokenUsageRecord
  readonly retained_context: RetainedContext.RetainedContext
}

/** The `type` of a line. */
export type Kind = keyof Payloads

/** What a kind that this version does not know is a kind *of*; `marker` is a line of 0.20.0 that says nothing. */
export type UnknownLevel = "record" | "event" | "item" | "turn_item" | "marker"

/** A well-formed line of a kind that this version does not know. */
export interface Unknown {
  readonly level: UnknownLevel
  /** The unknown tag: a record's `type`, or the inner `type` of an event, an item or a turn item. */
  readonly name: string
  readonly value: unknown
}

/** What every record has, whatever it says. */
interface Common {
  readonly line: RawLine
  /** Moment of writing as the line has it; usually RFC 3339 in UTC. */
  readonly timestamp: string
  /** Position in the log of a paginated thread; legacy threads have none. */
  readonly ordinal: number | undefined
  /** Keys of the envelope beside `timestamp`, `ordinal`, `type` and `payload`, such as `metadata` and `skein`. */
  readonly extras: Readonly<Record<string, unknown>> | undefined
  /** Whether a number of the line is an integer beyond 2^53 - 1: the view rounds it, the raw line keeps it. */
  readonly inexact: boolean
  /** Name of the older shape that this line has, when `legacy/` brought it up to date. */
  readonly upcast: string | undefined
}

/** A record of a known kind. */
export type Known = { readonly [K in Kind]: Common & { readonly kind: K; readonly payload: Payloads[K] } }[Kind]

/** A record that can be read: of a known kind, or well formed and of an unknown one. */
export type StoredRecord = Known | (Common & { readonly kind: "unknown"; readonly payload: Unknown })

/** What a record says, without where it stands: all that most folds need to keep of it. */
export type Entry =
  | { readonly [K in Kind]: { readonly kind: K; readonly payload: Payloads[K] } }[Kind]
  | { readonly kind: "unknown"; readonly payload: Unknown }

/** A record of one kind. */
export type Of<K extends StoredRecord["kind"]> = Extract<StoredRecord, { readonly kind: K }>

/**
 * How the lines of a file are written: with an envelope, or bare as 0.20.0 wrote them. A bare line in a file that has
 * envelopes is none of its records (rollout-format §2.1).
 */
export type Form = "enveloped" | "bare"

/** The form of the file whose header this is. */
export const formOf = (header: Of<"session_meta"> | undefined): Form =>
  header?.upcast?.split(", ").includes(Bare.name) === true ? "bare" : "enveloped"

/** What a line comes to. */
export type Decoded = StoredRecord | Blank | Damage

/**
 * Reads a line as a record.
 *
 * Older shapes are brought up to date (`upcast` names them); a kind that is unknown but well formed is a value of its
 * own; what the reference's reader would drop is {@link Damage}. Cost: {@link Jsonl.parse} and one check of the
 * declared fields.
 *
 * @param text The text of the line where its reader has it already.
 */
export const decode = (line: RawLine, form: Form = "enveloped", text?: string | undefined): Decoded => {
  const read = Jsonl.parseOnly(line, text)
  if (read.kind !== "value") return read
  const sound = viewSound(read.value, line)
  if (sound !== undefined) return sound
  const parsed = Jsonl.examined(line, read.value)
  return parsed.kind === "value" ? view(parsed.value, line, form, parsed.inexact) : parsed
}

/**
 * Reads a parsed line as a record, in one walk over it, where there is nothing to say about it: it has its envelope and
 * its shape, and holds nothing that has to be examined. Undefined for any other.
 */
const viewSound = (value: unknown, line: RawLine): StoredRecord | undefined => {
  if (!isObject(value)) return undefined
  const { payload, timestamp, type } = value
  const ordinal = value["ordinal"] ?? undefined
  if (typeof timestamp !== "string" || typeof type !== "string" || !isObject(payload)) return undefined
  if (ordinal !== undefined && !(Number.isSafeInteger(ordinal) && (ordinal as number) >= 0)) return undefined
  Examine.begin()
  const extras = extrasOf(value)
  Examine.string(timestamp)
  Examine.anything(extras)
  if (!matches(type, payload) || Examine.isDoubtful()) return undefined
  return {
    kind: type as Kind,
    payload,
    line,
    timestamp,
    ordinal: ordinal as number | undefined,
    extras,
    inexact: false,
    upcast: undefined
  } as unknown as Known
}

/** Reads a parsed line as a record; `decode` without the parsing. */
export const view = (
  value: unknown,
  line: RawLine,
  form: Form = "enveloped",
  inexact = false
): StoredRecord | Damage => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return Jsonl.damage(line, "not-an-object", "the line is JSON, but no object")
  }
  const envelope = value as Readonly<Record<string, unknown>>
  const { timestamp, type, payload } = envelope
  const ordinal = envelope["ordinal"] ?? undefined
  if (typeof timestamp !== "string" || typeof type !== "string" || !isObject(payload)) {
    return viewBare(envelope, line, form, inexact)
  }
  if (ordinal !== undefined && !(typeof ordinal === "number" && Number.isInteger(ordinal) && ordinal >= 0)) {
    return Jsonl.damage(line, "bad-envelope", "ordinal should be an integer from 0")
  }
  return finish({ line, timestamp, ordinal, extras: extrasOf(envelope), inexact }, type, payload)
}

type Head = Omit<Common, "upcast">

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const extrasOf = (envelope: Readonly<Record<string, unknown>>): Common["extras"] => {
  let extras: Record<string, unknown> | undefined
  for (const key in envelope) {
    if (key === "timestamp" || key === "type" || key === "payload" || key === "ordinal") continue
    extras ??= {}
    extras[key] = envelope[key]
  }
  return extras
}

const viewBare = (
  envelope: Readonly<Record<string, unknown>>,
  line: RawLine,
  form: Form,
  inexact: boolean
): StoredRecord | Damage => {
  const bare = form === "bare" ? Bare.bareLine(envelope) : undefined
  if (bare === "state") {
    const marker: Unknown = { level: "marker", name: "state", value: envelope }
    return { kind: "unknown", payload: marker, ...bareHead(line, "", inexact), upcast: Bare.name }
  }
  if (bare !== undefined) return finish(bareHead(line, bare.timestamp, inexact), bare.type, bare.payload, Bare.name)
  const missing = ["timestamp", "type", "payload"].filter((key) => !(key in envelope))
  return Jsonl.damage(
    line,
    "bad-envelope",
    missing.length > 0 ? `${missing.join(" and ")} missing` : "timestamp and type should be strings, payload an object"
  )
}

const bareHead = (line: RawLine, timestamp: string, inexact: boolean): Head => ({
  line,
  timestamp,
  ordinal: undefined,
  extras: undefined,
  inexact
})

const finish = (head: Head, type: string, payload: unknown, upcast?: string): StoredRecord | Damage => {
  const { line, timestamp, ordinal, extras, inexact } = head
  if (matches(type, payload)) {
    return { kind: type as Kind, payload, line, timestamp, ordinal, extras, inexact, upcast } as Known
  }
  let current = payload
  let names = upcast
  for (const older of Upcasts.forKind(type)) {
    const lifted = older.upcast(current)
    if (lifted === undefined) continue
    current = lifted
    names = names === undefined ? older.name : `${names}, ${older.name}`
    if (matches(type, current)) {
      return { kind: type as Kind, payload: current, line, timestamp, ordinal, extras, inexact, upcast: names } as Known
    }
  }
  const unknown = unknownOf(type, current)
  if (unknown !== undefined) {
    return { kind: "unknown", payload: unknown, line, timestamp, ordinal, extras, inexact, upcast: names }
  }
  return refuse(line, type, current)
}

/** The schema that a payload has to match: that of its record kind or, where the kind is a family, of its variant. */
const schemaFor = (type: string, payload: unknown): Schema.Schema.AnyNoContext | undefined => {
  const tag = isObject(payload) ? payload["type"] : undefined
  if (type === "response_item") return typeof tag === "string" ? items.get(tag)?.schema : undefined
  if (type === "event_msg") return typeof tag === "string" ? events.get(tag)?.schema : undefined
  return Object.hasOwn(plain, type) ? plain[type as keyof typeof plain] : undefined
}

/** The same as a check, by way of maps: this runs for every line. */
const matches = (type: string, payload: unknown): boolean => {
  const tag = (payload as { readonly type?: unknown }).type
  const checked = type === "response_item" ? items.get(tag) : type === "event_msg" ? events.get(tag) : records.get(type)
  return checked?.is(payload) ?? false
}

interface Checked {
  readonly schema: Schema.Schema.AnyNoContext
  readonly is: (value: unknown) => boolean
}

const checked = (schemas: Readonly<Record<string, Schema.Schema.AnyNoContext>>): ReadonlyMap<unknown, Checked> =>
  new Map(Object.entries(schemas).map(([name, schema]) => [name, { schema, is: Shape.compile(schema) }]))

const plain = {
  session_meta: SessionMeta.SessionMeta.schema,
  inter_agent_communication: InterAgentCommunication.InterAgentCommunication.schema,
  inter_agent_communication_metadata: InterAgentCommunication.InterAgentCommunicationMetadata.schema,
  compacted: Compacted.Compacted.schema,
  turn_context: TurnContext.TurnContext.schema,
  world_state: WorldStateRecord.WorldStateRecord.schema,
  token_usage_record: TokenUsageRecord.TokenUsageRecord.schema,
  retained_context: RetainedContext.RetainedContext.schema
} satisfies Record<Exclude<Kind, "response_item" | "event_msg">, Schema.Schema.AnyNoContext>

const records = checked(plain)
const items = checked(schemasOf(ResponseItem.variants))
const events = checked(schemasOf(EventMsg.variants))

function schemasOf(variants: Readonly<Record<string, { readonly schema: Schema.Schema.AnyNoContext }>>) {
  return Object.fromEntries(Object.entries(variants).map(([name, { schema }]) => [name, schema]))
}

const unknownOf = (type: string, payload: unknown): Unknown | undefined => {
  if (type !== "response_item" && type !== "event_msg") {
    return Object.hasOwn(plain, type) ? undefined : { level: "record", name: type, value: payload }
  }
  if (!isObject(payload)) return undefined
  const tag = payload["type"]
  if (typeof tag !== "string") return undefined
  if (type === "response_item") {
    return ResponseItem.isKnown(tag) ? undefined : { level: "item", name: tag, value: payload }
  }
  if (!EventMsg.isKnown(tag)) return { level: "event", name: tag, value: payload }
  const item = payload["item"]
  if ((tag !== "item_completed" && tag !== "item_started") || !isObject(item)) return undefined
  const itemTag = item["type"]
  return typeof itemTag === "string" && !TurnItem.isKnown(itemTag)
    ? { level: "turn_item", name: itemTag, value: payload }
    : undefined
}

const refuse = (line: RawLine, type: string, payload: unknown): Damage => {
  if (type === "session_meta" && isObject(payload)) {
    const mode = payload["history_mode"]
    if (mode !== undefined && mode !== "legacy" && mode !== "paginated") {
      return Jsonl.damage(line, "unknown-history-mode", `history_mode ${JSON.stringify(mode)} is not known`)
    }
  }
  const schema = schemaFor(type, payload)
  if (schema === undefined) return Jsonl.damage(line, "bad-payload", `payload of ${type} has no type`)
  const { path, message } = Shape.explain(schema, payload)
  const at = path.length === 0 ? "payload" : `payload.${path.map(String).join(".")}`
  return Jsonl.damage(line, "bad-payload", `${type}: ${at}: ${message}`)
}

/** The bytes of a record's line as it was read, with its line feed: byte for byte what stands in the file. */
export const encode = (line: RawLine): Uint8Array => {
  if (!line.terminated) return line.bytes
  const bytes = new Uint8Array(line.bytes.length + 1)
  bytes.set(line.bytes)
  bytes[line.bytes.length] = 0x0a
  return bytes
}

/** What a new line is made of. */
export interface Draft<K extends Kind = Kind> {
  readonly timestamp: string
  readonly ordinal?: number | undefined
  readonly type: K
  readonly payload: Payloads[K]
  /** Further keys of the envelope, such as `skein`. */
  readonly extras?: Readonly<Record<string, unknown>> | undefined
}

/** A new line with its line feed: keys in the order of rollout-format §2, compact JSON, UTF-8. */
export const write = <K extends Kind>(draft: Draft<K>): Uint8Array => Jsonl.encode(envelope(draft))

/** A new line before it stands anywhere. */
export interface Written {
  /** The line, without its line feed. */
  readonly text: string
  /** The record that the line is where it stands: what {@link decode} reads there, or why no reader would take it. */
  readonly at: (line: RawLine) => Decoded
}

/**
 * A new line, and the record that it becomes. The draft may be changed afterwards: the record shares nothing with it.
 * Throws for what JSON cannot write. Cost: writing it; reading it back only where the draft holds what JSON changes.
 */
export const written = (draft: Draft): Written => {
  const value = envelope(draft)
  const copy = Json.copied(value)
  // A copy is well formed, so there is nothing that the codec would mend.
  const text = copy === undefined ? Jsonl.stringify(value) : JSON.stringify(copy)
  const read = (line: RawLine): Decoded => decode(line, "enveloped", text)
  return { text, at: copy === undefined ? read : (line) => viewSound(copy, line) ?? read(line) }
}

/** Made key by key: an object that is spread costs more than its text. */
const envelope = <K extends Kind>({ extras, ordinal, payload, timestamp, type }: Draft<K>): unknown => {
  const known: Record<string, unknown> =
    ordinal === undefined ? { timestamp, type, payload } : { timestamp, ordinal, type, payload }
  if (extras === undefined) return known
  // An assignment to `__proto__` would make no key.
  if (Object.hasOwn(extras, "__proto__")) return { ...known, ...extras }
  for (const key of Object.keys(extras)) known[key] = extras[key]
  return known
}

const nothing = new Uint8Array(0)

/**
 * The record that a new line becomes once it is written. Throws for a line that no reader would take. Cost: that of
 * {@link written}.
 */
export const reread = (draft: Draft): StoredRecord => {
  const { at, text } = written(draft)
  const [bytes = nothing] = Jsonl.encodeAll([text])
  const decoded = at({ bytes, offset: 0, number: 1, terminated: true })
  if (decoded.kind === "damage") throw new Error(`no record: ${decoded.detail}`)
  if (decoded.kind === "blank") throw new Error("no record: a blank line")
  return decoded
}
