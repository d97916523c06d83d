/**
 * The store of threads: what hosts and engines use. Derived once from a small {@link Driver}, so that every adapter
 * keeps the same promises.
 */

import type { ThreadItem } from "@skein/core/fold/view/ThreadItem"
import type { ItemsView, Turn } from "@skein/core/fold/view/Turn"
import type { Decoded, Draft, StoredRecord } from "@skein/core/record/Record"
import { Context, type Duration, Effect, Layer, type Scope, type Stream } from "effect"
import type { Capabilities } from "./Capabilities.js"
import type { Match } from "./ContentSearch.js"
import type { Driver, Located, StoredSegment } from "./Driver.js"
import type { EffectiveLog } from "./EffectiveLog.js"
import * as Service from "./internal/Service.js"
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
import type { Explicit, Patch, Summary, ThreadRow } from "./Summary.js"
import type { Direction, Page, SummaryQuery } from "./SummaryQuery.js"

/** A line of a log as readers get it, and the position behind it. */
export interface Row {
  readonly position: Position
  /** A record, damage with place and reason, or a blank line. */
  readonly decoded: Decoded
}

/** What an append came to. */
export interface Appended {
  /** Behind the last record: what the next append expects. */
  readonly position: Position
  /** The records as they are stored, for folding; what the thread's mode does not keep is not among them. */
  readonly records: ReadonlyArray<StoredRecord>
}

/** How an append is done. */
export interface AppendOptions {
  /** Where the log has to end: `AppendConflict` if it does not. `any`: in order of arrival. Default `any`. */
  readonly expected?: Position | "any" | undefined
  /** The fence of the lease that the caller holds. */
  readonly fence?: number | undefined
  /**
   * Makes a retry safe: an append with the same id and the same expected position that has been done already is found
   * and succeeds without effect. Needs `expected`. At most 64 characters.
   */
  readonly operationId?: string | undefined
}

/** Whether archived threads are meant too; without it they are refused with `InvalidRequest`. */
export interface ReadOptions {
  readonly includeArchived?: boolean | undefined
}

/** Which part of a log is read, and from which end. */
export interface ReadRange extends ReadOptions {
  /** Behind which record it begins; read backward: where it ends. Default: everything. */
  readonly after?: Position | undefined
  readonly direction?: "forward" | "backward" | undefined
}

/** What a follower is told. */
export type Followed =
  | { readonly _tag: "Record"; readonly row: Row }
  /** Everything up to here was stored when the following began; what comes next is live. Told once per segment. */
  | { readonly _tag: "CaughtUp"; readonly position: Position | undefined }
  /**
   * The thread goes on in another segment. What was told behind `commonEnd` no longer counts; undefined: nothing of it
   * does, and everything is told again.
   */
  | { readonly _tag: "Switched"; readonly segmentId: string; readonly commonEnd: Position | undefined }

/** How a fork is made. */
export interface ForkOptions extends ReadOptions {
  /** Behind which record of the source it begins. Default: at its end. */
  readonly at?: Position | undefined
  /** The header of the new thread. Mode and base are filled in: a fork keeps its source's mode. */
  readonly header: Draft<"session_meta">
  readonly records?: ReadonlyArray<Draft> | undefined
}

/** How a thread is taken back to an earlier place. */
export interface RevertOptions {
  readonly to: Position
  /** When it happens; RFC 3339 in UTC. */
  readonly timestamp: string
  /** The first records of the new segment. */
  readonly records?: ReadonlyArray<Draft> | undefined
  /** Where the log has to end. Default: wherever it ends. */
  readonly expected?: Position | undefined
  readonly fence?: number | undefined
  /** Default: a new one. */
  readonly segmentId?: string | undefined
}

/** The right to append to a thread, held until the scope closes. */
export interface Lease {
  readonly threadId: string
  readonly fence: number
  /** Completes when it was lost: somebody took it over, or it could not be prolonged. Appends with it then fail. */
  readonly lost: Effect.Effect<LeaseHeld | StoreUnavailable>
}

/** How a lease is taken. */
export interface LeaseOptions {
  /** How long it outlives a holder that does not prolong it. Default 10 seconds; prolonged at a third of that. */
  readonly time?: Duration.DurationInput | undefined
  /** Words for people: who holds it. */
  readonly name?: string | undefined
}

/** A thread whose content was found, and where. */
export interface Found {
  readonly thread: Summary
  readonly snippet: string
}

