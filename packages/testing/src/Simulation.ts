/**
 * A simulation of a store that lives on files: random commands from several processes at once, while processes are
 * killed, stopped and started again, the power goes, the clock jumps, and operations fail. After everything that
 * happens, what is seen is held against what was acknowledged.
 *
 * What is promised (design §8): every acknowledged record is there once and in order; nothing of a batch is there without
 * the rest of it; what was said of a thread explicitly is kept; lists agree with logs; what was refused did not happen.
 *
 * All of it follows from a seed: the same seed is the same run, step by step.
 */
import type { Driver } from "@skein/store/Driver"
import * as ThreadStore from "@skein/store/ThreadStore"
import { Cause, Effect, Exit } from "effect"
import * as Disks from "./internal/Disk.js"
import * as Commands from "./internal/simulation/Commands.js"
import * as Look from "./internal/simulation/Look.js"
import * as SimulatedDisk from "./SimulatedDisk.js"
import * as SimulatedMachine from "./SimulatedMachine.js"

/** A host over the store that takes part, such as one of an engine. */
export type Host = Commands.Host
/** An error of a host. */
export type Failure = Commands.Failure

/** What is simulated: what every process of a run opens. Made anew for each run, so it may share things among processes. */
export interface Subject {
  /** The driver of one process, for as long as its scope lasts. */
  readonly driver: Effect.Effect<Driver, unknown, SimulatedMachine.Environment>
  readonly host?:
    | ((store: ThreadStore.ThreadStoreService) => Effect.Effect<Host, never, SimulatedMachine.Environment>)
    | undefined
  /** What is wrong with what lies on the disk, in words, once a store was opened and nobody does anything. */
  readonly inspect?: Effect.Effect<ReadonlyArray<string>, unknown, SimulatedMachine.Environment> | undefined
}

/** A run. */
export interface Options {
  readonly seed: number
  /** Commands and mishaps in all. */
  readonly steps: number
  /** Default 3. */
  readonly processes?: number | undefined
  /** Of how many steps one is a mishap and not a command. Default 6. */
  readonly mishaps?: number | undefined
  readonly subject: () => Subject
  /** Steps that are left out: what {@link shrink} makes a failure smaller with. */
  readonly without?: ReadonlySet<number> | undefined
  /** Told of what happens, in words: for looking at a failure. */
  readonly tell?: ((text: string) => void) | undefined
  /** Told of every operation on a file. */
  readonly watch?: SimulatedMachine.Options["watch"]
}

/** What a run came to. */
export interface Report {
  readonly seed: number
  readonly steps: number
  /** Operations on files. */
  readonly operations: number
  /** Processes that were killed, and losses of power. */
  readonly crashes: number
  /** How often a command was refused, by the tag of its error. */
  readonly refusals: ReadonlyMap<string, number>
  /** Two runs that have it in common were the same. */
  readonly trace: number
  /** Undefined: every promise was kept. */
  readonly failure: { readonly step: number; readonly reason: string } | undefined
}

/** A place for a process: when one dies another one takes it. */
interface Slot {
  readonly name: string
  process: SimulatedMachine.Process
  context: Omit<Commands.Context, "chance"> | undefined
  busy: number
  /** Turns since something of it ended. */
  idle: number
}

type Mishap = SimulatedDisk.Fault | { readonly kind: "suspend"; readonly milliseconds: number }

/** Something that happens at a later operation of a process. */
interface Armed {
  readonly slot: Slot
  left: number
  readonly mishap: Mishap
}

/** Turns without an end after which something hangs. */
const patience = 400_000

/** The seed of a part of a run. */
const mix = (seed: number, part: number): number =>
  (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(part + 1, 0x85ebca6b)) | 0

