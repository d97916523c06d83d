import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as ContextWindow from "../../src/fold/ContextWindow.js"
import { frozen } from "../json/JsonArbitrary.js"

const runs = { numRuns: 1000 }

const id = (n: number): string => `019c2b11-0000-7c00-8000-${n.toString(16).padStart(12, "0")}`

const v4 = "9f8e7d6c-1234-4abc-8def-0123456789ab"

const base: ContextWindow.Live = frozen({
  number: 3,
  firstId: id(0),
  previousId: id(2),
  id: id(3),
  newContextRequested: true,
  prefill: { _tag: "Observed", tokens: 100 },
  reminderDelivered: true,
  fallbackDelivered: true
})

const created = frozen(ContextWindow.create(id(0)))

/** One operation of the table of §3; those that need an id get a fresh one. */
type Operation =
  | { readonly op: "advance" | "startNew" | "historyReplaced" | "requestNew" | "take" | "reminder" | "fallback" }
  | { readonly op: "observe" | "estimate"; readonly tokens: number }

const perform = (live: ContextWindow.Live, operation: Operation, fresh: string): ContextWindow.Live => {
  switch (operation.op) {
    case "advance":
      return ContextWindow.advance(live, fresh)
    case "startNew":
      return ContextWindow.startNew(live, fresh)
    case "historyReplaced":
      return ContextWindow.historyReplaced(live)
    case "requestNew":
      return ContextWindow.requestNew(live)
    case "take":
      return ContextWindow.takeRequest(live)[1]
    case "reminder":
      return ContextWindow.claimReminder(live)[1]
    case "fallback":
      return ContextWindow.claimFallback(live)[1]
    case "observe":
      return ContextWindow.observeUsage(live, operation.tokens)
    case "estimate":
      return ContextWindow.estimate(live, operation.tokens)
  }
}

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    op: fc.constantFrom(
      "advance" as const,
      "startNew" as const,
      "historyReplaced" as const,
      "requestNew" as const,
      "take" as const,
      "reminder" as const,
      "fallback" as const
    )
  }),
  fc.record({
    op: fc.constantFrom("observe" as const, "estimate" as const),
    tokens: fc.integer({ min: -50, max: 500 })
  })
)

const operations = fc.array(operation, { maxLength: 30 })