/** A page of a search. */
export interface FoundPage extends Page<Found> {
  /** Threads that could not be searched; they never fail the page. */
  readonly failures: ReadonlyArray<{ readonly threadId: string; readonly error: ReadError }>
}

/** Which page of a thread's turns or items. */
export interface PageRequest extends ReadOptions {
  readonly cursor?: string | undefined
  /** Default 25. */
  readonly pageSize?: number | undefined
  /** Default: turns `desc`, items `asc`. */
  readonly direction?: Direction | undefined
}

/** Which turns. */
export interface TurnsRequest extends PageRequest {
  /** Default `full`. */
  readonly itemsView?: ItemsView | undefined
}

/** Which items. */
export interface ItemsRequest extends PageRequest {
  /** Only those of this turn. */
  readonly turnId?: string | undefined
}

/** An item and its turn. */
export interface TurnItem {
  readonly turnId: string
  readonly item: ThreadItem
}

/** Where a term occurs in what was shown: user messages and final answers. */
export interface Occurrence extends Match {
  readonly turnId: string
  readonly itemId: string
  /** A cursor of {@link ThreadStoreService.turns} that includes the turn. */
  readonly turnCursor: string
}

/** Which occurrences. */
export interface OccurrencesRequest extends ReadOptions {
  readonly searchTerm: string
  readonly cursor?: string | undefined
  readonly pageSize?: number | undefined
}

/** What becomes of what others stand on. */
export interface DeleteOptions {
  /** Default: what the store's capabilities say. */
  readonly shared?: "keep" | "materialise" | "refuse" | undefined
  /** Whether its descendants go with it, children first. Default true. */
  readonly subtree?: boolean | undefined
}

/** What a deletion came to. */
export interface Deleted {
  /** In the order in which they went. */
  readonly deleted: ReadonlyArray<string>
  /** Segments that stay for other threads. */
  readonly kept: ReadonlyArray<{ readonly segmentId: string; readonly for: ReadonlyArray<string> }>
}

/** A thread with all that a store keeps of it: what a copy takes. */
export interface Exported {
  readonly row: ThreadRow
  readonly segments: ReadonlyArray<StoredSegment>
}

/** How a thread is imported. */
export interface ImportOptions {
  /** Of how many segments, from the first on, the caller has seen that they are there already. Default 0. */
  readonly present?: number | undefined
}

/**
 * The operations. Every id is a UUID in any case; one that is none fails with `InvalidRequest`. A missing thread is
 * always `ThreadNotFound`. Costs do not depend on the length of a thread or the size of the store unless it is said.
 */
export interface ThreadStoreService {
  readonly supports: Capabilities

  /**
   * Makes a thread: its header and first records, all or nothing. The id is the header's; `ThreadAlreadyExists` if it is
   * taken. Cost: linear in the records.
   */
  readonly create: (
    header: Draft<"session_meta">,
    records?: ReadonlyArray<Draft>,
    options?: { readonly explicit?: Explicit | undefined }
  ) => Effect.Effect<Appended, ThreadAlreadyExists | AppendError>

  /**
   * Appends records: all or none, durable at the store's level when it returns. Appends of one caller keep their order;
   * those with `any` are committed in groups. Records that the thread's mode does not keep are left out (rollout-format
   * §6; legacy threads keep canonical items); when none is left nothing happens. Cost: linear in the records.
   */
  readonly append: (
    threadId: string,
    records: ReadonlyArray<Draft>,
    options?: AppendOptions
  ) => Effect.Effect<Appended, AppendError>

  /** Where a thread stands. */
  readonly head: (threadId: string, options?: ReadOptions) => Effect.Effect<Located, ReadError>

  /**
   * The log as it is now, for folds: read it with `EffectiveLog.forward` and `backward` while the scope lasts. Cost: its
   * last lines and the headers of its segments; reading costs what is read.
   */
  readonly open: (
    threadId: string,
    options?: ReadOptions
  ) => Effect.Effect<EffectiveLog<ReadError>, ReadError, Scope.Scope>

  /**
   * The lines of a log in order, unreadable ones as values. Memory: one page and the longest line. `InvalidRequest` for a
   * position that the log does not have.
   */
  readonly read: (threadId: string, range?: ReadRange) => Stream.Stream<Row, ReadError>

  /**
   * What is stored behind a position, then what is appended, as it becomes durable: no gap and no repeat, complete batches
   * only. A follower that is slow reads later, nothing is kept for it. Never ends by itself; fails with `ThreadNotFound`
   * when the thread is deleted.
   */
  readonly follow: (threadId: string, after?: Position, options?: ReadOptions) => Stream.Stream<Followed, ReadError>

