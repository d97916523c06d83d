/**
 * One queue of appends per thread: they keep the order in which they arrived, and those that go wherever the log ends
 * are committed together (group commit), so that many callers at once pay for one commit.
 */
import { Deferred, Effect, Exit } from "effect"
import type { AppendRequest, Batch, Driver } from "../Driver.js"
import type { Position } from "../Position.js"
import type { AppendError } from "../StoreError.js"

/** An append that waits for its turn. */
interface Waiting {
  readonly batch: Batch
  readonly expected: AppendRequest["expected"]
  readonly fence: number | undefined
  readonly done: Deferred.Deferred<Position, AppendError>
  /** Set when its caller went away before its turn came. */
  cancelled: boolean
}

/** Batches of a commit at most; more wait for the next one, so that no commit takes for ever. */
const largestGroup = 256

/** Appends to the threads of a driver. */
export interface Appender {
  /**
   * Gives the position behind the batch once it is durable. A caller that is interrupted while it waits appends nothing;
   * once its commit has begun, it comes to its end.
   */
  readonly append: (
    threadId: string,
    batch: Batch,
    expected: AppendRequest["expected"],
    fence: number | undefined
  ) => Effect.Effect<Position, AppendError>
}

/**
 * The queues of a driver.
 *
 * @param committed Told of each commit before its callers are.
 */
export const make = (driver: Driver, committed: (threadId: string) => Effect.Effect<void>): Appender => {
  const queues = new Map<string, Array<Waiting>>()

  const drain = (threadId: string, queue: Array<Waiting>): Effect.Effect<void> =>
    Effect.gen(function* () {
      for (;;) {
        const group = next(queue)
        if (group.length === 0) {
          queues.delete(threadId)
          return
        }
        yield* commit(threadId, group)
      }
    })

  const commit = (threadId: string, group: ReadonlyArray<Waiting>): Effect.Effect<void> =>
    Effect.gen(function* () {
      const [first] = group
      if (first === undefined) return
      const { expected, fence } = first
      const exit = yield* Effect.exit(
        driver.append({ threadId, expected, fence, batches: group.map(({ batch }) => batch) })
      )
      // One bad batch must not fail the others of its group; a store that does not answer fails them all.
      if (Exit.isFailure(exit) && group.length > 1 && !isUnavailable(exit)) {
        for (const one of group) yield* commit(threadId, [one])
        return
      }
      if (Exit.isSuccess(exit)) yield* committed(threadId)
      for (const [i, { done }] of group.entries()) {
        yield* Deferred.done(
          done,
          Exit.map(exit, (ends) => ends[i] as Position)
        )
      }
    })

  /** Waits for a commit that somebody else makes. */
  const wait = (
    queue: Array<Waiting>,
    waiting: Waiting,
    restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  ): Effect.Effect<Position, AppendError> => {
    queue.push(waiting)
    return restore(Deferred.await(waiting.done)).pipe(
      Effect.onInterrupt(() =>
        Effect.suspend(() => {
          waiting.cancelled = true
          // Taken out of the queue: its commit is under way, and its outcome is part of the interruption.
          return queue.includes(waiting) ? Effect.void : Effect.ignore(Deferred.await(waiting.done))
        })
      )
    )
  }

  /**
   * Makes a commit in the fiber of the caller who came first, which costs less than one of its own. Callers that are ready
   * at the same time get to the queue before it begins; those that come later are left to a fiber.
   */
  const lead = (threadId: string, waiting: Waiting): Effect.Effect<Position, AppendError> => {
    const queue = [waiting]
    queues.set(threadId, queue)
    return Effect.yieldNow().pipe(
      Effect.zipRight(Effect.suspend(() => commit(threadId, next(queue)))),
      Effect.ensuring(
        Effect.suspend(() => {
          if (queue.length > 0) return Effect.forkDaemon(drain(threadId, queue))
          queues.delete(threadId)
          return Effect.void
        })
      ),
      Effect.zipRight(Deferred.await(waiting.done))
    )
  }

  return {
    append: (threadId, batch, expected, fence) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Deferred.make<Position, AppendError>(), (done) => {
          const waiting: Waiting = { batch, expected, fence, done, cancelled: false }
          const queue = queues.get(threadId)
          return queue === undefined ? lead(threadId, waiting) : wait(queue, waiting, restore)
        })
      )
  }
}

const isUnavailable = (exit: Exit.Failure<unknown, AppendError>): boolean =>
  exit.cause._tag !== "Fail" || exit.cause.error._tag === "StoreUnavailable" || exit.cause.error._tag === "LeaseHeld"

/** Takes from a queue what can be committed together: the first append, and those behind it that go anywhere too. */
const next = (queue: Array<Waiting>): ReadonlyArray<Waiting> => {
  const group: Array<Waiting> = []
  while (queue.length > 0 && group.length < largestGroup) {
    const [waiting] = queue
    if (waiting === undefined) break
    if (waiting.cancelled) {
      queue.shift()
      continue
    }
    const [first] = group
    if (
      first !== undefined &&
      (first.expected !== "any" || waiting.expected !== "any" || waiting.fence !== first.fence)
    )
      break
    queue.shift()
    group.push(waiting)
  }
  return group
}
