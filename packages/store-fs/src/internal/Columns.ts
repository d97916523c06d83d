/**
 * What was said of a thread explicitly and has no place in its rollout: a small file for each thread that has any of it,
 * `.skein/threads/<id>.json`, replaced as a whole.
 *
 * Names live in the home's index, where every program looks for them. A change of a name and of something else at once is
 * one change all the same: the file then holds the name too, until the index has it.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { Position } from "@skein/store/Position"
import { StoreUnavailable } from "@skein/store/StoreError"
import type { Explicit, GitOverride } from "@skein/store/Summary"
import { Effect } from "effect"
import type * as SessionIndex from "../SessionIndex.js"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Lease from "./Lease.js"
import * as NamesOf from "./Names.js"

/** What the file of a thread holds. */
export interface Columns extends Omit<Explicit, "name"> {
  /** Milliseconds since 1970. */
  readonly archivedAt?: number | undefined
  /** A name that was given together with something else. */
  readonly named?: SessionIndex.Entry | undefined
  /** Up to where a file was made at once that ends inside of a batch. */
  readonly sealed?: Position | undefined
}

/** The explicit columns of a home. */
export interface AllColumns {
  readonly names: NamesOf.Names
  /** What there is of a thread. Cost: two stats; reads when something changed. */
  readonly of: (threadId: string) => Effect.Effect<Columns & Explicit, StoreUnavailable>
  /** Changes what there is; durable when it returns. */
  readonly change: (
    threadId: string,
    change: (columns: Columns & Explicit) => Columns & Explicit
  ) => Effect.Effect<void, StoreUnavailable>
  readonly remove: (threadId: string) => Effect.Effect<void, StoreUnavailable>
  readonly folder: string
  readonly fileOf: (threadId: string) => string
}

const lasts = 3000
const patience = 5000

