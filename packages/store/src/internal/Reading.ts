/** Reading logs: what every operation that looks into a thread begins with. */
import type { Decoded } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"
import type { HistoryMode } from "@skein/core/record/SessionMeta"
import { Chunk, Deferred, Effect, Option, Ref, type Scope, Stream } from "effect"
import type { Driver, Located } from "../Driver.js"
import * as EffectiveLog from "../EffectiveLog.js"
import type { Position } from "../Position.js"
import * as Positions from "../Position.js"
import { InvalidRequest, type ReadError } from "../StoreError.js"
import * as SummaryQuery from "../SummaryQuery.js"
import type { Followed, ReadOptions, ReadRange, Row } from "../ThreadStore.js"
import * as Encoding from "./Encoding.js"
import type { Signals } from "./Signals.js"

export type Log = EffectiveLog.EffectiveLog<ReadError>

/** Where a thread stands, once its id, its mode and whether it is archived have been looked at. */
export const locate = (
  driver: Driver,
  threadId: string,
  options: ReadOptions = {}
): Effect.Effect<Located, ReadError> =>
  Effect.gen(function* () {
    const id = yield* SummaryQuery.threadId(threadId)
    const located = yield* driver.locate(id)
    yield* Encoding.modeOf(located)
    if (located.archivedAt !== undefined && options.includeArchived !== true) {
      return yield* Effect.fail(Encoding.archived(id))
    }
    return located
  })

/** The log of a thread, under the same conditions. */
export const open = (
  driver: Driver,
  threadId: string,
  options: ReadOptions = {}
): Effect.Effect<Log, ReadError, Scope.Scope> =>
  Effect.flatMap(locate(driver, threadId, options), (located) => driver.open(located.threadId))

/** The log from a position on; `InvalidRequest` when it is no end of a line of the log. */
export const from = (log: Log, position: Position | undefined, field: string): Effect.Effect<Log, ReadError> =>
  Effect.gen(function* () {
    if (position === undefined) return log
    yield* pieceAt(log, position, field)
    return EffectiveLog.after(log, position) ?? (yield* Effect.fail(noSuchPlace(position, field)))
  })

const noSuchPlace = (position: Position, field: string): InvalidRequest =>
  new InvalidRequest({
    field,
    reason: `${Positions.format(position)} is no end of a record of this thread`,
    advice: "Use a position that this thread's records were read or appended with."
  })

/** The piece of a log in which a position lies, which has to be its start or the end of one of its lines. */
const pieceAt = (log: Log, position: Position, field: string): Effect.Effect<number, ReadError> =>
  Effect.gen(function* () {
    const at = log.pieces.findIndex(({ segmentId }) => segmentId === position.segmentId)
    const piece = log.pieces[at]
    if (
      piece === undefined ||
      !(Number.isSafeInteger(position.offset) && position.offset >= 0 && position.offset <= piece.to)
    ) {
      return yield* Effect.fail(noSuchPlace(position, field))
    }
    const { size } = piece.source
    let end = 0
    yield* piece.source.backward(
      (line) => {
        // Asked for a place inside of a line, a source may give the line or its first part; only a file's last one may end so.
        if (line.terminated || position.offset >= size) end = Positions.behind(position.segmentId, line).offset
        return false
      },
      { to: Math.min(position.offset, size) }
    )
    return end === position.offset ? at : yield* Effect.fail(noSuchPlace(position, field))
  })

/**
 * A log cut behind a position, which has to be the end of one of its lines.
 *
 * @returns The log up to there, and the ordinal that follows there in a thread with ordinals. One without is not asked:
 * all of it would be read in vain.
 */
export const cutAt = (
  log: Log,
  position: Position,
  field: string,
  mode: HistoryMode
): Effect.Effect<{ readonly log: Log; readonly nextOrdinal: number }, ReadError> =>
  Effect.gen(function* () {
    const cut = EffectiveLog.cut(log, yield* pieceAt(log, position, field), position.offset)
    return { log: cut, nextOrdinal: mode === "paginated" ? yield* nextOrdinal(cut) : 0 }
  })

