/** A state as a client follows it (`Patches`): nothing is queued for it, it is told the newest state whenever it asks. */
import { Effect, Option, Queue, Stream } from "effect"
import type { Change, Difference } from "../Patches.js"
import type { Live } from "./Live.js"

/** What was told last, and in which epoch. */
interface Told<A> {
  readonly value: A
  readonly epoch: number
}

/**
 * The changes of a state: a snapshot first, and again when an epoch begins. Ends when the thread is closed here.
 *
 * @param read The state now; asked between two commands.
 */
export const changes = <A, E>(
  live: Live,
  read: Effect.Effect<A, E>,
  difference: Difference<A>,
  isClosed: () => boolean
): Stream.Stream<Change<A>, E> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      // One signal is enough: whoever is woken reads the newest state.
      const signal = yield* Queue.sliding<void>(1)
      yield* Effect.acquireRelease(
        Effect.sync(() => live.watch(() => Queue.unsafeOffer(signal, undefined))),
        (unwatch) => Effect.sync(unwatch)
      )
      const next = (told: Told<A> | undefined): Effect.Effect<Option.Option<readonly [Change<A>, Told<A>]>, E> =>
        Effect.gen(function* () {
          for (let last = told; ; ) {
            if (last !== undefined) {
              if (isClosed()) return Option.none()
              yield* Queue.take(signal)
              if (isClosed()) return Option.none()
            }
            const value = yield* read
            const now: Told<A> = { value, epoch: live.epoch() }
            const change: Change<A> | undefined =
              last === undefined || last.epoch !== now.epoch
                ? { _tag: "Snapshot", value }
                : difference(last.value, value)
            if (change !== undefined) return Option.some([change, now] as const)
            last = now
          }
        })
      return Stream.unfoldEffect(undefined as Told<A> | undefined, next)
    })
  )
