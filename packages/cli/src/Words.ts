/** Words that several verbs understand, and the stores that they name. */
// One by one: the package's index also loads parsers of configuration files, which nothing here needs.
import * as Args from "@effect/cli/Args"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type * as StoreError from "@skein/store/StoreError"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Duration, Effect, Either, Option, type Ref, type Scope } from "effect"
import * as Output from "./Output.js"
import * as Store from "./Store.js"

/** The exit code, which a verb can only make worse. */
export type Status = Ref.Ref<number>

/** A path or an id among the words. A misspelt option, or one without its value, is none. */
export const path = (name: string) =>
  Args.text({ name }).pipe(
    Args.mapEffect((given) =>
      given.startsWith("-")
        ? Effect.fail(
            HelpDoc.p(`${given} is no option here, lacks its value, or stands behind a ${name}; a path is ./${given}`)
          )
        : Effect.succeed(given)
    )
  )

/** Rollout files, or threads of a store. */
export const files = path("FILE").pipe(
  Args.withDescription("a rollout file, .jsonl or .jsonl.zst; with --store the id of a thread"),
  Args.atLeast(1)
)

/** Files and folders; whether there may be none is for the verb to say. */
export const paths = (name: string, description: string) =>
  path(name).pipe(Args.withDescription(description), Args.repeated)

/** The id of a thread, in lower case. */
export const id = Args.text({ name: "ID" }).pipe(
  Args.mapEffect((given) =>
    Either.mapLeft(SummaryQuery.threadId(given), ({ reason }) => HelpDoc.p(`${reason}; give the id of a thread`))
  )
)

/** Ids of threads, at least one. */
export const ids = id.pipe(Args.withDescription("the id of a thread"), Args.atLeast(1))

/** A document for programs. */
export const json = Options.boolean("json").pipe(Options.withDescription("print JSON documents, one a line"))

/** A position in a log. */
export const at = Options.text("at").pipe(
  Options.withDescription("ask how it stood at a line number of FILE, at the end of a turn (its id), or at a time"),
  Options.optional
)

/** Goes on without asking. */
export const yes = Options.boolean("yes").pipe(Options.withDescription("do it without asking"))

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** A length of time: a number and its unit. */
export const age = (name: string, description: string): Options.Options<Duration.Duration> =>
  Options.text(name).pipe(
    Options.withPseudoName("AGE"),
    Options.withDescription(description),
    Options.mapEffect((given) => {
      const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(given) ?? []
      return count === undefined
        ? Effect.fail(
            ValidationError.invalidValue(
              HelpDoc.p(`--${name}: ${JSON.stringify(given)} is no length of time; write a number and s, m, h, d or w`)
            )
          )
        : Effect.succeed(Duration.millis(Number(count) * units[unit as keyof typeof units]))
    })
  )

/** An address of a store. */
export const address = (name: string, description: string): Options.Options<Store.Address> =>
  Options.text(name).pipe(
    Options.withPseudoName("STORE"),
    Options.withDescription(`${description}: fs:<folder>, a Codex home, or sqlite:<file>`),
    Options.mapEffect((given) =>
      Either.mapLeft(Store.parse(given), (reason) => ValidationError.invalidValue(HelpDoc.p(`--${name}: ${reason}`)))
    )
  )

/** The store that a verb is about. */
export const store = address("store", "the store")

/** A store for verbs that else read files. */
export const maybeStore = address("store", "ask the threads of a store, by their ids").pipe(Options.optional)

/** What a verb needs beside the store. */
type Environment = Store.Environment

/** How a verb uses a store. */
interface Use extends Store.Options {
  readonly json: boolean
  readonly status: Status
}

/** Opens a store for a verb; why it fails is told, and makes the exit code 1. */
export const inStore = <R>(
  at: Store.Address,
  { json, status, ...options }: Use,
  use: (store: ThreadStoreService) => Effect.Effect<void, StoreError.StoreError, R>
): Effect.Effect<void, never, Exclude<R | Environment, Scope.Scope>> =>
  Store.open(at, options).pipe(
    Effect.flatMap(use),
    Effect.catchAll((refused) => Output.refuse(Store.format(at), refused, json, status)),
    Effect.scoped
  )

/** Lets reading verbs ask a store when one is named, else files. */
export const among = <R>(
  at: Option.Option<Store.Address>,
  options: Use,
  ask: (store: ThreadStoreService | undefined) => Effect.Effect<void, StoreError.StoreError, R>
): Effect.Effect<void, never, Exclude<R | Environment, Scope.Scope>> =>
  Option.match(at, {
    onNone: () =>
      ask(undefined).pipe(
        Effect.catchAll((refused) => Output.refuse("", refused, options.json, options.status)),
        Effect.scoped
      ) as Effect.Effect<void, never, Exclude<R | Environment, Scope.Scope>>,
    onSome: (address) =>
      inStore(address, options, (store) =>
        Effect.flatMap(
          Effect.promise(() => import("./Source.js")),
          (source) => Effect.provideService(ask(store), source.Source, source.ofStore(store))
        )
      )
  })
