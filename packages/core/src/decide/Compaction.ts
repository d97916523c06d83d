/**
 * When a history is compacted, what is left of it, and how that is recorded (replay-semantics §3, §6).
 */
import * as Either from "effect/Either"
import type { ActiveTurn } from "../fold/ActiveTurn.js"
import * as Boundary from "../fold/Boundary.js"
import * as ContextWindow from "../fold/ContextWindow.js"
import type { Registry } from "../fold/Fragment.js"
import type { ModelContext } from "../fold/ModelContext.js"
import * as Rebuild from "../fold/Rebuild.js"
import type { PreviousTurnSettings } from "../fold/ReplayScan.js"
import type { TokenUsage } from "../fold/TokenUsage.js"
import * as Truncation from "../fold/Truncation.js"
import * as HookPrompt from "../fold/view/HookPrompt.js"
import type { WindowState } from "../fold/WindowState.js"
import * as WindowStates from "../fold/WindowState.js"
import type { WritablePayload } from "../fold/WorldState.js"
import * as Compacted from "../record/Compacted.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import type { TurnContext } from "../record/TurnContext.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as Item from "./Item.js"
import * as ModelItem from "./ModelItem.js"
import * as TokenCount from "./TokenCount.js"
import * as TokenStatus from "./TokenStatus.js"
import * as TurnLifecycle from "./TurnLifecycle.js"

/** Why a history is compacted, and where in a turn. */
export interface Trigger {
  readonly reason: "user_requested" | "comp_hash_changed" | "model_downshift" | "context_limit"
  readonly phase: "standalone_turn" | "pre_turn" | "mid_turn"
  /** Which model writes the summary: the one that ran before, or the one that runs now. */
  readonly model: "previous" | "current"
}

/** A compaction that a user asks for is a turn of its own. */
export const requested: Trigger = { reason: "user_requested", phase: "standalone_turn", model: "current" }

/** What is known before the model is asked for the first time in a turn. */
export interface BeforeSampling {
  /** The settings of the turn before, as the replay has them. */
  readonly previous: PreviousTurnSettings | undefined
  /** Context window of the model of the turn before, where known. */
  readonly previousWindow: number | undefined
  readonly model: string
  readonly compHash: string | undefined
  readonly window: number | undefined
  /** The window held against the limits of the model that runs now. */
  readonly status: ContextWindow.Status
  readonly scope: ContextWindow.Usage["scope"]
  /** Tokens in the window ({@link TokenStatus.active}). */
  readonly active: number
  /** The limit of the model that runs now beyond which it compacts by itself, where known. */
  readonly autoLimit: number | undefined
}

/**
 * The compactions before the model is asked: one by the previous model where the hash changed or the new model holds
 * less, and one where a limit is reached. Each is asked for again once the one before is done: this gives the first.
 */
export const beforeSampling = (facts: BeforeSampling): Trigger | undefined => {
  if (hashChanged(facts.previous?.comp_hash, facts.compHash)) {
    return { reason: "comp_hash_changed", phase: "pre_turn", model: "previous" }
  }
  if (isDownshift(facts)) return { reason: "model_downshift", phase: "pre_turn", model: "previous" }
  return facts.status.limitReached ? { reason: "context_limit", phase: "pre_turn", model: "current" } : undefined
}

/** Whether the way of compacting changed: only when both are known and differ (replay-semantics §6). */
export const hashChanged = (previous: string | null | undefined, current: string | null | undefined): boolean =>
  typeof previous === "string" && typeof current === "string" && previous !== current

/** Whether the model changed to one that holds less, and less than is there (replay-semantics §6). */
export const isDownshift = (
  facts: Pick<BeforeSampling, "previous" | "previousWindow" | "model" | "window" | "scope" | "active" | "autoLimit">
): boolean => {
  const { active, autoLimit, model, previous, previousWindow, scope, window } = facts
  if (previous === undefined || previous.model === model) return false
  if (previousWindow === undefined || window === undefined || previousWindow <= window) return false
  return active >= window || (scope === "total" && autoLimit !== undefined && active > autoLimit)
}

