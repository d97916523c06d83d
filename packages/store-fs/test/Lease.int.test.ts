/** Who may append, among several stores on one home. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import * as Machine from "@skein/store/Machine"
import * as Positions from "@skein/store/Position"
import { Deferred, Effect, Fiber, Layer, TestClock, TestContext } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import * as FsDriver from "../src/FsDriver.js"
import * as Home from "./Home.js"
import * as Stores from "./Stores.js"

afterAll(Home.removeAll)

const first = `sessions/2026/07/20/${Home.name(1)}`
const content = Home.document(Home.legacyMeta(1), Home.say("one"))
const folder = `.skein/leases/${Home.id(1)}`
const say = (text: string) => Stores.batch(Home.say(text))

/** A lease as another process would have it. */
const lease = (process: Partial<Machine.Process>, more: object = {}): string =>
  JSON.stringify({
    instance: "another",
    process: { ...Machine.node().self, ...process },
    name: "another host",
    kind: "brief",
    expiresAt: Date.now() + 60_000,
    ...more
  })

const gone = { pid: 2 ** 22 + 1 }
/** A process that lives as long as this one, but is another one. */
const alive = { pid: process.ppid, start: "" }

describe("a lease that is kept", () => {
  it("14. lets only its holder append; others are refused at once and told who it is", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (a) =>
      Effect.gen(function* () {
        const b = yield* Stores.open(home)
        const held = yield* a.lease({ threadId: Home.id(1), name: "the agent", time: 60_000 })
        yield* Stores.append(a, 1, [say("a")], { fence: held.fence })
        for (const effect of [
          Stores.append(a, 1, [say("no")]),
          Stores.append(a, 1, [say("no")], { fence: held.fence + 1 }),
          Stores.append(b, 1, [say("no")]),
          Stores.append(b, 1, [say("no")], { fence: held.fence }),
          b.lease({ threadId: Home.id(1), name: "b", time: 1000 }),
          a.lease({ threadId: Home.id(1), name: "a again", time: 1000 })
        ]) {
          const error = yield* Stores.failure(
            effect as Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>
          )
          expect(error).toMatchObject({ _tag: "LeaseHeld" })
        }
        const error = yield* Stores.failure(Stores.append(b, 1, [say("no")]))
        expect(error.message).toContain("the agent")
        yield* held.release
        yield* Stores.append(b, 1, [say("b")])
        const next = yield* b.lease({ threadId: Home.id(1), name: "b", time: 60_000 })
        expect(next.fence).toBeGreaterThan(held.fence)
        expect(yield* Stores.texts(a, 1)).toEqual(["one", "a", "b"])
        const late = yield* Stores.failure(Stores.append(a, 1, [say("no")], { fence: held.fence }))
        expect(late._tag).toBe("LeaseHeld")
        expect((yield* Stores.failure(held.renew))._tag).toBe("LeaseHeld")
        yield* held.release
        yield* Stores.append(b, 1, [say("b")], { fence: next.fence })
      })
    )
  })

  it("is that of a thread that is there", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const error = yield* Stores.failure(driver.lease({ threadId: Home.id(2), name: "x", time: 1000 }))
        expect(error._tag).toBe("ThreadNotFound")
      })
    )
  })

  it("can be prolonged, and then is not late", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (a) =>
      Effect.gen(function* () {
        const b = yield* Stores.open(home)
        const held = yield* a.lease({ threadId: Home.id(1), name: "a", time: 60_000 })
        const until = yield* held.renew
        expect(until).toBeGreaterThanOrEqual(held.expiresAt)
        const long = yield* Effect.repeatN(held.renew, 3)
        expect((yield* Stores.failure(Stores.append(b, 1, [say("no")])))._tag).toBe("LeaseHeld")
        expect(long).toBeGreaterThanOrEqual(until)
      })
    )
  })

  it("does not keep others from reading, naming, archiving and deleting", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (a) =>
      Effect.gen(function* () {
        const b = yield* Stores.open(home)
        yield* a.lease({ threadId: Home.id(1), name: "a", time: 60_000 })
        expect(yield* Stores.texts(b, 1)).toEqual(["one"])
        yield* b.updateExplicit(Home.id(1), () => ({ name: "named" }))
        yield* b.setArchived(Home.id(1), 1)
        expect(yield* b.row(Home.id(1))).toMatchObject({ archivedAt: 1, explicit: { name: "named" } })
        yield* b.remove(Home.id(1), "materialise")
        expect((yield* Stores.failure(a.locate(Home.id(1))))._tag).toBe("ThreadNotFound")
      })
    )
  })
})

