/**
 * "npm start": makes the clone ready and draws threads on the terminal; those of samples/ or the user's own.
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

Draws what the bundled sample threads come to, or your own. Nothing is written to the files read.`
)

await ensureInstalled()
await ensureBuilt()

// npm moves to the root folder; the user's paths are meant from where they typed the command.
const child = spawn(process.execPath, [join(root, "packages/cli/bin/skein.js"), "demo", ...args], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
  stdio: "inherit"
})
child.on("close", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1
})
