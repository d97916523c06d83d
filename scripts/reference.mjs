/**
 * "npm run docs": writes the API reference, made from the docstrings, as HTML to docs/api/dist. TypeDoc and the
 * TypeScript that it needs are installed in docs/api alone, the first time.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join, relative } from "node:path"
import { ensureInstalled } from "./ensure.mjs"
import { helpOr, root } from "./workspace.mjs"

helpOr(
  process.argv.slice(2),
  `
Usage: npm run docs

Writes the API reference as HTML to docs/api/dist. Takes half a minute, the first time a little more.`
)

await ensureInstalled()

const folder = join(root, "docs/api")
const typedoc = join(folder, "node_modules/typedoc/bin/typedoc")

/** Runs a command in docs/api; ends the process when it fails. */
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: folder, stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}

if (!existsSync(typedoc)) {
  run(process.platform === "win32" ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"])
}
run(process.execPath, [typedoc])
process.stdout.write(`${relative(process.cwd(), join(folder, "dist/index.html"))}\n`)
