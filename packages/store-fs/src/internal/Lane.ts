/**
 * Everything that is done to one thread, one thing after the other: within this process by a lock, across processes by a
 * lease.
 *
 * A lease that an append took stays for a moment, since the next append is likely to come soon; it is given back when
 * nothing comes, or when somebody else waits for it.
 */
import type { AppendRequest, Located } from "@skein/store/Driver"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import {
  AppendConflict,
  type ConflictReason,
  type InvalidRequest,
  LeaseHeld,
  type StoreUnavailable,
  type ThreadNotFound
} from "@skein/store/StoreError"
import { Effect, Either } from "effect"
import * as Cold from "./Cold.js"
import * as Disk from "./Disk.js"
import * as Fence from "./Fence.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Lease from "./Lease.js"
import * as LiveFile from "./LiveFile.js"
import * as Rehome from "./Rehome.js"
import type { Standings } from "./Standing.js"

/** Milliseconds that a brief lease lasts; a holder that hangs for longer is passed by. */
const lasts = 3000
/** Milliseconds before its end at which it is prolonged. */
const early = 1500
/** Milliseconds that others wait for a brief lease. */
export const patience = 5000
/** Milliseconds for which something waits that can be done another time. */
const modesty = 200
/** Milliseconds for which who gave a lease to somebody waiting lets that one go first. */
const courtesy = 6
/** Milliseconds for which a look at a file is believed. A change in that time is found by the look behind the write. */
const settled = 2

/** What a thread's lane keeps. */
export interface Lane {
  readonly threadId: string
  readonly lock: Effect.Semaphore
  live: LiveFile.LiveFile | undefined
  debris: LiveFile.Debris | undefined
  brief: Lease.Held | undefined
  kept: Lease.Held | undefined
  /** The newest fence of ours. */
  lastFence: number
  /** Whether nobody else had the lease between the last time that the file was open and now. */
  isSole: boolean
  /** Until when a holder that is gone may have written. */
  goneAt: number | undefined
  /** Who waits for the lease: another store of this process, or another process. */
  wantedBy: "store" | "process" | undefined
  /** Whether a lease was not taken over since the thread is being archived or deleted, perhaps by who is late. */
  isMoving: boolean
  /** When it was given to another process. */
  yieldedAt: number
  usedAt: number
}

export const make = (threadId: string): Lane => ({
  threadId,
  lock: Effect.unsafeMakeSemaphore(1),
  live: undefined,
  debris: undefined,
  brief: undefined,
  kept: undefined,
  lastFence: 0,
  isSole: true,
  goneAt: undefined,
  wantedBy: undefined,
  isMoving: false,
  yieldedAt: Number.NEGATIVE_INFINITY,
  usedAt: 0
})

/** What works on lanes. */
export interface Tools {
  readonly home: Home
  readonly standings: Standings
  /** Told that a lane has a brief lease: it has to be given back some time. */
  readonly linger: (lane: Lane) => Effect.Effect<void>
}

/** Does something to a thread while nothing else of this process does. Once it began it comes to its end. */
export const alone =
  (tools: Tools, lane: Lane) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    lane.lock.withPermits(1)(
      Effect.uninterruptible(
        Effect.ensuring(
          effect,
          Effect.suspend(() => {
            lane.usedAt = tools.home.clock.unsafeCurrentTimeMillis()
            return lane.wantedBy === undefined ? Effect.void : giveBack(tools, lane)
          })
        )
      )
    )

/** Closes the file; what is known of it is found out anew when it is needed. */
export const close = (lane: Lane): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { live } = lane
    lane.live = undefined
    return live === undefined ? Effect.void : live.close
  })

/** Gives a brief lease back. */
export const giveBack = ({ home }: Tools, lane: Lane): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { brief } = lane
    lane.brief = undefined
    if (lane.wantedBy === "process") lane.yieldedAt = home.clock.unsafeCurrentTimeMillis()
    lane.wantedBy = undefined
    return brief === undefined ? Effect.void : Effect.ignore(Lease.release(home.leases, brief))
  })

