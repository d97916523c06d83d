/** "npm run simulate": runs of the simulation over the store of files, one seed after the other. */
import * as Simulation from "@skein/testing/Simulation"
import * as Subjects from "./subjects.js"

const values = new Map<string, string>()
for (let i = 2; i < process.argv.length; i += 2) values.set(process.argv[i] ?? "", process.argv[i + 1] ?? "")

const number = (name: string, initial: number): number => {
  const given = values.get(name)
  if (given === undefined) return initial
  const value = Number(given)
  if (Number.isSafeInteger(value) && value >= 0) return value
  process.stderr.write(`${name} takes a whole number of 0 or more, not ${JSON.stringify(given)}.\n`)
  process.exit(2)
}

const known = ["--seed", "--steps", "--processes", "--mishaps", "--length", "--without", "--subject", "--tell"]
const unknown = [...values.keys()].find((name) => !known.includes(name))
const seed = number("--seed", Math.floor(Math.random() * 2 ** 31))
const steps = number("--steps", 20_000)
const processes = number("--processes", 3)
const mishaps = number("--mishaps", 6)
const length = Math.max(1, Math.min(steps, number("--length", 200)))
const without = new Set(
  (values.get("--without") ?? "")
    .split(",")
    .filter((one) => one !== "")
    .map(Number)
)
const name = values.get("--subject") ?? "files"
const subject = name === "files" ? Subjects.files : Subjects.mutants[name]
if (unknown !== undefined || processes < 1 || mishaps < 1 || subject === undefined) {
  process.stderr.write(
    `Usage: npm run simulate -- [--seed S] [--steps N] [--processes P] [--mishaps M] [--length L] [--without 1,2] [--subject NAME]

Subjects: files, ${Object.keys(Subjects.mutants).join(", ")}.\n`
  )
  process.exit(2)
}

const told = values.get("--tell")
const tell =
  told === undefined
    ? undefined
    : (text: string) =>
        void process.stdout.write(`${text}
`)
const watch: Simulation.Options["watch"] =
  told !== "operations" ? undefined : ({ method, path, process }) => tell?.(`    ${process} ${method} ${path}`)
const started = performance.now()
let done = 0
let operations = 0
let crashes = 0
const refusals = new Map<string, number>()

const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const rate = (): string => {
  const seconds = (performance.now() - started) / 1000
  const perSecond = Math.round(operations / seconds)
  return `${done} steps, ${operations} operations on files, ${crashes} crashes in ${seconds.toFixed(1)} s (${perSecond} operations a second)`
}

say(`seed ${seed}, ${steps} steps in runs of ${length}, ${processes} processes`)
let said = started
for (let at = seed; done < steps; at++) {
  const options = {
    seed: at,
    steps: Math.min(length, steps - done),
    processes,
    mishaps,
    subject: () => subject(at),
    without,
    tell,
    watch
  }
  const report = Simulation.run(options)
  done += report.steps
  operations += report.operations
  crashes += report.crashes
  for (const [tag, count] of report.refusals) refusals.set(tag, (refusals.get(tag) ?? 0) + count)
  if (report.failure !== undefined) {
    say(`seed ${at}, step ${report.failure.step}: ${report.failure.reason}`)
    const small = tell === undefined ? Simulation.shrink(options) : { ...options, steps: report.failure.step + 1 }
    const again = Simulation.run(small)
    const left = small.without.size === 0 ? "" : ` --without ${[...small.without].sort((a, b) => a - b).join(",")}`
    say(`The same with fewer steps: ${again.failure?.reason}`)
    const often = mishaps === 6 ? "" : ` --mishaps ${mishaps}`
    say(`npm run simulate -- --seed ${at} --steps ${small.steps} --processes ${processes}${often}${left}`)
    say(rate())
    process.exit(1)
  }
  if (performance.now() - said > 10_000) {
    said = performance.now()
    say(rate())
  }
}
say(rate())
say(`refused: ${[...refusals].map(([tag, count]) => `${tag} ${count}`).join(", ")}`)
