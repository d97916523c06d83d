/** Properties whose runs are effects. */
import { Cause, Effect, Exit, type Scope } from "effect"
import * as fc from "fast-check"
import { Broken } from "./Check.js"

/** How often a property is tried, and whether a value that breaks it is made as small as can be. */
export interface Effort {
  readonly runs: number
  readonly shrink: boolean
  readonly seed: number | undefined
}

/**
 * Holds for values at random. Fails with the smallest one found for which it does not, and how to try it again. Each run
 * has a scope of its own.
 */
export const property = <A>(
  { runs, seed, shrink }: Effort,
  arbitrary: fc.Arbitrary<A>,
  holds: (value: A) => Effect.Effect<void, unknown, Scope.Scope>
): Effect.Effect<void> =>
  Effect.promise(() =>
    fc.check(
      fc.asyncProperty(arbitrary, async (value) => {
        const exit = await Effect.runPromiseExit(Effect.scoped(holds(value)))
        if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
      }),
      { numRuns: runs, endOnFailure: !shrink, ...(seed === undefined ? {} : { seed }) }
    )
  ).pipe(
    Effect.flatMap((details) =>
      details.failed
        ? Effect.die(
            new Broken(
              `${details.errorInstance ?? "a property does not hold"}\n${fc.defaultReportMessage(details) ?? ""}`
            )
          )
        : Effect.void
    )
  )
