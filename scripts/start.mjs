/**
 * "npm start": makes the clone ready and shows what Skein does: the quickstart and some of the bundled sample threads, or
 * the user's own threads.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { ensureBuilt, ensureInstalled } from "./ensure.mjs"
import { helpOr, root } from "./workspace.mjs"

const args = process.argv.slice(2)

helpOr(
  args,
  `
Usage: npm start
       npm start -- <rollout file or Codex home> ...

Without arguments, examples/quickstart: a conversation in a database, killed in the middle of a turn and resumed by
another process; then the sample threads of one release. With them, draws what the given threads come to; nothing is
written to the files read. All samples: npm start -- samples`
)

await ensureInstalled()
await ensureBuilt()

/** Runs a script of this repository for whoever watches; gives its exit code. */
const show = (script, given, cwd) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, script), ...given], { cwd, stdio: "inherit" })
    child.on("close", (code, signal) => resolve(signal === null ? (code ?? 1) : 1))
  })

const skein = "packages/cli/bin/skein.js"

if (args.length > 0) {
  // npm moves to the root folder; the user's paths are meant from where they typed the command.
  process.exitCode = await show(skein, ["demo", ...args], process.env.INIT_CWD ?? process.cwd())
} else {
  const codes = [await show("examples/quickstart/dist/main.js", [], root)]
  process.stdout.write("\nThreads that Codex wrote:\n\n")
  codes.push(await show(skein, ["demo", "samples/0.169.0"], root))
  process.stdout.write("All samples: npm start -- samples. Your own: npm start -- <rollout file or Codex home>\n")
  process.exitCode = Math.max(...codes)
}
