/** From drafts to the lines of a batch, and to the records that those lines are. */

import * as PersistencePolicy from "@skein/core/decide/PersistencePolicy"
import type { RawLine } from "@skein/core/record/Jsonl"
import type { Draft, StoredRecord } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"
import type { HistoryMode } from "@skein/core/record/SessionMeta"
import { Either } from "effect"
import * as Derived from "../Derived.js"
import type { Batch, Located, Write } from "../Driver.js"
import { InvalidRequest, UnsupportedHistoryMode } from "../StoreError.js"

/** A record as it was written, and how many bytes of the batch lie up to its end. */
export interface Written {
  readonly record: StoredRecord
  readonly end: number
}

/** What a batch came to, once a driver has asked for it. */
export interface Encoded {
  readonly batch: Batch
  readonly written: () => ReadonlyArray<Written>
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
  let written: ReadonlyArray<Written> = []
  const batch: Batch = (at) =>
    Either.gen(function* () {
      const mode = yield* modeOf(at)
      if (at.archivedAt !== undefined) return yield* Either.left(archived(at.threadId))
      const made = yield* write(drafts, mode, at.nextOrdinal, mark)
      written = made.written
      return made.write
    })
  return { batch, written: () => written }
}

/** The mode of a thread, or why nothing is done with one of its mode. */
export const modeOf = ({ historyMode, threadId }: Located): Either.Either<HistoryMode, UnsupportedHistoryMode> => {
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

/** The lines of drafts from an ordinal on; what the thread does not keep is left out. */
export const write = (
  drafts: ReadonlyArray<Draft>,
  mode: HistoryMode,
  nextOrdinal: number | undefined,
  mark: Mark | undefined
): Either.Either<{ readonly write: Write; readonly written: ReadonlyArray<Written> }, InvalidRequest> =>
  Either.gen(function* () {
    const kept: Array<Draft> = []
    for (const [i, draft] of drafts.entries()) {
      if (!Object.hasOwn(PersistencePolicy.records, draft.type) && !isFamily(draft.type)) {
        return yield* Either.left(refused(i, `there are no records of type ${JSON.stringify(draft.type)}`))
      }
      if (!isObject(draft.payload)) return yield* Either.left(refused(i, "its payload is no object"))
      if (isDecidable(draft) && keeps(draft, mode)) kept.push(draft)
      else if (!isDecidable(draft)) return yield* Either.left(refused(i, "its payload is of no known kind"))
    }
    const marked = mark !== undefined && (mark.always || kept.length > 1)
    const written: Array<Written> = []
    const lines: Array<Uint8Array> = []
    let end = 0
    for (const [i, draft] of kept.entries()) {
      const ordinal = mode === "paginated" ? (nextOrdinal ?? 0) + i : undefined
      if (ordinal !== undefined && !Number.isSafeInteger(ordinal)) {
        return yield* Either.left(refused(i, `its ordinal ${ordinal} is beyond what can be counted`))
      }
      const extras = marked ? withMark(draft.extras, [mark.id, i, kept.length]) : draft.extras
      const encoded = Record.write({ ...draft, ordinal, extras })
      const bytes = encoded.subarray(0, encoded.length - 1)
      const line: RawLine = { bytes, offset: end, number: undefined, terminated: true }
      const record = Record.decode(line)
      if (record.kind === "damage") return yield* Either.left(refused(i, record.detail))
      if (record.kind === "blank") return yield* Either.left(refused(i, "it is empty"))
      end += encoded.length
      lines.push(bytes)
      written.push({ record, end })
    }
    const derive = (before: Derived.Derived): Derived.Derived => {
      let state = before
      for (const { record } of written) state = Derived.fold.step(state, record)
      return state
    }
    return { write: { lines, derive }, written }
  })

const isFamily = (type: string): boolean => type === "response_item" || type === "event_msg"

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value)

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
  const skein = extras?.["skein"]
  return { ...extras, skein: { v: 1, ...(isObject(skein) ? (skein as object) : {}), b: batch } }
}

const refused = (index: number, reason: string): InvalidRequest =>
  new InvalidRequest({
    field: `records[${index}]`,
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
