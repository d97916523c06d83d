/**
 * Saves what can be read of a damaged database into a new one, row by row.
 *
 * A table is read from both ends up to what cannot be read; what lies between is halved and tried again, so that a bad
 * page costs its own rows and no others. `Mending` then makes a store of them again.
 */
import type { StoreUnavailable } from "@skein/store/StoreError"
import { Clock, Effect } from "effect"
import type { Database, Value } from "./Database.js"
import * as Lines from "./Lines.js"
import * as Listing from "./Listing.js"

type Row = Readonly<Record<string, Value>>

/** A table that is read by a whole number. */
interface Table {
  readonly name: string
  readonly key: string
  /** What is selected. */
  readonly selected: string
  readonly keyOf: (row: Row) => bigint
  /** The columns that are written, and their values. */
  readonly columns: ReadonlyArray<string>
  readonly valuesOf: (row: Row) => ReadonlyArray<Value>
  /** A stretch of keys that is too short to hold more than a page. */
  readonly apart: bigint
}

const numbered = (name: string, columns: ReadonlyArray<string>): Table => ({
  name,
  key: "pk",
  selected: columns.join(", "),
  keyOf: ({ pk }) => BigInt(Number(pk)),
  columns,
  valuesOf: (row) => columns.map((column) => row[column] ?? null),
  apart: 1n
})

const threadColumns = ["pk", "id", "history_mode", "made_at", "archived_at", "head", "next_ordinal", "version", "lags"]

const tables: ReadonlyArray<Table> = [
  numbered("segments", ["pk", "id", "thread", "base_id", "base_offset", "size", "made_at", "kept_until"]),
  numbered("threads", [...threadColumns, "reached", ...Listing.columns]),
  numbered("details", ["pk", "summary", "explicit", "name", "title", "preview"])
]

const lineKey = ({ offset, segment }: Row): bigint => Lines.key(Number(segment), Number(offset))

const content: Table = {
  name: "content",
  key: "key",
  // Keys of lines are larger than a number of JavaScript is exact.
  selected: `key >> 36 AS segment, ${Lines.offsetOf} AS offset, line`,
  keyOf: lineKey,
  columns: ["key", "line"],
  valuesOf: ({ line, ...at }) => [lineKey(at), line ?? null],
  apart: 1024n
}

/** Numbers of segments and threads are below this. */
const mostRows = 1 << 27

/** Copies everything that can be read. Checks and references of the new database are not looked at meanwhile. */
export const salvage = (old: Database, fresh: Database): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    yield* fresh.read("salvage", (sql) =>
      Effect.zipRight(sql.run("PRAGMA foreign_keys = OFF"), sql.run("PRAGMA ignore_check_constraints = ON"))
    )
    const last = yield* counters(old)
    for (const table of tables) {
      const counter = last.get(table.name === "details" ? "threads" : table.name)
      yield* copyTable(old, fresh, table, 0n, BigInt(counter ?? mostRows - 1) + 1n)
    }
    const known = yield* fresh.read("salvage", (sql) =>
      sql.all<{ readonly pk: number; readonly size: number }>("SELECT pk, size FROM segments ORDER BY pk")
    )
    let next = 0n
    for (const { pk, size } of known) {
      const [low, high] = [Lines.key(pk, 0), Lines.key(pk, Math.max(0, size))]
      yield* copyTable(old, fresh, content, next, low, true)
      yield* copyTable(old, fresh, content, low, high)
      next = high
    }
    yield* copyTable(old, fresh, content, next, Lines.key(mostRows, 0) - 1n, true)
    // Fences go on from where they were: nobody who held a lease once may be taken for who holds one now.
    const now = yield* Clock.currentTimeMillis
    yield* fresh.write("salvage", (sql) =>
      Effect.zipRight(
        sql.run("DELETE FROM sqlite_sequence WHERE name = 'leases'"),
        sql.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('leases', ?)", [
          last.get("leases") ?? Math.floor(now / 1000)
        ])
      )
    )
  })

/** The last number that each table gave out, where SQLite still knows. */
const counters = (old: Database): Effect.Effect<ReadonlyMap<string, number>, StoreUnavailable> =>
  old
    .read("salvage", (sql) => sql.tuples<readonly [name: string, seq: number]>("SELECT name, seq FROM sqlite_sequence"))
    .pipe(
      Effect.catchIf(
        ({ retryable }) => !retryable,
        () => Effect.succeed([])
      ),
      Effect.map((rows) => new Map(rows))
    )

/** Rows that are asked for at once, and where one of them cannot be read. */
const pages = [100, 1]

/** Halvings in a row without a single row, after which a stretch is given up. */
const fruitless = 8

/**
 * Copies the rows of a table with keys from `low` on and below `high`.
 *
 * @param isEmpty Whether nothing is expected there: then it is only read from its start.
 */
const copyTable = (
  old: Database,
  fresh: Database,
  table: Table,
  low: bigint,
  high: bigint,
  isEmpty = false
): Effect.Effect<void, StoreUnavailable> => {
  const { columns, key, keyOf, name, selected, valuesOf } = table
  const select = `SELECT ${selected} FROM ${name} NOT INDEXED WHERE ${key} >= ? AND ${key} < ? ORDER BY ${key}`
  const insert = `INSERT OR IGNORE INTO ${name} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`

  /** Undefined: one of the rows cannot be read. */
  const read = (order: "ASC" | "DESC", from: bigint, to: bigint, rows: number) =>
    old
      .read("salvage", (sql) => sql.all<Row>(`${select} ${order} LIMIT ${rows}`, [from, to]))
      .pipe(
        Effect.catchIf(
          ({ retryable }) => !retryable,
          () => Effect.succeed(undefined)
        )
      )

  const write = (rows: ReadonlyArray<Row>) =>
    fresh.write("salvage", (sql) => Effect.forEach(rows, (row) => sql.run(insert, valuesOf(row)), { discard: true }))

  const stretch = (from: bigint, to: bigint, tries: number): Effect.Effect<void, StoreUnavailable> =>
    Effect.gen(function* () {
      let [low, high] = [from, to]
      let copied = 0
      for (const order of isEmpty ? (["ASC"] as const) : (["ASC", "DESC"] as const)) {
        for (const size of pages) {
          for (;;) {
            const rows = yield* read(order, low, high, size)
            if (rows === undefined) break
            const last = rows.at(-1)
            if (last === undefined) return
            yield* write(rows)
            copied += rows.length
            if (order === "ASC") low = keyOf(last) + 1n
            else high = keyOf(last)
          }
        }
      }
      const next = copied > 0 ? 0 : tries + 1
      if (isEmpty || high - low <= table.apart || next > fruitless) return
      const middle = (low + high) / 2n
      yield* stretch(low, middle, next)
      yield* stretch(middle, high, next)
    })

  return low < high ? stretch(low, high, 0) : Effect.void
}
