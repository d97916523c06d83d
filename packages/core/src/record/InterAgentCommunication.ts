/**
 * Words of one agent to another, outside of items: the payloads of `inter_agent_communication`, which builds of June
 * 2026 wrote, and of `inter_agent_communication_metadata`, which stands before an `agent_message` (rollout-format §3.2
 * and §3.3).
 */
import * as Schema from "effect/Schema"
import type { AgentContent } from "./Content.js"
import { AgentPath } from "./Primitive.js"
import * as ResponseItem from "./ResponseItem.js"
import * as Shape from "./Shape.js"

/** A message of one agent to others; with `encrypted_content`, its `content` is empty (rollout-format §3.2). */
export const InterAgentCommunication = Shape.struct({
  id: Shape.sparse(Schema.String),
  author: AgentPath,
  recipient: AgentPath,
  other_recipients: Shape.defaulted(Schema.Array(AgentPath), []),
  content: Schema.String,
  encrypted_content: Shape.sparse(Schema.String),
  internal_chat_message_metadata_passthrough: Shape.sparse(ResponseItem.Passthrough.schema),
  trigger_turn: Schema.Boolean
})
export type InterAgentCommunication = Shape.TypeOf<typeof InterAgentCommunication>

/** Whether the `agent_message` on the next line starts a turn (rollout-format §3.3). */
export const InterAgentCommunicationMetadata = Shape.struct({ trigger_turn: Schema.Boolean })
export type InterAgentCommunicationMetadata = Shape.TypeOf<typeof InterAgentCommunicationMetadata>

/** The item that the model reads for a communication (rollout-format §3.2). */
export const toAgentMessage = (comm: InterAgentCommunication): ResponseItem.AgentMessage =>
  ResponseItem.AgentMessage.make({
    type: "agent_message",
    id: comm.id,
    author: comm.author,
    recipient: comm.recipient,
    content: contentOf(comm),
    internal_chat_message_metadata_passthrough: comm.internal_chat_message_metadata_passthrough
  })

const contentOf = (comm: InterAgentCommunication): ReadonlyArray<AgentContent> => {
  const encrypted = comm.encrypted_content ?? undefined
  if (encrypted === undefined) return [{ type: "input_text", text: comm.content }]
  const kind = comm.trigger_turn ? "NEW_TASK" : "MESSAGE"
  const head = `Message Type: ${kind}\nTask name: ${comm.recipient}\nSender: ${comm.author}\nPayload:\n`
  return [
    { type: "input_text", text: head },
    { type: "encrypted_content", encrypted_content: encrypted }
  ]
}

/**
 * The communication that a text holds as JSON, as the oldest builds stored it: an assistant message whose only part is
 * that text (rollout-format §3.2). Cost: a parse, of texts that open with `{` only.
 */
export const parseEnvelope = (text: string): InterAgentCommunication | undefined => {
  if (!/^\s*\{/.test(text)) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return InterAgentCommunication.is(value) ? value : undefined
}
