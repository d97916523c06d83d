/** The lanes of a store's threads, and who gives back what they hold without need. */
import { Effect, type Scope } from "effect"
import type { Home } from "./Home.js"
import type { Lane, Tools } from "./Lane.js"
import * as LaneOf from "./Lane.js"
import * as Lease from "./Lease.js"
import type { Standings } from "./Standing.js"

/** The lanes of a store. */
export interface Lanes {
  readonly of: (threadId: string) => Lane
  readonly tools: Tools
  /** Does something to a thread alone; see {@link LaneOf.alone}. */
  readonly alone: <A, E>(threadId: string, effect: (lane: Lane) => Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** Gives back a lease that is only kept in case that it is needed again. */
  readonly yields: (threadId: string) => Effect.Effect<void>
  /** Closes every file and gives every lease back. */
  readonly close: Effect.Effect<void>
}

/** Milliseconds between two looks at leases that linger. */
const interval = 25
/** Milliseconds without use after which a lease is given back. */
const idle = 20
/** Files that stay open at most. */
const most = 128

export const make = (home: Home, standings: Standings, scope: Scope.Scope): Lanes => {
  const lanes = new Map<string, Lane>()
  const lingering = new Set<Lane>()
  let isTended = false

  const tend = Effect.gen(function* () {
    while (lingering.size > 0) {
      yield* Effect.sleep(interval)
      for (const lane of [...lingering]) yield* tendOne(lane)
    }
    isTended = false
  })

  const tendOne = (lane: Lane): Effect.Effect<void> =>
    Effect.gen(function* () {
      if (lane.brief === undefined) {
        lingering.delete(lane)
        return
      }
      const isIdle = home.clock.unsafeCurrentTimeMillis() - lane.usedAt >= idle
      const isWanted = !isIdle && (yield* Lease.isWanted(home.leases, lane.threadId))
      if (isWanted) lane.wantedBy = "process"
      if (isIdle || isWanted) yield* free(lane)
    })

  /** Gives a lease back unless it is in use; then whoever uses it does so. */
  const free = (lane: Lane): Effect.Effect<void> =>
    Effect.asVoid(lane.lock.withPermitsIfAvailable(1)(Effect.uninterruptible(LaneOf.giveBack(tools, lane))))

  const tools: Tools = {
    home,
    standings,
    linger: (lane) =>
      Effect.suspend(() => {
        lingering.add(lane)
        if (isTended) return Effect.void
        isTended = true
        return Effect.asVoid(Effect.forkIn(Effect.interruptible(tend), scope))
      })
  }

  /** Closes files that were not used for the longest time. */
  const closeSome: Effect.Effect<void> = Effect.suspend(() => {
    if (lanes.size < most) return Effect.void
    const unused = [...lanes.values()]
      .filter(({ brief, debris, kept }) => brief === undefined && kept === undefined && debris === undefined)
      .sort((left, right) => left.usedAt - right.usedAt)
      .slice(0, lanes.size - most / 2)
    return Effect.forEach(
      unused,
      (lane) =>
        lane.lock.withPermitsIfAvailable(1)(
          Effect.suspend(() => {
            lanes.delete(lane.threadId)
            return LaneOf.close(lane)
          })
        ),
      { discard: true }
    )
  })

  const of = (threadId: string): Lane => {
    const known = lanes.get(threadId)
    if (known !== undefined) return known
    const made = LaneOf.make(threadId)
    lanes.set(threadId, made)
    return made
  }

  return {
    of,
    tools,
    alone: (threadId, effect) =>
      Effect.suspend(() => {
        const done = Effect.suspend(() => {
          const lane = of(threadId)
          return LaneOf.alone(tools, lane)(Effect.suspend(() => effect(lane)))
        })
        // Before the lane is made: nothing tells a new one, whose lease is still to come, from one out of use.
        return !lanes.has(threadId) && lanes.size >= most ? Effect.zipRight(closeSome, done) : done
      }),
    yields: (threadId) =>
      Effect.suspend(() => {
        const lane = lanes.get(threadId)
        if (lane?.brief === undefined) return Effect.void
        lane.wantedBy ??= "store"
        return free(lane)
      }),
    close: Effect.suspend(() =>
      Effect.forEach(
        [...lanes.values()],
        (lane) =>
          Effect.gen(function* () {
            yield* LaneOf.close(lane)
            yield* LaneOf.giveBack(tools, lane)
            const { kept } = lane
            lane.kept = undefined
            if (kept !== undefined && home.machine.isShared) yield* Effect.ignore(Lease.release(home.leases, kept))
          }),
        { discard: true }
      )
    )
  }
}
