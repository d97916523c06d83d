/** Puts the operations of `Threads` together over a store. */
import * as Agents from "@skein/core/decide/Agents"
import * as Custom from "@skein/core/decide/Custom"
import * as Fold from "@skein/core/fold/Fold"
import type { Turn } from "@skein/core/fold/view/Turn"
import * as Turns from "@skein/core/fold/view/Turn"
import * as Mark from "@skein/core/record/Mark"
import type { StoredRecord } from "@skein/core/record/Record"
import { InvalidRequest, type ReadError } from "@skein/store/StoreError"
import type { Summary } from "@skein/store/Summary"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import type { Lease, ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Either, Scope, Stream } from "effect"
import { type EngineError, type OpenError, ThreadClosed } from "../EngineError.js"
import type { LiveThread } from "../LiveThread.js"
import * as Moments from "../Moment.js"
import type { Notification } from "../Notification.js"
import type { Options } from "../Options.js"
import type { ThreadsService } from "../Threads.js"
import type { TurnSettings } from "../Turn.js"
import * as Facts from "./Facts.js"
import type { Family } from "./Family.js"
import * as Families from "./Family.js"
import * as Homesteads from "./Homes.js"
import * as Hubs from "./Hub.js"
import type { Live } from "./Live.js"
import * as Lives from "./Live.js"
import * as Making from "./Making.js"
import * as Meters from "./Meter.js"
import * as Notices from "./Notices.js"
import * as Plans from "./Plan.js"
import * as Registries from "./Registry.js"
import * as ThreadHandle from "./ThreadHandle.js"

/** What is loaded of a thread. */
interface Loaded {
  readonly live: Live
  readonly handle: LiveThread
}

