/** A host with Effect. */
import type { Host } from "./Project.js"
import * as Shared from "./Shared.js"

const main = `/** \`npm start -- "Where is my parcel?"\` answers, and every run goes on with the same thread. */
import * as Threads from "@skein/engine/Threads"
import * as SqliteStore from "@skein/store-sqlite/SqliteStore"
import { Console, Effect, Layer, Schedule } from "effect"
import * as Host from "./Host.js"

const words = process.argv[2] ?? "Where is my parcel?"
const filename = process.argv[3] ?? "threads.db"

// A process that was killed holds its right to write for some seconds more.
const patience = Schedule.spaced("250 millis").pipe(Schedule.upTo("15 seconds"))

const program = Effect.gen(function* () {
  const threads = yield* Threads.Threads
  // The thread that was used last, or a new one.
  const [last] = (yield* threads.list({ pageSize: 1, sortKey: "recencyAt" })).items
  const thread =
    last === undefined
      ? yield* threads.start({ settings: { model: "any-model" } })
      : yield* threads
          .resume(last.id)
          .pipe(Effect.retry({ schedule: patience, while: ({ _tag }) => _tag === "LeaseHeld" }))

  yield* Host.answer(thread, words)

  for (const { items, status } of yield* thread.turns) {
    const shown = items.map((item) => (item.type === "agentMessage" ? item.text : item.type))
    yield* Console.log(\`\${status}: \${shown.join(" → ")}\`)
  }
})

const threads = Layer.provide(Threads.layer(), SqliteStore.layer({ filename }))
await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(threads)))
`

const host = `/** One turn: the words of the user go in, the model is asked, its answer is recorded. */
import type { LiveThread } from "@skein/engine/LiveThread"
import { Effect } from "effect"
import { ask } from "./model.js"

export const answer = (thread: LiveThread, words: string) =>
  Effect.gen(function* () {
    const turn = yield* thread.startTurn(words, {}, { world: { orders: { parcel: "sent" } } })
    const { input } = yield* turn.context()
    const text = yield* Effect.tryPromise(() => ask(input))
    yield* turn.record([{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }])
    yield* turn.complete()
    // If the model fails, the turn is ended as interrupted when its scope closes.
  }).pipe(Effect.scoped)
`

const test = `import * as Fold from "@skein/core/fold/Fold"
import * as Threads from "@skein/engine/Threads"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import { anyLog } from "@skein/testing/AnyLog"
import { Effect, Layer } from "effect"
import * as fc from "fast-check"
import { expect, it } from "vitest"
import * as Host from "../src/Host.js"
import * as Questions from "../src/Questions.js"

${Shared.law}
it("whatever is said is kept, and every turn ends", async () => {
  const program = (all: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const threads = yield* Threads.Threads
      const thread = yield* threads.start({ settings: { model: "any-model" } })
      for (const words of all) yield* Host.answer(thread, words)
      expect((yield* thread.turns).map(({ status }) => status)).toEqual(all.map(() => "completed"))
      expect((yield* threads.fold(thread.id, Questions.fold)).state).toEqual(all)
    }).pipe(Effect.scoped, Effect.provide(Layer.provide(Threads.layer(), MemoryStore.layer)))

  await fc.assert(
    fc.asyncProperty(said, (all) => Effect.runPromise(program(all))),
    { numRuns: 25 }
  )
})
`

/** The flavour. */
export const flavour: Host = {
  files: {
    "src/main.ts": main,
    "src/Host.ts": host,
    "src/model.ts": Shared.model,
    "src/Questions.ts": Shared.questions,
    "test/host.test.ts": test
  },
  imports: ["@skein/core", "@skein/engine", "@skein/store-memory", "@skein/store-sqlite"],
  brings: ["@skein/store"],
  dependencies: {
    "@effect/experimental": "^0.61.0",
    "@effect/platform": "^0.97.2",
    "@effect/sql": "^0.52.1",
    "@effect/sql-sqlite-node": "^0.53.0",
    effect: "^3.22.4"
  },
  about: "A host of agent threads, with Effect: it answers, keeps what was said, and goes on with it in the next run.",
  modules: [
    ["src/main.ts", "the layers; takes the last thread or a new one, answers, shows the turns"],
    ["src/Host.ts", "one turn"],
    ["src/model.ts", "the model"],
    ["src/Questions.ts", "a state of your own over the records of a thread"]
  ]
}
