/** The conversation over every subject: rounds in turn, tables, limits, charts. */
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { answer, atLeast, limit, median, spread } from "../../cli/bench/measure.js"
import * as Chart from "../src/Chart.js"
import type { Subject } from "../src/Subject.js"
import type * as Tasks from "../src/Tasks.js"

/** What a run is asked for. */
export interface Run {
  readonly subjects: ReadonlyArray<Subject>
  readonly wanted: ReadonlySet<string>
  readonly rounds: number
  readonly turns: number
  readonly threads: number
  readonly folder: string
}

/** A chart, and under which name it is written. */
export type Charts = Map<string, string>

/** Values of each subject, one a round. */
type Values = Map<string, Array<number>>

const add = (values: Values, name: string, value: number | undefined): void => {
  if (value !== undefined) values.set(name, [...(values.get(name) ?? []), value])
}

const groups = { ours: "Skein", peer: "peers", bare: "written by hand" }
const unitOf = (unit: string, value: number): string => `${Chart.figure(value)} ${unit}`

/** A table with medians, spread, and how many times as much as the first of ours each one takes. */
const table = (title: string, unit: string, { subjects }: Run, values: Values): void => {
  console.log(`\n${title}, ${unit}: median, spread of the rounds`)
  for (const subject of subjects) {
    const all = values.get(subject.name)
    if (all === undefined) continue
    const [low, high] = spread(all)
    const range = `${Chart.figure(low)} – ${Chart.figure(high)}`
    console.log(`  ${subject.label.padEnd(34)} ${unitOf(unit, median(all)).padStart(14)}   ${range}`)
  }
}

const chart = (words: Chart.Words, { subjects }: Run, values: Values): string =>
  Chart.bars(
    words,
    subjects.flatMap(({ kind, label, name }): ReadonlyArray<Chart.Bar> => {
      const all = values.get(name)
      if (all === undefined) return []
      const [low, high] = spread(all)
      return [{ label, value: median(all), low, high, group: groups[kind] }]
    })
  )

/** How many times as much one takes as another; undefined when one of them was not measured. */
const ratio = (values: Values, left: string, right: string): number | undefined => {
  const [a, b] = [values.get(left), values.get(right)]
  return a === undefined || b === undefined ? undefined : median(a) / median(b)
}

const least = (what: string, values: Values, theirs: string, ours: string, bound: number): void => {
  const value = ratio(values, theirs, ours)
  if (value !== undefined) atLeast(`${what}: ${theirs} takes as many times what ${ours} does`, value, bound)
}

/** Peers that failed; they are not asked again. */
const failed = new Set<string>()

/**
 * What a process of its own measures of a subject. A peer that fails is said and left out from then on; one of ours, and
 * whoever answers wrongly, ends the run.
 */
const task = <A>(what: string, subject: Subject, ...words: ReadonlyArray<string>): A | undefined => {
  if (failed.has(subject.name)) return undefined
  try {
    return JSON.parse(
      answer("--task", what, subject.name, ...words)
        .split("\n")
        .at(-1) ?? ""
    ) as A
  } catch (error) {
    const { stderr = "" } = error as { readonly stderr?: string }
    if (subject.kind !== "peer" || stderr.includes("WrongContent")) throw error
    failed.add(subject.name)
    console.log(`${subject.label} failed at ${what} and is left out: ${/\[?\w*Error.*/.exec(stderr)?.[0] ?? error}`)
    return undefined
  }
}

const pathOf = (run: Run, { name }: Subject): string => join(run.folder, name)

/** The array stands for what people do; what is beside it is at most this many times as slow as the array is. */
const asFast = 1

/** Milliseconds beyond which a run is not repeated. */
const long = 10_000

