/**
 * A `replacement_history` with items that are no items of this version (rollout-format §2.1 and §7.2): ghost snapshots,
 * which builds before 2026 stored among the items, and items of an unknown type are taken out, for neither is ever
 * shown to the model; items in an older shape become current ones. `replacement_history_metadata`, which goes by
 * position, loses the same places. Any other bad element keeps the whole record refused.
 */
import * as ResponseItem from "../ResponseItem.js"
import { compactionSummary } from "./CompactionSummary.js"
import { unrecognizedCallAction } from "./Unrecognized.js"
import { isObject, type JsonObject, type Upcast } from "./Upcast.js"

const lifted = (item: unknown): unknown => compactionSummary.upcast(item) ?? unrecognizedCallAction.upcast(item) ?? item

const isForeign = (item: unknown): boolean =>
  isObject(item) && typeof item.type === "string" && !ResponseItem.isKnown(item.type)

const filtered = (payload: JsonObject, items: ReadonlyArray<unknown>): JsonObject => {
  const current = items.map(lifted)
  const kept = current.map((item) => !isForeign(item))
  const metadata: unknown = payload.replacement_history_metadata
  return {
    ...payload,
    replacement_history: current.filter((_, i) => kept[i]),
    ...(Array.isArray(metadata) && metadata.length === items.length
      ? { replacement_history_metadata: metadata.filter((_, i) => kept[i]) }
      : {})
  }
}

/** Leaves the items that the model sees. */
export const replacementHistory: Upcast = {
  name: "replacement-history",
  kind: "compacted",
  upcast: (payload) => {
    if (!isObject(payload)) return undefined
    const items: unknown = payload.replacement_history
    if (!Array.isArray(items)) return undefined
    return items.some((item: unknown) => isForeign(item) || lifted(item) !== item)
      ? filtered(payload, items)
      : undefined
  }
}
