/**
 * The threads of a host that has promises: everything that `@skein/engine` offers, without Effect.
 *
 * What is opened is closed with what it was opened by: turns with their thread, threads with their Skein. What an
 * operation fails with is rejected as it is, an instance of a class of `DecisionError`, `StoreError` or `EngineError`.
 */
import type * as Fold from "@skein/core/fold/Fold"
import type { Chat } from "@skein/engine/Chat"
import type { LiveThread } from "@skein/engine/LiveThread"
import type { At, Folded } from "@skein/engine/Moment"
import type { Notification } from "@skein/engine/Notification"
import type { Options } from "@skein/engine/Options"
import * as Threads from "@skein/engine/Threads"
import type { TurnSettings } from "@skein/engine/Turn"
import type { Position } from "@skein/store/Position"
import { InvalidRequest } from "@skein/store/StoreError"
import type { Summary } from "@skein/store/Summary"
import type { Page, SummaryQuery } from "@skein/store/SummaryQuery"
import * as ThreadStore from "@skein/store/ThreadStore"
import {
  Cause,
  Chunk,
  Context,
  Data,
  Effect,
  ExecutionStrategy,
  Exit,
  Layer,
  Option,
  Schedule,
  Scope,
  Stream
} from "effect"
import * as Events from "./internal/Events.js"
import type { Runner, RunOptions } from "./internal/Runner.js"
import * as Runners from "./internal/Runner.js"
import * as Stores from "./internal/Stores.js"
import type { Promised, Waiting } from "./Promised.js"
import type { Thread } from "./Thread.js"
import * as ThreadHandles from "./Thread.js"

/** This Skein was closed. Open another one to go on. */
export class SkeinClosed extends Data.TaggedError("SkeinClosed")<{ readonly operation: string }> {
  override get message(): string {
    return `${this.operation}: this Skein is closed. Open another one to go on.`
  }
}

/** Where the threads are, and what a host says once for all of them. */
export interface OpenOptions extends Options {
  /**
   * `sqlite:<file>`, `fs:<folder>` (a Codex home) or `memory:`, as `skein --store` takes them; file and folder are made
   * when they are not there. Or the layer of a store of one's own.
   */
  readonly store: string | Layer.Layer<ThreadStore.ThreadStore, unknown>
}

/** How a thread is opened. */
export interface ResumeOptions extends Waiting {
  /** Settings of its next turn, as far as that does not say its own. */
  readonly settings?: TurnSettings | undefined
  /**
   * How long to wait for a thread that another process has open, in milliseconds. Default: not at all. Where a store
   * cannot tell that a process died, its right to write runs out in the time of the lease: 10 seconds unless said else.
   */
  readonly patience?: number | undefined
}

type Service = Threads.ThreadsService

/** The threads. */
export interface Skein
  extends Promised<
      Omit<
        Service,
        | "start"
        | "resume"
        | "fork"
        | "spawn"
        | "importMessages"
        | "list"
        | "search"
        | "fold"
        | "loaded"
        | "events"
        | "subscribe"
      >
    >,
    AsyncDisposable {
  /** Starts a thread. Errors: `ThreadAlreadyExists`, `InvalidRequest`. */
  readonly start: (options?: Threads.StartOptions) => Promise<Thread>

  /**
   * Opens a stored thread where it was left; writes nothing. Errors: `LeaseHeld` while another process has it open,
   * `InvalidRequest` for an archived one, `ThreadNotFound`, `UnsupportedHistoryMode`.
   */
  readonly resume: (threadId: string, options?: ResumeOptions) => Promise<Thread>

  /** A new thread that begins as another one is, up to a place. Errors: as {@link start}; `NotFound`, `Conflict`. */
  readonly fork: (source: string, options?: Threads.ForkOptions) => Promise<Thread>

  /** Starts an agent below another one. Errors: `InvalidRequest` for a bad name, `Conflict` for a path that is taken. */
  readonly spawn: (parent: Thread, options: Threads.SpawnOptions) => Promise<Thread>

  /** Makes a thread of a conversation that was held elsewhere. All or nothing. Errors: `InvalidRequest`. */
  readonly importMessages: (
    messages: ReadonlyArray<Chat>,
    options: Threads.StartOptions & { readonly settings: TurnSettings }
  ) => Promise<Thread>

  /** The threads that are stored, from the cursor of the query on, page after page; memory: one page. */
  readonly list: (query?: SummaryQuery, waiting?: Waiting) => AsyncIterable<Summary>
  /** One page of them, with the cursor of the next. */
  readonly listPage: (query?: SummaryQuery) => Promise<Page<Summary>>

  /**
   * Threads in which somebody said something that holds the term, page after page. A thread that could not be looked
   * through is left out here and told in `failures` of {@link searchPage}.
   */
  readonly search: (
    term: string,
    query?: Omit<SummaryQuery, "searchTerm">,
    waiting?: Waiting
  ) => AsyncIterable<ThreadStore.Found>
  /** One page of them, with what could not be looked through. */
  readonly searchPage: (term: string, query?: Omit<SummaryQuery, "searchTerm">) => Promise<Threads.Found>

  /** The lines of a stored thread in order, unreadable ones as values. Memory: one page and the longest line. */
  readonly records: (
    threadId: string,
    range?: ThreadStore.ReadRange,
    waiting?: Waiting
  ) => AsyncIterable<ThreadStore.Row>

  /** The lines behind a position, then what is appended, by whom ever; without end until it is left. */
  readonly follow: (threadId: string, after?: Position, waiting?: Waiting) => AsyncIterable<ThreadStore.Followed>

  /** What a fold comes to over a thread, at its end or an earlier place. Cost: the log up to there. */
  readonly fold: <S>(
    threadId: string,
    fold: Fold.Fold<S>,
    options?: { readonly at?: At | undefined }
  ) => Promise<Folded<S>>

  /** Handles of the threads that are open in this process; closing one of these lets go of the handle only. */
  readonly loaded: () => Promise<ReadonlyArray<Thread>>

  /** What happens in all threads from this call on, whenever it is iterated; it ends when this is closed. */
  readonly events: (waiting?: Waiting) => AsyncIterable<Notification>

  /** Closes what is open: turns that run are ended as interrupted, rights to write given back, the store let go of. */
  readonly close: () => Promise<void>
}

