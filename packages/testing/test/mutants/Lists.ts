/** Stores that get lists wrong. */
import * as Derived from "@skein/store/Derived"
import type { Batch } from "@skein/store/Driver"
import type { ThreadRow } from "@skein/store/Summary"
import * as Summaries from "@skein/store/Summary"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import { Effect, Either } from "effect"
import { everything, listing, type Mutant, selecting } from "./Mutant.js"

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "begins a page one row late",
    noticed: ["45", "46", "47"],
    random: true,
    driver: listing((rows, { after }) => (after === undefined ? rows : rows.slice(1)))
  },
  {
    name: "begins a page with the last row of the one before",
    noticed: ["45", "47"],
    random: true,
    driver: selecting((rows, query) => {
      const { after } = query
      if (after === undefined) return SummaryQuery.select(rows, query)
      const id = query.direction === "asc" ? "" : "~"
      return SummaryQuery.select(rows, { ...query, after: { ...after, id } })
    })
  },
  {
    name: "loses rows that share a moment with the last one of a page",
    noticed: ["45"],
    random: true,
    driver: selecting((rows, query) => {
      const { after } = query
      return SummaryQuery.select(
        rows,
        after === undefined ? query : { ...query, after: { ...after, id: query.direction === "asc" ? "~" : "" } }
      )
    })
  },
  {
    name: "sorts rows of one moment by chance",
    noticed: ["45"],
    driver: listing((rows, { sortKey }) => {
      const timeOf = (row: ThreadRow | undefined) => (row === undefined ? undefined : Summaries.times(row)[sortKey])
      const shuffled = [...rows]
      for (let i = 1; i < shuffled.length; i += 2) {
        const [left, right] = [shuffled[i - 1], shuffled[i]]
        if (left === undefined || right === undefined || timeOf(left) !== timeOf(right)) continue
        shuffled[i - 1] = right
        shuffled[i] = left
      }
      return shuffled
    })
  },
  {
    name: "answers from an index of before",
    noticed: ["40", "33", "49"],
    random: true,
    driver: (driver) => {
      let before: ReadonlyArray<ThreadRow> = []
      return {
        ...driver,
        rows: (query) =>
          Effect.map(driver.rows(everything), (rows) => {
            const stale = rows.map((row) => before.find(({ threadId }) => threadId === row.threadId) ?? row)
            before = rows
            return SummaryQuery.select(stale, query)
          })
      }
    }
  },
  {
    name: "knows no more than three hundred threads",
    noticed: ["55"],
    driver: selecting((rows, query) => SummaryQuery.select(rows.slice(0, 300), query))
  },
  {
    name: "shows an empty page when its index fails",
    noticed: ["52"],
    driver: (driver) => ({
      ...driver,
      rows: (query) => Effect.catchAll(driver.rows(query), () => Effect.succeed([])),
      lagging: (threadId) => Effect.catchAll(driver.lagging(threadId), () => Effect.succeed([]))
    })
  },
  {
    name: "never folds what it has not folded yet",
    noticed: ["fork.5", "17", "revert.1"],
    random: true,
    driver: (driver) => ({ ...driver, lagging: () => Effect.succeed([]) })
  },
  {
    name: "does not keep what was folded",
    noticed: ["fork.5", "17"],
    driver: (driver) => ({ ...driver, putDerived: () => Effect.void })
  },
  {
    name: "forgets to fold what is appended",
    noticed: ["26", "40", "41"],
    random: true,
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        driver.append({
          ...request,
          batches: request.batches.map(
            (batch): Batch =>
              (at) =>
                Either.map(batch(at), (write) => ({ ...write, derive: (before) => before }))
          )
        })
    })
  },
  {
    name: "ignores the filter on metadata",
    noticed: ["48.metadata"],
    random: true,
    driver: selecting((rows, query) => SummaryQuery.select(rows, { ...query, metadata: {} }))
  },
  {
    name: "takes one of several metadata for enough",
    noticed: ["48.metadata"],
    driver: selecting((rows, query) => {
      const [first] = Object.entries(query.metadata)
      return SummaryQuery.select(rows, { ...query, metadata: first === undefined ? {} : { [first[0]]: first[1] } })
    })
  },
  {
    name: "compares directories letter by letter",
    noticed: ["48"],
    random: true,
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, { ...query, cwds: undefined }).filter(
        (row) => query.cwds === undefined || query.cwds.includes(row.derived.summary.cwd)
      )
    )
  },
  {
    name: "takes an empty list of directories for none",
    noticed: ["48"],
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, { ...query, cwds: query.cwds?.length === 0 ? undefined : query.cwds })
    )
  },
  {
    name: "leaves out threads that name no provider",
    noticed: ["48"],
    driver: selecting((rows, query) => SummaryQuery.select(rows, { ...query, unnamedProvider: false }))
  },
  {
    name: "searches rows whatever the case",
    noticed: ["50"],
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, { ...query, searchTerm: undefined }).filter(
        (row) =>
          query.searchTerm === undefined ||
          JSON.stringify([row.explicit, row.derived.summary]).toLowerCase().includes(query.searchTerm.toLowerCase())
      )
    )
  },
  {
    name: "searches previews and no names",
    noticed: ["33", "50"],
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, { ...query, searchTerm: undefined }).filter(
        (row) => query.searchTerm === undefined || row.derived.summary.preview.includes(query.searchTerm)
      )
    )
  },
  {
    name: "shows what is hidden",
    noticed: ["49"],
    random: true,
    driver: selecting((rows, query) => SummaryQuery.select(rows, { ...query, hidden: true }))
  },
  {
    name: "shows archived threads among the active ones",
    noticed: ["49", "63"],
    random: true,
    driver: selecting((rows, query) => SummaryQuery.select(rows, { ...query, archived: "any" }))
  },
  {
    name: "takes descendants for children",
    noticed: ["51"],
    random: true,
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, {
        ...query,
        relation: query.relation === undefined ? undefined : { ...query.relation, depth: "descendants" }
      })
    )
  },
  {
    name: "takes children for descendants",
    noticed: ["51", "69"],
    random: true,
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, {
        ...query,
        relation: query.relation === undefined ? undefined : { ...query.relation, depth: "children" }
      })
    )
  },
  {
    name: "finds no descendants behind a hidden or archived one",
    noticed: ["51"],
    driver: selecting((rows, query) => {
      const { relation } = query
      const visible = rows.filter((row) => !SummaryQuery.isHidden(row) && row.archivedAt === undefined)
      return relation === undefined ? SummaryQuery.select(rows, query) : SummaryQuery.select(visible, query)
    })
  },
  {
    name: "counts a thread in a circle among its descendants",
    noticed: ["51"],
    driver: selecting((rows, query) => {
      const { relation } = query
      const found = SummaryQuery.select(rows, query)
      const own = rows.find((row) => row.threadId === relation?.of && Derived.parentOf(row.derived) !== undefined)
      return own === undefined || found.length === 0 ? found : [...found, own]
    })
  },
  {
    name: "takes a thread that cannot be read for the end of the list",
    noticed: ["19", "53"],
    driver: listing((rows) => {
      const at = rows.findIndex(({ historyMode }) => Derived.knownMode(historyMode) === undefined)
      return at < 0 ? rows : rows.slice(0, at)
    })
  }
]
