/**
 * The command with words at random, over a home whose files were changed at random. It may refuse anything; it may not end
 * in a defect, print what is no JSON where JSON was asked for, end with a code that nobody documented, or not end.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeContext } from "@effect/platform-node"
import { Cause, Duration, Effect, Exit } from "effect"
import * as Cli from "../../src/Cli.js"
import { captured } from "../captured.js"
import type * as Mutations from "../Mutations.js"

const id = (n: number): string => `019c2b10-7a00-7c00-8000-00000000000${n}`

/** A home with a few rollouts under names that are right, or nearly. */
const home = (root: string, files: ReadonlyArray<Buffer>, random: Mutations.Random): ReadonlyArray<string> => {
  const day = join(root, random.pick(["sessions", "sessions", "archived_sessions"]), "2026/11/20")
  mkdirSync(day, { recursive: true })
  return files.map((content, i) => {
    const end = random.pick([".jsonl", ".jsonl", ".jsonl", ".jsonl.zst", ".json", ""])
    const path = join(day, `rollout-2026-11-20T10-00-0${i}-${id(random.below(3))}${end}`)
    writeFileSync(path, content)
    return path
  })
}

type Words = ReadonlyArray<string>

const json = ["--json"]
const at = ["--at", "?"]
const yes = ["--yes"]
const page = [
  ["--limit", "?"],
  ["--sort", "?"],
  ["--reverse"],
  ["--all"],
  ["--archived"],
  ["--term", "?"],
  ["--meta", "?"]
]

/** What each verb takes: with a file, a home, or the ids of threads in a store; `?` stands for a value. */
const verbs: Readonly<
  Record<string, { readonly of: "files" | "homes" | "ids" | "store"; readonly options: ReadonlyArray<Words> }>
> = {
  show: { of: "files", options: [json, at, ["--items"], ["--turn", "?"]] },
  diff: { of: "files", options: [json, ["--from", "?"], ["--to", "?"]] },
  context: { of: "files", options: [json, at] },
  world: { of: "files", options: [json, at, ["--changes"]] },
  windows: { of: "files", options: [json, at] },
  verify: { of: "files", options: [json] },
  tree: { of: "homes", options: [json] },
  ls: { of: "store", options: [json, ["--tree"], ...page] },
  search: { of: "store", options: [json, ...page] },
  rename: { of: "ids", options: [json] },
  archive: { of: "ids", options: [json] },
  unarchive: { of: "ids", options: [json] },
  rm: { of: "ids", options: [json, yes, ["--only"], ["--shared", "?"]] },
  compress: { of: "store", options: [json, yes, ["--dry-run"], ["--older-than", "?"]] },
  decompress: { of: "ids", options: [json] },
  doctor: { of: "store", options: [json, ["--repair"]] }
}

const values = [
  "0",
  "1",
  "3",
  "12",
  "2026-11-20T10:00:00Z",
  "turn-1",
  "created",
  "updated",
  "keep",
  "refuse",
  "a=b",
  "0s"
]
const nonsense: ReadonlyArray<Words> = [
  ["--help"],
  ["--oz"],
  ["--"],
  [""],
  ["-1"],
  ["1e9"],
  ["é"],
  ["{"],
  ["--at"],
  ["--limit", "many"]
]

const wordsFor = (root: string, paths: ReadonlyArray<string>, random: Mutations.Random): Words => {
  const verb = random.pick(Object.keys(verbs))
  const { of = "files", options = [] } = verbs[verb] ?? {}
  const store = ["--store", random.pick([`fs:${root}`, `fs:${root}`, `fs:${root}`, "memory:", `sqlite:${root}/a.db`])]
  const isOfStore = of === "ids" || of === "store" || random.below(4) === 0
  const rest: Array<Words> = []
  if (isOfStore) rest.push(store)
  for (let left = random.below(4); left > 0; left--) {
    rest.push(random.pick(options).map((word) => (word === "?" ? random.pick(values) : word)))
  }
  if (random.below(8) === 0) rest.push(random.pick(nonsense))
  const subjects = isOfStore
    ? of === "store"
      ? []
      : [id(random.below(3))]
    : of === "homes"
      ? [root]
      : [random.pick(paths)]
  if (random.below(10) === 0) subjects.push(join(root, "nowhere"))
  const last = verb === "search" || verb === "rename" ? [random.pick(["hello", "a", "é", "\ud800", ...values])] : []
  return [verb, ...rest.flat(), ...subjects, ...last]
}

/** Runs the command and keeps what it prints. */
const answer = (words: ReadonlyArray<string>) =>
  captured(() =>
    Effect.runPromiseExit(
      Cli.run(["node", "skein", ...words]).pipe(
        Effect.timeoutFail({ duration: Duration.seconds(20), onTimeout: () => "it did not end" as const }),
        Effect.provide(NodeContext.layer)
      )
    )
  )

const isJson = (line: string): boolean => {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

/** Asks the command once. Gives what was wrong. */
export const command = async (random: Mutations.Random, files: ReadonlyArray<Buffer>): Promise<string | undefined> => {
  const root = mkdtempSync(join(tmpdir(), "skein-fuzz-"))
  const cache = process.env["XDG_CACHE_HOME"]
  process.env["XDG_CACHE_HOME"] = join(root, "cache")
  try {
    const words = wordsFor(join(root, "home"), home(join(root, "home"), files, random), random)
    const { out, result: exit } = await answer(words)
    const asked = `skein ${words.map((word) => JSON.stringify(word)).join(" ")}`
    if (Exit.isFailure(exit)) return `${asked}: ${Cause.pretty(exit.cause)}`
    if (![0, 1, 2].includes(exit.value)) return `${asked}: it ended with ${exit.value}`
    if (!words.includes("--json") || words.includes("--help") || exit.value === 2) return undefined
    const line = out.split("\n").find((one) => one !== "" && !isJson(one))
    return line === undefined ? undefined : `${asked}: no JSON: ${line.slice(0, 200)}`
  } finally {
    if (cache === undefined) delete process.env["XDG_CACHE_HOME"]
    else process.env["XDG_CACHE_HOME"] = cache
    rmSync(root, { recursive: true, force: true })
  }
}