describe("replay-semantics §3, operations", () => {
  it("create", () => {
    expect(ContextWindow.create(id(7))).toStrictEqual({
      number: 0,
      firstId: id(7),
      previousId: undefined,
      id: id(7),
      newContextRequested: false,
      prefill: { _tag: "None" },
      reminderDelivered: false,
      fallbackDelivered: false
    })
  })

  it("restore sets number and ids only", () => {
    const lineage = { number: 9, firstId: id(10), previousId: id(11), id: id(12) }
    expect(ContextWindow.restore(base, lineage)).toStrictEqual({ ...base, ...lineage })
  })

  it("advance: next number, ids move up, request and flags go, prefill stays", () => {
    expect(ContextWindow.advance(base, id(4))).toStrictEqual({
      number: 4,
      firstId: id(0),
      previousId: id(3),
      id: id(4),
      newContextRequested: false,
      prefill: { _tag: "Observed", tokens: 100 },
      reminderDelivered: false,
      fallbackDelivered: false
    })
  })

  it("advance saturates", () => {
    const last = ContextWindow.restore(base, { number: Number.MAX_SAFE_INTEGER, id: id(5) })
    const next = ContextWindow.advance(last, id(6))
    expect([next.number, next.previousId, next.id]).toEqual([Number.MAX_SAFE_INTEGER, id(5), id(6)])
  })

  it("startNew: advance, then no prefill", () => {
    expect(ContextWindow.startNew(base, id(4))).toStrictEqual({
      ...ContextWindow.advance(base, id(4)),
      prefill: { _tag: "None" }
    })
  })

  it("historyReplaced: no prefill, all else stays", () => {
    expect(ContextWindow.historyReplaced(base)).toStrictEqual({ ...base, prefill: { _tag: "None" } })
  })

  it("requestNew sets, takeRequest returns and clears", () => {
    const [before, taken] = ContextWindow.takeRequest(created)
    expect([before, taken.newContextRequested]).toEqual([false, false])
    const requested = ContextWindow.requestNew(created)
    expect(requested).toStrictEqual({ ...created, newContextRequested: true })
    const [was, cleared] = ContextWindow.takeRequest(requested)
    expect(was).toBe(true)
    expect(cleared).toStrictEqual(created)
  })

  it.each([
    ["claimReminder", ContextWindow.claimReminder, "reminderDelivered"],
    ["claimFallback", ContextWindow.claimFallback, "fallbackDelivered"]
  ] as const)("%s is true the first time in a window only", (_, claim, flag) => {
    const [first, claimed] = claim(created)
    expect(first).toBe(true)
    expect(claimed).toStrictEqual({ ...created, [flag]: true })
    const [second, again] = claim(frozen(claimed))
    expect(second).toBe(false)
    expect(again).toStrictEqual(claimed)
    expect(claim(ContextWindow.advance(claimed, id(1)))[0]).toBe(true)
    expect(claim(ContextWindow.restore(claimed, { number: 9, id: id(9) }))[0]).toBe(false)
  })

  it.each<[string, ContextWindow.Prefill, ContextWindow.Prefill, ContextWindow.Prefill]>([
    ["none", none(), observed(7), estimated(7)],
    ["estimated", estimated(3), observed(7), estimated(7)],
    ["observed", observed(3), observed(3), observed(3)]
  ])("observeUsage and estimate of 7 over prefill %s", (_, prefill, afterObserve, afterEstimate) => {
    const live = frozen({ ...base, prefill })
    expect(ContextWindow.observeUsage(live, 7)).toStrictEqual({ ...base, prefill: afterObserve })
    expect(ContextWindow.estimate(live, 7)).toStrictEqual({ ...base, prefill: afterEstimate })
  })

  it("observeUsage and estimate count from 0", () => {
    expect(ContextWindow.observeUsage(created, -1).prefill).toEqual(observed(0))
    expect(ContextWindow.estimate(created, -1).prefill).toEqual(estimated(0))
    expect(ContextWindow.observeUsage(ContextWindow.observeUsage(created, -1), 5).prefill).toEqual(observed(0))
  })
})

describe("replay-semantics §1.6, installing a lineage", () => {
  it.each<[string, ContextWindow.Lineage, readonly [number, string, string | undefined, string]]>([
    ["all recorded", { number: 5, firstId: id(20), previousId: id(21), id: id(22) }, [5, id(20), id(21), id(22)]],
    ["number only", { number: 5 }, [5, id(3), undefined, id(3)]],
    ["no first id", { number: 5, previousId: id(21), id: id(22) }, [5, id(22), id(21), id(22)]],
    ["no id", { number: 5, firstId: id(20), previousId: id(21) }, [5, id(20), id(21), id(3)]],
    ["a lower number", { number: 0, firstId: id(0), id: id(0) }, [0, id(0), undefined, id(0)]]
  ])("%s", (_, lineage, expected) => {
    const live = ContextWindow.restore(base, lineage)
    expect([live.number, live.firstId, live.previousId, live.id]).toEqual(expected)
    expect([live.newContextRequested, live.prefill, live.reminderDelivered, live.fallbackDelivered]).toEqual([
      true,
      base.prefill,
      true,
      true
    ])
  })
})

