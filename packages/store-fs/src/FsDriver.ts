/** The driver of threads in files, in the layout of Codex: what `FsStore` derives its store from. */
import type { FileSystem, Path } from "@effect/platform"
import type { Durability } from "@skein/store/Capabilities"
import type { Driver } from "@skein/store/Driver"
import { type InvalidRequest, type ReadError, StoreUnavailable, type ThreadNotFound } from "@skein/store/StoreError"
import type { Index } from "@skein/store/ThreadIndex"
import * as ThreadIndex from "@skein/store/ThreadIndex"
import { Effect, type Scope } from "effect"
import * as Append from "./internal/Append.js"
import * as Archive from "./internal/Archive.js"
import * as Disk from "./internal/Disk.js"
import type { Home } from "./internal/Home.js"
import * as Homes from "./internal/Home.js"
import * as Intents from "./internal/Intents.js"
import * as KeptLease from "./internal/KeptLease.js"
import * as Lane from "./internal/Lane.js"
import * as Logs from "./internal/Logs.js"
import * as Opened from "./internal/Opened.js"
import * as Recovery from "./internal/Recovery.js"
import * as Removal from "./internal/Removal.js"
import * as AllRows from "./internal/Rows.js"
import * as Segments from "./internal/Segments.js"

/** How a home is used as a store. */
export interface Options {
  /** The folder of `sessions` and `archived_sessions`; need not exist yet. */
  readonly home: string
  /** Default `fsync`. */
  readonly durability?: Exclude<Durability, "process"> | undefined
  /** What is remembered of the files between runs. Default: an index in memory. */
  readonly index?: Index | undefined
  /** Decoded bytes that a compressed file may come to. Default: 1 GiB. */
  readonly decodedLimit?: number | undefined
  /**
   * Whether what a crash left half done is finished when the store is opened. Without it opening and reading write
   * nothing; the next change of such a thread finishes it. Default true.
   */
  readonly finish?: boolean | undefined
}

/**
 * A driver over a home, for as long as the scope lasts. Fails for a home that is no folder.
 *
 * Cost: a look at the home; its folders are listed when a thread is first asked for.
 */
