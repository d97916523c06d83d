/** Where a thread stands: what the first and the last lines of its newest file say. */
import { canonicalUuid } from "@skein/core/record/Primitive"
import type { Located } from "@skein/store/Driver"
import type { LineSource } from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import {
  CorruptThread,
  InvalidRequest,
  type ReadError,
  StoreUnavailable,
  ThreadNotFound,
  UnsupportedHistoryMode
} from "@skein/store/StoreError"
import { Effect } from "effect"
import type { FileRefused } from "../FileError.js"
import * as RolloutFile from "../RolloutFile.js"
import * as Catalog from "./Catalog.js"
import type { AllColumns } from "./Columns.js"
import * as Disk from "./Disk.js"
import * as Header from "./Header.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Tail from "./Tail.js"

/** The beginning of a file, for whoever need not read it again. */
export interface Opening {
  readonly threadId: string | undefined
  readonly historyMode: string
  readonly base: Position | undefined
  /** Whether there is not a line in it that says anything: nobody ever wrote to the thread. */
  readonly isEmpty: boolean
}

/** What is said of a file whose beginning cannot be read. */
export const unread: Opening = { threadId: undefined, historyMode: "legacy", base: undefined, isEmpty: false }

/** A thread's newest file, and what it says. */
export interface Standing {
  readonly files: Catalog.ThreadFiles
  readonly facts: Disk.Facts
  readonly opening: Opening
  readonly tail: Tail.Tail
  readonly located: Located
}

/** Where the threads of a home stand. */
export interface Standings {
  /** Cost: the first and the last lines; two stats when nothing changed since. A compressed file is decoded. */
  readonly of: (threadId: string) => Effect.Effect<Standing, ThreadNotFound | InvalidRequest | StoreUnavailable>
  /**
   * The end of a thread's newest file. One that was made to end inside of a batch is not taken for one that was cut off
   * there.
   */
  readonly tail: <E>(
    file: Catalog.Rollout,
    source: LineSource<E>,
    ordinals: boolean
  ) => Effect.Effect<Tail.Tail, E | StoreUnavailable>
  /** Takes note that all of a file up to a place was written at once. Durable when it returns. */
  readonly seal: (threadId: string, position: Position) => Effect.Effect<void, StoreUnavailable>
  /** The beginning of a file. It never changes, so it is read once. */
  readonly opening: (path: string, facts: Disk.Facts) => Effect.Effect<Opening, FileRefused>
}

/** Threads that are remembered at most. */
const most = 4096