describe("a lease that an append took", () => {
  it("two stores in one process take turns without waiting for a clock", () => {
    const home = Home.home({ [first]: content })
    return Stores.run(
      Effect.scoped(
        Effect.gen(function* () {
          const [a, b] = yield* Effect.all([Stores.open(home), Stores.open(home)])
          for (let i = 0; i < 10; i++) {
            yield* Stores.append(a, 1, [say(`a${i}`)])
            yield* Stores.append(b, 1, [say(`b${i}`)])
          }
          const numbers = Array.from({ length: 20 }, (_, i) => i)
          yield* Effect.forEach([a, b], (one) => Effect.forEach(numbers, (i) => Stores.append(one, 1, [say(`${i}`)])), {
            concurrency: 2
          })
          expect(yield* Stores.texts(a, 1)).toHaveLength(61)
        })
      ).pipe(Effect.provide(TestContext.TestContext))
    )
  })

  it("is given back when the store is closed", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (driver) => Stores.append(driver, 1, [say("two")])).then(() => {
      expect(readdirSync(join(home, folder))).toEqual(["1.free"])
    })
  })

  it("is given back some time after the last append", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* Stores.append(driver, 1, [say("two")])
        const isFree = Effect.sync(() => existsSync(join(home, folder, "1.free")))
        yield* Effect.repeat(isFree.pipe(Effect.delay(5)), { until: (free) => free, times: 1000 })
        expect(existsSync(join(home, folder, "1.free"))).toBe(true)
        yield* Stores.append(driver, 1, [say("three")])
        expect(readdirSync(join(home, folder))).toEqual(["2"])
      })
    )
  })
})

