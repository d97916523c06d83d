/**
 * The threads of a host: started, resumed, forked, spawned, listed, and put away.
 *
 * What is opened belongs to the scope that opened it. A thread that is opened twice in one process is one live thread;
 * it is closed, and its right to write given back, when the last scope that holds it closes.
 */

import type * as Custom from "@skein/core/decide/Custom"
import type * as Fork from "@skein/core/decide/Fork"
import type { Turns as ForkTurns } from "@skein/core/decide/Fork"
import type * as NewThread from "@skein/core/decide/NewThread"
import type * as Fold from "@skein/core/fold/Fold"
import type { Turn as ShownTurn } from "@skein/core/fold/view/Turn"
import type { InvalidRequest, ReadError, StoreUnavailable } from "@skein/store/StoreError"
import type { Patch, Summary } from "@skein/store/Summary"
import type { Page, SummaryQuery } from "@skein/store/SummaryQuery"
import * as ThreadStore from "@skein/store/ThreadStore"
import { Context, Effect, Layer, type Queue, type Scope, type Stream } from "effect"
import type { Chat } from "./Chat.js"
import type { CommandError, CreateError, EngineError, OpenError } from "./EngineError.js"
import * as Service from "./internal/Service.js"
import type { LiveThread } from "./LiveThread.js"
import type { At, Folded, Moment } from "./Moment.js"
import type { Notification, Status } from "./Notification.js"
import type { Options } from "./Options.js"
import type { TurnSettings } from "./Turn.js"

/** What a host says of a new thread. Everything has a neutral default: a support bot names its model, and no more. */
export interface StartOptions
  extends Pick<
    NewThread.Command,
    | "cwd"
    | "version"
    | "source"
    | "threadSource"
    | "modelProvider"
    | "dynamicTools"
    | "memoryMode"
    | "multiAgentVersion"
    | "git"
    | "capabilityRoots"
    | "historyMode"
  > {
  /** Default: a new UUIDv7. */
  readonly id?: string | undefined
  /** Settings of its first turn, model and all; they hold until a turn says otherwise. Kept while the thread is open. */
  readonly settings?: TurnSettings | undefined
  readonly instructions?: string | undefined
  readonly name?: string | undefined
  /** What the host keeps with it, such as tenant and user; lists filter by it. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** The service that the client names itself ({@link Options.originator}). */
  readonly serviceName?: string | undefined
  /** Whether it is stored nowhere. Default no. */
  readonly ephemeral?: boolean | undefined
}

/** How a fork is made. What is not said it has from its source. */
export interface ForkOptions extends Omit<StartOptions, "historyMode"> {
  /** Where it leaves its source. Default: at the end, as if a turn that runs were interrupted now. */
  readonly at?: Fork.At | undefined
}

/** How an agent starts another one. */
export interface SpawnOptions extends Omit<StartOptions, "ephemeral" | "historyMode" | "threadSource" | "source"> {
  /** Its name below its parent: `[a-z0-9_]+`. */
  readonly taskName: string
  /** How much of its parent's history it is given. Default `all`. */
  readonly turns?: ForkTurns | undefined
  readonly nickname?: string | undefined
  /** What it is for; one with the whole history has its parent's. */
  readonly role?: string | undefined
  /** Its first mail, which asks for a turn. */
  readonly message?: string | undefined
  readonly encrypted?: string | undefined
  /** Messages that told the parent who it is, and what tells the child. */
  readonly hints?:
    | { readonly parent?: ReadonlyArray<string> | undefined; readonly child?: string | undefined }
    | undefined
  /** The id of the call by which the model asked for it. */
  readonly callId?: string | undefined
}

/** A thread as it is shown without being opened. */
export interface Shown {
  readonly thread: Summary
  readonly status: Status
  /** Undefined unless they were asked for. */
  readonly turns: ReadonlyArray<ShownTurn> | undefined
}

/** A page of a search. */
export type Found = ThreadStore.FoundPage

/** The operations. Ids are UUIDs in any case; a missing thread is always `ThreadNotFound`. */
export interface ThreadsService {
  /** Starts a thread. Errors: `ThreadAlreadyExists`, `InvalidRequest`. */
  readonly start: (options?: StartOptions) => Effect.Effect<LiveThread, CreateError, Scope.Scope>

  /**
   * Opens a stored thread where it was left. Writes nothing: what has to be repaired is the head of its first append
   * (`LiveThread.pending`). Cost: its open context window, whatever its length.
   *
   * Errors: `LeaseHeld` while another process has it open, `InvalidRequest` for an archived one, `UnsupportedHistoryMode`.
   */
  readonly resume: (
    threadId: string,
    options?: { readonly settings?: TurnSettings | undefined }
  ) => Effect.Effect<LiveThread, OpenError, Scope.Scope>