/** Who holds a lease of ours, for a message. */
export const holderOf = ({ expiresAt, fence, name }: Lease.Held) => ({ name, fence, expiresAt })

/**
 * Makes sure that the caller may append: with the fence of a lease that it holds, or with a brief one. Gives the lease.
 */
export const permit = (
  tools: Tools,
  lane: Lane,
  fence: number | undefined
): Effect.Effect<Lease.Held, LeaseHeld | ThreadNotFound | InvalidRequest | StoreUnavailable> =>
  Effect.suspend(() => {
    const { clock, leases, machine } = tools.home
    const { kept, threadId } = lane
    const now = clock.unsafeCurrentTimeMillis()
    const isLive = kept !== undefined && now < kept.expiresAt
    if (isLive && fence === kept.fence) return Effect.succeed(kept)
    if (isLive || fence !== undefined) {
      const holder = kept === undefined ? Lease.holder(leases, threadId) : Effect.succeed(holderOf(kept))
      // Of a thread that is gone nobody holds anything.
      return Effect.zipRight(
        Homes.find(tools.home, threadId),
        Effect.flatMap(holder, (current) => Effect.fail(new LeaseHeld({ threadId, holder: current })))
      )
    }
    if (!machine.isShared || tools.home.trial.without.has("lease")) return Effect.succeed(alwaysOurs(lane))
    const { brief } = lane
    if (brief === undefined) return acquire(tools, lane, "brief", "an append", lasts)
    if (now < brief.expiresAt - early) return Effect.succeed(brief)
    return Lease.renew(leases, brief, lasts).pipe(
      Effect.as(brief),
      Effect.catchTag("LeaseHeld", () => acquire(tools, lane, "brief", "an append", lasts))
    )
  })

/** What stands for a lease where processes cannot share a home. */
export const alwaysOurs = ({ lastFence, threadId }: Lane): Lease.Held => ({
  key: threadId,
  fence: lastFence,
  kind: "brief",
  name: "",
  expiresAt: Number.POSITIVE_INFINITY
})

/**
 * Takes the lease of the thread for a moment if nobody has it: undefined when somebody does, also when that one is late.
 * What a holder that is gone left unfinished is finished.
 */
export const acquireFree = (
  tools: Tools,
  lane: Lane,
  name: string
): Effect.Effect<Lease.Held | undefined, StoreUnavailable> =>
  Effect.suspend(() => {
    const { clock, machine, trial } = tools.home
    if (!machine.isShared || trial.without.has("lease")) return Effect.succeed(alwaysOurs(lane))
    if (lane.kept !== undefined && clock.unsafeCurrentTimeMillis() < lane.kept.expiresAt)
      return Effect.succeed(undefined)
    const late = new LeaseHeld({ threadId: lane.threadId, holder: { name: "somebody late", fence: 0, expiresAt: 0 } })
    return acquire(tools, lane, "brief", name, lasts, { wait: modesty, onLate: () => Effect.fail(late) })
  }).pipe(Effect.catchTag("LeaseHeld", () => Effect.succeed(undefined)))

