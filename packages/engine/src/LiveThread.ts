/**
 * A thread that this process holds the right to write to.
 *
 * What it answers is what a replay of its log would answer: memory is folded from the records that the store gave back.
 * It belongs to the scopes that opened it; when the last of them closes, the turn that runs is ended and the right given
 * back. Handles of a closed thread fail with `ThreadClosed`.
 */
import type * as Compaction from "@skein/core/decide/Compaction"
import type * as Custom from "@skein/core/decide/Custom"
import type { Message as MailMessage } from "@skein/core/decide/Mail"
import type { Repair } from "@skein/core/decide/Repair"
import type { To } from "@skein/core/decide/Rollback"
import type { ModelContext } from "@skein/core/fold/ModelContext"
import type { ThreadState } from "@skein/core/fold/ThreadState"
import type { TokenUsage } from "@skein/core/fold/TokenUsage"
import type { Turn as ShownTurn } from "@skein/core/fold/view/Turn"
import type { Baseline } from "@skein/core/fold/WorldState"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import type { ReadError } from "@skein/store/StoreError"
import type { Effect, Queue, Scope, Stream } from "effect"
import type { CommandError, EngineError } from "./EngineError.js"
import type { At, Moment } from "./Moment.js"
import type { Notification, Status } from "./Notification.js"
import type { Change } from "./Patches.js"
import type { Ended, Prompt, PromptOptions, StartOptions, Turn, TurnSettings, Words, World } from "./Turn.js"

/** A live thread. */
export interface LiveThread {
  readonly id: string
  /** Where it stands in its tree of agents; `/root` for one that nobody spawned. */
  readonly path: string
  /** Whether it is stored nowhere. */
  readonly ephemeral: boolean

  /**
   * Starts a turn with what a user says, or, without words, with the mail that waits. Settings stick: what is not said is
   * as in the turn before. One append. The turn is ended as interrupted when the scope closes before it is over.
   *
   * Errors: `Conflict` while another turn runs, `InvalidRequest` for nothing said, a setting of no known shape, no model.
   */
  readonly startTurn: (
    words: Words | undefined,
    settings?: TurnSettings,
    options?: StartOptions
  ) => Effect.Effect<Turn, CommandError, Scope.Scope>

  /**
   * The same for a host that has to do something between the start and what the user says: `first` gets the turn (to
   * compact with the model of the turn before, thread-view §9), and words, world and settings are recorded behind it. If
   * it fails, the turn ends without them.
   */
  readonly startTurnAfter: <E, R>(
    first: (turn: Turn) => Effect.Effect<unknown, E, R>,
    words: Words | undefined,
    settings?: TurnSettings,
    options?: StartOptions
  ) => Effect.Effect<Turn, CommandError | E, R | Scope.Scope>

  /** Compacts the history as a turn of its own: what the host's model made of {@link prompt} takes its place. One append. */
  readonly compact: (
    variant: Compaction.Variant,
    options?: { readonly onActive?: "refuse" | "replace" | undefined; readonly startedAtMs?: number | undefined }
  ) => Effect.Effect<Ended, CommandError>

  /** Opens a new context window with nothing in it but the world, as a turn of its own. One append. */
  readonly newContextWindow: (options?: {
    readonly world?: World | undefined
    readonly onActive?: "refuse" | "replace" | undefined
  }) => Effect.Effect<Ended, CommandError>

  /**
   * Takes back the last turns, or a turn and what came after it. Gives the ids of the turns that are gone. Errors:
   * `Conflict` while a turn runs, `InvalidRequest` for a count below 1 or beyond the turns there are, `NotFound`.
   */
  readonly rollback: (to: To) => Effect.Effect<ReadonlyArray<string>, CommandError>

  /** Records an event of a kind that the host defines. Errors: `InvalidRequest` for a value that its schema refuses. */
  readonly custom: <A>(definition: Custom.Definition<A>, value: A) => Effect.Effect<void, CommandError>

  /** Records items of the model's history outside of turns; no client is shown them. */
  readonly injectItems: (items: ReadonlyArray<ResponseItem>) => Effect.Effect<void, CommandError>

  /** Takes in mail of another agent, or of the host. Mail that waits already is not taken in twice. */
  readonly receive: (message: Omit<MailMessage, "recipient">) => Effect.Effect<void, CommandError>

  /** Waits until mail starts a turn: it asks for one, and none runs. */
  readonly awaitWork: Effect.Effect<void, CommandError>

  /** Ends the turn that runs, whoever holds it. Gives its id; undefined when none ran. */
  readonly interrupt: Effect.Effect<string | undefined, CommandError>

  /** Everything that is folded from the log, as decisions see it. Of a long thread the newest part (`Moment`). */
  readonly state: Effect.Effect<ThreadState, CommandError>
  /** What the model is to see next, and what goes with it. */
  readonly context: Effect.Effect<ModelContext>
  /** The prompt as it is now; records nothing. */
  readonly prompt: (options?: PromptOptions) => Effect.Effect<Prompt>
  /** What clients are shown. Cost: the thread, the first time it is asked of a resumed one. */
  readonly turns: Effect.Effect<ReadonlyArray<ShownTurn>, CommandError>
  readonly tokenUsage: Effect.Effect<TokenUsage, CommandError>
  readonly status: Effect.Effect<Status>

  /** The state at an earlier place of the log. Cost: the log up to there. */
  readonly stateAt: (at: At) => Effect.Effect<Moment, EngineError>

  /**
   * What the next append begins with: the end of a turn whose process is gone, and the identity of a nameless window.
   * Shows as well how much mail waits.
   */
  readonly pending: Effect.Effect<Repair, CommandError>

  /** Reads on what other programs appended. */
  readonly refresh: Effect.Effect<void, CommandError>

  /** What happens from when the stream is run; it ends when the thread is closed here. */
  readonly events: Stream.Stream<Notification>
  /** The same from when the effect is run, as a queue. */
  readonly subscribe: Effect.Effect<Queue.Dequeue<Notification>, never, Scope.Scope>

  /** What the model was told of its world: as it is, then as RFC 6902 patches. */
  readonly worldChanges: Stream.Stream<Change<Baseline>>
  /** What clients are shown: as it is, then as RFC 6902 patches. */
  readonly turnChanges: Stream.Stream<Change<ReadonlyArray<ShownTurn>>, CommandError | ReadError>
}
