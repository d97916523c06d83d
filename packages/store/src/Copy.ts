/**
 * Copies of threads from one store to another, line for line: segments stay segments, names and the archive are kept,
 * and every thread is read back and compared by hash.
 *
 * Nothing is ever overwritten, and what is there already is left, so that a copy that was cut short is done again with
 * the same words. What goes wrong with one thread does not keep the others back.
 */
import { Effect } from "effect"
import * as CopyPlan from "./internal/CopyPlan.js"
import * as CopyThread from "./internal/CopyThread.js"
import type { InvalidRequest, StoreError, StoreUnavailable } from "./StoreError.js"
import type { SummaryQuery } from "./SummaryQuery.js"
import type { ThreadStoreService } from "./ThreadStore.js"

/** Which threads; without ids and query all of them, hidden and archived ones too. */
export interface Selection {
  readonly ids?: ReadonlyArray<string> | undefined
  /** Its cursor and page size do not count: every thread that passes is chosen. */
  readonly query?: SummaryQuery | undefined
}

/** A thread that is to be copied. */
export interface Planned {
  readonly threadId: string
  /** Its name, else its preview; empty when it has neither. */
  readonly title: string
  readonly segments: number
  /** Bytes of content, decoded. */
  readonly bytes: number
  /** Whether the other store has a thread of this id: then the two are compared, and only what is missing is written. */
  readonly isThere: boolean
  /** The thread that stands on it, when it was not chosen itself. */
  readonly neededBy: string | undefined
  /**
   * Whether it is a segment that a deleted thread left to those that stand on it. In the other store it is a thread of
   * its own until those are there, and is then deleted too.
   */
  readonly isRemnant: boolean
}

/** A thread that was not copied, and why. */
export interface Failed {
  readonly _tag: "Failed"
  readonly threadId: string
  readonly error: StoreError
}

/** What a copy will do, in its order: what others stand on comes first. */
export interface Plan {
  readonly threads: ReadonlyArray<Planned>
  /** Threads that were chosen and cannot be read. */
  readonly failed: ReadonlyArray<Failed>
  /** Bytes of all threads. */
  readonly bytes: number
}

/** Lines that are the same in both stores. */
export interface Verified {
  /** Of a thread that the other store keeps in one piece, with what it inherits: the newest one. */
  readonly segmentId: string
  /** Over each line that is not blank and a line feed. */
  readonly sha256: string
  /** Lines that are not blank. */
  readonly lines: number
}

/** It is in the other store, and was compared. */
export interface Kept {
  /** `Copied`: all of it was written, or what an earlier copy had left. `Same`: it was there. */
  readonly _tag: "Copied" | "Same"
  readonly threadId: string
  readonly segments: ReadonlyArray<Verified>
  readonly bytes: number
  /** What the first store itself had lost of it. */
  readonly losses: ReadonlyArray<string>
}

/** It is in the other store and is not the same there. It was left as it is. */
export interface Differs {
  readonly _tag: "Differs"
  readonly threadId: string
  readonly differences: ReadonlyArray<string>
}

/** What became of a thread. */
export type Outcome = Kept | Differs | Failed

/** How far a copy is. */
export interface Progress {
  readonly threadId: string
  /** Threads that are done, and all. */
  readonly done: number
  readonly threads: number
  /** Bytes read and written, and about how many it will have been at the end. */
  readonly bytes: number
  readonly total: number
}

/** Who is told how a copy goes. */
export interface Options {
  /** Called often. */
  readonly progress?: ((progress: Progress) => void) | undefined
  /** Told of each thread once it is done. */
  readonly done?: ((outcome: Outcome) => Effect.Effect<void>) | undefined
}

/**
 * What a copy would do. Threads that the chosen ones stand on are in it, where the other store lets threads of their
 * mode stand on others; else they go there with all that they inherit. Writes nothing. Cost: the rows of the threads
 * and the headers of their segments; those of every thread where a base is no thread but a later segment of one.
 */
export const plan: (
  from: ThreadStoreService,
  to: ThreadStoreService,
  selection?: Selection
) => Effect.Effect<Plan, InvalidRequest | StoreUnavailable> = CopyPlan.make

/**
 * Does what a plan says, one thread after the other. Cost: a thread is read twice and written once, and what was written
 * is read back; one that is there already is read once in each store. Memory: what the stores take to read a thread.
 */
export const run = (
  from: ThreadStoreService,
  to: ThreadStoreService,
  { failed, threads }: Plan,
  { done = () => Effect.void, progress = () => undefined }: Options = {}
): Effect.Effect<ReadonlyArray<Outcome>> => {
  const outcomes: Array<Outcome> = []
  const tell = (outcome: Outcome): Effect.Effect<void> => {
    outcomes.push(outcome)
    return done(outcome)
  }
  const total = threads.reduce((sum, { bytes, isThere }) => sum + bytes * (isThere ? 2 : 3), 0)
  // A remnant that was a thread there before this copy is none of its business.
  const remnants: Array<string> = []
  return Effect.gen(function* () {
    yield* Effect.forEach(failed, tell)
    let bytes = 0
    for (const [index, planned] of threads.entries()) {
      const { isRemnant, threadId } = planned
      const outcome = yield* CopyThread.copy(from, to, planned, (count) => {
        bytes += count
        progress({ threadId, done: index, threads: threads.length, bytes: Math.min(bytes, total), total })
      })
      if (isRemnant && outcome._tag === "Copied") remnants.push(threadId)
      yield* tell(outcome)
    }
    progress({ threadId: "", done: threads.length, threads: threads.length, bytes: total, total })
    return outcomes
  }).pipe(
    Effect.ensuring(
      Effect.forEach(remnants, (id) => Effect.ignore(to.delete(id, { subtree: false })), { discard: true })
    )
  )
}

/** Whether a copy left nothing to be done and nothing to be told. */
export const isWhole = (outcomes: ReadonlyArray<Outcome>): boolean =>
  outcomes.every((outcome) => (outcome._tag === "Copied" || outcome._tag === "Same") && outcome.losses.length === 0)
