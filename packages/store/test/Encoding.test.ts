import type { Draft } from "@skein/core/record/Record"
import * as Script from "@skein/testing/Script"
import { Either } from "effect"
import { describe, expect, it } from "vitest"
import * as Derived from "../src/Derived.js"
import type { Located } from "../src/Driver.js"
import * as Encoding from "../src/internal/Encoding.js"
import * as Position from "../src/Position.js"

/** A draft, or what code without types gives for one. */
const draft = ({ payload, type }: Script.Line, more: object = {}): Draft =>
  ({ timestamp: "2026-07-20T10:00:00.000Z", type, payload, ...more }) as unknown as Draft

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const written = (drafts: ReadonlyArray<Draft>, place: Partial<Encoding.Place> = {}) =>
  Either.getOrThrowWith(Encoding.write(drafts, { mode: "legacy", nextOrdinal: undefined, ...place }), (error) => error)

const refusal = (drafts: ReadonlyArray<unknown>, place: Partial<Encoding.Place> = {}) =>
  Either.getOrThrow(
    Either.flip(Encoding.write(drafts as ReadonlyArray<Draft>, { mode: "legacy", nextOrdinal: undefined, ...place }))
  )

const marks = (drafts: ReadonlyArray<Draft>, mark: Encoding.Mark) =>
  written(drafts, { mark }).written.map(Encoding.batchOf)

const item = (type: string): Draft =>
  draft({
    type: "event_msg",
    payload: {
      type: "item_completed",
      thread_id: Script.threadId,
      turn_id: "t",
      item: type === "Reasoning" ? { type, id: "i", summary_text: [], raw_content: [] } : { type, id: "i", text: "x" },
      completed_at_ms: 0
    }
  })

describe("what a thread keeps", () => {
  const kinds = (drafts: ReadonlyArray<Draft>, mode: "legacy" | "paginated") =>
    written(drafts, { mode }).written.map((record) => (record.kind === "event_msg" ? record.payload.type : record.kind))

  it("§11.16: events that repeat items are kept in legacy threads alone, canonical items in both", () => {
    const all = [
      draft(Script.user("u")),
      draft(Script.userEvent("u")),
      item("Plan"),
      item("Reasoning"),
      draft(Script.tokens(1))
    ]
    expect(kinds(all, "legacy")).toEqual([
      "response_item",
      "user_message",
      "item_completed",
      "item_completed",
      "token_count"
    ])
    expect(kinds(all, "paginated")).toEqual(["response_item", "item_completed", "item_completed", "token_count"])
  })

  it("§11.4: what no thread keeps leaves no line", () => {
    const error = draft({ type: "event_msg", payload: { type: "error", message: "x" } })
    expect(written([error]).write.lines).toEqual([])
  })

  it("§11.85: ordinals are dense, in paginated threads alone", () => {
    const all = [draft(Script.user("u")), draft(Script.userEvent("dropped")), draft(Script.assistant("a"))]
    expect(written(all, { mode: "paginated", nextOrdinal: 7 }).written.map(({ ordinal }) => ordinal)).toEqual([7, 8])
    expect(written(all, { nextOrdinal: 7 }).written.map(({ ordinal }) => ordinal)).toEqual([
      undefined,
      undefined,
      undefined
    ])
  })

  it("§11.85: an ordinal beyond counting is refused", () => {
    const all = [draft(Script.user("u")), draft(Script.assistant("a"))]
    const place = { mode: "paginated" as const, nextOrdinal: Number.MAX_SAFE_INTEGER }
    expect(refusal(all, place)).toMatchObject({ _tag: "InvalidRequest", field: "records[1]" })
  })

  it("what is derived is the fold of what was written", () => {
    const { write } = written([draft(Script.header()), draft(Script.userEvent("hi")), draft(Script.tokens(3))])
    const after = write.derive(Derived.empty)
    expect(after).toMatchObject({ tokensUsed: 3, summary: { preview: "hi", id: Script.threadId } })
  })

  it("records know where they stand in their segment", () => {
    const { write, written: records } = written([draft(Script.user("u")), draft(Script.assistant("a"))], { offset: 10 })
    expect(records.map(({ line }) => line.offset)).toEqual([10, 10 + (write.lines[0]?.length ?? 0) + 1])
  })
})

