/** The row of a thread: where its log ends, who may append to it, and what was derived of it. */
import type { SqlError } from "@effect/sql/SqlError"
import * as Derived from "@skein/store/Derived"
import type { Located } from "@skein/store/Driver"
import type { Knowledge } from "@skein/store/Machine"
import * as Machine from "@skein/store/Machine"
import * as Positions from "@skein/store/Position"
import { type Holder, LeaseHeld, ThreadNotFound } from "@skein/store/StoreError"
import type { Explicit, ThreadRow } from "@skein/store/Summary"
import { Clock, Effect } from "effect"
import type { Sql, Value } from "./Database.js"
import * as Listing from "./Listing.js"

/** All that an append has to know, in one row. */
export interface Place {
  readonly pk: number
  readonly history_mode: string
  readonly made_at: number
  readonly archived_at: number | null
  readonly next_ordinal: number | null
  /** Counts the changes of the row. */
  readonly version: number
  /** 1: what is derived is behind the log. */
  readonly lags: number
  readonly reached: number | null
  readonly segment: number
  readonly segment_id: string
  readonly size: number
  readonly fence: number | null
  readonly holder: string | null
  readonly expires_at: number | null
  /** JSON of the `Process` that holds the lease; null for one that says none. */
  readonly process: string | null
}

const placeText = `SELECT t.pk, t.history_mode, t.made_at, t.archived_at, t.next_ordinal, t.version, t.lags, t.reached,
  s.pk AS segment, s.id AS segment_id, s.size, l.fence, l.name AS holder, l.expires_at, l.process
FROM threads AS t JOIN segments AS s ON s.pk = t.head LEFT JOIN leases AS l ON l.thread = t.pk WHERE t.id = ?`

/** There is none of this id. */
export const missing = (threadId: string): Effect.Effect<never, ThreadNotFound> =>
  Effect.fail(new ThreadNotFound({ threadId }))

/** Where a thread stands. */
export const place = (sql: Sql, threadId: string): Effect.Effect<Place, ThreadNotFound | SqlError> =>
  Effect.flatMap(sql.first<Place>(placeText, [threadId]), (found) =>
    found === undefined ? missing(threadId) : Effect.succeed(found)
  )

/** The same for those who ask a driver. */
export const located = (threadId: string, at: Place): Located => ({
  threadId,
  historyMode: at.history_mode,
  archivedAt: at.archived_at ?? undefined,
  head: Positions.make(at.segment_id, at.size),
  nextOrdinal: at.next_ordinal ?? undefined
})

/**
 * Fails unless the caller may append: it holds the lease, or nobody does. A lease that ran out is nobody's, nor is one
 * whose holder is provably dead.
 */
export const permit = (
  machine: Knowledge,
  threadId: string,
  at: Pick<Place, "fence" | "holder" | "expires_at" | "process">,
  fence: number | undefined
): Effect.Effect<void, LeaseHeld> =>
  at.fence === null && fence === undefined
    ? Effect.void
    : Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const isLive = at.expires_at !== null && at.expires_at > now
        const isAllowed = fence === undefined ? !isLive || isGone(machine, at.process) : isLive && at.fence === fence
        return isAllowed
          ? Effect.void
          : Effect.fail(new LeaseHeld({ threadId, holder: holderOf(at, { fence: fence ?? 0, expiresAt: now }) }))
      })

const isGone = (machine: Knowledge, text: string | null): boolean => {
  if (text === null) return false
  try {
    const process: unknown = JSON.parse(text)
    return Machine.isProcess(process) && machine.isGone(process)
  } catch {
    return false
  }
}

/** Who has a lease, in words too where nobody has. */
export const holderOf = (
  { expires_at, fence, holder }: Pick<Place, "fence" | "holder" | "expires_at">,
  otherwise: Omit<Holder, "name">
): Holder =>
  fence === null || holder === null || expires_at === null
    ? { name: "nobody any more", ...otherwise }
    : { name: holder, fence, expiresAt: expires_at }

/** What was derived and said of a thread, as it was at a version of its row; undefined: it cannot be read any more. */
export interface State {
  readonly version: number
  readonly derived: Derived.Derived | undefined
  readonly explicit: Explicit | undefined
}

/** States that are kept in memory, so that an append need not read and parse what the one before it wrote. */
export interface States {
  readonly get: (sql: Sql, at: Place) => Effect.Effect<State, SqlError>
  /** To be called when it has been committed. */
  readonly set: (pk: number, state: State) => void
}

/** As many threads as a host appends to at a time. */
const most = 1000

/** States in memory, the least recently used ones dropped. */
export const states = (): States => {
  const kept = new Map<number, State>()
  const set = (pk: number, state: State): void => {
    kept.delete(pk)
    kept.set(pk, state)
    if (kept.size <= most) return
    for (const oldest of kept.keys()) {
      kept.delete(oldest)
      return
    }
  }
  return {
    get: (sql, at) =>
      Effect.suspend(() => {
        const known = kept.get(at.pk)
        if (known?.version === at.version) return Effect.succeed(known)
        return Effect.map(sql.first<Listing.Kept>(stateText, [at.pk]), (row) => ({
          version: at.version,
          ...(row === undefined ? { derived: undefined, explicit: undefined } : Listing.stateOf(row))
        }))
      }),
    set
  }
}

