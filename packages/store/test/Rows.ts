/** Rows of threads at random, as lists are made of them. */
import type { Source } from "@skein/core/fold/ThreadSummary"
import * as fc from "fast-check"
import * as Derived from "../src/Derived.js"
import type { Explicit, ThreadRow } from "../src/Summary.js"

/** The id of the nth thread. */
export const id = (n: number): string => `019c2b10-7a00-7c00-8000-${n.toString(16).padStart(12, "0")}`

/** What a test wants to be true of a row; the rest is as in a thread of one message. */
export interface Facts {
  readonly n: number
  readonly createdAt?: number | undefined
  readonly updatedAt?: number | undefined
  readonly recencyAt?: number | undefined
  readonly parent?: number | undefined
  readonly preview?: string
  readonly title?: string | undefined
  readonly cwd?: string
  readonly modelProvider?: string | undefined
  readonly source?: Source
  readonly historyMode?: string
  readonly attached?: boolean
  readonly archivedAt?: number | undefined
  readonly explicit?: Explicit
}

/** A row of a thread. */
export const row = (facts: Facts): ThreadRow => ({
  threadId: id(facts.n),
  historyMode: facts.historyMode ?? "legacy",
  archivedAt: facts.archivedAt,
  explicit: facts.explicit ?? {},
  madeAt: 7,
  derived: {
    ...Derived.empty,
    createdAt: facts.createdAt,
    recency: { updatedAt: facts.updatedAt, recencyAt: facts.recencyAt, open: false },
    summary: {
      ...Derived.empty.summary,
      id: id(facts.n),
      preview: facts.preview ?? "hello",
      firstUserMessage: facts.preview ?? "hello",
      title: facts.title ?? facts.preview ?? "hello",
      cwd: facts.cwd ?? "/repo",
      modelProvider: facts.modelProvider,
      source: facts.source ?? "cli",
      attached: facts.attached ?? false,
      parentThreadId: facts.parent === undefined ? undefined : id(facts.parent)
    }
  }
})

/** Few moments, so that many rows share one. */
const moment = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(-1, 1_784_541_600_000))

const facts = (n: number, most: number): fc.Arbitrary<Facts> =>
  fc.record({
    n: fc.constant(n),
    createdAt: fc.option(moment, { nil: undefined }),
    updatedAt: fc.option(moment, { nil: undefined }),
    recencyAt: fc.option(moment, { nil: undefined }),
    parent: fc.option(fc.nat(most), { nil: undefined }),
    preview: fc.constantFrom("", "hello", "Hello world"),
    cwd: fc.constantFrom("/repo", "/repo/", "/repo/./x/..", "/other", ""),
    modelProvider: fc.constantFrom(undefined, "openai", "local"),
    source: fc.constantFrom<Source>("cli", "exec", { custom: "atlas" }, { subAgent: "review" }),
    historyMode: fc.constantFrom("legacy", "paginated", "quantum"),
    attached: fc.constantFrom(false, false, false, true),
    archivedAt: fc.constantFrom(undefined, undefined, 5),
    explicit: fc.constantFrom<Explicit>(
      {},
      { name: "a name" },
      { metadata: { tenant: "a" } },
      { metadata: { tenant: "b" } }
    )
  })

/** Rows of up to so many threads, each of another one, in any order. */
export const rows = (most = 12): fc.Arbitrary<ReadonlyArray<ThreadRow>> =>
  fc
    .nat(most)
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, n) => facts(n, most))))
    .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }))
    .map((all) => all.map(row))
