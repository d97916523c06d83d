/** Every interleaving of two writers, a compressor and a reader, and every point at which all of it may stop. */
import { describe, expect, it } from "vitest"
import * as ColdModel from "./ColdModel.js"

describe("75, 76. every order of the steps, with every crash", () => {
  it.each(["plain", "cold"] as const)(
    "from a %s thread: nothing that counts is lost, nothing is there twice",
    (form) => {
      const { lost, states } = ColdModel.everything(ColdModel.start(form))
      expect(lost).toBeUndefined()
      expect(states).toBeGreaterThan(400_000)
    },
    240_000
  )

  const mutants: ReadonlyArray<readonly [string, ColdModel.Without]> = [
    ["the lease", { lease: true }],
    ["the look behind a write", { look: true }],
    ["the folder that goes with the lease", { fence: true }],
    ["the order of sync and unlink", { order: true }],
    ["making durable what somebody named who is gone", { settle: true }],
    ["the second look at what was encoded", { recheck: true }]
  ]

  it.each(mutants)("without %s something is lost", (_, without) => {
    const lost = (["plain", "cold"] as const).map((form) => ColdModel.everything(ColdModel.start(form), without).lost)
    expect(lost.some((one) => one !== undefined)).toBe(true)
  })
})
