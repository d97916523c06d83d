/** A store that fails where a test says so: before an operation, behind it, or for good. */
import { AppendConflict, StoreUnavailable } from "@skein/store/StoreError"
import type { Lease, ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"

/** How an operation goes wrong. */
export type Fault =
  /** It does nothing and says so. */
  | "before"
  /** It is done, and its answer is lost. */
  | "behind"
  /** Its caller is interrupted while it is under way, before or behind it. */
  | "interrupted"
  | "interruptedBehind"

/** A store with a switch. */
export interface Faulty {
  readonly store: ThreadStoreService
  /** The `n`-th operation from now on goes wrong; 1 is the next one. */
  readonly arm: (n: number, fault: Fault) => void
  readonly disarm: () => void
  /** Whether the fault has struck. */
  readonly struck: () => boolean
  /** Nothing works any more: the process is gone. */
  readonly kill: () => void
  /** The lease that was taken last. */
  readonly lease: () => Lease | undefined
}

const gone = new StoreUnavailable({
  operation: "any",
  reason: "the store was told to fail",
  advice: "This is a test.",
  retryable: true,
  paths: []
})

/** The store with a switch in front of it. */
export const make = (base: ThreadStoreService): Faulty => {
  let armed: { left: number; readonly fault: Fault } | undefined
  let hasStruck = false
  let isDead = false
  let lease: Lease | undefined

  const through = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreUnavailable, R> =>
    Effect.suspend((): Effect.Effect<A, E | StoreUnavailable, R> => {
      if (isDead) return Effect.fail(gone)
      if (armed === undefined || --armed.left > 0) return effect
      const { fault } = armed
      armed = undefined
      hasStruck = true
      switch (fault) {
        case "before":
          return Effect.fail(gone)
        case "behind":
          return Effect.zipRight(effect, Effect.fail(gone))
        case "interrupted":
          return Effect.interrupt
        case "interruptedBehind":
          return Effect.zipRight(effect, Effect.interrupt)
      }
    })

  return {
    store: {
      ...base,
      create: (...args) => through(base.create(...args)),
      append: (...args) => through(base.append(...args)),
      open: (...args) => through(base.open(...args)),
      fork: (...args) => through(base.fork(...args)),
      revert: (...args) => through(base.revert(...args)),
      summary: (...args) => through(base.summary(...args)),
      updateSummary: (...args) => through(base.updateSummary(...args)),
      lease: (...args) =>
        Effect.tap(base.lease(...args), (taken) => {
          lease = taken
        })
    },
    arm: (left, fault) => {
      armed = { left, fault }
      hasStruck = false
    },
    disarm: () => {
      armed = undefined
    },
    struck: () => hasStruck,
    kill: () => {
      isDead = true
    },
    lease: () => lease
  }
}

/** For tests that look at errors. */
export { AppendConflict }
