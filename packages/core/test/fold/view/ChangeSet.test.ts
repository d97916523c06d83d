/** Change sets (thread-view §1.7, T39 to T45). */
import { describe, expect, it } from "vitest"
import * as ThreadView from "../../../src/fold/view/ThreadView.js"
import type { Draft } from "./Events.js"
import * as E from "./Events.js"

const after = (...drafts: ReadonlyArray<Draft>) => ThreadView.batch(ThreadView.initial, E.records(drafts)).view
const changesOf = (view: ThreadView.ThreadView, ...drafts: ReadonlyArray<Draft>) =>
  ThreadView.batch(view, E.records(drafts)).changes

describe("change sets", () => {
  it("T39: the first user message is an item and an implicit turn", () => {
    expect(changesOf(ThreadView.initial, E.user("hi"))).toMatchObject({
      changedItems: [{ turnId: "rollout-0", item: { id: "item-1" } }],
      changedTurns: [{ id: "rollout-0", status: "completed" }],
      removedTurnIds: []
    })
  })

  it("T40: a search that begins and ends: the second change is the item alone", () => {
    const view = after(E.started("a"), E.event("web_search_begin", { call_id: "w" }))
    const end = E.event("web_search_end", { call_id: "w", query: "q", action: { type: "other" } })
    expect(changesOf(view, end)).toMatchObject({
      changedItems: [{ turnId: "a", item: { id: "w", query: "q", action: { type: "other" } } }],
      changedTurns: []
    })
  })

  it("T41: a raw fragment behind a summary changes the merged item", () => {
    expect(changesOf(after(E.started("a"), E.summary("s")), E.raw("r")).changedItems).toMatchObject([
      { item: { id: "item-1", summary: ["s"], content: ["r"] } }
    ])
  })

  it("T42: a start, then a completion: the time of the start survives", () => {
    const start = E.started("a", { started_at: 1 })
    expect(changesOf(ThreadView.initial, start).changedTurns).toMatchObject([{ status: "inProgress", startedAt: 1 }])
    expect(changesOf(after(start), E.complete("a", { completed_at: 3 })).changedTurns).toMatchObject([
      { status: "completed", startedAt: 1, completedAt: 3 }
    ])
  })

  it("T43, T44: a batch has each thing once, as it is at the end", () => {
    const { changedItems, changedTurns } = changesOf(
      ThreadView.initial,
      E.started("a"),
      E.event("web_search_begin", { call_id: "w" }),
      E.event("web_search_end", { call_id: "w", query: "q", action: { type: "other" } }),
      E.complete("a")
    )
    expect(changedItems).toHaveLength(1)
    expect(changedItems).toMatchObject([{ item: { id: "w", query: "q" } }])
    expect(changedTurns).toHaveLength(1)
    expect(changedTurns).toMatchObject([{ id: "a", status: "completed" }])
  })

  it("T45: what a rollback takes away leaves only its name", () => {
    expect(changesOf(ThreadView.initial, E.started("a"), E.user("1"), E.rolledBack(1))).toEqual({
      changedItems: [],
      changedTurns: [],
      removedTurnIds: ["a"]
    })
  })

  it("each thing stands where it first changed, whatever turn it is of, and is as it was last (§1.7)", () => {
    const { changedItems, changedTurns } = changesOf(
      ThreadView.initial,
      E.started("a"),
      E.summary("s"),
      E.started("b"),
      E.user("2"),
      E.commandEnd("c", "a"),
      E.agent("3"),
      E.commandEnd("c", "a", { exit_code: 1 }),
      E.complete("a")
    )
    expect(changedItems.map(({ item, turnId }) => `${turnId} ${item.id}`)).toEqual([
      "a item-1",
      "b item-2",
      "a c",
      "b item-3"
    ])
    expect(changedItems[2]?.item).toMatchObject({ exitCode: 1 })
    expect(changedTurns.map(({ id, status }) => `${id} ${status}`)).toEqual(["a completed", "b inProgress"])
  })

  it("closing a turn, and records that say nothing, change nothing", () => {
    const view = after(E.started("a"))
    const nothing = { changedItems: [], changedTurns: [], removedTurnIds: [] }
    expect(changesOf(view, E.message("assistant", ["x"]), E.rolledBack(0))).toEqual(nothing)
    expect(changesOf(view, { type: "event_msg", payload: { type: "from_the_future" } })).toEqual(nothing)
  })
})
