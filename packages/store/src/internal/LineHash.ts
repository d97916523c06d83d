/** A hash over lines, so that two stores can be held against each other without either being kept in memory. */
import { createHash } from "node:crypto"
import * as Jsonl from "@skein/core/record/Jsonl"
import { Effect } from "effect"
import * as EffectiveLog from "../EffectiveLog.js"
import type { LineSource } from "../LineSource.js"

/** What a run of lines comes to. */
export interface LineHash {
  /** Over each line that is not blank and a line feed: blank lines and a missing last line feed make no difference. */
  readonly sha256: string
  /** Lines that are not blank. */
  readonly lines: number
}

const newline = new Uint8Array([0x0a])

const hasher = (tick: (bytes: number) => void) => {
  const hash = createHash("sha256")
  let lines = 0
  return {
    add: (line: Jsonl.RawLine): boolean => {
      tick(line.bytes.length + 1)
      if (Jsonl.isBlank(line)) return true
      lines++
      hash.update(line.bytes)
      hash.update(newline)
      return true
    },
    end: (): LineHash => ({ sha256: hash.digest("hex"), lines })
  }
}

/** The hash of a whole segment. Cost: one pass; memory: what its source holds. */
export const ofSource = <E>(source: LineSource<E>, tick: (bytes: number) => void): Effect.Effect<LineHash, E> =>
  Effect.suspend(() => {
    const hash = hasher(tick)
    return Effect.map(source.forward(hash.add, { passing: true }), hash.end)
  })

/**
 * The hash of a log but for the first header of each of its segments, which says whose it is and on what it stands: the
 * same for a log that was left a copy of what it inherits. Cost: one pass.
 */
export const ofLog = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  tick: (bytes: number) => void
): Effect.Effect<LineHash, E> =>
  Effect.suspend(() => {
    const hash = hasher(tick)
    const headers = log.pieces.map(({ meta }) => meta?.line.offset)
    const take = (line: Jsonl.RawLine, piece: number): boolean => line.offset === headers[piece] || hash.add(line)
    return Effect.map(EffectiveLog.lines(log, take), hash.end)
  })
