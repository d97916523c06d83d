/**
 * A root agent starts three others, which work at the same time. Two answer by mail; the third is slow and is stopped. At
 * the end the tree is drawn and put away. Models are scripted; each agent is a loop in a fiber of its own.
 */
import * as Threads from "@skein/engine/Threads"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import { Effect, Layer } from "effect"
import * as Agent from "./Agent.js"

const chapters = {
  chapter_one: "It was a dark and stormy night",
  chapter_two: "The rain fell in torrents except at occasional intervals"
}

const program = Effect.gen(function* () {
  const threads = yield* Threads.Threads
  const root = yield* threads.start({ name: "How long is the book?", settings: Agent.settings })
  const turn = yield* root.startTurn("How many words do the chapters have?")

  // Each agent is a thread below this one. Its first mail is its task; it knows nothing else of its parent.
  for (const [taskName, text] of Object.entries(chapters)) {
    const agent = yield* threads.spawn(root, { taskName, turns: "none", message: `Count the words: ${text}` })
    yield* Effect.forkScoped(Agent.run(agent, Agent.counter))
  }
  const slow = yield* threads.spawn(root, { taskName: "critic", turns: "none" })
  yield* Effect.forkScoped(Agent.run(slow, Agent.dreamer))
  yield* turn.send({ to: "critic", content: "Is it any good?", triggerTurn: true })

  // Wait for mail; a step tells the model what came in.
  let answers: ReadonlyArray<string> = []
  while (answers.length < Object.keys(chapters).length) {
    yield* turn.sleep("1 minute")
    const { input } = yield* turn.context()
    answers = Agent.mail(input)
  }
  for (const answer of answers) console.log(`mail: ${answer.replaceAll("\n", " ")}`)

  // Nobody waits for the critic.
  yield* turn.interrupt("critic")
  const total = answers.reduce((sum, answer) => sum + Number(/\d+/.exec(answer)?.[0] ?? 0), 0)
  yield* turn.record([Agent.says(`The book has ${total} words so far.`)])
  yield* turn.complete()

  const { items } = yield* threads.list({ descendantsOf: root.id })
  for (const { agentPath, id } of [{ agentPath: root.path, id: root.id }, ...items]) {
    const { turns = [] } = yield* threads.read(id, { turns: true })
    console.log(`${agentPath}: ${turns.map(({ status }) => status).join(", ")}`)
    for (const item of turns.flatMap((one) => one.items)) {
      if (item.type === "subAgentActivity") console.log(`  ${item.kind} ${item.agentPath}`)
      if (item.type === "agentMessage") console.log(`  says: ${item.text}`)
    }
  }

  const { archived } = yield* threads.archive(root.id)
  const { items: left } = yield* threads.list({ hidden: true })
  console.log(`archived ${archived.length} threads, ${left.length} left`)
})

Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(Layer.provide(Threads.layer(), MemoryStore.layer))))