describe("replay-semantics §1.2 and rollout-format §7.2, recorded windows", () => {
  it("§1.7.31: session_meta gives window 0", () => {
    expect(ContextWindow.fromMeta(id(1))).toEqual({ number: 0, firstId: id(1), id: id(1) })
  })

  it("session_meta gives nothing without a UUIDv7", () => {
    expect(ContextWindow.fromMeta(v4)).toBe(undefined)
    expect(ContextWindow.fromMeta("window-1")).toBe(undefined)
    expect(ContextWindow.fromMeta(undefined)).toBe(undefined)
    expect(ContextWindow.fromMeta(null)).toBe(undefined)
  })

  it.each<[string, ContextWindow.CompactedFields, ContextWindow.Lineage | undefined]>([
    [
      "number and ids (§1.7.22)",
      { window_number: 42, first_window_id: id(1), previous_window_id: id(2), window_id: id(3) },
      { number: 42, firstId: id(1), previousId: id(2), id: id(3) }
    ],
    ["number only", { window_number: 2 }, { number: 2 }],
    ["number 0", { window_number: 0 }, { number: 0 }],
    ["id only", { window_id: id(3) }, undefined],
    ["neither", {}, undefined],
    [
      "null for unset",
      { window_number: null, first_window_id: null, previous_window_id: null, window_id: null },
      undefined
    ],
    ["missing first id", { window_number: 2, window_id: id(3) }, { number: 2, firstId: id(3), id: id(3) }],
    [
      "first id that is no UUIDv7",
      { window_number: 2, first_window_id: v4, window_id: id(3) },
      { number: 2, firstId: id(3), id: id(3) }
    ],
    [
      "id that is no UUIDv7",
      { window_number: 2, first_window_id: id(1), window_id: v4 },
      { number: 2, firstId: id(1) }
    ],
    [
      "previous id that is no UUIDv7",
      { window_number: 2, first_window_id: id(1), previous_window_id: "", window_id: id(3) },
      { number: 2, firstId: id(1), id: id(3) }
    ],
    ["window_id that is a number", { window_id: 6 }, { number: 6 }],
    ["window_id that is a number beside window_number", { window_number: 7, window_id: 6 }, { number: 7 }],
    ["window_id that is 0", { window_id: 0 }, { number: 0 }],
    ["number that was rounded when parsed", { window_number: 2 ** 64 }, { number: Number.MAX_SAFE_INTEGER }],
    [
      "other spellings of an id",
      { window_number: 1, first_window_id: id(10).toUpperCase(), window_id: `{${id(11)}}` },
      { number: 1, firstId: id(10), id: id(11) }
    ]
  ])("%s", (_, payload, lineage) => {
    expect(ContextWindow.fromCompacted(payload)).toEqual(lineage)
  })

  it("reads what it writes", () => {
    expect(Object.keys(ContextWindow.toCompacted(created))).not.toContain("previous_window_id")
    fc.assert(
      fc.property(operations, (list) => {
        const live = list.reduce((window, next, index) => perform(window, next, id(index + 1)), created)
        expect(ContextWindow.fromCompacted(ContextWindow.toCompacted(live))).toEqual({
          number: live.number,
          firstId: live.firstId,
          previousId: live.previousId,
          id: live.id
        })
      })
    )
  })
})

