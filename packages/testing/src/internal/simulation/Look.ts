/** Reading a store, and holding what is seen against what was done. */

import * as Derived from "@skein/store/Derived"
import type { Driver } from "@skein/store/Driver"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import type { InvalidRequest, ReadError, StoreUnavailable } from "@skein/store/StoreError"
import type { Summary } from "@skein/store/Summary"
import type { Page } from "@skein/store/SummaryQuery"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import type { Seen, Thread } from "./History.js"
import * as History from "./History.js"

/** What a simulated process reads with. */
export interface Reader {
  readonly driver: Driver
  readonly store: ThreadStoreService
  /** Whether a write was cut off so far: then lines may be damaged, and no record is lost with them. */
  readonly isTorn: () => boolean
}

/** A promise that was not kept. A defect: nobody may go on. */
export class Broken extends Error {
  override readonly name = "Broken"
}

/** Ends a run with what is wrong. */
export const broken = (reason: string): Effect.Effect<never> => Effect.die(new Broken(reason))

/** What a log says: its records that a simulation wrote, and how its derived state comes to when it is folded anew. */
export interface Log {
  readonly seen: ReadonlyArray<Seen>
  readonly derived: Derived.Derived
}

/** Reads a whole log. Damage is a broken promise unless a write was cut off. */
export const read = ({ isTorn, store }: Reader, { deleted, id: threadId }: Thread): Effect.Effect<Log, ReadError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* store.open(threadId, { includeArchived: true })
      const seen: Array<Seen> = []
      let derived = Derived.empty
      let damage: string | undefined
      yield* EffectiveLog.forward(log, (decoded, piece) => {
        if (decoded.kind === "damage") damage ??= `line ${decoded.line.number} is damaged: ${decoded.detail}`
        if (!EffectiveLog.isRecord(decoded)) return true
        derived = Derived.fold.step(derived, decoded)
        if (decoded.kind !== "response_item" || decoded.payload.type !== "message") return true
        for (const part of decoded.payload.content) {
          const said = "text" in part ? History.parse(part.text) : undefined
          const segmentId = log.pieces[piece]?.segmentId ?? ""
          const { bytes, offset, terminated } = decoded.line
          const position = { segmentId, offset: offset + bytes.length + (terminated ? 1 : 0) }
          if (said !== undefined) seen.push({ ...said, position })
        }
        return true
      })
      if (damage !== undefined && !isTorn()) return yield* broken(`thread ${threadId}: ${damage}`)
      const bad = log.diagnostics.find(({ code }) => code === "missing-base" || code === "base-too-short")
      // Of a thread that is being deleted parts are gone.
      const isGoing = deleted.some(({ outcome }) => outcome !== "refused")
      if (bad !== undefined && !isGoing) return yield* broken(`thread ${threadId}: ${bad.code}: ${JSON.stringify(bad)}`)
      return { seen, derived }
    })
  )

/** The time of a simulation: grows with everything that happens. */
export type Tick = () => number

/** Reads one thread and compares it. Gives its records; undefined when it is not there. */
export const thread = (reader: Reader, tick: Tick, one: Thread): Effect.Effect<Log | undefined, ReadError> =>
  Effect.gen(function* () {
    const from = tick()
    const log = yield* read(reader, one).pipe(
      Effect.catchTag("ThreadNotFound", () => Effect.succeed(undefined)),
      Effect.catchTag("CorruptThread", (error) => broken(error.message))
    )
    const to = tick()
    const expected = History.existence(one, from, to)
    if (log === undefined) {
      return expected === "there" ? yield* broken(`thread ${one.id} was made and is not there`) : undefined
    }
    if (expected === "gone") return yield* broken(`thread ${one.id} is there though it was deleted, or never made`)
    const wrong = History.wrongLog(one, log.seen, from, to)
    if (wrong !== undefined) return yield* broken(`thread ${one.id}: ${wrong}`)
    return log
  })

