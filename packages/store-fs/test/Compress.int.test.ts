/** Compressing threads of real files: what is taken and what is left, and random appends in between. */
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { compress, decompress } from "@mongodb-js/zstd"
import { Effect } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import type * as FrameWriter from "../src/internal/FrameWriter.js"
import type { Safeguard } from "../src/internal/Trial.js"
import * as Compressing from "./Compressing.js"
import * as Home from "./Home.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

const day = "sessions/2026/07/20"
const first = Home.file(1)
const content = Home.document(Home.legacyMeta(1), Home.say("one"))
const two = Home.say("two")

const run = (home: string, options?: Parameters<typeof Compressing.once>[1]) =>
  Stores.run(Effect.map(Compressing.once(home, options), Compressing.results))

describe("72, 74, 75, 79. a file", () => {
  it("72. becomes its compressed form, with its time and its mode, also when it may not be written to", async () => {
    for (const mode of [0o600, 0o444]) {
      const home = Home.home({ [first]: content })
      const path = join(home, first)
      utimesSync(path, 1_700_000_000, 1_700_000_000.25)
      chmodSync(path, mode)
      expect(await run(home)).toEqual(["compressed"])
      expect(readdirSync(join(home, day))).toEqual([`${Home.name(1)}.zst`])
      const { mode: after, mtimeMs } = statSync(`${path}.zst`)
      expect([after & 0o777, mtimeMs]).toEqual([mode, 1_700_000_000_250])
      expect((await decompress(readFileSync(`${path}.zst`))).toString()).toBe(content)
      expect(readdirSync(join(home, ".skein", "cold"))).toEqual([])
    }
  })

  it("71. that changed lately, that is a link, or has its other form beside it stays", async () => {
    const home = Home.home({
      [first]: content,
      [Home.file(2)]: Home.document(Home.legacyMeta(2)),
      "outside.jsonl": content
    })
    symlinkSync(join(home, "outside.jsonl"), join(home, Home.file(3)))
    writeFileSync(join(home, `${Home.file(2)}.zst`), await compress(Buffer.from("x")))
    const results = await run(home)
    expect([...results].sort()).toEqual(["compressed", "skipped_already_compressed", "skipped_not_cold"])
    const other = Home.home({ [first]: content })
    expect(await run(other, { changedBefore: Date.now() - 1000 })).toEqual(["skipped_not_cold"])
    expect(readdirSync(join(other, day))).toEqual([Home.name(1)])
  })

  it("74. that changes while it is encoded stays plain, and has what was appended", async () => {
    const home = Home.home({ [first]: content })
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const between = (step: string) =>
          step === "encoded" ? Effect.ignore(Stores.append(driver, 1, [Stores.batch(two)])) : Effect.void
        const outcomes = yield* Compressing.tried({ between }, Compressing.once(home))
        expect(Compressing.results(outcomes)).toEqual(["skipped_changed"])
        expect(readdirSync(join(home, day))).toEqual([Home.name(1)])
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "two"])
      })
    )
  })

  it("74. that another program changes right before it goes comes back", async () => {
    const steps = ["name compressed", "look again", "take plain"]
    for (const step of steps) {
      const home = Home.home({ [first]: content })
      const between = (at: string) =>
        Effect.sync(() => {
          if (at === step) writeFileSync(join(home, first), Home.document(two), { flag: "a" })
        })
      const outcomes = await Stores.run(Compressing.tried({ between }, Compressing.once(home)))
      expect(Compressing.results(outcomes)).toEqual(["skipped_changed"])
      expect(readdirSync(join(home, day))).toEqual([Home.name(1)])
      expect(readFileSync(join(home, first), "utf8")).toBe(content + Home.document(two))
    }
  })

  it("75. of a thread that somebody has open stays, however long nothing was written", async () => {
    const home = Home.home({ [first]: content })
    utimesSync(join(home, first), 1_000_000, 1_000_000)
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const lease = yield* driver.lease({ threadId: Home.id(1), name: "host", time: 60_000 })
        expect(Compressing.results(yield* Compressing.once(home))).toEqual(["skipped_in_use"])
        yield* Stores.append(driver, 1, [Stores.batch(two)], { fence: lease.fence })
        yield* lease.release
        expect(Compressing.results(yield* Compressing.once(home))).toEqual(["compressed"])
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "two"])
      })
    )
  })

  it("75. of a store that wrote to it before and holds nothing: its next append makes it plain again", async () => {
    const home = Home.home({ [first]: content })
    await Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        for (let i = 0; i < 3; i++) {
          yield* Stores.append(driver, 1, [Stores.batch(Home.say(`m${i}`))])
          yield* Effect.sleep("40 millis")
          expect(Compressing.results(yield* Compressing.once(home))).toEqual(["compressed"])
        }
        yield* Stores.append(driver, 1, [Stores.batch(two)])
        expect(readdirSync(join(home, day))).toEqual([Home.name(1)])
        expect(yield* Stores.texts(driver, 1)).toEqual(["one", "m0", "m1", "m2", "two"])
      })
    )
  })

  it("79. whose compressed form decodes to something else stays plain, and it is told", async () => {
    const home = Home.home({ [first]: content })
    const encode: FrameWriter.Encode = (bytes, level) => compress(Buffer.from(bytes).fill(0x20, 0, 10), level)
    const error = await Stores.run(Effect.flip(Compressing.once(home, { encode })))
    expect(error).toMatchObject({ _tag: "StoreUnavailable", reason: expect.stringContaining("does not decode") })
    expect(readdirSync(join(home, day))).toEqual([Home.name(1)])
    expect(readFileSync(join(home, first), "utf8")).toBe(content)
  })
})

