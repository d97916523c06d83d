/** All threads that pass a query, page after page. */
import { Effect } from "effect"
import type { InvalidRequest, StoreUnavailable } from "./StoreError.js"
import type { Summary } from "./Summary.js"
import type { SummaryQuery } from "./SummaryQuery.js"
import type { ThreadStoreService } from "./ThreadStore.js"

/** Rows that are asked for at once. */
const pageSize = 1000

/** Passes every thread there is: archived ones, and those that lists hide. */
export const everything: SummaryQuery = { archived: "any", hidden: true }

/** The rows of the threads that pass, in order; cursor and page size of the query do not count. Memory: the rows. */
export const summaries = (
  store: ThreadStoreService,
  query: SummaryQuery = everything
): Effect.Effect<ReadonlyArray<Summary>, InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const found: Array<Summary> = []
    for (let cursor: string | undefined; ; ) {
      const page = yield* store.summaries({ ...query, pageSize, cursor })
      found.push(...page.items)
      cursor = page.nextCursor
      if (cursor === undefined) return found
    }
  })
