/**
 * What a web search did (rollout-format §4.2). An action of a tag unknown to this version reads as `other`, which
 * `legacy/Unrecognized.ts` brings about; the line keeps what it says.
 */
import * as Schema from "effect/Schema"
import * as Refined from "./Refined.js"
import * as Shape from "./Shape.js"

/** Queries were sent to a search engine. */
export const Search = Shape.struct({
  type: Schema.Literal("search"),
  query: Shape.sparse(Schema.String),
  queries: Shape.sparse(Schema.Array(Schema.String))
})
export type Search = Shape.TypeOf<typeof Search>

/** A page was opened. */
export const OpenPage = Shape.struct({ type: Schema.Literal("open_page"), url: Shape.sparse(Schema.String) })
export type OpenPage = Shape.TypeOf<typeof OpenPage>

/** A text was looked for in a page. */
export const FindInPage = Shape.struct({
  type: Schema.Literal("find_in_page"),
  url: Shape.sparse(Schema.String),
  pattern: Shape.sparse(Schema.String)
})
export type FindInPage = Shape.TypeOf<typeof FindInPage>

/** Something else. */
export const Other = Shape.struct({ type: Schema.Literal("other") })
export type Other = Shape.TypeOf<typeof Other>

/** The actions by their tag. */
export const variants = { search: Search, open_page: OpenPage, find_in_page: FindInPage, other: Other }

/** What a web search did, in the snake_case form of items and events (rollout-format §4.2). */
export type WebSearchAction = Search | OpenPage | FindInPage | Other
export const WebSearchAction: Schema.Schema<WebSearchAction> = Refined.union(variants)

/** Whether this version knows an action of this tag. */
export const isKnown = (tag: string): tag is keyof typeof variants => Object.hasOwn(variants, tag)
