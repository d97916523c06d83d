/**
 * One turn of a thread, as the host that runs it holds it: from what was said to what came of it.
 *
 * A turn belongs to a scope: when that closes and the turn still runs, it is ended as interrupted. What asks a model,
 * runs tools or asks for approval is the host; here is kept what came of it, and answered what the model must see next.
 *
 * Every command fails with `Conflict` once the turn is over, and has then recorded nothing.
 */
import type * as Agents from "@skein/core/decide/Agents"
import type * as Compaction from "@skein/core/decide/Compaction"
import type * as TokenStatus from "@skein/core/decide/TokenStatus"
import type { AbortReason } from "@skein/core/decide/TurnLifecycle"
import type { Settings } from "@skein/core/decide/TurnSettings"
import type * as WorldDecisions from "@skein/core/decide/World"
import type { TurnKind } from "@skein/core/fold/ActiveTurn"
import type { Status as WindowStatus } from "@skein/core/fold/ContextWindow"
import type { Selection } from "@skein/core/fold/ModeSelection"
import type { Options as MediaOptions } from "@skein/core/fold/Prompt"
import type { Policy } from "@skein/core/fold/Truncation"
import type { JsonObject } from "@skein/core/json/Json"
import type { ModeKind } from "@skein/core/record/Collaboration"
import type { ContentItem } from "@skein/core/record/Content"
import type { DynamicToolSpec } from "@skein/core/record/DynamicTool"
import type { ErrorBody } from "@skein/core/record/ErrorInfo"
import type { Message, ResponseItem } from "@skein/core/record/ResponseItem"
import type { TurnItem } from "@skein/core/record/TurnItem"
import type { RateLimits, TokenUsage } from "@skein/core/record/Usage"
import type { UserInput } from "@skein/core/record/UserInput"
import type { Duration, Effect } from "effect"
import type { CommandError } from "./EngineError.js"
import type { Announcement, Flag } from "./Notification.js"

/** What somebody says: a text, or parts. */
export type Words = string | ReadonlyArray<UserInput>

/** What else belongs to something said. */
export interface SayOptions {
  /** Default: a new UUID; it becomes the id of the item that clients are shown. */
  readonly id?: string | undefined
  /** The client's own name for it. */
  readonly clientId?: string | undefined
  /** What the model is to read instead, where files of the host have been read. */
  readonly message?: ReadonlyArray<ContentItem> | undefined
}

/** The world as it is now: an object with a key for each section, or sections with words and rules of their own. */
export type World = JsonObject | ReadonlyArray<WorldDecisions.Section>

/** Settings of a turn, in the words of the record; what is not said is as in the turn before. */
export type TurnSettings = Partial<Settings>

/** How a turn is started. */
export interface StartOptions extends SayOptions {
  /** Default: a new UUID. */
  readonly turnId?: string | undefined
  /** What to do when another turn runs: fail, or end that one as `replaced`. Default `refuse`. */
  readonly onActive?: "refuse" | "replace" | undefined
  readonly kind?: Exclude<TurnKind, "restore"> | undefined
  /** The world at the start of the turn: what changed is told in front of what the user says. */
  readonly world?: World | undefined
  /** The mode of delegation that the client selects from now on; null takes the selection back. */
  readonly select?: Selection | null | undefined
  /** Tokens that the model's context holds. */
  readonly contextWindow?: number | undefined
  readonly mode?: ModeKind | undefined
  /** The turn that it was started for, where that is another one. */
  readonly rootTurnId?: string | undefined
}

/** How a prompt is made. */
export interface PromptOptions extends MediaOptions {
  /** Outputs of tools are cut to it; nothing is stored cut. Default: as they were recorded. */
  readonly truncation?: Policy | undefined
  /** Whether the provider takes the fields that only OpenAI knows. Default yes. */
  readonly openAi?: boolean | undefined
}

/** What to send to a model. */
export interface Prompt {
  /** Every call with an output, every output with a call, and no media that the model cannot take. */
  readonly input: ReadonlyArray<ResponseItem>
  /** What the thread was started with. */
  readonly instructions: string | undefined
  readonly tools: ReadonlyArray<DynamicToolSpec>
}

/** A compaction in a turn. */
export interface CompactOptions {
  readonly phase: "pre_turn" | "mid_turn"
  /** The world, told anew in the new window; of a turn that goes on. */
  readonly world?: World | undefined
  /** Settings recorded again. Default: those of the turn. */
  readonly settings?: TurnSettings | undefined
  readonly startedAtMs?: number | undefined
}

/** What a host knows of its model before it asks it in a turn. */
export interface DueBefore {
  readonly model: string
  readonly compHash?: string | undefined
  /** Context window of this model, and of that of the turn before, in tokens. */
  readonly window?: number | undefined
  readonly previousWindow?: number | undefined
  /** The limit beyond which this model compacts by itself. */
  readonly autoLimit?: number | undefined
  readonly limits: TokenStatus.Limits
}

/** Words to another agent. */
export interface MailOptions {
  /** A path, or names below one's own. */
  readonly to: string
  readonly content: string
  /** What only the provider can read; then `content` is empty. */
  readonly encrypted?: string | undefined
  /** Whether it is work to be begun, and not just to be known. Default false. */
  readonly triggerTurn?: boolean | undefined
  /** The id of the call by which the model asked for it. Default: a new UUID. */
  readonly callId?: string | undefined
}

