/**
 * What the user of a thread saw: its turns and their items, from a log of any form (thread-view §1).
 *
 * Two projections stand behind it. Canonical snapshots say each for itself what an item came to
 * ({@link SnapshotView}); legacy events have to be folded ({@link LegacyView}). Which of them is asked is decided turn
 * by turn, since a thread that one program began may be continued by another. Records that only repeat a snapshot for
 * older readers (marked `skein.fanout`) are not told twice.
 */

import * as PersistencePolicy from "../../decide/PersistencePolicy.js"
import * as KeyedList from "../../internal/KeyedList.js"
import type { Of, StoredRecord } from "../../record/Record.js"
import type { HistoryMode, SessionMeta } from "../../record/SessionMeta.js"
import * as SessionMetaOps from "../../record/SessionMeta.js"
import type * as Sniff from "../../record/Sniff.js"
import * as Fold from "../Fold.js"
import type { ChangeSet, Sink } from "./ChangeSet.js"
import * as Changes from "./ChangeSet.js"
import type { Options as ItemOptions } from "./ItemParts.js"
import * as LegacyView from "./LegacyView.js"
import * as SnapshotView from "./SnapshotView.js"
import type { Turn } from "./Turn.js"
import type { ViewState } from "./ViewState.js"
import * as State from "./ViewState.js"

/** A view of a thread: read it with {@link turns}. Immutable, and cheap to keep: states share what they have in common. */
export type ThreadView = ViewState

/** What the view can be told. */
export interface Options extends ItemOptions {
  /**
   * Whether an attached fork shows the turns that it inherits. The reference shows its own only, though the model
   * still sees the others (since-july). Default `own`; forks of any other kind show all.
   */
  readonly attached?: "own" | "inherited" | undefined
}

/** A view together with what the last record changed in it. */
export interface Step {
  readonly view: ThreadView
  readonly changes: ChangeSet
}

/** The view of a log without records. */
export const initial: ThreadView = State.initial

/** The fold from records to a view. Cost: constant per record, whatever the number of turns and items before it. */
export const fold = (options: Options = {}): Fold.Fold<ThreadView> => {
  const settings = settle(options)
  return Fold.make(
    initial,
    (view, record) => stepBy(view, record, settings, undefined),
    (view) => cursor(options, view)
  )
}

/** A view on its way through a log of which some lines are passed over. */
export interface Cursor extends Fold.Cursor<ThreadView> {
  /** Takes the head of a line that the view does not want ({@link wants}). */
  readonly passOver: (head: Sniff.Head) => void
}

/** A cursor of {@link fold}. Records that make no item cost it a look at what they are. */
export const cursor = (options: Options = {}, from: ThreadView = initial): Cursor => {
  const settings = settle(options)
  let view = from
  // How many records count so far: put into the state only when it is asked for.
  let count = from.nextRecord
  return {
    add: (record) => {
      const isCounted = LegacyView.isCounted(record)
      const next = take(view, record, isCounted ? count : undefined, settings, undefined)
      if (next !== view) view = next
      if (isCounted) count++
    },
    passOver: (head) => {
      if (view.mode === undefined) view = guess(view, head.ordinal)
      if (counts(head)) count++
    },
    state: () => {
      if (view.nextRecord !== count) view = State.counted(view, count)
      return view
    }
  }
}

/** The view after one more record, and what that changed. Cost: as the fold. */
export const step = (view: ThreadView, record: StoredRecord, options: Options = {}): Step =>
  batch(view, [record], options)

/** The view after more records, and what they changed altogether (thread-view §1.7). */
export const batch = (view: ThreadView, records: Iterable<StoredRecord>, options: Options = {}): Step => {
  const sink = Changes.collector()
  const settings = settle(options)
  let next = view
  for (const record of records) next = stepBy(next, record, settings, sink)
  return { view: next, changes: sink.changes() }
}

/** The turns in order. Cost: one pass over the turns; of those that did not change the same objects again. */
export const turns = (view: ThreadView): ReadonlyArray<Turn> => State.turns(view)

