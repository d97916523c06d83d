/**
 * Pages of turns and items. The view of a thread is folded when it is first asked for and kept with the position that it
 * reached; a later read folds what was appended since. It can lag and never lead.
 */
import type { StoredView } from "@skein/core/fold/view/StoredView"
import * as StoredViews from "@skein/core/fold/view/StoredView"
import type { ThreadItem } from "@skein/core/fold/view/ThreadItem"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import type { Turn } from "@skein/core/fold/view/Turn"
import * as Turns from "@skein/core/fold/view/Turn"
import { Effect, Either } from "effect"
import * as ContentSearch from "../ContentSearch.js"
import type { Driver } from "../Driver.js"
import * as EffectiveLog from "../EffectiveLog.js"
import type { Position } from "../Position.js"
import * as Positions from "../Position.js"
import { InvalidRequest, type ReadError } from "../StoreError.js"
import type { Direction, Page } from "../SummaryQuery.js"
import * as Queries from "../SummaryQuery.js"
import type {
  ItemsRequest,
  Occurrence,
  OccurrencesRequest,
  ReadOptions,
  TurnItem,
  TurnsRequest
} from "../ThreadStore.js"
import * as Reading from "./Reading.js"

/** Views that stay in memory; the one used longest ago goes first. */
const most = 32
/** Records behind a stored view after which it is stored anew. */
const stale = 500

interface Kept {
  readonly reached: Position
  readonly view: ThreadView.ThreadView
  /** Records since the view was stored outside of memory. */
  readonly unsaved: number
  /** What the view was folded from; unknown of one that was stored. */
  readonly past: Past | undefined
}

/** What tells one log from another that has come to the same place: whoever deletes a thread may make it anew. */
interface Past {
  readonly bases: ReadonlyArray<Position>
  readonly header: Uint8Array | undefined
}

/** What lies in front of a place in a log, or would if it had it. */
const pastOf = (log: Reading.Log, { segmentId }: Position): Past => {
  const at = log.pieces.findIndex((piece) => piece.segmentId === segmentId)
  return {
    bases: log.pieces.slice(0, Math.max(0, at)).map((piece) => Positions.make(piece.segmentId, piece.to)),
    header: log.pieces[at]?.meta?.line.bytes
  }
}

const isSame = (left: Past, right: Past): boolean =>
  left.bases.length === right.bases.length &&
  left.bases.every((base, i) => Positions.equals(base, right.bases[i] ?? base)) &&
  left.header?.length === right.header?.length &&
  (left.header?.every((byte, i) => byte === right.header?.[i]) ?? true)

/** The views of a driver's threads. */
export interface Views {
  readonly turns: (threadId: string, request?: TurnsRequest) => Effect.Effect<Page<Turn>, ReadError>
  readonly items: (threadId: string, request?: ItemsRequest) => Effect.Effect<Page<TurnItem>, ReadError>
  readonly occurrences: (threadId: string, request: OccurrencesRequest) => Effect.Effect<Page<Occurrence>, ReadError>
  /** Lets go of what is kept of threads that are gone. */
  readonly drop: (threadIds: ReadonlyArray<string>) => void
}

