/**
 * Single records at random: a payload of every kind that there is, with values that its shape allows and a writer may
 * never have made, and the same payloads with one place of them damaged.
 */

import * as Compacted from "@skein/core/record/Compacted"
import * as EventMsg from "@skein/core/record/EventMsg"
import * as ExtensionItem from "@skein/core/record/ExtensionItem"
import * as InterAgentCommunication from "@skein/core/record/InterAgentCommunication"
import * as Jsonl from "@skein/core/record/Jsonl"
import * as Record from "@skein/core/record/Record"
import * as ResponseItem from "@skein/core/record/ResponseItem"
import * as RetainedContext from "@skein/core/record/RetainedContext"
import * as SessionMeta from "@skein/core/record/SessionMeta"
import * as Shape from "@skein/core/record/Shape"
import * as TokenUsageRecord from "@skein/core/record/TokenUsageRecord"
import * as TurnContext from "@skein/core/record/TurnContext"
import * as TurnItem from "@skein/core/record/TurnItem"
import * as WorldStateRecord from "@skein/core/record/WorldStateRecord"
import { type Schema, SchemaAST } from "effect"
import * as fc from "fast-check"

/** The schemas of records that are neither items nor events, by their `type`. */
export const records: Readonly<Record<string, AnyShape>> = {
  session_meta: SessionMeta.SessionMeta,
  compacted: Compacted.Compacted,
  turn_context: TurnContext.TurnContext,
  world_state: WorldStateRecord.WorldStateRecord,
  inter_agent_communication: InterAgentCommunication.InterAgentCommunication,
  inter_agent_communication_metadata: InterAgentCommunication.InterAgentCommunicationMetadata,
  token_usage_record: TokenUsageRecord.TokenUsageRecord,
  retained_context: RetainedContext.RetainedContext
}

/** What tests use of a shape; `make` takes any object that `is` has accepted. */
export interface AnyShape {
  readonly schema: Schema.Schema.AnyNoContext
  readonly is: (value: unknown) => boolean
  readonly make?: (input: never) => unknown
}

const shapesOf = (level: string, variants: Readonly<Record<string, AnyShape>>) =>
  Object.entries(variants).map(([name, shape]) => ({ name: `${level} ${name}`, shape }))

/** All of them. */
export const all: ReadonlyArray<{ readonly name: string; readonly shape: AnyShape }> = [
  ...shapesOf("record", records),
  ...shapesOf("item", ResponseItem.variants),
  ...shapesOf("event", EventMsg.variants),
  ...shapesOf("turn item", TurnItem.variants),
  ...shapesOf("extension", ExtensionItem.variants)
]

/** The shape that a payload of this record type has to have, by the payload's own tag where there is one. */
export const shapeFor = (type: string, payload: unknown): AnyShape | undefined => {
  const variants: Readonly<Record<string, AnyShape>> | undefined =
    type === "response_item" ? ResponseItem.variants : type === "event_msg" ? EventMsg.variants : undefined
  if (variants === undefined) return records[type]
  const tag = typeof payload === "object" && payload !== null && "type" in payload ? payload.type : undefined
  return typeof tag === "string" ? variants[tag] : undefined
}

/** The written form of an accepted object. */
export const rewritten = (shape: AnyShape, value: unknown): unknown => shape.make?.(value as never)

const uuid = "019c2b10-7a00-7c00-8000-0000000000a1"

/** What satisfies the refinements that random values hardly ever do, by what the refinement expects. */
const samples: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  "a UUID": [uuid, uuid.toUpperCase(), `{${uuid}}`, `urn:uuid:${uuid}`, uuid.replaceAll("-", "")],
  "an absolute path": ["/repo", "~/x", "C:\\repo", "\\\\server\\share"],
  "a file: URL": ["file:///repo/a%20b", "file:///C:/x", "file://host/share"],
  "a file: URL or an absolute path": ["file:///repo", "/repo"],
  "an agent path": ["/root", "/root/worker", "/root/a_1/b", "/morpheus"],
  "a map by UUID": [{}, { [uuid]: "running" }, { [uuid]: { completed: null } }],
  "an integer from 0": [0, 7, 4_294_967_295],
  "an integer": [0, -1, 1_784_541_600],
  "an integer from 1": [1, 9],
  "an integer from 0 to 65535": [0, 65_535],
  "an integer from 0 to 4294967295": [0, 4_294_967_295],
  "an integer from -2147483648 to 2147483647": [-2_147_483_648, 0, 2_147_483_647],
  "an object with no keys but type": [{ type: "context_compacted" }],
  "a non-empty string": ["high", "x"]
}

/** Values that match the schema. */
export const matching = (schema: Schema.Schema.AnyNoContext): fc.Arbitrary<unknown> => arbitrary(schema.ast)