/** Runs a simulation to its end, or to the first promise that is broken. Everything in it is done at once, without waiting. */
export const run = (options: Options): Report => {
  const { mishaps = 6, seed, steps, without = new Set() } = options
  const drawn = Disks.random(mix(seed, -2))
  const machine = SimulatedMachine.make({
    seed,
    pace: [0.2, 2, 2, 40][drawn.below(4)],
    stickiness: [0, 0.5, 0.95][drawn.below(3)],
    watch: options.watch
  })
  const subject = options.subject()
  const world: Commands.World = { threads: new Map(), refusals: new Map(), batches: 0 }
  let time = 0
  const tick = (): number => ++time
  let crashes = 0
  let isTorn = false
  let failure: Report["failure"]
  let step = 0
  let armed: Array<Armed> = []
  /** Who was killed in the operation that was just done; everybody: the power went. */
  let struck: Slot | "all" | undefined

  const tell = (text: string): void => {
    options.tell?.(`${step} (operation ${machine.operations()}, ${new Date(machine.now()).toISOString()}) ${text}`)
  }
  const fail = (reason: string): void => {
    tell(`broken: ${reason}`)
    failure ??= { step, reason }
  }

  /** What a command ended with that it may not end with; what its error was does not matter. */
  const judge = (what: string, exit: Exit.Exit<unknown, unknown>, strict: boolean): void => {
    if (Exit.isSuccess(exit)) return
    const defects = [...Cause.defects(exit.cause)]
    // Nobody hears the answer of a process that died, whatever else went wrong with it on the way.
    if (defects.some((defect) => defect instanceof SimulatedDisk.Dead)) return
    for (const defect of defects) {
      fail(defect instanceof Look.Broken ? defect.message : `${what}: ${Cause.pretty(exit.cause)}`)
      return
    }
    if (strict) fail(`${what}: ${Cause.pretty(exit.cause)}`)
  }

  const slots: Array<Slot> = []

  const faults: SimulatedDisk.Faults = ({ method, path, process }) => {
    for (const one of armed) {
      if (`${one.slot.name}-${one.slot.process.pid}` !== process || --one.left > 0) continue
      armed = armed.filter((other) => other !== one)
      const { mishap } = one
      tell(`${process}: ${JSON.stringify(mishap)} in ${method} ${path}`)
      if (mishap.kind === "suspend") {
        machine.suspend(one.slot.process, mishap.milliseconds)
        return undefined
      }
      if (mishap.kind === "power" || mishap.kind === "short") isTorn = true
      if (mishap.kind === "kill") struck = one.slot
      if (mishap.kind === "power") struck = "all"
      return mishap
    }
    return undefined
  }
  machine.setFaults(faults)

  const open = (name: string, process: SimulatedMachine.Process) =>
    Effect.gen(function* () {
      const driver = yield* subject.driver
      const store = yield* ThreadStore.make(driver)
      const host = subject.host === undefined ? undefined : yield* subject.host(store)
      return {
        driver,
        store,
        host,
        tick,
        world,
        isTorn: () => isTorn,
        isAlive: process.isAlive,
        tell: (text: string) => tell(`${name}-${process.pid}: ${text}`)
      }
    }).pipe(Effect.withSpan(name))

  /** Lets a new process take a place; the first thing that it does is to look at everything. */
  const enter = (slot: Slot): void => {
    const process = machine.start(slot.name)
    slot.process = process
    slot.context = undefined
    slot.busy = 1
    slot.idle = 0
    const opened = Effect.gen(function* () {
      const context = yield* open(slot.name, process)
      yield* Look.all(context, tick, world.threads.values())
      return context
    })
    process.run(opened, (exit) => {
      tell(
        `${slot.name}-${process.pid}: ${Exit.isSuccess(exit) ? "is open" : `cannot open: ${Cause.pretty(exit.cause)}`}`
      )
      if (slot.process !== process || !process.isAlive()) return
      slot.busy = 0
      judge("opening a store", exit, false)
      if (Exit.isSuccess(exit)) slot.context = exit.value
      // It failed since an operation was made to fail.
      else if (failure === undefined) restart(slot)
    })
  }

  const restart = (slot: Slot): void => {
    machine.kill(slot.process)
    enter(slot)
  }

  const reap = (): void => {
    const who = struck
    if (who === undefined) return
    struck = undefined
    crashes++
    if (who === "all") {
      machine.losePower()
      alone()
      for (const slot of slots) enter(slot)
    } else restart(who)
  }

  const turn = (): boolean => {
    if (failure !== undefined) return false
    for (const slot of slots) {
      if (slot.busy > 0 && !slot.process.isSuspended() && ++slot.idle > patience) fail(`${slot.name} hangs`)
    }
    const isOn = machine.turn()
    reap()
    return isOn && failure === undefined
  }

  /** A process looks at everything while there is no other. */
  const alone = (): void => {
    const spared = armed
    armed = []
    for (const pass of ["first", "second"]) {
      const process = machine.start(`look-${pass}`)
      let isDone = false
      const looked = Effect.gen(function* () {
        const context = yield* open("look", process)
        yield* Look.quietly(context, tick, world.threads.values())
        const wrong = subject.inspect === undefined ? [] : yield* subject.inspect
        if (wrong.length > 0) yield* Look.broken(`what is left over: ${wrong.join("; ")}`)
      })
      process.run(looked, (exit) => {
        isDone = true
        judge("looking at everything", exit, true)
      })
      for (let left = patience; !isDone && failure === undefined; left--) {
        if (left === 0 || !machine.turn()) {
          fail(`looking at everything hangs`)
        }
      }
      machine.close(process, () => undefined)
      for (let left = patience; process.isAlive() && failure === undefined; left--) {
        if (left === 0 || !machine.turn()) fail("closing a store hangs")
      }
    }
    armed = spared.filter(({ mishap }) => mishap.kind !== "kill")
  }

  /** Closes every store, waits until nobody does anything, and looks. */
  const settle = (): void => {
    armed = []
    while (slots.some(({ busy }) => busy > 0) && turn());
    for (const { process } of slots) machine.close(process, () => undefined)
    for (let left = patience; slots.some(({ process }) => process.isAlive()) && failure === undefined; left--) {
      if (left === 0 || !machine.turn()) fail("closing a store hangs")
    }
    if (failure === undefined) alone()
  }

  const isFree = (slot: Slot): boolean => slot.context !== undefined && slot.busy < 2 && !slot.process.isSuspended()

  const command = (slot: Slot, chance: Disks.Random): void => {
    const { context, process } = slot
    if (context === undefined) return
    slot.busy++
    slot.idle = 0
    const drawn = Commands.draw(chance, world, tick)
    process.run(
      Effect.suspend(() => drawn({ ...context, chance })),
      (exit) => {
        if (slot.process !== process || !process.isAlive()) return
        slot.busy--
        slot.idle = 0
        judge("a command", exit, false)
      }
    )
  }

  const mishap = (slot: Slot, chance: Disks.Random): void => {
    const arm = (what: Mishap): void => {
      armed.push({ slot, left: 1 + chance.below(chance.below(2) === 0 ? 12 : 60), mishap: what })
    }
    const kind = chance.below(20)
    if (kind < 7) arm({ kind: "kill" })
    else if (kind < 10) arm({ kind: "power" })
    else if (kind < 14) arm({ kind: "suspend", milliseconds: 200 + chance.below(12_000) })
    else if (kind < 15) machine.jump(chance.below(20_000) - 6000)
    else if (kind < 16) arm({ kind: "fail", reason: chance.below(2) === 0 ? "io" : "full" })
    else if (kind < 17) arm({ kind: "short", bytes: chance.below(200) })
    else if (kind < 18) arm({ kind: "late" })
    else {
      // A process that ends in order, and another one in its place.
      const { process } = slot
      tell(`${slot.name}-${process.pid}: closes`)
      slot.context = undefined
      slot.busy++
      machine.close(process, () => {
        if (slot.process === process && failure === undefined) enter(slot)
      })
    }
  }

  for (let i = 0; i < (options.processes ?? 3); i++) {
    const slot: Slot = { name: `p${i}`, process: machine.start("none"), context: undefined, busy: 0, idle: 0 }
    slots.push(slot)
    enter(slot)
  }

  for (let i = 0; i < steps && failure === undefined; i++) {
    step = i
    if (without.has(i)) continue
    const chance = Disks.random(mix(seed, i))
    while (!slots.some(isFree) && turn());
    const free = slots.filter(isFree)
    const slot = free[chance.below(free.length)]
    if (slot === undefined) {
      fail("nobody can go on")
      break
    }
    if (chance.below(mishaps) === 0) mishap(slot, chance)
    else command(slot, chance)
    for (let turns = chance.below(30); turns > 0 && turn(); turns--);
  }
  if (failure === undefined) {
    step = steps
    settle()
  }
  return {
    seed,
    steps: Math.min(steps, step + 1),
    operations: machine.operations(),
    crashes,
    refusals: world.refusals,
    trace: machine.trace(),
    failure
  }
}

/** A failed run with as few steps as a search of so many tries finds. */
export const shrink = (options: Options, tries = 200): Options & { readonly without: ReadonlySet<number> } => {
  const first = run(options).failure
  let without: ReadonlySet<number> = new Set(options.without)
  if (first === undefined) return { ...options, without }
  let steps = Math.min(options.steps, first.step + 1)
  let left = tries
  const kept = (): ReadonlyArray<number> => Array.from({ length: steps }, (_, i) => i).filter((i) => !without.has(i))
  for (let size = Math.ceil(steps / 2); size >= 1 && left > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    const all = kept()
    for (let at = all.length; at > 0 && left > 0; at -= size, left--) {
      const next = new Set([...without, ...all.slice(Math.max(0, at - size), at)])
      const { failure } = run({ ...options, steps, without: next })
      if (failure === undefined) continue
      without = next
      steps = Math.min(steps, failure.step + 1)
    }
  }
  return { ...options, steps, without: new Set([...without].filter((one) => one < steps)) }
}
