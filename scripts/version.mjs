/** Gives all packages and examples a version, and names it wherever one of ours is asked for. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { examples, helpOr, packages, root } from "./workspace.mjs"

const args = process.argv.slice(2)

const usage = `
Usage: node scripts/version.mjs <version>

Sets the version of every package, of what they ask of each other, and of what "skein --version" says. Then:
npm install --package-lock-only, and a heading of CHANGELOG.md.`

helpOr(args, usage)
const [version = ""] = args
if (args.length !== 1 || !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version)) {
  process.stderr.write(`${usage.trim()}\n`)
  process.exit(2)
}

/** Changes a text in place, so that the form of the file stays as it is. */
const edit = (path, change) => writeFileSync(path, change(readFileSync(path, "utf8")))

const ours = packages.map(({ name }) => name)
for (const { folder } of [...packages, ...examples]) {
  edit(join(folder, "package.json"), (text) =>
    ours
      .reduce((all, name) => all.replaceAll(new RegExp(`("${name}": )"[^"]*"`, "g"), `$1"${version}"`), text)
      .replace(/("version": )"[^"]*"/, `$1"${version}"`)
  )
}
edit(join(root, "packages/cli/src/Version.ts"), (text) => text.replace(/(version = )"[^"]*"/, `$1"${version}"`))
