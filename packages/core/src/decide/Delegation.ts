/**
 * Which multi-agent runtime a turn has, how far the model may delegate in it, and what to tell the model of that
 * (replay-semantics §4).
 *
 * The default is the rule of the requirement document: a client selects, behind a gate. The later rule goes by the
 * host's text and the effort of the turn, and ignores both; it is an option.
 */
import * as Either from "effect/Either"
import type { State as ContextState } from "../fold/ModelContext.js"
import type { ModeSelection, Selection } from "../fold/ModeSelection.js"
import * as ModeSelections from "../fold/ModeSelection.js"
import type { Mode, Source, TurnFacts, Version } from "../fold/MultiAgent.js"
import * as MultiAgent from "../fold/MultiAgent.js"
import type { Message } from "../record/ResponseItem.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"

/** By which rule a mode is found. */
export type Rule =
  /** By selection, which counts only where the gate is open. Default. */
  | { readonly rule: "selection"; readonly gate: boolean }
  /** By the host's text, else by the effort of the turn, else by that of its model. */
  | {
      readonly rule: "effort"
      readonly hint?: string | undefined
      readonly effort?: string | undefined
      readonly defaultEffort?: string | undefined
    }

/** The rule where nobody says: the requirement document's, with its gate closed. */
export const defaultRule: Rule = { rule: "selection", gate: false }

/** What a turn asks for. */
export interface Command extends TurnFacts {
  readonly source: Source | undefined
  readonly rule?: Rule | undefined
  /** The mode that a client selects with this turn; it holds until another is. `null` takes the selection back. */
  readonly select?: Selection | null | undefined
}

/** What it looks at. */
export interface State {
  readonly selection: ModeSelection
  readonly context: Pick<ContextState, "multiAgentVersion" | "referenceContext">
}

/** What holds in a turn. */
export interface Delegation {
  readonly version: Version
  /** The version that is stored from now on, by the settings of the turn: what later turns without override have. */
  readonly stored: Version
  /** The mode for the turn's settings, undefined for none. */
  readonly mode: Mode | undefined
  /** What the model has to be told, undefined for nothing. */
  readonly tell: Mode | undefined
  /** The record of a selection, if it is another one. */
  readonly drafts: ReadonlyArray<Draft>
}

/**
 * What holds in a turn. A selection that does not apply is no error; it is recorded and comes to no mode.
 *
 * Errors: `InvalidRequest` for a selection that there is not.
 */
export const atTurn = (command: Command, state: State, facts: Facts): Decision<Delegation> => {
  const { rule = defaultRule, select, source } = command
  if (select !== undefined && select !== null && !ModeSelections.isSelection(select)) {
    const detail = `${JSON.stringify(select)} is no mode that can be selected`
    return Errors.invalid("select", "malformed", detail, "Select explicitRequestOnly or proactive")
  }
  const { multiAgentVersion, referenceContext } = state.context
  const { stored, version } = MultiAgent.atTurn(multiAgentVersion ?? undefined, command)
  const selection = select === undefined ? state.selection.selection : (select ?? undefined)
  const mode =
    rule.rule === "selection"
      ? MultiAgent.modeBySelection({ version, source, gate: rule.gate, selection })
      : MultiAgent.modeByEffort({
          version,
          source,
          hint: rule.hint,
          effort: rule.effort,
          defaultEffort: rule.defaultEffort
        })
  const tell =
    referenceContext === undefined ? MultiAgent.emitInitially(mode) : MultiAgent.emitChange(referenceContext, mode)
  const isNew = select !== undefined && (selection !== state.selection.selection || !state.selection.recorded)
  const drafts = isNew ? [Drafts.own(facts, ModeSelections.kind, { selection: selection ?? null })] : []
  return Either.right({ version, stored, mode, tell, drafts })
}

/** What the model reads of a mode; a host may have words of its own. */
export interface Texts {
  readonly explicitRequestOnly: string
  readonly proactive: string
}

/** Our words. */
export const texts: Texts = {
  explicitRequestOnly:
    "Work alone: start other agents only when the user, or instructions that hold here, ask for it. This takes the place of what you were told of it before.",
  proactive:
    "You may start other agents by yourself wherever parts of the work can be done side by side. This takes the place of what you were told of it before."
}

/** The message that tells the model of a mode, as one of the developer and by itself (replay-semantics §4.4). */
export const message = (mode: Mode, words: Texts = texts): Message => {
  const text = typeof mode === "string" ? words[mode] : mode.custom
  return {
    type: "message",
    role: "developer",
    content: [{ type: "input_text", text: `<multi_agent_mode>${text}</multi_agent_mode>` }]
  }
}
