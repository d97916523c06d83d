/** What writes a thread: its files so far, who writes at present, and what that writer has in memory. */
import type { Agent, Form, Model, Release } from "../ThreadModel.js"
import type { Place, Written } from "../ThreadWriter.js"
import type { Clock } from "./Clock.js"
import { firstForm, isOld } from "./Facts.js"

/** What a writer has in memory and gets back by a replay. Replaced, never changed, so that turns can be taken back. */
export interface State {
  /** Whether the model has its context in the present window. */
  readonly hasContext: boolean
  /** The note in the world as the model was told; unset when it was told of no world. */
  readonly told: { readonly note: string | null } | undefined
  readonly note: string | null
  readonly window: Window
  /** What the user said, and what the thread was told by those who act as its user. */
  readonly texts: ReadonlyArray<string>
}

/** The window that is open. */
export interface Window {
  readonly number: number
  readonly first: string
  readonly previous?: string
  readonly id: string
}

/** The first window of a thread. */
export const firstWindow = (id: string): Window => ({ number: 0, first: id, id })

/** A file in the making. */
export interface OpenFile {
  readonly name: string
  /** What other files call it. */
  readonly id: string
  readonly lines: Array<string>
  /** Bytes of the lines so far, with their line feeds. */
  bytes: number
}

/** A line that counts. */
export interface Line extends Place {
  readonly value: Payload
  /** The ordinal that it has, or would have in a thread that numbers its records. */
  readonly ordinal: number
  readonly offset: number
}

/** Where a turn, or a compaction in a turn of its own, begins. */
export interface Start {
  /** Index of its first line. */
  readonly at: number
  readonly state: State
}

/** What another agent is to the thread that it started. */
export interface Parent {
  readonly pen: Pen
  readonly depth: number
  readonly nickname: string
}

/** Mutable and single use. */
export interface Pen {
  readonly clock: Clock
  readonly model: Model
  /** Whether the thread is kept with ordinals. */
  readonly isPaginated: boolean
  readonly parent: Parent | undefined
  /** What agents call it, such as `/root`. */
  readonly path: string
  /** The agents with a log that it started. */
  readonly agents: Array<Written>
  /** How many agents it started. */
  spawned: number
  readonly files: Array<OpenFile>
  form: Form
  threadId: string
  session: string
  /** Id of the window that the thread began with. All its headers name it, whatever came after. */
  firstWindowId: string
  turnId: string
  /** Whether the newest turn has no end. */
  isOpen: boolean
  spent: number
  spentHere: number
  state: State
  log: Array<Line>
  starts: Array<Start>
  /** Indexes of the lines with which a fork of the last turns may begin (replay-semantics §5.2). */
  asked: Array<number>
}

/** A value of a line. */
export type Payload = Readonly<Record<string, unknown>>

/** A pen that has written nothing. */
export const make = (model: Model, clock: Clock, parent?: Parent & { readonly path: string }): Pen => {
  const form = parent?.pen.form ?? firstForm(model)
  const threadId = clock.uuid()
  const firstWindowId = clock.uuid()
  return {
    clock,
    model,
    isPaginated: parent?.pen.isPaginated ?? form === "paginated",
    parent,
    path: parent?.path ?? "/root",
    agents: [],
    spawned: 0,
    files: [],
    form,
    threadId,
    session: parent?.pen.session ?? threadId,
    firstWindowId,
    turnId: "",
    isOpen: false,
    spent: 0,
    spentHere: 0,
    state: { hasContext: false, told: undefined, note: null, window: firstWindow(firstWindowId), texts: [] },
    log: [],
    starts: [],
    asked: []
  }
}

/** What was written. A thread's own header stands in front of what it inherits. */
export const written = (pen: Pen, agent?: Agent): Written => {
  const places = pen.log.map(({ file, line }) => ({ file, line }))
  const isOwn = ({ file, line }: Place) => file === pen.files.length - 1 && line === 0
  return {
    threadId: pen.threadId,
    agent,
    files: pen.files.map(({ lines, name }) => ({ name, lines })),
    log: [...places.filter(isOwn), ...places.filter((place) => !isOwn(place))],
    agents: pen.agents
  }
}

/** The release that writes at present. Those that know ordinals write none of their records without. */
export const releaseOf = ({ form, isPaginated, model }: Pen): Release =>
  isPaginated && form === "legacy" ? "0.142.4" : (model.release ?? "0.169.0")

/** Which multi-agent tools the writer has: before 0.142 there was one kind of them. */
export const agentsOf = ({ form, model }: Pen): "v1" | "v2" => (isOld(form) ? "v1" : (model.agents ?? "v2"))

