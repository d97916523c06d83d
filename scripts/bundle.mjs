/**
 * Bundles the `skein` command: packages/cli/src/main.ts and all it needs become packages/cli/dist/skein.js, with a
 * chunk in dist/chunks for what is imported on demand. Parts with native code stay outside.
 */
import { existsSync, readdirSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { aliasPlugin, helpOr, natives, requireBanner, root } from "./workspace.mjs"

helpOr(
  process.argv.slice(2),
  `
Usage: node scripts/bundle.mjs

Bundles packages/cli/src/main.ts into packages/cli/dist/skein.js.`
)

const cli = join(root, "packages/cli")
const entry = join(cli, "src/main.ts")

if (!existsSync(entry)) {
  process.stdout.write("Nothing to bundle: packages/cli/src/main.ts does not exist.\n")
  process.exit(0)
}

const { build } = await import("esbuild")
const { metafile } = await build({
  entryPoints: { skein: entry },
  outdir: join(cli, "dist"),
  absWorkingDir: root,
  entryNames: "[name]",
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minify: true,
  legalComments: "linked",
  external: natives,
  plugins: [aliasPlugin],
  banner: { js: requireBanner },
  metafile: true
}).catch(() => process.exit(1))

// Chunks are named after their content: those of earlier builds would stay for ever.
const chunks = join(cli, "dist/chunks")
const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)))
for (const name of existsSync(chunks) ? readdirSync(chunks) : []) {
  if (!written.has(name)) rmSync(join(chunks, name))
}
