/**
 * A machine on which simulated processes run: one disk, one clock, one scheduler, and a seed from which everything follows.
 *
 * A process stops in front of every operation on a file and whenever it sleeps. The machine decides whose turn is next,
 * so that each seed is another interleaving and the same seed the same one. Time passes only here: an operation takes a
 * little, and when everybody sleeps the clock goes on to whoever wakes first. No wall clock, no real randomness.
 *
 * What does not go through the file system, the clock, `Random`, `IdGenerator` and `Machine` of its process, such as a
 * promise of a library, is nothing that a simulated process may wait for.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { IdGenerator } from "@skein/store/IdGenerator"
import * as Machine from "@skein/store/Machine"
import { Clock, Context, Duration, Effect, Exit, type Fiber, FiberId, Logger, LogLevel, Random, Scope } from "effect"
import * as Disks from "./internal/Disk.js"
import * as SimulatedDisk from "./SimulatedDisk.js"

/** What a process is given. */
export type Environment = FileSystem.FileSystem | Path.Path | Scope.Scope

/** How a machine is made. */
export interface Options {
  readonly seed: number
  /** Milliseconds that an operation on a file takes at most. Default 2. */
  readonly pace?: number | undefined
  /** From 0 to 1: how often the process that just ran runs on, if it can. Default 0.3. */
  readonly stickiness?: number | undefined
  /** What the clock says first, in milliseconds since 1970. Default: 2031. */
  readonly epoch?: number | undefined
  /** Told of every operation on a file when its turn has come. */
  readonly watch?: ((operation: SimulatedDisk.Operation) => void) | undefined
}

/** A process of a machine. */
export interface Process {
  readonly pid: number
  readonly name: string
  readonly isAlive: () => boolean
  readonly isSuspended: () => boolean
  /**
   * Runs something in it; `ended` is told how it ended, unless the process is killed first: then it died with
   * `SimulatedDisk.Dead`. The scope is that of the process and closes with {@link SimulatedMachine.close}.
   */
  readonly run: <A, E>(effect: Effect.Effect<A, E, Environment>, ended: (exit: Exit.Exit<A, E>) => void) => void
}

/** A machine. Everything is done by {@link SimulatedMachine.turn}, in the order that the seed gives. */
export interface SimulatedMachine {
  readonly disk: SimulatedDisk.SimulatedDisk
  /** A new process. */
  readonly start: (name: string) => Process
  /** Ends a process where it is. What it wrote is there. */
  readonly kill: (process: Process) => void
  /** Closes the scope of a process, and then ends it; `closed` is told when that is done. */
  readonly close: (process: Process, closed: () => void) => void
  /** Ends all processes and keeps of what was not synced what chance leaves. The next process is one of another boot. */
  readonly losePower: () => void
  /** Lets a process do nothing for so many milliseconds, wherever it is. */
  readonly suspend: (process: Process, milliseconds: number) => void
  /** Sets the clock forward, or back, without waking anybody. */
  readonly jump: (milliseconds: number) => void
  /** What goes wrong from now on; told before it happens. Replaces what was set before. */
  readonly setFaults: (faults: SimulatedDisk.Faults | undefined) => void
  /** Lets one thing happen. False: nobody can go on, and no time would change that. */
  readonly turn: () => boolean
  /** What the clock says. */
  readonly now: () => number
  /** How many operations on files there were. */
  readonly operations: () => number
  /** A number that two runs share only if the same happened in the same order. */
  readonly trace: () => number
}

interface State extends Process {
  readonly disk: SimulatedDisk.Process
  readonly scope: Scope.CloseableScope
  readonly fibers: Set<Fiber.RuntimeFiber<unknown, unknown>>
  isDead: boolean
  suspendedUntil: number
}

interface Waiting {
  readonly process: State
  readonly wake: () => void
}

interface Sleeping extends Waiting {
  readonly at: number
}

const paths = Effect.runSync(Effect.provide(Path.Path, Path.layer))

