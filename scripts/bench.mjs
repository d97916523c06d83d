/**
 * "npm run bench": bundles one benchmark of the packages and runs it with the garbage collector at hand.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { ensureInstalled } from "./ensure.mjs"
import { aliasPlugin, helpOr, natives, packages, requireBanner, root } from "./workspace.mjs"

const benches = packages.flatMap(({ folder }) => {
  const bench = join(folder, "bench")
  const files = existsSync(bench) ? readdirSync(bench).filter((file) => file.endsWith(".bench.ts")) : []
  return files.map((file) => ({
    name: file.slice(0, -".bench.ts".length),
    path: join(bench, file),
    of: basename(folder)
  }))
})

const names = benches.length === 0 ? "  none yet" : benches.map(({ name, of }) => `  ${name}  (${of})`).join("\n")

const usage = `
Usage: npm run bench -- <name> [options of the benchmark]

Benchmarks:
${names}`

const [name, ...options] = process.argv.slice(2)
helpOr(process.argv.slice(2), usage)
if (name === undefined) {
  process.stdout.write(`${usage.trim()}\n`)
  process.exit(0)
}

const found = benches.find((bench) => bench.name === name)
if (found === undefined) {
  process.stderr.write(`There is no benchmark "${name}".\n\nBenchmarks:\n${names}\n`)
  process.exit(2)
}

await ensureInstalled()
const { build } = await import("esbuild")

// Inside the repository, so that the native modules left outside of the bundle are found above it.
mkdirSync(join(root, ".tsbuild"), { recursive: true })
const folder = mkdtempSync(join(root, ".tsbuild/bench-"))
try {
  const outfile = join(folder, `${name}.mjs`)
  await build({
    entryPoints: [found.path],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    external: natives,
    plugins: [aliasPlugin],
    banner: { js: requireBanner }
  })
  const { status } = spawnSync(process.execPath, ["--expose-gc", "--enable-source-maps", outfile, ...options], {
    cwd: process.env.INIT_CWD ?? root,
    stdio: "inherit"
  })
  process.exitCode = status ?? 1
} catch {
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
