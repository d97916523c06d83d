/**
 * A process that appends to a store until it is done or killed. Says on its standard output, a line each, which batches
 * were acknowledged; takes `store seed from count threads`, numbers its batches `from` on, spread over the threads.
 */
import { writeSync } from "node:fs"
import type { Draft } from "@skein/core/record/Record"
import * as ThreadStore from "@skein/store/ThreadStore"
import { Effect } from "effect"
import { layerOf } from "./stores.js"
import { threadOf } from "./threads.js"

const [store = "", name = "", from = "0", count = "0", threads = "1"] = process.argv.slice(2)

/** Says a line at once: what was acknowledged must not wait in a process that is killed. */
const say = (line: string): void => {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      // Whoever reads is behind. A line is written whole or not at all.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error
    }
  }
}

const batch = (n: number): ReadonlyArray<Draft> =>
  Array.from({ length: 1 + (n % 4) }, (_, i, of = 1 + (n % 4)) => ({
    timestamp: "2026-11-20T12:00:00.000Z",
    type: "response_item",
    payload: {
      type: "message",
      role: "user",
      content: [{ type: "input_text", text: JSON.stringify([name, n, i, of]) }]
    }
  })) as unknown as ReadonlyArray<Draft>

/** How many appends are under way at once: more than one, so that groups are killed too. */
const width = 4

const program = Effect.gen(function* () {
  const service = yield* ThreadStore.ThreadStore
  const numbers = Array.from({ length: Number(count) }, (_, i) => Number(from) + i)
  const one = (n: number) =>
    service.append(threadOf(n % Number(threads)), batch(n)).pipe(
      Effect.retry({ while: (error) => error._tag === "LeaseHeld" || error._tag === "AppendConflict" }),
      Effect.tap(() => Effect.sync(() => say(`${n}`)))
    )
  // Batches of one thread follow each other, so that their order can be checked; threads go side by side.
  const lanes = Array.from(
    { length: Math.min(width, Number(threads)) },
    (_, lane, of = Math.min(width, Number(threads))) => numbers.filter((n) => (n % Number(threads)) % of === lane)
  )
  yield* Effect.forEach(lanes, (lane) => Effect.forEach(lane, one, { discard: true }), { concurrency: "unbounded" })
})

Effect.runPromise(program.pipe(Effect.provide(layerOf(store)))).then(
  () => process.exit(0),
  (error) => {
    writeSync(2, `${String(error)}\n`)
    process.exit(1)
  }
)
