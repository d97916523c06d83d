/** Whether two programs say the same: where their answers differ first, if they do. */

import type { Form } from "./Story.js"

/** Fields that no log holds, or that only the newest release shows. */
const shownOnly = new Set(["itemsView", "rootTurnId", "startedAtMs", "completedAtMs", "readOnlyHint"])

/** Fields of an item that a request has or not, by release and provider. */
const sentOnly = new Set(["id", "status", "internal_chat_message_metadata_passthrough", "metadata"])

/** Where turns differ, or undefined. What is null is as good as absent. */
export const turns = (ours: unknown, theirs: unknown): string | undefined => differ(ours, theirs, shownOnly, "turns")

/** Where a model's input differs, or undefined. */
export const input = (ours: unknown, theirs: unknown): string | undefined => differ(ours, theirs, sentOnly, "input")

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const differ = (ours: unknown, theirs: unknown, left: ReadonlySet<string>, at: string): string | undefined => {
  if (!isObject(ours) || !isObject(theirs)) {
    const same = Object.is(ours ?? undefined, theirs ?? undefined)
    return same ? undefined : `${at}: ours is ${brief(ours)}, theirs ${brief(theirs)}`
  }
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    if (left.has(key)) continue
    const found = differ(ours[key], theirs[key], left, Array.isArray(ours) ? `${at}[${key}]` : `${at}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "absent"
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

/**
 * How many items a request begins with that are in no log: tools, and the base instructions as a message (since-july).
 * They stand in front of the history, and are told by not being its first item.
 */
export const openers = (
  ours: ReadonlyArray<unknown>,
  theirs: ReadonlyArray<Readonly<Record<string, unknown>>>
): number => {
  let count = 0
  for (const item of theirs.slice(0, 2)) {
    const isOpener = item.type === "additional_tools" || item.role === "developer"
    if (!isOpener || input(ours[0], item) === undefined) break
    count++
  }
  return count
}

/** Kinds of items that a legacy log does not tell Codex of (thread-view §3). */
const untold: ReadonlySet<unknown> = new Set(["commandExecution"])

/**
 * Turns in a word for each item: what was said, else what kind it is. It does not hang on how a log is written, so that
 * both sides cannot agree on something that is missing.
 */
export const outline = (turns: ReadonlyArray<{ readonly items?: unknown }>, form: Form): ReadonlyArray<string> =>
  turns.map(({ items = [] }) =>
    (items as ReadonlyArray<Readonly<Record<string, unknown>>>)
      .filter(({ type }) => form !== "legacy" || !untold.has(type))
      .map(({ content, text, type }) => (type === "userMessage" ? JSON.stringify(content) : `${type} ${text ?? ""}`))
      .join(" | ")
  )