export const make = (home: Home): AllColumns => {
  const { clock, disk } = home
  const names = NamesOf.make(home)
  const folder = Homes.own(home, "threads")
  const fileOf = (threadId: string): string => disk.paths.join(folder, `${threadId}.json`)
  const failed = (threadId: string) => Disk.unavailable("explicit metadata", fileOf(threadId), names.path)
  const known = new Map<string, { readonly facts: Disk.Facts; readonly columns: Columns | undefined }>()
  const locks = new Map<string, Effect.Semaphore>()

  /** Undefined: the file makes no sense. */
  const read = (threadId: string): Effect.Effect<Columns | undefined, PlatformError> =>
    Effect.gen(function* () {
      const path = fileOf(threadId)
      const facts = yield* Disk.look(disk, path)
      if (facts === undefined) {
        known.delete(threadId)
        return {}
      }
      const before = known.get(threadId)
      if (before !== undefined && Disk.isSame(before.facts, facts)) return before.columns
      const columns = parse(yield* disk.fs.readFileString(path))
      known.set(threadId, { facts, columns })
      return columns
    })

  const of = (threadId: string): Effect.Effect<Columns & Explicit, PlatformError> =>
    Effect.gen(function* () {
      const columns = (yield* read(threadId)) ?? {}
      const name = nameOf(columns, (yield* names.entries).get(threadId))
      return name === undefined ? columns : { ...columns, name }
    })

  const change = (
    threadId: string,
    wanted: (columns: Columns & Explicit) => Columns & Explicit
  ): Effect.Effect<void, PlatformError | StoreUnavailable> =>
    Effect.gen(function* () {
      const columns = yield* read(threadId)
      if (columns === undefined) {
        return yield* Effect.fail(
          new StoreUnavailable({
            operation: "explicit metadata",
            reason: "the file that holds them makes no sense",
            advice: "Move it away; what it said is lost then.",
            retryable: false,
            paths: [fileOf(threadId)]
          })
        )
      }
      const entry = (yield* names.entries).get(threadId)
      const name = nameOf(columns, entry)
      const { name: wantedName, named: _, ...rest } = wanted(name === undefined ? columns : { ...columns, name })
      const { named, ...before } = columns
      const isRenamed = (wantedName ?? "") !== (name ?? "")
      const isChanged = JSON.stringify(sorted(rest)) !== JSON.stringify(sorted(before))
      const given = isRenamed
        ? { name: wantedName ?? "", at: laterThan(clock.unsafeCurrentTimeMillis(), entry, named) }
        : named
      if (isChanged || (isRenamed && named !== undefined)) {
        yield* Disk.makeFolder(disk, folder)
        const content = JSON.stringify({ v: 1, ...rest, ...(given === undefined ? {} : { named: given }) })
        yield* Disk.replace(disk, fileOf(threadId), new TextEncoder().encode(content), home.instance)
      }
      if (given !== undefined && moment(given.at) > moment(entry?.at)) yield* names.add(threadId, given)
    })

  /** One change of a thread's columns at a time, across processes. */
  const alone = <A, E>(threadId: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E | StoreUnavailable> =>
    Effect.suspend(() => {
      const lock = locks.get(threadId) ?? Effect.unsafeMakeSemaphore(1)
      locks.set(threadId, lock)
      const { leases, machine } = home
      if (!machine.isShared) return lock.withPermits(1)(effect)
      const request: Lease.Request = {
        kind: "brief",
        name: "explicit metadata",
        time: lasts,
        wait: patience,
        onLate: () => Effect.void
      }
      const held = Effect.acquireUseRelease(
        Lease.acquire(leases, `${threadId}.columns`, request).pipe(
          Effect.catchTag("LeaseHeld", (error) => Effect.fail(busy(error.message, fileOf(threadId))))
        ),
        () => effect,
        (taken) => Effect.ignore(Lease.release(leases, taken.held))
      )
      return lock.withPermits(1)(held)
    })

  const storeError =
    (threadId: string) =>
    <A>(effect: Effect.Effect<A, PlatformError | StoreUnavailable>): Effect.Effect<A, StoreUnavailable> =>
      Effect.mapError(effect, (error) => (error._tag === "StoreUnavailable" ? error : failed(threadId)(error)))

  return {
    names,
    folder,
    fileOf,
    of: (threadId) => storeError(threadId)(of(threadId)),
    change: (threadId, wanted) => storeError(threadId)(alone(threadId, change(threadId, wanted))),
    remove: (threadId) =>
      storeError(threadId)(
        Effect.gen(function* () {
          yield* names.remove(threadId)
          yield* Disk.remove(disk, fileOf(threadId))
          yield* Lease.forget(home.leases, `${threadId}.columns`)
          known.delete(threadId)
        })
      )
  }
}

const busy = (reason: string, path: string): StoreUnavailable =>
  new StoreUnavailable({
    operation: "explicit metadata",
    reason: `somebody else changes them: ${reason}`,
    advice: "Try again.",
    retryable: true,
    paths: [path]
  })

const moment = (at: string | undefined): number => {
  const time = at === undefined ? Number.NaN : Date.parse(at)
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time
}

/** A moment behind those of the names that there are, so that the newest name is the one given last. */
const laterThan = (now: number, ...entries: ReadonlyArray<SessionIndex.Entry | undefined>): string => {
  const least = Math.max(...entries.map((entry) => Math.floor(moment(entry?.at))))
  return new Date(Math.max(now, least + 1)).toISOString()
}

/** The name that counts: that of the index, unless one was given later and is not yet in it. An empty one is none. */
const nameOf = ({ named }: Columns, entry: SessionIndex.Entry | undefined): string | undefined =>
  (moment(named?.at) > moment(entry?.at) ? named?.name : entry?.name) || undefined

const sorted = (columns: Columns): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(columns)
    .filter(([, value]) => value !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))

const parse = (text: string): Columns | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    if (!isObject(value)) return undefined
    const { archivedAt, git, memoryMode, metadata, named, sealed } = value
    return {
      ...(typeof memoryMode === "string" ? { memoryMode } : {}),
      ...(isObject(git) ? { git: git as GitOverride } : {}),
      ...(isObject(metadata) ? { metadata: metadata as Readonly<Record<string, string>> } : {}),
      ...(typeof archivedAt === "number" ? { archivedAt } : {}),
      ...(isObject(named) ? { named: named as unknown as SessionIndex.Entry } : {}),
      ...(isObject(sealed) ? { sealed: sealed as unknown as Position } : {})
    }
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