/** The first turn with this id. Cost: constant, and one pass over its items. */
export const turn = (view: ThreadView, id: string): Turn | undefined => {
  const found = KeyedList.get(view.turns, KeyedList.indexOf(view.turns, id))
  return found === undefined ? undefined : State.toTurn(found)
}

const wantedRecords: ReadonlySet<string> = new Set(["session_meta", "compacted"])

const unwantedEvents: ReadonlySet<string> = new Set(["token_count", "thread_goal_updated", "thread_settings_applied"])

/**
 * Whether a line with this head can matter to a view, so that a reader may pass over those that cannot without decoding
 * them: tell the view of each with {@link passOver}. Damage further on in such a line then goes unnoticed.
 *
 * @param bytes The line itself. With it fewer lines are wanted: of messages only those that can be hook prompts.
 */
export const wants = (head: Sniff.Head, bytes?: Uint8Array): boolean => {
  const { inner, type } = head
  if (type === "event_msg") return inner === undefined || !unwantedEvents.has(inner)
  if (type === "response_item") {
    if (inner !== undefined && inner !== "message") return false
    return bytes === undefined || contains(bytes, hookPrompt)
  }
  if (type === "turn_context") return bytes === undefined ? head.ordinal === undefined : contains(bytes, oldSandbox)
  return wantedRecords.has(type)
}

/** The view behind a line that it did not want: the line counts for what it claims to be. Cost: constant. */
export const passOver = (view: ThreadView, head: Sniff.Head): ThreadView => {
  const known = guess(view, head.ordinal)
  return counts(head) ? State.counted(known, known.nextRecord + 1) : known
}

const counts = ({ inner, type }: Sniff.Head): boolean =>
  type === "response_item"
    ? counted.items.has(inner ?? "")
    : type === "event_msg"
      ? counted.events.has(inner ?? "")
      : counted.records.has(type)

const kept = (table: Readonly<Record<string, PersistencePolicy.ByMode>>): ReadonlySet<string> =>
  new Set(Object.keys(table).filter((name) => table[name]?.legacy === "keep"))

/** The kinds of records that legacy threads keep; unknown ones do not count. */
const counted = {
  records: kept(PersistencePolicy.records),
  items: kept(PersistencePolicy.items),
  events: kept(PersistencePolicy.events)
}

const codes = (ascii: string) => Array.from(ascii, (character) => character.charCodeAt(0))
const hookPrompt = codes("<hook_prompt")
/** How turn contexts of 0.42.0 spell their sandbox: later readers refuse those lines, and they do not count. */
const oldSandbox = codes('{"mode":')

const contains = (bytes: Uint8Array, wanted: ReadonlyArray<number>): boolean => {
  const first = wanted[0] as number
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let i = 1
    while (i < wanted.length && bytes[at + i] === wanted[i]) i++
    if (i === wanted.length) return true
  }
  return false
}

/** The options, and what they come to for the fold of legacy events. */
interface Settings extends Options {
  readonly legacy: LegacyView.Options
}

const settle = (options: Options): Settings => ({ ...options, legacy: { ...options, snapshots: "prefer" } })

const stepBy = (view: ThreadView, record: StoredRecord, settings: Settings, sink: Sink | undefined): ThreadView => {
  const number = LegacyView.isCounted(record) ? view.nextRecord : undefined
  const next = take(view, record, number, settings, sink)
  return number === undefined ? next : State.counted(next, number + 1)
}

/** The view after a record, which is not counted yet: `number` is that of {@link LegacyView.take}. */
const take = (
  view: ThreadView,
  record: StoredRecord,
  number: number | undefined,
  settings: Settings,
  sink: Sink | undefined
): ThreadView => {
  const known = learn(view, record, settings)
  if (record.kind === "event_msg" && isFanout(record)) return known
  return known.mode === "paginated"
    ? takePaginated(known, record, number, settings, sink)
    : LegacyView.take(known, record, number, settings.legacy, sink)
}

