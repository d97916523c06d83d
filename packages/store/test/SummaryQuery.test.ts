import { posix } from "node:path"
import { Either } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Derived from "../src/Derived.js"
import type { ThreadRow } from "../src/Summary.js"
import * as Summary from "../src/Summary.js"
import type { SummaryQuery as Query, RowQuery } from "../src/SummaryQuery.js"
import * as SummaryQuery from "../src/SummaryQuery.js"
import { id, row, rows } from "./Rows.js"

const check = (query: Query): RowQuery => Either.getOrThrowWith(SummaryQuery.check(query), (error) => error)

const refusal = (query: Query) => Either.getOrThrow(Either.flip(SummaryQuery.check(query)))

const ids = (found: ReadonlyArray<ThreadRow>): ReadonlyArray<string> => found.map(({ threadId }) => threadId)

const everything: Query = { archived: "any", hidden: true, pageSize: 10_000 }

const order = fc.record({
  sortKey: fc.constantFrom<SummaryQuery.SortKey>("createdAt", "updatedAt", "recencyAt"),
  sortDirection: fc.constantFrom<SummaryQuery.Direction>("asc", "desc")
})

const filter: fc.Arbitrary<Query> = fc.record(
  {
    sources: fc.constantFrom(null, [], ["cli"], ["custom:atlas", "subAgent:review"]),
    modelProviders: fc.constantFrom(null, [], ["openai"], ["openai", "local"]),
    defaultProvider: fc.constantFrom("openai", "local"),
    cwds: fc.constantFrom(null, [], ["/repo"], ["/repo//", "/other"]),
    archived: fc.constantFrom<boolean | "any">(true, false, "any"),
    searchTerm: fc.constantFrom("", "Hello", "name", "nowhere"),
    metadata: fc.constantFrom({}, { tenant: "a" }, { tenant: "a", user: "x" }),
    hidden: fc.boolean()
  },
  { requiredKeys: [] }
)

const related: fc.Arbitrary<Query> = fc.oneof(
  fc.constant({}),
  fc.nat(12).map((n) => ({ childrenOf: id(n) })),
  fc.nat(12).map((n) => ({ descendantsOf: id(n) }))
)

describe("pages of a list", () => {
  const walk = (all: ReadonlyArray<ThreadRow>, query: Query, pageSize: number, between?: ReadonlyArray<ThreadRow>) => {
    const found: Array<ThreadRow> = []
    let cursor: string | undefined
    let present = all
    for (;;) {
      const page = SummaryQuery.select(present, check({ ...query, pageSize, cursor }))
      found.push(...page)
      const last = page.at(-1)
      if (last === undefined || page.length < pageSize) return found
      cursor = SummaryQuery.cursorOf(Summary.of(last), query.sortKey ?? "createdAt")
      present = between === undefined ? all : [...all, ...between]
    }
  }

  it("§11.45: pages of any size put together are the list: no loss, no repeat, ties in order of id", () => {
    fc.assert(
      fc.property(
        rows(),
        filter,
        related,
        order,
        fc.integer({ min: 1, max: 5 }),
        (all, filters, relation, by, size) => {
          const query = { ...filters, ...relation, ...by }
          const whole = SummaryQuery.select(all, check({ ...query, pageSize: 10_000 }))
          expect(ids(walk(all, query, size))).toEqual(ids(whole))
          const keys = whole.map((one) => ({ time: Summary.times(one)[by.sortKey], id: one.threadId }))
          for (const [i, key] of keys.slice(1).entries()) {
            const before = keys[i]
            expect(before !== undefined && SummaryQuery.compare(before, key, by.sortDirection)).toBeLessThan(0)
          }
        }
      )
    )
  })

  it("§11.46: what is inserted between two pages disturbs neither", () => {
    fc.assert(
      fc.property(rows(), rows(), order, fc.integer({ min: 1, max: 4 }), (all, others, by, size) => {
        const query = { ...everything, ...by }
        const between = others.map((one, i) => ({ ...one, threadId: id(100 + i) }))
        const found = ids(walk(all, query, size, between))
        const mine = new Set(ids(all))
        expect(found.filter((one) => mine.has(one))).toEqual(ids(SummaryQuery.select(all, check(query))))
        expect(new Set(found).size).toBe(found.length)
      })
    )
  })

  it("§11.47: a page holds as many rows as it may, and no more", () => {
    fc.assert(
      fc.property(rows(), fc.integer({ min: 1, max: 15 }), (all, pageSize) => {
        expect(SummaryQuery.select(all, check({ ...everything, pageSize }))).toHaveLength(
          Math.min(pageSize, all.length)
        )
      })
    )
  })

  it("the other direction is the list the other way round", () => {
    fc.assert(
      fc.property(rows(), order, (all, { sortKey }) => {
        const up = SummaryQuery.select(all, check({ ...everything, sortKey, sortDirection: "asc" }))
        const down = SummaryQuery.select(all, check({ ...everything, sortKey, sortDirection: "desc" }))
        expect(ids(down)).toEqual(ids(up.toReversed()))
      })
    )
  })
})

