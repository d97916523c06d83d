/**
 * Older names of values in turn contexts, thread settings and turn starts (rollout-format §7.1): `on-failure`,
 * `guardian_subagent`, the modes `code`, `pair_programming`, `execute` and `custom`, the multi-agent mode `none`, the
 * access `none`, and the special path `current_working_directory`. Each becomes its current name.
 */
import { at, each, isObject, replacing } from "./Upcast.js"

const renamed =
  (names: Readonly<Record<string, unknown>>) =>
  (value: unknown): unknown =>
    typeof value === "string" && Object.hasOwn(names, value) ? names[value] : value

const approval = renamed({ "on-failure": "on-request" })
const reviewer = renamed({ guardian_subagent: "auto_review" })
const mode = renamed({ code: "default", pair_programming: "default", execute: "default", custom: "default" })
const multiAgentMode = renamed({ none: { custom: "" } })
const access = renamed({ none: "deny" })
const special = renamed({ current_working_directory: "project_roots" })

const entry = (value: unknown): unknown =>
  at(at(value, "access", access), "path", (path) => at(path, "value", (place) => at(place, "kind", special)))

const withEntries = (value: unknown): unknown => at(value, "entries", (entries) => each(entries, entry))

const settings = (value: unknown): unknown => {
  let next = at(value, "approval_policy", approval)
  next = at(next, "approvals_reviewer", reviewer)
  next = at(next, "permission_profile", (profile) => at(profile, "file_system", withEntries))
  next = at(next, "file_system_sandbox_policy", withEntries)
  next = at(next, "collaboration_mode", (collaboration) => at(collaboration, "mode", mode))
  return at(next, "multi_agent_mode", multiAgentMode)
}

/** Gives the values of a turn's context their current names. */
export const contextAliases = replacing("setting-alias", "turn_context", settings)

/** Gives the values of a thread's settings and of a turn's start their current names. */
export const eventSettingAliases = replacing("setting-alias", "event_msg", (payload) => {
  if (isObject(payload) && payload.type === "task_started") return at(payload, "collaboration_mode_kind", mode)
  return at(payload, "thread_settings", settings)
})
