/**
 * Threads in memory, for tests and for hosts that keep nothing. Small and plain on purpose: it is also the model that
 * every other store has to agree with.
 */
import * as Derived from "@skein/store/Derived"
import type { Driver, HeldLease, Lagging, Located, NewSegment, Removal } from "@skein/store/Driver"
import { IdGenerator } from "@skein/store/IdGenerator"
import * as LineSource from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import * as SegmentChain from "@skein/store/SegmentChain"
import * as StoreError from "@skein/store/StoreError"
import type { Explicit, ThreadRow } from "@skein/store/Summary"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import { Clock, Effect, Either } from "effect"

interface Segment {
  readonly id: string
  readonly threadId: string
  base: Position | undefined
  readonly madeAt: number
  /** Only ever added to: what a reader holds of it stays true. */
  readonly lines: Array<Uint8Array>
  readonly offsets: Array<number>
  size: number
}

interface Thread {
  readonly id: string
  readonly historyMode: string
  readonly segments: Array<Segment>
  nextOrdinal: number | undefined
  archivedAt: number | undefined
  explicit: Explicit
  derived: { readonly state: Derived.Derived; readonly reached: Position } | undefined
  lease: StoreError.Holder | undefined
  lastFence: number
}

/** Adds a line to a segment; true, so that a reader goes on. */
const push = (segment: Segment, bytes: Uint8Array): boolean => {
  segment.lines.push(bytes)
  segment.offsets.push(segment.size)
  segment.size += bytes.length + 1
  return true
}

