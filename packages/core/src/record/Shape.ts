/**
 * What a JSON object of the format may hold, and how it is checked and written.
 *
 * Shapes are declared with `effect/Schema`, in the field codes of rollout-format §0: every field of a shape is exactly
 * one of *required* (R), {@link nullable} (N), {@link sparse} (S), {@link defaulted} (D) or {@link elided} (E). A
 * schema describes the JSON as it lies in the file, without transformation, so a checked value is the parsed object
 * itself and is never copied.
 *
 * `Schema.is` allocates a result for every node it visits, which on the lines of a rollout costs more than parsing
 * them. {@link compile} turns the same schema into plain closures; a property holds the two to the same answers.
 */

import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as Examine from "../internal/Examine.js"

/** A field that is absent or `null` when unset, and written as `null`. */
export const nullable = <A>(value: Schema.Schema<A>) => coded(value, { code: "N" })

/** A field that is absent or `null` when unset, and left out when written. */
export const sparse = <A>(value: Schema.Schema<A>) => coded(value, { code: "S" })

/** A field that may be absent, which reads as `fallback`, but not `null`; always written. */
export const defaulted = <A>(value: Schema.Schema<A>, fallback: A) => present(value, { code: "D", fallback })

/** A field that may be absent, which reads as `fallback`, but not `null`; left out when it equals `fallback`. */
export const elided = <A>(value: Schema.Schema<A>, fallback: A) => present(value, { code: "E", fallback })

/** The schema of any JSON value; as a required field its key must be there, `null` included. */
export const json: Schema.Schema<unknown> = Schema.Unknown

/**
 * A schema narrowed by `accept`. Use this instead of `Schema.filter`: the plain predicate stays reachable for
 * {@link compile}.
 */
export const refine = <A>(from: Schema.Schema<A>, expected: string, accept: (value: A) => boolean): Schema.Schema<A> =>
  from.pipe(
    Schema.filter((value) => accept(value) || `should be ${expected}`, {
      identifier: expected,
      [acceptId]: accept
    })
  )

/** What a shape knows of one of its fields: its code and, for D and E, the value that an absent key stands for. */
type Coding = { readonly code: "N" | "S" } | { readonly code: "D" | "E"; readonly fallback: unknown }

const acceptId: unique symbol = Symbol.for("@skein/core/record/Shape/accept")

const codings = new WeakMap<object, Coding>()

const coded = <A>(value: Schema.Schema<A>, coding: Coding) => {
  const signature = Schema.optional(Schema.NullOr(value))
  codings.set(signature, coding)
  return signature
}

const present = <A>(value: Schema.Schema<A>, coding: Coding) => {
  const signature = Schema.optional(value)
  codings.set(signature, coding)
  return signature
}

/** The fields of a shape, in the order in which they are written. */
export type Fields = Schema.Struct.Fields

/** An object of the format: its schema, a fast check, and a constructor for writing it. */
export interface Shape<F extends Fields> {
  readonly schema: Schema.Struct<F>
  readonly fields: F
  /** Whether a parsed value has this shape; unknown keys do not matter. Cost: one visit of each declared field. */
  readonly is: (value: unknown) => value is Schema.Struct.Type<F>
  /** The object as it is written: keys in declared order, each absent, `null` or filled in as its code says. */
  readonly make: (input: Schema.Struct.Type<F>) => Schema.Struct.Type<F>
}

/** The type of the values of a shape or schema. */
export type TypeOf<S> = S extends { readonly schema: { readonly Type: infer A } }
  ? A
  : S extends { readonly Type: infer A }
    ? A
    : never

/** The shape with these fields. */
export const struct = <const F extends Fields>(fields: F): Shape<F> => {
  type A = Schema.Struct.Type<F>
  const schema = Schema.Struct(fields)
  return {
    schema,
    fields,
    is: compile(schema) as (value: unknown) => value is A,
    make: (input) => write(fields, input as Readonly<Record<string, unknown>>) as A
  }
}

const write = (fields: Fields, input: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const out: Record<string, unknown> = {}
  for (const key of Object.keys(fields)) {
    const value = input[key]
    const coding = codings.get(fields[key] as object)
    if (coding === undefined) out[key] = value
    else if (coding.code === "N") out[key] = value ?? null
    else if (coding.code === "D") out[key] = value ?? coding.fallback
    else if (coding.code === "E") {
      if (value !== undefined && !sameJson(value, coding.fallback)) out[key] = value
    } else if (value !== undefined && value !== null) out[key] = value
  }
  return out
}

