/** A driver of `@skein/store` over one JSON file: all that an adapter has to write. */
import type * as Derived from "@skein/store/Derived"
import * as Deriveds from "@skein/store/Derived"
import type { AppendRequest, Driver, HeldLease, Located, NewSegment } from "@skein/store/Driver"
import * as LineSource from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import * as SegmentChain from "@skein/store/SegmentChain"
import * as StoreError from "@skein/store/StoreError"
import type { ThreadRow } from "@skein/store/Summary"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import { Clock, Effect, Either } from "effect"
import type { Content, Segment, Thread } from "./JsonFile.js"
import * as JsonFile from "./JsonFile.js"

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")
const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"))

const threadOf = (content: Content, id: string): Either.Either<Thread, StoreError.ThreadNotFound> => {
  const found = content.threads[id]
  return found === undefined ? Either.left(new StoreError.ThreadNotFound({ threadId: id })) : Either.right(found)
}

const headOf = (content: Content, { segments }: Thread): Position => {
  const id = segments.at(-1) ?? ""
  return Positions.make(id, content.segments[id]?.size ?? 0)
}

const located = (content: Content, thread: Thread): Located => ({
  threadId: thread.id,
  historyMode: thread.historyMode,
  archivedAt: thread.archivedAt,
  head: headOf(content, thread),
  nextOrdinal: thread.nextOrdinal
})

const withThread = (content: Content, thread: Thread): Content => ({
  ...content,
  threads: { ...content.threads, [thread.id]: thread }
})

const withSegment = (content: Content, id: string, segment: Segment): Content => ({
  ...content,
  segments: { ...content.segments, [id]: segment }
})

/** Without the segments that belong to no thread and that nothing stands on. */
const collected = (content: Content): Content => {
  const entries = Object.entries(content.segments)
  const needed = entries.filter(
    ([id, { threadId }]) =>
      content.threads[threadId]?.segments.includes(id) === true ||
      entries.some(([, { base }]) => base?.segmentId === id)
  )
  return needed.length === entries.length ? content : collected({ ...content, segments: Object.fromEntries(needed) })
}

const taken = (segmentId: string): StoreError.InvalidRequest =>
  new StoreError.InvalidRequest({
    field: "segmentId",
    reason: `there is a segment ${segmentId} already`,
    advice: "Give the new segment an id of its own."
  })

