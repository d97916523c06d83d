/** Stores that get forks and reverts wrong. */
import type { NewSegment } from "@skein/store/Driver"
import type { Position } from "@skein/store/Position"
import { Effect } from "effect"
import { type Mutant, making } from "./Mutant.js"

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "forks and reverts at the end, whatever place is named",
    noticed: ["fork.1", "revert.1"],
    random: true,
    driver: (driver) => {
      const sizes = new Map<string, number>()
      const atEnd = (segment: NewSegment): NewSegment => {
        const end = segment.base === undefined ? undefined : sizes.get(segment.base.segmentId)
        return segment.base === undefined || end === undefined
          ? segment
          : { ...segment, base: { ...segment.base, offset: end } }
      }
      const note = <E, R>(effect: Effect.Effect<Position, E, R>) =>
        Effect.tap(effect, (end) => Effect.sync(() => sizes.set(end.segmentId, end.offset)))
      return {
        ...driver,
        append: (request) =>
          Effect.tap(driver.append(request), (ends) =>
            Effect.sync(() => {
              for (const end of ends) sizes.set(end.segmentId, end.offset)
            })
          ),
        create: (thread) => note(driver.create({ ...thread, segment: atEnd(thread.segment) })),
        branch: (threadId, segment, options) => note(driver.branch(threadId, atEnd(segment), options))
      }
    }
  },
  {
    name: "forgets what a segment stands on",
    noticed: ["fork.1", "revert.1", "94"],
    random: true,
    driver: making((segment) => ({ ...segment, base: undefined }))
  },
  {
    name: "mixes up what segments stand on",
    noticed: ["fork.2"],
    driver: (driver) => {
      let first: Position | undefined
      return making((segment) => {
        if (segment.base === undefined) return segment
        first ??= segment.base
        return { ...segment, base: first }
      })(driver)
    }
  },
  {
    name: "counts ordinals anew behind a fork or revert",
    noticed: ["revert.1", "copy.2"],
    random: true,
    driver: making((segment) => (segment.nextOrdinal === undefined ? segment : { ...segment, nextOrdinal: 0 }))
  },
  {
    name: "keeps the row of before a revert",
    noticed: ["revert.1"],
    driver: (driver) => ({
      ...driver,
      branch: (threadId, segment, options) =>
        Effect.gen(function* () {
          const { derived } = yield* driver.row(threadId)
          const end = yield* driver.branch(threadId, segment, options)
          yield* driver.putDerived(threadId, derived, end)
          return end
        })
    })
  },
  {
    name: "calls every thread legacy",
    noticed: ["19", "fork.3"],
    random: true,
    driver: (driver) => ({
      ...driver,
      locate: (threadId) => Effect.map(driver.locate(threadId), (at) => ({ ...at, historyMode: "legacy" }))
    })
  },
  {
    name: "takes a place inside of a batch for the place in front of it",
    noticed: ["fork.8"],
    random: true,
    driver: (driver) => {
      const ends: Array<Position> = []
      const whole = (segment: NewSegment): NewSegment => {
        const { base } = segment
        const before = ends.filter((end) => end.segmentId === base?.segmentId && end.offset <= base.offset)
        return { ...segment, base: before.at(-1) ?? base }
      }
      const note = (all: ReadonlyArray<Position>) => Effect.sync(() => void ends.push(...all))
      const noted = <E, R>(effect: Effect.Effect<Position, E, R>) => Effect.tap(effect, (end) => note([end]))
      return {
        ...driver,
        append: (request) => Effect.tap(driver.append(request), note),
        create: (thread) => noted(driver.create({ ...thread, segment: whole(thread.segment) })),
        branch: (threadId, segment, options) => noted(driver.branch(threadId, whole(segment), options))
      }
    }
  }
]