const sameJson = (left: unknown, right: unknown): boolean =>
  left === right || (typeof left === "object" && JSON.stringify(left) === JSON.stringify(right))

/** One place where a value does not have the shape that was asked for. */
export interface Mismatch {
  /** Keys and indexes from the value down to the place. */
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

/** Why `value` does not match `schema`: the first place found. Slow; for a value that failed the fast check. */
export const explain = (schema: Schema.Schema.AnyNoContext, value: unknown): Mismatch => {
  const result = ParseResult.validateEither(schema)(value)
  if (Either.isRight(result)) return { path: [], message: "should not have been refused" }
  const [first] = ParseResult.ArrayFormatter.formatIssueSync(result.left)
  return first === undefined
    ? { path: [], message: "does not match" }
    : { path: first.path, message: first.message.split("\n")[0] ?? first.message }
}

/** Paths of the keys of `value` that `schema` does not declare, nested ones too; for telling what a view leaves unread. */
export const unknownKeys = (schema: Schema.Schema.AnyNoContext, value: unknown): ReadonlyArray<string> => {
  const found: Array<string> = []
  collectUnknown(schema.ast, value, "", found)
  return found
}

const collectUnknown = (ast: SchemaAST.AST, value: unknown, at: string, found: Array<string>): void => {
  switch (ast._tag) {
    case "Refinement":
      collectUnknown(ast.from, value, at, found)
      return
    case "Suspend":
      collectUnknown(ast.f(), value, at, found)
      return
    case "Union": {
      const member = ast.types.find((type) => predicate(type)(value))
      if (member !== undefined) collectUnknown(member, value, at, found)
      return
    }
    case "TupleType": {
      const [rest] = ast.rest
      if (!Array.isArray(value) || rest === undefined) return
      for (let i = 0; i < value.length; i++) collectUnknown(rest.type, value[i], `${at}[${i}]`, found)
      return
    }
    case "TypeLiteral": {
      if (typeof value !== "object" || value === null) return
      const [index] = ast.indexSignatures
      for (const [key, inner] of Object.entries(value)) {
        const property = ast.propertySignatures.find((candidate) => candidate.name === key)
        const type = property?.type ?? index?.type
        if (type === undefined) found.push(`${at}.${key}`)
        else collectUnknown(type, inner, `${at}.${key}`, found)
      }
    }
  }
}

/** Whether a parsed value matches a schema, by its compiled check. Cost: one visit of each key that the value has. */
export const matches = (schema: Schema.Schema.All, value: unknown): boolean => predicate(schema.ast)(value)

/**
 * A check of parsed JSON against a schema, as plain closures. It looks at every part of a value that matches, so that
 * {@link Examine} knows afterwards whether there is something in it that a line must not hold. Takes the part of Schema that shapes are written in:
 * literals, keywords, structs, records, arrays, unions, {@link refine} and suspend; it throws for anything else. A
 * union whose members share a key with a literal is entered by that literal. Compiled when it is first used: few of
 * all shapes occur in one process.
 */
export const compile = (schema: Schema.Schema.All): ((value: unknown) => boolean) => {
  let check: Predicate | undefined
  return (value) => {
    check ??= predicate(schema.ast)
    return check(value)
  }
}

type Predicate = (value: unknown) => boolean

const compiled = new WeakMap<SchemaAST.AST, Predicate>()

const predicate = (ast: SchemaAST.AST): Predicate => {
  const known = compiled.get(ast)
  if (known !== undefined) return known
  const made = build(ast)
  compiled.set(ast, made)
  return made
}

const build = (ast: SchemaAST.AST): Predicate => {
  switch (ast._tag) {
    case "UnknownKeyword":
    case "AnyKeyword":
      return Examine.anything
    case "StringKeyword":
      return (value) => typeof value === "string" && Examine.string(value)
    case "NumberKeyword":
      return (value) => typeof value === "number" && Examine.number(value)
    case "BooleanKeyword":
      return (value) => typeof value === "boolean"
    case "UndefinedKeyword":
      return (value) => value === undefined
    case "Literal": {
      const { literal } = ast
      return (value) => value === literal
    }
    case "Refinement":
      return buildRefinement(ast)
    case "Suspend": {
      let inner: Predicate | undefined
      return (value) => {
        inner ??= predicate(ast.f())
        return inner(value)
      }
    }
    case "Union":
      return buildUnion(ast.types)
    case "TupleType":
      return buildArray(ast)
    case "TypeLiteral":
      return buildObject(ast)
    default:
      throw new Error(`Shape.compile does not take a schema of kind ${ast._tag}`)
  }
}

const buildRefinement = (ast: SchemaAST.Refinement): Predicate => {
  const accept = ast.annotations[acceptId]
  if (typeof accept !== "function") throw new Error("Shape.compile takes refinements made by Shape.refine only")
  const from = predicate(ast.from)
  return (value) => from(value) && accept(value) === true
}

const buildArray = (ast: SchemaAST.TupleType): Predicate => {
  const [rest, ...more] = ast.rest
  if (ast.elements.length > 0 || rest === undefined || more.length > 0) {
    throw new Error("Shape.compile takes arrays of one element type only")
  }
  const element = predicate(rest.type)
  return (value) => {
    if (!Array.isArray(value)) return false
    for (let i = 0; i < value.length; i++) if (!element(value[i])) return false
    return true
  }
}

/**
 * Goes through the keys that a value has rather than those it could have: most fields are optional and absent, and a
 * key that comes out of `for … in` is read back at once. Writers keep to one order of keys, so the field of a key is
 * looked for behind that of the key before it.
 */
const buildObject = (ast: SchemaAST.TypeLiteral): Predicate => {
  const fields = ast.propertySignatures
  const names = fields.map((property) => property.name as string)
  const checks = fields.map((property) => predicate(property.type))
  const counts = fields.map((property) => (property.isOptional ? 0 : 1))
  const required = counts.filter((count) => count === 1).length
  const [index] = ast.indexSignatures
  const others = index === undefined ? undefined : { name: predicate(index.parameter), value: predicate(index.type) }
  const find = (key: string, from: number): number => {
    for (let i = from; i < names.length; i++) if (names[i] === key) return i
    for (let i = 0; i < from; i++) if (names[i] === key) return i
    return -1
  }
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false
    const object = value as Record<string, unknown>
    let missing = required
    let next = 0
    for (const key in object) {
      const i = names[next] === key ? next : find(key, next)
      if (i < 0) {
        if (others === undefined) {
          Examine.string(key)
          Examine.anything(object[key])
        } else if (!(others.name(key) && others.value(object[key]))) return false
        continue
      }
      if (!(checks[i] as Predicate)(object[key])) return false
      missing -= counts[i] as number
      next = i + 1
    }
    return missing === 0
  }
}

