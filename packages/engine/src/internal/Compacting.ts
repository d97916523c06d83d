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
import type { Live } from "./Live.js"
import * as Opening from "./Opening.js"
import type { Batch, Facts } from "./Plan.js"

/** A compaction. */
export interface Command {
  readonly variant: Compaction.Variant
  readonly phase: Compaction.Trigger["phase"]
  readonly world?: AnyWorld | undefined
  readonly settings?: Settings | undefined
  readonly startedAtMs?: number | undefined
}

/** Adds a compaction to the turn that runs. */
export const add = (batch: Batch, live: Live, command: Command, at: Facts): Decision<void> =>
  Either.gen(function* () {
    const { phase, startedAtMs, variant } = command
    const { registry } = live.options
    const state = batch.state()
    const context = live.context(state)
    const fresh = yield* freshContext(live, batch, command)
    batch.add(
      yield* Compaction.compact(
        { variant, phase, itemId: Drafts.freshId(at, 1), startedAtMs, context: fresh },
        { turn: state.turn, window: state.window, usage: state.usage, context, registry },
        at
      )
    )
    checkpoint(batch, at)
  })

/** Adds what a reader who comes from the end has to know of what lies in front of a compaction. */
export const checkpoint = (batch: Batch, at: Facts): void => {
  const found = Checkpoint.of(batch.state())
  if (found !== undefined) batch.add([Drafts.own(at, Checkpoint.kind, found)])
}

/** What a turn that goes on is told anew; undefined for a compaction that nothing follows in its turn. */
const freshContext = (
  live: Live,
  batch: Batch,
  { phase, settings, variant, world }: Command
): Decision<Compaction.FreshContext | undefined> =>
  Either.gen(function* () {
    const tokenBudget = variant.kind === "token_budget"
    if (phase !== "mid_turn" && !tokenBudget) return undefined
    const state = batch.state()
    const sections = world === undefined ? [] : yield* Opening.sectionsOf(world)
    const { registry } = live.options
    const { items, update } = yield* World.look(
      { sections, at: { at: "compaction", phase, tokenBudget } },
      { context: live.context(state), registry }
    )
    const turnId = state.turn.active?.id
    const all = settings === undefined ? undefined : { ...Opening.sticky(state), ...Opening.said(settings) }
    const recorded =
      all?.model === undefined || turnId === undefined
        ? undefined
        : yield* TurnSettings.of(all as TurnSettings.Settings, turnId)
    return { items, world: world === undefined ? undefined : update, settings: recorded }
  })

/** Adds a compaction as a turn of its own. */
export const alone = (
  batch: Batch,
  live: Live,
  command: Command & { readonly onActive?: "refuse" | "replace" | undefined },
  at: Facts
): Decision<void> =>
  Either.gen(function* () {
    const { onActive } = command
    batch.add(yield* TurnLifecycle.start({ turnId: at.turnId, kind: "compact", onActive }, batch.state(), at))
    yield* add(batch, live, command, at)
    batch.add(yield* TurnLifecycle.complete({}, batch.state(), at))
  })