export const make = (
  options: Options
): Effect.Effect<Driver, InvalidRequest | StoreUnavailable, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const { columns, home, lanes, standings } = yield* Opened.open(options)
    const index = options.index ?? (yield* ThreadIndex.memory)
    const rows = AllRows.make(home, columns, standings, index)
    const parts: Removal.Parts = { home, columns, standings, rows }
    yield* Effect.addFinalizer(() => Effect.ignore(rows.flush))
    const { tools } = lanes

    /** Finishes what was begun with a thread, here or by a process that is gone. */
    const finish = (intent: Intents.Intent): Effect.Effect<void, ReadError> =>
      Effect.gen(function* () {
        yield* Lane.close(lanes.of(intent.threadId))
        if (intent.kind !== "delete") return yield* Archive.run(home, columns, intent)
        yield* Removal.run(parts, intent)
        lanes.of(intent.threadId).brief = undefined
        lanes.of(intent.threadId).kept = undefined
      })
    const begun = Intents.pending(home).pipe(Effect.mapError(Disk.unavailable("finishing what was begun", home.root)))
    /** Finishes what was begun with a thread. Gives whether it was deleted. */
    const finishAll = (threadId: string): Effect.Effect<boolean, ReadError> =>
      Effect.gen(function* () {
        let isDeleted = home.deleting.has(threadId)
        for (const intent of yield* begun) {
          if (intent.threadId !== threadId) continue
          yield* finish(intent)
          if (intent.kind === "delete") isDeleted = true
        }
        home.deleting.delete(threadId)
        return isDeleted
      })
    /** Does something again once what stood in its way is done: whoever began with that may be dead or late. */
    const unlessMoving = <A, E>(lane: Lane.Lane, effect: Effect.Effect<A, E>): Effect.Effect<A, E | ReadError> =>
      Effect.catchAll(effect, (error) => {
        if (!lane.isMoving) return Effect.fail(error)
        lane.isMoving = false
        return Effect.zipRight(finishAll(lane.threadId), effect)
      })
    for (const intent of yield* begun) {
      if (intent.kind === "delete") home.deleting.add(intent.threadId)
      if (options.finish === false) continue
      yield* lanes
        .alone(intent.threadId, () => finish(intent))
        .pipe(
          Effect.catchAll((error) =>
            Effect.logWarning(`${intent.kind} of thread ${intent.threadId} was begun and cannot be finished: ${error}`)
          )
        )
    }
    if (options.finish !== false) yield* Recovery.run(lanes)

    const driver: Driver = {
      name: "fs",
      supports: {
        sharedPrefixes: { legacy: false, paginated: true },
        multiProcess: home.machine.isShared,
        follow: "machine",
        durability: options.durability ?? "fsync",
        sharedOnDelete: "materialise",
        backup: false
      },
      marksBatches: true,
      create: (thread) =>
        lanes.alone(thread.threadId, (lane) =>
          Effect.gen(function* () {
            if (home.deleting.has(thread.threadId)) yield* finishAll(thread.threadId)
            const position = yield* Segments.create(tools, lane, columns, thread)
            // Rows are made again from files where the index does not have them.
            yield* Effect.ignore(rows.made(thread, position))
            return position
          })
        ),
      locate: (threadId) => Effect.map(standings.of(threadId), ({ located }) => located),
      append: (request) =>
        lanes.alone(request.threadId, (lane) =>
          unlessMoving(lane, unlessMoved(home, request.threadId, Append.append(tools, lane, request)))
        ),
      branch: (threadId, segment, how) =>
        lanes.alone(threadId, (lane) =>
          unlessMoving(lane, unlessMoved(home, threadId, Segments.branch(tools, lane, segment, how)))
        ),
      open: (threadId) => Logs.open(home, standings, threadId),
      segments: (threadId) => Logs.segments(home, standings, threadId),
      row: rows.row,
      rows: rows.rows,
      lagging: rows.lagging,
      putDerived: rows.put,
      updateExplicit: (threadId, change) =>
        Effect.gen(function* () {
          yield* Homes.find(home, threadId)
          yield* columns.change(threadId, ({ archivedAt, named, sealed, ...explicit }) => ({
            ...change(explicit),
            archivedAt,
            named,
            sealed
          }))
          yield* Effect.ignore(rows.changed(threadId))
        }),
      setArchived: (threadId, at) =>
        lanes
          .alone(threadId, (lane) =>
            Effect.gen(function* () {
              yield* finishAll(threadId)
              const { files } = yield* Homes.find(home, threadId)
              if (files.head.isArchived === (at !== undefined)) return
              yield* Lane.close(lane)
              yield* Archive.begin(
                home,
                columns,
                at === undefined ? { kind: "unarchive", threadId } : { kind: "archive", threadId, at }
              )
            })
          )
          .pipe(Effect.mapError(withoutDamage)),
      remove: (threadId, shared) =>
        lanes.alone(threadId, (lane) =>
          Effect.gen(function* () {
            if (yield* finishAll(threadId)) return { kept: [] }
            const { files } = yield* Homes.find(home, threadId)
            yield* Lane.close(lane)
            const removal = yield* Removal.begin(parts, files, shared)
            lane.brief = undefined
            lane.kept = undefined
            lane.lastFence = 0
            return removal
          })
        ),
      lease: (request) =>
        lanes.alone(request.threadId, (lane) =>
          Effect.zipRight(Homes.find(home, request.threadId), KeptLease.take(tools, lane, request))
        )
    }
    return driver
  })

/** Does something again of which a file was gone when it was opened, as long as the thread is found elsewhere. */
const unlessMoved = <A, E extends { readonly _tag: string }>(
  home: Home,
  threadId: string,
  effect: Effect.Effect<A, E>,
  left = 3
): Effect.Effect<A, E> =>
  Effect.catchAll(effect, (error) => {
    if (error._tag !== "ThreadNotFound" || left === 0) return Effect.fail(error)
    return Effect.flatMap(Effect.option(Homes.find(home, threadId)), (found) =>
      found._tag === "None" ? Effect.fail(error) : unlessMoved(home, threadId, effect, left - 1)
    )
  })

/** Errors of whole threads that have nothing to do with what is in them. */
const withoutDamage = (error: ReadError): ThreadNotFound | InvalidRequest | StoreUnavailable =>
  error._tag === "CorruptThread" || error._tag === "UnsupportedHistoryMode"
    ? new StoreUnavailable({
        operation: "finishing what was begun",
        reason: error.message,
        advice: "Look at the thread first.",
        retryable: false,
        paths: [],
        cause: error
      })
    : error
