/** A whole host: `npm start -- "Where is my parcel?"` answers, and every run goes on with the same thread. */
import { openSkein } from "skein"
import { ask } from "./model.js"

const words = process.argv[2] ?? "Where is my parcel?"

await using skein = await openSkein({ store: process.argv[3] ?? "sqlite:threads.db" })

// The thread that was used last, or a new one.
const [last] = (await skein.listPage({ pageSize: 1, sortKey: "recencyAt" })).items
await using thread =
  last === undefined
    ? await skein.start({ settings: { model: "any-model" } })
    : await skein.resume(last.id, { patience: 15_000 })

// If the model fails, the turn is ended as interrupted on the way out.
await using turn = await thread.startTurn(words, {}, { world: { orders: { parcel: "sent" } } })
const { input } = await turn.context()
await turn.record([{ type: "message", role: "assistant", content: [{ type: "output_text", text: await ask(input) }] }])
await turn.complete()

for (const { items, status } of await thread.turns()) {
  console.log(`${status}:`, items.map((item) => (item.type === "agentMessage" ? item.text : item.type)).join(" → "))
}
