/**
 * What the model has been told about its world: for each section an id and the JSON needed to decide what it must be
 * told next (replay-semantics §2).
 *
 * The log holds full states and merge patches. The *baseline* is what they add up to, and it is gone wherever history
 * was replaced. What a change reads like to the model is the host's business; this module says what each section may
 * take as told before, and what to write.
 */

import type { Json, JsonObject } from "../json/Json.js"
import { isObject } from "../json/Json.js"
import * as MergePatch from "../json/MergePatch.js"

/** Section id to the snapshot of that section, sections unknown to this host among them. */
export type Snapshot = JsonObject

/** What the model was told last, or `undefined` if the log does not say. */
export type Baseline = Snapshot | undefined

/** What a `world_state` record says: the whole state, or a patch to the one before. */
export interface Payload {
  readonly full: boolean
  readonly state: unknown
}

/** The records that move the baseline. A stored record of these kinds is one as it is. */
export type Entry = { readonly kind: "compacted" } | { readonly kind: "world_state"; readonly payload: Payload }

/**
 * What was wrong with a record: a full state that is no object, a patch with no baseline to apply it to, or a patch
 * that makes something else than an object of the baseline.
 */
export type Warning = "not-an-object" | "patch-without-baseline" | "result-not-object"

/** The baseline behind a record, and what was wrong with that record. */
export interface Step {
  readonly baseline: Baseline
  readonly warning: Warning | undefined
}

/**
 * The baseline behind `entry`, given the one in front of it (replay-semantics §2.5). Entries come in the order of the
 * log and must have survived every rollback. Cost: the size of a patch; constant otherwise.
 */
export const step = (baseline: Baseline, entry: Entry): Step => {
  if (entry.kind === "compacted") return { baseline: undefined, warning: undefined }
  const { full, state } = entry.payload
  if (full) {
    return isObject(state) ? { baseline: state, warning: undefined } : { baseline: undefined, warning: "not-an-object" }
  }
  if (baseline === undefined) return { baseline: undefined, warning: "patch-without-baseline" }
  const result = MergePatch.apply(baseline, state as Json)
  return isObject(result)
    ? { baseline: result, warning: undefined }
    : { baseline: undefined, warning: "result-not-object" }
}

/**
 * The baseline behind all of `entries`, which are as in {@link step}; `onWarning` is told what was wrong with the entry
 * at an index. Cost: the sum of the patches.
 */
export const replay = (
  entries: Iterable<Entry>,
  onWarning?: ((warning: Warning, index: number) => void) | undefined
): Baseline => {
  let baseline: Baseline
  let index = 0
  for (const entry of entries) {
    const next = step(baseline, entry)
    baseline = next.baseline
    if (next.warning !== undefined) onWarning?.(next.warning, index)
    index++
  }
  return baseline
}

/** A snapshot of all sections, and the ids of those that were left out because they were `null` as a whole. */
export interface Capture {
  readonly snapshot: Snapshot
  readonly dropped: ReadonlyArray<string>
}

/**
 * The snapshot of these sections in a form that patches can express: without `null` in objects (replay-semantics
 * §2.2). Throws if two sections have one id, which is a mistake of the program and not of its data (§2.1).
 */
export const capture = (sections: Iterable<readonly [id: string, value: Json]>): Capture => {
  const kept = new Map<string, Json>()
  const dropped: Array<string> = []
  const seen = new Set<string>()
  for (const [id, value] of sections) {
    if (seen.has(id)) throw new Error(`Two sections of the world state have the id ${JSON.stringify(id)}`)
    seen.add(id)
    if (value === null) dropped.push(id)
    else kept.set(id, MergePatch.stripNulls(value))
  }
  return { snapshot: Object.fromEntries(kept), dropped }
}

/**
 * When the world is looked at: at the start of a turn, with or without a reference context; at a later sampling step of
 * it; or at a compaction of some phase, which is one by token budget or not.
 */