/** The service over a store. */
export const make = (store: ThreadStoreService, host: Options): Effect.Effect<ThreadsService, never, Scope.Scope> =>
  Effect.gen(function* () {
    const hub = Hubs.make(host.capacity)
    const homes = yield* Homesteads.make(store)
    /** Settings that a thread was opened with, for its first turn. */
    const given = new Map<string, TurnSettings>()
    const family: Family = { all: () => registry.all().map(({ live }) => live) }

    const open = (id: string): Effect.Effect<Loaded, OpenError, Scope.Scope> =>
      Effect.gen(function* () {
        const home = homes.of(id)
        const ephemeral = homes.isEphemeral(id)
        if (ephemeral) yield* Effect.addFinalizer(() => homes.letGo(id))
        const scope = yield* Effect.scope
        const take = Effect.gen(function* () {
          const taken = yield* home.lease(id, host.lease)
          yield* taken.lost.pipe(
            Effect.flatMap(({ message }) =>
              taken === lease ? hub.publish([{ type: "thread/leaseLost", threadId: id, message }]) : Effect.void
            ),
            Effect.forkScoped
          )
          return taken
          // What prolongs it has to end with it, also when it is taken where nothing may be interrupted.
        }).pipe(Scope.extend(scope), Effect.interruptible)
        let lease: Lease = yield* take
        const right = {
          lease: () => lease,
          retake: Effect.map(take, (taken) => {
            lease = taken
          })
        }
        const meter = Meters.make(id)
        const live = yield* Lives.make({ id, store: home, options: host, hub, right, meter, settings: given.get(id) })
        yield* Effect.addFinalizer(() => live.close)
        const { tokenInfo } = live.context()
        if (tokenInfo !== undefined) yield* hub.publish([Notices.usage(id, undefined, tokenInfo)])
        return { live, handle: ThreadHandle.make(live, { hub, family, ephemeral }) }
      })
    const registry = yield* Registries.make(open)

    const span =
      (operation: string, threadId?: string) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
        Meters.observed(`Threads.${operation}`, threadId, effect)

    /** Opens a thread; settings count only if it was not open. */
    const opened = (
      id: string,
      settings: TurnSettings | undefined
    ): Effect.Effect<LiveThread, OpenError, Scope.Scope> =>
      Effect.suspend(() => {
        if (settings !== undefined && registry.peek(id) === undefined) given.set(id, settings)
        return Effect.map(registry.get(id), ({ handle }) => handle).pipe(
          Effect.ensuring(Effect.sync(() => given.delete(id)))
        )
      })

    /** Opens a thread that was just made, and says so. */
    const begun = (id: string, settings: TurnSettings | undefined) =>
      Effect.gen(function* () {
        const thread = yield* opened(id, settings).pipe(
          Effect.onError(() => (homes.isEphemeral(id) ? homes.letGo(id) : Effect.void))
        )
        const summary = yield* homes.of(id).summary(id)
        yield* hub.publish([{ type: "thread/started", threadId: id, thread: summary }])
        return thread
      })

    /** Refuses what is done to stored threads only. */
    const stored = (threadId: string, operation: string): Effect.Effect<string, InvalidRequest> =>
      Effect.flatMap(SummaryQuery.threadId(threadId), (id) =>
        homes.isEphemeral(id)
          ? Effect.fail(
              new InvalidRequest({
                field: "threadId",
                reason: `thread ${id} is kept nowhere, so there is nothing to ${operation}`,
                advice: "Close it."
              })
            )
          : Effect.succeed(id)
      )

    const summaryOf = (id: string): Effect.Effect<Summary, ReadError> =>
      homes.of(id).summary(id, { includeArchived: true })

    /** The agents below a thread, deepest first. */
    const below = (id: string): Effect.Effect<ReadonlyArray<Summary>, ReadError> =>
      Effect.gen(function* () {
        const all: Array<Summary> = []
        let cursor: string | undefined
        do {
          const page = yield* store.summaries({ descendantsOf: id, archived: "any", pageSize: 1000, cursor })
          all.push(...page.items)
          cursor = page.nextCursor
        } while (cursor !== undefined)
        const parents = new Map(all.map((one) => [one.id, one.parentThreadId]))
        const depth = (one: string | undefined): number => {
          let levels = 0
          for (let at = one; at !== undefined && at !== id && levels <= all.length; at = parents.get(at)) levels++
          return levels
        }
        return all.sort((left, right) => depth(right.id) - depth(left.id) || (left.id < right.id ? -1 : 1))
      })

    const archive: ThreadsService["archive"] = (threadId, { subtree = true } = {}) =>
      Effect.gen(function* () {
        const id = yield* stored(threadId, "archive")
        const rest = subtree ? yield* below(id) : []
        yield* registry.evict(id)
        yield* store.archive(id)
        const archived = [id]
        const failures: Array<{ readonly threadId: string; readonly error: EngineError }> = []
        for (const child of rest) {
          if (child.archivedAt !== undefined) continue
          yield* registry.evict(child.id)
          const done = yield* Effect.either(store.archive(child.id))
          if (Either.isRight(done)) archived.push(child.id)
          else failures.push({ threadId: child.id, error: done.left })
        }
        yield* hub.publish(archived.map((one): Notification => ({ type: "thread/archived", threadId: one })))
        return { archived, failures }
      })

    const spawning = yield* Effect.makeSemaphore(1)
    const spawn: ThreadsService["spawn"] = (parent, options) =>
      Effect.gen(function* () {
        const live = registry.peek(parent.id)?.live
        if (live === undefined) {
          return yield* Effect.fail(new ThreadClosed({ threadId: parent.id, operation: "spawn" }))
        }
        // Two agents that are started at once do not get one path.
        const child = yield* spawning.withPermits(1)(
          Effect.gen(function* () {
            const agents = Families.living(family, live)
            const ids = new Map([...agents].map(([path, one]) => [path, one.id]))
            const { id } = yield* Making.spawn(homes, host, live, ids, Families.pathOf(live), options)
            return yield* begun(id, options.settings)
          })
        )
        const { callId, encrypted, message } = options
        const at = yield* Facts.now
        if (message !== undefined || encrypted !== undefined) {
          const content = encrypted === undefined ? (message ?? "") : ""
          yield* child.receive({ id: at.fresh, author: Families.pathOf(live), content, encrypted, triggerTurn: true })
        }
        yield* live.run("activity", (state, now) =>
          state.turn.active === undefined
            ? Either.right(Plans.drafts([]))
            : Either.map(
                Agents.activity(
                  { callId: callId ?? at.turnId, kind: "started", threadId: child.id, path: child.path },
                  state,
                  now
                ),
                Plans.drafts
              )
        )
        return child
      })

    const read: ThreadsService["read"] = (threadId, options = {}) =>
      Effect.gen(function* () {
        const id = yield* SummaryQuery.threadId(threadId)
        const thread = yield* summaryOf(id)
        const live = registry.peek(id)?.live
        const status = live?.status() ?? ({ type: "notLoaded" } as const)
        if (options.turns !== true) return { thread, status, turns: undefined }
        const turns: Array<Turn> = []
        let cursor: string | undefined
        do {
          const page = yield* homes.of(id).turns(id, {
            includeArchived: true,
            direction: "asc",
            pageSize: 1000,
            cursor
          })
          turns.push(...page.items)
          cursor = page.nextCursor
        } while (cursor !== undefined)
        return { thread, status, turns: status.type === "active" ? turns : turns.map(Turns.whenIdle) }
      })

    const folded = <S>(
      threadId: string,
      fold: Fold.Fold<S>,
      at: Moments.At | undefined
    ): Effect.Effect<Moments.Folded<S>, EngineError> =>
      Effect.scoped(
        Effect.gen(function* () {
          const id = yield* SummaryQuery.threadId(threadId)
          const log = yield* homes.of(id).open(id, { includeArchived: true })
          return yield* Moments.fold(log, fold, at)
        })
      )

    return {
      start: (options = {}) =>
        Making.start(homes, host, options).pipe(
          Effect.flatMap((id) => begun(id, options.settings)),
          span("start")
        ),
      resume: (threadId, options) =>
        Effect.flatMap(SummaryQuery.threadId(threadId), (id) => opened(id, options?.settings)).pipe(
          span("resume", threadId)
        ),
      fork: (source, options = {}) =>
        Effect.gen(function* () {
          const id = yield* Making.fork(homes, host, yield* SummaryQuery.threadId(source, "source"), options)
          return yield* begun(id, options.settings)
        }).pipe(span("fork", source)),
      spawn: (parent, options) => spawn(parent, options).pipe(span("spawn", parent.id)),
      importMessages: (messages, options) =>
        Making.imported(homes, host, messages, options).pipe(
          Effect.flatMap((id) => begun(id, undefined)),
          span("importMessages")
        ),
      list: (query) => store.summaries(query).pipe(span("list")),
      read: (threadId, options) => read(threadId, options).pipe(span("read", threadId)),
      search: (term, query) => store.search(term, query).pipe(span("search")),
      archive: (threadId, options) => archive(threadId, options).pipe(span("archive", threadId)),
      unarchive: (threadId) =>
        Effect.gen(function* () {
          const id = yield* stored(threadId, "unarchive")
          yield* store.unarchive(id)
          yield* hub.publish([{ type: "thread/unarchived", threadId: id }])
          return yield* store.summary(id)
        }).pipe(span("unarchive", threadId)),
      delete: (threadId, options) =>
        Effect.gen(function* () {
          const id = yield* stored(threadId, "delete")
          const all = options?.subtree === false ? [] : yield* below(id)
          for (const one of all) yield* registry.evict(one.id)
          yield* registry.evict(id)
          const done = yield* store.delete(id, options)
          yield* hub.publish(done.deleted.map((one): Notification => ({ type: "thread/deleted", threadId: one })))
          return done
        }).pipe(span("delete", threadId)),
      rename: (threadId, name) =>
        Effect.gen(function* () {
          const id = yield* SummaryQuery.threadId(threadId)
          if (name.trim() === "") {
            return yield* Effect.fail(
              new InvalidRequest({ field: "name", reason: "it has no letter", advice: "Give the thread a name." })
            )
          }
          const summary = yield* homes.of(id).updateSummary(id, { name })
          yield* hub.publish([{ type: "thread/name/updated", threadId: id, threadName: summary.name }])
          return summary
        }).pipe(span("rename", threadId)),
      annotate: (threadId, patch) =>
        Effect.gen(function* () {
          const id = yield* SummaryQuery.threadId(threadId)
          const summary = yield* homes.of(id).updateSummary(id, patch)
          if (patch.name !== undefined) {
            yield* hub.publish([{ type: "thread/name/updated", threadId: id, threadName: summary.name }])
          }
          return summary
        }).pipe(span("annotate", threadId)),
      fold: (threadId, fold, options) => folded(threadId, fold, options?.at).pipe(span("fold", threadId)),
      customs: (threadId, { at, unknown = host.unknown } = {}) =>
        Effect.gen(function* () {
          const found: Array<StoredRecord> = []
          const gather = Fold.make(found, (all, record) => {
            if (Mark.carried(record)?.kind === Custom.mark) all.push(record)
            return all
          })
          yield* folded(threadId, gather, at)
          const all: Array<Exclude<Custom.Read, { readonly _tag: "None" }>> = []
          for (const record of found) {
            const read = yield* Custom.read(host.customs ?? new Map(), record, unknown)
            if (read._tag !== "None") all.push(read)
          }
          return all
        }).pipe(span("customs", threadId)),
      stateAt: (threadId, at) =>
        Effect.scoped(
          Effect.gen(function* () {
            const id = yield* SummaryQuery.threadId(threadId)
            return yield* Moments.of(yield* homes.of(id).open(id, { includeArchived: true }), at, host)
          })
        ).pipe(span("stateAt", threadId)),
      loaded: Effect.sync(() => registry.all().map(({ handle }) => handle)),
      events: Stream.unwrapScoped(Effect.map(hub.subscribe(), (queue) => Stream.fromQueue(queue))),
      subscribe: hub.subscribe()
    }
  })
