/** Copies one thread, and holds two copies against each other. */
import { isDeepStrictEqual } from "node:util"
import { Effect, type Scope } from "effect"
import type { Kept, Outcome, Planned, Verified } from "../Copy.js"
import * as Derived from "../Derived.js"
import type { StoredSegment } from "../Driver.js"
import * as Positions from "../Position.js"
import {
  type AppendError,
  CorruptThread,
  type ReadError,
  type ThreadAlreadyExists,
  ThreadNotFound
} from "../StoreError.js"
import type { ThreadRow } from "../Summary.js"
import type { Exported, ThreadStoreService } from "../ThreadStore.js"
import * as CopyWhole from "./CopyWhole.js"
import * as LineHash from "./LineHash.js"

/** Told how many bytes were moved. */
type Tick = (bytes: number) => void

/** Copies a thread unless it is there, and compares it with what then is there. */
export const copy = (
  from: ThreadStoreService,
  to: ThreadStoreService,
  planned: Planned,
  tick: Tick
): Effect.Effect<Outcome> => {
  const { threadId } = planned
  return Effect.scoped(
    Effect.gen(function* () {
      const fitted = yield* Effect.flatMap(exported(from, planned), (one) => CopyWhole.fit(from, to, one))
      const { thread } = fitted
      const verified: Array<Verified> = []
      for (const { segmentId, source } of thread.segments) {
        verified.push({ segmentId, ...(yield* LineHash.ofSource(source, tick)) })
      }
      const original: Original = { from, thread, verified }
      const kept = (_tag: Kept["_tag"], segments: ReadonlyArray<Verified>): Kept => ({
        _tag,
        threadId,
        segments,
        bytes: thread.segments.reduce((sum, { source }) => sum + source.size, 0),
        losses: [...fitted.losses, ...lossesOf(thread)]
      })
      const before = yield* compare(original, to, tick)
      if (before !== undefined && before.differences.length > 0) {
        return { _tag: "Differs", threadId, differences: before.differences } as const
      }
      if (before !== undefined && before.missing === 0) return kept("Same", before.verified)
      const present = thread.segments.length - (before?.missing ?? thread.segments.length)
      yield* brought(to, { ...thread, segments: thread.segments.map((one) => counted(one, tick)) }, present)
      const after = yield* compare(original, to, tick)
      const differences =
        after === undefined
          ? ["it is not there"]
          : after.missing > 0
            ? [...after.differences, `${after.missing} segments are not there`]
            : after.differences
      if (after !== undefined && differences.length === 0) return kept("Copied", after.verified)
      const reason = `what was read back after copying is not what was copied: ${differences.join("; ")}`
      return {
        _tag: "Failed",
        threadId,
        error: new CorruptThread({ threadId, position: undefined, reason })
      } as const
    })
  ).pipe(Effect.catchAll((error) => Effect.succeed({ _tag: "Failed", threadId, error } as const)))
}

/**
 * Imports a thread. A store of files leaves a copy of what was deleted to each thread that stood on it, as segments in
 * front of its own; where another thread has brought the first of those already, with what it stands on, the thread
 * stands on that one.
 */
const brought = (
  to: ThreadStoreService,
  thread: Exported,
  present: number
): Effect.Effect<void, ThreadAlreadyExists | AppendError> => {
  const { row, segments } = thread
  const whole = to.imported(thread, { present })
  const copies = segments.findIndex(({ segmentId }) => segmentId === row.threadId)
  if (copies <= 0 || present > 0) return whole
  const rest = Effect.suspend(() => brought(to, { row, segments: segments.slice(1) }, 0))
  return whole.pipe(Effect.catchTags({ ThreadAlreadyExists: () => rest, InvalidRequest: () => rest }))
}

/** A thread as it is taken out of its store. */
const exported = (
  from: ThreadStoreService,
  { isRemnant, neededBy, threadId }: Planned
): Effect.Effect<Exported, ReadError, Scope.Scope> =>
  isRemnant && neededBy !== undefined ? remnant(from, threadId, neededBy) : from.exported(threadId)

/** What a deleted thread left, as a thread of its own: it is found in the log of one that stands on it. */
const remnant = (
  from: ThreadStoreService,
  segmentId: string,
  above: string
): Effect.Effect<Exported, ReadError, Scope.Scope> =>
  Effect.gen(function* () {
    const { pieces } = yield* from.open(above, { includeArchived: true })
    const at = pieces.findIndex((piece) => piece.segmentId === segmentId)
    const piece = pieces[at]
    if (piece === undefined) return yield* Effect.fail(new ThreadNotFound({ threadId: segmentId }))
    const below = pieces[at - 1]
    const madeAt = piece.meta === undefined ? 0 : (Derived.fold.step(Derived.empty, piece.meta).createdAt ?? 0)
    const row: ThreadRow = {
      threadId: segmentId,
      historyMode: piece.meta === undefined ? "legacy" : Derived.historyModeOf(piece.meta.payload),
      archivedAt: undefined,
      explicit: {},
      derived: Derived.empty,
      madeAt
    }
    const base = below === undefined ? undefined : Positions.make(below.segmentId, below.to)
    return { row, segments: [{ segmentId, base, source: piece.source, madeAt }] }
  })

