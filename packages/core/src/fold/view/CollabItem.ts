/** Calls of tools that work with other agents, from the events of their beginning and end (thread-view §1.6). */
import { canonicalUuid } from "../../record/Primitive.js"
import type { AgentStatus } from "../../record/SubAgent.js"
import * as Parts from "./ItemParts.js"
import { byCodePoint } from "./ItemParts.js"
import type { AnyEvent } from "./LiveEvent.js"
import type { CollabAgentToolCall } from "./ThreadItem.js"
import { untimed } from "./ThreadItem.js"

type Collab = Extract<AnyEvent, { readonly type: `collab_${string}` }>

/** The call that an event tells of, if it tells of one. */
export const ofEvent = (event: AnyEvent): CollabAgentToolCall | undefined =>
  event.type.startsWith("collab_") ? ofCollab(event as Collab) : undefined

const ofCollab = (event: Collab): CollabAgentToolCall => {
  switch (event.type) {
    case "collab_agent_spawn_begin":
      return { ...call(event, "spawnAgent"), ...asked(event) }
    case "collab_agent_spawn_end": {
      const id = event.new_thread_id ?? undefined
      return {
        ...call(event, "spawnAgent"),
        ...asked(event),
        ...ended(id === undefined ? {} : { [id]: event.status }),
        // Without a new thread nothing was started, whatever the status says.
        status: id === undefined || Parts.isFailure(event.status) ? "failed" : "completed"
      }
    }
    case "collab_agent_interaction_begin":
      return {
        ...call(event, "sendInput"),
        receiverThreadIds: [canonicalUuid(event.receiver_thread_id)],
        prompt: event.prompt
      }
    case "collab_agent_interaction_end":
      return { ...call(event, "sendInput"), ...answered(event), prompt: event.prompt }
    case "collab_waiting_begin":
      return { ...call(event, "wait"), receiverThreadIds: event.receiver_thread_ids.map(canonicalUuid) }
    case "collab_waiting_end":
      return { ...call(event, "wait"), ...ended(event.statuses) }
    case "collab_close_begin":
      return { ...call(event, "closeAgent"), receiverThreadIds: [canonicalUuid(event.receiver_thread_id)] }
    case "collab_close_end":
      return { ...call(event, "closeAgent"), ...answered(event) }
    case "collab_resume_begin":
      return { ...call(event, "resumeAgent"), receiverThreadIds: [canonicalUuid(event.receiver_thread_id)] }
    case "collab_resume_end":
      return { ...call(event, "resumeAgent"), ...answered(event) }
  }
}

const call = (
  event: { readonly call_id: string; readonly sender_thread_id: string },
  tool: CollabAgentToolCall["tool"]
): CollabAgentToolCall => ({
  type: "collabAgentToolCall",
  id: event.call_id,
  tool,
  status: "inProgress",
  senderThreadId: canonicalUuid(event.sender_thread_id),
  receiverThreadIds: [],
  prompt: null,
  model: null,
  reasoningEffort: null,
  agentsStates: {},
  ...untimed
})

const asked = (event: { readonly prompt: string; readonly model: string; readonly reasoning_effort: string }) => ({
  prompt: event.prompt,
  model: event.model,
  reasoningEffort: event.reasoning_effort
})

const answered = (event: { readonly receiver_thread_id: string; readonly status: AgentStatus }) =>
  ended({ [event.receiver_thread_id]: event.status })

const ended = (statuses: Readonly<Record<string, AgentStatus>>) => ({
  status: Object.values(statuses).some(Parts.isFailure) ? ("failed" as const) : ("completed" as const),
  receiverThreadIds: Object.keys(statuses).map(canonicalUuid).sort(byCodePoint),
  agentsStates: Parts.agentStates(statuses)
})
