/** The words that say which threads a list shows, and how. */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type { SummaryQuery } from "@skein/store/SummaryQuery"
import { Either, Option } from "effect"

const optional = (name: string, value: string, description: string) =>
  Options.text(name).pipe(Options.withPseudoName(value), Options.withDescription(description), Options.optional)

const repeated = (name: string, value: string, description: string) =>
  Options.text(name).pipe(
    Options.withPseudoName(value),
    Options.withDescription(description),
    Options.repeated,
    Options.withDefault<Array<string>>([])
  )

/** `KEY=VALUE`. */
const pair = (text: string): Either.Either<readonly [string, string], ValidationError.ValidationError> => {
  const at = text.indexOf("=")
  return at < 1
    ? Either.left(ValidationError.invalidValue(HelpDoc.p(`--meta: ${text} is no KEY=VALUE`)))
    : Either.right([text.slice(0, at), text.slice(at + 1)])
}

/** Filters of lists and searches. */
export const filters = {
  archived: Options.boolean("archived").pipe(Options.withDescription("archived threads instead of active ones")),
  all: Options.boolean("all").pipe(
    Options.withDescription("active and archived threads, and those that have nothing to show yet")
  ),
  sources: repeated(
    "source",
    "WHO",
    "only threads that these started: cli, vscode, exec, subAgent:review, custom:NAME, …"
  ),
  providers: repeated("provider", "NAME", "only threads of these model providers"),
  defaultProvider: optional("default-provider", "NAME", "the provider of threads that name none"),
  cwds: repeated("cwd", "FOLDER", "only threads of these working directories"),
  childrenOf: optional("children-of", "ID", "only threads that this one spawned"),
  descendantsOf: optional("descendants-of", "ID", "only threads below this one, at any depth"),
  meta: Options.text("meta").pipe(
    Options.withPseudoName("KEY=VALUE"),
    Options.withDescription("only threads whose host metadata has this"),
    Options.repeated,
    Options.mapEffect((all) => Either.all(all.map(pair))),
    Options.withDefault<Array<readonly [string, string]>>([])
  )
}

/** Order and pages. */
export const paging = {
  sort: Options.choice("sort", ["created", "updated", "recency"]).pipe(
    Options.withDescription("by which time they are sorted; the newest first"),
    Options.withDefault("created" as const)
  ),
  reverse: Options.boolean("reverse").pipe(Options.withDescription("the oldest first")),
  limit: Options.integer("limit").pipe(
    Options.withPseudoName("N"),
    Options.withDescription("threads of a page, 25 unless said"),
    Options.optional
  ),
  cursor: optional("cursor", "CURSOR", "where a page begins, as the one before it says")
}

/** What these words come to. */
export interface Given {
  readonly archived: boolean
  readonly all: boolean
  readonly sources: ReadonlyArray<string>
  readonly providers: ReadonlyArray<string>
  readonly defaultProvider: Option.Option<string>
  readonly cwds: ReadonlyArray<string>
  readonly childrenOf: Option.Option<string>
  readonly descendantsOf: Option.Option<string>
  readonly meta: ReadonlyArray<readonly [string, string]>
  readonly sort: "created" | "updated" | "recency"
  readonly reverse: boolean
  readonly limit: Option.Option<number>
  readonly cursor: Option.Option<string>
}

const keys = { created: "createdAt", updated: "updatedAt", recency: "recencyAt" } as const

/** The query that the words ask. */
export const queryOf = (given: Given): SummaryQuery => ({
  archived: given.all ? "any" : given.archived,
  hidden: given.all ? true : undefined,
  sources: given.sources,
  modelProviders: given.providers,
  defaultProvider: Option.getOrUndefined(given.defaultProvider),
  cwds: given.cwds.length === 0 ? null : given.cwds,
  childrenOf: Option.getOrUndefined(given.childrenOf),
  descendantsOf: Option.getOrUndefined(given.descendantsOf),
  metadata: Object.fromEntries(given.meta),
  sortKey: keys[given.sort],
  sortDirection: given.reverse ? "asc" : "desc",
  pageSize: Option.getOrUndefined(given.limit),
  cursor: Option.getOrUndefined(given.cursor)
})
