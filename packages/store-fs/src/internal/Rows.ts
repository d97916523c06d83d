/**
 * The rows of lists, kept in an index: which of them are true, and which are behind their files.
 *
 * The index is believed for a file whose size, time and inode are what they were when its row was derived. Nothing of it
 * is needed: with an empty one every thread counts as behind, and the typed store folds them all.
 */
import type { Derived } from "@skein/store/Derived"
import * as Deriveds from "@skein/store/Derived"
import type { Lagging, NewThread } from "@skein/store/Driver"
import type { Position } from "@skein/store/Position"
import { type InvalidRequest, type StoreUnavailable, ThreadNotFound } from "@skein/store/StoreError"
import type { Explicit, ThreadRow } from "@skein/store/Summary"
import type { RowQuery } from "@skein/store/SummaryQuery"
import type { FileFacts, Index, IndexedRow } from "@skein/store/ThreadIndex"
import { Effect } from "effect"
import * as CodexHome from "../CodexHome.js"
import type { ThreadFiles } from "./Catalog.js"
import * as Catalog from "./Catalog.js"
import type { AllColumns, Columns } from "./Columns.js"
import * as Disk from "./Disk.js"
import * as ExplicitSync from "./ExplicitSync.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Intents from "./Intents.js"
import type { Opening, Standings } from "./Standing.js"
import * as Standing from "./Standing.js"

/** The rows of a home. */
export interface Rows {
  readonly lagging: (threadId?: string) => Effect.Effect<ReadonlyArray<Lagging>, StoreUnavailable>
  /** Keeps what was derived of a thread that was just made, if anything was. */
  readonly made: (thread: NewThread, reached: Position) => Effect.Effect<void, StoreUnavailable>
  readonly put: (threadId: string, derived: Derived, reached: Position) => Effect.Effect<void, StoreUnavailable>
  readonly row: (threadId: string) => Effect.Effect<ThreadRow, ThreadNotFound | InvalidRequest | StoreUnavailable>
  readonly rows: (query: RowQuery) => Effect.Effect<ReadonlyArray<ThreadRow>, StoreUnavailable>
  /** Takes note of explicit metadata that were changed. */
  readonly changed: (threadId: string) => Effect.Effect<void, StoreUnavailable>
  readonly forget: (threadId: string) => Effect.Effect<void, StoreUnavailable>
  /** Hands the index what it was not told yet. */
  readonly flush: Effect.Effect<void, StoreUnavailable>
}

/** Files that are looked at or opened at once. */
const width = 16
/** Rows that the index is told at once at the latest. */
const batch = 256

/** What is to be told to the index of a thread. */
interface Pending {
  readonly indexed: IndexedRow
  /** The newest file as it was when the row was derived; undefined when only explicit metadata changed. */
  readonly facts: FileFacts | undefined
}

/** A thread's newest file as a list saw it. */
interface Seen {
  readonly files: ThreadFiles
  readonly facts: Disk.Facts
  readonly opening: Opening
}

