/**
 * Crashes and faults at every step: what was acknowledged is there, once and in order; nothing is there in part (design
 * §8, promise 1). The disk is simulated; a run that fails says with which fault, operation and seed it can be repeated.
 */

import type { Driver } from "@skein/store/Driver"
import * as Positions from "@skein/store/Position"
import type { StoreError } from "@skein/store/StoreError"
import * as ThreadIndex from "@skein/store/ThreadIndex"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as SimulatedDisk from "@skein/testing/SimulatedDisk"
import { Cause, Effect, Exit } from "effect"
import { describe, expect, it } from "vitest"
import * as Home from "./Home.js"
import * as Stores from "./Stores.js"

/** What is to be seen of a home. */
interface State {
  /** By thread: the texts of its log. */
  readonly threads: Readonly<Record<number, ReadonlyArray<string>>>
  readonly archived: ReadonlyArray<number>
  readonly names: Readonly<Record<number, string>>
  readonly tenants: Readonly<Record<number, string>>
}

const empty: State = { threads: {}, archived: [], names: {}, tenants: {} }

/** A step, and what it makes of the home when it is done. */
interface Step {
  readonly name: string
  readonly run: (driver: Driver) => Effect.Effect<unknown, StoreError>
  readonly outcome: (state: State) => State
}

const lines =
  (n: number, texts: ReadonlyArray<string>) =>
  (state: State): State => ({
    ...state,
    threads: { ...state.threads, [n]: texts }
  })

const paginated = [Home.say("p1", 1), Home.say("p2", 2)]
const header = Home.document(Home.meta(1))
const behind = (...texts: ReadonlyArray<string>) => header.length + Home.document(...texts).length

const make = (n: number, ...texts: ReadonlyArray<string>): Step => ({
  name: `make ${n}`,
  run: (driver) =>
    driver.create(
      Stores.thread(
        n,
        texts.map((text) => Home.say(text))
      )
    ),
  outcome: lines(n, texts)
})

const makePaginated: Step = {
  name: "make paginated 1",
  run: (driver) =>
    driver.create(Stores.thread(1, paginated, { historyMode: "paginated", segment: { nextOrdinal: 3 } })),
  outcome: lines(1, ["p1", "p2"])
}

const append = (n: number, id: string, ...texts: ReadonlyArray<string>): Step => ({
  name: `append ${id}`,
  run: (driver) => Stores.append(driver, n, [Stores.marked(id, ...texts)]),
  outcome: (state) => lines(n, [...(state.threads[n] ?? []), ...texts])(state)
})

const named: Step = {
  name: "name and metadata at once",
  run: (driver) => driver.updateExplicit(Home.id(2), () => ({ name: "Named", metadata: { tenant: "t" } })),
  outcome: (state) => ({ ...state, names: { ...state.names, 2: "Named" }, tenants: { ...state.tenants, 2: "t" } })
}

const archive = (n: number): Step => ({
  name: `archive ${n}`,
  run: (driver) => driver.setArchived(Home.id(n), 1000),
  outcome: (state) => ({ ...state, archived: [...state.archived, n] })
})

const unarchive = (n: number): Step => ({
  name: `unarchive ${n}`,
  run: (driver) => driver.setArchived(Home.id(n), undefined),
  outcome: (state) => ({ ...state, archived: state.archived.filter((one) => one !== n) })
})

const remove = (n: number): Step => ({
  name: `delete ${n}`,
  run: (driver) => driver.remove(Home.id(n), "materialise"),
  outcome: ({ archived, names, tenants, threads }) => ({
    archived: archived.filter((one) => one !== n),
    names: without(names, n),
    tenants: without(tenants, n),
    threads: without(threads, n)
  })
})

const without = <A>(record: Readonly<Record<number, A>>, n: number): Readonly<Record<number, A>> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => Number(key) !== n))

const base = Positions.make(Home.id(1), behind(paginated[0] ?? ""))

