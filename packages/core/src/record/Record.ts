/**
 * A record of the log: one line, read as what it says (rollout-format §2 and §3).
 *
 * A stored record *is* its raw line; everything here is a view of it. The payload is the object that the parser made,
 * checked against its shape and never copied, unless the line has an older shape, which `legacy/` brings up to date.
 */
import type { RawLine } from "./Jsonl.js"
import type { Compacted } from "./Compacted.js"
import type { EventMsg } from "./EventMsg.js"
import type { InterAgentCommunication, InterAgentCommunicationMetadata } from "./InterAgentCommunication.js"
import type { ResponseItem } from "./ResponseItem.js"
import type { RetainedContext } from "./RetainedContext.js"
import type { SessionMeta } from "./SessionMeta.js"
import type { TokenUsageRecord } from "./TokenUsageRecord.js"
import type { TurnContext } from "./TurnContext.js"
import type { WorldStateRecord } from "./WorldStateRecord.js"

/** The payload of each kind of record, by the `type` of its line. */
export interface Payloads {
  readonly session_meta: SessionMeta
  readonly response_item: ResponseItem
  readonly inter_agent_communication: InterAgentCommunication
  readonly inter_agent_communication_metadata: InterAgentCommunicationMetadata
  readonly compacted: Compacted
  readonly turn_context: TurnContext
  readonly world_state: WorldStateRecord
  readonly event_msg: EventMsg
  readonly token_usage_record: TokenUsageRecord
  readonly retained_context: RetainedContext
}

/** The `type` of a line. */
export type Kind = keyof Payloads

/** What a kind that this version does not know is a kind *of*. */
export type UnknownLevel = "record" | "event" | "item" | "turn_item"

/** A well-formed line of a kind that this version does not know. */
export interface Unknown {
  readonly level: UnknownLevel
  /** The unknown tag: a record's `type`, or the inner `type` of an event, an item or a turn item. */
  readonly name: string
  readonly value: unknown
}

/** What every record has, whatever it says. */
interface Common {
  readonly line: RawLine
  /** Moment of writing as the line has it; usually RFC 3339 in UTC. */
  readonly timestamp: string
  /** Position in the log of a paginated thread; legacy threads have none. */
  readonly ordinal: number | undefined
  /** Keys of the envelope beside `timestamp`, `ordinal`, `type` and `payload`, such as `metadata` and `skein`. */
  readonly extras: Readonly<Record<string, unknown>> | undefined
  /** Name of the older shape that this line has, when `legacy/` brought it up to date. */
  readonly upcast: string | undefined
}

/** A record of a known kind. */
export type Known = { readonly [K in Kind]: Common & { readonly kind: K; readonly payload: Payloads[K] } }[Kind]

/** A record that can be read: of a known kind, or well formed and of an unknown one. */
export type StoredRecord = Known | (Common & { readonly kind: "unknown"; readonly payload: Unknown })
