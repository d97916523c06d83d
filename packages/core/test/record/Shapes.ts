/** Every shape of the record views, by name, for tests that hold for all of them. */
import type { Schema } from "effect"
import * as Compacted from "../../src/record/Compacted.js"
import * as EventMsg from "../../src/record/EventMsg.js"
import * as ExtensionItem from "../../src/record/ExtensionItem.js"
import * as InterAgentCommunication from "../../src/record/InterAgentCommunication.js"
import * as ResponseItem from "../../src/record/ResponseItem.js"
import * as RetainedContext from "../../src/record/RetainedContext.js"
import * as SessionMeta from "../../src/record/SessionMeta.js"
import * as TokenUsageRecord from "../../src/record/TokenUsageRecord.js"
import * as TurnContext from "../../src/record/TurnContext.js"
import * as TurnItem from "../../src/record/TurnItem.js"
import * as WorldStateRecord from "../../src/record/WorldStateRecord.js"

/** The schemas of records that are neither items nor events, by their `type`. */
export const records: Readonly<Record<string, AnyShape>> = {
  session_meta: SessionMeta.SessionMeta,
  compacted: Compacted.Compacted,
  turn_context: TurnContext.TurnContext,
  world_state: WorldStateRecord.WorldStateRecord,
  inter_agent_communication: InterAgentCommunication.InterAgentCommunication,
  inter_agent_communication_metadata: InterAgentCommunication.InterAgentCommunicationMetadata,
  token_usage_record: TokenUsageRecord.TokenUsageRecord,
  retained_context: RetainedContext.RetainedContext
}

/** What tests use of a shape; `make` takes any object that `is` has accepted. */
export interface AnyShape {
  readonly schema: Schema.Schema.AnyNoContext
  readonly is: (value: unknown) => boolean
  readonly make?: (input: never) => unknown
}

const shapesOf = (level: string, variants: Readonly<Record<string, AnyShape>>) =>
  Object.entries(variants).map(([name, shape]) => ({ name: `${level} ${name}`, shape }))

/** All of them. */
export const all: ReadonlyArray<{ readonly name: string; readonly shape: AnyShape }> = [
  ...shapesOf("record", records),
  ...shapesOf("item", ResponseItem.variants),
  ...shapesOf("event", EventMsg.variants),
  ...shapesOf("turn item", TurnItem.variants),
  ...shapesOf("extension", ExtensionItem.variants)
]

/** The shape that a payload of this record type has to have, by the payload's own tag where there is one. */
export const shapeFor = (type: string, payload: unknown): AnyShape | undefined => {
  const variants: Readonly<Record<string, AnyShape>> | undefined =
    type === "response_item" ? ResponseItem.variants : type === "event_msg" ? EventMsg.variants : undefined
  if (variants === undefined) return records[type]
  const tag = typeof payload === "object" && payload !== null && "type" in payload ? payload.type : undefined
  return typeof tag === "string" ? variants[tag] : undefined
}

/** The written form of an accepted object. */
export const rewritten = (shape: AnyShape, value: unknown): unknown => shape.make?.(value as never)
