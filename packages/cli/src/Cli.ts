/** The words of the `skein` command. Verbs are loaded when they are called, so that help and errors come at once. */
// One by one: the package's index also loads parsers of configuration files, which nothing here needs.
import * as Args from "@effect/cli/Args"
import type * as CliApp from "@effect/cli/CliApp"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import { Effect, Option, Ref } from "effect"
import * as Output from "./Output.js"

/** What the process ends with. Documented in `docs/cli.md`. */
export const exitCode = {
  /** Everything was answered. */
  answered: 0,
  /** A file could not be answered for, or `verify` found a problem. */
  problem: 1,
  /** The command's own words were wrong. */
  usage: 2
} as const

/** The version that `--version` prints. */
export const version = "0.1.0"

/** A path among the words. A misspelt option, or one without its value, is none. */
const path = (name: string) =>
  Args.text({ name }).pipe(
    Args.mapEffect((word) =>
      word.startsWith("-")
        ? Effect.fail(HelpDoc.p(`${word} is no option here, or lacks its value; a path that begins so is ./${word}`))
        : Effect.succeed(word)
    )
  )

const files = path("FILE").pipe(Args.withDescription("a rollout file, .jsonl or .jsonl.zst"), Args.atLeast(1))

const paths = path("PATH").pipe(
  Args.withDescription("a rollout file, or a folder such as a Codex home: then every rollout below it"),
  Args.atLeast(1)
)

const json = Options.boolean("json").pipe(Options.withDescription("print one JSON document a line, one for each file"))

const at = Options.text("at").pipe(
  Options.withDescription("ask how it stood at a line number of FILE, at the end of a turn (its id), or at a time"),
  Options.optional
)

/** The exit code, which a verb can only make worse. */
type Status = Ref.Ref<number>

/** The verbs. `prefix` goes in front of their names: the parser tells a command's usage by its name alone. */
const verbs = (status: Status, prefix = "") => {
  const items = Options.boolean("items").pipe(
    Options.withDescription("show the items alone, without the turns around them")
  )
  const turn = Options.text("turn").pipe(Options.withDescription("show only the turn of this id"), Options.optional)
  const show = Command.make(`${prefix}show`, { files, json, at, items, turn }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("./verb/Show.js"))
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
  ).pipe(Command.withDescription("What the user saw: the thread, its turns and their items."))

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
  const diff = Command.make(`${prefix}diff`, { files, json, from, to }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("./verb/Diff.js"))
      const request = { from: Option.getOrUndefined(options.from), to: Option.getOrUndefined(options.to) }
      yield* Output.each(options.files, options.json, status, {
        ask: (file) => verb.diff(file, request),
        render: verb.render
      })
    })
  ).pipe(Command.withDescription("What changed between two points of a thread: turns, items, world and window."))

  const context = Command.make(`${prefix}context`, { files, json, at }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("./verb/Context.js"))
      yield* Output.each(options.files, options.json, status, {
        ask: (file) => verb.context(file, Option.getOrUndefined(options.at)),
        render: verb.render
      })
    })
  ).pipe(Command.withDescription("What the model must see next, and the state that goes with it."))

  const changes = Options.boolean("changes").pipe(
    Options.withDescription("show its history instead, each change as RFC 6902 operations")
  )
  const world = Command.make(`${prefix}world`, { files, json, at, changes }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("./verb/World.js"))
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
  ).pipe(Command.withDescription("The world as the model knows it."))

  const windows = Command.make(`${prefix}windows`, { files, json, at }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("./verb/Windows.js"))
      yield* Output.each(options.files, options.json, status, {
        ask: (file) => verb.windows(file, Option.getOrUndefined(options.at)),
        render: verb.render
      })
    })
  ).pipe(Command.withDescription("The context windows of a thread and what opened each."))

  const verify = Command.make(`${prefix}verify`, { paths, json }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("./verb/Verify.js"))
      for (const path of options.paths) {
        const { files, unlisted } = yield* verb.files(path)
        yield* Output.each(files, options.json, status, {
          ask: (file) => verb.verify(file, Output.progress(file)),
          render: verb.render,
          isBad: (document) => document.problems.length > 0
        })
        for (const refused of unlisted) yield* Output.refuse(refused.path, refused, options.json, status)
      }
    })
  ).pipe(
    Command.withDescription("Every problem of a file, with line, byte offset and meaning; exit code 1 if there is any.")
  )

  const homes = path("HOME").pipe(
    Args.withDescription("a Codex home, or a folder with rollouts below it"),
    Args.atLeast(1)
  )
  const tree = Command.make(`${prefix}tree`, { homes, json }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("./verb/Tree.js"))
      yield* Output.each(options.homes, options.json, status, {
        ask: verb.tree,
        render: verb.render,
        isBad: (document) => document.unreadable.length > 0
      })
    })
  ).pipe(Command.withDescription("The agents of a home by parent: how each stands, and when it was last active."))

  const anyPaths = path("PATH").pipe(
    Args.withDescription("rollout files or Codex homes; without any, the bundled samples"),
    Args.repeated
  )
  const demo = Command.make(`${prefix}demo`, { paths: anyPaths }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("./verb/Demo.js"))
      yield* verb.demo(options.paths, status)
    })
  ).pipe(Command.withDescription("Replay threads and draw what they come to."))

  return { show, diff, context, world, windows, verify, tree, demo }
}

const about = { name: "skein", version }

/** What answers the words of a command. */
type Answer = (
  argv: ReadonlyArray<string>
) => Effect.Effect<void, ValidationError.ValidationError, CliApp.CliApp.Environment>

/** Each verb as a command of its own: the help of a subcommand does not say what it is a part of. */
const runVerb = (status: Status): Readonly<Record<string, Answer>> => {
  const { show, diff, context, world, windows, verify, tree, demo } = verbs(status, "skein ")
  return {
    show: Command.run(show, about),
    diff: Command.run(diff, about),
    context: Command.run(context, about),
    world: Command.run(world, about),
    windows: Command.run(windows, about),
    verify: Command.run(verify, about),
    tree: Command.run(tree, about),
    demo: Command.run(demo, about)
  }
}

/** What tells of all verbs, and of words that are none. */
const overview = (status: Status): Answer => {
  const { show, diff, context, world, windows, verify, tree, demo } = verbs(status)
  return Command.run(
    Command.make("skein").pipe(
      Command.withDescription("Asks an agent thread what it holds. Files are only read, never written."),
      Command.withSubcommands([show, diff, context, world, windows, verify, tree, demo])
    ),
    about
  )
}

/** Runs the command; gives the exit code. `argv` begins with the runtime and the script, as Node gives it. */
export const run = (argv: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const status = yield* Ref.make<number>(exitCode.answered)
    const [runtime = "", script = "", word = "", ...rest] = argv
    const runs = runVerb(status)
    const verb = Object.hasOwn(runs, word) ? runs[word] : undefined
    yield* (verb === undefined ? overview(status)(argv) : verb([runtime, script, ...rest])).pipe(
      // The parser has told what was wrong by the time it fails.
      Effect.catchIf(ValidationError.isValidationError, () => Ref.set(status, exitCode.usage)),
      Effect.provide(CliConfig.layer({ showBuiltIns: false })),
      Output.withConsole
    )
    return yield* Ref.get(status)
  })