export const make = (home: Home, columns: AllColumns, standings: Standings, index: Index): Rows => {
  const { catalog, disk } = home
  const failed = Disk.unavailable("reading what is said of a thread", columns.folder)
  const pending = new Map<string, Pending>()
  const seen = new Map<string, Seen>()

  const unfit = ({ historyMode, threadId }: ThreadRow): FileFacts | undefined => {
    const head = catalog.thread(threadId)?.head
    return head === undefined ? undefined : { ...unread(head), historyMode }
  }

  /** What explicit metadata come from, as it was before any of the pending rows was made. */
  let since: ExplicitSync.Sources | undefined
  const begin = Effect.suspend(() =>
    since === undefined
      ? Effect.map(ExplicitSync.look({ columns, home }), (sources) => {
          since ??= sources
        })
      : Effect.void
  )

  const flush = Effect.suspend(() => {
    if (pending.size === 0) return Effect.void
    const all = [...pending.values()]
    const from = since
    pending.clear()
    since = undefined
    return index
      .change({
        files: [...all.flatMap(({ facts }) => facts ?? []), ExplicitSync.mark({ home, columns })],
        rows: all.map(({ indexed }) => indexed)
      })
      .pipe(
        Effect.tapError(() =>
          Effect.sync(() => {
            since = from
            for (const one of all) {
              const { threadId } = one.indexed.row
              if (!pending.has(threadId)) pending.set(threadId, one)
            }
          })
        ),
        Effect.zipRight(
          Effect.suspend(() =>
            ExplicitSync.settle(
              { home, columns, index },
              from,
              all.map(({ indexed }) => indexed.row.threadId)
            )
          )
        )
      )
  })

  const known = (threadId: string): Effect.Effect<IndexedRow | undefined, StoreUnavailable> =>
    Effect.suspend(() => {
      const waiting = pending.get(threadId)
      return waiting === undefined ? index.row(threadId) : Effect.succeed(waiting.indexed)
    })

  const rowOf = ({ facts, files, opening }: Seen, said: Columns & Explicit, derived: Derived): ThreadRow => {
    const { head, segments, threadId } = files
    return {
      threadId,
      historyMode: opening.historyMode,
      archivedAt: head.isArchived ? (said.archivedAt ?? facts.mtimeMs) : undefined,
      explicit: explicitOf(said),
      derived,
      madeAt: CodexHome.momentOf(segments[0]?.time ?? head.time),
      path: CodexHome.logical(head.path)
    }
  }

  const keep = (one: Seen, derived: Derived, reached: Position | undefined, isOld = false) =>
    Effect.gen(function* () {
      const { threadId } = one.files
      yield* begin
      let said = yield* columns.of(threadId)
      // Being archived: when that was is yet to be written, or was written since.
      const isDated = !one.files.head.isArchived || said.archivedAt !== undefined
      const isMoving = !isDated && (yield* Effect.mapError(Intents.isPending(home, threadId), failed))
      if (!isDated && !isMoving) said = yield* columns.of(threadId)
      const row = rowOf(one, said, derived)
      const facts = factsOf(one)
      // The file grew between the look at it and the reading, or another list looked at it later than this one read it.
      const isShort = !one.files.head.compressed && reached !== undefined && reached.offset < facts.size
      // No file has this size, so the thread counts as behind at the next list.
      const isUnread = one.opening === Standing.unread
      const stale =
        home.incomplete.has(threadId) || isShort || isUnread || isMoving || isOld ? { ...facts, size: -1 } : facts
      pending.set(threadId, { indexed: { row, reached }, facts: stale })
      if (pending.size >= batch) yield* flush
    })

  /** What has to be folded of a thread whose newest file is not as the index knows it. */
  const behind = (files: ThreadFiles, facts: Disk.Facts): Effect.Effect<ReadonlyArray<Lagging>, StoreUnavailable> =>
    Effect.gen(function* () {
      const { head, threadId } = files
      // A file that cannot be read is no reason not to list the others; nor is there anything to be folded.
      const opening = yield* Effect.orElseSucceed(standings.opening(head.path, facts), () => Standing.unread)
      if (opening.isEmpty) return []
      const one: Seen = { files, facts, opening }
      if (opening === Standing.unread || Deriveds.knownMode(opening.historyMode) === undefined) {
        yield* keep(one, (yield* known(threadId))?.row.derived ?? Deriveds.empty, undefined)
        return []
      }
      seen.set(threadId, one)
      const before = yield* known(threadId)
      const from = before?.reached === undefined ? undefined : { derived: before.row.derived, reached: before.reached }
      return [{ threadId, from }]
    })

  const laggingOne = (threadId: string): Effect.Effect<ReadonlyArray<Lagging>, StoreUnavailable> =>
    Effect.gen(function* () {
      const { facts, files } = yield* Homes.find(home, threadId)
      const waiting = pending.get(threadId)?.facts
      const all = waiting === undefined ? yield* index.filesOf(threadId) : [waiting]
      const filed = all.find(({ path }) => path === files.head.path)
      const isDoubtful = doubtful(all, new Set([files.head.path])).has(threadId)
      const isTrue = filed !== undefined && !isDoubtful && Disk.isSame(filed, facts)
      return isTrue ? [] : yield* behind(files, facts)
    }).pipe(Effect.catchTags({ ThreadNotFound: () => Effect.succeed([]), InvalidRequest: () => Effect.succeed([]) }))

  const laggingAll: Effect.Effect<ReadonlyArray<Lagging>, StoreUnavailable> = Effect.gen(function* () {
    yield* catalog.walk
    yield* flush
    const filed = new Map((yield* index.files).map((facts) => [facts.path, facts]))
    const threads = [...catalog.threads()].filter(({ threadId }) => !home.deleting.has(threadId))
    const looks = yield* Disk.lookAll(
      disk,
      threads.map(({ head }) => head.path)
    )
    const changed: Array<{ readonly files: ThreadFiles; readonly facts: Disk.Facts }> = []
    const current = new Set<string>()
    for (const [i, first] of threads.entries()) {
      const { facts, files } = yield* regular(first, looks[i])
      if (facts === undefined) continue
      current.add(files.head.path)
      const before = filed.get(files.head.path)
      if (before === undefined || !Disk.isSame(before, facts)) changed.push({ files, facts })
    }
    const doubted = doubtful(filed.values(), current)
    for (const [i, files] of threads.entries()) {
      const facts = looks[i]
      const isNoted = changed.some((one) => one.files.threadId === files.threadId)
      if (facts?.type === "File" && !isNoted && doubted.has(files.threadId)) changed.push({ files, facts })
    }
    yield* forgetOthers(filed, current, threads)
    yield* ExplicitSync.run({ home, columns, index, filed, explicitOf, unfit })
    const all = yield* Effect.forEach(changed, ({ facts, files }) => behind(files, facts), { concurrency: width })
    return all.flat()
  })

  /** The newest of a thread's files that is one: no folder or pipe of such a name, nor, beside others, an empty file. */
  const regular = (
    files: ThreadFiles,
    facts: Disk.Facts | undefined
  ): Effect.Effect<{ readonly files: ThreadFiles; readonly facts: Disk.Facts | undefined }> => {
    const isBare = facts?.type === "File" && facts.size === 0 && files.all.length > 1
    if (facts === undefined || (facts.type === "File" && !isBare)) return Effect.succeed({ files, facts })
    catalog.pass(files.head.path)
    const other = catalog.thread(files.threadId)
    return other === undefined
      ? Effect.succeed({ files, facts: undefined })
      : Disk.look(disk, other.head.path).pipe(
          Effect.orElseSucceed(() => undefined),
          Effect.flatMap((found) => regular(other, found))
        )
  }

  /** Lets the index forget files that are no longer the newest ones, and threads that are not there. */
  const forgetOthers = (
    filed: ReadonlyMap<string, FileFacts>,
    current: ReadonlySet<string>,
    threads: ReadonlyArray<ThreadFiles>
  ): Effect.Effect<void, StoreUnavailable> => {
    const files: Array<string> = []
    const rows = new Set<string>()
    /** Such files were what said that the row of a thread may be too old. Whoever dies before it is made again leaves that. */
    const again = new Map<string, FileFacts>()
    const there = new Map(threads.map(({ head, threadId }) => [threadId, head]))
    // One whose newest file went away during this list: what is known of its files tells the next list that it is gone.
    const unsure = new Set(threads.flatMap(({ head, threadId }) => (current.has(head.path) ? [] : [threadId])))
    for (const { path, segmentId, threadId } of filed.values()) {
      const head = there.get(threadId)
      if (head === undefined && threadId !== "") rows.add(threadId)
      // Facts without a segment are those of explicit metadata, which outlive a file that is away for a while.
      if (segmentId === "" || current.has(path) || unsure.has(threadId)) continue
      files.push(path)
      if (head !== undefined) again.set(threadId, unread(head))
    }
    const isNothing = files.length === 0 && rows.size === 0
    return isNothing
      ? Effect.void
      : index.change({ files: [...again.values()], forgetFiles: files, forgetRows: [...rows] })
  }

  return {
    flush,
    lagging: (threadId) => (threadId === undefined ? laggingAll : laggingOne(threadId)),
    made: ({ derived, historyMode, segment, threadId }, reached) =>
      Effect.gen(function* () {
        const files = catalog.thread(threadId)
        if (derived === undefined || files === undefined) return
        const facts = yield* Disk.look(disk, files.head.path).pipe(
          Effect.mapError(Disk.unavailable("making a thread", files.head.path))
        )
        const opening = { threadId, historyMode, base: segment.base, isEmpty: false }
        if (facts !== undefined) yield* keep({ files, facts, opening }, derived, reached)
      }),
    put: (threadId, derived, reached) =>
      Effect.gen(function* () {
        const first = seen.get(threadId)
        seen.delete(threadId)
        const fits = ({ files }: Seen): boolean => reached.segmentId === Catalog.segmentId(files.head)
        const one = first !== undefined && fits(first) ? first : yield* standings.of(threadId)
        // It went on in another segment meanwhile: what it was is better than no row, and is to be derived again.
        yield* keep(one, derived, reached, !fits(one))
      }).pipe(Effect.catchTags({ ThreadNotFound: () => Effect.void, InvalidRequest: () => Effect.void })),
    row: (threadId) =>
      Effect.gen(function* () {
        const { facts, files } = yield* Homes.find(home, threadId)
        const opening = yield* Effect.orElseSucceed(standings.opening(files.head.path, facts), () => Standing.unread)
        if (opening.isEmpty) return yield* Effect.fail(new ThreadNotFound({ threadId }))
        const before = yield* known(threadId)
        return rowOf({ facts, files, opening }, yield* columns.of(threadId), before?.row.derived ?? Deriveds.empty)
      }),
    rows: (query) => Effect.zipRight(flush, index.rows(query)),
    changed: (threadId) =>
      Effect.gen(function* () {
        const before = yield* known(threadId)
        if (before === undefined) return
        yield* begin
        const explicit = explicitOf(yield* columns.of(threadId))
        const indexed = { ...before, row: { ...before.row, explicit } }
        // The row may be older than what another process notes of the file meanwhile, or outlive the thread: facts that fit
        // no file let the next list look at it again.
        const facts = unfit(before.row)
        if (facts !== undefined) pending.set(threadId, { indexed, facts: pending.get(threadId)?.facts ?? facts })
      }),
    forget: (threadId) =>
      Effect.gen(function* () {
        pending.delete(threadId)
        seen.delete(threadId)
        const files = yield* index.filesOf(threadId)
        yield* index.change({ forgetFiles: files.map(({ path }) => path), forgetRows: [threadId] })
      })
  }
}

