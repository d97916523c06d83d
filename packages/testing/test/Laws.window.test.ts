/** Laws of context windows: the operations on a live one, and the chain that logs of threads tell (replay-semantics §3). */
import * as ContextWindow from "@skein/core/fold/ContextWindow"
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import type { StoredRecord } from "@skein/core/record/Record"
import * as Script from "@skein/testing/Script"
import * as Thread from "@skein/testing/Thread"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const runs = { numRuns: 1000 }

const idOf = (n: number): string => `019c2b10-7a00-7c00-8000-${n.toString(16).padStart(12, "0")}`

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const tokens = fc.integer({ min: -50, max: 1000 })
const step = fc.oneof(
  fc
    .constantFrom(
      ...(["advance", "startNew", "historyReplaced", "requestNew", "takeRequest", "reminder", "fallback"] as const)
    )
    .map((kind) => ({ kind, tokens: 0 })),
  tokens.map((tokens) => ({ kind: "observe" as const, tokens })),
  tokens.map((tokens) => ({ kind: "estimate" as const, tokens })),
  fc.nat(40).map((tokens) => ({ kind: "restore" as const, tokens }))
)

/** The table of §3, as a thing that changes. */
class Table {
  number = 0
  first: string
  previous: string | undefined
  current: string
  requested = false
  prefill: number | undefined
  known: ContextWindow.Prefill["_tag"] = "None"
  reminded = false
  fallen = false
  constructor(id: string) {
    this.first = id
    this.current = id
  }
  advance(id: string) {
    this.number = Math.min(this.number + 1, 2 ** 53 - 1)
    this.previous = this.current
    this.current = id
    this.requested = false
    this.reminded = false
    this.fallen = false
  }
  replaced() {
    this.prefill = undefined
    this.known = "None"
  }
  measure(count: number, known: "Observed" | "Estimated") {
    if (this.known === "Observed") return
    this.prefill = Math.max(0, count)
    this.known = known
  }
}

const like = (live: ContextWindow.Live) => ({
  number: live.number,
  first: live.firstId,
  previous: live.previousId,
  current: live.id,
  requested: live.newContextRequested,
  prefill: live.prefill._tag === "None" ? undefined : live.prefill.tokens,
  known: live.prefill._tag,
  reminded: live.reminderDelivered,
  fallen: live.fallbackDelivered
})

describe("a live window", () => {
  it("§10.30, §10.31: does what the table of §3 says, whatever came before, and no state changes behind one's back", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.constantFrom(0, 3, 2 ** 53 - 2), (steps, number) => {
        const table = new Table(idOf(0))
        let live = ContextWindow.restore(ContextWindow.create(idOf(0)), { number })
        table.number = number
        let ids = 1
        for (const { kind, tokens } of steps) {
          const before = plain(live)
          const id = idOf(ids++)
          let next = live
          if (kind === "advance") {
            next = ContextWindow.advance(live, id)
            table.advance(id)
          } else if (kind === "startNew") {
            next = ContextWindow.startNew(live, id)
            table.advance(id)
            table.replaced()
          } else if (kind === "historyReplaced") {
            next = ContextWindow.historyReplaced(live)
            table.replaced()
          } else if (kind === "requestNew") {
            next = ContextWindow.requestNew(live)
            table.requested = true
          } else if (kind === "takeRequest") {
            const [requested, taken] = ContextWindow.takeRequest(live)
            expect(requested).toBe(table.requested)
            table.requested = false
            next = taken
          } else if (kind === "reminder") {
            const [granted, claimed] = ContextWindow.claimReminder(live)
            expect(granted).toBe(!table.reminded)
            table.reminded = true
            next = claimed
          } else if (kind === "fallback") {
            const [granted, claimed] = ContextWindow.claimFallback(live)
            expect(granted).toBe(!table.fallen)
            table.fallen = true
            next = claimed
          } else if (kind === "restore") {
            // A third of the lineages know no id, a third only their own, a third all.
            const known = tokens % 3
            const lineage = {
              number: tokens,
              ...(known > 0 ? { id } : {}),
              ...(known > 1 ? { firstId: idOf(100), previousId: idOf(101) } : {})
            }
            next = ContextWindow.restore(live, lineage)
            table.number = tokens
            table.current = known > 0 ? id : table.current
            table.first = known > 1 ? idOf(100) : table.current
            table.previous = known > 1 ? idOf(101) : undefined
          } else if (kind === "observe") {
            next = ContextWindow.observeUsage(live, tokens)
            table.measure(tokens, "Observed")
          } else {
            next = ContextWindow.estimate(live, tokens)
            table.measure(tokens, "Estimated")
          }
          expect(plain(live)).toEqual(before)
          expect(like(next)).toEqual({ ...table })
          live = next
        }
      }),
      runs
    )
  })

  it("a new one is number 0, its own first, and has nothing behind it", () => {
    expect(like(ContextWindow.create(idOf(7)))).toEqual({ ...new Table(idOf(7)) })
  })
})

