/**
 * What to tell the model about its world, and how to record that it was told (replay-semantics §2).
 *
 * A host hands over its sections as they are now. Each is rendered against what the model was told of it before, and a
 * `world_state` record keeps what it has been told since. Text comes first, then the record, then the turn's settings:
 * a crash in between tells something twice, never not at all.
 */
import * as Either from "effect/Either"
import * as FragmentRegistry from "../fold/Fragment.js"
import type { ModelContext } from "../fold/ModelContext.js"
import * as WorldState from "../fold/WorldState.js"
import type { Json } from "../json/Json.js"
import { isObject } from "../json/Json.js"
import * as MergePatch from "../json/MergePatch.js"
import * as PlainJson from "../json/PlainJson.js"
import type { Message } from "../record/ResponseItem.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as ModelItem from "./ModelItem.js"
import type { Running } from "./TurnLifecycle.js"

/** A text that the model is to read, and as whom the host says it. */
export interface Fragment {
  readonly role: "developer" | "user"
  readonly text: string
}

/** A section of the world as it is now. */
export interface Section extends WorldState.Section {
  readonly value: Json
  /**
   * What to tell when the model was told `previous` of it before. Pure. Default: {@link describe}. A fragment said as
   * the user has to be context by the registry, or it would count as the user's own words.
   */
  readonly render?: ((previous: WorldState.Previous, value: Json) => ReadonlyArray<Fragment>) | undefined
  /** Whether a text in the history is a fragment of this section. Default: whether {@link describe} wrote it. */
  readonly matches?: ((text: string) => boolean) | undefined
}

/** A look at the world. */
export interface Command {
  readonly sections: ReadonlyArray<Section>
  /** When it is looked at: at the start of a turn, at a later step, or at a compaction. */
  readonly at: "turn" | "step" | Extract<WorldState.Moment, { readonly at: "compaction" }>
  /**
   * A merge patch cannot say null. Default `refuse`; `strip` leaves out object members that are null, and sections that
   * are null as a whole, as the reference does (§2.2).
   */
  readonly nulls?: "refuse" | "strip" | undefined
}

/** What a look at the world looks at beside it. The history is asked for only where texts are looked for in it. */
export interface State {
  readonly context: Pick<ModelContext, "history" | "referenceContext" | "worldState">
  readonly registry?: FragmentRegistry.Registry | undefined
}

/** What to tell, and what to record of it. */
export interface Told {
  /** Neighbouring fragments of one role are one message with several parts (§2.1). */
  readonly items: ReadonlyArray<Message>
  readonly update: WorldState.WritablePayload | undefined
}

/**
 * What a look at the world comes to: the table of replay-semantics §2.4.
 *
 * Errors: `InvalidRequest` for two sections of one id, what is no JSON, a null, or a fragment that would count as the user's words. Cost:
 * one visit of the sections; of the history when texts are looked for in it.
 */
export const look = (command: Command, state: State): Decision<Told> => {
  const sections = captured(command)
  if (Either.isLeft(sections)) return Either.left(sections.left)
  const { referenceContext, worldState } = state.context
  const moment: WorldState.Moment =
    command.at === "turn"
      ? { at: "turn", reference: referenceContext !== undefined }
      : command.at === "step"
        ? { at: "step" }
        : command.at
  const plan = WorldState.plan(moment, worldState)
  if (plan._tag === "Nothing") return Either.right({ items: [], update: undefined })
  const fragments: Array<Fragment> = []
  for (const section of sections.right) {
    const previous = WorldState.previous(plan, section, isInHistory(plan, section, state))
    const { render } = section
    fragments.push(
      ...(render === undefined ? describe(section.id, previous, section.value) : render(previous, section.value))
    )
  }
  const bad = fragments.findIndex(
    ({ role, text }) => role === "user" && !FragmentRegistry.isContextualUser(text, state.registry)
  )
  if (bad >= 0) {
    return Errors.invalid(
      "sections",
      "malformed",
      `a fragment said as the user is no context: ${JSON.stringify(fragments[bad]?.text.slice(0, 60))}`,
      "Put it into a registered pair of tags, or say it as the developer"
    )
  }
  const snapshot = Object.fromEntries(sections.right.map(({ id, value }) => [id, value]))
  return Either.right({ items: merged(fragments), update: WorldState.update(plan, snapshot) })
}

/**
 * The records of what is told into the turn that runs ({@link TurnLifecycle.running}): the items, then the state. With
 * nothing to tell and nothing changed there are none.
 */
