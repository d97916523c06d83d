/**
 * What rollbacks have left of a log: the same replay, without the records that they took back and without the rollbacks
 * themselves (replay-semantics §1.4.2).
 *
 * Whoever takes a log apart needs this first. A filter that drops items also drops what a later rollback counts, and then
 * the rollback takes away something else (§11.5).
 */
import * as InterAgentCommunication from "../record/InterAgentCommunication.js"
import type { Of, StoredRecord } from "../record/Record.js"
import * as Record from "../record/Record.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import * as Boundary from "./Boundary.js"
import { dropLast } from "./DropLast.js"
import * as Fragment from "./Fragment.js"
import * as Prompt from "./Prompt.js"
import * as Rebuild from "./Rebuild.js"
import * as ReplayScan from "./ReplayScan.js"

/** How a log is read. */
export interface Options {
  /** Default: {@link Fragment.newest}. */
  readonly registry?: Fragment.Registry | undefined
  /** Default: {@link Rebuild.defaultTokens}. */
  readonly rebuildTokens?: number | undefined
}

/**
 * The records of a log that its rollbacks have left, in order. A compaction of whose new history a rollback took the end
 * is rewritten without it; every other record is the one it was. Cost: the log, twice.
 *
 * Law: replaying what is left gives the history and the world state of replaying the log, and of well-formed logs
 * settings and reference context as well. A compaction without a recorded history stands as it is (§1.4.2). Of a turn
 * that was taken back items may be left: a rollback counts what was said, and a turn may have said more.
 */
export const of = (records: ReadonlyArray<StoredRecord>, options: Options = {}): ReadonlyArray<StoredRecord> => {
  const registry = options.registry ?? Fragment.newest
  const gone = discarded(records, registry)
  const { cuts, dead, visible } = items(records, gone, registry, options.rebuildTokens ?? Rebuild.defaultTokens)
  const left: Array<StoredRecord> = []
  for (const [i, record] of records.entries()) {
    if (isLeft(records, i, gone, dead, visible)) left.push(cut(record, cuts.get(i)))
  }
  return left
}

const isLeft = (
  records: ReadonlyArray<StoredRecord>,
  at: number,
  gone: ReadonlyArray<boolean>,
  dead: ReadonlySet<number>,
  visible: ReadonlySet<number>
): boolean => {
  const record = records[at] as StoredRecord
  switch (record.kind) {
    case "session_meta":
      return true
    case "compacted":
      return gone[at] !== true || !ReplayScan.hasReplacement(record.payload)
    case "event_msg":
      return record.payload.type !== "thread_rolled_back" && gone[at] !== true
    case "inter_agent_communication_metadata": {
      const mail = records[at + 1]
      return mail?.kind === "response_item" && mail.payload.type === "agent_message"
        ? !dead.has(at + 1)
        : gone[at] !== true
    }
    default:
      return visible.has(at) ? !dead.has(at) : gone[at] !== true
  }
}

/** A compaction with the first items of its new history only. */
const cut = (record: StoredRecord, length: number | undefined): StoredRecord => {
  if (length === undefined || record.kind !== "compacted" || !ReplayScan.hasReplacement(record.payload)) return record
  const { extras, ordinal, payload, timestamp } = record
  const replacement_history = payload.replacement_history.slice(0, length)
  return Record.reread({ timestamp, ordinal, type: "compacted", payload: { ...payload, replacement_history }, extras })
}

