/** Leases that a caller keeps until it gives them back. */
import type { HeldLease, LeaseRequest } from "@skein/store/Driver"
import { LeaseHeld, type StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import type { Lane, Tools } from "./Lane.js"
import { acquire, alone, alwaysOurs, holderOf } from "./Lane.js"
import * as Lease from "./Lease.js"

/** A lease for a caller that keeps it; see `Driver.lease`. */
export const take = (
  tools: Tools,
  lane: Lane,
  { name, threadId, time }: LeaseRequest
): Effect.Effect<HeldLease, LeaseHeld | StoreUnavailable> =>
  Effect.gen(function* () {
    const { clock, leases, machine } = tools.home
    const { kept } = lane
    if (kept !== undefined && clock.unsafeCurrentTimeMillis() < kept.expiresAt) {
      return yield* Effect.fail(new LeaseHeld({ threadId, holder: holderOf(kept) }))
    }
    const held = machine.isShared
      ? yield* acquire(tools, lane, "kept", name, time)
      : { ...alwaysOurs(lane), fence: lane.lastFence + 1, kind: "kept" as const, name, expiresAt: 0 }
    if (!machine.isShared) {
      held.expiresAt = clock.unsafeCurrentTimeMillis() + time
      lane.lastFence = held.fence
      lane.kept = held
    }
    const exclusively = alone(tools, lane)
    const lost = Effect.flatMap(
      Effect.suspend(() =>
        lane.kept === undefined ? Lease.holder(leases, threadId) : Effect.succeed(holderOf(lane.kept))
      ),
      (holder) => Effect.fail(new LeaseHeld({ threadId, holder }))
    )
    return {
      fence: held.fence,
      expiresAt: held.expiresAt,
      renew: exclusively(
        Effect.suspend((): Effect.Effect<number, LeaseHeld | StoreUnavailable> => {
          if (lane.kept !== held) return lost
          if (machine.isShared) return Lease.renew(leases, held, time)
          held.expiresAt = clock.unsafeCurrentTimeMillis() + time
          return Effect.succeed(held.expiresAt)
        })
      ),
      release: exclusively(
        Effect.suspend(() => {
          if (lane.kept !== held) return Effect.void
          lane.kept = undefined
          return machine.isShared ? Lease.release(leases, held) : Effect.void
        })
      )
    }
  })