/** What headers say. A log whose header cannot be read is taken for what its first record looks like. */
const learn = (view: ThreadView, record: StoredRecord, options: Options): ThreadView => {
  if (record.kind !== "session_meta") return guess(view, record.ordinal)
  // A header in front of what counts is a copy of another thread's.
  const isCopy = record.ordinal !== undefined && record.ordinal < view.from
  const from = isCopy ? view.from : Math.max(view.from, startOf(record.payload, options))
  if (view.isHeaded) return from === view.from ? view : { ...view, from }
  return { ...view, mode: SessionMetaOps.historyMode(record.payload), from, isHeaded: true }
}

const guess = (view: ThreadView, ordinal: number | undefined): ThreadView =>
  view.mode === undefined ? { ...view, mode: guessed(ordinal) } : view

/** How a thread is kept, by one of its records: legacy ones have no ordinals. */
const guessed = (ordinal: number | undefined): HistoryMode => (ordinal === undefined ? "legacy" : "paginated")

/** The first ordinal that counts: behind what a sub-agent copied, or what an attached fork stands on. */
const startOf = (meta: SessionMeta, options: Options): number => {
  const copied = meta.subagent_history_start_ordinal ?? 0
  if (meta.attached_thread !== true || options.attached === "inherited") return copied
  return Math.max(copied, meta.forked_from_ordinal_exclusive ?? meta.history_base?.end_ordinal_exclusive ?? 0)
}

/**
 * Whether an event only repeats a canonical item for older readers: its envelope has the mark `skein.fanout`, as a kind
 * or as a key of its own.
 */
export const isFanout = (record: StoredRecord): boolean => {
  if (record.kind !== "event_msg" || record.extras === undefined) return false
  const { skein: mark } = record.extras as { readonly skein?: unknown }
  if (typeof mark !== "object" || mark === null) return false
  const { fanout, kind } = mark as { readonly fanout?: unknown; readonly kind?: unknown }
  return kind === "fanout" || (fanout !== undefined && fanout !== null && fanout !== false)
}

const takePaginated = (
  view: ThreadView,
  record: StoredRecord,
  number: number | undefined,
  settings: Settings,
  sink: Sink | undefined
): ThreadView => {
  if (record.kind !== "event_msg") return view
  if (record.ordinal !== undefined && record.ordinal < view.from) return view
  if (isForeign(record)) return LegacyView.take({ ...view, isMixed: true }, record, number, settings.legacy, sink)
  const snapshot = SnapshotView.snapshotOf(record)
  if (snapshot === undefined) return takeWithoutOrdinal(view, record, number, settings, sink)
  const change = SnapshotView.project(snapshot, settings)
  return change === undefined ? view : SnapshotView.apply(endForeign(view), change, sink)
}

/** Whether an event is one that only legacy threads keep: in a paginated log another program wrote it. */
const isForeign = ({ payload }: Of<"event_msg">): boolean => {
  if (payload.type === "item_completed") return false
  const { legacy, paginated } = PersistencePolicy.events[payload.type]
  return legacy === "keep" && paginated === "drop"
}

/** A turn that another program started is over when the log goes on in its own form. */
const endForeign = (view: ThreadView): ThreadView =>
  State.openTurn(view)?.isTentative === true ? State.close(view) : view

/**
 * A line without ordinal makes no turn of a paginated log (since-july). But a program that does not know ordinals may
 * have continued it: then its start is kept in mind, and becomes a turn with the first legacy event that follows.
 */
const takeWithoutOrdinal = (
  view: ThreadView,
  record: Of<"event_msg">,
  number: number | undefined,
  settings: Settings,
  sink: Sink | undefined
): ThreadView => {
  const { payload } = record
  switch (payload.type) {
    case "task_started": {
      const turn = State.newTurn(payload.turn_id, {
        rootTurnId: payload.root_turn_id ?? null,
        status: "inProgress",
        startedAt: payload.started_at ?? null,
        isExplicit: true,
        isTentative: true
      })
      return State.open({ ...view, isMixed: true }, turn, sink)
    }
    case "task_complete":
    case "turn_aborted":
      return State.openTurn(view)?.isTentative === true
        ? LegacyView.take(view, record, number, settings.legacy, sink)
        : view
    default:
      return view
  }
}
