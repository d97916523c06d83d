import * as fc from "fast-check"
import { afterEach, describe, expect, it } from "vitest"
import * as CodexHome from "../src/CodexHome.js"

const thread = "01a1f8cc-faba-73c2-9f3c-ea13033b0fb2"
const segment = "01a1f8ce-52ee-7433-b3bd-d5c11fc1e014"
const time = "2026-11-20T11-52-25"

describe("parse a name (rollout-format §1.1, since-july)", () => {
  it.each<[string, CodexHome.RolloutName]>([
    [`rollout-${time}-${thread}.jsonl`, { time, threadId: thread, segmentId: undefined, compressed: false }],
    [`rollout-${time}-${thread}.jsonl.zst`, { time, threadId: thread, segmentId: undefined, compressed: true }],
    [`rollout-${time}-${thread}_${segment}.jsonl`, { time, threadId: thread, segmentId: segment, compressed: false }],
    [
      `rollout-${time}-${thread}_${segment}.jsonl.zst`,
      { time, threadId: thread, segmentId: segment, compressed: true }
    ],
    [
      `rollout-${time}-${thread.toUpperCase()}_${segment.toUpperCase()}.jsonl`,
      { time, threadId: thread, segmentId: segment, compressed: false }
    ]
  ])("%s", (name, expected) => {
    expect(CodexHome.parseName(name)).toEqual(expected)
  })

  it.each([
    "session_index.jsonl",
    `${time}-${thread}.jsonl`,
    `rollout-${thread}.jsonl`,
    `rollout-2026-11-20-${thread}.jsonl`,
    `rollout-${time}-${thread}.json`,
    `rollout-${time}-${thread}.jsonl.gz`,
    `rollout-${time}-${thread}.jsonl.tmp`,
    `rollout-${time}-${thread}.expected.json`,
    `rollout-${time}-${thread}.jsonl.decompress.12.0.tmp`,
    `rollout-${time}-${thread.slice(1)}.jsonl`,
    `rollout-${time}-${thread}_.jsonl`,
    `rollout-${time}-${thread}_${segment}_${segment}.jsonl`,
    `x/rollout-${time}-${thread}.jsonl`,
    "rollout-compress-abc.tmp",
    ""
  ])("otherwise the file is ignored: %j", (name) => {
    expect(CodexHome.parseName(name)).toBeUndefined()
  })
})

describe("the base id is looked up among segment ids first, else it is the thread's first file", () => {
  const found = (threadId: string, segmentId: string | undefined): CodexHome.Found => ({
    time,
    threadId,
    segmentId,
    compressed: false,
    path: `${threadId}_${segmentId ?? ""}`
  })
  const first = found(thread, undefined)
  const later = found(thread, segment)

  it("a thread id is the file without a segment in its name, wherever it stands", () => {
    expect(CodexHome.baseFile([later, first], thread)).toBe(first)
    expect(CodexHome.baseFile([first, later], thread.toUpperCase())).toBe(first)
  })

  it("a segment id is that segment, also when a thread has the same id", () => {
    expect(CodexHome.baseFile([first, later], segment)).toBe(later)
    const sameId = found(segment, undefined)
    expect(CodexHome.baseFile([sameId, first, later], segment)).toBe(later)
  })

  it("a later segment does not stand for its thread", () => {
    expect(CodexHome.baseFile([later], thread)).toBeUndefined()
    expect(CodexHome.baseFile([], thread)).toBeUndefined()
  })
})

describe("the time of a name", () => {
  const zone = process.env["TZ"]
  afterEach(() => {
    if (zone === undefined) delete process.env["TZ"]
    else process.env["TZ"] = zone
  })

  it.each([
    ["UTC", "2026-11-20T11-52-25"],
    ["America/New_York", "2026-11-20T06-52-25"],
    ["Asia/Kolkata", "2026-11-20T17-22-25"]
  ])("D-1: is local, and read back as local (%s)", (tz, expected) => {
    process.env["TZ"] = tz
    const moment = Date.UTC(2026, 10, 20, 11, 52, 25)
    expect(CodexHome.timeOf(moment + 999)).toBe(expected)
    expect(CodexHome.momentOf(expected)).toBe(moment)
    expect(CodexHome.dayOf(expected)).toBe("2026/11/20")
  })

  it("a copied thread gets the name that it had, wherever that was made", () => {
    process.env["TZ"] = "America/New_York"
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), (date) => {
        const moment = Math.floor(date.getTime() / 1000) * 1000
        const name = CodexHome.timeOf(moment)
        // An hour of each year has its names twice.
        expect(CodexHome.timeOf(CodexHome.momentOf(name))).toBe(name)
        expect(Math.abs(CodexHome.momentOf(name) - moment) % 3_600_000).toBe(0)
      })
    )
  })

  it("the next one and the one before it, also where the clock is set back", () => {
    process.env["TZ"] = "America/New_York"
    expect(CodexHome.later("2026-11-01T01-59-59")).toBe("2026-11-01T02-00-00")
    expect(CodexHome.earlier("2026-11-01T02-00-00")).toBe("2026-11-01T01-59-59")
    expect(CodexHome.later("2026-12-31T23-59-59")).toBe("2027-01-01T00-00-00")
    expect(CodexHome.earlier("2028-03-01T00-00-00")).toBe("2028-02-29T23-59-59")
  })

  it("files of a thread stand in the order of their times, then of their segments; the first file comes first", () => {
    const file = (at: string, segmentId?: string) => ({ time: at, segmentId })
    const ordered = [
      file(time),
      file(time, thread.replace("01a1", "01a0")),
      file(time, segment),
      file(CodexHome.later(time))
    ]
    expect([...ordered].reverse().sort(CodexHome.compare)).toEqual(ordered)
  })
})