describe("filters", () => {
  it("a list of several filters is what each of them lets pass", () => {
    fc.assert(
      fc.property(rows(), filter, filter, (all, one, other) => {
        const both = { ...one, ...other }
        const separately = Object.entries(both)
          .filter(([key]) => key !== "defaultProvider")
          .map(([key, value]) => {
            const alone = { [key]: value, defaultProvider: both.defaultProvider }
            return new Set(ids(SummaryQuery.select(all, check({ ...everything, ...alone }))))
          })
        // What is not said is not "no filter" for these two.
        for (const key of ["archived", "hidden"] as const) {
          if (both[key] === undefined) {
            separately.push(new Set(ids(SummaryQuery.select(all, check({ ...everything, [key]: undefined })))))
          }
        }
        const expected = ids(all).filter((one) => separately.every((some) => some.has(one)))
        expect(ids(SummaryQuery.select(all, check({ ...both, pageSize: 10_000 }))).toSorted()).toEqual(
          expected.toSorted()
        )
      })
    )
  })

  const listed = (query: Query, ...all: ReadonlyArray<ThreadRow>) =>
    SummaryQuery.select(all, check({ sortDirection: "asc", ...query })).map(({ threadId }) => Number(threadId.at(-1)))

  it("§11.48: null and empty lists of sources and providers let all pass, an empty list of folders none", () => {
    const all = [row({ n: 1 }), row({ n: 2, source: "exec", modelProvider: "openai", cwd: "/other" })]
    expect(listed({ sources: null, modelProviders: null, cwds: null }, ...all)).toEqual([1, 2])
    expect(listed({ sources: [], modelProviders: [] }, ...all)).toEqual([1, 2])
    expect(listed({ cwds: [] }, ...all)).toEqual([])
    expect(listed({ sources: ["exec"] }, ...all)).toEqual([2])
    expect(listed({ cwds: ["/other/"] }, ...all)).toEqual([2])
  })

  it("§11.48: threads that name no provider pass when the default one is listed", () => {
    const all = [row({ n: 1 }), row({ n: 2, modelProvider: "openai" }), row({ n: 3, modelProvider: "local" })]
    expect(listed({ modelProviders: ["openai"] }, ...all)).toEqual([2])
    expect(listed({ modelProviders: ["openai"], defaultProvider: "openai" }, ...all)).toEqual([1, 2])
    expect(listed({ modelProviders: ["openai"], defaultProvider: "local" }, ...all)).toEqual([2])
    expect(listed({ defaultProvider: "local" }, ...all)).toEqual([1, 2, 3])
  })

  it("§11.49: archived threads or active ones; without a preview hidden, unless a relation is asked for", () => {
    const all = [row({ n: 1 }), row({ n: 2, archivedAt: 0 }), row({ n: 3, preview: "", parent: 1 })]
    expect(listed({}, ...all)).toEqual([1])
    expect(listed({ archived: true }, ...all)).toEqual([2])
    expect(listed({ archived: "any" }, ...all)).toEqual([1, 2])
    expect(listed({ hidden: true }, ...all)).toEqual([1, 3])
    expect(listed({ childrenOf: id(1) }, ...all)).toEqual([3])
    expect(listed({ childrenOf: id(1), hidden: false }, ...all)).toEqual([])
  })

  it("an attached fork is hidden, a thread of an unknown mode is not", () => {
    const all = [row({ n: 1, attached: true }), row({ n: 2, historyMode: "quantum", preview: "" })]
    expect(listed({}, ...all)).toEqual([2])
  })

  it("§11.50: a search term is found in name, title and preview, letter by letter", () => {
    const all = [
      row({ n: 1, preview: "Fix it" }),
      row({ n: 2, explicit: { name: "a Fix" } }),
      row({ n: 3, preview: "[Image]", title: "Fix" }),
      row({ n: 4, preview: "fix" })
    ]
    expect(listed({ searchTerm: "Fix" }, ...all)).toEqual([1, 2, 3])
    expect(listed({ searchTerm: "" }, ...all)).toEqual([1, 2, 3, 4])
  })

  it("host metadata have to be equal, each key for itself", () => {
    const all = [
      row({ n: 1, explicit: { metadata: { tenant: "a", user: "x" } } }),
      row({ n: 2, explicit: { metadata: { tenant: "a" } } }),
      row({ n: 3 })
    ]
    expect(listed({ metadata: { tenant: "a" } }, ...all)).toEqual([1, 2])
    expect(listed({ metadata: { tenant: "a", user: "x" } }, ...all)).toEqual([1])
    expect(listed({ metadata: { constructor: "a" } }, ...all)).toEqual([])
    expect(listed({ metadata: JSON.parse('{"__proto__":"a"}') }, ...all)).toEqual([])
  })
})

