/**
 * How tests hold the store to its word: they choose what comes in between two steps, and take a safeguard away to see that
 * its loss is found. Nothing of it is there outside of tests.
 */
import { Context, Effect } from "effect"

/** A safeguard. `lease`: appends and compression exclude each other. `look`: a write is looked at before it counts. */
export type Safeguard = "lease" | "look"

/** What a test has to say. */
export interface TrialService {
  /** Comes between two steps. */
  readonly between: (step: string) => Effect.Effect<void>
  /** Safeguards that are not there. */
  readonly without: ReadonlySet<Safeguard>
}

const none: TrialService = { between: () => Effect.void, without: new Set() }

/** The trial that a store is opened in. */
export class Trial extends Context.Reference<Trial>()("@skein/store-fs/internal/Trial", {
  defaultValue: () => none
}) {}
