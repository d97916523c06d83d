import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Json } from "../../src/json/Json.js"
import { isObject } from "../../src/json/Json.js"
import * as MergePatch from "../../src/json/MergePatch.js"
import { frozen, hasPlainPrototypes, json, object, text, withoutNulls } from "./JsonArbitrary.js"

const parse = (source: string): Json => frozen(JSON.parse(source) as Json)

const runs = { numRuns: 2000 }

/** §2.3 as it stands there, over maps, so that no key can be special. */
const naiveDiff = (prev: Json | undefined, cur: Json): Json | undefined => {
  if (text(prev) === text(cur)) return undefined
  if (!isObject(cur)) return cur
  const before = new Map(prev !== undefined && isObject(prev) ? Object.entries(prev) : [])
  const now = new Map(Object.entries(cur))
  const out = new Map<string, Json>()
  for (const key of before.keys()) if (!now.has(key)) out.set(key, null)
  for (const [key, value] of now) {
    const change = before.has(key) ? naiveDiff(before.get(key), value) : value
    if (change !== undefined) out.set(key, change)
  }
  return Object.fromEntries(out)
}

const naiveApply = (target: Json, patch: Json): Json => {
  if (!isObject(patch)) return patch
  const out = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) out.delete(key)
    else out.set(key, naiveApply(out.get(key) ?? null, value))
  }
  return Object.fromEntries(out)
}

describe("RFC 7386 appendix A", () => {
  it.each([
    [`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`],
    [`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`],
    [`{"a":"b"}`, `{"a":null}`, `{}`],
    [`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`],
    [`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`],
    [`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`],
    [`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`],
    [`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`],
    [`["a","b"]`, `["c","d"]`, `["c","d"]`],
    [`{"a":"b"}`, `["c"]`, `["c"]`],
    [`{"a":"foo"}`, `null`, `null`],
    [`{"a":"foo"}`, `"bar"`, `"bar"`],
    [`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`],
    [`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`],
    [`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`]
  ])("%s patched with %s is %s", (target, patch, result) => {
    expect(text(MergePatch.apply(parse(target), parse(patch)))).toBe(text(parse(result)))
  })
})

describe("replay-semantics §2.3", () => {
  it("gives the patch of the example", () => {
    const prev = parse(`{"kept":{"same":1,"changed":"a","removed":2},"gone":{"x":1}}`)
    const cur = parse(`{"kept":{"same":1,"changed":"b"}}`)
    expect(text(MergePatch.diff(prev, cur))).toBe(text(parse(`{"kept":{"changed":"b","removed":null},"gone":null}`)))
  })

  it.each([
    ["an array that grew", `{"a":[1]}`, `{"a":[1,2]}`, `{"a":[1,2]}`],
    ["an array that shrank", `{"a":[1,2]}`, `{"a":[1]}`, `{"a":[1]}`],
    ["an array whose object changed", `{"a":[{"b":1}]}`, `{"a":[{"b":2}]}`, `{"a":[{"b":2}]}`],
    ["an array against an object", `{"a":{"0":1}}`, `{"a":[1]}`, `{"a":[1]}`],
    ["an object against an array", `{"a":[1]}`, `{"a":{"0":1}}`, `{"a":{"0":1}}`],
    ["an empty object in place of a value", `{"a":1}`, `{"a":{}}`, `{"a":{}}`],
    ["an empty object in place of an array", `{"a":[]}`, `{"a":{}}`, `{"a":{}}`],
    ["one type against another", `{"a":"1"}`, `{"a":1}`, `{"a":1}`],
    ["zero against false", `{"a":0}`, `{"a":false}`, `{"a":false}`]
  ])("replaces %s", (_, prev, cur, patch) => {
    const change = MergePatch.diff(parse(prev), parse(cur))
    expect(text(change)).toBe(text(parse(patch)))
    expect(text(MergePatch.apply(parse(prev), change ?? null))).toBe(text(parse(cur)))
  })

  it("tells nothing there before from null", () => {
    expect(MergePatch.diff(undefined, null)).toBe(null)
    expect(MergePatch.diff(null, null)).toBe(undefined)
    expect(MergePatch.diff(undefined, {})).toEqual({})
  })

  it("is the algorithm written there, for any two values", () => {
    fc.assert(
      fc.property(fc.option(json, { nil: undefined }), json, (prev, cur) => {
        expect(text(MergePatch.diff(prev, cur))).toBe(text(naiveDiff(prev, cur)))
      }),
      runs
    )
  })

  it("applies as the algorithm written there, for any patch", () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        expect(text(MergePatch.apply(target, patch))).toBe(text(naiveApply(target, patch)))
      }),
      runs
    )
  })
})

