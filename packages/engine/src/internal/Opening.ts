/** The records with which a turn begins, in the order of replay-semantics §9. */

import * as Errors from "@skein/core/decide/DecisionError"
import * as Delegation from "@skein/core/decide/Delegation"
import type { Decision, Draft } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import * as Mail from "@skein/core/decide/Mail"
import * as ModelItem from "@skein/core/decide/ModelItem"
import * as TurnLifecycle from "@skein/core/decide/TurnLifecycle"
import type { Settings } from "@skein/core/decide/TurnSettings"
import * as World from "@skein/core/decide/World"
import * as ModelContext from "@skein/core/fold/ModelContext"
import type { TurnContext } from "@skein/core/record/TurnContext"
import type { UserInput } from "@skein/core/record/UserInput"
import { Either } from "effect"
import type { Options } from "../Options.js"
import type { World as AnyWorld, StartOptions, TurnSettings, Words } from "../Turn.js"
import type { Batch, Facts } from "./Plan.js"
import type { State } from "./State.js"

/** What a turn begins with. */
export interface Opening {
  readonly words: Words | undefined
  readonly settings: TurnSettings
  /** What holds where neither this turn nor one before it says anything. */
  readonly base: TurnSettings
  readonly options: StartOptions
}

/** Adds the start of a turn. */
export const begin = (batch: Batch, turnId: string, options: StartOptions, facts: Facts): Decision<void> => {
  const { contextWindow, kind, mode, onActive, rootTurnId } = options
  const command = { turnId, contextWindow, kind, mode, onActive, rootTurnId }
  return Either.map(TurnLifecycle.start(command, batch.state(), facts), batch.add)
}

/** Adds what comes behind it: the mode, the world, the settings, then what was said or came in. */
export const go = (
  batch: Batch,
  turnId: string,
  { base, options, settings, words }: Opening,
  host: Options,
  context: (state: State) => ModelContext.ModelContext,
  facts: Facts
): Decision<void> =>
  Either.gen(function* () {
    const state = batch.state()
    const replay = ModelContext.readState(state.context, host)
    const { collab = false, declared, override, rule } = host.agents ?? {}
    const delegation = yield* Delegation.atTurn(
      { override, declared, collab, rule, source: state.context.head.meta?.source, select: options.select },
      { selection: state.selection, context: replay },
      facts
    )
    batch.add(delegation.drafts)
    if (delegation.tell !== undefined) {
      const told = Delegation.message(delegation.tell)
      batch.add([Drafts.item(facts, ModelItem.stamped(told, turnId))])
    }
    if (options.world !== undefined) {
      const sections = yield* sectionsOf(options.world)
      const told = yield* World.look({ sections, at: "turn" }, { context: context(state), registry: host.registry })
      batch.add(World.drafts(told, turnId, facts))
    }
    const { mode: multi_agent_mode, version: multi_agent_version } = delegation
    const all = { ...said(base), ...sticky(state), ...said(settings), multi_agent_version, multi_agent_mode }
    if (typeof all.model !== "string") {
      return yield* Errors.invalid("settings.model", "empty", "no turn before this one has named a model", "Name it")
    }
    batch.add(yield* TurnLifecycle.settings(all as Settings, batch.state(), facts))
    batch.add(yield* words === undefined ? waiting(batch.state(), facts) : input(words, options, batch.state(), facts))
  })

/** What a user says. */
const input = (words: Words, options: StartOptions, state: State, facts: Facts): Decision =>
  TurnLifecycle.input(
    {
      content: contentOf(words),
      id: options.id ?? Drafts.freshId(facts, 0),
      clientId: options.clientId,
      message: options.message
    },
    state,
    facts
  )

/** What waits, of a turn that nobody said anything for. */
const waiting = (state: State, facts: Facts): Decision<ReadonlyArray<Draft>> =>
  state.mailbox.mail.length === 0 && state.mailbox.inputs.length === 0
    ? Errors.invalid("words", "empty", "nothing is said, and no mail waits", "Say something, or wait for mail")
    : Mail.drain(state, facts)

/** Words as parts. */
export const contentOf = (words: Words): ReadonlyArray<UserInput> =>
  typeof words === "string" ? [{ type: "text", text: words, text_elements: [] }] : words

/** The world as sections. */
export const sectionsOf = (world: AnyWorld): Decision<ReadonlyArray<World.Section>> =>
  Array.isArray(world) ? Either.right(world) : World.sectionsOf(world)

/** The settings that hold on from the turn before. */
export const sticky = ({ settings }: Pick<State, "settings">): Partial<TurnContext> => {
  if (settings === undefined) return {}
  const { multi_agent_mode: _, multi_agent_version: __, root_turn_id: ___, turn_id: ____, ...kept } = settings
  return kept
}

/** The settings without what is left out. */
export const said = (settings: TurnSettings): TurnSettings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
