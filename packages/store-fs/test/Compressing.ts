/** Compressing the threads of a home as the worker does, with what a test wants to come in between. */
import type { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import type { StoreError } from "@skein/store/StoreError"
import { type Clock, Effect, type Layer, type Scope } from "effect"
import * as Compress from "../src/internal/Compress.js"
import * as Opened from "../src/internal/Opened.js"
import { type Safeguard, Trial, type TrialService } from "../src/internal/Trial.js"

/** A compressor with a home open. */
export interface Compressor {
  /** Compresses every file that it can; gives what became of each. */
  readonly run: (options?: Partial<Compress.Options>) => Effect.Effect<ReadonlyArray<Compress.Outcome>, StoreError>
}

/** A compressor over a home of the real disk, or of what is provided. */
export const open = (
  home: string,
  context: Layer.Layer<FileSystem.FileSystem | Path.Path> = NodeContext.layer
): Effect.Effect<Compressor, StoreError, Scope.Scope> =>
  Effect.map(Effect.provide(Opened.open({ home }), context), ({ home: opened, lanes }) => ({
    run: (options = {}) =>
      Effect.gen(function* () {
        yield* opened.catalog.walk
        const files = [...opened.catalog.threads()].flatMap(({ all }) => all).filter(({ compressed }) => !compressed)
        return yield* Effect.forEach(files, (file) =>
          Compress.compress(lanes.tools, file, {
            changedBefore: Number.POSITIVE_INFINITY,
            alone: lanes.alone,
            ...options
          })
        )
      })
  }))

/** Compresses all of a home once. */
export const once = (home: string, options: Partial<Compress.Options> = {}) =>
  Effect.scoped(Effect.flatMap(open(home), ({ run }) => run(options)))

/** The results of outcomes. */
export const results = (outcomes: ReadonlyArray<Compress.Outcome>): ReadonlyArray<Compress.Result> =>
  outcomes.map(({ result }) => result)

/** Does something in a trial. */
export const tried = <A, E, R>(trial: Partial<TrialService>, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Trial, { between: () => Effect.void, without: new Set<Safeguard>(), ...trial })

/** A clock that a test can put forward. */
export const clock = (base: Clock.Clock): { readonly clock: Clock.Clock; readonly forward: (ms: number) => void } => {
  let ahead = 0
  const now = (): number => base.unsafeCurrentTimeMillis() + ahead
  return {
    clock: {
      ...base,
      unsafeCurrentTimeMillis: now,
      currentTimeMillis: Effect.sync(now),
      sleep: (time) => base.sleep(time)
    },
    forward: (ms) => {
      ahead += ms
    }
  }
}
