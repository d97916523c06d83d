/**
 * What the model must see next, and the state that goes with it (replay-semantics §1).
 *
 * History, settings, reference context, world state and window come out of one scan, so a rollback takes them back
 * together. There is one path: {@link fold} keeps records and {@link read} answers from them; a reader of files feeds
 * the same scan from the end of the log ({@link backward}).
 */

import * as InterAgentCommunication from "../record/InterAgentCommunication.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import type { TurnContext } from "../record/TurnContext.js"
import type { TokenUsageInfo } from "../record/Usage.js"
import * as ContextWindow from "./ContextWindow.js"
import { dropLast } from "./DropLast.js"
import type { Fold } from "./Fold.js"
import * as Fragment from "./Fragment.js"
import * as Prompt from "./Prompt.js"
import * as Rebuild from "./Rebuild.js"
import * as ReplayLog from "./ReplayLog.js"
import * as ReplayScan from "./ReplayScan.js"
import * as WorldState from "./WorldState.js"

/** How a log is read. */
export interface Options {
  /** Which texts are context and not somebody's words. Default: those of the newest reference release. */
  readonly registry?: Fragment.Registry | undefined
  /** Tokens of user text that a compaction without replacement keeps. Default: {@link Rebuild.defaultTokens}. */
  readonly rebuildTokens?: number | undefined
  /** How much the fold keeps. Default: what two context windows need. */
  readonly keep?: ReplayLog.Keep | undefined
  /**
   * Bytes of lines after which the fold keeps items as lines and decodes them when it is read: less to collect, more
   * to do for each answer. Default: {@link ReplayLog.defaultParsedBytes}.
   */
  readonly parsedBytes?: number | undefined
}

/** Which parts of an answer are certain. A part is not when it may depend on records that were not read. */
export interface Complete {
  readonly history: boolean
  readonly previousTurnSettings: boolean
  readonly referenceContext: boolean
  readonly worldState: boolean
  readonly window: boolean
  readonly tokenInfo: boolean
  readonly multiAgent: boolean
}

/** A thread as the model is to meet it. */
export interface ModelContext extends State {
  /** The model-visible history, as recorded; {@link Prompt.normalise} makes a request's input of it. */
  readonly history: ReadonlyArray<ResponseItem>
}

/** What goes with a history. */
export interface State {
  readonly previousTurnSettings: ReplayScan.PreviousTurnSettings | undefined
  /** The durable baseline that the next turn's context is compared with. */
  readonly referenceContext: TurnContext | undefined
  readonly worldState: WorldState.Baseline
  readonly window: ContextWindow.Lineage
  /** The newest recorded token usage; rollbacks and compactions do not touch it (replay-semantics §1.6). */
  readonly tokenInfo: TokenUsageInfo | undefined
  /** The recorded multi-agent version (replay-semantics §4.1). */
  readonly multiAgentVersion: TurnContext["multi_agent_version"]
  /** The mode of the newest turn context, unset when that one has none (replay-semantics §4.4). */
  readonly multiAgentMode: TurnContext["multi_agent_mode"]
  readonly complete: Complete
}

const scanOptions = (options: Options): ReplayScan.Options => ({
  registry: options.registry ?? Fragment.newest,
  rebuildTokens: options.rebuildTokens ?? Rebuild.defaultTokens
})

/** The fold over a thread's effective log; {@link read} gives the answer at any point. Cost: {@link ReplayLog.fold}. */
export const fold = (options: Options = {}): Fold<ReplayLog.ReplayLog> =>
  ReplayLog.fold(scanOptions(options), options.keep, options.parsedBytes)

/** The answer of a folded log. Cost: decoding the items of the current context window. */
export const read = (log: ReplayLog.ReplayLog, options: Options = {}): ModelContext =>
  assemble(ReplayLog.scan(log, scanOptions(options)), log.head, options)

/** The answer of a folded log without its history. Cost: one step for each record of the current context window. */
export const readState = (log: ReplayLog.ReplayLog, options: Options = {}): State =>
  stateOf(ReplayLog.scan(log, scanOptions(options)), log.head)

