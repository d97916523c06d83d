/** What a rollout says of itself at its beginning: which thread it is, how it is kept, what it stands on. */
import type { RawLine } from "@skein/core/record/Jsonl"
import * as Record from "@skein/core/record/Record"
import * as Sniff from "@skein/core/record/Sniff"
import * as Derived from "@skein/store/Derived"
import type { LineSource } from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import { Effect } from "effect"

/** The beginning of a rollout. */
export interface Header {
  /** The first readable `session_meta`. */
  readonly meta: Record.Of<"session_meta"> | undefined
  /** The history mode of a header in front of it that this version does not know: the file is not to be read. */
  readonly unknownMode: string | undefined
  /** Whether there is not a line in it that says anything. */
  readonly isEmpty: boolean
}

/** Reads the beginning of a rollout. Lines in front of the header are passed over by their first bytes. */
export const read = <E>(source: LineSource<E>): Effect.Effect<Header, E> =>
  Effect.gen(function* () {
    let meta: Record.Of<"session_meta"> | undefined
    let unknownMode: string | undefined
    let isEmpty = true
    const look = (line: RawLine): boolean => {
      const head = Sniff.head(line.bytes)
      if (head !== undefined && head.type !== "session_meta") {
        isEmpty = false
        return true
      }
      const decoded = Record.decode(line, isEmpty ? "bare" : "enveloped")
      if (decoded.kind !== "blank") isEmpty = false
      if (decoded.kind === "damage" && decoded.reason === "unknown-history-mode") unknownMode = modeOf(line)
      if (decoded.kind === "session_meta") meta = decoded
      return meta === undefined && unknownMode === undefined
    }
    yield* source.forward(look, { brief: true })
    return { meta, unknownMode, isEmpty }
  })

/** The mode in a line that was parsed before. */
const modeOf = ({ bytes }: RawLine): string => {
  const value = JSON.parse(new TextDecoder().decode(bytes)) as { readonly payload?: unknown }
  return Derived.historyModeOf(value.payload)
}

/** How the file is kept, as its header says; `legacy` without one. */
export const historyMode = ({ meta, unknownMode }: Header): string =>
  unknownMode ?? (meta === undefined ? "legacy" : Derived.historyModeOf(meta.payload))

/** What the file stands on, as its header says. */
export const base = ({ meta }: Header): Position | undefined => {
  const inherited = meta?.payload.history_base ?? undefined
  return inherited === undefined
    ? undefined
    : Positions.make(inherited.thread_id.toLowerCase(), inherited.end_byte_offset)
}
