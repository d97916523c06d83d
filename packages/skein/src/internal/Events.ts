/** What happens, from the call on and not from when it is first asked for. */
import type { Notification } from "@skein/engine/Notification"
import type { Threads } from "@skein/engine/Threads"
import { type Context, Effect, Exit, Queue, Scope } from "effect"
import type { Waiting } from "../Promised.js"
import type { Runner } from "./Runner.js"

/**
 * Everything that a subscriber is told from now on. When the handle is closed it ends, behind what closing told; what
 * nobody has asked for until then can still be read.
 */
export const fromNow = (
  subscribe: Context.Tag.Service<Threads>["subscribe"],
  runner: Runner,
  { signal }: Waiting,
  isLast: (one: Notification) => boolean
): AsyncIterable<Notification> => {
  if (runner.isClosed()) return refused(runner)
  const scope = runner.now(Scope.make())
  const queue = runner.now(Scope.extend(subscribe, scope))
  let rest: ReadonlyArray<Notification> | undefined

  const leave = async (): Promise<void> => {
    if (rest !== undefined) return
    rest = [...runner.now(Queue.takeAll(queue))]
    forget()
    await runner.run("events", Scope.close(scope, Exit.void), { always: true })
  }
  const forget = runner.afterClose(leave)

  const next = async (): Promise<Iterable<Notification>> => {
    try {
      return await runner.run("events", Queue.takeBetween(queue, 1, 1000), { signal, always: true })
    } catch (error) {
      if (rest === undefined || signal?.aborted === true) throw error
      return []
    }
  }

  async function* told(): AsyncGenerator<Notification, void, void> {
    try {
      while (rest === undefined) {
        for (const one of await next()) {
          yield one
          if (isLast(one)) return
        }
      }
      yield* rest
    } finally {
      await leave()
    }
  }
  return told()
}

/** Rejects as everything else of a closed handle. */
async function* refused(runner: Runner): AsyncGenerator<Notification, void, void> {
  yield* await runner.run<ReadonlyArray<Notification>, never>("events", Effect.succeed([]))
}
