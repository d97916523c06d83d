/**
 * How tool outputs are cut when a history is sent (replay-semantics §1.4.1).
 *
 * The policy belongs to the model that will read the history and is in no record. Lengths are those of the UTF-8 form;
 * they are counted, never encoded.
 */
import type { ToolOutput, ToolOutputPart } from "../record/Content.js"
import type { ResponseItem } from "../record/ResponseItem.js"

/** What a model's outputs are held to. A token is four bytes. */
export interface Policy {
  readonly kind: "tokens" | "bytes"
  readonly limit: number
}

/** The policy of every model in the catalogue of 0.169.0. */
export const catalogue: Policy = { kind: "tokens", limit: 10_000 }

/** The policy for a model that the reader does not know. */
export const unknownModel: Policy = { kind: "bytes", limit: 10_000 }

/** How much may stay: a policy with its allowance, or what is left of that. */
export interface Budget {
  readonly kind: Policy["kind"]
  readonly amount: number
}

/** The budget of a policy: a fifth more than its limit, rounded up. */
export const budgetOf = (policy: Policy): Budget => ({ kind: policy.kind, amount: Math.ceil(policy.limit * 1.2) })

/** Length of a text in UTF-8. Cost: one pass over the code units. */
export const utf8Length = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    if (code < 0x800) bytes += 1
    else if (isPair(text, i)) {
      bytes += 2
      i++
    } else bytes += 2
  }
  return bytes
}

/** Approximate tokens of a text: four bytes each, rounded up. Cost: {@link utf8Length}. */
export const tokensOf = (text: string): number => Math.ceil(utf8Length(text) / 4)

/** Where a text is cut: what stays is before `head` and from `tail` on, in code units, with `marker` between. */
export interface Cut {
  readonly head: number
  readonly tail: number
  readonly marker: string
}

/**
 * Where a text must be cut to keep to a budget, undefined when it is within it.
 *
 * Kept are the first half of the budget, rounded down, and the rest of it from the end, whole code points only. Cost:
 * constant for a text of a third of the budget, else one pass to count and one over what stays (and, with a budget in
 * bytes, over what goes).
 */
export const cut = (text: string, budget: Budget): Cut | undefined => {
  const room = budget.kind === "tokens" ? budget.amount * 4 : budget.amount
  if (text.length * 3 <= room) return undefined
  const bytes = utf8Length(text)
  if (bytes <= room) return undefined
  const half = Math.floor(room / 2)
  const head = prefixEnd(text, half)
  const tail = suffixStart(text, room - half)
  const marker =
    budget.kind === "tokens"
      ? `…${Math.ceil((bytes - room) / 4)} tokens truncated…`
      : `…${codePoints(text, head, tail)} chars truncated…`
  return { head, tail, marker }
}

/** A text held to a budget; the text itself when it is within it. Cost: {@link cut}. */
export const truncateText = (text: string, budget: Budget): string => {
  const where = cut(text, budget)
  return where === undefined ? text : text.slice(0, where.head) + where.marker + text.slice(where.tail)
}

/**
 * The output of a function or custom tool call as a policy lets it be sent; the same reference when nothing changes.
 *
 * The text parts of a list draw on one budget in order: what fits stays, the first that does not is cut to the rest,
 * and the later ones (it too, when there is no rest) are only counted, in one part at the end. Images and encrypted
 * parts stay; audio goes. Cost: {@link cut} for each text.
 */
export const truncateOutput = (output: ToolOutput, policy: Policy): ToolOutput => {
  const budget = budgetOf(policy)
  return typeof output === "string" ? truncateText(output, budget) : truncateList(output, budget)
}

/**
 * An item as a policy lets it be sent: its output truncated when it is that of a function or custom tool call, else the
 * item itself. The same reference when nothing changes. Cost: {@link truncateOutput}.
 */
export const truncateItem = (item: ResponseItem, policy: Policy): ResponseItem => {
  if (item.type !== "function_call_output" && item.type !== "custom_tool_call_output") return item
  const output = truncateOutput(item.output, policy)
  return output === item.output ? item : { ...item, output }
}

const truncateList = (parts: ReadonlyArray<ToolOutputPart>, budget: Budget): ReadonlyArray<ToolOutputPart> => {
  const kept: Array<ToolOutputPart> = []
  let rest = budget.amount
  let full = false
  let omitted = 0
  let changed = false
  for (const part of parts) {
    if (part.type === "input_audio") {
      changed = true
    } else if (part.type !== "input_text") {
      kept.push(part)
    } else if (full) {
      omitted++
    } else {
      const text = truncateText(part.text, { kind: budget.kind, amount: rest })
      if (text === part.text) {
        kept.push(part)
        rest -= budget.kind === "tokens" ? tokensOf(text) : utf8Length(text)
        continue
      }
      full = true
      changed = true
      if (rest === 0) omitted++
      else kept.push({ ...part, text })
    }
  }
  if (omitted > 0) kept.push({ type: "input_text", text: `[omitted ${omitted} text items ...]` })
  return changed ? kept : parts
}

/** Code units of the longest prefix of whole code points within `room` bytes. */
const prefixEnd = (text: string, room: number): number => {
  let left = room
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    const pair = isPair(text, at)
    const width = pair ? 4 : width3(code)
    if (width > left) break
    left -= width
    at += pair ? 2 : 1
  }
  return at
}

/** Where the longest suffix of whole code points within `room` bytes starts. */
const suffixStart = (text: string, room: number): number => {
  let left = room
  let at = text.length
  while (at > 0) {
    const pair = at > 1 && isPair(text, at - 2)
    const width = pair ? 4 : width3(text.charCodeAt(at - 1))
    if (width > left) break
    left -= width
    at -= pair ? 2 : 1
  }
  return at
}

const codePoints = (text: string, from: number, to: number): number => {
  let count = to - from
  for (let i = from; i < to; i++) {
    if (isPair(text, i)) {
      count--
      i++
    }
  }
  return count
}

/** Bytes of a code unit that is no half of a pair. */
const width3 = (code: number): number => (code < 0x80 ? 1 : code < 0x800 ? 2 : 3)

/** Whether a surrogate pair begins at `at`. */
const isPair = (text: string, at: number): boolean =>
  (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00