  /**
   * A new thread that begins as another one is, up to a place. The source stays as it is. A fork of an ephemeral thread is
   * ephemeral. Cost: at the end, what the store says of forks; elsewhere the source is read.
   *
   * Errors: as {@link start}; `NotFound` for an unknown turn, `Conflict` for one that still runs.
   */
  readonly fork: (source: string, options?: ForkOptions) => Effect.Effect<LiveThread, CreateError, Scope.Scope>

  /**
   * Starts an agent below another one, and notes it in that one's turn. Cost: the parent's log, unless it inherits nothing.
   *
   * Errors: `InvalidRequest` for a bad name, `Conflict` for a path that is taken.
   */
  readonly spawn: (
    parent: LiveThread,
    options: SpawnOptions
  ) => Effect.Effect<LiveThread, CreateError | CommandError, Scope.Scope>

  /**
   * Makes a thread of a conversation that was held elsewhere: each message of the user begins a turn. All or nothing.
   * Errors: `InvalidRequest` for no messages, an unknown role, nothing said, no model.
   */
  readonly importMessages: (
    messages: ReadonlyArray<Chat>,
    options: StartOptions & { readonly settings: TurnSettings }
  ) => Effect.Effect<LiveThread, CreateError, Scope.Scope>

  /** A page of the threads that are stored. */
  readonly list: (query?: SummaryQuery) => Effect.Effect<Page<Summary>, InvalidRequest | StoreUnavailable>

  /** A thread without opening it, archived ones too. */
  readonly read: (
    threadId: string,
    options?: { readonly turns?: boolean | undefined }
  ) => Effect.Effect<Shown, ReadError>

  /** Threads in which somebody said something that holds the term. */
  readonly search: (
    term: string,
    query?: Omit<SummaryQuery, "searchTerm">
  ) => Effect.Effect<Found, InvalidRequest | StoreUnavailable>

  /**
   * Archives a thread and the agents below it; those that are open here are closed first. A descendant that cannot be
   * archived is left and told in `failures`. Gives the ids in the order in which they went.
   */
  readonly archive: (
    threadId: string,
    options?: { readonly subtree?: boolean | undefined }
  ) => Effect.Effect<
    {
      readonly archived: ReadonlyArray<string>
      readonly failures: ReadonlyArray<{ readonly threadId: string; readonly error: EngineError }>
    },
    ReadError
  >

  readonly unarchive: (threadId: string) => Effect.Effect<Summary, ReadError>

  /** Deletes a thread and the agents below it, children first; those that are open here are closed first. */
  readonly delete: (
    threadId: string,
    options?: ThreadStore.DeleteOptions
  ) => Effect.Effect<ThreadStore.Deleted, ReadError>

  /** Names a thread. Errors: `InvalidRequest` for a name without a letter. */
  readonly rename: (threadId: string, name: string) => Effect.Effect<Summary, ReadError>

  /** Changes what is kept with a thread beside its log: name, host metadata, git, memory mode. */
  readonly annotate: (threadId: string, patch: Patch) => Effect.Effect<Summary, ReadError>

  /** What a fold of the host comes to over a thread, at its end or an earlier place. Cost: the log up to there. */
  readonly fold: <S>(
    threadId: string,
    fold: Fold.Fold<S>,
    options?: { readonly at?: At | undefined }
  ) => Effect.Effect<Folded<S>, EngineError>

  /**
   * The host's own events of a thread, in order, older versions brought up to date. What cannot be read is told as such,
   * left out or an error, as the policy for the unknown says ({@link Options.unknown}). Cost: the log.
   */
  readonly customs: (
    threadId: string,
    options?: { readonly at?: At | undefined; readonly unknown?: Custom.Policy | undefined }
  ) => Effect.Effect<ReadonlyArray<Exclude<Custom.Read, { readonly _tag: "None" }>>, EngineError>

  /** What a thread was at a place of its log. */
  readonly stateAt: (threadId: string, at: At) => Effect.Effect<Moment, EngineError>

  /** The threads that are open in this process. */
  readonly loaded: Effect.Effect<ReadonlyArray<LiveThread>>

  /** What happens in all of them from when the stream is run. */
  readonly events: Stream.Stream<Notification>
  /** The same from when the effect is run, as a queue. */
  readonly subscribe: Effect.Effect<Queue.Dequeue<Notification>, never, Scope.Scope>
}

/** The threads of a host, as a service. */
export class Threads extends Context.Tag("@skein/engine/Threads")<Threads, ThreadsService>() {}

/** The service over the store that is there. What is still open when the scope closes is closed with it. */
export const make = (
  options: Options = {}
): Effect.Effect<ThreadsService, never, ThreadStore.ThreadStore | Scope.Scope> =>
  Effect.flatMap(ThreadStore.ThreadStore, (store) => Service.make(store, options))

/** The layer of it. */
export const layer = (options: Options = {}): Layer.Layer<Threads, never, ThreadStore.ThreadStore> =>
  Layer.scoped(Threads, make(options))
