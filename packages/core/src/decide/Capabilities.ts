/**
 * Which capability roots a step of the model can use (replay-semantics §7).
 *
 * A thread's selection is durable and names places in environments; whether they can be reached is asked at each step,
 * against environments that were captured once for it. A step uses the handles that it captured, whatever the registry
 * holds by then. Leaving a root out never changes the selection.
 */
import type { CapabilityRoot } from "../record/SessionMeta.js"

/** How an environment was found when a step captured it. */
export type Captured<H> = { readonly status: "ready"; readonly handle: H } | { readonly status: "starting" }

/** How the registry of all environments has one. */
export type Registered<H> =
  | { readonly status: "ready"; readonly handle: H }
  | { readonly status: "failed" }
  | { readonly status: "starting" }
  | { readonly status: "not_started" }

/** The environments of a step. One that failed is not among them. */
export type Capture<H> = ReadonlyMap<string, Captured<H>>

/**
 * The environments that a turn selected, as a step captures them: in the order of the selection, with those that have
 * come up since. The turn fixes which there are; a step only finds more of them ready.
 */
export const capture = <H>(
  selected: ReadonlyArray<string>,
  registry: ReadonlyMap<string, Registered<H>>
): Capture<H> => {
  const captured = new Map<string, Captured<H>>()
  for (const id of selected) {
    const found = registry.get(id)
    if (found?.status === "ready") captured.set(id, { status: "ready", handle: found.handle })
    else if (found?.status === "starting" || found?.status === "not_started") captured.set(id, { status: "starting" })
  }
  return captured
}

/** A root with the handle through which a step reaches it. */
export interface Usable<H> {
  readonly root: CapabilityRoot
  readonly handle: H
}

/** A root that a step goes without, and why. */
export interface Omitted {
  readonly root: CapabilityRoot
  readonly reason: "starting" | "missing" | "failed"
}

/** What a step can use. */
export interface Resolution<H> {
  /** In the order of the selection. */
  readonly usable: ReadonlyArray<Usable<H>>
  readonly omitted: ReadonlyArray<Omitted>
  /** Environments to start, each once; a later step may find them ready. None when nothing is to be started. */
  readonly start: ReadonlyArray<string>
}

/** What else there is to say. */
export interface Options {
  /** Only look: nothing is started, and what is missing or failed is for the caller to warn of. */
  readonly passive?: boolean | undefined
  /** Environments that were asked to start before. */
  readonly asked?: ReadonlySet<string> | undefined
}

/**
 * The roots that a step can use: the table of replay-semantics §7. Cost: constant per root.
 */
export const resolve = <H>(
  roots: ReadonlyArray<CapabilityRoot>,
  step: Capture<H>,
  registry: ReadonlyMap<string, Registered<H>>,
  options: Options = {}
): Resolution<H> => {
  const usable: Array<Usable<H>> = []
  const omitted: Array<Omitted> = []
  const start = new Set<string>()
  for (const root of roots) {
    const id = root.location.environmentId
    const captured = step.get(id)
    // The registry is not asked about what the step captured: it may hold another executor by now.
    if (captured?.status === "ready") usable.push({ root, handle: captured.handle })
    else if (captured !== undefined) omitted.push({ root, reason: "starting" })
    else {
      const found = registry.get(id)
      if (found?.status === "ready") usable.push({ root, handle: found.handle })
      else if (found === undefined) omitted.push({ root, reason: "missing" })
      else if (found.status === "failed") omitted.push({ root, reason: "failed" })
      else {
        omitted.push({ root, reason: "starting" })
        if (options.passive !== true && options.asked?.has(id) !== true) start.add(id)
      }
    }
  }
  return { usable, omitted, start: [...start] }
}

/** How many roots that environments advertise themselves count at most. */
export const maxAdvertised = 256

/**
 * The thread's roots and, behind them, those that ready environments advertise (the later rule of §7). Of equal ids the
 * first place stands.
 */
export const withAdvertised = (
  selected: ReadonlyArray<CapabilityRoot>,
  advertised: ReadonlyArray<CapabilityRoot>
): ReadonlyArray<CapabilityRoot> => {
  const seen = new Set(selected.map(({ id }) => id))
  const more: Array<CapabilityRoot> = []
  for (const root of advertised.slice(0, maxAdvertised)) {
    if (seen.has(root.id)) continue
    seen.add(root.id)
    more.push(root)
  }
  return [...selected, ...more]
}
