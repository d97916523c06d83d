import { anyLog } from "@skein/testing/AnyLog"
import * as Thread from "@skein/testing/Thread"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as AgentTree from "../../src/fold/AgentTree.js"
import * as Fold from "../../src/fold/Fold.js"
import * as ModelContext from "../../src/fold/ModelContext.js"
import * as Recency from "../../src/fold/Recency.js"
import * as ThreadSummary from "../../src/fold/ThreadSummary.js"
import * as TokenUsage from "../../src/fold/TokenUsage.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import type { StoredRecord } from "../../src/record/Record.js"
import * as s from "./script.js"

/** Every fold there is; items are kept as lines from the first one on. */
const folds = Fold.struct({
  context: ModelContext.fold({ parsedBytes: 0 }),
  view: ThreadView.fold(),
  summary: ThreadSummary.fold,
  recency: Recency.fold,
  usage: TokenUsage.fold,
  agent: AgentTree.fold,
  items: Fold.filter(
    Fold.make(0, (n) => n + 1),
    ({ kind }) => kind === "response_item"
  )
})
type State = typeof folds.initial

/** What the states say, without how they are kept. */
const answerOf = ({ context, usage, view, ...rest }: State) => ({
  ...rest,
  context: ModelContext.read(context),
  turns: ThreadView.turns(view),
  nextRecord: view.nextRecord,
  usage: { total: usage.total, last: usage.last, turns: TokenUsage.turns(usage) }
})

/** Goes through a log as a reader of files does, which puts each line into the memory of the one before. */
const through = (log: ReadonlyArray<StoredRecord>, from: State, each: (cursor: Fold.Cursor<State>) => void): void => {
  const cursor = Fold.cursor(folds, from)
  const memory = new Uint8Array(Math.max(0, ...log.map(({ line }) => line.bytes.length)))
  for (const record of log) {
    memory.set(record.line.bytes)
    cursor.add({ ...record, line: { ...record.line, bytes: memory.subarray(0, record.line.bytes.length) } })
    each(cursor)
  }
  memory.fill(0)
}

/** A log in which each item is so long that few of them fill the memory that lines are kept in. */
const longLog = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant("turn") },
      { weight: 1, arbitrary: fc.constant("compaction") },
      { weight: 1, arbitrary: fc.constant("rollback") }
    ),
    { minLength: 10, maxLength: 40 }
  )
  .map((steps) =>
    s.log(
      steps.map((step, i) => {
        const text = `${i} `.repeat(i % 3 === 0 ? 30_000 : 3_000)
        if (step === "rollback") return s.rollback(1)
        if (step === "turn") return s.turn(`t${i}`, `u${i}`, s.assistant(text), s.assistant(`b${i}`), s.developer(text))
        return [s.started(`k${i}`), s.compacted([s.user(`kept${i}`)], { window_number: i }), s.completed(`k${i}`)]
      })
    )
  )

/** Seconds at which records are written, by clocks that go back too. */
const clocks = fc.infiniteStream(fc.nat(9))

describe("a cursor", () => {
  it.each([
    ["any log", anyLog, 300],
    ["any thread", Thread.thread().map(({ log }) => log), 200],
    ["a log of long items", longLog, 60]
  ] as const)("gives what the steps give, and what it gave stays as it is: %s", (_, logs, numRuns) => {
    fc.assert(
      fc.property(logs, fc.infiniteStream(fc.nat(4)), fc.nat(60), clocks, (written, asks, cut, seconds) => {
        const log = written.map((record) => ({
          ...record,
          timestamp: `2026-07-20T10:00:0${seconds.next().value}.000Z`
        }))
        const at = Math.min(cut, log.length)
        const expected = [...Fold.scan(folds, log)]
        const given: Array<readonly [state: State, i: number]> = []
        let i = at
        through(log.slice(at), expected[at] ?? folds.initial, (cursor) => {
          i++
          if (asks.next().value === 0 || i === log.length) given.push([cursor.state(), i])
        })
        for (const [state, i] of given) expect(answerOf(state)).toEqual(answerOf(expected[i] ?? folds.initial))
      }),
      { numRuns }
    )
  })

  it("gives the same object when nothing was added", () => {
    const { add, state } = Fold.cursor(folds)
    for (const record of s.log(s.header(), s.turn("a", "hi"))) add(record)
    expect(state().view).toBe(state().view)
    expect(state().agent).toBe(state().agent)
  })
})
