/** Stores that lose what was said of a thread. */
import type { Batch } from "@skein/store/Driver"
import * as LineSource from "@skein/store/LineSource"
import { Effect } from "effect"
import { everything, type Mutant } from "./Mutant.js"

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "forgets host metadata",
    noticed: ["31", "48.metadata"],
    random: true,
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        driver.updateExplicit(threadId, (before) => {
          const { metadata: _, ...rest } = change(before)
          return rest
        })
    })
  },
  {
    name: "forgets the state of the repository that was set",
    noticed: ["31", "34"],
    random: true,
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        driver.updateExplicit(threadId, (before) => {
          const { git: _, ...rest } = change(before)
          return rest
        })
    })
  },
  {
    name: "cannot clear a name",
    noticed: ["31", "33"],
    random: true,
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        driver.updateExplicit(threadId, (before) => ({
          ...(before.name === undefined ? {} : { name: before.name }),
          ...change(before)
        }))
    })
  },
  {
    name: "forgets what was said at creation",
    noticed: ["35", "70"],
    random: true,
    driver: (driver) => ({ ...driver, create: (thread) => driver.create({ ...thread, explicit: {} }) })
  },
  {
    name: "loses one of two changes at once",
    noticed: ["31.together"],
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        Effect.gen(function* () {
          const { explicit } = yield* driver.row(threadId)
          yield* Effect.yieldNow()
          yield* driver.updateExplicit(threadId, () => change(explicit))
        })
    })
  },
  {
    name: "forgets what was said when the thread is reverted",
    noticed: ["revert.1", "35"],
    random: true,
    driver: (driver) => ({
      ...driver,
      branch: (threadId, segment, options) =>
        Effect.tap(driver.branch(threadId, segment, options), () => driver.updateExplicit(threadId, () => ({})))
    })
  },
  {
    name: "forgets that a thread is archived",
    noticed: ["23", "64"],
    random: true,
    driver: (driver) => ({ ...driver, setArchived: (threadId) => Effect.asVoid(driver.locate(threadId)) })
  },
  {
    name: "lets archived threads be read and written",
    noticed: ["23"],
    random: true,
    driver: (driver) => ({
      ...driver,
      locate: (threadId) => Effect.map(driver.locate(threadId), (at) => ({ ...at, archivedAt: undefined })),
      append: (request) =>
        driver.append({
          ...request,
          batches: request.batches.map(
            (batch): Batch =>
              (at) =>
                batch({ ...at, archivedAt: undefined })
          )
        })
    })
  },
  {
    name: "archives the children too",
    noticed: ["64"],
    driver: (driver) => ({
      ...driver,
      setArchived: (threadId, at) =>
        Effect.gen(function* () {
          const children = yield* driver.rows({ ...everything, relation: { of: threadId, depth: "children" } })
          yield* driver.setArchived(threadId, at)
          for (const child of children) yield* driver.setArchived(child.threadId, at)
        })
    })
  },
  {
    name: "forgets where a copy was archived",
    noticed: ["94", "copy.2"],
    driver: (driver) => ({ ...driver, create: (thread) => driver.create({ ...thread, archivedAt: undefined }) })
  },
  {
    name: "makes rows of threads that are not there",
    noticed: ["32"],
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        Effect.catchTag(driver.updateExplicit(threadId, change), "ThreadNotFound", () =>
          Effect.asVoid(
            Effect.ignore(
              driver.create({
                threadId,
                historyMode: "legacy",
                segment: {
                  segmentId: threadId,
                  base: undefined,
                  content: LineSource.ofLines([]),
                  nextOrdinal: undefined,
                  madeAt: 0
                },
                derived: undefined,
                explicit: change({}),
                archivedAt: undefined
              })
            )
          )
        )
    })
  }
]
