/**
 * What a store of files remembers of them between its runs, so that it need not read what has not changed.
 *
 * A cache and nothing more: whoever uses it checks size, time and inode of a file before it believes what is said of
 * it, and everything in it can be made again from the files. So it may be dropped, and it is never copied.
 */
import { Context, Effect, Layer } from "effect"
import type { Position } from "./Position.js"
import type { StoreUnavailable } from "./StoreError.js"
import type { ThreadRow } from "./Summary.js"
import type { RowQuery } from "./SummaryQuery.js"
import * as SummaryQueries from "./SummaryQuery.js"

/** A file as it was when it was read, and what it said it is. */
export interface FileFacts {
  /** Where it lies, as its store names it; the key. */
  readonly path: string
  readonly size: number
  /** Milliseconds since 1970, with fractions where the system tells them. */
  readonly mtimeMs: number
  readonly inode: number
  readonly threadId: string
  readonly segmentId: string
  /** As its first header says. */
  readonly historyMode: string
  readonly base: Position | undefined
}

/** A thread's row, and the end of what it was derived from. */
export interface IndexedRow {
  readonly row: ThreadRow
  /** Undefined: nothing was derived so far. */
  readonly reached: Position | undefined
}

/** A change of the index: what goes, then what comes. All of it or nothing. */
export interface Change {
  readonly forgetFiles?: ReadonlyArray<string> | undefined
  /** By thread. */
  readonly forgetRows?: ReadonlyArray<string> | undefined
  /** In the place of what was known under their paths. */
  readonly files?: ReadonlyArray<FileFacts> | undefined
  /** In the place of what was known of their threads. */
  readonly rows?: ReadonlyArray<IndexedRow> | undefined
}

/** The index of one store of files. */
export interface Index {
  /** Everything that is known of files. Cost: linear in them, without the rows. */
  readonly files: Effect.Effect<ReadonlyArray<FileFacts>, StoreUnavailable>
  /** The files that say they are part of a thread. Cost: those files. */
  readonly filesOf: (threadId: string) => Effect.Effect<ReadonlyArray<FileFacts>, StoreUnavailable>
  readonly row: (threadId: string) => Effect.Effect<IndexedRow | undefined, StoreUnavailable>
  /** A page of the rows that are known; agrees with `SummaryQuery.select` over them. */
  readonly rows: (query: RowQuery) => Effect.Effect<ReadonlyArray<ThreadRow>, StoreUnavailable>
  readonly change: (change: Change) => Effect.Effect<void, StoreUnavailable>
}

/** The index that a store of files is given. */
export class ThreadIndex extends Context.Tag("@skein/store/ThreadIndex")<ThreadIndex, Index>() {}

/** An index in memory, empty at first. */
export const memory: Effect.Effect<Index> = Effect.sync(() => {
  const files = new Map<string, FileFacts>()
  const byThread = new Map<string, Map<string, FileFacts>>()
  const rows = new Map<string, IndexedRow>()
  const forget = (path: string): void => {
    const known = files.get(path)
    if (known === undefined) return
    files.delete(path)
    const siblings = byThread.get(known.threadId)
    siblings?.delete(path)
    if (siblings?.size === 0) byThread.delete(known.threadId)
  }
  const put = (facts: FileFacts): void => {
    forget(facts.path)
    files.set(facts.path, facts)
    const siblings = byThread.get(facts.threadId)
    if (siblings === undefined) byThread.set(facts.threadId, new Map([[facts.path, facts]]))
    else siblings.set(facts.path, facts)
  }
  return {
    files: Effect.sync(() => [...files.values()]),
    filesOf: (threadId) => Effect.sync(() => [...(byThread.get(threadId)?.values() ?? [])]),
    row: (threadId) => Effect.sync(() => rows.get(threadId)),
    rows: (query) => Effect.sync(() => SummaryQueries.select(rowsOf(rows.values()), query)),
    change: (change) =>
      Effect.sync(() => {
        for (const path of change.forgetFiles ?? []) forget(path)
        for (const threadId of change.forgetRows ?? []) rows.delete(threadId)
        for (const facts of change.files ?? []) put(facts)
        for (const indexed of change.rows ?? []) rows.set(indexed.row.threadId, indexed)
      })
  }
})

function* rowsOf(indexed: Iterable<IndexedRow>): Generator<ThreadRow> {
  for (const { row } of indexed) yield row
}

/** {@link memory} as a layer. */
export const layerMemory: Layer.Layer<ThreadIndex> = Layer.effect(ThreadIndex, memory)
