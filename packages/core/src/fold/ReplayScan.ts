/**
 * The scan behind every answer: records newest to oldest, until what they say is settled.
 *
 * It groups records into turns as replay-semantics §1.2 does, finds which of them rollbacks have undone, which
 * compactions are void with them (§1.4.2), and stops as soon as nothing older can matter (§1.9). It is fed either from
 * the end of a file, so that the cost of an answer follows the current window and not the thread, or from the records
 * that {@link ReplayLog} keeps, so that a live thread and a cold replay are answered by the same code.
 *
 * What the spec calls a segment is a *span* here: the records from one turn start to the next. (A segment in this
 * project is a piece of a log.)
 */
import type { Compacted } from "../record/Compacted.js"
import type { Entry as RecordEntry } from "../record/Record.js"
import type * as Sniff from "../record/Sniff.js"
import type { TurnContext } from "../record/TurnContext.js"
import type { TokenUsageInfo } from "../record/Usage.js"
import * as Boundary from "./Boundary.js"
import * as ContextWindow from "./ContextWindow.js"
import type { Registry } from "./Fragment.js"
import * as Rebuild from "./Rebuild.js"

/**
 * What the scan takes: a record, or the lines of some that are known to be no more than items of the history. Such
 * lines are most of a thread, and unread they cost a tenth of what they come to.
 */
export type Entry = RecordEntry | Deferred

/** Items that no user wrote, unread: their lines are these bytes of a block. */
export interface Deferred {
  readonly kind: "deferred"
  readonly block: Uint8Array
  readonly from: number
  readonly length: number
  /** Whether one of them is an instruction boundary. */
  readonly boundary: boolean
}

/** An entry of one kind. */
type Of<K extends Entry["kind"]> = Extract<Entry, { readonly kind: K }>

/** What a turn ran with, as the next turn compares itself with it (replay-semantics §1.1). */
export interface PreviousTurnSettings {
  readonly model: string
  readonly comp_hash?: string | undefined
  readonly realtime_active?: boolean | undefined
}

/** The records of one span that count for more than their items, collected newest first. */
interface Span {
  id: string | undefined
  isUserTurn: boolean
  settings: PreviousTurnSettings | undefined
  /** The newest turn context; `null` when a newer compaction has cleared it; undefined when neither was seen. */
  reference: TurnContext | null | undefined
  window: ContextWindow.Lineage | undefined
  readonly world: Array<Of<"world_state"> | Of<"compacted">>
  /** For each compaction with a replacement, how many records were kept when it was met. */
  readonly replaced: Array<number>
}

/** What the scan can be told. */
export interface Options {
  readonly registry: Registry
  /** Approximate tokens of user text that a compaction without replacement keeps (replay-semantics §1.4). */
  readonly rebuildTokens: number
}

/** A scan in progress. Mutable and single use: it is a cursor, not a state. */
export interface Scan {
  /** Takes the next older record. */
  readonly add: (record: Entry) => void
  /**
   * Whether a line with this head can matter, so that a reader may pass over those that cannot without decoding them.
   * Damage further on in such a line then goes unnoticed.
   */
  readonly wants: (head: Sniff.Head) => boolean
  /** Whether everything is settled, so that no older record can change the answer. */
  readonly settled: () => boolean
  /** Whether the history is settled; what else the answer holds may need older records. */
  readonly historySettled: () => boolean
  /** Whether the number of the window hangs on how many compactions the log holds in all (replay-semantics §1.3). */
  readonly needsCount: () => boolean
  /** Compactions met so far. */
  readonly compactions: () => number
  /** Closes the scan. `atStart` says that the oldest record of the log was taken. */
  readonly finish: (atStart: boolean) => Outcome
}

