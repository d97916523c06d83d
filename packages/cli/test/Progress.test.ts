import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Progress from "../src/Progress.js"

describe("Progress.tell", () => {
  it.each([
    [0, 100, 0, "reading: 0 %"],
    [50, 100, 999, "reading: 50 %"],
    [0, 100, 5000, "reading: 0 %"],
    [50_000_000, 200_000_000, 2000, "reading: 25 %, 25 MB/s, 6 s left"],
    [1, 3, 1500, "reading: 33 %, 1 B/s, 3 s left"],
    [200, 200, 1000, "reading: 100 %, 200 B/s, 0 s left"],
    [300, 200, 1000, "reading: 100 %, 300 B/s, 0 s left"],
    [0, 0, 1000, "reading: 0 %"]
  ])("%s of %s after %s ms: %s", (done, total, elapsed, expected) => {
    expect(Progress.tell("reading", { done, total, elapsed }, Progress.bytes)).toBe(expected)
  })

  it("tells one line with a part from 0 to 100, whatever it is given", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), (done, total, elapsed) => {
        const text = Progress.tell("x", { done, total, elapsed }, Progress.counted("thread"))
        const [, part, rest] = /^x: (\d+) %(.*)$/.exec(text) ?? []
        expect(Number(part)).toBeLessThanOrEqual(100)
        expect(rest).toMatch(/^(, [\d.]+ threads\/s, (\d+ (s|min|h)|days) left)?$/)
      })
    )
  })

  it("a task that goes on as it did ends when it was said to", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 90 }), fc.integer({ min: 1, max: 60 }), (parts, seconds) => {
        const text = Progress.tell("x", { done: 1, total: parts, elapsed: seconds * 1000 }, String)
        expect(text.endsWith(` ${Progress.seconds((parts - 1) * seconds)} left`)).toBe(true)
      })
    )
  })
})

it("Progress.seconds is as precise as a guess can be", () => {
  expect([0, 0.2, 99, 100, 5400, 6000, 36_000, 1e6].map(Progress.seconds)).toEqual([
    "0 s",
    "1 s",
    "99 s",
    "2 min",
    "90 min",
    "2 h",
    "10 h",
    "days"
  ])
})
