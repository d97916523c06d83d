/** Arbitrary records of legacy and of paginated logs. */
import fc from "fast-check"
import type { Draft } from "./Events.js"
import * as E from "./Events.js"
import { completedItem } from "./Items.js"

const turnId = fc.constantFrom("a", "b", "c")
const callId = fc.constantFrom("x", "y")
const time = fc.option(fc.nat(100), { nil: undefined })
const error = { message: "no", codex_error_info: "other" }

/** A record of a legacy log, kept or not; turn ids come again. */
export const legacyDraft: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(turnId, time).map(([id, started_at]) => E.started(id, { started_at })) },
  { weight: 2, arbitrary: fc.tuple(turnId, time).map(([id, completed_at]) => E.complete(id, { completed_at })) },
  turnId.map((id) => E.complete(id, { error })),
  fc.option(turnId, { nil: undefined }).map((id) => E.aborted(id)),
  { weight: 4, arbitrary: fc.constantFrom("1", " ").map((text) => E.user(text)) },
  { weight: 4, arbitrary: fc.constantFrom("2", "").map((text) => E.agent(text)) },
  { weight: 2, arbitrary: fc.constantFrom("s", "").map(E.summary) },
  E1(E.raw("r")),
  E1(E.compacted),
  E1(E.contextCompacted),
  E1(E.failed("x")),
  E1(E.failed("x", "thread_rollback_failed")),
  fc.nat(2).map(E.rolledBack),
  callId.map((call_id) => E.event("web_search_begin", { call_id })),
  callId.map((call_id) => E.event("web_search_end", { call_id, query: "q", action: { type: "other" } })),
  fc.tuple(callId, turnId).map(([id, turn]) => E.commandEnd(id, turn)),
  fc.tuple(turnId, callId).map(([turn, id]) => E.item(turn, { type: "Plan", id, text: "1." })),
  fc.tuple(turnId, callId).map(([turn, id]) => E.itemStarted(turn, E.command(id))),
  fc
    .option(turnId, { nil: undefined })
    .map((turn_id) => E.event("exited_review_mode", { review_output: null, turn_id, item_id: turn_id && "rev" })),
  E1(E.message("assistant", ["x"])),
  E1(E.message("user", [`<hook_prompt hook_run_id="r">t</hook_prompt>`], { id: "hook" })),
  E1({ type: "event_msg", payload: { type: "from_the_future" } })
)

function E1(draft: Draft): fc.Arbitrary<Draft> {
  return fc.constant(draft)
}

/** A legacy log. */
export const legacyLog = fc.array(legacyDraft, { maxLength: 25 })

/** The log with another id for each start, and the later records that name a turn moved to its newest one. */
export const withUniqueTurns = (drafts: ReadonlyArray<Draft>): ReadonlyArray<Draft> => {
  const newest = new Map<string, string>()
  return drafts.map((draft, i) => {
    const { turn_id, type } = draft.payload as { readonly turn_id?: string; readonly type?: string }
    if (turn_id === undefined) return draft
    if (type === "task_started") newest.set(turn_id, `${turn_id}${i}`)
    return { ...draft, payload: { ...draft.payload, turn_id: newest.get(turn_id) ?? turn_id } }
  })
}

/** A record of a paginated log, whatever stands before it. */
export const snapshotDraft: fc.Arbitrary<Draft> = fc
  .oneof(
    { weight: 3, arbitrary: fc.tuple(turnId, time).map(([id, started_at]) => E.started(id, { started_at })) },
    fc.tuple(turnId, time).map(([id, completed_at]) => E.complete(id, { completed_at, started_at: 1 })),
    turnId.map((id) => E.complete(id, { error })),
    fc.option(turnId, { nil: undefined }).map((id) => E.aborted(id)),
    {
      weight: 6,
      arbitrary: fc
        .tuple(turnId, completedItem, fc.constantFrom("i1", "i2", "i3", "i4"))
        .map(([turn, item, id]) => E.item(turn, { ...item, id }, { started_at_ms: 1 }))
    },
    E1(E.rolledBack(1)),
    E1(E.compacted),
    E1(E.user("none of it")),
    E1(E.message("assistant", ["x"]))
  )
  .filter((draft) => (draft.payload as { readonly type?: string }).type !== "user_message")

/** A paginated log behind its header. */
export const snapshotLog = fc.array(snapshotDraft, { maxLength: 25 })

/** A paginated log, header and all, that a program without ordinals wrote in as well, or one that has them by chance. */
export const mixedLog: fc.Arbitrary<ReadonlyArray<Draft>> = fc
  .array(
    fc.oneof(
      snapshotDraft.map((draft) => ({ draft, isNumbered: true })),
      fc.record({ draft: legacyDraft, isNumbered: fc.boolean() })
    ),
    { maxLength: 25 }
  )
  .map((all) => {
    let ordinal = 0
    const rest = all.map(({ draft, isNumbered }) => (isNumbered ? { ...draft, ordinal: ++ordinal } : draft))
    return [{ ...E.paginated(), ordinal: 0 }, ...rest]
  })

/** Items of a whole turn under the preconditions of I12: ids of their own, no two reasoning items side by side. */
export const turnItems = fc
  .array(completedItem, { maxLength: 8 })
  .map((items) =>
    items
      .filter((item, i) => item.type !== "Reasoning" || items[i - 1]?.type !== "Reasoning")
      .map((item, i) => ({ ...item, id: `id-${i}` }))
  )
