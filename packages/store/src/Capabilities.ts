/** What a store can do beyond what every store does, as data: nobody asks a store for its name. */
import type { HistoryMode } from "@skein/core/record/SessionMeta"

/**
 * How long an acknowledged append is safe: `process`: as long as the process lives; `os`: it survives the death of the
 * process; `fsync`: it survives the loss of power.
 */
export type Durability = "process" | "os" | "fsync"

/** The capabilities of a store. */
export interface Capabilities {
  /** Whether forks and reverts of threads of a mode share what they inherit, so that they cost the same at any length. */
  readonly sharedPrefixes: Readonly<Record<HistoryMode, boolean>>
  /** Whether several processes may use the same store at once. */
  readonly multiProcess: boolean
  /** Whose appends a follower hears of: those of its own process, or of every process of the machine. */
  readonly follow: "process" | "machine"
  readonly durability: Durability
  /** What becomes of segments that others stand on when their thread is deleted, unless the caller says otherwise. */
  readonly sharedOnDelete: "keep" | "materialise"
  /** Whether a copy of the store can be made while it is used. */
  readonly backup: boolean
}
