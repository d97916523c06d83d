/** The projection of canonical snapshots (thread-view §1.8, S1 to S5, and since-july). */
import { describe, expect, it } from "vitest"
import * as Fold from "../../../src/fold/Fold.js"
import * as SnapshotItem from "../../../src/fold/view/SnapshotItem.js"
import * as SnapshotView from "../../../src/fold/view/SnapshotView.js"
import * as ThreadView from "../../../src/fold/view/ThreadView.js"
import type { TurnItem } from "../../../src/record/TurnItem.js"
import type { Draft } from "./Events.js"
import * as E from "./Events.js"

const project = (draft: Draft) => {
  const snapshot = SnapshotView.snapshotOf(E.record(draft))
  return snapshot === undefined ? undefined : SnapshotView.project(snapshot)
}
const at = (ordinal: number, draft: Draft): Draft => ({ ...draft, ordinal })
const turnsOf = (...drafts: ReadonlyArray<Draft>) =>
  ThreadView.turns(Fold.run(ThreadView.fold(), E.records(E.numbered([E.paginated(), ...drafts]))))
const shape = (...drafts: ReadonlyArray<Draft>) =>
  turnsOf(...drafts).map(({ id, items, status }) => `${id} ${status}: ${items.map((item) => item.id).join(" ")}`)

describe("a snapshot says what it says without any state", () => {
  it("S1: a start and a completion each change their turn", () => {
    expect(project(at(3, E.started("a", { started_at: 1 })))).toMatchObject({
      kind: "started",
      turn: { id: "a", status: "inProgress", startedAt: 1 }
    })
    expect(project(at(9, E.complete("a", { started_at: 1, completed_at: 2, duration_ms: 3 })))).toMatchObject({
      kind: "ended",
      turn: { id: "a", status: "completed", startedAt: 1, completedAt: 2, durationMs: 3 }
    })
  })

  it("S2: a completion with an error", () => {
    const error = { message: "no", codex_error_info: "context_window_exceeded" }
    expect(project(at(1, E.complete("a", { error })))).toMatchObject({
      turn: { status: "failed", error: { message: "no", codexErrorInfo: "contextWindowExceeded" } }
    })
  })

  it("S3: an item is its conversion", () => {
    for (const item of [E.said("u", "hi"), E.answered("m", "x")]) {
      expect(project(at(1, E.item("a", item)))).toMatchObject({
        kind: "item",
        turnId: "a",
        item: SnapshotItem.toView(item as unknown as TurnItem, { startedAtMs: null, completedAtMs: 0 })
      })
    }
  })

  it("S4: an abort without id, a compaction, and a line without ordinal say nothing", () => {
    expect(project(at(1, E.aborted()))).toBeUndefined()
    expect(project(at(1, E.compacted))).toBeUndefined()
    expect(project(E.started("a"))).toBeUndefined()
  })

  it("S5: an abort with id", () => {
    expect(project(at(1, E.aborted("a", { started_at: 1, completed_at: 2, duration_ms: 3 })))).toMatchObject({
      turn: { id: "a", status: "interrupted", error: null, startedAt: 1, completedAt: 2, durationMs: 3 }
    })
  })
})

describe("a table of snapshots", () => {
  it("an item that comes again replaces the first and keeps its place", () => {
    const [turn] = turnsOf(
      E.started("a"),
      E.item("a", E.command("c", { status: "in_progress" })),
      E.item("a", E.answered("m", "x")),
      E.item("a", E.command("c"))
    )
    expect(turn?.items).toMatchObject([{ id: "c", status: "completed" }, { id: "m" }])
  })

  it("a turn stands where its first record does, not where its first item does", () => {
    expect(
      shape(
        E.started("a"),
        E.item("a", E.said("u", "1")),
        E.complete("a"),
        E.item("review", {
          type: "EnteredReviewMode",
          id: "e",
          target: { type: "uncommittedChanges" },
          user_facing_hint: ""
        }),
        E.started("reviewer"),
        E.item("review", { type: "ExitedReviewMode", id: "x", review_output: null }),
        E.complete("review")
      )
    ).toEqual(["a completed: u", "reviewer inProgress: ", "review completed: e x"])
  })

  it("a turn of which there are only items is not shown", () => {
    expect(shape(E.item("a", E.said("u", "1")))).toEqual([])
  })

  it("the first end of a turn is final", () => {
    const ended = [E.started("a", { started_at: 1 }), E.aborted("a", { completed_at: 2 })]
    for (const late of [E.complete("a", { completed_at: 9 }), E.started("a", { started_at: 9 }), E.aborted("a")]) {
      expect(turnsOf(...ended, late)).toMatchObject([{ status: "interrupted", startedAt: null, completedAt: 2 }])
    }
  })

  it("before its end a repeated start counts; an end without the time of the start takes it away", () => {
    const starts = [E.started("a", { started_at: 1 }), E.started("a", { started_at: 2 })]
    expect(turnsOf(...starts)).toMatchObject([{ startedAt: 2, status: "inProgress" }])
    expect(turnsOf(...starts, E.complete("a"))).toMatchObject([{ startedAt: null }])
    expect(turnsOf(...starts, E.complete("a", { started_at: 3 }))).toMatchObject([{ startedAt: 3 }])
  })

  it("late items go to their turn, whatever came after", () => {
    expect(shape(E.started("a"), E.complete("a"), E.started("b"), E.item("a", E.answered("m", "x")))).toEqual([
      "a completed: m",
      "b inProgress: "
    ])
  })

  it("rollback and error events are none of its records", () => {
    expect(shape(E.started("a"), E.failed("no"), E.rolledBack(1))).toEqual(["a inProgress: "])
  })

  it("ordinals that repeat, skip or fall do no harm", () => {
    const drafts = [
      at(0, E.paginated()),
      at(7, E.started("a")),
      at(3, E.item("a", E.said("u", "1"))),
      at(3, E.complete("a"))
    ]
    expect(ThreadView.turns(Fold.run(ThreadView.fold(), E.records(drafts)))).toMatchObject([
      { id: "a", status: "completed", items: [{ id: "u" }] }
    ])
  })

  it("the times of an item are those of its record", () => {
    const [turn] = turnsOf(
      E.started("a", { root_turn_id: "r" }),
      E.item("a", E.said("u", "1"), { started_at_ms: 5, completed_at_ms: 6 })
    )
    expect(turn?.rootTurnId).toBe("r")
    expect(turn?.items[0]).toMatchObject({ startedAtMs: 5, completedAtMs: 6 })
  })
})
