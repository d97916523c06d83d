/**
 * Brings the explicit metadata of an index up to date: names that another program gave, columns that another process
 * changed. The index remembers the files that they came from as it does rollouts, so that nothing is read twice.
 */
import type { StoreUnavailable } from "@skein/store/StoreError"
import type { Explicit, ThreadRow } from "@skein/store/Summary"
import type { RowQuery } from "@skein/store/SummaryQuery"
import type { FileFacts, Index, IndexedRow } from "@skein/store/ThreadIndex"
import { Effect } from "effect"
import type { AllColumns, Columns } from "./Columns.js"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"

/** What it works with. */
export interface Parts {
  readonly home: Home
  readonly columns: AllColumns
  readonly index: Index
  /** What the index knows of files, by path. */
  readonly filed: ReadonlyMap<string, FileFacts>
  readonly explicitOf: (columns: Columns & Explicit) => Explicit
  /** Facts that fit no file, for the newest one of a thread; undefined when it is gone. */
  readonly unfit: (row: ThreadRow) => FileFacts | undefined
}

/** What all explicit metadata come from, as it was at a time. */
export interface Sources {
  readonly names: Disk.Facts | undefined
  readonly folder: Disk.Facts | undefined
  /** Whether any change since shows in the facts. */
  readonly isSettled: boolean
}

/** Cost: two stats. */
export const look = ({ columns, home }: Pick<Parts, "columns" | "home">): Effect.Effect<Sources, StoreUnavailable> =>
  Effect.gen(function* () {
    const names = yield* Disk.look(home.disk, columns.names.path)
    const folder = yield* Disk.look(home.disk, columns.folder)
    return { names, folder, isSettled: folder === undefined || Disk.isSettled(home.clock, folder.mtimeMs) }
  }).pipe(Effect.mapError(Disk.unavailable("explicit metadata", columns.folder, columns.names.path)))

const marked = "unsettled."

/**
 * What the index is told together with rows, and forgets when they are settled: as long as it is there, perhaps since
 * whoever handed them over died, lists do not believe what the index says of explicit metadata.
 */
export const mark = ({ columns, home }: Pick<Parts, "columns" | "home">): FileFacts =>
  doubted(home.disk.paths.join(columns.folder, `${marked}${home.instance}`))

/**
 * To be called once rows were handed to the index, with a {@link mark}: what was said of their threads since the sources
 * were looked at may have come into the index before them, and be gone from it now. Then the index is not to believe that
 * it knew, so that the next list brings it up to date. What is said from now on comes into the index behind them. Cost: two
 * stats, and a change of the index.
 *
 * @param since The sources as they were before any of the rows was made; undefined when nobody knows.
 */
export const settle = (
  parts: Pick<Parts, "columns" | "home" | "index">,
  since: Sources | undefined,
  threads: ReadonlyArray<string>
): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    const { columns, index } = parts
    const now = yield* look(parts)
    const isSame = since?.isSettled === true && isAlike(since.names, now.names) && isAlike(since.folder, now.folder)
    const files: Array<FileFacts> = []
    if (isSame) {
      // What rows were made from and the index does not know could go away unnoticed.
      const known = new Set((yield* index.filesOf("")).map(({ path }) => path))
      if (now.names !== undefined && !known.has(columns.names.path)) files.push(doubted(columns.names.path))
      if (now.folder !== undefined && !known.has(columns.folder)) files.push(doubted(columns.folder))
    } else {
      files.push(doubted(columns.names.path), doubted(columns.folder))
      for (const threadId of threads) files.push(doubted(columns.fileOf(threadId), threadId))
    }
    yield* index.change({ forgetFiles: [mark(parts).path], files })
  })

const isAlike = (left: Disk.Facts | undefined, right: Disk.Facts | undefined): boolean =>
  left === undefined || right === undefined ? left === right : Disk.isSame(left, right)

