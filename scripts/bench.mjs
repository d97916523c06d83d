/**
 * "npm run bench": bundles one benchmark of the packages and runs it with the garbage collector at hand.
 */
import { existsSync, readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { run } from "./run.mjs"
import { helpOr, packages } from "./workspace.mjs"

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

await run(found.path, ["--expose-gc"], options)
