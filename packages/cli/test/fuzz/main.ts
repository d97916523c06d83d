/** "npm run fuzz": as many inputs as are asked for, and the seed of each that was not taken as it should be. */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import * as Fuzz from "./Fuzz.js"
import * as Originals from "./originals.js"

const values = new Map<string, string>()
for (let i = 2; i < process.argv.length; i += 2) values.set(process.argv[i] ?? "", process.argv[i + 1] ?? "")
const root = process.env["SKEIN_ROOT"] ?? "."
const seed = Number(values.get("--seed") ?? Math.floor(Math.random() * 2 ** 30))
const runs = Number(values.get("--runs") ?? 100_000)
const isKnown = [...values.keys()].every((name) => name === "--seed" || name === "--runs")
if (!isKnown || !Number.isSafeInteger(seed) || !Number.isSafeInteger(runs) || runs < 1) {
  process.stderr.write("Usage: npm run fuzz -- [--seed S] [--runs N]\n")
  process.exit(2)
}

const folders = [join(root, "../shared/corpus"), join(root, "samples")].filter((folder) => existsSync(folder))
const paths = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".jsonl"))
    .map((entry) => join(entry.parentPath, entry.name))
)
const originals = await Originals.from(paths.sort())
process.stdout.write(`seed ${seed}, ${runs} inputs from ${originals.plain.length} rollouts\n`)
const started = performance.now()
let slowest = 0
let peak = 0
let failed = 0
for (let i = 0; i < runs; i++) {
  const before = performance.now()
  const failure = await Fuzz.one(seed + i, originals)
  slowest = Math.max(slowest, performance.now() - before)
  if (i % 1000 === 0) peak = Math.max(peak, process.memoryUsage().rss)
  if (failure === undefined) continue
  failed++
  process.stdout.write(`npm run fuzz -- --seed ${failure.seed} --runs 1: ${failure.target}: ${failure.reason}\n`)
  if (failed >= 20) break
}
const seconds = (performance.now() - started) / 1000
process.stdout.write(
  `${failed} failed; ${seconds.toFixed(1)} s, the slowest input ${slowest.toFixed(0)} ms, at most ${Math.round(peak / 2 ** 20)} MB\n`
)
process.exitCode = failed === 0 ? 0 : 1
