/**
 * The mark of a run of the worker: a file that only one of several claimants can make, and that keeps others from a run for
 * some hours (thread-store §8). It lies where the reference has its own, so the two keep each other from running too.
 */
import type { PlatformError } from "@effect/platform/Error"
import { LeaseHeld, type StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import * as Cold from "./Cold.js"
import * as Disk from "./Disk.js"
import * as Fence from "./Fence.js"
import type { Home } from "./Home.js"
import * as Lease from "./Lease.js"

/** A claim that was made. */
export interface Claim {
  /** Takes it back, so that the next one need not wait: for a run that failed. */
  readonly release: Effect.Effect<void>
}

const key = "rollout-compression"

const pathOf = ({ disk, root }: Home): string => disk.paths.join(root, ".tmp", "rollout-compression.lock")

/**
 * Claims a run; undefined when there was one, or is, since less than `throttle` milliseconds. An older mark is taken away
 * and replaced under a lease, so of several claimants one gets it.
 */
export const claim = (
  home: Home,
  throttle: number
): Effect.Effect<Claim | undefined, PlatformError | StoreUnavailable> =>
  Effect.gen(function* () {
    const path = pathOf(home)
    const held = yield* Lease.acquire(home.leases, key, {
      kind: "brief",
      name: "a run of the compressor",
      time: 3000,
      wait: 200,
      onLate: () => Effect.fail(beaten)
    }).pipe(Effect.map((taken) => taken.held))
    const isOurs = yield* Fence.use(home, held, (fence) =>
      Effect.gen(function* () {
        const { clock, disk } = home
        const now = clock.unsafeCurrentTimeMillis()
        yield* Disk.makeFolder(disk, disk.paths.dirname(path))
        const before = yield* Disk.look(disk, path)
        if (before !== undefined && now - before.mtimeMs < throttle) return false
        yield* disk.fs.writeFileString(fence.making(path), content(home, now))
        yield* Cold.setTime(disk, fence.making(path), now)
        if (before !== undefined) yield* fence.take(path)
        return yield* fence.name(path)
      })
    ).pipe(Effect.ensuring(Effect.ignore(Lease.release(home.leases, held))))
    return isOurs ? { release: release(home, path) } : undefined
  }).pipe(Effect.catchTag("LeaseHeld", () => Effect.succeed(undefined)))

const beaten = new LeaseHeld({ threadId: key, holder: { name: "another claimant", fence: 0, expiresAt: 0 } })

const content = (home: Home, now: number): string =>
  JSON.stringify({ pid: home.machine.self.pid, started_at: new Date(now).toISOString(), instance: home.instance })

const release = (home: Home, path: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    // It may be another one's by now.
    if ((yield* home.disk.fs.readFileString(path)).includes(home.instance)) yield* Disk.remove(home.disk, path)
  }).pipe(Effect.ignore)