describe("windows in logs", () => {
  const live = fc
    .tuple(fc.constantFrom(0, 1, 5, 2 ** 53 - 1), fc.integer({ min: 1, max: 9 }), fc.boolean())
    .map(([number, n, hasPrevious]) =>
      ContextWindow.restore(ContextWindow.create(idOf(n)), {
        number,
        id: idOf(n),
        firstId: idOf(0),
        ...(hasPrevious ? { previousId: idOf(n + 10) } : {})
      })
    )

  it("a window that a compaction records is read as it was", () => {
    fc.assert(
      fc.property(live, (window) => {
        const { firstId, id, number, previousId } = window
        const written = plain(ContextWindow.toCompacted(window)) as Readonly<Record<string, unknown>>
        expect(ContextWindow.fromCompacted(written)).toEqual({
          number,
          firstId,
          previousId,
          id
        })
        const log = Script.log(Script.header(), Script.compacted([], written))
        expect(windowOf(log)).toEqual({ number, firstId, previousId, id })
      }),
      { numRuns: 300 }
    )
  })

  const spellings = [
    (id: string) => id,
    (id: string) => id.toUpperCase(),
    (id: string) => `{${id}}`,
    (id: string) => `urn:uuid:${id}`,
    (id: string) => id.replaceAll("-", "")
  ]
  const v7 = fc
    .tuple(fc.nat(9), fc.constantFrom(...spellings))
    .map(([n, spell]) => ({ text: spell(idOf(n)), id: idOf(n) }))
  const other = fc
    .constantFrom(null, undefined, "", "w", "9f8e7d6c-1234-4abc-8def-0123456789ab", "019c2b10-7a00-7c00-8000")
    .map((text) => ({ text, id: undefined }))
  const anyId = fc.oneof(v7, other)

  it("§10.29: an id counts if it is a UUIDv7, in whatever spelling, and is given in the one that is written", () => {
    fc.assert(
      fc.property(anyId, anyId, anyId, fc.option(fc.nat(9), { nil: undefined }), (own, first, previous, number) => {
        expect(ContextWindow.fromMeta(own.text)).toEqual(
          own.id === undefined ? undefined : { number: 0, firstId: own.id, previousId: undefined, id: own.id }
        )
        const read = ContextWindow.fromCompacted({
          window_number: number,
          first_window_id: first.text,
          previous_window_id: previous.text,
          window_id: own.text
        })
        expect(read).toEqual(
          number === undefined
            ? undefined
            : { number, firstId: first.id ?? own.id, previousId: previous.id, id: own.id }
        )
      }),
      runs
    )
  })

  it("a number for an id is the number of the window, unless there is one (rollout-format §7.2)", () => {
    fc.assert(
      fc.property(fc.nat(9), fc.option(fc.nat(9)), anyId, (old, number, first) => {
        expect(
          ContextWindow.fromCompacted({ window_id: old, window_number: number, first_window_id: first.text })
        ).toEqual({ number: number ?? old, firstId: first.id, previousId: undefined, id: undefined })
      }),
      { numRuns: 300 }
    )
    expect(ContextWindow.fromCompacted({ window_number: 2 ** 60 })?.number).toBe(2 ** 53 - 1)
  })
})

const windowOf = (log: ReadonlyArray<StoredRecord>) => ModelContext.read(Fold.run(ModelContext.fold(), log)).window