describe("replay-semantics §10, windows", () => {
  const rotates = (next: Operation): boolean => next.op === "advance" || next.op === "startNew"

  it("§10.27: the number goes up by one with each new window and stays otherwise", () => {
    fc.assert(
      fc.property(operations, (list) => {
        let live = created
        list.forEach((next, index) => {
          const after = frozen(perform(live, next, id(index + 1)))
          expect(after.number).toBe(live.number + (rotates(next) ? 1 : 0))
          live = after
        })
      }),
      runs
    )
  })

  it("§10.28: recorded windows are a chain with one first id", () => {
    fc.assert(
      fc.property(operations, (list) => {
        const recorded: Array<ContextWindow.Lineage | undefined> = [ContextWindow.fromMeta(created.id)]
        let live = created
        list.forEach((next, index) => {
          live = perform(live, next, id(index + 1))
          if (rotates(next)) recorded.push(ContextWindow.fromCompacted(ContextWindow.toCompacted(live)))
        })
        recorded.forEach((lineage, index) => {
          expect(lineage?.number).toBe(index)
          expect(lineage?.firstId).toBe(created.id)
          expect(lineage?.previousId).toBe(recorded[index - 1]?.id)
        })
      }),
      runs
    )
  })

  it("§10.29: an id has one number, whatever is rolled back", () => {
    const move = fc.oneof(
      operation.map((next) => ({ next })),
      fc.nat(30).map((back) => ({ back }))
    )
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        const numbers = new Map<string, number>()
        const past: Array<ContextWindow.Live> = [created]
        let live = created
        moves.forEach((move, index) => {
          live =
            "next" in move
              ? perform(live, move.next, id(index + 1))
              : ContextWindow.restore(live, past[move.back % past.length] ?? created)
          past.push(live)
          expect(numbers.get(live.id) ?? live.number).toBe(live.number)
          numbers.set(live.id, live.number)
        })
      }),
      runs
    )
  })

  it("§10.29: a number may have several ids after a rollback", () => {
    const one = ContextWindow.advance(created, id(1))
    const other = ContextWindow.advance(ContextWindow.restore(one, created), id(2))
    expect([other.number, other.previousId]).toEqual([one.number, one.previousId])
    expect(other.id).not.toBe(one.id)
  })

  it("§10.30: the window after a restored one follows it", () => {
    fc.assert(
      fc.property(operations, fc.nat(1_000_000), (list, number) => {
        const live = list.reduce((window, next, index) => perform(window, next, id(index + 1)), created)
        const next = ContextWindow.advance(ContextWindow.restore(live, { number, id: id(500) }), id(501))
        expect([next.number, next.previousId, next.firstId]).toEqual([number + 1, id(500), id(500)])
      }),
      runs
    )
  })

  it("§10.31: an observed prefill stands until history is replaced or a window started, and none is negative", () => {
    fc.assert(
      fc.property(operations, (list) => {
        let live = created
        list.forEach((next, index) => {
          const before = live.prefill
          live = perform(live, next, id(index + 1))
          if (next.op === "historyReplaced" || next.op === "startNew") expect(live.prefill).toEqual(none())
          else if (next.op === "observe" && before._tag !== "Observed") expect(live.prefill._tag).toBe("Observed")
          else if (next.op === "estimate" && before._tag !== "Observed") expect(live.prefill._tag).toBe("Estimated")
          else expect(live.prefill).toEqual(before)
          if (live.prefill._tag !== "None") expect(live.prefill.tokens).toBeGreaterThanOrEqual(0)
        })
      }),
      runs
    )
  })
})

