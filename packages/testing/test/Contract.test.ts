/** The contract suite as such: what it holds, and what it says of stores that lack something. */
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryDriver from "@skein/store-memory/MemoryDriver"
import * as Contract from "@skein/testing/Contract"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"

/** A store that shows nothing of itself. */
const bare: Contract.Options = { name: "bare", layer: ThreadStore.layer(MemoryDriver.make) }

const caseThat = (is: (one: Contract.Case) => boolean): Contract.Case => {
  const found = Contract.cases.find(is)
  if (found === undefined) throw new Error("there is no such case")
  return found
}

const needing = (need: Contract.Need): Contract.Case => caseThat(({ needs }) => needs[0] === need && needs.length === 1)

describe("the cases", () => {
  it("each have a number of their own", () => {
    const numbers = Contract.cases.map(({ number }) => number)
    expect(numbers).toEqual([...new Set(numbers)])
  })

  it("are those of thread-store §11, but for those that only one store can be held to", () => {
    const page = Array.from({ length: 94 }, (_, i) => String(i + 1))
    const here = new Set(Contract.cases.map(({ number }) => number))
    expect(page.filter((number) => !here.has(number)).toSorted()).toEqual(Object.keys(Contract.elsewhere).toSorted())
  })

  it("are in groups that belong together", () => {
    const groups = Contract.cases.map(({ group }) => group)
    const changes = groups.filter((group, i) => group !== groups[i - 1])
    expect(changes).toEqual([...new Set(groups)])
  })
})

describe("declare or fail", () => {
  const needs: ReadonlyArray<Contract.Need> = ["reopen", "second", "faults", "files", "backup", "model"]

  it.each(needs.filter((need) => need !== "backup"))("what is missing without a word fails: %s", async (need) => {
    await expect(Contract.run(needing(need), bare)).rejects.toThrow(`skip: { ${need}: "why" }`)
  })

  it.each(needs)("what is declared missing is skipped, with the reason: %s", (need) => {
    expect(Contract.declared(needing(need), { ...bare, skip: { [need]: "because" } })).toBe(`no ${need}: because`)
    expect(Contract.declared(needing(need), bare)).toBeUndefined()
  })

  it("a promise that is broken on purpose is declared by its number; a number that there is not is told", () => {
    const options = { ...bare, except: { "65": "because", "65a": "x" } }
    expect(
      Contract.declared(
        caseThat(({ number }) => number === "65"),
        options
      )
    ).toBe("because")
    expect(Contract.misspelt(options)).toEqual(["65a"])
  })

  it("what a store says that it does not do is skipped when it is run", async () => {
    expect(
      await Contract.run(
        caseThat(({ number }) => number === "backup.1"),
        bare
      )
    ).toEqual({ _tag: "Passed" })
    const supports = { backup: true }
    const layer = ThreadStore.layer(
      Effect.map(MemoryDriver.make, (driver) => ({ ...driver, supports: { ...driver.supports, ...supports } }))
    )
    const outcome = await Contract.run(
      caseThat(({ number }) => number === "backup.1"),
      { ...bare, layer }
    )
    expect(outcome).toMatchObject({ _tag: "Skipped" })
  })
})

it("a store that hangs fails in the end", async () => {
  const layer = ThreadStore.layer(
    Effect.map(MemoryDriver.make, (driver) => ({ ...driver, append: () => Effect.uninterruptible(Effect.never) }))
  )
  const one = caseThat(({ number }) => number === "7")
  await expect(Contract.run(one, { ...bare, layer, timeout: 50 })).rejects.toThrow(
    "does not come to an end within 50 ms"
  )
})

it("a property that does not hold is shown small, with what it takes to see it again", async () => {
  const layer = ThreadStore.layer(
    Effect.map(MemoryDriver.make, (driver) => ({
      ...driver,
      rows: (query: Parameters<typeof driver.rows>[0]) => driver.rows({ ...query, metadata: {} })
    }))
  )
  const options = { ...bare, layer, model: bare.layer as Contract.Options["model"], runs: 500, seed: 5 }
  const failure = await Contract.run(
    caseThat(({ number }) => number === "93"),
    options
  ).then(
    () => "nothing",
    (error: unknown) => String(error)
  )
  expect(failure).toMatch(/operation \d+, \{"list"/)
  expect(failure).toContain("seed: 5")
  const ops = failure.slice(failure.indexOf("Counterexample: "))
  expect(ops.split('"create"').length - 1).toBe(1)
})
