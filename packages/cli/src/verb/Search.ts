/** `skein search`: the threads in which something was said. */
import type { StoreUnavailable } from "@skein/store/StoreError"
import type { SummaryQuery } from "@skein/store/SummaryQuery"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Ref } from "effect"
import * as Output from "../Output.js"
import * as Row from "../Row.js"
import * as Text from "../Text.js"
import * as Ls from "./Ls.js"

/** What `skein search --json` prints. */
export interface SearchDocument {
  readonly items: ReadonlyArray<{ readonly thread: Row.RowDocument; readonly snippet: string }>
  readonly nextCursor: string | null
  readonly backwardsCursor: string | null
  /** Threads that could not be searched. */
  readonly failures: ReadonlyArray<{ readonly threadId: string; readonly error: Output.ErrorDocument }>
}

/** Prints the threads in which a term occurs. Threads that could not be searched make the exit code 1. */
export const search = (
  store: ThreadStoreService,
  term: string,
  query: SummaryQuery,
  json: boolean,
  status: Ref.Ref<number>
): Effect.Effect<void, StoreUnavailable> =>
  Ls.asked(status, json, store.search(term, query), (page) =>
    Effect.gen(function* () {
      const document: SearchDocument = {
        items: page.items.map(({ snippet, thread }) => ({ thread: Row.documentOf(thread), snippet })),
        nextCursor: page.nextCursor ?? null,
        backwardsCursor: page.backwardsCursor ?? null,
        failures: page.failures.map(({ error, threadId }) => ({ threadId, error: Output.errorOf(error) }))
      }
      if (page.failures.length > 0) yield* Ref.set(status, 1)
      if (json) return yield* Output.document(document)
      const drawing = yield* Ls.drawingOf(query)
      yield* Output.print(render(document, drawing))
      for (const { error } of page.failures) yield* Output.error(`not searched: ${error.message}`)
    })
  )

const render = ({ items, nextCursor }: SearchDocument, drawing: Row.Drawing): string => {
  const { style } = drawing
  return Text.lines([
    ...items.flatMap(({ snippet, thread }) => [
      Row.line(thread, drawing),
      `${" ".repeat(14)}${Text.brief(snippet, 200)}`
    ]),
    style.dim(
      `  ${items.length === 0 ? "found nowhere" : `found in ${Text.plural(items.length, "thread")}`}${
        nextCursor === null ? "" : `; more: --cursor ${nextCursor}`
      }`
    )
  ])
}
