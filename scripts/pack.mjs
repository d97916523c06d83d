/** Packs the published packages into a folder, for `npm install <folder>/*.tgz` in a project elsewhere. */
import { mkdirSync } from "node:fs"
import { resolve } from "node:path"
import { ensureBuilt, ensureInstalled } from "./ensure.mjs"
import { pack, published } from "./packed.mjs"
import { helpOr } from "./workspace.mjs"

const args = process.argv.slice(2)

helpOr(
  args,
  `
Usage: npm run pack -- FOLDER

Builds what is not built yet and packs every package that is published into FOLDER. Then, in your project: npm install FOLDER/*.tgz`
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
for (const { name, folder: from } of published) {
  await pack(from, folder)
  process.stdout.write(`packed ${name}\n`)
}