/** Reads the row of a thread and compares what was said of it explicitly. */
export const row = (reader: Reader, tick: Tick, one: Thread): Effect.Effect<Summary | undefined, ReadError> =>
  Effect.gen(function* () {
    const from = tick()
    const summary = yield* reader.store
      .summary(one.id, { includeArchived: true })
      .pipe(Effect.catchTag("ThreadNotFound", () => Effect.succeed(undefined)))
    const to = tick()
    const isGoing = one.deleted.some(({ outcome }) => outcome !== "refused")
    if (summary === undefined || isGoing) return summary
    const isArchived = summary.archivedAt !== undefined
    const wrong =
      History.wrongValue("archived", one.archived, false, isArchived, from, to) ??
      History.wrongValue("the name", one.names, undefined, summary.name, from, to)
    return wrong === undefined ? summary : yield* broken(`thread ${one.id}: ${wrong}`)
  })

/** Every thread, each by itself. */
export const all = (reader: Reader, tick: Tick, threads: Iterable<Thread>): Effect.Effect<void, ReadError> =>
  Effect.forEach([...threads], (one) => Effect.zipRight(thread(reader, tick, one), row(reader, tick, one)), {
    discard: true
  })

/** All rows, page by page. */
const list = (store: ThreadStoreService): Effect.Effect<ReadonlyArray<Summary>, InvalidRequest | StoreUnavailable> =>
  Effect.gen(function* () {
    const items: Array<Summary> = []
    let cursor: string | undefined
    do {
      const page: Page<Summary> = yield* store.summaries({ archived: "any", hidden: true, pageSize: 4, cursor })
      items.push(...page.items)
      cursor = page.nextCursor
    } while (cursor !== undefined)
    return items
  })

/** A list while others work: what has to be there is listed, what must not be there is not. */
export const listed = (reader: Reader, tick: Tick, threads: Iterable<Thread>) =>
  Effect.gen(function* () {
    const from = tick()
    const found = new Set((yield* list(reader.store)).map(({ id }) => id))
    const to = tick()
    for (const one of threads) {
      const expected = History.existence(one, from, to)
      // Who moves a thread to and fro while another one lists may hide it from that list; so may a revert, which gives it
      // another time of creation, by which pages go on.
      const isMoving = [...one.archived, ...one.reverts].some(({ end, outcome }) => outcome === "open" || end > from)
      if (expected === "there" && !isMoving && !found.has(one.id))
        return yield* broken(`thread ${one.id} is not listed`)
      if (expected === "gone" && found.has(one.id)) return yield* broken(`thread ${one.id} is gone and listed`)
    }
  })

/** Every thread, and lists against them, while nobody else does anything. */
export const quietly = (reader: Reader, tick: Tick, threads: Iterable<Thread>): Effect.Effect<void, ReadError> =>
  Effect.gen(function* () {
    const { driver, store } = reader
    const listed = new Map<string, Summary>()
    for (const item of yield* list(store)) {
      if (listed.has(item.id)) return yield* broken(`thread ${item.id} is listed twice`)
      listed.set(item.id, item)
    }
    for (const one of threads) {
      const log = yield* thread(reader, tick, one)
      const item = listed.get(one.id)
      listed.delete(one.id)
      if ((log === undefined) !== (item === undefined)) {
        return yield* broken(
          `thread ${one.id} is ${log === undefined ? "listed and not there" : "there and not listed"}`
        )
      }
      if (log === undefined) continue
      const summary = yield* row(reader, tick, one)
      if (JSON.stringify(summary) !== JSON.stringify(item)) {
        return yield* broken(`thread ${one.id} is listed as ${JSON.stringify(item)} and is ${JSON.stringify(summary)}`)
      }
      const { derived } = yield* driver.row(one.id)
      if (JSON.stringify(derived) !== JSON.stringify(log.derived)) {
        const [kept, folded] = [JSON.stringify(derived), JSON.stringify(log.derived)]
        return yield* broken(`thread ${one.id}: the list has ${kept}, and its log comes to ${folded}`)
      }
    }
    for (const id of listed.keys()) return yield* broken(`thread ${id} is listed and was never made`)
  })
