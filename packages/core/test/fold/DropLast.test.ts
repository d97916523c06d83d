import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isBoundary, isContextualDeveloperMessage, isContextualUserMessage } from "../../src/fold/Boundary.js"
import { dropLast } from "../../src/fold/DropLast.js"
import * as Fragment from "../../src/fold/Fragment.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"
import { frozen } from "../json/JsonArbitrary.js"
import * as Items from "./ItemArbitrary.js"

const { agentMessage, assistant, context, developer, instructions, mixed, permissions, summary, user } = Items

type History = ReadonlyArray<ResponseItem>

const count = fc.nat({ max: 5 })
const registry = fc.constantFrom(Fragment.newest, Fragment.july)

const boundaries = (history: History, registry: Fragment.Registry): ReadonlyArray<number> =>
  history.flatMap((item, at) => (isBoundary(item, registry) ? [at] : []))

/** §1.4 as it is worded. */
const worded = (history: History, n: number, registry: Fragment.Registry): History => {
  const at = boundaries(history, registry)
  const first = at[0]
  if (n === 0 || first === undefined) return history
  let cut = at[at.length - Math.min(n, at.length)] ?? 0
  const trims = (item: ResponseItem | undefined) =>
    item !== undefined && (isContextualDeveloperMessage(item, registry) || isContextualUserMessage(item, registry))
  while (cut > first && trims(history[cut - 1])) cut -= 1
  return history.slice(0, cut)
}

describe("replay-semantics §1.4, dropLast", () => {
  const turns = [permissions, context, user("1"), assistant("a"), permissions, context, user("2"), assistant("b")]

  it("drops the last turn with the context in front of it", () => {
    expect(dropLast(turns, 1)).toEqual(turns.slice(0, 4))
  })

  it("keeps what stands before the first boundary", () => {
    expect(dropLast(turns, 2)).toEqual([permissions, context])
    expect(dropLast(turns, 99)).toEqual([permissions, context])
    expect(dropLast(turns, 2 ** 53)).toEqual([permissions, context])
  })

  it("trims mixed messages, and stops at what is not context", () => {
    const bundle = developer("<model_switch>x</model_switch>", "and words that stay otherwise")
    expect(dropLast([user("1"), assistant("a"), bundle, mixed, user("2")], 1)).toEqual([user("1"), assistant("a")])
    expect(dropLast([user("1"), context, instructions, context, user("2")], 1)).toEqual([
      user("1"),
      context,
      instructions
    ])
    expect(dropLast([user("1"), context, summary("so far"), context, user("2")], 1)).toEqual([
      user("1"),
      context,
      summary("so far")
    ])
  })

  it("never trims the first boundary away", () => {
    expect(dropLast([user("1"), context, user("2")], 1)).toEqual([user("1")])
  })

  it("§1.4.2: takes kept user texts one by one behind a compaction, the summary with the newest", () => {
    const rebuilt = [user("p"), user("q"), summary("so far")]
    expect(dropLast(rebuilt, 1)).toEqual([user("p")])
    expect(dropLast(rebuilt, 2)).toEqual([])
    expect(dropLast(rebuilt, 1, Fragment.july)).toEqual([user("p"), user("q")])
  })

  it("counts mail as a turn", () => {
    expect(dropLast([user("1"), assistant("a"), agentMessage, assistant("b")], 1)).toEqual([user("1"), assistant("a")])
  })

  it("gives back a history without boundary", () => {
    const history = [permissions, context, assistant("a")]
    expect(dropLast(history, 3)).toBe(history)
  })

  it("does what is worded, and writes to nothing", () => {
    fc.assert(
      fc.property(Items.history, fc.nat({ max: 8 }), registry, (history, n, registry) => {
        expect(dropLast(frozen(history), n, registry)).toEqual(worded(history, n, registry))
      }),
      { numRuns: 1000 }
    )
  })
})

describe("replay-semantics §10, rollback", () => {
  it("21: B(0) is the identity", () => {
    fc.assert(
      fc.property(Items.history, (history) => {
        expect(dropLast(history, 0)).toBe(history)
      })
    )
  })

  it("21: B(a) then B(b) is B(a+b)", () => {
    fc.assert(
      fc.property(Items.history, count, count, registry, (history, a, b, registry) => {
        expect(dropLast(dropLast(history, a, registry), b, registry)).toEqual(dropLast(history, a + b, registry))
      }),
      { numRuns: 1000 }
    )
  })

  it("23: never removes items before the first boundary and never makes a history longer", () => {
    fc.assert(
      fc.property(Items.history, fc.nat({ max: 8 }), registry, (history, n, registry) => {
        const result = dropLast(history, n, registry)
        const first = boundaries(history, registry)[0] ?? history.length
        expect(result.length).toBeGreaterThanOrEqual(first)
        expect(result).toEqual(history.slice(0, result.length))
      })
    )
  })
})
