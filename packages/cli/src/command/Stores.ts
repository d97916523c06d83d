/** The words of the verbs that are about stores: lists, searches, changes of whole threads, copies and repairs. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Duration, Effect, Option } from "effect"
import * as Output from "../Output.js"
import * as Store from "../Store.js"
import { about } from "../Verbs.js"
import * as Words from "../Words.js"
import * as Filters from "./Filters.js"

const { ids, json, store, yes } = Words

const term = Args.text({ name: "TERM" }).pipe(Args.withDescription("what was said; letter case does not count"))

const named = Options.text("term").pipe(
  Options.withPseudoName("TEXT"),
  Options.withDescription("only threads whose name, title or preview hold this, letter by letter"),
  Options.optional
)

const asTree = Options.boolean("tree").pipe(
  Options.withDescription("all threads that pass, each below the one that spawned it; no pages")
)

const name = Args.text({ name: "NAME" }).pipe(Args.withDescription('the new name; "" takes it away'))

const shared = Options.choice("shared", ["keep", "materialise", "refuse"]).pipe(
  Options.withDescription(
    "what becomes of a part that other threads stand on: it stays, they get a copy, or nothing is deleted"
  ),
  Options.optional
)

const only = Options.boolean("only").pipe(Options.withDescription("leave the threads below it"))

const repair = Options.boolean("repair").pipe(
  Options.withDescription("do what is safe about it, after what is changed was backed up")
)

const backupTo = Options.text("to").pipe(
  Options.withPseudoName("FILE"),
  Options.withDescription("where the copy is to lie; nothing may be there yet")
)

const olderThan = Words.age(
  "older-than",
  "only files that have not changed for so long: 90s, 12h, 7d; 0s takes all"
).pipe(Options.withDefault(Duration.days(7)))

const dryRun = Options.boolean("dry-run").pipe(Options.withDescription("only say what would be done"))

/** The verbs; see `Reading.verbs`. */
export const verbs = (status: Words.Status, prefix: string) => {
  const ls = Command.make(
    `${prefix}ls`,
    { json, store, term: named, tree: asTree, ...Filters.filters, ...Filters.paging },
    (options) =>
      Words.inStore(options.store, { json: options.json, status, lists: true }, (opened) =>
        Effect.gen(function* () {
          const verb = yield* Effect.promise(() => import("../verb/Ls.js"))
          const query = { ...Filters.queryOf(options), searchTerm: Option.getOrUndefined(options.term) }
          yield* options.tree
            ? verb.tree(opened, query, options.json, status)
            : verb.ls(opened, query, options.json, status)
        })
      )
  ).pipe(Command.withDescription(about.ls))

  const search = Command.make(
    `${prefix}search`,
    { term, json, store, ...Filters.filters, ...Filters.paging },
    (options) =>
      Words.inStore(options.store, { json: options.json, status, lists: true }, (opened) =>
        Effect.gen(function* () {
          const verb = yield* Effect.promise(() => import("../verb/Search.js"))
          yield* verb.search(opened, options.term, Filters.queryOf(options), options.json, status)
        })
      )
  ).pipe(Command.withDescription(about.search))

  const rename = Command.make(`${prefix}rename`, { id: Words.id, name, json, store }, (options) =>
    Words.inStore(options.store, { json: options.json, status, writes: true }, (opened) =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Rename.js"))
        yield* Output.each([options.id], options.json, status, {
          ask: (id) => verb.rename(opened, id, options.name),
          render: verb.render
        })
      })
    )
  ).pipe(Command.withDescription(about.rename))

  const archive = Command.make(`${prefix}archive`, { ids, json, store }, (options) =>
    Words.inStore(options.store, { json: options.json, status, writes: true }, (opened) =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Archive.js"))
        yield* Output.each(options.ids, options.json, status, {
          ask: (id) => verb.archive(opened, id),
          render: verb.render
        })
      })
    )
  ).pipe(Command.withDescription(about.archive))

  const unarchive = Command.make(`${prefix}unarchive`, { ids, json, store }, (options) =>
    Words.inStore(options.store, { json: options.json, status, writes: true }, (opened) =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Archive.js"))
        yield* Output.each(options.ids, options.json, status, {
          ask: (id) => verb.unarchive(opened, id),
          render: verb.render
        })
      })
    )
  ).pipe(Command.withDescription(about.unarchive))

  const rm = Command.make(`${prefix}rm`, { ids, json, store, yes, shared, only }, (options) =>
    Words.inStore(options.store, { json: options.json, status, writes: true, lists: true }, (opened) =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Rm.js"))
        yield* verb.rm(opened, options.ids, { ...options, shared: Option.getOrUndefined(options.shared) }, status)
      })
    )
  ).pipe(Command.withDescription(about.rm))

  const some = Words.id.pipe(Args.withDescription("the threads to copy; without any, all"), Args.repeated)
  const from = Words.address("from", "the store that is copied")
  const to = Words.address("to", "where the copy goes; it is made if it is not there")
  const copy = Command.make(`${prefix}copy`, { ids: some, json, from, to, yes }, (options) =>
    Words.inStore(options.from, { json: options.json, status, lists: true }, (source) =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Copy.js"))
        yield* verb.copy(source, options, status)
      })
    )
  ).pipe(Command.withDescription(about.copy))

  const backup = Command.make(`${prefix}backup`, { json, store, to: backupTo }, (options) =>
    Words.inStore(options.store, { json: options.json, status }, (opened) =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Backup.js"))
        yield* Output.each([Store.format(options.store)], options.json, status, {
          ask: (name) => verb.backup(opened, name, options.to),
          render: verb.render
        })
      })
    )
  ).pipe(Command.withDescription(about.backup))

  const compress = Command.make(`${prefix}compress`, { json, store, olderThan, dryRun, yes }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("../verb/Compress.js"))
      yield* verb.compress(options.store, options, status)
    })
  ).pipe(Command.withDescription(about.compress))

  const cold = Words.id.pipe(Args.withDescription("the threads to make plain; without any, all"), Args.repeated)
  const decompress = Command.make(`${prefix}decompress`, { ids: cold, json, store }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("../verb/Decompress.js"))
      yield* verb.decompress(options.store, options.ids, options.json, status)
    })
  ).pipe(Command.withDescription(about.decompress))

  const doctor = Command.make(`${prefix}doctor`, { json, store, repair }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("../verb/Doctor.js"))
      yield* verb.doctor(options.store, options, status)
    })
  ).pipe(Command.withDescription(about.doctor))

  return { ls, search, rename, archive, unarchive, rm, copy, backup, compress, decompress, doctor }
}
