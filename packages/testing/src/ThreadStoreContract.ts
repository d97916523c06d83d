/**
 * The contract of stores as a suite of vitest: one test for each promise, named by its number.
 *
 * Not part of `@skein/testing` itself, so that nobody who only wants threads at random needs vitest: import
 * `@skein/testing/ThreadStoreContract`.
 */
import { describe, it } from "vitest"
import * as Contract from "./Contract.js"

export type { Need, Options } from "./Contract.js"

/**
 * Registers the suite for a store. What the store lacks has to be declared (`skip`) and then shows as skipped; what is
 * missing without a word fails.
 */
export const suite = <S = never>(options: Contract.Options<S>): void => {
  const { timeout = 20_000 } = options
  describe(`ThreadStore: ${options.name}`, () => {
    it("declares nothing that is not there", () => {
      const misspelt = Contract.misspelt(options)
      if (misspelt.length > 0) throw new Error(`there are no cases ${misspelt.join(", ")}`)
    })
    for (const group of new Set(Contract.cases.map((one) => one.group))) {
      describe(group, () => {
        for (const one of Contract.cases.filter((other) => other.group === group)) {
          const title = `${one.number} ${one.name}`
          const reason = Contract.declared(one, options)
          if (reason !== undefined) it.skip(`${title} (${reason})`, () => undefined)
          else {
            it(
              title,
              async (context) => {
                const outcome = await Contract.run(one, options)
                if (outcome._tag === "Skipped") context.skip(outcome.why)
              },
              timeout + 5_000
            )
          }
        }
      })
    }
  })
}
