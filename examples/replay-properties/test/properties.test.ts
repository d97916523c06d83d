import * as Fold from "@skein/core/fold/Fold"
import { anyLog } from "@skein/testing/AnyLog"
import * as Script from "@skein/testing/Script"
import * as Thread from "@skein/testing/Thread"
import * as fc from "fast-check"
import { openSkein } from "skein"
import { describe, expect, it } from "vitest"
import * as Host from "../src/Host.js"
import * as OpenCalls from "../src/OpenCalls.js"

const call = (call_id: string): Script.Line => ({
  type: "response_item",
  payload: { type: "function_call", name: "look", arguments: "{}", call_id }
})
const output = (call_id: string): Script.Line => ({
  type: "response_item",
  payload: { type: "function_call_output", call_id, output: "done" }
})

/** Calls and outputs in any order, among anything else. */
const calls = fc
  .array(fc.tuple(fc.constantFrom(call, output), fc.constantFrom("a", "b", "c")), { maxLength: 20 })
  .map((drawn) => Script.log(...drawn.map(([make, id]) => make(id))))

describe("the fold", () => {
  it("goes on from a state as if it had seen what came before", () => {
    fc.assert(
      fc.property(fc.oneof(anyLog, calls), fc.nat(20), (log, at) => {
        const before = Fold.run(OpenCalls.fold, log.slice(0, at))
        expect(Fold.run(OpenCalls.fold, log.slice(at), before)).toEqual(Fold.run(OpenCalls.fold, log))
      })
    )
  })

  it("holds no id twice, and none that was answered last", () => {
    fc.assert(
      fc.property(calls, (log) => {
        const { open } = Fold.run(OpenCalls.fold, log)
        expect(new Set(open).size).toBe(open.length)
        for (const id of open) {
          const last = log.findLast((record) => JSON.stringify(record.payload).includes(`"call_id":"${id}"`))
          expect(last).toMatchObject({ payload: { type: "function_call" } })
        }
      })
    )
  })

  it("reads what every release wrote: a call is open or answered, never lost", () => {
    let seen = 0
    fc.assert(
      fc.property(Thread.thread(), ({ log }) => {
        const ids = new Set(
          log.flatMap(({ kind, payload }) =>
            kind === "response_item" && payload.type === "function_call" ? [payload.call_id] : []
          )
        )
        const { answered, open } = Fold.run(OpenCalls.fold, log)
        expect(open.length + answered).toBeGreaterThanOrEqual(ids.size)
        seen += ids.size
      }),
      { numRuns: 60 }
    )
    expect(seen).toBeGreaterThan(20)
  })
})

describe("the host", () => {
  const tools = fc.array(fc.constantFrom("search", "read", "broken", "silent"), { maxLength: 4 })

  it("leaves no call open, whatever the model asks for and whatever its tools do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(tools, { minLength: 1, maxLength: 4 }), async (turns) => {
        await using skein = await openSkein({ store: "memory:" })
        await using thread = await skein.start({ settings: { model: "any-model" } })
        for (const names of turns) {
          await Host.answer(thread, "Do something", names, (name) => (name === "silent" ? undefined : "done"))
        }
        const { state } = await skein.fold(thread.id, OpenCalls.fold)
        expect(state).toEqual({ open: [], answered: turns.flat().length })
      }),
      { numRuns: 40 }
    )
  })

  it("leaves the turn as interrupted when a tool throws, and the prompt is still one that a model takes", async () => {
    await fc.assert(
      fc.asyncProperty(tools, async (names) => {
        await using skein = await openSkein({ store: "memory:" })
        await using thread = await skein.start({ settings: { model: "any-model" } })
        const tool = (name: string): string => {
          if (name === "broken") throw new Error("the tool broke")
          return "done"
        }
        const outcome = await Host.answer(thread, "Do something", names, tool).catch((error: Error) => error.message)
        const broke = names.includes("broken")
        expect(outcome).toBe(broke ? "the tool broke" : undefined)
        expect((await thread.turns()).map(({ status }) => status)).toEqual([broke ? "interrupted" : "completed"])
        const { state } = await skein.fold(thread.id, OpenCalls.fold)
        expect(state.open.length).toBe(broke ? 1 : 0)
        // A call without output is given one in the prompt.
        const { input } = await thread.prompt()
        const asked = input.filter(({ type }) => type === "function_call").length
        expect(input.filter(({ type }) => type === "function_call_output").length).toBe(asked)
      }),
      { numRuns: 40 }
    )
  })
})