const fork: Step = {
  name: "fork 1 as 3",
  run: (driver) =>
    driver.create(
      Stores.thread(3, [], {
        historyMode: "paginated",
        segment: {
          ...Stores.segment(3, [Home.meta(3, 2, { thread: 1, ordinal: 2, offset: base.offset }), Home.say("f", 3)]),
          base,
          nextOrdinal: 4
        }
      })
    ),
  outcome: lines(3, ["p1", "f"])
}

const revert: Step = {
  name: "revert 1",
  run: (driver) =>
    Effect.flatMap(driver.locate(Home.id(1)), ({ head }) =>
      driver.branch(
        Home.id(1),
        Stores.segment(7, [Home.meta(1, 2, { thread: 1, ordinal: 2, offset: base.offset }), Home.say("r", 3)], {
          base,
          nextOrdinal: 4
        }),
        { expected: head, fence: undefined }
      )
    ),
  outcome: lines(1, ["p1", "r"])
}

const steps: ReadonlyArray<Step> = [
  make(2, "a"),
  append(2, "b1", "b", "c", "d"),
  append(2, "b2", "e"),
  append(2, "b3", "f", "g"),
  named,
  makePaginated,
  fork,
  revert,
  append(1, "b4", "s", "t"),
  archive(1),
  unarchive(1),
  archive(2),
  remove(1),
  unarchive(2),
  append(2, "b5", "h", "i")
]

/** What a home is seen to be. Every file of a thread lies where the thread is. */
const seen = (driver: Driver): Effect.Effect<State, StoreError> =>
  Effect.gen(function* () {
    let state = empty
    for (const row of yield* Stores.rows(driver)) {
      const n = Number.parseInt(row.threadId.slice(-4), 16)
      const located = yield* driver.locate(row.threadId)
      expect(located.archivedAt).toBe(row.archivedAt)
      state = lines(n, yield* Stores.texts(driver, n))(state)
      if (row.archivedAt !== undefined) state = { ...state, archived: [...state.archived, n] }
      const { metadata, name } = row.explicit
      if (name !== undefined) state = { ...state, names: { ...state.names, [n]: name } }
      if (metadata !== undefined) state = { ...state, tenants: { ...state.tenants, [n]: metadata["tenant"] ?? "" } }
    }
    return state
  })

const isDead = (cause: Cause.Cause<unknown>): boolean =>
  [...Cause.defects(cause)].some((defect) => defect instanceof SimulatedDisk.Dead)

interface Run {
  readonly disk: SimulatedDisk.SimulatedDisk
  readonly alive: Set<number>
  pid: number
}

/** A store of a new process; what the one before it left is found as it is. */
const inProcess = <A, E>(run: Run, use: (driver: Driver) => Effect.Effect<A, E>, index?: ThreadIndex.Index) =>
  Effect.suspend(() => {
    run.alive.clear()
    run.alive.add(++run.pid)
    return Effect.flatMap(run.disk.setFaults(undefined), () =>
      Effect.scoped(
        Effect.flatMap(
          Stores.openOn(run.disk.process(`p${run.pid}`), run.pid, run.alive, index === undefined ? {} : { index }),
          use
        )
      )
    )
  })

/**
 * Does all steps with something going wrong at one operation. A step that fails is done once more. When the process dies
 * a new one looks: the home is as it was in front of the step, or as behind it, and goes on from there.
 */
