/** Events under the names `turn_started` and `turn_complete`, aliases of `task_started` and `task_complete` (§5.1). */
import { isObject, type Upcast } from "./Upcast.js"

const current: ReadonlyMap<unknown, string> = new Map([
  ["turn_started", "task_started"],
  ["turn_complete", "task_complete"]
])

/** Gives the event its usual name. */
export const eventAliases: Upcast = {
  name: "event-alias",
  kind: "event_msg",
  upcast: (payload) => {
    const type = isObject(payload) ? current.get(payload.type) : undefined
    return isObject(payload) && type !== undefined ? { ...payload, type } : undefined
  }
}
