/**
 * Rows of threads as columns: what a list is sorted and filtered by beside the JSON that it shows, and the page of a
 * query. A store and an index of files have the same columns.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Derived from "@skein/store/Derived"
import type { Explicit, ThreadRow } from "@skein/store/Summary"
import * as Summary from "@skein/store/Summary"
import type { RowQuery, SortKey } from "@skein/store/SummaryQuery"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import { Effect } from "effect"
import type { Sql, Value } from "./Database.js"

/** The columns of `threads` that follow from a row and not from where its lines are. */
export const columns = [
  "progress",
  "shelf",
  "created_at",
  "updated_at",
  "recency_at",
  "source",
  "provider",
  "cwd",
  "parent"
] as const

/** Their values. */
export const values = (row: ThreadRow): ReadonlyArray<Value> => {
  const { summary } = row.derived
  const { createdAt, recencyAt, updatedAt } = Summary.times(row)
  return [
    progress(row.derived),
    shelf(row.archivedAt, SummaryQuery.isHidden(row)),
    createdAt,
    updatedAt,
    recencyAt,
    Derived.sourceKey(summary.source),
    summary.modelProvider ?? null,
    SummaryQuery.normalCwd(summary.cwd),
    Derived.parentOf(row.derived) ?? null
  ]
}

/** Threads lie on four shelves, so that the usual lists find only their own. */
const shelf = (archivedAt: number | undefined, hidden: boolean): number =>
  (archivedAt === undefined ? 0 : 2) + (hidden ? 1 : 0)

/** What of the derived state changes with nearly every append, apart from what does not. */
export const progress = ({ createdAt, recency, tokensUsed }: Derived.Derived): string =>
  JSON.stringify({ createdAt, recency, tokensUsed })

/**
 * What `details` has of the derived state: `summary`, `name`, `title`, `preview`. Texts of any length lie apart from
 * what an append changes. A title that is the preview too is kept once.
 */
export const detailValues = (row: ThreadRow): ReadonlyArray<Value> => {
  const { preview, title } = row.derived.summary
  return [
    JSON.stringify(row.derived.summary),
    Summary.of(row).name ?? null,
    title === undefined || title === preview ? null : title,
    preview
  ]
}

/** A row as {@link selected} gives it. */
export interface Stored {
  readonly id: string
  readonly history_mode: string
  readonly made_at: number
  readonly archived_at: number | null
  readonly progress: string
  readonly summary: string
  readonly explicit: string
  readonly path?: string | null
}

/** The columns of a {@link Stored}, of `threads AS t` and `details AS d`. */
export const selected = "t.id, t.history_mode, t.made_at, t.archived_at, t.progress, d.summary, d.explicit"

/** The part of a {@link Stored} that is JSON. */
export type Kept = Pick<Stored, "progress" | "summary" | "explicit">

/**
 * What the JSON of a row says. A part that cannot be read is undefined: SQLite does not notice when the disk changes a
 * text, and one such row must not fail a list.
 */
export const stateOf = ({
  explicit,
  progress,
  summary
}: Kept): { readonly derived: Derived.Derived | undefined; readonly explicit: Explicit | undefined } => {
  const rest = object<Omit<Derived.Derived, "summary">>(progress)
  const told = object<Derived.Derived["summary"]>(summary)
  return {
    explicit: object<Explicit>(explicit),
    derived:
      rest === undefined || told === undefined
        ? undefined
        : { summary: told, recency: rest.recency, createdAt: rest.createdAt, tokensUsed: rest.tokensUsed }
  }
}

const object = <A>(json: string): A | undefined => {
  if (json === "{}") return {} as A
  try {
    const value = JSON.parse(json)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** The row that was stored. */
export const rowOf = (stored: Stored): ThreadRow => {
  const { derived = Derived.empty, explicit = {} } = stateOf(stored)
  return {
    threadId: stored.id,
    historyMode: stored.history_mode,
    archivedAt: stored.archived_at ?? undefined,
    explicit,
    derived,
    madeAt: stored.made_at,
    ...(typeof stored.path === "string" ? { path: stored.path } : {})
  }
}

/** Keeps host metadata where filters find them, in the place of what was kept. */
export const putMetadata = (
  sql: Sql,
  thread: number,
  metadata: Explicit["metadata"] = {}
): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    yield* sql.run("DELETE FROM metadata WHERE thread = ?", [thread])
    for (const [key, value] of Object.entries(metadata)) {
      yield* sql.run("INSERT INTO metadata (thread, key, value) VALUES (?, ?, ?)", [thread, key, value])
    }
  })

const timeColumn: Readonly<Record<SortKey, string>> = {
  createdAt: "created_at",
  updatedAt: "updated_at",
  recencyAt: "recency_at"
}

/** A condition and its values. */
interface Condition {
  readonly text: string
  readonly values: ReadonlyArray<Value>
}

/** So few threads are sorted for a page rather than looked for in the order of the list. */
const few = 2000

/**
 * The rows of a page, as `SummaryQuery.select` would choose them.
 *
 * A list is walked in its order until the page is full, shelf by shelf; where a relation, folders or metadata let only
 * few threads pass, these are fetched and sorted. Cost: the rows that are passed over.
 *
 * @param more Further columns of `threads AS t`, such as `, t.path`.
 */
