/** Clocks that stand still, and waiting with an end to it. */
import type { StoreError } from "@skein/store/StoreError"
import type { Lease, ThreadStoreService } from "@skein/store/ThreadStore"
import { Clock, Context, Effect, Option, Schedule, type Scope } from "effect"
import { Broken } from "./Check.js"

/** A clock that tells the time and wakes nobody: that of a process that stands still. */
const still: Clock.Clock = Object.assign(Object.create(Clock.make()) as Clock.Clock, { sleep: () => Effect.never })

/** Runs an effect, and what it leaves running, as in a process that then stands still. */
export const stalled = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withClock(effect, still)

/** How long a case waits for something that has to come, in milliseconds. */
export class Patience extends Context.Reference<Patience>()("@skein/testing/Patience", { defaultValue: () => 8_000 }) {}

/** Gives up waiting after a while. */
const patiently = <A, E, R>(effect: Effect.Effect<A, E, R>, what: string): Effect.Effect<A, E, R> =>
  Effect.flatMap(Patience, (duration) =>
    Effect.flatMap(
      Effect.timeoutOption(effect, duration),
      Option.match({
        onNone: () => Effect.die(new Broken(`expected ${what} within ${duration} ms`)),
        onSome: (value) => Effect.succeed(value)
      })
    )
  )

const every = Schedule.spaced("15 millis")

/** Repeats something until it comes to what is wanted. */
export const until = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  wanted: (value: A) => boolean,
  what: string
): Effect.Effect<A, E, R> =>
  patiently(
    Effect.iterate(undefined as A | undefined, {
      while: (value) => value === undefined || !wanted(value),
      body: () => Effect.zipLeft(effect, Effect.sleep("10 millis"))
    }) as Effect.Effect<A, E, R>,
    what
  )

/** Takes a lease as soon as nobody else holds it. */
export const untilTaken = (
  store: ThreadStoreService,
  threadId: string
): Effect.Effect<Lease, StoreError, Scope.Scope> =>
  patiently(
    Effect.retry(store.lease(threadId), { while: ({ _tag }) => _tag === "LeaseHeld", schedule: every }),
    "the lease to run out"
  )
