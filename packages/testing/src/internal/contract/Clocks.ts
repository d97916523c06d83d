/** Clocks that stand still, and waiting with an end to it. */
import type { StoreError } from "@skein/store/StoreError"
import type { Lease, ThreadStoreService } from "@skein/store/ThreadStore"
import { Clock, Effect, Schedule, type Scope } from "effect"
import { Broken } from "./Check.js"

/** A clock that tells the time and wakes nobody: that of a process that stands still. */
const still: Clock.Clock = Object.assign(Object.create(Clock.make()) as Clock.Clock, { sleep: () => Effect.never })

/** Runs an effect, and what it leaves running, as in a process that then stands still. */
export const stalled = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withClock(effect, still)

/** Repeats something until it comes to what is wanted; gives up after a while. */
export const until = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  wanted: (value: A) => boolean,
  what: string
): Effect.Effect<A, E, R> =>
  Effect.repeat(effect, { until: wanted, schedule: Schedule.spaced("15 millis") }).pipe(
    Effect.timeoutFail({ duration: "8 seconds", onTimeout: () => new Broken(`expected ${what}`) }),
    Effect.catchAll((error) => (error instanceof Broken ? Effect.die(error) : Effect.fail(error)))
  ) as Effect.Effect<A, E, R>

/** Takes a lease as soon as nobody else holds it. */
export const untilTaken = (
  store: ThreadStoreService,
  threadId: string
): Effect.Effect<Lease, StoreError, Scope.Scope> =>
  Effect.retry(store.lease(threadId), {
    while: ({ _tag }) => _tag === "LeaseHeld",
    schedule: Schedule.spaced("15 millis")
  }).pipe(
    Effect.timeoutFail({ duration: "8 seconds", onTimeout: () => new Broken("expected the lease to run out") }),
    Effect.catchAll((error) => (error instanceof Broken ? Effect.die(error) : Effect.fail(error)))
  )
