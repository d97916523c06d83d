/** `npm run test:codex`: what real Codex makes of threads that the engine wrote. See {@link usage}. */
import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Codex from "./Codex.js"
import * as ModelServer from "./ModelServer.js"
import * as Peer from "./Peer.js"
import * as Story from "./Story.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    form: { type: "string", multiple: true, default: ["legacy", "paginated"] },
    keep: { type: "boolean", default: false },
    // What it calls itself with: a process that is killed while it holds threads.
    tell: { type: "string" }
  }
})

const versions = positionals.length > 0 ? positionals : ["0.142.4", "0.145.0", "0.169.0"]
const forms = values.form as ReadonlyArray<Story.Form>

/** The form that only releases since 0.150 promise to read. */
const isPromised = (form: Story.Form, version: string): boolean =>
  form === "legacy" || Number(version.split(".")[1]) >= 150

/** Writes the story into a home, by a process that is killed. */
const write = (home: string, form: Story.Form, notes: string): ReadonlyArray<Story.Written> => {
  const words = [process.argv[1] ?? "", "--tell", home, "--form", form, notes]
  const { signal } = spawnSync(process.execPath, ["--enable-source-maps", ...words], { stdio: "inherit" })
  if (signal !== "SIGKILL") throw new Error("the story did not come to its end")
  return JSON.parse(readFileSync(notes, "utf8")) as ReadonlyArray<Story.Written>
}

/** How much of what is odd in a cell is told. */
const most = 4

const row = (cells: ReadonlyArray<string>): void => {
  const [form = "", version = "", ...rest] = cells
  console.log([form.padEnd(11), version.padEnd(9), ...rest.map((cell) => cell.padEnd(10))].join("").trimEnd())
}

const main = async (): Promise<void> => {
  const binaries = versions.map((version) => [version, Codex.fetch(version)] as const)
  const folder = mkdtempSync(join(tmpdir(), "skein-codex-"))
  const model = await ModelServer.open(Peer.answer)
  const odd: Array<string> = []
  try {
    row(["form", "version", ...Peer.questions])
    for (const form of forms) {
      const origin = join(folder, form, ".codex")
      const written = write(origin, form, join(folder, `${form}.json`))
      const turns = await Peer.expected(origin, form, written)
      for (const [version, binary] of binaries) {
        const home = join(folder, `${form}-${version}`, ".codex")
        cpSync(origin, home, { recursive: true, preserveTimestamps: true })
        const found = await Peer.check({ version, binary, home, form, model, written, turns })
        const promised = isPromised(form, version)
        const word = (is: boolean) => (promised ? (is ? "ok" : "ODD") : is ? "(ok)" : "(no)")
        row([form, version, ...Peer.questions.map((what) => word(found[what].length === 0))])
        const all = Peer.questions.flatMap((what) => {
          const lines = found[what].slice(0, most).map((one) => `${form} ${version} ${what}: ${one}`)
          const more = found[what].length - lines.length
          return more > 0 ? [...lines, `${form} ${version} ${what}: and ${more} more`] : lines
        })
        if (promised) odd.push(...all)
        else if (values.keep) console.log(all.map((one) => `  ${one}`).join("\n"))
      }
    }
  } finally {
    await model.close()
    if (values.keep) console.log(`\nThe homes are in ${folder}`)
    else rmSync(folder, { recursive: true, force: true })
  }
  if (odd.length === 0) return
  console.log(`\n${odd.join("\n")}`)
  process.exitCode = 1
}

if (values.tell === undefined) await main()
else await Story.tell(values.tell, forms[0] ?? "legacy", positionals[0] ?? "")
