/** What a doctor does with a Codex home. */
import { isDeepStrictEqual } from "node:util"
import * as Every from "@skein/store/Every"
import * as HomeDoctor from "@skein/store-fs/Doctor"
import { Effect } from "effect"
import * as Store from "../Store.js"
import * as Files from "../store/Files.js"
import * as Finding from "./Finding.js"
import * as Lines from "./Lines.js"

/** What to do about a finding, by its code. */
const advice: Readonly<Record<string, string>> = {
  unlisted: "Check the permissions of the folder; threads in it are not seen.",
  "no-file": "Move it out of the way.",
  unreadable: "Check the file, or bring it back from a backup.",
  "foreign-header": "Look which of the two is right, and rename the file if it is the header.",
  "duplicate-file": "Look which of them is wanted, and move the other one out of the home.",
  "two-forms": "Remove the compressed file once you have seen that the plain one has all of it.",
  "unfinished-change": "skein doctor --repair finishes it, as does the next verb that changes the home.",
  "left-temporary": "skein doctor --repair moves it away.",
  "stray-lease": "skein doctor --repair moves it away.",
  "stray-metadata": "skein doctor --repair moves it away; bring the thread back to use it again.",
  "unreadable-metadata": "skein doctor --repair moves it away, so that it can be set anew.",
  "unreadable-name": "Nothing needs to be done; the other lines count.",
  stale: "skein doctor --repair has it made anew."
}

/** What the home's own doctor tells of files. */
const told: ReadonlySet<string> = new Set(["duplicate-file"])

/** What is wrong with the home, with the lines of its threads, and with what is remembered of them. */
export const check = (home: string) =>
  Effect.gen(function* () {
    const own = (yield* HomeDoctor.check(home)).map((one) =>
      Finding.make(one.severity, one.code, one.message, {
        threadId: one.threadId ?? null,
        path: one.path ?? null,
        advice: advice[one.code] ?? null
      })
    )
    const fresh = yield* summaries(home, false)
    const known = new Set(own.flatMap(({ code, path }) => (code === "unreadable" ? [path] : [])))
    const lines = yield* Effect.scoped(
      Effect.flatMap(Store.open({ kind: "fs", path: home }), (store) => Lines.examine(store, fresh))
    )
    const others = lines.filter(({ code, path }) => !told.has(code) && !known.has(path))
    return [...own, ...others, ...stale(fresh, yield* summaries(home, true))]
  })

/** The rows of all threads: as their files tell them, or as the index in the cache remembers them. */
const summaries = (home: string, lists: boolean) =>
  Effect.scoped(Effect.flatMap(Store.open({ kind: "fs", path: home }, { lists }), (store) => Every.summaries(store)))

const stale = (
  fresh: ReadonlyArray<{ readonly id: string }>,
  remembered: ReadonlyArray<{ readonly id: string }>
): ReadonlyArray<Finding.Finding> => {
  const rows = new Map(remembered.map((row) => [row.id, row]))
  const ids = new Set([...fresh, ...remembered].map(({ id }) => id))
  const right = new Map(fresh.map((row) => [row.id, row]))
  return [...ids]
    .filter((id) => !isDeepStrictEqual(right.get(id), rows.get(id)))
    .map((id) =>
      Finding.make("warning", "stale", "what is remembered of it in the cache is not what its files say", {
        threadId: id,
        advice: advice["stale"] ?? null
      })
    )
}

/** Does what is safe. What is remembered in the cache is forgotten when some of it is wrong. */
export const repair = (home: string, findings: ReadonlyArray<Finding.Finding>) =>
  Effect.gen(function* () {
    const { backup, finished, moved } = yield* HomeDoctor.repair(home)
    const isStale = findings.some(({ code }) => code === "stale")
    if (isStale) yield* Files.forget(home)
    const repair: Finding.Repair = {
      backup: backup ?? null,
      done: [
        ...finished.map((one) => `${one}; it is finished now`),
        ...moved.map((name) => `${name} was moved away`),
        ...(isStale ? ["what was remembered of the home in the cache was forgotten"] : [])
      ],
      losses: []
    }
    return repair
  })
