/** Packs all packages into a folder, for `npm install <folder>/*.tgz` in a project elsewhere. */
import { spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { resolve } from "node:path"
import { ensureBuilt, ensureInstalled } from "./ensure.mjs"
import { helpOr, packages } from "./workspace.mjs"

const args = process.argv.slice(2)

helpOr(
  args,
  `
Usage: npm run pack -- FOLDER

Builds what is not built yet and packs every package into FOLDER. Then, in your project: npm install FOLDER/*.tgz`
)

const [given] = args
if (given === undefined) {
  process.stderr.write("Name a folder for the archives: npm run pack -- FOLDER\n")
  process.exit(2)
}

await ensureInstalled()
await ensureBuilt()

// npm moves to the folder of the clone; the user's path is meant from where they typed it.
const folder = resolve(process.env.INIT_CWD ?? process.cwd(), given)
mkdirSync(folder, { recursive: true })
const npm = process.platform === "win32" ? "npm.cmd" : "npm"
for (const { name, folder: from } of packages) {
  const { status } = spawnSync(npm, ["pack", "--silent", "--pack-destination", folder], {
    cwd: from,
    stdio: ["ignore", "ignore", "inherit"]
  })
  if (status !== 0) {
    process.stderr.write(`${name} could not be packed.\n`)
    process.exit(1)
  }
  process.stdout.write(`packed ${name}\n`)
}
