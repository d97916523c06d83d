/** Real Codex, asked over its app server (JSON-RPC, one message a line). It never reaches a model. */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { readdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** A turn as clients are shown it, as far as it is compared. */
export interface ShownTurn {
  readonly id: string
  readonly items: ReadonlyArray<{
    readonly type: string
    readonly text?: string | undefined
    readonly content?: ReadonlyArray<unknown> | undefined
  }>
}

/** What was said in some turns, in few characters: two that show the same conversation have the same. */
export const digest = (turns: ReadonlyArray<ShownTurn>): string => {
  const hash = createHash("sha256")
  for (const { id, items } of turns) {
    hash.update(`${id}\n`)
    for (const { content, text, type } of items) {
      if (type === "agentMessage") hash.update(`${type} ${JSON.stringify(text)}\n`)
      if (type !== "userMessage") continue
      const words = (content ?? []).map((part) => (part as { readonly text?: string }).text ?? "")
      hash.update(`${type} ${JSON.stringify(words.join(""))}\n`)
    }
  }
  return `${turns.length} turns ${hash.digest("hex").slice(0, 16)}`
}

const config = `model = "gpt-5.5"
model_provider = "nobody"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[model_providers.nobody]
name = "nobody"
base_url = "http://127.0.0.1:9/v1"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false
`

/** Takes away everything but the rollouts, so that Codex finds the home as one that it never saw. */
export const forget = (home: string): void => {
  for (const name of readdirSync(home)) {
    if (name !== "sessions") rmSync(join(home, name), { recursive: true, force: true })
  }
}

/** An answer, and the milliseconds from sending the question to its last byte. */
export interface Answer<A> {
  readonly result: A
  readonly ms: number
}

interface Message {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** How long an answer may take, in milliseconds. */
const patience = 180_000

/**
 * Starts a Codex over a home, asks it one question, and ends it. Its start is not counted. Throws when it refuses, ends
 * or says nothing for three minutes.
 */
export const ask = async <A>(binary: string, home: string, method: string, params: object): Promise<Answer<A>> => {
  writeFileSync(join(home, "config.toml"), config)
  const nowhere = "http://127.0.0.1:9"
  const child = spawn(binary, ["app-server"], {
    cwd: dirname(home),
    // Nothing of the caller's machine, and for whatever is not loopback a port at which nobody listens.
    env: {
      PATH: process.env.PATH,
      HOME: dirname(home),
      CODEX_HOME: home,
      LANG: "C.UTF-8",
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      ALL_PROXY: nowhere,
      NO_PROXY: "127.0.0.1,localhost"
    },
    stdio: ["pipe", "pipe", "ignore"]
  })
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const waiting = new Map<number, (message: Message | Error) => void>()
  const fail = (error: Error) => {
    for (const tell of waiting.values()) tell(error)
    waiting.clear()
  }
  child.once("error", fail)
  child.stdin.on("error", fail)
  void gone.then(() => fail(new Error("Codex is gone")))
  let parts: Array<Buffer> = []
  child.stdout.on("data", (chunk: Buffer) => {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...parts, chunk.subarray(from, end)])
      parts = []
      from = end + 1
      // An answer begins with its id; what else comes is told and not asked.
      const head = line.subarray(0, 24).toString()
      const id = Number(/^\{"id":(\d+)/.exec(head)?.[1] ?? Number.NaN)
      const tell = waiting.get(id)
      if (tell === undefined) continue
      waiting.delete(id)
      stamp = performance.now()
      tell(JSON.parse(line.toString()) as Message)
    }
    if (from < chunk.length) parts.push(chunk.subarray(from))
  })
  let stamp = 0
  let last = 0
  const request = (name: string, more: object): Promise<Answer<unknown>> =>
    new Promise((resolve, reject) => {
      const id = ++last
      const start = performance.now()
      const timer = setTimeout(() => reject(new Error(`${name}: no answer in ${patience} ms`)), patience)
      waiting.set(id, (message) => {
        clearTimeout(timer)
        if (message instanceof Error) reject(message)
        else if (message.error !== undefined) reject(new Error(`${name}: ${message.error.message}`))
        else resolve({ result: message.result, ms: stamp - start })
      })
      child.stdin.write(`${JSON.stringify({ id, method: name, params: more })}\n`)
    })
  try {
    await request("initialize", {
      clientInfo: { name: "bench", title: "bench", version: "1.0.0" },
      capabilities: { experimentalApi: true }
    })
    child.stdin.write(`${JSON.stringify({ method: "initialized" })}\n`)
    return (await request(method, params)) as Answer<A>
  } finally {
    child.stdin.end()
    const timer = setTimeout(() => child.kill("SIGKILL"), 8000)
    await gone
    clearTimeout(timer)
  }
}
