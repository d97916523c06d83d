/** Stores that get appends and creation wrong. */
import * as LineSource from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import { Effect } from "effect"
import { appending, headOf, type Mutant, withLines } from "./Mutant.js"

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "drops the last record of a batch",
    noticed: ["7", "11"],
    random: true,
    driver: appending((lines) => (lines.length > 1 ? lines.slice(0, -1) : lines))
  },
  {
    name: "writes a batch the other way round",
    noticed: ["7"],
    random: true,
    driver: appending((lines) => lines.toReversed())
  },
  {
    name: "writes a record twice",
    noticed: ["7"],
    random: true,
    driver: appending((lines) => lines.flatMap((line, i) => (i === 0 ? [line, line] : [line])))
  },
  {
    name: "writes the batches of a group in another order",
    noticed: ["append.interrupted"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        Effect.map(driver.append({ ...request, batches: request.batches.toReversed() }), (ends) => ends.toReversed())
    })
  },
  {
    name: "cuts long lines off",
    noticed: ["append.8"],
    driver: appending((lines) =>
      lines.map((line) => (line.length > 1024 * 1024 ? line.subarray(0, 1024 * 1024) : line))
    )
  },
  {
    name: "ignores the expected position",
    noticed: ["append.1", "append.2", "append.5"],
    random: true,
    driver: (driver) => ({ ...driver, append: (request) => driver.append({ ...request, expected: "any" }) })
  },
  {
    name: "ignores what a revert expects",
    noticed: ["revert.4"],
    driver: (driver) => ({
      ...driver,
      branch: (threadId, segment, options) =>
        Effect.flatMap(headOf(driver, threadId), (expected) =>
          driver.branch(threadId, segment, { ...options, expected })
        )
    })
  },
  {
    name: "says that an append is done and forgets every seventh",
    noticed: ["7"],
    random: true,
    driver: (driver) => {
      let count = 0
      return {
        ...driver,
        append: (request) =>
          Effect.suspend(() => {
            if (++count % 7 !== 0) return driver.append(request)
            return Effect.map(
              driver.append({ ...request, batches: request.batches.map(withLines(() => [])) }),
              (ends) => ends
            )
          })
      }
    }
  },
  {
    name: "answers before it has stored",
    noticed: ["position.1", "12"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        Effect.gen(function* () {
          const { head } = yield* driver.locate(request.threadId)
          yield* Effect.forkDaemon(Effect.delay(driver.append(request), "3 millis"))
          return request.batches.map(() => head)
        })
    })
  },
  {
    name: "tells a wrong place behind a batch",
    noticed: ["7"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        Effect.map(driver.append(request), (ends) => ends.map(() => ends[0] ?? Positions.make("", 0)))
    })
  },
  {
    name: "tells the head of the append before",
    noticed: ["position.1"],
    driver: (driver) => {
      const heads = new Map<string, Position>()
      return {
        ...driver,
        locate: (threadId) =>
          Effect.map(driver.locate(threadId), (at) => {
            const head = heads.get(threadId) ?? at.head
            heads.set(threadId, at.head)
            return { ...at, head }
          })
      }
    }
  },
  {
    name: "writes the batches of a group one by one, so that a bad one leaves those before it",
    noticed: ["append.3"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        Effect.map(
          Effect.forEach(request.batches, (batch) => driver.append({ ...request, batches: [batch] })),
          (ends) => ends.flat()
        )
    })
  },
  {
    name: "makes a thread again when it is written to after its deletion",
    noticed: ["8", "68"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        driver.append(request).pipe(
          Effect.catchTag("ThreadNotFound", () =>
            driver
              .create({
                threadId: request.threadId,
                historyMode: "legacy",
                segment: {
                  segmentId: request.threadId,
                  base: undefined,
                  content: LineSource.ofLines([]),
                  nextOrdinal: undefined,
                  madeAt: 0
                },
                derived: undefined,
                explicit: {},
                archivedAt: undefined
              })
              .pipe(
                Effect.zipRight(driver.append(request)),
                Effect.catchTag("ThreadAlreadyExists", () => Effect.die("there"))
              )
          )
        )
    })
  },
  {
    name: "makes a thread anew when its id is taken",
    noticed: ["3", "6", "66"],
    driver: (driver) => ({
      ...driver,
      create: (thread) =>
        driver
          .create(thread)
          .pipe(
            Effect.catchTag("ThreadAlreadyExists", () =>
              Effect.zipRight(Effect.orDie(driver.remove(thread.threadId, "keep")), driver.create(thread))
            )
          )
    })
  },
  {
    name: "keeps a thread of which it could not write all",
    noticed: ["copy.5"],
    driver: (driver) => ({ ...driver, remove: () => Effect.succeed({ kept: [] }) })
  }
]
