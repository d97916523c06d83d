/** What is to be seen of a store: the same few questions that most cases ask. */
import type { Decoded, Draft, StoredRecord } from "@skein/core/record/Record"
import type { HistoryMode } from "@skein/core/record/SessionMeta"
import type { StoredSegment } from "@skein/store/Driver"
import * as LineSource from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import type { ReadError, StoreError } from "@skein/store/StoreError"
import type { Summary } from "@skein/store/Summary"
import type { SummaryQuery } from "@skein/store/SummaryQuery"
import type { Followed, ReadRange, Row, ThreadStoreService } from "@skein/store/ThreadStore"
import { Chunk, Effect, Stream } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import type { Case } from "./Case.js"
import { holds } from "./Check.js"

type Store = ThreadStoreService

/** Things that can be asked of a store, by their names. */
export type Questions = Readonly<Record<string, Effect.Effect<unknown, StoreError>>>

/** Something that an agent says: kept in threads of both modes, and of no consequence for any metadata. */
export const say = (text: string, ms = 0): Draft => Drafts.of(Script.assistant(text), ms)

/** Something that no thread keeps. */
export const dropped: Draft = Drafts.of({ type: "event_msg", payload: { type: "error", message: "x" } })

/** All lines of a thread. */
export const rows = (store: Store, threadId: string, range?: ReadRange) =>
  Effect.map(
    Stream.runCollect(store.read(threadId, range)),
    (chunk): ReadonlyArray<Row> => Chunk.toReadonlyArray(chunk)
  )

/** Whether a line came to a record. */
export const isRecord = (decoded: Decoded): decoded is StoredRecord =>
  decoded.kind !== "damage" && decoded.kind !== "blank"

/** All records of a thread. */
export const records = (store: Store, threadId: string, range?: ReadRange) =>
  Effect.map(rows(store, threadId, range), (all) => all.map(({ decoded }) => decoded).filter(isRecord))

/** A line in few words: who said what, or what it is. */
export const words = (decoded: Decoded): string => {
  switch (decoded.kind) {
    case "damage":
      return `damage ${decoded.reason}`
    case "session_meta":
      return `header ${decoded.payload.id.slice(-4)}`
    case "response_item": {
      const { payload } = decoded
      return payload.type === "message"
        ? `${payload.role}: ${payload.content.map((part) => ("text" in part ? part.text : part.type)).join("|")}`
        : payload.type
    }
    case "event_msg": {
      const { payload } = decoded
      if (payload.type === "item_completed") return `item ${payload.item.id}`
      return "message" in payload && typeof payload.message === "string"
        ? `${payload.type}: ${payload.message}`
        : payload.type
    }
    case "unknown":
      return `unknown ${decoded.payload.name}`
    default:
      return decoded.kind
  }
}

/** The log of a thread in few words. */
export const log = (store: Store, threadId: string, range?: ReadRange) =>
  Effect.map(rows(store, threadId, range), (all) => all.map(({ decoded }) => words(decoded)))

/** What was said in a thread: the texts of its messages. */
export const said = (store: Store, threadId: string, range?: ReadRange) =>
  Effect.map(log(store, threadId, range), (all) =>
    all.flatMap((text) => (text.startsWith("assistant: ") ? [text.slice("assistant: ".length)] : []))
  )

/** Every thread of a list, page by page. */
export const listed = (store: Store, query: SummaryQuery = {}) =>
  Effect.gen(function* () {
    const found: Array<Summary> = []
    let { cursor } = query
    for (;;) {
      const page = yield* store.summaries({ ...query, cursor })
      found.push(...page.items)
      if (page.nextCursor === undefined) return found
      cursor = page.nextCursor
      holds(found.length < 3_000, "a list to come to an end")
    }
  })

/** Every thread that there is. */
export const everything: SummaryQuery = { archived: "any", hidden: true }

/** The numbers of threads, as `Drafts.id` counts them. */
export const numbers = (all: ReadonlyArray<{ readonly id: string }>): ReadonlyArray<number> =>
  all.map(({ id }) => Number.parseInt(id.slice(-12), 16))

/** What a follower heard, in few words. */
export const heard = (told: Followed): string =>
  told._tag === "Record" ? words(told.row.decoded) : told._tag === "CaughtUp" ? "caught up" : "switched"

/** The content of what is stored of a thread, each segment as its lines in Latin-1. */
export const stored = (store: Store, threadId: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { segments } = yield* store.exported(threadId)
      const all: Array<{
        readonly segmentId: string
        readonly base: Position | undefined
        readonly lines: ReadonlyArray<string>
      }> = []
      for (const { base, segmentId, source } of segments) {
        const lines: Array<string> = []
        yield* source.forward((line) => lines.push(latin1(line.bytes)) > 0)
        all.push({ segmentId, base, lines })
      }
      return all
    })
  )

/** Bytes as text, one letter each. */
export const latin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** A segment whose lines are kept in memory, so that it outlasts its store. */
export const copied = (segment: StoredSegment): Effect.Effect<StoredSegment, ReadError> =>
  Effect.gen(function* () {
    const lines: Array<Uint8Array> = []
    yield* segment.source.forward((line) => lines.push(new Uint8Array(line.bytes)) > 0)
    return { ...segment, source: LineSource.ofLines(lines, segment.segmentId) }
  })

/** The modes that threads are made in. */
export const modes = ["legacy", "paginated"] as const

/** Runs a case for threads of either mode, each on a store of its own. */
export const inBoth =
  (run: (store: Store, mode: HistoryMode) => Effect.Effect<void, unknown>): Case["run"] =>
  ({ fresh }) =>
    Effect.forEach(modes, (mode) => Effect.flatMap(fresh, ({ store }) => run(store, mode)), { discard: true })

/** Makes a thread of three messages; gives the position behind each. */
export const three = (store: Store, mode: HistoryMode, n = 1) =>
  Effect.gen(function* () {
    yield* store.create(Drafts.header({ n, mode }))
    return yield* Effect.forEach(["1", "2", "3"], (text) =>
      Effect.map(store.append(Drafts.id(n), [say(text)]), ({ position }) => position)
    )
  })

/** Some fields of a row. */
export const parts = <K extends keyof Summary>(row: Summary, keys: ReadonlyArray<K>): Pick<Summary, K> =>
  Object.fromEntries(keys.map((key) => [key, row[key]])) as Pick<Summary, K>

/** A goal that a thread was given. */
export const goal = (objective: string): Draft => {
  const threadId = Drafts.id(1)
  const counts = { tokensUsed: 0, timeUsedSeconds: 0, createdAt: 0, updatedAt: 0 }
  const payload = { type: "thread_goal_updated", threadId, goal: { threadId, objective, status: "active", ...counts } }
  return Drafts.of({ type: "event_msg", payload })
}
