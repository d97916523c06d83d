/** A real Codex: fetched from the npm registry, and asked over its app server (JSON-RPC, one message a line). */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"

/** Where binaries are kept between runs: `$XDG_CACHE_HOME/skein/codex`, or `~/.cache/skein/codex`. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "skein", "codex")

/** The binary of a version. Cost: the first time a download of some 100 MB, 400 MB unpacked. */
export const fetch = (version: string): string => {
  const home = join(cache, version)
  if (!existsSync(home)) {
    mkdirSync(cache, { recursive: true })
    // Beside its place first, so that what is there is whole.
    const fresh = mkdtempSync(join(cache, "fetching-"))
    try {
      writeFileSync(join(fresh, "package.json"), '{ "private": true }\n')
      const words = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", fresh]
      execFileSync("npm", [...words, `@openai/codex@${version}`], { stdio: ["ignore", "ignore", "inherit"] })
      renameSync(fresh, home)
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true })
      throw error
    }
  }
  const files = readdirSync(join(home, "node_modules", "@openai"), { recursive: true, encoding: "utf8" })
  const binary = files.find((file) => /vendor[\\/].*[\\/]codex(\.exe)?$/.test(file))
  if (binary === undefined) throw new Error(`there is no binary of Codex ${version} for this machine in ${home}`)
  return join(home, "node_modules", "@openai", binary)
}

/** What Codex shows of a thread, as far as it is asked about here. */
export interface Shown {
  readonly id: string
  readonly name?: string | null
  readonly preview?: string
  readonly historyMode?: string
  readonly turns: ReadonlyArray<ShownTurn>
}

/** A turn as Codex shows it. */
export interface ShownTurn {
  readonly id: string
  readonly status: string
  readonly error?: unknown
  readonly items?: unknown
}

/** A Codex that runs. */
export interface Codex {
  /** An answer; a refusal is an error. */
  readonly ask: <A>(method: string, params: object) => Promise<A>
  /** Gives a text to a thread and waits for the end of the turn. */
  readonly turn: (threadId: string, text: string) => Promise<ShownTurn>
  readonly close: () => Promise<unknown>
}

const config = (url: string): string => `model = "gpt-5.5"
model_provider = "loopback"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[model_providers.loopback]
name = "loopback"
base_url = "${url}"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false
`

/** Nothing of the caller's machine, and for all that is not loopback a port at which nobody listens. */
const environment = (home: string): NodeJS.ProcessEnv => {
  const nowhere = "http://127.0.0.1:9"
  return {
    PATH: process.env.PATH,
    HOME: dirname(home),
    CODEX_HOME: home,
    LANG: "C.UTF-8",
    TZ: process.env.TZ,
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    ALL_PROXY: nowhere,
    NO_PROXY: "127.0.0.1,localhost"
  }
}

/** How long an answer may take, in milliseconds. */
const patience = 60_000

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly threadId?: string; readonly turn?: ShownTurn }
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** Starts a Codex over a home, with the model at that address. */
export const open = async (binary: string, home: string, url: string): Promise<Codex> => {
  writeFileSync(join(home, "config.toml"), config(url))
  const child = spawn(binary, ["app-server"], {
    cwd: dirname(home),
    env: environment(home),
    stdio: ["pipe", "pipe", "ignore"]
  })
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const listeners = new Set<(message: Message | undefined) => void>()
  const tell = (message: Message | undefined) => {
    for (const listener of listeners) listener(message)
  }
  child.once("error", () => tell(undefined))
  child.stdin.on("error", () => tell(undefined))
  void gone.then(() => tell(undefined))
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = parsed(line)
    // A request of the server: nothing that it may ask for is granted.
    if (message?.method !== undefined && message.id !== undefined) {
      say({ id: message.id, result: { decision: "decline" } })
    } else if (message !== undefined) tell(message)
  })

  const say = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`)

  /** The first message that something can be made of. */
  const heard = <A>(what: string, pick: (message: Message) => A | undefined): Promise<A> =>
    new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        listeners.delete(listener)
      }
      const listener = (message: Message | undefined) => {
        try {
          if (message === undefined) throw new Error(`${what}: Codex is gone`)
          const found = pick(message)
          if (found === undefined) return
          end()
          resolve(found)
        } catch (error) {
          end()
          reject(error)
        }
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(`${what}: no answer in ${patience / 1000} s`))
      }, patience)
      listeners.add(listener)
    })

  let last = 0
  const ask = async <A>(method: string, params: object): Promise<A> => {
    const id = ++last
    const answer = heard(method, (message) => {
      if (message.id !== id) return undefined
      if (message.error !== undefined) throw new Error(`${method}: ${message.error.message}`)
      return { result: message.result as A }
    })
    say({ id, method, params })
    return (await answer).result
  }

  const turn = async (threadId: string, text: string): Promise<ShownTurn> => {
    const ended = heard("turn/completed", ({ method, params }) =>
      method === "turn/completed" && params?.threadId === threadId ? params.turn : undefined
    )
    ended.catch(() => undefined)
    await ask("turn/start", { threadId, input: [{ type: "text", text }] })
    return ended
  }

  await ask("initialize", {
    clientInfo: { name: "skein", title: "Skein", version: "0.1.0" },
    capabilities: { experimentalApi: true }
  })
  say({ method: "initialized" })
  return { ask, turn, close: () => ended(child, gone) }
}

const parsed = (line: string): Message | undefined => {
  try {
    return JSON.parse(line) as Message
  } catch {
    return undefined
  }
}

/** Lets a Codex end by itself; one that does not is stopped. */
const ended = async (child: ChildProcess, gone: Promise<void>): Promise<void> => {
  child.stdin?.end()
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000)
  await gone
  clearTimeout(timer)
}
