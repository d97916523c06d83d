/** Several runs of lines as the one segment that they come to, for stores that keep such a thread in one piece. */
import type { TakeLine } from "@skein/core/record/Jsonl"
import { Effect } from "effect"
import type { LineSource, Range } from "../LineSource.js"

/** Part of a source: from the start of a line to the end of one. */
export interface Run<E> {
  readonly source: LineSource<E>
  readonly from: number
  readonly to: number
}

interface Placed<E> extends Run<E> {
  /** Where it begins in what all of them come to. */
  readonly start: number
  readonly length: number
}

/** Puts runs behind each other. Each ends with a line feed then, the last line of a source without one too. */
export const join = <E>(runs: ReadonlyArray<Run<E>>, path: string): Effect.Effect<LineSource<E>, E> =>
  Effect.gen(function* () {
    const placed: Array<Placed<E>> = []
    let size = 0
    for (const run of runs) {
      if (run.to <= run.from) continue
      let length = run.to - run.from
      yield* run.source.backward(
        ({ terminated }) => {
          if (!terminated) length++
          return false
        },
        { from: run.from, to: run.to }
      )
      placed.push({ ...run, start: size, length })
      size += length
    }
    const damaged = runs.find(({ source }) => source.damagedAt !== undefined)
    return {
      path,
      size,
      damagedAt: damaged?.source.damagedAt,
      forward: (take, range = {}) => forward(placed, take, { from: 0, to: size, ...defined(range) }),
      backward: (take, range = {}) => backward(placed, take, { from: 0, to: size, ...defined(range) })
    }
  })

interface Whole {
  readonly from: number
  readonly to: number
}

const defined = ({ from, to }: Range): Partial<Whole> => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to })
})

/** The range of a run that lies in a range of all of them; undefined when none of it does. */
const within = <E>({ from, length, start, to }: Placed<E>, range: Whole): Whole | undefined =>
  range.from >= start + length || range.to <= start
    ? undefined
    : { from: from + Math.max(0, range.from - start), to: Math.min(to, from + range.to - start) }

/** Hands a line on with the place that it has among all of them. */
const shifted =
  <E>({ from, start }: Placed<E>, take: TakeLine): TakeLine =>
  (line, text) =>
    take({ ...line, offset: line.offset - from + start, number: undefined, terminated: true }, text)

const forward = <E>(placed: ReadonlyArray<Placed<E>>, take: TakeLine, range: Whole): Effect.Effect<boolean, E> =>
  Effect.gen(function* () {
    for (const run of placed) {
      const part = within(run, range)
      if (part !== undefined && !(yield* run.source.forward(shifted(run, take), part))) return false
    }
    return true
  })

const backward = <E>(placed: ReadonlyArray<Placed<E>>, take: TakeLine, range: Whole): Effect.Effect<boolean, E> =>
  Effect.gen(function* () {
    for (const run of [...placed].reverse()) {
      const part = within(run, range)
      if (part !== undefined && !(yield* run.source.backward(shifted(run, take), part))) return false
    }
    return true
  })
