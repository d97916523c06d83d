/** Which capability roots a step can use: replay-semantics §7, §10.42. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Capabilities from "../../src/decide/Capabilities.js"
import type { CapabilityRoot } from "../../src/record/SessionMeta.js"

type Captured = Capabilities.Captured<string>
type Registered = Capabilities.Registered<string>

const root = (id: string, environmentId = "e"): CapabilityRoot => ({
  id,
  location: { type: "environment", environmentId, path: "file:///r" }
})

const ready = (handle: string) => ({ status: "ready" as const, handle })
const failed: Registered = { status: "failed" }
const starting = { status: "starting" as const }
const notStarted: Registered = { status: "not_started" }

const resolve = (
  captured: Captured | undefined,
  registered: Registered | undefined,
  options: Capabilities.Options = {}
) =>
  Capabilities.resolve(
    [root("r")],
    new Map(captured === undefined ? [] : [["e", captured]]),
    new Map(registered === undefined ? [] : [["e", registered]]),
    options
  )

describe("§7: the table", () => {
  it.each<[string, Captured | undefined, Registered | undefined, string | undefined, string | undefined, boolean]>([
    ["ready", ready("h"), undefined, "h", undefined, false],
    ["ready, though the registry holds another", ready("h"), ready("other"), "h", undefined, false],
    ["ready, though it failed since", ready("h"), failed, "h", undefined, false],
    ["starting", starting, ready("h"), undefined, "starting", false],
    ["absent, registry missing", undefined, undefined, undefined, "missing", false],
    ["absent, started well", undefined, ready("h"), "h", undefined, false],
    ["absent, failed", undefined, failed, undefined, "failed", false],
    ["absent, not started", undefined, notStarted, undefined, "starting", true],
    ["absent, in progress", undefined, starting, undefined, "starting", true]
  ])("%s", (_, captured, registered, handle, reason, starts) => {
    const found = resolve(captured, registered)
    expect(found.usable).toEqual(handle === undefined ? [] : [{ root: root("r"), handle }])
    expect(found.omitted).toEqual(reason === undefined ? [] : [{ root: root("r"), reason }])
    expect(found.start).toEqual(starts ? ["e"] : [])
  })

  it("each environment is asked to start once, whatever roots it has and however often it is asked for", () => {
    const roots = [root("r"), root("s")]
    const registry = new Map([["e", notStarted]])
    expect(Capabilities.resolve(roots, new Map(), registry).start).toEqual(["e"])
    expect(resolve(undefined, notStarted, { asked: new Set(["e"]) }).start).toEqual([])
  })

  it("looking alone starts nothing, and tells what is missing and failed", () => {
    expect(resolve(undefined, notStarted, { passive: true })).toMatchObject({
      start: [],
      omitted: [{ reason: "starting" }]
    })
    expect(resolve(undefined, failed, { passive: true }).omitted).toMatchObject([{ reason: "failed" }])
    expect(resolve(undefined, undefined, { passive: true }).omitted).toMatchObject([{ reason: "missing" }])
  })

  it("a step captures what the turn selected, in that order; what failed is not among it", () => {
    const registry = new Map<string, Registered>([
      ["a", ready("ha")],
      ["b", failed],
      ["c", starting],
      ["d", notStarted],
      ["x", ready("hx")]
    ])
    const captured = Capabilities.capture(["d", "c", "b", "a", "gone"], registry)
    expect([...captured]).toEqual([
      ["d", starting],
      ["c", starting],
      ["a", ready("ha")]
    ])
    const later = Capabilities.capture(["d", "c", "b", "a"], new Map([...registry, ["c", ready("hc")]]))
    expect([...later.keys()]).toEqual(["d", "c", "a"])
    expect(later.get("c")).toEqual(ready("hc"))
  })
})

describe("the later rule", () => {
  it("advertised roots come behind the thread's; of equal ids the first place stands", () => {
    const selected = [root("a"), root("b")]
    const all = Capabilities.withAdvertised(selected, [root("b", "x"), root("c", "x"), root("c", "y")])
    expect(all.map(({ id, location }) => [id, location.environmentId])).toEqual([
      ["a", "e"],
      ["b", "e"],
      ["c", "x"]
    ])
  })

  it("256 of them count", () => {
    const advertised = Array.from({ length: 300 }, (_, i) => root(`r${i}`))
    expect(Capabilities.withAdvertised([root("own")], advertised)).toHaveLength(1 + Capabilities.maxAdvertised)
  })
})

it("§10.42: usable roots are a subsequence of the selection; a captured handle is used whatever the registry holds", () => {
  const id: fc.Arbitrary<string> = fc.constantFrom("a", "b", "c")
  const registered = fc.oneof(
    fc.constantFrom("1", "2").map(ready),
    fc.constantFrom<Registered>(failed, starting, notStarted)
  )
  const captured: fc.Arbitrary<Captured> = fc.oneof(fc.constantFrom("x", "y").map(ready), fc.constant(starting))
  const entries = <A>(value: fc.Arbitrary<A>) => fc.array(fc.tuple(id, value)).map((all) => new Map(all))
  const roots = fc.array(fc.tuple(fc.string(), id)).map((all) => all.map(([name, env]) => root(name, env)))
  fc.assert(
    fc.property(roots, entries(captured), entries(registered), entries(registered), (selection, step, one, two) => {
      const before = JSON.stringify(selection)
      const found = Capabilities.resolve(selection, step, one)
      let at = 0
      for (const { handle, root } of found.usable) {
        while (selection[at] !== root) expect(++at).toBeLessThan(selection.length)
        at++
        const held = step.get(root.location.environmentId)
        if (held?.status === "ready") expect(handle).toBe(held.handle)
      }
      expect(found.usable.length + found.omitted.length).toBe(selection.length)
      const others = Capabilities.resolve(selection, step, two).usable
      const ofStep = (all: typeof others) =>
        all.filter(({ root }) => step.get(root.location.environmentId)?.status === "ready")
      expect(ofStep(others)).toEqual(ofStep(found.usable))
      expect(JSON.stringify(selection)).toBe(before)
    })
  )
})
