import { readFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Jsonl from "../../src/record/Jsonl.js"
import * as Record from "../../src/record/Record.js"
import { rollouts } from "../corpus.js"
import * as Examples from "./Examples.js"

const lineOf = (text: string): Jsonl.RawLine => ({
  bytes: new TextEncoder().encode(text),
  offset: 0,
  number: 1,
  terminated: true
})

/** What a line comes to when its value is first examined as a whole, and then read as a record. */
const inTwoWalks = (line: Jsonl.RawLine): Record.Decoded => {
  const parsed = Jsonl.parse(line)
  return parsed.kind === "value" ? Record.view(parsed.value, line, "enveloped", parsed.inexact) : parsed
}

const enveloped = (type: string) => (payload: string) =>
  `{"timestamp":"2026-07-20T10:00:00.000Z","type":"${type}","payload":${payload}}`

/** A good line of every kind there is. */
const lines = [
  ...Examples.records,
  ...Examples.items.map(enveloped("response_item")),
  ...Examples.events.map(enveloped("event_msg")),
  ...Examples.turnItems.map((item) =>
    enveloped("event_msg")(
      `{"type":"item_completed","thread_id":"019c2b10-7a00-7c00-8000-0000000000a1","turn_id":"t","item":${item},"completed_at_ms":1}`
    )
  )
]

/** What stands where a value did, or as a further key. Some of it no line may hold, some only nearly. */
const odd = fc.oneof(
  fc.constantFrom(
    String.raw`"\ud800"`,
    String.raw`"\ud83d\ude00"`,
    String.raw`{"\udfff":1}`,
    "9007199254740991",
    "9007199254740993",
    "-9007199254740993",
    "1e999",
    "1.5",
    "null"
  ),
  fc.integer({ min: 50, max: 140 }).map((depth) => "[".repeat(depth) + "]".repeat(depth)),
  fc.integer({ min: 50, max: 140 }).map((depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)
)

const mark = "\u0001mark"

/** Every text that a value becomes when `mark` is put in place of a part of it, or into an object under a new key. */
const marked = (value: unknown): ReadonlyArray<unknown> => {
  if (typeof value !== "object" || value === null) return [mark]
  if (Array.isArray(value)) {
    return [mark, [...value, mark], ...value.flatMap((one, i) => marked(one).map((other) => value.with(i, other)))]
  }
  const inside = Object.entries(value).flatMap(([key, one]) => marked(one).map((other) => ({ ...value, [key]: other })))
  return [mark, { ...value, another: mark }, ...inside]
}

describe("a line is examined in the walk that checks its shape", () => {
  it("any line with anything odd at any place reads as when it is examined by itself", () => {
    const counts = { damage: 0, inexact: 0 }
    fc.assert(
      fc.property(fc.constantFrom(...lines), fc.nat(), odd, (text, at, part) => {
        const places = marked(JSON.parse(text))
        const line = lineOf(JSON.stringify(places[at % places.length]).replace(JSON.stringify(mark), part))
        const decoded = Record.decode(line)
        expect(decoded).toEqual(inTwoWalks(line))
        if (decoded.kind === "damage") counts.damage++
        else if (decoded.kind !== "blank" && decoded.inexact) counts.inexact++
      }),
      { numRuns: 5000 }
    )
    expect(counts.damage).toBeGreaterThan(500)
    expect(counts.inexact).toBeGreaterThan(20)
  })

  it("so does every line of the rollouts", { timeout: 60_000 }, () => {
    for (const path of rollouts.filter((path) => path.endsWith(".jsonl"))) {
      Jsonl.forward().push(readFileSync(path), (line) => {
        expect(Record.decode(line)).toEqual(inTwoWalks(line))
        return true
      })
    }
  })
})
