/**
 * The state behind {@link ModelContext}: the records that an answer may still need, and what was noted of the others.
 *
 * A rollback can undo anything, a compaction included, so a state that holds only the present history cannot go back.
 * Instead the fold keeps the records of the current context window and of the one before, and answers are read from
 * them by {@link ReplayScan}. Older records are let go when a compaction makes them unneeded twice over; a rollback
 * that reaches behind what is kept gives an answer marked incomplete, and its reader asks the store for more.
 */

import type { RawLine } from "../record/Jsonl.js"
import * as Jsonl from "../record/Jsonl.js"
import * as LineMemory from "../record/LineMemory.js"
import { isUuidV7 } from "../record/Primitive.js"
import type { StoredRecord } from "../record/Record.js"
import * as Record from "../record/Record.js"
import type { SessionMeta } from "../record/SessionMeta.js"
import type { TokenUsageInfo } from "../record/Usage.js"
import * as Boundary from "./Boundary.js"
import * as Fold from "./Fold.js"
import type { Registry } from "./Fragment.js"
import * as ReplayScan from "./ReplayScan.js"

/** A log as far as replay is concerned. Immutable: `records` is shared between states and only ever grows. */
export interface ReplayLog {
  /** The first `length` of these are this state's records, oldest first. */
  readonly records: ReadonlyArray<ReplayScan.Entry>
  readonly length: number
  /** Whether older records were let go. */
  readonly trimmed: boolean
  /** Where the scan stopped after the last compaction: what is older goes at the next one. */
  readonly cut: number
  /** Whether the span at the end holds a compaction. */
  readonly compacted: boolean
  /** Bytes of all relevant lines so far. */
  readonly bytes: number
  readonly head: Head
}

/** What is noted of the whole log, whatever is kept of it. */
export interface Head {
  /** The first `session_meta`: canonical for the thread (rollout-format §2.1). */
  readonly meta: SessionMeta | undefined
  /** The id of window 0, from the first `session_meta` that has one that is a UUIDv7. */
  readonly windowId: string | undefined
  /** The newest multi-agent version that a `session_meta` of this thread names. */
  readonly multiAgentVersion: SessionMeta["multi_agent_version"]
  /** How many compactions the log holds, rolled back ones too; undefined when they were not counted. */
  readonly compactions: number | undefined
  /** Whether a compaction without window number is among them. */
  readonly unnumbered: boolean
  readonly tokenInfo: TokenUsageInfo | undefined
  /** Whether every record of the log was noted, so that what is unset here is nowhere. */
  readonly whole: boolean
}

/** A log of which nothing is known. */
export const emptyHead: Head = {
  meta: undefined,
  windowId: undefined,
  multiAgentVersion: undefined,
  compactions: 0,
  unnumbered: false,
  tokenInfo: undefined,
  whole: true
}

const empty: ReplayLog = { records: [], length: 0, trimmed: false, cut: 0, compacted: false, bytes: 0, head: emptyHead }

/** How much is kept: what two context windows need, or everything. */
export type Keep = "windows" | "all"

/**
 * The fold that fills a replay log.
 *
 * Cost: constant per record; at a turn start behind a compaction, one scan of the current window. Memory: the relevant
 * records of two context windows, or of the whole thread with `keep: "all"`.
 */
export const fold = (
  options: ReplayScan.Options,
  keep: Keep = "windows",
  parsedBytes: number = defaultParsedBytes
): Fold.Fold<ReplayLog> => {
  const settings: Settings = { options, keep, parsedBytes }
  const memory = LineMemory.make()
  return Fold.make(
    empty,
    (log, record) => {
      const next = draftOf(log, memory)
      return take(next, record, settings) ? next.log : log
    },
    (from) => begin(from, settings)
  )
}

interface Settings {
  readonly options: ReplayScan.Options
  readonly keep: Keep
  readonly parsedBytes: number
}

/** A log that is being filled, by a step or a cursor. */
interface Draft {
  log: { -readonly [K in keyof ReplayLog]: ReplayLog[K] }
  readonly memory: LineMemory.LineMemory
  /** The newest entry, if it is one of deferred items that no state has seen: further items may join it. */
  run: { -readonly [K in keyof ReplayScan.Deferred]: ReplayScan.Deferred[K] } | undefined
}

const draftOf = (log: ReplayLog, memory: LineMemory.LineMemory): Draft => ({ log: { ...log }, memory, run: undefined })

const begin = (from: ReplayLog, settings: Settings): Fold.Cursor<ReplayLog> => {
  const draft = draftOf(from, LineMemory.make())
  return {
    add: (record) => {
      const before = draft.log.records
      take(draft, record, settings)
      // Where records went, only this cursor knew them.
      if (draft.log.records !== before) draft.memory.release(firstBlock(draft.log.records))
    },
    state: () => {
      draft.run = undefined
      draft.memory.share()
      return { ...draft.log }
    }
  }
}

const firstBlock = (records: ReadonlyArray<ReplayScan.Entry>): Uint8Array | undefined => {
  for (const entry of records) if (entry.kind === "deferred") return entry.block
  return undefined
}

/** Puts one more record into a draft; gives whether that changed it. */
const take = (draft: Draft, record: StoredRecord, { keep, options, parsedBytes }: Settings): boolean => {
  const { log } = draft
  const head = noteHead(log.head, record)
  if (!ReplayScan.isRelevant(record)) {
    if (head === log.head) return false
    log.head = head
    return true
  }
  log.head = head
  const starts = record.kind === "event_msg" && record.payload.type === "task_started"
  if (keep === "windows" && starts && log.compacted) trim(draft, options)
  if (log.bytes < parsedBytes || !defer(draft, record, options.registry)) push(draft, entryOf(record))
  if (record.kind === "compacted") log.compacted ||= ReplayScan.hasReplacement(record.payload)
  else if (starts) log.compacted = false
  log.bytes += record.line.bytes.length
  return true
}

