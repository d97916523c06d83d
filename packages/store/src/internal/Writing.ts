/** Everything that adds to logs. */

import type * as Record from "@skein/core/record/Record"
import type { Draft } from "@skein/core/record/Record"
import type { HistoryBase, SessionMeta } from "@skein/core/record/SessionMeta"
import * as Timestamp from "@skein/core/record/Timestamp"
import { Clock, Effect } from "effect"
import * as Derived from "../Derived.js"
import type { Driver, NewSegment, StoredSegment } from "../Driver.js"
import * as EffectiveLog from "../EffectiveLog.js"
import { IdGenerator } from "../IdGenerator.js"
import * as LineSource from "../LineSource.js"
import type { Position } from "../Position.js"
import * as Positions from "../Position.js"
import {
  type AppendConflict,
  type AppendError,
  InvalidRequest,
  type ReadError,
  type ThreadAlreadyExists
} from "../StoreError.js"
import type { Explicit } from "../Summary.js"
import * as Summary from "../Summary.js"
import * as SummaryQuery from "../SummaryQuery.js"
import type { Appended, AppendOptions, Exported, ForkOptions, ImportOptions, RevertOptions } from "../ThreadStore.js"
import type { Appender } from "./Appender.js"
import * as Encoding from "./Encoding.js"
import * as Reading from "./Reading.js"
import type { Signals } from "./Signals.js"

/** See {@link ThreadStoreService.create}. */
export const create = (
  driver: Driver,
  header: Draft<"session_meta">,
  records: ReadonlyArray<Draft> = [],
  options: { readonly explicit?: Explicit | undefined } = {}
): Effect.Effect<Appended, ThreadAlreadyExists | AppendError> =>
  Effect.gen(function* () {
    const { madeAt, mode, threadId } = yield* opening(header)
    const said = yield* Summary.check(Summary.patchOf(options.explicit ?? {}))
    const { write, written } = yield* Encoding.write([header, ...records], { mode, nextOrdinal: 0, opens: true })
    const segment: NewSegment = {
      segmentId: threadId,
      base: undefined,
      content: LineSource.ofLines(write.lines),
      nextOrdinal: mode === "paginated" ? written.length : undefined,
      madeAt
    }
    const position = yield* driver.create({
      threadId,
      historyMode: mode,
      segment,
      derived: write.derive(Derived.empty),
      explicit: Summary.apply({}, said),
      archivedAt: undefined
    })
    return { position, records: written }
  })

/** A header, if it is one at all: it may come from code without types. */
const checked = (header: Draft<"session_meta">): Effect.Effect<Draft<"session_meta">, InvalidRequest> =>
  Encoding.isObject(header) && header.type === "session_meta" && Encoding.isObject(header.payload)
    ? Effect.succeed(header)
    : Effect.fail(
        new InvalidRequest({
          field: "header",
          reason: "it is no record of type session_meta",
          advice: "Nothing was written. Give the header that the thread is to begin with."
        })
      )

/** What a header says of its thread. */
const opening = (header: Draft<"session_meta">) =>
  Effect.gen(function* () {
    const { payload, timestamp } = yield* checked(header)
    const threadId = yield* SummaryQuery.threadId(String(payload.id), "header.id")
    const historyMode = Derived.historyModeOf(payload)
    const known = Derived.knownMode(historyMode)
    if (known === undefined) {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "header.history_mode",
          reason: `${JSON.stringify(historyMode)} is no mode that this version writes`,
          advice: "Make legacy or paginated threads."
        })
      )
    }
    const madeAt = timeOf(payload.timestamp) ?? timeOf(timestamp)
    return { threadId, mode: known, madeAt: madeAt ?? (yield* Clock.currentTimeMillis) }
  })

const timeOf = (text: unknown): number | undefined => (typeof text === "string" ? Timestamp.parse(text) : undefined)

const longestOperationId = 64