describe("the chain of windows", () => {
  const current = ["legacy", "enriched", "paginated"] as const

  it("§10.28: is that of a live window that is opened anew by each compaction; a replay ends where it is", () => {
    let compactions = 0
    const any = fc.oneof(...current.map((form) => Thread.thread({ form, without: ["fork", "rebuilt"] })))
    fc.assert(
      fc.property(any, ({ log }) => {
        const [head] = log
        const first = head?.kind === "session_meta" ? head.payload.context_window?.window_id : undefined
        // The header of 0.142.4 names no window.
        fc.pre(first !== undefined)
        let live = ContextWindow.create(first ?? "")
        for (const [i, record] of log.entries()) {
          if (record.kind === "compacted") {
            compactions++
            live = ContextWindow.advance(live, record.payload.window_id ?? "")
            const { first_window_id, previous_window_id, window_id, window_number } = record.payload
            expect({ first_window_id, previous_window_id, window_id, window_number }).toEqual(
              ContextWindow.toCompacted(live)
            )
          } else if (i % 7 !== 0 && i !== log.length - 1) continue
          const { firstId, id, number, previousId } = live
          expect(windowOf(log.slice(0, i + 1))).toEqual({ firstId, id, number, previousId })
        }
      }),
      { numRuns: 150 }
    )
    expect(compactions).toBeGreaterThan(0)
  })

  it("§10.27: where compactions record no window, it is the newest that does, else as many as there are (§1.3)", () => {
    const seen = { counted: 0, recorded: 0, first: 0 }
    fc.assert(
      fc.property(Thread.thread({ without: ["fork"] }), ({ log }) => {
        const compactions = log.flatMap((record) => (record.kind === "compacted" ? [record.payload] : []))
        const newest = compactions.findLast(({ window_number }) => window_number !== undefined)
        const [head] = log
        const own = head?.kind === "session_meta" ? head.payload.context_window?.window_id : undefined
        const window = windowOf(log)
        expect(window.number).toBe(newest?.window_number ?? compactions.length)
        if (newest !== undefined) {
          seen.recorded++
          expect([window.id, window.firstId, window.previousId]).toEqual([
            newest.window_id,
            newest.first_window_id,
            newest.previous_window_id
          ])
        } else if (compactions.length > 0) {
          seen.counted++
          expect([window.id, window.firstId, window.previousId]).toEqual([undefined, undefined, undefined])
        } else {
          seen.first++
          expect([window.id, window.firstId, window.previousId]).toEqual([own, own, undefined])
        }
      }),
      { numRuns: 300 }
    )
    expect(Math.min(seen.counted, seen.recorded, seen.first)).toBeGreaterThan(0)
  })
})

describe("how full a window is", () => {
  const count = fc.nat(1000)
  const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })
  const prefill = fc.oneof(
    fc.constant({ _tag: "None" as const }),
    count.map((tokens) => ({ _tag: "Estimated" as const, tokens })),
    count.map((tokens) => ({ _tag: "Observed" as const, tokens }))
  )
  const usage = fc.record({
    scope: fc.constantFrom("total" as const, "body_after_prefix" as const),
    active: count,
    prefill,
    configured: maybe(count),
    window: maybe(fc.record({ tokens: count, effectivePercent: fc.integer({ min: 1, max: 100 }) })),
    fallbackBuffer: maybe(fc.nat(100))
  })

  /** The least of the numbers that there are. */
  const least = (...numbers: ReadonlyArray<number | undefined>): number | undefined => {
    const known = numbers.filter((number) => number !== undefined)
    return known.length === 0 ? undefined : Math.min(...known)
  }

  it("is what the table of §3 says of tokens", () => {
    fc.assert(
      fc.property(usage, fc.nat(200), (of, threshold) => {
        const { active, configured, fallbackBuffer = 0, scope, window } = of
        const model = window === undefined ? undefined : Math.floor(window.tokens * 0.9 + 1e-9)
        const full = window === undefined ? undefined : Math.floor((window.tokens * window.effectivePercent) / 100)
        const grown = of.prefill._tag === "None" ? 0 : active - of.prefill.tokens
        const used = scope === "total" ? active : grown
        const limit = scope === "total" ? least(configured, model) : (configured ?? model)
        const remaining = least(
          limit === undefined ? undefined : Math.max(0, limit - used),
          full === undefined ? undefined : Math.max(0, full - active)
        )
        const status = ContextWindow.status(of)
        expect(status).toEqual({
          used,
          limit,
          fullWindow: full,
          remaining,
          limitReached:
            (limit !== undefined && used >= limit + fallbackBuffer) || (full !== undefined && active >= full)
        })
        expect(ContextWindow.isReminderDue(status, threshold)).toBe(remaining !== undefined && remaining <= threshold)
      }),
      { numRuns: 3000 }
    )
  })
})
