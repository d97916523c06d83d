/** Segments: how new ones come in, what a log is made of, and how those go that nobody needs any more. */
import type { SqlError } from "@effect/sql/SqlError"
import type { NewSegment, Removal } from "@skein/store/Driver"
import { IdGenerator } from "@skein/store/IdGenerator"
import * as LineSource from "@skein/store/LineSource"
import * as Positions from "@skein/store/Position"
import type * as SegmentChain from "@skein/store/SegmentChain"
import { InvalidRequest, type ReadError, StoreUnavailable } from "@skein/store/StoreError"
import { Clock, Effect } from "effect"
import type { Database, Sql } from "./Database.js"
import * as Lines from "./Lines.js"

/** A segment as it is stored. */
export interface Stored extends Lines.Readable {
  readonly base_id: string | null
  readonly base_offset: number | null
}

interface Made extends Stored {
  readonly made_at: number
}

const known = "SELECT pk, id, size, base_id, base_offset FROM segments WHERE"

/** What a stored segment says that it stands on. */
const baseOf = ({ base_id, base_offset }: Pick<Stored, "base_id" | "base_offset">) =>
  base_id === null || base_offset === null ? undefined : Positions.make(base_id, base_offset)

// Coming in

/** Content that is longer than this is written in several transactions, and belongs to nobody before the last one. */
const piece = 1024 * 1024

/** How long a segment may be on its way in without getting further, in milliseconds. */
const longestPause = 60 * 60 * 1000

/** Content that is about to become a segment: what was written of it, and the rest. */
export interface Incoming {
  readonly staged: { readonly pk: number; readonly size: number } | undefined
  readonly rest: ReadonlyArray<Uint8Array>
}

/**
 * Takes in the content of a new segment, and hands it on to the transaction that makes it somebody's. No lock is held
 * while it is read, so it may come from anywhere, this database included. What was written of content that comes to
 * nothing is swept away.
 */
export const take = <A, E>(
  database: Database,
  content: LineSource.LineSource<ReadError>,
  adopt: (incoming: Incoming) => Effect.Effect<A, E>
): Effect.Effect<A, E | ReadError> => {
  let staged: Incoming["staged"]
  let rest: ReadonlyArray<Uint8Array> = []
  const flush = Effect.suspend(() => stage(database, staged, rest)).pipe(
    Effect.tap((next) =>
      Effect.sync(() => {
        staged = next
      })
    )
  )
  return LineSource.inPieces(
    content,
    (lines) =>
      Effect.gen(function* () {
        if (rest.length > 0) yield* flush
        rest = lines.map(({ bytes }) => bytes)
      }),
    { bytes: piece }
  ).pipe(
    Effect.zipRight(Effect.suspend(() => adopt({ staged, rest }))),
    Effect.onError(() =>
      Effect.suspend(() => {
        if (staged === undefined) return Effect.void
        const { pk } = staged
        return database
          .write("create", (sql) => sql.run("UPDATE segments SET kept_until = 0 WHERE pk = ? AND id IS NULL", [pk]))
          .pipe(Effect.zipRight(sweep(database)), Effect.ignore)
      })
    )
  )
}

const stage = (database: Database, staged: Incoming["staged"], lines: ReadonlyArray<Uint8Array>) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    database.write("create", (sql) =>
      Effect.gen(function* () {
        const size = (staged?.size ?? 0) + Lines.lengthOf(lines)
        yield* checkSize(size)
        const row = yield* staged === undefined
          ? sql.first<{ readonly pk: number }>(
              "INSERT INTO segments (size, made_at, kept_until) VALUES (?, ?, ?) RETURNING pk",
              [size, now, now + longestPause]
            )
          : sql.first<{ readonly pk: number }>(
              "UPDATE segments SET size = ?, kept_until = ? WHERE pk = ? AND id IS NULL AND kept_until > 0 RETURNING pk",
              [size, now + longestPause, staged.pk]
            )
        if (row === undefined) return yield* Effect.fail(givenUp(database.path))
        yield* Lines.insert(sql, row.pk, staged?.size ?? 0, lines)
        return { pk: row.pk, size }
      })
    )
  )

const givenUp = (path: string): StoreUnavailable =>
  new StoreUnavailable({
    operation: "create",
    reason: "the thread's content stopped coming in for so long that what there was of it was dropped",
    advice: "Nothing of it is left; create the thread again.",
    retryable: true,
    paths: [path]
  })

const checkSize = (size: number): Effect.Effect<void, InvalidRequest> =>
  size < Lines.largestSegment
    ? Effect.void
    : Effect.fail(
        new InvalidRequest({
          field: "content",
          reason: `a segment of ${size} bytes is larger than this store can hold`,
          advice: "Begin a new segment: fork the thread, or compact it."
        })
      )