/** A machine with an empty disk on which nobody runs. */
export const make = (options: Options): SimulatedMachine => {
  const { epoch = Date.UTC(2031, 0, 15, 12), pace = 2, seed, stickiness = 0.3 } = options
  const chance = Disks.random(seed * 7 + 3)
  const tasks: Array<() => void> = []
  let task = 0
  const waiting: Array<Waiting> = []
  const sleeping: Array<Sleeping> = []
  const processes = new Map<string, State>()
  const alive = new Map<number, State>()
  const byHand = Random.make(seed)
  let passed = 0
  let shift = 0
  let lastPid = 100
  let boot = 1
  let lastId = 0
  let trace = seed | 0
  let last: State | undefined
  let operations = 0

  const note = (text: string): void => {
    for (let i = 0; i < text.length; i++) trace = (Math.imul(trace, 31) + text.charCodeAt(i)) | 0
  }

  const disk = Effect.runSync(
    SimulatedDisk.make({
      seed,
      before: ({ method, path, process }) =>
        Effect.async<void>((resume) => {
          const state = processes.get(process)
          if (state === undefined || state.isDead) return resume(Effect.void)
          operations++
          waiting.push({
            process: state,
            wake: () => {
              note(`${process}${method}${path}`)
              options.watch?.({ method, path, process })
              resume(Effect.void)
            }
          })
        })
    })
  )

  const scheduler = {
    scheduleTask: (task: () => void): void => {
      tasks.push(task)
    },
    shouldYield: (fiber: Fiber.RuntimeFiber<unknown, unknown>): number | false =>
      (fiber as unknown as { readonly currentOpCount: number }).currentOpCount > 2048 ? 0 : false
  }

  /** Runs everything that can be run without an operation or the clock. What runs may ask for it itself. */
  const drain = (): void => {
    while (task < tasks.length) tasks[task++]?.()
    tasks.length = 0
    task = 0
  }

  const clockOf = (process: State): Clock.Clock => {
    const millis = (): number => Math.floor(epoch + passed + shift)
    const nanos = (): bigint => BigInt(Math.floor(passed * 1e6))
    return {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: millis,
      currentTimeMillis: Effect.sync(millis),
      unsafeCurrentTimeNanos: nanos,
      currentTimeNanos: Effect.sync(nanos),
      sleep: (duration) =>
        Effect.async<void>((resume) => {
          const one: Sleeping = {
            process,
            at: passed + Duration.toMillis(duration),
            wake: () => resume(Effect.void)
          }
          if (process.isDead) return resume(Effect.die(new SimulatedDisk.Dead(`process ${process.name} is dead`)))
          sleeping.push(one)
          return Effect.sync(() => {
            const at = sleeping.indexOf(one)
            if (at >= 0) sleeping.splice(at, 1)
          })
        })
    }
  }

  const nextId = Effect.sync(() => {
    const hex = (value: number, digits: number): string =>
      Math.floor(value).toString(16).padStart(digits, "0").slice(-digits)
    const time = hex(epoch + passed + shift, 12)
    const random = hex(chance.below(2 ** 12), 3)
    return `${time.slice(0, 8)}-${time.slice(8)}-7${random}-8${hex(chance.below(2 ** 12), 3)}-${hex(++lastId, 12)}`
  })

  const knowledgeOf = (pid: number): Machine.Knowledge => ({
    self: { host: "simulated", boot: String(boot), space: "", pid, start: String(pid) },
    isShared: true,
    isGone: (other) =>
      other.host === "simulated" && (other.boot !== String(boot) || alive.get(other.pid)?.isDead !== false),
    elapsed: () => passed
  })

  const start = (name: string): Process => {
    const pid = ++lastPid
    const onDisk = disk.process(`${name}-${pid}`)
    const scope = Effect.runSync(Scope.make())
    const state: State = {
      pid,
      name,
      disk: onDisk,
      scope,
      fibers: new Set(),
      isDead: false,
      suspendedUntil: 0,
      isAlive: () => !state.isDead,
      isSuspended: () => state.suspendedUntil > passed,
      run: (effect, ended) => fork(state, effect, ended)
    }
    const context = Context.empty().pipe(
      Context.add(FileSystem.FileSystem, onDisk.fileSystem),
      Context.add(Path.Path, paths),
      Context.add(Scope.Scope, scope),
      Context.add(Machine.Machine, knowledgeOf(pid)),
      Context.add(IdGenerator, { next: nextId })
    )
    const clock = clockOf(state)
    const fork = <A, E>(
      one: State,
      effect: Effect.Effect<A, E, Environment>,
      ended: (exit: Exit.Exit<A, E>) => void
    ): void => {
      const within = effect.pipe(
        Effect.provide(context),
        Effect.withClock(clock),
        Effect.withRandom(byHand),
        Effect.withTracerEnabled(false),
        Logger.withMinimumLogLevel(LogLevel.None)
      )
      const fiber = Effect.runFork(within, { scheduler })
      one.fibers.add(fiber)
      fiber.addObserver((exit) => {
        one.fibers.delete(fiber)
        ended(exit)
      })
    }
    processes.set(onDisk.name, state)
    alive.set(pid, state)
    return state
  }

  const ended = (process: State): void => {
    process.isDead = true
    Effect.runSync(process.disk.kill)
    alive.delete(process.pid)
    processes.delete(process.disk.name)
    // Everything that it still tries dies at once, and what it held in memory goes with it.
    for (let i = waiting.length - 1; i >= 0; i--) {
      const one = waiting[i]
      if (one?.process === process) {
        waiting.splice(i, 1)
        tasks.push(one.wake)
      }
    }
    for (let i = sleeping.length - 1; i >= 0; i--) if (sleeping[i]?.process === process) sleeping.splice(i, 1)
    for (const fiber of process.fibers) fiber.unsafeInterruptAsFork(FiberId.none)
    Effect.runFork(Effect.exit(Scope.close(process.scope, Exit.void)), { scheduler })
  }

  const stateOf = (process: Process): State => process as State

  /** Wakes those whose time has come. */
  const wakeDue = (): boolean => {
    let found: Sleeping | undefined
    for (const one of sleeping) {
      if (one.process.isSuspended() || one.at > passed) continue
      if (found === undefined || one.at < found.at) found = one
    }
    if (found === undefined) return false
    sleeping.splice(sleeping.indexOf(found), 1)
    last = found.process
    found.wake()
    return true
  }

  const runOne = (): boolean => {
    let ready = waiting.filter(({ process }) => !process.isSuspended())
    if (ready.length === 0) return false
    const own = ready.filter(({ process }) => process === last)
    if (own.length > 0 && chance.next() < stickiness) ready = own
    const one = ready[chance.below(ready.length)]
    if (one === undefined) return false
    waiting.splice(waiting.indexOf(one), 1)
    last = one.process
    passed += chance.next() * pace
    one.wake()
    return true
  }

  /** Lets time pass until somebody can go on. */
  const goOn = (): boolean => {
    let next = Number.POSITIVE_INFINITY
    for (const { at, process } of sleeping) next = Math.min(next, Math.max(at, process.suspendedUntil))
    for (const { process } of waiting) next = Math.min(next, process.suspendedUntil)
    if (next === Number.POSITIVE_INFINITY) {
      // Nobody has begun anything: who is stopped may have to be waited for before anybody can.
      for (const { suspendedUntil } of alive.values())
        if (suspendedUntil > passed) next = Math.min(next, suspendedUntil)
    }
    if (next === Number.POSITIVE_INFINITY) return false
    passed = Math.max(passed, next)
    return true
  }

  return {
    disk,
    start,
    kill: (process) => {
      if (stateOf(process).isDead) return
      ended(stateOf(process))
      drain()
    },
    close: (process, closed) => {
      const state = stateOf(process)
      if (state.isDead) return closed()
      Effect.runFork(Effect.exit(Scope.close(state.scope, Exit.void)), { scheduler }).addObserver(() => {
        if (!state.isDead) ended(state)
        closed()
      })
    },
    losePower: () => {
      Effect.runSync(disk.losePower)
      boot++
      for (const process of [...alive.values()]) ended(process)
      drain()
    },
    suspend: (process, milliseconds) => {
      stateOf(process).suspendedUntil = passed + milliseconds
    },
    jump: (milliseconds) => {
      shift += milliseconds
    },
    setFaults: (faults) => Effect.runSync(disk.setFaults(faults)),
    turn: () => {
      if (tasks.length > 0) {
        drain()
        return true
      }
      const isOn = wakeDue() || runOne() || goOn()
      drain()
      return isOn
    },
    now: () => Math.floor(epoch + passed + shift),
    operations: () => operations,
    trace: () => trace
  }
}
