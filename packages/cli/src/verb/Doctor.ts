import { Effect } from "effect"
export const doctor = (..._: ReadonlyArray<unknown>): Effect.Effect<void> => Effect.void