/** Cost: two stats when nothing changed; else a stat for each thread with columns, and a read of those that changed. */
export const run = (given: Parts): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    const prefix = given.home.disk.paths.join(given.columns.folder, marked)
    const marks = [...given.filed.keys()].filter((path) => path.startsWith(prefix))
    const isDoubted = marks.length > 0
    const parts = isDoubted ? { ...given, filed: disbelieved(given.filed) } : given
    const { columns, filed } = parts
    const failed = Disk.unavailable("explicit metadata", columns.folder, columns.names.path)
    const sources = yield* look(parts)
    const { folder, names } = sources
    const files: Array<FileFacts> = []
    const forgotten: Array<string> = [...marks]
    const threads = new Set<string>()
    if (isDoubted || !isAsBefore(filed.get(columns.folder), folder)) {
      yield* changedColumns(parts, threads, files, forgotten).pipe(Effect.mapError(failed))
      if (folder === undefined) forgotten.push(columns.folder)
      else files.push(sources.isSettled ? factsOf(columns.folder, "", folder) : doubted(columns.folder))
    }
    const areNamed = isDoubted || !isAsBefore(filed.get(columns.names.path), names)
    if (areNamed && names !== undefined) files.push(factsOf(columns.names.path, "", names))
    else if (areNamed) forgotten.push(columns.names.path)
    const rows = yield* areNamed
      ? allRows(parts, (threadId) => isDoubted || threads.has(threadId))
      : rowsOf(parts, threads)
    const changed: Array<IndexedRow> = []
    for (const indexed of rows) {
      const { row } = indexed
      const said = yield* columns.of(row.threadId)
      const explicit = parts.explicitOf(said)
      // Whoever saw the thread in the archive before its time was written took that of the file for it.
      const archivedAt = row.archivedAt === undefined ? undefined : (said.archivedAt ?? row.archivedAt)
      if (isEqual(explicit, row.explicit) && archivedAt === row.archivedAt) continue
      // What was derived may be older than what another process noted since this row was read. Of a thread that is gone
      // the row would come back, and nothing would be noted by which it is found out.
      const unfit = parts.unfit(row)
      if (unfit === undefined) continue
      files.push(unfit)
      changed.push({ ...indexed, row: { ...row, explicit, archivedAt } })
    }
    if (changed.length > 0) files.push(mark(parts))
    if (files.length + forgotten.length > 0) {
      yield* parts.index.change({ forgetFiles: forgotten, files, rows: changed })
    }
    if (changed.length > 0) {
      yield* settle(
        parts,
        sources,
        changed.map(({ row }) => row.threadId)
      )
    }
  })

/** The threads whose columns are not as the index knows them. */
const changedColumns = (
  { columns, filed, home }: Parts,
  threads: Set<string>,
  files: Array<FileFacts>,
  forgotten: Array<string>
) =>
  Effect.gen(function* () {
    const names = (yield* Disk.list(home.disk, columns.folder)).filter((name) => name.endsWith(".json"))
    const paths = names.map((name) => home.disk.paths.join(columns.folder, name))
    const looks = yield* Disk.lookAll(home.disk, paths)
    for (const [i, path] of paths.entries()) {
      const facts = looks[i]
      if (facts === undefined || isAsBefore(filed.get(path), facts)) continue
      const threadId = (names[i] as string).slice(0, -".json".length)
      threads.add(threadId)
      files.push(factsOf(path, threadId, facts))
    }
    const there = new Set(paths)
    for (const { path, segmentId, threadId } of filed.values()) {
      if (segmentId !== "" || threadId === "" || there.has(path)) continue
      threads.add(threadId)
      forgotten.push(path)
    }
  })

/** The same, as if all explicit metadata had changed since. */
const disbelieved = (filed: ReadonlyMap<string, FileFacts>): ReadonlyMap<string, FileFacts> =>
  new Map([...filed].map(([path, facts]) => [path, facts.segmentId === "" ? { ...facts, size: -1 } : facts]))

const isAsBefore = (before: FileFacts | undefined, now: Disk.Facts | undefined): boolean =>
  now === undefined ? before === undefined : before !== undefined && Disk.isSame(before, now)

/** What fits no file that there is, nor that there is none. */
const doubted = (path: string, threadId = ""): FileFacts => factsOf(path, threadId, { inode: 0, mtimeMs: 0, size: -1 })

const factsOf = (
  path: string,
  threadId: string,
  { inode, mtimeMs, size }: Pick<Disk.Facts, "inode" | "mtimeMs" | "size">
): FileFacts => ({
  path,
  size,
  mtimeMs,
  inode,
  threadId,
  segmentId: "",
  historyMode: "",
  base: undefined
})

const everything: RowQuery = {
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
  relation: undefined,
  metadata: {},
  hidden: true
}

/**
 * Every row that is suspect or whose name may have changed. The rows alone do not say how far they reach, so each is asked
 * for that.
 */
const allRows = (
  { columns, index }: Parts,
  isSuspect: (threadId: string) => boolean
): Effect.Effect<ReadonlyArray<IndexedRow>, StoreUnavailable> =>
  Effect.gen(function* () {
    const rows = yield* index.rows(everything)
    const names = yield* columns.names.entries.pipe(
      Effect.mapError(Disk.unavailable("explicit metadata", columns.names.path))
    )
    const mayDiffer = ({ explicit, threadId }: ThreadRow): boolean =>
      isSuspect(threadId) || (explicit.name ?? "") !== (names.get(threadId)?.name ?? "")
    const found: Array<IndexedRow> = []
    for (const row of rows) {
      const indexed = mayDiffer(row) ? yield* index.row(row.threadId) : undefined
      if (indexed !== undefined) found.push(indexed)
    }
    return found
  })

const rowsOf = (
  { index }: Parts,
  threads: ReadonlySet<string>
): Effect.Effect<ReadonlyArray<IndexedRow>, StoreUnavailable> =>
  Effect.gen(function* () {
    const found: Array<IndexedRow> = []
    for (const threadId of threads) {
      const indexed = yield* index.row(threadId)
      if (indexed !== undefined) found.push(indexed)
    }
    return found
  })

/** Both are plain JSON made by one function, so equal ones have their keys in the same order but for parts set by hand. */
const isEqual = (left: Explicit, right: Explicit): boolean => JSON.stringify(left) === JSON.stringify(right)
