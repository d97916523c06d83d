/**
 * Bundles the `skein` command: packages/cli/src/main.ts and all it needs become packages/cli/dist/skein.js, with a
 * chunk in dist/chunks for what is imported on demand. Parts with native code stay outside. The licences of what went
 * in from elsewhere go beside it, into dist/licenses.txt.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
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

/** The folders of the installed packages that something of went into the bundle, in order. */
const installed = [
  ...new Set(
    Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [])
    )
  )
].sort()

const licences = installed.map((folder) => {
  const { license, name, version } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"))
  const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? "" : `\n${readFileSync(join(root, folder, file), "utf8").trim()}\n`
  return `${name} ${version} (${license})\n${text}`
})
writeFileSync(join(cli, "dist/licenses.txt"), licences.join(`\n${"-".repeat(72)}\n\n`))