const through = (fault: SimulatedDisk.Fault, at: number, seed: number): Effect.Effect<boolean, unknown> =>
  Effect.gen(function* () {
    const disk = yield* SimulatedDisk.make({ seed })
    const run: Run = { disk, alive: new Set(), pid: 0 }
    const index = yield* ThreadIndex.memory
    let state = empty
    let next = 0
    let happened = false
    const faults = SimulatedDisk.atOperation(at, fault)
    const go = (driver: Driver) =>
      Effect.gen(function* () {
        for (; next < steps.length; next++) {
          const step = steps[next] as Step
          const done = yield* Effect.exit(step.run(driver))
          if (Exit.isFailure(done)) {
            happened = true
            if (isDead(done.cause)) return yield* Effect.failCause(done.cause)
            // It said that it failed: then it is not there, and doing it once more does it once.
            yield* step.run(driver)
          }
          state = step.outcome(state)
        }
        yield* disk.setFaults(undefined)
        expect(yield* seen(driver)).toEqual(state)
      })
    const watched = (driver: Driver) =>
      Effect.flatMap(
        disk.setFaults((operation, number) => {
          const found = faults(operation, number)
          if (found !== undefined) happened = true
          return found
        }),
        () => go(driver)
      )
    const ended = yield* Effect.exit(inProcess(run, watched, index))
    if (Exit.isSuccess(ended)) return happened
    if (!isDead(ended.cause)) return yield* Effect.failCause(ended.cause)
    const behindStep = steps[next]?.outcome(state) ?? state
    // The index of before may know what was lost, or not know what is there: it is only believed for what it fits.
    const found = yield* inProcess(run, seen, index)
    expect([state, behindStep]).toContainEqual(found)
    expect(halves(yield* disk.files)).toEqual([])
    expect(yield* inProcess(run, seen)).toEqual(found)
    if (next < steps.length && JSON.stringify(sorted(found)) === JSON.stringify(sorted(behindStep))) next++
    state = found
    yield* inProcess(run, go, index)
    return true
  })

const sorted = ({ archived, names, tenants, threads }: State): unknown => [
  threads,
  [...archived].sort(),
  names,
  tenants
]

/** What was begun and not finished: threads with files on both sides of the archive, and intents. */
const halves = (files: ReadonlyMap<string, Uint8Array>): ReadonlyArray<string> => {
  const active = new Set<string>()
  const archived = new Set<string>()
  const intents: Array<string> = []
  for (const path of files.keys()) {
    const [, id] = /rollout-.{19}-([0-9a-f-]{36})[^/]*\.jsonl$/.exec(path) ?? []
    if (id !== undefined) (path.includes("/archived_sessions/") ? archived : active).add(id)
    if (path.includes("/intents/") && path.endsWith(".json")) intents.push(path)
  }
  return [...[...active].filter((id) => archived.has(id)), ...intents]
}

/** Every so many operations something goes wrong; `SKEIN_CRASH_EVERY=1` tries all of them. */
const stride = Number(process.env["SKEIN_CRASH_EVERY"] ?? 9)

/** Tries the operations that there are, from one on. */
const everywhere = (fault: SimulatedDisk.Fault, from: number, seeds: number): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    for (let at = 1 + (from % stride); ; at += stride) {
      let isReached = false
      for (let seed = 1; seed <= seeds; seed++) {
        const reached = yield* through(fault, at, at * 31 + seed).pipe(
          Effect.catchAllCause((cause) =>
            Effect.die(
              new Error(`${JSON.stringify(fault)} at operation ${at}, seed ${at * 31 + seed}: ${Cause.pretty(cause)}`)
            )
          )
        )
        isReached = isReached || reached
      }
      if (!isReached) return
      yield* Effect.promise(() => new Promise(setImmediate))
    }
  })

describe("70. at every operation of a life of threads", () => {
  it("nothing goes wrong", () => Stores.run(through({ kind: "fail", reason: "io" }, 1_000_000, 1)))

  const faults: ReadonlyArray<readonly [string, SimulatedDisk.Fault, number]> = [
    ["an operation fails", { kind: "fail", reason: "io" }, 1],
    ["the disk is full", { kind: "fail", reason: "full" }, 1],
    ["a write ends short", { kind: "short", bytes: 7 }, 1],
    ["an operation is done and says that it failed", { kind: "late" }, 1],
    ["the process is killed", { kind: "kill" }, 1],
    ["the power goes", { kind: "power" }, 3]
  ]

  it.each(faults)("%s", (name, fault, seeds) => Stores.run(everywhere(fault, name.length, seeds)), 300_000)
})