/** Numbers that look like chance and follow from a seed. */
const random = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Where files are written without a disk, if there is such a place: more comes to pass in the same time. */
const quick = existsSync("/dev/shm") ? "/dev/shm" : undefined

interface Life {
  /** Texts of which an append said that they are there. */
  readonly kept: ReadonlyArray<string>
  readonly found: ReadonlyArray<string>
  readonly compressed: number
  readonly tookOver: number
}

const pause = Effect.promise(() => new Promise<void>((resume) => setImmediate(resume)))

/**
 * Two stores append to one thread while it is compressed again and again. Chance decides what comes in between, and now
 * and then a writer stands still until its lease is over and somebody else has written.
 */
const life = (seed: number, missing?: Safeguard): Effect.Effect<Life, unknown> =>
  Effect.gen(function* () {
    const chance = random(seed)
    const home = Home.home({ [first]: content }, quick)
    const kept: Array<string> = []
    let compressed = 0
    let tookOver = 0
    const time = Compressing.clock(yield* Effect.clock)
    let appended = 0
    const without: ReadonlySet<Safeguard> = new Set(missing === undefined ? [] : [missing])
    // What a safeguard is for comes to pass more often where it is missing.
    const [long, late] = [missing === "lease" ? 0.6 : 0.2, missing === "look" ? 0.6 : 0.05]
    const some = Effect.suspend(() => Effect.repeatN(pause, Math.floor(chance() * (chance() < long ? 50 : 4))))
    const still = Effect.suspend(() => {
      if (chance() > late) return some
      time.forward(4000)
      const before = appended
      let left = 60
      return Effect.repeat(pause, { until: () => appended > before || --left === 0 })
    })
    const trial = { between: (step: string) => (step === "write" ? still : some), without }
    const writer = (name: string) =>
      Effect.scoped(
        Effect.flatMap(Stores.open(home, { looks: "always" }), (driver) =>
          Effect.gen(function* () {
            for (let i = 0; i < 4; i++) {
              const text = `${name}${i}`
              yield* some
              const done = yield* Effect.either(Stores.append(driver, 1, [Stores.marked(`${seed}-${text}`, text)]))
              if (done._tag === "Left") {
                tookOver++
                continue
              }
              appended++
              kept.push(text)
            }
          })
        )
      )
    const compressor = Effect.scoped(
      Effect.flatMap(Compressing.open(home), ({ run }) =>
        Effect.gen(function* () {
          for (let i = 0; i < 8; i++) {
            yield* some
            const outcomes = yield* Effect.either(run())
            if (outcomes._tag === "Right") {
              compressed += outcomes.right.filter(({ result }) => result === "compressed").length
            }
          }
        })
      )
    )
    yield* Effect.all([writer("a"), writer("b"), compressor], { concurrency: 3 }).pipe(
      (all) => Compressing.tried(trial, all),
      Effect.withClock(time.clock)
    )
    const found = yield* Effect.scoped(Effect.flatMap(Stores.open(home), (driver) => Stores.texts(driver, 1)))
    const names = readdirSync(join(home, day))
    expect(names.filter((name) => name.endsWith(".jsonl") || name.endsWith(".zst")).length).toBe(1)
    return { kept, found, compressed, tookOver }
  })

/** What is wrong with a life. */
const wrong = ({ found, kept }: Life): ReadonlyArray<string> => [
  ...kept.filter((text) => !found.includes(text)).map((text) => `${text} is lost`),
  ...found.filter((text, i) => found.indexOf(text) !== i).map((text) => `${text} is there twice`)
]

/** How many are tried; `SKEIN_INTERLEAVINGS=100000` tries more, from `SKEIN_SEED` on. */
const many = Number(process.env["SKEIN_INTERLEAVINGS"] ?? 200)
const seed0 = Number(process.env["SKEIN_SEED"] ?? 1)
/** How many are tried at once: they wait for each other's leases most of the time. */
const width = 6

describe("75. random appends against compression", () => {
  it(
    "nothing is lost, nothing is there twice",
    async () => {
      let compressed = 0
      let tookOver = 0
      for (let seed = seed0; seed < seed0 + many; seed += width) {
        const seeds = Array.from({ length: Math.min(width, seed0 + many - seed) }, (_, i) => seed + i)
        const all = await Stores.run(
          Effect.forEach(seeds, (one) => Effect.map(life(one), (lived) => [one, lived] as const), {
            concurrency: "unbounded"
          })
        )
        for (const [one, lived] of all) {
          expect({ seed: one, wrong: wrong(lived) }).toEqual({ seed: one, wrong: [] })
          compressed += lived.compressed
          tookOver += lived.tookOver
        }
        Home.removeAll()
      }
      // It is no test of anything unless both came to pass.
      expect(compressed).toBeGreaterThan(many / 10)
      expect(tookOver).toBeGreaterThan(0)
    },
    1000 * (60 + many)
  )

  it.each([["lease"], ["look"]] as const)(
    "without the %s a loss is found",
    async (safeguard) => {
      for (let seed = 1; seed < 2000; seed++) {
        const lived = await Stores.run(Effect.either(life(seed, safeguard)))
        if (lived._tag === "Left" || wrong(lived.right).length > 0) return
      }
      expect.unreachable("nothing was lost")
    },
    120_000
  )
})
