/**
 * A `compacted` whose `window_id` is a number, as builds of 2026-06-10 to 06-18 wrote it. The number becomes the
 * `window_number` unless there is one, and the id stays unset (rollout-format §7.2).
 */
import { isObject, type Upcast } from "./Upcast.js"

/** Reads the number as what it counts. */
export const numericWindowId: Upcast = {
  name: "numeric-window-id",
  kind: "compacted",
  upcast: (payload) => {
    if (!isObject(payload)) return undefined
    const { window_id, ...rest } = payload
    if (typeof window_id !== "number" || !Number.isInteger(window_id) || window_id < 0) return undefined
    return { ...rest, window_number: payload.window_number ?? window_id }
  }
}