/** See {@link ThreadStoreService.append}. */
export const append = (
  driver: Driver,
  appender: Appender,
  threadId: string,
  records: ReadonlyArray<Draft>,
  options: AppendOptions = {}
): Effect.Effect<Appended, AppendError> =>
  Effect.gen(function* () {
    const id = yield* SummaryQuery.threadId(threadId)
    const { expected = "any", fence, operationId } = options
    if (
      operationId !== undefined &&
      (expected === "any" || operationId.length > longestOperationId || operationId === "")
    ) {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "operationId",
          reason: expected === "any" ? "a retry is only found at an expected position" : "it is empty or too long",
          advice: `Give 1 to ${longestOperationId} characters, and the position that the append expects.`
        })
      )
    }
    const marked = operationId !== undefined || (driver.marksBatches && records.length > 1)
    const ids = yield* IdGenerator
    const mark = marked ? { id: operationId ?? (yield* ids.next), always: operationId !== undefined } : undefined
    const { batch, written } = Encoding.encode(records, mark)
    const appended = Effect.map(
      appender.append(id, batch, expected, fence),
      (position): Appended => ({ position, records: written() })
    )
    if (operationId === undefined || expected === "any") return yield* appended
    return yield* appended.pipe(
      Effect.catchTag("AppendConflict", (conflict) => already(driver, id, expected, operationId, conflict))
    )
  })

/** What an earlier try of an operation appended behind the position that it expected; else the conflict. */
const already = (
  driver: Driver,
  threadId: string,
  expected: Position,
  operationId: string,
  conflict: AppendConflict
): Effect.Effect<Appended, AppendError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* Reading.open(driver, threadId)
      const rest = EffectiveLog.after(log, expected)
      const records: Array<Record.StoredRecord> = []
      let position: Position | undefined
      let wanted = 1
      if (rest !== undefined) {
        yield* EffectiveLog.forward(rest, (decoded, piece) => {
          const [id, , count] = (EffectiveLog.isRecord(decoded) ? Encoding.batchOf(decoded) : undefined) ?? []
          if (!EffectiveLog.isRecord(decoded) || id !== operationId || count === undefined) return false
          records.push(decoded)
          wanted = count
          position = Positions.behind(rest.pieces[piece]?.segmentId ?? "", decoded.line)
          return records.length < wanted
        })
      }
      // A part of a batch is what a crash left: nobody was told that it is there.
      return position === undefined || records.length < wanted ? yield* Effect.fail(conflict) : { position, records }
    })
  )

/** See {@link ThreadStoreService.fork}. */
export const fork = (
  driver: Driver,
  source: string,
  options: ForkOptions
): Effect.Effect<Appended, ThreadAlreadyExists | AppendError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const located = yield* Reading.locate(driver, source, options)
      const mode = yield* Encoding.modeOf(located)
      const log = yield* driver.open(located.threadId)
      const at = options.at ?? EffectiveLog.end(log)
      const { nextOrdinal } = yield* Reading.cutAt(log, at, "at", mode)
      const { history_base: _, ...payload } = (yield* checked(options.header)).payload
      const { history_mode: __, ...unmoded } = payload
      // As 0.169.0 writes it: what a fork inherits is said where it comes from as well (since-july).
      const from =
        (payload.forked_from_id ?? undefined) === undefined ? {} : { forked_from_ordinal_exclusive: nextOrdinal }
      const header: Draft<"session_meta"> = {
        ...options.header,
        payload:
          mode === "paginated"
            ? { ...payload, ...from, history_mode: mode, history_base: baseOf(at, nextOrdinal) }
            : unmoded
      }
      const { madeAt, threadId } = yield* opening(header)
      const drafts = [header, ...(options.records ?? [])]
      const { write, written } = yield* Encoding.write(drafts, { mode, nextOrdinal, opens: true })
      const position = yield* driver.create({
        threadId,
        historyMode: mode,
        forkOf: located.threadId,
        segment: {
          segmentId: threadId,
          base: at,
          content: LineSource.ofLines(write.lines),
          nextOrdinal: mode === "paginated" ? nextOrdinal + written.length : undefined,
          madeAt
        },
        derived: undefined,
        explicit: {},
        archivedAt: undefined
      })
      return { position, records: written }
    })
  )

const baseOf = ({ offset, segmentId }: Position, nextOrdinal: number): HistoryBase => ({
  thread_id: segmentId,
  end_ordinal_exclusive: nextOrdinal,
  end_byte_offset: offset
})

/** See {@link ThreadStoreService.revert}. */
export const revert = (
  driver: Driver,
  signals: Signals,
  threadId: string,
  options: RevertOptions
): Effect.Effect<Appended, AppendError> => {
  const once = revertOnce(driver, signals, threadId, options)
  // Whoever expects nothing is not told that the log grew meanwhile.
  return options.expected === undefined ? Effect.retry(once, { while: ({ _tag }) => _tag === "AppendConflict" }) : once
}

