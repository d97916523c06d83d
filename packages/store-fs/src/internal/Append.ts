/** Appending batches to a thread: deciding them where they will stand, writing them, and making sure of it. */
import type { AppendRequest, Located } from "@skein/store/Driver"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import { type AppendError, LeaseHeld, StoreUnavailable } from "@skein/store/StoreError"
import { Effect, Either } from "effect"
import type { Tools } from "./Lane.js"
import * as Lane from "./Lane.js"
import * as Lease from "./Lease.js"
import * as LiveFile from "./LiveFile.js"

/** How often a write is tried that somebody else got in the way of. */
const tries = 5

/** See `Driver.append`. Cost: one write and two looks, whatever the length of the thread. */
export const append = (
  tools: Tools,
  lane: Lane.Lane,
  request: AppendRequest
): Effect.Effect<ReadonlyArray<Position>, AppendError> =>
  Effect.flatMap(Lane.permit(tools, lane, request.fence), (held) => attempt(tools, lane, request, held, tries))

const attempt = (
  tools: Tools,
  lane: Lane.Lane,
  request: AppendRequest,
  held: Lease.Held,
  left: number
): Effect.Effect<ReadonlyArray<Position>, AppendError> =>
  Effect.gen(function* () {
    const { expected, threadId } = request
    const isUnseen = Lane.isBelieved(tools, lane)
    const live = yield* Lane.current(tools, lane, expected)
    yield* Lane.expect(tools, lane, live, expected)
    lane.isSole = true
    const archivedAt = yield* archivedSince(tools, live)
    const decided = decide(live, archivedAt, request)
    if (Either.isLeft(decided)) return yield* Effect.fail(decided.left)
    const { bytes, ends, nextOrdinal } = decided.right
    if (bytes === undefined) return ends
    const { clock, leases, machine } = tools.home
    const outcome = yield* LiveFile.write(tools.home, live, {
      bytes,
      isUnseen,
      isInTime: () => clock.unsafeCurrentTimeMillis() < held.expiresAt,
      isOurs: machine.isShared ? Lease.isNewest(leases, held) : Effect.succeed(true),
      leave: (debris) => {
        lane.debris = debris
      }
    }).pipe(Effect.onError(() => Lane.close(lane)))
    switch (outcome._tag) {
      case "Written": {
        live.size += bytes.length
        live.end = live.size
        live.isEnded = true
        live.nextOrdinal = nextOrdinal
        live.checkedAt = machine.elapsed()
        if (outcome.isAlone) return ends
        yield* Lane.close(lane)
        return ends.map(({ offset, segmentId }) => Positions.make(segmentId, offset + outcome.shift))
      }
      case "TakenOver": {
        yield* Lane.close(lane)
        lane.brief = undefined
        lane.kept = undefined
        const holder = yield* Lease.holder(leases, threadId)
        return yield* Effect.fail(new LeaseHeld({ threadId, holder }))
      }
      case "TakenBack": {
        yield* Lane.reopened(tools, lane, live, expected, outcome.reason)
        if (left > 1) return yield* attempt(tools, lane, request, held, left - 1)
        return yield* Effect.fail(crowded(live.path))
      }
    }
  })

/** When the thread was archived; files in the archive say so by where they are. */
const archivedSince = (tools: Tools, { files, threadId }: LiveFile.LiveFile) =>
  files.head.isArchived
    ? Effect.map(tools.standings.of(threadId), ({ located }) => located.archivedAt)
    : Effect.succeed(undefined)

interface Decided {
  /** Undefined: there is nothing to be written. */
  readonly bytes: Uint8Array | undefined
  readonly ends: ReadonlyArray<Position>
  readonly nextOrdinal: number | undefined
}

/** Asks the batches what they are where they will stand. */
const decide = (
  live: LiveFile.LiveFile,
  archivedAt: number | undefined,
  { batches }: AppendRequest
): Either.Either<Decided, AppendError> => {
  let at: Located = Lane.located(live, archivedAt)
  const { segmentId } = at.head
  // Behind a line that no line feed ends, the first thing to write is one.
  let end = live.isEnded ? live.size : live.size + 1
  const lines: Array<Uint8Array> = []
  const ends: Array<Position> = []
  for (const batch of batches) {
    const asked = batch(at)
    if (Either.isLeft(asked)) return Either.left(asked.left)
    const { lines: more } = asked.right
    for (const line of more) {
      lines.push(line)
      end += line.length + 1
    }
    const head = lines.length === 0 ? at.head : Positions.make(segmentId, end)
    const nextOrdinal = at.nextOrdinal === undefined ? undefined : at.nextOrdinal + more.length
    at = { ...at, head, nextOrdinal }
    ends.push(head)
  }
  return Either.right({
    bytes: lines.length === 0 ? undefined : joined(lines, !live.isEnded),
    ends,
    nextOrdinal: at.nextOrdinal
  })
}

/** Lines with their line feeds, and one in front where the file lacks it. */
const joined = (lines: ReadonlyArray<Uint8Array>, leads: boolean): Uint8Array => {
  let length = leads ? 1 : 0
  for (const line of lines) length += line.length + 1
  const bytes = new Uint8Array(length)
  let at = 0
  if (leads) bytes[at++] = 0x0a
  for (const line of lines) {
    bytes.set(line, at)
    at += line.length
    bytes[at++] = 0x0a
  }
  return bytes
}

const crowded = (path: string): StoreUnavailable =>
  new StoreUnavailable({
    operation: "appending to a thread",
    reason: "another program writes to it all the time",
    advice: "Close the thread there, or try again later.",
    retryable: true,
    paths: [path]
  })
