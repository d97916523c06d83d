/** Leases that are prolonged as long as their scope lasts. */
import { Clock, Deferred, Duration, Effect, Fiber, Option, type Scope } from "effect"
import type { Driver } from "../Driver.js"
import { InvalidRequest, type LeaseHeld, type StoreUnavailable, type ThreadNotFound } from "../StoreError.js"
import * as SummaryQuery from "../SummaryQuery.js"
import type { Lease, LeaseOptions } from "../ThreadStore.js"

/** See {@link ThreadStoreService.lease}. */
export const take = (
  driver: Driver,
  threadId: string,
  options: LeaseOptions = {}
): Effect.Effect<Lease, LeaseHeld | ThreadNotFound | InvalidRequest | StoreUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const id = yield* SummaryQuery.threadId(threadId)
    const asked = Duration.decodeUnknown(options.time ?? "10 seconds")
    const time = Option.match(asked, { onNone: () => Number.NaN, onSome: Duration.toMillis })
    if (!(time >= 1 && Number.isFinite(time))) {
      return yield* Effect.fail(
        new InvalidRequest({ field: "time", reason: `${time} ms is no time`, advice: "Take a lease for 1 ms or more." })
      )
    }
    const lost = yield* Deferred.make<LeaseHeld | StoreUnavailable>()
    const held = yield* Effect.acquireRelease(
      driver.lease({ threadId: id, name: options.name ?? "a host", time: Math.round(time) }),
      (lease) => Effect.ignore(lease.release)
    )
    // A store that does not answer may answer again before the lease is over.
    const keep = Effect.gen(function* () {
      let expiresAt = held.expiresAt
      for (;;) {
        yield* Effect.sleep(time / 3)
        const renewed = yield* Effect.either(held.renew)
        if (renewed._tag === "Right") expiresAt = renewed.right
        else if (renewed.left._tag === "LeaseHeld" || (yield* Clock.currentTimeMillis) >= expiresAt) {
          return yield* Deferred.succeed(lost, renewed.left)
        }
      }
    })
    const keeper = yield* Effect.forkDaemon(keep)
    yield* Effect.addFinalizer(() => Fiber.interrupt(keeper))
    return { threadId: id, fence: held.fence, lost: Deferred.await(lost) }
  })