const arbitrary = (ast: SchemaAST.AST): fc.Arbitrary<unknown> => {
  switch (ast._tag) {
    case "UndefinedKeyword":
      return fc.constant(undefined)
    case "UnknownKeyword":
      return fc.jsonValue({ maxDepth: 2 })
    case "StringKeyword":
      return fc.string({ maxLength: 8 })
    case "NumberKeyword":
      return fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
    case "BooleanKeyword":
      return fc.boolean()
    case "Literal":
      return fc.constant(ast.literal)
    case "Refinement":
      return refined(ast)
    case "Union": {
      const types = ast.types.filter((type) => type._tag !== "UndefinedKeyword")
      return fc.oneof(...types.map(arbitrary))
    }
    case "TupleType": {
      const [rest] = ast.rest
      return rest === undefined ? fc.constant([]) : fc.array(arbitrary(rest.type), { maxLength: 2 })
    }
    case "TypeLiteral":
      return object(ast)
    default:
      throw new Error(`no arbitrary for a schema of kind ${ast._tag}`)
  }
}

const refined = (ast: SchemaAST.Refinement): fc.Arbitrary<unknown> => {
  const identifier = ast.annotations[SchemaAST.IdentifierAnnotationId]
  const known = typeof identifier === "string" ? samples[identifier] : undefined
  return known === undefined
    ? arbitrary(ast.from).filter((value) => ast.filter(value, {}, ast)._tag === "None")
    : fc.constantFrom(...known)
}

const object = (ast: SchemaAST.TypeLiteral): fc.Arbitrary<unknown> => {
  const required: Array<string> = []
  const fields: Record<string, fc.Arbitrary<unknown>> = {}
  for (const property of ast.propertySignatures) {
    const name = String(property.name)
    fields[name] = arbitrary(property.type)
    if (!property.isOptional) required.push(name)
  }
  const [index] = ast.indexSignatures
  return index === undefined
    ? fc.record(fields, { requiredKeys: required, noNullPrototype: true })
    : fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), arbitrary(index.type), {
        maxKeys: 2,
        noNullPrototype: true
      })
}

/** The value with one place of it damaged: a key dropped, a value nulled or given another type, a key added. */
export const damaged = (value: unknown): fc.Arbitrary<unknown> => {
  const places = placesOf(value)
  return fc
    .tuple(fc.constantFrom(...places), fc.constantFrom("drop", "null", "retype", "add"), fc.constantFrom(...others))
    .map(([place, damage, other]) => apply(value, place, damage, other))
}

const others: ReadonlyArray<unknown> = ["", "x", -1, 0, 1.5, true, [], {}, [null], { type: "x" }, null]

type Place = ReadonlyArray<string>

const placesOf = (value: unknown): ReadonlyArray<Place> => {
  if (typeof value !== "object" || value === null) return [[]]
  return [
    [],
    ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner).map((place): Place => [key, ...place]))
  ]
}

const apply = (value: unknown, place: Place, damage: string, other: unknown): unknown => {
  const [key, ...rest] = place
  if (key === undefined) {
    if (damage === "null") return null
    return damage === "add" && Shape.matches(anyObject, value) ? { ...(value as object), added: other } : other
  }
  if (Array.isArray(value)) {
    return value.map((inner: unknown, i) => (String(i) === key ? apply(inner, rest, damage, other) : inner))
  }
  const { [key]: inner, ...without } = value as Record<string, unknown>
  if (rest.length === 0 && damage === "drop") return without
  return { ...(value as object), [key]: apply(inner, rest, damage, other) }
}

const anyObject = Shape.struct({}).schema

/** A record of any kind and what it was made of. */
export interface AnyRecord {
  /** The name of its shape, such as `item message` or `event task_started`. */
  readonly name: string
  readonly record: Record.StoredRecord
}

const tagged = (
  level: string,
  name: string,
  payload: unknown
): { readonly type: string; readonly payload: unknown } => {
  if (level === "record") return { type: name, payload }
  if (level === "item") return { type: "response_item", payload }
  if (level === "event") return { type: "event_msg", payload }
  return {
    type: "event_msg",
    payload: { type: "item_completed", thread_id: uuid, turn_id: "t", item: payload, completed_at_ms: 0 }
  }
}

const recordOf = (type: string, payload: unknown): Record.StoredRecord | undefined => {
  const bytes = Jsonl.encode({ timestamp: "2026-07-20T10:00:00.000Z", type, payload }).slice(0, -1)
  const decoded = Record.decode({ bytes, offset: 0, number: 1, terminated: true })
  return decoded.kind === "damage" || decoded.kind === "blank" ? undefined : decoded
}

/** Records of one kind by the name of its shape (see {@link all}). Shrinks to the fewest keys and the simplest values. */
export const recordOfKind = (name: string): fc.Arbitrary<AnyRecord> => {
  const found = all.find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no shape called ${name}`)
  const [level = "", ...rest] = name.split(/ (?=\S+$)/)
  return matching(found.shape.schema)
    .map((payload) => {
      const line = tagged(level, rest.join(" "), payload)
      return { name, record: recordOf(line.type, line.payload) }
    })
    .filter((one): one is AnyRecord => one.record !== undefined)
}

/** A record of any kind, each kind as often as any other. Shrinks within its kind, then towards the first kinds. */
export const anyRecord: fc.Arbitrary<AnyRecord> = fc.oneof(...all.map(({ name }) => recordOfKind(name)))
