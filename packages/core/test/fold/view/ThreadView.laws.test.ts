/** Laws of the two projections and of the view over them, under their numbers (thread-view §5, I1 to I18). */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as PersistencePolicy from "../../../src/decide/PersistencePolicy.js"
import * as Fold from "../../../src/fold/Fold.js"
import * as ChangeSet from "../../../src/fold/view/ChangeSet.js"
import * as FanOut from "../../../src/fold/view/FanOut.js"
import * as LegacyView from "../../../src/fold/view/LegacyView.js"
import * as SnapshotView from "../../../src/fold/view/SnapshotView.js"
import * as StoredView from "../../../src/fold/view/StoredView.js"
import type { ThreadItem } from "../../../src/fold/view/ThreadItem.js"
import * as ThreadView from "../../../src/fold/view/ThreadView.js"
import type { Turn } from "../../../src/fold/view/Turn.js"
import * as State from "../../../src/fold/view/ViewState.js"
import type { StoredRecord } from "../../../src/record/Record.js"
import * as Sniff from "../../../src/record/Sniff.js"
import type { TurnItem } from "../../../src/record/TurnItem.js"
import * as Drafts from "./Drafts.js"
import type { Draft } from "./Events.js"
import * as E from "./Events.js"

const runs = { numRuns: 300 }

const F = Fold.make(State.initial, (state, record) => LegacyView.step(state, record))
const V = ThreadView.fold()
const foldOf = (drafts: ReadonlyArray<Draft>) => State.turns(Fold.run(F, E.records(drafts)))
const viewOf = (drafts: ReadonlyArray<Draft>) => ThreadView.turns(Fold.run(V, E.records(drafts)))

const pages = (drafts: ReadonlyArray<Draft>) => E.numbered([E.paginated(), ...drafts])
const enriched = (drafts: ReadonlyArray<Draft>) => [E.meta(), ...drafts]
const anyLog = fc.oneof(
  Drafts.legacyLog.map(enriched),
  Drafts.snapshotLog.map(pages),
  Drafts.snapshotLog.map(enriched),
  Drafts.mixedLog
)
const cutOf = <A>(log: fc.Arbitrary<ReadonlyArray<A>>) => fc.tuple(log, fc.nat(30))