export const make = (home: Home, columns: AllColumns): Standings => {
  const known = new Map<string, Standing>()
  const openings = new Map<string, { readonly inode: number; readonly opening: Opening }>()

  const open = (path: string) =>
    RolloutFile.open(path, { ends: true, decodedLimit: home.decodedLimit }).pipe(Effect.provide(home.context))

  const openingOf = (path: string, facts: Disk.Facts, file: RolloutFile.RolloutFile) =>
    Effect.gen(function* () {
      const before = openings.get(path)
      if (before !== undefined && before.inode === facts.inode && !before.opening.isEmpty) return before.opening
      const header = yield* Header.read(RolloutFile.source(file))
      const opening: Opening = {
        threadId: header.meta === undefined ? undefined : canonicalUuid(header.meta.payload.id),
        historyMode: Header.historyMode(header),
        base: Header.base(header),
        isEmpty: header.isEmpty && file.damagedAt === undefined
      }
      openings.set(path, { inode: facts.inode, opening })
      return opening
    })

  const tailOf = <E>(file: Catalog.Rollout, source: LineSource<E>, ordinals: boolean) =>
    Effect.gen(function* () {
      const tail = yield* Tail.inspect(source, { ordinals })
      if (tail.state !== "unfinished") return tail
      const { sealed } = yield* columns.of(file.threadId)
      const committed = sealed?.segmentId === Catalog.segmentId(file) ? sealed.offset : 0
      return tail.end < committed ? yield* Tail.inspect(source, { ordinals, committed }) : tail
    })

  const read = (
    files: Catalog.ThreadFiles,
    facts: Disk.Facts
  ): Effect.Effect<Standing, FileRefused | StoreUnavailable> =>
    Effect.scoped(
      Effect.gen(function* () {
        const { head, threadId } = files
        const file = yield* open(head.path)
        const opening = yield* openingOf(head.path, facts, file)
        const ordinals = opening.historyMode === "paginated"
        const tail = yield* tailOf(head, RolloutFile.source(file), ordinals)
        const archivedAt = head.isArchived ? ((yield* columns.of(threadId)).archivedAt ?? facts.mtimeMs) : undefined
        const located: Located = {
          threadId,
          historyMode: opening.historyMode,
          archivedAt,
          head: Positions.make(Catalog.segmentId(head), tail.end),
          nextOrdinal: ordinals ? (tail.nextOrdinal ?? 0) : undefined
        }
        return { files, facts, opening, tail, located }
      })
    )

  const of = (
    threadId: string,
    left = 3
  ): Effect.Effect<Standing, ThreadNotFound | InvalidRequest | StoreUnavailable> =>
    Effect.gen(function* () {
      const { facts, files } = yield* Homes.find(home, threadId)
      const before = known.get(threadId)
      if (before !== undefined && before.files === files && Disk.isSame(before.facts, facts)) return before
      const standing = yield* Effect.either(read(files, facts))
      if (standing._tag === "Left") {
        const error = standing.left
        if (error._tag === "StoreUnavailable") return yield* Effect.fail(error)
        // Moved or compressed between the two looks.
        if (error.reason === "missing" && left > 0) {
          yield* home.catalog.walk
          return yield* of(threadId, left - 1)
        }
        return yield* Effect.fail(refused(threadId, error))
      }
      if (standing.right.opening.isEmpty) return yield* Effect.fail(new ThreadNotFound({ threadId }))
      if (known.size >= most) known.clear()
      known.set(threadId, standing.right)
      return standing.right
    })

  return {
    of,
    tail: tailOf,
    seal: (threadId, sealed) => columns.change(threadId, (before) => ({ ...before, sealed })),
    opening: (path, facts) =>
      Effect.suspend(() => {
        const before = openings.get(path)
        return before !== undefined && before.inode === facts.inode && !before.opening.isEmpty
          ? Effect.succeed(before.opening)
          : Effect.scoped(Effect.flatMap(open(path), (file) => openingOf(path, facts, file)))
      })
  }
}

/** What a file that was refused means where damage cannot be told: to whoever asks where a thread stands. */
const refused = (threadId: string, error: FileRefused): ThreadNotFound | InvalidRequest | StoreUnavailable => {
  const meaning = readError(threadId, error)
  return meaning._tag === "CorruptThread" || meaning._tag === "UnsupportedHistoryMode"
    ? new StoreUnavailable({
        operation: "finding a thread",
        reason: error.detail,
        advice: error.advice,
        retryable: false,
        paths: [error.path],
        cause: error
      })
    : meaning
}

/** What a file that was refused means to a reader of its thread. */
export const readError = (threadId: string, error: FileRefused): ReadError => {
  switch (error.reason) {
    case "missing":
    // A file that nobody has written to yet is no thread.
    case "empty":
      return new ThreadNotFound({ threadId })
    case "directory":
    case "not-a-file":
      return new InvalidRequest({ field: "threadId", reason: `${error.detail}: ${error.path}`, advice: error.advice })
    case "zstd-damaged":
    case "zstd-too-large":
      return new CorruptThread({ threadId, position: undefined, reason: `${error.detail} (${error.path})` })
    case "unknown-history-mode":
      return new UnsupportedHistoryMode({ threadId, historyMode: error.detail })
    default:
      return new StoreUnavailable({
        operation: "reading a thread",
        reason: error.detail,
        advice: error.advice,
        retryable: error.reason === "io",
        paths: [error.path],
        cause: error
      })
  }
}
