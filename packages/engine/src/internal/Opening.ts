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
import type * as ModelContext from "@skein/core/fold/ModelContext"
import type { Message } from "@skein/core/record/ResponseItem"
import type { TurnContext } from "@skein/core/record/TurnContext"
import type { UserInput } from "@skein/core/record/UserInput"
import { Either } from "effect"
import type { Options } from "../Options.js"
import type { World as AnyWorld, StartOptions, TurnSettings, Words } from "../Turn.js"
import type { Facts } from "./Facts.js"
import type { Step } from "./Plan.js"
import type { State } from "./State.js"

/** What a turn begins with. */
export interface Opening {
  readonly words: Words | undefined
  readonly settings: TurnSettings
  /** What holds where neither this turn nor one before it says anything. */
  readonly base: TurnSettings
  readonly options: StartOptions
}

/** The start of a turn. */
export const begin =
  (turnId: string, options: StartOptions, facts: Facts): Step =>
  (state) => {
    const { contextWindow, kind, mode, onActive, rootTurnId } = options
    return TurnLifecycle.start({ turnId, contextWindow, kind, mode, onActive, rootTurnId }, state, facts)
  }

/**
 * What comes behind it: the mode, the world, the settings, then what was said or came in.
 *
 * @param state In front of the start, where there is one: it changes nothing that a mode hangs on.
 */
export const steps = (
  { base, options, settings, words }: Opening,
  host: Options,
  context: (state: State) => ModelContext.ModelContext,
  state: State,
  facts: Facts
): Decision<ReadonlyArray<Step>> => {
  const replay = context(state)
  const { collab = false, declared, override, rule } = host.agents ?? {}
  const command = { override, declared, collab, rule, source: state.context.head.meta?.source, select: options.select }
  const delegation = Delegation.atTurn(command, { selection: state.selection, context: replay }, facts)
  return Either.map(delegation, ({ drafts, mode: multi_agent_mode, tell, version: multi_agent_version }) => [
    () => Either.right(drafts),
    (at) => (tell === undefined ? Either.right([]) : modeTold(Delegation.message(tell), at, facts)),
    (at) => (options.world === undefined ? Either.right([]) : worldTold(options.world, at, host, context, facts)),
    (at) => {
      const all = { ...said(base), ...sticky(at), ...said(settings), multi_agent_version, multi_agent_mode }
      return typeof all.model === "string"
        ? TurnLifecycle.settings(all as Settings, at, facts)
        : Errors.invalid("settings.model", "empty", "no turn before this one has named a model", "Name it")
    },
    (at) => (words === undefined ? waiting(at, facts) : input(words, options, at, facts))
  ])
}

const modeTold = (message: Message, state: State, facts: Facts): Decision =>
  Either.map(TurnLifecycle.running(state), ({ active, thread }) =>
    ModelItem.ofTurn(message, active.id, thread, facts, { name: "mode" })
  )

const worldTold = (
  world: AnyWorld,
  state: State,
  { registry }: Options,
  context: (state: State) => ModelContext.ModelContext,
  facts: Facts
): Decision =>
  Either.gen(function* () {
    const running = yield* TurnLifecycle.running(state)
    const sections = yield* sectionsOf(world)
    const told = yield* World.look({ sections, at: "turn" }, { context: context(state), registry })
    return World.drafts(told, running, facts)
  })

/** What a user says. */
const input = (words: Words, options: StartOptions, state: State, facts: Facts): Decision =>
  TurnLifecycle.input(
    {
      content: contentOf(words),
      id: options.id ?? Drafts.freshId(facts, "input"),
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
