/**
 * Pages of the documentation as things that can be checked: their fenced blocks, what commands in them should print,
 * and pages that are followed from top to bottom as their reader would.
 *
 * In a page that is followed, a block tagged `file=<name>` is written to a folder, and the commands of each `console`
 * block are run there: lines that begin with `$ ` are commands, what follows is their output, a line of `...` stands for
 * any lines. A command without output in the page has to succeed. `$CLONE` is the folder of the repository. Other blocks
 * are there to be read.
 */
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { root } from "./workspace.mjs"

const skipped = new Set(["node_modules", "dist", ".git", ".tsbuild", "coverage"])

const below = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : below(path)
    return entry.isFile() && entry.name.endsWith(".md") ? [path] : []
  })

/** Every Markdown file of the repository, as absolute paths. */
export const pages = below(root).sort()

/** The fenced blocks of a page; one inside a list loses the indentation of its fence. */
export const blocksOf = (path) => {
  const blocks = []
  let open
  for (const [i, line] of readFileSync(path, "utf8").split(/\r?\n/).entries()) {
    const fence = /^(\s*)(`{3,})(.*)$/.exec(line)
    if (open === undefined) {
      if (fence !== null) open = { fence: fence[2], indent: fence[1], line: i + 1, info: fence[3], text: [] }
    } else if (fence !== null && fence[3].trim() === "" && fence[2].length >= open.fence.length) {
      const [language = "", ...tags] = open.info.trim().split(/\s+/)
      blocks.push({ path, line: open.line, language, tags, text: open.text.join("\n") })
      open = undefined
    } else {
      open.text.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart())
    }
  }
  return blocks
}

/** The name of the file that a block is; undefined for one that is none. */
export const fileOf = ({ tags }) => tags.find((tag) => tag.startsWith("file="))?.slice("file=".length)

/** Whether a page is one that is followed from top to bottom. */
export const isFollowed = (blocks) => blocks.some((block) => fileOf(block) !== undefined)

/** Lines without white space at their ends and without empty ones at the end. */
export const linesOf = (text) => {
  const lines = text.split("\n").map((line) => line.trimEnd())
  return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1)
}

/** The commands of a console block, each with the lines that it should print. */
export const stepsOf = (text) => {
  const steps = []
  let continued = false
  for (const line of text.split("\n")) {
    const last = steps.at(-1)
    if (continued && last !== undefined) last.command += `\n${line.replace(/^> /, "")}`
    else if (line.startsWith("$ ")) steps.push({ command: line.slice(2), expected: [] })
    else last?.expected.push(line)
    continued = (continued || line.startsWith("$ ")) && line.endsWith("\\")
  }
  return steps.map(({ command, expected }) => ({ command, expected: linesOf(expected.join("\n")) }))
}

/** Whether the lines are those of the page, of which a line of `...` matches any number. */
export const matches = (expected, actual) => {
  const [first, ...rest] = expected
  if (first === undefined) return actual.length === 0
  if (first.trim() !== "...") return actual[0] === first && matches(rest, actual.slice(1))
  return Array.from({ length: actual.length + 1 }).some((_, count) => matches(rest, actual.slice(count)))
}

/** Runs a command of a page; gives its code and all that it printed. */
export const run = (command, { cwd, env }) =>
  new Promise((resolve) => {
    const child = spawn("sh", ["-c", `exec 2>&1\n${command}`], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text))
    child.on("error", (error) => resolve({ code: 1, output: `${output}${error.message}\n` }))
    child.on("close", (code) => resolve({ code: code ?? 1, output }))
  })

/**
 * Follows a page in a folder. Gives what went otherwise than the page says, as texts: none when all is as it says.
 *
 * @param options `onStep` is told each command before it is run; `env` is what commands are run with.
 */
export const follow = async (path, folder, { env = process.env, onStep = () => {} } = {}) => {
  const wrong = []
  for (const block of blocksOf(path)) {
    const file = fileOf(block)
    if (file !== undefined) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), `${block.text}\n`)
    }
    if (block.language !== "console") continue
    for (const { command, expected } of stepsOf(block.text)) {
      onStep(command)
      const { code, output } = await run(command, { cwd: folder, env: { ...env, CLONE: root } })
      const isFine = expected.length === 0 ? code === 0 : matches(expected, linesOf(output))
      if (!isFine) wrong.push(`line ${block.line}: $ ${command}\n${output}(code ${code})`)
    }
  }
  return wrong
}

/** A folder's own copy of what commands of pages find on their path: `skein`, and an `npx` that installs nothing. */
export const shims = (folder, command) => {
  mkdirSync(folder, { recursive: true })
  const script = (name, text) => writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  if (!existsSync(command)) throw new Error("The command is not built: run `npm run build`.")
  script("skein", `exec "${process.execPath}" "${command}" "$@"`)
  script("vitest", `exec "${process.execPath}" "${join(root, "node_modules/vitest/vitest.mjs")}" "$@"`)
  script("npx", 'exec "$@"')
}
