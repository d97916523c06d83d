/**
 * What an adapter writes: the storage of threads as rows of bytes, without policy and without types of records.
 *
 * Everything else of {@link ThreadStore} is derived from it once, in this package. A driver keeps the lines of segments
 * in order, a row for each thread, and the right to append; it guarantees atomicity, durability and one writer. It never
 * looks into a line.
 */
import type { Effect, Either, Scope } from "effect"
import type { Capabilities } from "./Capabilities.js"
import type { Derived } from "./Derived.js"
import type { EffectiveLog } from "./EffectiveLog.js"
import type { LineSource } from "./LineSource.js"
import type { Position } from "./Position.js"
import type {
  AppendError,
  InvalidRequest,
  LeaseHeld,
  ReadError,
  StoreUnavailable,
  ThreadAlreadyExists,
  ThreadNotFound
} from "./StoreError.js"
import type { Explicit, ThreadRow } from "./Summary.js"
import type { RowQuery } from "./SummaryQuery.js"

/** Where a thread stands. */
export interface Located {
  readonly threadId: string
  /** As its first header says. */
  readonly historyMode: string
  /** Milliseconds since 1970. */
  readonly archivedAt: number | undefined
  /** The end of the log: the last committed batch. */
  readonly head: Position
  /** The ordinal of the next record; undefined for threads without ordinals. */
  readonly nextOrdinal: number | undefined
}

/** Lines that are to be written, without their line feeds, and what they do to what is derived. */
export interface Write {
  readonly lines: ReadonlyArray<Uint8Array>
  /** Pure. Drivers that keep derived state call it with the state in front of these lines, in the same transaction. */
  readonly derive: (before: Derived) => Derived
}

/**
 * A batch: told where it will stand, it says which lines it is, or why it can't stand there. Pure and repeatable: a
 * driver whose transaction has to be tried again asks again. No lines: nothing is to be written.
 */
export type Batch = (at: Located) => Either.Either<Write, AppendError>

/** What is to be appended. */
export interface AppendRequest {
  readonly threadId: string
  /** Where the log has to end for it. `any`: wherever it ends. */
  readonly expected: Position | "any"
  /** The fence of the lease that the caller holds; undefined for one that holds none. */
  readonly fence: number | undefined
  /** One after the other, all or none of them. */
  readonly batches: ReadonlyArray<Batch>
}

/** A new segment. Its content includes its header. */
export interface NewSegment {
  readonly segmentId: string
  /**
   * What it stands on: the end of a record of another segment. It need not be there (a copy of a damaged thread): then
   * `open` says so in a diagnostic.
   */
  readonly base: Position | undefined
  readonly content: LineSource<ReadError>
  /** The ordinal that follows its content; undefined for threads without ordinals. */
  readonly nextOrdinal: number | undefined
  /** When it was made, in milliseconds since 1970: part of a file's name. */
  readonly madeAt: number
}

/** A segment as it is stored, whole: also what the thread's log no longer counts. */
export interface StoredSegment {
  readonly segmentId: string
  /** What it says that it stands on, whether that is there or not. */
  readonly base: Position | undefined
  readonly source: LineSource<ReadError>
  readonly madeAt: number
}

/** A new thread. */
export interface NewThread {
  readonly threadId: string
  readonly historyMode: string
  readonly segment: NewSegment
  /**
   * Of a fork, the thread that the segment's base was read from: a driver that can tell that it was deleted meanwhile, and
   * took the base along, fails with `ThreadNotFound` of it.
   */
  readonly forkOf?: string | undefined
  /** Derived state at the end of the segment; undefined where it has still to be folded. */
  readonly derived: Derived | undefined
  readonly explicit: Explicit
  readonly archivedAt: number | undefined
}

/** A thread whose derived state is behind its log. */
export interface Lagging {
  readonly threadId: string
  /** What was derived so far, and up to where; undefined: nothing. */
  readonly from: { readonly derived: Derived; readonly reached: Position } | undefined
}

/** What a deletion came to. */
export interface Removal {
  /** Segments that stay since other threads stand on them, and which threads. */
  readonly kept: ReadonlyArray<{ readonly segmentId: string; readonly for: ReadonlyArray<string> }>
}

/** The right to append to a thread, for a time. */
export interface HeldLease {
  /** Grows with every lease of the thread. */
  readonly fence: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** Prolongs it by its time; gives the new end. */
  readonly renew: Effect.Effect<number, LeaseHeld | StoreUnavailable>
  /** Gives it back; nothing happens when somebody took it over. */
  readonly release: Effect.Effect<void, StoreUnavailable>
}

/** What is asked of a lease. */
export interface LeaseRequest {
  readonly threadId: string
  /** Words for people: who holds it. */
  readonly name: string
  /** Milliseconds after which it ends unless it is renewed. */
  readonly time: number
}

