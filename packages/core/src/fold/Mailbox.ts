/**
 * What waits to be told to the model: words of other agents, and what the user said while a turn ran (replay-semantics
 * §8, §9).
 *
 * The reference keeps both in memory and loses them with its process (§11.8). Here they are records: one when something
 * comes in, and a mark on the item with which it is told. So what was taken in is told once, whatever happens between.
 */

import * as Schema from "effect/Schema"
import { ContentItem } from "../record/Content.js"
import * as Mark from "../record/Mark.js"
import { AgentPath, canonicalUuid } from "../record/Primitive.js"
import type { StoredRecord } from "../record/Record.js"
import * as ResponseItem from "../record/ResponseItem.js"
import * as Shape from "../record/Shape.js"
import { UserInput } from "../record/UserInput.js"
import * as Boundary from "./Boundary.js"
import * as Fold from "./Fold.js"
import * as Fragment from "./Fragment.js"
import * as HookPrompt from "./view/HookPrompt.js"

/** Words of one agent to another that wait. With `encrypted`, `content` is empty. */
export const Mail = Shape.struct({
  id: Schema.String,
  author: AgentPath,
  recipient: AgentPath,
  content: Schema.String,
  encrypted: Shape.sparse(Schema.String),
  triggerTurn: Schema.Boolean
})
export type Mail = Shape.TypeOf<typeof Mail>

/**
 * Something said into a turn that waits for the next step of the model: what the user gave, with what the model is to
 * read of it where that is not the same, or items of a host.
 */
export const Input = Shape.struct({
  id: Schema.String,
  turnId: Schema.String,
  clientId: Shape.sparse(Schema.String),
  content: Shape.sparse(Schema.Array(UserInput)),
  message: Shape.sparse(Schema.Array(ContentItem)),
  items: Shape.sparse(Schema.Array(ResponseItem.schema))
})
export type Input = Shape.TypeOf<typeof Input>

/**
 * Whether what waits belongs to the step that comes next or to the turn that comes next. It is the next turn's once
 * the agent has given its answer.
 */
export type Phase = "current" | "next"

/** What waits. */
export interface Mailbox {
  /** Undefined while no header could be read. */
  readonly threadId: string | undefined
  /** In the order in which it came in. */
  readonly mail: ReadonlyArray<Mail>
  readonly inputs: ReadonlyArray<Input>
  readonly phase: Phase
  /** Whether anything ever waited here. */
  readonly used: boolean
}

/** The state before any record. */
export const empty: Mailbox = { threadId: undefined, mail: [], inputs: [], phase: "current", used: false }

/** The kinds of our marks: on carriers what comes in or waits in all, on items what they tell. */
export const kinds = {
  /** Carrier `{thread, mail}`: mail came in. */
  mail: "mail",
  /** Carrier `{thread, input}`: something was said into a turn. */
  input: "input",
  /** Carrier `{thread, mail, inputs}`: this is what waits, whatever was said before. */
  waiting: "waiting",
  /** On the item of a mail `{thread, id}`: it is told. */
  delivered: "delivered",
  /** On the first item of an input `{thread, id}`: it is told. */
  taken: "taken"
} as const

/**
 * The fold. A fork inherits records of what waited for its source: marks name their thread, and those of others count
 * for nothing. Cost: constant per record, and the number of what waits for a record about it.
 */
export const fold = (registry: Fragment.Registry = Fragment.newest): Fold.Fold<Mailbox> =>
  Fold.make(empty, (state, record) => step(state, record, registry))