describe("the lease of another process", () => {
  const held = (content: string, fence = 5): string => {
    const home = Home.home({ [first]: Home.document(Home.legacyMeta(1), Home.say("one")) })
    mkdirSync(join(home, folder), { recursive: true })
    writeFileSync(join(home, folder, String(fence)), content)
    return home
  }

  it.each([
    ["whose number nobody has", gone],
    ["whose number another process has now", { pid: process.pid, start: "1" }],
    ["of an earlier run of the system", { boot: "another run" }]
  ])("that is certainly gone (%s) is succeeded at once", (_, who) => {
    const home = held(lease(who))
    const { ino } = statSync(join(home, first))
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* Stores.append(driver, 1, [say("two")])
        expect(readdirSync(join(home, folder))).toEqual(["6"])
        // Nobody can write to it any more, so the file itself stays.
        expect(statSync(join(home, first)).ino).toBe(ino)
      })
    )
  })

  it("a store of this process that is closed is gone as well", () => {
    const home = held(lease({}))
    return Stores.withDriver(home, (driver) => Stores.append(driver, 1, [say("two")]))
  })

  it("a file that makes no sense was cut off when the power went", () => {
    const home = held('{"instance":"x","proc')
    return Stores.withDriver(home, (driver) => Stores.append(driver, 1, [say("two")]))
  })

  it.each([
    ["on another host", { host: "elsewhere", ...gone }],
    ["with numbers of its own, as in a container", { space: "pid:[1]", ...gone }],
    ["that lives", alive]
  ])("that may be alive (%s) is refused while it is kept", (_, who) => {
    const home = held(lease(who, { kind: "kept" }))
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const error = yield* Stores.failure(Stores.append(driver, 1, [say("two")]))
        expect(error).toMatchObject({ _tag: "LeaseHeld", holder: { fence: 5 } })
        expect(readdirSync(join(home, folder))).toEqual(["5"])
      })
    )
  })

  it("a brief one is waited for, and then it is told who has it", () => {
    const home = held(lease(alive))
    return Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const driver = yield* Stores.open(home)
          const fiber = yield* Effect.fork(Stores.failure(Stores.append(driver, 1, [say("two")])))
          const wait = Effect.zipRight(
            TestClock.adjust("1 seconds"),
            Effect.promise(() => new Promise(setImmediate))
          )
          while (Fiber.status(fiber) !== undefined && (yield* Fiber.poll(fiber))._tag === "None") yield* wait
          expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "LeaseHeld", holder: { fence: 5 } })
        })
      ).pipe(Effect.provide(TestContext.TestContext))
    )
  })

  it("one that is given back while somebody waits is taken", () => {
    const home = held(lease(alive))
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(Stores.append(driver, 1, [say("two")]))
        const isWaited = Effect.sync(() => existsSync(join(home, folder, "wait")))
        yield* Effect.repeat(isWaited.pipe(Effect.delay(1)), { until: (waits) => waits, times: 5000 })
        yield* Effect.sync(() => writeFileSync(join(home, folder, "5"), lease(gone)))
        yield* Fiber.join(fiber)
        expect(readdirSync(join(home, folder))).toEqual(["6"])
      })
    )
  })

  it("a torn line that a holder left who is gone is ours to cut; one written later is not", async () => {
    for (const [until, left] of [
      [Date.now() + 60_000, ""],
      [Date.now() - 60_000, '{"timestamp":"2026\n']
    ] as const) {
      const home = held(lease(gone, { expiresAt: until }))
      writeFileSync(join(home, first), `${content}{"timestamp":"2026`)
      await Stores.withDriver(home, (driver) => Stores.append(driver, 1, [say("two")]))
      expect(readFileSync(join(home, first), "utf8")).toBe(`${content}${left}${Home.document(Home.say("two"))}`)
    }
  })
})

