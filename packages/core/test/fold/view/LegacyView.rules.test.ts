/** The rules of the fold of legacy events (thread-view §1.5, with what since-july changed). */
import { describe, expect, it } from "vitest"
import * as Fold from "../../../src/fold/Fold.js"
import * as LegacyView from "../../../src/fold/view/LegacyView.js"
import * as State from "../../../src/fold/view/ViewState.js"
import type { Draft } from "./Events.js"
import * as E from "./Events.js"

const fold = Fold.make(State.initial, (state, record) => LegacyView.step(state, record))
const turnsOf = (...drafts: ReadonlyArray<Draft>) => State.turns(Fold.run(fold, E.records(drafts)))
/** Each turn as `id status: item ids`. */
const shape = (...drafts: ReadonlyArray<Draft>) =>
  turnsOf(...drafts).map(({ id, items, status }) => `${id} ${status}: ${items.map((item) => item.id).join(" ")}`)

describe("rules of the fold", () => {
  it("R1: a start closes the open turn and opens one, also under an id that there is already", () => {
    expect(shape(E.started("a"), E.user("1"), E.started("a"), E.user("2"))).toEqual([
      "a inProgress: item-1",
      "a inProgress: item-2"
    ])
  })

  it("R2: closing drops a turn that has no items, was not started and saw no compaction", () => {
    expect(shape(E.started("a"), E.started("b"))).toEqual(["a inProgress: ", "b inProgress: "])
    expect(shape(E.compacted, E.started("b"))).toEqual(["rollout-0 completed: ", "b inProgress: "])
  })

  it("R3: a user message closes an implicit turn, joins an explicit one, and joins an empty compacted one", () => {
    expect(shape(E.user("1"), E.user("2"))).toEqual(["rollout-0 completed: item-1", "rollout-1 completed: item-2"])
    expect(shape(E.started("a"), E.user("1"), E.user("2"))).toEqual(["a inProgress: item-1 item-2"])
    expect(shape(E.compacted, E.user("1"), E.user("2"))).toEqual([
      "rollout-0 completed: item-1",
      "rollout-2 completed: item-2"
    ])
    expect(shape(E.user("0"), E.compacted, E.user("1"))).toEqual([
      "rollout-0 completed: item-1",
      "rollout-2 completed: item-2"
    ])
  })

  it("R3: an item-producing record with no open turn opens one", () => {
    expect(shape(E.agent("1"))).toEqual(["rollout-0 completed: item-1"])
    expect(shape(E.event("web_search_end", { call_id: "w", query: "q", action: { type: "other" } }))).toEqual([
      "rollout-0 completed: w"
    ])
  })

  it("R4: only what has no id of its own takes a number", () => {
    expect(
      shape(
        E.started("a"),
        E.user("1"),
        E.agent(""),
        E.summary("s"),
        E.raw("r"),
        E.event("web_search_end", { call_id: "w", query: "q", action: { type: "other" } }),
        E.contextCompacted,
        E.event("exited_review_mode", { review_output: null }),
        E.agent("2")
      )
    ).toEqual(["a inProgress: item-1 item-2 w item-3 item-4 item-5"])
  })

  it("R5: an item replaces the first one of its id, of whatever kind, and keeps its place", () => {
    const search = { call_id: "x", query: "q", action: { type: "other" } }
    const [turn] = turnsOf(E.started("a"), E.commandEnd("x", "a"), E.agent("1"), E.event("web_search_end", search))
    expect(turn?.items.map(({ id, type }) => [id, type])).toEqual([
      ["x", "webSearch"],
      ["item-1", "agentMessage"]
    ])
  })

  it("R5: an event goes to the turn that it names, without one to the open turn, and into an unknown one not at all", () => {
    const patch = (turn_id: string) =>
      E.event("patch_apply_end", { call_id: "p", turn_id, stdout: "", stderr: "", success: true, status: "completed" })
    const two = [E.started("a"), E.user("1"), E.complete("a"), E.started("b"), E.user("2")]
    expect(shape(...two, patch("a"))).toEqual(["a completed: item-1 p", "b inProgress: item-2"])
    expect(shape(...two, patch(""))).toEqual(["a completed: item-1", "b inProgress: item-2 p"])
    expect(shape(...two, patch("c"))).toEqual(["a completed: item-1", "b inProgress: item-2"])
  })

  it("R6: completion ends the turn of its id, else the open one, and then closes it", () => {
    const times = { completed_at: 5, duration_ms: 100 }
    const [turn] = turnsOf(E.started("a", { started_at: 4 }), E.complete("a", times))
    expect(turn).toMatchObject({ status: "completed", startedAt: 4, completedAt: 5, durationMs: 100 })
    expect(shape(E.started("a"), E.user("1"), E.complete("zzz"), E.agent("2"))).toEqual([
      "a completed: item-1",
      "rollout-3 completed: item-2"
    ])
  })

  it("R6, R7: of several turns of one id the open one ends, without one the first of them", () => {
    const twice = [E.started("a"), E.user("1"), E.started("a"), E.user("2")]
    expect(shape(...twice, E.complete("a"))).toEqual(["a inProgress: item-1", "a completed: item-2"])
    expect(shape(...twice, E.aborted("a"))).toEqual(["a inProgress: item-1", "a interrupted: item-2"])
    const elsewhere = [...twice, E.started("b")]
    expect(shape(...elsewhere, E.complete("a"))).toEqual([
      "a completed: item-1",
      "a inProgress: item-2",
      "b inProgress: "
    ])
  })

  it("R7: an abort without id interrupts the open turn, and none when none is open", () => {
    const [turn] = turnsOf(E.started("a"), E.aborted(undefined, { completed_at: 5, duration_ms: 7 }))
    expect(turn).toMatchObject({ status: "interrupted", completedAt: 5, durationMs: 7 })
    expect(shape(E.started("a"), E.complete("a"), E.aborted())).toEqual(["a completed: "])
  })

  it("R6 since 0.169.0: the error of a completion fails the turn", () => {
    const error = { message: "offline", codex_error_info: { response_stream_disconnected: { http_status_code: 502 } } }
    const [turn] = turnsOf(E.started("a"), E.complete("a", { error }))
    expect(turn?.status).toBe("failed")
    expect(turn?.error).toEqual({
      message: "offline",
      codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: 502 } },
      additionalDetails: null
    })
    const [unknown] = turnsOf(E.started("a"), E.complete("a", { error: { message: "?", codex_error_info: "new" } }))
    expect(unknown?.error?.codexErrorInfo).toBe("other")
  })

  it("R7 since 0.169.0: an abort of the open turn closes it, and what is late opens an implicit turn", () => {
    expect(shape(E.started("a"), E.user("1"), E.aborted("a"), E.agent("late"), E.complete("a"))).toEqual([
      "a interrupted: item-1",
      "rollout-3 completed: item-2"
    ])
  })

  it("R8: rollback drops turns and starts the numbers again behind the items that are left", () => {
    expect(shape(E.user("1"), E.agent("2"), E.user("3"), E.rolledBack(1), E.user("4"))).toEqual([
      "rollout-0 completed: item-1 item-2",
      "rollout-4 completed: item-3"
    ])
  })

  it("R9: a compaction makes sure that a turn is open", () => {
    expect(shape(E.compacted)).toEqual(["rollout-0 completed: "])
    expect(shape(E.started("a"), E.compacted, E.complete("a"))).toEqual(["a completed: "])
  })

  it("R10: an error fails the open turn unless it leaves turns alone", () => {
    expect(shape(E.started("a"), E.failed("x"))).toEqual(["a failed: "])
    expect(shape(E.started("a"), E.failed("x", "server_overloaded"))).toEqual(["a failed: "])
    expect(shape(E.started("a"), E.failed("x", "thread_rollback_failed"))).toEqual(["a inProgress: "])
    expect(shape(E.started("a"), E.failed("x", { active_turn_not_steerable: { turn_kind: "review" } }))).toEqual([
      "a inProgress: "
    ])
    expect(shape(E.failed("x"))).toEqual([])
  })

  it("R11: agent messages do not merge, and empty ones are skipped", () => {
    expect(shape(E.started("a"), E.agent("1"), E.agent(""), E.agent("1"))).toEqual(["a inProgress: item-1 item-2"])
  })

  it("R12: thinking merges with its neighbour, and anything between splits it", () => {
    const [turn] = turnsOf(
      E.started("a"),
      E.summary("1"),
      E.summary(""),
      E.raw("2"),
      E.summary("3"),
      E.agent("x"),
      E.raw("4")
    )
    expect(turn?.items).toMatchObject([
      { id: "item-1", summary: ["1", "3"], content: ["2"] },
      { id: "item-2" },
      { id: "item-3", summary: [], content: ["4"] }
    ])
  })

  it("R13: text unless blank, then images, then local images; details may be fewer", () => {
    const [turn] = turnsOf(
      E.user("  \n", {
        images: ["data:1", "data:2"],
        image_details: ["low"],
        local_images: ["/a.png", "/b.png"],
        local_image_details: [null, "high"]
      })
    )
    expect(turn?.items[0]).toMatchObject({
      content: [
        { type: "image", url: "data:1", detail: "low" },
        { type: "image", url: "data:2", detail: null },
        { type: "localImage", path: "/a.png", detail: null },
        { type: "localImage", path: "/b.png", detail: "high" }
      ]
    })
  })

  it("R13 since 0.145.0: sound stands behind images", () => {
    const [turn] = turnsOf(E.user("", { images: ["data:1"], audio: ["data:2", 7], local_audio: ["/a.wav", null] }))
    expect(turn?.items).toEqual([
      {
        type: "userMessage",
        id: "item-1",
        clientId: null,
        content: [
          { type: "image", url: "data:1", detail: null },
          { type: "audio", url: "data:2" },
          { type: "localAudio", path: "/a.wav" }
        ],
        startedAtMs: null,
        completedAtMs: null
      }
    ])
  })

  it("R14: a canonical item that begins is in progress, with the time of its beginning", () => {
    const [turn] = turnsOf(E.started("a"), E.itemStarted("a", E.command("c", { status: "in_progress" })))
    expect(turn?.items).toMatchObject([{ id: "c", status: "inProgress", startedAtMs: 1, completedAtMs: null }])
    const ignored = turnsOf(E.started("a"), E.itemStarted("a", E.said("u", "1")))
    expect(ignored[0]?.items).toEqual([])
  })

  it("R14: canonical items that legacy events repeat are ignored, the others taken in", () => {
    const start = E.started("a")
    expect(shape(start, E.item("a", E.said("u", "1")), E.item("a", E.answered("m", "2")))).toEqual(["a inProgress: "])
    expect(shape(start, E.item("a", { type: "Plan", id: "p", text: "1." }))).toEqual(["a inProgress: p"])
    expect(shape(start, E.item("a", { type: "Plan", id: "p", text: "" }))).toEqual(["a inProgress: "])
    expect(shape(start, E.item("zzz", { type: "Plan", id: "p", text: "1." }))).toEqual(["a inProgress: "])
    expect(shape(start, E.itemStarted("a", E.command("c")), E.item("a", E.command("c")))).toEqual(["a inProgress: c"])
  })

  it("R15: a review of an unknown turn opens that turn; constants stand in for what is missing", () => {
    const turns = turnsOf(
      E.started("a"),
      E.user("1"),
      E.event("entered_review_mode", { target: { type: "uncommittedChanges" }, turn_id: "r", item_id: "e" }),
      E.event("exited_review_mode", { turn_id: "r", item_id: "x", review_output: null })
    )
    expect(turns).toMatchObject([
      { id: "a" },
      {
        id: "r",
        status: "completed",
        items: [
          { id: "e", review: "Review requested." },
          { id: "x", review: "Reviewer failed to output a response." }
        ]
      }
    ])
  })

  it("records that a legacy reader drops or cannot read do not count for implicit ids (§1.1)", () => {
    const context = (sandbox_policy: object): Draft => ({
      type: "turn_context",
      payload: { cwd: "/", approval_policy: "never", sandbox_policy, model: "m", summary: "auto" }
    })
    const unknown: Draft = { type: "event_msg", payload: { type: "from_the_future" } }
    const canonical = E.item("zzz", E.said("u", "1"))
    expect(shape(context({ mode: "danger-full-access" }), unknown, canonical, E.user("1"))).toEqual([
      "rollout-0 completed: item-1"
    ])
    expect(shape(context({ type: "danger-full-access" }), E.message("assistant", ["x"]), E.user("1"))).toEqual([
      "rollout-2 completed: item-1"
    ])
  })

  it("rootTurnId is that of the records of the turn", () => {
    const [turn] = turnsOf(E.started("a", { root_turn_id: "r" }), E.complete("a"))
    expect(turn?.rootTurnId).toBe("r")
    expect(turnsOf(E.user("1"))[0]?.rootTurnId).toBeNull()
  })
})
