/**
 * What a host keeps out of its logs: one hook between host and store. What it takes out is in no record, and so in no
 * memory of the thread, no prompt and no search either.
 */
import * as Custom from "@skein/core/decide/Custom"
import type { DecisionError } from "@skein/core/decide/DecisionError"
import * as Errors from "@skein/core/decide/DecisionError"
import type { Draft } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import * as Checkpoint from "@skein/core/fold/Checkpoint"
import * as Mailbox from "@skein/core/fold/Mailbox"
import * as Mark from "@skein/core/record/Mark"
import { Either } from "effect"

/**
 * Gives the record as it may be stored. Pure, and of the same type of record: a hook that gives something else, or no
 * record that can be read, fails the command.
 */
export type Redact = (draft: Draft) => Draft

/** Keys of the format whose texts say how a record hangs together, or that nobody can read. */
const structural =
  /^(?:type|role|phase|status|kind|id|.*_id|.*Id|timestamp|encrypted|encrypted_content|history_mode|source|originator|cli_version|multi_agent_version|multi_agent_mode|model|model_provider|approval_policy|effort|summary|thread|author|recipient|agent_path|detail|reason|image_url|audio_url)$/

/** Keys below which a host or a tool says what it likes: there every text is somebody's. */
const free: ReadonlySet<string> = new Set(["state", "arguments", "result", "structuredContent", "metadata"])

/** Marks that say words of somebody; the others say how records hang together. */
const worded: ReadonlySet<unknown> = new Set([
  Mailbox.kinds.mail,
  Mailbox.kinds.input,
  Mailbox.kinds.waiting,
  Checkpoint.kind
])

/**
 * The hook that replaces parts of every text that somebody said or that came out of something: in items, events, what
 * waits, summaries, the state of the world, a host's own events. Ids, names of kinds and what is encrypted stay.
 *
 * @param replace Pure; given a text it gives what may be stored of it.
 */
export const texts =
  (replace: (text: string) => string): Redact =>
  (draft) => {
    const payload = walk(draft.payload, replace, false)
    const extras = withinMark(draft.extras, replace)
    return payload === draft.payload && extras === draft.extras ? draft : ({ ...draft, payload, extras } as Draft)
  }

const walk = (value: unknown, replace: (text: string) => string, isFree: boolean): unknown => {
  if (typeof value === "string") return replace(value)
  if (Array.isArray(value)) {
    const next = value.map((one) => walk(one, replace, isFree))
    return next.every((one, i) => one === value[i]) ? value : next
  }
  if (typeof value !== "object" || value === null) return value
  let next: Record<string, unknown> | undefined
  for (const [key, before] of Object.entries(value)) {
    const stays = !isFree && typeof before === "string" && structural.test(key)
    const after = stays ? before : walk(before, replace, isFree || free.has(key))
    if (after === before) continue
    next ??= { ...value }
    next[key] = after
  }
  return next ?? value
}

const withinMark = (extras: Draft["extras"], replace: (text: string) => string): Draft["extras"] => {
  const mark = extras === undefined ? undefined : Mark.of({ extras })
  if (extras === undefined || mark === undefined) return extras
  const isCustom = mark.kind === Custom.mark
  if (!isCustom && !worded.has(mark.kind)) return extras
  const stored = mark.data as { readonly data?: unknown } | null | undefined
  const data = isCustom ? { ...stored, data: walk(stored?.data, replace, true) } : walk(mark.data, replace, false)
  return { ...extras, skein: { ...(extras.skein as object), data } }
}

/**
 * The drafts as the hook lets them be stored. Errors: `InvalidRequest` when it throws or gives what is no record of the
 * type that it was given.
 */
export const apply = (
  redact: Redact | undefined,
  drafts: ReadonlyArray<Draft>
): Either.Either<ReadonlyArray<Draft>, DecisionError> => {
  if (redact === undefined) return Either.right(drafts)
  const redacted: Array<Draft> = []
  for (const draft of drafts) {
    let next: Draft
    try {
      next = redact(draft)
    } catch (cause) {
      return Errors.invalid("redact", "malformed", `the hook threw: ${String(cause)}`, "Mend the hook of this host")
    }
    if (next === draft) {
      redacted.push(draft)
      continue
    }
    if (typeof next !== "object" || next === null || next.type !== draft.type) {
      const detail = `the hook made something else of a ${draft.type}`
      return Errors.invalid("redact", "malformed", detail, "Give a record of the type that came in")
    }
    redacted.push(next)
    const checked = Drafts.check([next], "redact")
    if (Either.isLeft(checked)) return Either.left(checked.left)
  }
  return Either.right(redacted)
}
