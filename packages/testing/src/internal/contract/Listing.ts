/** Lists of threads (thread-store §4, §11 Listing). */
import type { SortKey, SummaryQuery } from "@skein/store/SummaryQuery"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Case from "./Case.js"
import { equal, fails, holds, some } from "./Check.js"
import * as Look from "./Look.js"
import * as Raw from "./Raw.js"

const { say } = Look
const sortKeys: ReadonlyArray<SortKey> = ["createdAt", "updatedAt", "recencyAt"]
const directions = ["asc", "desc"] as const
const paginated = { historyMode: "paginated" }

/** A thread of one message, unless said otherwise. */
interface Sketch {
  readonly at?: number
  readonly preview?: string
  readonly parent?: number
  readonly more?: { readonly [key: string]: unknown }
}

const make = (store: ThreadStoreService, n: number, { at = 0, more = {}, parent, preview = "hello" }: Sketch = {}) =>
  store.create(
    Drafts.header({
      n,
      at,
      more: { ...(parent === undefined ? {} : { parent_thread_id: Drafts.id(parent) }), ...more }
    }),
    preview === "" ? [] : [Drafts.of(Script.userEvent(preview), at)]
  )

const listed = (store: ThreadStoreService, query: SummaryQuery = {}) =>
  Effect.map(Look.listed(store, { sortDirection: "asc", ...query }), Look.numbers)

