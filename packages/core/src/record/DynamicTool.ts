/** Tools that the client brings to a thread, and what they give back (rollout-format §3.1 and §5.3). */
import * as Schema from "effect/Schema"
import * as Refined from "./Refined.js"
import * as Shape from "./Shape.js"

/** Keys that only the older, flat form of a tool has; with one of them an object is not of the tagged form (§3.1). */
export const flatKeys = ["namespace", "exposeToContext"] as const

const absent = Shape.elided(Schema.Undefined, undefined)
const notFlat = { namespace: absent, exposeToContext: absent }

const functionFields = {
  type: Schema.Literal("function"),
  name: Schema.String,
  description: Schema.String,
  inputSchema: Shape.json,
  deferLoading: Shape.elided(Schema.Boolean, false)
}

/** A tool of its own. */
export const DynamicFunction = Shape.struct({ ...functionFields, ...notFlat })
export type DynamicFunction = Shape.TypeOf<typeof DynamicFunction>

/** Tools under a common name. */
export const DynamicNamespace = Shape.struct({
  type: Schema.Literal("namespace"),
  name: Schema.String,
  description: Schema.String,
  tools: Schema.Array(Schema.Struct(functionFields)),
  ...notFlat
})
export type DynamicNamespace = Shape.TypeOf<typeof DynamicNamespace>

/** A tool or a namespace of tools that the client brings (rollout-format §3.1). */
export type DynamicToolSpec = DynamicFunction | DynamicNamespace
export const DynamicToolSpec: Schema.Schema<DynamicToolSpec> = Refined.union({
  function: DynamicFunction,
  namespace: DynamicNamespace
})

/** A part of what a client's tool gave back (rollout-format §5.3). */
export const DynamicOutput = Schema.Union(
  Schema.Struct({ type: Schema.Literal("inputText"), text: Schema.String }),
  Schema.Struct({ type: Schema.Literal("inputImage"), imageUrl: Schema.String }),
  Schema.Struct({ type: Schema.Literal("inputAudio"), audioUrl: Schema.String })
)
export type DynamicOutput = typeof DynamicOutput.Type