export type Moment =
  | { readonly at: "turn"; readonly reference: boolean }
  | { readonly at: "step" }
  | {
      readonly at: "compaction"
      readonly phase: "pre_turn" | "mid_turn" | "standalone_turn"
      readonly tokenBudget: boolean
    }

/**
 * What a moment asks for.
 * - `Nothing`: neither text nor record.
 * - `Full`: the text of every section, as if none had been told before, and a full record.
 * - `Inspect`: what was told is seen in history only, not what it said; then a full record.
 * - `Change`: the text of what differs from `baseline`, and a patch. With `recheck`, history may have lost text that
 *   the baseline counts as told.
 */
export type Plan = { readonly _tag: "Nothing" } | Rendering

/** A plan under which sections are rendered. */
export type Rendering =
  | { readonly _tag: "Full" }
  | { readonly _tag: "Inspect" }
  | { readonly _tag: "Change"; readonly baseline: Snapshot; readonly recheck: boolean }

/** What `moment` asks for when `baseline` was told last: the table of replay-semantics §2.4. */
export const plan = (moment: Moment, baseline: Baseline): Plan => {
  switch (moment.at) {
    case "turn":
      if (!moment.reference) return { _tag: "Full" }
      return baseline === undefined ? { _tag: "Inspect" } : { _tag: "Change", baseline, recheck: true }
    case "step":
      return baseline === undefined ? { _tag: "Inspect" } : { _tag: "Change", baseline, recheck: false }
    case "compaction":
      return moment.phase === "mid_turn" || moment.tokenBudget ? { _tag: "Full" } : { _tag: "Nothing" }
  }
}

/** What this module needs to know of a section of the host. */
export interface Section {
  /** Unique, and stable for as long as logs are kept. */
  readonly id: string
  /** Whether a stored value can be read as a snapshot of this section; any value can if this is missing. */
  readonly decodes?: ((value: Json) => boolean) | undefined
  /** Whether the section declares a retained matcher, so that a turn's start looks for its text in history again. */
  readonly retained?: boolean | undefined
}

/** What a section may take as told to the model: a value, nothing, or something that cannot be said any more. */
export type Previous =
  | { readonly _tag: "Known"; readonly value: Json }
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Unknown" }

/**
 * What `section` may take as told before. `inHistory` says whether history holds a fragment of its kind; it matters
 * under `Inspect`, and under a `Change` with `recheck` for a section with a retained matcher: text that is no longer
 * there counts as never told, whether or not the stored value can still be read (replay-semantics §2.4).
 */
export const previous = (rendering: Rendering, section: Section, inHistory: boolean): Previous => {
  if (rendering._tag === "Full") return { _tag: "Absent" }
  if (rendering._tag === "Inspect") return { _tag: inHistory ? "Unknown" : "Absent" }
  if (!Object.hasOwn(rendering.baseline, section.id)) return { _tag: "Absent" }
  if (rendering.recheck && section.retained === true && !inHistory) return { _tag: "Absent" }
  const value = rendering.baseline[section.id] as Json
  return section.decodes?.(value) === false ? { _tag: "Unknown" } : { _tag: "Known", value }
}

/**
 * The `world_state` record to write for `current`, a snapshot of all sections, or `undefined` for none. A section that
 * is in the baseline and no longer in `current` is deleted by the patch. The record goes behind the model-visible items
 * and in front of `turn_context`; once it is appended, {@link step} gives the next baseline (replay-semantics §2.4).
 */
export const update = (plan: Plan, current: Snapshot): WritablePayload | undefined => {
  if (plan._tag === "Nothing") return undefined
  // A null in an object would read back as a deletion, and the next update would write it again.
  const state = MergePatch.stripNulls(current)
  if (plan._tag !== "Change") return { full: true, state }
  const patch = MergePatch.diff(plan.baseline, state)
  return isObject(patch) ? { full: false, state: patch } : undefined
}

/** What a `world_state` record written here says; `state` is never an empty patch. */
export interface WritablePayload {
  readonly full: boolean
  readonly state: JsonObject
}
