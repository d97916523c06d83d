import * as ThreadStore from "@skein/store/ThreadStore"
import * as Script from "@skein/testing/Script"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

describe("a thread lives", () => {
  it("start, turn, record, complete; what it holds is what a cold replay gives", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const thread = yield* threads.start({ settings: { model: "m" }, instructions: "Be kind." })
        const turn = yield* thread.startTurn("Hello")
        const prompt = yield* turn.context()
        expect(Script.texts(prompt.input)).toEqual(["Hello"])
        expect(prompt.instructions).toBe("Be kind.")
        yield* turn.record([Host.says("Hi there"), ...Host.calls("c1")])
        yield* turn.usage({ input_tokens: 10, output_tokens: 5 })
        yield* turn.complete()
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
        const turns = yield* thread.turns
        expect(turns.map(({ items, status }) => [status, items.map(({ type }) => type)])).toEqual([
          ["completed", ["userMessage", "agentMessage"]]
        ])
        expect((yield* (yield* ThreadStore.ThreadStore).turns(thread.id)).items).toEqual(turns)
      })
    ))

  it("a closed thread is resumed where it was, and the next turn runs with the settings of the last", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const id = yield* Effect.scoped(
          Effect.gen(function* () {
            const thread = yield* threads.start({ settings: { model: "m", effort: "high" } })
            const turn = yield* thread.startTurn("Hello")
            yield* turn.record([Host.says("Hi there")])
            yield* turn.complete()
            return thread.id
          })
        )
        const before = yield* Host.stored(id)
        const thread = yield* threads.resume(id)
        expect(yield* Host.stored(id)).toEqual(before)
        yield* thread.startTurn("And again")
        expect((yield* thread.state).turn.active?.context).toMatchObject({ model: "m", effort: "high" })
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
      })
    ))
})
