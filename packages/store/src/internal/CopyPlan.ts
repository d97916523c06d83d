/** Which threads a copy takes, and in which order. */
import { Effect, Option } from "effect"
import type { Failed, Plan, Planned, Selection } from "../Copy.js"
import * as Derived from "../Derived.js"
import * as Every from "../Every.js"
import type { Position } from "../Position.js"
import { type InvalidRequest, type ReadError, type StoreUnavailable, ThreadNotFound } from "../StoreError.js"
import type { Summary } from "../Summary.js"
import type { SummaryQuery } from "../SummaryQuery.js"
import * as Queries from "../SummaryQuery.js"
import type { Exported, ThreadStoreService } from "../ThreadStore.js"

/** Whether a store lets threads of a mode stand on each other; else they go there whole, with all that they inherit. */
const shares = (to: ThreadStoreService, historyMode: string): boolean => {
  const mode = Derived.knownMode(historyMode)
  return mode === undefined || to.supports.sharedPrefixes[mode]
}

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
    const found = yield* closure(from, to, yield* chosen(from, selection), failed)
    const threads: Array<Planned> = []
    /** Segments that what is still to be written stands on. */
    const needed = new Set<string>()
    for (const { segments, ...thread } of [...inOrder(found)].reverse()) {
      if (thread.isRemnant && !needed.has(thread.threadId)) continue
      const there = yield* segmentsIn(to, thread.threadId)
      if (there === undefined || there < segments.length) {
        for (const { base } of segments) if (base !== undefined) needed.add(base.segmentId)
      }
      threads.push({
        ...thread,
        segments: segments.length,
        bytes: bytesOf(segments),
        isThere: there !== undefined
      })
    }
    threads.reverse()
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
  to: ThreadStoreService,
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
        const shape = yield* Effect.option(shapeOf(from, id))
        if (Option.isSome(shape)) note(id, shape.value.segments)
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
      const read = yield* Effect.either(shapeOf(from, threadId))
      if (read._tag === "Left") {
        // A base that is not there is damage of the thread that stands on it, which is copied as it is.
        if (!(neededBy !== undefined && read.left._tag === "ThreadNotFound")) {
          failed.push({ _tag: "Failed", threadId, error: read.left })
        }
        continue
      }
      const { historyMode, segments } = read.right
      note(threadId, segments)
      const title = neededBy === undefined ? next.title : yield* titleIn(from, threadId)
      found.set(threadId, { threadId, title, neededBy, isRemnant: false, segments })
      if (!shares(to, historyMode)) continue
      for (const { base } of segments) {
        if (base === undefined || owners.get(base.segmentId) === threadId) continue
        if (!owners.has(base.segmentId)) {
          const own = yield* Effect.option(shapeOf(from, base.segmentId))
          if (Option.isSome(own)) note(base.segmentId, own.value.segments)
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

/** A thread's mode, and its segments without their lines. */
const shapeOf = (
  from: ThreadStoreService,
  threadId: string
): Effect.Effect<{ readonly historyMode: string; readonly segments: ReadonlyArray<Segment> }, ReadError> =>
  Queries.threadId(threadId).pipe(
    Effect.mapError(() => new ThreadNotFound({ threadId })),
    Effect.flatMap((id) => Effect.scoped(Effect.map(from.exported(id), shaped)))
  )

const shaped = ({ row, segments }: Exported) => ({
  historyMode: row.historyMode,
  segments: segments.map(({ base, segmentId, source }): Segment => ({ segmentId, base, bytes: source.size }))
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

/** How many segments a store has of a thread; undefined when there is none of that id. */
const segmentsIn = (store: ThreadStoreService, threadId: string): Effect.Effect<number | undefined, StoreUnavailable> =>
  Effect.scoped(Effect.map(store.exported(threadId), ({ segments }) => segments.length)).pipe(
    Effect.catchTags({
      ThreadNotFound: () => Effect.succeed(undefined),
      // It is told when the two are compared.
      InvalidRequest: () => Effect.succeed(Number.POSITIVE_INFINITY),
      CorruptThread: () => Effect.succeed(Number.POSITIVE_INFINITY),
      UnsupportedHistoryMode: () => Effect.succeed(Number.POSITIVE_INFINITY)
    })
  )
