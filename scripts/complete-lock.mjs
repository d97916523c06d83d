/**
 * Adds to package-lock.json the optional packages of other platforms that the registry at hand does not carry. An
 * install through such a registry leaves them out of the lockfile, and "npm ci" then refuses the lockfile everywhere.
 * For whoever changes dependencies: run it after "npm install", it changes nothing that is there.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { helpOr, root } from "./workspace.mjs"

helpOr(
  process.argv.slice(2),
  `
Usage: node scripts/complete-lock.mjs

Adds missing optional platform packages to package-lock.json.`
)

const systems = "aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32"
const processors = "arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64"
const platform = new RegExp(`(${systems})-(${processors})(?:-?(.*))?$`)

const file = join(root, "package-lock.json")
const lock = JSON.parse(readFileSync(file, "utf8"))

/** Whether a package that lies at `from` finds `name` in a node_modules folder beside or above it. */
const resolves = (from, name) => {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    if (lock.packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`] !== undefined) return true
    if (at === "") return false
  }
}

let added = 0
for (const [from, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (resolves(from, name)) continue
    const [, os, cpu, abi = ""] = platform.exec(name) ?? []
    if (os === undefined || !/^\d/.test(version)) {
      process.stderr.write(`Left out: ${name}@${version} says neither platform nor exact version.\n`)
      process.exitCode = 1
      continue
    }
    const libc = os === "linux" && abi !== "" ? { libc: [abi.startsWith("musl") ? "musl" : "glibc"] } : {}
    const dev = entry.dev === true ? { dev: true } : {}
    const license = entry.license === undefined ? {} : { license: entry.license }
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...dev,
      ...libc,
      ...license,
      optional: true,
      os: [os]
    }
    added++
  }
}

if (added > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")))
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
}
process.stdout.write(`${added} added\n`)
