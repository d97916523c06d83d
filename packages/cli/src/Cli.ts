/** The words of the `skein` command. Verbs are loaded when they are called, so that help and errors come at once. */
// One by one: the package's index also loads parsers of configuration files, which nothing here needs.
import type * as CliApp from "@effect/cli/CliApp"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import { Effect, Ref } from "effect"
import * as Examples from "./Examples.js"
import * as Output from "./Output.js"
import * as Verbs from "./Verbs.js"
import { version } from "./Version.js"
import type * as Words from "./Words.js"

/** What the process ends with. Documented in `docs/cli.md`. */
export const exitCode = {
  /** Everything was answered or done. */
  answered: 0,
  /** Something could not be answered for or done, or a problem was found. */
  problem: 1,
  /** The command's own words were wrong. */
  usage: 2
} as const

const named = { name: "skein", version }

/** What answers the words of a command. */
type Answer = (
  argv: ReadonlyArray<string>
) => Effect.Effect<void, ValidationError.ValidationError, CliApp.CliApp.Environment>

/** A verb as the help of all of them tells it. */
const lineOf = (verb: Verbs.Verb) => Command.make(verb).pipe(Command.withDescription(Verbs.about[verb]))

/** Loads the words of the verbs of a kind. */
const wordsOf: Readonly<
  Record<Verbs.Kind, (status: Words.Status) => Promise<Readonly<Partial<Record<Verbs.Verb, unknown>>>>>
> = {
  reading: async (status) => (await import("./command/Reading.js")).verbs(status, "skein "),
  stores: async (status) => (await import("./command/Stores.js")).verbs(status, "skein "),
  making: async (status) => (await import("./command/Making.js")).verbs(status, "skein ")
}

/** Each verb is a command of its own: the help of a subcommand does not say what it is a part of. */
const runVerb = (status: Words.Status, word: Verbs.Verb): Effect.Effect<Answer> =>
  Effect.gen(function* () {
    const verbs = yield* Effect.promise(() => wordsOf[Verbs.kindOf[word]](status))
    const verb = verbs[word] as Command.Command<string, CliApp.CliApp.Environment, never, unknown>
    return Command.run(verb, { ...named, footer: Examples.section(Examples.of[word]) })
  })

/** What tells of all verbs, and of words that are none. The words of a verb are told by its own help. */
const overview: Answer = Command.run(
  Command.make("skein").pipe(
    Command.withDescription(
      "Asks agent threads what they hold, and keeps stores of them. skein VERB --help tells the words of a verb."
    ),
    Command.withSubcommands([lineOf("show"), ...(Object.keys(Verbs.about) as Array<Verbs.Verb>).slice(1).map(lineOf)])
  ),
  { ...named, footer: Examples.section(Examples.overall) }
)

/** Runs the command; gives the exit code. `argv` begins with the runtime and the script, as Node gives it. */
export const run = (argv: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const status = yield* Ref.make<number>(exitCode.answered)
    const [runtime = "", script = "", word = "", ...rest] = argv
    // The parser's own option, which would wait for keys that nobody can press.
    if (argv.includes("--wizard") && process.stdin.isTTY !== true) {
      yield* Output.error("--wizard asks for every option on a terminal, and there is none. Use --help instead.")
      return exitCode.usage
    }
    const answer = Verbs.isVerb(word)
      ? Effect.flatMap(runVerb(status, word), (verb) => verb([runtime, script, ...rest]))
      : overview(argv)
    yield* answer.pipe(
      // The parser has told what was wrong by the time it fails.
      Effect.catchIf(ValidationError.isValidationError, () => Ref.set(status, exitCode.usage)),
      Effect.provide(CliConfig.layer({ showBuiltIns: false })),
      Output.withConsole
    )
    return yield* Ref.get(status)
  })
