/**
 * What a client of a thread is told, in the order in which it happens (thread-view §2.4, §2.5).
 *
 * Most of it follows from records and is told once they are stored: {@link apply} folds it to the turns that the store
 * shows. What is *transient* (beginnings, deltas, safety, moderation) is told and kept nowhere.
 */
import * as ChangeSet from "@skein/core/fold/view/ChangeSet"
import type { ThreadItem } from "@skein/core/fold/view/ThreadItem"
import type { Turn, TurnError } from "@skein/core/fold/view/Turn"
import type { ConflictReason } from "@skein/store/StoreError"
import type { Summary } from "@skein/store/Summary"

/** What an active thread waits for. */
export type Flag = "waitingOnApproval" | "waitingOnUserInput"

/** How a thread stands (thread-view §2.2). */
export type Status =
  | { readonly type: "notLoaded" | "idle" | "systemError" }
  | { readonly type: "active"; readonly activeFlags: ReadonlyArray<Flag> }

/** Counts of tokens as clients are told them. */
export interface Tokens {
  readonly totalTokens: number
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteInputTokens: number
  readonly outputTokens: number
  readonly reasoningOutputTokens: number
}

interface OfThread {
  readonly threadId: string
}

interface OfTurn extends OfThread {
  readonly turnId: string
}

interface OfItem extends OfTurn {
  readonly itemId: string
}

/** What happens to threads as such. */
export type ThreadNotification =
  /** A thread was started, forked, spawned or imported; it has no turns yet, or those it inherits. */
  | (OfThread & { readonly type: "thread/started"; readonly thread: Summary })
  | (OfThread & { readonly type: "thread/status/changed"; readonly status: Status })
  | (OfThread & { readonly type: "thread/archived" | "thread/unarchived" | "thread/deleted" | "thread/closed" })
  | (OfThread & { readonly type: "thread/name/updated"; readonly threadName: string | undefined })
  | (OfThread & {
      readonly type: "thread/tokenUsage/updated"
      /** Undefined when the thread was just opened. */
      readonly turnId: string | undefined
      readonly tokenUsage: {
        readonly total: Tokens
        readonly last: Tokens
        readonly modelContextWindow: number | undefined
      }
    })
  /**
   * Another program wrote to the log. `records`: so many were read on, and told of as if they were our own; undefined:
   * the log goes on elsewhere, so what was told does not hold and the thread is to be read anew.
   */
  | (OfThread & {
      readonly type: "thread/reloaded"
      readonly reason: ConflictReason | "unacknowledged" | "asked"
      readonly records: number | undefined
    })
  /** The right to append was lost: commands fail from now on. Close the thread here. */
  | (OfThread & { readonly type: "thread/leaseLost"; readonly message: string })

/** What follows from the records of turns. */
export type TurnNotification =
  | (OfThread & { readonly type: "turn/started" | "turn/completed"; readonly turn: Turn })
  | (OfTurn & { readonly type: "item/completed"; readonly item: ThreadItem; readonly completedAtMs: number })
  /** A rollback took these turns away. */
  | (OfThread & { readonly type: "turns/removed"; readonly turnIds: ReadonlyArray<string> })
  /** Something was said into a turn; its next step tells it. */
  | (OfTurn & { readonly type: "turn/steered"; readonly inputId: string })
  /** Mail came in. `startsTurn`: no turn runs, and it asks for one. */
  | (OfThread & {
      readonly type: "mail/received"
      readonly mailId: string
      readonly author: string
      readonly startsTurn: boolean
    })
  /** One of the host's own events was recorded. */
  | (OfThread & {
      readonly type: "custom"
      readonly kind: string
      readonly version: number
      readonly value: unknown
    })

/** What is told and kept nowhere, as a host says it of a turn. */
export type Transient =
  | (OfItem & { readonly type: "item/agentMessage/delta" | "item/plan/delta"; readonly delta: string })
  | (OfItem & {
      readonly type: "item/reasoning/summaryTextDelta"
      readonly delta: string
      readonly summaryIndex: number
    })
  | (OfItem & { readonly type: "item/reasoning/summaryPartAdded"; readonly summaryIndex: number })
  | (OfItem & { readonly type: "item/reasoning/textDelta"; readonly delta: string; readonly contentIndex: number })
  | (OfItem & { readonly type: "item/commandExecution/outputDelta"; readonly delta: string })
  | (OfItem & {
      readonly type: "item/commandExecution/terminalInteraction"
      readonly processId: string
      readonly stdin: string
    })
  | (OfItem & { readonly type: "item/fileChange/patchUpdated"; readonly changes: ReadonlyArray<unknown> })
  | (OfItem & { readonly type: "item/mcpToolCall/progress"; readonly message: string })
  | (OfTurn & { readonly type: "turn/diff/updated"; readonly diff: string })
  | (OfTurn & {
      readonly type: "turn/plan/updated"
      readonly explanation: string | undefined
      readonly plan: ReadonlyArray<{
        readonly step: string
        readonly status: "pending" | "inProgress" | "completed"
      }>
    })
  /** A failure. With `willRetry` the turn goes on. */
  | (OfTurn & { readonly type: "error"; readonly error: TurnError; readonly willRetry: boolean })
  | (OfTurn & {
      readonly type: "model/safetyBuffering/updated"
      readonly model: string
      readonly useCases: ReadonlyArray<string>
      readonly reasons: ReadonlyArray<string>
      readonly showBufferingUi?: boolean | undefined
      readonly fasterModel?: string | undefined
    })
  | (OfTurn & { readonly type: "turn/moderationMetadata"; readonly metadata: unknown })
  | (OfTurn & {
      readonly type: "model/rerouted"
      readonly fromModel: string
      readonly toModel: string
      readonly reason: string
    })
  | (OfTurn & { readonly type: "warning"; readonly message: string })

/** What is told and kept nowhere, as this package says it. */
export type Told =
  | (OfTurn & { readonly type: "item/started"; readonly item: ThreadItem; readonly startedAtMs: number })
  /** This subscriber was too slow: so many notifications were let go of. Read the thread anew. */
  | { readonly type: "events/missed"; readonly threadId: string | undefined; readonly count: number }

/** Anything that a client is told. */
export type Notification = ThreadNotification | TurnNotification | Transient | Told

/** A transient notification as a host gives it to a turn, which adds thread and turn. */
export type Announcement = Transient extends infer T
  ? T extends Transient
    ? Omit<T, "threadId" | "turnId">
    : never
  : never

/** Whether a notification follows from records: the others leave {@link apply} as it is. */
export const isStored = ({ type }: Notification): boolean =>
  type === "turn/started" || type === "turn/completed" || type === "item/completed" || type === "turns/removed"

/**
 * The turns of a thread behind one more notification. Law: folding everything that is told of a thread from its start
 * gives the turns that its store shows, items in the order in which they were completed. Cost: one pass over the turns.
 */
export const apply = (turns: ReadonlyArray<Turn>, notification: Notification): ReadonlyArray<Turn> => {
  switch (notification.type) {
    case "turn/started":
    case "turn/completed": {
      const { items: _, itemsView: __, ...facts } = notification.turn
      return ChangeSet.apply(turns, { ...ChangeSet.empty, changedTurns: [facts] })
    }
    case "item/completed": {
      const { item, turnId } = notification
      return ChangeSet.apply(turns, { ...ChangeSet.empty, changedItems: [{ turnId, item }] })
    }
    case "turns/removed":
      return ChangeSet.apply(turns, { ...ChangeSet.empty, removedTurnIds: notification.turnIds })
    default:
      return turns
  }
}