/** The ordinal behind the newest readable record that has one; 0 when none has. */
const nextOrdinal = (log: Log): Effect.Effect<number, ReadError> =>
  Effect.gen(function* () {
    let next = 0
    yield* EffectiveLog.backward(log, (decoded) => {
      if (!EffectiveLog.isRecord(decoded) || decoded.ordinal === undefined) return true
      next = decoded.ordinal + 1
      return false
    })
    return next
  })

/** The ordinal behind the newest record that has one, of a segment up to an offset. */
export const ordinalBehind = (
  source: EffectiveLog.Piece<ReadError>["source"],
  to?: number
): Effect.Effect<number | undefined, ReadError> =>
  Effect.gen(function* () {
    let next: number | undefined
    yield* source.backward(
      (line) => {
        const decoded = Record.decode(line)
        if (!EffectiveLog.isRecord(decoded) || decoded.ordinal === undefined) return true
        next = decoded.ordinal + 1
        return false
      },
      { to }
    )
    return next
  })

/** Rows that one reading of the store takes at most. */
const pageRows = 1024
const pageBytes = 1024 * 1024

/** A page of rows, and whether there are more. */
interface Rows {
  readonly rows: ReadonlyArray<Row>
  readonly more: boolean
}

const rowOf = (log: Log, decoded: Decoded, piece: number): Row => {
  const segmentId = log.pieces[piece]?.segmentId
  // A header that is handed on first stands in front of the log that follows.
  return segmentId === undefined || (piece > 0 && decoded === log.meta)
    ? { position: Positions.make(log.pieces[0]?.segmentId ?? "", log.pieces[0]?.from ?? 0), decoded }
    : { position: Positions.behind(segmentId, decoded.line), decoded }
}

const collect = (log: Log, direction: "forward" | "backward"): Effect.Effect<Rows, ReadError> =>
  Effect.gen(function* () {
    const rows: Array<Row> = []
    let held = 0
    const take: EffectiveLog.Take = (decoded, piece) => {
      rows.push(rowOf(log, decoded, piece))
      held += decoded.line.bytes.length
      return rows.length < pageRows && held < pageBytes
    }
    const more =
      direction === "forward"
        ? !(yield* EffectiveLog.forward(log, take))
        : (yield* EffectiveLog.backward(log, take)) !== undefined
    return { rows, more }
  })

/** The lines of a log as a stream: a page is read when it is asked for. */
export const read = (driver: Driver, threadId: string, range: ReadRange = {}): Stream.Stream<Row, ReadError> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const log = yield* open(driver, threadId, range)
      const wanted = yield* from(log, range.after, "after")
      return range.direction === "backward" ? backward(wanted) : forward(wanted)
    })
  )

const forward = (log: Log): Stream.Stream<Row, ReadError> =>
  Stream.paginateChunkEffect(log, (rest) =>
    Effect.map(collect(rest, "forward"), ({ more, rows }) => {
      const last = rows.at(-1)
      const next = more && last !== undefined ? EffectiveLog.after(rest, last.position) : undefined
      return [Chunk.unsafeFromArray(rows as Array<Row>), Option.fromNullable(next)]
    })
  )

const backward = (log: Log): Stream.Stream<Row, ReadError> =>
  Stream.paginateChunkEffect(log, (rest) =>
    Effect.gen(function* () {
      const rows: Array<Row> = []
      let held = 0
      const remaining = yield* EffectiveLog.backward(rest, (decoded, piece) => {
        rows.push(rowOf(log, decoded, piece))
        held += decoded.line.bytes.length
        return rows.length < pageRows && held < pageBytes
      })
      return [Chunk.unsafeFromArray(rows), Option.fromNullable(remaining)] as const
    })
  )

/** How often a follower asks for what other processes appended, in milliseconds. */
const pollEvery = 150

interface Following {
  /** Behind what was told last; undefined at the start. */
  readonly position: Position | undefined
  /** The segments that the log had, and how much of each. */
  readonly chain: ReadonlyArray<Position>
  readonly caughtUp: boolean
}