/** Makes incoming content a segment of a thread; undefined when its id is taken. */
export const adopt = (database: Database, sql: Sql, segment: NewSegment, { rest, staged }: Incoming) =>
  Effect.gen(function* () {
    const taken = yield* sql.first("SELECT 1 FROM segments WHERE id = ?", [segment.segmentId])
    if (taken !== undefined) return undefined
    const before = staged?.size ?? 0
    const size = before + Lines.lengthOf(rest)
    yield* checkSize(size)
    const { base, madeAt, segmentId } = segment
    const values = [segmentId, base?.segmentId ?? null, base?.offset ?? null, size, madeAt]
    const row = yield* staged === undefined
      ? sql.first<{ readonly pk: number }>(
          "INSERT INTO segments (id, base_id, base_offset, size, made_at) VALUES (?, ?, ?, ?, ?) RETURNING pk",
          values
        )
      : sql.first<{ readonly pk: number }>(
          `UPDATE segments SET id = ?, base_id = ?, base_offset = ?, size = ?, made_at = ?, kept_until = NULL
WHERE pk = ? AND id IS NULL AND kept_until > 0 RETURNING pk`,
          [...values, staged.pk]
        )
    if (row === undefined) return yield* Effect.fail(givenUp(database.path))
    yield* Lines.insert(sql, row.pk, before, rest)
    return { pk: row.pk, size }
  })

/** Adds lines to the end of a segment. */
export const grow = (sql: Sql, segment: number, size: number, lines: ReadonlyArray<Uint8Array>) =>
  Effect.suspend(() => {
    const end = size + Lines.lengthOf(lines)
    return checkSize(end).pipe(
      Effect.zipRight(Lines.insert(sql, segment, size, lines)),
      Effect.zipRight(sql.run("UPDATE segments SET size = ? WHERE pk = ?", [end, segment]))
    )
  })

// Being read

/** The segments of a log from its head back, as far as they are there. */
export const chain = (sql: Sql, head: number) =>
  Effect.gen(function* () {
    const links: Array<Stored> = []
    const visited = new Set<string>()
    let at = yield* sql.first<Stored>(`${known} pk = ?`, [head])
    while (at !== undefined && !visited.has(at.id)) {
      links.push(at)
      visited.add(at.id)
      at = at.base_id === null ? undefined : yield* sql.first<Stored>(`${known} id = ?`, [at.base_id])
    }
    return links
  })

/** A segment as a part of a log that is read on behalf of a thread. */
export const linkOf = (database: Database, segment: Stored, threadId: string): SegmentChain.Link<ReadError> => ({
  segmentId: segment.id,
  base: baseOf(segment),
  source: Lines.source(database, segment, threadId)
})

/** All segments of a thread in the order of their making; its head is the last one. */
export const ofThread = (sql: Sql, thread: number, head: number) =>
  sql.all<Made>(
    "SELECT pk, id, size, base_id, base_offset, made_at FROM segments WHERE thread = ? ORDER BY pk = ?, pk",
    [thread, head]
  )

// Going

interface Dependent extends Stored {
  readonly thread: number
  readonly thread_id: string
}

const dependentsText = `SELECT s.pk, s.id, s.size, s.base_id, s.base_offset, s.thread, t.id AS thread_id
FROM segments AS s JOIN threads AS t ON t.pk = s.thread
WHERE s.base_id IN (SELECT id FROM segments WHERE thread = ?) AND s.thread <> ? ORDER BY s.pk`

/** Removes a thread's row and those of its segments that nobody stands on. The lines go later: see {@link sweep}. */
export const remove = (sql: Sql, thread: number, threadId: string, shared: "keep" | "materialise" | "refuse") =>
  Effect.gen(function* () {
    const dependents = yield* sql.all<Dependent>(dependentsText, [thread, thread])
    if (shared === "refuse" && dependents.length > 0) {
      const others = [...new Set(dependents.map((one) => one.thread_id))]
      return yield* Effect.fail(
        new InvalidRequest({
          field: "shared",
          reason: `thread ${threadId} is what ${others.join(", ")} stand on`,
          advice: "Delete those first, or let them keep or materialise what they share."
        })
      )
    }
    if (shared === "materialise") for (const one of dependents) yield* materialise(sql, thread, one)
    const own = yield* sql.all<Stored>(`${known} thread = ? ORDER BY pk`, [thread])
    yield* sql.run("DELETE FROM threads WHERE pk = ?", [thread])
    yield* drop(sql, own)
    const kept = own.flatMap(({ id }): Removal["kept"] => {
      const users = shared === "keep" ? dependents.filter(({ base_id }) => base_id === id) : []
      return users.length === 0 ? [] : [{ segmentId: id, for: [...new Set(users.map((one) => one.thread_id))] }]
    })
    return { kept }
  })

