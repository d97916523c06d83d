/**
 * A thread that encodes and decodes zstd frames, for whoever has many of them one after the other.
 *
 * The zstd binding makes a new buffer outside of the heap for every result. In the host's own thread a few of them make
 * the collector go through all that the host has, which costs more than decoding them. This thread has next to nothing to
 * go through, and what it makes lands in memory that is shared and used again.
 *
 * It is a matter of speed alone: where it cannot be had, or does not do it, its user does the same with the binding.
 */
import { createRequire } from "node:module"
import { Worker } from "node:worker_threads"

/** What is asked of the thread. */
interface Task {
  /** To put the one into memory, encoded or decoded, or to compare it, decoded, with what is there. */
  readonly task: "encode" | "decode" | "compare"
  readonly bytes: Uint8Array
  readonly memory: Uint8Array
  /** Of zstd, to encode. */
  readonly level?: number
}

interface Request extends Task {
  readonly id: number
}

interface Answer {
  readonly id: number
  /** Bytes that came out of it; undefined when it was not done. */
  readonly length: number | undefined
}

/** Text and not a file, so that nobody who bundles has to know of it. */
const script = `
const { parentPort, workerData } = require("node:worker_threads")
const { compress, decompress } = require(workerData)
const handle = async ({ bytes, level, memory, task }) => {
  const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const made = await (task === "encode" ? compress(given, level) : decompress(given))
  if (task === "encode" ? made.length > memory.length : made.length !== memory.length) return undefined
  if (task === "compare") return Buffer.compare(made, memory) === 0 ? made.length : undefined
  memory.set(made)
  return made.length
}
parentPort.on("message", (request) =>
  handle(request).catch(() => undefined).then((length) => parentPort.postMessage({ id: request.id, length })))
parentPort.postMessage({ id: 0 })
`

/** Milliseconds without a task after which it ends. */
const idle = 2000

let worker: Worker | undefined
let isReady = false
/** It could not be started, or it died: then it is not tried again. */
let isBroken = false
let ids = 0
let timer: NodeJS.Timeout | undefined
const waiting = new Map<number, (length: number | undefined) => void>()
const starting: Array<() => void> = []

/** Memory that both threads see. */
export const memory = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length))

/** Such memory of at least a length: what there is, if it is long enough. */
export const roomFor = (length: number, there: Uint8Array | undefined): Uint8Array =>
  there !== undefined && there.length >= length ? there : memory(length)

/** Begins to start it. Resolves when it can be used, or never will. */
export const start = (): Promise<void> => {
  if (isReady || isBroken) return Promise.resolve()
  const started = new Promise<void>((resolve) => starting.push(resolve))
  if (worker === undefined) launch()
  return started
}

const launch = (): void => {
  try {
    const workerData = createRequire(import.meta.url).resolve("@mongodb-js/zstd")
    worker = new Worker(script, { eval: true, workerData, env: {}, execArgv: [] })
  } catch {
    settle(true)
    return
  }
  // A process is not kept alive for it.
  worker.unref()
  worker.on("message", ({ id, length }: Answer) => {
    isReady = true
    if (id === 0) for (const resolve of starting.splice(0)) resolve()
    waiting.get(id)?.(length)
  })
  worker.on("error", () => settle(true))
  worker.on("exit", () => settle(waiting.size > 0 || !isReady))
  rest()
}

/** There is no thread any more. */
const settle = (broken: boolean): void => {
  isBroken ||= broken
  isReady = false
  worker = undefined
  clearTimeout(timer)
  for (const resolve of starting.splice(0)) resolve()
  for (const resolve of waiting.values()) resolve(undefined)
}

/** Ends it when nobody has asked for anything for a while. */
const rest = (): void => {
  clearTimeout(timer)
  timer = setTimeout(() => {
    if (waiting.size > 0) return
    isReady = false
    worker?.unref()
    void worker?.terminate()
  }, idle)
  timer.unref()
}

const ask = (task: Task): Promise<number | undefined> => {
  const thread = worker
  if (!isThere() || thread === undefined) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const id = ++ids
    waiting.set(id, (length) => {
      waiting.delete(id)
      if (waiting.size === 0) {
        thread.unref()
        rest()
      }
      resolve(length)
    })
    // Somebody waits for the answer, so the process does.
    thread.ref()
    const request: Request = { ...task, id }
    thread.postMessage(request)
  })
}

/** Whether it can be used now; if not, it is started for the next time. */
export const isThere = (): boolean => {
  if (!isReady && !isBroken) void start()
  return isReady
}

/**
 * Encodes what is in shared memory as a frame, into shared memory. Gives the length of the frame; undefined when it was
 * not done, whatever the reason, among them that it is longer than its memory.
 */
export const encode = (content: Uint8Array, level: number, into: Uint8Array): Promise<number | undefined> =>
  ask({ task: "encode", bytes: content, memory: into, level })

/**
 * Decodes a frame into shared memory that is as long as its content. False when it was not done, whatever the reason; the
 * memory may be anything then. The frame has to be one that cannot come to much more: nothing limits what it takes here.
 */
export const decode = async (frame: Uint8Array, into: Uint8Array): Promise<boolean> =>
  (await ask({ task: "decode", bytes: frame, memory: into })) !== undefined

/** Whether a frame decodes to what is in shared memory; false also when that was not done. */
export const isOf = async (frame: Uint8Array, content: Uint8Array): Promise<boolean> =>
  (await ask({ task: "compare", bytes: frame, memory: content })) !== undefined
