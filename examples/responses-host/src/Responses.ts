/** A request to an OpenAI-compatible Responses endpoint, streamed. Nothing in here knows of threads. */
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import * as Sse from "./Sse.js"

/** Where to ask, and which model. */
export interface Endpoint {
  /** With the version, as in `https://api.openai.com/v1`. */
  readonly url: string
  readonly key?: string | undefined
  readonly model: string
}

/** What is asked. */
export interface Request {
  readonly instructions?: string | undefined
  readonly input: ReadonlyArray<ResponseItem>
  readonly tools?: ReadonlyArray<object> | undefined
  readonly signal: AbortSignal
  readonly onDelta?: ((itemId: string, text: string) => void) | undefined
}

/** What came of it. */
export interface Response {
  readonly items: ReadonlyArray<ResponseItem>
  readonly usage: Readonly<Record<"input_tokens" | "cached_input_tokens" | "output_tokens", number>> | undefined
}

/** Why nothing came of it. */
export class Failed extends Error {
  constructor(
    message: string,
    /** `overflow`: the prompt is too long; `busy`: try again later; `refused`: it would fail again. */
    readonly reason: "overflow" | "busy" | "refused",
    readonly retryAfterMs?: number | undefined
  ) {
    super(message)
  }
}

/** Asks. Either the whole response comes in, or it rejects: with {@link Failed}, or the reason of the signal. */
export const ask = async (endpoint: Endpoint, request: Request): Promise<Response> => {
  const { input, instructions, onDelta, signal, tools = [] } = request
  const answer = await fetch(`${endpoint.url.replace(/\/$/, "")}/responses`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "text/event-stream",
      ...(endpoint.key === undefined ? {} : { authorization: `Bearer ${endpoint.key}` })
    },
    // The thread is kept here, so it need not be kept there.
    body: JSON.stringify({ model: endpoint.model, instructions, input, tools, stream: true, store: false }),
    signal
  }).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : new Failed(`${endpoint.url} cannot be reached: ${error}`, "busy")
  })
  if (!answer.ok || answer.body === null) throw await refusal(answer)

  const items: Array<ResponseItem> = []
  try {
    for await (const text of Sse.data(answer.body)) {
      if (text === "[DONE]") continue
      const event: Event = JSON.parse(text)
      switch (event.type) {
        case "response.output_text.delta":
          onDelta?.(event.item_id, event.delta)
          break
        case "response.output_item.done":
          items.push(event.item)
          break
        case "response.completed":
        case "response.incomplete":
          return { items, usage: usageOf(event.response.usage) }
        case "response.failed":
          throw failure(event.response.error, 500)
        case "error":
          throw failure(event.error ?? event, 500)
      }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw error instanceof Failed ? error : new Failed(`the stream broke off: ${error}`, "busy")
  }
  throw new Failed("the stream ended before the response was complete", "busy")
}

interface Fault {
  readonly code?: string | null
  readonly message?: string
}

interface Usage {
  readonly input_tokens: number
  readonly output_tokens: number
  readonly input_tokens_details?: { readonly cached_tokens?: number } | null
}

type Event =
  | { readonly type: "response.output_text.delta"; readonly item_id: string; readonly delta: string }
  | { readonly type: "response.output_item.done"; readonly item: ResponseItem }
  | {
      readonly type: "response.completed" | "response.incomplete"
      readonly response: { readonly usage?: Usage | null }
    }
  | { readonly type: "response.failed"; readonly response: { readonly error?: Fault | null } }
  | ({ readonly type: "error"; readonly error?: Fault } & Fault)

const usageOf = (usage: Usage | null | undefined): Response["usage"] =>
  usage === null || usage === undefined
    ? undefined
    : {
        input_tokens: usage.input_tokens,
        cached_input_tokens: usage.input_tokens_details?.cached_tokens ?? 0,
        output_tokens: usage.output_tokens
      }

const refusal = async (answer: globalThis.Response): Promise<Failed> => {
  const text = await answer.text().catch(() => "")
  let fault: Fault = { message: text.slice(0, 500) }
  try {
    fault = JSON.parse(text).error ?? fault
  } catch {
    // Not every proxy answers in JSON.
  }
  const after = Number(answer.headers.get("retry-after"))
  return failure(fault, answer.status, after > 0 ? after * 1000 : undefined)
}

const failure = (fault: Fault | null | undefined, status: number, retryAfterMs?: number): Failed => {
  const { code, message = "" } = fault ?? {}
  const words = [status === 500 ? "" : `HTTP ${status}`, code ?? "", message].filter((one) => one !== "").join(" ")
  if (code === "context_length_exceeded" || /context (?:length|window)/i.test(message)) {
    return new Failed(words, "overflow")
  }
  const busy = status === 429 || status >= 500
  return new Failed(words === "" ? "the endpoint says no more" : words, busy ? "busy" : "refused", retryAfterMs)
}