/**
 * Opens the threads of a store. Errors: `InvalidRequest` for a word that names no store, `StoreUnavailable` for one that
 * cannot be opened.
 *
 * @example
 * const skein = await openSkein({ store: "sqlite:threads.db" })
 */
export const openSkein = async ({ store, ...options }: OpenOptions): Promise<Skein> => {
  const scope = Effect.runSync(Scope.make(ExecutionStrategy.sequential))
  const opening = Stores.layer(store).pipe(
    Effect.map((layer) => Layer.provideMerge(Threads.layer(options), layer)),
    Effect.flatMap(Layer.toRuntime),
    Scope.extend(scope)
  )
  const exit = await Effect.runPromiseExit(opening)
  if (Exit.isFailure(exit)) {
    await Effect.runPromise(Scope.close(scope, exit))
    throw Cause.squash(exit.cause)
  }
  const runtime = exit.value
  const runner = Runners.make(runtime, scope, (operation) => new SkeinClosed({ operation }))
  return make(
    Context.get(runtime.context, Threads.Threads),
    Context.get(runtime.context, ThreadStore.ThreadStore),
    runner
  )
}

const make = (threads: Service, store: ThreadStore.ThreadStoreService, runner: Runner): Skein => {
  /** Opens a thread whose id is known only when it is open. */
  const open = async <E>(
    operation: string,
    opening: Effect.Effect<LiveThread, E, Scope.Scope>,
    options?: RunOptions
  ): Promise<Thread> => {
    if (runner.isClosed()) throw new SkeinClosed({ operation })
    let id = ""
    const own = runner.fork((refused) => ThreadHandles.refusing(id)(refused))
    try {
      const live = await runner.run(operation, Scope.extend(opening, own.scope), options)
      id = live.id
      return ThreadHandles.make(live, own)
    } catch (error) {
      await own.close()
      throw error
    }
  }

  const { subscribe: _, ...derived } = Runners.promised(threads, runner)
  return {
    ...derived,
    start: (options) => open("start", threads.start(options)),
    resume: (threadId, { patience = 0, settings, signal } = {}) => {
      const resumed = threads.resume(threadId, { settings })
      const retried = Effect.retry(resumed, {
        while: ({ _tag }) => _tag === "LeaseHeld",
        schedule: Schedule.spaced("100 millis").pipe(Schedule.upTo(patience))
      })
      return open("resume", patience > 0 ? retried : resumed, { signal, waits: true })
    },
    fork: (source, options) => open("fork", threads.fork(source, options)),
    spawn: (parent, options) => {
      const live = ThreadHandles.liveOf(parent)
      return open("spawn", live === undefined ? Effect.fail(noThread) : threads.spawn(live, options))
    },
    importMessages: (messages, options) => open("importMessages", threads.importMessages(messages, options)),
    list: (query, waiting) =>
      runner.iterate(
        "list",
        paged(query?.cursor, (cursor) => threads.list({ ...query, cursor })),
        waiting
      ),
    listPage: (query) => runner.run("list", threads.list(query)),
    search: (term, query, waiting) =>
      runner.iterate(
        "search",
        paged(query?.cursor, (cursor) => threads.search(term, { ...query, cursor })),
        waiting
      ),
    searchPage: (term, query) => runner.run("search", threads.search(term, query)),
    records: (threadId, range, waiting) => runner.iterate("records", store.read(threadId, range), waiting),
    follow: (threadId, after, waiting) =>
      runner.iterate("follow", store.follow(threadId, after), { ...waiting, follows: true }),
    fold: (threadId, fold, options) => runner.run("fold", threads.fold(threadId, fold, options)),
    loaded: async () => {
      const all = await runner.run("loaded", threads.loaded)
      return all.map((live) => ThreadHandles.make(live, runner.fork(ThreadHandles.refusing(live.id))))
    },
    events: (waiting = {}) => Events.fromNow(threads.subscribe, runner, waiting, () => false),
    close: runner.close,
    [Symbol.asyncDispose]: runner.close
  }
}

const noThread = new InvalidRequest({
  field: "parent",
  reason: "it is no thread of this package",
  advice: "Give what start, resume, fork or spawn gave."
})

/** All items of a list that is given page by page. */
const paged = <A, E>(
  from: string | undefined,
  page: (cursor: string | undefined) => Effect.Effect<Page<A>, E>
): Stream.Stream<A, E> =>
  Stream.paginateChunkEffect(from, (cursor) =>
    Effect.map(page(cursor), ({ items, nextCursor }) => [Chunk.fromIterable(items), Option.fromNullable(nextCursor)])
  )
