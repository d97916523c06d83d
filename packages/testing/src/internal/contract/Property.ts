/** Properties whose runs are effects. */
import { Effect, type Scope } from "effect"
import * as fc from "fast-check"
import { Broken } from "./Check.js"

/**
 * Holds for values at random. Fails with the smallest one found for which it does not, and how to try it again. Each run
 * has a scope of its own.
 */
export const property = <A>(
  runs: number,
  arbitrary: fc.Arbitrary<A>,
  holds: (value: A) => Effect.Effect<void, unknown, Scope.Scope>
): Effect.Effect<void> =>
  Effect.promise(() =>
    fc.check(
      fc.asyncProperty(arbitrary, (value) => Effect.runPromise(Effect.scoped(holds(value)))),
      { numRuns: runs }
    )
  ).pipe(
    Effect.flatMap((details) =>
      details.failed
        ? Effect.die(new Broken(fc.defaultReportMessage(details) ?? "a property does not hold"))
        : Effect.void
    )
  )
