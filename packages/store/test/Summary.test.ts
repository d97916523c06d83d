import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Explicit, Patch } from "../src/Summary.js"
import * as Summary from "../src/Summary.js"
import { id, row } from "./Rows.js"

const word = fc.constantFrom("", "a", "b")
const git = fc.record(
  {
    sha: fc.constantFrom(null, "1", "2"),
    branch: fc.constantFrom(null, "main"),
    originUrl: fc.constantFrom(null, "u")
  },
  { requiredKeys: [] }
)
const key = fc.constantFrom("tenant", "user", "__proto__", "constructor", "")

const explicit: fc.Arbitrary<Explicit> = fc.record(
  {
    name: fc.constantFrom("a", "b"),
    memoryMode: fc.constantFrom("enabled", "disabled"),
    git,
    metadata: fc.dictionary(key, word, { minKeys: 1, noNullPrototype: true })
  },
  { requiredKeys: [] }
)

const patch: fc.Arbitrary<Patch> = fc.record(
  {
    name: fc.option(word),
    memoryMode: fc.option(fc.constantFrom("enabled", "disabled")),
    gitInfo: fc.option(git),
    metadata: fc.option(fc.dictionary(key, fc.option(word), { noNullPrototype: true }))
  },
  { requiredKeys: [] }
)

describe("patches (thread-store §2.3)", () => {
  it("§11.31: applying a patch twice is applying it once", () => {
    fc.assert(
      fc.property(explicit, patch, (before, change) => {
        const once = Summary.apply(before, change)
        expect(Summary.apply(once, change)).toEqual(once)
      })
    )
  })

  it("§11.31: an empty patch changes nothing, and an absent field keeps what is there", () => {
    fc.assert(
      fc.property(explicit, patch, (before, change) => {
        expect(Summary.apply(before, {})).toEqual(before)
        const after = Summary.apply(before, change)
        if (change.name === undefined) expect(after.name).toBe(before.name)
        if (change.memoryMode === undefined) expect(after.memoryMode).toBe(before.memoryMode)
        if (change.gitInfo === undefined) expect(after.git).toEqual(before.git)
        if (change.metadata === undefined) expect(after.metadata).toEqual(before.metadata)
      })
    )
  })

  it("§11.31: patches of different fields can be applied in any order, or as one", () => {
    fc.assert(
      fc.property(explicit, patch, patch, (before, left, right) => {
        const { name: _, gitInfo: __, ...one } = left
        const { memoryMode: ___, metadata: ____, ...other } = right
        const merged = Summary.apply(before, { ...one, ...other })
        expect(Summary.apply(Summary.apply(before, one), other)).toEqual(merged)
        expect(Summary.apply(Summary.apply(before, other), one)).toEqual(merged)
      })
    )
  })

  it("§11.31: what a row keeps survives JSON", () => {
    fc.assert(
      fc.property(explicit, fc.array(patch, { maxLength: 4 }), (before, changes) => {
        const after = changes.reduce(Summary.apply, before)
        expect(JSON.parse(JSON.stringify(after))).toEqual(after)
      })
    )
  })

  it("§11.31: null clears", () => {
    const all: Explicit = { name: "a", memoryMode: "disabled", git: { sha: "1" }, metadata: { tenant: "t" } }
    const cleared = Summary.apply(all, { name: null, memoryMode: null, gitInfo: null, metadata: null })
    expect(cleared).toEqual({ git: { sha: null, branch: null, originUrl: null } })
    expect(Summary.apply(all, { name: "" }).name).toBeUndefined()
  })

  it("§11.34: git goes part by part; a cleared part hides what the log says", () => {
    const base = row({ n: 1 })
    const gitInfo = { sha: "1", branch: "main", originUrl: "u" }
    const logged = { ...base, derived: { ...base.derived, summary: { ...base.derived.summary, gitInfo } } }
    const shown = (change: Patch) => Summary.of({ ...logged, explicit: Summary.apply({}, change) }).gitInfo
    expect(shown({})).toEqual(gitInfo)
    expect(shown({ gitInfo: { branch: "other" } })).toEqual({ sha: "1", branch: "other", originUrl: "u" })
    expect(shown({ gitInfo: { sha: null } })).toEqual({ sha: null, branch: "main", originUrl: "u" })
    expect(shown({ gitInfo: null })).toBeUndefined()
    expect(shown({ gitInfo: { sha: undefined } })).toEqual(gitInfo)
  })

  it("host metadata go key by key; the last one takes the table with it", () => {
    const after = Summary.apply({ metadata: { tenant: "a", user: "x" } }, { metadata: { user: null, project: "p" } })
    expect(after).toEqual({ metadata: { tenant: "a", project: "p" } })
    expect(Summary.apply(after, { metadata: { tenant: null, project: null } })).toEqual({})
    const odd = Summary.apply({}, { metadata: JSON.parse('{"__proto__":"x"}') })
    expect(Object.entries(odd.metadata ?? {})).toEqual([["__proto__", "x"]])
  })

  it.each<[string, unknown]>([
    ["preview", { preview: "x" }],
    ["__proto__", JSON.parse('{"__proto__":1}')],
    ["name", { name: 7 }],
    ["memoryMode", { memoryMode: {} }],
    ["gitInfo", { gitInfo: { sha: 1 } }],
    ["gitInfo", { gitInfo: { other: "x" } }],
    ["gitInfo", { gitInfo: ["x"] }],
    ["metadata", { metadata: { a: 1 } }],
    ["metadata", { metadata: "x" }],
    ["patch", null],
    ["patch", "name"]
  ])("§11.31: %s: refused in %j", (field, patch) => {
    expect(Summary.check(patch as Patch)).toMatchObject({ _tag: "Left", left: { _tag: "InvalidRequest", field } })
  })

  it("§11.31: what may be set is let pass, and texts become ones that every store can keep", () => {
    fc.assert(
      fc.property(patch, (change) => {
        expect(Summary.check(change)).toMatchObject({ _tag: "Right", right: change })
      })
    )
    const after = Summary.apply({}, { name: "a\ud800", gitInfo: { sha: "\udc00" }, metadata: { "\ud800": "\ud800" } })
    expect(after).toEqual({ name: "a\ufffd", git: { sha: "\ufffd" }, metadata: { "\ufffd": "\ufffd" } })
    expect(Summary.apply({}, Summary.patchOf(after))).toEqual(after)
  })

  it("only a patch without fields is empty", () => {
    expect(Summary.isEmpty({})).toBe(true)
    expect(Summary.isEmpty({ name: undefined })).toBe(true)
    for (const field of ["name", "memoryMode", "gitInfo", "metadata"])
      expect(Summary.isEmpty({ [field]: null })).toBe(false)
  })
})

describe("rows as hosts see them", () => {
  it("times that the log does not tell are those of the making", () => {
    expect(Summary.times(row({ n: 1 }))).toEqual({ createdAt: 7, updatedAt: 7, recencyAt: 7 })
    expect(Summary.times(row({ n: 1, createdAt: 3, updatedAt: 5 }))).toEqual({
      createdAt: 3,
      updatedAt: 5,
      recencyAt: 3
    })
  })

  it("a thread that names no session is its own", () => {
    expect(Summary.of(row({ n: 1 }))).toMatchObject({ sessionId: id(1), memoryMode: "enabled", metadata: {} })
  })

  it("what was said explicitly counts before what the log says", () => {
    const shown = Summary.of(row({ n: 1, explicit: { name: "a name", memoryMode: "off", metadata: { k: "v" } } }))
    expect(shown).toMatchObject({ name: "a name", memoryMode: "off", metadata: { k: "v" } })
  })
})
