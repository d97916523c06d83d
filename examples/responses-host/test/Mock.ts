/** A Responses endpoint on loopback that answers as it is told to, one request after the other. */
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"

/** Answers one request. */
export type Answer = (response: ServerResponse, request: Asked) => void

/** What was asked. */
export interface Asked {
  readonly authorization: string | undefined
  readonly model: string
  readonly instructions?: string
  readonly input: ReadonlyArray<{ readonly type: string; readonly content?: ReadonlyArray<{ readonly text: string }> }>
  readonly tools: ReadonlyArray<{ readonly name: string }>
  readonly stream: boolean
}

/** The endpoint. A request for which there is no answer left gets a 500. */
export const start = async () => {
  const asked: Array<Asked> = []
  const answers: Array<Answer> = []
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse(await text(request)) as Asked
    const one = { ...body, authorization: request.headers.authorization, path: request.url }
    asked.push(one)
    const answer = answers.shift() ?? refuses(500, { message: "no answer is left" })
    answer(response, one)
  }
  const server = createServer((request, response) => void take(request, response))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    answers,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
  }
}

const event = (data: { readonly type: string; readonly [key: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

const begin = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream" })
}

let made = 0

/** Says a text, word by word. */
export const says =
  (words: string, input_tokens = 100): Answer =>
  (response) => {
    const id = `msg_${++made}`
    begin(response)
    response.write(": a comment\n\n")
    for (const delta of words.split(/(?<= )/)) {
      response.write(event({ type: "response.output_text.delta", item_id: id, delta }))
    }
    const content = [{ type: "output_text", text: words, annotations: [] }]
    const item = { id, type: "message", role: "assistant", status: "completed", content }
    response.write(event({ type: "response.output_item.done", item }))
    const usage = { input_tokens, output_tokens: 7, input_tokens_details: { cached_tokens: 20 }, total_tokens: 0 }
    response.end(event({ type: "response.completed", response: { usage } }))
  }

/** Calls a tool. */
export const calls =
  (name: string, args: object): Answer =>
  (response) => {
    const n = ++made
    begin(response)
    const item = { id: `fc_${n}`, type: "function_call", name, arguments: JSON.stringify(args), call_id: `call_${n}` }
    response.write(event({ type: "response.output_item.done", item }))
    response.end(event({ type: "response.completed", response: { usage: null } }))
  }

/** Begins to say something and breaks off: at once, or when somebody hangs up. */
export const breaks =
  (words: string, when: "now" | "never"): Answer =>
  (response) => {
    begin(response)
    response.write(event({ type: "response.output_text.delta", item_id: "lost", delta: words }), () => {
      if (when === "now") response.destroy()
    })
  }

/** Refuses. */
export const refuses =
  (status: number, error: object, headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers })
    response.end(JSON.stringify({ error }))
  }

/** Fails within the stream. */
export const fails =
  (error: object): Answer =>
  (response) => {
    begin(response)
    response.end(event({ type: "response.failed", response: { error } }))
  }

/** The words of a prompt. */
export const wordsOf = ({ input }: Asked): ReadonlyArray<string> =>
  input.map((item) => item.content?.map((part) => part.text).join("") ?? item.type)
