import * as LineSource from "@skein/store/LineSource"
import { Effect } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Tail from "../src/internal/Tail.js"
import * as RolloutFile from "../src/RolloutFile.js"
import * as Home from "./Home.js"
import * as Stores from "./Stores.js"

/** A file in memory, cut off where a crash might. */
const inspect = (content: string | Uint8Array, ordinals = false): Tail.Tail => {
  const data = typeof content === "string" ? Stores.bytes(content) : content
  const file: RolloutFile.RolloutFile = {
    path: "memory",
    size: data.length,
    damagedAt: undefined,
    read: (offset, length) => Effect.succeed(data.subarray(offset, offset + length))
  }
  return Effect.runSync(Tail.inspect(RolloutFile.source(file), { ordinals }))
}

const foreign = (n: number): string => Home.say(`foreign ${n}`)
const ours = (id: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => Stores.mark(Home.say(`${id} ${i}`), id, i, count))

describe("where a file ends", () => {
  it("with a line feed: at its end", () => {
    const content = Home.document(Home.legacyMeta(1), foreign(1))
    expect(inspect(content)).toEqual({ end: content.length, state: "ended", nextOrdinal: undefined })
    expect(inspect("")).toEqual({ end: 0, state: "ended", nextOrdinal: undefined })
    expect(inspect("\n\n")).toMatchObject({ end: 2, state: "ended" })
  })

  it("with a whole line that lacks one: at its end too", () => {
    const content = Home.document(Home.legacyMeta(1), foreign(1)).slice(0, -1)
    expect(inspect(content)).toMatchObject({ end: content.length, state: "unended" })
    expect(inspect(`${content}\n  `)).toMatchObject({ end: content.length + 3, state: "unended" })
  })

  it("with a part of a line: in front of it", () => {
    const content = Home.document(Home.legacyMeta(1), foreign(1))
    expect(inspect(`${content}{"timestamp":"2026`)).toMatchObject({ end: content.length, state: "torn" })
    expect(inspect(`${content}\0\0\0\0`)).toMatchObject({ end: content.length, state: "torn" })
  })

  it("with a part of a batch: in front of it", () => {
    const content = Home.document(Home.legacyMeta(1), foreign(1), ...ours("a", 2))
    const [first = "", second = ""] = ours("b", 3)
    for (const part of [`${first}\n`, first, `${first}\n${second}\n`, `${first}\n${second.slice(0, 30)}`]) {
      expect(inspect(content + part)).toMatchObject({ end: content.length, state: "unfinished" })
    }
  })

  it("a part of a batch that somebody else wrote behind counts as written", () => {
    const content = Home.document(Home.legacyMeta(1), ...ours("b", 3).slice(0, 2), foreign(1))
    expect(inspect(content)).toMatchObject({ end: content.length, state: "ended" })
    expect(inspect(`${content}{"times`)).toMatchObject({ end: content.length, state: "torn" })
  })

  it("a batch whose beginning is not there counts as written: it was not cut off", () => {
    for (const lines of [
      ours("b", 4).slice(1, 3),
      [...ours("b", 4).slice(0, 1), foreign(1), ...ours("b", 4).slice(2, 3)]
    ]) {
      const content = Home.document(Home.legacyMeta(1), ...lines)
      expect(inspect(content)).toMatchObject({ end: content.length, state: "ended" })
    }
    expect(inspect(Home.document(...ours("b", 4).slice(2, 3)))).toMatchObject({ state: "ended" })
  })

  it("the next ordinal follows the newest readable record in front of the end that has one", () => {
    const lines = [Home.meta(1), Home.say("a", 1), Home.say("b", 5), Home.say("c")]
    expect(inspect(Home.document(...lines), true).nextOrdinal).toBe(6)
    expect(inspect(`${Home.document(...lines)}not JSON\n`, true).nextOrdinal).toBe(6)
    const part = Stores.mark(Home.say("d", 6), "x", 0, 2)
    expect(inspect(Home.document(...lines, part), true)).toMatchObject({ state: "unfinished", nextOrdinal: 6 })
    const kept = Stores.mark(Home.say("d", 6), "x", 1, 3)
    expect(inspect(Home.document(...lines, kept), true)).toMatchObject({ state: "ended", nextOrdinal: 7 })
    expect(inspect(Home.document(Home.legacyMeta(1)), true).nextOrdinal).toBeUndefined()
  })

  it("a file cut off anywhere ends behind a whole batch, and nothing in front of it is hidden", () => {
    const size = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 6 }), fc.nat(), (sizes, cut) => {
        const batches = sizes.map((count, n) => (count === 1 ? [foreign(n)] : ours(`batch ${n}`, count)))
        const content = Home.document(Home.legacyMeta(1), ...batches.flat())
        const at = cut % (content.length + 1)
        const ends = [0, Home.document(Home.legacyMeta(1)).length]
        for (const lines of batches) ends.push((ends.at(-1) ?? 0) + Home.document(...lines).length)
        const { end } = inspect(content.slice(0, at))
        // A last line may lack its line feed and be whole all the same.
        const whole = ends.filter((one) => one <= at || one - 1 === at)
        expect(end).toBe(Math.min(at, whole.at(-1) ?? 0))
      })
    )
  })

  it("lines in memory are looked at as those of files", () => {
    const lines = [Home.legacyMeta(1), ...ours("b", 3).slice(0, 2)].map(Stores.bytes)
    const source = LineSource.ofLines(lines)
    expect(Effect.runSync(Tail.inspect(source, { ordinals: false }))).toMatchObject({ state: "unfinished" })
  })
})