export const cases = Case.group("Listing", [
  Case.test("45", "every order and direction: pages of any size are the list, with ties in order of id", ({ store }) =>
    Effect.gen(function* () {
      const moments = [0, 0, 0, 5, 5, 9, 9, 9, 9, 2]
      for (const [i, at] of moments.entries()) yield* make(store, 20 - i, { at })
      yield* store.append(Drafts.id(15), [Drafts.of(Script.started("t"), 9)])
      yield* store.append(Drafts.id(20), [say("x", 9)])
      for (const sortKey of sortKeys) {
        const whole = yield* Look.listed(store, { sortKey, sortDirection: "asc" })
        equal(whole.length, moments.length, `all of them by ${sortKey}`)
        const keys = whole.map((row) => `${String(row[sortKey]).padStart(16, "0")} ${row.id}`)
        equal(keys, keys.toSorted(), `the order by ${sortKey}`)
        for (const sortDirection of directions) {
          const expected = Look.numbers(sortDirection === "asc" ? whole : whole.toReversed())
          for (const pageSize of [1, 2, 3, 4, 10, 11]) {
            equal(
              yield* listed(store, { sortKey, sortDirection, pageSize }),
              expected,
              `pages of ${pageSize} by ${sortKey}`
            )
          }
        }
      }
      equal(
        yield* listed(store, { sortDirection: undefined }),
        Look.numbers(yield* Look.listed(store, { sortKey: "createdAt", sortDirection: "desc" })),
        "newest first unless asked"
      )
    })
  ),
  Case.test(
    "46",
    "a cursor goes on where the page ended, whatever came in meanwhile; one that is none is refused",
    ({ store }) =>
      Effect.gen(function* () {
        for (let n = 1; n <= 6; n++) yield* make(store, n * 10, { at: n * 10 })
        const query: SummaryQuery = { pageSize: 2, sortDirection: "asc" }
        const first = yield* store.summaries(query)
        const cursor = some(first.nextCursor, "a cursor")
        yield* make(store, 5, { at: 5 })
        yield* make(store, 20, { at: 20 }).pipe(Effect.ignore)
        yield* make(store, 21, { at: 20 })
        yield* make(store, 35, { at: 35 })
        yield* store.archive(Drafts.id(50))
        const rest = yield* listed(store, { ...query, cursor })
        equal(rest, [21, 30, 35, 40, 60], "what lies behind the second")
        equal(yield* listed(store, { ...query, cursor, pageSize: 100 }), rest, "the same in one page")
        const back = yield* listed(store, { sortDirection: "desc", cursor })
        equal(back, [10, 5], "the other way from there")
        for (const bad of [
          "",
          "x",
          "0",
          "%",
          cursor.slice(1),
          `${cursor}x`,
          cursor.toUpperCase(),
          "1700000000000|x",
          "2026-01-01T00:00:00Z",
          "\0",
          "é".repeat(500)
        ]) {
          yield* fails(store.summaries({ cursor: bad }), "InvalidRequest", `the cursor ${JSON.stringify(bad)}`)
        }
        yield* fails(store.summaries({ cursor, sortKey: "recencyAt" }), "InvalidRequest", "a cursor of another order")
      })
  ),
  Case.test(
    "47",
    "a page is as large as asked, the last one has no cursor; a size that is none is refused",
    ({ store }) =>
      Effect.gen(function* () {
        equal((yield* store.summaries()).items, [], "nothing at first")
        for (let n = 1; n <= 4; n++) yield* make(store, n, { at: n })
        for (const [pageSize, sizes] of [
          [1, [1, 1, 1, 1]],
          [2, [2, 2]],
          [3, [3, 1]],
          [4, [4]],
          [5, [4]],
          [1_000_000, [4]]
        ] as const) {
          const seen: Array<number> = []
          let cursor: string | undefined
          do {
            const page = yield* store.summaries({ pageSize, cursor })
            seen.push(page.items.length)
            cursor = page.nextCursor
          } while (cursor !== undefined && seen.length < 10)
          equal(seen, sizes, `pages of ${pageSize}`)
        }
        for (const pageSize of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
          yield* fails(store.summaries({ pageSize }), "InvalidRequest", `a page of ${pageSize}`)
          yield* fails(store.search("x", { pageSize }), "InvalidRequest", `a page of ${pageSize} of a search`)
        }
      })
  ),
  Case.test("48", "filters by provider, source and directory; what null and an empty list mean", ({ store }) =>
    Effect.gen(function* () {
      yield* make(store, 1, { at: 1, more: { model_provider: "p1", source: "cli", cwd: "/a" } })
      yield* make(store, 2, { at: 2, more: { model_provider: "p2", source: "exec", cwd: "/a/" } })
      yield* make(store, 3, { at: 3, more: { model_provider: null, source: { custom: "atlas" }, cwd: "/b" } })
      yield* make(store, 4, { at: 4, more: { model_provider: "p1", source: { subagent: "review" }, cwd: "/a/./x/.." } })
      yield* make(store, 5, { at: 5, more: { model_provider: "p1", source: "mcp", cwd: "/A" } })
      const all = [1, 2, 3, 4, 5]
      const expectations: ReadonlyArray<readonly [SummaryQuery, ReadonlyArray<number>]> = [
        [{}, all],
        [{ sources: null, modelProviders: null, cwds: null }, all],
        [{ sources: [], modelProviders: [] }, all],
        [{ cwds: [] }, []],
        [{ sources: ["cli"] }, [1]],
        [{ sources: ["exec", "custom:atlas"] }, [2, 3]],
        [{ sources: ["subAgent:review"] }, [4]],
        [{ sources: ["appServer"] }, [5]],
        [{ sources: ["nowhere"] }, []],
        [{ modelProviders: ["p1"] }, [1, 4, 5]],
        [{ modelProviders: ["p2", "p3"] }, [2]],
        [{ modelProviders: ["p1"], defaultProvider: "p1" }, [1, 3, 4, 5]],
        [{ modelProviders: ["p2"], defaultProvider: "p1" }, [2]],
        [{ defaultProvider: "p1" }, all],
        [{ cwds: ["/a"] }, [1, 2, 4]],
        [{ cwds: ["/a//", "/b"] }, [1, 2, 3, 4]],
        [{ cwds: ["/"] }, []],
        [{ modelProviders: ["p1"], sources: ["cli", "exec"], cwds: ["/a"] }, [1]]
      ]
      for (const [query, expected] of expectations) {
        equal(yield* listed(store, query), expected, `the list of ${JSON.stringify(query)}`)
        equal(yield* listed(store, { ...query, pageSize: 1 }), expected, `pages of one of ${JSON.stringify(query)}`)
      }
    })
  ),
  Case.test(
    "48.metadata",
    "filters by what the host keeps with its threads, key by key and letter by letter",
    ({ store }) =>
      Effect.gen(function* () {
        const metadata = [
          { tenant: "a", user: "x" },
          { tenant: "a" },
          { tenant: "A" },
          {},
          { "tenant\"'": "a", "": "" }
        ]
        for (const [i, one] of metadata.entries()) {
          yield* make(store, i + 1, { at: i })
          yield* store.updateSummary(Drafts.id(i + 1), { metadata: one })
        }
        const expectations: ReadonlyArray<readonly [Record<string, string>, ReadonlyArray<number>]> = [
          [{}, [1, 2, 3, 4, 5]],
          [{ tenant: "a" }, [1, 2]],
          [{ tenant: "a", user: "x" }, [1]],
          [{ tenant: "A" }, [3]],
          [{ user: "y" }, []],
          [{ "tenant\"'": "a" }, [5]],
          [{ "": "" }, [5]],
          [{ constructor: "x" }, []],
          [{ tenant: "" }, []]
        ]
        for (const [query, expected] of expectations) {
          equal(yield* listed(store, { metadata: query }), expected, `the list of ${JSON.stringify(query)}`)
        }
        yield* store.updateSummary(Drafts.id(1), { metadata: { tenant: "b" } })
        equal(yield* listed(store, { metadata: { tenant: "a" } }), [2], "the list after a change")
        equal(yield* listed(store, { metadata: { tenant: "b", user: "x" } }), [1], "and where it went")
      })
  ),
  Case.test("49", "archived threads or active ones; those that have nothing to show are hidden", ({ store }) =>
    Effect.gen(function* () {
      yield* make(store, 1, { at: 1 })
      yield* make(store, 2, { at: 2, preview: "" })
      yield* make(store, 3, { at: 3 })
      yield* make(store, 4, { at: 4, preview: "" })
      yield* store.fork(Drafts.id(1), {
        header: Drafts.header({ n: 5, at: 5, more: { forked_from_id: Drafts.id(1), attached_thread: true } })
      })
      yield* store.archive(Drafts.id(3))
      yield* store.archive(Drafts.id(4))
      equal(yield* listed(store), [1], "active and shown")
      equal(yield* listed(store, { archived: true }), [3], "archived and shown")
      equal(yield* listed(store, { archived: "any" }), [1, 3], "both")
      equal(yield* listed(store, { hidden: true }), [1, 2, 5], "the hidden ones too")
      equal(yield* listed(store, Look.everything), [1, 2, 3, 4, 5], "all there are")
      yield* store.append(Drafts.id(2), [Drafts.of(Script.userEvent("something"))])
      equal(yield* listed(store), [1, 2], "one that has something to show now")
      yield* store.unarchive(Drafts.id(3))
      equal(yield* listed(store), [1, 2, 3], "one that was taken out of the archive")
    })
  ),
  Case.test("50", "a search term is looked for in name, title and preview, letter by letter", ({ store }) =>
    Effect.gen(function* () {
      yield* make(store, 1, { at: 1, preview: "Fix the login" })
      yield* make(store, 2, { at: 2, preview: "other" })
      yield* store.updateSummary(Drafts.id(2), { name: "a Fix" })
      const image = Drafts.of({ type: "event_msg", payload: { type: "user_message", message: "", images: ["x"] } })
      yield* store.create(Drafts.header({ n: 3, at: 3 }), [image, Drafts.of(Script.userEvent("Fix"))])
      yield* make(store, 4, { at: 4, preview: "100%_ 'quoted' \"words\" \\ é" })
      const expectations: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
        ["Fix", [1, 2, 3]],
        ["fix", []],
        ["", [1, 2, 3, 4]],
        ["%", [4]],
        ["_", [4]],
        ["'quoted' \"", [4]],
        ["\\", [4]],
        ["é", [4]],
        ["F*", []]
      ]
      for (const [searchTerm, expected] of expectations) {
        equal(yield* listed(store, { searchTerm }), expected, `the list of ${JSON.stringify(searchTerm)}`)
      }
    })
  ),
  Case.test(
    "51",
    "children and descendants: at any depth, through hidden and archived ones, circles end, the ancestor is none",
    ({ store }) =>
      Effect.gen(function* () {
        yield* make(store, 1, { at: 1 })
        yield* make(store, 2, { at: 2, parent: 1 })
        yield* make(store, 3, { at: 3, parent: 2, preview: "" })
        yield* make(store, 4, { at: 4, parent: 3 })
        const spawn = {
          thread_spawn: {
            parent_thread_id: Drafts.id(4),
            depth: 4,
            agent_path: null,
            agent_nickname: null,
            agent_role: null
          }
        }
        yield* make(store, 5, { at: 5, more: { source: { subagent: spawn } } })
        yield* make(store, 6, { at: 6, parent: 1 })
        yield* make(store, 7, { at: 7 })
        yield* make(store, 10, { at: 10, parent: 12 })
        yield* make(store, 11, { at: 11, parent: 10 })
        yield* make(store, 12, { at: 12, parent: 11 })
        yield* make(store, 13, { at: 13, parent: 13 })
        yield* make(store, 14, { at: 14, parent: 99 })
        yield* store.archive(Drafts.id(2))
        const below = (n: number, query: SummaryQuery = {}) =>
          listed(store, { descendantsOf: Drafts.id(n), archived: "any", ...query })
        equal(yield* listed(store, { childrenOf: Drafts.id(1), archived: "any" }), [2, 6], "children")
        equal(yield* below(1), [2, 3, 4, 5, 6], "descendants")
        equal(yield* below(1, { archived: false }), [3, 4, 5, 6], "the active ones, through an archived one")
        equal(yield* below(1, { hidden: false, archived: false }), [4, 5, 6], "the shown ones, through a hidden one")
        equal(yield* below(1, { sources: ["cli"], searchTerm: "hello" }), [2, 4, 6], "with other filters")
        equal(yield* below(1, { pageSize: 2, sortDirection: "desc" }), [6, 5, 4, 3, 2], "in pages")
        equal(yield* below(10), [11, 12], "a circle")
        equal(yield* below(13), [], "one that is its own parent")
        equal(yield* below(99), [14], "those of a thread that is not there")
        equal(yield* below(7), [], "those of one that has none")
        const rows = yield* Look.listed(store, {
          descendantsOf: Drafts.id(1).toUpperCase(),
          archived: "any",
          sortDirection: "asc"
        })
        equal(
          rows.map(({ parentThreadId }) => parentThreadId),
          [1, 2, 3, 4, 1].map(Drafts.id),
          "each to say whose it is"
        )
        const both = { childrenOf: Drafts.id(1), descendantsOf: Drafts.id(1) }
        yield* fails(store.summaries(both), "InvalidRequest", "both at once")
        yield* fails(store.summaries({ childrenOf: "x" }), "InvalidRequest", "children of no id")
        yield* fails(store.summaries({ descendantsOf: "" }), "InvalidRequest", "descendants of no id")
      })
  ),
  Case.test(
    "52",
    "when the list cannot be made it fails, and is never an empty page",
    ({ faults, store }) =>
      Effect.gen(function* () {
        const failing = yield* faults
        yield* make(store, 1)
        for (const operation of ["rows", "lagging"] as const) {
          yield* failing.fail({ operations: [operation] })
          yield* fails(store.summaries(), "StoreUnavailable", `a list whose ${operation} fail`)
          yield* failing.fail({ operations: [operation] })
          yield* fails(store.search("hello"), "StoreUnavailable", `a search whose ${operation} fail`)
        }
        yield* failing.stop
        equal(yield* listed(store), [1], "the list afterwards")
      }),
    ["faults"]
  ),
  Case.test("53", "threads that cannot be read do not take the list with them", ({ store }) =>
    Effect.gen(function* () {
      yield* make(store, 1, { at: 1 })
      const broken = [
        Raw.thread(2, [Raw.text("{"), Raw.line(Script.userEvent("no header"))]),
        Raw.thread(3, [Raw.line(Script.header({ id: Drafts.id(3), history_mode: "quantum" }))], {
          historyMode: "quantum"
        }),
        Raw.thread(4, [
          Raw.line(Script.header({ id: Drafts.id(4) })),
          Uint8Array.from([0xff, 0xfe]),
          Raw.line(Script.userEvent("good"))
        ]),
        Raw.exported(Drafts.id(5), [Raw.standing(5, { segmentId: Drafts.id(98), offset: 100 }, 3)], paginated),
        Raw.exported(Drafts.id(6), [Raw.standing(6, { segmentId: Drafts.id(6), offset: 0 }, 1)], paginated)
      ]
      for (const one of broken) yield* store.imported(one)
      yield* make(store, 7, { at: 7 })
      const numbers = (yield* listed(store, Look.everything)).toSorted((left, right) => left - right)
      equal(numbers, [1, 2, 3, 4, 5, 6, 7], "all to be listed")
      equal(
        (yield* listed(store, { pageSize: 1 })).filter((n) => n === 1 || n === 7),
        [1, 7],
        "the good ones, in pages of one"
      )
      equal((yield* store.search("hello")).items.length, 2, "a search to find the good ones")
      equal((yield* store.summary(Drafts.id(5))).cwd, "/repo", "what is there of one whose base is missing")
    })
  ),
  Case.test(
    "54",
    "a thread whose files are away for a while loses nothing by being listed meanwhile",
    ({ files, store }) =>
      Effect.gen(function* () {
        const { hide } = yield* files
        yield* make(store, 1, { at: 1 })
        yield* make(store, 2, { at: 2 })
        yield* store.updateSummary(Drafts.id(1), { name: "a name", metadata: { tenant: "t" } })
        const before = yield* store.summary(Drafts.id(1))
        const back = yield* hide(Drafts.id(1))
        holds((yield* listed(store)).includes(2), "the other one to be listed")
        yield* store.search("hello")
        yield* Effect.ignore(store.summary(Drafts.id(1)))
        yield* back
        equal(yield* listed(store), [1, 2], "both to be listed")
        equal(yield* store.summary(Drafts.id(1)), before, "nothing of it to be lost")
      }),
    ["files"]
  ),
  Case.test("55", "every thread is reached, however many there are", ({ store }) =>
    Effect.gen(function* () {
      const count = 320
      yield* Effect.forEach(
        Array.from({ length: count }, (_, i) => i),
        (n) => make(store, n, { at: n % 7 }),
        {
          concurrency: 8,
          discard: true
        }
      )
      const all = Array.from({ length: count }, (_, i) => i)
      equal(
        (yield* listed(store, { pageSize: 50 })).toSorted((a, b) => a - b),
        all,
        "all of them in pages"
      )
      equal((yield* listed(store, { pageSize: count })).length, count, "all of them at once")
      const found = yield* store.search("hello", { pageSize: count })
      equal(found.items.length, count, "all of them by a search")
    })
  )
])
