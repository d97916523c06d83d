/** Which threads a copy takes, and in which order. */
import { Effect, Option } from "effect"
import type { Failed, Plan, Planned, Selection } from "../Copy.js"
import * as Every from "../Every.js"
import type { Position } from "../Position.js"
import { type InvalidRequest, type ReadError, type StoreUnavailable, ThreadNotFound } from "../StoreError.js"
import type { Summary } from "../Summary.js"
import type { SummaryQuery } from "../SummaryQuery.js"
import * as Queries from "../SummaryQuery.js"
import type { ThreadStoreService } from "../ThreadStore.js"

/** A segment without its lines. */
interface Segment {
  readonly segmentId: string
  readonly base: Position | undefined
  readonly bytes: number
}

interface Thread {
  readonly threadId: string
  readonly title: string
  readonly segments: ReadonlyArray<Segment>
  readonly neededBy: string | undefined
  readonly isRemnant: boolean
}

/** See {@link Copy.plan}. */
export const make = (
  from: ThreadStoreService,
  to: ThreadStoreService,
  selection: Selection = {}
): Effect.Effect<Plan, InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const failed: Array<Failed> = []
    const found = yield* closure(from, yield* chosen(from, selection), failed)
    const threads: Array<Planned> = []
    for (const { segments, ...thread } of inOrder(found)) {
      threads.push({
        ...thread,
        segments: segments.length,
        bytes: bytesOf(segments),
        isThere: yield* isIn(to, thread.threadId)
      })
    }
    return { threads, failed, bytes: threads.reduce((sum, { bytes }) => sum + bytes, 0) }
  })

const bytesOf = (segments: ReadonlyArray<Segment>): number => segments.reduce((sum, { bytes }) => sum + bytes, 0)

/** The ids of the chosen threads, with their titles. */
const chosen = (
  from: ThreadStoreService,
  { ids, query }: Selection
): Effect.Effect<ReadonlyMap<string, string>, InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const titles = new Map<string, string>()
    if (ids === undefined)
      for (const one of yield* Every.summaries(from, query ?? oldestFirst)) titles.set(one.id, titleOf(one))
    for (const id of ids ?? []) {
      const threadId = yield* Queries.threadId(id)
      titles.set(threadId, yield* titleIn(from, threadId))
    }
    return titles
  })

const oldestFirst: SummaryQuery = { ...Every.everything, sortDirection: "asc" }

const titleOf = ({ name, preview }: Summary): string => name ?? preview

const titleIn = (from: ThreadStoreService, threadId: string): Effect.Effect<string> =>
  from.summary(threadId, { includeArchived: true }).pipe(
    Effect.map(titleOf),
    Effect.orElseSucceed(() => "")
  )

/** The chosen threads and all that they stand on. */
const closure = (
  from: ThreadStoreService,
  titles: ReadonlyMap<string, string>,
  failed: Array<Failed>
): Effect.Effect<ReadonlyMap<string, Thread>, InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const found = new Map<string, Thread>()
    const owners = new Map<string, string>()
    const note = (threadId: string, segments: ReadonlyArray<Segment>): void => {
      for (const { segmentId } of segments) if (!owners.has(segmentId)) owners.set(segmentId, threadId)
    }
    /** Later segments do not say whose they are: then every thread is asked for its own, once. */
    let isKnownOfAll = false
    const knowAll = Effect.gen(function* () {
      isKnownOfAll = true
      for (const { id } of yield* Every.summaries(from)) {
        if (found.has(id)) continue
        const segments = yield* Effect.option(segmentsOf(from, id))
        if (Option.isSome(segments)) note(id, segments.value)
      }
    })
    const waiting = [...titles].map(([threadId, title]) => ({
      threadId,
      title,
      neededBy: undefined as string | undefined
    }))
    for (let i = 0; i < waiting.length; i++) {
      const next = waiting[i] as (typeof waiting)[number]
      const { neededBy, threadId } = next
      if (found.has(threadId)) continue
      const read = yield* Effect.either(segmentsOf(from, threadId))
      if (read._tag === "Left") {
        // A base that is not there is damage of the thread that stands on it, which is copied as it is.
        if (!(neededBy !== undefined && read.left._tag === "ThreadNotFound")) {
          failed.push({ _tag: "Failed", threadId, error: read.left })
        }
        continue
      }
      note(threadId, read.right)
      const title = neededBy === undefined ? next.title : yield* titleIn(from, threadId)
      found.set(threadId, { threadId, title, neededBy, isRemnant: false, segments: read.right })
      for (const { base } of read.right) {
        if (base === undefined || owners.get(base.segmentId) === threadId) continue
        if (!owners.has(base.segmentId)) {
          const own = yield* Effect.option(segmentsOf(from, base.segmentId))
          if (Option.isSome(own)) note(base.segmentId, own.value)
        }
        if (!owners.has(base.segmentId) && !isKnownOfAll) yield* knowAll
        const owner = owners.get(base.segmentId)
        if (owner !== undefined) waiting.push({ threadId: owner, title: "", neededBy: threadId })
        else {
          for (const remnant of yield* remnantsOf(from, threadId, owners)) {
            owners.set(remnant.threadId, remnant.threadId)
            found.set(remnant.threadId, remnant)
            for (const { base: below } of remnant.segments) {
              const under = below === undefined ? undefined : owners.get(below.segmentId)
              if (under !== undefined) waiting.push({ threadId: under, title: "", neededBy: threadId })
            }
          }
        }
      }
    }
    return found
  })

