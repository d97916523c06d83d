/** From drafts to the lines of a batch, and to the records that those lines are. */

import * as PersistencePolicy from "@skein/core/decide/PersistencePolicy"
import * as Fold from "@skein/core/fold/Fold"
import type { RawLine } from "@skein/core/record/Jsonl"
import * as Jsonl from "@skein/core/record/Jsonl"
import type { Draft, StoredRecord } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"
import type { HistoryMode } from "@skein/core/record/SessionMeta"
import { Either } from "effect"
import * as Derived from "../Derived.js"
import type { Batch, Located, Write } from "../Driver.js"
import { InvalidRequest, UnsupportedHistoryMode } from "../StoreError.js"

/** What a batch came to, once a driver has asked for it. */
export interface Encoded {
  readonly batch: Batch
  readonly written: () => ReadonlyArray<StoredRecord>
}

/** Says of each line of a batch which batch it is part of, and which part (design §7). */
export interface Mark {
  readonly id: string
  /** Whether batches of a single line are marked too: so that a retry finds them. */
  readonly always: boolean
}

/**
 * Whether a thread keeps a record. Beside what the reference keeps (rollout-format §6) legacy threads keep every
 * canonical item: the enriched form of design §7.
 */
export const keeps = (draft: Draft, mode: HistoryMode): boolean =>
  (draft.type === "event_msg" && (draft.payload as { readonly type: string }).type === "item_completed") ||
  PersistencePolicy.decide({ kind: draft.type, payload: draft.payload } as PersistencePolicy.Entry, mode) === "keep"

/** A batch of drafts. The lines depend on where it will stand: paginated threads number their records. */
export const encode = (drafts: ReadonlyArray<Draft>, mark: Mark | undefined): Encoded => {
  let written: ReadonlyArray<StoredRecord> = []
  const batch: Batch = (at) =>
    Either.gen(function* () {
      const mode = yield* modeOf(at)
      if (at.archivedAt !== undefined) return yield* Either.left(archived(at.threadId))
      const made = yield* write(drafts, { mode, nextOrdinal: at.nextOrdinal, offset: at.head.offset, mark })
      written = made.written
      return made.write
    })
  return { batch, written: () => written }
}

/** The mode of a thread, or why nothing is done with one of its mode. */
export const modeOf = ({
  historyMode,
  threadId
}: Pick<Located, "historyMode" | "threadId">): Either.Either<HistoryMode, UnsupportedHistoryMode> => {
  const known = Derived.knownMode(historyMode)
  return known === undefined ? Either.left(new UnsupportedHistoryMode({ threadId, historyMode })) : Either.right(known)
}

/** An archived thread is not written to, and only read by who says so. */
export const archived = (threadId: string): InvalidRequest =>
  new InvalidRequest({
    field: "threadId",
    reason: `thread ${threadId} is archived`,
    advice: "Unarchive it, or, to read it, say includeArchived."
  })

/** Where drafts will stand. */
export interface Place {
  readonly mode: HistoryMode
  /** The ordinal of the first one. */
  readonly nextOrdinal: number | undefined
  /** Bytes in front of them in their segment. Default 0. */
  readonly offset?: number | undefined
  readonly mark?: Mark | undefined
  /** Whether they open a segment, so that the first one is a header; messages then count the others from 0. */
  readonly opens?: boolean | undefined
}

