/** What stands in the way of a release is told, by the script that makes one, in a repository made for it. */
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { repository } from "../../core/test/corpus.js"

const work = mkdtempSync(join(tmpdir(), "skein-release-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))

const manifests = ["packages", "examples"].flatMap((parent) =>
  readdirSync(join(repository, parent))
    .map((name) => `${parent}/${name}/package.json`)
    .filter((path) => existsSync(join(repository, path)))
)
const files = [
  "scripts",
  "package.json",
  "package-lock.json",
  "CHANGELOG.md",
  "packages/cli/src/Version.ts",
  ...manifests
]

let tree = ""
const git = (...words: ReadonlyArray<string>) => {
  const author = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
  const { status, stderr } = spawnSync("git", [...author, ...words], { cwd: tree, encoding: "utf8" })
  if (status !== 0) throw new Error(stderr)
}
const commit = () => {
  git("add", "--all")
  git("commit", "--quiet", "--allow-empty", "--message=as it is")
}
const run = (script: string, ...words: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync("node", [`scripts/${script}`, ...words], { cwd: tree, encoding: "utf8" })
  return { code: status, lines: `${stdout}${stderr}`.trimEnd().split("\n") }
}
const edit = (path: string, from: RegExp, to: string) => {
  const text = readFileSync(join(tree, path), "utf8")
  expect(text).toMatch(from)
  writeFileSync(join(tree, path), text.replace(from, to))
}

const version: string = JSON.parse(readFileSync(join(repository, "packages/core/package.json"), "utf8")).version

// One tree for all: each test begins with it as it was committed first.
beforeAll(() => {
  tree = mkdtempSync(join(work, "tree-"))
  for (const path of files) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    cpSync(join(repository, path), join(tree, path), { recursive: true })
  }
  git("init", "--quiet")
  edit("CHANGELOG.md", /^## \S+ \(.*\)$/m, `## ${version} (2026-12-01)`)
  commit()
  git("tag", "first")
})

beforeEach(() => {
  git("reset", "--quiet", "--hard", "first")
  git("clean", "--quiet", "-d", "--force")
})

describe("node scripts/release.mjs --check", () => {
  it("says nothing against a clean tree with one version and a dated change", () => {
    expect(run("release.mjs", "--check")).toEqual({ code: 0, lines: [`${version} may be released.`] })
  })

  it("names what is not committed", () => {
    writeFileSync(join(tree, "stray.txt"), "")
    const { code, lines } = run("release.mjs", "--check")
    expect([code, ...lines]).toEqual([1, "The tree is not clean:", "?? stray.txt", `${version} may not be released.`])
  })

  it("names versions that are not that of the others, and what asks for another", () => {
    edit("packages/store-sqlite/package.json", /"version": "[^"]*"/, '"version": "7.7.7"')
    edit("packages/engine/package.json", /"@skein\/store": "[^"]*"/, '"@skein/store": "^7.0.0"')
    edit("packages/cli/src/Version.ts", /version = "[^"]*"/, 'version = "7.7.8"')
    commit()
    const { code, lines } = run("release.mjs", "--check")
    expect([code, ...lines]).toEqual([
      1,
      `packages/engine/package.json asks for @skein/store ^7.0.0, not ${version}.`,
      `packages/store-sqlite/package.json has version 7.7.7, not ${version}.`,
      `skein --version says 7.7.8, not ${version}.`,
      `${version} may not be released.`
    ])
  })

  it("wants the change told with its date", () => {
    edit("CHANGELOG.md", /^## .*$/m, `## ${version} (soon)`)
    commit()
    expect(run("release.mjs", "--check").lines).toContain(
      `CHANGELOG.md says that ${version} is "soon": give it its date.`
    )
    edit("CHANGELOG.md", /^## .*$/m, "## 0.0.1 (2026-12-01)")
    commit()
    expect(run("release.mjs", "--check").lines).toContain(`CHANGELOG.md has no heading "## ${version} (<date>)".`)
  })

  it("refuses to publish, and does nothing, as long as something stands in the way", () => {
    writeFileSync(join(tree, "stray.txt"), "")
    const { code, lines } = run("release.mjs", "--publish")
    expect([code, lines.at(-1)]).toEqual([1, `${version} may not be released.`])
  })

  it.each([["--pubish"], ["--check", "--publish"], ["now"]])("knows no %s %s", (...words) => {
    const { code, lines } = run("release.mjs", ...words)
    expect([code, lines[0]]).toEqual([
      2,
      "Usage: node scripts/release.mjs             says what would be published, and publishes nothing"
    ])
  })
})

describe("node scripts/version.mjs", () => {
  it("sets one version everywhere but in the lockfile and the changes, which the check then asks for", () => {
    expect(run("version.mjs", "9.8.7").code).toBe(0)
    commit()
    const { lines } = run("release.mjs", "--check")
    expect(lines.filter((line) => !line.startsWith("package-lock.json has packages/"))).toEqual([
      'CHANGELOG.md has no heading "## 9.8.7 (<date>)".',
      "9.8.7 may not be released."
    ])
  })

  it.each(["", "1", "v1.2.3", "1.2.3.4"])("takes no %j for a version", (word) => {
    expect(run("version.mjs", word).code).toBe(2)
  })
})
