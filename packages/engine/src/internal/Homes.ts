/** Where threads live: in the store, or, those that are kept nowhere, in this process. */

import type { Draft } from "@skein/core/decide/Draft"
import type { StoredRecord } from "@skein/core/record/Record"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as LineSource from "@skein/store/LineSource"
import { type ReadError, type StoreUnavailable, ThreadAlreadyExists } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import * as ThreadStore from "@skein/store/ThreadStore"
import { Effect, Either, type Scope } from "effect"
import * as EphemeralDriver from "./EphemeralDriver.js"

/** The stores of a host. */
export interface Homes {
  /** Where a thread lives, or would be looked for. */
  readonly of: (id: string) => ThreadStoreService
  readonly isEphemeral: (id: string) => boolean
  /** The store of threads that are kept nowhere; a thread made in it is one until it is let go of. */
  readonly ephemeral: ThreadStoreService
  /** A thread with this id is to be made there. Errors: `ThreadAlreadyExists` for one that is stored. */
  readonly adopt: (id: string) => Effect.Effect<void, ThreadAlreadyExists | StoreUnavailable>
  readonly letGo: (id: string) => Effect.Effect<void>
  /**
   * Copies a log, as it is, into the memory of this process, for a fork that is kept nowhere. Cost: its lines.
   *
   * @param id What the copy is called; it is let go of once it was forked.
   */
  readonly copy: (
    id: string,
    historyMode: string,
    log: EffectiveLog.EffectiveLog<ReadError>
  ) => Effect.Effect<void, ReadError | ThreadAlreadyExists>
}

/** The homes beside a store. */
export const make = (store: ThreadStoreService): Effect.Effect<Homes, never, Scope.Scope> =>
  Effect.gen(function* () {
    const driver = yield* EphemeralDriver.make
    const ephemeral = yield* ThreadStore.make(driver)
    const own = new Set<string>()
    return {
      of: (id) => (own.has(id) ? ephemeral : store),
      isEphemeral: (id) => own.has(id),
      ephemeral,
      adopt: (id) =>
        Effect.gen(function* () {
          const found = yield* Effect.either(store.head(id, { includeArchived: true }))
          const error = Either.isLeft(found) ? found.left : undefined
          if (error?._tag === "StoreUnavailable") return yield* Effect.fail(error)
          // A thread of a mode that nobody here can read is there as well.
          if (error?._tag !== "ThreadNotFound") return yield* Effect.fail(new ThreadAlreadyExists({ threadId: id }))
          own.add(id)
        }),
      letGo: (id) =>
        Effect.suspend(() => {
          own.delete(id)
          return Effect.ignore(driver.remove(id, "keep"))
        }),
      copy: (id, historyMode, log) =>
        Effect.gen(function* () {
          const lines: Array<Uint8Array> = []
          yield* EffectiveLog.lines(log, (line) => {
            lines.push(new Uint8Array(line.bytes))
            return true
          })
          const content = LineSource.ofLines(lines)
          const segment = { segmentId: id, base: undefined, content, nextOrdinal: undefined, madeAt: 0 }
          yield* driver.create({
            threadId: id,
            historyMode,
            segment,
            derived: undefined,
            explicit: {},
            archivedAt: undefined
          })
        })
    }
  })

/** Records as they are written into another thread; what is of no known kind stays behind. */
export const draftsOf = (records: ReadonlyArray<StoredRecord>): ReadonlyArray<Draft> =>
  records.flatMap((record) => {
    if (record.kind === "unknown") return []
    const { extras, kind: type, payload, timestamp } = record
    return [{ timestamp, type, payload, ...(extras === undefined ? {} : { extras }) } as Draft]
  })
