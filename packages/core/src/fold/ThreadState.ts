/**
 * Everything that decisions are made from, folded in one pass: what a live thread holds in memory.
 *
 * Deciders ask for the parts that they need, so a host that keeps fewer folds can still use them.
 */
import type { ActiveTurn } from "./ActiveTurn.js"
import * as ActiveTurnFold from "./ActiveTurn.js"
import * as Fold from "./Fold.js"
import type { Mailbox } from "./Mailbox.js"
import * as MailboxFold from "./Mailbox.js"
import * as ModelContext from "./ModelContext.js"
import type { ModeSelection } from "./ModeSelection.js"
import * as ModeSelectionFold from "./ModeSelection.js"
import type { ReplayLog } from "./ReplayLog.js"
import type { TokenUsage } from "./TokenUsage.js"
import * as TokenUsageFold from "./TokenUsage.js"
import type { TurnIndex } from "./TurnIndex.js"
import * as TurnIndexFold from "./TurnIndex.js"
import type { ThreadView, Options as ViewOptions } from "./view/ThreadView.js"
import * as ThreadViewFold from "./view/ThreadView.js"
import type { WindowState } from "./WindowState.js"
import * as WindowStateFold from "./WindowState.js"

/** The state of a thread, as far as decisions go. */
export interface ThreadState {
  readonly turn: ActiveTurn
  readonly mailbox: Mailbox
  readonly selection: ModeSelection
  readonly window: WindowState
  readonly index: TurnIndex
  readonly usage: TokenUsage
  /** Read it with {@link ModelContext.read} or, without the history, {@link ModelContext.readState}. */
  readonly context: ReplayLog
  readonly view: ThreadView
}

/** How a thread is folded. */
export interface Options extends ModelContext.Options {
  readonly view?: ViewOptions | undefined
}

/** The fold of each part, by its name: for whoever folds some of them by a step of its own. */
export const folds = (options: Options = {}): { readonly [K in keyof ThreadState]: Fold.Fold<ThreadState[K]> } => ({
  turn: ActiveTurnFold.fold,
  mailbox: MailboxFold.fold(options.registry),
  selection: ModeSelectionFold.fold,
  window: WindowStateFold.fold,
  index: TurnIndexFold.fold(options.registry),
  usage: TokenUsageFold.fold,
  context: ModelContext.fold(options),
  view: ThreadViewFold.fold(options.view)
})

/** The fold of all of them. Cost: that of its folds. */
export const fold = (options: Options = {}): Fold.Fold<ThreadState> =>
  Fold.struct<{ readonly [K in keyof ThreadState]: ThreadState[K] }>(folds(options))
