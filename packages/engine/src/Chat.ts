/** A conversation that was held elsewhere, as most programs keep one: a list of messages, each with a role. */
import * as Errors from "@skein/core/decide/DecisionError"
import type { Decision, Draft } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import * as ModelItem from "@skein/core/decide/ModelItem"
import * as TurnLifecycle from "@skein/core/decide/TurnLifecycle"
import type { Settings } from "@skein/core/decide/TurnSettings"
import type { Message } from "@skein/core/record/ResponseItem"
import { Either } from "effect"
import type { Batch, Facts } from "./internal/Plan.js"
import type { TurnSettings } from "./Turn.js"

/** A message. */
export interface Chat {
  readonly role: "system" | "developer" | "user" | "assistant"
  readonly content: string
  /** When it was said, in milliseconds since 1970. Default: now. */
  readonly at?: number | undefined
}

const roles: ReadonlySet<unknown> = new Set(["system", "developer", "user", "assistant"])

/**
 * What stands at the top of a conversation and is no part of it: the first message, if it is the system's. Everything
 * else becomes turns.
 */
export const split = (
  messages: ReadonlyArray<Chat>
): { readonly instructions: string | undefined; readonly rest: ReadonlyArray<Chat> } => {
  const [first, ...rest] = messages
  return first?.role === "system" ? { instructions: first.content, rest } : { instructions: undefined, rest: messages }
}

/**
 * The records of a conversation: each message of the user begins a turn, what follows belongs to it, and words of the
 * host in front of it as well. Errors: `InvalidRequest`.
 */
export const turns = (
  messages: ReadonlyArray<Chat>,
  settings: TurnSettings,
  batch: Batch,
  facts: Facts
): Decision<ReadonlyArray<Draft>> =>
  Either.gen(function* () {
    let at: Facts = facts
    let made = 0
    const begin = (): Decision<void> =>
      Either.gen(function* () {
        batch.add(yield* TurnLifecycle.start({ turnId: Drafts.freshId(facts, made++) }, batch.state(), at))
        batch.add(yield* TurnLifecycle.settings(settings as Settings, batch.state(), at))
      })
    const end = (): Decision<void> =>
      batch.state().turn.active === undefined
        ? Either.void
        : Either.map(TurnLifecycle.complete({}, batch.state(), at), batch.add)
    if (typeof settings.model !== "string") {
      return yield* Errors.invalid("settings.model", "empty", "the turns have no model", "Name the model that answered")
    }
    if (messages.length === 0) {
      return yield* Errors.invalid(
        "messages",
        "empty",
        "there are no messages",
        "Give a conversation, or start a thread"
      )
    }
    let isAnswered = false
    for (const [i, message] of messages.entries()) {
      const { content, role } = yield* checked(message, i)
      at = { ...facts, fresh: Drafts.freshId(facts, made++), now: message.at ?? at.now }
      const isActive = batch.state().turn.active !== undefined
      // Words of the host behind an answer belong to what comes next.
      const begins = !isActive || (role !== "assistant" && isAnswered)
      if (begins) {
        yield* end()
        yield* begin()
        isAnswered = false
      }
      if (role === "user") {
        const input = { content: [{ type: "text" as const, text: content, text_elements: [] }], id: at.fresh }
        batch.add(yield* TurnLifecycle.input(input, batch.state(), at))
      } else batch.add(yield* ModelItem.record({ items: [itemOf(role, content)] }, batch.state(), at))
      isAnswered ||= role === "assistant"
    }
    yield* end()
    return batch.drafts()
  })

const checked = (message: Chat, i: number): Decision<Chat> => {
  const value: unknown = message
  const { content, role } = (typeof value === "object" && value !== null ? value : {}) as Partial<
    Record<keyof Chat, unknown>
  >
  if (!roles.has(role)) {
    const detail = `${JSON.stringify(role)} is no role`
    return Errors.invalid(`messages.${i}.role`, "malformed", detail, "Use system, developer, user or assistant")
  }
  if (typeof content !== "string" || content === "") {
    return Errors.invalid(`messages.${i}.content`, "empty", "nothing is said", "Give a text, or leave the message out")
  }
  if (message.at !== undefined && !Number.isFinite(message.at)) {
    return Errors.invalid(`messages.${i}.at`, "malformed", `${message.at} is no moment`, "Give milliseconds since 1970")
  }
  return Either.right(message)
}

const itemOf = (role: Exclude<Chat["role"], "user">, text: string): Message =>
  role === "assistant"
    ? { type: "message", role, content: [{ type: "output_text", text }] }
    : { type: "message", role: "developer", content: [{ type: "input_text", text }] }
