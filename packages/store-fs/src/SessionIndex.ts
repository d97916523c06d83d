/** The names that threads of a home were given: its `session_index.jsonl` (rollout-format §1.2). */
import { FileSystem, Path } from "@effect/platform"
import { canonicalUuid } from "@skein/core/record/Primitive"
import { Effect } from "effect"

/** Names by thread id. An empty one was cleared. */
export type Names = ReadonlyMap<string, string>

/** A name, and when it was given as the index has it: RFC 3339, or anything else. */
export interface Entry {
  readonly name: string
  readonly at: string
}

/**
 * What the lines of an index say by thread id: the last line for an id wins, lines that make no sense are passed over.
 * Cost: one pass over the lines.
 */
export const entries = (content: string): ReadonlyMap<string, Entry> => {
  const found = new Map<string, Entry>()
  for (const line of content.split("\n")) {
    const entry = parseLine(line)
    if (entry !== undefined) found.set(canonicalUuid(entry.id), { name: entry.thread_name, at: entry.updated_at })
  }
  return found
}

/** The names alone; otherwise as {@link entries}. */
export const parse = (content: string): Names =>
  new Map([...entries(content)].map(([id, { name }]) => [id, name] as const))

/** A line of the index, as the reference writes it. */
export const lineOf = (id: string, { at, name }: Entry): string =>
  `${JSON.stringify({ id, thread_name: name, updated_at: at })}\n`

/** An index without the lines of a thread; every other line stays as it is. */
export const without = (content: string, id: string): string =>
  content
    .split("\n")
    .filter((line) => {
      const entry = parseLine(line)
      return entry === undefined || canonicalUuid(entry.id) !== id
    })
    .join("\n")

interface Line {
  readonly id: string
  readonly thread_name: string
  readonly updated_at: string
}

const parseLine = (line: string): Line | undefined => {
  if (line.trim() === "") return undefined
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== "object" || value === null) return undefined
    const { id, thread_name, updated_at } = value as Readonly<Record<string, unknown>>
    if (typeof id !== "string" || typeof thread_name !== "string") return undefined
    return { id, thread_name, updated_at: typeof updated_at === "string" ? updated_at : "" }
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