  /**
   * A new thread that begins with what another one holds up to a record. Costs the same at any length where
   * `supports.sharedPrefixes` says so, else it copies. `InvalidRequest` for a place that is no end of a record of it.
   */
  readonly fork: (source: string, options: ForkOptions) => Effect.Effect<Appended, ThreadAlreadyExists | AppendError>

  /** Lets a thread go on from an earlier record; what is behind it stays stored and no longer counts. */
  readonly revert: (threadId: string, options: RevertOptions) => Effect.Effect<Appended, AppendError>

  /** One thread's row. */
  readonly summary: (threadId: string, options?: ReadOptions) => Effect.Effect<Summary, ReadError>

  /**
   * A page of the threads that a query lets pass. Threads changed by others since the last list are folded first: that
   * part costs what they grew by.
   */
  readonly summaries: (query?: SummaryQuery) => Effect.Effect<Page<Summary>, InvalidRequest | StoreUnavailable>

  /**
   * Threads in which a user or an agent said something that holds the term, letter case aside. Cost: linear in the bytes
   * of the threads looked at, each read once.
   */
  readonly search: (
    term: string,
    query?: Omit<SummaryQuery, "searchTerm">
  ) => Effect.Effect<FoundPage, InvalidRequest | StoreUnavailable>

  /** A page of a thread's turns, from its view. The first read folds the thread, later ones what was appended since. */
  readonly turns: (threadId: string, request?: TurnsRequest) => Effect.Effect<Page<Turn>, ReadError>

  /** A page of a thread's items, from its view. */
  readonly items: (threadId: string, request?: ItemsRequest) => Effect.Effect<Page<TurnItem>, ReadError>

  /** A page of the places where a term occurs in user messages and final answers. */
  readonly occurrences: (threadId: string, request: OccurrencesRequest) => Effect.Effect<Page<Occurrence>, ReadError>

  /** Changes explicit metadata; needs no lease. An empty patch reads. */
  readonly updateSummary: (threadId: string, patch: Patch) => Effect.Effect<Summary, ReadError>

  /** Moves a thread into the archive; `InvalidRequest` when it is there already. Its children stay where they are. */
  readonly archive: (threadId: string) => Effect.Effect<void, ThreadNotFound | InvalidRequest | StoreUnavailable>

  /** Takes a thread out of the archive; `InvalidRequest` when it is not in it. */
  readonly unarchive: (threadId: string) => Effect.Effect<void, ThreadNotFound | InvalidRequest | StoreUnavailable>

  /**
   * Deletes a thread and, unless said otherwise, its descendants: children first, so that a retry after a failure sees the
   * same tree. Cost: linear in the tree.
   */
  readonly delete: (threadId: string, options?: DeleteOptions) => Effect.Effect<Deleted, ReadError>

  /** Takes the right to append until the scope closes; `LeaseHeld` while somebody else has it. */
  readonly lease: (
    threadId: string,
    options?: LeaseOptions
  ) => Effect.Effect<Lease, LeaseHeld | ThreadNotFound | InvalidRequest | StoreUnavailable, Scope.Scope>

  /** A thread as it is stored, archived or not. */
  readonly exported: (threadId: string) => Effect.Effect<Exported, ReadError, Scope.Scope>

  /**
   * Stores a thread that another store exported, byte for byte. It comes segment by segment; one that was left when only
   * some had come is there with those, and goes on with `options.present`. Cost: linear in its bytes.
   */
  readonly imported: (
    thread: Exported,
    options?: ImportOptions
  ) => Effect.Effect<void, ThreadAlreadyExists | AppendError>

  /** Copies the store to a path while it is used; `InvalidRequest` where `supports.backup` is false. */
  readonly backup: (path: string) => Effect.Effect<void, InvalidRequest | StoreUnavailable>
}

/** The store of threads, as a service. */
export class ThreadStore extends Context.Tag("@skein/store/ThreadStore")<ThreadStore, ThreadStoreService>() {}

/** The store that a driver makes. Its background work ends with the scope. */
export const make: (driver: Driver) => Effect.Effect<ThreadStoreService, never, Scope.Scope> = Service.make

/** A layer of the store that a driver makes. */
export const layer = <E, R>(
  driver: Effect.Effect<Driver, E, R>
): Layer.Layer<ThreadStore, E, Exclude<R, Scope.Scope>> => Layer.scoped(ThreadStore, Effect.flatMap(driver, make))
