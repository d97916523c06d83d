/** Lists of threads, their search, and what is done with whole threads. */
import type { StoredRecord } from "@skein/core/record/Record"
import * as Sniff from "@skein/core/record/Sniff"
import { Clock, Effect } from "effect"
import * as ContentSearch from "../ContentSearch.js"
import * as Derived from "../Derived.js"
import type { Driver, Lagging } from "../Driver.js"
import * as EffectiveLog from "../EffectiveLog.js"
import { InvalidRequest, type ReadError, type StoreUnavailable, type ThreadNotFound } from "../StoreError.js"
import type { Patch, Summary, ThreadRow } from "../Summary.js"
import * as Summaries from "../Summary.js"
import type { Page, RowQuery, SummaryQuery } from "../SummaryQuery.js"
import * as Queries from "../SummaryQuery.js"
import type { Deleted, DeleteOptions, FoundPage, ReadOptions } from "../ThreadStore.js"
import * as Encoding from "./Encoding.js"
import type { Signals } from "./Signals.js"
import type { Views } from "./Views.js"

/**
 * Folds what was written to threads since their derived state was kept: by forks, by other programs, in files that
 * nobody has looked at yet. A thread that cannot be read keeps what is known of it until it changes.
 */
export const catchUp = (driver: Driver, threadId?: string): Effect.Effect<void, StoreUnavailable> =>
  Effect.flatMap(driver.lagging(threadId), (lagging) =>
    Effect.forEach(lagging, (one) => catchUpOne(driver, one), { discard: true })
  )

const catchUpOne = (driver: Driver, { from, threadId }: Lagging): Effect.Effect<void, StoreUnavailable> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* driver.open(threadId)
      // In front of another segment comes another header, which is folded first.
      const isOn = from?.reached.segmentId === EffectiveLog.end(log).segmentId
      const rest = isOn ? EffectiveLog.after(log, from.reached) : undefined
      let state = rest === undefined || from === undefined ? Derived.empty : from.derived
      yield* EffectiveLog.forward(
        rest ?? log,
        (decoded) => {
          if (EffectiveLog.isRecord(decoded)) state = Derived.fold.step(state, decoded)
          // Nobody here knows what the records of such a thread mean.
          const isClosed = decoded.kind === "damage" && decoded.reason === "unknown-history-mode"
          return !isClosed || state.summary.id !== undefined
        },
        {
          wants: (head, bytes) => {
            if (Derived.wants(head, state)) return true
            const timestamp = Sniff.timestamp(bytes)
            if (timestamp !== undefined) state = Derived.touch(state, timestamp)
            return false
          },
          passing: true
        }
      )
      yield* driver.putDerived(threadId, state, EffectiveLog.end(log))
    })
  ).pipe(
    Effect.catchTags({
      ThreadNotFound: () => Effect.void,
      InvalidRequest: () => giveUp(driver, threadId, from?.derived),
      CorruptThread: () => giveUp(driver, threadId, from?.derived),
      UnsupportedHistoryMode: () => giveUp(driver, threadId, from?.derived),
      // Something of this thread may not be read. What keeps all of them from being listed shows when the rows are.
      StoreUnavailable: (error) => (error.retryable ? Effect.fail(error) : Effect.void)
    })
  )

/** Keeps what is known of a thread that cannot be read, so that the next list does not try again. */
const giveUp = (
  driver: Driver,
  threadId: string,
  known: Derived.Derived | undefined
): Effect.Effect<void, StoreUnavailable> =>
  driver.locate(threadId).pipe(
    Effect.flatMap(({ head }) => driver.putDerived(threadId, known ?? Derived.empty, head)),
    Effect.catchTags({ ThreadNotFound: () => Effect.void, InvalidRequest: () => Effect.void })
  )

