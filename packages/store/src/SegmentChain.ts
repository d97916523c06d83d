/**
 * From segments to the log that they make: for adapters that find a segment by its id and keep with it what it stands on.
 */
import * as Record from "@skein/core/record/Record"
import * as Sniff from "@skein/core/record/Sniff"
import { Effect } from "effect"
import type { Diagnostic } from "./Diagnostic.js"
import type * as EffectiveLog from "./EffectiveLog.js"
import type { LineSource } from "./LineSource.js"
import type { Position } from "./Position.js"
import * as Positions from "./Position.js"

/** A segment as a store has it. */
export interface Link<E> {
  readonly segmentId: string
  /** What it stands on, whether that is there or not. */
  readonly base: Position | undefined
  readonly source: LineSource<E>
}

/**
 * The effective log of a segment and of what it stands on. A base that is missing, shorter than it should be, or part of
 * a circle, is a diagnostic, and the log then begins where it can. Cost: the headers of the segments.
 */
export const open = <E, R>(
  head: Link<E>,
  find: (segmentId: string) => Effect.Effect<Link<E> | undefined, E, R>
): Effect.Effect<EffectiveLog.EffectiveLog<E>, E, R> =>
  Effect.gen(function* () {
    const own = yield* piece(head, head.source.size)
    const pieces: Array<EffectiveLog.Piece<E>> = [own]
    const diagnostics: Array<Diagnostic> = []
    const visited = new Set([head.segmentId])
    let { base } = head
    while (base !== undefined) {
      const found: Link<E> | undefined = yield* find(base.segmentId)
      const isCycle = visited.has(base.segmentId)
      const code =
        found === undefined
          ? "missing-base"
          : isCycle
            ? "cyclic-base"
            : base.offset > found.source.size
              ? "base-too-short"
              : undefined
      if (code !== undefined) diagnostics.push(noticed(head.source.path, base, code))
      if (found === undefined || isCycle) break
      visited.add(found.segmentId)
      pieces.unshift(yield* piece(found, base.offset))
      base = found.base
    }
    return { pieces, meta: own.meta, whole: diagnostics.length === 0, diagnostics }
  })

const piece = <E>(segment: Link<E>, to: number): Effect.Effect<EffectiveLog.Piece<E>, E> =>
  Effect.map(headerOf(segment.source), (meta) => ({
    segmentId: segment.segmentId,
    source: segment.source,
    meta,
    to: Math.min(to, segment.source.size),
    below: undefined
  }))

/** The first readable header of a segment. Lines of other kinds are passed over by their first bytes. */
export const headerOf = <E>(source: LineSource<E>): Effect.Effect<Record.Of<"session_meta"> | undefined, E> =>
  Effect.gen(function* () {
    let meta: Record.Of<"session_meta"> | undefined
    yield* source.forward(
      (line) => {
        const head = Sniff.head(line.bytes)
        if (head !== undefined && head.type !== "session_meta") return true
        const decoded = Record.decode(line, "bare")
        if (decoded.kind === "session_meta") meta = decoded
        return meta === undefined
      },
      { brief: true }
    )
    return meta
  })

const noticed = (path: string, base: Position, code: keyof typeof meaning): Diagnostic => ({
  severity: "error",
  code,
  path,
  line: undefined,
  offset: undefined,
  message: `it continues ${Positions.format(base)}, ${meaning[code]}`
})

const meaning = {
  "missing-base": "which is not there",
  "cyclic-base": "which continues it",
  "base-too-short": "but that segment ends earlier"
} as const
