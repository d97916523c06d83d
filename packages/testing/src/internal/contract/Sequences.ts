/**
 * Operations on a store as plain data, at random: what case 93 plays on a store and on a model of it.
 *
 * Threads and places are named by numbers that are taken modulo what there is, so that any part of a sequence is one too
 * and a failing one shrinks to the few operations that matter.
 */
import type { Direction, SortKey } from "@skein/store/SummaryQuery"
import * as fc from "fast-check"

/** Records, in a word. */
export type What =
  | { readonly turn: string }
  | { readonly say: string }
  | { readonly tokens: number }
  | { readonly model: string }
  | "nothing"
  | "bad"

/** What is asked of a list. */
export interface Asked {
  readonly size: number
  readonly sort: SortKey
  readonly direction: Direction
  readonly archived?: boolean | "any"
  readonly hidden?: boolean
  readonly term?: string
  readonly provider?: string
  readonly cwd?: string
  readonly tenant?: string
  readonly childrenOf?: number
  readonly descendantsOf?: number
}

/** An operation. */
export type Op =
  | {
      readonly create: "legacy" | "paginated"
      readonly with: ReadonlyArray<What>
      readonly parent?: number
      readonly provider?: string
      readonly cwd?: string
      readonly name?: string
    }
  | { readonly foreign: "damaged" | "numbered" | "unknown mode" }
  | {
      readonly append: number
      readonly what: ReadonlyArray<What>
      readonly at?: "head" | "elsewhere"
      readonly lease?: "own" | "stale"
      /** Milliseconds by which the clock goes back for it. */
      readonly late?: number
    }
  /** The same append once more, if it was one at an expected place. */
  | { readonly retry: number }
  /** Callers at once; each appends batches of so many records, one after the other. */
  | { readonly together: number; readonly callers: ReadonlyArray<ReadonlyArray<number>> }
  | { readonly fork: number; readonly behind?: number; readonly with: ReadonlyArray<What> }
  | { readonly revert: number; readonly behind: number; readonly lease?: "own" }
  | { readonly archive: number }
  | { readonly unarchive: number }
  | { readonly delete: number; readonly alone?: true }
  | {
      readonly patch: number
      readonly name?: string | null
      readonly tenant?: string | null
      readonly branch?: string | null
      readonly memory?: string | null
    }
  | { readonly lease: number }
  | { readonly release: number }
  | { readonly list: Asked }
  | { readonly read: number; readonly after?: number; readonly backward?: true; readonly archived?: true }
  | { readonly turns: number; readonly size: number; readonly direction: Direction }
  | { readonly items: number; readonly size: number; readonly direction: Direction }
  | { readonly occurrences: number; readonly term: string }
  | { readonly search: string; readonly size: number }
  | "reopen"

const plain = <A extends object, B extends object>(
  required: { readonly [K in keyof A]: fc.Arbitrary<A[K]> },
  optional: { readonly [K in keyof B]-?: fc.Arbitrary<Exclude<B[K], undefined>> }
): fc.Arbitrary<A & Partial<B>> =>
  fc.record({ ...required, ...optional } as never, {
    requiredKeys: Object.keys(required) as never,
    noNullPrototype: true
  }) as unknown as fc.Arbitrary<A & Partial<B>>

const thread = fc.nat(4)
/** One of the first threads, so that more is done with the same ones. */
const early = fc.nat(2)
const place = fc.nat(6)
const word = fc.constantFrom("a", "b", "fix the login", 'é😀 "q"')
const direction = fc.constantFrom<Direction>("asc", "desc")
const size = fc.integer({ min: 1, max: 4 })

const what: fc.Arbitrary<What> = fc.oneof(
  { weight: 4, arbitrary: word.map((say) => ({ say })) },
  { weight: 4, arbitrary: word.map((turn) => ({ turn })) },
  { weight: 1, arbitrary: fc.nat(9).map((tokens) => ({ tokens })) },
  { weight: 1, arbitrary: fc.constantFrom("m1", "m2").map((model) => ({ model })) },
  { weight: 1, arbitrary: fc.constant("nothing" as const) },
  { weight: 1, arbitrary: fc.constant("bad" as const) }
)

const some = fc.array(what, { maxLength: 3 })

