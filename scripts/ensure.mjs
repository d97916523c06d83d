/**
 * Makes a clone ready to run: installs what package-lock.json names when node_modules holds something else, and
 * builds when a source has changed since the last build. Needs Node and npm only.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { examples, helpOr, packages, root } from "./workspace.mjs"

/** Whether someone watches: then long work says what it does, else it is quiet until it fails. */
const watched = process.stderr.isTTY === true

/** Says on a terminal what happens now; nothing in a pipe. */
export const progress = (text) => {
  if (watched) process.stderr.write(`${text}\n`)
}

/** Runs a command in the root folder; answers its exit code and, unless `stdio` is "inherit", what it printed. */
export const run = (command, args, { stdio = "pipe", env = process.env } = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", stdio, stdio] })
    let output = ""
    child.stdout?.on("data", (chunk) => (output += chunk))
    child.stderr?.on("data", (chunk) => (output += chunk))
    child.on("error", (error) => resolve({ code: 1, output: `${output}${error.message}\n` }))
    child.on("close", (code, signal) => resolve({ code: code ?? 1, output: signal ? `${output}${signal}\n` : output }))
  })

/** Runs one of our tools: a script of an installed package, under this Node. */
export const tool = (script, args, options) =>
  run(process.execPath, [join(root, "node_modules", script), ...args], options)

/** Type-checks every project and writes the packages' `dist`. */
export const compile = () => tool("typescript/bin/tsc", ["-b", "--pretty", String(watched)])

/** Bundles the `skein` command. */
export const bundle = () => run(process.execPath, [join(root, "scripts/bundle.mjs")])

/**
 * Whether node_modules holds what package-lock.json names. Compares version by version with the list that npm leaves
 * behind at the end of an install, so that neither a touched lockfile nor an interrupted install misleads.
 */
const installed = () => {
  const marker = join(root, "node_modules/.package-lock.json")
  if (!existsSync(marker)) return false
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages
  const found = JSON.parse(readFileSync(marker, "utf8")).packages
  return Object.entries(wanted).every(
    ([path, entry]) =>
      !path.includes("node_modules/") ||
      entry.optional === true ||
      (found[path] !== undefined && found[path].version === entry.version)
  )
}

/** Installs what is missing, from the lockfile. */
export const ensureInstalled = async () => {
  if (installed()) return
  progress("Installing dependencies ...")
  const npm = process.env.npm_execpath
  const args = ["ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
  const stdio = watched ? "inherit" : "pipe"
  const { code, output } = npm?.endsWith("js")
    ? await run(process.execPath, [npm, ...args], { stdio })
    : await run(process.platform === "win32" ? "npm.cmd" : "npm", args, { stdio })
  if (code === 0) return
  process.stderr.write(`${output}Could not install the dependencies ("npm ci" ended with code ${code}).\n`)
  process.exit(1)
}

/** Everything that a build depends on, by size and time of change. */
const fingerprint = () => {
  const hash = createHash("sha256")
  const visit = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return
    if (stat.isDirectory()) for (const entry of readdirSync(path).sort()) visit(join(path, entry))
    else hash.update(`${relative(root, path)}\0${stat.size}\0${stat.mtimeMs}\n`)
  }
  for (const { folder } of [...packages, ...examples]) {
    visit(join(folder, "src"))
    visit(join(folder, "package.json"))
    for (const name of readdirSync(folder)) if (name.startsWith("tsconfig")) visit(join(folder, name))
  }
  for (const name of ["package-lock.json", "tsconfig.base.json", "scripts/bundle.mjs", "scripts/workspace.mjs"]) {
    visit(join(root, name))
  }
  return hash.digest("hex")
}

const stamp = join(root, ".tsbuild/built")

/** Builds when there is no build of exactly these sources. */
export const ensureBuilt = async () => {
  const now = fingerprint()
  const outputs = [...packages, ...examples].map(({ folder }) => join(folder, "dist"))
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now && outputs.every((path) => existsSync(path))) return
  progress("Building ...")
  for (const stage of [compile, bundle]) {
    const { code, output } = await stage()
    if (code === 0) continue
    process.stderr.write(`${output}The build failed.\n`)
    process.exit(1)
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, now)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  helpOr(
    process.argv.slice(2),
    `
Usage: node scripts/ensure.mjs

Installs the dependencies of package-lock.json when they are missing, and builds when a source has changed.`
  )
  await ensureInstalled()
  await ensureBuilt()
}