describe("relations", () => {
  /** What is below a thread, by asking every other one whose child it is. */
  const below = (all: ReadonlyArray<ThreadRow>, of: string, depth: "children" | "descendants") => {
    const parents = new Map(all.map((one) => [one.threadId, Derived.parentOf(one.derived)]))
    return ids(all).filter((one) => {
      if (one === of) return false
      if (depth === "children") return parents.get(one) === of
      const seen = new Set<string>()
      for (let at = parents.get(one); at !== undefined && !seen.has(at); at = parents.get(at)) {
        if (at === of) return true
        seen.add(at)
      }
      return false
    })
  }

  it("§11.51: children and descendants at any depth, through hidden ones, the ancestor not among them; circles end", () => {
    fc.assert(
      fc.property(rows(), fc.nat(12), fc.constantFrom("children" as const, "descendants" as const), (all, n, depth) => {
        const relation = depth === "children" ? { childrenOf: id(n) } : { descendantsOf: id(n) }
        const found = SummaryQuery.select(all, check({ ...everything, hidden: undefined, ...relation }))
        expect(ids(found).toSorted()).toEqual(below(all, id(n), depth).toSorted())
        for (const one of found) {
          expect(Summary.of(one).parentThreadId).toBe(Derived.parentOf(one.derived))
        }
      })
    )
  })

  it("§11.51: both at once, or an id that is none, are refused", () => {
    expect(refusal({ childrenOf: id(1), descendantsOf: id(1) })).toMatchObject({ field: "descendantsOf" })
    expect(refusal({ childrenOf: "x" })).toMatchObject({ field: "childrenOf" })
    expect(refusal({ descendantsOf: "" })).toMatchObject({ field: "descendantsOf" })
  })

  it("the parent of a thread is whom its header names, else who spawned it", () => {
    const spawn = (parent_thread_id: string): Source => ({
      subAgent: {
        thread_spawn: { parent_thread_id, depth: 1, agent_path: null, agent_nickname: null, agent_role: null }
      }
    })
    type Source = ThreadRow["derived"]["summary"]["source"]
    expect(Derived.parentOf(row({ n: 1, source: spawn(id(2)) }).derived)).toBe(id(2))
    expect(Derived.parentOf(row({ n: 1, parent: 3, source: spawn(id(2)) }).derived)).toBe(id(3))
    expect(Derived.parentOf(row({ n: 1, source: { subAgent: "review" } }).derived)).toBeUndefined()
  })
})

