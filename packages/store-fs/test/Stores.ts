/** Drivers over real and simulated file systems, and what tests do with them. */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import * as Derived from "@skein/store/Derived"
import type { AppendRequest, Batch, Driver, NewSegment, NewThread } from "@skein/store/Driver"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as LineSource from "@skein/store/LineSource"
import * as Machine from "@skein/store/Machine"
import type { Position } from "@skein/store/Position"
import type { StoreError } from "@skein/store/StoreError"
import type * as SimulatedDisk from "@skein/testing/SimulatedDisk"
import { Effect, Either, Layer, Logger, LogLevel, type Scope } from "effect"
import * as FsDriver from "../src/FsDriver.js"
import * as Home from "./Home.js"

/** A driver over a home on the real disk, as fast as it gets. */
export const open = (
  home: string,
  options: Partial<FsDriver.Options> & { readonly looks?: "always" | "never" } = {}
): Effect.Effect<Driver, StoreError, Scope.Scope> => {
  const { looks, ...rest } = options
  const made = FsDriver.make({ home, durability: "os", ...rest }).pipe(Effect.provide(NodeContext.layer))
  if (looks === undefined) return made
  // Whether a look at a file is old enough for another one when it is written to.
  let elapsed = 0
  const knowledge = {
    ...Machine.node(),
    elapsed: () => {
      if (looks === "always") elapsed += 10
      return elapsed
    }
  }
  return Effect.provideService(made, Machine.Machine, knowledge)
}

/** Runs something with a driver over a home. */
export const withDriver = <A, E>(
  home: string,
  use: (driver: Driver) => Effect.Effect<A, E, Scope.Scope>,
  options: Parameters<typeof open>[1] = {}
): Promise<A> => run(Effect.scoped(Effect.flatMap(open(home, options), use)))

/** Runs an effect; what it logs is nobody's business here. */
export const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(Logger.withMinimumLogLevel(effect, LogLevel.None))

/** What the machine tells a process of a simulated disk; the numbers of processes that have ended are taken out. */
export const machine = (pid: number, alive: ReadonlySet<number>, options: { readonly checks?: boolean } = {}) => {
  let elapsed = 0
  const knowledge: Machine.Knowledge = {
    self: { host: "test", boot: "1", space: "", pid, start: String(pid) },
    isShared: true,
    isGone: (other) => other.host === "test" && !alive.has(other.pid),
    elapsed: () => {
      if (options.checks !== false) elapsed += 10
      return elapsed
    }
  }
  return Layer.succeed(Machine.Machine, knowledge)
}

/** The home of simulated disks. */
export const simulated = "/home"