/** A segment whose lines are counted as they are written. */
const counted = (segment: StoredSegment, tick: Tick): StoredSegment => ({
  ...segment,
  source: {
    ...segment.source,
    forward: (take, range) =>
      segment.source.forward((line, text) => {
        tick(line.bytes.length + 1)
        return take(line, text)
      }, range)
  }
})

const lossesOf = ({ segments }: Exported): ReadonlyArray<string> =>
  segments.flatMap(({ source }) =>
    source.damagedAt === undefined
      ? []
      : [`${source.path} makes no sense from its byte ${source.damagedAt} on; what is in front of that was copied`]
  )

/** A thread with the hashes of its segments. */
interface Original {
  readonly from: ThreadStoreService
  readonly thread: Exported
  readonly verified: ReadonlyArray<Verified>
}

interface Comparison {
  readonly differences: ReadonlyArray<string>
  /** Segments, from the last one back, that are not there; those in front of them are the same. */
  readonly missing: number
  readonly verified: ReadonlyArray<Verified>
}

/** Holds a thread against the one of its id in a store; undefined when there is none. */
const compare = (
  original: Original,
  to: ThreadStoreService,
  tick: Tick
): Effect.Effect<Comparison | undefined, ReadError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { thread, verified } = original
      const there = yield* to.exported(thread.row.threadId)
      const differences = rowDifferences(thread.row, there.row)
      const shared = thread.segments.slice(0, there.segments.length)
      const isSameShape =
        there.segments.length <= thread.segments.length && shared.every((one, i) => isSame(one, there.segments[i]))
      if (!isSameShape) {
        const whole = yield* compareWhole(original, there, to, tick)
        return { ...whole, differences: [...differences, ...whole.differences] }
      }
      for (const [i, { segmentId, source }] of there.segments.entries()) {
        const { sha256 } = yield* LineHash.ofSource(source, tick)
        const expected = verified[i]?.sha256
        if (sha256 !== expected) {
          differences.push(`segment ${segmentId} has other lines: SHA-256 ${sha256} there, ${expected} here`)
        }
      }
      return { differences, missing: thread.segments.length - there.segments.length, verified }
    })
  ).pipe(Effect.catchTag("ThreadNotFound", () => Effect.succeed(undefined)))

const isSame = (one: StoredSegment, other: StoredSegment | undefined): boolean =>
  one.segmentId === other?.segmentId &&
  (one.base === undefined || other.base === undefined
    ? one.base === other.base
    : Positions.equals(one.base, other.base))

/**
 * Compares the logs where the segments are cut otherwise, as in a store in which the thread that it stood on was deleted
 * and left it a copy.
 */
const compareWhole = (
  { from, thread }: Original,
  there: Exported,
  to: ThreadStoreService,
  tick: Tick
): Effect.Effect<Comparison, ReadError> =>
  Effect.gen(function* () {
    const inherits = thread.segments.some(({ base }) => base !== undefined)
    const last = there.segments.at(-1)
    if (!inherits || last === undefined) {
      const names = (all: ReadonlyArray<StoredSegment>) =>
        all.map(({ base, segmentId }) => (base === undefined ? segmentId : `${segmentId} on ${Positions.format(base)}`))
      const text = `its segments are ${names(there.segments).join(", ")} there, ${names(thread.segments).join(", ")} here`
      return { differences: [text], missing: 0, verified: [] }
    }
    const read = (store: ThreadStoreService) =>
      Effect.scoped(
        Effect.flatMap(store.open(thread.row.threadId, { includeArchived: true }), (log) => LineHash.ofLog(log, tick))
      )
    const here = yield* read(from)
    const other = yield* read(to)
    return {
      differences:
        here.sha256 === other.sha256
          ? []
          : [`its log has other lines: SHA-256 ${other.sha256} there, ${here.sha256} here`],
      missing: 0,
      verified: [{ segmentId: last.segmentId, ...other }]
    }
  })

/** How the rows differ in what no log tells. */
const rowDifferences = (one: ThreadRow, other: ThreadRow): Array<string> => {
  const differences: Array<string> = []
  const archived = (row: ThreadRow) => (row.archivedAt === undefined ? "active" : "archived")
  if (archived(one) !== archived(other)) differences.push(`it is ${archived(other)} there, ${archived(one)} here`)
  if (one.historyMode !== other.historyMode) {
    differences.push(`its history mode is ${other.historyMode} there, ${one.historyMode} here`)
  }
  for (const field of ["name", "memoryMode", "git", "metadata"] as const) {
    const here = one.explicit[field]
    const there = other.explicit[field]
    if (!isDeepStrictEqual(here, there)) {
      differences.push(
        `its ${field} is ${JSON.stringify(there) ?? "not set"} there, ${JSON.stringify(here) ?? "not set"} here`
      )
    }
  }
  return differences
}
