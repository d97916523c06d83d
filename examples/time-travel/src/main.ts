/** What was true when: the state of a thread at every turn, what changed between two of them, and a fork from the past. */
import { openSkein, Patches } from "skein"

await using skein = await openSkein({ store: process.argv[2] ?? "memory:" })
await using thread = await skein.start({ settings: { model: "scripted-model" } })

/** A turn, in a world. */
const say = async (words: string, answer: string, stock: Readonly<Record<string, number>>): Promise<string> => {
  const turn = await thread.startTurn(words, {}, { world: { stock } })
  await turn.record([{ type: "message", role: "assistant", content: [{ type: "output_text", text: answer }] }])
  await turn.usage({ input_tokens: words.length, output_tokens: answer.length })
  await turn.complete()
  return turn.id
}

const turns = [
  await say("How many apples are there?", "Ten.", { apples: 10 }),
  await say("Sell three.", "Sold. Seven are left.", { apples: 7 }),
  await say("Buy pears.", "Bought twenty.", { apples: 7, pears: 20 })
]

// The state in front of each turn, and at the end. `stateAt` takes a moment or a position of the log as well.
const moments = [
  ...(await Promise.all(turns.map((turnId) => thread.stateAt({ turnId, edge: "before" })))),
  await thread.stateAt("end")
]
for (const [n, { context, records, turns: shown }] of moments.entries()) {
  const world = JSON.stringify(context.worldState ?? {})
  console.log(`before turn ${n + 1}: ${shown.length} turns, ${records} records, world ${world}`)
}

// What a turn changed, as RFC 6902 patches.
const [, before, after] = moments
const change = Patches.ofValue(before?.context.worldState, after?.context.worldState)
console.log("turn 2 changed:", JSON.stringify(change?._tag === "Patch" ? change.patch : change))

// The log goes on from there in another thread. The first one stays as it is.
await using fork = await skein.fork(thread.id, { at: { at: "before-turn", turnId: turns[1] ?? "" } })
const turn = await fork.startTurn("Sell all of them.", {}, { world: { stock: { apples: 0 } } })
await turn.record([{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Sold out." }] }])
await turn.complete()
console.log("the fork:", JSON.stringify((await fork.context()).worldState))
console.log("the thread:", JSON.stringify((await thread.context()).worldState))

// Going back in the thread itself: history, world and settings go back together.
const removed = await thread.rollback({ turnId: turns[2] ?? "" })
console.log(`taken back: ${removed.length} turn; the thread:`, JSON.stringify((await thread.context()).worldState))

// What was taken back is still in the log: at a place before, it is there.
const { position } = moments[3] ?? moments[0] ?? (await thread.stateAt("end"))
const past = await thread.stateAt({ position })
console.log("at that place of the log still:", JSON.stringify(past.context.worldState))
