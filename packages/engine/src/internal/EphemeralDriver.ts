/**
 * Where threads live that are stored nowhere: segments of lines in the memory of this process, behind the same port as
 * any store, so that such threads go the same way as all others.
 *
 * They are not listed with others, not archived, and gone when they are closed.
 */
import * as Record from "@skein/core/record/Record"
import * as Derived from "@skein/store/Derived"
import type { Driver, HeldLease, Located, NewSegment } from "@skein/store/Driver"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as LineSource from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import * as Errors from "@skein/store/StoreError"
import type { Explicit, ThreadRow } from "@skein/store/Summary"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import { Effect } from "effect"

type Piece = EffectiveLog.Piece<Errors.ReadError>

interface Segment {
  readonly id: string
  readonly base: Position | undefined
  readonly madeAt: number
  /** Only ever added to, so what a reader holds of it stays true. */
  readonly lines: Array<Uint8Array>
  readonly offsets: Array<number>
  size: number
  meta: Record.Of<"session_meta"> | undefined
}

interface Thread {
  readonly id: string
  readonly historyMode: string
  head: Segment
  nextOrdinal: number | undefined
  explicit: Explicit
  fence: number
  isHeld: boolean
}

/** The last moment that there is: nobody takes over from a holder in the same process. */
const forever = 8.64e15

