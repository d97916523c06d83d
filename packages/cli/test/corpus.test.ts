/** Holds `skein context` against what real Codex sent to its model, with the corpus's own comparison. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { corpus, needsCorpus, versions } from "../../core/test/corpus.js"
import { ensureBundle, script } from "./command.js"

interface Comparison {
  readonly tally: Readonly<
    Record<
      string,
      { readonly context: { readonly agree: number; readonly differ: number; readonly incomparable: number } }
    >
  >
  readonly failures: ReadonlyArray<{ readonly where: string; readonly why: string }>
}

describe.skipIf(corpus === undefined)(`every comparable context agrees with the reference${needsCorpus}`, () => {
  let comparison: Comparison = { tally: {}, failures: [] }
  let said = ""

  beforeAll(() => {
    ensureBundle()
    const compare = join(corpus ?? "", "compare.mjs")
    const words = [compare, "--skein", `node ${script}`, "--only", "context", "--json"]
    const { stdout, stderr } = spawnSync("node", words, { encoding: "utf8", maxBuffer: 2 ** 28, timeout: 170_000 })
    // The last line is the verdict; the document is what stands before it.
    const end = stdout.trimEnd().lastIndexOf("\n")
    said = `${stdout.slice(end)}${stderr}`
    comparison = JSON.parse(stdout.slice(0, end)) as Comparison
  }, 180_000)

  it.each(versions)("%s", (version) => {
    const ours = comparison.failures.filter(({ where }) => where.startsWith(`${version} `))
    expect(ours, said).toEqual([])
    const { agree = 0, differ = 0, incomparable = 0 } = comparison.tally[version]?.context ?? {}
    expect(differ).toBe(0)
    expect(agree + incomparable).toBeGreaterThan(0)
  })

  it("296 cases at least can be compared, and none differs", () => {
    const agree = Object.values(comparison.tally).reduce((sum, { context }) => sum + context.agree, 0)
    expect(agree, said).toBeGreaterThanOrEqual(296)
    expect(comparison.failures).toEqual([])
  })
})