/** What the scan found out. */
export interface Outcome {
  /** Records to build the history from, oldest first; the first one may be the compaction that it starts with. */
  readonly suffix: ReadonlyArray<Entry>
  /** Compactions whose span was rolled back. Those with a replacement are void (replay-semantics §1.4.2). */
  readonly undone: ReadonlySet<Entry>
  readonly previousTurnSettings: PreviousTurnSettings | undefined
  readonly referenceContext: TurnContext | undefined
  /** Surviving compactions and world states, oldest first. */
  readonly world: ReadonlyArray<Of<"world_state"> | Of<"compacted">>
  /** Lineage of the newest surviving numbered compaction. */
  readonly window: ContextWindow.Lineage | undefined
  /** How many compactions were met, rolled back ones too. */
  readonly compactions: number
  /** Whether one of them has no window number. */
  readonly unnumbered: boolean
  /** The newest token count that says something. */
  readonly tokenInfo: TokenUsageInfo | undefined
  /** The newest turn context, whether its turn survived or not. */
  readonly newestContext: TurnContext | undefined
  /** The newest multi-agent version that a turn context names. */
  readonly contextVersion: TurnContext["multi_agent_version"]
  readonly atStart: boolean
  readonly complete: {
    readonly history: boolean
    readonly previousTurnSettings: boolean
    readonly referenceContext: boolean
    readonly world: boolean
    /** Whether no older compaction can give the window; without one its number is a count (replay-semantics §1.3). */
    readonly window: boolean
  }
}

/** Events that replay reads, by every name that was written. */
const relevantEvents: ReadonlySet<string> = new Set([
  "task_started",
  "turn_started",
  "task_complete",
  "turn_complete",
  "turn_aborted",
  "user_message",
  "thread_rolled_back"
])

const irrelevantRecords: ReadonlySet<string> = new Set([
  "inter_agent_communication_metadata",
  "token_usage_record",
  "retained_context"
])

/** Whether a record can matter to a replay at all; the others need not be kept or fed. */
export const isRelevant = (record: Entry): boolean => {
  switch (record.kind) {
    case "response_item":
    case "deferred":
    case "inter_agent_communication":
    case "compacted":
    case "turn_context":
    case "world_state":
      return true
    case "event_msg":
      return relevantEvents.has(record.payload.type)
    default:
      return false
  }
}

/**
 * A new scan.
 *
 * Cost: constant per record, apart from the boundary test on user messages. Memory: the records up to the point at
 * which the history is settled.
 */