const append = (run: Run, charts: Charts): void => {
  const totals: Values = new Map()
  const bytes: Values = new Map()
  const last: Values = new Map()
  const blocks = new Map<string, Map<number, Array<number>>>()
  const facts = new Map<string, string>()
  const slow = new Set<string>()
  for (let round = 0; round < run.rounds; round++) {
    for (const subject of run.subjects) {
      // One that takes so long is not repeated: what is asked of it is a multiple.
      if (slow.has(subject.name)) continue
      const path = pathOf(run, subject)
      rmSync(path, { recursive: true, force: true })
      const kept = task<Tasks.Kept>("keep", subject, path, String(run.turns))
      if (kept === undefined) continue
      if (subject.sampled !== undefined || (kept.total ?? 0) > long) slow.add(subject.name)
      add(totals, subject.name, kept.total)
      add(bytes, subject.name, kept.bytes)
      add(last, subject.name, kept.perTurn.at(-1)?.ms)
      facts.set(subject.name, kept.facts)
      const found = blocks.get(subject.name) ?? new Map<number, Array<number>>()
      for (const { ms, turns } of kept.perTurn) found.set(turns, [...(found.get(turns) ?? []), ms])
      blocks.set(subject.name, found)
    }
  }
  console.log("\nWhat is measured")
  for (const { durability, how, label, name } of run.subjects) {
    const known = facts.get(name) ?? ""
    console.log(`  ${label.padEnd(34)} ${durability.padEnd(8)} ${how}${known === "" ? "" : ` (${known})`}`)
  }
  table(`${run.turns} turns kept one after the other`, "ms", run, totals)
  table(`a turn at ${run.turns} turns`, "ms", run, last)
  table("on disk", "bytes", run, bytes)

  const perTurn = (name: string) =>
    [...(blocks.get(name) ?? [])].map(([turns, all]) => [turns, median(all)] as const).sort(([a], [b]) => a - b)
  // As many as can be told apart: what is written by hand and never read again in between is in the table.
  const shown = run.subjects.filter(({ durability, kind, name }) =>
    kind === "peer" ? durability !== "process" : durability === "os" && !/^skein-engine-fs|^lines/.test(name)
  )
  charts.set(
    "append",
    Chart.lines(
      {
        title: "Keeping one more turn, as the conversation grows",
        note: "Median of the rounds, logarithmic. Lower is better. Durability: os; of Emmett SQLite: fsync.",
        unit: "ms a turn",
        across: "turns that are there already"
      },
      shown.map(({ label, name }) => ({ label, points: perTurn(name) }))
    )
  )
  charts.set(
    "disk",
    chart(
      {
        title: `${run.turns.toLocaleString("en")} turns on disk`,
        note: "All files of the store, logarithmic. Lower is better.",
        unit: "bytes"
      },
      run,
      bytes
    )
  )

  for (const [ours, theirs] of [
    ["skein-store-sqlite-os", "langgraph-saver"],
    ["skein-engine-sqlite-os", "langgraph-graph"],
    ["skein-engine-sqlite-os", "langgraph-saver"]
  ] as const) {
    least(`append at ${run.turns} turns`, last, theirs, ours, 10)
    if (!theirs.endsWith("graph")) least(`append of ${run.turns} turns`, totals, theirs, ours, 10)
  }
  for (const ours of ["skein-store-sqlite-os", "skein-engine-sqlite-os"]) {
    least("bytes on disk", bytes, "langgraph-saver", ours, 100)
  }
  const dump = new Map(perTurn("dump"))
  for (const { durability, kind, name } of run.subjects) {
    if (kind !== "ours" || dump.size === 0) continue
    const worst = Math.max(
      ...perTurn(name).flatMap(([turns, ms]) => (turns > 200 ? [ms / (dump.get(turns) ?? Number.NaN)] : []))
    )
    // What is asked is asked of the store, which keeps what the array keeps; the engine makes prompts as well.
    const what = `append beyond 200 turns, ${name} beside the array, worst block`
    if (!Number.isFinite(worst)) continue
    if (durability === "fsync" || name.startsWith("skein-engine")) {
      const why = durability === "fsync" ? "it is synced, the array is not" : "it makes a prompt a turn, the array none"
      console.log(`told, not judged: ${what}: ${worst.toFixed(2)} × (${why})`)
    } else limit(what, worst, asFast)
  }
}

/** Asks each subject in turn, so often; gives the medians of each process. */
const asked = (run: Run, subjects: ReadonlyArray<Subject>, ...words: ReadonlyArray<string>) => {
  const again: Values = new Map()
  const first: Values = new Map()
  for (let round = 0; round < run.rounds; round++) {
    for (const subject of subjects) {
      const [question = "", ...more] = words
      const times = task<Tasks.Times>(question, subject, pathOf(run, subject), ...more)
      if (times === undefined) continue
      add(again, subject.name, median(times.again))
      add(first, subject.name, times.first)
    }
  }
  return { again, first }
}

/** Reading does not depend on whether writing is synced, and what forgets everything cannot be resumed. */
const readers = ({ subjects }: Run) =>
  subjects.filter(({ durability, name }) => durability === "os" || name === "emmett-sqlite")

