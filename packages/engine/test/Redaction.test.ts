import * as Custom from "@skein/core/decide/Custom"
import type { Draft } from "@skein/core/decide/Draft"
import { Effect, Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Redaction from "../src/Redaction.js"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

const settings = { model: "m" }
const redact = Redaction.texts((text) => text.replaceAll(/s3cret/g, "[gone]"))

/** Everything that is stored of a thread, as text. */
const bytes = (id: string) =>
  Effect.map(Host.stored(id), (records) => records.map(({ line }) => new TextDecoder().decode(line.bytes)).join("\n"))

describe("what a host takes out", () => {
  it("reaches the store on no way in", () =>
    Host.run(
      Effect.gen(function* () {
        const threads = yield* Threads
        const note = yield* Custom.define({ kind: "note", version: 1, schema: Schema.Struct({ note: Schema.String }) })
        const thread = yield* threads.start({ settings, instructions: "Keep s3cret" })
        const turn = yield* thread.startTurn("My s3cret word", {}, { world: { place: { name: "s3cret base" } } })
        yield* turn.steer("Also s3cret")
        yield* turn.inject([Host.says("injected s3cret")])
        yield* turn.context()
        yield* turn.record([Host.says("I know s3cret"), ...Host.calls("c1", "output s3cret")])
        yield* turn.record([{ type: "function_call", name: "f", arguments: '{"a":"s3cret"}', call_id: "c2" }])
        yield* turn.world({ place: { name: "another s3cret base", s: "s3cret" } })
        yield* turn.itemCompleted({
          type: "McpToolCall",
          id: "c3",
          server: "s",
          tool: "t",
          arguments: { id: "s3cret", status: "s3cret" },
          status: "completed",
          result: { content: [{ type: "text", text: "s3cret" }] }
        } as never)
        yield* thread.receive({ id: "1", author: "/root/a", content: "mail s3cret", triggerTurn: false })
        yield* turn.compact({ kind: "local", summary: "About s3cret" }, { phase: "mid_turn" })
        yield* turn.complete({ lastMessage: "Bye s3cret" })
        yield* thread.custom(note, { note: "s3cret" })
        yield* thread.injectItems([Host.says("between turns s3cret")])
        const child = yield* threads.spawn(thread, {
          taskName: "a",
          message: "s3cret task",
          hints: { child: "You are s3cret" }
        })
        const imported = yield* threads.importMessages([{ role: "user", content: "old s3cret" }], { settings })
        for (const { id } of [thread, child, imported]) {
          const all = yield* bytes(id)
          expect(all).not.toContain("s3cret")
          expect(all).toContain("[gone]")
        }
        // Memory holds what the log holds.
        expect(JSON.stringify(yield* thread.state)).not.toContain("s3cret")
        const { cold, live } = yield* Host.both(thread)
        expect(live).toEqual(cold)
      }),
      { redact }
    ))

  it("leaves alone what nobody can read, and how records hang together", () =>
    Host.run(
      Effect.gen(function* () {
        const thread = yield* (yield* Threads).start({ settings })
        const turn = yield* thread.startTurn("x", {}, { turnId: "s3cret-turn" })
        yield* turn.record([
          { type: "reasoning", id: "rs_s3cret", summary: [], encrypted_content: "gAAAs3cret" },
          { type: "function_call", name: "f", arguments: "s3cret", call_id: "call_s3cret" }
        ] as never)
        const all = yield* bytes(thread.id)
        for (const kept of ["s3cret-turn", "rs_s3cret", "gAAAs3cret", "call_s3cret"]) expect(all).toContain(kept)
        expect(all).toContain('"arguments":"[gone]"')
      }),
      { redact }
    ))

  it.each([
    [
      "throws",
      (): Draft => {
        throw new Error("broken hook")
      }
    ],
    ["gives nothing", (): Draft => undefined as never],
    ["gives another type", (draft: Draft): Draft => ({ ...draft, type: "world_state" }) as Draft],
    ["gives what no reader takes", (draft: Draft): Draft => ({ ...draft, payload: { type: 1 } }) as never]
  ])("a hook that %s fails the command, and nothing is recorded", (_, broken) => {
    let isOn = false
    return Host.run(
      Effect.gen(function* () {
        const thread = yield* (yield* Threads).start({ settings })
        isOn = true
        const before = yield* bytes(thread.id)
        const error = yield* Effect.flip(thread.startTurn("Hello"))
        expect(error).toMatchObject({ _tag: "InvalidRequest", field: "redact" })
        expect(yield* bytes(thread.id)).toBe(before)
        isOn = false
        yield* thread.startTurn("Hello")
      }),
      { redact: (draft) => (isOn ? broken(draft) : draft) }
    )
  })

  it("a draft in which nothing is found stays the same object", () =>
    fc.assert(
      fc.property(fc.json(), (json) => {
        const draft = {
          timestamp: "2026-11-20T12:00:00.000Z",
          type: "world_state",
          payload: { full: true, state: JSON.parse(json) as unknown }
        } as unknown as Draft
        expect(Redaction.texts((text) => text)(draft)).toBe(draft)
      })
    ))
})
