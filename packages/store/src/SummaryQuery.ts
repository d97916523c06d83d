/**
 * Which threads a list shows, in which order, and where the next page begins (thread-store §4).
 *
 * Pages are cut by key: a cursor names the last row's time and id, so rows that share a moment are neither lost nor
 * shown twice, and what is inserted between two pages disturbs neither.
 */
import { Either } from "effect"
import * as Deriveds from "./Derived.js"
import { InvalidRequest } from "./StoreError.js"
import type { Summary, ThreadRow } from "./Summary.js"
import * as Summaries from "./Summary.js"

/** What a list is sorted by; the id breaks every tie. */
export type SortKey = "createdAt" | "updatedAt" | "recencyAt"

export type Direction = "asc" | "desc"

/** What is asked of a list. An absent filter lets every thread pass. */
export interface SummaryQuery {
  /** Rows of a page, from 1. Default 25. */
  readonly pageSize?: number | undefined
  /** Where the page before this one ended: its `nextCursor`. */
  readonly cursor?: string | undefined
  /** Default `createdAt`. */
  readonly sortKey?: SortKey | undefined
  /** Default `desc`. */
  readonly sortDirection?: Direction | undefined
  /** Who started them, as {@link Deriveds.sourceKey} spells it. Null or empty: anyone. */
  readonly sources?: ReadonlyArray<string> | null | undefined
  /** Null or empty: all. */
  readonly modelProviders?: ReadonlyArray<string> | null | undefined
  /** The provider of threads that name none: they pass the filter when it is listed. */
  readonly defaultProvider?: string | undefined
  /** Working directories, compared without trailing slashes and dots. Null: all; empty: none. */
  readonly cwds?: ReadonlyArray<string> | null | undefined
  /** Archived threads instead of active ones; `any` for both. Default false. */
  readonly archived?: boolean | "any" | undefined
  /** A text that name, title or preview hold, letter by letter. */
  readonly searchTerm?: string | undefined
  /** Threads that this one spawned. */
  readonly childrenOf?: string | undefined
  /** Threads below this one at any depth, itself not among them. */
  readonly descendantsOf?: string | undefined
  /** Host metadata that has to be equal, key by key. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Whether threads without a preview are listed too. Default: only with a relation filter they are not hidden. */
  readonly hidden?: boolean | undefined
}

/** A page of a list. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** Where the next page begins; undefined when this is the last one. */
  readonly nextCursor: string | undefined
  /** Give it with the other direction to read from the first row back. */
  readonly backwardsCursor: string | undefined
}

/** A query as drivers get it: checked, with defaults, and with the cursor as what it means. */
export interface RowQuery {
  readonly limit: number
  readonly sortKey: SortKey
  readonly direction: Direction
  readonly after: RowKey | undefined
  readonly sources: ReadonlyArray<string> | undefined
  readonly modelProviders: ReadonlyArray<string> | undefined
  /** Whether threads that name no provider pass that filter. */
  readonly unnamedProvider: boolean
  readonly cwds: ReadonlyArray<string> | undefined
  readonly archived: boolean | "any"
  readonly searchTerm: string | undefined
  readonly relation: Relation | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly hidden: boolean
}

/** Which threads, by what they are to another one. */
export interface Relation {
  readonly of: string
  readonly depth: "children" | "descendants"
}

/** Where a row stands in its list. */
export interface RowKey {
  readonly time: number
  readonly id: string
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A thread's id in lower case, or what is wrong with it. */
export const threadId = (text: string, field = "threadId"): Either.Either<string, InvalidRequest> => {
  const id = typeof text === "string" ? text.toLowerCase() : ""
  if (uuid.test(id)) return Either.right(id)
  const said = typeof text === "string" ? JSON.stringify(text.slice(0, 80)) : `a value of type ${typeof text}`
  return Either.left(new InvalidRequest({ field, reason: `${said} is no UUID`, advice: "Give the id of a thread." }))
}

const most = 10_000

const isText = (value: unknown): boolean => typeof value === "string"
const isList = (value: unknown): boolean => value === null || (Array.isArray(value) && value.every(isText))
const isTable = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isText)

