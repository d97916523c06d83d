/**
 * The process that is going to be killed: a support bot with a scripted model. It does everything that a thread can go
 * through, tells the process that started it what it was in the middle of, and waits for its end.
 */
import { openSkein } from "skein"
import * as Draw from "./Draw.js"
import * as Seen from "./Seen.js"

const style = Draw.styleOf(process.stdout)
const say = (what: string, text: string): void => console.log(`  ${style.dim(what.padEnd(11))}${text}`)

const answer = (text: string) =>
  ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] }) as const

const skein = await openSkein({ store: process.argv[2] ?? "memory:", lease: { time: "2 seconds" } })
const thread = await skein.start({
  name: "Where is my parcel?",
  instructions: "You answer for a parcel service. Be brief.",
  settings: { model: "scripted-model" }
})
say("thread", thread.id)

// A turn: what the user says, what the world looks like, what the model answers.
let turn = await thread.startTurn("Where is my parcel?", {}, { world: { parcel: { status: "sent" } } })
say("turn 1", `the model is sent ${(await turn.context()).input.length} items: the world, and the words of the user`)
await turn.record([
  { type: "function_call", name: "track", arguments: '{"parcel":"P-17"}', call_id: "call-1" },
  { type: "function_call_output", call_id: "call-1", output: "Left the depot in Leipzig at 06:40" }
])
await turn.record([answer("It left Leipzig this morning.")])
await turn.usage({ input_tokens: 412, output_tokens: 38 })
await turn.complete()

// The world changed. It is told once: what the model knows already is not told again.
turn = await thread.startTurn("Is it here yet?")
const told = await turn.world({ parcel: { status: "delivered", by: "Ohm" } })
const again = await turn.world({ parcel: { status: "delivered", by: "Ohm" } })
say("turn 2", `the world changed: ${told?.length ?? 0} message to the model; asked again: ${again?.length ?? 0}`)

// Somebody who looks something up meanwhile is an agent below the thread.
const courier = await skein.spawn(thread, { taskName: "courier", nickname: "Ohm", turns: "none" })
await turn.send({ to: "courier", content: "Where did you leave parcel P-17?", triggerTurn: true })
await courier.awaitWork()
const work = await courier.startTurn(undefined, { model: "scripted-model" })
await work.record([answer("With the neighbour on the second floor.")])
await work.complete()
say("agent", `${courier.path} has mail, works, and its answer is mail for the thread`)
await turn.record([answer("Yes. Ohm left it with your neighbour on the second floor.")])
await turn.complete()

// A fork goes on elsewhere, from any place; the thread stays as it is.
const fork = await skein.fork(thread.id, { at: { at: "before-turn", turnId: turn.id }, name: "What if it was lost?" })
const other = await fork.startTurn("I think it is lost.")
await other.record([answer("I have opened a claim for P-17.")])
await other.complete()
say("fork", `${fork.id} left before turn 2`)
await fork.close()

// A compaction: what the model made of the history takes its place, in a new context window.
const before = (await thread.context()).history.length
await thread.compact({ kind: "local", summary: "The parcel P-17 was delivered to a neighbour." })
const after = await thread.context()
say("compaction", `${before} items of history became ${after.history.length}, in window ${after.window.number}`)

// A turn that was a mistake is taken back: for the model, for its world, for clients.
turn = await thread.startTurn("Cancel everything!")
await turn.record([answer("All your orders are cancelled.")])
await turn.complete()
await thread.rollback({ count: 1 })
say("rollback", "the model has never heard of cancelling everything")

// In the middle of a turn the process dies.
turn = await thread.startTurn("Which floor was it?", {}, { world: { parcel: { status: "delivered", by: "Ohm" } } })
await turn.record([
  { type: "function_call", name: "look_up", arguments: '{"parcel":"P-17"}', call_id: "call-2" },
  { type: "function_call_output", call_id: "call-2", output: "second floor" }
])
say("turn 4", "runs; a tool has answered, the model has not")
process.send?.({ threadId: thread.id, turnId: turn.id, seen: await Seen.of(thread) } satisfies Seen.Left)