/** A reading from the end of a log. Mutable and single use. */
export interface Backward extends Omit<ReplayScan.Scan, "finish"> {
  /**
   * Closes the reading.
   *
   * @param atStart Whether the oldest record of the log was taken.
   * @param head What is known of the log as a whole: of its first line at least; `compactions` undefined when the
   *   part that was not read was not searched for compactions.
   */
  readonly finish: (atStart: boolean, head: ReplayLog.Head) => ModelContext
}

/**
 * Starts a reading from the end: feed it records newest to oldest until it is settled.
 *
 * Stops behind the newest compaction that survived and the turn that the settings come from, whatever the length of
 * the thread before them (replay-semantics §1.9).
 */
export const backward = (options: Options = {}): Backward => {
  const scan = ReplayScan.make(scanOptions(options))
  return { ...scan, finish: (atStart, head) => assemble(scan.finish(atStart), head, options) }
}

const assemble = (outcome: ReplayScan.Outcome, head: ReplayLog.Head, options: Options): ModelContext => ({
  history: historyOf(outcome, options),
  ...stateOf(outcome, head)
})

const stateOf = (outcome: ReplayScan.Outcome, head: ReplayLog.Head): State => {
  // A compaction without replacement leaves no reference, even when a context was recorded behind it (§1.4).
  const rebuilt = outcome.suffix.some(
    (entry) => entry.kind === "compacted" && !ReplayScan.hasReplacement(entry.payload)
  )
  return {
    previousTurnSettings: outcome.previousTurnSettings,
    referenceContext: rebuilt ? undefined : outcome.referenceContext,
    worldState: WorldState.replay(outcome.world),
    window: windowOf(outcome, head),
    tokenInfo: outcome.tokenInfo ?? head.tokenInfo,
    multiAgentVersion: head.multiAgentVersion ?? outcome.contextVersion,
    multiAgentMode: outcome.newestContext?.multi_agent_mode ?? undefined,
    complete: {
      history: outcome.complete.history,
      previousTurnSettings: outcome.complete.previousTurnSettings,
      referenceContext: outcome.complete.referenceContext || rebuilt,
      worldState: outcome.complete.world,
      window:
        outcome.complete.window && (outcome.atStart || outcome.window !== undefined || head.compactions !== undefined),
      tokenInfo: outcome.atStart || head.whole || outcome.tokenInfo !== undefined || head.tokenInfo !== undefined,
      multiAgent:
        outcome.atStart || head.whole || head.multiAgentVersion !== undefined || outcome.contextVersion !== undefined
    }
  }
}

/** The newest surviving numbered compaction, else window 0 of the header, else a count (replay-semantics §1.3). */
const windowOf = (outcome: ReplayScan.Outcome, head: ReplayLog.Head): ContextWindow.Lineage => {
  if (outcome.window !== undefined) return outcome.window
  const compactions = head.compactions ?? outcome.compactions
  const unnumbered = head.unnumbered || outcome.unnumbered
  if (!unnumbered && head.windowId !== undefined) {
    const first = ContextWindow.fromMeta(head.windowId)
    if (first !== undefined) return first
  }
  return { number: compactions, firstId: undefined, previousId: undefined, id: undefined }
}

/** Builds the history from the records that it needs, oldest first (replay-semantics §1.4, §1.4.2). */
const historyOf = (outcome: ReplayScan.Outcome, options: Options): ReadonlyArray<ResponseItem> => {
  const registry = options.registry ?? Fragment.newest
  let history: Array<ResponseItem> = []
  for (const record of outcome.suffix) {
    if (record.kind === "deferred") {
      for (const item of ReplayLog.readDeferred(record)) {
        if (item.kind === "response_item" && Prompt.isModelVisible(item.payload)) history.push(item.payload)
      }
    } else if (record.kind === "response_item") {
      if (Prompt.isModelVisible(record.payload)) history.push(record.payload)
    } else if (record.kind === "inter_agent_communication") {
      history.push(InterAgentCommunication.toAgentMessage(record.payload))
    } else if (record.kind === "compacted") {
      const { payload } = record
      if (!ReplayScan.hasReplacement(payload)) {
        history = [...Rebuild.rebuild(history, payload.message, { registry, tokens: options.rebuildTokens })]
      } else if (!outcome.undone.has(record)) history = [...payload.replacement_history]
    } else if (record.kind === "event_msg" && record.payload.type === "thread_rolled_back") {
      history = [...dropLast(history, record.payload.num_turns, registry)]
    }
  }
  return history
}
