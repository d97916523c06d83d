import { Effect } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Case from "./Case.js"
import { equal, fails, holds } from "./Check.js"
import { stalled, untilTaken } from "./Clocks.js"
import * as Look from "./Look.js"

const { say } = Look
const id = Drafts.id(1)
const header = Drafts.header()

export const cases = Case.group("Lifecycle", [
  Case.test(
    "14",
    "while one instance writes, the other waits; then it goes on behind it",
    ({ second, store }) =>
      Effect.gen(function* () {
        yield* store.create(header, [say("1")])
        const other = yield* second
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { fence } = yield* store.lease(id, { name: "A" })
            const error = yield* fails(Effect.scoped(other.lease(id)), "LeaseHeld", "a lease for B")
            holds(error.holder.name.includes("A"), "the error to say who holds it", error.holder)
            yield* fails(other.append(id, [say("x")]), "LeaseHeld", "an append of B")
            yield* store.append(id, [say("2")], { fence })
          })
        )
        const { fence } = yield* other.lease(id, { name: "B" })
        yield* other.append(id, [say("3")], { fence })
        yield* fails(store.append(id, [say("x")]), "LeaseHeld", "an append of A while B holds it")
        equal(yield* Look.said(store, id), ["1", "2", "3"], "both, in order")
      }),
    ["second"]
  ),
  Case.test(
    "14.expiry",
    "a writer that stands still loses its lease when its time is over, and not before; its late append is refused",
    ({ second, store }) =>
      Effect.gen(function* () {
        const { position } = yield* store.create(header, [say("1")])
        const other = yield* second
        const time = 150
        const taken = Date.now()
        const still = yield* stalled(store.lease(id, { time, name: "A" }))
        const { fence } = yield* untilTaken(other, id)
        holds(Date.now() >= taken + time, "the lease to last its time")
        holds(fence > still.fence, "fences to grow")
        yield* other.append(id, [say("2")], { fence })
        const late = { fence: still.fence, expected: position }
        yield* fails(store.append(id, [say("late")], late), "LeaseHeld", "the late append of A")
        yield* fails(store.append(id, [say("late")], { fence: still.fence }), "LeaseHeld", "another one")
        equal(yield* Look.said(other, id), ["1", "2"], "only what the new holder wrote")
      }),
    ["second"]
  ),
  Case.test(
    "lease.1",
    "a lease is for those who ask right; each one has a greater fence than the one before",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(header)
        for (const time of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
          yield* fails(Effect.scoped(store.lease(id, { time })), "InvalidRequest", `a lease of ${time} ms`)
        }
        const odd = { time: "ten parsecs" } as unknown as { readonly time: number }
        yield* fails(Effect.scoped(store.lease(id, odd)), "InvalidRequest", "a lease of no time")
        const first = yield* Effect.scoped(store.lease(id))
        const second = yield* Effect.scoped(store.lease(id.toUpperCase()))
        holds(second.fence > first.fence, "fences to grow", [first.fence, second.fence])
        equal(second.threadId, id, "the id as it is stored")
      })
  ),
  Case.test("lease.2", "a lease is prolonged for as long as its scope lasts", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header)
      const time = 400
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { fence } = yield* store.lease(id, { time })
          const until = Date.now() + time * 1.6
          while (Date.now() < until) {
            yield* fails(Effect.scoped(store.lease(id)), "LeaseHeld", "somebody else's lease")
            yield* Effect.sleep(time / 10)
          }
          yield* store.append(id, [say("1")], { fence })
        })
      )
      yield* Effect.scoped(store.lease(id))
    })
  ),
  Case.test(
    "lease.3",
    "a lease that cannot be prolonged is lost, and its holder is told",
    ({ faults, store }) =>
      Effect.gen(function* () {
        const failing = yield* faults
        yield* store.create(header)
        const lease = yield* store.lease(id, { time: 120 })
        yield* failing.fail({ operations: ["renew"], times: Number.POSITIVE_INFINITY })
        const why = yield* lease.lost
        equal(why._tag, "StoreUnavailable", "the reason")
        yield* failing.stop
        const next = yield* untilTaken(store, id)
        holds(next.fence > lease.fence, "the next fence to be greater")
      }),
    ["faults"]
  ),
  Case.test("lease.4", "metadata, archiving and deletion need no lease", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header, [say("1")])
      yield* store.lease(id)
      yield* store.updateSummary(id, { name: "a name" })
      yield* store.archive(id)
      yield* store.unarchive(id)
      yield* store.delete(id)
      yield* fails(store.head(id), "ThreadNotFound", "the head of what was deleted")
    })
  )
])