/** For each record, whether its span was discarded: the scan of replay-semantics §1.2, for what survives alone. */
const discarded = (records: ReadonlyArray<StoredRecord>, registry: Fragment.Registry): ReadonlyArray<boolean> => {
  const gone = new Array<boolean>(records.length).fill(false)
  let end = records.length
  let pending = 0
  let span: { id: string | undefined; isUserTurn: boolean } | undefined
  const open = () => {
    span ??= { id: undefined, isUserTurn: false }
    return span
  }
  const close = (start: number) => {
    if (pending > 0) {
      gone.fill(true, start, end)
      if (span?.isUserTurn === true) pending--
    }
    end = start
    span = undefined
  }
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i] as StoredRecord
    switch (record.kind) {
      case "compacted":
      case "world_state":
        open()
        break
      case "turn_context":
        open().id ??= record.payload.turn_id ?? undefined
        break
      case "response_item":
        if (Boundary.isBoundary(record.payload, registry)) open().isUserTurn = true
        else open()
        break
      case "inter_agent_communication":
        open().isUserTurn = true
        break
      case "event_msg": {
        const event = record.payload
        if (event.type === "task_complete") open().id ??= event.turn_id
        else if (event.type === "turn_aborted") {
          const id = event.turn_id ?? undefined
          if (span !== undefined) span.id ??= id
          else if (id !== undefined) open().id = id
        } else if (event.type === "user_message") open().isUserTurn = true
        else if (event.type === "thread_rolled_back") {
          pending = Math.min(pending + event.num_turns, Number.MAX_SAFE_INTEGER)
        } else if (event.type === "task_started" && span !== undefined) {
          if (span.id === undefined || span.id === event.turn_id) close(i)
        }
        break
      }
      default:
        break
    }
  }
  if (span !== undefined) close(0)
  return gone
}

/** What rollbacks did to items. */
interface Items {
  /** Records that are items of the history. */
  readonly visible: ReadonlySet<number>
  /** Those of them that a rollback dropped. */
  readonly dead: ReadonlySet<number>
  /** Compactions of whose new history a rollback dropped the end, and what is left of it. */
  readonly cuts: ReadonlyMap<number, number>
}

/** Where an item of the history comes from: a record, or an item of what a compaction put in place. */
interface Origin {
  readonly at: number
  readonly part: number | undefined
}

/** The forward fold of replay-semantics §1.4.2, with the origin of each item. */
const items = (
  records: ReadonlyArray<StoredRecord>,
  gone: ReadonlyArray<boolean>,
  registry: Fragment.Registry,
  tokens: number
): Items => {
  const visible = new Set<number>()
  const dead = new Set<number>()
  const cuts = new Map<number, number>()
  let history: ReadonlyArray<ResponseItem> = []
  let origins: ReadonlyArray<Origin> = []
  const appended: Array<ResponseItem> = []
  const append = (item: ResponseItem, at: number) => {
    visible.add(at)
    appended.push(item)
    ;(origins as Array<Origin>).push({ at, part: undefined })
  }
  const settle = () => {
    if (appended.length > 0) history = [...history, ...appended.splice(0)]
    return history
  }
  const replace = (next: ReadonlyArray<ResponseItem>, at: number, isRecorded: boolean) => {
    appended.length = 0
    history = next
    origins = next.map((_, part) => ({ at, part: isRecorded ? part : undefined }))
  }
  for (const [i, record] of records.entries()) {
    if (record.kind === "response_item") {
      if (Prompt.isModelVisible(record.payload)) append(record.payload, i)
    } else if (record.kind === "inter_agent_communication") {
      append(InterAgentCommunication.toAgentMessage(record.payload), i)
    } else if (record.kind === "compacted") {
      const { payload } = record
      if (!ReplayScan.hasReplacement(payload)) {
        replace(Rebuild.rebuild(settle(), payload.message, { registry, tokens }), i, false)
      } else if (gone[i] !== true) replace(payload.replacement_history, i, true)
    } else if (isRollback(record)) {
      history = dropLast(settle(), record.payload.num_turns, registry)
      for (const { at, part } of origins.slice(history.length)) {
        if (part !== undefined) cuts.set(at, Math.min(part, cuts.get(at) ?? part))
        else if (visible.has(at)) dead.add(at)
      }
      origins = origins.slice(0, history.length)
    }
  }
  return { visible, dead, cuts }
}

const isRollback = (
  record: StoredRecord
): record is Of<"event_msg"> & {
  readonly payload: { readonly type: "thread_rolled_back"; readonly num_turns: number }
} => record.kind === "event_msg" && record.payload.type === "thread_rolled_back"