export const make = (options: Options): Scan => {
  const { registry } = options
  /** Records that the history is built from, newest first. */
  const kept: Array<Entry> = []
  const undone = new Set<Entry>()
  /** What the closed spans gave, newest first. */
  const world: Outcome["world"][number][] = []
  let span: Span | undefined
  let pending = 0
  /** How many of `kept` the history needs; undefined until that is settled. */
  let needed: number | undefined
  let settings: PreviousTurnSettings | undefined
  let reference: TurnContext | null | undefined
  let window: ContextWindow.Lineage | undefined
  let compactions = 0
  let unnumbered = false
  let tokenInfo: TokenUsageInfo | undefined
  let newestContext: TurnContext | undefined
  let contextVersion: TurnContext["multi_agent_version"]
  /** Tokens of user text met behind the newest compaction without replacement; undefined when there is none. */
  let rebuildable: number | undefined
  let worldSettled = false

  const open = (): Span => {
    span ??= {
      id: undefined,
      isUserTurn: false,
      settings: undefined,
      reference: undefined,
      window: undefined,
      world: [],
      replaced: []
    }
    return span
  }

  const close = (closed: Span): void => {
    span = undefined
    if (pending > 0) {
      for (const record of closed.world) if (record.kind === "compacted") undone.add(record)
      if (closed.isUserTurn) pending--
      return
    }
    for (const record of closed.world) {
      if (worldSettled) break
      world.push(record)
      worldSettled = record.kind === "compacted" || record.payload.full
    }
    needed ??= closed.replaced[0]
    window ??= closed.window
    if (settings === undefined && closed.isUserTurn) settings = closed.settings
    if (reference === undefined && (closed.isUserTurn || closed.reference === null)) reference = closed.reference
  }

  const addCompaction = (record: Of<"compacted">): void => {
    const current = open()
    compactions++
    if (record.payload.window_number === undefined || record.payload.window_number === null) unnumbered = true
    else current.window ??= ContextWindow.fromCompacted(record.payload)
    current.world.push(record)
    if (current.reference === undefined) current.reference = null
    if (hasReplacement(record.payload)) current.replaced.push(kept.length)
    else rebuildable ??= 0
  }

  const addContext = (context: TurnContext): void => {
    newestContext ??= context
    contextVersion ??= context.multi_agent_version ?? undefined
    const current = open()
    const id = context.turn_id ?? undefined
    current.id ??= id
    if (!compatible(current.id, id)) return
    current.settings = {
      model: context.model,
      comp_hash: context.comp_hash ?? undefined,
      realtime_active: context.realtime_active ?? undefined
    }
    if (current.reference === undefined) current.reference = context
  }

  const addItem = (item: Of<"response_item">["payload"]): void => {
    const current = open()
    if (!current.isUserTurn && Boundary.isBoundary(item, registry)) current.isUserTurn = true
    if (rebuildable === undefined || needed !== undefined) return
    rebuildable += Rebuild.userTextTokens(item, registry) ?? 0
    if (rebuildable >= options.rebuildTokens && pending === 0 && current.replaced.length === 0) needed = kept.length
  }

  const addEvent = (event: Of<"event_msg">["payload"]): void => {
    switch (event.type) {
      case "task_started":
        if (span !== undefined && compatible(span.id, event.turn_id)) close(span)
        return
      case "task_complete":
        open().id ??= event.turn_id
        return
      case "turn_aborted": {
        const id = event.turn_id ?? undefined
        if (span !== undefined) span.id ??= id
        else if (id !== undefined) open().id = id
        return
      }
      case "user_message":
        open().isUserTurn = true
        return
      case "thread_rolled_back":
        pending = Math.min(pending + event.num_turns, Number.MAX_SAFE_INTEGER)
        // A rollback older than the compaction may have changed what the compaction rebuilt from.
        if (rebuildable !== undefined) rebuildable = Number.NEGATIVE_INFINITY
        return
      case "token_count":
        tokenInfo ??= event.info ?? undefined
        return
      default:
        return
    }
  }

  const settled = (): boolean => needed !== undefined && settings !== undefined && reference !== undefined

  return {
    add: (record) => {
      if (needed === undefined && isRelevant(record)) kept.push(record)
      switch (record.kind) {
        case "compacted":
          return addCompaction(record)
        case "turn_context":
          return addContext(record.payload)
        case "world_state":
          open().world.push(record)
          return
        case "deferred":
          if (record.boundary) open().isUserTurn = true
          else open()
          return
        case "response_item":
          return addItem(record.payload)
        case "inter_agent_communication":
          open().isUserTurn = true
          return
        case "event_msg":
          return addEvent(record.payload)
        default:
          return
      }
    },
    wants: ({ inner, type }) =>
      type === "event_msg"
        ? inner === undefined || relevantEvents.has(inner) || (tokenInfo === undefined && inner === "token_count")
        : !irrelevantRecords.has(type),
    historySettled: () => needed !== undefined,
    needsCount: () => window === undefined,
    compactions: () => compactions,
    settled,
    finish: (atStart) => {
      if (atStart && span !== undefined) close(span)
      return {
        suffix: kept.slice(0, needed ?? kept.length).reverse(),
        undone,
        previousTurnSettings: settings,
        referenceContext: reference ?? undefined,
        world: world.reverse(),
        window,
        compactions,
        unnumbered,
        tokenInfo,
        newestContext,
        contextVersion,
        atStart,
        complete: {
          history: atStart || needed !== undefined,
          previousTurnSettings: atStart || settings !== undefined,
          referenceContext: atStart || reference !== undefined,
          world: atStart || worldSettled,
          window: atStart || window !== undefined || settled()
        }
      }
    }
  }
}

/** Two turn ids that may name one turn: equal, or one of them unknown (replay-semantics §1.2). */
const compatible = (left: string | undefined, right: string | undefined): boolean =>
  left === undefined || right === undefined || left === right

/** Whether a compaction brings the whole new history with it. */
export const hasReplacement = (
  payload: Compacted
): payload is Compacted & { readonly replacement_history: NonNullable<Compacted["replacement_history"]> } =>
  payload.replacement_history !== undefined && payload.replacement_history !== null
