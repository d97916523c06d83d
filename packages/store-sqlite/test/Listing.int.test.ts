import * as Derived from "@skein/store/Derived"
import type { ThreadRow } from "@skein/store/Summary"
import * as Summary from "@skein/store/Summary"
import type { RowQuery } from "@skein/store/SummaryQuery"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import type { Index } from "@skein/store/ThreadIndex"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as SqliteDriver from "../src/SqliteDriver.js"
import * as SqliteIndex from "../src/SqliteIndex.js"
import { bare, filename, id, line, run, thread } from "./Support.js"

const times = fc.constantFrom(undefined, 0, 5, 5, 7, 1_700_000_000_000, -3)
const texts = fc.constantFrom("", "alpha", "Alpha", "beta %_", "näïve 𝒳", 'it\'s "quoted"\\', "a\nb")
const cwds = fc.constantFrom("", "/repo", "/repo/", "/repo/./a/..", "/other", "relative/a")
const threads = 12

const rowOf = (n: number): fc.Arbitrary<ThreadRow> =>
  fc
    .record({
      preview: texts,
      title: fc.option(texts, { nil: undefined }),
      firstUserMessage: fc.option(texts, { nil: undefined }),
      name: fc.option(texts, { nil: undefined }),
      cwd: cwds,
      attached: fc.constantFrom(false, false, false, true),
      modelProvider: fc.constantFrom(undefined, "openai", "other"),
      source: fc.constantFrom<Derived.Derived["summary"]["source"]>(
        "cli",
        "exec",
        { custom: "atlas" },
        { subAgent: "review" }
      ),
      parent: fc.option(fc.nat(threads - 1), { nil: undefined, freq: 3 }),
      mode: fc.constantFrom("legacy", "paginated", "other"),
      createdAt: times,
      updatedAt: times,
      recencyAt: times,
      madeAt: fc.constantFrom(1, 5, 9),
      archivedAt: fc.constantFrom(undefined, undefined, 3),
      metadata: fc.option(fc.dictionary(fc.constantFrom("tenant", "user"), fc.constantFrom("a", "b")), {
        nil: undefined
      })
    })
    .map((of) => ({
      threadId: id(n),
      historyMode: of.mode,
      archivedAt: of.archivedAt,
      explicit: {
        ...(of.name === undefined ? {} : { name: of.name }),
        ...(of.metadata === undefined ? {} : { metadata: { ...of.metadata } })
      },
      derived: {
        createdAt: of.createdAt,
        tokensUsed: undefined,
        recency: { open: false, updatedAt: of.updatedAt, recencyAt: of.recencyAt },
        summary: {
          ...Derived.empty.summary,
          historyMode: of.mode === "paginated" ? "paginated" : "legacy",
          parentThreadId: of.parent === undefined ? undefined : id(of.parent),
          attached: of.attached,
          preview: of.preview,
          title: of.title,
          firstUserMessage: of.firstUserMessage,
          cwd: of.cwd,
          modelProvider: of.modelProvider,
          source: of.source
        }
      },
      madeAt: of.madeAt
    }))

const rows = fc.tuple(...Array.from({ length: threads }, (_, n) => rowOf(n)))

/** A filter that most queries do not have, so that those that do let something pass. */
const rarely = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

const query: fc.Arbitrary<RowQuery> = fc.record({
  limit: fc.constantFrom(1, 3, 100),
  sortKey: fc.constantFrom("createdAt" as const, "updatedAt" as const, "recencyAt" as const),
  direction: fc.constantFrom("asc" as const, "desc" as const),
  after: rarely(fc.record({ time: fc.constantFrom(0, 5, 7, -3, 1_700_000_000_000), id: fc.nat(threads).map(id) })),
  sources: rarely(fc.subarray(["cli", "custom:atlas", "subAgent:review"], { minLength: 1 })),
  modelProviders: rarely(fc.subarray(["openai", "other"], { minLength: 1 })),
  unnamedProvider: fc.boolean(),
  cwds: rarely(fc.subarray(["/repo", "/other", "relative/a", ""])),
  archived: fc.constantFrom(false, true, "any" as const),
  searchTerm: rarely(fc.constantFrom("lph", "Alpha", "%", "_", "'s", "ï", "𝒳", "\\", "\n", "zz")),
  relation: rarely(
    fc.record({ of: fc.nat(threads).map(id), depth: fc.constantFrom("children" as const, "descendants" as const) })
  ),
  metadata: fc.dictionary(fc.constantFrom("tenant", "user"), fc.constantFrom("a", "b"), { maxKeys: 1 }),
  hidden: fc.boolean()
})

/** One more than a list is filled with many threads, so that filters are walked and not fetched. */
const crowd = 2100