export const page = (sql: Sql, query: RowQuery, more = ""): Effect.Effect<ReadonlyArray<ThreadRow>, SqlError> =>
  Effect.gen(function* () {
    const narrow = narrowing(query)
    const isNarrow =
      narrow !== undefined &&
      (query.relation !== undefined ||
        (yield* sql.all(`SELECT 1 FROM threads AS t WHERE ${narrow.text} LIMIT ${few}`, narrow.values)).length < few)
    const { text, values } = isNarrow ? fetched(query, narrow, more) : walked(query, more)
    const rows = yield* sql.all<Stored>(text, values)
    return rows.map(rowOf)
  })

/** The condition by which few threads are found, if the query has one. */
const narrowing = ({ cwds, metadata, relation }: RowQuery): Condition | undefined => {
  if (relation !== undefined) return related(relation)
  const [entry] = Object.entries(metadata)
  if (entry !== undefined) {
    return { text: "t.pk IN (SELECT thread FROM metadata WHERE key = ? AND value = ?)", values: entry }
  }
  return cwds === undefined ? undefined : oneOf("t.cwd", cwds)
}

const related = ({ depth, of }: NonNullable<RowQuery["relation"]>): Condition =>
  depth === "children"
    ? { text: "t.parent = ? AND t.id <> ?", values: [of, of] }
    : {
        text: `t.id IN (
  WITH RECURSIVE below (id) AS (
    SELECT id FROM threads WHERE parent = ? UNION SELECT c.id FROM threads AS c JOIN below AS b ON c.parent = b.id
  )
  SELECT id FROM below
) AND t.id <> ?`,
        values: [of, of]
      }

const oneOf = (column: string, list: ReadonlyArray<string>): Condition => ({
  text: `${column} IN (SELECT value FROM json_each(?))`,
  values: [JSON.stringify(list)]
})

/** The filters of a query. A plus in front of a column keeps SQLite from choosing its index for them. */
const filters = (query: RowQuery): ReadonlyArray<Condition> => {
  const all: Array<Condition> = []
  const { after, cwds, direction, metadata, modelProviders, searchTerm, sortKey, sources, unnamedProvider } = query
  if (sources !== undefined) all.push(oneOf("t.source", sources))
  if (modelProviders !== undefined) {
    const { text, values } = oneOf("t.provider", modelProviders)
    all.push({ text: unnamedProvider ? `(t.provider IS NULL OR ${text})` : text, values })
  }
  if (cwds !== undefined) all.push(oneOf("+t.cwd", cwds))
  for (const entry of Object.entries(metadata)) {
    all.push({
      text: "EXISTS (SELECT 1 FROM metadata AS m WHERE m.thread = t.pk AND m.key = ? AND m.value = ?)",
      values: entry
    })
  }
  if (searchTerm !== undefined) {
    all.push({
      text: "(instr(d.name, ?) > 0 OR instr(d.title, ?) > 0 OR instr(d.preview, ?) > 0)",
      values: [searchTerm, searchTerm, searchTerm]
    })
  }
  if (after !== undefined) {
    const time = `t.${timeColumn[sortKey]}`
    all.push({ text: `(${time}, t.id) ${direction === "asc" ? ">" : "<"} (?, ?)`, values: [after.time, after.id] })
  }
  return all
}

const shelves = ({ archived, hidden }: RowQuery): ReadonlyArray<number> =>
  [0, 1, 2, 3].filter((one) => (archived === "any" || archived === one >= 2) && (hidden || one % 2 === 0))

const from = "FROM threads AS t CROSS JOIN details AS d ON d.pk = t.pk"

const limited = ({ limit }: RowQuery): number => Math.min(limit, 2 ** 31 - 1)

const both = (conditions: ReadonlyArray<Condition>): Condition => ({
  text: conditions.map(({ text }) => text).join(" AND "),
  values: conditions.flatMap(({ values }) => values)
})

const fetched = (query: RowQuery, narrow: Condition, more: string): Condition => {
  const { direction, sortKey } = query
  const { text, values } = both([narrow, ...filters(query)])
  return {
    text: `SELECT ${selected}${more} ${from}
WHERE ${text} AND +t.shelf IN (${shelves(query).join(", ")})
ORDER BY +t.${timeColumn[sortKey]} ${direction}, +t.id ${direction} LIMIT ?`,
    values: [...values, limited(query)]
  }
}

const walked = (query: RowQuery, more: string): Condition => {
  const { direction, sortKey } = query
  const time = timeColumn[sortKey]
  const order = `${direction}, id ${direction}`
  const all = shelves(query).map((one) => {
    const { text, values } = both([{ text: "t.shelf = ?", values: [one] }, ...filters(query)])
    return {
      text: `SELECT ${selected}${more}, t.${time} AS time ${from}
WHERE ${text} ORDER BY t.${time} ${direction}, t.id ${direction} LIMIT ?`,
      values: [...values, limited(query)]
    }
  })
  const [only] = all
  if (all.length === 1 && only !== undefined) return only
  return {
    text: `${all.map(({ text }) => `SELECT * FROM (${text})`).join(" UNION ALL ")} ORDER BY time ${order} LIMIT ?`,
    values: [...all.flatMap(({ values }) => values), limited(query)]
  }
}