/** See {@link ThreadStoreService.summary}. */
export const summary = (
  driver: Driver,
  threadId: string,
  options: ReadOptions = {}
): Effect.Effect<Summary, ReadError> =>
  Effect.gen(function* () {
    const id = yield* Queries.threadId(threadId)
    yield* catchUp(driver, id)
    const row = yield* driver.row(id)
    if (row.archivedAt !== undefined && options.includeArchived !== true) {
      return yield* Effect.fail(Encoding.archived(id))
    }
    return Summaries.of(row)
  })

/** See {@link ThreadStoreService.summaries}. */
export const summaries = (
  driver: Driver,
  query: SummaryQuery = {}
): Effect.Effect<Page<Summary>, InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const checked = yield* Queries.check(query)
    yield* catchUp(driver)
    const rows = yield* driver.rows({ ...checked, limit: checked.limit + 1 })
    return page(rows.map(Summaries.of), checked)
  })

/** A page of rows of which one more than asked was read. */
const page = (rows: ReadonlyArray<Summary>, { limit, sortKey }: RowQuery): Page<Summary> => {
  const items = rows.slice(0, limit)
  const first = items[0]
  const last = items.at(-1)
  return {
    items,
    nextCursor: rows.length > limit && last !== undefined ? Queries.cursorOf(last, sortKey) : undefined,
    backwardsCursor: first === undefined ? undefined : Queries.cursorOf(first, sortKey)
  }
}

/** Candidates of a search that are asked for at once. */
const candidates = 256

/** See {@link ThreadStoreService.search}. */
export const search = (
  driver: Driver,
  text: string,
  query: Omit<SummaryQuery, "searchTerm"> = {}
): Effect.Effect<FoundPage, InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const term = ContentSearch.term(text)
    if (term.folded === "") {
      return yield* Effect.fail(
        new InvalidRequest({ field: "searchTerm", reason: "it is empty", advice: "Give at least one letter." })
      )
    }
    const checked = yield* Queries.check(query)
    yield* catchUp(driver)
    const found: Array<{ readonly thread: Summary; readonly snippet: string }> = []
    const failures: Array<{ readonly threadId: string; readonly error: ReadError }> = []
    let { after } = checked
    while (found.length <= checked.limit) {
      const rows = yield* driver.rows({ ...checked, after, limit: candidates })
      for (const row of rows) {
        const hit = yield* Effect.either(firstHit(driver, row, term))
        if (hit._tag === "Left") failures.push({ threadId: row.threadId, error: hit.left })
        else if (hit.right !== undefined) found.push({ thread: Summaries.of(row), snippet: hit.right })
        if (found.length > checked.limit) break
      }
      const last = rows.at(-1)
      if (rows.length < candidates || last === undefined) break
      after = { time: Summaries.times(last)[checked.sortKey], id: last.threadId }
    }
    const { items, ...cursors } = page(
      found.map(({ thread }) => thread),
      checked
    )
    return { ...cursors, items: found.slice(0, items.length), failures }
  })

/** The snippet of the first thing said in a thread that holds the term. Each segment is decoded once. */
const firstHit = (
  driver: Driver,
  row: ThreadRow,
  term: ContentSearch.Term
): Effect.Effect<string | undefined, ReadError> =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* Encoding.modeOf(row)
      const log = yield* driver.open(row.threadId)
      let snippet: string | undefined
      const look = (record: StoredRecord): boolean => {
        const said = ContentSearch.textOf(record)
        snippet = said === undefined ? undefined : ContentSearch.find(said, term)?.snippet
        return snippet === undefined
      }
      yield* EffectiveLog.forward(log, (decoded) => !EffectiveLog.isRecord(decoded) || look(decoded), {
        holds: (bytes) => ContentSearch.mayHold(bytes, term),
        wants: (head, bytes) => ContentSearch.wants(head) && ContentSearch.mayHold(bytes, term),
        passing: true
      })
      return snippet
    })
  )

