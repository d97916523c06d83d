/** Wakes those who wait for a thread to change, in one process. */
import { Deferred, Effect } from "effect"

/** The waiting ones, by thread. */
export interface Signals {
  /** Completes at the next change from now on. */
  readonly next: (threadId: string) => Effect.Effect<Deferred.Deferred<void>>
  /** Says that a thread changed. */
  readonly notify: (threadId: string) => Effect.Effect<void>
}

export const make = (): Signals => {
  const waiting = new Map<string, Deferred.Deferred<void>>()
  return {
    next: (threadId) =>
      Effect.gen(function* () {
        const known = waiting.get(threadId)
        if (known !== undefined) return known
        const made = yield* Deferred.make<void>()
        const meanwhile = waiting.get(threadId)
        if (meanwhile !== undefined) return meanwhile
        waiting.set(threadId, made)
        return made
      }),
    notify: (threadId) =>
      Effect.suspend(() => {
        const deferred = waiting.get(threadId)
        waiting.delete(threadId)
        return deferred === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(deferred, undefined))
      })
  }
}