/** See {@link ThreadStoreService.follow}. What is told is always read from the store, so nothing is told twice or lost. */
export const follow = (
  driver: Driver,
  signals: Signals,
  threadId: string,
  after: Position | undefined,
  options: ReadOptions = {}
): Stream.Stream<Followed, ReadError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { threadId: id } = yield* locate(driver, threadId, options)
      const state = yield* Ref.make<Following>({ position: after, chain: [], caughtUp: false })
      return Stream.repeatEffectChunk(next(driver, signals, id, options, state))
    })
  )

const next = (
  driver: Driver,
  signals: Signals,
  threadId: string,
  options: ReadOptions,
  state: Ref.Ref<Following>
): Effect.Effect<Chunk.Chunk<Followed>, ReadError> =>
  Effect.gen(function* () {
    for (;;) {
      const { caughtUp, chain, position } = yield* Ref.get(state)
      const signal = yield* signals.next(threadId)
      const told = yield* Effect.scoped(
        Effect.gen(function* () {
          if (caughtUp) {
            const { head } = yield* locate(driver, threadId, options)
            if (position !== undefined && Positions.equals(head, position)) return Chunk.empty<Followed>()
          }
          const log = yield* open(driver, threadId, options)
          const now = log.pieces.map(({ segmentId, to }) => Positions.make(segmentId, to))
          const head = now.at(-1)
          if (chain.length > 0 && head !== undefined && !goesOn(chain, now)) {
            const commonEnd = common(chain, now)
            const stays = commonEnd !== undefined && position !== undefined && isWithin(chain, position, commonEnd)
            yield* Ref.set(state, { position: stays ? position : commonEnd, chain: now, caughtUp: false })
            return Chunk.of<Followed>({ _tag: "Switched", segmentId: head.segmentId, commonEnd })
          }
          // What was told before is an end of a line; only what the caller says has to be looked at.
          const known = chain.length === 0 || position === undefined ? undefined : EffectiveLog.after(log, position)
          const rest = known ?? (yield* from(log, position, "after"))
          const { rows } = yield* collect(rest, "forward")
          const last = rows.at(-1)
          if (last !== undefined) {
            yield* Ref.set(state, { position: last.position, chain: now, caughtUp })
            return Chunk.fromIterable(rows.map((row): Followed => ({ _tag: "Record", row })))
          }
          yield* Ref.set(state, { position, chain: now, caughtUp: true })
          return caughtUp ? Chunk.empty<Followed>() : Chunk.of<Followed>({ _tag: "CaughtUp", position })
        })
      )
      if (Chunk.isNonEmpty(told)) return told
      const wake = Deferred.await(signal)
      yield* driver.supports.follow === "machine" ? Effect.race(wake, Effect.sleep(pollEvery)) : wake
    }
  })

/** Whether one chain of segments is the other one, grown at its end. */
const goesOn = (chain: ReadonlyArray<Position>, now: ReadonlyArray<Position>): boolean =>
  chain.length === now.length &&
  chain.every(({ offset, segmentId }, i) => {
    const other = now[i]
    if (other?.segmentId !== segmentId) return false
    return i === chain.length - 1 ? offset <= other.offset : offset === other.offset
  })

/** Whether a place of a chain lies in front of another one, or is it. */
const isWithin = (chain: ReadonlyArray<Position>, place: Position, end: Position): boolean => {
  const indexOf = ({ segmentId }: Position) => chain.findIndex((one) => one.segmentId === segmentId)
  const [left, right] = [indexOf(place), indexOf(end)]
  return left < right || (left === right && place.offset <= end.offset)
}

/** Where two chains of segments part: the end of what they share; undefined when they share nothing. */
const common = (left: ReadonlyArray<Position>, right: ReadonlyArray<Position>): Position | undefined => {
  let shared: Position | undefined
  for (const [i, position] of left.entries()) {
    const other = right[i]
    if (other === undefined || other.segmentId !== position.segmentId) break
    shared = position.offset < other.offset ? position : other
    if (position.offset !== other.offset) break
  }
  return shared
}
