/** What a doctor does with a store in a SQLite file. */
import * as Every from "@skein/store/Every"
import * as SqliteDoctor from "@skein/store-sqlite/Doctor"
import { Effect } from "effect"
import * as Store from "../Store.js"
import * as Finding from "./Finding.js"
import * as Lines from "./Lines.js"

const rebuilt =
  "skein doctor --repair puts all that can be read into a new file, in the place of this one, which is kept beside it."

/** What to do about a finding, by its code. */
const advice: Readonly<Record<string, string>> = {
  unreadable: rebuilt,
  "broken-reference": rebuilt,
  gap: rebuilt,
  "stray-lines": rebuilt,
  "unreadable-metadata": rebuilt,
  stale: "skein doctor --repair has it made anew.",
  "missing-base": "Bring back the thread that it names, from a backup; until then its log begins later.",
  "cyclic-base": "There is nothing to make the right base of; the log begins where it can.",
  "base-too-short": "What it stands on was cut; bring back the whole of it from a backup.",
  "base-inside-line": "There is nothing to make the right base of; the line that is cut in two is left out."
}

/** What the file's own doctor told of the bases of threads already. */
const told: ReadonlySet<string> = new Set(["missing-base", "cyclic-base", "base-too-short"])

/** What is wrong with the file, and, where it can be read, with the lines in it. */
export const check = (path: string) =>
  Effect.gen(function* () {
    const own = (yield* SqliteDoctor.check({ filename: path, thorough: true })).map((one) =>
      Finding.make(one.severity, one.code, one.message, {
        threadId: one.threadId ?? null,
        path: one.segmentId ?? null,
        offset: one.offset ?? null,
        advice: advice[one.code] ?? null
      })
    )
    // A damaged file is opened for nothing else.
    if (own.some(({ code }) => advice[code] === rebuilt)) return own
    const lines = yield* Effect.scoped(
      Effect.gen(function* () {
        const store = yield* Store.open({ kind: "sqlite", path })
        return yield* Lines.examine(store, yield* Every.summaries(store))
      })
    )
    return [...own, ...lines.filter(({ code }) => !told.has(code))]
  })

/** Makes right what can be. */
export const repair = (path: string) =>
  Effect.map(SqliteDoctor.repair({ filename: path, thorough: true }), ({ backup, losses }): Finding.Repair => {
    return {
      backup: backup ?? null,
      done: backup === undefined ? [] : ["what could be read was put in order; the database as it was is kept"],
      losses: losses.map(({ message }) => message)
    }
  })
