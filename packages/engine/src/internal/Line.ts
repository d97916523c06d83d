/**
 * A line in which effects wait for each other: one after the other, in the order in which they came.
 *
 * Whoever is done hands over to the next one, so nobody who comes later goes first; with a semaphore, a fiber that gives
 * one command after the other would keep all others waiting. Who need not wait takes no detour.
 */
import { type Cause, Deferred, Effect, FiberId } from "effect"

/** A line. */
export interface Line {
  /** Runs an effect when it is its turn. Who is interrupted while waiting leaves the line. */
  readonly alone: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** A line in which nobody waits. */
export const make = (): Line => {
  let isTaken = false
  const waiting: Array<Deferred.Deferred<void>> = []

  const handOver = (): void => {
    const next = waiting.shift()
    if (next === undefined) isTaken = false
    else Deferred.unsafeDone(next, Effect.void)
  }

  const thenHandOver = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.matchCauseEffect(effect, {
      onSuccess: (value) => {
        handOver()
        return Effect.succeed(value)
      },
      onFailure: (cause) => {
        handOver()
        return Effect.failCause(cause)
      }
    })

  /** Whoever was let in and does not come any more lets the next one in. */
  const leave = (turn: Deferred.Deferred<void>, cause: Cause.Cause<never>): Effect.Effect<never> => {
    const at = waiting.indexOf(turn)
    if (at < 0) handOver()
    else waiting.splice(at, 1)
    return Effect.failCause(cause)
  }

  return {
    alone: (effect) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.suspend(() => {
          if (!isTaken) {
            isTaken = true
            return thenHandOver(restore(effect))
          }
          const turn = Deferred.unsafeMake<void>(FiberId.none)
          waiting.push(turn)
          return Effect.matchCauseEffect(restore(Deferred.await(turn)), {
            onSuccess: () => thenHandOver(restore(effect)),
            onFailure: (cause) => leave(turn, cause)
          })
        })
      )
  }
}
