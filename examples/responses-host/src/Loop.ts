/** A turn with a model: ask, record what it said, run the tools that it calls, and ask again until it is done. */
import { setTimeout } from "node:timers/promises"
import * as Prompt from "@skein/core/fold/Prompt"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import type { Thread, Turn } from "skein"
import * as Responses from "./Responses.js"

/** What the loop needs of its host. */
export interface Host {
  readonly endpoint: Responses.Endpoint
  readonly tools: ReadonlyArray<object>
  readonly runTool: (name: string, args: string) => Promise<string>
  /** Tries of a request, and how long to wait before the second one; each wait is twice as long. Default 4 and 500 ms. */
  readonly tries?: number | undefined
  readonly backoffMs?: number | undefined
}

/**
 * Runs a turn to its end. Whatever happens, the turn is over when this is: completed, failed with an error that clients
 * are shown, or, when the signal is aborted, interrupted. Gives how it ended.
 */
export const run = async (
  host: Host,
  thread: Thread.Thread,
  words: string,
  signal: AbortSignal
): Promise<"completed" | "failed" | "interrupted"> => {
  await using turn = await thread.startTurn(words, { model: host.endpoint.model })
  try {
    while (await step(host, turn, signal)) {}
    await turn.complete()
    return "completed"
  } catch (error) {
    if (signal.aborted) {
      await turn.abort()
      return "interrupted"
    }
    if (!(error instanceof Responses.Failed)) throw error
    const codex_error_info = error.reason === "overflow" ? "context_window_exceeded" : "other"
    await turn.complete({ error: { message: error.message, codex_error_info } })
    return "failed"
  }
}

/** One request and what follows from it. Gives whether the model has to be asked again. */
const step = async (host: Host, turn: Turn.Turn, signal: AbortSignal): Promise<boolean> => {
  const { items, usage } = await retried(host, turn, signal, () => fitting(host, turn, signal))
  // All or nothing: a response that broke off is asked for again, and leaves nothing here.
  await turn.record(items)
  if (usage !== undefined) await turn.usage(usage)
  const calls = items.filter((item) => item.type === "function_call")
  for (const { arguments: args, call_id, name } of calls) {
    signal.throwIfAborted()
    await turn.record([{ type: "function_call_output", call_id, output: await host.runTool(name, args) }])
  }
  return calls.length > 0
}

/** Asks with the whole prompt; when that is too long, compacts the history once and asks again. */
const fitting = async (host: Host, turn: Turn.Turn, signal: AbortSignal): Promise<Responses.Response> => {
  const send = async () => {
    const { input, instructions } = await turn.context({ openAi: false })
    const onDelta = (itemId: string, delta: string) =>
      void turn.announce({ type: "item/agentMessage/delta", itemId, delta }).catch(() => {})
    return Responses.ask(host.endpoint, { input, instructions, tools: host.tools, signal, onDelta })
  }
  try {
    return await send()
  } catch (error) {
    if (!isOverflow(error)) throw error
    const { input } = await turn.context({ openAi: false })
    await turn.compact({ kind: "local", summary: await summary(host, input, signal) }, { phase: "mid_turn" })
    return await send()
  }
}

const question: ResponseItem = {
  type: "message",
  role: "user",
  content: [
    {
      type: "input_text",
      text: "Summarise this conversation for somebody who goes on with it: goals, facts, open ends."
    }
  ]
}

/** What the model makes of a history. One that is too long is shortened from its beginning until it fits. */
const summary = async (host: Host, input: ReadonlyArray<ResponseItem>, signal: AbortSignal): Promise<string> => {
  for (let rest = input; ; rest = rest.slice(Math.ceil(rest.length / 4))) {
    try {
      // A call and its output may have been parted.
      const request = { input: [...Prompt.normalise(rest), question], signal }
      const { items } = await Responses.ask(host.endpoint, request)
      return items.map(textOf).join("\n").trim()
    } catch (error) {
      if (!isOverflow(error) || rest.length <= 1) throw error
    }
  }
}

/** Does something again as long as the endpoint is busy. Clients are told each time. */
const retried = async <A>(
  { backoffMs = 500, tries = 4 }: Host,
  turn: Turn.Turn,
  signal: AbortSignal,
  work: () => Promise<A>
): Promise<A> => {
  for (let n = 1; ; n++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Responses.Failed) || error.reason !== "busy" || n >= tries) throw error
      const told = { message: error.message, codexErrorInfo: null, additionalDetails: null }
      await turn.announce({ type: "error", error: told, willRetry: true })
      await setTimeout(error.retryAfterMs ?? backoffMs * 2 ** (n - 1), undefined, { signal })
    }
  }
}

const isOverflow = (error: unknown): boolean => error instanceof Responses.Failed && error.reason === "overflow"

const textOf = (item: ResponseItem): string =>
  item.type === "message" ? item.content.map((part) => ("text" in part ? part.text : "")).join("") : ""
