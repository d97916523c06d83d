/** Stores whose service breaks a promise that its driver keeps. */
import type { Turn } from "@skein/core/fold/view/Turn"
import type { Page } from "@skein/store/SummaryQuery"
import type { Followed, ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Stream } from "effect"

import type { Mutant } from "./Mutant.js"

/** A store that tells followers something else. */
const telling =
  (change: (one: Followed, i: number) => ReadonlyArray<Followed>) =>
  (store: ThreadStoreService): ThreadStoreService => ({
    ...store,
    follow: (...args) =>
      Stream.suspend(() => {
        let count = 0
        return Stream.mapConcat(store.follow(...args), (one) => change(one, count++))
      })
  })

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "tells a follower every record twice",
    noticed: ["follow.1", "follow.3"],
    service: telling((one) => (one._tag === "Record" ? [one, one] : [one]))
  },
  {
    name: "keeps a record from its followers",
    noticed: ["follow.1", "follow.3"],
    service: telling((one, i) => (one._tag === "Record" && i % 4 === 3 ? [] : [one]))
  },
  {
    name: "tells followers nothing of what comes",
    noticed: ["follow.1"],
    service: (store) => ({
      ...store,
      follow: (...args) =>
        Stream.concat(
          Stream.takeUntil(store.follow(...args), ({ _tag }) => _tag === "CaughtUp"),
          Stream.never
        )
    })
  },
  {
    name: "never says that a follower has caught up",
    noticed: ["follow.1", "follow.2"],
    service: telling((one) => (one._tag === "CaughtUp" ? [] : [one]))
  },
  {
    name: "says after every record that the follower has caught up",
    noticed: ["follow.1"],
    service: telling((one) => (one._tag === "Record" ? [one, { _tag: "CaughtUp", position: one.row.position }] : [one]))
  },
  {
    name: "does not tell followers of a revert",
    noticed: ["follow.4", "follow.5"],
    service: telling((one) => (one._tag === "Switched" ? [] : [one]))
  },
  {
    name: "tells followers that nothing is in common",
    noticed: ["follow.4"],
    service: telling((one) => [one._tag === "Switched" ? { ...one, commonEnd: undefined } : one])
  },
  {
    name: "ends following quietly when the thread is deleted",
    noticed: ["follow.6"],
    service: (store) => ({
      ...store,
      follow: (...args) => Stream.catchTag(store.follow(...args), "ThreadNotFound", () => Stream.empty)
    })
  },
  {
    name: "forgets the id of an operation",
    noticed: ["11", "append.4", "append.7"],
    random: true,
    service: (store) => ({
      ...store,
      append: (threadId, records, options) => store.append(threadId, records, { ...options, operationId: undefined })
    })
  },
  {
    name: "reads from the start, whatever place is named",
    noticed: ["position.1", "position.2"],
    random: true,
    service: (store) => ({ ...store, read: (threadId, range) => store.read(threadId, { ...range, after: undefined }) })
  },
  {
    name: "deletes one thread and leaves those below it",
    noticed: ["69"],
    random: true,
    service: (store) => ({
      ...store,
      delete: (threadId, options) => store.delete(threadId, { ...options, subtree: false })
    })
  },
  {
    name: "searches one page and no further",
    noticed: ["63"],
    service: (store) => ({
      ...store,
      search: (term, query) => Effect.map(store.search(term, query), (page) => ({ ...page, nextCursor: undefined }))
    })
  },
  {
    name: "does not report what it could not search",
    noticed: ["19", "63"],
    service: (store) => ({
      ...store,
      search: (term, query) => Effect.map(store.search(term, query), (page) => ({ ...page, failures: [] }))
    })
  },
  {
    name: "shows no turns behind the first page",
    noticed: ["89"],
    random: true,
    service: (store) => ({
      ...store,
      turns: (threadId, request) =>
        Effect.map(store.turns(threadId, request), (page) => ({ ...page, nextCursor: undefined }))
    })
  },
  {
    name: "gives no more than one item of a page",
    noticed: ["86", "89"],
    service: (store) => ({
      ...store,
      items: (threadId, request) =>
        Effect.map(store.items(threadId, request), (page) => ({ ...page, items: page.items.slice(0, 1) }))
    })
  },
  {
    name: "finds what is written in the same case alone",
    noticed: ["60"],
    service: (store) => ({
      ...store,
      search: (term, query) =>
        Effect.map(store.search(term, query), (page) => ({
          ...page,
          items: page.items.filter(({ snippet }) => snippet.includes(term))
        }))
    })
  },
  {
    name: "cuts snippets short",
    noticed: ["60.snippet"],
    service: (store) => ({
      ...store,
      search: (term, query) =>
        Effect.map(store.search(term, query), (page) => ({
          ...page,
          items: page.items.map((found) => ({ ...found, snippet: found.snippet.slice(0, 140) }))
        }))
    })
  },
  {
    name: "searches whatever stands in a log",
    noticed: ["61"],
    service: (store) => ({
      ...store,
      search: (term, query) =>
        Effect.gen(function* () {
          const found = yield* store.search(term, query)
          const { items } = yield* store.summaries(query)
          const more = yield* Effect.filter(items, ({ id }) =>
            Effect.map(Stream.runCollect(store.read(id)), (rows) =>
              JSON.stringify([...rows].map(({ decoded }) => decoded)).includes(term)
            )
          ).pipe(Effect.orDie)
          return { ...found, items: more.map((thread) => ({ thread, snippet: term })) }
        })
    })
  },
  {
    name: "takes an id with blanks around it",
    noticed: ["58"],
    service: (store) => ({ ...store, summary: (threadId, options) => store.summary(String(threadId).trim(), options) })
  },
  {
    name: "passes over what is wrong with a patch",
    noticed: ["31.bad"],
    service: (store) => ({
      ...store,
      updateSummary: (threadId, patch) =>
        Effect.catchTag(store.updateSummary(threadId, patch), "InvalidRequest", () => store.summary(threadId))
    })
  },
  {
    name: "makes up a working directory where a header has none",
    noticed: ["2"],
    service: (store) => ({
      ...store,
      create: (header, records, options) =>
        store.create({ ...header, payload: { ...header?.payload, cwd: header?.payload?.cwd ?? "/" } }, records, options)
    })
  },
  {
    name: "shows the turns of a thread that it showed first",
    noticed: ["67", "67.second"],
    service: (store) => {
      const shown = new Map<string, Page<Turn>>()
      return {
        ...store,
        turns: (threadId, request) =>
          Effect.map(store.turns(threadId, request), (page) => {
            const first = shown.get(threadId) ?? page
            shown.set(threadId, first)
            return first
          })
      }
    }
  },
  {
    name: "says that it made a backup and makes none",
    noticed: ["backup.1"],
    service: (store) => ({ ...store, backup: () => Effect.void })
  }
]
