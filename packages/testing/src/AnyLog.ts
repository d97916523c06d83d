/**
 * Logs at random, for holding a fold to its laws whatever was written: most of them no writer would make.
 */
import type { StoredRecord } from "@skein/core/record/Record"
import * as fc from "fast-check"
import * as Script from "./Script.js"

/** Any line, at any place. */
export const anyLine: fc.Arbitrary<Script.Line> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...["a", "b", "c"].map(Script.started)) },
  { weight: 3, arbitrary: fc.constantFrom(...["a", "b", "c"].map(Script.completed)) },
  { weight: 1, arbitrary: fc.constantFrom(Script.aborted(), Script.aborted("a"), Script.aborted("b")) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      Script.turnContext("a", "m1"),
      Script.turnContext("b", "m2"),
      Script.turnContext(undefined, "m3")
    )
  },
  { weight: 4, arbitrary: fc.string({ minLength: 1, maxLength: 40 }).map((text) => Script.user(`u${text}`)) },
  { weight: 2, arbitrary: fc.nat(99).map((n) => Script.assistant(`a${n}`)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Script.context(),
      Script.permissions(),
      Script.mail("m"),
      Script.communication(true),
      Script.delivery(true),
      Script.userEvent()
    )
  },
  { weight: 1, arbitrary: fc.constantFrom(Script.envelope("e", true), Script.tokens(3), Script.header()) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(9), fc.option(fc.nat(5), { nil: undefined }))
      .map(([n, window_number]) =>
        Script.compacted(
          [Script.user(`kept${n}`), Script.assistant("r")],
          window_number === undefined ? {} : { window_number }
        )
      )
  },
  { weight: 1, arbitrary: fc.nat(9).map((n) => Script.compacted(undefined, {}, `summary ${n}`)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      Script.full({ x: { y: 1 } }),
      Script.full({ z: 2 }),
      Script.patch({ x: { y: null, q: 3 } }),
      Script.patch({ z: 4 })
    )
  },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 4 }).map(Script.rollback) }
)

/** A log of up to 40 such lines, as records. Shrinks to the shortest log that still fails. */
export const anyLog: fc.Arbitrary<ReadonlyArray<StoredRecord>> = fc
  .array(anyLine, { maxLength: 40 })
  .map((lines) => Script.log(lines))
