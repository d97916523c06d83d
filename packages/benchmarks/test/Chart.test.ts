import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Chart from "../src/Chart.js"

const words = { title: "A <title>", unit: "ms", note: "Lower & better" }
const value = fc.double({ min: 1e-6, max: 1e12, noNaN: true, noDefaultInfinity: true })
const label = fc.string({ minLength: 1, maxLength: 30 })

/** The numbers of an attribute, wherever it stands. */
const numbers = (svg: string, name: string): ReadonlyArray<number> =>
  [...svg.matchAll(new RegExp(` ${name}="([^"]*)"`, "g"))].map(([, found]) => Number(found))

/** Tags that are opened and not closed, or the other way round. */
const unbalanced = (svg: string): ReadonlyArray<string> => {
  const open: Array<string> = []
  for (const [, close, name = "", rest = ""] of svg.matchAll(/<(\/?)([a-z]+)([^<>]*)>/g)) {
    if (close === "/") {
      if (open.pop() !== name) return [...open, name]
    } else if (!rest.endsWith("/")) open.push(name)
  }
  return open
}

describe("bars", () => {
  it("has title, note, unit, legend, names and values, and what could be taken for markup is escaped", () => {
    const svg = Chart.bars(words, [
      { label: "ours", value: 2, low: 1, high: 3, group: "Skein" },
      { label: "a & b", value: 1234.5, group: "others" }
    ])
    for (const text of [
      "A &lt;title&gt;",
      "Lower &amp; better",
      ">ms<",
      ">Skein<",
      ">others<",
      ">ours<",
      ">a &amp; b<"
    ]) {
      expect(svg).toContain(text)
    }
    expect(svg).toContain(`>${Chart.figure(1234.5)}<`)
    expect(svg).not.toContain("<title>A <title>")
  })

  it("is whole, within its frame, and longer for what is more", () => {
    const bar = fc.record({ label, value, group: fc.constantFrom("a", "b") })
    fc.assert(
      fc.property(fc.array(bar, { minLength: 1, maxLength: 12 }), (all) => {
        const svg = Chart.bars(words, all)
        expect(unbalanced(svg)).toEqual([])
        expect(svg).not.toMatch(/NaN|Infinity/)
        const [frame = 0, ...found] = numbers(svg, "width")
        // Behind the frame, its background and a square for each group come the bars.
        const widths = found.slice(1 + new Set(all.map(({ group }) => group)).size)
        expect(widths.length).toBe(all.length)
        for (const width of widths) expect(width).toBeLessThan(frame)
        const order = all.map((bar, i) => [bar.value, widths[i] ?? 0] as const).sort(([a], [b]) => a - b)
        for (const [i, [value, width]] of order.entries()) {
          const [less = Number.NaN, shorter = 0] = order[i - 1] ?? []
          if (value >= 2 * less) expect(width).toBeGreaterThan(shorter)
          else if (value >= less) expect(width).toBeGreaterThanOrEqual(shorter)
        }
      })
    )
  })

  it("is readable in both themes: every colour has another one in the dark", () => {
    const svg = Chart.bars(words, [{ label: "x", value: 1, group: "g" }])
    const [bright = "", dim = ""] = svg.split("@media (prefers-color-scheme: dark)")
    const names = (css: string) =>
      new Set([...css.matchAll(/\.([fs]\d|back|grid|axis|note|spread) \{/g)].map((m) => m[1]))
    expect(names(dim.split("</style>")[0] ?? "")).toEqual(names(bright))
  })

  it("refuses a chart of nothing", () => {
    expect(() => Chart.bars(words, [{ label: "x", value: 0, group: "g" }])).toThrow(RangeError)
  })
})

describe("lines", () => {
  it("is whole, has axes with units and a legend, and stays within its frame", () => {
    const points = fc.array(fc.tuple(fc.nat(5000), value), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(fc.record({ label, points }), { minLength: 1, maxLength: 9 }), (all) => {
        const svg = Chart.lines({ ...words, across: "turns" }, [{ label: "first", points: [[1, 1]] }, ...all])
        expect(unbalanced(svg)).toEqual([])
        expect(svg).not.toMatch(/NaN|Infinity/)
        for (const text of [">turns<", ">ms<", ">first<"]) expect(svg).toContain(text)
        expect(svg.match(/<polyline/g)?.length).toBe(all.length + 1)
        const [width = 0] = numbers(svg, "width")
        for (const [, list = ""] of svg.matchAll(/points="([^"]*)"/g)) {
          for (const [x = -1, y = -1] of list.split(" ").map((pair) => pair.split(",").map(Number))) {
            expect(x).toBeGreaterThanOrEqual(0)
            expect(x).toBeLessThanOrEqual(width)
            expect(y).toBeGreaterThanOrEqual(0)
            expect(y).toBeLessThanOrEqual(380)
          }
        }
      })
    )
  })
})

describe("a dozen lines", () => {
  it("all look different", () => {
    const all = Array.from({ length: 12 }, (_, i) => ({ label: `line ${i}`, points: [[1, 1]] as const }))
    const svg = Chart.lines({ ...words, across: "turns" }, all)
    const looks = [...svg.matchAll(/<polyline points="[^"]*" ([^>]*)>/g)].map(([, look]) => look)
    expect(new Set(looks).size).toBe(12)
  })
})

describe("figure", () => {
  it("writes few digits, and thousands apart", () => {
    expect([0.01234, 1.26, 10, 12.34, 999.6, 1234567].map(Chart.figure)).toEqual([
      "0.012",
      "1.3",
      "10",
      "12.3",
      "1\u202f000",
      "1\u202f234\u202f567"
    ])
  })
})