/** What each part of a query has to be, for hosts whose compiler does not hold them to it. */
const shapes: ReadonlyArray<readonly [keyof SummaryQuery, (value: unknown) => boolean, string]> = [
  ["cursor", isText, "a text"],
  [
    "sortKey",
    (value) => typeof value === "string" && Object.hasOwn(letters, value),
    "createdAt, updatedAt or recencyAt"
  ],
  ["sortDirection", (value) => value === "asc" || value === "desc", "asc or desc"],
  ["sources", isList, "a list of texts"],
  ["modelProviders", isList, "a list of texts"],
  ["defaultProvider", isText, "a text"],
  ["cwds", isList, "a list of texts"],
  ["archived", (value) => typeof value === "boolean" || value === "any", "true, false or any"],
  ["searchTerm", isText, "a text"],
  ["metadata", isTable, "a table of texts"],
  ["hidden", (value) => typeof value === "boolean", "true or false"]
]

const shaped = (query: SummaryQuery): Either.Either<void, InvalidRequest> => {
  for (const [field, isRight, wanted] of shapes) {
    if (query[field] === undefined || isRight(query[field])) continue
    return Either.left(
      new InvalidRequest({ field, reason: `it is not ${wanted}`, advice: `Give ${wanted}, or nothing.` })
    )
  }
  return Either.right(undefined)
}

/** Checks a query. Cost: that of its own size. */
export const check = (query: SummaryQuery): Either.Either<RowQuery, InvalidRequest> =>
  Either.gen(function* () {
    yield* shaped(query)
    const limit = yield* pageSize(query.pageSize)
    const sortKey = query.sortKey ?? "createdAt"
    const after = query.cursor === undefined ? undefined : yield* parseCursor(query.cursor, sortKey)
    return {
      limit,
      sortKey,
      direction: query.sortDirection ?? "desc",
      after,
      sources: some(query.sources),
      modelProviders: some(query.modelProviders),
      unnamedProvider:
        query.defaultProvider !== undefined && (query.modelProviders ?? []).includes(query.defaultProvider),
      cwds: query.cwds?.map(normalCwd),
      archived: query.archived ?? false,
      searchTerm: query.searchTerm === "" ? undefined : query.searchTerm,
      relation: yield* relationOf(query),
      metadata: query.metadata ?? {},
      hidden: query.hidden ?? (query.childrenOf !== undefined || query.descendantsOf !== undefined)
    }
  })

/** The rows that a page may have, from 1; default 25. */
export const pageSize = (size: number | undefined): Either.Either<number, InvalidRequest> =>
  size === undefined || (Number.isInteger(size) && size >= 1)
    ? Either.right(Math.min(size ?? 25, most))
    : Either.left(
        new InvalidRequest({ field: "pageSize", reason: `${size} is no size of a page`, advice: "Ask for 1 or more." })
      )

const some = (list: ReadonlyArray<string> | null | undefined): ReadonlyArray<string> | undefined =>
  list === null || list === undefined || list.length === 0 ? undefined : list

const relationOf = (query: SummaryQuery): Either.Either<Relation | undefined, InvalidRequest> =>
  Either.gen(function* () {
    const { childrenOf, descendantsOf } = query
    if (childrenOf !== undefined && descendantsOf !== undefined) {
      return yield* Either.left(
        new InvalidRequest({
          field: "descendantsOf",
          reason: "children and descendants were asked for at once",
          advice: "Ask for one of them; children are descendants."
        })
      )
    }
    if (childrenOf !== undefined) return { of: yield* threadId(childrenOf, "childrenOf"), depth: "children" }
    if (descendantsOf !== undefined) {
      return { of: yield* threadId(descendantsOf, "descendantsOf"), depth: "descendants" }
    }
    return undefined
  })

/** A working directory as filters compare it: without `.`, `..`, doubled and trailing slashes. */
export const normalCwd = (path: string): string => {
  const rooted = path.startsWith("/")
  const parts: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop()
    else if (part !== ".." || !rooted) parts.push(part)
  }
  return `${rooted ? "/" : ""}${parts.join("/")}`
}

const letters: Readonly<Record<SortKey, string>> = { createdAt: "c", updatedAt: "u", recencyAt: "r" }

/** The cursor of a row: opaque to hosts, and refused where the list is sorted by something else. */
export const cursorOf = (summary: Summary, sortKey: SortKey): string =>
  `${letters[sortKey]}${summary[sortKey].toString(36)}.${summary.id}`

