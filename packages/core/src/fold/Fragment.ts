/**
 * Contextual fragments: texts that the host put into the history under somebody else's role (replay-semantics §0).
 *
 * They are known by their text alone, so user text can imitate them. The set is a value, a {@link Registry}; every
 * function here reads its text at most a fixed number of times, and mostly its first character only.
 */
import * as XmlElement from "../internal/XmlElement.js"

/** How a contextual user fragment is known. White space around it does not count. */
export type UserFragment =
  /** Starts and ends with these texts; an empty `end` asks for nothing. */
  | { readonly kind: "marked"; readonly start: string; readonly end: string; readonly ignoreCase: boolean }
  /** `<startKEY>…</startKEY>`: the key is what stands before the first `>`, of any characters or none. */
  | { readonly kind: "keyed"; readonly start: string }
  /** `<tag attribute="…">…</tag>` to the character, the value matching `[a-z][a-z0-9_]*`. */
  | { readonly kind: "sourced"; readonly tag: string; readonly attribute: string }
  /** One XML element without elements inside, whose attribute is there and not blank. */
  | { readonly kind: "element"; readonly tag: string; readonly attribute: string }

/** What counts as context, and where releases of the reference differ over it. */
export interface Registry {
  readonly user: ReadonlyArray<UserFragment>
  /** Texts that a contextual developer fragment starts with. */
  readonly developer: ReadonlyArray<string>
  /** Whether a compaction summary is an instruction boundary. */
  readonly summaryIsBoundary: boolean
}

const tagged = (tag: string): UserFragment => ({
  kind: "marked",
  start: `<${tag}>`,
  end: `</${tag}>`,
  ignoreCase: true
})

const exact = (start: string, end: string): UserFragment => ({ kind: "marked", start, end, ignoreCase: false })

const sharedUser: ReadonlyArray<UserFragment> = [
  { kind: "marked", start: "# AGENTS.md instructions", end: "</INSTRUCTIONS>", ignoreCase: true },
  tagged("environment_context"),
  tagged("skill"),
  tagged("user_shell_command"),
  tagged("turn_aborted"),
  tagged("subagent_notification"),
  tagged("recommended_plugins"),
  { kind: "keyed", start: "external_" },
  { kind: "sourced", tag: "codex_internal_context", attribute: "source" },
  exact("<goal_context>", "</goal_context>"),
  { kind: "element", tag: "hook_prompt", attribute: "hook_run_id" },
  exact("Warning: The maximum number of unified exec processes you can keep open is", ""),
  exact("Warning: Your account was flagged for potentially high-risk cyber activity", ""),
  exact("Warning: apply_patch was requested via ", "Use the apply_patch tool instead of exec_command.")
]

const sharedDeveloper: ReadonlyArray<string> = [
  "<permissions instructions>",
  "<model_switch>",
  "<apps_instructions>",
  "<collaboration_mode>",
  "<multi_agent_mode>",
  "<environments_instructions>",
  "<plugins_instructions>",
  "<realtime_conversation>",
  "<skills_instructions>",
  "<personality_spec>",
  "<token_budget>",
  "<context_window>",
  "<context_window_guidance>",
  "<rollout_budget>"
]

/** The registry of July 2026 (reference 0.145.0). A compaction summary is a boundary. */
export const july: Registry = { user: sharedUser, developer: sharedDeveloper, summaryIsBoundary: true }

/** The registry of 0.169.0, the default everywhere. A compaction summary is no boundary. */
export const newest: Registry = {
  user: [...sharedUser, tagged("agent_message_board_notification")],
  developer: [
    ...sharedDeveloper,
    "<tools>",
    "<persistent_mode>",
    "<multi_agent_role>",
    "<managed_developer_instructions>",
    "<git_attribution>"
  ],
  summaryIsBoundary: false
}

/**
 * Whether a text part of a user message is a contextual fragment (replay-semantics §0).
 *
 * Cost: the white space in front and one character for each kind of fragment; linear for a text that starts like one.
 */
export const isContextualUser = (text: string, registry: Registry = newest): boolean => {
  const from = skipSpace(text)
  for (const fragment of registry.user) if (matches(text, from, fragment)) return true
  return false
}