/** One filter of a list at most, and hidden threads too more often than not: else most lists are empty. */
const filter: fc.Arbitrary<Partial<Asked>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom<boolean | "any">(true, "any").map((archived) => ({ archived })) },
  { weight: 1, arbitrary: word.map((term) => ({ term })) },
  { weight: 1, arbitrary: fc.constantFrom("p1", "p2").map((provider) => ({ provider })) },
  { weight: 1, arbitrary: fc.constantFrom("/a", "/b").map((cwd) => ({ cwd })) },
  { weight: 1, arbitrary: fc.constantFrom("t1", "t2").map((tenant) => ({ tenant })) },
  { weight: 2, arbitrary: early.map((childrenOf) => ({ childrenOf })) },
  { weight: 2, arbitrary: early.map((descendantsOf) => ({ descendantsOf })) }
)

const asked: fc.Arbitrary<Asked> = fc
  .tuple(
    plain({ size, sort: fc.constantFrom<SortKey>("createdAt", "updatedAt", "recencyAt"), direction }, {}),
    fc.constantFrom({}, { hidden: true }, { hidden: true }),
    filter
  )
  .map(([how, hidden, one]) => ({ ...how, ...hidden, ...one }))

const create: fc.Arbitrary<Op> = plain(
  { create: fc.constantFrom("legacy" as const, "paginated" as const), with: some },
  { parent: early, provider: fc.constantFrom("p1", "p2"), cwd: fc.constantFrom("/a", "/a/", "/b"), name: word }
)

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: create },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("damaged" as const, "numbered" as const, "unknown mode" as const)
      .map((foreign) => ({ foreign }))
  },
  {
    weight: 9,
    arbitrary: plain(
      { append: fc.oneof(early, thread), what: some },
      {
        at: fc.constantFrom("head" as const, "head" as const, "elsewhere" as const),
        lease: fc.constantFrom("own" as const, "own" as const, "stale" as const),
        late: fc.nat(5_000)
      }
    )
  },
  { weight: 2, arbitrary: early.map((retry) => ({ retry })) },
  {
    weight: 1,
    arbitrary: plain(
      {
        together: thread,
        callers: fc.array(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }), {
          minLength: 1,
          maxLength: 4
        })
      },
      {}
    )
  },
  { weight: 3, arbitrary: plain({ fork: thread, with: some }, { behind: place }) },
  { weight: 3, arbitrary: plain({ revert: thread, behind: place }, { lease: fc.constant("own" as const) }) },
  { weight: 1, arbitrary: thread.map((archive) => ({ archive })) },
  { weight: 1, arbitrary: thread.map((unarchive) => ({ unarchive })) },
  { weight: 1, arbitrary: plain({ delete: early }, { alone: fc.constant(true as const) }) },
  {
    weight: 2,
    arbitrary: plain(
      { patch: thread },
      {
        name: fc.option(word),
        tenant: fc.option(fc.constantFrom("t1", "t2")),
        branch: fc.option(fc.constant("main")),
        memory: fc.option(fc.constant("disabled"))
      }
    )
  },
  { weight: 2, arbitrary: early.map((lease) => ({ lease })) },
  { weight: 2, arbitrary: early.map((release) => ({ release })) },
  { weight: 4, arbitrary: asked.map((list) => ({ list })) },
  {
    weight: 4,
    arbitrary: plain(
      { read: thread },
      { after: place, backward: fc.constant(true as const), archived: fc.constant(true as const) }
    )
  },
  { weight: 3, arbitrary: plain({ turns: early, size, direction }, {}) },
  { weight: 1, arbitrary: plain({ items: early, size, direction }, {}) },
  { weight: 1, arbitrary: plain({ occurrences: thread, term: word }, {}) },
  { weight: 1, arbitrary: plain({ search: word, size }, {}) },
  { weight: 1, arbitrary: fc.constant("reopen" as const) }
)

/** Sequences of operations, a few threads first. Shrink to fewer operations, then to simpler ones. */
export const sequence: fc.Arbitrary<ReadonlyArray<Op>> = fc
  .tuple(fc.array(create, { minLength: 1, maxLength: 4 }), fc.array(op, { maxLength: 30, size: "max" }))
  .map(([first, rest]) => [...first, ...rest])