/** What is known when the model has answered. */
export interface AfterSampling {
  /** Whether the model is asked again in this turn. */
  readonly continues: boolean
  readonly status: ContextWindow.Status
  /** Whether a new window was asked for. */
  readonly newContextRequested: boolean
}

/** The compaction between two steps of a turn, if there is one. */
export const afterSampling = ({ continues, newContextRequested, status }: AfterSampling): Trigger | undefined =>
  continues && (newContextRequested || status.limitReached)
    ? { reason: "context_limit", phase: "mid_turn", model: "current" }
    : undefined

/** What a compaction leaves. */
export type Variant =
  /** A summary that a model of the host wrote; behind what the user said. */
  | { readonly kind: "local"; readonly summary: string }
  /** What a provider made of the history, whole. */
  | { readonly kind: "remote"; readonly output: ReadonlyArray<ResponseItem> }
  /** What a provider made of it as one item; behind what the user said. */
  | { readonly kind: "item"; readonly item: ResponseItem }
  /** Nothing but a fresh context. */
  | { readonly kind: "token_budget" }

/** Approximate tokens of user text that stand in front of a provider's item. */
export const itemTokens = 64_000

/**
 * The history that a compaction leaves, without fresh context (the table of replay-semantics §6). Cost: the history.
 */
export const replacement = (
  variant: Variant,
  history: ReadonlyArray<ResponseItem>,
  registry?: Registry | undefined
): ReadonlyArray<ResponseItem> => {
  switch (variant.kind) {
    case "local":
      return Rebuild.rebuild(history, summaryText(variant.summary), { registry })
    case "remote":
      return variant.output.filter((item) => isKeptOfRemote(item, registry))
    case "item":
      return [...wordsWithin(history, itemTokens, registry), variant.item]
    case "token_budget":
      return []
  }
}

/** A summary as it is recorded: behind the line by which readers know one (replay-semantics §0). */
export const summaryText = (summary: string): string => `${Boundary.summaryLine}\n${summary}`

const isKeptOfRemote = (item: ResponseItem, registry: Registry | undefined): boolean => {
  switch (item.type) {
    case "message":
      if (item.role === "assistant") return true
      return item.role === "user" && isWord(item, registry)
    case "agent_message":
    case "compaction":
    case "context_compaction":
      return true
    default:
      return false
  }
}

const isWord = (item: ResponseItem, registry: Registry | undefined): boolean =>
  Boundary.isRealUserMessage(item, registry) || HookPrompt.fragmentsOf(item) !== undefined

const isPlainSummary = (item: ResponseItem): boolean =>
  item.type === "message" && item.role === "user" && Boundary.isSummary(Boundary.userTexts(item).join(""))

/** What users and hooks said, newest first as far as it fits, each costing at least 1; in the order of the history. */
const wordsWithin = (
  history: ReadonlyArray<ResponseItem>,
  tokens: number,
  registry: Registry | undefined
): ReadonlyArray<ResponseItem> => {
  const kept: Array<ResponseItem> = []
  let rest = tokens
  for (let i = history.length - 1; i >= 0; i--) {
    const item = history[i]
    if (item === undefined || item.type !== "message" || !isWord(item, registry)) continue
    const cost = Math.max(1, Truncation.tokensOf(Boundary.userTexts(item).join("")))
    if (cost > rest) break
    rest -= cost
    kept.push(item)
  }
  return kept.reverse()
}

/**
 * A replacement with fresh context in it: in front of the last thing that a user said, else of the last summary, else of
 * the last compaction item, else at the end (replay-semantics §6).
 */
export const withContext = (
  replaced: ReadonlyArray<ResponseItem>,
  context: ReadonlyArray<ResponseItem>,
  registry?: Registry | undefined
): ReadonlyArray<ResponseItem> => {
  const places = [
    replaced.findLastIndex((item) => Boundary.isRealUserMessage(item, registry)),
    replaced.findLastIndex(isPlainSummary),
    replaced.findLastIndex(({ type }) => type === "compaction" || type === "context_compaction")
  ]
  const at = places.find((place) => place >= 0) ?? replaced.length
  return [...replaced.slice(0, at), ...context, ...replaced.slice(at)]
}