/** A view that was stored, with the place in the log that it reached. */
export interface StoredViewRow {
  readonly reached: Position
  /** JSON of a `StoredView`. */
  readonly view: string
}

/** A store as its adapter writes it. Costs are those of a thread of any length unless said otherwise. */
export interface Driver {
  /** Names the adapter in spans and messages; nobody branches on it. */
  readonly name: string
  readonly supports: Capabilities
  /**
   * Whether the lines of a batch have to say themselves that they belong together, since a crash may leave some of them
   * (design §7). The typed store then marks them with `skein.b`.
   */
  readonly marksBatches: boolean

  /** Atomic: the thread with its first segment, or nothing. Gives the end. Cost: linear in the content. */
  readonly create: (thread: NewThread) => Effect.Effect<Position, ThreadAlreadyExists | ReadError>

  /** Where a thread stands. Reads no more than its row or its end. */
  readonly locate: (threadId: string) => Effect.Effect<Located, ThreadNotFound | InvalidRequest | StoreUnavailable>

  /**
   * Appends all batches or none; durable at the store's level when it returns. Gives the position behind each batch. A
   * thread that another holder has a live lease on fails with `LeaseHeld`, as does a fence that was superseded.
   */
  readonly append: (request: AppendRequest) => Effect.Effect<ReadonlyArray<Position>, AppendError>

  /**
   * Lets a thread go on in a new segment (revert; further segments of an import): atomic. `expected` is the head that the
   * caller saw. What was derived is to be derived again. `InvalidRequest` when there is a segment of this id already.
   */
  readonly branch: (
    threadId: string,
    segment: NewSegment,
    options: { readonly expected: Position; readonly fence: number | undefined }
  ) => Effect.Effect<Position, AppendError>

  /**
   * The effective log for as long as the scope lasts: a snapshot, so that what is appended meanwhile is not part of it.
   * Never fails for a damaged line.
   */
  readonly open: (threadId: string) => Effect.Effect<EffectiveLog<ReadError>, ReadError, Scope.Scope>

  /** All segments of a thread in the order of their making, also those that its log no longer counts; for copies. */
  readonly segments: (threadId: string) => Effect.Effect<ReadonlyArray<StoredSegment>, ReadError, Scope.Scope>

  /** The row of a thread, derived state as far as it goes. */
  readonly row: (threadId: string) => Effect.Effect<ThreadRow, ThreadNotFound | InvalidRequest | StoreUnavailable>

  /** The rows of a page, in order, `limit` at most. Has to agree with `SummaryQuery.select` over all rows. */
  readonly rows: (query: RowQuery) => Effect.Effect<ReadonlyArray<ThreadRow>, StoreUnavailable>

  /** Threads whose derived state has to be caught up before a list is true; `threadId` narrows it to one. */
  readonly lagging: (threadId?: string) => Effect.Effect<ReadonlyArray<Lagging>, StoreUnavailable>

  /** Keeps derived state. Passed over when the thread is gone or has got further meanwhile. */
  readonly putDerived: (threadId: string, derived: Derived, reached: Position) => Effect.Effect<void, StoreUnavailable>

  /** Changes explicit metadata atomically; durable when it returns. `change` is pure and may be asked again. */
  readonly updateExplicit: (
    threadId: string,
    change: (explicit: Explicit) => Explicit
  ) => Effect.Effect<void, ThreadNotFound | InvalidRequest | StoreUnavailable>

  /**
   * Archives (`at` in milliseconds) or takes out of the archive (undefined). Needs no lease. Repeatable after a crash at
   * any step; a thread that is there already is left as it is.
   */
  readonly setArchived: (
    threadId: string,
    at: number | undefined
  ) => Effect.Effect<void, ThreadNotFound | InvalidRequest | StoreUnavailable>

  /** Removes one thread with all that is kept of it. Needs no lease. Repeatable after a crash at any step. */
  readonly remove: (threadId: string, shared: "keep" | "materialise" | "refuse") => Effect.Effect<Removal, ReadError>

  /** Takes the right to append, across processes. Fails with `LeaseHeld` while another one is live. */
  readonly lease: (
    request: LeaseRequest
  ) => Effect.Effect<HeldLease, LeaseHeld | ThreadNotFound | InvalidRequest | StoreUnavailable>

  /** Where views are kept between processes; a store that has no such place leaves it out. */
  readonly views?:
    | {
        readonly load: (threadId: string) => Effect.Effect<StoredViewRow | undefined, StoreUnavailable>
        readonly save: (threadId: string, row: StoredViewRow) => Effect.Effect<void, StoreUnavailable>
      }
    | undefined

  /** Copies the store to a path while it is used. */
  readonly backup?: ((path: string) => Effect.Effect<void, InvalidRequest | StoreUnavailable>) | undefined
}