describe("a holder that is late but may be alive", () => {
  /** Lets a store be made whose clock is an hour ahead: every lease that it meets has run out, without any waiting. */
  const ahead = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.clock, (clock) =>
      Effect.withClock(
        effect,
        Object.assign(Object.create(clock) as typeof clock, {
          unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + 3_600_000
        })
      )
    )

  /** A store that writes as another process: it hangs in front of a step of its own until it is let go on. */
  const suspended = (home: string, at: "write" | "stat") =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      let isArmed = false
      const hang = Effect.suspend(() => {
        if (!isArmed) return Effect.void
        isArmed = false
        return Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(goOn))
      })
      const real = yield* Stores.FileSystem.FileSystem
      const fs = {
        ...real,
        stat: (path: string) =>
          at === "stat" && path.endsWith(Home.name(1)) ? Effect.zipRight(hang, real.stat(path)) : real.stat(path),
        open: (path: string, options: Parameters<typeof real.open>[1]) =>
          Effect.map(real.open(path, options), (file) => {
            if (options?.flag !== "a+" || at !== "write") return file
            const wrapped = Object.create(file) as typeof file
            return Object.assign(wrapped, {
              writeAll: (bytes: Uint8Array) => Effect.zipRight(hang, file.writeAll(bytes)),
              seek: file.seek.bind(file),
              read: file.read.bind(file)
            })
          })
      }
      const knowledge: Machine.Knowledge = { ...Machine.node(), isGone: () => false }
      const self = { ...knowledge.self, pid: process.ppid, start: "" }
      const driver = yield* FsDriver.make({ home, durability: "os" }).pipe(
        Effect.provideService(Stores.FileSystem.FileSystem, fs as typeof real),
        Effect.provideService(Machine.Machine, { ...knowledge, self })
      )
      return { driver, reached, goOn, arm: Effect.sync(() => (isArmed = true)) }
    }).pipe(Effect.provide(Layer.merge(NodeContext.layer, Path.layer)))

  it.each(["write", "stat"] as const)(
    "2. is passed by: its file gets another one in its place, and what it does then (%s) nobody is told was done",
    (at) => {
      const home = Home.home({ [first]: content })
      return Stores.withDriver(home, () =>
        Effect.gen(function* () {
          const b = yield* ahead(Stores.open(home))
          const { arm, driver: a, goOn, reached } = yield* suspended(home, at)
          const held = yield* a.lease({ threadId: Home.id(1), name: "a", time: 60_000 })
          yield* Stores.append(a, 1, [say("acknowledged")], { fence: held.fence })
          const { ino } = statSync(join(home, first))
          yield* arm
          const hanging = yield* Effect.fork(
            Effect.either(Stores.append(a, 1, [say("too late")], { fence: held.fence }))
          )
          yield* Deferred.await(reached)
          const end = yield* Stores.append(b, 1, [say("b")])
          expect(statSync(join(home, first)).ino).not.toBe(ino)
          yield* Deferred.succeed(goOn, undefined)
          const told = yield* Fiber.join(hanging)
          expect(told).toMatchObject({ _tag: "Left", left: { _tag: "LeaseHeld" } })
          const texts = yield* Stores.texts(b, 1)
          expect(texts.filter((text) => text !== "too late")).toEqual(["one", "acknowledged", "b"])
          expect(texts.at(-1)).toBe("b")
          expect(end).toEqual(Positions.make(Home.id(1), statSync(join(home, first)).size))
          // It goes on as anybody: with a new lease, at the new file.
          yield* Stores.append(a, 1, [say("again")])
          expect((yield* Stores.texts(b, 1)).at(-1)).toBe("again")
          expect(readdirSync(join(home, folder)).filter((name) => name.endsWith(".old"))).toEqual([])
        })
      )
    }
  )

  it("what the old file gained while it was copied is in the new one", () => {
    const home = Home.home({ [first]: content })
    return Stores.withDriver(home, () =>
      Effect.gen(function* () {
        const b = yield* ahead(Stores.open(home))
        const { arm, driver: a, goOn, reached } = yield* suspended(home, "stat")
        const held = yield* a.lease({ threadId: Home.id(1), name: "a", time: 60_000 })
        yield* Stores.append(a, 1, [say("acknowledged")], { fence: held.fence })
        yield* arm
        // Written, but not looked at: nobody was told of it, so it may be there or not.
        const hanging = yield* Effect.fork(Effect.either(Stores.append(a, 1, [say("written")], { fence: held.fence })))
        yield* Deferred.await(reached)
        yield* Stores.append(b, 1, [say("b")])
        expect(yield* Stores.texts(b, 1)).toEqual(["one", "acknowledged", "written", "b"])
        yield* Deferred.succeed(goOn, undefined)
        expect((yield* Fiber.join(hanging))._tag).toBe("Left")
        expect(yield* Stores.texts(b, 1)).toEqual(["one", "acknowledged", "written", "b"])
      })
    )
  })

  it("what it writes once it is being taken over is not acknowledged, and is kept all the same", () => {
    const home = Home.home({ [first]: content })
    return Stores.run(
      Effect.scoped(
        Effect.gen(function* () {
          const { arm, driver: a, goOn, reached } = yield* suspended(home, "write")
          const copied = yield* Deferred.make<void>()
          const install = yield* Deferred.make<void>()
          const real = yield* Stores.FileSystem.FileSystem
          // Hangs when the file is copied and the copy has not yet taken its name.
          const rename: typeof real.rename = (from, to) => {
            const renamed = real.rename(from, to)
            if (!from.includes(".taken.")) return renamed
            return Effect.zipRight(
              Deferred.succeed(copied, undefined),
              Effect.zipRight(Deferred.await(install), renamed)
            )
          }
          const b = yield* FsDriver.make({ home, durability: "os" }).pipe(
            Effect.provideService(Stores.FileSystem.FileSystem, { ...real, rename }),
            ahead
          )
          const held = yield* a.lease({ threadId: Home.id(1), name: "a", time: 60_000 })
          yield* Stores.append(a, 1, [say("acknowledged")], { fence: held.fence })
          yield* arm
          const hanging = yield* Effect.fork(Effect.either(Stores.append(a, 1, [say("late")], { fence: held.fence })))
          yield* Deferred.await(reached)
          const taking = yield* Effect.fork(Stores.append(b, 1, [say("b")]))
          yield* Deferred.await(copied)
          yield* Deferred.succeed(goOn, undefined)
          expect(yield* Fiber.join(hanging)).toMatchObject({ _tag: "Left", left: { _tag: "LeaseHeld" } })
          yield* Deferred.succeed(install, undefined)
          yield* Fiber.join(taking)
          expect(yield* Stores.texts(b, 1)).toEqual(["one", "acknowledged", "late", "b"])
        })
      ).pipe(Effect.provide(NodeContext.layer))
    )
  })

  it("a holder that dies while it takes over leaves that to the next one", () => {
    const home = Home.home({ [first]: content })
    mkdirSync(join(home, folder), { recursive: true })
    writeFileSync(join(home, folder, "3"), lease(alive, { expiresAt: 1 }))
    writeFileSync(join(home, folder, "4"), lease(gone))
    const { ino } = statSync(join(home, first))
    return Stores.withDriver(home, (driver) =>
      Effect.gen(function* () {
        yield* Stores.append(driver, 1, [say("two")])
        expect(statSync(join(home, first)).ino).not.toBe(ino)
        expect(readdirSync(join(home, folder))).toEqual(["5"])
      })
    )
  })

  it("one that was prolonged meanwhile keeps what it has", () => {
    const home = Home.home({ [first]: content })
    mkdirSync(join(home, folder), { recursive: true })
    const file = join(home, folder, "3")
    writeFileSync(file, lease(alive, { kind: "kept", expiresAt: 1 }))
    return Stores.run(
      Effect.scoped(
        Effect.gen(function* () {
          const real = yield* Stores.FileSystem.FileSystem
          // Between the look at the old lease and the making of the new one.
          const link: typeof real.link = (from, to) => {
            writeFileSync(file, lease(alive, { kind: "kept" }))
            return real.link(from, to)
          }
          const driver = yield* FsDriver.make({ home, durability: "os" }).pipe(
            Effect.provideService(Stores.FileSystem.FileSystem, { ...real, link })
          )
          const error = yield* Stores.failure(Stores.append(driver, 1, [say("two")]))
          expect(error).toMatchObject({ _tag: "LeaseHeld", holder: { fence: 3 } })
          expect(readdirSync(join(home, folder))).toEqual(["3"])
          expect(readFileSync(join(home, first), "utf8")).toBe(content)
        })
      ).pipe(Effect.provide(NodeContext.layer))
    )
  })
})

describe("where processes cannot share a home", () => {
  it("no lease files are made, and leases count in this process", () => {
    const home = Home.home({ [first]: content })
    return Stores.run(
      Effect.scoped(
        Effect.gen(function* () {
          const driver = yield* FsDriver.make({ home, durability: "os" }).pipe(
            Effect.provideService(Machine.Machine, { ...Machine.node(), isShared: false }),
            Effect.provide(NodeContext.layer)
          )
          expect(driver.supports.multiProcess).toBe(false)
          yield* Stores.append(driver, 1, [say("two")])
          const held = yield* driver.lease({ threadId: Home.id(1), name: "x", time: 60_000 })
          expect((yield* Stores.failure(Stores.append(driver, 1, [say("no")])))._tag).toBe("LeaseHeld")
          yield* Stores.append(driver, 1, [say("three")], { fence: held.fence })
          expect(yield* held.renew).toBeGreaterThanOrEqual(held.expiresAt)
          yield* held.release
          yield* Stores.append(driver, 1, [say("four")])
          yield* driver.create(Stores.thread(2))
          expect(existsSync(join(home, ".skein"))).toBe(false)
        })
      )
    )
  })
})
