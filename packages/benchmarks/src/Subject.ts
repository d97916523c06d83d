/** What is measured: a way to keep conversations, and what is done with it. Whatever it gives back is checked. */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Said, Turn } from "./Workload.js"

/** What outlives what: nothing the process, everything the death of the process, everything a power failure. */
export type Durability = "process" | "os" | "fsync"

/** Gives what was read in the form in which it is compared. Called behind the clock. */
export type Reader = () => ReadonlyArray<Said> | Promise<ReadonlyArray<Said>>

/** A subject over a folder. */
export interface Opened {
  /** Begins the conversation, or goes on with the one that is there. What it gives keeps one more turn. */
  readonly writer: () => Promise<(turn: Turn) => Promise<unknown>>
  /** Learns what a host that goes on with the conversation knows already. */
  readonly prepare?: (() => Promise<unknown>) | undefined
  /**
   * Puts many turns there in one go, where that is not what is measured; compacted: with the summaries that the
   * workload says. Default: one after the other.
   */
  readonly seed?: ((turns: ReadonlyArray<Turn>, compacted?: boolean) => Promise<unknown>) | undefined
  /** Puts a summary in the place of what the model was to see so far; undefined where there is no way to keep the rest. */
  readonly compact?: ((summary: string) => Promise<unknown>) | undefined
  /** Everything that the model has to see next. */
  readonly resume: () => Promise<Reader>
  /** The last turns, as a client shows them. */
  readonly lastPage: (turns: number) => Promise<Reader>
  /** The end of what is there now, in words of the subject: where a fork may begin. */
  readonly mark: () => Promise<string>
  /** Another conversation with what was there at a mark. */
  readonly fork: (mark: string) => Promise<Reader>
  /** Makes so many short conversations. */
  readonly fill?: ((threads: number) => Promise<unknown>) | undefined
  /** The ids of the newest conversations, with whatever else it takes to show them; without a limit of all. */
  readonly list?: ((limit: number | undefined) => Promise<ReadonlyArray<string>>) | undefined
  /** What the place says of its durability, where it can be asked. */
  readonly facts?: (() => string | Promise<string>) | undefined
  readonly close: () => Promise<unknown>
}

/** A way to keep conversations. */
export interface Subject {
  readonly name: string
  readonly label: string
  readonly kind: "ours" | "peer" | "bare"
  readonly durability: Durability
  /** By which operations it does what it is asked. */
  readonly how: string
  /** One that is too slow for a whole run: it is seeded, and measured over the last turns in front of these counts. */
  readonly sampled?: ReadonlyArray<number> | undefined
  readonly open: (folder: string) => Promise<Opened>
}

/** A subject gave back something other than it was given. */
export class WrongContent extends Error {
  override readonly name = "WrongContent"
}

/** Throws {@link WrongContent} unless everything is there, once, in order. */
export const check = (what: string, found: ReadonlyArray<Said>, expected: ReadonlyArray<Said>): void => {
  if (found.length !== expected.length) {
    throw new WrongContent(`${what}: ${found.length} messages instead of ${expected.length}`)
  }
  for (const [i, { role, text }] of expected.entries()) {
    const one = found[i]
    if (one?.role !== role || one.text !== text) {
      const short = (said: Said | undefined) => JSON.stringify(said)?.slice(0, 80)
      throw new WrongContent(`${what}: message ${i} is ${short(one)} instead of ${short({ role, text })}`)
    }
  }
}

/** Throws {@link WrongContent} unless these are that many different ids out of those. */
export const checkIds = (
  what: string,
  found: ReadonlyArray<string>,
  among: ReadonlySet<string>,
  count: number
): void => {
  const unique = new Set(found)
  if (found.length !== count || unique.size !== count) {
    throw new WrongContent(`${what}: ${found.length} rows, ${unique.size} of them different, instead of ${count}`)
  }
  for (const id of unique) if (!among.has(id)) throw new WrongContent(`${what}: ${id} was never made`)
}

/** Bytes of all files below a folder. */
export const bytesBelow = (folder: string): number => {
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size
  }
  return bytes
}