/** The lines of drafts at a place; what the thread does not keep is left out. */
export const write = (
  drafts: ReadonlyArray<Draft>,
  { mark, mode, nextOrdinal = 0, offset = 0, opens = false }: Place
): Either.Either<{ readonly write: Write; readonly written: ReadonlyArray<StoredRecord> }, InvalidRequest> => {
  const nameOf = (i: number): string => (opens ? (i === 0 ? "header" : `records[${i - 1}]`) : `records[${i}]`)
  const fail = (i: number, reason: string) => Either.left(refused(nameOf(i), reason))
  // Plain loops: this is what an append costs.
  const kept: Array<number> = []
  for (let i = 0; i < drafts.length; i++) {
    const draft = drafts[i] as Draft
    const problem = problemOf(draft)
    if (problem !== undefined) return fail(i, problem)
    if (keeps(draft, mode)) kept.push(i)
  }
  const marked = mark !== undefined && (mark.always || kept.length > 1)
  const texts: Array<string> = []
  const made: Array<Record.Written> = []
  for (let k = 0; k < kept.length; k++) {
    const i = kept[k] as number
    const draft = drafts[i] as Draft
    const ordinal = mode === "paginated" ? nextOrdinal + k : undefined
    if (ordinal !== undefined && !Number.isSafeInteger(ordinal)) {
      return fail(i, `its ordinal ${ordinal} is beyond what can be counted`)
    }
    const extras = marked ? withMark(draft.extras, [mark.id, k, kept.length]) : draft.extras
    try {
      const { payload, timestamp, type } = draft
      // Key by key: an object that is spread costs more than its text.
      const one = Record.written({ timestamp, ordinal, type, payload, extras })
      made.push(one)
      texts.push(one.text)
    } catch (error) {
      return fail(i, `it cannot be written as JSON: ${String(error)}`)
    }
  }
  const lines = Jsonl.encodeAll(texts)
  const written: Array<StoredRecord> = []
  let end = offset
  for (let k = 0; k < kept.length; k++) {
    const bytes = lines[k] as Uint8Array
    const line: RawLine = { bytes, offset: end, number: undefined, terminated: true }
    const record = (made[k] as Record.Written).at(line)
    if (record.kind === "damage") return fail(kept[k] as number, record.detail)
    if (record.kind === "blank") return fail(kept[k] as number, "it is empty")
    end += bytes.length + 1
    written.push(record)
  }
  const derive = (before: Derived.Derived): Derived.Derived => Fold.run(Derived.fold, written, before)
  return Either.right({ write: { lines, derive }, written })
}

/** What is wrong with a draft, which may come from code without types, apart from the shape of its payload. */
const problemOf = (draft: Draft): string | undefined => {
  if (!isObject(draft)) return "it is no record"
  if (!Object.hasOwn(PersistencePolicy.records, draft.type) && !isFamily(draft.type)) {
    return `there are no records of type ${JSON.stringify(draft.type)}`
  }
  if (!isObject(draft.payload)) return "its payload is no object"
  if (!isDecidable(draft)) return "its payload is of no known kind"
  const taken = Object.keys(draft.extras ?? {}).find((key) => envelopeKeys.has(key))
  return taken === undefined ? undefined : `its extras hold ${taken}, which the record itself says`
}

const envelopeKeys: ReadonlySet<string> = new Set(["timestamp", "ordinal", "type", "payload"])

const isFamily = (type: string): boolean => type === "response_item" || type === "event_msg"

/** Whether a value is an object of JSON. */
export const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Whether the policy's tables, which are total over what types allow, have a word for a draft that came untyped. */
const isDecidable = (draft: Draft): boolean => {
  const payload = draft.payload as { readonly type?: unknown; readonly item?: unknown }
  if (draft.type === "response_item") return Object.hasOwn(PersistencePolicy.items, String(payload.type))
  if (draft.type !== "event_msg") return true
  return payload.type === "item_completed"
    ? isObject(payload.item)
    : Object.hasOwn(PersistencePolicy.events, String(payload.type))
}

const withMark = (extras: Draft["extras"], batch: readonly [string, number, number]): Draft["extras"] => {
  if (extras === undefined) return { skein: { v: 1, b: batch } }
  const { skein } = extras
  return { ...extras, skein: { v: 1, ...(isObject(skein) ? (skein as object) : {}), b: batch } }
}

const refused = (field: string, reason: string): InvalidRequest =>
  new InvalidRequest({
    field,
    reason,
    advice: "Nothing was written. Make records with the constructors of @skein/core."
  })

/** The batch that a record says it is part of. */
export const batchOf = (record: StoredRecord): readonly [string, number, number] | undefined => {
  const skein = record.extras?.["skein"] as { readonly b?: unknown } | null | undefined
  const batch = typeof skein === "object" && skein !== null ? skein.b : undefined
  if (!Array.isArray(batch) || batch.length !== 3) return undefined
  const [id, i, n] = batch as ReadonlyArray<unknown>
  return typeof id === "string" && typeof i === "number" && typeof n === "number" ? [id, i, n] : undefined
}
