/** Views are rebuilt at will: from zero as from where they were left, and to the byte (thread-view §5, I5 and I8). */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Fold from "../../../src/fold/Fold.js"
import * as StoredView from "../../../src/fold/view/StoredView.js"
import * as ThreadView from "../../../src/fold/view/ThreadView.js"
import * as Jsonl from "../../../src/record/Jsonl.js"
import * as Record from "../../../src/record/Record.js"
import * as Drafts from "./Drafts.js"
import type { Draft } from "./Events.js"
import * as E from "./Events.js"

const V = ThreadView.fold()
const shown = (view: ThreadView.ThreadView): string => JSON.stringify(ThreadView.turns(view))

const pages = (drafts: ReadonlyArray<Draft>) => E.numbered([E.paginated(), ...drafts])
const enriched = (drafts: ReadonlyArray<Draft>) => [E.meta(), ...drafts]
const anyLog = fc.oneof(
  Drafts.legacyLog.map(enriched),
  Drafts.snapshotLog.map(pages),
  Drafts.snapshotLog.map(enriched),
  Drafts.mixedLog
)

/** Lines that no reader makes a record of. */
const rejected: fc.Arbitrary<Uint8Array> = fc
  .constantFrom(
    "not JSON",
    "[]",
    "{}",
    '{"timestamp":"x","type":"event_msg","payload":{"type":"task_started"}}',
    "\xff"
  )
  .map((text) => Uint8Array.from(text, (character) => character.charCodeAt(0)))

const utf8 = new TextEncoder()

/** The lines of a log, with some that are rejected among them. */
const lines = fc.tuple(anyLog, fc.array(fc.tuple(fc.nat(30), rejected), { maxLength: 4 })).map(([drafts, bad]) => {
  const all: Array<Uint8Array> = drafts.map((draft) =>
    utf8.encode(JSON.stringify({ timestamp: "2026-07-20T10:00:00.000Z", ...draft }))
  )
  for (const [at, line] of bad) all.splice(at, 0, line)
  return all
})

const joined = (all: ReadonlyArray<Uint8Array>): Uint8Array => Uint8Array.from(all.flatMap((line) => [...line, 0x0a]))

/** A view, what was rejected on the way, and the offset behind the last whole line. */
interface Reading {
  readonly view: ThreadView.ThreadView
  readonly rejects: ReadonlyArray<string>
  readonly offset: number
}

const zero: Reading = { view: ThreadView.initial, rejects: [], offset: 0 }

/** Goes on with a file as far as it reaches, as a host does that looks at it now and then. A line in the making waits. */
const goOn = (reading: Reading, file: Uint8Array): Reading => {
  let { offset, view } = reading
  const rejects = [...reading.rejects]
  const splitter = Jsonl.forward({ offset, number: 1 })
  splitter.push(file.subarray(offset), (line) => {
    const decoded = Record.decode(line)
    if (decoded.kind === "damage") rejects.push(`${decoded.reason} at ${decoded.line.offset}`)
    else if (decoded.kind !== "blank") view = V.step(view, decoded)
    offset = line.offset + line.bytes.length + 1
    return true
  })
  return { view, rejects, offset }
}

/** A process that ends, and another one that has what was stored. */
const restarted = (reading: Reading): Reading => ({
  ...reading,
  view: StoredView.restore(JSON.parse(JSON.stringify(StoredView.store(reading.view))))
})

describe("I5", () => {
  it("a view that grew with its file is the one that is rebuilt from zero; both reject the same lines", () => {
    let rejects = 0
    fc.assert(
      fc.property(lines, fc.array(fc.tuple(fc.nat(4000), fc.boolean()), { maxLength: 6 }), (all, looks) => {
        const file = joined(all)
        let grown = zero
        for (const [length, isLast] of looks.toSorted(([one], [other]) => one - other)) {
          grown = goOn(grown, file.subarray(0, Math.max(grown.offset, Math.min(length, file.length))))
          if (isLast) grown = restarted(grown)
        }
        grown = goOn(grown, file)
        const rebuilt = goOn(zero, file)
        expect(shown(grown.view)).toBe(shown(rebuilt.view))
        expect(grown.rejects).toEqual(rebuilt.rejects)
        expect(grown.offset).toBe(file.length)
        rejects += rebuilt.rejects.length
      }),
      { numRuns: 300 }
    )
    expect(rejects).toBeGreaterThan(0)
  })

  it("what was stored knows which items legacy events would tell of again", () => {
    const said = E.item("a", E.said("u", "hi"))
    const rows: ReadonlyArray<readonly [before: ReadonlyArray<Draft>, after: ReadonlyArray<Draft>]> = [
      [[E.started("a"), said], [E.user("hi")]],
      [[E.started("a"), E.item("a", E.command("c"))], [E.user("hi")]],
      [[said], [E.started("a"), E.user("hi")]],
      [[E.item("a", E.command("c"))], [E.started("a"), E.user("hi")]]
    ]
    const ids = rows.map(([before, after]) => {
      const records = E.records(pages([...before, ...after]))
      const cut = 1 + before.length
      const { view } = restarted({ ...zero, view: Fold.run(V, records.slice(0, cut)) })
      const there = Fold.run(V, records.slice(cut), view)
      expect(shown(there)).toBe(shown(Fold.run(V, records)))
      return ThreadView.turns(there).flatMap(({ items }) => items.map(({ id }) => id))
    })
    expect(ids).toEqual([["u"], ["c", "item-1"], ["u"], ["c", "item-1"]])
  })

  it("lines that are rejected change nothing in what is shown", () => {
    fc.assert(
      fc.property(lines, (all) => {
        const isGood = (line: Uint8Array) => goOn(zero, joined([line])).rejects.length === 0
        expect(shown(goOn(zero, joined(all)).view)).toBe(shown(goOn(zero, joined(all.filter(isGood))).view))
      }),
      { numRuns: 300 }
    )
  })
})

/** The one record whose item the reference gives another id at every reading. */
const withoutId = E.message("user", [`<hook_prompt hook_run_id="r">t</hook_prompt>`])

describe("I8", () => {
  it("the same records give the same bytes, whatever was folded in between", () => {
    // Records without ids of their own are among them: places stand for those here, where the reference draws at random.
    fc.assert(
      fc.property(anyLog, anyLog, fc.nat(25), fc.nat(25), (log, others, at, place) => {
        const drafts = log.toSpliced(1 + place, 0, withoutId)
        const records = E.records(drafts)
        const first = shown(Fold.run(V, records))
        const prefix = Fold.run(V, records.slice(0, at))
        // States share what they have in common, so one that goes elsewhere must not change where another one goes.
        const elsewhere = Fold.run(V, E.records(others), prefix)
        const before = shown(elsewhere)
        expect(shown(Fold.run(V, records.slice(at), prefix))).toBe(first)
        expect(shown(elsewhere)).toBe(before)
        expect(shown(Fold.run(V, E.records(others), prefix))).toBe(before)
        expect(shown(Fold.run(V, E.records(drafts)))).toBe(first)
        expect(shown(ThreadView.batch(ThreadView.initial, records).view)).toBe(first)
      }),
      { numRuns: 300 }
    )
  })
})
