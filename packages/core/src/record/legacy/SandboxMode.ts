/**
 * A `sandbox_policy` tagged `mode` instead of `type`, as 0.42.0 (September 2025) wrote it in every `turn_context`. The
 * reference refuses those lines (rollout-format §7.1); nothing else in them differs, so here they are read.
 */
import { at, isObject, replacing } from "./Upcast.js"

const typed = (policy: unknown): unknown => {
  if (!isObject(policy) || Object.hasOwn(policy, "type") || typeof policy.mode !== "string") return policy
  const { mode, ...rest } = policy
  return { type: mode, ...rest }
}

/** Gives the policy its current tag. */
export const sandboxMode = replacing("sandbox-mode", "turn_context", (payload) => at(payload, "sandbox_policy", typed))
