/**
 * The contract suite notices what it is there for: stores that each break one promise fail the cases that speak of it,
 * and the store that they are made of passes them.
 */
import type { Driver } from "@skein/store/Driver"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryDriver from "@skein/store-memory/MemoryDriver"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import * as Contract from "@skein/testing/Contract"
import * as Faults from "@skein/testing/Faults"
import { Context, Effect, Layer } from "effect"
import { describe, expect, it } from "vitest"
import * as Branches from "./mutants/Branches.js"
import * as Bytes from "./mutants/Bytes.js"
import * as Deletions from "./mutants/Deletions.js"
import * as Explicit from "./mutants/Explicit.js"
import * as Leases from "./mutants/Leases.js"
import * as Lists from "./mutants/Lists.js"
import type { Mutant } from "./mutants/Mutant.js"
import * as Reading from "./mutants/Reading.js"
import * as Services from "./mutants/Services.js"
import * as Writing from "./mutants/Writing.js"

const all: ReadonlyArray<Mutant> = [
  ...Writing.mutants,
  ...Leases.mutants,
  ...Branches.mutants,
  ...Reading.mutants,
  ...Bytes.mutants,
  ...Lists.mutants,
  ...Explicit.mutants,
  ...Deletions.mutants,
  ...Services.mutants
]

class Memory extends Context.Tag("Memory")<Memory, Driver>() {}

const optionsOf = ({ driver = (one) => one, name, service = (one) => one }: Mutant): Contract.Options<Memory> => ({
  name,
  storage: Layer.effect(Memory, MemoryDriver.make),
  layer: Layer.map(ThreadStore.layer(Effect.map(Faults.inject(Memory), driver)), (context) =>
    Context.make(ThreadStore.ThreadStore, service(Context.get(context, ThreadStore.ThreadStore)))
  ),
  model: MemoryStore.layer,
  runs: 150,
  seed: 3,
  patience: 600,
  shrink: false
})

const caseOf = (number: string): Contract.Case => {
  const found = Contract.cases.find((one) => one.number === number)
  if (found === undefined) throw new Error(`there is no case ${number}`)
  return found
}

/** A case fails, and not for want of time. */
const breaks = async (number: string, options: Contract.Options<Memory>): Promise<void> => {
  const failure = await Contract.run(caseOf(number), options).then(
    (outcome) => `it came to ${outcome._tag}`,
    (error: unknown) => (String(error).includes("does not come to an end") ? "it came to no end" : undefined)
  )
  expect(failure).toBeUndefined()
}

describe.each(all.map((mutant) => [mutant.name, mutant] as const))("a store that %s", (_, mutant) => {
  it.each(mutant.noticed)("fails case %s", async (number) => {
    await breaks(number, optionsOf(mutant))
  })

  if (mutant.random === true) {
    it("fails sequences at random", async () => {
      await breaks("93", { ...optionsOf(mutant), runs: 1_000 })
    })
  }
})

describe("the store that they are made of", () => {
  const sound = optionsOf({ name: "memory", noticed: [] })
  const named = new Set(all.flatMap(({ noticed }) => noticed))

  it.each([...named])("keeps case %s", async (number) => {
    const outcome = await Contract.run(caseOf(number), sound)
    expect(outcome).toEqual({ _tag: "Passed" })
  })
})