/** A driver over nothing but memory. What it holds goes with it. */
export const make: Effect.Effect<Driver> = Effect.sync(() => {
  const threads = new Map<string, Thread>()
  /** All segments by id, also of deleted threads while others stand on them. */
  const segments = new Map<string, Segment>()

  const thread = (id: string): Effect.Effect<Thread, StoreError.ThreadNotFound> =>
    Effect.suspend(() => {
      const found = threads.get(id)
      return found === undefined ? Effect.fail(new StoreError.ThreadNotFound({ threadId: id })) : Effect.succeed(found)
    })

  const headOf = ({ segments: all }: Thread): Position => {
    const last = all.at(-1)
    return Positions.make(last?.id ?? "", last?.size ?? 0)
  }

  const located = (one: Thread): Located => ({
    threadId: one.id,
    historyMode: one.historyMode,
    archivedAt: one.archivedAt,
    head: headOf(one),
    nextOrdinal: one.nextOrdinal
  })

  /** Fails while somebody else may append. */
  const permit = (one: Thread, fence: number | undefined): Effect.Effect<void, StoreError.LeaseHeld> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { lease } = one
      const isLive = lease !== undefined && lease.expiresAt > now
      const isOwn = lease !== undefined && lease.fence === fence
      const fails = fence === undefined ? isLive : !isOwn || !isLive
      if (!fails) return Effect.void
      const holder = lease ?? { name: "nobody any more", fence: one.lastFence, expiresAt: now }
      return Effect.fail(new StoreError.LeaseHeld({ threadId: one.id, holder }))
    })

  const makeSegment = (threadId: string, segment: NewSegment): Effect.Effect<Segment, StoreError.ReadError> =>
    Effect.gen(function* () {
      const { base, madeAt, segmentId: id } = segment
      const made: Segment = { id, threadId, base, madeAt, lines: [], offsets: [], size: 0 }
      yield* segment.content.forward((line) => push(made, new Uint8Array(line.bytes)))
      return made
    })

  // What is added later lies behind the size of now and is not read.
  const source = ({ id, lines, offsets, size }: Segment): LineSource.LineSource<never> =>
    LineSource.ofArrays({ lines, offsets, size }, id)

  const link = (segment: Segment): SegmentChain.Link<StoreError.ReadError> => ({
    segmentId: segment.id,
    base: segment.base,
    source: source(segment)
  })

  const find = (id: string) =>
    Effect.sync(() => {
      const found = segments.get(id)
      return found === undefined ? undefined : link(found)
    })

  /** The segments of other threads that stand on one of these. */
  const standingOn = (ids: ReadonlySet<string>): ReadonlyArray<Segment> =>
    [...threads.values()]
      .flatMap((one) => one.segments)
      .filter((segment) => segment.base !== undefined && ids.has(segment.base.segmentId) && !ids.has(segment.id))

  /** Drops segments of deleted threads that nothing stands on any more. */
  const collect = (): void => {
    const isOrphan = (segment: Segment): boolean => threads.get(segment.threadId)?.segments.includes(segment) !== true
    for (let more = true; more; ) {
      more = false
      for (const segment of segments.values()) {
        if (!isOrphan(segment)) continue
        const isNeeded = [...segments.values()].some(({ base }) => base?.segmentId === segment.id)
        if (!isNeeded) more = segments.delete(segment.id) || more
      }
    }
  }

  /**
   * Gives a thread segments of its own with what a segment of it inherits from others that are about to go. Its own lines
   * stay where they are.
   */
  const materialise = (dependent: Segment, going: ReadonlySet<string>): Effect.Effect<void> =>
    Effect.gen(function* () {
      const ids = yield* IdGenerator
      let upper = dependent
      const visited = new Set<string>()
      while (upper.base !== undefined && going.has(upper.base.segmentId) && !visited.has(upper.base.segmentId)) {
        const { offset, segmentId } = upper.base
        const found = segments.get(segmentId)
        if (found === undefined) return
        visited.add(segmentId)
        const id = yield* ids.next
        const copy: Segment = { ...found, id, threadId: dependent.threadId, lines: [], offsets: [], size: 0 }
        yield* source(found).forward((line) => push(copy, line.bytes), { to: offset })
        segments.set(id, copy)
        threads.get(dependent.threadId)?.segments.unshift(copy)
        upper.base = Positions.make(id, offset)
        upper = copy
      }
    })

  const lagging = (one: Thread): Lagging | undefined => {
    const { derived } = one
    if (derived !== undefined && Positions.equals(derived.reached, headOf(one))) return undefined
    return {
      threadId: one.id,
      from: derived === undefined ? undefined : { derived: derived.state, reached: derived.reached }
    }
  }

  const row = (one: Thread): ThreadRow => ({
    threadId: one.id,
    historyMode: one.historyMode,
    archivedAt: one.archivedAt,
    explicit: one.explicit,
    derived: one.derived?.state ?? Derived.empty,
    madeAt: one.segments.at(0)?.madeAt ?? 0
  })

  const driver: Driver = {
    name: "memory",
    supports: {
      sharedPrefixes: { legacy: true, paginated: true },
      multiProcess: false,
      follow: "process",
      durability: "process",
      sharedOnDelete: "keep",
      backup: false
    },
    marksBatches: false,
    create: (made) =>
      Effect.gen(function* () {
        const segment = yield* makeSegment(made.threadId, made.segment)
        // What others stand on of a deleted thread keeps its id taken.
        if (threads.has(made.threadId) || segments.has(segment.id)) {
          return yield* Effect.fail(new StoreError.ThreadAlreadyExists({ threadId: made.threadId }))
        }
        const { forkOf } = made
        if (forkOf !== undefined && segment.base !== undefined && !segments.has(segment.base.segmentId)) {
          return yield* Effect.fail(new StoreError.ThreadNotFound({ threadId: forkOf }))
        }
        segments.set(segment.id, segment)
        const head = Positions.make(segment.id, segment.size)
        threads.set(made.threadId, {
          id: made.threadId,
          historyMode: made.historyMode,
          segments: [segment],
          nextOrdinal: made.segment.nextOrdinal,
          archivedAt: made.archivedAt,
          explicit: made.explicit,
          derived: made.derived === undefined ? undefined : { state: made.derived, reached: head },
          lease: undefined,
          lastFence: 0
        })
        return head
      }),
    locate: (id) => Effect.map(thread(id), located),
    append: ({ batches, expected, fence, threadId }) =>
      Effect.gen(function* () {
        const one = yield* thread(threadId)
        yield* permit(one, fence)
        const head = headOf(one)
        if (expected !== "any" && !Positions.equals(expected, head)) {
          return yield* Effect.fail(
            new StoreError.AppendConflict({ threadId, reason: "position", expected, actual: head })
          )
        }
        const segment = one.segments.at(-1)
        if (segment === undefined) return yield* Effect.fail(new StoreError.ThreadNotFound({ threadId }))
        let state = lagging(one) === undefined ? one.derived?.state : undefined
        let { nextOrdinal } = one
        let size = segment.size
        const lines: Array<Uint8Array> = []
        const ends: Array<Position> = []
        for (const batch of batches) {
          const asked = batch({ ...located(one), head: Positions.make(segment.id, size), nextOrdinal })
          if (Either.isLeft(asked)) return yield* Effect.fail(asked.left)
          const write = asked.right
          for (const line of write.lines) size += line.length + 1
          lines.push(...write.lines)
          nextOrdinal = nextOrdinal === undefined ? undefined : nextOrdinal + write.lines.length
          state = state === undefined ? undefined : write.derive(state)
          ends.push(Positions.make(segment.id, size))
        }
        for (const line of lines) push(segment, line)
        one.nextOrdinal = nextOrdinal
        if (state !== undefined) one.derived = { state, reached: headOf(one) }
        return ends
      }),
    branch: (id, made, { expected, fence }) =>
      Effect.gen(function* () {
        const segment = yield* makeSegment(id, made)
        if (segments.has(segment.id)) {
          return yield* Effect.fail(
            new StoreError.InvalidRequest({
              field: "segmentId",
              reason: `there is a segment ${segment.id} already`,
              advice: "Give the new segment an id of its own."
            })
          )
        }
        const one = yield* thread(id)
        yield* permit(one, fence)
        const head = headOf(one)
        if (!Positions.equals(expected, head)) {
          return yield* Effect.fail(
            new StoreError.AppendConflict({ threadId: id, reason: "position", expected, actual: head })
          )
        }
        segments.set(segment.id, segment)
        one.segments.push(segment)
        one.nextOrdinal = made.nextOrdinal
        one.derived = undefined
        return headOf(one)
      }),
    open: (id) =>
      Effect.flatMap(thread(id), (one) => {
        const head = one.segments.at(-1)
        return head === undefined
          ? Effect.fail(new StoreError.ThreadNotFound({ threadId: id }))
          : SegmentChain.open(link(head), find)
      }),
    segments: (id) =>
      Effect.map(thread(id), (one) =>
        one.segments.map((segment) => ({
          segmentId: segment.id,
          base: segment.base,
          source: source(segment),
          madeAt: segment.madeAt
        }))
      ),
    row: (id) => Effect.map(thread(id), row),
    rows: (query) => Effect.sync(() => SummaryQuery.select([...threads.values()].map(row), query)),
    lagging: (id) =>
      Effect.sync(() => {
        const all = id === undefined ? [...threads.values()] : [threads.get(id)].filter((one) => one !== undefined)
        return all.map(lagging).filter((one) => one !== undefined)
      }),
    putDerived: (id, state, reached) =>
      Effect.sync(() => {
        const one = threads.get(id)
        if (one !== undefined && Positions.equals(headOf(one), reached)) one.derived = { state, reached }
      }),
    updateExplicit: (id, change) =>
      Effect.map(thread(id), (one) => {
        one.explicit = change(one.explicit)
      }),
    setArchived: (id, at) =>
      Effect.map(thread(id), (one) => {
        one.archivedAt = at
      }),
    remove: (id, shared) =>
      Effect.gen(function* () {
        const one = yield* thread(id)
        const ids = new Set(one.segments.map((segment) => segment.id))
        const dependents = standingOn(ids)
        if (dependents.length > 0 && shared === "refuse") {
          const others = [...new Set(dependents.map(({ threadId }) => threadId))]
          return yield* Effect.fail(
            new StoreError.InvalidRequest({
              field: "shared",
              reason: `thread ${id} is what ${others.join(", ")} stand on`,
              advice: "Delete those first, or let them keep or materialise what they share."
            })
          )
        }
        if (shared === "materialise") for (const segment of dependents) yield* materialise(segment, ids)
        threads.delete(id)
        const kept: Removal["kept"] =
          shared === "keep"
            ? [...ids].flatMap((segmentId) => {
                const users = dependents.filter(({ base }) => base?.segmentId === segmentId)
                return users.length === 0
                  ? []
                  : [{ segmentId, for: [...new Set(users.map(({ threadId }) => threadId))] }]
              })
            : []
        collect()
        return { kept }
      }),
    lease: ({ name, threadId, time }) =>
      Effect.gen(function* () {
        const one = yield* thread(threadId)
        const now = yield* Clock.currentTimeMillis
        if (one.lease !== undefined && one.lease.expiresAt > now) {
          return yield* Effect.fail(new StoreError.LeaseHeld({ threadId, holder: one.lease }))
        }
        const fence = ++one.lastFence
        const expiresAt = now + time
        one.lease = { name, fence, expiresAt }
        const held: HeldLease = {
          fence,
          expiresAt,
          renew: Effect.gen(function* () {
            const { lease } = one
            if (lease === undefined || lease.fence !== fence) {
              const holder = lease ?? { name: "nobody any more", fence: one.lastFence, expiresAt }
              return yield* Effect.fail(new StoreError.LeaseHeld({ threadId, holder }))
            }
            const until = (yield* Clock.currentTimeMillis) + time
            one.lease = { name, fence, expiresAt: until }
            return until
          }),
          release: Effect.sync(() => {
            if (one.lease?.fence === fence) one.lease = undefined
          })
        }
        return held
      })
  }
  return driver
})
