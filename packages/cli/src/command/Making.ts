/** The words of the verb that makes something new. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Effect, Option } from "effect"
import * as Output from "../Output.js"
import { about } from "../Verbs.js"
import * as Words from "../Words.js"

const folder = Words.path("FOLDER").pipe(
  Args.withDescription("where it goes: a folder that is empty or not there yet; this one unless said"),
  Args.withDefault(".")
)

const flavour = Options.choice("flavour", ["promise", "effect"]).pipe(
  Options.withDescription("how the host is written; with promises unless said"),
  Options.withDefault("promise" as const)
)

const from = Options.text("from").pipe(
  Options.withPseudoName("FOLDER"),
  Options.withDescription("take the packages from archives in this folder, as npm pack makes them"),
  Options.optional
)

/** The verbs; see `Reading.verbs`. */
export const verbs = (status: Words.Status, prefix: string) => {
  const init = Command.make(`${prefix}init`, { folder, flavour, from, json: Words.json }, (options) =>
    Effect.gen(function* () {
      const verb = yield* Effect.promise(() => import("../verb/Init.js"))
      yield* Output.each([options.folder], options.json, status, {
        ask: (at) => verb.init(at, { flavour: options.flavour, from: Option.getOrUndefined(options.from) }),
        render: verb.render
      })
    })
  ).pipe(Command.withDescription(about.init))

  return { init }
}
