/**
 * The documentation is tested: every `ts` block of a Markdown file must compile and run, every `skein` command of a
 * `console` block must run and print what the page shows.
 *
 * A block tagged `ts no-run` is only compiled. In a `console` block, lines beginning with `$ ` are commands and what
 * follows is their output; a line of `...` stands for any lines. Blocks with other commands than `skein` are skipped.
 * A command without output in the page must succeed; one with output must print that, whatever its exit code.
 */
import { execFile } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { basename, dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..")
mkdirSync(join(root, ".tsbuild"), { recursive: true })
const work = mkdtempSync(join(root, ".tsbuild/docs-"))
const command = join(root, "packages/cli/dist/skein.js")

interface Block {
  readonly page: string
  readonly line: number
  readonly language: string
  readonly tags: ReadonlyArray<string>
  readonly text: string
}

const below = (folder: string): ReadonlyArray<string> =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => !path.includes("node_modules"))
    : []

const readmes = (folder: string): ReadonlyArray<string> =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, "README.md")) : []

const pages = [
  join(root, "README.md"),
  ...below(join(root, "docs")),
  ...readmes(join(root, "packages")),
  ...readmes(join(root, "examples")),
  join(root, "samples/README.md")
].filter((path) => existsSync(path))

/** The fenced blocks of a page; one inside a list loses the indentation of its fence. */
const blocksOf = (path: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let open: { fence: string; indent: string; line: number; info: string; text: Array<string> } | undefined
  for (const [i, line] of readFileSync(path, "utf8").split(/\r?\n/).entries()) {
    const fence = /^(\s*)(`{3,})(.*)$/.exec(line)
    if (open === undefined) {
      if (fence !== null)
        open = { fence: fence[2] ?? "", indent: fence[1] ?? "", line: i + 1, info: fence[3] ?? "", text: [] }
    } else if (fence !== null && fence[3]?.trim() === "" && (fence[2] ?? "").length >= open.fence.length) {
      const [language = "", ...tags] = open.info.trim().split(/\s+/)
      blocks.push({ page: relative(root, path), line: open.line, language, tags, text: open.text.join("\n") })
      open = undefined
    } else {
      open.text.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart())
    }
  }
  return blocks
}

afterAll(() => rmSync(work, { recursive: true, force: true }))

const blocks = pages.flatMap(blocksOf)
const nameOf = ({ page, line }: Block) => `${page}:${line}`
const fileOf = (block: Block) => `${nameOf(block).replace(/[^A-Za-z0-9]+/g, "-")}.ts`

interface Outcome {
  readonly code: number
  readonly output: string
}

const run = (file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = process.env): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(file, args, { cwd: root, env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1
      resolve({ code, output: `${stdout}${stderr}` })
    })
  })

const packages = readdirSync(join(root, "packages"))
  .filter((name) => existsSync(join(root, "packages", name, "package.json")))
  .map((folder) => {
    const { name } = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8")) as {
      name: string
    }
    return { name, src: join(root, "packages", folder, "src") }
  })

const typescript = blocks.filter(({ language }) => language === "ts" || language === "typescript")

describe("ts blocks", () => {
  let complaints = ""

  beforeAll(async () => {
    for (const block of typescript) writeFileSync(join(work, fileOf(block)), `${block.text}\n`)
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
      JSON.stringify({ extends: "../../tsconfig.base.json", compilerOptions, files: typescript.map(fileOf) })
    )
    if (typescript.length === 0) return
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    complaints = (await run(process.execPath, [tsc, "-p", work, "--pretty", "false"])).output
  }, 120_000)

  it("compile: nothing is wrong outside of the blocks themselves", () => {
    const files = typescript.map(fileOf)
    const others = complaints
      .split("\n")
      .filter((line) => /^\S/.test(line) && !files.some((file) => line.includes(file)))
    expect(others).toEqual([])
  })

  it.each(typescript.map((block) => [nameOf(block), block] as const))("%s", async (_, block) => {
    const file = fileOf(block)
    expect(complaints.split("\n").filter((line) => line.includes(file))).toEqual([])
    if (block.tags.includes("no-run")) return
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
    const { code, output } = await run(process.execPath, [outfile])
    expect(code, output).toBe(0)
  })
})

interface Step {
  readonly command: string
  readonly expected: ReadonlyArray<string>
}

const stepsOf = (text: string): ReadonlyArray<Step> => {
  const steps: Array<{ command: string; expected: Array<string> }> = []
  let continued = false
  for (const line of text.split("\n")) {
    const last = steps.at(-1)
    if (continued && last !== undefined) last.command += `\n${line.replace(/^> /, "")}`
    else if (line.startsWith("$ ")) steps.push({ command: line.slice(2), expected: [] })
    else last?.expected.push(line.trimEnd())
    continued = (continued || line.startsWith("$ ")) && line.endsWith("\\")
  }
  return steps.map(({ command, expected }) => ({ command, expected: trimBlank(expected) }))
}

const trimBlank = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = lines.findLastIndex((line) => line !== "")
  return lines.slice(0, end + 1)
}

/** Whether the lines are those of the page, of which a line of `...` matches any number. */
const matches = (expected: ReadonlyArray<string>, actual: ReadonlyArray<string>): boolean => {
  const [first, ...rest] = expected
  if (first === undefined) return actual.length === 0
  if (first.trim() !== "...") return actual[0] === first && matches(rest, actual.slice(1))
  return Array.from({ length: actual.length + 1 }).some((_, skipped) => matches(rest, actual.slice(skipped)))
}

const consoles = blocks
  .filter(({ language }) => language === "console")
  .map((block) => ({ block, steps: stepsOf(block.text) }))

const isSkein = ({ command }: Step) => /^skein(\s|$)/.test(command)

const ours = consoles.filter(({ steps }) => steps.length > 0 && steps.every(isSkein))

describe.skipIf(ours.length === 0)("console blocks", () => {
  beforeAll(() => {
    writeFileSync(join(work, "skein"), `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`)
    chmodSync(join(work, "skein"), 0o755)
  })

  it.each(ours.map(({ block, steps }) => [nameOf(block), steps] as const))("%s", async (_, steps) => {
    expect(existsSync(command), "the command is not built: run `npm run build`").toBe(true)
    for (const step of steps) {
      const path = `${work}:${process.env["PATH"]}`
      const env = { ...process.env, PATH: path, NO_COLOR: "1", XDG_CACHE_HOME: join(work, "cache"), TMPDIR: work }
      const { code, output } = await run("sh", ["-c", `exec 2>&1\n${step.command}`], env)
      if (step.expected.length === 0) {
        expect(code, `$ ${step.command}\n${output}`).toBe(0)
        continue
      }
      const actual = trimBlank(output.split("\n").map((line) => line.trimEnd()))
      if (!matches(step.expected, actual)) expect(actual, `$ ${step.command}`).toEqual(step.expected)
    }
  })
})
