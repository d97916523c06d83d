/**
 * Releases all packages in one version. Looks whether they may be released, packs them, and prints what would be
 * published; publishes only when told so.
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, relative } from "node:path"
import { ensureBuilt, ensureInstalled } from "./ensure.mjs"
import { manifestOf, npm, pack, published, quietly, start } from "./packed.mjs"
import { examples, helpOr, root } from "./workspace.mjs"

const args = process.argv.slice(2)

const usage = `
Usage: node scripts/release.mjs             says what would be published, and publishes nothing
       node scripts/release.mjs --check     only looks whether a release may be made
       node scripts/release.mjs --publish   publishes, once everything is as it should be

A release is made of a clean tree, in which all packages and what names them have one version, and of which CHANGELOG.md
tells with a date. To set the version: node scripts/version.mjs 0.2.0`

helpOr(args, usage)
if (args.some((word) => !["--check", "--publish"].includes(word)) || args.length > 1) {
  process.stderr.write(`${usage.trim()}\n`)
  process.exit(2)
}
const publishes = args[0] === "--publish"

const { version } = manifestOf(join(root, "packages/core"))

/** What stands in the way of a release. */
const obstacles = () => {
  const found = []
  const { status, stdout, stderr } = spawnSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" })
  if (status !== 0) found.push(`git cannot tell whether the tree is clean: ${stderr.trim()}`)
  else if (stdout !== "") found.push(`The tree is not clean:\n${stdout.trimEnd()}`)

  const ours = new Set(published.map(({ name }) => name))
  for (const { folder } of [...published, ...examples]) {
    const manifest = manifestOf(folder)
    const file = relative(root, join(folder, "package.json"))
    if (manifest.version !== version) found.push(`${file} has version ${manifest.version}, not ${version}.`)
    for (const kind of ["dependencies", "peerDependencies", "devDependencies"]) {
      for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
        if (ours.has(name) && range !== version) found.push(`${file} asks for ${name} ${range}, not ${version}.`)
      }
    }
  }
  const told = /version = "([^"]*)"/.exec(readFileSync(join(root, "packages/cli/src/Version.ts"), "utf8"))?.[1]
  if (told !== version) found.push(`skein --version says ${told}, not ${version}.`)
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages
  for (const { folder } of published) {
    const path = relative(root, folder).replaceAll("\\", "/")
    if (locked[path]?.version !== version)
      found.push(`package-lock.json has ${path} in version ${locked[path]?.version}.`)
  }

  const heading = new RegExp(`^## ${version.replaceAll(".", "\\.")} \\((.*)\\)$`, "m")
  const date = heading.exec(readFileSync(join(root, "CHANGELOG.md"), "utf8"))?.[1]
  if (date === undefined) found.push(`CHANGELOG.md has no heading "## ${version} (<date>)".`)
  else if (!/^\d{4}-\d\d-\d\d$/.test(date))
    found.push(`CHANGELOG.md says that ${version} is "${date}": give it its date.`)
  return found
}

/** The packages in an order in which each comes behind those that it needs. */
const ordered = () => {
  const order = new Map()
  const visit = (one) => {
    if (order.has(one.name)) return
    const { dependencies = {}, peerDependencies = {} } = manifestOf(one.folder)
    for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
      const other = published.find((candidate) => candidate.name === name)
      if (other !== undefined) visit(other)
    }
    order.set(one.name, one)
  }
  published.forEach(visit)
  return [...order.values()]
}

const found = obstacles()
for (const one of found) process.stdout.write(`${one}\n`)
if (args[0] === "--check" || (publishes && found.length > 0)) {
  process.stdout.write(found.length === 0 ? `${version} may be released.\n` : `${version} may not be released.\n`)
  process.exit(found.length === 0 ? 0 : 1)
}

await ensureInstalled()
await ensureBuilt()

const folder = mkdtempSync(join(tmpdir(), "skein-release-"))
try {
  const archives = []
  for (const { folder: from, name } of ordered()) {
    const { archive, files } = await pack(from, folder)
    archives.push({ name, archive })
    const sha = createHash("sha256").update(readFileSync(archive)).digest("hex")
    const size = `${Math.ceil(statSync(archive).size / 1000)} kB`
    process.stdout.write(
      `${`${name}@${version}`.padEnd(28)} ${size.padStart(7)} ${`${files.length} files`.padStart(10)}  ${sha.slice(0, 16)}\n`
    )
  }
  if (!publishes) {
    const how = "node scripts/release.mjs --publish"
    process.stdout.write(`Nothing was published. ${found.length === 0 ? `To do it: ${how}` : "See above first."}\n`)
    process.exitCode = found.length === 0 ? 0 : 1
  } else {
    for (const { archive, name } of archives) {
      const { code, output } = await start(npm, ["publish", archive, "--access=public", ...quietly], root).ended
      if (code !== 0) {
        process.stderr.write(`${output}"npm publish ${basename(archive)}" ended with code ${code}.\n`)
        process.exitCode = 1
        break
      }
      process.stdout.write(`published ${name}@${version}\n`)
    }
    if (process.exitCode !== 1) process.stdout.write(`Now: git tag v${version} && git push --tags\n`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
