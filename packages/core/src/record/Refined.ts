/** Shapes with a condition on the whole object, and families of shapes that are told apart by a tag. */
import * as Schema from "effect/Schema"
import * as Shape from "./Shape.js"

/** A shape whose objects also have to meet a condition that no single field can express. */
export interface Refined<F extends Shape.Fields> extends Omit<Shape.Shape<F>, "schema"> {
  readonly schema: Schema.Schema<Schema.Struct.Type<F>>
}

/**
 * The shape narrowed by a condition on the whole object. The condition may look at declared keys only: Schema shows it
 * an object without the others.
 */
export const refined = <F extends Shape.Fields>(
  shape: Shape.Shape<F>,
  expected: string,
  accept: (value: Schema.Struct.Type<F>) => boolean
): Refined<F> => {
  type A = Schema.Struct.Type<F>
  const schema = Shape.refine(shape.schema as unknown as Schema.Schema<A>, expected, accept)
  return {
    schema,
    fields: shape.fields,
    is: (value): value is A => Shape.matches(schema, value),
    make: shape.make
  }
}

/** The shape without the objects that hold both a key and its alias: those reject the line (rollout-format §2.1). */
export const aliased = <F extends Shape.Fields>(shape: Shape.Shape<F>, key: string, alias: string): Refined<F> =>
  refined(shape, `an object with ${key} or ${alias}, not both`, (value) => {
    const object = value as object
    return !(Object.hasOwn(object, key) && Object.hasOwn(object, alias))
  })

/** The shape without the objects that have further keys. */
export const exact = <F extends Shape.Fields>(shape: Shape.Shape<F>): Refined<F> => {
  type A = Schema.Struct.Type<F>
  const keys = Object.keys(shape.fields)
  // Refines any value instead of the shape's schema, which would hide the further keys.
  const schema = Shape.refine(
    Schema.Unknown as unknown as Schema.Schema<A>,
    `an object with no keys but ${keys.join(", ")}`,
    (value) => shape.is(value) && Object.keys(value as object).every((key) => keys.includes(key))
  )
  return { ...shape, schema, is: (value): value is A => Shape.matches(schema, value) }
}

/** The shapes of a tagged family, by their tag. */
export type Variants = Readonly<Record<string, { readonly schema: Schema.Schema.AnyNoContext }>>

/** The schema of any member of a family. */
export const union = <V extends Variants>(variants: V): Schema.Schema<Shape.TypeOf<V[keyof V]>> =>
  Schema.Union(...Object.values(variants).map((variant) => variant.schema)) as unknown as Schema.Schema<
    Shape.TypeOf<V[keyof V]>
  >

/** The schema of an object that has a value of `schema` for every UUID among its keys, and no other keys. */
export const byUuid = <A>(schema: Schema.Schema<A>, isUuid: (text: string) => boolean) =>
  Shape.refine<{ readonly [id: string]: A }>(
    Schema.Record({ key: Schema.String, value: schema }),
    "a map by UUID",
    (map) => Object.keys(map).every(isUuid)
  )
