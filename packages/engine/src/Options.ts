/** How threads are hosted: what a host says once, for all its threads. */
import type * as Custom from "@skein/core/decide/Custom"
import type * as Delegation from "@skein/core/decide/Delegation"
import type * as Originator from "@skein/core/decide/Originator"
import type { Registry } from "@skein/core/fold/Fragment"
import type { TurnFacts } from "@skein/core/fold/MultiAgent"
import type { LeaseOptions } from "@skein/store/ThreadStore"
import type { Redact } from "./Redaction.js"

/** Everything is optional. */
export interface Options {
  /** What is kept out of the logs ({@link Redact}). */
  readonly redact?: Redact | undefined
  /** Which texts are context and not somebody's words. Default: those of the newest reference release. */
  readonly registry?: Registry | undefined
  /** Tokens of user text that a compaction without recorded history keeps (replay-semantics §1.4). */
  readonly rebuildTokens?: number | undefined
  /** The kinds of records that this host defines itself. */
  readonly customs?: Custom.Registry | undefined
  /** What is done with a host's own records of a kind or version that it does not know. Default `warn`. */
  readonly unknown?: Custom.Policy | undefined
  /** What decides which multi-agent runtime a turn has. Default: none is on. */
  readonly agents?: (Partial<TurnFacts> & { readonly rule?: Delegation.Rule | undefined }) | undefined
  /** What decides under which name requests are made; a thread's own service name comes with its start. */
  readonly originator?:
    | (Partial<Pick<Originator.Candidates, "environment" | "processDefault">> & {
        readonly rule?: Originator.Rule | undefined
      })
    | undefined
  readonly lease?: LeaseOptions | undefined
  /** Notifications that wait for one subscriber at most, before it is told that it missed some. Default 16 384. */
  readonly capacity?: number | undefined
}