const buildUnion = (types: ReadonlyArray<SchemaAST.AST>): Predicate => {
  const literals = types.every((type) => type._tag === "Literal")
  if (literals) {
    const allowed = new Set<unknown>(types.map((type) => (type as SchemaAST.Literal).literal))
    return (value) => allowed.has(value)
  }
  const [first, second] = types
  if (types.length === 2 && first !== undefined && second?._tag === "Literal" && second.literal === null) {
    const inner = predicate(first)
    return (value) => value === null || inner(value)
  }
  const members = types.map(predicate)
  const tag = sharedTag(types)
  if (tag !== undefined) {
    const byTag = new Map<unknown, Array<Predicate>>()
    types.forEach((type, i) => {
      const name = tagOf(type, tag)
      byTag.set(name, [...(byTag.get(name) ?? []), members[i] as Predicate])
    })
    return (value) => {
      if (typeof value !== "object" || value === null) return false
      const candidates = byTag.get((value as Record<string, unknown>)[tag])
      if (candidates === undefined) return false
      for (let i = 0; i < candidates.length; i++) if ((candidates[i] as Predicate)(value)) return true
      return false
    }
  }
  return (value) => {
    for (let i = 0; i < members.length; i++) if ((members[i] as Predicate)(value)) return true
    return false
  }
}

const tagOf = (ast: SchemaAST.AST, key: string): unknown => {
  if (ast._tag === "Refinement") return tagOf(ast.from, key)
  if (ast._tag !== "TypeLiteral") return undefined
  const property = ast.propertySignatures.find((candidate) => candidate.name === key)
  return property !== undefined && !property.isOptional && property.type._tag === "Literal"
    ? property.type.literal
    : undefined
}

/** The key by which all members of a union can be told apart, at least roughly. */
const sharedTag = (types: ReadonlyArray<SchemaAST.AST>): string | undefined =>
  ["type", "kind"].find((key) => types.every((type) => tagOf(type, key) !== undefined))
