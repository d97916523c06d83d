/** A host with promises. */
import type { Host } from "./Project.js"
import * as Shared from "./Shared.js"

const main = `/** \`npm start -- "Where is my parcel?"\` answers, and every run goes on with the same thread. */
import { openSkein } from "skein"
import { answer } from "./host.js"

const words = process.argv[2] ?? "Where is my parcel?"

await using skein = await openSkein({ store: process.argv[3] ?? "sqlite:threads.db" })

// The thread that was used last, or a new one. A process that was killed holds its right to write for some seconds more.
const [last] = (await skein.listPage({ pageSize: 1, sortKey: "recencyAt" })).items
await using thread =
  last === undefined
    ? await skein.start({ settings: { model: "any-model" } })
    : await skein.resume(last.id, { patience: 15_000 })

await answer(thread, words)

for (const { items, status } of await thread.turns()) {
  console.log(\`\${status}:\`, items.map((item) => (item.type === "agentMessage" ? item.text : item.type)).join(" → "))
}
`

const host = `/** One turn: the words of the user go in, the model is asked, its answer is recorded. */
import type { Thread } from "skein"
import { ask } from "./model.js"

export const answer = async (thread: Thread.Thread, words: string): Promise<void> => {
  // If the model fails, the turn is ended as interrupted on the way out.
  await using turn = await thread.startTurn(words, {}, { world: { orders: { parcel: "sent" } } })
  const { input } = await turn.context()
  const text = await ask(input)
  await turn.record([{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }])
  await turn.complete()
}
`

const test = `import * as Fold from "@skein/core/fold/Fold"
import { anyLog } from "@skein/testing/AnyLog"
import * as fc from "fast-check"
import { openSkein } from "skein"
import { expect, it } from "vitest"
import { answer } from "../src/host.js"
import * as Questions from "../src/Questions.js"

${Shared.law}
it("whatever is said is kept, and every turn ends", async () => {
  await fc.assert(
    fc.asyncProperty(said, async (all) => {
      await using skein = await openSkein({ store: "memory:" })
      await using thread = await skein.start({ settings: { model: "any-model" } })
      for (const words of all) await answer(thread, words)
      expect((await thread.turns()).map(({ status }) => status)).toEqual(all.map(() => "completed"))
      expect((await skein.fold(thread.id, Questions.fold)).state).toEqual(all)
    }),
    { numRuns: 25 }
  )
})
`

/** The flavour. */
export const flavour: Host = {
  files: {
    "src/main.ts": main,
    "src/host.ts": host,
    "src/model.ts": Shared.model,
    "src/Questions.ts": Shared.questions,
    "test/host.test.ts": test
  },
  imports: ["@skein/core", "skein"],
  brings: ["@skein/engine", "@skein/store", "@skein/store-fs", "@skein/store-memory", "@skein/store-sqlite"],
  dependencies: {},
  about:
    "A host of agent threads, with promises: it answers, keeps what was said, and goes on with it in the next run.",
  modules: [
    ["src/main.ts", "opens the store, takes the last thread or a new one, answers, shows the turns"],
    ["src/host.ts", "one turn"],
    ["src/model.ts", "the model"],
    ["src/Questions.ts", "a state of your own over the records of a thread"]
  ]
}