const step = (state: Mailbox, record: StoredRecord, registry: Fragment.Registry): Mailbox => {
  switch (record.kind) {
    case "session_meta":
      return state.threadId === undefined ? { ...state, threadId: canonicalUuid(record.payload.id) } : state
    case "response_item":
      return phased(told(state, record), record.payload, registry)
    case "event_msg":
      switch (record.payload.type) {
        case "token_count": {
          const mark = Mark.carried(record)
          return mark === undefined ? state : takeMark(state, mark)
        }
        case "task_started":
          return state.phase === "current" ? state : { ...state, phase: "current" }
        // What was said into a turn that is gone is gone with it.
        case "thread_rolled_back":
          return state.inputs.length === 0 ? state : { ...state, inputs: [] }
        default:
          return state
      }
    default:
      return state
  }
}

interface Data {
  readonly thread?: unknown
  readonly id?: unknown
  readonly mail?: unknown
  readonly input?: unknown
  readonly inputs?: unknown
}

/** What a mark says of this thread; undefined when it is another's, or none of ours. */
const dataOf = (state: Mailbox, { data }: Mark.Mark): Data | undefined => {
  if (typeof data !== "object" || data === null) return undefined
  const { thread } = data as Data
  return typeof thread === "string" && (state.threadId === undefined || canonicalUuid(thread) === state.threadId)
    ? data
    : undefined
}

const takeMark = (state: Mailbox, mark: Mark.Mark): Mailbox => {
  const data = dataOf(state, mark)
  if (data === undefined) return state
  switch (mark.kind) {
    case kinds.mail: {
      const { mail } = data
      return Mail.is(mail) && !has(state.mail, mail.id) ? { ...state, mail: [...state.mail, mail], used: true } : state
    }
    case kinds.input: {
      const { input } = data
      return Input.is(input) && !has(state.inputs, input.id)
        ? { ...state, inputs: [...state.inputs, input], phase: "current", used: true }
        : state
    }
    case kinds.waiting: {
      const { inputs, mail } = data
      if (!Array.isArray(mail) || !Array.isArray(inputs)) return state
      return { ...state, mail: mail.filter(Mail.is), inputs: inputs.filter(Input.is), used: true }
    }
    default:
      return state
  }
}

const has = (list: ReadonlyArray<{ readonly id: string }>, id: string): boolean => list.some((one) => one.id === id)

/** The mailbox without what an item tells. */
const told = (state: Mailbox, record: StoredRecord): Mailbox => {
  const mark = record.extras === undefined ? undefined : Mark.of(record)
  if (mark === undefined || (mark.kind !== kinds.delivered && mark.kind !== kinds.taken)) return state
  const id = dataOf(state, mark)?.id
  if (typeof id !== "string") return state
  return mark.kind === kinds.delivered
    ? { ...state, mail: state.mail.filter((one) => one.id !== id) }
    : { ...state, inputs: state.inputs.filter((one) => one.id !== id) }
}

/**
 * The phase behind an item (replay-semantics §8): an answer makes it the next turn's, unless something waits that the
 * turn goes on for. What makes the turn go on (an output of a tool, what the user said, a hook's word) brings it back.
 */
const phased = (state: Mailbox, item: ResponseItem.ResponseItem, registry: Fragment.Registry): Mailbox => {
  const phase = isAnswer(item)
    ? state.inputs.length > 0 || state.mail.some(({ triggerTurn }) => triggerTurn)
      ? state.phase
      : "next"
    : goesOn(item, registry)
      ? "current"
      : state.phase
  return phase === state.phase ? state : { ...state, phase }
}

const isAnswer = (item: ResponseItem.ResponseItem): boolean =>
  item.type === "message" &&
  item.role === "assistant" &&
  item.phase !== "commentary" &&
  item.content.some((part) => part.type === "output_text" && part.text !== "") &&
  !Boundary.isEnvelope(item)

const goesOn = (item: ResponseItem.ResponseItem, registry: Fragment.Registry): boolean => {
  switch (item.type) {
    case "function_call_output":
    case "custom_tool_call_output":
    case "tool_search_output":
      return true
    default:
      return Boundary.isRealUserMessage(item, registry) || HookPrompt.fragmentsOf(item) !== undefined
  }
}