describe("states", () => {
  it("I1, I2: a log continues what its beginning came to, and no state changes behind one's back", () => {
    fc.assert(
      fc.property(anyLog, (drafts) => {
        const records = E.records(drafts)
        const states = [...Fold.scan(V, records)]
        const shown = states.map((state) => JSON.stringify(ThreadView.turns(state)))
        for (const [i, state] of states.entries()) {
          expect(JSON.stringify(ThreadView.turns(state))).toBe(shown[i])
          const again = Fold.run(V, records.slice(i), state)
          expect(ThreadView.turns(again)).toEqual(ThreadView.turns(states.at(-1) as ThreadView.ThreadView))
        }
      }),
      { numRuns: 60 }
    )
  })

  it("a suffix goes on from what was stored, through JSON, as if nothing had been in between (§1.10)", () => {
    fc.assert(
      fc.property(cutOf(anyLog), ([drafts, at]) => {
        const records = E.records(drafts)
        const stored = StoredView.store(Fold.run(V, records.slice(0, at)))
        const restored = StoredView.restore(JSON.parse(JSON.stringify(stored)))
        expect(ThreadView.turns(Fold.run(V, records.slice(at), restored))).toEqual(viewOf(drafts))
      }),
      runs
    )
  })

  it("turns and items alone are enough for canonical records that follow (§1.10)", () => {
    fc.assert(
      fc.property(cutOf(Drafts.snapshotLog.map(pages)), ([drafts, at]) => {
        const records = E.records(drafts)
        const stored = StoredView.store(Fold.run(V, records.slice(0, at)))
        fc.pre(stored.kind === "snapshots")
        const { hidden: _, waiting, ...rest } = stored as StoredView.SnapshotStored
        const bare = { ...rest, waiting: waiting.map(({ items, turnId }) => ({ items, turnId })) }
        expect(ThreadView.turns(Fold.run(V, records.slice(at), StoredView.restore(bare)))).toEqual(viewOf(drafts))
      }),
      runs
    )
  })

  it("canonical snapshots need turns and items alone; legacy events what is hidden as well", () => {
    const kindOf = (drafts: ReadonlyArray<Draft>) => StoredView.store(Fold.run(V, E.records(drafts))).kind
    expect(kindOf(pages([E.started("a")]))).toBe("snapshots")
    expect(kindOf(enriched([E.started("a")]))).toBe("folded")
    expect(kindOf(pages([E.started("a"), E.user("1")]))).toBe("folded")
    expect(kindOf([])).toBe("folded")
  })

  it("I3: the change set of a batch brings a copy up to date", () => {
    fc.assert(
      fc.property(cutOf(anyLog.map(Drafts.withUniqueTurns)), ([drafts, at]) => {
        const records = E.records(drafts)
        const before = Fold.run(V, records.slice(0, at))
        const { changes, view } = ThreadView.batch(before, records.slice(at))
        const after = ThreadView.turns(view)
        fc.pre(new Set(after.map(({ id }) => id)).size === after.length)
        expect(ChangeSet.apply(ThreadView.turns(before), changes)).toEqual(after)
      }),
      runs
    )
  })

  it("I3: so do the change sets of its records, one by one", () => {
    fc.assert(
      fc.property(anyLog.map(Drafts.withUniqueTurns), (drafts) => {
        let view = ThreadView.initial
        let copy: ReadonlyArray<Turn> = []
        for (const record of E.records(drafts)) {
          const step = ThreadView.step(view, record)
          view = step.view
          copy = ChangeSet.apply(copy, step.changes)
        }
        const turns = ThreadView.turns(view)
        fc.pre(new Set(turns.map(({ id }) => id)).size === turns.length)
        expect(copy).toEqual(turns)
      }),
      runs
    )
  })

  it("I4: the tail of a paginated log, taken in again, changes nothing", () => {
    fc.assert(
      fc.property(cutOf(Drafts.snapshotLog.map(pages)), ([drafts, at]) => {
        const records = E.records(drafts)
        const view = Fold.run(V, records)
        expect(ThreadView.turns(Fold.run(V, records.slice(at), view))).toEqual(ThreadView.turns(view))
      }),
      runs
    )
  })

  it("I6: in a paginated log an item stands where it first appeared", () => {
    fc.assert(
      fc.property(Drafts.snapshotLog, (drafts) => {
        for (const turn of viewOf(pages(drafts))) {
          const met = drafts.flatMap(({ payload }) => {
            const { item, turn_id } = payload as { readonly item?: { readonly id: string }; readonly turn_id?: string }
            return item !== undefined && turn_id === turn.id ? [item.id] : []
          })
          expect(turn.items.map(({ id }) => id)).toEqual([...new Set(met)])
        }
      }),
      runs
    )
  })

  it("I7: synthesised ids are unique in the thread, any id within its turn of a paginated log", () => {
    fc.assert(
      fc.property(Drafts.legacyLog, Drafts.snapshotLog, (legacy, snapshots) => {
        const numbers = foldOf(legacy).flatMap(({ items }) =>
          items.map(({ id }) => id).filter((id) => /^item-/.test(id))
        )
        expect(new Set(numbers).size).toBe(numbers.length)
        for (const { items } of viewOf(pages(snapshots)))
          expect(new Set(items.map(({ id }) => id)).size).toBe(items.length)
      }),
      runs
    )
  })

  it("I9: records of unknown kinds change nothing", () => {
    const unknown: Draft = { type: "event_msg", payload: { type: "from_the_future" } }
    fc.assert(
      fc.property(cutOf(anyLog), ([drafts, at]) => {
        const where = Math.max(1, at)
        expect(viewOf([...drafts.slice(0, where), unknown, ...drafts.slice(where)])).toEqual(viewOf(drafts))
      }),
      runs
    )
  })

  it("I10: filtering twice is filtering once, and what counts for ids is what the filter keeps", () => {
    const filtered = (records: ReadonlyArray<StoredRecord>) => records.filter(LegacyView.isCounted)
    fc.assert(
      fc.property(Drafts.legacyLog, (drafts) => {
        const once = filtered(E.records(drafts))
        expect(filtered(once)).toEqual(once)
        for (const record of once) {
          expect(record.kind !== "unknown" && PersistencePolicy.decide(record, "legacy")).toBe("keep")
        }
      }),
      runs
    )
  })
})