describe("13, 53, 54. at every operation of reading and listing", () => {
  it(
    "an answer is right or there is none, and nothing is written",
    () =>
      Stores.run(
        Effect.gen(function* () {
          const disk = yield* SimulatedDisk.make()
          const run: Run = { disk, alive: new Set(), pid: 0 }
          let state = empty
          yield* inProcess(run, (driver) =>
            Effect.forEach(steps.slice(0, 12), (step) => {
              state = step.outcome(state)
              return step.run(driver)
            })
          )
          const files = yield* disk.files
          for (let at = 1, isReached = true; isReached; at++) {
            isReached = false
            const faults = SimulatedDisk.atOperation(at, { kind: "fail", reason: at % 2 === 0 ? "io" : "permission" })
            yield* inProcess(run, (driver) =>
              Effect.gen(function* () {
                yield* disk.setFaults((operation, number) => {
                  const found = faults(operation, number)
                  isReached = isReached || found !== undefined
                  return found
                })
                const first = yield* Effect.either(seen(driver))
                yield* disk.setFaults(undefined)
                // A fault that hits one file may hide it until the next look, but nothing is there that was not written.
                if (first._tag === "Right") {
                  for (const [n, texts] of Object.entries(first.right.threads)) {
                    if (texts.length > 0) expect(texts).toEqual(state.threads[Number(n)])
                  }
                }
                expect(yield* seen(driver)).toEqual(state)
              })
            )
          }
          expect(yield* disk.files).toEqual(files)
        })
      ),
    60_000
  )
})

describe("a home that may not be written to", () => {
  it("is read as ever, and says of every change why it cannot be made", () =>
    Stores.run(
      Effect.gen(function* () {
        const disk = yield* SimulatedDisk.make()
        const run: Run = { disk, alive: new Set(), pid: 0 }
        let state = empty
        yield* inProcess(run, (driver) =>
          Effect.forEach(steps.slice(0, 12), (step) => {
            state = step.outcome(state)
            return step.run(driver)
          })
        )
        const files = yield* disk.files
        const changes = new Set([
          "write",
          "writeFile",
          "makeDirectory",
          "link",
          "rename",
          "remove",
          "ftruncate",
          "utimes"
        ])
        yield* inProcess(run, (driver) =>
          Effect.gen(function* () {
            yield* disk.setFaults(({ method }) =>
              changes.has(method) ? { kind: "fail", reason: "permission" } : undefined
            )
            expect(yield* seen(driver)).toEqual(state)
            const all: ReadonlyArray<Effect.Effect<unknown, StoreError>> = [
              ...steps.slice(1, 3).map((step) => step.run(driver)),
              driver.create(Stores.thread(9)),
              driver.updateExplicit(Home.id(2), () => ({ memoryMode: "disabled" })),
              driver.setArchived(Home.id(3), 1),
              driver.remove(Home.id(3), "materialise"),
              driver.lease({ threadId: Home.id(2), name: "x", time: 1000 })
            ]
            for (const change of all) {
              const error = yield* Stores.failure(change)
              expect(error).toMatchObject({ _tag: "StoreUnavailable", retryable: false })
            }
            yield* disk.setFaults(undefined)
          })
        )
        const kept = [...(yield* disk.files)].filter(([path]) => !path.endsWith(".free") && !path.endsWith(".tmp"))
        const before = [...files].filter(([path]) => !path.endsWith(".free") && !path.endsWith(".tmp"))
        expect(new Map(kept)).toEqual(new Map(before))
      })
    ))
})

it("53. a file that may not be read hides no other from a list, nor do those that stand on it", () =>
  Stores.run(
    Effect.gen(function* () {
      const disk = yield* SimulatedDisk.make()
      const run: Run = { disk, alive: new Set(), pid: 0 }
      yield* inProcess(run, (driver) => Effect.forEach([make(2, "a"), makePaginated, fork], (step) => step.run(driver)))
      yield* inProcess(run, (driver) =>
        Effect.scoped(
          Effect.gen(function* () {
            const store = yield* ThreadStore.make(driver)
            yield* disk.setFaults(({ method, path }) =>
              method === "open" && path.includes(Home.id(1)) ? { kind: "fail", reason: "permission" } : undefined
            )
            const page = yield* store.summaries({ hidden: true })
            expect(page.items.map(({ id }) => id).sort()).toEqual([1, 2, 3].map(Home.id))
            expect(yield* Stores.codes(driver, 3)).toEqual(["missing-base"])
            yield* disk.setFaults(undefined)
            expect((yield* driver.lagging()).map(({ threadId }) => threadId)).toContain(Home.id(3))
          })
        )
      )
    })
  ))
