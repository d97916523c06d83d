/** The names that threads of a home were given: its `session_index.jsonl` (rollout-format §1.2). */
import { FileSystem, Path } from "@effect/platform"
import { canonicalUuid } from "@skein/core/record/Primitive"
import { Effect } from "effect"

/** Names by thread id. An empty one was cleared. */
export type Names = ReadonlyMap<string, string>

/**
 * The names that the lines of an index give: the last line for an id wins, lines that make no sense are passed over.
 * Cost: one pass over the lines.
 */
export const parse = (content: string): Names => {
  const names = new Map<string, string>()
  for (const line of content.split("\n")) {
    const entry = parseLine(line)
    if (entry !== undefined) names.set(canonicalUuid(entry.id), entry.thread_name)
  }
  return names
}

const parseLine = (line: string): { readonly id: string; readonly thread_name: string } | undefined => {
  if (line.trim() === "") return undefined
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== "object" || value === null) return undefined
    const { id, thread_name } = value as Readonly<Record<string, unknown>>
    return typeof id === "string" && typeof thread_name === "string" ? { id, thread_name } : undefined
  } catch {
    return undefined
  }
}

/** The names in a home; none when it has no index that can be read. Cost: one read of the file. */
export const read = (home: string): Effect.Effect<Names, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const file = paths.join(home, "session_index.jsonl")
    const isFile = yield* fs.stat(file).pipe(
      Effect.map((info) => info.type === "File"),
      Effect.orElseSucceed(() => false)
    )
    // Opening anything else, such as a FIFO, could wait for ever.
    if (!isFile) return new Map()
    return yield* fs.readFileString(file).pipe(
      Effect.map(parse),
      Effect.orElseSucceed((): Names => new Map())
    )
  })

/** The name of a thread, or undefined when it has none or lost it. */
export const nameOf = (names: Names, id: string): string | undefined => names.get(canonicalUuid(id)) || undefined
