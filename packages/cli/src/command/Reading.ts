/** The words of the verbs that only read: rollout files, or threads of a store. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Every from "@skein/store/Every"
import { Effect, Option } from "effect"
import * as Output from "../Output.js"
import * as Store from "../Store.js"
import { about } from "../Verbs.js"
import * as Words from "../Words.js"

const { at, files, json, maybeStore: store } = Words

const items = Options.boolean("items").pipe(
  Options.withDescription("show the items alone, without the turns around them")
)

const turn = Options.text("turn").pipe(Options.withDescription("show only the turn of this id"), Options.optional)

const from = Options.text("from").pipe(
  Options.withDescription(
    "the first of the two points: a line, a turn id or a time, as --at; without it the beginning"
  ),
  Options.optional
)

const to = Options.text("to").pipe(
  Options.withDescription("the second of the two points; without it the end"),
  Options.optional
)

const changes = Options.boolean("changes").pipe(
  Options.withDescription("show its history instead, each change as RFC 6902 operations")
)

const rollouts = Words.paths(
  "PATH",
  "a rollout file, or a folder such as a Codex home: then every rollout below it; with --store ids, or none for all"
)

const homes = Words.paths("HOME", "a Codex home, or a folder with rollouts below it; none with --store")

const anyPaths = Words.paths(
  "PATH",
  "rollout files or Codex homes; without any, the bundled samples; with --store ids, or none for the newest threads"
)

/** The verbs. `prefix` goes in front of their names: the parser tells a command's usage by its name alone. */
export const verbs = (status: Words.Status, prefix: string) => {
  const show = Command.make(`${prefix}show`, { files, json, store, at, items, turn }, (options) =>
    Words.among(options.store, { json: options.json, status }, () =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Show.js"))
        const request = { at: Option.getOrUndefined(options.at), turn: Option.getOrUndefined(options.turn) }
        if (options.items) {
          yield* Output.each(options.files, options.json, status, {
            ask: (file) => verb.items(file, request),
            render: verb.renderItems
          })
        } else {
          yield* Output.each(options.files, options.json, status, {
            ask: (file) => verb.show(file, request),
            render: verb.render
          })
        }
      })
    )
  ).pipe(Command.withDescription(about.show))

  const diff = Command.make(`${prefix}diff`, { files, json, store, from, to }, (options) =>
    Words.among(options.store, { json: options.json, status }, () =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Diff.js"))
        const request = { from: Option.getOrUndefined(options.from), to: Option.getOrUndefined(options.to) }
        yield* Output.each(options.files, options.json, status, {
          ask: (file) => verb.diff(file, request),
          render: verb.render
        })
      })
    )
  ).pipe(Command.withDescription(about.diff))

  const context = Command.make(`${prefix}context`, { files, json, store, at }, (options) =>
    Words.among(options.store, { json: options.json, status }, () =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Context.js"))
        yield* Output.each(options.files, options.json, status, {
          ask: (file) => verb.context(file, Option.getOrUndefined(options.at)),
          render: verb.render
        })
      })
    )
  ).pipe(Command.withDescription(about.context))

  const world = Command.make(`${prefix}world`, { files, json, store, at, changes }, (options) =>
    Words.among(options.store, { json: options.json, status }, () =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/World.js"))
        const position = Option.getOrUndefined(options.at)
        if (options.changes) {
          yield* Output.each(options.files, options.json, status, {
            ask: (file) => verb.changes(file, position),
            render: verb.renderChanges
          })
        } else {
          yield* Output.each(options.files, options.json, status, {
            ask: (file) => verb.world(file, position),
            render: verb.render
          })
        }
      })
    )
  ).pipe(Command.withDescription(about.world))

  const windows = Command.make(`${prefix}windows`, { files, json, store, at }, (options) =>
    Words.among(options.store, { json: options.json, status }, () =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Windows.js"))
        yield* Output.each(options.files, options.json, status, {
          ask: (file) => verb.windows(file, Option.getOrUndefined(options.at)),
          render: verb.render
        })
      })
    )
  ).pipe(Command.withDescription(about.windows))

  const verify = Command.make(`${prefix}verify`, { paths: rollouts, json, store }, (options) =>
    Words.among(options.store, { json: options.json, status }, (opened) =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Verify.js"))
        const each = (files: ReadonlyArray<string>) =>
          Output.each(files, options.json, status, {
            ask: (file) => verb.verify(file, Output.progress(file)),
            render: verb.render,
            isBad: (document) => document.problems.length > 0
          })
        if (opened !== undefined) {
          const all = options.paths.length > 0 ? [] : yield* Every.summaries(opened)
          return yield* each(options.paths.length > 0 ? options.paths : all.map(({ id }) => id))
        }
        if (options.paths.length === 0) {
          return yield* Output.usage("Name a rollout file or a folder, or a store with --store.", status)
        }
        for (const path of options.paths) {
          const { files, unlisted } = yield* verb.files(path)
          yield* each(files)
          for (const refused of unlisted) yield* Output.refuse(refused.path, refused, options.json, status)
        }
      })
    )
  ).pipe(Command.withDescription(about.verify))

  const tree = Command.make(`${prefix}tree`, { homes, json, store }, (options) =>
    Words.among(options.store, { json: options.json, status, lists: true }, (opened) =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Tree.js"))
        const { render } = yield* Effect.promise(() => import("../verb/Agents.js"))
        const name = Option.map(options.store, Store.format)
        if (opened === undefined ? options.homes.length === 0 : options.homes.length > 0) {
          return yield* Output.usage("Name a Codex home, or a store with --store; not both.", status)
        }
        yield* Output.each(
          Option.match(name, { onNone: () => options.homes, onSome: (one) => [one] }),
          options.json,
          status,
          {
            ask: (home) => (opened === undefined ? verb.tree(home) : verb.ofStore(home, opened)),
            render,
            isBad: (document) => document.unreadable.length > 0
          }
        )
      })
    )
  ).pipe(Command.withDescription(about.tree))

  const demo = Command.make(`${prefix}demo`, { paths: anyPaths, store }, (options) =>
    Words.among(options.store, { json: false, status, lists: true }, (opened) =>
      Effect.gen(function* () {
        const verb = yield* Effect.promise(() => import("../verb/Demo.js"))
        const name = Option.match(options.store, { onNone: () => "", onSome: Store.format })
        yield* opened === undefined
          ? verb.demo(options.paths, status)
          : verb.ofStore(name, opened, options.paths, status)
      })
    )
  ).pipe(Command.withDescription(about.demo))

  return { show, diff, context, world, windows, verify, tree, demo }
}