/** Takes the lease of the thread and notes what that says of the time since it was ours. */
export const acquire = (
  tools: Tools,
  lane: Lane,
  kind: Lease.Kind,
  name: string,
  time: number,
  how: Partial<Pick<Lease.Request, "wait" | "onLate">> = {}
): Effect.Effect<Lease.Held, LeaseHeld | StoreUnavailable> =>
  Effect.gen(function* () {
    const { home } = tools
    const { catalog, clock, leases } = home
    const { threadId } = lane
    const rest = lane.yieldedAt + courtesy - clock.unsafeCurrentTimeMillis()
    if (rest > 0) yield* Effect.interruptible(Effect.sleep(Math.min(rest, courtesy)))
    lane.yieldedAt = Number.NEGATIVE_INFINITY
    const taken = yield* Lease.acquire(leases, threadId, {
      kind,
      name,
      time,
      wait: patience,
      onLate: (fence) => takeOver(tools, lane, fence),
      ...how
    })
    const { before, beforeUntil, held, note } = taken
    if (before === "gone") {
      yield* settleNames(home, threadId).pipe(Effect.tapError(() => Effect.ignore(Lease.release(leases, held))))
    }
    lane.brief = undefined
    lane.kept = undefined
    if (held.fence !== lane.lastFence + 1) lane.isSole = false
    lane.lastFence = held.fence
    lane.goneAt = before === "gone" ? beforeUntil : undefined
    if (lane.live !== undefined) lane.live.checkedAt = Number.NEGATIVE_INFINITY
    // A newer segment that lies where none was expected.
    const head = catalog.thread(threadId)?.head
    if (note !== undefined && head !== undefined && home.disk.paths.basename(head.path) !== note) yield* catalog.walk
    if (kind === "kept") lane.kept = held
    else {
      lane.brief = held
      yield* tools.linger(lane)
    }
    return held
  })

/**
 * Makes the names of a thread's files durable: who died may have given one that is not yet, and what is written to that
 * file would be lost with it.
 */
const settleNames = (home: Home, threadId: string): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    const found = yield* Effect.option(Homes.find(home, threadId))
    if (found._tag === "None") return
    for (const folder of new Set(found.value.files.all.map((file) => file.folder))) {
      yield* Disk.syncFolder(home.disk, folder).pipe(Effect.mapError(Disk.unavailable("taking a thread over", folder)))
    }
  })

const takeOver = ({ home }: Tools, lane: Lane, fence: number): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    yield* Fence.revoke(home, lane.threadId).pipe(
      Effect.mapError((error) =>
        error._tag === "StoreUnavailable" ? error : Disk.unavailable("taking a thread over", home.root)(error)
      )
    )
    const held = { ...alwaysOurs(lane), fence }
    for (let left = moves; left > 0; left--) {
      const found = yield* Effect.option(Homes.find(home, lane.threadId))
      if (found._tag === "None" || found.value.files.head.compressed) return
      yield* close(lane)
      const { path } = found.value.files.head
      const outcome = yield* Rehome.take(home, path, Lease.markOf(home.leases, lane.threadId, fence), held)
      if (outcome === "taken") return
      lane.isMoving = outcome === "moving"
      if (lane.isMoving) break
      yield* home.catalog.walk
    }
    return yield* Effect.fail(Disk.disturbed("taking a thread over", "it is being archived or deleted"))
  })

/** How often a file is looked for that somebody moves. */
const moves = 4

/** Where the thread stands, for a batch. */
export const located = (live: LiveFile.LiveFile, archivedAt: number | undefined): Located => ({
  threadId: live.threadId,
  historyMode: live.historyMode,
  archivedAt,
  head: LiveFile.position(live),
  nextOrdinal: live.nextOrdinal
})

/**
 * The thread's file, open and as far as is known unchanged since it was left. Fails when it was moved or deleted, and for
 * whoever expects a certain end also when it was compressed or superseded.
 */
export const current = (
  tools: Tools,
  lane: Lane,
  expected: AppendRequest["expected"]
): Effect.Effect<LiveFile.LiveFile, AppendConflict | LeaseHeld | LiveFile.OpenError> =>
  Effect.suspend(() => {
    const { live } = lane
    if (live === undefined) return open(tools, lane)
    if (isBelieved(tools, lane)) return Effect.succeed(live)
    return Effect.flatMap(LiveFile.changed(tools.home, live), (change) =>
      change === undefined ? Effect.succeed(live) : reopened(tools, lane, live, expected, change)
    )
  })

/** Whether the last look at the file is recent enough that none is made in front of the next write. */
export const isBelieved = ({ home }: Tools, { live }: Lane): boolean =>
  live !== undefined && home.machine.elapsed() - live.checkedAt < settled

