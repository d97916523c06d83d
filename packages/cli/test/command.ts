/** Ways to ask the command: in this process, or as the bundle that users run. */
import { execFile, type SpawnSyncReturns, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { NodeContext } from "@effect/platform-node"
import { Effect } from "effect"
import { repository } from "../../core/test/corpus.js"
import * as Cli from "../src/Cli.js"
import { captured } from "./captured.js"

export interface Answer {
  readonly code: number
  readonly out: string
  readonly err: string
}

// Whoever runs the tests may have said how they want colours; what is compared here has none.
delete process.env["FORCE_COLOR"]

/** Runs the command in this process. */
export const skein = async (...words: ReadonlyArray<string>): Promise<Answer> => {
  const { err, out, result } = await captured(() =>
    Effect.runPromise(Cli.run(["node", "skein", ...words]).pipe(Effect.provide(NodeContext.layer)))
  )
  return { code: result, out, err }
}

/** The documents that a command printed, one a line. */
export const documents = ({ out }: Answer): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)

const bundle = join(repository, "packages/cli/dist/skein.js")

/** The script that users run. */
export const script = join(repository, "packages/cli/bin/skein.js")

const newest = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs)
  )

const isFresh = (): boolean =>
  existsSync(bundle) &&
  statSync(bundle).mtimeMs >=
    Math.max(
      ...["core", "store", "store-fs", "store-memory", "store-sqlite", "cli"].map((name) =>
        newest(join(repository, "packages", name, "src"))
      )
    )

/** Bundles the command unless it was since its sources last changed. */
export const ensureBundle = (): void => {
  if (isFresh()) return
  const lock = join(repository, "packages/cli/dist/.bundling")
  mkdirSync(join(repository, "packages/cli/dist"), { recursive: true })
  for (let patience = 300; ; patience--) {
    try {
      mkdirSync(lock)
      break
    } catch (error) {
      // Another test file is at it; one that was killed must not stop all later ones.
      if (patience === 0) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
      if (!existsSync(lock) && isFresh()) return
    }
  }
  try {
    const { status, stderr } = spawnSync("node", [join(repository, "scripts/bundle.mjs")], { encoding: "utf8" })
    if (status !== 0) throw new Error(`the command could not be bundled: ${stderr}`)
  } finally {
    rmdirSync(lock)
  }
}

/** Runs the bundled command. */
export const spawned = (...words: ReadonlyArray<string>): SpawnSyncReturns<string> =>
  spawnSync("node", [script, ...words], { encoding: "utf8", maxBuffer: 2 ** 30, timeout: 60_000 })

/** Runs the bundled command while others run. */
export const spawnedAside = (
  ...words: ReadonlyArray<string>
): Promise<{
  readonly status: number | null
  readonly signal: string | null
  readonly out: string
  readonly err: string
}> =>
  new Promise((resolve) => {
    const child = execFile(
      "node",
      [script, ...words],
      { encoding: "utf8", maxBuffer: 2 ** 30, timeout: 60_000 },
      (_, out, err) => resolve({ status: child.exitCode, signal: child.signalCode, out, err })
    )
  })
