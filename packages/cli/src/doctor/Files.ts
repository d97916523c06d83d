import { Effect } from "effect"
import type { Finding, Repair } from "./Finding.js"
export const check = (_: string): Effect.Effect<ReadonlyArray<Finding>> => Effect.succeed([])
export const repair = (_: string): Effect.Effect<Repair> => Effect.succeed({ backup: null, done: [], losses: [] })
