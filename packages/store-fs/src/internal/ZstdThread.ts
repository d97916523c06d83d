/**
 * A thread that decodes zstd frames, for whoever decodes many of them one after the other.
 *
 * The zstd binding makes a new buffer outside of the heap for every result. In the host's own thread a few of them make
 * the collector go through all that the host has, which costs more than decoding them. This thread has next to nothing to
 * go through, and what it decodes lands in memory that is shared and used again.
 *
 * It is a matter of speed alone: where it cannot be had, or does not do it, frames are decoded where they always were.
 */
import { createRequire } from "node:module"
import { Worker } from "node:worker_threads"

/** What is asked of the thread: to decode a frame into memory, or to compare it with what is there. */
interface Request {
  readonly id: number
  readonly task: "decode" | "compare"
  readonly frame: Uint8Array
  readonly memory: Uint8Array
}

/** Text and not a file, so that nobody who bundles has to know of it. */
const script = `
const { parentPort, workerData } = require("node:worker_threads")
const { decompress } = require(workerData)
const handle = async ({ frame, memory, task }) => {
  const bytes = await decompress(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength))
  if (bytes.length !== memory.length) return false
  if (task === "compare") return Buffer.compare(bytes, memory) === 0
  memory.set(bytes)
  return true
}
parentPort.on("message", (request) =>
  handle(request).catch(() => false).then((isDone) => parentPort.postMessage({ id: request.id, isDone })))
parentPort.postMessage({ id: 0, isDone: true })
`

/** Milliseconds without a task after which it ends. */
const idle = 2000

let worker: Worker | undefined
let isReady = false
/** It could not be started, or it died: then it is not tried again. */
let isBroken = false
let ids = 0
let timer: NodeJS.Timeout | undefined
const waiting = new Map<number, (isDone: boolean) => void>()
const starting: Array<() => void> = []

/** Memory that frames can be decoded into. */
export const memory = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length))

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
  worker.on("message", ({ id, isDone }: { readonly id: number; readonly isDone: boolean }) => {
    isReady = true
    if (id === 0) for (const resolve of starting.splice(0)) resolve()
    waiting.get(id)?.(isDone)
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
  for (const resolve of waiting.values()) resolve(false)
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

const ask = (task: Request["task"], frame: Uint8Array, into: Uint8Array): Promise<boolean> => {
  const thread = worker
  if (!isThere() || thread === undefined) return Promise.resolve(false)
  return new Promise<boolean>((resolve) => {
    const id = ++ids
    waiting.set(id, (isDone) => {
      waiting.delete(id)
      if (waiting.size === 0) {
        thread.unref()
        rest()
      }
      resolve(isDone)
    })
    // Somebody waits for the answer, so the process does.
    thread.ref()
    const request: Request = { id, task, frame, memory: into }
    thread.postMessage(request)
  })
}

/** Whether it can be used now; if not, it is started for the next time. */
export const isThere = (): boolean => {
  if (!isReady && !isBroken) void start()
  return isReady
}

/**
 * Decodes a frame into shared memory that is as long as its content. False when it was not done, whatever the reason; the
 * memory may be anything then. The frame has to be one that cannot come to much more: nothing limits what it takes here.
 */
export const decode = (frame: Uint8Array, into: Uint8Array): Promise<boolean> => ask("decode", frame, into)

/** Whether a frame decodes to what is in shared memory; false also when that was not done. */
export const isOf = (frame: Uint8Array, content: Uint8Array): Promise<boolean> => ask("compare", frame, content)