/**
 * Threads of which the index knows a file that is not the newest one. Whoever noted that one, perhaps another process that
 * was late with it, noted its row as well, so that the row may be older than what is known of the newest file.
 */
const doubtful = (filed: Iterable<FileFacts>, current: ReadonlySet<string>): ReadonlySet<string> => {
  const threads = new Set<string>()
  for (const { path, segmentId, threadId } of filed) if (segmentId !== "" && !current.has(path)) threads.add(threadId)
  return threads
}

const explicitOf = ({ git, memoryMode, metadata, name }: Columns & Explicit): Explicit => ({
  ...(name === undefined ? {} : { name }),
  ...(memoryMode === undefined ? {} : { memoryMode }),
  ...(git === undefined ? {} : { git }),
  ...(metadata === undefined ? {} : { metadata })
})

/** What fits no file that there is. */
const unread = (file: Catalog.Rollout): FileFacts => ({
  path: file.path,
  size: -1,
  mtimeMs: 0,
  inode: 0,
  threadId: file.threadId,
  segmentId: Catalog.segmentId(file),
  historyMode: "legacy",
  base: undefined
})

const factsOf = ({ facts, files: { head, threadId }, opening }: Seen): FileFacts => ({
  path: head.path,
  size: facts.size,
  mtimeMs: facts.mtimeMs,
  inode: facts.inode,
  threadId,
  segmentId: Catalog.segmentId(head),
  historyMode: opening.historyMode,
  base: opening.base
})
