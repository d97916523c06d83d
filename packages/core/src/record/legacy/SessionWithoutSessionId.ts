/**
 * A `session_meta` without `session_id`, which came with 2026-06-22; 0.98.0 and older never wrote it. It becomes one
 * whose session is the thread itself; an explicit `null` stays refused (rollout-format §3.1).
 */
import { isObject, type Upcast } from "./Upcast.js"

/** Fills in the session id. */
export const sessionWithoutSessionId: Upcast = {
  name: "session-without-session-id",
  kind: "session_meta",
  upcast: (payload) =>
    isObject(payload) && !Object.hasOwn(payload, "session_id") && typeof payload.id === "string"
      ? { session_id: payload.id, ...payload }
      : undefined
}