/** A turn with its items as a paginated log has it, and with the legacy events behind each item. */
const completeTurn = (items: ReadonlyArray<object>, end: Draft) => {
  const canonical = [E.started("t", { started_at: 1 }), ...items.map((item) => E.item("t", item as never)), end]
  const fan = canonical.flatMap((draft) => {
    const { item } = draft.payload as { readonly item?: TurnItem }
    const events = item === undefined ? [] : FanOut.onCompleted(item, { turnId: "t", atMs: 0, rawReasoning: true })
    return [draft, ...events.map((payload): Draft => ({ type: "event_msg", payload }))]
  })
  return { canonical, fan }
}

const renamed = new Set(["userMessage", "agentMessage", "reasoning", "contextCompaction"])

/** What the two projections must agree on: all but times, and ids that the legacy events do not carry. */
const comparable = (turns: ReadonlyArray<Turn>) =>
  turns.map((turn) => ({
    ...turn,
    items: turn.items.map((item: ThreadItem) => ({
      ...item,
      id: renamed.has(item.type) ? "renamed" : item.id,
      startedAtMs: null,
      completedAtMs: null
    }))
  }))

const ends = fc.constantFrom(
  E.complete("t", { started_at: 1, completed_at: 3, duration_ms: 2000 }),
  E.complete("t", { started_at: 1, error: { message: "no", codex_error_info: "other" } }),
  E.aborted("t", { started_at: 1, completed_at: 3 })
)

describe("the two projections", () => {
  it("I12: both show the same turn; I14: the ids that they differ in are numbered in order", () => {
    fc.assert(
      fc.property(Drafts.turnItems, ends, (items, end) => {
        const { canonical, fan } = completeTurn(items, end)
        const folded = foldOf(fan)
        expect(comparable(folded)).toEqual(comparable(viewOf(pages(canonical))))
        const numbers = folded.flatMap((turn) => turn.items).filter(({ type }) => renamed.has(type))
        expect(numbers.map(({ id }) => id)).toEqual(numbers.map((_, i) => `item-${i + 1}`))
      }),
      runs
    )
  })

  it("I12: and the view shows the canonical items, whether repetitions stand behind them or not", () => {
    fc.assert(
      fc.property(Drafts.turnItems, ends, fc.boolean(), (items, end, marked) => {
        const { canonical, fan } = completeTurn(items, end)
        const log = fan.map((draft) =>
          canonical.includes(draft) || !marked ? draft : { ...draft, skein: { v: 1, kind: "fanout" } }
        )
        const drop = (turns: ReadonlyArray<Turn>) => comparable(turns).map(({ items }) => items)
        expect(drop(viewOf(enriched(log)))).toEqual(drop(viewOf(pages(canonical))))
        expect(viewOf(pages(fan))).toEqual(viewOf(pages(canonical)))
      }),
      runs
    )
  })

  it("I13: behind the legacy filter, what is kept agrees", () => {
    const kept = new Set([
      "userMessage",
      "agentMessage",
      "plan",
      "sleep",
      "fileChange",
      "mcpToolCall",
      "subAgentActivity"
    ])
    fc.assert(
      fc.property(Drafts.turnItems, ends, (items, end) => {
        const some = items.filter(({ type }) => type !== "Reasoning")
        const { canonical, fan } = completeTurn(some, end)
        const folded = State.turns(Fold.run(F, E.records(fan).filter(LegacyView.isCounted)))
        const of = (turns: ReadonlyArray<Turn>) =>
          comparable(turns).flatMap((turn) => turn.items.filter(({ type }) => kept.has(type)))
        expect(of(folded)).toEqual(of(viewOf(pages(canonical))))
      }),
      runs
    )
  })

  it("I11: what a client is told of a completed item is what is stored of it", () => {
    fc.assert(
      fc.property(Drafts.turnItems, (items) => {
        const drafts = pages([E.started("t"), ...items.map((item) => E.item("t", item))])
        const told = E.records(drafts).flatMap((record) => {
          const snapshot = SnapshotView.snapshotOf(record)
          const change = snapshot === undefined ? undefined : SnapshotView.project(snapshot)
          return change?.kind === "item" ? [change.item] : []
        })
        expect(viewOf(drafts)[0]?.items).toEqual(told)
      }),
      runs
    )
  })
})

