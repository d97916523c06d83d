/** What the scripts share that look at the packages as npm would publish them. */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { packages } from "./workspace.mjs"

/** npm, as it is called on this system. */
export const npm = process.platform === "win32" ? "npm.cmd" : "npm"

/** What npm leaves unsaid. */
export const quietly = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]

/** What a package says of itself. */
export const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

/** The packages that are published. */
export const published = packages.filter(({ folder }) => manifestOf(folder).private !== true)

/** The packages of this repository that one of them needs, itself among them: names and folders. */
export const needed = (name, found = new Map()) => {
  const one = packages.find((other) => other.name === name)
  if (one === undefined || found.has(name)) return found
  found.set(name, one.folder)
  const { dependencies = {}, peerDependencies = {} } = manifestOf(one.folder)
  for (const other of Object.keys({ ...dependencies, ...peerDependencies })) needed(other, found)
  return found
}

/** Starts a command; answers its child, and what it printed and came to when it is over. */
export const start = (command, given, cwd, env = process.env) => {
  const child = spawn(command, given, { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk))
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: 1, output: `${output}${error.message}\n` }))
    child.on("close", (code, signal) => resolve({ code, signal, output }))
  })
  return { child, ended }
}

/** Packs a package as npm would publish it; gives the archive and the paths in it. */
export const pack = async (folder, into) => {
  const { code, output } = await start(npm, ["pack", "--json", "--pack-destination", into, ...quietly], folder).ended
  if (code !== 0) throw new Error(`"npm pack" of ${folder} ended with code ${code}:\n${output}`)
  // Newer releases of npm answer with an object by name, older ones with a list.
  const [{ filename, files }] = Object.values(JSON.parse(output.slice(output.search(/[[{]/))))
  return { archive: join(into, filename), files: files.map(({ path }) => path) }
}
