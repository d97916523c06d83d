/** A home that was opened, with all that works on its threads one by one: what the driver and the compressor stand on. */
import { FileSystem, Path } from "@effect/platform"
import { IdGenerator } from "@skein/store/IdGenerator"
import { Machine } from "@skein/store/Machine"
import { InvalidRequest, type StoreUnavailable } from "@skein/store/StoreError"
import { Context, Effect, Scope } from "effect"
import * as Catalog from "./Catalog.js"
import * as AllColumns from "./Columns.js"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"
import * as Instances from "./Instances.js"
import * as AllLanes from "./Lanes.js"
import type { Leases } from "./Lease.js"
import * as Standing from "./Standing.js"
import { Trial } from "./Trial.js"

/** What is to be opened, as `FsDriver.Options` has it. */
export interface Wanted {
  readonly home: string
  readonly durability?: "os" | "fsync" | undefined
  readonly decodedLimit?: number | undefined
}

/** What works on the threads of a home. */
export interface Opened {
  readonly home: Home
  readonly columns: AllColumns.AllColumns
  readonly standings: Standing.Standings
  readonly lanes: AllLanes.Lanes
}

/** Opens a home for as long as the scope lasts; then every lease is given back. Fails for one that is no folder. */
export const open = (
  options: Wanted
): Effect.Effect<Opened, InvalidRequest | StoreUnavailable, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const home = yield* homeOf(options)
    const scope = yield* Scope.Scope
    const columns = AllColumns.make(home)
    const standings = Standing.make(home, columns)
    const lanes = AllLanes.make(home, standings, scope)
    Instances.enter(home.instance, { yields: lanes.yields })
    yield* Effect.addFinalizer(() =>
      Effect.ensuring(
        lanes.close,
        Effect.sync(() => Instances.leave(home.instance))
      )
    )
    return { home, columns, standings, lanes }
  })

/** A home with nothing looked at but that it is a folder. */
const homeOf = (
  options: Wanted
): Effect.Effect<Home, InvalidRequest | StoreUnavailable, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    // These two and nothing else: all there is around here includes a scope, in which files would stay open.
    const context = Context.make(FileSystem.FileSystem, fs).pipe(Context.add(Path.Path, paths))
    const clock = yield* Effect.clock
    const machine = yield* Machine
    const trial = yield* Trial
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
    const disk = Disk.make(fs, paths, { isDurable })
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
      trial,
      context,
      deleting: new Set(),
      incomplete: new Set(),
      refreshedAt: clock.unsafeCurrentTimeMillis()
    }
  })
