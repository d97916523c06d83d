/**
 * The path of a new user: packs the packages, installs them with npm in an empty project outside of the repository, and
 * follows the guide and the recipes there, word by word. Then it takes the host of packages/skein/README.md as it stands
 * there, runs it, kills it in the middle of a turn, and runs it again; the packed command shows the thread, a few lines
 * of TypeScript are compiled against the packed types, and the command makes a host of either flavour, which is
 * installed, run and tested. Takes some minutes, one of them for the native part.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { npm, quietly, start } from "./packed.mjs"
import * as Pages from "./pages.mjs"
import { helpOr, root } from "./workspace.mjs"

const args = process.argv.slice(2)

helpOr(
  args,
  `
Usage: node scripts/try-packed.mjs [--keep]

Installs the packed packages in an empty project, follows the guide and the recipes there, and runs, kills and resumes
the host of packages/skein/README.md. With --keep the project stays, and its path is printed.`
)

const folder = mkdtempSync(join(tmpdir(), "skein-packed-"))
const app = mkdtempSync(join(folder, "app-"))

const fail = (what, output) => {
  process.stderr.write(`${output}${what}\n`)
  process.exitCode = 1
  throw new Error(what)
}

/** Runs a command that has to succeed, and shows it. */
const step = async (shown, command, given, cwd = app) => {
  process.stdout.write(`$ ${shown}\n`)
  const { code, output } = await start(command, given, cwd).ended
  if (code !== 0) fail(`"${shown}" ended with code ${code}.`, output)
  return output
}

const node = process.execPath
const store = "sqlite:threads.db"

try {
  const guide = Pages.blocksOf(join(root, "docs/guide.md"))
  const install =
    guide.find(({ language }) => language === "sh")?.text ?? fail("The guide does not say how to install.", "")
  await step(install, "sh", ["-c", install.replace("~/skein", `"${root}"`)])
  await step("npm install --save-dev vitest@3", npm, ["install", "--save-dev", "--loglevel=error", "vitest@3"])

  for (const page of Pages.pages.filter((path) => Pages.isFollowed(Pages.blocksOf(path)))) {
    const name = relative(root, page)
    process.stdout.write(`${name}\n`)
    const own = join(app, name.replace(/[^A-Za-z0-9]+/g, "-"))
    mkdirSync(own)
    const env = { ...process.env, NO_COLOR: "1", PATH: `${join(app, "node_modules/.bin")}:${process.env.PATH}` }
    const wrong = await Pages.follow(page, own, { env, onStep: (command) => process.stdout.write(`  $ ${command}\n`) })
    if (wrong.length > 0) fail(`${name} is not as it says.`, `${wrong.join("\n")}\n`)
  }

  const readme = readFileSync(join(root, "packages/skein/README.md"), "utf8")
  const host = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? fail("The README has no host.", "")
  writeFileSync(join(app, "host.mjs"), host)
  process.stdout.write(`host.mjs: ${host.trim().split("\n").length} lines of packages/skein/README.md\n`)

  /** What the host prints: the turns that it finds. */
  const run = async (...more) => step(`node host.mjs ${[store, ...more].join(" ")}`, node, ["host.mjs", store, ...more])
  const expect = (output, wanted) => {
    process.stdout.write(output)
    if (output !== wanted) fail(`It should have printed:\n${wanted}`, "")
  }
  const completed = "completed userMessage agentMessage\n"
  expect(await run(), "")
  expect(await run(), completed)

  // The third turn has begun when the database says so: another process may look.
  writeFileSync(
    join(app, "look.mjs"),
    `import { setTimeout } from "node:timers/promises"
import { openSkein } from "skein"
const skein = await openSkein({ store: "${store}" })
const [{ id }] = (await skein.listPage()).items
for (;;) {
  const { turns } = await skein.read(id, { turns: true })
  if (turns.length === 3) break
  await setTimeout(50)
}
await skein.close()
`
  )
  const slow = start(node, ["host.mjs", store, "600000"], app)
  process.stdout.write(`$ node host.mjs ${store} 600000 &\n`)
  await step("node look.mjs   # until a turn runs", node, ["look.mjs"])
  process.stdout.write(`$ kill -9 ${slow.child.pid}\n`)
  slow.child.kill("SIGKILL")
  const { signal } = await slow.ended
  if (signal !== "SIGKILL") fail("The host ended before it could be killed.", "")
  expect(await run(), `${completed}${completed}interrupted userMessage\n`)
  expect(await run(), `${completed}${completed}interrupted userMessage\n${completed}`)

  const listed = await step(`npx skein ls --store ${store}`, npm, ["exec", "--", "skein", "ls", "--store", store])
  process.stdout.write(listed)
  if (!listed.includes("Where is my parcel?")) fail("The command should have listed the thread.", "")

  writeFileSync(
    join(app, "types.mts"),
    `import { openSkein, StoreError, type Thread } from "skein"
await using skein = await openSkein({ store: "memory:" })
const thread: Thread.Thread = await skein.start({ settings: { model: "any-model" } })
const ids: Array<string> = []
for await (const { id } of skein.list()) ids.push(id)
// @ts-expect-error: an id is a text
await skein.resume(1).catch((error: unknown) => error instanceof StoreError.ThreadNotFound)
export const id: string = thread.id
`
  )
  const options = "--noEmit --strict --skipLibCheck --module nodenext --target es2022 --lib es2023,esnext.disposable"
  const tsc = join(root, "node_modules/typescript/bin/tsc")
  await step(`tsc ${options} types.mts`, node, [tsc, ...options.split(" "), "--types", "", "types.mts"])

  const archives = join(folder, "archives")
  await step("npm run pack", node, [join(root, "scripts/pack.mjs"), archives], root)
  for (const flavour of ["promise", "effect"]) {
    const made = join(folder, `${flavour}-host`)
    const shown = (command) => `(${flavour}-host) ${command}`
    const words = ["init", "--flavour", flavour, "--from", archives, made]
    await step(`npx skein init --flavour ${flavour} --from archives ${made}`, npm, ["exec", "--", "skein", ...words])
    await step(shown("npm install"), npm, ["install", ...quietly], made)
    const started = ["start", "--silent"]
    expect(await step(shown("npm start"), npm, started, made), "completed: userMessage → I have read 2 items.\n")
    await step(shown("npm test"), npm, ["test"], made)
  }
  process.stdout.write("A new user's path: ok\n")
} catch (error) {
  if (process.exitCode !== 1) throw error
} finally {
  if (args.includes("--keep")) process.stdout.write(`${app}\n`)
  else rmSync(folder, { recursive: true, force: true })
}
