/** What a command may take as new: a moment, and ids that were never there before. */
import * as Drafts from "@skein/core/decide/Draft"
import { IdGenerator } from "@skein/store/IdGenerator"
import { Clock, Context, Effect } from "effect"

/** A moment and ids. Each id is the same whenever it is asked for. */
export interface Facts {
  /** Milliseconds since 1970. */
  readonly now: number
  /** A UUID from which others are derived. */
  readonly fresh: string
  readonly turnId: string
  /** The id of a window that begins. */
  readonly windowId: string
  /** The id of the window that is open, where the log has none. */
  readonly oldWindowId: string
}

/** The facts of this moment. Cost: one new id; the others are derived when they are asked for. */
export const now: Effect.Effect<Facts> = Effect.withFiberRuntime((fiber) => {
  const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
  const { next } = Context.get(fiber.currentContext, IdGenerator)
  return Effect.map(next, (fresh) => of(clock.unsafeCurrentTimeMillis(), fresh))
})

const of = (now: number, fresh: string): Facts => {
  const facts = { now, fresh }
  return {
    ...facts,
    get turnId() {
      return derived(facts, "turn")
    },
    get windowId() {
      return derived(facts, "window")
    },
    get oldWindowId() {
      return derived(facts, "open window")
    }
  }
}

/** A UUIDv7 with the moment of the fresh one, and with bits that follow from all of it. */
const derived = (facts: Drafts.Facts, name: string): string =>
  `${facts.fresh.slice(0, 13)}-7${Drafts.freshId(facts, name).slice(15)}`