export const drafts = (told: Told, { active, thread }: Running, facts: Facts): ReadonlyArray<Draft> => [
  ...told.items.flatMap((item, i) => ModelItem.ofTurn(item, active.id, thread, facts, { name: `world ${i}` })),
  ...(told.update === undefined ? [] : [Drafts.record(facts, "world_state", told.update)])
]

/** The sections of a plain snapshot, each described in its own words. Errors: `InvalidRequest` unless it is an object. */
export const sectionsOf = (snapshot: unknown): Decision<ReadonlyArray<Section>> =>
  isObject(snapshot)
    ? Either.right(Object.entries(snapshot).map(([id, value]) => ({ id, value })))
    : Errors.invalid(
        "world",
        "malformed",
        "the state of the world is no object",
        "Give an object with a key for each section"
      )

/** The sections without nulls, or what is wrong with them. */
const captured = ({ nulls = "refuse", sections }: Command): Decision<ReadonlyArray<Section>> => {
  const seen = new Set<string>()
  const kept: Array<Section> = []
  for (const [i, section] of sections.entries()) {
    if (!isObject(section) || typeof section.id !== "string") {
      return Errors.invalid(`world.${i}`, "malformed", "a section needs an id, a text", "Give { id, value }")
    }
    const { id } = section
    // A section of which nothing is said is none, as a member of the world that is undefined is none.
    if (section.value === undefined) continue
    const plain = PlainJson.of(section.value)
    if (Either.isLeft(plain)) {
      const field = ["world", id, ...plain.left.keys].join(".")
      return Errors.invalid(field, "malformed", plain.left.detail, "Give plain JSON values")
    }
    const value = plain.right
    if (seen.has(id)) {
      const detail = `there are two sections ${JSON.stringify(id)}`
      return Errors.invalid(`world.${id}`, "duplicate", detail, "Give each section an id of its own")
    }
    seen.add(id)
    const at = nullIn(value)
    if (at !== undefined && nulls === "refuse") {
      const field = ["world", id, ...at].join(".")
      const advice = "Leave the key out; a merge patch says null for that"
      return Errors.invalid(field, "null", "null cannot be kept in an object", advice)
    }
    if (value !== null) kept.push({ ...section, value: MergePatch.stripNulls(value) })
  }
  return Either.right(kept)
}

/** The keys down to the first null in objects; arrays are replaced whole and may hold any. */
const nullIn = (value: Json): ReadonlyArray<string> | undefined => {
  if (value === null) return []
  if (!isObject(value)) return undefined
  for (const [key, member] of Object.entries(value)) {
    const below = nullIn(member)
    if (below !== undefined) return [key, ...below]
  }
  return undefined
}

/** Whether the history holds a text of a section. Looked for only where the plan asks. */
const isInHistory = (plan: WorldState.Rendering, section: Section, { context }: State): boolean => {
  const asks = plan._tag === "Inspect" || (plan._tag === "Change" && plan.recheck && section.retained === true)
  if (!asks) return false
  const matches = section.matches ?? ((text: string) => isDescribed(section.id, text))
  return context.history.some(
    (item) => item.type === "message" && item.content.some((part) => part.type === "input_text" && matches(part.text))
  )
}

/** Neighbouring fragments of one role as one message. */
const merged = (fragments: ReadonlyArray<Fragment>): ReadonlyArray<Message> => {
  const messages: Array<Message> = []
  for (const { role, text } of fragments) {
    const last = messages.at(-1)
    const part = { type: "input_text" as const, text }
    if (last?.role === role) messages[messages.length - 1] = { ...last, content: [...last.content, part] }
    else messages.push({ type: "message", role, content: [part] })
  }
  return messages
}

const opening = "<environment_context>\n"
const closing = "\n</environment_context>"

/**
 * What a section without words of its own reads like: its JSON, in tags that every reader takes for context. Nothing
 * when the model was told the same before.
 */
export const describe = (id: string, previous: WorldState.Previous, value: Json): ReadonlyArray<Fragment> => {
  if (previous._tag === "Known" && MergePatch.deepEqual(previous.value, value)) return []
  return [{ role: "user", text: `${opening}${JSON.stringify({ [id]: value })}${closing}` }]
}

const isDescribed = (id: string, text: string): boolean =>
  text.startsWith(`${opening}{${JSON.stringify(id)}:`) && text.endsWith(closing)