describe("replay-semantics §3, token status", () => {
  const window = { tokens: 1000, effectivePercent: 95 }
  const usage = (rest: Partial<ContextWindow.Usage>): ContextWindow.Usage => ({
    scope: "total",
    active: 500,
    prefill: none(),
    ...rest
  })
  type Known = number | undefined
  type Expected = readonly [used: number, limit: Known, fullWindow: Known, remaining: Known, limitReached: boolean]
  const body = (rest: Partial<ContextWindow.Usage>) => usage({ scope: "body_after_prefix", ...rest })

  it.each<[string, ContextWindow.Usage, Expected]>([
    ["total, 90 % of the window", usage({ window }), [500, 900, 950, 400, false]],
    ["total, configured below 90 %", usage({ window, configured: 600 }), [500, 600, 950, 100, false]],
    ["total, configured above 90 %", usage({ window, configured: 2000 }), [500, 900, 950, 400, false]],
    ["total, configured, window unknown", usage({ configured: 600 }), [500, 600, undefined, 100, false]],
    ["total, nothing known", usage({}), [500, undefined, undefined, undefined, false]],
    ["total does not look at the prefill", usage({ window, prefill: observed(400) }), [500, 900, 950, 400, false]],
    ["total, just below the limit", usage({ configured: 501 }), [500, 501, undefined, 1, false]],
    ["total, at the limit", usage({ configured: 500 }), [500, 500, undefined, 0, true]],
    ["total, beyond the limit", usage({ configured: 400 }), [500, 400, undefined, 0, true]],
    ["total, within the buffer", usage({ configured: 500, fallbackBuffer: 10 }), [500, 500, undefined, 0, false]],
    ["total, at the end of the buffer", usage({ configured: 490, fallbackBuffer: 10 }), [500, 490, undefined, 0, true]],
    [
      "total, a buffer does not widen the full window",
      usage({ window, active: 950, configured: 900, fallbackBuffer: 500 }),
      [950, 900, 950, 0, true]
    ],
    [
      "total, a full window nearer than the limit",
      usage({ window: { tokens: 1000, effectivePercent: 52 } }),
      [500, 900, 520, 20, false]
    ],
    ["limits are rounded down", usage({ window: { tokens: 1019, effectivePercent: 95 } }), [500, 917, 968, 417, false]],
    ["body, prefill unknown", body({ window, active: 899 }), [0, 900, 950, 51, false]],
    ["body, prefill observed", body({ window, prefill: observed(450) }), [50, 900, 950, 450, false]],
    ["body, prefill estimated", body({ window, prefill: estimated(450) }), [50, 900, 950, 450, false]],
    ["body, configured", body({ window, configured: 60, prefill: observed(450) }), [50, 60, 950, 10, false]],
    ["body, at the limit", body({ window, configured: 50, prefill: observed(450) }), [50, 50, 950, 0, true]],
    [
      "body, configured above 90 %",
      body({ window, configured: 5000, prefill: observed(450) }),
      [50, 5000, 950, 450, false]
    ],
    ["body, full window reached", body({ window, active: 950, prefill: observed(900) }), [50, 900, 950, 0, true]],
    ["body, less than the prefill", body({ configured: 60, prefill: observed(510) }), [-10, 60, undefined, 70, false]],
    ["body, nothing known", body({ prefill: observed(450) }), [50, undefined, undefined, undefined, false]]
  ])("%s", (_, usage, [used, limit, fullWindow, remaining, limitReached]) => {
    expect(ContextWindow.status(usage)).toStrictEqual({ used, limit, fullWindow, remaining, limitReached })
  })

  it("nothing remains once a limit is reached, and what remains is what may be added", () => {
    const anyUsage = fc.record({
      scope: fc.constantFrom("total" as const, "body_after_prefix" as const),
      active: fc.nat(2000),
      prefill: fc.oneof(fc.constant(none()), fc.nat(1000).map(observed), fc.nat(1000).map(estimated)),
      configured: fc.option(fc.nat(2000), { nil: undefined }),
      window: fc.option(fc.record({ tokens: fc.nat(2000), effectivePercent: fc.integer({ min: 1, max: 100 }) }), {
        nil: undefined
      })
    })
    fc.assert(
      fc.property(anyUsage, (usage) => {
        const { limitReached, remaining } = ContextWindow.status(usage)
        expect(limitReached).toBe(remaining === 0)
        if (remaining === undefined || remaining === 0) return
        // With no prefill known the body never grows, so only a known one lets the limit of the body be reached.
        fc.pre(usage.scope === "total" || usage.prefill._tag !== "None")
        const more = (tokens: number) => ContextWindow.status({ ...usage, active: usage.active + tokens }).limitReached
        expect([more(remaining - 1), more(remaining)]).toEqual([false, true])
      }),
      runs
    )
  })

  it.each<[number | undefined, number, boolean]>([
    [101, 100, false],
    [100, 100, true],
    [0, 100, true],
    [undefined, 100, false]
  ])("with %s remaining and a threshold of %s a reminder is due: %s", (remaining, threshold, due) => {
    const configured = remaining === undefined ? undefined : 500 + remaining
    expect(ContextWindow.isReminderDue(ContextWindow.status(usage({ configured })), threshold)).toBe(due)
  })
})

function none(): ContextWindow.Prefill {
  return { _tag: "None" }
}

function observed(tokens: number): ContextWindow.Prefill {
  return { _tag: "Observed", tokens }
}

function estimated(tokens: number): ContextWindow.Prefill {
  return { _tag: "Estimated", tokens }
}
