import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { copied } from "../../src/json/Json.js"

const runs = { numRuns: 5000 }

/** What the way over the text gives; undefined where JSON has no text for it. */
const overText = (value: unknown): unknown => {
  try {
    const text: string | undefined = JSON.stringify(value)
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

describe("copied", () => {
  it("gives what the way over the text gives, or nothing, whatever the value", () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      stringUnit: "binary",
      key: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "toJSON", "length", "1", "\ud800"))
    })
    fc.assert(
      fc.property(anything, (value) => {
        const copy = copied(value)
        if (copy === undefined) return
        expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
        expect(copy).toStrictEqual(overText(value))
      }),
      runs
    )
  })

  it("copies every JSON value whose numbers are exact and whose keys are plain", () => {
    const plain = fc.jsonValue().filter((value) => holds(value, isPlain))
    fc.assert(
      fc.property(plain, (value) => {
        expect(copied(value)).toStrictEqual(overText(value))
      }),
      runs
    )
  })

  it("shares no object with the value", () => {
    const value = { a: [{ b: "c" }] }
    const copy = copied(value) as typeof value
    value.a[0] = { b: "changed" }
    value.a.push({ b: "more" })
    expect(copy).toStrictEqual({ a: [{ b: "c" }] })
  })

  it.each([
    ["undefined", { a: undefined }],
    ["a hole", new Array(2)],
    ["a date", { a: new Date(0) }],
    ["a method toJSON", { toJSON: () => 1 }],
    ["an inherited toJSON", Object.create({ toJSON: () => 1 })],
    ["an instance of a class", new (class A {})()],
    ["half of a surrogate pair", "\ud800"],
    ["a key with half of a surrogate pair", { "\ud800": 1 }],
    ["NaN", Number.NaN],
    ["an infinite number", Number.NEGATIVE_INFINITY],
    ["minus zero", -0],
    ["an integer that is not exact", 2 ** 53],
    ["a bigint", 1n],
    ["a function", { a: () => 1 }],
    ["a symbol", Symbol("a")],
    ["__proto__", JSON.parse('{"__proto__":1}')],
    ["a cycle", cyclic()]
  ])("leaves alone what JSON would change: %s", (_, value) => {
    expect(copied(value)).toBeUndefined()
  })
})

function cyclic(): unknown {
  const value: { self?: unknown } = {}
  value.self = value
  return value
}

const holds = (value: unknown, isSo: (part: unknown) => boolean): boolean =>
  isSo(value) &&
  (typeof value !== "object" ||
    value === null ||
    Object.entries(value).every(([key, part]) => key !== "__proto__" && key.isWellFormed() && holds(part, isSo)))

const isPlain = (value: unknown): boolean =>
  typeof value === "number"
    ? !Object.is(value, -0) && (Number.isSafeInteger(value) || !Number.isInteger(value))
    : typeof value !== "string" || value.isWellFormed()
