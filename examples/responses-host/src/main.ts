/** Talks to a model about the files of a folder: `npm start -- "What is in here?"`. Each run goes on with the thread. */
import { parseArgs } from "node:util"
import { openSkein } from "skein"
import * as Loop from "./Loop.js"
import * as Tools from "./Tools.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: process.env.OPENAI_BASE_URL ?? "https://api.openai.com/v1" },
    key: { type: "string", default: process.env.OPENAI_API_KEY ?? "" },
    model: { type: "string", default: process.env.OPENAI_MODEL ?? "gpt-5.1" },
    store: { type: "string", default: "sqlite:threads.db" },
    folder: { type: "string", default: "." }
  }
})
const words = positionals.join(" ") || "What is in this folder?"

const host: Loop.Host = {
  endpoint: { url: values.url, key: values.key === "" ? undefined : values.key, model: values.model },
  tools: Tools.specs,
  runTool: (name, args) => {
    console.log(`· ${name} ${args}`)
    return Tools.run(values.folder, name, args)
  }
}

const stop = new AbortController()
process.once("SIGINT", () => stop.abort(new Error("stopped by Ctrl-C")))

await using skein = await openSkein({ store: values.store })
const [last] = (await skein.listPage({ pageSize: 1, sortKey: "recencyAt" })).items
await using thread =
  last === undefined
    ? await skein.start({ instructions: "You answer questions about the files of a folder. Be brief." })
    : await skein.resume(last.id, { patience: 15_000, signal: stop.signal })

// What clients are told, printed as it comes.
const events = thread.events()
const printing = (async () => {
  for await (const event of events) {
    if (event.type === "item/agentMessage/delta") process.stdout.write(event.delta)
    if (event.type === "error" && event.willRetry) console.log(`· ${event.error.message}; once more`)
    if (event.type === "item/completed" && event.item.type === "agentMessage") console.log()
    if (event.type === "item/completed" && event.item.type === "contextCompaction") console.log("· compacted")
    if (event.type === "turn/completed") {
      console.log(`· ${event.turn.status}${event.turn.error === null ? "" : `: ${event.turn.error.message}`}`)
      break
    }
  }
})()

const ended = await Loop.run(host, thread, words, stop.signal)
await printing
process.exitCode = { completed: 0, failed: 1, interrupted: 130 }[ended]
