/**
 * "npm test": makes the clone ready, then lint, types, the bundle of the command and all tests, each whatever the ones
 * before came to. The last line is `N passed, N failed`; a failed stage counts as one that failed.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundle, compile, ensureInstalled, tool } from "./ensure.mjs"
import { helpOr } from "./workspace.mjs"

const args = process.argv.slice(2)

helpOr(
  args,
  `
Usage: npm test
       npm test -- <options and file filters of vitest>

Lint (import direction and purity of core among it), types, the bundle of the command, then all tests.
Options go to vitest, such as "--project core" or "-t name". Ends with "N passed, N failed".`
)

await ensureInstalled()

const watched = process.stdout.isTTY === true
const lintArgs = [
  "check",
  "--error-on-warnings",
  "--diagnostic-level=warn",
  "--max-diagnostics=100",
  `--colors=${watched ? "force" : "off"}`,
  "."
]

// Tools take CI for a terminal; what goes into a pipe stays plain.
if (!watched) process.env.NO_COLOR = "1"

let passed = 0
let failed = 0

const seconds = (start) => `${((performance.now() - start) / 1000).toFixed(1)} s`

/** Runs a stage, says in a line what it came to, and shows what it printed when it failed. */
const stage = async (name, work) => {
  const start = performance.now()
  const { code, output } = await work()
  if (code !== 0) failed++
  process.stdout.write(`${code === 0 ? (output.match(/^Nothing .*\n/)?.[0] ?? "") : output}`)
  process.stdout.write(`${name}: ${code === 0 ? "ok" : "FAILED"} (${seconds(start)})\n`)
}

await stage("lint", () => tool("@biomejs/biome/bin/biome", lintArgs))
await stage("types", compile)
await stage("bundle", bundle)

const folder = mkdtempSync(join(tmpdir(), "skein-test-"))
try {
  const report = join(folder, "vitest.json")
  const start = performance.now()
  const { code } = await tool(
    "vitest/vitest.mjs",
    ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...args],
    { stdio: "inherit" }
  )
  const { ok, bad, skipped } = count(report)
  passed += ok
  failed += bad
  if (code !== 0 && bad === 0) failed++
  const fine = code === 0 && bad === 0
  process.stdout.write(`tests: ${fine ? "ok" : "FAILED"}, ${skipped} skipped (${seconds(start)})\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1

/** What the tests came to. A file that could not be loaded has no tests and counts as one that failed. */
function count(report) {
  let result
  try {
    result = JSON.parse(readFileSync(report, "utf8"))
  } catch {
    return { ok: 0, bad: 0, skipped: 0 }
  }
  const unloaded = result.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")
  )
  return {
    ok: result.numPassedTests,
    bad: result.numFailedTests + unloaded.length,
    skipped: result.numPendingTests + result.numTodoTests
  }
}
