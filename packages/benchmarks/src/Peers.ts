/**
 * Programs of others, which are no dependencies of this repository: installed when a benchmark asks for them, with the
 * versions that `peers/` pins, into `$XDG_CACHE_HOME/skein` (`~/.cache/skein`).
 */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { createRequire } from "node:module"
import { homedir } from "node:os"
import { dirname, join } from "node:path"

/** Where things that were fetched are kept between runs. */
export const cache = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "skein")

const npm = (folder: string, words: ReadonlyArray<string>): void => {
  const own = process.env.npm_execpath
  const [command, first] = own?.endsWith("js") ? [process.execPath, [own]] : ["npm", []]
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
  // Of the settings that npm hands to scripts none is meant for this folder, where Node's headers lie aside.
  const kept = Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key) || /^npm_config_nodedir$/i.test(key))
  execFileSync(command, [...first, ...words, ...quiet, "--prefix", folder], {
    cwd: folder,
    env: Object.fromEntries(kept),
    stdio: ["ignore", "ignore", "pipe"]
  })
}

/** Makes a folder whole or not at all: what fails leaves nothing behind. */
const made = (place: string, fill: (folder: string) => void): string => {
  if (existsSync(place)) return place
  mkdirSync(dirname(place), { recursive: true })
  const fresh = mkdtempSync(`${place}-fetching-`)
  try {
    fill(fresh)
    renameSync(fresh, place)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    throw error
  }
  return place
}

/**
 * The folder in which the packages of a peer are installed. `pinned`: the folder with its `package.json` and lockfile.
 * Throws when they cannot be installed. Cost: the first time a download, and for native parts a compilation.
 */
export const install = (name: string, pinned: string): string => {
  const lock = readFileSync(join(pinned, "package-lock.json"))
  const hash = createHash("sha256").update(lock).update(process.versions.modules).digest("hex").slice(0, 12)
  return made(join(cache(), "benchmarks", `${name}-${hash}`), (folder) => {
    for (const file of ["package.json", "package-lock.json"]) cpSync(join(pinned, file), join(folder, file))
    npm(folder, ["ci"])
  })
}

/** Imports a package of an installed peer. The caller says what it is; only what it uses of it need be said. */
export const load = <A>(folder: string, name: string): A => createRequire(join(folder, "package.json"))(name) as A

/** The version of a package of an installed peer. */
export const versionOf = (folder: string, name: string): string =>
  JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version

/**
 * The binary of a release of Codex. Throws when there is none for this machine. Cost: the first time a download of some
 * 100 MB, 400 MB unpacked.
 */
export const codex = (version: string): string => {
  const home = made(join(cache(), "codex", version), (folder) => {
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n')
    npm(folder, ["install", "--ignore-scripts", `@openai/codex@${version}`])
  })
  const scope = join(home, "node_modules", "@openai")
  const files = readdirSync(scope, { recursive: true, encoding: "utf8" })
  const binary = files.find((file) => /vendor[\\/].*[\\/]codex(\.exe)?$/.test(file))
  if (binary === undefined) throw new Error(`there is no binary of Codex ${version} for this machine in ${home}`)
  return join(scope, binary)
}
