/**
 * How the state of a thread comes out of its log: from the end, as far back as the open context window needs, whatever
 * the length of the thread (design §4).
 *
 * A part that reaches back to the newest surviving compaction settles history, settings, world and window. What can be
 * of any age (mail that waits, a selected mode, sums of tokens) stands in the checkpoint behind that compaction. A log
 * that another program compacted has none there; then the rest is looked through for marks and counts, line by line and
 * mostly unread, once there is a need to know.
 */
import * as Checkpoint from "@skein/core/fold/Checkpoint"
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as ReplayLog from "@skein/core/fold/ReplayLog"
import * as ThreadStates from "@skein/core/fold/ThreadState"
import type { Of, StoredRecord } from "@skein/core/record/Record"
import type { TokenUsageInfo } from "@skein/core/record/Usage"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import { Effect } from "effect"
import type { State } from "./State.js"
import * as States from "./State.js"

/** A state, and how it was come by. */
export interface Loaded {
  readonly state: State
  /** The end of the log: where the next append is expected to stand. */
  readonly position: Position
  /** Whether the whole log was folded, so that turns, index and view are those of the whole thread. */
  readonly whole: boolean
  /** Whether what can be of any age is known. */
  readonly settled: boolean
}

/**
 * How much is read: what the open window needs; also what it takes to know what waits; everything, and kept so that a
 * rollback can go anywhere.
 */
export type Depth = "window" | "settled" | "whole"

/** Loads the state at the end of a log. Cost: `window`: the open window; `settled`: also a look at every line's head. */
export const load = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  options: ThreadStates.Options,
  depth: Depth
): Effect.Effect<Loaded, E> => (depth === "whole" ? all(log, options) : fromEnd(log, options, depth === "settled"))

const all = <E>(log: EffectiveLog.EffectiveLog<E>, options: ThreadStates.Options): Effect.Effect<Loaded, E> =>
  Effect.map(records(log), (found) => {
    const state = Fold.run(States.folds({ ...options, keep: "all" }).fold, found)
    return { state, position: EffectiveLog.end(log), whole: true, settled: true }
  })

/** The records of a log in order, its own header first. Cost: the log. */
export const records = <E>(log: EffectiveLog.EffectiveLog<E>): Effect.Effect<ReadonlyArray<StoredRecord>, E> =>
  Effect.gen(function* () {
    const found: Array<StoredRecord> = []
    yield* EffectiveLog.forward(log, (decoded) => {
      if (EffectiveLog.isRecord(decoded)) found.push(decoded)
      return true
    })
    return found
  })

const fromEnd = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  options: ThreadStates.Options,
  settle: boolean
): Effect.Effect<Loaded, E> =>
  Effect.gen(function* () {
    const { meta } = log
    const own = log.pieces.findIndex((piece) => piece.meta !== undefined && piece.meta === meta)
    const scan = ModelContext.backward(options)
    const newest: Array<StoredRecord> = []
    const rest = yield* EffectiveLog.backward(log, (decoded, piece) => {
      if (!EffectiveLog.isRecord(decoded)) return true
      if (piece === own && decoded.line.offset === meta?.line.offset) return true
      newest.push(decoded)
      scan.add(decoded)
      return !scan.settled()
    })
    const part = newest.reverse()
    const position = EffectiveLog.end(log)
    if (rest === undefined)
      return { state: fold(part, meta, options, seed(options)), position, whole: true, settled: true }
    const at = part.findLastIndex((record) => Checkpoint.read(record) !== undefined)
    const isKnown = at >= 0 && !scan.needsCount()
    if (!isKnown && settle) {
      return { state: fold(part, meta, options, yield* look(rest, options), at), position, whole: false, settled: true }
    }
    const head = { ...ReplayLog.emptyHead, compactions: undefined, whole: false }
    const state = fold(part, meta, options, { ...seed(options), head }, at)
    return { state, position, whole: false, settled: isKnown }
  })

/** What a fold of a part begins with. */
interface Seed {
  /** What can be of any age. */
  readonly aged: Omit<Checkpoint.State, "turn">
  /** What is known of the log in front of the part; undefined when there is nothing in front of it. */
  readonly head: ReplayLog.Head | undefined
}

const seed = (options: ThreadStates.Options): Seed => {
  const { mailbox, selection, usage, window } = States.folds(options).initial
  return { aged: { mailbox, selection, usage, window }, head: undefined }
}

