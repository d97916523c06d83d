/**
 * The history behind a compaction that recorded no replacement (replay-semantics §1.4, §1.4.3).
 */
import type { ResponseItem } from "../record/ResponseItem.js"
import * as Boundary from "./Boundary.js"
import * as Fragment from "./Fragment.js"
import * as Truncation from "./Truncation.js"

/** Approximate tokens of user text that a rebuild keeps. */
export const defaultTokens = 20_000

/** Stands for a summary that is empty. */
export const noSummary = "(no summary available)"

/** How a history is rebuilt. */
export interface Options {
  /** Default: {@link Fragment.newest}. */
  readonly registry?: Fragment.Registry | undefined
  /** Approximate tokens of user text to keep. Default: {@link defaultTokens}. */
  readonly tokens?: number | undefined
  /**
   * Whether the text parts of a message stay parts of their own, as in 0.169.0 (replay-semantics §1.4.3), or become
   * one, as in July. Default: `"apart"`.
   */
  readonly parts?: "apart" | "joined" | undefined
}

/**
 * The history that a compaction without replacement leaves: the newest real user texts within the budget, oldest
 * first, then `message` as a user message. The text that crosses the budget is cut and is the oldest one.
 *
 * Cost: the items from the end to the last text that is taken; their texts are read once.
 */
export const rebuild = (
  history: ReadonlyArray<ResponseItem>,
  message: string,
  options: Options = {}
): ReadonlyArray<ResponseItem> => {
  const registry = options.registry ?? Fragment.newest
  const joined = options.parts === "joined"
  let rest = options.tokens ?? defaultTokens
  const newestFirst: Array<ResponseItem> = [userMessage([message === "" ? noSummary : message])]
  for (let i = history.length - 1; i >= 0 && rest > 0; i--) {
    const item = history[i]
    if (item === undefined || !Boundary.isRealUserMessage(item, registry)) continue
    const texts = Boundary.userTexts(item)
    const text = texts.join("")
    const cut = Truncation.cut(text, { kind: "tokens", amount: rest })
    rest = cut === undefined ? rest - Truncation.tokensOf(text) : 0
    const pieces = cut === undefined ? texts : cutPieces(texts, cut)
    newestFirst.push(userMessage(joined ? [pieces.join("")] : pieces))
  }
  return newestFirst.reverse()
}

/**
 * What the text of an item costs a rebuild, in approximate tokens: 0 for a user message without text, undefined for
 * anything that is no real user message. A scan from the end has read enough once the sum reaches the budget
 * (replay-semantics §1.9). Cost: one pass over the text.
 */
export const userTextTokens = (
  item: ResponseItem,
  registry: Fragment.Registry = Fragment.newest
): number | undefined => {
  if (!Boundary.isRealUserMessage(item, registry)) return undefined
  let bytes = 0
  for (const text of Boundary.userTexts(item)) bytes += Truncation.utf8Length(text)
  return Math.ceil(bytes / 4)
}

const userMessage = (texts: ReadonlyArray<string>): ResponseItem => ({
  type: "message",
  role: "user",
  content: (texts.length === 0 ? [""] : texts).map((text) => ({ type: "input_text" as const, text }))
})

/** What a cut leaves of each text in front of it, the marker, and what it leaves behind it; empty pieces go. */
const cutPieces = (texts: ReadonlyArray<string>, { head, tail, marker }: Truncation.Cut): ReadonlyArray<string> => {
  const before: Array<string> = []
  const after: Array<string> = []
  let start = 0
  for (const text of texts) {
    if (start < head && text !== "") before.push(text.slice(0, head - start))
    const end = start + text.length
    if (end > tail && text !== "") after.push(text.slice(Math.max(tail - start, 0)))
    start = end
  }
  return [...before, marker, ...after]
}
