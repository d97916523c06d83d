/**
 * A thread for a store that cannot share what such a thread inherits: each segment that stands on another one gets what
 * it inherits in front of its own lines, behind its header, as in a fork that was copied whole.
 *
 * It is put together here and not by the other store, since places in a segment are other ones once it is whole.
 */
import { Effect, type Scope } from "effect"
import * as Derived from "../Derived.js"
import type { StoredSegment } from "../Driver.js"
import type { LineSource } from "../LineSource.js"
import type { Position } from "../Position.js"
import * as Positions from "../Position.js"
import type { ReadError } from "../StoreError.js"
import type { Exported, ThreadStoreService } from "../ThreadStore.js"
import type { Run } from "./Joined.js"
import * as Joined from "./Joined.js"

type Source = LineSource<ReadError>

interface Known {
  readonly source: Source
  readonly base: Position | undefined
}

/** A thread as it goes to a store, and what of it was not there. */
export interface Fitted {
  readonly thread: Exported
  readonly losses: ReadonlyArray<string>
}

/** The thread as it is, where the other store can keep it so. Cost: else the headers and ends of its segments. */
export const fit = (
  from: ThreadStoreService,
  to: ThreadStoreService,
  thread: Exported
): Effect.Effect<Fitted, ReadError, Scope.Scope> =>
  Effect.gen(function* () {
    const { row, segments } = thread
    const mode = Derived.knownMode(row.historyMode)
    const stands = segments.some(({ base }) => base !== undefined)
    if (mode === undefined || to.supports.sharedPrefixes[mode] || !stands) return { thread, losses: [] }
    const known = yield* knownSegments(from, thread)
    const losses: Array<string> = []
    const whole: Array<StoredSegment> = []
    for (const segment of segments) {
      if (segment.base === undefined) whole.push(segment)
      else whole.push({ ...segment, base: undefined, source: yield* wholeOf(from, segment, known, losses) })
    }
    return { thread: { ...thread, segments: whole }, losses }
  })

/** The segments that a thread's own ones may stand on: those of its log, and its own. */
const knownSegments = (
  from: ThreadStoreService,
  { row, segments }: Exported
): Effect.Effect<Map<string, Known>, ReadError, Scope.Scope> =>
  Effect.gen(function* () {
    const known = new Map<string, Known>()
    const { pieces } = yield* from.open(row.threadId, { includeArchived: true })
    for (const [i, { segmentId, source }] of pieces.entries()) {
      const below = pieces[i - 1]
      known.set(segmentId, {
        source,
        base: below === undefined ? undefined : Positions.make(below.segmentId, below.to)
      })
    }
    for (const { base, segmentId, source } of segments) known.set(segmentId, { base, source })
    return known
  })

const wholeOf = (
  from: ThreadStoreService,
  segment: StoredSegment,
  known: Map<string, Known>,
  losses: Array<string>
): Effect.Effect<Source, ReadError, Scope.Scope> =>
  Effect.gen(function* () {
    const inherited: Array<Run<ReadError>> = []
    const visited = new Set([segment.segmentId])
    let { base } = segment
    while (base !== undefined) {
      const { offset, segmentId }: Position = base
      const found = known.get(segmentId) ?? (yield* firstOf(from, segmentId))
      if (found === undefined || visited.has(segmentId)) {
        losses.push(`segment ${segment.segmentId} stands on ${Positions.format(base)}, which is not there`)
        break
      }
      visited.add(segmentId)
      inherited.unshift({ source: found.source, from: 0, to: Math.min(offset, found.source.size) })
      base = found.base
    }
    const { source } = segment
    const behind = yield* headerEnd(source)
    const [header, rest] = [
      { source, from: 0, to: behind },
      { source, from: behind, to: source.size }
    ]
    return yield* Joined.join([header, ...inherited, rest], source.path)
  })

/** The first segment of the thread of an id, of one that was reverted behind it. */
const firstOf = (from: ThreadStoreService, segmentId: string): Effect.Effect<Known | undefined, never, Scope.Scope> =>
  from.exported(segmentId).pipe(
    Effect.map(({ segments }) => segments.find((one) => one.segmentId === segmentId)),
    Effect.orElseSucceed(() => undefined)
  )

/** Where the first line of a segment ends. */
const headerEnd = (source: Source): Effect.Effect<number, ReadError> =>
  Effect.gen(function* () {
    let end = 0
    yield* source.forward(
      (line) => {
        end = Math.min(source.size, line.offset + line.bytes.length + 1)
        return false
      },
      { brief: true }
    )
    return end
  })
