/**
 * Tells subscribers what happens. Nobody is waited for: each has a queue of its own, and one that is too slow is told how
 * much it missed.
 */
import { Effect, Queue, type Scope } from "effect"
import type { Notification } from "../Notification.js"

/** Notifications that wait for one subscriber at most. */
export const defaultCapacity = 16_384

/** The subscribers of a process. */
export interface Hub {
  /** Tells all subscribers that want to hear of the thread. */
  readonly publish: (notifications: ReadonlyArray<Notification>) => Effect.Effect<void>
  /**
   * What is told from now on, of one thread or of all. The queue of a thread's subscriber ends when the thread is closed
   * here. Taken back when the scope closes.
   */
  readonly subscribe: (threadId?: string) => Effect.Effect<Queue.Dequeue<Notification>, never, Scope.Scope>
}

interface Subscriber {
  readonly threadId: string | undefined
  readonly queue: Queue.Queue<Notification>
}

/** A hub without subscribers. */
export const make = (capacity = defaultCapacity): Hub => {
  const subscribers = new Set<Subscriber>()

  const tell = ({ queue, threadId }: Subscriber, all: ReadonlyArray<Notification>): Effect.Effect<void> =>
    Effect.gen(function* () {
      const wanted = threadId === undefined ? all : all.filter((one) => one.threadId === threadId)
      if (wanted.length === 0) return
      const size = queue.unsafeSize()
      if (size._tag === "Some" && size.value + wanted.length > capacity) {
        const dropped = yield* Queue.takeAll(queue)
        let count = wanted.length
        for (const one of dropped) count += one.type === "events/missed" ? one.count : 1
        yield* Queue.offer(queue, { type: "events/missed", threadId, count })
      } else yield* Queue.offerAll(queue, wanted)
    })

  return {
    publish: (notifications) =>
      Effect.suspend(() =>
        notifications.length === 0 || subscribers.size === 0
          ? Effect.void
          : Effect.forEach([...subscribers], (subscriber) => tell(subscriber, notifications), { discard: true })
      ),
    subscribe: (threadId) =>
      Effect.map(
        Effect.acquireRelease(
          Effect.map(Queue.unbounded<Notification>(), (queue): Subscriber => {
            const subscriber = { threadId, queue }
            subscribers.add(subscriber)
            return subscriber
          }),
          (subscriber) =>
            Effect.suspend(() => {
              subscribers.delete(subscriber)
              return Queue.shutdown(subscriber.queue)
            })
        ),
        ({ queue }) => queue
      )
  }
}