/** No views yet. */
export const make = (driver: Driver): Views => {
  const kept = new Map<string, Kept>()
  const fold = ThreadView.fold()

  const current = (threadId: string, options: ReadOptions): Effect.Effect<ReadonlyArray<Turn>, ReadError> =>
    Effect.scoped(
      Effect.gen(function* () {
        const { threadId: id } = yield* Reading.locate(driver, threadId, options)
        const log = yield* driver.open(id)
        const known = kept.get(id) ?? (yield* stored(id))
        const isOurs =
          known !== undefined && (known.past === undefined || isSame(known.past, pastOf(log, known.reached)))
        const rest = isOurs ? EffectiveLog.after(log, known.reached) : undefined
        let view = rest === undefined || known === undefined ? ThreadView.initial : known.view
        let unsaved = rest === undefined || known === undefined ? 0 : known.unsaved
        yield* EffectiveLog.forward(
          rest ?? log,
          (decoded) => {
            if (EffectiveLog.isRecord(decoded)) {
              view = fold.step(view, decoded)
              unsaved++
            }
            return true
          },
          {
            wants: (head, bytes) => {
              if (ThreadView.wants(head, bytes)) return true
              view = ThreadView.passOver(view, head)
              return false
            },
            passing: true
          }
        )
        const reached = EffectiveLog.end(log)
        if (driver.views !== undefined && unsaved > stale) {
          yield* driver.views.save(id, { reached, view: JSON.stringify(StoredViews.store(view)) })
          unsaved = 0
        }
        kept.delete(id)
        kept.set(id, { reached, view, unsaved, past: pastOf(log, reached) })
        for (const oldest of kept.keys()) {
          if (kept.size <= most) break
          kept.delete(oldest)
        }
        return ThreadView.turns(view)
      })
    )

  /** A view that an earlier process stored; one that makes no sense is as good as none. */
  const stored = (threadId: string): Effect.Effect<Kept | undefined, ReadError> =>
    Effect.gen(function* () {
      const row = yield* driver.views?.load(threadId) ?? Effect.succeed(undefined)
      if (row === undefined) return undefined
      const view = Either.try(() => StoredViews.restore(JSON.parse(row.view) as StoredView))
      return Either.isRight(view) ? { reached: row.reached, view: view.right, unsaved: 0, past: undefined } : undefined
    })

  return {
    turns: (threadId, request = {}) =>
      Effect.gen(function* () {
        const limit = yield* Queries.pageSize(request.pageSize)
        const all = yield* current(threadId, request)
        const direction = request.direction ?? "desc"
        const scope = `t.${threadId.toLowerCase()}`
        const { backwardsCursor, items, nextCursor } = yield* cut(all, ({ id }) => [id], {
          ...request,
          limit,
          direction,
          scope
        })
        return {
          items: items.map((turn) => Turns.viewedAs(turn, request.itemsView ?? "full")),
          nextCursor,
          backwardsCursor
        }
      }),
    items: (threadId, request = {}) =>
      Effect.gen(function* () {
        const limit = yield* Queries.pageSize(request.pageSize)
        const turns = yield* current(threadId, request)
        const wanted = request.turnId === undefined ? turns : turns.filter(({ id }) => id === request.turnId)
        if (request.turnId !== undefined && wanted.length === 0) {
          return yield* Effect.fail(
            new InvalidRequest({
              field: "turnId",
              reason: `the thread has no turn ${request.turnId}`,
              advice: "Use the id of one of its turns."
            })
          )
        }
        const all = wanted.flatMap(({ id: turnId, items }) => items.map((item): TurnItem => ({ turnId, item })))
        const direction = request.direction ?? "asc"
        const scope = `i.${threadId.toLowerCase()}`
        return yield* cut(all, ({ item, turnId }) => [turnId, item.id], { ...request, limit, direction, scope })
      }),
    occurrences: (threadId, request) =>
      Effect.gen(function* () {
        const limit = yield* Queries.pageSize(request.pageSize ?? 50)
        const term = ContentSearch.term(request.searchTerm)
        if (term.folded === "") {
          return yield* Effect.fail(
            new InvalidRequest({ field: "searchTerm", reason: "it is empty", advice: "Give at least one letter." })
          )
        }
        const turns = yield* current(threadId, request)
        const id = threadId.toLowerCase()
        const nth = counter()
        const all = turns.flatMap((turn) => {
          const turnCursor = cursor(`t.${id}`, [turn.id, nth(turn.id)], true)
          return said(turn).flatMap(({ item, text }) =>
            ContentSearch.all(text, term).map((match, index) => ({
              key: [turn.id, item.id, String(index)],
              occurrence: {
                ...match,
                turnId: turn.id,
                itemId: item.id,
                turnCursor
              }
            }))
          )
        })
        const scope = `o.${id}.${term.folded}`
        const found = yield* cut(all, ({ key }) => key, { cursor: request.cursor, limit, direction: "asc", scope })
        return { ...found, items: found.items.map(({ occurrence }) => occurrence) }
      }),
    drop: (threadIds) => {
      for (const id of threadIds) kept.delete(id)
    }
  }
}

