/** Stores that get reading wrong. */
import { noText, type RawLine } from "@skein/core/record/Jsonl"
import type { Driver } from "@skein/store/Driver"
import type { EffectiveLog } from "@skein/store/EffectiveLog"
import type { Position } from "@skein/store/Position"
import type { ReadError } from "@skein/store/StoreError"
import { Effect, Either } from "effect"
import { headOf, type Mutant, opening, reading } from "./Mutant.js"

/** Views that outlast a store, as those of a table do. */
const shelf = new Map<string, { readonly reached: Position; readonly view: string }>()

/** Views that are handed back as if they had got to the end. */
const lateViews = (driver: Driver): Pick<Driver, "views"> => ({
  views: {
    load: (threadId) =>
      Effect.gen(function* () {
        const row = shelf.get(threadId)
        const head = yield* Effect.option(headOf(driver, threadId))
        return row === undefined || head._tag === "None" ? undefined : { ...row, reached: head.value }
      }),
    save: (threadId, row) => Effect.sync(() => void shelf.set(threadId, row))
  }
})

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "reads all but the last line",
    noticed: ["7", "position.1"],
    random: true,
    driver: opening((log) =>
      reading(log, (source) => ({
        ...source,
        forward: (take, range) => {
          let held: RawLine | undefined
          return Effect.map(
            source.forward((line) => {
              const before = held
              held = { ...line, bytes: new Uint8Array(line.bytes) }
              return before === undefined || take(before, noText)
            }, range),
            (all) => all
          )
        }
      }))
    )
  },
  {
    name: "reads backward from one line too early",
    noticed: ["append.8", "position.1", "22"],
    random: true,
    driver: opening((log) =>
      reading(log, (source) => ({
        ...source,
        backward: (take, range) => {
          let isFirst = range?.to === undefined || range.to >= source.size
          return source.backward((line, text) => {
            if (!isFirst) return take(line, text)
            isFirst = false
            return true
          }, range)
        }
      }))
    )
  },
  {
    name: "reads no further than two thousand lines",
    noticed: ["append.9"],
    driver: opening((log) =>
      reading(log, (source) => ({
        ...source,
        forward: (take, range) => source.forward((line, text) => (line.number ?? 0) > 2000 || take(line, text), range)
      }))
    )
  },
  {
    name: "reads what was appended after it was opened",
    noticed: ["open.1"],
    driver: (driver) => ({
      ...driver,
      open: (threadId) =>
        Effect.map(driver.open(threadId), (log) =>
          reading(log, (source) => ({
            ...source,
            forward: (take) =>
              Effect.scoped(
                Effect.flatMap(driver.open(threadId), (now) => {
                  const piece = now.pieces.find((one) => one.source.path === source.path)
                  return (piece?.source ?? source).forward(take)
                })
              )
          }))
        )
    })
  },
  {
    name: "reads from a log that it opened earlier",
    noticed: ["fork.1", "revert.1"],
    random: true,
    driver: (driver) => {
      const logs = new Map<string, EffectiveLog<ReadError>>()
      return opening((log, threadId) => {
        const known = logs.get(threadId)
        logs.set(threadId, log)
        return known ?? log
      })(driver)
    }
  },
  {
    name: "loses the lines between two pages",
    noticed: ["append.9", "position.1"],
    driver: opening((log) =>
      reading(log, (source) => ({
        ...source,
        forward: (take, range) => {
          let isFirst = (range?.from ?? 0) > 0
          return source.forward((line, text) => {
            if (!isFirst) return take(line, text)
            isFirst = false
            return true
          }, range)
        }
      }))
    )
  },
  {
    name: "keeps a view behind the place that it says",
    noticed: ["86.reopen"],
    driver: (driver) => ({ ...driver, ...lateViews(driver) })
  },
  {
    name: "writes a line when it is asked for a log",
    noticed: ["13"],
    driver: (driver) => ({
      ...driver,
      open: (threadId) =>
        Effect.zipRight(
          Effect.ignore(
            driver.append({
              threadId,
              expected: "any",
              fence: undefined,
              batches: [() => Either.right({ lines: [new Uint8Array()], derive: (before) => before })]
            })
          ),
          driver.open(threadId)
        )
    })
  }
]