/** The driver of a file. It is the only one that may write to it. */
export const make = (path: string): Effect.Effect<Driver, StoreError.StoreUnavailable> =>
  Effect.gen(function* () {
    const { change, now } = yield* JsonFile.open(path)
    /** What is derived lives as long as the process; the store folds it anew after that. */
    const known = new Map<string, { readonly derived: Derived.Derived; readonly reached: Position }>()
    const leases = new Map<string, StoreError.Holder>()
    let fences = 0

    /** Fails while somebody else may append. */
    const permit = (threadId: string, fence: number | undefined): Effect.Effect<void, StoreError.LeaseHeld> =>
      Effect.flatMap(Clock.currentTimeMillis, (time) => {
        const lease = leases.get(threadId)
        const isLive = lease !== undefined && lease.expiresAt > time
        if (fence === undefined ? !isLive : isLive && lease.fence === fence) return Effect.void
        const holder = lease ?? { name: "nobody any more", fence: fences, expiresAt: time }
        return Effect.fail(new StoreError.LeaseHeld({ threadId, holder }))
      })

    const sourceOf = (content: Content, id: string): LineSource.LineSource<never> =>
      LineSource.ofLines((content.segments[id]?.lines ?? []).map(toBytes), id)

    const linkOf = (content: Content, id: string): SegmentChain.Link<StoreError.ReadError> => ({
      segmentId: id,
      base: content.segments[id]?.base,
      source: sourceOf(content, id)
    })

    const read = (threadId: string, made: NewSegment): Effect.Effect<Segment, StoreError.ReadError> =>
      Effect.gen(function* () {
        const lines: Array<string> = []
        let size = 0
        yield* made.content.forward((line) => {
          lines.push(toText(line.bytes))
          size += line.bytes.length + 1
          return true
        })
        return { threadId, base: made.base, madeAt: made.madeAt, lines, size }
      })

    const expecting = (content: Content, thread: Thread, expected: Position | "any") => {
      const actual = headOf(content, thread)
      return expected === "any" || Positions.equals(expected, actual)
        ? Either.right(actual)
        : Either.left(new StoreError.AppendConflict({ threadId: thread.id, reason: "position", expected, actual }))
    }

    const rowOf = (content: Content, thread: Thread): ThreadRow => ({
      threadId: thread.id,
      historyMode: thread.historyMode,
      archivedAt: thread.archivedAt,
      explicit: thread.explicit,
      derived: known.get(thread.id)?.derived ?? Deriveds.empty,
      madeAt: content.segments[thread.segments[0] ?? ""]?.madeAt ?? 0
    })

    const append = ({ batches, expected, threadId }: AppendRequest) =>
      change((content) =>
        Either.gen(function* () {
          const thread = yield* threadOf(content, threadId)
          const { segmentId } = yield* expecting(content, thread, expected)
          let segment = content.segments[segmentId] as Segment
          let at = located(content, thread)
          const before = known.get(threadId)
          let derived = before !== undefined && Positions.equals(before.reached, at.head) ? before.derived : undefined
          const ends: Array<Position> = []
          for (const batch of batches) {
            const { derive, lines } = yield* batch(at)
            for (const line of lines) {
              segment = { ...segment, lines: [...segment.lines, toText(line)], size: segment.size + line.length + 1 }
            }
            derived = derived === undefined ? undefined : derive(derived)
            const nextOrdinal = at.nextOrdinal === undefined ? undefined : at.nextOrdinal + lines.length
            at = { ...at, head: Positions.make(segmentId, segment.size), nextOrdinal }
            ends.push(at.head)
          }
          const next = withThread(withSegment(content, segmentId, segment), { ...thread, nextOrdinal: at.nextOrdinal })
          const isSame = Positions.equals(at.head, headOf(content, thread))
          return [isSame ? content : next, { ends, derived, reached: at.head }] as const
        })
      )

    return {
      name: "a JSON file",
      supports: {
        sharedPrefixes: { legacy: true, paginated: true },
        multiProcess: false,
        follow: "process",
        durability: "os",
        sharedOnDelete: "keep",
        backup: false
      },
      marksBatches: false,

      create: ({ archivedAt, derived, explicit, historyMode, segment: made, threadId }) =>
        Effect.gen(function* () {
          const segment = yield* read(threadId, made)
          const end = Positions.make(made.segmentId, segment.size)
          const segments = [made.segmentId]
          const thread = { id: threadId, historyMode, segments, nextOrdinal: made.nextOrdinal, archivedAt, explicit }
          yield* change((content) =>
            content.threads[threadId] !== undefined || content.segments[made.segmentId] !== undefined
              ? Either.left(new StoreError.ThreadAlreadyExists({ threadId }))
              : Either.right([withThread(withSegment(content, made.segmentId, segment), thread), undefined])
          )
          if (derived !== undefined) known.set(threadId, { derived, reached: end })
          return end
        }),

      locate: (id) => Effect.map(threadOf(now(), id), (thread) => located(now(), thread)),

      append: (request) =>
        Effect.gen(function* () {
          yield* threadOf(now(), request.threadId)
          yield* permit(request.threadId, request.fence)
          const { derived, ends, reached } = yield* append(request)
          if (derived !== undefined) known.set(request.threadId, { derived, reached })
          return ends
        }),

      branch: (id, made, { expected, fence }) =>
        Effect.gen(function* () {
          const segment = yield* read(id, made)
          yield* threadOf(now(), id)
          yield* permit(id, fence)
          yield* change((content) =>
            Either.gen(function* () {
              const thread = yield* threadOf(content, id)
              yield* expecting(content, thread, expected)
              if (content.segments[made.segmentId] !== undefined) return yield* Either.left(taken(made.segmentId))
              const segments = [...thread.segments, made.segmentId]
              const grown = { ...thread, segments, nextOrdinal: made.nextOrdinal }
              return [withThread(withSegment(content, made.segmentId, segment), grown), undefined] as const
            })
          )
          known.delete(id)
          return Positions.make(made.segmentId, segment.size)
        }),

      open: (id) => {
        const content = now()
        const find = (segmentId: string) =>
          Effect.succeed(content.segments[segmentId] === undefined ? undefined : linkOf(content, segmentId))
        return Effect.flatMap(threadOf(content, id), (thread) =>
          SegmentChain.open(linkOf(content, thread.segments.at(-1) ?? ""), find)
        )
      },

      segments: (id) => {
        const content = now()
        return Effect.map(threadOf(content, id), (thread) =>
          thread.segments.map((segmentId) => ({
            segmentId,
            base: content.segments[segmentId]?.base,
            source: sourceOf(content, segmentId),
            madeAt: content.segments[segmentId]?.madeAt ?? 0
          }))
        )
      },

      row: (id) => Effect.map(threadOf(now(), id), (thread) => rowOf(now(), thread)),

      rows: (query) =>
        Effect.sync(() =>
          SummaryQuery.select(
            Object.values(now().threads).map((thread) => rowOf(now(), thread)),
            query
          )
        ),

      lagging: (id) =>
        Effect.sync(() =>
          Object.values(now().threads).flatMap((thread) => {
            const from = known.get(thread.id)
            const isBehind = from === undefined || !Positions.equals(from.reached, headOf(now(), thread))
            return (id === undefined || id === thread.id) && isBehind ? [{ threadId: thread.id, from }] : []
          })
        ),

      putDerived: (id, derived, reached) =>
        Effect.sync(() => {
          const thread = now().threads[id]
          if (thread !== undefined && Positions.equals(headOf(now(), thread), reached))
            known.set(id, { derived, reached })
        }),

      updateExplicit: (id, update) =>
        change((content) =>
          Either.map(threadOf(content, id), (thread) => [
            withThread(content, { ...thread, explicit: update(thread.explicit) }),
            undefined
          ])
        ),

      setArchived: (id, at) =>
        change((content) =>
          Either.map(threadOf(content, id), (thread) => [withThread(content, { ...thread, archivedAt: at }), undefined])
        ),

      remove: (id, shared) =>
        Effect.zipLeft(
          change((content) =>
            Either.gen(function* () {
              const thread = yield* threadOf(content, id)
              const kept = thread.segments.flatMap((segmentId) => {
                const users = Object.values(content.segments).filter(
                  ({ base, threadId }) =>
                    base?.segmentId === segmentId && threadId !== id && threadId in content.threads
                )
                return users.length === 0 ? [] : [{ segmentId, for: [...new Set(users.map((user) => user.threadId))] }]
              })
              if (shared !== "keep" && kept.length > 0) {
                return yield* Either.left(
                  new StoreError.InvalidRequest({
                    field: "shared",
                    reason: shared === "refuse" ? `others stand on thread ${id}` : "this store copies nothing",
                    advice: "Let it keep what others stand on."
                  })
                )
              }
              const { [id]: _, ...threads } = content.threads
              return [collected({ ...content, threads }), { kept }] as const
            })
          ),
          Effect.sync(() => {
            known.delete(id)
            leases.delete(id)
          })
        ),

      lease: ({ name, threadId, time }) =>
        Effect.gen(function* () {
          yield* threadOf(now(), threadId)
          const at = yield* Clock.currentTimeMillis
          const other = leases.get(threadId)
          if (other !== undefined && other.expiresAt > at) {
            return yield* Effect.fail(new StoreError.LeaseHeld({ threadId, holder: other }))
          }
          const fence = ++fences
          const hold = (from: number): number => {
            leases.set(threadId, { name, fence, expiresAt: from + time })
            return from + time
          }
          const held: HeldLease = {
            fence,
            expiresAt: hold(at),
            renew: Effect.flatMap(Clock.currentTimeMillis, (from) => {
              const lease = leases.get(threadId)
              if (lease?.fence === fence) return Effect.succeed(hold(from))
              const holder = lease ?? { name: "nobody any more", fence: fences, expiresAt: from }
              return Effect.fail(new StoreError.LeaseHeld({ threadId, holder }))
            }),
            release: Effect.sync(() => {
              if (leases.get(threadId)?.fence === fence) leases.delete(threadId)
            })
          }
          return held
        })
    }
  })
