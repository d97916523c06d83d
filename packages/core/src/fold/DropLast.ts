/**
 * Rollback of a history by items (replay-semantics §1.4).
 */
import type { ResponseItem } from "../record/ResponseItem.js"
import * as Boundary from "./Boundary.js"
import * as Fragment from "./Fragment.js"

/**
 * The history without its last `n` user turns: everything from the `n`-th instruction boundary from the end goes, with
 * the contextual messages directly in front of it. With fewer boundaries everything from the first one goes; what
 * stands before the first one always stays. The same reference when nothing goes.
 *
 * Cost: the boundary test from both ends up to the first boundary and to the cut.
 */
export const dropLast = (
  history: ReadonlyArray<ResponseItem>,
  n: number,
  registry: Fragment.Registry = Fragment.newest
): ReadonlyArray<ResponseItem> => {
  if (n <= 0) return history
  const first = history.findIndex((item) => Boundary.isBoundary(item, registry))
  if (first < 0) return history
  let cut = history.length
  let dropped = 0
  while (dropped < n && cut > first) {
    cut--
    if (isBoundaryAt(history, cut, registry)) dropped++
  }
  while (cut > first && isContextAt(history, cut - 1, registry)) cut--
  return history.slice(0, cut)
}

const isBoundaryAt = (history: ReadonlyArray<ResponseItem>, at: number, registry: Fragment.Registry): boolean => {
  const item = history[at]
  return item !== undefined && Boundary.isBoundary(item, registry)
}

const isContextAt = (history: ReadonlyArray<ResponseItem>, at: number, registry: Fragment.Registry): boolean => {
  const item = history[at]
  return (
    item !== undefined &&
    (Boundary.isContextualDeveloperMessage(item, registry) || Boundary.isContextualUserMessage(item, registry))
  )
}
