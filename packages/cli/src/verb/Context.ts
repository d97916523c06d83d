/** `skein context`: what the model must see next. */
import type { Complete, ModelContext } from "@skein/core/fold/ModelContext"
import * as Prompt from "@skein/core/fold/Prompt"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import type { Diagnostic } from "@skein/store/Diagnostic"
import { Effect } from "effect"
import * as Position from "../Position.js"
import * as Reading from "../Reading.js"
import * as Source from "../Source.js"
import * as Text from "../Text.js"

/** A context window as documents tell it. */
export interface Window {
  readonly number: number
  readonly id: string | null
  readonly firstId: string | null
  readonly previousId: string | null
}

/** What `skein context --json` prints for a file. */
export interface ContextDocument {
  readonly file: string
  readonly threadId: string | null
  /** The model-visible history, normalised as for a request (replay-semantics §9). */
  readonly prompt: ReadonlyArray<ResponseItem>
  readonly window: Window
  readonly worldState: unknown
  readonly referenceContext: unknown
  readonly previousTurnSettings: unknown
  readonly multiAgentVersion: string | null
  readonly multiAgentMode: unknown
  readonly tokenInfo: unknown
  readonly complete: Complete
  readonly recordsRead: number
  readonly recordsTotal: number
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** The model context of a file, at its end or at a position. */
export const context = (file: string, at: string | undefined) =>
  Effect.scoped(
    Effect.gen(function* () {
      const opened = yield* Source.open(file)
      const log = at === undefined ? opened : yield* Position.before(opened, at)
      const { context, diagnostics, recordsRead, recordsTotal } = yield* Reading.modelContext(log)
      const document: ContextDocument = {
        file,
        threadId: log.meta?.payload.id ?? null,
        prompt: Prompt.normalise(context.history),
        window: windowOf(context),
        worldState: context.worldState ?? null,
        referenceContext: context.referenceContext ?? null,
        previousTurnSettings: context.previousTurnSettings ?? null,
        multiAgentVersion: context.multiAgentVersion ?? null,
        multiAgentMode: context.multiAgentMode ?? null,
        tokenInfo: context.tokenInfo ?? null,
        complete: context.complete,
        recordsRead,
        recordsTotal,
        diagnostics
      }
      return document
    })
  )

/** The window of a context. */
export const windowOf = ({ window }: ModelContext): Window => ({
  number: window.number,
  id: window.id ?? null,
  firstId: window.firstId ?? null,
  previousId: window.previousId ?? null
})

/** The document for a person. */
export const render = (document: ContextDocument, style: Text.Style): string => {
  const { window } = document
  const uncertain = Object.entries(document.complete).flatMap(([part, sure]) => (sure ? [] : [part]))
  return Text.lines([
    style.strong(document.file),
    `  thread ${document.threadId ?? "unknown"}, window ${window.number}${window.id === null ? "" : ` (${window.id})`}`,
    `  ${document.prompt.length} items for the model, from ${document.recordsRead} of ${document.recordsTotal} records`,
    ...document.prompt.map((item, i) => `  ${String(i + 1).padStart(4)}  ${describe(item, style)}`),
    ...(uncertain.length === 0 ? [] : [style.warn(`  not certain: ${uncertain.join(", ")}`)]),
    ...Text.diagnostics(document.diagnostics, style)
  ])
}

/** One line about an item of a prompt. */
export const describe = (item: ResponseItem, style: Text.Style): string => {
  const head = (name: string) => style.dim(name.padEnd(12))
  switch (item.type) {
    case "message":
      return (
        head(item.role) +
        Text.brief(item.content.map((part) => ("text" in part ? part.text : `[${part.type}]`)).join(" "))
      )
    case "agent_message":
      return head("agent") + Text.brief(`${item.author} to ${item.recipient}`)
    case "reasoning":
      return head("reasoning") + Text.brief(item.summary.map((part) => part.text).join(" "))
    case "function_call":
      return head("call") + Text.brief(`${item.name} ${item.arguments}`)
    case "custom_tool_call":
      return head("call") + Text.brief(`${item.name} ${item.input}`)
    case "function_call_output":
    case "custom_tool_call_output":
      return head("output") + Text.brief(typeof item.output === "string" ? item.output : `${item.output.length} parts`)
    default:
      return head(item.type.replaceAll("_", " "))
  }
}