describe("bad drafts", () => {
  const cyclic: Record<string, unknown> = {}
  cyclic["self"] = cyclic
  let deep: unknown = 1
  for (let i = 0; i < 100_000; i++) deep = [deep]

  it.each<[string, unknown]>([
    ["none at all", undefined],
    ["a text", "user"],
    ["an unknown type", draft({ type: "of_tomorrow", payload: {} })],
    ["a type of every object", draft({ type: "constructor", payload: {} })],
    ["no payload", draft({ type: "compacted", payload: undefined })],
    ["a payload that is a list", draft({ type: "compacted", payload: [] })],
    ["an unknown event", draft({ type: "event_msg", payload: { type: "of_tomorrow" } })],
    ["an event of every object", draft({ type: "event_msg", payload: { type: "toString" } })],
    ["an unknown item", draft({ type: "response_item", payload: { type: "of_tomorrow" } })],
    ["an item without content", draft({ type: "event_msg", payload: { type: "item_completed" } })],
    ["a payload of another kind", draft({ type: "turn_context", payload: { cwd: 1 } })],
    ["a header of an unknown mode", draft(Script.header({ history_mode: "quantum" }))],
    ["no time", draft(Script.user("u"), { timestamp: undefined })],
    ["a number that JSON has not", draft(Script.tokens(Number.NaN))],
    ["an integer too large for JSON", draft(Script.patch({ n: 1n }))],
    ["a circle", draft(Script.patch(cyclic))],
    ["nesting without end", draft(Script.patch({ deep }))],
    ["extras in place of the record's own words", draft(Script.user("u"), { extras: { type: "compacted" } })]
  ])("%s: refused, and nothing of the batch is written", (_, bad) => {
    const error = refusal([draft(Script.user("good")), bad])
    expect(error).toMatchObject({ _tag: "InvalidRequest", field: "records[1]" })
    expect(error.message).toContain("Nothing was written")
  })

  it("are named by their place among those that were given, kept or not", () => {
    const dropped = draft({ type: "event_msg", payload: { type: "error", message: "x" } })
    expect(refusal([dropped, draft({ type: "compacted", payload: {} })]).field).toBe("records[1]")
    expect(refusal([draft(Script.header({ cwd: 1 }))], { opens: true }).field).toBe("header")
    const bad = draft({ type: "compacted", payload: {} })
    expect(refusal([draft(Script.header()), bad], { opens: true }).field).toBe("records[0]")
  })

  it("half a surrogate pair becomes a character that readers take", () => {
    const [line] = written([draft(Script.user("a\ud800b"))]).write.lines
    expect(text(line ?? new Uint8Array())).toContain("a\ufffdb")
  })
})

describe("marks", () => {
  const one = draft(Script.user("u"))
  const sometimes: Encoding.Mark = { id: "b", always: false }

  it("every line of a batch says which part of it it is", () => {
    expect(marks([one, one], sometimes)).toEqual([
      ["b", 0, 2],
      ["b", 1, 2]
    ])
  })

  it("a single line needs none, unless a retry has to find it", () => {
    expect(marks([one], sometimes)).toEqual([undefined])
    expect(marks([one], { id: "b", always: true })).toEqual([["b", 0, 1]])
  })

  it("count what is kept", () => {
    const dropped = draft({ type: "event_msg", payload: { type: "error", message: "x" } })
    expect(marks([one, dropped, one], sometimes)).toEqual([
      ["b", 0, 2],
      ["b", 1, 2]
    ])
    expect(marks([one, dropped], sometimes)).toEqual([undefined])
  })

  it("stand beside what else a record carries", () => {
    const carrying = draft(Script.user("u"), { extras: { metadata: 1, skein: { v: 1, kind: "k", data: 2 } } })
    const { written: records } = written([carrying], { mark: { id: "b", always: true } })
    expect(records[0]?.extras).toEqual({ metadata: 1, skein: { v: 1, kind: "k", data: 2, b: ["b", 0, 1] } })
    const odd = draft(Script.user("u"), { extras: { skein: "x" } })
    expect(marks([odd], { id: "b", always: true })).toEqual([["b", 0, 1]])
  })

  it.each([null, [], ["b", 0], ["b", "0", 1], [1, 0, 1], "b"])("%j is no mark", (b) => {
    const [record] = written([draft(Script.user("u"), { extras: { skein: { v: 1, b } } })]).written
    expect(record === undefined ? undefined : Encoding.batchOf(record)).toBeUndefined()
  })
})

describe("batches", () => {
  const located: Located = {
    threadId: Script.threadId,
    historyMode: "paginated",
    archivedAt: undefined,
    head: Position.make("s", 100),
    nextOrdinal: 4
  }

  it("are what they are where they stand, however often they are asked", () => {
    const { batch, written: records } = Encoding.encode([draft(Script.user("u"))], undefined)
    const first = Either.getOrThrow(batch(located))
    const again = Either.getOrThrow(batch({ ...located, nextOrdinal: 9, head: Position.make("s", 300) }))
    expect(records()).toMatchObject([{ ordinal: 9, line: { offset: 300 } }])
    expect(text(first.lines[0] ?? new Uint8Array())).toContain('"ordinal":4')
    expect(text(again.lines[0] ?? new Uint8Array())).toContain('"ordinal":9')
  })

  it("§11.19 and §11.23: do not stand in a thread of an unknown mode, nor in an archived one", () => {
    const { batch } = Encoding.encode([draft(Script.user("u"))], undefined)
    expect(batch({ ...located, historyMode: "quantum" })).toMatchObject({
      left: { _tag: "UnsupportedHistoryMode", historyMode: "quantum" }
    })
    expect(batch({ ...located, archivedAt: 0 })).toMatchObject({ left: { _tag: "InvalidRequest", field: "threadId" } })
  })
})