/** Fresh context, with which a turn goes on behind a compaction. */
export interface FreshContext {
  /** What the model is told of its world and its settings anew. */
  readonly items: ReadonlyArray<ResponseItem>
  /** What it has then been told: a full state. */
  readonly world?: WritablePayload | undefined
  /** The settings of the turn, recorded again. Default: those recorded for it before. */
  readonly settings?: TurnContext | undefined
}

/** A compaction that is done. */
export interface Command {
  readonly variant: Variant
  readonly phase: Trigger["phase"]
  /** The item that clients are shown. A new UUID. */
  readonly itemId: string
  readonly startedAtMs?: number | undefined
  /** Needed in the middle of a turn and for a fresh window; a compaction before a turn or as one has none. */
  readonly context?: FreshContext | undefined
}

/** What a compaction looks at. */
export interface State {
  readonly turn: ActiveTurn
  readonly context: Pick<ModelContext, "history" | "window">
  readonly window: WindowState
  readonly usage: TokenUsage
  readonly registry?: Registry | undefined
}

/** A moment, and ids that were never there before. */
export interface WindowFacts extends Facts {
  /** The id of the window that begins; a new UUIDv7. */
  readonly windowId: string
  /** The id of the window that ends, where the log has none; a new UUIDv7. */
  readonly oldWindowId: string
}

/**
 * The records of a compaction, in the order of replay-semantics §6: the new history in its new window, then, where the
 * turn goes on, the world and the settings; the tokens that it comes to; the item that clients are shown. Appended as
 * one, so no reader meets a part of it (§11.10).
 *
 * Errors: `Conflict` when no turn runs, `InvalidRequest` when fresh context is missing or out of place.
 */
export const compact = (command: Command, state: State, facts: WindowFacts): Decision =>
  Either.flatMap(TurnLifecycle.running(state), ({ active, thread }) => {
    const { context, itemId, phase, startedAtMs, variant } = command
    const goesOn = phase === "mid_turn" || variant.kind === "token_budget"
    if (goesOn && context === undefined) {
      const advice = "Tell the world as for a compaction (World.look) and give what came of it"
      return Errors.invalid("context", "contradictory", "the turn goes on without any context", advice)
    }
    if (!goesOn && context !== undefined) {
      const advice = "Leave it out; the next turn tells everything anew"
      return Errors.invalid("context", "contradictory", "a compaction before a turn has no fresh context", advice)
    }
    const { registry } = state
    const left = replacement(variant, state.context.history, registry)
    const history = context === undefined ? left : withContext(left, context.items, registry)
    const readable = Drafts.check(
      history.map((item) => Drafts.item(facts, item)),
      "compaction"
    )
    if (Either.isLeft(readable)) return readable
    const items = history.map((item, i) =>
      ModelItem.written(ModelItem.identified(item, thread, facts, `replacement ${i}`))
    )
    const window = ContextWindow.startNew(
      WindowStates.live(state.window, state.context.window, facts.oldWindowId),
      facts.windowId
    )
    const drafts: Array<Draft> = [
      Drafts.record(
        facts,
        "compacted",
        Compacted.Compacted.make({
          message: variant.kind === "local" ? summaryText(variant.summary) : "",
          replacement_history: items,
          ...ContextWindow.toCompacted(window)
        })
      )
    ]
    const settings = context?.settings ?? active.context
    if (context?.world !== undefined) drafts.push(Drafts.record(facts, "world_state", context.world))
    if (context !== undefined && settings !== undefined) drafts.push(Drafts.record(facts, "turn_context", settings))
    const tokens = TokenCount.estimated(TokenStatus.estimate(items), state, facts)
    if (tokens !== undefined) drafts.push(tokens)
    const item = { type: "ContextCompaction" as const, id: itemId }
    drafts.push(
      ...Item.snapshot({ item, turnId: active.id, threadId: thread.id, mode: thread.mode, startedAtMs }, facts)
    )
    return Drafts.check(drafts, "compaction")
  })