/** What came of a sleep. */
export interface Slept {
  readonly elapsedMs: number
  /** Whether something came in that ended it early. */
  readonly interrupted: boolean
  /** The output of the call, as the model reads it. */
  readonly output: string
}

/** How a turn ended. */
export interface Ended {
  /** Whether mail waits that starts a turn now. */
  readonly startsTurn: boolean
}

/** A turn that runs. */
export interface Turn {
  readonly id: string
  readonly threadId: string

  /** Says something into the turn; its next step tells it. It ends a sleep. Errors: `Conflict`, `InvalidRequest`. */
  readonly steer: (words: Words, options?: SayOptions) => Effect.Effect<void, CommandError>

  /** Puts items of the host into the turn; its next step tells them. */
  readonly inject: (
    items: ReadonlyArray<ResponseItem>,
    options?: { readonly id?: string | undefined }
  ) => Effect.Effect<void, CommandError>

  /**
   * A step begins: what waits is recorded as told (steered input, mail of this turn), and the whole prompt is given.
   * Cost: the open context window.
   */
  readonly context: (options?: PromptOptions) => Effect.Effect<Prompt, CommandError>

  /**
   * Tells the model what changed in its world since it was told last, and records it. Gives the messages, which are part
   * of the next prompt; undefined when there is nothing to tell. Errors: `InvalidRequest` for a world that is no object,
   * holds a null, something that is no JSON, or the same section twice. Members that are undefined are not there.
   */
  readonly world: (
    world: World,
    options?: Pick<WorldDecisions.Command, "nulls">
  ) => Effect.Effect<ReadonlyArray<Message> | undefined, CommandError>

  /** Records items of the model's history, and what clients are shown of them. */
  readonly record: (
    items: ReadonlyArray<ResponseItem>,
    options?: { readonly rawReasoning?: boolean | undefined }
  ) => Effect.Effect<void, CommandError>

  /** Records what a response used. The total is that of input and output unless it is said. */
  readonly usage: (
    counts: Partial<TokenUsage>,
    options?: { readonly contextWindow?: number | undefined; readonly rateLimits?: RateLimits | undefined }
  ) => Effect.Effect<void, CommandError>

  /** Tells clients that something begins; kept nowhere. A second start of one item is not told. */
  readonly itemStarted: (
    item: TurnItem,
    options?: { readonly startedAtMs?: number | undefined }
  ) => Effect.Effect<void, CommandError>

  /** Records something that is done, or its newest state. `turnId`: an earlier turn that it belongs to. */
  readonly itemCompleted: (
    item: TurnItem,
    options?: {
      readonly startedAtMs?: number | undefined
      readonly rawReasoning?: boolean | undefined
      readonly turnId?: string | undefined
    }
  ) => Effect.Effect<void, CommandError>

  /** Tells clients something that is kept nowhere. Safety metadata that was told already is not told again. */
  readonly announce: (what: Announcement) => Effect.Effect<void, CommandError>

  /** Runs an effect while the thread is shown as waiting for somebody. */
  readonly waitingFor: <A, E, R>(flag: Flag, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

  /** How full the context window is. */
  readonly window: (limits: TokenStatus.Limits) => Effect.Effect<WindowStatus>

  /** The compaction that is due before the model is asked (replay-semantics §6); ask again behind it. */
  readonly dueBefore: (facts: DueBefore) => Effect.Effect<Compaction.Trigger | undefined>

  /** The compaction that is due between two steps. */
  readonly dueAfter: (facts: {
    readonly continues: boolean
    readonly limits: TokenStatus.Limits
  }) => Effect.Effect<Compaction.Trigger | undefined>

  /** Compacts the history within the turn: what the host's model made of it takes its place, in a new window. */
  readonly compact: (variant: Compaction.Variant, options: CompactOptions) => Effect.Effect<void, CommandError>

  /** Asks for a new window, which begins with the next compaction; or notes that the model was reminded of its limit. */
  readonly note: (what: "new_window" | "reminded" | "fallback") => Effect.Effect<void, CommandError>

  /** Sends mail to another agent of the tree that lives in this process. Gives where it went. */
  readonly send: (
    mail: MailOptions
  ) => Effect.Effect<{ readonly path: string; readonly threadId: string }, CommandError>

  /** Stops what another agent does. It is no error when that is gone or idle already. */
  readonly interrupt: (
    to: string,
    options?: { readonly callId?: string | undefined }
  ) => Effect.Effect<void, CommandError>

  /** Records something that an agent did to another, where that was not done by {@link send} or {@link interrupt}. */
  readonly activity: (activity: Agents.Activity) => Effect.Effect<void, CommandError>

  /**
   * Waits, up to twelve hours; steered input and any mail end it early. The wait is shown as an item. Errors:
   * `InvalidRequest` outside of 1 ms and twelve hours, `Conflict` when the turn ends meanwhile.
   */
  readonly sleep: (
    duration: Duration.DurationInput,
    options?: { readonly callId?: string | undefined }
  ) => Effect.Effect<Slept, CommandError>

  /** Ends the turn; what still waits to be told in it is told first. With an error it has failed. */
  readonly complete: (options?: {
    readonly error?: ErrorBody | undefined
    readonly lastMessage?: string | undefined
    readonly timeToFirstTokenMs?: number | undefined
  }) => Effect.Effect<Ended, CommandError>

  /** Stops the turn. Default reason `interrupted`, which the model is told. */
  readonly abort: (reason?: AbortReason) => Effect.Effect<Ended, CommandError>
}
