/** Puts the operations of a store together over a driver. */
import { Effect, type Scope } from "effect"
import type { Driver } from "../Driver.js"
import { InvalidRequest } from "../StoreError.js"
import * as SummaryQuery from "../SummaryQuery.js"
import type { ThreadStoreService } from "../ThreadStore.js"
import * as Appenders from "./Appender.js"
import * as Leases from "./Leases.js"
import * as Lists from "./Lists.js"
import * as Reading from "./Reading.js"
import * as Signal from "./Signals.js"
import * as AllViews from "./Views.js"
import * as Writing from "./Writing.js"

/** The store that a driver makes. */
export const make = (driver: Driver): Effect.Effect<ThreadStoreService, never, Scope.Scope> =>
  Effect.sync(() => {
    const signals = Signal.make()
    const appender = Appenders.make(driver, signals.notify)
    const views = AllViews.make(driver)
    const span = (operation: string, threadId?: string) =>
      Effect.withSpan(`ThreadStore.${operation}`, {
        // Where this package calls itself tells nobody anything, and finding it out costs as much as the rest of a span.
        captureStackTrace: false,
        attributes: { store: driver.name, ...(threadId === undefined ? {} : { threadId }) }
      })
    const service: ThreadStoreService = {
      supports: driver.supports,
      create: (header, records, options) => Writing.create(driver, header, records, options).pipe(span("create")),
      append: (id, records, options) => Writing.append(driver, appender, id, records, options).pipe(span("append", id)),
      head: (id, options) => Reading.locate(driver, id, options).pipe(span("head", id)),
      open: (id, options) => Reading.open(driver, id, options).pipe(span("open", id)),
      read: (id, range) => Reading.read(driver, id, range),
      follow: (id, after, options) => Reading.follow(driver, signals, id, after, options),
      fork: (source, options) => Writing.fork(driver, source, options).pipe(span("fork", source)),
      revert: (id, options) => Writing.revert(driver, signals, id, options).pipe(span("revert", id)),
      summary: (id, options) => Lists.summary(driver, id, options).pipe(span("summary", id)),
      summaries: (query) => Lists.summaries(driver, query).pipe(span("summaries")),
      search: (term, query) => Lists.search(driver, term, query).pipe(span("search")),
      turns: (id, request) => views.turns(id, request).pipe(span("turns", id)),
      items: (id, request) => views.items(id, request).pipe(span("items", id)),
      occurrences: (id, request) => views.occurrences(id, request).pipe(span("occurrences", id)),
      updateSummary: (id, patch) => Lists.updateSummary(driver, id, patch).pipe(span("updateSummary", id)),
      archive: (id) => Lists.setArchived(driver, signals, id, true).pipe(span("archive", id)),
      unarchive: (id) => Lists.setArchived(driver, signals, id, false).pipe(span("unarchive", id)),
      delete: (id, options) => Lists.remove(driver, signals, views, id, options).pipe(span("delete", id)),
      lease: (id, options) => Leases.take(driver, id, options).pipe(span("lease", id)),
      exported: (id) =>
        Effect.gen(function* () {
          const threadId = yield* SummaryQuery.threadId(id)
          const row = yield* driver.row(threadId)
          return { row, segments: yield* driver.segments(threadId) }
        }).pipe(span("exported", id)),
      imported: (thread, options) =>
        Writing.imported(driver, thread, options).pipe(span("imported", thread.row.threadId)),
      backup: (path) =>
        (
          driver.backup?.(path) ??
          Effect.fail(
            new InvalidRequest({
              field: "path",
              reason: `a store in ${driver.name} makes no backups of itself`,
              advice: "Copy it to another store instead."
            })
          )
        ).pipe(span("backup"))
    }
    return service
  })
