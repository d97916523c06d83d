/** Runs what the engine gives as effects and streams for a handle of a host that has promises. */
import { Cause, Effect, ExecutionStrategy, Exit, Option, Runtime, Scope, Stream } from "effect"
import type { Promised, Waiting } from "../Promised.js"

/** How an operation is run. */
export interface RunOptions extends Waiting {
  /** Whether it waits for something that may never come, and so ends when the handle is closed. Default no. */
  readonly waits?: boolean | undefined
  /** Whether it is run though the handle is closed, which does not wait for it. Default no. */
  readonly always?: boolean | undefined
}

/** How a stream is run. */
export interface IterateOptions extends Waiting {
  /** Whether it follows something: then it ends when the handle is closed; else that is an error. Default no. */
  readonly follows?: boolean | undefined
}

/** Runs operations for as long as its handle is open. */
export interface Runner {
  readonly run: <A, E>(operation: string, effect: Effect.Effect<A, E>, options?: RunOptions) => Promise<A>
  readonly iterate: <A, E>(operation: string, stream: Stream.Stream<A, E>, options?: IterateOptions) => AsyncIterable<A>
  /** Runs what does not wait, at once. */
  readonly now: <A>(effect: Effect.Effect<A>) => A
  /** What is opened here is closed with the handle. */
  readonly scope: Scope.Scope
  /** A runner for a handle that is closed before this one. */
  readonly fork: (refuse: (operation: string) => unknown) => Runner
  /** Has something done when everything is closed. Gives what takes that back. */
  readonly afterClose: (work: () => Promise<void>) => () => void
  readonly isClosed: () => boolean
  /**
   * Refuses all that comes, stops what waits, lets what has begun come to its end, closes what was opened. Done when
   * that is done; so is a second call.
   */
  readonly close: () => Promise<void>
}

/** @param refuse The error of an operation that comes when the handle is closed. */
export const make = (
  runtime: Runtime.Runtime<never>,
  scope: Scope.CloseableScope,
  refuse: (operation: string) => unknown,
  parent?: Runner,
  forget: () => void = () => {}
): Runner => {
  const closing = new AbortController()
  let closed: Promise<void> | undefined
  const isClosed = (): boolean => closed !== undefined || parent?.isClosed() === true
  const forks = new Set<Runner>()
  /** What has begun and comes to its end. */
  const running = new Set<Promise<unknown>>()
  const last = new Set<() => Promise<void>>()

  const closeAll = async (): Promise<void> => {
    closing.abort()
    await Promise.allSettled(running)
    for (const one of [...forks].reverse()) await one.close()
    await Runtime.runPromise(runtime, Scope.close(scope, Exit.void))
    for (const work of last) await work()
    forget()
  }

  const run: Runner["run"] = async (operation, effect, { always = false, signal, waits = false } = {}) => {
    if (isClosed() && !always) throw refuse(operation)
    signal?.throwIfAborted()
    const signals = [...(signal === undefined ? [] : [signal]), ...(waits ? [closing.signal] : [])]
    const [only] = signals
    const stop = signals.length > 1 ? AbortSignal.any(signals) : only
    const ending = Runtime.runPromiseExit(runtime, effect, stop === undefined ? {} : { signal: stop })
    if (!waits && !always) running.add(ending)
    const exit = await ending
    running.delete(ending)
    if (Exit.isSuccess(exit)) return exit.value
    if (Cause.isInterruptedOnly(exit.cause)) throw signal?.aborted === true ? signal.reason : refuse(operation)
    throw Cause.squash(exit.cause)
  }

  async function* iterate<A, E>(
    operation: string,
    stream: Stream.Stream<A, E>,
    { follows = false, signal }: IterateOptions,
    refused: unknown
  ): AsyncGenerator<A, void, void> {
    if (refused !== undefined) throw refused
    if (isClosed() && follows) return
    const own = await run(operation, Scope.fork(scope, ExecutionStrategy.sequential), { signal })
    try {
      const pull = await run(operation, Scope.extend(Stream.toPull(stream), own), { signal })
      const next = Effect.catchAll(
        pull,
        Option.match({ onNone: () => Effect.succeed(undefined), onSome: (error) => Effect.fail(error) })
      )
      for (;;) {
        const chunk = await run(operation, next, { signal, waits: true }).catch((error: unknown) => {
          if (follows && isClosed() && signal?.aborted !== true) return undefined
          throw error
        })
        if (chunk === undefined) return
        yield* chunk
      }
    } finally {
      await Runtime.runPromise(runtime, Scope.close(own, Exit.void))
    }
  }

  const self: Runner = {
    run,
    iterate: (operation, stream, options = {}) =>
      iterate(operation, stream, options, isClosed() ? refuse(operation) : undefined),
    now: (effect) => Runtime.runSync(runtime, effect),
    scope,
    fork: (refuseThere) => {
      const own = Runtime.runSync(runtime, Scope.fork(scope, ExecutionStrategy.sequential))
      const forked: Runner = make(runtime, own, refuseThere, self, () => forks.delete(forked))
      forks.add(forked)
      return forked
    },
    afterClose: (work) => {
      last.add(work)
      return () => last.delete(work)
    },
    isClosed,
    close: () => {
      closed ??= Promise.resolve().then(closeAll)
      return closed
    }
  }
  return self
}

/** The members of an interface of the engine, each as {@link Promised} says. What is overridden is left to the caller. */
export const promised = <T extends object>(source: T, runner: Runner): Promised<T> =>
  Object.fromEntries(
    Object.entries(source).map(([name, member]: [string, unknown]) => {
      if (Effect.isEffect(member)) return [name, () => answer(name, member, runner)]
      if (isStream(member)) return [name, (waiting?: Waiting) => answer(name, member, runner, waiting)]
      if (typeof member !== "function") return [name, member]
      return [name, (...args: ReadonlyArray<unknown>) => answer(name, member.apply(source, args), runner)]
    })
  ) as Promised<T>

const answer = (name: string, given: unknown, runner: Runner, waiting: Waiting = {}): unknown =>
  isStream(given)
    ? runner.iterate(name, given, { ...waiting, follows: true })
    : runner.run(name, given as Effect.Effect<unknown, unknown>)

const isStream = (value: unknown): value is Stream.Stream<unknown, unknown> =>
  typeof value === "object" && value !== null && Stream.StreamTypeId in value