const stateText = `SELECT t.progress, d.summary, d.explicit FROM threads AS t JOIN details AS d ON d.pk = t.pk WHERE t.pk = ?`

/** The row as lists have it. */
export const rowOf = (
  threadId: string,
  at: Pick<Place, "history_mode" | "archived_at" | "made_at">,
  { derived, explicit }: Omit<State, "version">
): ThreadRow => ({
  threadId,
  historyMode: at.history_mode,
  archivedAt: at.archived_at ?? undefined,
  explicit: explicit ?? {},
  derived: derived ?? Derived.empty,
  madeAt: at.made_at
})

const hot = "UPDATE threads SET version = ?, next_ordinal = ?, progress = ?, updated_at = ? WHERE pk = ?"
const lagged = "UPDATE threads SET version = ?, next_ordinal = ?, lags = 1 WHERE pk = ?"
const numbered = "UPDATE threads SET next_ordinal = ? WHERE pk = ?"
const whole = `UPDATE threads SET version = ?, ${Listing.columns.map((name) => `${name} = ?`).join(", ")} WHERE pk = ?`
const details = "UPDATE details SET summary = ?, name = ?, title = ?, preview = ? WHERE pk = ?"

/**
 * Notes that a log has grown, and what that did to what is derived of it.
 *
 * @param derived Undefined: it was behind before, or cannot be read any more, and has to be folded.
 */
export const grown = (
  sql: Sql,
  threadId: string,
  at: Place,
  nextOrdinal: number | null,
  before: State | undefined,
  derived: Derived.Derived | undefined
): Effect.Effect<void, SqlError> => {
  const version = at.version + 1
  const old = before?.derived
  if (old === undefined || derived === undefined) return sql.run(lagged, [version, nextOrdinal, at.pk])
  const isSmall =
    old.summary === derived.summary &&
    old.createdAt === derived.createdAt &&
    old.recency.recencyAt === derived.recency.recencyAt
  if (!isSmall) {
    const row = rowOf(threadId, at, { derived, explicit: before?.explicit })
    return Effect.zipRight(put(sql, at.pk, version, row), sql.run(numbered, [nextOrdinal, at.pk]))
  }
  const updatedAt = derived.recency.updatedAt ?? derived.createdAt ?? at.made_at
  return sql.run(hot, [version, nextOrdinal, Listing.progress(derived), updatedAt, at.pk])
}

/** Writes what is derived of a thread. */
export const put = (sql: Sql, pk: number, version: number, row: ThreadRow): Effect.Effect<void, SqlError> =>
  Effect.zipRight(
    sql.run(whole, [version, ...Listing.values(row), pk]),
    sql.run(details, [...Listing.detailValues(row), pk])
  )

/** Lets a thread go on in another segment; what was derived is dropped. */
export const moved = (
  sql: Sql,
  at: Place,
  row: ThreadRow,
  to: { readonly segment: number; readonly nextOrdinal: number | undefined }
): Effect.Effect<void, SqlError> =>
  Effect.zipRight(
    put(sql, at.pk, at.version + 1, { ...row, derived: Derived.empty }),
    sql.run("UPDATE threads SET head = ?, next_ordinal = ?, lags = 1, reached = NULL WHERE pk = ?", [
      to.segment,
      to.nextOrdinal ?? null,
      at.pk
    ])
  )

const own = ["id", "history_mode", "made_at", "archived_at", "head", "next_ordinal", "version", "lags"]
const added = [...own, ...Listing.columns]
const add = `INSERT INTO threads (${added.join(", ")}) VALUES (${added.map(() => "?").join(", ")}) RETURNING pk`
const addDetails = "INSERT INTO details (summary, name, title, preview, pk, explicit) VALUES (?, ?, ?, ?, ?, ?)"

/** Adds a thread; gives its number. */
export const insert = (
  sql: Sql,
  row: ThreadRow,
  rest: { readonly segment: number; readonly nextOrdinal: number | undefined; readonly lags: boolean }
): Effect.Effect<number, SqlError> =>
  Effect.gen(function* () {
    const { archivedAt, historyMode, madeAt, threadId } = row
    const values: Array<Value> = [threadId, historyMode, madeAt, archivedAt ?? null, rest.segment]
    values.push(rest.nextOrdinal ?? null, 1, rest.lags ? 1 : 0, ...Listing.values(row))
    const made = yield* sql.first<{ readonly pk: number }>(add, values)
    const pk = made?.pk ?? 0
    yield* sql.run(addDetails, [...Listing.detailValues(row), pk, JSON.stringify(row.explicit)])
    yield* Listing.putMetadata(sql, pk, row.explicit.metadata)
    return pk
  })
