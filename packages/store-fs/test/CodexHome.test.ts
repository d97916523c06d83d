import { describe, expect, it } from "vitest"
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