/** Takes their ids from segments that belong to no thread and that no other one stands on, and so down their bases. */
const drop = (sql: Sql, candidates: ReadonlyArray<Stored>): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const waiting = [...candidates].reverse()
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const gone = yield* sql.first(
        `UPDATE segments SET id = NULL, base_id = NULL, base_offset = NULL, kept_until = 0
WHERE pk = ? AND id IS NOT NULL AND thread IS NULL AND NOT EXISTS (SELECT 1 FROM segments AS s WHERE s.base_id = ?)
RETURNING 1`,
        [one.pk, one.id]
      )
      if (gone === undefined || one.base_id === null) continue
      const base = yield* sql.first<Stored>(`${known} id = ?`, [one.base_id])
      if (base !== undefined) waiting.push(base)
    }
  })

/**
 * Gives a segment a copy of what it inherits from a thread that is about to go, as segments of its own thread: its own
 * lines, and all offsets in them, stay as they are.
 */
const materialise = (sql: Sql, thread: number, dependent: Dependent): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const ids = yield* IdGenerator
    const visited = new Set<string>()
    let upper: Pick<Stored, "pk" | "base_id" | "base_offset"> = dependent
    while (upper.base_id !== null && !visited.has(upper.base_id)) {
      visited.add(upper.base_id)
      const base: Made | undefined = yield* sql.first<Made>(
        "SELECT pk, id, size, base_id, base_offset, made_at FROM segments WHERE id = ? AND thread = ?",
        [upper.base_id, thread]
      )
      if (base === undefined) return
      const id = yield* ids.next
      const size = Math.min(upper.base_offset ?? 0, base.size)
      const copy: { readonly pk: number } | undefined = yield* sql.first<{ readonly pk: number }>(
        "INSERT INTO segments (id, thread, base_id, base_offset, size, made_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING pk",
        [id, dependent.thread, base.base_id, base.base_offset, size, base.made_at]
      )
      if (copy === undefined) return
      yield* sql.run(
        `INSERT INTO content (key, line) SELECT ? + (${Lines.offsetOf}), line FROM content WHERE key >= ? AND key < ?`,
        [Lines.key(copy.pk, 0), Lines.key(base.pk, 0), Lines.key(base.pk, size)]
      )
      yield* sql.run("UPDATE segments SET base_id = ?, base_offset = ? WHERE pk = ?", [id, size, upper.pk])
      upper = { pk: copy.pk, base_id: base.base_id, base_offset: base.base_offset }
    }
  })

/** Bytes of lines that one transaction sweeps away. */
const swept = 4 * 1024 * 1024

/**
 * Takes away the lines of segments that nobody knows, piece by piece, and gives the room back. Repeatable: what a crash
 * leaves, the next one takes.
 */
export const sweep = (database: Database): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    for (;;) {
      const now = yield* Clock.currentTimeMillis
      const more = yield* database.read("sweep", (sql) =>
        sql.first<{ readonly pk: number; readonly size: number }>(
          "SELECT pk, size FROM segments WHERE id IS NULL AND kept_until <= ? LIMIT 1",
          [now]
        )
      )
      if (more === undefined) return
      const from = Math.max(0, more.size - swept)
      yield* database.write("sweep", (sql) =>
        Effect.gen(function* () {
          // It may have gone on coming in meanwhile; from here on it cannot.
          const taken = yield* sql.first(
            "UPDATE segments SET kept_until = 0 WHERE pk = ? AND id IS NULL AND kept_until <= ? RETURNING 1",
            [more.pk, now]
          )
          if (taken === undefined) return
          const [low, high] = [Lines.key(more.pk, from), Lines.key(more.pk + 1, 0)]
          yield* sql.run("DELETE FROM content WHERE key >= ? AND key < ?", [low, high])
          yield* from > 0
            ? sql.run("UPDATE segments SET size = ? WHERE pk = ?", [from, more.pk])
            : sql.run("DELETE FROM segments WHERE pk = ?", [more.pk])
          yield* giveBack(sql)
        })
      )
    }
  })

/** Pages that one transaction gives back at most: somewhat more than it sweeps. */
const mostPages = 1500

/** Shortens the file by its free pages. The client takes one step of a statement, and each step frees one page. */
const giveBack = (sql: Sql): Effect.Effect<void, SqlError> =>
  Effect.flatMap(sql.first<{ readonly freelist_count: number }>("PRAGMA freelist_count"), (free) => {
    let left = Math.min(free?.freelist_count ?? 0, mostPages)
    return Effect.whileLoop({
      while: () => left-- > 0,
      body: () => sql.run("PRAGMA incremental_vacuum(1)"),
      step: () => {}
    })
  })
