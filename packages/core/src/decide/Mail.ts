/**
 * Words of one agent to another: how they come in, and how they are told to the model (replay-semantics §8).
 *
 * What comes in is recorded in the thread of the agent that it is for, and told there when its phase allows: the pair of
 * metadata and `agent_message` that the reference writes on delivery, in one batch, with a mark that says which mail it
 * is. So mail survives a crash and is told once (§11.8).
 */
import * as Either from "effect/Either"
import type { ActiveTurn, Identity } from "../fold/ActiveTurn.js"
import type { Mailbox, Mail as WaitingMail } from "../fold/Mailbox.js"
import * as MailboxFold from "../fold/Mailbox.js"
import * as InterAgentCommunication from "../record/InterAgentCommunication.js"
import * as Mark from "../record/Mark.js"
import type { AgentStatus } from "../record/SubAgent.js"
import * as AgentPath from "./AgentPath.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as Input from "./Input.js"
import * as Item from "./Item.js"
import * as ModelItem from "./ModelItem.js"
import * as TurnLifecycle from "./TurnLifecycle.js"

/** What these decisions look at: the thread of the agent that the mail is for. */
export interface State {
  readonly turn: ActiveTurn
  readonly mailbox: Mailbox
}

/** Words to another agent: plain, or such as only the provider can read. */
export interface Message {
  /** A new UUID. */
  readonly id: string
  readonly author: string
  readonly recipient: string
  readonly content: string
  /** Then `content` is empty. */
  readonly encrypted?: string | undefined
  /** Whether it is work to be begun, and not just to be known. */
  readonly triggerTurn: boolean
}

/** An agent that mail can go to. */
export interface Address {
  readonly path: string
  readonly threadId: string
}

/** Where mail goes, and what is to be recorded there. */
export interface Sent {
  readonly to: Address
  readonly message: Message
}

/**
 * Who a message is for, among the agents that live.
 *
 * @param to A path, or names below the author's own path.
 *
 * Errors: `InvalidRequest` for a bad path and for nothing said, `NotFound` for an agent that does not live.
 */
export const address = (
  to: string,
  message: Omit<Message, "recipient">,
  agents: ReadonlyMap<string, string>
): Decision<Sent> =>
  Either.flatMap(AgentPath.resolve(message.author, to, "to"), (path) => {
    const threadId = agents.get(path)
    if (threadId === undefined) {
      return Errors.notFound("to", "agent", `no agent lives at ${path}`, "Look at the agents of this tree first")
    }
    return Either.map(checked({ ...message, recipient: path }), (sent) => ({ to: { path, threadId }, message: sent }))
  })

const checked = (message: Message): Decision<Message> => {
  const { author, content, encrypted, id, recipient } = message
  if (id === "") return Errors.invalid("id", "empty", "the message has no id", "Give each message a new UUID")
  for (const [field, path] of [
    ["author", author],
    ["recipient", recipient]
  ] as const) {
    const parsed = AgentPath.parse(path, field)
    if (Either.isLeft(parsed)) return Either.left(parsed.left)
  }
  if (encrypted === undefined ? content === "" : encrypted === "") {
    return Errors.invalid("content", "empty", "nothing is said", "Give the message a content")
  }
  if (encrypted !== undefined && content !== "") {
    const advice = "Give the one or the other"
    return Errors.invalid("content", "contradictory", "it is both plain and encrypted", advice)
  }
  return Either.right(message)
}

/**
 * The record that mail came in, for the thread of the agent that it is for. Mail that waits already is not taken in
 * twice: then there is nothing to record.
 *
 * Errors: `InvalidRequest` for bad paths and for nothing said, `Conflict` without a header.
 */
export const enqueue = (message: Message, state: State, facts: Facts): Decision => {
  const { thread } = state.turn
  if (thread === undefined) return Item.noHeader
  return Either.flatMap(checked(message), (mail) => {
    if (state.mailbox.mail.some(({ id }) => id === mail.id)) return Either.right([])
    const data = { thread: thread.id, mail: MailboxFold.Mail.make(mail) }
    return Drafts.check([Drafts.own(facts, MailboxFold.kinds.mail, data)], "message")
  })
}

/**
 * The records that tell the model what waits: first what was said into the turn, then mail in the order in which it came
 * in. Nothing while it is all for the next turn.
 *
 * Errors: `Conflict` when no turn runs. Cost: what waits.
 */
export const drain = (state: State, facts: Facts): Decision =>
  Either.flatMap(TurnLifecycle.running(state), ({ active, thread }) => {
    const { inputs, mail, phase } = state.mailbox
    if (phase === "next") return Either.right([])
    const said = Input.waiting(inputs, active.id, thread, facts)
    return Drafts.check([...said, ...mail.flatMap((one) => delivered(one, active.id, thread, facts))], "mail")
  })

const delivered = (mail: WaitingMail, turnId: string, thread: Identity, facts: Facts): ReadonlyArray<Draft> => {
  const { author, content, encrypted, id, recipient, triggerTurn: trigger_turn } = mail
  const item = InterAgentCommunication.toAgentMessage({
    author,
    recipient,
    content,
    encrypted_content: encrypted,
    trigger_turn
  })
  const mark = Mark.extras(MailboxFold.kinds.delivered, { thread: thread.id, id })
  return [
    Drafts.record(facts, "inter_agent_communication_metadata", { trigger_turn }),
    ...ModelItem.ofTurn(item, turnId, thread, facts, { name: `mail ${id}`, mark })
  ]
}

/**
 * Whether mail that waits starts a turn now: it says so, and no turn runs. Asked when mail comes in, when a turn ends
 * and when a thread is resumed (replay-semantics §8).
 */
export const startsTurn = ({ mailbox, turn }: State): boolean =>
  turn.active === undefined && mailbox.mail.some(({ triggerTurn }) => triggerTurn)

/** How a child came to its end, as it tells its parent. */
export interface End {
  readonly id: string
  /** The path of the child. */
  readonly path: string
  readonly status: AgentStatus
}

/**
 * The message with which a child tells its parent that it is done: plain, and to be known only. Undefined while it runs,
 * when it was interrupted, and at the top of the tree (replay-semantics §8).
 */
export const completion = ({ id, path, status }: End): Message | undefined => {
  const recipient = AgentPath.parent(path)
  const text = completionText(status)
  if (recipient === undefined || text === undefined) return undefined
  const content = `Message Type: FINAL_ANSWER\nTask name: ${recipient}\nSender: ${path}\nPayload:\n${text}`
  return { id, author: path, recipient, content, triggerTurn: false }
}

const completionText = (status: AgentStatus): string | undefined => {
  if (typeof status === "object") {
    return "completed" in status ? (status.completed ?? "") : `The agent failed: ${status.errored}`
  }
  switch (status) {
    case "shutdown":
      return "The agent was shut down."
    case "not_found":
      return "The agent was not found."
    default:
      return undefined
  }
}
