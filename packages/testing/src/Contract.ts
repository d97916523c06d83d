/**
 * What every store of threads promises, as cases that can be run: the numbered ones of thread-store §11, and what the
 * port says beyond them.
 *
 * With vitest, use {@link module:ThreadStoreContract}. This module has no test runner in it: run the cases in any other
 * one, or by hand.
 */
import { ThreadStore } from "@skein/store/ThreadStore"
import { Cause, Context, Duration, Effect, Exit, Layer, Option, Scope } from "effect"
import * as Faults from "./Faults.js"
import * as Hooks from "./Hooks.js"
import * as Archive from "./internal/contract/Archive.js"
import type { Bench, Case, Need } from "./internal/contract/Case.js"
import { NotSupported, Undeclared } from "./internal/contract/Case.js"
import { Broken } from "./internal/contract/Check.js"
import { Patience } from "./internal/contract/Clocks.js"
import * as Contexts from "./internal/contract/Contexts.js"
import * as Copies from "./internal/contract/Copies.js"
import * as Deletion from "./internal/contract/Deletion.js"
import * as Equivalence from "./internal/contract/Equivalence.js"
import * as Explicit from "./internal/contract/Explicit.js"
import * as Following from "./internal/contract/Following.js"
import * as Forks from "./internal/contract/Forks.js"
import * as History from "./internal/contract/History.js"
import * as Leases from "./internal/contract/Leases.js"
import * as Lifecycle from "./internal/contract/Lifecycle.js"
import * as Listing from "./internal/contract/Listing.js"
import * as Lookup from "./internal/contract/Lookup.js"
import * as Metadata from "./internal/contract/Metadata.js"
import * as Pages from "./internal/contract/Pages.js"
import * as Reverts from "./internal/contract/Reverts.js"
import * as Times from "./internal/contract/Times.js"
import * as Writing from "./internal/contract/Writing.js"

export type { Bench, Case, Need }

/** A store that is held to the contract, and what it can be given to show of itself. */
export interface Options<S = never> {
  /** What reports call it. */
  readonly name: string
  /** The store. It is built anew for each case, and at times twice over one storage. */
  readonly layer: Layer.Layer<ThreadStore, unknown, S | Faults.Faults>
  /**
   * An empty storage, built once for each case: a folder, a database, whatever outlasts a store. Give it if the store has
   * one: then it is also opened again, and twice at once. It may provide {@link module:Hooks} beside.
   */
  readonly storage?: Layer.Layer<S, unknown> | undefined
  /** The store to compare with: `MemoryStore.layer` of `@skein/store-memory`. */
  readonly model?: Layer.Layer<ThreadStore, unknown> | undefined
  /** What the store lacks, each with the reason. Cases that need it are skipped; without a word here they fail. */
  readonly skip?: Partial<Readonly<Record<Need, string>>> | undefined
  /** Cases by number that the store does not keep on purpose, each with the reason. */
  readonly except?: Readonly<Record<string, string>> | undefined
  /** Random runs of each property. Default 25. */
  readonly runs?: number | undefined
  /** What is tried is the same for the same seed: that of a failure, to see it again. Default: another one each time. */
  readonly seed?: number | undefined
  /** Whether what breaks a property is made as small as can be before it is shown. Default true. */
  readonly shrink?: boolean | undefined
  /** How long a case may take, in milliseconds. Default 20 000. */
  readonly timeout?: number | undefined
  /** How long a case waits for something that has to come by itself, in milliseconds. Default 8 000. */
  readonly patience?: number | undefined
}

/** Every case, in the order of the page. */
export const cases: ReadonlyArray<Case> = [
  ...Lifecycle.cases,
  ...Leases.cases,
  ...Writing.cases,
  ...History.cases,
  ...Forks.cases,
  ...Reverts.cases,
  ...Following.cases,
  ...Metadata.cases,
  ...Explicit.cases,
  ...Times.cases,
  ...Listing.cases,
  ...Lookup.cases,
  ...Archive.cases,
  ...Deletion.cases,
  ...Pages.cases,
  ...Contexts.cases,
  ...Copies.cases,
  ...Equivalence.cases
]

/**
 * The numbered cases of thread-store §11 that are not among these, and why: they speak of what one store alone has, and its
 * own tests hold it to them.
 */
