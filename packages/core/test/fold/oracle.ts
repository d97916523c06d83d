/**
 * Replay as the pages describe it, over a whole log and with no thought of cost: §1.2 for what survives, §1.4.2 for
 * which compactions are void, §1.4 for the items. Written apart from the code under test, to hold it to.
 */
import { isBoundary } from "../../src/fold/Boundary.js"
import { dropLast } from "../../src/fold/DropLast.js"
import { newest } from "../../src/fold/Fragment.js"
import * as Rebuild from "../../src/fold/Rebuild.js"
import { toAgentMessage } from "../../src/record/InterAgentCommunication.js"
import { isUuidV7 } from "../../src/record/Primitive.js"
import type { StoredRecord } from "../../src/record/Record.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"

interface Segment {
  id: string | undefined
  isUser: boolean
  records: Array<StoredRecord>
  prev: unknown
  ref: unknown
}

const never = Symbol("never set")
const cleared = Symbol("cleared")

export const replay = (records: ReadonlyArray<StoredRecord>, rebuildTokens = Rebuild.defaultTokens) => {
  let pending = 0
  let segment: Segment | undefined
  const survived: Array<Segment> = []
  const undone = new Set<StoredRecord>()
  const open = () => {
    segment ??= { id: undefined, isUser: false, records: [], prev: undefined, ref: never }
    return segment
  }
  const close = (closed: Segment) => {
    segment = undefined
    if (pending === 0) return survived.push(closed)
    for (const record of closed.records) undone.add(record)
    if (closed.isUser) pending--
    return undefined
  }
  for (const record of [...records].reverse()) {
    if (record.kind === "compacted") {
      open().records.push(record)
      if (open().ref === never) open().ref = cleared
    } else if (record.kind === "world_state") open().records.push(record)
    else if (record.kind === "turn_context") {
      const { turn_id } = record.payload
      open().id ??= turn_id ?? undefined
      if (open().id === undefined || turn_id === undefined || turn_id === null || open().id === turn_id) {
        open().prev = record.payload.model
        if (open().ref === never) open().ref = record.payload
      }
    } else if (record.kind === "response_item") {
      open()
      if (isBoundary(record.payload, newest)) open().isUser = true
    } else if (record.kind === "inter_agent_communication") open().isUser = true
    else if (record.kind === "event_msg") {
      const event = record.payload
      if (event.type === "thread_rolled_back") pending += event.num_turns
      else if (event.type === "user_message") open().isUser = true
      else if (event.type === "task_complete") open().id ??= event.turn_id
      else if (event.type === "turn_aborted") {
        const id = event.turn_id ?? undefined
        if (segment !== undefined) segment.id ??= id
        else if (id !== undefined) open().id = id
      } else if (event.type === "task_started" && segment !== undefined) {
        if (segment.id === undefined || segment.id === event.turn_id) close(segment)
      }
    }
  }
  if (segment !== undefined) close(segment)

  let history: Array<ResponseItem> = []
  let rebuiltBehindBase = false
  for (const record of records) {
    if (record.kind === "response_item") {
      const item = record.payload
      if (item.type === "compaction_trigger" || (item.type === "message" && item.role === "system")) continue
      history.push(item)
    } else if (record.kind === "inter_agent_communication") history.push(toAgentMessage(record.payload))
    else if (record.kind === "compacted") {
      const { message, replacement_history } = record.payload
      if (replacement_history === undefined || replacement_history === null) {
        history = [...Rebuild.rebuild(history, message, { registry: newest, tokens: rebuildTokens })]
        rebuiltBehindBase = true
      } else if (!undone.has(record)) {
        history = [...replacement_history]
        rebuiltBehindBase = false
      }
    } else if (record.kind === "event_msg" && record.payload.type === "thread_rolled_back") {
      history = [...dropLast(history, record.payload.num_turns, newest)]
    }
  }

  const prev = survived.find((one) => one.isUser && one.prev !== undefined)?.prev
  const ref = survived.find((one) => (one.isUser && one.ref !== never) || one.ref === cleared)?.ref
  const newestFirst = survived.flatMap((one) => one.records)
  // The scan of §1.2 ends at the segment with which base, settings and reference are all decided; numbers of
  // compactions older than that are not taken.
  let numbered: StoredRecord | undefined
  let decided = { base: false, prev: false, ref: false }
  for (const one of survived) {
    numbered ??= one.records.find((record) => record.kind === "compacted" && record.payload.window_number !== undefined)
    decided = {
      base:
        decided.base || one.records.some((record) => record.kind === "compacted" && record.payload.replacement_history),
      prev: decided.prev || (one.isUser && one.prev !== undefined),
      ref: decided.ref || (one.isUser && one.ref !== never) || one.ref === cleared
    }
    if (decided.base && decided.prev && decided.ref) break
  }
  const rebuilt = records.some((one) => one.kind === "compacted" && !one.payload.replacement_history)
  const numberedAtAll = records.some((one) => one.kind === "compacted" && one.payload.window_number !== undefined)
  const all = records.filter((record) => record.kind === "compacted")
  const metaWindow = records
    .map((record) => (record.kind === "session_meta" ? record.payload.context_window?.window_id : undefined))
    .find((id) => id !== undefined && isUuidV7(id))
  const number =
    numbered?.kind === "compacted"
      ? numbered.payload.window_number
      : all.every((record) => record.payload.window_number !== undefined) && metaWindow !== undefined
        ? 0
        : all.length
  return {
    history,
    model: prev,
    reference: rebuiltBehindBase || ref === cleared || ref === undefined ? undefined : ref,
    world: world([...newestFirst].reverse()),
    // With a numbered compaction behind one without replacement the answer hangs on where a scan stops (§1.9).
    windowNumber: rebuilt && numberedAtAll ? undefined : number
  }
}

const world = (records: ReadonlyArray<StoredRecord>): unknown => {
  let state: unknown
  for (const record of records) {
    if (record.kind === "compacted") state = undefined
    else if (record.kind === "world_state") {
      const { full, state: value } = record.payload
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value)
      if (full) state = isObject ? value : undefined
      else if (state !== undefined) state = isObject ? merge(state, value) : undefined
    }
  }
  return state
}

const merge = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch
  const base = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {}
  const out = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) out.delete(key)
    else out.set(key, merge(out.get(key), value))
  }
  return Object.fromEntries(out)
}
