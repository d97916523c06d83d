/** Where threads for tests lie: the bundled samples, and the real rollouts beside the repository where there are any. */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The folder of this repository. */
export const repository = fileURLToPath(new URL("../../../", import.meta.url))

/** The bundled sample threads. */
export const samples = join(repository, "samples")

const beside = join(repository, "../shared/corpus")

/** The folder of the real rollouts; undefined where there are none. */
export const corpus: string | undefined = existsSync(beside) ? beside : undefined

/** What the name of a group of tests says when it needs the real rollouts. */
export const needsCorpus = corpus === undefined ? " (skipped: no real rollouts beside the repository)" : ""

/** Every rollout file below a folder, in order of path. */
export const rolloutsBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /^rollout-.*\.jsonl(\.zst)?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

/**
 * The folders of the corpus, one for each version that wrote threads, and those with damaged and edited ones. Where there
 * is none, one name that stands for them, so that what is skipped is seen.
 */
export const versions: ReadonlyArray<string> =
  corpus === undefined
    ? ["all versions"]
    : readdirSync(corpus, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort()

/** Every rollout of the corpus; those of the samples where there is none. */
export const rollouts: ReadonlyArray<string> = rolloutsBelow(corpus ?? samples)