const cursorPattern = /^([cur])(-?[0-9a-z]{1,11})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

const parseCursor = (cursor: string, sortKey: SortKey): Either.Either<RowKey, InvalidRequest> => {
  const [, letter, time = "", id = ""] = cursorPattern.exec(cursor) ?? []
  const problem =
    letter === undefined
      ? `${JSON.stringify(cursor.slice(0, 80))} is no cursor`
      : letter !== letters[sortKey]
        ? `the cursor is of a list sorted otherwise, not by ${sortKey}`
        : undefined
  return problem === undefined
    ? Either.right({ time: Number.parseInt(time, 36), id })
    : Either.left(
        new InvalidRequest({
          field: "cursor",
          reason: problem,
          advice: "Give a page's nextCursor with the same query."
        })
      )
}

/** Whether a row passes the filters, apart from relation and cursor. Cost: linear in the texts that are searched. */
export const matches = (row: ThreadRow, query: RowQuery): boolean => {
  const { summary } = row.derived
  if (query.archived !== "any" && query.archived !== (row.archivedAt !== undefined)) return false
  if (!query.hidden && isHidden(row)) return false
  if (query.sources !== undefined && !query.sources.includes(Deriveds.sourceKey(summary.source))) return false
  if (query.modelProviders !== undefined) {
    const { modelProvider } = summary
    if (modelProvider === undefined ? !query.unnamedProvider : !query.modelProviders.includes(modelProvider))
      return false
  }
  if (query.cwds !== undefined && !query.cwds.includes(normalCwd(summary.cwd))) return false
  for (const key in query.metadata) if (row.explicit.metadata?.[key] !== query.metadata[key]) return false
  const { searchTerm } = query
  if (searchTerm === undefined) return true
  return [Summaries.of(row).name, summary.title, summary.preview].some((text) => text?.includes(searchTerm) === true)
}

/**
 * Whether a list leaves a thread out unless asked: one that has nothing to show yet, and an attached fork (since-july).
 * One of a mode that nobody here can read is listed, so that it can be archived and deleted.
 */
export const isHidden = ({ derived: { summary }, historyMode }: ThreadRow): boolean =>
  summary.attached || (summary.preview === "" && Deriveds.knownMode(historyMode) !== undefined)

/** The order of a list. */
export const compare = (left: RowKey, right: RowKey, direction: Direction): number => {
  const order = left.time - right.time || (left.id < right.id ? -1 : left.id > right.id ? 1 : 0)
  return direction === "asc" ? order : -order
}

/**
 * The page of a list that is in memory: what a driver without an index answers, and what one with an index has to
 * agree with. Cost: one pass over the rows and a sort of those that match.
 */
export const select = (rows: Iterable<ThreadRow>, query: RowQuery): ReadonlyArray<ThreadRow> => {
  const all = [...rows]
  const related = query.relation === undefined ? undefined : relatives(all, query.relation)
  const found: Array<{ readonly key: RowKey; readonly row: ThreadRow }> = []
  for (const row of all) {
    if (related !== undefined && !related.has(row.threadId)) continue
    if (!matches(row, query)) continue
    const key = { time: Summaries.times(row)[query.sortKey], id: row.threadId }
    if (query.after !== undefined && compare(key, query.after, query.direction) <= 0) continue
    found.push({ key, row })
  }
  found.sort((left, right) => compare(left.key, right.key, query.direction))
  return found.slice(0, query.limit).map(({ row }) => row)
}

/** The ids below a thread, itself not among them; a circle of parents ends. Cost: one pass over the rows. */
export const relatives = (rows: Iterable<ThreadRow>, { depth, of }: Relation): ReadonlySet<string> => {
  const children = new Map<string, Array<string>>()
  for (const row of rows) {
    const parent = Deriveds.parentOf(row.derived)
    if (parent === undefined) continue
    const known = children.get(parent)
    if (known === undefined) children.set(parent, [row.threadId])
    else known.push(row.threadId)
  }
  const found = new Set<string>()
  const waiting = [of]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    for (const child of children.get(id) ?? []) {
      if (child === of || found.has(child)) continue
      found.add(child)
      if (depth === "descendants") waiting.push(child)
    }
  }
  return found
}