/** Counts how often it was asked for the same thing before: the same log may begin two turns of one id. */
const counter = (): ((key: string) => string) => {
  const counts = new Map<string, number>()
  return (key) => {
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    return String(count)
  }
}

interface Said {
  readonly item: ThreadItem
  readonly text: string
}

/** What was said in a turn: user messages, and of the agent its final answers (thread-store §9.2). */
const said = (turn: Turn): ReadonlyArray<Said> => {
  const final = turn.items.some((item) => item.type === "agentMessage" && item.phase === "final_answer")
  const last = turn.items.findLast((item) => item.type === "agentMessage" && item.phase === null)
  return turn.items.flatMap((item): ReadonlyArray<Said> => {
    if (item.type === "userMessage") {
      return [{ item, text: item.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join(" ") }]
    }
    if (item.type !== "agentMessage") return []
    return item.phase === "final_answer" || (!final && item === last) ? [{ item, text: plain(item.text) }] : []
  })
}

/** Markdown as its reader sees it: without the marks of emphasis, code, headings, quotes and links. */
const plain = (markdown: string): string =>
  markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^[ \t]*(?:#{1,6}|>|[-*+]|\d+\.)[ \t]+/gm, "")
    .replace(/^```.*$/gm, "")
    .replace(/(\*\*|__|~~|`)/g, "")
    .replace(/(^|\W)[*_](\S(?:.*?\S)?)[*_](?=\W|$)/g, "$1$2")

interface Cut {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly direction: Direction
  readonly scope: string
}

/**
 * The page of a list that a cursor points to. The cursor names a row, not a place, so rows that come or go elsewhere do
 * not disturb it. `nextCursor` excludes its row, `backwardsCursor` includes it (thread-store §9.3).
 */
const cut = <A>(
  all: ReadonlyArray<A>,
  keyOf: (row: A) => ReadonlyArray<string>,
  { cursor: from, direction, limit, scope }: Cut
): Effect.Effect<Page<A>, InvalidRequest> =>
  Effect.gen(function* () {
    const nth = counter()
    const keys = all.map((row) => {
      const key = keyOf(row)
      return [...key, nth(key.join("\0"))]
    })
    const order = direction === "asc" ? keys : keys.toReversed()
    const rows = direction === "asc" ? all : all.toReversed()
    let start = 0
    if (from !== undefined) {
      const anchor = parse(from)
      const problem =
        anchor === undefined
          ? `${JSON.stringify(from.slice(0, 80))} is no cursor`
          : anchor.scope !== scope
            ? "the cursor is of another thread, list or term"
            : undefined
      if (anchor === undefined || problem !== undefined) return yield* Effect.fail(badCursor(problem ?? ""))
      const at = order.findIndex((key) => isSameKey(key, anchor.key))
      if (at < 0) return yield* Effect.fail(badCursor("what it points to is no longer there"))
      start = anchor.included ? at : at + 1
    }
    const items = rows.slice(start, start + limit)
    const first = order[start]
    const last = start + limit >= rows.length ? undefined : order[start + limit - 1]
    return {
      items,
      nextCursor: last === undefined ? undefined : cursor(scope, last, false),
      backwardsCursor: first === undefined ? undefined : cursor(scope, first, true)
    }
  })

const isSameKey = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): boolean =>
  left.length === right.length && left.every((part, i) => part === right[i])

const badCursor = (reason: string): InvalidRequest =>
  new InvalidRequest({ field: "cursor", reason, advice: "Begin again without a cursor." })

interface Anchor {
  readonly scope: string
  readonly key: ReadonlyArray<string>
  readonly included: boolean
}

const cursor = (scope: string, key: ReadonlyArray<string>, included: boolean): string =>
  encodeURIComponent(JSON.stringify([scope, key, included]))

const parse = (text: string): Anchor | undefined => {
  try {
    const value: unknown = JSON.parse(decodeURIComponent(text))
    if (!Array.isArray(value) || value.length !== 3) return undefined
    const [scope, key, included] = value as ReadonlyArray<unknown>
    if (typeof scope !== "string" || typeof included !== "boolean" || !Array.isArray(key)) return undefined
    return key.every((part) => typeof part === "string") ? { scope, key, included } : undefined
  } catch {
    return undefined
  }
}
