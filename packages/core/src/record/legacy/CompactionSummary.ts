/** Items of the type `compaction_summary`, the older name of `compaction` (rollout-format §4.2). */
import { isObject, type Upcast } from "./Upcast.js"

/** Gives the item its current type. */
export const compactionSummary: Upcast = {
  name: "compaction-summary",
  kind: "response_item",
  upcast: (payload) =>
    isObject(payload) && payload.type === "compaction_summary" ? { ...payload, type: "compaction" } : undefined
}
