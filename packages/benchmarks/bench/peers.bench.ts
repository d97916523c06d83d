/**
 * `npm run bench:peers`: Skein beside what people use today, the same work in the same run. Options: `--only
 * append,read,compacted,list,codex` (default all), `--subjects` (a pattern over their names), `--turns 2000`, `--threads
 * 10000`, `--rounds 3`, `--sizes 1,20,120` and `--forms legacy,paginated` (rollouts for Codex, in megabytes), `--codex
 * 0.169.0`, `--runs 9` (of the largest rollout), `--out bench-results` (the folder for the charts).
 *
 * Peers are installed into `$XDG_CACHE_HOME/skein` the first time; one that cannot be is said and left out.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { loadavg } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { conclude, inFolder } from "../../cli/bench/measure.js"
import * as Peers from "../src/Peers.js"
import * as Subjects from "../src/Subjects.js"
import * as Tasks from "../src/Tasks.js"
import { codex, codexTask } from "./codex.js"
import { type Charts, conversation } from "./conversation.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", default: "append,read,compacted,list,codex" },
    subjects: { type: "string", default: "" },
    turns: { type: "string", default: "2000" },
    threads: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
    sizes: { type: "string", default: "1,20,120" },
    forms: { type: "string", default: "legacy,paginated" },
    codex: { type: "string", default: "0.169.0" },
    runs: { type: "string", default: "9" },
    out: { type: "string", default: "bench-results" },
    // What the benchmark calls itself with, for a process to itself.
    task: { type: "string" }
  }
})

/** Where the versions of the peers are pinned: the bundle runs in a folder two below the root of the repository. */
const pinned = join(import.meta.dirname, "../../packages/benchmarks/peers")
const all = Subjects.all(pinned)

const task = async (): Promise<unknown> => {
  const [name = "", folder = "", count = "", more = ""] = positionals
  if (values.task === "codex") return codexTask(positionals)
  const subject = all.find((one) => one.name === name)
  if (subject === undefined) throw new RangeError(`there is no subject ${name}`)
  const n = Number(count)
  switch (values.task) {
    case "keep":
      return Tasks.keep(subject, folder, n, more === "compacted")
    case "fill":
      return Tasks.fill(subject, folder, n)
    case "list":
      return Tasks.list(subject, folder, n, more === "" ? undefined : Number(more))
    default:
      return Tasks.ask(subject, folder, n, values.task as Tasks.Question, more === "compacted")
  }
}

/** The subjects that are asked for and can be had. */
const available = () => {
  const missing = new Set<string>()
  for (const peer of Object.keys(Subjects.peers) as ReadonlyArray<Subjects.Peer>) {
    if (!all.some((one) => Subjects.peerOf(one) === peer && new RegExp(values.subjects).test(one.name))) continue
    try {
      console.log(`${peer}: installing what is not there ...`)
      const folder = Peers.install(peer, join(pinned, peer))
      console.log(`  ${Subjects.peers[peer].map((name) => `${name} ${Peers.versionOf(folder, name)}`).join(", ")}`)
    } catch (error) {
      missing.add(peer)
      console.log(`  left out, it cannot be installed here: ${String(error).split("\n").slice(0, 4).join("\n  ")}`)
    }
  }
  return all.filter((one) => new RegExp(values.subjects).test(one.name) && !missing.has(Subjects.peerOf(one) ?? ""))
}

const load = () =>
  `load ${loadavg()
    .map((n) => n.toFixed(1))
    .join(" ")}`

const main = () =>
  inFolder(async (folder) => {
    const wanted = new Set(values.only.split(","))
    const charts: Charts = new Map()
    const begun = Date.now()
    console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${load()}`)
    const isTalk = [...wanted].some((one) => one !== "codex")
    const run = { wanted, rounds: Number(values.rounds), turns: Number(values.turns), threads: Number(values.threads) }
    if (isTalk) conversation({ ...run, folder, subjects: available() }, charts)
    if (wanted.has("codex")) {
      await codex(
        {
          folder,
          version: values.codex,
          sizes: values.sizes.split(",").map(Number),
          forms: values.forms.split(",") as ReadonlyArray<"legacy" | "paginated">,
          runs: Number(values.runs)
        },
        charts
      )
    }
    const out = resolve(values.out)
    mkdirSync(out, { recursive: true })
    for (const [name, svg] of charts) writeFileSync(join(out, `${name}.svg`), svg)
    console.log(`\n${charts.size} charts in ${out}; ${Math.round((Date.now() - begun) / 1000)} s, ${load()}`)
    conclude()
  })

if (values.task === undefined) await main()
else {
  // Ended by hand, since peers keep a process alive; not before all is written, since a pipe takes only so much at once.
  process.stdout.write(`${JSON.stringify(await task())}\n`, () => process.exit(0))
}
