/** `skein ls`: the threads of a store. */
import * as Every from "@skein/store/Every"
import type { InvalidRequest, StoreUnavailable } from "@skein/store/StoreError"
import type { Summary } from "@skein/store/Summary"
import type { Page, SummaryQuery } from "@skein/store/SummaryQuery"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Clock, Effect, type Ref } from "effect"
import * as Output from "../Output.js"
import * as Row from "../Row.js"
import * as Text from "../Text.js"
import * as Agents from "./Agents.js"

/** What `skein ls --json` prints. */
export type LsDocument = Page<Row.RowDocument> & {
  readonly nextCursor: string | null
  readonly backwardsCursor: string | null
}

/** A thread in a tree. */
export type TreeRow = Row.RowDocument & {
  /** 0 for a thread that nobody in the list spawned. */
  readonly depth: number
  /** The ids of those that it spawned, in the order of the list. */
  readonly children: ReadonlyArray<string>
}

/** Prints a page of threads. */
export const ls = (
  store: ThreadStoreService,
  query: SummaryQuery,
  json: boolean,
  status: Ref.Ref<number>
): Effect.Effect<void, StoreUnavailable> =>
  asked(status, json, store.summaries(query), ({ backwardsCursor, items, nextCursor }) =>
    Effect.gen(function* () {
      const rows = items.map(Row.documentOf)
      if (json) {
        yield* Output.document({
          items: rows,
          nextCursor: nextCursor ?? null,
          backwardsCursor: backwardsCursor ?? null
        })
      } else {
        const drawing = yield* drawingOf(query)
        yield* Output.print(
          Text.lines([...rows.map((row) => Row.line(row, drawing)), ...below(rows.length, nextCursor, drawing.style)])
        )
      }
    })
  )

/** Prints all threads that pass, each below the one that spawned it. */
export const tree = (
  store: ThreadStoreService,
  query: SummaryQuery,
  json: boolean,
  status: Ref.Ref<number>
): Effect.Effect<void, StoreUnavailable> => {
  if (query.cursor !== undefined || query.pageSize !== undefined) {
    return Output.usage("A tree has no pages: leave out --limit and --cursor, or --tree.", status)
  }
  return asked(status, json, Every.summaries(store, { ...query, hidden: query.hidden }), (all) =>
    Effect.gen(function* () {
      const rows = forest(all)
      if (json) return yield* Output.document({ items: rows, nextCursor: null, backwardsCursor: null })
      const drawing = yield* drawingOf(query)
      const branches = Agents.branchesOf(rows)
      yield* Output.print(
        Text.lines([
          ...rows.map((row, i) => Row.line(row, drawing, branches[i])),
          ...below(rows.length, undefined, drawing.style)
        ])
      )
    })
  )
}

/** Asks a store; a request that it does not understand makes the exit code 2. */
export const asked = <A, R>(
  status: Ref.Ref<number>,
  json: boolean,
  question: Effect.Effect<A, InvalidRequest | StoreUnavailable>,
  answer: (value: A) => Effect.Effect<void, never, R>
): Effect.Effect<void, StoreUnavailable, R> =>
  question.pipe(
    Output.busy("reading the threads"),
    Effect.flatMap(answer),
    Effect.catchTag("InvalidRequest", (refused) => Output.refuseWords(refused, json, status))
  )

/** How rows are drawn here and now. */
export const drawingOf = (query: SummaryQuery): Effect.Effect<Row.Drawing> =>
  Effect.map(Clock.currentTimeMillis, (now) => ({
    time: query.sortKey ?? "createdAt",
    now,
    width: Output.width(),
    style: Output.style()
  }))

const below = (count: number, nextCursor: string | undefined, style: Text.Style): ReadonlyArray<string> => [
  style.dim(
    count === 0
      ? "  no threads"
      : `  ${Text.plural(count, "thread")}${nextCursor === undefined ? "" : `; the next page: --cursor ${nextCursor}`}`
  )
]

/** Threads behind the one that spawned them, else in their order. A circle of them begins with its first one. */
const forest = (all: ReadonlyArray<Summary>): ReadonlyArray<TreeRow> => {
  const known = new Set(all.map(({ id }) => id))
  const children = new Map<string, Array<Summary>>()
  const roots: Array<Summary> = []
  for (const one of all) {
    const { parentThreadId: parent } = one
    if (parent === undefined || !known.has(parent) || parent === one.id) roots.push(one)
    else if (children.has(parent)) children.get(parent)?.push(one)
    else children.set(parent, [one])
  }
  const rows: Array<TreeRow> = []
  const seen = new Set<string>()
  const walk = (root: Summary): void => {
    const waiting = [{ one: root, depth: 0 }]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { depth, one } = next
      if (seen.has(one.id)) continue
      seen.add(one.id)
      const own = (children.get(one.id) ?? []).filter(({ id }) => !seen.has(id))
      rows.push({ ...Row.documentOf(one), depth, children: own.map(({ id }) => id) })
      for (const child of [...own].reverse()) waiting.push({ one: child, depth: depth + 1 })
    }
  }
  roots.forEach(walk)
  all.forEach((one) => {
    if (!seen.has(one.id)) walk(one)
  })
  return rows
}
