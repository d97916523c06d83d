/** `skein rename`: gives a thread a name. */
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as Row from "../Row.js"
import * as Text from "../Text.js"

/** What `skein rename --json` prints: the thread as it then is. An empty name takes its name away. */
export const rename = (store: ThreadStoreService, id: string, name: string) =>
  Effect.map(store.updateSummary(id, { name }), Row.documentOf)

/** The document for a person. */
export const render = (row: Row.RowDocument, style: Text.Style): string =>
  Text.lines([
    row.name === null
      ? `${row.id} shows no name${row.preview === "" ? "" : `; it is about ${style.strong(Text.brief(row.preview, 60))}`}`
      : `${row.id} is ${style.strong(Text.brief(row.name))}`
  ])