export const elsewhere: Readonly<Record<string, string>> = {
  24: "threads have ids here and no paths; a store of files reads paths by means of its own",
  56: "of an index beside the truth: it is checked against the files that it speaks of",
  57: "of rollout files by their names",
  59: "of compressed files",
  62: "no other program is used for a search",
  80: "of the schema of a database",
  81: "of the schema of a database",
  82: "of an index beside the truth, and how it is filled",
  83: "of an index beside the truth, which is set aside when it is corrupt",
  84: "of an index beside the truth, which is set aside when it is corrupt",
  ...Object.fromEntries(
    ["71", "72", "73", "74", "75", "76", "77", "78", "79"].map((number) => [
      number,
      "of compressed files and what makes them"
    ])
  )
}

/** What a case came to. A case that the store does not keep throws instead. */
export type Outcome = { readonly _tag: "Passed" } | { readonly _tag: "Skipped"; readonly why: string }

/** Why a case is not run, by what the options declare; undefined: it is. */
export const declared = <S>(one: Case, { except = {}, skip = {} }: Options<S>): string | undefined => {
  const reason = except[one.number]
  if (reason !== undefined) return reason
  const missing = one.needs.find((need) => skip[need] !== undefined)
  return missing === undefined ? undefined : `no ${missing}: ${skip[missing]}`
}

/** Declarations that say nothing: exceptions of cases that there are not. */
export const misspelt = <S>({ except = {} }: Options<S>): ReadonlyArray<string> => {
  const numbers = new Set(cases.map(({ number }) => number))
  return Object.keys(except).filter((number) => !numbers.has(number))
}

/** Runs a case, whatever is declared. Throws what is wrong. */
export const run = async <S>(one: Case, options: Options<S>): Promise<Outcome> => {
  const { patience = 8_000, timeout = 20_000 } = options
  const exit = await Effect.runPromiseExit(
    Effect.scoped(Effect.flatMap(bench(options), one.run)).pipe(
      Effect.provideService(Patience, patience),
      // What hangs may be deaf to interruption too.
      Effect.disconnect,
      Effect.timeoutFail({
        duration: Duration.millis(timeout),
        onTimeout: () => new Broken(`it does not come to an end within ${timeout} ms`)
      })
    )
  )
  if (Exit.isSuccess(exit)) return { _tag: "Passed" }
  const error = Cause.squash(exit.cause)
  if (error instanceof NotSupported) return { _tag: "Skipped", why: error.message }
  throw error
}

/** A store over an empty storage. */
const bench = <S>(options: Options<S>): Effect.Effect<Bench, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const faults = yield* Faults.make
    const storage = yield* Layer.build(options.storage ?? (Layer.empty as unknown as Layer.Layer<S>))
    const context = Context.add(storage, Faults.Faults, faults)
    const open = Layer.build(options.layer).pipe(
      Effect.provide(context),
      Effect.map((built) => Context.get(built, ThreadStore))
    )
    const first = yield* Scope.make()
    yield* Effect.addFinalizer((exit) => Scope.close(first, exit))
    const store = yield* Scope.extend(open, first)
    const lacks = (need: Need, advice: string) => Effect.fail(new Undeclared({ need, advice }))
    const hook = <I, A>(tag: Context.Tag<I, A>, need: Need, advice: string) =>
      Option.match(Context.getOption(storage as Context.Context<never>, tag as unknown as Context.Tag<never, A>), {
        onNone: () => lacks(need, advice),
        onSome: (service) => Effect.succeed(service)
      })
    const outlasting = "Give the suite a storage that outlasts the store"
    const self: Bench = {
      store,
      reopen:
        options.storage === undefined
          ? lacks("reopen", outlasting)
          : Effect.zipRight(Scope.close(first, Exit.void), open),
      second: options.storage === undefined ? lacks("second", outlasting) : open,
      faults: Effect.flatMap(faults.isAttached, (isAttached) =>
        isAttached ? Effect.succeed(faults) : lacks("faults", "Build the store over Faults.inject(driver)")
      ),
      files: hook(Hooks.Files, "files", "Provide Hooks.Files with the storage"),
      backups: hook(Hooks.Backups, "backup", "Provide Hooks.Backups with the storage"),
      model:
        options.model === undefined
          ? lacks("model", "Give the suite a model, such as MemoryStore.layer")
          : Effect.map(Layer.build(options.model), (built) => Context.get(built, ThreadStore)),
      fresh: Effect.suspend(() => bench(options)),
      effort: { runs: options.runs ?? 25, shrink: options.shrink ?? true, seed: options.seed }
    }
    return self
  })