/** See {@link ThreadStoreService.updateSummary}. */
export const updateSummary = (driver: Driver, threadId: string, patch: Patch): Effect.Effect<Summary, ReadError> =>
  Effect.gen(function* () {
    const id = yield* Queries.threadId(threadId)
    yield* Summaries.check(patch)
    if (!Summaries.isEmpty(patch)) yield* driver.updateExplicit(id, (explicit) => Summaries.apply(explicit, patch))
    return yield* summary(driver, id, { includeArchived: true })
  })

/** See {@link ThreadStoreService.archive} and {@link ThreadStoreService.unarchive}. */
export const setArchived = (
  driver: Driver,
  signals: Signals,
  threadId: string,
  archived: boolean
): Effect.Effect<void, ThreadNotFound | InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const id = yield* Queries.threadId(threadId)
    const located = yield* driver.locate(id)
    if (archived === (located.archivedAt !== undefined)) {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "threadId",
          reason: `thread ${id} is ${archived ? "archived already" : "not archived"}`,
          advice: "Nothing is to be done."
        })
      )
    }
    yield* driver.setArchived(id, archived ? yield* Clock.currentTimeMillis : undefined)
    yield* signals.notify(id)
  })

/** See {@link ThreadStoreService.delete}. */
export const remove = (
  driver: Driver,
  signals: Signals,
  views: Views,
  threadId: string,
  options: DeleteOptions = {}
): Effect.Effect<Deleted, ReadError> =>
  Effect.gen(function* () {
    const id = yield* Queries.threadId(threadId)
    const below = options.subtree === false ? [] : yield* descendants(driver, id)
    const shared = options.shared ?? driver.supports.sharedOnDelete
    const deleted: Array<string> = []
    const kept: Array<Deleted["kept"][number]> = []
    for (const one of below) {
      const removal = yield* driver
        .remove(one, shared)
        .pipe(Effect.catchTag("ThreadNotFound", () => Effect.succeed(undefined)))
      if (removal === undefined) continue
      deleted.push(one)
      kept.push(...removal.kept)
      views.drop([one])
      yield* signals.notify(one)
    }
    const removal = yield* driver.remove(id, shared)
    deleted.push(id)
    kept.push(...removal.kept)
    views.drop([id])
    yield* signals.notify(id)
    return { deleted, kept: stillKept(kept, deleted) }
  })

/** What is kept in the end: not what was kept for a thread that went later. */
const stillKept = (kept: Deleted["kept"], deleted: ReadonlyArray<string>): Deleted["kept"] =>
  kept.flatMap(({ for: users, segmentId }) => {
    const left = users.filter((user) => !deleted.includes(user))
    return left.length === 0 ? [] : [{ segmentId, for: left }]
  })

/** The threads below one, deepest first; those of one depth in order of id. */
const descendants = (driver: Driver, id: string): Effect.Effect<ReadonlyArray<string>, ReadError> =>
  Effect.gen(function* () {
    yield* catchUp(driver)
    const rows = yield* driver.rows({
      limit: Number.MAX_SAFE_INTEGER,
      sortKey: "createdAt",
      direction: "asc",
      after: undefined,
      sources: undefined,
      modelProviders: undefined,
      unnamedProvider: true,
      cwds: undefined,
      archived: "any",
      searchTerm: undefined,
      relation: { of: id, depth: "descendants" },
      metadata: {},
      hidden: true
    })
    const parents = new Map(rows.map((row) => [row.threadId, Derived.parentOf(row.derived)]))
    const depth = (from: string): number => {
      let at: string | undefined = from
      let steps = 0
      while (at !== undefined && at !== id && steps <= parents.size) {
        at = parents.get(at)
        steps++
      }
      return steps
    }
    return [...parents.keys()]
      .map((thread) => ({ thread, depth: depth(thread) }))
      .sort((left, right) => right.depth - left.depth || (left.thread < right.thread ? -1 : 1))
      .map(({ thread }) => thread)
  })