describe("replay-semantics §2.2", () => {
  it.each([
    ["a member", `{"a":null,"b":1}`, `{"b":1}`],
    ["a member of a member, which stays although it is empty now", `{"a":{"b":{"c":null}}}`, `{"a":{"b":{}}}`],
    ["nothing inside an array", `{"a":[null,1,[null]]}`, `{"a":[null,1,[null]]}`],
    ["nothing of an object inside an array", `{"a":[{"b":null}]}`, `{"a":[{"b":null}]}`],
    ["nothing of an array on its own", `[{"b":null}]`, `[{"b":null}]`],
    ["a key named __proto__", `{"__proto__":null,"a":{"__proto__":null}}`, `{"a":{}}`],
    ["a member inside a key named __proto__", `{"__proto__":{"b":null,"c":1}}`, `{"__proto__":{"c":1}}`]
  ])("removes %s", (_, value, result) => {
    expect(text(MergePatch.stripNulls(parse(value)))).toBe(text(parse(result)))
  })

  it("keeps a null that is the whole value", () => {
    expect(MergePatch.stripNulls(null)).toBe(null)
  })

  it("gives back a value without nulls as it is", () => {
    const value = parse(`{"a":{"b":[null]},"c":{"d":1}}`)
    expect(MergePatch.stripNulls(value)).toBe(value)
  })

  it("keeps nulls inside arrays through a patch", () => {
    const patch = parse(`{"a":[{"b":null},null]}`)
    expect(text(MergePatch.apply({ a: [1] }, patch))).toBe(text(patch))
  })
})

describe("replay-semantics §10, patch algebra", () => {
  it("§10.1: a difference applied to the old value gives the new one", () => {
    fc.assert(
      fc.property(json, json.map(withoutNulls), (a, b) => {
        const patch = MergePatch.diff(a, b)
        expect(text(patch === undefined ? a : MergePatch.apply(a, patch))).toBe(text(b))
      }),
      runs
    )
  })

  it("§10.1: a null in an object cannot be expressed", () => {
    const patch = MergePatch.diff({}, { a: null })
    expect(text(MergePatch.apply({}, patch ?? {}))).toBe("{}")
  })

  it("§10.2: there is no difference exactly between equal values, and none of objects is empty", () => {
    const twin = json.map((value): readonly [Json, Json] => [value, structuredCloneOf(value)])
    fc.assert(
      fc.property(fc.oneof(twin, fc.tuple(json, json)), ([a, b]) => {
        expect(MergePatch.diff(a, b) === undefined).toBe(text(a) === text(b))
      }),
      runs
    )
    fc.assert(
      fc.property(object, object, (a, b) => {
        expect(text(MergePatch.diff(a, b))).not.toBe("{}")
      }),
      runs
    )
  })

  it("§10.3: stripping is done after once, and reaches objects only", () => {
    fc.assert(
      fc.property(json, (value) => {
        const once = MergePatch.stripNulls(value)
        expect(text(once)).toBe(text(withoutNulls(value)))
        expect(MergePatch.stripNulls(once)).toBe(once)
      }),
      runs
    )
    fc.assert(
      fc.property(fc.array(json), (value) => {
        expect(MergePatch.stripNulls(value)).toBe(value)
      })
    )
  })

  it("§10.3: between stripped objects a patch has null only where a key goes", () => {
    const deletions = (patch: Json, prev: Json, cur: Json): boolean =>
      !isObject(patch) ||
      Object.entries(patch).every(([key, change]) => {
        const had = isObject(prev) && Object.hasOwn(prev, key)
        const has = isObject(cur) && Object.hasOwn(cur, key)
        if (change === null) return had && !has
        return has && deletions(change, had ? (prev[key] as Json) : null, (cur as Record<string, Json>)[key] as Json)
      })
    fc.assert(
      fc.property(object.map(withoutNulls), object.map(withoutNulls), (a, b) => {
        expect(deletions(MergePatch.diff(a, b) ?? {}, a, b)).toBe(true)
      }),
      runs
    )
  })

  it("§10.4: applying a patch twice is applying it once", () => {
    fc.assert(
      fc.property(json, json, (a, patch) => {
        const once = MergePatch.apply(a, patch)
        expect(MergePatch.apply(once, patch)).toBe(once)
      }),
      runs
    )
  })

  it("§10.5: differences in a row lead to the last value", () => {
    fc.assert(
      fc.property(json, fc.array(json.map(withoutNulls), { minLength: 2, maxLength: 4 }), (a, values) => {
        let seen = a
        let patched = a
        for (const value of values) {
          const patch = MergePatch.diff(seen, value)
          if (patch !== undefined) patched = MergePatch.apply(patched, patch)
          seen = value
        }
        expect(text(patched)).toBe(text(values.at(-1)))
      }),
      runs
    )
  })
})