/**
 * Folds a part of a log behind its header.
 *
 * @param at Where in the part the newest checkpoint stands, below 0 for none: what it says takes the place of what was
 *   folded up to there.
 */
const fold = (
  part: ReadonlyArray<StoredRecord>,
  meta: Of<"session_meta"> | undefined,
  options: ThreadStates.Options,
  { aged, head }: Seed,
  at = -1
): State => {
  const { fold: whole, initial } = States.folds(options)
  const checkpoint = at < 0 ? undefined : Checkpoint.read(part[at] as StoredRecord)
  let state: State = { ...initial, ...aged }
  if (head !== undefined) state = { ...state, context: { ...state.context, trimmed: true, head } }
  // What came before the first turn of the part is known when the checkpoint was made in that turn.
  const isFirstTurn = part.slice(1, Math.max(1, at)).every((record) => !isStart(record))
  if (checkpoint !== undefined && isFirstTurn) {
    state = { ...state, turn: { ...state.turn, previousId: checkpoint.previousTurn ?? undefined } }
  }
  if (meta !== undefined) state = whole.step(state, meta)
  if (checkpoint === undefined) return Fold.run(whole, part, state)
  state = Fold.run(whole, part.slice(0, at + 1), state)
  state = { ...state, ...Checkpoint.restore(checkpoint, state.turn.thread?.id ?? checkpoint.thread) }
  return Fold.run(whole, part.slice(at + 1), state)
}

const isStart = (record: StoredRecord): boolean => record.kind === "event_msg" && record.payload.type === "task_started"

/** Looks through the older part of a log for marks, counts and compactions. Cost: a look at each line. */
const look = <E>(log: EffectiveLog.EffectiveLog<E>, options: ThreadStates.Options): Effect.Effect<Seed, E> =>
  Effect.gen(function* () {
    const { mailbox, selection, usage, window } = ThreadStates.folds(options)
    const marks = Fold.struct({ mailbox, selection, usage, window })
    let aged = marks.initial
    let head: ReplayLog.Head = { ...ReplayLog.emptyHead, whole: false }
    let newest: TokenUsageInfo | undefined
    yield* EffectiveLog.forward(
      log,
      (decoded) => {
        if (!EffectiveLog.isRecord(decoded)) return true
        aged = marks.step(aged, decoded)
        if (decoded.kind !== "session_meta") head = ReplayLog.noteHead(head, decoded)
        if (decoded.kind === "event_msg" && decoded.payload.type === "token_count") {
          newest = decoded.payload.info ?? newest
        }
        return true
      },
      {
        wants: ({ inner, type }, bytes) =>
          type === "session_meta" || type === "compacted" || inner === "token_count" || isMarked(bytes),
        passing: true
      }
    )
    // Turns were not met, so nothing is known of what each of them used.
    const sums = { ...aged.usage, turn: undefined, list: [], length: 0, open: false }
    return { aged: { ...aged, usage: sums }, head: { ...head, tokenInfo: newest } }
  })

/** The place in front of the newest start of a turn; undefined when there is none. Cost: what lies behind it. */
export const startOf = <E>(log: EffectiveLog.EffectiveLog<E>, turnId: string): Effect.Effect<Position | undefined, E> =>
  Effect.gen(function* () {
    let found: Position | undefined
    yield* EffectiveLog.backward(
      log,
      (decoded, piece) => {
        if (decoded.kind !== "event_msg" || decoded.payload.type !== "task_started") return true
        if (decoded.payload.turn_id !== turnId) return true
        found = Positions.make(log.pieces[piece]?.segmentId ?? "", decoded.line.offset)
        return false
      },
      ({ inner, type }) => type === "event_msg" && (inner === "task_started" || inner === "turn_started")
    )
    return found
  })

const key = Array.from('"skein":', (character) => character.charCodeAt(0))
/** The letter of the key that is rarest in texts, and where it stands in it. */
const rare = { code: "k".charCodeAt(0), at: 2 }

/** Whether a line may hold a mark of ours. */
const isMarked = (bytes: Uint8Array): boolean => {
  for (let at = bytes.indexOf(rare.code); at >= 0; at = bytes.indexOf(rare.code, at + 1)) {
    const start = at - rare.at
    let i = 0
    while (i < key.length && bytes[start + i] === key[i]) i++
    if (i === key.length) return true
  }
  return false
}
