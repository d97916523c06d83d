/**
 * A state as a client follows it: once as it is, then as RFC 6902 patches, and as it is again wherever a patch would tell
 * more than the state (a rollback, a compaction, a log that goes on elsewhere).
 *
 * A patch is checked before it is told: applied to what was told last it has to give the folded state, else the state
 * itself is told. Changes that come while a client is slow are told as one.
 */

import type { Json } from "@skein/core/json/Json"
import * as MergePatch from "@skein/core/json/MergePatch"
import jsonpatch from "fast-json-patch"

/** One operation of a patch. */
export type Operation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly path: string; readonly from: string }

/** What a client is told of a state. `value` is the state behind it; for those who are in this process. */
export type Change<A> =
  | { readonly _tag: "Snapshot"; readonly value: A }
  | { readonly _tag: "Patch"; readonly patch: ReadonlyArray<Operation>; readonly value: A }

/** The change from one state to the next; undefined when nothing changed. */
export type Difference<A> = (before: A, after: A) => Change<A> | undefined

/**
 * The change between two states that are JSON as a whole. Cost: one visit of what differs, and a copy of the state for
 * the check.
 */
export const ofValue = <A>(before: A, after: A): Change<A> | undefined => {
  if (before === after) return undefined
  const patch = checked("", before, after)
  if (patch === undefined) return { _tag: "Snapshot", value: after }
  return patch.length === 0 ? undefined : { _tag: "Patch", patch, value: after }
}

/**
 * The change between two lists whose unchanged elements are the same objects. Cost: one pass over the list, and the
 * elements that differ.
 */
export const ofList = <E>(before: ReadonlyArray<E>, after: ReadonlyArray<E>): Change<ReadonlyArray<E>> | undefined => {
  if (before === after) return undefined
  if (after.length < before.length) return { _tag: "Snapshot", value: after }
  const patch: Array<Operation> = []
  for (const [i, value] of after.entries()) {
    if (i >= before.length) patch.push({ op: "add", path: `/${i}`, value })
    else if (before[i] !== value) {
      const part = checked(`/${i}`, before[i], value)
      if (part === undefined) return { _tag: "Snapshot", value: after }
      patch.push(...part)
    }
  }
  return patch.length === 0 ? undefined : { _tag: "Patch", patch, value: after }
}

/** The patch from one value to another below a path; undefined when it would not give the other. */
const checked = (path: string, before: unknown, after: unknown): ReadonlyArray<Operation> | undefined => {
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)) return undefined
  const patch = jsonpatch.compare(before, after) as ReadonlyArray<Operation>
  const given = applied(before, patch)
  if (given === undefined || !MergePatch.deepEqual(given as Json, after as Json)) return undefined
  return path === "" ? patch : patch.map((one) => below(path, one))
}

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null

const below = (path: string, one: Operation): Operation =>
  "from" in one ? { ...one, path: path + one.path, from: path + one.from } : { ...one, path: path + one.path }

/**
 * A value with a patch applied; the value itself stays as it is. Undefined for a patch that does not fit it, or that
 * reaches for a prototype. Cost: a copy of the value.
 */
export const applied = <A>(value: A, patch: ReadonlyArray<Operation>): A | undefined => {
  try {
    return jsonpatch.applyPatch(value, patch as Array<never>, true, false, true).newDocument
  } catch {
    return undefined
  }
}

/** What a client has behind a change. Undefined: the patch does not fit what it had, so it has to ask anew. */
export const follow = <A>(before: A, change: Change<A>): A | undefined =>
  change._tag === "Snapshot" ? change.value : applied(before, change.patch)
