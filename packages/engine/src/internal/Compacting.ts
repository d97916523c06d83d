/** Compactions: within a turn, or as turns of their own. A checkpoint stands behind each, for who reads from the end. */
import * as Compaction from "@skein/core/decide/Compaction"
import type { Decision } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import * as TurnLifecycle from "@skein/core/decide/TurnLifecycle"
import * as TurnSettings from "@skein/core/decide/TurnSettings"
import * as World from "@skein/core/decide/World"
import * as Checkpoint from "@skein/core/fold/Checkpoint"
import { Either } from "effect"
import type { World as AnyWorld, TurnSettings as Settings } from "../Turn.js"
import type { Facts } from "./Facts.js"
import type { Live } from "./Live.js"
import * as Opening from "./Opening.js"
import type { Step } from "./Plan.js"
import type { State } from "./State.js"

/** A compaction. */
export interface Command {
  readonly variant: Compaction.Variant
  readonly phase: Compaction.Trigger["phase"]
  readonly world?: AnyWorld | undefined
  readonly settings?: Settings | undefined
  readonly startedAtMs?: number | undefined
}

/** A compaction of the turn that runs. */
export const steps = (live: Live, command: Command, at: Facts): ReadonlyArray<Step> => [
  (state) => {
    const { phase, startedAtMs, variant } = command
    const { registry } = live.options
    return Either.flatMap(freshContext(live, state, command), (context) =>
      Compaction.compact(
        { variant, phase, itemId: Drafts.freshId(at, "compaction"), startedAtMs, context },
        { turn: state.turn, window: state.window, usage: state.usage, context: live.context(state), registry },
        at
      )
    )
  },
  checkpoint(at)
]

/** What a reader who comes from the end has to know of what lies in front of a compaction. */
export const checkpoint =
  (at: Facts): Step =>
  (state) => {
    const found = Checkpoint.of(state)
    return Either.right(found === undefined ? [] : [Drafts.own(at, Checkpoint.kind, found)])
  }

/** What a turn that goes on is told anew; undefined for a compaction that nothing follows in its turn. */
const freshContext = (
  live: Live,
  state: State,
  { phase, settings, variant, world }: Command
): Decision<Compaction.FreshContext | undefined> =>
  Either.gen(function* () {
    const tokenBudget = variant.kind === "token_budget"
    if (phase !== "mid_turn" && !tokenBudget) return undefined
    const sections = world === undefined ? [] : yield* Opening.sectionsOf(world)
    const { registry } = live.options
    const { items, update } = yield* World.look(
      { sections, at: { at: "compaction", phase, tokenBudget } },
      { context: live.glance(state), registry }
    )
    const { active } = state.turn
    const all = settings === undefined ? undefined : { ...Opening.sticky(state), ...Opening.said(settings) }
    const recorded =
      all?.model === undefined || active === undefined
        ? undefined
        : yield* TurnSettings.of(all as TurnSettings.Settings, active)
    return { items, world: world === undefined ? undefined : update, settings: recorded }
  })

/** A compaction as a turn of its own. */
export const alone = (
  live: Live,
  command: Command & { readonly onActive?: "refuse" | "replace" | undefined },
  at: Facts
): ReadonlyArray<Step> => [
  (state) => TurnLifecycle.start({ turnId: at.turnId, kind: "compact", onActive: command.onActive }, state, at),
  ...steps(live, command, at),
  (state) => TurnLifecycle.complete({}, state, at)
]