const questions = {
  resume: {
    title: "everything that the model has to see next",
    note: "Nothing was ever compacted: all messages are read. Opened anew each time; logarithmic, lower is better."
  },
  page: {
    title: "the last 25 turns",
    note: "As a client shows them; opened anew each time. Logarithmic, lower is better."
  },
  "page-again": {
    title: "the last 25 turns, once more in a server",
    note: "The store stays open. Logarithmic, lower is better."
  },
  fork: {
    title: "a fork at the middle",
    note: "From a place that the caller knows; opened anew each time. Logarithmic, lower is better."
  }
} as const

const read = (run: Run, charts: Charts): void => {
  for (const [question, { note, title }] of Object.entries(questions)) {
    const { again, first } = asked(run, readers(run), question, String(run.turns))
    table(`${run.turns} turns: ${title}`, "ms", run, again)
    table("  the first time in a process", "ms", run, first)
    charts.set(question, chart({ title: `${run.turns} turns: ${title}`, note, unit: "ms" }, run, again))
    if (question === "resume") {
      for (const ours of ["skein-store-sqlite-os", "skein-engine-sqlite-os"]) {
        for (const theirs of ["langgraph-saver", "langgraph-graph"]) least(question, again, theirs, ours, 10)
      }
    }
    for (const ours of ["skein-store-sqlite-os", "skein-store-fs-os"]) {
      const value = ratio(again, ours, "dump")
      if (value !== undefined) limit(`${question} at ${run.turns} turns, ${ours} beside the array`, value, asFast)
    }
  }
}

/** The same conversation, compacted as a model with a window of its own needs it. */
const compacted = (run: Run, charts: Charts): void => {
  const subjects = readers(run).filter(
    ({ kind, name }) => kind === "ours" || name === "dump" || name === "langgraph-saver"
  )
  const inner = { ...run, subjects, folder: join(run.folder, "compacted") }
  mkdirSync(inner.folder, { recursive: true })
  const totals: Values = new Map()
  for (const subject of subjects) {
    add(
      totals,
      subject.name,
      task<Tasks.Kept>("keep", subject, pathOf(inner, subject), String(run.turns), "compacted")?.total
    )
  }
  table(`${run.turns} turns, compacted every 100, kept one after the other`, "ms", inner, totals)
  const { again, first } = asked(inner, subjects, "resume", String(run.turns), "compacted")
  const title = `${run.turns} turns, compacted every 100: what the model has to see next`
  table(title, "ms", inner, again)
  table("  the first time in a process", "ms", inner, first)
  const note = "The summary and the 50 turns behind it; opened anew each time. Logarithmic, lower is better."
  charts.set("resume-compacted", chart({ title, note, unit: "ms" }, inner, again))
  for (const ours of ["skein-store-sqlite-os", "skein-engine-sqlite-os"]) {
    least("resume of a compacted one", again, "langgraph-saver", ours, 10)
  }
  for (const { kind, name } of subjects) {
    const value = ratio(again, name, "dump")
    if (kind === "ours" && value !== undefined)
      limit(`resume of a compacted one, ${name} beside the array`, value, asFast)
  }
}

const list = (run: Run, charts: Charts): void => {
  const able = readers(run).filter(({ name }) => /^skein-store|^langgraph-saver$|^dump$|^lines|^table/.test(name))
  const inner = { ...run, subjects: able, folder: join(run.folder, "lists") }
  mkdirSync(inner.folder, { recursive: true })
  for (const subject of able) task<number>("fill", subject, pathOf(inner, subject), String(run.threads))
  for (const [name, what, limited] of [
    ["list", "the newest 25", "25"],
    ["list-all", "all of them", ""]
  ] as const) {
    const { again, first } = asked(inner, able, "list", String(run.threads), limited)
    const title = `a list of ${run.threads.toLocaleString("en")} conversations: ${what}`
    table(title, "ms", inner, again)
    table("  the first time in a process", "ms", inner, first)
    const note = "With what it takes to show a row; opened anew each time. Logarithmic, lower is better."
    charts.set(name, chart({ title, note, unit: "ms" }, inner, again))
    for (const ours of ["skein-store-sqlite-os", "skein-store-fs-os"]) {
      const value = ratio(again, ours, "dump")
      if (value !== undefined) limit(`${name} of ${run.threads}, ${ours} beside the array`, value, asFast)
    }
  }
}

/** Runs what is wanted of it. */
export const conversation = (run: Run, charts: Charts): void => {
  if (run.wanted.has("append") || run.wanted.has("read")) append(run, charts)
  if (run.wanted.has("read")) read(run, charts)
  if (run.wanted.has("compacted")) compacted(run, charts)
  if (run.wanted.has("list")) list(run, charts)
}