describe("keys are data", () => {
  it("writes and deletes a key named __proto__", () => {
    const target = parse(`{"__proto__":{"a":1},"b":2}`)
    expect(text(MergePatch.apply(target, parse(`{"__proto__":{"a":2}}`)))).toBe(`{"__proto__":{"a":2},"b":2}`)
    expect(text(MergePatch.apply(target, parse(`{"__proto__":null}`)))).toBe(`{"b":2}`)
    expect(text(MergePatch.apply({}, target))).toBe(text(target))
    expect(text(MergePatch.diff({}, target))).toBe(text(target))
    expect(text(MergePatch.diff(target, { b: 2 }))).toBe(`{"__proto__":null}`)
    expect(text(MergePatch.diff(target, parse(`{"__proto__":{"a":3},"b":2}`)))).toBe(`{"__proto__":{"a":3}}`)
  })

  it("does not take inherited members for members", () => {
    expect(text(MergePatch.diff({}, parse(`{"constructor":{}}`)))).toBe(`{"constructor":{}}`)
    expect(text(MergePatch.diff(parse(`{"toString":1}`), {}))).toBe(`{"toString":null}`)
    expect(text(MergePatch.apply({}, parse(`{"constructor":{"a":1}}`)))).toBe(`{"constructor":{"a":1}}`)
    expect(MergePatch.deepEqual(parse(`{"__proto__":{}}`), parse(`{"a":{}}`))).toBe(false)
    expect(MergePatch.deepEqual(parse(`{"a":1}`), parse(`{"constructor":1}`))).toBe(false)
  })

  it("changes no prototype, neither that of a result nor the one of all objects", () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(hasPlainPrototypes(MergePatch.apply(a, b))).toBe(true)
        expect(hasPlainPrototypes(MergePatch.diff(a, b))).toBe(true)
        expect(hasPlainPrototypes(MergePatch.stripNulls(a))).toBe(true)
      }),
      runs
    )
    expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(before)
  })
})

describe("sharing", () => {
  it("changes no argument", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const [left, right] = [text(a), text(b)]
        MergePatch.diff(frozen(a), frozen(b))
        MergePatch.apply(a, b)
        MergePatch.stripNulls(a)
        MergePatch.deepEqual(a, b)
        expect([text(a), text(b)]).toEqual([left, right])
      }),
      runs
    )
  })

  it("gives the target back exactly when the patch changes nothing", () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const result = MergePatch.apply(target, patch)
        expect(result === target).toBe(text(result) === text(target))
      }),
      runs
    )
  })

  it("shares the parts that a patch leaves alone", () => {
    const target = parse(`{"a":{"x":{"deep":1}},"b":{"y":{"deep":2},"z":3}}`) as { a: Json; b: { y: Json } }
    const result = MergePatch.apply(target as Json, { b: { z: 4 } }) as unknown as typeof target
    expect(result.a).toBe(target.a)
    expect(result.b.y).toBe(target.b.y)
    expect(result.b).not.toBe(target.b)
  })

  it("copes with 128 levels", () => {
    const deep = (leaf: string): Json => parse(`${`{"a":`.repeat(128)}${leaf}${"}".repeat(128)}`)
    const patch = MergePatch.diff(deep("1"), deep("2"))
    expect(text(patch)).toBe(text(deep("2")))
    expect(text(MergePatch.apply(deep("1"), patch ?? null))).toBe(text(deep("2")))
  })
})

describe("deepEqual", () => {
  it("is equality of canonical texts", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(MergePatch.deepEqual(a, b)).toBe(text(a) === text(b))
        expect(MergePatch.deepEqual(a, structuredCloneOf(a))).toBe(true)
      }),
      runs
    )
  })

  it("does not look at the order of keys", () => {
    expect(MergePatch.deepEqual(parse(`{"a":1,"b":2}`), parse(`{"b":2,"a":1}`))).toBe(true)
  })

  it("tells an array from an object and a longer array from a shorter one", () => {
    expect(MergePatch.deepEqual([], {})).toBe(false)
    expect(MergePatch.deepEqual({}, [])).toBe(false)
    expect(MergePatch.deepEqual([1], [1, 2])).toBe(false)
    expect(MergePatch.deepEqual({ a: 1 }, { a: 1, b: 2 })).toBe(false)
    expect(MergePatch.deepEqual(null, {})).toBe(false)
  })
})

/** The same JSON in new objects, own `__proto__` keys included. */
function structuredCloneOf(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}
