/**
 * What a user gives to a turn, as the model reads it and as clients show it (rollout-format §5.2 and §5.3).
 */
import * as Either from "effect/Either"
import type { Identity } from "../fold/ActiveTurn.js"
import * as Mailbox from "../fold/Mailbox.js"
import type { ContentItem } from "../record/Content.js"
import * as Mark from "../record/Mark.js"
import type { Message } from "../record/ResponseItem.js"
import * as Shape from "../record/Shape.js"
import { UserInput } from "../record/UserInput.js"
import * as Errors from "./DecisionError.js"
import type { Decision, Draft, Facts } from "./Draft.js"
import * as Drafts from "./Draft.js"
import * as Item from "./Item.js"
import * as ModelItem from "./ModelItem.js"

/** How many characters all texts of an input may have (thread-view §2.3). */
export const maxCharacters = 1_048_576

/** What a user gives, and how it is told from other inputs. */
export interface Command {
  readonly content: ReadonlyArray<UserInput>
  /** A new UUID; it becomes the id of the item that clients are shown. */
  readonly id: string
  /** The client's own name for it. */
  readonly clientId?: string | undefined
  /**
   * What the model is to read instead of the text of the content, where files and sounds of the host have been read:
   * one part for each, as a `data:` address.
   */
  readonly message?: ReadonlyArray<ContentItem> | undefined
}

/**
 * The input if it can be recorded. Errors (`InvalidRequest`): nothing in it, more than {@link maxCharacters}, a part of
 * no known shape, no id, a file of the host without what the model is to read of it.
 */
export const checked = (command: Command): Decision<Command> => {
  const { content, id, message } = command
  if (id === "") return Errors.invalid("id", "empty", "the input has no id", "Give each input a new UUID")
  if (!Array.isArray(content) || content.length === 0) {
    return Errors.invalid("content", "empty", "nothing is said", "Give at least one part")
  }
  let characters = 0
  for (const [i, part] of content.entries()) {
    const value: unknown = part
    if (!Shape.matches(UserInput, value)) {
      const { message: why } = Shape.explain(UserInput, value)
      return Errors.invalid(`content.${i}`, "malformed", why, "Give a part of a shape of record/UserInput")
    }
    if (part.type === "text") characters += part.text.length
    if ((part.type === "local_image" || part.type === "local_audio") && message === undefined) {
      const advice = "Read the file and give what the model is to read as message"
      return Errors.invalid(`content.${i}`, "unsupported", `${part.path} is a file of the host`, advice)
    }
  }
  if (characters > maxCharacters) {
    const detail = `its texts have ${characters} characters, more than ${maxCharacters}`
    return Errors.invalid("content", "out-of-range", detail, "Say it in fewer words, or give it as a file")
  }
  if (content.every((part) => part.type === "text" && part.text === "") && message === undefined) {
    return Errors.invalid("content", "empty", "nothing is said", "Give a text that is not empty")
  }
  return Either.map(Drafts.check([Drafts.item({ now: 0 }, messageOf(command))], "message"), () => command)
}

/** The message that the model reads. Skills and mentions are told as context and not in it. */
export const messageOf = ({ content, message }: Command): Message => ({
  type: "message",
  role: "user",
  content: message ?? content.flatMap(partOf)
})

const partOf = (part: UserInput): ReadonlyArray<ContentItem> => {
  switch (part.type) {
    case "text":
      return [{ type: "input_text", text: part.text }]
    case "image": {
      const { detail, image_url } = part
      return [{ type: "input_image", image_url, ...(detail === undefined || detail === null ? {} : { detail }) }]
    }
    case "audio":
      return [{ type: "input_audio", audio_url: part.audio_url }]
    default:
      return []
  }
}

/** The records of an input: the message, then what clients are shown of it. Cost: its parts. */
export const drafts = (
  command: Command,
  turnId: string,
  thread: Identity,
  facts: Facts,
  mark?: Mark.Extras | undefined
): ReadonlyArray<Draft> => {
  const { clientId, content, id } = command
  return [
    ...ModelItem.ofTurn(messageOf(command), turnId, thread, facts, { name: `input ${id}`, mark }),
    ...Item.snapshot(
      {
        item: { type: "UserMessage", id, client_id: clientId, content },
        turnId,
        threadId: thread.id,
        mode: thread.mode
      },
      facts
    )
  ]
}

/**
 * The records that tell everything that waits to be told into a turn, in the order in which it came in; each names what
 * it tells, so that it is told once (replay-semantics §8). Cost: what waits.
 */
export const waiting = (
  inputs: ReadonlyArray<Mailbox.Input>,
  turnId: string,
  thread: Identity,
  facts: Facts
): ReadonlyArray<Draft> => inputs.flatMap((input) => taken(input, turnId, thread, facts))

const taken = (input: Mailbox.Input, turnId: string, thread: Identity, facts: Facts): ReadonlyArray<Draft> => {
  const mark = Mark.extras(Mailbox.kinds.taken, { thread: thread.id, id: input.id })
  const { clientId, content, id, items, message } = input
  if (content !== undefined && content !== null) {
    const command: Command = { content, id, clientId: clientId ?? undefined, message: message ?? undefined }
    return drafts(command, turnId, thread, facts, mark)
  }
  return (items ?? []).flatMap((item, i) =>
    ModelItem.ofTurn(item, turnId, thread, facts, { name: `input ${id} ${i}`, ...(i === 0 ? { mark } : {}) })
  )
}
