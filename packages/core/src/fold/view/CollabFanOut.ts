/** The legacy events of calls that work with other agents (thread-view §1.9). */
import * as RetiredEvent from "../../record/RetiredEvent.js"
import { agentRole } from "../../record/SessionMeta.js"
import type { AgentRef, AgentStatus } from "../../record/SubAgent.js"
import type { CollabAgentToolCall } from "../../record/TurnItem.js"

/** What stands for an effort that is not recorded. */
const defaultEffort = "medium"

/** The event that announces a call. Calls that need a receiver and have none are not announced. */
export const begin = (item: CollabAgentToolCall, atMs: number): ReadonlyArray<RetiredEvent.RetiredEvent> => {
  const call = { call_id: item.id, started_at_ms: atMs, sender_thread_id: item.sender_thread_id }
  const receiver = item.receiver_thread_ids?.[0]
  switch (item.tool) {
    case "spawn_agent":
      return [RetiredEvent.CollabAgentSpawnBegin.make({ type: "collab_agent_spawn_begin", ...call, ...asked(item) })]
    case "wait":
      return [
        RetiredEvent.CollabWaitingBegin.make({
          type: "collab_waiting_begin",
          ...call,
          receiver_thread_ids: item.receiver_thread_ids ?? [],
          receiver_agents: item.receiver_agents ?? []
        })
      ]
    case "send_input":
      return receiver === undefined
        ? []
        : [
            RetiredEvent.CollabAgentInteractionBegin.make({
              type: "collab_agent_interaction_begin",
              ...call,
              receiver_thread_id: receiver,
              prompt: item.prompt ?? ""
            })
          ]
    case "close_agent":
      return receiver === undefined
        ? []
        : [RetiredEvent.CollabCloseBegin.make({ type: "collab_close_begin", ...call, receiver_thread_id: receiver })]
    case "resume_agent":
      return receiver === undefined
        ? []
        : [
            RetiredEvent.CollabResumeBegin.make({
              type: "collab_resume_begin",
              ...call,
              receiver_thread_id: receiver,
              ...named("receiver_agent", refOf(item, receiver))
            })
          ]
  }
}

/** The event that tells what a call came to. */
export const end = (item: CollabAgentToolCall, atMs: number): ReadonlyArray<RetiredEvent.RetiredEvent> => {
  const call = { call_id: item.id, completed_at_ms: atMs, sender_thread_id: item.sender_thread_id }
  const receiver = item.receiver_thread_ids?.[0]
  if (item.tool === "spawn_agent") {
    return [
      RetiredEvent.CollabAgentSpawnEnd.make({
        type: "collab_agent_spawn_end",
        ...call,
        new_thread_id: receiver,
        ...named("new_agent", receiver === undefined ? undefined : refOf(item, receiver)),
        ...asked(item),
        status: statusOf(item, receiver)
      })
    ]
  }
  if (item.tool === "wait") {
    return [
      RetiredEvent.CollabWaitingEnd.make({
        type: "collab_waiting_end",
        ...call,
        agent_statuses: (item.receiver_agents ?? []).map((ref) => ({ ...ref, status: statusOf(item, ref.thread_id) })),
        statuses: item.agents_states ?? {}
      })
    ]
  }
  if (receiver === undefined) return []
  const answer = {
    ...call,
    receiver_thread_id: receiver,
    ...named("receiver_agent", refOf(item, receiver)),
    status: statusOf(item, receiver)
  }
  switch (item.tool) {
    case "send_input":
      return [
        RetiredEvent.CollabAgentInteractionEnd.make({
          type: "collab_agent_interaction_end",
          ...answer,
          prompt: item.prompt ?? ""
        })
      ]
    case "close_agent":
      return [RetiredEvent.CollabCloseEnd.make({ type: "collab_close_end", ...answer })]
    case "resume_agent":
      return [RetiredEvent.CollabResumeEnd.make({ type: "collab_resume_end", ...answer })]
  }
}

const asked = (item: CollabAgentToolCall) => ({
  prompt: item.prompt ?? "",
  model: item.model ?? "",
  reasoning_effort: item.reasoning_effort ?? defaultEffort
})

const statusOf = (item: CollabAgentToolCall, id: string | undefined): AgentStatus =>
  (id === undefined ? undefined : item.agents_states?.[id]) ?? "not_found"

const refOf = (item: CollabAgentToolCall, id: string): AgentRef | undefined =>
  item.receiver_agents?.find((ref) => ref.thread_id === id)

const named = <P extends "new_agent" | "receiver_agent">(prefix: P, ref: AgentRef | undefined) =>
  ({
    [`${prefix}_nickname`]: ref?.agent_nickname ?? undefined,
    [`${prefix}_role`]: ref === undefined ? undefined : agentRole(ref)
  }) as { readonly [K in `${P}_${"nickname" | "role"}`]: string | undefined }