const open = (tools: Tools, lane: Lane): Effect.Effect<LiveFile.LiveFile, LiveFile.OpenError> =>
  Effect.gen(function* () {
    const { debris, goneAt } = lane
    const held = lane.kept ?? lane.brief ?? alwaysOurs(lane)
    const live = yield* LiveFile.open(tools.home, tools.standings, lane.threadId, { debris, goneAt, held })
    lane.debris = undefined
    lane.goneAt = undefined
    lane.live = live
    return live
  })

/** Opens what the thread's file became, unless the caller has to be told first. */
export const reopened = (
  tools: Tools,
  lane: Lane,
  left: LiveFile.LiveFile,
  expected: AppendRequest["expected"],
  change: ConflictReason
): Effect.Effect<LiveFile.LiveFile, AppendConflict | LeaseHeld | LiveFile.OpenError> =>
  Effect.gen(function* () {
    yield* close(lane)
    yield* stillOurs(tools, lane)
    const place = LiveFile.position(left)
    const head = tools.home.catalog.thread(lane.threadId)?.head
    // What Skein compressed is what it was, so whoever expects a position finds it.
    const isHarmless =
      change === "grown" ||
      (change === "compressed" && head?.compressed === true && (yield* Cold.isOwn(tools.home, head.path)))
    const isTold = change === "moved" || change === "deleted" || (expected !== "any" && !isHarmless)
    if (isTold) return yield* conflict(tools, lane, change, expected === "any" ? place : expected)
    const live = yield* open(tools, lane)
    if (expected === "any" || Positions.equals(expected, LiveFile.position(live))) return live
    // Whether somebody without a lease wrote: nobody else had one, and the caller knew what we left.
    const isForeign = lane.isSole && Positions.equals(expected, place)
    lane.isSole = true
    return yield* conflict(tools, lane, isForeign ? "grown" : "position", expected)
  })

/** Fails when the lease was taken over: a file that changed may have been taken from under us. */
const stillOurs = (tools: Tools, lane: Lane): Effect.Effect<void, LeaseHeld | StoreUnavailable> =>
  Effect.suspend(() => {
    const { leases, machine } = tools.home
    const held = lane.kept ?? lane.brief
    if (!machine.isShared || held === undefined) return Effect.void
    return Effect.flatMap(Lease.isNewest(leases, held), (ours) => (ours ? Effect.void : takenOver(tools, lane)))
  })

/** Fails with who has the lease now, which is no longer ours. */
export const takenOver = (tools: Tools, lane: Lane): Effect.Effect<never, LeaseHeld> =>
  Effect.gen(function* () {
    const { threadId } = lane
    lane.brief = undefined
    lane.kept = undefined
    const holder = yield* Lease.holder(tools.home.leases, threadId)
    return yield* Effect.fail(new LeaseHeld({ threadId, holder }))
  })

/** Fails with where the thread stands now. */
export const conflict = (
  tools: Tools,
  lane: Lane,
  reason: ConflictReason,
  expected: Position
): Effect.Effect<never, AppendConflict | StoreUnavailable> =>
  Effect.gen(function* () {
    const { threadId } = lane
    const now = yield* Effect.either(tools.standings.of(threadId))
    if (Either.isLeft(now) && now.left._tag === "StoreUnavailable") return yield* Effect.fail(now.left)
    const actual = Either.isRight(now) ? now.right.located.head : undefined
    return yield* Effect.fail(new AppendConflict({ threadId, reason, expected, actual }))
  })

/** Fails unless the thread ends where the caller expects it to. */
export const expect = (
  tools: Tools,
  lane: Lane,
  live: LiveFile.LiveFile,
  expected: AppendRequest["expected"]
): Effect.Effect<void, AppendConflict | StoreUnavailable> =>
  expected === "any" || Positions.equals(expected, LiveFile.position(live))
    ? Effect.void
    : conflict(tools, lane, "position", expected)