/** Whether the writer has canonical items for what the user is shown. */
const hasItems = ({ form }: Pen): boolean => form === "paginated" || form === "enriched"

/** Whether the writer has events for it. */
const hasEvents = ({ form }: Pen): boolean => form !== "paginated"

/** Goes on in a new file; `id` is that of its thread, or of its segment. */
export const openFile = (pen: Pen, id: string): void => {
  const time = new Date(pen.clock.tick()).toISOString().slice(0, 19).replaceAll(":", "-")
  const segment = id === pen.threadId ? "" : `_${id}`
  pen.files.push({ name: `rollout-${time}-${pen.threadId}${segment}.jsonl`, id, lines: [], bytes: 0 })
}

const utf8 = new TextEncoder()

/** The ordinal of the next line. */
export const nextOrdinal = ({ log }: Pen): number => (log.at(-1)?.ordinal ?? -1) + 1

/** Writes a line as it is. `ordinal` is that of a line which has none: the one in front of it. */
export const append = (pen: Pen, value: Payload, ordinal = nextOrdinal(pen)): void => {
  const file = pen.files.at(-1)
  if (file === undefined) throw new Error("no file is open")
  const text = JSON.stringify(value)
  pen.log.push({ file: pen.files.length - 1, line: file.lines.length, value, ordinal, offset: file.bytes })
  file.lines.push(text)
  file.bytes += utf8.encode(text).length + 1
}

/** Writes a record. 0.20.0 has items of the history and nothing else. */
export const put = (pen: Pen, type: string, payload: Payload, extras: Payload = {}) => {
  const timestamp = new Date(pen.clock.tick()).toISOString()
  if (pen.form === "0.20.0") {
    if (type === "response_item") append(pen, payload)
    return
  }
  if (!pen.isPaginated) return append(pen, { timestamp, type, payload, ...extras })
  if (pen.form !== "paginated") return append(pen, { timestamp, type, payload, ...extras }, nextOrdinal(pen) - 1)
  append(pen, { timestamp, ordinal: nextOrdinal(pen), type, payload, ...extras })
}

/** Writes a record again that stands in the log of another thread. */
export const copy = (pen: Pen, { value }: Line): void => {
  const { ordinal: _, ...record } = value
  const timestamp = new Date(pen.clock.tick()).toISOString()
  append(pen, { ...record, timestamp, ...(pen.isPaginated ? { ordinal: nextOrdinal(pen) } : {}) })
}

/** Writes an event. */
export const event = (pen: Pen, type: string, payload: Payload = {}, extras: Payload = {}): void =>
  put(pen, "event_msg", { type, ...payload }, extras)

/** Writes an item of the history; releases from 0.142.4 on say which turn it belongs to. */
export const item = (pen: Pen, type: string, payload: Payload): void =>
  put(pen, "response_item", {
    type,
    ...payload,
    ...(isOld(pen.form) ? {} : { internal_chat_message_metadata_passthrough: { turn_id: pen.turnId } })
  })

/** A message of the history. */
export const messageOf = (role: string, text: string) => ({
  role,
  content: [{ type: role === "assistant" ? "output_text" : "input_text", text }]
})

/** Writes a message of the history. */
export const message = (pen: Pen, role: string, text: string, id?: string): void =>
  item(pen, "message", { ...(id === undefined || isOld(pen.form) ? {} : { id }), ...messageOf(role, text) })

/** An event and what it says. */
export type Event = readonly [type: string, payload: Payload]

/** Writes what the user is shown: a canonical item where the form has them, events where it has those. */
export const shown = (pen: Pen, type: string, body: Payload, events: ReadonlyArray<Event>): void => {
  if (hasItems(pen)) canonical(pen, type, body)
  if (!hasEvents(pen)) return
  const extras = pen.form === "enriched" ? { skein: { v: 1, kind: "fanout" } } : {}
  for (const [name, payload] of events) event(pen, name, payload, extras)
}

/** Writes a canonical item. */
export const canonical = (pen: Pen, type: string, body: Payload): void => {
  const at = pen.clock.tick()
  const times = { started_at_ms: at, completed_at_ms: at }
  event(pen, "item_completed", { thread_id: pen.threadId, turn_id: pen.turnId, item: { type, ...body }, ...times })
}

/** The turn of the root thread that the present one serves. */
export const rootTurnOf = ({ parent, turnId }: Pen): string => (parent === undefined ? turnId : rootTurnOf(parent.pen))
