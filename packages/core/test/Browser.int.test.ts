/**
 * The core in a browser: bundled for one, without Node's globals, within its budget, and with the answers that it gives
 * in Node.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { createContext, runInContext } from "node:vm"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { replay } from "./browser/replay.js"
import { repository, rolloutsBelow, samples } from "./corpus.js"

/** What a page that replays threads may weigh, minified and compressed, with Schema. */
const budget = 90_000

/** What everything together may: a guard against what is heavy by mistake, such as a generator of random values. */
const wholeBudget = 130_000

const bundled = async (contents: string, format: "esm" | "iife") => {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: join(repository, "packages/core/test/browser"), loader: "ts" },
    bundle: true,
    format,
    absWorkingDir: repository,
    globalName: "page",
    platform: "browser",
    target: "es2022",
    minify: true,
    write: false,
    metafile: true
  })
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  return {
    text: outputFiles[0]?.text ?? "",
    inputs: inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)
  }
}

const sizeOf = (text: string): number => gzipSync(text, { level: 9 }).length

const threads = rolloutsBelow(samples)
  .filter((path) => path.endsWith(".jsonl"))
  .map((path) => readFileSync(path, "utf8"))

let page = ""
let inputs: ReadonlyArray<string> = []
beforeAll(async () => {
  const made = await bundled('export { replay } from "./replay.js"', "iife")
  page = made.text
  inputs = made.inputs
}, 60_000)

describe("the core, bundled for a browser", () => {
  it("takes nothing but its own files and effect; no generator of random values is among them", () => {
    expect(inputs.length).toBeGreaterThan(100)
    for (const path of inputs)
      expect(path).toMatch(/core\/(src|test\/browser)\/|node_modules\/effect\/dist\/|^<stdin>$/)
  })

  it("weighs no more than a page can bear", async () => {
    const whole = await bundled('export * from "../../src/index.js"', "esm")
    const sizes = { page: sizeOf(page), whole: sizeOf(whole.text) }
    console.log(`@skein/core, minified and compressed: ${sizes.page} bytes to replay a thread, ${sizes.whole} for all`)
    expect(sizes.page).toBeLessThanOrEqual(budget)
    expect(sizes.whole).toBeLessThanOrEqual(wholeBudget)
  }, 60_000)

  it("gives the answers of Node where there is nothing of Node", () => {
    const context = createContext({ TextDecoder, TextEncoder, URL, threads })
    expect(runInContext("typeof process + typeof Buffer + typeof require + typeof setTimeout", context)).toBe(
      "undefined".repeat(4)
    )
    const answers = runInContext(`${page}\nthreads.map((text) => page.replay(text))`, context) as ReadonlyArray<string>
    expect(threads.length).toBeGreaterThan(30)
    expect([...answers]).toEqual(threads.map(replay))
  })
})

/** A Chromium of this machine, of any of the names that it goes by; CHROMIUM names another. */
const chromium = [process.env["CHROMIUM"], "chromium", "chromium-browser", "google-chrome", "chrome"].find(
  (name) => name !== undefined && spawnSync(name, ["--version"], { encoding: "utf8", timeout: 30_000 }).status === 0
)

const needsChromium = chromium === undefined ? " (skipped: no Chromium on this machine)" : ""

describe.skipIf(chromium === undefined)(`headless Chromium${needsChromium}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "skein-page-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))

  it("shows the same views of the sample threads as Node", () => {
    const file = join(folder, "page.html")
    const given = Buffer.from(JSON.stringify(threads)).toString("base64")
    writeFileSync(
      file,
      `<!doctype html><meta charset="utf-8"><pre id="answer"></pre><script>${page.replaceAll("</script", "<\\/script")}
const decoded = Uint8Array.from(atob("${given}"), (letter) => letter.charCodeAt(0))
const answers = JSON.parse(new TextDecoder().decode(decoded)).map((text) => page.replay(text))
const bytes = new TextEncoder().encode(JSON.stringify(answers))
let letters = ""
for (const byte of bytes) letters += String.fromCharCode(byte)
document.getElementById("answer").textContent = "[" + btoa(letters) + "]"
</script>`
    )
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(folder, "profile")}`]
    const shown = execFileSync(chromium ?? "", [...flags, "--dump-dom", pathToFileURL(file).href], {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      timeout: 60_000,
      stdio: ["ignore", "pipe", "ignore"]
    })
    const answer = /<pre id="answer">\[(.*?)\]<\/pre>/.exec(shown)?.[1] ?? ""
    expect(JSON.parse(Buffer.from(answer, "base64").toString() || "null")).toEqual(threads.map(replay))
  }, 90_000)
})
