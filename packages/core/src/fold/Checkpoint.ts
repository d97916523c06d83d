/**
 * The small state of a thread at a place of its log, written down there, so that a reader which comes from the end need
 * not look for what waits somewhere further back (design §4).
 *
 * Mail that was not told, a selected mode, the sums of tokens can be of any age. A compaction is where a reader stops, so
 * whoever writes one writes a checkpoint behind it. It says nothing that the log does not say: folds pass over it, and a
 * log without any is read as it ever was.
 */
import * as Schema from "effect/Schema"
import * as Mark from "../record/Mark.js"
import { canonicalUuid } from "../record/Primitive.js"
import type { StoredRecord } from "../record/Record.js"
import * as Shape from "../record/Shape.js"
import { TokenUsage as Counts } from "../record/Usage.js"
import type { ActiveTurn } from "./ActiveTurn.js"
import type { Mailbox } from "./Mailbox.js"
import * as Mailboxes from "./Mailbox.js"
import type { ModeSelection } from "./ModeSelection.js"
import type { TokenUsage } from "./TokenUsage.js"
import type { WindowState } from "./WindowState.js"

/** The kind of the carrier; its data is a {@link Checkpoint}. */
export const kind = "checkpoint"

const Tokens = Schema.Number

/** What is written down. Plain JSON. */
export const Checkpoint = Shape.struct({
  /** Whose mail it is. */
  thread: Schema.String,
  mail: Schema.Array(Mailboxes.Mail.schema),
  inputs: Schema.Array(Mailboxes.Input.schema),
  phase: Schema.Literal("current", "next"),
  used: Schema.Boolean,
  selection: Shape.nullable(Schema.Literal("explicitRequestOnly", "proactive")),
  recorded: Schema.Boolean,
  window: Schema.Struct({
    newContextRequested: Schema.Boolean,
    prefill: Schema.Union(
      Schema.Struct({ _tag: Schema.Literal("None") }),
      Schema.Struct({ _tag: Schema.Literal("Estimated", "Observed"), tokens: Tokens })
    ),
    reminderDelivered: Schema.Boolean,
    fallbackDelivered: Schema.Boolean,
    identity: Shape.nullable(Schema.Struct({ number: Schema.Number, id: Schema.String }))
  }),
  usage: Schema.Struct({
    total: Shape.nullable(Counts.schema),
    counted: Shape.nullable(Counts.schema),
    recorded: Schema.Boolean,
    last: Shape.nullable(Counts.schema),
    contextWindow: Shape.nullable(Tokens),
    turn: Shape.nullable(Schema.Struct({ turnId: Shape.nullable(Schema.String), usage: Counts.schema })),
    open: Schema.Boolean
  }),
  previousTurn: Shape.nullable(Schema.String)
})
export type Checkpoint = Shape.TypeOf<typeof Checkpoint>

/** The parts of a thread's state that can be of any age. */
export interface State {
  readonly turn: ActiveTurn
  readonly mailbox: Mailbox
  readonly selection: ModeSelection
  readonly window: WindowState
  readonly usage: TokenUsage
}

/** The state written down; undefined for a thread of which no header is known. Cost: what waits. */
export const of = (state: State): Checkpoint | undefined => {
  const { mailbox, selection, turn, usage, window } = state
  if (turn.thread === undefined) return undefined
  return {
    thread: turn.thread.id,
    mail: mailbox.mail,
    inputs: mailbox.inputs,
    phase: mailbox.phase,
    used: mailbox.used,
    selection: selection.selection ?? null,
    recorded: selection.recorded,
    window: { ...window, identity: window.identity ?? null },
    usage: {
      total: usage.total ?? null,
      counted: usage.counted ?? null,
      recorded: usage.recorded,
      last: usage.last ?? null,
      contextWindow: usage.contextWindow ?? null,
      turn: usage.turn === undefined ? null : { ...usage.turn, turnId: usage.turn.turnId ?? null },
      open: usage.open
    },
    previousTurn: turn.previousId ?? null
  }
}

/** The checkpoint that a record is; undefined for any other record, and for one that makes no sense. */
export const read = (record: StoredRecord): Checkpoint | undefined => {
  const mark = Mark.carried(record)
  return mark?.kind === kind && Checkpoint.is(mark.data) ? mark.data : undefined
}

/**
 * The parts that stand in a checkpoint, as they are behind it. In a fork, mail of its source is none of its own.
 *
 * Law: for a log with a checkpoint at any place, folding what is behind it from here gives what folding all gives, save
 * the list of what earlier turns used.
 *
 * @param threadId Whose log it is.
 */
export const restore = (checkpoint: Checkpoint, threadId: string): Omit<State, "turn"> => {
  const { inputs, mail, phase, recorded, selection, thread, usage, used, window } = checkpoint
  const isOwn = canonicalUuid(thread) === canonicalUuid(threadId)
  return {
    mailbox: {
      threadId: canonicalUuid(threadId),
      mail: isOwn ? mail : [],
      inputs: isOwn ? inputs : [],
      phase,
      used: isOwn && used
    },
    selection: { selection: selection ?? undefined, recorded },
    window: { ...window, identity: window.identity ?? undefined },
    usage: {
      total: usage.total ?? undefined,
      counted: usage.counted ?? undefined,
      recorded: usage.recorded,
      last: usage.last ?? undefined,
      contextWindow: usage.contextWindow ?? undefined,
      list: [],
      length: 0,
      turn: usage.turn === null ? undefined : { ...usage.turn, turnId: usage.turn?.turnId ?? undefined },
      open: usage.open
    } as TokenUsage
  }
}
