/** Values that match a schema, and small damage done to JSON. */
import { type Schema, SchemaAST } from "effect"
import * as fc from "fast-check"
import * as Shape from "../../src/record/Shape.js"

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
