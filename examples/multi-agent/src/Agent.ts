/** What an agent is here: it waits for mail that asks for work, takes a turn for it, and waits again. */
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import type { CommandError } from "@skein/engine/EngineError"
import type { LiveThread } from "@skein/engine/LiveThread"
import type { Turn } from "@skein/engine/Turn"
import { Effect } from "effect"

export const settings = { model: "scripted-model" }

/** Does what a turn is for. */
export type Work = (turn: Turn, task: string) => Effect.Effect<void, CommandError>

/** The loop of an agent. It ends when its thread is closed. */
export const run = (thread: LiveThread, work: Work): Effect.Effect<never, CommandError> =>
  Effect.gen(function* () {
    yield* thread.awaitWork
    const turn = yield* thread.startTurn(undefined, settings)
    const { input } = yield* turn.context()
    yield* work(turn, mail(input).at(-1) ?? "")
    // Its last message is mail for whoever started the agent.
    yield* turn.complete()
  }).pipe(
    Effect.scoped,
    // Somebody ended the turn: that is no reason to end the agent.
    Effect.catchTag("Conflict", () => Effect.void),
    Effect.forever
  )

/** Counts words. */
export const counter: Work = (turn, task) => {
  const words = task
    .slice(task.indexOf(":") + 1)
    .trim()
    .split(/\s+/).length
  return turn.record([says(`${words} words`)])
}

/** Takes its time. */
export const dreamer: Work = (turn) => Effect.asVoid(turn.sleep("1 hour"))

/** A message of the model. */
export const says = (text: string): ResponseItem => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }]
})

/** The mail in a prompt. */
export const mail = (input: ReadonlyArray<ResponseItem>): ReadonlyArray<string> =>
  input.flatMap((item) =>
    item.type === "agent_message" ? [item.content.map((part) => ("text" in part ? part.text : "")).join("")] : []
  )