describe("the fold of legacy events", () => {
  it("I15: a late completion never makes an interrupted or failed turn a completed one", () => {
    fc.assert(
      fc.property(Drafts.legacyLog.map(Drafts.withUniqueTurns), fc.constantFrom("a", "b", "c", "zzz"), (drafts, id) => {
        const before = foldOf(drafts)
        const after = foldOf([...drafts, E.complete(id)])
        for (const [i, { status }] of before.entries()) {
          if (status === "interrupted" || status === "failed") expect(after[i]?.status).toBe(status)
        }
      }),
      runs
    )
  })

  it("I16: late records of a known turn leave the open one alone", () => {
    const late = [E.complete("known"), E.aborted("known"), E.commandEnd("late", "known")]
    fc.assert(
      fc.property(Drafts.legacyLog, fc.constantFrom(...late), (drafts, record) => {
        const log = [E.started("known"), E.user("1"), ...drafts.filter(({ payload }) => !("num_turns" in payload))]
        const state = Fold.run(F, E.records(log))
        fc.pre(state.openAt > 0 && State.openTurn(state)?.id !== "known")
        const next = F.step(state, E.record(record))
        expect(next.openAt).toBe(state.openAt)
        expect(State.openTurn(next)).toBe(State.openTurn(state))
      }),
      runs
    )
  })

  it("I17, I18: rollback leaves the first turns and names the others, in order", () => {
    fc.assert(
      fc.property(Drafts.legacyLog, fc.nat(6), (drafts, n) => {
        const view = Fold.run(V, E.records(enriched(drafts)))
        const closed = ThreadView.turns(Fold.run(V, E.records([E.rolledBack(0)]), view))
        const { changes, view: next } = ThreadView.step(view, E.record(E.rolledBack(n)))
        const left = Math.max(0, closed.length - n)
        expect(ThreadView.turns(next)).toEqual(closed.slice(0, left))
        expect(changes.removedTurnIds).toEqual([...new Set(closed.slice(left).map(({ id }) => id))])
      }),
      runs
    )
  })
})

describe("passing over lines by their heads", () => {
  it("shows the same as reading them, whatever the form", () => {
    fc.assert(
      fc.property(anyLog, (drafts) => {
        let view = ThreadView.initial
        let passed = 0
        const cursor = ThreadView.cursor()
        for (const record of E.records(drafts)) {
          const head = Sniff.head(record.line.bytes)
          if (head === undefined || ThreadView.wants(head, record.line.bytes)) {
            view = V.step(view, record)
            cursor.add(record)
          } else {
            view = ThreadView.passOver(view, head)
            cursor.passOver(head)
            passed++
          }
        }
        expect(cursor.state()).toEqual(view)
        const whole = Fold.run(V, E.records(drafts))
        expect(ThreadView.turns(view)).toEqual(ThreadView.turns(whole))
        expect(view.nextRecord).toBe(whole.nextRecord)
        expect(passed).toBe(drafts.filter(({ payload }) => "role" in payload && payload.role === "assistant").length)
      }),
      runs
    )
  })
})
