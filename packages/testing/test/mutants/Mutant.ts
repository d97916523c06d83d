import type { Batch, Driver, NewSegment } from "@skein/store/Driver"
import type { EffectiveLog } from "@skein/store/EffectiveLog"
import * as LineSource from "@skein/store/LineSource"
import type { ReadError } from "@skein/store/StoreError"
import type { ThreadRow } from "@skein/store/Summary"
import type * as SummaryQuery from "@skein/store/SummaryQuery"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Either } from "effect"

/** A store with something wrong. */
export interface Mutant {
  readonly name: string
  /** The cases that each have to fail for it. */
  readonly noticed: ReadonlyArray<string>
  /** Whether sequences at random (case 93) have to find it too. */
  readonly random?: boolean
  readonly driver?: (driver: Driver) => Driver
  readonly service?: (store: ThreadStoreService) => ThreadStoreService
}

export type Lines = ReadonlyArray<Uint8Array>

/** A batch whose lines are others than they should be. */
export const withLines =
  (change: (lines: Lines) => Lines) =>
  (batch: Batch): Batch =>
  (at) =>
    Either.map(batch(at), (write) => ({ ...write, lines: change(write.lines) }))

/** A driver that appends other lines than it is given. */
export const appending =
  (change: (lines: Lines) => Lines) =>
  (driver: Driver): Driver => ({
    ...driver,
    append: (request) => driver.append({ ...request, batches: request.batches.map(withLines(change)) })
  })

/** A driver that makes other segments than it is told to. */
export const making =
  (change: (segment: NewSegment) => NewSegment) =>
  (driver: Driver): Driver => ({
    ...driver,
    create: (thread) => driver.create({ ...thread, segment: change(thread.segment) }),
    branch: (threadId, segment, options) => driver.branch(threadId, change(segment), options)
  })

/** The lines of a segment, changed one by one; undefined drops a line. */
export const storing = (change: (bytes: Uint8Array) => Uint8Array | undefined) =>
  making((segment) => {
    const lines: Array<Uint8Array> = []
    Effect.runSync(
      Effect.ignore(
        segment.content.forward((line) => {
          const bytes = change(new Uint8Array(line.bytes))
          if (bytes !== undefined) lines.push(bytes)
          return true
        })
      )
    )
    return { ...segment, content: LineSource.ofLines(lines) }
  })

/** A driver whose logs are others than what is stored. */
export const opening =
  (change: (log: EffectiveLog<ReadError>, threadId: string) => EffectiveLog<ReadError>) =>
  (driver: Driver): Driver => ({
    ...driver,
    open: (threadId) => Effect.map(driver.open(threadId), (log) => change(log, threadId))
  })

/** A driver whose lists are others than they should be. */
export const listing =
  (change: (rows: ReadonlyArray<ThreadRow>, query: SummaryQuery.RowQuery) => ReadonlyArray<ThreadRow>) =>
  (driver: Driver): Driver => ({
    ...driver,
    rows: (query) => Effect.map(driver.rows(query), (rows) => change(rows, query))
  })

/** A driver that answers lists from all of its rows in a way of its own. */
export const selecting =
  (select: (rows: ReadonlyArray<ThreadRow>, query: SummaryQuery.RowQuery) => ReadonlyArray<ThreadRow>) =>
  (driver: Driver): Driver => ({
    ...driver,
    rows: (query) => Effect.map(driver.rows(everything), (rows) => select(rows, query))
  })

export const everything: SummaryQuery.RowQuery = {
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

export const toText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
export const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const asJson = (bytes: Uint8Array): Uint8Array => {
  try {
    return toBytes(JSON.stringify(JSON.parse(toText(bytes))))
  } catch {
    return bytes
  }
}

export const headOf = (driver: Driver, threadId: string) => Effect.map(driver.locate(threadId), ({ head }) => head)

/** Lines of a source that come in another way. */
export const reading = (
  log: EffectiveLog<ReadError>,
  change: (source: LineSource.LineSource<ReadError>) => LineSource.LineSource<ReadError>
): EffectiveLog<ReadError> => ({
  ...log,
  pieces: log.pieces.map((piece) => ({ ...piece, source: change(piece.source) }))
})
