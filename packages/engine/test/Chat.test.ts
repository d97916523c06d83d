import * as Script from "@skein/testing/Script"
import { Effect } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Chat } from "../src/Chat.js"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

const settings = { model: "m" }

describe("a conversation from elsewhere", () => {
  it("becomes turns, with the system's words in front as instructions", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const thread = yield* threads.importMessages(
          [
            { role: "system", content: "Be brief." },
            { role: "assistant", content: "How can I help?" },
            { role: "user", content: "What is 2 + 2?", at: Date.UTC(2026, 0, 2) },
            { role: "assistant", content: "4" },
            { role: "developer", content: "The user likes cats." },
            { role: "user", content: "And 3 + 3?" },
            { role: "user", content: "Quickly!" },
            { role: "assistant", content: "6" }
          ],
          { settings, name: "Sums" }
        )
        const { input, instructions } = yield* thread.prompt()
        expect(instructions).toBe("Be brief.")
        expect(Script.texts(input)).toEqual([
          "How can I help?",
          "What is 2 + 2?",
          "4",
          "The user likes cats.",
          "And 3 + 3?",
          "Quickly!",
          "6"
        ])
        const turns = yield* thread.turns
        expect(turns.map(({ items, status }) => [status, items.length])).toEqual([
          ["completed", 1],
          ["completed", 2],
          ["completed", 3]
        ])
        expect(turns[1]?.startedAt).toBe(Date.UTC(2026, 0, 2) / 1000)
        expect((yield* threads.list()).items.map(({ name, preview }) => [name, preview])).toEqual([
          ["Sums", "What is 2 + 2?"]
        ])
        yield* thread.startTurn("And 4 + 4?")
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
      })
    ))

  it("says in the prompt what was said, in its order, whatever it was", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            role: fc.constantFrom("user" as const, "assistant" as const, "developer" as const),
            content: fc.string({ minLength: 1, unit: "grapheme" })
          }),
          { minLength: 1, maxLength: 12 }
        ),
        (messages: ReadonlyArray<Chat>) =>
          Host.run(
            Effect.gen(function* () {
              const thread = yield* (yield* Threads).importMessages(messages, { settings })
              expect(Script.texts((yield* thread.prompt()).input)).toEqual(messages.map(({ content }) => content))
            })
          )
      ),
      { numRuns: 50 }
    ))

  it.each([
    ["no messages", []],
    ["nothing but instructions", [{ role: "system", content: "Be brief." }]],
    ["an unknown role", [{ role: "tool", content: "x" }]],
    ["nothing said", [{ role: "user", content: "" }]],
    ["no text", [{ role: "user", content: 4 }]],
    ["no message", [null]],
    ["no moment", [{ role: "user", content: "x", at: Number.NaN }]]
  ])("%s is refused, and no thread is made", (_, messages) =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const error = yield* Effect.flip(threads.importMessages(messages as never, { settings }))
        expect(error._tag).toBe("InvalidRequest")
        expect(
          (yield* Effect.flip(threads.importMessages([{ role: "user", content: "x" }], { settings: {} })))._tag
        ).toBe("InvalidRequest")
        expect((yield* threads.list({ hidden: true })).items).toEqual([])
      })
    )
  )
})