/**
 * Whether a text part of a developer message is a contextual fragment: only rollback trimming asks (replay-semantics
 * §0, §1.4). As in the reference, white space in front and case do not count. Cost: constant, apart from that space.
 */
export const isContextualDeveloper = (text: string, registry: Registry = newest): boolean => {
  const from = skipSpace(text)
  for (const start of registry.developer) if (startsAt(text, from, start, true)) return true
  return false
}

const matches = (text: string, from: number, fragment: UserFragment): boolean => {
  if (fragment.kind === "marked") return isMarked(text, from, fragment)
  if (text.charCodeAt(from) !== 0x3c) return false
  switch (fragment.kind) {
    case "keyed":
      return isKeyed(text, from, fragment.start)
    case "sourced":
      return isSourced(text, from, fragment.tag, fragment.attribute)
    case "element":
      return isElement(text, from, fragment.tag, fragment.attribute)
  }
}

const isMarked = (
  text: string,
  from: number,
  fragment: Extract<UserFragment, { readonly kind: "marked" }>
): boolean => {
  const { start, end, ignoreCase } = fragment
  if (!startsAt(text, from, start, ignoreCase)) return false
  const at = trimmedEnd(text) - end.length
  return at >= from + start.length && startsAt(text, at, end, ignoreCase)
}

const isKeyed = (text: string, from: number, start: string): boolean => {
  if (!startsAt(text, from, `<${start}`, false)) return false
  const keyAt = from + 1 + start.length
  const keyEnd = text.indexOf(">", keyAt)
  if (keyEnd < 0) return false
  // The closing tag cannot overlap the opening one: it would have to end at the same `>` and is longer.
  return text.endsWith(`</${start}${text.slice(keyAt, keyEnd)}>`, trimmedEnd(text))
}

const isSourced = (text: string, from: number, tag: string, attribute: string): boolean => {
  const open = `<${tag} ${attribute}="`
  if (!startsAt(text, from, open, false)) return false
  const valueAt = from + open.length
  if (!isLower(text.charCodeAt(valueAt))) return false
  let at = valueAt + 1
  while (isSourceCharacter(text.charCodeAt(at))) at++
  return text.startsWith('">', at) && text.endsWith(`</${tag}>`, trimmedEnd(text))
}

const isElement = (text: string, from: number, tag: string, attribute: string): boolean => {
  const id = XmlElement.parse(text, tag, from, trimmedEnd(text))?.attributes.get(attribute)
  return id !== undefined && trimmed(id) !== ""
}

/** Whether `marker` stands at `at`, with ASCII letters alike in either case when `ignoreCase`. */
const startsAt = (text: string, at: number, marker: string, ignoreCase: boolean): boolean => {
  if (!ignoreCase) return text.startsWith(marker, at)
  for (let i = 0; i < marker.length; i++) {
    if (lower(text.charCodeAt(at + i)) !== lower(marker.charCodeAt(i))) return false
  }
  return true
}

const lower = (code: number): number => (code >= 0x41 && code <= 0x5a ? code + 0x20 : code)

const isLower = (code: number): boolean => code >= 0x61 && code <= 0x7a

const isSourceCharacter = (code: number): boolean => isLower(code) || (code >= 0x30 && code <= 0x39) || code === 0x5f

const skipSpace = (text: string): number => {
  let at = 0
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

const trimmedEnd = (text: string): number => {
  let at = text.length
  while (at > 0 && isSpace(text.charCodeAt(at - 1))) at--
  return at
}

/** A text without the white space around it, as the reference trims. Cost: the white space. */
export const trimmed = (text: string): string => {
  const from = skipSpace(text)
  return text.slice(from, Math.max(from, trimmedEnd(text)))
}

/** White space of Unicode, which the reference trims; `String.prototype.trim` differs over U+0085 and U+FEFF. */
const isSpace = (code: number): boolean =>
  code === 0x20 ||
  (code >= 0x09 && code <= 0x0d) ||
  code === 0x85 ||
  code === 0xa0 ||
  code === 0x1680 ||
  (code >= 0x2000 && code <= 0x200a) ||
  code === 0x2028 ||
  code === 0x2029 ||
  code === 0x202f ||
  code === 0x205f ||
  code === 0x3000