describe("a page of rows is the one that the port's own selection gives (45, 47, 48, 49, 50, 51)", () => {
  it(
    "in a store",
    () =>
      run(
        Effect.gen(function* () {
          const store = yield* SqliteDriver.make({ filename: yield* filename, durability: "os" })
          yield* Effect.promise(() =>
            fc.assert(
              fc.asyncProperty(rows, fc.array(query, { minLength: 1, maxLength: 12 }), (all, queries) =>
                Effect.runPromise(
                  Effect.gen(function* () {
                    for (const row of all) {
                      yield* store
                        .remove(row.threadId, "keep")
                        .pipe(Effect.catchTag("ThreadNotFound", () => Effect.void))
                      const { archivedAt, derived, explicit, historyMode, madeAt } = row
                      const made = thread(row.threadId, [line("x")], { archivedAt, derived, explicit, historyMode })
                      yield* store.create({ ...made, segment: { ...made.segment, madeAt } })
                    }
                    for (const one of queries) {
                      expect(yield* store.rows(one)).toEqual(SummaryQuery.select(all, one))
                    }
                  })
                )
              ),
              { numRuns: 100 }
            )
          )
        })
      ),
    60_000
  )

  const agree = (index: Index, crowded: ReadonlyArray<ThreadRow>, numRuns: number) =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(rows, fc.array(query, { minLength: 1, maxLength: 8 }), (all, queries) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const withPaths = all.map((row, i) => (i % 2 === 0 ? { ...row, path: `/home/${i}` } : row))
              yield* index.change({ rows: withPaths.map((row) => ({ row, reached: undefined })) })
              for (const one of queries) {
                expect(yield* index.rows(one)).toEqual(SummaryQuery.select([...withPaths, ...crowded], one))
              }
            })
          )
        ),
        { numRuns }
      )
    )

  it(
    "in an index of files",
    () =>
      run(
        Effect.gen(function* () {
          yield* agree(yield* SqliteIndex.make({ filename: yield* filename }), [], 60)
        })
      ),
    60_000
  )

  it(
    "where so many threads pass a filter that the list is walked in its order",
    () =>
      run(
        Effect.gen(function* () {
          const index = yield* SqliteIndex.make({ filename: yield* filename })
          const [first] = fc.sample(rowOf(0), { numRuns: 1, seed: 1 })
          const crowded = Array.from({ length: crowd }, (_, i): ThreadRow => {
            const row = first as ThreadRow
            return {
              ...row,
              threadId: id(1000 + i),
              archivedAt: i % 3 === 0 ? 1 : undefined,
              explicit: { metadata: { tenant: "a", user: "b" } },
              derived: {
                ...row.derived,
                createdAt: i % 9,
                summary: {
                  ...row.derived.summary,
                  parentThreadId: undefined,
                  cwd: "/repo",
                  preview: i % 5 === 0 ? "" : "alpha"
                }
              }
            }
          })
          yield* index.change({ rows: crowded.map((row) => ({ row, reached: undefined })) })
          yield* agree(index, crowded, 15)
        })
      ),
    60_000
  )
})

it("pages follow each other without loss or repeat, whatever is inserted between them (46)", () =>
  run(
    Effect.gen(function* () {
      const store = yield* SqliteDriver.make({ filename: yield* filename, durability: "os" })
      const make = (n: number, createdAt: number) => {
        const derived = { ...Derived.empty, createdAt, summary: { ...Derived.empty.summary, preview: "x" } }
        return store.create(thread(id(n), [line("x")], { derived }))
      }
      for (let n = 0; n < 20; n++) yield* make(n * 2, n % 3)
      const base: RowQuery = {
        ...(fc.sample(query, 1)[0] as RowQuery),
        limit: 3,
        sortKey: "createdAt",
        direction: "desc"
      }
      const all: RowQuery = {
        ...base,
        after: undefined,
        sources: undefined,
        modelProviders: undefined,
        cwds: undefined,
        archived: false,
        searchTerm: undefined,
        relation: undefined,
        metadata: {},
        hidden: false
      }
      const seen: Array<string> = []
      let after: RowQuery["after"]
      for (let page = 0; ; page++) {
        const rows = yield* store.rows({ ...all, after })
        seen.push(...rows.map(({ threadId }) => threadId))
        const last = rows.at(-1)
        if (last === undefined) break
        after = { time: Summary.times(last).createdAt, id: last.threadId }
        yield* make(1 + page * 2, 9)
      }
      expect(new Set(seen).size).toBe(20)
      expect(seen).toHaveLength(20)
    })
  ))

it("lists find their rows by an index, in every order and for every filter that few threads pass", () =>
  run(
    Effect.gen(function* () {
      const path = yield* filename
      yield* SqliteDriver.make({ filename: path })
      const plan = (sql: string) =>
        bare(path, (db) =>
          db
            .prepare(`EXPLAIN QUERY PLAN ${sql}`)
            .all()
            .map((row) => (row as { detail: string }).detail)
        )
      for (const key of ["created", "updated", "recency"]) {
        const at = key === "recency" ? "recency_at" : `${key}_at`
        const steps = plan(
          `SELECT id FROM threads WHERE shelf = 0 AND (${at}, id) < (5, 'x') ORDER BY ${at} DESC, id DESC LIMIT 9`
        )
        expect(steps.join()).toContain(`threads_${key}`)
        expect(steps.join()).not.toContain("TEMP B-TREE")
      }
      expect(plan("SELECT id FROM threads WHERE lags = 1").join()).toContain("threads_lagging")
      expect(plan("SELECT id FROM threads WHERE parent = 'x'").join()).toContain("threads_parent")
      expect(plan("SELECT id FROM threads WHERE cwd IN (SELECT value FROM json_each('[]'))").join()).toContain(
        "threads_cwd"
      )
    })
  ))
