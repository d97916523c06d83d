import * as LineSource from "@skein/store/LineSource"
import * as Positions from "@skein/store/Position"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, it } from "vitest"
import * as Lines from "../src/internal/Lines.js"
import * as SqliteDriver from "../src/SqliteDriver.js"
import { append, bare, driver, filename, id, line, linesOf, run, there, thread } from "./Support.js"

const sourceOf = (store: Effect.Effect.Success<typeof driver>, threadId: string) =>
  Effect.scoped(Effect.map(store.open(threadId), ({ pieces }) => there(pieces.at(-1)).source))

it("every byte comes back as it was, whether the line is text or not (21)", () =>
  run(
    Effect.gen(function* () {
      const store = yield* driver
      const every = Uint8Array.from({ length: 256 }, (_, i) => i).filter((byte) => byte !== 0x0a)
      const lines = [
        new Uint8Array(0),
        every,
        line("é\u2028\r"),
        new Uint8Array([0]),
        new Uint8Array([0xff, 0xfe]),
        every
      ]
      yield* store.create(thread(id(1), lines))
      yield* append(store, id(1), ...lines)
      const back = yield* linesOf(yield* sourceOf(store, id(1)))
      expect(back.map(({ bytes }) => bytes)).toEqual([...lines, ...lines])
      expect(back.every(({ bytes }) => Object.getPrototypeOf(bytes) === Uint8Array.prototype)).toBe(true)
    })
  ))

it("reads as lines in memory do, from either end, from and to anywhere", () =>
  run(
    Effect.gen(function* () {
      const store = yield* driver
      let n = 0
      const lengths = fc.array(fc.oneof(fc.nat(20), fc.nat(3000), fc.constant(70_000)), { maxLength: 60 })
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(lengths, fc.nat(), fc.nat(), fc.boolean(), (sizes, a, b, brief) =>
            Effect.runPromise(
              Effect.gen(function* () {
                const lines = sizes.map((size, i) => new Uint8Array(size).fill(i))
                const threadId = id(++n)
                yield* store.create(thread(threadId, lines))
                const ours = yield* sourceOf(store, threadId)
                const model = LineSource.ofLines(lines)
                const from = lines.slice(0, a % (lines.length + 1)).reduce((sum, one) => sum + one.length + 1, 0)
                const to = b % (model.size + 2)
                const odd = [
                  { from: b % (model.size + 2) },
                  { from: 0.5 },
                  { to: 0.5 },
                  { from: -3 },
                  { to: -3 },
                  { to: Infinity }
                ]
                for (const direction of ["forward", "backward"] as const) {
                  for (const range of [{ brief }, { from, brief }, { to }, { from, to }, ...odd]) {
                    const plain = (all: Effect.Effect.Success<ReturnType<typeof linesOf>>) =>
                      all.map(({ bytes, offset }) => [offset, bytes.length, bytes[0]])
                    const got = yield* linesOf(ours, direction, range)
                    expect(plain(got)).toEqual(plain(yield* linesOf(model, direction, range)))
                  }
                }
              })
            )
          ),
          { numRuns: 60 }
        )
      )
    })
  ))

it("lines are numbered from the first one, and stop when no more are wanted", () =>
  run(
    Effect.gen(function* () {
      const store = yield* driver
      yield* store.create(
        thread(
          id(1),
          Array.from({ length: 5000 }, (_, i) => line(`line ${i}`))
        )
      )
      const source = yield* sourceOf(store, id(1))
      expect((yield* linesOf(source)).map(({ number }) => number)).toEqual(
        Array.from({ length: 5000 }, (_, i) => i + 1)
      )
      for (const direction of ["forward", "backward"] as const) {
        let seen = 0
        expect(yield* source[direction](() => ++seen < 10)).toBe(false)
        expect(seen).toBe(10)
      }
    })
  ))

it(
  "a line of 100 MB is written, read from both ends, and stood upon",
  () =>
    run(
      Effect.gen(function* () {
        const store = yield* driver
        const long = new Uint8Array(100 * 1024 * 1024)
        for (let i = 0; i < long.length; i += 4096) long[i] = i / 4096
        yield* store.create(thread(id(1), [line("first")]))
        yield* append(store, id(1), long, line("last"))
        const source = yield* sourceOf(store, id(1))
        for (const direction of ["forward", "backward"] as const) {
          const lines = yield* linesOf(source, direction)
          expect(lines).toHaveLength(3)
          expect(Buffer.compare(there(lines[1]).bytes, long)).toBe(0)
        }
        const fork = thread(id(2), [line("own")])
        yield* store.create({ ...fork, segment: { ...fork.segment, base: Positions.make(id(1), 6 + long.length + 1) } })
        const log = yield* store.open(id(2))
        expect(log.whole).toBe(true)
      })
    ),
  60_000
)

it("lines that are not there read as damage in their place, and what follows is read (10.1)", () =>
  run(
    Effect.gen(function* () {
      const path = yield* filename
      const store = yield* SqliteDriver.make({ filename: path })
      yield* store.create(
        thread(
          id(1),
          Array.from({ length: 100 }, (_, i) => line(`line ${String(i).padStart(3, "0")}`))
        )
      )
      bare(path, (db) => {
        db.exec(`DELETE FROM content WHERE key & ${2 ** 36 - 1} BETWEEN 90 AND 170`)
        db.exec(`DELETE FROM content WHERE key & ${2 ** 36 - 1} > 890`)
      })
      const source = yield* sourceOf(store, id(1))
      const forward = yield* linesOf(source)
      const backward = yield* linesOf(source, "backward")
      const plain = (all: typeof forward) => all.map(({ bytes, offset }) => [offset, new TextDecoder().decode(bytes)])
      expect(plain(forward)).toEqual(plain([...backward].reverse()))
      expect(forward.reduce((sum, { bytes }) => sum + bytes.length + 1, 0)).toBe(900)
      const lost = forward.filter(({ bytes }) => bytes[0] === 0x21)
      expect(plain(lost).map(([offset, text]) => [offset, String(text).slice(0, 15)])).toEqual([
        [90, "!lost: 81 bytes"],
        [891, "!lost: 9"]
      ])
    })
  ))

it("a line that stands for lost ones has their length, whatever it is", () => {
  for (const length of [1, 2, 5, 17, 100, 1024 * 1024]) expect(Lines.lost(length)).toHaveLength(length - 1)
  const gaps = Lines.gaps(10, 3 * 1024 * 1024)
  expect(gaps.map(({ offset }) => offset)).toEqual([10 + 2 * 1024 * 1024, 10 + 1024 * 1024, 10])
  expect(gaps.reduce((sum, { bytes }) => sum + bytes.length + 1, 0)).toBe(3 * 1024 * 1024 - 10)
})

it("a segment cannot grow beyond what a key holds: that is refused, not cut off", () =>
  run(
    Effect.gen(function* () {
      const path = yield* filename
      const store = yield* SqliteDriver.make({ filename: path })
      yield* store.create(thread(id(1), [line("a")]))
      bare(path, (db) => db.exec(`UPDATE segments SET size = ${2 ** 36 - 3}`))
      expect(yield* Effect.flip(append(store, id(1), line("too long")))).toMatchObject({ _tag: "InvalidRequest" })
    })
  ))
