/**
 * A permission profile without `type`: `{network?, file_system?}`, the form before the tagged one. It becomes a
 * `managed` profile: no file system means one without entries, a network that is not enabled a restricted one; an
 * unknown key stays refused (rollout-format §7.1).
 */
import { at, isObject, replacing } from "./Upcast.js"

const only = (value: Readonly<Record<string, unknown>>, keys: ReadonlyArray<string>): boolean =>
  Object.keys(value).every((key) => keys.includes(key))

const unset = (value: unknown): value is null | undefined => value === undefined || value === null

const network = (value: unknown): string | undefined => {
  if (unset(value)) return "restricted"
  if (!isObject(value) || !only(value, ["enabled"])) return undefined
  const enabled = value.enabled
  if (!unset(enabled) && typeof enabled !== "boolean") return undefined
  return enabled === true ? "enabled" : "restricted"
}

const paths = (value: unknown, access: string): ReadonlyArray<unknown> | undefined => {
  if (unset(value)) return []
  if (!Array.isArray(value)) return undefined
  return value.map((path: unknown) => ({ path: { type: "path", path }, access }))
}

const fileSystem = (value: unknown): unknown => {
  if (unset(value)) return { type: "restricted", entries: [] }
  if (!isObject(value)) return undefined
  if (only(value, ["entries", "glob_scan_max_depth"])) return { type: "restricted", entries: [], ...value }
  if (!only(value, ["read", "write"])) return undefined
  const read = paths(value.read, "read")
  const write = paths(value.write, "write")
  return read === undefined || write === undefined ? undefined : { type: "restricted", entries: [...read, ...write] }
}

const tagged = (profile: unknown): unknown => {
  if (!isObject(profile) || !only(profile, ["network", "file_system"])) return profile
  const access = network(profile.network)
  const files = fileSystem(profile.file_system)
  return access === undefined || files === undefined
    ? profile
    : { type: "managed", file_system: files, network: access }
}

/** Tags the profile of a turn's context. */
export const untypedPermissionProfile = replacing("untyped-permission-profile", "turn_context", (payload) =>
  at(payload, "permission_profile", tagged)
)

/** Tags the profile of a thread's settings. */
export const untypedSettingsProfile = replacing("untyped-permission-profile", "event_msg", (payload) =>
  at(payload, "thread_settings", (settings) => at(settings, "permission_profile", tagged))
)
