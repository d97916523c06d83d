/** A model on loopback: answers every request of the Responses API with one message, and keeps what it was asked. */
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"

/** What a request gave the model to read. */
export type Input = ReadonlyArray<Readonly<Record<string, unknown>>>

/** A model that runs. */
export interface ModelServer {
  readonly url: string
  /** The inputs of the requests since it was asked last, in order. */
  readonly taken: () => ReadonlyArray<Input>
  readonly close: () => Promise<void>
}

/** Starts a model that always says the same. */
export const open = async (answer: string): Promise<ModelServer> => {
  let inputs: Array<Input> = []
  let count = 0
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (!request.url?.endsWith("/responses")) {
        response.writeHead(404, { "content-type": "application/json" })
        response.end(JSON.stringify({ error: { message: "there is nothing here but /responses" } }))
        return
      }
      inputs.push((JSON.parse(body) as { readonly input: Input }).input)
      const id = `resp_${++count}`
      const content = [{ type: "output_text", text: answer }]
      const item = { type: "message", role: "assistant", id: `msg_${count}`, content }
      const usage = { input_tokens: 1000, output_tokens: 10, total_tokens: 1010 }
      response.writeHead(200, { "content-type": "text/event-stream" })
      for (const event of [
        { type: "response.created", response: { id } },
        { type: "response.output_item.done", item },
        { type: "response.completed", response: { id, usage } }
      ]) {
        response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      }
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    taken: () => {
      const taken = inputs
      inputs = []
      return taken
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}
