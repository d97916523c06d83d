/** The driver of threads in files, in the layout of Codex: what `FsStore` derives its store from. */
import { FileSystem, Path } from "@effect/platform"
import type { Durability } from "@skein/store/Capabilities"
import type { Driver } from "@skein/store/Driver"
import { IdGenerator } from "@skein/store/IdGenerator"
import { Machine } from "@skein/store/Machine"
import { InvalidRequest, type ReadError, StoreUnavailable, type ThreadNotFound } from "@skein/store/StoreError"
import type { Index } from "@skein/store/ThreadIndex"
import * as ThreadIndex from "@skein/store/ThreadIndex"
import { Context, Effect, Scope } from "effect"
import * as Append from "./internal/Append.js"
import * as Archive from "./internal/Archive.js"
import * as Catalog from "./internal/Catalog.js"
import * as AllColumns from "./internal/Columns.js"
import * as Disk from "./internal/Disk.js"
import type { Home } from "./internal/Home.js"
import * as Homes from "./internal/Home.js"
import * as Instances from "./internal/Instances.js"
import * as Intents from "./internal/Intents.js"
import * as KeptLease from "./internal/KeptLease.js"
import * as Lane from "./internal/Lane.js"
import * as AllLanes from "./internal/Lanes.js"
import type { Leases } from "./internal/Lease.js"
import * as Logs from "./internal/Logs.js"
import * as Removal from "./internal/Removal.js"
import * as AllRows from "./internal/Rows.js"
import * as Segments from "./internal/Segments.js"
import * as Standing from "./internal/Standing.js"

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
    const home = yield* open(options)
    const scope = yield* Scope.Scope
    const columns = AllColumns.make(home)
    const standings = Standing.make(home, columns)
    const index = options.index ?? (yield* ThreadIndex.memory)
    const rows = AllRows.make(home, columns, standings, index)
    const lanes = AllLanes.make(home, standings, scope)
    const parts: Removal.Parts = { home, columns, standings, rows }
    Instances.enter(home.instance, { yields: lanes.yields })
    yield* Effect.addFinalizer(() =>
      Effect.ensuring(
        Effect.zipRight(lanes.close, Effect.ignore(rows.flush)),
        Effect.sync(() => Instances.leave(home.instance))
      )
    )
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
      append: (request) => lanes.alone(request.threadId, (lane) => Append.append(tools, lane, request)),
      branch: (threadId, segment, how) => lanes.alone(threadId, (lane) => Segments.branch(tools, lane, segment, how)),
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

/** A home with nothing looked at but that it is a folder. */
const open = (
  options: Options
): Effect.Effect<Home, InvalidRequest | StoreUnavailable, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    // These two and nothing else: all there is around here includes a scope, in which files would stay open.
    const context = Context.make(FileSystem.FileSystem, fs).pipe(Context.add(Path.Path, paths))
    const clock = yield* Effect.clock
    const machine = yield* Machine
    const ids = yield* IdGenerator
    const instance = yield* ids.next
    const given = paths.resolve(options.home)
    const failed = Effect.mapError(Disk.unavailable("opening a home", given))
    const facts = yield* failed(Disk.look({ fs }, given))
    if (facts !== undefined && facts.type !== "Directory") {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "home",
          reason: `${given} is no folder`,
          advice: "Name the folder that holds sessions/, such as ~/.codex."
        })
      )
    }
    const root = facts === undefined ? given : yield* failed(fs.realPath(given))
    const isDurable = (options.durability ?? "fsync") === "fsync"
    const disk = yield* failed(Disk.make(fs, paths, { isDurable, at: root }))
    const leases: Leases = { disk, clock, machine, instance, root, folder: paths.join(root, ".skein", "leases") }
    return {
      root,
      disk,
      clock,
      machine,
      leases,
      catalog: Catalog.make(disk, clock, root),
      instance,
      decodedLimit: options.decodedLimit,
      context,
      deleting: new Set(),
      incomplete: new Set(),
      refreshedAt: clock.unsafeCurrentTimeMillis()
    }
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