/** A driver of a process of a simulated disk. */
export const openOn = (
  process: SimulatedDisk.Process,
  pid: number,
  alive: ReadonlySet<number>,
  options: Partial<FsDriver.Options> & { readonly checks?: boolean } = {}
): Effect.Effect<Driver, StoreError, Scope.Scope> => {
  const { checks, ...rest } = options
  return FsDriver.make({ home: simulated, ...rest }).pipe(
    Effect.provide(Layer.mergeAll(process.layer, Path.layer)),
    Effect.provide(machine(pid, alive, checks === undefined ? {} : { checks }))
  )
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A batch of lines. */
export const batch =
  (...lines: ReadonlyArray<string>): Batch =>
  () =>
    Either.right({ lines: lines.map(bytes), derive: (before) => before })

/** A batch that says of each line which batch it is part of, as the typed store has it. */
export const marked = (id: string, ...texts: ReadonlyArray<string>): Batch =>
  batch(...texts.map((text, i) => mark(Home.say(text), id, i, texts.length)))

/** A line with the mark of a batch. */
export const mark = (line: string, id: string, index: number, count: number): string =>
  JSON.stringify({ ...(JSON.parse(line) as object), skein: { v: 1, b: [id, index, count] } })

export const request = (
  thread: number,
  batches: ReadonlyArray<Batch>,
  options: Partial<Omit<AppendRequest, "threadId" | "batches">> = {}
): AppendRequest => ({ threadId: Home.id(thread), expected: "any", fence: undefined, batches, ...options })

/** Appends lines; gives where they end. */
export const append = (
  driver: Driver,
  thread: number,
  batches: ReadonlyArray<Batch>,
  options: Partial<Omit<AppendRequest, "threadId" | "batches">> = {}
) => Effect.map(driver.append(request(thread, batches, options)), (ends) => ends.at(-1) as Position)

/** 2026-07-20T10:00:00 where the tests run. */
export const madeAt = new Date(2026, 6, 20, 10, 0, 0).getTime()

export const segment = (id: number, lines: ReadonlyArray<string>, more: Partial<NewSegment> = {}): NewSegment => ({
  segmentId: Home.id(id),
  base: undefined,
  content: LineSource.ofLines(lines.map(bytes)),
  nextOrdinal: undefined,
  madeAt,
  ...more
})

/** A new thread of these lines behind a header. */
export const thread = (
  n: number,
  lines: ReadonlyArray<string> = [],
  more: Partial<Omit<NewThread, "segment">> & { readonly segment?: Partial<NewSegment> } = {}
): NewThread => {
  const { historyMode = "legacy", segment: parts, ...rest } = more
  const header = historyMode === "legacy" ? Home.legacyMeta(n) : Home.meta(n)
  return {
    threadId: Home.id(n),
    historyMode,
    derived: undefined,
    explicit: {},
    archivedAt: undefined,
    ...rest,
    segment: segment(n, [header, ...lines], parts)
  }
}

/** What a thread's log says: the texts of its messages in order. */
export const texts = (driver: Driver, n: number): Effect.Effect<ReadonlyArray<string>, StoreError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* driver.open(Home.id(n))
      const found: Array<string> = []
      yield* EffectiveLog.forward(log, (decoded) => {
        if (decoded.kind === "response_item" && decoded.payload.type === "message") {
          for (const part of decoded.payload.content) if ("text" in part) found.push(part.text)
        }
        return true
      })
      return found
    })
  )

/** The codes of what was noticed about a thread. */
export const codes = (driver: Driver, n: number): Effect.Effect<ReadonlyArray<string>, StoreError> =>
  Effect.scoped(Effect.map(driver.open(Home.id(n)), ({ diagnostics }) => diagnostics.map(({ code }) => code)))

/** Folds what is behind, as the typed store does before a list. */
export const catchUp = (driver: Driver): Effect.Effect<number, StoreError> =>
  Effect.gen(function* () {
    const lagging = yield* driver.lagging()
    for (const { from, threadId } of lagging) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const log = yield* driver.open(threadId)
          const rest = from === undefined ? undefined : EffectiveLog.after(log, from.reached)
          let state = rest === undefined || from === undefined ? Derived.empty : from.derived
          yield* EffectiveLog.forward(rest ?? log, (decoded) => {
            if (EffectiveLog.isRecord(decoded)) state = Derived.fold.step(state, decoded)
            return true
          })
          yield* driver.putDerived(threadId, state, EffectiveLog.end(log))
        })
      )
    }
    return lagging.length
  })

export const everything: Parameters<Driver["rows"]>[0] = {
  limit: 1000,
  sortKey: "createdAt",
  direction: "asc",
  after: undefined,
  sources: undefined,
  modelProviders: undefined,
  unnamedProvider: true,
  cwds: undefined,
  archived: "any",
  searchTerm: undefined,
  relation: undefined,
  metadata: {},
  hidden: true
}

/** Every row once all are caught up with. */
export const rows = (driver: Driver) => Effect.zipRight(catchUp(driver), driver.rows(everything))

/** The tag of the error that an effect fails with; fails itself when the effect succeeds. */
export const failure = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, never, R> =>
  Effect.flip(effect).pipe(Effect.orDieWith((value) => new Error(`it did not fail: ${JSON.stringify(value)}`)))

export { FileSystem }
