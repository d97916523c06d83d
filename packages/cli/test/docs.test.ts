/**
 * The documentation is tested: every `ts` block of a Markdown file must compile and run, and print what the page shows;
 * every `skein` command of a `console` block must run and print what the page shows; pages whose blocks are files are
 * followed from top to bottom in an empty folder.
 *
 * A block tagged `ts no-run` is only compiled. A block `text output` behind a `ts` block is what that prints. How
 * commands and their output are written is told in `scripts/pages.mjs`. Outside of pages that are followed, blocks with
 * other commands than `skein` are skipped.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, relative } from "node:path"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  type Block,
  blocksOf,
  fileOf,
  follow,
  isFollowed,
  linesOf,
  matches,
  pages,
  run,
  shims,
  stepsOf
} from "../../../scripts/pages.mjs"
import { root } from "../../../scripts/workspace.mjs"

mkdirSync(join(root, ".tsbuild"), { recursive: true })
const work = mkdtempSync(join(root, ".tsbuild/docs-"))
const away = mkdtempSync(join(tmpdir(), "skein-docs-"))
afterAll(() => {
  for (const folder of [work, away]) rmSync(folder, { recursive: true, force: true })
})

const bin = join(work, "bin")
const env = {
  ...process.env,
  PATH: `${bin}:${process.env["PATH"]}`,
  NO_COLOR: "1",
  XDG_CACHE_HOME: join(work, "cache"),
  TMPDIR: work
}

const parsed = pages.map((path) => ({ path, blocks: blocksOf(path) }))
const blocks = parsed.flatMap((page) => page.blocks)
const nameOf = ({ path, line }: Block) => `${relative(root, path)}:${line}`
const entryOf = (block: Block) => `${nameOf(block).replace(/[^A-Za-z0-9]+/g, "-")}.ts`

const packages = readdirSync(join(root, "packages")).flatMap((folder) => {
  try {
    const { name } = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8")) as {
      name: string
    }
    return [{ name, src: join(root, "packages", folder, "src") }]
  } catch {
    return []
  }
})

const typescript = blocks.filter(({ language }) => language === "ts" || language === "typescript")

/** What the page says that a block prints; undefined when it says nothing. */
const printedBy = (block: Block): ReadonlyArray<string> | undefined => {
  const next = blocks[blocks.indexOf(block) + 1]
  return next?.path === block.path && next.tags.includes("output") ? linesOf(next.text) : undefined
}

describe("ts blocks", () => {
  let complaints = ""

  beforeAll(async () => {
    for (const block of typescript) writeFileSync(join(work, entryOf(block)), `${block.text}\n`)
    const paths = Object.fromEntries(
      packages.flatMap(({ name, src }) => [
        [name, [join(src, "index.ts")]],
        [`${name}/*`, [join(src, "*.ts")]]
      ])
    )
    const compilerOptions = {
      composite: false,
      incremental: false,
      noEmit: true,
      noUnusedLocals: false,
      noUnusedParameters: false,
      types: ["node"],
      paths
    }
    writeFileSync(
      join(work, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.base.json", compilerOptions, files: typescript.map(entryOf) })
    )
    if (typescript.length === 0) return
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    complaints = (await run(`"${process.execPath}" "${tsc}" -p "${work}" --pretty false`, { cwd: root, env })).output
  }, 120_000)

  it("compile: nothing is wrong outside of the blocks themselves", () => {
    const files = typescript.map(entryOf)
    const others = complaints
      .split("\n")
      .filter((line) => /^\S/.test(line) && !files.some((file) => line.includes(file)))
    expect(others).toEqual([])
  })

  it.each(typescript.map((block) => [nameOf(block), block] as const))("%s", async (_, block) => {
    const file = entryOf(block)
    expect(complaints.split("\n").filter((line) => line.includes(file))).toEqual([])
    if (block.tags.includes("no-run") || fileOf(block) !== undefined) return
    const outfile = join(work, `${basename(file, ".ts")}.mjs`)
    await build({
      entryPoints: [join(work, file)],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      packages: "external",
      logLevel: "silent",
      alias: Object.fromEntries(packages.map(({ name, src }) => [name, src]))
    })
    const { code, output } = await run(`"${process.execPath}" "${outfile}"`, { cwd: root, env })
    expect(code, output).toBe(0)
    const printed = printedBy(block)
    if (printed !== undefined && !matches(printed, linesOf(output))) expect(linesOf(output)).toEqual(printed)
  })
})

const consoles = parsed
  .filter((page) => !isFollowed(page.blocks))
  .flatMap((page) => page.blocks)
  .filter(({ language }) => language === "console")
  .map((block) => ({ block, steps: stepsOf(block.text) }))
  .filter(({ steps }) => steps.length > 0 && steps.every(({ command }) => /^skein(\s|$)/.test(command)))

describe.skipIf(consoles.length === 0)("console blocks", () => {
  beforeAll(() => shims(bin, join(root, "packages/cli/dist/skein.js")))

  it.each(consoles.map(({ block, steps }) => [nameOf(block), steps] as const))("%s", async (_, steps) => {
    for (const { command, expected } of steps) {
      const { code, output } = await run(command, { cwd: root, env })
      if (expected.length === 0) {
        expect(code, `$ ${command}\n${output}`).toBe(0)
        continue
      }
      const actual = linesOf(output)
      if (!matches(expected, actual)) expect(actual, `$ ${command}`).toEqual(expected)
    }
  })
})

const followed = parsed
  .filter((page) => isFollowed(page.blocks))
  .map(({ path }) => [relative(root, path), path] as const)

describe.skipIf(followed.length === 0)("pages that are followed", () => {
  beforeAll(() => shims(bin, join(root, "packages/cli/dist/skein.js")))

  it.each(followed)("%s", { timeout: 120_000 }, async (name, path) => {
    // Far from this repository, whose configurations would be found from below.
    const folder = join(away, name.replace(/[^A-Za-z0-9]+/g, "-"))
    mkdirSync(folder)
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n')
    expect((await follow(path, folder, { env })).join("\n")).toBe("")
  })
})
