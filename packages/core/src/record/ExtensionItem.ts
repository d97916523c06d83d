/** What extensions did: the turn items of type `Extension`, told apart by `kind` (rollout-format §5.3). */
import * as Schema from "effect/Schema"
import { AbsolutePath, Unsigned } from "./Primitive.js"
import * as Refined from "./Refined.js"
import * as Shape from "./Shape.js"

const type = Schema.Literal("Extension")

/** The agent waited. */
export const ClockSleep = Shape.struct({
  type,
  kind: Schema.Literal("clock.sleep"),
  id: Schema.String,
  durationMs: Unsigned
})
export type ClockSleep = Shape.TypeOf<typeof ClockSleep>

/** An image was made. */
export const ImageGeneration = Shape.struct({
  type,
  kind: Schema.Literal("image_gen.generation"),
  id: Schema.String,
  status: Schema.String,
  revisedPrompt: Shape.nullable(Schema.String),
  result: Schema.String,
  savedPath: Shape.sparse(AbsolutePath)
})
export type ImageGeneration = Shape.TypeOf<typeof ImageGeneration>

/** What a web search of the extension did; camelCase, unlike the action of items and events (rollout-format §5.3). */
export const SearchAction = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("search"),
    query: Shape.nullable(Schema.String),
    queries: Shape.nullable(Schema.Array(Schema.String))
  }),
  Schema.Struct({ type: Schema.Literal("openPage"), url: Shape.nullable(Schema.String) }),
  Schema.Struct({
    type: Schema.Literal("findInPage"),
    url: Shape.nullable(Schema.String),
    pattern: Shape.nullable(Schema.String)
  }),
  Schema.Struct({ type: Schema.Literal("other") })
)
export type SearchAction = typeof SearchAction.Type

/** A search on the web. */
export const WebSearch = Shape.struct({
  type,
  kind: Schema.Literal("web.search"),
  id: Schema.String,
  query: Schema.String,
  action: Shape.nullable(SearchAction),
  results: Shape.nullable(Schema.Array(Shape.json))
})
export type WebSearch = Shape.TypeOf<typeof WebSearch>

/** The shape of each extension item by its `kind`. */
export const variants = {
  "clock.sleep": ClockSleep,
  "image_gen.generation": ImageGeneration,
  "web.search": WebSearch
}

/** The `kind` of an extension item that this version knows; any other rejects the line (rollout-format §5.3). */
export type ExtensionKind = keyof typeof variants

/** What an extension did. */
export type ExtensionItem = ClockSleep | ImageGeneration | WebSearch

/** The schema of any extension item that this version knows. */
export const schema: Schema.Schema<ExtensionItem> = Refined.union(variants)

/** Whether a value is an extension item. */
export const is = (value: unknown): value is ExtensionItem => Shape.matches(schema, value)