/** What a record adds to what is noted of the whole log; the same object when it adds nothing. */
export const noteHead = (head: Head, record: StoredRecord): Head => {
  switch (record.kind) {
    case "session_meta":
      return noteMeta(head, record.payload)
    case "compacted": {
      const { window_number } = record.payload
      return {
        ...head,
        compactions: head.compactions === undefined ? undefined : head.compactions + 1,
        unnumbered: head.unnumbered || window_number === undefined || window_number === null
      }
    }
    case "event_msg": {
      const { payload } = record
      return payload.type === "token_count" && payload.info !== undefined && payload.info !== null
        ? withTokens(head, payload.info)
        : head
    }
    default:
      return head
  }
}

/** Made for every response, so it is spelt out: copying keys costs more. */
const withTokens = (head: Head, tokenInfo: TokenUsageInfo): Head => ({
  meta: head.meta,
  windowId: head.windowId,
  multiAgentVersion: head.multiAgentVersion,
  compactions: head.compactions,
  unnumbered: head.unnumbered,
  tokenInfo,
  whole: head.whole
})

const noteMeta = (head: Head, meta: SessionMeta): Head => {
  const id = meta.context_window?.window_id
  const own = head.meta === undefined || head.meta.id === meta.id
  return {
    ...head,
    meta: head.meta ?? meta,
    windowId: head.windowId ?? (id !== undefined && isUuidV7(id) ? id : undefined),
    multiAgentVersion: (own ? meta.multi_agent_version : undefined) ?? head.multiAgentVersion
  }
}

/** Feeds a scan with the records of a log, newest first, and closes it. */
export const scan = (log: ReplayLog, options: ReplayScan.Options): ReplayScan.Outcome => {
  const scan = ReplayScan.make(options)
  const left = feed(log, scan)
  return scan.finish(left === 0 && !log.trimmed)
}

/** Feeds a scan until it is settled; gives how many records were not needed. */
const feed = (log: ReplayLog, scan: ReplayScan.Scan): number => {
  let left = log.length
  while (left > 0 && !scan.settled()) scan.add(log.records[--left] as ReplayScan.Entry)
  return left
}

/** Pushing onto the newest state of a shared array is free; onto an older state it copies, so that both stay valid. */
const push = (draft: Draft, entry: ReplayScan.Entry): void => {
  const { log } = draft
  const shared = log.records as Array<ReplayScan.Entry>
  const records = log.length > 0 && shared.length === log.length ? shared : shared.slice(0, log.length)
  records.push(entry)
  log.records = records
  log.length++
  draft.run = undefined
}

/**
 * Bytes of lines up to which a thread's items are kept parsed, unless its reader says otherwise. A short thread is
 * answered from them at once; in a long one nearly all of them are dropped unasked, and until then the collector would
 * copy them over and over.
 */
export const defaultParsedBytes = 4 * 1024 * 1024

/** What is kept of a record. Of events only what the scan reads. */
const entryOf = (record: StoredRecord): ReplayScan.Entry => {
  if (record.kind === "event_msg") {
    const { payload } = record
    if (payload.type === "user_message") return userMessage
    if (payload.type === "task_complete") {
      return { kind: "event_msg", payload: { type: "task_complete", turn_id: payload.turn_id } }
    }
  }
  return { kind: record.kind, payload: record.payload } as ReplayScan.Entry
}

/**
 * Keeps only the line of an item that no user wrote; gives whether the record is one. Those are most of a long thread,
 * each is asked for once at most, and the bytes of a line lie outside of the heap that is collected. They are copied,
 * since a reader uses the memory of a line again. Items side by side are one entry.
 */
const defer = (draft: Draft, record: StoredRecord, registry: Registry): boolean => {
  if (record.kind !== "response_item" || record.upcast !== undefined) return false
  const { payload } = record
  if (payload.type === "message" && payload.role === "user") return false
  const { memory, run } = draft
  const { bytes } = record.line
  const from = memory.add(bytes)
  const block = memory.block()
  const boundary = Boundary.isBoundary(payload, registry)
  if (run !== undefined && run.block === block && run.from + run.length + 1 === from) {
    run.length = from + bytes.length - run.from
    run.boundary ||= boundary
  } else {
    const entry: ReplayScan.Deferred = { kind: "deferred", block, from, length: bytes.length, boundary }
    push(draft, entry)
    draft.run = entry
  }
  return true
}

/** Items that were kept as their lines, read again. Cost: as {@link Record.decode}. */
export const readDeferred = ({ block, from, length }: ReplayScan.Deferred): ReadonlyArray<Record.Decoded> => {
  const items: Array<Record.Decoded> = []
  const take = (line: RawLine): boolean => items.push(Record.decode({ ...line, terminated: true })) > 0
  const splitter = Jsonl.forward()
  splitter.push(LineMemory.bytesAt(block, from, length), take)
  splitter.end(take)
  return items
}

/** All that the scan reads of one: that it is there. */
const userMessage: ReplayScan.Entry = { kind: "event_msg", payload: { type: "user_message", message: "" } }

/** Lets go of what two context windows do not need. */
const trim = (draft: Draft, options: ReplayScan.Options): void => {
  const { log } = draft
  const scan = ReplayScan.make(options)
  const stop = feed(log, scan)
  if (!scan.settled()) return
  // A rollback may have made records needed again that were to go now.
  const cut = Math.min(log.cut, stop)
  log.records = log.records.slice(cut, log.length)
  log.length -= cut
  log.trimmed ||= cut > 0
  log.cut = stop - cut
  draft.run = undefined
}
