/**
 * Lines without an envelope, as 0.20.0 (August 2025) wrote whole files (rollout-format §2.1).
 *
 * The first line, `{id, timestamp, instructions, git?}`, becomes a `session_meta`; an item, whose `id` may be `null`,
 * becomes a `response_item`; `{"record_type":"state"}` means nothing. What a bare line does not say stays neutral: the
 * timestamp of an item, cwd, originator and version are `""`, the source is `unknown`, the session is the thread itself.
 * `instructions` are the user's, not the base instructions, and stay in the line.
 */
import * as ResponseItem from "../ResponseItem.js"
import { Git, SessionMeta } from "../SessionMeta.js"
import { isObject, type JsonObject } from "./Upcast.js"

/** The name of this shape. */
export const name = "bare-line"

/** What a bare line is within an envelope. */
export interface BareLine {
  readonly type: string
  readonly timestamp: string
  readonly payload: unknown
}

/**
 * The record that a bare line stands for: `"state"` for one that means nothing, `undefined` for a line that is no bare
 * one (rollout-format §2.1).
 */
export const bareLine = (value: unknown): BareLine | "state" | undefined => {
  if (!isObject(value) || Object.hasOwn(value, "payload")) return undefined
  const { id, record_type, timestamp, type } = value
  if (record_type === "state") return "state"
  if (typeof type === "string") {
    return timestamp === undefined && ResponseItem.isKnown(type)
      ? { type: "response_item", timestamp: "", payload: value }
      : undefined
  }
  return typeof id === "string" && typeof timestamp === "string" && Object.hasOwn(value, "instructions")
    ? { type: "session_meta", timestamp, payload: opening(value, id, timestamp) }
    : undefined
}

const opening = (line: JsonObject, id: string, timestamp: string): SessionMeta => {
  const git = line.git
  return SessionMeta.make({
    session_id: id,
    id,
    timestamp,
    cwd: "",
    originator: "",
    cli_version: "",
    source: "unknown",
    git: Git.is(git) ? git : undefined
  })
}
