/** What code may give, as JSON or not at all. */
import { Either } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as PlainJson from "../../src/json/PlainJson.js"

describe("JSON out of any value", () => {
  it("JSON is itself, the same object", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const read = PlainJson.of(value)
        expect(Either.isRight(read) && read.right === value).toBe(true)
      })
    )
  })

  it("what it takes reads back as what it gave, whatever came in; nothing throws", () => {
    const any = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true })
    fc.assert(
      fc.property(any, (value) => {
        const read = PlainJson.of(value)
        if (Either.isLeft(read)) expect(read.left.detail).toMatch(/\w/)
        // JSON has one zero.
        else expect(JSON.stringify(JSON.parse(JSON.stringify(read.right)))).toBe(JSON.stringify(read.right))
      }),
      { numRuns: 1000 }
    )
  })

  it.each<[string, unknown, string]>([
    ["a big integer", { a: [1, { b: 10n }] }, "a.1.b"],
    ["no number", { a: Number.NaN }, "a"],
    ["an object of a class", { a: new Date(0) }, "a"],
    ["a function", () => 1, ""],
    ["undefined in an array", [undefined], "0"],
    ["undefined by itself", undefined, ""]
  ])("%s is none, and where it is is told", (_, value, place) => {
    const read = PlainJson.of(value)
    expect(Either.isLeft(read) && read.left.keys.join(".")).toBe(place)
  })

  it("members that are undefined are left out; other keys stay data", () => {
    const value = JSON.parse('{ "__proto__": { "a": 1 } }') as object
    expect(PlainJson.of({ a: undefined, b: { c: undefined, d: 1 } })).toEqual(Either.right({ b: { d: 1 } }))
    const read = PlainJson.of({ ...value, b: undefined, ["__proto__"]: { a: 1 } })
    expect(JSON.stringify(Either.getOrThrow(read))).toBe('{"__proto__":{"a":1}}')
  })

  it("what holds itself, and what goes too deep, is none", () => {
    const self: Record<string, unknown> = {}
    self["self"] = self
    expect(Either.isLeft(PlainJson.of(self))).toBe(true)
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(Either.isLeft(PlainJson.of(deep))).toBe(true)
  })
})