/** The segments of a thread, without their lines. */
const segmentsOf = (from: ThreadStoreService, threadId: string): Effect.Effect<ReadonlyArray<Segment>, ReadError> =>
  Queries.threadId(threadId).pipe(
    Effect.mapError(() => new ThreadNotFound({ threadId })),
    Effect.flatMap((id) => Effect.scoped(Effect.map(from.exported(id), ({ segments }) => segments.map(sized))))
  )

const sized = ({
  base,
  segmentId,
  source
}: {
  readonly segmentId: string
  readonly base: Position | undefined
  readonly source: { readonly size: number }
}): Segment => ({
  segmentId,
  base,
  bytes: source.size
})

/** The segments in a thread's log that are no thread's: deleted threads left them to this one. */
const remnantsOf = (
  from: ThreadStoreService,
  threadId: string,
  owners: ReadonlyMap<string, string>
): Effect.Effect<ReadonlyArray<Thread>> =>
  Effect.scoped(
    Effect.map(from.open(threadId, { includeArchived: true }), ({ pieces }) =>
      pieces.flatMap(({ segmentId, source }, i): ReadonlyArray<Thread> => {
        if (owners.has(segmentId)) return []
        const below = pieces[i - 1]
        const base = below === undefined ? undefined : { segmentId: below.segmentId, offset: below.to }
        return [
          {
            threadId: segmentId,
            title: "",
            segments: [{ segmentId, base, bytes: source.size }],
            neededBy: threadId,
            isRemnant: true
          }
        ]
      })
    )
  ).pipe(Effect.orElseSucceed(() => []))

/** Threads behind what they stand on; where they stand on each other in a circle, as they come. */
const inOrder = (found: ReadonlyMap<string, Thread>): ReadonlyArray<Thread> => {
  const owners = new Map<string, string>()
  for (const { segments, threadId } of found.values()) {
    for (const { segmentId } of segments) if (!owners.has(segmentId)) owners.set(segmentId, threadId)
  }
  const ordered: Array<Thread> = []
  const seen = new Set<string>()
  for (const root of found.values()) {
    if (seen.has(root.threadId)) continue
    seen.add(root.threadId)
    const path = [{ thread: root, next: 0 }]
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const base = at.thread.segments[at.next++]?.base
      if (at.next > at.thread.segments.length) {
        ordered.push(at.thread)
        path.pop()
        continue
      }
      const below = base === undefined ? undefined : found.get(owners.get(base.segmentId) ?? "")
      if (below === undefined || seen.has(below.threadId)) continue
      seen.add(below.threadId)
      path.push({ thread: below, next: 0 })
    }
  }
  return ordered
}

const isIn = (store: ThreadStoreService, threadId: string): Effect.Effect<boolean, StoreUnavailable> =>
  store.head(threadId, { includeArchived: true }).pipe(
    Effect.as(true),
    Effect.catchTags({
      ThreadNotFound: () => Effect.succeed(false),
      InvalidRequest: () => Effect.succeed(true),
      CorruptThread: () => Effect.succeed(true),
      UnsupportedHistoryMode: () => Effect.succeed(true)
    })
  )