/** A driver without threads. */
export const make: Effect.Effect<Driver> = Effect.sync(() => {
  const threads = new Map<string, Thread>()
  const segments = new Map<string, Segment>()

  const found = (threadId: string): Effect.Effect<Thread, Errors.ThreadNotFound> => {
    const thread = threads.get(threadId)
    return thread === undefined ? Effect.fail(new Errors.ThreadNotFound({ threadId })) : Effect.succeed(thread)
  }

  const push = (segment: Segment, bytes: Uint8Array): void => {
    segment.lines.push(bytes)
    segment.offsets.push(segment.size)
    segment.size += bytes.length + 1
    if (segment.meta !== undefined) return
    const line = { bytes, offset: segment.offsets.at(-1) ?? 0, number: segment.lines.length, terminated: true }
    const decoded = Record.decode(line, "bare")
    if (decoded.kind === "session_meta") segment.meta = decoded
  }

  const add = ({ base, content, madeAt, segmentId }: NewSegment): Effect.Effect<Segment, Errors.ReadError> =>
    Effect.gen(function* () {
      const segment: Segment = { id: segmentId, base, madeAt, lines: [], offsets: [], size: 0, meta: undefined }
      yield* content.forward((line) => {
        push(segment, new Uint8Array(line.bytes))
        return true
      })
      segments.set(segmentId, segment)
      return segment
    })

  const headOf = ({ head }: Thread): Position => Positions.make(head.id, head.size)

  const located = (thread: Thread): Located => ({
    threadId: thread.id,
    historyMode: thread.historyMode,
    archivedAt: undefined,
    head: headOf(thread),
    nextOrdinal: thread.nextOrdinal
  })

  /** Segments up to and including one, oldest first. */
  const chain = (last: Segment, to: number): Array<Piece> => {
    const { base, id: segmentId, lines, meta, offsets } = last
    const before = base === undefined ? undefined : segments.get(base.segmentId)
    const pieces = base === undefined || before === undefined ? [] : chain(before, base.offset)
    const source = LineSource.ofArrays({ lines, offsets, size: last.size }, segmentId)
    return [...pieces, { segmentId, source, meta, to, below: undefined }]
  }

  const log = ({ head }: Thread): EffectiveLog.EffectiveLog<Errors.ReadError> => ({
    pieces: chain(head, head.size),
    meta: head.meta,
    whole: true,
    diagnostics: []
  })

  const refuse = (thread: Thread, expected: Position | "any", fence: number | undefined) => {
    const actual = headOf(thread)
    if (fence === undefined ? thread.isHeld : !thread.isHeld || fence !== thread.fence) {
      const holder = { name: "another holder in this process", fence: thread.fence, expiresAt: forever }
      return Effect.fail(new Errors.LeaseHeld({ threadId: thread.id, holder }))
    }
    return expected === "any" || Positions.equals(expected, actual)
      ? Effect.void
      : Effect.fail(new Errors.AppendConflict({ threadId: thread.id, reason: "position", expected, actual }))
  }

  const row = (thread: Thread): Effect.Effect<ThreadRow> =>
    Effect.gen(function* () {
      let derived = Derived.empty
      yield* EffectiveLog.forward(log(thread), (decoded) => {
        if (EffectiveLog.isRecord(decoded)) derived = Derived.fold.step(derived, decoded)
        return true
      }).pipe(Effect.orDie)
      const { explicit, head, historyMode, id } = thread
      return { threadId: id, historyMode, archivedAt: undefined, explicit, derived, madeAt: head.madeAt }
    })

  const driver: Driver = {
    name: "ephemeral",
    supports: {
      sharedPrefixes: { legacy: true, paginated: true },
      multiProcess: false,
      follow: "process",
      durability: "process",
      sharedOnDelete: "keep",
      backup: false
    },
    marksBatches: false,
    create: ({ explicit, historyMode, segment, threadId }) =>
      Effect.gen(function* () {
        if (threads.has(threadId) || segments.has(segment.segmentId)) {
          return yield* Effect.fail(new Errors.ThreadAlreadyExists({ threadId }))
        }
        const head = yield* add(segment)
        const { nextOrdinal } = segment
        const thread = { id: threadId, historyMode, head, nextOrdinal, explicit, fence: 0, isHeld: false }
        threads.set(threadId, thread)
        return headOf(thread)
      }),
    locate: (threadId) => Effect.map(found(threadId), located),
    append: ({ batches, expected, fence, threadId }) =>
      Effect.gen(function* () {
        const thread = yield* found(threadId)
        yield* refuse(thread, expected, fence)
        const { head } = thread
        let { nextOrdinal } = thread
        let { size } = head
        const lines: Array<Uint8Array> = []
        const ends: Array<Position> = []
        for (const batch of batches) {
          const write = yield* batch({ ...located(thread), head: Positions.make(head.id, size), nextOrdinal })
          for (const line of write.lines) size += line.length + 1
          lines.push(...write.lines)
          nextOrdinal = nextOrdinal === undefined ? undefined : nextOrdinal + write.lines.length
          ends.push(Positions.make(head.id, size))
        }
        for (const line of lines) push(head, line)
        thread.nextOrdinal = nextOrdinal
        return ends
      }),
    branch: (threadId, segment, { expected, fence }) =>
      Effect.gen(function* () {
        const thread = yield* found(threadId)
        yield* refuse(thread, expected, fence)
        thread.head = yield* add(segment)
        thread.nextOrdinal = segment.nextOrdinal
        return headOf(thread)
      }),
    open: (threadId) => Effect.map(found(threadId), log),
    segments: (threadId) =>
      Effect.map(found(threadId), ({ head }) =>
        chain(head, head.size).map(({ segmentId, source }) => ({
          segmentId,
          base: segments.get(segmentId)?.base,
          source,
          madeAt: segments.get(segmentId)?.madeAt ?? 0
        }))
      ),
    row: (threadId) => Effect.flatMap(found(threadId), row),
    rows: (query) => Effect.map(Effect.forEach([...threads.values()], row), (rows) => SummaryQuery.select(rows, query)),
    lagging: () => Effect.succeed([]),
    putDerived: () => Effect.void,
    updateExplicit: (threadId, change) =>
      Effect.map(found(threadId), (thread) => {
        thread.explicit = change(thread.explicit)
      }),
    setArchived: (threadId) =>
      Effect.fail(
        new Errors.InvalidRequest({
          field: "threadId",
          reason: `thread ${threadId} is kept nowhere, so it cannot be archived`,
          advice: "Close it; nothing of it is kept."
        })
      ),
    remove: (threadId) =>
      Effect.map(found(threadId), () => {
        threads.delete(threadId)
        // What forks stand on stays; the rest goes.
        const used = new Set([...threads.values()].flatMap((one) => log(one).pieces.map(({ segmentId }) => segmentId)))
        for (const id of [...segments.keys()]) if (!used.has(id)) segments.delete(id)
        return { kept: [] }
      }),
    lease: ({ name, threadId }) =>
      Effect.gen(function* () {
        const thread = yield* found(threadId)
        if (thread.isHeld) {
          const holder = { name, fence: thread.fence, expiresAt: forever }
          return yield* Effect.fail(new Errors.LeaseHeld({ threadId, holder }))
        }
        thread.isHeld = true
        const fence = ++thread.fence
        const held: HeldLease = {
          fence,
          expiresAt: forever,
          renew: Effect.succeed(forever),
          release: Effect.sync(() => {
            if (thread.fence === fence) thread.isHeld = false
          })
        }
        return held
      })
  }
  return driver
})
