/** Stores that get deletion wrong. */
import type { ThreadRow } from "@skein/store/Summary"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import { Effect } from "effect"
import { everything, type Mutant, opening } from "./Mutant.js"

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "leaves the row of what it deletes",
    noticed: ["67"],
    random: true,
    driver: (driver) => {
      const gone: Array<ThreadRow> = []
      return {
        ...driver,
        remove: (threadId, shared) =>
          Effect.zipRight(
            Effect.flatMap(driver.row(threadId), (row) => Effect.sync(() => gone.push(row))),
            driver.remove(threadId, shared)
          ),
        rows: (query) => Effect.map(driver.rows(everything), (rows) => SummaryQuery.select([...rows, ...gone], query))
      }
    }
  },
  {
    name: "takes from forks what they stand on",
    noticed: ["delete.default", "delete.keep"],
    random: true,
    driver: (driver) => {
      const gone = new Set<string>()
      return {
        ...opening((log) => ({
          ...log,
          pieces: log.pieces.filter((piece, i) => i === log.pieces.length - 1 || !gone.has(piece.segmentId))
        }))(driver),
        remove: (threadId, shared) =>
          Effect.tap(driver.remove(threadId, shared), () => Effect.sync(() => gone.add(threadId)))
      }
    }
  },
  {
    name: "deletes what others stand on although it was told not to",
    noticed: ["delete.refuse"],
    driver: (driver) => ({
      ...driver,
      remove: (threadId, shared) => driver.remove(threadId, shared === "refuse" ? "keep" : shared)
    })
  },
  {
    name: "does not say what it keeps, or for whom",
    noticed: ["delete.keep"],
    driver: (driver) => ({
      ...driver,
      remove: (threadId, shared) =>
        Effect.map(driver.remove(threadId, shared), ({ kept }) => ({ kept: kept.map((one) => ({ ...one, for: [] })) }))
    })
  },
  {
    name: "says that it deleted what was not there",
    noticed: ["1", "67"],
    random: true,
    driver: (driver) => ({
      ...driver,
      remove: (threadId, shared) =>
        Effect.catchTag(driver.remove(threadId, shared), "ThreadNotFound", () => Effect.succeed({ kept: [] }))
    })
  }
]
