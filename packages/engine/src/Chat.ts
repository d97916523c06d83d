/** A conversation that was held elsewhere, as most programs keep one: a list of messages, each with a role. */
import * as Errors from "@skein/core/decide/DecisionError"
import type { Decision } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import * as ModelItem from "@skein/core/decide/ModelItem"
import * as TurnLifecycle from "@skein/core/decide/TurnLifecycle"
import type { Settings } from "@skein/core/decide/TurnSettings"
import type { Message } from "@skein/core/record/ResponseItem"
import { Either } from "effect"
import type { Facts } from "./internal/Facts.js"
import type { Step } from "./internal/Plan.js"
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
 * The steps that a conversation is recorded in: each message of the user begins a turn, what follows belongs to it, and
 * words of the host in front of it as well. Errors: `InvalidRequest`.
 */
export const steps = (
  messages: ReadonlyArray<Chat>,
  settings: TurnSettings,
  facts: Facts
): Decision<ReadonlyArray<Step>> =>
  Either.gen(function* () {
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
    const all: Array<Step> = []
    let at: Facts = facts
    let turn: "none" | "asked" | "answered" = "none"
    const end =
      (now: Facts): Step =>
      (state) =>
        TurnLifecycle.complete({}, state, now)
    for (const [i, message] of messages.entries()) {
      const { content, role } = yield* checked(message, i)
      const before = at
      const now = { ...facts, fresh: Drafts.freshId(facts, `message ${i}`), now: message.at ?? at.now }
      at = now
      // Words of the host behind an answer belong to what comes next.
      if (turn === "none" || (role !== "assistant" && turn === "answered")) {
        if (turn !== "none") all.push(end(before))
        const turnId = Drafts.freshId(facts, `turn ${i}`)
        all.push((state) => TurnLifecycle.start({ turnId }, state, now))
        all.push((state) => TurnLifecycle.settings(settings as Settings, state, now))
        turn = "asked"
      }
      if (role === "user") {
        const input = { content: [{ type: "text" as const, text: content, text_elements: [] }], id: now.fresh }
        all.push((state) => TurnLifecycle.input(input, state, now))
      } else all.push((state) => ModelItem.record({ items: [itemOf(role, content)] }, state, now))
      if (role === "assistant") turn = "answered"
    }
    all.push(end(at))
    return all
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
