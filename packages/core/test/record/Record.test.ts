import { readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { describe, expect, it } from "vitest"
import * as Jsonl from "../../src/record/Jsonl.js"
import * as Record from "../../src/record/Record.js"
import { corpus, needsCorpus, rolloutsBelow, samples, versions } from "../corpus.js"

const at = "2026-07-20T10:00:00.123Z"
const threadId = "019c2b10-7a00-7c00-8000-0000000000a1"

const lineOf = (content: string | Uint8Array, terminated = true): Jsonl.RawLine => ({
  bytes: typeof content === "string" ? new TextEncoder().encode(content) : content,
  offset: 0,
  number: 1,
  terminated
})

const decode = (content: string, form?: Record.Form): Record.Decoded => Record.decode(lineOf(content), form)

/** A line in an envelope. */
const line = (type: string, payload: unknown, more: object = {}): string =>
  JSON.stringify({ timestamp: at, ...more, type, payload })

const meta = (more: object = {}): string =>
  line("session_meta", {
    session_id: threadId,
    id: threadId,
    timestamp: at,
    cwd: "/repo",
    originator: "test",
    cli_version: "0.1.0",
    source: "cli",
    model_provider: "openai",
    base_instructions: null,
    history_mode: "legacy",
    ...more
  })

const user = { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }

/** A document as lines, the way a reader makes them. */
const splitAll = (bytes: Uint8Array): ReadonlyArray<Jsonl.RawLine> => {
  const lines: Array<Jsonl.RawLine> = []
  const take = (one: Jsonl.RawLine): boolean => lines.push(one) > 0
  const splitter = Jsonl.forward()
  splitter.push(bytes, take)
  splitter.end(take)
  return lines
}

describe("rollout-format §2.1, reader rules", () => {
  it.each(["", "   ", "\t", "\r"])("blank / whitespace line (%j): skipped, not an error", (text) => {
    expect(decode(text)).toMatchObject({ kind: "blank" })
  })

  it("trailing \\r tolerated", () => {
    expect(decode(`${line("response_item", user)}\r`)).toMatchObject({ kind: "response_item", payload: user })
  })

  it("not JSON: that line only is dropped and counted; all others stand", () => {
    const document = `${meta()}\nnot json\n${line("response_item", user)}\n`
    const kinds = splitAll(new TextEncoder().encode(document)).map((one) => Record.decode(one))
    expect(kinds.map(({ kind }) => kind)).toEqual(["session_meta", "damage", "response_item"])
    expect(kinds[1]).toMatchObject({ reason: "invalid-json", line: { number: 2, offset: meta().length + 1 } })
  })

  it("unknown `type`: that line only (a value of its own, so that nothing of it is lost)", () => {
    const payload = { anything: [1] }
    expect(decode(line("from_the_future", payload))).toMatchObject({
      kind: "unknown",
      payload: { level: "record", name: "from_the_future", value: payload }
    })
  })

  it.each<[string, string, Jsonl.DamageReason, RegExp]>([
    ["missing `payload`", JSON.stringify({ timestamp: at, type: "event_msg" }), "bad-envelope", /payload missing/],
    ["payload null", line("event_msg", null), "bad-envelope", /payload/],
    ["payload no object", line("event_msg", [user]), "bad-envelope", /payload/],
    ["missing `type`", JSON.stringify({ timestamp: at, payload: user }), "bad-envelope", /type missing/],
    ["missing `timestamp`", JSON.stringify({ type: "response_item", payload: user }), "bad-envelope", /timestamp/],
    ["timestamp no string", JSON.stringify({ timestamp: 1, type: "x", payload: {} }), "bad-envelope", /strings/],
    ["a list", "[]", "not-an-object", /no object/],
    ["a string", '"text"', "not-an-object", /no object/],
    ["null", "null", "not-an-object", /no object/],
    ["an ordinal that is no integer", line("response_item", user, { ordinal: 1.5 }), "bad-envelope", /ordinal/],
    ["a negative ordinal", line("response_item", user, { ordinal: -1 }), "bad-envelope", /ordinal/],
    ["an ordinal that is a text", line("response_item", user, { ordinal: "1" }), "bad-envelope", /ordinal/]
  ])("%s: dropped", (_, text, reason, detail) => {
    expect(decode(text)).toMatchObject({ kind: "damage", reason, detail: expect.stringMatching(detail) })
  })

  it.each<[string, string, RegExp]>([
    ["in the payload", line("event_msg", { type: "thread_rolled_back", num_turns: -1 }), /payload\.num_turns/],
    ["a required one missing", line("event_msg", { type: "task_started" }), /payload\.turn_id/],
    [
      "deep inside",
      line("response_item", { ...user, content: [{ type: "input_text", text: 7 }] }),
      /payload\.content\.0\.text/
    ],
    ["in a compaction's items", line("compacted", { message: "", replacement_history: [{ ...user, role: 1 }] }), /role/]
  ])("one bad field anywhere inside: dropped, and the field is named (%s)", (_, text, detail) => {
    expect(decode(text)).toMatchObject({
      kind: "damage",
      reason: "bad-payload",
      detail: expect.stringMatching(detail)
    })
  })

  it("`response_item` with unknown inner `type`: not counted as error; a value of its own", () => {
    const payload = { type: "hologram", body: 1 }
    expect(decode(line("response_item", payload))).toMatchObject({
      kind: "unknown",
      payload: { level: "item", name: "hologram", value: payload }
    })
  })

  it('`response_item` with inner `type:"ghost_snapshot"`: no item that is known, and none of a replacement history', () => {
    const ghost = { type: "ghost_snapshot", ghost_commit: { id: "1" } }
    expect(decode(line("response_item", ghost))).toMatchObject({ kind: "unknown", payload: { level: "item" } })
    expect(decode(line("compacted", { message: "", replacement_history: [ghost, user] }))).toMatchObject({
      kind: "compacted",
      payload: { replacement_history: [user] }
    })
  })

  it("`event_msg` with unknown inner `type`: a value of its own (the reference drops it)", () => {
    const payload = { type: "tomorrow", x: 1 }
    expect(decode(line("event_msg", payload))).toMatchObject({
      kind: "unknown",
      payload: { level: "event", name: "tomorrow", value: payload }
    })
  })

  it.each(["item_completed", "item_started"])("an unknown item of %s: a value of its own", (type) => {
    const payload = { type, thread_id: threadId, turn_id: "t", item: { type: "Hologram", id: "i" }, started_at_ms: 0 }
    expect(decode(line("event_msg", payload))).toMatchObject({
      kind: "unknown",
      payload: { level: "turn_item", name: "Hologram", value: payload }
    })
  })

  it("an item or event without a type is damage", () => {
    for (const type of ["response_item", "event_msg"]) {
      expect(decode(line(type, { a: 1 }))).toMatchObject({ kind: "damage", reason: "bad-payload" })
    }
  })

  it("torn last line: a forward reader still tries it", () => {
    const whole = new TextEncoder().encode(line("response_item", user))
    expect(Record.decode(lineOf(whole, false))).toMatchObject({ kind: "response_item" })
    expect(Record.decode(lineOf(whole.subarray(0, -1), false))).toMatchObject({ kind: "damage", reason: "torn" })
  })

  it("invalid UTF-8: drops only that record", () => {
    const bytes = Buffer.from(`${line("response_item", user)}\n${line("response_item", user)}\n`)
    bytes[bytes.indexOf("hi")] = 0xff
    expect(splitAll(bytes).map((one) => Record.decode(one).kind)).toEqual(["damage", "response_item"])
  })

  it("nesting deeper than 128: line rejected", () => {
    const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`
    const deep = (depth: number) => `{"timestamp":"${at}","type":"new","payload":{"a":${nested(depth - 2)}}}`
    expect(decode(deep(128))).toMatchObject({ kind: "unknown" })
    expect(decode(deep(129))).toMatchObject({ kind: "damage", reason: "too-deep" })
  })

  it.each(["galactic", null, 7, { mode: "legacy" }])(
    "`session_meta` with unknown (or null) `history_mode` (%j) has a reason of its own",
    (history_mode) => {
      expect(decode(meta({ history_mode }))).toMatchObject({ kind: "damage", reason: "unknown-history-mode" })
    }
  )

  it("an absent `history_mode` is legacy's", () => {
    expect(decode(meta({ history_mode: undefined }))).toMatchObject({ kind: "session_meta", upcast: undefined })
    expect(decode(meta({ history_mode: "paginated" }))).toMatchObject({ kind: "session_meta" })
  })

  it("where a key has an alias, both keys in one object reject the line", () => {
    const started = { type: "turn_started", turn_id: "t", model_context_window: null }
    expect(decode(line("event_msg", started))).toMatchObject({ kind: "event_msg", payload: { type: "task_started" } })
    // `type` is no such key, but a receiver's role and its alias are.
    const item = (agent: object) => ({
      type: "item_completed",
      thread_id: threadId,
      turn_id: "t",
      item: {
        type: "CollabAgentToolCall",
        id: "k",
        tool: "wait",
        status: "completed",
        sender_thread_id: threadId,
        receiver_agents: [{ thread_id: threadId, ...agent }]
      }
    })
    expect(decode(line("event_msg", item({ agent_type: "a" })))).toMatchObject({ kind: "event_msg" })
    expect(decode(line("event_msg", item({ agent_type: "a", agent_role: "a" })))).toMatchObject({ kind: "damage" })
  })
})

describe("rollout-format §2.1, bare objects without the envelope", () => {
  const opening = JSON.stringify({ id: threadId, timestamp: at, instructions: null, git: { branch: "main" } })

  it("such a file (0.20.0) opens with `{id, timestamp, instructions, git?}`", () => {
    const header = decode(opening, "bare")
    expect(header).toMatchObject({ kind: "session_meta", timestamp: at, payload: { id: threadId } })
    expect(header.kind === "session_meta" && Record.formOf(header)).toBe("bare")
  })

  it('then each line is a bare response item (`"id":null` occurs)', () => {
    const item = { id: null, ...user }
    expect(decode(JSON.stringify(item), "bare")).toMatchObject({ kind: "response_item", payload: user, timestamp: "" })
  })

  it('or `{"record_type":"state"}`', () => {
    expect(decode('{"record_type":"state"}', "bare")).toMatchObject({
      kind: "unknown",
      payload: { level: "marker", name: "state" }
    })
  })

  it("in a file with envelopes they are rejected line by line", () => {
    for (const text of [opening, JSON.stringify(user), '{"record_type":"state"}']) {
      expect(decode(text)).toMatchObject({ kind: "damage", reason: "bad-envelope" })
    }
    const header = decode(meta())
    expect(header.kind === "session_meta" && Record.formOf(header)).toBe("enveloped")
  })
})

describe("rollout-format §2, line envelope", () => {
  it("`ordinal` S: absent or null = unset", () => {
    expect(decode(line("response_item", user))).toMatchObject({ ordinal: undefined })
    expect(decode(line("response_item", user, { ordinal: null }))).toMatchObject({ ordinal: undefined })
    expect(decode(line("response_item", user, { ordinal: 7 }))).toMatchObject({ ordinal: 7 })
    expect(decode(line("response_item", user, { ordinal: 0 }))).toMatchObject({ ordinal: 0 })
  })

  it("unknown extra keys are kept aside; key order never matters", () => {
    const shuffled = JSON.stringify({
      payload: user,
      skein: { v: 1 },
      type: "response_item",
      metadata: null,
      timestamp: at
    })
    expect(decode(shuffled)).toMatchObject({
      kind: "response_item",
      extras: { skein: { v: 1 }, metadata: null },
      payload: user
    })
    expect(decode(line("response_item", user))).toMatchObject({ extras: undefined })
  })

  it("the payload of a present-day line is the parsed object itself, with keys that no shape declares", () => {
    const decoded = decode(line("response_item", { ...user, novelty: true }))
    expect(decoded).toMatchObject({ kind: "response_item", upcast: undefined })
    expect(decoded.kind === "response_item" && decoded.payload).toEqual({ ...user, novelty: true })
  })

  it("an integer beyond 2^53 - 1 makes the view inexact; the raw line keeps it", () => {
    const text = `{"timestamp":"${at}","type":"new","payload":{"n":18446744073709551615}}`
    const decoded = decode(text)
    expect(decoded).toMatchObject({ kind: "unknown", inexact: true })
    expect(Buffer.from(Record.encode(decoded.line)).toString()).toBe(`${text}\n`)
  })

  it("keys are written in the order timestamp, ordinal, type, payload, whatever the draft's order", () => {
    const item = { type: "message" as const, role: "user", content: [{ type: "input_text" as const, text: "é\u2028" }] }
    const written = Record.write({
      extras: { skein: { a: 1 } },
      payload: item,
      type: "response_item",
      ordinal: 3,
      timestamp: at
    })
    expect(Buffer.from(written).toString()).toBe(
      `{"timestamp":"${at}","ordinal":3,"type":"response_item","payload":${JSON.stringify(item)},"skein":{"a":1}}\n`
    )
    const [one] = splitAll(written)
    expect(one && Record.decode(one)).toMatchObject({ kind: "response_item", ordinal: 3, payload: item })
  })

  it("`ordinal` is left out when unset", () => {
    const written = Record.write({ timestamp: at, type: "compacted", payload: { message: "m" } })
    expect(Buffer.from(written).toString()).toBe(`{"timestamp":"${at}","type":"compacted","payload":{"message":"m"}}\n`)
  })
})

/** Decodes every line of a file and puts it together again from what came of them. */
const again = (bytes: Uint8Array): Buffer => {
  const lines = splitAll(bytes)
  const first = lines.map((one) => Record.decode(one, "bare")).find(({ kind }) => kind === "session_meta")
  const form = Record.formOf(first?.kind === "session_meta" ? first : undefined)
  return Buffer.concat(lines.map((one) => Record.encode(Record.decode(one, form).line)))
}

describe("raw fidelity: decode then encode gives the bytes back", () => {
  const plain = (folder: string) => rolloutsBelow(folder).filter((path) => path.endsWith(".jsonl"))

  it.each(plain(samples).map((path) => relative(samples, path)))("samples/%s", (path) => {
    const bytes = readFileSync(join(samples, path))
    expect(again(bytes).equals(bytes)).toBe(true)
  })

  it.each(["\n\n", '{"a":1}', "\0\0\n\xff", `${meta()}\r\n\r\n{"torn":`, '{"record_type":"state"}\n'])("%j", (text) => {
    const bytes = Buffer.from(text, "latin1")
    expect(again(bytes).equals(bytes)).toBe(true)
  })

  describe.skipIf(corpus === undefined)(`real rollouts${needsCorpus}`, () => {
    it.each(versions.filter((version) => version !== "0.169.0-big"))(
      "every file of %s, damaged lines included",
      (version) => {
        const files = plain(join(corpus ?? "", version))
        expect(files.length).toBeGreaterThan(0)
        for (const path of files) {
          const bytes = readFileSync(path)
          expect(again(bytes).equals(bytes), path).toBe(true)
        }
      }
    )
  })
})
