import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Record from "../../src/record/Record.js"
import * as Sniff from "../../src/record/Sniff.js"
import { corpus, needsCorpus, rolloutsBelow, versions } from "../corpus.js"

const at = "2026-07-20T10:00:00.123Z"
const head = (text: string): Sniff.Head | undefined => Sniff.head(new TextEncoder().encode(text))

/** What parsing says of the same line. */
const parsed = (text: string): Sniff.Head & { readonly timestamp: string } => {
  const { ordinal, timestamp, type, payload } = JSON.parse(text) as {
    readonly ordinal?: number
    readonly timestamp: string
    readonly type: string
    readonly payload: { readonly type?: string; readonly item?: { readonly type?: string } }
  }
  return { ordinal, timestamp, type, inner: payload.type, item: payload.item?.type }
}

/** Holds what the first bytes of a line say against what parsing says of it; whether they say anything. */
const agrees = (text: string): boolean => {
  const bytes = new TextEncoder().encode(text)
  const { inner, item, ordinal, timestamp, type } = parsed(text)
  expect([undefined, timestamp]).toContain(Sniff.timestamp(bytes))
  const sniffed = Sniff.head(bytes)
  if (sniffed === undefined) return false
  expect(Sniff.timestamp(bytes)).toBe(timestamp)
  expect({ ordinal: sniffed.ordinal, type: sniffed.type }).toEqual({ ordinal, type })
  if (sniffed.inner !== undefined) expect(sniffed.inner).toBe(inner)
  if (sniffed.item !== undefined) expect(sniffed.item).toBe(item)
  return true
}

describe("the head of a line, in the one spelling that writers use", () => {
  it.each<[string, Sniff.Head]>([
    [
      `{"timestamp":"${at}","type":"event_msg","payload":{"type":"task_started"}}`,
      { ordinal: undefined, type: "event_msg", inner: "task_started" }
    ],
    [
      `{"timestamp":"${at}","ordinal":12,"type":"compacted","payload":{"message":""}}`,
      { ordinal: 12, type: "compacted", inner: undefined }
    ],
    [
      `{"timestamp":"${at}","type":"event_msg","payload":{"type":"item_completed","thread_id":"t","turn_id":"","item":{"type":"Plan"}}}`,
      { ordinal: undefined, type: "event_msg", inner: "item_completed", item: "Plan" }
    ],
    [
      `{"timestamp":"${at}","type":"event_msg","payload":{"type":"item_completed","turn_id":"u","item":{"type":"Plan"}}}`,
      { ordinal: undefined, type: "event_msg", inner: "item_completed", item: undefined }
    ],
    [
      `{"timestamp":"${at}","type":"event_msg","payload":{"type":"other","thread_id":"t","turn_id":"u","item":{"type":"Plan"}}}`,
      { ordinal: undefined, type: "event_msg", inner: "other", item: undefined }
    ],
    [
      `{"timestamp":"","ordinal":0,"type":"world_state","payload":{"type":""}}`,
      { ordinal: 0, type: "world_state", inner: "" }
    ]
  ])("%s", (text, expected) => {
    expect(head(text)).toEqual(expected)
  })

  it.each([
    ["white space", `{ "timestamp":"${at}","type":"event_msg","payload":{}}`],
    ["another order", `{"type":"event_msg","timestamp":"${at}","payload":{}}`],
    ["a key between", `{"timestamp":"${at}","metadata":1,"type":"event_msg","payload":{}}`],
    ["an escape", String.raw`{"timestamp":"2026","type":"event\u005fmsg","payload":{}}`],
    ["a long name", `{"timestamp":"${at}","type":"${"x".repeat(70)}","payload":{}}`],
    ["other letters", `{"timestamp":"${at}","type":"évent","payload":{}}`],
    ["a bare line", `{"id":null,"type":"message"}`],
    ["an ordinal that is missing", `{"timestamp":"${at}","ordinal":,"type":"event_msg","payload":{}}`],
    ["an ordinal beyond 2^53", `{"timestamp":"${at}","ordinal":9007199254740993,"type":"event_msg","payload":{}}`],
    ["an ordinal that is null", `{"timestamp":"${at}","ordinal":null,"type":"event_msg","payload":{}}`],
    ["a torn line", `{"timestamp":"${at}","type":"event`],
    ["nothing", ""]
  ])("anything else has to be decoded: %s", (_, text) => {
    expect(head(text)).toBeUndefined()
  })

  it("agrees with parsing on every line that JSON.stringify makes of an envelope", () => {
    const name = fc.oneof(fc.string({ maxLength: 70 }), fc.string({ unit: "binary" }), fc.constant("event_msg"))
    const lines = fc
      .record({
        timestamp: name,
        ordinal: fc.option(fc.nat(), { nil: undefined }),
        type: name,
        payload: fc.record({ type: fc.option(name, { nil: undefined }), more: fc.jsonValue() })
      })
      .map((line) => JSON.stringify(line))
    let answered = 0
    fc.assert(
      fc.property(lines, (text) => {
        if (agrees(text)) answered++
      }),
      { numRuns: 2000 }
    )
    expect(answered).toBeGreaterThan(200)
  })

  it("never throws and never reads beyond the line", () => {
    const text = new TextEncoder().encode(
      `{"timestamp":"${at}","ordinal":12,"type":"event_msg","payload":{"type":"x"}}`
    )
    for (let cut = 0; cut <= text.length; cut++) {
      const sniffed = Sniff.head(text.subarray(0, cut))
      expect(sniffed?.type).toBe(sniffed === undefined ? undefined : "event_msg")
      Sniff.timestamp(text.subarray(0, cut))
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void Sniff.head(bytes)))
  })
})

/** Those with plain files of lines with envelopes. */
const enveloped = versions.filter((version) => version !== "0.169.0-big" && version !== "0.20.0")

describe.skipIf(corpus === undefined)(`real rollouts${needsCorpus}`, () => {
  it.each(enveloped)("agrees with decoding on every line of %s where it answers", (version) => {
    let lines = 0
    let answered = 0
    for (const path of rolloutsBelow(join(corpus ?? "", version)).filter((one) => one.endsWith(".jsonl"))) {
      for (const text of readFileSync(path, "utf8").split("\n")) {
        const bytes = new TextEncoder().encode(text)
        const decoded = Record.decode({ bytes, offset: 0, number: 1, terminated: true })
        if (decoded.kind === "damage" || decoded.kind === "blank") continue
        lines++
        if (!agrees(text)) continue
        answered++
        if (decoded.kind !== "unknown") expect(decoded.kind).toBe(Sniff.head(bytes)?.type)
      }
    }
    // Passing over lines is cheap only if nearly all of them answer; those that were damaged need not.
    expect(lines).toBeGreaterThan(0)
    if (version !== "damaged") expect(answered).toBeGreaterThanOrEqual(lines * 0.99)
  })
})
