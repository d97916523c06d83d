/**
 * Starts a process that holds a conversation, kills it in the middle of a turn, and goes on where it was. Then draws what
 * the database holds.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { openSkein } from "skein"
import * as Draw from "./Draw.js"
import * as Seen from "./Seen.js"

const style = Draw.styleOf(process.stdout)
const heading = (text: string): void => console.log(style.strong(text))

const folder = mkdtempSync(join(tmpdir(), "skein-quickstart-"))
const store = `sqlite:${join(folder, "threads.db")}`
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))

heading("1  A process holds a conversation")
const child = fork(fileURLToPath(new URL("./conversation.js", import.meta.url)), [store])
const left = await Promise.race([
  once(child, "message").then(([message]) => message as Seen.Left),
  once(child, "exit").then(() => Promise.reject(new Error("the conversation ended before its time")))
])

heading(`2  It is killed in the middle of a turn: kill -9 ${child.pid}`)
child.kill("SIGKILL")
await once(child, "exit")

heading(`3  Another process (${process.pid}) goes on where it was`)
await using skein = await openSkein({ store })
// The dead process held the right to write, which runs out by itself.
const thread = await skein.resume(left.threadId, { patience: 15_000 })
const seen = await Seen.of(thread)
const parts = Object.keys(seen) as ReadonlyArray<keyof Seen.Seen>
for (const part of parts) {
  const same = seen[part] === left.seen[part]
  const what = same ? `the same ${Buffer.byteLength(seen[part])} bytes` : `${left.seen[part]} became ${seen[part]}`
  console.log(`  ${same ? style.good("✓") : style.bad("✗")} ${part.padEnd(8)} ${style.dim(what)}`)
  if (!same) process.exitCode = 1
}
const { drafts } = await thread.pending()
console.log(
  `  resuming wrote nothing; what its next append begins with: ${drafts.length} records that end the lost turn`
)

const turn = await thread.startTurn("Are you still there?")
const { input } = await turn.context()
console.log(`  the model is told that it was interrupted: ${JSON.stringify(input).includes("<turn_aborted>")}`)
await turn.record([
  { type: "message", role: "assistant", content: [{ type: "output_text", text: "Yes. It was the second floor." }] }
])
await turn.complete()

heading("4  What the database holds")
for await (const { id } of skein.list({ hidden: true, sortKey: "createdAt", sortDirection: "asc" })) {
  const { thread: summary, turns = [] } = await skein.read(id, { turns: true })
  const { context } = await skein.stateAt(id, "end")
  for (const line of Draw.timeline(summary, turns, style)) console.log(line)
  for (const line of await Draw.windows(skein, id, context.window.number, style)) console.log(line)
}
const all = await skein.listPage({ hidden: true })
console.log(style.strong("  agents"))
for (const line of Draw.agents(all.items, style)) console.log(line)
