/** Inputs of every kind, changed at random: a short run. `npm run fuzz` goes on for as long as it is told to. */
import { beforeAll, describe, expect, it } from "vitest"
import { rollouts } from "../../core/test/corpus.js"
import * as Fuzz from "./fuzz/Fuzz.js"
import * as Originals from "./fuzz/originals.js"

let originals: Fuzz.Originals = { plain: [], compressed: [] }
beforeAll(async () => {
  originals = await Originals.from(rollouts)
})

describe("whatever is read", () => {
  it("ends in no defect, no invention, and within its limits", async () => {
    const failures: Array<Fuzz.Failure> = []
    for (let seed = 0; seed < 12_000; seed++) {
      const failure = await Fuzz.one(seed, originals)
      if (failure !== undefined) failures.push(failure)
    }
    expect(failures).toEqual([])
  }, 120_000)
})
