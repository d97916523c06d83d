/**
 * The compressor and the first append to a cold thread, ended at every operation: the next one to open the home finds one
 * form of each file, with all that counts, and nothing is left over.
 */
import { Path } from "@effect/platform"
import type { StoreError } from "@skein/store/StoreError"
import * as SimulatedDisk from "@skein/testing/SimulatedDisk"
import { Cause, Effect, Exit, Layer, type Scope } from "effect"
import { describe, expect, it } from "vitest"
import * as Compressing from "./Compressing.js"
import * as Home from "./Home.js"
import * as Stores from "./Stores.js"

const texts = ["one", "two"]
const path = `${Stores.simulated}/${Home.file(1)}`

/** A disk with a thread of two messages, and what is done to it by a process of its own. */
interface World {
  readonly disk: SimulatedDisk.SimulatedDisk
  readonly alive: Set<number>
  pid: number
}

const inProcess = <A>(
  world: World,
  use: (parts: {
    readonly process: SimulatedDisk.Process
    readonly open: ReturnType<typeof Stores.openOn>
    readonly compressor: Effect.Effect<Compressing.Compressor, StoreError, Scope.Scope>
  }) => Effect.Effect<A, unknown, Scope.Scope>
): Effect.Effect<A, unknown> =>
  Effect.suspend(() => {
    world.alive.clear()
    world.alive.add(++world.pid)
    const process = world.disk.process(`p${world.pid}`)
    const machine = Stores.machine(world.pid, world.alive)
    return Effect.scoped(
      use({
        process,
        open: Stores.openOn(process, world.pid, world.alive),
        compressor: Compressing.open(Stores.simulated, Layer.mergeAll(process.layer, Path.layer)).pipe(
          Effect.provide(machine)
        )
      })
    )
  })

/** Makes the thread, and compresses it if it is to be cold. */
const prepare = (world: World, isCold: boolean) =>
  inProcess(world, ({ compressor, open }) =>
    Effect.gen(function* () {
      const driver = yield* open
      yield* driver.create(
        Stores.thread(
          1,
          texts.map((text) => Home.say(text))
        )
      )
      if (isCold) yield* Effect.flatMap(compressor, ({ run }) => run())
    })
  )

const things = {
  compress: {
    isCold: false,
    adds: [] as ReadonlyArray<string>,
    run: ({ compressor }: { readonly compressor: Effect.Effect<Compressing.Compressor, StoreError, Scope.Scope> }) =>
      Effect.flatMap(compressor, ({ run }) => run())
  },
  append: {
    isCold: true,
    adds: ["three"],
    run: ({ open }: { readonly open: ReturnType<typeof Stores.openOn> }) =>
      Effect.flatMap(open, (driver) => Stores.append(driver, 1, [Stores.marked("b", "three")]))
  }
}

/** Does something with a fault at an operation. Gives whether there was one. */
const through = (what: keyof typeof things, fault: SimulatedDisk.Fault, at: number, seed: number) =>
  Effect.gen(function* () {
    const disk = yield* SimulatedDisk.make({ seed })
    const world: World = { disk, alive: new Set(), pid: 0 }
    const { adds, isCold, run } = things[what]
    yield* prepare(world, isCold)
    let happened = false
    const faults = SimulatedDisk.atOperation(at, fault)
    yield* disk.setFaults((operation, number) => {
      const found = faults(operation, number)
      if (found !== undefined) happened = true
      return found
    })
    const done = yield* Effect.exit(
      inProcess(world, (parts) => run(parts as never) as Effect.Effect<unknown, unknown, Scope.Scope>)
    )
    yield* disk.setFaults(undefined)
    // Whoever opens the home next finds it as it was, or with all that was to be added.
    const found = yield* inProcess(world, ({ open }) => Effect.flatMap(open, (driver) => Stores.texts(driver, 1)))
    const outcomes = Exit.isSuccess(done) ? [[...texts, ...adds]] : [texts, [...texts, ...adds]]
    expect(outcomes).toContainEqual(found)
    const names = [...(yield* disk.files).keys()]
    const forms = names.filter((name) => name === path || name === `${path}.zst`)
    expect(forms.length).toBe(1)
    expect(names.filter((name) => name.includes("/.skein/cold/"))).toEqual([])
    if (what === "compress" && Exit.isSuccess(done) && !happened) expect(forms).toEqual([`${path}.zst`])
    // And it goes on from there.
    yield* inProcess(world, ({ compressor, open }) =>
      Effect.gen(function* () {
        const driver = yield* open
        yield* Effect.flatMap(compressor, (opened) => opened.run())
        yield* Stores.append(driver, 1, [Stores.marked("c", "four")])
        expect(yield* Stores.texts(driver, 1)).toEqual([...found, "four"])
      })
    )
    return happened
  })

const faults: ReadonlyArray<readonly [string, SimulatedDisk.Fault, number]> = [
  ["an operation fails", { kind: "fail", reason: "io" }, 1],
  ["the disk is full", { kind: "fail", reason: "full" }, 1],
  ["an operation is done and says that it failed", { kind: "late" }, 1],
  ["the process is killed", { kind: "kill" }, 1],
  ["the power goes", { kind: "power" }, 2]
]

describe.each(["compress", "append"] as const)("76. at every operation of %s", (what) => {
  it.each(faults)(
    "%s",
    (_, fault, seeds) =>
      Stores.run(
        Effect.gen(function* () {
          for (let at = 1, isReached = true; isReached; at++) {
            isReached = false
            for (let seed = 1; seed <= seeds; seed++) {
              const reached = yield* through(what, fault, at, at * 31 + seed).pipe(
                Effect.catchAllCause((cause) =>
                  Effect.die(
                    new Error(`${JSON.stringify(fault)} at ${at}, seed ${at * 31 + seed}: ${Cause.pretty(cause)}`)
                  )
                )
              )
              isReached = isReached || reached
            }
            yield* Effect.promise(() => new Promise(setImmediate))
          }
        })
      ),
    120_000
  )
})
