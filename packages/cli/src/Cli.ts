/** The words of the `skein` command. Verbs are loaded when they are called, so that help and errors come at once. */
// One by one: the package's index also loads parsers of configuration files, which nothing here needs.
import type * as CliApp from "@effect/cli/CliApp"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import { Effect, Ref } from "effect"
import * as Reading from "./command/Reading.js"
import * as Stores from "./command/Stores.js"
import * as Output from "./Output.js"
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

/** The version that `--version` prints. */
export const version = "0.1.0"

/** The verbs, in the order of the help. */
const verbs = (status: Words.Status, prefix = "") => ({
  ...Reading.verbs(status, prefix),
  ...Stores.verbs(status, prefix)
})

const about = { name: "skein", version }

/** What answers the words of a command. */
type Answer = (
  argv: ReadonlyArray<string>
) => Effect.Effect<void, ValidationError.ValidationError, CliApp.CliApp.Environment>

/** Each verb as a command of its own: the help of a subcommand does not say what it is a part of. */
const runVerb = (status: Words.Status, word: string): Answer | undefined => {
  const all = verbs(status, "skein ")
  if (!Object.hasOwn(all, word)) return undefined
  const verb = all[word as keyof typeof all] as Command.Command<string, CliApp.CliApp.Environment, never, unknown>
  return Command.run(verb, about)
}

/** What tells of all verbs, and of words that are none. */
const overview = (status: Words.Status): Answer => {
  const { show, ...others } = verbs(status)
  return Command.run(
    Command.make("skein").pipe(
      Command.withDescription("Asks agent threads what they hold, and keeps stores of them."),
      Command.withSubcommands([show, ...Object.values(others)])
    ),
    about
  )
}

/** Runs the command; gives the exit code. `argv` begins with the runtime and the script, as Node gives it. */
export const run = (argv: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const status = yield* Ref.make<number>(exitCode.answered)
    const [runtime = "", script = "", word = "", ...rest] = argv
    const verb = runVerb(status, word)
    yield* (verb === undefined ? overview(status)(argv) : verb([runtime, script, ...rest])).pipe(
      // The parser has told what was wrong by the time it fails.
      Effect.catchIf(ValidationError.isValidationError, () => Ref.set(status, exitCode.usage)),
      Effect.provide(CliConfig.layer({ showBuiltIns: false })),
      Output.withConsole
    )
    return yield* Ref.get(status)
  })
