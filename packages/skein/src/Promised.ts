/**
 * What becomes of an operation of the engine for hosts that have promises: its effects are promises, its streams are
 * async iterables, and what it fails with is what they reject with.
 */
import type { Effect, Stream } from "effect"

/** How something that waits is told to stop waiting. */
export interface Waiting {
  /** When it is aborted, the promise rejects with its reason, and nothing is left behind. */
  readonly signal?: AbortSignal | undefined
}

/** A member of an interface of the engine. */
export type Member<M> = M extends (...args: infer Args) => Effect.Effect<infer A, unknown, unknown>
  ? (...args: Args) => Promise<A>
  : M extends (...args: infer Args) => Stream.Stream<infer A, unknown, unknown>
    ? (...args: Args) => AsyncIterable<A>
    : M extends Effect.Effect<infer A, unknown, unknown>
      ? () => Promise<A>
      : M extends Stream.Stream<infer A, unknown, unknown>
        ? (waiting?: Waiting) => AsyncIterable<A>
        : M

/** An interface of the engine, member by member. */
export type Promised<T> = { readonly [K in keyof T]: Member<T[K]> }
