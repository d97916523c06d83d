/**
 * What the other scripts know of this repository: where it lies and which packages it has.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The folder that holds the root package.json. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const inside = (parent) =>
  (existsSync(join(root, parent)) ? readdirSync(join(root, parent)) : [])
    .map((entry) => join(root, parent, entry))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ name: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name, folder }))

/** The packages, as `{ name, folder }`: `name` is what is imported, `folder` an absolute path. */
export const packages = inside("packages")

/** The example hosts, in the same form. */
export const examples = inside("examples")

/**
 * Import aliases from each package to its sources, so that nothing must be built first: `@skein/core` is its
 * `src/index.ts`, `@skein/core/record/Jsonl` is `src/record/Jsonl.ts`.
 */
export const aliases = packages.flatMap(({ name, folder }) => [
  { find: new RegExp(`^${name}$`), replacement: join(folder, "src/index.ts") },
  { find: new RegExp(`^${name}/(.+?)(?:\\.js)?$`), replacement: join(folder, "src/$1.ts") }
])

/** The same aliases as a plugin of esbuild. */
export const aliasPlugin = {
  name: "workspace-sources",
  setup(build) {
    for (const { find, replacement } of aliases) {
      build.onResolve({ filter: find }, ({ path }) => ({ path: path.replace(find, replacement) }))
    }
  }
}

/** Modules with native parts, which stay outside of every bundle. */
export const natives = ["@mongodb-js/zstd", "better-sqlite3"]

/** What every bundle begins with: CommonJS modules inside it call `require`. */
export const requireBanner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'

/** Runs `print` when the arguments ask for help, and ends the process. */
export const helpOr = (args, text) => {
  if (args[0] !== "--help" && args[0] !== "-h") return
  process.stdout.write(`${text.trim()}\n`)
  process.exit(0)
}