describe("cursors and page sizes", () => {
  it("§11.46: a cursor is read as what it was made of", () => {
    fc.assert(
      fc.property(rows(), order, (all, { sortKey }) => {
        for (const one of all) {
          const { after } = check({ sortKey, cursor: SummaryQuery.cursorOf(Summary.of(one), sortKey) })
          expect(after).toEqual({ time: Summary.times(one)[sortKey], id: one.threadId })
        }
      })
    )
  })

  it("§11.46: a cursor that is none, or of a list in another order, is refused", () => {
    const cursor = SummaryQuery.cursorOf(Summary.of(row({ n: 1 })), "createdAt")
    const bad = ["", "x", "1700000000000", "2026-01-01T00:00:00Z", `${cursor} `, `${cursor}0`, cursor.slice(1), "c1."]
    for (const one of bad) expect(refusal({ cursor: one }), one).toMatchObject({ field: "cursor" })
    expect(refusal({ cursor, sortKey: "updatedAt" })).toMatchObject({ field: "cursor" })
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (garbage) => {
        expect(refusal({ cursor: garbage })).toMatchObject({ _tag: "InvalidRequest", field: "cursor" })
      })
    )
  })

  it("§11.47: a page size that is none is refused, a very large one cut", () => {
    for (const pageSize of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refusal({ pageSize })).toMatchObject({ field: "pageSize" })
    }
    expect(check({}).limit).toBe(25)
    expect(check({ pageSize: 1 }).limit).toBe(1)
    expect(check({ pageSize: Number.MAX_SAFE_INTEGER }).limit).toBe(10_000)
  })

  it("§11.58: ids are UUIDs in any case", () => {
    expect(Either.getOrThrow(SummaryQuery.threadId(id(10).toUpperCase()))).toBe(id(10))
    for (const bad of ["", "x", id(1).slice(1), `${id(1)}0`, id(1).replaceAll("-", ""), `../${id(1)}`, `${id(1)}\n`]) {
      expect(Either.isLeft(SummaryQuery.threadId(bad)), bad).toBe(true)
    }
  })
})

describe("working directories", () => {
  const part = fc.constantFrom("a", "b.c", "..", ".", "", "ü", "x y")
  const path = fc
    .tuple(fc.constantFrom("", "/"), fc.array(part, { maxLength: 8 }))
    .map(([root, parts]) => root + parts.join("/"))

  it("are compared as what they come to: once normal they stay as they are", () => {
    fc.assert(
      fc.property(path, (text) => {
        const normal = SummaryQuery.normalCwd(text)
        expect(SummaryQuery.normalCwd(normal)).toBe(normal)
      })
    )
  })

  it("agree with what the system makes of an absolute path", () => {
    fc.assert(
      fc.property(path, (text) => {
        const absolute = `/${text}`
        const expected = posix.normalize(absolute)
        expect(SummaryQuery.normalCwd(absolute)).toBe(expected === "/" ? "/" : expected.replace(/\/$/, ""))
      })
    )
  })

  it.each([
    ["/repo/", "/repo"],
    ["/repo//x/./y/..", "/repo/x"],
    ["/..", "/"],
    ["", ""],
    ["a/../..", ".."],
    ["C:\\repo", "C:\\repo"]
  ])("%s is %s", (text, normal) => {
    expect(SummaryQuery.normalCwd(text)).toBe(normal)
  })
})

describe("queries of hosts whose compiler does not hold them to a shape", () => {
  it.each([
    ["cursor", 1],
    ["sortKey", "toString"],
    ["sortDirection", "up"],
    ["sources", "cli"],
    ["modelProviders", [1]],
    ["cwds", true],
    ["archived", "all"],
    ["searchTerm", null],
    ["metadata", { a: 1 }],
    ["hidden", 0]
  ])("%s of a wrong kind is refused, and the refusal names it", (field, value) => {
    expect(refusal({ [field]: value } as Query)).toMatchObject({ _tag: "InvalidRequest", field })
  })
})