const revertOnce = (
  driver: Driver,
  signals: Signals,
  threadId: string,
  options: RevertOptions
): Effect.Effect<Appended, AppendError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const located = yield* Reading.locate(driver, threadId)
      const mode = yield* Encoding.modeOf(located)
      const log = yield* driver.open(located.threadId)
      const { nextOrdinal } = yield* Reading.cutAt(log, options.to, "to", mode)
      if (log.meta === undefined) {
        return yield* Effect.fail(
          new InvalidRequest({
            field: "threadId",
            reason: "the thread has no header that can be read, so no segment of it can be begun",
            advice: "Fork what can be read of it instead."
          })
        )
      }
      const ids = yield* IdGenerator
      const segmentId = yield* SummaryQuery.threadId(options.segmentId ?? (yield* ids.next), "segmentId")
      const { history_base: _, ...payload } = log.meta.payload
      const restarted: SessionMeta = { ...payload, timestamp: options.timestamp }
      const header: Draft<"session_meta"> = {
        timestamp: options.timestamp,
        type: "session_meta",
        payload: mode === "paginated" ? { ...restarted, history_base: baseOf(options.to, nextOrdinal) } : restarted
      }
      const { madeAt } = yield* opening(header)
      const drafts = [header, ...(options.records ?? [])]
      const { write, written } = yield* Encoding.write(drafts, { mode, nextOrdinal, opens: true })
      const position = yield* driver.branch(
        located.threadId,
        {
          segmentId,
          base: options.to,
          content: LineSource.ofLines(write.lines),
          nextOrdinal: mode === "paginated" ? nextOrdinal + written.length : undefined,
          madeAt
        },
        { expected: options.expected ?? EffectiveLog.end(log), fence: options.fence }
      )
      yield* signals.notify(located.threadId)
      return { position, records: written }
    })
  )

/** See {@link ThreadStoreService.imported}. */
export const imported = (
  driver: Driver,
  { row, segments }: Exported,
  { present = 0 }: ImportOptions = {}
): Effect.Effect<void, ThreadAlreadyExists | AppendError> =>
  Effect.gen(function* () {
    const threadId = yield* SummaryQuery.threadId(row.threadId)
    const [first] = segments
    if (first === undefined) {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "segments",
          reason: "a thread without segments has no log",
          advice: "Give what another store exported."
        })
      )
    }
    const { archivedAt, explicit, historyMode } = row
    const made = (stored: StoredSegment) =>
      Effect.map(
        historyMode === "paginated" ? ordinalBehind(segments, stored) : Effect.succeed(undefined),
        (nextOrdinal): NewSegment => {
          const { base, madeAt, segmentId, source: content } = stored
          return { segmentId, base, content, nextOrdinal, madeAt }
        }
      )
    const isNew = present === 0
    const begun = Effect.flatMap(made(first), (segment) =>
      driver.create({ threadId, historyMode, segment, derived: undefined, explicit, archivedAt })
    )
    let head = isNew ? yield* begun : (yield* driver.locate(threadId)).head
    const rest = Effect.forEach(
      segments.slice(isNew ? 1 : present),
      (stored) =>
        Effect.gen(function* () {
          head = yield* driver.branch(threadId, yield* made(stored), { expected: head, fence: undefined })
        }),
      { discard: true }
    )
    // Half of a thread would pass for the whole of it.
    yield* isNew ? Effect.onError(rest, () => Effect.ignore(driver.remove(threadId, "keep"))) : rest
  })

/** The ordinal that follows a segment: behind its own records, else behind those of what it stands on. */
const ordinalBehind = (
  segments: ReadonlyArray<StoredSegment>,
  { base, source }: StoredSegment
): Effect.Effect<number | undefined, ReadError> =>
  Effect.gen(function* () {
    let next = yield* Reading.ordinalBehind(source)
    let below = base
    const seen = new Set<string>()
    while (next === undefined && below !== undefined && !seen.has(below.segmentId)) {
      const { offset, segmentId } = below
      seen.add(segmentId)
      const found = segments.find((one) => one.segmentId === segmentId)
      next = found === undefined ? undefined : yield* Reading.ordinalBehind(found.source, offset)
      below = found?.base
    }
    return next
  })
