/** Logs as a driver has them: made, added to, let go on elsewhere, and read. */
import * as Derived from "@skein/store/Derived"
import type { AppendRequest, Driver, NewSegment, NewThread } from "@skein/store/Driver"
import type { Knowledge } from "@skein/store/Machine"
import * as Positions from "@skein/store/Position"
import * as SegmentChain from "@skein/store/SegmentChain"
import {
  AppendConflict,
  type AppendError,
  InvalidRequest,
  ThreadAlreadyExists,
  ThreadNotFound
} from "@skein/store/StoreError"
import type { ThreadRow } from "@skein/store/Summary"
import { Effect, Either } from "effect"
import type { Database, Sql } from "./Database.js"
import * as Lines from "./Lines.js"
import * as Segments from "./Segments.js"
import * as Threads from "./Threads.js"

const conflict = (threadId: string, expected: Positions.Position, actual: Positions.Position): AppendConflict =>
  new AppendConflict({ threadId, reason: "position", expected, actual })

/** What adds to logs. */
export const writing = (
  database: Database,
  states: Threads.States,
  machine: Knowledge
): Pick<Driver, "create" | "append" | "branch"> => ({
  create: (thread) =>
    Effect.gen(function* () {
      const { archivedAt, derived, explicit, historyMode, segment, threadId } = thread
      const exists = new ThreadAlreadyExists({ threadId })
      const known = yield* database.read("create", (sql) => sql.first("SELECT 1 FROM threads WHERE id = ?", [threadId]))
      if (known !== undefined) return yield* Effect.fail(exists)
      const row: ThreadRow = {
        threadId,
        historyMode,
        archivedAt,
        explicit,
        derived: derived ?? Derived.empty,
        madeAt: segment.madeAt
      }
      return yield* Segments.take(database, segment.content, (incoming) =>
        database.write("create", (sql) =>
          Effect.gen(function* () {
            const known = yield* sql.first("SELECT 1 FROM threads WHERE id = ?", [threadId])
            yield* standsFirm(sql, thread)
            // What others stand on of a deleted thread keeps its id taken.
            const made = known === undefined ? yield* Segments.adopt(database, sql, segment, incoming) : undefined
            if (made === undefined) return yield* Effect.fail(exists)
            const { nextOrdinal } = segment
            const pk = yield* Threads.insert(sql, row, { segment: made.pk, nextOrdinal, lags: derived === undefined })
            yield* sql.run("UPDATE segments SET thread = ? WHERE pk = ?", [pk, made.pk])
            return Positions.make(segment.segmentId, made.size)
          })
        )
      )
    }),

  append: (request) =>
    Effect.gen(function* () {
      const { ends, next } = yield* database.write("append", (sql) => append(sql, states, machine, request))
      if (next !== undefined) states.set(next.pk, next.state)
      return ends
    }),

  branch: (threadId, segment, { expected, fence }) =>
    Segments.take(database, segment.content, (incoming) =>
      database.write("branch", (sql) =>
        Effect.gen(function* () {
          const at = yield* Threads.place(sql, threadId)
          yield* Threads.permit(machine, threadId, at, fence)
          const head = Positions.make(at.segment_id, at.size)
          if (!Positions.equals(expected, head)) return yield* Effect.fail(conflict(threadId, expected, head))
          const made = yield* Segments.adopt(database, sql, segment, incoming)
          if (made === undefined) return yield* Effect.fail(taken(segment))
          const row = Threads.rowOf(threadId, at, yield* states.get(sql, at))
          yield* Threads.moved(sql, at, row, { segment: made.pk, nextOrdinal: segment.nextOrdinal })
          yield* sql.run("UPDATE segments SET thread = ? WHERE pk = ?", [at.pk, made.pk])
          return Positions.make(segment.segmentId, made.size)
        })
      )
    )
})

/** Fails when what a fork was to stand on was deleted since it was read. */
const standsFirm = (sql: Sql, { forkOf, segment: { base } }: NewThread) =>
  Effect.gen(function* () {
    if (forkOf === undefined || base === undefined) return
    const found = yield* sql.first("SELECT 1 FROM segments WHERE id = ?", [base.segmentId])
    if (found === undefined) yield* Effect.fail(new ThreadNotFound({ threadId: forkOf }))
  })

const taken = ({ segmentId }: NewSegment): InvalidRequest =>
  new InvalidRequest({
    field: "segmentId",
    reason: `there is a segment ${segmentId} already`,
    advice: "Give the new segment an id of its own."
  })

/** One append: the lines, the end of the log, and what is derived of it. */
const append = (
  sql: Sql,
  states: Threads.States,
  machine: Knowledge,
  { batches, expected, fence, threadId }: AppendRequest
) =>
  Effect.gen(function* () {
    const at = yield* Threads.place(sql, threadId)
    yield* Threads.permit(machine, threadId, at, fence)
    const head = Positions.make(at.segment_id, at.size)
    if (expected !== "any" && !Positions.equals(expected, head)) {
      return yield* Effect.fail<AppendError>(conflict(threadId, expected, head))
    }
    const before = at.lags === 1 ? undefined : yield* states.get(sql, at)
    let derived = before?.derived
    let located = Threads.located(threadId, at)
    let lines: Array<Uint8Array> = []
    const ends: Array<Positions.Position> = []
    for (const batch of batches) {
      const asked = batch(located)
      if (Either.isLeft(asked)) return yield* Effect.fail<AppendError>(asked.left)
      const write = asked.right
      if (write.lines.length > 0) {
        lines = lines.length === 0 ? [...write.lines] : lines.concat(write.lines)
        if (derived !== undefined) derived = write.derive(derived)
        const { nextOrdinal } = located
        located = {
          ...located,
          head: Positions.make(at.segment_id, located.head.offset + Lines.lengthOf(write.lines)),
          nextOrdinal: nextOrdinal === undefined ? undefined : nextOrdinal + write.lines.length
        }
      }
      ends.push(located.head)
    }
    if (lines.length === 0) return { ends, next: undefined }
    yield* Segments.grow(sql, at.segment, at.size, lines)
    yield* Threads.grown(sql, threadId, at, located.nextOrdinal ?? null, before, derived)
    const state = before === undefined ? undefined : { version: at.version + 1, derived, explicit: before.explicit }
    return { ends, next: state === undefined ? undefined : { pk: at.pk, state } }
  })

/** What reads logs. */
export const reading = (database: Database): Pick<Driver, "locate" | "open" | "segments"> => ({
  locate: (threadId) =>
    Effect.map(
      database.read("locate", (sql) => Threads.place(sql, threadId)),
      (at) => Threads.located(threadId, at)
    ),

  open: (threadId) =>
    Effect.gen(function* () {
      const all = yield* database.snapshot("open", (sql) =>
        Effect.flatMap(Threads.place(sql, threadId), (at) => Segments.chain(sql, at.segment))
      )
      const links = all.map((one) => Segments.linkOf(database, one, threadId))
      const [head] = links
      if (head === undefined) return yield* Threads.missing(threadId)
      const byId = new Map(links.map((link) => [link.segmentId, link]))
      return yield* SegmentChain.open(head, (id) => Effect.succeed(byId.get(id)))
    }),

  segments: (threadId) =>
    Effect.map(
      database.snapshot("segments", (sql) =>
        Effect.flatMap(Threads.place(sql, threadId), ({ pk, segment }) => Segments.ofThread(sql, pk, segment))
      ),
      (all) => all.map((one) => ({ ...Segments.linkOf(database, one, threadId), madeAt: one.made_at }))
    )
})
